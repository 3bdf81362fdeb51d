"""Real buses and real keyrings at fault: whatever happens to them, each command comes to a sane end, and in time."""

import contextlib
import select
import signal
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from git_credential_hf.secret_service.dbus.address import bus_addresses
from tests.asking import NOTHING, answer, request, seed, write_token_file
from tests.conftest import Environment, Result, Run, run_process
from tests.providers import SECRETS, Bus, GnomeKeyring, KeePassXC
from tests.secret_service.conftest import needed

FROM_FILE = answer("hf_user", "hf_FromTheFile")

# How long the keyring may take, in seconds. Nothing here gives an answer that is worth a wait.
TIMEOUT = ["--timeout", "0.5"]
# Longer than any start on a busy machine: what is asked has to be asked before it is over, and is not waited for.
UNHURRIED = ["--timeout", "30"]


@pytest.fixture
def run(environment: Environment) -> Run:
    """The installed program alone: it is given 60 s, and killed then."""

    def with_environment(*arguments: str, input: bytes = b"", **more: str) -> Result:
        return run_process(arguments, input, environment | more)

    return with_environment


def write(run: Run, command: str, timeout: list[str] = TIMEOUT) -> None:
    """Run one of the commands that write: it says what it could not do, in one line and no traceback, and is done."""
    if command == "seed":
        done = run("seed", "--from", "-", "--no-cache", *timeout, input=b"hf_rotated")
        assert done.code in (0, 3)
        assert (done.stdout.count(b"\n"), done.stderr.count(b"\n")) == ((1, 0) if done.code == 0 else (0, 1))
    else:
        credential = ("alice", "typed") if command == "store" else ("bob", "StoredByGit")
        done = run(*timeout, command, input=request(username=credential[0], password=credential[1]))
        assert (done.stdout, done.code) == (b"", 0)
        assert done.stderr.count(b"\n") <= 1
    assert b"Traceback" not in done.stderr
    assert b"hf_" not in done.stdout + done.stderr.replace(b"hf_user", b"")


def all_end_well(run: Run, environment: Environment) -> None:
    """Each command comes to a sane end, and where there is a token file `get` answers from it."""
    assert run(*TIMEOUT, "get", input=request()) == NOTHING
    for command in ("store", "seed", "erase"):
        write(run, command)
    write_token_file(environment, "hf_FromTheFile")
    assert run(*TIMEOUT, "get", input=request()) == FROM_FILE


# --- what stands in place of a keyring -----------------------------------------------------------------------


@pytest.mark.parametrize("command", ["/bin/false", "/not/there", "/dev/null", "/bin/sleep 30"])
def test_a_keyring_that_does_not_start(run: Run, environment: Environment, tmp_path: Path, command: str) -> None:
    with contextlib.closing(Bus(tmp_path / "bus", {SECRETS: command})) as bus:
        environment["DBUS_SESSION_BUS_ADDRESS"] = bus.address
        all_end_well(run, environment)


def test_a_bus_without_a_keyring(run: Run, environment: Environment, tmp_path: Path) -> None:
    with contextlib.closing(Bus(tmp_path / "bus")) as bus:
        environment["DBUS_SESSION_BUS_ADDRESS"] = bus.address
        all_end_well(run, environment)


def test_a_bus_that_wants_another_authentication(run: Run, environment: Environment, tmp_path: Path) -> None:
    with contextlib.closing(Bus(tmp_path / "bus", auth="ANONYMOUS")) as bus:
        environment["DBUS_SESSION_BUS_ADDRESS"] = bus.address
        all_end_well(run, environment)


@pytest.mark.parametrize(
    "address", ["disabled:", "tcp:host=localhost,port=1", "autolaunch:", "nonsense", "unix:path=/not/there"]
)
def test_an_address_that_leads_nowhere(run: Run, environment: Environment, address: str) -> None:
    environment["DBUS_SESSION_BUS_ADDRESS"] = address
    all_end_well(run, environment)


def test_a_keyring_without_a_default_collection(run: Run, environment: Environment, tmp_path: Path) -> None:
    with contextlib.closing(GnomeKeyring(tmp_path / "keyring", locked=True)) as keyring:
        environment["DBUS_SESSION_BUS_ADDRESS"] = keyring.bus.address
        all_end_well(run, environment)


# --- a keyring that is hurt ----------------------------------------------------------------------------------


@pytest.fixture
def keyring(run: Run, environment: Environment, tmp_path: Path) -> Iterator[GnomeKeyring]:
    """A keyring that the test may hurt, with hf_FromTheKeyring in it, and StoredByGit for bob."""
    with contextlib.closing(GnomeKeyring(tmp_path / "keyring")) as started:
        environment["DBUS_SESSION_BUS_ADDRESS"] = started.bus.address
        seed(run, "hf_FromTheKeyring")
        assert run("store", input=request(username="bob", password="StoredByGit")) == NOTHING
        assert run("get", input=request()) == answer("hf_user", "hf_FromTheKeyring")
        yield started


@pytest.mark.parametrize("stopped", ["provider", "bus"])
def test_what_is_stopped(run: Run, environment: Environment, keyring: GnomeKeyring, stopped: str) -> None:
    (keyring if stopped == "provider" else keyring.bus).process.send_signal(signal.SIGSTOP)
    all_end_well(run, environment)


@pytest.mark.parametrize("killed", ["provider", "bus"])
def test_what_was_killed(run: Run, environment: Environment, keyring: GnomeKeyring, killed: str) -> None:
    process = (keyring if killed == "provider" else keyring.bus).process
    process.kill()
    process.wait()
    all_end_well(run, environment)


def test_three_hundred_collections(run: Run, environment: Environment, keyring: GnomeKeyring, tmp_path: Path) -> None:
    for number in range(300):
        collection = keyring.bus.folder / f"data/keyrings/collection{number}.keyring"
        collection.write_text(f"[keyring]\ndisplay-name=collection {number}\nctime=0\nmtime=0\n")
    keyring.restart(locked=False)
    collections = keyring.bus.call(
        SECRETS, "/org/freedesktop/secrets", "org.freedesktop.DBus.Properties.Get",
        "string:org.freedesktop.Secret.Service", "string:Collections",
    )  # fmt: skip
    assert collections.count("/collection/") >= 300
    assert run("get", input=request()) == answer("hf_user", "hf_FromTheKeyring")
    assert run("store", input=request(username="alice", password="typed")) == NOTHING
    assert run("get", input=request(username="alice")) == answer("alice", "typed")


@contextlib.contextmanager
def relayed(
    environment: Environment, before: Callable[[bytes], None], after: Callable[[bytes], None]
) -> Iterator[None]:
    """Stand between the bus of `environment` and its clients; do these two with what a client sends, as it goes by."""
    (real,) = bus_addresses({b"DBUS_SESSION_BUS_ADDRESS": environment["DBUS_SESSION_BUS_ADDRESS"].encode()})

    class Relay(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            client: socket.socket = self.request
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as bus:
                bus.connect(real)
                while True:
                    for source in select.select([client, bus], [], [])[0]:
                        data = source.recv(1 << 16)
                        if not data:
                            return
                        if source is client:
                            before(data)
                        (bus if source is client else client).sendall(data)
                        if source is client:
                            after(data)

    address = environment["XDG_RUNTIME_DIR"] + "/relay"
    with socketserver.ThreadingUnixStreamServer(address, Relay) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        environment["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={address}"
        try:
            yield
        finally:
            environment["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={real.decode()}"
            server.shutdown()
            thread.join()


# The calls that each command makes, and cannot do without.
CALLS = {
    "get": ["Hello", "SearchItems", "OpenSession", "GetSecrets"],
    "store": ["Hello", "SearchItems", "OpenSession", "CreateItem", "GetSecrets"],
    "seed": ["Hello", "SearchItems", "OpenSession", "CreateItem", "GetSecrets"],
    "erase": ["Hello", "SearchItems", "OpenSession", "GetSecrets", "Delete"],
}


@pytest.mark.parametrize("killed", ["provider", "bus"])
@pytest.mark.parametrize("when", ["before", "during"])
@pytest.mark.parametrize(("command", "call"), [(command, call) for command, calls in CALLS.items() for call in calls])
def test_what_is_killed_as_it_is_asked(
    run: Run, environment: Environment, keyring: GnomeKeyring, command: str, call: str, when: str, killed: str
) -> None:
    process = (keyring if killed == "provider" else keyring.bus).process
    done: list[str] = []

    def before(data: bytes) -> None:
        # As the field of a message it ends in a NUL, and so it does not in GetSecret.
        if call.encode() + b"\0" in data and not done:
            done.append(call)
            if when == "during":
                process.send_signal(signal.SIGSTOP)
            else:
                process.kill()
                process.wait()

    def after(data: bytes) -> None:
        if done and process.poll() is None:
            time.sleep(0.05)
            process.kill()
            process.wait()

    write_token_file(environment, "hf_FromTheFile")
    with relayed(environment, before, after):
        if command == "get":
            assert run(*UNHURRIED, "get", input=request()) == FROM_FILE
        else:
            write(run, command, UNHURRIED)
    assert done == [call]
    assert run(*TIMEOUT, "get", input=request()) == FROM_FILE


def test_keepassxc_that_crashes_under_what_is_declared(run: Run, environment: Environment, tmp_path: Path) -> None:
    needed(KeePassXC)
    folder = Path(environment["HOME"], ".config/git-credential-hf")
    folder.mkdir(parents=True)
    tables = [f'[tokens.t{number}]\nenv = "T"\nscope = "org-{number}"\n' for number in range(20)]
    (folder / "tokens.toml").write_text("".join(tables))
    with contextlib.closing(KeePassXC(tmp_path / "keepassxc")) as keepassxc:
        environment["DBUS_SESSION_BUS_ADDRESS"] = keepassxc.bus.address
        prompts: list[bytes] = []

        def before(data: bytes) -> None:
            # The member is before the signature, the interface is not.
            prompts.extend([data] * data.count(b"\6\0\0\0Prompt\0"))
            if len(prompts) == 10 and keepassxc.process.poll() is None:
                keepassxc.process.send_signal(signal.SIGSEGV)
                keepassxc.process.wait()

        with relayed(environment, before, lambda data: None):
            done = run("seed", "--timeout", "30", T="hf_declared")
        assert len(prompts) == 10
        assert (done.stdout, done.code) == (b"", 3)
        assert done.stderr == (
            b"git-credential-hf: the keyring was not filled, or in part: it ended, or crashed, while it was asked: "
            b"start it, unless that is done for you; seed again\n"
        )
        keepassxc.start()
        again = run("seed", "--timeout", "30", T="hf_declared")
        assert (again.stderr, again.code) == (b"", 0)
        for number in range(20):
            assert run("get", input=request(path=f"org-{number}/x")) == answer("hf_user", "hf_declared")
