"""Where seed takes a token from: SOURCE to a token, or to the reason why it gives none."""

import getpass
import os
import re
import select
import shlex
import signal
import stat
import subprocess
import time
from collections.abc import Callable
from typing import IO

from git_credential_hf.cli import owner
from git_credential_hf.cli.output import Failed, quoted, shown
from git_credential_hf.model import token_text
from git_credential_hf.model.repository import HUB
from git_credential_hf.model.text import has_control
from git_credential_hf.model.token import clean
from git_credential_hf.sources.environment import without_tokens
from git_credential_hf.state import files, ownership, safe_read

_PAGE = "https://huggingface.co/settings/tokens"

ANYWAY = "; it is stored anyway"  # the end of a warning, but with --strict

_TICK = 0.5  # seconds
_COMMAND_LIMIT = 60  # seconds: a vault may ask its person for a password or a touch

_LONGEST_REASON = 300
_SHORT = 5  # letters: what a program printed is no token if it has no more


class NothingThere(Failed):
    """The source is missing, empty or holds a placeholder, which `--optional` lets pass."""


def read(
    source: str,
    environ: dict[bytes, bytes],
    host: bytes = HUB,
    from_variable: Callable[[str], str] = "git-credential-hf seed --from env:{}".format,
) -> tuple[str, list[str]]:
    """Return the token that `source` holds, and a line for each thing about it that a person should hear.

    host: what the token is for (see repository.server): for another than the Hub it is any one line.
    source: a path, `-` (standard input, on a terminal without an echo), `env:NAME`, `credential:NAME` (systemd.exec(5),
    CREDENTIALS_DIRECTORY) or `command:WORDS` (split as by shlex, run without a shell, for at most a minute). What a
    command says on standard error goes to a terminal, else it is told if the command fails.
    from_variable: returns the command that reads the token from the variable of that name instead.
    Raises NothingThere, or Failed for what is no token or cannot be read.
    """
    kind, colon, rest = source.partition(":")
    if any(token_text.may_be_token(word) for word in (source, rest)):
        raise Failed(
            "--from was given a token, which every process can see there: give the name of where it is, or `-`"
        )
    if source == "-":
        return from_standard_input(host)
    if colon and kind == "command":
        try:
            words = shlex.split(rest)
        except ValueError:
            raise Failed("the command has a quote that does not end") from None
        if not words:
            raise Failed("the command is empty: give it as command:PROGRAM ARGUMENT ...")
        return from_command(words, environ, host, heard=os.isatty(2))
    if colon and kind == "env":
        return from_environment(rest, environ, host)
    if colon and kind == "credential":
        return from_credential(rest, environ, host)
    if _is_variable(source) and not os.path.lexists(source):
        raise NothingThere(f"{source}: no such file. Try: {from_variable(source)}")
    return from_file(source, host)


def from_standard_input(host: bytes) -> tuple[str, list[str]]:
    """Return the token on standard input, and warnings. On a terminal it is typed. Raises what read does."""
    try:
        raw = _typed(host) if os.isatty(0) else safe_read.read_all(0, safe_read.MAX_SIZE)
    except OSError as error:
        raise Failed(f"standard input cannot be read: {error.strerror}") from None
    return _token(raw, "standard input", host)


def from_file(path: str, host: bytes) -> tuple[str, list[str]]:
    """Return the token in a file, `~` written out, and warnings, one of them if others can read it.

    Raises what read does.
    """
    file = os.path.expanduser(path)
    raw, status = open_file(file, is_declaration=False)
    name = shown(file)
    # The group of a file of somebody else's is how this user reads it.
    others = stat.S_IROTH | (stat.S_IRGRP if ownership.may_act_as(status.st_uid) else 0)
    warnings = []
    if status.st_mode & others:
        remedy = "use a file that only you can read"
        if files.may_change_mode(os.fsencode(file), status.st_uid):
            remedy = f"run `chmod 600 {quoted(file)}`"
        warnings.append(f"{name} can be read by others: {remedy}")
    text, doubts = _token(raw, name, host)
    return text, warnings + doubts


def from_environment(name: str, environ: dict[bytes, bytes], host: bytes) -> tuple[str, list[str]]:
    """Return the token in the variable `name`, and warnings. Raises what read does."""
    if not name:
        raise Failed("a variable is given by its name, as env:NAME")
    raw = environ.get(os.fsencode(name))
    if raw is None:
        raise NothingThere(f"the variable {shown(name)} is not set")
    return _token(raw, f"the variable {shown(name)}", host)


def from_credential(name: str, environ: dict[bytes, bytes], host: bytes) -> tuple[str, list[str]]:
    """Return the token in systemd's credential `name`, and warnings. Raises what read does."""
    if "/" in name or name in ("", ".", ".."):
        raise Failed("a credential is given by its name alone, as credential:NAME")
    folder = environ.get(b"CREDENTIALS_DIRECTORY")
    if not folder:
        raise NothingThere(
            f"the credential {shown(name)} is missing: "
            "systemd sets CREDENTIALS_DIRECTORY for a unit with LoadCredential="
        )
    raw, _ = open_file(os.path.join(os.fsdecode(folder), name), is_declaration=False)  # systemd sees to who can read it
    return _token(raw, f"the credential {shown(name)}", host)


def from_command(words: list[str], environ: dict[bytes, bytes], host: bytes, *, heard: bool) -> tuple[str, list[str]]:
    """Return the token that the program prints, and warnings. Raises what read does.

    heard: whether what it says on standard error goes to ours; else it is told if the program fails.
    """
    return _token(_printed(words, environ, heard), "the command's output", host)


def _token(raw: bytes, name: str, host: bytes) -> tuple[str, list[str]]:
    """Return the token for `host` in `raw`, the content of the source `name`, and a warning where it may be none."""
    if len(raw) > safe_read.MAX_SIZE:
        raise Failed(f"{name} holds more than 64 KiB: it must hold the token alone")
    text = raw.strip()
    shape = token_text.shape(text) if host == HUB else token_text.WORD
    put = f"put the token there, from {_PAGE}" if host == HUB else "put the password there"
    if not text or shape == token_text.NOTHING:
        raise NothingThere(f"{name} is empty: {put}")
    if b"\n" in text or b"\r" in text:
        raise Failed(f"{name} holds more than one line: keep the token alone")
    if shape == token_text.PLACEHOLDER:
        raise NothingThere(f"{name} holds a placeholder: {put}")
    if has_control(text):
        raise Failed(f"{name} has a control character in it: it must hold the token alone, as plain text")
    if shape == token_text.QUOTED:
        raise Failed(f"{name} holds a token in quotes: keep what is between them")
    if shape == token_text.MORE:
        part = token_text.part(text)
        remedy = f"keep {part}" if part else f"put the token alone there, from {_PAGE}"
        raise Failed(f"{name} holds more than the token ({token_text.more(text)}): {remedy}")
    if shape == token_text.FOREIGN:
        raise Failed(f"{name} holds a token of another service's: keep one of Hugging Face's, from {_PAGE}")
    if clean(text) is None:
        raise Failed(f"{name} holds what is too long for git: it must hold the token alone")
    try:
        token = text.decode()
    except UnicodeDecodeError:
        raise Failed(f"{name} is not plain text: it must hold the token alone") from None
    if shape == token_text.NO_TEXT:
        raise Failed(f"{name} has a character in it that no token has: copy the token there once more")
    doubt = f"{name} holds a word that does not look like a Hugging Face token (hf_...){ANYWAY}"
    return token, [doubt] if host == HUB and shape == token_text.WORD else []


def _is_variable(name: str) -> bool:
    """Return whether `name` is that of a variable: of one that is set, or of one as they are named."""
    is_set = os.fsencode(name) in os.environb
    return re.fullmatch("[A-Za-z_][A-Za-z0-9_]*" if is_set else "[A-Z][A-Z0-9_]+", name) is not None


def _typed(host: bytes) -> bytes:
    """Return what somebody types at the terminal, which shows nothing of it.

    SIGTERM and Ctrl-\\ end it as Ctrl-C does, so that the terminal has its echo back either way. A signal that comes
    between Python's last look for one and the read would wait for a key: the tick has Python look again.
    Raises KeyboardInterrupt.
    """
    what = f"Token from {_PAGE}" if host == HUB else f"Password for {shown(host)}"
    former = {one: signal.signal(one, signal.default_int_handler) for one in (signal.SIGTERM, signal.SIGQUIT)}
    former[signal.SIGALRM] = signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, _TICK, _TICK)
    try:
        return os.fsencode(getpass.getpass(f"{what} (not shown): "))
    except EOFError:
        return b""
    except (OSError, UnicodeError):
        raise Failed("the terminal cannot be read. Try: git-credential-hf login --with-token") from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for one, handler in former.items():
            signal.signal(one, handler)


def _printed(words: list[str], environ: dict[bytes, bytes], heard: bool) -> bytes:
    program = shown(words[0])
    deadline = time.monotonic() + _COMMAND_LIMIT
    try:
        process = subprocess.Popen(
            words,
            env=without_tokens(environ),
            stdout=subprocess.PIPE,
            stderr=None if heard else subprocess.PIPE,
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Failed(f"the command {program} cannot be run: {reason}") from None
    with process:
        try:
            raw, said = _output(process, deadline)
            if len(raw) > safe_read.MAX_SIZE:
                return raw
            code = process.wait(max(deadline - time.monotonic(), 0))
            said += _rest(process)
        except subprocess.TimeoutExpired:
            raise Failed(f"the command {program} did not end within {_COMMAND_LIMIT} s") from None
        finally:
            process.kill()
    if code != 0:
        ended = f"ended with exit code {code}" if code > 0 else f"was ended by signal {-code}"
        why = _one_line(said, raw)
        raise Failed(f"the command {program} {ended}{': ' if why else ''}{why}")
    return raw


def _output(child: subprocess.Popen[bytes], deadline: float) -> tuple[bytes, bytes]:
    """Return what the child prints, at most a byte more than a source may hold, and what it says on standard error.

    Raises TimeoutExpired.
    """
    raw: dict[IO[bytes], bytes] = {pipe: b"" for pipe in (child.stdout, child.stderr) if pipe is not None}
    pipes = list(raw)
    printed = pipes[0]
    # A pipe stays open as long as any child of the child holds it, which no kill of ours would reach.
    while printed in pipes and len(raw[printed]) <= safe_read.MAX_SIZE:
        ready = select.select(pipes, [], [], max(deadline - time.monotonic(), 0))[0]
        if not ready:
            raise subprocess.TimeoutExpired(child.args, _COMMAND_LIMIT)
        for pipe in ready:
            chunk = os.read(pipe.fileno(), safe_read.MAX_SIZE + 1)
            if not chunk:
                pipes.remove(pipe)
            raw[pipe] += chunk[: safe_read.MAX_SIZE + 1 - len(raw[pipe])]
    return raw[printed], b"".join(raw[pipe] for pipe in raw if pipe is not printed)


def _rest(child: subprocess.Popen[bytes]) -> bytes:
    """Return what a child that has ended left in the pipe of its standard error."""
    if child.stderr is None:
        return b""
    os.set_blocking(child.stderr.fileno(), False)
    try:
        return os.read(child.stderr.fileno(), safe_read.MAX_SIZE)
    except BlockingIOError:
        return b""


def _one_line(said: bytes, raw: bytes) -> str:
    """Return what a program said as the end of a line, without any token that it may have said too."""
    for word in raw.split():
        if len(word) > _SHORT:
            said = said.replace(word, token_text.MASK.encode())
    lines = [" ".join(shown(line).split()) for line in said.splitlines()]
    return "; ".join(line for line in lines if line)[:_LONGEST_REASON]


def open_file(file: str, *, is_declaration: bool) -> tuple[bytes, os.stat_result]:
    """Return what is in a file of the user's or of root's, up to a byte more than a source may hold, and its status.

    A file of whoever has the home that is the user's is the user's, too (see owner). One that holds a token, and no
    declaration, which can run a command, may belong to a user without a name: a container may not know who gave it.
    Raises NothingThere or Failed.
    """
    name = shown(file)
    try:
        # Links are followed: secrets are linked to where they are decrypted. What counts is the file that is open.
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        raise NothingThere(f"{name}: no such file") from None
    except (OSError, ValueError) as error:
        raise Failed(f"{name} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            instead = "to read from a pipe, use --from -"
            if is_declaration:
                instead = "move away what is in its place"
            elif stat.S_ISDIR(status.st_mode):
                instead = "it is a folder, so name a file in it"
            raise Failed(f"{name} is not a regular file: {instead}")
        if not owner.is_trusted(os.fsencode(file), status, os.environb, or_nameless=not is_declaration):
            raise Failed(f"{name} belongs to another user, who could change it: use a file of your own")
        return safe_read.read_all(descriptor, safe_read.MAX_SIZE), status
    except OSError as error:
        raise Failed(f"{name} cannot be read: {error.strerror}") from None
    finally:
        os.close(descriptor)
