"""gnome-keyring: it may not know a connection yet, and a locked one is left locked."""

import contextlib
import socket
from pathlib import Path

import pytest
from jeepney import new_error

from tests.asking import NOTHING, answer, request, seed, write_token_file
from tests.conftest import Environment, Run
from tests.providers import KWALLETS, GnomeKeyring, KWallet
from tests.secret_service import fake_bus
from tests.secret_service.conftest import needed, prompted, say
from tests.secret_service.fake_bus import ANSWERS, FROM_KEYRING, REQUEST, begun, bus, calls, serialised

FROM_FILE = answer("hf_user", "hf_FromTheFile")


def yet_to_know_the_connection(connection: socket.socket) -> None:
    """What gnome-keyring 42 does under load, where it can come to a call before it knows who made it."""
    known = False
    data = begun(connection)
    for member, call in calls(connection, data):
        if member == "OpenSession" and not known:
            return  # it aborts
        if member == "SearchItems" and not known:
            known = True
            connection.sendall(serialised(new_error(call, "org.freedesktop.DBus.Error.UnknownMethod")))
        else:
            connection.sendall(fake_bus.answer(call, ANSWERS[member]))


def test_a_provider_that_does_not_know_the_connection_yet(run: Run, environment: Environment) -> None:
    with bus(environment, yet_to_know_the_connection):
        assert run("get", input=REQUEST) == FROM_KEYRING


@pytest.mark.parametrize("version", KWALLETS, ids=lambda version: version.name)
def test_a_locked_gnome_keyring_shows_no_dialog_unasked(
    run: Run, environment: Environment, tmp_path: Path, version: type[KWallet]
) -> None:
    needed(GnomeKeyring, version)
    with contextlib.closing(GnomeKeyring(tmp_path / "keyring")) as keyring:
        environment["DBUS_SESSION_BUS_ADDRESS"] = keyring.bus.address
        seed(run, "hf_FromTheKeyring")
        keyring.restart(locked=True)
        write_token_file(environment, "hf_FromTheFile")
        # An open wallet beside it changes nothing.
        with contextlib.closing(version(bus=keyring.bus, state="locked")), keyring.bus.calls() as made:
            assert run("get", input=request()) == FROM_FILE
            assert say(run, "hf_rotated") == "skipped"
            assert run("store", input=request(username="alice", password="typed")) == NOTHING
            assert run("erase", input=request(username="alice")) == NOTHING
        # Unlock opens what has no password, and shows nothing before Prompt.
        assert {call.split()[1] for call in prompted(made)} == {"Unlock"}


def test_without_a_display_the_dialog_of_gnome_keyring_gives_way(
    run: Run, environment: Environment, tmp_path: Path
) -> None:
    needed(GnomeKeyring)
    with contextlib.closing(GnomeKeyring(tmp_path / "keyring")) as keyring:
        environment["DBUS_SESSION_BUS_ADDRESS"] = keyring.bus.address
        seed(run, "hf_FromTheKeyring")
        keyring.restart(locked=True)
        write_token_file(environment, "hf_FromTheFile")
        with keyring.bus.calls() as made:
            assert run("--unlock", "prompt", "--timeout", "60", "get", input=request()) == FROM_FILE
        assert [call.split()[1] for call in prompted(made)] == ["Unlock", "Prompt"]
