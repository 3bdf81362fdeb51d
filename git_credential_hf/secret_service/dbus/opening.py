"""How a connection to the session bus begins: early, so that the bus accepts it while Python loads what uses it."""

import _socket
import posix
import time

from git_credential_hf.secret_service import Unavailable
from git_credential_hf.secret_service.dbus.address import bus_addresses
from git_credential_hf.secret_service.dbus.encode import hello, with_serial

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from git_credential_hf.options import Options

HELLO = 1  # the serial of the first call, which is made here


def opened(options: "Options") -> _socket.socket:
    """Connect to the session bus and make the first call, without waiting for an answer. Raises Unavailable."""
    try:
        connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    except OSError as error:
        raise broken(error, options) from None
    try:
        _connect(connection, options)
        # Nothing waits for an answer before the next part goes out: the bus reads them one after another.
        user = (b"%d" % posix.geteuid()).hex().encode()
        connection.settimeout(remaining(options))
        connection.sendall(b"\0AUTH EXTERNAL " + user + b"\r\nBEGIN\r\n" + with_serial(hello(), HELLO))
    except OSError as error:
        connection.close()
        raise broken(error, options) from None
    except Unavailable:
        connection.close()
        raise
    return connection


def _connect(connection: _socket.socket, options: "Options") -> None:
    reason = "DBUS_SESSION_BUS_ADDRESS names no Unix socket"
    for address in bus_addresses(options.environ):
        try:
            return _connect_to(connection, address, options)
        except OSError as error:
            reason = f"the session bus cannot be reached: {error.strerror or error}"
    raise Unavailable(reason)


def _connect_to(connection: _socket.socket, address: bytes, options: "Options") -> None:
    while True:
        connection.settimeout(remaining(options))
        try:
            return connection.connect(address)
        except BlockingIOError:  # the bus has yet to take the connections before this one
            time.sleep(min(0.005, remaining(options)))


def remaining(options: "Options") -> float:
    """Return the seconds that are left. Raises Unavailable where none are."""
    left = options.remaining()
    if left <= 0:
        raise too_late(options)
    return left


def broken(error: OSError, options: "Options") -> Unavailable:
    """Return what an error of the connection means."""
    if isinstance(error, TimeoutError):
        return too_late(options)
    return Unavailable(f"the connection to the session bus broke: {error.strerror or error}")


def too_late(options: "Options") -> Unavailable:
    return Unavailable(f"no answer within {options.timeout:g} s")
