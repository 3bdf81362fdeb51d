"""The keyring of this platform: our items, then those that other tools left for the host; and what writes ours."""

import posix
import sys

from git_credential_hf.model.outcome import LOCKED, MALFORMED, NOT_REACHED, Candidate
from git_credential_hf.model.repository import HUB, scopes, usernames
from git_credential_hf.model.token import of_hub
from git_credential_hf.secret_service import KEYRING, NO_BUS, Unavailable
from git_credential_hf.secret_service.dbus.address import bus_addresses

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from git_credential_hf import python_keyring
    from git_credential_hf.model.request import Request
    from git_credential_hf.options import Options
    from git_credential_hf.secret_service.writer import Writer

NAME = "keyring"

# Whether this platform is one whose desktops keep secrets behind D-Bus.
SECRET_SERVICE = sys.platform == "linux"


def candidates(server: bytes, request: "Request", options: "Options") -> "Iterator[Candidate]":
    """Return what the unlocked items hold that may answer `request`, the most specific first.

    Our own items come first; anybody's, and those of other tools, are looked for when these have been taken.
    A keyring that is not there, is locked or does not answer in time gives one candidate, which was not reached. What
    is never a token of the Hub, in another tool's item, is malformed: its shape is the reason (see token_text).
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
        from git_credential_hf.secret_service import own_items
        from git_credential_hf.secret_service.reader import Reader

        with Reader(options, connection) as reader:
            seen = set()
            for token in own_items.tokens(reader, server, path_scopes, users, anybody):
                seen.add(token.item)
                yield Candidate(NAME, KEYRING, token)
            from git_credential_hf.secret_service import other_tools

            for place, token in other_tools.tokens(reader, server, request.path, users, anybody, seen):
                if place != KEYRING and server == HUB and of_hub(token.text) is None:
                    from git_credential_hf.model.token_text import shape

                    options.note("%s: none", place)
                    yield Candidate(NAME, place, None, MALFORMED, shape(token.text))
                else:
                    yield Candidate(NAME, place, token)
            if reader.locked:
                yield Candidate(NAME, KEYRING, None, LOCKED)
    except (OSError, Unavailable) as error:  # the first: no descriptor is left to load a module with
        reason = getattr(error, "strerror", None) or str(error)
        options.note("keyring: %s", reason)
        yield Candidate(NAME, KEYRING, None, NOT_REACHED, reason)


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
