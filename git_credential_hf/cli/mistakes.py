"""Mistakes in the command line, each in one line: the word as it was typed, and the nearest known one."""

import os
from collections.abc import Iterable

from git_credential_hf.cli.output import shown
from git_credential_hf.model import token_text
from git_credential_hf.options import UsageError

_ALIKE = 0.61  # of difflib: `gte` is near `get`, and `reject`, which is git's own word, is not near `exec`
_ALIKE_WITHOUT_DASHES = 0.6  # `dry` is near `dry-run`, and `token` is not near `no-keyring`


def near(word: str, known: Iterable[str], alike: float = _ALIKE) -> str | None:
    """Return the one of `known` that `word` was probably meant to be."""
    import difflib

    return next(iter(difflib.get_close_matches(word.strip().lower(), list(known), n=1, cutoff=alike)), None)


def unknown(what: str, word: str, known: Iterable[str], remedy: str = "") -> UsageError:
    """Return the mistake of giving `word` as a `what`, "command" or "option", of which these are `known`."""
    name = word.partition("=")[0]
    if token_text.may_be_token(word.lstrip("-")):
        return UsageError("a token was given as an argument, where every process can see it", "git-credential-hf login")
    by_word = {one.lstrip("-"): one for one in known}  # every option has the dashes
    if name in by_word.values():
        return UsageError(f"`{name}` takes no value" if "=" in word else f"`{name}` stands alone", remedy)
    meant = by_word.get(near(name.lstrip("-"), by_word, _ALIKE if what == "command" else _ALIKE_WITHOUT_DASHES) or "")
    return UsageError(f"unknown {what} `{shown(name)}`" + (f"; did you mean `{meant}`?" if meant else ""), remedy)


def too_much(command: str, word: str, *, takes_some: bool = False) -> UsageError:
    """Return the mistake of giving `word` to a command that takes no argument, or no more of them."""
    if token_text.may_be_token(word):
        return unknown("argument", word, ())
    if command == "exec":
        return UsageError("`exec` takes a command after `--`", "git-credential-hf exec -- hf auth whoami")
    if takes_some:
        return UsageError(f"`{command}` takes no further argument `{shown(word)}`")
    if command == "seed" and os.path.exists(word):
        return UsageError(f"`seed` takes no arguments; did you mean `--from {shown(word)}`?")
    return UsageError(f"`{command}` takes no arguments")


def in_an_option(name: str, message: str, choices: Iterable[str] | None) -> UsageError:
    """Return the mistake that argparse tells of the option `name` with `message`."""
    text = f"`{name}`: {message}"
    if message.startswith("expected"):
        text = f"`{name}` needs a value"
    elif message.startswith("ignored explicit argument"):
        text = f"`{name}` takes no value"
    elif message.startswith("not allowed with argument "):
        text = f"`{name}` and `{message.rpartition(' ')[2]}` exclude each other"
    elif choices is not None:
        *some, last = choices
        text = f"`{name}` takes {', '.join(some)} or {last}"
    return UsageError(shown(text))
