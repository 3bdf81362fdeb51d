"""The attacks of tests/attacks.py on this helper and its peers: see scripts/attacks."""

import argparse
import contextlib
import functools
import itertools
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from jeepney import DBusAddress
from jeepney.wrappers import new_signal

from benchmarks import install, page
from tests.attacks import (
    ALICE,
    ALL,
    ATTACKS,
    BEARER,
    HUB,
    ORGANISATION,
    OTHER,
    OTHER_HOST,
    OURS,
    SCOPE,
    SILENT,
    TOKEN,
    TOLD,
    Attack,
    Told,
    request,
)  # fmt: skip
from tests.providers import GnomeKeyring
from tests.secret_service.fake_bus import bus, serialised

_LIMIT = 20  # seconds for one answer
_PAGE = install.ROOT / "docs" / "security.md"
_SCRIPT = "scripts/attacks"
_MOST_NAMES = 12


@dataclass(frozen=True)
class Hostile:
    """A session bus that is none of the user's, or does not answer.

    owner: the user that it belongs to, None for the one that asks. answers: what it sends again and again once it has
    let the helper in, empty for nothing.
    """

    kind: str
    name: str
    owner: int | None = None
    answers: bytes = b""


_FOREIGN = "the helper uses another user's bus"
_FLOOD = "the helper waits for a bus that stalls or floods"
_PATIENCE = 5.0  # seconds, for a helper with a limit of two
_SIGNAL = serialised(new_signal(DBusAddress("/a", interface="org.freedesktop.DBus"), "NameAcquired", "s", (":1.1",)))
HOSTILE = [
    Hostile(_FOREIGN, "of the user 65534", 65534),
    Hostile(_FLOOD, "it sends nothing"),
    Hostile(_FLOOD, "it sends signals without end", None, _SIGNAL * 100),
]
_EVERY: list[Attack | Told | Hostile] = [*ATTACKS, *TOLD, *HOSTILE]


class Useless(Exception):
    """A helper does not answer what it should, so that its silence would mean nothing. The text is its stderr."""


@dataclass
class Subject:
    """One helper, with the tokens that its store is full of."""

    name: str
    command: list[str]
    environ: dict[str, str]
    fill: Callable[["Subject"], None]
    leaks: set[Attack | Told | Hostile] = field(default_factory=set)

    def ask(
        self, data: bytes, action: str = "get", *, limit: float = _LIMIT, **more: str
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [*self.command, action],
            input=data,
            env=self.environ | more,
            capture_output=True,
            timeout=limit,
            check=False,
        )

    def store(self, mark: str, more: bytes = OURS) -> None:
        username = b"" if b"username=" in more else b"username=hf_user\n"
        self.ask(more + username + f"password={_token(mark)}\n".encode(), "store")


class Served(Subject):
    """This helper's `serve`, which is sent every attack over its socket."""

    def ask(
        self, data: bytes, action: str = "get", *, limit: float = _LIMIT, **more: str
    ) -> subprocess.CompletedProcess[bytes]:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection, contextlib.suppress(OSError):
            connection.settimeout(limit)
            connection.connect(self.command[-1])
            try:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
            except BrokenPipeError:
                pass  # it has heard enough
            return subprocess.CompletedProcess(self.command, 0, b"".join(iter(lambda: connection.recv(4096), b"")), b"")
        return subprocess.CompletedProcess(self.command, 1, b"", b"")


def main() -> int:
    """Attack every helper, print who leaks how often, write the page; return the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/attacks", description="Attack this helper and its peers.")
    parser.add_argument(
        "--quick", action="store_true", help="a few of the attacks on what is there; nothing is installed or written"
    )
    given = parser.parse_args()
    attacks = ATTACKS[::10] if given.quick else ATTACKS
    try:
        programs = install.what_is_there() if given.quick else install.with_newest(install.everything())
    except install.Missing as reason:
        print(f"attacks: {reason}", file=sys.stderr)
        return 1
    with contextlib.ExitStack() as exits:
        folder = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="attacks.")))
        subjects = _subjects(programs, folder, exits)
        for subject in subjects:
            with ThreadPoolExecutor(2) as pool:
                leaked = list(pool.map(functools.partial(_leaks, subject), attacks))
            subject.leaks = {attack for attack, leaks in zip(attacks, leaked, strict=True) if leaks}
            count = len(attacks)
            if not isinstance(subject, Served):  # which takes neither store nor erase, and no bus of whoever asks
                subject.leaks |= {told for told in TOLD if _loses(subject, told)}
                subject.leaks |= {hostile for hostile in HOSTILE if _falls_for(subject, hostile)}
                count += len(TOLD) + len(HOSTILE)
            print(f"{subject.name}: {len(subject.leaks)} of {count}")
    if not given.quick:
        _PAGE.write_text(page.with_part(_PAGE.read_text(), _SCRIPT, _part(subjects, programs)))
    return 1 if any(subject.leaks for subject in subjects if subject.name in _OURS) else 0


def _leaks(subject: Subject, attack: Attack) -> bool:
    try:
        done = subject.ask(attack.data)
    except subprocess.TimeoutExpired:
        return False
    return bool({mark for mark in ALL if mark.encode() in done.stdout + done.stderr} - {attack.may})


def _loses(subject: Subject, told: Told) -> bool:
    """Return whether the helper no longer gives the token, to a request that all of them answer, once told that."""
    subject.ask(OURS, "erase")  # what an earlier one has left
    subject.fill(subject)
    for action, data in told.steps:
        subject.ask(data.replace(TOKEN, _token(HUB).encode()), action)
    return _token(HUB).encode() not in subject.ask(OURS).stdout


def _falls_for(subject: Subject, hostile: Hostile) -> bool:
    """Return whether the helper speaks to a bus of another user, or does not come to an end with one that floods."""
    spoken = []

    def script(connection: socket.socket) -> None:
        spoken.append(_let_in(connection))
        while hostile.answers or connection.recv(4096):
            connection.sendall(hostile.answers)

    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        environ = {"XDG_RUNTIME_DIR": folder}
        with bus(environ, script, owner=hostile.owner):
            try:
                subject.ask(OURS, limit=_PATIENCE, DBUS_SESSION_BUS_ADDRESS=environ["DBUS_SESSION_BUS_ADDRESS"])
                is_late = False
            except subprocess.TimeoutExpired:
                is_late = True
    return bool(spoken) if hostile.owner is not None else is_late


def _let_in(connection: socket.socket) -> bytes:
    """Do a bus's part of the handshake with any client; return what it sends behind it, once it has begun."""
    data = b""
    while True:
        line, end, rest = data.partition(b"\r\n")
        if not end:
            received = connection.recv(4096)
            if not received:
                raise ConnectionResetError
            data += received
            continue
        data, words = rest, line.lstrip(b"\0").split(b" ")
        if words[0] == b"BEGIN":
            return data
        if words == [b"AUTH"]:
            answer = b"REJECTED EXTERNAL"
        elif words == [b"AUTH", b"EXTERNAL"]:
            answer = b"DATA"
        elif words[0] in (b"AUTH", b"DATA"):
            answer = b"OK 0123456789abcdef0123456789abcdef"
        else:
            answer = b"ERROR"
        connection.sendall(answer + b"\r\n")


def _token(mark: str) -> str:
    return f"hf_{mark}0123456789aBcDeF"


def _subjects(programs: install.Programs, folder: Path, exits: contextlib.ExitStack) -> list[Subject]:
    """Return every helper that is here, this one first, each with a home and a keyring of its own."""
    ours = next(iter(programs.ours.values())).path
    found: list[Subject] = []
    numbers = itertools.count()

    def add(name: str, program: str | None, fill: Callable[[Subject], None], *arguments: str, **more: str) -> None:
        if not program:
            return
        keyring = exits.enter_context(contextlib.closing(GnomeKeyring(folder / f"k{next(numbers)}")))
        subject = Subject(name, [program, *arguments], keyring.bus.environ() | more, fill)
        try:
            fill(subject)
            answer = subject.ask(OURS + b"username=hf_user\n")
            if b"password=hf_" not in answer.stdout:
                raise Useless(answer.stderr.decode(errors="replace").strip())
        except (Useless, OSError, subprocess.SubprocessError) as reason:
            programs.missing[name] = f"it did not answer for huggingface.co{f': {reason}' if str(reason) else ''}"
            return
        found.append(subject)

    def peer(name: str) -> str | None:
        program = programs.peers.get(name)
        return program.path if program else None

    add("git-credential-hf", ours, _seeded, "--host", OTHER_HOST)
    if found and (served := _served(found[0], ours, folder, exits)):
        found.append(served)
    add("libsecret", peer("git-credential-libsecret"), _stored)
    add("store", peer("git-credential-store"), _stored, f"--file={folder}/credentials")
    cache = Path(peer("git-credential-store") or "").with_name("git-credential-cache")
    socket = folder / "cache" / "socket"
    socket.parent.mkdir(mode=0o700)
    if cache.exists():
        exits.callback(lambda: subprocess.run([cache, f"--socket={socket}", "exit"], check=False))
        add("cache", str(cache), _stored, f"--socket={socket}")
    add(
        "GCM", peer("git-credential-manager"), _stored,
        GCM_CREDENTIAL_STORE="plaintext", GCM_PLAINTEXT_STORE_PATH=str(folder / "gcm"), GCM_PROVIDER="generic",
        GCM_INTERACTIVE="never", DOTNET_SYSTEM_GLOBALIZATION_INVARIANT="1",
    )  # fmt: skip
    add("gh", peer("gh"), _hosts_of_gh, "auth", "git-credential")
    add("libsecret, newest", peer("git-credential-libsecret, newest"), _stored)
    add("gh, newest", peer("gh, newest"), _hosts_of_gh, "auth", "git-credential")
    add("glab, newest", peer("glab, newest"), _hosts_of_glab, "auth", "git-credential")
    add("oauth, newest", peer("git-credential-oauth, newest"), lambda _: None)
    gpg = {"GNUPGHOME": str(folder / "gpg"), "PASSWORD_STORE_DIR": str(folder / "pass")}
    if peer("pass-git-helper") and peer("pass"):
        _fill_pass(folder, gpg, exits)
    for name, pattern in (("pass-git-helper", "huggingface.co"), ("pass-git-helper, *", "huggingface.co*")):
        add(name, peer("pass-git-helper"), functools.partial(_mapped, pattern), **gpg)
    return found


def _served(subject: Subject, program: str, folder: Path, exits: contextlib.ExitStack) -> Served | None:
    """Return `serve` with the same tokens as `subject`, None where it does not start."""
    listening = str(folder / "serve.sock")
    command = [program, "serve", "--socket", listening]
    process = exits.enter_context(
        subprocess.Popen(command, env=subject.environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    )
    exits.callback(process.terminate)
    if process.stdout is None or not process.stdout.readline():
        return None
    # What it tells of each answer is not looked at, and must not be waited for.
    exits.enter_context(ThreadPoolExecutor(1)).submit(process.stdout.read)
    exits.callback(process.terminate)
    return Served("serve", command, subject.environ, subject.fill)


def _stored(subject: Subject) -> None:
    """Let the helper itself store what it would have been given by git; what is asked for most comes last."""
    subject.store(SCOPE, OURS + f"path={ORGANISATION}/model\n".encode())
    subject.store(ALICE, OURS + b"username=alice\n")
    subject.store(OTHER, request(OTHER_HOST))
    subject.store(HUB)


def _seeded(subject: Subject) -> None:
    for mark, scope in ((HUB, []), (SCOPE, ["--scope", ORGANISATION])):
        command = [subject.command[0], "seed", "--from", "-", *scope]
        subprocess.run(command, input=_token(mark).encode(), env=subject.environ, capture_output=True, check=True)
    subject.store(ALICE, OURS + b"username=alice\n")
    bearer = f"username=carol\ncapability[]=authtype\nauthtype=Bearer\ncredential={_token(BEARER)}\n"
    subject.ask(OURS + bearer.encode(), "store")
    subject.store(OTHER, request(OTHER_HOST))


def _hosts_of_gh(subject: Subject) -> None:
    file = Path(subject.environ["XDG_CONFIG_HOME"]) / "gh" / "hosts.yml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"huggingface.co:\n    oauth_token: {_token(HUB)}\n    user: hf_user\n    git_protocol: https\n")


def _hosts_of_glab(subject: Subject) -> None:
    file = Path(subject.environ["XDG_CONFIG_HOME"]) / "glab-cli" / "config.yml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text(f"hosts:\n    huggingface.co:\n        token: {_token(HUB)}\n        git_protocol: https\n")


def _fill_pass(folder: Path, gpg: dict[str, str], exits: contextlib.ExitStack) -> None:
    environ = os.environ | gpg
    (folder / "gpg").mkdir(mode=0o700)
    exits.callback(subprocess.run, ["gpgconf", "--kill", "all"], env=environ, check=False)

    def run(*command: str, input: str = "") -> None:
        subprocess.run(command, input=input.encode(), env=environ, capture_output=True, check=True)

    run("gpg", "--batch", "--quiet", "--passphrase", "", "--quick-generate-key", "hf_user")
    run("pass", "init", "hf_user")
    run("pass", "insert", "--multiline", "hub", input=_token(HUB))


def _mapped(pattern: str, subject: Subject) -> None:
    file = Path(subject.environ["XDG_CONFIG_HOME"]) / "pass-git-helper" / "git-pass-mapping.ini"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"[{pattern}]\ntarget=hub\n")


# --- the page ----------------------------------------------------------------------------------------------


def _part(subjects: list[Subject], programs: install.Programs) -> str:
    """Return the part of docs/security.md that has the figures."""
    kinds = list(dict.fromkeys(attack.kind for attack in _EVERY))
    lines = [
        f"`{_SCRIPT}` makes this table: {len(ATTACKS)} requests, {len(TOLD)} times that git says `store` or `erase`, "
        f"and {len(HOSTILE)} hostile buses. A helper may wait {_PATIENCE:g} seconds for a bus.",
        "",
        f"| | attacks | {' | '.join(subject.name for subject in subjects)} |",
        f"|---|---|{'---|' * len(subjects)}",
    ]
    for kind in [*kinds, ""]:
        attacks = [attack for attack in _EVERY if kind in ("", attack.kind)]
        counts = [str(sum(attack in subject.leaks for attack in attacks)) for subject in subjects]
        lines.append(f"| {kind or '**all**'} | {len(attacks)} | {' | '.join(counts)} |")
    lines += ["", "Well-formed requests that must get no token, and got one, by helper:", ""]
    for subject in subjects:
        names = [attack.name for attack in ATTACKS if attack in subject.leaks and attack.outcome == SILENT]
        lines.append(f"- **{subject.name}**: {_listed(names)}")
    lines += [
        "",
        "Malformed requests that got a token, and requests that got the token of the wrong user or scope, by helper:",
        "",
    ]
    for subject in subjects:
        names = [attack.name for attack in ATTACKS if attack in subject.leaks and attack.outcome != SILENT]
        lines.append(f"- **{subject.name}**: {_listed(names)}")
    lines += [
        "",
        "Attacks after which the helper no longer gave the right token, used another user's bus or waited too long, "
        "by helper:",
        "",
    ]
    for subject in subjects:
        names = [f"{one.kind}: {one.name}" for one in (*TOLD, *HOSTILE) if one in subject.leaks]
        lines.append(f"- **{subject.name}**: {_listed(names)}")
    lines += ["", "### Versions", ""]
    versions = {**{"git-credential-hf": "this checkout"}, **{name: one.version for name, one in programs.peers.items()}}
    for subject in subjects:
        program = next(
            (name for name in versions if name.endswith(_LONG.get(subject.name, subject.name))), subject.name
        )
        shown = _SHOWN.get(subject.name, program)
        lines.append(f"- **{subject.name}**: {shown}, {versions.get(program, '')}{_ABOUT.get(subject.name, '')}")
    not_attacked = {name: why for name, why in programs.missing.items() if name in (*_LONG, *_LONG.values())}
    lines += [f"- **{name}**: {_LONG.get(name, name)}, was not attacked: {why}" for name, why in not_attacked.items()]
    return "\n".join(lines) + "\n"


# The names of the programs where those in the table are shorter.
_LONG = {
    "libsecret": "git-credential-libsecret",
    "serve": "git-credential-hf",
    "store": "git-credential-store",
    "cache": "git-credential-store",
    "libsecret, newest": "git-credential-libsecret, newest",
    "oauth, newest": "git-credential-oauth, newest",
    "GCM": "git-credential-manager",
    "pass-git-helper, *": "pass-git-helper",
}
_SHOWN = {"cache": "git-credential-cache"}  # which comes with the same git as git-credential-store
_OURS = ("git-credential-hf", "serve")
_ABOUT = {
    "serve": ", asked over its socket",
    "git-credential-hf": ", also with the token in the token file",
    "GCM": ", with its plain-text store and its generic provider",
    "gh": ", with huggingface.co in its hosts.yml",
    "gh, newest": ", with huggingface.co in its hosts.yml",
    "glab, newest": ", with huggingface.co in its config.yml",
    "pass-git-helper": ", with the mapping `[huggingface.co]`",
    "pass-git-helper, *": ", with the pattern `[huggingface.co*]`",
}


def _listed(names: list[str]) -> str:
    if not names:
        return "none"
    shown = "; ".join(f"`{name}`" for name in names[:_MOST_NAMES])
    more = len(names) - _MOST_NAMES
    return f"{shown}; and {more} more" if more > 0 else shown


if __name__ == "__main__":
    sys.exit(main())
