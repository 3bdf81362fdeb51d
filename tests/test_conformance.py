"""What git expects of a helper that stores credentials, through git's own approve, fill and reject.

The host is one of --host: huggingface.co has a memory of refusals, and ignores paths, beyond what git asks for. What a
git does not know, expiry or authtype, is not asked of it.
"""

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import EXECUTABLE, Environment
from tests.keyring_items import Items

Fields = dict[str, str]
Check = Callable[["Git"], None]

HOST = "git.example.org"
ASKED = {"username": "asked-user", "password": "asked-password"}
LATER = "4102444800"  # 2100
YET_LATER = "4133980800"

ASKPASS = """\
#!/bin/sh
case $1 in
    Username*) echo asked-user ;;
    *) echo asked-password ;;
esac
"""


class Git:
    """git with this helper and an askpass program, in a home of its own."""

    def __init__(self, environment: Environment, folder: Path) -> None:
        askpass = folder / "askpass"
        askpass.write_text(ASKPASS)
        askpass.chmod(0o755)
        hosts = (HOST, "other.example.org")
        helper = " ".join([EXECUTABLE, *(f"--host {host}" for host in hosts)])
        self.environment = environment | {"GIT_ASKPASS": str(askpass)}
        self.options = ["-c", "credential.helper=", "-c", f"credential.helper={helper}"]

    def credential(self, action: str, values: Fields, *flags: str, capable: bool = False) -> list[str]:
        """Run `git credential` with the values of a request, as a git with every capability if `capable`; its lines."""
        lines = {"protocol": "https", "host": HOST} | values
        announced = ["capability[]=authtype", "capability[]=state"] if capable else []
        text = "\n".join([*announced, *(f"{key}={value}" for key, value in lines.items())])
        done = subprocess.run(
            ["git", *self.options, *flags, "credential", action],
            input=f"{text}\n\n".replace("wwwauth=", "wwwauth[]="),
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stderr == ""
        return done.stdout.splitlines()

    def approve(self, *flags: str, **values: str) -> None:
        assert self.credential("approve", values, *flags) == []

    def approve_capable(self, **values: str) -> None:
        assert self.credential("approve", values, capable=True) == []

    def reject(self, *flags: str, **values: str) -> None:
        assert self.credential("reject", values, *flags) == []

    def fill(self, *flags: str, capable: bool = False, **values: str) -> Fields:
        """Return what git has for the request, without what it was asked with; ASKED where it had to ask."""
        lines = self.credential("fill", values, *flags, capable=capable)
        filled = dict(line.split("=", 1) for line in lines)
        kept = ("username", "password", "password_expiry_utc", "oauth_refresh_token", "authtype", "credential", "host")
        assert filled.get("host") == values.get("host", HOST)
        return {key: value for key, value in filled.items() if key in kept and key != "host"}


ALICE = {"username": "alice", "password": "pass-alice"}
BOB = {"username": "bob", "password": "pass-bob"}
BEARER = {"authtype": "Bearer", "credential": "bearer-credential"}
PATHS = ("-c", "credential.useHttpPath=true")


def nothing_stored_nothing_answered(git: Git) -> None:
    assert git.fill() == ASKED


def a_stored_pair_comes_back(git: Git) -> None:
    git.approve(**ALICE)
    assert git.fill() == ALICE


def it_comes_back_for_its_user(git: Git) -> None:
    git.approve(**ALICE)
    assert git.fill(username="alice") == ALICE


def http_is_not_https(git: Git) -> None:
    git.approve(**ALICE)
    assert git.fill(protocol="http") == ASKED


def nothing_is_kept_for_http(git: Git) -> None:
    git.approve(protocol="http", **ALICE)
    assert git.fill() == ASKED


def another_host_gets_nothing(git: Git) -> None:
    git.approve(**ALICE)
    assert git.fill(host="other.example.org") == ASKED
    assert git.fill(host=f"x.{HOST}") == ASKED


def another_user_gets_nothing(git: Git) -> None:
    git.approve(**ALICE)
    assert git.fill(username="bob") == ASKED | {"username": "bob"}


def without_use_http_path_a_path_is_nothing(git: Git) -> None:
    git.approve(path="one.git", **ALICE)
    assert git.fill(path="two.git") == ALICE


def a_path_gets_its_own(git: Git) -> None:
    git.approve(*PATHS, path="one.git", **ALICE)
    git.approve(*PATHS, path="two.git", **BOB)
    assert git.fill(*PATHS, path="one.git") == ALICE
    assert git.fill(*PATHS, path="two.git") == BOB


def another_path_gets_nothing(git: Git) -> None:
    git.approve(*PATHS, path="one.git", **ALICE)
    assert git.fill(*PATHS, path="two.git") == ASKED


def storing_again_replaces(git: Git) -> None:
    git.approve(**ALICE)
    git.approve(username="alice", password="newer")
    assert git.fill() == {"username": "alice", "password": "newer"}
    git.reject(username="alice", password="newer")
    assert git.fill() == ASKED


def rejecting_removes(git: Git) -> None:
    git.approve(**ALICE)
    git.reject(**ALICE)
    assert git.fill() == ASKED


def rejecting_another_password_removes_nothing(git: Git) -> None:
    git.approve(**ALICE)
    git.reject(username="alice", password="older")
    assert git.fill() == ALICE


def rejecting_a_user_removes_just_that_one(git: Git) -> None:
    git.approve(**ALICE)
    git.approve(**BOB)
    git.reject(username="alice")
    assert git.fill(username="alice") == ASKED | {"username": "alice"}
    assert git.fill(username="bob") == BOB


def rejecting_the_host_removes_all(git: Git) -> None:
    git.approve(**ALICE)
    git.approve(**BOB)
    git.approve(host="other.example.org", **ALICE)
    git.reject()
    assert git.fill() == ASKED
    assert git.fill(username="bob") == ASKED | {"username": "bob"}
    assert git.fill(host="other.example.org") == ALICE


def each_of_two_users_gets_their_own(git: Git) -> None:
    git.approve(**ALICE)
    git.approve(**BOB)
    assert git.fill(username="alice") == ALICE
    assert git.fill(username="bob") == BOB


def an_empty_username_comes_back(git: Git) -> None:
    git.approve(username="", password="pass-empty")
    assert git.fill() == {"username": "", "password": "pass-empty"}


def an_empty_password_comes_back(git: Git) -> None:
    git.approve(username="alice", password="")
    assert git.fill() == {"username": "alice", "password": ""}


def a_long_header_is_no_host(git: Git) -> None:
    git.approve(**ALICE)
    for length in (1023, 1024, 1025):
        header = "x" * (length - len("wwwauth[]=")) + f"host={HOST}"
        assert git.fill(host="evil.example.org", wwwauth=header) == ASKED


def an_expiry_is_kept_and_replaced(git: Git) -> None:
    git.approve(password_expiry_utc=LATER, **ALICE)
    assert git.fill() == ALICE | {"password_expiry_utc": LATER}
    git.approve(password_expiry_utc=YET_LATER, **ALICE)
    assert git.fill() == ALICE | {"password_expiry_utc": YET_LATER}


def a_refresh_token_is_kept_and_replaced(git: Git) -> None:
    git.approve(oauth_refresh_token="again", **ALICE)
    assert git.fill() == ALICE | {"oauth_refresh_token": "again"}
    git.approve(oauth_refresh_token="and again", **ALICE)
    assert git.fill() == ALICE | {"oauth_refresh_token": "and again"}


def a_bearer_comes_back(git: Git) -> None:
    git.approve_capable(**BEARER)
    assert git.fill(capable=True) == BEARER


def a_bearer_of_a_user_comes_back(git: Git) -> None:
    git.approve_capable(username="alice", **BEARER)
    assert git.fill(capable=True) == BEARER | {"username": "alice"}
    assert git.fill(capable=True, username="alice") == BEARER | {"username": "alice"}


def a_bearer_is_not_another_users(git: Git) -> None:
    git.approve_capable(username="alice", **BEARER)
    assert git.fill(capable=True, username="bob") == ASKED | {"username": "bob"}


def a_bearer_is_for_nobody_without_the_capability(git: Git) -> None:
    git.approve_capable(username="alice", **BEARER)
    assert git.fill() == ASKED
    assert git.fill(username="alice") == ASKED | {"username": "alice"}


def a_bearer_is_replaced(git: Git) -> None:
    git.approve_capable(**BEARER)
    git.approve_capable(authtype="Bearer", credential="newer")
    assert git.fill(capable=True) == {"authtype": "Bearer", "credential": "newer"}


def a_bearer_is_rejected(git: Git) -> None:
    git.approve_capable(username="alice", **BEARER)
    git.credential("reject", {"username": "alice", "authtype": "Bearer", "credential": "another"}, capable=True)
    assert git.fill(capable=True) == BEARER | {"username": "alice"}
    git.credential("reject", {"username": "alice"} | BEARER, capable=True)
    assert git.fill(capable=True) == ASKED


def what_is_ephemeral_is_not_kept(git: Git) -> None:
    git.approve_capable(ephemeral="1", **BEARER)
    assert git.fill(capable=True) == ASKED


def a_bearer_keeps_its_expiry(git: Git) -> None:
    git.approve_capable(password_expiry_utc=LATER, **BEARER)
    assert git.fill(capable=True) == BEARER | {"password_expiry_utc": LATER}


# The version of git that knows it, and what it is.
CHECKS: list[tuple[tuple[int, int], Check]] = [
    *[
        ((2, 0), check)
        for check in (
            nothing_stored_nothing_answered, a_stored_pair_comes_back, it_comes_back_for_its_user, http_is_not_https,
            nothing_is_kept_for_http, another_host_gets_nothing, another_user_gets_nothing,
            without_use_http_path_a_path_is_nothing, a_path_gets_its_own, another_path_gets_nothing,
            storing_again_replaces, rejecting_removes, rejecting_another_password_removes_nothing,
            rejecting_a_user_removes_just_that_one, rejecting_the_host_removes_all, each_of_two_users_gets_their_own,
            an_empty_username_comes_back, an_empty_password_comes_back,
        )
    ],
    ((2, 41), a_long_header_is_no_host),
    ((2, 40), an_expiry_is_kept_and_replaced),
    ((2, 41), a_refresh_token_is_kept_and_replaced),
    *[
        ((2, 46), check)
        for check in (
            a_bearer_comes_back, a_bearer_of_a_user_comes_back, a_bearer_is_not_another_users,
            a_bearer_is_for_nobody_without_the_capability, a_bearer_is_replaced, a_bearer_is_rejected,
            what_is_ephemeral_is_not_kept, a_bearer_keeps_its_expiry,
        )
    ],
]  # fmt: skip


def version_of_git() -> tuple[int, int]:
    told = subprocess.run(["git", "version"], capture_output=True, text=True, check=True).stdout
    numbers = re.search(r"(\d+)\.(\d+)", told)
    assert numbers
    return int(numbers[1]), int(numbers[2])


VERSION = version_of_git()
KNOWN = [check for since, check in CHECKS if since <= VERSION]


@pytest.mark.parametrize("check", KNOWN, ids=lambda check: check.__name__)
def test_git_stores_with_it_as_it_expects(
    check: Check, keyring: Items, environment: Environment, tmp_path: Path
) -> None:
    check(Git(environment, tmp_path))
    assert [item for item in keyring.all() if "/" in item.label] == []


def test_a_git_is_asked_all_that_it_knows() -> None:
    assert len(CHECKS) == 21 + 8
    assert len(KNOWN) == (29 if VERSION >= (2, 46) else 21 if VERSION >= (2, 41) else 19 if VERSION >= (2, 40) else 18)


# --- git-credential-libsecret --------------------------------------------------------------------------------

LIBSECRET = os.environ.get("GIT_CREDENTIAL_LIBSECRET", "")
"""The path of git-credential-libsecret from git 2.43 or later, where there is one: Debian has it as source alone."""

if LIBSECRET:

    @pytest.mark.parametrize("values", [{}, {"password_expiry_utc": LATER, "oauth_refresh_token": "again"}])
    @pytest.mark.parametrize("port", ["", ":8443"])
    @pytest.mark.parametrize("writer", ["ours", "theirs"])
    def test_each_reads_what_the_other_stores(
        keyring: Items, environment: Environment, values: Fields, port: str, writer: str
    ) -> None:
        assert keyring.all() == []
        request = f"protocol=https\nhost={HOST}{port}\n"
        helpers = {"ours": [EXECUTABLE, "--host", f"{HOST}{port}"], "theirs": [LIBSECRET]}
        stored = request + "".join(f"{key}={value}\n" for key, value in (ALICE | values).items())

        def run(who: str, action: str, data: str) -> set[str]:
            done = subprocess.run(
                [*helpers[who], action], input=data, env=environment, capture_output=True, text=True, check=True
            )
            return set(done.stdout.splitlines()) - set(request.splitlines())

        run(writer, "store", stored)
        expected = {f"{key}={value}" for key, value in (ALICE | values).items()}
        assert run("ours", "get", request) == run("theirs", "get", request) == expected
        run(writer, "erase", request + "username=alice\npassword=pass-alice\n")
        assert run("ours", "get", request) == run("theirs", "get", request) == set()

    def test_a_bearer_is_not_taken_for_a_password(keyring: Items, environment: Environment) -> None:
        request = "protocol=https\nhost=huggingface.co\ncapability[]=authtype\n"
        for command, data in (
            ([EXECUTABLE, "store"], request + "authtype=Bearer\ncredential=bearer-credential\nusername=alice\n"),
            ([LIBSECRET, "get"], request),
        ):
            done = subprocess.run(command, input=data, env=environment, capture_output=True, text=True, check=True)
            assert "bearer-credential" not in done.stdout
        assert len(keyring.all()) == 1
