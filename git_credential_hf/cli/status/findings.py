"""Problems, from Facts: the most misleading first, each with a command that fixes it."""

import itertools
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from git_credential_hf.cli import child, git_config
from git_credential_hf.cli.git_config import Setting
from git_credential_hf.cli.output import HUB_NAMES, quoted, shown, without_passwords
from git_credential_hf.cli.status import remedies
from git_credential_hf.cli.status.facts import Facts, Turn
from git_credential_hf.cli.status.keyring import WORDS
from git_credential_hf.model import token_text
from git_credential_hf.model.outcome import EXPIRED, FAILED, LOCKED, MALFORMED, REJECTED, SPARE, Candidate
from git_credential_hf.model.repository import HUB, HUB_HOSTS
from git_credential_hf.model.token import Token
from git_credential_hf.secret_service.quirks import kwallet
from git_credential_hf.sources import oidc
from git_credential_hf.sources.environment import VARIABLES

_LAST_THAT_LOOPS = (3, 7, 1)  # git-lfs, which asked again and again with a token that draws a 401
_TOKENS_PAGE = "https://huggingface.co/settings/tokens"

ERROR, WARNING, NOTE = "error", "warning", "note"
_CODES = {
    (ERROR,): "env-hides-scopes token-file-newer git-missing git-config-broken gated-not-accepted access-denied "
    "repository-hidden token-invalid",
    (ERROR, WARNING): "helper-not-configured helper-reset helper-gone helper-options-wrong url-rewritten http-url "
    "ssh-url not-ours no-token token-rejected token-expired login-expired keyring-locked keyring-silent "
    "oidc-failed",
    (WARNING,): "other-helper-before other-helper-after path-not-sent token-in-git-config token-in-remote token-in-url "
    "extra-header netrc-entry askpass-asks env-unusable token-file-mode token-file-unusable keyring-absent "
    "other-keyring kwallet-waits keyring-secret-lost declaration-broken source-newer source-unreadable "
    "declared-not-seeded lfs-missing lfs-not-initialised lfs-loops xet-scopes-only hub-silent oidc-not-asked "
    "oidc-unknown-to-hf hf-differs",
    (WARNING, NOTE): "askpass-missing other-helper-gone",
    (NOTE,): "lfs-skips env-hides-keyring token-file-differs keyring-empty keyring-opens",
}
SEVERITIES = {code: severities for severities, codes in _CODES.items() for code in codes.split()}
"""The severity of each code; of two the first holds where git gets no credential for sure."""


WRONG_TOKEN = ("env-hides-scopes", "token-file-newer")
"""The errors that are never why git gets no token."""


class Finding(NamedTuple):
    """severity: "error" (git gets no token, or another than it should), "warning" or "note".

    message: what is so, and why it matters. remedy: a line for the shell.
    """

    code: str
    severity: str
    message: str
    remedy: str


_Found = Iterator[tuple[str, str, str]]
"""What a finding is without its severity: code, message, remedy."""


def findings(facts: Facts) -> list[Finding]:
    """Return what keeps git from the right token, the most misleading first."""
    found = [
        *_hidden_scopes(facts),
        *_newer_token_file(facts),
        *_url(facts),
        *_configuration(facts),
        *_identities(facts),
        *_tokens(facts),
        *_environment(facts),
        *_keyring(facts),
        *_items(facts),
        *_token_file(facts),
        *_declared(facts),
        *_beside_the_helper(facts),
        *_git_lfs(facts),
        *_git_xet(facts),
        *_hub(facts),
    ]
    made = [Finding(code, SEVERITIES[code][-1 if facts.may_be_given else 0], *texts) for code, *texts in found]
    return sorted(made, key=lambda finding: (ERROR, WARNING, NOTE).index(finding.severity))


# The two that are named first: both are errors.


def _hidden_scopes(facts: Facts) -> _Found:
    scopes = facts.scoped()
    if facts.given_from("env") is not None and scopes:
        others = [one for one in facts.outcome.candidates if one.verdict == SPARE and one.source != "env"]
        has_another = bool(others or facts.unmatched())
        yield (
            "env-hides-scopes",
            f"{_place(facts)} is set and comes first, so the tokens for {_listed(scopes)} are never given",
            _unset(facts) if has_another else f"{_unset(facts)} && {remedies.new_token(facts)}",
        )


def _newer_token_file(facts: Facts) -> _Found:
    if (two := _two_tokens(facts)) is not None and _is_newer(facts, two[0]):
        ours, theirs = two
        yield (
            "token-file-newer",
            f"{facts.path(facts.token_file.path)} is newer than the keyring's item and holds another token "
            f"({facts.named(theirs.text)}): git-credential-hf gives the older one ({facts.named(ours.text)})",
            remedies.seed_from(facts, ours.user),
        )


def _unset(facts: Facts) -> str:
    return "unset " + " ".join(name.decode() for name in VARIABLES if facts.environ.get(name))


def _two_tokens(facts: Facts) -> tuple[Token, Token] | None:
    """Return the keyring's token for the whole Hub, if it is given, and another that the token file has."""
    token, file = facts.given_from("keyring"), facts.outcome.first(SPARE, source="file")
    if token is None or token.scope or file is None or file.token is None or file.token.text == token.text:
        return None
    return token, file.token


def _is_newer(facts: Facts, ours: Token) -> bool:
    """Return whether the token file is known to be newer than the keyring's item."""
    written = (one.modified for one in facts.items if one.path == ours.item)
    return any(when and facts.token_file.modified >= when + 1 for when in written)


# The URL.


def _url(facts: Facts) -> _Found:
    url = facts.url
    is_hubs = url.name() in HUB_HOSTS
    if facts.rewrite is not None and (facts.server is None or url.scheme != b"https"):
        yield (
            "url-rewritten",
            f"url.*.insteadOf at {_where(facts, facts.rewrite)} turns this URL into {url.shown()}, for which git does "
            f"not ask git-credential-hf{remedies.in_store(facts, facts.rewrite)}",
            remedies.remove(facts, facts.rewrite),
        )
    elif url.scheme == b"http" and is_hubs:
        yield (
            "http-url",
            "git-credential-hf answers for https alone: over http the token could be read on its way",
            remedies.as_owner(
                facts, f"git config --global url.https://{shown(url.host)}/.insteadOf http://{shown(url.host)}/"
            ),
        )
    elif url.scheme != b"https" and is_hubs:
        scheme = shown(url.scheme)
        yield (
            "ssh-url",
            f"git asks no credential helper for {scheme}, which has keys of its own: use the https URL"
            if url.scheme == url.scheme.lower()
            else f"git knows no {scheme}, since case counts in a scheme: use the https URL",
            f"git-credential-hf status {quoted(b'https://%b/%b' % (HUB, url.path))}",
        )
    elif facts.server is None:
        yield (
            "not-ours",
            f"git-credential-hf does not handle {shown(url.scheme)}://{shown(url.host)}: it answers for {HUB_NAMES}, "
            "and for what --host names",
            "git-credential-hf status https://huggingface.co",
        )
    logins = [of_remote._replace(path=b"") for _, of_remote, _ in facts.config.remotes()]
    if facts.rewrite is None and url._replace(path=b"") in logins:  # which is a finding of its own
        return
    if facts.given.has_token() or (facts.password_of_url is not None and facts.rewrite is None):
        yield (
            "token-in-url",
            "the URL has a password in it: git uses that and asks nobody, and it is in the shell's history",
            f"git-credential-hf status {remedies.url(facts.given)}",
        )


# git's configuration.


def _configuration(facts: Facts) -> _Found:
    if facts.git.path is None:
        yield "git-missing", "git is not installed, or not on PATH", child.how_to_install("git")
        return
    if facts.config.complaint:
        culprits = facts.config.unreadable(facts.url)
        where = "".join(f", at {_where(facts, one)}" for one in culprits)
        yield (
            "git-config-broken",
            f"git stops at its configuration: {facts.config.complaint}{where}{remedies.in_store(facts, *culprits)}",
            remedies.remove(facts, *culprits) if culprits else _readable(facts),
        )
        if not culprits:
            return
    if facts.server is None or facts.url.scheme != b"https":
        return
    resets = _resets(facts)
    if facts.ours is None and not any(one.may_be_ours() for one in facts.active):
        yield from _not_asked(facts, resets)
    # What the remedy of a reset brings back is told at once, so that nobody has to come twice.
    is_before = True
    for turn in facts.turns:
        if turn.helper.reset in (None, *resets):
            is_before = is_before and not turn.helper.is_ours()
            yield from _helper(facts, turn, is_before=is_before)
    user = facts.config.credential(b"username", facts.url)
    if user is not None and token_text.may_be_token_for_user(os.fsdecode(user.value or b"")):
        yield _token_in_configuration(facts, user)
    if facts.rewrite is not None and (facts.url.has_token() or facts.password_of_url is not None):
        yield _token_in_configuration(facts, facts.rewrite)
    if not facts.with_path and facts.scoped() and facts.ours is not None:
        in_store, remedy = _send_path(facts)
        yield (
            "path-not-sent",
            "useHttpPath is not set, so git does not say which repository it asks for, and the tokens of scopes are "
            f"never given{in_store}",
            remedy,
        )


def _send_path(facts: Facts) -> tuple[str, str]:
    """Return how a message goes on, and the command, for git to say which repository it asks for."""
    setting = facts.config.credential(b"usehttppath", facts.url, but=facts.config.unreadable(facts.url))
    if setting is None:
        command = f"git config --global credential.https://{shown(facts.url.host)}.useHttpPath true"
        return "", remedies.as_owner(facts, command)
    return remedies.in_store(facts, setting), remedies.replace(facts, setting, b"true")


def _resets(facts: Facts) -> list[Setting]:
    """Return the empty helpers that keep git from asking our helper, where it is configured."""
    if facts.ours is not None or not facts.configured:
        return []
    resets = facts.config.resets(facts.url)
    first = facts.configured[-1].reset
    return resets[resets.index(first) :] if first in resets else resets


def _not_asked(facts: Facts, resets: list[Setting]) -> _Found:
    if resets:
        where = _where(facts, facts.configured[-1].setting)
        yield (
            "helper-reset",
            f"git-credential-hf is configured at {where}, and the empty helper at "
            f"{' and '.join(_where(facts, one) for one in resets)} resets it",
            remedies.ask_ours(facts, *resets),
        )
        return
    later = [one for one in facts.config.resets(facts.url) if one.scope not in ("system", "global", "unknown")]
    yield (
        "helper-not-configured",
        "git does not ask git-credential-hf for this URL",
        remedies.ask_ours(facts, *later, is_configured=False),
    )


_KNOWN = {
    b"store": ", and writes it in clear to ~/.git-credentials",
    b"cache": ", and keeps it in memory",
}


def _helper(facts: Facts, turn: Turn, *, is_before: bool) -> _Found:
    """Yield what is wrong with one helper. is_before: whether git asks it before ours."""
    helper = turn.helper
    where = _where(facts, helper.setting)
    if helper.is_ours():
        if turn.own.program is None:
            yield (
                "helper-gone",
                f"the helper {helper.shown()} at {where} is missing",
                remedies.ask_ours(facts, helper.setting),
            )
        if turn.own.error:
            yield (
                "helper-options-wrong",
                f"the options of the helper at {where} are wrong, so it answers nothing: {turn.own.error}"
                f"{remedies.in_store(facts, helper.setting)}",
                remedies.right_options(facts, helper),
            )
        return
    if turn.does == "is not there":
        yield (
            "other-helper-gone",
            f"the helper {helper.shown()} at {where} is missing: git says so at each request, and goes on"
            f"{remedies.in_store(facts, helper.setting)}",
            remedies.remove(facts, helper.setting),
        )
        return
    if not helper.may_be_ours():
        yield (
            "other-helper-before" if is_before else "other-helper-after",
            f"{helper.shown()} at {where} {'is asked first, and is told' if is_before else 'is told'} every token that "
            f"git uses{_KNOWN.get(helper.value, '')}",
            remedies.ask_ours(facts, helper.setting),
        )
    if helper.is_script() and token_text.has_secret(os.fsdecode(helper.value)):
        yield _token_in_configuration(facts, helper.setting)


def _token_in_configuration(facts: Facts, setting: Setting) -> tuple[str, str, str]:
    return (
        "token-in-git-config",
        f"there is a password or a token in clear in git's configuration, at {_where(facts, setting)}"
        f"{remedies.in_store(facts, setting)}",
        remedies.remove(facts, setting),
    )


def _readable(facts: Facts) -> str:
    """Return the command for what git complains about: it opens the file, or removes the variable. Source: config.c."""
    complaint = facts.config.complaint
    try:
        folder = os.getcwd()
    except OSError:
        return "cd"
    if file := re.search(r" in file '?(.+?)'?(?: at line \d+)?$", complaint):
        # git names a file of the repository as it is from its top, or from this folder.
        folders = [folder, *map(str, Path(folder).parents)]
        named = [os.path.join(one, file[1]) for one in folders]
        return remedies.edit(next(filter(os.path.exists, named), file[1]))
    variables = [one for one in ("GIT_CONFIG_COUNT", "GIT_CONFIG_PARAMETERS") if facts.environ.get(one.encode())]
    if "GIT_CONFIG_PARAMETERS" in complaint:
        variables = variables[-1:]
    elif "GIT_CONFIG_" in complaint:
        variables = variables[:1]
    return f"unset {' '.join(variables)}" if variables else "git config --global --edit"


# Tokens.


def _identities(facts: Facts) -> _Found:
    """Tell where git and hf would be somebody else to the Hub, or where one of them gets no token."""
    given, in_file = facts.outcome.given(), facts.token_file.token
    failed = facts.outcome.first(FAILED)
    by_exec = "git-credential-hf exec -- hf auth whoami"
    if failed is not None:
        yield (
            "oidc-failed",
            f"{shown(failed.why)}: nothing else answers while HF_OIDC_RESOURCE is set, neither git nor hf",
            "unset HF_OIDC_RESOURCE",
        )
    elif facts.environ.get(oidc.RESOURCE) and facts.server == HUB:
        if "oidc" not in facts.main.sources:
            yield (
                "oidc-not-asked",
                "HF_OIDC_RESOURCE is set, so hf gets a token through OIDC, and git does not: --sources leaves oidc out",
                "unset HF_OIDC_RESOURCE",
            )
        elif given is not None and not oidc.is_known_to_hf(facts.environ):
            yield (
                "oidc-unknown-to-hf",
                "git gets a token through OIDC, and hf does not: it takes its ID token from HF_OIDC_ID_TOKEN or "
                "GitHub Actions alone",
                by_exec,
            )
    if given is not None and given.source == "forwarded" and given.token and in_file not in (None, given.token.text):
        yield (
            "hf-differs",
            f"git gets the token of {given.place} ({facts.named(given.token.text)}), and hf that of the token file "
            f"({facts.named(in_file or b'')})",
            by_exec,
        )


def _tokens(facts: Facts) -> _Found:
    if facts.server is None:
        return
    found: list[tuple[bytes, str]] = []
    for one in _skipped(facts):
        code, message, remedy = _not_good(facts, one)
        # One command replaces the same token in several places.
        what = (one.token.text if one.token is not None else b"", remedy)
        if what not in found:
            yield code, message, remedy
        found.append(what)
    if facts.token is None and not found and not _has_locked(facts) and facts.outcome.first(FAILED) is None:
        file = facts.token_file
        is_hubs = facts.server == HUB  # whose alone the token file is
        is_there = is_hubs and file.state in ("unusable", "unreadable")
        holds = f", and {facts.path(file.path)} {file.holds}" if is_there else ""
        if why := facts.why_no_socket():
            yield (
                "no-token",
                f"no source has a token for this URL ({why}){holds}: start `git-credential-hf serve` at the "
                "other end of the socket",
                f"git-credential-hf status {remedies.url(facts.given)}",
            )
            return
        if facts.ours is not None and (hidden := facts.unmatched()):
            in_store, remedy = _send_path(facts)
            yield (
                "no-token",
                f"useHttpPath is not set, so git gets none of the tokens for {_listed(hidden)}{in_store}",
                remedy,
            )
            return
        taken = remedies.take_token_file(facts) if is_there else ""
        page = f": get one from {_TOKENS_PAGE if is_hubs else facts.whose}"
        is_silent = facts.keyring is not None and facts.keyring.state == "silent"
        silent = f" ({WORDS['silent']})" if is_silent else ""
        yield (
            "no-token",
            f"no source has a token for this URL{silent}{holds}{page if not taken else ''}",
            taken or remedies.new_token(facts),
        )


def _environment(facts: Facts) -> _Found:
    for one in facts.outcome.candidates:
        if one.source == "env" and one.verdict == MALFORMED:
            yield (
                "env-unusable",
                f"{one.place} is set, and holds {one.why}: git-credential-hf skips it",
                f"unset {one.place}",
            )
    given, hidden = facts.given_from("env"), facts.outcome.first(SPARE, source="keyring")
    if given is None or hidden is None or hidden.token is None or facts.scoped():
        return
    if hidden.token.text != given.text:
        yield (
            "env-hides-keyring",
            f"{_place(facts)} is set and comes before the keyring, which holds another token "
            f"({facts.named(hidden.token.text)})",
            _unset(facts),
        )


def _skipped(facts: Facts) -> list[Candidate]:
    """Return what is rejected or expired: what comes before the token that is given, and all that a source has."""
    given = facts.outcome.given()
    before = itertools.takewhile(lambda one: one is not given, facts.outcome.candidates)
    all_of_source = [one for name in facts.main.sources if (one := facts.of_source(name)) is not None]
    return [one for one in dict.fromkeys([*before, *all_of_source]) if one.verdict in (REJECTED, EXPIRED)]


def _not_good(facts: Facts, one: Candidate) -> tuple[str, str, str]:
    token = one.token
    where = facts.path(one.place) + (f" ({facts.named(token.text)})" if token is not None else "")
    if one.verdict == REJECTED:
        text = (
            f"{facts.whose} rejected the token from {where} within the last hour; it is skipped until a new one is "
            f"stored{remedies.elsewhere(facts, one)}"
        )
        return "token-rejected", text, _new_token(facts, one)
    if token is not None and token.oauth and facts.hf.path is not None:
        text = f"the OAuth login of the token from {where} has expired"
        return "login-expired", text, "hf auth token > /dev/null"
    text = f"the token from {where} has expired{remedies.elsewhere(facts, one)}"
    return "token-expired", text, _new_token(facts, one)


def _new_token(facts: Facts, one: Candidate) -> str:
    """Return the command that brings a token that works in the place of `one`, and in every place if there is none."""
    remedy = remedies.new_token(facts, one)
    is_alone = facts.token is None and all(bad.source == "env" for bad in _skipped(facts))
    return f"{remedy} && {remedies.new_token(facts)}" if is_alone else remedy


# The keyring.


def _keyring(facts: Facts) -> _Found:
    """Tell why the keyring is not asked, or does not answer."""
    state = facts.keyring
    if state is None:
        return
    provider = state.name()
    get = f"{remedies.request(facts)} | git-credential-hf"
    socket = facts.environ.get(b"XDG_RUNTIME_DIR", b"") + b"/bus"
    if state.opens:
        yield (
            "keyring-opens",
            f"{provider} calls itself locked although the login has opened it: git's next request unlocks it, without "
            "a dialog",
            f"{get} get > /dev/null",
        )
    elif (state.state == "locked" and not facts.is_given) or (
        _has_locked(facts) and (not facts.is_given or remedies.has_display(facts))
    ):
        what = (
            f"{provider} is locked, and {state.locked_items} of its items"
            if state.state == "locked"
            else f"the items of {provider} in {state.locked_place()} are locked, and {state.locked_items} of them"
        )
        yield (
            "keyring-locked",
            f"{what} may be for this host" if state.locked_items else f"{provider} is locked",
            f"{get} --unlock prompt --timeout 60 get > /dev/null"
            if remedies.has_display(facts) and _has_locked(facts)
            # The token file is the Hub's alone.
            else remedies.new_token(facts, more=["--no-keyring"] if facts.server == HUB else []),
        )
    elif state.state == "no keyring" and (command := kwallet.waiting(facts.environ)):
        yield (
            "kwallet-waits",
            "the login has opened KWallet, which waits for pam_kwallet_init: Plasma runs that at its start, and other "
            "desktops have to be told to",
            command,
        )
    elif state.state in ("no bus", "not yours") and _is_own_socket(socket):
        yield (
            "keyring-absent",
            f"{shown(state.why)}, and your own session bus is at {shown(socket)}",
            f"export DBUS_SESSION_BUS_ADDRESS=unix:path={quoted(socket)}",
        )
    elif state.state == "silent" and facts.ours is not None:
        others = ",".join(name for name in facts.main.sources if name != "keyring")
        without = f", or have git do without the keyring{remedies.in_store(facts, facts.ours.setting)}"
        yield (
            "keyring-silent",
            f"{provider} does not answer ({shown(state.why)}), and each request of git's waits for it: restart it"
            f"{without if others else ''}",
            remedies.replace(facts, facts.ours.setting, facts.ours.value + b" --sources " + others.encode())
            if others
            else remedies.again(facts),
        )


def _items(facts: Facts) -> _Found:
    """Tell what is missing in a keyring that answers."""
    state = facts.keyring
    if state is None:
        return
    provider = state.name()
    is_empty = state.state == "open" and not state.ours and facts.server == HUB
    of_file = facts.outcome.first(SPARE, source="file") or facts.outcome.given()
    stored_again = remedies.seed_from(facts) if of_file and of_file.source == "file" else remedies.new_token(facts)
    if state.lost:
        yield (
            "keyring-secret-lost",
            f"{provider} has an item of git-credential-hf's without its secret: it was ended before it had written it",
            stored_again,
        )
    if is_empty and state.others:
        yield (
            "other-keyring",
            f"{' and '.join(state.others)} runs, but {provider} answers as the Secret Service, and holds no token of "
            "git-credential-hf's: what is in the other is not seen",
            stored_again,
        )
    elif (
        is_empty
        and (token := facts.given_from("file"))
        and not token.oauth
        and not facts.outcome.first(SPARE, EXPIRED, REJECTED, source="keyring")
    ):
        yield (
            "keyring-empty",
            f"{provider} holds no token for this host: that of the token file is given",
            remedies.seed_from(facts),
        )


def _has_locked(facts: Facts) -> bool:
    """Return whether the keyring may have a token for the URL in what is locked, and has none in what is open."""
    state = facts.keyring
    if state is None:
        return facts.outcome.first(LOCKED) is not None
    if state.state == "locked":
        return state.locked_items > 0 or state.is_hidden
    found = facts.of_source("keyring")
    return bool(state.locked_in) and found is not None and found.verdict == LOCKED


def _is_own_socket(path: bytes) -> bool:
    try:
        status = os.stat(path)
    except OSError:
        return False
    return stat.S_ISSOCK(status.st_mode) and status.st_uid == os.geteuid()


# The token file.


def _token_file(facts: Facts) -> _Found:
    file = facts.token_file
    place = facts.path(file.path)
    taken = remedies.take_token_file(facts)
    if file.state in ("unusable", "unreadable") and facts.token is not None:  # else it is part of another finding
        yield (
            "token-file-unusable",
            f"{place} {file.holds}: git-credential-hf skips it",
            taken or remedies.make_way(facts),
        )
    if file.token is not None and file.mode & 0o077:
        what = f"{place} can be read or written by others (mode {file.mode:04o})"
        if not file.has_modes:
            if remedy := remedies.elsewhere_with_modes(facts):
                why = "its file system has no modes: store the token in another file, which HF_TOKEN_PATH must name"
                yield "token-file-mode", f"{what}, and {why}", remedy
        elif file.may_change_mode or taken:
            yield "token-file-mode", what, (f"{taken} && " if taken else "") + f"chmod 600 {quoted(file.path)}"
    if (two := _two_tokens(facts)) is not None and not _is_newer(facts, two[0]):
        ours, theirs = two
        yield (
            "token-file-differs",
            f"{place} holds another token than the keyring: hf uses {facts.named(theirs.text)}, "
            f"git {facts.named(ours.text)}",
            f"{remedies.request(facts)} | git-credential-hf --sources keyring get | sed -n 's/^password=//p' | "
            f"{remedies.ours(facts, 'seed')} --from - --no-keyring",
        )


# What is declared.


def _declared(facts: Facts) -> _Found:
    file = facts.path(facts.declaration)
    if facts.declaration_error:
        yield (
            "declaration-broken",
            f"`git-credential-hf seed` stops at tokens.toml: {facts.declaration_error}",
            remedies.right_declaration(facts),
        )
    for one in facts.declared:
        source = facts.path(os.fsencode(one.file)) if one.file else one.token.name
        of_scope = f" for {shown(one.scope)}" if one.scope else ""
        if one.state == "newer":
            yield (
                "source-newer",
                f"{source} was changed after its token was stored{of_scope}",
                remedies.ours(facts, "seed"),
            )
        elif one.state == "missing":
            yield (
                "declared-not-seeded",
                f"{file} declares {one.token.name}{of_scope}, and the keyring has no such item",
                remedies.ours(facts, "seed"),
            )
        elif one.state == "unreadable":
            yield (
                "source-unreadable",
                f"{file} takes {one.token.name} from {source}, which holds no token that can be read",
                remedies.edit_source(facts, one),
            )


# What is used before the helper, or after it.


def _beside_the_helper(facts: Facts) -> _Found:
    if facts.askpass is not None and facts.credential is not None:
        yield from _askpass(facts, *facts.askpass)
    if facts.server is None or facts.url.scheme != b"https":
        return
    for setting in facts.config.authorizations(facts.url):
        yield (
            "extra-header",
            f"http.extraHeader at {_where(facts, setting)} sends an Authorization header of its own with each request"
            f"{remedies.in_store(facts, setting)}",
            remedies.remove(facts, setting),
        )
    if facts.netrc is not None:
        file, line, is_alone = facts.netrc
        yield (
            "netrc-entry",
            f"{facts.path(file)}:{line} has a login for this host, which git and git-lfs use before any helper",
            remedies.without_machine(facts, file) if is_alone else remedies.edit(file),
        )
    of_lfs = [*facts.config.lfs_urls(), *facts.of_lfsconfig.lfs_urls()]
    urls = [("token-in-git-config", "git-lfs", shown(one.key), one, url) for one, url in of_lfs]
    for name, url, one in facts.config.remotes():
        urls.append(("token-in-remote", "git", f"the URL of the remote {shown(name)}", one, url))
    for code, who, what, setting, url in urls:
        if _has_token(facts, url):
            yield (
                code,
                f"{what} at {_where(facts, setting)} has a token in it in clear, and {who} uses that"
                f"{remedies.in_store(facts, setting)}",
                remedies.replace(facts, setting, url.without_login()),
            )


def _has_token(facts: Facts, url: git_config.Url) -> bool:
    return url.has_token() and (url.name() in HUB_HOSTS or url.host.lower() == facts.server)


def _askpass(facts: Facts, name: str, program: bytes, setting: Setting | None) -> _Found:
    what = without_passwords(program)
    if git_config.which(os.fsdecode(program), facts.environ) is None:
        yield (
            "askpass-missing",
            f"{name} names {what}, which is missing: git fails if it has to ask"
            + (remedies.in_store(facts, setting) if setting is not None else ""),
            remedies.remove(facts, setting) if setting is not None else f"unset {name}",
        )
    elif facts.asks_person:
        unless = f", unless {facts.unknown[0].shown()} answers" if facts.unknown else ""
        yield (
            "askpass-asks",
            f"git gets no token{unless}, and so runs {what} ({name}) to ask for one, in a window perhaps",
            "export GIT_ASKPASS=",
        )


# git-lfs.


def _git_lfs(facts: Facts) -> _Found:
    if facts.server is None or facts.git.path is None or facts.config.complaint:
        return
    if facts.git_lfs.path is None:
        yield "lfs-missing", "git-lfs is not installed: large files stay pointers", child.how_to_install("git-lfs")
        return
    if not facts.lfs_filters:
        yield (
            "lfs-not-initialised",
            "git-lfs has no filters in git's configuration: large files stay pointers",
            remedies.as_owner(facts, "git lfs install --skip-repo"),
        )
    elif any(b"--skip" in (one.value or b"") for one in facts.lfs_filters):
        yield (
            "lfs-skips",
            "git-lfs is set up to leave large files as pointers until `git lfs pull`",
            remedies.as_owner(facts, "git lfs install --skip-repo --force"),
        )
    if facts.environ.get(b"GIT_LFS_SKIP_SMUDGE", b"").lower() in (b"1", b"true", b"yes", b"on", b"t"):
        yield (
            "lfs-skips",
            "GIT_LFS_SKIP_SMUDGE is set: large files stay pointers until `git lfs pull`",
            "unset GIT_LFS_SKIP_SMUDGE",
        )
    others = [one for one in facts.active if not (one.is_ours() or one.may_be_ours())]
    if others and facts.git_lfs.numbers() and facts.git_lfs.numbers() <= _LAST_THAT_LOOPS:
        yield (
            "lfs-loops",
            f"git-lfs {facts.git_lfs.version} asks without end once the Hub rejects a token, unless git-credential-hf "
            "is the only helper",
            remedies.ask_ours(facts, *(one.setting for one in others)),
        )


# git-xet.


def _git_xet(facts: Facts) -> _Found:
    scopes = facts.scoped()
    if facts.server == HUB and facts.git_xet.path is not None and scopes and facts.host_token() is None:
        yield (
            "xet-scopes-only",
            f"git-xet asks for the host alone, so it never gets the tokens for {_listed(scopes)}, and there is none "
            "for the whole host",
            remedies.new_token(facts),
        )


# The Hub.


def _hub(facts: Facts) -> _Found:
    answer = facts.online
    if answer is None:
        return
    who = shown(answer.name or "the owner of the token")
    said = f" (the Hub says: {shown(answer.said)})" if answer.said else ""
    page = f"https://huggingface.co/{shown(facts.url.path.removesuffix(b'.git'))}"
    again = remedies.online(facts)
    if answer.state == "no answer":
        yield "hub-silent", f"the Hub was asked and did not answer: {shown(answer.why)}", again
    elif answer.state == "refused":
        given = facts.outcome.given() if facts.ours_gives else None
        yield (
            "token-invalid",
            f"the Hub rejects the token{f' from {facts.path(given.place)}' if given is not None else ''} "
            f"({facts.named(facts.secret or b'')}): it was revoked, has expired or is mistyped"
            f"{remedies.elsewhere(facts, given)}",
            remedies.new_token(facts, given),
        )
    elif answer.access == "gated":
        yield (
            "gated-not-accepted",
            f"this repository is gated, and {who} has no access: accept its conditions on {page}, and see that the "
            f"token may read gated repositories{said}",
            again,
        )
    elif answer.access == "denied":
        yield "access-denied", f"the Hub does not let {who} read this repository, see {page}{said}", again
    elif answer.access == "not found":
        yield (
            "repository-hidden",
            f"there is no such repository that the token of {who} may read: see the URL, and what the token may read "
            f"on {_TOKENS_PAGE}",
            again,
        )


# Names for people.


def _listed(scopes: list[bytes]) -> str:
    return ", ".join(shown(one) for one in scopes[:3]) + (", ..." if len(scopes) > 3 else "")


def _where(facts: Facts, setting: Setting) -> str:
    if not setting.file:
        return "the command line or GIT_CONFIG_COUNT"
    return facts.path(setting.file) + (f":{setting.line}" if setting.line else "")


def _place(facts: Facts) -> str:
    given = facts.outcome.given()
    return given.place if given is not None else ""
