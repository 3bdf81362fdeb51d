"""The main job: real git, git-lfs and hf against the Hub, answered by the installed helper."""

import contextlib
import hashlib
import http.server
import stat
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import old_git
from tests.conftest import EXECUTABLE, Environment
from tests.hub import Hub, Secret
from tests.hub.access import Request, Token, fingerprint
from tests.keyring_items import Items
from tests.providers import PROVIDERS
from tests.secret_service.conftest import needed

TOKEN = "hf_QpWn4LmXzTbVcRdSfGhJkYtUeIoAqWsEdR"
ROTATED = "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"
MODEL = "org/model"

OTHER_HELPER = """\
#!/bin/sh
{ echo "$1"; cat; } >>"$(dirname "$0")/other-helper.log"
"""
ASKPASS = """\
#!/bin/sh
echo "$@" >>"$(dirname "$0")/askpass.log"
[ -e "$(dirname "$0")/typed" ] || exit 1
case $1 in
    Username*) echo alice ;;
    *) cat "$(dirname "$0")/typed" ;;
esac
"""


class World:
    """A person's machine: git configured for the helper, beside another helper and an askpass program that tell."""

    def __init__(self, folder: Path, hub: Hub, environment: Environment) -> None:
        self.folder = folder
        self.hub = hub
        self.environment = environment
        self.output = b""
        self.may_ask = False
        environment |= hub.environ()
        environment |= {
            "GIT_ASKPASS": self._program("askpass", ASKPASS),
            "SSH_ASKPASS": self._program("ssh-askpass", ASKPASS),
            "GIT_AUTHOR_NAME": "Alice",
            "GIT_AUTHOR_EMAIL": "alice@example.org",
            "GIT_COMMITTER_NAME": "Alice",
            "GIT_COMMITTER_EMAIL": "alice@example.org",
        }
        self.git("config", "--global", "credential.helper", self._program("other-helper", OTHER_HELPER))
        self.helper("configure", "--git-lfs")

    def _program(self, name: str, text: str) -> str:
        program = self.folder / name
        program.write_text(text)
        program.chmod(0o755)
        return str(program)

    def run(
        self, *command: str, code: int | None = 0, cwd: Path | None = None, more: dict[str, str] | None = None
    ) -> bytes:
        done = subprocess.run(
            command,
            cwd=cwd or self.folder,
            env=self.environment | (more or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=100,
            check=False,
        )
        self.output += done.stdout + done.stderr
        assert code is None or done.returncode == code, done.stderr.decode(errors="replace")
        return done.stdout

    def git(self, *arguments: str, code: int | None = 0, cwd: Path | None = None) -> bytes:
        return self.run("git", *arguments, code=code, cwd=cwd)

    def helper(self, *arguments: str) -> None:
        self.run(EXECUTABLE, *arguments)

    def seed(self, token: str, *arguments: str) -> None:
        source = self.folder / "secret"
        source.touch(mode=0o600)
        source.write_text(f"{token}\n")
        self.helper("seed", "--from", str(source), *arguments)

    def clone(self, path: str = MODEL, *, url: str = "https://huggingface.co", **more: str) -> Path:
        target = self.folder / "clones" / str(len(list(self.folder.glob("clones/*"))))
        self.run("git", "clone", f"{url}/{path}", str(target), more=more)
        return target

    def tokens_seen(self) -> set[str | None]:
        """Return the fingerprints of the tokens that came with requests, on whatever host."""
        return {one.fingerprint for one in self.hub.log}

    def check(self) -> None:
        """What holds in every case: nobody was asked, nobody else was told, nobody was shown."""
        asked = self.folder / "askpass.log"
        assert self.may_ask or not asked.exists()
        told = self.folder / "other-helper.log"
        assert not told.exists() or TOKEN not in told.read_text()
        assert TOKEN.encode() not in self.output
        assert ROTATED.encode() not in self.output


@pytest.fixture
def world(tmp_path: Path, hub: Hub, environment: Environment) -> Iterator[World]:
    hub.add_token(TOKEN, role="write", orgs=["org"], gated=[MODEL])
    hub.create(MODEL, gated=True, private=True, files={"README.md": "# A model\n"}, lfs={"model.bin": b"weights"})
    built = World(tmp_path, hub, environment)
    yield built
    built.check()


@pytest.fixture(params=["keyring", "keyring, with paths", "file", "HF_TOKEN"])
def seeded(request: pytest.FixtureRequest, world: World) -> World:
    """A world that has TOKEN in one place, with the paths in git's requests or without."""
    if request.param.startswith("keyring"):
        request.getfixturevalue("keyring")
        world.seed(TOKEN, "--no-cache", "--require-keyring")
    elif request.param == "file":
        world.seed(TOKEN)
    else:
        world.environment["HF_TOKEN"] = TOKEN
    if request.param != "keyring, with paths":
        for host in ("huggingface.co", "hf.co"):
            world.git("config", "--global", f"credential.https://{host}.useHttpPath", "false")
    return world


def said_by_the_helper(world: World) -> bool:
    return b"git-credential-hf:" in world.output


def assert_right_token_alone(world: World) -> None:
    assert fingerprint(TOKEN) in world.tokens_seen()
    assert world.tokens_seen() <= {None, fingerprint(TOKEN)}
    assert not said_by_the_helper(world)


def test_clone_brings_the_lfs_files(seeded: World) -> None:
    clone = seeded.clone()
    assert (clone / "model.bin").read_bytes() == b"weights"
    assert_right_token_alone(seeded)


@pytest.mark.parametrize("objects", [1, 200])
def test_clone_of_pointers_then_pull(seeded: World, objects: int) -> None:
    files = {f"part-{number:03}.bin": f"weights {number}".encode() for number in range(objects)}
    seeded.hub.create("org/large", private=True, lfs=files)
    clone = seeded.clone("org/large", GIT_LFS_SKIP_SMUDGE="1")
    assert all((clone / name).read_bytes().startswith(b"version https://git-lfs") for name in files)
    seeded.git("lfs", "pull", cwd=clone)
    assert {name: (clone / name).read_bytes() for name in files} == files
    assert_right_token_alone(seeded)


def test_push_takes_lfs_files_along(seeded: World) -> None:
    clone = seeded.clone()
    (clone / "more.bin").write_bytes(b"more weights")
    seeded.git("lfs", "track", "*.bin", cwd=clone)
    seeded.git("add", ".", cwd=clone)
    seeded.git("commit", "-q", "-m", "More weights", cwd=clone)
    seeded.git("push", "-q", cwd=clone)
    assert (seeded.clone() / "more.bin").read_bytes() == b"more weights"
    assert_right_token_alone(seeded)


@pytest.mark.parametrize("path", ["datasets/org/data", "spaces/org/demo", "org/model.git"])
def test_every_kind_of_repository(seeded: World, path: str) -> None:
    if not path.startswith("org"):
        seeded.hub.create(path, private=True, lfs={"data.bin": b"rows"})
    clone = seeded.clone(path)
    assert next(clone.glob("*.bin")).read_bytes() in (b"rows", b"weights")
    assert_right_token_alone(seeded)


def test_a_user_in_the_address(seeded: World) -> None:
    seeded.clone(url="https://alice@huggingface.co")
    # Before git has asked for a credential, it offers the user of the address with an empty password.
    assert seeded.tokens_seen() == {None, fingerprint(""), fingerprint(TOKEN)}
    # After which a newer git asks for a credential without that user.
    assert {None, "alice"} <= {one.username for one in seeded.hub.log} <= {None, "alice", "hf_user"}
    assert not said_by_the_helper(seeded)


def test_the_short_host_redirects(seeded: World) -> None:
    clone = seeded.clone(url="https://hf.co")
    assert (clone / "model.bin").read_bytes() == b"weights"
    assert_right_token_alone(seeded)
    assert {one.host for one in seeded.hub.log} == {"hf.co", "huggingface.co"}


def test_objects_on_the_cdn_come_without_the_token(seeded: World) -> None:
    seeded.hub.cdn = True
    clone = seeded.clone()
    assert (clone / "model.bin").read_bytes() == b"weights"
    assert {one.fingerprint for one in seeded.hub.log if one.host == "cdn-lfs.hf.co"} == {None}


def test_a_cdn_that_asks_for_a_credential_gets_none(seeded: World) -> None:
    seeded.hub.cdn = True
    seeded.hub.cdn_status = 401
    seeded.may_ask = (
        True  # git-lfs asks a person once the helper is silent, as it must be about a host that is not ours
    )
    clone = seeded.clone(GIT_LFS_SKIP_SMUDGE="1")
    seeded.git("-c", "lfs.transfer.maxretries=1", "lfs", "pull", cwd=clone, code=None)
    to_cdn = [one for one in seeded.hub.log if one.host == "cdn-lfs.hf.co"]
    assert to_cdn
    assert fingerprint(TOKEN) not in {one.fingerprint for one in to_cdn}
    assert not said_by_the_helper(seeded)


def test_a_public_repository_asks_nobody(world: World, keyring: Items) -> None:
    world.hub.create("org/public", lfs={"model.bin": b"weights"})
    world.seed(TOKEN)
    trace = world.folder / "trace"
    clone = world.clone("org/public", GIT_CREDENTIAL_HF_TRACE=str(trace))
    assert (clone / "model.bin").read_bytes() == b"weights"
    assert not trace.exists()
    assert world.tokens_seen() == {None}


def test_ten_clones_leave_one_item(world: World, keyring: Items) -> None:
    world.seed(TOKEN)
    before = keyring.all()
    for _ in range(10):
        world.clone()
    assert keyring.all() == before
    assert len(before) == 1
    assert_right_token_alone(world)


@pytest.mark.parametrize("bus", [True, False])
def test_rotation(request: pytest.FixtureRequest, world: World, bus: bool) -> None:
    keyring = request.getfixturevalue("keyring") if bus else None
    world.seed(TOKEN)
    clone = world.clone()
    world.hub.revoke(TOKEN)
    world.hub.add_token(ROTATED, orgs=["org"], gated=[MODEL])
    world.seed(ROTATED)
    world.hub.clear()
    world.git("fetch", cwd=clone)
    world.clone()
    assert world.tokens_seen() == {None, fingerprint(ROTATED)}
    cache = Path(world.environment["HOME"], ".cache/huggingface/token")
    assert cache.read_text() == ROTATED
    assert stat.S_IMODE(cache.stat().st_mode) == 0o600
    if keyring is not None:
        assert keyring.secrets() == [ROTATED.encode()]
    assert not said_by_the_helper(world)


def test_what_is_typed_at_gits_prompt_is_kept_and_found_again(world: World, keyring: Items) -> None:
    world.may_ask = True
    (world.folder / "typed").write_text(f"{TOKEN}\n")
    world.clone(url="https://alice@huggingface.co")
    (item,) = keyring.all()
    assert item.secret == TOKEN.encode()
    assert item.attributes["user"] == "alice"
    (world.folder / "askpass.log").unlink()
    world.may_ask = False
    world.clone()
    assert keyring.all() == [item]
    assert not said_by_the_helper(world)


def test_each_part_of_the_hub_gets_its_own_token(world: World, keyring: Items) -> None:
    world.hub.add_token(ROTATED, user="bob", repos=["datasets/team/data"])
    world.hub.create("datasets/team/data", private=True, lfs={"data.bin": b"rows"})
    world.seed(TOKEN)
    world.seed(ROTATED, "--scope", "datasets/team")
    assert (world.clone("datasets/team/data") / "data.bin").read_bytes() == b"rows"
    assert world.tokens_seen() == {None, fingerprint(ROTATED)}
    world.hub.clear()
    world.clone()
    assert world.tokens_seen() == {None, fingerprint(TOKEN)}
    assert Path(world.environment["HOME"], ".cache/huggingface/token").read_text() == TOKEN


GARBAGE = "hf_gArBaGe0123456789AbCdEfGhIjKlMnOpQr"


@contextlib.contextmanager
def redirecting(location: str) -> Iterator[str]:
    """A plain HTTP server that redirects every request to `location` with the request's path after it; its URL."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", location + self.path)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("way", ["address", "submodule", "redirect"])
def test_a_password_in_an_address_does_not_take_the_place_of_what_was_seeded(
    world: World, keyring: Items, way: str
) -> None:
    """git tells `store` the password of an address after any 200, from a public repository too, which asks nobody."""
    world.hub.create("org/public", files={"README.md": "# Public\n"})
    world.seed(TOKEN)
    (seeded,) = keyring.all()
    hostile = f"https://hf_user:{GARBAGE}@huggingface.co"
    trace = world.folder / "trace"
    more = {"GIT_CREDENTIAL_HF_TRACE": str(trace)}
    if way == "address":
        world.clone("org/public", url=hostile, **more)
    elif way == "redirect":
        with redirecting(hostile) as url:
            world.clone("org/public", url=url, NO_PROXY="127.0.0.1", no_proxy="127.0.0.1", **more)
    else:
        modules = f'[submodule "part"]\n\tpath = part\n\turl = {hostile}/org/public\n'
        outer = world.hub.create("org/outer", files={".gitmodules": modules, "README.md": "# Outer\n"})
        inner = world.hub.repositories["org/public"].commit("main")
        tree = outer.git("ls-tree", "main") + f"160000 commit {inner}\tpart\n".encode()
        tree = outer.git("mktree", "--missing", stdin=tree).strip()
        committer = b"Hub <hub@huggingface.co> 1700000000 +0000"
        text = b"tree %b\nauthor %b\ncommitter %b\n\npart\n" % (tree, committer, committer)
        commit = outer.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=text).decode().strip()
        outer.git("update-ref", "refs/heads/main", commit)
        target = world.folder / "outer"
        world.run("git", "clone", "--recurse-submodules", "https://huggingface.co/org/outer", str(target), more=more)
    # The attack was one; newer gits drop the password of a redirect.
    assert (way == "redirect" and not trace.exists()) or "store" in trace.read_text()
    assert seeded in keyring.all()
    world.hub.clear()
    world.clone()
    assert_right_token_alone(world)


def test_an_address_of_a_hostile_repository_costs_no_other_one_the_token(world: World, keyring: Items) -> None:
    """Its .lfsconfig leads git-lfs to where the Hub answers 401 to every token, so that git-lfs says `erase`."""
    trap = "/org/hostile.git/info/lfs/trap/objects/batch"
    world.hub.traps.add(trap)
    config = "[lfs]\n\turl = https://huggingface.co" + trap.removesuffix("/objects/batch") + "\n"
    world.hub.create("org/hostile", files={".lfsconfig": config}, lfs={"model.bin": b"trapped"})
    world.seed(TOKEN)
    before = keyring.all()
    target = world.folder / "hostile"
    for _ in range(2):
        world.git("clone", "https://huggingface.co/org/hostile", str(target), code=None)
        world.git("lfs", "pull", cwd=target, code=None)  # newer git-lfs fails at the clone alone
    trapped = [one for one in world.hub.log if one.path == trap and one.fingerprint == fingerprint(TOKEN)]
    assert 1 <= len(trapped) <= 2
    assert b"git-credential-hf: the Hub rejected the token hf_****" in world.output
    assert keyring.all() == before
    world.output = b""
    world.hub.clear()
    world.clone()
    assert_right_token_alone(world)


def test_a_fetch_that_a_rotation_overtakes_does_not_bring_the_old_token_back(world: World, keyring: Items) -> None:
    world.hub.add_token(ROTATED, orgs=["org"], gated=[MODEL])
    world.seed(TOKEN)

    def rotate(one: Request) -> None:
        if one.fingerprint == fingerprint(TOKEN) and not rotated:
            rotated.append(one)
            world.seed(ROTATED)

    rotated: list[Request] = []
    world.hub.on_request = rotate
    world.clone(GIT_LFS_SKIP_SMUDGE="1")
    assert rotated
    world.hub.revoke(TOKEN)
    world.hub.clear()
    world.clone()
    assert world.tokens_seen() == {None, fingerprint(ROTATED)}
    assert not said_by_the_helper(world)


@pytest.fixture
def two_tokens(world: World, keyring: Items) -> World:
    """A world that has TOKEN for the whole Hub, and ROTATED for MODEL."""
    world.hub.add_token(ROTATED, user="bob", role="write", orgs=["org"], gated=[MODEL], repos=[MODEL])
    world.seed(TOKEN)
    world.seed(ROTATED, "--scope", f"https://huggingface.co/{MODEL}/tree/main")
    return world


def assert_each_repository_got_its_own(world: World) -> None:
    tokens = {True: set[str | None](), False: set[str | None]()}
    for one in world.hub.log:
        tokens[one.path.lower().startswith(f"/{MODEL}")].add(one.fingerprint)
    assert tokens[True] <= {None, fingerprint(ROTATED)}
    assert tokens[False] <= {None, fingerprint(TOKEN)}
    assert fingerprint(ROTATED) in tokens[True]
    assert not said_by_the_helper(world)


def push_more_weights(world: World, clone: Path, *push: str) -> None:
    (clone / "more.bin").write_bytes(b"more weights")
    world.git("add", ".", cwd=clone)
    world.git("commit", "-q", "-m", "More weights", cwd=clone)
    world.git("push", "-q", *push, cwd=clone)


def has_weights(world: World, content: bytes) -> bool:
    """Whether the Hub has an LFS object of MODEL with that content."""
    return world.hub.repositories[MODEL].objects.joinpath(hashlib.sha256(content).hexdigest()).exists()


@pytest.mark.parametrize(
    ("url", "path"),
    [
        *(("https://huggingface.co", path) for path in (MODEL, f"{MODEL}.git", f"{MODEL}.git/", "ORG/Model")),
        *(("https://hf.co", path) for path in (MODEL, "Org/model.git")),
        *(("https://huggingface.co:443", path) for path in (f"{MODEL}/", "ORG/Model")),
    ],
)
def test_a_clone_and_a_push_get_the_token_of_the_repository(two_tokens: World, url: str, path: str) -> None:
    clone = two_tokens.clone(path, url=url)
    assert (clone / "model.bin").read_bytes() == b"weights"
    push_more_weights(two_tokens, clone)
    assert has_weights(two_tokens, b"more weights")
    two_tokens.hub.create("org/model-2", private=True, lfs={"model.bin": b"others"})
    assert (two_tokens.clone("org/model-2", url=url) / "model.bin").read_bytes() == b"others"
    two_tokens.hub.create("datasets/org/model", private=True, lfs={"model.bin": b"rows"})
    assert (two_tokens.clone("datasets/org/model", url=url) / "model.bin").read_bytes() == b"rows"
    seen = {(one.path.split("/info/")[0], one.fingerprint) for one in two_tokens.hub.log}
    assert ("/datasets/org/model", fingerprint(TOKEN)) in seen
    others = [one for one in two_tokens.hub.log if one.path.startswith(("/org/model-2", "/datasets"))]
    assert {one.fingerprint for one in others} == {None, fingerprint(TOKEN)}
    of_model = [one for one in two_tokens.hub.log if one not in others and not one.path.startswith("/repos/")]
    assert {one.fingerprint for one in of_model} == {None, fingerprint(ROTATED)}
    assert not said_by_the_helper(two_tokens)


@pytest.mark.parametrize(
    "endpoint", [f"{MODEL}.git/info/lfs", f"{MODEL}/info/lfs", f"{MODEL}.git/info/lfs/", "ORG/Model.git/info/lfs"]
)
def test_large_files_at_the_hub_of_a_repository_that_is_elsewhere(two_tokens: World, endpoint: str) -> None:
    """`lfs.url` in .lfsconfig is what git-lfs then asks a credential for."""
    elsewhere = two_tokens.folder / "elsewhere.git"
    two_tokens.git("clone", "--bare", str(two_tokens.hub.repositories[MODEL].git_dir), str(elsewhere))
    two_tokens.environment["GIT_LFS_SKIP_SMUDGE"] = "1"
    clone = two_tokens.folder / "clone"
    two_tokens.git("clone", f"file://{elsewhere}", str(clone))
    two_tokens.git("config", "--file", ".lfsconfig", "lfs.url", f"https://huggingface.co/{endpoint}", cwd=clone)
    two_tokens.git("lfs", "pull", cwd=clone)
    assert (clone / "model.bin").read_bytes() == b"weights"
    push_more_weights(two_tokens, clone)
    assert has_weights(two_tokens, b"more weights")
    assert_each_repository_got_its_own(two_tokens)


SSH = """\
#!/bin/sh
for command; do :; done
case $command in
    git-lfs-authenticate*) printf '{"href": "https://huggingface.co/%s.git/info/lfs"}' "{MODEL}" ;;
    git-lfs-transfer*) exit 127 ;;
    *) exec ${command%% *} "{git_dir}" ;;
esac
"""


def test_large_files_of_a_repository_that_is_reached_by_ssh(two_tokens: World) -> None:
    git_dir = two_tokens.hub.repositories[MODEL].git_dir
    ssh = SSH.replace("{MODEL}", MODEL).replace("{git_dir}", str(git_dir))
    two_tokens.environment["GIT_SSH_COMMAND"] = two_tokens._program("ssh", ssh)
    clone = two_tokens.clone(MODEL, url="ssh://git@hf.co")
    assert (clone / "model.bin").read_bytes() == b"weights"
    push_more_weights(two_tokens, clone)
    assert has_weights(two_tokens, b"more weights")
    assert_each_repository_got_its_own(two_tokens)


def test_a_git_of_old(two_tokens: World) -> None:
    old_git.put(two_tokens.folder / "bin")
    two_tokens.environment["PATH"] = f"{two_tokens.folder}/bin:{two_tokens.environment['PATH']}"
    gitconfig = Path(two_tokens.environment["HOME"], ".gitconfig")
    two_tokens.helper("unconfigure")
    assert EXECUTABLE.encode() not in gitconfig.read_bytes()
    two_tokens.helper("configure", "--git-lfs")
    clone = two_tokens.clone()
    assert (clone / "model.bin").read_bytes() == b"weights"
    push_more_weights(two_tokens, clone)
    assert has_weights(two_tokens, b"more weights")
    assert_each_repository_got_its_own(two_tokens)
    two_tokens.helper("status", f"https://huggingface.co/{MODEL}")


def test_a_git_of_old_changes_a_file_beside_a_broken_configuration(two_tokens: World) -> None:
    old_git.put(two_tokens.folder / "bin")
    two_tokens.environment["PATH"] = f"{two_tokens.folder}/bin:{two_tokens.environment['PATH']}"
    Path(two_tokens.environment["HOME"], ".gitconfig").write_text("[credential\n")
    file = two_tokens.folder / "another"
    two_tokens.helper("configure", "--file", str(file))
    assert b"useHttpPath" in file.read_bytes()
    two_tokens.helper("unconfigure", "--file", str(file))
    assert not file.exists()


def test_hf_reads_what_seed_wrote(world: World, keyring: Items) -> None:
    world.seed(TOKEN)
    assert b"alice" in world.run("hf", "auth", "whoami")
    token = subprocess.run(
        ["python", "-c", "import huggingface_hub, sys; sys.exit(huggingface_hub.get_token() != sys.stdin.read())"],
        input=TOKEN.encode(),
        env=world.environment,
        check=False,
    )
    assert token.returncode == 0
    world.run("hf", "download", MODEL, "--include", "*.bin", "--local-dir", str(world.folder / "downloaded"))
    assert (world.folder / "downloaded/model.bin").read_bytes() == b"weights"
    assert fingerprint(TOKEN) in world.tokens_seen()


def test_a_refused_token_fails_at_once_and_says_why(world: World, keyring: Items) -> None:
    world.seed(TOKEN)
    clone = world.clone(GIT_LFS_SKIP_SMUDGE="1")
    world.hub.revoke(TOKEN)
    world.hub.clear()
    world.git("fetch", cwd=clone, code=128)
    world.git("fetch", cwd=clone, code=128)
    assert len([one for one in world.hub.log if one.fingerprint == fingerprint(TOKEN)]) <= 2
    assert b"the Hub rejected the token " in world.output


def make_read_only(home: Path) -> None:
    (home / ".local").touch()  # which keeps root, too, from making the folder
    home.chmod(0o500)


@pytest.mark.parametrize("home", ["writable", "read-only"])
def test_a_clone_with_a_refused_token_fails_at_once(seeded: World, home: str) -> None:
    """Nobody is asked, which World sees to, and the Hub sees that token twice at most, however often one tries."""
    seeded.hub.revoke(TOKEN)
    if home == "read-only":
        make_read_only(Path(seeded.environment["HOME"]))
    for number in range(3):
        before = len(seeded.output)
        seeded.git("clone", f"https://huggingface.co/{MODEL}", str(seeded.folder / "refused"), code=128)
        said = seeded.output[before:].splitlines()
        assert sum(line.startswith(b"fatal:") for line in said) == 1
        by_us = [line for line in said if line.startswith(b"git-credential-hf: the Hub rejected the token hf_****")]
        assert len(by_us) == 1
        if number == 0:
            assert b"fatal: Authentication failed" in seeded.output
    assert len([one for one in seeded.hub.log if one.fingerprint == fingerprint(TOKEN)]) <= 2
    assert not (seeded.folder / "refused").exists()


@pytest.mark.parametrize("token", [TOKEN, ROTATED])
def test_after_a_refusal_a_seed_works_at_once(world: World, keyring: Items, token: str) -> None:
    world.seed(TOKEN)
    world.hub.revoke(TOKEN)
    for _ in range(2):
        world.git("clone", f"https://huggingface.co/{MODEL}", str(world.folder / "refused"), code=128)
    world.hub.add_token(token, orgs=["org"], gated=[MODEL])
    world.hub.clear()
    world.seed(token)
    assert (world.clone() / "model.bin").read_bytes() == b"weights"
    assert world.tokens_seen() == {None, fingerprint(token)}


def test_a_login_that_has_ended_is_renewed_by_hf_itself(world: World, keyring: Items) -> None:
    """An OAuth login that nobody refreshed: the real hf asks the Hub, and the helper asks hf."""
    world.hub.add_refresh_token(
        "refresh-1", Token(Secret(ROTATED), role="oauth", orgs=("org",), gated=frozenset([MODEL]))
    )
    folder = Path(world.environment["HOME"], ".cache/huggingface")
    folder.mkdir(parents=True)
    (folder / "token").write_text(TOKEN)
    (folder / "stored_tokens").write_text(
        f"[oauth-alice]\nhf_token = {TOKEN}\nrefresh_token = refresh-1\nexpires_at = 1000000000\n"
    )
    target = str(world.folder / "renewed")
    world.may_ask = True
    world.git("clone", f"https://huggingface.co/{MODEL}", target, code=128)
    assert b"has ended: run `hf auth token` to renew it" in world.output
    world.may_ask = False
    (world.folder / "askpass.log").unlink()
    world.hub.clear()

    def lines_of_the_helper() -> int:
        return world.output.count(b"git-credential-hf:")

    before = lines_of_the_helper()
    for number in range(2):
        world.git(
            "-c", "credential.https://huggingface.co.helper=",
            "-c", f"credential.https://huggingface.co.helper={EXECUTABLE} --refresh",
            "clone", f"https://huggingface.co/{MODEL}", f"{target}-{number}",
        )  # fmt: skip
    assert lines_of_the_helper() == before
    assert [one.status for one in world.hub.log if one.path == "/oauth/token"] == [200]
    assert world.tokens_seen() == {None, fingerprint(ROTATED)}
    assert (folder / "token").read_text() == ROTATED


@pytest.mark.parametrize("home", ["writable", "read-only"])
def test_git_lfs_does_not_loop_on_a_refused_token(world: World, keyring: Items, home: str) -> None:
    files = {f"part-{number:03}.bin": f"weights {number}".encode() for number in range(200)}
    world.hub.create("org/large", private=True, lfs=files)
    world.seed(TOKEN)
    clone = world.clone("org/large", GIT_LFS_SKIP_SMUDGE="1")
    world.hub.revoke(TOKEN)
    world.hub.clear()
    if home == "read-only":
        make_read_only(Path(world.environment["HOME"]))
    world.git("lfs", "pull", cwd=clone, code=2)
    assert 1 <= len([one for one in world.hub.log if one.fingerprint == fingerprint(TOKEN)]) <= 2
    assert b"the Hub rejected the token " in world.output


def test_a_gated_repository_that_was_not_accepted_costs_no_credential(world: World, keyring: Items) -> None:
    world.hub.create("org/closed", gated=True)
    world.seed(TOKEN)
    before = keyring.all()
    world.git("clone", "https://huggingface.co/org/closed", str(world.folder / "closed"), code=128)
    assert keyring.all() == before
    world.clone()
    assert_right_token_alone(world)


def token_file(world: World) -> Path:
    return Path(world.environment["HOME"], ".cache/huggingface/token")


LOGIN = ("hf", "auth", "login", "--token", ROTATED, "--add-to-git-credential")


def test_hf_auth_login_does_not_see_what_configure_sets(world: World, keyring: Items) -> None:
    world.git("config", "--global", "--unset", "credential.helper")
    world.seed(TOKEN)
    world.hub.add_token(ROTATED)
    world.run(*LOGIN)
    assert b"no helper is defined" in world.output
    # git goes on with the keyring's, which is asked before the token file, until it is seeded anew.
    assert keyring.secrets() == [TOKEN.encode()]
    assert token_file(world).read_text() == ROTATED


def test_hf_auth_login_finds_the_helper_that_is_set_for_every_host(world: World, keyring: Items) -> None:
    world.git("config", "--global", "--replace-all", "credential.helper", "hf")
    world.environment["PATH"] = f"{Path(EXECUTABLE).parent}:{world.environment['PATH']}"
    world.hub.add_token(ROTATED)
    world.run(*LOGIN)
    assert b"saved in your configured git credential helpers (hf)" in world.output
    assert token_file(world).read_text() == ROTATED
    # get gives it from the token file, which is written after this: so it may be in the keyring as well.
    assert keyring.secrets() == [ROTATED.encode()]


@pytest.mark.parametrize("helper", ["hf", None])
def test_hf_auth_logout_removes_the_item_of_the_host(world: World, keyring: Items, helper: str | None) -> None:
    world.seed(TOKEN)
    world.seed(ROTATED, "--scope", "team")
    world.git("config", "--global", "--unset", "credential.helper")
    if helper is not None:
        world.git("config", "--global", "credential.helper", helper)
        world.environment["PATH"] = f"{Path(EXECUTABLE).parent}:{world.environment['PATH']}"
    world.run("hf", "auth", "logout")
    assert keyring.secrets() == [ROTATED.encode()]
    assert not token_file(world).exists()


@pytest.fixture(params=PROVIDERS)
def any_keyring(request: pytest.FixtureRequest, environment: Environment, tmp_path: Path) -> Iterator[Items]:
    """The items of each provider in turn."""
    provider = PROVIDERS[request.param]
    needed(provider)
    with contextlib.closing(provider(tmp_path / "p")) as running:
        environment["DBUS_SESSION_BUS_ADDRESS"] = running.bus.address
        with contextlib.closing(Items(running.bus)) as items:
            yield items


def test_each_declared_token_clones_what_it_is_for(world: World, any_keyring: Items) -> None:
    paths = ["org-a/model", "org-b/model", "org-b/one", "datasets/org-a/data", "other/model"]
    scopes = ["org-a", "org-b", "org-b/one", "datasets/org-a/data", ""]
    tokens = {path: f"hf_{number}23456789AbCdEfGhIjKlMnOpQrStUvWxY" for number, path in enumerate(paths)}
    configuration = Path(world.environment["HOME"], ".config/git-credential-hf")
    configuration.mkdir(parents=True)
    declared = ""
    for number, (path, scope) in enumerate(zip(paths, scopes, strict=True)):
        world.hub.create(path, private=True, lfs={"weights.bin": path.encode()})
        world.hub.add_token(tokens[path], repos=[path])
        source = configuration / f"{number}.token"
        source.touch(mode=0o600)
        source.write_text(tokens[path])
        declared += f'[tokens.t{number}]\nfile = "{source.name}"\n'
        declared += f'scope = "{scope}"\n' if scope else "cache = true\n"
    (configuration / "tokens.toml").write_text(declared)
    world.helper("seed", "--require-keyring")
    for path, token in tokens.items():
        world.hub.clear()
        clone = world.clone(path)
        assert (clone / "weights.bin").read_bytes() == path.encode()
        assert world.tokens_seen() == {None, fingerprint(token)}
    assert any_keyring.secrets() == sorted(token.encode() for token in tokens.values())
    assert not said_by_the_helper(world)

    # The whole rotation by rebuild: one is new, one is for something else, one is no longer declared.
    rotated = "hf_rOtAtEd23456789AbCdEfGhIjKlMnOpQrStUvWxY"
    world.hub.revoke(tokens["other/model"])
    world.hub.add_token(rotated, repos=["other/model"])
    (configuration / "4.token").write_text(rotated)
    tables = declared.replace('scope = "org-b"', 'scope = "org-c"').split("[tokens.")
    (configuration / "tokens.toml").write_text("[tokens.".join(tables[:1] + tables[2:]))
    bus = world.environment.pop("DBUS_SESSION_BUS_ADDRESS")
    world.environment["DBUS_SESSION_BUS_ADDRESS"] = "disabled:"
    world.helper("seed")
    world.hub.clear()
    world.clone("other/model")  # from the token file
    assert world.tokens_seen() == {None, fingerprint(rotated)}
    world.environment["DBUS_SESSION_BUS_ADDRESS"] = bus
    world.helper("seed", "--require-keyring")
    left = {tokens[path] for path in paths[1:4]} | {rotated}
    assert any_keyring.secrets() == sorted(token.encode() for token in left)
    assert {item.attributes.get("object") for item in any_keyring.all()} == {None, "org-c", *scopes[2:4]}
    world.hub.clear()
    world.clone("other/model")
    assert world.tokens_seen() == {None, fingerprint(rotated)}
    assert not any(token.encode() in world.output for token in {*tokens.values(), rotated})
