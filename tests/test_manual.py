"""The manual, --help and the completions say what the program understands, and are found where they are installed."""

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

from git_credential_hf.cli.parser import COMMANDS
from git_credential_hf.options import ACTIONS, parse
from tests import completions
from tests.conftest import Environment, Run, run_process

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/git-credential-hf.1"
INSTALLED = Path(sysconfig.get_path("data"))
PEOPLES = list(COMMANDS)
GITS = [action.decode() for action in ACTIONS]


def needed(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"NOT TESTED: {program} is not installed; scripts/test says why")
    return found


def options_of(run: Run, command: str) -> set[str]:
    """The options that a command's own --help lists; for no command, those of the helper."""
    arguments = (command, "--help") if command else ("--help",)
    return set(re.findall(r"^  (--[a-z-]+)", run(*arguments).stdout.decode(), re.MULTILINE))


def section(heading: str) -> str:
    """The part of the manual's source under a heading."""
    found = re.search(rf'^\.S[hs] "?{re.escape(heading)}"?\n(.*?)(?=^\.S[hs] |\Z)', PAGE.read_text(), re.M | re.S)
    assert found, heading
    return found[1]


# --- the manual ------------------------------------------------------------------------------------------------------


def test_the_manual_is_well_formed(environment: Environment) -> None:
    lint = subprocess.run([needed("mandoc"), "-Tlint", "-Wwarning", PAGE], capture_output=True, text=True, check=False)
    assert (lint.stdout, lint.returncode) == ("", 0)
    man = [needed("man"), "--warnings", "-E", "UTF-8", "-l", "-Tutf8", str(PAGE)]
    shown = subprocess.run(man, env=environment | {"MANWIDTH": "80"}, capture_output=True, text=True, check=True)
    assert shown.stderr == ""
    assert "GIT-CREDENTIAL-HF(1)" in re.sub(r"\x1b\[\d*m", "", shown.stdout)  # newer ones underline it


def test_a_quote_in_the_manual_holds_one_word_of_the_program() -> None:
    """mdoc(7) takes a word such as No for a macro, and a comma for the end of one: neither is seen in the source."""
    page = subprocess.run([needed("mandoc"), "-Tutf8", PAGE], capture_output=True, text=True, check=True).stdout
    shown = " ".join(re.sub(".\x08", "", page).split())
    quoted = re.findall("\N{LEFT SINGLE QUOTATION MARK}([^\N{RIGHT SINGLE QUOTATION MARK}]*)", shown)
    assert not [one for one in quoted if "\N{LEFT SINGLE QUOTATION MARK}" in one]
    assert shown.count("\N{RIGHT SINGLE QUOTATION MARK}") == len(quoted)  # none is closed twice
    assert {"OK", "Not sure", "Not from git-credential-hf", "Not OK", "No token"} <= set(quoted)


@pytest.mark.parametrize("command", PEOPLES)
def test_the_manual_has_every_option_of_a_command(run: Run, command: str) -> None:
    described = {f"-{name}" for name in re.findall(r"^\.It Fl (-[a-z-]+)", section(command), re.MULTILINE)}
    assert described == options_of(run, command)


def test_the_manual_has_every_option_of_the_helper(run: Run) -> None:
    described = {f"-{name}" for name in re.findall(r"^\.It Fl (-[a-z-]+)", section("HELPER OPTIONS"), re.MULTILINE)}
    assert described == options_of(run, "")
    values = {"--host": "h", "--timeout": "1", "--sources": "env", "--unlock": "auto"}
    for option in described:
        parse([os.fsencode(one) for one in (option, *filter(None, [values.get(option)]), "get")], {})


def test_the_synopsis_has_every_command_with_its_options(run: Run) -> None:
    forms = section("SYNOPSIS").split(".Nm\n")
    for command in PEOPLES:
        (form,) = [form for form in forms if form.startswith(f".Cm {command}\n")]
        assert {f"-{name}" for name in re.findall(r"Fl (-[a-z-]+)", form)} == options_of(run, command)
    assert any(f".Cm {' | '.join(GITS)}" in form for form in forms)
    assert section("get, store, erase, capability")


def test_the_manual_names_every_variable_that_is_read() -> None:
    read = set()
    for file in (ROOT / "git_credential_hf").rglob("*.py"):
        read |= set(re.findall(r'b"((?:[A-Z]+_)+[A-Z]+)"', file.read_text()))
    general = {"XDG_CONFIG_DIRS", "GIT_CONFIG", "GIT_CONFIG_NOSYSTEM", "GIT_DIR", "LC_ALL", "LC_CTYPE"}  # general
    general |= {"GCM_INTERACTIVE", "GIT_ASKPASS", "GIT_LFS_SKIP_SMUDGE", "GIT_TERMINAL_PROMPT", "SSH_ASKPASS"}
    general |= {"NO_COLOR", "QT_QPA_PLATFORM"}
    general |= {"PAM_KWALLET5_LOGIN", "PAM_KWALLET_LOGIN", "WAYLAND_DISPLAY"}  # of the session
    described = set(re.findall(r"[A-Z]+(?:_[A-Z]+)+", section("ENVIRONMENT")))
    assert {"HF_TOKEN", "GIT_CREDENTIAL_HF_TRACE"} <= described
    assert read - general - described == set()


def test_man_finds_the_installed_manual(environment: Environment) -> None:
    assert (INSTALLED / "share/man/man1/git-credential-hf.1").read_bytes() == PAGE.read_bytes()
    bin_folder = sysconfig.get_path("scripts")
    environment |= {"PATH": f"{bin_folder}:/usr/bin:/bin", "MANPAGER": "cat", "MANWIDTH": "80", "GIT_PAGER": "cat"}
    needed("man")
    for command in (
        ["man", "git-credential-hf"], ["git", "help", "credential-hf"], ["git", "credential-hf", "--help"],
    ):  # fmt: skip
        shown = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert "GIT-CREDENTIAL-HF(1)" in shown.stdout, (command, shown.stderr)


# --- help ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["", *PEOPLES])
def test_help_fits_a_screen(run: Run, command: str) -> None:
    done = run(*filter(None, [command]), "--help", COLUMNS="80")
    assert (done.stderr, done.code) == (b"", 0)
    lines = done.stdout.decode().splitlines()
    assert len(lines) <= 24
    assert max(len(line) for line in lines if not line.startswith("manual: ")) <= 79
    assert f" git-credential-hf {command}" in done.stdout.decode()
    if command:
        assert run(command, "-h", COLUMNS="80") == done
    else:
        assert sorted(re.findall(r"^  ([a-z]+) ", done.stdout.decode(), re.MULTILINE)) == sorted(PEOPLES)


@pytest.mark.usefixtures("keyring")
def test_the_examples_of_help_are_understood(run: Run, environment: Environment) -> None:
    secrets, nixos = (Path(environment["HOME"], name) for name in ("secrets", "nixos"))
    secrets.mkdir()
    nixos.mkdir()
    for name in ("huggingface.token", "my-org.token"):
        (secrets / name).touch(mode=0o600)
        (secrets / name).write_text("hf_OfTheHelp\n")
    for command in ("", *PEOPLES):
        text = run(*filter(None, [command]), "--help").stdout.decode()
        for example in re.findall(r"^  git-credential-hf ([a-z]+ ?[^\[|\n]*)$", text, re.MULTILINE):
            arguments = example.replace("~", environment["HOME"]).partition(" <")[0].split()
            if arguments[0] == "exec":
                arguments = [*arguments[: arguments.index("--") + 1], "true"]
            alone = ["--with-token", "--offline", "--no-configure"]  # with nobody at a terminal, and no Hub
            more = {"seed": ["--dry-run"], "forget": ["--yes"], "serve": ["--for", "1"], "login": alone}
            arguments += more.get(arguments[0], [])
            if arguments[0] in ("token", "exec"):
                done = run_process(tuple(arguments), b"", environment | {"HF_TOKEN": "hf_OfTheHelp1"})
            elif arguments[0] == "serve":
                done = run_process(tuple(arguments), b"", environment)
            else:
                done = run(*arguments, input=b"hf_OfTheHelp0123")
            without_a_token = arguments[0] == "status"
            assert done.code == (1 if without_a_token else 0), (example, done.stderr)


def test_help_says_where_the_manual_is(run: Run) -> None:
    (place,) = re.findall("^manual: man (.*)$", run("--help").stdout.decode(), re.MULTILINE)
    assert Path(place).read_bytes() == PAGE.read_bytes()


def test_a_program_that_nobody_installed_has_help_too(tmp_path: Path) -> None:
    program = [sys.executable, "-I", "-S", "-c"]
    text = f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\n"
    text += "from git_credential_hf.cli.parser import main\nmain(['-h'], {})"
    shutil.copytree(ROOT / "git_credential_hf", tmp_path / "git_credential_hf")
    shown = subprocess.run([*program, text], capture_output=True, text=True, check=True)
    assert shown.stdout.endswith("\nmanual: man git-credential-hf\n")


# --- completion ------------------------------------------------------------------------------------------------------

INSTALLED_AS = {
    "bash": INSTALLED / "share/bash-completion/completions/git-credential-hf",
    "zsh": INSTALLED / "share/zsh/site-functions/_git-credential-hf",
    "fish": INSTALLED / "share/fish/vendor_completions.d/git-credential-hf.fish",
}


@pytest.mark.parametrize("shell", completions.NAMES)
def test_the_completions_are_those_of_the_parser(shell: str) -> None:
    """Else run scripts/completions."""
    assert (completions.FOLDER / completions.NAMES[shell]).read_text() == completions.text(shell)


@pytest.fixture(scope="session")
def dump(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What zsh finds of all completions at its first start, which takes it a second."""
    return tmp_path_factory.mktemp("zsh") / "dump"


def completed(shell: str, typed: str, expected: set[str], dump: Path) -> set[str]:
    """What an interactive shell offers after `typed`, once `expected` is among it, with the completion as installed."""
    file = INSTALLED_AS[shell]
    program = needed(shell)
    if shell == "fish":
        script = f"source {file}; complete -C {typed!r}"
        done = subprocess.run([program, "--no-config", "-c", script], capture_output=True, text=True, check=True)
        return {line.partition("\t")[0] for line in done.stdout.splitlines()}
    begin, keys, *start = {
        "bash": (
            f"bind 'set completion-query-items 0'; bind 'set page-completions off'; source {file}", "\t\t",
            "bash", "--norc", "--noprofile", "-i",
        ),
        "zsh": (
            f"fpath=({file.parent} $fpath); autoload -Uz compinit; compinit -u -d {dump}; LISTMAX=0; "
            "bindkey '^X' list-choices", "\x18",
            "zsh", "-f", "-i",
        ),
    }[shell]  # fmt: skip
    child, terminal = pty.fork()
    if not child:
        os.environ.update(TERM="dumb", HISTFILE="/dev/null", LC_ALL="C.UTF-8")
        os.execv(program, start)  # noqa: S606
    try:
        # What is typed is shown as well: only the shell puts the marks together.
        os.write(terminal, f"stty cols 200 rows 200; PS1='> '; {begin}; echo be''gin\n".encode())
        read_until(terminal, lambda shown: "begin\r\n" in shown)
        os.write(terminal, f"{typed}{keys}".encode())
        offered = read_until(terminal, lambda shown: expected <= words(shown, typed))
        os.write(terminal, b"\x15echo e''nd\n")
        return words(offered + read_until(terminal, lambda shown: "end\r\n" in shown), typed)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(terminal)


def read_until(terminal: int, true: Callable[[str], bool]) -> str:
    """Return what the terminal shows until `true` of it; what it shows in 10 s where that does not come."""
    shown = b""
    while not true(shown.decode(errors="replace")) and select.select([terminal], [], [], 10)[0]:
        shown += os.read(terminal, 4096)
    return shown.decode(errors="replace")


def words(shown: str, typed: str) -> set[str]:
    # Of the one word that fits a shell shows only what is missing.
    begun = typed.rpartition(" ")[2]
    after = begun + re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown).partition(typed)[2]
    return set(re.findall(r"(?<![\w-])(?:--)?[a-z][a-z_-]*", after))


@pytest.mark.parametrize("shell", INSTALLED_AS)
@pytest.mark.parametrize("command", PEOPLES)
def test_the_options_of_a_command_are_completed(run: Run, shell: str, command: str, dump: Path) -> None:
    expected = options_of(run, command) | {"--help"}
    offered = completed(shell, f"git-credential-hf {command} --", expected, dump)
    assert {one for one in offered if one.startswith("--")} == expected


@pytest.mark.parametrize("shell", INSTALLED_AS)
def test_commands_and_options_of_the_helper_are_completed(run: Run, shell: str, dump: Path) -> None:
    expected = options_of(run, "") | {"--help", "--version"}
    offered = completed(shell, "git-credential-hf --", expected, dump)
    assert {one for one in offered if one.startswith("--")} == expected
    expected = {*PEOPLES, *GITS}
    assert expected <= completed(shell, "git-credential-hf ", expected, dump)


@pytest.mark.parametrize("shell", INSTALLED_AS)
@pytest.mark.parametrize(
    ("typed", "expected"),
    [("seed --unlock", {"never", "auto", "prompt"}), ("--sources", {"oidc", "env", "forwarded", "keyring", "file"})],
)
def test_values_are_completed(shell: str, typed: str, expected: set[str], dump: Path) -> None:
    assert expected <= completed(shell, f"git-credential-hf {typed} ", expected, dump)
