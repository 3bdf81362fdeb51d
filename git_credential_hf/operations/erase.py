"""erase: git tells of a credential that the server has rejected."""

from git_credential_hf.model.repository import HUB, server
from git_credential_hf.model.request import parse
from git_credential_hf.operations.get import decide
from git_credential_hf.options import Options
from git_credential_hf.secret_service import Unavailable
from git_credential_hf.sources import keyring
from git_credential_hf.state import locks, rejected


def erase(options: Options, data: bytes) -> str:
    """Remove our items that hold the credential, and for the Hub skip the token itself for an hour.

    Without a password, remove that user's item for the host, or the host's, or what was stored for the path.

    data: the request. Returns a line for a person, empty where there is nothing to say. Raises Malformed for a request
    that breaks the format.
    """
    request = parse(data)
    ours = server(request.protocol, request.host, options.hosts)
    if ours is None:
        return ""
    complaint = ""
    items: list[bytes] = []
    text = request.values.get(b"credential", request.password)
    if text is not None:
        found = [one.token for one in decide(request, options, every=True).candidates]
        held = [token for token in found if token is not None and token.text == text]
        items = [token.item for token in held if token.item]
        if ours == HUB and (held or ("keyring" in options.sources and keyring.holds(ours, text, options))):
            complaint = _reject(text, options)
    elif "keyring" in options.sources:
        items = keyring.stored(ours, request.username, request.path, options)
    try:
        if items:
            with keyring.writer(options) as writer, locks.own_lock(options.environ, options.remaining()):
                writer.delete(items)
    except (Unavailable, OSError) as reason:
        why = getattr(reason, "strerror", None) or reason
        complaint = complaint or f"the keyring did not remove the credential: {why}"
    return complaint


def _reject(token: bytes, options: Options) -> str:
    try:
        rejected.remember(token, options.environ)
    except rejected.CannotRemember:
        return (
            "the token that the Hub refused will be offered again: no folder can be written to remember it, "
            "set XDG_STATE_HOME to one that can"
        )
    return ""
