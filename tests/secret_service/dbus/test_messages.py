"""The messages of a look-up, against jeepney: each reads what the other writes, and nothing else ever comes of it."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jeepney import (
    DBusAddress,
    HeaderFields,
    MatchRule,
    Message,
    MessageType,
    new_error,
    new_method_call,
    new_method_return,
)
from jeepney.low_level import Endianness, MessageFlag, Parser
from jeepney.wrappers import new_signal

from git_credential_hf.secret_service import Unavailable, unlock
from git_credential_hf.secret_service.dbus import decode as incoming
from git_credential_hf.secret_service.dbus import encode as wire
from git_credential_hf.secret_service.dbus.decode import WireError

# D-Bus has no NUL in a text, and jeepney does not look for one.
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
ATTRIBUTES = st.dictionaries(TEXT, TEXT, max_size=6)
SEGMENTS = st.text("abcXYZ019_", min_size=1, max_size=12)
PATHS = st.lists(SEGMENTS, max_size=6).map(lambda segments: "/" + "/".join(segments))
SERIALS = st.integers(1, 2**32 - 1)
ORDERS = st.sampled_from([Endianness.little, Endianness.big])

SERVICE = DBusAddress("/org/freedesktop/secrets", "org.freedesktop.secrets", "org.freedesktop.Secret.Service")
PARENT = new_method_call(SERVICE, "SearchItems")
PARENT.header.serial = 9

Reply = tuple[int, bytes, bytes, bytes, bytes, int, bytes, bytes]


# --- calls -------------------------------------------------------------------------------------------------


def as_jeepney_reads(data: bytes) -> tuple[Any, ...]:
    (message,) = Parser().feed(data)
    header = message.header
    fields = {HeaderFields(code): value for code, value in header.fields.items()}
    return (
        header.endianness,
        header.message_type,
        header.flags,
        header.protocol_version,
        header.serial,
        fields,
        message.body,
    )


def expected(
    serial: int, address: DBusAddress, member: str, kind: str | None, body: tuple[Any, ...]
) -> tuple[Any, ...]:
    call = new_method_call(address, member, kind, body)
    return Endianness.little, MessageType.method_call, MessageFlag(0), 1, serial, call.header.fields, body


def encoded(attributes: dict[str, str]) -> dict[bytes, bytes]:
    return {name.encode(): value.encode() for name, value in attributes.items()}


@given(SERIALS)
def test_hello(serial: int) -> None:
    bus = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
    assert as_jeepney_reads(wire.hello(serial)) == expected(serial, bus, "Hello", None, ())


@given(SERIALS)
def test_open_session(serial: int) -> None:
    body = ("plain", ("s", ""))
    assert as_jeepney_reads(wire.open_session(serial)) == expected(serial, SERVICE, "OpenSession", "sv", body)


@given(SERIALS, ATTRIBUTES)
def test_search_items(serial: int, attributes: dict[str, str]) -> None:
    data = wire.search_items(serial, encoded(attributes))
    assert as_jeepney_reads(data) == expected(serial, SERVICE, "SearchItems", "a{ss}", (attributes,))


@given(SERIALS, st.lists(PATHS, max_size=6), PATHS)
def test_get_secrets(serial: int, items: list[str], session: str) -> None:
    data = wire.get_secrets(serial, [item.encode() for item in items], session.encode())
    assert as_jeepney_reads(data) == expected(serial, SERVICE, "GetSecrets", "aoo", (items, session))


@given(SERIALS, PATHS)
def test_get_attributes(serial: int, item: str) -> None:
    properties = DBusAddress(item, "org.freedesktop.secrets", "org.freedesktop.DBus.Properties")
    body = ("org.freedesktop.Secret.Item", "Attributes")
    data = wire.get_attributes(serial, item.encode())
    assert as_jeepney_reads(data) == expected(serial, properties, "Get", "ss", body)


@given(SERIALS, PATHS, TEXT)
def test_is_open(serial: int, path: str, wallet: str) -> None:
    kwallet = DBusAddress(path, "org.freedesktop.secrets", "org.kde.KWallet")
    order, kind, _, *rest = expected(serial, kwallet, "isOpen", "s", (wallet,))
    data = unlock.is_open(serial, path.encode(), wallet.encode())
    assert as_jeepney_reads(data) == (order, kind, MessageFlag.no_auto_start, *rest)


@given(SERIALS, st.lists(PATHS, max_size=6))
def test_unlock(serial: int, items: list[str]) -> None:
    data = unlock.unlock_call(serial, [item.encode() for item in items])
    assert as_jeepney_reads(data) == expected(serial, SERVICE, "Unlock", "ao", (items,))


@given(SERIALS)
def test_add_match(serial: int) -> None:
    rule = MatchRule(
        type="signal", sender="org.freedesktop.secrets", interface="org.freedesktop.Secret.Prompt", member="Completed"
    )
    bus = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
    order, kind, flags, version, number, fields, (text,) = as_jeepney_reads(unlock.add_match(serial))
    given_parts, wanted_parts = sorted(text.split(",")), sorted(rule.serialise().split(","))
    assert given_parts == wanted_parts
    assert (order, kind, flags, version, number, fields, (text,)) == expected(serial, bus, "AddMatch", "s", (text,))


@given(SERIALS, PATHS)
def test_prompt(serial: int, prompt: str) -> None:
    address = DBusAddress(prompt, "org.freedesktop.secrets", "org.freedesktop.Secret.Prompt")
    data = unlock.prompt_call(serial, prompt.encode())
    assert as_jeepney_reads(data) == expected(serial, address, "Prompt", "s", ("",))


@given(SERIALS, PATHS, SEGMENTS, SEGMENTS, st.none() | TEXT)
def test_any_call(serial: int, path: str, name: str, member: str, text: str | None) -> None:
    address = DBusAddress(path, f"org.x{name}", f"org.y{name}{name}")
    kind, body = (
        (b"", b"") if text is None else (b"s", len(text.encode()).to_bytes(4, "little") + text.encode() + b"\0")
    )
    names = (address.bus_name.encode(), path.encode(), address.interface.encode())
    data = wire.call(serial, names, b"M" + member.encode(), kind, body)
    texts = () if text is None else (text,)
    assert as_jeepney_reads(data) == expected(serial, address, "M" + member, kind.decode() or None, texts)


@given(st.sampled_from([0, 1, 2, 3]))
def test_flags(flags: int) -> None:
    (message,) = Parser().feed(wire.call(1, wire.BUS, b"Hello", flags=flags))
    assert message.header.flags == MessageFlag(flags)


@given(st.lists(ATTRIBUTES, max_size=5))
def test_calls_follow_one_another_without_a_gap(searches: list[dict[str, str]]) -> None:
    data = b"".join(wire.search_items(serial, encoded(one)) for serial, one in enumerate(searches, 1))
    assert [message.body[0] for message in Parser().feed(data)] == searches


def test_a_call_of_many_items() -> None:
    items = [f"/org/freedesktop/secrets/collection/login/{number}" for number in range(5000)]
    (message,) = Parser().feed(wire.get_secrets(7, [item.encode() for item in items], b"/session"))
    assert message.body == (items, "/session")


# --- replies -----------------------------------------------------------------------------------------------


def reply(kind: str, body: tuple[Any, ...], order: Endianness = Endianness.little, serial: int = 9) -> bytes:
    message = new_method_return(PARENT, kind, body)
    message.header.fields[HeaderFields.reply_serial] = serial
    return serialised(message, order)


def serialised(message: Message, order: Endianness) -> bytes:
    message.header.endianness = order
    data: bytes = message.serialise(serial=77)
    return data


def one(data: bytes) -> incoming.Message:
    (message,), rest = incoming.split(data)
    assert rest == b""
    return message


@given(PATHS, ORDERS, SERIALS)
def test_read_session(session: str, order: Endianness, serial: int) -> None:
    message = one(reply("vo", (("s", ""), session), order, serial))
    assert (message.type, message.reply_to) == (incoming.METHOD_RETURN, serial)
    assert incoming.read_session(message) == session.encode()


@given(st.lists(PATHS, max_size=8), st.lists(PATHS, max_size=8), ORDERS)
def test_read_found(unlocked: list[str], locked: list[str], order: Endianness) -> None:
    found = incoming.read_found(one(reply("aoao", (unlocked, locked), order)))
    assert found == ([path.encode() for path in unlocked], [path.encode() for path in locked])


SECRETS = st.dictionaries(PATHS, st.binary(max_size=300), max_size=5)


def secrets_body(secrets: dict[str, bytes], parameters: bytes = b"", kind: str = "text/plain") -> tuple[Any, ...]:
    return ({item: ("/session", parameters, secret, kind) for item, secret in secrets.items()},)


@given(SECRETS, st.binary(max_size=9), TEXT, ORDERS)
def test_read_secrets(secrets: dict[str, bytes], parameters: bytes, kind: str, order: Endianness) -> None:
    message = one(reply("a{o(oayays)}", secrets_body(secrets, parameters, kind), order))
    assert incoming.read_secrets(message) == {item.encode(): secret for item, secret in secrets.items()}


@given(ATTRIBUTES, ORDERS)
def test_read_attributes(attributes: dict[str, str], order: Endianness) -> None:
    message = one(reply("v", (("a{ss}", attributes),), order))
    assert incoming.read_attributes(message) == encoded(attributes)


@given(st.sampled_from(["org.freedesktop.DBus.Error.ServiceUnknown", "a.b"]), st.none() | TEXT, ORDERS)
def test_an_error_names_itself_and_is_never_read_as_an_answer(name: str, text: str | None, order: Endianness) -> None:
    error = new_error(PARENT, name, None if text is None else "s", () if text is None else (text,))
    error.header.fields[HeaderFields.reply_serial] = 3
    message = one(serialised(error, order))
    assert (message.type, message.reply_to, message.error_name) == (incoming.ERROR, 3, name.encode())
    for read in READERS:
        with pytest.raises(WireError, match=name):
            read(message)


@given(PATHS, ORDERS)
def test_a_signal_tells_where_from_and_what(path: str, order: Endianness) -> None:
    signal = new_signal(
        DBusAddress(path, interface="org.freedesktop.Secret.Prompt"), "Completed", "bv", (True, ("s", "x"))
    )
    message = one(serialised(signal, order))
    assert (message.type, message.reply_to) == (incoming.SIGNAL, 0)
    assert (message.path, message.member, message.kind) == (path.encode(), b"Completed", b"bv")


@given(st.booleans(), ORDERS)
def test_is_open_is_answered(opened: bool, order: Endianness) -> None:
    assert unlock.read_open(one(reply("b", (opened,), order))) is opened
    assert not unlock.read_open(one(serialised(new_error(PARENT, "a.Error", "b", (True,)), order)))


@given(st.lists(PATHS, max_size=6), PATHS, ORDERS)
def test_unlock_is_answered(items: list[str], prompt: str, order: Endianness) -> None:
    unlocked = unlock.read_unlocked(one(reply("aoo", (items, prompt), order)))
    assert unlocked == ([item.encode() for item in items], prompt.encode())


@given(st.booleans(), ORDERS)
def test_a_prompt_is_completed(dismissed: bool, order: Endianness) -> None:
    address = DBusAddress("/prompt", interface="org.freedesktop.Secret.Prompt")
    signal = new_signal(address, "Completed", "bv", (dismissed, ("ao", ["/a"])))
    assert unlock.read_completed(one(serialised(signal, order))) is not dismissed


READERS: list[Callable[[incoming.Message], object]] = [
    incoming.read_session,
    incoming.read_found,
    incoming.read_secrets,
    incoming.read_attributes,
]

REPLIES: dict[str, tuple[Any, ...]] = {
    "vo": (("s", ""), "/org/freedesktop/secrets/session/s1"),
    "aoao": (["/org/freedesktop/secrets/collection/login/1", "/a/b"], ["/c"]),
    "a{o(oayays)}": secrets_body({"/a": b"hf_one\n", "/b/c": bytes(range(256))}),
    "v": (("a{ss}", {"protocol": "https", "server": "huggingface.co", "": ""}),),
}

OTHERS = {
    "": (),
    "s": ("text",),
    "ao": ([],),
    "a{sv}": ({},),
    "ay": (b"bytes",),
    "u": (5,),
    "g": ("vo",),
    "ov": ("/a", ("s", "")),
}


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("kind", [*REPLIES, *OTHERS])
def test_a_reply_of_another_kind_is_no_answer(read: Callable[[incoming.Message], object], kind: str) -> None:
    if kind == list(REPLIES)[READERS.index(read)]:
        return
    with pytest.raises(WireError):
        read(
            one(
                reply(kind, (REPLIES | OTHERS)[kind]) if kind else serialised(new_method_return(PARENT), Endianness.big)
            )
        )


@pytest.mark.parametrize("variant", [("ay", b"key"), ("u", 5), ("v", ("s", "")), ("a{ss}", {})])
def test_a_session_that_is_not_plain_is_none(variant: tuple[str, object]) -> None:
    with pytest.raises(WireError):
        incoming.read_session(one(reply("vo", (variant, "/s"))))


@pytest.mark.parametrize("variant", [("s", "a"), ("a{sv}", {}), ("as", ["a"]), ("v", ("a{ss}", {}))])
def test_attributes_of_another_type_are_none(variant: tuple[str, object]) -> None:
    with pytest.raises(WireError):
        incoming.read_attributes(one(reply("v", (variant,))))


def test_an_error_of_the_wire_counts_as_no_keyring() -> None:
    assert issubclass(WireError, Unavailable)


# --- the stream --------------------------------------------------------------------------------------------


def stream() -> bytes:
    """Replies of every kind, in both byte orders, with an error and a signal between them."""
    data = b""
    for number, (kind, body) in enumerate((REPLIES | {"s": (":1.5",)}).items()):
        data += reply(kind, body, Endianness.big if number % 2 else Endianness.little, number)
    error = new_error(PARENT, "a.Error", "s", ("why",))
    signal = new_signal(DBusAddress("/a", interface="b.C"), "D")
    return data + serialised(error, Endianness.big) + serialised(signal, Endianness.little) + reply("vo", REPLIES["vo"])


def seen(message: incoming.Message) -> Reply:
    return (
        message.type, message.path, message.member, message.error_name, message.kind, message.reply_to, message.body,
        b"little" if message.little else b"big",
    )  # fmt: skip


WHOLE = [seen(message) for message in incoming.split(stream())[0]]


@given(st.lists(st.integers(0, len(stream())), max_size=12))
@example(list(range(len(stream()))))
def test_the_stream_may_come_in_any_pieces(cuts: list[int]) -> None:
    data, rest = stream(), b""
    messages: list[Reply] = []
    edges = [0, *sorted(cuts), len(data)]
    for start, end in itertools.pairwise(edges):
        whole, rest = incoming.split(rest + data[start:end])
        messages += map(seen, whole)
    assert rest == b""
    assert messages == WHOLE
    assert len(WHOLE) == 8


def test_a_stream_that_ends_early_gives_the_messages_before() -> None:
    data = stream()
    ends = []
    for end in range(len(data)):
        messages, rest = incoming.split(data[:end])
        assert [seen(message) for message in messages] == WHOLE[: len(messages)]
        assert data[:end].endswith(rest)
        if not rest:
            ends.append(end)
    assert len(ends) == len(WHOLE)  # at the beginning, and after each message but the last


@pytest.mark.parametrize("kind", REPLIES)
@pytest.mark.parametrize("order", list(Endianness))
def test_a_body_that_ends_early_is_no_answer(kind: str, order: Endianness) -> None:
    message = one(reply(kind, REPLIES[kind], order))
    read = READERS[list(REPLIES).index(kind)]
    body = message.body
    read(message)
    for end in range(len(body)):
        message.body = body[:end]
        with pytest.raises(WireError):
            read(message)


def only_wire_errors(data: bytes) -> None:
    """Read all that `data` holds in every way: it gives something, or raises WireError."""
    try:
        messages, rest = incoming.split(data)
    except WireError:
        return
    assert len(rest) <= len(data)
    for message in messages:
        for read in READERS:
            try:
                read(message)
            except WireError:
                pass


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(sorted(REPLIES)),
    ORDERS,
    st.lists(st.tuples(st.integers(0, 10**4), st.integers(0, 255)), max_size=4),
)
def test_changed_bytes_raise_nothing_else(kind: str, order: Endianness, changes: list[tuple[int, int]]) -> None:
    data = bytearray(reply(kind, REPLIES[kind], order))
    for at, byte in changes:
        data[at % len(data)] = byte
    only_wire_errors(bytes(data))


def test_every_byte_of_a_reply_may_be_wrong() -> None:
    for kind, body in REPLIES.items():
        for order in Endianness:
            data = reply(kind, body, order)
            for at in range(len(data)):
                for byte in (0x00, 0x01, 0x7F, 0x80, 0xFF, data[at] ^ 0x01):
                    only_wire_errors(data[:at] + bytes((byte,)) + data[at + 1 :])


@given(st.sampled_from(sorted(REPLIES)), st.binary(max_size=120), ORDERS)
def test_any_body_raises_nothing_else(kind: str, body: bytes, order: Endianness) -> None:
    message = one(reply(kind, REPLIES[kind], order))
    message.body = body
    try:
        READERS[list(REPLIES).index(kind)](message)
    except WireError:
        pass


@given(st.sampled_from([b"l\2\0\1", b"B\2\0\1", b"l\3\0\1", b""]), st.binary(max_size=200))
def test_any_bytes_raise_nothing_else(start: bytes, data: bytes) -> None:
    only_wire_errors(start + data)


@pytest.mark.parametrize("byte", sorted(set(range(256)) - set(b"lB")))
def test_what_does_not_begin_as_a_message_is_none(byte: int) -> None:
    with pytest.raises(WireError):
        incoming.split(bytes((byte,)) + reply("vo", REPLIES["vo"])[1:])


@pytest.mark.parametrize("version", [0, 2, 255])
def test_another_version_of_the_protocol_is_none(version: int) -> None:
    data = reply("vo", REPLIES["vo"])
    with pytest.raises(WireError):
        incoming.split(data[:3] + bytes((version,)) + data[4:])


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize(("body", "fields"), [(64 << 20, 0), (0, 64 << 20), (2**32 - 1, 2**32 - 1), (3 << 20, 2 << 20)])
def test_a_message_that_says_it_is_huge_is_refused_at_its_beginning(order: str, body: int, fields: int) -> None:
    def u32(number: int) -> bytes:
        return number.to_bytes(4, "little" if order == "little" else "big")

    data = (b"l" if order == "little" else b"B") + b"\2\0\1" + u32(body) + u32(1) + u32(fields)
    with pytest.raises(WireError):
        incoming.split(data)


def test_a_large_message_is_read() -> None:
    secret = bytes(range(256)) * (1 << 13)
    message = one(reply("a{o(oayays)}", secrets_body({"/a": secret}), Endianness.big))
    assert incoming.read_secrets(message) == {b"/a": secret}


def test_the_largest_message() -> None:
    empty = len(reply("ay", (b"",)))
    largest = reply("ay", (bytes(incoming.MAX_MESSAGE - empty),))
    assert len(largest) == incoming.MAX_MESSAGE
    assert len(one(largest).body) == incoming.MAX_MESSAGE - empty + 4
    with pytest.raises(WireError):
        incoming.split(reply("ay", (bytes(incoming.MAX_MESSAGE - empty + 1),)))


def test_fields_that_are_not_asked_for_are_passed_over() -> None:
    message = new_method_return(PARENT, "vo", REPLIES["vo"])
    message.header.fields |= {HeaderFields.unix_fds: 3, HeaderFields.sender: ":1.7", HeaderFields.destination: ":1.9"}
    assert incoming.read_session(one(serialised(message, Endianness.little))) == b"/org/freedesktop/secrets/session/s1"
