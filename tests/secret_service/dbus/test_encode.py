"""Calls, against jeepney: it reads what the program writes, to the last byte."""

from hypothesis import given
from hypothesis import strategies as st
from jeepney import DBusAddress
from jeepney.low_level import MessageFlag, Parser

from git_credential_hf.secret_service.dbus.encode import BUS, call, get_property, hello, numbered
from tests.secret_service.by_jeepney import PATHS, SEGMENTS, SERIALS, TEXT, as_jeepney_reads, expected


@given(SERIALS)
def test_hello(serial: int) -> None:
    bus = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
    assert as_jeepney_reads(numbered((hello(),), serial)) == expected(serial, bus, "Hello", None, ())


@given(SERIALS, PATHS, SEGMENTS, SEGMENTS, st.none() | TEXT)
def test_any_call(serial: int, path: str, name: str, member: str, text: str | None) -> None:
    address = DBusAddress(path, f"org.x{name}", f"org.y{name}{name}")
    kind, body = (
        (b"", b"") if text is None else (b"s", len(text.encode()).to_bytes(4, "little") + text.encode() + b"\0")
    )
    names = (address.bus_name.encode(), path.encode(), address.interface.encode())
    data = numbered((call(names, b"M" + member.encode(), kind, body),), serial)
    texts = () if text is None else (text,)
    assert as_jeepney_reads(data) == expected(serial, address, "M" + member, kind.decode() or None, texts)


@given(st.sampled_from([0, 1, 2, 3]))
def test_flags(flags: int) -> None:
    (message,) = Parser().feed(numbered((call(BUS, b"Hello", flags=flags),), 1))
    assert message.header.flags == MessageFlag(flags)


@given(SERIALS, PATHS, TEXT, TEXT)
def test_get_property(serial: int, path: str, interface: str, name: str) -> None:
    properties = DBusAddress(path, "org.x", "org.freedesktop.DBus.Properties")
    data = numbered((get_property((b"org.x", path.encode()), interface.encode(), name.encode()),), serial)
    assert as_jeepney_reads(data) == expected(serial, properties, "Get", "ss", (interface, name))


@given(SERIALS, SERIALS)
def test_a_serial_takes_the_place_of_another(first: int, second: int) -> None:
    assert numbered((numbered((hello(),), first),), second) == numbered((hello(),), second)
