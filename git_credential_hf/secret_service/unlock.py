"""Unlocks a locked keyring, over the connection that found it locked. An open keyring does not load this module."""

from git_credential_hf.secret_service import messages
from git_credential_hf.secret_service.dbus.decode import SIGNAL
from git_credential_hf.secret_service.quirks import keepassxc, kwallet

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from git_credential_hf.options import Options
    from git_credential_hf.secret_service.dbus.connection import Connection


def unlock(connection: "Connection", objects: list[bytes], options: "Options") -> bool:
    """Unlock items or collections as far as `options.unlock` allows; return whether to look again.

    "auto" takes what Unlock opens at once, as it does a collection without a password, and lets no prompt begin but
    that of a KWallet that is open; "prompt" lets the desktop ask, until the time of the connection ends. Raises
    Unavailable.
    """
    if options.unlock == "never":
        return False
    may_prompt = options.unlock == "prompt"
    if not may_prompt:
        if keepassxc.is_provider(connection):
            return False
        wallets = kwallet.open_already(connection, objects, options)
        if wallets is not None:
            objects, may_prompt = wallets, True
    if not objects:
        return False
    (reply,) = connection.ask(messages.unlock(objects))
    unlocked, prompt = messages.read_unlocked(reply)
    done = bool(unlocked)
    if prompt != messages.NO_OBJECT and may_prompt:
        done = _prompted(connection, prompt)
    options.note("keyring: Unlock: %s", "unlocked" if done else "still locked")
    return done


def hidden(connection: "Connection") -> list[bytes]:
    """Return the default collection if it is locked. oo7-daemon finds no items in a locked collection.

    Raises Unavailable.
    """
    (alias,) = connection.ask(messages.read_alias(b"default"))
    collection = messages.read_collection(alias)
    (locked,) = connection.ask(messages.property_of(collection, messages.COLLECTION, b"Locked"))
    return [collection] if not locked.is_error and locked.as_flag() else []


def _prompted(connection: "Connection", prompt: bytes) -> bool:
    last = connection.tell(messages.match_completed(), messages.prompt(prompt))
    while True:
        for message in connection.messages():
            if message.is_error and message.reply_to == last:
                return False
            if message.type == SIGNAL and message.path == prompt and message.member == b"Completed":
                return messages.read_completed(message)
