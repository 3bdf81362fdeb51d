"""What is in the keyring for a host, and which program it is: read over the bus, with nothing unlocked."""

import os
from typing import NamedTuple

from git_credential_hf.cli.output import shown
from git_credential_hf.model import item
from git_credential_hf.model.item import Item
from git_credential_hf.options import Options
from git_credential_hf.secret_service import NO_BUS, NO_KEYRING, NotYours, Unavailable, messages, other_tools, provider
from git_credential_hf.secret_service.dbus import opening
from git_credential_hf.secret_service.dbus.encode import BUS, call
from git_credential_hf.secret_service.inventory import MOST_OURS
from git_credential_hf.secret_service.quirks import gnome_keyring, keepassxc, kwallet
from git_credential_hf.secret_service.reader import Reader

_MOST_ITEMS = 256  # of other tools, that are looked at: each costs two calls
_MOST_COLLECTIONS = 4  # that are named

# Names that a keyring takes on the bus beside the Secret Service's.
_KEYRINGS = {
    b"org.gnome.keyring": "gnome-keyring-daemon",
    b"org.kde.kwalletd5": "kwalletd5",
    b"org.kde.kwalletd6": "kwalletd6",
    b"org.kde.ksecretd": "ksecretd",
    keepassxc.WINDOW: "keepassxc",
}


WORDS = {
    "no bus": NO_BUS,
    "not yours": "the session bus belongs to another user, and is not asked",
    "no keyring": NO_KEYRING,
    "no collection": "the keyring has no default collection",
    "locked": "the keyring is locked",
    "silent": "the keyring does not answer",
}
"""The state of a keyring that gives nothing, for people."""


class Stored(NamedTuple):
    """An unlocked item of ours for the host: what it is for, its secret's text, and when it was written.

    modified: seconds since the epoch, 0 where that is not known.
    """

    path: bytes
    item: Item
    text: bytes
    modified: int


class State:
    """state: "open", "locked", "no collection", "no keyring", "no bus", "not yours" or "silent".

    why: the error's text.
    """

    def __init__(self) -> None:
        self.state = "no bus"
        self.why = ""
        self.provider: str | None = None
        self.program: str | None = None  # its path, where that can be known: to be shown, and never to be run
        self.others: list[str] = []  # keyrings that run as well, and do not answer as the Secret Service
        self.collection: str | None = None
        self.ours: list[Stored] = []
        self.items_of_others = 0
        self.locked_items = 0
        self.locked_in: list[str] = []  # the labels of the collections that these are in
        self.lost = 0  # items of ours whose secret is gone: KWallet was ended before it had written it
        self.is_hidden = False  # locked, and not asked what is in it
        self.until_logout = False  # its default collection is in memory alone
        self.opens = False  # locked, and known to be unlocked without a dialog by the next that asks for an item

    def name(self) -> str:
        """Return the program's name for people."""
        return shown(self.provider or "the keyring")

    def why_nothing(self) -> str:
        """Return why it gives nothing, for people; empty where it is open and nothing in it is locked."""
        if self.locked_in and self.state in ("open", "no collection"):
            return f"the keyring's items in {self.locked_place()} are locked"
        return WORDS.get(self.state, "")

    def locked_place(self) -> str:
        """Return the collections with locked items, for people."""
        labels = [f'"{shown(label)}"' for label in self.locked_in]
        return f"the collection{'s'[: len(labels) != 1]} {' and '.join(labels)}"


def bus_answers(options: Options) -> bool:
    """Return whether the session bus says anything; one that is mute uses up the time of `options`."""
    try:
        with Reader(options) as reader:
            reader.ask(call(BUS, b"ListNames"))
    except Unavailable:
        return False
    return True


def look(server: bytes, path: bytes, options: Options, *, mute: bool) -> State:
    """Return the state of the keyring that answers for `path` at `server`, within the time of `options`.

    mute: whether it is known to give no answer; then it is not asked, and is named alone.
    """
    state = State()
    try:
        with Reader(options) as reader:
            _look(reader, server, path, state, options, mute=mute)
    except Unavailable as reason:
        state.state = "silent" if state.provider else "not yours" if isinstance(reason, NotYours) else "no bus"
        state.why = str(reason)
    return state


def _look(reader: Reader, server: bytes, path: bytes, state: State, options: Options, *, mute: bool) -> None:
    names, owner = reader.ask(call(BUS, b"ListNames"), messages.process())
    running = names.decoder(b"as").paths()
    state.others = [name for bus_name, name in _KEYRINGS.items() if bus_name in running]
    if owner.is_error:
        state.state = "no keyring"
        return
    _name_provider(state, owner.decoder(b"u").u32())
    if mute:
        raise opening.too_late(options)

    # A locked item is found by its host, and not by its schema.
    host = item.of_server(server)
    others = [one.attributes for one in other_tools.tools(server, path) if not host.items() <= one.attributes.items()]
    ours = [host | {item.ORIGIN: origin} for origin in (item.SEEDED, item.DECLARED, item.STORED)]
    searches = [*ours, *item.searches(server), *others]
    if keepassxc.WINDOW in running and keepassxc.is_locked(reader):
        searches = []  # for which it could show its dialog
        state.is_hidden = True
    *found, default = gnome_keyring.ask(reader, *map(messages.search_items, searches), messages.read_alias(b"default"))
    replies = list(map(messages.read_found, found))
    unlocked, locked = (list(dict.fromkeys(path for reply in replies for path in reply[which])) for which in (0, 1))
    count = len({path for reply in replies[: len(ours)] for path in reply[0]})  # of ours, which are the first
    state.locked_items = len(locked)
    collection = messages.read_collection(default)
    places = list(dict.fromkeys(path.rpartition(b"/")[0] for path in locked))[:_MOST_COLLECTIONS]
    is_locked, label, *labels = reader.ask(
        messages.property_of(collection, messages.COLLECTION, b"Locked"),
        *(messages.property_of(one, messages.COLLECTION, b"Label") for one in (collection, *places)),
    )
    state.locked_in = [messages.read_label(reply, one) for reply, one in zip(labels, places, strict=True)]
    # gnome-keyring 42.1 names one at the first login that it does not have yet.
    if collection == messages.NO_OBJECT or is_locked.is_error:
        state.state = "no collection"
        return
    state.collection = messages.read_label(label, collection)
    if collection == messages.OF_SESSION:
        (session,) = reader.ask(messages.read_alias(b"session"))
        state.until_logout = not session.is_error and messages.read_collection(session) == collection
    state.state = "locked" if is_locked.as_flag() else "open"
    if state.state == "locked" and options.unlock != "never":
        is_open = bool(kwallet.open_already(reader, locked or [collection], options))
        state.opens = is_open and bool(locked)
        if is_open and not locked:  # `seed` stores in it without a dialog
            state.state = "open"
    _read_items(reader, server, state, unlocked[: min(count, MOST_OURS) + _MOST_ITEMS])


def _read_items(reader: Reader, server: bytes, state: State, paths: list[bytes]) -> None:
    port = item.port(item.of_server(server))
    modified = reader.ask(*(messages.property_of(path, messages.ITEM, b"Modified") for path in paths)) if paths else []
    written = {path: reply.as_number() or 0 for path, reply in zip(paths, modified, strict=True)}
    for path, (secret, attributes) in reader.marked(paths).items():
        ours = item.ours(attributes)
        if ours is not None and ours.server == server:
            state.lost += not secret
            state.ours.append(Stored(path, ours, item.text_of(secret), written[path]))
        elif item.MARK not in attributes and item.port(attributes) == port:
            state.items_of_others += 1


def _name_provider(state: State, process: int) -> None:
    state.program = provider.program(process)
    name = os.path.basename(state.program) if state.program else f"process {process}"
    # NixOS starts many a program under a name with a dot before it.
    state.provider = name.removeprefix(".").removesuffix("-wrapped")
    state.others = [one for one in state.others if one != state.provider]
