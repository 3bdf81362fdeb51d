"""D-Bus messages, from bytes. Source: D-Bus Specification, "Message Protocol".

It knows the types that the replies to this program's calls use and no others.
"""

from git_credential_hf.secret_service import NO_KEYRING, Unavailable

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal

# A keyring answers one search with some hundred bytes. More than these is an attack, and would take time.
MAX_MESSAGE = 4 << 20
MAX_HEADER = 1 << 14
MAX_ELEMENTS = 1 << 12

_FIXED = 16  # bytes: what each message begins with

METHOD_RETURN = 2
ERROR = 3
SIGNAL = 4

UNKNOWN_METHOD = b"org.freedesktop.DBus.Error.UnknownMethod"

# What a bus answers a call to a program that is not running, and that it cannot start.
_NOT_RUNNING = (b"org.freedesktop.DBus.Error.ServiceUnknown", b"org.freedesktop.DBus.Error.Spawn.ExecFailed")

VARIANT = b"v"


class WireError(Unavailable):
    """The bytes are no D-Bus message, or not the expected one."""


class Decoder:
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

    def u64(self) -> int:
        self.align(8)
        return int.from_bytes(self.take(8), self._order)

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

    def elements(self, alignment: int) -> "Iterator[None]":
        """Enter an array whose elements have `alignment`; stop before each, and at the end."""
        length = self.u32()
        self.align(alignment)
        end = self.at + length
        if end > len(self._data):
            raise WireError("an array ends too early")
        count = 0
        while self.at < end:
            if (count := count + 1) > MAX_ELEMENTS:
                raise WireError("there is too much in a message")
            self.align(alignment)
            yield

    def paths(self) -> list[bytes]:
        return [self.string() for _ in self.elements(4)]

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

    @property
    def is_error(self) -> bool:
        """Return whether it is the reply to a call that failed."""
        return self.type == ERROR

    def decoder(self, kind: bytes) -> Decoder:
        """Return a Decoder of the body, which must be of the signature `kind`. Raises WireError if it is not."""
        if self.is_error:
            is_there = self.error_name not in _NOT_RUNNING
            raise WireError(f"it answers {self.error_name.decode('ascii', 'replace')!r}" if is_there else NO_KEYRING)
        if self.kind != kind:
            raise WireError("a reply is not of the kind that was asked for")
        return Decoder(self.body, self.little)

    def as_text(self) -> bytes | None:
        """Return the text of a property, None where it is none. Raises WireError."""
        value = self._property(b"s")
        return value.string() if value else None

    def as_flag(self) -> bool | None:
        """Return the boolean of a property, None where it is none. Raises WireError."""
        value = self._property(b"b")
        return value.u32() != 0 if value else None

    def as_number(self) -> int | None:
        """Return the unsigned 64-bit number of a property, None where it is none. Raises WireError."""
        value = self._property(b"t")
        return value.u64() if value else None

    def as_paths(self) -> list[bytes] | None:
        """Return the object paths of a property, None where it is none. Raises WireError."""
        value = self._property(b"ao")
        return value.paths() if value else None

    def as_dictionary(self) -> dict[bytes, bytes]:
        """Return the dictionary of texts of a property. Raises WireError, also where it is none."""
        value = self.decoder(VARIANT)
        if value.signature() != b"a{ss}":
            raise WireError("a property is not of the kind that was asked for")
        found = {}
        for _ in value.elements(8):
            name = value.string()
            found[name] = value.string()
        return found

    def _property(self, kind: bytes) -> Decoder | None:
        if self.is_error:
            return None
        value = self.decoder(VARIANT)
        return value if value.signature() == kind else None


def size(data: bytes, at: int = 0) -> int:
    """Return the bytes that the message at `at` has, or the fewest that tell. Raises WireError."""
    if len(data) - at < _FIXED:
        return _FIXED
    if data[at] not in b"lB" or data[at + 3] != 1:
        raise WireError("what came is no D-Bus message")
    order: Literal["little", "big"] = "little" if data[at] == 0x6C else "big"
    fields = int.from_bytes(data[at + 12 : at + 16], order)
    whole = _FIXED + fields + -fields % 8 + int.from_bytes(data[at + 4 : at + 8], order)
    if fields > MAX_HEADER or whole > MAX_MESSAGE:
        raise WireError("a message is too large")
    return whole


def split(data: bytes) -> tuple[list[Message], bytes]:
    """Return the messages that are whole in `data`, and the bytes after them. Raises WireError."""
    messages = []
    at = 0
    while len(data) - at >= (whole := size(data, at)):
        little = data[at] == 0x6C
        message = Message(data[at + 1], little)
        end = _FIXED + int.from_bytes(data[at + 12 : at + 16], "little" if little else "big")
        body = end + -end % 8
        _read_fields(Decoder(data[at : at + body], little), end, message)
        message.body = data[at + body : at + whole]
        messages.append(message)
        at += whole
    return messages, data[at:]


def _read_fields(fields: Decoder, end: int, message: Message) -> None:
    fields.at = 16
    while fields.at < end:
        fields.align(8)
        code = fields.take(1)[0]
        kind = fields.signature()
        if kind in (b"s", b"o"):
            text = fields.string()
            if code == 1:
                message.path = text
            elif code == 3:
                message.member = text
            elif code == 4:
                message.error_name = text
        elif kind == b"u":
            number = fields.u32()
            if code == 5:
                message.reply_to = number
        elif kind == b"g":
            text = fields.signature()
            if code == 8:
                message.kind = text
        else:
            raise WireError("a header field is of no known type")
