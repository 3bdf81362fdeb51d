"""KWallet: a wallet that the login has opened answers, and nobody sees a dialog."""

import contextlib
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jeepney import DBusAddress, new_error
from jeepney.low_level import Endianness, MessageFlag

from git_credential_hf.secret_service.dbus.encode import numbered
from git_credential_hf.secret_service.quirks import kwallet
from tests.asking import NOTHING, answer, request, seed, write_token_file
from tests.conftest import Environment, Run
from tests.providers import KWALLETS, SECRETS, KSecretD, KWallet, wait_until
from tests.secret_service.by_jeepney import (
    ORDERS,
    PARENT,
    PATHS,
    SERIALS,
    TEXT,
    as_jeepney_reads,
    expected,
    one,
    reply,
    serialised,
)
from tests.secret_service.conftest import needed, prompted, say

# --- messages -----------------------------------------------------------------------------------------------


@given(SERIALS, PATHS, TEXT)
def test_is_open(serial: int, path: str, wallet: str) -> None:
    address = DBusAddress(path, "org.freedesktop.secrets", "org.kde.KWallet")
    order, kind, _, *rest = expected(serial, address, "isOpen", "s", (wallet,))
    data = numbered((kwallet.is_open(path.encode(), wallet.encode()),), serial)
    assert as_jeepney_reads(data) == (order, kind, MessageFlag.no_auto_start, *rest)


@given(st.booleans(), ORDERS)
def test_is_open_is_answered(opened: bool, order: Endianness) -> None:
    assert kwallet.read_open(one(reply("b", (opened,), order))) is opened
    assert not kwallet.read_open(one(serialised(new_error(PARENT, "a.Error", "b", (True,)), order)))


# --- real wallets -------------------------------------------------------------------------------------------


StartKWallet = Callable[..., KWallet]


@pytest.fixture(params=KWALLETS, ids=lambda version: version.name)
def start(request: pytest.FixtureRequest, run: Run, environment: Environment, tmp_path: Path) -> Iterator[StartKWallet]:
    """Start each version of KWallet in a state, with hf_FromTheWallet in its wallet."""
    version: type[KWallet] = request.param
    needed(version)
    with contextlib.ExitStack() as running:

        def started(state: str, *, prompt_on_open: bool = False) -> KWallet:
            wallet = running.enter_context(contextlib.closing(version(tmp_path / "kwallet")))
            environment["DBUS_SESSION_BUS_ADDRESS"] = wallet.bus.address
            environment["XDG_CONFIG_HOME"] = str(wallet.bus.folder / "config")
            seed(run, "hf_FromTheWallet")
            wallet.flush()
            wallet.configure(prompt_on_open=prompt_on_open)
            wallet.restart(state=state)
            assert wallet.is_locked() == (state == "closed" or version.locked_after_login)
            return wallet

        yield started


FROM_WALLET = answer("hf_user", "hf_FromTheWallet")
FROM_FILE = answer("hf_user", "hf_FromTheFile")
UNLOCKED = ["/org/freedesktop/secrets Unlock", "/org/freedesktop/secrets/prompt/p0 Prompt"]


def unlocked(wallet: KWallet) -> list[str]:
    """Return the calls that make a wallet answer that the login has opened."""
    return UNLOCKED if wallet.locked_after_login else []


def test_a_wallet_that_the_login_opened_answers(
    run: Run, start: StartKWallet, environment: Environment, tmp_path: Path
) -> None:
    wallet = start("locked")
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


def test_a_wallet_that_the_login_opened_is_written_to(run: Run, start: StartKWallet) -> None:
    wallet = start("locked")
    with wallet.bus.calls() as made:
        assert say(run, "hf_rotated") == "replaced"
    assert prompted(made) == unlocked(wallet)
    assert run("get", input=request()) == answer("hf_user", "hf_rotated")


@pytest.mark.parametrize("password", ["typed", None])
def test_store_and_erase_with_a_wallet_that_the_login_opened(
    run: Run, start: StartKWallet, password: str | None
) -> None:
    wallet = start("locked")
    assert run("store", input=request(username="alice", password="typed")) == NOTHING
    assert run("get", input=request(username="alice")) == answer("alice", "typed")
    wallet.flush()
    wallet.restart(state="locked")
    rejected = {} if password is None else {"password": password}
    assert run("erase", input=request(username="alice", **rejected)) == NOTHING
    assert run("get", input=request(username="alice")) == answer("alice", "hf_FromTheWallet")


def test_a_closed_wallet_is_left_alone(run: Run, start: StartKWallet, environment: Environment) -> None:
    wallet = start("closed")
    with wallet.bus.calls() as made:
        assert run("get", input=request()) == NOTHING
        write_token_file(environment, "hf_FromTheFile")
        assert run("get", input=request()) == FROM_FILE
        assert say(run, "hf_rotated") == "skipped"
        assert run("store", input=request(username="alice", password="typed")) == NOTHING
        assert run("erase", input=request(username="alice")) == NOTHING
    assert any(call.endswith(" isOpen") for call in made)
    # ksecretd has no isOpen, and is asked to unlock as any other: nothing is shown before Prompt.
    is_asked = isinstance(wallet, KSecretD)
    assert {call.split()[1] for call in prompted(made)} == ({"Unlock"} if is_asked else set())


def test_the_dialog_of_a_closed_wallet_is_waited_for_as_long_as_asked(
    run: Run, start: StartKWallet, environment: Environment
) -> None:
    wallet = start("closed")
    write_token_file(environment, "hf_FromTheFile")
    with wallet.bus.calls() as made:
        assert run("--unlock", "prompt", "--timeout", "2", "get", input=request()) == FROM_FILE
    assert prompted(made) == UNLOCKED


def test_a_wallet_that_asks_about_each_program_shows_no_dialog(
    run: Run, start: StartKWallet, environment: Environment
) -> None:
    wallet = start("locked", prompt_on_open=True)
    write_token_file(environment, "hf_FromTheFile")
    # ksecretd asks about nobody who uses the Secret Service.
    with wallet.bus.calls() as made:
        assert run("get", input=request()) == (FROM_FILE if wallet.locked_after_login else FROM_WALLET)
        assert say(run, "hf_rotated") == ("skipped" if wallet.locked_after_login else "replaced")
    assert prompted(made) == []
    if wallet.locked_after_login:
        # It would have asked, although it is open.
        assert run("--unlock", "prompt", "--timeout", "2", "get", input=request()) == FROM_FILE
        assert wallet.is_locked()


# --- what status says of it -----------------------------------------------------------------------------------------


@pytest.fixture(params=KWALLETS, ids=lambda version: version.name)
def empty(request: pytest.FixtureRequest, environment: Environment, tmp_path: Path) -> Iterator[KWallet]:
    """Each version of KWallet as the login leaves it, with nothing in its wallet."""
    version: type[KWallet] = request.param
    needed(version)
    wallet = version(tmp_path / "wallet", state="locked")
    environment["DBUS_SESSION_BUS_ADDRESS"] = wallet.bus.address
    yield wallet
    wallet.close()


def test_an_empty_wallet_that_the_login_opened_is_open(run: Run, empty: KWallet) -> None:
    known = json.loads(run("status", "--json").stdout)
    assert known["keyring"]["state"] == "open"
    assert not [one for one in known["findings"] if one["code"].startswith("keyring")]
    # With no dialog and no option `seed` stores in it.
    assert say(run, "hf_seeded") == "created"


def test_a_wallet_that_waits_for_its_session_is_told_of_it(run: Run, empty: KWallet, environment: Environment) -> None:
    empty.restart(state="waiting")
    environment["PAM_KWALLET5_LOGIN"] = empty.login_socket
    known = json.loads(run("status", "--json").stdout)
    (remedy,) = [one["remedy"] for one in known["findings"] if one["code"] == "kwallet-waits"]
    session = empty.bus.environ() | {"PAM_KWALLET5_LOGIN": empty.login_socket}
    subprocess.run(["sh", "-c", remedy], env=session, check=True)
    wait_until(lambda: empty.bus.owns(SECRETS), "the wallet is on the bus")
    known = json.loads(run("status", "--json").stdout)
    assert "kwallet-waits" not in [one["code"] for one in known["findings"]]
    assert say(run, "hf_seeded") == "created"


def test_an_item_whose_secret_an_early_logout_lost_is_seeded_again(
    run: Run, empty: KWallet, environment: Environment
) -> None:
    assert say(run, "hf_seeded") == "created"
    empty.restart(state="locked")  # it is killed before it has written
    write_token_file(environment, "hf_FromTheFile")
    assert run("get", input=request()) == FROM_FILE
    known = json.loads(run("status", "--json").stdout)
    lost = known["keyring"]["items"] > 0
    assert [one["code"] for one in known["findings"] if one["code"].startswith("keyring")] == (
        ["keyring-secret-lost"] if lost else ["keyring-empty"]
    )
    assert say(run, "hf_seeded") == ("replaced" if lost else "created")
    assert run("get", input=request()) == answer("hf_user", "hf_seeded")
