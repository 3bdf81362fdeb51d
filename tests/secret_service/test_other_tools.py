"""The items of other tools: read where ours give nothing, and never written or deleted."""

import json
import re
import time

import pytest

from tests.asking import (
    FOR_OTHER,
    HUB,
    NOTHING,
    OTHER,
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
@pytest.mark.parametrize(
    "secret", ["ghp_abcdefghijklmnopqrst", "changeme", "HF_TOKEN=hf_a1", '"hf_a1"', "{}", "two words", "größe", "\nx=y"]
)
def test_what_is_never_a_token_of_the_hub_is_skipped(
    run: Run, keyring: Items, attributes: dict[str, str], secret: str, environment: Environment
) -> None:
    keyring.add(f"{secret}\npassword_expiry_utc=4102444800\noauth_refresh_token=x".encode(), **attributes)
    assert run("get", input=request()) == NOTHING
    told = run("status").stdout.decode()
    assert re.search(r"\nkeyring +(Git Credential Manager|git-credential-libsecret|keyring)'s item holds ", told)
    write_token_file(environment, "hf_file")
    assert run("get", input=request()) == answer("hf_user", "hf_file")
    assert run("get", input=request(username="alice")) == answer("alice", "hf_file")
    theirs = LIBSECRET if attributes in (GCM, OTHERS[-1]) else GCM
    keyring.add(b"hf_theirs1", **theirs)
    assert run("get", input=request()) == answer("alice", "hf_theirs1")


@pytest.mark.parametrize("secret", ["ghp_abcdefghijklmnopqrst", "changeme", "HF_TOKEN=hf_a1", "two words", "größe"])
def test_for_another_host_any_one_line_is_a_password(run: Run, keyring: Items, secret: str) -> None:
    keyring.add(secret.encode(), **LIBSECRET | {"server": "git.example.com"}, port="8443")
    got = run(*FOR_OTHER, "get", input=request(**OTHER))
    assert got == answer("alice", secret)


@pytest.mark.parametrize(
    "theirs", [LIBSECRET | {"object": "org/one"}, GCM | {"service": f"git:https://{HUB}/org/one"}, LIBSECRET]
)
def test_ours_of_another_user_comes_before_theirs(run: Run, keyring: Items, theirs: dict[str, str]) -> None:
    seed(run, "hf_ours", "--user", "bob", "--no-cache")
    keyring.add(b"theirs", **theirs)
    assert run("get", input=request(path="org/one")) == answer("bob", "hf_ours")


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


@pytest.mark.parametrize("path", ["org/one", "org/one.git", "Org/One", "org/one.git/info/lfs", "/org/one/"])
@pytest.mark.parametrize("of", ["org/one", "org/one.git"])
def test_gcms_item_for_a_path_answers_for_that_path_alone(run: Run, keyring: Items, of: str, path: str) -> None:
    """As it has it with credential.useHttpPath."""
    keyring.add(b"theirs", **GCM | {"service": f"git:https://{HUB}/{of}"})
    assert run("get", input=request(path=path)) == answer("alice", "theirs")
    assert run("get", input=request(path="org/two")) == NOTHING
    assert run("get", input=request()) == NOTHING


def test_gcms_item_is_found_as_the_path_is_written(run: Run, keyring: Items) -> None:
    keyring.add(b"theirs", **GCM | {"service": f"git:https://{HUB}/Org/One.git"})
    assert run("get", input=request(path="Org/One.git")) == answer("alice", "theirs")


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(
    "of_path", [LIBSECRET | {"object": "org/one.git"}, GCM | {"service": f"git:https://{HUB}/org/one"}]
)
def test_the_item_for_the_path_comes_first(run: Run, keyring: Items, of_path: dict[str, str], reverse: bool) -> None:
    pairs = [(b"of-path", of_path), (b"of-host", LIBSECRET), (b"of-host", GCM)]
    for secret, attributes in reversed(pairs) if reverse else pairs:
        keyring.add(secret, **attributes)
    assert run("get", input=request(path="org/one")) == answer("alice", "of-path")
    assert run("get", input=request(path="org/two")) == answer("alice", "of-host")


def test_the_item_for_the_path_is_found_among_any_number(run: Run, keyring: Items) -> None:
    for number in range(300):
        keyring.add(b"pw%d" % number, **LIBSECRET, object=f"org/m{number}")
    for number in (0, 150, 299):
        assert run("get", input=request(path=f"org/m{number}")) == answer("alice", f"pw{number}")


def test_a_bus_that_lets_few_calls_wait_loses_no_item(run: Run, keyring: Items) -> None:
    """128 by default; the configuration of a desktop's session bus allows more."""
    for number in range(200):
        keyring.add(b"pw", **LIBSECRET | {"user": f"user{number}"})
    assert run("configure").code == 0
    assert json.loads(run("status", "--json").stdout)["keyring"]["items_of_others"] == 200


@pytest.mark.parametrize("attributes", [LIBSECRET, OLD_LIBSECRET])
def test_the_port_of_https_is_no_port(run: Run, keyring: Items, attributes: dict[str, str]) -> None:
    keyring.add(b"theirs", **attributes, port="443")
    assert run("get", input=request()) == answer("alice", "theirs")
    assert run("configure").code == 0
    assert json.loads(run("status", "--json").stdout)["keyring"]["items_of_others"] == 1


def test_another_port_is_another_host(run: Run, keyring: Items) -> None:
    keyring.add(b"theirs", **LIBSECRET, port="8443")
    assert run("get", input=request()) == NOTHING


@pytest.mark.parametrize("attributes", OTHERS)
@pytest.mark.parametrize("secret", [b" theirs", b"theirs ", b"\ttheirs\r", b" theirs \npassword_expiry_utc=9999999999"])
def test_blanks_around_a_secret_are_no_part_of_it(
    run: Run, keyring: Items, attributes: dict[str, str], secret: bytes
) -> None:
    keyring.add(secret, **attributes)
    assert b"\npassword=theirs\n" in run("get", input=request()).stdout


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
