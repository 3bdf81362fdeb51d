"""One connection to the session bus, with a deadline. It rests on the interpreter's builtins."""

from git_credential_hf.secret_service.dbus import decode
from git_credential_hf.secret_service.dbus.encode import hello, numbered
from git_credential_hf.secret_service.dbus.opening import begin, opened, receive, send

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    import _socket
    from typing import Self

    from git_credential_hf.options import Options


AT_ONCE = 50  # calls: a bus lets no more than 128 wait for their replies, unless it is configured otherwise


class Connection:
    """Makes calls over the session bus, to which it connects, or over what is `opened` to it already.

    Every method raises Unavailable if the bus does not answer correctly within `options.timeout` seconds. All
    connections of one run share this time.
    """

    def __init__(self, options: "Options", connection: "_socket.socket | None" = None) -> None:
        self._options = options
        self._bus = connection or opened(options)
        self._serial = 0
        self._incoming = b""

    def __enter__(self) -> "Self":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._bus.close()

    def ask(self, *calls: bytes) -> list[decode.Message]:
        """Make `calls`, as many at once as a bus allows; return the replies in their order, errors among them."""
        kinds = (decode.METHOD_RETURN, decode.ERROR)
        replies: list[decode.Message] = []
        kept = 0
        while rest := calls[len(replies) : len(replies) + AT_ONCE]:
            last = self.tell(*rest)
            wanted = range(last - len(rest) + 1, last + 1)
            found: dict[int, decode.Message] = {}
            while len(found) < len(wanted):
                for message in self.messages():
                    if message.type in kinds and message.reply_to in wanted:
                        found[message.reply_to] = message
                        kept += len(message.body)
                if kept > decode.MAX_MESSAGE:
                    raise decode.WireError("the replies are too large")
            replies += [found[serial] for serial in wanted]
        return replies

    def tell(self, *calls: bytes) -> int:
        """Make `calls` without waiting for a reply; return the serial of the last."""
        if self._serial:
            send(self._bus, numbered(calls, self._serial + 1), self._options)
        else:
            calls = (hello(), *calls)
            begin(self._bus, numbered(calls, 1), self._options)
        self._serial += len(calls)
        return self._serial

    def messages(self) -> list[decode.Message]:
        """Return the next messages that come, of whatever type: at least one."""
        while True:
            messages, self._incoming = decode.split(self._incoming)
            if messages:
                return messages
            self._receive()

    def _receive(self) -> None:
        # A large message comes in many parts, each of which would be copied with all before it.
        incoming = bytearray(self._incoming)
        wanted = decode.size(self._incoming)
        while len(incoming) < wanted:
            incoming += receive(self._bus, self._options)
        self._incoming = bytes(incoming)
