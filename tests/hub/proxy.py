"""The CONNECT proxy: it takes tunnels to the Hub's own names, ends their TLS, and refuses all others."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import ssl
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

from .access import Credential, Request, fingerprint

if TYPE_CHECKING:
    from .hub import Hub


class ProxyServer(socketserver.ThreadingTCPServer):
    """One thread per connection, on a port of 127.0.0.1 that the kernel chose."""

    daemon_threads = False
    request_queue_size = 128

    def __init__(self, hub: Hub, context: ssl.SSLContext, handler: type[ConnectHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.hub = hub
        self._context = context
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._stopping = False
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05})

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Close every connection, and return when no thread is left."""
        self.shutdown()
        self._thread.join()
        with self._lock:
            self._stopping = True
            for connection in self._open:
                with contextlib.suppress(OSError):
                    # Not SSLSocket's own method, which takes the TLS object from under the thread that reads.
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def secure(self, connection: socket.socket) -> ssl.SSLSocket:
        """The connection as the server's side of TLS; ConnectionError if the client does not come along."""
        try:
            with self._lock:
                if self._stopping:
                    raise ConnectionAbortedError("the Hub stops")
                secured = self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
                self._open.remove(connection)
                self._open.add(secured)
        except OSError as error:
            raise ConnectionAbortedError("no TLS") from error
        return secured

    def forget(self, connection: socket.socket) -> None:
        """Close a connection whose thread is done with it."""
        with self._lock:
            self._open.discard(connection)
            connection.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that the client broke off is no failure of the Hub; everything else is."""
        error = sys.exception()
        if isinstance(error, Exception) and not isinstance(error, (ConnectionError, ssl.SSLError)):
            self.hub.failures.append(error)


class ConnectHandler(BaseHTTPRequestHandler):
    """A connection to the proxy. After its CONNECT, the same loop reads the requests inside the tunnel."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # the unbuffered writer of socketserver cannot be made anew for TLS
    server: ProxyServer
    host: str | None = None

    def finish(self) -> None:
        try:
            super().finish()
        finally:
            self.server.forget(self.request)

    def flush_headers(self) -> None:
        super().flush_headers()
        self.wfile.flush()

    def do_CONNECT(self) -> None:
        """Tell the client that it is through, and go on inside TLS."""
        host = self.server.hub.host(self.path)
        if self.host is not None or host is None:
            self.reply(HTTPStatus.FORBIDDEN, b"This proxy leads to the Hub and nowhere else.\n")
            return
        self.send_response_only(HTTPStatus.OK)
        self.end_headers()
        # No client speaks before it has this answer, so rfile has read nothing that belongs to TLS.
        self.rfile.close()
        self.wfile.close()
        self.request = self.server.secure(self.request)
        self.request.do_handshake()
        self.setup()
        self.host = host
        self.close_connection = False

    def reply(
        self,
        status: int,
        content: bytes,
        media_type: str = "text/plain; charset=utf-8",
        headers: dict[str, str] | None = None,
    ) -> None:
        """Send a whole response; its body is left out if the method is HEAD."""
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(content)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Every response passes here before its first byte leaves: so the log is never behind the client."""
        # A request line that cannot be read leaves neither of them.
        if self.command is None or getattr(self, "headers", None) is None:
            return
        credential = Credential.parse(self.headers.get("Authorization"))
        token = credential.token if credential else None
        self.server.hub.record(
            Request(
                host=self.host or self.path,
                method=self.command,
                path=self.path,
                scheme=credential.scheme if credential else None,
                username=credential.username if credential else None,
                fingerprint=None if token is None else fingerprint(token),
                status=int(code),
                token=token,
            )
        )

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on stderr: what is asked is in the Hub's log."""
