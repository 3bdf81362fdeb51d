"""Requests to huggingface.co: whose a token is, what it may do with a repository, its end, and one for a CI identity.

No other host is asked, save that of GitHub Actions which a job is given to ask for its identity. The requests go by
proxies and SSL_CERT_FILE as the standard library does, and not by HF_ENDPOINT.
"""

import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any, NamedTuple

from git_credential_hf.model import repository
from git_credential_hf.model.repository import HUB

ENDPOINT = f"https://{HUB.decode()}"

_SECONDS = 10.0  # for each request
_LARGEST = 1 << 20  # bytes of an answer
_LARGEST_OF_TOKEN = 1 << 16  # bytes of an answer that is to be a token
_LONGEST = 1 << 14  # bytes of a token
_LONGEST_LIFE = 86_400  # seconds


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
    """status: of HTTP. error, said: the Hub's code and its words where it says no. request: its id."""

    status: int
    body: bytes = b""
    error: str = ""
    said: str = ""
    request: str = ""


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
        if _is_allowed(reading):
            return whose._replace(access="yes", writes=_is_allowed(_get(f"{place}/auth-check/write", token)))
        denied = "denied" if reading.status == 403 else "not found"
        return whose._replace(access="gated" if reading.error == "GatedRepo" else denied, said=reading.said)
    except _NoAnswer as reason:
        return Answer("no answer", str(reason))


def _is_allowed(reply: _Reply) -> bool:
    """Return whether the Hub says yes. Raises _NoAnswer where it says neither yes nor no, as where it is too busy."""
    if reply.status not in (200, 401, 403, 404):
        raise _NoAnswer(f"it answers with status {reply.status}")
    return reply.status == 200


def revoke(tokens: list[bytes]) -> str:
    """Have the Hub end `tokens` everywhere; return why it did not, empty where it did.

    Source: hub-docs, security-tokens.md; whoever has a token may end it.
    """
    body = json.dumps({"credentials": [token.decode("utf-8", "replace") for token in tokens]}).encode()
    try:
        reply = _open(ENDPOINT + "/api/credentials/revoke", {"Content-Type": "application/json"}, body)
    except _NoAnswer as reason:
        return f"it cannot be reached ({reason})"
    return "" if reply.status == 202 else f"it answers with status {reply.status}"


class NoToken(Exception):
    """No token came of a CI identity; the text says why. code: the Hub's own, empty where it gave none."""

    def __init__(self, why: str, code: str = "") -> None:
        super().__init__(why)
        self.code = code


def exchange(identity: bytes, resource: bytes, seconds: float) -> tuple[bytes, int]:
    """Return a token for `resource`, a repository or a user, and how many seconds it is valid. Raises NoToken.

    identity: the ID token of the CI job. seconds: the whole time that it may take.
    Source: RFC 8693; huggingface.co/docs/hub/trusted-publishers.
    """
    asked = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
        "subject_token": identity.decode("utf-8", "replace"),
        "resource": resource.decode("utf-8", "replace"),
    }
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    reply = _within(seconds, ENDPOINT + "/oauth/token", headers, json.dumps(asked).encode())
    told = _object(reply.body)
    if reply.status != 200:
        code = _word(told.get("error"), "_")
        number = _word(reply.request, "-_=;:.")
        raise NoToken(
            f"the Hub answers {code or f'with status {reply.status}'}" + (f" (request {number})" if number else ""),
            code,
        )
    token, lasts = told.get("access_token"), told.get("expires_in")
    if not isinstance(token, str) or not token.isascii() or len(token) > _LONGEST:
        raise NoToken("the Hub's answer has no token in it")
    if type(lasts) is not int or not 0 < lasts <= _LONGEST_LIFE:
        raise NoToken("the Hub's answer does not say how long the token is valid")
    return token.encode(), lasts


def github_identity(url: bytes, token: bytes, seconds: float) -> bytes:
    """Return the ID token that GitHub Actions gives a job for the Hub. Raises NoToken.

    url, token: ACTIONS_ID_TOKEN_REQUEST_URL and _TOKEN. seconds: the whole time that it may take.
    Source: docs.github.com, "OpenID Connect reference".
    """
    address = url.decode("latin-1")
    if not address.lower().startswith("https://"):
        raise NoToken("ACTIONS_ID_TOKEN_REQUEST_URL is not an https URL")
    address += ("&" if "?" in address else "?") + urllib.parse.urlencode({"audience": ENDPOINT})
    reply = _within(seconds, address, {"Authorization": f"Bearer {token.decode('latin-1')}"}, whose="GitHub Actions")
    identity = _object(reply.body).get("value")
    if reply.status != 200:
        raise NoToken(f"GitHub Actions answers with status {reply.status}")
    if not isinstance(identity, str) or not identity.isascii() or not identity:
        raise NoToken("the answer of GitHub Actions has no ID token in it")
    return identity.encode()


def _within(
    seconds: float, url: str, headers: dict[str, str], data: bytes | None = None, whose: str = "the Hub"
) -> _Reply:
    """Return the answer to a request that ends after `seconds`, whatever is sent until then. Raises NoToken.

    A time limit of the socket would begin anew with each byte, and there is none for the name of a host.
    """
    import queue
    import threading

    done: queue.SimpleQueue[_Reply | _NoAnswer] = queue.SimpleQueue()
    deadline = time.monotonic() + seconds

    def ask() -> None:
        try:
            # Of the two that wait, the one below is to be the first whose time is over.
            done.put(_open(url, headers, data, limit=_LARGEST_OF_TOKEN + 1, seconds=seconds + 5))
        except _NoAnswer as reason:
            done.put(reason)
        except Exception as error:  # whatever it is, somebody waits for a word of it
            done.put(_NoAnswer(type(error).__name__))

    threading.Thread(target=ask, daemon=True).start()
    try:
        reply = done.get(timeout=max(0.0, deadline - time.monotonic()))
    except queue.Empty:
        raise NoToken(f"{whose} gave no answer in time") from None
    if isinstance(reply, _NoAnswer):
        raise NoToken(f"{whose} cannot be reached: {reply}")
    if len(reply.body) > _LARGEST_OF_TOKEN:
        raise NoToken(f"the answer of {whose} is too long")
    return reply


def _object(body: bytes) -> dict[str, Any]:
    """Return the JSON object in `body`, empty where there is none."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _word(value: object, others: str) -> str:
    """Return a code of the Hub's, empty where it is none: letters, digits and `others`, which say no secret."""
    if not isinstance(value, str) or len(value) > 80 or not value.isascii():
        return ""
    return value if all(one.isalnum() or one in others for one in value) else ""


def _get(path: str, token: bytes) -> _Reply:
    """Return what the Hub answers. Raises _NoAnswer."""
    return _open(ENDPOINT + path, {"Authorization": f"Bearer {token.decode('latin-1')}"})


def _open(
    url: str, headers: dict[str, str], data: bytes | None = None, limit: int = _LARGEST, seconds: float = _SECONDS
) -> _Reply:
    """Return the answer of an https URL, of its body the first `limit` bytes. Raises _NoAnswer."""
    try:
        request = urllib.request.Request(url, data, {**headers, "User-Agent": "git-credential-hf"})  # noqa: S310 - https
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=seconds) as answer:
            return _Reply(answer.status, _body(answer, limit))
    except urllib.error.HTTPError as error:
        with error:
            words = (error.headers.get(name, "") for name in ("X-Error-Code", "X-Error-Message", "X-Request-Id"))
            try:
                body = _body(error, limit)
            except (OSError, ValueError, http.client.HTTPException):
                body = b""
            return _Reply(error.code, body, *words)
    except urllib.error.URLError as error:
        raise _NoAnswer(getattr(error.reason, "strerror", None) or type(error.reason).__name__) from None
    except (OSError, ValueError, http.client.HTTPException) as error:  # its text may have anything in it
        raise _NoAnswer(type(error).__name__) from None


def _body(answer: Any, limit: int) -> bytes:
    """Return the first `limit` bytes of the body. Raises what http.client does.

    They are read in pieces: a chunk of a negative size would be read to the end of all that comes.
    """
    body = bytearray()
    while len(body) < limit and (piece := answer.read1(limit - len(body))):
        body += piece
    return bytes(body[:limit])


def _whose(body: bytes) -> Answer:
    """Return what whoami-v2 tells. Raises _NoAnswer for anything else."""
    told = _object(body)
    try:
        auth = told.get("auth") or {}
        access = auth.get("accessToken") or {}
        name = str(told["name"])
        gated = (access.get("fineGrained") or {}).get("canReadGatedRepos")
        orgs = tuple(str(org.get("name")) for org in told.get("orgs") or ())
    except (AttributeError, KeyError, TypeError, RecursionError):
        raise _NoAnswer("it answers what whoami-v2 does not") from None
    role, expires = access.get("role") or auth.get("type"), auth.get("expiresAt") or access.get("expiresAt")
    reads_gated = None if gated is None else bool(gated)
    return Answer("asked", "", name, _text(role), _text(expires), orgs, reads_gated=reads_gated)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _place(path: bytes) -> str | None:
    """Return where the API has the repository at `path`, None where it is none."""
    found = repository.whole(path)
    if not found or not found.isascii():
        return None
    kind, _, name = found.partition(b"/") if found.count(b"/") == 2 else (b"models", b"", found)
    return f"/api/{kind.decode()}/{urllib.parse.quote(name)}"
