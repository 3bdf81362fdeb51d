"""KeePassXC: nobody sees a dialog of it, whether it is locked or set to ask about each item."""

import contextlib
from pathlib import Path

from tests.asking import NOTHING, answer, request, seed, write_token_file
from tests.conftest import Environment, Run
from tests.providers import KeePassXC
from tests.secret_service.conftest import needed, prompted, say

FROM_FILE = answer("hf_user", "hf_FromTheFile")


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
            assert say(run, "hf_rotated") == "skipped"
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
            assert say(run, "hf_rotated") == "skipped"
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
