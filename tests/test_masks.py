"""Whatever may be a token is in no output of any command, wherever it was given: Hypothesis makes it up.

What `get` gives to git is the one exception, and of no case here. Everything runs inside the test, since there are
many runs; tests/test_silence.py looks at the installed program and what it starts.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from git_credential_hf.cli.parser import COMMANDS
from git_credential_hf.secret_service import Unavailable
from git_credential_hf.sources import keyring as keyring_source
from tests.conftest import Environment, run_call

NAME_MAX = 255  # bytes: limits.h
OURS = "protocol=https\nhost=huggingface.co\n"
WORD = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=30, max_size=40)
TOKENS = st.one_of(
    st.builds("hf_{}".format, WORD),
    st.builds("hf_oauth_{}.{}.{}".format, WORD, WORD, WORD),
    st.builds("hf_jwt_{}.{}.{}-_".format, WORD, WORD, WORD),
    st.builds("api_org_{}".format, WORD),
)
# What may stand around it in a name, an argument or a line.
AROUND = st.sampled_from(
    ["{}", "x{}", "{}x", "a/{}/b", "_{}_", "{}.toml", "'{}'", "a {}", "\n{}", "\u202e{}", "é{}", "{}{}"]
)

Prepare = Callable[[Environment, Path, str], list[tuple[tuple[str, ...], str]]]
PLACES: dict[str, Prepare] = {}


def place(function: Prepare) -> Prepare:
    """Take a function for one that puts a text somewhere and returns what is run then, with what on its input."""
    PLACES[function.__name__.strip("_").replace("_", " ")] = function
    return function


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, errors="surrogateescape")
    file.chmod(0o600)


EVERY_COMMAND = list(COMMANDS)


@place
def _an_argument(environment: Environment, folder: Path, text: str) -> list[tuple[tuple[str, ...], str]]:
    runs: list[tuple[tuple[str, ...], str]] = [((text,), ""), ((f"--{text}",), ""), ((f"--host={text}", "get"), OURS)]
    runs += [((option, text, "get"), OURS) for option in ("--timeout", "--sources", "--unlock", "--host")]
    for command in EVERY_COMMAND:
        runs += [((command, text), ""), ((command, f"--{text}"), ""), ((command, "--yes", "more", text), "")]
    for option in ("--from", "--scope", "--user", "--host", "--timeout", "--unlock", f"--scope={text}"):
        runs += [(("seed", "--from", "-", option, text), "hf_a1")]
    for option in ("--scope", "--user", "--host"):
        runs += [(("login", "--with-token", "--offline", "--no-configure", option, text), "hf_a1")]
    for kind in ("env", "credential", "command", "file"):
        runs += [(("seed", "--from", f"{kind}:{text}"), "")]
    for option in ("--scope", "--user", "--host"):
        runs += [(("forget", "--yes", option, text), "")]
    runs += [(("configure", "--file", text), ""), (("unconfigure", "--file", f"{folder}/{text}"), "")]
    for url in (f"https://huggingface.co/{text}", f"https://{text}@huggingface.co/o/m", f"https://a:{text}@hf.co/o/m"):
        runs += [(("status", url), ""), (("status", "--json", url), "")]
    runs += [
        (("status", f"https://{text}/o/m"), ""),
        (("status", f"o/{text}"), ""),
        (("status", f"git@hf.co:{text}"), ""),
    ]
    return runs


@place
def _a_request(environment: Environment, folder: Path, text: str) -> list[tuple[tuple[str, ...], str]]:
    line = text.replace("\n", "")
    requests = [
        text,
        f"{OURS}{text}\n",
        f"{OURS}path={line}\n",
        f"{OURS}username={line}\n",
        f"protocol=https\nhost={line}\n",
    ]
    requests += [f"{OURS}password={line}\n", f"{OURS}username=a\npassword={line}\n", f"{OURS}{line}=x\n"]
    return [((action,), request) for action in ("store", "erase", "capability") for request in requests]


@place
def _the_content_of_a_source(environment: Environment, folder: Path, text: str) -> list[tuple[tuple[str, ...], str]]:
    write(folder / "source", text)
    environment["SOURCE"] = text.replace("\0", "")
    runs: list[tuple[tuple[str, ...], str]] = [(("login", "--with-token", "--offline", "--no-configure"), text)]
    runs += [(("seed", "--from", "-", *more), text) for more in ((), ("--dry-run",), ("--host", "example.org"))]
    runs += [
        (("seed", "--from", source), "")
        for source in (f"{folder}/source", "env:SOURCE", f"command:cat {folder}/source")
    ]
    return [*runs, (("status",), ""), (("list",), ""), (("list", "--json"), ""), (("forget", "--yes"), "")]


@place
def _a_childs_stderr(environment: Environment, folder: Path, text: str) -> list[tuple[tuple[str, ...], str]]:
    write(folder / "said", text)
    program = folder / "fails"
    program.write_text(f"#!/bin/sh\ncat {folder}/said >&2\ncat {folder}/said\nexit 1\n")
    program.chmod(0o755)
    for name in ("git-lfs", "hf"):
        (folder / "bin").mkdir(exist_ok=True)
        with contextlib.suppress(FileExistsError):
            (folder / "bin" / name).symlink_to(program)
    environment["PATH"] = f"{folder}/bin:{environment['PATH']}"
    return [
        (("seed", "--from", f"command:{program}"), ""),
        (("seed", "--from", "-", "--git-lfs"), "hf_a1"),
        (("configure", "--git-lfs"), ""),
        (("status", "--probe"), ""),
    ]


@place
def _a_path(environment: Environment, folder: Path, text: str) -> list[tuple[tuple[str, ...], str]]:
    name = text.replace("\0", "")
    assume(all(len(part.encode()) <= NAME_MAX for part in name.split("/")))
    runs: list[tuple[tuple[str, ...], str]] = []
    for command in (
        ("seed", "--from", f"{folder}/{name}"),
        ("seed", "--from", "-"),
        ("seed",),
        ("status",),
        ("status", "--json"),
    ):
        runs.append((command, "hf_a1"))
    environment["HF_TOKEN_PATH"] = f"{folder}/{name}/token"
    environment["XDG_CONFIG_HOME"] = f"{folder}/{name}/config"
    environment["XDG_STATE_HOME"] = f"{folder}/{name}/state"
    environment["GIT_CONFIG_GLOBAL"] = f"{folder}/{name}/gitconfig"
    environment["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={folder}/{name}/bus"
    environment["GIT_CREDENTIAL_HF_TRACE"] = "1"
    write(Path(environment["HF_TOKEN_PATH"]), "None")
    runs += [(("get",), OURS), (("configure",), ""), (("forget", "--yes"), ""), (("unconfigure",), "")]
    login = "hf_token = hf_a1\nrefresh_token = x\nexpires_at = 1\n"
    write(Path(environment["HF_TOKEN_PATH"]).with_name("stored_tokens"), f"[{name}]\n{login}")
    return runs


@place
def _a_declaration(environment: Environment, folder: Path, text: str) -> list[tuple[tuple[str, ...], str]]:
    key = text.replace("\n", "").replace("\\", "").replace('"', "")
    runs: list[tuple[tuple[str, ...], str]] = []
    for number, declaration in enumerate(
        [
            f'[tokens."{key}"]\nenv = "X"\n', f'"{key}" = 1\n', f'[tokens.a]\n"{key}" = 1\n', f'tokens.a = "{key}\n',
            f'[tokens.a]\nfile = "{key}"\n', f'[tokens.a]\nfile = "x"\nscope = "{key}"\n', f"{key}\n",
            f'[tokens.a]\nfile = "x"\nuser = "{key}"\n', f'[tokens.a]\nfile = "x"\nhost = "{key}"\n',
            f'[tokens.a]\ncommand = ["{key}"]\n', f'[tokens.a]\ncredential = "{key}"\n',
        ]
    ):  # fmt: skip
        write(folder / f"{number}/git-credential-hf/tokens.toml", declaration)
        runs.append((("XDG", f"{folder}/{number}"), ""))
    return runs


@place
def _a_git_setting(environment: Environment, folder: Path, text: str) -> list[tuple[tuple[str, ...], str]]:
    value = text.replace("\n", "").replace("\\", "").replace('"', "")
    quoted = f'"{value}"'
    write(
        Path(environment["HOME"], ".gitconfig"),
        f"[credential]\n\thelper = {quoted}\n\thelper = {value}\n\tusername = {quoted}\n\thelper = !echo {quoted}\n"
        f'[credential "https://huggingface.co/{value}"]\n\tuseHttpPath = {quoted}\n\thelper = hf --{value}\n'
        f'[url "https://a:{value}@huggingface.co/"]\n\tinsteadOf = https://huggingface.co/\n'
        f'[url "https://{value}/"]\n\tpushInsteadOf = https://huggingface.co/\n'
        f'[http "https://huggingface.co"]\n\textraHeader = Authorization: Bearer {value}\n'
        f"[remote {quoted}]\n\turl = https://{value}@huggingface.co/o/m\n[core]\n\taskPass = /{quoted}\n",
    )
    write(Path(environment["HOME"], ".netrc"), f"machine huggingface.co login a password {text}\n")
    commands = [("status",), ("status", "--json"), ("status", "--probe"), ("configure",), ("unconfigure",)]
    return [*((command, "") for command in commands), (("status", "https://huggingface.co/o/m"), "")]


@pytest.fixture
def bus_error() -> Iterator[Callable[[str], None]]:
    """What lets every attempt to write to the keyring end with an error of a text. A keyring says no such thing."""
    with mock.patch.object(keyring_source, "writer") as writer:

        def fail(text: str) -> None:
            writer.side_effect = Unavailable(text)

        yield fail


def tokens_in(token: str, output: bytes) -> bool:
    return token.encode() in output or token.encode() in output.replace(b"\\", b"").replace(b"\n", b"")


def check(environment: Environment, runs: list[tuple[tuple[str, ...], str]], token: str) -> None:
    for arguments, input in runs:
        declared = arguments[0] == "XDG"
        more = {"XDG_CONFIG_HOME": arguments[1]} if declared else {}
        for one in (("seed",), ("status",)) if declared else (arguments,):
            clean = tuple(word.replace("\0", "") for word in one)
            result = run_call(clean, input.encode("utf-8", "surrogateescape"), environment | more)
            assert not tokens_in(token, result.stdout + result.stderr), (clean[0], "shows what may be a token")
            assert b"Traceback" not in result.stderr


@pytest.mark.parametrize("where", PLACES)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(token=TOKENS, around=AROUND)
def test_what_may_be_a_token_is_never_shown(environment: Environment, where: str, token: str, around: str) -> None:
    folder = Path(tempfile.mkdtemp())
    home = folder / "home"
    home.mkdir()
    own = environment | {"HOME": str(home), "TMPDIR": str(folder)}
    before = Path.cwd()
    os.chdir(folder)
    try:
        check(own, PLACES[where](own, folder, around.format(token, token)), token)
    finally:
        os.chdir(before)
        shutil.rmtree(folder)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(token=TOKENS, around=AROUND)
def test_what_a_bus_says_is_not_shown(
    environment: Environment, bus_error: Callable[[str], None], token: str, around: str
) -> None:
    bus_error(around.format(token, token))
    typed = f"{OURS}username=hf_user\npassword=hf_a1\n"
    runs: list[tuple[tuple[str, ...], str]] = [(("store",), typed), (("erase",), f"{OURS}username=hf_user\n")]
    runs += [(("seed", "--from", "-"), "hf_a1"), (("seed", "--from", "-", "--require-keyring"), "hf_a1")]
    check(environment, [*runs, (("forget", "--yes"), "")], token)
