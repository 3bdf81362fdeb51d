"""OIDC: the identity of a CI job, exchanged at the Hub for a token that is valid for an hour ("Trusted Publishers").

It is asked only where HF_OIDC_RESOURCE is set, as huggingface_hub has it (_oidc.py). What came of an exchange is kept
in a file of the user's own, so that git and git-lfs make one exchange between them.
"""

import posix
import time

from git_credential_hf.model.outcome import FAILED, Candidate
from git_credential_hf.model.repository import whole
from git_credential_hf.model.token import Token, clean, of_hub, seconds
from git_credential_hf.sources import SWITCHES
from git_credential_hf.state import folders
from git_credential_hf.state.safe_read import read

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from collections.abc import Iterator

    from git_credential_hf.model.request import Request
    from git_credential_hf.options import Options
    from git_credential_hf.state.locks import KeyLocks

NAME = "oidc"
PLACE = "OIDC"  # for people
RESOURCE = SWITCHES[NAME]
ID_TOKENS = (b"HF_OIDC_ID_TOKEN", b"CIRCLE_OIDC_TOKEN_V2", b"BITBUCKET_STEP_OIDC_TOKEN")

_FILE = b"HF_OIDC_ID_TOKEN_FILE"
_GITHUB = (b"ACTIONS_ID_TOKEN_REQUEST_URL", b"ACTIONS_ID_TOKEN_REQUEST_TOKEN")

_LIMIT = 10.0  # seconds, for all of it
_WAIT = 0.5  # seconds, for another run's exchange, before a rejection is not counted
_MARGIN = 300  # seconds before its end that a token is given no more
_FAILED_FOR = 30  # seconds that a failed exchange is not tried again
_REJECTED_FOR = 3600  # seconds that a rejection counts
_MOST_REJECTED = 2  # tokens, then none is asked for
_LONGEST = 2 * 86_400  # seconds that a token may have left
_STEP = 60  # seconds by which a clock may be set back, and what is kept stays good
_MOST_KEPT = 256  # files, beside those that count rejections
_NAME = 64  # hexadecimal digits


class _Failure(Exception):
    """There is no token; the text says why."""


class _Kept:
    """What came of an exchange, or how many tokens the Hub has rejected for one repository.

    until: seconds since the epoch, when it is void. token: None where there is none. failed: why there is none.
    """

    __slots__ = ("failed", "rejected", "token", "until")

    def __init__(self, until: int, token: Token | None, rejected: int = 0, failed: str = "") -> None:
        self.until = until
        self.token = token
        self.rejected = rejected
        self.failed = failed


def candidates(request: "Request", options: "Options") -> "Iterator[Candidate]":
    """Return the token for the repository of `request`, or why there is none.

    Where HF_OIDC_RESOURCE is a repository, the request's own is asked for, and HF_OIDC_RESOURCE itself where the Hub
    trusts this job with no other. With `options.offline` there is only what an earlier exchange gave.
    """
    own = options.environ[RESOURCE].strip()
    if not own:
        if not options.offline:
            reason = "no token through OIDC: HF_OIDC_RESOURCE names no repository and no user"
            yield Candidate(NAME, PLACE, None, FAILED, reason)
        return
    wanted = own
    if whole(own) and (asked := whole(request.path)) and asked.lower() != own.lower():
        wanted = asked
    try:
        token = _token(wanted, own, request.path, options)
    except Exception as error:  # of any kind: no other identity may answer in its place
        reason = str(error) if isinstance(error, _Failure) else f"unexpected {type(error).__name__}"
        options.note("oidc: no token for %s: %s", _shown(wanted), reason)
        if not options.offline:
            yield Candidate(NAME, PLACE, None, FAILED, f"no token through OIDC for {_shown(wanted)}: {reason}")
        return
    options.note("oidc: %s for %s", "a token" if token else "none", _shown(wanted))
    if token is not None:
        yield Candidate(NAME, PLACE, token)


def _shown(resource: bytes) -> str:
    return resource.decode("utf-8", "backslashreplace")


def reject(text: bytes, path: bytes, options: "Options", *, expired: bool) -> None:
    """Forget the token `text`, which the Hub has rejected in a request for `path`, and count that.

    Another one is exchanged for the same repository once; for other repositories nothing changes. What no exchange
    gave does not count, since whoever writes a URL can put it there, nor does a token that has expired.
    """
    with _Keeping(options.environ, time.monotonic() + _WAIT) as keeping:
        if not keeping.remove_token(text) or expired:
            return
        try:
            name = _counter(*_identity(options.environ), options.environ[RESOURCE].strip(), path)
            keeping.take(name)
        except (_Failure, TimeoutError):
            return
        before = _find(name, keeping.environ)
        count = 1 + (before.rejected if before is not None else 0)
        keeping.write(name, _Kept(int(time.time()) + _REJECTED_FOR, None, count))


def _token(wanted: bytes, own: bytes, path: bytes, options: "Options") -> Token | None:
    """Return the token for `wanted`, of this run or an earlier one. Raises _Failure."""
    deadline = time.monotonic() + _LIMIT
    kind, secret = _identity(options.environ)
    keys = {resource: _key(kind, secret, own, resource) for resource in (wanted, own)}
    counter = _counter(kind, secret, own, path)
    if (kept := _find(counter, options.environ)) is not None and kept.rejected >= _MOST_REJECTED:
        raise _Failure(f"the Hub rejected the last {kept.rejected} tokens")
    if (kept := _find(keys[wanted], options.environ)) is not None:
        return _given(kept)
    if options.offline:
        return None
    with _Keeping(options.environ, deadline) as keeping:
        try:
            return _given(_exchanged(wanted, own, keys, (kind, secret), keeping))
        except OSError as error:  # another run is at it for longer than it may be
            raise _Failure(error.strerror or "there is no lock to be had") from None


def _exchanged(
    wanted: bytes, own: bytes, keys: dict[bytes, bytes], identity: tuple[bytes, bytes], keeping: "_Keeping"
) -> _Kept:
    """Return what comes of an exchange for `wanted`, which no other run asks for meanwhile, or of one for `own`, where
    the Hub does not trust this job with `wanted`. Raises TimeoutError.
    """
    keeping.take(keys[wanted])
    if (kept := _find(keys[wanted], keeping.environ)) is not None:
        return kept
    try:
        kept = _asked(wanted, identity, keeping.deadline)
    except _Unknown as reason:
        kept = _failed(str(reason)) if wanted == own else _exchanged(own, own, keys, identity, keeping)
    keeping.write(keys[wanted], kept)
    return kept


class _Unknown(Exception):
    """The Hub trusts this job with no such resource; the text says so."""


def _asked(resource: bytes, identity: tuple[bytes, bytes], deadline: float) -> _Kept:
    """Return what comes of an exchange. Raises _Unknown."""
    from git_credential_hf import hub

    kind, secret = identity
    left = deadline - time.monotonic()
    try:
        if kind == _GITHUB[0]:
            url, _, token = secret.partition(b"\0")
            secret = hub.github_identity(url, token, deadline - time.monotonic())
        text, lasts = hub.exchange(secret, resource, deadline - time.monotonic())
    except hub.NoToken as reason:
        if reason.code == "invalid_grant":
            raise _Unknown(f"{reason}, no trusted publisher there matches this job") from None
        # With little time left it says nothing of the next run, which has more.
        return _failed(str(reason), _FAILED_FOR if reason.code or left > _LIMIT / 2 else 0)
    if of_hub(text) != text:
        return _failed("the Hub's answer has no token in it")
    now = int(time.time())
    return _Kept(now + lasts, Token(text, expires=now + lasts))


def _failed(reason: str, seconds: int = _FAILED_FOR) -> _Kept:
    return _Kept(int(time.time()) + seconds, None, failed=reason)


def _given(kept: _Kept) -> Token:
    """Return the token. Raises _Failure."""
    if kept.token is None:
        raise _Failure(kept.failed)
    return kept.token


# The identity.


def _identity(environ: dict[bytes, bytes]) -> tuple[bytes, bytes]:
    """Return the variable that the job's identity is from, and its value, an ID token. Raises _Failure.

    GitHub Actions is asked for its ID token when it is needed: of it there are the address and what it asks for there.
    """
    explicit, *of_ci = ID_TOKENS
    if environ.get(explicit):
        return explicit, _sendable(explicit, environ[explicit])
    if file := environ.get(_FILE):
        return _FILE, _sendable(_FILE, read(file))
    if all(environ.get(name) for name in _GITHUB):
        return _GITHUB[0], b"\0".join(environ[name] for name in _GITHUB)
    for name in of_ci:
        if environ.get(name):
            return name, _sendable(name, environ[name])
    if environ.get(b"GITHUB_ACTIONS") == b"true":
        raise _Failure("the job has no ID token (add `permissions: id-token: write` to it)")
    raise _Failure("there is no ID token (set HF_OIDC_ID_TOKEN or HF_OIDC_ID_TOKEN_FILE)")


def is_known_to_hf(environ: dict[bytes, bytes]) -> bool:
    """Return whether huggingface_hub finds an ID token, too. Source: its _auth.py."""
    return bool(environ.get(ID_TOKENS[0])) or environ.get(b"GITHUB_ACTIONS") == b"true"


def _sendable(name: bytes, raw: bytes) -> bytes:
    """Return the ID token in `raw`. Raises _Failure."""
    text = clean(raw)
    if text is None or not text.isascii() or b" " in text:
        raise _Failure(f"{name.decode()} holds no ID token")
    return text


# What is kept: a file for each resource and identity, so that no job gets what is another's.


def _key(kind: bytes, secret: bytes, own: bytes, resource: bytes) -> bytes:
    import hashlib

    return hashlib.sha256(b"\0".join((kind, secret, own, resource.lower()))).hexdigest().encode()


def _counter(kind: bytes, secret: bytes, own: bytes, path: bytes) -> bytes:
    """Return the name of the file that counts what the Hub has rejected for `path`, or the repository that it means."""
    return _key(kind, secret, own, b"rejected for " + (whole(path) or path))


def _folders(environ: dict[bytes, bytes]) -> list[bytes]:
    """Return where tokens may be kept, the preferred place first: the run-time folder ends with the login, and
    /dev/shm with the machine.
    """
    run_time = environ.get(b"XDG_RUNTIME_DIR", b"") + b"/git-credential-hf"
    found = folders.own_folders(environ)
    return [
        one + b"/oidc" for one in sorted(found, key=lambda one: (one != run_time, not one.startswith(b"/dev/shm/")))
    ]


def _is_own(folder: bytes) -> bool:
    return folders.is_own(folder.rpartition(b"/")[0]) and folders.is_own(folder)


def _kept_in(environ: dict[bytes, bytes]) -> list[bytes]:
    return [folder for folder in _folders(environ) if _is_own(folder)]


def _made(environ: dict[bytes, bytes]) -> "Iterator[bytes]":
    """Return the folders in which something may be kept, each made as it is come to."""
    from git_credential_hf.state import files

    return filter(_is_own, files.made(_folders(environ)))


def _find(name: bytes, environ: dict[bytes, bytes]) -> _Kept | None:
    """Return the newest that is kept under `name` and stands; a token that is about to end does not."""
    found = [_read(folder + b"/" + name) for folder in _kept_in(environ)]
    standing = [one for one in found if one and (one.token is None or one.until - _MARGIN > time.time())]
    return max(standing, key=lambda one: one.until, default=None)


class _Keeping:
    """What is kept, while this run changes it: a context, and nothing is kept where there is no place for it.

    deadline: until when to wait for another run that has taken the same name, by time.monotonic.
    """

    def __init__(self, environ: dict[bytes, bytes], deadline: float) -> None:
        self.environ = environ
        self._locks: KeyLocks | None = None
        self.deadline = deadline

    def __enter__(self) -> "_Keeping":
        from git_credential_hf.state import locks

        for folder in _made(self.environ):
            try:
                self._locks = locks.KeyLocks(folder + b".lock")
            except OSError:
                continue
            break
        return self

    def __exit__(self, *_: object) -> None:
        if self._locks is not None:
            self._locks.close()

    def take(self, name: bytes) -> None:
        """Keep other runs from `name`. Raises TimeoutError."""
        if self._locks is not None:
            self._locks.take(name, self.deadline - time.monotonic())

    def write(self, name: bytes, kept: _Kept) -> None:
        """Keep what came of an exchange. Without a place to keep it in the next run makes an exchange of its own."""
        from git_credential_hf.state import files

        if kept.until <= time.time():
            return
        token = kept.token
        lines = [
            b"%d" % kept.until,
            token.text if token else b"",
            b"%d" % (token.expires or 0) if token else b"",
            b"%d" % kept.rejected,
            kept.failed.encode(),
            b"",
        ]
        for folder in _made(self.environ):
            try:
                self._tidy(folder)
                files.replace(folder + b"/" + name, b"\n".join(lines))
            except OSError:
                continue
            return

    def _tidy(self, folder: bytes) -> None:
        """Remove what is void or was left unfinished, and the oldest where there is too much. Raises OSError.

        What counts rejections stays: each is of an exchange of its own, and void within the hour.
        """
        from git_credential_hf.state import files

        kept = []
        for file in _files(folder):
            name = file.rpartition(b"/")[2]
            if name.startswith(b"."):
                files.remove_unfinished(folder + b"/" + name[1 : 1 + _NAME])
            elif (one := _read(file)) is not None:
                if not one.rejected:
                    kept.append((_written(file), file))
            elif self._is_taken(name) and _read(file) is None:
                _remove(file)
        for _, file in sorted(kept)[: max(0, 1 + len(kept) - _MOST_KEPT)]:
            _remove(file)

    def remove_token(self, text: bytes) -> bool:
        """Remove the token `text`; return whether it was this run that did, of several that are told of it at once."""
        is_removed = False
        for folder in _kept_in(self.environ):
            for file in _files(folder):
                if _holds(file, text) and self._is_taken(file.rpartition(b"/")[2], _WAIT):
                    is_removed = (_holds(file, text) and _remove(file)) or is_removed
        return is_removed

    def _is_taken(self, name: bytes, seconds: float = 0) -> bool:
        """Return whether other runs are kept from `name`."""
        try:
            if self._locks is not None:
                self._locks.take(name, seconds)
        except (TimeoutError, ValueError):  # ValueError: a name of somebody else's
            return False
        return True


def _read(file: bytes) -> _Kept | None:
    """Return what is kept in `file`; None where that is void."""
    lines = read(file).split(b"\n")
    if len(lines) != 6:
        return None
    until, text, expires, rejected, failed, _ = lines
    token = Token(text, expires=seconds(expires)) if text else None
    kept = _Kept(seconds(until) or 0, token, seconds(rejected) or 0, failed.decode("utf-8", "replace"))
    longest = _LONGEST if token else _REJECTED_FOR if kept.rejected else _FAILED_FOR
    # A time further ahead is a clock that was set back.
    return kept if time.time() < kept.until < time.time() + longest + _STEP else None


def _holds(file: bytes, text: bytes) -> bool:
    kept = _read(file)
    return kept is not None and kept.token is not None and kept.token.text == text


def _remove(file: bytes) -> bool:
    """Remove `file`; return whether it was this run that did."""
    try:
        posix.unlink(file)
    except OSError:
        return False
    return True


def _written(file: bytes) -> float:
    """Return when `file` was written, in seconds since the epoch; 0 where another run has removed it."""
    try:
        return posix.stat(file).st_mtime
    except OSError:
        return 0.0


def _files(folder: bytes) -> list[bytes]:
    try:
        return [folder + b"/" + name for name in posix.listdir(folder)]
    except OSError:
        return []
