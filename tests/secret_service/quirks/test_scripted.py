"""oo7-daemon and secretsd, of which no program can be had: what is known of them, by a scripted provider."""

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.asking import NOTHING, answer, declare, request, seed
from tests.conftest import Environment, Run
from tests.keyring_items import Items
from tests.providers import Scripted, ScriptedSecretsd
from tests.providers.scripted import WORK
from tests.secret_service.conftest import say, wait_for_the_next_second


@pytest.fixture(params=[Scripted, ScriptedSecretsd], ids=lambda kind: kind.name)
def provider(request: pytest.FixtureRequest, environment: Environment, tmp_path: Path) -> Iterator[Scripted]:
    with contextlib.closing(request.param(tmp_path / "scripted")) as started:
        environment["DBUS_SESSION_BUS_ADDRESS"] = started.bus.address
        yield started


def secrets(provider: Scripted) -> list[bytes]:
    with contextlib.closing(Items(provider.bus)) as items:
        return items.secrets()


def test_a_seed_into_a_keyring_that_has_just_been_started(run: Run, provider: Scripted) -> None:
    assert say(run, "hf_first") == "created"
    provider.restart()
    assert say(run, "hf_first") == "unchanged"
    provider.restart()
    assert say(run, "hf_second") == "replaced"


def test_what_was_written_is_there_after_a_restart(run: Run, provider: Scripted) -> None:
    assert say(run, "hf_first") == "created"
    for token in ("hf_first", "hf_second", "hf_third"):
        assert say(run, token) == ("unchanged" if token == "hf_first" else "replaced")
        assert say(run, token) == "unchanged"
        assert run("get", input=request()) == answer("hf_user", token)
        provider.restart()
        assert say(run, token) == "unchanged"
        assert secrets(provider) == [token.encode()]
        assert run("get", input=request()) == answer("hf_user", token)
    done = run("forget", "--yes")
    assert (done.stdout.count(b"keyring: removed, "), done.stderr, done.code) == (1, b"", 0)
    provider.restart()
    assert run("forget", "--yes").stdout == b"nothing to remove\n"
    assert secrets(provider) == []


def test_scopes_and_users_after_a_restart(run: Run, provider: Scripted) -> None:
    for token, *arguments in (("hf_host",), ("hf_org", "--scope", "org"), ("hf_alices", "--user", "alice")):
        seed(run, "hf_old", *arguments)
        seed(run, token, *arguments)
    provider.restart()
    assert say(run, "hf_host") == "unchanged"
    assert run("get", input=request(path="org/one")) == answer("hf_user", "hf_org")
    assert run("get", input=request(username="alice")) == answer("alice", "hf_alices")
    assert run("get", input=request(path="other/one")) == answer("hf_user", "hf_host")
    assert secrets(provider) == [b"hf_alices", b"hf_host", b"hf_org"]


def test_what_git_stores_and_erases_after_a_restart(run: Run, provider: Scripted) -> None:
    seed(run, "hf_seeded", "--scope", "org")
    for password in ("first", "second"):
        assert run("store", input=request(username="alice", password=password)) == NOTHING
    provider.restart()
    assert say(run, "hf_seeded", "--scope", "org") == "unchanged"
    assert run("get", input=request()) == answer("alice", "second")
    assert run("erase", input=request(username="alice", password="second")) == NOTHING
    provider.restart()
    assert say(run, "hf_seeded", "--scope", "org") == "unchanged"
    assert secrets(provider) == [b"hf_seeded"]


def test_a_declaration_takes_over_and_goes_again(run: Run, provider: Scripted, environment: Environment) -> None:
    seed(run, "hf_seeded")
    run("store", input=request(username="alice", password="hf_seeded"))
    declare(environment, '[tokens.t]\nenv = "T"\n')
    assert run("seed", T="hf_declared").stdout.startswith(b"keyring: replaced, ")
    provider.restart()
    assert run("seed", T="hf_declared").stdout == b"unchanged: 1 declared token\n"
    assert secrets(provider) == [b"hf_declared"]
    declare(environment, "")
    assert run("seed").stdout.startswith(b"keyring: removed, ")
    provider.restart()
    assert run("seed").code == 0
    assert secrets(provider) == []


def test_copies_become_one_that_stays(run: Run, provider: Scripted) -> None:
    """A copy of before, as SetSecret and CreateItem without replace have left it, and one with an attribute more."""
    assert say(run, "hf_old") == "created"
    with contextlib.closing(Items(provider.bus)) as items:
        (ours,) = items.all()
        named = {name.replace(":", "__"): value for name, value in ours.attributes.items()}
        items.add(b"hf_twin", **named)
        items.add(b"hf_noted", **named, note="mine")
    assert say(run, "hf_new") == "replaced"
    assert secrets(provider) == [b"hf_new"]
    provider.restart()
    assert say(run, "hf_new") == "unchanged"
    assert secrets(provider) == [b"hf_new"]


def test_another_programs_item_with_the_same_attributes_and_more_stays(run: Run, provider: Scripted) -> None:
    assert say(run, "hf_old") == "created"
    with contextlib.closing(Items(provider.bus)) as items:
        (ours,) = items.all()
        named = {name.replace(":", "__"): value for name, value in ours.attributes.items()}
        items.add(b"theirs", **named, port="8443")
    assert say(run, "hf_new") == "replaced"
    assert secrets(provider) == [b"hf_new", b"theirs"]


def test_a_locked_one_is_left_and_opened_by_the_prompt(run: Run, provider: Scripted) -> None:
    assert say(run, "hf_old") == "created"
    provider.lock()
    assert say(run, "hf_new") == "skipped"
    assert run("get", input=request()) == NOTHING
    forgotten = run("forget", "--yes")
    assert (forgotten.stdout, forgotten.code) == (b"", 1)
    assert run("--unlock", "prompt", "get", input=request()) == answer("hf_user", "hf_old")
    provider.lock()
    assert say(run, "hf_new", "--unlock", "prompt") == "replaced"
    provider.restart()
    assert say(run, "hf_new") == "unchanged"


# --- a second collection, which is locked -------------------------------------------------------------------


def in_work(provider: Scripted, secret: bytes) -> None:
    """Put an item of ours into `work`, for hf_user on the whole Hub."""
    with contextlib.closing(Items(provider.bus, WORK)) as items:
        items.add_ours(secret)


def of_each(provider: Scripted) -> tuple[list[bytes], list[bytes]]:
    """Return what is in `login` and in `work`."""
    with contextlib.closing(Items(provider.bus)) as login, contextlib.closing(Items(provider.bus, WORK)) as work:
        return login.secrets(), work.secrets()


def test_a_copy_in_a_locked_collection_loses_to_the_newer(run: Run, provider: Scripted) -> None:
    in_work(provider, b"hf_old")
    assert run("get", input=request()) == answer("hf_user", "hf_old")
    wait_for_the_next_second()
    provider.restart("work")
    done = run("seed", "--from", "-", "--no-cache", input=b"hf_new")
    assert done.stdout.startswith(b"keyring: created, ")
    if provider.name == "oo7":  # nothing tells that there is one
        assert (done.stderr, done.code) == (b"", 0)
    else:
        assert (b'keyring "Work"' in done.stderr, done.code) == (True, 3)
    assert run("get", input=request()) == answer("hf_user", "hf_new")
    provider.restart()
    assert run("get", input=request()) == answer("hf_user", "hf_new")
    assert say(run, "hf_new") == "replaced"
    provider.restart()
    assert of_each(provider) == ([b"hf_new"], [])


def test_what_is_in_an_open_collection_is_found_beside_a_locked_default_one(run: Run, provider: Scripted) -> None:
    in_work(provider, b"hf_old")
    provider.lock()
    assert run("get", input=request()) == answer("hf_user", "hf_old")
    assert say(run, "hf_new", "--require-keyring") == "replaced"
    provider.restart("login")
    assert run("get", input=request()) == answer("hf_user", "hf_new")
    assert run("forget", "--yes").stdout.count(b"keyring: removed, ") == 1
    provider.restart()
    assert of_each(provider) == ([], [])


def test_a_get_in_the_first_moment_waits_for_the_collection(run: Run, provider: Scripted) -> None:
    assert say(run, "hf_first") == "created"
    for _ in range(3):
        provider.restart()
        assert run("get", input=request(path="org/model")) == answer("hf_user", "hf_first")


def test_a_locked_keyring_that_tells_nothing_is_not_said_to_have_nothing(run: Run, provider: Scripted) -> None:
    seed(run, "hf_seeded")
    run("configure")
    provider.lock()
    findings = json.loads(run("status", "--json").stdout)["findings"]
    (said,) = [one["message"] for one in findings if one["code"] == "keyring-locked"]
    assert re.sub(r"^python\S+ ", "", said) == (
        "is locked" if provider.name == "oo7" else "is locked, and 1 of its items may be for this host"
    )
