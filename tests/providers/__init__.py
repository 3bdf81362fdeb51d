"""Real keyrings on private buses, each started headless and ended with its test."""

import base64
import contextlib
import hashlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

BUS_CONFIGURATION = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <keep_umask/>
  <listen>unix:dir={folder}</listen>
  <auth>{auth}</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
  <servicedir>{folder}/services</servicedir>
</busconfig>
"""

SERVICE = """\
[D-BUS Service]
Name={name}
Exec={command}
"""

SECRETS = "org.freedesktop.secrets"


def wait_until(true: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    """Return once `true()` is; fail with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"{what} within {seconds} s"
        time.sleep(0.01)


class Bus:
    """A session bus of its own.

    services: what it activates, as the command for each name. display: the X display of what it activates. auth: how
    a client has to say who it is.
    """

    def __init__(
        self,
        folder: Path,
        services: dict[str, str] | None = None,
        display: str | None = None,
        *,
        auth: str = "EXTERNAL",
    ) -> None:
        self.folder = folder
        self.display = display
        for name in ("home", "data", "config", "cache", "run", "services"):
            (folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        for name, command in (services or {}).items():
            (folder / f"services/{name}.service").write_text(SERVICE.format(name=name, command=command))
        configuration = folder / "bus.conf"
        configuration.write_text(BUS_CONFIGURATION.format(folder=folder, auth=auth))
        self._log = (folder / "bus.log").open("ab")
        self._start(configuration)

    def _start(self, configuration: Path) -> None:
        self.process = subprocess.Popen(
            ["dbus-daemon", f"--config-file={configuration}", "--nofork", "--print-address"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=self._environ(),
        )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().decode().strip()
        assert self.address, "the bus did not start"

    def environ(self) -> dict[str, str]:
        """Return the environment of a program on this bus, with its display if it has one."""
        return self._environ() | {"DBUS_SESSION_BUS_ADDRESS": self.address}

    def _environ(self) -> dict[str, str]:
        environ = {
            "PATH": os.environ["PATH"],
            "LC_ALL": "C.UTF-8",
            "HOME": str(self.folder / "home"),
            "XDG_DATA_HOME": str(self.folder / "data"),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "XDG_RUNTIME_DIR": str(self.folder / "run"),
            # In /tmp every KeePassXC of a user would have the same lock and the same socket.
            "TMPDIR": str(self.folder / "run"),
            # What Qt's programs draw on.
            "QT_QPA_PLATFORM": "offscreen" if self.display is None else "xcb",
        }
        return environ if self.display is None else environ | {"DISPLAY": self.display}

    def start(self, command: list[str], typed: bytes) -> subprocess.Popen[bytes]:
        """Start a program on this bus, with `typed` on its standard input."""
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=self.environ(),
        )
        assert process.stdin is not None
        with process.stdin as stdin:
            stdin.write(typed)
        return process

    def owns(self, name: str) -> bool:
        """Whether anybody on the bus has taken `name`."""
        asked = subprocess.run(
            [
                "dbus-send", f"--bus={self.address}", "--print-reply=literal", "--dest=org.freedesktop.DBus",
                "/org/freedesktop/DBus", "org.freedesktop.DBus.NameHasOwner", f"string:{name}",
            ],
            capture_output=True,
            check=True,
        )  # fmt: skip
        return b"true" in asked.stdout

    def call(self, destination: str, path: str, method: str, *arguments: str) -> str:
        """Call the method as dbus-send does; return what it answers, the types left out."""
        return subprocess.run(
            [
                "dbus-send", f"--bus={self.address}", "--print-reply=literal", "--reply-timeout=5000",
                f"--dest={destination}", path, method, *arguments,
            ],
            capture_output=True,
            check=True,
            text=True,
        ).stdout.strip()  # fmt: skip

    def is_locked(self, collection: str) -> bool:
        """Whether the Secret Service calls the collection at that path locked."""
        return "true" in self.call(
            SECRETS, collection, "org.freedesktop.DBus.Properties.Get",
            "string:org.freedesktop.Secret.Collection", "string:Locked",
        )  # fmt: skip

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._log.close()

    @contextlib.contextmanager
    def calls(self, *, but_of: str | None = None) -> Iterator[list[str]]:
        """Fill the list with the method calls that others make on the bus inside the context, as `path member`.

        but_of: a name on the bus; calls of whoever has it are left out.
        """
        bus = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus.GetNameOwner")
        left_out = self.call(*bus, f"string:{but_of}") if but_of else None
        record = self.folder / "calls"
        marker = "/end/of/the/record"
        with record.open("wb") as out:
            monitor = subprocess.Popen(
                ["dbus-monitor", "--address", self.address, "--profile"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.DEVNULL,
            )
        try:
            wait_until(lambda: b"NameLost" in record.read_bytes(), "dbus-monitor listens")
            made: list[str] = []
            yield made
            subprocess.run(
                ["dbus-send", f"--bus={self.address}", "--dest=org.freedesktop.DBus", marker, "end.of.the.record"],
                check=True,
            )
            wait_until(lambda: marker.encode() in record.read_bytes(), "dbus-monitor hears")
        finally:
            monitor.send_signal(signal.SIGTERM)
            monitor.wait()
        lines = [line.split("\t") for line in record.read_text().splitlines()]
        calls = [line for line in lines if line[0] == "mc" and line[-1] != "BecomeMonitor" and line[3] != left_out]
        # The last is dbus-send's Hello, which comes before anybody has a name that it could be told by.
        made += [f"{line[5]} {line[7]}" for line in calls[:-1]]


class Broker(Bus):
    """The same on dbus-broker.

    Its launcher wants a socket from systemd, and the journal's to write to: it has a mount namespace of its own.
    """

    programs = ("dbus-broker-launch", "unshare")

    def _start(self, configuration: Path) -> None:
        path = self.folder / "bus"
        self.address = f"unix:path={path}"
        self.process = subprocess.Popen(
            ["unshare", "--map-root-user", "--mount", sys.executable, "-c", _LAUNCH, str(configuration), str(path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=self.environ(),
        )
        wait_until(path.exists, "dbus-broker listens")


_LAUNCH = """\
import os, socket, subprocess, sys
configuration, path = sys.argv[1:]
listener = socket.socket(socket.AF_UNIX)
listener.bind(path + ".new")
listener.listen()
os.rename(path + ".new", path)
assert listener.fileno() == 3  # where systemd puts it
subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
os.makedirs("/run/systemd/journal")
journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
journal.bind("/run/systemd/journal/socket")
for one in (listener, journal):
    one.set_inheritable(True)
os.environ |= {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
command = ["dbus-broker-launch", "--scope", "user", "--config-file", configuration]
os.execvp(command[0], command)
"""


class UserBus(Bus):
    """The user bus of a real `systemd --user`, which listens at its address and starts it at the first connection.

    systemd runs for those alone whose machine was booted with it, so it has a /run of its own that says so, and the
    units are what Debian's dbus-user-session has.
    """

    programs = ("/usr/lib/systemd/systemd", "unshare")

    def _start(self, configuration: Path) -> None:
        units = self.folder / "config/systemd/user"
        units.mkdir(parents=True)
        (units / "dbus.socket").write_text("[Socket]\nListenStream=%t/bus\n")
        (units / "dbus.service").write_text(
            "[Unit]\nRequires=dbus.socket\n[Service]\nType=notify\nNotifyAccess=main\n"
            f"ExecStart={shutil.which('dbus-daemon')} --config-file={configuration} --address=systemd: --nofork "
            "--nopidfile --systemd-activation --syslog-only\n"
        )
        path = self.folder / "run/bus"
        self.address = f"unix:path={path}"
        # The first process of a namespace would be the system's own manager.
        manager = f"{self.programs[0]} --user --unit=dbus.socket"
        script = f"mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system && {manager}; exit"
        self.process = subprocess.Popen(
            ["unshare", "--map-root-user", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
             "sh", "-c", script],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=self._environ() | {"HOME": str(self.folder / "home")},
        )  # fmt: skip
        wait_until(path.exists, "systemd listens at the address of the user bus")

    def is_running(self) -> bool:
        """Return whether systemd has started the bus."""
        argument = f"--config-file={self.folder}/bus.conf".encode()
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # one that is gone
                if argument in (process / "cmdline").read_bytes().split(b"\0"):
                    return True
        return False


class GnomeKeyring:
    """gnome-keyring on a bus of its own; its login keyring is the default collection, open unless locked."""

    name = "gnome-keyring"
    programs = ("gnome-keyring-daemon",)
    password = b"keyring password"

    def __init__(
        self,
        folder: Path | None = None,
        *,
        locked: bool = False,
        display: str | None = None,
        bus: type[Bus] = Bus,
    ) -> None:
        prompter = {"org.gnome.keyring.SystemPrompter": "/usr/libexec/gcr-prompter"} if display else {}
        self.bus = bus(folder or Path(tempfile.mkdtemp(prefix="keyring.")), prompter, display)
        self.start(locked=locked)

    def start(self, *, locked: bool = False) -> None:
        command = ["gnome-keyring-daemon", "--foreground", "--components=secrets"]
        command += [f"--control-directory={self.bus.folder}/run/keyring", *([] if locked else ["--unlock"])]
        self.process = self.bus.start(command, self.password)
        wait_until(lambda: self.bus.owns(SECRETS), "gnome-keyring is on the bus")

    def restart(self, *, locked: bool) -> None:
        self.stop()
        wait_until(lambda: not self.bus.owns(SECRETS), "gnome-keyring is off the bus")
        self.start(locked=locked)

    def lock(self) -> None:
        """Start anew, locked, with all that it holds."""
        self.restart(locked=True)

    def renew(self) -> None:
        """Start anew, open, with all that it holds."""
        self.restart(locked=False)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        self.stop()
        self.bus.close()


KWALLETRC = """\
[Wallet]
Enabled=true
First Use=false
Use One Wallet=true
Default Wallet=kdewallet
Prompt on Open={prompt_on_open}
Close When Idle=false
Leave Open=true
Launch Manager=false

[org.freedesktop.secrets]
apiEnabled=true
"""

KWALLET_SALT = b"s" * 56


class KWallet:
    """kwalletd5 on a bus of its own, with the wallet kdewallet.

    state: "open"; "locked", which is as the login leaves it: the wallet is open, and the Secret Service calls it locked
    until somebody asks to unlock it; "closed", which is as a login with another password leaves it; "waiting", which is
    as the login leaves it where the desktop does not run pam_kwallet_init: it is on no bus.
    """

    name = "kwalletd5"
    password = b"wallet password"
    programs: tuple[str, ...] = ("kwalletd5",)
    # Whether the Secret Service calls a wallet that the login has opened locked, until somebody asks to unlock it.
    locked_after_login = True

    def __init__(
        self, folder: Path | None = None, *, state: str = "open", bus: Bus | None = None, display: str | None = None
    ) -> None:
        self.bus = bus or Bus(folder or Path(tempfile.mkdtemp(prefix="kwallet.")), display=display)
        self._own_bus = bus is None
        self.login_socket = str(self.bus.folder / "run/kwallet.socket")
        self._owned = f"org.kde.{self.name}"
        self.configure(prompt_on_open=False)
        self._data = self.bus.folder / "data/kwalletd"
        self._data.mkdir(mode=0o700, exist_ok=True)
        (self._data / "kdewallet.salt").write_bytes(KWALLET_SALT)
        # The Secret Service does not show a wallet before the start after the one that made it.
        self.start(state="locked")
        wallet = self._data / "kdewallet.kwl"
        wait_until(lambda: wallet.exists() and wallet.stat().st_size > 0, f"{self.name} makes a wallet")
        self.restart(state=state)

    def configure(self, *, prompt_on_open: bool) -> None:
        """Write what the next start reads. prompt_on_open: whether it asks about each program that uses the wallet."""
        file = self.bus.folder / "config/kwalletrc"
        file.write_text(KWALLETRC.format(prompt_on_open=str(prompt_on_open).lower()))

    def start(self, *, state: str = "open") -> None:
        if state == "closed":
            self.process = self._popen([self.name], ())
        else:
            self._start_as_the_login_does(is_told=state != "waiting")
        if state == "waiting":
            return
        wait_until(lambda: self.bus.owns(self._owned), f"{self.name} is on the bus")
        if self._own_bus:
            wait_until(lambda: self.bus.owns(SECRETS), f"{self.name} is the Secret Service")
        if state == "open":
            if self.locked_after_login:
                self._unlock()
            wait_until(lambda: not self.is_locked(), f"{self.name} is unlocked")

    def _unlock(self) -> None:
        # Since the wallet is open, the prompt is over before its call returns.
        prompt = self.bus.call(
            SECRETS, "/org/freedesktop/secrets", "org.freedesktop.Secret.Service.Unlock",
            "array:objpath:/org/freedesktop/secrets/collection/kdewallet",
        ).split()[-1]  # fmt: skip
        self.bus.call(SECRETS, prompt, "org.freedesktop.Secret.Prompt.Prompt", "string:")

    def is_locked(self) -> bool:
        return self.bus.is_locked("/org/freedesktop/secrets/collection/kdewallet")

    def _start_as_the_login_does(self, *, is_told: bool) -> None:
        """Hand over the key on a pipe, as pam_kwallet makes it, and the environment on a socket that it listens at.

        is_told: whether the environment is sent, as pam_kwallet_init does it.
        """
        address = self.login_socket
        Path(address).unlink(missing_ok=True)
        reader, writer = os.pipe()
        with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as sender:
            listener.bind(address)
            listener.listen()
            descriptors = (reader, listener.fileno())
            self.process = self._popen([self.name, "--pam-login", *map(str, descriptors)], descriptors)
            os.close(reader)
            os.write(writer, hashlib.pbkdf2_hmac("sha512", self.password, KWALLET_SALT, 50_000, 56))
            os.close(writer)
            if not is_told:
                return
            sender.connect(address)
            sender.sendall("".join(f"{name}={value}\n" for name, value in self.bus.environ().items()).encode())

    def _popen(self, command: list[str], descriptors: tuple[int, ...]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=self.bus.environ() | {"PAM_KWALLET5_LOGIN": self.login_socket},
            pass_fds=descriptors,
        )

    def flush(self) -> None:
        """Have the secrets written to disk, as KWallet does by itself some seconds after a change."""
        address = (self._owned, f"/modules/{self.name}")
        answer = self.bus.call(*address, "org.kde.KWallet.open", "string:kdewallet", "int64:0", "string:test")
        handle = answer.split()[-1]
        self.bus.call(*address, "org.kde.KWallet.sync", f"int32:{handle}", "string:test")

    def restart(self, *, state: str) -> None:
        self.stop()
        wait_until(lambda: not self.bus.owns(self._owned), f"{self.name} is off the bus")
        self.start(state=state)

    def lock(self) -> None:
        """Start anew, closed, with all that it holds."""
        self.flush()
        self.restart(state="closed")

    def renew(self) -> None:
        """Start anew, open, with all that it holds."""
        if not self.is_locked():
            self.flush()
        self.restart(state="open")

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        self.stop()
        if self._own_bus:
            self.bus.close()


class KWalletD6(KWallet):
    """kwalletd6 before ksecretd took the Secret Service over from it."""

    name = "kwalletd6"
    programs = ("kwalletd6",)


class KSecretD(KWallet):
    """ksecretd, KWallet's part that is the Secret Service, alone."""

    name = "ksecretd"
    programs = ("ksecretd",)
    locked_after_login = False

    def flush(self) -> None:
        """Have the secrets written to disk, by closing the wallet."""
        self.bus.call(
            SECRETS, "/org/freedesktop/secrets", "org.freedesktop.Secret.Service.Lock",
            "array:objpath:/org/freedesktop/secrets/collection/kdewallet",
        )  # fmt: skip


KEEPASSXC_INI = """\
[General]
ConfigVersion=2
UpdateCheckMessageShown=true
SingleInstance=false
AutoSaveAfterEveryChange={save_each_change}
RememberLastDatabases=false
OpenPreviousDatabasesOnStartup=false

[GUI]
CheckForUpdates=false

[FdoSecrets]
Enabled=true
ShowNotification=false
ConfirmAccessItem={confirm_access}
ConfirmDeleteItem={confirm_delete}
UnlockBeforeSearch={unlock_before_search}

[Security]
NoConfirmMoveEntryToRecycleBin=false
"""

# A database whose root group is shown to the Secret Service.
KEEPASSXC_XML = """\
<?xml version="1.0" encoding="UTF-8"?>
<KeePassFile>
 <Meta><Generator>test</Generator><CustomData>
  <Item><Key>FDO_SECRETS_EXPOSED_GROUP</Key><Value>{{{group}}}</Value></Item>
 </CustomData></Meta>
 <Root><Group><UUID>{encoded}</UUID><Name>Root</Name></Group></Root>
</KeePassFile>
"""


class KeePassXC:
    """KeePassXC on a bus of its own, without a display; its database is the default collection, open unless locked."""

    name = "KeePassXC"
    programs = ("keepassxc", "keepassxc-cli")
    password = b"database password\n"
    _empty = b""  # the database that all of them begin with

    def __init__(self, folder: Path | None = None, *, locked: bool = False, display: str | None = None) -> None:
        self.bus = Bus(folder or Path(tempfile.mkdtemp(prefix="keepassxc.")), display=display)
        database = self.bus.folder / "database.kdbx"
        # It takes longer to make one than to start on it.
        if not KeePassXC._empty:
            self._make(database)
            KeePassXC._empty = database.read_bytes()
        database.write_bytes(KeePassXC._empty)
        self.configure()
        self.start(locked=locked)

    def _make(self, database: Path) -> None:
        group = uuid.uuid4()
        xml = self.bus.folder / "database.xml"
        xml.write_text(KEEPASSXC_XML.format(group=group, encoded=base64.b64encode(group.bytes).decode()))
        subprocess.run(
            ["keepassxc-cli", "import", "-q", "-p", "-t", "100", xml, database],
            input=self.password * 2,
            env=self.bus.environ(),
            capture_output=True,
            check=True,
        )

    def configure(
        self,
        *,
        confirm_access: bool = False,
        confirm_delete: bool = False,
        unlock_before_search: bool = False,
        save_each_change: bool = False,
    ) -> None:
        """Write what the next start reads.

        confirm_access, confirm_delete: whether it asks before a program is given an item, or deletes one.
        unlock_before_search: whether a search in a locked database shows the dialog that unlocks it. All are on in what
        is installed, but that it asks about nothing that goes to its bin.
        save_each_change: whether it saves at once, as it does where it is installed, and not only as it ends. What is
        changed while it saves can crash it.
        """
        settings = {
            "confirm_access": confirm_access,
            "confirm_delete": confirm_delete,
            "unlock_before_search": unlock_before_search,
            "save_each_change": save_each_change,
        }
        text = KEEPASSXC_INI.format(**{name: str(value).lower() for name, value in settings.items()})
        file = self.bus.folder / "config/keepassxc/keepassxc.ini"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)

    def start(self, *, locked: bool = False) -> None:
        command = ["keepassxc", *([] if locked else ["--pw-stdin"]), f"{self.bus.folder}/database.kdbx"]
        self.process = self.bus.start(command, self.password)
        wait_until(lambda: self.bus.owns(SECRETS), "KeePassXC is on the bus")
        # The database comes after the name.
        wait_until(lambda: self._is_locked() is locked, "KeePassXC has its database", 20)
        if self.bus.display is not None:
            # Its own window comes later still, and a test that looks for dialogs would take it for one.
            subprocess.run(
                ["xdotool", "search", "--sync", "--onlyvisible", "--name", "KeePassXC"],
                env=os.environ | {"DISPLAY": self.bus.display},
                capture_output=True,
                check=True,
                timeout=30,
            )

    def _is_locked(self) -> bool | None:
        try:
            return self.bus.is_locked("/org/freedesktop/secrets/aliases/default")
        except subprocess.CalledProcessError:
            return None

    def lock(self) -> None:
        """Start anew, locked, with all that it holds."""
        self.leave()
        self.start(locked=True)

    def renew(self) -> None:
        """Start anew, open, with all that it holds."""
        self.leave()
        self.start()

    def leave(self) -> None:
        """End as it does when it is told to: it saves what it has."""
        self.process.terminate()
        self.process.wait(20)
        wait_until(lambda: not self.bus.owns(SECRETS), "KeePassXC is off the bus")

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        self.stop()
        self.bus.close()


class Scripted:
    """What stands in for a Secret Service that cannot be had here (see scripted), open unless locked."""

    name = "oo7"
    programs = ("python3",)

    def __init__(self, folder: Path) -> None:
        self.bus = Bus(folder)
        self.start()

    def start(self, *locked: str) -> None:
        """Start it with these of its collections locked."""
        command = [sys.executable, "-m", "tests.providers.scripted", self.name, str(self.bus.folder / "disk")]
        self.process = subprocess.Popen(
            [*command, *locked],
            stdin=subprocess.DEVNULL,
            env=self.bus.environ(),
            cwd=Path(__file__).parent.parent.parent,
        )
        wait_until(lambda: self.bus.owns(SECRETS), f"{self.name} is on the bus")

    def restart(self, *locked: str) -> None:
        self.stop()
        wait_until(lambda: not self.bus.owns(SECRETS), f"{self.name} is off the bus")
        self.start(*locked)

    def lock(self) -> None:
        """Start anew, locked, with all that it holds."""
        self.restart("login")

    def renew(self) -> None:
        """Start anew, open, with all that it holds."""
        self.restart()

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        self.stop()
        self.bus.close()


class ScriptedSecretsd(Scripted):
    name = "secretsd"


class ScriptedPass(Scripted):
    """pass-secret-service, which is in Rust, and another program than pass_secret_service."""

    name = "pass-secret-service"


PINENTRY = """\
#!/bin/sh
# Writes down that it was started, and types what is in the file `passphrase`.
: >"$0.started"
echo OK
while read -r command _; do
    [ "$command" != GETPIN ] || echo "D $(cat "$0.passphrase")"
    echo OK
done
"""

# Debian's Python, which has the libraries that are no wheels; the program itself is where the tests are. It is of 2018,
# and imports a function, for the encrypted sessions alone, that cryptography has no more.
PASS_SECRET_SERVICE = """\
import sys
import cryptography.utils
cryptography.utils.int_from_bytes = int.from_bytes
sys.path.append(sys.argv.pop(1))
from pass_secret_service import main
main()
"""


class PassSecretService:
    """pass_secret_service on a bus of its own, on a password store whose key has a passphrase if it is `protected`.

    Nothing of it is ever locked: gpg asks for the passphrase where its agent does not know it.
    """

    name = "pass_secret_service"
    programs = ("python3", "pass", "gpg", "gpg-connect-agent")
    password = b"passphrase of the key"

    @staticmethod
    def has_libraries() -> bool:
        """Return whether Debian's Python has what the program imports."""
        command = ["/usr/bin/python3", "-c", "import cryptography, decorator, pydbus, pypass, simplejson"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def __init__(self, folder: Path | None = None, *, protected: bool = False) -> None:
        # gpg's sockets are in its home, and a path of theirs may be no longer than 107 bytes.
        self.gnupg = Path(tempfile.mkdtemp(prefix="gnupg."))
        self.bus = _BusOfGnupg(folder or Path(tempfile.mkdtemp(prefix="pass.")), self.gnupg)
        pinentry = self.bus.folder / "pinentry"
        pinentry.write_text(PINENTRY)
        pinentry.chmod(0o755)
        Path(f"{pinentry}.passphrase").write_bytes(self.password)
        self._shown = Path(f"{pinentry}.started")
        (self.gnupg / "gpg-agent.conf").write_text(f"pinentry-program {pinentry}\ns2k-count 65536\n")
        self.make_key("test@example.org", self.password.decode() if protected else "")
        self._run("pass", "init", "test@example.org")
        self.start()

    def make_key(self, name: str, passphrase: str = "") -> None:
        self._run("gpg", "--batch", "--pinentry-mode", "loopback", "--passphrase", passphrase,
                  "--quick-generate-key", name, "future-default", "default", "never")  # fmt: skip

    def _run(self, *command: str) -> None:
        subprocess.run(command, env=self.bus.environ(), stdin=subprocess.DEVNULL, capture_output=True, check=True)

    def start(self) -> None:
        library = importlib.util.find_spec("pass_secret_service")
        assert library is not None, "pass-secret-service is not installed: scripts/test does that"
        assert library.origin is not None
        command = ["/usr/bin/python3", "-c", PASS_SECRET_SERVICE, str(Path(library.origin).parent.parent)]
        self.process = self.bus.start(command, b"")
        wait_until(lambda: self.bus.owns(SECRETS), "pass_secret_service is on the bus")

    def lock(self) -> None:
        """Have gpg's agent forget the passphrase, as it does after some time."""
        self._run("gpg-connect-agent", "reloadagent", "/bye")

    def end_agent(self) -> None:
        self._run("gpg-connect-agent", "--no-autostart", "killagent", "/bye")
        wait_until(lambda: not (self.gnupg / "S.gpg-agent").exists(), "gpg's agent has ended")

    def has_asked(self) -> bool:
        """Return whether somebody was asked for the passphrase since the last time."""
        asked = self._shown.exists()
        self._shown.unlink(missing_ok=True)
        return asked

    def renew(self) -> None:
        """Start anew, with all that it holds."""
        self.stop()
        wait_until(lambda: not self.bus.owns(SECRETS), "pass_secret_service is off the bus")
        self.start()

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        self.stop()
        self._run("gpg-connect-agent", "--no-autostart", "killagent", "/bye")
        self.bus.close()
        shutil.rmtree(self.gnupg, ignore_errors=True)  # the agent removes its sockets as it ends


class _BusOfGnupg(Bus):
    """A bus whose programs have a home of GnuPG's of their own."""

    def __init__(self, folder: Path, gnupg: Path) -> None:
        self.gnupg = gnupg
        super().__init__(folder)

    def _environ(self) -> dict[str, str]:
        return super()._environ() | {"GNUPGHOME": str(self.gnupg)}


Provider = GnomeKeyring | KWallet | KeePassXC
AnyProvider = Provider | PassSecretService | Scripted


def installed(provider: type[AnyProvider]) -> bool:
    """Whether the programs of a provider are here."""
    return all(shutil.which(program) for program in provider.programs)


def kwallets() -> list[type[KWallet]]:
    """Return the versions of KWallet that are here, or the one that a test without any is skipped for."""
    here = [version for version in (KWallet, KWalletD6, KSecretD) if installed(version)]
    # Beside ksecretd, kwalletd6 only passes on what programs ask in KWallet's own way.
    return [version for version in here if version is not KWalletD6 or KSecretD not in here] or [KWallet]


KWALLETS = kwallets()
EVERY: list[type[Provider]] = [GnomeKeyring, *KWALLETS, KeePassXC]
PROVIDERS = {provider.name: provider for provider in EVERY}
# Those without a dialog of their own, too.
ALL: dict[str, type[AnyProvider]] = PROVIDERS | {
    one.name: one for one in (PassSecretService, Scripted, ScriptedSecretsd)
}
