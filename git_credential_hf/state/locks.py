"""Locks between runs of this program: on a folder, and on all that one user has.

A lock is extra protection: on a file system without locks, the work is done without.
"""

import posix

from git_credential_hf.state.files import make_folders
from git_credential_hf.state.folders import is_own, own_folders

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
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
        import errno
        import fcntl
        import time

        try:
            self._descriptor = posix.open(self._folder, posix.O_RDONLY | posix.O_DIRECTORY | posix.O_CLOEXEC)
        except PermissionError:
            return  # whoever may write there need not be able to read it
        deadline = time.monotonic() + self._seconds
        while True:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    break
                time.sleep(_PAUSE)
                continue
            except OSError:
                pass  # there are no locks here
            return
        self.__exit__()
        raise TimeoutError(errno.ETIMEDOUT, "another run of git-credential-hf is at it and does not end")

    def __exit__(self, *_: object) -> None:
        if self._descriptor is not None:
            posix.close(self._descriptor)


def own_lock(environ: dict[bytes, bytes], seconds: float) -> "AbstractContextManager[None]":
    """Return a context that one run of this user's is in at a time, or any number where no folder can be locked.

    TimeoutError where another run is in it for longer than `seconds`.
    """
    from contextlib import nullcontext

    for folder in own_folders(environ):
        try:
            make_folders(folder)
        except OSError:
            continue
        if is_own(folder) and _has_locks(folder):
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
