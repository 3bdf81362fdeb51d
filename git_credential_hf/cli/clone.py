"""The clone that a person is in: which repository of the Hub it is of. It is found without what takes time to load."""

import posix
import time

from git_credential_hf.model import address, repository
from git_credential_hf.model.repository import HUB
from git_credential_hf.sources.environment import without_tokens

_SECONDS = 10.0  # for git, which waits without end where its configuration is a FIFO
_SIGKILL = 9  # on every platform, and the module that names it is slow to load
_REMOTES = (b"git", b"config", b"-z", b"--get-regexp", rb"^remote\..*\.url$")


def url(environ: dict[bytes, bytes]) -> bytes:
    """Return the URL of the Hub's repository that a remote of the clone in this folder names, else that of the Hub.

    The remote `origin` comes first, then the others in the order of the configuration. git asks for a credential over
    https alone, and git-lfs does so where the remote itself is one of SSH. The URL has the remote's login, which may be
    a token.
    """
    hub = b"https://" + HUB
    if not _may_be_in_one(environ):
        return hub
    remotes = [one.partition(b"\n")[::2] for one in _output(_REMOTES, without_tokens(environ)).split(b"\0")]
    for _, text in sorted(remotes, key=lambda remote: remote[0] != b"remote.origin.url"):
        try:
            remote = address.parse(text)
        except address.NotUnderstood:
            continue
        if remote.host is None or remote.server() != HUB or not (name := repository.name(remote.path)):
            continue
        if remote.scheme != b"https":
            return hub + b"/" + name
        return b"https://%b%b/%b" % (remote.login, remote.host, name)
    return hub


def _may_be_in_one(environ: dict[bytes, bytes]) -> bool:
    """Return whether git need be asked, which takes as long as all the rest. Source: git's setup.c."""
    try:
        folder = posix.getcwdb().rstrip(b"/")
    except OSError:
        return False
    found = b"GIT_DIR" in environ
    while not found:
        found = posix.access(folder + b"/.git", posix.F_OK) or posix.access(folder + b"/HEAD", posix.F_OK)
        if not folder:
            break
        folder = folder.rpartition(b"/")[0]
    return found


def _output(command: tuple[bytes, ...], environ: dict[bytes, bytes]) -> bytes:
    """Return what `command` prints, nothing where it cannot be run or does not end in time."""
    import select

    output, writer = posix.pipe2(posix.O_CLOEXEC)
    try:
        nothing = posix.open("/dev/null", posix.O_RDWR | posix.O_CLOEXEC)
        try:
            actions = [(posix.POSIX_SPAWN_DUP2, one, number) for number, one in enumerate((nothing, writer, nothing))]
            child = posix.posix_spawnp(command[0], command, environ, file_actions=actions, setpgroup=0)
        except OSError:
            return b""
        finally:
            posix.close(nothing)
            posix.close(writer)
        deadline = time.monotonic() + _SECONDS
        printed = b""
        while select.select([output], [], [], max(0.0, deadline - time.monotonic()))[0]:
            if not (chunk := posix.read(output, 1 << 16)):
                break
            printed += chunk
        else:
            posix.killpg(child, _SIGKILL)
            printed = b""
        posix.waitpid(child, 0)
        return printed
    finally:
        posix.close(output)
