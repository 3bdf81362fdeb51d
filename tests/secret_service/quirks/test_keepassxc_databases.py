"""KeePassXC with two databases: ours, which holds the token, and another one.

Each is set as it is installed: it saves after every change, and a search shows its dialog where every database is
locked.
"""

import contextlib
import itertools
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.asking import NOTHING, answer, request, seed, write_token_file
from tests.conftest import Environment, Result, Run, run_process
from tests.providers import SECRETS, KeePassXC, wait_until
from tests.providers.display import Display
from tests.secret_service.conftest import LEFT, needed

ROOT = "/org/freedesktop/secrets"
COLLECTIONS = f"{ROOT}/collection/"
EXPOSED = r"<Item>\s*<Key>FDO_SECRETS_EXPOSED_GROUP</Key>.*?</Item>"
FROM_FILE = answer("hf_user", "hf_FromTheFile")


@dataclass(frozen=True)
class Case:
    """How the two databases are.

    shown: whether ours is on display, else the other is. exposed, locked: whether ours is. other_locked: whether the
    other one is, which is exposed.
    """

    shown: bool
    exposed: bool
    locked: bool
    other_locked: bool

    def __str__(self) -> str:
        return ", ".join(
            (
                "shown" if self.shown else "behind",
                "exposed" if self.exposed else "not exposed",
                "locked" if self.locked else "open",
                "the other locked" if self.other_locked else "the other open",
            )
        )

    @property
    def is_readable(self) -> bool:
        return self.exposed and not self.locked

    @property
    def has_collection(self) -> bool:
        # What is exposed is in the database, which KeePassXC cannot read while it is locked.
        return self.exposed or self.locked

    @property
    def default(self) -> str:
        """Return the path of the default collection: that of the database on display."""
        if not self.shown:
            return f"{COLLECTIONS}other"
        return f"{COLLECTIONS}database" if self.has_collection else "/"

    def seeded(self) -> str:
        """Return what becomes of a token that is seeded anew."""
        if self.is_readable:
            return "replaced"
        if self.other_locked:
            return LEFT
        if not self.shown:
            return "created"
        return "skipped" if self.has_no_default else LEFT

    @property
    def has_no_default(self) -> bool:
        """Return whether a database is open, and that on display is shown to no program."""
        return self.default == "/" and not self.other_locked


CASES = [Case(*states) for states in itertools.product((True, False), repeat=4)]


@pytest.fixture(scope="module")
def display(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Display]:
    needed(Display, KeePassXC)
    with contextlib.closing(Display(tmp_path_factory.mktemp("display"))) as started:
        yield started


class TwoDatabases:
    """KeePassXC with the databases `database`, which has the token hf_old, and `other`."""

    def __init__(self, keepassxc: KeePassXC) -> None:
        self.keepassxc = keepassxc
        self.bus = keepassxc.bus
        self.ours = self.bus.folder / "database.kdbx"
        self.other = self.bus.folder / "other.kdbx"

    def expose_nothing_of_ours(self) -> None:
        exported = self._keepassxc_cli("export", "-q", str(self.ours))
        hidden, count = re.subn(
            r"<Item>\s*<Key>FDO_SECRETS_EXPOSED_GROUP</Key>.*?</Item>", "", exported, flags=re.DOTALL
        )
        assert count == 1
        xml = self.bus.folder / "hidden.xml"
        xml.write_text(hidden)
        self.ours.unlink()
        self._keepassxc_cli("import", "-q", "-p", "-t", "100", str(xml), str(self.ours))

    def _keepassxc_cli(self, *command: str) -> str:
        return subprocess.run(
            ["keepassxc-cli", *command],
            input=self.keepassxc.password * 2,
            env=self.bus.environ(),
            capture_output=True,
            check=True,
        ).stdout.decode()

    def start(self, case: Case) -> None:
        given = [
            (self.ours, b"wrong\n" if case.locked else self.keepassxc.password),
            (self.other, b"wrong\n" if case.other_locked else self.keepassxc.password),
        ]
        if case.shown:  # the last one is
            given.reverse()
        files, passwords = zip(*given, strict=True)
        self.keepassxc.process = self.bus.start(["keepassxc", "--pw-stdin", *map(str, files)], b"".join(passwords))
        wait_until(lambda: self.bus.owns(SECRETS), "KeePassXC is on the bus")
        wanted = {f"{COLLECTIONS}other": case.other_locked}
        if case.has_collection:
            wanted[f"{COLLECTIONS}database"] = case.locked
        wait_until(lambda: self._state() == (wanted, case.default), f"KeePassXC is {case}", 20)

    def _state(self) -> tuple[dict[str, bool], str]:
        with contextlib.suppress(subprocess.CalledProcessError):  # one that is on its way
            found = self.bus.call(
                SECRETS, ROOT, "org.freedesktop.DBus.Properties.Get",
                "string:org.freedesktop.Secret.Service", "string:Collections",
            )  # fmt: skip
            paths = [word for word in found.split() if word.startswith("/")]
            default = self.bus.call(SECRETS, ROOT, "org.freedesktop.Secret.Service.ReadAlias", "string:default")
            return {path: self.bus.is_locked(path) for path in paths}, default
        return {}, ""


@pytest.fixture
def run(environment: Environment) -> Run:
    """The installed program alone: whoever shows a window is another process."""

    def with_environment(*arguments: str, input: bytes = b"", **more: str) -> Result:
        return run_process(arguments, input, environment | more)

    return with_environment


@pytest.fixture
def two(display: Display, run: Run, environment: Environment, tmp_path: Path) -> Iterator[TwoDatabases]:
    with contextlib.closing(KeePassXC(tmp_path / "keepassxc", display=display.name)) as keepassxc:
        environment["DBUS_SESSION_BUS_ADDRESS"] = keepassxc.bus.address
        databases = TwoDatabases(keepassxc)
        databases.other.write_bytes(databases.ours.read_bytes())
        seed(run, "hf_old")
        keepassxc.leave()
        keepassxc.configure(unlock_before_search=True, save_each_change=True)
        environment["XDG_CONFIG_HOME"] = str(keepassxc.bus.folder / "config")
        write_token_file(environment, "hf_FromTheFile")
        yield databases


@pytest.mark.parametrize("case", CASES, ids=str)
def test_two_databases(run: Run, two: TwoDatabases, display: Display, case: Case) -> None:
    if not case.exposed:
        two.expose_nothing_of_ours()
    two.start(case)
    file = two.ours if case.is_readable else two.other
    with display.shown() as windows:
        assert run("get", input=request()) == (answer("hf_user", "hf_old") if case.is_readable else FROM_FILE)
        before = file.stat().st_mtime_ns
        done = run("seed", "--from", "-", "--no-cache", input=b"hf_new")
        assert (done.stderr, done.code) == (b"", 0)
        assert done.stdout.decode().startswith(f"keyring: {case.seeded()}")
        if case.has_no_default:
            assert b"it has no default collection" in done.stdout
        is_stored = case.seeded() in ("created", "replaced")
        assert run("get", input=request()) == (answer("hf_user", "hf_new") if is_stored else FROM_FILE)
        if is_stored:
            # What is changed while it saves can crash it.
            wait_until(lambda: file.stat().st_mtime_ns != before, "KeePassXC saves")
        forgotten = run("forget", "--yes")
        is_left = case.seeded() == LEFT and not case.has_no_default
        assert (forgotten.stdout.count(b"keyring: removed, "), forgotten.code) == (int(is_stored), int(is_left))
        # Without a collection it counts as no keyring, beside which the token file is all that seed fills.
        assert run("get", input=request()) == (NOTHING if case.has_no_default else FROM_FILE)
    assert windows == []
    assert two.keepassxc.process.poll() is None
