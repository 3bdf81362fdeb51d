"""seed without --from: what tokens.toml declares is in the keyring and in the token file, and no more than that."""

import os
import pty
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from git_credential_hf.cli import token_source as secret_source
from tests.asking import keyring_skipped
from tests.cli.conftest import AsUser, cache, snapshot, write
from tests.conftest import AS_ROOT, EXECUTABLE, Environment, Result, Run, run_call
from tests.keyring_items import Items
from tests.providers import GnomeKeyring

REQUEST = b"protocol=https\nhost=huggingface.co\n"
WRITES = ("CreateItem", "Set", "SetSecret", "Delete", "CreateCollection", "Unlock", "Prompt")

A, B, C, D = (f"hf_{letter * 3}0123456789aBcDeFgHiJkLmNoP" for letter in "abcd")

HOST = '[tokens.host]\nfile = "host.token"\n'
CACHED = HOST + "cache = true\n"
ORG = '[tokens.org]\nfile = "org.token"\nscope = "my-org"\n'
BOTH = CACHED + ORG


class Declaration:
    """tokens.toml of the test's environment, and the files beside it."""

    def __init__(self, environment: Environment) -> None:
        self.folder = Path(environment["HOME"], ".config/git-credential-hf")
        self.folder.mkdir(parents=True)
        self.file = self.folder / "tokens.toml"

    def __call__(self, text: str, **tokens: str) -> None:
        write(self.file, text)
        for name, token in tokens.items():
            write(self.folder / f"{name}.token", token + "\n")


@pytest.fixture
def declare(environment: Environment) -> Declaration:
    return Declaration(environment)


Seed = Callable[..., Result]


@pytest.fixture
def seed(run: Run) -> Seed:
    """Run seed; fail if a token is on stdout or stderr."""

    def seeded(*arguments: str, input: bytes = b"", **more: str) -> Result:
        result = run("seed", *arguments, input=input, **more)
        for token in (A, B, C, D):
            assert token.encode() not in result.stdout + result.stderr
        return result

    return seeded


def lines(result: Result) -> list[str]:
    """Return what was said on stdout, with the paths and masked tokens left out; there must be nothing on stderr."""
    assert (result.stderr, result.code) == (b"", 0)
    return [
        re.sub(r"(, )?token (hf_)?\*{4}\w*(?=,)|token (hf_)?\*{4}\w* |, /.*|\((hf_)?\*{4}\w*\)", "", line)
        for line in result.stdout.decode().splitlines()
    ]


def held(items: Items) -> dict[tuple[str, str], tuple[str, bytes]]:
    """Return origin and secret of every item, by what it is for and whose."""
    return {
        (one.attributes["git-credential-hf"], one.attributes["user"]): (
            one.attributes["git-credential-hf-origin"],
            one.secret,
        )
        for one in items.all()
        if "git-credential-hf" in one.attributes
    }


def modified(items: Items) -> list[tuple[str, int]]:
    return sorted((item.item_path, item.get_modified()) for item in items.collection.get_all_items())


# --- what is declared ------------------------------------------------------------------------------------------------


def test_every_token_is_put_where_it_belongs(
    seed: Seed, run: Run, declare: Declaration, keyring: Items, environment: Environment, tmp_path: Path
) -> None:
    write(tmp_path / "b c", B)
    (tmp_path / "credentials").mkdir()
    write(tmp_path / "credentials/hf", C)
    declare(
        f"""
        [tokens.host]
        file = "host.token"
        cache = true
        [tokens.orgs]
        command = ["cat", "{tmp_path}/b c"]
        scope = ["one", "datasets/two/data"]
        user = "alice"
        [tokens]
        mirror = {{ credential = "hf", host = "Hub.example.org:8443" }}
        short.env = "FOURTH"
        short.host = "hf.co"
        short.user = "bob"
        short.expires = 4102444800
        """,
        host=A,
    )
    result = seed(CREDENTIALS_DIRECTORY=str(tmp_path / "credentials"), FOURTH=D)
    assert lines(result) == [
        "token file: written",
        "keyring: created, for huggingface.co as hf_user (tokens.host)",
        "keyring: created, for huggingface.co/one as alice (tokens.orgs)",
        "keyring: created, for huggingface.co/datasets/two/data as alice (tokens.orgs)",
        "keyring: created, for hub.example.org:8443 as hf_user (tokens.mirror)",
        "keyring: created, for huggingface.co as bob (tokens.short)",
    ]
    alices = B.encode() + b"\nusername=alice"
    assert held(keyring) == {
        ("huggingface.co", "hf_user"): ("tokens.toml", A.encode()),
        ("huggingface.co/one", "alice"): ("tokens.toml", alices),
        ("huggingface.co/datasets/two/data", "alice"): ("tokens.toml", alices),
        ("hub.example.org:8443", "hf_user"): ("tokens.toml", C.encode()),
        ("huggingface.co", "bob"): ("tokens.toml", D.encode() + b"\npassword_expiry_utc=4102444800"),
    }
    assert cache(environment).read_text() == A
    assert cache(environment).stat().st_mode & 0o777 == 0o600
    got = run("--sources", "keyring", "get", input=REQUEST + b"path=one/model\n")
    assert got.stdout.decode() == f"username=alice\npassword={B}\n"


def test_a_second_run_writes_nothing_and_says_so(
    seed: Seed, declare: Declaration, keyring: Items, environment: Environment
) -> None:
    declare(BOTH, host=A, org=B)
    assert len(lines(seed())) == 3
    before = (snapshot(Path(environment["HOME"])), modified(keyring))
    with keyring.bus.calls() as calls:
        assert lines(seed()) == ["unchanged: 2 declared tokens"]
    assert [call for call in calls if call.split()[1] in WRITES] == []
    assert (snapshot(Path(environment["HOME"])), modified(keyring)) == before


@pytest.mark.parametrize("count", [1, 60])
def test_the_calls_of_an_unchanged_run_are_three_for_each_token(
    seed: Seed, declare: Declaration, keyring: Items, count: int
) -> None:
    text = "".join(f'[tokens.t{number}]\nenv = "T"\nscope = "org-{number}"\n' for number in range(count))
    declare(text)
    with keyring.bus.calls() as calls:
        assert len(lines(seed(T=A))) == count
    assert [call.split()[1] for call in calls].count("CreateItem") == count
    assert len(calls) <= 7 * count + 30
    with keyring.bus.calls() as calls:
        assert lines(seed(T=A)) == [f"unchanged: {count} declared token{'s'[: count != 1]}"]
    members = [call.split()[1] for call in calls]
    # Its search, then its attributes, and these once more among all that were declared.
    assert members.count("SearchItems") == count + 1
    assert len(members) <= 3 * count + 20
    with keyring.bus.calls() as calls:
        assert len(lines(seed(T=B))) == count
    # Not SetSecret, which some keyrings forget at their next start.
    assert [call.split()[1] for call in calls].count("CreateItem") == count


def test_a_new_token_replaces_the_old_in_both_places(
    seed: Seed, declare: Declaration, keyring: Items, environment: Environment
) -> None:
    declare(BOTH, host=A, org=B)
    seed()
    declare(BOTH, host=C)
    assert lines(seed()) == [
        "token file: written over another token ",
        "keyring: replaced, for huggingface.co as hf_user (tokens.host)",
    ]
    assert keyring.secrets() == sorted([B.encode(), C.encode()])
    assert cache(environment).read_text() == C


def test_force_writes_what_is_there_already(seed: Seed, declare: Declaration, keyring: Items) -> None:
    declare(BOTH, host=A, org=B)
    seed()
    assert [line.partition(",")[0] for line in lines(seed("--force"))] == [
        "token file: written",
        "keyring: replaced",
        "keyring: replaced",
    ]


@pytest.mark.parametrize("arguments", [(), ("--force",)])
def test_a_dry_run_changes_nothing_and_says_what_would_be(
    seed: Seed, declare: Declaration, keyring: Items, environment: Environment, arguments: tuple[str, ...]
) -> None:
    declare(BOTH, host=A, org=B)
    before = snapshot(Path(environment["HOME"]))
    assert lines(seed("--dry-run", "--git-lfs", *arguments)) == [
        "token file: would be written",
        "keyring: would be created, for huggingface.co as hf_user (tokens.host)",
        "keyring: would be created, for huggingface.co/my-org as hf_user (tokens.org)",
        "git-lfs: `git lfs install --skip-repo` would be run",
    ]
    assert (snapshot(Path(environment["HOME"])), keyring.all()) == (before, [])
    seed()
    declare("")
    before, items = snapshot(Path(environment["HOME"])), modified(keyring)
    assert sorted(lines(seed("--dry-run", *arguments))) == [
        "keyring: would be removed, for huggingface.co as hf_user",
        "keyring: would be removed, for huggingface.co/my-org as hf_user",
        "token file: would be removed",
    ]
    assert (snapshot(Path(environment["HOME"])), modified(keyring)) == (before, items)


def test_quiet_says_nothing_when_all_is_well(seed: Seed, declare: Declaration, keyring: Items) -> None:
    declare(BOTH, host=A, org=B)
    for text in (BOTH, BOTH, HOST, ""):
        write(declare.file, text)
        assert seed("--quiet") == Result(b"", b"", 0)
    assert keyring.all() == []


def test_places_may_be_left_out(seed: Seed, declare: Declaration, keyring: Items, environment: Environment) -> None:
    declare(BOTH, host=A, org=B)
    with keyring.bus.calls() as calls:
        assert lines(seed("--no-keyring")) == ["token file: written"]
    assert [call for call in calls if not call.endswith(" Hello")] == []
    assert len(lines(seed("--no-cache"))) == 2
    declare("")
    assert len(lines(seed("--no-cache"))) == 2
    assert (keyring.all(), cache(environment).read_text()) == ([], A)
    assert [line.partition(",")[0] for line in lines(seed("--no-keyring"))] == ["token file: removed"]
    assert not cache(environment).exists()


@pytest.mark.parametrize("option", ["--scope", "--user", "--host"])
def test_what_qualifies_the_token_of_from_needs_it(seed: Seed, declare: Declaration, option: str) -> None:
    declare(HOST, host=A)
    result = seed(option, "my-org")
    assert (result.stdout, result.code) == (b"", 2)
    assert b"--from" in result.stderr


def test_a_refused_token_is_given_again_after_it_was_seeded(
    seed: Seed, run: Run, declare: Declaration, keyring: Items
) -> None:
    declare(CACHED, host=A)
    seed()
    run("erase", input=REQUEST + f"username=hf_user\npassword={A}\n".encode())
    assert run("get", input=REQUEST).stdout == b"quit=1\n"
    assert seed().code == 0
    assert run("get", input=REQUEST).stdout.decode() == f"username=hf_user\npassword={A}\n"


def test_where_the_configuration_is(seed: Seed, environment: Environment, tmp_path: Path) -> None:
    home = Declaration(environment)
    other = Declaration({"HOME": str(tmp_path / "other")})
    home(CACHED, host=A)
    other(CACHED, host=B)
    seed(XDG_CONFIG_HOME="relative/is/ignored")
    assert cache(environment).read_text() == A
    seed(XDG_CONFIG_HOME=str(tmp_path / "other/.config"))
    assert cache(environment).read_text() == B


def test_links_are_followed_and_files_are_relative_to_the_folder_of_the_link(
    seed: Seed, declare: Declaration, environment: Environment, tmp_path: Path
) -> None:
    declare("", host=A)
    write(tmp_path / "generation.toml", CACHED, 0o444)
    declare.file.unlink()
    declare.file.symlink_to(tmp_path / "generation.toml")
    assert lines(seed("--no-keyring")) == ["token file: written"]
    assert cache(environment).read_text() == A


def test_a_byte_order_mark_is_no_part_of_the_text(seed: Seed, declare: Declaration, environment: Environment) -> None:
    declare("\ufeff" + CACHED, host=A)
    assert lines(seed("--no-keyring")) == ["token file: written"]
    assert cache(environment).read_text() == A
    write(declare.file, "\ufeff" + CACHED + "x = 1\n")
    assert f"{declare.file}:4: tokens.host.x: ".encode() in seed().stderr


def test_home_may_be_written_as_a_tilde(seed: Seed, declare: Declaration, environment: Environment) -> None:
    write(Path(environment["HOME"], "own secret"), A)
    declare('tokens.one = { file = "~/own secret", cache = true }')
    assert lines(seed("--no-keyring")) == ["token file: written"]


@pytest.mark.parametrize(
    ("expires", "seconds"),
    [
        ("2100-01-01T00:00:00Z", 4102444800),
        ("2100-01-01T02:00:00.75+02:00", 4102444800),
        ("2099-12-31", 4102444800),  # to its end
        ("4102444800", 4102444800),
        ("9999-12-31", 253402300799),
        ("9999-12-31T23:59:59-12:00", 253402300799),
        ("253402300799", 253402300799),
    ],
)
def test_an_end_is_stored_with_the_token(
    seed: Seed, run: Run, declare: Declaration, keyring: Items, expires: str, seconds: int
) -> None:
    declare(HOST + f"expires = {expires}\n", host=A)
    assert len(lines(seed())) == 1
    got = run("get", input=REQUEST)
    assert got.stdout.decode() == f"username=hf_user\npassword={A}\npassword_expiry_utc={seconds}\n"


def test_a_token_that_has_ended_is_named(seed: Seed, run: Run, declare: Declaration, keyring: Items) -> None:
    declare(HOST + "expires = 2001-02-03\n", host=A)
    result = seed()
    assert (result.stderr, result.code) == (
        b"git-credential-hf: tokens.host: the token has expired, at 2001-02-04 00:00 UTC\n",
        0,
    )
    assert run("--sources", "keyring", "get", input=REQUEST).stdout == b""


# --- what is no longer declared --------------------------------------------------------------------------------------


@pytest.mark.parametrize("remaining", ["", "# nothing\n", "[tokens]\n"])
def test_what_is_declared_no_more_is_removed(
    seed: Seed, declare: Declaration, keyring: Items, environment: Environment, remaining: str
) -> None:
    declare(BOTH, host=A, org=B)
    seed()
    declare(ORG)
    assert [line.partition(", ")[0] for line in lines(seed())] == ["token file: removed", "keyring: removed"]
    assert list(held(keyring)) == [("huggingface.co/my-org", "hf_user")]
    assert not cache(environment).exists()
    declare(remaining)
    assert lines(seed()) == ["keyring: removed, for huggingface.co/my-org as hf_user"]
    assert keyring.all() == []
    assert lines(seed()) == ["nothing to do: no token is declared"]


@pytest.mark.parametrize(
    ("before", "after"),
    [('scope = "a"', 'scope = "b"'), ('user = "a"', 'user = "b"'), ('host = "a"', 'host = "b"'), ('scope = "a"', "")],
)
def test_one_that_is_declared_for_something_else_moves(
    seed: Seed, declare: Declaration, keyring: Items, before: str, after: str
) -> None:
    declare(HOST + before, host=A)
    seed()
    declare(HOST + after)
    assert [line.partition(",")[0] for line in lines(seed())] == ["keyring: created", "keyring: removed"]
    assert keyring.secrets() == [A.encode()]


def test_without_tokens_toml_nothing_is_removed(
    seed: Seed, declare: Declaration, keyring: Items, environment: Environment
) -> None:
    declare(BOTH, host=A, org=B)
    seed()
    declare.file.unlink()
    before = modified(keyring)
    result = seed()
    assert (result.stdout, result.code, result.stderr.count(b"\n")) == (b"", 1, 1)
    assert b"tokens.toml: no such file, so no token is declared. " in result.stderr
    result = seed("--optional")
    assert (result.stderr, result.code, result.stdout.count(b"\n")) == (b"", 0, 1)
    declare.file.symlink_to("nowhere")
    assert seed().code == 1
    assert modified(keyring) == before
    assert cache(environment).read_text() == A


@pytest.mark.parametrize("mode", [0o755, 0o750])
def test_what_is_declared_no_more_is_removed_after_others_could_read_our_folder(
    seed: Seed, declare: Declaration, environment: Environment, mode: int
) -> None:
    """As a backup, or a mount of NixOS's impermanence, leaves it; temporary folders end with the machine."""
    folder = Path(environment["HOME"], ".local/state/git-credential-hf")
    folder.mkdir(parents=True)
    for there in (False, True):
        folder.chmod(mode)
        declare("" if there else CACHED, host=A)
        assert seed("--no-keyring").code == 0
        assert cache(environment).exists() == (not there)
        assert folder.stat().st_mode & 0o777 == 0o700


def test_what_others_put_there_is_never_removed(
    seed: Seed, run: Run, declare: Declaration, keyring: Items, environment: Environment
) -> None:
    generic = {"xdg:schema": "org.freedesktop.Secret.Generic"}  # which gnome-keyring adds, a moment later
    marked = {"git-credential-hf-origin": "tokens.toml"}
    foreign: list[dict[str, str]] = [
        {"xdg:schema": "org.git.Password", "protocol": "https", "server": "huggingface.co", "user": "hf_user"},
        generic | {"service": "git:https://huggingface.co", "account": "hf_user"},
        generic | marked | {"what": "somebody else's with our mark"},
        generic | marked | {"git-credential-hf": "huggingface.co", "user": "hf_user"},
    ]
    for number, attributes in enumerate(foreign):
        keyring.collection.create_item(f"foreign {number}", attributes, b"foreign %d" % number)
    run("seed", "--from", "-", "--no-cache", "--scope", "seeded", input=C.encode())
    run("store", input=REQUEST + b"username=alice\npassword=typed\n")
    others = {one.secret for one in keyring.all()}
    assert len(others) == 6
    declare(BOTH, host=A, org=B)
    seed()
    assert {one.secret for one in keyring.all()} == others | {A.encode(), B.encode()}
    declare("")
    seed()
    assert {one.secret for one in keyring.all()} == others


@pytest.mark.parametrize("own", ["another", "the same"])
def test_a_login_of_the_persons_own_stays_in_the_cache(
    seed: Seed, declare: Declaration, keyring: Items, environment: Environment, own: str
) -> None:
    declare(CACHED, host=A)
    seed()
    if own == "another":
        cache(environment).write_text(C)
    else:
        assert seed("--from", str(declare.folder / "host.token")).code == 0
    text = cache(environment).read_text()
    declare("")
    assert seed().code == 0
    assert cache(environment).read_text() == text
    assert seed().code == 0
    assert cache(environment).read_text() == text


def test_what_remembers_the_cache_does_not_tell_the_token(
    seed: Seed, declare: Declaration, environment: Environment
) -> None:
    declare(CACHED, host=A)
    seed()
    record = Path(environment["HOME"], ".local/state/git-credential-hf/token-cache")
    first = record.read_text()
    assert record.stat().st_mode & 0o777 == 0o600
    assert re.fullmatch(r"[0-9a-f]{64}\n[0-9a-f]{64} [0-9]+\n", first)
    record.unlink()
    seed()
    # Under another key it is another hash.
    assert not set(first.split()) & {word for word in record.read_text().split() if len(word) == 64}


def test_a_run_that_was_killed_between_does_not_forget_the_old_token(
    seed: Seed, declare: Declaration, environment: Environment
) -> None:
    declare(CACHED, host=A)
    seed()
    declare(CACHED, host=B)
    seed()
    cache(environment).write_text(A)  # as if the new one had not come to be written
    declare("")
    seed()
    assert not cache(environment).exists()


@pytest.mark.parametrize("earlier", ["--from", "store"])
def test_one_that_is_there_already_becomes_a_declared_one(
    seed: Seed, run: Run, declare: Declaration, keyring: Items, earlier: str
) -> None:
    if earlier == "--from":
        run("seed", "--from", "-", "--no-cache", input=A.encode())
    else:
        run("store", input=REQUEST + f"username=hf_user\npassword={A}\n".encode())
    declare(HOST, host=A)
    assert lines(seed()) == ["keyring: replaced, for huggingface.co as hf_user (tokens.host)"]
    assert held(keyring) == {("huggingface.co", "hf_user"): ("tokens.toml", A.encode())}
    declare("")
    seed()
    assert keyring.all() == []


def test_one_that_is_seeded_from_elsewhere_becomes_the_persons_own(
    seed: Seed, run: Run, declare: Declaration, keyring: Items
) -> None:
    declare(HOST, host=A)
    seed()
    run("seed", "--from", "-", "--no-cache", input=B.encode())
    assert held(keyring) == {("huggingface.co", "hf_user"): ("seed", B.encode())}
    declare("")
    assert lines(seed()) == ["nothing to do: no token is declared"]
    assert keyring.secrets() == [B.encode()]


# --- sources that fail -----------------------------------------------------------------------------------------------

FAILING = [
    ('file = "missing"', "missing: no such file"),
    ('file = "empty"', "empty is empty"),
    ('file = "template"', "template holds a placeholder"),
    ('env = "MISSING"', "the variable MISSING is not set"),
    ('credential = "hf"', "the credential hf is missing"),
    ('command = ["true"]', "the command's output is empty"),
]
BROKEN = [
    ('file = "two"', "two holds more than one line"),
    ('file = "."', "is not a regular file: it is a folder, so name a file in it\n"),
    ('file = ".."', "is not a regular file: it is a folder, so name a file in it\n"),
    ('command = ["no-such-program"]', "the command no-such-program cannot be run: No such file"),
    ('command = ["sh", "-c", "exit 7"]', "the command sh ended with exit code 7\n"),
    (
        r"""command = ["sh", "-c", '''printf '\033[31mno: hf_half0123456789\r\n\nwhy' >&2; exit 1''']""",
        "the command sh ended with exit code 1: \\x1b[31mno: hf_****6789; why\n",
    ),
    ('command = ["sh", "-c", "head -c 200000 /dev/zero | tr \'\\\\0\' x >&2; exit 1"]', "xxx"),
]  # fmt: skip


@pytest.fixture
def partly(declare: Declaration, seed: Seed, keyring: Items) -> Iterator[Callable[[str], None]]:
    """Have two tokens seeded, then let the source of one be another and change the other token."""
    write(declare.folder / "empty", "")
    write(declare.folder / "template", "hf_...")
    write(declare.folder / "two", "hf_a\nhf_b")
    declare(BOTH, host=A, org=B)
    seed()

    def change(source: str) -> None:
        declare(CACHED + ORG.replace('file = "org.token"', source), host=C)

    yield change
    assert keyring.secrets() == sorted([B.encode(), C.encode()])


@pytest.mark.parametrize(("source", "reason"), FAILING + BROKEN)
def test_one_that_fails_keeps_its_old_item_and_stops_nobody(
    partly: Callable[[str], None], seed: Seed, source: str, reason: str
) -> None:
    partly(source)
    result = seed()
    assert result.code == 3
    assert result.stderr.startswith(b"git-credential-hf: tokens.org: ")
    assert (result.stderr.count(b"\n"), result.stdout.count(b"\n")) == (1, 2)
    assert reason in result.stderr.decode()
    assert len(result.stderr) < 500


@pytest.mark.parametrize(("source", "reason"), FAILING)
def test_optional_lets_what_is_not_there_pass(
    partly: Callable[[str], None], seed: Seed, source: str, reason: str
) -> None:
    partly(source)
    result = seed("--optional")
    assert (result.stderr, result.code) == (b"", 0)
    assert re.search(rf"^nothing to seed: tokens\.org: .*{reason}", result.stdout.decode(), re.MULTILINE)


@pytest.mark.parametrize(("source", "reason"), BROKEN)
def test_optional_lets_nothing_else_pass(partly: Callable[[str], None], seed: Seed, source: str, reason: str) -> None:
    partly(source)
    result = seed("--optional")
    assert result.code == 3
    assert reason in result.stderr.decode()


def test_the_one_for_the_cache_that_fails_keeps_it(
    seed: Seed, declare: Declaration, keyring: Items, environment: Environment
) -> None:
    declare(BOTH, host=A, org=B)
    seed()
    declare(BOTH, host="")
    assert seed().code == 3
    assert lines(seed("--optional"))[1:] == ["unchanged: 1 declared token"]
    assert cache(environment).read_text() == A
    assert len(keyring.all()) == 2


def test_a_cache_that_is_left_is_nothing_done(
    seed: Seed, declare: Declaration, keyring: Items, environment: Environment
) -> None:
    declare(CACHED, host=A)
    seed()
    write(cache(environment), C)
    declare(HOST, host="")
    result = seed()
    assert (result.code, result.stderr.count(b"\n")) == (1, 1)
    assert result.stdout.decode().splitlines() == [
        f"token file: left, since what it holds is not from tokens.toml, {cache(environment)}"
    ]
    assert (keyring.secrets(), cache(environment).read_text()) == ([A.encode()], C)


def test_a_link_in_the_place_of_the_token_file_is_named_and_left(
    seed: Seed, declare: Declaration, environment: Environment
) -> None:
    declare(CACHED, host=A)
    cache(environment).parent.mkdir(parents=True)
    cache(environment).symlink_to(declare.folder / "host.token")
    assert seed("--no-keyring").code == 0
    declare("")
    assert lines(seed("--no-keyring")) == ["token file: left, since it is a symbolic link"]
    assert cache(environment).read_text().strip() == A


def test_where_all_fail_it_has_failed(seed: Seed, declare: Declaration, keyring: Items) -> None:
    declare(BOTH)
    result = seed()
    assert (result.stdout, result.code, result.stderr.count(b"\n")) == (b"", 1, 2)
    result = seed("--optional")
    assert (result.stderr, result.code, result.stdout.count(b"\n")) == (b"", 0, 2)
    declare(ORG, org=B)
    seed()
    declare(HOST)
    result = seed()  # which removes the other
    assert (result.code, result.stdout.count(b"\n"), result.stderr.count(b"\n")) == (3, 1, 1)
    assert keyring.all() == []


@pytest.mark.parametrize(
    "arguments", [("--no-keyring",), ("--no-keyring", "--no-cache"), ("--no-keyring", "--optional")]
)
def test_what_no_place_is_left_for_is_not_called_unchanged(
    seed: Seed, declare: Declaration, keyring: Items, arguments: tuple[str, ...]
) -> None:
    declare(ORG, org=B)
    result = seed(*arguments)
    assert result.stdout == b"keyring: skipped (--no-keyring), 1 declared token\n"
    assert (result.stderr, result.code) == (b"", 0)
    assert keyring.all() == []


def test_strict_does_not_say_that_it_stores(
    seed: Seed, declare: Declaration, keyring: Items, environment: Environment
) -> None:
    declare(ORG, org="0123456789abcdef")
    done = seed("--strict")
    assert done.stderr.decode() == (
        f"git-credential-hf: tokens.org: {declare.folder / 'org.token'} holds a word that does not look like a Hugging "
        "Face token (hf_...)\n"
    )
    assert (done.stdout, done.code, keyring.all()) == (b"", 1, [])


def test_a_source_that_others_can_read_is_told(
    seed: Seed, declare: Declaration, keyring: Items, environment: Environment
) -> None:
    declare(BOTH, host=A, org=B)
    (declare.folder / "org.token").chmod(0o644)
    before = snapshot(Path(environment["HOME"]))
    strict = seed("--strict")
    assert (strict.stdout, strict.code) == (b"", 1)
    assert (snapshot(Path(environment["HOME"])), keyring.all()) == (before, [])
    told = seed()
    assert (told.stderr, told.code) == (strict.stderr, 0)
    assert told.stderr.startswith(b"git-credential-hf: tokens.org: ")
    assert told.stderr.count(b"\n") == 1
    assert b" can be read by others: " in told.stderr
    assert len(keyring.all()) == 2


@pytest.mark.parametrize("what", ["a link", "a folder"])
def test_a_cache_that_cannot_be_is_named_before_anything_is_changed(
    seed: Seed, declare: Declaration, keyring: Items, environment: Environment, what: str, tmp_path: Path
) -> None:
    declare(BOTH, host=A, org=B)
    cache(environment).parent.mkdir(parents=True)
    if what == "a link":
        write(tmp_path / "elsewhere", C)
        cache(environment).symlink_to(tmp_path / "elsewhere")
    else:
        cache(environment).mkdir()
    result = seed()
    assert (result.stdout, result.code, result.stderr.count(b"\n")) == (b"", 1, 1)
    assert keyring.all() == []


# --- declarations in error -------------------------------------------------------------------------------------------

SOURCE = 'file = "a"\n'


@pytest.mark.parametrize(
    ("text", "line", "key", "reason"),
    [
        ("token = 1", 1, "token", "no such key"),
        ("\n\n[token.a]\nfile = 'a'", 3, "token", "no such key"),
        ("tokens = 'a'", 1, "tokens", "must be a table"),
        ("[[tokens]]\nfile = 'a'", 1, "tokens", "must be a table"),
        ("[tokens]\na = 'file'", 2, "tokens.a", "must be a table"),
        ("[tokens.a]", 1, "tokens.a", "no source"),
        ("# one\n\n[tokens.a]\nscope = 'x'\n", 3, "tokens.a", "no source"),
        (f"[tokens.a]\n{SOURCE}scop = 'x'", 3, "tokens.a.scop", "no such key"),
        (f"[tokens.a]\n{SOURCE}[tokens.a.scope]\nx = 1", 3, "tokens.a.scope", "must be a text"),
        (f"[tokens.a]\n{SOURCE}[tokens.\"b c\"]\n{SOURCE}x = 1", 5, 'tokens."b c".x', "no such key"),
        (f"[tokens.a]\n{SOURCE}[tokens.'b\\n']\n{SOURCE}x = 1", 5, 'tokens."b\\n".x', "no such key"),
        (f"[tokens.a]\n{SOURCE}env = 'b'", 3, "tokens.a.env", "has file already"),
        ("tokens.a.file = 'a'\ntokens.a.env = 'b'", 2, "tokens.a.env", "has file already"),
        ("[tokens]\na = { file = 'a' }\nb = { env = 'b', user = 1 }", 3, "tokens.b.user", "must be a text"),
        # sources
        ("[tokens.a]\nfile = 1", 2, "tokens.a.file", "must be a text"),
        ("[tokens.a]\nfile = ''", 2, "tokens.a.file", "empty"),
        ("[tokens.a]\nfile = 'a\\u0000'".replace("'", '"'), 2, "tokens.a.file", "NUL"),
        (f"[tokens.a]\nfile = '{A}'", 2, "tokens.a.file", "itself a token"),
        (f"[tokens.a]\nenv = '{A}'", 2, "tokens.a.env", "itself a token"),
        (f"[tokens.a]\n{SOURCE}{A} = 1", 3, "tokens.a.hf_****mNoP", "no such key"),
        (f"{A} = 1", 1, "hf_****mNoP", "no such key"),
        ("[tokens.a]\nenv = 'A=b'", 2, "tokens.a.env", "by its name"),
        ("[tokens.a]\nenv = ['A']", 2, "tokens.a.env", "must be a text"),
        ("[tokens.a]\ncredential = '../a'", 2, "tokens.a.credential", "by its name"),
        ("[tokens.a]\ncredential = '..'", 2, "tokens.a.credential", "by its name"),
        ("[tokens.a]\ncommand = 'pass show hf'", 2, "tokens.a.command", "a list of words"),
        ("[tokens.a]\ncommand = []", 2, "tokens.a.command", "a list of words"),
        ("[tokens.a]\ncommand = ['a', 1]", 2, "tokens.a.command", "a list of words"),
        ("[tokens.a]\ncommand = ['']", 2, "tokens.a.command", "is empty"),
        ("[tokens.a]\nuser = 'b'\ncommand = [\n 'a', # one\n\n 2,\n]\n", 3, "tokens.a.command", "a list of words"),
        # for what
        *(
            (f"[tokens.a]\n{SOURCE}scope = {scope}", 3, "tokens.a.scope", reason)
            for scope, reason in [
                ("''", "a scope is"), ("'a/.git'", "a scope is"), ("'a//b'", "a scope is"), ("'a/..'", "a scope is"),
                ("'a%2fb'", "a scope is"), ("'https://github.com/a'", "another host"), ('"a\\nb"', "a scope is"),
                ("'1/2/3/4/5/6/7/8/9'", "a scope is"), ("['a', '/']", "a scope is"),
                ("'a/*'", "a/*: a scope is an organisation"),
                ("'https://hf.co/settings/tokens'", "is a page of the Hub"),
                (f"'{A}'", "may be a token"), ("['a', 'A/']", "twice"),
                ("1", "must be a text"), ("[]", "must be a text"), ("['a', 1]", "must be a text"), ("true", "must be"),
                ("['a', 'a']", "twice"),
            ]
        ),
        *(
            (f"[tokens.a]\n{SOURCE}user = {user}", 3, "tokens.a.user", reason)
            for user, reason in [("''", "a user is"), ('"a\\nb"', "a user is"), ("1", "must be"), ("['a']", "must be")]
        ),
        *(
            (f"[tokens.a]\n{SOURCE}host = {host}", 3, "tokens.a.host", reason)
            for host, reason in [
                ("''", "a host is"), ("'https://hf.co'", "a host is"), ("'a/b'", "a host is"), ("'a:x'", "a host is"),
                ("'exämple.org'", "a host is"), ("1", "must be"),
            ]
        ),
        *(
            (f"[tokens.a]\n{SOURCE}expires = {when}", 3, "tokens.a.expires", reason)
            for when, reason in [
                ("'2030-01-01'", "must be a date"), ("true", "must be a date"), ("1.5", "must be a date"),
                ("12:00:00", "must be a date"), ("2030-01-01T00:00:00", "needs its offset"),
                ("0", "no time"), ("-1", "no time"), ("1893456000000", "no time"), ("1893456000000", "in milliseconds"),
                ("1900-01-01", "no time that a token could end at: it must be after 1970-01-01"),
            ]
        ),
        (f"[tokens.a]\n{SOURCE}cache = 1", 3, "tokens.a.cache", "true or false"),
        (f"[tokens.a]\n{SOURCE}cache = 'yes'", 3, "tokens.a.cache", "true or false"),
        (f"[tokens.a]\n{SOURCE}cache = true\nscope = 'x'", 3, "tokens.a.cache", "the whole of huggingface.co"),
        (f"[tokens.a]\n{SOURCE}host = 'example.org'\ncache = true", 4, "tokens.a.cache", "the whole of huggingface.co"),
        # among themselves
        (f"[tokens.a]\n{SOURCE}cache = true\n[tokens.b]\n{SOURCE}user = 'b'\ncache = true", 7, "tokens.b.cache", "a"),
        (f"[tokens.a]\n{SOURCE}\n\n# two\n[tokens.b]\n{SOURCE}", 6, "tokens.b", "tokens.a is for the same place"),
        (f"[tokens.a]\n{SOURCE}[tokens.b]\n{SOURCE}host='HF.co:443'\nuser='hf_user'", 3, "tokens.b", "tokens.a is for"),
        (f"[tokens.a]\n{SOURCE}scope='x'\n[tokens.b]\n{SOURCE}scope=['y','x']", 4, "tokens.b", "tokens.a is for"),
        (f"\r\n[tokens.a]\r\n{SOURCE}x = 1\r\n", 4, "tokens.a.x", "no such key"),
        ('[tokens.a]\nfile = """\na\n"""\nx = 1', 5, "tokens.a.x", "no such key"),
        # no TOML
        ("[tokens.a", 1, None, "no TOML"),
        (f"[tokens.a]\n{SOURCE}expires = {'9' * 5000}", 3, None, "no TOML"),
        (f"[tokens.a]\n{SOURCE}{A}\n", 3, None, "no TOML"),
        ("[tokens.a]\nfile = 'a'\nfile = 'b'", 3, None, "no TOML"),
        (f"[tokens.a]\n{SOURCE}[tokens.a]\n", 3, None, "no TOML"),
        ("[tokens.a]\ncommand = [\n'a',\n", 3, None, "no TOML"),
        ("x = " + "[" * 5000, 1, None, "no TOML"),
    ],
)  # fmt: skip
def test_a_declaration_in_error_is_named_and_nothing_is_changed(
    seed: Seed, declare: Declaration, keyring: Items, environment: Environment, text: str, line: int,
    key: str | None, reason: str,
) -> None:  # fmt: skip
    declare(CACHED, host=A)
    seed()
    write(declare.file, text.encode())
    before = (snapshot(Path(environment["HOME"])), modified(keyring))
    for arguments in ((), ("--optional",)):
        result = seed(*arguments)
        assert (result.stdout, result.code) == (b"", 1)
        assert result.stderr.count(b"\n") == 1
        assert A.encode() not in result.stderr
        where = f"git-credential-hf: {declare.file}:{line}: {f'{key}: ' if key else ''}"
        assert result.stderr.decode().startswith(where), result.stderr
        assert reason in result.stderr.decode()
    assert (snapshot(Path(environment["HOME"])), modified(keyring)) == before


def test_of_a_hundred_declarations_the_wrong_one_is_found(seed: Seed, declare: Declaration) -> None:
    tables = [f"[tokens.t{number}]\n{SOURCE}scope = [\n  'o{number}', # its own\n]\n\n" for number in range(100)]
    for number in (0, 37, 99):
        wrong = [*tables[:number], tables[number] + "x = 1\n", *tables[number + 1 :]]
        declare("".join(wrong))
        assert f"tokens.toml:{6 * number + 7}: tokens.t{number}.x: ".encode() in seed().stderr


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"\n[tokens.\xff]", b"tokens.toml:2: this is no UTF-8"), (b"#" * 65_537, b"is over 64 KiB")],
)
def test_what_is_no_text_or_too_long_is_refused(
    seed: Seed, declare: Declaration, content: bytes, reason: bytes
) -> None:
    write(declare.file, content)
    result = seed("--optional")
    assert (result.stdout, result.code, result.stderr.count(b"\n")) == (b"", 1, 1)
    assert reason in result.stderr


@pytest.mark.parametrize("kind", ["directory", "FIFO", "/dev/zero", "/dev/null"])
def test_what_is_no_file_is_refused_at_once(seed: Seed, declare: Declaration, kind: str) -> None:
    if kind == "directory":
        declare.file.mkdir()
    elif kind == "FIFO":
        os.mkfifo(declare.file)
    else:
        declare.file.symlink_to(kind)
    result = seed("--optional")
    assert (result.stdout, result.code, result.stderr.count(b"\n")) == (b"", 1, 1)
    assert result.stderr.endswith(b" is not a regular file: move away what is in its place\n")


def test_a_declaration_that_anybody_can_write_is_refused(seed: Seed, declare: Declaration) -> None:
    declare(HOST, host=A)
    declare.file.chmod(0o666)
    result = seed()
    assert (result.stdout, result.code) == (b"", 1)
    assert result.stderr.decode().endswith(f"can be written by anybody: run `chmod o-w {declare.file}`\n")


@AS_ROOT
def test_a_declaration_of_another_users_is_refused(seed: Seed, declare: Declaration) -> None:
    declare(HOST, host=A)
    os.chown(declare.file, 12_345, -1)
    result = seed()
    assert (result.stdout, result.code) == (b"", 1)
    assert b"belongs to another user" in result.stderr


@AS_ROOT
def test_the_home_of_another_user_is_refused(declare: Declaration, as_user: AsUser) -> None:
    declare(HOST, host=A)
    assert as_user(12_345, "seed").code == 1


# --- keyrings that are not there -------------------------------------------------------------------------------------


def test_without_a_bus_the_cache_is_written_and_the_keyring_skipped(
    seed: Seed, declare: Declaration, environment: Environment
) -> None:
    declare(BOTH, host=A, org=B)
    assert lines(seed()) == [
        "token file: written",
        keyring_skipped("no D-Bus session"),
    ]
    assert lines(seed()) == [keyring_skipped("no D-Bus session")]
    assert cache(environment).read_text() == A
    required = seed("--require-keyring")
    assert (required.stdout, required.code, required.stderr.count(b"\n")) == (b"", 3, 1)


def test_the_whole_rotation_by_rebuild(
    seed: Seed, run: Run, declare: Declaration, keyring: Items, environment: Environment
) -> None:
    declare(BOTH, host=A, org=B)
    seed()
    no_bus = {"DBUS_SESSION_BUS_ADDRESS": "disabled:"}
    moved = ORG.replace("my-org", "other-org").replace("tokens.org", "tokens.other")
    declare(CACHED + moved, host=C, org=D)
    assert [line.partition(",")[0].partition(" (")[0] for line in lines(seed(**no_bus))] == [
        "token file: written over another token ",
        "keyring: skipped",
    ]
    assert keyring.secrets() == sorted([A.encode(), B.encode()])
    assert run("get", input=REQUEST, **no_bus).stdout.decode() == f"username=hf_user\npassword={C}\n"
    assert [line.partition(",")[0] for line in lines(seed())] == [
        "keyring: replaced",
        "keyring: created",
        "keyring: removed",
    ]
    assert keyring.secrets() == sorted([C.encode(), D.encode()])
    # Undeclared while the bus is away: from the cache at once, from the keyring when it is back.
    declare("")
    assert [line.partition(",")[0].partition(" (")[0] for line in lines(seed(**no_bus))] == [
        "token file: removed",
        "keyring: skipped",
    ]
    assert not cache(environment).exists()
    assert len(lines(seed())) == 2
    assert keyring.all() == []
    left = [path for path in Path(environment["HOME"]).rglob("*") if path.is_file() and path.suffix != ".token"]
    assert [path for path in left if {A.encode(), B.encode()} & set(path.read_bytes().split())] == []


def test_a_locked_keyring_is_skipped(
    seed: Seed, declare: Declaration, own: GnomeKeyring, environment: Environment
) -> None:
    declare(BOTH, host=A, org=B)
    seed()
    own.restart(locked=True)
    declare(CACHED, host=C)
    assert [line.partition(")")[0] for line in lines(seed())][1:] == ["keyring: skipped (it is locked"]
    assert cache(environment).read_text() == C


def test_seeds_at_once_end_as_one(declare: Declaration, keyring: Items, environment: Environment) -> None:
    declare(BOTH, host=A, org=B)
    running = [
        subprocess.Popen([EXECUTABLE, "seed"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(6)
    ]
    for one in running:
        stdout, stderr = one.communicate(timeout=60)
        assert (stderr, one.returncode) == (b"", 0)
        assert stdout
    assert keyring.secrets() == [A.encode(), B.encode()]
    assert cache(environment).read_text() == A


# --- commands --------------------------------------------------------------------------------------------------------


def test_a_command_is_a_list_of_words_and_no_shell(seed: Seed, declare: Declaration, environment: Environment) -> None:
    program = declare.folder / "print it"
    write(program, f"#!/bin/sh\n[ \"$*\" = '$(boom) two words * ; x' ] && echo {A}\n", 0o700)
    declare(f"tokens.a = {{ command = ['{program}', '$(boom)', 'two words', '*', '; x'], cache = true }}")
    assert lines(seed("--no-keyring")) == ["token file: written"]


def test_a_command_has_our_environment_without_hugging_faces_tokens_and_other_sources(
    seed: Seed, declare: Declaration, environment: Environment
) -> None:
    program = declare.folder / "print"
    write(program, f"#!/bin/sh\nenv >{declare.folder}/seen\necho noise >&2\necho {A}\n", 0o700)
    declare(f"tokens.a = {{ command = ['{program}'], cache = true }}\ntokens.b = {{ env = 'OWN', scope = 'x' }}")
    more = {"HF_TOKEN": "hf_a", "HUGGING_FACE_HUB_TOKEN": "hf_b", "HF_HOME": environment["HOME"], "VAULT": "yes"}
    assert lines(seed("--no-keyring", OWN=B, **more)) == ["token file: written"]
    seen = dict(line.split("=", 1) for line in (declare.folder / "seen").read_text().splitlines())
    assert seen["VAULT"] == "yes"
    assert not {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "OWN"} & seen.keys()


def test_a_command_is_given_up_at_its_limit(
    environment: Environment, declare: Declaration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secret_source, "_COMMAND_LIMIT", 0.2)
    declare(
        "tokens.a = { command = ['sleep', '600'] }\n" + BOTH.replace("[tokens.host]", "[tokens.b]\nuser='b'"),
        host=A,
        org=B,
    )
    result = run_call(("seed",), b"", environment)
    assert result.stderr == b"git-credential-hf: tokens.a: the command sleep did not end within 0.2 s\n"
    assert result.code == 3
    assert cache(environment).read_text() == A


def test_on_a_terminal_a_line_tells_what_is_being_read(environment: Environment, declare: Declaration) -> None:
    declare(f"tokens.a = {{ command = ['sh', '-c', 'echo touch the key >&2; echo {A}'], cache = true }}")
    ours, theirs = pty.openpty()
    with subprocess.Popen([EXECUTABLE, "seed"], env=environment, stdout=subprocess.PIPE, stderr=theirs) as child:
        stdout, _ = child.communicate(timeout=60)
    os.close(theirs)
    seen = os.read(ours, 4096)
    os.close(ours)
    assert seen == b"git-credential-hf: reading tokens.a, 1 of 1\rtouch the key\r\n\x1b[K"
    assert (child.returncode, stdout.count(b"\n")) == (0, 2)


# --- real sources ----------------------------------------------------------------------------------------------------


def needed(*programs: str) -> None:
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        pytest.skip(f"NOT TESTED: {', '.join(missing)} not installed")


def given(command: str, environment: Environment, input: bytes = b"") -> bytes:
    done = subprocess.run(["sh", "-euc", command], env=environment, input=input, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_age(seed: Seed, declare: Declaration, environment: Environment) -> None:
    needed("age", "age-keygen")
    folder = shlex.quote(str(declare.folder))
    given(
        f"age-keygen -o {folder}/key && age -r $(age-keygen -y {folder}/key) -o {folder}/hf.age",
        environment,
        A.encode(),
    )
    given(f"age-keygen -o {folder}/wrong-key", environment)
    source = f"['age', '--decrypt', '--identity', '{declare.folder}/key', '{declare.folder}/hf.age']"
    declare(f"[tokens.a]\ncommand = {source}\ncache = true\n")
    assert lines(seed("--no-keyring")) == ["token file: written"]
    assert cache(environment).read_text() == A
    declare(f"[tokens.a]\ncommand = {source.replace('/key', '/wrong-key')}\ncache = true\n")
    result = seed("--no-keyring")
    assert result.code == 1
    assert b"tokens.a: the command age ended with exit code 1: age: error: no identity matched" in result.stderr
    assert cache(environment).read_text() == A


def test_pass(seed: Seed, declare: Declaration, environment: Environment) -> None:
    needed("pass", "gpg")
    environment |= {"GNUPGHOME": environment["HOME"] + "/g", "PASSWORD_STORE_DIR": environment["HOME"] + "/store"}
    Path(environment["GNUPGHOME"]).mkdir(mode=0o700)
    try:
        given("gpg --batch --quiet --passphrase '' --quick-generate-key me; pass init me", environment)
        given("pass insert --multiline hub/hf", environment, A.encode())
        declare("[tokens.a]\ncommand = ['pass', 'show', 'hub/hf']\ncache = true\n")
        assert lines(seed("--no-keyring")) == ["token file: written"]
        declare("[tokens.a]\ncommand = ['pass', 'show', 'hub/other']\ncache = true\n")
        result = seed("--no-keyring")
        assert result.code == 1
        assert b"tokens.a: the command pass ended with exit code 1: Error: hub/other is not in" in result.stderr
    finally:
        given("gpgconf --kill all", environment)
    assert cache(environment).read_text() == A


def test_systemd_creds(seed: Seed, declare: Declaration, environment: Environment, tmp_path: Path) -> None:
    needed("systemd-creds")
    encrypted, folder = tmp_path / "hf.cred", tmp_path / "credentials"
    folder.mkdir(mode=0o700)
    given(f"systemd-creds encrypt --with-key=auto-initrd --name=hf - {encrypted}", environment, A.encode())
    declare(f"[tokens.a]\ncommand = ['systemd-creds', 'decrypt', '--name=hf', '{encrypted}', '-']\ncache = true\n")
    assert lines(seed("--no-keyring")) == ["token file: written"]
    # What systemd does for a unit with LoadCredentialEncrypted=.
    write(folder / "hf", given(f"systemd-creds decrypt --name=hf {encrypted} -", environment), 0o400)
    declare("[tokens.a]\ncredential = 'hf'\ncache = true\n")
    assert lines(seed("--no-keyring", CREDENTIALS_DIRECTORY=str(folder))) == ["unchanged: 1 declared token"]
