"""The lean start, which every launcher runs: what it hands on, and what does not lead it astray."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from git_credential_hf import __version__
from tests.conftest import Environment, Result
from tests.installed import GIVEN, REQUEST, an_environment, get, package_of, with_bundle
from tests.startup.conftest import SPOILT, TOKEN


@pytest.fixture(scope="module", params=["bundle", "source"])
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, installed, which starts from its bundle or from its sources."""
    program = an_environment(tmp_path_factory.mktemp("environment"), editable=False)
    if request.param == "bundle":
        with_bundle(program)
    else:
        (package_of(program) / "__pycache__").write_text("")  # so that none is made
    return program


@pytest.mark.parametrize(
    ("arguments", "input", "expected"),
    [
        (["get"], REQUEST, GIVEN),
        (["--timeout", "1", "get"], REQUEST, GIVEN),
        (["--sources=file", "get"], REQUEST, Result(b"", b"", 0)),
        (["unknown"], b"", Result(b"", b"", 0)),
        (["capability"], b"", Result(b"version 0\ncapability authtype\n", b"", 0)),
        (["--version"], b"", Result(f"git-credential-hf {__version__}\n".encode(), b"", 0)),
    ],
)
def test_arguments_are_handed_on(
    program: Path, with_token: Environment, arguments: list[str], input: bytes, expected: Result
) -> None:
    done = subprocess.run([program, *arguments], input=input, env=with_token, capture_output=True, check=False)
    assert Result(done.stdout, done.stderr, done.returncode) == expected


@pytest.mark.parametrize(("arguments", "input", "code"), [(["get"], b"nonsense", 1), (["--nonsense"], b"", 2)])
def test_the_exit_code_is_that_of_the_program(
    program: Path, with_token: Environment, arguments: list[str], input: bytes, code: int
) -> None:
    done = subprocess.run([program, *arguments], input=input, env=with_token, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (code, b"")
    assert done.stderr.startswith(b"git-credential-hf: ")


def test_ctrl_c_at_the_start_costs_no_traceback(program: Path, with_token: Environment) -> None:
    """As the program is read: its bundle, or its first module."""
    bundle = package_of(program) / f"__pycache__/bundle.{sys.implementation.cache_tag}.pyc"
    file = bundle if bundle.is_file() else package_of(program) / "__main__.py"
    inject = ["strace", "-o", "/dev/null", "-P", str(file), "-e", "inject=read:signal=INT:when=1"]
    done = subprocess.run(
        [*inject, str(program), "get"], input=REQUEST, env=with_token, capture_output=True, check=False
    )
    assert Result(done.stdout, done.stderr, done.returncode) == Result(b"", b"", 130)


@pytest.mark.parametrize("locale", ["C", "POSIX", "C.UTF-8", "xx_YY.ISO-8859-1"])
def test_arguments_and_paths_are_bytes_in_every_locale(
    program: Path, environment: Environment, tmp_path: Path, locale: str
) -> None:
    file = os.fsencode(tmp_path) + b"/\xff\xc3\xa4 token"
    seed: tuple[str | bytes | Path, ...] = (program, "seed", "--no-keyring", "--from", file)
    Path(os.fsdecode(file)).touch(mode=0o600)
    Path(os.fsdecode(file)).write_text("hf_t0ken")
    at = os.environb | {os.fsencode(name): os.fsencode(value) for name, value in environment.items()}
    at |= {b"HF_TOKEN_PATH": file, b"LC_ALL": locale.encode()}
    done = subprocess.run([program, "get"], input=REQUEST, env=at, capture_output=True, check=False)
    assert Result(done.stdout, done.stderr, done.returncode) == GIVEN
    Path(os.fsdecode(file)).write_text(TOKEN)
    del at[b"HF_TOKEN_PATH"]
    done = subprocess.run(seed, env=at, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert Path(environment["HOME"], ".cache/huggingface/token").read_text() == TOKEN


@pytest.mark.parametrize("closed", ["0", "1", "2", "0 1 2"])
def test_no_file_of_its_own_is_taken_for_a_standard_stream(program: Path, with_token: Environment, closed: str) -> None:
    redirections = " ".join(f"{number}>&-" for number in closed.split())
    done = subprocess.run(
        ["sh", "-c", f'exec "$0" get {redirections}', program],
        input=REQUEST,
        env=with_token,
        capture_output=True,
        check=False,
    )
    unread = "0" in closed  # and a request without a host is malformed
    assert done.returncode == unread
    assert done.stdout == (GIVEN.stdout if closed == "2" else b"")
    assert done.stderr.count(b"\n") == (closed == "0")


def test_what_is_installed_beside_it_is_not_the_standard_library(program: Path, with_token: Environment) -> None:
    """Backports of modules are in many an old environment."""
    packages = package_of(program).parent
    backports = [packages / f"{name}.py" for name in ("enum", "typing", "dataclasses", "argparse", "pathlib", "os")]
    for file in backports:
        file.write_text(SPOILT)
    try:
        assert get(program, with_token) == GIVEN
        for arguments, code in (
            (["--version"], 0),
            (["status"], 1),
            (["seed", "--no-keyring", "--from", "env:SEED"], 0),
        ):
            done = subprocess.run(
                [program, *arguments], env=with_token | {"SEED": TOKEN}, capture_output=True, check=False
            )
            assert (done.returncode, done.stderr) == (code, b"")
    finally:
        for file in backports:
            file.unlink()


@pytest.mark.parametrize("variable", ["", "PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "PYTHONPLATLIBDIR", "PATH"])
def test_modules_that_lie_about_are_not_imported(
    program: Path, with_token: Environment, hostile: Path, variable: str
) -> None:
    if variable == "PATH":
        with_token["PATH"] = f"{hostile}:{with_token['PATH']}"
    elif variable:
        with_token[variable] = str(hostile)
    assert get(program, with_token, hostile) == GIVEN
    done = subprocess.run([program, "status"], env=with_token, cwd=hostile, capture_output=True, check=False)
    assert (b"HF_TOKEN: token" in done.stdout, done.stderr) == (True, b"")


@pytest.mark.parametrize(
    "variable",
    [
        *("PYTHONSTARTUP=posix.py", "PYTHONINSPECT=1", "PYTHONVERBOSE=1", "PYTHONOPTIMIZE=2", "PYTHONUTF8=0"),
        *("PYTHONDONTWRITEBYTECODE=1", "PYTHONPYCACHEPREFIX=.", "PYTHONWARNINGS=error", "PYTHONIOENCODING=utf-16"),
        *("PYTHONSAFEPATH=", "PYTHONDEVMODE=1", "PYTHONDUMPREFS=1", "PYTHONEXECUTABLE=python3"),
    ],
)
def test_how_a_person_sets_up_python_does_not_matter(
    program: Path, with_token: Environment, hostile: Path, variable: str
) -> None:
    name, _, value = variable.partition("=")
    assert get(program, with_token | {name: value}, hostile) == GIVEN
