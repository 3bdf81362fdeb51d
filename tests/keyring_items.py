"""What stands in a keyring, as another program sees it: read and written through secretstorage."""

import contextlib
from dataclasses import dataclass, field

import secretstorage
from jeepney.io.blocking import DBusConnection, prep_socket
from secretstorage.defines import ALGORITHM_PLAIN, SS_PATH
from secretstorage.dhcrypto import Session
from secretstorage.util import SERVICE_IFACE, DBusAddressWrapper, add_match_rules

from git_credential_hf.model.item import SEEDED, Item
from git_credential_hf.secret_service.dbus.address import bus_addresses
from tests.providers import Bus, wait_until

# What git-credential-libsecret gives the item of alice on the Hub; a `__` stands for a colon (see Items.add).
LIBSECRET = {"xdg__schema": "org.git.Password", "protocol": "https", "server": "huggingface.co", "user": "alice"}


@dataclass(frozen=True)
class Stored:
    """One item; its repr shows no secret."""

    label: str
    attributes: dict[str, str]
    secret: bytes = field(repr=False)


class Items:
    """The items of one collection on a bus: of the default one, or of that at `path`."""

    def __init__(self, bus: Bus, path: str = "/org/freedesktop/secrets/aliases/default") -> None:
        self.bus = bus
        (address,) = bus_addresses({b"DBUS_SESSION_BUS_ADDRESS": bus.address.encode()})
        self.connection = DBusConnection(prep_socket(address))
        add_match_rules(self.connection)
        # gnome-keyring can come to the first call of a connection before it knows of the connection, and ends if that
        # is about a property or OpenSession.
        DBusAddressWrapper(SS_PATH, SERVICE_IFACE, self.connection).call("ReadAlias", "s", "default")
        # oo7-daemon has no collection in the first moment.
        wait_until(lambda: self._has(path), "it has its collection", 5)
        self.collection.session = plain_session(self.connection)

    def _has(self, path: str) -> bool:
        with contextlib.suppress(secretstorage.ItemNotFoundException):
            self.collection = secretstorage.Collection(self.connection, path)
            return True
        return False

    def close(self) -> None:
        self.connection.close()

    def add(self, secret: bytes, /, *, label: str = "another program's", **attributes: str) -> None:
        """Put an item there as another program would. An attribute's `__` stands for a colon."""
        named = {name.replace("__", ":"): value for name, value in attributes.items()}
        # KWallet answers with the path of an item that is not there yet.
        with contextlib.suppress(secretstorage.ItemNotFoundException):
            self.collection.create_item(label, named, secret)

    def add_ours(self, secret: bytes, origin: bytes = SEEDED) -> None:
        """Put an item of ours there for hf_user on the whole Hub."""
        ours = Item(b"huggingface.co", b"", b"hf_user", bearer=False, origin=origin)
        attributes = {name.decode(): value.decode() for name, value in ours.attributes().items()}
        self.collection.create_item(ours.label(), attributes, secret)

    def note(self, text: str) -> None:
        """Give each item the attribute `note`, as a person would in the keyring's window."""
        for item in self.collection.get_all_items():
            # KeePassXC takes no attribute back that it added, and which begins with a capital letter.
            kept = {name: value for name, value in item.get_attributes().items() if name[0].islower()}
            item.set_attributes(kept | {"note": text})

    def all(self) -> list[Stored]:
        """Return every item, in no order that means anything."""
        return [
            Stored(item.get_label(), item.get_attributes(), item.get_secret())
            for item in self.collection.get_all_items()
        ]

    def secrets(self) -> list[bytes]:
        """Return the secrets of all items, sorted."""
        return sorted(stored.secret for stored in self.all())

    def clear(self) -> None:
        for item in list(self.collection.get_all_items()):
            item.delete()


def plain_session(connection: DBusConnection) -> Session:
    """Open a session that passes secrets in plain: KWallet has no other without a plugin for its encryption."""
    session = Session()
    session.encrypted = False
    service = DBusAddressWrapper(SS_PATH, SERVICE_IFACE, connection)
    _, session.object_path = service.call("OpenSession", "sv", ALGORITHM_PLAIN, ("s", ""))
    return session
