"""Where the session bus is."""

import posix


def bus_addresses(environ: dict[bytes, bytes]) -> list[bytes]:
    """Return where the session bus listens: paths of sockets, or abstract names that begin with a NUL.

    It is what DBUS_SESSION_BUS_ADDRESS names (D-Bus Specification, "Server Addresses"); where that is unset, the
    user's bus in the run-time directory, as for libdbus and systemd. Only Unix sockets are used.
    """
    given = environ.get(b"DBUS_SESSION_BUS_ADDRESS")
    if not given:
        run_time = environ.get(b"XDG_RUNTIME_DIR") or b"/run/user/%d" % posix.geteuid()
        return [run_time + b"/bus"]
    found = []
    for address in given.split(b";"):
        transport, _, rest = address.partition(b":")
        parameters = dict(pair.partition(b"=")[::2] for pair in rest.split(b","))
        if transport != b"unix":
            continue
        if path := _unescaped(parameters.get(b"path", b"")):
            found += [path] if b"\0" not in path else []
        elif name := _unescaped(parameters.get(b"abstract", b"")):
            found.append(b"\0" + name)
    return found


def _unescaped(value: bytes) -> bytes:
    first, *rest = value.split(b"%")
    if not all(part[:2].isalnum() for part in rest):  # fromhex() would take nothing, or blanks, for no byte at all
        return b""
    try:
        return first + b"".join(bytes.fromhex(part[:2].decode()) + part[2:] for part in rest)
    except ValueError:
        return b""
