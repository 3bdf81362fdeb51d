"""exec: run a command with the token that git would use as HF_TOKEN, in its environment alone."""

import os
import signal

from git_credential_hf.cli.commands.token import NoToken, find
from git_credential_hf.cli.output import Failed, complain, shown
from git_credential_hf.options import Options
from git_credential_hf.sources.environment import VARIABLES, without_identity

_CANNOT_BE_RUN = 126
_NOT_FOUND = 127
_COERCED = b"LC_CTYPE"  # which Python sets where the locale is unset or C (PEP 538)


def execute(url: bytes | None, command: list[bytes], options: Options) -> int:
    """Become `command`. Return a shell's exit code if it is missing or cannot be run.

    url: as for token.find. Raises Failed where there is no token, and UsageError.
    """
    try:
        token = find(url, options)
    except NoToken as reason:
        raise Failed(str(reason)) from None
    # With HF_OIDC_RESOURCE hf would exchange a token of its own, ahead of HF_TOKEN.
    environ = without_identity(options.environ) | {VARIABLES[0]: token.text}
    locale = _given(_COERCED, environ.pop(_COERCED, None))
    if locale is not None:
        environ[_COERCED] = locale
    for ignored in (signal.SIGPIPE, signal.SIGXFSZ):  # by Python, which its child must not be
        signal.signal(ignored, signal.SIG_DFL)
    try:
        os.execvpe(command[0], command, environ)  # noqa: S606 - there is no shell on purpose
    except (FileNotFoundError, NotADirectoryError):
        complain(f"{shown(command[0])}: command not found")
        return _NOT_FOUND
    except (OSError, ValueError) as error:
        complain(f"{shown(command[0])} cannot be run: {getattr(error, 'strerror', None) or error}")
        return _CANNOT_BE_RUN


def _given(name: bytes, value: bytes | None) -> bytes | None:
    """Return the value of `name` that this process was started with, `value` where that cannot be read.

    Source: proc_pid_environ(5).
    """
    try:
        with open("/proc/self/environ", "rb") as file:
            started_with = file.read().split(b"\0")
    except OSError:
        return value
    return dict(one.partition(b"=")[::2] for one in reversed(started_with)).get(name)
