"""Reads small files safely, whatever is at their path."""

import posix

MAX_SIZE = 1 << 16

_CHUNK = 4096  # a larger buffer costs more than reading again

_REGULAR = 0o100000
_KIND = 0o170000


def read(file: bytes, limit: int = MAX_SIZE) -> bytes:
    """Return what is in `file`, or nothing where it is no regular file, is over `limit` bytes or cannot be read."""
    try:
        # Without O_NONBLOCK a FIFO in the file's place would make git wait for ever.
        descriptor = posix.open(file, posix.O_RDONLY | posix.O_NONBLOCK | posix.O_CLOEXEC | posix.O_NOCTTY)
    except (OSError, ValueError):
        return b""
    try:
        if posix.fstat(descriptor).st_mode & _KIND != _REGULAR:
            return b""
        content = read_all(descriptor, limit)
    except OSError:
        return b""
    finally:
        posix.close(descriptor)
    return content if len(content) <= limit else b""


def read_all(descriptor: int, limit: int) -> bytes:
    """Return what `descriptor` gives up to its end, or the first `limit` + 1 bytes of more. Raises OSError."""
    content = b""
    while chunk := posix.read(descriptor, min(_CHUNK, limit + 1 - len(content))):
        content += chunk
    return content
