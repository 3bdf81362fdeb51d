"""What the tests of seed stand on: a token, a file that holds it, and a run that never shows it."""

import os
import pickle
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Environment, Result, Run, run_call
from tests.providers import GnomeKeyring

TOKEN = "hf_sEEdMaRk0123456789aBcDeFgHiJkLmNoP"
ROTATED = "hf_rOtAtEd0123456789aBcDeFgHiJkLmNoPq"

UNSET = "\0"  # the value of a variable that is to be unset

Seed = Callable[..., Result]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark three in four tests that run a person's command as installed: a run of all tests does without them.

    These commands all start in one way, which costs more than most of what they do, and the same test calls them.
    """
    for one in items:
        if Path(__file__).parent in one.path.parents and isinstance(one, pytest.Function) and hasattr(one, "callspec"):
            is_installed = one.callspec.params.get("run") == "process"
            if is_installed and zlib.crc32(one.nodeid.encode()) % 4:
                one.add_marker("once_more")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A file of the person's own that holds TOKEN."""
    file = tmp_path / "huggingface.token"
    write(file, TOKEN + "\n")
    return file


@pytest.fixture
def seed(run: Run, source: Path) -> Seed:
    """Run seed, from `source` unless another --from is given; fail if a token is on stdout or stderr."""

    def from_source(*arguments: str, input: bytes = b"", **more: str) -> Result:
        where = () if "--from" in arguments else ("--from", str(source))
        result = run("seed", *where, *arguments, input=input, **more)
        for token in (TOKEN, ROTATED):
            assert token.encode() not in result.stdout + result.stderr
        return result

    return from_source


@pytest.fixture
def own(tmp_path: Path, environment: Environment) -> Iterator[GnomeKeyring]:
    """A keyring that the test may hurt."""
    provider = GnomeKeyring(tmp_path / "own")
    environment["DBUS_SESSION_BUS_ADDRESS"] = provider.bus.address
    yield provider
    provider.close()


AsUser = Callable[..., Result]


@pytest.fixture
def as_user(environment: Environment, source: Path) -> AsUser:
    """Run git-credential-hf as the user of that number, and of the group of that number or of `gid`.

    It is a fork of this process with everything imported: root's interpreter may be where nobody else can read.
    """
    run_call(("seed", "--dry-run", "--from", str(source)), b"", environment)

    def with_uid(uid: int, *arguments: str, input: bytes = b"", gid: int | None = None, **more: str) -> Result:
        receiver, sender = os.pipe()
        child = os.fork()
        if not child:
            try:
                os.setgroups([])
                os.setgid(uid if gid is None else gid)
                os.setuid(uid)
                with os.fdopen(sender, "wb") as pipe:
                    given = {name: value for name, value in (environment | more).items() if value != UNSET}
                    pickle.dump(run_call(arguments, input, given), pipe)
            finally:
                os._exit(0)
        os.close(sender)
        with os.fdopen(receiver, "rb") as pipe:
            result = pickle.loads(pipe.read())  # noqa: S301 - our own child wrote it
        os.waitpid(child, 0)
        assert isinstance(result, Result)
        assert arguments[0] == "get" or TOKEN.encode() not in result.stdout
        assert TOKEN.encode() not in result.stderr
        return result

    return with_uid


def write(file: Path, content: str | bytes, mode: int = 0o600) -> None:
    """Put `content` into the file, with exactly that mode."""
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    file.chmod(mode)


def snapshot(*folders: Path) -> dict[str, tuple[int, int, int, int, int]]:
    """Return mode, owner, inode, size and time of change of everything in the folders: writing changes it."""
    found = {}
    for folder in folders:
        for path in (folder, *folder.rglob("*")):
            status = path.lstat()
            found[str(path)] = (status.st_mode, status.st_uid, status.st_ino, status.st_size, status.st_mtime_ns)
    return found


def cache(environment: dict[str, str]) -> Path:
    """Return where the token file is when only HOME says so."""
    return Path(environment["HOME"], ".cache/huggingface/token")
