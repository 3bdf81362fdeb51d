"""Writes completions/ from the parser that reads the command line; scripts/completions runs it."""

import argparse
from pathlib import Path

import shtab

from git_credential_hf.cli import parser

FOLDER = Path(__file__).parents[1] / "completions"
NAMES = {"bash": "git-credential-hf.bash", "zsh": "_git-credential-hf", "fish": "git-credential-hf.fish"}


def text(shell: str) -> str:
    """Return what completes the command line in `shell`."""
    whole = parser.build()
    _complete(whole)
    return str(shtab.complete(whole, shell)).rstrip("\n") + "\n"


def _complete(one: argparse.ArgumentParser) -> None:
    for action in one._actions:
        if action.help == argparse.SUPPRESS:  # in a help that has no room for it
            action.help = "show how it is used" if action.option_strings else str(action.metavar)
        if action.metavar in ("F", "SOURCE"):
            action.complete = shtab.FILE  # type: ignore[attr-defined]  # where shtab looks for it
        if action.dest == "command":
            action.choices = list(parser.COMMANDS)
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                command.description = parser.summary(name)
                _complete(command)


def main() -> None:
    for shell, name in NAMES.items():
        (FOLDER / name).write_text(text(shell))


if __name__ == "__main__":
    main()
