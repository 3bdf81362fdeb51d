"""Reading small files, which may be anything; and which of them this program can have put there itself."""

import posix

MAX_SIZE = 1 << 16

_CHUNK = 4096  # a larger buffer costs more than reading again

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
