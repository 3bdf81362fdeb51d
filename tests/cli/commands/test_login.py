"""login: what it asks, what it stores and configures, what it says in three lines, and when it stores nothing."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.asking import answer, request
from tests.cli.conftest import cache
from tests.cli.terminal import END, INTERRUPT, at_a_terminal
from tests.conftest import AS_ROOT, EXECUTABLE, Environment, Result, Run
from tests.hub import Hub, Secret
from tests.keyring_items import Items
from tests.providers import GnomeKeyring

TOKEN = Secret("hf_LoGiNtOkEn0123456789AbCdEfGhIj")
MASKED = "hf_****GhIj"
PROMPT = "Token from https://huggingface.co/settings/tokens (not shown): "


@pytest.fixture(autouse=True)
def a_hub(hub: Hub, environment: Environment) -> None:
    environment |= hub.environ()
    hub.add_token(TOKEN)


def login(run: Run, *arguments: str, token: str = TOKEN) -> Result:
    done = run("login", "--with-token", *arguments, input=token.encode() + b"\n")
    assert token.encode() not in done.stdout + done.stderr
    return done


def unreachable(environment: Environment) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        environment[name] = "http://127.0.0.1:9"


def gitconfig(environment: Environment) -> str:
    file = Path(environment["HOME"], ".gitconfig")
    return file.read_text() if file.exists() else ""


# --- all is well -----------------------------------------------------------------------------------------------------


def test_three_lines_say_that_all_is_well(run: Run, keyring: Items, environment: Environment) -> None:
    done = login(run)
    assert (done.stderr, done.code) == (b"", 0)
    assert done.stdout.decode().splitlines() == [
        f"token {MASKED}: user alice, role read",
        f"stored in the keyring and {cache(environment)}; configured git and git-lfs",
        f"OK: git will use {MASKED} from the keyring for huggingface.co",
    ]
    assert keyring.secrets() == [TOKEN.encode()]
    assert cache(environment).read_text() == TOKEN
    assert cache(environment).stat().st_mode & 0o777 == 0o600
    assert run("get", input=request()) == answer("hf_user", TOKEN)
    filled = subprocess.run(
        ["git", "credential", "fill"], input=request(), env=environment, capture_output=True, check=True
    )
    assert f"password={TOKEN}\n".encode() in filled.stdout
    assert '[filter "lfs"]' in gitconfig(environment)


def test_a_second_time_changes_nothing(run: Run, keyring: Items, environment: Environment) -> None:
    login(run)
    before = gitconfig(environment)
    again = login(run)
    assert (again.stderr, again.code) == (b"", 0)
    assert again.stdout.decode().splitlines()[1] == f"stored in the keyring and {cache(environment)}"
    assert gitconfig(environment) == before
    assert keyring.secrets() == [TOKEN.encode()]


def test_without_a_keyring_the_token_file_has_it(run: Run, environment: Environment) -> None:
    done = login(run)
    assert (done.stderr, done.code) == (b"", 0)
    assert done.stdout.decode().splitlines()[1:] == [
        f"stored in {cache(environment)} (keyring: skipped, no D-Bus session); configured git and git-lfs",
        f"OK: git will use {MASKED} from ~/.cache/huggingface/token for huggingface.co",
    ]


def test_a_token_that_was_rejected_is_given_again(run: Run, keyring: Items) -> None:
    login(run)
    run("erase", input=request(username="hf_user", password=TOKEN))
    assert run("get", input=request()).stdout == b"quit=1\n"
    assert login(run).code == 0
    assert run("get", input=request()) == answer("hf_user", TOKEN)


@pytest.mark.parametrize(
    ("role", "more", "told"),
    [
        ("write", {}, "role write"),
        ("read", {"expires": "2090-01-31T12:00:00.000Z"}, "role read, expires 2090-01-31"),
        ("fineGrained", {}, "role fineGrained, may not read gated repositories"),
        ("fineGrained", {"gated": ["o/m"]}, "role fineGrained, reads gated repositories"),
        ("oauth", {}, "role oauth, expires 2100-01-01"),
    ],
)
def test_what_the_hub_says_of_the_token(run: Run, hub: Hub, role: str, more: dict[str, str], told: str) -> None:
    hub.add_token(TOKEN, role=role, **more)
    assert login(run).stdout.decode().splitlines()[0] == f"token {MASKED}: user alice, {told}"
    assert [(one.host, one.path) for one in hub.log] == [("huggingface.co", "/api/whoami-v2")]


def test_the_end_of_a_token_goes_with_it(run: Run, hub: Hub, keyring: Items) -> None:
    hub.add_token(TOKEN, expires="2090-01-31T12:00:00.000Z")
    login(run)
    assert b"password_expiry_utc=3789547200\n" in run("get", input=request()).stdout


# --- less than all ---------------------------------------------------------------------------------------------------


def test_the_end_of_an_oauth_login_is_known_without_the_hub(run: Run, keyring: Items, environment: Environment) -> None:
    """hf has it in its list."""
    cache(environment).parent.mkdir(parents=True)
    stored_tokens = f"[oauth-alice]\nhf_token = {TOKEN}\nrefresh_token = x\nexpires_at = 4102444800\n"
    cache(environment).with_name("stored_tokens").write_text(stored_tokens)
    assert login(run, "--offline").code == 0
    assert keyring.secrets() == [f"{TOKEN}\npassword_expiry_utc=4102444800".encode()]


def test_what_the_hub_rejects_is_not_stored(run: Run, hub: Hub, keyring: Items, environment: Environment) -> None:
    hub.revoke(TOKEN)
    done = login(run)
    assert (done.stdout, done.code) == (b"", 1)
    assert done.stderr.decode() == (
        f"git-credential-hf: the Hub rejected the token {MASKED} (Invalid credentials in Authorization header): "
        "nothing was stored. Take a new one from https://huggingface.co/settings/tokens. Try: git-credential-hf login\n"
    )
    assert keyring.all() == []
    assert not cache(environment).exists()
    assert gitconfig(environment) == ""


@pytest.mark.parametrize("how", ["--offline", "unreachable"])
def test_without_the_hub_it_is_stored_and_that_is_said(
    run: Run, hub: Hub, keyring: Items, environment: Environment, how: str
) -> None:
    if how == "unreachable":
        unreachable(environment)
        done = login(run)
    else:
        done = login(run, how)
    why = "--offline" if how == "--offline" else "since the Hub cannot be asked (Connection refused)"
    first, *_ = done.stdout.decode().splitlines()
    assert first.replace("(--offline)", "--offline") == f"token {MASKED}: not checked{',' * (how != '--offline')} {why}"
    assert (done.stderr, done.code) == (b"", 0)
    assert keyring.secrets() == [TOKEN.encode()]
    assert hub.log == []


@pytest.mark.parametrize(
    ("arguments", "secrets", "in_file"),
    [
        ("--no-cache", True, False),
        ("--no-keyring", False, True),
        ("--no-keyring --host huggingface.co", False, True),
        ("--scope my-org", True, False),
    ],
)
def test_where_it_is_stored(
    run: Run, keyring: Items, environment: Environment, arguments: str, secrets: bool, in_file: bool
) -> None:
    done = login(run, *arguments.split())
    assert (done.stderr, done.code) == (b"", 0)
    assert (bool(keyring.secrets()), cache(environment).exists()) == (secrets, in_file)
    if "my-org" in arguments:
        assert (
            done.stdout.decode().splitlines()[-1]
            == f"OK: git will use {MASKED} from the keyring (scope my-org) for huggingface.co/my-org"
        )
        assert run("get", input=request()).stdout == b""


@pytest.mark.parametrize(
    ("option", "verdict"),
    [
        ("", "No token: git gets none for huggingface.co: no token through OIDC for my-org/my-model: "),
        ("--offline", "Not sure: HF_OIDC_RESOURCE is set, so git takes its token for huggingface.co through OIDC, "),
    ],
)
def test_it_is_not_ok_where_git_takes_its_token_through_oidc(
    run: Run, keyring: Items, environment: Environment, option: str, verdict: str
) -> None:
    environment["HF_OIDC_RESOURCE"] = "my-org/my-model"
    done = login(run, *option.split())
    assert (done.stderr, done.code) == (b"", 0)
    assert done.stdout.decode().splitlines()[-1].startswith(verdict)
    assert keyring.secrets() == [TOKEN.encode()]
    assert run("get", input=request()).stdout == b"quit=1\n"


def test_the_verdict_has_the_token_that_oidc_gives(
    run: Run, hub: Hub, keyring: Items, environment: Environment
) -> None:
    hub.oidc.trust("my-org/my-model", repository="acme/training")
    environment["HF_OIDC_RESOURCE"] = "my-org/my-model"
    environment["HF_OIDC_ID_TOKEN"] = hub.oidc.id_token(repository="acme/training")
    first, *_, last = login(run).stdout.decode().splitlines()
    assert MASKED in first
    assert last.startswith("OK: git will use hf_")
    assert MASKED not in last
    assert login(run, "--offline").stdout.decode().splitlines()[-1] == last


def test_a_password_of_another_host(run: Run, hub: Hub, keyring: Items, environment: Environment) -> None:
    done = login(run, "--host", "git.example.org", "--user", "alice", token="any password at all")
    assert (done.stderr, done.code) == (b"", 0)
    stored, told = done.stdout.decode().splitlines()
    assert stored == "stored in the keyring"
    # It takes a helper with --host to be given to git, which login configures for the Hub alone.
    assert told.startswith("No token: git gets none for git.example.org: git-credential-hf does not handle it")
    assert hub.log == []
    assert gitconfig(environment) == ""


def test_oidc_is_not_asked_for_another_host(run: Run, keyring: Items, environment: Environment) -> None:
    environment["HF_OIDC_RESOURCE"] = "my-org/my-model"
    name, helper = "credential.https://git.example.org.helper", f"{EXECUTABLE} --host git.example.org"
    subprocess.run(["git", "config", "--global", name, helper], env=environment, check=True)
    done = login(run, "--host", "git.example.org", "--offline", token="any password at all")
    assert (done.stderr, done.code) == (b"", 0)
    assert done.stdout.decode().splitlines()[-1] == "OK: git will use any**** all from the keyring for git.example.org"


def test_no_configure_leaves_git_alone(run: Run, environment: Environment) -> None:
    assert login(run, "--no-configure").code == 0
    assert gitconfig(environment) == ""


def test_a_scope_without_a_keyring_is_stored_nowhere(run: Run, environment: Environment) -> None:
    done = login(run, "--scope", "my-org")
    assert (done.code, done.stderr.count(b"\n")) == (3, 1)
    assert b"was stored nowhere: no D-Bus session" in done.stderr
    assert not cache(environment).exists()


@pytest.mark.parametrize("arguments", ["", "--offline --no-configure"])
def test_without_a_keyring_and_the_token_file_it_is_stored_nowhere(
    run: Run, environment: Environment, arguments: str
) -> None:
    done = login(run, "--no-cache", *arguments.split())
    assert (done.code, done.stderr.count(b"\n")) == (3, 1)
    assert f"token {MASKED} for huggingface.co as hf_user was stored nowhere: no D-Bus" in done.stderr.decode()
    assert not cache(environment).exists()


def test_a_missing_git_lfs_is_said_and_the_rest_is_done(run: Run, environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    for name in ("sh", "git", "readlink", "python3", "git-credential-hf"):
        (tmp_path / "bin" / name).write_text(f'#!/bin/sh\nexec {shutil.which(name)} "$@"\n')
        (tmp_path / "bin" / name).chmod(0o755)
    (tmp_path / "bin/apt-get").symlink_to("/bin/false")
    done = run("login", "--with-token", input=TOKEN.encode(), PATH=str(tmp_path / "bin"))
    assert done.code == 0
    assert done.stderr.startswith(b"git-credential-hf: git-lfs is not installed. Try: ")
    assert done.stderr.endswith(b"apt-get install git-lfs && git lfs install --skip-repo\n")
    assert done.stdout.decode().splitlines()[1].endswith("; configured git")


# --- what is typed ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [("login",), ("login", "--with-token"), ("seed", "--from", "-"), ("seed",)])
def test_on_a_terminal_it_is_asked_for_and_not_shown(
    run: Run, keyring: Items, environment: Environment, arguments: tuple[str, ...]
) -> None:
    with at_a_terminal(environment, *arguments) as person:
        person.until(PROMPT)
        assert not person.echoes()
        assert person.type(TOKEN.encode() + b"\n") == 0
        assert person.echoes()
    assert TOKEN not in person.shown
    assert keyring.secrets() == [TOKEN.encode()]
    assert cache(environment).read_text() == TOKEN


@pytest.mark.parametrize("arguments", [("login",), ("seed", "--from", "-"), ("seed",)])
@pytest.mark.parametrize("how", ["Ctrl-C", "Ctrl-\\", "SIGTERM", "Ctrl-D"])
def test_whoever_changes_their_mind_has_the_terminal_back(
    environment: Environment, how: str, arguments: tuple[str, ...]
) -> None:
    with at_a_terminal(environment, *arguments) as person:
        person.until(PROMPT)
        code = {
            "Ctrl-C": lambda: person.type(b"hf_half" + INTERRUPT),
            "Ctrl-\\": lambda: person.type(b"hf_half\x1c"),
            "SIGTERM": lambda: person.kill(signal.SIGTERM),
            "Ctrl-D": lambda: person.type(END),
        }[how]()
        assert code == (1 if how == "Ctrl-D" else 130)
        assert person.echoes()
        assert ("standard input is empty" in person.shown) == (how == "Ctrl-D")
    assert "Traceback" not in person.shown
    assert not cache(environment).exists()
    assert gitconfig(environment) == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT, signal.SIGTERM])
def test_a_signal_just_before_the_read_is_seen_too(
    environment: Environment, faults: str, number: signal.Signals
) -> None:
    environment |= {"LD_PRELOAD": faults, "FAULTS": f"signal={number:d}"}
    with at_a_terminal(environment, "login") as person:
        assert person.end() == 130
        assert person.echoes()
    assert PROMPT in person.shown
    assert "Traceback" not in person.shown


def test_without_a_terminal_it_has_to_be_told(run: Run, environment: Environment) -> None:
    done = run("login", input=TOKEN.encode())
    assert (done.stdout, done.code) == (b"", 2)
    assert done.stderr.decode() == (
        "git-credential-hf: login asks for the token on a terminal, and standard input is none. "
        "Try: git-credential-hf login --with-token\n"
    )
    assert not cache(environment).exists()


@pytest.mark.parametrize("arguments", ["seed --optional", "seed --optional --quiet"])
def test_an_optional_seed_asks_nobody(environment: Environment, arguments: str) -> None:
    with at_a_terminal(environment, *arguments.split()) as person:
        assert person.end() == 0
    assert "not shown" not in person.shown


@pytest.mark.parametrize("text", ["", "hf_...", "HF_TOKEN=hf_LoGiNtOkEn0123456789", "ghp_0123456789abcdefABCDEF"])
def test_what_is_no_token_is_not_stored(run: Run, hub: Hub, environment: Environment, text: str) -> None:
    done = run("login", "--with-token", input=text.encode())
    assert (done.stdout, done.code, done.stderr.count(b"\n")) == (b"", 1, 1)
    assert hub.log == []
    assert not cache(environment).exists()


def test_a_locked_keyring_is_said(run: Run, own: GnomeKeyring, environment: Environment) -> None:
    own.restart(locked=True)
    done = login(run)
    assert (done.stderr, done.code) == (b"", 0)
    assert f"stored in {cache(environment)} (keyring: skipped, it is locked)" in done.stdout.decode()


@pytest.mark.parametrize("display", ["", ":99"])
def test_the_remedy_for_a_locked_keyring_asks_for_the_token_again(
    run: Run, own: GnomeKeyring, environment: Environment, display: str
) -> None:
    own.restart(locked=True)
    environment["DISPLAY"] = display
    done = login(run, "--scope", "my-org", "--offline")
    assert done.code == 3
    assert done.stderr.endswith(
        b" it is locked. Unlock the keyring, then: git-credential-hf login --scope my-org --offline\n"
    )


def test_the_remedies_keep_the_place(run: Run, hub: Hub, environment: Environment) -> None:
    where = "--scope my-org --user al"
    asked = run("login", *where.split())
    assert asked.stderr.endswith(f" Try: git-credential-hf login --with-token {where}\n".encode())
    hub.revoke(TOKEN)
    assert login(run, *where.split()).stderr.endswith(f" Try: git-credential-hf login {where}\n".encode())


def test_a_token_file_that_is_a_link_is_no_reason_to_seed(run: Run, environment: Environment, tmp_path: Path) -> None:
    cache(environment).parent.mkdir(parents=True)
    cache(environment).symlink_to(tmp_path / "elsewhere")
    done = login(run)
    assert (done.code, done.stderr.count(b"\n")) == (1, 1)
    # With --no-cache it would be stored nowhere.
    assert done.stderr.endswith(b" is a symbolic link to something else: remove it\n")


@AS_ROOT
def test_a_home_of_somebody_elses_is_refused(run: Run, environment: Environment) -> None:
    os.chown(environment["HOME"], 65534, 65534)
    done = login(run)
    assert (done.stdout, done.code) == (b"", 1)
    assert b"runuser -u nobody -- git-credential-hf login" in done.stderr
