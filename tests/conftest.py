"""What every test stands on: the helper as a process and as a call, an environment of its own, a real keyring."""

import contextlib
import io
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import pytest

from git_credential_hf.__main__ import run as run_program
from tests.keyring_items import Items
from tests.providers import GnomeKeyring

pytest_plugins = ["tests.hub.fixtures"]

EXECUTABLE = shutil.which("git-credential-hf") or "git-credential-hf is not installed: run scripts/test"

# Of the processes that coverage would have measured these are to be, and of what their tests start MEASURED alone.
_COVERAGE = "COVERAGE_PROCESS_CONFIG"
MEASURED, MEASURING = [EXECUTABLE], dict[str, str]()
"""The program for what no call in a test can do, and what its environment needs besides: where coverage looks on, an
ordinary start of Python."""
if "PYTEST_XDIST_WORKER" in os.environ and _COVERAGE in os.environ:
    MEASURED, MEASURING = [sys.executable, "-m", "git_credential_hf"], {_COVERAGE: os.environ.pop(_COVERAGE)}

# What a shell runs in the background ignores SIGINT, and what nohup runs SIGHUP; so would all that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# How long one example takes says more of what else the machine does than of the code. The examples are the same each
# time, so that what fails fails again; for others: --hypothesis-profile=new.
for _profile in ("same", "new"):
    hypothesis.settings.register_profile(
        _profile,
        deadline=None,
        derandomize=_profile == "same",
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )
hypothesis.settings.load_profile("same")

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: to be another user takes root")

Environment = dict[str, str]


def user_namespaces_needed(user: int) -> None:
    """Skip the test where `user` may not make a user namespace."""
    command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "unshare", "--user", "true"]
    if subprocess.run(command, cwd="/", capture_output=True, check=False).returncode:
        pytest.skip("NOT TESTED: who is not root may not make user namespaces here")


@dataclass(frozen=True)
class Result:
    """What a run of the helper gave to whoever started it."""

    stdout: bytes
    stderr: bytes
    code: int


_QUOTABLE = (b"huggingface", b"example", b"nonsense", b"colour", b"alice", b"my-org", b"\xef", b"\x00", b"xxx")


def is_refused(result: Result, *offending: bytes) -> bool:
    """Whether a request was refused: exit 1, nothing for git, one line for a person that quotes nothing of it."""
    line = result.stderr
    return (
        (result.code, result.stdout) == (1, b"")
        and line.startswith(b"git-credential-hf: git's request was refused: ")
        and line.endswith(b"\n")
        and line.isascii()
        and line[:-1].decode().isprintable()
        and len(line) < 120
        and not any(part in line for part in (*_QUOTABLE, *offending))
    )


@pytest.fixture(scope="session")
def faults(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The library that makes calls fail."""
    if shutil.which("gcc") is None:
        pytest.skip("NOT TESTED: gcc is not installed")
    library = tmp_path_factory.mktemp("faults") / "faults.so"
    source = Path(__file__).with_name("faults.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source], check=True)
    return str(library)


@pytest.fixture
def machine_folder() -> Iterator[Path]:
    """A folder to which every user has a way, and in which root alone may put something."""
    folder = Path(tempfile.mkdtemp(dir="/run"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """An environment with an empty home and without a session bus. A test changes it as it likes."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (tmp_path / "run").mkdir(mode=0o700)
    return {
        "PATH": os.environ["PATH"],
        "LC_ALL": "C.UTF-8",
        "HOME": str(home),
        "TMPDIR": str(tmp_path),
        "XDG_RUNTIME_DIR": str(tmp_path / "run"),
        "DBUS_SESSION_BUS_ADDRESS": "disabled:",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
    }


@pytest.fixture(scope="session")
def gnome_keyring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GnomeKeyring]:
    """One unlocked gnome-keyring for all tests that only need any keyring."""
    if shutil.which("gnome-keyring-daemon") is None or shutil.which("dbus-daemon") is None:
        pytest.skip("NOT TESTED: gnome-keyring is not installed; scripts/test says why")
    provider = GnomeKeyring(tmp_path_factory.mktemp("gnome-keyring"))
    yield provider
    provider.close()


@pytest.fixture
def keyring(gnome_keyring: GnomeKeyring, environment: Environment) -> Iterator[Items]:
    """The items of an empty keyring, which `environment` has the address of."""
    environment["DBUS_SESSION_BUS_ADDRESS"] = gnome_keyring.bus.address
    with contextlib.closing(Items(gnome_keyring.bus)) as items:
        items.clear()
        yield items


Run = Callable[..., Result]


@pytest.fixture(params=["process", "call"])
def run(request: pytest.FixtureRequest, environment: Environment) -> Run:
    """Run git-credential-hf with arguments, `input` on a pipe, in `environment`: as installed, and inside the test.

    The installed program is what people have; the call is what coverage can see.
    """
    start = run_process if request.param == "process" else run_call

    def with_environment(*arguments: str, input: bytes = b"", **more: str) -> Result:
        return start(arguments, input, environment | more)

    return with_environment


def run_process(arguments: tuple[str, ...], input: bytes, environ: Mapping[str, str]) -> Result:
    done = subprocess.run(
        [EXECUTABLE, *arguments], input=input, env=environ, capture_output=True, timeout=60, check=False
    )
    return Result(done.stdout, done.stderr, done.returncode)


def run_call(arguments: tuple[str, ...], input: bytes, environ: Mapping[str, str]) -> Result:
    stdin, writer = os.pipe()
    outputs = [os.memfd_create(name) for name in ("stdout", "stderr")]
    # The loop above a test may hold these three; they are given back whatever happens.
    saved = [os.dup(descriptor) for descriptor in (0, 1, 2)]
    feeder = threading.Thread(target=_feed, args=(writer, input))
    feeder.start()
    os_environ = os.environ.copy()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, descriptor in enumerate((stdin, *outputs)):
            os.dup2(descriptor, number)
        os.close(stdin)
        os.environ.clear()
        os.environ.update(environ)
        with (
            _text(1) as stdout,
            _text(2) as stderr,
            contextlib.redirect_stdout(stdout),
            contextlib.redirect_stderr(stderr),
        ):
            code = run_program([os.fsencode(one) for one in arguments], {**os.environb})
    except SystemExit as left:  # argparse's --help
        code = int(left.code or 0)
    finally:
        os.environ.clear()
        os.environ.update(os_environ)
        for number, descriptor in enumerate(saved):
            os.dup2(descriptor, number)
            os.close(descriptor)
        feeder.join()
    stdout_bytes, stderr_bytes = map(_taken, outputs)
    return Result(stdout_bytes, stderr_bytes, code)


def _feed(writer: int, input: bytes) -> None:
    with contextlib.suppress(BrokenPipeError), os.fdopen(writer, "wb") as pipe:
        pipe.write(input)


def _text(number: int) -> io.TextIOWrapper:
    return os.fdopen(os.dup(number), "w", encoding="utf-8")


def _taken(descriptor: int) -> bytes:
    with os.fdopen(descriptor, "rb") as output:
        output.seek(0)
        return output.read()
