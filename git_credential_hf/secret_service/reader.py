"""Searches for items and reads their secrets: what `get` needs of a keyring."""

import posix

from git_credential_hf.model import item
from git_credential_hf.secret_service import Locked, messages
from git_credential_hf.secret_service.dbus.connection import Connection
from git_credential_hf.secret_service.dbus.opening import remaining
from git_credential_hf.secret_service.quirks import gnome_keyring, keepassxc

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    import _socket

    from git_credential_hf.options import Options

_OF_PASS_SECRET_SERVICE = 109  # bytes: how long the paths of its items are, so that only for such it is loaded


def password_store(environ: dict[bytes, bytes]) -> bytes:
    """Return the folder of the user's password store. Source: pass(1), PASSWORD_STORE_DIR."""
    return environ.get(b"PASSWORD_STORE_DIR") or environ.get(b"HOME", b"") + b"/.password-store"


class Reader(Connection):
    """Asks the Secret Service for items and their secrets. Every method raises Unavailable, as those of Connection do.

    may_unlock: whether a search may still unlock what it finds locked.
    unlocks_all: whether a dialog may be shown for what is locked although something else is not.
    locked: the items that the searches found and that are locked still.
    """

    def __init__(
        self, options: "Options", connection: "_socket.socket | None" = None, *, unlocks_all: bool = False
    ) -> None:
        super().__init__(options, connection)
        self.locked: list[bytes] = []
        self._session = b""
        self._has_waited = False
        self.may_unlock = options.unlock != "never"
        self._unlocks_all = unlocks_all or options.unlock == "auto"

    def search(self, wanted: list[dict[bytes, bytes]]) -> list[list[bytes]]:
        """Return, for each set of attributes, the object paths of the unlocked items that have them.

        What is locked is unlocked first as far as `options.unlock` allows (see unlock), once.
        """
        options = self._options
        if not self._serial and keepassxc.comes_first(options) and keepassxc.is_locked(self):
            raise Locked("KeePassXC is locked")
        replies = gnome_keyring.ask(self, *(messages.search_items(attributes) for attributes in wanted))
        found = [messages.read_found(reply) for reply in replies]
        locked = [path for _, paths in found for path in paths]
        unlocked = [paths for paths, _ in found]
        if options.trace is not None:
            from git_credential_hf.secret_service import provider

            provider.trace(self, options)
            options.note(
                "keyring: %d searches found %d items, and %d locked ones",
                len(found),
                sum(map(len, unlocked)),
                len(locked),
            )
        nothing = not locked and not any(unlocked)
        if nothing and not self._has_waited and self._is_loaded_now():
            return self.search(wanted)
        if self.may_unlock and (
            (nothing and options.unlock == "prompt") or (locked and (self._unlocks_all or not any(unlocked)))
        ):
            self.may_unlock = False
            from git_credential_hf.secret_service import unlock

            if unlock.unlock(self, locked or unlock.hidden(self), options):
                return self.search(wanted)
        self.locked += locked
        return unlocked

    def secrets(self, items: list[bytes]) -> dict[bytes, bytes]:
        """Return the secrets of those of `items` that have one to give.

        Raises Locked where they cannot be had without a dialog that nobody asked for.
        """
        # gnome-keyring and others number their items: git waits for no look at a password store then.
        if items and not items[0].rpartition(b"/")[2].isdigit() and self._may_be_of_pass(items[0]):
            from git_credential_hf.secret_service.quirks import pass_secret_service

            pass_secret_service.leave_alone(items[0], password_store(self._options.environ), self._options)
        (reply,) = self.ask(messages.get_secrets(items, self._open_session()))
        return messages.read_secrets(reply)

    def _may_be_of_pass(self, path: bytes) -> bool:
        folder = password_store(self._options.environ) + b"/secret-service"
        return len(path) == _OF_PASS_SECRET_SERVICE or posix.access(folder, posix.F_OK)

    def attributes(self, items: list[bytes]) -> dict[bytes, dict[bytes, bytes]]:
        """Return the attributes of those of `items` that have them to give."""
        replies = self.ask(*(messages.property_of(one, messages.ITEM, b"Attributes") for one in items))
        found = {}
        for one, reply in zip(items, replies, strict=True):
            remaining(self._options)  # what a bus says of this many items takes its time to read
            if not reply.is_error:
                found[one] = reply.as_dictionary()
        return found

    def marked(self, items: list[bytes]) -> dict[bytes, tuple[bytes, dict[bytes, bytes]]]:
        """Return the secret and the attributes of those of `items` that have them to give.

        The secret is that of an item that has our mark: those of others may be large, and are nobody's business here.
        """
        found = self.attributes(items)
        ours = [one for one in found if item.MARK in found[one]]
        secrets = self.secrets(ours) if ours else {}
        return {
            one: (secrets.get(one, b""), of_item)
            for one, of_item in found.items()
            if one in secrets or item.MARK not in of_item
        }

    def origins(self, items: list[bytes]) -> dict[bytes, tuple[bytes, int, bool]]:
        """Return the origin of each of `items`, which have our mark, when it was modified, and if it is ours still.

        It is not where somebody changed a part of our identity: seed and forget then leave it alone (see item.ours).
        The time is in seconds since the epoch, 0 where it is not known.
        """
        names = (b"Attributes", b"Modified")
        replies = self.ask(*(messages.property_of(one, messages.ITEM, name) for name in names for one in items))
        found = {}
        for one, attributes, modified in zip(items, replies, replies[len(items) :], strict=False):
            if remaining(self._options) and not attributes.is_error:
                known = attributes.as_dictionary()
                found[one] = known.get(item.ORIGIN, b""), modified.as_number() or 0, item.ours(known) is not None
        return found

    def _is_loaded_now(self) -> bool:
        """Return whether the keyring had no default collection yet, and has it now."""
        self._has_waited = True
        (alias,) = self.ask(messages.read_alias(b"default"))
        if alias.is_error or messages.read_collection(alias) != messages.NO_OBJECT:
            return False
        from git_credential_hf.secret_service.quirks import oo7

        return oo7.has_loaded(self, self._options)

    def _open_session(self) -> bytes:
        """Return the session that secrets are given in; it is opened once there is something to be given."""
        if not self._session:
            (reply,) = self.ask(messages.open_session())
            self._session = messages.read_session(reply)
        return self._session
