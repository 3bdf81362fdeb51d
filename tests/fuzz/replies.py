"""Fuzz target: whatever comes over the bus, `get` answers with a token that came or not at all, and jeepney agrees."""

import itertools
from collections.abc import Callable
from typing import Any
from unittest import mock

from jeepney import DBusAddress, HeaderFields, MessageType, new_error, new_method_call, new_method_return
from jeepney.low_level import Endianness, Parser
from jeepney.wrappers import new_signal

from git_credential_hf import options
from git_credential_hf.model.text import has_control
from git_credential_hf.operations.get import get
from git_credential_hf.secret_service import messages, unlock  # noqa: F401 - what is imported here guides the fuzzer
from git_credential_hf.secret_service.dbus import decode, opening
from git_credential_hf.secret_service.quirks import kwallet
from git_credential_hf.sources import keyring  # noqa: F401
from tests.fuzz import memory

REQUEST = b"protocol=https\nhost=huggingface.co\nusername=alice\npath=my-org/model.git\ncapability[]=authtype\n"
WELCOME = b"DATA\r\nOK 0123456789abcdef0123456789abcdef\r\n"
COLLECTION = "/org/freedesktop/secrets/collection/"
ITEM = f"{COLLECTION}login/1"
WALLET = f"{COLLECTION}kdewallet/1"
SESSION = "/org/freedesktop/secrets/session/s1"
PROMPT = "/org/freedesktop/secrets/prompt/p1"

_PROMPT = DBusAddress(PROMPT, interface="org.freedesktop.Secret.Prompt")
_PARENT = new_method_call(DBusAddress("/org/freedesktop/secrets", "org.freedesktop.secrets"), "SearchItems")
_PARENT.header.serial = 1

Body = tuple[str, tuple[Any, ...]]

_CONSTANTS = ["AF_UNIX", "SOCK_STREAM", "SOL_SOCKET", "SO_PEERCRED"]

WELCOMED: Body = ("s", (":1.1",))
NONE: Body = ("aoao", ([], []))
FOUND: Body = ("aoao", ([ITEM], []))
LOCKED: Body = ("aoao", ([], [WALLET]))
OPENED: Body = ("vo", (("s", ""), SESSION))
SECRET: Body = ("a{o(oayays)}", ({ITEM: (SESSION, b"", b"hf_one\npassword_expiry_utc=1", "text/plain")},))
BEARER: Body = ("a{o(oayays)}", ({ITEM: (SESSION, b"", b"hf_two\nauthtype=Bearer", "")},))
ATTRIBUTES: Body = ("v", (("a{ss}", {"protocol": "https", "server": "huggingface.co", "user": "alice"}),))


def _serialised(message: Any, order: Endianness) -> bytes:
    message.header.endianness = order
    data: bytes = message.serialise(serial=7)
    return data


def _replies(*bodies: Body, order: Endianness = Endianness.little) -> bytes:
    """Return what a bus says: its welcome, and `bodies` as the replies to the calls from the first on."""
    data = WELCOME
    for serial, body in enumerate(bodies, 1):
        message = new_method_return(_PARENT, *body)
        message.header.fields[HeaderFields.reply_serial] = serial
        data += _serialised(message, order)
    return data


_SCOPES_AND_USERS = 4  # my-org/model, my-org; alice, hf_user
_LEFT = 10  # of other tools, for each of two users

SEEDS = [
    _replies(WELCOMED, FOUND, *[NONE] * (_SCOPES_AND_USERS - 1), OPENED, BEARER),
    _replies(WELCOMED, *[NONE] * (_SCOPES_AND_USERS - 1), FOUND, OPENED, BEARER, order=Endianness.big),
    _replies(WELCOMED, *[NONE] * _SCOPES_AND_USERS, FOUND, *[NONE] * (_LEFT - 1), OPENED, SECRET, ATTRIBUTES),
    _replies(WELCOMED, *[NONE] * (_SCOPES_AND_USERS - 1), FOUND, OPENED, SECRET, *[NONE] * _LEFT),
    _replies(
        WELCOMED, *[LOCKED] * _SCOPES_AND_USERS, ("b", (True,)), ("b", (False,)), ("aoo", ([WALLET], "/")),
        *[FOUND] * _SCOPES_AND_USERS, OPENED, BEARER,
    ),
    _replies(
        WELCOMED, *[LOCKED] * _SCOPES_AND_USERS, ("b", (True,)), ("b", (True,)), ("aoo", ([], PROMPT)),
    ) + _serialised(new_signal(_PROMPT, "Completed", "bv", (False, ("s", ""))), Endianness.little),
    _replies(WELCOMED) + _serialised(new_error(_PARENT, "org.freedesktop.DBus.Error.UnknownMethod", "s", ("no",)),
                                     Endianness.big),
    b"REJECTED EXTERNAL\r\n",
]  # fmt: skip
WORDS = [
    WELCOME, b"l\2\1\1", b"B\3\1\1", b"l\4\1\1", b"a{o(oayays)}", b"aoao", b"vo", b"aoo", b"bv", b"a{ss}", b"\1s\0",
    b"\2ay\0", b"\5\1u\0", b"\x08\1g\0", b"\xff\xff\xff\xff", b"\0\0\0\x10", b"authtype=Bearer", b"username=alice",
    b"password_expiry_utc=9", b"oauth_refresh_token=", b"quit=1", ITEM.encode(), WALLET.encode(), PROMPT.encode(),
    b"org.freedesktop.DBus.Error.UnknownMethod", b"Completed",
]  # fmt: skip

# What reads a body of each kind, and jeepney's body in its place.
READERS: dict[str, tuple[Callable[[decode.Message], object], Callable[[Any], object]]] = {
    "aoao": (messages.read_found, lambda body: tuple([path.encode() for path in paths] for paths in body)),
    "a{o(oayays)}": (
        messages.read_secrets,
        lambda body: {path.encode(): bytes(secret[2]) for path, secret in body[0].items()},
    ),
    "aoo": (messages.read_unlocked, lambda body: ([path.encode() for path in body[0]], body[1].encode())),
    "b": (kwallet.read_open, lambda body: body[0]),
    "bv": (messages.read_completed, lambda body: not body[0]),
    "o": (messages.read_collection, lambda body: body[0].encode()),
}
PROPERTIES = (decode.Message.as_text, decode.Message.as_flag, decode.Message.as_number, decode.Message.as_dictionary)


def one_input(data: bytes) -> None:
    """Let `data` be all that a bus says to a request, in pieces; and read it as messages, as jeepney does."""
    answer_holds_what_came(data)
    agrees_with_jeepney(data.removeprefix(WELCOME))


def answer_holds_what_came(data: bytes) -> None:
    chosen = options.Options({b"DBUS_SESSION_BUS_ADDRESS": b"unix:path=/", b"HOME": b"/nonexistent"})
    chosen.sources = ("keyring",)
    memory.Socket.data = data
    memory.Socket.piece = 1 + len(data) % 97
    with mock.patch.object(opening, "_socket", mock.Mock(spec_set=[*_CONSTANTS, "socket"], socket=memory.Socket)):
        answer, complaint = get(chosen, REQUEST)
    assert complaint == ""
    if answer:
        assert not has_control(answer.replace(b"\n", b" "))
        assert answer.endswith(b"\n") and b"\n\n" not in answer
        values = dict(line.split(b"=", 1) for line in answer.splitlines())
        allowed = {b"username", b"password", b"password_expiry_utc", b"oauth_refresh_token"}
        assert values.keys() <= allowed | {b"capability[]", b"authtype", b"credential"}
        assert values[b"username"] == b"alice"
        assert values.get(b"password", values.get(b"credential", b"")) in data


def agrees_with_jeepney(data: bytes) -> None:
    try:
        came, rest = decode.split(data)
    except decode.WireError:
        return
    assert data.endswith(rest)
    for message in came:
        for read in (messages.read_session, *PROPERTIES, *(read for read, _ in READERS.values())):
            try:
                read(message)
            except decode.WireError:
                pass
    try:
        theirs: list[Any] = Parser().feed(data)
    except Exception:
        return  # what it refuses it is no oracle of
    at = 0
    for ours, other in itertools.zip_longest(came, theirs):
        assert ours is not None and other is not None, "they do not count alike"
        # It skips fields of the wrong type, and bytes where there should be none.
        if not data.startswith(written := _as_jeepney_writes(other), at):
            return
        at += len(written)
        header = other.header
        named = {
            code: header.fields.get(code, "").encode()
            for code in (HeaderFields.path, HeaderFields.member, HeaderFields.error_name)
        }
        assert (ours.type, *named.values()) == (header.message_type.value, ours.path, ours.member, ours.error_name)
        assert ours.reply_to == header.fields.get(HeaderFields.reply_serial, 0)
        kind = header.fields.get(HeaderFields.signature)
        if kind in READERS and header.message_type != MessageType.error:
            read, told = READERS[kind]
            assert read(ours) == told(other.body)


def _as_jeepney_writes(message: Any) -> bytes:
    try:
        written: bytes = message.serialise()
    except Exception:
        return b"nothing that begins like a message"
    return written
