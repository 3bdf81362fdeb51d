"""The keyring of the desktop: our items, then those that other tools left for the host."""

import posix
import sys

from git_credential_hf.scope import HF_USER, scopes, usernames
from git_credential_hf.secret_service import Unavailable, bus_addresses, item

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType
    from typing import TypeVar

    from git_credential_hf.options import Options
    from git_credential_hf.protocol import Request
    from git_credential_hf.secret_service.lookup import Lookup
    from git_credential_hf.token import Token

    Answer = TypeVar("Answer")

KEYRING = "the keyring"

# Whether this platform is one whose desktops keep secrets behind D-Bus.
SECRET_SERVICE = sys.platform == "linux"


def tokens(server: bytes, request: "Request", options: "Options") -> "Iterator[Token]":
    """Return the tokens of the unlocked items that may answer `request`, the most specific first.

    Our own items come first; anybody's, and those of other tools, are looked for when these have been taken.
    A keyring that is not there, is locked or does not answer in time gives none.
    """
    if not SECRET_SERVICE:
        yield from by_library().tokens(server, request, options)
        return
    if not any(
        address.startswith(b"\0") or posix.access(address, posix.F_OK) for address in bus_addresses(options.environ)
    ):
        options.trace("keyring: there is no session bus")
        return
    from git_credential_hf.secret_service.lookup import Lookup

    lookup = Lookup(options)
    path_scopes = scopes(request.path) if request.path else []
    users = usernames(request.username)
    anybody = request.username is None
    try:
        seen = set()
        for token in _ours(lookup, server, path_scopes, users, anybody):
            seen.add(token.item)
            yield token
        from git_credential_hf.sources import other_tools

        yield from other_tools.tokens(lookup, server, path_scopes, users, anybody, seen)
    except Unavailable as reason:
        options.trace("keyring: %s", reason)
    finally:
        lookup.close()


def by_library() -> "ModuleType":
    """Return what serves a platform that has no Secret Service."""
    from git_credential_hf import packages

    packages.enable()
    from git_credential_hf import keychain

    return keychain


def _ours(
    lookup: "Lookup", server: bytes, path_scopes: list[bytes], users: list[bytes], anybody: bool
) -> "Iterator[Token]":
    found = lookup.search(
        [item.of_place(server, one) for one in path_scopes] + [item.of_place(server, user=user) for user in users]
    )
    items = [path for paths in found for path in paths]
    if not items:
        return
    from git_credential_hf.token import from_secret

    secrets = lookup.secrets(items)
    for one, paths in zip(path_scopes, found, strict=False):
        candidates = [from_secret(secrets.get(path, b""), KEYRING, HF_USER, item=path, scope=one) for path in paths]
        yield from preferred(candidates, users, anybody)
    for user, paths in zip(users, found[len(path_scopes) :], strict=True):
        candidates = [from_secret(secrets.get(path, b""), KEYRING, user, item=path) for path in paths]
        yield from preferred(candidates, users, anybody)


def preferred(candidates: "list[Token | None]", users: list[bytes], anybody: bool) -> "list[Token]":
    """Return those of `candidates` that are for one of `users`, or for anybody, in the order of `users`."""
    tokens = [token for token in candidates if token and (anybody or token.user in users)]
    return sorted(tokens, key=lambda token: users.index(token.user) if token.user in users else len(users))
