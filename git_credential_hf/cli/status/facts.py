"""What is known of one URL: git's settings and helpers, what `get` makes of it, the keyring and the files.

Nothing here changes anything, unlocks anything or asks a person.
"""

import errno
import itertools
import os
import signal
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from git_credential_hf import options
from git_credential_hf.cli import git_config, git_credential
from git_credential_hf.cli.git_config import Configuration, Helper, Setting, Url, which
from git_credential_hf.cli.git_credential import Credential
from git_credential_hf.cli.output import Failed, shown, without_passwords
from git_credential_hf.cli.status import keyring
from git_credential_hf.cli.status.keyring import Stored
from git_credential_hf.cli.token_file import unreadable
from git_credential_hf.model import token_text
from git_credential_hf.model.instead_of import PUSH_INSTEAD_OF
from git_credential_hf.model.outcome import EXPIRED, GIVEN, LOCKED, NOT_REACHED, REJECTED, SPARE, Candidate, Outcome
from git_credential_hf.model.repository import HUB, scopes, server, usernames
from git_credential_hf.model.request import Malformed, answer, parse
from git_credential_hf.model.token import Token, fingerprint, of_hub
from git_credential_hf.operations import rejection
from git_credential_hf.operations.get import decide
from git_credential_hf.options import Options
from git_credential_hf.sources import SWITCHES, is_switched_on
from git_credential_hf.sources.environment import without_tokens
from git_credential_hf.sources.keyring import SECRET_SERVICE
from git_credential_hf.sources.token_file import path
from git_credential_hf.state import configuration, files, safe_read

if TYPE_CHECKING:  # what most runs need not wait for
    from git_credential_hf.cli import tokens_toml
    from git_credential_hf.hub import Answer

_PROBE_SECONDS = 5.0  # for each helper
_LONGER = 0.3  # seconds, to name a keyring that let get wait until its time was over
_HEEDS_EXPIRY = (2, 40)  # the first git that drops a password that has expired
_SECONDS = 5  # for git, which waits without end where its configuration is a FIFO


class TokenFile:
    """Hugging Face's token file. state: "token", "absent", "unusable", "unreadable".

    holds: what is so where it has no token, for people, as "holds no token".
    is_own: whether it, or what it is a link to, is a regular file of the user's own that can be written.
    """

    def __init__(self, environ: dict[bytes, bytes]) -> None:
        self.path = path(environ)
        self.link = os.path.islink(self.path)
        self.state = "unusable" if self.link else "absent"
        self.holds = "holds no token"
        self.mode = 0
        self.may_change_mode = False
        self.has_modes = True
        self.modified = 0.0
        self.token: bytes | None = None
        self.is_own = False
        if why := unreadable(self.path):
            self.state, self.holds = "unreadable", f"cannot be read: {why}"
        try:
            status = os.stat(self.path)
        except OSError:
            return
        self.mode, self.modified = stat.S_IMODE(status.st_mode), status.st_mtime
        self.may_change_mode = files.may_change_mode(self.path, status.st_uid)
        self.has_modes = files.has_modes(self.path)
        is_regular = stat.S_ISREG(status.st_mode)
        self.is_own = is_regular and status.st_uid == os.geteuid() and os.access(self.path, os.W_OK)
        if self.state == "unreadable":
            return
        raw = safe_read.read(self.path)
        self.token = of_hub(raw)
        self.state = "token" if self.token else "unusable"
        if not is_regular:
            self.holds = "is a folder" if stat.S_ISDIR(status.st_mode) else "is no regular file"
        elif shape := token_text.shape(raw):
            self.holds = f"holds {shape}"


class Declared:
    """A token of tokens.toml. state: "seeded", "newer", "missing", "unreadable" or "unknown".

    file: the file that it comes from, empty for another source. text: the token that this holds.
    """

    def __init__(self, token: "tokens_toml.Declared", place: bytes) -> None:
        self.token = token
        file = token.value if token.kind == "file" and isinstance(token.value, str) else ""
        self.file = os.path.expanduser(file)
        self.scope = place
        self.state = "unknown"
        self.text: bytes | None = None


class Program:
    """A program that may be installed: its path and what it calls its version."""

    def __init__(self, name: str, environ: dict[bytes, bytes]) -> None:
        self.path = which(name, environ)
        self.version: str | None = None

    def numbers(self) -> tuple[int, ...]:
        """Return the numbers that its version begins with, to be compared."""
        parts = (self.version or "").split(".")
        return tuple(map(int, itertools.takewhile(str.isdecimal, parts)))


class OurHelper:
    """What comes of a request to our helper, also where git is not configured for it.

    program: its path, None where it is not there.
    error: what is wrong with its options.
    server: whose credentials it answers with.
    sources: those that it asks.
    """

    def __init__(self) -> None:
        self.program: str | None = None
        self.error = ""
        self.server: bytes | None = None
        self.sources: tuple[str, ...] = ()
        self.outcome = Outcome(None)


class Turn:
    """A helper when git comes to it.

    does: "answers", "partly" (a username or a password alone, which git passes on), "nothing", "quit", "fails",
    "hangs", "is not there", "reset" (by an empty one), "not asked" (which takes --probe) or "not reached".
    secret: what git gets from it, where that can be known.
    own: what is known of it if it is ours.
    """

    def __init__(self, helper: Helper) -> None:
        self.helper = helper
        self.does = "not asked"
        self.secret: bytes | None = None
        self.own = OurHelper()


_RANKS = {GIVEN: 0, SPARE: 0, REJECTED: 1, EXPIRED: 2}


class Facts:
    """Everything that status knows, for one URL. named: how the report tells one token from another."""

    def __init__(self, text: bytes, environ: dict[bytes, bytes]) -> None:
        self.named: Callable[[bytes], str] = fingerprint
        self.offline = False
        self.environ = environ
        self.given = git_config.parse(text)
        self.text = text if self.given.path else text.rstrip(b"/") + b"/"
        self.url: Url = self.given  # as url.*.insteadOf leaves it
        self.rewritten = self.text
        self.rewrite: Setting | None = None
        self.push_rewrite: Setting | None = None
        self.config = Configuration([])
        self.of_lfsconfig = Configuration([])  # of the clone that one is in
        self.git = Program("git", environ)
        self.git_lfs = Program("git-lfs", environ)
        self.hf = Program("hf", environ)
        self.git_xet = Program("git-xet", environ)
        self.credential: Credential | None = None  # what git knows at last, None where it asks for none
        self.user: bytes | None = None  # whom git asks for, before any helper answers
        self.password_of_url: bytes | None = None
        self.turns: list[Turn] = []
        self.main = OurHelper()  # the one of ours that is told of
        self.ours: Helper | None = None  # as which git asks that, None where it does not
        self.giver: Turn | None = None
        self.with_path = False
        self.keyring: keyring.State | None = None
        self.token_file = TokenFile(environ)
        self.declaration = configuration.tokens_toml(environ)
        self.declaration_error = ""
        self.declared: list[Declared] = []
        self.askpass: tuple[str, bytes, Setting | None] | None = None  # where it is named, the program, its setting
        self.netrc: tuple[bytes, int, bool] | None = None  # see _netrc
        self.online: Answer | None = None

    def path(self, name: bytes | str) -> str:
        """Return a path, or another place, for people: from ~ on where it is the user's."""
        name, home = os.fsencode(name), self.environ.get(b"HOME", b"").rstrip(b"/")
        return "~" + shown(name[len(home) :]) if home and name.startswith(home + b"/") else shown(name)

    @property
    def active(self) -> list[Helper]:
        """The helpers that git has, in their order."""
        return [one.helper for one in self.turns if one.helper.reset is None]

    @property
    def configured(self) -> list[Helper]:
        """The helpers of ours, in their order, those too that are reset."""
        return [one.helper for one in self.turns if one.helper.is_ours()]

    @property
    def lfs_filters(self) -> list[Setting]:
        """The settings that have git-lfs put large files in the place of their pointers."""
        found = (self.config.value(b"filter.lfs." + name) for name in (b"process", b"smudge"))
        return [one for one in found if one is not None]

    @property
    def server(self) -> bytes | None:
        return self.main.server

    @property
    def whose(self) -> str:
        """Whose credentials these are, for people: the Hub's, or another host's."""
        return rejection.who(self.server or HUB)

    @property
    def outcome(self) -> Outcome:
        return self.main.outcome

    @property
    def items(self) -> list[Stored]:
        """The items of ours that the keyring gives."""
        return self.keyring.ours if self.keyring is not None else []

    @property
    def is_given(self) -> bool:
        """Return whether git gets a credential, from any helper or the URL."""
        return self.giver is not None or self.password_of_url is not None

    @property
    def may_be_given(self) -> bool:
        """Return whether git gets a credential, or asks a helper of which only --probe tells what it answers."""
        return self.is_given or bool(self.unknown)

    @property
    def ours_gives(self) -> bool:
        return self.giver is not None and self.giver.own is self.main

    @property
    def leaves_out_oidc(self) -> bool:
        """Return whether OIDC comes first for git, and was not asked here."""
        is_asked = is_switched_on("oidc", self.server or b"", self.main.sources, self.environ)
        return self.offline and is_asked and self.of_source("oidc") is None

    @property
    def asks_person(self) -> bool:
        """Return whether git asks a person in the end, as far as is known without asking the other helpers."""
        return self.credential is not None and not self.is_given and not self.credential.quits

    @property
    def unknown(self) -> list[Helper]:
        """The helpers that git asks before it has what it gets, and of which only --probe tells what they answer."""
        return [one.helper for one in self.turns if one.does == "not asked"]

    @property
    def secret(self) -> bytes | None:
        """The password that git gets, None where it gets none or nobody knows it before."""
        return self.giver.secret if self.giver is not None else self.password_of_url

    @property
    def token(self) -> Token | None:
        """The token that our `get` gives, whether git asks it or not."""
        given = self.outcome.given()
        return given.token if given is not None else None

    def given_from(self, source: str) -> Token | None:
        """Return the token that our helper gives, if it is of that source, and nobody answers git before our helper."""
        given = self.outcome.given()
        is_ours = self.ours_gives or not self.is_given
        return given.token if is_ours and given is not None and given.source == source else None

    def host_token(self, source: str = "") -> Token | None:
        """Return the token that a request without a path would get, of `source` if that is named."""
        for one in self.outcome.candidates:
            if one.verdict in (GIVEN, SPARE) and source in ("", one.source) and one.token and not one.token.scope:
                return one.token
        return None

    def of_source(self, name: str) -> Candidate | None:
        """Return the candidate that a source is judged by: what it would give, else why it gives nothing."""
        found = [one for one in self.outcome.candidates if one.source == name]
        return min(found, key=lambda one: _RANKS.get(one.verdict, len(_RANKS)), default=None)

    def why_no_socket(self) -> str:
        """Return why the forwarded socket gives nothing, for people; empty where it is not asked, or gives a token."""
        one = self.outcome.first(NOT_REACHED, source="forwarded")
        return "" if one is None else f"{one.place} {self.path(self.environ[SWITCHES[one.source]])}: {shown(one.why)}"

    def unmatched(self) -> list[bytes]:
        """Return the scopes of stored tokens for the URL that git gets none of, since it does not send the path."""
        mine = [] if self.with_path else scopes(self.server or HUB, self.url.path)
        found = [one.item for one in self.items if self.user is None or one.item.user in usernames(self.user)]
        return list(dict.fromkeys(one.scope for one in found if one.scope in mine))

    def scoped(self) -> list[bytes]:
        """Return the scopes that there are tokens for, in the keyring or in tokens.toml."""
        found = [*(one.item.scope for one in self.items), *(one.scope for one in self.declared)]
        return [scope for scope in dict.fromkeys(found) if scope]


def gather(text: bytes, environ: dict[bytes, bytes], *, probe: bool = False, offline: bool = False) -> Facts:
    """Return what is known of the URL `text`; with `probe`, after running the other helpers. Raises BadUrl.

    offline: whether no source may ask the Hub for a token.
    """
    facts = Facts(text, environ)
    facts.offline = offline
    started = _start_programs(facts)
    _read_configuration(facts, started)
    _read_versions(facts, started)
    _read_request(facts, started)
    _take_turns(facts, probe=probe)
    _choose_own(facts)
    _read_declaration(facts)
    return facts


# git.

_Started = dict[str, subprocess.Popen[bytes]]


def _start_programs(facts: Facts) -> _Started:
    """Start what takes its time, all at once. Raises OSError where there is no descriptor left for it."""
    commands = {}
    if facts.git.path:
        commands = {
            "git config": git_config.list_command(),
            "git": ["git", "version"],
            "git credential": git_credential.FILL,
        }
    if facts.git_lfs.path:
        commands["git-lfs"] = [facts.git_lfs.path, "version"]
    started = {}
    for name, command in commands.items():
        try:
            started[name] = _start(command, facts)
        except OSError as error:
            if error.errno == errno.EMFILE and name != "git-lfs":  # of which the version alone is missing
                raise
    return started


def _start(command: list[str], facts: Facts) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        env=without_tokens(facts.environ) | {b"LC_ALL": b"C"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        process_group=0,  # so that what it starts ends with it
    )


def _output(child: subprocess.Popen[bytes], input: bytes = b"") -> tuple[bytes, bytes]:
    try:
        return child.communicate(input, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
        return b"", b"it gave no answer within %d s" % _SECONDS


def _read_configuration(facts: Facts, started: _Started) -> None:
    if child := started.get("git config"):
        output, complaint = _output(child)
        if child.returncode == 0:
            facts.config = Configuration(git_config.read_settings(output))
        elif child.returncode == git_config.NO_SUCH_OPTION and (again := _without_scopes(facts.environ)) is not None:
            facts.config = Configuration(again)
        else:
            facts.config = Configuration([], _first_line(complaint) or f"git config ended with {child.returncode}")
    config = facts.config
    if found := config.rewritten(facts.text):
        facts.rewritten, facts.rewrite = found
        try:
            facts.url = git_config.parse(facts.rewritten)
        except git_config.BadUrl:  # as for a path in place of a URL
            facts.url = Url(b"file", None, None, b"", b"")
        if facts.given.scheme not in (b"https", b"http") and facts.url.host:
            # What stands before the colon of `hf:my-org/model` is no host.
            facts.given = facts.url._replace(user=None, password=None)
    if found := config.rewritten(facts.text, PUSH_INSTEAD_OF):
        facts.push_rewrite = found[1]
    path = config.credential(b"usehttppath", facts.url)
    facts.with_path = path is not None and git_config.is_true(path.value) is True
    facts.turns = [Turn(one) for one in config.helpers(facts.url)]
    facts.askpass = _askpass(facts)
    facts.netrc = _netrc(facts)
    facts.of_lfsconfig = Configuration(_lfsconfig(facts.environ))


def _lfsconfig(environ: dict[bytes, bytes]) -> list[Setting]:
    """Return the settings that git-lfs takes from the top of the clone that this folder is in."""
    try:
        folder = Path.cwd()
    except OSError:
        return []
    top = next((one for one in (folder, *folder.parents) if os.path.lexists(one / ".git")), None)
    if top is None or not os.path.isfile(top / ".lfsconfig"):
        return []
    command = git_config.list_command("--file", str(top / ".lfsconfig"), with_scope=False)
    return git_config.read_settings(git_config.run(command, without_tokens(environ)) or b"", with_scope=False)


def _read_request(facts: Facts, started: _Started) -> None:
    """Let git itself tell what it asks its helpers, or why it stops before."""
    if not (child := started.get("git credential")):
        return
    output, errors = _output(child, git_credential.request(facts.rewritten))
    if facts.config.complaint or facts.url.scheme not in (b"https", b"http"):
        return
    facts.credential, facts.config.complaint = git_credential.read(output, errors)
    if facts.credential is not None:
        facts.user = facts.credential.values.get(b"username")
        facts.password_of_url = facts.credential.secret()


def _without_scopes(environ: dict[bytes, bytes]) -> list[Setting] | None:
    """Return the settings as a git before 2.26 gives them, None where it gives none either. It tells the clone's own
    when asked for them alone.
    """
    places = ((), ("--local", "--includes"))
    commands = (git_config.list_command(*where, with_scope=False) for where in places)
    output, of_clone = (git_config.run(command, without_tokens(environ)) for command in commands)
    if output is None:
        return None
    local = {one.file for one in git_config.read_settings(of_clone or b"", with_scope=False)}
    settings = git_config.read_settings(output, with_scope=False)
    return [one._replace(scope="local") if one.file in local else one for one in settings]


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


def _netrc(facts: Facts) -> tuple[bytes, int, bool] | None:
    """Return where ~/.netrc has the login that curl takes for the host: the file and the line of the entry.

    The third tells whether the entry is for this host alone and has its lines to itself. From a word that begins with #
    on, a line is a comment. Source: curl(1), --netrc, and libcurl's netrc.c.
    """
    home = facts.environ.get(b"HOME")
    if not home:
        return None
    file = home + b"/.netrc"
    words = [
        (word.lower(), number)
        for number, line in enumerate(safe_read.read(file).split(b"\n"), 1)
        for word in itertools.takewhile(lambda word: not word.startswith(b"#"), line.split())
    ]
    words.append((b"\n", 0))  # no host
    begins = [at for at, (word, _) in enumerate(words) if word in (b"machine", b"default", b"macdef")]
    lines = [words[at][1] for at in begins]
    for at, line in zip(begins, lines, strict=True):
        kind, (name, line_of_name) = words[at][0], words[at + 1]
        if kind == b"default":
            return file, line, False
        if kind == b"machine" and name == facts.url.host_name():
            return file, line, line_of_name == line and lines.count(line) == 1
    return None


def _read_versions(facts: Facts, started: _Started) -> None:
    for name, program, prefix in (("git", facts.git, "git version "), ("git-lfs", facts.git_lfs, "git-lfs/")):
        if child := started.get(name):
            output, _ = _output(child)
            program.version = _first_line(output).removeprefix(prefix).partition(" ")[0] or None


def _first_line(output: bytes) -> str:
    return without_passwords(output.partition(b"\n")[0]).removeprefix("fatal: ").removeprefix("error: ")


# Tokens.


def _take_turns(facts: Facts, *, probe: bool) -> None:
    """Go through the helpers as git does, until it has what it gets or is told to quit."""
    credential = facts.credential
    for turn in facts.turns:
        helper, own, is_ours = turn.helper, turn.own, turn.helper.is_ours()
        if is_ours:
            own.program = helper.program(facts.environ)
        if helper.reset is not None:
            if is_ours:
                _options(facts, own, helper)  # which tells what is wrong with them
            turn.does = "reset"
            continue
        output = _ask_own(facts, own, helper) if is_ours else b""
        if credential is None or facts.is_given or credential.quits:
            turn.does = "not reached"
            continue
        if is_ours:
            turn.does = "is not there" if own.program is None else "fails" if own.error else "nothing"
            if turn.does != "nothing":
                continue
            first = own.outcome.first(GIVEN, LOCKED)
            if facts.keyring is not None and facts.keyring.opens and first is not None and first.verdict == LOCKED:
                turn.does = "answers"
                facts.giver = turn
                continue
        elif _is_missing(helper, facts):
            turn.does = "is not there"
            continue
        elif not probe:
            continue
        else:
            output, turn.does = git_credential.ask(helper, credential.request(), facts.environ, _PROBE_SECONDS)
        before = credential.request()
        credential.take(output, heeds_expiry=facts.git.numbers() >= _HEEDS_EXPIRY)
        turn.secret = credential.secret()
        if turn.secret is not None:
            turn.does = "answers"
            facts.giver = turn
        elif credential.quits:
            turn.does = "quit"
        elif credential.request() != before:
            turn.does = "partly"


def _choose_own(facts: Facts) -> None:
    """Set which helper of ours is told of: the one that git gets a token from, else one that handles the URL."""
    ours = [one for one in facts.turns if one.helper.reset is None and one.helper.is_ours()]
    if ours:
        main = max(ours, key=lambda one: (one is facts.giver, one.own.server is not None))
        facts.main, facts.ours = main.own, main.helper
    else:
        _ask_own(facts, facts.main)


def _is_missing(helper: Helper, facts: Facts) -> bool:
    """Return whether a helper of somebody else's is a program that is not there: of shell code only the shell knows."""
    words = helper.words()
    if helper.value.startswith(b"!") or not words:
        return False
    is_alias = words[0] == "git" and facts.config.value(b"alias." + os.fsencode(words[1]).lower()) is not None
    return not is_alias and helper.program(facts.environ) is None


def _ask_own(facts: Facts, own: OurHelper, helper: Helper | None = None) -> bytes:
    """Find out what comes of a request to a helper of ours, or to ours without one; return what it prints."""
    chosen = _options(facts, own, helper)
    as_configured, chosen.unlock = chosen.unlock, "never"
    values = facts.credential.values if facts.credential is not None else {}
    protocol, host = values.get(b"protocol", facts.url.scheme), values.get(b"host", facts.url.host)
    request = b"protocol=%b\nhost=%b\n" % (protocol, host)
    if facts.credential is not None:
        request = facts.credential.request()
    if helper is None and facts.url.path and b"path" not in values:
        request += b"path=%b\n" % facts.url.path  # as git will send it once it is configured
    own.server = server(protocol, host, chosen.hosts)
    own.outcome = Outcome(own.server)
    if own.server is None:
        return b""
    own.sources = tuple(name for name in chosen.sources if name == "keyring" or own.server == HUB)
    looks = SECRET_SERVICE and "keyring" in own.sources and facts.keyring is None
    # Before all else, which finds the time over where the bus is mute, and does not ask it again.
    has_bus = looks and keyring.bus_answers(chosen)
    output = b""
    try:
        parsed = parse(request)
        own.outcome = decide(parsed, chosen, every=True)
        given = own.outcome.given()
        if given is not None and given.token is not None:
            output = answer(parsed, given.token)
        elif own.outcome.quits:
            output = b"quit=1\n"
    except Malformed:
        pass
    if looks:
        with_time = chosen
        if has_bus:
            with_time = Options(facts.environ)
            with_time.timeout = max(chosen.remaining(), _LONGER)
            with_time.unlock = as_configured
        facts.keyring = keyring.look(own.server, facts.url.path, with_time, mute=chosen.remaining() <= 0)
    return output


def _options(facts: Facts, own: OurHelper, helper: Helper | None) -> Options:
    """Return the options of our helper as git's configuration gives them, so far as they change nothing.

    Those of one that is configured and reset hold for our helper as git will run it once that is fixed.
    """
    helper = helper or next(reversed(facts.configured), None)
    arguments = helper.arguments() if helper is not None else []
    try:
        chosen, rest = options.parse(arguments, facts.environ)
        if rest:
            raise options.UsageError("what follows the options is too much")
    except options.UsageError as error:
        own.error = str(error)
        if isinstance(error, options.UnknownOption):
            own.error = f"unknown option `{shown(error.name)}`"
        chosen, _ = options.parse(known_options(arguments, facts.environ), facts.environ)
    chosen.refresh = False
    chosen.offline = facts.offline
    return chosen


def known_options(arguments: list[bytes], environ: dict[bytes, bytes]) -> list[bytes]:
    """Return those of a helper's options that are right."""
    kept: list[bytes] = []
    left = list(arguments)
    while left:
        width = next((width for width in (2, 1) if _are_right(left[:width], environ)), 0)
        kept += left[:width]
        del left[: width or 1]
    return kept


def _are_right(arguments: list[bytes], environ: dict[bytes, bytes]) -> bool:
    try:
        return not options.parse(arguments, environ)[1]
    except options.UsageError:
        return False


# What is declared.


def _read_declaration(facts: Facts) -> None:
    """Compare what tokens.toml declares with what was seeded; what is wrong in it is told as `seed` tells it."""
    if facts.server is None or not os.path.lexists(facts.declaration):
        return
    from git_credential_hf.cli import tokens_toml

    try:
        tokens = tokens_toml.read(os.fsdecode(facts.declaration))
    except Failed as error:
        facts.declaration_error = str(error)
        return
    for token in tokens:
        for place in token.scopes if token.server == HUB else ():
            one = Declared(token, place)
            facts.declared.append(one)
            if one.file:
                _compare(one, facts)
            elif facts.keyring is not None and facts.keyring.state == "open":
                one.state = "seeded" if _items(one, facts) else "missing"


def _compare(one: Declared, facts: Facts) -> None:
    """Tell whether the file holds another token than what was seeded from it, and is the newer of the two."""
    try:
        modified = os.stat(one.file).st_mtime
        token = of_hub(safe_read.read(os.fsencode(one.file)))
    except OSError:
        token = None
    one.text = token
    if token is None:
        one.state = "unreadable"
        return
    seeded: list[tuple[float, bytes]] = []
    if one.token.cache and facts.token_file.token is not None:
        seeded.append((facts.token_file.modified, facts.token_file.token))
    if facts.keyring is not None and facts.keyring.state == "open":
        items = _items(one, facts)
        if not items:
            one.state = "missing"
            return
        seeded += [(item.modified, item.text) for item in items]
    if any(text != token and modified >= int(when) for when, text in seeded):
        one.state = "newer"
    elif seeded:
        one.state = "seeded"


def _items(one: Declared, facts: Facts) -> list[Stored]:
    """Return the items of a declared token."""
    wanted = (one.scope, one.token.user)
    return [stored for stored in facts.items if (stored.item.scope, stored.item.user) == wanted]
