"""tokens.toml: the tokens that a person has declared, and what is wrong with a declaration, by line and key."""

import datetime
import os
import re
import stat
import tomllib
from dataclasses import dataclass
from typing import Any

from git_credential_hf import options
from git_credential_hf.cli import token_source
from git_credential_hf.cli.output import Failed, named, quoted, shown
from git_credential_hf.model import address, token_text
from git_credential_hf.model.repository import HF_USER, HUB, server
from git_credential_hf.model.text import has_control, is_text
from git_credential_hf.state import configuration, files, safe_read

_SOURCES = ("file", "env", "credential", "command")
_KEYS = (*_SOURCES, "scope", "user", "host", "expires", "cache")

_LATEST = 253_402_300_799  # seconds since the epoch, the end of the year 9999: more of them are milliseconds


@dataclass(frozen=True)
class Declared:
    """One token as tokens.toml declares it.

    name: `tokens.NAME`, as people are told of it.
    kind: "file", "env", "credential" or "command", with `value` a path, a name or a list of words.
    server, scopes, user: what it is for; the scope of a whole host is empty.
    expires: seconds since the epoch, None where no end is declared.
    cache: whether it is for the token file as well.
    """

    name: str
    kind: str
    value: str | list[str]
    server: bytes
    scopes: tuple[bytes, ...]
    user: bytes
    expires: int | None
    cache: bool

    def read(self, environ: dict[bytes, bytes], *, heard: bool) -> tuple[str, list[str]]:
        """Return the token and a line for each thing about it that a person should hear.

        environ: the environment, for a command's too.
        heard: whether what a command says on standard error goes to ours.
        Raises token_source.NothingThere or Failed.
        """
        if isinstance(self.value, list):
            return token_source.from_command(self.value, environ, self.server, heard=heard)
        if self.kind == "env":
            return token_source.from_environment(self.value, environ, self.server)
        if self.kind == "credential":
            return token_source.from_credential(self.value, environ, self.server)
        return token_source.from_file(self.value, self.server)


class _Wrong(Exception):
    """What is wrong with the key at `path`."""

    def __init__(self, path: tuple[str, ...], reason: str) -> None:
        self.path = path
        self.reason = reason


def scope_of(text: str, host: bytes) -> bytes:
    """Return the scope of the server `host` that a person has written. Raises options.UsageError."""
    _refuse_token(text, "a scope")
    try:
        return address.scope(host, os.fsencode(text))
    except address.NotUnderstood as reason:
        raise options.UsageError(f"{named(text)}{reason}") from None


def user_of(text: str) -> bytes:
    """Return the user that a person has written. Raises options.UsageError."""
    _refuse_token(text, "a user")
    given = os.fsencode(text)
    if not given or has_control(given) or not is_text(given):
        raise options.UsageError("a user is a name, on one line")
    return given


def _refuse_token(text: str, what: str) -> None:
    if token_text.may_be_token(text.strip()):
        raise options.UsageError(f"{what} was expected, and what was given may be a token", "git-credential-hf login")


def server_of(text: str) -> bytes:
    """Return the server of the host that a person has written (see repository.server). Raises options.UsageError."""
    host = options.host(os.fsencode(text))
    return server(b"https", host, (host,)) or host


def path(environ: dict[bytes, bytes]) -> str:
    """Return where tokens.toml is."""
    return os.fsdecode(configuration.tokens_toml(environ))


def read(file: str) -> list[Declared]:
    """Return what the tokens.toml `file` declares, in its order.

    Raises token_source.NothingThere where the file is missing, and Failed for one that cannot be trusted or has
    anything wrong in it.
    """
    raw, status = token_source.open_file(file, is_declaration=True)
    if status.st_mode & stat.S_IWOTH:  # it says which commands are run
        remedy = "keep it where you alone can write"
        if files.may_change_mode(os.fsencode(file), status.st_uid):
            remedy = f"run `chmod o-w {quoted(file)}`"
        raise Failed(f"{shown(file)} can be written by anybody: {remedy}")
    if len(raw) > safe_read.MAX_SIZE:
        raise Failed(f"{shown(file)} is over 64 KiB")
    try:
        text = raw.decode().removeprefix("\ufeff")  # the byte order mark, which editors on Windows write
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Failed(f"{shown(file)}:{line}: this is no UTF-8, as TOML must be") from None
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # an integer may have more digits than Python takes
        raise Failed(_of_toml(file, text, str(error))) from None
    try:
        return _declared(tables, os.path.dirname(file))
    except _Wrong as wrong:
        key = shown(".".join(part if re.fullmatch(r"[\w-]+", part, re.ASCII) else f'"{part}"' for part in wrong.path))
        raise Failed(f"{shown(file)}:{_line(text, wrong.path)}: {key}: {wrong.reason}") from None


def _of_toml(file: str, text: str, message: str) -> str:
    reason, _, place = message.rpartition(" (at ")
    line = re.match(r"line ([0-9]+)", place)
    number = line[1] if line else str(len(text.splitlines()) or 1)  # else it is "at end of document"
    # What it tells of the file is a character or a key.
    return f"{shown(file)}:{number}: this is no TOML: {shown(reason or message)}"


def _line(text: str, path: tuple[str, ...]) -> int:
    """Return the line on which the statement begins that brings the key at `path` into the document.

    tomllib does not tell. But a document that is cut off after any of its statements is a document too, so the last
    one that does not have the key yet ends just before that line.
    """
    lines = [line + "\n" for line in text.split("\n")]
    without, having = 0, len(lines)
    while True:
        middle = (without + having) // 2
        for count in (*range(middle, without, -1), *range(middle + 1, having)):
            try:
                found = _has(tomllib.loads("".join(lines[:count])), path)
            except tomllib.TOMLDecodeError:  # cut off within a statement
                continue
            if found:
                having = count
            else:
                without = count
            break
        else:
            return without + 1


def _has(found: Any, path: tuple[str, ...]) -> bool:
    for key in path:
        if key not in found:
            return False
        found = found[key]
    return True


def _declared(tables: dict[str, Any], folder: str) -> list[Declared]:
    """Return what the tables of a whole file declare; files are relative to `folder`. Raises _Wrong."""
    for key in tables:
        if key != "tokens":
            raise _Wrong((key,), "there is no such key: a token is declared as [tokens.NAME]")
    tokens = tables.get("tokens", {})
    if not isinstance(tokens, dict):
        raise _Wrong(("tokens",), "this must be a table: a token is declared as [tokens.NAME]")
    found = []
    places: dict[tuple[bytes, bytes, bytes], str] = {}
    cached = ""
    for name, table in tokens.items():
        one = _token(name, table, folder)
        for scope in one.scopes:
            other = places.setdefault((one.server, scope, one.user), one.name)
            if other != one.name:
                reason = f"{other} is for the same place and user: give one of them another scope, user or host"
                raise _Wrong(("tokens", name), reason)
        if one.cache:
            if cached:
                raise _Wrong(("tokens", name, "cache"), f"{cached} has it already, and the token file holds one token")
            cached = one.name
        found.append(one)
    return found


def _token(name: str, table: Any, folder: str) -> Declared:
    at = ("tokens", name)
    if not isinstance(table, dict):
        raise _Wrong(at, "this must be a table: a token is declared as [tokens.NAME]")
    for key in table:
        if key not in _KEYS:
            raise _Wrong((*at, key), f"there is no such key: it is one of {', '.join(_KEYS)}")
    given = [key for key in table if key in _SOURCES]
    if not given:
        raise _Wrong(at, f"it has no source: give it one of {', '.join(_SOURCES)}")
    if len(given) > 1:
        raise _Wrong((*at, given[1]), f"it has {given[0]} already, and a token has one source")
    (kind,) = given
    value = _source(kind, table[kind], (*at, kind), folder)
    try:
        key = "host"
        host = server_of(_text(table[key], (*at, key))) if key in table else HUB
        key = "scope"
        texts = _texts(table[key], (*at, key)) if key in table else []
        scopes = tuple(scope_of(text, host) for text in texts) or (b"",)
        key = "user"
        user = user_of(_text(table[key], (*at, key))) if key in table else HF_USER
    except options.UsageError as error:
        raise _Wrong((*at, key), str(error)) from None
    if len(set(scopes)) < len(scopes):
        raise _Wrong((*at, "scope"), "it names the same scope twice")
    cache = table.get("cache", False)
    if not isinstance(cache, bool):
        raise _Wrong((*at, "cache"), "this must be true or false")
    if cache and ("scope" in table or host != HUB):
        raise _Wrong((*at, "cache"), "Hugging Face's token file is for a token of the whole of huggingface.co")
    expires = _expiry(table["expires"], (*at, "expires")) if "expires" in table else None
    return Declared(f"tokens.{shown(name)}", kind, value, host, scopes, user, expires, cache)


def _source(kind: str, value: Any, at: tuple[str, ...], folder: str) -> str | list[str]:
    if kind == "command":
        return _command(value, at)
    name = _text(value, at)
    if "\0" in name:
        raise _Wrong(at, "there is a NUL in it")
    if token_text.may_be_token(name):
        raise _Wrong(at, "this is itself a token, and this file is no place for one: name where it is")
    if not name:
        raise _Wrong(at, "it is empty")
    if kind == "env" and "=" in name:
        raise _Wrong(at, "a variable is given by its name alone")
    if kind == "credential" and ("/" in name or name in (".", "..")):
        raise _Wrong(at, "a credential is given by its name alone")
    if kind == "file" and not name.startswith("~"):
        return os.path.join(folder, name)
    return name


def _command(value: Any, at: tuple[str, ...]) -> list[str]:
    if not isinstance(value, list) or not value or not all(isinstance(word, str) for word in value):
        raise _Wrong(at, 'this must be a list of words, as in ["pass", "show", "huggingface"]')
    if any("\0" in word for word in value):
        raise _Wrong(at, "there is a NUL in it")
    if not value[0]:
        raise _Wrong(at, "the name of the program is empty")
    return value


def _texts(value: Any, at: tuple[str, ...]) -> list[str]:
    texts = value if isinstance(value, list) else [value]
    if not texts or not all(isinstance(text, str) for text in texts):
        raise _Wrong(at, "this must be a text, or a list of texts")
    return texts


def _text(value: Any, at: tuple[str, ...]) -> str:
    if not isinstance(value, str):
        raise _Wrong(at, "this must be a text")
    return value


def _expiry(value: Any, at: tuple[str, ...]) -> int:
    """Return seconds since the epoch. A date is that day to its end, in UTC, so that it means the same everywhere."""
    if isinstance(value, datetime.datetime):
        if value.tzinfo is None:
            raise _Wrong(at, "a time needs its offset, as in 2027-01-31T12:00:00Z")
        seconds = min(int(value.timestamp()), _LATEST)
    elif isinstance(value, datetime.date):
        midnight = datetime.datetime.combine(value, datetime.time(), datetime.UTC)
        seconds = min(int(midnight.timestamp()) + 86_400, _LATEST)
    elif isinstance(value, int) and not isinstance(value, bool):
        seconds = value
    else:
        raise _Wrong(at, "this must be a date, a time with its offset, or seconds since the epoch")
    if seconds <= 0:
        raise _Wrong(at, "this is no time that a token could end at: it must be after 1970-01-01")
    if seconds > _LATEST:
        raise _Wrong(at, "this is no time that a token could end at: it was written in milliseconds, not in seconds")
    return seconds
