"""Whose a place is: what root or another user would leave in it is in its owner's way."""

import posix

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    import os

_GROUP_WRITES = 0o020


def other_owner(place: bytes, *, or_root: bool = False) -> int | None:
    """Return the user, somebody else, whom `place` belongs to, or what is nearest above it; None where it is one's own.

    One's own is also what a group of one's may write to, and what belongs to a user without a name: in a container
    the home is often somebody's whom only the machine outside knows.

    or_root: whether root is somebody else, too.
    """
    status = nearest(place)[1]
    owner = status.st_uid
    if owner == posix.geteuid() or (owner == 0 and not or_root):
        return None
    if status.st_mode & _GROUP_WRITES and status.st_gid in (posix.getegid(), *posix.getgroups()):
        return None
    return owner if name(owner) else None


def nearest(place: bytes) -> "tuple[bytes, os.stat_result]":
    """Return `place`, or what is there of the folders above it, and its status."""
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
