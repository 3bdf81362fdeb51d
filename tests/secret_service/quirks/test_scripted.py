"""oo7-daemon and secretsd, of which no program can be had: what is known of them, by a scripted provider."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.asking import NOTHING, answer, declare, request, seed
from tests.conftest import Environment, Run
from tests.keyring_items import Items
from tests.providers import Scripted, ScriptedSecretsd
from tests.secret_service.conftest import say


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
    provider.restart(locked=True)
    assert say(run, "hf_new") == "skipped"
    assert run("get", input=request()) == NOTHING
    forgotten = run("forget", "--yes")
    assert (forgotten.stdout, forgotten.code) == (b"", 1)
    assert run("--unlock", "prompt", "get", input=request()) == answer("hf_user", "hf_old")
    provider.restart(locked=True)
    assert say(run, "hf_new", "--unlock", "prompt") == "replaced"
    provider.restart()
    assert say(run, "hf_new") == "unchanged"
