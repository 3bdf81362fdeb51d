"""What is known of one URL: git's settings and helpers, what `get` makes of it, the keyring and the files.

Nothing here changes anything, unlocks anything or asks a person.
"""

import os
import shutil
import signal
import stat
import subprocess
from collections.abc import Callable, Iterator

from git_credential_hf import options
from git_credential_hf.cli import child, git_config, tokens_toml
from git_credential_hf.cli.git_config import Configuration, Helper, Setting, Url
from git_credential_hf.cli.output import Failed, shown
from git_credential_hf.cli.status import keyring
from git_credential_hf.cli.status.keyring import Stored
from git_credential_hf.hub import Answer
from git_credential_hf.model import token_text
from git_credential_hf.model.outcome import EXPIRED, GIVEN, LOCKED, REJECTED, SPARE, Candidate, Outcome
from git_credential_hf.model.repository import HUB, server
from git_credential_hf.model.request import Malformed, parse
from git_credential_hf.model.token import Token, fingerprint, of_hub
from git_credential_hf.operations.get import decide
from git_credential_hf.options import Options
from git_credential_hf.sources import token_file
from git_credential_hf.sources.keyring import SECRET_SERVICE
from git_credential_hf.state import safe_read

_PROBE_SECONDS = 5.0  # for each helper
_SECONDS = 5  # for git, which waits for ever where its configuration is a FIFO


class TokenFile:
    """Hugging Face's token file. state: "token", "absent", "unusable". why: the shape of what it holds."""

    def __init__(self, environ: dict[bytes, bytes]) -> None:
        self.path = token_file.path(environ)
        self.state = "absent"
        self.why = ""
        self.mode = 0
        self.modified = 0.0
        self.link = os.path.islink(self.path)
        self.token: bytes | None = None
        try:
            status = os.stat(self.path)
        except OSError:
            self.state = "unusable" if self.link else "absent"
            return
        self.mode, self.modified = stat.S_IMODE(status.st_mode), status.st_mtime
        raw = safe_read.read(self.path)
        self.token = of_hub(raw)
        self.state = "token" if self.token else "unusable"
        self.why = token_text.shape(raw)


class Declared:
    """A token of tokens.toml that comes from a file. state: "seeded", "newer", "missing", "unreadable" or "unknown"."""

    def __init__(self, name: str, file: str, place: bytes, user: bytes, cached: bool) -> None:
        self.name = name
        self.file = file
        self.scope = place
        self.user = user
        self.cached = cached
        self.state = "unknown"


class Program:
    """A program that may be installed: its path and what it calls its version."""

    def __init__(self, name: str, environ: dict[bytes, bytes]) -> None:
        self.path = shutil.which(name, path=os.fsdecode(environ.get(b"PATH", b"")))
        self.version: str | None = None


class Facts:
    """Everything that status knows, for one URL. named: how the report tells one token from another."""

    def __init__(self, text: bytes, environ: dict[bytes, bytes]) -> None:
        self.named: Callable[[bytes], str] = fingerprint
        self.environ = environ
        self.given = git_config.parse(text)
        self.text = text if self.given.path else text.rstrip(b"/") + b"/"
        self.url: Url = self.given  # as url.*.insteadOf leaves it
        self.rewrite: Setting | None = None
        self.push_rewrite: Setting | None = None
        self.config = Configuration([])
        self.git = Program("git", environ)
        self.git_lfs = Program("git-lfs", environ)
        self.hf = Program("hf", environ)
        self.git_xet = Program("git-xet", environ)
        self.helpers: list[Helper] = []
        self.ours: Helper | None = None
        self.program: str | None = None  # what git would start for our helper, None where that is not there
        self.options_error = ""
        self.server: bytes | None = None
        self.with_path = False
        self.user: bytes | None = None
        self.asked: tuple[str, ...] = ()  # the sources that our helper is configured to ask
        self.outcome = Outcome(None)  # of `get`, as git's configuration has it run
        self.keyring: keyring.State | None = None
        self.token_file = TokenFile(environ)
        self.declaration = os.fsencode(tokens_toml.path(environ))
        self.declaration_error = ""
        self.declared: list[Declared] = []
        self.declared_scopes: list[bytes] = []
        self.probes: dict[Helper, git_config.Answer] = {}
        self.askpass: tuple[str, bytes, Setting | None] | None = None  # where it is named, the program, its setting
        self.netrc: tuple[bytes, int, int] | None = None  # the file, the first line and the last one of the entry
        self.online: Answer | None = None

    @property
    def active(self) -> list[Helper]:
        """The helpers that git would ask, in their order."""
        return [one for one in self.helpers if one.reset is None]

    def given_by(self) -> Helper | None:
        """Return the helper that git would get a token from; None where it would get none, or cannot be known to."""
        if self.config.complaint:
            return None
        for one in self.active:
            answer = self.probes.get(one)
            if answer is not None and answer.did == "quit":
                return None
            if answer is not None and answer.did == "answers":
                return one
            has_one = self.token is not None or self.will_be_unlocked
            if one == self.ours and has_one and self.program and not self.options_error:
                return one
            if one == self.ours and self.quits:
                return None
        return None

    @property
    def token(self) -> Token | None:
        """The token that `get` gives."""
        given = self.outcome.given()
        return given.token if given is not None else None

    @property
    def quits(self) -> bool:
        return self.outcome.quits

    @property
    def will_be_unlocked(self) -> bool:
        """Whether the keyring has items for the URL, and the next `get` unlocks them without a dialog."""
        return self.keyring is not None and self.keyring.opens and self.outcome.first(LOCKED) is not None

    @property
    def host_token(self) -> Token | None:
        """What the keyring has for the whole host, and would give."""
        for one in self.outcome.candidates:
            good = one.source == "keyring" and one.verdict in (GIVEN, SPARE)
            if good and one.token is not None and not one.token.scope:
                return one.token
        return None

    def has_host_token(self) -> bool:
        """Return whether a request without a path would get a token."""
        return any(
            one.verdict in (GIVEN, SPARE) and one.token is not None and not one.token.scope
            for one in self.outcome.candidates
        )

    def of_source(self, name: str) -> Candidate | None:
        """Return the candidate that a source is judged by: what it would give, else why it gives nothing."""
        for verdicts in ((GIVEN, SPARE), (REJECTED,), (EXPIRED,)):
            if (one := self.outcome.first(*verdicts, source=name)) is not None:
                return one
        return next((one for one in self.outcome.candidates if one.source == name), None)

    def scoped(self) -> list[bytes]:
        """Return the scopes that there are tokens for, in the keyring or in tokens.toml."""
        in_keyring = [one.item.scope for one in self.keyring.ours if one.item.scope] if self.keyring else []
        return list(dict.fromkeys([*in_keyring, *self.declared_scopes]))


def gather(text: bytes, environ: dict[bytes, bytes], *, probe: bool) -> Facts:
    """Return what is known of the URL `text`; with `probe`, after running the other helpers. Raises BadUrl."""
    facts = Facts(text, environ)
    started = _start_programs(facts)
    _read_configuration(facts, started)
    _read_versions(facts, started)
    _read_tokens(facts)
    if probe:
        _probe(facts)
    return facts


# git.


def _start_programs(facts: Facts) -> dict[str, "subprocess.Popen[bytes]"]:
    """Start what takes its time, all at once."""
    commands = {"git config": git_config.list_command(), "git": ["git", "version"]} if facts.git.path else {}
    if facts.git_lfs.path:
        commands["git-lfs"] = [facts.git_lfs.path, "version"]
    started = {}
    for name, command in commands.items():
        try:
            started[name] = subprocess.Popen(
                command,
                env=child.environment(facts.environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                process_group=0,  # so that what it starts ends with it
            )
        except OSError:
            pass
    return started


def _output(child: "subprocess.Popen[bytes]") -> tuple[bytes, bytes]:
    try:
        return child.communicate(timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
        return b"", b"it gave no answer within %d s" % _SECONDS


def _read_configuration(facts: Facts, started: dict[str, "subprocess.Popen[bytes]"]) -> None:
    if child := started.get("git config"):
        output, complaint = _output(child)
        if child.returncode == 0:
            facts.config = Configuration(git_config.read_settings(output))
        elif child.returncode == git_config.NO_SUCH_OPTION and (again := _without_scopes(facts.environ)) is not None:
            facts.config = Configuration(git_config.read_settings(again, with_scope=False))
        else:
            facts.config = Configuration([], _first_line(complaint) or f"git config ended with {child.returncode}")
    config = facts.config
    if found := config.rewritten(facts.text):
        new, facts.rewrite = found
        try:
            facts.url = git_config.parse(new)
        except git_config.BadUrl:  # as for a path in place of a URL
            facts.url = Url(b"file", None, None, b"", b"")
    if found := config.rewritten(facts.text, b"pushinsteadof"):
        facts.push_rewrite = found[1]
    if (broken := config.without_value(facts.url)) and not config.complaint:
        config.complaint = f"missing value for {shown(broken.key)} in {broken.where()}"
    path = config.credential(b"usehttppath", facts.url)
    is_true = git_config.is_true((path and path.value) or b"")
    if path and is_true is None and not config.complaint:
        config.complaint = f"bad boolean {shown(path.value or b'')} for {shown(path.key)} in {path.where()}"
    facts.helpers = config.helpers(facts.url)
    facts.ours = next((one for one in facts.active if one.is_ours()), None)
    facts.program = facts.ours.program(facts.environ) if facts.ours is not None else None
    facts.with_path = is_true is True
    facts.user = facts.url.user
    named = config.credential(b"username", facts.url)
    if facts.user is None and named is not None and named.value:
        facts.user = named.value
    facts.askpass = _askpass(facts)
    facts.netrc = _netrc(facts)


def _without_scopes(environ: dict[bytes, bytes]) -> bytes | None:
    """Return the output of git config as a git before 2.26 gives it, None where that gives none either."""
    done = git_config.run(git_config.list_command(with_scope=False), child.environment(environ))
    return done.stdout if done is not None and done.returncode == 0 else None


def _askpass(facts: Facts) -> tuple[str, bytes, Setting | None] | None:
    """Return what git would ask a person with. Source: gitcredentials(7), git's prompt.c."""
    setting = facts.config.value(b"core.askpass")
    named: list[tuple[str, bytes | None, Setting | None]] = [
        ("GIT_ASKPASS", facts.environ.get(b"GIT_ASKPASS"), None),
        ("core.askPass", setting.value if setting else None, setting),
        ("SSH_ASKPASS", facts.environ.get(b"SSH_ASKPASS"), None),
    ]
    for name, program, where in named:
        if program is not None:
            return (name, program, where) if program else None
    return None


def _netrc(facts: Facts) -> tuple[bytes, int, int] | None:
    """Return the lines of ~/.netrc that curl takes a login for the host from. Source: curl(1), --netrc."""
    home = facts.environ.get(b"HOME")
    if not home:
        return None
    file = home + b"/.netrc"
    lines = safe_read.read(file).split(b"\n")
    words = [(word, number) for number, line in enumerate(lines, 1) for word in line.split()]
    host = facts.url.host.rpartition(b":")[0] or facts.url.host
    for at, (word, first) in enumerate(words):
        is_for_host = word == b"machine" and words[at + 1 : at + 2] and words[at + 1][0].lower() == host.lower()
        if is_for_host or word == b"default":
            following = [number for one, number in words[at + 1 :] if one in (b"machine", b"default", b"macdef")]
            last = max(first, min(following, default=words[-1][1] + 1) - 1)
            return file, first, last
    return None


def _probe(facts: Facts) -> None:
    """Run `get` of the other helpers, as git would but for what git has learned from those before."""
    for one in facts.active:
        if one != facts.ours:
            facts.probes[one] = git_config.ask(one, _request(facts), child.environment(facts.environ), _PROBE_SECONDS)


def _read_versions(facts: Facts, started: dict[str, "subprocess.Popen[bytes]"]) -> None:
    for name, program, prefix in (("git", facts.git, "git version "), ("git-lfs", facts.git_lfs, "git-lfs/")):
        if child := started.get(name):
            output, _ = _output(child)
            program.version = _first_line(output).removeprefix(prefix).partition(" ")[0] or None


def _first_line(output: bytes) -> str:
    return token_text.hide_passwords(shown(output.partition(b"\n")[0])).removeprefix("fatal: ").removeprefix("error: ")


# Tokens.


def _request(facts: Facts, path: bytes | None = None, user: bytes | None = None) -> bytes:
    lines = [b"capability[]=authtype"] if _knows_authtype(facts.git.version) else []
    lines += [b"protocol=" + facts.url.scheme, b"host=" + facts.url.host]
    user = facts.user if user is None else user
    if user is not None:
        lines.append(b"username=" + user)
    path = facts.url.path if path is None and facts.with_path else path
    if path:
        lines.append(b"path=" + path)
    return b"\n".join(lines) + b"\n"


def _knows_authtype(version: str | None) -> bool:
    return version is not None and numbers(version) >= (2, 46)


def numbers(version: str) -> tuple[int, ...]:
    numbers = []
    for part in version.split("."):
        if not part.isdecimal():
            break
        numbers.append(int(part))
    return tuple(numbers)


def _read_tokens(facts: Facts) -> None:
    chosen = _options(facts)
    as_configured = chosen.unlock
    chosen.unlock = "never"
    facts.server = server(facts.url.scheme, facts.url.host, chosen.hosts)
    if facts.server is None:
        return
    facts.asked = tuple(name for name in chosen.sources if name == "keyring" or facts.server == HUB)
    asks_keyring = SECRET_SERVICE and "keyring" in facts.asked
    # Before all else, which finds the time over where the bus is mute, and does not ask it again.
    has_bus = asks_keyring and keyring.bus_answers(chosen)
    try:
        facts.outcome = decide(parse(_request(facts)), chosen, every=True)
    except Malformed:
        facts.outcome = Outcome(facts.server)
    if asks_keyring:
        with_time = chosen
        if has_bus:
            with_time = Options(facts.environ)
            with_time.timeout = chosen.timeout
            with_time.unlock = as_configured
        facts.keyring = keyring.look(facts.server, with_time, mute=chosen.remaining() <= 0)
    _read_declaration(facts)


def _options(facts: Facts) -> Options:
    """Return the options of our helper as git's configuration gives them, so far as they change nothing."""
    chosen = Options(facts.environ)
    if facts.ours is not None:
        try:
            arguments = [os.fsencode(one) for one in facts.ours.arguments()]
            chosen, rest = options.parse(arguments, facts.environ)
            if rest:
                raise options.UsageError("what follows the options is too much")
        except options.UsageError as error:
            facts.options_error = str(error)
            chosen = Options(facts.environ)
    chosen.refresh = False
    return chosen


# What is declared.


def _read_declaration(facts: Facts) -> None:
    """Compare what tokens.toml declares with what was seeded; what is wrong in it is told as `seed` tells it."""
    if not os.path.lexists(facts.declaration):
        return
    try:
        tokens = tokens_toml.read(os.fsdecode(facts.declaration))
    except Failed as error:
        facts.declaration_error = str(error)
        return
    for token in tokens:
        for place in token.scopes if token.server == HUB else ():
            facts.declared_scopes += [place] if place else []
            file = os.path.expanduser(token.value) if token.kind == "file" and isinstance(token.value, str) else ""
            one = Declared(token.name, file, place, token.user, token.cache)
            facts.declared.append(one)
            if file:
                _compare(one, facts)
            elif facts.keyring is not None and facts.keyring.state == "open":
                one.state = "seeded" if any(_items(one, facts)) else "missing"


def _compare(one: Declared, facts: Facts) -> None:
    """Tell whether the file holds another token than what was seeded from it, and is the newer of the two."""
    try:
        modified = os.stat(one.file).st_mtime
    except OSError:
        one.state = "unreadable"
        return
    token = of_hub(safe_read.read(os.fsencode(one.file)))
    if token is None:
        one.state = "unreadable"
        return
    seeded: list[tuple[float, bytes]] = []
    if one.cached and facts.token_file.token is not None:
        seeded.append((facts.token_file.modified, facts.token_file.token))
    if facts.keyring is not None and facts.keyring.state == "open":
        items = list(_items(one, facts))
        if not items:
            one.state = "missing"
            return
        seeded += [(item.modified, item.text) for item in items]
    if any(text != token and modified >= int(when) for when, text in seeded):
        one.state = "newer"
    elif seeded:
        one.state = "seeded"


def _items(one: Declared, facts: Facts) -> Iterator[Stored]:
    """Return the items of a declared token."""
    ours = facts.keyring.ours if facts.keyring is not None else []
    return (stored for stored in ours if (stored.item.scope, stored.item.user) == (one.scope, one.user))
