"""What people mistype, and the one line that each mistake gets: it names the word, and leads on."""

import os
import subprocess
from pathlib import Path

import pytest

from git_credential_hf.cli import child
from tests.cli.terminal import at_a_terminal
from tests.conftest import EXECUTABLE, Environment, Run

TOKEN = "hf_MiStYpEd0123456789AbCdEf"
HELP = "Try: git-credential-hf {}--help"
TOP, LOGIN, SEED, CONFIGURE, STATUS, LIST, EXEC, SERVE, FORGET = (
    HELP.format(f"{name} " if name else "")
    for name in ("", "login", "seed", "configure", "status", "list", "exec", "serve", "forget")
)

PASTE = "Try: git-credential-hf login"
GIVEN = f"a token was given as an argument, where every process can see it. {PASTE}"

# What is typed, what is said, the exit code.
MISTAKES = [
    # commands
    ("", f"no command was given. {TOP}", 2),
    ("statsu", f"unknown command `statsu`; did you mean `status`? {TOP}", 2),
    ("logn", f"unknown command `logn`; did you mean `login`? {TOP}", 2),
    ("Seed", f"unknown command `Seed`; did you mean `seed`? {TOP}", 2),
    ("unconfig", f"unknown command `unconfig`; did you mean `unconfigure`? {TOP}", 2),
    ("foget --yes", f"unknown command `foget`; did you mean `forget`? {TOP}", 2),
    ("lst --json", f"unknown command `lst`; did you mean `list`? {TOP}", 2),
    ("doctr", f"unknown command `doctr`; did you mean `doctor`? {TOP}", 2),
    ("whoami", f"unknown command `whoami`. {TOP}", 2),
    ("help statsu", f"unknown command `statsu`; did you mean `status`? {TOP}", 2),
    (TOKEN, GIVEN, 2),
    # options
    ("--verison", f"unknown option `--verison`; did you mean `--version`? {TOP}", 2),
    ("--hlep", f"unknown option `--hlep`; did you mean `--help`? {TOP}", 2),
    ("--timout 3 get", f"unknown option `--timout`; did you mean `--timeout`? {TOP}", 2),
    ("seed --form x", f"unknown option `--form`; did you mean `--from`? {SEED}", 2),
    ("seed --form=x", f"unknown option `--form`; did you mean `--from`? {SEED}", 2),
    ("--help=seed", f"`--help` takes no value. {TOP}", 2),
    ("status=x", f"`status` takes no value. {TOP}", 2),
    ("--no-prompt --version", f"`--version` stands alone. {TOP}", 2),
    ("seed --dry", f"unknown option `--dry`; did you mean `--dry-run`? {SEED}", 2),
    ("seed -f x", f"unknown option `-f`. {SEED}", 2),
    ("seed --token x", f"unknown option `--token`. {SEED}", 2),
    ("login --token x", f"unknown option `--token`; did you mean `--with-token`? {LOGIN}", 2),
    ("login --with-tokens", f"unknown option `--with-tokens`; did you mean `--with-token`? {LOGIN}", 2),
    (f"login --token={TOKEN}", f"unknown option `--token`; did you mean `--with-token`? {LOGIN}", 2),
    ("status --onlin", f"unknown option `--onlin`; did you mean `--online`? {STATUS}", 2),
    ("doctor --jsno", f"unknown option `--jsno`; did you mean `--json`? {STATUS}", 2),
    ("logout --al", f"unknown option `--al`. {FORGET}", 2),
    ("--yes forget", f"`--yes` comes after `forget`. {FORGET}", 2),
    ("--from x seed", f"`--from` comes after `seed`. {SEED}", 2),
    ("--timeout 3 seed", f"the options of `seed` come after it. {SEED}", 2),
    ("--no-prompt", f"an action is missing: get, store, erase or capability. {TOP}", 2),
    # arguments
    ("get now", f"`get` takes no arguments. {TOP}", 2),
    ("get --no-prompt", f"`get` takes no arguments, and its options come before it. {TOP}", 2),
    ("seed there", "`seed` takes no arguments; did you mean `--from there`? " + SEED, 2),
    ("seed nowhere", f"`seed` takes no arguments. {SEED}", 2),
    (f"login {TOKEN}", GIVEN, 2),
    ("status o/m more", f"`status` takes no further argument `more`. {STATUS}", 2),
    ("list all", f"`list` takes no arguments. {LIST}", 2),
    # values
    ("seed --from", f"`--from` needs a value. {SEED}", 2),
    ("--timeout", f"`--timeout` needs a value. {TOP}", 2),
    ("seed --force=yes", f"`--force` takes no value. {SEED}", 2),
    ("--no-prompt=yes get", f"`--no-prompt` takes no value. {TOP}", 2),
    ("seed --unlock maybe", f"`--unlock` takes never, auto or prompt. {SEED}", 2),
    ("seed --scope a --from x --scope b", f"`--scope` was given twice, and takes one value. {SEED}", 2),
    ("login --user a --user b", f"`--user` was given twice, and takes one value. {LOGIN}", 2),
    ("forget --host a.org --host b.org", f"`--host` was given twice, and takes one value. {FORGET}", 2),
    ("serve --for 1s --allow-uid 1 --allow-uid 2", f"`--allow-uid` was given twice, and takes one value. {SERVE}", 2),
    ("serve --for 1s --socket a --socket b", f"`--socket` was given twice, and takes one value. {SERVE}", 2),
    ("exec --for a/b --for c/d -- true", f"`--for` was given twice, and takes one value. {EXEC}", 2),
    ("configure --file=", f"`--file` takes a path. {CONFIGURE}", 2),
    ("token https:/huggingface.co/o/m", "https:/huggingface.co/o/m: a repository is given by its URL, or as org/name "
        "or datasets/org/name. Try: git-credential-hf token https://huggingface.co/my-org/my-model", 2),
    ("seed --timeout soon", f"`--timeout` takes a number of seconds, above 0 and below 86400. {SEED}", 2),
    ("configure --local --global", f"`--global` and `--local` exclude each other. {CONFIGURE}", 2),
    ("--sources env token", "`token` has no option `--sources`. Try: git-credential-hf token --help", 2),
    (f"login --host {TOKEN}", f"a host was expected, and what was given may be a token. {PASTE}", 2),
    (f"login --scope {TOKEN}", f"a scope was expected, and what was given may be a token. {PASTE}", 2),
    (f"seed --from - --user {TOKEN}", f"a user was expected, and what was given may be a token. {PASTE}", 2),
    ("login --no-keyring --no-cache", f"`--no-keyring` leaves no place to store the token in. {LOGIN}", 2),
    ("seed --from HF_TOKEN", "HF_TOKEN: no such file. Try: git-credential-hf seed --from env:HF_TOKEN", 1),
    ("seed --from my_token", "my_token: no such file. Try: git-credential-hf seed --from env:my_token", 1),
    ("seed --from nowhere", "nowhere: no such file", 1),
]  # fmt: skip


def line_of(typed: str, environment: Environment, folder: Path, columns: int) -> tuple[str, int]:
    (folder / "there").write_text("")
    (folder / "run-here").write_text(f'#!/bin/sh\ncd {folder} && exec {EXECUTABLE} "$@"\n')
    (folder / "run-here").chmod(0o755)
    program = str(folder / "run-here")
    with at_a_terminal(environment | {"my_token": "x"}, *typed.split(), columns=columns, program=program) as person:
        code = person.end()
        return person.shown, code


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize(
    ("typed", "said", "code"), MISTAKES, ids=[typed.replace(TOKEN, "TOKEN") for typed, _, _ in MISTAKES]
)
def test_a_mistake_is_named_in_one_line_that_leads_on(
    environment: Environment, tmp_path: Path, typed: str, said: str, code: int, columns: int
) -> None:
    shown, ended = line_of(typed, environment, tmp_path, columns)
    assert (shown, ended) == (f"git-credential-hf: {said}\n", code)
    assert TOKEN not in shown
    assert list(Path(environment["HOME"]).iterdir()) == []


@pytest.mark.parametrize(
    ("typed", "said", "code"), MISTAKES, ids=[typed.replace(TOKEN, "TOKEN") for typed, _, _ in MISTAKES]
)
def test_what_is_to_be_tried_is_understood(
    run: Run,
    environment: Environment,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    typed: str,
    said: str,
    code: int,
) -> None:
    _, tries, command = said.partition("Try: git-credential-hf ")
    if not tries:
        assert typed == "seed --from nowhere"
        return
    done = run(*command.split(), HF_TOKEN=TOKEN, my_token=TOKEN)
    # login asks, and there is nobody here.
    assert done.code == (2 if command == "login" else 0), done.stderr


def test_a_token_on_a_pipe_has_to_be_told_of(run: Run) -> None:
    done = run("login", input=TOKEN.encode())
    assert (done.stdout, done.code) == (b"", 2)
    assert done.stderr.endswith(b" Try: git-credential-hf login --with-token\n")


@pytest.mark.parametrize(
    ("manager", "command"),
    [
        ("apt-get", "apt-get install git-lfs"), ("dnf", "dnf install git-lfs"), ("pacman", "pacman -S git-lfs"),
        ("zypper", "zypper install git-lfs"), ("apk", "apk add git-lfs"), ("brew", "brew install git-lfs"),
        ("nix", "nix profile install nixpkgs#git-lfs"),
    ],
)  # fmt: skip
def test_a_missing_program_is_named_with_the_package_managers_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, manager: str, command: str
) -> None:
    (tmp_path / manager).symlink_to("/bin/true")
    (tmp_path / "sudo").symlink_to("/bin/true")
    monkeypatch.setenv("PATH", str(tmp_path))
    needs_root = manager not in ("brew", "nix")
    for user in (0, 1000):
        monkeypatch.setattr(os, "geteuid", lambda user=user: user)  # a user of either kind cannot be had in one run
        assert child.how_to_install("git-lfs") == ("sudo " if needs_root and user else "") + command
    (tmp_path / "sudo").unlink()
    assert child.how_to_install("git-lfs") == (f"su -l -c '{command}'" if needs_root else command)


def test_the_shells_say_the_same(environment: Environment) -> None:
    for shell in ("bash", "zsh", "fish"):
        done = subprocess.run(
            [shell, "-c", f"{EXECUTABLE} statsu </dev/null"], env=environment, capture_output=True, check=False
        )
        assert (done.stderr.decode(), done.returncode) == (f"git-credential-hf: {MISTAKES[1][1]}\n", 2)
