"""seed: put a token into the keyring and into Hugging Face's token cache."""

import os
import sys
from contextlib import nullcontext

from git_credential_hf import files, own_items, refused
from git_credential_hf.commands import Failed, install_git_lfs, secret_source, shown
from git_credential_hf.commands.token_cache import TokenCache, refuse_another_users
from git_credential_hf.options import Options
from git_credential_hf.scope import HF_USER, HUB
from git_credential_hf.secret_service import Absent, Locked, Unavailable, item
from git_credential_hf.token import Token, fingerprint

_WAIT = 30.0  # seconds, for the runs that came before

PARTLY = 3  # the exit code of what is done in part


class Seed:
    """What one run of seed is asked to do; each attribute is the option of that name."""

    def __init__(self) -> None:
        self.source: str | None = None
        self.scope = b""
        self.user = HF_USER
        self.host = HUB
        self.keyring = True
        self.cache = True
        self.require_keyring = False
        self.optional = False
        self.strict = False
        self.force = False
        self.git_lfs = False
        self.dry_run = False
        self.quiet = False


def seed(asked: Seed, options: Options) -> int:
    """Seed the token of `asked.source`; return the exit code. Raises Failed where nothing was changed.

    options: environ, timeout and unlock, for the keyring.
    """
    if asked.source is None:
        if asked.optional:
            _report(asked, "nothing to seed: no token is declared")
            return 0
        raise Failed("no token is declared: name where it is, as in `git-credential-hf seed --from FILE`")
    if home := options.environ.get(b"HOME"):
        refuse_another_users(home)
    try:
        text, warnings = secret_source.read(asked.source, options.environ)
    except secret_source.NothingThere as reason:
        if not asked.optional:
            raise
        _report(asked, f"nothing to seed: {reason}")
        return 0
    for warning in warnings:
        if asked.strict:
            raise Failed(warning)
        print(f"git-credential-hf: {warning}", file=sys.stderr)
    token = Token(text.encode(), "seed", user=asked.user, scope=asked.scope)

    cache = None
    if asked.cache and not asked.scope and asked.host == HUB:
        cache = TokenCache(options.environ)
        cache.put(token.text, dry_run=True)  # where it cannot be, nothing has been touched
    shortfalls = []
    if cache is None and not asked.keyring:
        _report(asked, "nothing to do: the token is for neither the token cache nor the keyring")
    else:
        shortfalls += _put_away(asked, token, cache, options)
    if asked.host == HUB and not asked.dry_run:
        try:
            refused.forget(token.text, options.environ)
        except refused.CannotRemember:
            shortfalls.append(
                "the token was refused before and is withheld for up to an hour: the list of the refused ones in "
                "~/.local/state/git-credential-hf cannot be written"
            )
    if asked.git_lfs and asked.dry_run:
        _report(asked, "git-lfs: `git lfs install --skip-repo` would be run")
    elif asked.git_lfs:
        try:
            source = os.fsencode(asked.source.removeprefix("env:"))
            environ = {name: value for name, value in options.environ.items() if name != source}
            _report(asked, install_git_lfs(environ))
        except Failed as reason:
            shortfalls.append(str(reason))
    for shortfall in shortfalls:
        print(f"git-credential-hf: {shortfall}", file=sys.stderr)
    return PARTLY if shortfalls else 0


def _put_away(asked: Seed, token: Token, cache: TokenCache | None, options: Options) -> list[str]:
    """Put the token into the cache and into the keyring; return what a person must hear of it."""
    try:
        # Over both, so that of two runs at once the later one has the last word in both.
        with nullcontext() if asked.dry_run else files.own_lock(options.environ, _WAIT):
            if cache is not None:
                _report(asked, cache.put(token.text, force=asked.force, dry_run=asked.dry_run))
            return _fill_keyring(asked, token, options) if asked.keyring else []
    except TimeoutError as error:
        raise Failed(f"{error.strerror}: end it, and seed again") from None


def _fill_keyring(asked: Seed, token: Token, options: Options) -> list[str]:
    """Put the token into the keyring; return what a person must hear of it."""
    try:
        with own_items.vault(options) as vault:
            done = vault.put(asked.host, token, item.SEEDED, force=asked.force, dry_run=asked.dry_run)
    except (Absent, Locked) as reason:
        if asked.require_keyring:
            return [f"the keyring was not filled: {reason}; unlock it, or log in to the desktop, and seed again"]
        _report(asked, f"keyring: left for login, {reason}")
        return []
    except Unavailable as reason:
        return [f"the keyring was not filled: {reason}; seed again"]
    if asked.dry_run and done != "unchanged":
        done = f"would be {done}"
    where = shown(asked.host + (b"/" + asked.scope if asked.scope else b""))
    _report(asked, f"keyring: {done}, token {fingerprint(token.text)} for {where} as {shown(asked.user)}")
    return []


def _report(asked: Seed, line: str) -> None:
    if not asked.quiet:
        print(line)
