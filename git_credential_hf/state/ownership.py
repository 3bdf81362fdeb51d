"""Who owns a file or folder: files that root or another user leaves there are a problem for its owner.

Source: user_namespaces(7), path_resolution(7).
"""

import posix

from git_credential_hf.state import HIDDEN, safe_read

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    import os

OTHERS_WRITE = 0o022

_GROUP_WRITES = 0o020
_ALL_WRITE = 0o002
_STICKY = 0o1000
_KIND = 0o170000
_LINK = 0o120000

_EVERY_UID = (1 << 32) - 1


def is_one_user(uid: int) -> bool:
    """Return whether `uid` is one user's, and not that of many.

    A user namespace shows every user that it does not know as HIDDEN, this process itself where it is not mapped. Of
    two that are shown so nothing says that they are one. Only where every uid is mapped, as on a machine outside of
    any namespace, it is a user like others: nobody.
    """
    return uid != HIDDEN or sum(map(len, _mapped())) == _EVERY_UID


def is_root_hidden() -> bool:
    """Return whether this user namespace shows root as HIDDEN, as that of a unit with PrivateUsers=yes does."""
    mapped = _mapped()
    return bool(mapped) and not any(0 in uids for uids in mapped)


def _mapped() -> list[range]:
    """Return the uids that this user namespace knows."""
    lines = [line.split() for line in safe_read.read(b"/proc/self/uid_map").splitlines()]
    return [range(int(first), int(first) + int(count)) for first, _, count in lines]


def is_put_by(owner: int, path: bytes, *, strictly: bool = True) -> bool:
    """Return whether nobody but the user, root and `owner` can have put what is at `path` there.

    strictly: whether no symbolic link of `owner`'s may lead there, and no folder that others may write to. In one of
    these, what is known to be the user's or root's was put there by them; in a sticky one that not all may write to,
    anything was. Raises OSError.
    """
    user = (0, posix.geteuid())
    folder, names = b"", (path if path.startswith(b"/") else posix.getcwdb() + b"/" + path).split(b"/")
    while names:
        if (name := names.pop(0)) in (b"", b"."):
            continue
        if name == b"..":
            folder = folder.rpartition(b"/")[0]
            continue
        mode, entry = posix.stat(folder or b"/").st_mode, posix.lstat(folder + b"/" + name)
        is_link = entry.st_mode & _KIND == _LINK
        is_known = entry.st_uid in user and (is_one_user(entry.st_uid) or mode & _STICKY)
        is_kept = not strictly and (is_known or (mode & _STICKY and not mode & _ALL_WRITE))
        is_theirs = entry.st_uid in (user if is_link and strictly else (owner, *user))
        if not is_theirs or (mode & OTHERS_WRITE and not is_kept):
            return False
        if is_link:
            target = posix.readlink(folder + b"/" + name)
            folder, names = b"" if target.startswith(b"/") else folder, target.split(b"/") + names
        else:
            folder += b"/" + name
    return True


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


def may_act_as(owner: int) -> bool:
    """Return whether this user is `owner`, or root where root has power over what is that user's."""
    return posix.geteuid() in (owner, 0) and is_one_user(owner)


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
    """Return the name of a user, empty for one without, and for what many are shown as."""
    if not is_one_user(user):
        return ""
    import pwd

    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return ""
