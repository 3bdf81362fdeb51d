"""get: what git is answered for a request."""

import time

from git_credential_hf.model.outcome import EXPIRED, FAILED, GIVEN, NO_AUTHTYPE, REJECTED, SPARE, Outcome
from git_credential_hf.model.repository import scopes, server
from git_credential_hf.model.request import answer, parse

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from git_credential_hf.model.outcome import Candidate
    from git_credential_hf.model.request import Request
    from git_credential_hf.model.token import Token
    from git_credential_hf.options import Options

_QUIT = b"quit=1\n"
_LAST = "last"  # instead of a verdict: there is none before the other candidates are known


def get(options: "Options", data: bytes) -> tuple[bytes, str]:
    """Answer with the first token that is valid.

    data: the request. Returns what is for git, and a line for a person: each is empty where there is nothing to say.
    Raises Malformed for a request that breaks the format.
    """
    request = parse(data)
    outcome = decide(request, options, renew=options.refresh)
    given = outcome.given()
    if given is not None and given.token is not None:
        options.note("answer: %r from %s", given.token, given.place)
        return answer(request, given.token), ""
    return _QUIT if outcome.quits else b"", outcome.said


def decide(request: "Request", options: "Options", *, every: bool = False, renew: bool = False) -> Outcome:
    """Return what comes of `request`. The first token is given that git understands, that has not expired and that the
    Hub has not rejected.

    A token that the Hub rejected more than an hour ago, and has not accepted since, comes after all others. Where
    none is given and one was rejected, git is told to quit, so that nothing goes on asking.

    every: whether the candidates after the given one are looked at too. renew: whether `hf auth token` may renew an
    OAuth login that has expired.
    """
    outcome = Outcome(server(request.protocol, request.host, options.hosts))
    if outcome.server is None:
        return outcome
    from git_credential_hf.sources import candidates

    last: list[Candidate] = []
    for one in candidates(outcome.server, request, options):
        _judge(one, outcome, request, options, last)
        if renew and one.verdict == EXPIRED and one.token and one.token.oauth:
            from git_credential_hf.sources.token_file import renewed

            if (new := renewed(options)) is not None:
                _judge(new, outcome, request, options, last)
        if one.source == "oidc" and one.verdict != GIVEN:
            _fail(one, outcome, request, options)
        if (outcome.given() or outcome.quits) and not every:
            return outcome
    for one in last:
        one.verdict = SPARE if outcome.given() or outcome.quits else GIVEN
        outcome.candidates.append(one)
    if not outcome.given() and not outcome.quits:
        _conclude(outcome, request, options)
    return outcome


def repository(server: bytes, request: "Request") -> bytes:
    """Return the repository that a token is rejected for in an answer to `request` to `server`, empty for all."""
    return (scopes(server, request.path) or [request.path])[0]


def _judge(one: "Candidate", outcome: Outcome, request: "Request", options: "Options", last: "list[Candidate]") -> None:
    """Give the next candidate of `outcome` its verdict, or put it off to `last`."""
    if one.token is not None:
        one.verdict = _verdict(one.token, outcome.server or b"", request, options)
        if one.verdict == _LAST:
            last.append(one)
            return
        if one.verdict:
            options.note("%r from %s: skipped, %s", one.token, one.place, one.verdict)
        else:
            one.verdict = SPARE if outcome.given() or outcome.quits else GIVEN
    outcome.candidates.append(one)


def _fail(one: "Candidate", outcome: Outcome, request: "Request", options: "Options") -> None:
    """Have git quit where OIDC gives no token: whoever set it up must not get another identity in its place."""
    outcome.quits = True
    if one.verdict == FAILED:
        outcome.said = f"{one.why}. Try: git-credential-hf status"
    else:
        from git_credential_hf.operations import rejection

        outcome.said = rejection.line(one, outcome.server or b"", request, options)


def _verdict(token: "Token", ours: bytes, request: "Request", options: "Options") -> str:
    """Return the verdict on a token that cannot be given, _LAST for one that can after all others, else nothing."""
    if token.authtype is not None and not request.with_authtype:
        return NO_AUTHTYPE
    if token.expires is not None and token.expires <= time.time():
        return EXPIRED
    return _rejection(token, ours, request, options)


def _conclude(outcome: Outcome, request: "Request", options: "Options") -> None:
    """Say what keeps git from a token, and whether it is to quit."""
    rejected = outcome.first(REJECTED)
    expired = [one for one in outcome.candidates if one.verdict == EXPIRED and one.token and one.token.oauth]
    if rejected is not None:
        from git_credential_hf.operations import rejection

        outcome.said = rejection.line(rejected, outcome.server or b"", request, options)
    elif expired:
        outcome.said = (
            f"the login in {expired[-1].place} has ended: run `hf auth token` to renew it, or `hf auth login`"
        )
    outcome.quits = rejected is not None or options.no_prompt


def _rejection(token: "Token", ours: bytes, request: "Request", options: "Options") -> str:
    from git_credential_hf.state import folders

    if not folders.own_files(folders.REJECTED, options.environ):  # usually there is none, and the import is not free
        return ""
    from git_credential_hf.state import rejected

    state = rejected.state(ours, token.text, repository(ours, request), options.environ)
    return {rejected.SKIPPED: REJECTED, rejected.LAST: _LAST}.get(state, "")
