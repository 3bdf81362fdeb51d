"""The D-Bus messages that come back to a look-up, from bytes. Nothing here reads or writes anything.

Source: D-Bus Specification, "Message Protocol"; Secret Service API 0.2. It knows the types that these replies use
and no others.
"""

from git_credential_hf.secret_service import Unavailable

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from typing import Literal

MAX_MESSAGE = 4 << 20  # a keyring's answer to one look-up is some hundred bytes; more is somebody's mischief

METHOD_RETURN = 2
ERROR = 3
SIGNAL = 4

UNKNOWN_METHOD = b"org.freedesktop.DBus.Error.UnknownMethod"

# What the body of each reply must be, by the method that was called.
SESSION = b"vo"
FOUND = b"aoao"
SECRET_BY_ITEM = b"a{o(oayays)}"
VARIANT = b"v"


class WireError(Unavailable):
    """Bytes that are no D-Bus message, or not the message that was asked for."""


class Reader:
    """Takes values from a body, or a header, one after another.

    Every method raises WireError where the bytes end too early or do not hold such a value.
    """

    __slots__ = ("_data", "_order", "at")

    def __init__(self, data: bytes, little: bool) -> None:
        self._data = data
        self._order: Literal["little", "big"] = "little" if little else "big"
        self.at = 0

    def align(self, alignment: int) -> None:
        self.at += -self.at % alignment

    def take(self, length: int) -> bytes:
        end = self.at + length
        if end > len(self._data):
            raise WireError("a message ends too early")
        taken = self._data[self.at : end]
        self.at = end
        return taken

    def u32(self) -> int:
        self.align(4)
        return int.from_bytes(self.take(4), self._order)

    def string(self) -> bytes:
        text = self.take(self.u32())
        self._nul()
        return text

    def signature(self) -> bytes:
        text = self.take(self.take(1)[0])
        self._nul()
        return text

    def byte_array(self) -> bytes:
        return self.take(self.u32())

    def array_end(self, alignment: int) -> int:
        """Enter an array whose elements have `alignment`; return where it ends."""
        length = self.u32()
        self.align(alignment)
        end = self.at + length
        if end > len(self._data):
            raise WireError("an array ends too early")
        return end

    def paths(self) -> list[bytes]:
        end = self.array_end(4)
        paths = []
        while self.at < end:
            paths.append(self.string())
        return paths

    def _nul(self) -> None:
        if self.take(1) != b"\0":
            raise WireError("a string does not end")


class Message:
    """A message that came in: its type, the serial that it replies to (0 if none), the kind and bytes of its body."""

    __slots__ = ("body", "error_name", "kind", "little", "member", "path", "reply_to", "type")

    def __init__(self, kind_of_message: int, little: bool) -> None:
        self.type = kind_of_message
        self.little = little
        self.reply_to = 0
        self.error_name = b""
        self.path = b""
        self.member = b""
        self.kind = b""
        self.body = b""

    def reader(self, kind: bytes) -> Reader:
        """Return a Reader of the body, which must be of the signature `kind`. Raises WireError if it is not."""
        if self.type == ERROR:
            raise WireError(f"it answers {self.error_name.decode('ascii', 'replace')!r}")
        if self.kind != kind:
            raise WireError("a reply is not of the kind that was asked for")
        return Reader(self.body, self.little)


def split(data: bytes) -> tuple[list[Message], bytes]:
    """Return the messages that are whole in `data`, and the bytes after them. Raises WireError."""
    messages = []
    while len(data) >= 16:
        little = data[0] == 0x6C
        if data[0] not in b"lB" or data[3] != 1:
            raise WireError("what came is no D-Bus message")
        start = Reader(data, little)
        start.at = 4
        body_length = start.u32()
        start.at = 12
        fields_length = start.u32()
        header_length = 16 + fields_length + -fields_length % 8
        if header_length + body_length > MAX_MESSAGE:
            raise WireError("a message is too large")
        if len(data) < header_length + body_length:
            break
        message = Message(data[1], little)
        _read_fields(Reader(data[:header_length], little), 16 + fields_length, message)
        message.body = data[header_length : header_length + body_length]
        messages.append(message)
        data = data[header_length + body_length :]
    return messages, data


def _read_fields(reader: Reader, end: int, message: Message) -> None:
    reader.at = 16
    while reader.at < end:
        reader.align(8)
        code = reader.take(1)[0]
        kind = reader.signature()
        if kind in (b"s", b"o"):
            text = reader.string()
            if code == 1:
                message.path = text
            elif code == 3:
                message.member = text
            elif code == 4:
                message.error_name = text
        elif kind == b"u":
            number = reader.u32()
            if code == 5:
                message.reply_to = number
        elif kind == b"g":
            text = reader.signature()
            if code == 8:
                message.kind = text
        else:
            raise WireError("a header field is of no known type")


def read_session(message: Message) -> bytes:
    """Return the object path of the session that OpenSession opened."""
    reader = message.reader(SESSION)
    # What the algorithm "plain" gives is empty: a string in gnome-keyring and KeePassXC, an array of bytes in KWallet.
    given = {b"s": reader.string, b"ay": reader.byte_array}.get(reader.signature())
    if given is None or given():
        raise WireError("a session is not plain")
    return reader.string()


def read_found(message: Message) -> tuple[list[bytes], list[bytes]]:
    """Return the unlocked and the locked items that SearchItems found."""
    reader = message.reader(FOUND)
    unlocked = reader.paths()
    return unlocked, reader.paths()


def read_secrets(message: Message) -> dict[bytes, bytes]:
    """Return the secret of each item that GetSecrets gave one for."""
    reader = message.reader(SECRET_BY_ITEM)
    end = reader.array_end(8)
    secrets = {}
    while reader.at < end:
        reader.align(8)
        item = reader.string()
        reader.align(8)
        reader.string()  # the session
        reader.byte_array()  # the parameters, of which a plain session has none
        secrets[item] = reader.byte_array()
        reader.string()  # the content type
    return secrets


def read_attributes(message: Message) -> dict[bytes, bytes]:
    """Return the attributes of an item."""
    reader = message.reader(VARIANT)
    if reader.signature() != b"a{ss}":
        raise WireError("attributes are not of the kind that was asked for")
    end = reader.array_end(8)
    attributes = {}
    while reader.at < end:
        reader.align(8)
        name = reader.string()
        attributes[name] = reader.string()
    return attributes
