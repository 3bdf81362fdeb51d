"""Pictures of a terminal for the documents: `scripts/pictures` runs this."""

import contextlib
import os
import pty
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

from tests.providers import GnomeKeyring

DOCS = Path(__file__).parent.parent / "docs"
COLUMNS = 80
TOKEN = "hf_PiCtUrE0123456789aBcDeFgHiJkLmNoPqR"


def on_a_terminal(command: list[str], environment: dict[str, str]) -> str:
    """Return what `command` writes to a terminal of COLUMNS columns."""
    terminal, its_end = pty.openpty()
    with subprocess.Popen(command, env=environment, stdin=its_end, stdout=its_end, stderr=its_end):
        os.close(its_end)
        written = b""
        # Linux ends a terminal that nobody holds with an error.
        with contextlib.suppress(OSError):
            while read := os.read(terminal, 4096):
                written += read
    os.close(terminal)
    return written.decode().replace("\r\n", "\n")


def picture(name: str, runs: list[tuple[str, str]]) -> None:
    """Write docs/NAME.svg, of each command line and what it wrote."""
    console = Console(record=True, width=COLUMNS, file=sys.stderr, force_terminal=True)
    for line, written in runs:
        console.print(Text(f"$ {line}", style="bold"))
        console.print(Text.from_ansi(written))
    drawn = console.export_svg(title="git-credential-hf", unique_id=name)
    # A document has no need to load a font from elsewhere.
    (DOCS / f"{name}.svg").write_text(re.sub(r"@font-face {.*?}\s*", "", drawn, flags=re.DOTALL))


def main() -> None:
    with contextlib.ExitStack() as made:
        folder = Path(made.enter_context(tempfile.TemporaryDirectory()))
        provider = made.enter_context(contextlib.closing(GnomeKeyring()))
        home = folder / "home"
        home.mkdir()
        (home / "secrets").mkdir(mode=0o700)
        (home / "secrets/huggingface.token").touch(mode=0o600)
        (home / "secrets/huggingface.token").write_text(TOKEN)
        programs = home / ".local/bin"
        programs.mkdir(parents=True)
        for name in ("git-credential-hf", "hf"):
            (programs / name).symlink_to(Path(sys.executable).parent / name)
        environment = {
            "HOME": str(home),
            "PATH": f"{programs}:/usr/bin:/bin",
            "DBUS_SESSION_BUS_ADDRESS": provider.bus.address,
            "TERM": "xterm-256color",
            "COLUMNS": str(COLUMNS),
            "LANG": "C.UTF-8",
        }
        lines = [
            "git-credential-hf seed --from ~/secrets/huggingface.token",
            "git-credential-hf configure",
            "git-credential-hf status",
        ]
        runs = [(line, on_a_terminal(["sh", "-c", line], environment)) for line in lines]
        picture("terminal", [(line, written.replace(str(home), "~")) for line, written in runs])


if __name__ == "__main__":
    main()
