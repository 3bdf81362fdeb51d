"""How a connection to the session bus begins: whose bus it is, and the handshake.

Source: D-Bus Specification, "Authentication Protocol"; user_namespaces(7), unix(7) (SO_PEERCRED).
"""

import _socket
import posix
import time
from sys import byteorder

from git_credential_hf.secret_service import NO_BUS, NoBus, NotYours, Unavailable
from git_credential_hf.secret_service.dbus.address import bus_addresses
from git_credential_hf.state import HIDDEN

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from git_credential_hf.options import Options

# Without a uid the bus takes that which the kernel names: in a user namespace it is another than this process knows.
_WHO = b"\0AUTH EXTERNAL\r\nDATA\r\n"

_LONGEST_WELCOME = 1 << 14
_CREDENTIALS = 12  # bytes: process, user and group


def opened(options: "Options") -> _socket.socket:
    """Connect to the session bus and tell it who this is, without waiting for its welcome.

    Of several addresses the first counts where a bus of the user's or of root's listens. Raises Unavailable: NoBus
    or NotYours, where it is known to be one of these.
    """
    reason: Unavailable = NoBus(NO_BUS)
    for address in bus_addresses(options.environ):
        try:
            connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        except OSError as error:  # no descriptor is left, or a sandbox has no Unix sockets
            raise _unreachable(error) from None
        try:
            connect(connection, address, options)
            owner = owner_of(connection)
            if is_trusted(owner):
                send(connection, _WHO, options)
                return connection
            reason = NotYours(f"the session bus belongs to another user, with the uid {owner}")
        except OSError as error:
            if not isinstance(reason, NotYours):
                reason = _unreachable(error)
        except Unavailable:
            connection.close()
            raise
        connection.close()
    raise reason


def begin(connection: _socket.socket, calls: bytes, options: "Options") -> None:
    """Make the first calls over what is `opened`, once the bus has let this process in. Raises Unavailable."""
    _wait_for_welcome(connection, options)
    send(connection, b"BEGIN\r\n" + calls, options)


def _wait_for_welcome(connection: _socket.socket, options: "Options") -> None:
    """Wait until the bus has let this process in over what is `opened`. Raises Unavailable.

    A bus asks for what it has been told already (DATA), and then says OK. One that wants the uid in the same line
    (REJECTED) is told it.
    """
    tried = False
    received = b""
    while True:
        line, end, rest = received.partition(b"\r\n")
        if not end:
            if len(received) > _LONGEST_WELCOME:
                raise Unavailable("what listens at the session bus's address is no bus")
            received += receive(connection, options)
            continue
        received = rest
        if line.startswith(b"OK "):
            if rest:
                raise Unavailable("what listens at the session bus's address is no bus")
            return
        if line.startswith((b"REJECTED", b"ERROR")) and not tried:
            tried = True
            send(connection, b"AUTH EXTERNAL " + (b"%d" % posix.geteuid()).hex().encode() + b"\r\n", options)
        elif not line.startswith((b"DATA", b"ERROR")):  # ERROR: what the DATA is that follows a REJECTED
            raise Unavailable("the session bus refused the connection")


def send(connection: _socket.socket, data: bytes, options: "Options") -> None:
    """Send all of `data` within the time that is left. Raises Unavailable."""
    connection.settimeout(remaining(options))
    try:
        connection.sendall(data)
    except OSError as error:
        raise _broken(error, options) from None


def receive(connection: _socket.socket, options: "Options") -> bytes:
    """Return what comes next, at least one byte, within the time that is left. Raises Unavailable."""
    connection.settimeout(remaining(options))
    try:
        data = connection.recv(4096)  # a larger buffer costs more than reading again
    except OSError as error:
        raise _broken(error, options) from None
    if not data:
        raise Unavailable("the session bus closed the connection")
    return data


def remaining(options: "Options") -> float:
    """Return the seconds that are left. Raises Unavailable where none are."""
    left = options.remaining()
    if left <= 0:
        raise too_late(options)
    return left


def too_late(options: "Options") -> Unavailable:
    """Return what to raise where the time is over."""
    return Unavailable(f"it gave no answer within {options.timeout:g} s")


def connect(connection: _socket.socket, address: bytes, options: "Options") -> None:
    """Connect to the Unix socket at `address` within the time that is left. Raises OSError and Unavailable."""
    while True:
        connection.settimeout(remaining(options))
        try:
            return connection.connect(address)
        except TimeoutError:
            raise too_late(options) from None
        except BlockingIOError:  # who listens has yet to take the connections before this one
            time.sleep(min(0.005, remaining(options)))


def owner_of(connection: _socket.socket) -> int:
    """Return the uid of the other end, as the kernel has it: 65534 where it is not mapped here. Raises OSError."""
    credentials = connection.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, _CREDENTIALS)
    return int.from_bytes(credentials[4:8], byteorder)


def is_trusted(owner: int) -> bool:
    """Return whether a socket of `owner`'s is the user's own, or root's.

    Whoever is mapped here (see ownership.is_one_user) has a mapped bus.
    """
    if owner != HIDDEN:
        return owner in (0, posix.geteuid())
    from git_credential_hf.state.ownership import is_one_user

    return owner == posix.geteuid() and is_one_user(owner)


def _unreachable(error: OSError) -> NoBus:
    nobody = isinstance(error, (FileNotFoundError, NotADirectoryError, ConnectionRefusedError))
    return NoBus(NO_BUS if nobody else f"the session bus cannot be reached: {error.strerror or error}")


def _broken(error: OSError, options: "Options") -> Unavailable:
    if isinstance(error, TimeoutError):
        return too_late(options)
    return Unavailable(f"the connection to the session bus broke: {error.strerror or error}")
