"""Problems, from Facts: the most misleading first, each with a command that fixes it."""

import os
import re
import shlex
import shutil
import stat
from collections.abc import Iterator
from typing import NamedTuple

from git_credential_hf import hub
from git_credential_hf.cli import child, git_config
from git_credential_hf.cli.git_config import Helper, Setting
from git_credential_hf.cli.output import HUB_NAMES, shown
from git_credential_hf.cli.status.facts import Facts, numbers
from git_credential_hf.model import token_text
from git_credential_hf.model.outcome import EXPIRED, FAILED, LOCKED, MALFORMED, REJECTED, Candidate
from git_credential_hf.model.repository import HUB, HUB_HOSTS
from git_credential_hf.sources import oidc
from git_credential_hf.sources.environment import VARIABLES

_LAST_THAT_LOOPS = (3, 7, 1)  # git-lfs, which asked again and again with a token that draws a 401
_TOKENS_PAGE = "https://huggingface.co/settings/tokens"


class Finding(NamedTuple):
    """severity: "error" (git gets no token, or another than it should), "warning" or "note".

    message: what is so, and why it matters. remedy: a line for the shell.
    """

    code: str
    severity: str
    message: str
    remedy: str


def findings(facts: Facts) -> list[Finding]:
    """Return what stands in the way of git, the most misleading first."""
    first = [*_hidden_scopes(facts), *_newer_token_file(facts)]
    rest = [
        *_address(facts),
        *_configuration(facts),
        *_identities(facts),
        *_tokens(facts),
        *_keyring(facts),
        *_token_file(facts),
        *_declared(facts),
        *_beside_the_helper(facts),
        *_git_lfs(facts),
        *_git_xet(facts),
        *_hub(facts),
    ]
    order = ("error", "warning", "note")
    return first + sorted(rest, key=lambda finding: order.index(finding.severity))


# The two that are named first.


def _variables(facts: Facts) -> list[str]:
    return [name.decode() for name in VARIABLES if facts.environ.get(name)]


def _from_environment(facts: Facts) -> bool:
    given = facts.outcome.given()
    return given is not None and given.source == "env"


def _given_place(facts: Facts) -> str:
    given = facts.outcome.given()
    return given.place if given is not None else ""


def _hidden_scopes(facts: Facts) -> Iterator[Finding]:
    scopes = facts.scoped()
    if _from_environment(facts) and facts.token is not None and scopes:
        yield Finding(
            "env-hides-scopes",
            "error",
            f"{_given_place(facts)} is set and comes first, so the tokens for {_listed(scopes)} are never given",
            "unset " + " ".join(_variables(facts)),
        )


def _newer_token_file(facts: Facts) -> Iterator[Finding]:
    token, written = facts.host_token, _written(facts)
    if token is None or facts.token_file.token in (None, token.text) or facts.token_file.token is None:
        return
    if written is not None and facts.token_file.modified >= written + 1:
        yield Finding(
            "token-file-newer",
            "error",
            f"{_place(facts, facts.token_file.path)} is newer than the keyring's item and holds another token "
            f"({facts.named(facts.token_file.token)}): git gets the older one ({facts.named(token.text)})",
            f"git-credential-hf seed --from {_quoted(facts.token_file.path)}",
        )


def _written(facts: Facts) -> int | None:
    """Return when the keyring's item for the whole host was written, in seconds since the epoch."""
    if facts.keyring is None or facts.host_token is None or not facts.host_token.item:
        return None
    return next((one.modified for one in facts.keyring.ours if one.path == facts.host_token.item), None)


# The address.


def _address(facts: Facts) -> Iterator[Finding]:
    url = facts.url
    if facts.rewrite is not None and (facts.server is None or url.scheme != b"https"):
        yield Finding(
            "url-rewritten",
            "error",
            f"url.*.insteadOf at {_where(facts, facts.rewrite)} turns this address into {url.shown()}, "
            "for which git does not ask git-credential-hf",
            _remove(facts.rewrite),
        )
    elif url.scheme == b"http" and url.name() in HUB_HOSTS:
        yield Finding(
            "http-url",
            "error",
            "git-credential-hf answers for https alone: over http the token could be read on its way",
            f"git config --global url.https://{shown(url.host)}/.insteadOf http://{shown(url.host)}/",
        )
    elif url.scheme != b"https" and url.name() in HUB_HOSTS:
        yield Finding(
            "ssh-url",
            "error",
            f"git asks no credential helper for {url.scheme.decode()}, which has keys of its own",
            f"git clone https://{HUB.decode()}/{shown(shlex.quote(os.fsdecode(url.path)))}",
        )
    elif facts.server is None:
        host = shown(url.host)
        is_https = url.scheme == b"https" and re.fullmatch(rb"[\w.:-]+", url.host)
        yield Finding(
            "not-ours",
            "error",
            f"git-credential-hf stays silent for {url.scheme.decode()}://{host}: it answers for {HUB_NAMES}, "
            "and for what --host names",
            f"git config --global --add credential.https://{host}.helper 'hf --host {host}'"
            if is_https
            else "git-credential-hf status https://huggingface.co",
        )
    if facts.given.has_token():
        yield Finding(
            "token-in-url",
            "warning",
            "the address has a password in it: git would use that and ask nobody, and it is in the shell's history",
            f"git-credential-hf status {_clean(facts.given)}",
        )


def _clean(url: git_config.Url) -> str:
    return shlex.quote(url._replace(user=None, password=None).shown())


# git's configuration.


def _configuration(facts: Facts) -> Iterator[Finding]:
    if facts.git.path is None:
        yield Finding("git-missing", "error", "git is not installed, or not on PATH", child.how_to_install("git"))
        return
    if facts.config.complaint:
        yield Finding(
            "git-config-broken",
            "error",
            f"git cannot read its configuration: {facts.config.complaint}",
            _edit(facts.config.complaint),
        )
        return
    if facts.server is None:
        return
    configured = [one for one in facts.helpers if one.is_ours()]
    if facts.ours is None and configured:
        reset = configured[-1].reset
        yield Finding(
            "helper-reset",
            "error",
            f"git-credential-hf is configured at {_where(facts, configured[-1].setting)}, and the empty helper at "
            f"{_where(facts, reset) if reset else 'a later line'} takes it back",
            _configure(reset),
        )
    elif facts.ours is None:
        yield Finding(
            "helper-not-configured", "error", "git does not ask git-credential-hf for this address", _configure(None)
        )
    else:
        yield from _our_helper(facts, facts.ours)
    for one in facts.active:
        if one != facts.ours and not one.is_ours():
            before = facts.ours is not None and facts.active.index(one) < facts.active.index(facts.ours)
            yield Finding(
                "other-helper-before" if before or facts.ours is None else "other-helper-after",
                "warning",
                f"{one.shown()} at {_where(facts, one.setting)} "
                + ("is asked first, and is told" if before or facts.ours is None else "is told")
                + f" every token that git uses{_KNOWN.get(one.value, '')}",
                _configure(one.setting),
            )
    for one in facts.active:
        if one.is_script() and token_text.hide_passwords(shown(one.value)) != shown(one.value):
            yield _token_in_configuration(facts, one.setting)
    user = facts.config.credential(b"username", facts.url)
    if user is not None and token_text.may_be_token_for_user(os.fsdecode(user.value or b"")):
        yield _token_in_configuration(facts, user)
    if facts.rewrite is not None and facts.url.has_token():
        yield _token_in_configuration(facts, facts.rewrite)
    if not facts.with_path and facts.server == HUB and facts.scoped() and facts.ours is not None:
        yield Finding(
            "path-not-sent",
            "warning",
            "useHttpPath is not set, so git does not say which repository it asks for, and the tokens of scopes are "
            "never given",
            f"git config --global credential.https://{shown(facts.url.host)}.useHttpPath true",
        )


_KNOWN = {
    b"store": ", and writes it in clear to ~/.git-credentials",
    b"cache": ", and keeps it in memory",
}


def _our_helper(facts: Facts, ours: Helper) -> Iterator[Finding]:
    if facts.program is None:
        yield Finding(
            "helper-gone",
            "error",
            f"the helper {ours.shown()} at {_where(facts, ours.setting)} is not there",
            _configure(ours.setting),
        )
    if facts.options_error:
        name = ours.value.partition(b" ")[0]
        yield Finding(
            "helper-options-wrong",
            "error",
            f"the options of the helper at {_where(facts, ours.setting)} are wrong, so it answers nothing: "
            f"{facts.options_error}",
            f"git config --file {_quoted(ours.setting.file)} --replace-all {_quoted(ours.setting.key)} "
            f"{_quoted(name)} {_exactly(ours.value)}",
        )


def _token_in_configuration(facts: Facts, setting: Setting) -> Finding:
    return Finding(
        "token-in-git-config",
        "warning",
        f"there is a password or a token in clear in git's configuration, at {_where(facts, setting)}",
        _remove_line(setting),
    )


# Tokens.


def _identities(facts: Facts) -> Iterator[Finding]:
    """Tell where git and hf would be somebody else to the Hub, or where one of them gets no token."""
    given, in_file = facts.outcome.given(), facts.token_file.token
    failed = facts.outcome.first(FAILED)
    by_exec = "git-credential-hf exec -- hf auth whoami"
    if failed is not None:
        yield Finding(
            "oidc-failed",
            "error",
            f"{shown(failed.why)}: nothing else answers while HF_OIDC_RESOURCE is set, neither git nor hf",
            "unset HF_OIDC_RESOURCE",
        )
    elif facts.environ.get(oidc.RESOURCE) and facts.server == HUB:
        if "oidc" not in facts.asked:
            yield Finding(
                "oidc-not-asked",
                "warning",
                "HF_OIDC_RESOURCE is set, so hf gets a token through OIDC, and git does not: --sources leaves oidc out",
                "unset HF_OIDC_RESOURCE",
            )
        elif given is not None and not oidc.is_known_to_hf(facts.environ):
            yield Finding(
                "oidc-unknown-to-hf",
                "warning",
                "git gets a token through OIDC, and hf does not: it takes its ID token from HF_OIDC_ID_TOKEN or "
                "GitHub Actions alone",
                by_exec,
            )
    if given is not None and given.source == "forwarded" and given.token and in_file not in (None, given.token.text):
        yield Finding(
            "hf-differs",
            "warning",
            f"git gets the token of {given.place} ({facts.named(given.token.text)}), and hf that of the token file "
            f"({facts.named(in_file or b'')})",
            by_exec,
        )


def _tokens(facts: Facts) -> Iterator[Finding]:
    if facts.server is None:
        return
    severity = "error" if facts.token is None else "warning"
    found: list[tuple[bytes, str]] = []
    for name in facts.asked:
        one = facts.of_source(name)
        if one is not None and one.verdict in (REJECTED, EXPIRED):
            finding = _not_good(facts, one, severity)
            # One command replaces the same token in several places.
            what = (one.token.text if one.token is not None else b"", finding.remedy)
            if what not in found:
                yield finding
            found.append(what)
    is_locked = facts.keyring is not None and facts.keyring.state == "locked" and facts.keyring.locked_items
    locked = is_locked or facts.outcome.first(LOCKED) is not None
    if facts.token is None and not found and not locked and facts.outcome.first(FAILED) is None:
        yield Finding(
            "no-token",
            "error",
            f"no source has a token for this address: get one from {_TOKENS_PAGE}",
            _seed(facts),
        )
    for one in facts.outcome.candidates:
        if one.source == "env" and one.verdict == MALFORMED:
            yield Finding(
                "env-unusable",
                "warning",
                f"{one.place} is set, and holds {one.why}: git-credential-hf skips it",
                f"unset {one.place}",
            )
    hidden = facts.host_token
    if facts.token is not None and _from_environment(facts) and hidden is not None and not facts.scoped():
        if facts.token.text == hidden.text:
            return
        yield Finding(
            "env-hides-keyring",
            "note",
            f"{_given_place(facts)} is set and comes before the keyring, which holds another token "
            f"({facts.named(hidden.text)})",
            "unset " + " ".join(_variables(facts)),
        )


def _not_good(facts: Facts, one: Candidate, severity: str) -> Finding:
    token = one.token
    where = _source(facts, one.place) + (f" ({facts.named(token.text)})" if token is not None else "")
    new = f"unset {one.place}" if one.source == "env" else _seed(facts)
    if one.verdict == REJECTED:
        text = f"the Hub has refused the token of {where} within the last hour, and it is withheld"
        return Finding("token-refused", severity, text, new)
    if token is not None and token.oauth:
        text = f"the login that the token of {where} comes from has ended"
        return Finding("login-ended", severity, text, "hf auth token > /dev/null")
    return Finding("token-expired", severity, f"the token of {where} has expired", new)


def _seed(facts: Facts, otherwise: str = "") -> str:
    """Return the command that seeds a new token: from where one is declared, else pasted, with Ctrl-D after it."""
    if os.path.lexists(facts.declaration) and facts.server == HUB:
        return "git-credential-hf seed"
    host = "" if facts.server in (HUB, None) else f" --host {shown(facts.server or b'')}"
    return f"git-credential-hf seed --from {otherwise or '-'}{host}"


# The keyring.


def _keyring(facts: Facts) -> Iterator[Finding]:
    state = facts.keyring
    if state is None:
        return
    severity = "error" if facts.token is None else "warning"
    provider = shown(state.provider or "the keyring")
    cached = _quoted(facts.token_file.path) if facts.token_file.token is not None else ""
    needed = facts.token is None or bool(facts.declared_scopes)
    if state.opens:
        yield Finding(
            "keyring-opens",
            "note",
            f"{provider} calls itself locked although the login has opened it: git's next request unlocks it, without "
            "a dialog",
            "printf 'protocol=https\\nhost=huggingface.co\\n' | git-credential-hf get > /dev/null",
        )
    elif state.state == "locked" and (state.locked_items or needed):
        yield Finding(
            "keyring-locked",
            severity,
            f"{provider} is locked, and {state.locked_items} of its items may be for this host",
            "printf 'protocol=https\\nhost=huggingface.co\\n' | "
            "git-credential-hf --unlock prompt --timeout 60 get > /dev/null",
        )
    elif state.state in ("no bus", "not yours", "no keyring", "no collection") and needed:
        why = {
            "no bus": shown(state.why),
            "not yours": f"{shown(state.why)}, and is not asked",
            "no keyring": "no keyring runs on the session bus",
            "no collection": f"{provider} has no default collection to keep anything in",
        }[state.state]
        socket = facts.environ.get(b"XDG_RUNTIME_DIR", b"") + b"/bus"
        yield Finding(
            "keyring-absent",
            "warning",
            why,
            f"export DBUS_SESSION_BUS_ADDRESS=unix:path={_quoted(socket)}"
            if state.state in ("no bus", "not yours") and _is_own_socket(socket)
            else _seed(facts, cached) + ("" if os.path.lexists(facts.declaration) else " --no-keyring"),
        )
    elif state.state == "silent" and facts.ours is not None:
        yield Finding(
            "keyring-silent",
            severity,
            f"{provider} does not answer ({shown(state.why)}), and each request of git's waits for it: start it anew, "
            "or have git do without the keyring",
            _without_keyring(facts.ours),
        )
    if state.state in ("open", "no keyring") and not state.ours:
        if state.others:
            answers = f"{provider} answers" if state.state == "open" else "nothing answers"
            yield Finding(
                "other-keyring",
                "warning",
                f"{' and '.join(state.others)} runs, but {answers} as the Secret Service, and holds nothing of "
                "git-credential-hf's: what is in the other is not seen",
                _seed(facts, cached),
            )
        elif state.state == "open" and cached and facts.server == HUB and not _from_environment(facts):
            yield Finding(
                "keyring-empty",
                "note",
                f"{provider} holds no token for this host: git gets the one of the token file",
                _seed(facts, cached),
            )


def _is_own_socket(path: bytes) -> bool:
    try:
        status = os.stat(path)
    except OSError:
        return False
    return stat.S_ISSOCK(status.st_mode) and status.st_uid == os.geteuid()


def _without_keyring(ours: Helper) -> str:
    """Return the command that lets our helper ask the other sources alone."""
    return _replace(ours, ours.value + b" --sources env,file") if ours.setting.file else _configure(ours.setting)


# The token file.


def _token_file(facts: Facts) -> Iterator[Finding]:
    file = facts.token_file
    place = _place(facts, file.path)
    if file.state == "unusable":
        yield Finding(
            "token-file-unusable",
            "warning",
            f"{place} holds {facts.token_file.why or 'no token'}: git-credential-hf skips it",
            f"mv {_quoted(file.path)} {_quoted(file.path + b'.old')}",
        )
    if file.token is not None and file.mode & 0o077:
        yield Finding(
            "token-file-mode",
            "warning",
            f"{place} can be read or written by others (mode {file.mode:04o})",
            f"chmod 600 {_quoted(file.path)}",
        )
    token, written = facts.host_token, _written(facts)
    if (
        token is not None
        and file.token not in (None, token.text)
        and (written is None or file.modified < written + 1)
        and facts.server == HUB
    ):
        yield Finding(
            "token-file-differs",
            "note",
            f"{place} holds another token than the keyring: hf uses {facts.named(file.token or b'')}, "
            f"git {facts.named(token.text)}",
            "printf 'protocol=https\\nhost=huggingface.co\\n' | git-credential-hf --sources keyring get | "
            "sed -n 's/^password=//p' | git-credential-hf seed --from - --no-keyring",
        )


# What is declared.


def _declared(facts: Facts) -> Iterator[Finding]:
    file = _place(facts, facts.declaration)
    if facts.declaration_error:
        yield Finding(
            "declaration-broken",
            "warning",
            f"`git-credential-hf seed` stops at tokens.toml: {facts.declaration_error}",
            f"${{EDITOR:-vi}} {_quoted(facts.declaration)}",
        )
    for one in facts.declared:
        source = _place(facts, os.fsencode(one.file)) if one.file else one.name
        if one.state == "newer":
            yield Finding(
                "source-newer",
                "error",
                f"{source} was changed after it was seeded, and holds another token than git is given",
                "git-credential-hf seed",
            )
        elif one.state == "missing":
            yield Finding(
                "declared-not-seeded",
                "warning",
                f"{file} declares {one.name}{' for ' + shown(one.scope) if one.scope else ''}, and the keyring has no "
                "such item",
                "git-credential-hf seed",
            )
        elif one.state == "unreadable":
            yield Finding(
                "source-unreadable",
                "warning",
                f"{file} takes {one.name} from {source}, which holds no token that can be read",
                f"ls -l {_quoted(os.fsencode(one.file))}",
            )


# What is used before the helper, or after it.


def _beside_the_helper(facts: Facts) -> Iterator[Finding]:
    if facts.server is None:
        return
    for setting in facts.config.authorizations(facts.url):
        yield Finding(
            "extra-header",
            "warning",
            f"http.extraHeader at {_where(facts, setting)} sends an Authorization header of its own with each request",
            _remove_line(setting),
        )
    if facts.netrc is not None:
        file, first, last = facts.netrc
        yield Finding(
            "netrc-entry",
            "warning",
            f"{_place(facts, file)}:{first} has a login for this host, which git and git-lfs use before any helper",
            f"sed -i {first}{f',{last}' if last != first else ''}d {_quoted(file)}",
        )
    for name, url, setting in facts.config.remotes():
        if url.has_token() and (url.name() in HUB_HOSTS or url.host.lower() == facts.server):
            yield Finding(
                "token-in-remote",
                "warning",
                f"the address of the remote {shown(name)} at {_where(facts, setting)} has a token in it in clear, and "
                "git uses that",
                f"git remote set-url {_quoted(name)} {_clean(url)}",
            )
    if facts.askpass is not None:
        yield from _askpass(facts, *facts.askpass)


def _askpass(facts: Facts, name: str, program: bytes, setting: Setting | None) -> Iterator[Finding]:
    command = os.fsdecode(program)
    path = os.fsdecode(facts.environ.get(b"PATH", b""))
    undo = _remove(setting) if setting is not None else f"unset {name}"
    if shutil.which(command, path=path) is None:
        yield Finding(
            "askpass-missing",
            "warning" if facts.given_by() is None else "note",
            f"{name} names {shown(program)}, which is not there: where git has to ask, it fails",
            undo,
        )
    elif facts.given_by() is None and not facts.quits:
        yield Finding(
            "askpass-asks",
            "warning",
            f"git gets no token, and so runs {shown(program)} ({name}) to ask for one, in a window perhaps",
            f"env -u GIT_ASKPASS -u SSH_ASKPASS -u SSH_ASKPASS_REQUIRE GIT_TERMINAL_PROMPT=1 "
            f"git -c core.askPass= ls-remote {_clean(facts.given)}",
        )


# git-lfs.


def _git_lfs(facts: Facts) -> Iterator[Finding]:
    if facts.server is None or facts.git.path is None or facts.config.complaint:
        return
    if facts.git_lfs.path is None:
        yield Finding(
            "lfs-missing",
            "warning",
            "git-lfs is not installed: large files stay pointers of three lines",
            child.how_to_install("git-lfs"),
        )
        return
    filters = [facts.config.value(b"filter.lfs." + name) for name in (b"process", b"smudge")]
    if not any(filters):
        yield Finding(
            "lfs-not-initialised",
            "warning",
            "git-lfs has no filters in git's configuration: large files stay pointers of three lines",
            "git lfs install --skip-repo",
        )
    elif any(b"--skip" in (one.value or b"") for one in filters if one is not None):
        yield Finding(
            "lfs-skips",
            "note",
            "git-lfs is set up to leave large files as pointers until `git lfs pull`",
            "git lfs install --skip-repo --force",
        )
    if facts.environ.get(b"GIT_LFS_SKIP_SMUDGE", b"").lower() in (b"1", b"true", b"yes", b"on", b"t"):
        yield Finding(
            "lfs-skips",
            "note",
            "GIT_LFS_SKIP_SMUDGE is set: large files stay pointers until `git lfs pull`",
            "unset GIT_LFS_SKIP_SMUDGE",
        )
    others = [one for one in facts.active if not one.is_ours()]
    version = numbers(facts.git_lfs.version or "")
    if others and version and version <= _LAST_THAT_LOOPS:
        yield Finding(
            "lfs-loops",
            "warning",
            f"git-lfs {facts.git_lfs.version} asks without end once the Hub refuses a token, unless git-credential-hf "
            "is the only helper",
            _configure(others[-1].setting),
        )


# git-xet.


def _git_xet(facts: Facts) -> Iterator[Finding]:
    scopes = facts.scoped()
    if facts.server == HUB and facts.git_xet.path is not None and scopes and not facts.has_host_token():
        yield Finding(
            "xet-scopes-only",
            "warning",
            "git-xet asks for the host alone, so it never gets the tokens for "
            f"{_listed(scopes)}, and there is none for the whole host",
            "git-credential-hf seed --from -",
        )


# The Hub.


def _hub(facts: Facts) -> Iterator[Finding]:
    answer = facts.online
    if answer is None or facts.token is None:
        return
    page = f"https://huggingface.co/{shown(facts.url.path.removesuffix(b'.git'))}"
    if answer.state == "no answer":
        yield Finding(
            "hub-silent",
            "warning",
            f"the Hub was asked and did not answer: {shown(answer.why)}",
            f"curl -sSI {hub.ENDPOINT}",
        )
    elif answer.state == "refused":
        place = _given_place(facts)
        yield Finding(
            "token-invalid",
            "error",
            f"the Hub does not take the token of {_source(facts, place)} "
            f"({facts.named(facts.token.text)}): it was revoked, has expired or is mistyped",
            f"unset {place}" if _from_environment(facts) else _seed(facts),
        )
    elif answer.access == "gated":
        yield Finding(
            "gated-not-accepted",
            "error",
            f"this repository is gated, and {shown(answer.name or 'the owner of the token')} has not been let in: "
            f"accept its conditions on {page}, and see that the token may read gated repositories{_said(answer)}",
            f"xdg-open {shlex.quote(page)}",
        )
    elif answer.access == "denied":
        yield Finding(
            "access-denied",
            "error",
            f"the Hub lets {shown(answer.name or 'the owner of the token')} not read this repository{_said(answer)}",
            f"xdg-open {shlex.quote(page)}",
        )
    elif answer.access == "not found":
        yield Finding(
            "repository-hidden",
            "error",
            f"there is no such repository that the token of {shown(answer.name or 'its owner')} may read: see the "
            f"address, and what the token may read on {_TOKENS_PAGE}",
            f"xdg-open {_TOKENS_PAGE}",
        )


def _said(answer: hub.Answer) -> str:
    return f" (the Hub says: {shown(answer.said)})" if answer.said else ""


# Remedies.


def _configure(setting: Setting | None) -> str:
    """Return the command that puts our helper last where `setting` is in the way."""
    if setting is not None and setting.scope in ("local", "worktree"):
        return "git-credential-hf configure --local"
    if setting is not None and not setting.file:
        return "unset GIT_CONFIG_COUNT GIT_CONFIG_PARAMETERS"
    return "git-credential-hf configure"


def _replace(helper: Helper, value: bytes) -> str:
    """Return the command that gives a helper of a file another value."""
    return (
        f"git config --file {_quoted(helper.setting.file)} --fixed-value --replace-all {_quoted(helper.setting.key)} "
        f"{_quoted(value)} {_quoted(helper.value)}"
    )


def _remove(setting: Setting) -> str:
    """Return the command that removes a setting that holds no secret."""
    if not setting.file:
        return "unset GIT_CONFIG_COUNT GIT_CONFIG_PARAMETERS"
    key, value = shown(setting.key), shown(setting.value or b"")
    if token_text.hide_passwords(key) != key or token_text.hide_passwords(value) != value:
        return _remove_line(setting)
    return (
        f"git config --file {_quoted(setting.file)} --unset-all {_quoted(setting.key)} {_exactly(setting.value or b'')}"
    )


def _exactly(value: bytes) -> str:
    """Return the pattern that finds a setting of that value alone: git before 2.30 has no --fixed-value."""
    return _quoted(b"^" + re.sub(rb"[]\[\\.*^$+?{}()|]", rb"\\\g<0>", value) + b"$")


def _remove_line(setting: Setting) -> str:
    """Return the command that removes the line of a setting, without a word of what is in it."""
    if not setting.file:
        return "unset GIT_CONFIG_COUNT GIT_CONFIG_PARAMETERS"
    if not setting.line:
        return f"${{EDITOR:-vi}} {_quoted(setting.file)}"
    return f"sed -i {setting.line}d {_quoted(setting.file)}"


def _edit(complaint: str) -> str:
    """Return the command that opens the file that git complains about, at its line."""
    found = re.search(r"line (\d+) in file (.+)", complaint) or None
    if found is None and (other := re.search(r"in file '?(.+?)'? at line (\d+)", complaint)):
        return f"${{EDITOR:-vi}} +{other[2]} {shlex.quote(other[1])}"
    if found is None and (ours := re.search(r" in (/.+):(\d+)$", complaint)):
        return f"${{EDITOR:-vi}} +{ours[2]} {shlex.quote(ours[1])}"
    return f"${{EDITOR:-vi}} +{found[1]} {shlex.quote(found[2])}" if found else "git config --global --edit"


# Names for people.


def _listed(scopes: list[bytes]) -> str:
    return ", ".join(shown(one) for one in scopes[:3]) + (", ..." if len(scopes) > 3 else "")


def _quoted(name: bytes) -> str:
    return shown(shlex.quote(os.fsdecode(name)))


def _place(facts: Facts, path: bytes) -> str:
    """Return a path for people, from ~ on where it is the user's."""
    home = facts.environ.get(b"HOME", b"").rstrip(b"/")
    return "~" + shown(path[len(home) :]) if home and path.startswith(home + b"/") else shown(path)


def _where(facts: Facts, setting: Setting) -> str:
    if not setting.file:
        return "the command line or GIT_CONFIG_COUNT"
    return _place(facts, setting.file) + (f":{setting.line}" if setting.line else "")


def _source(facts: Facts, source: str) -> str:
    return _place(facts, os.fsencode(source)) if source.startswith("/") else shown(source)
