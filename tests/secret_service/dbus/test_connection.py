"""What becomes of `get` when the bus is not there, or does not do as a bus does."""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from jeepney import HeaderFields, new_method_return
from jeepney.low_level import Endianness

from tests.asking import NOTHING
from tests.conftest import Environment, Run, run_process
from tests.secret_service.fake_bus import (
    ANSWERS,
    BEGIN,
    FROM_KEYRING,
    ITEM,
    NEEDED,
    OK,
    REQUEST,
    SESSION,
    SIGNAL,
    WELCOME,
    Script,
    answering,
    asked_in,
    begun,
    bus,
    calls,
    closing_before,
    endless,
    letting_in_and_leaving,
    listening,
    mute_from,
    provider,
    received,
    saying,
    serialised,
    stranger,
    the_next_source_answers,
    wait_for_the_end,
)

# --- no bus -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "unix:path=/not/there", "unix:abstract=nobody listens here", "unix:path=/dev/null", "unix:path=/", "disabled:",
        "unix:path=/" + "long" * 100, "unix:abstract=" + "long" * 100, "unix:path=/a%00b", "unix:path=%00",
        "autolaunch:", "tcp:host=localhost,port=1", "nonsense", "unix:path=/a%zz", ";;;",
        "unix:path=/not/there;unix:path=/nor/here",
    ],
)  # fmt: skip
def test_an_address_where_no_bus_is(run: Run, environment: Environment, address: str) -> None:
    environment["DBUS_SESSION_BUS_ADDRESS"] = address
    the_next_source_answers(run, environment)


def test_a_socket_that_nobody_listens_at(run: Run, environment: Environment) -> None:
    with listening(environment):
        pass
    the_next_source_answers(run, environment)


def test_a_socket_that_says_nothing(run: Run, environment: Environment) -> None:
    with listening(environment):
        the_next_source_answers(run, environment, "--timeout", "0.3")


@contextlib.contextmanager
def crowded(environment: Environment) -> Iterator[int]:
    """As many connections wait at the bus of `environment` as it lets wait; gives their number."""
    with contextlib.ExitStack() as waiting:
        number = 0
        with pytest.raises(BlockingIOError):
            while True:
                one = waiting.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK))
                one.connect(environment["XDG_RUNTIME_DIR"] + "/a bus")
                number += 1
        yield number


def test_a_socket_that_takes_no_more_connections(run: Run, environment: Environment) -> None:
    with listening(environment, 0), crowded(environment):
        the_next_source_answers(run, environment, "--timeout", "0.3")


def test_a_bus_that_is_behind_is_waited_for(run: Run, environment: Environment) -> None:
    with listening(environment, 0) as listener, crowded(environment) as before:
        listener.settimeout(20)

        def catch_up() -> None:
            with contextlib.ExitStack() as taken:
                for _ in range(before):
                    taken.enter_context(listener.accept()[0])
                provider()(taken.enter_context(listener.accept()[0]))

        later = threading.Timer(0.3, catch_up)
        later.start()
        got = run("--timeout", "30", "get", input=REQUEST)
        later.join()
    assert got == FROM_KEYRING


def test_a_socket_of_another_type(run: Run, environment: Environment) -> None:
    path = environment["XDG_RUNTIME_DIR"] + "/datagrams"
    environment["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={path}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(path)
        the_next_source_answers(run, environment)


# --- a bus with ways of its own -----------------------------------------------------------------------------


def wanting_the_uid(refusal: bytes = b"REJECTED EXTERNAL\r\n") -> Script:
    """A bus that knows no empty response, and lets in whoever names their own uid."""
    named = b"AUTH EXTERNAL " + str(os.geteuid()).encode().hex().encode() + b"\r\n"

    def script(connection: socket.socket) -> None:
        asked_in(connection)
        connection.sendall(refusal + b'ERROR "there is nothing to say DATA to"\r\n')
        assert received(connection, len(named)) == named
        connection.sendall(OK)
        assert received(connection, len(BEGIN)) == BEGIN
        answering(connection, connection.recv(1 << 16))

    return script


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(provider(), id="as usual"),
        pytest.param(provider(order=Endianness.big), id="big-endian"),
        pytest.param(provider(piece=1), id="single bytes"),
        pytest.param(provider(piece=7, order=Endianness.big), id="seven bytes"),
        pytest.param(provider(welcome=OK), id="asks for nothing"),
        pytest.param(wanting_the_uid(), id="wants the uid in one line"),
        pytest.param(wanting_the_uid(b'ERROR "unknown"\r\n'), id="calls it an error to leave the uid out"),
        pytest.param(provider(before=serialised(SIGNAL) * 50), id="many signals"),
        pytest.param(provider(before=serialised(SIGNAL, Endianness.big), piece=3), id="both byte orders"),
        pytest.param(
            provider(changed=lambda member, call, data: b"" if member == "Hello" else data), id="no answer to Hello"
        ),
        pytest.param(
            provider(changed=lambda member, call, data: serialised(stranger(call)) + data),
            id="answers to nobody's calls",
        ),
        pytest.param(
            provider({"GetSecrets": ("a{o(oayays)}", ({ITEM: (SESSION, b"x", b"hf_FromTheKeyring\n", "")},))}),
            id="a secret with a line end",
        ),
    ],
)
def test_a_provider_that_says_it_in_its_own_way(run: Run, environment: Environment, script: Script) -> None:
    with bus(environment, script):
        assert run("get", input=REQUEST) == FROM_KEYRING


def test_file_descriptors_that_come_along_are_not_kept(run: Run, environment: Environment) -> None:
    def script(connection: socket.socket) -> None:
        asked_in(connection)
        with open(os.devnull, "rb") as file:  # noqa: PTH123 - its descriptor is all that is wanted
            socket.send_fds(connection, [WELCOME], [file.fileno()] * 3)
            assert received(connection, len(BEGIN)) == BEGIN
            data = connection.recv(1 << 16)
            for member, call in calls(connection, data):
                reply = new_method_return(call, *ANSWERS[member])
                reply.header.fields[HeaderFields.unix_fds] = 2
                socket.send_fds(connection, [serialised(reply)], [file.fileno()] * 2)

    before = len(list(Path("/proc/self/fd").iterdir()))
    with bus(environment, script):
        assert run("get", input=REQUEST) == FROM_KEYRING
    assert len(list(Path("/proc/self/fd").iterdir())) == before


# --- a bus at fault -----------------------------------------------------------------------------------------


def stopping_within_a_message(connection: socket.socket) -> None:
    begun(connection)
    connection.sendall(b"l\2\0\1" + (3 << 20).to_bytes(4, "little") + bytes(8) + bytes(2 << 20))
    wait_for_the_end(connection)


FAULTS: dict[str, Script] = {
    "closes at once": lambda connection: None,
    "closes when it has read the authentication": saying(instead_of_welcome=True),
    "closes within its welcome": saying(b"OK 0123", instead_of_welcome=True),
    "closes after its welcome": saying(),
    "refuses": saying(b"REJECTED EXTERNAL DBUS_COOKIE_SHA1\r\n", instead_of_welcome=True),
    "refuses with an error": saying(b"ERROR\r\n", instead_of_welcome=True),
    "refuses twice": saying(b"REJECTED EXTERNAL\r\nERROR\r\nREJECTED EXTERNAL\r\n", instead_of_welcome=True),
    "closes as it has let it in": letting_in_and_leaving,
    "talks before it is asked": saying(WELCOME + serialised(SIGNAL), instead_of_welcome=True),
    "asks for more": saying(b"DATA\r\n", instead_of_welcome=True),
    "says an empty line": saying(b"\r\n", instead_of_welcome=True),
    "greets like another program": saying(b"HTTP/1.1 400 Bad Request\r\n\r\n", instead_of_welcome=True),
    "says garbage for a welcome": saying(bytes(range(256)) * 64, instead_of_welcome=True),
    "never ends its welcome": endless(b"x" * 4096, welcome=b"OK "),
    "says garbage": saying(bytes(range(256)) * 64),
    "says zeros": saying(bytes(1 << 16)),
    "says 64 MiB of zeros": endless(bytes(1 << 16)),
    "says it sends 64 MiB": saying(b"l\2\0\1" + (64 << 20).to_bytes(4, "little") + bytes(8), b"x" * (1 << 20)),
    "says it sends 4 GiB of header": saying(b"l\2\0\1" + bytes(8) + b"\xff" * 4),
    "sends half a message": saying(serialised(SIGNAL)[:-3]),
    "answers in another version": provider(changed=lambda member, call, data: data[:3] + b"\2" + data[4:]),
    **{f"closes before it answers {member}": closing_before(member) for member in NEEDED},
}  # fmt: skip
SLOW_FAULTS: dict[str, Script] = {
    "says nothing after the authentication": wait_for_the_end,
    "asks for more for ever": endless(b"DATA\r\n", welcome=b"DATA\r\n"),
    **{f"says nothing from {member} on": mute_from(member) for member in ANSWERS if member != "Get"},
    "answers with a signal": provider(changed=lambda member, call, data: data[:1] + b"\4" + data[2:]),
    "answers with a call": provider(changed=lambda member, call, data: data[:1] + b"\1" + data[2:]),
    "answers other calls alone": provider(changed=lambda member, call, data: serialised(stranger(call))),
    "says signals without end": endless(serialised(SIGNAL) * 40),
    "answers nobody's calls without end": endless(
        b"l\2\0\1" + bytes(4) + b"\1\0\0\0" + b"\x08\0\0\0" + b"\5\1u\0" + b"\xff\xff\xff\x7f"
    ),
    "stops within a large message": stopping_within_a_message,
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_bus_at_fault(run: Run, environment: Environment, name: str) -> None:
    with bus(environment, FAULTS[name]):
        # None of these is waited out: what is plainly no answer is skipped as it comes.
        the_next_source_answers(run, environment, "--timeout", "3600")


@pytest.mark.parametrize("name", SLOW_FAULTS)
def test_a_bus_that_never_comes_to_an_answer(run: Run, environment: Environment, name: str) -> None:
    with bus(environment, SLOW_FAULTS[name]):
        the_next_source_answers(run, environment, "--timeout", "0.2")


@pytest.mark.parametrize("name", ["says nothing after the authentication", "says nothing from SearchItems on"])
def test_a_mute_bus_costs_the_time_that_it_may_take_and_no_more(environment: Environment, name: str) -> None:
    def seconds() -> float:
        start = time.monotonic()
        assert run_process(("--timeout", "1", "get"), REQUEST, environment) == NOTHING
        return time.monotonic() - start

    with bus(environment, SLOW_FAULTS[name]):
        # A machine that is busy delays one run, and what waits for too long delays them all.
        assert any(seconds() < 1.5 for _ in range(20))
