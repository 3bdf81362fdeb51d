"""seed: store tokens in the keyring and in Hugging Face's token file."""

import os
import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import NamedTuple

from git_credential_hf.cli import child, owner, token_file, token_source, tokens_toml
from git_credential_hf.cli.asked import Asked
from git_credential_hf.cli.output import PARTLY, Failed, complain, date, quoted, shown, shown_token
from git_credential_hf.cli.token_file import TokenFile
from git_credential_hf.model import item
from git_credential_hf.model.repository import HF_USER, HUB
from git_credential_hf.model.token import Token
from git_credential_hf.options import Options
from git_credential_hf.secret_service import (
    KEYRING,
    Absent,
    Locked,
    NoBus,
    NoCollection,
    NoKeyring,
    NotYours,
    Unavailable,
)
from git_credential_hf.sources import keyring
from git_credential_hf.sources.token_file import login
from git_credential_hf.state import locks, rejected, trace

_WAIT = 30.0  # seconds, for the runs that came before

# What there is to do about a keyring that cannot be had, where no dialog can help: for seed, and for login, of which
# the token is to be typed once more. {}: the same command once more.
_REMEDIES = {
    Locked: ("Run `{}` again once it is open", "Unlock the keyring, then: {}"),
    NoBus: ("Run `{}` again after logging in", "Log in to the desktop, then: {}"),
    NotYours: (
        "Unset DBUS_SESSION_BUS_ADDRESS and XDG_RUNTIME_DIR, and run `{}` again",
        "Unset DBUS_SESSION_BUS_ADDRESS and XDG_RUNTIME_DIR, then: {}",
    ),
    NoKeyring: ("Run `{}` again once one is running", "Start a keyring, then: {}"),
    NoCollection: (
        "Run `{}` again after the next login, or create a keyring in it",
        "Create a keyring in it, then: {}",
    ),
    Absent: ("Install one, and run `{}` again", "Install a keyring, then: {}"),
}


class Seed(Asked):
    """What one run of seed is asked to do; each attribute is the option of that name.

    unlock, timeout: as they were typed; what counts is in options.Options.
    wait: whether to wait for a keyring that is not there yet: --require-keyring with --timeout.
    """

    command = "seed"
    once_more = "seed again"
    is_typed = False  # whether the token was typed for this run alone, so that no later run of seed stores it

    def __init__(self) -> None:
        self.source: str | None = None
        self.scope = b""
        self.user = HF_USER
        self.host = HUB
        self.keyring = True
        self.cache = True
        self.require_keyring = False
        self.wait = False
        self.optional = False
        self.strict = False
        self.force = False
        self.git_lfs = False
        self.dry_run = False
        self.quiet = False
        self.unlock = "auto"
        self.timeout: str | None = None


class _ForKeyring(NamedTuple):
    """A token for one item; `name` is that of its declaration, empty for the token of --from."""

    name: str
    server: bytes
    user: bytes
    token: Token

    def __str__(self) -> str:
        return _which(item.place(self.server, self.token.scope), self.user, self.token.text)


class Wanted:
    """What one run is to store, as far as its sources could be read.

    for_file: the text for the token file, None where there is none.
    kept: the places and users that are declared, None with --from, which withdraws nothing.
    withdraws_file: whether tokens.toml has none for the token file.
    failed: a line for each source that gave no token.
    variables: names of the variables that were sources.
    """

    def __init__(self) -> None:
        self.tokens: list[_ForKeyring] = []
        self.for_file: bytes | None = None
        self.kept: set[tuple[bytes, bytes]] | None = None
        self.withdraws_file = False
        self.failed: list[str] = []
        self.variables: set[bytes] = set()


class Outcome:
    """The result of one run: whether anything changed, whether a person was told, and lines for a person.

    places: where the tokens are now. skipped: why the keyring was not asked to store them, empty where it was.
    warnings: lines about where they are.
    """

    def __init__(self) -> None:
        self.changed = False
        self.told = False
        self.shortfalls: list[str] = []
        self.warnings: list[str] = []
        self.places: list[str] = []
        self.skipped = ""


def seed(asked: Seed, options: Options) -> int:
    """Seed the token of `asked.source`, or those of tokens.toml; return the exit code.

    options: environ, timeout and unlock, for the keyring. Raises Failed where nothing was changed.
    """
    trace.begin(options, "seed")
    owner.check_home(options.environ, "seed")
    try:
        source = asked.source
        if (
            source is None
            and os.isatty(0)
            and not asked.optional
            and not os.path.lexists(tokens_toml.path(options.environ))
        ):
            source = "-"  # there is somebody to ask
        wanted = _declared(asked, options) if source is None else _given(asked, source, options)
    except token_source.NothingThere as reason:
        if not asked.optional:
            raise
        _report(asked, f"nothing to seed: {reason}")
        return 0
    outcome = store(asked, wanted, options)
    shortfalls = outcome.shortfalls
    if asked.git_lfs and asked.dry_run:
        _report(asked, "git-lfs: `git lfs install --skip-repo` would be run")
    elif asked.git_lfs:
        try:
            environ = {name: value for name, value in options.environ.items() if name not in wanted.variables}
            _report(asked, child.install_git_lfs(environ))
        except Failed as reason:
            shortfalls.append(str(reason))
    for line in outcome.warnings + wanted.failed + shortfalls:
        complain(line)
    if wanted.failed and not wanted.tokens and not outcome.changed:
        return 1
    return PARTLY if wanted.failed or shortfalls else 0


def _given(asked: Seed, source: str, options: Options) -> Wanted:
    """Return what --from and the options beside it say. Raises NothingThere or Failed."""
    text, warnings = token_source.read(
        source, options.environ, asked.host, from_variable=lambda name: asked.again(source=f"env:{name}")
    )
    _warn(asked, warnings)
    wanted = one_token(asked, text.encode(), None, options)
    if source.startswith("env:"):
        wanted.variables = {os.fsencode(source.removeprefix("env:"))}
    return wanted


def one_token(asked: Seed, text: bytes, expires: int | None, options: Options) -> Wanted:
    """Return what stores the token `text` for the host, scope and user that are asked for.

    expires: when it does, None where only hf may know (see _expiry).
    """
    wanted = Wanted()
    expires = _expiry(text, asked.host, options) if expires is None else expires
    token = Token(text, user=asked.user, scope=asked.scope, expires=expires)
    wanted.tokens = [_ForKeyring("", asked.host, asked.user, token)]
    if asked.cache and not asked.scope and asked.host == HUB:
        wanted.for_file = text
    return wanted


def _declared(asked: Seed, options: Options) -> Wanted:
    """Return what tokens.toml declares. Raises NothingThere where there is none, or Failed."""
    file = tokens_toml.path(options.environ)
    try:
        found = tokens_toml.read(file)
    except token_source.NothingThere:
        raise token_source.NothingThere(
            f"{shown(file)}: no such file, so no token is declared. Try: git-credential-hf seed --from FILE"
        ) from None
    wanted = Wanted()
    wanted.kept = set()
    wanted.variables = {os.fsencode(one.value) for one in found if one.kind == "env" and isinstance(one.value, str)}
    wanted.withdraws_file = asked.cache and not any(one.cache for one in found)
    warnings = []
    absent: list[str] = []
    for number, one in enumerate(found, 1):
        wanted.kept |= {(item.place(one.server, scope), one.user) for scope in one.scopes}
        try:
            text, warned = _read(asked, one, f"{number} of {len(found)}", wanted.variables, options)
        except token_source.NothingThere as reason:
            (absent if asked.optional else wanted.failed).append(f"{one.name}: {reason}")
            continue
        except Failed as reason:
            wanted.failed.append(f"{one.name}: {reason}")
            continue
        warnings += [f"{one.name}: {line}" for line in warned]
        if one.expires is not None and one.expires <= time.time():
            complain(f"{one.name}: the token has expired, at {date(one.expires)}")
        expires = _expiry(text.encode(), one.server, options) if one.expires is None else one.expires
        for scope in one.scopes:
            token = Token(text.encode(), user=one.user, scope=scope, expires=expires)
            wanted.tokens.append(_ForKeyring(one.name, one.server, one.user, token))
        if one.cache and asked.cache:
            wanted.for_file = text.encode()
    _warn(asked, warnings)
    for line in absent:
        _report(asked, f"nothing to seed: {line}")
    return wanted


def _expiry(text: bytes, host: bytes, options: Options) -> int | None:
    """Return when a token for `host` expires, if it is from a login that hf has in its list."""
    return login(text, options.environ)[0] if host == HUB else None


def _read(
    asked: Seed, one: tokens_toml.Declared, count: str, variables: set[bytes], options: Options
) -> tuple[str, list[str]]:
    """Read one source, on a terminal with a line that says which while it takes its time."""
    on_terminal = os.isatty(2)
    environ = options.environ
    if one.kind == "command":  # which has no need of the tokens of other sources
        environ = {name: value for name, value in environ.items() if name not in variables}
    with _progress(f"{one.name}, {count}") if on_terminal and not asked.quiet else nullcontext():
        return one.read(environ, heard=on_terminal)


@contextmanager
def _progress(what: str) -> Iterator[None]:
    # It ends at its own beginning, so that what a command says there takes its place.
    print(f"git-credential-hf: reading {what}\r", end="", file=sys.stderr, flush=True)
    try:
        yield
    finally:
        print("\033[K", end="", file=sys.stderr, flush=True)


def _warn(asked: Seed, warnings: list[str]) -> None:
    for warning in warnings:
        if asked.strict:
            raise Failed(warning.removesuffix(token_source.ANYWAY))
        complain(warning)


def store(asked: Seed, wanted: Wanted, options: Options) -> Outcome:
    """Store the tokens in token file and keyring, and remove those that are no longer declared.

    Tokens that were rejected are given again. Raises Failed where nothing was changed.
    """
    try:
        return _stored(asked, wanted, options)
    except token_file.NotStored as failure:
        raise Failed(f"{failure}{_elsewhere(asked, wanted, options, failure)}") from None


def _stored(asked: Seed, wanted: Wanted, options: Options) -> Outcome:
    """Do what store does. Raises NotStored or Failed."""
    outcome = Outcome()
    file = None
    if wanted.for_file is not None:
        file = TokenFile(options.environ)
        file.put(wanted.for_file, dry_run=True)  # where it cannot be, nothing has been touched
    elif wanted.withdraws_file and token_file.has_declared(options.environ):
        file = TokenFile(options.environ)
    if file is None and not asked.keyring and wanted.kept is None:
        if _must_be_kept(asked):
            outcome.shortfalls = _stored_nowhere(
                wanted, "the keyring alone keeps such a token", "Seed it without --no-keyring"
            )
        else:
            _report(asked, "nothing to do: the token is for neither the token file nor the keyring")
        return outcome
    if asked.keyring and not asked.dry_run and keyring.SECRET_SERVICE:
        from git_credential_hf.secret_service import presence

        presence.prepare(options, wait=asked.wait)
    try:
        # Over both, so that of two runs at once the later one has the last word in both.
        with nullcontext() if asked.dry_run else locks.own_lock(options.environ, _WAIT):
            if file is not None:
                _fill_token_file(asked, wanted, file, outcome)
            if asked.keyring:
                _fill_keyring(asked, wanted, options, outcome)
    except TimeoutError as error:
        raise Failed(f"{error.strerror}: end it, and {asked.once_more}") from None
    if wanted.kept is not None and not (outcome.told or outcome.shortfalls or wanted.failed):
        declared = len({one.name for one in wanted.tokens})
        stored = declared if asked.keyring else int(wanted.for_file is not None)
        if not wanted.kept:
            _report(asked, "nothing to do: no token is declared")
        elif stored:
            _report(asked, f"unchanged: {stored} declared token{'s'[: stored != 1]}")
        elif declared:
            _report(asked, f"keyring: skipped (--no-keyring), {declared} declared token{'s'[: declared != 1]}")
    if not asked.dry_run:
        outcome.shortfalls += _let_be_given(wanted.tokens, options)
    return outcome


def _elsewhere(asked: Seed, wanted: Wanted, options: Options, failure: token_file.NotStored) -> str:
    """Return the end of a line that says where the token can be stored instead, empty where it cannot."""
    if asked.keyring and _keyring_takes(wanted, options):
        return ", or run this with --no-cache"
    file = token_file.other_place(options.environ) if failure.is_closed else None
    if file is None:
        return ""
    return (
        ", or store the token in another file, which HF_TOKEN_PATH must name for git too. "
        f"Try: export HF_TOKEN_PATH={quoted(file)}; {asked.again(dry_run=False)}"
    )


def _keyring_takes(wanted: Wanted, options: Options) -> bool:
    """Return whether the keyring is there and open, so that it would store all the tokens."""
    at_once = Options(options.environ)
    at_once.timeout = options.timeout
    at_once.unlock = "never"
    at_once.trace = options.trace
    try:
        with keyring.writer(at_once) as writer:
            pairs = [(one.server, one.token) for one in wanted.tokens]
            return "left" not in writer.put(pairs, item.SEEDED, dry_run=True)
    except Unavailable:
        return False


def _fill_token_file(asked: Seed, wanted: Wanted, file: TokenFile, outcome: Outcome) -> None:
    """Write the one token to the token file, or remove what was declared for it. Raises Failed."""
    if wanted.for_file is None:
        done = file.withdraw(dry_run=asked.dry_run)
    elif wanted.kept is not None:
        done = file.put_declared(wanted.for_file, force=asked.force, dry_run=asked.dry_run)
    else:
        done = file.put(wanted.for_file, force=asked.force, dry_run=asked.dry_run)
        if not asked.dry_run:
            token_file.forget_declared(file.environ)
            if asked.is_typed:
                file.remember_typed(wanted.for_file)
    if done is not None:
        outcome.told = done.what != token_file.UNCHANGED
        outcome.changed = done.what in (token_file.WRITTEN, token_file.REMOVED)
        if outcome.told or wanted.kept is None:
            _report(asked, done.line)
    if wanted.for_file is not None:
        outcome.places.append(file.shown)


def _fill_keyring(asked: Seed, wanted: Wanted, options: Options, outcome: Outcome) -> None:
    """Store the tokens in the keyring, and remove those that are no longer declared."""
    origin = item.SEEDED if wanted.kept is None else item.DECLARED
    gone = []
    try:
        with keyring.writer(options) as writer:
            pairs = [(one.server, one.token) for one in wanted.tokens]
            done = writer.put(pairs, origin, force=asked.force, dry_run=asked.dry_run)
            if wanted.kept is not None:
                gone = writer.withdraw(wanted.kept, dry_run=asked.dry_run)
            for label in writer.locked:
                older = f'an older copy was left in the keyring "{shown(label)}": that one is locked'
                outcome.shortfalls.append(f"{older}. {_once_open(asked)}")
    except (Absent, Locked) as reason:
        outcome.skipped = str(reason)
        remedy = _remedy(asked, reason, options)
        if asked.require_keyring:
            outcome.shortfalls.append(f"the keyring was not filled: {reason}. {remedy}")
        elif wanted.kept is None and wanted.for_file is None and _must_be_kept(asked):
            outcome.shortfalls += _stored_nowhere(wanted, str(reason), remedy)
        else:
            _report(asked, f"keyring: skipped ({reason}). {remedy}")
            outcome.told = True
        return
    except Unavailable as reason:
        part = "" if wanted.kept is None else ", or in part"
        outcome.shortfalls.append(f"the keyring was not filled{part}: {reason}; {asked.once_more}")
        return
    would_be = "would be " if asked.dry_run else ""
    if writer.fleeting:
        why = "the keyring loses tokens at logout: its default collection is in memory"
        outcome.warnings.append(f"{why}. Make another one its default, then: {asked.again(dry_run=False)}")
    if "left" not in done:
        outcome.places.insert(0, KEYRING)
    for one, how in zip(wanted.tokens, done, strict=True):
        if how == "left":
            outcome.shortfalls.append(f"{one} was not stored: the default keyring is not open. {_once_open(asked)}")
        elif how != "unchanged" or wanted.kept is None:
            name = f" ({one.name})" if one.name else ""
            _report(asked, f"keyring: {would_be if how != 'unchanged' else ''}{how}, {one}{name}")
            outcome.told = outcome.changed = True
    for place, user, text in gone:
        _report(asked, f"keyring: {would_be}removed, {_which(place, user, text)}")
        outcome.told = outcome.changed = True


def _remedy(asked: Seed, reason: Absent | Locked, options: Options) -> str:
    """Return what a person can do about a keyring that could not be had."""
    has_display = options.environ.get(b"DISPLAY") or options.environ.get(b"WAYLAND_DISPLAY")
    if isinstance(reason, (Locked, NoKeyring)) and has_display and options.unlock != "prompt":
        return _once_open(asked)
    of_seed, of_login = _REMEDIES[type(reason)]
    return (of_login if asked.is_typed else of_seed).format(asked.again(dry_run=False))


def _must_be_kept(asked: Seed) -> bool:
    """Return whether a token that is stored nowhere is lost: one that was typed, or that is for one place."""
    return asked.is_typed or bool(asked.scope) or asked.host != HUB


def _stored_nowhere(wanted: Wanted, reason: str, remedy: str) -> list[str]:
    return [f"{one} was stored nowhere: {reason}. {remedy}" for one in wanted.tokens]


def _once_open(asked: Seed) -> str:
    """Return what a person can do about a locked keyring: seed opens it in a dialog, and login has none."""
    if not asked.is_typed:
        return f"Try: {asked.again(unlock='prompt', timeout='60')}"
    _, of_login = _REMEDIES[Locked]
    return of_login.format(asked.again())


def _which(place: bytes, user: bytes, text: bytes) -> str:
    return f"token {shown_token(text)} for {shown(place)} as {shown(user)}"


def _let_be_given(tokens: list[_ForKeyring], options: Options) -> list[str]:
    """Take the tokens off the list of rejected ones; return a line for a person if that fails."""
    try:
        for server, text in dict.fromkeys((one.server, one.token.text) for one in tokens):
            rejected.forget(server, text, options.environ)
    except rejected.CannotRemember as error:
        file = shown(error.args[0])
        return [
            f"the token was rejected before, and is skipped for up to an hour: {file} cannot be written. "
            f"Try: rm {shlex.quote(file)}"
        ]
    return []


def _report(asked: Seed, line: str) -> None:
    if not asked.quiet:
        print(line)
