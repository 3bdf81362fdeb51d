"""Reading and replacing small private files."""

import posix

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from contextlib import AbstractContextManager

MAX_SIZE = 1 << 16

_CHUNK = 4096  # a larger buffer costs more than reading again

_LOCK_PAUSE = 0.01  # seconds

_REGULAR = 0o100000
_KIND = 0o170000


def read(file: bytes) -> bytes:
    """Return what is in `file`, or nothing where it is no regular file, is over 64 KiB or cannot be read."""
    try:
        # Without O_NONBLOCK a FIFO in the file's place would make git wait for ever.
        descriptor = posix.open(file, posix.O_RDONLY | posix.O_NONBLOCK | posix.O_CLOEXEC | posix.O_NOCTTY)
    except (OSError, ValueError):
        return b""
    try:
        if posix.fstat(descriptor).st_mode & _KIND != _REGULAR:
            return b""
        content = read_all(descriptor, MAX_SIZE)
    except OSError:
        return b""
    finally:
        posix.close(descriptor)
    return content if len(content) <= MAX_SIZE else b""


def read_all(descriptor: int, limit: int) -> bytes:
    """Return what `descriptor` gives up to its end, or the first `limit` + 1 bytes of more. Raises OSError."""
    content = b""
    while chunk := posix.read(descriptor, min(_CHUNK, limit + 1 - len(content))):
        content += chunk
    return content


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


def replace(file: bytes, content: bytes) -> None:
    """Put `content` in `file`, mode 0600: at every instant it is the old file or the new one. Raises OSError.

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
            os.fchmod(descriptor, 0o600)  # whatever the umask took away
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


def own_folders(environ: dict[bytes, bytes]) -> list[bytes]:
    """Return where this program may keep what is its own, the preferred place first: none need be there."""
    home = environ.get(b"HOME", b"")
    if not _may_be_ours(home):  # sudo keeps it: what is put there would be root's, and in the way
        home = b""
    state = environ.get(b"XDG_STATE_HOME") or (home and home + b"/.local/state")
    temporary = environ.get(b"TMPDIR", b"")
    # A relative place would be another one in each folder that this is run in.
    places = [place for place in (state, environ.get(b"XDG_RUNTIME_DIR")) if place and place.startswith(b"/")]
    return [
        *(place + b"/git-credential-hf" for place in places),
        (temporary if temporary.startswith(b"/") else b"/tmp") + b"/git-credential-hf-%d" % posix.geteuid(),
    ]


def _may_be_ours(folder: bytes) -> bool:
    try:
        return posix.stat(folder).st_uid == posix.geteuid()
    except OSError:
        return True


def is_own(folder: bytes) -> bool:
    """Whether `folder` is a directory that is the user's alone."""
    try:
        status = posix.lstat(folder)
    except OSError:
        return False
    return status.st_uid == posix.geteuid() and status.st_mode & 0o170077 == 0o040000


def own_files(name: bytes, environ: dict[bytes, bytes]) -> list[bytes]:
    """Return the files called `name` that this program keeps, which nobody else can have put there."""
    return [
        folder + b"/" + name
        for folder in own_folders(environ)
        if is_own(folder) and posix.access(folder + b"/" + name, posix.F_OK)
    ]


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
