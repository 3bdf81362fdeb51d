"""A bus that sends too much, or too slowly, or stops reading: the limit is of the clock on the wall, and of memory."""

import itertools
import select
import socket
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
from jeepney import DBusAddress, Message
from jeepney.wrappers import new_signal

from tests.asking import request, write_token_file
from tests.conftest import EXECUTABLE, Environment
from tests.secret_service.fake_bus import (
    FROM_FILE,
    ITEM,
    OK,
    REQUEST,
    SESSION,
    SIGNAL,
    WELCOME,
    Body,
    Script,
    answer,
    asked_in,
    begun,
    bus,
    calls,
    endless,
    serialised,
)

TIMEOUT = 0.5  # seconds
LATE = 0.5  # seconds after it, by which all is over
MEMORY = 64 << 10  # KiB
COLLECTION = "/org/freedesktop/secrets/collection"

# --- a keyring that says a lot ------------------------------------------------------------------------------

PROPERTIES: dict[str, Body] = {
    "Locked": ("v", (("b", False),)),
    "Label": ("v", (("s", "login"),)),
    "Modified": ("v", (("t", 1),)),
    "Attributes": ("v", (("a{ss}", {"protocol": "https", "server": "huggingface.co", "user": "hf_user"}),)),
}
ANSWERS: dict[str, Body] = {
    "Hello": ("s", (":1.1",)),
    "AddMatch": ("", ()),
    "ListNames": ("as", (["org.freedesktop.secrets"],)),
    "GetNameOwner": ("s", (":1.2",)),
    "GetConnectionUnixProcessID": ("u", (1,)),
    "ReadAlias": ("o", (f"{COLLECTION}/login",)),
    "OpenSession": ("vo", (("s", ""), SESSION)),
    "SearchItems": ("aoao", ([ITEM], [])),
    "GetSecrets": ("a{o(oayays)}", ({ITEM: (SESSION, b"", b"hf_x", "")},)),
    "isOpen": ("b", (True,)),
    "Unlock": ("aoo", ([], "/")),
    "CreateItem": ("oo", (ITEM, "/")),
    "Set": ("", ()),
    "SetSecret": ("", ()),
    "Delete": ("o", ("/",)),
}
Raw = tuple[str, bytes]  # the signature and the bytes of a body


def paths(names: Iterable[str]) -> bytes:
    """Return an array of paths. Each has a length that needs no padding: 3, 7, and so on."""
    elements = b"".join((len(name)).to_bytes(4, "little") + name.encode() + b"\0" for name in names)
    assert len(elements) % 4 == 0
    return len(elements).to_bytes(4, "little") + elements


def replied(call: Message, body: Raw) -> bytes:
    kind, data = body
    fields = b"\5\1u\0" + call.header.serial.to_bytes(4, "little") + b"\x08\1g\0" + bytes((len(kind),)) + kind.encode()
    fields += b"\0"
    head: bytes = (
        b"l\2\0\1" + len(data).to_bytes(4, "little") + b"\5\0\0\0" + len(fields).to_bytes(4, "little") + fields
    )
    return head + bytes(-len(head) % 8) + data


def reply(member: str, call: Message, raw: dict[str, Raw]) -> bytes:
    if member in raw:
        return replied(call, raw[member])
    if member == "Get" and call.body[1] in raw:
        return replied(call, raw[call.body[1]])
    return answer(call, PROPERTIES[call.body[1]] if member == "Get" else ANSWERS[member])


def keyring(**raw: Raw) -> Script:
    """A keyring that gives these in place of its own answers, by the member or the property."""

    def script(connection: socket.socket) -> None:
        for member, call in calls(connection, begun(connection)):
            connection.sendall(reply(member, call, raw))

    return script


SHORT = list(map("".join, itertools.product("/", "abcdefghijklmnop", "abcdefghijklmnop")))
NONE = paths([])


def found(names: Iterable[str]) -> Raw:
    return "aoao", paths(names) + NONE


def locked(names: Iterable[str]) -> Raw:
    return "aoao", NONE + paths(names)


def some(number: int, before: str = "/") -> list[str]:
    return [padded(f"{before}{one:06d}") for one in range(number)]


def in_wallets(number: int, of: int) -> list[str]:
    return [padded(f"{COLLECTION}/w{one % of:05d}/{one:06d}") for one in range(number)]


def padded(name: str) -> str:
    return name + "x" * ((3 - len(name)) % 4)


def secrets(names: list[str], secret: bytes = b"hf_x") -> Raw:
    elements = b""
    parts = []
    length = 0
    for name in names:
        element = bytes(-length % 8) + len(name).to_bytes(4, "little") + name.encode() + b"\0"
        element += bytes(-(length + len(element)) % 8)
        element += len(SESSION).to_bytes(4, "little") + SESSION.encode() + b"\0"
        element += bytes(-(length + len(element)) % 4) + bytes(4) + len(secret).to_bytes(4, "little") + secret
        element += bytes(-(length + len(element)) % 4) + bytes(4) + b"\0"
        parts.append(element)
        length += len(element)
    elements = b"".join(parts)
    return "a{o(oayays)}", len(elements).to_bytes(4, "little") + bytes(4) + elements


def attributes(number: int) -> Raw:
    elements = b"".join(b"\3\0\0\0%03x\0\3\0\0\0abc\0" % (one % 4096) for one in range(number))
    return "v", b"\5a{ss}\0\0" + len(elements).to_bytes(4, "little") + bytes(4) + elements


def dripping(member: str, body: Raw) -> Script:
    """A keyring that answers `member` one byte at a time."""

    def script(connection: socket.socket) -> None:
        for called, call in calls(connection, begun(connection)):
            data = reply(called, call, {member: body})
            for byte in data if called == member else ():
                connection.sendall(bytes((byte,)))
            if called != member:
                connection.sendall(data)

    return script


def deaf_after(member: str, **raw: Raw) -> Script:
    """A keyring that reads no more once it has answered `member`."""

    def script(connection: socket.socket) -> None:
        for called, call in calls(connection, begun(connection)):
            connection.sendall(reply(called, call, raw))
            if called == member:
                wait_until_it_leaves(connection)
                return

    return script


def wait_until_it_leaves(connection: socket.socket) -> None:
    """Return as the client closes the connection, without reading what it has sent."""
    poll = select.poll()
    poll.register(connection, select.POLLRDHUP)
    assert poll.poll(20_000)


# --- a bus that says a lot ----------------------------------------------------------------------------------


def deaf_from_the_beginning(connection: socket.socket) -> None:
    asked_in(connection)
    connection.sendall(WELCOME)
    wait_until_it_leaves(connection)


def dripping_a_welcome(connection: socket.socket) -> None:
    asked_in(connection)
    for _ in range(1 << 13):
        connection.sendall(b"DATA")
        wait = select.poll()
        wait.register(connection, select.POLLRDHUP)
        if wait.poll(1):
            return
    connection.sendall(OK)


def dripping_signals(connection: socket.socket) -> None:
    begun(connection)
    while True:
        for byte in serialised(SIGNAL):
            connection.sendall(bytes((byte,)))


def answering_nobody(connection: socket.socket) -> None:
    """Each answer is to another call, and none is to one that was made."""
    begun(connection)
    for number in itertools.count(1 << 20):
        fields = b"\5\1u\0" + number.to_bytes(4, "little")
        connection.sendall(
            b"l\2\0\1" + (1 << 12).to_bytes(4, "little") + b"\1\0\0\0\x08\0\0\0" + fields + bytes(1 << 12)
        )


def answering_one_call_for_ever(connection: socket.socket) -> None:
    """The others are never answered."""
    for member, call in calls(connection, begun(connection)):
        if member != "Hello":
            while True:
                connection.sendall(replied(call, ("ay", (1 << 20).to_bytes(4, "little") + bytes(1 << 20))))


def signal(kind: str, *body: object, member: str = "Completed", path: str = "/a") -> bytes:
    return serialised(new_signal(DBusAddress(path, interface="org.freedesktop.Secret.Prompt"), member, kind, body))


def header_of(size: int) -> bytes:
    """A signal that has as many header fields as there is room for."""
    fields = b"\x09\1u\0\0\0\0\0" * (size // 8)
    return b"l\4\0\1" + bytes(4) + b"\1\0\0\0" + len(fields).to_bytes(4, "little") + fields


FLOODS: dict[str, Script] = {
    "450,000 items": keyring(SearchItems=found(itertools.islice(itertools.cycle(SHORT), 450_000))),
    "450,000 items of longer names": keyring(SearchItems=found(some(450_000))),
    "30,000 items": keyring(SearchItems=found(some(30_000))),
    "4,000 items": keyring(SearchItems=found(some(4_000)), GetSecrets=secrets(some(4_000))),
    "4,000 items, no secrets": keyring(SearchItems=found(some(4_000))),
    "450,000 locked items": keyring(SearchItems=locked(itertools.islice(itertools.cycle(SHORT), 450_000))),
    "30,000 locked items": keyring(SearchItems=locked(in_wallets(30_000, 30_000))),
    "4,000 locked items in as many wallets": keyring(SearchItems=locked(in_wallets(4_000, 4_000))),
    "4,000 locked items in one wallet": keyring(
        SearchItems=locked(in_wallets(4_000, 1)), Unlock=("aoo", paths(in_wallets(4_000, 1)) + b"\1\0\0\0/\0")
    ),
    "30,000 secrets": keyring(GetSecrets=secrets(some(30_000))),
    "a secret of 3 MiB": keyring(GetSecrets=secrets([ITEM], b"x" * (3 << 20))),
    "200 items of 1,000 attributes": keyring(
        SearchItems=found(some(200)), GetSecrets=secrets(some(200), b""), Attributes=attributes(1_000)
    ),
    "250,000 attributes": keyring(
        SearchItems=found(some(4)), GetSecrets=secrets(some(4), b""), Attributes=attributes(250_000)
    ),
    "dripping items": dripping("SearchItems", found(some(4_000))),
    "60 items of 4,000 attributes": keyring(
        SearchItems=found(some(60)), GetSecrets=secrets(some(60), b""), Attributes=attributes(4_000)
    ),
    "a dripping secret": dripping("GetSecrets", secrets([ITEM], bytes(3 << 20))),
    "dripping signals": dripping_signals,
    "a dripping welcome": dripping_a_welcome,
    "signals": endless(serialised(SIGNAL) * 40),
    "the ends of other prompts": endless(signal("bv", False, ("s", "")) * 40),
    "large signals": endless(signal("ay", bytes(1 << 20))),
    "signals that are half there": endless(signal("ay", bytes(3 << 20))[:-1]),
    "signals in signals": endless(signal("v", ("v", ("v", ("v", ("v", ("ay", b"x")))))) * 40),
    "long headers": endless(header_of(1 << 20)),
    "headers of 8 KiB": endless(header_of(1 << 13)),
    "answers to nobody": answering_nobody,
    "one answer for ever": answering_one_call_for_ever,
    "deaf from the beginning": deaf_from_the_beginning,
    "deaf after Hello": deaf_after("Hello"),
    "deaf after OpenSession": deaf_after("OpenSession"),
    "deaf after 3 MiB of items": deaf_after("SearchItems", SearchItems=found(some(4_000, "/" + "a" * 762))),
    "deaf after OpenSession, with 3 MiB of items": deaf_after(
        "OpenSession", SearchItems=found(some(4_000, "/" + "a" * 762))
    ),
}

# --- what is to come of it ----------------------------------------------------------------------------------

MEASURE = """\
import os, subprocess, sys, time
start = time.monotonic()
child = subprocess.Popen(sys.argv[2:])
_, status, usage = os.wait4(child.pid, 0)
with open(sys.argv[1], "w") as file:
    file.write(f"{time.monotonic() - start} {usage.ru_maxrss} {os.waitstatus_to_exitcode(status)}")
"""
COMMANDS: dict[str, tuple[tuple[str, ...], bytes, set[int]]] = {
    "get": (("--timeout", str(TIMEOUT), "get"), REQUEST, {0}),
    "get, with a path": (("--timeout", str(TIMEOUT), "get"), request(path="a/b/c/d/e/f/g/h"), {0}),
    "get, prompting": (("--timeout", str(TIMEOUT), "--unlock", "prompt", "get"), REQUEST, {0}),
    "store": (("--timeout", str(TIMEOUT), "store"), request(username="alice", password="typed"), {0}),
    "erase": (("--timeout", str(TIMEOUT), "erase"), request(username="alice", password="hf_x"), {0}),
    "seed": (("seed", "--timeout", str(TIMEOUT), "--from", "-", "--no-cache"), b"hf_seeded", {0, 3}),
}


class Measured:
    """seconds; memory in KiB, at its most."""

    def __init__(self, command: str, environment: Environment) -> None:
        arguments, input, codes = COMMANDS[command]
        told = Path(environment["HOME"], "measured")
        done = subprocess.run(
            ["/usr/bin/python3", "-IS", "-c", MEASURE, str(told), EXECUTABLE, *arguments],
            input=input,
            env=environment,
            capture_output=True,
            check=True,
        )
        self.stdout, self.stderr = done.stdout, done.stderr
        seconds, memory, code = told.read_text().split()
        self.seconds, self.memory = float(seconds), int(memory)
        assert int(code) in codes
        assert self.stderr.count(b"\n") <= 1
        assert b"unexpected" not in self.stderr
        assert b"Traceback" not in self.stderr


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", FLOODS)
def test_the_time_holds_against(environment: Environment, name: str, command: str) -> None:
    write_token_file(environment, "hf_FromTheFile")
    idle = Measured(command, environment).seconds  # without a bus
    with bus(environment, FLOODS[name]):
        # A machine that is busy delays one run, and what takes too long delays them all.
        for _ in range(3):
            measured = Measured(command, environment)
            if command == "get":
                assert measured.stdout in (FROM_FILE.stdout, b"username=hf_user\npassword=hf_x\n")
            assert measured.memory < MEMORY
            if measured.seconds < idle + TIMEOUT + LATE:
                return
    pytest.fail(f"{measured.seconds:.2f} s, of which {idle:.2f} s are without a bus")
