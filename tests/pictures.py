"""Pictures of a terminal for the documents, of real runs. `scripts/pictures` runs this."""

import contextlib
import re
import sys
import tempfile
from html import escape
from pathlib import Path

from tests.cli.terminal import at_a_terminal
from tests.hub import Hub, Secret
from tests.providers import GnomeKeyring

DOCS = Path(__file__).parent.parent / "docs"
COLUMNS = 88
TOKEN = Secret("hf_PiCtUrE0123456789aBcDeFgHiJkLmNoPqR")
MODEL = "my-org/my-model"
LOGIN = "git-credential-hf login"
LINES = [LOGIN, f"git clone --quiet https://huggingface.co/{MODEL}", "ls my-model", "git-credential-hf list"]

Runs = list[tuple[str, str]]


def runs() -> Runs:
    """Return each command line and what it writes to a terminal, in a new home with a Hub and a keyring."""
    with contextlib.ExitStack() as made:
        folder = Path(made.enter_context(tempfile.TemporaryDirectory()))
        provider = made.enter_context(contextlib.closing(GnomeKeyring(folder / "keyring")))
        hub = made.enter_context(Hub(folder / "hub"))
        hub.add_token(TOKEN, orgs=["my-org"], gated=[MODEL])
        hub.create(MODEL, gated=True, files={"config.json": "{}\n"}, lfs={"model.safetensors": b"weights"})
        home = folder / "home"
        programs = home / ".local/bin"
        programs.mkdir(parents=True)
        (programs / "git-credential-hf").symlink_to(Path(sys.executable).parent / "git-credential-hf")
        environment = {
            "HOME": str(home),
            "PATH": f"{programs}:/usr/bin:/bin",
            "DBUS_SESSION_BUS_ADDRESS": provider.bus.address,
            "GIT_CONFIG_NOSYSTEM": "1",
            "TERM": "xterm-256color",
            "LC_ALL": "C.UTF-8",
            **hub.environ(),
        }
        return [(line, _run(line, environment, home).replace(str(home), "~")) for line in LINES]


def _run(line: str, environment: dict[str, str], home: Path) -> str:
    """Return what a command line writes to a terminal. The token is typed where it is asked for."""
    command = f"cd {home} && {line}"
    with at_a_terminal(environment, "-c", command, columns=COLUMNS, program="/bin/sh") as conversation:
        if line == LOGIN:
            conversation.until("(not shown): ")
            conversation.write(TOKEN.encode() + b"\n")
        code = conversation.end()
    if code:
        raise RuntimeError(f"{line}: exit code {code}\n{conversation.shown}")
    return conversation.shown


def transcript(made: Runs) -> str:
    """Return the runs as text."""
    return "".join(f"$ {line}\n{re.sub(chr(27) + r'[^a-z]*[a-z]', '', written)}" for line, written in made)


def of_picture(picture: str) -> str:
    """Return the transcript of a picture."""
    found = re.search(r"<desc>(.*?)</desc>", picture, re.DOTALL)
    return found[1] if found else ""


def draw(made: Runs, *, dark: bool) -> str:
    """Return the runs as a picture for a page that is dark or light: an SVG, with the transcript as its description."""
    from rich.console import Console
    from rich.terminal_theme import DEFAULT_TERMINAL_THEME, SVG_EXPORT_THEME
    from rich.text import Text

    console = Console(record=True, width=COLUMNS, file=sys.stderr, force_terminal=True)
    for line, written in made:
        console.print(Text(f"$ {line}", style="bold"))
        console.print(Text.from_ansi(written))
    theme = SVG_EXPORT_THEME if dark else DEFAULT_TERMINAL_THEME
    drawn = console.export_svg(title="git-credential-hf", theme=theme, unique_id="terminal")
    # A document has no need to load a font from elsewhere.
    drawn = re.sub(r"@font-face {.*?}\s*", "", drawn, flags=re.DOTALL)
    return re.sub(r"(<svg[^>]*>)", lambda svg: f"{svg[1]}<desc>{escape(transcript(made), quote=False)}</desc>", drawn)


PICTURES = {"terminal-dark.svg": True, "terminal-light.svg": False}


def main() -> None:
    made = runs()
    for name, dark in PICTURES.items():
        (DOCS / name).write_text(draw(made, dark=dark))


if __name__ == "__main__":
    main()
