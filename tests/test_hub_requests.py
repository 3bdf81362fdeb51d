"""What is asked of the Hub for a person, by real requests: whose token it is, what it may do, and what is no answer."""

import contextlib
import http.server
import io
import json
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from git_credential_hf import hub as client
from tests.hub import Hub, Secret

TOKEN = Secret("hf_HubRequests0123456789AbCdEfGhIjKlMn")


@pytest.fixture(autouse=True)
def only_this_hub(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in hub.environ().items():
        monkeypatch.setenv(name, value)
    hub.create("my-org/m", private=True)
    hub.create("my-org/gated", private=True, gated=True)
    hub.create("datasets/my-org/ds", private=True)
    hub.add_token(TOKEN, orgs=["my-org"])


@pytest.mark.parametrize(
    ("path", "access", "writes"),
    [
        (b"", None, None),
        (b"my-org", None, None),
        (b"my-org/m", "yes", False),
        (b"my-org/m.git", "yes", False),
        (b"datasets/my-org/ds", "yes", False),
        (b"my-org/gated", "gated", None),
        (b"my-org/none", "not found", None),
        (b"my-org/m/tree/main/file", "yes", False),
        (b"my-org/\xff", None, None),
    ],
)
def test_what_a_token_may_do(path: bytes, access: str | None, writes: bool | None) -> None:
    answer = client.ask(TOKEN.encode(), path)
    assert (answer.state, answer.name, answer.role, answer.orgs) == ("asked", "alice", "read", ("my-org",))
    assert (answer.access, answer.writes) == (access, writes)
    if access == "gated":
        assert answer.said.startswith("Access to model my-org/gated is restricted")


def test_a_token_that_may_write(hub: Hub) -> None:
    hub.add_token(TOKEN, role="write", orgs=["my-org"])
    answer = client.ask(TOKEN.encode(), b"my-org/m")
    assert (answer.role, answer.access, answer.writes) == ("write", "yes", True)


def test_a_token_that_is_none(hub: Hub) -> None:
    hub.revoke(TOKEN)
    assert client.ask(TOKEN.encode(), b"my-org/m").state == "refused"
    assert len(hub.log) == 1


def test_no_other_host_is_asked(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "https://hub.example.org")
    assert client.ask(TOKEN.encode(), b"my-org/m").access == "yes"
    assert {one.host for one in hub.log} == {"huggingface.co"}


@pytest.mark.parametrize("token", ["hf_caf\N{LATIN SMALL LETTER E WITH ACUTE}".encode(), b"hf_a\nX-Injected: yes"])
def test_what_is_no_token_is_no_header(hub: Hub, token: bytes) -> None:
    assert client.ask(token, b"").state in ("refused", "no answer")


class Lying(http.server.BaseHTTPRequestHandler):
    """A Hub that answers as `answer` says; it notes the hosts that were asked for."""

    answer: tuple[int, dict[str, str], bytes] = (200, {}, b"")
    asked: list[str]

    def do_CONNECT(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.certificate.configure_cert(context)  # type: ignore[attr-defined]
        with context.wrap_socket(self.connection, server_side=True) as tls:
            self.rfile, self.wfile = tls.makefile("rb"), tls.makefile("wb")
            self.handle_one_request()
            self.wfile.flush()
            self.rfile.close()
            self.wfile.close()
        self.close_connection = True

    def finish(self) -> None:
        pass  # do_CONNECT has closed both

    def do_GET(self) -> None:
        status, headers, body = self.answer
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def lying(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Lying]]:
    """The handler of a Hub that can be told to answer anything."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    handler = type("Handler", (Lying,), {"asked": [], "certificate": authority.issue_cert("huggingface.co")})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        yield handler
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (302, {"Location": "https://hub.example.org/api/whoami-v2"}, b""),
        (307, {"Location": "/elsewhere"}, b""),
        (429, {}, b""),
        (500, {}, b"<html>"),
        (200, {}, b""),
        (200, {}, b"no JSON"),
        (200, {}, b"[1, 2]"),
        (200, {}, b'{"auth": "none", "name": "alice"}'),
        (200, {}, b'{"orgs": 7}'),
        (200, {}, b"[" * 100_000),
        (200, {"Content-Length": "99"}, b"{}"),
    ],
)
def test_what_is_no_answer_of_the_hub(lying: type[Lying], status: int, headers: dict[str, str], body: bytes) -> None:
    lying.answer = (status, headers, body)
    answer = client.ask(TOKEN.encode(), b"my-org/m")
    assert answer.state == "no answer"
    assert answer.why
    assert TOKEN not in answer.why
    assert lying.asked == ["huggingface.co:443"]


@pytest.mark.parametrize("status", [307, 429, 500, 503])
@pytest.mark.parametrize("asked", ["auth-check", "auth-check/write"])
def test_a_hub_that_is_too_busy_says_nothing_of_access(lying: type[Lying], asked: str, status: int) -> None:
    def busy(self: Lying) -> None:
        is_it = self.path == f"/api/models/my-org/m/{asked}"
        self.answer = (status, {}, b"") if is_it else (200, {}, b'{"name": "alice"}')
        Lying.do_GET(self)

    lying.do_GET = busy  # type: ignore[method-assign]
    answer = client.ask(TOKEN.encode(), b"my-org/m")
    assert (answer.state, answer.access, answer.why) == ("no answer", None, f"it answers with status {status}")


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (302, {"Location": "https://hub.example.org/oauth/token"}, b""),
        (307, {"Location": "https://hub.example.org/oauth/token"}, b'{"access_token": "hf_a1", "expires_in": 60}'),
        (308, {"Location": "/elsewhere"}, b""),
        (200, {}, b"[" * 60_000),
        (200, {}, b"x" * (10 << 20)),
        (201, {}, b'{"access_token": "hf_a1", "expires_in": 60}'),
        (400, {"X-Request-Id": "a\tb"}, b'{"error": {"nested": "invalid_grant"}}'),
    ],
)
def test_no_exchange_goes_elsewhere_or_gives_half_a_token(
    lying: type[Lying], status: int, headers: dict[str, str], body: bytes
) -> None:
    lying.answer = (status, headers, body)
    with pytest.raises(client.NoToken) as refused:
        client.exchange(b"iden.ti.ty", b"my-org/m", 5.0)
    assert lying.asked == ["huggingface.co:443"]
    assert refused.value.code == ""
    assert "iden" not in str(refused.value) and "hf_a1" not in str(refused.value)


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("size", [b"-5", b"-1", b"-fffff", b"x", b""])
def test_a_chunk_of_no_size_is_no_answer(lying: type[Lying], status: int, size: bytes) -> None:
    """What is sent goes on for ever; no more of it is read than an answer may have."""
    over, ended = threading.Event(), threading.Event()

    def flood(self: Lying) -> None:
        self.protocol_version = "HTTP/1.1"
        self.send_response(status)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(size + b"\r\n")
        with contextlib.suppress(OSError):
            while not over.is_set():
                self.wfile.write(b"x" * 4096)
        ended.set()
        self.wfile = io.BytesIO()

    lying.do_POST = flood
    begin = time.monotonic()
    with pytest.raises(client.NoToken):
        client.exchange(b"iden.ti.ty", b"my-org/m", 10.0)
    assert time.monotonic() - begin < 5
    assert ended.wait(5)  # the connection is closed, and nothing reads on
    over.set()


def test_an_answer_that_drips_ends_in_time(lying: type[Lying]) -> None:
    over = threading.Event()

    def drip(self: Lying) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        while not over.wait(0.05):
            self.wfile.write(b" ")
            self.wfile.flush()

    lying.do_POST = drip
    begin = time.monotonic()
    with pytest.raises(client.NoToken, match="gave no answer in time"):
        client.exchange(b"iden.ti.ty", b"my-org/m", 1.0)
    assert time.monotonic() - begin < 10
    over.set()


def test_names_of_the_hub_may_be_anything(lying: type[Lying]) -> None:
    lying.answer = (200, {}, json.dumps({"name": "\x1b[31m", "orgs": [{}], "auth": {"type": 7}}).encode())
    answer = client.ask(TOKEN.encode(), b"")
    assert (answer.name, answer.orgs, answer.role) == ("\x1b[31m", ("None",), "7")
