"""The trace of each step, for whoever asks for it with GIT_CREDENTIAL_HF_TRACE."""

import posix
import time
from collections.abc import Callable

from git_credential_hf.options import Options

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from git_credential_hf.secret_service.lookup import Lookup


def tracer(target: bytes) -> Callable[..., None]:
    """Return what writes a step, a text and the values for its % places, to `target`: b"1" is stderr, else a file."""
    started = time.monotonic()
    flags = posix.O_WRONLY | posix.O_APPEND | posix.O_CREAT | posix.O_NONBLOCK | posix.O_NOFOLLOW | posix.O_CLOEXEC

    def trace(step: str, *values: object) -> None:
        line = f"git-credential-hf {(time.monotonic() - started) * 1000:8.2f} ms  {step % values}\n"
        try:
            file = 2 if target == b"1" else posix.open(target, flags, 0o600)
            posix.write(file, line.encode("utf-8", "replace"))
            if file != 2:
                posix.close(file)
        except OSError:
            pass  # a trace that cannot be written must not keep git from its answer

    return trace


def name_provider(lookup: "Lookup", options: Options) -> None:
    """Trace which program the Secret Service is, its default collection, and whether that is locked, if it tells."""
    from git_credential_hf.secret_service import Unavailable

    try:
        program, collection, state = _provider(lookup)
    except Unavailable:
        return  # which the look-up itself will find out, so that a trace changes nothing
    options.trace("keyring: %s, collection %a, %s", program, collection, state)


def _provider(lookup: "Lookup") -> tuple[str, str, str]:
    from git_credential_hf.secret_service import incoming, wire

    secrets = wire.string(wire.SECRETS)
    process, default = lookup.ask(
        lambda serial: wire.call(serial, wire.BUS, b"GetConnectionUnixProcessID", b"s", secrets),
        lambda serial: wire.call(serial, wire.SERVICE, b"ReadAlias", b"s", wire.string(b"default")),
    )
    collection = default.reader(b"o").string()
    address = (wire.SECRETS, collection, b"org.freedesktop.DBus.Properties")
    question = wire.strings(b"org.freedesktop.Secret.Collection", b"Locked")
    (locked,) = lookup.ask(lambda serial: wire.call(serial, address, b"Get", b"ss", question))
    state = "none"
    if locked.type != incoming.ERROR:
        reader = locked.reader(incoming.VARIANT)
        state = "locked" if reader.signature() != b"b" or reader.u32() else "open"
    try:
        program = posix.readlink(f"/proc/{process.reader(b'u').u32()}/exe")
    except OSError:
        program = "a program of another user"
    return program, collection.decode("utf-8", "replace"), state
