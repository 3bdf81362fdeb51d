"""Hugging Face's token file, as seed keeps it: the path and the bytes are huggingface_hub's."""

import errno
import os
import pwd
import stat

from git_credential_hf import files
from git_credential_hf.commands import Failed, shown
from git_credential_hf.sources.token_file import path
from git_credential_hf.token import clean, fingerprint

_WAIT = 10.0  # seconds, for another run that writes


class TokenCache:
    """The token file of one environment.

    Raises Failed where it must not be written: it, or the folder that it is to be in, belongs to another user, or
    something else than a regular file is in its place.
    """

    def __init__(self, environ: dict[bytes, bytes], command: str = "seed") -> None:
        file = path(environ)
        # Not abspath, which drops a `link/..` that the kernel follows.
        self.path = file if os.path.isabs(file) else os.path.join(os.getcwdb(), file)
        self.shown = shown(self.path)
        refuse_another_users(self._folder_above(), command)

    def put(self, token: bytes, *, force: bool = False, dry_run: bool = False) -> str:
        """Make `token` what the file holds, mode 0600; return the line that says what was done. Raises Failed."""
        try:
            if os.path.islink(self.path):
                return self._link(token)
            folder = os.path.dirname(self.path)
            if not os.access(self._folder_above(), os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            if dry_run:
                return self._replaced(token, force, dry_run)
            files.make_folders(folder)
            with files.Locked(folder, _WAIT):
                files.remove(files.unfinished(self.path))  # of a run that was killed: it may hold a token
                return self._replaced(token, force, dry_run)
        except OSError as error:
            raise Failed(
                f"the token cache {self.shown} cannot be written: {error.strerror}; mend that, or seed with --no-cache"
            ) from None

    def token(self) -> bytes | None:
        """Return the token that the file holds; None where it holds none, or is a link, which seed does not make."""
        return None if os.path.islink(self.path) else clean(files.read(self.path))

    def is_login(self, token: bytes) -> bool:
        """Whether `token` is one that `hf auth login` has in its list, which is beside the file and not seed's."""
        logins = files.read(os.path.join(os.path.dirname(self.path), b"stored_tokens"))
        return token in [line.partition(b"=")[2].strip() for line in logins.split(b"\n")]

    def remove(self, token: bytes) -> str:
        """Remove the file if it still holds `token`; return the line that says what was done. Raises Failed."""
        try:
            with files.Locked(os.path.dirname(self.path), _WAIT):
                if self.token() != token:
                    return f"token cache: changed in the meantime and left, {self.shown}"
                files.remove(files.unfinished(self.path))
                files.remove(self.path)
        except OSError as error:
            raise Failed(f"the token cache {self.shown} cannot be removed: {error.strerror}; mend that") from None
        return f"token cache: removed, token {fingerprint(token)}, {self.shown}"

    def _link(self, token: bytes) -> str:
        if clean(files.read(self.path)) == token:
            return f"token cache: unchanged, {self.shown}"
        raise Failed(
            f"the token cache {self.shown} is a symbolic link to something else: remove it, or seed with --no-cache"
        )

    def _replaced(self, token: bytes, force: bool, dry_run: bool) -> str:
        try:
            status = os.lstat(self.path)
        except FileNotFoundError:
            status = None
        before = None
        if status is not None:
            if not stat.S_ISREG(status.st_mode):
                raise Failed(f"the token cache {self.shown} is not a regular file: move away what is in its place")
            before = clean(files.read(self.path))
            if before == token and stat.S_IMODE(status.st_mode) == 0o600 and not force:
                return f"token cache: unchanged, {self.shown}"
        if not dry_run:
            files.replace(self.path, token)
        done = "would be written" if dry_run else "written"
        if before is not None and before != token:
            done += f" over another token ({fingerprint(before)})"
        return f"token cache: {done}, {self.shown}"

    def _folder_above(self) -> bytes:
        folder = os.path.dirname(self.path)
        while not os.path.isdir(folder) and folder != os.path.dirname(folder):
            folder = os.path.dirname(folder)
        return folder


def refuse_another_users(place: bytes, command: str = "seed") -> None:
    """Raise Failed where the folder `place` is another person's: what is put there would be ours, and in their way."""
    try:
        owner = os.stat(place).st_uid
    except OSError:
        return
    if owner in (os.geteuid(), 0):
        return
    try:
        name = pwd.getpwuid(owner).pw_name
    except KeyError:
        name = str(owner)
    raise Failed(
        f"{shown(place)} belongs to the user {name}, and you are another one: run "
        f"`runuser -u {name} -- git-credential-hf {command}` with the same options"
    )
