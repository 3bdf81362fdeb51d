"""One connection to the session bus, a deadline, the answer.

It is for reading alone, and rests on the interpreter's builtins; `vault` writes.
"""

import _socket
import posix
import time

from git_credential_hf.secret_service import Locked, Unavailable, bus_addresses, wire

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from collections.abc import Callable

    from git_credential_hf.options import Options
    from git_credential_hf.secret_service import incoming

_CHUNK = 4096  # a larger buffer costs more than reading again
_LONGEST_WELCOME = 1 << 14
_TRIES = 10


class Lookup:
    """Asks the Secret Service for items and their secrets, over one connection that opens with the first search.

    Every method raises Unavailable where the bus or the provider does not answer as it should within
    `options.timeout` seconds, which all that asks or writes in one run has together.
    """

    def __init__(self, options: "Options") -> None:
        self._options = options
        self._socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        self._serial = 0
        self._outgoing = b""
        self._incoming = b""
        self._welcome = b""
        self._session = b""
        self._may_unlock = options.unlock != "never"

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def search(self, wanted: list[dict[bytes, bytes]]) -> list[list[bytes]]:
        """Return, for each set of attributes, the object paths of the unlocked items that have them.

        Where all that is found is locked, it is unlocked first as far as `options.unlock` allows (see unlock), once.
        """
        if not self._serial:
            self._open()
            if self._options.unlock != "prompt" and _knows_keepassxc(self._options.environ):
                from git_credential_hf.secret_service import unlock

                if unlock.is_locked_keepassxc(self):
                    raise Locked("KeePassXC is locked")
        for _ in range(_TRIES):
            for attributes in wanted:
                self._outgoing += wire.search_items(self._next(), attributes)
            replies = self._replies(len(wanted))
            # gnome-keyring can come to the first call of a connection before it knows of the connection.
            if not any(reply.error_name == incoming.UNKNOWN_METHOD for reply in replies):
                break
        found = [incoming.read_found(reply) for reply in replies]
        if self._options.traced:
            from git_credential_hf.tracing import name_provider

            name_provider(self, self._options)
        self._options.trace(
            "keyring: %d searches found %d items, and %d locked ones",
            len(found),
            sum(len(unlocked) for unlocked, _ in found),
            sum(len(locked) for _, locked in found),
        )
        locked = [path for _, paths in found for path in paths]
        if locked and self._may_unlock and not any(unlocked for unlocked, _ in found):
            self._may_unlock = False
            from git_credential_hf.secret_service import unlock

            if unlock.unlock(self, locked, self._options):
                return self.search(wanted)
        return [unlocked for unlocked, _ in found]

    def secrets(self, items: list[bytes]) -> dict[bytes, bytes]:
        """Return the secrets of those of `items` that have one to give."""
        self._open_session()
        self._outgoing += wire.get_secrets(self._next(), items, self._session)
        (reply,) = self._replies(1)
        return incoming.read_secrets(reply)

    def secrets_and_attributes(self, items: list[bytes]) -> dict[bytes, tuple[bytes, dict[bytes, bytes]]]:
        """Return secret and attributes of those of `items` that have them to give."""
        self._open_session()
        self._outgoing += wire.get_secrets(self._next(), items, self._session)
        for item in items:
            self._outgoing += wire.get_attributes(self._next(), item)
        reply, *replies = self._replies(1 + len(items))
        secrets = incoming.read_secrets(reply)
        return {
            item: (secrets[item], incoming.read_attributes(reply))
            for item, reply in zip(items, replies, strict=True)
            if item in secrets and reply.type != incoming.ERROR
        }

    def ask(self, *calls: "Callable[[int], bytes]") -> "list[incoming.Message]":
        """Make `calls`, each of which returns its message for a serial; return the replies, errors among them."""
        if not self._serial:
            self._open()
        for call in calls:
            self._outgoing += call(self._next())
        return self._replies(len(calls))

    def tell(self, *calls: "Callable[[int], bytes]") -> int:
        """Make `calls` without waiting for a reply; return the serial of the last."""
        for call in calls:
            self._outgoing += call(self._next())
        self._send()
        return self._serial

    def messages(self) -> "list[incoming.Message]":
        """Return the next messages that come, of whatever type: at least one."""
        while True:
            messages, self._incoming = incoming.split(self._incoming)
            if messages:
                return messages
            self._receive()

    def _next(self) -> int:
        self._serial += 1
        return self._serial

    def _open(self) -> None:
        reason = "DBUS_SESSION_BUS_ADDRESS names no Unix socket"
        for address in bus_addresses(self._options.environ):
            try:
                self._connect(address)
                break
            except OSError as error:
                reason = f"the session bus cannot be reached: {error.strerror or error}"
        else:
            raise Unavailable(reason)
        # Nothing waits for an answer before the next part goes out: the bus reads them one after another.
        user = b"%d" % posix.geteuid()
        self._outgoing = b"\0AUTH EXTERNAL " + user.hex().encode() + b"\r\nBEGIN\r\n"
        self._outgoing += wire.hello(self._next())

    def _open_session(self) -> None:
        """Open the session that secrets are given in, once there is something to be given.

        It must not be the first call of a connection: gnome-keyring aborts if it comes to an OpenSession before it
        knows of the connection. One that has answered a search knows.
        """
        if not self._session:
            self._outgoing += wire.open_session(self._next())
            (reply,) = self._replies(1)
            self._session = incoming.read_session(reply)

    def _connect(self, address: bytes) -> None:
        while True:
            self._socket.settimeout(self._remaining())
            try:
                return self._socket.connect(address)
            except BlockingIOError:  # the bus has yet to take the connections before this one
                time.sleep(min(0.005, self._remaining()))

    def _remaining(self) -> float:
        remaining = self._options.remaining()
        if remaining <= 0:
            raise Unavailable(f"no answer within {self._options.timeout:g} s")
        return remaining

    def _replies(self, count: int) -> "list[incoming.Message]":
        """Send what is to go out; return the replies to the last `count` calls, in their order."""
        wanted = range(self._serial - count + 1, self._serial + 1)
        self._send()
        if not self._welcome:
            self._authenticate()
        kinds = (incoming.METHOD_RETURN, incoming.ERROR)
        replies: dict[int, incoming.Message] = {}
        while not all(serial in replies for serial in wanted):
            replies.update((message.reply_to, message) for message in self.messages() if message.type in kinds)
        return [replies[serial] for serial in wanted]

    def _send(self) -> None:
        """Send what is to go out, and load what reads the answers while the bus works on them."""
        global incoming  # noqa: PLW0603 - what is sent through here is all that is ever answered
        self._socket.settimeout(self._remaining())
        try:
            self._socket.sendall(self._outgoing)
        except OSError as error:
            raise self._broken(error) from None
        self._outgoing = b""
        from git_credential_hf.secret_service import incoming

    def _receive(self) -> None:
        self._socket.settimeout(self._remaining())
        try:
            data = self._socket.recv(_CHUNK)
        except OSError as error:
            raise self._broken(error) from None
        if not data:
            raise Unavailable("the session bus closed the connection")
        self._incoming += data

    def _authenticate(self) -> None:
        while b"\r\n" not in self._incoming:
            if len(self._incoming) > _LONGEST_WELCOME:
                raise Unavailable("what listens at the session bus's address is no bus")
            self._receive()
        self._welcome, _, self._incoming = self._incoming.partition(b"\r\n")
        if not self._welcome.startswith(b"OK "):
            raise Unavailable("the session bus refused the connection")

    def _broken(self, error: OSError) -> Unavailable:
        if isinstance(error, TimeoutError):
            return Unavailable(f"no answer within {self._options.timeout:g} s")
        return Unavailable(f"the connection to the session bus broke: {error.strerror or error}")


def _knows_keepassxc(environ: dict[bytes, bytes]) -> bool:
    """Whether this person has settings of KeePassXC, or of its Flatpak; nobody else need ask the bus about it."""
    home = environ.get(b"HOME", b"")
    settings = environ.get(b"XDG_CONFIG_HOME") or home + b"/.config"
    return posix.access(settings + b"/keepassxc", posix.F_OK) or posix.access(
        home + b"/.var/app/org.keepassxc.KeePassXC", posix.F_OK
    )
