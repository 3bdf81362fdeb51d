"""What people type: one description of every command, from which come parsing, help, completions and mistakes.

The manual page has the same options; a test compares them.
"""

import argparse
import os
import stat
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Never

from git_credential_hf import __version__, options
from git_credential_hf.cli import mistakes
from git_credential_hf.cli.output import HUB_NAMES, Failed, complain, heard_or_not, shown
from git_credential_hf.model import token_text
from git_credential_hf.model.repository import HUB

if TYPE_CHECKING:
    from git_credential_hf.cli.commands.forget import Forget
    from git_credential_hf.cli.commands.seed import Seed

_PROGRAM = "git-credential-hf"
_ACTIONS = [action.decode() for action in options.ACTIONS]
_SECONDS = 10.0  # for the keyring: no git waits

_SUMMARY = """\
usage: git-credential-hf COMMAND [OPTIONS]

commands:
{commands}
helper options, before get | store | erase | capability, which git runs:
{options}
manual: man {manual}
"""

_OPTION = "  {:<19} {}\n"

_Environ = dict[bytes, bytes]


class Command(NamedTuple):
    """One command.

    summary: a line for the list of commands. usage: its arguments. text: what help says of it.
    examples: the arguments of some runs.
    declare: adds its options to a parser. run: runs it with what was given; returns the exit code.
    """

    summary: str
    usage: str
    text: str
    examples: tuple[str, ...]
    declare: "Callable[[_Parser], None]"
    run: Callable[[argparse.Namespace, _Environ], int]


class _Parser(argparse.ArgumentParser):
    """The parser of one command, or of what stands before it: its help fits on a screen, its mistakes are one line."""

    def __init__(self, of: str = "", command: Command | None = None, **_: Any) -> None:
        examples = [f"  {_PROGRAM} {of} {one}".rstrip() for one in command.examples] if command else []
        super().__init__(
            prog=_PROGRAM,
            usage=f"{_PROGRAM} {of} {command.usage}".rstrip() if command else None,
            description=command.text if command else None,
            epilog="\n".join(["examples:", *examples]) if examples else None,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
            add_help=False,
            exit_on_error=False,
        )
        self.name = of
        self.options = self.add_argument_group()  # without a title
        self.add_argument("-h", "--help", action="help", help=argparse.SUPPRESS)
        if command:
            command.declare(self)

    def names(self) -> dict[str, argparse.Action]:
        """Return the options by their names."""
        return {name: action for action in self._actions for name in action.option_strings}

    def parsed(self, arguments: list[str]) -> argparse.Namespace:
        """Return what `arguments` say. Raises options.UsageError."""
        try:
            given, rest = self.parse_known_args(arguments)
        except argparse.ArgumentError as error:
            name = error.argument_name or ""
            action = self.names().get(name.partition("/")[0])
            choices = action.choices if action else None
            raise mistakes.in_an_option(name, error.message, choices) from None
        if rest and rest[0].startswith("-"):
            raise mistakes.unknown("option", rest[0], self.names())
        if rest:
            takes_some = any(not action.option_strings for action in self._actions)
            raise mistakes.too_much(self.name, rest[0], takes_some=takes_some)
        return given

    def error(self, message: str) -> Never:
        raise options.UsageError(shown(message))


class _Once(argparse.Action):
    """An option whose value counts for a whole run: of two of them one would be lost."""

    def __call__(self, _: object, namespace: argparse.Namespace, value: object, name: str | None = None) -> None:
        if getattr(namespace, self.dest) is not None:
            raise options.UsageError(f"`{name}` was given twice, and takes one value")
        setattr(namespace, self.dest, value)


def main(arguments: list[str], environ: _Environ) -> int:
    """Run a person's command; return the exit code. Raises options.UsageError."""
    with heard_or_not():
        try:
            try:
                return _run(arguments, environ)
            finally:
                _flush()
        except Failed as error:
            complain(str(error))
            return 1


def build() -> argparse.ArgumentParser:
    """Return the parser of the whole command line, for completions."""
    whole = _helper()
    whole.add_argument("-V", "--version", action="store_true", help="show which version it is")
    commands = whole.add_subparsers(metavar="COMMAND", parser_class=_Parser)
    for name, command in COMMANDS.items():
        others = [alias for alias, of in _ALIASES.items() if of == name]
        commands.add_parser(name, help=command.summary, aliases=others, of=name, command=command)
    for action in _ACTIONS:
        commands.add_parser(action, help=summary(action), of=action)
    return whole


def summary(name: str) -> str:
    """Return the line about a command, by any of its names, or about an action."""
    command = COMMANDS.get(_ALIASES.get(name, name))
    return command.summary if command else "what git runs"


def _run(arguments: list[str], environ: _Environ) -> int:
    first, *rest = arguments or [""]
    if first in ("--version", "-V"):
        print(f"{_PROGRAM} {__version__}")
        return 0
    name = {**_ALIASES, "--help": "help", "-h": "help"}.get(first, first)
    if name not in COMMANDS:
        return _run_nothing(arguments)
    command: list[str] = []
    if name == "exec" and "--" in rest:
        rest, command = rest[: rest.index("--")], rest[rest.index("--") + 1 :]
    try:
        given = _Parser(name, COMMANDS[name]).parsed(rest)
        if name == "exec":
            given.command = command
        return COMMANDS[name].run(given, environ)
    except options.UsageError as error:
        error.remedy = error.remedy or f"{_PROGRAM} {name} --help"
        raise


def _run_nothing(arguments: list[str]) -> int:
    """Return 0 for an action that git may have one day. Raises options.UsageError for a mistake."""
    if not arguments:
        raise options.UsageError("no command was given")
    try:
        _, rest = options.parse([os.fsencode(one) for one in arguments], {})
    except options.UnknownOption as unknown:
        raise _before_a_command(os.fsdecode(unknown.name), arguments) from None
    if not rest:
        raise options.UsageError("an action is missing: get, store, erase or capability")
    word = os.fsdecode(rest[0])
    command = _ALIASES.get(word, word)
    if command in COMMANDS:
        option = arguments[0].partition("=")[0]
        has_it = option in _Parser(command, COMMANDS[command]).names()
        wrong = f"the options of `{word}` come after it" if has_it else f"`{word}` has no option `{option}`"
        raise options.UsageError(wrong, f"{_PROGRAM} {word} --help")
    if word in _ACTIONS and rest[1].startswith(b"-"):
        raise options.UsageError(f"`{word}` takes no arguments, and its options come before it")
    if word in _ACTIONS:
        raise mistakes.too_much(word, os.fsdecode(rest[1]))
    # gitcredentials(7): a helper ignores an action that it does not know.
    if len(rest) == 1 and stat.S_ISFIFO(os.fstat(0).st_mode) and not mistakes.near(word, _every_command()):
        return 0
    raise mistakes.unknown("command", word, _every_command())


def _before_a_command(option: str, arguments: list[str]) -> options.UsageError:
    """Return the mistake of an option that is no helper option and stands before the command."""
    command = next((_ALIASES.get(one, one) for one in arguments if one in _every_command()), "")
    if command in COMMANDS and option in _Parser(command, COMMANDS[command]).names():
        return options.UsageError(f"`{option}` comes after `{command}`", f"{_PROGRAM} {command} --help")
    word = next(one for one in arguments if one.partition("=")[0] == option)
    return mistakes.unknown("option", word, [*_helper().names(), "--version"])


def _every_command() -> list[str]:
    return [*COMMANDS, *_ALIASES, *_ACTIONS]


def _flush() -> None:
    """Have standard output, where it is open, take all that was printed. Raises Failed."""
    try:
        print(end="", flush=True)
    except OSError as error:
        raise Failed(f"standard output cannot be written: {error.strerror}") from None


# What stands before the action that git runs; options.parse reads it.


def _helper() -> _Parser:
    parser = _Parser()
    add = parser.options.add_argument
    add("--host", metavar="HOST[:PORT]", action="append", help="answer for this host too")
    add("--timeout", metavar="SECONDS", help="the whole time that the keyring may take (default 2)")
    add("--sources", metavar="NAMES", choices=options.SOURCES, help=f"ask only these of {','.join(options.SOURCES)}")
    add(
        "--unlock",
        metavar="WHEN",
        choices=options.UNLOCK,
        help="a locked keyring: never, auto or prompt (default auto)",
    )
    add("--no-prompt", action="store_true", help="where there is no token, let nothing ask for one")
    add("--refresh", action="store_true", help="let `hf auth token` renew an OAuth login that has expired")
    return parser


# The commands.


def _declare_where(parser: _Parser) -> None:
    add = parser.options.add_argument
    add("--scope", metavar="SCOPE", action=_Once, help="the organisation or repository that the token is for")
    add("--user", metavar="NAME", action=_Once, help="the username that the token is for (hf_user)")
    add("--host", metavar="HOST", action=_Once, help="the host, as HOST or HOST:PORT (huggingface.co)")
    add("--no-keyring", dest="keyring", action="store_false", help="leave the keyring alone")
    add("--no-cache", dest="cache", action="store_false", help="leave the token file alone")


def _take(given: argparse.Namespace, asked: "Seed | Forget") -> None:
    """Take over what the options say, each of which is the attribute of its name. Raises options.UsageError."""
    from git_credential_hf.cli import tokens_toml

    for name in vars(asked).keys() & (vars(given).keys() - {"scope", "user", "host"}):
        setattr(asked, name, getattr(given, name))
    if given.host is not None:
        if token_text.may_be_token(given.host):
            raise options.UsageError("a host was expected, and what was given may be a token", f"{_PROGRAM} login")
        asked.host = tokens_toml.server_of(given.host)
    if given.scope is not None:
        asked.scope = tokens_toml.scope_of(given.scope, asked.host)
    if given.user is not None:
        asked.user = tokens_toml.user_of(given.user)


def _for_keyring(environ: _Environ) -> options.Options:
    for_keyring = options.Options(environ)
    for_keyring.timeout = _SECONDS
    return for_keyring


def _declare_login(parser: _Parser) -> None:
    add = parser.options.add_argument
    add("--with-token", action="store_true", help="read the token from standard input")
    _declare_where(parser)
    add("--no-configure", dest="configure", action="store_false",
        help="leave the configuration of git and git-lfs alone")  # fmt: skip
    add("--offline", dest="online", action="store_false", help="do not ask the Hub about the token")


def _login(given: argparse.Namespace, environ: _Environ) -> int:
    from git_credential_hf.cli.commands import login

    asked = login.Login()
    _take(given, asked)
    if not asked.keyring and (not asked.cache or asked.scope or asked.host != HUB):
        raise options.UsageError("`--no-keyring` leaves no place to store the token in")
    return login.login(asked, _for_keyring(environ))


def _declare_seed(parser: _Parser) -> None:
    add = parser.options.add_argument
    add("--from", dest="source", metavar="SOURCE", help="a file, -, env:NAME, credential:NAME, command:WORDS")
    _declare_where(parser)
    add("--require-keyring", action="store_true", help="exit with 3 where the keyring could not be filled")
    add("--optional", action="store_true", help="a missing, empty or placeholder source is fine")
    add("--strict", action="store_true", help="change nothing where a line would warn of the source")
    add("--force", action="store_true", help="write even what is there already")
    add("--git-lfs", action="store_true", help="also set up git-lfs")
    add("--timeout", metavar="SECONDS", help="the whole time that the keyring may take (default 10)")
    add("--unlock", metavar="WHEN", choices=options.UNLOCK, default="auto",
        help="a locked keyring: never, auto or prompt (default %(default)s)")  # fmt: skip
    add("--dry-run", action="store_true", help="say what would be done, and do nothing")
    add("--quiet", action="store_true", help="say nothing when all is well")


def _seed(given: argparse.Namespace, environ: _Environ) -> int:
    from git_credential_hf.cli.commands import seed

    if given.source == "":
        raise options.UsageError("`--from` takes a file, -, env:NAME, credential:NAME or command:WORDS")
    if given.source is None and not (given.scope is given.user is given.host is None):
        raise options.UsageError("--scope, --user and --host are about the token of --from; tokens.toml has its own")
    asked = seed.Seed()
    _take(given, asked)
    if asked.require_keyring and not asked.keyring:
        raise options.UsageError("`--require-keyring` and `--no-keyring` exclude each other")
    for_keyring = _for_keyring(environ)
    if given.timeout is not None:
        for_keyring.timeout = options.timeout(os.fsencode(given.timeout))
        asked.wait = asked.require_keyring
    for_keyring.unlock = given.unlock
    return seed.seed(asked, for_keyring)


def _declare_unconfigure(parser: _Parser) -> None:
    add = parser.options.add_mutually_exclusive_group().add_argument
    yours = ("global", None)
    add("--global", dest="target", action="store_const", const=yours, default=yours, help="yours (default)")
    add("--local", dest="target", action="store_const", const=("local", None), help="this repository's")
    add("--file", dest="target", metavar="F", type=_file, help="this configuration file")


def _file(path: str) -> tuple[str, str]:
    if not path:
        raise options.UsageError("`--file` takes a path")
    return "file", os.path.expanduser(path)  # no shell does that after `--file=`


def _declare_configure(parser: _Parser) -> None:
    _declare_unconfigure(parser)
    parser.options.add_argument("--git-lfs", action="store_true", help="also set up git-lfs")


def _configure(given: argparse.Namespace, environ: _Environ) -> int:
    from git_credential_hf.cli.commands import configure

    return configure.configure(given.target, environ, git_lfs=given.git_lfs)


def _unconfigure(given: argparse.Namespace, environ: _Environ) -> int:
    from git_credential_hf.cli.commands import configure

    return configure.unconfigure(given.target, environ)


def _declare_status(parser: _Parser) -> None:
    parser.add_argument("url", nargs="?", metavar="URL", help=argparse.SUPPRESS)
    add = parser.options.add_argument
    add("--json", action="store_true", help="for programs; docs/status.md has the schema")
    add("--online", action="store_true", help="also ask the Hub whose token it is, and what it may read")
    add("--probe", action="store_true", help="also run the other helpers that git would ask")
    add("--quiet", action="store_true", help="say only what keeps git from a token, on standard error")


def _status(given: argparse.Namespace, environ: _Environ) -> int:
    from git_credential_hf.cli.commands import status

    return status.status(
        given.url, environ, as_json=given.json, online=given.online, probe=given.probe, quiet=given.quiet
    )


def _declare_list(parser: _Parser) -> None:
    parser.options.add_argument("--json", action="store_true", help="for programs; with the token's fingerprint")


def _list(given: argparse.Namespace, environ: _Environ) -> int:
    from git_credential_hf.cli.commands import list as command

    return command.list_tokens(_for_keyring(environ), as_json=given.json)


def _declare_token(parser: _Parser) -> None:
    parser.add_argument("url", nargs="?", metavar="URL", help=argparse.SUPPRESS)


def _token(given: argparse.Namespace, environ: _Environ) -> int:
    """Say what is wrong: what is right is printed without this module."""
    raise options.UsageError("`token` takes one URL and no options")


def _declare_exec(parser: _Parser) -> None:
    add = parser.options.add_argument
    add("--for", dest="url", metavar="URL", action=_Once, type=os.fsencode, help="use the token for URL, as token does")


def _exec(given: argparse.Namespace, environ: _Environ) -> int:
    from git_credential_hf.cli.commands import exec as command

    if not given.command:
        raise mistakes.too_much("exec", "")
    return command.execute(given.url, [os.fsencode(one) for one in given.command], options.Options(environ))


def _declare_serve(parser: _Parser) -> None:
    add = parser.options.add_argument
    add("--socket", metavar="PATH", action=_Once, help="listen here ($XDG_RUNTIME_DIR/git-credential-hf/serve.sock)")
    add("--scope", metavar="SCOPE", action="append", default=[], help="answer for this scope only; repeatable")
    add("--for", dest="duration", metavar="DURATION", help="end after this time, such as 8h or 90m")
    add("--allow-uid", metavar="N", action=_Once, help="also answer this user")


def _serve(given: argparse.Namespace, environ: _Environ) -> int:
    from git_credential_hf.cli import tokens_toml
    from git_credential_hf.cli.commands import serve

    asked = serve.Serve(environ)
    asked.socket = None if given.socket is None else os.fsencode(os.path.expanduser(given.socket))
    asked.scopes = [tokens_toml.scope_of(one, HUB) for one in given.scope]
    asked.seconds = None if given.duration is None else serve.seconds(given.duration)
    if given.allow_uid is not None:
        asked.uids = [serve.uid(given.allow_uid)]
    return serve.serve(asked)


def _declare_forget(parser: _Parser) -> None:
    add = parser.options.add_argument
    add("--scope", metavar="SCOPE", action=_Once, help="only what was stored for exactly this scope")
    add("--user", metavar="NAME", action=_Once, help="only what was stored for this username")
    add("--host", metavar="HOST", action=_Once, help="the host, as HOST or HOST:PORT (huggingface.co)")
    add("--revoke", action="store_true", help="also have the Hub end these tokens, everywhere")
    add("--yes", action="store_true", help="do not ask; without a terminal it is needed")


def _forget(given: argparse.Namespace, environ: _Environ) -> int:
    from git_credential_hf.cli.commands import forget

    asked = forget.Forget()
    _take(given, asked)
    return forget.forget(asked, _for_keyring(environ))


def _declare_help(parser: _Parser) -> None:
    parser.add_argument("command", nargs="?", metavar="COMMAND", help=argparse.SUPPRESS)


def _help(given: argparse.Namespace, environ: _Environ) -> int:
    name = _ALIASES.get(given.command, given.command)
    if name in COMMANDS:
        print(_Parser(name, COMMANDS[name]).format_help(), end="")
    elif name is not None and name not in _ACTIONS:
        raise mistakes.unknown("command", name, _every_command(), f"{_PROGRAM} --help")
    else:
        commands = "".join(f"  {name:<12} {command.summary}\n" for name, command in COMMANDS.items())
        actions = {name: one for name, one in _helper().names().items() if one.help != argparse.SUPPRESS}
        helper = "".join(_OPTION.format(f"{name} {one.metavar or ''}", one.help) for name, one in actions.items())
        print(_SUMMARY.format(commands=commands, options=helper, manual=_manual()), end="")
    return 0


def _manual() -> str:
    """Return the path of the manual page, which `man` finds by its name only where the installer saw to it."""
    from importlib import metadata

    try:
        installed = metadata.files("git-credential-hf") or []
    except metadata.PackageNotFoundError:
        installed = []
    pages = [os.path.normpath(file.locate()) for file in installed if file.name == "git-credential-hf.1"]
    return next(filter(os.path.exists, pages), "git-credential-hf")


_PLACE = "[--global | --local | --file F]"

COMMANDS = {
    "login": Command(
        "paste a token once: checked, stored, git and git-lfs configured",
        "[OPTIONS]",
        "Ask for a token, check it with the Hub, and store it in the keyring and in\n"
        "Hugging Face's token file. Configure git and git-lfs where they are not.",
        ("", "--scope my-org", "--with-token <~/secrets/huggingface.token"),
        _declare_login,
        _login,
    ),
    "seed": Command(
        "store tokens from files, commands or tokens.toml",
        "[--from SOURCE] [OPTIONS]",
        "Store tokens in the keyring and in Hugging Face's token file: without --from\n"
        "all that ~/.config/git-credential-hf/tokens.toml declares.",
        ("--from ~/secrets/huggingface.token", "--from ~/secrets/my-org.token --scope my-org"),
        _declare_seed,
        _seed,
    ),
    "configure": Command(
        "make git use the helper for huggingface.co",
        f"{_PLACE} [--git-lfs]",
        f"Make git use this helper, and no other, for {HUB_NAMES}.",
        ("--git-lfs", "--file ~/nixos/gitconfig"),
        _declare_configure,
        _configure,
    ),
    "unconfigure": Command(
        "remove what configure added",
        _PLACE,
        "Remove what configure added to git's configuration, and nothing else.",
        ("",),
        _declare_unconfigure,
        _unconfigure,
    ),
    "status": Command(
        "which credential git would use for a URL, and any problems",
        "[OPTIONS] [URL]",
        "Tell which credential git would use for URL (the clone that you are in, else\n"
        "all of https://huggingface.co), and any problems with commands that fix them.\n"
        "It changes nothing; exit code 1 if git would get no token.",
        ("", "--online https://huggingface.co/my-org/my-model"),
        _declare_status,
        _status,
    ),
    "list": Command(
        "what is stored: scope, user, token, where, expiry, origin",
        "[--json]",
        "List the tokens that login, seed and git have stored in any keyring, locked\n"
        "ones too, and the one in Hugging Face's token file. It changes nothing.",
        ("",),
        _declare_list,
        _list,
    ),
    "token": Command(
        "print the token that git would use",
        "[URL]",
        "Print the token that git would use for URL, and nothing else. Without URL it\n"
        "is for the clone that you are in, else for all of https://huggingface.co.\n"
        "Exit code 1 if there is none.",
        ("my-org/my-model",),
        _declare_token,
        _token,
    ),
    "exec": Command(
        "run a command with that token as HF_TOKEN",
        "[--for URL] -- COMMAND [ARGUMENT ...]",
        "Run COMMAND with the token that git would use as HF_TOKEN, in its environment\n"
        "alone. Exit code 1 if there is none, else that of COMMAND (127: not found).",
        ("-- hf download my-org/my-model", "--for my-org/my-model -- env"),
        _declare_exec,
        _exec,
    ),
    "serve": Command(
        "answer git in a container or on another machine",
        "[OPTIONS]",
        "Answer git in a container or on another machine, over a Unix socket that is\n"
        "forwarded there and that GIT_CREDENTIAL_HF_SOCKET names there.",
        ("--scope my-org --for 8h",),
        _declare_serve,
        _serve,
    ),
    "forget": Command(
        "remove what login, seed and store stored",
        "[OPTIONS]",
        "Remove what login, seed and store put into the keyring, and the same token\n"
        "from Hugging Face's token file: without --scope and --user all of it for the\n"
        "host.",
        ("", "--scope my-org --yes"),
        _declare_forget,
        _forget,
    ),
    "help": Command(
        "how a command is used",
        "[COMMAND]",
        "Tell how COMMAND is used, or which commands there are.",
        ("seed",),
        _declare_help,
        _help,
    ),
}

_ALIASES = {"logout": "forget", "doctor": "status"}
