"""Whose home and whose files these are: what root or another user would leave in them is in their owner's way."""

import os
import pwd

from git_credential_hf.cli.output import Failed, shown


def refuse_another_users(place: str | bytes, command: str, *, or_roots: bool = False) -> None:
    """Raise Failed where the file or folder `place` is another user's; with `or_roots`, also where it is root's."""
    try:
        owner = os.stat(place).st_uid
    except OSError:
        return
    if owner == os.geteuid() or (owner == 0 and not or_roots):
        return
    name = _name(owner)
    raise Failed(
        f"{shown(place)} belongs to the user {name}, and you are another one: run "
        f"`runuser -u {name} -- git-credential-hf {command}` with the same options"
    )


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)
