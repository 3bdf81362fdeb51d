"""Lines for people: errors, and names that may be anything."""

import os
import sys

from git_credential_hf.model import token_text
from git_credential_hf.model.repository import HUB_HOSTS

HUB_NAMES = " and ".join(host.decode() for host in HUB_HOSTS)
PARTLY = 3  # the exit code of what is done in part


class Failed(Exception):
    """The command failed and nothing was lost; the text is the line for a person: what happened and what to do."""


def shown(name: str | bytes) -> str:
    """Return a file's name, or whatever was given as one, for a line that people read.

    A name may hold anything: what would end the line, steer the terminal or is no UTF-8 is shown by its number, and a
    token that was given in the place of a name is masked.
    """
    text = token_text.hide(os.fsencode(name).decode("utf-8", "backslashreplace"))
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def shown_token(token: bytes) -> str:
    """Return what people see of a token, or of the password of another host."""
    return shown(token_text.masked(token.decode("utf-8", "backslashreplace")))


def complain(line: str) -> None:
    """Write one line to standard error, under the program's name."""
    print(f"git-credential-hf: {token_text.hide(line)}", file=sys.stderr)
