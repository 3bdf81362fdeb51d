"""Tokens that a server has rejected, so that neither git nor git-lfs offers them again and again.

A file remembers them, as keyed hashes and when each was rejected (see token_digests). It is `rejected` in the first of
folders.own_folders that can be written. A token that was rejected for one repository is rejected for that one; once a
second repository has rejected it, or a request that names none, it is rejected for all.
"""

import time

from git_credential_hf.state import files, folders, locks, token_digests

HOLDS = 3600  # seconds

SKIPPED = "skipped"  # it was rejected within the hour
LAST = "last"  # it was rejected before that, and has neither been accepted nor seeded since

_MOST = 256  # entries in the file

_WAIT = 0.5  # seconds, for another run that writes; then the next folder is tried


class CannotRemember(Exception):
    """There is no place where the file could be written."""


def state(server: bytes, token: bytes, repository: bytes, environ: dict[bytes, bytes]) -> str:
    """Return SKIPPED, LAST or nothing for `token` in a request to `server`.

    repository: the one that the request is for, empty where it names none.
    """
    found = ""
    for file in folders.own_files(folders.REJECTED, environ):
        key, times = _read(file)
        if not times:
            continue
        names = [_name(key, server, token), _name(key, server, token, repository)]
        for when in (times[name] for name in names if name in times):
            if when > time.time() - HOLDS:
                return SKIPPED
            found = LAST
    return found


def remember(server: bytes, token: bytes, repository: bytes, environ: dict[bytes, bytes]) -> None:
    """Note that `server` has just rejected `token` for `repository`, empty for all. Raises CannotRemember."""
    for folder in files.made(folders.own_folders(environ)):
        file = folder + b"/" + folders.REJECTED
        try:
            with locks.FolderLock(folder, _WAIT):
                key, times = _read(file)
                name = _name(key, server, token, repository)
                before = _of_token(times, _name(key, server, token))
                if before - {name}:
                    name = _name(key, server, token)
                times = {other: when for other, when in times.items() if other not in before}
                newest = sorted(times, key=times.__getitem__)[1 - _MOST :]
                token_digests.write(file, key, {other: times[other] for other in newest} | {name: int(time.time())})
            return
        except OSError:
            continue
    raise CannotRemember


def forget(server: bytes, token: bytes, environ: dict[bytes, bytes]) -> None:
    """Let `token` be given again, if it was rejected. Raises CannotRemember with the file that cannot be written."""
    for file in folders.own_files(folders.REJECTED, environ):
        try:
            with locks.FolderLock(file.rpartition(b"/")[0], _WAIT):
                key, times = _read(file)
                gone = _of_token(times, _name(key, server, token))
                left = {name: when for name, when in times.items() if name not in gone}
                if not left:  # git waits less where there is no file
                    files.remove(file)
                elif gone:
                    token_digests.write(file, key, left)
        except OSError:
            raise CannotRemember(file) from None


def _name(key: bytes, server: bytes, token: bytes, repository: bytes = b"") -> bytes:
    """Return the digest of a token that is rejected for all repositories, or for one."""
    whole = token_digests.digest(key, server + b"\0" + token)
    return whole + b"/" + token_digests.digest(key, repository) if repository else whole


def _of_token(times: dict[bytes, int], whole: bytes) -> set[bytes]:
    return {name for name in times if name.startswith(whole)}


def _read(file: bytes) -> tuple[bytes, dict[bytes, int]]:
    """Return the key, and when each was rejected."""
    key, times = token_digests.read(file)
    now = time.time()
    # A time further ahead is a clock that was set back: it must not skip a token for years.
    return key, {name: when for name, when in times.items() if when <= now + HOLDS}
