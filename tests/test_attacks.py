"""Every attack of the table against every source at once, each full of tokens that must not come out."""

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import keyrings
from benchmarks.keyrings import Stored, keyring, ours
from git_credential_hf.model.item import STORED, Item
from git_credential_hf.model.repository import HUB as HUB_HOST
from tests.attacks import (
    ALICE,
    ALL,
    ANSWERED,
    ATTACKS,
    BEARER,
    HUB,
    ORGANISATION,
    OTHER,
    OTHER_HOST,
    OURS,
    REFUSED,
    SCOPE,
    SILENT,
    TOKEN,
    TOLD,
    Attack,
    Told,
    request,
)
from tests.conftest import EXECUTABLE, Environment, Result, Run, is_refused, run_call, run_process
from tests.keyring_items import Items
from tests.providers import GnomeKeyring, wait_until
from tests.recogniser import is_for_the_hub, lies_in

WHATEVER = [("--host", OTHER_HOST), ("--host", OTHER_HOST, "--sources", "keyring"), ("--no-prompt",)]


def token(mark: str) -> str:
    return f"hf_{mark}0123456789aBcDeF"


def stored(secret: str, server: bytes, user: bytes, *, bearer: bool = False) -> Stored:
    return keyrings.stored(Item(server, b"", user, bearer=bearer, origin=STORED), secret)


@pytest.fixture(scope="module")
def full_keyring(tmp_path_factory: pytest.TempPathFactory, gnome_keyring: GnomeKeyring) -> Iterator[GnomeKeyring]:
    """A keyring with an item of every kind, ours and others'. It is as it was when all attacks are over."""
    assert gnome_keyring  # where there can be none, this is skipped as every other test is
    full = [
        ours(token(HUB)),
        ours(token(SCOPE), ORGANISATION),
        stored(token(ALICE), HUB_HOST, b"alice"),
        stored(token(BEARER) + "\\nauthtype=Bearer", HUB_HOST, b"carol", bearer=True),
        stored(token(OTHER), OTHER_HOST.encode(), b"hf_user"),
        stored(token(OTHER), b"cdn-lfs.hf.co", b"hf_user"),
        Stored({"service": "git:https://example.org", "account": "alice"}, token(OTHER)),
    ]
    with (
        contextlib.closing(keyring(tmp_path_factory.mktemp("full"), full)) as provider,
        contextlib.closing(Items(provider.bus)) as items,
    ):
        before = items.secrets()
        assert len(before) == len(full)
        yield provider
        assert items.secrets() == before


@pytest.fixture
def full(environment: Environment, full_keyring: GnomeKeyring) -> Environment:
    """An environment in which every source has tokens."""
    environment |= {
        "DBUS_SESSION_BUS_ADDRESS": full_keyring.bus.address,
        "HF_TOKEN": token(HUB),
        "HF_HOME": environment["HOME"],
    }
    Path(environment["HOME"], "token").write_text(token(HUB))
    return environment


def marks(output: bytes) -> set[str]:
    return {mark for mark in ALL if mark.encode() in output}


def holds(result: Result, attack: Attack) -> bool:
    """Whether nothing came of the attack but what may."""
    if marks(result.stdout) - {attack.may} or marks(result.stderr):
        return False
    if attack.outcome == REFUSED:
        return is_refused(result)
    if attack.outcome == SILENT:
        return result == Result(b"", b"", 0)
    answered = result.stdout.startswith(b"username=") and result.stdout.endswith(f"\npassword={token(HUB)}\n".encode())
    return answered and (result.stderr, result.code) == (b"", 0)


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_no_attack_gets_a_token(full: Environment, attack: Attack) -> None:
    for options in WHATEVER:
        assert holds(run_call((*options, "get"), attack.data, full), attack), options


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_no_attack_gets_a_token_from_the_installed_program(full: Environment, attack: Attack) -> None:
    assert holds(run_process((*WHATEVER[0], "get"), attack.data, full), attack)


@pytest.fixture(scope="module", params=[(), ("--scope", ORGANISATION)], ids=["all", "my-org"])
def served(
    request: pytest.FixtureRequest, full_keyring: GnomeKeyring, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, bool]]:
    """The socket of a `serve` that has every token, and whether it is for one organisation alone."""
    folder = tmp_path_factory.mktemp("served")
    path = folder / "serve.sock"
    environ = full_keyring.bus.environ() | {"HOME": str(folder), "PATH": os.environ["PATH"]}
    command = [EXECUTABLE, "serve", "--socket", str(path), *request.param]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    wait_until(lambda: b"answers for" in (folder / "log").read_bytes(), "it serves")
    yield path, bool(request.param)
    process.terminate()
    assert process.wait(timeout=10) == 0
    assert marks((folder / "log").read_bytes()) == set()


def test_no_attack_gets_a_token_from_serve(served: tuple[Path, bool]) -> None:
    path, scoped = served
    answered = 0
    for attack in ATTACKS:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(20)
            client.connect(str(path))
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                client.sendall(attack.data)
                client.shutdown(socket.SHUT_WR)
            got = b""
            with contextlib.suppress(ConnectionResetError):
                while chunk := client.recv(4096):
                    got += chunk
        may = {attack.may} if not scoped or lies_in(attack.data, ORGANISATION.encode()) else set()
        if not is_for_the_hub(attack.data):
            may = set()
        assert marks(got) <= may, attack
        answered += bool(got)
    assert answered > 0 or scoped


def test_what_the_attacks_are_after_is_there(full: Environment) -> None:
    for mark, data in (
        (HUB, OURS),
        (SCOPE, OURS + b"path=my-org/model.git\n"),
        (ALICE, OURS + b"username=alice\n"),
        (BEARER, OURS + b"username=carol\ncapability[]=authtype\n"),
        (OTHER, request(OTHER_HOST)),
    ):
        result = run_call(WHATEVER[1] + ("get",), data, full)
        assert marks(result.stdout) == {mark}


@pytest.mark.parametrize("action", ["store", "erase"])
def test_no_attack_changes_what_is_kept(full: Environment, full_keyring: GnomeKeyring, action: str) -> None:
    Path(full["HOME"], ".local/state").mkdir(parents=True)
    with contextlib.closing(Items(full_keyring.bus)) as items:
        before = items.all()
        for attack in ATTACKS:
            if attack.outcome == ANSWERED:
                continue
            typed = f"password={token(HUB) if action == 'erase' else 'typed'}\n".encode()
            result = run_call((*WHATEVER[0], action), typed + attack.data, full)
            assert marks(result.stdout + result.stderr) == set(), attack
            assert result.code == (attack.outcome == REFUSED), attack
        assert items.all() == before
    assert list(Path(full["HOME"], ".local/state").iterdir()) == []
    assert Path(full["HOME"], "token").read_text() == token(HUB)


@pytest.mark.parametrize("told", TOLD, ids=str)
def test_the_token_stays_whatever_git_is_made_to_tell(run: Run, keyring: Items, told: Told) -> None:
    assert run("seed", "--from", "-", "--no-cache", input=token(HUB).encode()).code == 0
    for action, data in told.steps:
        assert run(action, input=data.replace(TOKEN, token(HUB).encode())).code == 0
    for more in (b"", b"path=my-org/model\n", b"username=hf_user\npath=my-org/model\n"):
        answered = run("get", input=OURS + more)
        assert answered.stdout == f"username=hf_user\npassword={token(HUB)}\n".encode()


# --- the environment, and where git runs us -------------------------------------------------------------------


@pytest.mark.parametrize(
    "variables",
    [
        {"HF_ENDPOINT": "https://example.org"},
        {"HF_ENDPOINT": "https://example.org", "HF_HUB_URL": "https://example.org"},
        {"HUGGINGFACE_CO_URL_HOME": "https://example.org/", "HF_INFERENCE_ENDPOINT": "https://example.org"},
        {"https_proxy": "http://example.org", "ALL_PROXY": "http://example.org"},
        {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "http.extraHeader", "GIT_CONFIG_VALUE_0": "host: huggingface.co"},
        {"GIT_CONFIG_PARAMETERS": "'url.https://huggingface.co/.insteadOf=https://example.org/'"},
    ],
)  # fmt: skip
def test_no_variable_leads_the_token_to_another_host(run: Run, full: Environment, variables: dict[str, str]) -> None:
    for host in ("example.org", "example.org:443", "EXAMPLE.org"):
        assert run("get", input=request(host), **variables) == Result(b"", b"", 0)
    assert run("get", input=OURS, **variables).stdout == f"username=hf_user\npassword={token(HUB)}\n".encode()


@pytest.mark.parametrize("folder", ["the working directory", "PYTHONPATH", "HOME"])
def test_no_code_is_run_from_where_others_can_put_it(
    full: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    """A repository that was cloned is git's working directory, and may have any files in it."""
    planted = tmp_path / "planted"
    packages = (
        planted
        if folder != "HOME"
        else Path(full["HOME"], ".local/lib", f"python3.{sys.version_info[1]}/site-packages")
    )
    packages.mkdir(parents=True)
    planted.mkdir(exist_ok=True)
    trap = f"open({str(tmp_path / 'sprung')!r}, 'w')\n"
    for name in (
        "os",
        "time",
        "posix",
        "_socket",
        "hashlib",
        "site",
        "sitecustomize",
        "usercustomize",
        "argparse",
        "keyring",
    ):
        (packages / f"{name}.py").write_text(trap)
    (packages / "git_credential_hf").mkdir()
    (packages / "git_credential_hf/__init__.py").write_text(trap)
    (packages / "planted.pth").write_text(f"import os; {trap}")
    for name in ("python3", "readlink", "hf", "git", "sh"):
        (planted / name).write_text(f"#!/bin/sh\n: >{tmp_path / 'sprung'}\n")
        (planted / name).chmod(0o755)
    monkeypatch.chdir(planted)
    if folder == "PYTHONPATH":
        full |= {"PYTHONPATH": str(planted), "PYTHONHOME": str(planted), "PYTHONSTARTUP": str(planted / "os.py")}
        full |= {
            "PYTHONINSPECT": "1",
            "PYTHONUSERBASE": str(planted),
            "PYTHONPLATLIBDIR": str(planted),
            "ENV": str(planted / "hf"),
        }
    for action in ("get", "erase"):
        result = run_process((action,), OURS + b"username=nobody\npassword=x\n", full)
        assert (result.stderr, result.code) == (b"", 0)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("target", ["a link", "a FIFO", "a directory", "/dev/full", "a file that is not there yet"])
def test_a_trace_is_written_to_no_place_that_others_prepared(full: Environment, tmp_path: Path, target: str) -> None:
    place = tmp_path / "trace"
    precious = tmp_path / "precious"
    precious.write_text("as it was")
    if target == "a link":
        place.symlink_to(precious)
    elif target == "a FIFO":
        os.mkfifo(place)
    elif target == "a directory":
        place.mkdir()
    elif target == "/dev/full":
        place = Path(target)
    full["GIT_CREDENTIAL_HF_TRACE"] = str(place)
    result = run_process(("get",), OURS, full)
    assert result == Result(f"username=hf_user\npassword={token(HUB)}\n".encode(), b"", 0)
    assert precious.read_text() == "as it was"
    if target == "a file that is not there yet":
        assert place.stat().st_mode & 0o777 == 0o600
        assert marks(place.read_bytes()) == set()


def test_git_itself_leads_no_address_to_the_token(full: Environment, tmp_path: Path) -> None:
    """The addresses that a submodule could have, through git's own reading of them."""
    full |= {"GIT_CONFIG_GLOBAL": str(tmp_path / "gitconfig"), "GIT_ASKPASS": "/bin/true"}
    run_process(("configure",), b"", full)
    for address in ADDRESSES:
        filled = subprocess.run(
            ["git", "-c", "credential.helper=", "-c", f"credential.helper={EXECUTABLE}", "credential", "fill"],
            input=f"url={address}\n".encode("utf-8", "surrogateescape"),
            env=full,
            capture_output=True,
            check=False,
        )
        assert marks(filled.stdout + filled.stderr) == set(), address


ADDRESSES = [
    "https://huggingface.co@example.org/x", "https://huggingface.co:443@example.org/x",
    "https://huggingface.co%2f@example.org", "https://example.org%2fhuggingface.co",
    "https://example.org/huggingface.co", "https://example.org?huggingface.co", "https://example.org#huggingface.co",
    "https://example.org%0ahost=huggingface.co/", "https://%0ahost=huggingface.co/",
    "https://example.org%0dhost=huggingface.co/", "https://example.org/%0ahost=huggingface.co",
    "https://huggingface.co%00.example.org/", "https://alice%0ahost=huggingface.co@example.org/",
    "https://huggingface.co.example.org/", "https://huggingface.co%2eexample.org/",
    "https://example.org:443:huggingface.co/", "https://huggingface.co\\@example.org/",
    "https://huggingface%2eco%2e/", "http://huggingface.co/", "http::https://huggingface.co/",
    "https::http://huggingface.co/", "ftp://huggingface.co/", "https:///huggingface.co", "https://",
    "https:huggingface.co", "//huggingface.co/", "huggingface.co", "https://[huggingface.co]/",
    "https://huggingface.co:80/", "https://huggingface.co:0443/", "https://huggingface.co:/",
    "https://cdn-lfs.hf.co/", "ext::sh -c hf.co",
]  # fmt: skip
