"""A token is seen by nobody it is not for: not in an argument, a child's environment, a message, a trace or a file.

Every command and every way of failing runs under strace, which tells each program that is started, with its arguments
and its environment, however short it lives.
"""

import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest

from git_credential_hf.cli.commands import seed as seed_command
from git_credential_hf.cli.parser import COMMANDS
from git_credential_hf.options import ACTIONS
from tests.conftest import EXECUTABLE, Environment, run_call, run_process
from tests.keyring_items import Items

MARK = "MaRkEd0123456789"
TOKEN = f"hf_{MARK}aBcDeFgHiJkL"
ROTATED = f"hf_{MARK}rOtAtEd"
OURS = "protocol=https\nhost=huggingface.co\n"

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="NOT TESTED: strace is not installed")


@dataclass(frozen=True)
class Case:
    """A run of the program. {tmp} stands for the folder of the test, {source} for a private file with the token.

    prepare: what is done to the environment and the folder before.
    prefix: what the program is run by.
    answers: whether it is for standard output to have the token.
    code: the exit code.
    """

    name: str
    command: str
    input: str = ""
    prepare: Callable[[Environment, Path], None] = lambda environment, folder: None
    prefix: tuple[str, ...] = ()
    answers: bool = False
    code: int = 0


def write(file: Path, text: str, mode: int = 0o600) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(mode)


def environ(**more: str) -> Callable[[Environment, Path], None]:
    return lambda environment, folder: environment.update(
        {name: value.format(tmp=folder) for name, value in more.items()}
    )


def source(text: str, mode: int = 0o600) -> Callable[[Environment, Path], None]:
    return lambda environment, folder: write(folder / "source", text, mode)


def cache(environment: Environment) -> Path:
    return Path(environment["HOME"], ".cache/huggingface/token")


def cached(text: str = TOKEN, stored: str = "") -> Callable[[Environment, Path], None]:
    def prepare(environment: Environment, folder: Path) -> None:
        write(cache(environment), text)
        write(cache(environment).with_name("stored_tokens"), stored)

    return prepare


def in_the_way(kind: str) -> Callable[[Environment, Path], None]:
    def prepare(environment: Environment, folder: Path) -> None:
        place = cache(environment)
        place.parent.mkdir(parents=True)
        if kind == "a link":
            write(folder / "elsewhere", ROTATED)
            place.symlink_to(folder / "elsewhere")
        elif kind == "a FIFO":
            os.mkfifo(place)
        else:
            place.mkdir()

    return prepare


def in_keyring(environment: Environment, folder: Path) -> None:
    run_process(("seed", "--from", "-", "--no-cache"), TOKEN.encode(), environment)


def refused(environment: Environment, folder: Path) -> None:
    cached()(environment, folder)
    run_process(("erase",), f"{OURS}username=hf_user\npassword={TOKEN}\n".encode(), environment)


def hf(script: str) -> Callable[[Environment, Path], None]:
    """A login that has expired, and an `hf` that does as the script says."""

    def prepare(environment: Environment, folder: Path) -> None:
        login = f"[oauth-alice]\nhf_token = {TOKEN}\nrefresh_token = {MARK}\nexpires_at = 1000000000\n"
        cached(stored=login)(environment, folder)
        write(folder / "bin/hf", f"#!/bin/sh\n{script}\n", 0o700)
        environment["PATH"] = f"{folder}/bin:{environment['PATH']}"

    return prepare


def no_state(environment: Environment, folder: Path) -> None:
    cached()(environment, folder)
    for place in (".local", "run/git-credential-hf", f"git-credential-hf-{os.geteuid()}"):
        (Path(environment["HOME"], place) if place == ".local" else folder / place).touch()


def no_bus(environment: Environment, folder: Path) -> None:
    environment["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=/nonexistent"


def both(*prepares: Callable[[Environment, Path], None]) -> Callable[[Environment, Path], None]:
    def prepare(environment: Environment, folder: Path) -> None:
        for one in prepares:
            one(environment, folder)

    return prepare


TRACED = environ(GIT_CREDENTIAL_HF_TRACE="1")
TRACED_INTO_A_FILE = environ(GIT_CREDENTIAL_HF_TRACE="{tmp}/trace")
IN_TWO_VARIABLES = environ(HF_TOKEN=ROTATED, HUGGING_FACE_HUB_TOKEN=ROTATED)
CDN = OURS.replace("huggingface.co", "cdn-lfs.hf.co")

TYPED = f"{OURS}username=alice\npassword={TOKEN}\noauth_refresh_token={MARK}\n"
SEED = "seed --from {source}"
FULL = ("prlimit", "--fsize=20")

CASES = [
    Case("seed from a file", SEED),
    Case("seed again", SEED, prepare=both(in_keyring, cached())),
    Case("seed over another", SEED, prepare=cached(ROTATED)),
    Case("seed a scope", "seed --from {source} --scope my-org --user alice"),
    Case("seed another host", "seed --from {source} --host git.example.org:8443"),
    Case("seed by force, not for real", "seed --from {source} --force --dry-run"),
    Case("seed and git-lfs", "seed --from {source} --git-lfs", prepare=IN_TWO_VARIABLES),
    Case("seed from standard input", "seed --from -", TOKEN),
    Case("seed from a variable, and git-lfs", "seed --from env:OWN --git-lfs", prepare=environ(OWN=TOKEN)),
    Case("seed from systemd", "seed --from credential:source", prepare=environ(CREDENTIALS_DIRECTORY="{tmp}")),
    Case("seed from a command", "seed --from command:cat?{source}", prepare=environ(HF_TOKEN=TOKEN)),
    Case("seed from a command that complains", "seed --from command:cat?{source}?/nonexistent", code=1),
    Case("seed from a command with a shell", "seed --from command:sh?-c?'cat<{source};exit${{IFS}}3'", code=1),
    Case("seed, traced", SEED, prepare=TRACED),
    Case("seed without a bus", SEED, prepare=no_bus),
    Case("seed that must fill the keyring", "seed --from {source} --require-keyring", prepare=no_bus, code=3),
    Case("seed what others can read", SEED, prepare=source(TOKEN, 0o644)),
    Case("seed what others can read, strictly", "seed --from {source} --strict", prepare=source(TOKEN, 0o644), code=1),
    Case("seed two lines", SEED, prepare=source(f"{TOKEN}\n{ROTATED}\n"), code=1),
    Case("seed a control character", SEED, prepare=source(f"{TOKEN}\x1b[2K"), code=1),
    Case("seed a placeholder", SEED, prepare=source(f"<{TOKEN}>"), code=1),
    Case("seed a foreign letter", SEED, prepare=source(f"{TOKEN}ß"), code=1),
    Case("seed what is too long", SEED, prepare=source(TOKEN * 3000), code=1),
    Case("seed what is far too long", SEED, prepare=source(TOKEN * 30_000), code=1),
    Case("seed into a link", SEED, prepare=in_the_way("a link"), code=1),
    Case("seed into a FIFO", SEED, prepare=in_the_way("a FIFO"), code=1),
    Case("seed into a directory", SEED, prepare=in_the_way("a directory"), code=1),
    Case("seed onto a full disk", SEED, prefix=FULL, code=1),
    Case("seed the token for a file's name", "seed --from {tmp}/none", code=1),
    Case("seed with the token for an option", "seed --unknown", TOKEN, code=2),
    Case("login", "login --with-token --offline", TOKEN),
    Case("login without a bus", "login --with-token --offline", TOKEN, prepare=no_bus),
    Case("login for a scope", "login --with-token --offline --scope my-org", TOKEN, IN_TWO_VARIABLES),
    Case("login without a Hub", "login --with-token", TOKEN, prepare=environ(https_proxy="http://127.0.0.1:9")),
    Case("login on a pipe", "login", TOKEN, code=2),
    Case("login with the token for an argument", f"login {TOKEN}", code=2),
    Case("login with the token for an option's value", f"login --token={TOKEN}", code=2),
    Case("login with two lines", "login --with-token", f"{TOKEN}\n{ROTATED}", code=1),
    Case("list", "list", prepare=both(in_keyring, cached(), environ(HF_TOKEN=TOKEN))),
    Case("list in JSON", "list --json", prepare=both(in_keyring, cached(stored=f"[a]\nhf_token = {TOKEN}\n"))),
    Case("help", "help", prepare=environ(HF_TOKEN=TOKEN)),
    Case("help with the token for a command", f"help {TOKEN}", code=2),
    Case("logout, revoking without a Hub", "logout --revoke --yes", code=1,
         prepare=both(in_keyring, cached(), environ(https_proxy="http://127.0.0.1:9"))),
    Case("get from a variable", "get", OURS, prepare=environ(HF_TOKEN=TOKEN), answers=True),
    Case("get from the keyring", "get", OURS, prepare=in_keyring, answers=True),
    Case("get from the file", "get", OURS, prepare=cached(), answers=True),
    Case("get, traced", "get", OURS, prepare=both(cached(), TRACED), answers=True),
    Case("get, traced into a file", "get", OURS, prepare=both(in_keyring, TRACED_INTO_A_FILE), answers=True),
    Case("get for another host", "get", CDN, prepare=both(in_keyring, cached())),
    Case("get what was refused", "get", OURS, prepare=refused),
    Case("get what was refused, traced", "get", OURS, prepare=both(refused, TRACED)),
    Case("get without a bus", "get", OURS, prepare=both(no_bus, cached()), answers=True),
    Case("get with the token for a broken line", "get", f"{OURS}{TOKEN}\n", code=1),
    Case("get with the token in it twice", "get", f"{TYPED}password={TOKEN}\n", code=1),
    Case("get with the token for a host", "get", f"protocol=https\nhost={TOKEN}\n"),
    Case("get a login that has expired", "get", OURS, prepare=hf(f"echo {TOKEN}")),
    Case("get a login that hf renews", "--refresh get", OURS, prepare=hf(f"echo {ROTATED}"), answers=True),
    Case("get a login that hf does not renew", "--refresh get", OURS, prepare=hf(f"echo {TOKEN} >&2; exit 1")),
    Case("get a login, hf prints two", "--refresh get", OURS, prepare=both(hf(f"echo {TOKEN}; echo {TOKEN}"), TRACED)),
    Case("store", "store", TYPED),
    Case("store, traced", "store", TYPED, prepare=TRACED),
    Case("store a Bearer", "store", f"capability[]=authtype\n{OURS}authtype=Bearer\ncredential={TOKEN}\n"),
    Case("store what is there", "store", TYPED, prepare=in_keyring),
    Case("store without a bus", "store", TYPED, prepare=no_bus),
    Case("store what is broken", "store", f"{TYPED}{TOKEN}", code=1),
    Case("erase", "erase", TYPED, prepare=both(in_keyring, cached())),
    Case("erase, traced", "erase", TYPED, prepare=both(cached(), TRACED)),
    Case("erase with nowhere to remember it", "erase", TYPED, prepare=no_state),
    Case("erase on a full disk", "erase", TYPED, prepare=cached(), prefix=FULL),
    Case("erase what is broken", "erase", f"{TYPED}password={TOKEN}\n", code=1),
    Case("capability", "capability", prepare=environ(HF_TOKEN=TOKEN)),
    Case("an action of the token's name", TOKEN),
    Case("configure", "configure --git-lfs", prepare=environ(HF_TOKEN=TOKEN, HUGGING_FACE_HUB_TOKEN=TOKEN)),
    Case("unconfigure", "unconfigure", prepare=environ(HF_TOKEN=TOKEN)),
    Case("help of all", "--help", prepare=environ(HF_TOKEN=TOKEN)),
    Case("version", "--version", prepare=environ(HF_TOKEN=TOKEN)),
    Case("status", "status", prepare=both(in_keyring, cached(), environ(HF_TOKEN=TOKEN)), code=1),
    Case("status in JSON", "status --json", prepare=both(in_keyring, cached(), environ(HF_TOKEN=TOKEN)), code=1),
    Case("status of what was refused", "status", prepare=refused, code=1),
    Case("token", "token", prepare=cached(), answers=True),
    Case("token, traced", "token my-org/my-model", prepare=both(in_keyring, TRACED), answers=True),
    Case("token of another host", "token https://github.com/a/b", prepare=cached(), code=1),
    Case("token of the token for a URL", f"token {TOKEN}", prepare=cached(), code=2),
    Case("exec", "exec -- true", prepare=cached()),
    Case("exec what is not there", "exec --for my-org/my-model -- nothing-of-that-name", prepare=cached(), code=127),
    Case("serve for a moment", "serve --for 1", prepare=cached()),
    Case("forget", "forget --yes", prepare=both(in_keyring, cached())),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_token_is_where_it_belongs_and_nowhere_else(
    case: Case, keyring: Items, environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "source"
    write(file, f"{TOKEN}\n")
    case.prepare(environment, tmp_path)
    arguments = [word.replace("?", " ") for word in case.command.format(source=file, tmp=tmp_path).split(" ")]
    log = tmp_path / "started"
    done = subprocess.run(
        ["strace", "-f", "-qq", "-v", "-s", "99999", "-e", "trace=execve", "-e", "signal=none", "-o", str(log),
         *case.prefix, EXECUTABLE, *arguments],
        input=case.input.encode(),
        env=environment,
        capture_output=True,
        check=False,
    )  # fmt: skip
    named = TOKEN in case.command
    assert (done.returncode, MARK.encode() in done.stderr) == (case.code, False), done.stderr.replace(
        MARK.encode(), b""
    )
    assert (MARK.encode() in done.stdout) == case.answers
    assert b"Traceback" not in done.stderr

    started = [line.split(None, 1) for line in log.read_text().splitlines() if "execve(" in line]
    first = started[0][0]
    for process, call in started:
        # What a person put into our own argument or environment is theirs to have put there.
        arguments_of, _, environment_of = call.partition("], [")
        assert named or MARK not in arguments_of, call.replace(MARK, "")
        assert process == first or MARK not in environment_of, call.replace(MARK, "")
    log.unlink()

    kept = {
        file,
        cache(environment),
        cache(environment).with_name("stored_tokens"),
        tmp_path / "elsewhere",
        tmp_path / "bin/hf",
    }
    for path in tmp_path.rglob("*"):
        if stat.S_ISREG(path.lstat().st_mode):
            assert path in kept or MARK.encode() not in path.read_bytes(), path
        assert MARK not in path.name
    keyring.clear()


def test_every_command_is_held_to_it() -> None:
    tried = {word for case in CASES for word in case.command.split()}
    assert {*COMMANDS, *(action.decode() for action in ACTIONS)} <= tried


@pytest.mark.parametrize("error", [RuntimeError, UnicodeEncodeError, KeyError, RecursionError, MemoryError])
def test_an_error_that_nobody_expected_says_nothing_of_the_token(
    environment: Environment, tmp_path: Path, error: type[Exception]
) -> None:
    raised = error("utf-8", TOKEN, 0, 1, TOKEN) if error is UnicodeEncodeError else error(TOKEN)
    write(tmp_path / "source", TOKEN)
    with mock.patch.object(seed_command, "seed", side_effect=raised):
        result = run_call(("seed", "--from", str(tmp_path / "source")), b"", environment)
    assert (result.stdout, result.code) == (b"", 1)
    assert result.stderr == f"git-credential-hf: unexpected {error.__name__}; please report what was run\n".encode()
