"""Real keyrings on private buses, each started headless and ended with its test."""

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

BUS_CONFIGURATION = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <keep_umask/>
  <listen>unix:dir={folder}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""

SECRETS = "org.freedesktop.secrets"


def wait_until(true, what: str, seconds: float = 10.0) -> None:  # type: ignore[no-untyped-def]
    """Return once `true()` is; fail with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"{what} within {seconds} s"
        time.sleep(0.01)


class Bus:
    """A session bus of its own, with nothing that it could activate."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("home", "data", "config", "cache", "run"):
            (folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        configuration = folder / "bus.conf"
        configuration.write_text(BUS_CONFIGURATION.format(folder=folder))
        self._log = (folder / "bus.log").open("ab")
        self.process = subprocess.Popen(
            ["dbus-daemon", f"--config-file={configuration}", "--nofork", "--print-address"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
        )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().decode().strip()
        assert self.address, "the bus did not start"

    def environ(self) -> dict[str, str]:
        """Return the environment of a program on this bus."""
        return {
            "PATH": os.environ["PATH"],
            "LC_ALL": "C.UTF-8",
            "HOME": str(self.folder / "home"),
            "XDG_DATA_HOME": str(self.folder / "data"),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "XDG_RUNTIME_DIR": str(self.folder / "run"),
            "DBUS_SESSION_BUS_ADDRESS": self.address,
        }

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

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._log.close()

    @contextlib.contextmanager
    def calls(self) -> Iterator[list[str]]:
        """Fill the list with the method calls that others make on the bus inside the context, as `path member`."""
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
        calls = [line for line in lines if line[0] == "mc" and line[-1] != "BecomeMonitor"]
        # The last is dbus-send's Hello, which comes before anybody has a name that it could be told by.
        made += [f"{line[5]} {line[7]}" for line in calls[:-1]]


class GnomeKeyring:
    """gnome-keyring on a bus of its own; its login keyring is the default collection, open unless `locked`."""

    name = "gnome-keyring"
    password = b"keyring password"

    def __init__(self, folder: Path | None = None, *, locked: bool = False) -> None:
        self.bus = Bus(folder or Path(tempfile.mkdtemp(prefix="keyring.")))
        self.start(locked=locked)

    def start(self, *, locked: bool = False) -> None:
        self.process = subprocess.Popen(
            [
                "gnome-keyring-daemon", "--foreground", "--components=secrets",
                f"--control-directory={self.bus.folder}/run/keyring", *([] if locked else ["--unlock"]),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=self.bus.environ(),
        )  # fmt: skip
        assert self.process.stdin is not None
        with self.process.stdin as stdin:
            stdin.write(self.password)
        wait_until(lambda: self.bus.owns(SECRETS), "gnome-keyring is on the bus")

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        self.stop()
        self.bus.close()
