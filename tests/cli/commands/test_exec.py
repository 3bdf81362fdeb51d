"""exec: a command with the token that git would use in its environment, and nowhere else."""

import ast
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.asking import seed, write_token_file
from tests.conftest import AS_ROOT, EXECUTABLE, Environment, Result
from tests.hub import Hub, Secret, fingerprint
from tests.installed import needs_strace
from tests.keyring_items import Items
from tests.providers import wait_until

TOKEN = Secret("hf_eXeC0123456789aBcDeFgHiJkLmNoPqRsT")
SCOPED = Secret("hf_sCoPeD0123456789aBcDeFgHiJkLmNoPqR")
MODEL = "my-org/my-model"


def execute(environment: Environment, *arguments: str, **more: str) -> Result:
    done = subprocess.run(
        [EXECUTABLE, "exec", *arguments], env=environment | more, capture_output=True, check=False, timeout=100
    )
    return Result(done.stdout, done.stderr, done.returncode)


def test_hf_downloads_a_gated_file_without_a_token_on_the_disk(
    keyring: Items, environment: Environment, hub: Hub, tmp_path: Path
) -> None:
    environment |= hub.environ()
    hub.add_token(SCOPED, orgs=["my-org"], gated=[MODEL])
    hub.create(MODEL, gated=True, files={"config.json": "{}\n"}, lfs={"model.safetensors": b"weights"})
    seed(run_of(environment), SCOPED, "--scope", "my-org")
    hf = str(Path(sys.executable).parent / "hf")
    target = tmp_path / "downloaded"
    done = execute(
        environment, "--for", MODEL, "--", hf, "download", MODEL, "model.safetensors", "--local-dir", str(target)
    )
    assert done.code == 0, done.stderr.replace(SCOPED.encode(), b"")
    assert (target / "model.safetensors").read_bytes() == b"weights"
    assert fingerprint(SCOPED) in {one.fingerprint for one in hub.log}
    found = [file for file in tmp_path.rglob("*") if file.is_file() and SCOPED.encode() in file.read_bytes()]
    assert found == []


def run_of(environment: Environment) -> Callable[..., Result]:
    def run(*arguments: str, input: bytes = b"") -> Result:
        done = subprocess.run([EXECUTABLE, *arguments], input=input, env=environment, capture_output=True, check=False)
        return Result(done.stdout, done.stderr, done.returncode)

    return run


@needs_strace
def test_the_token_is_in_the_environment_alone(environment: Environment, tmp_path: Path) -> None:
    write_token_file(environment, TOKEN)
    log = tmp_path / "started"
    child = "test \"$HF_TOKEN\" && echo 1; tr '\\0' ' ' </proc/$$/cmdline"
    done = subprocess.run(
        ["strace", "-f", "-qq", "-v", "-s", "9999", "-e", "trace=execve,write,openat,connect", "-o", str(log),
         EXECUTABLE, "exec", "--", "sh", "-c", child],
        env=environment, capture_output=True, check=True,
    )  # fmt: skip
    assert done.stdout.decode().splitlines()[0] == "1"
    assert TOKEN not in done.stdout.decode()
    calls = [line for line in log.read_text().splitlines() if TOKEN in line]
    assert calls
    for call in calls:
        arguments, _, _ = call.partition("], [")
        assert "execve(" in call and TOKEN not in arguments, call.replace(TOKEN, "")


def test_a_command_without_a_name_is_not_found(environment: Environment) -> None:
    write_token_file(environment, TOKEN)
    assert execute(environment, "--", "") == Result(b"", b"git-credential-hf: '': command not found\n", 127)


def test_what_hf_would_prefer_is_removed(environment: Environment) -> None:
    write_token_file(environment, TOKEN)
    more = {"HUGGING_FACE_HUB_TOKEN": "None", "HF_OIDC_ID_TOKEN": "x.y.z", "HF_OIDC_OTHER": "x", "KEPT": "1"}
    lines = execute(environment, "--", "env", **more).stdout.decode().splitlines()
    assert f"HF_TOKEN={TOKEN}" in lines
    assert [line for line in lines if line.startswith(("HF_", "HUGGING", "KEPT"))] == [
        "KEPT=1",
        f"HF_TOKEN={TOKEN}",
    ]


@pytest.mark.parametrize("given", [{}, {"LC_ALL": "C"}, {"LANG": "C"}, {"LC_CTYPE": "C.UTF-8"}, {"LC_CTYPE": "C"}])
def test_the_locale_is_the_callers(environment: Environment, given: dict[str, str]) -> None:
    write_token_file(environment, TOKEN)
    del environment["LC_ALL"]
    lines = execute(environment, "--", "env", **given).stdout.decode().splitlines()
    assert [line for line in lines if line.startswith("L")] == [f"{name}={value}" for name, value in given.items()]


ODD = {
    "BASH_FUNC_module%%": "() {  echo loaded;\n}",
    "a.b": "1",
    "FOO-BAR": "",
    "npm_config_//registry.npmjs.org/:x": "3",
    "IFS": ":",
    "OPTIND": "7",
    "PPID": "1",
    "PWD": "/elsewhere",
    "LATIN": "\udcff",
}


@pytest.mark.parametrize("more", [{}, {"LARGE": "x" * 60_000}])
def test_every_variable_is_the_callers(environment: Environment, more: dict[str, str]) -> None:
    """Also those that no shell can have, as bash's functions are, and those that a shell sets."""
    write_token_file(environment, TOKEN)
    given = environment | ODD | more
    done = execute(given, "--", sys.executable, "-ISc", "import os; print(ascii(dict(os.environ)))")
    assert (done.stderr, done.code) == (b"", 0)
    seen = ast.literal_eval(done.stdout.decode())
    assert seen == given | {"HF_TOKEN": TOKEN}
    assert execute(given, "--", "bash", "-c", "module").stdout == b"loaded\n"


def test_a_variable_of_the_launchers_name_is_the_callers_as_any_other(environment: Environment, tmp_path: Path) -> None:
    write_token_file(environment, TOKEN)
    (tmp_path / "bin").mkdir()
    for name in ("env", "sh", "git", "readlink"):
        (tmp_path / "bin" / name).symlink_to(shutil.which(name) or name)
    for path in (environment["PATH"], str(tmp_path / "bin")):  # the second has no base64
        for given in ("%%%a", "QT0x", "1:QT0x"):
            own = environment | {"PATH": path, "GIT_CREDENTIAL_HF_ENVIRON": given, "given": "mine"}
            done = execute(own, "--", "env")
            assert (done.stderr, done.code) == (b"", 0)
            seen = dict(line.split("=", 1) for line in done.stdout.decode().splitlines())
            assert (seen["given"], seen["HOME"], seen["HF_TOKEN"]) == ("mine", environment["HOME"], TOKEN)
            assert seen.get("GIT_CREDENTIAL_HF_ENVIRON") == (given if path == environment["PATH"] else None)


def test_no_program_that_it_asks_has_the_callers_tokens(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    git = tmp_path / "bin/git"
    git.write_text(f'#!/bin/sh\nenv >>{tmp_path}/seen\nexec {shutil.which("git")} "$@"\n')
    git.chmod(0o755)
    environment |= {"PATH": f"{git.parent}:{environment['PATH']}", "HF_TOKEN": TOKEN, "HF_OIDC_ID_TOKEN": "idsecret"}
    assert execute(environment, "--", "true") == Result(b"", b"", 0)
    seen = (tmp_path / "seen").read_text()
    assert "GIT_CREDENTIAL_HF_ENVIRON" not in seen and TOKEN not in seen and "idsecret" not in seen


@AS_ROOT
def test_a_proc_of_another_namespace_gives_no_other_process(environment: Environment) -> None:
    """Where a container has the machine's /proc, a number there is another process."""
    write_token_file(environment, TOKEN)
    command = ["unshare", "--pid", "--fork", EXECUTABLE, "exec", "--", "printenv", "HOME"]  # it is number 1
    done = subprocess.run(command, env=environment, capture_output=True, check=False, timeout=60)
    assert (done.stdout.decode(), done.stderr, done.returncode) == (f"{environment['HOME']}\n", b"", 0)


def test_an_environment_that_is_too_large_for_that_is_passed_on_as_a_shell_does(environment: Environment) -> None:
    write_token_file(environment, TOKEN)
    more = {"LARGE": "x" * 120_000}
    assert execute(environment | more, "--", "sh", "-c", "echo ${#LARGE}") == Result(b"120000\n", b"", 0)


def test_a_token_of_the_environment_is_the_first(environment: Environment) -> None:
    write_token_file(environment, TOKEN)
    done = execute(environment, "--", "sh", "-c", 'test "$HF_TOKEN" = hf_other1', HF_TOKEN="hf_other1")
    assert done == Result(b"", b"", 0)


@pytest.mark.parametrize("code", [0, 1, 2, 77, 255])
def test_the_exit_code_is_the_commands(environment: Environment, code: int) -> None:
    write_token_file(environment, TOKEN)
    assert execute(environment, "--", "sh", "-c", f"exit {code}") == Result(b"", b"", code)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL, signal.SIGPIPE])
def test_a_signal_reaches_the_command_itself(environment: Environment, number: signal.Signals) -> None:
    write_token_file(environment, TOKEN)
    command = [EXECUTABLE, "exec", "--", "sh", "-c", "echo here; exec sleep 60"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None and child.stdout.readline() == b"here\n"
        wait_until(lambda: Path(f"/proc/{child.pid}/comm").read_text() == "sleep\n", "this process is sleep")
        child.send_signal(number)
        assert child.wait(timeout=10) == -number


def test_a_command_can_be_stopped_and_goes_on(environment: Environment) -> None:
    write_token_file(environment, TOKEN)
    command = [EXECUTABLE, "exec", "--", "sh", "-c", "echo here; read x; echo $x"]
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None and child.stdin is not None
        assert child.stdout.readline() == b"here\n"
        child.send_signal(signal.SIGSTOP)
        state = Path(f"/proc/{child.pid}/stat")
        wait_until(lambda: state.read_text().split(")")[1].split()[0] == "T", "it is stopped")
        child.send_signal(signal.SIGCONT)
        child.stdin.write(b"again\n")
        child.stdin.close()
        assert child.stdout.read() == b"again\n"


def test_it_is_the_same_process_with_the_same_streams(environment: Environment) -> None:
    write_token_file(environment, TOKEN)
    done = subprocess.run(
        [EXECUTABLE, "exec", "--", "sh", "-c", "cat; echo error >&2; ls /proc/$$/fd"],
        input=b"input\n", env=environment, capture_output=True, check=True,
    )  # fmt: skip
    words = done.stdout.decode().split()
    assert (words[0], done.stderr) == ("input", b"error\n")
    assert set(words[1:]) <= {"0", "1", "2", "3", "10"}  # what sh itself opens


def test_a_command_that_is_not_there(environment: Environment, tmp_path: Path) -> None:
    write_token_file(environment, TOKEN)
    assert execute(environment, "--", "no-such-command") == Result(
        b"", b"git-credential-hf: no-such-command: command not found\n", 127
    )
    assert execute(environment, "--", f"{tmp_path}/none").code == 127
    plain = tmp_path / "plain"
    plain.write_text("echo no\n")
    assert execute(environment, "--", str(plain)).code == 126
    assert execute(environment, "--", str(tmp_path)).code == 126
    told = execute(environment, "--", TOKEN)
    assert (told.code, TOKEN.encode() in told.stderr) == (127, False)


def test_without_a_token_nothing_is_run(environment: Environment, tmp_path: Path) -> None:
    for arguments in ((), ("--for", "https://github.com/x/y")):
        told = execute(environment, *arguments, "--", "touch", str(tmp_path / "was-run"))
        assert (told.stdout, told.code, told.stderr.count(b"\n")) == (b"", 1, 1)
        assert b"no token for https://" in told.stderr
    assert not (tmp_path / "was-run").exists()


@pytest.mark.parametrize(
    "arguments",
    [(), ("--",), ("ls",), ("--for", "x/y", "ls"), ("--for",), ("--bad", "--", "ls"), ("--for", "x", "--", "ls")],
)
def test_a_mistake(environment: Environment, arguments: tuple[str, ...]) -> None:
    write_token_file(environment, TOKEN)
    told = execute(environment, *arguments)
    assert (told.stdout, told.code, told.stderr.count(b"\n")) == (b"", 2, 1)


def test_the_arguments_are_the_commands_own(environment: Environment) -> None:
    write_token_file(environment, TOKEN)
    assert shutil.which("printf")
    odd = ["-x", "--for", "--", "two words", "\udcff", ""]
    done = execute(environment, "--", "printf", "%s|", *odd)
    assert done.stdout == os.fsencode("|".join(odd) + "|")


def test_it_is_as_soon_as_the_command(environment: Environment) -> None:
    """A token is looked for once, and nothing stays behind: the process of the command is the one that was started."""
    write_token_file(environment, TOKEN)
    begin = time.monotonic()
    with subprocess.Popen(
        [EXECUTABLE, "exec", "--", "sh", "-c", "echo $$"], env=environment, stdout=subprocess.PIPE
    ) as one:
        assert one.stdout is not None
        assert int(one.stdout.read()) == one.pid
    assert time.monotonic() - begin < 5
