"""store: what is kept of a credential that a server has accepted, and what is left as it is."""

import time
from pathlib import Path

import pytest

from tests.asking import (
    BEARER,
    FOR_OTHER,
    KNOWS_BEARER,
    NOTHING,
    OTHER,
    answer,
    declare,
    rejected_file,
    request,
    seed,
    write_token_file,
)
from tests.conftest import Environment, Run
from tests.keyring_items import LIBSECRET, Items
from tests.operations.test_erase import age


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


@pytest.mark.parametrize(
    "password", ["None", "${HF_TOKEN}", "<token>", '"hf_abc123"', "Bearer hf_abc123", "ghp_abcdefghijklmnopqrst"]
)
@pytest.mark.parametrize("kind", ["password", "bearer"])
def test_what_is_never_a_token_is_not_stored(run: Run, keyring: Items, password: str, kind: str) -> None:
    """A program put it into a URL, and the repository is public."""
    keyring.add(b"theirs", **LIBSECRET)
    given = BEARER | {"credential": password} if kind == "bearer" else {"password": password}
    assert run("store", input=request(**KNOWS_BEARER, **given, username="hf_user")) == NOTHING
    assert keyring.secrets() == [b"theirs"]
    assert run("get", input=request()) == answer("alice", "theirs")
    run(*FOR_OTHER, "store", input=request(**OTHER, username="alice", password=password))
    assert run(*FOR_OTHER, "get", input=request(**OTHER)) == answer("alice", password)


def test_an_empty_username_and_an_empty_password(run: Run, keyring: Items) -> None:
    run("store", input=request(username="", password="pw"))
    assert run("get", input=request()) == answer("", "pw")
    run("store", input=request(username="alice", password=""))
    assert run("get", input=request(username="alice")) == answer("alice", "")
    assert sorted(keyring.secrets()) == [b"\n", b"pw"]


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


@pytest.mark.parametrize("end", [-10, 1000])
def test_an_oauth_login_that_hf_tells_git_of_keeps_its_end(
    run: Run, keyring: Items, environment: Environment, end: int
) -> None:
    """hf auth switch --add-to-git-credential stores a login with git before it writes the token file."""
    expires = int(time.time()) + end
    login = f"[oauth-alice]\nhf_token = hf_oauth_abc\nrefresh_token = again\nexpires_at = {expires}\n"
    write_token_file(environment, "").with_name("stored_tokens").write_text(login)
    assert run("store", input=request(username="hf_user", password="hf_oauth_abc")) == NOTHING
    assert keyring.secrets() == [f"hf_oauth_abc\npassword_expiry_utc={expires}".encode()]
    got = f"username=hf_user\npassword=hf_oauth_abc\npassword_expiry_utc={expires}\n" if end > 0 else ""
    assert run("get", input=request()).stdout.decode() == got


def test_what_a_url_has_in_it_does_not_come_before_the_token_file(
    run: Run, keyring: Items, environment: Environment
) -> None:
    """As where the keyring was not there yet when the token was seeded."""
    write_token_file(environment, "hf_file0123")
    assert run("store", input=request(username="hf_user", password="of-the-url", path="org/public")) == NOTHING
    assert run("get", input=request(path="org/public")) == answer("hf_user", "hf_file0123")
    assert keyring.all() == []


@pytest.mark.parametrize("user", ["hf_user", "alice"])
@pytest.mark.parametrize("scope", ["my-org", "my-org/public"])
@pytest.mark.parametrize("rejected", [False, True])
def test_what_a_url_has_in_it_does_not_come_before_the_token_file_behind_a_scoped_one(
    run: Run, keyring: Items, environment: Environment, user: str, scope: str, rejected: bool
) -> None:
    write_token_file(environment, "hf_file0123")
    if rejected:
        run("erase", input=request(username="hf_user", password="hf_file0123", path="my-org/public"))
    seed(run, "hf_scoped0123", "--scope", scope)
    assert run("store", input=request(username=user, password="of-the-url", path="my-org/public")) == NOTHING
    assert run("get", input=request(path="my-org/public")) == answer("hf_user", "hf_scoped0123")
    assert run("get", input=request(path="x/y")) == answer("hf_user", "hf_file0123")
    assert run("get", input=request()) == answer("hf_user", "hf_file0123")


@pytest.mark.parametrize("user", ["hf_user", "alice"])
def test_what_a_url_has_in_it_does_not_come_before_the_token_file_behind_a_variable(
    run: Run, keyring: Items, environment: Environment, user: str
) -> None:
    write_token_file(environment, "hf_file0123")
    typed = request(username=user, password="of-the-url", path="org/public")
    assert run("store", input=typed, HF_TOKEN="hf_variable0123") == NOTHING
    assert run("get", input=request(path="x/y")) == answer("hf_user", "hf_file0123")


def test_what_is_typed_beside_a_scoped_token_is_kept_where_the_token_file_was_rejected_everywhere(
    run: Run, keyring: Items, environment: Environment
) -> None:
    write_token_file(environment, "hf_file0123")
    run("erase", input=request(username="hf_user", password="hf_file0123"))
    seed(run, "hf_scoped0123", "--scope", "my-org")
    assert run("store", input=request(username="hf_user", password="typed", path="my-org/public")) == NOTHING
    assert run("get", input=request(path="x/y")) == answer("hf_user", "typed")


def test_what_was_stored_for_the_host_is_replaced_beside_the_token_file(
    run: Run, keyring: Items, environment: Environment
) -> None:
    run("store", input=request(username="hf_user", password="first", path="org/one"))
    write_token_file(environment, "hf_file0123")
    assert run("store", input=request(username="hf_user", password="second", path="org/one")) == NOTHING
    assert keyring.secrets() == [b"second"]
    assert run("get", input=request()) == answer("hf_user", "second")


def test_what_a_named_user_has_beside_the_token_file_is_for_that_repository(
    run: Run, keyring: Items, environment: Environment
) -> None:
    write_token_file(environment, "hf_file0123")
    assert run("store", input=request(username="alice", password="hers", path="org/one")) == NOTHING
    assert run("get", input=request(username="alice", path="org/one")) == answer("alice", "hers")
    assert run("get", input=request(path="org/two")) == answer("hf_user", "hf_file0123")
    assert run("get", input=request()) == answer("hf_user", "hf_file0123")


@pytest.mark.parametrize("user", ["hf_user", "alice"])
def test_what_is_stored_where_the_token_file_was_rejected_is_for_that_repository(
    run: Run, keyring: Items, environment: Environment, user: str
) -> None:
    write_token_file(environment, "hf_file0123")
    run("erase", input=request(username="hf_user", password="hf_file0123", path="org/one"))
    assert run("store", input=request(username=user, password="typed", path="org/one")) == NOTHING
    assert run("get", input=request(path="org/one")) == answer(user, "typed")
    assert run("get", input=request(path="org/two")) == answer("hf_user", "hf_file0123")


def test_without_a_keyring_nothing_is_stored_and_nothing_is_said(run: Run, environment: Environment) -> None:
    assert run("store", input=request(username="alice", password="pw")) == NOTHING
    assert [path.name for path in Path(environment["HOME"]).rglob("*") if path.is_file()] == []


def test_what_the_hub_accepts_is_no_longer_rejected(run: Run, environment: Environment) -> None:
    environment["HF_TOKEN"] = "hf_abc123"
    credential = request(username="hf_user", password="hf_abc123")
    run("erase", input=credential)
    assert run("get", input=request()).stdout == b"quit=1\n"
    run("store", input=credential)
    assert run("get", input=request()) == answer("hf_user", "hf_abc123")


# --- another host -------------------------------------------------------------------------------------------


def test_another_host_keeps_the_path(run: Run, keyring: Items) -> None:
    stored = request(**OTHER, path="one.git", username="alice", password="pw")
    run(*FOR_OTHER, "store", input=stored)
    assert run(*FOR_OTHER, "get", input=request(**OTHER, path="one.git")) == answer("alice", "pw")
    assert run(*FOR_OTHER, "get", input=request(**OTHER, path="two.git")) == NOTHING
    assert run(*FOR_OTHER, "get", input=request(**OTHER)) == NOTHING
    assert run(*FOR_OTHER, "erase", input=request(**OTHER, path="one.git", username="alice")) == NOTHING
    assert keyring.all() == []


@pytest.mark.parametrize("user", ["hf_user", "alice"])
@pytest.mark.parametrize("scope", ["", "group", "group/one"])
def test_what_a_url_of_another_host_has_in_it_does_not_come_before_what_was_seeded(
    run: Run, keyring: Items, user: str, scope: str
) -> None:
    seed(run, "seeded", "--host", OTHER["host"], *(("--scope", scope) if scope else ()))
    typed = request(**OTHER, path="group/one.git", username=user, password="typed")
    assert run(*FOR_OTHER, "store", input=typed) == NOTHING
    got = request(**OTHER, path="group/one")
    assert run(*FOR_OTHER, "get", input=got) == answer("hf_user", "seeded")
    run(*FOR_OTHER, "erase", input=request(**OTHER, path="group/one", username="hf_user", password="seeded"))
    assert run(*FOR_OTHER, "get", input=got) == answer(user, "typed")


def test_what_is_stored_for_a_path_of_another_host_comes_before_what_is_stored_above_it(
    run: Run, keyring: Items
) -> None:
    for path in ("group", "group/one", "group"):
        run(*FOR_OTHER, "store", input=request(**OTHER, path=path, username="hf_user", password=f"of {path}"))
    for path in ("group", "group/one"):
        assert run(*FOR_OTHER, "get", input=request(**OTHER, path=path)) == answer("hf_user", f"of {path}")


def test_a_path_deeper_than_any_scope_is_not_stored(run: Run, keyring: Items) -> None:
    deep = request(**OTHER, path="a/b/c/d/e/f/g/h/i", username="alice", password="pw")
    assert run(*FOR_OTHER, "store", input=deep) == NOTHING
    assert keyring.all() == []


# --- what is there already ----------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", ["seed", "tokens.toml"])
@pytest.mark.parametrize("kind", ["password", "bearer"])
def test_what_git_stores_stands_beside_what_a_person_seeded(
    run: Run, keyring: Items, environment: Environment, origin: str, kind: str
) -> None:
    if origin == "seed":
        seed(run, "hf_seeded")
    else:
        declare(environment, '[tokens.t]\nenv = "T"\n')
        assert run("seed", T="hf_seeded").code == 0
    (before,) = keyring.all()
    told = KNOWS_BEARER | (BEARER if kind == "bearer" else {"password": "hf_bearer"})
    for _ in range(2):
        assert run("store", input=request(**told, username="hf_user")) == NOTHING
    assert before in keyring.all()
    (stored,) = [one for one in keyring.all() if one != before]
    assert stored.attributes["git-credential-hf-origin"] == "store"
    assert stored.label != before.label
    for username in ({}, {"username": "hf_user"}, {"username": "alice"}):
        assert run("get", input=request(**KNOWS_BEARER, **username)) == answer(
            username.get("username", "hf_user"), "hf_seeded"
        )


def test_what_git_stored_answers_while_the_seeded_one_is_rejected(
    run: Run, keyring: Items, environment: Environment
) -> None:
    seed(run, "hf_seeded")
    run("store", input=request(username="hf_user", password="hf_stored"))
    seeded = request(username="hf_user", password="hf_seeded")
    run("erase", input=seeded)
    assert run("get", input=request()) == answer("hf_user", "hf_stored")
    # Not even after the hour, since nothing says that the seeded one is good again.
    file = rejected_file(environment)
    key, line = file.read_text().splitlines()
    file.write_text(f"{key}\n{line.split(' ')[0]} {int(time.time()) - 4000}\n")
    assert run("get", input=request()) == answer("hf_user", "hf_stored")
    run("store", input=seeded)
    assert run("get", input=request()) == answer("hf_user", "hf_seeded")
    run("erase", input=seeded)
    seed(run, "hf_seeded")
    assert run("get", input=request()) == answer("hf_user", "hf_seeded")


def test_a_seed_is_the_end_of_what_git_stored_there(run: Run, keyring: Items) -> None:
    seed(run, "hf_old")
    seed(run, "hf_org", "--scope", "org")
    for user, password in (("hf_user", "hf_typed"), ("alice", "hf_old"), ("bob", "hf_bobs")):
        run("erase", input=request(username="hf_user", password="hf_old"))
        assert run("store", input=request(username=user, password=password)) == NOTHING
    seed(run, "hf_new")
    # alice's holds the token that was replaced.
    assert keyring.secrets() == [b"hf_bobs", b"hf_new", b"hf_org"]
    assert run("get", input=request(username="alice")) == answer("alice", "hf_new")


def test_a_fetch_that_a_rotation_overtook_does_not_bring_the_old_token_back(run: Run, keyring: Items) -> None:
    seed(run, "hf_old")
    assert run("get", input=request()) == answer("hf_user", "hf_old")
    seed(run, "hf_new")
    assert run("store", input=request(username="hf_user", password="hf_old")) == NOTHING
    assert run("get", input=request()) == answer("hf_user", "hf_new")
    seed(run, "hf_newer")
    assert keyring.secrets() == [b"hf_newer"]


def test_what_was_seeded_for_another_user_still_answers_where_nobody_is_named(run: Run, keyring: Items) -> None:
    seed(run, "hf_carols", "--user", "carol")
    typed = request(username="hf_user", password="typed", path="org/one")
    assert run("store", input=typed) == NOTHING
    assert run("get", input=request(path="org/one")) == answer("carol", "hf_carols")
    run("erase", input=request(username="carol", password="hf_carols", path="org/one"))
    assert run("store", input=typed) == NOTHING
    assert run("get", input=request(path="org/one")) == answer("hf_user", "typed")


def test_what_was_seeded_for_a_scope_is_hidden_by_nothing_for_the_host(run: Run, keyring: Items) -> None:
    seed(run, "hf_carols", "--user", "carol", "--scope", "org")
    assert run("store", input=request(username="hf_user", password="typed", path="org/one")) == NOTHING
    assert run("get", input=request(path="org/one")) == answer("carol", "hf_carols")
    assert run("get", input=request()) == answer("hf_user", "typed")


def test_whose_token_answers_where_nobody_is_named_a_seeded_one_first(run: Run, keyring: Items) -> None:
    seed(run, "hf_carols", "--user", "carol")
    run("store", input=request(username="bob", password="hf_bobs"))
    assert run("get", input=request()) == answer("carol", "hf_carols")
    assert run("get", input=request(username="bob")) == answer("bob", "hf_bobs")


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


def test_an_item_of_ours_may_have_more_attributes(run: Run, keyring: Items) -> None:
    seed(run, "hf_abc123")
    (ours,) = keyring.all()
    named = {name.replace(":", "__"): value for name, value in ours.attributes.items()}
    keyring.add(b"hf_copied", **named, note="mine")
    seed(run, "hf_def456")
    assert keyring.secrets() == [b"hf_def456"]
    run("erase", input=request(username="hf_user"))
    assert keyring.all() == []


@pytest.mark.parametrize("more", [{"port": "8443"}, {"object": "org/one"}])
def test_an_item_whose_attributes_name_another_place_is_not_ours(
    run: Run, keyring: Items, more: dict[str, str]
) -> None:
    seed(run, "hf_abc123")
    (ours,) = keyring.all()
    named = {name.replace(":", "__"): value for name, value in ours.attributes.items()}
    keyring.add(b"theirs", **named, **more)
    seed(run, "hf_def456")
    assert keyring.secrets() == [b"hf_def456", b"theirs"]


# A token that is seeded for a named user.

SEEDED = "hf_aliceSeeded0123456789abcdefgh1"
TYPED = "hf_typedInAnUrl0123456789abcdefg1"


def hide(run: Run, path: str = "my-org/public", **environ: str) -> None:
    """Have git store the password of a URL after a 200 from a public repository."""
    assert run("store", input=request(path=path, username="hf_user", password=TYPED), **environ) == NOTHING


def assert_alices_answers(run: Run) -> None:
    assert run("get", input=request(path="x/y")) == answer("alice", SEEDED)


def test_a_password_in_a_url_does_not_hide_a_named_users_token_behind_a_scoped_one(run: Run, keyring: Items) -> None:
    seed(run, SEEDED, "--user", "alice")
    seed(run, "hf_scoped0123456789abcdefghijkl12", "--scope", "my-org")
    hide(run)
    assert_alices_answers(run)


def test_a_password_in_a_url_does_not_hide_a_named_users_token_behind_a_variable(run: Run, keyring: Items) -> None:
    seed(run, SEEDED, "--user", "alice")
    hide(run, HF_TOKEN="hf_other0123456789abcdefghijklm1")
    assert_alices_answers(run)


def test_a_password_in_a_url_hides_a_named_users_token_only_where_that_was_rejected(run: Run, keyring: Items) -> None:
    seed(run, SEEDED, "--user", "alice")
    run("erase", input=request(path="evil/r", username="alice", password=SEEDED))
    hide(run, "evil/r")
    assert_alices_answers(run)
    assert run("get", input=request(path="evil/r")) == answer("hf_user", TYPED)
    run("erase", input=request(path="evil/r", username="hf_user", password=TYPED))
    assert [one.secret for one in keyring.all()] == [SEEDED.encode()]


def test_a_new_token_of_a_named_user_comes_before_what_was_stored_where_the_old_one_was_rejected(
    run: Run, keyring: Items
) -> None:
    seed(run, SEEDED, "--user", "alice")
    run("erase", input=request(path="org/one", username="alice", password=SEEDED))
    hide(run, "org/one")
    seed(run, "hf_alicesNext0123456789abcdefgh12", "--user", "alice")
    assert run("get", input=request(path="org/one")) == answer("alice", "hf_alicesNext0123456789abcdefgh12")


def test_a_new_token_comes_before_what_a_named_user_had_beside_the_token_file(
    run: Run, keyring: Items, environment: Environment
) -> None:
    write_token_file(environment, "hf_file0123")
    assert run("store", input=request(username="alice", password="hers", path="org/one")) == NOTHING
    seed(run, SEEDED)
    for user in ("hf_user", "alice"):
        assert run("get", input=request(username=user, path="org/one")) == answer(user, SEEDED)
    assert run("get", input=request(path="org/one")) == answer("hf_user", SEEDED)


def test_what_a_url_has_in_it_does_not_come_before_the_token_file_behind_another_tools_token_for_a_path(
    run: Run, keyring: Items, environment: Environment
) -> None:
    keyring.add(b"hf_anothers0123", **(LIBSECRET | {"user": "hf_user", "object": "org/one"}))
    write_token_file(environment, "hf_file0123")
    assert run("store", input=request(username="hf_user", password="typed", path="org/one")) == NOTHING
    assert run("get", input=request(path="org/two")) == answer("hf_user", "hf_file0123")
    assert run("get", input=request(path="org/one")) == answer("hf_user", "hf_anothers0123")


def test_a_token_seeded_for_another_user_leaves_what_a_named_user_stored(
    run: Run, keyring: Items, environment: Environment
) -> None:
    write_token_file(environment, "hf_file0123")
    assert run("store", input=request(username="bob", password="his", path="org/one")) == NOTHING
    seed(run, SEEDED, "--user", "carol")
    assert run("get", input=request(username="bob", path="org/one")) == answer("bob", "his")


def test_what_a_url_has_in_it_does_not_come_before_the_token_file_where_an_old_token_was_rejected_long_ago(
    run: Run, keyring: Items, environment: Environment
) -> None:
    seed(run, SEEDED)
    run("erase", input=request(username="hf_user", password=SEEDED))
    age(environment, 1.1)
    write_token_file(environment, "hf_file0123")
    assert run("store", input=request(username="hf_user", password="typed", path="org/one")) == NOTHING
    for path in ("org/one", "org/two"):
        assert run("get", input=request(path=path)) == answer("hf_user", "hf_file0123")


@pytest.mark.parametrize("rejected_first", [False, True])
def test_a_password_in_a_url_does_not_hide_a_named_users_token_where_that_of_hf_user_is_rejected(
    run: Run, keyring: Items, rejected_first: bool
) -> None:
    seed(run, "hf_anybodys0123456789abcdefghijkl1")
    seed(run, SEEDED, "--user", "alice")
    rejected = request(username="hf_user", password="hf_anybodys0123456789abcdefghijkl1")
    if rejected_first:
        run("erase", input=rejected)
    hide(run)
    run("erase", input=rejected)
    assert_alices_answers(run)


@pytest.mark.parametrize("user", ["hf_user", "alice"])
@pytest.mark.parametrize("rejected", ["", "org/one"])
def test_what_is_stored_for_no_repository_does_not_come_before_the_token_file(
    run: Run, keyring: Items, environment: Environment, user: str, rejected: str
) -> None:
    write_token_file(environment, "hf_file0123")
    if rejected:
        run("erase", input=request(username="hf_user", password="hf_file0123", path=rejected))
    assert run("store", input=request(username=user, password="of-the-url")) == NOTHING
    assert run("get", input=request(path="x/y")) == answer("hf_user", "hf_file0123")
    assert run("get", input=request()) == answer("hf_user", "hf_file0123")


@pytest.mark.parametrize("user", ["hf_user", "alice"])
@pytest.mark.parametrize(("scope", "is_before"), [("", True), ("org", True), ("org/one", True), ("other", False)])
def test_a_new_token_comes_before_what_was_stored_where_the_token_file_was_rejected(
    run: Run, keyring: Items, environment: Environment, user: str, scope: str, is_before: bool
) -> None:
    write_token_file(environment, "hf_file0123")
    run("erase", input=request(username="hf_user", password="hf_file0123", path="org/one"))
    hide(run, "org/one")
    for _ in range(2):
        seed(run, SEEDED, "--user", user, *(("--scope", scope) if scope else ()))
        given = answer(user, SEEDED) if is_before else answer("hf_user", TYPED)
        assert run("get", input=request(path="org/one")) == given
    assert len(keyring.all()) == 1 + (not is_before)


def test_a_token_seeded_for_a_named_user_comes_before_what_was_stored_earlier(run: Run, keyring: Items) -> None:
    hide(run)
    seed(run, SEEDED, "--user", "alice")
    assert_alices_answers(run)


def test_what_is_typed_after_a_named_users_token_was_rejected_everywhere_is_stored(run: Run, keyring: Items) -> None:
    seed(run, SEEDED, "--user", "alice")
    run("erase", input=request(username="alice", password=SEEDED))
    hide(run)
    assert run("get", input=request(path="x/y")) == answer("hf_user", TYPED)
