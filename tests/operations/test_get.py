"""get: which token answers, of which source, and when none does."""

import time

import pytest

from git_credential_hf.model.outcome import Outcome
from git_credential_hf.model.request import parse
from git_credential_hf.operations.get import decide
from git_credential_hf.options import Options
from tests.asking import (
    BEARER,
    FOR_OTHER,
    HUB,
    KNOWS_BEARER,
    NOTHING,
    OTHER,
    answer,
    request,
    seed,
    write_token_file,
)
from tests.conftest import Environment, Result, Run
from tests.keyring_items import LIBSECRET, Items

# --- the order of the sources -------------------------------------------------------------------------------


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
            seed(run, token_of(source))
        elif source == "file":
            write_token_file(environment, token_of(source))
        else:
            environment[source] = token_of(source)
    assert run("get", input=request()) == (answer("hf_user", token_of(given)) if given else NOTHING)


def token_of(source: str) -> str:
    return f"hf_{source.replace('_', '')}1"


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


# --- what may be given --------------------------------------------------------------------------------------


def test_what_has_expired_is_not_answered(run: Run, keyring: Items, environment: Environment) -> None:
    write_token_file(environment, "hf_file")
    past = str(int(time.time()) - 1)
    run("store", input=request(username="alice", password="pw", password_expiry_utc=past))
    assert run("get", input=request(username="alice")) == answer("alice", "hf_file")


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


def test_another_token_answers_in_the_place_of_a_rejected_one(run: Run, environment: Environment) -> None:
    write_token_file(environment, "hf_good")
    environment["HF_TOKEN"] = "hf_bad"
    run("erase", input=request(username="hf_user", password="hf_bad"))
    assert run("get", input=request()) == answer("hf_user", "hf_good")


# --- hosts --------------------------------------------------------------------------------------------------


def test_hf_co_is_huggingface_co(run: Run, keyring: Items) -> None:
    seed(run, "hf_abc123", "--host", "hf.co")
    assert [item.attributes["server"] for item in keyring.all()] == [HUB]
    assert run("get", input=request(host="HF.co:443")) == answer("hf_user", "hf_abc123")
    assert run("store", input=request(host="hf.co", username="alice", password="typed")) == NOTHING
    assert run("get", input=request(username="alice")) == answer("alice", "typed")
    assert run("erase", input=request(host="hf.co", username="alice")) == NOTHING
    assert keyring.secrets() == [b"hf_abc123"]


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


# --- nothing to give ----------------------------------------------------------------------------------------


def test_no_prompt_makes_git_quit_where_there_is_no_token(run: Run, environment: Environment) -> None:
    assert run("--no-prompt", "get", input=request()) == Result(b"quit=1\n", b"", 0)
    assert run("--no-prompt", "get", input=request(host="example.com")) == NOTHING
    environment["HF_TOKEN"] = "hf_abc123"
    assert run("--no-prompt", "get", input=request()) == answer("hf_user", "hf_abc123")


# --- the candidates that status shows ----------------------------------------------------------------------


def test_every_candidate_has_a_verdict(run: Run, keyring: Items, environment: Environment) -> None:
    """The first that can be given is given, whatever stands before it, and what comes after it is spare."""
    environment["HF_TOKEN"] = "two\nlines"
    environment["HUGGING_FACE_HUB_TOKEN"] = "hf_rejected"
    run("erase", input=request(username="hf_user", password="hf_rejected"))
    run("store", input=request(username="alice", password="hf_expired", password_expiry_utc="1"))
    run("store", input=request(**KNOWS_BEARER, **BEARER, username="bob"))
    seed(run, "hf_given", "--user", "carol")
    file = write_token_file(environment, "hf_spare")

    def decided(*, every: bool) -> Outcome:
        options = Options({name.encode(): value.encode() for name, value in environment.items()})
        return decide(parse(request()), options, every=every)

    found = decided(every=True).candidates
    assert [(one.place, one.verdict) for one in found if one.source != "keyring"] == [
        ("HF_TOKEN", "malformed"),
        ("HUGGING_FACE_HUB_TOKEN", "rejected"),
        (str(file), "spare"),
    ]
    verdicts = {one.token.text.decode(): one.verdict for one in found if one.source == "keyring" and one.token}
    assert verdicts == {"hf_expired": "expired", "hf_bearer": "no authtype", "hf_given": "given"}
    given = decided(every=False)
    assert given.candidates[-1].verdict == "given"
    assert (given.given() is given.candidates[-1], given.quits, given.said) == (True, False, "")
