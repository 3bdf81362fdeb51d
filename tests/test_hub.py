"""The Hub on loopback does what the tests that use it rely on: with real git, git-lfs, curl and hf."""

import contextlib
import hashlib
import http.client
import itertools
import json
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.hub import Hub, Secret, Token, fingerprint

TOKEN = Secret("hf_AliceReadsAndWritesInThisTest01")
OTHER = Secret("hf_BobKnowsNothingOfAliceInThis02")
REPOSITORY_ROOT = Path(__file__).parent.parent


@dataclass
class Shell:
    """Runs real programs in `folder`; git asks a stub helper that answers with the token in a file."""

    environ: dict[str, str]
    folder: Path
    asked_for: str = "."

    @property
    def asked(self) -> Path:
        """Each host that the stub was asked about by get, one a line."""
        return self.folder / "asked"

    def use(self, token: str) -> None:
        """From now on the stub answers this token."""
        (self.folder / "token").write_text(token)

    def helper(self) -> str:
        """The stub: for hosts that match `asked_for` it prints a username and the token."""
        return (
            '!f() { [ "$1" = get ] || return 0; host=$(sed -n s/^host=//p); '
            f"printf '%s\\n' \"$host\" >> '{self.asked}'; "
            f"printf %s \"$host\" | grep -q '{self.asked_for}' || return 0; "
            f"echo username=hf_user; printf password=; cat '{self.folder}/token'; }}; f"
        )

    def git(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run git."""
        return self.run("git", "-c", f"credential.helper={self.helper()}", *arguments, **environ)

    def run(self, *command: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run a program with more variables."""
        return subprocess.run(
            command,
            check=False,
            cwd=self.folder,
            env={**self.environ, **environ},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=100,
        )


@pytest.fixture
def shell(hub_environ: dict[str, str], tmp_path: Path) -> Shell:
    folder = tmp_path / "shell"
    folder.mkdir()
    shell = Shell(hub_environ, folder)
    shell.use(TOKEN)
    return shell


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> dict[str, object]:
        value = json.loads(self.body)
        assert isinstance(value, dict)
        return value


def ask(hub: Hub, path: str, token: str | None = None, *, host: str = "huggingface.co") -> Answer:
    """One GET through the proxy, with a Bearer token."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    with contextlib.closing(connect(hub, host)) as connection:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())


def connect(hub: Hub, host: str = "huggingface.co") -> http.client.HTTPSConnection:
    context = ssl.create_default_context(cafile=str(hub.ca_file))
    connection = http.client.HTTPSConnection(
        "127.0.0.1", int(hub.proxy.rpartition(":")[2]), context=context, timeout=30
    )
    connection.set_tunnel(host, 443)
    return connection


def refs(path: str, service: str = "git-upload-pack") -> str:
    return f"/{path}/info/refs?service={service}"


# git


def test_a_public_repository_is_cloned_without_any_credential(hub: Hub, shell: Shell) -> None:
    hub.create("org/open", files={"README.md": "open\n"}, lfs={"model.bin": b"weights"})
    done = shell.git("clone", "https://huggingface.co/org/open")
    assert done.returncode == 0, done.stderr
    assert (shell.folder / "open/README.md").read_text() == "open\n"
    assert (shell.folder / "open/model.bin").read_bytes() == b"weights"
    assert {(request.scheme, request.status) for request in hub.log} == {(None, 200)}
    assert not shell.asked.exists()


@pytest.mark.parametrize("path", ["alice/model", "datasets/alice/data", "spaces/alice/space"])
@pytest.mark.parametrize("suffix", ["", ".git"])
def test_a_private_repository_is_cloned_with_a_token(hub: Hub, shell: Shell, path: str, suffix: str) -> None:
    hub.create(path, private=True, files={"README.md": path}, lfs={"model.bin": b"weights"})
    hub.add_token(TOKEN)
    done = shell.git("clone", f"https://huggingface.co/{path}{suffix}", "copy")
    assert done.returncode == 0, done.stderr
    assert (shell.folder / "copy/README.md").read_text() == path
    assert (shell.folder / "copy/model.bin").read_bytes() == b"weights"
    log = hub.log
    assert [request.status for request in log if request.path == f"/{path}{suffix}{refs('')[1:]}"] == [
        401,
        200,
    ]
    granted = [request for request in log if request.scheme is not None]
    assert {(r.scheme, r.username, r.fingerprint, r.status) for r in granted} == {
        ("Basic", "hf_user", fingerprint(TOKEN), 200)
    }
    batches = [request.status for request in log if request.path.endswith("/info/lfs/objects/batch")]
    assert batches == [401, 200]


def test_two_hundred_objects_are_smudged(hub: Hub, shell: Shell) -> None:
    objects = {f"part-{number}.bin": f"weights {number}".encode() for number in range(200)}
    hub.create("alice/large", private=True, lfs=objects)
    hub.add_token(TOKEN)
    done = shell.git("clone", "https://huggingface.co/alice/large")
    assert done.returncode == 0, done.stderr
    found = {file.name: file.read_bytes() for file in (shell.folder / "large").glob("*.bin")}
    assert found == objects
    # What an object's URL permits, it permits without the token.
    downloads = [request for request in hub.log if request.path.startswith("/repos/")]
    assert len(downloads) == 200
    assert {(request.scheme, request.status) for request in downloads} == {(None, 200)}


def test_pointers_come_first_and_objects_when_pulled(hub: Hub, shell: Shell) -> None:
    hub.create("alice/model", private=True, lfs={"model.bin": b"weights"})
    hub.add_token(TOKEN)
    shell.git("clone", "https://huggingface.co/alice/model", GIT_LFS_SKIP_SMUDGE="1")
    file = shell.folder / "model/model.bin"
    digest = hashlib.sha256(b"weights").hexdigest()
    assert file.read_text() == f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize 7\n"
    done = shell.git("-C", "model", "lfs", "pull")
    assert done.returncode == 0, done.stderr
    assert file.read_bytes() == b"weights"


def test_a_push_brings_commits_and_objects(hub: Hub, shell: Shell) -> None:
    repository = hub.create("alice/model", files={"README.md": "one\n"}, lfs={"model.bin": b"weights"})
    hub.add_token(TOKEN, role="write")
    shell.git("clone", "https://huggingface.co/alice/model")
    (shell.folder / "model/new.bin").write_bytes(b"new weights")
    (shell.folder / "model/README.md").write_bytes(os.urandom(300_000))
    shell.git("-C", "model", "add", ".")
    shell.git("-C", "model", "commit", "-qm", "more")
    hub.clear()
    # With so small a buffer git sends the pack in chunks, its length not told.
    done = shell.git("-C", "model", "-c", "http.postBuffer=1000", "push", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    digest = hashlib.sha256(b"new weights").hexdigest()
    assert (repository.objects / digest).read_bytes() == b"new weights"
    head = shell.git("-C", "model", "rev-parse", "HEAD").stdout.strip()
    assert repository.commit("main") == head
    assert [r.status for r in hub.log if r.method == "PUT"] == [200]
    shell.git("clone", "https://huggingface.co/alice/model", "again")
    assert (shell.folder / "again/new.bin").read_bytes() == b"new weights"


def test_a_compressed_request_of_git_is_understood(hub: Hub, shell: Shell) -> None:
    repository = hub.create("org/open", files={"README.md": "x"})
    stream = "".join(f"commit refs/heads/b{number}\ncommitter A <a@b> {number} +0000\ndata 0\n" for number in range(60))
    repository.git("fast-import", "--quiet", stdin=stream.encode())
    done = shell.git("clone", "https://huggingface.co/org/open", GIT_TRACE_CURL="1")
    assert "Content-Encoding: gzip" in done.stderr
    assert done.returncode == 0
    assert len(shell.git("-C", "open", "branch", "-r").stdout.splitlines()) == 62


@pytest.mark.parametrize(
    ("user", "role", "repos"),
    [("alice", "read", None), ("bob", "write", None), ("alice", "write", ["alice/other"])],
)
def test_a_push_needs_a_token_that_may_write_there(
    hub: Hub, shell: Shell, user: str, role: str, repos: list[str] | None
) -> None:
    hub.create("alice/model", files={"README.md": "one\n"})
    hub.add_token(TOKEN, user=user, role=role, repos=repos)
    shell.git("clone", "https://huggingface.co/alice/model")
    shell.git("-C", "model", "commit", "-qm", "empty", "--allow-empty")
    done = shell.git("-C", "model", "push")
    assert done.returncode == 128
    assert "no permission to write to alice/model" in done.stderr


def test_a_gated_repository_names_the_page_to_accept_on(hub: Hub, shell: Shell) -> None:
    hub.create("org/gated", gated=True, files={"README.md": "gated\n"}, lfs={"model.bin": b"weights"})
    hub.add_token(TOKEN)
    refused = shell.git("clone", "https://huggingface.co/org/gated")
    assert refused.returncode == 128
    assert "remote: Access to model org/gated is restricted" in refused.stderr
    assert "Visit https://huggingface.co/org/gated" in refused.stderr
    assert [request.status for request in hub.log] == [401, 403]
    hub.add_token(TOKEN, gated=["org/gated"])
    accepted = shell.git("clone", "https://huggingface.co/org/gated")
    assert accepted.returncode == 0, accepted.stderr
    assert (shell.folder / "gated/model.bin").read_bytes() == b"weights"


def test_the_short_domain_leads_git_and_lfs_to_the_hub(hub: Hub, shell: Shell) -> None:
    hub.create("alice/model", private=True, lfs={"model.bin": b"weights"})
    hub.add_token(TOKEN)
    done = shell.git("clone", "https://hf.co/alice/model")
    assert done.returncode == 0, done.stderr
    assert (shell.folder / "model/model.bin").read_bytes() == b"weights"
    first, second, *_ = hub.log
    assert (first.host, first.path, first.status) == ("hf.co", refs("alice/model"), 308)
    assert (second.host, second.path, second.status) == ("huggingface.co", refs("alice/model"), 401)
    assert {request.status for request in hub.log if request.host == "hf.co"} == {308}


def test_a_cdn_serves_objects_and_nobody_tells_it_the_token(hub: Hub, shell: Shell) -> None:
    hub.create("alice/model", private=True, lfs={"model.bin": b"weights"})
    hub.add_token(TOKEN)
    hub.cdn = True
    done = shell.git("clone", "https://huggingface.co/alice/model")
    assert done.returncode == 0, done.stderr
    assert (shell.folder / "model/model.bin").read_bytes() == b"weights"
    at_cdn = [request for request in hub.log if request.host == "cdn-lfs.hf.co"]
    assert [(request.status, request.token) for request in at_cdn] == [(200, None)]


@pytest.mark.parametrize("asked_for", ["^huggingface.co$", "."], ids=["careful", "careless"])
def test_a_cdn_that_wants_a_credential_shows_which_helper_gives_it_one(hub: Hub, shell: Shell, asked_for: str) -> None:
    hub.create("alice/model", private=True, lfs={"model.bin": b"weights"})
    hub.add_token(TOKEN)
    hub.cdn, hub.cdn_status = True, 401
    shell.git("clone", "https://huggingface.co/alice/model", GIT_LFS_SKIP_SMUDGE="1")
    shell.asked_for = asked_for
    # With a helper that always answers, git-lfs goes on for ever: it is stopped once the log can tell.
    command = ["git", "-C", "model", "-c", "lfs.transfer.maxretries=1"]
    command += ["-c", f"credential.helper={shell.helper()}", "lfs", "pull"]
    with subprocess.Popen(
        command, cwd=shell.folder, env=shell.environ, stderr=subprocess.DEVNULL, process_group=0
    ) as pull:
        while pull.poll() is None and not any(r.host == hub.cdn_host and r.token for r in hub.log):
            time.sleep(0.02)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pull.pid, signal.SIGKILL)
    at_cdn = [request for request in hub.log if request.host == "cdn-lfs.hf.co"]
    assert {request.status for request in at_cdn} == {401}
    assert "cdn-lfs.hf.co" in shell.asked.read_text().split()
    given = {request.fingerprint for request in at_cdn} - {None}
    assert given == (set() if asked_for.startswith("^") else {fingerprint(TOKEN)})


# Who may have what


@pytest.mark.parametrize(
    ("path", "token", "status"),
    [
        ("org/open", None, 200),
        ("org/open", "mine", 200),
        ("org/open", "revoked", 401),
        ("org/open", "unknown", 401),
        ("org/missing", None, 401),
        ("org/missing", "mine", 404),
        ("alice/hidden", None, 401),
        ("alice/hidden", "mine", 200),
        ("alice/hidden", "other", 404),
        ("alice/hidden", "fine", 404),
        ("alice/fine", "fine", 200),
        ("team/hidden", "mine", 200),
        ("team/hidden", "other", 404),
        ("org/gated", None, 401),
        ("org/gated", "mine", 200),
        ("org/gated", "other", 403),
        ("org/gated", "fine", 403),
    ],
)
def test_who_gets_what(hub: Hub, path: str, token: str | None, status: int) -> None:
    hub.create("org/open", files={"config.json": "{}"})
    hub.create("org/gated", gated=True, files={"config.json": "{}"})
    for private in ("alice/hidden", "alice/fine", "team/hidden"):
        hub.create(private, private=True, files={"config.json": "{}"})
    hub.add_token("mine", orgs=["team"], gated=["org/gated"])
    hub.add_token("other", user="bob")
    hub.add_token("fine", role="fineGrained", gated=["org/gated"], repos=["alice/fine"])
    hub.add_token("revoked")
    hub.revoke("revoked")
    assert ask(hub, refs(path), token).status == status
    assert ask(hub, f"/{path}/resolve/main/config.json", token).status == status


def test_git_is_told_how_to_authenticate(hub: Hub) -> None:
    answer = ask(hub, refs("org/missing"))
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="Hugging Face", charset="UTF-8"'
    assert answer.body == b"Invalid username or password."


def test_git_lfs_is_told_what_is_the_matter(hub: Hub) -> None:
    hub.create("alice/model", private=True)
    hub.add_token(TOKEN)
    asked = {"operation": "download", "objects": [{"oid": "0" * 64, "size": 1}]}
    answers = []
    with contextlib.closing(connect(hub)) as connection:
        for headers in ({}, {"Authorization": f"Bearer {TOKEN}"}):
            connection.request("POST", "/alice/model/info/lfs/objects/batch", json.dumps(asked), headers)
            response = connection.getresponse()
            assert response.headers["Content-Type"] == "application/vnd.git-lfs+json"
            answers.append((response.status, response.headers["LFS-Authenticate"], json.load(response)))
    error = {"code": 404, "message": "Object does not exist"}
    missing = {"oid": "0" * 64, "size": 1, "error": error}
    assert answers == [
        (401, 'Basic realm="Hugging Face", charset="UTF-8"', {"message": "Invalid username or password."}),
        (200, None, {"transfer": "basic", "objects": [missing], "hash_algo": "sha256"}),
    ]


def test_an_object_is_had_by_its_signed_url_alone(hub: Hub) -> None:
    repository = hub.create("alice/model", private=True, lfs={"model.bin": b"weights"})
    oid = hashlib.sha256(b"weights").hexdigest()
    path = hub.object_url("GET", repository, oid).removeprefix("https://huggingface.co")
    assert ask(hub, path).body == b"weights"
    assert ask(hub, path.replace("signature=", "signature=0")).status == 403
    with contextlib.closing(connect(hub)) as connection:
        connection.request("PUT", path, body=b"others")
        assert connection.getresponse().status == 403


def test_an_object_with_another_hash_is_not_kept(hub: Hub) -> None:
    repository = hub.create("alice/model", private=True)
    oid = hashlib.sha256(b"weights").hexdigest()
    path = hub.object_url("PUT", repository, oid).removeprefix("https://huggingface.co")
    statuses = []
    with contextlib.closing(connect(hub)) as connection:
        for body in (b"others!", b"weights"):
            connection.request("PUT", path, body=body, headers={"Expect": "100-continue"})
            response = connection.getresponse()
            response.read()
            statuses.append(response.status)
            assert repository.objects.joinpath(oid).exists() == (body == b"weights")
    assert statuses == [400, 200]
    assert [file.name for file in repository.objects.iterdir()] == [oid]


# hf


def test_hf_knows_who_it_is(hub: Hub, shell: Shell) -> None:
    hub.add_token(TOKEN, user="alice", orgs=["team", "lab"])
    done = shell.run("hf", "auth", "whoami", HF_TOKEN=TOKEN)
    assert done.returncode == 0, done.stderr
    assert "alice" in done.stdout
    assert "team,lab" in done.stdout
    asked = [request for request in hub.log if request.path == "/api/whoami-v2"]
    assert [(r.scheme, r.fingerprint, r.status) for r in asked] == [("Bearer", fingerprint(TOKEN), 200)]
    hub.revoke(TOKEN)
    refused = shell.run("hf", "auth", "whoami", HF_TOKEN=TOKEN)
    assert refused.returncode == 1
    assert "Invalid user token" in refused.stderr


def test_whoami_tells_of_the_token(hub: Hub) -> None:
    hub.add_token(TOKEN, user="alice", role="fineGrained", orgs=["team"])
    answer = ask(hub, "/api/whoami-v2", TOKEN).json
    assert (answer["type"], answer["name"]) == ("user", "alice")
    assert isinstance(answer["orgs"], list)
    assert [org["name"] for org in answer["orgs"]] == ["team"]
    assert isinstance(answer["auth"], dict)
    assert answer["auth"]["type"] == "access_token"
    assert answer["auth"]["accessToken"]["role"] == "fineGrained"
    assert {"displayName", "createdAt"} < set(answer["auth"]["accessToken"])
    assert ask(hub, "/api/whoami-v2").status == 401


@pytest.mark.parametrize("cdn", [False, True])
@pytest.mark.parametrize(
    ("path", "kind"), [("alice/a", "model"), ("datasets/alice/a", "dataset"), ("spaces/alice/a", "space")]
)
def test_hf_downloads_a_private_repository(hub: Hub, shell: Shell, path: str, kind: str, cdn: bool) -> None:
    files = {"README.md": "text\n", "folder/config.json": "{}"}
    hub.create(path, private=True, files=files, lfs={"folder/model.safetensors": b"weights" * 1000})
    hub.add_token(TOKEN)
    hub.cdn = cdn
    done = shell.run("hf", "download", "alice/a", "--repo-type", kind, "--local-dir", "a", HF_TOKEN=TOKEN)
    assert done.returncode == 0, done.stderr
    assert (shell.folder / "a/folder/config.json").read_text() == "{}"
    assert (shell.folder / "a/folder/model.safetensors").read_bytes() == b"weights" * 1000
    at_cdn = [(request.status, request.token) for request in hub.log if request.host == "cdn-lfs.hf.co"]
    assert at_cdn == ([(200, None)] if cdn else [])
    assert {request.status for request in hub.log if request.token} == ({200, 302} if cdn else {200})


def test_hf_downloads_what_it_is_asked_for(hub: Hub, shell: Shell) -> None:
    hub.create("org/open", files={"README.md": "text\n"}, lfs={"a.safetensors": b"a", "b.bin": b"b"})
    done = shell.run("hf", "download", "org/open", "--include", "*.safetensors", "--local-dir", "open")
    assert done.returncode == 0, done.stderr
    assert {file.name for file in (shell.folder / "open").iterdir()} == {".cache", "a.safetensors"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["org/gated"], "org/gated"),
        (["org/missing"], "not found"),
        (["org/open", "--revision", "v9"], "Revision not found"),
        (["org/open", "missing.bin"], "missing.bin"),
    ],
)
def test_hf_says_what_it_cannot_have(hub: Hub, shell: Shell, arguments: list[str], said: str) -> None:
    hub.create("org/open", files={"README.md": "text\n"})
    hub.create("org/gated", gated=True, files={"README.md": "text\n"})
    hub.add_token(TOKEN)
    done = shell.run("hf", "download", *arguments, HF_TOKEN=TOKEN)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_the_api_lists_one_directory_or_all(hub: Hub) -> None:
    hub.create("org/open", files={"a/b/c.txt": "c", "a/d.txt": "d", "e.txt": "e"})

    def listed(path: str) -> list[tuple[str, str]]:
        entries = json.loads(ask(hub, f"/api/models/org/open/tree/main{path}").body)
        return [(entry["type"], entry["path"]) for entry in entries]

    assert listed("") == [("directory", "a"), ("file", "e.txt")]
    assert listed("/a?recursive=false") == [("directory", "a/b"), ("file", "a/d.txt")]
    assert ("file", "a/b/c.txt") in listed("?recursive=true")
    assert ("directory", "a/b") in listed("?recursive=true")


def test_hf_renews_an_oauth_login(hub: Hub, shell: Shell) -> None:
    renewed = Secret("hf_oauth_renewed")
    hub.add_refresh_token("refresh-1", Token(renewed, role="oauth"))
    home = shell.folder / "hf"
    home.mkdir()
    (home / "token").write_text("hf_oauth_ended")
    (home / "stored_tokens").write_text(
        "[oauth-alice]\nhf_token = hf_oauth_ended\nrefresh_token = refresh-1\nexpires_at = 1000000000\n"
    )
    assert ask(hub, "/api/whoami-v2", renewed).status == 401
    done = shell.run("hf", "auth", "token", HF_HOME=str(home))
    assert done.returncode == 0, done.stderr
    assert fingerprint(done.stdout.split()[0]) == fingerprint(renewed)
    assert fingerprint((home / "token").read_text()) == fingerprint(renewed)
    # Renewed for so long that the next command has nothing to renew.
    shell.run("hf", "auth", "token", HF_HOME=str(home))
    assert [request.status for request in hub.log if request.path == "/oauth/token"] == [200]
    answer = ask(hub, "/api/whoami-v2", renewed).json
    assert answer["auth"] == {"type": "oauth", "expiresAt": "2100-01-01T00:00:00.000Z"}


def test_an_unknown_refresh_token_is_refused(hub: Hub, shell: Shell) -> None:
    done = shell.run("curl", "-sS", "-d", "grant_type=refresh_token", "https://huggingface.co/oauth/token")
    assert json.loads(done.stdout)["error"] == "invalid_grant"
    assert [request.status for request in hub.log] == [400]


# The proxy and the log


@pytest.mark.parametrize(
    "host", ["example.org:443", "huggingface.co.example.org:443", "huggingface.co:8443", "github.com:443"]
)
def test_a_tunnel_to_anybody_else_is_refused(hub: Hub, shell: Shell, host: str) -> None:
    done = shell.run("curl", "-sS", f"https://{host}/")
    assert done.returncode in (7, 56)  # the newer and the older versions of curl
    assert "403" in done.stderr
    assert [(r.method, r.host, r.status) for r in hub.log] == [("CONNECT", host, 403)]


def test_a_request_in_clear_is_refused(hub: Hub, shell: Shell) -> None:
    done = shell.run("curl", "-sS", "-w", "%{http_code}", "-o", os.devnull, "http://huggingface.co/")
    assert done.stdout == "403"
    assert [(r.method, r.path, r.status) for r in hub.log] == [("GET", "http://huggingface.co/", 403)]


def test_other_names_lead_to_the_same_hub_on_any_port(tmp_path: Path) -> None:
    with Hub(tmp_path / "hub", hosts=["git.example.org"]) as hub:
        hub.create("org/open", files={"README.md": "text\n"})
        url = "https://git.example.org:8443/org/open/resolve/main/README.md"
        done = subprocess.run(["curl", "-sS", url], env=hub.environ(), capture_output=True, check=True)
        assert done.stdout == b"text\n"
        assert [(request.host, request.status) for request in hub.log] == [("git.example.org", 200)]


def test_the_log_tells_what_was_sent_and_shows_no_token(hub: Hub, shell: Shell) -> None:
    hub.add_token(TOKEN)
    (shell.folder / "curlrc").write_text(f'user = "someone:{OTHER}"\n')
    shell.run("curl", "-sS", "-K", "curlrc", "https://huggingface.co/api/whoami-v2?x=1")
    (request,) = hub.log
    assert (request.scheme, request.username, request.status) == ("Basic", "someone", 401)
    assert (request.path, request.fingerprint) == ("/api/whoami-v2?x=1", fingerprint(OTHER))
    assert request.token is not None
    assert request.token.encode() == OTHER.encode()
    shown = f"{request!r} {hub.log!r} {hub.tokens!r} {TOKEN!r} {[OTHER]!r}"
    assert str(TOKEN) not in shown
    assert str(OTHER) not in shown
    assert fingerprint(OTHER) in repr(request)
    hub.clear()
    assert hub.log == []


@pytest.mark.parametrize("header", ["Basic !", "Basic", "Negotiate abc", "Bearer", "Basic aGZfdXNlcg=="])
def test_a_header_that_is_no_credential_is_refused(hub: Hub, header: str) -> None:
    hub.create("org/open", files={"README.md": "text\n"})
    with contextlib.closing(connect(hub)) as connection:
        connection.request("GET", refs("org/open"), headers={"Authorization": header})
        assert connection.getresponse().status == 401


def test_one_connection_carries_many_requests(hub: Hub) -> None:
    hub.create("org/open", files={"README.md": "text\n"})
    with contextlib.closing(connect(hub)) as connection:
        for body in (None, b"x" * 200_000, iter([b"chunk", b"chunk"])):
            connection.request("POST", "/org/open/resolve/main/README.md", body=body)
            assert connection.getresponse().read() == b"text\n"
    assert [request.status for request in hub.log] == [200, 200, 200]


def test_the_hub_ends_with_connections_open(tmp_path: Path) -> None:
    threads = threading.active_count()
    with Hub(tmp_path / "hub") as hub:
        idle, silent = connect(hub), connect(hub)
        idle.request("GET", "/")
        assert idle.getresponse().read() != b""
        proxy = http.client.HTTPConnection("127.0.0.1", int(hub.proxy.rpartition(":")[2]))
        proxy.connect()
        silent.connect()
        port = proxy.port
    with contextlib.closing(idle), contextlib.closing(silent), contextlib.closing(proxy):
        assert proxy.sock.recv(1) == b""
        assert threading.active_count() == threads
    with pytest.raises(ConnectionRefusedError):
        http.client.HTTPConnection("127.0.0.1", port).connect()
    assert hub.failures == []


def test_a_path_that_is_no_repository_is_an_error(hub: Hub) -> None:
    with pytest.raises(ValueError, match="not the path of a repository"):
        hub.create("../../etc")
    hub.create("org/open")
    with pytest.raises(FileExistsError):
        hub.create("org/open")


# In the foreground


def test_the_demonstration_runs_until_it_is_told_to_end(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text(f"alice:{TOKEN}\n")
    root = tmp_path / "root"
    # -X dev and -W error: what it leaves open would be on stderr.
    command = [sys.executable, "-X", "dev", "-W", "error", "-m", "tests.hub"]
    command += ["--root", str(root), "--tokens", str(tokens)]
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    environ |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
    with subprocess.Popen(
        command, cwd=REPOSITORY_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as hub:
        try:
            assert hub.stdout is not None
            exports = "".join(itertools.takewhile(lambda line: line != "ready\n", hub.stdout))

            def sh(script: str) -> str:
                done = subprocess.run(
                    ["sh", "-euc", exports + script],
                    cwd=tmp_path,
                    env=environ,
                    capture_output=True,
                    text=True,
                    check=False,
                )
                assert done.returncode == 0, done.stderr
                return done.stdout

            assert sh(CLONE_BOTH).split() == ["600000"]

            whoami = "curl -sSK %s -o /dev/null -w '%%{http_code} ' https://huggingface.co/api/whoami-v2\n"
            rotated = Secret("hf_rotated")
            (tmp_path / "old").write_text(f'user = "hf_user:{TOKEN}"\n')
            (tmp_path / "new").write_text(f'user = "hf_user:{rotated}"\n')
            both = whoami % "old" + whoami % "new"
            assert sh(both).split() == ["200", "401"]
            tokens.write_text(f"alice:{rotated}\n")
            assert sh(both).split() == ["401", "200"]
            tokens.unlink()
            assert sh(both).split() == ["401", "401"]
        finally:
            hub.send_signal(signal.SIGTERM)
            rest, errors = hub.communicate(timeout=30)
    assert (hub.returncode, rest, errors) == (0, "", "")
    log = (root / "requests.log").read_text()
    first = "GET huggingface.co /demo-org/gated-model/info/refs?service=git-upload-pack 401 - -\n"
    second = first.replace("401 - -", f"200 hf_user {fingerprint(TOKEN)}")
    assert log.startswith(first + second)
    assert str(TOKEN) not in log


CLONE_BOTH = """
git lfs install --skip-repo >&2
helper='!f() { [ "$1" = get ] && echo username=hf_user && printf password= && cut -d: -f2 ~/tokens; }; f'
git -c credential.helper="$helper" clone -q https://huggingface.co/demo-org/gated-model
git clone -q https://huggingface.co/demo-org/public-model
cat gated-model/*.safetensors public-model/*.safetensors | wc -c
"""
