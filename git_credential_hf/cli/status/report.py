"""What status prints: Facts to a report of plain values (docs/status.md), and that to a table."""

import os
import shutil
import textwrap
from typing import Any, TextIO

from git_credential_hf import __version__
from git_credential_hf.cli.git_config import Setting
from git_credential_hf.cli.output import date, shown, without_passwords
from git_credential_hf.cli.status import verdict
from git_credential_hf.cli.status.facts import Facts, Turn
from git_credential_hf.cli.status.findings import Finding
from git_credential_hf.cli.status.keyring import WORDS, State
from git_credential_hf.model import token_text
from git_credential_hf.model.outcome import EXPIRED, FAILED, GIVEN, MALFORMED, NO_AUTHTYPE, REJECTED, SPARE, Candidate
from git_credential_hf.model.repository import HUB
from git_credential_hf.options import SOURCES
from git_credential_hf.secret_service import KEYRING
from git_credential_hf.sources import forwarded, oidc

SCHEMA = 2

Report = dict[str, Any]


def report(facts: Facts, findings: list[Finding], *, online: bool) -> Report:
    """Return all that is known as values that JSON has. There is no token in it, and no control character."""
    return {
        "schema": SCHEMA,
        "version": __version__,
        "url": facts.given.shown(),
        "verdict": verdict.line(facts),
        "token_given": facts.is_given,
        "given_by": _giver(facts),
        "answer": _answer(facts),
        "sources": [_source(name, facts) for name in SOURCES if _is_set_up(name, facts)] if facts.server else [],
        "keyring": _keyring(facts),
        "token_file": _token_file(facts),
        "declared": _declared(facts),
        "git": _git(facts),
        "git_lfs": {
            "path": _path(facts.git_lfs.path),
            "version": facts.git_lfs.version,
            "initialised": bool(facts.lfs_filters),
        },
        "hf": {"path": _path(facts.hf.path)},
        "git_xet": {"path": _path(facts.git_xet.path)},
        "online": _online(facts) if online else None,
        "findings": [finding._asdict() for finding in findings],
    }


def _path(path: str | None) -> str | None:
    return None if path is None else shown(path)


def _name(value: bytes | None) -> str | None:
    return None if value is None else without_passwords(value)


def _giver(facts: Facts) -> str | None:
    if facts.giver is None:
        return None if facts.password_of_url is None else "url.*.insteadOf" if facts.rewrite is not None else "the URL"
    return facts.giver.helper.shown()


def _answer(facts: Facts) -> Report | None:
    """Return what git gets, None where it gets none or that is not known."""
    if facts.ours_gives and facts.secret is not None:
        return _token(facts.outcome.given(), facts)
    if facts.secret is None or facts.credential is None:
        return None
    return {
        "source": _giver(facts),
        "fingerprint": facts.named(facts.secret),
        "scope": None,
        "user": _user(facts.credential.values.get(b"username")),
        "expires": None,
        "authtype": None,
    }


def _user(name: bytes | None) -> str | None:
    """Return a user for people: one that may be a token is masked."""
    is_token = name is not None and token_text.may_be_token_for_user(os.fsdecode(name))
    return token_text.MASK if is_token else _name(name)


def _token(one: Candidate | None, facts: Facts) -> Report | None:
    if one is None or one.token is None:
        return None
    token = one.token
    return {
        "source": shown(one.place),
        "fingerprint": facts.named(token.text),
        "scope": _name(token.scope) or None,
        "user": _user(token.user),
        "expires": token.expires,
        "authtype": _name(token.authtype),
    }


def _is_set_up(name: str, facts: Facts) -> bool:
    """Return whether there is anything to say of a source: two of them take a variable to be asked."""
    variable = {"oidc": oidc.RESOURCE, "forwarded": forwarded.VARIABLE}.get(name)
    return variable is None or bool(facts.environ.get(variable))


def _source(name: str, facts: Facts) -> Report:
    one = facts.of_source(name)
    state = _state(name, one, facts)
    return {"name": name, "state": state, "why": _why(name, state, one, facts), "token": _token(one, facts)}


def _state(name: str, one: Candidate | None, facts: Facts) -> str:
    if name not in facts.main.sources:
        return "not asked"
    if one is None:
        state = facts.token_file.state
        return state if name == "file" and state in ("unusable", "unreadable") else "none"
    if one.verdict == GIVEN and not (facts.ours_gives and facts.secret is not None):
        return "has a token"
    return _STATES.get(one.verdict, "none")


_STATES = {
    GIVEN: "answers",
    SPARE: "has a token",
    REJECTED: "rejected",
    EXPIRED: "expired",
    NO_AUTHTYPE: "bearer",
    MALFORMED: "unusable",
    FAILED: "failed",
}


def _why(name: str, state: str, one: Candidate | None, facts: Facts) -> str:
    """Return why a source answers, or does not, in a few words."""
    token = one.token if one is not None else None
    if one is not None and token is not None:
        where = "" if one.place == KEYRING else f"{shown(one.place)}: "
        what = f"{where}token {facts.named(token.text)}" + (f" for {shown(token.scope)}" if token.scope else "")
        end = f", until {date(token.expires)}" if token.expires is not None else ""
        return what + {
            "answers": end,
            "has a token": f"{end}; {_why_not_it(facts)}",
            "rejected": f"; {facts.whose} rejected it within the last hour",
            "expired": f"; expired on {date(token.expires or 0)}",
            "bearer": "; it takes git 2.46 or later",
        }.get(state, "")
    if state == "not asked":
        return "left out by --sources" if facts.server == HUB else "for huggingface.co alone"
    if name == "env":
        return "what is set is no token" if state == "unusable" else "not set"
    if name == "file":
        file = facts.token_file
        return f"{shown(file.path)} {file.holds if state in ('unusable', 'unreadable') else 'is not there'}"
    if name == "keyring" and state == "unusable" and one is not None:
        return f"{shown(one.place)} holds {shown(one.why)}"
    if name == "keyring":
        return _why_no_item(facts.keyring)
    return shown(one.why) if one is not None and one.why else "none"


def _why_no_item(keyring: State | None) -> str:
    if keyring is None:
        return "it has none"
    if keyring.state in ("no bus", "not yours"):
        return shown(keyring.why)
    if words := keyring.why_nothing():
        return words + (f": {shown(keyring.why)}" if keyring.state == "silent" else "")
    return "it has items, and none for this URL" if keyring.ours or keyring.items_of_others else "it has none"


def _why_not_it(facts: Facts) -> str:
    if facts.ours_gives:
        return "an earlier source answers"
    return "git does not ask for it" if facts.is_given or facts.ours is None else "git does not get it"


def _keyring(facts: Facts) -> Report | None:
    state = facts.keyring
    if state is None:
        return None
    return {
        "state": state.state,
        "provider": _path(state.provider),
        "program": _path(state.program),
        "collection": _path(state.collection),
        "items": len(state.ours),
        "scopes": sorted({shown(one.item.scope) for one in state.ours if one.item.scope}),
        "items_of_others": state.items_of_others,
        "locked_items": state.locked_items,
        "until_logout": state.until_logout,
        "opens": state.opens,
        "other_keyrings": state.others,
    }


def _token_file(facts: Facts) -> Report:
    file = facts.token_file
    token, in_keyring = file.token, facts.host_token("keyring")
    return {
        "path": shown(file.path),
        "state": file.state,
        "mode": f"{file.mode:04o}" if file.state not in ("absent", "unreadable") else None,
        "fingerprint": facts.named(token) if token is not None else None,
        "same_as_keyring": token == in_keyring.text if token is not None and in_keyring is not None else None,
    }


def _declared(facts: Facts) -> Report:
    return {
        "path": shown(facts.declaration),
        "present": os.path.lexists(facts.declaration),
        "tokens": [
            {
                "name": one.token.name,
                "file": shown(one.file) or None,
                "scope": shown(one.scope) or None,
                "state": one.state,
            }
            for one in facts.declared
        ],
    }


def _git(facts: Facts) -> Report:
    netrc = facts.netrc
    config = facts.config
    return {
        "version": facts.git.version,
        "url": facts.url.shown(),
        "helpers": [_helper(facts, one) for one in facts.turns],
        "use_http_path": facts.with_path,
        "instead_of": _at(facts.rewrite),
        "push_instead_of": _at(facts.push_rewrite),
        "askpass": {"named_by": facts.askpass[0], "program": _name(facts.askpass[1])} if facts.askpass else None,
        "netrc": {"file": shown(netrc[0]), "line": netrc[1]} if netrc else None,
        "authorization_headers": [_at(setting) for setting in config.authorizations(facts.url)],
        "remotes": [
            {"name": shown(name), "url": url.shown()}
            for name, url, _ in config.remotes()
            if url.host.lower() == facts.url.host.lower()
        ],
    }


def _at(setting: Setting | None) -> Report | None:
    if setting is None:
        return None
    file = shown(setting.file) if setting.file else None
    return {"file": file, "line": setting.line or None, "scope": setting.scope}


def _helper(facts: Facts, turn: Turn) -> Report:
    return {
        "helper": turn.helper.shown(),
        "ours": turn.helper.is_ours(),
        "does": turn.does,
        "fingerprint": facts.named(turn.secret) if turn.secret else None,
        "at": _at(turn.helper.setting),
        "reset_at": _at(turn.helper.reset),
    }


def _online(facts: Facts) -> Report:
    answer = facts.online
    if answer is None:
        return {"state": "not asked", "why": "there is no token to ask about" if facts.server == HUB else "not the Hub"}
    known = {name: shown(value) if isinstance(value, str) else value for name, value in answer._asdict().items()}
    return {**known, "orgs": [shown(org) for org in answer.orgs]}


# The table.


class Style:
    """How wide the table is, and its colours: none unless `output` is a terminal that has them."""

    def __init__(self, output: TextIO | None, environ: dict[bytes, bytes]) -> None:
        self.terminal = output is not None and output.isatty()
        self.width = min(max(shutil.get_terminal_size().columns, 60), 120) if self.terminal else 100
        self.coloured = (
            self.terminal and not environ.get(b"NO_COLOR") and environ.get(b"TERM") not in (b"dumb", b"", None)
        )

    def paint(self, text: str, code: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self.coloured else text


_COLOURS = {"OK": "1;32", "No token": "1;31", "error": "1;31", "warning": "33", "note": "36"}
_OF_OTHER_VERDICTS = "1;33"
_LABEL = 14


def table(known: Report, style: Style) -> str:
    """Return the report for people. A remedy is a line of its own, however long, so that it can be pasted."""
    lines = [known["verdict"]]
    if style.terminal:
        lines = _wrapped(lines[0], style.width)
    lines = _painted(lines, style)
    for finding in known["findings"]:
        message = f"{finding['severity']}: {finding['message']} [{finding['code']}]"
        lines += ["", *_painted(_wrapped(message, style.width), style), "    " + style.paint(finding["remedy"], "1")]
    lines.append("")

    def row(label: str, *texts: str) -> None:
        for text in texts:
            start = style.paint(label.ljust(_LABEL), "1")
            for part in _wrapped(text, style.width - _LABEL, "   " if text[1:3] in (". ", "  ") else ""):
                lines.append(start + part)
                start = " " * _LABEL
            label = ""

    row("url", known["url"])
    names = {"oidc": "OIDC", "env": "environment", "forwarded": "socket", "file": "token file"}
    if known["sources"]:
        lines.append("")
    for source in known["sources"]:
        mark = "* " if source["state"] == "answers" else "  "
        row(names.get(source["name"], source["name"]), mark + _home(source["why"]))
    lines.append("")
    if known["keyring"] is not None:
        row("provider", *_keyring_rows(known["keyring"]))
    row("hf reads", _file_row(known["token_file"]))
    row("declared", *_declared_rows(known["declared"]))
    lines.append("")
    row("git", *_git_rows(known["git"]))
    row("git asks", *(_helper_rows(known["git"]["helpers"]) or ["no helper"]))
    row("git-lfs", _lfs_row(known["git_lfs"]))
    row("hf", _home(known["hf"]["path"] or "not installed"))
    row("git-xet", _home(known["git_xet"]["path"] or "not installed"))
    if known["online"] is not None:
        row("the Hub", *_online_rows(known["online"]))
    return "\n".join(lines) + "\n"


def _wrapped(text: str, width: int, indent: str = "") -> list[str]:
    return textwrap.wrap(text, width, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False)


def _painted(lines: list[str], style: Style) -> list[str]:
    """Return the lines with a colour for what stands before the first colon: a severity or a verdict."""
    word, colon, rest = lines[0].partition(":")
    return [style.paint(word, _COLOURS.get(word, _OF_OTHER_VERDICTS)) + colon + rest, *lines[1:]]


def _keyring_rows(keyring: Report) -> list[str]:
    if keyring["provider"] is None:
        rows = [WORDS[keyring["state"]]]
    else:
        collection = f", collection {keyring['collection']}" if keyring["collection"] else ""
        rows = [f"{keyring['provider']}{collection}, {WORDS.get(keyring['state'], 'open')}"]
    if keyring["until_logout"]:
        rows.append("that collection is in memory: its tokens are gone at logout")
    if keyring["state"] == "open":
        scopes = f" (scopes: {', '.join(keyring['scopes'])})" if keyring["scopes"] else ""
        rows.append(f"{_count(keyring['items'], 'token')} stored{scopes}, {keyring['items_of_others']} by other tools")
    if keyring["locked_items"]:
        rows.append(f"{_count(keyring['locked_items'], 'locked item')} for this host")
    if keyring["other_keyrings"]:
        rows.append(f"also running, and not asked: {', '.join(keyring['other_keyrings'])}")
    return rows


def _file_row(file: Report) -> str:
    if file["state"] == "absent":
        return f"{_home(file['path'])}, not there"
    if file["state"] == "unreadable":
        return f"{_home(file['path'])}, cannot be read"
    same = {True: ", the same as the keyring's", False: ", another than the keyring's", None: ""}
    what = f"token {file['fingerprint']}{same[file['same_as_keyring']]}" if file["fingerprint"] else "no token"
    return f"{_home(file['path'])}, mode {file['mode']}, {what}"


def _declared_rows(declared: Report) -> list[str]:
    if not declared["present"]:
        return [f"{_home(declared['path'])}, not there"]
    states = {
        "seeded": "seeded",
        "newer": "changed since it was seeded",
        "missing": "not in the keyring",
        "unreadable": "cannot be read",
        "unknown": "not compared",
    }
    rows = [_home(declared["path"])]
    for one in declared["tokens"]:
        scope = f" for {one['scope']}" if one["scope"] else ""
        rows.append(
            f"  {one['name']}{scope}: {states[one['state']]}" + (f", {_home(one['file'])}" if one["file"] else "")
        )
    return rows


def _git_rows(git: Report) -> list[str]:
    rows = [f"{git['version'] or 'not installed'}, useHttpPath {'on' if git['use_http_path'] else 'off'}"]
    if git["instead_of"]:
        rows.append(f"uses {git['url']} instead (insteadOf, {_place(git['instead_of'])})")
    if git["push_instead_of"]:
        rows.append(f"pushes go elsewhere (pushInsteadOf, {_place(git['push_instead_of'])})")
    rows += [f"remote {remote['name']}: {remote['url']}" for remote in git["remotes"]]
    rows += [f"sends an Authorization header of its own ({_place(one)})" for one in git["authorization_headers"]]
    if git["netrc"]:
        rows.append(f"login in {_home(git['netrc']['file'])}:{git['netrc']['line']}")
    if git["askpass"]:
        rows.append(f"asks a person with {git['askpass']['program']} ({git['askpass']['named_by']})")
    return rows


_DOES = {
    "nothing": "has nothing",
    "partly": "names a user or a password alone, and git asks on",
    "quit": "tells git to quit",
    "not asked": "not asked here (--probe asks it)",
}


def _helper_rows(helpers: list[Report]) -> list[str]:
    rows = []
    number = 0
    for one in helpers:
        if one["reset_at"]:
            rows.append(f"-  {_home(one['helper'])} ({_place(one['at'])}): reset at {_place(one['reset_at'])}")
            continue
        number += 1
        does: str = one["does"]
        does = _DOES.get(does, does)
        if one["fingerprint"]:
            does += f" with token {one['fingerprint']}"
        rows.append(f"{number}. {_home(one['helper'])} ({_place(one['at'])}): {does}")
    return rows


def _lfs_row(lfs: Report) -> str:
    if lfs["path"] is None:
        return "not installed"
    return f"{lfs['version'] or 'of an unknown version'}, " + ("set up" if lfs["initialised"] else "not set up")


def _online_rows(online: Report) -> list[str]:
    if online["state"] == "not asked":
        return [f"not asked: {online['why']}"]
    if online["state"] == "refused":
        return ["rejects this token"]
    if online["state"] == "no answer":
        return [f"no answer: {online['why']}"]
    end = f"until {online['expires']}" if online["expires"] else "no known end"
    rows = [f"{online['name']}, role {online['role'] or 'unknown'}, {end}"]
    if online["orgs"]:
        rows.append(f"organisations: {', '.join(online['orgs'])}")
    access = {
        "yes": f"may read{' and write' if online['writes'] else ''} this repository",
        "gated": "may not read this gated repository: its conditions are not accepted",
        "denied": "may not read this repository",
        "not found": "sees no such repository",
    }
    if online["access"]:
        rows.append(access[online["access"]])
    return rows


def _place(at: Report) -> str:
    file: str | None = at["file"]
    return "command line" if file is None else _home(file) + (f":{at['line']}" if at["line"] else "")


def _home(text: str) -> str:
    home = os.path.expanduser("~").rstrip("/")
    return text.replace(shown(home) + "/", "~/") if home.startswith("/") and home else text


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")
