"""KWallet: a wallet that the login has opened says that it is locked until a program asks to unlock it.

That then shows no dialog. Whether the wallet is open is for KDE's own interface to say (org.kde.KWallet,
kf5_org.kde.KWallet.xml).
"""

import posix

from git_credential_hf.secret_service.dbus.encode import NO_AUTO_START, call, string
from git_credential_hf.secret_service.messages import SECRETS
from git_credential_hf.state import safe_read

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from git_credential_hf.options import Options
    from git_credential_hf.secret_service.dbus.connection import Connection
    from git_credential_hf.secret_service.dbus.decode import Message

# What the bus can start where Plasma did not, as at an automatic login: ksecretd, and the daemons before it.
SERVICES = (b"org.kde.secretservicecompat", b"org.kde.kwalletd6", b"org.kde.kwalletd5")

# Where pam_kwallet has its daemon wait for the environment of the session. Source: kwallet-pam, pam_kwallet_init.
_LOGINS = (b"PAM_KWALLET5_LOGIN", b"PAM_KWALLET_LOGIN")
_INIT = (
    "/usr/share/libpam-kwallet-common/pam_kwallet_init",  # Debian
    "/usr/libexec/pam_kwallet_init",  # Fedora
    "/usr/lib/pam_kwallet_init",  # Arch Linux
)

_COLLECTIONS = b"/org/freedesktop/secrets/collection/"

# The wallet is asked under the name of the Secret Service, so that it is no other keyring's item that is unlocked where
# several run: that one has no such object, and answers with an error.
_OBJECTS = (b"/modules/kwalletd5", b"/modules/kwalletd6")

_MOST_WALLETS = 16  # nobody has as many, and each costs a call to each object


def open_already(connection: "Connection", paths: list[bytes], options: "Options") -> list[bytes] | None:
    """Return those of `paths`, items or collections, that are in a wallet that is open: no dialog unlocks them.

    None where the Secret Service is not KWallet. Raises Unavailable.
    """
    wallets = list(dict.fromkeys(_wallet(path) for path in paths))[:_MOST_WALLETS]
    asked = [(place, wallet) for wallet in wallets for place in _OBJECTS]
    replies = connection.ask(*(is_open(place, wallet) for place, wallet in asked))
    if all(reply.is_error for reply in replies):
        return None
    if _asks_for_each_program(options.environ):
        options.note("keyring: locked; KWallet is set to ask before a program uses it, so it is left alone")
        return []
    opened = {wallet for (_, wallet), reply in zip(asked, replies, strict=True) if read_open(reply)}
    options.note("keyring: locked; KWallet's isOpen: %s", "open" if opened else "no such open wallet")
    return [path for path in paths if _wallet(path) in opened - {b""}]


def is_open(place: bytes, wallet: bytes) -> bytes:
    """Return the isOpen call about the wallet of that name, to the object `place` of KWallet's."""
    return call((SECRETS, place, b"org.kde.KWallet"), b"isOpen", b"s", string(wallet), NO_AUTO_START)


def read_open(message: "Message") -> bool:
    """Return whether isOpen was answered with true; an error is a no."""
    return not message.is_error and message.decoder(b"b").u32() == 1


def waiting(environ: dict[bytes, bytes]) -> str:
    """Return the command that tells a KWallet of this session that the login has opened; empty where there is none."""
    for name in _LOGINS:
        if (login := environ.get(name)) and posix.access(login, posix.W_OK):
            known = [program for program in _INIT if posix.access(program, posix.X_OK)]
            return known[0] if known else f'env | socat STDIN "UNIX-CONNECT:${name.decode()}"'
    return ""


def _wallet(path: bytes) -> bytes:
    """Return the name of the wallet that the collection or item at `path` is of, empty where the path does not tell.

    In a path KWallet writes what is no letter or digit as `_` and two digits, but leaves a `_` itself, so that only a
    name without one is sure.
    """
    name = path.removeprefix(_COLLECTIONS).partition(b"/")[0] if path.startswith(_COLLECTIONS) else b""
    return name if name.isalnum() else b""


def _asks_for_each_program(environ: dict[bytes, bytes]) -> bool:
    """Return whether KWallet may show a dialog although the wallet is open: "Prompt on Open" in kwalletrc."""
    home = environ.get(b"XDG_CONFIG_HOME") or environ.get(b"HOME", b"") + b"/.config"
    folders = [home, *(environ.get(b"XDG_CONFIG_DIRS") or b"/etc/xdg").split(b":")]
    for folder in folders:
        for line in safe_read.read(folder + b"/kwalletrc").split(b"\n"):
            key, _, value = line.partition(b"=")
            # A key may end in flags, as in `Prompt on Open[$i]`.
            if key.partition(b"[")[0].strip() == b"Prompt on Open" and value.strip().lower() not in (
                b"false", b"no", b"off", b"0",
            ):  # fmt: skip
                return True
    return False
