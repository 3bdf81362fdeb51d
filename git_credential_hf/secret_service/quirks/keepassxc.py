"""KeePassXC: if every database is locked, a search opens its dialog, and is answered once that is closed.

It asks a person before it deletes an item, if it is set to do so. This module finds out both before the search. It
also asks, whatever its settings, before a CreateItem replaces an item. SetSecret needs no confirmation.
"""

import posix

from git_credential_hf.secret_service.dbus.encode import BUS, NO_AUTO_START, call, get_property, string
from git_credential_hf.secret_service.messages import COLLECTION, SECRETS, SERVICE, property_of
from git_credential_hf.state import safe_read

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from git_credential_hf.options import Options
    from git_credential_hf.secret_service.dbus.connection import Connection
    from git_credential_hf.secret_service.dbus.decode import Message

WINDOW = b"org.keepassxc.KeePassXC.MainWindow"

# The attributes that it gives each item beside those that it was given; it takes none of them back.
ADDED = frozenset((b"Notes", b"Path", b"Title", b"URL", b"UserName", b"Uuid"))

_DEFAULT = b"/org/freedesktop/secrets/aliases/default"

_MOST_DATABASES = 16  # nobody has as many open, and each costs a call

_FLATPAK = b"/.var/app/org.keepassxc.KeePassXC"


def comes_first(options: "Options") -> bool:
    """Return whether to find out, before anything is searched for, if KeePassXC would open a dialog at that.

    Only a person who has settings of KeePassXC, or of its Flatpak, can have it.
    """
    environ = options.environ
    return options.unlock != "prompt" and (
        posix.access(_settings(environ) + b"/keepassxc", posix.F_OK)
        or posix.access(environ.get(b"HOME", b"") + _FLATPAK, posix.F_OK)
    )


def is_locked(connection: "Connection") -> bool:
    """Return whether the Secret Service is KeePassXC, and no database is open that it shows to programs.

    Raises Unavailable.
    """
    # No other keyring is asked about a property with its first call, which gnome-keyring aborts at.
    return is_provider(connection) and not _is_open(connection, _DEFAULT) and not _is_any_open(connection)


def is_provider(connection: "Connection") -> bool:
    """Return whether the Secret Service is KeePassXC. Raises Unavailable."""
    window, service = (_owner(reply) for reply in connection.ask(owner_of(WINDOW), owner_of(SECRETS)))
    return window == service != b""


def asks_before_it_deletes(environ: dict[bytes, bytes]) -> bool:
    """Return whether KeePassXC is set to show a dialog for an item that is to go to the recycle bin of its database."""
    for folder in (_settings(environ), environ.get(b"HOME", b"") + _FLATPAK + b"/config"):
        lines = safe_read.read(folder + b"/keepassxc/keepassxc.ini").split(b"\n")
        if b"NoConfirmMoveEntryToRecycleBin=false" in lines and b"ConfirmDeleteItem=false" not in lines:
            return True
    return False


def owner_of(name: bytes) -> bytes:
    """Return the call that asks who on the bus has the name."""
    return call(BUS, b"GetNameOwner", b"s", string(name))


def _owner(message: "Message") -> bytes:
    return b"" if message.is_error else message.decoder(b"s").string()


def _is_any_open(connection: "Connection") -> bool:
    """Return whether any database is open: the default one is that on display, which may be locked or not exposed."""
    service, path, interface = SERVICE
    (reply,) = connection.ask(get_property((service, path), interface, b"Collections", NO_AUTO_START))
    collections = reply.as_paths() or []
    return _is_open(connection, *collections[:_MOST_DATABASES])


def _is_open(connection: "Connection", *collections: bytes) -> bool:
    """Return whether one of the collections says plainly that it is not locked."""
    replies = connection.ask(*(property_of(one, COLLECTION, b"Locked", NO_AUTO_START) for one in collections))
    return any(reply.as_flag() is False for reply in replies)


def _settings(environ: dict[bytes, bytes]) -> bytes:
    return environ.get(b"XDG_CONFIG_HOME") or environ.get(b"HOME", b"") + b"/.config"
