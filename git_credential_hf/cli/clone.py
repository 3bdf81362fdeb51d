"""The clone that a person is in, and the URL that git uses. They are found without what takes time to load."""

import posix
import time

from git_credential_hf.model import address, instead_of, repository
from git_credential_hf.model.repository import HUB
from git_credential_hf.sources.environment import without_tokens

_SECONDS = 10.0  # for git, which waits without end where its configuration is a FIFO
_SIGKILL = 9  # on every platform, and the module that names it is slow to load
_SETTINGS = (b"git", b"config", b"-z", b"--get-regexp", rb"^(remote\..*\.(push)?url|url\..*\.insteadof)$")
_OF_ORIGIN = (b"remote.origin.url", b"remote.origin.pushurl")

_Settings = list[tuple[bytes, bytes | None]]


def urls(text: bytes | None, environ: dict[bytes, bytes]) -> tuple[bytes, bytes]:
    """Return the URL that git is given, and the one that it uses instead of it because of url.*.insteadOf.

    text: a URL as git takes it. None for that of the Hub's repository that a remote of the clone in this folder names,
    else for that of the whole Hub, which nobody gives git.

    The remote `origin` comes first, then the others in the order of the configuration, and last what is only pushed to.
    git asks for a credential over https alone, and git-lfs does so where the remote itself is one of SSH. The URL has
    the remote's login, which may be a token.
    """
    hub = b"https://" + HUB
    if text is not None:
        return text, _used(text, _settings(environ))
    if not _may_be_in_one(environ):
        return hub, hub
    settings = _settings(environ)
    remotes = [(key, value) for key, value in settings if key.startswith(b"remote.") and value]
    for _, remote in sorted(remotes, key=lambda one: (one[0].endswith(b".pushurl"), one[0] not in _OF_ORIGIN)):
        used = _used(remote, settings)
        if used != remote and (_of_repository(used) or _of_repository(remote)):
            return remote, used
        if url := _of_repository(remote):
            return url, url
    return hub, hub


def _used(text: bytes, settings: _Settings) -> bytes:
    found = instead_of.rewritten(text, settings)
    return text if found is None else found[0]


def _of_repository(text: bytes) -> bytes:
    """Return the URL of the Hub's repository that the remote `text` is of, as git or git-lfs asks for a credential.

    Empty if it is of none. What follows the name of the repository is left out.
    """
    try:
        remote = address.parse(text)
    except address.NotUnderstood:
        return b""
    if remote.host is None or remote.server() != HUB or not (name := repository.name(remote.path)):
        return b""
    scheme = text.partition(b"://")[0]  # as it was written: git knows no HTTPS and no SSH
    if not remote.scheme or scheme in (b"ssh", b"hf"):
        return b"https://%b/%b" % (HUB, name)
    return b"%b://%b%b/%b" % (scheme, remote.login, remote.host, name)


def _settings(environ: dict[bytes, bytes]) -> _Settings:
    entries = _output(_SETTINGS, without_tokens(environ)).split(b"\0")[:-1]
    return [one.partition(b"\n")[::2] for one in entries]


def _may_be_in_one(environ: dict[bytes, bytes]) -> bool:
    """Return whether git need be asked, which takes as long as all the rest. Source: git's setup.c."""
    try:
        folder = posix.getcwdb().rstrip(b"/")
    except OSError:
        return False
    if b"GIT_DIR" in environ:
        return True
    while not (posix.access(folder + b"/.git", posix.F_OK) or posix.access(folder + b"/HEAD", posix.F_OK)):
        if not folder:
            return False
        folder = folder.rpartition(b"/")[0]
    return True


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
