"""A bus, and a keyring on it, that does as a test says; and what `get` is to make of it."""

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from jeepney import DBusAddress, HeaderFields, Message, new_error, new_method_return
from jeepney.low_level import Endianness, Parser
from jeepney.wrappers import new_signal

from tests import asking
from tests.asking import NOTHING, request, write_token_file
from tests.conftest import Environment, Run

REQUEST = request()
FROM_KEYRING = asking.answer("hf_user", "hf_FromTheKeyring")
FROM_FILE = asking.answer("hf_user", "hf_FromTheFile")


# --- what is to come of it ----------------------------------------------------------------------------------


def store(run: Run) -> None:
    """Put an item for the Hub into the keyring."""
    assert run("store", input=REQUEST + b"username=hf_user\npassword=hf_FromTheKeyring\n") == NOTHING


def the_next_source_answers(run: Run, environment: Environment, *arguments: str) -> None:
    """`get` gives the token file's token, and nothing where there is no such file: silently either way."""
    assert run(*arguments, "get", input=REQUEST) == NOTHING
    write_token_file(environment, "hf_FromTheFile")
    assert run(*arguments, "get", input=REQUEST) == FROM_FILE


# --- the bus ------------------------------------------------------------------------------------------------


ITEM = "/org/freedesktop/secrets/collection/login/1"
SESSION = "/org/freedesktop/secrets/session/s1"
WHO = b"\0AUTH EXTERNAL\r\nDATA\r\n"
BEGIN = b"BEGIN\r\n"
OK = b"OK 0123456789abcdef0123456789abcdef\r\n"
WELCOME = b"DATA\r\n" + OK
Script = Callable[[socket.socket], None]
Body = tuple[str, tuple[Any, ...]]
ANSWERS: dict[str, Body] = {
    "Hello": ("s", (":1.1",)),
    "OpenSession": ("vo", (("s", ""), SESSION)),
    "SearchItems": ("aoao", ([ITEM], [])),
    "GetSecrets": ("a{o(oayays)}", ({ITEM: (SESSION, b"", b"hf_FromTheKeyring", "text/plain")},)),
    "Get": ("v", (("a{ss}", {"protocol": "https", "server": "huggingface.co", "user": "hf_user"}),)),
}
# What no `get` from the keyring can do without.
NEEDED = ["SearchItems", "OpenSession", "GetSecrets"]
SIGNAL = new_signal(DBusAddress("/a", interface="org.freedesktop.DBus"), "NameAcquired", "s", (":1.1",))


@contextlib.contextmanager
def listening(
    environment: Environment, backlog: int = 8, *, owner: int | None = None, abstract: bool = False
) -> Iterator[socket.socket]:
    """A socket at the address of the bus.

    owner: the user that listens, as the kernel tells whoever connects; it takes root to be another.
    """
    path = environment["XDG_RUNTIME_DIR"] + "/a bus"
    environment["DBUS_SESSION_BUS_ADDRESS"] = f"unix:{'abstract' if abstract else 'path'}=" + path.replace(" ", "%20")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("\0" + path if abstract else path)
        if not abstract:
            Path(path).chmod(0o666)
        before = os.geteuid()
        try:
            if owner is not None:
                os.seteuid(owner)
            listener.listen(backlog)
        finally:
            os.seteuid(before)
        yield listener


@contextlib.contextmanager
def bus(
    environment: Environment, script: Script, *, owner: int | None = None, abstract: bool = False
) -> Iterator[None]:
    """Run `script` on each connection that is made to the bus of `environment`, all at once."""
    failures: list[Exception] = []
    with listening(environment, owner=owner, abstract=abstract) as listener:

        def answer_one(connection: socket.socket) -> None:
            with connection, contextlib.suppress(ConnectionError):
                connection.settimeout(20)
                try:
                    script(connection)
                except ConnectionError:
                    raise
                except Exception as error:
                    failures.append(error)

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                running.append(threading.Thread(target=answer_one, args=(connection,)))
                running[-1].start()

        running = [threading.Thread(target=serve)]
        running[0].start()
        try:
            yield
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for thread in running:
                thread.join()
    assert failures == []


def asked_in(connection: socket.socket) -> None:
    """Read what a client says of itself before the bus has said anything: nothing comes after it."""
    assert received(connection, len(WHO)) == WHO


def begun(connection: socket.socket, welcome: bytes = WELCOME, piece: int = 1 << 20) -> bytes:
    """Let the client in; return what it has sent beyond its authentication."""
    asked_in(connection)
    in_pieces(connection, welcome, piece)
    assert received(connection, len(BEGIN)) == BEGIN
    return connection.recv(1 << 16)


def received(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise ConnectionResetError
        data += part
    return data


def calls(connection: socket.socket, data: bytes) -> Iterator[tuple[str, Message]]:
    """Return the calls that come, by their member, until the client leaves."""
    parser = Parser()
    while True:
        for call in parser.feed(data):
            yield call.header.fields[HeaderFields.member], call
        data = connection.recv(1 << 16)
        if not data:
            return


def answer(call: Message, body: Body, order: Endianness = Endianness.little) -> bytes:
    return serialised(new_method_return(call, *body), order)


def serialised(message: Message, order: Endianness = Endianness.little) -> bytes:
    message.header.endianness = order
    data: bytes = message.serialise(serial=5)
    return data


def wait_for_the_end(connection: socket.socket) -> None:
    while connection.recv(1 << 16):
        pass


def provider(
    answers: dict[str, Body] | None = None,
    *,
    order: Endianness = Endianness.little,
    piece: int = 1 << 20,
    before: bytes = b"",
    welcome: bytes = WELCOME,
    changed: Callable[[str, Message, bytes], bytes] = lambda member, call, data: data,
) -> Script:
    """A provider that gives `answers`, else ANSWERS, with the bytes of `before` ahead of each."""

    def script(connection: socket.socket) -> None:
        data = begun(connection, welcome, piece)
        for member, call in calls(connection, data):
            reply = answer(call, (ANSWERS | (answers or {}))[member], order)
            in_pieces(connection, before + changed(member, call, reply), piece)

    return script


def answering(connection: socket.socket, data: bytes) -> None:
    """Give ANSWERS to the calls in `data` and those that follow."""
    for member, call in calls(connection, data):
        connection.sendall(answer(call, ANSWERS[member]))


def in_pieces(connection: socket.socket, data: bytes, size: int) -> None:
    for start in range(0, len(data), size):
        connection.sendall(data[start : start + size])


# --- what it does otherwise ---------------------------------------------------------------------------------


def stranger(call: Message) -> Message:
    """The answer to a call that nobody made, with a token that nobody may get."""
    message = new_method_return(call, "a{o(oayays)}", ({ITEM: (SESSION, b"", b"hf_Strangers", "")},))
    message.header.fields[HeaderFields.reply_serial] = 4_000_000_000
    return message


def saying(*parts: bytes, instead_of_welcome: bool = False) -> Script:
    """A bus that says `parts` and closes the connection, whatever it is asked."""

    def script(connection: socket.socket) -> None:
        if instead_of_welcome:
            asked_in(connection)
        else:
            begun(connection)
        for part in parts:
            connection.sendall(part)

    return script


def letting_in_and_leaving(connection: socket.socket) -> None:
    """As a proxy does whose bus has gone."""
    asked_in(connection)
    connection.sendall(WELCOME)


def closing_before(last: str) -> Script:
    def script(connection: socket.socket) -> None:
        data = begun(connection)
        for member, call in calls(connection, data):
            if member == last:
                return
            connection.sendall(answer(call, ANSWERS[member]))

    return script


def failing(which: str, name: str) -> Script:
    return provider(
        changed=lambda member, call, data: serialised(new_error(call, name, "s", ("why",))) if member == which else data
    )


def mute_from(first: str) -> Script:
    def script(connection: socket.socket) -> None:
        data = begun(connection)
        for member, call in calls(connection, data):
            if member == first:
                wait_for_the_end(connection)
                return
            connection.sendall(answer(call, ANSWERS[member]))

    return script


def endless(part: bytes, *, welcome: bytes = b"") -> Script:
    """A bus that goes on for as long as anybody listens; `welcome` is what it says in place of one."""

    def script(connection: socket.socket) -> None:
        if welcome:
            asked_in(connection)
            connection.sendall(welcome)
        else:
            begun(connection)
        while True:
            connection.sendall(part)

    return script


def a_body_of(member: str, body: bytes) -> Script:
    """A provider that says this about `member`: of the right kind, with other bytes in it."""

    def changed(called: str, call: Message, data: bytes) -> bytes:
        if called != member:
            return data
        whole = len(data) - int.from_bytes(data[4:8], "little")
        return data[:4] + len(body).to_bytes(4, "little") + data[8:whole] + body

    return provider(changed=changed)
