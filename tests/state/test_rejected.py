"""The list of rejected tokens, as erase leaves it: whatever is in its place, and whenever it is killed."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from tests.asking import explains
from tests.conftest import EXECUTABLE, Environment, Run, run_call

TOKEN = "hf_ReFuSeD0123456789"
OTHER = "hf_AnOtHeR0123456789"
REQUEST = b"protocol=https\nhost=huggingface.co\n"


def erase(token: str) -> bytes:
    return REQUEST + f"username=hf_user\npassword={token}\n".encode()


@pytest.fixture
def folder(environment: Environment) -> Path:
    """Where the list is kept, which is there already; HF_TOKEN is what was rejected."""
    environment |= {"HF_TOKEN": TOKEN, "HUGGING_FACE_HUB_TOKEN": OTHER}
    place = Path(environment["HOME"], ".local/state/git-credential-hf")
    place.mkdir(parents=True, mode=0o700)
    return place


def entries(file: Path) -> int:
    """Return how many tokens the list has; fail if it is torn or for others to read."""
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    key, *lines = file.read_text().splitlines()
    assert len(key) == 64
    assert all(len(line.split(" ")[0]) == 64 and line.split(" ")[1].isdigit() for line in lines)
    assert TOKEN not in file.read_text()
    return len(lines)


@pytest.mark.parametrize("kind", ["a link", "a link to nothing", "a FIFO", "what others can write"])
def test_what_is_in_its_place_is_replaced_and_not_written_through(
    run: Run, environment: Environment, folder: Path, tmp_path: Path, kind: str
) -> None:
    file = folder / "rejected"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("as it was")
    if kind == "a FIFO":
        os.mkfifo(file)
    elif kind == "what others can write":
        file.touch()
        file.chmod(0o666)
    else:
        file.symlink_to(elsewhere if kind == "a link" else tmp_path / "none")
    result = run("erase", input=erase(TOKEN))
    assert explains(result, "hf_****6789", "HF_TOKEN", "unset HF_TOKEN")
    assert not file.is_symlink()
    assert entries(file) == 1
    assert elsewhere.read_text() == "as it was"
    assert not (tmp_path / "none").exists()
    assert run("get", input=REQUEST).stdout.endswith(f"password={OTHER}\n".encode())


def test_a_folder_in_its_place_makes_the_next_one_do(
    run: Run, environment: Environment, folder: Path, tmp_path: Path
) -> None:
    (folder / "rejected/full").mkdir(parents=True)
    assert explains(run("erase", input=erase(TOKEN)), "hf_****6789", "HF_TOKEN", "unset HF_TOKEN")
    assert entries(tmp_path / "run/git-credential-hf/rejected") == 1
    assert [path.name for path in folder.iterdir()] == ["rejected"]


def test_a_disk_that_fills_up_leaves_the_old_list(run: Run, environment: Environment, folder: Path) -> None:
    run("erase", input=erase(OTHER))
    before = (folder / "rejected").read_bytes()
    # With places of its own for what could not be written here.
    script = 'mount -t tmpfs none /dev/shm && mount -t tmpfs none /var/tmp && exec prlimit --fsize=100 "$1" erase'
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh", EXECUTABLE],
        input=erase(TOKEN),
        env=environment,
        capture_output=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == (b"", 0)
    assert done.stderr.count(b"\n") == 1
    assert b"set XDG_STATE_HOME" in done.stderr
    assert (folder / "rejected").read_bytes() == before
    assert [path.name for path in folder.iterdir()] == ["rejected"]


@pytest.mark.skipif(shutil.which("strace") is None, reason="NOT TESTED: strace is not installed")
def test_a_kill_at_any_system_call_leaves_the_old_list_or_the_new_one(
    environment: Environment, folder: Path, tmp_path: Path
) -> None:
    file = folder / "rejected"
    log = tmp_path / "log"

    def strace(*more: str) -> int:
        file.unlink(missing_ok=True)
        run_call(("erase",), erase(OTHER), environment)
        command = ["strace", "-qq", "-o", str(log), *more, EXECUTABLE, "erase"]
        return subprocess.run(command, input=erase(TOKEN), env=environment, capture_output=True, check=False).returncode

    strace("-e", "signal=none")  # compiles what is not compiled yet, so that the runs after it are alike
    assert strace("-e", "signal=none") == 0
    calls = log.read_text().splitlines()
    names = [call.partition("(")[0] for call in calls]
    touching = [number for number, call in enumerate(calls) if str(folder) in call]
    seen = set()
    for number in range(touching[0], touching[-1] + 4):
        name = names[number]
        which = names[: number + 1].count(name)  # strace counts each system call by itself
        assert strace("-e", f"trace={name}", "-e", f"inject={name}:signal=KILL:when={which}") == -9
        seen.add((entries(file), len(list(folder.iterdir()))))
        run_call(("erase",), erase(TOKEN), environment)
        assert [path.name for path in folder.iterdir()] == ["rejected"]
        assert entries(file) == 2
    # Before, while and after the new list is put in the place of the old one.
    assert seen == {(1, 1), (1, 2), (2, 1)}


def test_no_list_is_left_once_nothing_is_rejected(run: Run, folder: Path) -> None:
    run("erase", input=erase(TOKEN))
    run("erase", input=erase(OTHER))
    for token, left in ((TOKEN, ["rejected"]), (OTHER, [])):
        run("store", input=erase(token))
        assert [path.name for path in folder.iterdir()] == left
