"""configure and unconfigure: the lines in git's configuration that make git use the helper.

They are a block of text at the end of one file. git asks helpers in the order of the file, and an empty helper removes
those before it, so the block must follow every other helper. `git config` would instead put each value into an existing
section of that name. Source: git-config(1), gitcredentials(7).
"""

import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from git_credential_hf.cli import child, owner
from git_credential_hf.cli.git_config import (
    PROGRAM,
    BadUrl,
    Configuration,
    Setting,
    list_command,
    may_match,
    parse,
    read_settings,
    users_file,
)
from git_credential_hf.cli.git_config import STORES as _STORES
from git_credential_hf.cli.output import PARTLY, Failed, complain, quoted, shown
from git_credential_hf.model.repository import HUB_HOSTS, canonical_host
from git_credential_hf.sources.environment import without_tokens
from git_credential_hf.state import files

Target = tuple[str, str | None]
"""The file to change: ("global", None), the user's; ("local", None), this repository's; ("file", its path)."""

_BY_NAME = b"hf"  # git itself puts "git credential-" before it
_HEADERS = tuple(b'[credential "https://%s"]' % host for host in HUB_HOSTS)
_SECTIONS = tuple(b"credential.https://" + host for host in HUB_HOSTS)

_BEGIN = b"# >>> git-credential-hf: `git-credential-hf unconfigure` removes these lines"
_BEGIN_OF_FILE = _BEGIN + b", and this file if nothing else is in it"
_END = b"# <<< git-credential-hf"


def configure(target: Target, environ: dict[bytes, bytes], *, git_lfs: bool) -> int:
    """Make git use this helper, with no other beside it, for the Hub; return the exit code.

    git_lfs: whether git-lfs also adds its filters to the user's configuration.
    Prints what was done, and what add complains of. Raises Failed, with nothing changed.
    """
    print(add(target, environ))
    if git_lfs:
        try:
            if as_owner := owner.as_owner(environ, os.fsencode(users_file(environ)) or None):
                raise Failed(
                    f"git-lfs would write to another user's configuration. Try: {as_owner}git lfs install --skip-repo"
                )
            print(child.install_git_lfs(environ))
        except Failed as error:
            complain(f"git uses the helper, but {error}")
            return PARTLY
    return 0


def add(target: Target, environ: dict[bytes, bytes]) -> str:
    """Make git use this helper, with no other beside it, for the Hub; return the line that says what was done.

    It warns on standard error of settings that override this. If the file cannot be written, it prints the lines to add
    to it. Raises Failed, with nothing changed.
    """
    helper, warning = _helper(environ)
    file = _file(target, environ)
    try:
        done = _configure(file, helper, target, environ)
    except OSError as error:
        sys.stdout.flush()
        sys.stdout.buffer.write(_lines(helper))
        raise Failed(
            f"{shown(file)} cannot be written ({error.strerror}): add the lines on standard output where it is made"
        ) from error
    for line in [*filter(None, [warning]), *_in_the_way(file if target[0] == "file" else None, environ)]:
        complain(line)
    return f"{shown(file)}: {done}"


def unconfigure(target: Target, environ: dict[bytes, bytes]) -> int:
    """Remove what configure added, and nothing else; return the exit code.

    Prints what was done. Raises Failed, with nothing changed.
    """
    file = _file(target, environ)
    try:
        done = _unconfigure(file, target, environ)
    except OSError as error:
        raise Failed(f"{shown(file)} cannot be written ({error.strerror}): nothing was removed from it") from error
    print(f"{shown(file)}: {done}")
    return 0


def _configure(file: str, helper: bytes, target: Target, environ: dict[bytes, bytes]) -> str:
    while True:
        old = _read(file)
        if old is not None and _is_in_effect(_settings(old, file, environ), helper, environ):
            return "unchanged"
        rest, expected, removed = _without_blocks(old or b"", file, environ)
        eol = b"\r\n" if re.search(rb"\r\n[^\n]*\Z", rest) else b"\n"
        begin = _BEGIN_OF_FILE if old is None or removed.lstrip().startswith(_BEGIN_OF_FILE) else _BEGIN
        block = (begin + b"\n" + _lines(helper) + _END + b"\n").replace(b"\n", eol)
        # The line end before it ends the last line of the file, or is a blank line: unconfigure removes it either way.
        new = rest + eol + block if rest else block
        _verify(new, expected + _settings(block, file, environ), old or b"", file, environ)
        if _swap(file, old, new, target, "configure"):
            break
    if removed == block:
        return f"the lines of {PROGRAM} moved to the end, after settings that undid them"
    hosts = " and ".join(f"https://{host.decode()}" for host in HUB_HOSTS)
    what = f"helper = {shown(helper)}, and no other, with useHttpPath, for {hosts}"
    return f"{'replaced' if removed else 'added'}: {what}"


def _unconfigure(file: str, target: Target, environ: dict[bytes, bytes]) -> str:
    while True:
        old = _read(file)
        if old is None or _find_block(_split(old)) is None:
            return "nothing to remove"
        rest, expected, removed = _without_blocks(old, file, environ)
        _verify(rest, expected, old, file, environ)
        new = None if not rest and removed.lstrip().startswith(_BEGIN_OF_FILE) else rest
        if _swap(file, old, new, target, "unconfigure"):
            return "removed what configure added" if new is not None else "removed, since configure made it"


# What git is to be told.


def _helper(environ: dict[bytes, bytes]) -> tuple[bytes, str]:
    """Return the value of credential.helper that starts this program, and a warning where it may not last."""
    on_path = found = _on_path(environ)
    run = os.path.abspath(sys.argv[0])
    # The same file by its name on PATH is the link that pipx, uv or a profile keeps up to date.
    if os.path.basename(run) == PROGRAM and os.access(run, os.X_OK):
        found = [one for one in found if os.path.samefile(run, one)] or [run]
    program = next((one for one in found if not one.startswith(_STORES)), None)
    warning = ""
    if program is None:
        if not on_path:
            raise Failed(f"{PROGRAM} is not on PATH, where git would find it: install it for good, and run this again")
        if on_path[0].startswith(_STORES):
            warning = f"a garbage collection may delete {shown(on_path[0])}: install {PROGRAM} into a profile"
        return _BY_NAME, warning
    cache = os.fsdecode(environ.get(b"XDG_CACHE_HOME") or environ.get(b"HOME", b"") + b"/.cache")
    if os.path.realpath(program).startswith(os.path.realpath(cache) + "/"):
        warning = f"{shown(program)} is in a cache, which may be emptied: install it for good, and run this again"
    path = os.fsencode(program)
    # git hands a path to the shell as it is, and only what begins with "!" may begin with a quote.
    quoted = os.fsencode(shlex.quote(program))
    return path if quoted == path else b"!" + quoted, warning


def _on_path(environ: dict[bytes, bytes]) -> list[str]:
    """Return where PATH has the program, in its order."""
    folders = os.fsdecode(environ.get(b"PATH", b"")).split(os.pathsep)
    found = (shutil.which(PROGRAM, path=folder) for folder in folders if folder)
    return [os.path.abspath(one) for one in found if one is not None]


def _lines(helper: bytes) -> bytes:
    value = helper
    if helper.startswith(b"!"):
        for character, escape in ((b"\\", b"\\\\"), (b'"', b'\\"'), (b"\n", b"\\n")):
            value = value.replace(character, escape)
        value = b'"' + value + b'"'
    return b"".join(header + b"\n\thelper =\n\thelper = " + value + b"\n\tuseHttpPath = true\n" for header in _HEADERS)


def _is_in_effect(settings: list[Setting], helper: bytes, environ: dict[bytes, bytes]) -> bool:
    """Return whether `settings` make git ask our helper alone, and with the path, for each of the hosts."""
    programs = [helper] + ([_BY_NAME] if _on_path(environ) else [])
    for host in HUB_HOSTS:
        chain, with_path = Configuration(settings).at_host(host)
        if len(chain) != 1 or not with_path or not any(_runs(chain[0].value, program) for program in programs):
            return False
    return True


def _runs(value: bytes | None, program: bytes) -> bool:
    """Return whether a helper is `program`, with or without options."""
    return value is not None and (value == program or value.startswith(program + b" "))


# Settings that override the block.


def _in_the_way(file: str | None, environ: dict[bytes, bytes]) -> list[str]:
    """Return a line for each setting of `file`, or of all that git reads here, that undoes what configure does.

    No value is in it, nor a key's URL: either may be what holds a token.
    """
    where = [] if file is None else ["--file", file, "--includes"]
    done = _git(list_command(*where, with_scope=False), environ)
    settings = [
        one
        for one in read_settings(done.stdout, with_scope=False)
        if not one.key.startswith((b"include.", b"includeif."))  # what they include follows
    ]
    config = Configuration(settings)
    found = []
    for host in HUB_HOSTS:
        chain, with_path = config.at_host(host)
        stops = config.unreadable(parse(b"https://" + host))
        others = [one for one in chain if not _is_our_value(b"helper", one.value or b"")]
        found += [f"{_place(one)}: git stops at this line: remove it there" for one in stops]
        for one in others:
            if one not in stops:
                found.append(f"{_place(one)}: git asks and tells another credential.helper too: remove it there")
        if chain == others and (last := config.last_at_host(b"helper", host)) is not None and last not in stops:
            found.append(f"{_place(last)}: an empty credential.helper keeps git from asking: remove it there")
        elif not with_path and (last := config.last_at_host(b"usehttppath", host)) is not None and last not in stops:
            found.append(f"{_place(last)}: credential.useHttpPath is not true, so no scope is found: remove it there")
    return list(dict.fromkeys([*found, *_tokens(settings)]))


def _tokens(settings: list[Setting]) -> Iterator[str]:
    """Return a line for each setting that has git use another token."""
    for one in settings:
        section, address, name = one.parts()
        if section == b"url" and _has_token(address):
            what = "a url.*.insteadOf has a token in its URL: remove it there, and seed the token"
        elif section == b"http" and name == b"extraheader" and _is_sent_to_hub(address, one.value):
            what = "http.extraHeader sends a token, and git asks no helper: remove it there"
        elif section == b"remote" and name in (b"url", b"pushurl", b"lfsurl") and _has_token(one.value):
            what = f"the address of the remote {shown(address)} has a token in it: `git remote set-url` one without"
        elif one.key in (b"lfs.url", b"lfs.pushurl") and _has_token(one.value):
            what = f"{one.key.decode()} has a token in its address: take it out there"
        else:
            continue
        yield f"{_place(one)}: {what}"


def _place(setting: Setting) -> str:
    """Return where a setting is: a file below the current directory without that."""
    return setting._replace(file=setting.file.removeprefix(os.getcwdb().rstrip(b"/") + b"/")).where()


def _is_sent_to_hub(address: bytes, header: bytes | None) -> bool:
    is_authorization = header is not None and header.lower().lstrip().startswith(b"authorization:")
    return is_authorization and any(may_match(address, host) for host in HUB_HOSTS)


def _has_token(address: bytes | None) -> bool:
    """Return whether an address at the Hub names a password, or a token for a user."""
    try:
        url = parse(address or b"")
    except BadUrl:
        return False
    return url.scheme.lower() in (b"http", b"https") and canonical_host(url.host) in HUB_HOSTS and url.has_token()


# The block in the text of a configuration.


def _split(content: bytes) -> list[bytes]:
    return re.findall(rb"[^\n]*\n|[^\n]+", content)


class _Block(NamedTuple):
    """The numbers of its first line and of its last line, and whether the first is the comment that configure wrote."""

    first: int
    last: int
    has_begin: bool


def _find_block(lines: list[bytes]) -> _Block | None:
    """Return the first block, if there is one.

    `git config --remove-section` also removes the comments below a section. Where one of the two around the block is
    missing, the block has the sections that configure wrote beside the other.
    """
    comments = [number for number, line in enumerate(lines) if line.strip() in (_BEGIN, _BEGIN_OF_FILE, _END)]
    if not comments:
        return None
    first, following = comments[0], (*comments[1:], len(lines))[0]
    if lines[first].strip() == _END:
        _, *sections = _sections(lines[:first])
        written = _written(lines, reversed(sections))
        return _Block(written[-1][0] if written else first, first, has_begin=False)
    if following < len(lines) and lines[following].strip() == _END:
        return _Block(first, following, has_begin=True)
    before, *sections = _sections(lines[first:following])
    is_beside = all(lines[first + number].strip()[:1] in (b"", b"#", b";") for number in before)
    written = _written(lines[first:], sections) if is_beside else []
    return _Block(first, first + written[-1][1] if written else first, has_begin=True)


def _sections(lines: list[bytes]) -> list[list[int]]:
    """Return the numbers of the lines of each section, after those of the lines before any."""
    sections: list[list[int]] = [[]]
    for number, line in enumerate(lines):
        if line.strip().startswith(b"["):
            sections.append([])
        sections[-1].append(number)
    return sections


def _written(lines: list[bytes], sections: Iterable[list[int]]) -> list[tuple[int, int]]:
    """Return the first line and the last line of ours of each of `sections`, up to one that configure did not write.

    configure writes a section for each host, and each has our helper.
    """
    found: dict[bytes, tuple[int, int]] = {}
    for header, *others in sections:
        host = lines[header].strip()
        pairs = {number: _pair(lines[number]) for number in others}
        ours = [number for number in others if _is_our_value(*pairs[number])]
        has_helper = any(pairs[number][0] == b"helper" and pairs[number][1] for number in ours)
        if host not in _HEADERS or host in found or not has_helper:
            break
        found[host] = header, ours[-1]
    return list(found.values())


def _without_blocks(content: bytes, file: str, environ: dict[bytes, bytes]) -> tuple[bytes, list[Setting], bytes]:
    """Return the text without what configure added, the settings that it must have, and the block that was there."""
    settings = _settings(content, file, environ)
    removed = b""
    while found := _find_block(lines := _split(content)):
        inside = lines[found.first : found.last + 1]
        before, block, after = (b"".join(part) for part in (lines[: found.first], inside, lines[found.last + 1 :]))
        begin = len(_settings(before, file, environ))
        end = len(_settings(before + block, file, environ))
        settings[begin:end] = [setting for setting in settings[begin:end] if not _is_ours(setting)]
        rest = _kept(inside, after) + after
        content = _joined(before, inside[0], rest) if found.has_begin else before + rest
        removed = block
    return content, settings, removed


def _joined(before: bytes, first: bytes, rest: bytes) -> bytes:
    """Return `before` without the line end that configure put before `first`, and `rest` in a line of its own."""
    eol = b"\r\n" if first.endswith(b"\r\n") and before.endswith(b"\r\n") else b"\n"
    own = before.removesuffix(eol)
    if own.endswith(b"\\") and rest:  # what follows would go on with its value
        return before + eol + rest
    is_complete = not own or (own.endswith(b"\n") and not own.rstrip(b"\r\n").endswith(b"\\"))
    return (own if is_complete or not rest else before) + rest


def _kept(block: list[bytes], after: bytes) -> bytes:
    """Return what a person or `git config` added to the block, under the header that it stood under."""
    kept = b""
    header = b""  # the last one of ours, until a line needs it
    in_ours = False
    for line in block:
        text = line.strip()
        if text in _HEADERS:
            header = line
            in_ours = True
        elif text.startswith(b"["):
            kept += line
            header = b""
            in_ours = False
        elif text in (b"", _BEGIN, _BEGIN_OF_FILE, _END):
            pass
        elif text.startswith((b"#", b";")):
            kept += line
        elif not in_ours or not _is_our_value(*_pair(line)):
            kept += header + line
            header = b""
    following = next((text for line in _split(after) if (text := line.strip()) and text[:1] not in b"#;"), b"[")
    return kept if following.startswith(b"[") else kept + header


def _pair(line: bytes) -> tuple[bytes, bytes]:
    """Return the name in lower case, and the value, of a line that sets one."""
    key, _, value = line.partition(b"=")
    return key.strip().lower(), value.strip()


def _is_ours(setting: Setting) -> bool:
    section, _, name = setting.key.rpartition(b".")
    return section in _SECTIONS and setting.value is not None and _is_our_value(name, setting.value)


def _is_our_value(name: bytes, value: bytes) -> bool:
    if name == b"helper":
        return not value or os.fsencode(PROGRAM) in value or _runs(value, _BY_NAME)
    return name == b"usehttppath" and value == b"true"


# git, and the file.


def _settings(content: bytes, file: str, environ: dict[bytes, bytes]) -> list[Setting]:
    """Return what git reads from `content`, the text of `file`, in its order. Raises Failed where it cannot."""
    done = _git(list_command("--file", "-", "--no-includes", with_scope=False), environ, content)
    if done.returncode != 0:
        complaint = _complaint(done).replace("standard input", shown(file))
        raise Failed(f"git cannot read its configuration, and nothing was changed: {complaint}")
    return read_settings(done.stdout, with_scope=False)


def _verify(content: bytes, expected: list[Setting], old: bytes, file: str, environ: dict[bytes, bytes]) -> None:
    """Raise Failed unless git reads `expected` from what is about to be written in the place of `old`."""
    if _settings(content, file, environ) != expected:
        lines = _split(old)
        block = _find_block(lines)
        number = 1 + (block.first if block else len(lines))
        raise Failed(
            f"{shown(file)}:{number}: nothing was changed, since other settings would change too: "
            f"edit the lines of {PROGRAM} there"
        )


def _git(
    command: list[str], environ: dict[bytes, bytes], text: bytes | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run git. With `text` on its standard input, it reads no configuration but that: any other may be broken."""
    environ = without_tokens(environ) | {b"LC_ALL": b"C"}
    folder = "/" if text is not None else None
    if text is not None:
        environ = {name: value for name, value in environ.items() if not name.startswith((b"GIT_", b"XDG_"))}
        # git before 2.32 does not know GIT_CONFIG_GLOBAL.
        environ |= {b"GIT_CONFIG_NOSYSTEM": b"1", b"GIT_CONFIG_GLOBAL": b"/dev/null", b"HOME": b"/dev/null"}
    try:
        return subprocess.run(command, input=text or b"", env=environ, cwd=folder, capture_output=True, check=False)
    except OSError as error:
        raise Failed(f"git cannot be run ({error.strerror}): is it installed, and on PATH?") from error


def _complaint(done: subprocess.CompletedProcess[bytes]) -> str:
    line = done.stderr.partition(b"\n")[0].removeprefix(b"fatal: ")
    return shown(line) or f"git ended with {done.returncode}"


def _file(target: Target, environ: dict[bytes, bytes]) -> str:
    """Return the path of the file itself, with symlinks followed. Source: git-config(1), FILES."""
    scope, path = target
    if path is None:
        path = _local(environ) if scope == "local" else _global(environ)
    return os.path.realpath(path)


def _local(environ: dict[bytes, bytes]) -> str:
    # The directory that all worktrees have in common: git reads this configuration in each of them.
    done = _git(["git", "rev-parse", "--git-common-dir"], environ)
    if done.returncode != 0:
        raise Failed(f"there is no repository whose configuration could be changed: {_complaint(done)}")
    return os.path.join(os.fsdecode(done.stdout.removesuffix(b"\n")), "config")


def _global(environ: dict[bytes, bytes]) -> str:
    named = environ.get(b"GIT_CONFIG_GLOBAL")
    if named == b"":
        raise Failed("GIT_CONFIG_GLOBAL is empty, so git has no configuration of yours. Try: unset GIT_CONFIG_GLOBAL")
    file = users_file(environ)
    if not file:
        yours = quoted(owner.home_of({}) or b"FOLDER")
        raise Failed(f"HOME is not set, so git has no configuration of yours. Try: export HOME={yours}")
    return file


def _read(file: str) -> bytes | None:
    """Return what is in `file`, or None where there is none. Raises OSError."""
    try:
        # Without O_NONBLOCK a FIFO would be waited for.
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(0, "it is no regular file")
    with os.fdopen(descriptor, "rb") as opened:
        return opened.read()


def _swap(file: str, old: bytes | None, new: bytes | None, target: Target, command: str) -> bool:
    """Put `new` in the place of `old`, under git's own lock; None is no file. False where `old` is there no longer.

    The file keeps its mode, and its owner and group where this user may give it away, as git does not even try.
    command: what its owner is to run where it is another user's. Raises OSError where it cannot be written, and Failed.
    """
    _refuse_file_of_others(file, old, target, command)
    lock = file + ".lock"
    try:
        descriptor = os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666 if old is None else 0o600)
    except FileExistsError:
        raise Failed(
            f"{shown(lock)} is there, so another program is changing that file: run this again, "
            "or remove the lock if that program has died"
        ) from None
    renamed = False
    try:
        with os.fdopen(descriptor, "wb") as opened:
            if _read(file) != old:
                return False
            if old is not None:
                status = os.stat(file)
                made = os.fstat(descriptor)
                if made.st_gid != status.st_gid:
                    files.if_possible(os.fchown, descriptor, -1, status.st_gid)
                if made.st_uid != status.st_uid:  # of a container's home
                    files.if_possible(os.fchown, descriptor, status.st_uid, -1)
                files.if_possible(os.fchmod, descriptor, stat.S_IMODE(status.st_mode))
            opened.write(new or b"")
            opened.flush()
            files.if_possible(os.fsync, descriptor)
        if new is None:
            os.unlink(file)
        else:
            os.rename(lock, file)
            renamed = True
        return True
    finally:
        if not renamed:
            os.unlink(lock)


def _refuse_file_of_others(file: str, old: bytes | None, target: Target, command: str) -> None:
    """Raise Failed where `file` would change owner, and OSError where it is read-only."""
    if old is not None:
        status = os.stat(file)
        # root may write to what is read-only, as is all in /nix/store, and should not.
        if not status.st_mode & 0o222 or not os.access(file, os.W_OK):
            raise PermissionError(0, "it is read-only")
        owner.refuse_another_users(file, command, or_root=True)
    elif target[0] == "global" and os.geteuid() == 0:  # sudo with the HOME of whoever called it
        owner.refuse_another_users(os.path.dirname(file), command, or_root=True)
