"""Every item of ours, in whichever collection: read over the bus, and nothing is changed."""

from typing import NamedTuple

from git_credential_hf.model import item
from git_credential_hf.model.item import Item
from git_credential_hf.model.repository import HUB
from git_credential_hf.model.token import Token
from git_credential_hf.options import Options
from git_credential_hf.secret_service import Locked, messages
from git_credential_hf.secret_service.reader import Reader
from git_credential_hf.secret_service.unlock import hidden

MOST_OURS = 4096  # that are looked at: each costs a call
_MOST_ITEMS = 256  # of others


class Held(NamedTuple):
    """An item of ours.

    origin: who wrote it (see model.item). collection: the label of the collection that it is in.
    item: what it is for; None where a locked keyring does not tell. token: None where it is locked, or has none.
    """

    origin: bytes
    collection: str
    item: Item | None
    token: Token | None
    locked: bool


def items(options: Options) -> list[Held]:
    """Return every item of ours that the keyring tells of, within `options.timeout`. Raises Unavailable."""
    with Reader(options) as reader:
        of_host = reader.search([item.of_server(HUB)])[0]  # what somebody has changed may have no origin
        reader.locked.clear()
        locked: dict[bytes, bytes] = {}  # nothing is told of it but that it has what is searched for
        found: set[bytes] = set()
        for origin in (item.SEEDED, item.DECLARED, item.STORED):
            found |= set(reader.search([{item.ORIGIN: origin}])[0])
            locked |= dict.fromkeys(set(reader.locked) - locked.keys(), origin)
        if not found and not of_host and not locked and hidden(reader):
            raise Locked("it is locked")
        known = reader.marked(sorted(found)[:MOST_OURS] + sorted(set(of_host) - found)[:_MOST_ITEMS])
        places = list(dict.fromkeys(_collection(path) for path in (*known, *locked)))
        labels = dict(zip(places, _labels(reader, places), strict=True))
        held = []
        for path, (secret, attributes) in known.items():
            ours = item.ours(attributes)
            if ours is not None:
                token = item.from_secret(secret, ours.user, path=path, scope=ours.scope)
                held.append(Held(ours.origin, labels[_collection(path)], ours, token, False))
        of_locked = reader.attributes(list(locked)[:MOST_OURS])
        for path in locked:
            attributes = of_locked.get(path, {})
            held.append(Held(locked[path], labels[_collection(path)], item.ours(attributes), None, True))
    return held


def _collection(path: bytes) -> bytes:
    return path.rpartition(b"/")[0]


def _labels(reader: Reader, collections: list[bytes]) -> list[str]:
    if not collections:
        return []
    replies = reader.ask(*(messages.property_of(one, messages.COLLECTION, b"Label") for one in collections))
    return [messages.read_label(reply, one) for reply, one in zip(replies, collections, strict=True)]
