"""On a display, a locked keyring shows no window that nobody asked for, and its own dialog when somebody does."""

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.asking import NOTHING, answer, request, seed, write_token_file
from tests.conftest import EXECUTABLE, Environment, Result, Run, run_process
from tests.providers import PROVIDERS, GnomeKeyring, KeePassXC, Provider
from tests.providers.display import Display
from tests.secret_service.conftest import needed
from tests.secret_service.test_collections import LOGIN, WORK, TwoKeyrings

FROM_FILE = answer("hf_user", "hf_FromTheFile")


@pytest.fixture(scope="module")
def display(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Display]:
    needed(Display)
    with contextlib.closing(Display(tmp_path_factory.mktemp("display"))) as started:
        yield started


@pytest.fixture
def run(environment: Environment) -> Run:
    """The installed program alone: whoever shows a window is another process."""

    def with_environment(*arguments: str, input: bytes = b"", **more: str) -> Result:
        return run_process(arguments, input, environment | more)

    return with_environment


# As it is installed, KeePassXC shows its dialog for a search in a locked database.
UNLOCKS_FIRST = "KeePassXC, unlock before search"


@pytest.fixture(params=[*PROVIDERS, UNLOCKS_FIRST])
def locked(
    request: pytest.FixtureRequest, display: Display, run: Run, environment: Environment, tmp_path: Path
) -> Iterator[Provider]:
    """Each provider in turn, locked, on the display, with hf_FromTheKeyring in it; there is a token file too."""
    started = PROVIDERS[request.param.partition(",")[0]]
    needed(started)
    with contextlib.closing(started(tmp_path / "provider", display=display.name)) as provider:
        environment["DBUS_SESSION_BUS_ADDRESS"] = provider.bus.address
        environment["XDG_CONFIG_HOME"] = str(provider.bus.folder / "config")
        environment["DISPLAY"] = display.name
        seed(run, "hf_FromTheKeyring")
        if isinstance(provider, KeePassXC):
            provider.configure(unlock_before_search=request.param == UNLOCKS_FIRST)
        provider.lock()
        write_token_file(environment, "hf_FromTheFile")
        yield provider


# What may come to a locked keyring with nobody there to type a password: the command, its options, what is on stdin.
UNATTENDED: list[tuple[str, list[str], bytes]] = [
    ("get", [], request()),
    ("get", ["--no-prompt"], request(path="org/model", username="alice")),
    ("store", [], request(username="alice", password="typed")),
    ("erase", [], request(username="alice", password="typed")),
    ("erase", [], request(username="hf_user", password="hf_FromTheKeyring")),
    ("erase", [], request()),
    ("seed", ["--from", "-", "--no-cache"], b"hf_rotated"),
    ("seed", ["--from", "-", "--no-cache", "--require-keyring"], b"hf_rotated"),
    ("seed", ["--from", "-", "--no-cache", "--dry-run"], b"hf_rotated"),
]


def test_a_locked_keyring_shows_no_window(run: Run, display: Display, locked: Provider) -> None:
    with display.shown() as windows:
        assert run("get", input=request()) == FROM_FILE
        for command, options, input in UNATTENDED:
            for unlock in [], ["--unlock", "never"]:
                # Git's verbs stand after their options, what people type stands before them.
                after = [*unlock, *options] if command == "seed" else []
                before = [] if after else [*unlock, *options]
                assert run(*before, command, *after, input=input).code in (0, 3)
        for command, *options in ("status",), ("status", "--probe"), ("forget", "--yes"):
            assert run(command, *options).code == 1
    assert windows == []


def test_a_locked_keyring_is_opened_by_the_password_that_is_typed(
    run: Run, environment: Environment, display: Display, locked: Provider
) -> None:
    with display.shown() as windows, locked.bus.calls() as made:
        seeding = start_to_seed(environment, "60")
        display.type_into_what_is_shown(locked.password.decode().strip())
        told, _ = seeding.communicate()
    assert told.startswith(b"keyring: replaced, ")
    assert seeding.returncode == 0
    assert len(windows) == 1
    assert not any(call.endswith(" Dismiss") for call in made)
    assert run("get", input=request()) == answer("hf_user", "hf_rotated")


def test_what_status_says_of_a_locked_keyring_opens_it(
    run: Run, environment: Environment, display: Display, locked: Provider
) -> None:
    environment["PATH"] = f"{Path(EXECUTABLE).parent}:{environment['PATH']}"

    def remedies() -> list[str]:
        found = json.loads(run("status", "--json", "https://huggingface.co").stdout)["findings"]
        return [one["remedy"] for one in found if one["code"] == "keyring-locked"]

    Path(environment["HOME"], ".cache/huggingface/token").unlink()
    (remedy,) = remedies()
    with display.shown():
        shell = subprocess.Popen(["sh", "-c", remedy], env=environment, stdin=subprocess.DEVNULL)
        display.type_into_what_is_shown(locked.password.decode().strip())
        assert shell.wait() == 0
    assert remedies() == []
    assert run("get", input=request()) == answer("hf_user", "hf_FromTheKeyring")


def test_what_status_says_of_a_locked_collection_beside_the_default_one_opens_it(
    run: Run, environment: Environment, display: Display, tmp_path: Path
) -> None:
    needed(GnomeKeyring)
    two = TwoKeyrings(tmp_path / "two", display.name)
    environment["DBUS_SESSION_BUS_ADDRESS"] = two.bus.address
    environment["DISPLAY"] = display.name
    environment["PATH"] = f"{Path(EXECUTABLE).parent}:{environment['PATH']}"
    with contextlib.closing(two.provider):
        run("configure")
        seed(run, "hf_FromTheKeyring")
        two.make_default(WORK)
        two.lock(LOGIN)
        found = json.loads(run("status", "--json", "https://huggingface.co").stdout)["findings"]
        (remedy,) = (one["remedy"] for one in found if one["code"] == "keyring-locked")
        with display.shown():
            shell = subprocess.Popen(["sh", "-c", remedy], env=environment, stdin=subprocess.DEVNULL)
            display.type_into_what_is_shown(two.provider.password.decode())
            assert shell.wait() == 0
        assert run("get", input=request()) == answer("hf_user", "hf_FromTheKeyring")
        assert run("status", "--quiet", "https://huggingface.co") == NOTHING


def test_a_dialog_that_nobody_answers_is_left(
    run: Run, environment: Environment, display: Display, locked: Provider
) -> None:
    with display.shown() as windows, locked.bus.calls() as made:
        seeding = start_to_seed(environment, "2")
        _, complaint = seeding.communicate()
    assert complaint == (b"git-credential-hf: the keyring was not filled: it gave no answer within 2 s; seed again\n")
    assert seeding.returncode == 3
    assert len(windows) == 1
    # gnome-keyring 42 aborts if it is told to take a dialog back.
    assert not any(call.endswith(" Dismiss") for call in made)
    assert locked.process.poll() is None
    assert run("get", input=request()) == FROM_FILE


def test_keepassxc_that_confirms_what_goes_is_not_made_to_ask(
    run: Run, environment: Environment, display: Display, tmp_path: Path
) -> None:
    needed(KeePassXC)
    folder = Path(environment["HOME"], ".config/git-credential-hf")
    folder.mkdir(parents=True)
    declared = folder / "tokens.toml"
    declared.write_text('[tokens.org]\nenv = "T"\nscope = "org"\n')
    why = b"KeePassXC asks before an item goes: remove it there, or with `git-credential-hf forget`"
    with contextlib.closing(KeePassXC(tmp_path / "keepassxc", display=display.name)) as keepassxc:
        environment["DBUS_SESSION_BUS_ADDRESS"] = keepassxc.bus.address
        assert run("seed", T="hf_org").code == 0
        keepassxc.configure(confirm_delete=True)
        keepassxc.leave()
        keepassxc.start()
        settings = Path(environment["HOME"], ".config/keepassxc")
        settings.symlink_to(keepassxc.bus.folder / "config/keepassxc")
        with display.shown() as windows:
            assert run("store", input=request(username="alice", password="typed")) == NOTHING
            assert run("get", input=request(username="alice")) == answer("alice", "typed")
            erased = run("erase", input=request(username="alice"))
            declared.write_text("")
            withdrawn = run("seed", T="hf_org")
        assert windows == []
        assert (erased.stdout, erased.code) == (b"", 0)
        assert erased.stderr == b"git-credential-hf: the keyring did not remove the credential: " + why + b"\n"
        assert (withdrawn.stdout, withdrawn.code) == (b"", 3)
        assert withdrawn.stderr == (
            b"git-credential-hf: the keyring was not filled, or in part: " + why + b"; seed again\n"
        )
        assert run("get", input=request(username="alice")) == answer("alice", "typed")
        with display.shown() as windows:
            forgetting = subprocess.Popen(
                [EXECUTABLE, "forget", "--yes", "--user", "alice"],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
            )
            display.type_into_what_is_shown("")
            told, complaint = forgetting.communicate()
        assert len(windows) == 1
        # Return is its button that keeps the item.
        assert (told, forgetting.returncode) == (b"", 1)
        assert complaint == (
            b"git-credential-hf: nothing was removed: the keyring did not remove everything, its prompt was dismissed. "
            b"Try: git-credential-hf forget --user alice --yes\n"
        )
        assert run("get", input=request(username="alice")) == answer("alice", "typed")


def start_to_seed(environment: Environment, timeout: str) -> subprocess.Popen[bytes]:
    """Start seed, which is to have the desktop ask for a password."""
    seeding = subprocess.Popen(
        [EXECUTABLE, "seed", "--from", "-", "--no-cache", "--unlock", "prompt", "--timeout", timeout],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    )
    assert seeding.stdin is not None
    seeding.stdin.write(b"hf_rotated")
    seeding.stdin.close()
    seeding.stdin = None
    return seeding
