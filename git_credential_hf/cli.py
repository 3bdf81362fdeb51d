"""What people type: the command line of the commands that git does not run."""

import argparse
import io
import os
import sys
from typing import Never

from git_credential_hf import __version__, options, scope
from git_credential_hf.commands import Failed
from git_credential_hf.protocol import has_control

_SUMMARY = """\
usage: git-credential-hf COMMAND [OPTIONS]
       git-credential-hf [HELPER OPTIONS] get | store | erase | capability

A git credential helper for Hugging Face: git clone, git lfs pull and hf download of private and gated
repositories, with no prompt.

commands:
  seed         put a token into the keyring and into Hugging Face's token cache
  configure    make git use this helper for huggingface.co
  unconfigure  take that back
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

git-credential-hf COMMAND --help tells the options of a command.
"""

_SEED_EXAMPLES = """\
examples:
  git-credential-hf seed --from ~/secrets/huggingface.token
  git-credential-hf seed --from credential:huggingface --require-keyring
  git-credential-hf seed --from ~/secrets/my-org.token --scope my-org
"""

_FORGET_EXAMPLES = """\
examples:
  git-credential-hf forget
  git-credential-hf forget --scope my-org --yes
"""


class _Parser(argparse.ArgumentParser):
    """A parser that keeps to one line on a mistake, as everything here does."""

    def error(self, message: str) -> Never:
        raise options.UsageError(message)


def main(arguments: list[str], environ: dict[bytes, bytes]) -> int:
    """Run a person's command; return the exit code. Raises options.UsageError."""
    if not arguments:
        raise options.UsageError("a command is missing")
    command, *rest = arguments
    if isinstance(sys.stdout, io.TextIOWrapper):  # a name may have in it what the locale cannot write
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        if command in ("--help", "-h"):
            print(_SUMMARY, end="")
            return 0
        if command == "--version":
            print(f"git-credential-hf {__version__}")
            return 0
        if command == "seed":
            return _seed(rest, environ)
        if command == "forget":
            return _forget(rest, environ)
        return _configure(command, rest, environ)
    except Failed as error:
        print(f"git-credential-hf: {error}", file=sys.stderr)
        return 1
    finally:
        print(end="", flush=True)  # nothing where standard output is closed


def _seed(arguments: list[str], environ: dict[bytes, bytes]) -> int:
    parser = _Parser(
        prog="git-credential-hf seed",
        description="Put a token into the keyring and into Hugging Face's token cache. Run it as often as you like.",
        epilog=_SEED_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--from", dest="source", metavar="SOURCE", help="a file, - (stdin), env:NAME, credential:NAME or command:WORDS")
    add("--scope", help="the part of the Hub that the token is for: an organisation or a repository")
    add("--user", metavar="NAME", help="whose token it is (hf_user, which stands for anybody)")
    add("--host", help="the host that it is for, as HOST or HOST:PORT (huggingface.co)")
    add("--no-keyring", action="store_true", help="leave the keyring alone")
    add("--no-cache", action="store_true", help="leave the token cache alone")
    add("--require-keyring", action="store_true", help="exit with 3 where the keyring could not be filled")
    add("--optional", action="store_true", help="a source that is missing, empty or a placeholder is fine")
    add("--strict", action="store_true", help="change nothing if others can read the source")
    add("--force", action="store_true", help="write even what is there already")
    add("--git-lfs", action="store_true", help="also run `git lfs install --skip-repo`")
    add("--timeout", metavar="SECONDS", default="10", help="the whole time that the keyring may take (%(default)s)")
    add("--unlock", choices=("never", "auto", "prompt"), default="auto", help="what to do about a locked keyring")
    add("--dry-run", action="store_true", help="say what would be done, and do nothing")
    add("--quiet", action="store_true", help="say nothing when all is well")
    given = parser.parse_args(arguments)

    from git_credential_hf.commands import seed

    if given.source == "":
        raise options.UsageError("--from takes a file, -, env:NAME, credential:NAME or command:WORDS")
    asked = seed.Seed()
    asked.source = given.source
    if given.scope is not None:
        asked.scope = _scope(given.scope)
    if given.user is not None:
        asked.user = _user(given.user)
    if given.host is not None:
        asked.host = _host(given.host)
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


def _forget(arguments: list[str], environ: dict[bytes, bytes]) -> int:
    parser = _Parser(
        prog="git-credential-hf forget",
        description="Remove what seed and store put into the keyring, and the same token from Hugging\n"
        "Face's token cache: without --scope and --user all of it for the host.",
        epilog=_FORGET_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--scope", help="only what was seeded for exactly this organisation or repository")
    add("--user", metavar="NAME", help="only what was put away for this user")
    add("--host", help="the host, as HOST or HOST:PORT (huggingface.co)")
    add("--yes", action="store_true", help="do not ask; without a terminal it is needed")
    given = parser.parse_args(arguments)

    from git_credential_hf.commands import forget

    asked = forget.Forget()
    if given.scope is not None:
        asked.scope = _scope(given.scope)
    if given.user is not None:
        asked.user = _user(given.user)
    if given.host is not None:
        asked.host = _host(given.host)
    asked.yes = given.yes
    for_keyring = options.Options(environ)
    for_keyring.timeout = 10.0
    return forget.forget(asked, for_keyring)


def _scope(text: str) -> bytes:
    given = os.fsencode(text)
    if not given or has_control(given) or scope.exact_scope(given) != given:
        raise options.UsageError(
            "a scope is an organisation or a repository as in its address: my-org, my-org/name, datasets/my-org"
        )
    return given


def _user(text: str) -> bytes:
    given = os.fsencode(text)
    if not given or has_control(given) or not scope.is_text(given):
        raise options.UsageError("--user takes a name")
    return given


def _host(text: str) -> bytes:
    host = options.host(os.fsencode(text))
    return scope.server(b"https", host, (host,)) or host


def _configure(command: str, arguments: list[str], environ: dict[bytes, bytes]) -> int:
    from git_credential_hf.commands import configure

    parser = _Parser(
        prog=f"git-credential-hf {command}",
        description={
            "configure": "Make git use this helper, and no other, for huggingface.co and hf.co.",
            "unconfigure": "Remove what configure added to git's configuration, and nothing else.",
        }[command],
        allow_abbrev=False,
    )
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--global", dest="target", action="store_const", const=("global", None), help="yours (default)")
    place.add_argument("--local", dest="target", action="store_const", const=("local", None), help="this repository's")
    place.add_argument("--file", metavar="F", help="the configuration file F")
    if command == "configure":
        parser.add_argument("--git-lfs", action="store_true", help="also run `git lfs install --skip-repo`")
    given = parser.parse_args(arguments)
    target = ("file", given.file) if given.file is not None else given.target or ("global", None)
    if command == "configure":
        return configure.configure(target, environ, git_lfs=given.git_lfs)
    return configure.unconfigure(target, environ)
