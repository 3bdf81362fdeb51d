"""What git would do for a URL: its settings, as git reads them, and the helpers that it would ask, in their order.

A setting for a URL counts if the URL matches; helpers add up over all that match, in the order of the files, and an
empty one forgets those before it. Source: gitcredentials(7), git-config(1) under `http.<url>.*`, and git's
credential.c and urlmatch.c. `git config --get-urlmatch` gives the best match alone, so it does not tell.
"""

import codecs
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple
from urllib.parse import quote_from_bytes, unquote_to_bytes

from git_credential_hf.cli.output import shown, without_passwords
from git_credential_hf.model import instead_of, token_text
from git_credential_hf.model.instead_of import INSTEAD_OF
from git_credential_hf.model.text import has_control
from git_credential_hf.state import safe_read

PROGRAM = "git-credential-hf"

STORES = ("/nix/store/", "/gnu/store/")  # what is in them is made elsewhere, and deleted once no profile leads to it

NO_SUCH_OPTION = 129  # the exit code of git for an option that it does not know

_PORTS = {b"https": b"443", b"http": b"80", b"ssh": b"22"}
_SCHEME = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*")
_NAMES_OURS = re.compile(rb"(?<![\w.-])git[- ]credential-hf(?![\w./-])")
_HOST = re.compile(rb"[A-Za-z0-9._\[\]*-][A-Za-z0-9._\[\]:*-]*")


class BadUrl(Exception):
    """What was given is no URL that git would take; the text says why."""


class Url(NamedTuple):
    """The parts of a URL as git's credential code takes them: decoded, the path without slashes around it."""

    scheme: bytes  # as it was written: git knows no HTTPS
    user: bytes | None
    password: bytes | None
    host: bytes  # with the port, as it was written
    path: bytes

    def name(self) -> bytes:
        """Return the host in lower case, without the port if that is the scheme's own."""
        host, port = _split_port(self)
        host = host.lower()
        return host if port in (b"", _PORTS.get(self.scheme.lower())) else host + b":" + port

    def host_name(self) -> bytes:
        """Return the host in lower case, without a port."""
        return _split_port(self)[0].lower()

    def has_token(self) -> bool:
        """Return whether there is a password in it, or a token in the place of a user."""
        return bool(self.password) or self._user_is_token()

    def _user_is_token(self) -> bool:
        return self.user is not None and token_text.may_be_token_for_user(os.fsdecode(self.user))

    def without_login(self) -> bytes:
        """Return the URL of git's, without user and password."""
        path = quote_from_bytes(self.path, safe="/~:@!$&'()*+,;=").encode()
        return b"%b://%b%b" % (self.scheme, self.host, b"/" + path if path else b"")

    def shown(self) -> str:
        """Return the URL for people, without a password, and without a user that is a token."""
        user = f"{shown(self.user)}@" if self.user and not self._user_is_token() else ""
        path = shown(self.path)
        return f"{self.scheme.decode()}://{user}{shown(self.host)}{'/' if path else ''}{path}"


def parse(text: bytes) -> Url:
    """Return the parts of `text`, SCHEME://[USER[:PASSWORD]@]HOST[:PORT][/PATH]. Raises BadUrl.

    Source: git's credential_from_url().
    """
    scheme, separator, rest = text.partition(b"://")
    if not separator:
        scp = re.fullmatch(rb"(?:([^/@:]+)@)?([^/@:]+):(.*)", text, re.DOTALL)
        if scp is None:
            raise BadUrl("a URL begins with https://")
        scheme, rest = b"ssh", (scp[1] + b"@" if scp[1] else b"") + scp[2] + b"/" + scp[3]
    if not _SCHEME.fullmatch(scheme):
        raise BadUrl("a URL begins with https://")
    authority = re.split(rb"[/?#]", rest, maxsplit=1)[0]
    login, at, host = authority.partition(b"@") if b"@" in authority else (b"", b"", authority)
    user, colon, password = login.partition(b":")
    path = unquote_to_bytes(rest[len(authority) :].lstrip(b"/")).rstrip(b"/")
    url = Url(
        scheme,
        unquote_to_bytes(user) if at else None,
        unquote_to_bytes(password) if colon else None,
        unquote_to_bytes(host),
        path,
    )
    if any(has_control(part) for part in url if part):
        raise BadUrl("the URL has a control character in it")
    if not url.host and url.scheme != b"file":
        raise BadUrl("the URL names no host")
    return url


class Setting(NamedTuple):
    """One line of git's configuration; `value` is None where there is no `=`."""

    key: bytes
    value: bytes | None
    scope: str  # system, global, local, worktree or command; unknown with a git before 2.26
    file: bytes  # empty for what no file says: git's own options and GIT_CONFIG_COUNT
    line: int  # 0 where it is not known

    def parts(self) -> tuple[bytes, bytes, bytes]:
        """Return the section, what stands between quotes (a URL or a name, or nothing) and the name."""
        section, _, rest = self.key.partition(b".")
        between, _, name = rest.rpartition(b".")
        return section, between, name

    def in_store(self) -> str:
        """Return the path of its file in a store, which nobody may change, empty where it is in none."""
        file = os.path.realpath(os.fsdecode(self.file)) if self.file else ""
        return file if file.startswith(STORES) else ""

    def where(self) -> str:
        """Return the place for people."""
        if not self.file:
            return "command line"
        return f"{shown(self.file)}:{self.line}" if self.line else shown(self.file)


# What the shell takes apart as shlex does, but for ~ and $HOME, which are left in it. Source: POSIX, Shell Command
# Language, 2.2 Quoting. Where a quoted text has one of these in it, it is not taken for simple.
_SIMPLE = re.compile(
    rb"""(?: \$HOME(?![A-Za-z0-9_]) | \$\{HOME\} | (?<=\S)[~#] | (?<!\S)~(?=/) | \\. | '[^'$~]*'
    | "(?: [^"\\$`~] | \\. | \$HOME(?![A-Za-z0-9_]) | \$\{HOME\} )*" | [^'"\\|&;<>()$`*?\[\]{}#~!\n] )*""",
    re.VERBOSE | re.DOTALL,
)
_HOME = re.compile(r"^~(?=/)|\$HOME|\$\{HOME\}")


def users_files(environ: dict[bytes, bytes]) -> list[str]:
    """Return the user's own files that git reads, in their order. Source: git-config(1), FILES."""
    if (named := environ.get(b"GIT_CONFIG_GLOBAL")) is not None:
        return [os.fsdecode(named)]
    home = os.fsdecode(environ.get(b"HOME", b""))
    if not home:
        return []
    folder = os.fsdecode(environ.get(b"XDG_CONFIG_HOME", b"")) or os.path.join(home, ".config")
    return [os.path.join(folder, "git/config"), os.path.join(home, ".gitconfig")]


def users_file(environ: dict[bytes, bytes]) -> str:
    """Return the one of these that `git config --global` changes, empty where there is none."""
    files = users_files(environ) or [""]
    return files[0] if not os.access(files[-1], os.R_OK) and os.access(files[0], os.R_OK) else files[-1]


def in_home(word: str, environ: dict[bytes, bytes]) -> str:
    """Return a word of a simple command with the user's home for ~ and $HOME."""
    return _HOME.sub(lambda _: os.fsdecode(environ.get(b"HOME", b"")), word)


class Helper(NamedTuple):
    """A helper that git's configuration names for the URL; `reset` is the empty helper that resets it, if any."""

    setting: Setting
    value: bytes
    reset: Setting | None

    def words(self) -> list[str]:
        """Return the command that git runs, in words, with ~ and $HOME in them; none where it is no simple command."""
        if not _SIMPLE.fullmatch(self.command()):
            return []
        try:
            return shlex.split(os.fsdecode(self.command()))
        except ValueError:
            return []

    def command(self) -> bytes:
        """Return the shell's command that git runs, without the action. Source: credential.c, credential_do()."""
        if self.value.startswith(b"!"):
            return self.value[1:]
        return self.value if self.value.startswith(b"/") else b"git credential-" + self.value

    def is_ours(self) -> bool:
        """Return whether it is this program, by whatever path or name."""
        words = self.words()
        return bool(words) and (os.path.basename(words[0]) == PROGRAM or words[:2] == ["git", "credential-hf"])

    def may_be_ours(self) -> bool:
        """Return whether it may start this program, as `env A=B git-credential-hf` does: the shell alone knows."""
        is_command = self.value.startswith((b"!", b"/")) or not self.words()
        return is_command and not self.is_ours() and _NAMES_OURS.search(self.command()) is not None

    def arguments(self) -> list[bytes]:
        """Return the options of a helper that is ours."""
        words = self.words()
        return [os.fsencode(one) for one in (words[2:] if words[0] == "git" else words[1:])]

    def program(self, environ: dict[bytes, bytes]) -> str | None:
        """Return the path of the program that git would start; None where there is none, or the shell decides."""
        words = self.words()
        name = f"git-{words[1]}" if words[:1] == ["git"] and len(words) > 1 else words[0] if words else ""
        found = which(in_home(name, environ), environ) if name else None
        if found is None and name.startswith("git-"):  # git looks among its own programs, too
            folder = (run(["git", "--exec-path"], environ) or b"").strip()
            found = shutil.which(name, path=os.fsdecode(folder)) if folder else None
        return found

    def is_script(self) -> bool:
        """Return whether the value is shell code, of which only the shell knows what it starts."""
        return self.value.startswith(b"!") and not self.is_ours()

    def shown(self) -> str:
        """Return the value for people. Shell code may have a token in it, so of that the first word alone."""
        if self.is_script():
            first = self.value[1:].split(maxsplit=1)[:1]
            return "!" + without_passwords(first[0] if first else b"") + " ..."
        return without_passwords(self.value)


class Configuration:
    """git's settings; `complaint` is what git says where it cannot read them, empty if all is well."""

    def __init__(self, settings: list[Setting], complaint: str = "") -> None:
        self.settings = settings
        self.complaint = complaint

    def value(self, key: bytes) -> Setting | None:
        """Return the last setting of that name."""
        return next((setting for setting in reversed(self.settings) if setting.key == key), None)

    def helpers(self, url: Url) -> list[Helper]:
        """Return every helper that the settings name for `url`, in the order in which git would ask."""
        helpers: list[Helper] = []
        for name, setting in self._of_credential(url):
            if name != b"helper" or setting.value is None:
                continue
            if setting.value:
                helpers.append(Helper(setting, setting.value, None))
            else:
                helpers = [helper._replace(reset=helper.reset or setting) for helper in helpers]
        return helpers

    def credential(self, name: bytes, url: Url, *, but: Sequence[Setting] = ()) -> Setting | None:
        """Return the setting of credential.* by that name that counts for `url`: the last one, `but` those left out."""
        found = [setting for one, setting in self._of_credential(url) if one == name and setting not in but]
        return found[-1] if found else None

    def resets(self, url: Url) -> list[Setting]:
        """Return the empty helpers that count for `url`, each of which has git forget those before it."""
        return [setting for name, setting in self._of_credential(url) if (name, setting.value) == (b"helper", b"")]

    def unreadable(self, url: Url) -> list[Setting]:
        """Return the settings of credential.* that count for `url` and that git stops at."""
        return [
            setting
            for name, setting in self._of_credential(url)
            if setting.value is None or (name == b"usehttppath" and is_true(setting.value) is None)
        ]

    def authorizations(self, url: Url) -> list[Setting]:
        """Return the http.extraHeader settings that put an Authorization header into requests for `url`."""
        best = (-1, -1, False)
        found: list[Setting] = []
        for name, setting, rank in self._ranked(b"http", url):
            if name != b"extraheader" or setting.value is None or rank < best:
                continue
            best = rank
            found = [*found, setting] if setting.value else []
        return [one for one in found if (one.value or b"").partition(b":")[0].strip().lower() == b"authorization"]

    def rewritten(self, text: bytes, name: bytes = INSTEAD_OF) -> tuple[bytes, Setting] | None:
        """Return what url.*.insteadOf makes of a URL and the setting that does, or None."""
        found = instead_of.rewritten(text, [(one.key, one.value) for one in self.settings], name)
        return None if found is None else (found[0], self.settings[found[1]])

    def remotes(self) -> list[tuple[bytes, Url, Setting]]:
        """Return the name, the URL and the setting of each remote of the repository that has a URL with a host."""
        return [(one.parts()[1], url, one) for one, url in self._urls((), (b"url", b"pushurl"))]

    def lfs_urls(self) -> list[tuple[Setting, Url]]:
        """Return the settings that name a URL for git-lfs alone, each with that."""
        return self._urls((b"lfs.url", b"lfs.pushurl"), (b"lfsurl", b"lfspushurl"))

    def _urls(self, keys: tuple[bytes, ...], of_remote: tuple[bytes, ...]) -> list[tuple[Setting, Url]]:
        """Return each setting of `keys`, or by a name of `of_remote` in a remote, that has a URL, with that."""
        found = []
        for setting in self.settings:
            section, _, variable = setting.parts()
            if (setting.key in keys or (section == b"remote" and variable in of_remote)) and setting.value:
                try:
                    found.append((setting, parse(setting.value)))
                except BadUrl:
                    continue
        return found

    def at_host(self, host: bytes) -> tuple[list[Setting], bool]:
        """Return what may name a helper for a URL of `host`, whatever its path, and whether the path is sent for sure.

        An include, which may bring more helpers, counts as one.
        """
        chain: list[Setting] = []
        with_path = False
        for setting in self.settings:
            section, pattern, name = setting.parts()
            if section in (b"include", b"includeif"):
                chain.append(setting)
            elif section == b"credential" and may_match(pattern, host):
                is_sure = pattern in (b"", b"https://" + host)
                if name == b"helper":
                    chain = [] if is_sure and setting.value == b"" else [*chain, setting]
                elif name == b"usehttppath":
                    with_path = is_true(setting.value) is True and (is_sure or with_path)
        return chain, with_path

    def last_at_host(self, name: bytes, host: bytes) -> Setting | None:
        """Return the last setting of credential.* by that name that may count for a URL of `host`."""
        for setting in reversed(self.settings):
            section, pattern, variable = setting.parts()
            if section == b"credential" and variable == name and may_match(pattern, host):
                return setting
        return None

    def _of_credential(self, url: Url) -> Iterable[tuple[bytes, Setting]]:
        """Return name and setting of credential.* for `url`."""
        return ((name, setting) for name, setting, _ in self._ranked(b"credential", url))

    def _ranked(self, section: bytes, url: Url) -> Iterable[tuple[bytes, Setting, tuple[int, int, bool]]]:
        """Return name, setting and how well it matches, for each setting of `section` that is for `url`."""
        for setting in self.settings:
            of, pattern, name = setting.parts()
            if of != section:
                continue
            rank = match(pattern, url) if pattern else (0, 0, False)
            if rank is not None and (section == b"credential" or not pattern or _normal(pattern)):
                yield name, setting, rank


# Matching.


def match(pattern: bytes, url: Url) -> tuple[int, int, bool] | None:
    """Return how well a section's URL matches `url` (length of its host, of its path, whether it names the user)."""
    wanted = _normal(pattern)
    if wanted is None:
        return (0, 0, False) if _matches_partly(pattern, url) else None
    have = _normal(b"%b://%b/%b" % (url.scheme, url.host, url.path))
    if have is None or wanted.scheme != have.scheme or (wanted.user is not None and wanted.user != url.user):
        return None
    (wanted_host, wanted_port), (host, port) = _split_port(wanted), _split_port(have)
    labels, wanted_labels = host.split(b"."), wanted_host.split(b".")
    if port != wanted_port or len(labels) != len(wanted_labels):
        return None
    if any(one not in (b"*", label) for one, label in zip(wanted_labels, labels, strict=True)):
        return None
    path = wanted.path.rstrip(b"/")
    if path and have.path != path and not have.path.startswith(path + b"/"):
        return None
    return len(wanted_host), len(path), wanted.user is not None


def may_match(pattern: bytes, host: bytes) -> bool:
    """Return whether a section's URL is, or might be, one for some URL of `host` over https."""
    scheme, separator, rest = pattern.rpartition(b"://")
    wanted = rest.partition(b"/")[0].rpartition(b"@")[2].lower().removesuffix(b":443")
    return (not separator or scheme.lower() == b"https") and (not wanted or fnmatchcase(host, wanted))


def _matches_partly(pattern: bytes, url: Url) -> bool:
    """Return whether a section that is no whole URL (`huggingface.co`, `https://`) is for `url`."""
    scheme, separator, rest = pattern.rpartition(b"://")
    authority = re.split(rb"[/?#]", rest, maxsplit=1)[0]
    path = unquote_to_bytes(rest[len(authority) :].lstrip(b"/")).rstrip(b"/")
    login, at, host = authority.rpartition(b"@")
    user = login.partition(b":")[0]
    wanted = (scheme if separator else b"", unquote_to_bytes(host), path, unquote_to_bytes(user) if at else b"")
    have = (url.scheme, url.host, url.path, url.user)
    return all(not one or one == other for one, other in zip(wanted, have, strict=True))


def _normal(text: bytes) -> Url | None:
    """Return a URL as git compares it, or None where it is no whole one. Source: urlmatch.c, url_normalize."""
    scheme, separator, rest = text.partition(b"://")
    authority, _, path = rest.partition(b"/")
    login, at, host = authority.rpartition(b"@")
    host = host.lower()
    if not separator or not _SCHEME.fullmatch(scheme) or not _HOST.fullmatch(host):
        return None
    segments: list[bytes] = []
    for segment in unquote_to_bytes(path).split(b"/"):
        if segment == b"..":
            if not segments:
                return None
            segments.pop()
        elif segment != b".":
            segments.append(segment)
    user = unquote_to_bytes(login.partition(b":")[0]) if at else None
    return Url(scheme.lower(), user, None, host, b"/".join(segments))


def _split_port(url: Url) -> tuple[bytes, bytes]:
    host, colon, port = url.host.rpartition(b":")
    if not colon or port.endswith(b"]"):
        host, port = url.host, b""
    return host, port or _PORTS.get(url.scheme.lower(), b"")


# Reading.


def list_command(*where: str, with_scope: bool = True) -> list[str]:
    """Return the command whose output read_settings takes.

    where: options of git config that say which file is read.
    with_scope: git before 2.26 does not know --show-scope, and ends with NO_SUCH_OPTION.
    """
    return ["git", "config", *where, "--list", "--show-origin", *["--show-scope"][:with_scope], "-z"]


def read_settings(output: bytes, *, with_scope: bool = True) -> list[Setting]:
    """Return the settings in what list_command() wrote, each with the line of its file."""
    fields = output.split(b"\0")[:-1]
    width = 3 if with_scope else 2
    scopes = fields[::3] if with_scope else [b"unknown"] * len(fields)
    settings = []
    lines: dict[bytes, dict[bytes, list[int]]] = {}
    for scope, origin, entry in zip(scopes, fields[width - 2 :: width], fields[width - 1 :: width], strict=False):
        key, separator, value = entry.partition(b"\n")
        kind, _, name = origin.partition(b":")
        file = os.path.abspath(name) if kind == b"file" else b""
        line = 0
        if key.startswith((b"credential.", b"http.", b"url.", b"remote.", b"core.askpass", b"filter.lfs.")) and file:
            if file not in lines:
                lines[file] = _lines(file)
            numbers = lines[file].get(key, [])
            line = numbers.pop(0) if numbers else 0
        settings.append(Setting(key, value if separator else None, shown(scope), file, line))
    return settings


_SECTION = re.compile(rb'\s*\[\s*([A-Za-z0-9.-]+)(?:\s+"((?:[^"\\\n]|\\.)*)")?\s*\]')
_VARIABLE = re.compile(rb"\s*([A-Za-z][A-Za-z0-9-]*)\s*(?:=|$|[#;])")


def _lines(file: bytes) -> dict[bytes, list[int]]:
    """Return on which lines of a configuration file each key stands, in their order. Source: git-config(1), Syntax."""
    text = safe_read.read(file, 1 << 20)
    found: dict[bytes, list[int]] = {}
    section = b""
    continued = False
    for number, line in enumerate(text.removeprefix(codecs.BOM_UTF8).split(b"\n"), 1):
        rest = line.rstrip(b"\r")
        was_continued, continued = continued, _is_continued(rest)
        if was_continued:
            continue
        if header := _SECTION.match(rest):
            section = header[1].lower()
            if header[2] is not None:
                section += b"." + re.sub(rb"\\(.)", rb"\1", header[2])
            rest = rest[header.end() :]
        if variable := _VARIABLE.match(rest):
            found.setdefault(section + b"." + variable[1].lower(), []).append(number)
    return found


def _is_continued(line: bytes) -> bool:
    """Return whether a value continues on the next line: a backslash ends this one, outside a comment."""
    code = re.match(rb'(?:[^\\"#;]|\\.|"(?:[^"\\]|\\.)*")*', line)
    return code is not None and line[code.end() :].lstrip(b'"') == b"\\"


_NUMBER = re.compile(rb"\s*[+-]?(?:0x([0-9a-f]+)|(0[0-7]*|[1-9][0-9]*))[kmg]?")


def is_true(value: bytes | None) -> bool | None:
    """Return whether a value says yes, as git reads it; None for what git stops at. Source: git-config(1), boolean.

    value: None where there is no `=`, which says yes everywhere but in credential.*.
    """
    if value is None:
        return True
    value = value.lower()
    if number := _NUMBER.fullmatch(value):
        return bool((number[1] or number[2]).strip(b"0"))
    if value in (b"true", b"yes", b"on"):
        return True
    return False if value in (b"false", b"no", b"off", b"") else None


# Running.


def run(command: list[str], environ: dict[bytes, bytes]) -> bytes | None:
    """Run a program of git's; return what it prints, or None where it fails or cannot be run."""
    try:
        done = subprocess.run(
            command, env=environ, stdin=subprocess.DEVNULL, capture_output=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout


def which(name: str, environ: dict[bytes, bytes]) -> str | None:
    """Return the path of a program that PATH has."""
    return shutil.which(name, path=os.fsdecode(environ.get(b"PATH", b"")))
