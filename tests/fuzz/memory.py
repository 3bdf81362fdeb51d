"""A keyring in memory, and a bus that has said all it will: what a target asks thousands of times a second."""

import os
import sys
from collections.abc import Mapping

from git_credential_hf.model.item import ORIGIN
from git_credential_hf.secret_service import Unavailable

Attributes = dict[bytes, bytes]


class Keyring:
    """Stands in the place of reader.Reader: finds and gives items as the Secret Service does."""

    items: Mapping[bytes, tuple[Attributes, bytes]] = {}
    locked = 0

    def __init__(self, *_: object) -> None:
        pass

    def __enter__(self) -> "Keyring":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def search(self, wanted: list[Attributes]) -> list[list[bytes]]:
        return [
            [path for path, (has, _) in self.items.items() if attributes.items() <= has.items()]
            for attributes in wanted
        ]

    def secrets(self, items: list[bytes]) -> dict[bytes, bytes]:
        return {path: self.items[path][1] for path in items}

    def attributes(self, items: list[bytes]) -> dict[bytes, Attributes]:
        return {path: self.items[path][0] for path in items}

    def origins(self, items: list[bytes]) -> dict[bytes, tuple[bytes, int, bool]]:
        return {path: (self.items[path][0].get(ORIGIN, b""), 0, True) for path in items}


class Socket:
    """Stands in the place of _socket.socket: whatever is sent to it, `data` is what comes, in pieces.

    The user's own bus is at its other end, which says no more than a line before the client begins.
    """

    AF_UNIX = SOCK_STREAM = SOL_SOCKET = SO_PEERCRED = 0
    data = b""
    piece = 4096

    def __init__(self, *_: object) -> None:
        self._rest = self.data
        self._begun = False

    def settimeout(self, seconds: float) -> None:
        if seconds <= 0:
            raise Unavailable("a time-out of no time")

    def connect(self, address: bytes) -> None:
        pass

    def getsockopt(self, level: int, option: int, size: int) -> bytes:
        return bytes(4) + os.geteuid().to_bytes(4, sys.byteorder) + bytes(4)

    def sendall(self, data: bytes) -> None:
        self._begun = self._begun or data.startswith(b"BEGIN")

    def recv(self, size: int) -> bytes:
        size = min(size, self.piece)
        if not self._begun:
            size = min(size, self._rest.find(b"\n") + 1 or size)
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken

    def close(self) -> None:
        pass
