"""status takes no longer than get may: what git waits for and what is found out of the keyring have one clock."""

import time
from collections.abc import Callable

from jeepney import Message

from tests.conftest import Environment, Run
from tests.secret_service.fake_bus import bus, provider


def slow(seconds: float) -> Callable[[str, Message, bytes], bytes]:
    """Return what has a provider answer each call so much later."""

    def changed(member: str, call: Message, data: bytes) -> bytes:
        time.sleep(seconds)
        return data

    return changed


def test_a_slow_keyring_takes_the_time_once(run: Run, environment: Environment) -> None:
    began = time.monotonic()
    run("status")
    without = time.monotonic() - began
    answers = {"ListNames": ("as", ([":1.1", "org.freedesktop.secrets"],)), "GetConnectionUnixProcessID": ("u", (1,))}
    with bus(environment, provider(answers, changed=slow(0.8))):
        began = time.monotonic()
        run("status")
        taken = time.monotonic() - began - without
    assert taken < 2.0 + 0.5 + 0.3  # of the machine
