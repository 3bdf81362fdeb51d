"""The items of other tools: read where ours give nothing, and never written or deleted."""

import time

import pytest

from tests.asking import (
    HUB,
    NOTHING,
    answer,
    request,
    seed,
    write_token_file,
)
from tests.conftest import Environment, Run
from tests.keyring_items import LIBSECRET, Items

OLD_LIBSECRET = LIBSECRET | {"xdg__schema": "org.gnome.keyring.NetworkPassword"}
GCM = {
    "xdg__schema": "com.microsoft.GitCredentialManager",
    "service": f"git:https://{HUB}",
    "account": "alice",
}
PYTHON = {
    "xdg__schema": "org.freedesktop.Secret.Generic",  # gnome-keyring adds it to an item without one, a moment later
    "application": "Python keyring library",
    "service": HUB,
    "username": "alice",
}
OTHERS = [LIBSECRET, OLD_LIBSECRET, GCM, PYTHON, PYTHON | {"service": f"https://{HUB}"}]


@pytest.mark.parametrize("attributes", OTHERS)
def test_another_tools_item_answers_where_ours_do_not(
    run: Run, keyring: Items, attributes: dict[str, str], environment: Environment
) -> None:
    write_token_file(environment, "hf_file")
    keyring.add(b"theirs", **attributes)
    assert run("get", input=request()) == answer("alice", "theirs")
    assert run("get", input=request(username="alice")) == answer("alice", "theirs")
    assert run("get", input=request(username="bob")) == answer("bob", "hf_file")
    seed(run, "hf_ours")
    assert run("get", input=request()) == answer("hf_user", "hf_ours")


@pytest.mark.parametrize("attributes", OTHERS)
def test_another_tools_item_is_never_written_or_deleted(run: Run, keyring: Items, attributes: dict[str, str]) -> None:
    keyring.add(b"theirs", **attributes)
    before = keyring.all()
    assert run("store", input=request(username="alice", password="theirs")) == NOTHING
    assert run("erase", input=request(username="alice")) == NOTHING
    erased = run("erase", input=request(username="alice", password="theirs"))
    assert (erased.stdout, erased.code, erased.stderr.count(b"\n")) == (b"", 0, 1)
    assert b"the Hub rejected the token **** from " in erased.stderr
    assert keyring.all() == before
    refused = run("get", input=request())
    assert (refused.stdout, refused.code) == (b"quit=1\n", 0)
    assert run("store", input=request(username="alice", password="typed")) == NOTHING
    assert before[0] in keyring.all()
    assert keyring.secrets() == [b"theirs", b"typed"]


def test_libsecrets_item_for_a_path_answers_for_that_path_alone(run: Run, keyring: Items) -> None:
    keyring.add(b"theirs", **LIBSECRET, object="org/one.git")
    assert run("get", input=request(path="org/one")) == answer("alice", "theirs")
    assert run("get", input=request(path="org/two")) == NOTHING
    assert run("get", input=request()) == NOTHING


def test_libsecrets_secret_is_read_whole(run: Run, keyring: Items) -> None:
    end = int(time.time()) + 1000
    keyring.add(f"theirs\npassword_expiry_utc={end}\noauth_refresh_token=again".encode(), **LIBSECRET)
    assert run("get", input=request()).stdout.decode() == (
        f"username=alice\npassword=theirs\npassword_expiry_utc={end}\noauth_refresh_token=again\n"
    )


@pytest.mark.parametrize(
    ("secret", "user"),
    [
        (b"", "alice"),
        (b"pass\rword", "alice"),
        (b"pass\0word", "alice"),
        (b"password\noauth_refresh_token=a\x1b", "alice"),
        (b"password", "alice\nquit=1"),
        (b"x" * 65_536, "alice"),
    ],
)
def test_an_item_that_could_break_a_line_of_gits_is_skipped(run: Run, keyring: Items, secret: bytes, user: str) -> None:
    keyring.add(secret, **LIBSECRET | {"user": user})
    assert run("get", input=request()) == NOTHING


def test_a_named_user_is_found_among_any_number(run: Run, keyring: Items) -> None:
    for number in range(300):
        keyring.add(b"pw%d" % number, **LIBSECRET | {"user": f"user{number}"})
    for number in (0, 150, 299):
        assert run("get", input=request(username=f"user{number}")) == answer(f"user{number}", f"pw{number}")
