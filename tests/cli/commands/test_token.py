"""token: the token that git would use for a URL, alone on standard output."""

import json
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.asking import seed, write_token_file
from tests.conftest import Environment, Result, Run
from tests.keyring_items import Items

TOKEN = "hf_tOkEn0123456789aBcDeFgHiJkLmNoPqRs"
SCOPED = "hf_sCoPeD0123456789aBcDeFgHiJkLmNoPqR"

Clone = Callable[[str], None]


@pytest.mark.parametrize(
    "url",
    [
        "my-org/my-model",
        "https://huggingface.co/my-org/my-model",
        "https://huggingface.co/My-Org/my-model.git",
        "https://hf.co/my-org/my-model/tree/main?x=1#readme",
        "https://alice@huggingface.co/my-org/my-model",
        "hf://my-org/my-model/file.bin",
        "my-org/my-model@main",
        "https://huggingface.co/api/models/my-org/my-model/tree/main",
        "git@hf.co:my-org/my-model.git",
        "ssh://git@hf.co/my-org/my-model",
    ],
)
def test_the_token_of_a_url(run: Run, keyring: Items, url: str) -> None:
    seed(run, TOKEN)
    seed(run, SCOPED, "--scope", "my-org")
    assert run("token", url) == Result(f"{SCOPED}\n".encode(), b"", 0)
    assert run("token", "other/model") == Result(f"{TOKEN}\n".encode(), b"", 0)
    assert run("token") == Result(f"{TOKEN}\n".encode(), b"", 0)


def test_without_a_url_it_is_that_of_the_clone(
    run: Run, keyring: Items, environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed(run, TOKEN)
    seed(run, SCOPED, "--scope", "my-org/my-model")
    subprocess.run(["git", "init", "--quiet", tmp_path / "clone"], env=environment, check=True)
    monkeypatch.chdir(tmp_path / "clone")
    assert run("token").stdout == f"{TOKEN}\n".encode()
    for remote in ("git@hf.co:my-org/my-model", "hf://my-org/my-model"):
        subprocess.run(["git", "config", "remote.hub.url", remote], env=environment, check=True)
        assert run("token").stdout == f"{SCOPED}\n".encode()
        assert json.loads(run("status", "--json").stdout)["url"] == "https://huggingface.co/my-org/my-model"


# --- what url.*.insteadOf makes of a URL -----------------------------------------------------------------------------


def instead(environment: Environment, base: str, of: str) -> None:
    subprocess.run(["git", "config", "--global", f"url.{base}.insteadOf", of], env=environment, check=True)


def verdict(run: Run, *url: str) -> str:
    return str(json.loads(run("status", "--json", *url).stdout)["verdict"])


@pytest.fixture
def two_tokens(run: Run, keyring: Items) -> None:
    seed(run, TOKEN)
    seed(run, SCOPED, "--scope", "my-org/my-model")
    run("configure")


@pytest.fixture
def clone(environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    """A function that makes the folder that one is in a clone of a URL."""

    def of(url: str) -> None:
        subprocess.run(["git", "init", "--quiet", tmp_path / "clone"], env=environment, check=True)
        subprocess.run(["git", "-C", tmp_path / "clone", "remote", "add", "origin", url], env=environment, check=True)
        monkeypatch.chdir(tmp_path / "clone")

    return of


@pytest.mark.parametrize(
    ("base", "of", "remote"),
    [
        ("https://huggingface.co/", "hf:", "hf:my-org/my-model"),
        ("https://huggingface.co/", "hf:", "hf:my-org/my-model.git"),
        ("https://huggingface.co/", "hf://", "hf://my-org/my-model"),
        ("https://huggingface.co/", "https://github.com/", "https://github.com/my-org/my-model"),
        ("https://huggingface.co/my-org/my-model", "https://huggingface.co/x/y", "https://huggingface.co/x/y"),
        ("https://huggingface.co/", "http://huggingface.co/", "http://huggingface.co/my-org/my-model"),
        ("https://huggingface.co/my-org/", "my:", "my:my-model"),
    ],
)
def test_git_uses_another_url_in_the_place_of_the_remotes(
    run: Run, environment: Environment, two_tokens: None, clone: Clone, base: str, of: str, remote: str
) -> None:
    clone(remote)
    instead(environment, base, of)
    given = Result(f"{SCOPED}\n".encode(), b"", 0)
    assert run("token") == given
    assert run("token", remote) == given
    assert b"(scope my-org/my-model)" in run("status").stdout
    assert b"(scope my-org/my-model)" in run("status", remote).stdout
    if of.startswith(("hf", "my")):
        assert " for huggingface.co/my-org/my-model" in verdict(run)
        assert "ssh://" not in run("status", "--json").stdout.decode()


def test_the_longest_of_them_counts_and_is_applied_once(run: Run, environment: Environment, two_tokens: None) -> None:
    instead(environment, "https://huggingface.co/", "hf:")
    instead(environment, "https://huggingface.co/my-org/my-model", "hf:x/y")
    instead(environment, "https://example.org/", "https://huggingface.co/my-org/my-model")
    assert run("token", "hf:x/y").stdout == f"{SCOPED}\n".encode()
    assert run("token", "hf:x/z").stdout == f"{TOKEN}\n".encode()


@pytest.mark.parametrize("base", ["https://mirror.example.org/", "/srv/mirror/", "http://huggingface.co/"])
def test_git_goes_elsewhere(run: Run, environment: Environment, two_tokens: None, clone: Clone, base: str) -> None:
    url = "https://huggingface.co/my-org/my-model"
    clone(url)
    instead(environment, base, "https://huggingface.co/")
    for given in ((), (url,), ("my-org/my-model",)):
        told = run("token", *given)
        assert (told.stdout, told.code, told.stderr.count(b"\n")) == (b"", 1, 1)
        assert b"url.*.insteadOf" in told.stderr
        remedy = f"Try: git-credential-hf status{f' {url}' if given else ''}\n"
        assert told.stderr.decode().endswith(remedy)
        assert verdict(run, *given).startswith("No token: ")
    assert run("exec", "--", "true") == run("token")
    # The whole Hub is no URL that git is given.
    assert run("token", "https://huggingface.co").stdout == f"{TOKEN}\n".encode()


def test_the_password_that_git_uses_may_be_in_its_configuration(
    run: Run, environment: Environment, two_tokens: None, clone: Clone
) -> None:
    clone("hf:my-org/my-model")
    instead(environment, "https://alice:hunter2@huggingface.co/", "hf:")
    told = run("token")
    assert told == Result(
        b"",
        b"git-credential-hf: no token for https://huggingface.co/my-org/my-model: url.*.insteadOf puts a password into "
        b"the URL, and git uses that. Try: git-credential-hf status\n",
        1,
    )
    assert b"url.*.insteadOf at ~/.gitconfig" in run("status").stdout


@pytest.mark.parametrize("scheme", ["http", "git", "ftp"])
def test_a_remote_over_what_git_does_not_ask_us_for_has_none(
    run: Run, environment: Environment, two_tokens: None, clone: Clone, scheme: str
) -> None:
    url = f"{scheme}://huggingface.co/my-org/my-model"
    clone(url)
    told = run("token")
    assert (told.stdout, told.code) == (b"", 1)
    assert told == run("token", url)
    assert verdict(run).startswith("No token: ")
    assert verdict(run) == verdict(run, url)


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/my-org/my-model",
        "http://huggingface.co/my-org/my-model",
        "https://cdn-lfs.hf.co/x/y",
        "https://huggingface.co:8443/my-org/my-model",
        "https://huggingface.co.example.org/my-org/my-model",
        "git@github.com:my-org/my-model",
        "ftp://huggingface.co/my-org/my-model",
        "file:///my-org/my-model",
        "HTTPS://huggingface.co/my-org/my-model",  # git asks for HTTPS, and gets none
        "https://alice@bob@huggingface.co/my-org/my-model",  # git asks for the host bob@huggingface.co
    ],
)
def test_a_url_that_is_not_ours_has_none(run: Run, environment: Environment, url: str) -> None:
    write_token_file(environment, TOKEN)
    told = run("token", url)
    assert (told.stdout, told.code, told.stderr.count(b"\n")) == (b"", 1, 1)
    assert told.stderr.startswith(b"git-credential-hf: no token for ")


@pytest.mark.parametrize("login", ["alice:pw@", "alice:@", ":pw@"])
def test_a_password_in_the_url_is_what_git_uses(
    run: Run, environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, login: str
) -> None:
    write_token_file(environment, TOKEN)
    url = f"https://{login}huggingface.co/my-org/my-model"
    subprocess.run(["git", "init", "--quiet", tmp_path / "clone"], env=environment, check=True)
    subprocess.run(["git", "-C", tmp_path / "clone", "remote", "add", "origin", url], env=environment, check=True)
    monkeypatch.chdir(tmp_path / "clone")
    told = Result(
        b"",
        b"git-credential-hf: no token for https://huggingface.co/my-org/my-model: the URL has a password in it, and "
        b"git uses that. Try: git-credential-hf token https://huggingface.co/my-org/my-model\n",
        1,
    )
    assert run("token", url) == told
    assert run("token") == told
    assert run("exec", "--", "true") == told


def test_where_there_is_none(run: Run) -> None:
    told = run("token", "my-org/my-model")
    assert told == Result(
        b"",
        b"git-credential-hf: no token for https://huggingface.co/my-org/my-model: no source has one. "
        b"Try: git-credential-hf status https://huggingface.co/my-org/my-model\n",
        1,
    )


def test_a_keyring_that_gives_no_answer_is_not_one_without_a_token(
    run: Run, environment: Environment, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX) as bus:
        bus.bind(str(tmp_path / "bus"))
        bus.listen()
        environment["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={tmp_path}/bus"
        told = run("token")
    assert told == Result(
        b"",
        b"git-credential-hf: no token for https://huggingface.co: no source has one, the keyring: it gave no answer "
        b"within 2 s. Try: git-credential-hf status https://huggingface.co\n",
        1,
    )


def test_a_rejected_token_is_named_as_people_see_it(run: Run, environment: Environment) -> None:
    write_token_file(environment, TOKEN)
    run("erase", input=f"protocol=https\nhost=huggingface.co\nusername=hf_user\npassword={TOKEN}\n".encode())
    told = run("token")
    assert (told.stdout, told.code) == (b"", 1)
    assert b"the Hub rejected the token hf_****PqRs" in told.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("x",),
        ("a\nb/c",),
        ("https://huggingface.co/a%0ab/c",),
        ("a/b", "c/d"),
        ("--json",),
        ("https:///x",),
        ("https://huggingface.co/settings/tokens",),
    ],
)
def test_a_mistake(run: Run, environment: Environment, arguments: tuple[str, ...]) -> None:
    write_token_file(environment, TOKEN)
    told = run("token", *arguments)
    assert (told.stdout, told.code, told.stderr.count(b"\n")) == (b"", 2, 1)


def test_a_user_that_may_be_a_token_is_not_told(run: Run) -> None:
    for command in ("token", "status", "seed --from - --scope"):
        told = run(*command.split(), f"https://{'x1' * 30}@huggingface.co/settings/tokens")
        assert told.code == 2
        assert b"x1x1" not in told.stderr


def test_the_message_names_the_url_that_is_none(run: Run, environment: Environment) -> None:
    write_token_file(environment, TOKEN)
    for command in ("token", "status"):
        told = run(command, "https://huggingface.co/settings/tokens")
        assert (told.stdout, told.code) == (b"", 2)
        assert told.stderr.startswith(
            b"git-credential-hf: https://huggingface.co/settings/tokens: settings is a page of the Hub"
        )


def test_a_token_in_the_place_of_a_url_is_not_shown(run: Run) -> None:
    told = run("token", TOKEN)
    assert told.code == 2
    assert TOKEN.encode() not in told.stderr
    told = run("token", f"https://alice:hunter2@huggingface.co/settings/{TOKEN} x")
    assert told.code == 2
    assert TOKEN.encode() not in told.stderr
    assert b"hunter2" not in told.stderr
    told = run("token", f"https://alice@{TOKEN}@huggingface.co/my-org/my-model")
    assert told.code == 1
    assert TOKEN.encode() not in told.stderr


def test_a_trace_has_no_token(run: Run, environment: Environment) -> None:
    write_token_file(environment, TOKEN)
    told = run("token", GIT_CREDENTIAL_HF_TRACE="1")
    assert told.stdout == f"{TOKEN}\n".encode()
    assert b"from" in told.stderr
    assert TOKEN.encode() not in told.stderr
