"""Locks between runs of this program: on a folder, on one thing of many, and on all that one user has.

A lock is extra protection: on a file system without locks, the work is done without.
"""

import posix

from git_credential_hf.state.files import if_possible, made
from git_credential_hf.state.folders import own_folders

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

_PAUSE = 0.01  # seconds


class FolderLock:
    """A context in which no other run of this program that asks for the same folder is inside, where it can be locked.

    The lock ends with the process, however that ends. Raises TimeoutError after `seconds`, where a run that was
    stopped holds it, and OSError where the folder is not there.
    """

    def __init__(self, folder: bytes, seconds: float) -> None:
        self._folder = folder or b"."
        self._seconds = seconds
        self._descriptor: int | None = None

    def __enter__(self) -> None:
        import fcntl

        try:
            self._descriptor = descriptor = posix.open(
                self._folder, posix.O_RDONLY | posix.O_DIRECTORY | posix.O_CLOEXEC
            )
        except PermissionError:
            return  # whoever may write there need not be able to read it
        try:
            _take(lambda: fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB), self._seconds)
        except TimeoutError:
            self.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        if self._descriptor is not None:
            posix.close(self._descriptor)


class KeyLocks:
    """Locks on many things, by the SHA-256 of each: record locks (fcntl(2)) on `file`, one byte for each thing.

    They end with close() or the process, and where this process opens the file once more and closes that. OSError where
    the file cannot be made.
    """

    def __init__(self, file: bytes) -> None:
        flags = posix.O_RDWR | posix.O_CREAT | posix.O_CLOEXEC | posix.O_NOFOLLOW
        self._descriptor = posix.open(file, flags, 0o600)
        if_possible(posix.fchmod, self._descriptor, 0o600)  # which a umask may have changed

    def close(self) -> None:
        posix.close(self._descriptor)

    def take(self, key: bytes, seconds: float) -> None:
        """Take the lock on `key`, hexadecimal digits. Raises TimeoutError after `seconds`, where another run has it."""
        import fcntl

        offset = int(key[:15], 16)  # 60 bits: an offset has 63
        _take(lambda: fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, offset), seconds)


def _take(attempt: "Callable[[], None]", seconds: float) -> None:
    """Try until there is a lock, or no locks are to be had there. Raises TimeoutError."""
    import errno
    import time

    deadline = time.monotonic() + seconds
    while True:
        try:
            return attempt()
        except BlockingIOError:
            if time.monotonic() >= deadline:
                break
            time.sleep(_PAUSE)
        except OSError:
            return None
    raise TimeoutError(errno.ETIMEDOUT, "another run of git-credential-hf is at it and does not end")


def own_lock(environ: dict[bytes, bytes], seconds: float) -> "AbstractContextManager[None]":
    """Return a context that one run of this user's is in at a time, or any number where no folder can be locked.

    TimeoutError where another run is in it for longer than `seconds`.
    """
    from contextlib import nullcontext

    for folder in made(own_folders(environ)):
        if _has_locks(folder):
            return FolderLock(folder, seconds)
    return nullcontext()


def _has_locks(folder: bytes) -> bool:
    import fcntl

    try:
        descriptor = posix.open(folder, posix.O_RDONLY | posix.O_DIRECTORY | posix.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    except OSError:
        return False
    finally:
        posix.close(descriptor)
    return True
