"""What a run of `get` costs: the modules that it loads, the files that it opens, the calls that it makes."""

import contextlib
import re
import subprocess
from pathlib import Path

import pytest

from benchmarks import keyrings
from tests.conftest import EXECUTABLE, Environment, Result, Run
from tests.installed import (
    GIVEN,
    REQUEST,
    VERSION,
    an_environment,
    bundle_in,
    get,
    needs_strace,
    package_of,
    traced,
    with_bundle,
)
from tests.keyring_items import Items
from tests.providers import GnomeKeyring

SILENCE = Result(b"", b"", 0)

# --- modules -------------------------------------------------------------------------------------------------

FOREIGN_HOST = {
    *("", ".__main__", ".options", ".operations", ".operations.get"),
    *(".model", ".model.outcome", ".model.repository", ".model.request", ".model.text"),
}
ENVIRONMENT = FOREIGN_HOST | {".model.token", ".sources", ".sources.environment", ".state", ".state.folders"}
NO_BUS = ENVIRONMENT | {
    *(".sources.keyring", ".sources.token_file", ".state.safe_read"),
    *(".secret_service", ".secret_service.dbus", ".secret_service.dbus.address"),
}
NO_ITEM = NO_BUS | {
    *(".model.item", ".secret_service.own_items"),
    *(".secret_service.dbus.connection", ".secret_service.dbus.decode", ".secret_service.dbus.encode"),
    *(
        ".secret_service.dbus.opening",
        ".secret_service.messages",
        ".secret_service.other_tools",
        ".secret_service.reader",
    ),
    *(".secret_service.quirks", ".secret_service.quirks.gnome_keyring", ".secret_service.quirks.keepassxc"),
}
KEYRING = NO_ITEM - {".secret_service.other_tools", ".sources.token_file"}

# What a bundle has for every request.
BUNDLED = NO_BUS - {".sources.token_file"}

# Runs a program as the interpreter would; names on stderr the modules that it has loaded and that are in a file.
PROBE = """
import _socket, posix, sys  # the first is in a file in some builds
before = set(sys.modules)
leave = posix._exit
def name_modules(code):
    for name, module in sys.modules.items():
        if name not in before and (module.__spec__ is None or module.__spec__.origin not in ("built-in", "frozen")):
            posix.write(2, name.encode() + b"\\n")
    leave(code)
posix._exit = name_modules
del sys.argv[0]
with open(sys.argv[0], "rb") as file:
    code = file.read()
code = compile(code, sys.argv[0], "exec")
before |= set(sys.modules)
exec(code, {"__name__": "__main__", "__file__": sys.argv[0]})
"""


@pytest.fixture(scope="module")
def starts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The program in two environments, by what it starts from."""
    found = {start: an_environment(tmp_path_factory.mktemp(start), editable=False) for start in ("bundle", "source")}
    with_bundle(found["bundle"])
    return found


def loaded(program: Path, input: bytes, environment: Environment, *arguments: str) -> set[str]:
    """Run the program, with `get` unless there are other arguments; return the modules that it loads from files."""
    done = subprocess.run(
        [
            program.parent / VERSION,
            "-IS",
            "-c",
            PROBE,
            package_of(program) / "startup/start.py",
            program,
            *(arguments or ("get",)),
        ],
        input=input,
        env=environment,
        capture_output=True,
        check=True,
        timeout=60,
    )
    return set(done.stderr.decode().split())


@pytest.mark.parametrize("start", ["bundle", "source"])
@pytest.mark.parametrize(
    ("host", "source", "modules"),
    [
        ("cdn-lfs.hf.co", "", FOREIGN_HOST),
        ("huggingface.co", "environment", ENVIRONMENT),
        ("huggingface.co", "keyring", KEYRING),
        ("huggingface.co", "file", NO_ITEM),
        ("huggingface.co", "file, no bus", NO_BUS),
        ("huggingface.co", "", NO_ITEM - {".state.folders"}),
    ],
)
def test_get_loads_its_own_modules_and_builtin_ones(
    keyring: Items,
    environment: Environment,
    starts: dict[str, Path],
    host: str,
    source: str,
    modules: set[str],
    start: str,
) -> None:
    if source == "environment":
        environment["HF_TOKEN"] = "hf_t0ken"
    if source == "keyring":
        stored = {
            "protocol": "https",
            "server": "huggingface.co",
            "user": "hf_user",
            "git-credential-hf": "huggingface.co",
        }
        keyring.add(b"hf_t0ken", xdg__schema="org.git.Password", **stored)
    if "no bus" in source:
        environment["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=/not/there"
    if source.startswith("file"):
        file = Path(environment["HOME"], ".cache/huggingface/token")
        file.parent.mkdir(parents=True)
        file.write_text("hf_t0ken")
    asked = f"protocol=https\nhost={host}\n".encode()
    wanted = modules | BUNDLED if start == "bundle" else modules
    program = starts[start]
    assert loaded(program, asked, environment) == {f"git_credential_hf{name}" for name in wanted}
    assert get(program, environment, request=asked) == (GIVEN if source else SILENCE)


@pytest.mark.parametrize("start", ["bundle", "source"])
def test_token_loads_what_get_does_and_its_own(environment: Environment, starts: dict[str, Path], start: str) -> None:
    environment["HF_TOKEN"] = "hf_t0ken"
    wanted = ENVIRONMENT | {
        ".cli",
        ".cli.clone",
        ".cli.commands",
        ".cli.commands.token",
        ".model.address",
        ".model.instead_of",
    }
    wanted |= BUNDLED if start == "bundle" else set()
    found = loaded(starts[start], b"", environment, "token", "https://huggingface.co")
    assert found == {f"git_credential_hf{name}" for name in wanted}


# --- calls ---------------------------------------------------------------------------------------------------

FOUR_CALLS = [
    "/org/freedesktop/DBus Hello",
    "/org/freedesktop/secrets SearchItems",
    "/org/freedesktop/secrets OpenSession",
    "/org/freedesktop/secrets GetSecrets",
]


@pytest.mark.parametrize(
    ("path", "scopes"),
    [
        ("", 0),
        ("org", 1),
        ("org/repo.git", 2),
        ("datasets/org/repo", 3),
        ("a/b/c/d/e/f/g/h", 2),
        ("org//repo", 0),
        ("org%2frepo", 0),
    ],
)
def test_the_calls_on_the_bus(run: Run, keyring: Items, gnome_keyring: GnomeKeyring, path: str, scopes: int) -> None:
    assert run("store", input=REQUEST + b"username=hf_user\npassword=kept\n") == SILENCE
    asked = REQUEST + (f"path={path}\n".encode() if path else b"")
    with gnome_keyring.bus.calls() as made:
        assert run("get", input=asked).stdout == b"username=hf_user\npassword=kept\n"
    hello, search, session, secrets = FOUR_CALLS
    assert made == [hello, search, *[search] * scopes, session, secrets]


@pytest.mark.parametrize(
    "arguments",
    [
        ("get",),
        ("store",),
        ("erase",),
        ("seed", "--from", "-", "--no-cache"),
        ("seed", "--from", "-", "--no-cache", "--dry-run"),
        ("forget", "--yes"),
        ("status",),
    ],
    ids=" ".join,
)
def test_a_connection_begins_with_what_gnome_keyring_bears(
    run: Run, keyring: Items, gnome_keyring: GnomeKeyring, environment: Environment, arguments: tuple[str, ...]
) -> None:
    """It can come to the first call before it knows of the connection, and ends if that is about a property."""
    (Path(environment["HOME"]) / ".config/keepassxc").mkdir(parents=True)
    assert run("store", input=REQUEST + b"username=hf_user\npassword=hf_FromTheKeyring\n") == SILENCE
    with gnome_keyring.bus.calls() as made:
        run(*arguments, input=b"hf_Another" if "-" in arguments else REQUEST + b"username=alice\npassword=typed\n")
    connections = " ".join(call.split()[1] for call in made if not call.startswith("/org/freedesktop/DBus G"))
    # One that asks the bus alone, and is followed by the next, is nothing to the keyring.
    first = re.findall(r"Hello(?: (?:AddMatch|ListNames))*+(?! Hello) (\w+)", connections)
    assert first
    assert set(first) <= {"SearchItems", "ReadAlias"}


def test_a_foreign_host_costs_no_call(run: Run, keyring: Items, gnome_keyring: GnomeKeyring) -> None:
    with gnome_keyring.bus.calls() as made:
        assert run("get", input=b"protocol=https\nhost=cdn-lfs.hf.co\n") == SILENCE
        assert run("get", input=REQUEST, HF_TOKEN="hf_t0ken").code == 0
        assert run("--sources", "file", "get", input=REQUEST) == SILENCE
    assert made == []


# --- system calls --------------------------------------------------------------------------------------------


def opened(calls: list[str]) -> list[str]:
    """Return the files that are opened, folders apart, each once."""
    return list(dict.fromkeys(call.split('"')[1] for call in calls if "O_DIRECTORY" not in call))


@needs_strace
@pytest.mark.parametrize("source", ["environment", "file", "keyring"])
def test_the_files_that_an_answer_opens(
    keyring: Items, environment: Environment, starts: dict[str, Path], tmp_path: Path, source: str
) -> None:
    token_file = Path(environment["HOME"], ".cache/huggingface/token")
    if source == "environment":
        environment["HF_TOKEN"] = "hf_t0ken"
    elif source == "file":
        environment["DBUS_SESSION_BUS_ADDRESS"] = "disabled:"
        token_file.parent.mkdir(parents=True)
        token_file.write_text("hf_t0ken")
    else:
        ours = {"git-credential-hf": "huggingface.co", "user": "hf_user"}
        keyring.add(b"hf_t0ken", xdg__schema="org.git.Password", **ours)
    # What the interpreter opens before it runs anything.
    empty = tmp_path / "empty"
    empty.write_text(f"#!{starts['bundle'].parent}/{VERSION} -ISXutf8\nprint({GIVEN.stdout.decode()!r}, end='')\n")
    empty.chmod(0o755)
    floor = opened(traced("open,openat,creat", empty, environment))

    program = starts["bundle"]
    calls = traced("open,openat,creat", program, environment)
    package = f"{program.parent}/../lib/{VERSION}/site-packages/git_credential_hf"
    bundle = f"{package}/__pycache__/{bundle_in(package_of(program)).name}"
    more = [str(token_file)] if source == "file" else []
    assert [file for file in opened(calls) if file not in floor] == [
        str(program),
        f"{package}/startup/start.py",
        bundle,
        *more,
    ]
    assert not [call for call in calls if "O_WRONLY" in call or "O_RDWR" in call or "O_CREAT" in call]


@needs_strace
def test_an_answer_from_gnome_keyring_looks_at_no_password_store(keyring: Items, environment: Environment) -> None:
    keyring.add_ours(b"hf_t0ken")
    Path(environment["HOME"], ".password-store/secret-service").mkdir(parents=True)
    assert not [call for call in traced("access,faccessat2", EXECUTABLE, environment) if "secret-service" in call]


@needs_strace
def test_other_items_in_the_keyring_cost_no_traffic(environment: Environment, tmp_path: Path) -> None:
    traffic = []
    for others in (0, 5_000):
        folder = tmp_path / str(others)
        folder.mkdir()
        items = [*keyrings.others(others), keyrings.ours("hf_t0ken")]
        with contextlib.closing(keyrings.keyring(folder, items)) as provider:
            on_its_bus = environment | {"DBUS_SESSION_BUS_ADDRESS": provider.bus.address}
            calls = traced("sendto,recvfrom", EXECUTABLE, on_its_bus)
        traffic.append(sum(int(call.rpartition("= ")[2]) for call in calls))
    few, many = traffic
    assert 0 < few <= many < few + 32  # a greater number of an item is a longer name


# --- many -----------------------------------------------------------------------------------------------------


def test_many_at_once(keyring: Items, environment: Environment) -> None:
    keyring.add(b"hf_t0ken", protocol="https", server="huggingface.co", user="hf_user", xdg__schema="org.git.Password")
    with contextlib.ExitStack() as running:
        started = [
            running.enter_context(
                subprocess.Popen(
                    [EXECUTABLE, "--timeout", "30", "get"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    env=environment,
                )
            )
            for _ in range(50)
        ]
        for one in started:
            assert one.communicate(REQUEST) == (GIVEN.stdout, b"")
            assert one.returncode == 0
