"""An X display that nobody sees, and what is shown on it."""

import contextlib
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from tests.providers import wait_until

MARKER = "301x97"
EVENTS = re.compile(r"^(CreateNotify|MapNotify) .*\n.* window (0x[0-9a-f]+), (?:override|\(.*\), (.*))", re.MULTILINE)


class Display:
    """An X server of its own without a window manager, and a record of every window that is shown on it."""

    programs = ("Xvfb", "xdotool", "xev")

    def __init__(self, folder: Path) -> None:
        self._record = folder / "windows"
        reader, writer = os.pipe()
        with self._record.open("wb") as record:
            self._server = subprocess.Popen(
                ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1024x768x24", "-nolisten", "tcp", "-noreset"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[writer],
            )
            os.close(writer)
            with os.fdopen(reader) as answer:
                number = answer.readline().strip()
            assert number, "Xvfb did not start"
            self.name = f":{number}"
            self._recorder = self._xev("-root", "-event", "substructure", stdout=record)
        # What comes before the recorder listens is not recorded.
        self._mark()

    def close(self) -> None:
        for process in (self._recorder, self._server):
            process.terminate()
            process.wait()

    @contextlib.contextmanager
    def shown(self) -> Iterator[list[str]]:
        """Fill the list with the windows that are shown inside the context, each by its size."""
        self._mark()  # what was shown before is recorded by now
        self._before = len(self._shown())
        windows: list[str] = []
        yield windows
        # A dialog that follows upon an answer takes its time.
        time.sleep(0.5)
        self._mark()
        windows += self._new()

    def type_into_what_is_shown(self, text: str) -> None:
        """Wait for a window to be shown inside the context of `shown`, and type `text` and Return into it."""
        wait_until(lambda: self._new() != [], "a window is shown", 30)
        for command in (
            # The last is the one on top.
            ["search", "--onlyvisible", "--maxdepth", "1", "--name", ".", "windowfocus", "--sync", "%@"],
            ["type", "--delay", "20", text],
            ["key", "Return"],
        ):
            environ = os.environ | {"DISPLAY": self.name}
            subprocess.run(["xdotool", *command], env=environ, capture_output=True, check=True, timeout=30)

    def _new(self) -> list[str]:
        return [window for window in self._shown()[self._before :] if window != MARKER]

    def _xev(self, *arguments: str, stdout: int | IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            ["stdbuf", "-oL", "xev", "-display", self.name, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.DEVNULL,
        )

    def _mark(self) -> None:
        """Show a window of the size of MARKER, and wait until it is recorded."""
        before = self._shown().count(MARKER)

        def recorded() -> bool:
            with self._xev("-geometry", MARKER, stdout=subprocess.DEVNULL) as window:
                time.sleep(0.05)
                window.kill()
            return self._shown().count(MARKER) > before

        wait_until(recorded, "xev records")

    def _shown(self) -> list[str]:
        """Return the sizes of the windows in the record."""
        sizes = {}
        shown = []
        for event, number, size in EVENTS.findall(self._record.read_text()):
            if event == "CreateNotify":
                sizes[number] = "x".join(re.findall("[0-9]+", size))
            else:
                shown.append(sizes.get(number, "?"))
        return shown
