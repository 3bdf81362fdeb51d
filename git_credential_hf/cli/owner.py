"""Whose home and files these are: a file that root or another user leaves there is a problem for their owner."""

import os
import pwd
import shlex
from collections.abc import Mapping

from git_credential_hf.cli.output import Failed, quoted, shown
from git_credential_hf.state import ownership


def check_home(environ: dict[bytes, bytes], command: str) -> None:
    """Raise Failed where there is no home, or where it is that of another user (see ownership.other_owner)."""
    home = home_of(environ)
    if home is None:
        raise Failed(
            f"there is no home for the token: HOME is not set, and the user {os.geteuid()} is not known here. "
            "Run `export HOME=FOLDER` with a folder of your own, and this again"
        )
    refuse_another_users(home, command)


def refuse_another_users(place: str | bytes, command: str, *, or_root: bool = False) -> None:
    """Raise Failed where the file or folder `place` is another user's; with `or_root`, also where it is root's."""
    owner = ownership.other_owner(os.fsencode(place), or_root=or_root)
    if owner is None:
        return
    name = shown(ownership.name(owner))
    if os.geteuid() == 0:
        remedy = f"run `{_as_user(owner)}git-credential-hf {command}` with the same options"
    else:
        own = home_of({})
        remedy = f"run `HOME={quoted(own or b'FOLDER')} git-credential-hf {command}`"
    raise Failed(f"{shown(place)} belongs to the user {name}, and you are another one: {remedy}")


def as_owner(environ: Mapping[bytes, bytes], file: bytes | None = None) -> str:
    """Return what root puts before a command that changes something in the home, or `file`; empty where root may run it
    itself (see check_home).
    """
    place = file or home_of(environ)
    other = ownership.other_owner(place) if place is not None and os.geteuid() == 0 else None
    return "" if other is None else _as_user(other)


def _as_user(user: int) -> str:
    return f"runuser -u {shlex.quote(shown(ownership.name(user)))} -- "


def check_token_file(file: bytes, environ: dict[bytes, bytes]) -> None:
    """Raise Failed where the token file would be in a folder of somebody else's, or in the place of their file.

    Outside of one's home a folder that one's group may write to is somebody else's still: a group shares models
    there, and no token.
    """
    home = (home_of(environ) or b"/").rstrip(b"/") + b"/"
    folder, status = ownership.nearest(os.path.dirname(file))
    places = {folder: status}
    if os.path.lexists(file):
        places[file] = os.lstat(file)
    for place, status in places.items():
        is_known = ownership.is_one_user(status.st_uid) or status.st_uid == ownership.nearest(home)[1].st_uid
        if file.startswith(home) and is_known and ownership.other_owner(place) is None:
            continue
        if not is_trusted(place, status, environ):
            name = ownership.name(status.st_uid) or str(status.st_uid)
            raise Failed(
                f"{shown(place)} belongs to the user {shown(name)}, who shares it, so it is no place for your token: "
                "set HF_TOKEN_PATH to a file in a folder of your own, and run this again"
            )


def is_trusted(
    file: bytes, status: os.stat_result, environ: Mapping[bytes, bytes], *, or_nameless: bool = False
) -> bool:
    """Return whether what is at `file` is one's own, or root's, or of whoever has the home that is one's own (see
    ownership.other_owner).

    A user namespace shows many users as one: root, whoever has the home, and somebody who may be hostile. What is
    theirs is trusted where nobody else can have written it or put it there.
    or_nameless: whether it may also belong to a user without a name. Raises OSError.
    """
    owner = status.st_uid
    is_one_user = ownership.is_one_user(owner)
    if owner in (os.geteuid(), 0) and is_one_user:
        return True
    home = home_of(environ)
    is_homes = home is not None and ownership.nearest(home)[1].st_uid == owner and ownership.other_owner(home) is None
    expected = is_homes or (or_nameless and not ownership.name(owner))
    if is_one_user:
        return expected
    is_safe = not status.st_mode & ownership.OTHERS_WRITE and ownership.is_put_by(owner, file, strictly=False)
    return is_safe and (expected or ownership.is_root_hidden())


def home_of(environ: Mapping[bytes, bytes]) -> bytes | None:
    """Return the home, as the shell's `~`, or None if there is none."""
    if home := environ.get(b"HOME"):
        return home
    try:
        return os.fsencode(pwd.getpwuid(os.geteuid()).pw_dir)
    except KeyError:
        return None
