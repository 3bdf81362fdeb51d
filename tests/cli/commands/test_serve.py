"""serve and the source that asks it: who is answered, for what, how long, and what a client can do to it."""

import contextlib
import os
import signal
import socket
import stat
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.asking import answer, request, seed, write_token_file
from tests.conftest import AS_ROOT, EXECUTABLE, MEASURED, MEASURING, Environment, Result, Run
from tests.installed import program_for_all
from tests.keyring_items import Items
from tests.providers import wait_until

TOKEN = "hf_sErVeD0123456789aBcDeFgHiJkLmNoPqR"
SCOPED = "hf_sCoPeD0123456789aBcDeFgHiJkLmNoPqR"
OWN = "hf_oWnToKeN0123456789aBcDeFgHiJkLmNoP"
NOBODY = 65534


class Serving:
    """A running `serve`; its lines are in `log`."""

    def __init__(
        self,
        environment: Environment,
        folder: Path,
        *arguments: str,
        socket: str | None = None,
        program: Sequence[str] = (EXECUTABLE,),
    ) -> None:
        self.path = Path(socket or f"{environment['XDG_RUNTIME_DIR']}/git-credential-hf/serve.sock")
        self.log = folder / f"serve.{len(list(folder.glob('serve.*')))}.log"
        more = ("--socket", socket) if socket else ()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*program, "serve", *more, *arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        wait_until(lambda: b"answers for" in self.log.read_bytes() or self.process.poll() is not None, "it serves")

    def ask(self, data: bytes) -> bytes:
        """Send `data` and an end; return all that comes back."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(20)
            client.connect(str(self.path))
            with contextlib.suppress(OSError):
                client.sendall(data)
                client.shutdown(socket.SHUT_WR)
            return received(client)

    def get(self, **values: str) -> bytes:
        return self.ask(request(**values))

    def lines(self, count: int) -> list[str]:
        """Return what it has told of so many answers."""
        wait_until(lambda: len(self.log.read_text().splitlines()) > count, f"there are {count} lines", 5)
        return self.log.read_text().splitlines()[1:]

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=10)


def inherited(
    connection: socket.socket, environment: Environment, *arguments: str
) -> "subprocess.CompletedProcess[bytes]":
    """Run serve with a connection for standard input and output, as systemd does."""
    return subprocess.run(
        [*MEASURED, "serve", *arguments],
        stdin=connection.fileno(),
        stdout=connection.fileno(),
        stderr=subprocess.PIPE,
        env=environment | MEASURING,
        check=False,
    )


def received(client: socket.socket) -> bytes:
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while chunk := client.recv(4096):
            data += chunk
    return data


@pytest.fixture
def server_environment(environment: Environment) -> Environment:
    """The environment of the laptop, with a token in its token file."""
    write_token_file(environment, TOKEN)
    return dict(environment)


@pytest.fixture
def serving(server_environment: Environment, tmp_path: Path) -> Iterator[Serving]:
    started = Serving(server_environment | MEASURING, tmp_path, program=MEASURED)
    yield started
    started.close()


@pytest.fixture
def elsewhere(environment: Environment, tmp_path: Path) -> Environment:
    """The environment of another machine, where no token is."""
    home = tmp_path / "elsewhere"
    home.mkdir(mode=0o700)
    return environment | {
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(home),
        "DBUS_SESSION_BUS_ADDRESS": "disabled:",
        "GIT_CREDENTIAL_HF_SOCKET": f"{environment['XDG_RUNTIME_DIR']}/git-credential-hf/serve.sock",
    }


def get(
    environment: Environment, *options: str, data: bytes | None = None, program: Sequence[str] = (EXECUTABLE,)
) -> Result:
    done = subprocess.run(
        [*program, *options, "get"],
        input=data or request(),
        env=environment if program == (EXECUTABLE,) else environment | MEASURING,
        capture_output=True,
        check=False,
        timeout=60,
    )
    return Result(done.stdout, done.stderr, done.returncode)


GIVEN = answer("hf_user", TOKEN)

# --- the two ends ----------------------------------------------------------------------------------------------------


def test_the_other_end_gives_the_token(serving: Serving, elsewhere: Environment) -> None:
    assert get(elsewhere, data=request(path="my-org/my-model")) == GIVEN
    assert get(elsewhere, data=request(host="hf.co")) == GIVEN
    first, second = serving.lines(2)
    assert first.endswith(f" my-org/my-model: hf_****{TOKEN[-4:]}")
    assert second.endswith(f" huggingface.co: hf_****{TOKEN[-4:]}")
    time.strptime(first.split()[0], "%Y-%m-%dT%H:%M:%S")
    assert TOKEN not in serving.log.read_text()


def test_the_socket_is_the_users_alone(serving: Serving) -> None:
    status = serving.path.lstat()
    assert stat.S_ISSOCK(status.st_mode)
    assert stat.S_IMODE(status.st_mode) == 0o600
    assert stat.S_IMODE(serving.path.parent.stat().st_mode) == 0o700


def test_environment_keyring_and_token_file_answer(
    run: Run, keyring: Items, environment: Environment, elsewhere: Environment, tmp_path: Path
) -> None:
    seed(run, SCOPED, "--scope", "my-org")
    write_token_file(environment, TOKEN)
    with contextlib.closing(Serving(environment, tmp_path)):
        assert get(elsewhere, data=request(path="my-org/x")) == answer("hf_user", SCOPED)
        assert get(elsewhere, data=request(path="other/x")) == GIVEN
    with contextlib.closing(Serving(environment | {"HF_TOKEN": OWN}, tmp_path)):
        assert get(elsewhere, data=request(path="my-org/x")) == answer("hf_user", OWN)


def test_it_asks_no_other_machine_in_turn(
    server_environment: Environment, elsewhere: Environment, tmp_path: Path
) -> None:
    more = {"GIT_CREDENTIAL_HF_SOCKET": elsewhere["GIT_CREDENTIAL_HF_SOCKET"], "HF_OIDC_RESOURCE": "my-org/my-model"}
    with contextlib.closing(Serving(server_environment | more, tmp_path)):
        assert get(elsewhere) == GIVEN


def test_the_order_of_the_sources(serving: Serving, elsewhere: Environment) -> None:
    write_token_file(elsewhere, OWN)
    assert get(elsewhere) == GIVEN
    assert get(elsewhere | {"HF_TOKEN": "hf_env1"}) == answer("hf_user", "hf_env1")
    assert get(elsewhere, "--sources", "env,keyring,file") == answer("hf_user", OWN)


def test_token_and_exec_ask_it(serving: Serving, elsewhere: Environment) -> None:
    for command, printed in (
        (["token", "my-org/my-model"], TOKEN),
        (["exec", "--", "sh", "-c", 'echo "$HF_TOKEN"'], TOKEN),
    ):
        done = subprocess.run([EXECUTABLE, *command], env=elsewhere, capture_output=True, check=True)
        assert done.stdout.decode() == f"{printed}\n"


def test_a_rejected_token_is_offered_no_more(serving: Serving, elsewhere: Environment) -> None:
    assert get(elsewhere) == GIVEN
    rejected = request(username="hf_user", password=TOKEN)
    done = subprocess.run([EXECUTABLE, "erase"], input=rejected, env=elsewhere, capture_output=True, check=True)
    assert b"rejected the token" in done.stderr and b"from the forwarded socket" in done.stderr
    assert get(elsewhere).stdout == b"quit=1\n"


def test_a_forwarded_token_is_not_stored_here(
    run: Run, keyring: Items, environment: Environment, tmp_path: Path
) -> None:
    """Not even where the connection ended between git's two calls."""
    more = {"GIT_CREDENTIAL_HF_SOCKET": str(tmp_path / "gone.sock")}
    assert run("store", input=request(username="hf_user", password=TOKEN), **more) == Result(b"", b"", 0)
    assert keyring.secrets() == []
    run("store", input=request(username="hf_user", password=TOKEN))
    assert keyring.secrets() == [TOKEN.encode()]


def test_a_refresh_token_stays(run: Run, keyring: Items, environment: Environment, tmp_path: Path) -> None:
    run("store", input=request(username="hf_user", password=SCOPED, oauth_refresh_token="r3fresh"))
    assert b"r3fresh" in run("get", input=request()).stdout
    with contextlib.closing(Serving(environment, tmp_path)) as serving:
        assert serving.get() == answer("hf_user", SCOPED).stdout


# --- only get, only the Hub, only the scope --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        {"host": "example.org"}, {"host": "cdn-lfs.hf.co"}, {"host": "huggingface.co.example.org"},
        {"host": "huggingface.co:8443"}, {"host": "huggingface.co@example.org"}, {"protocol": "http"},
        {"protocol": "HTTPS"}, {"host": "huggingface.co."}, {"host": "huggingface.co:443:443"},
        {"host": " huggingface.co"},
    ],
)  # fmt: skip
def test_only_the_hub_is_answered_for(serving: Serving, values: dict[str, str]) -> None:
    assert serving.get(**values) == b""
    assert serving.get() == GIVEN.stdout


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\n", b"protocol=https\n", b"get\n", b"store\nprotocol=https\nhost=huggingface.co\n", b"\0" * 100,
        request() + b"host=huggingface.co\n", request() + b"path=a\0b\n", request() + b"no equals\n", b"x" * 70_000,
        request() + b"path=" + b"a" * 65_000 + b"\n" + b"wwwauth[]=" + b"a" * 60_000 + b"\n",
    ],
)  # fmt: skip
def test_what_is_malformed_is_not_answered(serving: Serving, data: bytes) -> None:
    assert serving.ask(data) == b""
    assert serving.get() == GIVEN.stdout


def test_nothing_can_be_stored_or_erased(serving: Serving, server_environment: Environment) -> None:
    assert serving.get(username="hf_user", password="typed") == GIVEN.stdout
    assert get(server_environment) == GIVEN
    assert [one for one in Path(server_environment["HOME"], ".local").rglob("*") if one.is_file()] == []


INSIDE = [
    "my-org/my-model", "my-org/my-model.git", "/my-org/my-model/", "My-Org/My-Model", "my-org/my-model.git/info/lfs",
    "my-org/my-model/resolve/main/x", "datasets/one/data",
]  # fmt: skip
OUTSIDE = [
    "", "/", "my-org", "my-org/my-model2", "my-org/my-mode", "x/my-org/my-model", "other/model",
    "datasets/my-org/my-model", "my-org/../other/model", "my-org/my-model/../../other/model",
    "other/model/../../my-org/my-model", "my-org//my-model", "./my-org/my-model", "my-org/my-model/..",
    "my-org%2fmy-model", "my-org/my%2Dmodel", "%6dy-org/my-model", "my-org\\my-model", "spaces/my-org/my-model",
    "datasets/one", "datasets", "one/data", "datasets/one/data2", "my-org/my-model.git.git", "my-org/my-model@x",
    "my-org/my-model?x", "my-org/my-model#x", "my-org/my-model ", "datasets/../my-org/my-model",
    "https://huggingface.co/my-org/my-model", "MY-ORG/MY-MODEL\N{KELVIN SIGN}",
    "my-org/my-mod\N{CYRILLIC SMALL LETTER IE}l",
]  # fmt: skip


@pytest.fixture
def scoped(server_environment: Environment, tmp_path: Path) -> Iterator[Serving]:
    started = Serving(
        server_environment | MEASURING | {"HF_TOKEN": TOKEN}, tmp_path, "--scope", "my-org/my-model", "--scope",
        "https://huggingface.co/datasets/One/data/tree/main", program=MEASURED,
    )  # fmt: skip
    yield started
    started.close()


def test_a_scope_is_kept_to(scoped: Serving) -> None:
    for path in INSIDE:
        assert scoped.get(path=path) == GIVEN.stdout, path
    for path in OUTSIDE:
        assert scoped.get(path=path) == b"", path
    assert scoped.get() == b""
    for trick in (
        b"path=other/model\npath=my-org/my-model\n",
        b"path=my-org/my-model\npath=other/model\n",
        b"Path=my-org/my-model\n",
        b"path=other/model\n\npath=my-org/my-model\n",
        b"path =my-org/my-model\n",
        b"url=https://huggingface.co/my-org/my-model\n",
        b"username=my-org/my-model\n",
        b"path[]=my-org/my-model\n",
    ):
        assert scoped.ask(request() + trick) == b"", trick
    assert scoped.get(path="my-org/my-model", host="example.org") == b""
    assert scoped.get(path="my-org/my-model", protocol="http") == b""


def test_an_organisation_is_a_scope(server_environment: Environment, tmp_path: Path) -> None:
    with contextlib.closing(Serving(server_environment, tmp_path, "--scope", "my-org")) as serving:
        assert serving.get(path="my-org/anything") == GIVEN.stdout
        assert serving.get(path="datasets/my-org/anything") == b""
        assert serving.get(path="my-organisation/x") == b""
        assert serving.get() == b""
        assert "refused, outside of --scope" in serving.lines(4)[-1]


# --- who -------------------------------------------------------------------------------------------------------------


def as_user(uid: int, path: Path) -> bytes:
    """Ask the socket at `path` as another user."""
    program = (
        "import socket, sys\n"
        "c = socket.socket(socket.AF_UNIX); c.settimeout(10); c.connect(sys.argv[1])\n"
        "c.sendall(b'protocol=https\\nhost=huggingface.co\\n\\n')\n"
        "while d := c.recv(4096): sys.stdout.buffer.write(d)\n"
    )
    command = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "python3", "-ISc", program, str(path)]
    return subprocess.run(command, cwd="/", capture_output=True, check=False, timeout=30).stdout


@AS_ROOT
def test_other_users_are_refused(server_environment: Environment, open_folder: Path, tmp_path: Path) -> None:
    path = open_folder / "serve.sock"
    with contextlib.closing(Serving(server_environment, tmp_path, socket=str(path))) as serving:
        assert as_user(12345, path) == b""  # the mode of the socket
        path.chmod(0o666)
        assert as_user(12345, path) == b""  # the kernel's word for who asks
        assert as_user(NOBODY, path) == b""
        assert as_user(0, path) == GIVEN.stdout
        assert len(serving.lines(1)) == 1


@AS_ROOT
def test_a_user_is_let_in_by_name(server_environment: Environment, open_folder: Path, tmp_path: Path) -> None:
    path = open_folder / "serve.sock"
    with contextlib.closing(Serving(server_environment, tmp_path, "--allow-uid", "12345", socket=str(path))):
        assert as_user(12345, path) == GIVEN.stdout
        assert as_user(12346, path) == b""


def test_a_number_that_many_users_are_shown_as_is_no_user(server_environment: Environment) -> None:
    """A user namespace shows as 65534 every user that it does not know."""
    command = ["unshare", "--user", "--map-root-user", EXECUTABLE, "serve", "--allow-uid", str(NOBODY)]
    done = subprocess.run(
        command, env=server_environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=10, check=False
    )
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)
    assert b"--allow-uid 65534" in done.stderr


@AS_ROOT
def test_root_asks_the_socket_that_a_user_has_mounted(elsewhere: Environment, machine_folder: Path) -> None:
    home = machine_folder / "user"
    (home / "run").mkdir(parents=True, mode=0o700)
    for one in (home, home / "run"):
        os.chown(one, 12345, 12345)
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "XDG_RUNTIME_DIR": f"{home}/run", "HF_TOKEN": TOKEN}
    command = ["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups", program_for_all(machine_folder), "serve"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, cwd="/") as serving:
        assert serving.stdout is not None and b"answers for" in serving.stdout.readline()
        assert get(elsewhere | {"GIT_CREDENTIAL_HF_SOCKET": f"{home}/run/git-credential-hf/serve.sock"}) == GIVEN
        serving.terminate()


@AS_ROOT
def test_nobody_else_may_lie_in_wait_for_who_asks(elsewhere: Environment, open_folder: Path) -> None:
    """A socket of another user's where everybody may put one is not asked."""
    write_token_file(elsewhere, OWN)
    path = open_folder / "serve.sock"
    program = (
        "import os, socket, sys\n"
        "s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); os.chmod(sys.argv[1], 0o666); s.listen()\n"
        "print('here', flush=True)\n"
        "while True:\n"
        "    c, _ = s.accept(); c.sendall(b'password=hf_evil1\\n'); c.close()\n"
    )
    command = ["setpriv", "--reuid=12345", "--clear-groups", "python3", "-ISc", program, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd="/") as lying:
        assert lying.stdout is not None and lying.stdout.readline() == b"here\n"
        assert get(elsewhere | {"GIT_CREDENTIAL_HF_SOCKET": str(path)}) == answer("hf_user", OWN)
        lying.kill()


@AS_ROOT
@pytest.mark.parametrize(
    "trick",
    [
        "a link of root's to where all may write",
        "a link of the other user's",
        "a link of root's to a link of the other user's",
    ],
)
def test_no_link_leads_to_another_users_socket(
    elsewhere: Environment, machine_folder: Path, open_folder: Path, trick: str
) -> None:
    write_token_file(elsewhere, OWN)
    if trick != "a link of root's to where all may write":
        place = machine_folder / "user"
        place.mkdir(mode=0o755)
        os.chown(place, 12345, 12345)
        (place / "link").symlink_to(place / "sock")
        os.chown(place / "link", 12345, 12345, follow_symlinks=False)
        path, link = place / "sock", place / "link"
        if trick != "a link of the other user's":
            link = machine_folder / "link"
            link.symlink_to(place / "link")
    else:
        path, link = open_folder / "sock", machine_folder / "link"
        link.symlink_to(path)
    with lying(path, b"password=hf_evil1\n", uid=12345) as asked:
        assert get(elsewhere | {"GIT_CREDENTIAL_HF_SOCKET": str(link)}) == answer("hf_user", OWN)
        assert asked in ([], [b""])


@pytest.fixture
def open_folder(machine_folder: Path) -> Path:
    """A folder in which everybody may put something, as in /tmp."""
    folder = machine_folder / "open"
    folder.mkdir()
    folder.chmod(0o1777)
    return folder


# --- how long --------------------------------------------------------------------------------------------------------


def test_it_ends_after_its_time(server_environment: Environment, elsewhere: Environment, tmp_path: Path) -> None:
    begin = time.monotonic()
    serving = Serving(server_environment, tmp_path, "--for", "2s")
    assert get(elsewhere) == GIVEN
    assert serving.process.wait(timeout=10) == 0
    assert time.monotonic() - begin >= 2
    assert not serving.path.exists()
    assert get(elsewhere) == Result(b"", b"", 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_it_and_the_socket_goes(serving: Serving, number: signal.Signals) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stalled:
        stalled.connect(str(serving.path))
        serving.process.send_signal(number)
        assert serving.process.wait(timeout=10) == (130 if number == signal.SIGINT else 0)
    assert not serving.path.exists()
    assert b"Traceback" not in serving.log.read_bytes()


def test_a_signal_that_comes_while_connections_are_taken_ends_it_quietly(
    server_environment: Environment, tmp_path: Path
) -> None:
    for _ in range(4):
        serving = Serving(server_environment, tmp_path)
        over = threading.Event()

        def connect(path: str, over: threading.Event) -> None:
            while not over.is_set():
                with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client, contextlib.suppress(OSError):
                    client.connect(path)

        with ThreadPoolExecutor() as pool:
            for _ in range(2):
                pool.submit(connect, str(serving.path), over)
            time.sleep(0.1)
            serving.process.send_signal(signal.SIGINT)
            try:
                assert serving.process.wait(timeout=5) == 130
            finally:
                over.set()
        assert len(serving.log.read_bytes().splitlines()) == 1


def test_it_goes_on_after_a_hangup_that_nohup_has_it_ignore(server_environment: Environment, tmp_path: Path) -> None:
    path = tmp_path / "kept.sock"
    with subprocess.Popen(
        ["nohup", EXECUTABLE, "serve", "--socket", path],
        env=server_environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as kept:
        assert kept.stdout is not None
        assert b"answers for" in kept.stdout.readline()
        kept.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.connect(str(path))
            client.sendall(request() + b"\n")
            assert received(client) == GIVEN.stdout
        kept.terminate()


@pytest.mark.parametrize("reader", ["gone", "asleep"])
def test_a_reader_of_its_lines_holds_up_neither_answers_nor_the_end(
    server_environment: Environment, elsewhere: Environment, reader: str
) -> None:
    read, write = os.pipe()
    if reader == "gone":
        os.close(read)
    else:
        os.set_blocking(write, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(write, b"x" * 4096)
        os.set_blocking(write, True)
    with subprocess.Popen(
        [EXECUTABLE, "serve"], env=server_environment, stdin=subprocess.DEVNULL, stdout=write
    ) as unread:
        os.close(write)
        wait_until(lambda: get(elsewhere) == GIVEN, "it answers")
        unread.terminate()
        assert unread.wait(timeout=5) == 0
    if reader == "asleep":
        os.close(read)


def test_a_long_path_makes_no_long_line(scoped: Serving) -> None:
    scoped.get(path="\U0010ffff" * 15_000)
    (line,) = scoped.lines(1)
    assert len(line) < 1000
    assert line.endswith("…: refused, outside of --scope")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
@pytest.mark.parametrize("call", ["bind", "listen"])
def test_a_signal_at_the_beginning_leaves_no_socket(
    server_environment: Environment, tmp_path: Path, call: str, number: signal.Signals
) -> None:
    path = tmp_path / "left.sock"
    inject = f"inject={call}:signal={number.name}:when=1"
    command = ["strace", "-f", "-o", "/dev/null", "-e", inject, EXECUTABLE, "serve", "--socket", str(path)]
    subprocess.run(command, env=server_environment, stdin=subprocess.DEVNULL, timeout=20, check=False)
    assert not path.exists()


def test_a_complaint_that_nobody_reads_keeps_no_signal_from_ending_it(server_environment: Environment) -> None:
    """The name is too long to be listened at, which it is told in a pipe that is full."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(write, b"x" * 4096)
    os.set_blocking(write, True)
    command = [EXECUTABLE, "serve", "--socket", f"{server_environment['HOME']}/{'x' * 120}"]
    with subprocess.Popen(command, env=server_environment, stdin=subprocess.DEVNULL, stderr=write) as unread:
        time.sleep(1)
        assert unread.poll() is None
        unread.terminate()
        assert unread.wait(timeout=5) == -signal.SIGTERM
    os.close(read)
    os.close(write)


@AS_ROOT
@pytest.mark.parametrize(("reader", "somebody"), [("a full disk", 64001), ("asleep", 64002)])
def test_where_no_thread_can_be_started_it_goes_on_and_ends(machine_folder: Path, reader: str, somebody: int) -> None:
    """Of another user's, since root may start as many as there is room for. Nothing else of theirs runs meanwhile."""
    home = machine_folder / "user"
    (home / "run").mkdir(parents=True, mode=0o700)
    for one in (home, home / "run"):
        os.chown(one, somebody, somebody)
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "XDG_RUNTIME_DIR": f"{home}/run", "HF_TOKEN": TOKEN}
    as_somebody = ["setpriv", f"--reuid={somebody}", f"--regid={somebody}", "--clear-groups"]
    command = [*as_somebody, "prlimit", "--nproc=3", program_for_all(machine_folder), "serve"]
    path = home / "run/git-credential-hf/serve.sock"
    with contextlib.ExitStack() as ends:
        if reader == "asleep":
            read, complaints = os.pipe()
            ends.callback(os.close, read)
        else:
            complaints = os.open("/dev/full", os.O_WRONLY)
        ends.callback(os.close, complaints)
        serving = ends.enter_context(
            subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=complaints, cwd="/")
        )
        ends.callback(serving.kill)
        assert serving.stdout is not None and b"answers for" in serving.stdout.readline()
        for _ in range(1500):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
                client.connect(str(path))
                client.settimeout(10)
                assert received(client) == b""
        serving.terminate()
        assert serving.wait(timeout=5) == 0
    assert not path.exists()


def test_where_no_descriptor_is_left_the_oldest_is_closed(
    server_environment: Environment, elsewhere: Environment, tmp_path: Path
) -> None:
    serving = Serving(server_environment, tmp_path)
    with contextlib.closing(serving), contextlib.ExitStack() as clients:
        subprocess.run(["prlimit", "--nofile=20", f"--pid={serving.process.pid}"], check=True)
        for _ in range(40):
            clients.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)).connect(str(serving.path))
        wait_until(lambda: get(elsewhere) == GIVEN, "it answers", 10)


@pytest.mark.parametrize("how", ["a signal", "--for"])
def test_no_connection_that_was_open_has_a_token_after_the_end(
    server_environment: Environment, tmp_path: Path, how: str
) -> None:
    """Nor while the lines that nobody reads hold up the end."""
    path = tmp_path / "unread.sock"
    command = [EXECUTABLE, "serve", "--socket", str(path), *(("--for", "2s") if how == "--for" else ())]
    read, write = os.pipe()
    with subprocess.Popen(command, env=server_environment, stdin=subprocess.DEVNULL, stdout=write) as unread:
        assert b"answers for" in os.read(read, 200)
        os.set_blocking(write, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(write, b"x" * 4096)
        os.set_blocking(write, True)
        with contextlib.ExitStack() as clients:
            held = []
            for _ in range(3):
                client = clients.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
                client.settimeout(10)
                client.connect(str(path))
                held.append(client)
            held[0].sendall(request() + b"\n")
            assert received(held[0]) == GIVEN.stdout
            if how == "a signal":
                unread.terminate()
            # They are closed while the line about the first one waits to be read.
            assert [received(client) for client in held[1:]] == [b"", b""]
        assert unread.wait(timeout=10) == 0
    os.close(read)
    os.close(write)


def test_a_stale_socket_is_replaced_and_a_live_one_is_not(
    serving: Serving, server_environment: Environment, tmp_path: Path
) -> None:
    second = Serving(server_environment, tmp_path)
    assert second.process.wait(timeout=10) == 1
    assert b"another program listens" in second.log.read_bytes()
    assert serving.get() == GIVEN.stdout
    serving.process.kill()
    serving.process.wait()
    assert serving.path.exists()
    with contextlib.closing(Serving(server_environment, tmp_path)) as third:
        assert third.get() == GIVEN.stdout


@pytest.mark.parametrize("home", ["the same", "another"])
def test_of_two_that_start_together_one_listens(server_environment: Environment, tmp_path: Path, home: str) -> None:
    """The first is held up between bind and what comes next, which is where the second could take its place."""
    log = tmp_path / "strace.log"
    slowly = [
        "strace",
        "-f",
        "-qq",
        "-o",
        str(log),
        "-e",
        "trace=bind,listen",
        "-e",
        "inject=listen:delay_enter=2000000",
    ]
    path = Path(server_environment["XDG_RUNTIME_DIR"], "git-credential-hf/serve.sock")
    with subprocess.Popen(
        [*slowly, EXECUTABLE, "serve", "--for", "6s"],
        env=server_environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as first:
        wait_until(path.exists, "the first has its place")
        of_second = server_environment | ({} if home == "the same" else {"XDG_STATE_HOME": str(tmp_path / "state")})
        second = Serving(of_second, tmp_path, socket=str(path))
        assert second.process.wait(timeout=10) == 1
        assert b"another program listens" in second.log.read_bytes()
        assert second.get() == GIVEN.stdout
        assert first.wait(timeout=20) == 0


@pytest.mark.parametrize("kind", ["a file", "a link", "a folder"])
def test_what_is_no_socket_stays(server_environment: Environment, tmp_path: Path, kind: str) -> None:
    place = tmp_path / "place"
    if kind == "a file":
        place.write_text("kept")
    elif kind == "a link":
        place.symlink_to(tmp_path / "elsewhere.sock")
    else:
        place.mkdir()
    serving = Serving(server_environment, tmp_path, socket=str(place))
    assert serving.process.wait(timeout=10) == 1
    assert serving.log.read_bytes().count(b"\n") == 1
    assert place.is_symlink() or place.exists()


@pytest.mark.parametrize("arguments", [["--for", "8h"], ["--socket", "/nonexistent/x"], ["--socket", ""]])
def test_what_an_inherited_connection_cannot_have(
    server_environment: Environment, tmp_path: Path, arguments: list[str]
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(tmp_path / "inherited"))
        listening.listen()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(20)
            client.connect(str(tmp_path / "inherited"))
            client.sendall(request() + b"\n")
            connection, _ = listening.accept()
            with connection:
                done = inherited(connection, server_environment, *arguments)
            assert received(client) == b""
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)


def test_a_home_that_no_shell_has_filled_in(run: Run, server_environment: Environment) -> None:
    told = run("serve", "--socket=~/hf.sock", "--for", "1s")
    assert told.stdout.startswith(f"answers for huggingface.co at {server_environment['HOME']}/hf.sock ".encode())


def test_an_empty_path_is_a_mistake(run: Run, server_environment: Environment) -> None:
    told = run("serve", "--socket", "")
    assert (told.stdout, told.code, told.stderr.count(b"\n")) == (b"", 2, 1)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("--for 0", 2), ("--for x", 2), ("--for -1", 2), ("--for 8x", 2), ("--scope a//b", 2), ("--allow-uid x", 2),
        ("more", 2), ("--allow-uid=-1", 2),
        ("--allow-uid 4294967295", 2), ("--allow-uid " + "9" * 5000, 2), ("--socket /nonexistent/" + "x" * 120, 1),
        ("--socket /dev/null/x", 1),
    ],
)  # fmt: skip
def test_a_mistake(run: Run, server_environment: Environment, arguments: str, code: int) -> None:
    told = run("serve", *arguments.split())
    assert (told.stdout, told.code, told.stderr.count(b"\n")) == (b"", code, 1)


def test_without_a_run_time_folder_a_place_is_asked_for(run: Run) -> None:
    told = run("serve", XDG_RUNTIME_DIR="")
    assert told.code == 1
    assert told.stderr.endswith(b"XDG_RUNTIME_DIR is not set. Try: git-credential-hf serve --socket ~/hf.sock\n")


# --- clients that stall ----------------------------------------------------------------------------------------------


def test_clients_that_stall_hold_up_nobody(serving: Serving, elsewhere: Environment) -> None:
    with contextlib.ExitStack() as open_ones:
        for number in range(150):
            client = open_ones.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            client.settimeout(20)
            client.connect(str(serving.path))
            client.sendall(b"protocol=https\n"[: number % 15])
            if number % 50 == 49:
                assert get(elsewhere) == GIVEN
        begin = time.monotonic()
        assert get(elsewhere) == GIVEN
        assert time.monotonic() - begin < 4  # the others have five seconds each
        threads = len(list(Path(f"/proc/{serving.process.pid}/task").iterdir()))
        assert threads <= 64 + 3  # it itself, and one for each of stdout and stderr


def test_a_client_has_five_seconds(serving: Serving) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(20)
        client.connect(str(serving.path))
        begin = time.monotonic()
        for _ in range(8):  # a byte now and then is no reason for more time
            with contextlib.suppress(OSError):
                client.send(b"p")
                if client.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b"":
                    break
            time.sleep(1)
        assert 4 < time.monotonic() - begin < 7


def test_a_client_that_sends_each_byte_alone_takes_no_time_from_others(
    serving: Serving, elsewhere: Environment
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(20)
        client.connect(str(serving.path))
        with contextlib.suppress(OSError):
            for _ in range(10_000):
                client.send(b"p")
        assert received(client) == b""
    assert get(elsewhere) == GIVEN


def test_an_output_that_nobody_reads_holds_up_nobody(
    server_environment: Environment, elsewhere: Environment, tmp_path: Path
) -> None:
    path = tmp_path / "unread.sock"
    command = [EXECUTABLE, "serve", "--socket", str(path)]
    with subprocess.Popen(command, env=server_environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as unread:
        wait_until(path.exists, "it serves")
        long = request(path="my-org/my-model/" + "x" * 3_000)
        for _ in range(120):  # more than a pipe holds, and than there are connections
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
                client.settimeout(20)
                client.connect(str(path))
                client.sendall(long + b"\n")
                assert received(client) == GIVEN.stdout
        unread.terminate()
        assert unread.wait(timeout=10) == 0
    assert not path.exists()


def test_two_hundred_that_do_not_try_again(serving: Serving) -> None:
    answers: list[bytes] = []
    threads = [threading.Thread(target=lambda: answers.append(serving.get())) for _ in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [GIVEN.stdout] * 200


def test_a_hundred_at_once(serving: Serving, elsewhere: Environment) -> None:
    answers: list[Result] = []
    threads = [threading.Thread(target=lambda: answers.append(get(elsewhere, "--timeout", "20"))) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [GIVEN] * 100


# --- an end that is not what it should be ----------------------------------------------------------------------------


@contextlib.contextmanager
def lying(path: Path, what: bytes, stalls: float = 0.0, uid: int = 0) -> Iterator[list[bytes]]:
    """Answer anything at `path`, as the user `uid` if root runs this; what is asked is in the list."""
    asked: list[bytes] = []
    path.parent.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(path))
        if uid:
            os.seteuid(uid)
        try:
            listening.listen()  # the kernel keeps who did that
        finally:
            if uid:
                os.seteuid(0)

        def answer_one() -> None:
            with contextlib.suppress(OSError):
                client, _ = listening.accept()
                with client:
                    asked.append(client.recv(1 << 16))
                    if stalls:
                        begin = time.monotonic()
                        while time.monotonic() - begin < stalls:
                            client.send(b"x")
                            time.sleep(0.05)
                    client.sendall(what)

        thread = threading.Thread(target=answer_one)
        thread.start()
        yield asked
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.mark.parametrize(
    "what",
    [
        b"", b"quit=1\n", b"password=\n", b"password=None\n", b"password=ghp_0123456789abcdefghijklmnopqrstuvwxyz\n",
        b"password=hf_a1\r\nhost=evil.example\n", b"password=hf_a1\0\n", b"username=x\n", b"\xff" * 100, b"x" * 200_000,
        b"authtype=Bearer\npassword=hf_a1\n", b"password=hf_a b\n",
        b"username=hf_user\npassword=hf_a1",
    ],
)  # fmt: skip
def test_what_is_no_answer_is_skipped(elsewhere: Environment, tmp_path: Path, what: bytes) -> None:
    write_token_file(elsewhere, OWN)
    with lying(tmp_path / "lying", what) as asked:
        there = elsewhere | {"GIT_CREDENTIAL_HF_SOCKET": str(tmp_path / "lying")}
        got = get(there, data=request(path="my-org/x"), program=MEASURED)
    assert got == answer("hf_user", OWN)
    assert asked == [b"protocol=https\nhost=huggingface.co\npath=my-org/x\n\n"]


def test_only_what_git_may_know_is_taken_over(elsewhere: Environment, tmp_path: Path) -> None:
    what = b"protocol=http\nhost=evil.example\nusername=bob\npassword=hf_a1\nquit=1\npath=x\n"
    what += b"password_expiry_utc=4102444800\n"
    with lying(tmp_path / "lying", what):
        got = get(elsewhere | {"GIT_CREDENTIAL_HF_SOCKET": str(tmp_path / "lying")}, program=MEASURED)
    assert got.stdout == b"username=bob\npassword=hf_a1\npassword_expiry_utc=4102444800\n"


def test_an_end_that_stalls_costs_the_time_limit_and_no_more(elsewhere: Environment, tmp_path: Path) -> None:
    write_token_file(elsewhere, OWN)
    with lying(tmp_path / "lying", b"", stalls=30):
        begin = time.monotonic()
        got = get(elsewhere | {"GIT_CREDENTIAL_HF_SOCKET": str(tmp_path / "lying")}, "--timeout", "1")
        assert time.monotonic() - begin < 1.5 + 3  # three seconds for a machine that is busy
    assert got == answer("hf_user", OWN)


@pytest.mark.parametrize(
    "path", ["/nonexistent/socket", "relative", "/", "/etc/passwd", "/" + "x" * 200, "~/x", "/tmp/\udcff"]
)
def test_a_socket_that_is_not_there_is_skipped(elsewhere: Environment, path: str) -> None:
    write_token_file(elsewhere, OWN)
    assert get(elsewhere | {"GIT_CREDENTIAL_HF_SOCKET": path}, program=MEASURED) == answer("hf_user", OWN)


def test_no_other_host_is_asked_for_there(elsewhere: Environment, tmp_path: Path) -> None:
    more = elsewhere | {"GIT_CREDENTIAL_HF_SOCKET": str(tmp_path / "lying")}
    with lying(tmp_path / "lying", b"password=hf_a1\n") as asked:
        for host in ("cdn-lfs.hf.co", "git.example.org"):
            assert get(more, "--host", "git.example.org", data=request(host=host)) == Result(b"", b"", 0)
        assert asked == []


# --- by systemd ------------------------------------------------------------------------------------------------------


def test_one_request_is_answered_on_an_inherited_connection(
    server_environment: Environment, elsewhere: Environment, tmp_path: Path
) -> None:
    path = tmp_path / "inherited"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(path))
        listening.listen()
        for scope, paths in (
            ((), {"": GIVEN, "a/b": GIVEN}),
            (("--scope", "a"), {"a/b": GIVEN, "c/d": Result(b"", b"", 0)}),
        ):
            for asked, expected in paths.items():
                more = elsewhere | {"GIT_CREDENTIAL_HF_SOCKET": str(path)}
                data = request(**({"path": asked} if asked else {}))
                with ThreadPoolExecutor(1) as asking:
                    answered = asking.submit(get, more, data=data)
                    connection, _ = listening.accept()
                    with connection:
                        done = inherited(connection, server_environment, *scope)
                    assert answered.result() == expected
                assert (done.returncode, done.stderr.count(b"\n")) == (0, 1)
                assert TOKEN.encode() not in done.stderr
