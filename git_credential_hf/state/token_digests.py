"""Files of ours that recognise a token without holding it.

The first line is a random key, each other line the hash of a token under that key and a time, in seconds since the
epoch. Without the key a hash could be compared with that of every token that somebody guesses; with it the file says
nothing about tokens that one does not have.
"""

import posix

from git_credential_hf.state import files, safe_read

_KEY_DIGITS = 64


def read(file: bytes) -> tuple[bytes, dict[bytes, int]]:
    """Return the key, a new one where there is none, and the times by their hashes; none where `file` is damaged."""
    key, *lines = safe_read.read(file).split(b"\n")
    if len(key) != _KEY_DIGITS:
        return posix.urandom(_KEY_DIGITS // 2).hex().encode(), {}
    times = {}
    for line in lines:
        digest, _, when = line.partition(b" ")
        if when.isdigit():
            times[digest] = int(when[:18])
    return key, times


def write(file: bytes, key: bytes, times: dict[bytes, int]) -> None:
    """Replace `file`, whose folder the caller has locked. Raises OSError."""
    lines = [key, *(b"%b %d" % line for line in times.items())]
    files.replace(file, b"\n".join(lines) + b"\n")


def digest(key: bytes, token: bytes) -> bytes:
    """Return the digest of `token` in a file with this key."""
    import hmac

    return hmac.new(key, token, "sha256").hexdigest().encode()
