"""What git's operations go by: the options before the action, and the environment."""

import time

from git_credential_hf.model.repository import canonical_host

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from collections.abc import Callable

ACTIONS = (b"get", b"store", b"erase", b"capability")
SOURCES = ("oidc", "env", "forwarded", "keyring", "file")
UNLOCK = ("never", "auto", "prompt")

_HOST_CHARACTERS = b"abcdefghijklmnopqrstuvwxyz0123456789.-_:[]"


class UsageError(Exception):
    """The command line is wrong; the text says how.

    remedy: the command to try, empty for the help of the command in question.
    """

    def __init__(self, text: str, remedy: str = "") -> None:
        super().__init__(text)
        self.remedy = remedy


class UnknownOption(UsageError):
    """There is no helper option of this `name`."""

    def __init__(self, name: bytes) -> None:
        super().__init__("an option before the action is unknown")
        self.name = name


class Options:
    """The settings of one run.

    hosts: the hosts that are answered beside the Hub's, canonical (see repository).
    timeout: seconds, the whole time that the keyring may take.
    sources: which of SOURCES may answer.
    unlock: "never", "auto" (only where it is known to be silent) or "prompt" (the desktop's own dialog).
    no_prompt: whether git is told to quit where there is no token, so that nothing asks a person.
    refresh: whether `hf auth token` may renew an OAuth login that has expired.
    offline: whether a source is to give only what it has without asking the Hub.
    environ: the environment, as bytes.
    trace: what is called with each step, a text and the values for its % places; None where nobody wants to see them.
        A token is passed as it is, since the fingerprint that stands for it costs more than an answer may.
    """

    __slots__ = (
        "_deadline",
        "environ",
        "hosts",
        "no_prompt",
        "offline",
        "refresh",
        "sources",
        "timeout",
        "trace",
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
        self.offline = False
        self.trace: Callable[..., None] | None = None
        self._deadline = 0.0

    def remaining(self) -> float:
        """Return the seconds that are left for the keyring, none of which are over before this is first asked."""
        now = time.monotonic()
        self._deadline = self._deadline or now + self.timeout
        return self._deadline - now

    def note(self, step: str, *values: object) -> None:
        """Trace a step, if anybody wants to see it."""
        if self.trace is not None:
            self.trace(step, *values)


def trace_target(environ: dict[bytes, bytes]) -> bytes:
    """Return where each step is to be traced (see trace.tracer), empty where nobody wants to see them."""
    target = environ.get(b"GIT_CREDENTIAL_HF_TRACE", b"0")
    return b"" if target == b"0" else target


def parse(arguments: list[bytes], environ: dict[bytes, bytes]) -> tuple[Options, list[bytes]]:
    """Return the options that stand before the action, and the action with what follows it.

    Both `--name value` and `--name=value` are understood. Raises UsageError.
    """
    options = Options(environ)
    rest = list(arguments)
    while rest and rest[0].startswith(b"-"):
        name, equals, value = rest.pop(0).partition(b"=")
        if name in (b"--no-prompt", b"--refresh"):
            if equals:
                raise UsageError(f"`{name.decode()}` takes no value")
            options.no_prompt = options.no_prompt or name == b"--no-prompt"
            options.refresh = options.refresh or name == b"--refresh"
        elif name in (b"--host", b"--timeout", b"--sources", b"--unlock"):
            if not equals:
                if not rest:
                    raise UsageError(f"`{name.decode()}` needs a value")
                value = rest.pop(0)
            _set(options, name, value)
        else:
            raise UnknownOption(name)
    return options, rest


def _set(options: Options, name: bytes, value: bytes) -> None:
    if name == b"--host":
        options.hosts += (host(value),)
    elif name == b"--timeout":
        options.timeout = timeout(value)
    elif name == b"--sources":
        chosen = value.decode("ascii", "replace").split(",")
        if not set(chosen) <= set(SOURCES):
            raise UsageError(f"`--sources` takes one or more of {','.join(SOURCES)}")
        options.sources = tuple(source for source in SOURCES if source in chosen)
    else:
        options.unlock = value.decode("ascii", "replace")
        if options.unlock not in UNLOCK:
            raise UsageError("`--unlock` takes never, auto or prompt")


def host(value: bytes) -> bytes:
    """Return the canonical form of HOST[:PORT]. Raises UsageError for what is no host."""
    canonical = canonical_host(value)
    name, colon, port = canonical.rpartition(b":")
    if not colon or canonical.endswith(b"]"):
        name, port = canonical, b"443"
    if not name or name.translate(None, _HOST_CHARACTERS) or not port.isdigit():
        raise UsageError("a host is given as HOST or HOST:PORT, without https:// and without a path")
    return canonical


def timeout(value: bytes) -> float:
    """Return the positive number of seconds that `value` writes. Raises UsageError."""
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not 0 < number < 86_400:
        raise UsageError("`--timeout` takes a number of seconds, above 0 and below 86400")
    return number
