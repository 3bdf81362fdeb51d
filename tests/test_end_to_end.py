"""The main job: real git, git-lfs and hf against the Hub, answered by the installed helper."""

import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import EXECUTABLE, Environment
from tests.hub import Hub
from tests.hub.access import fingerprint
from tests.keyring_items import Items

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
case $1 in
    Username*) echo alice ;;
    *) cat "$(dirname "$0")/typed" 2>/dev/null ;;
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
    # Newer versions of git forget that user once the Hub has refused that; git-lfs does not.
    assert {one.username for one in seeded.hub.log} - {"hf_user"} == {None, "alice"}
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
    assert b"the Hub has refused the token" in world.output


@pytest.mark.parametrize("home", ["writable", "read-only"])
def test_git_lfs_does_not_loop_on_a_refused_token(world: World, keyring: Items, home: str) -> None:
    files = {f"part-{number:03}.bin": f"weights {number}".encode() for number in range(200)}
    world.hub.create("org/large", private=True, lfs=files)
    world.seed(TOKEN)
    clone = world.clone("org/large", GIT_LFS_SKIP_SMUDGE="1")
    world.hub.revoke(TOKEN)
    world.hub.clear()
    if home == "read-only":
        Path(world.environment["HOME"], ".local").touch()  # which keeps root, too, from making the folder
    world.git("lfs", "pull", cwd=clone, code=2)
    assert 1 <= len([one for one in world.hub.log if one.fingerprint == fingerprint(TOKEN)]) <= 2
    assert b"the Hub has refused the token" in world.output


def test_a_gated_repository_that_was_not_accepted_costs_no_credential(world: World, keyring: Items) -> None:
    world.hub.create("org/closed", gated=True)
    world.seed(TOKEN)
    before = keyring.all()
    world.git("clone", "https://huggingface.co/org/closed", str(world.folder / "closed"), code=128)
    assert keyring.all() == before
    world.clone()
    assert_right_token_alone(world)


def test_hf_auth_logout_removes_the_item_of_the_host(world: World, keyring: Items) -> None:
    world.seed(TOKEN)
    world.seed(ROTATED, "--scope", "team")
    # hf looks for a helper that is set for every host.
    world.git("config", "--global", "credential.helper", "hf")
    world.environment["PATH"] = f"{Path(EXECUTABLE).parent}:{world.environment['PATH']}"
    world.run("hf", "auth", "logout")
    assert keyring.secrets() == [ROTATED.encode()]
