"""A platform without a Secret Service: the keyring library's backend serves.

The backend here is a real one of keyring's own kind that keeps its items in a file; the platform is the one thing that
is pretended.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backends.fail
import pytest
from keyring.backend import KeyringBackend
from keyring.credentials import Credential, SimpleCredential
from keyring.errors import KeyringLocked, PasswordDeleteError, PasswordSetError
from keyrings.alt.file import PlaintextKeyring

from git_credential_hf.sources import keyring as source
from tests.asking import HUB, NOTHING, answer, explains, request
from tests.conftest import Environment, Result, run_call


class FindsAnybody(PlaintextKeyring):  # type: ignore[misc]  # keyrings.alt has no types
    """As the Keychain does, it finds an item by its service alone too."""

    def get_credential(self, service: str, username: str | None) -> Credential | None:
        for user in (username,) if username is not None else ("hf_user", "bob", "alice"):
            if (password := self.get_password(service, user)) is not None:
                return SimpleCredential(user, password)
        return None


class Locked(PlaintextKeyring):  # type: ignore[misc]
    def get_password(self, service: str, username: str) -> str:
        raise KeyringLocked


class ReadOnly(FindsAnybody):
    def set_password(self, service: str, username: str, password: str) -> None:
        raise PasswordSetError

    def delete_password(self, service: str, username: str) -> None:
        raise PasswordDeleteError


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(source, "SECRET_SERVICE", False)
    before = keyring.get_keyring()
    yield tmp_path / "keychain"
    keyring.set_keyring(before)


def use(backend: KeyringBackend, file: Path) -> None:
    backend.file_path = os.fspath(file)  # type: ignore[attr-defined]
    keyring.set_keyring(backend)


def test_seed_get_store_and_erase(file: Path, environment: Environment) -> None:
    use(FindsAnybody(), file)

    def run(*arguments: str, input: bytes = b"") -> Result:
        return run_call(arguments, input, environment)

    for expected in ("created", "unchanged"):
        seeded = run("seed", "--from", "-", "--no-cache", input=b"hf_abc123")
        assert (seeded.stderr, seeded.code) == (b"", 0)
        assert expected in seeded.stdout.decode()
    assert run("get", input=request()) == answer("hf_user", "hf_abc123")
    assert run("get", input=request(username="alice")) == answer("alice", "hf_abc123")

    assert run("seed", "--from", "-", "--scope", "org", "--user", "bob", input=b"hf_scoped").code == 0
    assert run("get", input=request(path="org/one")) == answer("bob", "hf_scoped")
    assert run("get", input=request(path="other/one")) == answer("hf_user", "hf_abc123")

    assert run("store", input=request(username="alice", password="typed")) == NOTHING
    assert run("get", input=request(username="alice")) == answer("alice", "typed")
    assert run("erase", input=request(username="alice")) == NOTHING
    assert run("get", input=request(username="alice")) == answer("alice", "hf_abc123")
    assert run("store", input=request(username="hf_user", password="typed")) == NOTHING
    assert run("get", input=request()) == answer("hf_user", "hf_abc123")
    told = run("erase", input=request(username="hf_user", password="hf_abc123"))
    assert explains(told, "****", "the keyring", "git-credential-hf login")
    assert run("get", input=request()) == answer("hf_user", "typed")
    assert run("erase", input=request(username="hf_user", password="typed")) == NOTHING
    assert run("get", input=request()).stdout == b"quit=1\n"
    assert run("store", input=request(username="hf_user", password="typed")) == NOTHING
    assert run("seed", "--from", "-", "--no-cache", input=b"hf_abc123").stdout.startswith(b"keyring: replaced, ")
    assert run("erase", input=request(username="hf_user")) == NOTHING
    assert run("get", input=request()) == NOTHING
    assert keyring.get_password(f"https://{HUB}/org", "bob") is not None
    assert run("erase", input=request(path="a//b")) == NOTHING


def test_forget(file: Path, environment: Environment) -> None:
    use(FindsAnybody(), file)
    for arguments in ((), ("--scope", "org"), ("--user", "alice")):
        assert run_call(("seed", "--from", "-", *arguments), b"hf_abc123", environment).code == 0
    keyring.set_password(f"git:https://{HUB}", "alice", "theirs")
    for arguments, where in (
        (("--user", "alice"), f"{HUB} as alice"),
        (("--scope", "org"), f"{HUB}/org as hf_user"),
        ((), f"{HUB} as hf_user"),
    ):
        done = run_call(("forget", "--yes", *arguments), b"", environment)
        assert (done.stderr, done.code) == (b"", 0)
        assert f"keyring: removed, token **** for {where}" in done.stdout.decode()
    assert run_call(("forget", "--yes"), b"", environment).stdout == b"nothing to remove\n"
    assert keyring.get_password(f"git:https://{HUB}", "alice") == "theirs"


def test_another_tools_item_is_read_and_left(file: Path, environment: Environment) -> None:
    use(FindsAnybody(), file)
    keyring.set_password(f"git:https://{HUB}", "alice", "theirs")
    assert run_call(("get",), request(), environment) == answer("alice", "theirs")
    told = run_call(("erase",), request(username="alice", password="theirs"), environment)
    assert explains(told, "****", "the keyring", "git-credential-hf login --user alice")
    assert keyring.get_password(f"git:https://{HUB}", "alice") == "theirs"
    assert run_call(("get",), request(), environment).stdout == b"quit=1\n"


def test_another_tools_item_that_is_never_a_token_of_the_hub_is_skipped(file: Path, environment: Environment) -> None:
    use(FindsAnybody(), file)
    for service, secret in ((HUB, "ghp_abcdefghijklmnopqrst"), (f"git:https://{HUB}", "hf_theirs1")):
        keyring.set_password(service, "alice", secret)
    assert run_call(("get",), request(), environment) == answer("alice", "hf_theirs1")


def test_list_and_login(file: Path, environment: Environment) -> None:
    use(FindsAnybody(), file)
    token = "hf_KeYcHaIn0123456789aBcD"
    told = run_call(("login", "--with-token", "--offline", "--no-configure", "--no-cache"), token.encode(), environment)
    assert (told.stderr, told.code) == (b"", 0)
    assert told.stdout.endswith(b"No token: git gets none for huggingface.co: git-credential-hf is not configured\n")
    listed = run_call(("list",), b"", environment)
    assert (listed.stderr, listed.code) == (b"", 0)
    assert listed.stdout.decode().splitlines()[1].split() == [HUB, "hf_user", "hf_****aBcD", "keyring", "-", "-"]
    use(Locked(), file)
    assert run_call(("list",), b"", environment).stdout == b"0 tokens stored; keyring: skipped (it is locked)\n"


def test_no_keyring_and_a_locked_one_are_skipped(file: Path, environment: Environment) -> None:
    nobody = keyring.backends.fail.Keyring()  # type: ignore[no-untyped-call]
    for backend, reason in ((nobody, "no keyring"), (Locked(), "locked")):
        use(backend, file)
        seeded = run_call(("seed", "--from", "-"), b"hf_abc123", environment)
        assert (seeded.stderr, seeded.code) == (b"", 0)
        assert f"skipped ({reason}" in seeded.stdout.decode().replace("it is ", "")
        assert run_call(("get",), request(), environment) == answer("hf_user", "hf_abc123")
        assert run_call(("erase",), request(username="alice"), environment) == NOTHING
        required = run_call(("seed", "--from", "-", "--require-keyring"), b"hf_abc123", environment)
        assert required.code == 3


def test_a_keyring_that_takes_nothing_is_named(file: Path, environment: Environment) -> None:
    use(ReadOnly(), file)
    seeded = run_call(("seed", "--from", "-", "--no-cache"), b"hf_abc123", environment)
    assert (seeded.stdout, seeded.code) == (b"", 3)
    assert seeded.stderr.count(b"\n") == 1
    use(FindsAnybody(), file)
    keyring.set_password(f"https://{HUB}", "hf_user", "pw")
    use(ReadOnly(), file)
    assert run_call(("erase",), request(username="hf_user"), environment) == NOTHING
