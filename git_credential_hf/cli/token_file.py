"""Hugging Face's token file, as seed keeps it: the path and the bytes are huggingface_hub's."""

import errno
import os
import stat
import time
from typing import NamedTuple

from git_credential_hf.cli import owner
from git_credential_hf.cli.output import Failed, quoted, shown, shown_token
from git_credential_hf.model.token import of_hub
from git_credential_hf.sources.token_file import DECLARED, TYPED, is_declared, path
from git_credential_hf.state import files, folders, locks, ownership, safe_read, token_digests

# What was done, or with a dry run would be.
WRITTEN = "written"
REMOVED = "removed"
UNCHANGED = "unchanged"  # nothing was to be done
LEFT = "left"  # somebody else put the token there, or a link to it

_WAIT = 10.0  # seconds, for another run that writes


class Done(NamedTuple):
    """What was done with the token file: one of these above, and the line for a person."""

    what: str
    line: str


class NotStored(Failed):
    """The token file cannot take the token, which the caller may store elsewhere; the text ends with what to fix.

    is_closed: whether this user may not write there. why: the reason alone, empty for a symbolic link.
    """

    is_closed = False
    why = ""


class TokenFile:
    """The token file of one environment.

    Raises Failed where it must not be written: it, or the folder that it is to be in, belongs to another user, or
    something else than a regular file is in its place.
    """

    def __init__(self, environ: dict[bytes, bytes]) -> None:
        file = path(environ)
        # Not abspath, which drops a `link/..` that the kernel follows.
        self.path = file if os.path.isabs(file) else os.path.join(os.getcwdb(), file)
        self.environ = environ
        self.shown = shown(self.path)
        owner.check_token_file(self.path, environ)

    def put(self, token: bytes, *, force: bool = False, dry_run: bool = False) -> Done:
        """Make `token` what the file holds, mode 0600. Raises NotStored or Failed."""
        try:
            if os.path.islink(self.path):
                return self._link(token)
            folder = os.path.dirname(self.path)
            if not os.path.isdir(folder):
                self._check_folder()
            if dry_run:
                return self._replaced(token, force, dry_run)
            files.make_folders(folder)
            with locks.FolderLock(folder, _WAIT):
                files.remove_unfinished(self.path)  # of a run that was killed: it may hold a token
                return self._replaced(token, force, dry_run)
        except OSError as error:
            failure = NotStored(f"the token file {self.shown} cannot be written: {_why(error)}; fix that")
            failure.is_closed = error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY)
            failure.why = _why(error)
            raise failure from None

    def token(self) -> bytes | None:
        """Return the token that the file holds; None where it holds none, or is a link, which seed does not make."""
        return None if os.path.islink(self.path) else of_hub(safe_read.read(self.path))

    def link(self) -> str | None:
        """Return the line about a symbolic link in its place that leads to a token: it is left; None without one."""
        token = of_hub(safe_read.read(self.path)) if os.path.islink(self.path) else None
        if token is None:
            return None
        remedy = "unset HF_TOKEN_PATH" if self.environ.get(b"HF_TOKEN_PATH") else f"rm {quoted(self.path)}"
        return f"token file: left, since it is a symbolic link, token {shown_token(token)}, {self.shown}. Try: {remedy}"

    def remove(self, token: bytes) -> str:
        """Remove the file if it still holds `token`; return the line that says what was done. Raises Failed."""
        try:
            with locks.FolderLock(os.path.dirname(self.path), _WAIT):
                if self.token() != token:
                    return f"token file: changed in the meantime and left, {self.shown}"
                files.remove_unfinished(self.path)
                files.remove(self.path)
        except OSError as error:
            raise Failed(f"the token file {self.shown} cannot be removed: {_why(error)}; fix that") from None
        return f"token file: removed, token {shown_token(token)}, {self.shown}"

    def put_declared(self, token: bytes, *, force: bool = False, dry_run: bool = False) -> Done:
        """Do what put does, and remember that the token is from tokens.toml; the caller is in locks.own_lock."""
        if not dry_run:
            tokens = [token]
            if (before := self.token()) and is_declared(before, self.environ):
                tokens.append(before)
            # Before it is written, and beside the one that it replaces, so that a run that is killed forgets neither.
            _remember(DECLARED, tokens, self.environ)
        return self.put(token, force=force, dry_run=dry_run)

    def remember_typed(self, token: bytes) -> None:
        """Remember that the token is from login, also where no item has it; the caller is in locks.own_lock."""
        try:
            _remember(TYPED, [token], self.environ)
        except Failed:
            pass  # forget then takes the token for somebody else's

    def withdraw(self, *, dry_run: bool = False) -> Done | None:
        """Remove the file if it holds what put_declared wrote; return None where there is none.

        The caller is in locks.own_lock. Raises Failed.
        """
        done = None
        token = self.token()
        if token and is_declared(token, self.environ):
            would_be = f"token file: would be removed, token {shown_token(token)}, {self.shown}"
            done = Done(REMOVED, would_be if dry_run else self.remove(token))
        elif token:
            done = Done(LEFT, f"token file: left, since what it holds is not from tokens.toml, {self.shown}")
        elif line := self.link():
            done = Done(LEFT, line)
        if not dry_run:
            forget_declared(self.environ)
        return done

    def _link(self, token: bytes) -> Done:
        if of_hub(safe_read.read(self.path)) == token:
            return self._unchanged()
        remedy = self._another_file() or "remove it"
        failure = NotStored(f"the token file {self.shown} is a symbolic link to something else: {remedy}")
        failure.is_closed = not os.access(os.path.dirname(self.path), os.W_OK)
        raise failure

    def _another_file(self) -> str:
        """Return how a person has another token file where a variable names this one, as /dev/null or a folder."""
        return "run `unset HF_TOKEN_PATH`, and this again" if self.environ.get(b"HF_TOKEN_PATH") else ""

    def _unchanged(self) -> Done:
        return Done(UNCHANGED, f"token file: unchanged, {self.shown}")

    def _replaced(self, token: bytes, force: bool, dry_run: bool) -> Done:
        try:
            status = os.lstat(self.path)
        except FileNotFoundError:
            status = None
        before = None
        if status is not None:
            if not stat.S_ISREG(status.st_mode):
                remedy = self._another_file() or "move away what is in its place"
                raise Failed(f"the token file {self.shown} is not a regular file: {remedy}")
            before = of_hub(safe_read.read(self.path))
            if before == token and not force and self._is_private(status, dry_run):
                return self._unchanged()
        self._check_folder()
        if status is not None and files.is_mounted(self.path):  # as the rename would have it
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        if not dry_run:
            files.replace(self.path, token)
        done = "would be written" if dry_run else "written"
        if before is not None and before != token:
            done += f" over another token ({shown_token(before)})"
        return Done(WRITTEN, f"token file: {done}, {self.shown}")

    def _is_private(self, status: os.stat_result, dry_run: bool) -> bool:
        """Return whether the file is the user's alone, or on a file system where that cannot be had."""
        if stat.S_IMODE(status.st_mode) == 0o600 or not files.has_modes(self.path):
            return True
        if status.st_uid != os.geteuid() or dry_run:
            return False
        files.if_possible(os.chmod, self.path, 0o600)
        return os.lstat(self.path).st_mode == status.st_mode

    def _check_folder(self) -> None:
        """Raise OSError where the file cannot be in its folder: what a dry run says is true, too."""
        folder = os.path.dirname(self.path)
        in_the_way = b""
        while not os.path.isdir(folder):
            if os.path.lexists(folder):
                in_the_way = folder
            folder = os.path.dirname(folder)
        if in_the_way:
            what = "a symbolic link that leads to no folder" if os.path.islink(in_the_way) else "no folder"
            raise NotADirectoryError(errno.ENOTDIR, f"{shown(in_the_way)} is {what}")
        if not os.access(folder, os.W_OK | os.X_OK):
            is_read_only = os.statvfs(folder).f_flag & os.ST_RDONLY
            reason = errno.EROFS if is_read_only else errno.EACCES
            raise OSError(reason, os.strerror(reason))


def other_place(environ: dict[bytes, bytes]) -> str | None:
    """Return the path of another token file, which can be written, in a folder of ours; None where there is none."""
    for folder in folders.own_folders(environ):
        file = folder + b"/huggingface/token"  # the folder itself is what locks.own_lock locks
        is_own = folders.is_own(folder) or not os.path.lexists(folder)
        has_modes = files.has_modes(ownership.nearest(folder)[0])
        if is_own and has_modes and refusal(environ | {b"HF_TOKEN_PATH": file}) is None:
            return os.fsdecode(file)
    return None


def unreadable(file: bytes) -> str:
    """Return why the token file may not be read, with whose it is; empty where it may, or is not there."""
    try:
        os.close(os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY))
    except PermissionError as error:
        place, status = ownership.nearest(os.path.realpath(file))
        user = ownership.name(status.st_uid) or f"with the uid {status.st_uid}"
        return f"{error.strerror} ({shown(place)} belongs to the user {shown(user)})"
    except OSError:
        pass
    return ""


def refusal(environ: dict[bytes, bytes]) -> NotStored | None:
    """Return why the token file could not take a new token, None where it could."""
    try:
        TokenFile(environ).put(b"", dry_run=True)
    except NotStored as failure:
        return failure
    except Failed as error:
        of_others = NotStored(str(error))
        of_others.is_closed = True
        return of_others
    return None


def _why(error: OSError) -> str:
    if error.errno == errno.EBUSY:
        return "it is mounted by itself, so it cannot be replaced at once; mount its folder instead"
    return error.strerror or str(error)


def has_declared(environ: dict[bytes, bytes]) -> bool:
    """Return whether put_declared was the last to write the token file."""
    return bool(folders.own_files(DECLARED, environ))


def forget_declared(environ: dict[bytes, bytes]) -> None:
    """Treat the token file's token as the person's own from now on. Raises Failed."""
    for file in folders.own_files(DECLARED, environ):
        try:
            files.remove(file)
        except OSError as error:
            raise Failed(f"{shown(file)} cannot be removed: {error.strerror}; remove it, and seed again") from None


def _remember(name: bytes, tokens: list[bytes], environ: dict[bytes, bytes]) -> None:
    reason = "there is no place for it"
    for folder in folders.own_folders(environ):
        file = folder + b"/" + name
        try:
            files.make_folders(folder)
            if folders.is_own(folder):
                key, times = token_digests.read(file)
                digests = [token_digests.digest(key, token) for token in tokens]
                if not times.keys() >= set(digests):
                    token_digests.write(file, key, dict.fromkeys(digests, int(time.time())))
                return
        except OSError as error:
            reason = error.strerror or reason
    raise NotStored(
        f"what tokens.toml has put into the token file cannot be remembered ({reason}): "
        "set XDG_STATE_HOME to a folder that can be written"
    )
