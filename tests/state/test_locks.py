"""Locks between runs: one at a time, and never longer than one is ready to wait."""

import errno
import hashlib
import os
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from git_credential_hf.state import folders, locks

UID = os.geteuid()


def named(path: Path) -> bytes:
    return os.fsencode(path)


def test_the_wait_is_by_the_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pause takes as long as a busy machine has it take, which is what the mock does."""
    pause = threading.Event().wait
    monkeypatch.setattr(time, "sleep", lambda _: pause(0.1))
    begin = time.monotonic()
    with locks.FolderLock(named(tmp_path), 5), pytest.raises(TimeoutError), locks.FolderLock(named(tmp_path), 0.3):
        pass
    assert 0.3 <= time.monotonic() - begin < 2


def test_one_at_a_time_is_inside_the_lock(tmp_path: Path) -> None:
    inside = threading.Event()
    order = []
    with locks.FolderLock(named(tmp_path), 5), pytest.raises(TimeoutError), locks.FolderLock(named(tmp_path), 0.05):
        pass

    def second() -> None:
        inside.wait()
        with locks.FolderLock(named(tmp_path), 5):
            order.append("second")

    other = threading.Thread(target=second)
    other.start()
    with locks.FolderLock(named(tmp_path), 5):
        inside.set()
        other.join(0.1)
        order.append("first")
    other.join()
    assert order == ["first", "second"]
    with pytest.raises(FileNotFoundError), locks.FolderLock(named(tmp_path / "none"), 5):
        pass


def test_a_lock_on_one_thing_keeps_nobody_from_another(tmp_path: Path) -> None:
    first, second = (hashlib.sha256(text).hexdigest().encode() for text in (b"one", b"another"))
    mine = locks.KeyLocks(named(tmp_path / "lock"))
    mine.take(first, 0)
    # Record locks are of a process.
    other = (
        "import sys; from git_credential_hf.state import locks; mine = locks.KeyLocks(sys.argv[1].encode())\n"
        "for key in sys.argv[2:]:\n"
        "    try: mine.take(key.encode(), 0.1); print('taken')\n"
        "    except TimeoutError as error: print(error.strerror)\n"
    )
    command = [sys.executable, "-c", other, str(tmp_path / "lock"), first.decode(), second.decode()]
    late = "another run of git-credential-hf is at it and does not end\n"
    assert subprocess.check_output(command, text=True) == late + "taken\n"
    mine.close()
    assert subprocess.check_output(command, text=True) == "taken\ntaken\n"
    assert stat.S_IMODE((tmp_path / "lock").stat().st_mode) == 0o600


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK, errno.EACCES, errno.EPERM])
def test_where_no_lock_can_be_had_nobody_waits_for_one(tmp_path: Path, faults: str, number: int) -> None:
    program = (
        "import sys; from git_credential_hf.state import locks; folder = sys.argv[1].encode()\n"
        "locks.KeyLocks(folder + b'/lock').take(b'a' * 64, 30); locks.FolderLock(folder, 30).__enter__()\n"
    )
    subprocess.run(
        [sys.executable, "-c", program, tmp_path],
        env={"LD_PRELOAD": faults, "FAULTS": f"flock={number} record_lock={number}", "FAULTS_UNDER": str(tmp_path)},
        timeout=10,
        check=True,
    )


def test_our_own_lock_is_in_the_first_folder_that_can_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "_TEMPORARY", ())  # where nothing is to be left by a test
    (tmp_path / "state").write_bytes(b"no folder")
    (tmp_path / "run/git-credential-hf").mkdir(parents=True)
    (tmp_path / "run/git-credential-hf").chmod(0o777)
    environ = {
        b"XDG_STATE_HOME": named(tmp_path / "state"),
        b"XDG_RUNTIME_DIR": named(tmp_path / "run"),
        b"TMPDIR": named(tmp_path / "tmp"),
    }
    with locks.own_lock(environ, 5):
        assert stat.S_IMODE((tmp_path / f"tmp/git-credential-hf-{UID}").stat().st_mode) == 0o700
    (tmp_path / f"tmp/git-credential-hf-{UID}").chmod(0o777)
    with locks.own_lock(environ, 5):
        pass
