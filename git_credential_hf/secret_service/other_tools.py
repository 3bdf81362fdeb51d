"""The items that other tools left for a host: git-credential-libsecret, Git Credential Manager, the keyring library.

They are read if no item of ours answers, and never written or deleted.
"""

from git_credential_hf.model import item, repository
from git_credential_hf.model.token import Token, preferred
from git_credential_hf.secret_service import KEYRING

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from collections.abc import Iterator

    from git_credential_hf.secret_service.reader import Reader

_MOST_ITEMS = 256  # that are looked at: each costs a call

_LIBSECRET = "git-credential-libsecret's item"
_GCM = "Git Credential Manager's item"
_LIBRARY = "keyring's item"


class Tool:
    """How another tool's items for a host are found.

    name: the tool, for people. user_key: the attribute with the user.
    """

    __slots__ = ("attributes", "name", "user_key")

    def __init__(self, name: str, user_key: bytes, attributes: dict[bytes, bytes]) -> None:
        self.name = name
        self.user_key = user_key
        self.attributes = attributes


def tools(server: bytes) -> list[Tool]:
    """Return what finds the items of each tool for `server`."""
    host = item.of_server(server)
    keyring = {b"application": b"Python keyring library"}
    return [
        Tool(_LIBSECRET, b"user", {b"xdg:schema": item.SCHEMA, **host}),
        Tool(_LIBSECRET, b"user", {b"xdg:schema": b"org.gnome.keyring.NetworkPassword", **host}),
        Tool(_GCM, b"account", {b"service": b"git:https://" + server}),
        Tool(_LIBRARY, b"username", keyring | {b"service": server}),
        Tool(_LIBRARY, b"username", keyring | {b"service": b"https://" + server}),
    ]


def tokens(
    reader: "Reader", server: bytes, scopes: list[bytes], users: list[bytes], anybody: bool, seen: set[bytes]
) -> "Iterator[tuple[str, Token]]":
    """Return the tool and the token of each item that may answer a request for `server`.

    With `anybody`, our own items of further users come first, since the same search finds them.

    scopes, users: what the request lies in, and whose items may answer it, the preferred first. anybody: whether
    anybody's may. seen: the object paths of those of ours that have been looked at. Raises Unavailable.
    """
    searches = tools(server)
    if anybody:
        searches.insert(0, Tool(KEYRING, b"user", item.of_place(server)))
    else:
        searches = [
            Tool(one.name, one.user_key, one.attributes | {one.user_key: user}) for one in searches for user in users
        ]
    found = reader.search([one.attributes for one in searches])
    # Each is looked at once: what the first search finds of ours, the second finds again.
    finder = {path: one for one, paths in zip(reversed(searches), reversed(found), strict=True) for path in paths}
    paths = [path for path in finder if path not in seen][:_MOST_ITEMS]
    if not paths:
        return
    known = reader.secrets_and_attributes(paths)
    by_name: dict[str, list[Token | None]] = {one.name: [] for one in searches}
    for path in paths:
        tool = finder[path]
        secret, attributes = known.get(path, (b"", {}))
        is_ours = item.MARK in attributes
        if is_ours == (tool.name == KEYRING) and _covers(attributes, server, scopes):
            token = item.from_secret(secret, attributes.get(tool.user_key), path=path if is_ours else b"")
            by_name[tool.name].append(token)
    for name, candidates in by_name.items():
        found_here = preferred(candidates, users, anybody)
        if name == KEYRING and len(found_here) > 1:
            from git_credential_hf.secret_service import precedence

            found_here = precedence.ordered(found_here, reader, users, anybody)
        for one in found_here:
            yield name, one


def _covers(attributes: dict[bytes, bytes], server: bytes, scopes: list[bytes]) -> bool:
    """Return whether an item is for `server` and its port, and for no path outside the request's scopes."""
    if b"server" in attributes and attributes.get(b"port") != item.of_server(server).get(b"port"):
        return False
    return b"object" not in attributes or repository.scope(server, attributes[b"object"]) in scopes
