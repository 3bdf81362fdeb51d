"""A run of the program at a terminal, which a test sees and types at."""

import fcntl
import os
import signal
import subprocess
import termios
from collections.abc import Iterator
from contextlib import contextmanager

from tests.conftest import MEASURED, MEASURING, Environment

INTERRUPT = b"\x03"  # Ctrl-C
END = b"\x04"  # Ctrl-D


class Conversation:
    """A run at a terminal. shown: what the terminal has shown so far."""

    def __init__(self, terminal: int, process: "subprocess.Popen[bytes]") -> None:
        self._terminal = terminal
        self._process = process
        self.shown = ""

    def until(self, text: str) -> None:
        """Read on until the terminal shows `text`."""
        while text not in self.shown:
            self.shown += os.read(self._terminal, 4096).decode().replace("\r\n", "\n")

    def write(self, line: bytes) -> None:
        """Type `line`, which is not the last."""
        os.write(self._terminal, line)

    def type(self, line: bytes) -> int:
        """Type `line`; return the exit code."""
        self.write(line)
        return self.end()

    def kill(self, number: signal.Signals) -> int:
        """Send the signal; return the exit code."""
        self._process.send_signal(number)
        return self.end()

    def end(self) -> int:
        """Return the exit code, once it has ended."""
        while True:
            try:
                self.shown += os.read(self._terminal, 4096).decode().replace("\r\n", "\n")
            except OSError:  # as a terminal ends
                return self._process.wait(60)

    def echoes(self) -> bool:
        """Return whether the terminal shows what is typed."""
        return bool(termios.tcgetattr(self._terminal)[3] & termios.ECHO)


@contextmanager
def at_a_terminal(
    environment: Environment, *arguments: str, columns: int = 80, program: str = ""
) -> Iterator[Conversation]:
    """Run our program, or another, at a terminal of its own."""
    terminal, end = os.openpty()
    termios.tcsetwinsize(end, (24, columns))
    process = subprocess.Popen(
        [*([program] if program else MEASURED), *arguments],
        stdin=end,
        stdout=end,
        stderr=end,
        env=environment if program else environment | MEASURING,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - else Ctrl-C is a letter
    )
    os.close(end)
    try:
        yield Conversation(terminal, process)
    finally:
        process.kill()
        process.wait()
        os.close(terminal)
