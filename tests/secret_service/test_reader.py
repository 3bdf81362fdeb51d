"""Where the bus is, and what becomes of `get` when the bus or the provider does not do as it should."""

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jeepney import DBusAddress, HeaderFields, Message, new_error, new_method_return
from jeepney.low_level import Endianness, Parser
from jeepney.wrappers import new_signal

from git_credential_hf.secret_service.dbus.address import bus_addresses
from tests.conftest import Environment, Result, Run, run_process
from tests.keyring_items import Items
from tests.providers import SECRETS, Bus, GnomeKeyring, wait_until

REQUEST = b"protocol=https\nhost=huggingface.co\n"
SILENCE = Result(b"", b"", 0)


# --- where the bus is --------------------------------------------------------------------------------------

DEFAULT = [b"/run/user/%d/bus" % os.geteuid()]


@pytest.mark.parametrize(
    ("environ", "addresses"),
    [
        ({}, DEFAULT),
        ({b"XDG_RUNTIME_DIR": b""}, DEFAULT),
        ({b"XDG_RUNTIME_DIR": b"/run/here"}, [b"/run/here/bus"]),
        ({b"XDG_RUNTIME_DIR": b"/run/here", b"DBUS_SESSION_BUS_ADDRESS": b""}, [b"/run/here/bus"]),
        ({b"XDG_RUNTIME_DIR": b"/run/here", b"DBUS_SESSION_BUS_ADDRESS": b"unix:path=/a"}, [b"/a"]),
    ],
)
def test_the_bus_of_an_environment(environ: dict[bytes, bytes], addresses: list[bytes]) -> None:
    assert bus_addresses(environ) == addresses


@pytest.mark.parametrize(
    ("address", "addresses"),
    [
        (b"unix:path=/run/user/1000/bus", [b"/run/user/1000/bus"]),
        (b"unix:path=/tmp/dbus-x,guid=0123456789abcdef", [b"/tmp/dbus-x"]),
        (b"unix:guid=0123456789abcdef,path=/tmp/dbus-x", [b"/tmp/dbus-x"]),
        (b"unix:abstract=/tmp/dbus-x,guid=0123", [b"\0/tmp/dbus-x"]),
        (b"unix:path=/a;unix:abstract=b;unix:path=/c", [b"/a", b"\0b", b"/c"]),
        (b"tcp:host=localhost,port=1;unix:path=/a;", [b"/a"]),
        (b"unix:path=/with%20space%2c%3B", [b"/with space,;"]),
        (b"unix:path=/gr%c3%b6%C3%9fe", ["/größe".encode()]),
        (b"unix:path=%2fa", [b"/a"]),
        (b"unix:path=/a=b", [b"/a=b"]),
        # nothing that could be connected to
        (b"disabled:", []),
        (b"autolaunch:", []),
        (b"tcp:host=localhost,port=1234", []),
        (b"nonce-tcp:host=localhost,port=1234,noncefile=/a", []),
        (b"unixexec:path=/bin/true", []),
        (b"launchd:env=X", []),
        (b"unix:", []),
        (b"unix:path=", []),
        (b"unix:guid=1", []),
        (b"unix:runtime=yes", []),
        (b"unix", []),
        (b"/run/user/1000/bus", []),
        (b";", []),
        (b"::,=;=", []),
        (b"\xff\xfe", []),
        # an escape that is none
        (b"unix:path=/a%zz", []),
        (b"unix:path=/a%2", []),
        (b"unix:path=/a%", []),
        (b"unix:path=/a% 1", []),
        (b"unix:path=/a%\xff\xff", []),
        (b"unix:path=/a%2,guid=1;unix:path=/b", [b"/b"]),
    ],
)
def test_the_addresses_of_a_bus(address: bytes, addresses: list[bytes]) -> None:
    assert bus_addresses({b"DBUS_SESSION_BUS_ADDRESS": address, b"XDG_RUNTIME_DIR": b"/not/looked/at"}) == addresses


def test_the_bus_in_the_run_time_directory_is_used(
    run: Run, keyring: Items, environment: Environment, gnome_keyring: GnomeKeyring
) -> None:
    store(run)
    (path,) = bus_addresses({b"DBUS_SESSION_BUS_ADDRESS": gnome_keyring.bus.address.encode()})
    Path(environment["XDG_RUNTIME_DIR"], "bus").symlink_to(path.decode())
    assert run("get", input=REQUEST, DBUS_SESSION_BUS_ADDRESS="") == FROM_KEYRING
    del environment["DBUS_SESSION_BUS_ADDRESS"]
    assert run("get", input=REQUEST) == FROM_KEYRING


def test_the_first_bus_that_can_be_reached_is_asked(run: Run, keyring: Items, environment: Environment) -> None:
    store(run)
    address = environment["DBUS_SESSION_BUS_ADDRESS"]
    several = f"tcp:host=localhost,port=1;unix:path=/not/there;unix:abstract=nobody listens;{address};unix:path=/none"
    assert run("get", input=REQUEST, DBUS_SESSION_BUS_ADDRESS=several) == FROM_KEYRING


FROM_KEYRING = Result(b"username=hf_user\npassword=hf_FromTheKeyring\n", b"", 0)
FROM_FILE = Result(b"username=hf_user\npassword=hf_FromTheFile\n", b"", 0)


def store(run: Run) -> None:
    assert run("store", input=REQUEST + b"username=hf_user\npassword=hf_FromTheKeyring\n") == SILENCE


# --- whatever happens, the next source answers ---------------------------------------------------------------


def the_next_source_answers(run: Run, environment: Environment, *arguments: str) -> None:
    """`get` gives the token file's token, and nothing where there is no such file: silently either way."""
    assert run(*arguments, "get", input=REQUEST) == SILENCE
    file = Path(environment["HOME"], ".cache/huggingface/token")
    file.parent.mkdir(parents=True)
    file.write_text("hf_FromTheFile")
    assert run(*arguments, "get", input=REQUEST) == FROM_FILE


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


@contextlib.contextmanager
def listening(environment: Environment, backlog: int = 8) -> Iterator[socket.socket]:
    """A socket at the address of the bus."""
    path = environment["XDG_RUNTIME_DIR"] + "/a bus"
    environment["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=" + path.replace(" ", "%20")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(backlog)
        yield listener


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


# --- a bus that does as a test says --------------------------------------------------------------------------

ITEM = "/org/freedesktop/secrets/collection/login/1"
SESSION = "/org/freedesktop/secrets/session/s1"
BEGIN = b"BEGIN\r\n"
WELCOME = b"OK 0123456789abcdef0123456789abcdef\r\n"

Script = Callable[[socket.socket], None]
Body = tuple[str, tuple[Any, ...]]

ANSWERS: dict[str, Body] = {
    "Hello": ("s", (":1.1",)),
    "OpenSession": ("vo", (("s", ""), SESSION)),
    "SearchItems": ("aoao", ([ITEM], [])),
    "GetSecrets": ("a{o(oayays)}", ({ITEM: (SESSION, b"", b"hf_FromTheKeyring", "text/plain")},)),
    "Get": ("v", (("a{ss}", {"protocol": "https", "server": "huggingface.co", "user": "hf_user"}),)),
}

SIGNAL = new_signal(DBusAddress("/a", interface="org.freedesktop.DBus"), "NameAcquired", "s", (":1.1",))


@contextlib.contextmanager
def bus(environment: Environment, script: Script) -> Iterator[None]:
    """Run `script` on each connection that is made to the bus of `environment`."""
    failures: list[Exception] = []
    with listening(environment) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, contextlib.suppress(ConnectionError):
                    connection.settimeout(20)
                    try:
                        script(connection)
                    except ConnectionError:
                        raise
                    except Exception as error:
                        failures.append(error)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
    assert failures == []


def begun(connection: socket.socket) -> bytes:
    """Read the client's authentication; return what it has sent beyond that."""
    data = b""
    while BEGIN not in data:
        received = connection.recv(1 << 16)
        if not received:
            raise ConnectionResetError
        data += received
    assert data.startswith(b"\0AUTH EXTERNAL " + str(os.geteuid()).encode().hex().encode() + b"\r\n")
    return data.partition(BEGIN)[2]


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
        data = begun(connection)
        in_pieces(connection, welcome, piece)
        for member, call in calls(connection, data):
            reply = answer(call, (ANSWERS | (answers or {}))[member], order)
            in_pieces(connection, before + changed(member, call, reply), piece)

    return script


def in_pieces(connection: socket.socket, data: bytes, size: int) -> None:
    for start in range(0, len(data), size):
        connection.sendall(data[start : start + size])


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(provider(), id="as usual"),
        pytest.param(provider(order=Endianness.big), id="big-endian"),
        pytest.param(provider(piece=1), id="single bytes"),
        pytest.param(provider(piece=7, order=Endianness.big), id="seven bytes"),
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


def yet_to_know_the_connection(connection: socket.socket) -> None:
    """What gnome-keyring 42 does under load, where it can come to a call before it knows who made it."""
    known = False
    data = begun(connection)
    connection.sendall(WELCOME)
    for member, call in calls(connection, data):
        if member == "OpenSession" and not known:
            return  # it aborts
        if member == "SearchItems" and not known:
            known = True
            connection.sendall(serialised(new_error(call, "org.freedesktop.DBus.Error.UnknownMethod")))
        else:
            connection.sendall(answer(call, ANSWERS[member]))


def test_a_provider_that_does_not_know_the_connection_yet(run: Run, environment: Environment) -> None:
    with bus(environment, yet_to_know_the_connection):
        assert run("get", input=REQUEST) == FROM_KEYRING


def test_file_descriptors_that_come_along_are_not_kept(run: Run, environment: Environment) -> None:
    def script(connection: socket.socket) -> None:
        data = begun(connection)
        with open(os.devnull, "rb") as file:  # noqa: PTH123 - its descriptor is all that is wanted
            socket.send_fds(connection, [WELCOME], [file.fileno()] * 3)
            for member, call in calls(connection, data):
                reply = new_method_return(call, *ANSWERS[member])
                reply.header.fields[HeaderFields.unix_fds] = 2
                socket.send_fds(connection, [serialised(reply)], [file.fileno()] * 2)

    before = len(list(Path("/proc/self/fd").iterdir()))
    with bus(environment, script):
        assert run("get", input=REQUEST) == FROM_KEYRING
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def stranger(call: Message) -> Message:
    """The answer to a call that nobody made, with a token that nobody may get."""
    message = new_method_return(call, "a{o(oayays)}", ({ITEM: (SESSION, b"", b"hf_Strangers", "")},))
    message.header.fields[HeaderFields.reply_serial] = 4_000_000_000
    return message


def saying(*parts: bytes, instead_of_welcome: bool = False) -> Script:
    """A bus that says `parts` and closes the connection, whatever it is asked."""

    def script(connection: socket.socket) -> None:
        begun(connection)
        if not instead_of_welcome:
            connection.sendall(WELCOME)
        for part in parts:
            connection.sendall(part)

    return script


def closing_before(last: str) -> Script:
    def script(connection: socket.socket) -> None:
        data = begun(connection)
        connection.sendall(WELCOME)
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
        connection.sendall(WELCOME)
        for member, call in calls(connection, data):
            if member == first:
                wait_for_the_end(connection)
                return
            connection.sendall(answer(call, ANSWERS[member]))

    return script


def endless(part: bytes, *, welcome: bytes = WELCOME) -> Script:
    """A bus that goes on for as long as anybody listens."""

    def script(connection: socket.socket) -> None:
        begun(connection)
        connection.sendall(welcome)
        while True:
            connection.sendall(part)

    return script


def stopping_within_a_message(connection: socket.socket) -> None:
    begun(connection)
    connection.sendall(WELCOME + b"l\2\0\1" + (3 << 20).to_bytes(4, "little") + bytes(8) + bytes(2 << 20))
    wait_for_the_end(connection)


def a_body_of(member: str, body: bytes) -> Script:
    """A provider that says this about `member`: of the right kind, with other bytes in it."""

    def changed(called: str, call: Message, data: bytes) -> bytes:
        if called != member:
            return data
        whole = len(data) - int.from_bytes(data[4:8], "little")
        return data[:4] + len(body).to_bytes(4, "little") + data[8:whole] + body

    return provider(changed=changed)


def items(*secrets: bytes) -> dict[str, Body]:
    paths = [f"{ITEM}{number}" for number in range(len(secrets))]
    given = {path: (SESSION, b"", secret, "text/plain") for path, secret in zip(paths, secrets, strict=True)}
    return {"SearchItems": ("aoao", (paths, [])), "GetSecrets": ("a{o(oayays)}", (given,))}


LOCKED: dict[str, Body] = {
    "SearchItems": ("aoao", ([], [ITEM])),
    "isOpen": ("b", (True,)),
    "AddMatch": ("", ()),
    "Prompt": ("", ()),
}


def locked(**answers: Body) -> Script:
    """A wallet that is open and calls itself locked, unless `answers` say otherwise."""
    return provider(LOCKED | answers)


def prompting(completed: Body) -> Script:
    """A locked provider whose prompt ends with `completed`, ahead of the reply to the call that set it going."""
    signal = new_signal(DBusAddress("/prompt", interface="org.freedesktop.Secret.Prompt"), "Completed", *completed)
    return provider(
        LOCKED | {"Unlock": ("aoo", ([], "/prompt"))},
        changed=lambda member, call, data: serialised(signal) + data if member == "Prompt" else data,
    )


ANSWERED = [member for member in ANSWERS if member != "Hello"]
NEEDED = [member for member in ANSWERED if member != "Get"]

FAULTS: dict[str, Script] = {
    "closes at once": lambda connection: None,
    "closes when it has read the authentication": saying(instead_of_welcome=True),
    "closes within its welcome": saying(b"OK 0123", instead_of_welcome=True),
    "closes after its welcome": saying(),
    "refuses": saying(b"REJECTED EXTERNAL DBUS_COOKIE_SHA1\r\n", instead_of_welcome=True),
    "refuses with an error": saying(b"ERROR\r\n", instead_of_welcome=True),
    "refuses and answers nevertheless": provider(welcome=b"REJECTED EXTERNAL\r\n"),
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
    **{f"closes before it answers {member}": closing_before(member) for member in NEEDED},
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
    "answers in another version": provider(changed=lambda member, call, data: data[:3] + b"\2" + data[4:]),
    "has nothing": provider({"SearchItems": ("aoao", ([], []))}),
    "has locked items alone": locked(isOpen=("b", (False,))),
    "is no KWallet": provider(
        LOCKED,
        changed=lambda member, call, data: data if member != "isOpen"
        else serialised(new_error(call, "org.freedesktop.DBus.Error.UnknownObject", "s", ("why",))),
    ),
    "answers isOpen with another type": locked(isOpen=("s", ("yes",))),
    "is open and unlocks nothing": locked(Unlock=("aoo", ([], "/"))),
    "is open and answers Unlock with another type": locked(Unlock=("ao", ([],))),
    "unlocks and is locked all the same": locked(Unlock=("aoo", ([ITEM], "/"))),
    "has a prompt that fails": provider(
        LOCKED | {"Unlock": ("aoo", ([], "/prompt"))},
        changed=lambda member, call, data: data if member != "Prompt"
        else serialised(new_error(call, "org.freedesktop.DBus.Error.UnknownObject", "s", ("why",))),
    ),
    "has a prompt that is dismissed": prompting(("bv", (True, ("s", "")))),
    "has a prompt that is completed with another type": prompting(("s", ("done",))),
    "has a prompt that is completed and stays locked": prompting(("bv", (False, ("ao", [])))),
    "gives no secret for an item": provider({"GetSecrets": ("a{o(oayays)}", ({},))}),
    "gives another item's secret": provider({"GetSecrets": ("a{o(oayays)}", ({"/a": (SESSION, b"", b"hf_x", "")},))}),
    "gives an empty secret": provider(items(b"")),
    "gives secrets that are none": provider(items(b"", b"a\rb\n", b"\0", b"x" * 70_000)),
    "gives a secret and no attributes": provider({**items(b""), "Get": ("v", (("s", "x"),))}),
}  # fmt: skip

SLOW_FAULTS: dict[str, Script] = {
    "says nothing after the authentication": wait_for_the_end,
    **{f"says nothing from {member} on": mute_from(member) for member in ANSWERS if member != "Get"},
    "has a prompt that never ends": locked(Unlock=("aoo", ([], "/prompt"))),
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
        # None of these is waited out: what is plainly no answer is passed over as it comes.
        the_next_source_answers(run, environment, "--timeout", "3600")


@pytest.mark.parametrize("name", SLOW_FAULTS)
def test_a_bus_that_never_comes_to_an_answer(run: Run, environment: Environment, name: str) -> None:
    with bus(environment, SLOW_FAULTS[name]):
        the_next_source_answers(run, environment, "--timeout", "0.2")


@pytest.mark.parametrize("name", ["says nothing after the authentication", "says nothing from SearchItems on"])
def test_a_mute_bus_costs_the_time_that_it_may_take_and_no_more(environment: Environment, name: str) -> None:
    def seconds() -> float:
        start = time.monotonic()
        assert run_process(("--timeout", "1", "get"), REQUEST, environment) == SILENCE
        return time.monotonic() - start

    with bus(environment, SLOW_FAULTS[name]):
        # A machine that is busy delays one run, and what waits for too long delays them all.
        assert any(seconds() < 1.5 for _ in range(20))


# --- real providers at fault ---------------------------------------------------------------------------------


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
