"""How a connection to the bus begins: whose it is, and the handshake, with real buses and proxies."""

import contextlib
import errno
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.asking import FOR_OTHER, NOTHING, OTHER, answer, keyring_skipped, request, seed, write_token_file
from tests.cli.conftest import AsUser
from tests.conftest import AS_ROOT, EXECUTABLE, Environment, Result, Run, run_process
from tests.keyring_items import Items
from tests.providers import Broker, GnomeKeyring, UserBus, wait_until
from tests.secret_service.fake_bus import (
    FROM_FILE,
    FROM_KEYRING,
    REQUEST,
    bus,
    letting_in_and_leaving,
    provider,
    store,
)

SOMEBODY = 12345
NOBODY = 65534  # the user, and what a user namespace shows every user as that it does not know


def programs_needed(*programs: str) -> None:
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        pytest.skip(f"NOT TESTED: {', '.join(missing)} not installed")


# --- the handshake ------------------------------------------------------------------------------------------


@contextlib.contextmanager
def proxied(environment: Environment, *options: str) -> Iterator[None]:
    """Between the bus of `environment` and its clients is what Flatpak and Firejail put there."""
    programs_needed("xdg-dbus-proxy")
    path = environment["XDG_RUNTIME_DIR"] + "/proxy"
    ready, tell = os.pipe()
    # Of its own accord it ends as this pipe does.
    command = ["xdg-dbus-proxy", f"--fd={tell}", environment["DBUS_SESSION_BUS_ADDRESS"], path, *options]
    process = subprocess.Popen(command, pass_fds=[tell], stdin=subprocess.DEVNULL)
    os.close(tell)
    try:
        assert os.read(ready, 1) == b"x"
        environment["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={path}"
        yield
    finally:
        os.close(ready)
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def on_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GnomeKeyring]:
    programs_needed(*Broker.programs)
    with contextlib.closing(GnomeKeyring(tmp_path_factory.mktemp("broker"), bus=Broker)) as started:
        yield started


def test_the_user_bus_of_systemd_is_started_by_a_get(run: Run, environment: Environment, tmp_path: Path) -> None:
    """What a desktop has: nothing runs at the address until somebody connects."""
    programs_needed(*UserBus.programs)
    with contextlib.closing(UserBus(tmp_path / "user")) as user_bus:
        # As a login without the variable has it.
        del environment["DBUS_SESSION_BUS_ADDRESS"]
        environment["XDG_RUNTIME_DIR"] = str(user_bus.folder / "run")
        assert not user_bus.is_running()
        assert run("seed", "--from", "-", input=b"hf_FromTheFile").code == 0
        wait_until(user_bus.is_running, "the bus was started by the seed")
        assert run("get", input=REQUEST) == FROM_FILE


def test_a_keyring_on_the_user_bus_of_systemd(run: Run, environment: Environment, tmp_path: Path) -> None:
    programs_needed(*UserBus.programs)
    with contextlib.closing(GnomeKeyring(tmp_path / "user", bus=UserBus)) as keyring:
        del environment["DBUS_SESSION_BUS_ADDRESS"]
        environment["XDG_RUNTIME_DIR"] = str(keyring.bus.folder / "run")
        assert run("seed", "--from", "-", "--no-cache", input=b"hf_FromTheKeyring").code == 0
        assert run("get", input=REQUEST) == FROM_KEYRING


FLATPAK = ("--filter", "--talk=org.freedesktop.secrets")


@pytest.fixture(params=["dbus-daemon", "dbus-broker", "xdg-dbus-proxy", "xdg-dbus-proxy, filtered", "both"])
def way(request: pytest.FixtureRequest, environment: Environment) -> Iterator[str]:
    """Each way to an empty keyring in turn."""
    name: str = request.param
    keyring: GnomeKeyring = request.getfixturevalue("on_broker" if name in ("dbus-broker", "both") else "gnome_keyring")
    environment["DBUS_SESSION_BUS_ADDRESS"] = keyring.bus.address
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.closing(Items(keyring.bus))).clear()
        if "proxy" in name or name == "both":
            stack.enter_context(proxied(environment, *(FLATPAK if "filtered" in name else ())))
        yield name


def test_everything_works_through(run: Run, environment: Environment, way: str) -> None:
    seed(run, "hf_seeded")
    assert run("get", input=REQUEST) == answer("hf_user", "hf_seeded")
    seed(run, "hf_rotated")
    assert run("get", input=request(path="org/model")) == answer("hf_user", "hf_rotated")
    credential = request(**OTHER, username="alice", password="typed")
    assert run(*FOR_OTHER, "store", input=credential) == NOTHING
    assert run(*FOR_OTHER, "get", input=request(**OTHER)) == answer("alice", "typed")
    assert run(*FOR_OTHER, "erase", input=credential) == NOTHING
    assert run(*FOR_OTHER, "get", input=request(**OTHER)) == NOTHING
    assert b'"state": "open"' in run("status", "--json").stdout
    assert run("forget", "--yes").stderr == b""
    assert run("get", input=REQUEST) == NOTHING


def test_four_round_trips(run: Run, environment: Environment, gnome_keyring: GnomeKeyring, keyring: Items) -> None:
    programs_needed("strace")
    store(run)
    for path in ("", "org/model", "datasets/org/data"):
        log = Path(environment["HOME"], "strace")
        command = ["strace", "-f", "-qq", "-e", "trace=sendto,recvfrom", "-o", str(log), EXECUTABLE, "get"]
        done = subprocess.run(command, input=request(path=path), env=environment, capture_output=True, check=True)
        assert done.stdout == FROM_KEYRING.stdout
        made = re.findall(r"^\d+ +(sendto|recvfrom)\(", log.read_text(), re.MULTILINE)
        # What is sent after something has come begins another.
        trips = re.findall(r"(?:sendto,)+(?:recvfrom,)+", "".join(f"{one}," for one in made))
        assert len(trips) == 4


# --- in a user namespace ------------------------------------------------------------------------------------


def in_namespace(environment: Environment, *options: str, input: bytes, command: tuple[str, ...] = ("get",)) -> Result:
    done = subprocess.run(
        ["unshare", "--user", *options, "--", EXECUTABLE, *command],
        input=input,
        env=environment,
        capture_output=True,
        check=False,
    )
    return Result(done.stdout, done.stderr, done.returncode)


@pytest.mark.parametrize("option", ["--map-root-user", "--map-current-user", "--map-user=4242"])
def test_in_a_user_namespace(run: Run, environment: Environment, way: str, option: str) -> None:
    programs_needed("unshare")
    seeded = in_namespace(environment, option, input=b"hf_seeded", command=("seed", "--from", "-", "--no-cache"))
    assert (seeded.stderr, seeded.code) == (b"", 0)
    assert in_namespace(environment, option, input=REQUEST) == answer("hf_user", "hf_seeded")
    assert run("get", input=REQUEST) == answer("hf_user", "hf_seeded")


@AS_ROOT
@pytest.mark.parametrize("options", [["--map-root-user"], ["--map-user=4242"], []], ids=str)
def test_in_a_user_namespace_anothers_bus_is_not_ones_own(environment: Environment, options: list[str]) -> None:
    """It is shown as nobody's, and where nothing is mapped so is this process."""
    programs_needed("unshare")
    write_token_file(environment, "hf_FromTheFile")
    with anothers_bus(environment) as heard:
        assert in_namespace(environment, *options, input=REQUEST).stdout == FROM_FILE.stdout
    assert heard == [b""]


# --- whose it is --------------------------------------------------------------------------------------------


@contextlib.contextmanager
def anothers_bus(environment: Environment, *, abstract: bool = False, owner: int = SOMEBODY) -> Iterator[list[bytes]]:
    """A bus of another user's that would hand out a token; gives what each that came to it has said."""
    heard: list[bytes] = []

    def script(connection: socket.socket) -> None:
        heard.append(connection.recv(1, socket.MSG_PEEK))
        if heard[-1]:
            provider()(connection)

    with bus(environment, script, owner=owner, abstract=abstract):
        yield heard


WHOSE = b"the session bus belongs to another user, with the uid 12345"


@AS_ROOT
@pytest.mark.parametrize("abstract", [False, True], ids=["path", "abstract"])
def test_nobody_elses_bus_is_told_a_word(run: Run, environment: Environment, abstract: bool) -> None:
    write_token_file(environment, "hf_FromTheFile")
    credential = request(username="alice", password="typed")
    with anothers_bus(environment, abstract=abstract) as heard:
        assert run("get", input=REQUEST) == FROM_FILE
        assert run("store", input=credential) == NOTHING
        assert run("erase", input=credential) == NOTHING
        assert run("erase", input=request()) == NOTHING
        seeded = run("seed", "--from", "-", input=b"hf_seeded")
        assert (seeded.stderr, seeded.code) == (b"", 0)
        assert seeded.stdout.splitlines()[1:] == [
            b"keyring: skipped (%b). Unset DBUS_SESSION_BUS_ADDRESS and XDG_RUNTIME_DIR, and run "
            b"`git-credential-hf seed --from -` again" % WHOSE
        ]
        required = run("seed", "--from", "-", "--no-cache", "--require-keyring", input=b"hf_seeded")
        assert (required.stdout, required.code, required.stderr.count(b"\n")) == (b"", 3, 1)
        assert WHOSE in required.stderr
        status = run("status", "--json").stdout
        assert b'"state": "not yours"' in status
        assert WHOSE in status
        assert WHOSE in run("forget", "--yes").stdout
    assert heard
    assert set(heard) == {b""}


@AS_ROOT
def test_anothers_bus_in_the_run_time_directory(run: Run, environment: Environment) -> None:
    with anothers_bus(environment) as heard:
        Path(environment["XDG_RUNTIME_DIR"], "a bus").rename(Path(environment["XDG_RUNTIME_DIR"], "bus"))
        del environment["DBUS_SESSION_BUS_ADDRESS"]
        assert run("get", input=REQUEST) == NOTHING
    assert heard == [b""]


@AS_ROOT
@pytest.mark.parametrize("first", ["another user's", "nobody listens", "no socket"])
def test_the_first_address_that_is_ones_own_counts(
    run: Run, environment: Environment, keyring: Items, first: str
) -> None:
    store(run)
    own = environment["DBUS_SESSION_BUS_ADDRESS"]
    with anothers_bus(environment) as heard:
        before = {"no socket": "unix:path=/dev/null", "nobody listens": "unix:abstract=nobody listens here"}
        before["another user's"] = environment["DBUS_SESSION_BUS_ADDRESS"]
        environment["DBUS_SESSION_BUS_ADDRESS"] = f"{before[first]};{own}"
        assert run("get", input=REQUEST) == FROM_KEYRING
        seed(run, "hf_rotated")
    assert run("get", input=REQUEST) == answer("hf_user", "hf_rotated")
    assert set(heard) <= {b""}


@AS_ROOT
def test_of_addresses_that_lead_nowhere_the_foreign_one_is_told_of(run: Run, environment: Environment) -> None:
    with anothers_bus(environment):
        environment["DBUS_SESSION_BUS_ADDRESS"] += ";unix:path=/not/there"
        assert WHOSE in run("seed", "--from", "-", "--no-cache", input=b"hf_seeded").stdout


@AS_ROOT
@pytest.mark.parametrize(
    ("user", "owner", "trusted"),
    [
        (SOMEBODY, 0, True),
        (SOMEBODY, SOMEBODY, True),
        (SOMEBODY, 54321, False),
        (SOMEBODY, NOBODY, False),
        (NOBODY, NOBODY, True),
        (NOBODY, SOMEBODY, False),
        (0, NOBODY, False),
    ],
)
def test_roots_bus_and_ones_own_are_trusted(
    as_user: AsUser, environment: Environment, machine_folder: Path, user: int, owner: int, trusted: bool
) -> None:
    environment["XDG_RUNTIME_DIR"] = environment["HOME"] = environment["TMPDIR"] = str(machine_folder)
    with bus(environment, provider(), owner=owner):
        assert as_user(user, "get", input=REQUEST) == (FROM_KEYRING if trusted else NOTHING)


# --- no bus to be had ---------------------------------------------------------------------------------------

# Leaves a program so many descriptors beside the standard streams.
LIMITED = """\
import os, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (3 + int(sys.argv[1]),) * 2)
os.execv(sys.argv[2], sys.argv[2:])
"""
# The launcher is for a shell, which takes one above the ninth.
START = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages/git_credential_hf/startup/start.py"


@pytest.mark.parametrize("stored", [True, False], ids=["in the keyring", "not in the keyring"])
@pytest.mark.parametrize("left", [2, 3, 4, 5])  # of which the interpreter keeps one
def test_with_the_last_descriptors_something_answers(
    run: Run, environment: Environment, keyring: Items, left: int, stored: bool
) -> None:
    if stored:
        store(run)
    write_token_file(environment, "hf_FromTheFile")
    run_process(("--version",), b"", environment)  # leaves a bundle, without which it takes more
    top = Path(EXECUTABLE).resolve().parent.parent
    program = [str(top / "bin/python3"), "-IS", str(top / START), EXECUTABLE, "get"]
    done = subprocess.run(
        ["/usr/bin/python3", "-c", LIMITED, str(left), *program],
        input=REQUEST,
        env=environment,
        capture_output=True,
        check=False,
    )
    assert Result(done.stdout, done.stderr, done.returncode) == (FROM_KEYRING if stored else FROM_FILE)


# Has a kernel refuse sockets: seccomp(2), with the classic BPF that it takes.
REFUSING = """\
import ctypes, os, struct, sys
error = int(sys.argv[1])
socket = {"x86_64": 41}.get(os.uname().machine, 198)
code = b"".join(struct.pack("HBBI", *one) for one in [
    (0x20, 0, 0, 0),  # the number of the call
    (0x15, 0, 3, socket),
    (0x20, 0, 0, 16),  # its first argument
    (0x15, 0, 1, 1),  # AF_UNIX
    (0x06, 0, 0, 0x00050000 | error),
    (0x06, 0, 0, 0x7FFF0000),
])
buffer = ctypes.create_string_buffer(code)
program = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, program) == 0
os.execv(sys.argv[2], sys.argv[2:])
"""


@pytest.mark.parametrize("error", ["EPERM", "EACCES", "EAFNOSUPPORT", "EMFILE", "ENFILE", "ENOMEM"])
def test_without_unix_sockets_the_next_source_answers(
    run: Run, environment: Environment, keyring: Items, error: str
) -> None:
    store(run)
    write_token_file(environment, "hf_FromTheFile")
    number: int = getattr(errno, error)

    def refused(*arguments: str, input: bytes) -> Result:
        command = ["/usr/bin/python3", "-c", REFUSING, str(number), EXECUTABLE, *arguments]
        done = subprocess.run(command, input=input, env=environment, capture_output=True, check=False)
        return Result(done.stdout, done.stderr, done.returncode)

    assert refused("get", input=REQUEST) == FROM_FILE
    assert refused("store", input=request(username="alice", password="typed")) == NOTHING
    seeded = refused("seed", "--from", "-", "--no-cache", input=b"hf_seeded")
    reason = f"the session bus cannot be reached: {os.strerror(number)}"
    assert (seeded.stdout.decode(), seeded.stderr, seeded.code) == (
        keyring_skipped(reason, "--from", "-", "--no-cache") + "\n",
        b"",
        0,
    )
    status = refused("status", "--json", input=b"")
    assert reason.encode() in status.stdout
    assert b'"state": "no bus"' in status.stdout


def test_a_proxy_that_closes_after_it_has_let_a_client_in(environment: Environment) -> None:
    write_token_file(environment, "hf_FromTheFile")
    with bus(environment, letting_in_and_leaving):
        assert run_process(("get",), REQUEST, environment) == FROM_FILE
        seeded = run_process(("seed", "--from", "-", "--no-cache"), b"hf_seeded", environment)
    assert (seeded.stdout, seeded.code, seeded.stderr.count(b"\n")) == (b"", 3, 1)


def test_a_proxy_of_a_bus_that_was_killed(environment: Environment, tmp_path: Path) -> None:
    write_token_file(environment, "hf_FromTheFile")
    with contextlib.closing(GnomeKeyring(tmp_path / "keyring")) as keyring:
        environment["DBUS_SESSION_BUS_ADDRESS"] = keyring.bus.address
        with proxied(environment):
            keyring.bus.process.kill()
            keyring.bus.process.wait()
            assert run_process(("get",), REQUEST, environment) == FROM_FILE
