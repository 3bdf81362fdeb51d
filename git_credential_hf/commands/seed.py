"""seed: put a token into the keyring and into Hugging Face's token cache."""

import sys

from git_credential_hf import refused
from git_credential_hf.commands import Failed, install_git_lfs, secret_source, shown
from git_credential_hf.commands.token_cache import TokenCache
from git_credential_hf.options import Options
from git_credential_hf.scope import HF_USER, HUB
from git_credential_hf.secret_service import Absent, Locked, Unavailable, item
from git_credential_hf.sources import keyring
from git_credential_hf.token import Token, fingerprint

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

    to_cache = asked.cache and not asked.scope and asked.host == HUB
    if not to_cache and not asked.keyring:
        _report(asked, "nothing to do: the token is for neither the token cache nor the keyring")
    if to_cache:
        _report(asked, TokenCache(options.environ).put(token.text, force=asked.force, dry_run=asked.dry_run))
    shortfalls = []
    if asked.keyring:
        shortfalls += _fill_keyring(asked, token, options)
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
            _report(asked, install_git_lfs(options.environ))
        except Failed as reason:
            shortfalls.append(str(reason))
    for shortfall in shortfalls:
        print(f"git-credential-hf: {shortfall}", file=sys.stderr)
    return PARTLY if shortfalls else 0


def _fill_keyring(asked: Seed, token: Token, options: Options) -> list[str]:
    """Put the token into the keyring; return what a person must hear of it."""
    try:
        with keyring.vault(options) as vault:
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
