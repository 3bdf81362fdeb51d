"""oo7-daemon: it is on the bus before it has its collections, and finds nothing in one that is locked.

So it is looked at again where it has no default collection and has only just been started. See `unlock.hidden` for
what is locked.
"""

import posix
import time

from git_credential_hf.secret_service import messages
from git_credential_hf.secret_service.dbus.opening import remaining
from git_credential_hf.state import safe_read

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from git_credential_hf.options import Options
    from git_credential_hf.secret_service.dbus.connection import Connection

_LOADS = 5  # seconds after its start, at most, on a slow machine
_TRIES = 8
_PAUSE = 0.05  # seconds

_START_TIME = 19  # of the fields of /proc/PID/stat behind the program's name: clock ticks after boot. Source: proc(5)


def has_loaded(connection: "Connection", options: "Options") -> bool:
    """Wait for the default collection of a keyring that has just been started; return whether it came.

    To be called where there is none. Raises Unavailable.
    """
    (owner,) = connection.ask(messages.process())
    if owner.is_error or not _has_just_started(owner.decoder(b"u").u32()):
        return False
    for _ in range(_TRIES):
        time.sleep(min(_PAUSE, remaining(options)))
        (alias,) = connection.ask(messages.read_alias(b"default"))
        if messages.read_collection(alias) != messages.NO_OBJECT:
            options.note("keyring: it has its collections now")
            return True
    return False


def _has_just_started(process: int) -> bool:
    """Return whether a process began within _LOADS seconds; not where that cannot be read."""
    fields = safe_read.read(b"/proc/%d/stat" % process).rpartition(b")")[2].split()
    if len(fields) <= _START_TIME:
        return False
    started = int(fields[_START_TIME]) / posix.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started < _LOADS
