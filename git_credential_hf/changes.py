"""What git tells of a credential that it has used: store and erase (git-credential(1), gitcredentials(7)).

Each takes the options and the bytes of the request, and returns a line for a person, empty where there is nothing to
say. Each raises Malformed for a request that breaks the format.
"""

from git_credential_hf import files, own_items, protocol, refused
from git_credential_hf.helper import choose
from git_credential_hf.options import Options
from git_credential_hf.scope import HF_USER, HUB, exact_scope, is_text, server
from git_credential_hf.secret_service import Absent, Locked, Unavailable, item
from git_credential_hf.sources import tokens
from git_credential_hf.token import Token, seconds


def store(options: Options, data: bytes) -> str:
    """Keep what a person typed in the keyring, unless `get` would now give exactly that.

    What the Hub has accepted is no longer refused. A keyring that is locked or not there is left alone.
    """
    request = protocol.parse(data)
    ours = server(request.protocol, request.host, options.hosts)
    typed = _typed(ours, request) if ours is not None else None
    if ours is None or typed is None:
        return ""
    if ours == HUB:
        try:
            refused.forget(typed.text, options.environ)
        except refused.CannotRemember:
            options.trace("refused: the list cannot be written")
    given, _, _ = choose(ours, request, options)
    if given is not None and _is_the_same(given, typed):
        options.trace("store: get gives that already")
        return ""
    try:
        if "keyring" in options.sources:
            with own_items.vault(options) as vault, files.own_lock(options.environ, options.remaining()):
                vault.put(ours, typed, item.STORED)
    except (Absent, Locked) as reason:
        options.trace("store: %s", reason)
    except (Unavailable, OSError) as reason:
        return f"the keyring did not keep the credential: {getattr(reason, 'strerror', None) or reason}"
    return ""


def erase(options: Options, data: bytes) -> str:
    """Forget what the server did not accept: our items that hold it, and for the Hub the token itself for an hour.

    Without a password, forget that user's item for the host, or the host's, or what was stored for the path.
    """
    request = protocol.parse(data)
    ours = server(request.protocol, request.host, options.hosts)
    if ours is None:
        return ""
    complaint = ""
    items: list[bytes] = []
    rejected = request.values.get(b"credential", request.password)
    if rejected is not None:
        held = [token for token in tokens(ours, request, options) if token.text == rejected]
        items = [token.item for token in held if token.item]
        if ours == HUB and (held or ("keyring" in options.sources and own_items.holds(ours, rejected, options))):
            complaint = _refuse(rejected, options)
    elif "keyring" in options.sources:
        items = own_items.stored(ours, request.username, request.path, options)
    try:
        if items:
            with own_items.vault(options) as vault, files.own_lock(options.environ, options.remaining()):
                vault.delete(items)
    except (Unavailable, OSError) as reason:
        why = getattr(reason, "strerror", None) or reason
        complaint = complaint or f"the keyring did not remove the credential: {why}"
    return complaint


def _is_the_same(given: Token, typed: Token) -> bool:
    """Whether what git stores is what `get` gave. What git does not know of it, it does not store either."""
    return (
        (given.text, given.authtype) == (typed.text, typed.authtype)
        and typed.expires in (None, given.expires)
        and typed.refresh_token in (None, given.refresh_token)
    )


def _refuse(token: bytes, options: Options) -> str:
    try:
        refused.remember(token, options.environ)
    except refused.CannotRemember:
        return (
            "the token that the Hub refused will be offered again: no folder can be written to remember it, "
            "set XDG_STATE_HOME to one that can"
        )
    return ""


def _typed(ours: bytes, request: protocol.Request) -> Token | None:
    """Return the credential of a store request as a Token, or None where it is nothing to keep."""
    values = request.values
    authtype, credential = values.get(b"authtype"), values.get(b"credential")
    text = credential if authtype is not None else request.password
    if text is None or values.get(b"ephemeral") not in (None, b"0", b"false"):
        return None
    user = request.username
    if user is None and authtype is None:
        user = HF_USER
    if user is not None and not is_text(user):
        return None
    path_scope = b""
    if ours != HUB and request.path:
        path_scope = exact_scope(request.path)
        if not path_scope:
            return None
    return Token(
        text,
        "git",
        user=user,
        expires=seconds(values.get(b"password_expiry_utc")),
        refresh_token=values.get(b"oauth_refresh_token"),
        authtype=authtype,
        scope=path_scope,
    )
