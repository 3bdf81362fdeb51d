"""The D-Bus calls of a look-up, to bytes. Nothing here reads or writes anything; `incoming` has what comes back.

Source: D-Bus Specification, "Message Protocol"; Secret Service API 0.2. It knows the types that these calls use
and no others. All names and values are bytes, UTF-8 where D-Bus wants text; the caller sees to that.
"""

NO_AUTO_START = 2

BUS = (b"org.freedesktop.DBus", b"/org/freedesktop/DBus", b"org.freedesktop.DBus")
SECRETS = b"org.freedesktop.secrets"
SERVICE = (SECRETS, b"/org/freedesktop/secrets", b"org.freedesktop.Secret.Service")


def padding(length: int, alignment: int) -> bytes:
    return bytes(-length % alignment)


def u32(number: int) -> bytes:
    return number.to_bytes(4, "little")


def string(text: bytes) -> bytes:
    return u32(len(text)) + text + b"\0"


def strings(*texts: bytes) -> bytes:
    body = b""
    for text in texts:
        body += padding(len(body), 4) + string(text)
    return body


def call(
    serial: int,
    address: tuple[bytes, bytes, bytes],
    member: bytes,
    kind: bytes = b"",
    body: bytes = b"",
    flags: int = 0,
) -> bytes:
    """Return the message that calls `member` at `address` (bus name, object path, interface).

    kind: the signature of `body`. The message is little-endian.
    """
    name, path, interface = address
    fields = b""
    for code, text in ((1, path), (2, interface), (3, member), (6, name)):
        fields += padding(len(fields), 8) + bytes((code, 1)) + (b"o\0" if code == 1 else b"s\0") + string(text)
    if kind:
        fields += padding(len(fields), 8) + b"\x08\1g\0" + bytes((len(kind),)) + kind + b"\0"
    header = b"l\1" + bytes((flags, 1)) + u32(len(body)) + u32(serial) + u32(len(fields)) + fields
    return header + padding(len(header), 8) + body


def hello(serial: int) -> bytes:
    """Return the call that every connection to a bus begins with."""
    return call(serial, BUS, b"Hello")


def open_session(serial: int) -> bytes:
    """Return the OpenSession call for a session that passes secrets in plain, over a socket that is the user's own."""
    return call(serial, SERVICE, b"OpenSession", b"sv", string(b"plain") + b"\1s\0" + bytes(3) + string(b""))


def search_items(serial: int, attributes: dict[bytes, bytes]) -> bytes:
    """Return the SearchItems call for the items of all collections that have at least `attributes`."""
    entries = b""
    for name, value in attributes.items():
        entries += padding(len(entries), 8) + strings(name, value)
    return call(serial, SERVICE, b"SearchItems", b"a{ss}", u32(len(entries)) + bytes(4) + entries)


def get_secrets(serial: int, items: list[bytes], session: bytes) -> bytes:
    """Return the GetSecrets call for the object paths `items`."""
    paths = strings(*items)
    body = u32(len(paths)) + paths
    return call(serial, SERVICE, b"GetSecrets", b"aoo", body + padding(len(body), 4) + string(session))


def get_attributes(serial: int, item: bytes) -> bytes:
    """Return the call that reads the attributes of one item."""
    address = (SECRETS, item, b"org.freedesktop.DBus.Properties")
    return call(serial, address, b"Get", b"ss", strings(b"org.freedesktop.Secret.Item", b"Attributes"))
