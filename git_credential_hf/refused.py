"""Tokens that the Hub has refused, withheld for an hour so that neither git nor git-lfs offers them again and again.

A file remembers them, as keyed hashes and when each was refused (see keyed_hashes). It is `refused` in
$XDG_STATE_HOME/git-credential-hf, or where that cannot be written in $XDG_RUNTIME_DIR/git-credential-hf, or in a
folder of the user's own under the temporary directory.
"""

import time

from git_credential_hf import files, keyed_hashes, reading

FILE = b"refused"
HOLDS = 3600  # seconds

_WAIT = 0.5  # seconds, for another run that writes; then the next place will do


class CannotRemember(Exception):
    """There is no place where the file could be written."""


def is_refused(token: bytes, environ: dict[bytes, bytes]) -> bool:
    """Whether the Hub refused `token` within the last hour."""
    for file in reading.own_files(FILE, environ):
        key, refusals = _read(file)
        if refusals and keyed_hashes.digest(key, token) in refusals:
            return True
    return False


def remember(token: bytes, environ: dict[bytes, bytes]) -> None:
    """Note that the Hub has just refused `token`. Raises CannotRemember."""
    for folder in reading.own_folders(environ):
        file = folder + b"/" + FILE
        try:
            files.make_folders(folder)
            if not reading.is_own(folder):
                continue
            with files.Locked(folder, _WAIT):
                key, refusals = _read(file)
                keyed_hashes.write(file, key, refusals | {keyed_hashes.digest(key, token): int(time.time())})
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
                if refusals.pop(keyed_hashes.digest(key, token), None):
                    keyed_hashes.write(file, key, refusals)
        except OSError:
            raise CannotRemember from None


def _read(file: bytes) -> tuple[bytes, dict[bytes, int]]:
    """Return the key and what has been refused within the hour."""
    key, times = keyed_hashes.read(file)
    now = time.time()
    # A time that is yet to come is a clock that was set back: it must not withhold a token for years.
    return key, {digest: when for digest, when in times.items() if now - HOLDS < when <= now + HOLDS}
