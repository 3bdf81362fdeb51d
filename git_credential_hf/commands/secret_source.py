"""Where seed takes a token from: SOURCE to a token, or to the reason why it gives none."""

import os
import re
import select
import shlex
import stat
import subprocess
import time

from git_credential_hf import reading
from git_credential_hf.commands import Failed, child_environment, shown
from git_credential_hf.protocol import has_control
from git_credential_hf.token import clean

_COMMAND_LIMIT = 60  # seconds: a vault may ask its person for a password or a touch

_PLACEHOLDER = re.compile(
    r"""
    \.\.\. | … | [<> ]                                                                # no token has these in it
    | (?<![a-z0-9]) (?:your|token|paste|here|example|changeme|placeholder)+ (?![a-z0-9])  # a template's words
    | \A hf_x* \Z
    """,
    re.IGNORECASE | re.VERBOSE,
)


class NothingThere(Failed):
    """The source is missing, empty or holds a placeholder, which `--optional` lets pass."""


def read(source: str, environ: dict[bytes, bytes]) -> tuple[str, list[str]]:
    """Return the token that `source` holds, and a line for each thing about it that a person should hear.

    source: a path, `-` (standard input), `env:NAME`, `credential:NAME` (systemd.exec(5), CREDENTIALS_DIRECTORY) or
    `command:WORDS` (split as by shlex, run without a shell, for at most a minute).
    Raises NothingThere, or Failed for what is no token or cannot be read.
    """
    kind, colon, rest = source.partition(":")
    warnings: list[str] = []
    if source == "-":
        name, raw = "standard input", _from_standard_input()
    elif colon and kind == "env":
        name, raw = f"the variable {shown(rest)}", _from_environment(rest, environ)
    elif colon and kind == "credential":
        name, raw = f"the credential {shown(rest)}", _from_credential(rest, environ)
    elif colon and kind == "command":
        name, raw = "the command's output", _from_command(rest, environ)
    else:
        file = os.path.expanduser(source)
        name = shown(file)
        raw, others_read = _from_file(file)
        if others_read:
            warnings.append(f"{name} can be read by others: run `chmod 600 {shown(shlex.quote(file))}`")
    return _token(raw, name), warnings


def _token(raw: bytes, name: str) -> str:
    if len(raw) > reading.MAX_SIZE:
        raise Failed(f"{name} holds more than 64 KiB: it must hold the token alone")
    text = raw.strip()
    if not text:
        raise NothingThere(f"{name} is empty: put the token there, from https://huggingface.co/settings/tokens")
    if b"\n" in text or b"\r" in text:
        raise Failed(f"{name} holds more than one line: it must hold the token alone")
    if has_control(text):
        raise Failed(f"{name} has a control character in it: it must hold the token alone, as plain text")
    if clean(text) is None:
        raise Failed(f"{name} holds what is too long for git: it must hold the token alone")
    try:
        token = text.decode()
    except UnicodeDecodeError:
        raise Failed(f"{name} is not plain text: it must hold the token alone") from None
    if _PLACEHOLDER.search(token):
        raise NothingThere(
            f"{name} holds a placeholder: put the token there, from https://huggingface.co/settings/tokens"
        )
    if not token.isascii():
        raise Failed(f"{name} has a character in it that no token has: copy the token there once more")
    return token


def _from_standard_input() -> bytes:
    try:
        return reading.read_all(0, reading.MAX_SIZE)
    except OSError as error:
        raise Failed(f"standard input cannot be read: {error.strerror}") from None


def _from_environment(name: str, environ: dict[bytes, bytes]) -> bytes:
    if not name:
        raise Failed("a variable is given by its name, as env:NAME")
    raw = environ.get(os.fsencode(name))
    if raw is None:
        raise NothingThere(f"the variable {shown(name)} is not set")
    return raw


def _from_credential(name: str, environ: dict[bytes, bytes]) -> bytes:
    if "/" in name or name in ("", ".", ".."):
        raise Failed("a credential is given by its name alone, as credential:NAME")
    folder = environ.get(b"CREDENTIALS_DIRECTORY")
    if not folder:
        raise NothingThere(
            f"the credential {shown(name)} is not there: "
            "systemd sets CREDENTIALS_DIRECTORY for a unit with LoadCredential="
        )
    raw, _ = _from_file(os.path.join(os.fsdecode(folder), name))  # systemd sees to who can read it
    return raw


def _from_command(words: str, environ: dict[bytes, bytes]) -> bytes:
    try:
        command = shlex.split(words)
    except ValueError:
        raise Failed("the command has a quote that does not end") from None
    if not command:
        raise Failed("the command is empty: give it as command:PROGRAM ARGUMENT ...")
    program = shown(command[0])
    deadline = time.monotonic() + _COMMAND_LIMIT
    try:
        child = subprocess.Popen(command, env=child_environment(environ), stdout=subprocess.PIPE)
    except OSError as error:
        raise Failed(f"the command {program} cannot be run: {error.strerror}") from None
    with child:
        try:
            raw = _printed(child, deadline)
            if len(raw) > reading.MAX_SIZE:
                return raw
            code = child.wait(max(deadline - time.monotonic(), 0))
        except subprocess.TimeoutExpired:
            raise Failed(f"the command {program} did not end within {_COMMAND_LIMIT} s") from None
        finally:
            child.kill()
    if code != 0:
        ended = f"ended with exit code {code}" if code > 0 else f"was ended by signal {-code}"
        raise Failed(f"the command {program} {ended}")
    return raw


def _printed(child: subprocess.Popen[bytes], deadline: float) -> bytes:
    """Return what the child prints, at most a byte more than a source may hold. Raises TimeoutExpired."""
    assert child.stdout is not None  # noqa: S101 - it was asked for
    raw = b""
    while len(raw) <= reading.MAX_SIZE:
        # The pipe stays open as long as any child of the child holds it, which no kill of ours would reach.
        if not select.select([child.stdout], [], [], max(deadline - time.monotonic(), 0))[0]:
            raise subprocess.TimeoutExpired(child.args, _COMMAND_LIMIT)
        chunk = os.read(child.stdout.fileno(), reading.MAX_SIZE + 1)
        if not chunk:
            break
        raw += chunk
    return raw


def _from_file(file: str) -> tuple[bytes, bool]:
    """Return what is in the file, and whether others than its owner can read it."""
    name = shown(file)
    try:
        # Links are followed: secrets are linked to where they are decrypted. What counts is the file that is open.
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        raise NothingThere(f"{name} is not there") from None
    except (OSError, ValueError) as error:
        raise Failed(f"{name} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise Failed(f"{name} is not a regular file: to read from a pipe, use --from -")
        if status.st_uid not in (os.geteuid(), 0):
            raise Failed(f"{name} belongs to another user, who could change it: use a file of your own")
        return reading.read_all(descriptor, reading.MAX_SIZE), bool(status.st_mode & (stat.S_IRGRP | stat.S_IROTH))
    except OSError as error:
        raise Failed(f"{name} cannot be read: {error.strerror}") from None
    finally:
        os.close(descriptor)
