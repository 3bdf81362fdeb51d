"""Tokens that the Hub has rejected, skipped for an hour so that neither git nor git-lfs offers them again and again.

A file remembers them, as keyed hashes and when each was rejected (see token_digests). It is `rejected` in
$XDG_STATE_HOME/git-credential-hf, or where that cannot be written in $XDG_RUNTIME_DIR/git-credential-hf, or in a
folder of the user's own under the temporary directory (see folders).
"""

import time

from git_credential_hf.state import files, folders, locks, token_digests

FILE = b"rejected"
HOLDS = 3600  # seconds

_WAIT = 0.5  # seconds, for another run that writes; then the next place will do


class CannotRemember(Exception):
    """There is no place where the file could be written."""


def is_rejected(token: bytes, environ: dict[bytes, bytes]) -> bool:
    """Return whether the Hub rejected `token` within the last hour."""
    for file in folders.own_files(FILE, environ):
        key, times = _read(file)
        if times and token_digests.digest(key, token) in times:
            return True
    return False


def remember(token: bytes, environ: dict[bytes, bytes]) -> None:
    """Note that the Hub has just rejected `token`. Raises CannotRemember."""
    for folder in folders.own_folders(environ):
        file = folder + b"/" + FILE
        try:
            files.make_folders(folder)
            if not folders.is_own(folder):
                continue
            with locks.FolderLock(folder, _WAIT):
                key, times = _read(file)
                token_digests.write(file, key, times | {token_digests.digest(key, token): int(time.time())})
            return
        except OSError:
            continue
    raise CannotRemember


def forget(token: bytes, environ: dict[bytes, bytes]) -> None:
    """Let `token` be given again, if it was rejected. Raises CannotRemember where that cannot be written."""
    for file in folders.own_files(FILE, environ):
        try:
            with locks.FolderLock(file.rpartition(b"/")[0], _WAIT):
                key, times = _read(file)
                if times.pop(token_digests.digest(key, token), None):
                    token_digests.write(file, key, times)
        except OSError:
            raise CannotRemember from None


def _read(file: bytes) -> tuple[bytes, dict[bytes, int]]:
    """Return the key and what has been rejected within the hour."""
    key, times = token_digests.read(file)
    now = time.time()
    # A time that is yet to come is a clock that was set back: it must not withhold a token for years.
    return key, {digest: when for digest, when in times.items() if now - HOLDS < when <= now + HOLDS}
