"""Where seed takes a token from, and what it refuses to take for one."""

import json
import os
import socket
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from git_credential_hf.cli import token_source as secret_source
from git_credential_hf.cli.output import Failed
from git_credential_hf.state import ownership
from tests.cli.conftest import ROTATED, TOKEN, AsUser, Seed, cache, snapshot, write
from tests.conftest import AS_ROOT, EXECUTABLE, Environment, Result, Run, run_call
from tests.keyring_items import Items

SETTINGS = "https://huggingface.co/settings/tokens"


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "current"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def read(text: str | bytes) -> str:
    raw = text if isinstance(text, bytes) else text.encode()
    return secret_source.read("env:T", {b"T": raw})[0]


def is_refused_as(reason: str, seed: Seed, environment: Environment, *arguments: str, **more: str) -> None:
    """Whether seed says `reason` in one line, exits with 1 and leaves everything as it was."""
    before = snapshot(Path(environment["HOME"]))
    result = seed(*arguments, **more)
    assert (result.stdout, result.code) == (b"", 1)
    assert result.stderr.startswith(b"git-credential-hf: ")
    assert result.stderr.count(b"\n") == 1
    assert reason in result.stderr.decode()
    assert snapshot(Path(environment["HOME"])) == before


@pytest.mark.parametrize("given", [TOKEN, f"env:{TOKEN}", f"credential:{TOKEN}", f"command:{TOKEN}"])
def test_a_token_in_the_place_of_its_source_is_not_told(seed: Seed, environment: Environment, given: str) -> None:
    is_refused_as("--from was given a token", seed, environment, "--from", given)


def test_a_token_in_the_name_of_a_file_is_not_told(seed: Seed, environment: Environment) -> None:
    is_refused_as("./hf_****mNoP.txt: no such file", seed, environment, "--from", f"./{TOKEN}.txt")


# --- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content", ["{}", "{}\n", "{}\r\n", "  {}\t\n\n", "\n{}"], ids=["bare", "LF", "CRLF", "white space", "after a LF"]
)
def test_the_token_is_what_stands_between_white_space(
    seed: Seed, source: Path, environment: Environment, content: str
) -> None:
    write(source, content.format(TOKEN))
    result = seed()
    assert (result.stderr, result.code) == (b"", 0)
    assert cache(environment).read_text() == TOKEN


@pytest.mark.parametrize(
    "name",
    ["tok", "with space", "two\nlines", "\udcff\udcfe", "-dash", "env", "credential", "command", "Env:x", "./env:T"],
)
def test_any_name_of_a_file(seed: Seed, environment: Environment, name: str) -> None:
    write(Path(name), TOKEN)
    result = seed(f"--from={name}") if name.startswith("-") else seed("--from", name)
    assert (result.stderr, result.code) == (b"", 0)
    assert cache(environment).read_text() == TOKEN


@pytest.mark.parametrize("name", ["two\nlines", "\udcff\udcfe", "bell\a\x1b[31m", "\u2028"])
@pytest.mark.parametrize("optional", [False, True])
def test_any_name_is_told_in_one_line(seed: Seed, name: str, optional: bool) -> None:
    result = seed("--from", name, *(["--optional"] if optional else []))
    told = (result.stdout + result.stderr).decode()
    assert result.code == (0 if optional else 1)
    assert told.endswith(": no such file\n")
    assert told[:-1].isprintable()


def test_a_name_that_the_locale_cannot_write_is_told_all_the_same(source: Path, environment: Environment) -> None:
    done = subprocess.run(
        [EXECUTABLE, "seed", "--optional", "--from", "ключ"],
        env=environment | {"LC_ALL": "en_US.ISO-8859-1", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        capture_output=True,
        check=False,
    )
    assert (done.stderr, done.returncode) == (b"", 0)
    assert done.stdout.startswith(b"nothing to seed: ")


def test_home_may_be_written_as_a_tilde(seed: Seed, environment: Environment) -> None:
    write(Path(environment["HOME"], "own secrets"), TOKEN)
    assert seed("--from", "~/own secrets").code == 0
    assert cache(environment).read_text() == TOKEN


def test_links_are_followed_to_where_a_secret_is_decrypted(
    seed: Seed, environment: Environment, tmp_path: Path
) -> None:
    generation = tmp_path / "secrets.d/1"
    generation.mkdir(parents=True)
    write(generation / "hf", TOKEN, 0o400)
    (tmp_path / "secrets").symlink_to(generation)
    (tmp_path / "in-home").symlink_to(tmp_path / "secrets/hf")
    result = seed("--from", str(tmp_path / "in-home"))
    assert (result.stderr, result.code) == (b"", 0)
    assert cache(environment).read_text() == TOKEN


def test_a_link_to_what_is_not_decrypted_yet_is_missing(seed: Seed, tmp_path: Path) -> None:
    (tmp_path / "in-home").symlink_to(tmp_path / "secrets/hf")
    assert seed("--from", str(tmp_path / "in-home"), "--optional").code == 0
    assert seed("--from", str(tmp_path / "in-home")).code == 1


def test_a_link_to_itself_is_refused(seed: Seed, environment: Environment) -> None:
    Path("round").symlink_to("round")
    is_refused_as("round cannot be read: Too many", seed, environment, "--from", "round", "--optional")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (f"{TOKEN}\nhf_another\n", "more than one line"),
        (f"{TOKEN}\rhf_another\n", "more than one line"),
        (f"{TOKEN}\0", "a control character"),
        ("hf_\x1b[31mred", "a control character"),
        ("hf_a\tb", "a control character"),
        ("hf_a\x7fb", "a control character"),
        ("hf_a\x85b", "a control character"),
        (b"hf_a\xffb", "is not plain text"),
        (TOKEN.encode("utf-16"), "a control character"),
        (f"\ufeff{TOKEN}", "a character in it that no token has"),
        (f"{TOKEN}\xa0", "a character in it that no token has"),
        ("hf_ключ", "a character in it that no token has"),
        ("a" * 65_001, "too long"),
        ("a" * 65_537, "64 KiB"),
        (TOKEN + "\n" * 65_537, "64 KiB"),
    ],
)
def test_what_is_no_token_is_refused_even_where_it_is_optional(
    seed: Seed, source: Path, environment: Environment, content: str | bytes, reason: str
) -> None:
    write(source, content)
    is_refused_as(reason, seed, environment, "--optional")
    is_refused_as(str(source), seed, environment)


def test_the_longest_token_can_be_given_to_git(seed: Seed, run: Run, source: Path) -> None:
    write(source, "a" * 65_000)
    assert seed().code == 0
    got = run("get", input=b"protocol=https\nhost=huggingface.co\n")
    assert got.stdout == b"username=hf_user\npassword=%b\n" % (b"a" * 65_000)


@pytest.mark.parametrize("content", ["", "\n", " \t\r\n\v\f"])
def test_an_empty_file_is_named_with_the_remedy(
    seed: Seed, source: Path, environment: Environment, content: str
) -> None:
    write(source, content)
    is_refused_as(f"{source} is empty: put the token there, from {SETTINGS}", seed, environment)


def test_a_missing_file_is_named(seed: Seed, environment: Environment, tmp_path: Path) -> None:
    is_refused_as(f"{tmp_path}/none: no such file", seed, environment, "--from", str(tmp_path / "none"))


def test_a_placeholder_is_named_with_the_remedy(seed: Seed, source: Path, environment: Environment) -> None:
    write(source, "hf_1234567890abcdef...\n")
    is_refused_as(f"{source} holds a placeholder: put the token there, from {SETTINGS}", seed, environment)


KEEP = "keep the word that begins with hf_"
AROUND = "(a token with other characters around it): keep the token alone\n"
IN_URL = "(a URL with a token in it): keep the token alone\n"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (f"HF_TOKEN={TOKEN}", f"holds more than the token (a name with its value): {KEEP}"),
        (f"export HF_TOKEN={TOKEN}", f"holds more than the token (a name with its value): {KEEP}"),
        (f'HF_TOKEN="{TOKEN}"', f"holds more than the token (a name with its value): {KEEP}"),
        (f'{{"access_token": "{TOKEN}"}}', f"holds more than the token (JSON): {KEEP}"),
        (f"token: {TOKEN}", f"holds more than the token (a name with its value): {KEEP}"),
        (f"Authorization: Bearer {TOKEN}", f"holds more than the token (an Authorization header): {KEEP}"),
        (f"{TOKEN} {ROTATED}", f"holds more than the token (more than one word): {KEEP}, and only one of them\n"),
        (f"hf_user:{TOKEN}", "holds more than the token (a name with its value): keep the token alone\n"),
        (f"$env:HF_TOKEN={TOKEN}", f"holds more than the token (a name with its value): {KEEP}\n"),
        (f"https://alice:{TOKEN}@huggingface.co", f"holds more than the token {IN_URL}"),
        (f"https://{TOKEN}@huggingface.co", f"holds more than the token {IN_URL}"),
        *((text, f"holds more than the token {AROUND}") for text in (
            f"{TOKEN},", f"{TOKEN};", f"({TOKEN})", f'"{TOKEN}', f'{TOKEN}"', f"#{TOKEN}", f"*{TOKEN}*",
            f"{TOKEN}#laptop", f"{TOKEN}|", f"|{TOKEN}", f"{TOKEN}%", f"{TOKEN}.", f"token/{TOKEN}",
        )),
        *((text, f"holds more than the token (JSON): put the token alone there, from {SETTINGS}\n") for text in (
            '{"error":"unauthorized"}', '{"error": "invalid token"}', "{}", "[]", '["hf_x"]', '{"a":1}', "[1, 2]",
        )),
        ('{\n  "error": "unauthorized"\n}\n', "holds more than one line: keep the token alone\n"),
        (f"{TOKEN}{TOKEN}", "holds more than the token (two tokens without a space between them): keep one of them"),
        (f"{TOKEN}\n{ROTATED}", "holds more than one line: keep the token alone"),
        (f'"{TOKEN}"', "holds a token in quotes: keep what is between them"),
        (f"'{TOKEN}'", "holds a token in quotes: keep what is between them"),
        ("ghp_abcdefghijklmnopqrst", f"a token of another service's: keep one of Hugging Face's, from {SETTINGS}"),
        ("github_pat_11ABCDEFG0abcdefghijkl", "a token of another service's"),
        ("glpat-abcdefghijklmnopqrst", "a token of another service's"),
        ("sk-abcdefghijklmnopqrst", "a token of another service's"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("optional", [(), ("--optional",)])
def test_what_is_more_than_a_token_or_another_ones_is_named_and_changes_nothing(
    seed: Seed, source: Path, environment: Environment, content: str, reason: str, optional: tuple[str, ...]
) -> None:
    assert seed().code == 0
    write(source, content)
    is_refused_as(f"{source} {reason}" if reason.startswith("holds") else reason, seed, environment, *optional)
    assert cache(environment).read_text() == TOKEN
    # and where it is declared
    declaration = Path(environment["HOME"], ".config/git-credential-hf/tokens.toml")
    declaration.parent.mkdir(parents=True)
    declaration.write_text(f'[tokens.a]\nfile = "{source}"\ncache = true\n')
    result = run_call(("seed", *optional), b"", environment)
    assert result.code == 1
    assert reason in result.stderr.decode()
    assert cache(environment).read_text() == TOKEN


@pytest.mark.parametrize("command", [("seed", "--from", "-"), ("login", "--with-token")])
def test_the_password_of_another_host_is_not_to_be_had_at_the_hub(run: Run, command: tuple[str, ...]) -> None:
    done = run(*command, "--host", "git.example.org", input=b"\n")
    assert (done.code, done.stdout) == (1, b"")
    assert done.stderr == b"git-credential-hf: standard input is empty: put the password there\n"


@pytest.mark.parametrize(
    "content",
    [
        "{}", '{"error":"unauthorized"}', '{\n "a": 1\n}', "[1,2]", '["hf_x"]', f"https://{TOKEN}@huggingface.co",
        f"#{TOKEN}", f"*{TOKEN}*", f"{TOKEN}#laptop", f"{TOKEN}|", f"|{TOKEN}", f"x{TOKEN}", "hf_oauth_xxx",
        "CHANGE_ME", "HF=hf_xxx", "op://vault/item/field", "ref+sops://x.yaml#/hf", "a=" * 5_000, "your" * 5_000,
    ],
)  # fmt: skip
def test_get_skips_what_is_never_a_token(run: Run, environment: Environment, content: str) -> None:
    asked = b"protocol=https\nhost=huggingface.co\n"
    cache(environment).parent.mkdir(parents=True)
    write(cache(environment), content)
    assert run("get", input=asked) == Result(b"", b"", 0)
    write(cache(environment), TOKEN)
    assert run("get", input=asked, HF_TOKEN=content) == Result(f"username=hf_user\npassword={TOKEN}\n".encode(), b"", 0)


@pytest.mark.parametrize("content", ["None", "null", "undefined", "$HF_TOKEN", "${HF_TOKEN}", "HF_TOKEN=", '""'])
def test_a_template_is_nothing(seed: Seed, source: Path, environment: Environment, content: str) -> None:
    write(source, content)
    is_refused_as(f"put the token there, from {SETTINGS}", seed, environment)
    assert seed("--optional").code == 0
    assert not cache(environment).exists()


def test_another_word_is_stored_with_a_warning(seed: Seed, source: Path, environment: Environment) -> None:
    write(source, "0123456789abcdef0123456789abcdef")
    result = seed("--quiet")
    warning = f"{source} holds a word that does not look like a Hugging Face token (hf_...); it is stored anyway"
    assert (result.stdout, result.stderr.decode(), result.code) == (b"", f"git-credential-hf: {warning}\n", 0)
    assert cache(environment).read_text() == "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    "password", ["correct horse", f'"{TOKEN}"', "ghp_abcdefgh", "None", "a=b", "your token", "größe"]
)
def test_for_another_host_any_one_line_is_a_password(seed: Seed, run: Run, keyring: Items, password: str) -> None:
    result = seed("--from", "-", "--host", "git.example.org", input=f"{password}\n".encode())
    assert (result.stderr, result.code) == (b"", 0)
    asked = b"protocol=https\nhost=git.example.org\n"
    got = run("--host", "git.example.org", "get", input=asked)
    assert got.stdout.decode() == f"username=hf_user\npassword={password}\n"


def test_a_token_of_a_login_keeps_its_end(seed: Seed, run: Run, keyring: Items, environment: Environment) -> None:
    cache(environment).parent.mkdir(parents=True)
    write(cache(environment), TOKEN)
    login = f"[oauth-alice]\nhf_token = {TOKEN}\nrefresh_token = x\nexpires_at = 4102444800\n"
    write(cache(environment).with_name("stored_tokens"), login)
    assert seed("--from", str(cache(environment)), "--scope", "my-org").code == 0
    got = run("--sources", "keyring", "get", input=b"protocol=https\nhost=huggingface.co\npath=my-org/x\n")
    assert got.stdout.endswith(b"\npassword_expiry_utc=4102444800\n")


@pytest.mark.parametrize("content", ["", " \n", "hf_1234567890abcdef...\n", None])
def test_optional_passes_over_what_gives_no_token_yet(
    seed: Seed, source: Path, environment: Environment, content: str | None
) -> None:
    if content is None:
        source.unlink()
    else:
        write(source, content)
    before = snapshot(Path(environment["HOME"]))
    result = seed("--optional")
    assert (result.stderr, result.code) == (b"", 0)
    assert result.stdout.startswith(b"nothing to seed: ")
    assert str(source).encode() in result.stdout
    assert seed("--optional", "--quiet").stdout == b""
    assert snapshot(Path(environment["HOME"])) == before


@pytest.mark.parametrize("kind", ["directory", "FIFO", "/dev/zero", "/dev/null"])
def test_what_is_no_file_is_refused_at_once(seed: Seed, environment: Environment, tmp_path: Path, kind: str) -> None:
    where = kind if kind.startswith("/") else str(tmp_path / kind)
    if kind == "directory":
        Path(where).mkdir()
    elif kind == "FIFO":
        os.mkfifo(where)
    what = "it is a folder, so name a file in it" if kind == "directory" else "to read from a pipe, use --from -"
    reason = f"{where} is not a regular file: {what}"
    is_refused_as(reason, seed, environment, "--from", where, "--optional")


def test_a_socket_is_refused(seed: Seed, environment: Environment) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("listener")
        is_refused_as("listener cannot be read: ", seed, environment, "--from", "listener", "--optional")


def test_a_name_of_nothing_is_wrong_usage(seed: Seed) -> None:
    result = seed("--from", "", "--optional")
    assert (result.stdout, result.code) == (b"", 2)
    assert result.stderr.count(b"\n") == 1


@AS_ROOT
def test_a_file_that_one_may_not_read_is_not_missing(machine_folder: Path, as_user: AsUser) -> None:
    write(machine_folder / "token", TOKEN)
    result = as_user(1000, "seed", "--optional", "--from", str(machine_folder / "token"))
    assert (result.stdout, result.code) == (b"", 1)
    assert result.stderr.decode() == f"git-credential-hf: {machine_folder}/token cannot be read: Permission denied\n"


@AS_ROOT
def test_a_file_of_another_user_is_refused(seed: Seed, source: Path, environment: Environment) -> None:
    os.chown(source, 1000, -1)
    is_refused_as(f"{source} belongs to another user", seed, environment, "--optional")


@AS_ROOT
def test_a_file_of_roots_is_fine(machine_folder: Path, as_user: AsUser) -> None:
    write(machine_folder / "token", TOKEN, 0o640)
    os.chown(machine_folder / "token", 0, 1000)
    home = machine_folder / "home"
    home.mkdir()
    os.chown(home, 1000, 1000)
    assert as_user(1000, "seed", "--from", str(machine_folder / "token"), HOME=str(home)).code == 0
    assert (home / ".cache/huggingface/token").read_text() == TOKEN


@AS_ROOT
@pytest.mark.parametrize("mode", [0o600, 0o440])
def test_a_file_of_somebody_without_a_name_is_fine(
    seed: Seed, source: Path, environment: Environment, mode: int
) -> None:
    """A secret of Docker's with a uid that the image does not have."""
    os.chown(source, 54_321, 54_321)
    source.chmod(mode)
    assert seed().code == 0
    assert cache(environment).read_text() == TOKEN


@AS_ROOT
def test_a_declaration_of_somebody_without_a_name_is_refused(
    run: Run, environment: Environment, tmp_path: Path
) -> None:
    declaration = Path(environment["HOME"], ".config/git-credential-hf/tokens.toml")
    declaration.parent.mkdir(parents=True)
    write(declaration, f"[tokens.a]\ncommand = ['touch', '{tmp_path}/ran']\n")
    os.chown(declaration, 54_321, 54_321)
    result = run("seed", "--no-keyring")
    assert (result.stdout, result.code) == (b"", 1)
    assert f"{declaration} belongs to another user, who could change it".encode() in result.stderr
    assert not (tmp_path / "ran").exists()


@AS_ROOT
@pytest.mark.parametrize("strict", [(), ("--strict",)])
def test_who_cannot_close_a_file_to_its_group_is_not_told_to(
    machine_folder: Path, as_user: AsUser, strict: tuple[str, ...]
) -> None:
    """agenix and sops-nix give a secret to a group, and the user reads it as one of that."""
    file, home = machine_folder / "token", machine_folder / "home"
    write(file, TOKEN, 0o440)
    os.chown(file, 0, 1000)
    home.mkdir()
    os.chown(home, 1000, 1000)
    result = as_user(1000, "seed", "--no-keyring", "--from", str(file), *strict, HOME=str(home))
    assert (result.stderr, result.code) == (b"", 0)
    assert (home / ".cache/huggingface/token").read_text() == TOKEN


@AS_ROOT
def test_who_cannot_close_a_file_to_all_is_told_to_use_another(machine_folder: Path, as_user: AsUser) -> None:
    file, home = machine_folder / "token", machine_folder / "home"
    write(file, TOKEN, 0o444)
    home.mkdir()
    os.chown(home, 1000, 1000)
    seed = ("seed", "--no-keyring", "--from", str(file))
    line = f"git-credential-hf: {file} can be read by others: use a file that only you can read\n"
    refused = as_user(1000, *seed, "--strict", HOME=str(home))
    assert (refused.stdout, refused.stderr.decode(), refused.code) == (b"", line, 1)
    told = as_user(1000, *seed, HOME=str(home))
    assert (told.stderr.decode(), told.code) == (line, 0)


@AS_ROOT
@pytest.mark.parametrize(
    ("owner", "program", "first"),
    [(0, "sudo", "sudo chown {} {} && "), (0, "none", "su -l -c 'chown {} {}' && "), (1000, "sudo", "")],
)
def test_status_tells_how_to_close_the_token_file(
    machine_folder: Path, as_user: AsUser, owner: int, program: str, first: str
) -> None:
    home = machine_folder / "home"
    home.mkdir()
    (home / program).symlink_to("/bin/true")
    file = home / ".cache/huggingface/token"
    file.parent.mkdir(parents=True)
    write(file, TOKEN, 0o644)
    for path in (home, *home.rglob("*")):
        os.chown(path, 1000, 1000, follow_symlinks=False)
    os.chown(file, owner, owner)
    status = json.loads(as_user(1000, "status", "--json", HOME=str(home), PATH=str(home)).stdout)
    assert status["token_file"]["mode"] == "0644"
    remedies = {one["code"]: one["remedy"] for one in status["findings"]}
    assert remedies["token-file-mode"] == first.format(ownership.name(1000) or 1000, file) + f"chmod 600 {file}"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_file_that_others_can_read_is_seeded_with_a_warning(
    seed: Seed, source: Path, environment: Environment, mode: int
) -> None:
    source = source.rename(source.with_name("hf token"))
    source.chmod(mode)
    result = seed("--from", str(source), "--quiet")
    warning = f"git-credential-hf: {source} can be read by others: run `chmod 600 '{source}'`\n"
    assert (result.stdout, result.stderr.decode(), result.code) == (b"", warning, 0)
    assert cache(environment).read_text() == TOKEN


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_strict_changes_nothing_where_others_can_read(
    seed: Seed, source: Path, environment: Environment, mode: int
) -> None:
    source.chmod(mode)
    is_refused_as(f"{source} can be read by others", seed, environment, "--strict", "--optional")


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700, 0o611])
def test_strict_has_nothing_against_a_file_that_others_cannot_read(seed: Seed, source: Path, mode: int) -> None:
    source.chmod(mode)
    result = seed("--strict")
    assert (result.stderr, result.code) == (b"", 0)


# --- standard input, variables, credentials --------------------------------------------------------------------------


def test_standard_input(seed: Seed, environment: Environment) -> None:
    assert seed("--from", "-", input=TOKEN.encode() + b"\n").code == 0
    assert cache(environment).read_text() == TOKEN


def test_an_empty_standard_input(seed: Seed, environment: Environment) -> None:
    is_refused_as("standard input is empty", seed, environment, "--from", "-")
    assert seed("--from", "-", "--optional").code == 0


def test_a_standard_input_without_end_is_read_to_its_limit(environment: Environment) -> None:
    with Path("/dev/zero").open("rb") as zero:
        done = subprocess.run(
            [EXECUTABLE, "seed", "--from", "-"], stdin=zero, env=environment, capture_output=True, check=False
        )
    assert done.stderr == b"git-credential-hf: standard input holds more than 64 KiB: it must hold the token alone\n"
    assert done.returncode == 1


def test_a_standard_input_that_cannot_be_read(environment: Environment) -> None:
    with Path("/dev/null").open("wb") as for_writing:
        done = subprocess.run(
            [EXECUTABLE, "seed", "--from", "-"], stdin=for_writing, env=environment, capture_output=True, check=False
        )
    assert done.stderr == b"git-credential-hf: standard input cannot be read: Bad file descriptor\n"
    assert done.returncode == 1


def test_a_variable(seed: Seed, environment: Environment) -> None:
    assert seed("--from", "env:MY_TOKEN", MY_TOKEN=f" {TOKEN}\n").code == 0
    assert cache(environment).read_text() == TOKEN


def test_a_variable_that_is_not_there(seed: Seed, environment: Environment) -> None:
    is_refused_as("the variable MY_TOKEN is not set", seed, environment, "--from", "env:MY_TOKEN")
    is_refused_as("the variable MY_TOKEN is empty", seed, environment, "--from", "env:MY_TOKEN", MY_TOKEN="")
    assert seed("--from", "env:MY_TOKEN", "--optional").code == 0
    assert seed("--from", "env:MY_TOKEN", "--optional", MY_TOKEN="").code == 0


def test_a_variable_without_a_name(seed: Seed, environment: Environment) -> None:
    is_refused_as("as env:NAME", seed, environment, "--from", "env:", "--optional")


def test_a_credential_of_systemds(seed: Seed, environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "credentials").mkdir(mode=0o700)
    # systemd gives its group the right to read where a unit has a user, through an access control list.
    write(tmp_path / "credentials/hf", TOKEN, 0o440)
    result = seed("--from", "credential:hf", "--strict", CREDENTIALS_DIRECTORY=str(tmp_path / "credentials"))
    assert (result.stderr, result.code) == (b"", 0)
    assert cache(environment).read_text() == TOKEN


def test_a_credential_that_is_not_there(seed: Seed, environment: Environment, tmp_path: Path) -> None:
    write(Path("hf"), TOKEN)
    folders: list[dict[str, str]] = [{}, {"CREDENTIALS_DIRECTORY": ""}, {"CREDENTIALS_DIRECTORY": str(tmp_path)}]
    for more in folders:
        reason = ": no such file" if more.get("CREDENTIALS_DIRECTORY") else "is missing"
        is_refused_as(reason, seed, environment, "--from", "credential:hf", **more)
        assert seed("--from", "credential:hf", "--optional", **more).code == 0


@pytest.mark.parametrize("name", ["", ".", "..", "../huggingface.token", "/etc/hostname", "a/b"])
def test_a_credential_is_a_name_and_no_path(seed: Seed, environment: Environment, tmp_path: Path, name: str) -> None:
    (tmp_path / "credentials").mkdir()
    is_refused_as(
        "as credential:NAME", seed, environment, "--from", f"credential:{name}", "--optional",
        CREDENTIALS_DIRECTORY=str(tmp_path / "credentials"),
    )  # fmt: skip


# --- commands --------------------------------------------------------------------------------------------------------


def test_a_command_is_split_as_a_shell_would_and_run_without_one(seed: Seed, environment: Environment) -> None:
    write(Path("print it"), f"#!/bin/sh\n[ \"$*\" = '$(boom) two words *' ] && echo {TOKEN}\n", 0o700)
    assert seed("--from", "command:'./print it' '$(boom)' \"two words\" *").code == 0
    assert cache(environment).read_text() == TOKEN


def test_a_command_has_our_environment_without_hugging_faces_tokens(seed: Seed, environment: Environment) -> None:
    write(Path("print"), f"#!/bin/sh\nenv >seen\necho {TOKEN}\n", 0o700)
    more = {"HF_TOKEN": "hf_a", "HUGGING_FACE_HUB_TOKEN": "hf_b", "HF_HOME": "/nowhere", "VAULT": "yes"}
    assert seed("--no-cache", "--from", "command:./print", **more).code == 0
    seen = dict(line.split("=", 1) for line in Path("seen").read_text().splitlines())
    assert seen["VAULT"] == "yes"
    assert seen["HF_HOME"] == "/nowhere"
    assert not {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"} & seen.keys()


def test_a_command_reads_our_standard_input_and_its_complaint_is_for_a_terminal(
    seed: Seed, environment: Environment
) -> None:
    write(Path("ask"), "#!/bin/sh\necho 'touch the key' >&2\nread -r token\necho \"$token\"\n", 0o700)
    result = seed("--from", "command:./ask", input=TOKEN.encode() + b"\n")
    assert (result.stderr, result.code) == (b"", 0)
    assert cache(environment).read_text() == TOKEN


def test_a_command_that_fails_is_told_with_its_reason_in_one_line(seed: Seed, environment: Environment) -> None:
    write(Path("fail"), f"#!/bin/sh\necho 'no such entry' >&2\necho 'near {TOKEN}' >&2\nexit 3\n", 0o700)
    reason = "the command ./fail ended with exit code 3: no such entry; near hf_****mNoP\n"
    is_refused_as(reason, seed, environment, "--from", "command:./fail")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("false", "the command false ended with exit code 1"),
        ("sh -c 'echo hf_half; exit 7'", "the command sh ended with exit code 7"),
        ("sh -c 'kill -9 $$'", "the command sh was ended by signal 9"),
        ("no-such-program", "the command no-such-program cannot be run: No such file or directory"),
        ("/dev/null", "the command /dev/null cannot be run: Permission denied"),
        ("'two\nlines'", r"the command two\nlines cannot be run: No such file or directory"),
        ("cat 'unfinished", "the command has a quote that does not end"),
        ("", "the command is empty: give it as command:PROGRAM ARGUMENT ..."),
        ("  ", "the command is empty: give it as command:PROGRAM ARGUMENT ..."),
        (f"printf '{TOKEN}\\nhf_more\\n'", "the command's output holds more than one line"),
        ("cat /dev/zero", "the command's output holds more than 64 KiB"),
    ],
)
def test_a_command_that_gives_no_token(seed: Seed, environment: Environment, words: str, reason: str) -> None:
    is_refused_as(reason, seed, environment, "--from", f"command:{words}", "--optional")


def test_a_command_that_prints_nothing_is_an_empty_source(seed: Seed, environment: Environment) -> None:
    is_refused_as("the command's output is empty", seed, environment, "--from", "command:true")
    assert seed("--from", "command:true", "--optional").code == 0


@pytest.mark.parametrize(
    "words",
    [
        "sleep 600",
        "sh -c 'exec >&-; exec sleep 600'",
        "sh -c 'sleep 5 & wait'",
        f"sh -c 'echo {TOKEN}; exec sleep 600'",
    ],
    ids=["silent", "closes its output", "has a child", "answers and stays"],
)
def test_a_command_is_given_up_at_its_limit(
    environment: Environment, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    monkeypatch.setattr(secret_source, "_COMMAND_LIMIT", 0.2)
    result = run_call(("seed", "--optional", "--from", f"command:{words}"), b"", environment)
    program = words.split()[0]
    assert result.stderr.decode() == f"git-credential-hf: the command {program} did not end within 0.2 s\n"
    assert (result.stdout, result.code) == (b"", 1)
    assert not cache(environment).exists()


# --- placeholders ----------------------------------------------------------------------------------------------------

PLACEHOLDERS = """\
hf_...
...
hf_1234567890abcdef...
hf_1234567890abcdef…
…
<token>
<your-token>
hf_<something>
hf_abc>
paste it
your
YOUR
token
Token
paste
here
example
EXAMPLE
changeme
ChangeMe
CHANGEME
placeholder
hf_placeholder
hf_token
hf_your_token
hf_your_token_here
hf_YOUR_TOKEN_HERE
hf_yourtokenhere
hf_YourTokenHere
YOUR_TOKEN
YOUR_HF_TOKEN
my-token
your-token-here
token.example
paste-here
PASTE_TOKEN_HERE
PASTEYOURTOKENHERE
hf_changeme
hf_example
hf_EXAMPLE_0123456789
HF_TOKEN
HUGGING_FACE_HUB_TOKEN
$HF_TOKEN
${HF_TOKEN}
hf_x
hf_X
hf_xxx
hf_xXxX
HF_XXXX
hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
hf_oauth_xxx
hf_jwt_XXXX
CHANGE_ME
change-me
hf_change_me
YOUR-HF-TOKEN
HF=hf_xxx
op://vault/item/field
op://Private/Hugging Face/credential
bws://0f1e2d3c
vault:secret/data/x#key
ref+sops://secrets.yaml#/hf
""".splitlines()

TOKENS = """\
a
0
hf_a
hf_0
hf_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
hf_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
hf_0000000000000000000000000000000000
hf_1234567890abcdef
hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxy
hf_yxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
xxxxxxxxxx
api_org_AbCdEfGhIjKlMnOpQrStUvWxYz01234567
hf_oauth_eyJhbGciOiJFZERTQSIsImtpZCI6IjEifQ.eyJzY29wZSI6W119.c2ln
hf_jwt_eyJhbGciOiJFZERTQSJ9.e30.c2ln-_
1234567890
0123456789abcdef0123456789abcdef
hf_aBhereCdYoURxTOKENyEXAMPLEz
hf_4token7
hf_Atoken
hf_tokenA
hf_heReIsNoT
hf_PasteurizedMilk
hf_exampleS
A-Za-z0-9._~+/=
!"#$%&'()*+,-./:;=?@[]^_`{|}~
..
a..b
""".splitlines()


@pytest.mark.parametrize("text", PLACEHOLDERS)
def test_a_placeholder_is_refused(text: str) -> None:
    with pytest.raises(secret_source.NothingThere, match="holds a placeholder"):
        read(text)


@pytest.mark.parametrize("text", TOKENS)
def test_length_alphabet_and_repetition_are_no_reason(text: str) -> None:
    assert read(text) == text


@given(st.from_regex(r"hf_[A-Za-z0-9]{34}", fullmatch=True).filter(lambda text: text.lower().strip("x") != "hf_"))
@example("hf_" + "x" * 33 + "y")
@example("hf_xxxxYourTokenHerexxxxxxxxxxxxxxxxx")
def test_every_token_of_the_hubs_is_accepted(text: str) -> None:
    assert read(text) == text


@given(st.binary(max_size=60))
@example(b"\xc2\x85")
@example(b"a\n\nb")
def test_what_is_accepted_is_one_word_of_ascii(raw: bytes) -> None:
    try:
        text = read(raw)
    except Failed as reason:
        assert str(reason).isprintable()
        return
    assert text.encode() == raw.strip()
    assert all("!" <= character <= "~" for character in text)
