"""Replacing small private files: what they are then, and what is left behind."""

import os
import stat
from pathlib import Path

import pytest

from git_credential_hf.state import files, locks


def named(path: Path) -> bytes:
    return os.fsencode(path)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


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
    assert Path("f").read_bytes() == b"new"
    with locks.FolderLock(b"", 5):
        pass


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
