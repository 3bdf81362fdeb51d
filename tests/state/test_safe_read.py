"""Reading small files, which may be anything."""

import os
import socket
import threading
from pathlib import Path

import pytest

from git_credential_hf.state import safe_read


def named(path: Path) -> bytes:
    return os.fsencode(path)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536])
def test_a_file_is_read_up_to_64_kib(tmp_path: Path, size: int) -> None:
    (tmp_path / "f").write_bytes(b"x" * size)
    assert safe_read.read(named(tmp_path / "f")) == b"x" * size


def test_what_is_larger_is_nothing(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x" * 65_537)
    assert safe_read.read(named(tmp_path / "f")) == b""


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
    assert safe_read.read(kind.encode()) == b""


def test_reading_leaves_no_file_open(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x")
    os.mkfifo(tmp_path / "fifo")
    before = names(Path("/proc/self/fd"))
    for name in ("f", "fifo", "none"):
        safe_read.read(named(tmp_path / name))
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
        assert safe_read.read_all(reader, limit) == expected
        feeder.join()
        os.close(reader)
