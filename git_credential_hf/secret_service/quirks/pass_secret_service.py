"""pass_secret_service: it says that nothing is locked, and has gpg ask for the passphrase of its key.

Whether gpg would ask is for gpg's agent to say, or for the keys' files where no agent runs. Source: GnuPG's manual,
"Agent's Assuan Protocol", KEYINFO; keyformat.txt.
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


def leave_alone(path: bytes, options: "Options") -> None:
    """Raise Locked where a secret at `path`, an item or a collection, would have gpg ask and nobody wants that."""
    if options.unlock != "prompt" and _is_its_own(path) and _would_ask(options):
        raise Locked("the passphrase of its key is not known to gpg's agent: run `pass` to enter it")


def _is_its_own(path: bytes) -> bool:
    """Return whether an item or a collection is called as pass_secret_service calls its own: by UUIDs with `_`."""
    names = path.removeprefix(_COLLECTIONS).split(b"/")
    return path.startswith(_COLLECTIONS) and all(name.translate(_HEXADECIMAL) == _NAME for name in names)


def _would_ask(options: "Options") -> bool:
    """Return whether none of the user's keys can be used without a question.

    Which of them the store is for is not known here; most people have one.
    """
    home = options.environ.get(b"GNUPGHOME") or options.environ.get(b"HOME", b"") + b"/.gnupg"
    runtime = b"/run/user/%d/gnupg" % posix.geteuid()
    for folder in [home] if b"GNUPGHOME" in options.environ else [runtime, home]:
        try:
            lines = _ask_agent(folder + b"/S.gpg-agent", options)
        except OSError:
            continue
        return not any(_is_ready(line.split(b" ")) for line in lines)
    return not _has_key_without_passphrase(home + b"/private-keys-v1.d/")


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


def _is_ready(words: list[bytes]) -> bool:
    """Return whether a line of KEYINFO is of a key in a file whose passphrase is in the cache, or that has none."""
    return words[:2] == [b"S", b"KEYINFO"] and words[3:4] == [b"D"] and (words[6:7] == [b"1"] or words[7:8] == [b"C"])


def _has_key_without_passphrase(folder: bytes) -> bool:
    try:
        files = posix.listdir(folder)[:_MOST_KEYS]
    except OSError:
        return False
    keys = [safe_read.read(folder + file) for file in files if file.endswith(b".key")]
    return any(b"private-key" in key and b"protected-private-key" not in key and b"shadowed" not in key for key in keys)
