"""The keyring of a platform that has no Secret Service (macOS's Keychain, for one), through the keyring library.

That library finds an item by its service and username alone. The service of our items is a URL with the scope, as
`https://huggingface.co/my-org`, and ends in a mark if git stored the item. The secret has the format of an item in the
Secret Service.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import keyring
from keyring.errors import InitError, KeyringError, KeyringLocked, NoKeyringError, PasswordDeleteError

from git_credential_hf.model.item import STORED, from_secret, place, to_secret
from git_credential_hf.model.outcome import NOT_REACHED, Candidate
from git_credential_hf.model.repository import HUB, scope, scopes, usernames
from git_credential_hf.model.request import Request
from git_credential_hf.model.token import Token, of_hub, rank
from git_credential_hf.options import Options
from git_credential_hf.secret_service import KEYRING, Absent, Locked, Unavailable

_SOURCE = "keyring"
_BY_GIT = " (stored by git)"


def candidates(server: bytes, request: Request, options: Options) -> Iterator[Candidate]:
    """Return what may answer `request`, the most specific first, then that of other tools."""
    try:
        for one in [*scopes(server, request.path), b""]:
            found = list(_ours(server, request.username, one))
            if request.username is not None:
                users = usernames(request.username)
                found.sort(key=lambda token: rank(token, users))
            for token in found:
                yield Candidate(_SOURCE, KEYRING, token)
        for service in (server.decode(), f"git:https://{server.decode()}"):
            for token in _under(service, request.username, b"", ours=False):
                if server != HUB or of_hub(token.text) is not None:
                    yield Candidate(_SOURCE, KEYRING, token)
    except Unavailable as reason:
        options.note("keyring: %s", reason)
        yield Candidate(_SOURCE, KEYRING, None, NOT_REACHED, str(reason))


def of_user(server: bytes, username: bytes | None, path: bytes, options: Options) -> list[bytes]:
    """Return what Writer.delete takes for our items of `username`, or of anybody, on the host or for the path."""
    of_path = scope(server, path)
    if path and not of_path:
        return []
    try:
        return [token.item for token in _ours(server, username, of_path, exactly=True)]
    except Unavailable as reason:
        options.note("keyring: %s", reason)
        return []


def stored(tokens: list[Token]) -> list[bytes]:
    """Return the items of those of `tokens` that git stored and no person seeded."""
    return [token.item for token in tokens if token.item.partition(b"\0")[0].endswith(_BY_GIT.encode())]


class Writer:
    """Our items in that keyring. Every method raises Absent, Locked or Unavailable if it fails."""

    locked: tuple[str, ...] = ()  # there is only one collection, which is open or raises Locked
    fleeting = False  # and which stays

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def put(
        self, tokens: list[tuple[bytes, Token]], origin: bytes, *, force: bool = False, dry_run: bool = False
    ) -> list[str]:
        """Make each token, after its server, the secret of the one item for its server, user and scope, or of the one
        that git stores there.

        Of `origin` nothing else is kept. Returns for each "unchanged" where it is that already and `force` is not set,
        else "replaced" or "created".
        """
        return [self._put(server, token, origin, force, dry_run) for server, token in tokens]

    def _put(self, server: bytes, token: Token, origin: bytes, force: bool, dry_run: bool) -> str:
        service, user, secret = _service(server, token.scope), (token.user or b"").decode(), to_secret(token).decode()
        by_git = service + _BY_GIT
        if origin == STORED:
            service = by_git
        with _told():
            before = keyring.get_password(service, user)
            beside = None if origin == STORED else keyring.get_password(by_git, user)
            if (before, beside) == (secret, None) and not force:
                return "unchanged"
            if not dry_run:
                keyring.set_password(service, user, secret)
                if beside is not None:
                    keyring.delete_password(by_git, user)
        return "created" if before is None else "replaced"

    def withdraw(self, kept: set[tuple[bytes, bytes]], *, dry_run: bool = False) -> list[tuple[bytes, bytes, bytes]]:
        """Return nothing: this keyring cannot list items, so what was declared stays until a person deletes it."""
        return []

    def ours(self, server: bytes, scope: bytes, user: bytes | None) -> list[Token]:
        """Return what our items for `server` hold: those of `scope`, and of `user`, of hf_user and one more if None.

        That library lists no items: what is under a scope is found by the scope alone, also if `scope` is empty.
        """
        return list(_ours(server, user, scope, exactly=user is not None))

    def delete(self, items: list[bytes], *, dialog: bool = False) -> None:
        """Delete these items. An item that is already gone is no error."""
        with _told():
            for one in items:
                service, user = one.decode().split("\0")
                try:
                    keyring.delete_password(service, user)
                except PasswordDeleteError:
                    pass


def _service(server: bytes, scope: bytes) -> str:
    return f"https://{place(server, scope).decode()}"


def _ours(server: bytes, username: bytes | None, scope: bytes, *, exactly: bool = False) -> Iterator[Token]:
    for behind in ("", _BY_GIT):
        yield from _under(_service(server, scope) + behind, username, scope, exactly=exactly)


def _under(
    service: str, username: bytes | None, scope: bytes, *, ours: bool = True, exactly: bool = False
) -> Iterator[Token]:
    with _told():
        users = usernames(username)
        if exactly:
            users = [] if username is None else [username]
        found = [(user, keyring.get_password(service, user.decode())) for user in users]
        if username is None and (anybodys := keyring.get_credential(service, None)) is not None:
            found.append((anybodys.username.encode(), anybodys.password))
    for user, secret in dict(found).items():
        item = f"{service}\0".encode() + user if ours else b""
        token = from_secret((secret or "").encode(), user, path=item, scope=scope)
        if token is not None:
            yield token


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (NoKeyringError, InitError):
        raise Absent("no keyring is there") from None
    except KeyringLocked:
        raise Locked("it is locked") from None
    except KeyringError as error:
        raise Unavailable(f"it gave no answer ({type(error).__name__})") from None
