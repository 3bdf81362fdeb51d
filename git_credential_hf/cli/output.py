"""Lines for people: errors, and names that may be anything."""

import io
import os
import shlex
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from git_credential_hf.model import token_text
from git_credential_hf.model.repository import HUB_HOSTS

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

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
    return _printable(text)


def without_passwords(name: str | bytes) -> str:
    """Return what `shown` does of a URL, a command or a setting, without the passwords in it."""
    return token_text.hide_passwords(shown(name))


def quoted(name: str | bytes) -> str:
    """Return a word for the shell, in a command that people paste.

    What cannot be printed is written by its number, which bash, zsh and ksh read.
    """
    text = os.fsencode(name).decode("utf-8", "surrogateescape")
    if text.isprintable():
        return shown(shlex.quote(text))
    return "$'" + token_text.hide("".join(map(_numbered, text))) + "'"


def as_root(command: str, *, is_pipe: bool = False) -> str:
    """Return the command line that runs `command` as root: by sudo, which not every machine has, or by su."""
    if os.geteuid() == 0:
        return command
    if shutil.which("sudo") is None:
        return f"su -l -c {shlex.quote(command)}"
    return f"sudo sh -c {shlex.quote(command)}" if is_pipe else f"sudo {command}"


def _numbered(char: str) -> str:
    """Return `char` as it stands in $'...', by the numbers of its bytes where it cannot be printed or has a meaning."""
    if char.isprintable() and char not in "\\'":
        return char
    return "".join(f"\\{byte:03o}" for byte in char.encode("utf-8", "surrogateescape"))


def named(given: str | bytes | None) -> str:
    """Return what a line about a URL or a scope that was given begins with, without a password in it."""
    return f"{without_passwords(given)}: " if given and given.strip() else ""


def shown_token(token: bytes) -> str:
    """Return what people see of a token, or of the password of another host."""
    return shown(token_text.masked(token.decode("utf-8", "backslashreplace")))


def date(seconds: int, form: str = "%Y-%m-%d %H:%M UTC") -> str:
    """Return the time of so many `seconds` since the epoch in UTC, as strftime writes `form`, or their number."""
    try:
        return time.strftime(form, time.gmtime(seconds))
    except (OverflowError, ValueError, OSError):
        return f"second {seconds}"


def complain(line: str) -> None:
    """Write one line to standard error, under the program's name."""
    print(f"git-credential-hf: {_printable(token_text.hide(line))}", file=sys.stderr)


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


class _Unread(io.FileIO):
    """A standard stream to which can be written, even where whoever read it has closed the pipe."""

    closed_by_reader = False

    def write(self, text: "Buffer") -> int:
        if not self.closed_by_reader:
            try:
                return super().write(text)
            except BrokenPipeError:
                self.closed_by_reader = True
        return memoryview(text).nbytes


@contextmanager
def heard_or_not() -> Iterator[None]:
    """Have what a person's command prints written as far as somebody reads it: the command goes on without a reader.

    A name may have in it what the locale cannot write: that is written by its number.
    """
    former = sys.stdout, sys.stderr
    raw = []
    for name, stream in zip(("stdout", "stderr"), former, strict=True):
        if not isinstance(stream, io.TextIOWrapper):  # it is closed
            continue
        stream.flush()
        raw.append(_Unread(stream.fileno(), "w", closefd=False))
        by_line = stream.line_buffering or name == "stderr"
        buffer = io.BufferedWriter(raw[-1])
        setattr(sys, name, io.TextIOWrapper(buffer, stream.encoding, "backslashreplace", line_buffering=by_line))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = former
        for one in raw:  # what a full disk did not take has been told of
            one.closed_by_reader = True
