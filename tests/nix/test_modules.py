"""The modules for Home Manager and NixOS: what they render is what the program's own tests use."""

import json
import os
import shutil
import subprocess
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import EXECUTABLE, Environment, Run

ROOT = Path(__file__).parents[2]
PREFIX = str(Path(EXECUTABLE).parents[1])
MODULES = ("home-manager", "nixos")
NAME = "git-credential-hf-seed"
SERVICES = ["git-credential-hf-changed.service", "git-credential-hf-keyring.service", "git-credential-hf-seed.service"]
SECRET = "hf_sEcReT0123456789aBcDeFgHiJkLmNoPq"
TOKENS: dict[str, Any] = {
    "all": {"file": "~/secrets/hf", "cache": True},
    "my-org": {"command": ["echo", "hf_cOmMaNd0123456789aBcDeFgHiJkLmNo"], "scope": ["my-org", "datasets/my-org"]},
    "alice": {"file": "/run/100%/alice", "user": "alice"},
}


def evaluate(module: str, settings: Mapping[str, Any], **more: str) -> dict[str, Any]:
    """Evaluate the module with `settings` for programs.git-credential-hf; `more` are expressions of evaluate.nix."""
    if shutil.which("nix-instantiate") is None:
        pytest.skip("NOT TESTED: nix-instantiate is not installed")
    arguments = {"module": str(ROOT / f"nix/{module}.nix")} | more
    done = subprocess.run(
        [
            "nix-instantiate", "--eval", "--strict", "--json", "--store", "dummy://", ROOT / "tests/nix/evaluate.nix",
            "--argstr", "settings", json.dumps({"enable": True, **settings}), "--argstr", "package", PREFIX,
            *(part for name, expression in arguments.items() for part in ("--arg", name, expression)),
        ],
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "NIX_STATE_DIR": "/nonexistent"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )  # fmt: skip
    if done.returncode:
        return {"error": done.stderr}
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def configuration(module: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    found = evaluate(module, settings)
    assert found.get("failed") == [], found
    made: dict[str, Any] = found["config"]
    return made


def credential(module: str, settings: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    git = configuration(module, settings)["programs"]["git"]
    found: dict[str, dict[str, Any]] = (git["iniContent"] or git["config"][0])["credential"]
    return found


def unit(made: Mapping[str, Any], name: str) -> dict[str, dict[str, list[str]]]:
    """The unit that `made` has under that name, as systemd reads it."""
    name, _, kind = name.partition(".")
    given = made["systemd"]["user"][f"{kind}s"][name]
    if "description" in given:  # NixOS has names of its own
        names = {
            "after": "After",
            "description": "Description",
            "partOf": "PartOf",
            "requisite": "Requisite",
            "startLimitIntervalSec": "StartLimitIntervalSec",
        }
        given = {
            "Unit": {name: given[key] for key, name in names.items() if given.get(key, []) != []},
            kind.title(): given[f"{kind}Config"]
            | ({"Environment": f"PATH={given['environment']['PATH']}"} if "environment" in given else {}),
            "Install": {"WantedBy": given["wantedBy"]} if given["wantedBy"] else {},
        }
    return {
        section: {
            key: [str(one) for one in (value if isinstance(value, list) else [value])] for key, value in all.items()
        }
        for section, all in given.items()
        if all
    }


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def example(name: str) -> dict[str, dict[str, list[str]]]:
    """The unit of examples/systemd, but for what enables others with it."""
    sections: dict[str, dict[str, list[str]]] = {}
    for line in (ROOT / "examples/systemd" / name).read_text().splitlines():
        if line.startswith("["):
            keys = sections[line.strip("[]")] = {}
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            words = value.split() if key in ("After", "PartOf", "Requisite", "WantedBy") else [value]
            keys.setdefault(key, []).extend(words)
    sections.get("Install", {}).pop("Also", None)
    return sections


@pytest.mark.parametrize("module", MODULES)
def test_git_is_told_what_configure_would_tell_it(module: str, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "gitconfig"
    assert run("configure", "--file", str(file)).code == 0
    git = subprocess.run(["git", "config", "--file", file, "--list"], capture_output=True, text=True, check=True)
    ours = [
        f"credential.{url}.{key.lower()}={'true' if value is True else value}"
        for url, settings in sorted(credential(module, {}).items(), reverse=True)
        for key, values in settings.items()
        for value in listed(values)
    ]
    assert ours == git.stdout.splitlines()


def test_options_become_the_helpers() -> None:
    options = {
        "hosts": ["hub.example.org", "h.example:8443"],
        "unlock": "prompt",
        "timeout": 2.5,
        "extraFlags": ["--sources", "env,keyring"],
        "resetHelpers": False,
    }
    (line,) = credential("home-manager", options)["https://huggingface.co"]["helper"]
    assert line.startswith(
        f"{EXECUTABLE} --host hub.example.org --host h.example:8443 --unlock prompt --timeout 2.5"
    ), line
    assert line.endswith(" --sources env,keyring")
    capability = subprocess.run(["sh", "-c", f"{line} capability"], capture_output=True, text=True, check=True)
    assert (capability.stdout, capability.stderr) == ("version 0\ncapability authtype\n", "")
    assert credential("nixos", options)["https://hub.example.org"] == {"helper": [line]}


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize("module", MODULES)
def test_services_are_those_of_the_examples(module: str, name: str) -> None:
    made = configuration(module, {"tokens": TOKENS})
    service, wanted = unit(made, name), example(name)
    # What differs: programs are named by their paths, and on NixOS systemd-tmpfiles links tokens.toml.
    path = f"PATH={PREFIX}/bin:"
    assert service["Service"].pop("Environment", [path])[0].startswith(path)
    wanted["Service"].pop("Environment")
    (command,) = service["Service"].pop("ExecStart")
    program, *arguments = command.split()
    assert program in (f"{PREFIX}/bin/git-credential-hf", "systemctl", "/systemd/bin/systemctl")
    assert ["/usr/bin/env", Path(program).name, *arguments] == wanted["Service"].pop("ExecStart")[0].split()
    if module == "nixos":
        assert service["Unit"]["After"].pop() == "systemd-tmpfiles-setup.service"
        service["Unit"] = {key: value for key, value in service["Unit"].items() if value}
    assert service == wanted


@pytest.mark.parametrize("module", MODULES)
def test_the_path_unit_is_that_of_the_examples(module: str) -> None:
    path, wanted = unit(configuration(module, {"tokens": TOKENS}), f"{NAME}.path"), example(f"{NAME}.path")
    assert path["Path"].pop("PathChanged") == [
        wanted["Path"].pop("PathChanged")[0], "/run/100%%/alice", "%h/secrets/hf"
    ]  # fmt: skip
    assert path == wanted


@pytest.mark.parametrize("module", MODULES)
def test_tokens_are_declared_as_seed_reads_them(
    module: str, run: Run, environment: Environment, tmp_path: Path
) -> None:
    made = configuration(module, {"tokens": TOKENS})
    files = made["xdg"]["configFile"] or made["environment"]["etc"]
    declared = files["git-credential-hf/tokens.toml"]["source"]
    assert declared == {"tokens": TOKENS}
    text = "".join(
        f"[tokens.{json.dumps(name)}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in token.items())
        for name, token in declared["tokens"].items()
    )
    assert tomllib.loads(text) == declared
    # As both systems lay it: a link to a file that nobody can write.
    link = Path(environment["HOME"], ".config/git-credential-hf/tokens.toml")
    link.parent.mkdir(parents=True)
    link.symlink_to(tmp_path / "tokens.toml")
    (tmp_path / "tokens.toml").write_text(text)
    (tmp_path / "tokens.toml").chmod(0o444)
    result = run("seed", "--optional", "--dry-run")
    assert (result.code, result.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("settings", "more", "complaint"),
    [
        ({"tokens": {"a": {"file": "/nix/store/0-source/token"}}}, {}, "outside the Nix store"),
        ({}, {"path": str(ROOT / "README.md")}, "with the quotes"),
        ({"tokens": {"a": {}}}, {}, "either a file or a command"),
        ({"tokens": {"a": {"file": "/a", "command": ["b"]}}}, {}, "either a file or a command"),
        ({"tokens": {"a": {"command": []}}}, {}, "either a file or a command"),
        ({"tokens": {"a": {"file": "/a", "command": []}}}, {}, "either a file or a command"),
        ({"tokens": {n: {"file": "/a", "cache": True, "user": n} for n in "ab"}}, {}, "At most one"),
        ({"tokens": {"a": {"file": "/a", "cache": True, "scope": "o"}}}, {}, "both cache = true and a scope"),
        ({"tokens": {n: {"file": "/a"} for n in "ab"}}, {}, "for the same place and user"),
        ({"tokens": {n: {"file": "/a", "scope": ["o", n]} for n in "ab"}}, {}, "for the same place and user"),
        ({"hosts": ["hub.example.org", "https://hub.example.org"]}, {}, "without https:// and without a path"),
        ({"hosts": ["hub.example.org/"]}, {}, "without https:// and without a path"),
        ({"timeout": 0}, {}, "above 0"),
        ({"timeout": -1.5}, {}, "above 0"),
        ({}, {"git": "false"}, "needs programs.git.enable"),
        ({}, {"system": '"darwin"'}, "needs Linux"),
    ],
)
@pytest.mark.parametrize("module", MODULES)
def test_what_cannot_be_right_is_refused(
    module: str, settings: dict[str, Any], more: dict[str, str], complaint: str
) -> None:
    (message,) = evaluate(module, settings, **more)["failed"]
    assert complaint in message


@pytest.mark.parametrize("around", ["{}", "{}\n", "HF_TOKEN={}\n", "${{x}}{}"])
@pytest.mark.parametrize("module", MODULES)
def test_a_token_in_the_place_of_its_file_is_refused_and_not_told(module: str, around: str) -> None:
    """As builtins.readFile gives it."""
    (message,) = evaluate(module, {"tokens": {"a": {"file": around.format(SECRET)}}})["failed"]
    assert message.startswith(
        "programs.git-credential-hf.tokens.a.file must name a file, and what it has may be a token"
    )
    assert SECRET not in message


VARIABLE = "has a variable in it, which nothing expands: write the path itself. With agenix in Home Manager, set"
SPECIFIER = "has a specifier in it, as systemd's %t or sops-nix's %r, which nothing expands: write the path itself."
RELATIVE = 'begin it with "/" or "~/", as in "~/secrets/huggingface.token".'


@pytest.mark.parametrize(
    ("file", "complaint"),
    [
        ("${XDG_RUNTIME_DIR}/agenix/hf", VARIABLE),
        ("$HOME/secrets/hf", VARIABLE),
        ("/run/user/$(id -u)/hf", VARIABLE),
        ("%t/agenix/hf", SPECIFIER),
        ("%r/secrets.d/1/hf", SPECIFIER),
        ("/run/user/%U/hf", SPECIFIER),
        ("secrets/hf", RELATIVE),
        ("./hf", RELATIVE),
        ("~alice/hf", RELATIVE),
        ("~", RELATIVE),
        ("", RELATIVE),
        ("/nix/store/0-source/hf", "outside the Nix store"),
    ],
)
@pytest.mark.parametrize("module", MODULES)
def test_a_file_that_cannot_be_read_is_refused_with_what_to_write(module: str, file: str, complaint: str) -> None:
    (message,) = evaluate(module, {"tokens": {"good": {"file": "/a"}, "bad": {"file": file}}})["failed"]
    assert message.startswith("programs.git-credential-hf.tokens.bad.file ")
    assert complaint in message
    assert "\n" not in message


@pytest.mark.parametrize(
    "file",
    [
        "~/secrets/hf",
        "/run/agenix/hf",
        "/run/secrets/hf",
        "/home/alice/.config/sops-nix/secrets/hf",
        "/run/user/1000/agenix/hf",
        "/mnt/100%/hf",
    ],
)
@pytest.mark.parametrize("module", MODULES)
def test_a_file_that_agenix_or_sops_nix_makes_is_watched_and_declared(module: str, file: str) -> None:
    made = configuration(module, {"tokens": {"a": {"file": file}}})
    files = made["xdg"]["configFile"] or made["environment"]["etc"]
    assert files["git-credential-hf/tokens.toml"]["source"] == {"tokens": {"a": {"file": file}}}
    watched = unit(made, f"{NAME}.path")["Path"]["PathChanged"]
    assert watched[1:] == [file.replace("%", "%%").replace("~/", "%h/")]


@pytest.mark.parametrize(
    "settings",
    [{"unlock": "always"}, {"tokens": {"a": {"file": 1}}}, {"tokens": {"a": {"token": "x"}}}, {"hosts": "h.example"}],
)
def test_what_is_of_no_such_type_is_an_error(settings: dict[str, Any]) -> None:
    assert "git-credential-hf" in evaluate("home-manager", settings)["error"]


def test_parts_can_be_left_out() -> None:
    made = configuration("home-manager", {"gitLfs": False, "seed": {"enable": False}})
    assert made["programs"]["git"]["lfs"]["enable"] == {}
    assert made["systemd"]["user"]["services"] == made["systemd"]["user"]["paths"] == {}
    assert made["home"]["activation"] == made["xdg"]["configFile"] == {}
    made = configuration("nixos", {"seed": {"onActivation": False}})
    assert made["system"]["userActivationScripts"] == {}
    assert [f"{one}.service" for one in sorted(made["systemd"]["user"]["services"])] == SERVICES
    off = evaluate("home-manager", {"enable": False})["config"]
    assert off["home"]["packages"] == off["programs"]["git"]["iniContent"] == {}


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("token", ["hf_aCtIvAtIoN0123456789aBcDeFgHiJkLm\n", "hf_xxx", "two\nlines", None])
def test_a_rebuild_without_a_session_seeds_the_token_file_and_never_fails(
    module: str, token: str | None, environment: Environment
) -> None:
    made = configuration(module, {"tokens": TOKENS})
    script = (made["home"]["activation"] or {NAME: {"data": None}})[NAME]["data"]
    script = script or made["system"]["userActivationScripts"][NAME]
    home = Path(environment["HOME"])
    (home / ".config/git-credential-hf").mkdir(parents=True)
    (home / ".config/git-credential-hf/tokens.toml").write_text('[tokens.all]\nfile = "~/token"\ncache = true\n')
    if token is not None:
        (home / "token").touch(mode=0o600)
        (home / "token").write_text(token)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"{script}\necho on"],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "on"), done.stderr
    assert token is None or token.strip() not in done.stdout + done.stderr
    cache = home / ".cache/huggingface/token"
    assert cache.exists() == bool(token and token.endswith("\n")), done.stderr
    assert not cache.exists() or cache.read_text() == str(token).strip()


def test_the_flake_offers_the_package_and_the_modules() -> None:
    if shutil.which("nix-instantiate") is None:
        pytest.skip("NOT TESTED: nix-instantiate is not installed")
    nixpkgs = """{
        lib.genAttrs = names: f: builtins.listToAttrs (map (name: { inherit name; value = f name; }) names);
        legacyPackages.x86_64-linux.callPackage = file: _: file;
    }"""
    done = subprocess.run(
        [
            "nix-instantiate", "--eval", "--strict", "--json", "--store", "dummy://", "--expr",
            f"""let outputs = (import {ROOT}/flake.nix).outputs {{ self = outputs; nixpkgs = {nixpkgs}; }}; in
                map toString ([ outputs.packages.x86_64-linux.default
                  (outputs.overlays.default {{ callPackage = file: _: file; }} null).git-credential-hf ]
                  ++ outputs.homeManagerModules.default.imports ++ outputs.nixosModules.default.imports)""",
        ],
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "NIX_STATE_DIR": "/nonexistent"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    files = ("package", "package", "home-manager", "nixos")
    assert json.loads(done.stdout) == [str(ROOT / f"nix/{file}.nix") for file in files]
