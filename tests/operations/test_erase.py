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
    declare,
    explains,
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


def test_what_was_seeded_for_a_scope_stays(run: Run, keyring: Items) -> None:
    seed(run, "hf_scoped", "--scope", "org")
    for rejected in (
        {"path": "org/one"},
        {"path": "org"},
        {"password": "hf_scoped"},
        {"password": "hf_scoped", "path": "org/one"},
    ):
        run("erase", input=request(**{"username": "hf_user"} | rejected))
        assert keyring.secrets() == [b"hf_scoped"]


TOKEN = "hf_QpWn4LmXzTbVcRdSfGhJ"
MASKED = "hf_****fGhJ"


@pytest.mark.parametrize("origin", ["seed", "tokens.toml"])
@pytest.mark.parametrize("scope", ["", "org"])
def test_what_a_person_seeded_stays_and_is_skipped(
    run: Run, keyring: Items, environment: Environment, origin: str, scope: str
) -> None:
    remedy = "git-credential-hf seed"
    if origin == "seed":
        declare(environment, '[tokens.other]\nenv = "OTHER"\n')
        seed(run, TOKEN, *(("--scope", scope) if scope else ()))
        remedy = "git-credential-hf login" + (f" --scope {scope}" if scope else "")
    else:
        declare(environment, f'[tokens.t]\nenv = "T"\nscope = "{scope}"\n' if scope else '[tokens.t]\nenv = "T"\n')
        assert run("seed", T=TOKEN).code == 0
    before = keyring.all()
    told = run("erase", input=request(username="hf_user", password=TOKEN, path="org/one"))
    assert explains(told, MASKED, "the keyring", remedy)
    assert keyring.all() == before
    skipped = run("get", input=request(path="org/one.git"))
    assert (skipped.stdout, skipped.code) == (b"quit=1\n", 0)
    assert skipped.stderr == told.stderr


def test_a_copy_that_git_stored_goes_and_the_seeded_one_stays(run: Run, keyring: Items) -> None:
    seed(run, TOKEN, "--user", "alice")
    assert run("store", input=request(username="hf_user", password=TOKEN)) == NOTHING
    run("erase", input=request(username="hf_user", password=TOKEN))
    (left,) = keyring.all()
    assert left.attributes["user"] == "alice"


@pytest.mark.parametrize("how", ["seed", "store"])
def test_a_token_that_another_host_rejected_is_skipped_there(run: Run, keyring: Items, how: str) -> None:
    credential = request(**OTHER, username="hf_user", password=TOKEN)
    seed(run, TOKEN)
    seed(run, TOKEN, "--host", OTHER["host"])
    told = run(*FOR_OTHER, "erase", input=credential)
    assert told.stderr.endswith(b". Try: git-credential-hf login --host git.example.com:8443\n")
    assert len(keyring.all()) == 2
    assert run(*FOR_OTHER, "get", input=request(**OTHER)).stdout == b"quit=1\n"
    assert run("get", input=request()) == answer("hf_user", TOKEN)
    if how == "store":
        run(*FOR_OTHER, "store", input=credential)
    else:
        seed(run, TOKEN, "--host", OTHER["host"])
    assert run(*FOR_OTHER, "get", input=request(**OTHER)) == answer("hf_user", TOKEN)


def test_the_remedy_is_one_line_whatever_the_scope_is_called(run: Run, keyring: Items) -> None:
    seed(run, TOKEN, "--scope", "org;reboot")
    told = run("erase", input=request(username="hf_user", password=TOKEN, path="org;reboot/x"))
    assert explains(told, MASKED, "the keyring", "git-credential-hf login")


def test_the_token_of_a_variable_is_left_to_whoever_set_it(run: Run, environment: Environment) -> None:
    environment["HF_TOKEN"] = TOKEN
    told = run("erase", input=request(username="hf_user", password=TOKEN))
    assert explains(told, MASKED, "HF_TOKEN", "unset HF_TOKEN")


def test_a_token_that_tokens_toml_put_into_the_token_file(run: Run, environment: Environment) -> None:
    declare(environment, '[tokens.t]\nenv = "T"\ncache = true\n')
    assert run("seed", "--no-keyring", T=TOKEN).code == 0
    told = run("erase", input=request(username="hf_user", password=TOKEN))
    declared = Path(environment["HOME"], ".config/git-credential-hf/tokens.toml")
    again = f". Put a new token where {declared} takes it from. Try: git-credential-hf seed\n"
    assert told.stderr.decode().endswith(again)


def test_a_token_file_that_is_a_link(run: Run, environment: Environment, tmp_path: Path) -> None:
    file = write_token_file(environment, TOKEN)
    file.rename(tmp_path / "secret")
    file.symlink_to(tmp_path / "secret")
    told = run("erase", input=request(username="hf_user", password=TOKEN))
    assert told.stderr.endswith(
        b" is for something else. Put a new token into the file that it is a link to. Try: git-credential-hf status\n"
    )
    (tmp_path / "secret").write_text("hf_another")
    assert run("get", input=request()) == answer("hf_user", "hf_another")


@pytest.mark.parametrize("again", ["", "org/one"])
def test_only_the_first_rejection_is_explained(run: Run, environment: Environment, again: str) -> None:
    file = write_token_file(environment, TOKEN)
    rejected = {"username": "hf_user", "password": TOKEN}
    assert explains(run("erase", input=request(**rejected)), MASKED, str(file), "git-credential-hf login")
    for _ in range(2):
        assert run("erase", input=request(**rejected, **({"path": again} if again else {}))) == NOTHING


def test_the_token_file_stays(run: Run, environment: Environment) -> None:
    file = write_token_file(environment, TOKEN)
    told = run("erase", input=request(username="hf_user", password=TOKEN))
    assert explains(told, MASKED, str(file), "git-credential-hf login")
    assert file.read_text() == TOKEN


# --- rejected tokens, by repository ---------------------------------------------------------------------


def erase(run: Run, *paths: str) -> None:
    for path in paths:
        run("erase", input=request(username="hf_user", password=TOKEN, **({"path": path} if path else {})))


def skipped(run: Run, *paths: str) -> list[str]:
    """Return those of `paths` for which no token is given."""
    return [
        path for path in paths if run("get", input=request(**({"path": path} if path else {}))).stdout == b"quit=1\n"
    ]


PATHS = ("", "org/one", "org/two", "datasets/org/one")


@pytest.mark.parametrize(
    ("rejecting", "skipping"),
    [
        (["org/one"], ["org/one"]),
        (["org/one.git"], ["org/one"]),
        (["org/one", "org/one.git", "org/one"], ["org/one"]),
        (["datasets/org/one"], ["datasets/org/one"]),
        (["org/one", "org/two"], [*PATHS]),
        (["org/one", "datasets/org/one"], [*PATHS]),
        ([""], [*PATHS]),
        (["org/one", ""], [*PATHS]),
        (["", "org/one"], [*PATHS]),
        (["org//one"], []),
    ],
)
def test_a_token_is_rejected_for_a_repository_and_by_two_for_all(
    run: Run, environment: Environment, rejecting: list[str], skipping: list[str]
) -> None:
    environment["HF_TOKEN"] = TOKEN
    erase(run, *rejecting)
    assert skipped(run, *PATHS) == skipping
    erase(run, *rejecting)
    assert skipped(run, *PATHS) == skipping


@pytest.mark.parametrize("rejecting", [["org/one"], ["org/one", "org/two"]])
def test_what_is_accepted_is_given_again_everywhere(run: Run, environment: Environment, rejecting: list[str]) -> None:
    environment["HF_TOKEN"] = TOKEN
    erase(run, *rejecting)
    run("store", input=request(username="hf_user", password=TOKEN, path="org/three"))
    assert skipped(run, *PATHS) == []
    erase(run, "org/two")
    assert skipped(run, *PATHS) == ["org/two"]


def age(environment: Environment, hours: float) -> None:
    """Let what was rejected have been rejected that much earlier."""
    file = rejected_file(environment)
    key, *lines = file.read_text().splitlines()
    older = [f"{name} {int(when) - int(hours * 3600)}" for name, when in (line.split(" ") for line in lines)]
    file.write_text("\n".join([key, *older]) + "\n")


@pytest.mark.parametrize("path", ["", "org/one"])
def test_after_an_hour_it_is_offered_again_but_last(run: Run, environment: Environment, path: str) -> None:
    environment["HF_TOKEN"] = TOKEN
    erase(run, path)
    age(environment, 1.1)
    assert run("get", input=request(path="org/one")) == answer("hf_user", TOKEN)
    file = write_token_file(environment, "hf_file")
    assert run("get", input=request(path="org/one")) == answer("hf_user", "hf_file")
    assert run("get", input=request(path="org/two")) == answer("hf_user", TOKEN if path else "hf_file")
    file.unlink()
    erase(run, path)
    assert skipped(run, "org/one") == ["org/one"]
    run("store", input=request(username="hf_user", password=TOKEN, path="org/one"))
    write_token_file(environment, "hf_file")
    assert run("get", input=request(path="org/one")) == answer("hf_user", TOKEN)


def test_no_more_than_256_are_remembered_and_the_oldest_go(run: Run, environment: Environment) -> None:
    environment["HF_TOKEN"] = TOKEN
    erase(run, "org/one")
    file = rejected_file(environment)
    key, line = file.read_text().splitlines()
    now = int(time.time())
    others = [f"{number:064x} {now - 600 + number}" for number in range(300)]
    file.write_text("\n".join([key, *others, line]) + "\n")
    erase(run, "org/one")
    _, *left = file.read_text().splitlines()
    assert len(left) == 256
    assert left[-1].split(" ")[0] == line.split(" ")[0]
    assert set(others[-255:]) < set(left)
    assert skipped(run, "org/one") == ["org/one"]


def test_the_list_tells_neither_token_nor_repository(run: Run, environment: Environment) -> None:
    environment["HF_TOKEN"] = TOKEN
    erase(run, "my-org/one")
    (line,) = rejected_file(environment).read_text().splitlines()[1:]
    name, when = line.split(" ")
    assert when.isdigit()
    assert [len(part) for part in name.split("/")] == [64, 64]
    assert "org" not in line


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
    erased = run("erase", input=request(username="hf_user", password="hf_bad"))
    assert (erased.stdout, erased.stderr.count(b"\n"), erased.code) == (b"", 1, 0)
    token_file.write_text("hf_bad")
    environment["HF_TOKEN"] = "hf_bad"
    keyring.add(b"hf_bad", **LIBSECRET)
    refused = run("get", input=request())
    assert (refused.stdout, refused.code) == (b"quit=1\n", 0)
    assert refused.stderr.count(b"\n") == 1
    assert b"rejected" in refused.stderr
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
    assert run("get", input=request()).stdout == b"quit=1\n"
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
    assert (erased.stdout, erased.code) == (b"", 0)
    assert erased.stderr.endswith(b". Try: unset HF_TOKEN\n")
    assert run("get", input=request()).stdout == b"quit=1\n"


def test_a_folder_that_others_can_write_to_is_not_trusted(run: Run, environment: Environment) -> None:
    environment["HF_TOKEN"] = "hf_abc123"
    planted = rejected_file(environment).parent
    planted.mkdir(parents=True)
    planted.chmod(0o777)
    run("erase", input=request(username="hf_user", password="hf_abc123"))
    assert list(planted.iterdir()) == []
    assert run("get", input=request()).stdout == b"quit=1\n"
