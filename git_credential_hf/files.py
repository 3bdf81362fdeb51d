"""Replacing small private files, one run at a time.

What only reads is in `reading`, so that git need not wait for this.
"""

import posix

from git_credential_hf.reading import is_own, own_folders

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from contextlib import AbstractContextManager

_LOCK_PAUSE = 0.01  # seconds


class Locked:
    """A context in which no other run of this program that asks for the same folder is inside. Raises OSError.

    The lock ends with the process, however that ends. TimeoutError after `seconds`: a run that was stopped holds it.
    """

    def __init__(self, folder: bytes, seconds: float) -> None:
        self._folder = folder or b"."
        self._seconds = seconds

    def __enter__(self) -> None:
        import errno
        import fcntl
        import time

        self._descriptor = posix.open(self._folder, posix.O_RDONLY | posix.O_DIRECTORY | posix.O_CLOEXEC)
        try:
            for _ in range(max(1, int(self._seconds / _LOCK_PAUSE))):
                try:
                    return fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    time.sleep(_LOCK_PAUSE)
            raise TimeoutError(errno.ETIMEDOUT, "another run of git-credential-hf is at it and does not end")
        except BaseException:
            posix.close(self._descriptor)
            raise

    def __exit__(self, *_: object) -> None:
        posix.close(self._descriptor)


def replace(file: bytes, content: bytes, mode: int = 0o600) -> None:
    """Put `content` in `file`, with `mode`: at every instant it is the old file or the new one. Raises OSError.

    The caller holds the lock of its folder. A run that is killed may leave the new file under its other name, which
    the next run removes.
    """
    import os

    folder = os.path.dirname(file)
    new = unfinished(file)
    remove(new)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            os.fchmod(descriptor, mode)  # whatever the umask took away
            remaining = memoryview(content)
            while remaining:
                remaining = remaining[os.write(descriptor, remaining) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.rename(new, file)
    except BaseException:
        remove(new)
        raise
    folder_descriptor = os.open(folder or b".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder_descriptor)
    finally:
        os.close(folder_descriptor)


def unfinished(file: bytes) -> bytes:
    """Return the name that the new file has before it takes the place of `file`."""
    folder, slash, name = file.rpartition(b"/")
    return folder + slash + b"." + name + b".git-credential-hf"


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
        if is_own(folder):
            return Locked(folder, seconds)
    return nullcontext()


def remove(file: bytes) -> None:
    """Remove `file` if it is there. Raises OSError for any other reason that keeps it there."""
    try:
        posix.unlink(file)
    except FileNotFoundError:
        pass


def make_folders(folder: bytes) -> None:
    """Make `folder`, and what is missing above it, with mode 0700. Raises OSError."""
    import os

    if folder and not os.path.isdir(folder):
        make_folders(os.path.dirname(folder))
        try:
            os.mkdir(folder, 0o700)
            os.chmod(folder, 0o700)  # whatever the umask took away
        except FileExistsError:
            if not os.path.isdir(folder):
                raise
