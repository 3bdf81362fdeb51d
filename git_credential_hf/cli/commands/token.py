"""token: print the token that git would use. It starts as lean as what git runs."""

from git_credential_hf.cli import clone
from git_credential_hf.model import address
from git_credential_hf.model.outcome import LOCKED, NOT_REACHED
from git_credential_hf.model.repository import HUB, server
from git_credential_hf.model.request import Malformed, parse
from git_credential_hf.model.text import is_plain_word
from git_credential_hf.model.token import Token
from git_credential_hf.operations.get import decide
from git_credential_hf.options import Options, UsageError

_EXAMPLE = "git-credential-hf token https://huggingface.co/my-org/my-model"


class NoToken(Exception):
    """There is no token for the URL; the text is the line for a person: why, and what to do."""


def find(url: bytes | None, options: Options) -> Token:
    """Return the token that git would use for `url`. Raises NoToken and UsageError.

    url: whatever address.clone_url understands; None for the Hub's repository of which this folder is a clone, or for
    the whole Hub.
    """
    given = used = b""
    try:
        given, used = clone.urls(None if url is None else address.clone_url(url), options.environ)
        request = parse(address.request(used))
    except address.HasPassword as clean:
        place = _place(HUB, clean.name)
        if used != given:
            raise NoToken(
                f"no token for {place}: url.*.insteadOf puts a password into the URL, and git uses that. "
                f"Try: {_status(url, given)}"
            ) from None
        raise NoToken(
            f"no token for {place}: the URL has a password in it, and git uses that. "
            f"Try: git-credential-hf token {place}"
        ) from None
    except address.NoHost as where:
        raise _not_ours(str(where), url, given, used) from None
    except address.NotUnderstood as reason:
        from git_credential_hf.cli.output import named

        raise UsageError(f"{named(url)}{reason}", _EXAMPLE) from None
    except Malformed as reason:
        raise UsageError(f"the URL cannot be used: {reason}", _EXAMPLE) from None
    outcome = decide(request, options)
    answer = outcome.given()
    if answer is not None and answer.token is not None:
        options.note("token: %r from %s", answer.token, answer.place)
        return answer.token
    host = request.host.decode("utf-8", "backslashreplace")
    if outcome.server is None:
        is_hub = server(b"https", request.host, ()) == HUB  # over another protocol
        place = _place(HUB, request.path if is_hub else b"")
        raise _not_ours(f"{request.protocol.decode('ascii', 'replace')}://{host}", url, given, used, place)
    if outcome.said:
        raise NoToken(outcome.said)
    place = _place(request.host, request.path)
    from git_credential_hf.secret_service import NO_BUS, NO_KEYRING

    silent = [one for one in outcome.candidates if one.verdict == NOT_REACHED and one.why not in (NO_BUS, NO_KEYRING)]
    why = "".join(f", {one.place}: {one.why}" for one in silent)
    none = "no source has one"
    if outcome.first(LOCKED) is not None:
        none = "what the keyring may have for it is locked, and no other source has one"
    raise NoToken(f"no token for {place}: {none}{why}. Try: git-credential-hf status {place}")


def _not_ours(
    where: str, url: bytes | None, given: bytes, used: bytes, place: str = "https://huggingface.co"
) -> NoToken:
    from git_credential_hf.model.token_text import hide_passwords

    is_rewritten = used != given
    cause = "url.*.insteadOf sends git there, and " if is_rewritten else ""
    remedy = _status(url, given) if is_rewritten else f"git-credential-hf token {place}"
    return NoToken(
        f"no token for {hide_passwords(where)}: {cause}git-credential-hf handles https://huggingface.co alone. "
        f"Try: {remedy}"
    )


def _status(url: bytes | None, given: bytes) -> str:
    """Return the command that tells of what url.*.insteadOf does to the URL `given`, without one that needs quotes."""
    is_named = url is not None and is_plain_word(given)
    return "git-credential-hf status" + (f" {given.decode()}" if is_named else "")


def _place(host: bytes, path: bytes) -> str:
    """Return the URL, without a path that would need quotes."""
    place = b"https://" + host + (b"/" + path if path else b"")
    return (place if is_plain_word(place) else b"https://" + host).decode()
