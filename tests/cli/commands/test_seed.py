"""seed: what the keyring holds after it, what it says, and how it ends."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.asking import keyring_remedy, keyring_skipped
from tests.cli.conftest import ROTATED, TOKEN, Seed, cache, snapshot, write
from tests.conftest import EXECUTABLE, Environment, Run
from tests.keyring_items import Items, Stored
from tests.providers import Bus, GnomeKeyring

REQUEST = b"protocol=https\nhost=huggingface.co\n"
WRITES = ("CreateItem", "Set", "SetSecret", "Delete", "CreateCollection", "Unlock", "Prompt")

OURS = {
    "xdg:schema": "org.git.Password",
    "protocol": "https",
    "server": "huggingface.co",
    "user": "hf_user",
    "git-credential-hf": "huggingface.co",
    "git-credential-hf-origin": "seed",
}


def only(items: Items) -> Stored:
    (item,) = items.all()
    return item


def known(item: Stored) -> dict[str, str]:
    """Return the attributes without those that the provider adds."""
    return {name: value for name, value in item.attributes.items() if not name.startswith("gkr:")}


def modified(items: Items) -> list[int]:
    return sorted(item.get_modified() for item in items.collection.get_all_items())


# --- into both places ------------------------------------------------------------------------------------------------


def test_the_token_is_put_into_both_places_and_git_gets_it(
    seed: Seed, run: Run, keyring: Items, environment: Environment
) -> None:
    result = seed()
    assert result.stdout.decode() == (
        f"token file: written, {cache(environment)}\n"
        "keyring: created, token hf_****mNoP for huggingface.co as hf_user\n"
    )
    assert (result.stderr, result.code) == (b"", 0)
    item = only(keyring)
    assert item.secret == TOKEN.encode()
    assert known(item) == OURS
    assert "/" not in item.label
    for sources in ("keyring", "file"):
        got = run("--sources", sources, "get", input=REQUEST)
        assert got.stdout.decode() == f"username=hf_user\npassword={TOKEN}\n"


def test_a_second_run_writes_nothing_and_says_so(seed: Seed, keyring: Items, environment: Environment) -> None:
    seed()
    (item,) = keyring.collection.get_all_items()
    before = (snapshot(Path(environment["HOME"])), item.get_modified(), item.item_path)
    with keyring.bus.calls() as calls:
        result = seed()
    assert result.stdout.decode() == (
        f"token file: unchanged, {cache(environment)}\n"
        "keyring: unchanged, token hf_****mNoP for huggingface.co as hf_user\n"
    )
    assert (result.stderr, result.code) == (b"", 0)
    assert [call for call in calls if call.endswith("SearchItems")]
    assert [call for call in calls if call.split()[1] in WRITES] == []
    (item,) = keyring.collection.get_all_items()
    assert (snapshot(Path(environment["HOME"])), item.get_modified(), item.item_path) == before


def test_force_writes_what_is_there_already(seed: Seed, keyring: Items) -> None:
    seed()
    with keyring.bus.calls() as calls:
        result = seed("--force")
    assert b"keyring: replaced, token hf_****mNoP" in result.stdout
    assert [call for call in calls if call.endswith(" CreateItem")]
    assert only(keyring).secret == TOKEN.encode()


def test_a_new_token_replaces_the_old_in_both_places(
    seed: Seed, keyring: Items, environment: Environment, source: Path
) -> None:
    seed()
    write(source, ROTATED)
    result = seed()
    assert result.stdout.decode() == (
        f"token file: written over another token (hf_****mNoP), {cache(environment)}\n"
        "keyring: replaced, token hf_****NoPq for huggingface.co as hf_user\n"
    )
    assert (result.stderr, result.code) == (b"", 0)
    assert keyring.secrets() == [ROTATED.encode()]
    left = [path for path in Path(environment["HOME"]).rglob("*") if path.is_file()]
    assert [path for path in left if TOKEN.encode() in path.read_bytes()] == []


def test_what_git_stored_becomes_what_was_seeded(seed: Seed, run: Run, keyring: Items) -> None:
    assert run("store", input=REQUEST + b"username=hf_user\npassword=typed\n").code == 0
    assert b"keyring: replaced" in seed("--no-cache").stdout
    assert (known(only(keyring)), only(keyring).secret) == (OURS, TOKEN.encode())


def test_two_items_of_ours_become_one(seed: Seed, keyring: Items) -> None:
    attributes = {name.replace(":", "__"): value for name, value in OURS.items()}
    keyring.add(b"first", **attributes)
    keyring.collection.create_item("second", OURS, b"second", replace=False)
    assert len(keyring.all()) == 2
    assert b"keyring: replaced" in seed("--no-cache").stdout
    assert keyring.secrets() == [TOKEN.encode()]


def test_items_of_others_are_left_alone(seed: Seed, keyring: Items) -> None:
    generic = {"xdg:schema": "org.freedesktop.Secret.Generic"}  # which gnome-keyring adds, a moment later
    others: list[dict[str, str]] = [
        {"xdg:schema": "org.git.Password", "protocol": "https", "server": "huggingface.co", "user": "hf_user"},
        generic | {"service": "git:https://huggingface.co", "account": "hf_user"},
        generic | {"application": "Python keyring library", "service": "huggingface.co", "username": "hf_user"},
        {**OURS, "user": "alice"},
        {**OURS, "server": "example.org"},
        {**OURS, "git-credential-hf": "huggingface.co/my-org", "object": "my-org"},
    ]
    for number, attributes in enumerate(others):
        keyring.collection.create_item(f"other {number}", attributes, b"other %d" % number)
    before = sorted((item.label, item.secret, sorted(known(item).items())) for item in keyring.all())
    for _ in range(2):
        assert seed().code == 0
    after = sorted((item.label, item.secret, sorted(known(item).items())) for item in keyring.all())
    assert [item for item in after if item[1] != TOKEN.encode()] == before
    assert len(after) == len(before) + 1


def test_a_superset_of_ours_is_not_ours(seed: Seed, keyring: Items) -> None:
    more = OURS | {"port": "8443"}
    keyring.collection.create_item("another port's", more, b"another port's")
    assert b"keyring: created" in seed("--no-cache").stdout
    assert keyring.secrets() == [b"another port's", TOKEN.encode()]


def test_a_refused_token_is_given_again_after_it_was_seeded(seed: Seed, run: Run, keyring: Items) -> None:
    seed()
    run("erase", input=REQUEST + f"username=hf_user\npassword={TOKEN}\n".encode())
    assert keyring.secrets() == [TOKEN.encode()]
    assert run("get", input=REQUEST).stdout == b"quit=1\n"
    dry = seed("--dry-run")
    assert dry.code == 0
    assert run("get", input=REQUEST).stdout == b"quit=1\n"
    assert seed().code == 0
    assert run("get", input=REQUEST).stdout.decode() == f"username=hf_user\npassword={TOKEN}\n"


# --- for whom and what -----------------------------------------------------------------------------------------------


def test_a_user(seed: Seed, run: Run, keyring: Items) -> None:
    result = seed("--user", "älice")
    assert result.stdout.decode().endswith(" for huggingface.co as älice\n")
    assert known(only(keyring)) == OURS | {"user": "älice"}
    got = run("--sources", "keyring", "get", input=REQUEST)
    assert got.stdout.decode() == f"username=älice\npassword={TOKEN}\n"


def test_users_stand_side_by_side(seed: Seed, keyring: Items, source: Path) -> None:
    seed("--user", "alice")
    write(source, ROTATED)
    assert b"keyring: created" in seed("--user", "bob").stdout
    assert keyring.secrets() == sorted([TOKEN.encode(), ROTATED.encode()])


@pytest.mark.parametrize(
    ("given", "scope"),
    [
        ("https://huggingface.co/My-Org/name/tree/main?x=y#z", "my-org/name"),
        ("https://hf.co/datasets/my-org/name.git", "datasets/my-org/name"),
        ("hf://my-org/name", "my-org/name"),
        ("git@hf.co:my-org/name.git", "my-org/name"),
        ("/My-Org/", "my-org"),
        ("my-org/name@main", "my-org/name"),
        ("https://huggingface.co/api/models/my-org/name", "my-org/name"),
    ],
)
def test_a_scope_is_given_in_any_form(
    seed: Seed, run: Run, keyring: Items, environment: Environment, given: str, scope: str
) -> None:
    assert seed("--scope", given).code == 0
    assert only(keyring).attributes["object"] == scope
    assert run("get", input=REQUEST + f"path={scope}.git/info/lfs\n".encode()).stdout.endswith(f"{TOKEN}\n".encode())
    done = run("forget", "--yes", "--scope", given)
    assert (done.stderr, done.code, keyring.all()) == (b"", 0, [])


@pytest.mark.parametrize("scope", ["my-org", "my-org/name", "datasets/my-org", "spaces/my-org/name"])
def test_a_scope_is_for_the_keyring_alone(
    seed: Seed, run: Run, keyring: Items, environment: Environment, scope: str
) -> None:
    result = seed("--scope", scope)
    assert result.stdout.decode() == f"keyring: created, token hf_****mNoP for huggingface.co/{scope} as hf_user\n"
    assert (result.stderr, result.code) == (b"", 0)
    assert known(only(keyring)) == OURS | {"git-credential-hf": f"huggingface.co/{scope}", "object": scope}
    assert "/" not in only(keyring).label
    assert not cache(environment).parent.exists()
    assert run("get", input=REQUEST).stdout == b""
    inside = run("get", input=REQUEST + f"path={scope}/more.git\n".encode())
    assert inside.stdout.decode() == f"username=hf_user\npassword={TOKEN}\n"
    assert run("get", input=REQUEST + f"path={scope}er\n".encode()).stdout == b""
    assert b"keyring: unchanged" in seed("--scope", scope).stdout


def test_a_scope_with_a_user_keeps_the_user(seed: Seed, run: Run, keyring: Items) -> None:
    assert seed("--scope", "my-org", "--user", "alice").stdout.decode().endswith("/my-org as alice\n")
    got = run("get", input=REQUEST + b"path=my-org/x\n")
    assert got.stdout.decode() == f"username=alice\npassword={TOKEN}\n"


@pytest.mark.parametrize("host", ["hf.co", "HF.co:443", "huggingface.co", "HuggingFace.co:443"])
def test_every_name_of_the_hub_is_the_hub(seed: Seed, keyring: Items, environment: Environment, host: str) -> None:
    assert seed("--host", host).code == 0
    assert known(only(keyring)) == OURS
    assert cache(environment).read_text() == TOKEN


@pytest.mark.parametrize(
    ("host", "server"),
    [
        ("Hub.Example.org", {"server": "hub.example.org"}),
        ("hub.example.org:8443", {"server": "hub.example.org", "port": "8443"}),
        ("hub.example.org:443", {"server": "hub.example.org"}),
        ("cdn-lfs.hf.co", {"server": "cdn-lfs.hf.co"}),
    ],
)
def test_another_host_is_for_the_keyring_alone(
    seed: Seed, run: Run, keyring: Items, environment: Environment, host: str, server: dict[str, str]
) -> None:
    result = seed("--host", host)
    assert (result.stderr, result.code) == (b"", 0)
    place = ":".join(server[name] for name in ("server", "port") if name in server)
    assert known(only(keyring)) == OURS | server | {"git-credential-hf": place}
    assert not cache(environment).parent.exists()
    assert run("get", input=REQUEST).stdout == b""
    asked = f"protocol=https\nhost={host}\n".encode()
    assert run("--host", host, "get", input=asked).stdout.decode() == f"username=hf_user\npassword={TOKEN}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--scope", ""), ("--scope", "/"), ("--scope", "a//b"), ("--scope", "a/../b"), ("--scope", TOKEN),
        ("--scope", "."), ("--scope", "my%2Dorg"), ("--scope", "a\nb"), ("--scope", "a/.git"), ("--scope", "\udcff"),
        ("--scope", "1/2/3/4/5/6/7/8/9"), ("--scope", "https://github.com/my-org/name"), ("--user", TOKEN),
        ("--scope", "https://huggingface.co/my-org", "--host", "git.example.org"), ("--scope", "my-org/*"),
        ("--scope", "my org"), ("--scope", "o/m?x"), ("--scope", "https://huggingface.co/settings/tokens"),
        ("--user", ""), ("--user", "a\nb"), ("--user", "\udcff"),
        ("--host", ""), ("--host", "https://huggingface.co"), ("--host", "a/b"), ("--host", "a b"), ("--host", "a:x"),
        ("--timeout", "0"), ("--timeout", "-1"), ("--timeout", "nan"), ("--timeout", "soon"), ("--timeout", "86400"),
        ("--unlock", "perhaps"),
        ("--require-keyring", "--no-keyring"),
        ("--forc",), ("--no-such-option",), ("a-word-too-much",), ("--scope",), ("--force=yes",),
        (TOKEN,), (f"--token={TOKEN}",), ("--unlock", TOKEN), (f"--force={TOKEN}",),
    ],
)  # fmt: skip
def test_wrong_usage_changes_nothing(
    seed: Seed, keyring: Items, environment: Environment, arguments: tuple[str, ...]
) -> None:
    result = seed(*arguments)
    assert (result.stdout, result.code) == (b"", 2)
    assert result.stderr.startswith(b"git-credential-hf: ")
    assert result.stderr.endswith((b" Try: git-credential-hf seed --help\n", b" Try: git-credential-hf login\n"))
    assert result.stderr.count(b"\n") == 1
    assert keyring.all() == []
    assert list(Path(environment["HOME"]).iterdir()) == []


@pytest.mark.parametrize(
    "command", ["seed --from - --scope", "login --with-token --scope", "serve --scope", "forget --scope"]
)
def test_the_message_names_the_scope_that_cannot_be_one(run: Run, command: str) -> None:
    words = command.split(" ")
    done = run(*words, "my-org/*", input=TOKEN.encode())
    assert (done.stdout, done.code, done.stderr.count(b"\n")) == (b"", 2, 1)
    assert done.stderr.startswith(b"git-credential-hf: my-org/*: a scope is an organisation, a repository or ")
    done = run(*words, f"https://alice:{TOKEN}@huggingface.co/my-org/*", input=TOKEN.encode())
    assert done.code == 2
    assert TOKEN.encode() not in done.stderr
    assert run(*words, "https://alice:hunter2@huggingface.co/my-org/*").stderr.count(b"hunter2") == 0


def test_help_names_every_option(seed: Seed) -> None:
    result = seed("--help")
    assert (result.stderr, result.code) == (b"", 0)
    texts = "from scope user host timeout unlock"
    switches = "no-keyring no-cache require-keyring optional strict force git-lfs dry-run quiet"
    for option in f"{texts} {switches}".split(" "):
        assert f" --{option} ".encode() in result.stdout.replace(b"\n", b" ")


def test_nothing_declared_is_a_failure_unless_it_is_optional(run: Run, environment: Environment) -> None:
    result = run("seed")
    assert (result.stdout, result.code) == (b"", 1)
    assert result.stderr.count(b"\n") == 1
    assert b"--from" in result.stderr
    result = run("seed", "--optional")
    assert (result.stderr, result.code) == (b"", 0)
    assert result.stdout.count(b"\n") == 1
    assert list(Path(environment["HOME"]).iterdir()) == []


# --- less than both --------------------------------------------------------------------------------------------------


def test_no_keyring_leaves_the_keyring_alone(seed: Seed, keyring: Items, environment: Environment) -> None:
    with keyring.bus.calls() as calls:
        result = seed("--no-keyring")
    assert (result.stdout.decode(), result.stderr) == (f"token file: written, {cache(environment)}\n", b"")
    assert result.code == 0
    assert [call for call in calls if not call.endswith(" Hello")] == []  # which is the recorder's own


def test_no_cache_leaves_the_cache_alone(seed: Seed, keyring: Items, environment: Environment) -> None:
    result = seed("--no-cache")
    assert result.stdout == b"keyring: created, token hf_****mNoP for huggingface.co as hf_user\n"
    assert not cache(environment).parent.exists()
    assert keyring.secrets() == [TOKEN.encode()]


def test_neither_place_is_nothing_to_do(seed: Seed, environment: Environment) -> None:
    result = seed("--no-keyring", "--no-cache")
    assert result.stdout == b"nothing to do: the token is for neither the token file nor the keyring\n"
    assert (result.stderr, result.code) == (b"", 0)
    assert list(Path(environment["HOME"]).iterdir()) == []


@pytest.mark.parametrize("keyring", ["--no-keyring", "--quiet"])
@pytest.mark.parametrize(("arguments", "place"), [("--scope my-org", "huggingface.co/my-org"), ("--host a.b", "a.b")])
def test_what_the_keyring_alone_could_store_is_stored_nowhere_without_one(
    seed: Seed, environment: Environment, keyring: str, arguments: str, place: str
) -> None:
    result = seed(keyring, *arguments.split())
    assert (result.stdout, result.code, result.stderr.count(b"\n")) == (b"", 3, 1)
    line = f"git-credential-hf: token hf_****mNoP for {place} as hf_user was stored nowhere: "
    assert result.stderr.decode().startswith(line)
    assert not cache(environment).exists()


def test_quiet_says_nothing_when_all_is_well(seed: Seed, keyring: Items) -> None:
    for _ in range(2):
        result = seed("--quiet")
        assert (result.stdout, result.stderr, result.code) == (b"", b"", 0)
    assert keyring.secrets() == [TOKEN.encode()]


def test_a_dry_run_changes_nothing_and_says_what_would_be(
    seed: Seed, keyring: Items, environment: Environment, source: Path, tmp_path: Path
) -> None:
    result = seed("--dry-run", "--git-lfs")
    assert result.stdout.decode() == (
        f"token file: would be written, {cache(environment)}\n"
        "keyring: would be created, token hf_****mNoP for huggingface.co as hf_user\n"
        "git-lfs: `git lfs install --skip-repo` would be run\n"
    )
    assert (result.stderr, result.code) == (b"", 0)
    assert keyring.all() == []
    assert not cache(environment).parent.exists()
    assert not Path(environment["HOME"], ".gitconfig").exists()

    seed()
    before = (snapshot(tmp_path), modified(keyring))
    assert seed("--dry-run").stdout.decode() == (
        f"token file: unchanged, {cache(environment)}\n"
        "keyring: unchanged, token hf_****mNoP for huggingface.co as hf_user\n"
    )
    assert (snapshot(tmp_path), modified(keyring)) == before

    write(source, ROTATED)
    before = (snapshot(tmp_path), modified(keyring))
    assert seed("--dry-run").stdout.decode() == (
        f"token file: would be written over another token (hf_****mNoP), {cache(environment)}\n"
        "keyring: would be replaced, token hf_****NoPq for huggingface.co as hf_user\n"
    )
    assert (snapshot(tmp_path), modified(keyring)) == before
    assert keyring.secrets() == [TOKEN.encode()]


def test_a_dry_run_makes_no_folder(seed: Seed, keyring: Items, environment: Environment) -> None:
    assert seed("--dry-run").code == 0
    assert list(Path(environment["HOME"]).iterdir()) == []


# --- keyrings that do not take it ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def locked_keyring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GnomeKeyring]:
    provider = GnomeKeyring(tmp_path_factory.mktemp("locked"))
    provider.stop()
    provider.start(locked=True)
    yield provider
    provider.close()


@pytest.fixture(scope="module")
def empty_bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bus]:
    bus = Bus(tmp_path_factory.mktemp("bus"))
    yield bus
    bus.close()


@pytest.fixture(scope="module")
def new_keyring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GnomeKeyring]:
    """A keyring of somebody who has never logged in."""
    provider = GnomeKeyring(tmp_path_factory.mktemp("new"), locked=True)
    yield provider
    provider.close()


@pytest.fixture(params=["no bus", "a bus that is gone", "no provider", "locked", "no collection"])
def no_open_keyring(request: pytest.FixtureRequest, environment: Environment, tmp_path: Path) -> str:
    """An environment whose keyring cannot be filled before somebody logs in; the reason that is told."""
    if request.param == "locked":
        environment["DBUS_SESSION_BUS_ADDRESS"] = request.getfixturevalue("locked_keyring").bus.address
        return "it is locked"
    if request.param == "no collection":
        environment["DBUS_SESSION_BUS_ADDRESS"] = request.getfixturevalue("new_keyring").bus.address
        return "it has no default collection"
    if request.param == "no provider":
        environment["DBUS_SESSION_BUS_ADDRESS"] = request.getfixturevalue("empty_bus").address
        return "no keyring is running"
    if request.param == "a bus that is gone":
        environment["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={tmp_path}/gone"
    else:
        del environment["DBUS_SESSION_BUS_ADDRESS"]
    return "no D-Bus session"


@pytest.mark.parametrize("unlock", ["auto", "never"])
def test_without_an_open_keyring_the_cache_is_filled_and_the_keyring_skipped(
    seed: Seed, source: Path, environment: Environment, no_open_keyring: str, unlock: str
) -> None:
    result = seed("--unlock", unlock)
    again = ["--from", str(source), *(["--unlock", unlock] if unlock != "auto" else [])]
    assert result.stdout.decode() == (
        f"token file: written, {cache(environment)}\n{keyring_skipped(no_open_keyring, *again)}\n"
    )
    assert (result.stderr, result.code) == (b"", 0)
    assert cache(environment).read_text() == TOKEN
    quiet = seed("--quiet")
    assert (quiet.stdout, quiet.stderr, quiet.code) == (b"", b"", 0)


def test_require_keyring_says_that_it_was_done_in_part(
    seed: Seed, source: Path, environment: Environment, no_open_keyring: str
) -> None:
    result = seed("--require-keyring", "--quiet")
    remedy = keyring_remedy(no_open_keyring, "--from", str(source), "--require-keyring", "--quiet")
    assert result.stderr.decode() == f"git-credential-hf: the keyring was not filled: {no_open_keyring}. {remedy}\n"
    assert (result.stdout, result.code) == (b"", 3)
    assert cache(environment).read_text() == TOKEN


def test_the_printed_command_stores_the_same_token_once_there_is_a_keyring(
    seed: Seed, source: Path, keyring: Items, environment: Environment, no_open_keyring: str
) -> None:
    file = source.rename(source.with_name("my $token"))
    result = seed("--from", str(file), "--scope", "new")
    assert (result.stdout, result.code) == (b"", 3)
    (command,) = re.findall("`(.*)`", result.stderr.decode())
    path = f"{Path(EXECUTABLE).parent}:{environment['PATH']}"
    there = environment | {"DBUS_SESSION_BUS_ADDRESS": keyring.bus.address, "PATH": path}
    subprocess.run(["sh", "-c", command], env=there, check=True, capture_output=True)
    item = only(keyring)
    assert (item.secret, item.attributes["git-credential-hf"]) == (TOKEN.encode(), "huggingface.co/new")


def test_a_command_that_is_printed_has_no_password_in_it_and_stores_something(
    seed: Seed, environment: Environment
) -> None:
    source = f"command:sh -c 'echo {TOKEN}; : https://bob:geheim@vault.example/ password=hunter2'"
    result = seed("--from", source, "--dry-run", "--unlock", "prompt", "--timeout", "5")
    (line,) = [line for line in result.stdout.decode().splitlines() if line.startswith("keyring: skipped")]
    assert "geheim" not in line and "hunter2" not in line and TOKEN not in line
    assert "--dry-run" not in line
    assert "--unlock prompt --timeout 5" in line


@pytest.mark.parametrize(
    "place", ["--scope my-org", "--user al --host git.example.org", "--scope my-org --no-cache --git-lfs --quiet"]
)
def test_the_remedy_for_a_locked_keyring_is_about_the_same_place(
    seed: Seed, source: Path, environment: Environment, locked_keyring: GnomeKeyring, place: str
) -> None:
    environment["DBUS_SESSION_BUS_ADDRESS"] = locked_keyring.bus.address
    result = seed(*place.split(), DISPLAY=":99")
    assert result.code == 3
    again = f"git-credential-hf seed --from {source} {place} --unlock prompt --timeout 60\n"
    assert result.stderr.decode().endswith(f". Try: {again}")


def test_a_variable_given_as_a_file_keeps_the_scope(seed: Seed) -> None:
    result = seed("--from", "HF_TOKEN", "--scope", "my-org", "--no-cache")
    assert result.stderr.decode() == (
        "git-credential-hf: HF_TOKEN: no such file. "
        "Try: git-credential-hf seed --from env:HF_TOKEN --scope my-org --no-cache\n"
    )


@pytest.fixture
def stopped_keyring(tmp_path: Path, environment: Environment) -> Iterator[GnomeKeyring]:
    provider = GnomeKeyring(tmp_path / "stopped")
    environment["DBUS_SESSION_BUS_ADDRESS"] = provider.bus.address
    provider.process.send_signal(signal.SIGSTOP)
    yield provider
    provider.close()


def test_a_keyring_that_hangs_is_given_up(seed: Seed, environment: Environment, stopped_keyring: GnomeKeyring) -> None:
    result = seed("--timeout", "0.3")
    assert result.stderr == (
        b"git-credential-hf: the keyring was not filled: it gave no answer within 0.3 s; seed again\n"
    )
    assert (result.stdout.decode(), result.code) == (f"token file: written, {cache(environment)}\n", 3)
    assert cache(environment).read_text() == TOKEN

    stopped_keyring.process.send_signal(signal.SIGCONT)
    assert b"keyring: created" in seed().stdout


# --- git-lfs ---------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(shutil.which("git-lfs") is None, reason="NOT TESTED: git-lfs is not installed")
def test_git_lfs_has_its_filters_installed_once(seed: Seed, environment: Environment) -> None:
    first = seed("--git-lfs", "--no-keyring")
    assert first.stdout.decode().splitlines()[1:] == ["git-lfs: its filters are in the git configuration"]
    assert (first.stderr, first.code) == (b"", 0)
    shown = subprocess.run(
        ["git", "config", "--global", "filter.lfs.process"], env=environment, capture_output=True, check=True
    )
    assert shown.stdout == b"git-lfs filter-process\n"
    before = snapshot(Path(environment["HOME"]))
    again = seed("--git-lfs", "--no-keyring")
    assert (again.stderr, again.code) == (b"", 0)
    assert snapshot(Path(environment["HOME"])) == before


@pytest.mark.skipif(shutil.which("git-lfs") is None, reason="NOT TESTED: git-lfs is not installed")
def test_filters_of_somebody_elses_are_left_and_that_is_said(seed: Seed, environment: Environment) -> None:
    config = Path(environment["HOME"], ".gitconfig")
    config.write_text('[filter "lfs"]\n\tsmudge = my own\n')
    result = seed("--git-lfs", "--no-keyring", "--quiet")
    assert (result.stdout, result.code) == (b"", 3)
    assert result.stderr.startswith(b"git-credential-hf: `git lfs install --skip-repo` failed: ")
    assert result.stderr.count(b"\n") == 1
    assert "smudge = my own" in config.read_text()
    assert cache(environment).read_text() == TOKEN


@pytest.mark.parametrize("there", ["neither", "git", "git-lfs"])
def test_without_git_and_git_lfs_the_rest_is_done(
    seed: Seed, environment: Environment, tmp_path: Path, there: str
) -> None:
    (tmp_path / "bin").mkdir()
    for name in ("sh", "readlink", "python3", there):
        if found := shutil.which(name):
            write(tmp_path / "bin" / name, f'#!/bin/sh\nexec {found} "$@"\n', 0o755)
    result = seed("--git-lfs", "--no-keyring", PATH=str(tmp_path / "bin"))
    assert (result.stdout.decode(), result.code) == (f"token file: written, {cache(environment)}\n", 3)
    missing = b"git cannot be run: " if there == "git-lfs" else b"git-lfs is not installed. Try: "
    assert result.stderr.startswith(b"git-credential-hf: " + missing)
    assert result.stderr.count(b"\n") == 1
    assert result.stderr.endswith(b" && git lfs install --skip-repo\n")


def test_git_lfs_has_our_environment_without_hugging_faces_tokens(seed: Seed, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    write(tmp_path / "bin/git-lfs", "#!/bin/sh\n", 0o755)
    write(tmp_path / "bin/git", f'#!/bin/sh\necho "$*" >{tmp_path}/asked\nenv >>{tmp_path}/asked\n', 0o755)
    more = {"HF_TOKEN": "hf_a", "HUGGING_FACE_HUB_TOKEN": "hf_b", "OWN": "yes"}
    path = f"{tmp_path}/bin:{os.environ['PATH']}"
    assert seed("--git-lfs", "--no-keyring", PATH=path, **more).code == 0
    command, *variables = (tmp_path / "asked").read_text().splitlines()
    assert command == "lfs install --skip-repo"
    assert "OWN=yes" in variables
    assert [one for one in variables if one.startswith(("HF_TOKEN=", "HUGGING_FACE_HUB_TOKEN="))] == []


# --- what reads it ---------------------------------------------------------------------------------------------------


def test_nobody_listens(environment: Environment, source: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [EXECUTABLE, "seed", "--from", str(source)], stdout=writer, stderr=subprocess.PIPE, env=environment, check=False
    )
    os.close(writer)
    assert (done.stderr, done.returncode) == (b"", 0)
    assert cache(environment).read_text() == TOKEN


def test_standard_output_may_be_closed(environment: Environment, source: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" "$@" >&-', EXECUTABLE, "seed", "--from", str(source)],
        stderr=subprocess.PIPE,
        env=environment,
        check=False,
    )
    assert (done.stderr, done.returncode) == (b"", 0)
    assert cache(environment).read_text() == TOKEN
