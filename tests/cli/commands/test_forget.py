"""forget: what is left in the keyring and of the token file after it, what it asks and says, and how it ends."""

import fcntl
import os
import socket
import subprocess
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from git_credential_hf.cli import parser, token_file
from git_credential_hf.cli.commands import forget as module
from git_credential_hf.model.token_text import masked
from tests.asking import request
from tests.cli.conftest import ROTATED, TOKEN, cache, write
from tests.cli.terminal import at_a_terminal
from tests.conftest import AS_ROOT, EXECUTABLE, Environment, Result, Run, run_call
from tests.hub import Hub, fingerprint
from tests.keyring_items import LIBSECRET, Items
from tests.providers import GnomeKeyring, wait_until
from tests.secret_service.fake_bus import ANSWERS, Script, answer, begun, bus, calls, mute_from

HOST = "hub.example.org:8443"
SCOPED, ALICES, TYPED, BEARER, ELSEWHERE, THEIRS = (f"hf_{name}" for name in ("org", "al", "bob", "bear", "hub", "gcm"))
TOKENS = (TOKEN, SCOPED, ALICES, TYPED, BEARER, ELSEWHERE)


def named(token: str, place: str = "huggingface.co", user: str = "hf_user") -> str:
    return f"token {masked(token)} for {place} as {user}"


def removed(result: Result) -> list[str]:
    """What a run that removed everything it wanted to says, in no order."""
    assert (result.stderr, result.code) == (b"", 0)
    assert not any(token.encode() in result.stdout for token in TOKENS)
    return sorted(result.stdout.decode().splitlines())


def left(token: str, environment: Environment) -> str:
    mask = masked(token)
    return f"token file: left, token {mask} is not known to be from seed, {cache(environment)}"


def seed(run: Run, token: str, *arguments: str) -> None:
    done = run("seed", "--from", "-", *arguments, input=token.encode())
    assert (done.stderr, done.code) == (b"", 0)


@pytest.fixture
def full(run: Run, keyring: Items) -> Items:
    """A keyring with an item of ours of every kind, and some of other programs; TOKEN is in the cache too."""
    seed(run, TOKEN)
    seed(run, SCOPED, "--scope", "my-org")
    seed(run, ALICES, "--user", "alice", "--no-cache")
    seed(run, ALICES, "--user", "alice", "--scope", "datasets/my-org/data")
    seed(run, ELSEWHERE, "--host", HOST)
    stored = (
        request(username="bob", password=TYPED),
        request(**{"capability[]": "authtype", "authtype": "Bearer", "credential": BEARER}),
    )
    for one in stored:
        assert run("store", input=one) == Result(b"", b"", 0)
    keyring.add(THEIRS.encode(), **LIBSECRET)
    keyring.add(THEIRS.encode(), service="git:https://huggingface.co", account="alice")
    assert len(keyring.all()) == 9
    return keyring


OURS = {
    TOKEN: named(TOKEN),
    SCOPED: named(SCOPED, "huggingface.co/my-org"),
    ALICES: named(ALICES, user="alice"),
    "alice's data": named(ALICES, "huggingface.co/datasets/my-org/data", "alice"),
    TYPED: named(TYPED, user="bob"),
    BEARER: named(BEARER, user="any user"),
    ELSEWHERE: named(ELSEWHERE, HOST),
}


@pytest.mark.parametrize(
    ("arguments", "gone", "with_cache"),
    [
        ("", (TOKEN, SCOPED, ALICES, "alice's data", TYPED, BEARER), True),
        ("--host hf.co", (TOKEN, SCOPED, ALICES, "alice's data", TYPED, BEARER), True),
        ("--host huggingface.co:443", (TOKEN, SCOPED, ALICES, "alice's data", TYPED, BEARER), True),
        (f"--host {HOST}", (ELSEWHERE,), False),
        ("--scope my-org", (SCOPED,), False),
        ("--scope my-org --user hf_user", (SCOPED,), False),
        ("--scope datasets/my-org/data", ("alice's data",), False),
        ("--user alice", (ALICES, "alice's data"), False),
        ("--user alice --scope datasets/my-org/data", ("alice's data",), False),
        ("--user hf_user", (TOKEN, SCOPED), True),
        ("--user bob", (TYPED,), False),
    ],
)
def test_what_was_put_away_goes_and_nothing_else(
    run: Run, full: Items, environment: Environment, arguments: str, gone: tuple[str, ...], with_cache: bool
) -> None:
    file = cache(environment)
    expected = [f"keyring: removed, {OURS[one]}" for one in gone]
    if with_cache:
        expected.append(f"token file: removed, token {masked(TOKEN)}, {file}")
    assert removed(run("forget", "--yes", *arguments.split())) == sorted(expected)
    left = [ALICES if one == "alice's data" else one for one in OURS if one not in gone]
    assert [secret.partition(b"\n")[0].decode() for secret in full.secrets()] == sorted([*left, THEIRS, THEIRS])
    assert file.exists() == (not with_cache)
    assert removed(run("forget", "--yes", *arguments.split())) == ["nothing to remove"]


@pytest.mark.parametrize("arguments", ["--scope my", "--scope my-org/data", "--user carol", "--host example.org"])
def test_what_is_not_there_is_not_removed(run: Run, full: Items, environment: Environment, arguments: str) -> None:
    assert removed(run("forget", "--yes", *arguments.split())) == ["nothing to remove"]
    assert len(full.all()) == 9
    assert cache(environment).read_text() == TOKEN


def test_a_superset_of_ours_is_not_ours(run: Run, keyring: Items) -> None:
    seed(run, TOKEN, "--no-cache")
    (ours,) = keyring.all()
    keyring.collection.create_item("another program's", ours.attributes | {"port": "8443"}, THEIRS.encode())
    assert removed(run("forget", "--yes")) == [f"keyring: removed, {named(TOKEN)}"]
    assert keyring.secrets() == [THEIRS.encode()]


def test_git_gets_nothing_then(run: Run, keyring: Items) -> None:
    seed(run, TOKEN)
    assert TOKEN.encode() in run("get", input=request()).stdout
    run("forget", "--yes")
    assert run("get", input=request()) == Result(b"", b"", 0)


def test_an_item_whose_secret_was_lost_goes_too(run: Run, keyring: Items) -> None:
    seed(run, TOKEN, "--no-cache")
    (item,) = keyring.collection.get_all_items()
    item.set_secret(b"")
    assert removed(run("forget", "--yes")) == [
        "keyring: removed, an item without a token for huggingface.co as hf_user"
    ]
    assert keyring.all() == []


# --- the token file -------------------------------------------------------------------------------------------------


def test_another_token_in_the_cache_stays(run: Run, keyring: Items, environment: Environment) -> None:
    seed(run, TOKEN)
    write(cache(environment), ROTATED)
    assert removed(run("forget", "--yes")) == [f"keyring: removed, {named(TOKEN)}", left(ROTATED, environment)]
    assert removed(run("forget", "--yes")) == ["nothing to remove", left(ROTATED, environment)]
    assert cache(environment).read_text() == ROTATED


def test_the_same_token_under_a_scope_keeps_the_cache(run: Run, keyring: Items, environment: Environment) -> None:
    seed(run, TOKEN, "--scope", "my-org")
    cache(environment).parent.mkdir(parents=True)
    write(cache(environment), TOKEN)
    gone = f"keyring: removed, {named(TOKEN, 'huggingface.co/my-org')}"
    assert removed(run("forget", "--yes")) == [gone, left(TOKEN, environment)]
    assert cache(environment).read_text() == TOKEN


def test_without_a_keyring_the_cache_is_what_seed_filled(run: Run, environment: Environment) -> None:
    seed(run, TOKEN)
    for arguments in (("--scope", "my-org"), ("--user", "alice"), ("--host", HOST)):
        assert removed(run("forget", "--yes", *arguments)) == ["nothing to remove: no D-Bus session"]
    gone = f"token file: removed, token {masked(TOKEN)}, {cache(environment)}"
    assert removed(run("forget", "--yes")) == ["keyring: not searched, no D-Bus session", gone]
    assert not cache(environment).exists()
    assert removed(run("forget", "--yes")) == ["nothing to remove: no D-Bus session"]


def test_without_a_keyring_what_hf_put_into_the_cache_stays(run: Run, environment: Environment) -> None:
    cache(environment).parent.mkdir(parents=True)
    write(cache(environment), TOKEN)
    write(cache(environment).parent / "stored_tokens", f"[mine]\nhf_token = {TOKEN}\n\n")
    expected = ["nothing to remove: no D-Bus session", left(TOKEN, environment)]
    assert removed(run("forget", "--yes")) == expected
    assert cache(environment).read_text() == TOKEN


def test_what_is_known_beside_the_token_does_not_hide_it(run: Run, keyring: Items, environment: Environment) -> None:
    assert run("store", input=request(username="alice", password=TOKEN, oauth_refresh_token="x")).code == 0
    cache(environment).parent.mkdir(parents=True)
    write(cache(environment), TOKEN + "\n")
    removed(run("forget", "--yes"))
    assert not cache(environment).exists()


@pytest.fixture
def linked(environment: Environment, tmp_path: Path) -> Path:
    """The file of a person's own that the token file leads to, and that holds TOKEN."""
    mine = tmp_path / "mine"
    write(mine, TOKEN)
    cache(environment).parent.mkdir(parents=True)
    cache(environment).symlink_to(mine)
    return mine


def test_a_link_in_the_place_of_the_token_file_is_named_and_stays(
    run: Run, keyring: Items, environment: Environment, linked: Path
) -> None:
    file = cache(environment)
    line = f"token file: left, since it is a symbolic link, token {masked(TOKEN)}, {file}. Try: rm {file}"
    seed(run, TOKEN)
    assert removed(run("forget", "--yes")) == [f"keyring: removed, {named(TOKEN)}", line]
    assert removed(run("forget", "--yes")) == ["nothing to remove", line]
    environment["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=/not/there"
    assert removed(run("forget", "--yes")) == ["nothing to remove: no D-Bus session", line]
    for arguments in (("--user", "alice"), ("--scope", "my-org")):
        assert removed(run("forget", "--yes", *arguments)) == ["nothing to remove: no D-Bus session"]
    assert file.is_symlink()
    assert linked.read_text() == TOKEN
    subprocess.run(line.partition("Try: ")[2], shell=True, check=True)  # noqa: S602 - as a person would
    assert removed(run("forget", "--yes")) == ["nothing to remove: no D-Bus session"]
    assert (run("get", input=request()), linked.read_text()) == (Result(b"", b"", 0), TOKEN)


def test_a_link_to_no_token_is_not_named(run: Run, environment: Environment, linked: Path) -> None:
    linked.unlink()
    assert removed(run("forget", "--yes")) == ["nothing to remove: no D-Bus session"]


def test_what_a_killed_seed_left_beside_the_cache_goes(run: Run, keyring: Items, environment: Environment) -> None:
    seed(run, TOKEN)
    write(cache(environment).parent / ".token.git-credential-hf", TOKEN)
    (cache(environment).parent / "stored_tokens").touch()
    removed(run("forget", "--yes"))
    assert [one.name for one in cache(environment).parent.iterdir()] == ["stored_tokens"]


@pytest.fixture
def unremovable() -> Iterator[Path]:
    """A file with hf_name in it that not even root can remove: the kernel's, of the name of this process."""
    file = Path(f"/proc/{os.getpid()}/comm")
    before = file.read_text()
    file.write_text("hf_name")
    yield file
    file.write_text(before)


def test_a_cache_that_cannot_be_removed_is_named(
    run: Run, keyring: Items, environment: Environment, unremovable: Path
) -> None:
    seed(run, "hf_name", "--no-cache")
    environment["HF_TOKEN_PATH"] = str(unremovable)
    result = run("forget", "--yes")
    assert (result.stdout.decode(), result.code) == (f"keyring: removed, {named('hf_name')}\n", 3)
    assert result.stderr.count(b"\n") == 1
    assert f"the token file {unremovable} cannot be removed" in result.stderr.decode()
    assert result.stderr.endswith(b"; fix that. Then: git-credential-hf forget --yes\n")
    assert keyring.all() == []


@AS_ROOT
def test_the_home_of_another_user_is_left(run: Run, keyring: Items, environment: Environment) -> None:
    seed(run, TOKEN)
    os.chown(environment["HOME"], 65534, 65534)
    result = run("forget", "--yes")
    assert (result.stdout, result.code) == (b"", 1)
    assert b"runuser -u nobody -- git-credential-hf forget" in result.stderr
    assert keyring.secrets() == [TOKEN.encode()]


# --- the question ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "is_yes"),
    [(b"y\n", True), (b"Yes\n", True), (b"n\n", False), (b"\n", False), (b"yesterday\n", False), (b"\x04", False)],
)
def test_a_person_sees_what_goes_and_is_asked(
    run: Run, keyring: Items, environment: Environment, typed: bytes, is_yes: bool
) -> None:
    seed(run, TOKEN)
    with at_a_terminal(environment, "forget") as person:
        person.until("[y/N] ")
        assert person.shown == (
            f"keyring: {named(TOKEN)}\ntoken file: token {masked(TOKEN)}, {cache(environment)}\nRemove this? [y/N] "
        )
        code = person.type(typed)
        assert TOKEN not in person.shown
        if is_yes:
            assert (code, keyring.all(), cache(environment).exists()) == (0, [], False)
            assert f"keyring: removed, {named(TOKEN)}\n" in person.shown
        else:
            assert (code, keyring.secrets(), cache(environment).exists()) == (1, [TOKEN.encode()], True)
            assert "nothing was removed, since the answer was not yes\n" in person.shown


def test_what_changed_before_the_answer_stays(run: Run, keyring: Items, environment: Environment) -> None:
    seed(run, TOKEN)
    with at_a_terminal(environment, "forget") as person:
        person.until("[y/N] ")
        seed(run, ROTATED)
        assert person.type(b"y\n") == 0
        assert f"keyring: changed in the meantime and left, {named(TOKEN)}\n" in person.shown
        assert f"token file: changed in the meantime and left, {cache(environment)}\n" in person.shown
    assert keyring.secrets() == [ROTATED.encode()]
    assert cache(environment).read_text() == ROTATED


def test_without_a_terminal_it_has_to_be_told(run: Run, full: Items, environment: Environment) -> None:
    for arguments in ((), ("--scope", "my-org")):
        result = run("forget", *arguments)
        assert (result.stdout, result.code, result.stderr.count(b"\n")) == (b"", 2, 1)
        assert result.stderr.decode().endswith(f" Try: git-credential-hf {' '.join(('forget', *arguments))} --yes\n")
    assert len(full.all()) == 9
    assert cache(environment).exists()


# --- a keyring in trouble --------------------------------------------------------------------------------------------


def test_a_locked_keyring_is_named_and_the_cache_stays(run: Run, own: GnomeKeyring, environment: Environment) -> None:
    seed(run, TOKEN)
    own.restart(locked=True)
    result = run("forget", "--yes")
    assert (result.stdout, result.code, result.stderr.count(b"\n")) == (b"", 1, 1)
    assert result.stderr == (
        b"git-credential-hf: nothing was removed: the keyring cannot be searched, it is locked. "
        b"Unlock it, then: git-credential-hf forget --yes\n"
    )
    assert cache(environment).read_text() == TOKEN


def large(connection: socket.socket) -> None:
    """As a keyring that answers with more than any answer takes."""
    data = begun(connection)
    for member, call in calls(connection, data):
        huge = answer(call, ("s", ("x" * (1 << 17),)))
        connection.sendall(answer(call, ANSWERS["Hello"]) if member == "Hello" else huge)


@pytest.mark.parametrize("run", ["call"], indirect=True)
@pytest.mark.parametrize(
    ("keyring_does", "why"),
    [(large, "a message is too large"), (mute_from("AddMatch"), "it gave no answer within 0.5 s")],
)
def test_a_keyring_that_cannot_be_searched_is_not_called_locked(
    run: Run, environment: Environment, monkeypatch: pytest.MonkeyPatch, keyring_does: Script, why: str
) -> None:
    monkeypatch.setattr(parser, "_SECONDS", 0.5)
    with bus(environment, keyring_does):
        result = run("forget", "--yes")
    assert (result.stdout, result.code) == (b"", 1)
    assert result.stderr.decode() == (
        f"git-credential-hf: nothing was removed: the keyring cannot be searched, {why}. "
        "Try: git-credential-hf status\n"
    )


def test_a_keyring_that_ends_before_the_answer_leaves_its_part(
    run: Run, own: GnomeKeyring, environment: Environment
) -> None:
    seed(run, TOKEN)
    with at_a_terminal(environment, "forget") as person:
        person.until("[y/N] ")
        own.stop()
        assert person.type(b"y\n") == 3
        assert "token file: removed" in person.shown
        assert "the keyring did not remove everything" in person.shown
    own.start()
    assert TOKEN.encode() in run("get", input=request()).stdout
    assert removed(run("forget", "--yes")) == [f"keyring: removed, {named(TOKEN)}"]


@pytest.mark.parametrize("run", ["process"], indirect=True)
def test_a_seed_that_is_half_way_is_waited_for(run: Run, keyring: Items, environment: Environment) -> None:
    seed(run, TOKEN)
    seed(run, SCOPED, "--scope", "my-org")
    (item,) = (one for one in keyring.collection.get_all_items() if one.get_secret() == SCOPED.encode())
    still_to_come = item.get_label(), item.get_attributes(), item.get_secret()
    item.delete()
    lock = Path(environment["HOME"], ".local/state/git-credential-hf")
    folder = os.open(lock, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    process = subprocess.Popen([EXECUTABLE, "forget", "--yes"], env=environment, stdout=subprocess.PIPE)
    opened = Path(f"/proc/{process.pid}/fd")
    wait_until(lambda: lock in [Path(os.path.realpath(one)) for one in opened.iterdir()], "forget wants the lock")
    keyring.collection.create_item(*still_to_come)
    os.close(folder)
    told, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert keyring.all() == []
    assert not cache(environment).exists()
    assert f"keyring: removed, {named(SCOPED, 'huggingface.co/my-org')}\n" in told.decode()


def test_another_run_that_does_not_end_is_told_of(
    keyring: Items, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_WAIT", 0.1)
    run_call(("seed", "--from", "-"), TOKEN.encode(), environment)
    folder = os.open(Path(environment["HOME"], ".local/state/git-credential-hf"), os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        result = run_call(("forget", "--yes"), b"", environment)
    finally:
        os.close(folder)
    assert (result.stdout, result.code, result.stderr.count(b"\n")) == (b"", 1, 1)
    assert b"another run" in result.stderr
    assert keyring.secrets() == [TOKEN.encode()]


# --- revoking --------------------------------------------------------------------------------------------------------


@pytest.fixture
def at_hub(hub: Hub, run: Run, full: Items, environment: Environment) -> Hub:
    """The Hub that knows every token of the keyring."""
    environment |= hub.environ()
    for token in TOKENS:
        hub.add_token(token)
    return hub


def test_revoked_tokens_end_at_the_hub(run: Run, full: Items, at_hub: Hub, environment: Environment) -> None:
    done = run("forget", "--scope", "my-org", "--revoke", "--yes")
    assert removed(done) == [
        f"keyring: removed, {named(SCOPED, 'huggingface.co/my-org')}", f"the Hub: revoked, token {masked(SCOPED)}"
    ]  # fmt: skip
    assert at_hub.revocations == [[fingerprint(SCOPED)]]
    assert [(one.host, one.method, one.path, one.token) for one in at_hub.log] == [
        ("huggingface.co", "POST", "/api/credentials/revoke", None)
    ]
    assert len(full.all()) == 8


def test_everything_is_revoked_at_once(run: Run, full: Items, at_hub: Hub, environment: Environment) -> None:
    assert run("forget", "--revoke", "--yes").code == 0
    (ended,) = at_hub.revocations
    assert sorted(ended) == sorted(fingerprint(token) for token in TOKENS if token != ELSEWHERE)
    assert not cache(environment).exists()


def test_without_the_option_nothing_is_revoked(run: Run, full: Items, at_hub: Hub) -> None:
    assert run("forget", "--yes").code == 0
    assert at_hub.log == []


@pytest.mark.parametrize("trouble", ["status", "no answer"])
def test_what_is_not_revoked_is_not_removed(
    run: Run, full: Items, at_hub: Hub, environment: Environment, trouble: str
) -> None:
    if trouble == "status":
        at_hub.revoke_status = HTTPStatus.TOO_MANY_REQUESTS
    else:
        for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            environment[name] = "http://127.0.0.1:9"
    why = "it answers with status 429" if trouble == "status" else "it cannot be reached (Connection refused)"
    done = run("forget", "--scope", "my-org", "--revoke", "--yes")
    assert (done.stdout, done.code) == (b"", 1)
    assert done.stderr.decode() == f"git-credential-hf: the Hub did not revoke 1 token: {why}. Nothing was removed\n"
    assert len(full.all()) == 9


@pytest.mark.parametrize(("typed", "is_yes"), [("y", True), ("n", False)])
def test_revoking_is_asked_once_more(
    run: Run, keyring: Items, hub: Hub, environment: Environment, typed: str, is_yes: bool
) -> None:
    environment |= hub.environ()
    seed(run, TOKEN)
    with at_a_terminal(environment, "forget", "--revoke") as person:
        person.until("Remove this? [y/N] ")
        person.write(b"y\n")
        person.until("Revoke 1 token at the Hub, everywhere and for good? [y/N] ")
        assert person.type(typed.encode() + b"\n") == (0 if is_yes else 1)
    assert ("nothing was removed or revoked, since the answer was not yes" in person.shown) != is_yes
    assert (hub.revocations, keyring.secrets()) == (
        ([[fingerprint(TOKEN)]], []) if is_yes else ([], [TOKEN.encode()])
    )  # fmt: skip


def test_a_token_of_another_host_is_not_the_hubs_to_revoke(run: Run, full: Items, at_hub: Hub) -> None:
    done = run("forget", "--host", HOST, "--revoke", "--yes")
    assert (done.stdout, done.code) == (b"", 2)
    assert b"`--revoke` is for tokens of huggingface.co alone" in done.stderr
    assert (at_hub.log, len(full.all())) == ([], 9)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("--scope my-org", "--scope my-org"),
        ("--user alice --scope my-org --revoke", "--scope my-org --user alice --revoke"),
        (f"--host {HOST}", f"--host {HOST}"),
    ],
)
def test_without_a_terminal_the_remedy_removes_no_more(run: Run, given: str, told: str) -> None:
    result = run("forget", *given.split())
    assert (result.stdout, result.code) == (b"", 2)
    assert result.stderr.endswith(f" Try: git-credential-hf forget {told} --yes\n".encode())


def test_what_was_revoked_and_not_removed_is_told(
    environment: Environment, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_file, "_WAIT", 0.1)
    environment |= hub.environ()
    hub.add_token(TOKEN)
    run_call(("seed", "--from", "-"), TOKEN.encode(), environment)
    folder = os.open(cache(environment).parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        result = run_call(("forget", "--revoke", "--yes"), b"", environment)
    finally:
        os.close(folder)
    assert (result.code, result.stderr.count(b"\n")) == (3, 1)
    assert result.stdout.startswith(f"the Hub: revoked, token {masked(TOKEN)}\n".encode())
    assert b"nothing was removed" not in result.stderr
    assert hub.revocations == [[fingerprint(TOKEN)]]


def test_copies_of_a_revoked_token_are_named(run: Run, keyring: Items, hub: Hub, environment: Environment) -> None:
    environment |= hub.environ()
    seed(run, TOKEN)
    seed(run, TOKEN, "--scope", "my-org")
    copies = (f"keyring: {named(TOKEN)}", f"token file: token {masked(TOKEN)}, {cache(environment)}")
    with at_a_terminal(environment, "forget", "--scope", "my-org", "--revoke", columns=400) as person:
        person.until("Remove this? [y/N] ")
        assert person.type(b"n\n") == 1
    assert all(f"left, and revoked too, {copy}\n" in person.shown for copy in copies)
    done = run("forget", "--scope", "my-org", "--revoke", "--yes")
    assert done.code == 3
    assert done.stderr.decode().splitlines() == [
        f"git-credential-hf: revoked and left, {copy}. Try: git-credential-hf list" for copy in copies
    ]
    assert keyring.secrets() == [TOKEN.encode()]


def test_what_login_stored_in_the_token_file_alone_goes_too(run: Run, keyring: Items, environment: Environment) -> None:
    login = ("login", "--with-token", "--offline", "--no-configure", "--no-keyring")
    assert run(*login, input=TOKEN.encode()).code == 0
    assert run("forget", "--yes", "--user", "alice").code == 0
    assert cache(environment).read_text() == TOKEN
    assert removed(run("forget", "--yes")) == [f"token file: removed, token {masked(TOKEN)}, {cache(environment)}"]
    assert not cache(environment).exists()
