"""store: git reports a credential that the server has accepted."""

from git_credential_hf.model import item
from git_credential_hf.model.outcome import GIVEN, REJECTED, SPARE
from git_credential_hf.model.repository import HF_USER, HUB, scope, server
from git_credential_hf.model.request import Request, parse
from git_credential_hf.model.text import is_text
from git_credential_hf.model.token import Token, of_hub, seconds
from git_credential_hf.operations import keyring_items
from git_credential_hf.operations.get import decide, repository
from git_credential_hf.options import Options
from git_credential_hf.secret_service import Absent, Locked, Unavailable
from git_credential_hf.sources import SWITCHES, is_switched_on, keyring, token_file
from git_credential_hf.state import locks, rejected


def store(options: Options, data: bytes) -> str:
    """Store the credential in the keyring, unless `get` gives it already.

    It gets an item of its own; what a person seeded stays unchanged. What the server has accepted is no longer
    rejected. A keyring that is locked or missing is skipped. A machine whose tokens come over a forwarded socket or
    through OIDC stores nothing: its token must end with the connection or the job.

    data: the request. Returns a line for a person, empty where there is nothing to say. Raises Malformed for a request
    that breaks the format.
    """
    request = parse(data)
    ours = server(request.protocol, request.host, options.hosts)
    accepted = _credential(ours, request) if ours is not None else None
    if ours is None or accepted is None:
        return ""
    try:
        rejected.forget(ours, accepted.text, options.environ)
    except rejected.CannotRemember:
        options.note("rejected: the list cannot be written")
    if any(is_switched_on(name, ours, options.sources, options.environ) for name in SWITCHES):
        options.note("store: tokens come from elsewhere, and are not kept here")
        return ""
    given = decide(request, options).given()
    if given is not None and given.token is not None and _is_the_same(given.token, accepted):
        options.note("store: get gives that already")
        return ""
    if not _find_place(accepted, ours, request, options):
        return ""
    if accepted.expires is None and ours == HUB:
        accepted.expires, _ = token_file.login(accepted.text, options.environ)
    try:
        if "keyring" in options.sources:
            with keyring.writer(options) as writer, locks.own_lock(options.environ, options.remaining()):
                writer.put([(ours, accepted)], item.STORED)
    except (Absent, Locked) as reason:
        options.note("store: %s", reason)
    except (Unavailable, OSError) as reason:
        return f"the keyring did not keep the credential: {getattr(reason, 'strerror', None) or reason}"
    return ""


def _find_place(accepted: Token, ours: bytes, request: Request, options: Options) -> bool:
    """Give `accepted` the scope in which it comes before nothing that a person seeded; return whether there is one."""
    every = decide(request, options, every=True)
    kept = [
        one.token
        for one in every.candidates
        if one.token
        and one.source == keyring.NAME
        and one.verdict in (GIVEN, SPARE)
        and not _is_rejected(one.token.text, ours, repository(ours, request), options)
    ]
    if ours != HUB and kept and kept[0].item and not keyring_items.stored(ours, kept[:1], options):
        accepted.scope = kept[0].scope  # beside what was seeded: for the path alone it would come before that
    others = []
    # The new item would come before the token file, for a request that names nobody whosever it is.
    filed = every.first(GIVEN, SPARE, REJECTED, source=token_file.NAME)
    if filed is not None and filed.token is not None and all(token.scope for token in kept):
        others.append(filed.token.text)
    # A request that names nobody finds an item of hf_user before those of other users.
    if accepted.user == HF_USER:
        others += keyring_items.seeded_for_others(ours, accepted.scope, options)
        if not all(_is_rejected(text, ours, repository(ours, request), options) for text in others):
            options.note("store: what was seeded answers")
            return False
    if not all(_is_rejected(text, ours, b"", options) for text in others):
        # Elsewhere they still answer. Beside a scoped token it comes after that one, if that was seeded.
        accepted.scope = (kept and kept[0].scope) or scope(ours, request.path)
        if not accepted.scope:
            options.note("store: it is not known for which repository")
            return False
    return True


def _is_rejected(text: bytes, ours: bytes, of_repository: bytes, options: Options) -> bool:
    return bool(rejected.state(ours, text, of_repository, options.environ))


def _is_the_same(given: Token, accepted: Token) -> bool:
    """Return whether git stores what `get` gave. Fields that git does not know are not compared."""
    return (
        (given.text, given.authtype) == (accepted.text, accepted.authtype)
        and accepted.expires in (None, given.expires)
        and accepted.refresh_token in (None, given.refresh_token)
    )


def _credential(ours: bytes, request: Request) -> Token | None:
    """Return the credential of a store request as a Token, or None where it is nothing to keep."""
    values = request.values
    authtype, credential = values.get(b"authtype"), values.get(b"credential")
    text = credential if authtype is not None else request.password
    if text is None or values.get(b"ephemeral") not in (None, b"0", b"false"):
        return None
    if ours == HUB and text and of_hub(text) is None:
        return None
    user = request.username
    if user is None and authtype is None:
        user = HF_USER
    if user is not None and not is_text(user):
        return None
    path_scope = b""
    if ours != HUB and request.path:
        path_scope = scope(ours, request.path)
        if not path_scope:
            return None
    return Token(
        text,
        user=user,
        expires=seconds(values.get(b"password_expiry_utc")),
        refresh_token=values.get(b"oauth_refresh_token"),
        authtype=authtype,
        scope=path_scope,
    )
