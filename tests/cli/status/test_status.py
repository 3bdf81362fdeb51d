"""status: every trouble that a person may be in, made for real, and named with its fix."""

import contextlib
import fcntl
import json
import os
import re
import shlex
import shutil
import socket
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from git_credential_hf.cli import git_config
from git_credential_hf.cli.status import findings
from git_credential_hf.cli.status import verdict as judged
from git_credential_hf.model.item import DECLARED, Item
from git_credential_hf.secret_service.dbus.address import bus_addresses
from tests import old_git
from tests.cli.conftest import cache, snapshot, write
from tests.conftest import EXECUTABLE, Environment, Result, Run, run_call
from tests.hub import Hub, Secret, Token, fingerprint
from tests.keyring_items import Items
from tests.providers import KWALLETS, GnomeKeyring
from tests.secret_service.conftest import needed
from tests.secret_service.fake_bus import Body, bus, provider

TOKEN = "hf_MaRkEdToKeN0123456789aBcDeFgHiJkLm"
OTHER = "hf_MaRkEdOtHeR0123456789aBcDeFgHiJkLm"
TYPED = "hf_MaRkEdTyPeD0123456789aBcDeFgHiJkLm"
MARK = b"hf_MaRkEd"

HUB = "https://huggingface.co"
MODEL = f"{HUB}/my-org/my-model"


class World:
    """Somebody's machine, in which all is well: the token is seeded, git is configured, git-lfs is set up."""

    def __init__(self, folder: Path, run: Run, environment: Environment, items: Items | None) -> None:
        self.folder = folder
        self.environment = environment
        self.items = items
        self.url = MODEL
        self.home = Path(environment["HOME"])
        self.gitconfig = self.home / ".gitconfig"
        self.input = TYPED.encode() + b"\n"
        self._run = run
        environment["PATH"] = f"{Path(EXECUTABLE).parent}:{environment['PATH']}"

    def sound(self) -> None:
        self.git_lfs("3.8.1")
        self.seed(TOKEN)
        self.helper("configure", "--git-lfs")

    def git_lfs(self, version: str) -> None:
        """Let git-lfs call itself that version; it is git-lfs in all else."""
        program = self.folder / "bin/git-lfs"
        program.parent.mkdir(exist_ok=True)
        real = shutil.which("git-lfs")
        write(
            program,
            f'#!/bin/sh\n[ "$1" = version ] && echo "git-lfs/{version} (test)" && exit\nexec {real} "$@"\n',
            0o755,
        )
        if str(program.parent) not in self.environment["PATH"]:
            self.environment["PATH"] = f"{program.parent}:{self.environment['PATH']}"

    def shell(self, command: str, input: bytes = b"") -> bytes:
        """Run a remedy in a shell. There is no terminal at which `login` could ask for a token, so it is piped."""
        done = subprocess.run(
            ["sh", "-c", command.replace("git-credential-hf login", "git-credential-hf login --with-token")],
            input=input,
            env=self.environment,
            capture_output=True,
            timeout=100,
            check=False,
        )
        assert MARK not in done.stdout + done.stderr
        return done.stdout

    def git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], env=self.environment, check=True, capture_output=True)

    def helper(self, *arguments: str, input: bytes = b"") -> None:
        subprocess.run([EXECUTABLE, *arguments], input=input, env=self.environment, check=True, capture_output=True)

    def seed(self, token: str, *arguments: str) -> None:
        self.helper("seed", "--from", "-", *arguments, input=token.encode())

    def editor(self, content: str) -> None:
        """Let there be an editor with which somebody makes `content` of a file."""
        (self.folder / "content").write_text(content)
        write(self.folder / "editor", f'#!/bin/sh\ncat {self.folder}/content >"$1"\n', 0o755)
        self.environment["EDITOR"] = str(self.folder / "editor")

    def counted(self, *settings: tuple[str, str]) -> None:
        """Add settings as GIT_CONFIG_COUNT does."""
        self.environment["GIT_CONFIG_COUNT"] = str(len(settings))
        for number, (key, value) in enumerate(settings):
            self.environment |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}

    def configuration(self, text: str) -> None:
        """Add to the user's git configuration."""
        with self.gitconfig.open("a") as file:
            file.write(text)

    def token_that_git_gets(self) -> Secret | None:
        """Ask git itself, where nobody can be asked."""
        done = subprocess.run(
            ["git", "credential", "fill"],
            input=f"url={self.url}\n\n".encode(),
            env=self.environment | {"GIT_ASKPASS": "false"},
            capture_output=True,
            check=False,
        )
        found = re.search(rb"^password=(.+)$", done.stdout, re.MULTILINE)
        return Secret(found[1].decode()) if found else None

    def status(self, *arguments: str, **more: str) -> Result:
        """Run status for the URL; fail if it shows a token, complains, or changes anything."""
        before = self.state()
        result = self._run("status", *arguments, self.url, **more)
        assert MARK not in result.stdout + result.stderr
        assert result.stderr == b""
        assert self.state() == before
        return result

    def known(self, *arguments: str, **more: str) -> dict[str, Any]:
        result = self.status("--json", *arguments, **more)
        known: dict[str, Any] = json.loads(result.stdout)
        assert all(text.isprintable() for text in texts(known))
        online = known["online"] or {}
        is_readable = online.get("state") != "refused" and online.get("access") in (None, "yes")
        may_be_given = known["token_given"] or known["verdict"].startswith("Not sure")
        assert result.code == (0 if may_be_given and is_readable else 1)
        return known

    def state(self) -> object:
        files = snapshot(self.home, Path(self.environment["XDG_RUNTIME_DIR"]))
        return files, [] if self.items is None else sorted(map(repr, self.items.all()))


def texts(value: Any) -> list[str]:
    """Every text within a value that came as JSON."""
    if isinstance(value, dict | list):
        return [text for one in (value.values() if isinstance(value, dict) else value) for text in texts(one)]
    return [value] if isinstance(value, str) else []


@pytest.fixture
def world(tmp_path: Path, run: Run, environment: Environment, keyring: Items) -> World:
    built = World(tmp_path, run, environment, keyring)
    built.sound()
    return built


def codes(known: dict[str, Any]) -> list[str]:
    return [finding["code"] for finding in known["findings"]]


# --- all is well ---------------------------------------------------------------------------------------------


def test_all_is_well(world: World) -> None:
    known = world.known()
    assert known["findings"] == []
    assert known["token_given"] is True
    assert known["answer"] == {
        "source": "the keyring",
        "fingerprint": fingerprint(TOKEN),
        "scope": None,
        "user": "hf_user",
        "expires": None,
        "authtype": None,
    }
    assert [(one["name"], one["state"]) for one in known["sources"]] == [
        ("env", "none"),
        ("keyring", "answers"),
        ("file", "has a token"),
    ]
    assert known["keyring"]["provider"] == "gnome-keyring-daemon"
    assert (known["keyring"]["state"], known["keyring"]["items"], known["keyring"]["items_of_others"]) == ("open", 1, 0)
    assert known["token_file"] == {
        "path": str(cache(world.environment)),
        "state": "token",
        "mode": "0600",
        "fingerprint": fingerprint(TOKEN),
        "same_as_keyring": True,
    }
    (helper,) = known["git"]["helpers"]
    assert (helper["ours"], helper["does"], helper["at"]["file"]) == (True, "answers", str(world.gitconfig))
    assert world.gitconfig.read_text().splitlines()[helper["at"]["line"] - 1].strip() == f"helper = {EXECUTABLE}"


def test_the_answer_is_the_one_that_git_gets(world: World) -> None:
    world.seed(OTHER, "--scope", "my-org/my-model")
    for url, token in ((MODEL, OTHER), (f"{MODEL}.git", OTHER), (f"{HUB}/my-org/other", TOKEN), (HUB, TOKEN)):
        world.url = url
        known = world.known()
        assert world.token_that_git_gets() == token
        assert known["answer"]["fingerprint"] == fingerprint(token)
        assert known["answer"]["scope"] == ("my-org/my-model" if token == OTHER else None)


@pytest.mark.parametrize(("token", "code"), [(True, 0), (False, 1)])
@pytest.mark.parametrize("configured", [True, False])
def test_the_exit_code_tells_whether_git_would_get_a_token(
    world: World, keyring: Items, token: bool, code: int, configured: bool
) -> None:
    if not token:
        keyring.clear()
        cache(world.environment).unlink()
    if not configured:
        world.helper("unconfigure")
    result = world.status()
    assert result.code == (code if configured else 1)
    assert result.stdout.startswith(
        b"OK: git will use hf_****JkLm from " if result.code == 0 else b"No token: git gets none for "
    )


# --- what is wrong -------------------------------------------------------------------------------------------

Break = Callable[[World], None]

BROKEN: dict[str, Break] = {}
"""For each finding's code: what breaks a machine so."""

ABOUT_THE_URL = ("token-in-url", "ssh-url", "not-ours")
"""The remedy of these is about another URL, and says itself that nothing is wrong with that."""


def broken(code: str) -> Callable[[Break], Break]:
    """Keep what breaks a machine so that `code` is found; words behind it tell one case from another."""

    def keep(function: Break) -> Break:
        BROKEN[code] = function
        return function

    return keep


@broken("helper-not-configured")
def _(world: World) -> None:
    world.helper("unconfigure")


@broken("helper-reset")
def _(world: World) -> None:
    world.configuration("[credential]\n\thelper =\n")


@broken("helper-gone")
def _(world: World) -> None:
    path = "/nix/store/00000000000000000000000000000000-git-credential-hf-0.1.0/bin/git-credential-hf"
    world.gitconfig.write_text(world.gitconfig.read_text().replace(EXECUTABLE, path))


@broken("helper-options-wrong")
def _(world: World) -> None:
    world.gitconfig.write_text(world.gitconfig.read_text().replace(EXECUTABLE, f"{EXECUTABLE} --bogus"))


@broken("other-helper-before")
def _(world: World) -> None:
    world.helper("unconfigure")
    world.configuration(f"[credential]\n\thelper = store\n\thelper = {EXECUTABLE}\n")


@broken("other-helper-gone")
def _(world: World) -> None:
    world.helper("unconfigure")
    world.configuration(f"[credential]\n\thelper = nowhere --now\n\thelper = {EXECUTABLE}\n")


@broken("other-helper-after")
def _(world: World) -> None:
    world.configuration("[credential]\n\thelper = store\n")


@broken("token-in-git-config")
def _(world: World) -> None:
    world.configuration(f'[credential]\n\thelper = "!f() {{ echo username=x; echo password={OTHER}; }}; f"\n')


@broken("no-token")
def _(world: World) -> None:
    assert world.items is not None
    world.items.clear()
    cache(world.environment).unlink()


@broken("oidc-failed")
def _(world: World) -> None:
    world.environment["HF_OIDC_RESOURCE"] = "my-org/my-model"


@broken("oidc-not-asked")
def _(world: World) -> None:
    world.environment["HF_OIDC_RESOURCE"] = "my-org/my-model"
    without = f"{EXECUTABLE} --sources env,keyring,file"
    world.gitconfig.write_text(world.gitconfig.read_text().replace(EXECUTABLE, without))


@broken("env-hides-scopes")
def _(world: World) -> None:
    world.seed(OTHER, "--scope", "my-org")
    world.environment["HF_TOKEN"] = TYPED


@broken("env-hides-keyring")
def _(world: World) -> None:
    world.environment["HUGGING_FACE_HUB_TOKEN"] = OTHER


@broken("env-unusable")
def _(world: World) -> None:
    world.environment["HF_TOKEN"] = f"{TOKEN}\n{OTHER}"


@broken("token-file-newer")
def _(world: World) -> None:
    write(cache(world.environment), OTHER)
    later = time.time() + 60
    os.utime(cache(world.environment), (later, later))


@broken("token-file-differs")
def _(world: World) -> None:
    write(cache(world.environment), OTHER)
    os.utime(cache(world.environment), (1e9, 1e9))


@broken("token-file-mode")
def _(world: World) -> None:
    cache(world.environment).chmod(0o644)


@broken("token-file-unusable")
def _(world: World) -> None:
    write(cache(world.environment), f"{TOKEN}\n{OTHER}\n")


@broken("token-rejected")
def _(world: World) -> None:
    rejected(world, TOKEN)


@broken("token-expired")
def _(world: World) -> None:
    assert world.items is not None
    world.items.clear()
    cache(world.environment).unlink()
    request = (
        f"protocol=https\nhost=huggingface.co\nusername=hf_user\npassword={TOKEN}\npassword_expiry_utc=1000000000\n"
    )
    world.helper("store", input=request.encode())


@broken("keyring-absent")
def _(world: World) -> None:
    (address,) = bus_addresses({b"DBUS_SESSION_BUS_ADDRESS": world.environment["DBUS_SESSION_BUS_ADDRESS"].encode()})
    Path(world.environment["XDG_RUNTIME_DIR"], "bus").symlink_to(os.fsdecode(address))
    world.environment["DBUS_SESSION_BUS_ADDRESS"] = "disabled:"
    cache(world.environment).unlink()


@broken("keyring-empty")
def _(world: World) -> None:
    assert world.items is not None
    world.items.clear()


@broken("netrc-entry")
def _(world: World) -> None:
    text = f"machine example.org login a password b\nmachine huggingface.co\n\tlogin x\n\tpassword {OTHER}\n"
    write(world.home / ".netrc", f"{text}machine example.com login c password d\n")


@broken("extra-header")
def _(world: World) -> None:
    world.git("config", "--global", f"http.{HUB}.extraHeader", f"Authorization: Bearer {OTHER}")


@broken("url-rewritten")
def _(world: World) -> None:
    world.git("config", "--global", "url.git@hf.co:.insteadOf", f"{HUB}/")


@broken("token-in-remote")
def _(world: World) -> None:
    repository = world.home / "repository"
    world.git("init", "-q", str(repository))
    world.environment["GIT_DIR"] = str(repository / ".git")
    world.git("remote", "add", "origin", f"https://alice:{OTHER}@huggingface.co/my-org/my-model")


@broken("token-in-url")
def _(world: World) -> None:
    world.url = f"https://alice:{OTHER}@huggingface.co/my-org/my-model"


@broken("http-url")
def _(world: World) -> None:
    world.url = MODEL.replace("https", "http")


@broken("ssh-url")
def _(world: World) -> None:
    world.url = "git@hf.co:my-org/my-model"


@broken("ssh-url with a slash after the host")
def _(world: World) -> None:
    world.url = "git@hf.co:/my-org/my-model"


@broken("not-ours")
def _(world: World) -> None:
    world.url = "https://cdn-lfs.hf.co/some/object"


@broken("path-not-sent")
def _(world: World) -> None:
    world.seed(OTHER, "--scope", "my-org")
    world.git("config", "--global", f"credential.{HUB}.useHttpPath", "false")


@broken("xet-scopes-only")
def _(world: World) -> None:
    world.helper("forget", "--yes")
    cache(world.environment).unlink(missing_ok=True)
    world.seed(TOKEN, "--scope", "my-org")
    write(world.folder / "bin/git-xet", "#!/bin/sh\n", 0o755)


@broken("git-config-broken")
def _(world: World) -> None:
    world.editor(world.gitconfig.read_text())
    world.configuration("[credential\n")


@broken("git-config-broken by a line that a later one overrides")
def _(world: World) -> None:
    world.gitconfig.write_text(
        f'[credential]\n\thelper\n[credential "{HUB}"]\n\tuseHttpPath = banana\n{world.gitconfig.read_text()}'
    )


@broken("git-config-broken by a variable")
def _(world: World) -> None:
    world.counted(("core.pager", "cat"), ("credential.useHttpPath", "banana"))


@broken("lfs-missing")
def _(world: World) -> None:
    tools = world.folder / "tools"
    tools.mkdir()
    # In the place of a package manager, which would change the machine.
    write(
        tools / "apt-get",
        f'#!/bin/sh\n[ "$*" = "install git-lfs" ] && ln -s {shutil.which("git-lfs")} {tools}\n',
        0o755,
    )
    write(tools / "sudo", '#!/bin/sh\nexec "$@"\n', 0o755)
    for name in ("git", "sh", "readlink", "ln"):
        (tools / name).symlink_to(shutil.which(name) or "/missing")
    (tools / "git-credential-hf").symlink_to(EXECUTABLE)
    world.environment["PATH"] = str(tools)


@broken("lfs-not-initialised")
def _(world: World) -> None:
    world.git("config", "--global", "--remove-section", "filter.lfs")


@broken("lfs-skips")
def _(world: World) -> None:
    world.environment["GIT_LFS_SKIP_SMUDGE"] = "1"


@broken("lfs-loops")
def _(world: World) -> None:
    world.git_lfs("3.7.1")
    world.configuration("[credential]\n\thelper = cache\n")


@broken("askpass-missing")
def _(world: World) -> None:
    world.environment["SSH_ASKPASS"] = "/usr/lib/ksshaskpass-that-is-gone"


@broken("askpass-asks")
def _(world: World) -> None:
    program = world.folder / "askpass"
    write(program, "#!/bin/sh\n", 0o755)
    world.environment["GIT_ASKPASS"] = str(program)
    world.helper("unconfigure")


@broken("helper-not-configured by a variable that names no file")
def _(world: World) -> None:
    world.environment["GIT_CONFIG_GLOBAL"] = "/dev/null"


@broken("helper-not-configured by a variable that is empty")
def _(world: World) -> None:
    world.environment["GIT_CONFIG_GLOBAL"] = ""


def declare(world: World, text: str) -> Path:
    file = world.home / ".config/git-credential-hf/tokens.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


@broken("source-newer")
def _(world: World) -> None:
    source = world.home / "secret"
    write(source, OTHER)
    later = time.time() + 60
    os.utime(source, (later, later))
    declare(world, '[tokens.mine]\nfile = "~/secret"\ncache = true\n')


@broken("declared-not-seeded")
def _(world: World) -> None:
    write(world.home / "secret", OTHER)
    declare(world, '[tokens.mine]\nfile = "~/secret"\nscope = ["my-org"]\n')


@broken("source-unreadable")
def _(world: World) -> None:
    world.editor(TOKEN)
    declare(world, '[tokens.mine]\nfile = "~/not-there"\n')


@broken("declaration-broken")
def _(world: World) -> None:
    world.editor('[tokens.mine]\nfile = "~/secret"\n')
    write(world.home / "secret", TOKEN)
    declare(world, f"[tokens.mine]\nfile = {OTHER}\n")


@broken("declaration-broken by its mode")
def _(world: World) -> None:
    write(world.home / "secret", TOKEN)
    declare(world, '[tokens.mine]\nfile = "~/secret"\n')
    (world.home / ".config/git-credential-hf/tokens.toml").chmod(0o666)


@broken("token-file-differs for another user")
def _(world: World) -> None:
    world.seed(OTHER, "--user", "alice", "--no-cache")
    world.git("config", "--global", f"credential.{HUB}.username", "alice")
    os.utime(cache(world.environment), (1e9, 1e9))


def rejected(world: World, token: str) -> None:
    request = f"protocol=https\nhost=huggingface.co\nusername=hf_user\npassword={token}\n"
    world.helper("erase", input=request.encode())


@broken("token-rejected where tokens.toml has it from a file")
def _(world: World) -> None:
    world.editor(TYPED)
    write(world.home / "secret", OTHER)
    declare(world, '[tokens.mine]\nfile = "~/secret"\ncache = true\n')
    world.helper("seed")
    rejected(world, OTHER)


@broken("token-rejected where the source has a new one")
def _(world: World) -> None:
    write(world.home / "secret", OTHER)
    declare(world, '[tokens.mine]\nfile = "~/secret"\ncache = true\n')
    world.helper("seed")
    rejected(world, OTHER)
    write(world.home / "secret", TYPED)
    later = time.time() + 60
    os.utime(world.home / "secret", (later, later))


@broken("token-rejected of a scope")
def _(world: World) -> None:
    world.seed(OTHER, "--scope", "my-org", "--user", "alice")
    rejected(world, OTHER)


@broken("token-rejected in a variable")
def _(world: World) -> None:
    world.environment["HF_TOKEN"] = OTHER
    rejected(world, OTHER)


@broken("token-expired by tokens.toml")
def _(world: World) -> None:
    text = '[tokens.mine]\nfile = "~/secret"\nscope = "my-org"\n'
    world.editor(text)
    write(world.home / "secret", OTHER)
    declare(world, f"{text}expires = 1000000000\n")
    assert world.items is not None
    attributes = Item(b"huggingface.co", b"my-org", b"hf_user", bearer=False, origin=DECLARED).attributes()
    world.items.add(
        f"{OTHER}\npassword_expiry_utc=1000000000".encode(),
        **{name.decode().replace(":", "__"): value.decode() for name, value in attributes.items()},
    )


@broken("helper-reset by a variable among others")
def _(world: World) -> None:
    world.counted(("core.pager", "cat"), ("credential.helper", ""), ("CREDENTIAL.https://huggingface.co.Helper", ""))


@broken("helper-reset in two places")
def _(world: World) -> None:
    world.git("init", "-q", str(world.home / "repository"))
    world.environment["GIT_DIR"] = str(world.home / "repository/.git")
    world.git("config", "credential.helper", "")
    world.counted(("credential.helper", ""))


@broken("helper-not-configured and reset by a variable")
def _(world: World) -> None:
    world.helper("unconfigure")
    world.counted(("credential.helper", ""))


@broken("other-helper-after by a variable")
def _(world: World) -> None:
    world.counted(("credential.helper", "store"), ("core.pager", "cat"))


@broken("other-helper-after of a worktree")
def _(world: World) -> None:
    world.git("init", "-q", str(world.home / "repository"))
    world.environment["GIT_DIR"] = str(world.home / "repository/.git")
    world.git("config", "extensions.worktreeConfig", "true")
    world.git("config", "--worktree", "credential.helper", "cache --timeout=5")


@broken("path-not-sent by the repository's settings")
def _(world: World) -> None:
    world.seed(OTHER, "--scope", "my-org")
    world.git("init", "-q", str(world.home / "repository"))
    world.environment["GIT_DIR"] = str(world.home / "repository/.git")
    world.git("config", "credential.useHttpPath", "no")


@broken("path-not-sent by a variable")
def _(world: World) -> None:
    world.seed(OTHER, "--scope", "my-org")
    world.counted(("core.pager", "cat"), ("credential.useHttpPath", "no"))


@broken("token-in-remote for pushes")
def _(world: World) -> None:
    world.git("init", "-q", str(world.home / "repository"))
    world.environment["GIT_DIR"] = str(world.home / "repository/.git")
    world.git("remote", "add", "origin", MODEL)
    world.git("config", "remote.origin.pushurl", f"https://alice:{OTHER}@huggingface.co/my-org/my-model")


@broken("token-in-remote with two URLs")
def _(world: World) -> None:
    world.git("init", "-q", str(world.home / "repository"))
    world.environment["GIT_DIR"] = str(world.home / "repository/.git")
    world.git("remote", "add", "origin", f"https://alice:{OTHER}@huggingface.co/my-org/my-model")
    world.git("remote", "set-url", "--add", "origin", "https://github.com/my-org/my-model")


@broken("token-in-remote for two pushes")
def _(world: World) -> None:
    world.git("init", "-q", str(world.home / "repository"))
    world.environment["GIT_DIR"] = str(world.home / "repository/.git")
    world.git("remote", "add", "origin", MODEL)
    world.git("config", "--add", "remote.origin.pushurl", f"https://alice:{OTHER}@huggingface.co/my-org/my-model")
    world.git("config", "--add", "remote.origin.pushurl", "https://github.com/my-org/my-model")


@broken("token-in-remote of the user")
def _(world: World) -> None:
    world.configuration(f'[remote "hub"]\n\turl = https://alice:{OTHER}@huggingface.co/my-org/my-model\n')


@broken("token-in-git-config for git-lfs")
def _(world: World) -> None:
    world.configuration(f"[lfs]\n\turl = https://alice:{OTHER}@huggingface.co/my-org/my-model.git/info/lfs\n")


@broken("token-in-git-config for what git-lfs pushes")
def _(world: World) -> None:
    world.configuration(f"[lfs]\n\tpushurl = https://alice:{OTHER}@huggingface.co/my-org/my-model.git/info/lfs\n")


@broken("token-in-git-config for git-lfs with a remote")
def _(world: World) -> None:
    world.configuration(f'[remote "hub"]\n\tlfsurl = https://{OTHER}@hf.co/my-org/my-model.git/info/lfs\n')


@broken("extra-header in a file with a byte order mark, and continued lines")
def _(world: World) -> None:
    text = world.gitconfig.read_text()
    world.gitconfig.write_text(
        f'\ufeff[http "{HUB}"]\n\textraHeader = "Authorization: \\\nBasic {OTHER}"\n\tproxy = x\n{text}'
    )


@broken("url-rewritten by a variable")
def _(world: World) -> None:
    world.counted(("url.git@hf.co:.insteadOf", f"{HUB}/"))


@broken("helper-options-wrong of another host")
def _(world: World) -> None:
    world.url = "https://hub.example.org/a/b"
    world.seed(OTHER, "--host", "hub.example.org")
    world.configuration(
        f'[credential "https://hub.example.org"]\n\thelper = {EXECUTABLE} --host hub.example.org --bogus --timeout 3\n'
    )


@broken("netrc-entry on one line")
def _(world: World) -> None:
    write(world.home / ".netrc", f"machine huggingface.co login x password {OTHER}\n")


@broken("netrc-entry among comments")
def _(world: World) -> None:
    text = "machine example.org # machine huggingface.co\n# default\nmachine huggingface.co # mine\n"
    text += f"login x\npassword {OTHER}\n# machine example.com\n"
    write(world.home / ".netrc", f"{text}machine example.com login c password d\n")


@broken("lfs-skips by its filters")
def _(world: World) -> None:
    world.git("lfs", "install", "--skip-repo", "--force", "--skip-smudge")


@pytest.mark.parametrize(
    "code", ["helper-options-wrong", "url-rewritten", "helper-reset", "other-helper-before", "askpass-missing"]
)
def test_a_git_of_old_is_read_and_fixed_too(world: World, code: str) -> None:
    old_git.put(world.folder / "bin")
    known = world.known()
    assert (known["git"]["version"], codes(known), known["token_given"]) == (old_git.VERSION, [], True)
    assert {one["at"]["scope"] for one in known["git"]["helpers"]} == {"unknown"}
    assert all(one["at"]["line"] for one in known["git"]["helpers"])
    test_a_trouble_is_named_with_its_fix(world, code)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("None", "a placeholder"),
        ("${HF_TOKEN}", "a placeholder"),
        (f"HF_TOKEN={OTHER}", "more than the token"),
        (f'"{OTHER}"', "a text in quotes"),
        ("ghp_abcdefghijklmnopqrst", "a token of somebody else's"),
        ('{"error":"unauthorized"}', "more than the token"),
        (f"#{OTHER}", "more than the token"),
        ("op://vault/item/field", "a placeholder"),
    ],
)
def test_a_variable_that_holds_no_token_is_skipped_and_named(world: World, content: str, what: str) -> None:
    for more, given in (({}, TOKEN), ({"HUGGING_FACE_HUB_TOKEN": OTHER}, OTHER)):
        known = world.known(HF_TOKEN=content, **more)
        assert known["answer"]["fingerprint"] == fingerprint(given)
        (finding,) = [one for one in known["findings"] if one["code"] == "env-unusable"]
        assert finding["message"] == f"HF_TOKEN is set, and holds {what}: git-credential-hf skips it"
        assert finding["remedy"] == "unset HF_TOKEN"
    write(cache(world.environment), content)
    (finding,) = [one for one in world.known()["findings"] if one["code"] == "token-file-unusable"]
    assert f"holds {what}: git-credential-hf skips it" in finding["message"]


@pytest.mark.parametrize("content", [f"HF_TOKEN={OTHER}", f'"{OTHER}"', "ghp_abcdefghijklmnopqrst", "None"])
def test_a_source_that_holds_no_token_was_not_changed_since_it_was_seeded(world: World, content: str) -> None:
    source = world.home / "secret"
    write(source, content)
    later = time.time() + 60
    os.utime(source, (later, later))
    declare(world, '[tokens.mine]\nfile = "~/secret"\ncache = true\n')
    known = world.known()
    assert known["declared"]["tokens"][0]["state"] == "unreadable"
    assert codes(known) == ["source-unreadable"]
    assert "changed since it was seeded" not in world.status().stdout.decode()


def test_people_see_a_masked_token_and_programs_its_fingerprint(world: World) -> None:
    world.seed(OTHER, "--no-cache")
    fingerprints = [fingerprint(TOKEN), fingerprint(OTHER)]
    table = world.status().stdout.decode()
    assert "token hf_****JkLm" in table
    assert not [one for one in fingerprints if one in table]
    known = world.known()
    assert "****" not in json.dumps(known)
    assert [one in json.dumps(known) for one in fingerprints] == [True, True]


@pytest.mark.parametrize("code", BROKEN)
def test_a_trouble_is_named_with_its_fix(world: World, code: str) -> None:
    BROKEN[code](world)
    code = code.partition(" ")[0]
    known = world.known()
    assert code in codes(known), codes(known)
    if code not in ("ssh-url", "token-in-url", "url-rewritten"):  # of which `git credential` does not know
        token = world.token_that_git_gets()
        assert known["token_given"] == (token is not None)
        assert token is None or known["answer"]["fingerprint"] == fingerprint(token)
    finding = next(one for one in known["findings"] if one["code"] == code)
    assert finding["severity"] in ("error", "warning", "note")
    assert finding["remedy"]
    assert "\n" not in finding["remedy"]
    assert (finding["severity"] == "error") <= (not known["token_given"] or code in NAMED_FIRST + WRONG_TOKEN)
    table = world.status().stdout.decode()
    assert f"[{code}]" in table
    assert f"\n    {finding['remedy']}\n" in table
    if code in ABOUT_THE_URL:
        told = world.shell(finding["remedy"]).decode()
        assert told.startswith("OK: git will use hf_****JkLm from the keyring for huggingface.co")
        assert f"[{code}]" not in told
        return
    after = world.shell(f"{finding['remedy']}\ngit-credential-hf status --json {shlex.quote(world.url)}", world.input)
    assert code not in codes(json.loads(after[after.index(b"{\n") :])), finding


@pytest.mark.parametrize("comment", ["# machine huggingface.co", "#machine huggingface.co", "# default", "#default x"])
@pytest.mark.parametrize("between", ["\n", " "])
def test_a_comment_in_netrc_is_no_login(world: World, comment: str, between: str) -> None:
    write(world.home / ".netrc", f"machine example.org{between}{comment}\nlogin alice\npassword {OTHER}\n")
    known = world.known()
    assert (known["git"]["netrc"], codes(known)) == (None, [])


def test_the_remedy_of_netrc_removes_no_other_login(world: World) -> None:
    others = f"machine example.org\n# machine huggingface.co\nlogin alice # default\npassword {OTHER}\n"
    last = "machine example.com login c password d\n"
    write(
        world.home / ".netrc", f"{others}machine huggingface.co # mine\nlogin x\n# machine x\npassword {TYPED}\n{last}"
    )
    (finding,) = world.known()["findings"]
    assert finding["message"].startswith("~/.netrc:5 has a login for this host")
    world.shell(finding["remedy"])
    assert (world.home / ".netrc").read_text() == f"{others}# machine x\n{last}"
    assert codes(world.known()) == []


@pytest.mark.parametrize("to", ["own file", "file of another user", "own file, and the keyring has the token"])
def test_a_token_file_that_is_a_link_makes_way_for_the_new_token(world: World, to: str) -> None:
    target = world.folder / "secret"
    cache(world.environment).rename(target)
    cache(world.environment).symlink_to(target)
    if to == "file of another user":
        os.chown(target, 1, -1)
    if "keyring" not in to:
        assert world.items is not None
        world.items.clear()
    rejected(world, TOKEN)
    file = cache(world.environment)
    remedies = {
        "own file": f"(umask 077; ${{EDITOR:-vi}} {target})",
        "file of another user": f"mv {file} {file}.old && git-credential-hf login",
    }
    finding = world.known()["findings"][0]
    assert finding["code"] == "token-rejected"
    assert finding["remedy"] == remedies.get(to, "git-credential-hf login --no-cache")
    world.editor(TYPED)
    world.shell(finding["remedy"], world.input)
    assert world.known()["answer"]["fingerprint"] == fingerprint(TYPED)
    assert target.read_text() == (TYPED if to == "own file" else TOKEN)


@pytest.mark.parametrize("to", ["nothing", "folder"])
def test_a_token_file_that_is_a_link_to_no_token(world: World, to: str) -> None:
    BROKEN["no-token"](world)
    (world.folder / "folder").mkdir()
    cache(world.environment).symlink_to(world.folder / to)
    finding = world.known()["findings"][0]
    remedy = f"mv {cache(world.environment)} {cache(world.environment)}.old && git-credential-hf login"
    assert (finding["code"], finding["remedy"]) == ("no-token", remedy)
    world.shell(remedy, world.input)
    assert world.known()["answer"]["fingerprint"] == fingerprint(TYPED)


IN_STORE = {
    "url-rewritten": '[url "git@hf.co:"]\n\tinsteadOf = https://huggingface.co/\n',
    "other-helper-gone": f"[credential]\n\thelper = nowhere --now\n\thelper = {EXECUTABLE}\n",
    "extra-header": '[http "https://huggingface.co"]\n\textraHeader = "Authorization: Basic x"\n',
    "askpass-missing": "[core]\n\taskPass = /usr/lib/gone\n",
    "token-in-remote": f'[remote "hub"]\n\turl = https://alice:{OTHER}@huggingface.co/my-org/my-model\n',
    "path-not-sent": '[credential "https://huggingface.co"]\n\tuseHttpPath = false\n',
    "helper-options-wrong": "",
}


@pytest.mark.parametrize("code", IN_STORE)
def test_a_setting_in_a_store_is_changed_where_it_is_made(
    world: World, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    """As Home Manager links it: git itself, run with sudo, would write over the store's file."""
    monkeypatch.setattr(git_config, "STORES", (f"{world.folder}/store/",))
    store = world.folder / "store"
    store.mkdir()
    if code == "other-helper-gone":
        world.helper("unconfigure")
    text = world.gitconfig.read_text() + IN_STORE[code]
    world.seed(OTHER, "--scope", "my-org")
    if code == "helper-options-wrong":
        text = text.replace(EXECUTABLE, f"{EXECUTABLE} --bogus")
    write(store / "gitconfig", text, 0o444)
    world.gitconfig.unlink()
    world.gitconfig.symlink_to(store / "gitconfig")
    result = run_call(("status", "--json", MODEL), b"", world.environment)
    finding = next(one for one in json.loads(result.stdout)["findings"] if one["code"] == code)
    assert "~/.gitconfig" in finding["message"]
    assert f" is linked to {store}/gitconfig: change it where that is made" in finding["message"]
    assert finding["remedy"] == f"git-credential-hf status {MODEL}"
    world.shell(finding["remedy"])
    assert (store / "gitconfig").read_text() == text


def test_oidc_answers(world: World, hub: Hub) -> None:
    world.environment |= hub.environ()
    hub.oidc.trust("my-org/my-model", repository="acme/training")
    identity = hub.oidc.id_token(repository="acme/training")
    more = {"HF_OIDC_RESOURCE": "my-org/my-model", "HF_OIDC_ID_TOKEN": identity}
    subprocess.run([EXECUTABLE, "token", MODEL], env=world.environment | more, capture_output=True, check=True)
    known = world.known(**more)  # which changes nothing: the token is kept
    first = known["sources"][0]
    assert (first["name"], first["state"]) == ("oidc", "answers")
    assert first["token"]["fingerprint"] == known["answer"]["fingerprint"] == fingerprint(hub.oidc.given[-1])
    assert [one["state"] for one in known["sources"][1:]] == ["none", "has a token", "has a token"]
    assert codes(known) == []
    file = world.folder / "identity"
    file.write_text(identity)
    of_file = more | {"HF_OIDC_ID_TOKEN": "", "HF_OIDC_ID_TOKEN_FILE": str(file)}
    subprocess.run([EXECUTABLE, "token", MODEL], env=world.environment | of_file, capture_output=True, check=True)
    assert codes(world.known(**of_file)) == ["oidc-unknown-to-hf"]


def test_oidc_fails_with_the_reason(world: World, hub: Hub) -> None:
    world.environment |= hub.environ() | {"HF_OIDC_RESOURCE": "my-org/my-model"}
    world.environment["HF_OIDC_ID_TOKEN"] = hub.oidc.id_token(repository="mallory/x")
    subprocess.run([EXECUTABLE, "token", MODEL], env=world.environment, capture_output=True, check=False)
    known = world.known()
    assert (known["token_given"], known["sources"][0]["state"]) == (False, "failed")
    assert "invalid_grant (request Root=1-6a-07;b1)" in known["sources"][0]["why"]
    assert codes(known) == ["oidc-failed"]


def test_a_forwarded_socket_answers_git_and_not_hf(world: World, tmp_path: Path) -> None:
    path = tmp_path / "serve.sock"
    world.environment["GIT_CREDENTIAL_HF_SOCKET"] = str(path)
    known = world.known()
    names = [(one["name"], one["state"], one["why"]) for one in known["sources"]]
    assert names[1] == ("forwarded", "none", "No such file or directory")
    command = [EXECUTABLE, "serve", "--socket", str(path)]
    there = world.environment | {"HF_TOKEN": OTHER}
    with subprocess.Popen(command, env=there, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as serving:
        assert serving.stdout is not None and serving.stdout.readline().startswith(b"answers for")
        known = world.known()
        serving.terminate()
    assert known["sources"][1]["state"] == "answers"
    assert known["answer"]["source"] == "the forwarded socket"
    assert known["answer"]["fingerprint"] == fingerprint(OTHER)
    assert "hf-differs" in codes(known)


@pytest.mark.parametrize("is_there", [False, True])
def test_a_forwarded_socket_that_gives_no_token_is_named_with_the_reason(
    world: World, tmp_path: Path, is_there: bool
) -> None:
    BROKEN["no-token"](world)
    path = tmp_path / "serve.sock"
    world.environment["GIT_CREDENTIAL_HF_SOCKET"] = str(path)
    why = "Connection refused" if is_there else "No such file or directory"
    if is_there:  # as ssh -R leaves it
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(path))
    known = world.known()
    assert known["verdict"].endswith(f": no source has one (the forwarded socket {path}: {why})")
    (finding,) = known["findings"]
    assert finding["message"] == (
        f"no source has a token for this URL (the forwarded socket {path}: {why}): start "
        "`git-credential-hf serve` at the other end of the socket"
    )
    assert finding["remedy"] == f"git-credential-hf status {MODEL}"
    quiet = world._run("status", "--quiet", MODEL)
    assert quiet.stderr.decode() == f"git-credential-hf: {finding['message']}. Try: {finding['remedy']}\n"
    told = world._run("status", MODEL, DBUS_SESSION_BUS_ADDRESS="disabled:").stdout.decode()
    assert f" (the forwarded socket {path}: {why}; no D-Bus session)\n" in told


def test_declared_tokens_that_are_as_they_were_seeded(world: World) -> None:
    for name, token, arguments in (
        ("host", TOKEN, ()),
        ("alice", OTHER, ("--user", "alice", "--no-cache")),
        ("org", TYPED, ("--scope", "my-org")),
        ("vault", TYPED, ("--scope", "my-team")),
    ):
        folder = world.home / ".config/git-credential-hf"
        folder.mkdir(parents=True, exist_ok=True)
        write(folder / name, token)
        world.seed(token, *arguments)
    (world.home / ".config/git-credential-hf/tokens.toml").write_text(
        '[tokens.host]\nfile = "host"\ncache = true\n[tokens.alice]\nfile = "alice"\nuser = "alice"\n'
        '[tokens.org]\nfile = "org"\nscope = "my-org"\n'
        '[tokens.vault]\ncommand = ["vault"]\nscope = ["my-team", "none"]\n'
        '[tokens.elsewhere]\nfile = "x"\nhost = "hub.example.org"\n'
    )
    known = world.known()
    told = [(one["name"], one["scope"], one["state"]) for one in known["declared"]["tokens"]]
    assert told == [
        ("tokens.host", None, "seeded"),
        ("tokens.alice", None, "seeded"),
        ("tokens.org", "my-org", "seeded"),
        ("tokens.vault", "my-team", "seeded"),
        ("tokens.vault", "none", "missing"),
    ]
    assert codes(known) == ["declared-not-seeded"]


DECLARED_ELSEWHERE = ['command = ["cat", "FOLDER/vault"]', 'env = "MY_TOKEN"', 'credential = "vault"']


def declared_elsewhere(world: World, source: str) -> str:
    """Declare TOKEN from something else than a file, seed it, and return the remedy where the Hub takes it no more."""
    write(world.folder / "vault", TOKEN)
    world.environment |= {"MY_TOKEN": TOKEN, "CREDENTIALS_DIRECTORY": str(world.folder)}
    file = declare(world, f"[tokens.mine]\n{source}\ncache = true\n".replace("FOLDER", str(world.folder)))
    world.helper("seed")
    write(world.home / "new", TYPED)
    world.editor('[tokens.mine]\nfile = "~/new"\ncache = true\n')
    return f"(umask 077; ${{EDITOR:-vi}} {file}) && git-credential-hf seed"


@pytest.mark.parametrize("source", DECLARED_ELSEWHERE)
def test_a_rejected_token_that_no_file_has_is_not_seeded_again(world: World, source: str) -> None:
    remedy = declared_elsewhere(world, source)
    rejected(world, TOKEN)
    (finding,) = world.known()["findings"]
    assert (finding["code"], finding["remedy"]) == ("token-rejected", remedy)
    assert finding["message"].endswith("; put a new token where ~/.config/git-credential-hf/tokens.toml takes it from")
    world.shell(remedy)
    known = world.known()
    assert (codes(known), known["answer"]["fingerprint"]) == ([], fingerprint(TYPED))


def test_a_rejected_token_that_its_file_still_has_is_not_seeded_again(world: World) -> None:
    """The keyring has no item of it, so seed would store it there, and in the token file once more."""
    assert world.items is not None
    world.editor(TYPED)
    write(world.home / "secret", TOKEN)
    declare(world, '[tokens.mine]\nfile = "~/secret"\ncache = true\n')
    world.helper("seed")
    world.items.clear()
    rejected(world, TOKEN)
    finding = next(one for one in world.known()["findings"] if one["code"] == "token-rejected")
    assert finding["remedy"] == f"(umask 077; ${{EDITOR:-vi}} {world.home}/secret) && git-credential-hf seed"
    world.shell(finding["remedy"])
    assert codes(world.known()) == []


def test_a_declaration_is_wrong_as_seed_has_it(world: World) -> None:
    """What is declared twice, and a file that anybody can write, is told in the words of seed."""
    twice = '[tokens.a]\nfile = "~/a"\n[tokens.b]\nfile = "~/b"\n'
    for text, mode in (("[tokens.a]\nbogus = 1\n", 0o600), (twice, 0o600), ("", 0o666)):
        declare(world, text)
        (world.home / ".config/git-credential-hf/tokens.toml").chmod(mode)
        said = subprocess.run([EXECUTABLE, "seed"], env=world.environment, capture_output=True, check=False).stderr
        (finding,) = world.known()["findings"]
        assert finding["code"] == "declaration-broken"
        assert said.decode().removeprefix("git-credential-hf: ").strip() in finding["message"]


@pytest.mark.parametrize("what", ["anybody writes it", "another user's", "a folder", "a FIFO", "a link to nothing"])
def test_a_declaration_that_no_editor_mends_is_closed_or_moved(world: World, what: str) -> None:
    file = declare(world, '[tokens.mine]\nenv = "MINE"\ncache = true\n')
    if what.startswith("a "):
        file.unlink()
        {"a folder": file.mkdir, "a FIFO": lambda: os.mkfifo(file)}.get(what, lambda: file.symlink_to("/gone/toml"))()
    elif what == "another user's":
        os.chown(file, 1, -1)
    else:
        file.chmod(0o666)
    (finding,) = world.known()["findings"]
    is_open = what == "anybody writes it"
    remedy = f"chmod o-w {file}" if is_open else f"mv {file} {file}.old"
    assert (finding["code"], finding["remedy"]) == ("declaration-broken", remedy)
    world.shell(remedy)
    assert "declaration-broken" not in codes(world.known())
    assert file.exists() == is_open


@pytest.mark.parametrize("name", [".", "~/folder", "~/link", "/gone/secret"])
def test_a_source_that_no_editor_can_write_is_changed_in_the_declaration(world: World, name: str) -> None:
    (world.home / "folder").mkdir()
    (world.home / "link").symlink_to("/gone/secret")
    file = declare(world, f'[tokens.mine]\nfile = "{name}"\n')
    (finding,) = world.known()["findings"]
    assert (finding["code"], finding["remedy"]) == ("source-unreadable", f"(umask 077; ${{EDITOR:-vi}} {file})")


NAMED_FIRST = ("env-hides-scopes", "token-file-newer")
WRONG_TOKEN = ("source-newer",)


@pytest.mark.parametrize("code", NAMED_FIRST)
def test_what_misleads_most_is_named_first(world: World, code: str) -> None:
    BROKEN[code](world)
    world.configuration("[credential]\n\thelper =\n")
    known = world.known()
    assert codes(known)[0] == code
    assert "helper-reset" in codes(known)


def test_a_locked_keyring(tmp_path: Path, run: Run, environment: Environment) -> None:
    with closing(GnomeKeyring(tmp_path / "keyring")) as provider:
        environment["DBUS_SESSION_BUS_ADDRESS"] = provider.bus.address
        world = World(tmp_path, run, environment, None)
        world.sound()
        provider.restart(locked=True)
        with provider.bus.calls() as made:
            known = world.known()
        assert not any(call.endswith((" Unlock", " Prompt")) for call in made)
        assert known["keyring"]["state"] == "locked"
        assert known["answer"]["source"] == str(cache(environment))
        assert codes(known) == []  # no dialog can be shown here, as over SSH, and git has its token
        environment["DISPLAY"] = ":99"
        (finding,) = world.known()["findings"]
        assert (finding["code"], finding["severity"]) == ("keyring-locked", "warning")
        assert "git-credential-hf --unlock prompt " in finding["remedy"]
        del environment["DISPLAY"]
        cache(environment).unlink()
        known = world.known()
        assert "no source has one (the keyring is locked)" in known["verdict"]
        (finding,) = known["findings"]
        assert (finding["code"], finding["severity"]) == ("keyring-locked", "error")
        world.shell(finding["remedy"], world.input)
        known = world.known()
        assert (codes(known), known["answer"]["fingerprint"]) == ([], fingerprint(TYPED))
        world.url = "https://hub.example.org/a/b"
        world.git(
            "config", "--global", "credential.https://hub.example.org.helper", f"{EXECUTABLE} --host hub.example.org"
        )
        finding = next(one for one in world.known()["findings"] if one["code"] == "keyring-locked")
        assert finding["remedy"] == "git-credential-hf login --host hub.example.org"


def test_locked_and_no_default_collection_are_told_apart(tmp_path: Path, run: Run, environment: Environment) -> None:
    with closing(GnomeKeyring(tmp_path / "keyring", locked=True)) as provider:
        environment["DBUS_SESSION_BUS_ADDRESS"] = provider.bus.address
        world = World(tmp_path, run, environment, None)
        world.git_lfs("3.8.1")
        world.helper("configure", "--git-lfs")
        known = world.known()
        assert known["keyring"]["state"] == "no collection"
        assert "no source has one (the keyring has no default collection)" in known["verdict"]
        assert codes(known) == ["no-token"]
        world.shell(known["findings"][0]["remedy"], world.input)
        known = world.known()
        assert (codes(known), known["answer"]["fingerprint"]) == ([], fingerprint(TYPED))


def test_a_keyring_that_gives_no_answer(tmp_path: Path, run: Run, environment: Environment) -> None:
    with closing(GnomeKeyring(tmp_path / "keyring")) as provider:
        environment["DBUS_SESSION_BUS_ADDRESS"] = provider.bus.address
        world = World(tmp_path, run, environment, None)
        world.sound()
        subprocess.run(["kill", "-STOP", str(provider.process.pid)], check=True)
        with provider.bus.calls() as made:
            known = world.known()
        # What `get` asked for was waited for, and nothing else.
        assert {call.split()[1] for call in made if call.startswith("/org/freedesktop/secrets")} == {"SearchItems"}
        assert "keyring-silent" in codes(known)
        assert known["token_given"]
        (finding,) = (one for one in known["findings"] if one["code"] == "keyring-silent")
        world.shell(finding["remedy"])
        assert provider.process.poll() is None
        with provider.bus.calls() as made:
            known = world.known()
        assert made == []
        assert "keyring-silent" not in codes(known)
        assert known["token_given"]


@pytest.mark.parametrize(
    ("options", "left"),
    [("", "oidc,env,forwarded,file"), ("--sources keyring,file", "file"), ("--sources keyring", "")],
)
def test_without_a_silent_keyring_the_other_sources_stay(
    tmp_path: Path, run: Run, environment: Environment, options: str, left: str
) -> None:
    with closing(GnomeKeyring(tmp_path / "keyring")) as provider:
        environment["DBUS_SESSION_BUS_ADDRESS"] = provider.bus.address
        world = World(tmp_path, run, environment, None)
        world.sound()
        cache(environment).unlink()
        world.gitconfig.write_text(world.gitconfig.read_text().replace(EXECUTABLE, f"{EXECUTABLE} {options}".strip()))
        subprocess.run(["kill", "-STOP", str(provider.process.pid)], check=True)
        known = world.known()
        quiet = world._run("status", "--quiet", MODEL).stderr
        told = run("token", "my-org/my-model").stderr
    (finding,) = (one for one in known["findings"] if one["code"] == "keyring-silent")
    again = f"git-credential-hf status {MODEL}"
    assert f" --sources {left}' " in finding["remedy"] if left else finding["remedy"] == again
    assert b"no source has a token for this URL (the keyring does not answer): " in quiet
    assert b": no source has one, the keyring: it gave no answer within " in told


@pytest.mark.parametrize("stopped", [False, True], ids=["answers", "gives no answer"])
def test_a_program_that_the_bus_names_is_neither_run_nor_pasted(
    tmp_path: Path, run: Run, environment: Environment, stopped: bool
) -> None:
    """It is the program of a process of another's choice, called as a keyring that once told its version."""
    program = tmp_path / "$(touch ran)\x1b[31m" / "gnome-keyring-daemon"
    program.parent.mkdir()
    shutil.copy("/bin/sleep", program)
    world = World(tmp_path, run, environment, None)
    world.sound()
    log = tmp_path / "started"
    with subprocess.Popen([program, "600"]) as process:
        answers: dict[str, Body] = {
            "ListNames": ("as", (["org.freedesktop.secrets"],)),
            "GetConnectionUnixProcessID": ("u", (process.pid,)),
            "ReadAlias": ("o", ("/org/freedesktop/secrets/collection/login",)),
        }
        script = provider(answers, changed=lambda member, _, data: b"" if stopped and "Search" in member else data)
        try:
            with bus(environment, script):
                known = world.known()
                traced = ["strace", "-f", "-qq", "-e", "trace=execve,kill", "-o", str(log), EXECUTABLE, "status", MODEL]
                subprocess.run(traced, env=environment, capture_output=True, check=False)
            assert process.poll() is None
        finally:
            process.kill()
    assert known["keyring"]["provider"] == "gnome-keyring-daemon"
    assert "touch ran" in known["keyring"]["program"]
    assert known["keyring"]["program"].isprintable()
    assert ("keyring-silent" in codes(known)) == stopped
    for finding in known["findings"]:
        assert not {"kill", "touch", str(process.pid)} & set(re.split(r"\W+", finding["remedy"]))
    assert "git-lfs" in log.read_text()
    assert "touch ran" not in log.read_text()
    assert f"kill({process.pid}" not in log.read_text()


def test_a_bus_that_gives_no_answer_is_asked_once(tmp_path: Path, run: Run, environment: Environment) -> None:
    world = World(tmp_path, run, environment, None)
    world.sound()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "mute"))
        listener.listen()
        environment["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={tmp_path}/mute"
        known = world.known()
        listener.settimeout(0)
        listener.accept()[0].close()
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert known["keyring"]["state"] == "no bus"
    assert known["answer"]["source"] == str(cache(environment))
    assert known["sources"][1]["state"] == "none"


def test_the_wrong_keyring(world: World, keyring: Items) -> None:
    version = KWALLETS[0]
    needed(version)
    keyring.clear()
    with closing(version(bus=keyring.bus, state="locked")):
        known = world.known()
    (finding,) = (one for one in known["findings"] if one["code"] == "other-keyring")
    assert version.name in finding["message"]
    assert known["keyring"]["other_keyrings"] == [version.name]
    assert finding["remedy"] == f"git-credential-hf seed --from {cache(world.environment)}"


def test_a_wallet_that_the_login_has_opened(tmp_path: Path, run: Run, environment: Environment) -> None:
    version = KWALLETS[0]
    needed(version)
    with closing(version(tmp_path / "kwallet")) as provider:
        environment["DBUS_SESSION_BUS_ADDRESS"] = provider.bus.address
        world = World(tmp_path, run, environment, None)
        world.sound()
        cache(environment).unlink()
        provider.flush()
        provider.restart(state="locked")
        if not version.locked_after_login:
            assert codes(world.known()) == []
            return
        known = world.known()
        assert provider.is_locked()
        assert codes(known) == ["keyring-opens"]
        assert known["token_given"]
        assert known["answer"] is None
        assert b"unlocks without a dialog" in world.status().stdout
        world.shell(known["findings"][0]["remedy"])
        known = world.known()
        assert codes(known) == []
        assert known["answer"]["fingerprint"] == fingerprint(TOKEN)
        assert known["keyring"]["provider"] == "kwalletd5"
        provider.restart(state="closed")
        known = world.known()
        assert codes(known) == ["keyring-locked"]
        assert not known["token_given"]


def test_items_of_other_tools_are_counted(world: World, keyring: Items) -> None:
    keyring.add(b"x", service="git:https://huggingface.co", account="alice")
    keyring.add(b"x", service="huggingface.co", username="a", application="Python keyring library")
    keyring.add(b"x", protocol="https", server="huggingface.co", user="b", xdg__schema="org.git.Password")
    keyring.add(b"x", protocol="https", server="example.org", user="b", xdg__schema="org.git.Password")
    world.seed(OTHER, "--scope", "my-org")
    known = world.known()["keyring"]
    assert (known["items"], known["items_of_others"], known["scopes"]) == (2, 3, ["my-org"])


@pytest.mark.parametrize("git", ["git", "git of old"])
@pytest.mark.parametrize("included", [False, True])
def test_a_repository_that_takes_the_helper_back(world: World, git: str, included: bool) -> None:
    if git == "git of old":
        old_git.put(world.folder / "bin")
    repository = world.home / "repository"
    world.git("init", "-q", str(repository))
    world.environment["GIT_DIR"] = str(repository / ".git")
    if included:
        write(world.home / "team", "[credential]\n\thelper =\n")
        world.git("config", "include.path", str(world.home / "team"))
    else:
        world.git("config", "credential.helper", "")
    known = world.known()
    (finding,) = known["findings"]
    assert (finding["code"], finding["remedy"]) == ("helper-reset", "git-credential-hf configure --local")
    world.shell(finding["remedy"])
    assert codes(world.known()) == []


def test_an_unknown_option_of_the_helper_is_named(world: World) -> None:
    BROKEN["helper-options-wrong"](world)
    assert world.known()["verdict"].endswith("the options of the helper are wrong: unknown option `--bogus`")


@pytest.mark.parametrize(
    "helper", ["!git-credential-hf --timeout 5", "!git credential-hf --timeout 5", "hf --timeout 5"]
)
def test_a_helper_whose_options_are_put_right_answers(world: World, helper: str) -> None:
    write(world.folder / "bin/git-credential-hf", f'#!/bin/sh\nexec {EXECUTABLE} "$@"\n', 0o755)
    world.git("config", "--global", "--unset-all", f"credential.{HUB}.helper")
    world.git("config", "--global", f"credential.{HUB}.helper", f"{helper} --bogus")
    (finding,) = world.known()["findings"]
    assert finding["code"] == "helper-options-wrong"
    world.shell(finding["remedy"])
    assert world.token_that_git_gets() == TOKEN


@pytest.mark.parametrize(
    "helper",
    ["!$HOME/bin/git-credential-hf", "!~/bin/git-credential-hf", '!"${HOME}/bin/git-credential-hf" --timeout 5'],
)
def test_a_helper_below_the_home(world: World, helper: str) -> None:
    (world.home / "bin").mkdir()
    write(world.home / "bin/git-credential-hf", f'#!/bin/sh\nexec {EXECUTABLE} "$@"\n', 0o755)
    world.git("config", "--global", f"credential.{HUB}.helper", helper, "git-credential-hf$")
    assert world.token_that_git_gets() == TOKEN
    assert verdict(world).startswith("OK: ")
    assert codes(world.known()) == []
    world.git("config", "--global", f"credential.{HUB}.helper", f"{helper} --bogus", "git-credential-hf")
    (finding,) = world.known()["findings"]
    world.shell(finding["remedy"])
    assert world.token_that_git_gets() == TOKEN


@pytest.mark.parametrize(
    ("helper", "shown"),
    [
        ("!git-credential-hf --unlock never 2>/dev/null", "!git-credential-hf ..."),
        ("hf --host ${HOME:+hf.co}", "hf --host ${HOME:+hf.co}"),
    ],
)
def test_a_helper_of_ours_that_the_shell_alone_knows(world: World, helper: str, shown: str) -> None:
    world.git("config", "--global", f"credential.{HUB}.helper", helper, "git-credential-hf$")
    assert world.token_that_git_gets() == TOKEN
    told = world.status()
    assert told.code == 0
    assert told.stdout.decode().startswith(f"Not sure: git asks {shown} for huggingface.co/my-org/my-model")
    result = world._run("status", "--json", MODEL)
    assert (codes(json.loads(result.stdout)), result.code) == ([], 0)
    assert world.known("--probe")["answer"]["fingerprint"] == fingerprint(TOKEN)


@pytest.mark.parametrize("place", ["GIT_CONFIG_COUNT", "GIT_CONFIG_PARAMETERS"])
def test_settings_of_the_environment(world: World, place: str) -> None:
    world.environment |= {
        "GIT_CONFIG_COUNT": {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "credential.helper",
            "GIT_CONFIG_VALUE_0": "",
        },
        "GIT_CONFIG_PARAMETERS": {"GIT_CONFIG_PARAMETERS": "'credential.helper='"},
    }[place]
    known = world.known()
    assert codes(known) == ["helper-reset"]
    assert known["git"]["helpers"][0]["reset_at"] == {"file": None, "line": None, "scope": "command"}
    after = world.shell(f"{known['findings'][0]['remedy']}; git-credential-hf status --json")
    assert codes(json.loads(after)) == []


@pytest.mark.parametrize("text", ["[credential]\n\thelper\n", '[credential "https://huggingface.co"]\n\tuseHttpPath\n'])
def test_a_setting_that_git_stops_at(world: World, text: str) -> None:
    world.configuration(text)
    filled = subprocess.run(
        ["git", "credential", "fill"],
        input=f"url={MODEL}\n\n".encode(),
        env=world.environment,
        capture_output=True,
        check=False,
    )
    assert filled.returncode == 128
    known = world.known()
    assert codes(known) == ["git-config-broken"]
    assert not known["token_given"]
    world.shell(known["findings"][0]["remedy"])
    assert codes(world.known()) == []


@pytest.mark.parametrize(
    ("variables", "remedy"),
    [
        ({"GIT_CONFIG_COUNT": "x"}, "unset GIT_CONFIG_COUNT"),
        ({"GIT_CONFIG_COUNT": "1"}, "unset GIT_CONFIG_COUNT"),
        ({"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "a.b"}, "unset GIT_CONFIG_COUNT"),
        ({"GIT_CONFIG_PARAMETERS": "bad"}, "unset GIT_CONFIG_PARAMETERS"),
        ({"GIT_CONFIG_PARAMETERS": "'bad"}, "unset GIT_CONFIG_PARAMETERS"),
    ],
)
def test_variables_that_git_stops_at(world: World, variables: dict[str, str], remedy: str) -> None:
    world.environment |= variables
    assert world.token_that_git_gets() is None
    known = world.known()
    assert [(one["code"], one["remedy"]) for one in known["findings"]] == [("git-config-broken", remedy)]
    after = world.shell(f"{remedy}; git-credential-hf status --json {MODEL}")
    assert codes(json.loads(after)) == []


def test_the_configuration_of_the_clone_is_broken(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    clone = world.folder / "a clone"
    world.git("init", "--quiet", str(clone))
    (clone / ".git/config").write_text("[core\n")
    (clone / "below").mkdir()
    world.editor("")
    for folder in (clone, clone / "below"):
        monkeypatch.chdir(folder)
        (finding,) = world.known()["findings"]
        assert (finding["code"], str(clone / ".git/config") in finding["remedy"]) == ("git-config-broken", True)
    world.shell(finding["remedy"])
    assert codes(world.known()) == []


def test_a_variable_that_git_credential_does_not_heed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    (world.folder / "empty").touch()
    world.environment["GIT_CONFIG"] = str(world.folder / "empty")
    assert world.token_that_git_gets() == TOKEN
    assert (codes(world.known()), verdict(world).partition(":")[0]) == ([], "OK")
    world.git("init", "--quiet", str(world.folder / "clone"))
    world.git("config", "--file", str(world.folder / "clone/.git/config"), "remote.origin.url", MODEL)
    monkeypatch.chdir(world.folder / "clone")
    assert json.loads(world._run("status", "--json").stdout)["url"] == MODEL


def test_the_folder_is_gone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = world.folder / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    (finding,) = json.loads(world._run("status", "--json", MODEL).stdout)["findings"]
    assert (finding["code"], finding["remedy"]) == ("git-config-broken", "cd")


# --- what git would ask --------------------------------------------------------------------------------------

SECTIONS = [
    "huggingface.co", "https://", HUB, f"{HUB}/my-org", f"{HUB}/my-org/my-model", f"{HUB}/my", "https://*.co",
    "https://*", "https://alice@huggingface.co", "https://HuggingFace.co:443", "http://huggingface.co",
    "/my-org/my-model", "huggingface.co/my-org", "https://hugging*.co", f"{HUB}//my-org", f"{HUB}/./my-org",
    f"{HUB}/x/../my-org", f"{HUB}/%6dy-org", "huggingface.co:443", f"{HUB}?x", f"{HUB}:444", "https://hf.co",
]  # fmt: skip


@pytest.mark.parametrize("run", ["call"], indirect=True)
@pytest.mark.parametrize("user", ["", "alice@"])
def test_a_section_counts_as_git_has_it(world: World, user: str) -> None:
    world.url = f"https://{user}huggingface.co/my-org/my-model"
    for section in SECTIONS:
        world.gitconfig.write_text(
            f'[credential "{section}"]\n\thelper = "!printf \'username=u\\\\npassword=p\\\\n\'"\n'
        )
        filled = subprocess.run(
            ["git", "credential", "fill"],
            input=f"url={world.url}\n\n".encode(),
            env=world.environment,
            capture_output=True,
            check=False,
        )
        counts = b"password=p" in filled.stdout
        assert bool(world.known()["git"]["helpers"]) == counts, section


@pytest.mark.parametrize(
    "value", ["-1", "1k", "0k", "ON", "off", "banana", "\u00b2", "0x1", "0x0", "0X10k", "010", "08", "00", "0x"]
)
def test_a_boolean_is_what_git_takes_for_one(world: World, value: str) -> None:
    world.seed(OTHER, "--scope", "my-org")
    world.configuration(f'[credential "{HUB}"]\n\tuseHttpPath = {value}\n')
    known = world.known()
    token = world.token_that_git_gets()
    assert known["token_given"] == (token is not None)
    assert token is None or known["answer"]["fingerprint"] == fingerprint(token)
    assert ("git-config-broken" in codes(known)) == (token is None)


def test_the_chain_tells_lines_resets_and_files(world: World) -> None:
    included = world.home / "included"
    included.write_text(
        "# a comment\n[credential]\n\n\tusername = a ; \\\n\thelper = \\\n\t\tone\n[credential] helper = two\n"
    )
    world.gitconfig.write_text(
        f'[include]\n\tpath = {included}\n[credential "{HUB}"]\n\thelper =\n\tHELPER = three\n'
        "[credential.HuggingFace.co]\n\thelper = four\n"
    )
    helpers = world.known()["git"]["helpers"]
    told = [
        (one["helper"], Path(one["at"]["file"]).name, one["at"]["line"], one["reset_at"] and one["reset_at"]["line"])
        for one in helpers
    ]
    assert told == [
        ("one", "included", 5, 4),
        ("two", "included", 7, 4),
        ("three", ".gitconfig", 5, None),
        ("four", ".gitconfig", 7, None),
    ]


def test_probe_asks_the_other_helpers(world: World) -> None:
    asked = world.folder / "asked"
    (world.folder / "slow").mkdir()
    for name, script in {
        "answers": f"env >{asked}; echo username=bob; echo password={OTHER}",
        "nothing": "cat >/dev/null",
        "quits": "echo quit=1",
        "fails": "exit 3",
    }.items():
        program = world.folder / name
        write(program, f"#!/bin/sh\n{script}\n", 0o755)
        world.configuration(f"[credential]\n\thelper = {program}\n")
    known = world.known()
    assert [one["does"] for one in known["git"]["helpers"]] == ["answers"] + ["not reached"] * 4
    assert not asked.exists()
    world.helper("unconfigure")
    result = world._run("status", "--json", MODEL)
    assert (json.loads(result.stdout)["token_given"], result.code) == (False, 0)
    known = world.known("--probe")
    assert [one["does"] for one in known["git"]["helpers"]] == ["answers"] + ["not reached"] * 3
    assert known["git"]["helpers"][0]["fingerprint"] == fingerprint(OTHER) == known["answer"]["fingerprint"]
    assert known["given_by"] == str(world.folder / "answers")
    assert "GIT_TERMINAL_PROMPT=0" in asked.read_text()


MIRROR = "hub.example.org"


@pytest.fixture
def mirror(world: World) -> World:
    """A machine whose helper answers for another host too, with a token that is for an organisation there."""
    world.url = f"https://{MIRROR}/my-org/my-model"
    section = f"credential.https://{MIRROR}"
    world.git("config", "--global", f"{section}.helper", f"{EXECUTABLE} --host {MIRROR}")
    world.git("config", "--global", f"{section}.useHttpPath", "true")
    world.seed(OTHER, "--host", MIRROR, "--scope", "my-org")
    return world


def test_another_host_rejects_a_token_itself(mirror: World) -> None:
    request = f"protocol=https\nhost={MIRROR}\npath=my-org/my-model\nusername=hf_user\npassword={OTHER}\n"
    mirror.helper("--host", MIRROR, "erase", input=request.encode())
    known = mirror.known()
    assert known["verdict"].endswith(f"from the keyring was rejected by {MIRROR}")
    (finding,) = known["findings"]
    assert (finding["code"], finding["message"].partition(" from the keyring")[0]) == (
        "token-rejected",
        f"{MIRROR} rejected the token",
    )
    (state,) = [one["why"].partition("; ")[2] for one in known["sources"] if one["name"] == "keyring"]
    assert state == f"{MIRROR} rejected it within the last hour"


def test_a_token_of_another_host_is_not_to_be_had_at_the_hub(mirror: World) -> None:
    assert mirror.items is not None
    mirror.items.clear()
    write(cache(mirror.environment), "None")  # which is not for this host
    known = mirror.known()
    (finding,) = [one for one in known["findings"] if one["code"] == "no-token"]
    assert finding["message"] == f"no source has a token for this URL: get one from {MIRROR}"
    assert finding["remedy"] == f"git-credential-hf login --host {MIRROR}"


def test_the_path_is_sent_to_another_host_too(mirror: World) -> None:
    assert codes(mirror.known()) == []
    mirror.git("config", "--global", "--unset", f"credential.https://{MIRROR}.useHttpPath")
    known = mirror.known()
    (finding,) = [one for one in known["findings"] if one["code"] == "path-not-sent"]
    mirror.shell(finding["remedy"])
    assert codes(mirror.known()) == []
    assert mirror.token_that_git_gets() == OTHER


def test_probe_waits_for_no_helper_for_ever(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from git_credential_hf.cli.status import facts as status

    monkeypatch.setattr(status, "_PROBE_SECONDS", 0.5)
    world.gitconfig.write_text(
        '[credential]\n\thelper = "!sleep 1000 #"\n' + world.gitconfig.read_text().replace("helper =\n", "")
    )
    known = world.known("--probe")
    assert [one["does"] for one in known["git"]["helpers"]] == ["hangs", "answers"]
    assert known["token_given"]


def test_options_of_the_configured_helper_count(world: World) -> None:
    world.gitconfig.write_text(
        world.gitconfig.read_text().replace(EXECUTABLE, f"{EXECUTABLE} --sources file --unlock prompt")
    )
    known = world.known()
    assert [one["state"] for one in known["sources"]] == ["not asked", "not asked", "answers"]
    world.gitconfig.write_text(
        f'[credential "https://hub.example.org"]\n\thelper = {EXECUTABLE} --host hub.example.org\n'
    )
    world.seed(OTHER, "--host", "hub.example.org")
    world.url = "https://hub.example.org/a/b"
    known = world.known()
    assert known["answer"]["fingerprint"] == fingerprint(OTHER)
    assert known["token_given"]


# --- the verdict ---------------------------------------------------------------------------------------------


def verdict(world: World, *arguments: str) -> str:
    """Return the verdict, which the table begins with; fail if JSON says otherwise."""
    line = world.status(*arguments).stdout.decode().partition("\n\n")[0].replace("\n", " ")
    said = world.known(*arguments)["verdict"]
    assert re.sub("[0-9a-f]{8} ", "TOKEN ", said) == re.sub(r"hf_\*{4}[A-Za-z0-9]{4} ", "TOKEN ", line)
    return line


def test_the_verdict_says_what_git_will_use(world: World) -> None:
    assert verdict(world) == "OK: git will use hf_****JkLm from the keyring for huggingface.co/my-org/my-model"
    world.seed(OTHER, "--scope", "my-org", "--user", "alice")
    end = "for huggingface.co/my-org/my-model"
    assert verdict(world) == f"OK: git will use hf_****JkLm from the keyring (scope my-org, user alice) {end}"
    world.environment["HF_TOKEN"] = TYPED
    assert verdict(world) == f"OK: git will use hf_****JkLm from HF_TOKEN {end}"
    world.url = "https://github.com/a/b"
    assert verdict(world).startswith("No token: git gets none for github.com/a/b: git-credential-hf does not handle it")


def test_the_verdict_where_another_helper_is_asked_first(world: World) -> None:
    program = world.folder / "other"
    write(program, "#!/bin/sh\necho username=bob\n", 0o755)
    text = world.gitconfig.read_text().replace("helper =\n", "")
    world.gitconfig.write_text(f"[credential]\n\thelper = {program}\n{text}")
    end = "use hf_****JkLm from the keyring for huggingface.co/my-org/my-model"
    assert verdict(world) == f"Not sure: git asks {program} first; if that has none, it will {end}"
    assert verdict(world, "--probe") == f"OK: git will {end}"
    write(program, f"#!/bin/sh\necho username=bob; echo password={OTHER}\n", 0o755)
    end = f"from {program} for huggingface.co/my-org/my-model"
    assert verdict(world, "--probe") == f"Not from git-credential-hf: git will use hf_****JkLm {end}"


def test_the_verdict_where_another_helper_alone_may_answer(world: World) -> None:
    world.gitconfig.write_text("[credential]\n\thelper = store\n")
    told = world.status()
    end = "for huggingface.co/my-org/my-model; if that has none, it gets no token: git-credential-hf is not configured"
    assert (told.stdout.decode().partition("\n")[0], told.code) == (f"Not sure: git asks store {end}", 0)
    assert b"error:" not in told.stdout
    assert world.status("--quiet") == Result(b"", b"", 0)
    told = world.status("--probe")
    assert (told.stdout.partition(b":")[0], told.code) == (b"No token", 1)
    write(world.home / ".git-credentials", f"https://alice:{OTHER}@huggingface.co\n")
    told = world.status("--probe")
    assert (told.stdout.partition(b":")[0], told.code) == (b"Not from git-credential-hf", 0)


def test_the_verdict_for_login_and_others(world: World) -> None:
    environ = {name.encode(): value.encode() for name, value in world.environment.items()}
    line, is_good = judged.of(MODEL.encode(), environ)
    assert (line, is_good) == (verdict(world), True)
    world.helper("unconfigure")
    line, is_good = judged.of(MODEL.encode(), environ)
    assert (line.partition(":")[0], is_good) == ("No token", False)


def test_quiet_says_only_what_keeps_git_from_a_token(world: World) -> None:
    world.configuration("[credential]\n\thelper = store\n")
    assert world._run("status", "--quiet", MODEL) == Result(b"", b"", 0)
    world.configuration("[credential]\n\thelper =\n")
    result = world._run("status", "--quiet", MODEL)
    assert (result.code, result.stdout, result.stderr.count(b"\n")) == (1, b"", 1)
    assert result.stderr.startswith(b"git-credential-hf: git-credential-hf is configured at ~/.gitconfig:")
    assert result.stderr.endswith(b" resets it. Try: git-credential-hf configure\n")
    assert world._run("status", "--quiet", "--json", MODEL).code == 2
    world.gitconfig.write_text(f"[credential]\n\thelper = {world.folder}/gone/git-credential-hf --bogus\n")
    assert len([one for one in world.known()["findings"] if one["severity"] == "error"]) == 2
    result = world._run("status", "--quiet", MODEL)
    assert (result.code, result.stdout, result.stderr.count(b"\n")) == (1, b"", 1)
    assert b" is missing. Try: git-credential-hf configure\n" in result.stderr


def test_quiet_names_no_variable_where_git_asks_nobody(world: World) -> None:
    BROKEN["env-hides-scopes"](world)
    world.helper("unconfigure")
    result = world._run("status", "--quiet", MODEL)
    assert result.code == 1
    assert result.stderr == (
        b"git-credential-hf: git does not ask git-credential-hf for this URL. Try: git-credential-hf configure\n"
    )


def test_a_remedy_asks_for_no_user_that_git_does_not_ask_for(world: World) -> None:
    world.helper("forget", "--yes")
    world.seed(OTHER, "--user", "alice")  # whose token answers for want of another
    write(cache(world.environment), TOKEN)
    os.utime(cache(world.environment), (1e9, 1e9))
    (finding,) = [one for one in world.known()["findings"] if one["code"] == "token-file-differs"]
    assert "username=" not in finding["remedy"]


def test_a_variable_that_hides_scopes_is_unset_for_another_token(world: World) -> None:
    world.helper("forget", "--yes")
    world.seed(OTHER, "--scope", "another-org")
    world.environment["HF_TOKEN"] = TYPED
    (finding,) = [one for one in world.known()["findings"] if one["code"] == "env-hides-scopes"]
    assert finding["remedy"] == "unset HF_TOKEN && git-credential-hf login"
    world.url = f"{HUB}/another-org/my-model"
    for path in ("true", "false"):
        world.git("config", "--global", f"credential.{HUB}.useHttpPath", path)
        (finding,) = [one for one in world.known()["findings"] if one["code"] == "env-hides-scopes"]
        assert finding["remedy"] == "unset HF_TOKEN"


def test_a_token_that_git_gets_with_its_path_alone(world: World) -> None:
    world.helper("forget", "--yes")
    world.seed(OTHER, "--scope", "my-org")
    world.git("config", "--global", f"credential.{HUB}.useHttpPath", "false")
    known = world.known()
    assert known["verdict"].endswith(": useHttpPath is not set, so no scope matches")
    result = world._run("status", "--quiet", MODEL)
    assert result.stderr.startswith(b"git-credential-hf: useHttpPath is not set, so git gets none of the tokens for ")
    world.shell(result.stderr.decode().partition("Try: ")[2])
    assert codes(world.known()) == []
    assert world.token_that_git_gets() == OTHER


def test_a_scoped_token_of_another_user_is_no_matter_of_the_path(world: World) -> None:
    world.helper("forget", "--yes")
    world.seed(OTHER, "--scope", "my-org", "--user", "alice")
    world.git("config", "--global", f"credential.{HUB}.useHttpPath", "false")
    told = json.loads(world._run("status", "--json", MODEL.replace("://", "://bob@")).stdout)
    assert told["verdict"].startswith("No token: ")
    assert "useHttpPath" not in told["verdict"]


@pytest.mark.parametrize(
    ("helper", "leaks"),
    [
        ("!f() { echo password=${HF_TOKEN}; }; f", False),
        ('!f() { echo "password=$HF_TOKEN"; }; f', False),
        ("!f() { echo password=$(pass hf); }; f", False),
        ("!f() { echo password=`pass hf`; }; f", False),
        ('!printf "password=%s\\n" "$(op read op://vault/token/password)"; :', False),
        ("!op read token", False),
        ('!f() { echo "password=$(gcloud secrets versions access latest --secret=hf-token)"; }; f', False),
        ('!sed "s/^/password=/;1iusername=x" ~/.cache/huggingface/token; echo; :', False),
        ("!vault read --token=/run/secrets/vault --password=stdin hf", False),
        ("!aws get --secret=projects/x/secrets/y", False),
        ('!f() { while read l; do case "$l" in password=*) token=~/t;; esac; done; }; f', False),
        ("!get --password=hunter2", True),
        ("!get --token=hvs.CAESIJ4k2v9", True),
        ("!f() { echo password=hunter2; }; f", True),
        ("!f() { echo 'password=hunter2'; }; f", True),
        (f"!echo password={OTHER}", True),
        ("!curl -s https://me:hunter2@vault.example.org/hf", True),
    ],
)
def test_what_a_helper_is_given_by_the_shell_is_no_leak(world: World, helper: str, leaks: bool) -> None:
    world.git("config", "--global", "credential.helper", helper)
    assert ("token-in-git-config" in codes(world.known())) == leaks


@pytest.mark.parametrize(
    "before",
    ["env HF_HOME=$HOME/hfh", "timeout 5", "nice", "exec", "HF_TOKEN=", 'f() { "$@"; }; f', 'sh -c \'"$0" "$1"\''],
)
@pytest.mark.parametrize("program", [EXECUTABLE, "git-credential-hf", "git credential-hf"])
def test_a_helper_that_starts_ours_is_not_another(world: World, before: str, program: str) -> None:
    world.environment["PATH"] = f"{Path(EXECUTABLE).parent}:{world.environment['PATH']}"
    world.gitconfig.unlink()
    world.git("config", "--global", "credential.helper", f"!{before} {program}")
    known = world.known()
    assert {"helper-not-configured", "other-helper-before", "other-helper-after", "lfs-loops"}.isdisjoint(codes(known))
    assert known["verdict"].startswith("Not sure: ")
    if program != "git credential-hf" or "sh -c" not in before:
        assert world.token_that_git_gets() == TOKEN
        assert world.known("--probe")["answer"]["fingerprint"] == fingerprint(TOKEN)


def test_a_helper_that_starts_ours_has_its_leak_told(world: World) -> None:
    world.gitconfig.unlink()
    world.git("config", "--global", "credential.helper", f"!HF_TOKEN={OTHER} {EXECUTABLE}")
    assert [code for code in codes(world.known()) if "lfs" not in code] == ["token-in-git-config"]


@pytest.mark.parametrize(
    "helper",
    ["store --file ~/git-credential-hf", "!pass-git-helper -m ~/git-credential-hf/map.ini", "!git-credential-hf-old"],
)
def test_a_helper_with_our_name_in_a_file_of_its_own_is_another(world: World, helper: str) -> None:
    world.gitconfig.unlink()
    world.git("config", "--global", "credential.helper", helper)
    assert "helper-not-configured" in codes(world.known())


@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_lines_are_known_with_a_byte_order_mark_too(world: World, start: str) -> None:
    world.gitconfig.write_text(f"{start}[credential]\n\thelper = one\n")
    assert world.known()["git"]["helpers"][0]["at"]["line"] == 2


# --- what is documented --------------------------------------------------------------------------------------

DOCUMENT = (Path(__file__).parents[3] / "docs/status.md").read_text()


def test_every_finding_is_documented_and_tested() -> None:
    named = {code: " or ".join(severities) for code, severities in findings.SEVERITIES.items()}
    documented = dict(re.findall(r"^\| `([a-z-]+)` \| ((?:error|warning|note)[a-z ]*?) \|", DOCUMENT, re.MULTILINE))
    assert documented == named
    of_kwallet = Path(__file__).parents[2] / "secret_service/quirks/test_kwallet.py"  # as only a real one has them
    tests = Path(__file__).read_text() + of_kwallet.read_text()
    assert [code for code in documented if f'"{code}"' not in tests] == []


def shape(value: object) -> object:
    """Return the names of all fields, whatever is in them."""
    if isinstance(value, dict):
        return {name: shape(one) for name, one in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value else None


def test_the_documented_answer_is_what_comes(online: World) -> None:
    (example,) = re.findall(r"```json\n(.*?)```", DOCUMENT, re.DOTALL)
    documented = json.loads(example)
    online.environment["SSH_ASKPASS"] = EXECUTABLE
    online.seed(OTHER, "--scope", "my-team")
    online.url = f"{HUB}/other/gated"
    known = online.known("--online")
    known["sources"] = known["sources"][1:2]
    assert shape(documented) == shape(known)


# --- addresses -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    ["", "huggingface.co", "my-org", "a/b/c", "https://", "https:///x", "://x", "https://a\nb/c", "https://h/%0ax"],
)
def test_what_is_no_address_is_wrong_usage(run: Run, url: str) -> None:
    result = run("status", url)
    assert (result.code, result.stdout) == (2, b"")
    assert result.stderr.startswith(b"git-credential-hf: ")
    assert result.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    "url",
    [f"{MODEL}/tree/main", f"{MODEL}/blob/main/a%20b.py?x=y#L3", "my-org/my-model", "hf://my-org/my-model/file",
     "https://hf.co/My-Org/my-model/", "https://huggingface.co/my-org/my-model.git", "my-org/my-model?x=y"],
)  # fmt: skip
def test_the_address_of_a_page_is_that_of_its_repository(world: World, url: str) -> None:
    world.seed(OTHER, "--scope", "my-org/my-model")
    world.url = url
    known = world.known()
    assert (known["answer"]["fingerprint"], known["answer"]["scope"]) == (fingerprint(OTHER), "my-org/my-model")
    assert re.fullmatch(r"https://(huggingface|hf)\.co/[Mm]y-[Oo]rg/my-model(\.git)?", known["url"])


@pytest.mark.parametrize(
    ("remotes", "url"),
    [
        ({"origin": MODEL}, MODEL),
        ({"a": f"{HUB}/my-org/other", "origin": f"{MODEL}.git"}, MODEL),
        ({"origin": "https://github.com/my-org/code", "hf": "git@hf.co:my-org/my-model"}, MODEL),
        ({"origin": "ssh://git@huggingface.co/my-org/my-model"}, MODEL),
        ({"origin": "https://alice@hf.co/my-org/my-model"}, "https://alice@hf.co/my-org/my-model"),
        (
            {"origin": f"https://alice:{OTHER}@huggingface.co/my-org/my-model"},
            "https://alice@huggingface.co/my-org/my-model",
        ),
        ({"origin": "https://github.com/my-org/my-model"}, HUB),
        ({}, HUB),
    ],
)
def test_without_a_url_it_is_about_the_clone_that_one_is_in(
    world: World, monkeypatch: pytest.MonkeyPatch, remotes: dict[str, str], url: str
) -> None:
    world.seed(OTHER, "--scope", "my-org")
    clone = world.folder / "clone"
    world.git("init", "--quiet", str(clone))
    for name, remote in remotes.items():
        world.git("-C", str(clone), "remote", "add", name, remote)
    monkeypatch.chdir(clone)
    result = world._run("status", "--json")
    assert MARK not in result.stdout + result.stderr
    known = json.loads(result.stdout)
    assert known["url"] == url
    assert known["answer"]["fingerprint"] == fingerprint(TOKEN if url == HUB else OTHER)


@pytest.mark.parametrize("folder", [".", "below/it"])
def test_a_token_in_lfsconfig(world: World, monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    clone = world.folder / "clone"
    world.git("init", "--quiet", str(clone))
    (clone / folder).mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(clone / folder)
    endpoint = "huggingface.co/my-org/my-model.git/info/lfs"
    text = f"[lfs]\n\tfetchexclude = *.bin\n\turl = https://alice:{OTHER}@{endpoint}\n"
    (clone / ".lfsconfig").write_text(text)
    (finding,) = world.known()["findings"]
    assert finding["code"] == "token-in-git-config"
    assert finding["message"] == (f"lfs.url at {clone}/.lfsconfig has a token in it in clear, and git-lfs uses that")
    world.shell(finding["remedy"])
    assert (clone / ".lfsconfig").read_text() == text.replace(f"alice:{OTHER}@", "")
    assert codes(world.known()) == []
    (clone / ".lfsconfig").write_text("[lfs\n")  # which is git-lfs's to complain of
    assert codes(world.known()) == []


@pytest.mark.parametrize("option", [(), ("--push",)])
@pytest.mark.parametrize("others", [{}, {"upstream": f"{HUB}/my-org/other"}])
def test_a_push_url_of_the_hub_counts_after_all_others(
    world: World, monkeypatch: pytest.MonkeyPatch, option: tuple[str, ...], others: dict[str, str]
) -> None:
    clone = world.folder / "clone"
    world.git("init", "--quiet", str(clone))
    for name, url in {"origin": "https://github.com/my-org/code", **others}.items():
        world.git("-C", str(clone), "remote", "add", name, url)
    world.git("-C", str(clone), "remote", "set-url", *option, "origin", MODEL)
    world.seed(OTHER, "--scope", "my-org/my-model")
    monkeypatch.chdir(clone)
    url = others["upstream"] if others and option else MODEL
    assert json.loads(world._run("status", "--json").stdout)["url"] == url
    assert world._run("token").stdout.decode().strip() == (OTHER if url == MODEL else TOKEN)


@pytest.mark.parametrize("scheme", ["HTTPS", "HttpS", "SSH"])
def test_a_scheme_is_what_git_takes_it_for(world: World, monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    clone = world.folder / "clone"
    world.git("init", "--quiet", str(clone))
    world.git("-C", str(clone), "remote", "add", "origin", f"{scheme}://huggingface.co/my-org/my-model")
    monkeypatch.chdir(clone)
    said = subprocess.run(["git", "ls-remote"], env=world.environment, capture_output=True, check=False)
    assert said.stderr.startswith(f"git: 'remote-{scheme}' is not a git command".encode())
    for url in ([], [f"{scheme}://huggingface.co/my-org/my-model"]):
        result = world._run("status", "--json", *url)
        known = json.loads(result.stdout)
        assert (result.code, known["url"]) == (1, f"{scheme}://huggingface.co/my-org/my-model")
        (finding,) = known["findings"]
        assert known["verdict"].endswith(f": git knows no {scheme}")
        assert finding["code"] == "ssh-url"
        assert finding["message"] == f"git knows no {scheme}, since case counts in a scheme: use the https URL"
        assert finding["remedy"] == f"git-credential-hf status {MODEL}"
        assert world._run("token", *url).stdout == b""


def test_the_password_of_the_remote_is_what_git_uses(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.seed(OTHER, "--scope", "my-org")
    clone = world.folder / "clone"
    world.git("init", "--quiet", str(clone))
    world.git("-C", str(clone), "remote", "add", "origin", f"https://alice:{TYPED}@huggingface.co/my-org/my-model.git")
    monkeypatch.chdir(clone)
    result = world._run("status", "--json")
    assert MARK not in result.stdout + result.stderr
    known = json.loads(result.stdout)
    assert known["verdict"].startswith("Not from git-credential-hf: ")
    assert (known["answer"]["fingerprint"], codes(known)) == (fingerprint(TYPED), ["token-in-remote"])
    world.shell(known["findings"][0]["remedy"])
    assert world._run("status").stdout.startswith(b"OK: ")


@pytest.mark.parametrize("arguments", [("--bogus",), (HUB, HUB), ("--jso",)])
def test_wrong_usage(run: Run, arguments: tuple[str, ...]) -> None:
    assert run("status", *arguments).code == 2


def test_helper_options_stand_before_what_git_runs_alone(run: Run) -> None:
    result = run("--timeout", "1", "status")
    assert (result.code, result.stdout) == (2, b"")


# --- what it prints ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [b"tab\there", b"line\nend", b"ol\xe9", b"quo'te\\\x1b1", "blank\u00a0".encode()])
def test_a_remedy_names_any_home(tmp_path: Path, run: Run, environment: Environment, name: bytes) -> None:
    environment["HOME"] = str(tmp_path / os.fsdecode(name))
    Path(environment["HOME"]).mkdir(mode=0o700)
    world = World(tmp_path, run, environment, None)
    world.sound()
    cache(environment).chmod(0o644)
    write(world.home / ".netrc", "machine huggingface.co\nlogin alice\npassword p\nmachine github.com login bob\n")
    known = world.known()
    assert codes(known) == ["token-file-mode", "netrc-entry"]
    for finding in known["findings"]:
        subprocess.run(["bash", "-c", finding["remedy"]], env=environment, check=True)
    assert codes(world.known()) == []
    assert (world.home / ".netrc").read_text() == "machine github.com login bob\n"


def test_control_characters_are_shown_by_number(world: World) -> None:
    world.environment["GIT_ASKPASS"] = "\033[31mred"
    world.git("config", "--global", "--add", "credential.helper", "\033]0;title\007x")
    world.url = "https://al\u202eice@huggingface.co/my-org/name"
    for result in (world.status("--json"), world.status()):
        text = result.stdout.decode()
        assert re.search(r"[^\x20-\x7e\n]", text) is None
    known = json.loads(world.status("--json").stdout)
    assert "\\x1b" in json.dumps(known["git"]["helpers"])


def on_a_terminal(world: World, columns: int, **more: str) -> str:
    """Run status on a terminal of that width; return what comes to it."""
    terminal, other_end = os.openpty()
    fcntl.ioctl(other_end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    child = subprocess.Popen(
        [EXECUTABLE, "status", MODEL],
        env={**world.environment, "TERM": "xterm-256color"} | more,
        stdin=other_end,
        stdout=other_end,
        stderr=other_end,
    )
    os.close(other_end)
    came = b""
    with contextlib.suppress(OSError):  # that is how Linux says that nobody has the other end open any more
        while part := os.read(terminal, 4096):
            came += part
    os.close(terminal)
    child.wait(60)
    return came.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("columns", [80, 120])
def test_a_terminal_has_colours_and_no_line_too_long(world: World, columns: int) -> None:
    world.configuration("[credential]\n\thelper =\n")
    coloured = on_a_terminal(world, columns)
    assert "\033[1;31merror\033[0m" in coloured
    plain = re.sub(r"\033\[[0-9;]*m", "", coloured)
    lines = [line for line in plain.splitlines() if str(world.folder) not in line]
    assert max(map(len, lines)) <= columns
    assert "\033" not in on_a_terminal(world, columns, NO_COLOR="1")
    assert "\033" not in on_a_terminal(world, columns, TERM="dumb")
    assert plain == on_a_terminal(world, columns, NO_COLOR="1")


def test_a_token_where_a_name_belongs_is_not_shown(world: World) -> None:
    """World.status looks for it, in all that is printed."""
    folder = world.home / ".config/git-credential-hf"
    folder.mkdir(parents=True)
    for declaration in (f'[tokens.{OTHER}]\nfile = "x"\n', f"{OTHER} = 1\n", f'[tokens.x]\nfile = "{OTHER}/x"\n'):
        (folder / "tokens.toml").write_text(declaration)
        for more in ({}, {"HF_TOKEN_PATH": OTHER}, {"GIT_ASKPASS": f"/bin/ask {OTHER}"}):
            for url in (MODEL, f"{HUB}/{OTHER}/x", f"{HUB}/a?token={OTHER}", f"https://{OTHER}@huggingface.co/a"):
                world.url = url
                world.status("--json", **more)
                world.status(**more)


@pytest.mark.parametrize("login", [OTHER, f"alice:{OTHER}"])
def test_a_token_that_a_rewritten_address_gets(world: World, login: str) -> None:
    world.configuration(f'[url "https://{login}@huggingface.co/"]\n\tinsteadOf = {HUB}/\n')
    known = world.known()
    assert codes(known) == ["token-in-git-config"]
    world.shell(known["findings"][0]["remedy"])
    assert codes(world.known()) == []


@pytest.mark.parametrize("section", ["credential", f'credential "{HUB}"', 'credential "huggingface.co"'])
@pytest.mark.parametrize("url", [MODEL, "https://alice@huggingface.co/my-org/my-model"])
def test_a_token_in_the_place_of_a_username(world: World, section: str, url: str) -> None:
    world.url = url
    world.configuration(f"[{section}]\n\tusername = {OTHER}\n")
    known = world.known("--probe")
    assert codes(known) == ["token-in-git-config"]
    world.status()  # which shows no token either
    world.shell(known["findings"][0]["remedy"])
    assert codes(world.known()) == []
    world.configuration(f"[{section}]\n\tusername = hf_user\n")
    assert codes(world.known()) == []


@pytest.mark.parametrize("run", ["process"], indirect=True)
@pytest.mark.parametrize("arguments", ["", "--json"])
@pytest.mark.parametrize(("where", "said"), [(">/dev/full", "cannot be written: No space left on device"), (">&-", "")])
def test_nobody_to_tell_it_to(world: World, arguments: str, where: str, said: str) -> None:
    done = subprocess.run(
        ["sh", "-c", f"{EXECUTABLE} status {arguments} {where}"],
        env=world.environment,
        capture_output=True,
        check=False,
    )
    told = f"git-credential-hf: standard output {said}\n" if said else ""
    assert (done.stdout, done.stderr.decode(), done.returncode) == (b"", told, 1 if said else 0)


# --- what it costs -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("run", ["call"], indirect=True)
def test_how_many_processes_and_calls_it_takes(world: World, keyring: Items, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    popen = subprocess.Popen.__init__

    def counted(self: Any, command: Any, *arguments: Any, **more: Any) -> None:
        started.append(command)
        popen(self, command, *arguments, **more)

    with keyring.bus.calls() as made:
        monkeypatch.setattr(subprocess.Popen, "__init__", counted)
        world._run("status", MODEL)
        monkeypatch.undo()
    assert [command[0].rpartition("/")[2] for command in started] == ["git", "git", "git", "git-lfs"]
    by_status = [call for call in made if not call.endswith(" RemoveMatch")]
    assert len(by_status) <= 40, by_status


@pytest.mark.parametrize("run", ["process"], indirect=True)
@pytest.mark.parametrize("limit", [5, 8, 14, 16])
def test_a_limit_of_open_files_is_named_where_status_needs_more(world: World, limit: int) -> None:
    told = under_limit(world, limit)
    line = b"git-credential-hf: this process has reached its limit of open files. Try: ulimit -n 1024\n"
    assert (told.stdout, told.stderr, told.code) == (b"", line, 1)


@pytest.mark.parametrize("run", ["process"], indirect=True)
def test_no_limit_of_open_files_makes_status_say_what_is_not_so(world: World) -> None:
    for limit in range(17, 30):
        told = under_limit(world, limit)
        assert b"limit of open files" in told.stderr or told.stdout.startswith(b"OK: "), limit


def under_limit(world: World, limit: int) -> Result:
    """Run status with so many descriptors. The launcher is for a shell, which takes one above the ninth."""
    python = Path(EXECUTABLE).resolve().with_name("python3")
    command = ["prlimit", f"--nofile={limit}", str(python), "-I", "-m", "git_credential_hf", "status", world.url]
    done = subprocess.run(command, env=world.environment, capture_output=True, check=False)
    return Result(done.stdout, done.stderr, done.returncode)


def test_without_git(world: World) -> None:
    known = world.known(PATH="/not/there")
    assert codes(known) == ["git-missing"]


@pytest.mark.parametrize("does", ["sleep 60; :", "printf 'git-lfs/\\302\\262.1 x'", "kill -KILL $$"])
def test_a_git_lfs_that_is_none(world: World, monkeypatch: pytest.MonkeyPatch, does: str) -> None:
    write(world.folder / "bin/git-lfs", f"#!/bin/sh\n{does}\n", 0o755)
    monkeypatch.setattr("git_credential_hf.cli.status.facts._SECONDS", 1)
    assert world.known()["token_given"]


# --- the Hub -------------------------------------------------------------------------------------------------


@pytest.fixture
def online(world: World, hub: Hub) -> Iterator[World]:
    world.environment |= hub.environ()
    hub.add_token(TOKEN, role="read", orgs=["my-org"], gated=["my-org/my-model"])
    hub.create("my-org/my-model", private=True, gated=True, files={"a": "a"})
    hub.create("datasets/other/open", files={"a": "a"})
    hub.create("other/gated", gated=True, files={"a": "a"})
    yield world
    assert {one.host for one in hub.log} <= {"huggingface.co"}


@pytest.mark.parametrize(
    ("path", "access", "code"),
    [
        ("", None, None),
        ("my-org", None, None),
        ("my-org/my-model", "yes", None),
        ("datasets/other/open.git", "yes", None),
        ("other/gated", "gated", "gated-not-accepted"),
        ("my-org/not-there", "not found", "repository-hidden"),
    ],
)
def test_online(online: World, path: str, access: str | None, code: str | None) -> None:
    online.url = f"{HUB}/{path}"
    known = online.known("--online")
    assert known["online"]["state"] == "asked"
    assert (known["online"]["name"], known["online"]["role"], known["online"]["orgs"]) == ("alice", "read", ["my-org"])
    assert known["online"]["access"] == access
    assert codes(known) == ([code] if code else [])
    word = {None: "OK: ", "yes": "OK: "}.get(access, "Not OK: ")
    assert known["verdict"].startswith(word)
    assert known["verdict"].endswith(", which may read") == (access == "yes")
    if code == "gated-not-accepted":
        assert f"{HUB}/other/gated" in known["findings"][0]["remedy"]


def test_online_with_a_token_that_the_hub_does_not_take(online: World, hub: Hub) -> None:
    hub.revoke(TOKEN)
    known = online.known("--online")
    assert codes(known) == ["token-invalid"]
    hub.add_token(TYPED, orgs=["my-org"], gated=["my-org/my-model"])
    online.shell(known["findings"][0]["remedy"], online.input)
    assert codes(online.known("--online")) == []


@pytest.mark.parametrize("source", DECLARED_ELSEWHERE)
def test_online_with_a_declared_token_that_the_hub_does_not_take(online: World, hub: Hub, source: str) -> None:
    remedy = declared_elsewhere(online, source)
    hub.revoke(TOKEN)
    (finding,) = online.known("--online")["findings"]
    assert (finding["code"], finding["remedy"]) == ("token-invalid", remedy)
    assert finding["message"].endswith("; put a new token where ~/.config/git-credential-hf/tokens.toml takes it from")
    hub.add_token(TYPED, orgs=["my-org"], gated=["my-org/my-model"])
    online.shell(remedy)
    assert codes(online.known("--online")) == []


def test_online_with_a_token_of_another_machine_that_the_hub_does_not_take(online: World, hub: Hub) -> None:
    path = online.folder / "serve.sock"
    there = online.environment | {"HF_TOKEN": OTHER, "XDG_STATE_HOME": str(online.folder / "there")}
    command = [EXECUTABLE, "serve", "--socket", str(path)]
    with subprocess.Popen(command, env=there, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as serving:
        try:
            assert serving.stdout is not None and serving.stdout.readline().startswith(b"answers for")
            online.environment["GIT_CREDENTIAL_HF_SOCKET"] = str(path)
            found = online.known("--online")["findings"]
            hub.add_token(OTHER, orgs=["my-org"], gated=["my-org/my-model"])
            assert b"which may read" in online.shell(found[0]["remedy"])
            rejected(online, OTHER)
            found = [found[0], online.known()["findings"][0]]
        finally:
            serving.terminate()
    assert [one["code"] for one in found] == ["token-invalid", "token-rejected"]
    for one in found:
        assert one["remedy"] == f"git-credential-hf status --online {MODEL}"
        assert one["message"].endswith("; store a new one where `git-credential-hf serve` runs")


def test_online_with_a_token_of_oidc_that_the_hub_does_not_take(online: World, hub: Hub) -> None:
    hub.oidc.trust("my-org/my-model", repository="acme/training")
    online.environment["HF_OIDC_RESOURCE"] = "my-org/my-model"
    online.environment["HF_OIDC_ID_TOKEN"] = hub.oidc.id_token(repository="acme/training")
    subprocess.run([EXECUTABLE, "token", MODEL], env=online.environment, capture_output=True, check=True)
    hub.revoke(hub.oidc.given[-1])
    (finding,) = online.known("--online")["findings"]
    assert (finding["code"], finding["remedy"]) == ("token-invalid", "unset HF_OIDC_RESOURCE")
    assert finding["message"].endswith("; nothing else answers while HF_OIDC_RESOURCE is set")
    told = online.shell(f"{finding['remedy']}\ngit-credential-hf status --online {MODEL}")
    assert told.startswith(b"OK: git will use hf_****JkLm from the keyring")


def test_online_asks_the_hub_alone_whatever_the_environment_says(online: World, hub: Hub) -> None:
    online.environment["HF_ENDPOINT"] = "https://hub.example.org"
    online.environment["HF_DEBUG"] = "1"
    assert online.known("--online")["online"]["state"] == "asked"
    assert {one.fingerprint for one in hub.log} == {fingerprint(TOKEN)}


def test_a_login_that_has_expired_is_renewed_by_hf(online: World, hub: Hub) -> None:
    assert online.items is not None
    online.items.clear()
    hub.add_refresh_token("refresh-1", Token(Secret(TYPED), role="oauth", orgs=("my-org",)))
    login = f"[oauth-alice]\nhf_token = {TOKEN}\nrefresh_token = refresh-1\nexpires_at = 1000000000\n"
    write(cache(online.environment).parent / "stored_tokens", login)
    known = online.known()
    assert codes(known) == ["login-expired"]
    assert "no token" in known["verdict"].lower()
    online.shell(known["findings"][0]["remedy"])
    known = online.known()
    assert (codes(known), known["answer"]["fingerprint"]) == ([], fingerprint(TYPED))


def test_online_without_an_answer(online: World) -> None:
    online.environment |= dict.fromkeys(("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"), "http://127.0.0.1:1")
    assert codes(online.known("--online")) == ["hub-silent"]
    assert b"the Hub       no answer" in online.status("--online").stdout


def test_nothing_is_asked_of_the_hub_without_online(online: World, hub: Hub) -> None:
    online.status()
    assert hub.log == []


def test_online_tells_in_the_hubs_words_why_access_is_denied(online: World, hub: Hub) -> None:
    hub.deny("my-org/my-model", "Your access was revoked by the organization.\x1b[31m")
    online.url = f"{HUB}/my-org/my-model"
    (finding,) = online.known("--online")["findings"]
    assert finding["code"] == "access-denied"
    assert finding["message"].endswith("(the Hub says: Your access was revoked by the organization.\\x1b[31m)")


def test_online_tells_what_may_be_written(online: World, hub: Hub) -> None:
    online.url = f"{HUB}/my-org/my-model"
    assert online.known("--online")["online"]["writes"] is False
    assert b"may read this repository" in online.status("--online").stdout
    hub.add_token(TOKEN, role="write", orgs=["my-org"], gated=["my-org/my-model"])
    assert online.known("--online")["online"]["writes"] is True
    assert b"may read and write this repository" in online.status("--online").stdout


# --- what people come with -----------------------------------------------------------------------------------


class Person:
    """Somebody with an askpass program who clones from the Hub, and does what status tells them."""

    def __init__(self, world: World, hub: Hub) -> None:
        self.world = world
        self.hub = hub
        world.url = f"{HUB}/my-org/weights"
        hub.create("my-org/weights", private=True, gated=True, lfs={"model.bin": b"weights"})
        hub.add_token(TOKEN, orgs=["my-org"], gated=["my-org/weights"])
        askpass = world.folder / "askpass"
        self.asked = world.folder / "asked"
        write(askpass, f"#!/bin/sh\necho asked >>{self.asked}\n", 0o755)
        world.environment["GIT_ASKPASS"] = str(askpass)

    def clones(self) -> bytes | None:
        """Clone; return what is in the file, None where it fails."""
        clone = self.world.folder / "clone"
        shutil.rmtree(clone, ignore_errors=True)
        command = ["git", "clone", self.world.url, str(clone)]
        done = subprocess.run(command, env=self.world.environment, capture_output=True, timeout=100, check=False)
        assert MARK not in done.stdout + done.stderr
        return (clone / "model.bin").read_bytes() if done.returncode == 0 else None

    def fixes(self, code: str, *arguments: str, input: bytes = b"") -> None:
        found = [one for one in self.world.known(*arguments)["findings"] if one["code"] == code]
        assert len(found) == 1, self.world.known(*arguments)["findings"]
        self.world.shell(found[0]["remedy"], input)


@pytest.fixture
def person(online: World, hub: Hub) -> Person:
    return Person(online, hub)


def test_git_still_prompts(person: Person) -> None:
    person.world.helper("unconfigure")
    assert person.clones() is None
    assert person.asked.read_text()
    person.asked.unlink()
    person.fixes("helper-not-configured")
    assert person.clones() == b"weights"
    assert not person.asked.exists()


def test_large_files_stay_pointers(person: Person) -> None:
    person.world.git("config", "--global", "--remove-section", "filter.lfs")
    assert (person.clones() or b"").startswith(b"version https://git-lfs")
    person.fixes("lfs-not-initialised")
    assert person.clones() == b"weights"


def test_conditions_that_were_not_accepted(person: Person, hub: Hub) -> None:
    hub.add_token(TOKEN, orgs=["my-org"])
    assert person.clones() is None
    assert codes(person.world.known()) == []
    (finding,) = person.world.known("--online")["findings"]
    again = f"git-credential-hf status --online {person.world.url}"
    assert (finding["code"], finding["remedy"]) == ("gated-not-accepted", again)
    assert f"accept its conditions on {person.world.url}" in finding["message"]
    assert b"Not OK: " in person.world.shell(again)
    hub.add_token(TOKEN, orgs=["my-org"], gated=["my-org/weights"])
    assert codes(person.world.known("--online")) == []
    assert b"OK: git will use hf_****JkLm from the keyring for " in person.world.shell(again)
    assert person.clones() == b"weights"


def test_a_token_that_was_revoked(person: Person, hub: Hub) -> None:
    hub.revoke(TOKEN)
    hub.add_token(TYPED, orgs=["my-org"], gated=["my-org/weights"])
    assert person.clones() is None
    person.fixes("token-rejected", input=TYPED.encode())
    assert codes(person.world.known("--online")) == []
    assert person.clones() == b"weights"
    assert not person.asked.exists()


def test_a_login_with_hf_after_the_seed(person: Person, hub: Hub) -> None:
    hub.revoke(TOKEN)
    hub.add_token(TYPED, orgs=["my-org"], gated=["my-org/weights"])
    time.sleep(1.1)  # the keyring tells the time of an item in whole seconds
    subprocess.run(
        ["hf", "auth", "login", "--token", TYPED], env=person.world.environment, capture_output=True, check=True
    )
    assert codes(person.world.known())[0] == "token-file-newer"
    person.fixes("token-file-newer")
    assert person.clones() == b"weights"
    assert codes(person.world.known()) == []


def test_a_token_in_the_environment_hides_the_one_of_the_organisation(person: Person, hub: Hub) -> None:
    hub.create("team/weights", private=True, lfs={"model.bin": b"weights"})
    hub.add_token(OTHER, user="bob", orgs=["team"])
    person.world.seed(OTHER, "--scope", "team")
    person.world.environment["HF_TOKEN"] = TOKEN
    person.world.url = f"{HUB}/team/weights"
    assert person.clones() is None
    assert codes(person.world.known())[0] == "env-hides-scopes"
    remedy = person.world.known()["findings"][0]["remedy"]
    assert remedy == "unset HF_TOKEN"
    del person.world.environment["HF_TOKEN"]
    assert person.clones() == b"weights"
