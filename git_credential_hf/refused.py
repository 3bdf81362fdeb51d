"""Tokens that the Hub has refused, withheld for an hour so that neither git nor git-lfs offers them again and again.

A file remembers them, as keyed hashes: it tells a token that is shown to it, and no more. It is `refused` in
$XDG_STATE_HOME/git-credential-hf, or where that cannot be written in $XDG_RUNTIME_DIR/git-credential-hf, or in a
folder of the user's own under the temporary directory. Its first line is the key, each other line a hash and when it
was refused, in seconds since the epoch.
"""

import time

from git_credential_hf import files, reading

FILE = b"refused"
HOLDS = 3600  # seconds

_KEY_DIGITS = 64
_WAIT = 0.5  # seconds, for another run that writes; then the next place will do


class CannotRemember(Exception):
    """There is no place where the file could be written."""


def is_refused(token: bytes, environ: dict[bytes, bytes]) -> bool:
    """Whether the Hub refused `token` within the last hour."""
    for file in reading.own_files(FILE, environ):
        key, refusals = _read(file)
        if refusals and _digest(key, token) in refusals:
            return True
    return False


def remember(token: bytes, environ: dict[bytes, bytes]) -> None:
    """Note that the Hub has just refused `token`. Raises CannotRemember."""
    import os

    for folder in reading.own_folders(environ):
        file = folder + b"/" + FILE
        try:
            files.make_folders(folder)
            if not reading.is_own(folder):
                continue
            with files.Locked(folder, _WAIT):
                key, refusals = _read(file)
                key = key or os.urandom(_KEY_DIGITS // 2).hex().encode()
                _write(file, key, refusals | {_digest(key, token): int(time.time())})
            return
        except OSError:
            continue
    raise CannotRemember


def forget(token: bytes, environ: dict[bytes, bytes]) -> None:
    """Let `token` be given again, if it was refused. Raises CannotRemember where that cannot be written."""
    for file in reading.own_files(FILE, environ):
        try:
            with files.Locked(file.rpartition(b"/")[0], _WAIT):
                key, refusals = _read(file)
                if refusals.pop(_digest(key, token), None):
                    _write(file, key, refusals)
        except OSError:
            raise CannotRemember from None


def _read(file: bytes) -> tuple[bytes, dict[bytes, int]]:
    """Return the key and what has been refused within the hour; nothing of either where the file is damaged."""
    key, *lines = reading.read(file).split(b"\n")
    if len(key) != _KEY_DIGITS:
        return b"", {}
    now = time.time()
    refusals = {}
    for line in lines:
        digest, _, when = line.partition(b" ")
        # A time that is yet to come is a clock that was set back: it must not withhold a token for years.
        if when.isdigit() and now - HOLDS < int(when[:18]) <= now + HOLDS:
            refusals[digest] = int(when)
    return key, refusals


def _write(file: bytes, key: bytes, refusals: dict[bytes, int]) -> None:
    lines = [key, *(b"%b %d" % refusal for refusal in refusals.items())]
    files.replace(file, b"\n".join(lines) + b"\n")


def _digest(key: bytes, token: bytes) -> bytes:
    import hmac

    return hmac.new(key, token, "sha256").hexdigest().encode()
