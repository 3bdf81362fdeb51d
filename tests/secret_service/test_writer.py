"""Writes to a real keyring that is locked, stopped, killed, or has been left in disorder."""

import fcntl
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.asking import NOTHING, keyring_remedy, keyring_skipped, request
from tests.conftest import EXECUTABLE, Environment, Run
from tests.keyring_items import Items
from tests.providers import Bus, GnomeKeyring

SEED = ("seed", "--from", "-", "--no-cache")
TOKEN = b"hf_QpWn4LmXzTbVcRdS"
NO_COLLECTION = "it has no default collection"


@pytest.fixture
def own(tmp_path: Path, environment: Environment) -> Iterator[GnomeKeyring]:
    """A keyring that the test may hurt."""
    provider = GnomeKeyring(tmp_path / "own")
    environment["DBUS_SESSION_BUS_ADDRESS"] = provider.bus.address
    yield provider
    if provider.process.poll() is None:
        os.kill(provider.process.pid, signal.SIGCONT)
    provider.close()


def test_a_locked_keyring_is_skipped(run: Run, own: GnomeKeyring) -> None:
    own.stop()
    own.start(locked=True)
    seeded = run(*SEED, input=TOKEN)
    assert (seeded.stdout, seeded.stderr, seeded.code) == (
        f"{keyring_skipped('it is locked', *SEED[1:])}\n".encode(),
        b"",
        0,
    )
    required = run(*SEED, "--require-keyring", input=TOKEN)
    assert (required.stdout, required.code, required.stderr.count(b"\n")) == (b"", 3, 1)
    assert run("store", input=request(username="alice", password="typed")) == NOTHING
    assert run("erase", input=request(username="alice")) == NOTHING


def test_without_a_display_the_dialog_of_a_locked_keyring_is_dismissed(run: Run, own: GnomeKeyring) -> None:
    own.stop()
    own.start(locked=True)
    seeded = run(*SEED, "--unlock", "prompt", "--require-keyring", input=TOKEN)
    assert (seeded.stdout, seeded.code, seeded.stderr.count(b"\n")) == (b"", 3, 1)


def test_a_keyring_that_was_never_made_is_skipped(run: Run, environment: Environment, tmp_path: Path) -> None:
    provider = GnomeKeyring(tmp_path / "new", locked=True)
    environment["DBUS_SESSION_BUS_ADDRESS"] = provider.bus.address
    try:
        seeded = run(*SEED, input=TOKEN)
        assert (seeded.stdout, seeded.stderr, seeded.code) == (
            f"{keyring_skipped(NO_COLLECTION, *SEED[1:])}\n".encode(),
            b"",
            0,
        )
        required = run(*SEED, "--require-keyring", input=TOKEN)
        remedy = keyring_remedy(NO_COLLECTION, *SEED[1:], "--require-keyring")
        told = f"git-credential-hf: the keyring was not filled: {NO_COLLECTION}. {remedy}\n"
        assert (required.stdout, required.stderr.decode(), required.code) == (b"", told, 3)
    finally:
        provider.close()


def test_a_bus_without_a_keyring_is_skipped(run: Run, environment: Environment, tmp_path: Path) -> None:
    bus = Bus(tmp_path / "bus")
    environment["DBUS_SESSION_BUS_ADDRESS"] = bus.address
    try:
        seeded = run(*SEED, input=TOKEN)
        assert (seeded.stdout, seeded.stderr, seeded.code) == (
            f"{keyring_skipped('no keyring is running', *SEED[1:])}\n".encode(),
            b"",
            0,
        )
        assert run("store", input=request(username="alice", password="typed")) == NOTHING
    finally:
        bus.close()


@pytest.mark.parametrize("stopped", ["provider", "bus"])
def test_what_does_not_answer_ends_within_the_time(run: Run, own: GnomeKeyring, stopped: str) -> None:
    pid = own.process.pid if stopped == "provider" else own.bus.process.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        seeded = run(*SEED, "--timeout", "0.3", input=TOKEN)
        stored = run("--timeout", "0.3", "store", input=request(username="alice", password="typed"))
    finally:
        os.kill(pid, signal.SIGCONT)
    assert (seeded.stdout, seeded.code, seeded.stderr.count(b"\n")) == (b"", 3, 1)
    assert b"0.3 s" in seeded.stderr
    assert (stored.stdout, stored.code) == (b"", 0)


def test_items_that_are_the_same_become_one(run: Run, keyring: Items) -> None:
    assert run(*SEED, input=TOKEN).code == 0
    (item,) = keyring.all()
    keyring.add(b"hf_a_copy", **{name.replace(":", "__"): value for name, value in item.attributes.items()})
    keyring.add(b"theirs", **{name.replace(":", "__"): value for name, value in item.attributes.items()}, port="8443")
    assert run(*SEED, input=TOKEN).code == 0
    assert keyring.secrets() == sorted([TOKEN, b"theirs"])


def test_an_address_that_is_no_bus_is_no_bus(run: Run, environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    environment["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={tmp_path}/file"
    seeded = run(*SEED, input=TOKEN)
    assert (seeded.stdout, seeded.stderr, seeded.code) == (
        f"{keyring_skipped('no D-Bus session', *SEED[1:])}\n".encode(),
        b"",
        0,
    )


def test_another_run_that_does_not_end_is_told_of(run: Run, keyring: Items, environment: Environment) -> None:
    state = Path(environment["HOME"], ".local/state/git-credential-hf")
    state.mkdir(parents=True, mode=0o700)
    folder = os.open(state, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        stored = run("--timeout", "2", "store", input=request(username="alice", password="typed"))
    finally:
        os.close(folder)
    assert (stored.stdout, stored.code, stored.stderr.count(b"\n")) == (b"", 0, 1)
    assert b"another run" in stored.stderr
    assert keyring.all() == []


def test_of_seeds_at_once_one_has_the_last_word_in_both_places(keyring: Items, environment: Environment) -> None:
    seeds = [
        subprocess.Popen(
            [EXECUTABLE, "seed", "--from", "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environment,
        )
        for _ in range(8)
    ]
    for number, one in enumerate(seeds):
        assert one.stdin is not None
        one.stdin.write(b"hf_RotatedNo%d" % number)
        one.stdin.close()
    for one in seeds:
        with one:
            assert one.stderr is not None
            assert one.stderr.read() == b""
        assert one.returncode == 0
    (secret,) = keyring.secrets()
    assert Path(environment["HOME"], ".cache/huggingface/token").read_bytes() == secret


def test_a_token_of_a_variable_is_not_in_the_environment_of_git(
    run: Run, environment: Environment, tmp_path: Path
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("git", "git-lfs"):
        (programs / name).write_text(f"#!/bin/sh\nenv >'{tmp_path}/seen'\n")
        (programs / name).chmod(0o755)
    environment["PATH"] = f"{programs}:{environment['PATH']}"
    done = run("seed", "--from", "env:SECRET", "--no-keyring", "--git-lfs", SECRET=TOKEN.decode(), HF_TOKEN="hf_other")
    assert (done.stderr, done.code) == (b"", 0)
    seen = (tmp_path / "seen").read_bytes()
    assert b"HOME=" in seen
    assert TOKEN not in seen
    assert b"hf_other" not in seen
