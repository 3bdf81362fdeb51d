"""The calls of the Secret Service to bytes, and its replies from bytes. Source: Secret Service API 0.2."""

from git_credential_hf.secret_service.dbus.decode import Message, WireError
from git_credential_hf.secret_service.dbus.encode import BUS, call, get_property, padding, string, strings, u32

SECRETS = b"org.freedesktop.secrets"
SERVICE = (SECRETS, b"/org/freedesktop/secrets", b"org.freedesktop.Secret.Service")
COLLECTION = b"org.freedesktop.Secret.Collection"
ITEM = b"org.freedesktop.Secret.Item"
PROMPT = b"org.freedesktop.Secret.Prompt"

# The collection of gnome-keyring and oo7-daemon that is in memory alone. Another keyring may have one of that name.
OF_SESSION = b"/org/freedesktop/secrets/collection/session"

NO_OBJECT = b"/"  # stands for no prompt, and for no collection

_COMPLETED_SIGNALS = (
    b"type='signal',sender='org.freedesktop.secrets',interface='org.freedesktop.Secret.Prompt',member='Completed'"
)


def open_session() -> bytes:
    """Return the OpenSession call for a session that passes secrets in plain, over a socket that is the user's own."""
    return call(SERVICE, b"OpenSession", b"sv", string(b"plain") + b"\1s\0" + bytes(3) + string(b""))


def search_items(attributes: dict[bytes, bytes]) -> bytes:
    """Return the SearchItems call for the items of all collections that have at least `attributes`."""
    entries = b""
    for name, value in attributes.items():
        entries += padding(len(entries), 8) + strings(name, value)
    return call(SERVICE, b"SearchItems", b"a{ss}", u32(len(entries)) + bytes(4) + entries)


def get_secrets(items: list[bytes], session: bytes) -> bytes:
    """Return the GetSecrets call for the object paths `items`."""
    paths = strings(*items)
    body = u32(len(paths)) + paths
    return call(SERVICE, b"GetSecrets", b"aoo", body + padding(len(body), 4) + string(session))


def read_alias(alias: bytes) -> bytes:
    """Return the call that asks which collection has the alias: "default", for one."""
    return call(SERVICE, b"ReadAlias", b"s", string(alias))


def process() -> bytes:
    """Return the call that asks for the number of the process that is the Secret Service; see provider.program."""
    return call(BUS, b"GetConnectionUnixProcessID", b"s", string(SECRETS))


def property_of(path: bytes, interface: bytes, name: bytes, flags: int = 0) -> bytes:
    """Return the call that reads a property of an item or a collection."""
    return get_property((SECRETS, path), interface, name, flags)


def unlock(objects: list[bytes]) -> bytes:
    """Return the Unlock call for items or collections."""
    paths = strings(*objects)
    return call(SERVICE, b"Unlock", b"ao", u32(len(paths)) + paths)


def match_completed() -> bytes:
    """Return the call that lets the Completed signals of prompts come."""
    return call(BUS, b"AddMatch", b"s", string(_COMPLETED_SIGNALS))


def prompt(path: bytes) -> bytes:
    """Return the call that sets a prompt going, with no window that its dialog would belong to."""
    return call((SECRETS, path, PROMPT), b"Prompt", b"s", string(b""))


def read_session(message: Message) -> bytes:
    """Return the object path of the session that OpenSession opened."""
    body = message.decoder(b"vo")
    # What the algorithm "plain" gives is empty: a string in gnome-keyring and KeePassXC, an array of bytes in KWallet.
    given = {b"s": body.string, b"ay": body.byte_array}.get(body.signature())
    if given is None or given():
        raise WireError("a session is not plain")
    return body.string()


def read_found(message: Message) -> tuple[list[bytes], list[bytes]]:
    """Return the unlocked and the locked items that SearchItems found."""
    body = message.decoder(b"aoao")
    unlocked = body.paths()
    return unlocked, body.paths()


def read_secrets(message: Message) -> dict[bytes, bytes]:
    """Return the secret of each item that GetSecrets gave one for."""
    body = message.decoder(b"a{o(oayays)}")
    secrets = {}
    for _ in body.elements(8):
        item = body.string()
        body.align(8)
        body.string()  # the session
        body.byte_array()  # the parameters, of which a plain session has none
        secrets[item] = body.byte_array()
        body.string()  # the content type
    return secrets


def read_collection(message: Message) -> bytes:
    """Return the collection that has the alias, NO_OBJECT where none has."""
    return message.decoder(b"o").string()


def read_label(message: Message, collection: bytes) -> str:
    """Return the label of the collection, for people; the end of its path where it has none, as that of a session."""
    return (message.as_text() or collection.rpartition(b"/")[2]).decode("utf-8", "replace")


def read_unlocked(message: Message) -> tuple[list[bytes], bytes]:
    """Return what Unlock has unlocked, and the prompt that the rest needs, NO_OBJECT for none."""
    body = message.decoder(b"aoo")
    return body.paths(), body.string()


def read_completed(message: Message) -> bool:
    """Return whether the prompt did what it was for: it was not dismissed."""
    return message.decoder(b"bv").u32() == 0
