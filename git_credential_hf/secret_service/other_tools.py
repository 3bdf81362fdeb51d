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
_OTHERS = (_LIBSECRET, _GCM, _LIBRARY)


class Tool:
    """How another tool's items for a host are found.

    name: the tool, for people. user_key: the attribute with the user.
    """

    __slots__ = ("attributes", "name", "user_key")

    def __init__(self, name: str, user_key: bytes, attributes: dict[bytes, bytes]) -> None:
        self.name = name
        self.user_key = user_key
        self.attributes = attributes


def tools(server: bytes, path: bytes) -> list[Tool]:
    """Return what finds the items of each tool for `path` at `server`, and after these what finds those of the host."""
    paths = _spellings(server, path)
    host = item.of_server(server)
    keyring = {b"application": b"Python keyring library"}
    schemas = (item.SCHEMA, b"org.gnome.keyring.NetworkPassword")
    gcm = b"git:https://" + server
    return [
        *(
            Tool(_LIBSECRET, b"user", {b"xdg:schema": one, **host, b"object": path})
            for path in paths
            for one in schemas
        ),
        *(Tool(_GCM, b"account", {b"service": gcm + b"/" + path}) for path in paths),
        *(Tool(_LIBSECRET, b"user", {b"xdg:schema": one, **host}) for one in schemas),
        Tool(_GCM, b"account", {b"service": gcm}),
        Tool(_LIBRARY, b"username", keyring | {b"service": server}),
        Tool(_LIBRARY, b"username", keyring | {b"service": b"https://" + server}),
    ]


def tokens(
    reader: "Reader", server: bytes, path: bytes, users: list[bytes], anybody: bool, seen: set[bytes]
) -> "Iterator[tuple[str, Token]]":
    """Return the tool and the token of each item that may answer a request for `path` at `server`.

    With `anybody`, our own items of further users come first, since the same search finds them. Then the most specific
    scope comes first, and the whole host last.

    users: whose items may answer it, the preferred first. anybody: whether anybody's may. seen: the object paths of
    those of ours that have been looked at. Raises Unavailable.
    """
    searches = tools(server, path)
    if anybody:
        searches.insert(0, Tool(KEYRING, b"user", item.of_place(server)))
    else:
        searches = [
            Tool(one.name, one.user_key, one.attributes | {one.user_key: user}) for one in searches for user in users
        ]
    found = reader.search([one.attributes for one in searches])
    finder: dict[bytes, Tool] = {}  # the first that finds it: what is for a path is found with the host's again
    for tool, found_paths in zip(searches, found, strict=True):
        finder |= {one: tool for one in found_paths if one not in finder}
    attributes = reader.attributes([one for one in finder if one not in seen][:_MOST_ITEMS])
    others = [(name, scope) for scope in (*repository.scopes(server, path), b"") for name in _OTHERS]
    at_place: dict[tuple[str, bytes], list[bytes]] = {place: [] for place in [(KEYRING, b""), *others]}
    for one, of_item in attributes.items():
        place = _place(of_item, finder[one], server)
        if place in at_place:
            at_place[place].append(one)
    wanted = [one for items in at_place.values() for one in items]
    secrets = reader.secrets(wanted) if wanted else {}
    for (name, scope), items in at_place.items():
        held = [
            item.from_secret(
                secrets.get(one, b""), attributes[one].get(finder[one].user_key), path=one if name == KEYRING else b""
            )
            for one in items
        ]
        found_here = preferred(held, users, anybody)
        if name == KEYRING and len(found_here) > 1:
            from git_credential_hf.secret_service import precedence

            found_here = precedence.ordered(found_here, reader, users, anybody)
        for token in found_here:
            token.scope = token.scope or scope
            yield name, token


def _spellings(server: bytes, path: bytes) -> list[bytes]:
    """Return how a tool that keeps paths as git sends them may have written `path` and the repository that it is of."""
    repos = [repository.scope(server, path)]
    if server == repository.HUB:  # which ignores case
        repos = [repository.whole(path), repository.whole(path).lower()]
    found = (path.strip(b"/"), *repos, *(repo + b".git" for repo in repos))
    return list(dict.fromkeys(found)) if repos[0] else []


def _place(attributes: dict[bytes, bytes], tool: Tool, server: bytes) -> tuple[str, bytes] | None:
    """Return whose item it is and its scope, empty for the whole host; None where it is for something else."""
    if (item.MARK in attributes) != (tool.name == KEYRING):
        return None
    if b"server" in attributes and item.port(attributes) != item.port(item.of_server(server)):
        return None
    if tool.name == KEYRING:
        return KEYRING, b""
    path = attributes.get(b"object") or attributes.get(b"service", b"").partition(b"://" + server + b"/")[2]
    scope = repository.scope(server, path)
    return None if path and not scope else (tool.name, scope)
