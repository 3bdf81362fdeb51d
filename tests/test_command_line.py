"""What may be typed: every option, every mistake, and what the helper says of itself."""

import hashlib
import itertools
import os
import re
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from git_credential_hf import __version__
from tests.asking import write_token_file
from tests.conftest import EXECUTABLE, Environment, Result, Run
from tests.keyring_items import Items

REQUEST = b"protocol=https\nhost=huggingface.co\n"
SILENCE = Result(b"", b"", 0)
TOKEN = "hf_WhatNobodyShouldRead"


def given(token: str) -> Result:
    return Result(f"username=hf_user\npassword={token}\n".encode(), b"", 0)


def is_usage_error(result: Result) -> bool:
    """Exit 2, nothing on stdout, one line that says what is wrong and what to try."""
    return (result.code, result.stdout) == (2, b"") and re.fullmatch(
        rb"git-credential-hf: [^\n]+[.?] Try: git-credential-hf [^\n]+\n", result.stderr
    ) is not None


# --- mistakes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        "", "--nonsense", "--nonsense get", "-x get", "-- get", "- get", "--no-prompt", "--timeout 2", "--host hf.co",
        "get get", "get --no-prompt", "get --help", "store --timeout 2", "erase now", "capability x", "nonsense more",
        "--no-prompt=1 get", "--refresh=no get", "--no-prompt= get", "--timeouts 2 get", "--time 2 get",
        # values
        "--timeout", "--host", "--sources", "--unlock", "get --timeout",
        "--timeout= get", "--timeout 0 get", "--timeout -1 get", "--timeout two get", "--timeout nan get",
        "--timeout inf get", "--timeout -inf get", "--timeout 1e9 get", "--timeout 86400 get", "--timeout 2s get",
        "--timeout 0x2 get", "--timeout=1,5 get", "--timeout \N{FULLWIDTH DIGIT TWO} get",
        "--sources= get", "--sources git get", "--sources env,git get", "--sources env, get", "--sources ,env get",
        "--sources ENV get", "--sources env;file get", "--sources=all get", "--sources ключ get",
        "--unlock= get", "--unlock yes get", "--unlock AUTO get", "--unlock prompt,auto get", "--unlock nie get",
        "--host= get", "--host :443 get", "--host :8443 get", "--host example.org: get", "--host example.org:x get",
        "--host example.org:-1 get", "--host example.org:80:x get", "--host https://example.org get",
        "--host example.org/path get", "--host alice@example.org get", "--host *.example.org get",
        "--host exämple.org get", "--host example.org,hf.co get", "--host example.org? get",
        # the options of a command stand after it
        "--timeout 3 seed", "--no-prompt configure", "--host hf.co unconfigure", "--unlock never seed --quiet",
        # and so do its own
        "seed --nonsense", "seed --timeout", "seed --timeout 0", "seed --unlock yes", "seed more", "seed --host :80",
        "seed --scope", "seed --scope a//b", "seed --scope ../b", "seed --host https://huggingface.co",
        "seed --no-keyring --require-keyring", "seed --dry", "configure --nonsense", "configure --global --local",
        "configure --file", "unconfigure more", "--timeout 3 forget --yes", "forget", "forget more --yes",
        "forget --yes --scope a//b", "forget --yes --user", "forget --yes --host :80", "forget --y",
    ],
)  # fmt: skip
def test_a_mistake_costs_one_line(run: Run, arguments: str) -> None:
    assert is_usage_error(run(*arguments.split(), input=REQUEST, HF_TOKEN=TOKEN))


@pytest.mark.parametrize("value", [" example.org", "example.org\n", "a b", "example.org\r", "\udcff", "\udcff:80"])
@pytest.mark.parametrize("option", ["--host", "--sources", "--unlock", "--timeout"])
def test_a_value_with_odd_characters_is_none(run: Run, option: str, value: str) -> None:
    assert is_usage_error(run(option, value, "get", input=REQUEST))
    assert is_usage_error(run(f"{option}={value}", "get", input=REQUEST))


# --- actions that are not known ------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["unknown", "approve", "reject", "fill", "--", "ключ", ""])
def test_an_action_that_git_may_have_one_day_is_passed_over(run: Run, action: str) -> None:
    if action.startswith("-"):
        assert is_usage_error(run(action, input=REQUEST, HF_TOKEN=TOKEN))
        return
    assert run(action, input=REQUEST, HF_TOKEN=TOKEN) == SILENCE
    assert run("--timeout", "1", "--no-prompt", action, input=REQUEST, HF_TOKEN=TOKEN) == SILENCE
    assert is_usage_error(run(action, "more", input=REQUEST, HF_TOKEN=TOKEN))
    assert is_usage_error(run(action, "", input=REQUEST, HF_TOKEN=TOKEN))


@pytest.mark.parametrize("action", ["GET", "gets", "get ", "statsu", "stats", "logn", "sede", "forgte", "confgure"])
def test_what_is_near_a_command_is_a_mistake(run: Run, action: str) -> None:
    told = run(action, input=REQUEST, HF_TOKEN=TOKEN)
    assert is_usage_error(told)
    assert b"; did you mean `" in told.stderr
    assert is_usage_error(run("--no-prompt", action, input=REQUEST, HF_TOKEN=TOKEN))


@pytest.mark.parametrize("stdin", ["file", "/dev/null", "socket", "terminal"])
def test_an_unknown_action_that_git_did_not_start_is_a_mistake(
    environment: Environment, tmp_path: Path, stdin: str
) -> None:
    file = tmp_path / "request"
    file.write_bytes(REQUEST)
    opened: list[int] = []
    if stdin == "terminal":
        opened += reversed(os.openpty())
    elif stdin == "socket":
        opened += [one.detach() for one in socket.socketpair()]
    else:
        opened.append(os.open(file if stdin == "file" else stdin, os.O_RDONLY))
    try:
        done = subprocess.run(
            [EXECUTABLE, "unknown"], stdin=opened[0], env=environment, capture_output=True, timeout=60, check=False
        )
    finally:
        for descriptor in opened:
            os.close(descriptor)
    assert is_usage_error(Result(done.stdout, done.stderr, done.returncode))


def test_a_request_may_come_from_a_file(environment: Environment, tmp_path: Path) -> None:
    file = tmp_path / "request"
    file.write_bytes(REQUEST)
    with file.open("rb") as stdin:
        done = subprocess.run(
            [EXECUTABLE, "get"], stdin=stdin, env=environment | {"HF_TOKEN": TOKEN}, capture_output=True, check=False
        )
    assert Result(done.stdout, done.stderr, done.returncode) == given(TOKEN)


def test_an_empty_line_ends_the_request_while_the_pipe_is_open(environment: Environment) -> None:
    with subprocess.Popen(
        [EXECUTABLE, "get"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment | {"HF_TOKEN": TOKEN}
    ) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        for part in (REQUEST[:20], REQUEST[20:], b"\n"):
            running.stdin.write(part)
            running.stdin.flush()
        assert running.stdout.read() == given(TOKEN).stdout
        assert running.wait() == 0


def test_an_answer_that_nobody_reads_is_no_failure(environment: Environment) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [EXECUTABLE, "get"],
            input=REQUEST,
            stdout=writer,
            stderr=subprocess.PIPE,
            env=environment | {"HF_TOKEN": TOKEN},
            check=False,
        )
    finally:
        os.close(writer)
    assert (done.stderr, done.returncode) == (b"", 0)


# --- what it says of itself ----------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help(run: Run, option: str) -> None:
    told = run(option)
    assert (told.stderr, told.code) == (b"", 0)
    assert told.stdout.startswith(b"usage: git-credential-hf ")
    for word in (
        "get | store | erase | capability", "seed", "configure", "unconfigure", "--host", "--timeout", "--sources",
        "--unlock", "--no-prompt", "--refresh",
    ):  # fmt: skip
        assert word.encode() in told.stdout
    assert max(map(len, told.stdout.decode().splitlines())) <= 120


def test_help_for_seed(run: Run) -> None:
    told = run("seed", "--help")
    assert (told.stderr, told.code) == (b"", 0)
    assert told.stdout.startswith(b"usage: git-credential-hf seed ")
    for option in (
        "--from", "--scope", "--user", "--host", "--no-keyring", "--no-cache", "--require-keyring", "--optional",
        "--strict", "--force", "--git-lfs", "--timeout", "--unlock", "--dry-run", "--quiet",
    ):  # fmt: skip
        assert f"{option} ".encode() in told.stdout


@pytest.mark.parametrize("command", ["configure", "unconfigure"])
def test_help_for_configure(run: Run, command: str) -> None:
    told = run(command, "--help")
    assert (told.stderr, told.code) == (b"", 0)
    assert told.stdout.startswith(f"usage: git-credential-hf {command} ".encode())
    assert all(option in told.stdout for option in (b"--global", b"--local", b"--file"))


def test_version(run: Run) -> None:
    assert run("--version") == Result(f"git-credential-hf {__version__}\n".encode(), b"", 0)


def test_capability(run: Run) -> None:
    told = Result(b"version 0\ncapability authtype\n", b"", 0)
    assert run("capability") == told
    assert run("--no-prompt", "--host", "example.org", "capability", input=b"nonsense") == told


# --- options -------------------------------------------------------------------------------------------------

SUBSETS = [chosen for size in (1, 2, 3) for chosen in itertools.permutations(("env", "keyring", "file"), size)]


@pytest.mark.parametrize("chosen", SUBSETS, ids=",".join)
def test_sources_are_selected_and_keep_their_order(
    run: Run, keyring: Items, environment: Environment, chosen: tuple[str, ...]
) -> None:
    file = Path(environment["HOME"], ".cache/huggingface/token")
    file.parent.mkdir(parents=True)
    file.write_text("hf_file")
    keyring.add(
        b"hf_keyring", protocol="https", server="huggingface.co", user="hf_user", xdg__schema="org.git.Password"
    )
    first = next(source for source in ("env", "keyring", "file") if source in chosen)
    got = run("--sources", ",".join(chosen), "get", input=REQUEST, HF_TOKEN="hf_env")
    assert got == given(f"hf_{first}")


@pytest.mark.parametrize("chosen", SUBSETS, ids=",".join)
def test_a_source_that_is_not_selected_is_not_asked(
    run: Run, keyring: Items, environment: Environment, chosen: tuple[str, ...]
) -> None:
    others = {"env", "keyring", "file"} - set(chosen)
    if "env" in others:
        environment["HF_TOKEN"] = "hf_env"
    if "keyring" in others:
        keyring.add(b"hf_keyring", protocol="https", server="huggingface.co", user="hf_user")
    if "file" in others:
        file = Path(environment["HOME"], ".cache/huggingface/token")
        file.parent.mkdir(parents=True)
        file.write_text("hf_file")
    assert run(f"--sources={','.join(chosen)}", "get", input=REQUEST) == SILENCE
    got = run(f"--sources={','.join(chosen)}", "--no-prompt", "get", input=REQUEST)
    assert got == Result(b"quit=1\n", b"", 0)


def test_without_a_token_git_is_told_to_quit_only_if_nothing_may_ask(run: Run) -> None:
    assert run("get", input=REQUEST) == SILENCE
    assert run("--no-prompt", "get", input=REQUEST) == Result(b"quit=1\n", b"", 0)
    assert run("--no-prompt", "get", input=REQUEST + b"username=alice\npath=org/repo\n").stdout == b"quit=1\n"
    assert run("--no-prompt", "get", input=REQUEST, HF_TOKEN=TOKEN) == given(TOKEN)
    assert run("--no-prompt", "get", input=b"protocol=https\nhost=cdn-lfs.hf.co\n") == SILENCE
    assert run("--no-prompt", "get", input=b"protocol=http\nhost=huggingface.co\n") == SILENCE
    assert run("--no-prompt", "store", input=REQUEST) == SILENCE
    assert run("--no-prompt", "erase", input=REQUEST) == SILENCE


@pytest.mark.parametrize(
    "options",
    [
        "--timeout 2", "--timeout=0.5", "--timeout 1e1", "--timeout .5", "--timeout 86399", "--timeout 9 --timeout 1",
        "--unlock never", "--unlock=auto", "--unlock prompt", "--refresh", "--no-prompt --refresh",
        "--refresh --refresh", "--sources env,env", "--sources file --sources env",
        "--host example.org --timeout=1 --sources env --unlock never", "--host localhost",
        "--host 127.0.0.1:8080", "--host [::1]", "--host=[::1]:443", "--host a_b-c.example.org:1",
    ],
)  # fmt: skip
def test_options_that_are_understood(run: Run, options: str) -> None:
    assert run(*options.split(), "get", input=REQUEST, HF_TOKEN=TOKEN) == given(TOKEN)


def test_the_last_of_an_option_given_twice_counts(run: Run) -> None:
    assert run("--sources", "env", "--sources", "file", "get", input=REQUEST, HF_TOKEN=TOKEN) == SILENCE


# --- the trace -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["", "0"])
def test_no_trace_unless_it_is_asked_for(run: Run, value: str) -> None:
    assert run("get", input=REQUEST, HF_TOKEN=TOKEN, GIT_CREDENTIAL_HF_TRACE=value) == given(TOKEN)


def is_trace(text: bytes) -> bool:
    """Whether each line has a time, and a fingerprint stands for the token."""
    lines = text.splitlines()
    return (
        len(lines) > 2
        and all(re.match(rb"git-credential-hf +\d+\.\d\d ms  \S", line) for line in lines)
        and hashlib.sha256(TOKEN.encode()).hexdigest()[:8].encode() in text
        and TOKEN.encode() not in text
    )


@pytest.mark.parametrize("source", ["HF_TOKEN", "keyring", "file"])
def test_a_trace_on_standard_error(run: Run, keyring: Items, environment: Environment, source: str) -> None:
    provide(source, environment, keyring)
    got = run("get", input=REQUEST + b"path=org/100%25s\n", GIT_CREDENTIAL_HF_TRACE="1")
    assert (got.stdout, got.code) == (given(TOKEN).stdout, 0)
    assert is_trace(got.stderr)


@pytest.mark.parametrize("source", ["HF_TOKEN", "keyring", "file"])
def test_a_trace_in_a_file(run: Run, keyring: Items, environment: Environment, tmp_path: Path, source: str) -> None:
    provide(source, environment, keyring)
    trace = tmp_path / "trace"
    former = os.umask(0)
    try:
        assert run("get", input=REQUEST, GIT_CREDENTIAL_HF_TRACE=str(trace)) == given(TOKEN)
    finally:
        os.umask(former)
    once = trace.read_bytes()
    assert is_trace(once)
    assert stat.S_IMODE(trace.stat().st_mode) == 0o600
    assert run("get", input=REQUEST, GIT_CREDENTIAL_HF_TRACE=str(trace)) == given(TOKEN)
    assert trace.read_bytes().startswith(once)
    assert len(trace.read_bytes()) > len(once)


@pytest.mark.parametrize("action", ["store", "erase"])
def test_no_trace_has_what_git_sends(run: Run, keyring: Items, environment: Environment, action: str) -> None:
    provide("keyring", environment, keyring)
    sent = REQUEST + b"username=hf_user\npassword=" + TOKEN.encode() + b"\noauth_refresh_token=RefreshMe\n"
    done = run(action, input=sent, GIT_CREDENTIAL_HF_TRACE="1")
    assert (done.stdout, done.code) == (b"", 0)
    assert done.stderr.startswith(b"git-credential-hf")
    assert TOKEN.encode() not in done.stderr
    assert b"RefreshMe" not in done.stderr


def test_no_trace_has_a_token_that_is_passed_over(run: Run, keyring: Items, environment: Environment) -> None:
    ended = TOKEN.encode() + b"\npassword_expiry_utc=1"
    keyring.add(ended, protocol="https", server="huggingface.co", user="hf_user", xdg__schema="org.git.Password")
    got = run("get", input=REQUEST, GIT_CREDENTIAL_HF_TRACE="1")
    assert got.stdout == b""
    assert is_trace(got.stderr)


@pytest.mark.parametrize("target", ["folder", "not/there", "link", "fifo"])
def test_a_trace_that_cannot_be_written_keeps_nobody_from_an_answer(run: Run, tmp_path: Path, target: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "aim").write_text("as it was")
    (tmp_path / "link").symlink_to("aim")
    os.mkfifo(tmp_path / "fifo")
    assert run("get", input=REQUEST, HF_TOKEN=TOKEN, GIT_CREDENTIAL_HF_TRACE=str(tmp_path / target)) == given(TOKEN)
    assert (tmp_path / "aim").read_text() == "as it was"


def provide(source: str, environment: Environment, keyring: Items) -> None:
    """Put the token where `source` says."""
    if source == "HF_TOKEN":
        environment["HF_TOKEN"] = TOKEN
    elif source == "keyring":
        keyring.add(
            TOKEN.encode(), protocol="https", server="huggingface.co", user="hf_user", xdg__schema="org.git.Password"
        )
    else:
        file = Path(environment["HOME"], ".cache/huggingface/token")
        file.parent.mkdir(parents=True)
        file.write_text(TOKEN)


@pytest.mark.parametrize("closed", ["0", "1", "2", "0 1 2"])
def test_closed_standard_streams_end_in_no_traceback(environment: Environment, closed: str) -> None:
    subprocess.run([EXECUTABLE, "--version"], capture_output=True, check=True)  # makes its bundle
    redirections = " ".join(f"{number}>&-" for number in closed.split())
    done = subprocess.run(
        ["sh", "-c", f'exec "$0" get {redirections}', EXECUTABLE],
        input=b"protocol=https\nhost=huggingface.co\n",
        env=environment | {"HF_TOKEN": "hf_abc123"},
        capture_output=True,
        timeout=60,
        check=False,
    )
    unread = "0" in closed.split()  # and a request without a host is malformed
    heard = "2" not in closed.split()
    assert done.returncode == unread
    assert done.stderr.count(b"\n") == (unread and heard)
    assert b"unexpected" not in done.stderr
    assert done.stdout == (b"username=hf_user\npassword=hf_abc123\n" if closed == "2" else b"")


@pytest.mark.parametrize(
    "command", ["list", "status", "seed", "login --with-token --offline", "configure", "forget --yes", "--help"]
)
@pytest.mark.parametrize("closed", ["1>&-", "2>&-", "1>&- 2>&-"])
def test_a_persons_command_goes_on_with_closed_streams(environment: Environment, command: str, closed: str) -> None:
    write_token_file(environment, TOKEN)
    done = subprocess.run(
        ["sh", "-c", f'exec "$0" {command} {closed}', EXECUTABLE],
        input=TOKEN.encode(),
        env=environment,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert b"unexpected" not in done.stderr
    as_usual = subprocess.run(
        [EXECUTABLE, *command.split()], input=TOKEN.encode(), env=environment, capture_output=True, check=False
    )
    assert done.returncode == as_usual.returncode


@pytest.mark.parametrize("stderr", ["2>&-", "2>/dev/full"])
def test_git_is_told_to_quit_even_where_nobody_hears_why(environment: Environment, stderr: str) -> None:
    refused = b"protocol=https\nhost=huggingface.co\n"
    environment["HF_TOKEN"] = "hf_abc123"
    for action, more in (("erase", b"username=hf_user\npassword=hf_abc123\n"), ("get", b"")):
        done = subprocess.run(
            ["sh", "-c", f'exec "$0" {action} {stderr}', EXECUTABLE],
            input=refused + more,
            env=environment,
            stdout=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    assert (done.stdout, done.returncode) == (b"quit=1\n", 0)


def test_an_answer_that_cannot_be_written_is_told(environment: Environment) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [EXECUTABLE, "get"],
            input=b"protocol=https\nhost=huggingface.co\n",
            env=environment | {"HF_TOKEN": "hf_abc123"},
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    assert (done.stderr.count(b"\n"), done.returncode) == (1, 1)
    assert b"cannot be written" in done.stderr
