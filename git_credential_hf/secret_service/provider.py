"""Which program the Secret Service is, for people."""

import posix

from git_credential_hf.secret_service import Unavailable, messages

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from git_credential_hf.options import Options
    from git_credential_hf.secret_service.dbus.connection import Connection


def program(number: int) -> str | None:
    """Return the path of the program that a process runs, None where it is another user's.

    It is only shown, never run: a bus may name any process.
    """
    try:
        return posix.readlink(f"/proc/{number}/exe").removesuffix(" (deleted)")
    except OSError:
        return None


def trace(connection: "Connection", options: "Options") -> None:
    """Trace which program the Secret Service is, its default collection, and whether that is locked, if it tells."""
    try:
        owner, default = connection.ask(messages.process(), messages.read_alias(b"default"))
        collection = messages.read_collection(default)
        (locked,) = connection.ask(messages.property_of(collection, messages.COLLECTION, b"Locked"))
        # A path may hold anything, a line end too.
        name = (program(owner.decoder(b"u").u32()) or "a program of another user").encode("unicode_escape").decode()
    except Unavailable:
        return  # the search finds that out too, so that a trace changes nothing
    state = "none" if locked.is_error else "open" if locked.as_flag() is False else "locked"
    options.note("keyring: %s, collection %a, %s", name, collection.decode("utf-8", "replace"), state)
