"""Where the session bus is looked for."""

import os
from pathlib import Path

import pytest

from git_credential_hf.secret_service.dbus.address import bus_addresses
from tests.conftest import Environment, Run
from tests.keyring_items import Items
from tests.providers import GnomeKeyring
from tests.secret_service.fake_bus import FROM_KEYRING, REQUEST, store

DEFAULT = [b"/run/user/%d/bus" % os.geteuid()]


@pytest.mark.parametrize(
    ("environ", "addresses"),
    [
        ({}, DEFAULT),
        ({b"XDG_RUNTIME_DIR": b""}, DEFAULT),
        ({b"XDG_RUNTIME_DIR": b"/run/here"}, [b"/run/here/bus"]),
        ({b"XDG_RUNTIME_DIR": b"/run/here", b"DBUS_SESSION_BUS_ADDRESS": b""}, [b"/run/here/bus"]),
        ({b"XDG_RUNTIME_DIR": b"/run/here", b"DBUS_SESSION_BUS_ADDRESS": b"unix:path=/a"}, [b"/a"]),
    ],
)
def test_the_bus_of_an_environment(environ: dict[bytes, bytes], addresses: list[bytes]) -> None:
    assert bus_addresses(environ) == addresses


@pytest.mark.parametrize(
    ("address", "addresses"),
    [
        (b"unix:path=/run/user/1000/bus", [b"/run/user/1000/bus"]),
        (b"unix:path=/tmp/dbus-x,guid=0123456789abcdef", [b"/tmp/dbus-x"]),
        (b"unix:guid=0123456789abcdef,path=/tmp/dbus-x", [b"/tmp/dbus-x"]),
        (b"unix:abstract=/tmp/dbus-x,guid=0123", [b"\0/tmp/dbus-x"]),
        (b"unix:path=/a;unix:abstract=b;unix:path=/c", [b"/a", b"\0b", b"/c"]),
        (b"tcp:host=localhost,port=1;unix:path=/a;", [b"/a"]),
        (b"unix:path=/with%20space%2c%3B", [b"/with space,;"]),
        (b"unix:path=/gr%c3%b6%C3%9fe", ["/größe".encode()]),
        (b"unix:path=%2fa", [b"/a"]),
        (b"unix:path=/a=b", [b"/a=b"]),
        # nothing that could be connected to
        (b"disabled:", []),
        (b"autolaunch:", []),
        (b"tcp:host=localhost,port=1234", []),
        (b"nonce-tcp:host=localhost,port=1234,noncefile=/a", []),
        (b"unixexec:path=/bin/true", []),
        (b"launchd:env=X", []),
        (b"unix:", []),
        (b"unix:path=", []),
        (b"unix:guid=1", []),
        (b"unix:runtime=yes", []),
        (b"unix", []),
        (b"/run/user/1000/bus", []),
        (b";", []),
        (b"::,=;=", []),
        (b"\xff\xfe", []),
        # an escape that is none
        (b"unix:path=/a%zz", []),
        (b"unix:path=/a%2", []),
        (b"unix:path=/a%", []),
        (b"unix:path=/a% 1", []),
        (b"unix:path=/a%\xff\xff", []),
        (b"unix:path=/a%2,guid=1;unix:path=/b", [b"/b"]),
    ],
)
def test_the_addresses_of_a_bus(address: bytes, addresses: list[bytes]) -> None:
    assert bus_addresses({b"DBUS_SESSION_BUS_ADDRESS": address, b"XDG_RUNTIME_DIR": b"/not/looked/at"}) == addresses


def test_the_bus_in_the_run_time_directory_is_used(
    run: Run, keyring: Items, environment: Environment, gnome_keyring: GnomeKeyring
) -> None:
    store(run)
    (path,) = bus_addresses({b"DBUS_SESSION_BUS_ADDRESS": gnome_keyring.bus.address.encode()})
    Path(environment["XDG_RUNTIME_DIR"], "bus").symlink_to(path.decode())
    assert run("get", input=REQUEST, DBUS_SESSION_BUS_ADDRESS="") == FROM_KEYRING
    del environment["DBUS_SESSION_BUS_ADDRESS"]
    assert run("get", input=REQUEST) == FROM_KEYRING


def test_the_first_bus_that_can_be_reached_is_asked(run: Run, keyring: Items, environment: Environment) -> None:
    store(run)
    address = environment["DBUS_SESSION_BUS_ADDRESS"]
    several = f"tcp:host=localhost,port=1;unix:path=/not/there;unix:abstract=nobody listens;{address};unix:path=/none"
    assert run("get", input=REQUEST, DBUS_SESSION_BUS_ADDRESS=several) == FROM_KEYRING
