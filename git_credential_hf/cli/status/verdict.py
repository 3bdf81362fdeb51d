"""The verdict: one line that says what git will use for a URL, or why it gets nothing."""

from git_credential_hf.cli.output import HUB_NAMES, shown, shown_token
from git_credential_hf.cli.status import facts as found
from git_credential_hf.cli.status.facts import Facts
from git_credential_hf.model.outcome import EXPIRED, FAILED, REJECTED
from git_credential_hf.model.repository import HF_USER, HUB

_UNREADABLE = {
    "gated": "has no access to this gated repository",
    "denied": "may not read this repository",
    "not found": "sees no such repository",
}


def of(url: bytes, environ: dict[bytes, bytes], *, offline: bool = False) -> tuple[str, bool]:
    """Return the verdict on `url`, and whether git gets a credential there. Raises git_config.BadUrl.

    offline: whether nobody is asked over the network, as OIDC takes.
    """
    facts = found.gather(url, environ, offline=offline)
    facts.named = shown_token
    return line(facts), is_good(facts)


def ask_hub(facts: Facts) -> None:
    """Ask the Hub about the token that git gets, if it is the Hub that it is for."""
    if facts.secret and facts.server == HUB:
        from git_credential_hf import hub

        facts.online = hub.ask(facts.secret, facts.url.path)


def is_good(facts: Facts) -> bool:
    """Return whether git may get a credential and, where the Hub was asked, that this may read the repository."""
    answer = facts.online
    return facts.may_be_given and (answer is None or (answer.state != "refused" and answer.access not in _UNREADABLE))


def line(facts: Facts) -> str:
    """Return the verdict."""
    where = facts.given._replace(user=None).shown().partition("://")[2]  # without scheme and login
    first = " and ".join(one.shown() for one in facts.unknown)
    if not facts.is_given and first:
        return f"Not sure: git asks {first} for {where}; if that has none, it gets no token: {_reason(facts)}"
    if not facts.is_given:
        return f"No token: git gets none for {where}: {_reason(facts)}"
    what = _given(facts)
    answer = facts.online
    if answer is not None and not is_good(facts):
        why = _UNREADABLE[answer.access] if answer.access else "the Hub rejects it"
        return f"Not OK: git will use {what} for {where}, and {why}"
    if not facts.ours_gives:
        return f"Not from git-credential-hf: git will use {what} for {where}"
    if facts.leaves_out_oidc:
        return (
            f"Not sure: HF_OIDC_RESOURCE is set, so git takes its token for {where} through OIDC, which was not asked"
        )
    end = "" if answer is None or answer.access != "yes" else f", which may read{' and write' * bool(answer.writes)}"
    if first:
        return f"Not sure: git asks {first} first; if that has none, it will use {what} for {where}{end}"
    return f"OK: git will use {what} for {where}{end}"


def _given(facts: Facts) -> str:
    """Return what git will use, and where it is from."""
    if facts.giver is None:
        rewrite = facts.rewrite
        where = f"url.*.insteadOf at {facts.path(rewrite.where())}" if rewrite is not None else "the URL"
        return f"the password of {where}, and asks no helper,"
    given = facts.outcome.given()
    secret = facts.named(facts.secret) if facts.secret else "an empty password"
    if not facts.ours_gives:
        return f"{secret} from {facts.giver.helper.shown()}"
    if facts.giver.secret is None or given is None or given.token is None:
        return "the token in the keyring, which its next request unlocks without a dialog,"
    token = given.token
    about = [f"scope {shown(token.scope)}"] if token.scope else []
    about += [f"user {shown(token.user)}"] if token.user not in (None, HF_USER) else []
    return f"{secret} from {facts.path(given.place)}" + (f" ({', '.join(about)})" if about else "")


def _reason(facts: Facts) -> str:
    """Return why git gets nothing."""
    if facts.git.path is None:
        return "git is not installed"
    if facts.config.complaint:
        return f"git stops at its configuration: {facts.config.complaint}"
    if facts.url.scheme != facts.url.scheme.lower():
        return f"git knows no {shown(facts.url.scheme)}"
    if facts.url.scheme not in (b"https", b"http"):
        return f"git asks no credential helper for {shown(facts.url.scheme)}"
    stopped = next((one for one in facts.turns if one.does == "quit" and one.own is not facts.main), None)
    if stopped is not None:
        return f"{stopped.helper.shown()} tells git to quit"
    if facts.server is None:
        return f"git-credential-hf does not handle it, but {HUB_NAMES} over https"
    if any(one.may_be_ours() for one in facts.active):
        return "of shell code, only --probe tells what it answers"
    if facts.ours is None:
        what = "configured, and reset by an empty helper" if facts.configured else "not configured"
        return f"git-credential-hf is {what}"
    if facts.main.program is None:
        return f"the helper {facts.ours.shown()} is missing"
    if facts.main.error:
        return f"the options of the helper are wrong: {facts.main.error}"
    if (failed := facts.outcome.first(FAILED)) is not None:
        return shown(failed.why)
    for verdict, what in ((REJECTED, f"was rejected by {facts.whose}"), (EXPIRED, "has expired")):
        if (one := facts.outcome.first(verdict)) is not None and one.token is not None:
            return f"{facts.named(one.token.text)} from {facts.path(one.place)} {what}"
    if facts.unmatched():
        return "useHttpPath is not set, so no scope matches"
    why = facts.keyring.why_nothing() if facts.keyring is not None and "keyring" in facts.main.sources else ""
    whys = "; ".join(filter(None, (facts.why_no_socket(), why)))
    return "no source has one" + (f" ({whys})" if whys else "")
