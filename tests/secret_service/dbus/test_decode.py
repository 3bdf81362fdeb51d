"""Messages that come in, against jeepney: each is read as it was written, and nothing else ever comes of the bytes."""

import itertools
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jeepney import DBusAddress, new_error
from jeepney.low_level import Endianness
from jeepney.wrappers import new_signal

from git_credential_hf.secret_service import Unavailable
from git_credential_hf.secret_service.dbus import decode
from git_credential_hf.secret_service.dbus.decode import WireError
from tests.secret_service.by_jeepney import (
    ATTRIBUTES,
    ORDERS,
    PARENT,
    PATHS,
    REPLIES,
    TEXT,
    encoded,
    one,
    reply,
    serialised,
)

Reply = tuple[int, bytes, bytes, bytes, bytes, int, bytes, bytes]


# --- properties ---------------------------------------------------------------------------------------------


@given(ATTRIBUTES, ORDERS)
def test_read_attributes(attributes: dict[str, str], order: Endianness) -> None:
    message = one(reply("v", (("a{ss}", attributes),), order))
    assert message.as_dictionary() == encoded(attributes)


@pytest.mark.parametrize("variant", [("s", "a"), ("a{sv}", {}), ("as", ["a"]), ("v", ("a{ss}", {}))])
def test_attributes_of_another_type_are_none(variant: tuple[str, object]) -> None:
    with pytest.raises(WireError):
        decode.Message.as_dictionary(one(reply("v", (variant,))))


@given(TEXT, ORDERS)
def test_read_string(text: str, order: Endianness) -> None:
    assert decode.Message.as_text(one(reply("v", (("s", text),), order))) == text.encode()


@given(st.booleans(), ORDERS)
def test_read_flag(flag: bool, order: Endianness) -> None:
    assert decode.Message.as_flag(one(reply("v", (("b", flag),), order))) is flag


@given(st.integers(0, 2**64 - 1), ORDERS)
def test_read_number(number: int, order: Endianness) -> None:
    assert decode.Message.as_number(one(reply("v", (("t", number),), order))) == number


# What each reads, and a property of another type.
PROPERTIES: dict[Callable[[decode.Message], object], tuple[str, object]] = {
    decode.Message.as_text: ("s", "text"),
    decode.Message.as_flag: ("b", True),
    decode.Message.as_number: ("t", 5),
}


@pytest.mark.parametrize("read", PROPERTIES)
@pytest.mark.parametrize("variant", [*PROPERTIES.values(), ("u", 5), ("a{ss}", {}), ("v", ("s", "text"))])
def test_a_property_of_another_type_is_none(
    read: Callable[[decode.Message], object], variant: tuple[str, object]
) -> None:
    value = read(one(reply("v", (variant,))))
    assert value == (None if variant != PROPERTIES[read] else (variant[1] if variant[0] != "s" else b"text"))


@pytest.mark.parametrize("read", PROPERTIES)
def test_a_property_that_is_not_there_is_none(read: Callable[[decode.Message], object]) -> None:
    error = new_error(PARENT, "org.freedesktop.DBus.Error.UnknownProperty")
    assert read(one(serialised(error, Endianness.little))) is None


@pytest.mark.parametrize("read", PROPERTIES)
def test_what_is_no_property_is_an_error_of_the_wire(read: Callable[[decode.Message], object]) -> None:
    kind, value = PROPERTIES[read]
    with pytest.raises(WireError):
        read(one(reply(kind, (value,))))
    message = one(reply("v", ((kind, value),)))
    message.body = message.body[:-1]
    with pytest.raises(WireError):
        read(message)


@given(PATHS, ORDERS)
def test_a_signal_tells_where_from_and_what(path: str, order: Endianness) -> None:
    signal = new_signal(
        DBusAddress(path, interface="org.freedesktop.Secret.Prompt"), "Completed", "bv", (True, ("s", "x"))
    )
    message = one(serialised(signal, order))
    assert (message.type, message.reply_to) == (decode.SIGNAL, 0)
    assert (message.path, message.member, message.kind) == (path.encode(), b"Completed", b"bv")


def test_an_error_of_the_wire_counts_as_no_keyring() -> None:
    assert issubclass(WireError, Unavailable)


# --- the stream ---------------------------------------------------------------------------------------------


def stream() -> bytes:
    """Replies of every kind, in both byte orders, with an error and a signal between them."""
    data = b""
    for number, (kind, body) in enumerate((REPLIES | {"s": (":1.5",)}).items()):
        data += reply(kind, body, Endianness.big if number % 2 else Endianness.little, number)
    error = new_error(PARENT, "a.Error", "s", ("why",))
    signal = new_signal(DBusAddress("/a", interface="b.C"), "D")
    return data + serialised(error, Endianness.big) + serialised(signal, Endianness.little) + reply("vo", REPLIES["vo"])


def seen(message: decode.Message) -> Reply:
    return (
        message.type, message.path, message.member, message.error_name, message.kind, message.reply_to, message.body,
        b"little" if message.little else b"big",
    )  # fmt: skip


WHOLE = [seen(message) for message in decode.split(stream())[0]]


@given(st.lists(st.integers(0, len(stream())), max_size=12))
@example(list(range(len(stream()))))
def test_the_stream_may_come_in_any_pieces(cuts: list[int]) -> None:
    data, rest = stream(), b""
    messages: list[Reply] = []
    edges = [0, *sorted(cuts), len(data)]
    for start, end in itertools.pairwise(edges):
        whole, rest = decode.split(rest + data[start:end])
        messages += map(seen, whole)
    assert rest == b""
    assert messages == WHOLE
    assert len(WHOLE) == 8


def test_a_stream_that_ends_early_gives_the_messages_before() -> None:
    data = stream()
    ends = []
    for end in range(len(data)):
        messages, rest = decode.split(data[:end])
        assert [seen(message) for message in messages] == WHOLE[: len(messages)]
        assert data[:end].endswith(rest)
        if not rest:
            ends.append(end)
    assert len(ends) == len(WHOLE)  # at the beginning, and after each message but the last


@pytest.mark.parametrize("byte", sorted(set(range(256)) - set(b"lB")))
def test_what_does_not_begin_as_a_message_is_none(byte: int) -> None:
    with pytest.raises(WireError):
        decode.split(bytes((byte,)) + reply("vo", REPLIES["vo"])[1:])


@pytest.mark.parametrize("version", [0, 2, 255])
def test_another_version_of_the_protocol_is_none(version: int) -> None:
    data = reply("vo", REPLIES["vo"])
    with pytest.raises(WireError):
        decode.split(data[:3] + bytes((version,)) + data[4:])


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize(("body", "fields"), [(64 << 20, 0), (0, 64 << 20), (2**32 - 1, 2**32 - 1), (3 << 20, 2 << 20)])
def test_a_message_that_says_it_is_huge_is_refused_at_its_beginning(order: str, body: int, fields: int) -> None:
    def u32(number: int) -> bytes:
        return number.to_bytes(4, "little" if order == "little" else "big")

    data = (b"l" if order == "little" else b"B") + b"\2\0\1" + u32(body) + u32(1) + u32(fields)
    with pytest.raises(WireError):
        decode.split(data)


def test_the_largest_message() -> None:
    empty = len(reply("ay", (b"",)))
    largest = reply("ay", (bytes(decode.MAX_MESSAGE - empty),))
    assert len(largest) == decode.MAX_MESSAGE
    assert len(one(largest).body) == decode.MAX_MESSAGE - empty + 4
    with pytest.raises(WireError):
        decode.split(reply("ay", (bytes(decode.MAX_MESSAGE - empty + 1),)))
