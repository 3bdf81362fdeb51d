"""What a run of `get` costs: the modules that it loads, the files that it opens, the calls that it makes."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import keyrings
from tests.conftest import EXECUTABLE, Environment, Result, Run
from tests.installed import GIVEN, REQUEST, VERSION, is_made
from tests.keyring_items import Items
from tests.providers import GnomeKeyring

SILENCE = Result(b"", b"", 0)

# --- modules -------------------------------------------------------------------------------------------------

FOREIGN_HOST = {"", ".__main__", ".helper", ".options", ".protocol", ".scope"}
ENVIRONMENT = FOREIGN_HOST | {".reading", ".sources", ".sources.environment", ".token"}
NO_BUS = FOREIGN_HOST | {
    ".reading",
    ".secret_service",
    ".secret_service.item",
    ".sources",
    ".sources.keyring",
    ".sources.token_file",
    ".token",
}
NO_ITEM = NO_BUS | {
    ".secret_service.incoming",
    ".secret_service.lookup",
    ".secret_service.wire",
    ".sources.other_tools",
}
KEYRING = NO_ITEM - {".sources.other_tools", ".sources.token_file"}

# What is in the parts of a bundle that the answer of a case needs.
BUNDLED_ANSWER = NO_BUS - {".sources.token_file"} | {".secret_service.incoming"}

# Runs a program as the interpreter would; names on stderr the modules that it has loaded and that are in a file.
PROBE = """
import _socket, marshal, posix, sys  # the first is in a file in some builds
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
code = marshal.loads(code[16:]) if sys.argv[0].endswith(".pyc") else compile(code, sys.argv[0], "exec")
before |= set(sys.modules)
exec(code, {"__name__": "__main__", "__file__": sys.argv[0]})
"""


def loaded(start: str, input: bytes, environment: Environment) -> set[str]:
    """Run get from a "bundle", from "bytecode" or from "source"; return the modules that it loads from files."""
    subprocess.run([EXECUTABLE, "--version"], env=environment, capture_output=True, check=True)  # leaves a bundle
    folder = Path(EXECUTABLE).resolve().parent
    package = folder.parent / f"lib/{VERSION}/site-packages/git_credential_hf"
    file = {
        "bundle": package / f"__pycache__/bundled.{sys.implementation.cache_tag}.pyc",
        "bytecode": package / f"__pycache__/start.{sys.implementation.cache_tag}.pyc",
        "source": package / "start.py",
    }[start]
    done = subprocess.run(
        [folder / VERSION, "-IS", "-c", PROBE, file, EXECUTABLE, "get"],
        input=input,
        env=environment,
        capture_output=True,
        check=True,
        timeout=60,
    )
    return set(done.stderr.decode().split())


@pytest.mark.parametrize("start", ["bundle", "bytecode", "source"])
@pytest.mark.parametrize(
    ("host", "source", "modules"),
    [
        ("cdn-lfs.hf.co", "", FOREIGN_HOST),
        ("huggingface.co", "environment", ENVIRONMENT),
        ("huggingface.co", "keyring", KEYRING),
        ("huggingface.co", "file", NO_ITEM),
        ("huggingface.co", "file, no bus", NO_BUS),
        ("huggingface.co", "", NO_ITEM),
    ],
)
def test_get_loads_its_own_modules_and_builtin_ones(
    keyring: Items, environment: Environment, host: str, source: str, modules: set[str], start: str
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
    wanted = set(modules)
    if start == "bundle" and modules != FOREIGN_HOST:
        wanted |= BUNDLED_ANSWER
    if start == "source":
        wanted.add(".start")
    assert loaded(start, asked, environment) == {f"git_credential_hf{name}" for name in wanted}
    got = subprocess.run([EXECUTABLE, "get"], input=asked, env=environment, capture_output=True, check=True)
    assert got.stdout == (b"username=hf_user\npassword=hf_t0ken\n" if source else b"")


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


def system_calls(calls: str, environment: Environment) -> list[tuple[str, str, int]]:
    """Run get, answered; return the name, arguments and result of each of its `calls`, those of the launcher too."""
    log = Path(environment["HOME"], "strace")
    command = [
        "strace",
        "-f",
        "-qq",
        "-e",
        f"trace={calls}",
        "-e",
        "signal=none",
        "-s",
        "0",
        "-o",
        str(log),
        EXECUTABLE,
    ]
    done = subprocess.run([*command, "get"], input=REQUEST, env=environment, capture_output=True, check=True)
    assert done.stdout == b"username=hf_user\npassword=hf_t0ken\n"
    found = re.findall(r"^\d+ +(\w+)\((.*)\) += (-?\d+)", log.read_text(), re.MULTILINE)
    return [(name, arguments, int(result)) for name, arguments, result in found]


needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="NOT TESTED: strace is not installed")


@needs_strace
@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("environment", ["bundled", "bundled-answer", "environment", "bundled-token"]),
        ("file", ["bundled", "bundled-answer", "token_file", "bundled-token"]),
        ("keyring", ["bundled", "bundled-answer", "bundled-lookup", "bundled-token"]),
    ],
)
def test_the_files_that_an_answer_opens(
    keyring: Items, environment: Environment, source: str, parts: list[str]
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
    subprocess.run([EXECUTABLE, "--version"], env=environment, capture_output=True, check=True)  # leaves a bundle
    calls = system_calls("open,openat,creat", environment)
    opened = [Path(arguments.split('"')[1]) for _, arguments, result in calls if result >= 0]
    of_the_package = [file for file in opened if "git_credential_hf" in file.parts]
    # The interpreter opens the file that it is to run more than once.
    assert list(dict.fromkeys(file.name.partition(".")[0] for file in of_the_package)) == parts
    homes = [file for file in opened if file.is_relative_to(environment["HOME"])]
    assert homes == ([token_file] if source == "file" else [])
    assert not [arguments for _, arguments, _ in calls if "O_WRONLY" in arguments or "O_CREAT" in arguments]


@needs_strace
def test_other_items_in_the_keyring_cost_no_traffic(environment: Environment, tmp_path: Path) -> None:
    traffic = []
    for others in (0, 5_000):
        folder = tmp_path / str(others)
        folder.mkdir()
        items = [*keyrings.others(others), keyrings.ours("hf_t0ken")]
        with contextlib.closing(keyrings.keyring(folder, items)) as provider:
            calls = system_calls("sendto,recvfrom", environment | {"DBUS_SESSION_BUS_ADDRESS": provider.bus.address})
        traffic.append(sum(result for _, _, result in calls))
    few, many = traffic
    assert 0 < few <= many < few + 32  # a greater number of an item is a longer name


@needs_strace
def test_an_answer_opens_nothing_of_the_standard_library(keyring: Items, environment: Environment) -> None:
    keyring.add(
        b"hf_t0ken", xdg__schema="org.git.Password", **{"git-credential-hf": "huggingface.co", "user": "hf_user"}
    )
    subprocess.run([EXECUTABLE, "--version"], env=environment, capture_output=True, check=True)
    assert is_made(Path(EXECUTABLE).resolve())
    opened = [
        arguments.split('"')[1] for _, arguments, result in system_calls("open,openat", environment) if result >= 0
    ]
    library = Path(os.__file__).parent
    assert not [file for file in opened if file.startswith(f"{library}/")]
    assert [file for file in opened if "/lib/git-credential-hf/" in file][-1].endswith(".pyc")


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
