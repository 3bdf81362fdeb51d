"""pass_secret_service: nobody is asked for the passphrase of its key who did not ask for that."""

import contextlib
import json
import os
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from git_credential_hf.secret_service.quirks import pass_secret_service
from tests.asking import NOTHING, answer, request, seed, write_token_file
from tests.conftest import Environment, Run
from tests.keyring_items import Items
from tests.providers import PassSecretService, ScriptedPass
from tests.secret_service.conftest import LEFT, needed, say

FROM_KEYRING = answer("hf_user", "hf_FromTheKeyring")
FROM_FILE = answer("hf_user", "hf_FromTheFile")
WHY = "the passphrase of its key is not known to gpg's agent: run `pass` to enter it"


@pytest.fixture
def protected(run: Run, environment: Environment, tmp_path: Path) -> Iterator[PassSecretService]:
    """A store whose key has a passphrase, which the agent has forgotten, with hf_FromTheKeyring and a token file."""
    needed(PassSecretService)
    with contextlib.closing(PassSecretService(tmp_path / "pass", protected=True)) as provider:
        environment["DBUS_SESSION_BUS_ADDRESS"] = provider.bus.address
        environment["GNUPGHOME"] = str(provider.gnupg)
        seed(run, "hf_FromTheKeyring", "--unlock", "prompt")
        assert provider.has_asked()
        write_token_file(environment, "hf_FromTheFile")
        yield provider


def test_nobody_is_asked_for_the_passphrase(run: Run, protected: PassSecretService) -> None:
    # The agent knows the passphrase from the seed.
    assert run("get", input=request()) == FROM_KEYRING
    protected.lock()
    for unlock in ("auto", "never"):
        assert run("--unlock", unlock, "get", input=request()) == FROM_FILE
        assert run("--unlock", unlock, "store", input=request(username="alice", password="typed")) == NOTHING
        assert run("--unlock", unlock, "erase", input=request(username="alice", password="typed")) == NOTHING
        for token in ("hf_FromTheKeyring", "hf_rotated"):
            done = run("seed", "--from", "-", "--no-cache", "--unlock", unlock, input=token.encode())
            assert done.stdout.decode().startswith(f"keyring: {LEFT}")
            assert (WHY in done.stdout.decode(), done.stdout.count(b"\n"), done.stderr, done.code) == (True, 1, b"", 0)
    forgotten = run("forget", "--yes")
    assert (forgotten.stdout, forgotten.code, forgotten.stderr.count(b"\n")) == (b"", 1, 1)
    assert WHY.encode() in forgotten.stderr
    assert run("status").code in (0, 1)
    assert not protected.has_asked()
    assert run("--unlock", "prompt", "--timeout", "60", "get", input=request()) == FROM_KEYRING
    assert protected.has_asked()
    # Now that it is known again, everything works without a question.
    assert run("get", input=request()) == FROM_KEYRING
    assert say(run, "hf_rotated") == "replaced"
    assert run("get", input=request()) == answer("hf_user", "hf_rotated")
    assert not protected.has_asked()


@pytest.mark.parametrize("runs", [True, False])
def test_the_key_of_the_store_counts_where_there_are_several(
    run: Run, protected: PassSecretService, environment: Environment, runs: bool
) -> None:
    environment["PASSWORD_STORE_DIR"] = str(protected.bus.folder / "home/.password-store")
    protected.make_key("other@example.org")
    assert run("get", input=request()) == FROM_KEYRING
    protected.lock()
    if not runs:
        protected.end_agent()
    assert run("get", input=request()) == FROM_FILE
    assert say(run, "hf_rotated") == LEFT
    assert not protected.has_asked()
    assert run("--unlock", "prompt", "--timeout", "60", "get", input=request()) == FROM_KEYRING


def test_a_protected_key_that_the_store_is_not_for_does_not_count(
    run: Run, environment: Environment, tmp_path: Path
) -> None:
    needed(PassSecretService)
    with contextlib.closing(PassSecretService(tmp_path / "pass")) as provider:
        environment["DBUS_SESSION_BUS_ADDRESS"] = provider.bus.address
        environment["GNUPGHOME"] = str(provider.gnupg)
        environment["PASSWORD_STORE_DIR"] = str(provider.bus.folder / "home/.password-store")
        provider.make_key("other@example.org", PassSecretService.password.decode())
        provider.lock()
        assert say(run, "hf_FromTheKeyring") == "created"
        assert run("get", input=request()) == FROM_KEYRING
        assert not provider.has_asked()


def test_a_store_for_several_people_is_open_with_ones_own_key(
    run: Run, environment: Environment, tmp_path: Path
) -> None:
    needed(PassSecretService)
    with contextlib.closing(PassSecretService(tmp_path / "pass")) as provider:
        store = provider.bus.folder / "home/.password-store"
        environment |= {"GNUPGHOME": str(provider.gnupg), "PASSWORD_STORE_DIR": str(store)}
        environment["DBUS_SESSION_BUS_ADDRESS"] = provider.bus.address
        (store / ".gpg-id").write_text("colleague@example.org # away\n" + (store / ".gpg-id").read_text())
        gpg = tmp_path / "bin/gpg"
        gpg.parent.mkdir()
        gpg.write_text(f'#!/bin/sh\nenv >>{tmp_path}/told; exec {shutil.which("gpg")} "$@"\n')
        gpg.chmod(0o755)
        environment |= {"PATH": f"{gpg.parent}:{environment['PATH']}", "HF_TOKEN": "hf_InTheEnvironment"}
        assert say(run, "hf_FromTheKeyring") == "created"
        assert run("--sources", "keyring", "get", input=request()) == FROM_KEYRING
        told = (tmp_path / "told").read_text()
        assert "GNUPGHOME=" in told
        assert "hf_" not in told


def test_the_sockets_of_a_home_of_its_own() -> None:
    # As `gpgconf --list-dirs agent-socket` has it where the run-time folder of the user is there.
    assert pass_secret_service._hashed(b"/tmp/gh1") == b"ftacegjuwrto6c98adm9ay63"


def test_nobody_is_asked_where_the_secrets_are_files_of_the_store(
    run: Run, protected: PassSecretService, environment: Environment, tmp_path: Path
) -> None:
    """A scripted provider, since no registry has pass-secret-service; it does not decrypt the file that is there."""
    store = protected.bus.folder / "home/.password-store"
    environment["PASSWORD_STORE_DIR"] = str(store)
    with contextlib.closing(ScriptedPass(tmp_path / "scripted")) as provider:
        environment["DBUS_SESSION_BUS_ADDRESS"] = provider.bus.address
        assert say(run, "hf_FromTheKeyring") == "created"
        with contextlib.closing(Items(provider.bus)) as items:
            (item,) = items.collection.get_all_items()
        file = store / "secret-service" / item.item_path.removeprefix("/org/freedesktop/secrets/collection/")
        file.parent.mkdir(parents=True)
        file.with_suffix(".gpg").touch()
        assert run("get", input=request()) == FROM_KEYRING
        protected.lock()
        assert run("get", input=request()) == FROM_FILE
        assert say(run, "hf_rotated") == LEFT
        assert run("--unlock", "prompt", "get", input=request()) == FROM_KEYRING


def test_no_item_is_older_than_a_file_of_whose_time_it_tells_nothing(
    run: Run, environment: Environment, protected: PassSecretService
) -> None:
    run("configure")
    seed(run, "hf_newer")
    file = write_token_file(environment, "hf_older")
    os.utime(file, (1_000_000_000, 1_000_000_000))
    codes = [one["code"] for one in json.loads(run("status", "--json").stdout)["findings"]]
    assert "token-file-differs" in codes
    assert "token-file-newer" not in codes


def test_no_agent_is_started_to_ask(run: Run, protected: PassSecretService) -> None:
    protected.end_agent()
    assert run("get", input=request()) == FROM_FILE
    assert say(run, "hf_rotated") == LEFT
    assert not protected.has_asked()


def test_a_key_without_a_passphrase_needs_no_agent(run: Run, environment: Environment, tmp_path: Path) -> None:
    needed(PassSecretService)
    with contextlib.closing(PassSecretService(tmp_path / "pass")) as provider:
        environment["DBUS_SESSION_BUS_ADDRESS"] = provider.bus.address
        environment["GNUPGHOME"] = str(provider.gnupg)
        assert say(run, "hf_FromTheKeyring") == "created"
        provider.lock()
        assert run("get", input=request()) == FROM_KEYRING
        provider.end_agent()
        assert run("get", input=request()) == FROM_KEYRING


@pytest.mark.parametrize("says", [b"OK\n", b"OK\nS KEYINFO \nOK\n", b"\xff" * 200_000])
def test_what_is_no_agent_opens_nothing(run: Run, protected: PassSecretService, says: bytes) -> None:
    """A mock, since no agent of GnuPG's answers so."""
    protected.end_agent()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(protected.gnupg / "S.gpg-agent"))
        listener.listen()
        held = []

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    held.append(connection)
                    connection.sendall(says)

        serving = threading.Thread(target=serve)
        serving.start()
        assert run("--timeout", "0.5", "get", input=request()) == FROM_FILE
        listener.shutdown(socket.SHUT_RDWR)
        serving.join()
        for connection in held:
            connection.close()
    (protected.gnupg / "S.gpg-agent").unlink()
    assert not protected.has_asked()
