"""One connection to the session bus, with a deadline. It rests on the interpreter's builtins."""

from git_credential_hf.secret_service import Unavailable
from git_credential_hf.secret_service.dbus import decode
from git_credential_hf.secret_service.dbus.encode import with_serial
from git_credential_hf.secret_service.dbus.opening import HELLO, broken, opened, remaining

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    import _socket
    from typing import Self

    from git_credential_hf.options import Options

_CHUNK = 4096  # a larger buffer costs more than reading again
_LONGEST_WELCOME = 1 << 14


class Connection:
    """Makes calls over the session bus, to which it connects, or over what is `opened` to it already.

    Every method raises Unavailable where the bus does not answer as it should within `options.timeout` seconds, which
    all that asks or writes in one run has together.
    """

    def __init__(self, options: "Options", connection: "_socket.socket | None" = None) -> None:
        self._options = options
        self._socket = connection or opened(options)
        self._serial = HELLO
        self._outgoing = b""
        self._incoming = b""
        self._welcomed = False

    def __enter__(self) -> "Self":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def ask(self, *calls: bytes) -> list[decode.Message]:
        """Make `calls`, all before the first is answered; return the replies in their order, errors among them."""
        last = self.tell(*calls)
        if not self._welcomed:
            self._authenticate()
        wanted = range(last - len(calls) + 1, last + 1)
        kinds = (decode.METHOD_RETURN, decode.ERROR)
        replies: dict[int, decode.Message] = {}
        while not all(serial in replies for serial in wanted):
            replies.update((message.reply_to, message) for message in self.messages() if message.type in kinds)
        return [replies[serial] for serial in wanted]

    def tell(self, *calls: bytes) -> int:
        """Make `calls` without waiting for a reply; return the serial of the last."""
        for call in calls:
            self._add(call)
        self._socket.settimeout(remaining(self._options))
        try:
            self._socket.sendall(self._outgoing)
        except OSError as error:
            raise broken(error, self._options) from None
        self._outgoing = b""
        return self._serial

    def messages(self) -> list[decode.Message]:
        """Return the next messages that come, of whatever type: at least one."""
        while True:
            messages, self._incoming = decode.split(self._incoming)
            if messages:
                return messages
            self._receive()

    def _add(self, call: bytes) -> None:
        self._serial += 1
        self._outgoing += with_serial(call, self._serial)

    def _authenticate(self) -> None:
        while b"\r\n" not in self._incoming:
            if len(self._incoming) > _LONGEST_WELCOME:
                raise Unavailable("what listens at the session bus's address is no bus")
            self._receive()
        welcome, _, self._incoming = self._incoming.partition(b"\r\n")
        if not welcome.startswith(b"OK "):
            raise Unavailable("the session bus refused the connection")
        self._welcomed = True

    def _receive(self) -> None:
        self._socket.settimeout(remaining(self._options))
        try:
            data = self._socket.recv(_CHUNK)
        except OSError as error:
            raise broken(error, self._options) from None
        if not data:
            raise Unavailable("the session bus closed the connection")
        self._incoming += data
