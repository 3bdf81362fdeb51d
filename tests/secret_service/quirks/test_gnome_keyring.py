"""gnome-keyring, where it does otherwise than the Secret Service API says."""

import socket

from jeepney import new_error

from tests.conftest import Environment, Run
from tests.secret_service.fake_bus import (
    ANSWERS,
    FROM_KEYRING,
    REQUEST,
    WELCOME,
    answer,
    begun,
    bus,
    calls,
    serialised,
)


def yet_to_know_the_connection(connection: socket.socket) -> None:
    """What gnome-keyring 42 does under load, where it can come to a call before it knows who made it."""
    known = False
    data = begun(connection)
    connection.sendall(WELCOME)
    for member, call in calls(connection, data):
        if member == "OpenSession" and not known:
            return  # it aborts
        if member == "SearchItems" and not known:
            known = True
            connection.sendall(serialised(new_error(call, "org.freedesktop.DBus.Error.UnknownMethod")))
        else:
            connection.sendall(answer(call, ANSWERS[member]))


def test_a_provider_that_does_not_know_the_connection_yet(run: Run, environment: Environment) -> None:
    with bus(environment, yet_to_know_the_connection):
        assert run("get", input=REQUEST) == FROM_KEYRING
