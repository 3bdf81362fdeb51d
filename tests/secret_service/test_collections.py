"""Items of ours in several collections, and in another than the default one: open, locked, without a password."""

import contextlib
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from jeepney import DBusAddress, new_method_call
from jeepney.wrappers import unwrap_msg
from secretstorage.util import format_secret

from tests.asking import NOTHING, answer, declare, request, seed
from tests.conftest import EXECUTABLE, Environment, Result, Run
from tests.keyring_items import Items, plain_session
from tests.providers import SECRETS, GnomeKeyring, wait_until
from tests.secret_service.conftest import needed, prompted, say, wait_for_the_next_second

LOGIN = "/org/freedesktop/secrets/collection/login"
WORK = "/org/freedesktop/secrets/collection/work"
SESSION = "/org/freedesktop/secrets/collection/session"  # in memory alone
SERVICE = ("/org/freedesktop/secrets", "org.freedesktop.Secret.Service")

# A keyring without a password, as gnome-keyring keeps it.
WITHOUT_PASSWORD = """\
[keyring]
display-name=Work keyring
ctime=0
mtime=0
lock-on-idle=false
lock-after=false
"""

HUB = "https://huggingface.co"

BRING = ("seed", "--from", "-", "--no-cache")


class TwoKeyrings:
    """gnome-keyring with the default collection `login`, and `work` beside it, which has no password."""

    def __init__(self, folder: Path, display: str | None = None) -> None:
        keyrings = folder / "data/keyrings"
        keyrings.mkdir(parents=True, mode=0o700)
        (keyrings / "work.keyring").write_text(WITHOUT_PASSWORD)
        self.provider = GnomeKeyring(folder, display=display)
        self.bus = self.provider.bus
        self.unlock(WORK)

    def give_work_a_password(self) -> None:
        """Put a keyring with the password `work` in the place of that without."""
        self.bus.call(SECRETS, WORK, "org.freedesktop.Secret.Collection.Delete")
        attributes = {"org.freedesktop.Secret.Collection.Label": ("s", "work")}
        assert self._with_master_password("CreateWithMasterPassword", "a{sv}(oayays)", attributes) == (WORK,)

    def type_password(self) -> None:
        self._with_master_password("UnlockWithMasterPassword", "o(oayays)", WORK)

    def _with_master_password(self, method: str, kinds: str, argument: object) -> tuple[object, ...]:
        with self.items(LOGIN) as items:
            secret = format_secret(plain_session(items.connection), b"work", "text/plain")
            address = DBusAddress(SERVICE[0], SECRETS, "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface")
            call = new_method_call(address, method, kinds, (argument, secret))
            answer: tuple[object, ...] = unwrap_msg(items.connection.send_and_get_reply(call))
            return answer

    def _call(self, method: str, *arguments: str) -> None:
        path, interface = SERVICE
        self.bus.call(SECRETS, path, f"{interface}.{method}", *arguments)

    def unlock(self, collection: str) -> None:
        self._call("Unlock", f"array:objpath:{collection}")
        wait_until(lambda: not self.bus.is_locked(collection), f"{collection} opens")

    def lock(self, collection: str) -> None:
        self._call("Lock", f"array:objpath:{collection}")
        wait_until(lambda: self.bus.is_locked(collection), f"{collection} is locked")

    def make_default(self, collection: str) -> None:
        self._call("SetAlias", "string:default", f"objpath:{collection}")

    @contextlib.contextmanager
    def items(self, collection: str) -> Iterator[Items]:
        with contextlib.closing(Items(self.bus, collection)) as found:
            yield found

    def secrets(self, collection: str) -> list[bytes]:
        with self.items(collection) as found:
            return found.secrets()

    def in_work(self, act: Callable[[], object]) -> None:
        """Do something while `work` is the default collection."""
        self.make_default(WORK)
        act()
        self.make_default(LOGIN)


@pytest.fixture
def two(environment: Environment, tmp_path: Path) -> Iterator[TwoKeyrings]:
    needed(GnomeKeyring)
    keyrings = TwoKeyrings(tmp_path / "two")
    environment["DBUS_SESSION_BUS_ADDRESS"] = keyrings.bus.address
    with contextlib.closing(keyrings.provider):
        yield keyrings


def names_work(told: Result) -> bool:
    line = told.stderr
    return told.code == 3 and line.count(b"\n") == 1 and b'keyring "work"' in line and b"locked" in line


# --- the item is in an open collection that is not the default one ------------------------------------------


@pytest.mark.parametrize("default", ["open", "locked", "none"])
def test_an_item_in_another_open_collection_is_rotated_erased_and_forgotten_there(
    run: Run, two: TwoKeyrings, default: str
) -> None:
    two.in_work(lambda: seed(run, "hf_old"))
    if default == "locked":
        two.lock(LOGIN)
    elif default == "none":
        two.make_default("/")
    assert say(run, "hf_old") == "unchanged"
    assert say(run, "hf_new", "--require-keyring") == "replaced"
    assert two.secrets(WORK) == [b"hf_new"]
    assert run("get", input=request()) == answer("hf_user", "hf_new")
    assert run("erase", input=request(username="hf_user")) == NOTHING
    assert two.secrets(WORK) == []


@pytest.mark.parametrize("default", ["open", "locked", "none"])
def test_what_is_in_another_open_collection_is_forgotten(run: Run, two: TwoKeyrings, default: str) -> None:
    two.in_work(lambda: seed(run, "hf_host"))
    two.in_work(lambda: seed(run, "hf_org", "--scope", "org"))
    if default == "locked":
        two.lock(LOGIN)
    elif default == "none":
        two.make_default("/")
    done = run("forget", "--yes")
    assert (done.stderr, done.code, done.stdout.count(b"keyring: removed, ")) == (b"", 0, 2)
    assert two.secrets(WORK) == []


def test_what_can_be_replaced_is_and_what_cannot_be_created_is_named(
    run: Run, two: TwoKeyrings, environment: Environment
) -> None:
    table = '[tokens.{0}]\nenv = "T"\nscope = "{0}"\n'
    declare(environment, table.format("one"))
    two.make_default(WORK)
    assert run("seed", T="hf_old").code == 0
    two.make_default(LOGIN)
    two.lock(LOGIN)
    declare(environment, table.format("one") + table.format("two"))
    done = run("seed", T="hf_new")
    assert (done.code, done.stdout.count(b"replaced, "), done.stderr.count(b"\n")) == (3, 1, 1)
    assert b"huggingface.co/two" in done.stderr
    assert done.stderr.endswith(b". Try: git-credential-hf seed --unlock prompt --timeout 60\n")
    assert two.secrets(WORK) == [b"hf_new"]


def test_what_git_stored_in_another_collection_is_replaced_there_too(run: Run, two: TwoKeyrings) -> None:
    two.in_work(lambda: run("store", input=request(username="alice", password="typed")))
    assert run("store", input=request(username="alice", password="again")) == NOTHING
    assert (two.secrets(LOGIN), two.secrets(WORK)) == ([], [b"again"])


def test_copies_in_several_collections_become_one(run: Run, two: TwoKeyrings) -> None:
    for collection in (LOGIN, WORK):
        with two.items(collection) as items:
            items.add_ours(b"hf_old")
    assert say(run, "hf_new") == "replaced"
    assert (two.secrets(LOGIN), two.secrets(WORK)) == ([b"hf_new"], [])


@pytest.mark.parametrize("last", ["login", "work"])
def test_of_copies_in_several_collections_the_newest_answers(run: Run, two: TwoKeyrings, last: str) -> None:
    order = ["work", "login"] if last == "login" else ["login", "work"]
    for name in order:
        with two.items(f"/org/freedesktop/secrets/collection/{name}") as items:
            items.add_ours(f"hf_{name}".encode())
        wait_for_the_next_second()
    assert run("get", input=request()) == answer("hf_user", f"hf_{last}")
    assert run("get", input=request(path="org/one", username="alice")) == answer("alice", f"hf_{last}")


def test_a_seeded_copy_is_before_a_newer_one_that_git_stored_elsewhere(run: Run, two: TwoKeyrings) -> None:
    two.in_work(lambda: seed(run, "hf_seeded"))
    wait_for_the_next_second()
    run("store", input=request(username="hf_user", password="typed"))
    assert (two.secrets(LOGIN), two.secrets(WORK)) == ([b"typed"], [b"hf_seeded"])
    assert run("get", input=request()) == answer("hf_user", "hf_seeded")


# --- the collection that is gone at logout -------------------------------------------------------------------


@pytest.mark.parametrize("token", ["hf_old", "hf_new"])
def test_what_is_in_memory_alone_moves_to_the_default_collection(run: Run, two: TwoKeyrings, token: str) -> None:
    two.make_default(SESSION)
    run(*BRING, input=b"hf_old")
    run("store", input=request(username="alice", password="typed"))
    two.make_default(LOGIN)
    assert say(run, token) == "replaced"
    assert run("store", input=request(username="alice", password="again")) == NOTHING
    assert (two.secrets(SESSION), two.secrets(LOGIN)) == ([], [b"again", token.encode()])
    assert say(run, token) == "unchanged"
    two.provider.renew()
    assert run("get", input=request()) == answer("hf_user", token)


def test_what_is_in_memory_alone_is_replaced_there_where_the_default_collection_is_locked(
    run: Run, two: TwoKeyrings
) -> None:
    two.make_default(SESSION)
    run(*BRING, input=b"hf_old")
    two.make_default(LOGIN)
    two.lock(LOGIN)
    done = run(*BRING, input=b"hf_new")
    assert (done.stdout.partition(b",")[0], done.code) == (b"keyring: replaced", 0)
    assert b"at logout" in done.stderr
    assert run("get", input=request()) == answer("hf_user", "hf_new")


def test_a_default_collection_that_is_gone_at_logout_is_told_of(run: Run, two: TwoKeyrings) -> None:
    run("configure")
    assert json.loads(run("status", "--json", HUB).stdout)["keyring"]["until_logout"] is False
    two.make_default(SESSION)
    told = "git-credential-hf: the keyring loses tokens at logout: its default collection is in memory. "
    for command, again in (
        ("seed --from - --scope org", "seed --from - --scope org"),
        ("login --with-token --offline --scope org", "login --scope org --offline"),
    ):
        done = run(*command.split(), input=b"hf_OfAnOrganisation")
        remedy = f"Make another one its default, then: git-credential-hf {again}\n"
        assert (done.stderr.decode(), done.code) == (told + remedy, 0)
    rows = run("list").stdout.decode().splitlines()
    assert rows[1].split()[3:5] == ["keyring", "session"]
    known = json.loads(run("status", "--json", HUB).stdout)["keyring"]
    assert (known["collection"], known["until_logout"]) == ("session", True)
    assert "are gone at logout\n" in run("status", HUB).stdout.decode()


# --- the item is in a locked collection ---------------------------------------------------------------------


@pytest.fixture
def protected(two: TwoKeyrings) -> TwoKeyrings:
    """`work` has a password; it is open still."""
    two.give_work_a_password()
    return two


def test_a_copy_in_a_locked_collection_is_named_and_loses_to_the_newer(run: Run, protected: TwoKeyrings) -> None:
    protected.in_work(lambda: seed(run, "hf_old"))
    wait_for_the_next_second()
    protected.lock(WORK)
    told = run(*BRING, input=b"hf_new")
    assert names_work(told)
    assert told.stderr.endswith(b". Try: git-credential-hf seed --from - --no-cache --unlock prompt --timeout 60\n")
    assert told.stdout.startswith(b"keyring: created, ")
    assert protected.secrets(LOGIN) == [b"hf_new"]
    assert run("get", input=request()) == answer("hf_user", "hf_new")
    protected.type_password()
    assert run("get", input=request()) == answer("hf_user", "hf_new")
    assert say(run, "hf_new") == "replaced"
    assert (protected.secrets(LOGIN), protected.secrets(WORK)) == ([b"hf_new"], [])


def test_forget_names_what_is_in_a_locked_collection(run: Run, protected: TwoKeyrings) -> None:
    protected.in_work(lambda: seed(run, "hf_old"))
    protected.in_work(lambda: seed(run, "hf_org", "--scope", "org"))
    seed(run, "hf_other", "--scope", "other")
    protected.lock(WORK)
    with protected.bus.calls() as made:
        for arguments, removed in ((("--scope", "org"), 0), ((), 1), ((), 0)):
            done = run("forget", "--yes", *arguments)
            assert names_work(done)
            assert done.stdout.count(b"keyring: removed, ") == removed
            again = " ".join(["git-credential-hf forget", *arguments, "--yes"])
            assert done.stderr.decode().endswith(f". Unlock it, then: {again}\n")
        done = run("forget", "--yes", "--scope", "third")
        assert (done.stdout, done.stderr, done.code) == (b"nothing to remove\n", b"", 0)
        assert run("get", input=request()) == NOTHING
    assert not any(call.endswith((" Prompt", " Dismiss")) for call in made)
    protected.type_password()
    assert protected.secrets(WORK) == [b"hf_old", b"hf_org"]


def test_another_programs_item_in_a_locked_collection_is_not_named(run: Run, protected: TwoKeyrings) -> None:
    with protected.items(WORK) as items:
        items.add(b"theirs", xdg__schema="org.git.Password", protocol="https", server="huggingface.co", user="hf_user")
    protected.lock(WORK)
    done = run(*BRING, input=b"hf_new")
    assert (done.stderr, done.code) == (b"", 0)
    done = run("forget", "--yes")
    assert (done.stderr, done.code) == (b"", 0)


def test_what_is_declared_no_more_in_a_locked_collection_is_named(
    run: Run, protected: TwoKeyrings, environment: Environment
) -> None:
    declare(environment, '[tokens.t]\nenv = "T"\n')
    protected.make_default(WORK)
    assert run("seed", T="hf_old").code == 0
    protected.make_default(LOGIN)
    protected.lock(WORK)
    declare(environment, "")
    assert names_work(run("seed", T="hf_old"))


def test_a_locked_collection_beside_the_default_one_is_named(
    run: Run, two: TwoKeyrings, environment: Environment
) -> None:
    run("configure")
    seed(run, "hf_host")
    two.make_default(WORK)
    two.lock(LOGIN)
    with two.bus.calls() as made:
        known = json.loads(run("status", "--json", HUB).stdout)
        table = run("status", HUB).stdout.decode()
    assert prompted(made) == []
    told = run("token")
    locked = 'the keyring\'s items in the collection "Login" are locked'
    assert known["verdict"] == f"No token: git gets none for huggingface.co: no source has one ({locked})"
    assert [one["why"] for one in known["sources"] if one["name"] == "keyring"] == [locked]
    assert "1 locked item for this host\n" in table
    (finding,) = (one for one in known["findings"] if one["severity"] == "error")
    assert (finding["code"], finding["message"]) == (
        "keyring-locked",
        'the items of gnome-keyring-daemon in the collection "Login" are locked, and 1 of them may be for this host',
    )
    assert (told.stdout, told.code) == (b"", 1)
    assert told.stderr == (
        b"git-credential-hf: no token for https://huggingface.co: what the keyring may have for it is locked, and no "
        b"other source has one. Try: git-credential-hf status https://huggingface.co\n"
    )
    command = finding["remedy"].replace("-hf login", "-hf login --with-token --offline")  # there is no terminal
    path = f"{Path(EXECUTABLE).parent}:{environment['PATH']}"
    subprocess.run(["sh", "-c", command], input=b"hf_TypedOnceMore", env=environment | {"PATH": path}, check=True)
    assert run("token").stdout == b"hf_TypedOnceMore\n"
    assert run("status", "--quiet", HUB) == NOTHING


@pytest.mark.parametrize("token", ["hf_rejected", "hf_given"])
def test_a_locked_collection_is_no_finding_where_the_open_one_has_an_item(
    run: Run, two: TwoKeyrings, environment: Environment, token: str
) -> None:
    run("configure")
    for collection, text in ((LOGIN, b"hf_host"), (WORK, token.encode())):
        with two.items(collection) as items:
            items.add_ours(text)
    two.make_default(WORK)
    two.lock(LOGIN)
    if token == "hf_rejected":
        run("erase", input=request(username="hf_user", password=token))
    environment["DISPLAY"] = ":99"
    codes = [one["code"] for one in json.loads(run("status", "--json", HUB).stdout)["findings"]]
    assert "keyring-locked" not in codes
    assert ("token-rejected" in codes) == (token == "hf_rejected")


# --- a collection that opens without a password -------------------------------------------------------------


def test_a_keyring_without_a_password_opens_by_itself(run: Run, two: TwoKeyrings) -> None:
    two.make_default(WORK)
    seed(run, "hf_old")
    acts: list[Callable[[], bool]] = [
        lambda: run("get", input=request()) == answer("hf_user", "hf_old"),
        lambda: say(run, "hf_new", "--require-keyring") == "replaced",
        lambda: run("store", input=request(username="alice", password="typed")) == NOTHING,
        lambda: run("erase", input=request(username="alice")) == NOTHING,
        lambda: run("forget", "--yes").code == 0,
    ]
    for act in acts:
        two.lock(WORK)
        with two.bus.calls() as made:
            assert act()
        assert not any(call.endswith((" Prompt", " Dismiss")) for call in made)
        two.unlock(WORK)
    assert two.secrets(WORK) == []


def test_a_keyring_without_a_password_is_left_where_nothing_may_be_unlocked(run: Run, two: TwoKeyrings) -> None:
    two.make_default(WORK)
    seed(run, "hf_old")
    two.lock(WORK)
    with two.bus.calls() as made:
        assert run("--unlock", "never", "get", input=request()) == NOTHING
    assert prompted(made) == []


def test_the_seeded_one_in_a_keyring_without_a_password_is_before_a_stored_one(run: Run, two: TwoKeyrings) -> None:
    two.in_work(lambda: seed(run, "hf_seeded"))
    run("store", input=request(username="hf_user", password="typed"))
    two.lock(WORK)
    assert run("get", input=request()) == answer("hf_user", "hf_seeded")
