"""get, store and erase, as git asks for them: which token answers, what is kept, what is withheld."""

import os
import stat
import time
from pathlib import Path

import pytest

from tests.conftest import Environment, Result, Run
from tests.keyring_items import Items

HUB = "huggingface.co"


def request(**values: str) -> bytes:
    lines = {"protocol": "https", "host": HUB} | values
    return "".join(f"{key}={value}\n" for key, value in lines.items()).encode()


def answer(username: str, password: str) -> Result:
    return Result(f"username={username}\npassword={password}\n".encode(), b"", 0)


NOTHING = Result(b"", b"", 0)


def seed(run: Run, token: str, *arguments: str) -> None:
    done = run("seed", "--from", "-", "--no-cache", *arguments, input=token.encode())
    assert (done.stderr, done.code) == (b"", 0)


def write_token_file(environment: Environment, token: str) -> Path:
    file = Path(environment["HOME"], ".cache/huggingface/token")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(token)
    return file


# --- the order of the sources ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("present", "given"),
    [
        ("HF_TOKEN HUGGING_FACE_HUB_TOKEN keyring file", "HF_TOKEN"),
        ("HUGGING_FACE_HUB_TOKEN keyring file", "HUGGING_FACE_HUB_TOKEN"),
        ("keyring file", "keyring"),
        ("HF_TOKEN file", "HF_TOKEN"),
        ("HF_TOKEN", "HF_TOKEN"),
        ("HUGGING_FACE_HUB_TOKEN", "HUGGING_FACE_HUB_TOKEN"),
        ("keyring", "keyring"),
        ("file", "file"),
        ("", None),
    ],
)
def test_the_first_source_that_has_a_token_answers(
    run: Run, keyring: Items, environment: Environment, present: str, given: str | None
) -> None:
    for source in present.split():
        if source == "keyring":
            seed(run, "hf_keyring")
        elif source == "file":
            write_token_file(environment, "hf_file")
        else:
            environment[source] = f"hf_{source}"
    assert run("get", input=request()) == (answer("hf_user", f"hf_{given}") if given else NOTHING)


@pytest.mark.parametrize("empty", ["", " ", "\n"])
def test_a_variable_without_a_token_is_passed_over(run: Run, environment: Environment, empty: str) -> None:
    environment |= {"HF_TOKEN": empty, "HUGGING_FACE_HUB_TOKEN": "hf_second"}
    assert run("get", input=request()) == answer("hf_user", "hf_second")


def test_a_variable_is_cleaned_as_huggingface_hub_cleans_it(run: Run, environment: Environment) -> None:
    environment["HF_TOKEN"] = " hf_abc123\r\n"
    assert run("get", input=request()) == answer("hf_user", "hf_abc123")


@pytest.mark.parametrize("dirty", ["hf_a\nquit=1", "hf_a\rb", "hf_a\x7fb"])
def test_a_variable_with_a_control_character_is_no_token(run: Run, environment: Environment, dirty: str) -> None:
    environment["HF_TOKEN"] = dirty
    assert run("get", input=request()) == NOTHING


@pytest.mark.parametrize(
    ("chosen", "given"),
    [("env", "hf_env"), ("keyring", "hf_keyring"), ("file", "hf_file"), ("file,keyring", "hf_keyring")],
)
def test_sources_selects_and_keeps_the_order(
    run: Run, keyring: Items, environment: Environment, chosen: str, given: str
) -> None:
    seed(run, "hf_keyring")
    write_token_file(environment, "hf_file")
    environment["HF_TOKEN"] = "hf_env"
    assert run("--sources", chosen, "get", input=request()) == answer("hf_user", given)


def test_whatever_user_is_asked_for_the_environment_and_the_file_answer(run: Run, environment: Environment) -> None:
    write_token_file(environment, "hf_file")
    assert run("get", input=request(username="alice")) == answer("alice", "hf_file")
    assert run("get", input=request(username="alice"), HF_TOKEN="hf_env") == answer("alice", "hf_env")
    assert run("get", input=request(username="")) == answer("", "hf_file")


# --- users and scopes in the keyring -----------------------------------------------------------------------


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
        ("org/one/", "host"),
        ("org/two.git", "org"),
        ("org/oneself", "org"),
        ("organisation/one", "host"),
        ("ORG/one", "host"),
        ("datasets/org/data.git", "datasets/org"),
        ("datasets/other/data", "host"),
        ("spaces/org/demo", "spaces/org/demo"),
        ("spaces/org/demo2", "host"),
        ("/org/one", "host"),
        ("org//one", "host"),
        ("./org/one", "host"),
        ("x/../org/one", "host"),
        ("org/one/..", "host"),
        ("org/%6fne", "host"),
        ("org%2Fone", "host"),
        ("org/.git", "host"),
        ("org/one.git/info/lfs", "org"),
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


def test_hf_co_is_huggingface_co(run: Run, keyring: Items) -> None:
    seed(run, "hf_abc123", "--host", "hf.co")
    assert [item.attributes["server"] for item in keyring.all()] == [HUB]
    assert run("get", input=request(host="HF.co:443")) == answer("hf_user", "hf_abc123")
    assert run("store", input=request(host="hf.co", username="alice", password="typed")) == NOTHING
    assert run("get", input=request(username="alice")) == answer("alice", "typed")
    assert run("erase", input=request(host="hf.co", username="alice")) == NOTHING
    assert keyring.secrets() == [b"hf_abc123"]


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


# --- items of other tools ----------------------------------------------------------------------------------

LIBSECRET = {"xdg__schema": "org.git.Password", "protocol": "https", "server": HUB, "user": "alice"}
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
    assert run("erase", input=request(username="alice", password="theirs")) == NOTHING
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
def test_an_item_that_could_break_a_line_of_gits_is_passed_over(
    run: Run, keyring: Items, secret: bytes, user: str
) -> None:
    keyring.add(secret, **LIBSECRET | {"user": user})
    assert run("get", input=request()) == NOTHING


# --- what is known about a credential ----------------------------------------------------------------------


def test_expiry_and_refresh_token_are_kept_answered_and_replaced(run: Run, keyring: Items) -> None:
    soon, later = str(int(time.time()) + 1000), str(int(time.time()) + 2000)
    typed = {"username": "alice", "password": "pw"}
    run("store", input=request(**typed, password_expiry_utc=soon, oauth_refresh_token="one"))
    assert keyring.secrets() == [f"pw\npassword_expiry_utc={soon}\noauth_refresh_token=one".encode()]
    run("store", input=request(**typed, password_expiry_utc=later, oauth_refresh_token="two"))
    assert keyring.secrets() == [f"pw\npassword_expiry_utc={later}\noauth_refresh_token=two".encode()]
    assert run("get", input=request()).stdout.decode() == (
        f"username=alice\npassword=pw\npassword_expiry_utc={later}\noauth_refresh_token=two\n"
    )


def test_what_has_expired_is_not_answered(run: Run, keyring: Items, environment: Environment) -> None:
    write_token_file(environment, "hf_file")
    past = str(int(time.time()) - 1)
    run("store", input=request(username="alice", password="pw", password_expiry_utc=past))
    assert run("get", input=request(username="alice")) == answer("alice", "hf_file")


BEARER = {"authtype": "Bearer", "credential": "hf_bearer"}
KNOWS_BEARER = {"capability[]": "authtype"}
BEARER_ANSWER = "capability[]=authtype\nauthtype=Bearer\ncredential=hf_bearer\n"


def test_a_bearer_credential_is_answered_where_git_announced_it(run: Run, keyring: Items) -> None:
    run("store", input=request(**KNOWS_BEARER, **BEARER, username="alice"))
    assert run("get", input=request(**KNOWS_BEARER)).stdout.decode() == BEARER_ANSWER + "username=alice\n"
    assert run("get", input=request(**KNOWS_BEARER, username="bob")) == NOTHING
    assert run("get", input=request()) == NOTHING
    (item,) = keyring.all()
    assert item.attributes["xdg:schema"] != "org.git.Password"
    assert run("erase", input=request(**KNOWS_BEARER, **BEARER, username="alice")) == NOTHING
    assert keyring.all() == []


def test_a_bearer_credential_without_a_username(run: Run, keyring: Items) -> None:
    run("store", input=request(**KNOWS_BEARER, **BEARER))
    assert run("get", input=request(**KNOWS_BEARER)).stdout.decode() == BEARER_ANSWER
    assert run("get", input=request(**KNOWS_BEARER, username="alice")) == NOTHING


# --- store -------------------------------------------------------------------------------------------------


def test_what_is_stored_is_one_item_that_git_credential_libsecret_would_find(run: Run, keyring: Items) -> None:
    for password in ("first", "second", "second"):
        assert run("store", input=request(username="alice", password=password, path="org/one.git")) == NOTHING
    (item,) = keyring.all()
    assert item.secret == b"second"
    assert LIBSECRET.items() <= {name.replace(":", "__"): value for name, value in item.attributes.items()}.items()
    assert "object" not in item.attributes
    assert "/" not in item.label


@pytest.mark.parametrize("source", ["env", "keyring", "file"])
def test_what_get_gives_is_not_stored(run: Run, keyring: Items, environment: Environment, source: str) -> None:
    if source == "env":
        environment["HF_TOKEN"] = "hf_abc123"
    elif source == "file":
        write_token_file(environment, "hf_abc123")
    else:
        seed(run, "hf_abc123")
    before = keyring.all()
    for username in ("hf_user", "alice"):
        assert run("store", input=request(username=username, password="hf_abc123", path="org/one")) == NOTHING
    assert keyring.all() == before


@pytest.mark.parametrize(
    "left_out",
    [
        {"username": "alice"},
        {"username": "alice", "password": "pw", "ephemeral": "1"},
        {"authtype": "Bearer"},
        {"username": "alice", "password": "pw", "protocol": "http"},
        {"username": "alice", "password": "pw", "host": "example.com"},
        {"username": "alice", "password": "pw", "host": "cdn-lfs.hf.co"},
    ],
)
def test_what_is_not_stored(run: Run, keyring: Items, left_out: dict[str, str]) -> None:
    assert run("store", input=request(**left_out)) == NOTHING
    assert keyring.all() == []


def test_an_empty_username_and_an_empty_password(run: Run, keyring: Items) -> None:
    run("store", input=request(username="", password="pw"))
    assert run("get", input=request()) == answer("", "pw")
    run("store", input=request(username="alice", password=""))
    assert run("get", input=request(username="alice")) == answer("alice", "")
    assert sorted(keyring.secrets()) == [b"\n", b"pw"]


def test_without_a_keyring_nothing_is_stored_and_nothing_is_said(run: Run, environment: Environment) -> None:
    assert run("store", input=request(username="alice", password="pw")) == NOTHING
    assert [path.name for path in Path(environment["HOME"]).rglob("*") if path.is_file()] == []


def test_what_a_person_types_replaces_what_was_seeded(run: Run, keyring: Items) -> None:
    seed(run, "hf_old")
    run("store", input=request(username="hf_user", password="hf_new"))
    assert keyring.secrets() == [b"hf_new"]


# --- another host ------------------------------------------------------------------------------------------

OTHER = {"host": "git.example.com:8443"}
FOR_OTHER = ("--host", "Git.Example.com:8443")


def test_another_host_is_answered_from_what_was_stored_for_it(
    run: Run, keyring: Items, environment: Environment
) -> None:
    environment["HF_TOKEN"] = "hf_env"
    write_token_file(environment, "hf_file")
    seed(run, "hf_hub")
    assert run(*FOR_OTHER, "get", input=request(**OTHER)) == NOTHING
    run(*FOR_OTHER, "store", input=request(**OTHER, username="alice", password="pw"))
    (item,) = [one for one in keyring.all() if one.secret == b"pw"]
    assert (item.attributes["server"], item.attributes["port"]) == ("git.example.com", "8443")
    assert run(*FOR_OTHER, "get", input=request(**OTHER)) == answer("alice", "pw")
    assert run("get", input=request(**OTHER)) == NOTHING
    assert run(*FOR_OTHER, "get", input=request(host="git.example.com")) == NOTHING


def test_another_host_keeps_the_path(run: Run, keyring: Items) -> None:
    stored = request(**OTHER, path="one.git", username="alice", password="pw")
    run(*FOR_OTHER, "store", input=stored)
    assert run(*FOR_OTHER, "get", input=request(**OTHER, path="one.git")) == answer("alice", "pw")
    assert run(*FOR_OTHER, "get", input=request(**OTHER, path="two.git")) == NOTHING
    assert run(*FOR_OTHER, "get", input=request(**OTHER)) == NOTHING
    assert run(*FOR_OTHER, "erase", input=request(**OTHER, path="one.git", username="alice")) == NOTHING
    assert keyring.all() == []


def test_another_host_has_no_memory_of_refusals(run: Run, keyring: Items) -> None:
    stored = request(**OTHER, username="alice", password="pw")
    run(*FOR_OTHER, "store", input=stored)
    run(*FOR_OTHER, "erase", input=stored)
    assert run(*FOR_OTHER, "get", input=request(**OTHER)) == NOTHING
    run(*FOR_OTHER, "store", input=stored)
    assert run(*FOR_OTHER, "get", input=request(**OTHER)) == answer("alice", "pw")


# --- erase and refusals ------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("source", ["HF_TOKEN", "keyring", "file"])
def test_a_refused_token_is_withheld_by_every_source(
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


def test_another_token_answers_in_the_place_of_a_refused_one(run: Run, environment: Environment) -> None:
    write_token_file(environment, "hf_good")
    environment["HF_TOKEN"] = "hf_bad"
    run("erase", input=request(username="hf_user", password="hf_bad"))
    assert run("get", input=request()) == answer("hf_user", "hf_good")


def test_a_token_that_is_nobodys_is_not_remembered(run: Run, environment: Environment) -> None:
    run("erase", input=request(username="hf_user", password="hf_good"))
    environment["HF_TOKEN"] = "hf_good"
    assert run("get", input=request()) == answer("hf_user", "hf_good")
    assert not Path(environment["HOME"], ".local").exists()


def test_what_the_hub_accepts_is_no_longer_refused(run: Run, environment: Environment) -> None:
    environment["HF_TOKEN"] = "hf_abc123"
    credential = request(username="hf_user", password="hf_abc123")
    run("erase", input=credential)
    assert run("get", input=request()).stdout == b"quit=1\n"
    run("store", input=credential)
    assert run("get", input=request()) == answer("hf_user", "hf_abc123")


def test_seed_gives_a_refused_token_anew(run: Run, keyring: Items) -> None:
    seed(run, "hf_abc123")
    run("erase", input=request(username="hf_user", password="hf_abc123"))
    assert keyring.all() == []
    seed(run, "hf_abc123")
    assert run("get", input=request()) == answer("hf_user", "hf_abc123")


def refused_file(environment: Environment) -> Path:
    return Path(environment["HOME"], ".local/state/git-credential-hf/refused")


def test_a_refusal_ends_after_an_hour(run: Run, environment: Environment) -> None:
    environment["HF_TOKEN"] = "hf_abc123"
    run("erase", input=request(username="hf_user", password="hf_abc123"))
    file = refused_file(environment)
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
    file = refused_file(environment)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert b"hf_abc123" not in file.read_bytes()
    assert [path.name for path in file.parent.iterdir()] == ["refused"]


@pytest.mark.parametrize(
    "content", [b"", b"\xff\n\0", b"key\nnonsense\n", b"key\nab 99999999999999999999\n", b"k" * 70_000]
)
def test_a_damaged_memory_is_no_memory(run: Run, environment: Environment, content: bytes) -> None:
    environment["HF_TOKEN"] = "hf_abc123"
    file = refused_file(environment)
    file.parent.mkdir(parents=True, mode=0o700)
    file.write_bytes(content)
    assert run("get", input=request()) == answer("hf_user", "hf_abc123")
    run("erase", input=request(username="hf_user", password="hf_abc123"))
    assert run("get", input=request()).stdout == b"quit=1\n"


@pytest.mark.parametrize("blocked", ["state", "state run", "state run tmp"])
def test_where_a_refusal_is_remembered(run: Run, environment: Environment, tmp_path: Path, blocked: str) -> None:
    """A file in a folder's place keeps even root from making that folder."""
    environment["HF_TOKEN"] = "hf_abc123"
    places = {
        "state": Path(environment["HOME"], ".local"),
        "run": Path(environment["XDG_RUNTIME_DIR"], "git-credential-hf"),
        "tmp": Path(environment["TMPDIR"], f"git-credential-hf-{os.geteuid()}"),
    }
    for place in blocked.split():
        places[place].touch()
    erased = run("erase", input=request(username="hf_user", password="hf_abc123"))
    assert (erased.stdout, erased.code) == (b"", 0)
    if "tmp" in blocked:
        assert erased.stderr.count(b"\n") == 1
        assert b"XDG_STATE_HOME" in erased.stderr
        assert run("get", input=request()) == answer("hf_user", "hf_abc123")
    else:
        assert erased.stderr == b""
        assert run("get", input=request()).stdout == b"quit=1\n"


def test_a_folder_that_others_can_write_to_is_not_trusted(run: Run, environment: Environment) -> None:
    environment["HF_TOKEN"] = "hf_abc123"
    planted = refused_file(environment).parent
    planted.mkdir(parents=True)
    planted.chmod(0o777)
    run("erase", input=request(username="hf_user", password="hf_abc123"))
    assert list(planted.iterdir()) == []
    assert run("get", input=request()).stdout == b"quit=1\n"


# --- nothing to give ---------------------------------------------------------------------------------------


def test_no_prompt_makes_git_quit_where_there_is_no_token(run: Run, environment: Environment) -> None:
    assert run("--no-prompt", "get", input=request()) == Result(b"quit=1\n", b"", 0)
    assert run("--no-prompt", "get", input=request(host="example.com")) == NOTHING
    environment["HF_TOKEN"] = "hf_abc123"
    assert run("--no-prompt", "get", input=request()) == answer("hf_user", "hf_abc123")


# --- what one kind of item must not do to another -------------------------------------------------------------


def test_another_port_is_another_host(run: Run, keyring: Items) -> None:
    for host in (f"{HUB}:8443", "example.com:8443"):
        stored = request(host=host, username="hf_user", password=f"of {host}")
        assert run("--host", host, "store", input=stored) == NOTHING
    keyring.add(b"theirs", **LIBSECRET, port="8443")
    assert run("get", input=request()) == NOTHING
    assert run("--host", "example.com", "get", input=request(host="example.com")) == NOTHING
    assert run("--host", "example.com", "erase", input=request(host="example.com")) == NOTHING
    assert run("erase", input=request()) == NOTHING
    assert len(keyring.all()) == 3


def test_a_bearer_item_is_not_what_git_credential_libsecret_asks_for(run: Run, keyring: Items) -> None:
    run("store", input=request(**KNOWS_BEARER, **BEARER, username="alice"))
    (item,) = keyring.all()
    assert not {"protocol", "server"} & item.attributes.keys()


@pytest.mark.parametrize("first", ["bearer", "password"])
def test_the_kind_that_came_last_replaces_the_other(run: Run, keyring: Items, first: str) -> None:
    kinds = {"bearer": BEARER, "password": {"password": "pw"}}
    for kind in (first, *(kinds.keys() - {first})):
        run("store", input=request(**KNOWS_BEARER, **kinds[kind], username="hf_user"))
    assert len(keyring.all()) == 1
    got = run("get", input=request(**KNOWS_BEARER))
    assert (b"hf_bearer" in got.stdout) == (first == "password")


def test_a_seeded_token_replaces_a_bearer_credential(run: Run, keyring: Items) -> None:
    run("store", input=request(**KNOWS_BEARER, **BEARER, username="hf_user"))
    seed(run, "hf_abc123")
    assert keyring.secrets() == [b"hf_abc123"]


def test_an_item_with_more_attributes_than_ours_is_somebody_elses(run: Run, keyring: Items) -> None:
    seed(run, "hf_abc123")
    (ours,) = keyring.all()
    named = {name.replace(":", "__"): value for name, value in ours.attributes.items()}
    keyring.add(b"theirs", **named, note="mine")
    seed(run, "hf_def456")
    assert keyring.secrets() == [b"hf_def456", b"theirs"]


def test_what_an_old_git_left_out_of_an_answer_is_not_lost(run: Run, keyring: Items, environment: Environment) -> None:
    """git before 2.40 drops the expiry, and before 2.41 the refresh token, of what it was given."""
    later = str(int(time.time()) + 1000)
    full = request(username="alice", password="pw", password_expiry_utc=later, oauth_refresh_token="again")
    run("store", input=full)
    before = keyring.all()
    assert run("store", input=request(username="alice", password="pw")) == NOTHING
    assert keyring.all() == before
    token_file = write_token_file(environment, "hf_oauth_abc")
    (token_file.parent / "stored_tokens").write_text(
        f"[oauth-alice]\nhf_token = hf_oauth_abc\nrefresh_token = again\nexpires_at = {later}\n"
    )
    assert run("store", input=request(username="bob", password="hf_oauth_abc")) == NOTHING
    assert keyring.all() == before


def test_a_named_user_is_found_among_any_number(run: Run, keyring: Items) -> None:
    for number in range(300):
        keyring.add(b"pw%d" % number, **LIBSECRET | {"user": f"user{number}"})
    for number in (0, 150, 299):
        assert run("get", input=request(username=f"user{number}")) == answer(f"user{number}", f"pw{number}")


@pytest.mark.parametrize("where", ["another user", "a scope", "another tool"])
def test_a_token_is_refused_whoever_holds_it(run: Run, keyring: Items, where: str) -> None:
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


def test_a_path_deeper_than_any_scope_is_not_stored(run: Run, keyring: Items) -> None:
    deep = request(**OTHER, path="a/b/c/d/e/f/g/h/i", username="alice", password="pw")
    assert run(*FOR_OTHER, "store", input=deep) == NOTHING
    assert keyring.all() == []
