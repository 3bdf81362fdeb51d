"""token: print the token that git would use. It starts as lean as what git runs."""

from git_credential_hf.cli import clone
from git_credential_hf.model import address
from git_credential_hf.model.outcome import LOCKED
from git_credential_hf.model.repository import HUB
from git_credential_hf.model.request import Malformed, parse
from git_credential_hf.model.text import is_plain_word
from git_credential_hf.model.token import Token
from git_credential_hf.operations.get import decide
from git_credential_hf.options import Options, UsageError


class NoToken(Exception):
    """There is no token for the URL; the text is the line for a person: why, and what to do."""


def find(url: bytes | None, options: Options) -> Token:
    """Return the token that git would use for `url`. Raises NoToken and UsageError.

    url: whatever address.clone_url understands; None for the Hub's repository of which this folder is a clone, or for
    the whole Hub.
    """
    try:
        request = parse(address.request(clone.url(options.environ) if url is None else url))
    except address.HasPassword as clean:
        place = _place(HUB, clean.name)
        raise NoToken(
            f"no token for {place}: the URL has a password in it, and git uses that. "
            f"Try: git-credential-hf token {place}"
        ) from None
    except address.NoHost as where:
        raise _not_ours(str(where)) from None
    except address.NotUnderstood as reason:
        raise UsageError(f"{reason}, as in git-credential-hf token https://huggingface.co/my-org/my-model") from None
    except Malformed as reason:
        raise UsageError(f"the URL cannot be used: {reason}") from None
    outcome = decide(request, options)
    given = outcome.given()
    if given is not None and given.token is not None:
        options.note("token: %r from %s", given.token, given.place)
        return given.token
    host = request.host.decode("utf-8", "backslashreplace")
    if outcome.server is None:
        raise _not_ours(f"{request.protocol.decode('ascii', 'replace')}://{host}")
    if outcome.said:
        raise NoToken(outcome.said)
    place = _place(request.host, request.path)
    why = "".join(f", {one.place}: {one.why}" for one in outcome.candidates if one.source == "forwarded")
    none = "no source has one"
    if outcome.first(LOCKED) is not None:
        none = "what the keyring may have for it is locked, and no other source has one"
    raise NoToken(f"no token for {place}: {none}{why}. Try: git-credential-hf status {place}")


def _not_ours(where: str) -> NoToken:
    from git_credential_hf.model.token_text import hide_passwords

    return NoToken(
        f"no token for {hide_passwords(where)}: git-credential-hf handles https://huggingface.co alone. "
        "Try: git-credential-hf token https://huggingface.co"
    )


def _place(host: bytes, path: bytes) -> str:
    """Return the URL, without a path that would need quotes."""
    place = b"https://" + host + (b"/" + path if path else b"")
    return (place if is_plain_word(place) else b"https://" + host).decode()
