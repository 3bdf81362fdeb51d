"""pass_secret_service and pass-secret-service: they say that nothing is locked, and have gpg ask for a passphrase.

Whether gpg would ask is for gpg's agent to say, or for the keys' files where no agent runs. Which key the store is for
is in the store, and what the agent calls that key is for gpg to say. Source: pass(1), ".gpg-id"; GnuPG's manual,
"Agent's Assuan Protocol", KEYINFO; keyformat.txt; DETAILS, "Format of the --with-colons listings".
"""

import _socket
import posix

from git_credential_hf.secret_service import Locked, Unavailable
from git_credential_hf.secret_service.dbus import opening
from git_credential_hf.state import safe_read

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from git_credential_hf.options import Options

_COLLECTIONS = b"/org/freedesktop/secrets/collection/"
_NAME = b"xxxxxxxx_xxxx_xxxx_xxxx_xxxxxxxxxxxx"
_HEXADECIMAL = bytes.maketrans(b"0123456789abcdef", b"x" * 16)

_LARGEST_REPLY = 1 << 16  # bytes: a line of about 100 for each key
_MOST_KEYS = 64  # nobody has as many
_Z_BASE_32 = b"ybndrfg8ejkmcpqxot1uwisza345h769"
_OVER = (b"r", b"e")  # a key that was revoked, or has expired


def leave_alone(path: bytes, store: bytes, options: "Options") -> None:
    """Raise Locked where a secret at `path`, an item or a collection, would have gpg ask and nobody wants that.

    store: the folder of the password store.
    """
    if options.unlock != "prompt" and _is_of_pass(path, store) and _would_ask(store, options):
        raise Locked("the passphrase of its key is not known to gpg's agent: run `pass` to enter it")


def _is_of_pass(path: bytes, store: bytes) -> bool:
    """Return whether an item or a collection is in a password store.

    pass_secret_service calls its own by UUIDs with `_`; pass-secret-service by the names of their files in the store.
    """
    place = path.removeprefix(_COLLECTIONS)
    if place == path or b"\0" in path:
        return False
    file = store + b"/secret-service/" + place
    has_file = posix.access(file + b".gpg", posix.F_OK) or posix.access(file, posix.F_OK)
    return has_file or all(name.translate(_HEXADECIMAL) == _NAME for name in place.split(b"/"))


def _would_ask(store: bytes, options: "Options") -> bool:
    """Return whether the key of the store, or where that is not known each of the user's, would be asked about."""
    keys = _keys_of(store, options)
    named = options.environ.get(b"GNUPGHOME")
    home = named or options.environ.get(b"HOME", b"") + b"/.gnupg"
    runtime = b"/run/user/%d/gnupg" % posix.geteuid() + (b"/d." + _hashed(named) if named else b"")
    for folder in (runtime, home):
        try:
            lines = _ask_agent(folder + b"/S.gpg-agent", options)
        except OSError:
            continue
        return not any(_is_ready(line.split(b" "), keys) for line in lines)
    return not _has_key_without_passphrase(home + b"/private-keys-v1.d/", keys)


def _hashed(home: bytes) -> bytes:
    """Return by what gpg tells the sockets of a home that is not ~/.gnupg. Source: GnuPG, common/homedir.c."""
    import hashlib

    bits = int.from_bytes(hashlib.sha1(home, usedforsecurity=False).digest()[:15], "big")
    return bytes(_Z_BASE_32[bits >> shift & 31] for shift in range(115, -1, -5))


def _keys_of(store: bytes, options: "Options") -> list[bytes]:
    """Return the keygrips of the store's keys that encrypt; none where that is not known."""
    ids = safe_read.read(store + b"/secret-service/.gpg-id") or safe_read.read(store + b"/.gpg-id")
    names = [name for line in ids.split(b"\n") if (name := line.partition(b"#")[0].strip())]
    if not names:
        return []
    import subprocess

    # What else is in the environment may be a token.
    environ = {name: value for name, value in options.environ.items() if name in (b"PATH", b"HOME", b"GNUPGHOME")}
    command = [b"gpg", b"--batch", b"--no-autostart", b"--with-colons", b"--with-keygrip", b"--list-keys", b"--"]
    none = subprocess.DEVNULL
    left = opening.remaining(options)
    try:
        done = subprocess.run(
            command + names, env=environ, stdin=none, stdout=subprocess.PIPE, stderr=none, timeout=left, check=False
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return []
    keys: list[bytes] = []
    encrypts = False
    for fields in (line.split(b":") for line in done.stdout.split(b"\n")):
        if fields[0] in (b"pub", b"sub"):
            encrypts = any(b"e" in can for can in fields[11:12]) and fields[1] not in _OVER
        elif fields[0] == b"grp" and encrypts:
            keys += fields[9:10]
    return keys


def _ask_agent(address: bytes, options: "Options") -> list[bytes]:
    """Return what the agent says of its keys, a line for each. Raises OSError where none listens."""
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        connection.settimeout(opening.remaining(options))
        connection.connect(address)
        opening.send(connection, b"KEYINFO --list\n", options)
        said = b""
        # The first OK is its greeting.
        while said.count(b"\nOK") + said.startswith(b"OK") < 2 and b"ERR" not in said:
            said += opening.receive(connection, options)
            if len(said) > _LARGEST_REPLY:
                return []
        return said.split(b"\n")
    except Unavailable:
        return []
    finally:
        connection.close()


def _is_ready(words: list[bytes], keys: list[bytes]) -> bool:
    """Return whether a line of KEYINFO is of a key in a file whose passphrase is in the cache, or that has none.

    keys: the keygrips of those that count; if empty, all do.
    """
    is_one = words[:2] == [b"S", b"KEYINFO"] and (not keys or words[2:3] in [[key] for key in keys])
    return is_one and words[3:4] == [b"D"] and (words[6:7] == [b"1"] or words[7:8] == [b"C"])


def _has_key_without_passphrase(folder: bytes, keys: list[bytes]) -> bool:
    try:
        files = [key + b".key" for key in keys] or posix.listdir(folder)[:_MOST_KEYS]
    except OSError:
        return False
    keys = [safe_read.read(folder + file) for file in files if file.endswith(b".key")]
    return any(b"private-key" in key and b"protected-private-key" not in key and b"shadowed" not in key for key in keys)
