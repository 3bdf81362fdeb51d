"""The launchers, installed and made: what they start, wherever they are, and what is made anew."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from git_credential_hf import __version__, bundle, launcher, start
from tests.conftest import EXECUTABLE, Environment, Result
from tests.installed import GIVEN, REQUEST, SOURCE, VERSION, an_environment, get, is_made
from tests.keyring_items import Items

needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="NOT TESTED: strace is not installed")


@pytest.fixture
def with_token(environment: Environment) -> Environment:
    return environment | {"HF_TOKEN": "hf_token"}


Make = Callable[[Path], None]


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Make:
    """What a person's command does to a program beside its own work, done here, where coverage sees it."""

    def make(program: Path) -> None:
        folder = program.parent.parent / f"lib/{VERSION}/site-packages/git_credential_hf"
        monkeypatch.setattr(start, "_folder", str(folder))
        monkeypatch.setattr(sys, "dont_write_bytecode", False)
        launcher.make(bundle.make(), dict(os.environb))

    return make


@pytest.mark.parametrize("bundled", [False, True])
@pytest.mark.parametrize("when", [1_000_000_000, 2_000_000_000])
@pytest.mark.parametrize("module", ["protocol.py", "token.py", "secret_service/wire.py", "start.py"])
def test_bytecode_is_left_to_the_next_run_and_never_outlives_its_source(
    with_token: Environment, tmp_path: Path, module: str, when: int, bundled: bool
) -> None:
    program = an_environment(tmp_path, editable=False)
    package = tmp_path / f"lib/{VERSION}/site-packages/git_credential_hf"
    assert not (package / "__pycache__").exists()
    assert get(program, with_token) == GIVEN
    assert (package / f"__pycache__/start.{sys.implementation.cache_tag}.pyc").exists()
    assert get(program, with_token) == GIVEN
    if bundled:
        assert subprocess.run([program, "--version"], env=with_token, capture_output=True, check=True).stderr == b""
        assert (package / f"__pycache__/bundled.{sys.implementation.cache_tag}.pyc").exists()
    source = package / module
    if module == "start.py":
        source.write_text(source.read_text().replace("    return main(", "    return 7 + main("))
    else:
        source.write_text(f"import posix\nposix._exit(7)\n{source.read_text()}")
    os.utime(source, (when, when))
    environment = with_token
    if module == "secret_service/wire.py":
        environment = with_token | {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={tmp_path}"}
        del environment["HF_TOKEN"]
    for _ in range(3):
        assert get(program, environment).code == 7


def bundle_of(program: Path) -> dict[str, tuple[int, int, int]]:
    """What tells the files of the bundle of `program` from other ones, and their modes, by name."""
    files = (program.parent.parent / f"lib/{VERSION}/site-packages/git_credential_hf/__pycache__").glob("bundled*")
    found = {file.name.partition(".")[0]: file.stat() for file in files}
    return {name: (status.st_ino, status.st_mtime_ns, status.st_mode & 0o7777) for name, status in found.items()}


def test_what_a_person_runs_leaves_a_bundle_and_git_does_not(with_token: Environment, tmp_path: Path) -> None:
    program = an_environment(tmp_path, editable=False)
    for _ in range(2):
        assert get(program, with_token) == GIVEN
    assert bundle_of(program) == {}
    start = tmp_path / f"lib/{VERSION}/site-packages/git_credential_hf/start.py"
    start.chmod(0o640)
    made = []
    for _ in range(2):
        done = subprocess.run([program, "--version"], env=with_token, umask=0o077, capture_output=True, check=True)
        assert (done.stdout, done.stderr) == (f"git-credential-hf {__version__}\n".encode(), b"")
        made.append(bundle_of(program))
        assert get(program, with_token) == GIVEN
    assert made[0] == made[1] == bundle_of(program)
    assert {name: mode for name, (_, _, mode) in made[0].items()} == dict.fromkeys(
        ("bundled", "bundled-answer", "bundled-lookup", "bundled-token"), 0o640
    )


@pytest.mark.parametrize("content", [None, b"", b"no bytecode"])
@pytest.mark.parametrize("part", ["bundled", "bundled-answer", "bundled-lookup", "bundled-token"])
@pytest.mark.parametrize("source", ["environment", "keyring"])
def test_one_part_of_a_bundle_that_is_lost_or_damaged_is_done_without(
    keyring: Items, environment: Environment, tmp_path: Path, source: str, part: str, content: bytes | None
) -> None:
    program = an_environment(tmp_path, editable=False)
    subprocess.run([program, "--version"], env=environment, capture_output=True, check=True)
    cache = tmp_path / f"lib/{VERSION}/site-packages/git_credential_hf/__pycache__"
    file = cache / f"{part}.{sys.implementation.cache_tag}.pyc"
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    if source == "environment":
        environment["HF_TOKEN"] = "hf_token"
    else:
        ours = {"git-credential-hf": "huggingface.co", "user": "hf_user"}
        keyring.add(b"hf_token", xdg__schema="org.git.Password", **ours)
    assert get(program, environment) == GIVEN


@needs_strace
def test_what_a_person_runs_leaves_a_launcher_that_starts_no_shell(with_token: Environment, tmp_path: Path) -> None:
    program = an_environment(tmp_path, editable=False)
    program.chmod(0o750)
    (tmp_path / "link").symlink_to(program)
    installed = program.read_bytes()
    assert get(program, with_token) == GIVEN
    assert program.read_bytes() == installed
    made = []
    for _ in range(2):
        subprocess.run([program, "--version"], env=with_token, umask=0o077, capture_output=True, check=True)
        status = program.stat()
        made.append((status.st_ino, status.st_mode & 0o7777, program.read_bytes()))
    assert made[0] == made[1]
    assert made[0][1] == 0o750
    assert is_made(program)
    assert sorted(file.name for file in program.parent.glob("*git-credential-hf*")) == ["git-credential-hf"]
    log = tmp_path / "log"
    traced = subprocess.run(
        ["strace", "-f", "-e", "execve", "-o", log, program, "get"],
        input=REQUEST, env=with_token, capture_output=True, check=True,
    )  # fmt: skip
    assert Result(traced.stdout, traced.stderr, traced.returncode) == GIVEN
    assert log.read_text().count("execve(") == 1
    assert get("./git-credential-hf", with_token, program.parent) == GIVEN
    assert get(tmp_path / "link", with_token) == GIVEN
    shutil.copy(SOURCE / "bin/git-credential-hf", program)  # as an upgrade does
    subprocess.run([program, "--version"], env=with_token, capture_output=True, check=True)
    assert program.read_bytes() == made[0][2]


@pytest.mark.parametrize("damage", ["none there", "empty", "cut short", "no bytecode", "a folder"])
def test_a_launcher_whose_bundle_is_damaged_answers(
    with_token: Environment, make: Make, tmp_path: Path, damage: str
) -> None:
    program = an_environment(tmp_path, editable=False)
    make(program)
    assert is_made(program)
    cache = tmp_path / f"lib/{VERSION}/site-packages/git_credential_hf/__pycache__"
    file = cache / f"bundled.{sys.implementation.cache_tag}.pyc"
    content = file.read_bytes()
    file.unlink()
    if damage == "a folder":
        file.mkdir()
    elif damage != "none there":
        file.write_bytes({"empty": b"", "cut short": content[:-1], "no bytecode": b"nonsense" * 9}[damage])
    assert get(program, with_token) == GIVEN


@pytest.mark.parametrize("why", ["made already", "deaf", "silent", "nonsense"])
def test_a_launcher_is_made_once_and_only_of_an_interpreter_that_heeds_the_file_beside_it(
    with_token: Environment, make: Make, tmp_path: Path, why: str
) -> None:
    program = an_environment(tmp_path, editable=False)
    if why != "made already":
        of_its_own = {
            "deaf": f'exec {os.path.realpath(sys.executable)} "$@"',
            "silent": "exit 1",
            "nonsense": "echo nonsense",
        }
        (program.parent / VERSION).unlink()
        (program.parent / VERSION).write_text(f"#!/bin/sh\n{of_its_own[why]}\n")
        (program.parent / VERSION).chmod(0o755)
    seen = []
    for _ in range(2):
        make(program)
        seen.append((is_made(program), program.stat().st_ino))
    assert seen[0] == seen[1]
    assert seen[0][0] == (why == "made already")


def test_an_interpreter_that_is_asked_has_no_token_in_its_environment(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = an_environment(tmp_path, editable=False)
    (program.parent / VERSION).unlink()
    (program.parent / VERSION).write_text(f"#!/bin/sh\nenv >>'{tmp_path}/told'\nexit 1\n")
    (program.parent / VERSION).chmod(0o755)
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.setenv(name, f"hf_of_{name}")
    make(program)
    told = (tmp_path / "told").read_text()
    assert "PATH=" in told
    assert "hf_of_" not in told


def test_a_launchers_interpreter_is_as_any_other_start_of_the_environments(
    with_token: Environment, make: Make, tmp_path: Path
) -> None:
    program = an_environment(tmp_path, editable=False)
    make(program)
    tell = "print({name: value for name, value in vars(sys).items() if type(value) in (str, list, bool, int)})\n"
    (tmp_path / "bin/ours").write_text(program.read_text().replace("exec(code)\n", tell))
    (tmp_path / "bin/ours").chmod(0o755)
    (tmp_path / "bin/other").write_text(f"import sys\nsys.argv.insert(0, '')\n{tell}")
    told = []
    for command in (["bin/ours"], [f"bin/{VERSION}", "-ISXutf8", "bin/other"]):
        done = subprocess.run(command, env=with_token, cwd=tmp_path, capture_output=True, text=True, check=True)
        told.append(re.sub(r"'(argv|orig_argv|meta_path|path_hooks)': \[[^]]*\]", "", done.stdout))
    assert told[0] == told[1]
    assert f"'executable': '{tmp_path}/bin/{VERSION}'" in told[0]


@pytest.mark.parametrize(
    "damage",
    [
        "no _pth",
        "no encodings",
        "encodings of a package that is gone",
        "no bytecode",
        "bytecode cut short",
        "no library where it was",
        "a file in the place of the bytecode's folder",
    ],
)
def test_a_launcher_whose_interpreter_is_damaged_answers(
    with_token: Environment, make: Make, tmp_path: Path, damage: str
) -> None:
    program = an_environment(tmp_path, editable=False)
    make(program)
    assert is_made(program)
    folder = tmp_path / "lib/git-credential-hf"
    (bytecode,) = folder.glob("__pycache__/*")
    if damage == "no _pth":
        (folder / "python._pth").unlink()
    elif damage == "no encodings":
        (folder / "encodings.py").unlink()
    elif damage == "encodings of a package that is gone":
        (tmp_path / f"lib/{VERSION}/site-packages/git_credential_hf/encodings.py").unlink()
    elif damage == "no bytecode":
        shutil.rmtree(folder / "__pycache__")
    elif damage == "bytecode cut short":
        bytecode.write_bytes(bytecode.read_bytes()[:12])
    elif damage == "no library where it was":
        text = program.read_text()
        assert "/os.py'" in text
        program.write_text(text.replace("/os.py'", "/moved'"))
    else:
        shutil.rmtree(folder / "__pycache__")
        (folder / "__pycache__").write_text("")
    assert get(program, with_token) == GIVEN
    done = subprocess.run([program, "--version"], env=with_token, capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (f"git-credential-hf {__version__}\n".encode(), b"")


@pytest.mark.parametrize("lost", [".", "python", "python._pth", "encodings.py", "__pycache__"])
def test_what_a_launchers_interpreter_has_lost_is_made_anew(
    with_token: Environment, make: Make, tmp_path: Path, lost: str
) -> None:
    program = an_environment(tmp_path, editable=False)
    make(program)
    folder = tmp_path / "lib/git-credential-hf"
    shutil.rmtree(folder / lost) if (folder / lost).is_dir() else (folder / lost).unlink()
    person = [str(program.parent / "python3"), "-I", "-m", "git_credential_hf", "--version"]
    subprocess.run(person, env=with_token, cwd=tmp_path, capture_output=True, check=True)
    assert (folder / lost).exists()
    assert is_made(program)
    assert get(program, with_token) == GIVEN


def test_what_was_half_made_for_its_owner_alone_is_for_everybody(with_token: Environment, tmp_path: Path) -> None:
    program = an_environment(tmp_path, editable=False)
    folder = tmp_path / "lib/git-credential-hf"
    (folder / "__pycache__").mkdir(parents=True)
    for place in (folder, folder / "__pycache__"):
        place.chmod(0o700)
    subprocess.run([program, "--version"], env=with_token, umask=0o077, capture_output=True, check=True)
    assert is_made(program)
    assert {place.stat().st_mode & 0o7777 for place in (folder, folder / "__pycache__")} == {0o755}
    assert {file.stat().st_mode & 0o7777 for file in (folder / "python._pth", *folder.glob("__pycache__/*"))} == {0o644}


def test_a_launcher_of_another_build_of_its_interpreter_starts_that_as_it_is_and_is_made_anew(
    with_token: Environment, make: Make, tmp_path: Path
) -> None:
    """An upgrade may have it look for its library elsewhere, and have in it what was in a file of the other."""
    program = an_environment(tmp_path, editable=False)
    make(program)
    made = program.read_text()
    assert repr(sys.version) in made
    other = re.sub(r"\n# [0-9a-f]{64}\n", "\n# of another\n", made.replace(repr(sys.version), "'another'"))
    for setting in ("_stdlib_dir': '", "path': ['"):
        other = other.replace(setting, f"{setting}/not/there")
    program.write_text(other)
    cache = tmp_path / f"lib/{VERSION}/site-packages/git_credential_hf/__pycache__"
    bundled = cache / f"bundled.{sys.implementation.cache_tag}.pyc"
    bundled.write_bytes(bundled.read_bytes()[:16] + b"of another interpreter")
    assert get(program, with_token) == GIVEN
    make(program)
    assert program.read_text() == made
    assert get(program, with_token) == GIVEN


def test_a_shell_that_was_started_with_the_launcher_before_it_was_replaced_starts_the_other(
    with_token: Environment, make: Make, tmp_path: Path
) -> None:
    program = an_environment(tmp_path, editable=False)
    make(program)
    assert is_made(program)
    done = subprocess.run(["sh", program, "get"], input=REQUEST, env=with_token, capture_output=True, check=False)
    assert Result(done.stdout, done.stderr, done.returncode) == GIVEN


def test_an_interpreter_that_cannot_be_run_is_not_tried_for_ever(
    with_token: Environment, make: Make, tmp_path: Path
) -> None:
    program = an_environment(tmp_path, editable=False)
    make(program)
    (program.parent / VERSION).unlink()
    (program.parent / VERSION).write_bytes(b"")
    (program.parent / VERSION).chmod(0o755)
    by_a_shell = ["sh", "-c", '"$0" get', str(program)]  # which runs by itself what the system does not know how to
    done = subprocess.run(by_a_shell, input=REQUEST, env=with_token, capture_output=True, check=False, timeout=10)
    assert done.stdout == b""


def test_a_launcher_is_made_anew_of_another_interpreter(with_token: Environment, make: Make, tmp_path: Path) -> None:
    program = an_environment(tmp_path, editable=False)
    make(program)
    before = program.read_bytes()
    (tmp_path / "other").mkdir()
    shutil.copy(os.path.realpath(sys.executable), tmp_path / "other/python")
    os.utime(tmp_path / "other/python", (1, 1))
    (program.parent / VERSION).unlink()
    (program.parent / VERSION).symlink_to(tmp_path / "other/python")
    make(program)
    assert is_made(program)
    assert program.read_bytes() != before
    assert get(program, with_token) == GIVEN


@pytest.mark.parametrize(
    "why",
    [
        "a blank in its path",
        "a letter beyond ASCII in its path",
        "a long path",
        "no virtual environment",
        "no bytecode is wanted",
        "a link",
        "another launcher",
        "an environment that may be moved",
        "another group",
        "an interpreter that cannot be run",
        "coding= in its path",
        "an interpreter that does not heed the file beside it",
        "# in its path",
        "a quote in its path",
        "$ in its path",
        "a path that is no UTF-8",
    ],
)
def test_a_launcher_that_cannot_be_bettered_stays(with_token: Environment, tmp_path: Path, why: str) -> None:
    folder = {
        "a blank in its path": "a b",
        "a letter beyond ASCII in its path": "\u00e9",
        "a long path": "x" * 120,
        "coding= in its path": "coding=x",
        "# in its path": "a#b",
        "a quote in its path": 'a"b',
        "$ in its path": "a$b",
        "a path that is no UTF-8": os.fsdecode(b"\xff"),
    }
    program = an_environment(tmp_path / "venv", editable=False)
    if why in folder:
        program = (tmp_path / "venv").rename(tmp_path / folder[why]) / "bin/git-credential-hf"
    if why == "no virtual environment":
        (program.parent.parent / "pyvenv.cfg").unlink()
    elif why == "no bytecode is wanted":
        with_token["PYTHONDONTWRITEBYTECODE"] = "1"
    elif why == "a link":
        program.rename(program.parent / "installed")
        program.symlink_to("installed")
    elif why == "an environment that may be moved":
        with (program.parent.parent / "pyvenv.cfg").open("a") as settings:
            settings.write("relocatable = true\n")
    elif why == "another group":
        others = [group for group in (*os.getgroups(), *((1,) if os.geteuid() == 0 else ())) if group != os.getegid()]
        if not others:
            pytest.skip("NOT TESTED: this user is in no other group")
        os.chown(program, -1, others[0])
    elif why == "an interpreter that cannot be run":
        (program.parent / "python3").unlink(missing_ok=True)
        shutil.copy(os.path.realpath(sys.executable), program.parent / "python3")
        (program.parent / VERSION).unlink()
        (program.parent / VERSION).write_text("")
    elif why == "an interpreter that does not heed the file beside it":
        (program.parent / VERSION).unlink(missing_ok=True)
        (program.parent / VERSION).write_text(f'#!/bin/sh\nexec {os.path.realpath(sys.executable)} "$@"\n')
        (program.parent / VERSION).chmod(0o755)
    elif why == "another launcher":
        program.write_bytes(program.read_bytes().replace(b"# Starts", b"# A package's own; starts"))
    before = program.read_bytes()
    # With -I the interpreter would not heed what is wanted of bytecode.
    by_module = why in ("no bytecode is wanted", "an interpreter that cannot be run")
    person = [program.parent / "python3", "-m", "git_credential_hf"] if by_module else [program]
    subprocess.run([*person, "--version"], env=with_token, cwd=tmp_path, capture_output=True, check=True)
    assert (program.read_bytes(), program.is_symlink()) == (before, why == "a link")
    assert get(program, with_token) == GIVEN


def test_a_launcher_of_another_place_is_made_anew(with_token: Environment, make: Make, tmp_path: Path) -> None:
    program = an_environment(tmp_path / "before", editable=False)
    make(program)
    (tmp_path / "before").rename(tmp_path / "after")
    program = tmp_path / "after/bin/git-credential-hf"
    person = [str(program.parent / "python3"), "-m", "git_credential_hf", "--version"]
    subprocess.run(person, env=with_token, cwd=tmp_path, capture_output=True, check=True)
    assert is_made(program)
    assert get(program, with_token) == GIVEN


def test_another_users_launcher_stays(with_token: Environment, make: Make, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("NOT TESTED: only root can give a file away")
    program = an_environment(tmp_path, editable=False)
    os.chown(program, 1, 1)
    before = program.read_bytes()
    make(program)
    assert program.read_bytes() == before


@pytest.mark.parametrize("how", ["a folder in its place", "no folder can be made"])
def test_a_bundle_that_cannot_be_made_is_done_without(with_token: Environment, tmp_path: Path, how: str) -> None:
    program = an_environment(tmp_path, editable=False)
    package = tmp_path / f"lib/{VERSION}/site-packages/git_credential_hf"
    if how == "a folder in its place":
        (package / f"__pycache__/bundled.{sys.implementation.cache_tag}.pyc/x").mkdir(parents=True)
    else:
        (package / "__pycache__").write_text("")
    for _ in range(2):
        done = subprocess.run([program, "--version"], env=with_token, capture_output=True, check=True)
        assert (done.stdout, done.stderr) == (f"git-credential-hf {__version__}\n".encode(), b"")
        assert get(program, with_token) == GIVEN


@pytest.mark.parametrize("bundled", [False, True])
def test_bytecode_that_another_user_left_unreadable_is_done_without(
    with_token: Environment, tmp_path: Path, bundled: bool
) -> None:
    program = an_environment(tmp_path, editable=False)
    package = tmp_path / f"lib/{VERSION}/site-packages/git_credential_hf"
    start = package / f"__pycache__/start.{sys.implementation.cache_tag}.pyc"
    command = "--version" if bundled else "get"
    subprocess.run([program, command], input=b"", env=with_token, capture_output=True, check=False)
    made = {start, *package.glob("__pycache__/bundled*")}
    assert len(made) == (5 if bundled else 1)
    as_reader: list[str] = []
    if os.geteuid() == 0:  # who may read what nobody may
        as_reader = ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"]
    for file in made:
        file.chmod(0)
    done = subprocess.run(
        [*as_reader, program, "get"], input=REQUEST, env=with_token, capture_output=True, check=False, timeout=60
    )
    assert Result(done.stdout, done.stderr, done.returncode) == GIVEN
    if bundled:  # and a person's command makes it anew
        subprocess.run([*as_reader, program, "--version"], env=with_token, capture_output=True, check=True)
        assert {mode for _, _, mode in bundle_of(program).values()} == {0o644}


def test_what_pip_leaves_of_an_installation_is_not_started(with_token: Environment, tmp_path: Path) -> None:
    program = an_environment(tmp_path, editable=False)
    subprocess.run([program, "--version"], env=with_token, capture_output=True, check=True)
    packages = tmp_path / f"lib/{VERSION}/site-packages"
    for file in packages.glob("git_credential_hf/**/*"):  # pip knows of the bytecode of each module, and of no other
        if file.is_file() and not file.name.startswith("bundled"):
            file.unlink()
    shutil.copy(SOURCE / "bin/git-credential-hf", program)
    (packages / "git-credential-hf.pth").write_text(f"{SOURCE}\n")
    assert get(program, with_token) == GIVEN


@pytest.mark.parametrize("editable", [False, True])
def test_it_runs_in_an_environment_whose_path_has_spaces(
    with_token: Environment, tmp_path: Path, editable: bool
) -> None:
    program = an_environment(tmp_path / "a 'path' with $paces", editable=editable)
    assert get(program, with_token) == GIVEN
    assert get("./git-credential-hf", with_token, program.parent) == GIVEN
    assert get("bin/git-credential-hf", with_token, program.parent.parent) == GIVEN
    link = tmp_path / "a link"
    link.symlink_to(program)
    assert get(link, with_token) == GIVEN
    folder = tmp_path / "a linked folder"
    folder.symlink_to(program.parent.parent, target_is_directory=True)
    assert get(folder / "bin/git-credential-hf", with_token) == GIVEN


def test_it_runs_where_it_alone_is_a_link(with_token: Environment, tmp_path: Path) -> None:
    program = an_environment(tmp_path / "venv", editable=False)
    (tmp_path / "cache").mkdir()
    program.rename(tmp_path / "cache/git-credential-hf")
    program.symlink_to(tmp_path / "cache/git-credential-hf")
    assert get(program, with_token | {"PATH": "/usr/bin:/bin"}) == GIVEN


def test_a_link_beside_another_installation_starts_what_it_leads_to(with_token: Environment, tmp_path: Path) -> None:
    program = an_environment(tmp_path / "venv", editable=False)
    other = tmp_path / f"local/lib/{VERSION}/site-packages/git_credential_hf"
    other.mkdir(parents=True)
    (other / "start.py").write_text(SPOILT)
    (tmp_path / "local/bin").mkdir()
    (tmp_path / "local/bin/git-credential-hf").symlink_to(program)
    assert get(tmp_path / "local/bin/git-credential-hf", with_token) == GIVEN


@pytest.mark.parametrize("what", ["a newer source", "no bytecode"])
def test_get_leaves_the_bytecode_of_its_encodings_to_a_persons_command(
    with_token: Environment, make: Make, tmp_path: Path, what: str
) -> None:
    program = an_environment(tmp_path, editable=False)
    make(program)
    folder = tmp_path / "lib/git-credential-hf"

    def made() -> dict[str, tuple[int, int]]:
        return {str(file): (file.stat().st_ino, file.stat().st_mode & 0o7777) for file in folder.rglob("*")}

    before = made()
    if what == "a newer source":
        os.utime(tmp_path / f"lib/{VERSION}/site-packages/git_credential_hf/encodings.py", (1, 1))
    else:
        shutil.rmtree(folder / "__pycache__")
    left = made()
    assert subprocess.run(
        [program, "get"], input=REQUEST, env=with_token, umask=0o077, capture_output=True, check=True
    ).stdout
    assert made() == left
    make(program)
    assert {name: mode for name, (_, mode) in made().items()} == {name: mode for name, (_, mode) in before.items()}
    assert made() != left


def test_it_runs_in_a_folder_of_programs_that_is_a_link(with_token: Environment, tmp_path: Path) -> None:
    (tmp_path / "bin").symlink_to(Path(EXECUTABLE).parent, target_is_directory=True)
    assert get(tmp_path / "bin/git-credential-hf", with_token) == GIVEN


def test_it_runs_through_a_chain_of_links(with_token: Environment, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "first").symlink_to(EXECUTABLE)
    (tmp_path / "other/second").symlink_to("../first")
    (tmp_path / "-third").symlink_to("other/second")
    for name in ("first", "other/second", "-third", "./-third"):
        assert get(tmp_path / name, with_token) == GIVEN
    assert get("./-third", with_token, tmp_path) == GIVEN


def test_it_runs_from_the_search_path(with_token: Environment, tmp_path: Path) -> None:
    linked = tmp_path / "bin"
    linked.mkdir()
    (linked / "git-credential-hf").symlink_to(EXECUTABLE)
    for folder in (Path(EXECUTABLE).parent, linked):
        search_path = f"{folder}:/usr/bin:/bin"
        assert get("git-credential-hf", with_token | {"PATH": search_path}) == GIVEN
        by_git = subprocess.run(
            ["git", "-c", "credential.helper=", "-c", "credential.helper=hf", "credential", "fill"],
            input=REQUEST,
            env=with_token | {"PATH": search_path},
            capture_output=True,
            check=True,
        )
        assert b"\npassword=hf_token\n" in by_git.stdout
        assert by_git.stderr == b""


SPOILT = "import os\nos.write(2, b'the wrong module was loaded')\nos._exit(9)\n"


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A folder with modules in it that end the interpreter which imports one of them."""
    folder = tmp_path / "hostile"
    (folder / "git_credential_hf").mkdir(parents=True)
    for name in (
        "posix",
        "sys",
        "time",
        "site",
        "os",
        "_socket",
        "sitecustomize",
        "usercustomize",
        "encodings",
        "hashlib",
    ):
        (folder / f"{name}.py").write_text(SPOILT)
    (folder / "git_credential_hf/__init__.py").write_text(SPOILT)
    (folder / "python3").write_text("#!/bin/sh\nexit 9\n")
    (folder / "python3").chmod(0o755)
    return folder


@pytest.mark.parametrize("variable", ["", "PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "PYTHONPLATLIBDIR", "PATH"])
def test_modules_that_lie_about_are_not_imported(with_token: Environment, hostile: Path, variable: str) -> None:
    if variable == "PATH":
        with_token["PATH"] = f"{hostile}:{with_token['PATH']}"
    elif variable:
        with_token[variable] = str(hostile)
    assert get(EXECUTABLE, with_token, hostile) == GIVEN


@pytest.mark.parametrize(
    "variable", ["PYTHONSTARTUP=posix.py", "PYTHONINSPECT=1", "PYTHONVERBOSE=1", "PYTHONOPTIMIZE=2", "PYTHONUTF8=0"]
)
def test_how_a_person_sets_up_python_does_not_matter(with_token: Environment, hostile: Path, variable: str) -> None:
    name, _, value = variable.partition("=")
    assert get(EXECUTABLE, with_token | {name: value}, hostile) == GIVEN


def test_modules_in_the_current_folder_are_not_imported_by_an_editable_install(
    with_token: Environment, hostile: Path, tmp_path: Path
) -> None:
    program = an_environment(tmp_path / "venv", editable=True)
    assert get(program, with_token | {"PYTHONPATH": str(hostile)}, hostile) == GIVEN


@pytest.fixture
def outside_environments(with_token: Environment, tmp_path: Path) -> tuple[Path, Environment]:
    """The program where no virtual environment is, beside what its package's other folder has; and its environment."""
    (tmp_path / "prefix/bin").mkdir(parents=True)
    program = tmp_path / "prefix/bin/git-credential-hf"
    shutil.copy(SOURCE / "bin/git-credential-hf", program)
    program.chmod(0o755)
    (tmp_path / "search").mkdir()
    (tmp_path / "search/python3").symlink_to(os.path.realpath(sys.executable))
    return program, with_token | {"PATH": f"{tmp_path}/search:/usr/bin:/bin", "PYTHONPATH": str(SOURCE)}


def test_outside_a_virtual_environment_it_starts_as_any_program(
    outside_environments: tuple[Path, Environment], hostile: Path, tmp_path: Path
) -> None:
    program, environment = outside_environments
    assert get(program, environment, hostile) == GIVEN
    (tmp_path / "link").symlink_to(program)
    assert get(tmp_path / "link", environment, hostile) == GIVEN


@pytest.mark.parametrize("way", ["installed", "editable", "outside"])
def test_the_exit_code_is_that_of_the_program(
    outside_environments: tuple[Path, Environment], tmp_path: Path, way: str
) -> None:
    program, environment = outside_environments
    if way != "outside":
        program = an_environment(tmp_path / "venv", editable=way == "editable")
        del environment["PYTHONPATH"]
    for arguments, input, code in (
        (["get"], b"nonsense", 1),
        (["--nonsense"], b"", 2),
        (["unknown"], b"", 0),
        (["get"], REQUEST, 0),
    ):
        done = subprocess.run([program, *arguments], input=input, env=environment, capture_output=True, check=False)
        assert done.returncode == code
