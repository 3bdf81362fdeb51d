"""The program as it is installed: what it answers, and virtual environments with it."""

import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.conftest import Environment, Result

SOURCE = Path(__file__).parent.parent
VERSION = f"python{sys.version_info[0]}.{sys.version_info[1]}"

REQUEST = b"protocol=https\nhost=huggingface.co\n"
GIVEN = Result(b"username=hf_user\npassword=hf_t0ken\n", b"", 0)

needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="NOT TESTED: strace is not installed")


def get(program: str | Path, environment: Environment, folder: Path | None = None, request: bytes = REQUEST) -> Result:
    """Run `program get` in `folder`."""
    done = subprocess.run(
        [program, "get"], input=request, env=environment, cwd=folder, capture_output=True, check=False, timeout=60
    )
    return Result(done.stdout, done.stderr, done.returncode)


def program_for_all(folder: Path) -> str:
    """Return the program as any user can start it."""
    shutil.copytree(SOURCE / "git_credential_hf", folder / "package/git_credential_hf")
    program = folder / "program"
    program.write_text(
        f"#!/usr/bin/python3 -IS\nimport sys\nsys.path.insert(0, {str(folder / 'package')!r})\n"
        "from git_credential_hf.__main__ import main\nsys.exit(main())\n"
    )
    program.chmod(0o755)
    return str(program)


def package_of(program: Path) -> Path:
    """Return the folder of the package that is installed beside `program`."""
    return program.parent.parent / f"lib/{VERSION}/site-packages/git_credential_hf"


def bundle_in(package: Path) -> Path:
    """Return where the bundle of the package in this folder is."""
    return package / f"__pycache__/bundle.{sys.implementation.cache_tag}.pyc"


def with_bundle(program: Path) -> Path:
    """Have `program` make its bundle, as any command of a person's does; return the bundle."""
    bundle = bundle_in(package_of(program))
    subprocess.run([program, "--version"], capture_output=True, check=True)
    assert bundle.is_file()
    return bundle


def traced(calls: str, program: str | Path, environment: Environment) -> list[str]:
    """Run `program get`, answered; return its system calls of the kinds `calls` that succeed, a shell's too."""
    log = Path(environment["HOME"], "strace")
    command = ("strace", "-f", "-qq", "-e", f"trace={calls}", "-e", "signal=none", "-o", log, program, "get")
    done = subprocess.run(command, input=REQUEST, env=environment, capture_output=True, check=True)
    assert Result(done.stdout, done.stderr, done.returncode) == GIVEN
    return [line for line in log.read_text().splitlines() if "= -1 " not in line]


def an_environment(folder: Path, *, editable: bool) -> Path:
    """Make a virtual environment with the program and its package in it; return the program's path.

    editable: the package is not in it but named by it, as `pip install --editable` does.
    """
    venv.create(folder, symlinks=True, with_pip=False)
    packages = folder / f"lib/{VERSION}/site-packages"
    if editable:
        (packages / "git-credential-hf.pth").write_text(f"{SOURCE}\n")
    else:
        shutil.copytree(
            SOURCE / "git_credential_hf", packages / "git_credential_hf", ignore=shutil.ignore_patterns("__pycache__")
        )
    program = folder / "bin/git-credential-hf"
    shutil.copy(SOURCE / "bin/git-credential-hf", program)
    program.chmod(0o755)
    return program
