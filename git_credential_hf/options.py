"""What git's verbs go by: the options before the action, and the environment."""

import time

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from collections.abc import Callable

SOURCES = ("env", "keyring", "file")


class UsageError(Exception):
    """The command line is wrong; the text says how."""


class Options:
    """The settings of one run.

    hosts: the hosts that are answered beside the Hub's, canonical (see scope).
    timeout: seconds, the whole time that the keyring may take.
    sources: which of SOURCES may answer.
    unlock: "never", "auto" (only where it is known to be silent) or "prompt" (the desktop's own dialog).
    no_prompt: whether git is told to quit where there is no token, so that nothing asks a person.
    refresh: whether `hf auth token` may renew an OAuth login that has ended.
    environ: the environment, as bytes.
    traced: whether a person wants to see each step.
    trace: what is called with each step, a text and the values for its % places. A token is passed as it is, since
        the fingerprint that stands for it costs more than an answer may, and is made only where a trace is wanted.
    """

    __slots__ = (
        "_deadline",
        "environ",
        "hosts",
        "no_prompt",
        "refresh",
        "sources",
        "timeout",
        "trace",
        "traced",
        "unlock",
    )

    def __init__(self, environ: dict[bytes, bytes]) -> None:
        self.environ = environ
        self.hosts: tuple[bytes, ...] = ()
        self.timeout = 2.0
        self.sources: tuple[str, ...] = SOURCES
        self.unlock = "auto"
        self.no_prompt = False
        self.refresh = False
        self.traced = environ.get(b"GIT_CREDENTIAL_HF_TRACE", b"0") not in (b"", b"0")
        self.trace = _tracer(environ[b"GIT_CREDENTIAL_HF_TRACE"]) if self.traced else _untraced
        self._deadline = 0.0

    def remaining(self) -> float:
        """Return the seconds that are left for the keyring, none of which are over before this is first asked."""
        now = time.monotonic()
        self._deadline = self._deadline or now + self.timeout
        return self._deadline - now


def _tracer(target: bytes) -> "Callable[..., None]":
    from git_credential_hf.tracing import tracer

    return tracer(target)


def _untraced(step: str, *values: object) -> None:
    pass
