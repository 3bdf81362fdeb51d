"""A keyring that is not there yet, and one that the desktop did not start."""

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.asking import NOTHING, request, write_token_file
from tests.conftest import EXECUTABLE, Environment, Run
from tests.keyring_items import Items
from tests.providers import SECRETS, Bus, GnomeKeyring, KWallet, wait_until
from tests.secret_service.conftest import needed, prompted

TOKEN = "hf_QpWn4LmXzTbVcRdS"
SEED = ("seed", "--from", "env:OF_SEED", "--no-cache")
Started = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def started(environment: Environment) -> Iterator[Started]:
    """Start seed with further arguments, and return at once."""
    running: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str) -> "subprocess.Popen[bytes]":
        running.append(
            subprocess.Popen(
                [EXECUTABLE, *SEED, *arguments],
                env=environment | {"OF_SEED": TOKEN},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        )
        return running[-1]

    yield start
    for one in running:
        one.kill()
        one.communicate()


@pytest.fixture
def own(tmp_path: Path, environment: Environment) -> Iterator[GnomeKeyring]:
    """A gnome-keyring without a default collection."""
    provider = GnomeKeyring(tmp_path / "own", locked=True)
    environment["DBUS_SESSION_BUS_ADDRESS"] = provider.bus.address
    yield provider
    provider.close()


@pytest.fixture
def empty_bus(tmp_path: Path) -> Iterator[Bus]:
    """A bus without a keyring."""
    bus = Bus(tmp_path / "empty")
    yield bus
    bus.close()


def asked(calls: Path) -> bool:
    return b"ReadAlias" in calls.read_bytes()


def test_a_keyring_that_comes_later_is_waited_for(own: GnomeKeyring, started: Started) -> None:
    own.stop()
    wait_until(lambda: not own.bus.owns(SECRETS), "gnome-keyring is off the bus")
    with own.bus.calls() as _:
        seeding = started("--require-keyring", "--timeout", "60")
        wait_until(lambda: asked(own.bus.folder / "calls"), "seed has looked for it")
        assert seeding.poll() is None
        own.start()
    stdout, stderr = seeding.communicate(timeout=60)
    assert (stdout.partition(b",")[0], stderr, seeding.returncode) == (b"keyring: created", b"", 0)
    with contextlib.closing(Items(own.bus)) as items:
        assert items.secrets() == [TOKEN.encode()]


def test_a_default_collection_that_comes_later_is_waited_for(own: GnomeKeyring, started: Started) -> None:
    with own.bus.calls() as _:
        seeding = started("--require-keyring", "--timeout", "60")
        wait_until(lambda: asked(own.bus.folder / "calls"), "seed has looked for it")
        assert seeding.poll() is None
        own.restart(locked=False)
    stdout, stderr = seeding.communicate(timeout=60)
    assert (stdout.partition(b",")[0], stderr, seeding.returncode) == (b"keyring: created", b"", 0)


def test_status_calls_a_keyring_open_that_seed_can_store_in(run: Run, own: GnomeKeyring) -> None:
    # As PAM does it at the very first login, after which 42.1 names a default collection that it does not have.
    unlock = ["gnome-keyring-daemon", "--unlock", f"--control-directory={own.bus.folder}/run/keyring"]
    subprocess.run(unlock, input=own.password, env=own.bus.environ(), stdout=subprocess.DEVNULL, check=True)

    def state() -> str:
        known: str = json.loads(run("status", "--json").stdout)["keyring"]["state"]
        return known

    before = state()
    stored = run("seed", "--from", "-", "--no-cache", "--require-keyring", input=TOKEN.encode()).code == 0
    # It may come at any time, and does not go.
    assert state() == "open" if stored else before == "no collection"


def test_a_keyring_that_never_comes_is_given_up(started: Started, environment: Environment, empty_bus: Bus) -> None:
    environment["DBUS_SESSION_BUS_ADDRESS"] = empty_bus.address
    with empty_bus.calls() as made:
        seeding = started("--require-keyring", "--timeout", "2")
        stdout, stderr = seeding.communicate(timeout=30)
    assert (stdout, seeding.returncode) == (b"", 3)
    assert stderr == (
        b"git-credential-hf: the keyring was not filled: no keyring is running. "
        b"Run `git-credential-hf seed --from env:OF_SEED --no-cache --require-keyring --timeout 2` again "
        b"once one is running\n"
    )
    # It looks again and again, and has the bus start a keyring once, and once more to write.
    assert sum(call.endswith(" GetNameOwner") for call in made) > 2
    assert sum(call.endswith(" ReadAlias") for call in made) == 2


@pytest.mark.parametrize("waits", ["--require-keyring", "--timeout=60"])
def test_nothing_is_waited_for_unless_it_is_asked_for(
    started: Started, environment: Environment, empty_bus: Bus, waits: str
) -> None:
    environment["DBUS_SESSION_BUS_ADDRESS"] = empty_bus.address
    with empty_bus.calls() as made:
        started(waits).communicate(timeout=30)
    assert sum(call.endswith(" ReadAlias") for call in made) == 1


@pytest.fixture
def left_out(tmp_path: Path, environment: Environment) -> Iterator[KWallet]:
    """A kwalletd5 that is not running, and that the bus can start, as Plasma leaves it at an automatic login."""
    needed(KWallet)
    wallet = KWallet(tmp_path / "wallet")
    wallet.stop()
    wait_until(lambda: not wallet.bus.owns(SECRETS), "kwalletd5 is off the bus")
    service = wallet.bus.folder / "services/org.kde.kwalletd5.service"
    started = wallet.bus.folder / "started"
    command = f"/bin/sh -c 'echo $$ >\"{started}\"; exec /usr/bin/kwalletd5'"
    service.write_text(f"[D-BUS Service]\nName=org.kde.kwalletd5\nExec={command}\n")
    wallet.bus.call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus.ReloadConfig")
    environment["DBUS_SESSION_BUS_ADDRESS"] = wallet.bus.address
    yield wallet
    wallet.bus.close()
    if started.exists():  # it would outlive the bus
        os.kill(int(started.read_text()), signal.SIGKILL)


def test_a_keyring_that_the_desktop_left_out_is_started_where_a_dialog_may_be_shown(
    run: Run, left_out: KWallet, environment: Environment
) -> None:
    write_token_file(environment, TOKEN)
    assert b"\npassword=" in run("--unlock", "prompt", "get", input=request()).stdout
    assert run("--unlock", "prompt", "store", input=request(username="alice", password="typed")) == NOTHING
    skipped = run("seed", "--from", "-", "--no-cache", input=TOKEN.encode())
    assert (skipped.stdout.partition(b".")[0], skipped.code) == (b"keyring: skipped (no keyring is running)", 0)
    dry = run("seed", "--from", "-", "--no-cache", "--unlock", "prompt", "--dry-run", input=TOKEN.encode())
    assert dry.stdout.startswith(b"keyring: skipped (no keyring is running)")
    assert not left_out.bus.owns(SECRETS)

    with left_out.bus.calls() as made:
        # Nobody types a password into its dialog.
        seeded = run("seed", "--from", "-", "--no-cache", "--unlock", "prompt", "--timeout", "5", input=TOKEN.encode())
    assert left_out.bus.owns(SECRETS)
    assert [call.split()[-1] for call in prompted(made)] == ["Unlock", "Prompt"]
    assert (seeded.stdout, seeded.code, seeded.stderr.count(b"\n")) == (b"", 3, 1)
