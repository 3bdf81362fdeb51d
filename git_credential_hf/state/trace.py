"""The trace of each step, if GIT_CREDENTIAL_HF_TRACE asks for it."""

import posix
import time
from collections.abc import Callable

from git_credential_hf.model.token_text import hide
from git_credential_hf.options import Options, trace_target


def begin(options: Options, action: str) -> None:
    """Have the steps of `action` traced where the environment asks for it."""
    if target := trace_target(options.environ):
        options.trace = tracer(target)
        options.trace(action)


def tracer(target: bytes) -> Callable[..., None]:
    """Return what writes a step, a text and the values for its % places, to `target`: b"1" is stderr, else a file."""
    started = time.monotonic()
    flags = posix.O_WRONLY | posix.O_APPEND | posix.O_CREAT | posix.O_NONBLOCK | posix.O_NOFOLLOW | posix.O_CLOEXEC

    def trace(step: str, *values: object) -> None:
        elapsed = (time.monotonic() - started) * 1000
        line = f"git-credential-hf {elapsed:8.2f} ms  {hide(step % values)}\n"
        try:
            file = 2 if target == b"1" else posix.open(target, flags, 0o600)
            posix.write(file, line.encode("utf-8", "replace"))
            if file != 2:
                posix.close(file)
        except OSError:
            pass  # a trace that cannot be written must not keep git from its answer

    return trace
