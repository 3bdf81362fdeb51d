"""list: what is stored, for what and where, as a table and as JSON."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from git_credential_hf.model.token import fingerprint
from tests.asking import declare, request, seed
from tests.cli.conftest import cache, write
from tests.cli.terminal import at_a_terminal
from tests.conftest import Environment, Result, Run
from tests.keyring_items import LIBSECRET, Items
from tests.providers import Bus, GnomeKeyring

HOST, ORG, DECLARED, STORED, THEIRS = (
    f"hf_{name}0123456789AbCdEf{name}" for name in ("hOst", "oRgs", "dEcl", "sTor", "gCmx")
)
NO_BUS = "keyring: skipped (no D-Bus session)"


def listed(result: Result) -> list[str]:
    assert (result.stderr, result.code) == (b"", 0)
    assert not any(token.encode() in result.stdout for token in (HOST, ORG, DECLARED, STORED, THEIRS))
    return result.stdout.decode().splitlines()


@pytest.fixture
def full(run: Run, keyring: Items, environment: Environment) -> Items:
    """A keyring with an item of every origin, and one of another program; HOST is in the token file too."""
    declare(environment, '[tokens.org]\nenv = "ORG"\nscope = "my-org"\nuser = "alice"\nexpires = 2090-01-31\n')
    assert run("seed", ORG=DECLARED).code == 0
    assert run("seed", "--from", "-", input=HOST.encode()).code == 0
    seed(run, ORG, "--scope", "datasets/my-org/data")
    seed(run, ORG, "--host", "git.example.org:8443")
    run("store", input=request(username="bob", password=STORED))
    keyring.add(THEIRS.encode(), **LIBSECRET)
    return keyring


def test_what_is_stored(run: Run, full: Items, environment: Environment) -> None:
    assert [line.split() for line in listed(run("list"))] == [
        ["SCOPE", "USER", "TOKEN", "WHERE", "EXPIRES", "ORIGIN"],
        ["git.example.org:8443", "hf_user", "hf_****oRgs", "keyring", "Login", "-", "seed"],
        ["huggingface.co", "bob", "hf_****sTor", "keyring", "Login", "-", "store"],
        ["huggingface.co", "hf_user", "hf_****hOst", "keyring", "Login", "-", "seed"],
        ["huggingface.co/datasets/my-org/data", "hf_user", "hf_****oRgs", "keyring", "Login", "-", "seed"],
        ["huggingface.co/my-org", "alice", "hf_****dEcl", "keyring", "Login", "2090-02-01", "tokens.toml"],
        ["huggingface.co", "-", "hf_****hOst", "~/.cache/huggingface/token", "-", "-"],
    ]


def test_as_json(run: Run, full: Items) -> None:
    done = run("list", "--json")
    assert (done.stderr, done.code) == (b"", 0)
    known = json.loads(done.stdout)
    assert (known["schema"], known["keyring_skipped"], len(known["tokens"])) == (1, None, 6)
    assert known["tokens"][4] == {
        "host": "huggingface.co", "scope": "my-org", "user": "alice", "token": "hf_****dEcl", "where": "keyring Login",
        "locked": False, "expires": 3789590400, "origin": "tokens.toml", "fingerprint": fingerprint(DECLARED.encode()),
    }  # fmt: skip
    assert known["tokens"][5]["scope"] is None
    assert DECLARED.encode() not in done.stdout


@pytest.mark.parametrize("bus", [True, False])
def test_nothing_is_one_line(run: Run, request: pytest.FixtureRequest, bus: bool) -> None:
    if bus:
        request.getfixturevalue("keyring")
    assert listed(run("list")) == ["0 tokens stored" + ("" if bus else f"; {NO_BUS}")]
    assert json.loads(run("list", "--json").stdout)["tokens"] == []


def test_a_bus_without_a_keyring_is_told_in_words(run: Run, environment: Environment, tmp_path: Path) -> None:
    with closing(Bus(tmp_path / "bus")) as bus:
        environment["DBUS_SESSION_BUS_ADDRESS"] = bus.address
        assert listed(run("list")) == ["0 tokens stored; keyring: skipped (no keyring is running)"]
        assert json.loads(run("list", "--json").stdout)["keyring_skipped"] == "no keyring is running"


def test_without_a_keyring_there_is_the_token_file(run: Run, environment: Environment) -> None:
    cache(environment).parent.mkdir(parents=True)
    write(cache(environment), HOST)
    write(cache(environment).with_name("stored_tokens"), f"[a]\nhf_token = {HOST}\nexpires_at = 4000000000\n")
    assert listed(run("list"))[1:] == [
        "huggingface.co  -     hf_****hOst  ~/.cache/huggingface/token  2096-10-02  hf", NO_BUS
    ]  # fmt: skip


@pytest.mark.parametrize(("end", "told"), [(1790000000000, "58692-11-03"), (99999999999999, "3170843-11-07")])
def test_an_expiry_beyond_every_calendar(run: Run, environment: Environment, end: int, told: str) -> None:
    cache(environment).parent.mkdir(parents=True)
    write(cache(environment), HOST)
    write(cache(environment).with_name("stored_tokens"), f"[a]\nhf_token = {HOST}\nexpires_at = {end}\n")
    assert told in listed(run("list"))[1]


def test_a_locked_keyring_tells_where(run: Run, own: GnomeKeyring) -> None:
    seed(run, HOST)
    own.restart(locked=True)
    assert [line.split() for line in listed(run("list"))][1:] == [
        ["(locked)", "(locked)", "(locked)", "keyring", "Login", "-", "seed"]
    ]
    (known,) = json.loads(run("list", "--json").stdout)["tokens"]
    assert (known["locked"], known["token"], known["fingerprint"], known["origin"]) == (True, None, None, "seed")


def test_an_item_that_lost_its_secret_is_listed(run: Run, keyring: Items) -> None:
    seed(run, HOST)
    (item,) = keyring.collection.get_all_items()
    item.set_secret(b"")
    assert listed(run("list"))[1].split()[:3] == ["huggingface.co", "hf_user", "-"]


def test_ours_are_listed_beside_any_number_of_others(run: Run, keyring: Items) -> None:
    """Such as git-credential-libsecret has with credential.useHttpPath."""
    for number in range(300):
        keyring.add(THEIRS.encode(), **LIBSECRET, object=f"org/m{number}")
    seed(run, HOST)
    assert "hf_****hOst" in listed(run("list"))[1]


def test_another_programs_large_secret_is_not_read(run: Run, keyring: Items) -> None:
    seed(run, HOST)
    keyring.add(b"x" * 5_000_000, **LIBSECRET)
    assert "hf_****hOst" in listed(run("list"))[1]
    assert run("forget", "--yes").code == 0
    assert listed(run("list"))[-1] == "0 tokens stored"
    assert len(keyring.all()) == 1


def test_it_changes_nothing(run: Run, full: Items, environment: Environment) -> None:
    before = sorted(path for path in Path(environment["HOME"]).rglob("*"))
    items = full.all()
    run("list")
    assert sorted(path for path in Path(environment["HOME"]).rglob("*")) == before
    assert full.all() == items


@pytest.mark.parametrize("columns", [50, 80, 120, 200])
def test_on_a_terminal_it_is_cut_to_fit(run: Run, full: Items, environment: Environment, columns: int) -> None:
    with at_a_terminal(environment, "list", columns=columns) as person:
        assert person.end() == 0
    lines = person.shown.splitlines()
    assert len(lines) == 7
    assert max(map(len, lines)) <= max(columns, 58)
    assert ("…" in person.shown) == (columns < 120)


def test_what_else_is_typed(run: Run) -> None:
    done = run("list", "all")
    assert (done.stdout, done.code) == (b"", 2)
    assert done.stderr == b"git-credential-hf: `list` takes no arguments. Try: git-credential-hf list --help\n"


def test_any_number_of_ours_is_known_among_any_number_of_others(
    run: Run, keyring: Items, gnome_keyring: GnomeKeyring, environment: Environment
) -> None:
    count = 257
    declare(environment, "".join(f'[tokens.t{number}]\nenv = "T"\nscope = "o{number}"\n' for number in range(count)))
    assert run("seed", "--timeout", "60", T=HOST).stdout.count(b"keyring: created, ") == count
    with closing(Items(gnome_keyring.bus, "/org/freedesktop/secrets/collection/session")) as others:  # which is fast
        for number in range(count):
            others.add(b"theirs", **LIBSECRET, object=f"org/m{number}")
        rows = listed(run("list"))
        known = json.loads(run("status", "--json").stdout)
        others.clear()
    assert (len(rows), known["keyring"]["items"]) == (1 + count, count)
    assert "declared-not-seeded" not in [one["code"] for one in known["findings"]]
