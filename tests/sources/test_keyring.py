"""get from the keyring: whose item answers, and for which part of the host."""

import contextlib
import socket
from pathlib import Path

import pytest

from git_credential_hf.model.request import parse
from git_credential_hf.options import parse as parse_options
from git_credential_hf.sources import keyring as source
from tests.asking import (
    HUB,
    NOTHING,
    answer,
    request,
    seed,
)
from tests.conftest import Environment, Run
from tests.keyring_items import LIBSECRET, Items
from tests.providers import GnomeKeyring
from tests.secret_service.conftest import wait_for_the_next_second


@pytest.mark.parametrize(
    ("users", "asked", "given"),
    [
        ("hf_user", None, "hf_user"),
        ("hf_user alice", None, "hf_user"),
        ("alice", None, "alice"),
        ("alice hf_user", "alice", "alice"),
        ("hf_user", "alice", "hf_user"),
        ("bob", "alice", None),
        ("bob", "hf_user", None),
        ("bob hf_user", "alice", "hf_user"),
    ],
)
def test_whose_item_answers(run: Run, keyring: Items, users: str, asked: str | None, given: str | None) -> None:
    for user in users.split():
        seed(run, f"hf_of_{user}", "--user", user)
    got = run("get", input=request() if asked is None else request(username=asked))
    assert got == (answer(asked or str(given), f"hf_of_{given}") if given else NOTHING)


@pytest.mark.parametrize(
    ("path", "given"),
    [
        (None, "host"),
        ("org", "org"),
        ("org/one", "org/one"),
        ("org/one.git", "org/one"),
        ("org/one/", "org/one"),
        ("org/two.git", "org"),
        ("org/oneself", "org"),
        ("organisation/one", "host"),
        ("ORG/One", "org/one"),
        ("datasets/org/data.git", "datasets/org"),
        ("datasets/other/data", "host"),
        ("spaces/org/demo", "spaces/org/demo"),
        ("spaces/org/demo2", "host"),
        ("/org/one", "org/one"),
        ("org//one", "host"),
        ("./org/one", "host"),
        ("x/../org/one", "host"),
        ("org/one/..", "host"),
        ("org/%6fne", "host"),
        ("org%2Fone", "host"),
        ("org/.git", "host"),
        ("org/one.git/info/lfs", "org/one"),
        ("org/one/info/lfs", "org/one"),
        ("org/two.git/info/lfs", "org"),
        ("x/org/one", "host"),
        ("a/b/c/d/e/f/g/h/i/j/k", "host"),
    ],
)
def test_the_longest_scope_that_the_path_lies_in_answers(
    run: Run, keyring: Items, path: str | None, given: str
) -> None:
    seed(run, "hf_host")
    for scope in ("org", "org/one", "datasets/org", "spaces/org/demo"):
        seed(run, f"hf_{scope}", "--scope", scope)
    got = run("get", input=request() if path is None else request(path=path))
    assert got == answer("hf_user", f"hf_{given}")


def test_a_scope_is_more_than_a_user(run: Run, keyring: Items) -> None:
    seed(run, "hf_host")
    seed(run, "hf_alices", "--user", "alice", "--scope", "org")
    assert run("get", input=request(path="org/one")) == answer("alice", "hf_alices")
    assert run("get", input=request(path="org/one", username="alice")) == answer("alice", "hf_alices")
    assert run("get", input=request(path="org/one", username="bob")) == answer("bob", "hf_host")


def test_two_users_of_one_scope(run: Run, keyring: Items) -> None:
    seed(run, "hf_alices", "--user", "alice", "--scope", "org")
    seed(run, "hf_anybodys", "--scope", "org")
    assert run("get", input=request(path="org/one")) == answer("hf_user", "hf_anybodys")
    assert run("get", input=request(path="org/one", username="alice")) == answer("alice", "hf_alices")
    assert run("get", input=request(path="org/one", username="bob")) == answer("bob", "hf_anybodys")


def test_a_scoped_item_does_not_answer_for_the_host(run: Run, keyring: Items) -> None:
    seed(run, "hf_org", "--scope", "org")
    assert run("get", input=request()) == NOTHING
    assert run("get", input=request(path="other/one")) == NOTHING


@pytest.mark.parametrize("text", ["é", "naïve user", "日本"])
def test_a_username_can_be_any_text(run: Run, keyring: Items, text: str) -> None:
    assert run("store", input=request(username=text, password="pw")) == NOTHING
    assert run("get", input=request(username=text)).stdout == f"username={text}\npassword=pw\n".encode()


def test_a_username_that_is_no_text_is_no_items(run: Run, keyring: Items) -> None:
    seed(run, "hf_abc123")
    odd = b"protocol=https\nhost=huggingface.co\nusername=\xff\n"
    assert run("get", input=odd).stdout == b"username=\xff\npassword=hf_abc123\n"
    assert run("store", input=odd + b"password=typed\n") == NOTHING
    assert keyring.secrets() == [b"hf_abc123"]


# --- candidates --------------------------------------------------------------------------------------------


def candidates(environment: Environment, *arguments: bytes) -> list[tuple[str, bytes | None, str, str]]:
    """Return place, token, verdict and reason of each candidate for a request without a user."""
    chosen, _ = parse_options(list(arguments), {name.encode(): value.encode() for name, value in environment.items()})
    found = source.candidates(HUB.encode(), parse(request()), chosen)
    return [(one.place, one.token.text if one.token else None, one.verdict, one.why) for one in found]


def test_ours_come_before_those_of_other_users_and_of_other_tools(
    run: Run, keyring: Items, environment: Environment
) -> None:
    keyring.add(b"theirs", **LIBSECRET)
    seed(run, "hf_bobs", "--user", "bob")
    seed(run, "hf_anybodys")
    assert candidates(environment) == [
        ("the keyring", b"hf_anybodys", "", ""),
        ("the keyring", b"hf_bobs", "", ""),
        ("git-credential-libsecret's item", b"theirs", "", ""),
    ]


def test_a_keyring_that_is_not_there_is_not_reached(environment: Environment) -> None:
    assert candidates(environment) == [("the keyring", None, "not reached", "no D-Bus session")]


def test_a_keyring_that_does_not_answer_is_not_reached(environment: Environment) -> None:
    path = environment["XDG_RUNTIME_DIR"] + "/bus"
    environment["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={path}"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        found = candidates(environment, b"--timeout", b"0.2")
    assert found == [("the keyring", None, "not reached", "it gave no answer within 0.2 s")]


def test_a_locked_keyring_is_not_reached(run: Run, environment: Environment, tmp_path: Path) -> None:
    with contextlib.closing(GnomeKeyring(tmp_path / "keyring")) as provider:
        environment["DBUS_SESSION_BUS_ADDRESS"] = provider.bus.address
        assert candidates(environment) == []
        seed(run, "hf_abc123")
        provider.lock()
        assert candidates(environment) == [("the keyring", None, "locked", "")]


@pytest.mark.parametrize(
    "changed",
    [
        {"xdg__schema": "org.freedesktop.Secret.Generic"},
        {"server": "somewhere.example.org"},
        {"port": "8443"},
        {"object": "org"},
    ],
)
def test_what_has_our_mark_and_is_no_longer_ours_comes_after_what_is(
    run: Run, keyring: Items, changed: dict[str, str]
) -> None:
    """seed does not replace it, and forget leaves it: it must not be what git goes on with."""
    seed(run, "hf_old")
    (ours,) = keyring.all()
    keyring.clear()
    named = {name.replace(":", "__"): value for name, value in ours.attributes.items()}
    keyring.add(b"hf_old", **named | changed)
    assert run("get", input=request()) == answer("hf_user", "hf_old")
    keyring.clear()
    seed(run, "hf_new")
    wait_for_the_next_second()  # what is written last would be first
    keyring.add(b"hf_old", **named | changed)
    for asked in (request(), request(username="hf_user")):
        assert run("get", input=asked) == answer("hf_user", "hf_new")
