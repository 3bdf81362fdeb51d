"""D-Bus messages as jeepney writes and reads them, for tests to hold the program's own against."""

from typing import Any

from hypothesis import strategies as st
from jeepney import DBusAddress, HeaderFields, Message, MessageType, new_method_call, new_method_return
from jeepney.low_level import Endianness, MessageFlag, Parser

from git_credential_hf.secret_service.dbus import decode

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


def as_jeepney_reads(data: bytes) -> tuple[Any, ...]:
    """Return all that one message says, its body last."""
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
    """Return what as_jeepney_reads returns for that call as jeepney would make it."""
    call = new_method_call(address, member, kind, body)
    return Endianness.little, MessageType.method_call, MessageFlag(0), 1, serial, call.header.fields, body


def encoded(attributes: dict[str, str]) -> dict[bytes, bytes]:
    return {name.encode(): value.encode() for name, value in attributes.items()}


def reply(kind: str, body: tuple[Any, ...], order: Endianness = Endianness.little, serial: int = 9) -> bytes:
    """Return the reply with that body, as jeepney writes it."""
    message = new_method_return(PARENT, kind, body)
    message.header.fields[HeaderFields.reply_serial] = serial
    return serialised(message, order)


def serialised(message: Message, order: Endianness) -> bytes:
    message.header.endianness = order
    data: bytes = message.serialise(serial=77)
    return data


def one(data: bytes) -> decode.Message:
    (message,), rest = decode.split(data)
    assert rest == b""
    return message


def secrets_body(secrets: dict[str, bytes], parameters: bytes = b"", kind: str = "text/plain") -> tuple[Any, ...]:
    return ({item: ("/session", parameters, secret, kind) for item, secret in secrets.items()},)


REPLIES: dict[str, tuple[Any, ...]] = {
    "vo": (("s", ""), "/org/freedesktop/secrets/session/s1"),
    "aoao": (["/org/freedesktop/secrets/collection/login/1", "/a/b"], ["/c"]),
    "a{o(oayays)}": secrets_body({"/a": b"hf_one\n", "/b/c": bytes(range(256))}),
    "v": (("a{ss}", {"protocol": "https", "server": "huggingface.co", "": ""}),),
}
