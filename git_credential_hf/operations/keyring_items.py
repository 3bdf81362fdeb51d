"""Which of our items in the keyring a `store` or an `erase` is about."""

from collections.abc import Callable
from typing import TypeVar

from git_credential_hf.model import item
from git_credential_hf.model.repository import HF_USER
from git_credential_hf.model.repository import scope as scope_of
from git_credential_hf.model.text import is_text
from git_credential_hf.model.token import Token
from git_credential_hf.options import Options
from git_credential_hf.secret_service import Unavailable
from git_credential_hf.secret_service.reader import Reader
from git_credential_hf.sources import keyring

_Answer = TypeVar("_Answer")


def of_user(server: bytes, username: bytes | None, path: bytes, options: Options) -> list[bytes]:
    """Return our items that are for `username`, or for anybody, on the host; with a path, what was stored for it."""
    if not keyring.SECRET_SERVICE:
        items: list[bytes] = keyring.by_library().of_user(server, username, path, options)
        return items
    of_path = scope_of(server, path)
    wanted = item.of_place(server, of_path, username)
    if path:
        wanted[item.ORIGIN] = item.STORED
    if (path and not of_path) or (username is not None and not is_text(username)):
        return []
    return _asked(options, lambda reader: reader.search([wanted])[0]) or []


def stored(server: bytes, tokens: list[Token], options: Options) -> list[bytes]:
    """Return the items of those of `tokens`, ours for `server`, that git stored and no person seeded."""
    if not keyring.SECRET_SERVICE:
        items: list[bytes] = keyring.by_library().stored(tokens)
        return items
    return of_origin(item.STORED, server, tokens, options)


def of_origin(origin: bytes, server: bytes, tokens: list[Token], options: Options) -> list[bytes]:
    """Return the items of those of `tokens`, ours for `server`, that are of that origin (see model.item)."""
    if not keyring.SECRET_SERVICE:
        return []
    wanted = [item.of_place(server, token.scope) | {item.ORIGIN: origin} for token in tokens]
    found = _asked(options, lambda reader: reader.search(wanted)) if wanted else None
    paths = {path for some in found or () for path in some}
    return [token.item for token in tokens if token.item in paths]


def seeded_for_others(server: bytes, scope: bytes, options: Options) -> list[bytes]:
    """Return what was seeded for other users than hf_user, for exactly `scope`."""
    if not keyring.SECRET_SERVICE:
        library = keyring.by_library()
        tokens = library.Writer().ours(server, scope, None)
        kept = library.stored(tokens)
        return [token.text for token in tokens if token.item not in kept and token.user != HF_USER]
    origins = [{item.ORIGIN: origin} for origin in (item.SEEDED, item.DECLARED)]

    def asked(reader: Reader) -> list[bytes]:
        found = reader.search([item.of_place(server, scope, user) | one for user in (None, HF_USER) for one in origins])
        of_hf_user = {path for paths in found[len(origins) :] for path in paths}
        items = [path for paths in found[: len(origins)] for path in paths if path not in of_hf_user]
        return [item.text_of(secret) for secret in reader.secrets(items).values()] if items else []

    return _asked(options, asked) or []


def holds(server: bytes, text: bytes, options: Options) -> bool:
    """Return whether any item for `server`, of any user and scope, holds `text`."""
    if not keyring.SECRET_SERVICE:
        return False

    def asked(reader: Reader) -> bool:
        found = reader.search(item.searches(server))
        items = [path for paths in found for path in paths]
        secrets = reader.secrets(items).values() if items else ()
        held = (item.from_secret(secret, None) for secret in secrets)
        return any(token.text == text for token in held if token)

    return bool(_asked(options, asked))


def _asked(options: Options, question: Callable[[Reader], _Answer]) -> _Answer | None:
    """Return what `question` finds over a connection of its own, None where the keyring does not answer."""
    try:
        with Reader(options) as reader:
            return question(reader)
    except Unavailable as reason:
        options.note("keyring: %s", reason)
        return None
