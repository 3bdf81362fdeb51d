"""The Hub's state: what there is, who may have it, and what was asked."""

import hmac
import re
import secrets
import ssl
import threading
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Self

import trustme

from .access import UNAUTHORIZED, Refusal, Request, Secret, Token, fingerprint
from .oidc import Oidc
from .proxy import ProxyServer
from .repository import Repository, href
from .server import HubHandler

_REPOSITORY = re.compile(r"(?:(?:datasets|spaces|kernels|buckets)/)?[\w.-]+/[\w.-]+")


class Hub:
    """A Hub that keeps all it has under `root`, a directory that it makes if need be.

    As a context manager it listens on a port of 127.0.0.1 that the kernel chose. `hosts` are more names
    under which the same Hub answers, on any port. `on_request` is called with each Request, one at a
    time, before the first byte of the answer leaves.

    `cdn`: LFS objects are at https://cdn-lfs.hf.co instead of huggingface.co. `cdn_status`: what the CDN
    answers instead of an object. `traps`: paths that answer 401 to every token, good ones too. `tokens` and
    `refresh_tokens` are by fingerprint, `repositories` by path. `revocations` are the
    fingerprints of each request to end tokens, which answers `revoke_status`. `failures` are the exceptions of the Hub
    itself: none, if all is well. `oidc`: the CI jobs that it trusts.
    """

    main_host = "huggingface.co"
    short_host = "hf.co"
    cdn_host = "cdn-lfs.hf.co"

    def __init__(
        self, root: Path, *, hosts: Iterable[str] = (), on_request: Callable[[Request], None] | None = None
    ) -> None:
        self.root = root
        self.ca_file = root / "ca.pem"
        self.git_root = root / "repositories"
        self.hosts = frozenset(hosts)
        self.cdn = False
        self.cdn_status: int | None = None
        self.traps: set[str] = set()
        self.tokens: dict[str, Token] = {}
        self.refresh_tokens: dict[str, Token] = {}
        self.repositories: dict[str, Repository] = {}
        self.denials: dict[str, str] = {}
        self.revocations: list[list[str]] = []
        self.revoke_status = HTTPStatus.ACCEPTED
        self.failures: list[Exception] = []
        self.oidc = Oidc(self)
        self.on_request = on_request
        self._log: list[Request] = []
        self._lock = threading.Lock()
        self._key = secrets.token_bytes(32)
        self._server: ProxyServer | None = None

    def __enter__(self) -> Self:
        self.git_root.mkdir(parents=True, exist_ok=True)
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(self.ca_file))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        names = (self.main_host, self.short_host, self.cdn_host, self.oidc.github_host, *sorted(self.hosts))
        authority.issue_cert(*names).configure_cert(context)
        self._server = ProxyServer(self, context, HubHandler)
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.oidc.ends.set()
        if self._server is not None:
            self._server.stop()
            self._server = None

    @property
    def proxy(self) -> str:
        """The URL of the CONNECT proxy; RuntimeError if the Hub does not run."""
        if self._server is None:
            raise RuntimeError("the Hub does not run")
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def environ(self) -> dict[str, str]:
        """The variables by which git, git-lfs, curl, hf and Python's clients find the Hub and trust it.

        Put them over an environment: they also cover what would lead past the proxy.
        """
        proxies = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
        authorities = (
            "GIT_SSL_CAINFO",
            "SSL_CERT_FILE",
            "NIX_SSL_CERT_FILE",
            "CURL_CA_BUNDLE",
            "REQUESTS_CA_BUNDLE",
        )
        return {
            **dict.fromkeys(proxies, self.proxy),
            **dict.fromkeys(authorities, str(self.ca_file)),
            "NO_PROXY": "",
            "no_proxy": "",
            "HF_ENDPOINT": f"https://{self.main_host}",
            # Else hf also asks pypi.org for a newer version of itself.
            "HF_HUB_DISABLE_UPDATE_CHECK": "1",
        }

    def host(self, authority: str) -> str | None:
        """The name, in lower case, of a HOST:PORT that is the Hub's, or None."""
        host, _, port = authority.lower().rpartition(":")
        own = {self.main_host, self.short_host, self.cdn_host, self.oidc.github_host}
        if host in self.hosts or (port == "443" and host in own):
            return host
        return None

    # What there is

    def create(
        self,
        path: str,
        *,
        private: bool = False,
        gated: bool = False,
        files: Mapping[str, str | bytes] | None = None,
        lfs: Mapping[str, bytes] | None = None,
    ) -> Repository:
        """Make a repository with one commit of `files`, and of `lfs` as pointers whose objects the Hub has.

        `path` is org/name, or that after datasets/, spaces/, kernels/ or buckets/: ValueError if it is something else,
        FileExistsError if it is there already.
        """
        if not _REPOSITORY.fullmatch(path):
            raise ValueError(f"not the path of a repository: {path}")
        repository = Repository(path, self.git_root / f"{path}.git", private, gated)
        repository.init(files or {}, lfs or {})
        self.repositories[path] = repository
        return repository

    def add_token(
        self,
        text: str,
        *,
        user: str = "alice",
        role: str = "read",
        orgs: Iterable[str] = (),
        gated: Iterable[str] = (),
        repos: Iterable[str] | None = None,
        expires: str | None = None,
    ) -> Token:
        """Let `text` be a token; see Token for what the rest means."""
        visible = None if repos is None else frozenset(repos)
        token = Token(Secret(text), user, role, tuple(orgs), frozenset(gated), visible, expires)
        self.tokens[fingerprint(text)] = token
        return token

    def add_refresh_token(self, text: str, token: Token) -> None:
        """Let the refresh token `text` be worth `token`, which the Hub takes once it was asked for."""
        self.refresh_tokens[fingerprint(text)] = token

    def refresh(self, text: str) -> Token | None:
        """The access token for a refresh token, taken from now on, or None."""
        token = self.refresh_tokens.get(fingerprint(text))
        if token is not None:
            self.tokens[fingerprint(token.text)] = token
        return token

    def revoke(self, text: str) -> None:
        """From now on the token is answered 401. KeyError if it is none."""
        del self.tokens[fingerprint(text)]

    def deny(self, path: str, message: str) -> None:
        """From now on the repository at `path` is answered 403 to every token, with these words."""
        self.denials[path] = message

    def identify(self, text: str) -> Token | None:
        """The token that `text` is, or None."""
        return self.tokens.get(fingerprint(text))

    # What was asked

    @property
    def log(self) -> list[Request]:
        """All requests until now, and the CONNECTs that were refused, in the order of their answers."""
        with self._lock:
            return list(self._log)

    def clear(self) -> None:
        """Empty the log."""
        with self._lock:
            self._log.clear()

    def record(self, request: Request) -> None:
        """Put a request into the log."""
        with self._lock:
            self._log.append(request)
            if self.on_request is not None:
                self.on_request(request)

    # Who may have what

    def find(self, path: str) -> Repository | None:
        """The repository at a path, whose case does not count, or None (huggingface_hub#2090)."""
        return next((one for one in self.repositories.values() if one.path.lower() == path.lower()), None)

    def refusal(self, path: str, token: Token | None, *, write: bool = False, content: bool = True) -> Refusal | None:
        """Why a request may not have the repository, or None if it may. Anonymous: `token` is None.

        Without `content` it is about what the Hub shows of a gated repository to everybody: its description.
        """
        repository = self.find(path)
        path = path if repository is None else repository.path
        if token is None:
            if repository is None or repository.private or write:
                # The Hub does not tell a stranger whether there is such a repository.
                return UNAUTHORIZED
            if repository.gated and content:
                message = f"Access to {repository.kind} {path} is restricted. Log in to use {repository.url}"
                return Refusal(HTTPStatus.UNAUTHORIZED, message, "GatedRepo")
            return None
        if repository is None or (repository.private and not token.covers(path)):
            return Refusal(HTTPStatus.NOT_FOUND, "Repository not found", "RepoNotFound")
        if path in self.denials:
            return Refusal(HTTPStatus.FORBIDDEN, self.denials[path])
        accepted = path in token.gated and (token.repos is None or path in token.repos)
        if repository.gated and content and not accepted:
            message = (
                f"Access to {repository.kind} {path} is restricted and you are not in the authorized list. "
                f"Visit {repository.url} to ask for access."
            )
            return Refusal(HTTPStatus.FORBIDDEN, message, "GatedRepo")
        if write and not (token.role == "write" and token.covers(path)):
            return Refusal(HTTPStatus.FORBIDDEN, f"This token has no permission to write to {path}.")
        return None

    # Addresses that carry their own permission

    def object_url(self, method: str, repository: Repository, oid: str) -> str:
        """A URL that needs no credential, for one method on one LFS object."""
        host = self.cdn_host if self.cdn and method == "GET" else self.main_host
        path = f"/repos/{href(repository.path)}/{oid}"
        return f"https://{host}{path}?signature={self.signature(method, path)}"

    def signature(self, method: str, path: str) -> str:
        """What a URL of object_url() must carry."""
        return hmac.digest(self._key, f"{method} {path}".encode(), "sha256").hex()
