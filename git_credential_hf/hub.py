"""Requests to huggingface.co, and to no other host: whose a token is, what it may do with a repository, and its end.

They go by proxies and SSL_CERT_FILE as the standard library does, and not by HF_ENDPOINT.
"""

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any, NamedTuple

from git_credential_hf.model import repository
from git_credential_hf.model.repository import HUB

ENDPOINT = f"https://{HUB.decode()}"

_SECONDS = 10.0  # for each request
_LARGEST = 1 << 20  # bytes of an answer


class Answer(NamedTuple):
    """What the Hub says of a token.

    state: "asked", "refused" (it is none) or "no answer"; `why` tells of the last.
    access: "yes", "gated", "denied" or "not found", None where the URL names no repository.
    writes: whether the token may write there, None where it may not read.
    said: the Hub's own words where it says no.
    reads_gated: whether a fine-grained token may read gated repositories, None for any other.
    """

    state: str
    why: str = ""
    name: str | None = None
    role: str | None = None
    expires: str | None = None
    orgs: tuple[str, ...] = ()
    access: str | None = None
    writes: bool | None = None
    said: str = ""
    reads_gated: bool | None = None


class _Reply(NamedTuple):
    """status: of HTTP. error, said: the Hub's code and its words where it says no."""

    status: int
    body: bytes = b""
    error: str = ""
    said: str = ""


class _NoAnswer(Exception):
    """The Hub could not be asked; the text says why."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Follow none: the token would go along."""


def ask(token: bytes, path: bytes) -> Answer:
    """Ask the Hub whose `token` is, and what it may do with the repository at `path`, if that is one."""
    try:
        whoami = _get("/api/whoami-v2", token)
        if whoami.status == 401:
            return Answer("refused", said=whoami.said)
        if whoami.status != 200:
            return Answer("no answer", f"it answers with status {whoami.status}", said=whoami.said)
        whose = _whose(whoami.body)
        place = _place(path)
        if place is None:
            return whose
        reading = _get(f"{place}/auth-check", token)
        if reading.status == 200:
            return whose._replace(access="yes", writes=_get(f"{place}/auth-check/write", token).status == 200)
        denied = "denied" if reading.status == 403 else "not found"
        return whose._replace(access="gated" if reading.error == "GatedRepo" else denied, said=reading.said)
    except _NoAnswer as reason:
        return Answer("no answer", str(reason))


def revoke(tokens: list[bytes]) -> str:
    """Have the Hub end `tokens` everywhere; return why it did not, empty where it did.

    Source: hub-docs, security-tokens.md; whoever has a token may end it.
    """
    body = json.dumps({"credentials": [token.decode("utf-8", "replace") for token in tokens]}).encode()
    try:
        reply = _asked("/api/credentials/revoke", {"Content-Type": "application/json"}, body)
    except _NoAnswer as reason:
        return f"it cannot be reached ({reason})"
    return "" if reply.status == 202 else f"it answers with status {reply.status}"


def _get(path: str, token: bytes) -> _Reply:
    """Return what the Hub answers to whoever has the token. Raises _NoAnswer."""
    return _asked(path, {"Authorization": f"Bearer {token.decode('latin-1')}"})


def _asked(path: str, headers: dict[str, str], body: bytes | None = None) -> _Reply:
    """Return what the Hub answers, to a POST where there is a body. Raises _NoAnswer."""
    headers = headers | {"User-Agent": "git-credential-hf"}
    request = urllib.request.Request(ENDPOINT + path, body, headers)  # noqa: S310 - it is https
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=_SECONDS) as answer:
            return _Reply(answer.status, answer.read(_LARGEST))
    except urllib.error.HTTPError as error:
        with error:
            words = (error.headers.get(name, "") for name in ("X-Error-Code", "X-Error-Message"))
            return _Reply(error.code, b"", *words)
    except urllib.error.URLError as error:
        raise _NoAnswer(getattr(error.reason, "strerror", None) or type(error.reason).__name__) from None
    except (OSError, ValueError, http.client.HTTPException) as error:  # its text may have anything in it
        raise _NoAnswer(type(error).__name__) from None


def _whose(body: bytes) -> Answer:
    """Return what whoami-v2 tells. Raises _NoAnswer for anything else."""
    try:
        told = json.loads(body)
        auth = told.get("auth") or {}
        access = auth.get("accessToken") or {}
        name = str(told["name"])
        reads_gated = (access.get("fineGrained") or {}).get("canReadGatedRepos")
        orgs = tuple(str(org.get("name")) for org in told.get("orgs") or ())
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
        raise _NoAnswer("it answers what whoami-v2 does not") from None
    role, expires = access.get("role") or auth.get("type"), auth.get("expiresAt") or access.get("expiresAt")
    return Answer(
        "asked",
        "",
        name,
        _text(role),
        _text(expires),
        orgs,
        reads_gated=None if reads_gated is None else bool(reads_gated),
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _place(path: bytes) -> str | None:
    """Return where the API has the repository at `path`, None where it is none."""
    segments = repository.name(path).split(b"/")
    kind = segments.pop(0).lower() if segments[0].lower() in repository.TYPES else b"models"
    name = b"/".join(segments)
    if len(segments) != 2 or not name.isascii():
        return None
    return f"/api/{kind.decode()}/{urllib.parse.quote(name)}"
