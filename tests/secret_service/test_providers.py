"""Every keyring does the same for git and for seed."""

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.asking import NOTHING, answer, declare, request, seed, write_token_file
from tests.conftest import EXECUTABLE, Environment, Run
from tests.keyring_items import LIBSECRET, Items
from tests.providers import ALL, PROVIDERS, SECRETS, AnyProvider, KeePassXC, PassSecretService
from tests.secret_service.conftest import LEFT, needed, say


@pytest.fixture(scope="module", params=ALL)
def provider(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnyProvider]:
    """Each provider in turn, open."""
    started = ALL[request.param]
    needed(started)
    with contextlib.closing(started(tmp_path_factory.mktemp("provider"))) as running:
        yield running


@pytest.fixture
def items(provider: AnyProvider, environment: Environment) -> Iterator[Items]:
    """The items of the provider, none at first; `environment` has its address."""
    environment["DBUS_SESSION_BUS_ADDRESS"] = provider.bus.address
    if isinstance(provider, PassSecretService):
        environment["GNUPGHOME"] = str(provider.gnupg)
    with contextlib.closing(Items(provider.bus)) as found:
        found.clear()
        yield found


def test_a_token_is_seeded_once_and_rotated(run: Run, items: Items) -> None:
    assert say(run, "hf_first", "--dry-run") == "would be created"
    assert items.all() == []
    assert say(run, "hf_first") == "created"
    assert say(run, "hf_first") == "unchanged"
    assert say(run, "hf_first", "--force") == "replaced"
    assert run("get", input=request()) == answer("hf_user", "hf_first")
    assert say(run, "hf_second") == "replaced"
    assert items.secrets() == [b"hf_second"]
    assert run("get", input=request()) == answer("hf_user", "hf_second")


def test_what_was_written_is_there_after_a_restart(run: Run, items: Items, provider: AnyProvider) -> None:
    seed(run, "hf_first")
    seed(run, "hf_org", "--scope", "org")
    assert say(run, "hf_second") == "replaced"
    for password in ("first", "second"):
        assert run("store", input=request(username="hf_user", password=password)) == NOTHING
    provider.renew()
    assert run("get", input=request()) == answer("hf_user", "hf_second")
    assert run("get", input=request(path="org/one")) == answer("hf_user", "hf_org")
    with contextlib.closing(Items(provider.bus)) as found:
        assert found.secrets() == [b"hf_org", b"hf_second", b"second"]
    assert say(run, "hf_third") == "replaced"
    provider.renew()
    with contextlib.closing(Items(provider.bus)) as found:
        assert found.secrets() == [b"hf_org", b"hf_third"]


def test_what_git_stored_stands_beside_what_was_seeded(run: Run, items: Items) -> None:
    seed(run, "hf_seeded")
    typed = request(username="hf_user", password="typed")
    for _ in range(2):
        assert run("store", input=typed) == NOTHING
        assert items.secrets() == [b"hf_seeded", b"typed"]
        assert run("get", input=request()) == answer("hf_user", "hf_seeded")
    run("erase", input=request(username="hf_user", password="hf_seeded"))
    assert items.secrets() == [b"hf_seeded", b"typed"]
    assert run("get", input=request()) == answer("hf_user", "typed")
    assert run("erase", input=typed) == NOTHING
    assert items.secrets() == [b"hf_seeded"]


def test_the_calls_of_a_get(
    run: Run, items: Items, provider: AnyProvider, environment: Environment, tmp_path: Path
) -> None:
    seed(run, "hf_seeded")
    four = ["Hello", "SearchItems", "OpenSession", "GetSecrets"]
    with provider.bus.calls(but_of=SECRETS) as made:
        assert run("get", input=request()) == answer("hf_user", "hf_seeded")
    assert [call.split()[1] for call in made] == four
    # Where there are settings of KeePassXC it is asked for first, and only KeePassXC whether it is locked.
    (tmp_path / "settings/keepassxc").mkdir(parents=True)
    environment["XDG_CONFIG_HOME"] = str(tmp_path / "settings")
    asked = ["GetNameOwner", "GetNameOwner", *["Get"] * isinstance(provider, KeePassXC)]
    with provider.bus.calls(but_of=SECRETS) as made:
        assert run("get", input=request()) == answer("hf_user", "hf_seeded")
    assert [call.split()[1] for call in made] == ["Hello", *asked, *four[1:]]


def test_a_trace_names_the_keyring_and_its_state(run: Run, items: Items, provider: AnyProvider, tmp_path: Path) -> None:
    seed(run, "hf_seeded")
    given = answer("hf_user", "hf_seeded")
    trace = tmp_path / "trace"
    assert run("get", input=request(), GIT_CREDENTIAL_HF_TRACE=str(trace)) == given
    (named,) = [line for line in trace.read_text().splitlines() if ", collection '/org/freedesktop/secrets/" in line]
    assert provider.programs[0] in named
    assert named.endswith("', open")
    assert "hf_seeded" not in trace.read_text()
    for command, *options in ("seed", "--from", "-", "--no-cache"), ("forget", "--yes"):
        trace.unlink()
        assert run(command, *options, input=b"hf_rotated", GIT_CREDENTIAL_HF_TRACE=str(trace)).code == 0
        lines = trace.read_text().splitlines()
        assert lines[0].endswith(f" ms  {command}")
        assert named.partition(" ms ")[2] in [line.partition(" ms ")[2] for line in lines]
        assert "hf_" not in trace.read_text()


def test_scopes_and_users(run: Run, items: Items) -> None:
    seed(run, "hf_host")
    seed(run, "hf_org", "--scope", "org")
    seed(run, "hf_data", "--scope", "datasets/org/data")
    seed(run, "hf_alices", "--user", "alice")
    for path, token in {
        "": "hf_host",
        "org/one": "hf_org",
        "datasets/org/data": "hf_data",
        "other/x": "hf_host",
    }.items():
        assert run("get", input=request(path=path)) == answer("hf_user", token)
    assert run("get", input=request(username="alice")) == answer("alice", "hf_alices")
    assert run("get", input=request(username="bob")) == answer("bob", "hf_host")
    assert len(items.all()) == 4


def test_what_is_declared_takes_over_and_goes_again(run: Run, items: Items, environment: Environment) -> None:
    many = 60  # more than are asked for at once
    folder = Path(environment["HOME"], ".config/git-credential-hf")
    folder.mkdir(parents=True)
    tables = [f'[tokens.t{number}]\nenv = "T"\nscope = "org-{number}"\n' for number in range(many)]

    def said(text: str, token: str) -> set[str]:
        (folder / "tokens.toml").write_text(text)
        done = run("seed", "--timeout", "60", T=token)
        assert (done.stderr, done.code) == (b"", 0)
        return {line.partition(",")[0] for line in done.stdout.decode().splitlines()}

    seed(run, "hf_persons", "--scope", "person")
    seed(run, "hf_first", "--scope", "org-1")
    assert run("store", input=request(username="hf_user", password="typed")) == NOTHING
    host = '[tokens.host]\nenv = "T"\n'
    assert said("".join([host, *tables]), "hf_first") == {"keyring: created", "keyring: replaced"}
    assert said("".join([host, *tables]), "hf_first") == {f"unchanged: {many + 1} declared tokens"}
    assert len(items.all()) == many + 2
    assert said("".join([host, *tables]), "hf_second") == {"keyring: replaced"}
    assert items.secrets() == [b"hf_persons"] + [b"hf_second"] * (many + 1)
    assert run("get", input=request(path=f"org-{many - 1}/x")) == answer("hf_user", "hf_second")
    assert said(tables[1], "hf_second") == {"keyring: removed"}
    assert run("get", input=request(path="org-1/x")) == answer("hf_user", "hf_second")
    assert said("", "") == {"keyring: removed"}
    assert items.secrets() == [b"hf_persons"]


def test_what_is_typed_is_kept_and_erased(run: Run, items: Items) -> None:
    seed(run, "hf_org", "--scope", "org")
    for password in ("first", "second"):
        assert run("store", input=request(username="alice", password=password)) == NOTHING
        assert run("get", input=request(username="alice")) == answer("alice", password)
    assert items.secrets() == [b"hf_org", b"second"]
    assert run("erase", input=request(username="alice", password="other")) == NOTHING
    assert items.secrets() == [b"hf_org", b"second"]
    assert run("erase", input=request(username="alice", password="second")) == NOTHING
    assert items.secrets() == [b"hf_org"]
    assert run("store", input=request(username="alice", password="third")) == NOTHING
    assert run("erase", input=request(username="alice")) == NOTHING
    assert items.secrets() == [b"hf_org"]


def test_another_programs_items_are_not_touched(run: Run, items: Items) -> None:
    bigger = LIBSECRET | {"user": "hf_user", "port": "8443"}
    items.add(b"theirs", **LIBSECRET)
    items.add(b"bigger", **bigger)
    assert run("get", input=request(username="alice")) == answer("alice", "theirs")
    seed(run, "hf_first")
    seed(run, "hf_second")
    assert run("erase", input=request(username="alice", password="theirs")).code == 0
    assert run("erase", input=request(username="hf_user")) == NOTHING
    assert items.secrets() == [b"bigger", b"theirs"]


def test_a_note_of_a_persons_on_an_item_of_ours_is_kept(run: Run, items: Items, environment: Environment) -> None:
    assert run("store", input=request(username="hf_user", password="typed")) == NOTHING
    items.note("mine")
    notes = [one.attributes.get("note") for one in items.all()]
    assert notes == ["mine"]
    for token in ("hf_first", "hf_second"):
        assert say(run, token) == "replaced"
        assert say(run, token) == "unchanged"
        (ours,) = items.all()
        assert (ours.secret.decode(), ours.attributes["note"]) == (token, "mine")
        assert ours.attributes["git-credential-hf-origin"] == "seed"
        assert "stored by git" not in ours.label
    declare(environment, '[tokens.t]\nenv = "T"\n')
    assert run("seed", T="hf_third").stdout.startswith(b"keyring: replaced, ")
    (ours,) = items.all()
    assert (ours.secret, ours.attributes["note"]) == (b"hf_third", "mine")
    assert ours.attributes["git-credential-hf-origin"] == "tokens.toml"


def test_an_item_with_our_mark_that_is_anothers_is_not_erased(run: Run, items: Items) -> None:
    """It has all that a search of ours asks for, and a port: git-credential-libsecret takes it for another server's."""
    seed(run, "hf_seeded")
    (ours,) = items.all()
    named = {name.replace(":", "__"): value for name, value in ours.attributes.items() if name.islower()}
    for origin in ("seed", "store"):
        items.add(b"theirs", **named | {"port": "8443", "git-credential-hf-origin": origin})
    run("erase", input=request(username="hf_user"))
    assert items.secrets() == [b"theirs", b"theirs"]
    run("erase", input=request(username="hf_user", password="theirs"))
    run("erase", input=request())
    assert run("forget", "--yes").code == 0
    assert items.secrets() == [b"theirs", b"theirs"]


def test_what_was_seeded_and_typed_is_forgotten(run: Run, items: Items) -> None:
    items.add(b"theirs", **LIBSECRET)
    seed(run, "hf_host")
    seed(run, "hf_org", "--scope", "org")
    assert run("store", input=request(username="alice", password="typed")) == NOTHING
    for arguments, left in ((("--scope", "org"), [b"hf_host", b"theirs", b"typed"]), ((), [b"theirs"])):
        done = run("forget", "--yes", *arguments)
        assert (done.stderr, done.code) == (b"", 0)
        assert items.secrets() == left
    assert run("forget", "--yes").stdout == b"nothing to remove\n"


def test_a_secret_that_is_empty_is_none(run: Run, items: Items, environment: Environment) -> None:
    items.add(b"", **LIBSECRET)
    assert run("get", input=request()) == NOTHING
    write_token_file(environment, "hf_file")
    assert run("get", input=request()) == answer("hf_user", "hf_file")


def at_once(count: int, arguments: list[str], input: bytes, environment: Environment) -> list[tuple[bytes, bytes, int]]:
    """Run so many of the program at the same time; return what each gave."""
    with contextlib.ExitStack() as running:
        started = [
            running.enter_context(
                subprocess.Popen(
                    [EXECUTABLE, *arguments],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    env=environment,
                )
            )
            for _ in range(count)
        ]
        return [(*one.communicate(input), one.returncode) for one in started]


def test_twenty_seeds_at_once_end_in_one_item(items: Items, environment: Environment) -> None:
    arguments = ["seed", "--from", "-", "--no-cache", "--timeout", "60"]
    results = at_once(20, arguments, b"hf_abc123", environment)
    assert [(stderr, code) for _, stderr, code in results] == [(b"", 0)] * 20
    assert items.secrets() == [b"hf_abc123"]


def test_a_thousand_gets_fifty_at_a_time(items: Items, environment: Environment) -> None:
    (seeded,) = at_once(1, ["seed", "--from", "-", "--no-cache"], b"hf_abc123", environment)
    assert seeded[1:] == (b"", 0)
    expected = (answer("hf_user", "hf_abc123").stdout, b"", 0)
    for _ in range(20):
        assert at_once(50, ["--timeout", "60", "get"], request(), environment) == [expected] * 50
    assert items.secrets() == [b"hf_abc123"]


# --- locked, without a display: with one, see test_windows ---------------------------------------------------

REQUIRED = ("seed", "--from", "-", "--no-cache", "--require-keyring")
WITH_A_LOCK = [name for name in ALL if name != PassSecretService.name]  # of which nothing is ever locked


@pytest.fixture(params=WITH_A_LOCK)
def locked(request: pytest.FixtureRequest, run: Run, environment: Environment, tmp_path: Path) -> Iterator[AnyProvider]:
    """Each provider in turn, locked, with hf_FromTheKeyring in it; there is a token file too."""
    started = ALL[request.param]
    needed(started)
    with contextlib.closing(started(tmp_path / "provider")) as provider:
        environment["DBUS_SESSION_BUS_ADDRESS"] = provider.bus.address
        environment["XDG_CONFIG_HOME"] = str(provider.bus.folder / "config")
        seed(run, "hf_FromTheKeyring")
        provider.lock()
        write_token_file(environment, "hf_FromTheFile")
        yield provider


def test_a_locked_one_is_skipped_and_nobody_is_asked(run: Run, locked: AnyProvider) -> None:
    from_file = answer("hf_user", "hf_FromTheFile")
    typed = request(username="alice", password="typed")
    with locked.bus.calls() as made:
        for unlock in ("auto", "never"):
            assert run("--unlock", unlock, "get", input=request(path="org/model")) == from_file
            assert run("--unlock", unlock, "store", input=typed) == NOTHING
            assert run("--unlock", unlock, "erase", input=typed) == NOTHING
            assert say(run, "hf_rotated", "--unlock", unlock) == LEFT
            done = run(*REQUIRED, "--unlock", unlock, input=b"hf_rotated")
            assert (done.stdout, done.code, done.stderr.count(b"\n")) == (b"", 3, 1)
        done = run("forget", "--yes")
        assert (done.code, done.stderr.count(b"\n")) == (1, 1)
    assert not any(call.endswith((" Prompt", " Dismiss")) for call in made)
    locked.renew()
    assert run("get", input=request()) == answer("hf_user", "hf_FromTheKeyring")


# The prompts of the others are scripted to be answered at once.
@pytest.mark.parametrize("locked", PROVIDERS, indirect=True)
def test_a_prompt_that_nobody_answers_ends_within_the_time(run: Run, locked: AnyProvider) -> None:
    # gnome-keyring's gives way at once.
    began = time.monotonic()
    got = run("--unlock", "prompt", "--timeout", "1", "get", input=request())
    assert got == answer("hf_user", "hf_FromTheFile")
    assert time.monotonic() - began < 1.5 + 3  # three seconds for a machine that is busy
    done = run(*REQUIRED, "--unlock", "prompt", "--timeout", "1", input=b"hf_rotated")
    assert (done.stdout, done.code, done.stderr.count(b"\n")) == (b"", 3, 1)
