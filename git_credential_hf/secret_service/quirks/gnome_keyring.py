"""gnome-keyring: it may handle the first call of a connection before it knows the connection.

A SearchItems or a ReadAlias is then answered with UnknownMethod. An OpenSession (42.1) or a Properties.Get (51.1)
aborts the daemon, so neither must be the first call of a connection.
"""

from git_credential_hf.secret_service.dbus.decode import UNKNOWN_METHOD, Message

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from git_credential_hf.secret_service.dbus.connection import Connection

_TRIES = 10


def ask(connection: "Connection", *calls: bytes) -> list[Message]:
    """Make calls that may be the first of their connection, each a SearchItems or a ReadAlias; return the replies.

    Raises Unavailable.
    """
    for _ in range(_TRIES):
        replies = connection.ask(*calls)
        if not any(reply.error_name == UNKNOWN_METHOD for reply in replies):
            break
    return replies
