"""What is done about a locked keyring, over the connection of a look-up: nothing loads this while it is open.

A wallet of KWallet that the login has opened calls itself locked until a program asks to unlock it, which then shows
no dialog. Whether it is open is for KDE's own interface to say (org.kde.KWallet, kf5_org.kde.KWallet.xml).
"""

from git_credential_hf import reading
from git_credential_hf.secret_service import incoming, wire

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from collections.abc import Callable

    from git_credential_hf.options import Options
    from git_credential_hf.secret_service.lookup import Lookup

_COLLECTIONS = b"/org/freedesktop/secrets/collection/"
_PROMPT = b"org.freedesktop.Secret.Prompt"
_COMPLETED = (
    b"type='signal',sender='org.freedesktop.secrets',interface='org.freedesktop.Secret.Prompt',member='Completed'"
)

# The wallet is asked under the name of the Secret Service, so that it is no other keyring's item that is unlocked where
# several run: that one has no such object, and answers with an error.
_KWALLETS = (b"/modules/kwalletd5", b"/modules/kwalletd6")

KEEPASSXC = b"org.keepassxc.KeePassXC.MainWindow"
_DEFAULT = (wire.SECRETS, b"/org/freedesktop/secrets/aliases/default", b"org.freedesktop.DBus.Properties")


# --- messages --------------------------------------------------------------------------------------------


def is_open(serial: int, path: bytes, wallet: bytes) -> bytes:
    """Return the isOpen call about the wallet of that name, to the object `path` of KWallet's."""
    address = (wire.SECRETS, path, b"org.kde.KWallet")
    return wire.call(serial, address, b"isOpen", b"s", wire.string(wallet), wire.NO_AUTO_START)


def owner_of(serial: int, name: bytes) -> bytes:
    """Return the call that asks who on the bus has the name."""
    return wire.call(serial, wire.BUS, b"GetNameOwner", b"s", wire.string(name))


def is_locked(serial: int) -> bytes:
    """Return the call that asks whether the default collection is locked."""
    question = wire.strings(b"org.freedesktop.Secret.Collection", b"Locked")
    return wire.call(serial, _DEFAULT, b"Get", b"ss", question, wire.NO_AUTO_START)


def unlock_call(serial: int, objects: list[bytes]) -> bytes:
    """Return the Unlock call for items or collections."""
    paths = wire.strings(*objects)
    return wire.call(serial, wire.SERVICE, b"Unlock", b"ao", wire.u32(len(paths)) + paths)


def add_match(serial: int) -> bytes:
    """Return the call that lets the Completed signals of the Secret Service's prompts come."""
    return wire.call(serial, wire.BUS, b"AddMatch", b"s", wire.string(_COMPLETED))


def prompt_call(serial: int, prompt: bytes) -> bytes:
    """Return the call that sets the prompt going, with no window that its dialog would belong to."""
    return wire.call(serial, (wire.SECRETS, prompt, _PROMPT), b"Prompt", b"s", wire.string(b""))


def read_owner(message: incoming.Message) -> bytes:
    """Return who has the name, empty where nobody has."""
    return b"" if message.type == incoming.ERROR else message.reader(b"s").string()


def read_locked(message: incoming.Message) -> bool:
    """Whether anything but a plain no came: that there is no default collection, for one."""
    if message.type == incoming.ERROR:
        return True
    reader = message.reader(incoming.VARIANT)
    return reader.signature() != b"b" or reader.u32() != 0


def read_open(message: incoming.Message) -> bool:
    """Whether isOpen was answered with true; an error is a no."""
    return message.type != incoming.ERROR and message.reader(b"b").u32() == 1


def read_unlocked(message: incoming.Message) -> tuple[list[bytes], bytes]:
    """Return what Unlock has unlocked, and the prompt that the rest needs, b"/" for none."""
    reader = message.reader(b"aoo")
    return reader.paths(), reader.string()


def read_completed(message: incoming.Message) -> bool:
    """Whether the prompt did what it was for: it was not dismissed."""
    return message.reader(b"bv").u32() == 0


# --- the conversation ------------------------------------------------------------------------------------


def is_locked_keepassxc(lookup: "Lookup") -> bool:
    """Whether the Secret Service is KeePassXC, and locked. Raises Unavailable.

    As it is installed, it would then show its dialog for a search, and not answer until that is closed. There is
    nothing to be found in it anyway.
    """
    names = [lambda serial: owner_of(serial, KEEPASSXC), lambda serial: owner_of(serial, wire.SECRETS)]
    window, service = (read_owner(reply) for reply in lookup.ask(*names))
    # No other is asked: gnome-keyring aborts if the first call of a connection, which it can come to before it knows of
    # the connection, is about a property.
    return window == service != b"" and read_locked(lookup.ask(is_locked)[0])


def unlock(lookup: "Lookup", objects: list[bytes], options: "Options") -> bool:
    """Unlock items or collections as far as `options.unlock` allows; return whether to look again.

    "auto" unlocks what is known to be silent and nothing else; "prompt" lets the desktop ask, until the time of the
    look-up ends. Raises Unavailable.
    """
    if options.unlock == "auto":
        objects = open_already(lookup, objects, options)
    if not objects or options.unlock == "never":
        return False
    (reply,) = lookup.ask(lambda serial: unlock_call(serial, objects))
    unlocked, prompt = read_unlocked(reply)
    done = bool(unlocked) if prompt == b"/" else _prompted(lookup, prompt)
    options.trace("keyring: Unlock: %s", "unlocked" if done else "still locked")
    return done


def open_already(lookup: "Lookup", objects: list[bytes], options: "Options") -> list[bytes]:
    """Return those of `objects` that are in a wallet that is open, and so unlocked without a dialog."""
    if _asks_for_each_program(options.environ):
        options.trace("keyring: locked; KWallet is set to ask before a program uses it, so it is left alone")
        return []
    wallets = list(dict.fromkeys(_wallet(path) for path in objects))
    calls = [_question(path, wallet) for wallet in wallets if wallet for path in _KWALLETS]
    if not calls:
        return []
    answers = [read_open(reply) for reply in lookup.ask(*calls)]
    named = [wallet for wallet in wallets if wallet for _ in _KWALLETS]
    opened = {wallet for wallet, answer in zip(named, answers, strict=True) if answer}
    options.trace("keyring: locked; KWallet's isOpen: %s", "open" if opened else "no such open wallet")
    return [path for path in objects if _wallet(path) in opened]


def _question(path: bytes, wallet: bytes) -> "Callable[[int], bytes]":
    return lambda serial: is_open(serial, path, wallet)


def _wallet(path: bytes) -> bytes:
    """Return the name of the wallet that the collection or item at `path` is of, empty where the path does not tell.

    In a path KWallet writes what is no letter or digit as `_` and two digits, but leaves a `_` itself, so that only a
    name without one is sure.
    """
    name = path.removeprefix(_COLLECTIONS).partition(b"/")[0] if path.startswith(_COLLECTIONS) else b""
    return name if name.isalnum() else b""


def _asks_for_each_program(environ: dict[bytes, bytes]) -> bool:
    """Whether KWallet may show a dialog although the wallet is open: "Prompt on Open" in kwalletrc."""
    home = environ.get(b"XDG_CONFIG_HOME") or environ.get(b"HOME", b"") + b"/.config"
    folders = [home, *(environ.get(b"XDG_CONFIG_DIRS") or b"/etc/xdg").split(b":")]
    for folder in folders:
        for line in reading.read(folder + b"/kwalletrc").split(b"\n"):
            key, _, value = line.partition(b"=")
            # A key may end in flags, as in `Prompt on Open[$i]`.
            if key.partition(b"[")[0].strip() == b"Prompt on Open" and value.strip().lower() not in (
                b"false", b"no", b"off", b"0",
            ):  # fmt: skip
                return True
    return False


def _prompted(lookup: "Lookup", prompt: bytes) -> bool:
    last = lookup.tell(add_match, lambda serial: prompt_call(serial, prompt))
    while True:
        for message in lookup.messages():
            if message.type == incoming.ERROR and message.reply_to == last:
                return False
            if message.type == incoming.SIGNAL and message.path == prompt and message.member == b"Completed":
                return read_completed(message)
