"""The program as it is installed: what it answers, and virtual environments with it."""

import shutil
import subprocess
import sys
import venv
from pathlib import Path

from tests.conftest import Environment, Result

SOURCE = Path(__file__).parent.parent
VERSION = f"python{sys.version_info[0]}.{sys.version_info[1]}"

REQUEST = b"protocol=https\nhost=huggingface.co\n"
GIVEN = Result(b"username=hf_user\npassword=hf_t0ken\n", b"", 0)


def get(program: str | Path, environment: Environment, folder: Path | None = None) -> Result:
    """Run `program get` in `folder`."""
    done = subprocess.run(
        [program, "get"], input=REQUEST, env=environment, cwd=folder, capture_output=True, check=False, timeout=60
    )
    return Result(done.stdout, done.stderr, done.returncode)


def is_made(program: Path) -> bool:
    """Whether a launcher that names its interpreter is in the place of the one that was installed."""
    return program.read_bytes().startswith(
        f"#!{program.parent.parent}/lib/git-credential-hf/python -BISXutf8\n".encode()
    )


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
