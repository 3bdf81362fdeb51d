"""Folders of our own: where they are, and which one nobody else can have put anything into."""

import os
from pathlib import Path

import pytest

from git_credential_hf.state import folders

UID = os.geteuid()


def named(path: Path) -> bytes:
    return os.fsencode(path)


LAST = [f"/dev/shm/git-credential-hf-{UID}", f"/var/tmp/git-credential-hf-{UID}"]
TEMPORARY = [f"/tmp/git-credential-hf-{UID}", *LAST]


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        (
            {"XDG_STATE_HOME": "/s", "HOME": "/h", "XDG_RUNTIME_DIR": "/r", "TMPDIR": "/t"},
            ["/s/git-credential-hf", "/r/git-credential-hf", f"/t/git-credential-hf-{UID}", *LAST],
        ),
        ({"HOME": "/h"}, ["/h/.local/state/git-credential-hf", *TEMPORARY]),
        ({"XDG_STATE_HOME": "", "HOME": "/h", "TMPDIR": ""}, ["/h/.local/state/git-credential-hf", *TEMPORARY]),
        ({"XDG_STATE_HOME": "s", "XDG_RUNTIME_DIR": "r", "HOME": "/h"}, TEMPORARY),
        # Without a home its place would be at the root of the file system.
        ({}, TEMPORARY),
        ({"HOME": ""}, TEMPORARY),
        # What is relative would be another folder in each repository that git runs us in.
        ({"HOME": "h", "TMPDIR": "t"}, TEMPORARY),
    ],
)
def test_the_folders_of_our_own_in_their_order(environ: dict[str, str], expected: list[str]) -> None:
    given = {name.encode(): value.encode() for name, value in environ.items()}
    assert folders.own_folders(given) == [folder.encode() for folder in expected]


@pytest.mark.parametrize("mode", [0o700, 0o755, 0o770, 0o702, 0o777, 0o1777])
def test_a_folder_that_others_can_write_to_is_not_our_own(tmp_path: Path, mode: int) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own").chmod(mode)
    assert folders.is_own(named(tmp_path / "own")) == (mode == 0o700)


def test_a_link_or_a_file_or_nothing_is_not_our_own(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "own")
    (tmp_path / "file").write_bytes(b"")
    assert not any(folders.is_own(named(tmp_path / name)) for name in ("link", "file", "none"))


@pytest.mark.skipif(UID != 0, reason="NOT TESTED: another user's folder takes root to make")
def test_another_users_folder_is_not_our_own(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir(mode=0o700)
    os.chown(tmp_path / "own", 1000, -1)
    assert not folders.is_own(named(tmp_path / "own"))
