"""What becomes of `get` when a keyring does not answer a search as it should, or is stopped or killed."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from jeepney import HeaderFields, Message

from tests.conftest import Environment, Run
from tests.providers import SECRETS, Bus, GnomeKeyring, wait_until
from tests.secret_service.fake_bus import (
    FROM_KEYRING,
    ITEM,
    NEEDED,
    REQUEST,
    SESSION,
    Body,
    Script,
    a_body_of,
    answer,
    bus,
    failing,
    provider,
    store,
    the_next_source_answers,
)

# --- a keyring that answers otherwise -----------------------------------------------------------------------


def items(*secrets: bytes) -> dict[str, Body]:
    paths = [f"{ITEM}{number}" for number in range(len(secrets))]
    given = {path: (SESSION, b"", secret, "text/plain") for path, secret in zip(paths, secrets, strict=True)}
    return {"SearchItems": ("aoao", (paths, [])), "GetSecrets": ("a{o(oayays)}", (given,))}


SEEDED = {"git-credential-hf-origin": "seed"}
STORED = {"git-credential-hf-origin": "store"}
COPIES: dict[str, tuple[list[tuple[dict[str, str], int]], int]] = {
    "the newest": ([(SEEDED, 10), (SEEDED, 30), (SEEDED, 20)], 1),
    "a seeded one, however old": ([(STORED, 30), (SEEDED, 10), (STORED, 20)], 1),
    "a declared one, however old": ([(STORED, 30), ({"git-credential-hf-origin": "tokens.toml"}, 10)], 1),
    "one of which it is known": ([(SEEDED, 0), (SEEDED, 10)], 1),
    "the first, where it is known of none": ([(SEEDED, 0), (SEEDED, 0)], 0),
    "the newest of those that git stored": ([(STORED, 10), (STORED, 20)], 1),
}


@pytest.mark.parametrize("name", COPIES)
@pytest.mark.parametrize("path", [False, True])
def test_of_several_copies_one_answers(run: Run, environment: Environment, name: str, path: bool) -> None:
    copies, given = COPIES[name]
    called: list[str] = []

    def changed(member: str, call: Message, data: bytes) -> bytes:
        called.append(member)
        if member == "SearchItems" and call.body[0]["git-credential-hf"] == "huggingface.co/org":
            return answer(call, ("aoao", ([], [])))
        if member != "Get":
            return data
        attributes, modified = copies[int(call.header.fields[HeaderFields.path].removeprefix(ITEM))]
        value = ("a{ss}", attributes) if call.body[1] == "Attributes" else ("t", modified)
        return answer(call, ("v", (value,)))

    with bus(environment, provider(items(*(b"hf_%d" % number for number in range(len(copies)))), changed=changed)):
        got = run("get", input=REQUEST + (b"path=org\n" if path else b""))
    assert got.stdout == b"username=hf_user\npassword=hf_%d\n" % given
    assert called.count("Get") == 2 * len(copies)


FAULTS: dict[str, Script] = {
    **{
        f"fails {member}": failing(member, "org.freedesktop.DBus.Error.ServiceUnknown")
        for member in NEEDED
    },
    "is locked after all": failing("GetSecrets", "org.freedesktop.Secret.Error.IsLocked"),
    "has an error with a line end for a name": failing("OpenSession", "a.b\nc.d"),
    **{f"answers {member} with another type": provider({member: ("s", ("text",))}) for member in NEEDED},
    **{f"answers {member} with nothing": a_body_of(member, b"") for member in NEEDED},
    **{f"answers {member} with garbage": a_body_of(member, b"\xff\xff\xff\x7f" * 64) for member in NEEDED},
    "wants to encrypt": provider({"OpenSession": ("vo", (("ay", b"key"), SESSION))}),
    **{
        f"has nothing, and the collection {path}": provider(
            {"SearchItems": ("aoao", ([], [])), "ReadAlias": ("o", (path,)), "GetConnectionUnixProcessID": ("u", (1,))}
        )
        for path in ("/a", "/")
    },
    "gives no secret for an item": provider({"GetSecrets": ("a{o(oayays)}", ({},))}),
    "gives another item's secret": provider({"GetSecrets": ("a{o(oayays)}", ({"/a": (SESSION, b"", b"hf_x", "")},))}),
    "gives an empty secret": provider(items(b"")),
    "gives secrets that are none": provider(items(b"", b"a\rb\n", b"\0", b"x" * 70_000)),
    "gives a secret and no attributes": provider({**items(b""), "Get": ("v", (("s", "x"),))}),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_keyring_at_fault(run: Run, environment: Environment, name: str) -> None:
    with bus(environment, FAULTS[name]):
        # None of these is waited out: what is plainly no answer is skipped as it comes.
        the_next_source_answers(run, environment, "--timeout", "3600")


# --- real keyrings at fault ---------------------------------------------------------------------------------


def test_a_bus_without_a_provider(run: Run, environment: Environment, tmp_path: Path) -> None:
    with contextlib.closing(Bus(tmp_path / "bus")) as real:
        environment["DBUS_SESSION_BUS_ADDRESS"] = real.address
        the_next_source_answers(run, environment)


@pytest.fixture
def own_keyring(run: Run, environment: Environment, tmp_path: Path) -> Iterator[GnomeKeyring]:
    """A keyring of the test's own, with an item for the Hub in it, which `environment` has the address of."""
    with contextlib.closing(GnomeKeyring(tmp_path / "keyring")) as keyring:
        environment["DBUS_SESSION_BUS_ADDRESS"] = keyring.bus.address
        store(run)
        assert run("get", input=REQUEST) == FROM_KEYRING
        yield keyring


def test_a_provider_that_is_stopped(run: Run, environment: Environment, own_keyring: GnomeKeyring) -> None:
    own_keyring.process.send_signal(signal.SIGSTOP)
    the_next_source_answers(run, environment, "--timeout", "0.3")
    own_keyring.process.send_signal(signal.SIGCONT)


def test_a_provider_that_was_killed(run: Run, environment: Environment, own_keyring: GnomeKeyring) -> None:
    own_keyring.stop()
    the_next_source_answers(run, environment)


def test_a_provider_that_is_killed_while_it_is_asked(
    run: Run, environment: Environment, own_keyring: GnomeKeyring
) -> None:
    own_keyring.process.send_signal(signal.SIGSTOP)
    killer = threading.Timer(0.2, own_keyring.process.kill)
    killer.start()
    the_next_source_answers(run, environment, "--timeout", "30")
    killer.join()


def test_a_bus_that_is_stopped(run: Run, environment: Environment, own_keyring: GnomeKeyring) -> None:
    own_keyring.bus.process.send_signal(signal.SIGSTOP)
    the_next_source_answers(run, environment, "--timeout", "0.3")


def test_a_bus_that_was_killed(run: Run, environment: Environment, own_keyring: GnomeKeyring) -> None:
    own_keyring.bus.process.kill()
    own_keyring.bus.process.wait()
    the_next_source_answers(run, environment)


def test_a_locked_keyring(run: Run, environment: Environment, own_keyring: GnomeKeyring) -> None:
    own_keyring.stop()
    wait_until(lambda: not own_keyring.bus.owns(SECRETS), "the keyring is off the bus")
    own_keyring.start(locked=True)
    the_next_source_answers(run, environment)
    own_keyring.stop()
    wait_until(lambda: not own_keyring.bus.owns(SECRETS), "the keyring is off the bus")
    own_keyring.start()
    assert run("get", input=REQUEST) == FROM_KEYRING
