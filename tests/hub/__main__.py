"""A Hub in the foreground, for a demonstration in a shell: python -m tests.hub --root DIR [--tokens FILE].

DIR/ci.identity is the ID token of a CI job that may have a token for the gated repository.

Prints the variables that lead a child to it, as lines of sh, and then `ready`. Each request is one line
`METHOD host path status user fingerprint` at the end of DIR/requests.log. SIGTERM and SIGINT end it.
"""

import argparse
import hashlib
import shlex
import signal
import threading
from pathlib import Path

from . import Hub, Request, Token

GATED = "demo-org/gated-model"
PUBLIC = "demo-org/public-model"


class DemonstrationHub(Hub):
    """Takes the tokens of a file with one `user:token` per line, as it is at the time of each request."""

    def __init__(self, root: Path, tokens: Path | None) -> None:
        super().__init__(root, on_request=self._append)
        self._tokens_file = tokens
        self._seen: tuple[int, ...] | None = None
        self._reading = threading.Lock()

    def identify(self, text: str) -> Token | None:
        """As Hub.identify, after a look at the file. A file that is not there has no tokens."""
        if self._tokens_file is not None:
            with self._reading:
                self._read(self._tokens_file)
        return super().identify(text)

    def _read(self, file: Path) -> None:
        try:
            status = file.stat()
            lines = file.read_text().splitlines()
        except FileNotFoundError:
            self.tokens.clear()
            self._seen = None
            return
        seen = (status.st_mtime_ns, status.st_ino, status.st_size)
        if seen == self._seen:
            return
        self._seen = seen
        self.tokens.clear()
        for line in lines:
            user, colon, text = line.strip().partition(":")
            if colon and text:
                self.add_token(text, user=user, role="write", orgs=["demo-org"], gated=[GATED])

    def _append(self, request: Request) -> None:
        words = (
            request.method,
            request.host,
            request.path,
            request.status,
            request.username or "-",
            request.fingerprint or "-",
        )
        with (self.root / "requests.log").open("a") as log:
            print(*words, file=log)


def weights(name: str, size: int = 100_000) -> bytes:
    """Bytes that do not compress, the same at each run."""
    return hashlib.shake_256(name.encode()).digest(size)


def main() -> None:
    """Run until a signal ends it."""
    parser = argparse.ArgumentParser(prog="python -m tests.hub", description="Run a Hub on loopback.")
    parser.add_argument("--root", type=Path, required=True, help="a directory for all that the Hub keeps")
    parser.add_argument("--tokens", type=Path, help="a file with one user:token per line")
    arguments = parser.parse_args()

    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with DemonstrationHub(arguments.root.absolute(), arguments.tokens) as hub:
        for path, gated in ((GATED, True), (PUBLIC, False)):
            names = [f"model-{part:05}-of-00003.safetensors" for part in range(1, 4)]
            readme = f"# {path}\n\nFor a demonstration.\n"
            objects = {name: weights(f"{path}/{name}") for name in names}
            hub.create(path, gated=gated, files={"README.md": readme}, lfs=objects)
        hub.oidc.trust(GATED, repository="demo-org/training")
        identity = arguments.root / "ci.identity"
        identity.touch(mode=0o600)
        identity.write_text(hub.oidc.id_token(repository="demo-org/training"))
        for name, value in hub.environ().items():
            print(f"export {name}={shlex.quote(value)}")
        print("ready", flush=True)
        ended.wait()


if __name__ == "__main__":
    main()
