"""exec: run a command with the token that git would use as HF_TOKEN, in its environment alone."""

import base64
import os
import signal

from git_credential_hf.cli.commands.token import NoToken, find
from git_credential_hf.cli.output import Failed, complain, quoted, shown
from git_credential_hf.options import Options
from git_credential_hf.sources.environment import CALLERS, VARIABLES, without_identity

_CANNOT_BE_RUN = 126
_NOT_FOUND = 127


def execute(url: bytes | None, command: list[bytes], options: Options) -> int:
    """Become `command`. Return a shell's exit code if it is missing or cannot be run.

    url: as for token.find. Raises Failed where there is no token, and UsageError.
    """
    try:
        token = find(url, options)
    except NoToken as reason:
        raise Failed(str(reason)) from None
    # With HF_OIDC_RESOURCE hf would exchange a token of its own, ahead of HF_TOKEN.
    environ = without_identity(_callers(options.environ)) | {VARIABLES[0]: token.text}
    for ignored in (signal.SIGPIPE, signal.SIGXFSZ):  # by Python, which its child must not be
        signal.signal(ignored, signal.SIG_DFL)
    try:
        os.execvpe(command[0], command, environ)  # noqa: S606 - there is no shell on purpose
    except (FileNotFoundError, NotADirectoryError, ValueError):  # the last for an empty name
        complain(f"{shown(command[0]) or quoted('')}: command not found")
        return _NOT_FOUND
    except OSError as error:
        complain(f"{shown(command[0])} cannot be run: {error.strerror}")
        return _CANNOT_BE_RUN


def _callers(environ: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """Return the environment that the caller gave, `environ` where that cannot be read.

    On its way here a shell has dropped and set variables, and Python may have set LC_CTYPE (PEP 538).
    Source: proc_pid_environ(5).
    """
    process, _, encoded = environ.get(CALLERS, b"").partition(b":")
    is_launchers = process == b"%d" % os.getpid()
    given = base64.b64decode(encoded) if is_launchers else b""
    if not given:
        try:
            with open("/proc/self/environ", "rb") as file:
                given = file.read()
        except OSError:
            pass
    if not given:
        return environ
    # Of two of one name the first counts.
    found = dict(one.partition(b"=")[::2] for one in reversed(given.split(b"\0")) if b"=" in one)
    if is_launchers and not encoded:  # there is no base64
        del found[CALLERS]
    return found
