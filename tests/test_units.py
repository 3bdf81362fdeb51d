"""The units of examples/systemd: as systemd-analyze understands them, and as a user's systemd runs them.

tests/desktops has the same in real sessions, which CI cannot start.
"""

import contextlib
import os
import socket as sockets
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import EXECUTABLE, Environment, user_namespaces_needed
from tests.installed import program_for_all
from tests.keyring_items import Items
from tests.providers import Bus, GnomeKeyring, wait_until

ROOT = Path(__file__).parents[1]
UNITS = sorted((ROOT / "examples/systemd").iterdir())
SYSTEMD = Path("/usr/lib/systemd/systemd")
TARGETS = ("basic", "default", "graphical-session", "graphical-session-pre", "paths", "shutdown", "sockets", "timers")

# There is no journal to write to.
OUTPUT = "--default-standard-output=inherit --default-standard-error=inherit"

SEEDING = ("git-credential-hf-seed.service", "git-credential-hf-keyring.service")

MOUNTS = ("PrivateMounts=yes", "ProtectControlGroups=yes", "ProtectKernelModules=yes", "ProtectSystem=full")

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


@pytest.mark.parametrize("name", SEEDING)
def test_what_seeds_may_do_no_more_than_it_has_to(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "--user", "security", "--offline=true", ROOT / "examples/systemd" / name],
        env=os.environ | {"XDG_RUNTIME_DIR": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert float(done.stdout.split()[-3]) < 3, done.stdout


class Manager:
    """A user's systemd, in a mount namespace where the machine looks as if systemd had booted it.

    home has the program, a token's declaration and the units as their comments say to install them. changed: what to
    write in the place of what in the units. slow: whether the token comes from a command that gives it only while
    `ready` is there, and makes `begun` when it is run. user: a user who is not root, for whom root has tokens.toml and
    the token, as NixOS with agenix has.
    """

    def __init__(
        self,
        environment: Environment,
        folder: Path,
        changed: dict[str, str] | None = None,
        *,
        slow: bool = False,
        user: int = 0,
    ) -> None:
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
        program = program_for_all(folder) if user else EXECUTABLE
        (self.home / ".local/bin/git-credential-hf").symlink_to(program)
        for unit in UNITS:
            text = unit.read_text()
            for old, new in (changed or {}).items():
                text = text.replace(old, new)
            (units / unit.name).write_text(text)
        # There is no journal either.
        answers = units / "git-credential-hf-serve@.service.d/answers.conf"
        answers.parent.mkdir()
        answers.write_text("[Service]\nStandardError=append:%h/answers\n")
        self.write(FIRST)
        self.begun, self.ready = folder / "begun", folder / "ready"
        command = f"touch {self.begun}; while [ ! -e {self.ready} ]; do sleep 0.05; done; cat {self.token}"
        source = f"command = {['sh', '-c', command]}" if slow else f'file = "{self.token}"'
        declared = self.home / ".config/git-credential-hf/tokens.toml"
        declared.parent.mkdir()
        declared.write_text(f"[tokens.all]\n{source}\ncache = true\n")

        self._environment = environment | {
            "SYSTEMD_UNIT_PATH": f"{units}:{targets}",
        }
        self._as_user = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user else []
        if user:
            for path in (self.home, *self.home.rglob("*"), targets, Path(environment["XDG_RUNTIME_DIR"])):
                os.chown(path, user, user, follow_symlinks=False)
            store = folder / "store"
            store.mkdir()
            store.chmod(0o1775)
            declared.rename(store / "tokens.toml")
            declared.symlink_to(store / "tokens.toml")
            for path, mode in ((store / "tokens.toml", 0o444), (self.token.parent, 0o751), (self.token, 0o440)):
                os.chown(path, 0, user)
                path.chmod(mode)
        # What its comment says; the first has the others enabled with it.
        self.systemctl(
            "enable", "git-credential-hf-seed.service", "git-credential-hf-serve.socket", SYSTEMD_OFFLINE="1"
        )
        wanted = (at / f"git-credential-hf.{os.getpid()}" for at in _cgroups())
        self._cgroups = [cgroup for cgroup in wanted if _made(cgroup)]
        for path in (one for cgroup in self._cgroups for one in (cgroup, *cgroup.iterdir())):
            os.chown(path, user, user)
        joining = "".join(f'echo 0 >"{cgroup}/cgroup.procs"; ' for cgroup in self._cgroups)
        kept = f"mkdir -p {folder}; mount --move /mnt {folder}"
        booted = (
            f"mount --bind {folder} /mnt; mount -t tmpfs -o mode=755 tmpfs /run; mkdir -p /run/systemd/system; {kept}"
        )
        with (folder / "systemd.log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    "unshare", "--mount", "--propagation=private", "sh", "-euc",
                    f"{joining} {booted}; exec {' '.join(self._as_user)} {SYSTEMD} --user {OUTPUT}",
                ],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )  # fmt: skip
        try:
            self.wait(lambda: self.systemctl("is-active", "basic.target") == "active")
            self.wait(self.begun.exists if slow else self.cache.exists)
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
            [*self._as_user, "systemctl", "--user", *arguments],
            env=self._environment | more,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        ).stdout.strip()

    def ended(self, service: str) -> bool:
        """Whether the service has run, well, and does not run now."""
        shown = ("--property=ActiveState", "--property=ExecMainStartTimestampMonotonic", "--property=Result")
        wanted = {"ActiveState=inactive", "Result=success"}
        has = set(self.systemctl("show", *shown, service).splitlines())
        return wanted <= has and "ExecMainStartTimestampMonotonic=0" not in has

    def wait(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 20
        while not true():
            assert time.monotonic() < deadline and self._process.poll() is None, self.log()
            time.sleep(0.05)

    def log(self) -> str:
        """What systemd and the program have said."""
        return (self._folder / "systemd.log").read_text() + self.systemctl("status", *SEEDING)

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


Start = Callable[..., Manager]


@pytest.fixture
def start(environment: Environment, tmp_path: Path) -> Iterator[Start]:
    """Start a user's systemd, with the arguments of Manager."""
    if reason := _why_not():
        pytest.skip(f"NOT TESTED: {reason}, so the units were read and not run")
    running: list[Manager] = []

    def started(
        changed: dict[str, str] | None = None, *, slow: bool = False, user: int = 0, folder: Path = tmp_path
    ) -> Manager:
        running.append(Manager(environment, folder, changed, slow=slow, user=user))
        return running[-1]

    yield started
    for one in running:
        one.close()


def in_order(manager: Manager) -> None:
    """Both services have run and ended well, nothing has failed, and no token is in what they said."""
    for service in SEEDING:
        manager.wait(lambda service=service: manager.ended(service))  # type: ignore[misc]
    assert manager.systemctl("list-units", "--failed", "--no-legend") == ""
    assert manager.systemctl("is-active", "git-credential-hf-seed.path") == "active"
    assert FIRST not in manager.log()
    assert SECOND not in manager.log()


def test_a_users_systemd_runs_the_units(start: Start, keyring: Items) -> None:
    manager = start()
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
    in_order(manager)

    # Both are seeded again.
    manager.write(FIRST)
    manager.wait(lambda: keyring.secrets() == [FIRST.encode()] and manager.cache.read_text() == FIRST)
    in_order(manager)

    # The next session of the same systemd.
    manager.systemctl("stop", "desktop.target")
    manager.wait(lambda: manager.systemctl("is-active", "graphical-session.target") == "inactive")
    keyring.clear()
    manager.systemctl("start", "desktop.target")
    manager.wait(lambda: keyring.secrets() == [FIRST.encode()])
    in_order(manager)


def test_the_systemd_of_a_user_who_is_not_root_reads_what_is_roots(
    start: Start, environment: Environment, machine_folder: Path
) -> None:
    """PrivateUsers=yes shows root's tokens.toml and secret as nobody's there."""
    user_namespaces_needed(54_321)
    home, run_time = machine_folder / "home", machine_folder / "run"
    for folder in (home, run_time):
        folder.mkdir(mode=0o700)
    environment |= {"HOME": str(home), "XDG_RUNTIME_DIR": str(run_time), "TMPDIR": str(run_time)}
    # A container's mounts are not for who is not its root to change.
    manager = start(dict.fromkeys(MOUNTS, ""), user=54_321, folder=machine_folder)
    assert (manager.cache.read_text(), manager.cache.stat().st_uid) == (FIRST, 54_321)
    manager.wait(lambda: manager.ended(SEEDING[0]))
    assert manager.systemctl("list-units", "--failed", "--no-legend") == ""


def test_the_keyring_is_seeded_where_the_session_starts_before_the_first_run_has_ended(
    start: Start, keyring: Items
) -> None:
    manager = start(slow=True)
    manager.systemctl("start", "desktop.target")
    assert manager.systemctl("is-active", SEEDING[0]) == "activating"
    manager.ready.touch()
    manager.wait(lambda: keyring.secrets() == [FIRST.encode()])
    assert manager.cache.read_text() == FIRST
    in_order(manager)


def test_a_change_while_the_source_is_being_read_is_seen(start: Start, keyring: Items) -> None:
    manager = start(slow=True)
    manager.ready.touch()
    manager.systemctl("start", "desktop.target")
    manager.wait(lambda: keyring.secrets() == [FIRST.encode()])
    in_order(manager)

    manager.ready.unlink()
    manager.begun.unlink()
    manager.systemctl("start", "--no-block", SEEDING[0])
    manager.wait(manager.begun.exists)
    # It is read now, and what was read is not what is there next.
    watched = manager.home / ".config/git-credential-hf/tokens.toml"
    manager.begun.unlink()
    watched.write_text(watched.read_text().replace("cat ", f"echo {SECOND}; : "))
    manager.wait(manager.begun.exists)
    manager.ready.touch()
    manager.wait(lambda: keyring.secrets() == [SECOND.encode()] and manager.cache.read_text() == SECOND)
    in_order(manager)


def test_many_changes_at_once_end_in_the_last(start: Start, keyring: Items) -> None:
    manager = start()
    manager.systemctl("start", "desktop.target")
    for _ in range(10):  # more than systemd starts a unit in ten seconds unless it is told otherwise
        for token in (SECOND, FIRST):
            manager.write(token)
            manager.wait(lambda token=token: manager.cache.read_text() == token)  # type: ignore[misc]
    manager.write(SECOND)
    manager.wait(lambda: keyring.secrets() == [SECOND.encode()] and manager.cache.read_text() == SECOND)
    in_order(manager)


def test_a_keyring_that_comes_after_the_session_is_seeded(
    start: Start, environment: Environment, tmp_path: Path
) -> None:
    own = GnomeKeyring(tmp_path / "own")
    environment["DBUS_SESSION_BUS_ADDRESS"] = own.bus.address
    try:
        own.stop()
        manager = start()
        with own.bus.calls():
            manager.systemctl("start", "--no-block", "desktop.target")
            calls = own.bus.folder / "calls"
            manager.wait(lambda: b"ReadAlias" in calls.read_bytes())
            own.start()
        in_order(manager)
        with contextlib.closing(Items(own.bus)) as items:
            assert items.secrets() == [FIRST.encode()]
    finally:
        own.close()


def test_without_any_keyring_the_units_give_up_and_nothing_has_failed(
    start: Start, environment: Environment, tmp_path: Path
) -> None:
    bus = Bus(tmp_path / "empty")
    environment["DBUS_SESSION_BUS_ADDRESS"] = bus.address
    try:
        manager = start({"--timeout 60": "--timeout 2"})  # so that the test need not wait a minute
        manager.systemctl("start", "desktop.target")
        in_order(manager)
        assert manager.cache.read_text() == FIRST
        assert "no keyring is running" in manager.log()
    finally:
        bus.close()


def test_a_users_systemd_answers_over_a_socket(start: Start, environment: Environment) -> None:
    manager = start()
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
    # More at once than systemd takes of any socket by default, 200 in 2 seconds.
    with contextlib.ExitStack() as clients:
        opened = [clients.enter_context(sockets.socket(sockets.AF_UNIX)) for _ in range(300)]
        for client in opened:
            client.connect(str(socket))
            client.shutdown(sockets.SHUT_WR)
        for client in opened:
            client.settimeout(30)
            with contextlib.suppress(ConnectionResetError):
                assert client.recv(1) == b""
    assert manager.systemctl("is-active", "git-credential-hf-serve.socket").strip() == "active"
