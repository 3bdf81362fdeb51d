"""What is left in the keyring where the request's own items gave nothing: anybody's of ours, and other tools' items."""

from git_credential_hf.scope import exact_scope
from git_credential_hf.secret_service import item
from git_credential_hf.sources.keyring import KEYRING, preferred
from git_credential_hf.token import from_secret

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from collections.abc import Iterator

    from git_credential_hf.secret_service.lookup import Lookup
    from git_credential_hf.token import Token

_MOST_ITEMS = 256  # that are looked at: each costs a call


def tokens(
    lookup: "Lookup", server: bytes, path_scopes: list[bytes], users: list[bytes], anybody: bool, seen: set[bytes]
) -> "Iterator[Token]":
    """Return the tokens of the items for `server` that are not in `seen`, anybody's of ours before other tools'.

    path_scopes, users: what the request lies in, and whose items may answer it, the preferred first.
    anybody: whether anybody's may. seen: object paths.
    """
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
        yield from preferred(candidates, users, anybody)


def _covers(attributes: dict[bytes, bytes], host: dict[bytes, bytes], path_scopes: list[bytes]) -> bool:
    """Whether an item is for `host`, its port too, and not for a path that the request does not lie in."""
    if b"server" in attributes and attributes.get(b"port") != host.get(b"port"):
        return False
    return b"object" not in attributes or exact_scope(attributes[b"object"]) in path_scopes
