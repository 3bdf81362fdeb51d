"""The launcher of the wheel: which interpreter and which package it starts, wherever it is and whatever leads to it."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from git_credential_hf import __version__
from tests.conftest import EXECUTABLE, Environment, Result
from tests.installed import GIVEN, REQUEST, SOURCE, VERSION, an_environment, bundle_in, get, package_of, with_bundle
from tests.keyring_items import Items
from tests.startup.conftest import SPOILT, TOKEN

PYTHON = os.path.realpath(sys.executable)


# --- links ---------------------------------------------------------------------------------------------------


def test_it_runs_through_a_chain_of_links(with_token: Environment, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "first").symlink_to(EXECUTABLE)
    (tmp_path / "other/second").symlink_to("../first")
    (tmp_path / "-third").symlink_to("other/second")
    for name in ("first", "other/second", "-third", "./-third"):
        assert get(tmp_path / name, with_token) == GIVEN
    assert get("./-third", with_token, tmp_path) == GIVEN


def test_it_runs_in_a_folder_of_programs_that_is_a_link(with_token: Environment, tmp_path: Path) -> None:
    (tmp_path / "bin").symlink_to(Path(EXECUTABLE).parent, target_is_directory=True)
    assert get(tmp_path / "bin/git-credential-hf", with_token) == GIVEN


def test_it_runs_where_it_alone_is_a_link(with_token: Environment, tmp_path: Path) -> None:
    program = an_environment(tmp_path / "venv", editable=False)
    (tmp_path / "cache").mkdir()
    program.rename(tmp_path / "cache/git-credential-hf")
    program.symlink_to(tmp_path / "cache/git-credential-hf")
    assert get(program, with_token | {"PATH": "/usr/bin:/bin"}) == GIVEN


def test_a_link_beside_another_installation_starts_what_it_leads_to(with_token: Environment, tmp_path: Path) -> None:
    program = an_environment(tmp_path / "venv", editable=False)
    other = tmp_path / f"local/lib/{VERSION}/site-packages/git_credential_hf/startup"
    other.mkdir(parents=True)
    (other / "start.py").write_text(SPOILT)
    (tmp_path / "local/bin").mkdir()
    (tmp_path / "local/bin/git-credential-hf").symlink_to(program)
    assert get(tmp_path / "local/bin/git-credential-hf", with_token) == GIVEN


@pytest.mark.parametrize("home", ["share/uv/tools", "share/pipx/venvs", "pipx/venvs", "elsewhere"])
@pytest.mark.parametrize("relative", [False, True])
def test_it_runs_as_uv_and_pipx_lay_it_out(with_token: Environment, tmp_path: Path, home: str, relative: bool) -> None:
    program = an_environment(tmp_path / home / "git-credential-hf", editable=False)
    (tmp_path / "bin").mkdir()
    link = tmp_path / "bin/git-credential-hf"
    link.symlink_to(os.path.relpath(program, link.parent) if relative else program)
    assert get(link, with_token) == GIVEN
    assert get("./git-credential-hf", with_token, link.parent) == GIVEN
    assert get("git-credential-hf", with_token | {"PATH": f"{link.parent}:/usr/bin:/bin"}) == GIVEN
    done = subprocess.run([link, "--version"], env=with_token, capture_output=True, check=True)
    assert done.stdout == f"git-credential-hf {__version__}\n".encode()
    assert bundle_in(package_of(program)).exists()


@pytest.mark.parametrize("home", ["share/uv/tools", "share/pipx/venvs"])
def test_a_link_that_leads_past_uv_and_pipx_starts_what_it_leads_to(
    with_token: Environment, tmp_path: Path, home: str
) -> None:
    other = an_environment(tmp_path / home / "git-credential-hf", editable=False)
    (package_of(other) / "startup/start.py").write_text(SPOILT)
    program = an_environment(tmp_path / "venv", editable=False)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/git-credential-hf").symlink_to(program)
    assert get(tmp_path / "bin/git-credential-hf", with_token) == GIVEN


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
        assert b"\npassword=hf_t0ken\n" in by_git.stdout
        assert by_git.stderr == b""


# --- places --------------------------------------------------------------------------------------------------

ODD = [
    "a 'path' with $paces",
    'a "quote"',
    "*",
    "-e",
    "back\\slash",
    "line\nend",
    "ä",
    os.fsdecode(b"\xff"),
    "#!",
    "a:b",
]


@pytest.mark.parametrize("editable", [False, True])
@pytest.mark.parametrize("folder", ODD, ids=ascii)
def test_it_runs_in_an_environment_of_any_path(
    with_token: Environment, tmp_path: Path, folder: str, editable: bool
) -> None:
    program = an_environment(tmp_path / "venv", editable=editable)
    program = (tmp_path / "venv").rename(tmp_path / folder) / "bin/git-credential-hf"
    assert get(program, with_token) == GIVEN
    assert get("./git-credential-hf", with_token, program.parent) == GIVEN
    assert get("bin/git-credential-hf", with_token, program.parent.parent) == GIVEN
    link = tmp_path / "a link"
    link.symlink_to(program)
    assert get(link, with_token) == GIVEN
    linked = tmp_path / "a linked folder"
    linked.symlink_to(program.parent.parent, target_is_directory=True)
    assert get(linked / "bin/git-credential-hf", with_token) == GIVEN
    if not editable:
        with_bundle(program)
        assert get(program, with_token) == GIVEN


def test_an_environment_that_was_moved_is_started_from_where_it_is(with_token: Environment, tmp_path: Path) -> None:
    program = an_environment(tmp_path / "before", editable=False)
    bundle = with_bundle(program).read_bytes()
    (tmp_path / "before").rename(tmp_path / "after")
    program = tmp_path / "after/bin/git-credential-hf"
    assert get(program, with_token) == GIVEN
    shutil.copytree(tmp_path / "after", tmp_path / "copy", symlinks=True)
    (package_of(program) / "startup/start.py").write_text(SPOILT)
    assert get(tmp_path / "copy/bin/git-credential-hf", with_token) == GIVEN
    assert with_bundle(tmp_path / "copy/bin/git-credential-hf").read_bytes() == bundle


def test_nothing_is_written_where_nothing_can_be(with_token: Environment, tmp_path: Path) -> None:
    program = an_environment(tmp_path / "venv", editable=False)
    folders = [program.parent.parent, *(one for one in program.parent.parent.rglob("*") if one.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    before = {file: file.lstat() for file in program.parent.parent.rglob("*")}
    as_reader: list[str] = []
    if os.geteuid() == 0:  # who may write where nobody may
        as_reader = ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"]
    for arguments, expected in (
        (["--version"], f"git-credential-hf {__version__}\n".encode()),
        (["get"], GIVEN.stdout),
    ):
        done = subprocess.run(
            [*as_reader, program, *arguments], input=REQUEST, env=with_token, capture_output=True, check=False
        )
        assert Result(done.stdout, done.stderr, done.returncode) == Result(expected, b"", 0)
    after = {file: file.lstat() for file in program.parent.parent.rglob("*")}
    for folder in folders:
        folder.chmod(0o755)
    assert after.keys() == before.keys()
    assert [file for file in before if after[file].st_mtime_ns != before[file].st_mtime_ns] == []


def test_an_installation_of_roots_answers_every_user(with_token: Environment) -> None:
    if os.geteuid() != 0:
        pytest.skip("NOT TESTED: only root can become another user")
    # pytest's own folders are for their owner alone.
    with contextlib.ExitStack() as exits:
        folder = Path(exits.enter_context(tempfile.TemporaryDirectory(dir="/var/tmp")))
        folder.chmod(0o755)
        program = an_environment(folder / "venv", editable=False)
        as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        for made in (False, True):
            if made:
                with_bundle(program)
            for arguments, expected in (
                (["get"], GIVEN.stdout),
                (["--version"], f"git-credential-hf {__version__}\n".encode()),
            ):
                done = subprocess.run(
                    [*as_nobody, program, *arguments],
                    input=REQUEST,
                    env=with_token | {"HOME": "/nonexistent", "TMPDIR": "/tmp"},
                    capture_output=True,
                    check=False,
                )
                assert Result(done.stdout, done.stderr, done.returncode) == Result(expected, b"", 0)
            assert bundle_in(package_of(program)).exists() == made


@pytest.mark.parametrize("python", ["beside it", "of the system"])
def test_it_runs_as_pip_lays_it_out_for_a_user(
    with_token: Environment, keyring: Items, tmp_path: Path, python: str
) -> None:
    """As `pip install --user` does, and as root's pip in /usr/local: there is no virtual environment."""
    local = tmp_path / "local"
    packages = local / f"lib/{VERSION}/site-packages"
    shutil.copytree(
        SOURCE / "git_credential_hf", packages / "git_credential_hf", ignore=shutil.ignore_patterns("__pycache__")
    )
    (local / "bin").mkdir()
    program = local / "bin/git-credential-hf"
    shutil.copy(SOURCE / "bin/git-credential-hf", program)
    if python == "beside it":
        (local / "bin" / VERSION).symlink_to(PYTHON)
    elif not Path(f"/usr/bin/{VERSION}").exists():
        pytest.skip("NOT TESTED: this Python is not the system's")
    # Its libraries are beside it, as pip has them; and one by a .pth file, as an editable installation has it.
    (packages / "more.pth").write_text(f"{sys.prefix}/lib/{VERSION}/site-packages\n")
    environment = with_token | {"PATH": "/usr/bin:/bin", "DBUS_SESSION_BUS_ADDRESS": keyring.bus.address}
    assert get(program, environment) == GIVEN
    with_bundle(program)
    assert get(program, environment) == GIVEN
    seed = (program, "seed", "--from", "env:OF_SEED", "--no-cache", "--require-keyring")
    done = subprocess.run(seed, env=environment | {"OF_SEED": TOKEN}, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert keyring.secrets() == [TOKEN.encode()]


@pytest.fixture
def outside_environments(with_token: Environment, tmp_path: Path) -> tuple[Path, Environment]:
    """The program where no virtual environment is, beside what its package's other folder has; and its environment."""
    (tmp_path / "prefix/bin").mkdir(parents=True)
    program = tmp_path / "prefix/bin/git-credential-hf"
    shutil.copy(SOURCE / "bin/git-credential-hf", program)
    program.chmod(0o755)
    (tmp_path / "search").mkdir()
    (tmp_path / "search/python3").symlink_to(PYTHON)
    return program, with_token | {"PATH": f"{tmp_path}/search:/usr/bin:/bin", "PYTHONPATH": str(SOURCE)}


def test_outside_a_virtual_environment_it_starts_as_any_program(
    outside_environments: tuple[Path, Environment], hostile: Path, tmp_path: Path
) -> None:
    program, environment = outside_environments
    assert get(program, environment, hostile) == GIVEN
    (tmp_path / "link").symlink_to(program)
    assert get(tmp_path / "link", environment, hostile) == GIVEN


def test_modules_in_the_current_folder_are_not_imported_by_an_editable_install(
    with_token: Environment, hostile: Path, tmp_path: Path
) -> None:
    program = an_environment(tmp_path / "venv", editable=True)
    assert get(program, with_token | {"PYTHONPATH": str(hostile)}, hostile) == GIVEN


@pytest.mark.parametrize("way", ["editable", "outside"])
def test_the_exit_code_is_that_of_the_program(
    outside_environments: tuple[Path, Environment], tmp_path: Path, way: str
) -> None:
    program, environment = outside_environments
    if way != "outside":
        program = an_environment(tmp_path / "venv", editable=True)
        del environment["PYTHONPATH"]
    for arguments, input, code in (
        (["get"], b"nonsense", 1),
        (["--nonsense"], b"", 2),
        (["unknown"], b"", 0),
        (["get"], REQUEST, 0),
    ):
        done = subprocess.run([program, *arguments], input=input, env=environment, capture_output=True, check=False)
        assert done.returncode == code


# --- what changes --------------------------------------------------------------------------------------------


def test_what_is_left_of_another_pythons_installation_is_not_started(with_token: Environment, tmp_path: Path) -> None:
    program = an_environment(tmp_path, editable=False)
    for version in ("python3.1", "python3.10", "python3.99"):  # some before, some after it
        left = tmp_path / f"lib/{version}/site-packages/git_credential_hf/startup"
        left.mkdir(parents=True)
        (left / "start.py").write_text(SPOILT)
    assert get(program, with_token) == GIVEN


def test_what_pip_leaves_of_an_installation_is_not_started(with_token: Environment, tmp_path: Path) -> None:
    """pip knows of the bytecode of each module, and not of the bundle."""
    program = an_environment(tmp_path, editable=False)
    bundle = with_bundle(program)
    for file in package_of(program).rglob("*"):
        if file.is_file() and file != bundle:
            file.unlink()
    (package_of(program).parent / "git-credential-hf.pth").write_text(f"{SOURCE}\n")
    assert get(program, with_token) == GIVEN


def test_an_upgrade_answers_at_once_and_makes_a_bundle_of_its_own(with_token: Environment, tmp_path: Path) -> None:
    program = an_environment(tmp_path, editable=False)
    old = with_bundle(program).read_bytes()
    package = package_of(program)
    for source in package.rglob("*.py"):
        os.utime(source, (1, 1))
    (package / "__init__.py").write_text('"""Another."""\n\n__version__ = "99"\n')
    assert get(program, with_token) == GIVEN
    done = subprocess.run([program, "--version"], env=with_token, capture_output=True, check=True)
    assert done.stdout == b"git-credential-hf 99\n"
    assert bundle_in(package).read_bytes() != old
    assert get(program, with_token) == GIVEN


def test_gets_while_it_is_upgraded_are_answered_or_fail(with_token: Environment, tmp_path: Path) -> None:
    """As pip does it: files go one by one, then others come. A get in between must end, and tell nothing wrong."""
    program = an_environment(tmp_path / "venv", editable=False)
    with_bundle(program)
    package, kept = package_of(program), tmp_path / "kept"
    shutil.copytree(package, kept)
    for source in sorted(kept.rglob("*.py")):
        (package / source.relative_to(kept)).unlink()
        done = get(program, with_token)
        assert done.stdout in (b"", GIVEN.stdout)
    for source in sorted(kept.rglob("*.py")):
        (package / source.relative_to(kept)).write_bytes(source.read_bytes())
        done = get(program, with_token)
        assert done.stdout in (b"", GIVEN.stdout)
    assert get(program, with_token) == GIVEN


@pytest.mark.parametrize("what", ["no interpreter", "one that cannot be run"])
def test_without_an_interpreter_of_its_own_it_ends(with_token: Environment, tmp_path: Path, what: str) -> None:
    program = an_environment(tmp_path, editable=False)
    for name in ("python", "python3", VERSION):
        (program.parent / name).unlink(missing_ok=True)
        if what != "no interpreter":
            (program.parent / name).write_bytes(b"")
            (program.parent / name).chmod(0o755)
    by_a_shell = ("sh", "-c", '"$0" get', program)  # which runs by itself what the system does not know how to
    done = subprocess.run(by_a_shell, input=REQUEST, env=with_token, capture_output=True, check=False, timeout=20)
    assert done.stdout in (b"", GIVEN.stdout)
