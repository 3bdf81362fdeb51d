"""The helper options, which stand before the action."""

from git_credential_hf.options import SOURCES, Options, UsageError
from git_credential_hf.scope import canonical_host

_HOST_CHARACTERS = b"abcdefghijklmnopqrstuvwxyz0123456789.-_:[]"


def parse(arguments: list[bytes], environ: dict[bytes, bytes]) -> tuple[Options, list[bytes]]:
    """Return the options that stand before the action, and the action with what follows it.

    Both `--name value` and `--name=value` are understood. Raises UsageError.
    """
    options = Options(environ)
    rest = list(arguments)
    while rest and rest[0].startswith(b"-"):
        name, equals, value = rest.pop(0).partition(b"=")
        if name in (b"--no-prompt", b"--refresh") and not equals:
            options.no_prompt = options.no_prompt or name == b"--no-prompt"
            options.refresh = options.refresh or name == b"--refresh"
        elif name in (b"--host", b"--timeout", b"--sources", b"--unlock"):
            if not equals:
                if not rest:
                    raise UsageError(f"{name.decode()} needs a value")
                value = rest.pop(0)
            _set(options, name, value)
        else:
            raise UsageError("there is no such option before an action")
    return options, rest


def _set(options: Options, name: bytes, value: bytes) -> None:
    if name == b"--host":
        options.hosts += (host(value),)
    elif name == b"--timeout":
        options.timeout = timeout(value)
    elif name == b"--sources":
        chosen = value.decode("ascii", "replace").split(",")
        if not set(chosen) <= set(SOURCES):
            raise UsageError("--sources takes one or more of env,keyring,file")
        options.sources = tuple(source for source in SOURCES if source in chosen)
    else:
        options.unlock = value.decode("ascii", "replace")
        if options.unlock not in ("never", "auto", "prompt"):
            raise UsageError("--unlock takes never, auto or prompt")


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
        raise UsageError("--timeout takes a number of seconds, above 0 and below 86400")
    return number
