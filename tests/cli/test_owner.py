"""Homes as nobody would want them: what is kept below them is found again, or a line says why it could not be."""

import os
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import AS_ROOT, TOKEN, AsUser, Seed, snapshot, write
from tests.conftest import Environment, Run

REQUEST = b"protocol=https\nhost=huggingface.co\n"
REJECTED = REQUEST + b"username=hf_user\npassword=%b\n" % TOKEN.encode()
ANSWER = b"username=hf_user\npassword=%b\n" % TOKEN.encode()


def named(*, tokens: str = "of") -> bytes:
    return f"git-credential-hf: the Hub has refused the token {tokens} ".encode()


@pytest.mark.parametrize(
    "name",
    ["two words", "two\nlines", "\udcff\udcfe", "$HOME/`id`", "it's", "-rf", "\x1b[31m", "größe", "a" * 200, "a/../b"],
)
def test_what_is_kept_in_a_home_of_any_name_is_found_again(
    seed: Seed, run: Run, environment: Environment, tmp_path: Path, name: str
) -> None:
    home = tmp_path / name
    home.mkdir(parents=True, mode=0o700)
    environment["HOME"] = str(home)
    del environment["XDG_RUNTIME_DIR"]
    told = seed("--no-keyring")
    assert (told.stdout.count(b"\n"), told.stderr, told.code) == (1, b"", 0)
    token_file = home / ".cache/huggingface/token"
    if "$" not in name:  # huggingface_hub takes it for a variable, and so does seed
        assert token_file.read_text() == TOKEN
    assert run("get", input=REQUEST).stdout == ANSWER
    assert run("erase", input=REJECTED).stderr == b""
    assert [path.name for path in (home / ".local/state/git-credential-hf").iterdir()] == ["rejected"]
    refused = run("get", input=REQUEST)
    assert (refused.stdout, refused.code) == (b"quit=1\n", 0)
    assert refused.stderr.startswith(named())
    assert refused.stderr.count(b"\n") == 1


@pytest.mark.parametrize("home", [None, "", "relative", "/dev/null", "{tmp}/file", "{tmp}/file/below", "{tmp}/link"])
def test_without_a_home_a_variable_answers_and_is_remembered_elsewhere(
    run: Run, environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("as it was")
    (tmp_path / "link").symlink_to("link")
    del environment["HOME"]
    if home is not None:
        environment["HOME"] = home.format(tmp=tmp_path)
    environment["HF_TOKEN"] = TOKEN
    environment["HF_HOME"] = str(tmp_path / "none")  # without HOME, the one in the password file has a token file
    assert run("get", input=REQUEST).stdout == ANSWER
    assert run("erase", input=REJECTED).stderr == b""
    assert [path.name for path in (tmp_path / "run/git-credential-hf").iterdir()] == ["rejected"]
    assert run("get", input=REQUEST).stdout == b"quit=1\n"
    assert (tmp_path / "file").read_text() == "as it was"
    assert not (tmp_path / "relative").exists()


@pytest.mark.parametrize("home", ["{tmp}/file", "{tmp}/file/below", "{tmp}/link"])
def test_seed_says_that_it_cannot_write_below_what_is_no_home(
    seed: Seed, environment: Environment, tmp_path: Path, home: str
) -> None:
    (tmp_path / "file").write_text("as it was")
    (tmp_path / "link").symlink_to("link")
    result = seed("--no-keyring", HOME=home.format(tmp=tmp_path))
    assert (result.stdout, result.code) == (b"", 1)
    assert result.stderr.count(b"\n") == 1
    assert b"cannot be written: " in result.stderr
    assert (tmp_path / "file").read_text() == "as it was"


@AS_ROOT
@pytest.mark.parametrize("mode", [0o000, 0o500, 0o300])
def test_a_home_that_its_user_may_not_use(
    anybodys_folder: Path, environment: Environment, as_user: AsUser, mode: int
) -> None:
    home = anybodys_folder / "home"
    run_time = anybodys_folder / "run"
    for folder in (home, run_time):
        folder.mkdir(mode=0o700)
        shutil.chown(folder, 1000, 1000)
    write(anybodys_folder / "source", TOKEN)
    os.chown(anybodys_folder / "source", 1000, 1000)
    home.chmod(mode)
    more = {"HOME": str(home), "XDG_RUNTIME_DIR": str(run_time), "TMPDIR": str(run_time)}
    before = snapshot(home)
    seeded = as_user(1000, "seed", "--no-keyring", "--from", f"{anybodys_folder}/source", **more)
    if mode & 0o300 == 0o300:  # one need not be able to list it
        assert (seeded.stderr, seeded.code) == (b"", 0)
        assert (home / ".cache/huggingface/token").read_text() == TOKEN
        return
    assert (seeded.stdout, seeded.code) == (b"", 1)
    assert b"cannot be written: Permission denied" in seeded.stderr
    more["HF_TOKEN"] = TOKEN
    erased = as_user(1000, "erase", input=REJECTED, **more)
    assert (erased.stdout, erased.stderr, erased.code) == (b"", b"", 0)
    assert as_user(1000, "get", input=REQUEST, **more).stdout == b"quit=1\n"
    assert [path.name for path in (run_time / "git-credential-hf").iterdir()] == ["rejected"]
    assert snapshot(home) == before
