"""The units of examples/systemd: as systemd-analyze understands them, and as a user's systemd runs them."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import EXECUTABLE, Environment
from tests.keyring_items import Items
from tests.providers import wait_until

ROOT = Path(__file__).parents[1]
UNITS = sorted((ROOT / "examples/systemd").iterdir())
SYSTEMD = Path("/usr/lib/systemd/systemd")
TARGETS = ("basic", "default", "graphical-session", "graphical-session-pre", "paths", "shutdown", "sockets", "timers")

# There is no journal to write to.
OUTPUT = "--default-standard-output=inherit --default-standard-error=inherit"

FIRST = "hf_fIrSt0123456789aBcDeFgHiJkLmNoPqRs"
SECOND = "hf_sEcOnD0123456789aBcDeFgHiJkLmNoPqR"

# What a desktop has in one form or another; graphical-session.target cannot be started by hand.
DESKTOP = "[Unit]\nBindsTo=graphical-session.target\nBefore=graphical-session.target\n"


def test_systemd_understands_the_units(environment: Environment) -> None:
    done = subprocess.run(
        ["systemd-analyze", "--user", "verify", *UNITS],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


class Manager:
    """A user's systemd, in a mount namespace where the machine looks as if systemd had booted it.

    home has the program, a token's declaration and the units as their comments say to install them.
    """

    def __init__(self, environment: Environment, folder: Path) -> None:
        self._folder = folder
        self.home = Path(environment["HOME"])
        self.token = self.home / "secrets/huggingface.token"
        self.cache = self.home / ".cache/huggingface/token"
        units, targets = self.home / ".config/systemd/user", folder / "targets"
        for made in (units, targets, self.token.parent, self.home / ".local/bin"):
            made.mkdir(parents=True, mode=0o700)
        for target in TARGETS:
            (targets / f"{target}.target").symlink_to(f"/usr/lib/systemd/user/{target}.target")
        (targets / "desktop.target").write_text(DESKTOP)
        (self.home / ".local/bin/git-credential-hf").symlink_to(EXECUTABLE)
        for unit in UNITS:
            shutil.copy(unit, units)
        # There is no journal either.
        answers = units / "git-credential-hf-serve@.service.d/answers.conf"
        answers.parent.mkdir()
        answers.write_text("[Service]\nStandardError=append:%h/answers\n")
        self.write(FIRST)
        declared = self.home / ".config/git-credential-hf/tokens.toml"
        declared.parent.mkdir()
        declared.write_text(f'[tokens.all]\nfile = "{self.token}"\ncache = true\n')

        self._environment = environment | {
            "SYSTEMD_UNIT_PATH": f"{units}:{targets}",
        }
        self.systemctl("enable", *(unit.name for unit in UNITS if "@" not in unit.name), SYSTEMD_OFFLINE="1")
        wanted = (at / f"git-credential-hf.{os.getpid()}" for at in _cgroups())
        self._cgroups = [cgroup for cgroup in wanted if _made(cgroup)]
        joining = "".join(f'echo 0 >"{cgroup}/cgroup.procs"; ' for cgroup in self._cgroups)
        booted = "mount -t tmpfs tmpfs /run; mkdir -p /run/systemd/system"
        with (folder / "systemd.log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    "unshare", "--mount", "--propagation=private", "sh", "-euc",
                    f"{joining} {booted}; exec {SYSTEMD} --user {OUTPUT}",
                ],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )  # fmt: skip
        try:
            self.wait(lambda: self.systemctl("is-active", "default.target") == "active")
        except AssertionError:
            self.close()
            raise

    def write(self, token: str) -> None:
        """Put `token` where the declaration says, as an editor does that leaves no half of a file."""
        new = self.token.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text(f"{token}\n")
        new.rename(self.token)

    def systemctl(self, *arguments: str, **more: str) -> str:
        return subprocess.run(
            ["systemctl", "--user", *arguments],
            env=self._environment | more,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        ).stdout.strip()

    def seeded(self) -> str:
        """What systemd says of the last run of the service."""
        return self.systemctl("show", "--property=Result", "--value", "git-credential-hf-seed.service")

    def wait(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 20
        while not true():
            assert time.monotonic() < deadline and self._process.poll() is None, self.log()
            time.sleep(0.05)

    def log(self) -> str:
        """What systemd and the program have said."""
        return (self._folder / "systemd.log").read_text() + self.systemctl("status", "git-credential-hf-seed.service")

    def close(self) -> None:
        self._process.kill()  # it runs nothing that would stay
        self._process.wait()
        for cgroup in self._cgroups:
            wait_until(lambda cgroup=cgroup: _removed(cgroup), f"{cgroup} is left")  # type: ignore[misc]


def _cgroups() -> list[Path]:
    """The control groups of this process that systemd would use for its own."""
    found = []
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers in ("", "name=systemd"):
            above = Path("/sys/fs/cgroup")
            below = above / ("systemd" if controllers else "unified")
            found.append((below if below.is_dir() else above) / path.lstrip("/"))
    return found


def _made(folder: Path) -> bool:
    try:
        folder.mkdir()
    except OSError:
        return False
    return True


def _removed(cgroup: Path) -> bool:
    """Remove a control group, which is not possible before the last process in it has ended."""
    try:
        for below in sorted((one for one in cgroup.rglob("*") if one.is_dir()), reverse=True):
            below.rmdir()
        cgroup.rmdir()
    except OSError:
        return False
    return True


def _why_not() -> str:
    """Why a user's systemd cannot be started here; empty where it can."""
    if not SYSTEMD.exists():
        return "systemd is not installed"
    if os.geteuid() != 0:
        return "it takes root to make a machine look as if systemd had booted it"
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
        return "this container may not have mounts of its own"
    if not any(os.access(at, os.W_OK) and not os.statvfs(at).f_flag & os.ST_RDONLY for at in _cgroups()):
        return "this container may not make control groups"
    return ""


@pytest.fixture
def manager(environment: Environment, keyring: Items, tmp_path: Path) -> Iterator[Manager]:
    if reason := _why_not():
        pytest.skip(f"NOT TESTED: {reason}, so the units were read and not run")
    started = Manager(environment, tmp_path)
    yield started
    started.close()


def test_a_users_systemd_runs_the_units(manager: Manager, keyring: Items) -> None:
    # At the start of the user's systemd: the token file alone.
    assert manager.cache.read_text() == FIRST
    assert keyring.secrets() == []

    # A source changes.
    manager.write(SECOND)
    manager.wait(lambda: manager.cache.read_text() == SECOND)
    assert keyring.secrets() == []

    # A desktop starts, and with it a keyring that is open.
    manager.systemctl("start", "desktop.target")
    manager.wait(lambda: keyring.secrets() == [SECOND.encode()])

    # Both are seeded again.
    manager.wait(lambda: manager.systemctl("is-active", "git-credential-hf-seed.service") == "inactive")
    manager.write(FIRST)
    manager.wait(lambda: keyring.secrets() == [FIRST.encode()] and manager.cache.read_text() == FIRST)
    manager.wait(lambda: manager.systemctl("is-active", "git-credential-hf-seed.service") == "inactive")
    assert manager.seeded() == "success"
    assert manager.systemctl("list-units", "--failed", "--no-legend") == ""
    assert FIRST not in manager.log()
    assert SECOND not in manager.log()


def test_a_users_systemd_answers_over_a_socket(manager: Manager, environment: Environment) -> None:
    socket = Path(environment["XDG_RUNTIME_DIR"], "git-credential-hf/serve.sock")
    manager.wait(socket.exists)
    assert (socket.stat().st_mode & 0o777, socket.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    elsewhere = environment | {"HOME": str(socket.parent), "GIT_CREDENTIAL_HF_SOCKET": str(socket)}
    for _ in range(10):
        done = subprocess.run(
            [EXECUTABLE, "--timeout", "20", "get"],
            input=b"protocol=https\nhost=huggingface.co\npath=my-org/my-model\n",
            env=elsewhere,
            capture_output=True,
            check=True,
        )
        assert done.stdout.decode() == f"username=hf_user\npassword={FIRST}\n"
    answers = (manager.home / "answers").read_text().splitlines()
    assert len(answers) == 10
    assert all(line.endswith(f" my-org/my-model: hf_****{FIRST[-4:]}") for line in answers)
    assert manager.systemctl("list-units", "--failed", "--no-legend") == ""
