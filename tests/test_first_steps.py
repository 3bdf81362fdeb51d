"""What a newcomer does on a clean machine: install, log in, clone a gated repository. Three commands, no prompt."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.terminal import at_a_terminal
from tests.hub import Hub, Secret, fingerprint

ROOT = Path(__file__).parents[1]
TOKEN = Secret("hf_FiRsTsTePs0123456789AbCdEfGhIj")
MODEL = "my-org/gated-model"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture
def clean(tmp_path: Path) -> dict[str, str]:
    """The environment of a machine that has git, git-lfs and pipx, and of a home with nothing in it."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    return {
        "HOME": str(home),
        "PATH": f"{home}/.local/bin:/usr/local/bin:/usr/bin:/bin",
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
    }


@pytest.mark.parametrize("how", ["--with-token", "at a terminal"])
@pytest.mark.timeout(300)
def test_three_commands(clean: dict[str, str], wheel: Path, hub: Hub, how: str) -> None:
    hub.create(MODEL, private=True, gated=True, files={"config.json": "{}\n"}, lfs={"model.safetensors": b"weights"})
    hub.add_token(TOKEN, orgs=["my-org"], gated=[MODEL])
    home = Path(clean["HOME"])

    def sh(command: str, environment: dict[str, str]) -> str:
        done = subprocess.run(
            ["sh", "-c", command], cwd=home, env=environment, capture_output=True, text=True, check=False
        )
        assert TOKEN not in done.stdout + done.stderr
        assert done.returncode == 0, done.stderr
        return done.stdout

    sh(f"{Path(sys.executable).parent}/pipx install {wheel}", clean)
    here = clean | hub.environ()
    if how == "--with-token":
        (home / "token").touch(mode=0o600)
        (home / "token").write_text(f"{TOKEN}\n")
        said = sh("git-credential-hf login --with-token <token", here)
    else:
        with at_a_terminal(here, "login", program=f"{home}/.local/bin/git-credential-hf") as person:
            person.until("(not shown): ")
            assert person.type(TOKEN.encode() + b"\n") == 0
        said = person.shown.partition("(not shown): \n")[2]
    sh(f"git clone https://huggingface.co/{MODEL}", here)

    assert said.splitlines() == [
        "token hf_****GhIj: user alice, role read",
        f"stored in {home}/.cache/huggingface/token (keyring: skipped, there is no session bus); "
        "configured git and git-lfs",
        "OK: git will use hf_****GhIj from ~/.cache/huggingface/token for huggingface.co",
    ]
    assert (home / "gated-model/model.safetensors").read_bytes() == b"weights"
    assert {one.fingerprint for one in hub.log} <= {None, fingerprint(TOKEN)}
    assert (home / ".cache/huggingface/token").stat().st_mode & 0o777 == 0o600
