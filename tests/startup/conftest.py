"""What the tests of how the program starts have in common."""

from pathlib import Path

import pytest

from tests.conftest import Environment
from tests.installed import VERSION

TOKEN = "hf_sTaRt0123456789aBcDeFgHiJkLmNoPqR"
SPOILT = "import os\nos.write(2, b'the wrong module was loaded')\nos._exit(9)\n"


@pytest.fixture
def with_token(environment: Environment) -> Environment:
    return environment | {"HF_TOKEN": "hf_t0ken"}


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A folder with modules in it that end the interpreter which imports one of them."""
    folder = tmp_path / "hostile"
    (folder / "git_credential_hf/startup").mkdir(parents=True)
    for name in (
        "posix",
        "sys",
        "time",
        "site",
        "os",
        "marshal",
        "sitecustomize",
        "usercustomize",
        "encodings",
        "fcntl",
    ):
        (folder / f"{name}.py").write_text(SPOILT)
    for name in ("__init__", "__main__", "startup/__init__", "startup/start"):
        (folder / f"git_credential_hf/{name}.py").write_text(SPOILT)
    for name in ("python3", VERSION):
        (folder / name).write_text("#!/bin/sh\nexit 9\n")
        (folder / name).chmod(0o755)
    return folder
