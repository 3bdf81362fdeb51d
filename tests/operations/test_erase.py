"""erase: what is removed of a credential that a server has rejected, and what is skipped for an hour."""

import os
import stat
import time
from pathlib import Path

import pytest

from tests.asking import (
    FOR_OTHER,
    NOTHING,
    OTHER,
    answer,
    rejected_file,
    request,
    seed,
    write_token_file,
)
from tests.conftest import Environment, Run
from tests.keyring_items import LIBSECRET, Items

# --- items --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rejected", "left"),
    [
        ({"username": "alice", "password": "pw_alice"}, "pw_bob pw_hf"),
        ({"username": "alice", "password": "pw_bob"}, "pw_alice pw_bob pw_hf"),
        ({"username": "alice", "password": "pw_hf"}, "pw_alice pw_bob"),
        ({"password": "pw_bob"}, "pw_alice pw_hf"),
        ({"username": "alice", "password": "wrong"}, "pw_alice pw_bob pw_hf"),
        ({"username": "alice"}, "pw_bob pw_hf"),
        ({"username": "carol"}, "pw_alice pw_bob pw_hf"),
        ({}, ""),
        ({"path": "org/one"}, "pw_alice pw_bob pw_hf"),
        ({"protocol": "http"}, "pw_alice pw_bob pw_hf"),
        ({"host": "example.com"}, "pw_alice pw_bob pw_hf"),
    ],
)
def test_what_erase_removes(run: Run, keyring: Items, rejected: dict[str, str], left: str) -> None:
    for user in ("alice", "bob"):
        run("store", input=request(username=user, password=f"pw_{user}"))
    run("store", input=request(username="hf_user", password="pw_hf"))
    seed(run, "hf_scoped", "--scope", "org/one")
    assert run("erase", input=request(**rejected)) == NOTHING
    assert keyring.secrets() == sorted([b"hf_scoped", *left.encode().split()])


def test_a_seeded_scope_is_removed_only_with_its_password(run: Run, keyring: Items) -> None:
    seed(run, "hf_scoped", "--scope", "org")
    run("erase", input=request(path="org/one"))
    run("erase", input=request(username="hf_user", path="org"))
    run("erase", input=request(username="hf_user", password="hf_scoped"))
    assert keyring.secrets() == [b"hf_scoped"]
    run("erase", input=request(username="hf_user", password="hf_scoped", path="org/one"))
    assert keyring.secrets() == []


# --- rejected tokens ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["HF_TOKEN", "keyring", "file"])
def test_a_rejected_token_is_skipped_in_every_source(
    run: Run, keyring: Items, environment: Environment, source: str
) -> None:
    token_file = write_token_file(environment, "hf_bad" if source == "file" else "")
    if source == "keyring":
        seed(run, "hf_bad")
    if source == "HF_TOKEN":
        environment["HF_TOKEN"] = "hf_bad"
    assert run("erase", input=request(username="hf_user", password="hf_bad")) == NOTHING
    token_file.write_text("hf_bad")
    environment["HF_TOKEN"] = "hf_bad"
    keyring.add(b"hf_bad", **LIBSECRET)
    refused = run("get", input=request())
    assert (refused.stdout, refused.code) == (b"quit=1\n", 0)
    assert refused.stderr.count(b"\n") == 1
    assert b"refused" in refused.stderr
    assert b"hf_bad" not in refused.stderr


@pytest.mark.parametrize("where", ["another user", "a scope", "another tool"])
def test_a_token_is_rejected_whoever_holds_it(run: Run, keyring: Items, where: str) -> None:
    if where == "another user":
        seed(run, "hf_bad", "--user", "alice")
    elif where == "a scope":
        seed(run, "hf_bad", "--scope", "org")
    else:
        keyring.add(b"hf_bad", **LIBSECRET)
    assert run("erase", input=request(username="bob", password="hf_bad")) == NOTHING
    assert keyring.secrets() == [b"hf_bad"]
    got = run("get", input=request(path="org/one", username="hf_user" if where == "a scope" else "alice"))
    assert (got.stdout, got.code) == (b"quit=1\n", 0)


def test_a_token_that_is_nobodys_is_not_remembered(run: Run, environment: Environment) -> None:
    run("erase", input=request(username="hf_user", password="hf_good"))
    environment["HF_TOKEN"] = "hf_good"
    assert run("get", input=request()) == answer("hf_user", "hf_good")
    assert not Path(environment["HOME"], ".local").exists()


def test_a_rejected_token_that_is_seeded_is_given_again(run: Run, keyring: Items) -> None:
    seed(run, "hf_abc123")
    run("erase", input=request(username="hf_user", password="hf_abc123"))
    assert keyring.all() == []
    seed(run, "hf_abc123")
    assert run("get", input=request()) == answer("hf_user", "hf_abc123")


def test_a_token_of_another_host_is_not_remembered_as_rejected(run: Run, keyring: Items) -> None:
    stored = request(**OTHER, username="alice", password="pw")
    run(*FOR_OTHER, "store", input=stored)
    run(*FOR_OTHER, "erase", input=stored)
    assert run(*FOR_OTHER, "get", input=request(**OTHER)) == NOTHING
    run(*FOR_OTHER, "store", input=stored)
    assert run(*FOR_OTHER, "get", input=request(**OTHER)) == answer("alice", "pw")


def test_a_rejected_token_is_skipped_for_an_hour(run: Run, environment: Environment) -> None:
    environment["HF_TOKEN"] = "hf_abc123"
    run("erase", input=request(username="hf_user", password="hf_abc123"))
    file = rejected_file(environment)
    key, refusal = file.read_text().splitlines()
    digest, when = refusal.split(" ")
    assert abs(int(when) - time.time()) < 60
    for hours, given in ((-0.9, False), (-1.1, True), (2.0, True)):
        file.write_text(f"{key}\n{digest} {int(time.time() + hours * 3600)}\n")
        assert (run("get", input=request()) == answer("hf_user", "hf_abc123")) == given


def test_what_is_remembered_is_private_and_no_token(run: Run, environment: Environment) -> None:
    environment["HF_TOKEN"] = "hf_abc123"
    old = os.umask(0)
    try:
        run("erase", input=request(username="hf_user", password="hf_abc123"))
    finally:
        os.umask(old)
    file = rejected_file(environment)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert b"hf_abc123" not in file.read_bytes()
    assert [path.name for path in file.parent.iterdir()] == ["rejected"]


@pytest.mark.parametrize(
    "content", [b"", b"\xff\n\0", b"key\nnonsense\n", b"key\nab 99999999999999999999\n", b"k" * 70_000]
)
def test_a_damaged_memory_is_no_memory(run: Run, environment: Environment, content: bytes) -> None:
    environment["HF_TOKEN"] = "hf_abc123"
    file = rejected_file(environment)
    file.parent.mkdir(parents=True, mode=0o700)
    file.write_bytes(content)
    assert run("get", input=request()) == answer("hf_user", "hf_abc123")
    run("erase", input=request(username="hf_user", password="hf_abc123"))
    assert run("get", input=request()).stdout == b"quit=1\n"


@pytest.mark.parametrize("blocked", ["state", "state run"])
def test_where_a_rejected_token_is_remembered(run: Run, environment: Environment, tmp_path: Path, blocked: str) -> None:
    """A file in a folder's place keeps even root from making that folder. The last places: tests/test_file_systems."""
    environment["HF_TOKEN"] = "hf_abc123"
    places = {
        "state": Path(environment["HOME"], ".local"),
        "run": Path(environment["XDG_RUNTIME_DIR"], "git-credential-hf"),
    }
    for place in blocked.split():
        places[place].touch()
    erased = run("erase", input=request(username="hf_user", password="hf_abc123"))
    assert (erased.stdout, erased.stderr, erased.code) == (b"", b"", 0)
    assert run("get", input=request()).stdout == b"quit=1\n"


def test_a_folder_that_others_can_write_to_is_not_trusted(run: Run, environment: Environment) -> None:
    environment["HF_TOKEN"] = "hf_abc123"
    planted = rejected_file(environment).parent
    planted.mkdir(parents=True)
    planted.chmod(0o777)
    run("erase", input=request(username="hf_user", password="hf_abc123"))
    assert list(planted.iterdir()) == []
    assert run("get", input=request()).stdout == b"quit=1\n"
