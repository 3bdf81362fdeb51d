"""erase: git reports a credential that the server has rejected."""

import time

from git_credential_hf.model.outcome import REJECTED
from git_credential_hf.model.repository import HUB, server
from git_credential_hf.model.request import Request, parse
from git_credential_hf.model.token import seconds
from git_credential_hf.operations import keyring_items
from git_credential_hf.operations.get import decide, repository
from git_credential_hf.options import Options
from git_credential_hf.secret_service import Unavailable
from git_credential_hf.sources import is_switched_on, keyring
from git_credential_hf.state import locks, rejected


def erase(options: Options, data: bytes) -> str:
    """Remove the stored items that hold the credential, and skip the token itself for an hour (see rejected).

    What a person seeded stays. Without a password, remove that user's item for the host, or the host's, or what was
    stored for the path.

    data: the request. Returns a line for a person, empty where there is nothing to say. Raises Malformed for a request
    that breaks the format.
    """
    request = parse(data)
    ours = server(request.protocol, request.host, options.hosts)
    if ours is None:
        return ""
    text = request.values.get(b"credential", request.password)
    if text is not None:
        return _reject(ours, text, request, options)
    if "keyring" not in options.sources:
        return ""
    return _remove(keyring_items.of_user(ours, request.username, request.path, options), options)


def _reject(ours: bytes, text: bytes, request: Request, options: Options) -> str:
    options.offline = True
    held = [one for one in decide(request, options, every=True).candidates if one.token and one.token.text == text]
    if is_switched_on("oidc", ours, options.sources, options.environ):
        from git_credential_hf.sources import oidc

        end = seconds(request.values.get(b"password_expiry_utc"))
        oidc.reject(text, request.path, options, expired=end is not None and end <= time.time())
    stored = keyring_items.stored(ours, [one.token for one in held if one.token and one.token.item], options)
    complaint = _remove(stored, options)
    left = [one for one in held if complaint or not (one.token and one.token.item in stored)]
    # For another host nothing has to be skipped once its item is gone, and git expects to be asked for another.
    holders = left if ours != HUB else held
    if not holders and not (ours == HUB and "keyring" in options.sources and keyring_items.holds(ours, text, options)):
        return complaint
    try:
        rejected.remember(ours, text, repository(ours, request), options.environ)
    except rejected.CannotRemember:
        return complaint or (
            "the rejected token will be offered again: no folder can be written to remember it, "
            "set XDG_STATE_HOME to one that can"
        )
    if left and not complaint and left[0].verdict != REJECTED:  # it was told of when it was rejected first
        from git_credential_hf.operations import rejection

        return rejection.line(left[0], ours, request, options)
    return complaint


def _remove(items: list[bytes], options: Options) -> str:
    """Remove `items`; return a line for a person where that fails."""
    try:
        if items:
            with keyring.writer(options) as writer, locks.own_lock(options.environ, options.remaining()):
                writer.delete(items)
    except (Unavailable, OSError) as reason:
        return f"the keyring did not remove the credential: {getattr(reason, 'strerror', None) or reason}"
    return ""
