"""The keyring of this platform: our items, then those that other tools left for the host; and what writes ours."""

import posix
import sys

from git_credential_hf.model import item
from git_credential_hf.model.outcome import LOCKED, NOT_REACHED, Candidate
from git_credential_hf.model.repository import HF_USER, scopes, usernames
from git_credential_hf.secret_service import KEYRING, NO_BUS, Unavailable
from git_credential_hf.secret_service.dbus.address import bus_addresses

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType
    from typing import TypeVar

    from git_credential_hf import python_keyring
    from git_credential_hf.model.request import Request
    from git_credential_hf.model.token import Token
    from git_credential_hf.options import Options
    from git_credential_hf.secret_service.reader import Reader
    from git_credential_hf.secret_service.writer import Writer

    Answer = TypeVar("Answer")

NAME = "keyring"

# Whether this platform is one whose desktops keep secrets behind D-Bus.
SECRET_SERVICE = sys.platform == "linux"


def candidates(server: bytes, request: "Request", options: "Options") -> "Iterator[Candidate]":
    """Return what the unlocked items hold that may answer `request`, the most specific first.

    Our own items come first; anybody's, and those of other tools, are looked for when these have been taken.
    A keyring that is not there, is locked or does not answer in time gives one candidate, which was not reached.
    """
    if not SECRET_SERVICE:
        yield from by_library().candidates(server, request, options)
        return
    if not any(
        address.startswith(b"\0") or posix.access(address, posix.F_OK) for address in bus_addresses(options.environ)
    ):
        options.note("keyring: %s", NO_BUS)
        yield Candidate(NAME, KEYRING, None, NOT_REACHED, NO_BUS)
        return
    from git_credential_hf.secret_service.dbus.opening import opened

    path_scopes = scopes(server, request.path)
    users = usernames(request.username)
    anybody = request.username is None
    try:
        connection = opened(options)  # so that the bus takes it in while the rest is loaded
        from git_credential_hf.secret_service.reader import Reader

        with Reader(options, connection) as reader:
            seen = set()
            for token in _ours(reader, server, path_scopes, users, anybody):
                seen.add(token.item)
                yield Candidate(NAME, KEYRING, token)
            from git_credential_hf.secret_service import other_tools

            for place, token in other_tools.tokens(reader, server, path_scopes, users, anybody, seen):
                yield Candidate(NAME, place, token)
            if reader.locked:
                yield Candidate(NAME, KEYRING, None, LOCKED)
    except (OSError, Unavailable) as error:  # the first: no descriptor is left to load a module with
        reason = getattr(error, "strerror", None) or str(error)
        options.note("keyring: %s", reason)
        yield Candidate(NAME, KEYRING, None, NOT_REACHED, reason)


def of_user(server: bytes, username: bytes | None, path: bytes, options: "Options") -> list[bytes]:
    """Return our items that are for `username`, or for anybody, on the host; with a path, what was stored for it."""
    from git_credential_hf.model.repository import scope
    from git_credential_hf.model.text import is_text

    if not SECRET_SERVICE:
        items: list[bytes] = by_library().of_user(server, username, path, options)
        return items
    of_path = scope(server, path)
    wanted = item.of_place(server, of_path, username)
    if path:
        wanted[item.ORIGIN] = item.STORED
    if (path and not of_path) or (username is not None and not is_text(username)):
        return []
    return _asked(options, lambda reader: reader.search([wanted])[0]) or []


def stored(server: bytes, tokens: "list[Token]", options: "Options") -> list[bytes]:
    """Return the items of those of `tokens`, ours for `server`, that git stored and no person seeded."""
    if not SECRET_SERVICE:
        items: list[bytes] = by_library().stored(tokens)
        return items
    return of_origin(item.STORED, server, tokens, options)


def of_origin(origin: bytes, server: bytes, tokens: "list[Token]", options: "Options") -> list[bytes]:
    """Return the items of those of `tokens`, ours for `server`, that are of that origin (see model.item)."""
    if not SECRET_SERVICE:
        return []
    wanted = [item.of_place(server, token.scope) | {item.ORIGIN: origin} for token in tokens]
    found = _asked(options, lambda reader: reader.search(wanted)) if wanted else None
    paths = {path for some in found or () for path in some}
    return [token.item for token in tokens if token.item in paths]


def holds(server: bytes, text: bytes, options: "Options") -> bool:
    """Return whether any item for `server`, of any user and scope, holds `text`."""
    if not SECRET_SERVICE:
        return False

    def asked(reader: "Reader") -> bool:
        found = reader.search(item.searches(server))
        items = [path for paths in found for path in paths]
        secrets = reader.secrets(items).values() if items else ()
        held = (item.from_secret(secret, None) for secret in secrets)
        return any(token.text == text for token in held if token)

    return bool(_asked(options, asked))


def prepare(options: "Options", *, wait: bool) -> None:
    """Have the keyring there for what writes to it, as far as that can be had within the time of `options`.

    One that can be started is started if `options.unlock` is "prompt". wait: whether to wait for one that is not there,
    or that has no default collection yet.
    """
    if not SECRET_SERVICE:
        return
    from git_credential_hf.secret_service import presence

    if options.unlock == "prompt":
        presence.start(options)
    if wait:
        presence.wait(options)


def writer(options: "Options") -> "Writer | python_keyring.Writer":
    """Return what writes our items. Raises Absent, Locked or Unavailable."""
    if not SECRET_SERVICE:
        by_keyring: python_keyring.Writer = by_library().Writer()
        return by_keyring
    from git_credential_hf.startup import third_party

    third_party.enable()
    from git_credential_hf.secret_service.writer import Writer

    return Writer(options)


def by_library() -> "ModuleType":
    """Return what serves a platform that has no Secret Service."""
    from git_credential_hf.startup import third_party

    third_party.enable()
    from git_credential_hf import python_keyring

    return python_keyring


def _ours(
    reader: "Reader", server: bytes, path_scopes: list[bytes], users: list[bytes], anybody: bool
) -> "Iterator[Token]":
    found = reader.search(
        [item.of_place(server, one) for one in path_scopes] + [item.of_place(server, user=user) for user in users]
    )
    items = [path for paths in found for path in paths]
    if not items:
        return
    from git_credential_hf.model.token import preferred

    secrets = reader.secrets(items)
    tokens = [
        [item.from_secret(secrets.get(path, b""), user, path=path, scope=scope) for path in paths]
        for (scope, user), paths in zip(
            [(scope, HF_USER) for scope in path_scopes] + [(b"", user) for user in users], found, strict=True
        )
    ]
    count = len(path_scopes)
    for of_place in [*tokens[:count], [token for of_user in tokens[count:] for token in of_user]]:
        here = preferred(of_place, users, anybody)
        if len(here) > (1 if anybody else len({token.user for token in here})):
            from git_credential_hf.secret_service import precedence

            here = precedence.ordered(here, reader, users, anybody)
        yield from here


def _asked(options: "Options", question: "Callable[[Reader], Answer]") -> "Answer | None":
    """Return what `question` finds over a connection of its own, None where the keyring does not answer."""
    from git_credential_hf.secret_service.reader import Reader

    try:
        with Reader(options) as reader:
            return question(reader)
    except Unavailable as reason:
        options.note("keyring: %s", reason)
        return None
