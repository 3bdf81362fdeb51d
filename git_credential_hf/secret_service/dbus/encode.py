"""D-Bus method calls, to bytes. Source: D-Bus Specification, "Message Protocol".

It knows the types that the calls of this program use and no others. All names and values are bytes, UTF-8 where D-Bus
wants text; the caller sees to that.
"""

NO_AUTO_START = 2

BUS = (b"org.freedesktop.DBus", b"/org/freedesktop/DBus", b"org.freedesktop.DBus")


def padding(length: int, alignment: int) -> bytes:
    return bytes(-length % alignment)


def u32(number: int) -> bytes:
    return number.to_bytes(4, "little")


def string(text: bytes) -> bytes:
    return u32(len(text)) + text + b"\0"


def strings(*texts: bytes) -> bytes:
    parts = []
    length = 0
    for text in texts:
        parts.append(padding(length, 4) + string(text))
        length += len(parts[-1])
    return b"".join(parts)


def call(
    address: tuple[bytes, bytes, bytes], member: bytes, kind: bytes = b"", body: bytes = b"", flags: int = 0
) -> bytes:
    """Return the message that calls `member` at `address` (bus name, object path, interface), without a serial.

    kind: the signature of `body`. The message is little-endian.
    """
    name, path, interface = address
    fields = b""
    for code, text in ((1, path), (2, interface), (3, member), (6, name)):
        fields += padding(len(fields), 8) + bytes((code, 1)) + (b"o\0" if code == 1 else b"s\0") + string(text)
    if kind:
        fields += padding(len(fields), 8) + b"\x08\1g\0" + bytes((len(kind),)) + kind + b"\0"
    header = b"l\1" + bytes((flags, 1)) + u32(len(body)) + u32(0) + u32(len(fields)) + fields
    return header + padding(len(header), 8) + body


def numbered(calls: tuple[bytes, ...], first: int) -> bytes:
    """Return messages of call() with their serials, by which replies name them: `first` and those after it."""
    return b"".join(call[:8] + u32(serial) + call[12:] for serial, call in enumerate(calls, first))


def hello() -> bytes:
    """Return the call that every connection to a bus begins with."""
    return call(BUS, b"Hello")


def get_property(place: tuple[bytes, bytes], interface: bytes, name: bytes, flags: int = 0) -> bytes:
    """Return the call that reads a property of the object at `place` (bus name, object path)."""
    address = (*place, b"org.freedesktop.DBus.Properties")
    return call(address, b"Get", b"ss", strings(interface, name), flags)
