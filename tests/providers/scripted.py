"""A Secret Service that does what is known of oo7-daemon, secretsd and pass-secret-service.

No registry has these as programs. It stands in for them where they differ from the keyrings that can be had: run it as
`python -m tests.providers.scripted oo7|secretsd|pass-secret-service FILE [COLLECTION...]` on a bus. FILE is its disk.
It has the collections `login`, the default one, and `work`; those that are named are locked.
"""

import json
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jeepney import DBusAddress, HeaderFields, Message, MessageType, new_error, new_method_return
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import open_dbus_connection
from jeepney.wrappers import new_signal

ROOT = "/org/freedesktop/secrets"
COLLECTIONS = f"{ROOT}/collection/"
LOGIN = f"{COLLECTIONS}login"
WORK = f"{COLLECTIONS}work"
DEFAULT = f"{ROOT}/aliases/default"
SESSION = f"{ROOT}/session/s1"
PROMPT = f"{ROOT}/prompt/p1"
SECRET = "org.freedesktop.Secret"

# How long oo7-daemon has its name on the bus and no collection, after the first call that it gets.
LOADS = 0.1

Attributes = dict[str, str]
Body = tuple[str, tuple[Any, ...]]


class Entry:
    """An item: as other programs see it, with its object path, or as it is on the disk, with none."""

    def __init__(self, label: str, attributes: Attributes, secret: str, modified: int, collection: str = LOGIN) -> None:
        self.path = f"{collection}/{uuid.uuid4().hex}"
        self.collection = collection
        self.label = label
        self.attributes = attributes
        self.secret = secret
        self.modified = modified

    def has(self, attributes: Attributes) -> bool:
        return attributes.items() <= self.attributes.items()

    def copy(self) -> "Entry":
        copied = Entry(self.label, dict(self.attributes), self.secret, self.modified, self.collection)
        copied.path = self.path
        return copied


class Failure(Exception):
    """What a call is answered with: the name of an error."""


class Keyring:
    """The items in memory and on the disk, and what becomes of both at each call."""

    def __init__(self, file: Path, *, oo7: bool, locked: set[str]) -> None:
        self._file = file
        self._oo7 = oo7
        self.locked = locked  # the paths of the collections that are
        self._loaded_at = 0.0
        self._disk = [Entry(**one) for one in json.loads(file.read_text())] if file.exists() else []
        self._items = [one.copy() for one in self._disk]

    @property
    def is_loaded(self) -> bool:
        if self._oo7 and not self._loaded_at:
            self._loaded_at = time.monotonic() + LOADS
        return time.monotonic() >= self._loaded_at

    def search(self, attributes: Attributes) -> tuple[list[str], list[str]]:
        found = [one for one in self._items if one.has(attributes)] if self.is_loaded else []
        unlocked = [one.path for one in found if one.collection not in self.locked]
        return unlocked, [] if self._oo7 else [one.path for one in found if one.collection in self.locked]

    def item(self, path: str) -> Entry:
        found = [one for one in self._items if one.path == path]
        if not found:
            raise Failure("org.freedesktop.Secret.Error.NoSuchObject")
        if found[0].collection in self.locked:
            raise Failure("org.freedesktop.zbus.Error" if self._oo7 else "org.freedesktop.Secret.Error.IsLocked")
        return found[0]

    def create(self, collection: str, label: str, attributes: Attributes, secret: str, *, replace: bool) -> str:
        if collection in self.locked:
            raise Failure("org.freedesktop.Secret.Error.IsLocked")
        new = Entry(label, attributes | self._added(), secret, int(time.time()), collection)
        if replace:
            self._items = [one for one in self._items if one.collection != collection or not one.has(attributes)]
            self._disk = [one for one in self._disk if one.collection != collection or not one.has(attributes)]
        self._items.append(new)
        self._disk.append(new.copy())
        self._save()
        return new.path

    def _added(self) -> Attributes:
        return {"xdg:content-type": "text/plain"} if self._oo7 else {"xdg:collection": LOGIN}

    def change(self, path: str, *, secret: str | None = None, attributes: Attributes | None = None) -> None:
        item = self.item(path)
        item.secret = item.secret if secret is None else secret
        item.attributes = item.attributes if attributes is None else attributes | self._added()
        if not self._oo7:  # oo7-daemon keeps it in memory alone
            self._disk = [one.copy() for one in self._items]
            self._save()

    def delete(self, path: str) -> None:
        gone = self.item(path)
        self._items.remove(gone)
        if self._oo7:
            self._disk = [
                one for one in self._disk if one.collection != gone.collection or not one.has(gone.attributes)
            ]
        else:
            self._disk = [one.copy() for one in self._items]
        self._save()

    def paths(self, collection: str) -> list[str]:
        return [one.path for one in self._items if one.collection == collection]

    def _save(self) -> None:
        names = ("label", "attributes", "secret", "modified", "collection")
        self._file.write_text(json.dumps([{name: getattr(one, name) for name in names} for one in self._disk]))


def collection(path: str) -> str:
    """Return the path of the collection that has the path or the alias."""
    return LOGIN if path == DEFAULT else path


class Service:
    """The methods of the Secret Service, by their names; each takes the object path and the body of the call."""

    def __init__(self, keyring: Keyring, kind: str, *, signal: Callable[[Message], None]) -> None:
        self._keyring = keyring
        self._kind = kind
        self._oo7 = kind == "oo7"
        self._signal = signal
        self._to_unlock: set[str] = set()

    def answer(self, member: str, path: str, body: tuple[Any, ...]) -> Body:
        """Return what the call returns. Raises Failure."""
        method = getattr(self, f"_{member.lower()}", None)
        if method is None:
            raise Failure("org.freedesktop.DBus.Error.UnknownMethod")
        given: Body = method(path, *body)
        return given

    def _opensession(self, path: str, algorithm: str, input: object) -> Body:
        return "vo", (("ay", b"") if self._oo7 else ("s", ""), SESSION)

    def _readalias(self, path: str, name: str) -> Body:
        if name != "default" and self._kind == "pass-secret-service":
            raise Failure("org.freedesktop.DBus.Error.Failed")
        return "o", (LOGIN if name == "default" and self._keyring.is_loaded else "/",)

    def _searchitems(self, path: str, attributes: Attributes) -> Body:
        return "aoao", self._keyring.search(attributes)

    def _getsecrets(self, path: str, items: list[str], session: str) -> Body:
        opened = [one for one in items if one.rpartition("/")[0] not in self._keyring.locked]
        found = {one: self._keyring.item(one).secret for one in opened}
        secrets = {one: (session, b"", secret.encode(), "text/plain") for one, secret in found.items()}
        return "a{o(oayays)}", (secrets,)

    def _getsecret(self, path: str, session: str) -> Body:
        return "(oayays)", ((session, b"", self._keyring.item(path).secret.encode(), "text/plain"),)

    def _setsecret(self, path: str, secret: tuple[str, bytes, bytes, str]) -> Body:
        self._keyring.change(path, secret=secret[2].decode())
        return "", ()

    def _delete(self, path: str) -> Body:
        self._keyring.delete(path)
        return "o", ("/",)

    def _createitem(self, path: str, properties: dict[str, Any], secret: tuple[Any, ...], replace: bool) -> Body:
        label, attributes = (properties[f"{SECRET}.Item.{name}"][1] for name in ("Label", "Attributes"))
        created = self._keyring.create(collection(path), label, attributes, secret[2].decode(), replace=replace)
        return "oo", (created, "/")

    def _unlock(self, path: str, objects: list[str]) -> Body:
        named = {one if one in (LOGIN, WORK) else one.rpartition("/")[0] for one in objects}
        self._to_unlock = named & self._keyring.locked
        return "aoo", ([], PROMPT) if self._to_unlock else (objects, "/")

    def _prompt(self, path: str, window: str) -> Body:
        self._keyring.locked -= self._to_unlock  # somebody types the password
        self._signal(
            new_signal(DBusAddress(path, interface=f"{SECRET}.Prompt"), "Completed", "bv", (False, ("ao", [])))
        )
        return "", ()

    def _get(self, path: str, interface: str, name: str) -> Body:
        if path in (LOGIN, DEFAULT, WORK) and self._keyring.is_loaded:
            values: dict[str, tuple[str, Any]] = {
                "Label": ("s", collection(path).rpartition("/")[2].capitalize()),
                "Locked": ("b", collection(path) in self._keyring.locked),
                "Items": ("ao", self._keyring.paths(collection(path))),
            }
        else:
            item = self._keyring.item(path)
            values = {
                "Label": ("s", item.label),
                "Locked": ("b", item.collection in self._keyring.locked),
                "Attributes": ("a{ss}", item.attributes),
                "Modified": ("t", item.modified),
            }
        return "v", (values[name],)

    def _set(self, path: str, interface: str, name: str, value: tuple[str, Any]) -> Body:
        if name == "Attributes":
            self._keyring.change(path, attributes=value[1])
        return "", ()


def main() -> None:
    kind, file, *locked = sys.argv[1:]
    with open_dbus_connection() as connection:
        keyring = Keyring(Path(file), oo7=kind == "oo7", locked={f"{COLLECTIONS}{name}" for name in locked})
        service = Service(keyring, kind, signal=connection.send)
        connection.send_and_get_reply(message_bus.RequestName("org.freedesktop.secrets"))
        while True:
            call = connection.receive()
            fields = call.header.fields
            if call.header.message_type != MessageType.method_call:
                continue
            try:
                body = service.answer(fields[HeaderFields.member], fields[HeaderFields.path], call.body)
                connection.send(new_method_return(call, *body))
            except Failure as error:
                connection.send(new_error(call, str(error)))


if __name__ == "__main__":
    main()
