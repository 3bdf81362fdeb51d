"""The calls and replies of the Secret Service, against jeepney: each reads what the other writes, and nothing else."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jeepney import DBusAddress, HeaderFields, MatchRule, new_error, new_method_return
from jeepney.low_level import Endianness, Parser
from jeepney.wrappers import new_signal

from git_credential_hf.secret_service import messages
from git_credential_hf.secret_service.dbus import decode
from git_credential_hf.secret_service.dbus.decode import WireError
from git_credential_hf.secret_service.dbus.encode import numbered
from tests.secret_service.by_jeepney import (
    ATTRIBUTES,
    ORDERS,
    PARENT,
    PATHS,
    REPLIES,
    SERIALS,
    SERVICE,
    TEXT,
    as_jeepney_reads,
    encoded,
    expected,
    one,
    reply,
    secrets_body,
    serialised,
)

# --- calls --------------------------------------------------------------------------------------------------


@given(SERIALS)
def test_open_session(serial: int) -> None:
    body = ("plain", ("s", ""))
    data = numbered((messages.open_session(),), serial)
    assert as_jeepney_reads(data) == expected(serial, SERVICE, "OpenSession", "sv", body)


@given(SERIALS, ATTRIBUTES)
def test_search_items(serial: int, attributes: dict[str, str]) -> None:
    data = numbered((messages.search_items(encoded(attributes)),), serial)
    assert as_jeepney_reads(data) == expected(serial, SERVICE, "SearchItems", "a{ss}", (attributes,))


@given(SERIALS, st.lists(PATHS, max_size=6), PATHS)
def test_get_secrets(serial: int, items: list[str], session: str) -> None:
    data = numbered((messages.get_secrets([item.encode() for item in items], session.encode()),), serial)
    assert as_jeepney_reads(data) == expected(serial, SERVICE, "GetSecrets", "aoo", (items, session))


@given(SERIALS, PATHS)
def test_get_attributes(serial: int, item: str) -> None:
    properties = DBusAddress(item, "org.freedesktop.secrets", "org.freedesktop.DBus.Properties")
    body = ("org.freedesktop.Secret.Item", "Attributes")
    data = numbered((messages.property_of(item.encode(), messages.ITEM, b"Attributes"),), serial)
    assert as_jeepney_reads(data) == expected(serial, properties, "Get", "ss", body)


@given(SERIALS, TEXT)
def test_read_alias(serial: int, alias: str) -> None:
    data = numbered((messages.read_alias(alias.encode()),), serial)
    assert as_jeepney_reads(data) == expected(serial, SERVICE, "ReadAlias", "s", (alias,))


@given(SERIALS, st.lists(PATHS, max_size=6))
def test_unlock(serial: int, items: list[str]) -> None:
    data = numbered((messages.unlock([item.encode() for item in items]),), serial)
    assert as_jeepney_reads(data) == expected(serial, SERVICE, "Unlock", "ao", (items,))


@given(SERIALS)
def test_add_match(serial: int) -> None:
    rule = MatchRule(
        type="signal", sender="org.freedesktop.secrets", interface="org.freedesktop.Secret.Prompt", member="Completed"
    )
    bus = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
    data = numbered((messages.match_completed(),), serial)
    order, kind, flags, version, number, fields, (text,) = as_jeepney_reads(data)
    given_parts, wanted_parts = sorted(text.split(",")), sorted(rule.serialise().split(","))
    assert given_parts == wanted_parts
    assert (order, kind, flags, version, number, fields, (text,)) == expected(serial, bus, "AddMatch", "s", (text,))


@given(SERIALS, PATHS)
def test_prompt(serial: int, prompt: str) -> None:
    address = DBusAddress(prompt, "org.freedesktop.secrets", "org.freedesktop.Secret.Prompt")
    data = numbered((messages.prompt(prompt.encode()),), serial)
    assert as_jeepney_reads(data) == expected(serial, address, "Prompt", "s", ("",))


@given(st.lists(ATTRIBUTES, max_size=5))
def test_calls_follow_one_another_without_a_gap(searches: list[dict[str, str]]) -> None:
    data = numbered(tuple(messages.search_items(encoded(one)) for one in searches), 1)
    assert [message.body[0] for message in Parser().feed(data)] == searches


def test_a_call_of_many_items() -> None:
    items = [f"/org/freedesktop/secrets/collection/login/{number}" for number in range(5000)]
    (message,) = Parser().feed(numbered((messages.get_secrets([item.encode() for item in items], b"/session"),), 7))
    assert message.body == (items, "/session")


# --- replies ------------------------------------------------------------------------------------------------


@given(PATHS, ORDERS, SERIALS)
def test_read_session(session: str, order: Endianness, serial: int) -> None:
    message = one(reply("vo", (("s", ""), session), order, serial))
    assert (message.type, message.reply_to) == (decode.METHOD_RETURN, serial)
    assert messages.read_session(message) == session.encode()


@given(st.lists(PATHS, max_size=8), st.lists(PATHS, max_size=8), ORDERS)
def test_read_found(unlocked: list[str], locked: list[str], order: Endianness) -> None:
    found = messages.read_found(one(reply("aoao", (unlocked, locked), order)))
    assert found == ([path.encode() for path in unlocked], [path.encode() for path in locked])


SECRETS = st.dictionaries(PATHS, st.binary(max_size=300), max_size=5)


@given(SECRETS, st.binary(max_size=9), TEXT, ORDERS)
def test_read_secrets(secrets: dict[str, bytes], parameters: bytes, kind: str, order: Endianness) -> None:
    message = one(reply("a{o(oayays)}", secrets_body(secrets, parameters, kind), order))
    assert messages.read_secrets(message) == {item.encode(): secret for item, secret in secrets.items()}


@given(PATHS, ORDERS)
def test_an_alias_is_answered(collection: str, order: Endianness) -> None:
    assert messages.read_collection(one(reply("o", (collection,), order))) == collection.encode()


@given(st.lists(PATHS, max_size=6), PATHS, ORDERS)
def test_unlock_is_answered(items: list[str], prompt: str, order: Endianness) -> None:
    unlocked = messages.read_unlocked(one(reply("aoo", (items, prompt), order)))
    assert unlocked == ([item.encode() for item in items], prompt.encode())


@given(st.booleans(), ORDERS)
def test_a_prompt_is_completed(dismissed: bool, order: Endianness) -> None:
    address = DBusAddress("/prompt", interface="org.freedesktop.Secret.Prompt")
    signal = new_signal(address, "Completed", "bv", (dismissed, ("ao", ["/a"])))
    assert messages.read_completed(one(serialised(signal, order))) is not dismissed


READERS: list[Callable[[decode.Message], object]] = [
    messages.read_session,
    messages.read_found,
    messages.read_secrets,
    decode.Message.as_dictionary,
]
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


ERRORS = {
    "org.freedesktop.DBus.Error.ServiceUnknown": "^no keyring is running$",
    "org.freedesktop.DBus.Error.Spawn.ExecFailed": "^no keyring is running$",
    "a.b": "'a.b'",
}


@given(st.sampled_from(list(ERRORS)), st.none() | TEXT, ORDERS)
def test_an_error_is_named_and_is_never_read_as_an_answer(name: str, text: str | None, order: Endianness) -> None:
    error = new_error(PARENT, name, None if text is None else "s", () if text is None else (text,))
    error.header.fields[HeaderFields.reply_serial] = 3
    message = one(serialised(error, order))
    assert (message.type, message.reply_to, message.error_name) == (decode.ERROR, 3, name.encode())
    for read in READERS:
        with pytest.raises(WireError, match=ERRORS[name]):
            read(message)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("kind", [*REPLIES, *OTHERS])
def test_a_reply_of_another_kind_is_no_answer(read: Callable[[decode.Message], object], kind: str) -> None:
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
        messages.read_session(one(reply("vo", (variant, "/s"))))


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
        messages, rest = decode.split(data)
    except WireError:
        return
    assert len(rest) <= len(data)
    for message in messages:
        for read in READERS:
            try:
                read(message)
            except WireError:
                pass


@settings(max_examples=400)
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


def test_a_large_message_is_read() -> None:
    secret = bytes(range(256)) * (1 << 13)
    message = one(reply("a{o(oayays)}", secrets_body({"/a": secret}), Endianness.big))
    assert messages.read_secrets(message) == {b"/a": secret}


def test_fields_that_are_not_asked_for_are_skipped() -> None:
    message = new_method_return(PARENT, "vo", REPLIES["vo"])
    message.header.fields |= {HeaderFields.unix_fds: 3, HeaderFields.sender: ":1.7", HeaderFields.destination: ":1.9"}
    assert messages.read_session(one(serialised(message, Endianness.little))) == b"/org/freedesktop/secrets/session/s1"
