"""Reading and replacing small private files: what is refused, and what is left behind."""

import os
import socket
import stat
import threading
from pathlib import Path

import pytest

from git_credential_hf.state import files
from git_credential_hf.state import safe_read as reading


def named(path: Path) -> bytes:
    return os.fsencode(path)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536])
def test_a_file_is_read_up_to_64_kib(tmp_path: Path, size: int) -> None:
    (tmp_path / "f").write_bytes(b"x" * size)
    assert reading.read(named(tmp_path / "f")) == b"x" * size


def test_what_is_larger_is_nothing(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x" * 65_537)
    assert reading.read(named(tmp_path / "f")) == b""


@pytest.mark.parametrize("kind", ["missing", "directory", "FIFO", "socket", "/dev/zero", "/dev/tty", "a\0b", ""])
def test_what_is_no_file_is_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.chdir(tmp_path)
    if kind == "directory":
        Path(kind).mkdir()
    elif kind == "FIFO":
        os.mkfifo(kind)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(kind)
    assert reading.read(kind.encode()) == b""


def test_reading_leaves_no_file_open(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x")
    os.mkfifo(tmp_path / "fifo")
    before = names(Path("/proc/self/fd"))
    for name in ("f", "fifo", "none"):
        reading.read(named(tmp_path / name))
    assert names(Path("/proc/self/fd")) == before


def test_what_comes_in_parts_is_read_to_its_end_or_the_limit() -> None:
    for limit, expected in ((10, b"abcdef"), (6, b"abcdef"), (5, b"abcdef"), (4, b"abcde"), (0, b"a")):
        reader, writer = os.pipe()

        def feed(writer: int = writer) -> None:
            for part in (b"ab", b"c", b"def"):
                os.write(writer, part)
            os.close(writer)

        feeder = threading.Thread(target=feed)
        feeder.start()
        assert reading.read_all(reader, limit) == expected
        feeder.join()
        os.close(reader)


def test_a_file_is_replaced_by_a_new_one(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"old")
    file.chmod(0o644)
    (tmp_path / "other name").hardlink_to(file)
    files.replace(named(file), b"new")
    assert file.read_bytes() == b"new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (tmp_path / "other name").read_bytes() == b"old"
    assert names(tmp_path) == ["f", "other name"]


@pytest.mark.parametrize("umask", [0, 0o077, 0o777])
def test_a_replaced_file_is_0600_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        files.replace(named(tmp_path / "f"), b"new")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == 0o600


def test_a_name_without_a_folder_is_in_the_current_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    files.replace(b"f", b"new")
    with files.Locked(b"", 5):
        assert Path("f").read_bytes() == b"new"


@pytest.mark.parametrize("left", ["file", "link"])
def test_what_a_killed_run_left_is_removed_and_not_written_through(tmp_path: Path, left: str) -> None:
    (tmp_path / "elsewhere").write_bytes(b"untouched")
    rest = tmp_path / ".f.git-credential-hf"
    rest.symlink_to(tmp_path / "elsewhere") if left == "link" else rest.write_bytes(b"half a to")
    files.replace(named(tmp_path / "f"), b"new")
    assert (tmp_path / "elsewhere").read_bytes() == b"untouched"
    assert names(tmp_path) == ["elsewhere", "f"]


def test_what_cannot_be_put_in_place_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "f/full").mkdir(parents=True)
    with pytest.raises(OSError):
        files.replace(named(tmp_path / "f"), b"new")
    assert names(tmp_path) == ["f"]
    with pytest.raises(FileNotFoundError):
        files.replace(named(tmp_path / "none/f"), b"new")


def test_removing_what_is_gone_is_fine(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"")
    files.remove(named(tmp_path / "f"))
    files.remove(named(tmp_path / "f"))
    assert names(tmp_path) == []
    with pytest.raises(OSError):
        files.remove(named(tmp_path))


def test_one_at_a_time_is_inside_the_lock(tmp_path: Path) -> None:
    inside = threading.Event()
    order = []
    with files.Locked(named(tmp_path), 5), pytest.raises(TimeoutError), files.Locked(named(tmp_path), 0.05):
        pass

    def second() -> None:
        inside.wait()
        with files.Locked(named(tmp_path), 5):
            order.append("second")

    other = threading.Thread(target=second)
    other.start()
    with files.Locked(named(tmp_path), 5):
        inside.set()
        other.join(0.1)
        order.append("first")
    other.join()
    assert order == ["first", "second"]
    with pytest.raises(FileNotFoundError), files.Locked(named(tmp_path / "none"), 5):
        pass


def test_new_folders_are_private_and_old_ones_keep_their_mode(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old").chmod(0o755)
    before = os.umask(0)
    try:
        files.make_folders(named(tmp_path / "old/a/b"))
    finally:
        os.umask(before)
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("old", "old/a", "old/a/b")] == [
        0o755, 0o700, 0o700,
    ]  # fmt: skip
    files.make_folders(named(tmp_path / "old/a/b"))


@pytest.mark.parametrize("in_the_way", ["file", "a link to nothing"])
def test_a_folder_cannot_be_made_where_something_else_is(tmp_path: Path, in_the_way: str) -> None:
    place = tmp_path / "place"
    place.write_bytes(b"") if in_the_way == "file" else place.symlink_to(tmp_path / "none")
    for folder in (place, place / "below"):
        with pytest.raises(OSError):
            files.make_folders(named(folder))
    assert names(tmp_path) == ["place"]


UID = os.geteuid()


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        (
            {"XDG_STATE_HOME": "/s", "HOME": "/h", "XDG_RUNTIME_DIR": "/r", "TMPDIR": "/t"},
            ["/s/git-credential-hf", "/r/git-credential-hf", f"/t/git-credential-hf-{UID}"],
        ),
        ({"HOME": "/h"}, ["/h/.local/state/git-credential-hf", f"/tmp/git-credential-hf-{UID}"]),
        ({"XDG_STATE_HOME": "", "HOME": "/h", "TMPDIR": ""}, [
            "/h/.local/state/git-credential-hf", f"/tmp/git-credential-hf-{UID}",
        ]),
        ({"XDG_STATE_HOME": "s", "XDG_RUNTIME_DIR": "r", "HOME": "/h"}, [f"/tmp/git-credential-hf-{UID}"]),
        # Without a home its place would be at the root of the file system.
        ({}, [f"/tmp/git-credential-hf-{UID}"]),
        ({"HOME": ""}, [f"/tmp/git-credential-hf-{UID}"]),
        # What is relative would be another folder in each repository that git runs us in.
        ({"HOME": "h", "TMPDIR": "t"}, [f"/tmp/git-credential-hf-{UID}"]),
    ],
)  # fmt: skip
def test_the_folders_of_our_own_in_their_order(environ: dict[str, str], expected: list[str]) -> None:
    given = {name.encode(): value.encode() for name, value in environ.items()}
    assert reading.own_folders(given) == [folder.encode() for folder in expected]


@pytest.mark.parametrize("mode", [0o700, 0o755, 0o770, 0o702, 0o777, 0o1777])
def test_a_folder_that_others_can_write_to_is_not_our_own(tmp_path: Path, mode: int) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own").chmod(mode)
    assert reading.is_own(named(tmp_path / "own")) == (mode == 0o700)


def test_a_link_or_a_file_or_nothing_is_not_our_own(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "own")
    (tmp_path / "file").write_bytes(b"")
    assert not any(reading.is_own(named(tmp_path / name)) for name in ("link", "file", "none"))


@pytest.mark.skipif(UID != 0, reason="NOT TESTED: another user's folder takes root to make")
def test_another_users_folder_is_not_our_own(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir(mode=0o700)
    os.chown(tmp_path / "own", 1000, -1)
    assert not reading.is_own(named(tmp_path / "own"))


def test_our_own_lock_is_in_the_first_folder_that_can_be_had(tmp_path: Path) -> None:
    (tmp_path / "state").write_bytes(b"no folder")
    (tmp_path / "run/git-credential-hf").mkdir(parents=True)
    (tmp_path / "run/git-credential-hf").chmod(0o777)
    environ = {
        b"XDG_STATE_HOME": named(tmp_path / "state"),
        b"XDG_RUNTIME_DIR": named(tmp_path / "run"),
        b"TMPDIR": named(tmp_path / "tmp"),
    }
    with files.own_lock(environ, 5):
        assert stat.S_IMODE((tmp_path / f"tmp/git-credential-hf-{UID}").stat().st_mode) == 0o700
    (tmp_path / f"tmp/git-credential-hf-{UID}").chmod(0o777)
    with files.own_lock(environ, 5):
        pass
