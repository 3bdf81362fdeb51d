"""What git runs to be given a credential: get (git-credential(1), gitcredentials(7)).

`changes` has store and erase, so that get need not wait for them.
"""

import time

from git_credential_hf import protocol
from git_credential_hf.scope import HUB, server

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

    data: the request. Returns what is for git, and a line for a person: each is empty where there is nothing to say.
    Raises Malformed for a request that breaks the format.
    """
    request = protocol.parse(data)
    ours = server(request.protocol, request.host, options.hosts)
    if ours is None:
        return b"", ""
    token, refused, ended = choose(ours, request, options)
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


def choose(ours: bytes, request: "Request", options: "Options") -> "tuple[Token | None, Token | None, Token | None]":
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


def _is_refused(token: "Token", options: "Options") -> bool:
    from git_credential_hf import reading

    if not reading.own_files(b"refused", options.environ):  # as it is nearly always, and what follows is not free
        return False
    from git_credential_hf import refused

    return refused.is_refused(token.text, options.environ)
