"""login: a token is pasted once, checked, stored, and git and git-lfs are configured."""

import datetime
import os

from git_credential_hf import hub
from git_credential_hf.cli import child, owner, token_source
from git_credential_hf.cli.commands import configure, seed
from git_credential_hf.cli.commands.seed import Seed
from git_credential_hf.cli.output import PARTLY, Failed, complain, shown, shown_token
from git_credential_hf.cli.status import facts as found
from git_credential_hf.cli.status import verdict
from git_credential_hf.model import item
from git_credential_hf.model.repository import HUB
from git_credential_hf.options import Options, UsageError

_PAGE = "https://huggingface.co/settings/tokens"


class Login(Seed):
    """What one run of login is asked to do; each attribute is the option of that name.

    with_token: whether the token may come from a standard input that is no terminal.
    online: whether the Hub is asked about the token.
    """

    command = "login"
    once_more = "log in again"
    is_typed = True

    def __init__(self) -> None:
        super().__init__()
        self.with_token = False
        self.configure = True
        self.online = True
        self.quiet = True  # what is stored is said in one line here

    def again(self, **changed: str | bool) -> str:
        """Return the command line that asks a person for the token once more (see Asked)."""
        return super().again(**{"with_token": False} | changed)


def login(asked: Login, options: Options) -> int:
    """Ask for a token, check and store it, and have git use it; return the exit code.

    options: environ and timeout, for the keyring. Raises UsageError where nobody can be asked, and Failed where
    nothing was stored.
    """
    if not asked.with_token and not os.isatty(0):
        raise UsageError(
            "login asks for the token on a terminal, and standard input is none", asked.again(with_token=True)
        )
    owner.check_home(options.environ, "login")
    text, warnings = token_source.from_standard_input(asked.host)
    token = text.encode()
    expires = None
    if asked.host == HUB:
        line, expires = _checked(token, asked)
        print(line, flush=True)
    outcome = seed.store(asked, seed.one_token(asked, token, expires, options), options)
    shortfalls = outcome.shortfalls
    done = f"stored in {' and '.join(outcome.places)}" if outcome.places else "not stored"
    if outcome.skipped and outcome.places:
        done += f" (keyring: skipped, {outcome.skipped})"
    if asked.configure and asked.host == HUB:
        done += _configured(options.environ, warnings, shortfalls)
    print(done, flush=True)
    for line in warnings + shortfalls:
        complain(line)
    place = b"https://" + item.place(asked.host, asked.scope)
    print(verdict.of(place, options.environ, offline=not asked.online)[0])
    return PARTLY if shortfalls else 0


def _checked(token: bytes, asked: Login) -> tuple[str, int | None]:
    """Return what the Hub says of the token, and when it expires. Raises Failed where the Hub rejects it."""
    mask = shown_token(token)
    if not asked.online:
        return f"token {mask}: not checked (--offline)", None
    answer = hub.ask(token, b"")
    if answer.state == "no answer":
        return f"token {mask}: not checked, since the Hub cannot be asked ({shown(answer.why)})", None
    if answer.state != "asked":
        said = f" ({shown(answer.said)})" if answer.said else ""
        raise Failed(
            f"the Hub rejected the token {mask}{said}: nothing was stored. "
            f"Take a new one from {_PAGE}. Try: {asked.again()}"
        )
    about = [f"user {shown(answer.name or '')}", f"role {shown(answer.role or 'unknown')}"]
    if answer.expires:
        about.append(f"expires {shown(answer.expires[:10])}")
    if answer.reads_gated is not None:
        about.append(f"{'reads' if answer.reads_gated else 'may not read'} gated repositories")
    return f"token {mask}: {', '.join(about)}", _seconds(answer.expires)


def _seconds(expires: str | None) -> int | None:
    """Return the time that the Hub writes, as 2027-01-31T12:00:00.000Z, in seconds since the epoch."""
    try:
        return int(datetime.datetime.fromisoformat(expires or "").timestamp())
    except (ValueError, OverflowError):
        return None


def _configured(environ: dict[bytes, bytes], warnings: list[str], shortfalls: list[str]) -> str:
    """Have git use the helper, and git-lfs its filters, where they do not; return what was done, for the line of it.

    What keeps them from that is added to `shortfalls`, and to `warnings` where git-lfs is not installed.
    """
    facts = found.gather(b"https://" + HUB, environ, offline=True)
    done = []
    try:
        if facts.ours is None:
            configure.add(("global", None), environ)
            done.append("git")
        if facts.config.value(b"filter.lfs.process") is None:
            child.install_git_lfs(environ)
            done.append("git-lfs")
    except child.NotInstalled as reason:
        warnings.append(str(reason))
    except Failed as reason:
        shortfalls.append(str(reason))
    return f"; configured {' and '.join(done)}" if done else ""
