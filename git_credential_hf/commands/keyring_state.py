"""What is in the keyring for a host, and who keeps it: read over the bus, with nothing unlocked and no secret."""

import os
from collections.abc import Callable
from contextlib import closing
from typing import NamedTuple

from git_credential_hf.options import Options
from git_credential_hf.scope import HF_USER
from git_credential_hf.secret_service import Unavailable, incoming, item, unlock, wire
from git_credential_hf.secret_service.lookup import Lookup

_PROPERTIES = b"org.freedesktop.DBus.Properties"
_COLLECTION = b"org.freedesktop.Secret.Collection"
_ITEM = b"org.freedesktop.Secret.Item"

_TRIES = 10
_MOST_ITEMS = 256  # that are looked at: each costs two calls

# Names that a keyring takes on the bus beside the Secret Service's.
_KEYRINGS = {
    b"org.gnome.keyring": "gnome-keyring-daemon",
    b"org.kde.kwalletd5": "kwalletd5",
    b"org.kde.kwalletd6": "kwalletd6",
    b"org.kde.ksecretd": "ksecretd",
    unlock.KEEPASSXC: "keepassxc",
}


class Item(NamedTuple):
    """An unlocked item that is for the host. `scope`, `user` and `modified` (seconds since the epoch) are of ours."""

    path: bytes
    ours: bool
    scope: bytes
    user: bytes
    modified: int


class State:
    """state: "open", "locked", "no collection", "no keyring", "no bus" or "silent"; `why` is the error's text."""

    def __init__(self) -> None:
        self.state = "no bus"
        self.why = ""
        self.provider: str | None = None
        self.version: str | None = None
        self.program: str | None = None  # its path, where that can be known
        self.others: list[str] = []  # keyrings that run as well, and do not answer as the Secret Service
        self.process = 0
        self.collection: str | None = None
        self.items: list[Item] = []
        self.locked_items = 0
        self.opens = False  # locked, and known to be unlocked without a dialog by the next that asks for an item

    @property
    def ours(self) -> list[Item]:
        return [one for one in self.items if one.ours]


def bus_answers(options: Options) -> bool:
    """Whether the session bus says anything; one that is mute uses up the time of `options`."""
    try:
        with closing(Lookup(options)) as lookup:
            lookup.ask(lambda serial: wire.call(serial, wire.BUS, b"ListNames"))
    except Unavailable:
        return False
    return True


def look(server: bytes, options: Options, *, mute: bool) -> State:
    """Return the state of the keyring that answers for `server`, within the time of `options`.

    mute: whether it is known to give no answer; then it is not asked, and is named alone.
    """
    options.trace = lambda step, *values: None
    state = State()
    try:
        with closing(Lookup(options)) as lookup:
            _look(lookup, server, state, options, mute=mute)
    except Unavailable as reason:
        state.state = "silent" if state.provider else "no bus"
        state.why = str(reason)
    return state


def _look(lookup: Lookup, server: bytes, state: State, options: Options, *, mute: bool) -> None:
    names, owner = lookup.ask(
        lambda serial: wire.call(serial, wire.BUS, b"ListNames"),
        lambda serial: wire.call(serial, wire.BUS, b"GetConnectionUnixProcessID", b"s", wire.string(wire.SECRETS)),
    )
    running = _strings(names)
    if owner.type == incoming.ERROR:
        state.state = "no keyring"
        state.others = [name for bus_name, name in _KEYRINGS.items() if bus_name in running]
        return
    _name_provider(state, owner.reader(b"u").u32(), running)
    state.state = "silent"
    if mute:
        raise Unavailable(f"no answer within {options.timeout:g} s")

    searches = [
        item.of_server(server),
        {b"xdg:schema": item.BEARER_SCHEMA},
        {b"service": b"git:https://" + server},
        {b"application": b"Python keyring library", b"service": server},
        {b"application": b"Python keyring library", b"service": b"https://" + server},
    ]
    if unlock.KEEPASSXC in running and unlock.is_locked_keepassxc(lookup):
        searches = []  # for which it could show its dialog
    for _ in range(_TRIES):
        *found, default = lookup.ask(
            *(_search(attributes) for attributes in searches),
            lambda serial: wire.call(serial, wire.SERVICE, b"ReadAlias", b"s", wire.string(b"default")),
        )
        # gnome-keyring can come to the first call of a connection before it knows of the connection.
        if not any(reply.error_name == incoming.UNKNOWN_METHOD for reply in (*found, default)):
            break
    unlocked, locked = (
        list(dict.fromkeys(path for reply in map(incoming.read_found, found) for path in reply[which]))
        for which in (0, 1)
    )
    state.locked_items = len(locked)
    collection = default.reader(b"o").string()
    unlocked = unlocked[:_MOST_ITEMS]
    is_locked, label, *of_items = lookup.ask(
        _property(collection, _COLLECTION, b"Locked"),
        _property(collection, _COLLECTION, b"Label"),
        *(_property(path, _ITEM, name) for path in unlocked for name in (b"Attributes", b"Modified")),
    )
    if collection == b"/":
        state.state = "no collection"
        return
    state.collection = _string(label)
    state.state = "locked" if _flag(is_locked) else "open"
    if state.state == "locked" and locked and options.unlock != "never":
        state.opens = bool(unlock.open_already(lookup, locked, options))
    for path, attributes, modified in zip(unlocked, of_items[::2], of_items[1::2], strict=True):
        if attributes.type != incoming.ERROR:
            one = _item(server, path, incoming.read_attributes(attributes), _number(modified))
            state.items += [one] if one is not None else []


def _item(server: bytes, path: bytes, attributes: dict[bytes, bytes], modified: int) -> Item | None:
    place, _, scope = attributes.get(item.MARK, b"").partition(b"/")
    ours = item.MARK in attributes
    if (ours and place != server) or attributes.get(b"port") != item.of_server(server).get(b"port"):
        return None
    return Item(path, ours, scope, attributes.get(b"user", HF_USER), modified)


def _name_provider(state: State, process: int, running: list[bytes]) -> None:
    state.process = process
    try:
        state.program = os.readlink(f"/proc/{process}/exe").removesuffix(" (deleted)")
        state.provider = os.path.basename(state.program)
    except OSError:
        state.provider = f"process {process}"
    # NixOS starts many a program under a name with a dot before it.
    state.provider = state.provider.removeprefix(".").removesuffix("-wrapped")
    state.others = [name for bus_name, name in _KEYRINGS.items() if bus_name in running and name != state.provider]


def _search(attributes: dict[bytes, bytes]) -> Callable[[int], bytes]:
    return lambda serial: wire.search_items(serial, attributes)


def _property(path: bytes, interface: bytes, name: bytes) -> Callable[[int], bytes]:
    address = (wire.SECRETS, path, _PROPERTIES)
    return lambda serial: wire.call(serial, address, b"Get", b"ss", wire.strings(interface, name))


def _strings(message: incoming.Message) -> list[bytes]:
    return message.reader(b"as").paths()


def _string(message: incoming.Message) -> str | None:
    if message.type == incoming.ERROR:
        return None
    reader = message.reader(incoming.VARIANT)
    return reader.string().decode("utf-8", "replace") if reader.signature() == b"s" else None


def _flag(message: incoming.Message) -> bool:
    if message.type == incoming.ERROR:
        return False
    reader = message.reader(incoming.VARIANT)
    return reader.signature() == b"b" and reader.u32() == 1


def _number(message: incoming.Message) -> int:
    if message.type == incoming.ERROR:
        return 0
    reader = message.reader(incoming.VARIANT)
    if reader.signature() != b"t":
        return 0
    reader.align(8)
    return int.from_bytes(reader.take(8), "little" if message.little else "big")
