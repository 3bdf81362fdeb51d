"""The keyring of the desktop: our items, then those that other tools left for the host."""

import posix
import sys

from git_credential_hf.scope import HF_USER, exact_scope, is_text, scopes, usernames
from git_credential_hf.secret_service import Unavailable, bus_addresses, item
from git_credential_hf.token import Token, from_secret

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType
    from typing import TypeVar

    from git_credential_hf import keychain
    from git_credential_hf.options import Options
    from git_credential_hf.protocol import Request
    from git_credential_hf.secret_service import vault as secret_service_vault
    from git_credential_hf.secret_service.lookup import Lookup

    Answer = TypeVar("Answer")

KEYRING = "the keyring"

# Whether this platform is one whose desktops keep secrets behind D-Bus.
SECRET_SERVICE = sys.platform == "linux"

_MOST_ITEMS = 256  # of other tools that are looked at: each costs a call


def tokens(server: bytes, request: "Request", options: "Options") -> "Iterator[Token]":
    """Return the tokens of the unlocked items that may answer `request`, the most specific first.

    Our own items come first; anybody's, and those of other tools, are looked for when these have been taken.
    A keyring that is not there, is locked or does not answer in time gives none.
    """
    if not SECRET_SERVICE:
        yield from _keychain().tokens(server, request, options)
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
        yield from _left(lookup, server, path_scopes, users, anybody, seen)
    except Unavailable as reason:
        options.trace("keyring: %s", reason)
    finally:
        lookup.close()


def stored(server: bytes, username: bytes | None, path: bytes, options: "Options") -> list[bytes]:
    """Return our items that stand for `username`, or for anybody, on the host; with a path, what was stored for it."""
    if not SECRET_SERVICE:
        items: list[bytes] = _keychain().stored(server, username, path, options)
        return items
    wanted = item.of_place(server, exact_scope(path), username)
    if path:
        wanted[item.ORIGIN] = item.STORED
    if (path and not exact_scope(path)) or (username is not None and not is_text(username)):
        return []
    return _asked(options, lambda lookup: lookup.search([wanted])[0]) or []


def holds(server: bytes, text: bytes, options: "Options") -> bool:
    """Whether any item for `server`, whoever's and for whatever part of it, holds `text`."""
    if not SECRET_SERVICE:
        return False

    def asked(lookup: "Lookup") -> bool:
        found = lookup.search([item.of_server(server), {b"xdg:schema": item.BEARER_SCHEMA}])
        items = [path for paths in found for path in paths]
        secrets = lookup.secrets(items).values() if items else ()
        return any(token.text == text for token in (from_secret(secret, KEYRING, None) for secret in secrets) if token)

    return bool(_asked(options, asked))


def vault(options: "Options") -> "secret_service_vault.Vault | keychain.Vault":
    """Return what writes to the keyring. Raises Absent, Locked or Unavailable."""
    if not SECRET_SERVICE:
        writer: keychain.Vault = _keychain().Vault()
        return writer
    from git_credential_hf import packages

    packages.enable()
    from git_credential_hf.secret_service import vault

    return vault.Vault(options)


def _keychain() -> "ModuleType":
    from git_credential_hf import packages

    packages.enable()
    from git_credential_hf import keychain

    return keychain


def _asked(options: "Options", question: "Callable[[Lookup], Answer]") -> "Answer | None":
    """Return what `question` finds over a connection of its own, None where the keyring does not answer."""
    from git_credential_hf.secret_service.lookup import Lookup

    lookup = Lookup(options)
    try:
        return question(lookup)
    except Unavailable as reason:
        options.trace("keyring: %s", reason)
        return None
    finally:
        lookup.close()


def _ours(
    lookup: "Lookup", server: bytes, path_scopes: list[bytes], users: list[bytes], anybody: bool
) -> "Iterator[Token]":
    found = lookup.search(
        [item.of_place(server, one) for one in path_scopes] + [item.of_place(server, user=user) for user in users]
    )
    items = [path for paths in found for path in paths]
    if not items:
        return
    secrets = lookup.secrets(items)
    for one, paths in zip(path_scopes, found, strict=False):
        candidates = [from_secret(secrets.get(path, b""), KEYRING, HF_USER, item=path, scope=one) for path in paths]
        yield from _preferred(candidates, users, anybody)
    for user, paths in zip(users, found[len(path_scopes) :], strict=True):
        candidates = [from_secret(secrets.get(path, b""), KEYRING, user, item=path) for path in paths]
        yield from _preferred(candidates, users, anybody)


def _left(
    lookup: "Lookup", server: bytes, path_scopes: list[bytes], users: list[bytes], anybody: bool, seen: set[bytes]
) -> "Iterator[Token]":
    host = item.of_server(server)
    # Whose, under which attribute it names its user, and what finds it.
    searches = [
        (KEYRING, b"user", item.of_place(server)),
        ("git-credential-libsecret's item", b"user", {b"xdg:schema": item.SCHEMA, **host}),
        ("git-credential-libsecret's item", b"user", {b"xdg:schema": b"org.gnome.keyring.NetworkPassword", **host}),
        ("Git Credential Manager's item", b"account", {b"service": b"git:https://" + server}),
        ("keyring's item", b"username", {b"application": b"Python keyring library", b"service": server}),
        ("keyring's item", b"username", {b"application": b"Python keyring library", b"service": b"https://" + server}),
    ]
    if not anybody:  # ours of these users have been looked for
        searches = [(name, key, wanted | {key: user}) for name, key, wanted in searches[1:] for user in users]
    found = lookup.search([wanted for _, _, wanted in searches])
    # Each is looked at once: what the first search finds of ours, the second finds again.
    finder = {path: search for search, paths in zip(reversed(searches), reversed(found), strict=True) for path in paths}
    items = [path for path in finder if path not in seen][:_MOST_ITEMS]
    if not items:
        return
    known = lookup.secrets_and_attributes(items)
    for name in dict.fromkeys(name for name, _, _ in searches):
        candidates = []
        for path in items:
            if finder[path][0] != name or path not in known:
                continue
            secret, attributes = known[path]
            if (item.MARK in attributes) == (name == KEYRING) and _covers(attributes, host, path_scopes):
                ours = path if name == KEYRING else b""
                candidates.append(from_secret(secret, name, attributes.get(finder[path][1]), item=ours))
        yield from _preferred(candidates, users, anybody)


def _covers(attributes: dict[bytes, bytes], host: dict[bytes, bytes], path_scopes: list[bytes]) -> bool:
    """Whether an item is for `host`, its port too, and not for a path that the request does not lie in."""
    if b"server" in attributes and attributes.get(b"port") != host.get(b"port"):
        return False
    return b"object" not in attributes or exact_scope(attributes[b"object"]) in path_scopes


def _preferred(candidates: "list[Token | None]", users: list[bytes], anybody: bool) -> "list[Token]":
    """Return those of `candidates` that are for one of `users`, or for anybody, in the order of `users`."""
    tokens = [token for token in candidates if token and (anybody or token.user in users)]
    return sorted(tokens, key=lambda token: users.index(token.user) if token.user in users else len(users))
