"""status takes no longer than get may: what git waits for and what is found out of the keyring have one clock."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from jeepney import Message

from tests.conftest import Environment, Run
from tests.secret_service.fake_bus import bus, provider


def slow(seconds: float) -> Callable[[str, Message, bytes], bytes]:
    """Return what has a provider answer each call so much later."""

    def changed(member: str, call: Message, data: bytes) -> bytes:
        time.sleep(seconds)
        return data

    return changed


def seconds(run: Run) -> float:
    began = time.monotonic()
    run("status")
    return time.monotonic() - began


def test_a_slow_keyring_takes_the_time_once(run: Run, environment: Environment) -> None:
    address = environment["DBUS_SESSION_BUS_ADDRESS"]
    answers = {"ListNames": ("as", ([":1.1", "org.freedesktop.secrets"],)), "GetConnectionUnixProcessID": ("u", (1,))}
    # A machine that is busy delays one run, and what takes the time twice delays them all.
    for _ in range(3):
        environment["DBUS_SESSION_BUS_ADDRESS"] = address
        without = seconds(run)
        Path(environment["XDG_RUNTIME_DIR"], "a bus").unlink(missing_ok=True)
        with bus(environment, provider(answers, changed=slow(0.8))):
            taken = seconds(run) - without
        if taken < 2.0 + 0.5 + 0.3:
            return
    pytest.fail(f"{taken:.2f} s more than without a keyring, which has 2 s")
