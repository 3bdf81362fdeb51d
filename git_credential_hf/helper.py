"""What git runs: get, store and erase (git-credential(1), gitcredentials(7)).

Each takes the options and the bytes of the request, and returns what is for git and a line for a person, empty where
there is nothing to say. Each raises Malformed for a request that breaks the format.
"""

import time

from git_credential_hf import protocol
from git_credential_hf.scope import HF_USER, HUB, exact_scope, is_text, server

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from git_credential_hf.options import Options
    from git_credential_hf.protocol import Request
    from git_credential_hf.token import Token

Malformed = protocol.Malformed

CAPABILITIES = b"version 0\ncapability authtype\n"

_QUIT = b"quit=1\n"


def get(options: "Options", data: bytes) -> tuple[bytes, str]:
    """Answer with the first token that holds: of a kind that git understands, not expired, not refused by the Hub.

    Where all that was found has been refused, git is told to quit, so that nothing goes on asking.
    """
    request = protocol.parse(data)
    ours = server(request.protocol, request.host, options.hosts)
    if ours is None:
        return b"", ""
    token, refused, ended = _choose(ours, request, options)
    if token is not None:
        options.trace("answer: %r", token)
        return protocol.answer(request, token), ""
    complaint = ""
    if refused is not None:
        from git_credential_hf.sources import VARIABLES

        in_environment = refused.source.encode() in VARIABLES
        remedy = "change or unset it" if in_environment else "run `git-credential-hf seed` with a new one"
        complaint = f"the Hub has refused the token of {refused.source}: {remedy}"
    elif ended is not None:
        complaint = f"the login in {ended.source} has ended: run `hf auth token` to renew it, or `hf auth login`"
    return _QUIT if refused is not None or options.no_prompt else b"", complaint


def store(options: "Options", data: bytes) -> tuple[bytes, str]:
    """Keep what a person typed in the keyring, unless `get` would now give exactly that.

    What the Hub has accepted is no longer refused. A keyring that is locked or not there is left alone.
    """
    request = protocol.parse(data)
    ours = server(request.protocol, request.host, options.hosts)
    typed = _typed(ours, request) if ours is not None else None
    if ours is None or typed is None:
        return b"", ""
    if ours == HUB:
        from git_credential_hf import refused

        try:
            refused.forget(typed.text, options.environ)
        except refused.CannotRemember:
            options.trace("refused: the list cannot be written")
    given, _, _ = _choose(ours, request, options)
    if given is not None and _is_the_same(given, typed):
        options.trace("store: get gives that already")
        return b"", ""
    from git_credential_hf.secret_service import Absent, Locked, Unavailable, item

    try:
        if "keyring" in options.sources:
            from git_credential_hf import files
            from git_credential_hf.sources import keyring

            with keyring.vault(options) as vault, files.own_lock(options.environ, options.remaining()):
                vault.put(ours, typed, item.STORED)
    except (Absent, Locked) as reason:
        options.trace("store: %s", reason)
    except (Unavailable, OSError) as reason:
        return b"", f"the keyring did not keep the credential: {getattr(reason, 'strerror', None) or reason}"
    return b"", ""


def erase(options: "Options", data: bytes) -> tuple[bytes, str]:
    """Forget what the server did not accept: our items that hold it, and for the Hub the token itself for an hour.

    Without a password, forget that user's item for the host, or the host's, or what was stored for the path.
    """
    request = protocol.parse(data)
    ours = server(request.protocol, request.host, options.hosts)
    if ours is None:
        return b"", ""
    from git_credential_hf import files
    from git_credential_hf.secret_service import Unavailable
    from git_credential_hf.sources import keyring, tokens

    complaint = ""
    items: list[bytes] = []
    rejected = request.values.get(b"credential", request.password)
    if rejected is not None:
        held = [token for token in tokens(ours, request, options) if token.text == rejected]
        items = [token.item for token in held if token.item]
        if ours == HUB and (held or ("keyring" in options.sources and keyring.holds(ours, rejected, options))):
            complaint = _refuse(rejected, options)
    elif "keyring" in options.sources:
        items = keyring.stored(ours, request.username, request.path, options)
    try:
        if items:
            with keyring.vault(options) as vault, files.own_lock(options.environ, options.remaining()):
                vault.delete(items)
    except (Unavailable, OSError) as reason:
        why = getattr(reason, "strerror", None) or reason
        complaint = complaint or f"the keyring did not remove the credential: {why}"
    return b"", complaint


def _choose(ours: bytes, request: "Request", options: "Options") -> "tuple[Token | None, Token | None, Token | None]":
    """Return the token to give; the one passed over as refused; the login passed over as ended: each may be None."""
    from git_credential_hf.sources import tokens

    now = time.time()
    refused = ended = None
    found = tokens(ours, request, options)
    while token := next(found, None):
        if token.authtype is not None and not request.with_authtype:
            options.trace("%r: passed over, git does not know authtype", token)
            continue
        if token.expires is not None and token.expires <= now:
            options.trace("%r: passed over, it has expired", token)
            if not token.oauth:
                continue
            ended = token
            if not options.refresh:
                continue
            from git_credential_hf.sources.token_file import renewed

            token = renewed(options)
            if token is None:
                continue
        if ours == HUB and _is_refused(token, options):
            options.trace("%r: passed over, the Hub has refused it", token)
            refused = token
            continue
        return token, None, None
    return None, refused, ended


def _is_the_same(given: "Token", typed: "Token") -> bool:
    """Whether what git stores is what `get` gave. What git does not know of it, it does not store either."""
    return (
        (given.text, given.authtype) == (typed.text, typed.authtype)
        and typed.expires in (None, given.expires)
        and typed.refresh_token in (None, given.refresh_token)
    )


def _is_refused(token: "Token", options: "Options") -> bool:
    from git_credential_hf import files

    if not files.own_files(b"refused", options.environ):  # as it is nearly always, and what follows is not free
        return False
    from git_credential_hf import refused

    return refused.is_refused(token.text, options.environ)


def _refuse(token: bytes, options: "Options") -> str:
    from git_credential_hf import refused

    try:
        refused.remember(token, options.environ)
    except refused.CannotRemember:
        return (
            "the token that the Hub refused will be offered again: no folder can be written to remember it, "
            "set XDG_STATE_HOME to one that can"
        )
    return ""


def _typed(ours: bytes, request: "Request") -> "Token | None":
    """Return the credential of a store request as a Token, or None where it is nothing to keep."""
    from git_credential_hf.token import Token, seconds

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
