"""Commands that fix what status finds: each is one line for the shell, shows no token, and is safe to paste.

None changes a line by its number, ends a process, or configures git for a host that no helper of ours answers for.
"""

import os
import re
import shlex
import stat
from collections.abc import Sequence

from git_credential_hf.cli import owner, token_file
from git_credential_hf.cli.git_config import STORES, Helper, Setting, Url, in_home, users_file, users_files
from git_credential_hf.cli.output import as_root, quoted, shown
from git_credential_hf.cli.status.facts import Declared, Facts, known_options
from git_credential_hf.model import token_text
from git_credential_hf.model.outcome import EXPIRED, GIVEN, SPARE, Candidate
from git_credential_hf.model.repository import HF_USER, HUB, scopes
from git_credential_hf.sources import oidc
from git_credential_hf.state import files, folders, ownership

_HAS_GLOBAL = (2, 32)  # the first git that knows GIT_CONFIG_GLOBAL
_REMOVED = "git-credential-hf.removed"  # a setting that nobody reads


def ours(facts: Facts, command: str) -> str:
    """Return the command line for one of our commands that changes something in the home."""
    return as_owner(facts, f"git-credential-hf {command}")


def as_owner(facts: Facts, command: str) -> str:
    """Return the command line for a command that changes something in the home: of root it would leave files there."""
    return owner.as_owner(facts.environ) + command


def edit(file: bytes | str) -> str:
    """Return the command that opens a file, which only its owner can read if it makes it."""
    return f"(umask 077; ${{EDITOR:-vi}} {quoted(file)})"


def _edit(facts: Facts, file: bytes | str) -> str:
    """Return the same for a file of the home's."""
    as_user = owner.as_owner(facts.environ)
    return f"{as_user}sh -c {shlex.quote(edit(file))}" if as_user else edit(file)


def without_machine(facts: Facts, netrc: bytes) -> str:
    """Return the command that removes the URL's host from a .netrc that has each machine on lines of its own.

    Lines that are comments stay: they may be about the next machine.
    """
    rule = (
        "{for(i=1;i<=NF&&$i!~/^#/;i++)if(tolower($i)~/^(machine|default|macdef)$/)"
        f'gone=(tolower($i)=="machine"&&tolower($(i+1))=="{facts.url.host_name().decode()}")}}!gone||$1~/^#/'
    )
    file, new = quoted(netrc), quoted(netrc + b".new")
    return f"(umask 077; awk '{rule}' {file} > {new} && cat {new} > {file} && rm {new})"


# git's configuration.


def remove(facts: Facts, *settings: Setting) -> str:
    """Return the command that removes settings, and nothing else; of those in a store `status` alone can be told."""
    settings = tuple(one for one in settings if not one.in_store())
    of_environment = [one for one in settings if not one.file]
    commands = [_remove_from_environment(facts, of_environment)] if of_environment else []
    commands += [_remove_from_file(one) for one in settings if one.file]
    return " && ".join(dict.fromkeys(commands)) or again(facts)


def in_store(facts: Facts, *settings: Setting) -> str:
    """Return how a message goes on where no command may change the settings."""
    found = dict.fromkeys(
        f"; {facts.path(one.file)} is linked to {shown(file)}: change it where that is made"
        for one in settings
        if (file := one.in_store())
    )
    return "".join(found)


def _remove_from_file(setting: Setting) -> str:
    command = _git_config(setting)
    key = os.fsdecode(setting.key)
    if token_text.hide_passwords(key) == key:
        return _by_owner(setting, f"{command} --unset-all {quoted(setting.key)} {_exactly(setting)}")
    names = _pattern(setting.key)
    pipe = f"{command} --null --name-only --get-regexp {names} | xargs -0 -n 1 {command} --unset-all"
    return _by_owner(setting, pipe, is_pipe=True)


def replace(facts: Facts, setting: Setting, value: bytes) -> str:
    """Return the command that gives a setting another value."""
    if setting.in_store():
        return again(facts)
    if setting.file:
        command = f"{_git_config(setting)} --replace-all {quoted(setting.key)} {quoted(value)} {_exactly(setting)}"
        return _by_owner(setting, command)
    numbers = _of_environment(facts, [setting])
    return f"export GIT_CONFIG_VALUE_{numbers[-1]}={quoted(value)}" if numbers else "unset GIT_CONFIG_PARAMETERS"


def ask_ours(facts: Facts, *in_the_way: Setting, is_configured: bool = True) -> str:
    """Return the command that has git ask our helper although there are settings that keep it from that."""
    by_worktree = [one for one in in_the_way if _comes_last(one)]
    in_files = [one for one in in_the_way if one not in by_worktree]
    # Helpers that were reset by what goes are asked again without it.
    by_worktree += [
        one.setting
        for one in (turn.helper for turn in facts.turns)
        if one.reset in by_worktree and not one.is_ours() and _comes_last(one.setting)
    ]
    commands = [remove(facts, *by_worktree)] if by_worktree else []
    if in_files or not is_configured:
        is_homeless = not (facts.environ.get(b"HOME") or facts.environ.get(b"GIT_CONFIG_GLOBAL"))
        if any(one.scope == "local" for one in in_files):
            commands.append(ours(facts, "configure --local"))
        elif is_homeless and (home := owner.home_of({})) and os.access(home, os.W_OK):
            commands += [f"export HOME={quoted(home)}", ours(facts, "configure")]
        else:
            commands.append(_to_writable(facts) + ours(facts, "configure"))
    return " && ".join(commands)


def _to_writable(facts: Facts, environ: dict[bytes, bytes] | None = None) -> str:
    """Return what comes before `configure` where it cannot write to the user's configuration: /dev/null as
    GIT_CONFIG_GLOBAL makes way; in the place of a file that cannot be written comes one that includes it. For a file in
    a store `configure` itself tells what is to be added where that is made.
    """
    environ = facts.environ if environ is None else environ
    named = users_file(environ)
    file = os.path.realpath(named) if named else ""
    may_write = os.access(file, os.W_OK) if os.path.isfile(file) else not os.path.exists(file)
    if may_write and os.access(os.path.dirname(file), os.W_OK):
        return ""
    if b"GIT_CONFIG_GLOBAL" in environ and not os.path.isfile(file):
        rest = {name: value for name, value in environ.items() if name != b"GIT_CONFIG_GLOBAL"}
        return "unset GIT_CONFIG_GLOBAL && " + _to_writable(facts, rest)
    other = token_file.other_place(facts.environ)
    if other is None or file.startswith(STORES) or facts.git.numbers() < _HAS_GLOBAL:
        return ""
    folder = os.path.dirname(os.path.dirname(other))
    new = quoted(f"{folder}/gitconfig")
    commands = []
    if not os.path.isdir(folder):  # -p would take what another user has made there in the meantime
        commands += [f"mkdir -p {quoted(os.path.dirname(folder))}", f"mkdir -m 700 {quoted(folder)}"]
    commands += [
        f"git config --file {new} --add include.path {quoted(os.path.realpath(one))}"
        for one in users_files(environ)
        if os.path.isfile(one)
    ]
    return " && ".join([*commands, f"export GIT_CONFIG_GLOBAL={new}", ""])


def _comes_last(setting: Setting) -> bool:
    """Return whether git reads a setting after all that `configure` writes."""
    return not setting.file or setting.scope == "worktree"


def right_options(facts: Facts, helper: Helper) -> str:
    """Return the command that leaves of a helper's options those that it knows."""
    words = helper.words()
    program = words[1].removeprefix("credential-") if words[0] == "git" else in_home(words[0], facts.environ)
    known = map(os.fsdecode, known_options(helper.arguments(), facts.environ))
    value = " ".join(map(shlex.quote, [program, *known]))
    needs_shell = value.startswith("'") or not (words[0] == "git" or program.startswith("/"))
    return replace(facts, helper.setting, os.fsencode("!" * needs_shell + value))


def _git_config(setting: Setting) -> str:
    return f"git config --file {quoted(setting.file)}"


def _by_owner(setting: Setting, command: str, *, is_pipe: bool = False) -> str:
    if other := owner.as_owner({}, setting.file):
        return other + (f"sh -c {shlex.quote(command)}" if is_pipe else command)
    return command if os.access(setting.file, os.W_OK) else as_root(command, is_pipe=is_pipe)


def _exactly(setting: Setting) -> str:
    """Return the pattern that finds a setting by its value: git before 2.30 has no --fixed-value."""
    value = setting.value
    if value is None:
        return "'!^'"
    if setting.key.endswith(b".username"):  # what is longer than a name is taken for a token
        return f"'^.{{{len(value)}}}$'"
    name, colon, _ = value.partition(b":")
    if colon and name.strip().lower() == b"authorization":
        return quoted("^" + _escaped(name + colon) + ".*$")
    return _pattern(value)


def _pattern(text: bytes) -> str:
    """Return the pattern that finds `text`, with anything where it has a token or a password."""
    parts = token_text.hide_passwords(os.fsdecode(text)).split(token_text.MASK)
    return quoted("^" + ".*".join(map(_escaped, map(os.fsencode, parts))) + "$")


def _escaped(text: bytes) -> str:
    return os.fsdecode(re.sub(rb"[]\[\\.*^$+?{}()|]", rb"\\\g<0>", text))


def _remove_from_environment(facts: Facts, settings: list[Setting]) -> str:
    numbers = _of_environment(facts, settings)
    if len(numbers) < len(settings):
        return "unset GIT_CONFIG_COUNT GIT_CONFIG_PARAMETERS"
    if facts.environ.get(b"GIT_CONFIG_COUNT") == b"%d" % len(numbers):
        return "unset GIT_CONFIG_COUNT"
    return "export " + " ".join(f"GIT_CONFIG_KEY_{number}={_REMOVED}" for number in numbers)


def _of_environment(facts: Facts, settings: list[Setting]) -> list[int]:
    """Return which of the settings that GIT_CONFIG_COUNT counts these are. Source: git-config(1), ENVIRONMENT."""
    wanted = [(one.key.lower(), one.value) for one in settings]
    count = facts.environ.get(b"GIT_CONFIG_COUNT", b"")
    found = []
    for number in range(min(int(count) if count.isdigit() else 0, 1000)):
        key, value = (facts.environ.get(b"GIT_CONFIG_%b_%d" % (part, number)) for part in (b"KEY", b"VALUE"))
        if ((key or b"").lower(), value) in wanted:
            found.append(number)
    return found


# Tokens.


def new_token(facts: Facts, one: Candidate | None = None, *, more: Sequence[str] = ()) -> str:
    """Return the command that stores a token that works, in the place of the candidate `one` if there is one.

    Where no command can, `elsewhere` says what does. more: options for a token that is typed.
    """
    if one is not None and one.source == "env":
        return f"unset {one.place}"
    if one is not None and one.source == "oidc":
        return f"unset {oidc.RESOURCE.decode()}"
    if one is not None and one.source == "forwarded":
        return online(facts)
    declared = _declared(facts, one)
    if declared is not None:
        return _new_declared(facts, one, declared)
    token = one.token if one is not None else None
    words = [ours(facts, "login"), *more]
    if token is not None and token.item:
        words += ["--scope", quoted(token.scope)] if token.scope else []
        words += _for_user(token.user)
    if facts.server and facts.server != HUB:
        words += ["--host", shown(facts.server)]
    login = " ".join(words)
    return login if "--scope" in words or "--host" in words else _with_token_file(facts, one, login)


def _with_token_file(facts: Facts, one: Candidate | None, login: str) -> str:
    """Return `login` with what makes way for it where the token file cannot take the token."""
    failure = None if owner.as_owner(facts.environ) else token_file.refusal(facts.environ)
    if failure is None:
        return login
    if one is not None and one.source != "file":
        return f"{login} --no-cache"
    file = facts.token_file
    if file.link and one is not None and file.is_own:
        return edit(os.path.realpath(file.path))
    if file.link or (file.state == "unusable" and not failure.why):  # something else than a file
        return f"{make_way(facts)} && {login}"
    other = token_file.other_place(facts.environ) if failure.is_closed else None
    return f"export HF_TOKEN_PATH={quoted(other)}; {login}" if other else f"{login} --no-cache"


def take_token_file(facts: Facts) -> str:
    """Return the command that makes the token file the user's own, empty where it is, or another is to be had."""
    file, user = facts.token_file, os.geteuid()
    place, status = ownership.nearest(os.path.realpath(file.path))
    home = os.path.realpath(facts.environ.get(b"HOME") or b"/")
    if (
        user == 0
        or files.is_fixed(place)
        or not (place.startswith(home + b"/") and ownership.is_one_user(status.st_uid))
    ):
        return ""
    if status.st_uid == user:
        return f"chmod u+rwX {quoted(place)}" if file.state == "unreadable" else ""
    if file.state in ("absent", "unusable"):
        return ""
    option = "-R " if os.path.isdir(place) else ""
    return as_root(f"chown {option}{shlex.quote(ownership.name(user) or str(user))} {quoted(place)}")


def make_way(facts: Facts) -> str:
    """Return the command after which something else is the token file than what is no place for a token.

    What HF_TOKEN_PATH names stays where it is: it may be /dev/null, a home or a secret.
    """
    file = facts.token_file.path
    if facts.environ.get(b"HF_TOKEN_PATH"):
        return "unset HF_TOKEN_PATH"
    other = None if os.access(os.path.dirname(file), os.W_OK) else token_file.other_place(facts.environ)
    return f"export HF_TOKEN_PATH={quoted(other)}" if other else move(file)


def move(file: bytes) -> str:
    """Return the command that moves a file out of the way."""
    return f"mv {quoted(file)} {quoted(file + b'.old')}"


def elsewhere_with_modes(facts: Facts) -> str:
    """Return the command that stores the token of the token file in one that can be private; empty without a place that
    lasts, and for a login, which hf renews where it is. What HF_TOKEN_PATH names may be for others too, and stays.
    """
    found = facts.outcome.first(GIVEN, SPARE, source="file")
    other = token_file.other_place(facts.environ) or ""
    lasts = os.fsencode(other).startswith(folders.state_home(facts.environ) + b"/git-credential-hf/")
    is_roots = bool(owner.as_owner(facts.environ))  # who is to run it as another user, in a place of that one's
    if not lasts or is_roots or found is None or found.token is None or found.token.oauth:
        return ""
    file = quoted(facts.token_file.path)
    gone = "" if facts.environ.get(b"HF_TOKEN_PATH") else f" && rm {file}"
    return f"export HF_TOKEN_PATH={quoted(other)}; git-credential-hf seed --from {file} --no-keyring{gone}"


def right_declaration(facts: Facts) -> str:
    """Return the command for a tokens.toml that seed stops at: it is closed, moved away if it is no file of the user's
    own, or opened for its mistake.
    """
    file = facts.declaration
    if owner.as_owner(facts.environ):  # who the owner of the home is, and what that one may read, root cannot tell
        return as_owner(facts, again(facts))
    try:
        status = os.stat(file)
        may_read = os.access(file, os.R_OK)
        is_own = owner.is_trusted(file, status, facts.environ)
        is_open = bool(status.st_mode & stat.S_IWOTH)
        may_close = files.may_change_mode(file, status.st_uid)
    except OSError:  # as for a link that leads nowhere
        return move(file)
    if not may_read and status.st_uid == os.geteuid():
        return f"chmod u+rw {quoted(file)}"
    if not (is_own and may_read) or not stat.S_ISREG(status.st_mode) or (is_open and not may_close):
        return move(file)
    return f"chmod o-w {quoted(file)}" if is_open else edit(file)


def edit_source(facts: Facts, one: Declared) -> str:
    """Return the command that opens the file of a declared token, or tokens.toml where that names none, a folder, or a
    file that this user cannot write.
    """
    place = one.file if os.path.lexists(one.file) else os.path.dirname(one.file)
    may_edit = one.file and os.access(place, os.W_OK) and not os.path.isdir(one.file)
    return _edit(facts, one.file if may_edit else facts.declaration)


def _new_declared(facts: Facts, one: Candidate | None, declared: Declared) -> str:
    seed = ours(facts, "seed")
    if one is not None and one.verdict == EXPIRED and declared.token.expires is not None:
        return f"{_edit(facts, facts.declaration)} && {seed}"
    bad = one.token.text if one is not None and one.token is not None else None
    is_new = declared.state == "newer" or (declared.state == "missing" and declared.text not in (None, bad))
    # What is no file may give a new token by itself for one that has expired.
    if one is None or is_new or (one.verdict == EXPIRED and not declared.file):
        return seed
    return f"{edit_source(facts, declared)} && {seed}"


def elsewhere(facts: Facts, one: Candidate | None) -> str:
    """Return how a message goes on where a new token in the place of `one` takes more than the command."""
    if one is None:
        return ""
    if one.source == "oidc":
        return f"; nothing else answers while {oidc.RESOURCE.decode()} is set"
    if one.source == "forwarded":
        return "; store a new one where `git-credential-hf serve` runs"
    declared = _declared(facts, one)
    if declared is not None:
        return "" if declared.file else f"; put a new token where {facts.path(facts.declaration)} takes it from"
    failure = token_file.refusal(facts.environ) if one.source == "file" else None
    return f"; the token file cannot be written: {failure.why}" if failure is not None and failure.why else ""


def again(facts: Facts, option: str = "") -> str:
    """Return the command that tells of the URL once more: for what no command here can fix."""
    return f"git-credential-hf status {option}{url(facts.given)}"


def online(facts: Facts) -> str:
    """Return the command that asks the Hub about the token for the URL once more."""
    return again(facts, "--online ")


def url(of: Url) -> str:
    """Return a URL for the shell, without a login."""
    return quoted(of._replace(user=None).shown())


def _for_user(user: bytes | None) -> list[str]:
    return ["--user", quoted(user)] if user and user != HF_USER else []


def _declared(facts: Facts, one: Candidate | None) -> Declared | None:
    """Return what tokens.toml declares for the place of `one`; without one, what `seed` would give git from there."""
    if facts.declaration_error:
        return None
    if one is None:
        server = facts.server or HUB
        mine = [b"", *scopes(server, facts.url.path)]
        useful = ("missing", "newer", "unknown")
        of_server = [each for each in facts.declared if each.token.server == server]
        return next((each for each in of_server if each.scope in mine and each.state in useful), None)
    given = one.token
    of_item = (given.scope, given.user or HF_USER) if given is not None and given.item else None
    for each in facts.declared:
        if (each.scope, each.token.user) == of_item or (one.source == "file" and each.token.cache):
            return each
    return None


def seed_from(facts: Facts, user: bytes | None = None) -> str:
    """Return the command that stores the token file's token in the keyring."""
    return " ".join([ours(facts, "seed"), "--from", quoted(facts.token_file.path), *_for_user(user)])


def request(facts: Facts) -> str:
    """Return what gives a helper git's request on standard input."""
    lines = [b"protocol=https", b"host=" + (facts.server or HUB)]
    lines += [b"path=" + facts.url.path] if facts.with_path and facts.url.path else []
    lines += [b"username=" + facts.user] if facts.user else []
    return "printf '%s\\n' " + " ".join(map(quoted, lines))


def has_display(facts: Facts) -> bool:
    """Return whether a dialog can be shown."""
    return bool(facts.environ.get(b"DISPLAY") or facts.environ.get(b"WAYLAND_DISPLAY"))
