"""What the Hub answers inside a tunnel: git, LFS, the API, files, OAuth."""

from __future__ import annotations

import hmac
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from http import HTTPStatus
from typing import IO
from urllib.parse import parse_qs, unquote

from .access import BAD_TOKEN, UNAUTHORIZED, Credential, Refusal, Token, fingerprint
from .proxy import ConnectHandler
from .repository import Entry, Repository, git_environ

_REPO = r"(?P<repo>(?:(?:datasets|spaces|kernels|buckets)/)?[^/]+/[^/]+?)"
_GIT = re.compile(rf"/{_REPO}(?:\.git)?/(?P<service>info/refs|git-upload-pack|git-receive-pack)")
_BATCH = re.compile(rf"/{_REPO}(?:\.git)?/*info/lfs/objects/batch")
_LFS = re.compile(rf"/{_REPO}(?:\.git)?/*info/lfs/.*")
_OBJECT = re.compile(rf"/repos/{_REPO}/(?P<oid>[0-9a-f]{{64}})")
_RESOLVE = re.compile(rf"/{_REPO}/resolve/(?P<revision>[^/]+)/(?P<file>.+)")
_API = re.compile(
    r"/api/(?P<kind>models|datasets|spaces)/(?P<name>[^/]+/[^/]+)"
    r"(?:/(?:(?P<check>auth-check)(?P<write>/write)?|(?P<view>revision|tree)/(?P<revision>[^/]+)(?:/(?P<file>.+))?))?"
)
_LFS_JSON = "application/vnd.git-lfs+json"
_BLOCK = 1 << 16
_OAUTH_LIFETIME = 30 * 24 * 3600  # more than the day before the end at which huggingface_hub renews


class HubHandler(ConnectHandler):
    """Requests to huggingface.co, hf.co and the CDN, once CONNECT has led to one of them."""

    def do_GET(self) -> None:
        """Answer any method: what it may do is a matter of the path."""
        # The whole body is read first, for else the next request on this connection would begin inside it.
        with tempfile.TemporaryFile() as body:
            for block in self._body():
                body.write(block)
            body.seek(0)
            self._route(body)

    do_HEAD = do_POST = do_PUT = do_GET

    def _body(self) -> Iterator[bytes]:
        """The request's body in blocks, whether its length was told before or chunk by chunk."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while size := int(self.rfile.readline().split(b";")[0], 16):
                yield from self._read(size)
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
        else:
            yield from self._read(int(self.headers.get("Content-Length", 0)))

    def _read(self, size: int) -> Iterator[bytes]:
        while size:
            block = self.rfile.read(min(size, _BLOCK))
            if not block:
                raise ConnectionAbortedError("the request's body ended early")
            size -= len(block)
            yield block

    def _route(self, body: IO[bytes]) -> None:
        hub = self.server.hub
        path, _, query = self.path.partition("?")
        if self.host is None:
            self.reply(HTTPStatus.FORBIDDEN, b"This proxy takes CONNECT and nothing else.\n")
        elif self.host == hub.short_host:
            location = f"https://{hub.main_host}{self.path}"
            self.reply(HTTPStatus.PERMANENT_REDIRECT, b"", headers={"Location": location})
        elif match := _OBJECT.fullmatch(path):
            self._lfs_object(match, query, body)
        elif self.host == hub.cdn_host:
            self.reply(HTTPStatus.NOT_FOUND, b"")
        elif self.host == hub.oidc.github_host:
            status, answer = hub.oidc.github(query, self.headers.get("Authorization"))
            self._json(answer, status)
        elif path == "/oauth/token":
            self._oauth(body)
        elif path == "/api/credentials/revoke" and self.command == "POST":
            self._revoke(body)
        else:
            self._authenticated(unquote(path), path, query, body)

    def _authenticated(self, path: str, raw_path: str, query: str, body: IO[bytes]) -> None:
        """What depends on who asks. A token that is none is refused even where none is needed."""
        credential = Credential.parse(self.headers.get("Authorization"))
        token: Token | None = None
        if credential is not None:
            token = None if credential.token is None else self.server.hub.identify(credential.token)
            if token is None or path in self.server.hub.traps:
                self._refuse(BAD_TOKEN, path)
                return
        elif path in self.server.hub.traps:
            self._refuse(UNAUTHORIZED, path)
            return
        if path == "/api/whoami-v2":
            self._whoami(token)
        elif match := _API.fullmatch(raw_path):
            self._api(match, query, token)
        elif match := _RESOLVE.fullmatch(raw_path):
            self._resolve(match, token)
        elif match := _BATCH.fullmatch(path):
            self._batch(match["repo"], body, token)
        elif match := _GIT.fullmatch(path):
            self._git(match["repo"], match["service"], query, body, token)
        else:
            self._refuse(Refusal(HTTPStatus.NOT_FOUND, "Not found"), path)

    def _permitted(
        self, path: str, token: Token | None, *, write: bool = False, content: bool = True
    ) -> Repository | None:
        """The repository, or None after the refusal was sent."""
        refusal = self.server.hub.refusal(path, token, write=write, content=content)
        repository = self.server.hub.find(path)
        if refusal is None and repository is not None:
            return repository
        assert refusal is not None
        self._refuse(refusal, self.path)
        return None

    def _refuse(self, refusal: Refusal, path: str) -> None:
        """Say no in the form that the one who asks can read: git shows plain text to people."""
        headers = {"X-Error-Message": refusal.message}
        if refusal.code:
            headers["X-Error-Code"] = refusal.code
        if _LFS.match(path):
            if refusal.status == HTTPStatus.UNAUTHORIZED:
                headers["LFS-Authenticate"] = 'Basic realm="Hugging Face", charset="UTF-8"'
            self.reply(refusal.status, _json({"message": refusal.message}), _LFS_JSON, headers)
        elif _GIT.match(path):
            if refusal.status == HTTPStatus.UNAUTHORIZED:
                headers["WWW-Authenticate"] = 'Basic realm="Hugging Face", charset="UTF-8"'
            self.reply(refusal.status, refusal.message.encode(), headers=headers)
        else:
            self._json({"error": refusal.message}, refusal.status, headers)

    def _json(self, value: object, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.reply(status, _json(value), "application/json; charset=utf-8", headers)

    # git

    def _git(self, path: str, service: str, query: str, body: IO[bytes], token: Token | None) -> None:
        """Let git-http-backend(1) answer, by the rules of CGI (RFC 3875)."""
        push = "git-receive-pack" in (service, *parse_qs(query).get("service", []))
        repository = self._permitted(path, token, write=push)
        if repository is None:
            return
        length = body.seek(0, 2)
        body.seek(0)
        environ = {
            **git_environ(),
            "GIT_PROJECT_ROOT": str(self.server.hub.git_root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": f"/{repository.path}.git/{service}",
            "REQUEST_METHOD": self.command,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(length),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_ADDR": "127.0.0.1",
        }
        if token is not None:
            environ["REMOTE_USER"] = token.user  # without it http-backend takes no push
        command = ["git", "http-backend"]
        with subprocess.Popen(
            command, stdin=body, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environ
        ) as backend:
            assert backend.stdout is not None
            try:
                self._relay(backend.stdout)
            except BaseException:
                backend.kill()
                raise

    def _relay(self, output: IO[bytes]) -> None:
        """Send on what a CGI program writes, as it comes."""
        status = int(HTTPStatus.OK)
        headers: list[tuple[str, str]] = []
        while line := output.readline().decode("latin-1").strip():
            name, _, value = line.partition(":")
            if name.lower() == "status":
                status = int(value.split()[0])
            else:
                headers.append((name, value.strip()))
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while block := output.read(_BLOCK):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(block), block))
        self.wfile.write(b"0\r\n\r\n")

    # Git LFS

    def _batch(self, path: str, body: IO[bytes], token: Token | None) -> None:
        """The batch API with its basic transfer (git-lfs's docs/api/batch.md)."""
        asked = json.load(body)
        upload = asked["operation"] == "upload"
        repository = self._permitted(path, token, write=upload)
        if repository is None:
            return
        objects = []
        for item in asked["objects"]:
            answer: dict[str, object] = {"oid": item["oid"], "size": item["size"]}
            there = (repository.objects / item["oid"]).exists()
            if upload and not there:
                url = self.server.hub.object_url("PUT", repository, item["oid"])
                answer["actions"] = {"upload": {"href": url}}
            elif not upload and there:
                url = self.server.hub.object_url("GET", repository, item["oid"])
                answer["actions"] = {"download": {"href": url}}
            elif not upload:
                answer["error"] = {"code": HTTPStatus.NOT_FOUND, "message": "Object does not exist"}
            objects.append(answer)
        self.reply(200, _json({"transfer": "basic", "objects": objects, "hash_algo": "sha256"}), _LFS_JSON)

    def _lfs_object(self, match: re.Match[str], query: str, body: IO[bytes]) -> None:
        """An object at a signed URL, to be had or put by whoever has the URL."""
        hub = self.server.hub
        if self.host == hub.cdn_host and hub.cdn_status is not None:
            headers = {}
            if hub.cdn_status == HTTPStatus.UNAUTHORIZED:
                headers["WWW-Authenticate"] = 'Basic realm="CDN"'
            self.reply(hub.cdn_status, b"", headers=headers)
            return
        method = "PUT" if self.command == "PUT" else "GET"
        signature = parse_qs(query).get("signature", [""])[0]
        if not hmac.compare_digest(signature.encode(), hub.signature(method, match[0]).encode()):
            self.reply(HTTPStatus.FORBIDDEN, b"The signature does not match.\n")
            return
        repository = hub.repositories[unquote(match["repo"])]
        if method == "GET":
            self._send_object(repository, match["oid"], {})
        elif repository.store(match["oid"], body):
            self.reply(HTTPStatus.OK, b"")
        else:
            self.reply(HTTPStatus.BAD_REQUEST, b"The content has another sha256.\n")

    def _send_object(self, repository: Repository, oid: str, headers: dict[str, str]) -> None:
        with (repository.objects / oid).open("rb") as file:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "application/octet-stream")
            self.send_header("Content-Length", str(file.seek(0, 2)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                file.seek(0)
                shutil.copyfileobj(file, self.wfile)

    # The API and the files, as huggingface_hub asks for them

    def _whoami(self, token: Token | None) -> None:
        if token is None:
            self._refuse(UNAUTHORIZED, self.path)
            return
        date = "2026-01-01T00:00:00.000Z"
        access: dict[str, object] = {"displayName": f"{token.user}-{token.role}", "role": token.role, "createdAt": date}
        if token.role == "fineGrained":
            access["fineGrained"] = {"canReadGatedRepos": bool(token.gated), "global": [], "scoped": []}
        self._json(
            {
                "type": "user",
                "name": token.user,
                "fullname": token.user,
                "orgs": [{"type": "org", "name": org, "fullname": org} for org in token.orgs],
                "auth": {"type": "oauth", "expiresAt": "2100-01-01T00:00:00.000Z"}
                if token.role == "oauth"
                else {"type": "access_token", "accessToken": access, "expiresAt": token.expires},
            }
        )

    def _revoke(self, body: IO[bytes]) -> None:
        """End the tokens that the body names, whoever asks. Source: hub-docs, security-tokens.md."""
        credentials = json.load(body)["credentials"]
        self.server.hub.revocations.append([fingerprint(one) for one in credentials])
        if self.server.hub.revoke_status == HTTPStatus.ACCEPTED:
            for one in credentials:
                self.server.hub.tokens.pop(fingerprint(one), None)
        self.reply(self.server.hub.revoke_status, b"")

    def _api(self, match: re.Match[str], query: str, token: Token | None) -> None:
        name = unquote(match["name"])
        path = name if match["kind"] == "models" else f"{match['kind']}/{name}"
        repository = self._permitted(path, token, write=bool(match["write"]), content=match["check"] is not None)
        if repository is None:
            return
        if match["check"]:
            self.reply(HTTPStatus.OK, b"")
            return
        commit = self._commit(repository, match["revision"] or "main")
        if commit is None:
            return
        entries = repository.entries(commit)
        if match["view"] == "tree":
            recursive = parse_qs(query).get("recursive", [""])[0].lower() in ("true", "1")
            self._json(_tree(repository, commit, unquote(match["file"] or ""), recursive))
            return
        self._json(
            {
                "id": name,
                "author": repository.namespace,
                "sha": commit,
                "private": repository.private,
                "gated": "auto" if repository.gated else False,
                "disabled": False,
                "tags": [],
                "siblings": [{"rfilename": entry.path} for entry in entries],
            }
        )

    def _resolve(self, match: re.Match[str], token: Token | None) -> None:
        repository = self._permitted(unquote(match["repo"]), token)
        if repository is None:
            return
        commit = self._commit(repository, match["revision"])
        if commit is None:
            return
        entry = repository.entry(commit, unquote(match["file"]))
        headers = {"X-Repo-Commit": commit}
        if entry is None:
            headers["X-Error-Code"] = "EntryNotFound"
            self._json({"error": "Entry not found"}, HTTPStatus.NOT_FOUND, headers)
        elif entry.lfs is None:
            headers["ETag"] = f'"{entry.oid}"'
            self.reply(HTTPStatus.OK, repository.blob(entry.oid), headers=headers)
        else:
            headers |= {"X-Linked-Size": str(entry.size), "X-Linked-Etag": f'"{entry.lfs}"'}
            if self.server.hub.cdn:
                headers["Location"] = self.server.hub.object_url("GET", repository, entry.lfs)
                self.reply(HTTPStatus.FOUND, b"", headers=headers)
            else:
                self._send_object(repository, entry.lfs, {**headers, "ETag": f'"{entry.lfs}"'})

    def _commit(self, repository: Repository, revision: str) -> str | None:
        """The commit of a quoted revision, or None after that was sent."""
        commit = repository.commit(unquote(revision))
        if commit is None:
            message = f"Invalid rev id: {unquote(revision)}"
            self._refuse(Refusal(HTTPStatus.NOT_FOUND, message, "RevisionNotFound"), self.path)
        return commit

    # OAuth

    def _oauth(self, body: IO[bytes]) -> None:
        """Renew an access token (RFC 6749, section 6), or exchange an identity for one (RFC 8693)."""
        if self.headers.get("Content-Type") == "application/json":
            status, told = self.server.hub.oidc.exchange(json.load(body))
            self._json(told, status, {"X-Request-Id": "Root=1-6a-07;b1"})
            return
        form = parse_qs(body.read().decode())
        token = None
        if form.get("grant_type") == ["refresh_token"]:
            token = self.server.hub.refresh(form.get("refresh_token", [""])[0])
        if token is None:
            error = {"error": "invalid_grant", "error_description": "The refresh token is not valid."}
            self._json(error, HTTPStatus.BAD_REQUEST)
            return
        answer = {"access_token": token.text, "token_type": "bearer", "expires_in": _OAUTH_LIFETIME}
        self._json(answer)


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _tree(repository: Repository, commit: str, folder: str, recursive: bool) -> list[dict[str, object]]:
    """What the API lists of a directory: its files and directories, or all that is below it."""
    prefix = f"{folder}/" if folder else ""
    listed: list[dict[str, object]] = []
    folders: set[str] = set()
    for entry in repository.entries(commit):
        if not entry.path.startswith(prefix):
            continue
        names = entry.path.removeprefix(prefix).split("/")
        parents = [prefix + "/".join(names[:depth]) for depth in range(1, len(names))]
        for parent in parents if recursive else parents[:1]:
            if parent not in folders:
                folders.add(parent)
                oid = repository.tree(commit, parent)
                listed.append({"type": "directory", "oid": oid, "size": 0, "path": parent})
        if recursive or not parents:
            listed.append(_file(entry))
    return listed


def _file(entry: Entry) -> dict[str, object]:
    file: dict[str, object] = {"type": "file", "oid": entry.oid, "size": entry.size, "path": entry.path}
    if entry.lfs is not None:
        file["lfs"] = {"oid": entry.lfs, "size": entry.size, "pointerSize": entry.pointer_size}
    return file
