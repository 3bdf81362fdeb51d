"""configure and unconfigure, as real git reads what they write."""

import json
import os
import pwd
import shlex
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from git_credential_hf.cli.commands import configure as module
from git_credential_hf.cli.output import Failed
from tests.cli.conftest import AsUser, write
from tests.conftest import AS_ROOT, EXECUTABLE, Environment, Result, Run, run_process

ROOT = Path(__file__).parents[3]
GIT = shutil.which("git") or "git"
HOSTS = ("huggingface.co", "hf.co")
TOKEN = "hf_" + "t" * 34

Settings = list[tuple[str, str | None]]


def wanted(helper: str = EXECUTABLE) -> Settings:
    return [
        (f"credential.https://{host}.{key}", value)
        for host in HOSTS
        for key, value in (("helper", ""), ("helper", helper), ("usehttppath", "true"))
    ]


def read(file: Path) -> Settings:
    """All settings of a configuration file, as git reads them."""
    done = subprocess.run([GIT, "config", "--file", file, "--list", "-z"], capture_output=True, check=True)
    entries = (one.partition("\n") for one in done.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1])
    return [(key, value if separator else None) for key, separator, value in entries]


# What erase says of a token that HF_TOKEN holds.
REJECTED = (
    "git-credential-hf: the Hub rejected the token hf_****tttt from HF_TOKEN: "
    "it has expired, was revoked or is for something else. Try: unset HF_TOKEN\n"
)


def git_credential(action: str, url: str, environment: Environment, **more: str) -> dict[str, str]:
    """Run `git credential` as git itself would for `url`; return what it found."""
    request = "".join(f"{key}={value}\n" for key, value in {"url": url, **more}.items())
    done = subprocess.run(
        [GIT, "credential", action], input=request + "\n", env=environment, capture_output=True, text=True, check=True
    )
    assert done.stderr == (REJECTED if action == "reject" else "")
    return dict(line.split("=", 1) for line in done.stdout.splitlines())


def script(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


class Stub:
    """A credential helper that answers, and keeps what it was called for."""

    def __init__(self, file: Path, password: str) -> None:
        self.log = file.parent / f"{file.name}.log"
        self.file = script(
            file,
            f"{{ echo action=$1; cat; }} >>{shlex.quote(str(self.log))}\n"
            f"[ $1 != get ] || printf 'username=stub\\npassword={password}\\n'",
        )

    def taken(self) -> list[str]:
        """The lines that it was sent since the last time."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return lines


@pytest.fixture
def home(environment: Environment) -> Path:
    return Path(environment["HOME"])


@pytest.fixture
def gitconfig(home: Path) -> Path:
    """~/.gitconfig, which is not there yet."""
    return home / ".gitconfig"


@pytest.fixture
def other(tmp_path: Path) -> Stub:
    """A helper of somebody else's, which would keep any token in clear."""
    return Stub(tmp_path / "other", "from-the-other")


def succeeded(result: Result) -> str:
    assert (result.stderr, result.code) == (b"", 0)
    return result.stdout.decode()


def failed(result: Result) -> str:
    line = result.stderr.decode()
    assert result.code == 1, result
    assert line.startswith("git-credential-hf: ")
    assert line.endswith("\n")
    assert line.count("\n") == 1
    return line


# What git does then.


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("where", ["generic", "host"])
def test_git_asks_the_helper_alone(
    run: Run, environment: Environment, gitconfig: Path, other: Stub, host: str, where: str
) -> None:
    section = "[credential]" if where == "generic" else f'[credential "https://{host}"]'
    gitconfig.write_text(f"{section}\n\thelper = {other.file}\n")
    environment["HF_TOKEN"] = TOKEN
    url = f"https://{host}/org/model"
    assert git_credential("fill", url, environment)["password"] == "from-the-other"
    assert "action=get" in other.taken()

    succeeded(run("configure"))

    assert git_credential("fill", url, environment)["password"] == TOKEN
    for action in ("approve", "reject"):
        git_credential(action, url, environment, username="hf_user", password=TOKEN)
    assert other.taken() == []


@pytest.mark.parametrize("url", ["https://github.com/a/b", "http://huggingface.co/a/b", "https://cdn-lfs.hf.co/a"])
def test_other_urls_keep_their_helper(
    run: Run, environment: Environment, gitconfig: Path, other: Stub, url: str
) -> None:
    gitconfig.write_text(f"[credential]\n\thelper = {other.file}\n")
    environment["HF_TOKEN"] = TOKEN
    succeeded(run("configure"))
    assert git_credential("fill", url, environment)["password"] == "from-the-other"
    git_credential("approve", url, environment, username="stub", password="x")
    assert [line for line in other.taken() if line.startswith("action=")] == ["action=get", "action=store"]
    assert "path" not in git_credential("fill", url, environment)


@pytest.mark.parametrize("host", HOSTS)
def test_the_helper_is_sent_the_path(environment: Environment, tmp_path: Path, host: str) -> None:
    stub = Stub(tmp_path / "bin" / "git-credential-hf", "ours")
    environment["PATH"] = f"{stub.file.parent}:{environment['PATH']}"
    in_process(environment, "configure", ("global", None))
    assert git_credential("fill", f"https://{host}/datasets/org/set", environment)["password"] == "ours"
    assert "path=datasets/org/set" in stub.taken()


@pytest.mark.parametrize(
    "folder",
    ["plain", "with space", "it's", 'a "quote"', "$HOME `id` $(id)", "back\\slash", "é#;%!&", "new\nline", "~"],
)
def test_any_path_of_the_helper_works(environment: Environment, tmp_path: Path, folder: str) -> None:
    stub = Stub(tmp_path / folder / "git-credential-hf", "ours")
    environment["PATH"] = f"{stub.file.parent}:{environment['PATH']}"
    in_process(environment, "configure", ("global", None))
    assert git_credential("fill", "https://hf.co/a", environment)["password"] == "ours"
    before = (tmp_path / "home/.gitconfig").read_bytes()
    in_process(environment, "configure", ("global", None))
    assert (tmp_path / "home/.gitconfig").read_bytes() == before
    in_process(environment, "unconfigure", ("global", None))
    assert not (tmp_path / "home/.gitconfig").exists()


def in_process(environment: Environment, command: str, target: tuple[str, str | None]) -> None:
    environ = {os.fsencode(name): os.fsencode(value) for name, value in environment.items()}
    if command == "configure":
        assert module.configure(target, environ, git_lfs=False) == 0
    else:
        assert module.unconfigure(target, environ) == 0


# The name of the helper.


def test_helper_that_was_run_is_named_where_path_has_none(environment: Environment, gitconfig: Path) -> None:
    succeeded(run_process(("configure",), b"", environment | {"PATH": "/usr/bin:/bin"}))
    assert read(gitconfig) == wanted(EXECUTABLE)


def test_link_on_path_is_named_and_not_what_it_leads_to(
    environment: Environment, gitconfig: Path, tmp_path: Path
) -> None:
    link = tmp_path / "bin" / "git-credential-hf"
    link.parent.mkdir()
    link.symlink_to(EXECUTABLE)
    path = f"{link.parent}:/usr/bin:/bin"
    result = subprocess.run(["git-credential-hf", "configure"], env=environment | {"PATH": path}, check=True)
    assert result.returncode == 0
    assert read(gitconfig) == wanted(str(link))


def test_helper_that_was_run_is_named_and_not_another_on_path(
    environment: Environment, gitconfig: Path, tmp_path: Path
) -> None:
    another = Stub(tmp_path / "bin" / "git-credential-hf", "another")
    path = f"{another.file.parent}:{environment['PATH']}"
    succeeded(run_process(("configure",), b"", environment | {"PATH": path}))
    assert read(gitconfig) == wanted(EXECUTABLE)


def test_nix_store_path_is_not_named(
    environment: Environment,
    gitconfig: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    store = Stub(tmp_path / "store" / "bin" / "git-credential-hf", "ours").file
    monkeypatch.setattr(module, "_STORES", (f"{tmp_path}/store/",))
    monkeypatch.setattr(sys, "argv", [str(store)])
    environment["PATH"] = f"{GIT.removesuffix('/git')}:/usr/bin:/bin"
    with pytest.raises(Failed, match="not on PATH"):
        in_process(environment, "configure", ("global", None))

    environment["PATH"] += f":{store.parent}"
    in_process(environment, "configure", ("global", None))
    assert read(gitconfig) == wanted("hf")
    assert "a garbage collection may delete" in capsys.readouterr().err

    profile = tmp_path / "profile" / "bin" / "git-credential-hf"
    profile.parent.mkdir(parents=True)
    profile.symlink_to(store)
    path = environment["PATH"]
    for environment["PATH"] in (f"{profile.parent}:{path}", f"{path}:{profile.parent}"):
        gitconfig.unlink()
        in_process(environment, "configure", ("global", None))
        assert read(gitconfig) == wanted(str(profile))
    assert capsys.readouterr().err == ""


def test_path_in_a_cache_is_named_with_a_warning(
    environment: Environment, gitconfig: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stub = Stub(home / ".cache/uv/archive-v0/x/bin/git-credential-hf", "ours")
    environment["PATH"] = f"{stub.file.parent}:{environment['PATH']}"
    in_process(environment, "configure", ("global", None))
    assert read(gitconfig) == wanted(str(stub.file))
    assert capsys.readouterr().err == (
        f"git-credential-hf: {stub.file} is in a cache, which may be emptied: install it for good, and run this again\n"
    )


def test_helper_that_moved_is_replaced(run: Run, gitconfig: Path) -> None:
    gitconfig.write_text("[user]\n\tname = Alice\n")
    succeeded(run("configure"))
    now = gitconfig.read_text()
    gitconfig.write_text(now.replace(EXECUTABLE, "/gone/bin/git-credential-hf") + "[core]\n\tpager = cat\n")
    assert "replaced" in succeeded(run("configure"))
    assert read(gitconfig) == [("user.name", "Alice"), ("core.pager", "cat"), *wanted()]
    succeeded(run("unconfigure"))
    assert gitconfig.read_text() == "[user]\n\tname = Alice\n[core]\n\tpager = cat\n"


# The text: nothing is lost, and nothing stays.


def test_what_is_written_and_said(run: Run, gitconfig: Path) -> None:
    gitconfig.write_text("[user]\n\tname = Alice")
    said = succeeded(run("configure"))
    assert said == (
        f"{gitconfig}: added: helper = {EXECUTABLE}, and no other, with useHttpPath, "
        "for https://huggingface.co and https://hf.co\n"
    )
    assert gitconfig.read_text() == (
        "[user]\n\tname = Alice\n"
        "# >>> git-credential-hf: `git-credential-hf unconfigure` removes these lines\n"
        '[credential "https://huggingface.co"]\n'
        f"\thelper =\n\thelper = {EXECUTABLE}\n\tuseHttpPath = true\n"
        '[credential "https://hf.co"]\n'
        f"\thelper =\n\thelper = {EXECUTABLE}\n\tuseHttpPath = true\n"
        "# <<< git-credential-hf\n"
    )
    before = (gitconfig.read_bytes(), gitconfig.stat().st_ino, gitconfig.stat().st_mtime_ns)
    assert succeeded(run("configure")) == f"{gitconfig}: unchanged\n"
    assert (gitconfig.read_bytes(), gitconfig.stat().st_ino, gitconfig.stat().st_mtime_ns) == before
    assert succeeded(run("unconfigure")) == f"{gitconfig}: removed what configure added\n"
    assert gitconfig.read_text() == "[user]\n\tname = Alice"
    assert succeeded(run("unconfigure")) == f"{gitconfig}: nothing to remove\n"
    assert [*gitconfig.parent.iterdir()] == [gitconfig]


def test_file_that_configure_made_is_removed(run: Run, gitconfig: Path) -> None:
    succeeded(run("configure"))
    assert read(gitconfig) == wanted()
    succeeded(run("configure"))
    assert succeeded(run("unconfigure")) == f"{gitconfig}: removed, since configure made it\n"
    assert [*gitconfig.parent.iterdir()] == []
    assert succeeded(run("unconfigure")) == f"{gitconfig}: nothing to remove\n"


def test_file_that_configure_made_stays_with_what_came_later(run: Run, gitconfig: Path, other: Stub) -> None:
    succeeded(run("configure"))
    with gitconfig.open("a") as file:
        file.write(f"[credential]\n\thelper = {other.file}\n")
    succeeded(run("configure"))
    succeeded(run("unconfigure"))
    assert gitconfig.read_text() == f"[credential]\n\thelper = {other.file}\n"


def test_file_that_configure_made_is_removed_after_it_moved_its_lines(run: Run, gitconfig: Path) -> None:
    succeeded(run("configure"))
    with gitconfig.open("a") as file:
        file.write("[credential]\n\thelper = store\n")
    assert "moved" in succeeded(run("configure"))
    gitconfig.write_text(gitconfig.read_text().replace("[credential]\n\thelper = store\n", ""))
    assert "configure made it" in succeeded(run("unconfigure"))
    assert not gitconfig.exists()


def test_value_that_goes_on_in_an_empty_line_stays(run: Run, gitconfig: Path) -> None:
    gitconfig.write_text("[a]\n\tb = c\\\n")
    succeeded(run("configure"))
    with gitconfig.open("a") as file:
        file.write("[d]\n\te = f\n")
    succeeded(run("unconfigure"))
    assert read(gitconfig) == [("a.b", "c"), ("d.e", "f")]


def test_empty_file_stays(run: Run, gitconfig: Path) -> None:
    gitconfig.touch()
    succeeded(run("configure"))
    assert read(gitconfig) == wanted()
    succeeded(run("unconfigure"))
    assert gitconfig.read_bytes() == b""


def test_line_ends_are_those_of_the_file(run: Run, gitconfig: Path) -> None:
    gitconfig.write_bytes(b"[user]\r\n\tname = Alice\r\n")
    succeeded(run("configure"))
    content = gitconfig.read_bytes()
    assert content.count(b"\r\n") == content.count(b"\n")
    assert read(gitconfig) == [("user.name", "Alice"), *wanted()]
    assert "unchanged" in succeeded(run("configure"))
    succeeded(run("unconfigure"))
    assert gitconfig.read_bytes() == b"[user]\r\n\tname = Alice\r\n"


FRAGMENTS = (
    b"[user]", b'[a "b c"]', b"[core] bare = false", b'[credential "https://huggingface.co"]', b"[credential]",
    b"\tname = Alice", b"\tname = \"a # b\"", b"key", b"helper =", b"\thelper = store", b"\tuseHttpPath = true",
    b"long = a \\", b"\\", b"# comment \\", b"; \xff\xfe", b"\tname = J\xf6rg", b" ", b"\r", b"x = y\r",
    b"\xef\xbb\xbf", b"# <<< git-credential", b"[include]", b"\tpath = elsewhere",
)  # fmt: skip
TEXTS = st.builds(
    lambda lines, eol, end: eol.join(lines) + end,
    st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=6).map(str.encode), max_size=9),
    st.sampled_from([b"\n", b"\r\n"]),
    st.sampled_from([b"", b"\n", b"\r\n", b"\r", b"\\", b"\n\n"]),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("any")


def is_valid(file: Path) -> bool:
    return subprocess.run([GIT, "config", "--file", file, "--list"], capture_output=True, check=False).returncode == 0


@settings(max_examples=80)
@given(TEXTS)
@example(b"[a]\n\tb = c \\")
@example(b"[a]\n\tb = c \\\n")
@example(b"[a]\r\n\tb = c\r")
@example(b"\n")
def test_any_configuration_comes_back(folder: Path, text: bytes) -> None:
    file = folder / "config"
    file.write_bytes(text)
    assume(is_valid(file))
    before = read(file)
    target = ("file", str(file))
    environment = dict(os.environ)
    in_process(environment, "configure", target)
    configured = file.read_bytes()
    if configured != text:  # which it is where the text itself sets what is wanted
        assert read(file) == before + wanted()
    in_process(environment, "configure", target)
    assert file.read_bytes() == configured
    in_process(environment, "unconfigure", target)
    assert file.read_bytes() == text


EDITS = st.lists(
    st.tuples(
        st.sampled_from(
            ["user.name", "credential.helper", "zz.top"]
            + [f"credential.https://{host}.{name}" for host in (*HOSTS, "e.org") for name in ("username", "helper")]
        ),
        st.sampled_from(["alice", "store", "a b", "#"]),
    ),
    max_size=5,
)


@settings(max_examples=40)
@given(TEXTS, EDITS, EDITS)
@example(b"[a]\n\tb", [("credential.https://huggingface.co.username", "a b")], [])
@example(b"[a]\n\tb", [("credential.https://hf.co.helper", "store")], [("credential.helper", "store")])
def test_what_git_config_adds_later_stays(folder: Path, text: bytes, first: Settings, then: Settings) -> None:
    """The same edits are made to a file that configure never saw: in the end git reads the same from both."""
    file, control = folder / "edited", folder / "control"
    file.write_bytes(text)
    control.write_bytes(text)
    assume(is_valid(file))
    before = read(file)
    # git itself loses its way in some texts, such as one of a byte order mark alone.
    assume(add(control, first + then) and is_valid(control))
    assume(sorted(map(str, read(control))) == sorted(map(str, before + first + then)))
    target = ("file", str(file))
    for edits in (first, then):
        in_process(dict(os.environ), "configure", target)
        for host in HOSTS:
            keys = ("credential.helper", f"credential.https://{host}.helper")
            assert [value for key, value in read(file) if key in keys][-2:] == ["", EXECUTABLE]
        assert add(file, edits)
    in_process(dict(os.environ), "unconfigure", target)
    assert sorted(map(str, read(file))) == sorted(map(str, read(control)))


def add(file: Path, edits: Sequence[tuple[str, str | None]]) -> bool:
    """Whether git could make all of `edits` to `file`."""
    commands = ([GIT, "config", "--file", str(file), "--add", key, str(value)] for key, value in edits)
    return all(subprocess.run(one, capture_output=True, check=False).returncode == 0 for one in commands)


def test_values_that_were_there_stay(run: Run, gitconfig: Path) -> None:
    text = '[credential "https://huggingface.co"]\n\tuseHttpPath = true\n\thelper =\n[credential "https://hf.co"]\n'
    gitconfig.write_text(text)
    succeeded(run("configure"))
    succeeded(run("unconfigure"))
    assert gitconfig.read_text() == text


def test_what_git_config_put_between_our_lines_stays_in_its_section(run: Run, gitconfig: Path) -> None:
    gitconfig.write_text("[user]\n\tname = Alice\n")
    succeeded(run("configure"))
    subprocess.run([GIT, "config", "--file", gitconfig, "credential.https://hf.co.username", "alice"], check=True)
    assert succeeded(run("configure")) == f"{gitconfig}: unchanged\n"
    succeeded(run("unconfigure"))
    assert gitconfig.read_text() == '[user]\n\tname = Alice\n[credential "https://hf.co"]\n\tusername = alice\n'


@pytest.mark.parametrize(
    ("added", "left"),
    [
        ("\n\t; mine\n", "\t; mine\n"),
        ("[x]\n\thelper =\n", "[x]\n\thelper =\n"),
        ("\thelper = store\n", '[credential "https://hf.co"]\n\thelper = store\n'),
        ("\tuseHttpPath = false\n", '[credential "https://hf.co"]\n\tuseHttpPath = false\n'),
    ],
)
def test_what_a_person_put_between_our_lines_stays(run: Run, gitconfig: Path, added: str, left: str) -> None:
    gitconfig.write_text("[user]\n\tname = Alice\n")
    succeeded(run("configure"))
    gitconfig.write_text(gitconfig.read_text().replace("# <<<", added + "# <<<"))
    succeeded(run("unconfigure"))
    assert gitconfig.read_text() == "[user]\n\tname = Alice\n" + left


@pytest.mark.parametrize(
    ("added", "left"),
    [
        ("\tusername = alice\n", '[credential "https://hf.co"]\n\tusername = alice\n'),
        ("# mine\n\n[x]\n\ty = z\n", "# mine\n\n[x]\n\ty = z\n"),
    ],
)
def test_what_follows_our_last_line_stays_in_its_section(run: Run, gitconfig: Path, added: str, left: str) -> None:
    gitconfig.write_text("[user]\n\tname = Alice\n")
    succeeded(run("configure"))
    with gitconfig.open("a") as file:
        file.write(added)
    succeeded(run("unconfigure"))
    assert gitconfig.read_text() == "[user]\n\tname = Alice\n" + left


def test_own_options_of_the_helper_stay(run: Run, gitconfig: Path) -> None:
    succeeded(run("configure"))
    gitconfig.write_text(gitconfig.read_text().replace(EXECUTABLE, f"{EXECUTABLE} --timeout 5"))
    assert succeeded(run("configure")) == f"{gitconfig}: unchanged\n"
    succeeded(run("unconfigure"))
    assert not gitconfig.exists()


def without(file: Path, comment: str) -> None:
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(line for line in lines if not line.startswith(comment)))


@pytest.mark.parametrize("later", ["", "[core]\n\tpager = cat\n"])
@pytest.mark.parametrize("sections", [["user"], [HOSTS[0]], [HOSTS[1]], HOSTS], ids=" ".join)
def test_sections_that_git_config_removed_with_a_comment_are_added_again(
    run: Run, gitconfig: Path, environment: Environment, sections: Sequence[str], later: str
) -> None:
    gitconfig.write_text("[a]\n\tb = c\n[user]\n\tname = Alice\n")
    succeeded(run("configure"))
    gitconfig.write_text(gitconfig.read_text() + later)
    for one in sections:
        section = one if one == "user" else f"credential.https://{one}"
        subprocess.run([GIT, "config", "--global", "--remove-section", section], env=environment, check=True)
    edited = gitconfig.read_bytes()
    others = [one for one in read(gitconfig) if one not in wanted()]
    succeeded(run("unconfigure"))
    assert read(gitconfig) == others
    gitconfig.write_bytes(edited)
    succeeded(run("configure"))
    assert [one for one in read(gitconfig) if one in wanted()] == wanted()
    assert [one for one in read(gitconfig) if one not in wanted()] == others
    succeeded(run("unconfigure"))
    assert read(gitconfig) == others


@pytest.mark.parametrize("comment", ["# >>>", "# <<<"])
@pytest.mark.parametrize("command", ["configure", "unconfigure"])
@pytest.mark.parametrize(
    "other",
    [
        "[credential]\n\thelper = store\n",
        "; a note\n\n[user]\n\tname = Alice\n",
        '[credential "https://huggingface.co"]\n\thelper =\n\thelper = store\n',
        '[credential "https://hf.co"]\n\tusername = bob\n',
        '[credential "https://hf.co"]\n\tuseHttpPath = true\n',
    ],
)
def test_block_with_one_comment_ends_with_its_sections(
    run: Run, gitconfig: Path, comment: str, command: str, other: str
) -> None:
    gitconfig.write_text(other)
    succeeded(run("configure"))
    gitconfig.write_text(gitconfig.read_text() + other)
    without(gitconfig, comment)
    others = [one for one in read(gitconfig) if one not in wanted()]
    succeeded(run(command))
    assert [one for one in read(gitconfig) if one not in wanted()] == others
    if command == "configure":
        assert gitconfig.read_text().count(EXECUTABLE) == 2
        assert succeeded(run("configure")) == f"{gitconfig}: unchanged\n"
        succeeded(run("unconfigure"))
    assert gitconfig.read_text().replace("\n\n", "\n") == (other * 2).replace("\n\n", "\n")


def test_block_with_one_comment_keeps_what_was_put_between_its_lines(run: Run, gitconfig: Path) -> None:
    for comment in ("# >>>", "# <<<"):
        gitconfig.write_text("")
        succeeded(run("configure"))
        ours = "\tuseHttpPath = true\n"
        gitconfig.write_text(gitconfig.read_text().replace(ours, f"{ours}\tusername = alice\n"))
        without(gitconfig, comment)
        succeeded(run("unconfigure"))
        assert read(gitconfig) == [(f"credential.https://{host}.username", "alice") for host in HOSTS]


def test_two_blocks_one_of_them_with_one_comment_are_replaced_by_one(run: Run, gitconfig: Path) -> None:
    succeeded(run("configure"))
    block = gitconfig.read_text()
    for comment in ("# >>>", "# <<<"):
        without(gitconfig, comment)
        half = gitconfig.read_text()
        for text in (half + block, block + half):
            gitconfig.write_text(text + "[credential]\n\thelper = store\n")
            succeeded(run("configure"))
            assert read(gitconfig) == [("credential.helper", "store"), *wanted()]
            succeeded(run("unconfigure"))
            assert gitconfig.read_text() == "[credential]\n\thelper = store\n"
        gitconfig.write_text(block)


def test_file_that_configure_made_is_removed_without_the_last_comment(run: Run, gitconfig: Path) -> None:
    succeeded(run("configure"))
    without(gitconfig, "# <<<")
    assert succeeded(run("unconfigure")) == f"{gitconfig}: removed, since configure made it\n"
    assert not gitconfig.exists()


def test_block_that_cannot_be_told_from_other_settings_is_named_with_its_line(run: Run, gitconfig: Path) -> None:
    succeeded(run("configure"))
    without(gitconfig, "# >>>")
    gitconfig.write_text("[a]\n\tb = c \\\n" + gitconfig.read_text())  # our first header is now part of the value
    before = gitconfig.read_bytes()
    assert failed(run("unconfigure")).startswith(f"git-credential-hf: {gitconfig}:3: ")
    assert gitconfig.read_bytes() == before


def test_removal_changes_no_other_value_behind_a_backslash(run: Run, gitconfig: Path) -> None:
    gitconfig.write_text("[a]\n\tb = c\\")
    succeeded(run("configure"))
    with gitconfig.open("a") as file:
        file.write("[d]\n\te = f\n")
    succeeded(run("unconfigure"))
    assert gitconfig.read_text() == "[a]\n\tb = c\\\n\n[d]\n\te = f\n"


# Settings that come later.


@pytest.mark.parametrize(
    "later",
    [
        "[credential]\n\thelper = store\n",
        "[credential]\n\thelper =\n",
        '[credential "https://huggingface.co"]\n\thelper = store\n',
        '[credential "https://HF.co:443/"]\n\thelper = store\n',
        '[credential "https://alice@hf.co"]\n\thelper =\n',
        '[credential "https://*.co"]\n\thelper = store\n',
        '[credential "huggingface.co"]\n\thelper = store\n',
        "[credential]\n\tuseHttpPath = false\n",
        "[include]\n\tpath = more\n",
    ],
)
def test_block_moves_after_what_would_undo_it(run: Run, gitconfig: Path, later: str) -> None:
    gitconfig.write_text("[user]\n\tname = Alice\n")
    succeeded(run("configure"))
    with gitconfig.open("a") as file:
        file.write(later)
    assert "moved to the end" in succeeded(run("configure"))
    assert read(gitconfig)[-6:] == wanted()
    assert succeeded(run("configure")) == f"{gitconfig}: unchanged\n"
    succeeded(run("unconfigure"))
    assert gitconfig.read_text() == "[user]\n\tname = Alice\n" + later


@pytest.mark.parametrize(
    "later",
    [
        '[credential "https://github.com"]\n\thelper =\n\thelper = !gh auth git-credential\n',
        '[credential "http://huggingface.co"]\n\thelper = store\n',
        '[credential "https://cdn.hf.co"]\n\thelper = store\n',
        "[credential]\n\tuseHttpPath = on\n\tusername = alice\n",
        "[helper]\n\thelper = store\n",
    ],
)
def test_block_stays_before_what_does_not_concern_it(run: Run, gitconfig: Path, later: str) -> None:
    succeeded(run("configure"))
    with gitconfig.open("a") as file:
        file.write(later)
    assert succeeded(run("configure")) == f"{gitconfig}: unchanged\n"


@pytest.mark.parametrize("end", ["\\", "\\\n", "\\\r\n"])
def test_a_file_that_ends_in_a_backslash_is_unconfigured_after_an_edit(
    run: Run, gitconfig: Path, environment: Environment, end: str
) -> None:
    gitconfig.write_text(f"[a]\n\tb = c{end}", newline="")
    succeeded(run("configure"))
    subprocess.run([GIT, "config", "--global", "user.name", "x"], env=environment, check=True)
    assert succeeded(run("unconfigure")) == f"{gitconfig}: removed what configure added\n"
    left = subprocess.run([GIT, "config", "--global", "--list"], env=environment, capture_output=True, check=True)
    assert left.stdout == b"a.b=c\nuser.name=x\n"


# What overrides the block in the other files that git reads.

SECRET = "hf_InTheConfiguration"


@pytest.fixture
def repository(environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory is this repository."""
    folder = tmp_path / "repository"
    subprocess.run([GIT, "init", "-q", folder], env=environment, check=True)
    monkeypatch.chdir(folder)
    return folder


def warnings(run: Run, *arguments: str) -> list[str]:
    """What configure warns of; the same when it is run again."""
    for _ in range(2):
        result = run("configure", *arguments)
        assert result.code == 0
        assert SECRET.encode() not in result.stdout + result.stderr
        lines = result.stderr.decode().splitlines()
        assert all(line.startswith("git-credential-hf: ") for line in lines)
    assert result.stdout.endswith(b": unchanged\n")
    return [line.removeprefix("git-credential-hf: ") for line in lines]


IN_THE_WAY = [
    ("[credential]\n\thelper = store\n", "git asks and tells another credential.helper too"),
    (f'[credential]\n\thelper = "!echo password={SECRET}"\n', "git asks and tells another credential.helper too"),
    ('[credential "https://huggingface.co"]\n\thelper = cache\n', "git asks and tells another credential.helper too"),
    ("[credential]\n\thelper =\n", "an empty credential.helper keeps git from asking"),
    ("[credential]\n\tuseHttpPath = false\n", "credential.useHttpPath is not true"),
    ("[credential]\n\tuseHttpPath = banana\n", "git stops at this line"),
    ("[credential]\n\tuseHttpPath = banana\n\tuseHttpPath = 0x1\n", "git stops at this line"),
    ("[credential]\n\thelper\n", "git stops at this line"),
    ("[credential]\n\tuseHttpPath\n", "git stops at this line"),
    (f'[url "https://user:{SECRET}@huggingface.co/"]\n\tinsteadOf = hf:\n', "a url.*.insteadOf has a token"),
    (f'[url "https://{SECRET}@hf.co"]\n\tpushInsteadOf = https://hf.co\n', "a url.*.insteadOf has a token"),
    (f"[http]\n\textraHeader = Authorization: Bearer {SECRET}\n", "http.extraHeader sends a token"),
    (f'[http "https://HuggingFace.co/"]\n\textraHeader = "authorization: Bearer {SECRET}"\n', "http.extraHeader sends"),
    (f'[remote "origin"]\n\turl = https://user:{SECRET}@huggingface.co/a/b\n', "the address of the remote origin has"),
    (f'[remote "x.y"]\n\tpushurl = https://{SECRET}@hf.co/a/b\n', "the address of the remote x.y has a token"),
    (f"[lfs]\n\turl = https://user:{SECRET}@huggingface.co/a/b.git/info/lfs\n", "lfs.url has a token"),
]


@pytest.mark.parametrize(("text", "warning"), IN_THE_WAY)
def test_what_stands_in_the_way_in_a_repository_is_named(
    run: Run, repository: Path, gitconfig: Path, text: str, warning: str
) -> None:
    config = repository / ".git/config"
    before = config.read_text() + text
    config.write_text(before)
    (line,) = warnings(run)
    number = before.count("\n") - text.count("\n\tuseHttpPath = 0x1")
    assert line.startswith(f".git/config{'' if '[lfs]' in text else f':{number}'}: {warning}")
    assert config.read_text() == before
    succeeded(run("unconfigure"))
    assert not gitconfig.exists()


def test_a_warning_is_heeded_by_what_it_says(run: Run, repository: Path, environment: Environment) -> None:
    git = [GIT, "-C", str(repository), "config"]
    subprocess.run([*git, "credential.helper", "store"], env=environment, check=True)
    assert len(warnings(run)) == 1
    subprocess.run([*git, "--unset-all", "credential.helper"], env=environment, check=True)
    assert warnings(run) == []


@pytest.mark.parametrize("text", [text for text, warning in IN_THE_WAY if "token" in warning][:3])
def test_a_token_in_the_file_itself_is_named(run: Run, gitconfig: Path, tmp_path: Path, text: str) -> None:
    for file, arguments in ((gitconfig, ()), (tmp_path / "named", ("--file", str(tmp_path / "named")))):
        file.write_text(text)
        (line,) = warnings(run, *arguments)
        assert line.startswith(f"{file}:2: ")


@pytest.mark.parametrize(
    "text",
    [
        "[credential]\n\tuseHttpPath = true\n\tusername = alice\n",
        "[credential]\n\tuseHttpPath = 2\n",
        '[credential "https://github.com"]\n\thelper =\n\thelper = !gh auth git-credential\n',
        '[http "https://github.com/"]\n\textraHeader = AUTHORIZATION: basic x\n[http]\n\textraHeader = X-Y: z\n',
        '[url "https://huggingface.co/"]\n\tinsteadOf = hf:\n[url "https://me:pw@github.com/"]\n\tinsteadOf = gh:\n',
        '[remote "origin"]\n\turl = https://hf_user@huggingface.co/a/b\n[remote "b"]\n\turl = git@hf.co:a/b\n',
        '[remote "c"]\n\turl = https://alice@huggingface.co/a/b\n\turl = https://me:pw@huggingface.co.example.org/a\n',
    ],
)
def test_what_does_not_stand_in_the_way_is_not_named(run: Run, repository: Path, text: str) -> None:
    with (repository / ".git/config").open("a") as config:
        config.write(text)
    assert warnings(run) == []


def test_helpers_that_the_block_resets_are_not_named(run: Run, gitconfig: Path, repository: Path) -> None:
    gitconfig.write_text("[credential]\n\thelper = store\n[include]\n\tpath = more\n")
    (gitconfig.parent / "more").write_text("[credential]\n\thelper = cache\n")
    assert warnings(run) == []
    assert warnings(run, "--local") == []


# Which file.


@pytest.mark.parametrize("command", ["configure", "unconfigure"])
def test_an_empty_name_is_no_configuration(run: Run, environment: Environment, home: Path, command: str) -> None:
    environment["GIT_CONFIG_GLOBAL"] = ""
    refused = subprocess.run([GIT, "config", "--global", "a.b", "c"], env=environment, capture_output=True, check=False)
    assert refused.returncode != 0
    done = run(command)
    assert (done.stdout, done.code) == (b"", 1)
    assert done.stderr == (
        b"git-credential-hf: GIT_CONFIG_GLOBAL is empty, so git has no configuration of yours. "
        b"Try: unset GIT_CONFIG_GLOBAL\n"
    )
    assert not list(home.iterdir())


@pytest.mark.parametrize(
    ("files", "more"),
    [
        ((), {}),
        ((".gitconfig",), {}),
        ((".config/git/config",), {}),
        ((".gitconfig", ".config/git/config"), {}),
        (("xdg/git/config",), {"XDG_CONFIG_HOME": "xdg"}),
        ((".config/git/config",), {"XDG_CONFIG_HOME": "xdg"}),
        ((".config/git/config",), {"XDG_CONFIG_HOME": ""}),
        ((".gitconfig",), {"GIT_CONFIG_GLOBAL": "named"}),
    ],
)
def test_global_is_the_file_that_git_config_changes(
    run: Run, environment: Environment, home: Path, files: tuple[str, ...], more: dict[str, str]
) -> None:
    for name in files:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("[user]\n")
    environment |= {name: value and str(home / value) for name, value in more.items()}

    def changed(act: Callable[[], object]) -> set[Path]:
        before = {file: file.read_bytes() for file in home.rglob("*") if file.is_file()}
        act()
        return {file for file in home.rglob("*") if file.is_file() and file.read_bytes() != before.get(file)}

    ours = changed(lambda: succeeded(run("configure")))
    effective = [GIT, "config", "--get-urlmatch", "credential.helper", "https://hf.co/a"]
    assert subprocess.check_output(effective, env=environment, text=True).strip() == EXECUTABLE
    succeeded(run("unconfigure"))
    theirs = changed(lambda: subprocess.run([GIT, "config", "--global", "a.b", "c"], env=environment, check=True))
    assert len(ours) == 1
    assert ours == theirs


def test_no_home_is_named(run: Run, environment: Environment) -> None:
    del environment["HOME"]
    home = shlex.quote(pwd.getpwuid(os.geteuid()).pw_dir)
    line = failed(run("configure"))
    assert line.endswith(f": HOME is not set, so git has no configuration of yours. Try: export HOME={home}\n")
    known = json.loads(run("status", "--json", "https://huggingface.co").stdout)
    (remedy,) = [one["remedy"] for one in known["findings"] if one["code"] == "helper-not-configured"]
    assert remedy == f"export HOME={home} && git-credential-hf configure"


def test_local_is_the_configuration_of_all_worktrees(
    run: Run, environment: Environment, tmp_path: Path, gitconfig: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository, worktree = tmp_path / "repo sitory", tmp_path / "worktree"
    gitconfig.write_text("[user]\n\tname = Alice\n\temail = alice@example.org\n")
    git = [GIT, "-C", str(repository)]
    subprocess.run([GIT, "init", "-q", repository], env=environment, check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "1"], env=environment, check=True)
    subprocess.run([*git, "worktree", "add", "-q", worktree], env=environment, check=True)
    (repository / "deeper").mkdir()
    config = repository / ".git/config"
    text = config.read_bytes()
    for place in (repository, repository / "deeper", repository / ".git", worktree):
        monkeypatch.chdir(place)
        assert succeeded(run("configure", "--local")).startswith(f"{config}: added")
        assert read(config)[-6:] == wanted()
        assert succeeded(run("unconfigure", "--local")).startswith(f"{config}: removed")
        assert config.read_bytes() == text
    assert "name = Alice" in gitconfig.read_text()


def test_local_outside_a_repository_is_refused(
    run: Run, environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment["GIT_CEILING_DIRECTORIES"] = str(tmp_path.parent)
    monkeypatch.chdir(tmp_path)
    assert "no repository" in failed(run("configure", "--local"))


def test_file_is_taken_from_here(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert succeeded(run("configure", "--file", "mine")).startswith(f"{tmp_path / 'mine'}: added")
    assert read(tmp_path / "mine") == wanted()


def test_a_home_that_no_shell_has_filled_in(run: Run, environment: Environment) -> None:
    file = Path(environment["HOME"], "mine")
    assert succeeded(run("configure", "--file=~/mine")).startswith(f"{file}: added")
    assert succeeded(run("unconfigure", "--file=~/mine")).startswith(f"{file}: removed")


# The file on disk.


def test_symlink_stays(run: Run, gitconfig: Path, tmp_path: Path) -> None:
    target = tmp_path / "dotfiles" / "gitconfig"
    target.parent.mkdir()
    target.write_text("[user]\n\tname = Alice\n")
    (tmp_path / "dotfiles/link").symlink_to("gitconfig")
    gitconfig.symlink_to("../dotfiles/link")
    succeeded(run("configure"))
    assert gitconfig.readlink() == Path("../dotfiles/link")
    assert not target.is_symlink()
    assert read(target) == [("user.name", "Alice"), *wanted()]
    succeeded(run("unconfigure"))
    assert gitconfig.is_symlink()
    assert target.read_text() == "[user]\n\tname = Alice\n"


def test_symlink_to_nothing_yet_stays(run: Run, gitconfig: Path, tmp_path: Path) -> None:
    gitconfig.symlink_to(tmp_path / "later")
    succeeded(run("configure"))
    assert read(tmp_path / "later") == wanted()
    succeeded(run("unconfigure"))
    assert gitconfig.is_symlink()
    assert not (tmp_path / "later").exists()


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_mode_stays(run: Run, gitconfig: Path, mode: int) -> None:
    gitconfig.write_text("[user]\n")
    gitconfig.chmod(mode)
    for command in ("configure", "unconfigure"):
        succeeded(run(command))
        assert stat.S_IMODE(gitconfig.stat().st_mode) == mode


@AS_ROOT
def test_group_stays(run: Run, gitconfig: Path) -> None:
    gitconfig.write_text("[user]\n")
    os.chown(gitconfig, -1, 65534)
    succeeded(run("configure"))
    assert gitconfig.stat().st_gid == 65534


@AS_ROOT
@pytest.mark.parametrize("mode", [0o644, 0o600])
def test_a_group_that_one_is_not_in_is_no_hindrance(machine_folder: Path, as_user: AsUser, mode: int) -> None:
    """As `docker run --user 1000:0` with a home from outside, where `git config --global` works."""
    home = machine_folder / "home"
    home.mkdir()
    write(home / ".gitconfig", "[user]\n\tname = Alice\n", mode)
    for path in (home, home / ".gitconfig"):
        os.chown(path, 1000, 1000)
    for command in ("configure", "unconfigure"):
        succeeded(as_user(1000, command, gid=0, HOME=str(home)))
        status = (home / ".gitconfig").stat()
        assert (status.st_uid, stat.S_IMODE(status.st_mode)) == (1000, mode)


@AS_ROOT
@pytest.mark.parametrize("command", ["configure", "unconfigure"])
def test_file_of_another_user_is_refused(run: Run, gitconfig: Path, command: str) -> None:
    succeeded(run("configure"))
    with gitconfig.open("a") as file:
        file.write("[credential]\n\thelper = store\n")
    os.chown(gitconfig, 65534, -1)
    before = gitconfig.read_bytes()
    line = failed(run(command))
    assert f"{gitconfig} belongs to the user nobody" in line
    assert f"run `runuser -u nobody -- git-credential-hf {command}` with" in line
    assert gitconfig.read_bytes() == before
    assert gitconfig.stat().st_uid == 65534


@AS_ROOT
def test_file_in_the_home_of_another_user_is_refused(run: Run, home: Path) -> None:
    os.chown(home, 65534, -1)
    assert f"{home} belongs to the user nobody" in failed(run("configure"))
    assert [*home.iterdir()] == []


@AS_ROOT
@pytest.mark.parametrize("named", [False, True])
def test_root_leaves_no_file_of_git_lfs_in_the_home_of_another_user(
    run: Run, environment: Environment, home: Path, tmp_path: Path, named: bool
) -> None:
    """As `sudo -E`: what git-lfs writes there would be root's."""
    os.chown(home, 65534, -1)
    if named:
        (tmp_path / "theirs").touch()
        os.chown(tmp_path / "theirs", 65534, -1)
        environment["GIT_CONFIG_GLOBAL"] = str(tmp_path / "theirs")
    result = run("configure", "--file", str(tmp_path / "config"), "--git-lfs")
    assert (read(tmp_path / "config"), result.code) == (wanted(), 3)
    assert result.stderr.decode() == (
        "git-credential-hf: git uses the helper, but git-lfs would write to another user's configuration. "
        "Try: runuser -u nobody -- git lfs install --skip-repo\n"
    )
    assert [*home.iterdir()] == []
    assert not named or (tmp_path / "theirs").stat().st_uid == 65534


def the_read_only_file(tmp_path: Path) -> str:
    file = tmp_path / "store" / "gitconfig"
    file.parent.mkdir()
    file.write_text("[user]\n\tname = Alice\n")
    file.chmod(0o444)
    (tmp_path / "link").symlink_to(file)
    return str(tmp_path / "link")


def the_fifo(tmp_path: Path) -> str:
    os.mkfifo(tmp_path / "fifo")
    return str(tmp_path / "fifo")


@pytest.mark.parametrize(
    "place",
    [
        the_read_only_file,
        the_fifo,
        str,
        lambda tmp_path: str(tmp_path / "missing" / "config"),
        lambda tmp_path: "/etc/passwd/config",
        lambda tmp_path: "/proc/config",
        lambda tmp_path: "/dev/null",
    ],
    ids=["read-only", "fifo", "folder", "no-folder", "in-a-file", "read-only-folder", "null"],
)
def test_what_cannot_be_written_gets_the_lines_on_stdout(
    run: Run, tmp_path: Path, place: Callable[[Path], str]
) -> None:
    file = place(tmp_path)
    before = Path(file).read_bytes() if Path(file).is_file() else None
    result = run("configure", "--file", file)
    assert f"{os.path.realpath(file)} cannot be written" in failed(result)
    by_hand = tmp_path / "by-hand"
    by_hand.write_bytes(result.stdout)
    assert read(by_hand) == wanted()
    assert (Path(file).read_bytes() if Path(file).is_file() else None) == before
    if before is not None:
        assert [one.name for one in (tmp_path / "store").iterdir()] == ["gitconfig"]


def test_what_cannot_be_written_and_needs_nothing_is_fine(run: Run, gitconfig: Path) -> None:
    gitconfig.write_text((ROOT / "examples/gitconfig").read_text())
    gitconfig.chmod(0o444)
    assert succeeded(run("configure")) == f"{gitconfig}: unchanged\n"


def test_removal_from_what_cannot_be_written_fails(run: Run, gitconfig: Path) -> None:
    succeeded(run("configure"))
    gitconfig.chmod(0o444)
    assert "cannot be written" in failed(run("unconfigure"))
    assert read(gitconfig) == wanted()


@pytest.mark.parametrize("command", ["configure", "unconfigure"])
def test_lock_of_git_is_respected(run: Run, gitconfig: Path, command: str) -> None:
    if command == "unconfigure":
        succeeded(run("configure"))
    before = gitconfig.read_bytes() if gitconfig.exists() else None
    lock = gitconfig.with_name(".gitconfig.lock")
    lock.write_text("theirs")
    assert str(lock) in failed(run(command))
    assert lock.read_text() == "theirs"
    assert (gitconfig.read_bytes() if gitconfig.exists() else None) == before


def test_change_made_meanwhile_is_not_lost(run: Run, environment: Environment, gitconfig: Path, tmp_path: Path) -> None:
    gitconfig.write_text("[user]\n\tname = Alice\n")
    script(
        tmp_path / "bin" / "git",
        f"[ -e {tmp_path}/once ] || {{ : >{tmp_path}/once; {GIT} config --file {gitconfig} user.email a@b; }}\n"
        f'exec {GIT} "$@"',
    )
    succeeded(run("configure", PATH=f"{tmp_path}/bin:{environment['PATH']}"))
    assert read(gitconfig) == [("user.name", "Alice"), ("user.email", "a@b"), *wanted()]


@pytest.mark.parametrize("command", ["configure", "unconfigure"])
def test_configuration_that_git_cannot_read_is_named(run: Run, gitconfig: Path, command: str) -> None:
    gitconfig.write_text("")
    succeeded(run("configure"))
    gitconfig.write_text('[user]\n\tname = "Alice\n' + gitconfig.read_text())
    before = gitconfig.read_bytes()
    line = failed(run(command))
    assert f"line 2 in {gitconfig}" in line or f"line 3 in {gitconfig}" in line
    assert gitconfig.read_bytes() == before


def test_another_configuration_that_git_cannot_read_does_not_matter(run: Run, gitconfig: Path, tmp_path: Path) -> None:
    gitconfig.write_text("[user")
    succeeded(run("configure", "--file", str(tmp_path / "mine")))


def test_name_of_any_bytes_is_one_line(run: Run, tmp_path: Path) -> None:
    file = os.fsdecode(os.fsencode(tmp_path) + b"/\xff\n\x1b[1m")
    assert succeeded(run("configure", "--file", file)).count("\n") == 1
    assert read(Path(file)) == wanted()


def test_git_that_is_missing_is_named(run: Run, gitconfig: Path) -> None:
    assert "git cannot be run" in failed(run("configure", PATH=str(Path(EXECUTABLE).parent)))
    assert not gitconfig.exists()


# What children are given, and git-lfs.


def test_git_is_not_given_the_token(run: Run, environment: Environment, gitconfig: Path, tmp_path: Path) -> None:
    script(tmp_path / "bin" / "git", f'env >>{tmp_path}/seen\nexec {GIT} "$@"')
    path = f"{tmp_path}/bin:{environment['PATH']}"
    succeeded(run("configure", PATH=path, HF_TOKEN=TOKEN, HUGGING_FACE_HUB_TOKEN=TOKEN))
    seen = (tmp_path / "seen").read_text()
    assert f"PATH={path}" in seen
    assert TOKEN not in seen


def test_git_lfs_is_set_up_too(run: Run, gitconfig: Path) -> None:
    lines = succeeded(run("configure", "--git-lfs")).splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("git-lfs: ")
    assert ("filter.lfs.required", "true") in read(gitconfig)
    content = gitconfig.read_bytes()
    assert "unchanged" in succeeded(run("configure", "--git-lfs"))
    assert gitconfig.read_bytes() == content


def test_git_lfs_that_is_missing_leaves_it_done_in_part(run: Run, gitconfig: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/git").symlink_to(GIT)
    result = run("configure", "--git-lfs", PATH=f"{tmp_path}/bin:{Path(EXECUTABLE).parent}")
    assert result.code == 3
    assert b"git-lfs is not installed" in result.stderr
    assert result.stderr.count(b"\n") == 1
    assert read(gitconfig) == wanted()


# The example.


def test_example_sets_the_same(run: Run, gitconfig: Path) -> None:
    succeeded(run("configure"))
    assert read(ROOT / "examples/gitconfig") == [
        (key, "hf" if value == EXECUTABLE else value) for key, value in read(gitconfig)
    ]


def test_configuration_by_hand_is_enough(run: Run, gitconfig: Path) -> None:
    text = "[user]\n\tname = Alice\n" + (ROOT / "examples/gitconfig").read_text()
    gitconfig.write_text(text)
    assert succeeded(run("configure")) == f"{gitconfig}: unchanged\n"
    assert succeeded(run("unconfigure")) == f"{gitconfig}: nothing to remove\n"
    assert gitconfig.read_text() == text
