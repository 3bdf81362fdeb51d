"""serve: answer git in a container or on another machine, over a Unix socket that is forwarded there.

What is said on the socket is a request as git makes it to a helper for `get`, up to an empty line, and what that helper
answers. There is no way to say `store` or `erase`.
"""

import contextlib
import errno
import os
import queue
import re
import signal
import socket
import socketserver
import stat
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any

from git_credential_hf.cli.output import Failed, shown, shown_token
from git_credential_hf.model.repository import HUB, scopes, server
from git_credential_hf.model.request import Malformed, Request, answer, is_complete, parse
from git_credential_hf.model.token import Token
from git_credential_hf.operations.get import decide
from git_credential_hf.options import Options, UsageError
from git_credential_hf.secret_service.dbus.opening import is_trusted, owner_of
from git_credential_hf.state import files, folders, locks
from git_credential_hf.state.ownership import is_one_user

_SOURCES = ("env", "keyring", "file")  # none that asks another machine, or that is of a CI job's
_KEYRING_SECONDS = 1.5  # so that whoever asks has the answer within the 2 s that are the helper's own limit
_REQUEST_SECONDS = 5.0
_LARGEST = 1 << 16  # bytes of a request
_PIECES = 256  # in which it may come: it is looked through again after each
_SHOWN = 200  # bytes of a path, in a line about an answer
_LINES = 1024  # that wait for whoever reads standard output
_CONNECTIONS = 64
_PATIENCE = 0.25  # seconds that a connection may be open, and not have asked, while others wait
_NO_UID = (1 << 32) - 1  # POSIX: (uid_t) -1
_LOCK_SECONDS = 5.0
_PAUSE = 0.05  # seconds, where there is no descriptor for another connection
_TRY = "Try: git-credential-hf serve --socket ~/hf.sock"
_DURATION = re.compile(r"(?:(\d{1,5})d)?(?:(\d{1,6})h)?(?:(\d{1,7})m)?(?:(\d{1,8})s?)?", re.ASCII)


class Serve:
    """What one run of serve is asked to do.

    socket: where to listen, None for the usual place. scopes: the only ones that are answered for, all where there are
    none. seconds: how long, None for no limit. uids: other users that are answered, besides this one and root.
    """

    def __init__(self, environ: dict[bytes, bytes]) -> None:
        self.environ = environ
        self.socket: bytes | None = None
        self.scopes: list[bytes] = []
        self.seconds: int | None = None
        self.uids: list[int] = []


def serve(asked: Serve) -> int:
    """Answer until a signal or the time ends it; return the exit code. Raises Failed.

    Where standard input is a connection, as systemd's Accept=yes has it, one request is answered on that. Raises
    UsageError where --for or --socket goes with it.
    """
    if not hasattr(socket, "SO_PEERCRED"):
        raise Failed("nothing is served: this system does not say who asks. Try: git-credential-hf exec -- COMMAND")
    if asked.socket == b"":
        raise UsageError("--socket takes a path")
    if not all(map(is_one_user, asked.uids)):
        raise UsageError("--allow-uid 65534 is every user that this user namespace does not know")
    inherited = _inherited()
    if inherited is not None:
        if asked.seconds is not None or asked.socket is not None:
            raise UsageError("--for and --socket are for a socket of its own: standard input is a connection")
        return _answer_inherited(inherited, asked)
    path = asked.socket if asked.socket is not None else _usual_place(asked.environ)
    ending = _Ending(asked.seconds)
    with _bound(path, asked, ending) as listening, _Server(listening, asked, ending) as running:
        end = time.localtime(time.time() + (asked.seconds or 0))
        until = "" if asked.seconds is None else time.strftime(" until %Y-%m-%dT%H:%M:%S", end)
        what = ", ".join(map(shown, asked.scopes)) or HUB.decode()
        running.log.write(f"answers for {what} at {shown(path)}{until}")
        while not ending.is_over():
            running.handle_request()
        running.close_all()
        running.log.close()
    return 130 if ending.signal == signal.SIGINT else 0


def _answer_inherited(connection: socket.socket, asked: Serve) -> int:
    try:
        with connection:
            if _may_ask(connection, asked):
                # What is said must not go to whoever asks, which a unit can have it do.
                line = _answer(connection, asked)
                if line and not os.path.samestat(os.fstat(2), os.fstat(0)):
                    print(line, file=sys.stderr, flush=True)
            connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return 1  # the other end has broken it off, or asks for nothing
    return 0


def seconds(duration: str) -> int:
    """Return the seconds that `duration` means: 90, 90s, 30m, 8h, 2d, or some of these after each other. Raises
    UsageError.
    """
    found = _DURATION.fullmatch(duration)
    days, hours, minutes, rest = (int(one or 0) for one in found.groups()) if found else (0, 0, 0, 0)
    total = ((days * 24 + hours) * 60 + minutes) * 60 + rest
    if not total:
        raise UsageError("--for takes a time such as 90m, 8h or 2d")
    return total


def uid(text: str) -> int:
    """Return the number of a user that `text` writes. Raises UsageError."""
    if not text.isascii() or not text.isdigit() or len(text) > len(str(_NO_UID)) or int(text) >= _NO_UID:
        raise UsageError("--allow-uid takes the number of a user, as id -u prints it")
    return int(text)


# Where it listens.


def _usual_place(environ: dict[bytes, bytes]) -> bytes:
    run_time = environ.get(b"XDG_RUNTIME_DIR", b"")
    if not run_time.startswith(b"/"):
        raise Failed(f"nothing is served: XDG_RUNTIME_DIR is not set. {_TRY}")
    folder = run_time + b"/git-credential-hf"
    with contextlib.suppress(OSError):  # of which there is another word when it is listened there
        files.make_folders(folder)
        if not folders.is_own(folder):
            raise Failed(f"nothing is served: {shown(folder)} can be read by others. {_TRY}")
    return folder + b"/serve.sock"


@contextlib.contextmanager
def _bound(path: bytes, asked: Serve, ending: "_Ending") -> Iterator[socket.socket]:
    """Listen at `path`, in the place of a socket where nobody listens any more; remove it in the end. Raises Failed."""
    own = None
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        try:
            try:
                folder = os.path.dirname(os.path.abspath(path))
                files.make_folders(folder)
                with _alone(folder, asked.environ):
                    _make_way(path)
                    ending.watch()  # from here on there is something to remove
                    # Others may only connect where they are allowed to by name: then the kernel says who they are.
                    before = os.umask(0o111 if asked.uids else 0o177)
                    try:
                        listening.bind(path)
                    finally:
                        os.umask(before)
                    own = os.lstat(path)
                    # Before another run may look whether anybody listens here. ssh, for one, does not try again where
                    # there is no place to wait.
                    listening.listen(socket.SOMAXCONN)
            except OSError as error:
                reason = error.strerror or str(error)
                raise Failed(f"nothing is served: {shown(path)}: {reason}. {_TRY}") from None
            yield listening
        finally:
            if own is not None:
                _remove(path, own)
            ending.leave()


def _alone(folder: bytes, environ: dict[bytes, bytes]) -> contextlib.AbstractContextManager[None]:
    """Return a context that one run at a time is in, of those that listen in `folder`. In a folder that others can lock
    too, as /tmp, only runs with the same `environ` keep out of it.
    """
    if folders.is_own(folder):
        return locks.FolderLock(folder, _LOCK_SECONDS)
    return locks.own_lock(environ, _LOCK_SECONDS)


def _make_way(path: bytes) -> None:
    """Remove a socket of the user's own that nobody listens at. Raises OSError and Failed."""
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(status.st_mode) or status.st_uid != os.geteuid():
        raise Failed(f"nothing is served: {shown(path)} is there and is no socket of yours. {_TRY}")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            files.remove(path)
            return
        except OSError:
            pass
    raise Failed(f"nothing is served: another program listens at {shown(path)}. {_TRY}")


def _remove(path: bytes, own: os.stat_result) -> None:
    """Remove the socket at `path` if it is the `own` one still."""
    with contextlib.suppress(OSError):
        if os.path.samestat(os.lstat(path), own):
            os.unlink(path)


def _inherited() -> socket.socket | None:
    """Return the connection that standard input is, None where it is none.

    A shell of sshd's has one end of a pair there, which has no name.
    """
    if not stat.S_ISSOCK(os.fstat(0).st_mode):
        return None
    connection = socket.socket(fileno=os.dup(0))
    is_stream = (connection.family, connection.type) == (socket.AF_UNIX, socket.SOCK_STREAM)
    if is_stream and connection.getsockname() and not connection.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        return connection
    connection.close()
    return None


# Until when.


class _Ending:
    """The end of a run: after so many seconds, by the clock that goes on while the machine sleeps, or by a signal.

    signal: the number of the one that came.
    """

    def __init__(self, seconds: int | None) -> None:
        self._at = None if seconds is None else _now() + seconds
        self.signal: int | None = None
        self._before: dict[int, Any] = {}

    def watch(self) -> None:
        """Note the signals that end a run, instead of ending by them. One may come in the middle of anything."""
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            if signal.getsignal(number) != signal.SIG_IGN:  # which nohup and a shell's & ask for
                self._before[number] = signal.signal(number, self._note)

    def leave(self) -> None:
        """Have signals end this process again: what it has yet to say may have to wait for a reader."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def is_over(self) -> bool:
        """Return whether nothing is to be given any more."""
        return self.signal is not None or (self._at is not None and _now() >= self._at)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.signal = number


# Who asks, and what for.


class _Server(socketserver.ThreadingUnixStreamServer):
    """One thread for each connection, of which there are so many at most.

    One more waits for another to end, and closes the oldest that has not asked within a moment.
    """

    daemon_threads = True
    timeout = 0.1  # seconds that handle_request waits, and so until a signal or the end of the time is seen

    def __init__(self, listening: socket.socket, asked: Serve, ending: _Ending) -> None:
        super().__init__("", _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.asked = asked
        self.ending = ending
        try:
            self.log, self._complaints = _Log(1), _Log(2)
        except RuntimeError as error:
            raise Failed(f"nothing is served: {error}. Try: ulimit -a") from None
        self._free = threading.BoundedSemaphore(_CONNECTIONS)
        self._open: dict[socket.socket, float] = {}  # what has not asked yet, the oldest first, and since when
        self._lock = threading.Lock()

    def get_request(self) -> tuple[socket.socket, Any]:
        try:
            return super().get_request()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                self._close_oldest()
                time.sleep(_PAUSE)
            raise

    def close_all(self) -> None:
        """Close what has not asked yet."""
        while self._open:
            self._close_oldest()

    def verify_request(self, request: Any, client_address: Any) -> bool:
        return not self.ending.is_over() and _may_ask(request, self.asked)

    def process_request(self, request: Any, client_address: Any) -> None:
        while not self._free.acquire(timeout=self._patience()):
            if self.ending.is_over():
                self.shutdown_request(request)
                return
            self._close_oldest()
        with self._lock:
            self._open[request] = time.monotonic()
        try:
            super().process_request(request, client_address)
        except BaseException:  # no thread can be started
            self._done(request)
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._done(request)

    def _patience(self) -> float:
        """Return the seconds after which the oldest that has not asked yet may be closed."""
        with self._lock:
            since = next(iter(self._open.values()), time.monotonic())
            return max(0.0, since + _PATIENCE - time.monotonic())

    def _close_oldest(self) -> None:
        with self._lock:
            if self._open:
                oldest = next(iter(self._open))
                del self._open[oldest]
                with contextlib.suppress(OSError):
                    oldest.shutdown(socket.SHUT_RDWR)

    def _done(self, request: socket.socket) -> None:
        self.has_asked(request)
        self._free.release()

    def has_asked(self, request: socket.socket) -> None:
        """Note that a connection is not to be closed before it has its answer."""
        with self._lock:
            self._open.pop(request, None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a connection that broke; of any other error its kind alone, since it may hold a token."""
        error = sys.exception()
        if not isinstance(error, OSError):
            kind = type(error).__name__
            self._complaints.write(f"git-credential-hf: unexpected {kind} in an answer; please report what was run")


class _Handler(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        if line := _answer(self.request, self.server.asked, self.server):
            self.server.log.write(line)


class _Log:
    """Lines on a descriptor. Whoever does not read them keeps nobody from an answer: they are lost."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lines: queue.Queue[str | None] = queue.Queue(_LINES)
        self._thread = threading.Thread(target=self._print, daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        with contextlib.suppress(queue.Full):
            self._lines.put_nowait(line)

    def close(self) -> None:
        """Print what is left, for as long as that is read."""
        with contextlib.suppress(queue.Full):
            self._lines.put_nowait(None)
        self._thread.join(timeout=1.0)

    def _print(self) -> None:
        while (line := self._lines.get()) is not None:
            with contextlib.suppress(OSError):
                # Past sys.stdout, which would be locked for as long as it waits.
                os.write(self._descriptor, f"{line}\n".encode())


def _now() -> float:
    """Return the seconds since the start of the machine; they go on while it sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _may_ask(connection: socket.socket, asked: Serve) -> bool:
    try:
        uid = owner_of(connection)
    except OSError:
        return False
    return is_trusted(uid) or uid in asked.uids


def _answer(connection: socket.socket, asked: Serve, running: _Server | None = None) -> str:
    """Read one request and answer it; return the line about it, if there is any. Raises OSError."""
    data = _received(connection)
    if running is not None:
        running.has_asked(connection)
    try:
        request = parse(data)
    except Malformed:
        return ""
    token, why = _token(request, asked)
    if running is not None and running.ending.is_over():
        return ""
    if token is not None:
        connection.settimeout(_REQUEST_SECONDS)
        connection.sendall(answer(request, token))
    what = shown_token(token.text) if token is not None else why
    place = shown(request.path[:_SHOWN]) or HUB.decode()
    if len(request.path) > _SHOWN:
        place += "…"
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S')} {place}: {what}" if what else ""


def _received(connection: socket.socket) -> bytes:
    """Return what is sent up to an empty line or the end. Raises OSError, TimeoutError where it takes too long."""
    deadline = time.monotonic() + _REQUEST_SECONDS
    data = b""
    pieces = 0
    while not is_complete(data):
        left = deadline - time.monotonic()
        pieces += 1
        if left <= 0 or len(data) > _LARGEST or pieces > _PIECES:
            raise TimeoutError
        connection.settimeout(left)
        if not (chunk := connection.recv(4096)):
            break
        data += chunk
    return data


def _token(request: Request, asked: Serve) -> tuple[Token | None, str]:
    """Return the token for `request`, or None and why not; no reason for what nobody need hear of."""
    if server(request.protocol, request.host, ()) != HUB:
        return None, ""
    if asked.scopes and not set(asked.scopes) & set(scopes(HUB, request.path)):
        return None, "refused, outside of --scope"
    options = Options(asked.environ)
    options.sources = _SOURCES
    options.timeout = _KEYRING_SECONDS
    given = decide(request, options).given()
    if given is None or given.token is None:
        return None, "no token"
    token = given.token
    token.refresh_token = None  # it would outlive this socket
    return token, ""
