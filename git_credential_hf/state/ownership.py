"""Who owns a file or folder: files that root or another user leaves there are a problem for its owner."""

import posix

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    import os

_GROUP_WRITES = 0o020


def other_owner(place: bytes, *, or_root: bool = False) -> int | None:
    """Return the other user who owns `place`, or the nearest folder above it; None if it is this user's own.

    It also counts as this user's own if one of their groups may write to it, or if its owner has no name: in a
    container only the machine outside may know the owner of the home.

    or_root: whether root counts as another user.
    """
    status = nearest(place)[1]
    owner = status.st_uid
    if owner == posix.geteuid() or (owner == 0 and not or_root):
        return None
    if status.st_mode & _GROUP_WRITES and status.st_gid in (posix.getegid(), *posix.getgroups()):
        return None
    return owner if name(owner) else None


def nearest(place: bytes) -> "tuple[bytes, os.stat_result]":
    """Return `place`, or the nearest folder above it that exists, and its status."""
    while True:
        try:
            return place, posix.stat(place)
        except OSError:
            if place in (b"/", b"."):
                raise
            place = place.rstrip(b"/").rpartition(b"/")[0] or (b"/" if place.startswith(b"/") else b".")


def name(user: int) -> str:
    """Return the name of a user, empty for one without."""
    import pwd

    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return ""
