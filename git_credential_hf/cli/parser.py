"""What people type: the command line of the commands that git does not run."""

import argparse
import io
import os
import sys
from typing import TYPE_CHECKING, Never

from git_credential_hf import __version__, options
from git_credential_hf.cli.output import HUB_NAMES, Failed, complain, shown

if TYPE_CHECKING:
    from git_credential_hf.cli.commands.forget import Forget
    from git_credential_hf.cli.commands.seed import Seed

_SUMMARY = """\
usage: git-credential-hf COMMAND [OPTIONS], of which COMMAND --help tells more
       git-credential-hf [HELPER OPTIONS] get | store | erase | capability

commands:
  seed         put tokens into the keyring and into Hugging Face's token cache
  configure    make git use this helper for huggingface.co
  unconfigure  take that back
  status       which credential git would use for a URL, and any problems
  forget       remove what seed and store put away

for a new machine:
  git-credential-hf seed --from ~/secrets/huggingface.token --git-lfs
  git-credential-hf configure

helper options, before what git runs:
  --host HOST[:PORT]           answer for this host too
  --timeout SECONDS            the whole time that the keyring may take (2)
  --sources env,keyring,file   ask only these
  --unlock never|auto|prompt   what may be done about a locked keyring (auto)
  --no-prompt                  where there is no token, let nothing ask for one
  --refresh                    let `hf auth token` renew a login that has ended

manual: man {manual}
"""

_SEED_EXAMPLES = """\
  git-credential-hf seed --from ~/secrets/huggingface.token
  git-credential-hf seed --from ~/secrets/my-org.token --scope my-org
"""

_CONFIGURE_EXAMPLES = """\
  git-credential-hf configure --git-lfs
  git-credential-hf configure --file ~/nixos/gitconfig
"""

_UNCONFIGURE_EXAMPLES = """\
  git-credential-hf unconfigure
"""

_STATUS_EXAMPLES = """\
  git-credential-hf status
  git-credential-hf status --online https://huggingface.co/my-org/my-model
"""

_FORGET_EXAMPLES = """\
  git-credential-hf forget
  git-credential-hf forget --scope my-org --yes
"""


class _Parser(argparse.ArgumentParser):
    """A parser whose help fits on a screen, and that keeps to one line on a mistake, as everything here does."""

    def __init__(self, command: str, operands: str, description: str, examples: str) -> None:
        super().__init__(
            usage=f"git-credential-hf {command} {operands}",
            description=description,
            epilog=f"examples:\n{examples}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
            add_help=False,
        )
        self.options = self.add_argument_group()  # without a title
        self.add_argument("-h", "--help", action="help", help=argparse.SUPPRESS)

    def error(self, message: str) -> Never:
        raise options.UsageError(shown(message))


def main(arguments: list[str], environ: dict[bytes, bytes]) -> int:
    """Run a person's command; return the exit code. Raises options.UsageError."""
    if not arguments:
        raise options.UsageError("a command is missing")
    if isinstance(sys.stdout, io.TextIOWrapper):  # a name may have in it what the locale cannot write
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        try:
            return _run(*arguments, environ=environ)
        finally:
            _flush()
    except Failed as error:
        complain(str(error))
        return 1


def _run(command: str, *arguments: str, environ: dict[bytes, bytes]) -> int:
    rest = list(arguments)
    if command in ("--help", "-h"):
        print(_SUMMARY.format(manual=_manual()), end="")
        return 0
    if command == "--version":
        print(f"git-credential-hf {__version__}")
        return 0
    if command == "seed":
        return _seed(rest, environ)
    if command == "status":
        return _status(rest, environ)
    if command == "forget":
        return _forget(rest, environ)
    return _configure(command, rest, environ)


def _flush() -> None:
    """Have standard output, where it is open, take all that was printed. Raises Failed."""
    try:
        print(end="", flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Failed(f"standard output cannot be written: {error.strerror}") from None


def _seed(arguments: list[str], environ: dict[bytes, bytes]) -> int:
    parser = _Parser(
        "seed",
        "[--from SOURCE] [OPTIONS]",
        "Put tokens into the keyring and into Hugging Face's token cache: without --from\n"
        "all that are declared in ~/.config/git-credential-hf/tokens.toml.",
        _SEED_EXAMPLES,
    )
    add = parser.options.add_argument
    add("--from", dest="source", metavar="SOURCE", help="a file, -, env:NAME, credential:NAME, command:WORDS")
    add("--scope", help="the organisation or repository that it is for")
    add("--user", metavar="NAME", help="whose token it is (hf_user, which stands for anybody)")
    add("--host", help="the host, as HOST or HOST:PORT (huggingface.co)")
    add("--no-keyring", action="store_true", help="leave the keyring alone")
    add("--no-cache", action="store_true", help="leave the token cache alone")
    add("--require-keyring", action="store_true", help="exit with 3 where the keyring could not be filled")
    add("--optional", action="store_true", help="a missing, empty or placeholder source is fine")
    add("--strict", action="store_true", help="change nothing where a line would warn of the source")
    add("--force", action="store_true", help="write even what is there already")
    add("--git-lfs", action="store_true", help="also run `git lfs install --skip-repo`")
    add("--timeout", metavar="SECONDS", default="10", help="the whole time that the keyring may take (%(default)s)")
    add(
        "--unlock",
        choices=("never", "auto", "prompt"),
        default="auto",
        metavar="WHEN",
        help="what to do about a locked one: never, auto or prompt",
    )
    add("--dry-run", action="store_true", help="say what would be done, and do nothing")
    add("--quiet", action="store_true", help="say nothing when all is well")
    given = parser.parse_args(arguments)

    from git_credential_hf.cli.commands import seed

    if given.source == "":
        raise options.UsageError("--from takes a file, -, env:NAME, credential:NAME or command:WORDS")
    asked = seed.Seed()
    asked.source = given.source
    if given.source is None and not (given.scope is given.user is given.host is None):
        raise options.UsageError("--scope, --user and --host are about the token of --from; tokens.toml has its own")
    _take_place(given, asked)
    asked.keyring = not given.no_keyring
    asked.cache = not given.no_cache
    for name in ("require_keyring", "optional", "strict", "force", "git_lfs", "dry_run", "quiet"):
        setattr(asked, name, getattr(given, name))
    if given.no_keyring and given.require_keyring:
        raise options.UsageError("--require-keyring and --no-keyring exclude each other")
    for_keyring = options.Options(environ)
    for_keyring.timeout = options.timeout(os.fsencode(given.timeout))
    for_keyring.unlock = given.unlock
    return seed.seed(asked, for_keyring)


def _status(arguments: list[str], environ: dict[bytes, bytes]) -> int:
    parser = _Parser(
        "status",
        "[OPTIONS] [URL]",
        "Tell which credential git would use for URL (the clone that you are in, else\n"
        "all of https://huggingface.co), and any problems with commands that fix them.\n"
        "It changes nothing; exit code 1 if git would get no token.",
        _STATUS_EXAMPLES,
    )
    parser.add_argument("url", nargs="?", help=argparse.SUPPRESS)
    add = parser.options.add_argument
    add("--json", action="store_true", help="for programs; docs/status.md has the schema")
    add("--online", action="store_true", help="also ask the Hub whose token it is, and what it may read")
    add("--probe", action="store_true", help="also run the other helpers that git would ask")
    add("--quiet", action="store_true", help="say only what keeps git from a token, on standard error")
    given = parser.parse_args(arguments)

    from git_credential_hf.cli.commands import status

    return status.status(
        given.url, environ, as_json=given.json, online=given.online, probe=given.probe, quiet=given.quiet
    )


def _forget(arguments: list[str], environ: dict[bytes, bytes]) -> int:
    parser = _Parser(
        "forget",
        "[OPTIONS]",
        "Remove what seed and store put into the keyring, and the same token from\n"
        "Hugging Face's token cache: without --scope and --user all of it for the host.",
        _FORGET_EXAMPLES,
    )
    add = parser.options.add_argument
    add("--scope", help="only what was put away for exactly this scope")
    add("--user", metavar="NAME", help="only what was put away for this user")
    add("--host", help="the host, as HOST or HOST:PORT (huggingface.co)")
    add("--yes", action="store_true", help="do not ask; without a terminal it is needed")
    given = parser.parse_args(arguments)

    from git_credential_hf.cli.commands import forget

    asked = forget.Forget()
    _take_place(given, asked)
    asked.yes = given.yes
    for_keyring = options.Options(environ)
    for_keyring.timeout = 10.0
    return forget.forget(asked, for_keyring)


def _take_place(given: argparse.Namespace, asked: "Seed | Forget") -> None:
    """Take over what --scope, --user and --host say. Raises options.UsageError."""
    from git_credential_hf.cli import tokens_toml

    if given.host is not None:
        asked.host = tokens_toml.server_of(given.host)
    if given.scope is not None:
        asked.scope = tokens_toml.scope_of(given.scope, asked.host)
    if given.user is not None:
        asked.user = tokens_toml.user_of(given.user)


def _manual() -> str:
    """Return the path of the manual page, which `man` finds by its name only where the installer saw to it."""
    from importlib import metadata

    try:
        installed = metadata.files("git-credential-hf") or []
    except metadata.PackageNotFoundError:
        installed = []
    pages = [os.path.normpath(file.locate()) for file in installed if file.name == "git-credential-hf.1"]
    return next(filter(os.path.exists, pages), "git-credential-hf")


def _configure(command: str, arguments: list[str], environ: dict[bytes, bytes]) -> int:
    from git_credential_hf.cli.commands import configure

    place = "[--global | --local | --file F]"
    if command == "configure":
        description = f"Make git use this helper, and no other, for {HUB_NAMES}."
        parser = _Parser(command, f"{place} [--git-lfs]", description, _CONFIGURE_EXAMPLES)
    else:
        description = "Remove what configure added to git's configuration, and nothing else."
        parser = _Parser(command, place, description, _UNCONFIGURE_EXAMPLES)
    add = parser.options.add_mutually_exclusive_group().add_argument
    add("--global", dest="target", action="store_const", const=("global", None), help="yours (default)")
    add("--local", dest="target", action="store_const", const=("local", None), help="this repository's")
    add("--file", metavar="F", help="the configuration file F")
    if command == "configure":
        parser.options.add_argument("--git-lfs", action="store_true", help="also run `git lfs install --skip-repo`")
    given = parser.parse_args(arguments)
    target = ("file", given.file) if given.file is not None else given.target or ("global", None)
    if command == "configure":
        return configure.configure(target, environ, git_lfs=given.git_lfs)
    return configure.unconfigure(target, environ)
