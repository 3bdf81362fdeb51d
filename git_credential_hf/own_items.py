"""Our items in the keyring of this platform: which there are, and what writes them."""

from git_credential_hf.scope import exact_scope, is_text
from git_credential_hf.secret_service import Unavailable, item
from git_credential_hf.sources import keyring
from git_credential_hf.token import from_secret

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from git_credential_hf import keychain
    from git_credential_hf.options import Options
    from git_credential_hf.secret_service import vault as secret_service_vault
    from git_credential_hf.secret_service.lookup import Lookup

    Answer = TypeVar("Answer")


def stored(server: bytes, username: bytes | None, path: bytes, options: "Options") -> list[bytes]:
    """Return our items that stand for `username`, or for anybody, on the host; with a path, what was stored for it."""
    if not keyring.SECRET_SERVICE:
        items: list[bytes] = keyring.by_library().stored(server, username, path, options)
        return items
    wanted = item.of_place(server, exact_scope(path), username)
    if path:
        wanted[item.ORIGIN] = item.STORED
    if (path and not exact_scope(path)) or (username is not None and not is_text(username)):
        return []
    return _asked(options, lambda lookup: lookup.search([wanted])[0]) or []


def holds(server: bytes, text: bytes, options: "Options") -> bool:
    """Whether any item for `server`, whoever's and for whatever part of it, holds `text`."""
    if not keyring.SECRET_SERVICE:
        return False

    def asked(lookup: "Lookup") -> bool:
        found = lookup.search([item.of_server(server), {b"xdg:schema": item.BEARER_SCHEMA}])
        items = [path for paths in found for path in paths]
        secrets = lookup.secrets(items).values() if items else ()
        held = (from_secret(secret, keyring.KEYRING, None) for secret in secrets)
        return any(token.text == text for token in held if token)

    return bool(_asked(options, asked))


def vault(options: "Options") -> "secret_service_vault.Vault | keychain.Vault":
    """Return what writes to the keyring. Raises Absent, Locked or Unavailable."""
    if not keyring.SECRET_SERVICE:
        writer: keychain.Vault = keyring.by_library().Vault()
        return writer
    from git_credential_hf import packages

    packages.enable()
    from git_credential_hf.secret_service import vault

    return vault.Vault(options)


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
