"""Every keyring does the same for git and for seed; what is known of each about being locked; nobody sees a dialog."""

import contextlib
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import EXECUTABLE, Environment, Run
from tests.keyring_items import Items
from tests.providers import KWALLETS, PROVIDERS, SECRETS, GnomeKeyring, KeePassXC, KWallet, Provider
from tests.secret_service.conftest import needed
from tests.test_helper import LIBSECRET, NOTHING, answer, request, seed, write_token_file


@pytest.fixture(scope="module", params=PROVIDERS)
def provider(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """Each provider in turn, open."""
    started = PROVIDERS[request.param]
    needed(started)
    with contextlib.closing(started(tmp_path_factory.mktemp("provider"))) as running:
        yield running


@pytest.fixture
def items(provider: Provider, environment: Environment) -> Iterator[Items]:
    """The items of the provider, none at first; `environment` has its address."""
    environment["DBUS_SESSION_BUS_ADDRESS"] = provider.bus.address
    with contextlib.closing(Items(provider.bus)) as found:
        found.clear()
        yield found


# --- what all of them do -----------------------------------------------------------------------------------


def say(run: Run, token: str, *arguments: str) -> str:
    """Return the word with which seed says what became of the item."""
    done = run("seed", "--from", "-", "--no-cache", *arguments, input=token.encode())
    assert (done.stderr, done.code) == (b"", 0)
    return done.stdout.decode().removeprefix("keyring: ").partition(",")[0]


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


def test_the_calls_of_a_get(
    run: Run, items: Items, provider: Provider, environment: Environment, tmp_path: Path
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


def test_a_trace_names_the_keyring_and_its_state(run: Run, items: Items, provider: Provider, tmp_path: Path) -> None:
    seed(run, "hf_seeded")
    given = answer("hf_user", "hf_seeded")
    trace = tmp_path / "trace"
    assert run("get", input=request(), GIT_CREDENTIAL_HF_TRACE=str(trace)) == given
    (named,) = [line for line in trace.read_text().splitlines() if ", collection '/org/freedesktop/secrets/" in line]
    assert provider.programs[0] in named
    assert named.endswith("', open")
    assert "hf_seeded" not in trace.read_text()


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


# --- KWallet -----------------------------------------------------------------------------------------------

StartKWallet = Callable[..., KWallet]


@pytest.fixture(params=KWALLETS, ids=lambda version: version.name)
def kwallet(
    request: pytest.FixtureRequest, run: Run, environment: Environment, tmp_path: Path
) -> Iterator[StartKWallet]:
    """Start each version of KWallet in a state, with hf_FromTheWallet in its wallet."""
    version: type[KWallet] = request.param
    needed(version)
    with contextlib.ExitStack() as running:

        def start(state: str, *, prompt_on_open: bool = False) -> KWallet:
            wallet = running.enter_context(contextlib.closing(version(tmp_path / "kwallet")))
            environment["DBUS_SESSION_BUS_ADDRESS"] = wallet.bus.address
            environment["XDG_CONFIG_HOME"] = str(wallet.bus.folder / "config")
            seed(run, "hf_FromTheWallet")
            wallet.flush()
            wallet.configure(prompt_on_open=prompt_on_open)
            wallet.restart(state=state)
            assert wallet.is_locked() == (state == "closed" or version.locked_after_login)
            return wallet

        yield start


FROM_WALLET = answer("hf_user", "hf_FromTheWallet")
FROM_FILE = answer("hf_user", "hf_FromTheFile")


def prompted(calls: list[str]) -> list[str]:
    """Return those of the calls that a person could notice."""
    return [call for call in calls if call.split()[-1] in ("Unlock", "Prompt", "Dismiss")]


UNLOCKED = ["/org/freedesktop/secrets Unlock", "/org/freedesktop/secrets/prompt/p0 Prompt"]


def unlocked(wallet: KWallet) -> list[str]:
    """Return the calls that make a wallet answer that the login has opened."""
    return UNLOCKED if wallet.locked_after_login else []


def test_a_wallet_that_the_login_opened_answers(
    run: Run, kwallet: StartKWallet, environment: Environment, tmp_path: Path
) -> None:
    wallet = kwallet("locked")
    write_token_file(environment, "hf_FromTheFile")
    with wallet.bus.calls() as made:
        given = run("--unlock", "never", "get", input=request())
    assert given == (FROM_FILE if wallet.locked_after_login else FROM_WALLET)
    assert not any(call.endswith("isOpen") for call in made)
    assert prompted(made) == []
    trace = tmp_path / "trace"
    with wallet.bus.calls() as made:
        assert run("get", input=request(), GIT_CREDENTIAL_HF_TRACE=str(trace)) == FROM_WALLET
    assert prompted(made) == unlocked(wallet)
    for step in ("locked ones", "isOpen: open", "Unlock: unlocked") if wallet.locked_after_login else ():
        assert step in trace.read_text()
    with wallet.bus.calls() as made:
        assert run("get", input=request()) == FROM_WALLET
    # KWallet itself calls the bus in between.
    asked = [call.split()[1] for call in made if call.startswith("/org/freedesktop/secrets ")]
    assert asked == ["SearchItems", "OpenSession", "GetSecrets"]


def test_a_wallet_that_the_login_opened_is_written_to(run: Run, kwallet: StartKWallet) -> None:
    wallet = kwallet("locked")
    with wallet.bus.calls() as made:
        assert say(run, "hf_rotated") == "replaced"
    assert prompted(made) == unlocked(wallet)
    assert run("get", input=request()) == answer("hf_user", "hf_rotated")


@pytest.mark.parametrize("password", ["typed", None])
def test_store_and_erase_with_a_wallet_that_the_login_opened(
    run: Run, kwallet: StartKWallet, password: str | None
) -> None:
    wallet = kwallet("locked")
    assert run("store", input=request(username="alice", password="typed")) == NOTHING
    assert run("get", input=request(username="alice")) == answer("alice", "typed")
    wallet.flush()
    wallet.restart(state="locked")
    rejected = {} if password is None else {"password": password}
    assert run("erase", input=request(username="alice", **rejected)) == NOTHING
    assert run("get", input=request(username="alice")) == answer("alice", "hf_FromTheWallet")


def test_a_closed_wallet_is_left_alone(run: Run, kwallet: StartKWallet, environment: Environment) -> None:
    wallet = kwallet("closed")
    with wallet.bus.calls() as made:
        assert run("get", input=request()) == NOTHING
        write_token_file(environment, "hf_FromTheFile")
        assert run("get", input=request()) == FROM_FILE
        assert say(run, "hf_rotated") == "left for login"
        assert run("store", input=request(username="alice", password="typed")) == NOTHING
        assert run("erase", input=request(username="alice")) == NOTHING
    assert any(call.endswith(" isOpen") for call in made)
    assert prompted(made) == []


def test_the_dialog_of_a_closed_wallet_is_waited_for_as_long_as_asked(
    run: Run, kwallet: StartKWallet, environment: Environment
) -> None:
    wallet = kwallet("closed")
    write_token_file(environment, "hf_FromTheFile")
    with wallet.bus.calls() as made:
        assert run("--unlock", "prompt", "--timeout", "2", "get", input=request()) == FROM_FILE
    assert prompted(made) == UNLOCKED


def test_a_wallet_that_asks_about_each_program_shows_no_dialog(
    run: Run, kwallet: StartKWallet, environment: Environment
) -> None:
    wallet = kwallet("locked", prompt_on_open=True)
    write_token_file(environment, "hf_FromTheFile")
    # ksecretd asks about nobody who uses the Secret Service.
    with wallet.bus.calls() as made:
        assert run("get", input=request()) == (FROM_FILE if wallet.locked_after_login else FROM_WALLET)
        assert say(run, "hf_rotated") == ("left for login" if wallet.locked_after_login else "replaced")
    assert prompted(made) == []
    if wallet.locked_after_login:
        # It would have asked, although it is open.
        assert run("--unlock", "prompt", "--timeout", "0.5", "get", input=request()) == FROM_FILE
        assert wallet.is_locked()


# --- gnome-keyring -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", KWALLETS, ids=lambda version: version.name)
def test_a_locked_gnome_keyring_is_never_unlocked_unasked(
    run: Run, environment: Environment, tmp_path: Path, version: type[KWallet]
) -> None:
    needed(GnomeKeyring, version)
    with contextlib.closing(GnomeKeyring(tmp_path / "keyring")) as keyring:
        environment["DBUS_SESSION_BUS_ADDRESS"] = keyring.bus.address
        seed(run, "hf_FromTheKeyring")
        keyring.restart(locked=True)
        write_token_file(environment, "hf_FromTheFile")
        # An open wallet beside it changes nothing.
        with contextlib.closing(version(bus=keyring.bus, state="locked")), keyring.bus.calls() as made:
            assert run("get", input=request()) == FROM_FILE
            assert say(run, "hf_rotated") == "left for login"
            assert run("store", input=request(username="alice", password="typed")) == NOTHING
            assert run("erase", input=request(username="alice")) == NOTHING
        assert prompted(made) == []


def test_without_a_display_the_dialog_of_gnome_keyring_gives_way(
    run: Run, environment: Environment, tmp_path: Path
) -> None:
    needed(GnomeKeyring)
    with contextlib.closing(GnomeKeyring(tmp_path / "keyring")) as keyring:
        environment["DBUS_SESSION_BUS_ADDRESS"] = keyring.bus.address
        seed(run, "hf_FromTheKeyring")
        keyring.restart(locked=True)
        write_token_file(environment, "hf_FromTheFile")
        with keyring.bus.calls() as made:
            assert run("--unlock", "prompt", "--timeout", "60", "get", input=request()) == FROM_FILE
        assert [call.split()[1] for call in prompted(made)] == ["Unlock", "Prompt"]


# --- KeePassXC ---------------------------------------------------------------------------------------------


def test_a_locked_keepassxc_is_left_alone(run: Run, environment: Environment, tmp_path: Path) -> None:
    needed(KeePassXC)
    with contextlib.closing(KeePassXC(tmp_path / "keepassxc", locked=True)) as keepassxc:
        environment["DBUS_SESSION_BUS_ADDRESS"] = keepassxc.bus.address
        write_token_file(environment, "hf_FromTheFile")
        # With no settings of KeePassXC about, it is searched like any other; its own dialog is turned off here.
        assert run("get", input=request()) == FROM_FILE
        environment["XDG_CONFIG_HOME"] = str(keepassxc.bus.folder / "config")
        with keepassxc.bus.calls() as made:
            assert run("get", input=request()) == FROM_FILE
            assert say(run, "hf_rotated") == "left for login"
            assert run("store", input=request(username="alice", password="typed")) == NOTHING
        assert prompted(made) == []


def test_keepassxc_that_asks_about_each_item_is_not_made_to_ask(
    run: Run, environment: Environment, tmp_path: Path
) -> None:
    needed(KeePassXC)
    with contextlib.closing(KeePassXC(tmp_path / "keepassxc")) as keepassxc:
        environment["DBUS_SESSION_BUS_ADDRESS"] = keepassxc.bus.address
        seed(run, "hf_FromTheKeyring")
        keepassxc.configure(confirm_access=True)
        keepassxc.leave()
        keepassxc.start()
        write_token_file(environment, "hf_FromTheFile")
        with keepassxc.bus.calls() as made:
            assert run("get", input=request()) == FROM_FILE
            assert say(run, "hf_rotated") == "left for login"
            assert run("erase", input=request(username="hf_user", password="hf_FromTheKeyring")) == NOTHING
            forgotten = run("forget", "--yes")
        assert prompted(made) == []
        assert (forgotten.stdout, forgotten.code) == (b"", 1)
        assert b"its items are locked though it is open" in forgotten.stderr
        # What nobody has written yet is written without a question, and to be read by nobody else.
        done = run("seed", "--from", "-", "--no-cache", "--scope", "org", input=b"hf_org")
        assert (done.stdout, done.code) == (b"", 3)
        assert done.stderr == (
            b"git-credential-hf: the keyring was not filled: what was written cannot be read back, its items are "
            b"locked though it is open: have KeePassXC not confirm when they are retrieved; seed again\n"
        )
