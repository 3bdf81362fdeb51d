"""get from Hugging Face's token file: where it is, what in it is a token, and OAuth logins that expire."""

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from git_credential_hf.model.outcome import MALFORMED
from git_credential_hf.options import Options
from git_credential_hf.sources import token_file
from tests.conftest import AS_ROOT, Environment, Result, Run, run_call

TOKEN = "hf_fIlEmArK0123456789aBcDeFgHiJkLmNoPq"
NEW = "hf_rEnEwEd0123456789aBcDeFgHiJkLmNoPqR"
REQUEST = b"protocol=https\nhost=huggingface.co\n"

Get = Callable[..., Result]


@pytest.fixture
def file(environment: Environment) -> Path:
    """The token file where HOME alone says where it is; its folder is there."""
    path = Path(environment["HOME"], ".cache/huggingface/token")
    path.parent.mkdir(parents=True)
    return path


@pytest.fixture
def get(run: Run) -> Get:
    """Ask for huggingface.co; fail if a token is on stderr."""

    def ask(*options: str, **more: str) -> Result:
        result = run(*options, "get", input=REQUEST, **more)
        assert TOKEN.encode() not in result.stderr
        assert NEW.encode() not in result.stderr
        assert result.code == 0
        return result

    return ask


def answer(token: str, *more: str) -> bytes:
    return "".join(f"{line}\n" for line in ("username=hf_user", f"password={token}", *more)).encode()


# --- where -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "place"),
    [
        ({}, "home/.cache/huggingface/token"),
        ({"HF_TOKEN_PATH": "", "HF_HOME": "", "XDG_CACHE_HOME": ""}, "home/.cache/huggingface/token"),
        ({"HF_TOKEN_PATH": "{tmp}/tok", "HF_HOME": "{tmp}/hf", "XDG_CACHE_HOME": "{tmp}/xdg"}, "tok"),
        ({"HF_HOME": "{tmp}/hf", "XDG_CACHE_HOME": "{tmp}/xdg"}, "hf/token"),
        ({"XDG_CACHE_HOME": "{tmp}/xdg"}, "xdg/huggingface/token"),
        ({"HF_TOKEN_PATH": "~/tok"}, "home/tok"),
        ({"HF_TOKEN_PATH": "$WHERE/tok"}, "where/tok"),
        ({"HF_TOKEN_PATH": "~/${{NAME}}"}, "home/named"),
        ({"HF_HOME": "~"}, "home/token"),
        ({"HF_HOME": "$WHERE"}, "where/token"),
        ({"XDG_CACHE_HOME": "~/xdg"}, "home/xdg/huggingface/token"),
        ({"HOME": "{tmp}/$NAME"}, "named/.cache/huggingface/token"),
        ({"HOME": "{tmp}/home/"}, "home/.cache/huggingface/token"),
        ({"HF_TOKEN_PATH": "{tmp}/two\nlines \udcff"}, "two\nlines \udcff"),
    ],
)
def test_the_file_is_where_hugging_face_reads_it(
    get: Get, tmp_path: Path, variables: dict[str, str], place: str
) -> None:
    more = {name: value.format(tmp=tmp_path) for name, value in variables.items()}
    more |= {"WHERE": f"{tmp_path}/where", "NAME": "named"}
    assert get(**more).stdout == b""
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / place).write_text(TOKEN)
    assert (get(**more).stdout, get(**more).stderr) == (answer(TOKEN), b"")


def test_every_variable_says_where_as_hugging_face_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME")
    monkeypatch.delenv("UNSET", raising=False)
    home = os.fsencode(Path("~").expanduser())
    assert token_file.path({}) == home + b"/.cache/huggingface/token"
    assert token_file.path({b"HF_HOME": b"~root/x"}) == os.fsencode(Path("~root").expanduser()) + b"/x/token"
    assert token_file.path({b"HF_HOME": b"~no-such-user/x"}) == b"~no-such-user/x/token"
    assert token_file.path({b"HF_HOME": b"$UNSET/x"}) == b"$UNSET/x/token"
    assert token_file.path({b"HF_HOME": b"/"}) == b"/token"
    assert token_file.path({b"HF_TOKEN_PATH": b"a/b/../"}) == b"a/b/.."
    assert token_file.path({b"HF_TOKEN_PATH": b"a/b./"}) == b"a/b."
    assert token_file.path({b"HF_TOKEN_PATH": b"//"}) == b"/"


# --- what ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", ["{}", "{}\n", "{}\r\n", "\n \t{}  \r\n\n"])
def test_white_space_around_the_token_is_nothing(get: Get, file: Path, content: str) -> None:
    file.write_text(content.format(TOKEN), newline="")
    assert (get().stdout, get().stderr) == (answer(TOKEN), b"")


@pytest.mark.parametrize(
    "content",
    [
        b"", b" \r\n", b"hf_a\nhf_b", b"hf_a\rpassword=b", b"hf_a\0", b"hf_\x1b[31m", b"hf_a\tb", b"hf_a\x7f",
        b"hf_\xc2\x85b", b"a" * 65_001, TOKEN.encode() + b"\n" * 65_536,
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_no_token_is_skipped_in_silence(get: Get, file: Path, content: bytes) -> None:
    file.write_bytes(content)
    result = get()
    assert (result.stdout, result.stderr) == (b"", b"")


def test_the_longest_token(get: Get, file: Path) -> None:
    file.write_bytes(b"a" * 65_000 + b"\n" * 536)
    assert get().stdout == answer("a" * 65_000)


@pytest.mark.parametrize("kind", ["directory", "FIFO", "a link to /dev/zero", "a link to itself"])
def test_what_is_no_file_is_skipped_at_once(get: Get, file: Path, kind: str) -> None:
    if kind == "directory":
        file.mkdir()
    elif kind == "FIFO":
        os.mkfifo(file)
    else:
        file.symlink_to("/dev/zero" if "zero" in kind else file)
    result = get()
    assert (result.stdout, result.stderr) == (b"", b"")


def test_a_link_is_followed(get: Get, file: Path, tmp_path: Path) -> None:
    (tmp_path / "decrypted").write_text(TOKEN)
    file.symlink_to(tmp_path / "decrypted")
    assert get().stdout == answer(TOKEN)


@AS_ROOT
def test_a_file_that_cannot_be_read_is_skipped(file: Path, environment: Environment) -> None:
    file.write_text(TOKEN)
    file.chmod(0)
    run_call(("get",), REQUEST, environment)  # imports what a user without root's rights might not be able to
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.setuid(1000)
            result = run_call(("get",), REQUEST, environment)
            os.write(writer, b"%d" % result.code + result.stdout + result.stderr)
        finally:
            os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader, "rb") as said:
        assert said.read() == b"0"


@pytest.mark.parametrize("mode", [0o600, 0o444])
def test_get_writes_nothing(get: Get, file: Path, environment: Environment, mode: int) -> None:
    file.write_text(TOKEN)
    file.chmod(mode)
    before = {path: path.lstat().st_mtime_ns for path in Path(environment["HOME"]).rglob("*")}
    assert get().stdout == answer(TOKEN)
    assert {path: path.lstat().st_mtime_ns for path in Path(environment["HOME"]).rglob("*")} == before
    assert stat.S_IMODE(file.stat().st_mode) == mode


# --- OAuth logins -----------------------------------------------------------------------------------------------------


def logins(file: Path, *, token: str = TOKEN, ends: object = None, refreshes: bool = True) -> None:
    """Put `token` into the file, and beside it what huggingface_hub keeps of the logins."""
    file.write_text(token)
    lines = ["[other]", "hf_token = hf_other", "", "[oauth-alice]", f"hf_token = {token}"]
    lines += ["refresh_token = hf_refresh"] if refreshes else []
    lines += [f"expires_at = {ends}"] if ends is not None else []
    (file.parent / "stored_tokens").write_text("\n".join([*lines, "", "[last]", "hf_token = hf_last", ""]))


def hours(number: int) -> int:
    return int(time.time()) + number * 3600


def test_a_login_that_has_not_expired_is_answered_with_its_expiry(get: Get, file: Path) -> None:
    ends = hours(1)
    logins(file, ends=ends)
    result = get()
    assert (result.stdout, result.stderr) == (answer(TOKEN, f"password_expiry_utc={ends}"), b"")


def test_a_login_that_has_expired_is_skipped_with_the_remedy(get: Get, file: Path) -> None:
    logins(file, ends=hours(-1))
    result = get()
    assert (result.stdout, result.stderr.count(b"\n")) == (b"", 1)
    line = f"the login in {file} has ended: run `hf auth token` to renew it, or `hf auth login`"
    assert result.stderr.decode() == f"git-credential-hf: {line}\n"
    assert get("--no-prompt").stdout == b"quit=1\n"


def test_another_source_is_given_in_silence(get: Get, file: Path) -> None:
    logins(file, ends=hours(-1))
    result = get(HF_TOKEN=NEW)
    assert (result.stdout, result.stderr) == (answer(NEW), b"")


def test_a_login_without_a_refresh_token_has_its_expiry_too(get: Get, file: Path) -> None:
    ends = hours(1)
    logins(file, ends=ends, refreshes=False)
    assert get() == Result(answer(TOKEN, f"password_expiry_utc={ends}"), b"", 0)


def test_an_expired_login_that_nothing_can_renew_is_simply_expired(
    get: Get, file: Path, hf: Callable[[str], Path]
) -> None:
    logins(file, ends=hours(-1), refreshes=False)
    notes = hf(f"echo {NEW}")
    assert get("--refresh") == Result(b"", b"", 0)
    assert not notes.exists()
    login = f"[oauth-alice]\nhf_token = {TOKEN}\nrefresh_token =\nexpires_at = 1000000000\n"
    (file.parent / "stored_tokens").write_text(login)
    assert get("--refresh") == Result(b"", b"", 0)


@pytest.mark.parametrize(
    "content",
    ["None", "null", "${HF_TOKEN}", "$HF_TOKEN", "<token>", "your_token_here", "hf_...", "hf_xxxxxxxx", f'"{TOKEN}"',
     f"HF_TOKEN={TOKEN}", f"export HF_TOKEN={TOKEN}", f'{{"token": "{TOKEN}"}}', f"Bearer {TOKEN}", f"{TOKEN} {TOKEN}",
     f"{TOKEN}{TOKEN}",
     "ghp_abcdefghijklmnopqrstuvwxyz0123456789", "sk-abcdefghijklmnopqrst", "größe"],
)  # fmt: skip
def test_what_is_never_a_token_is_skipped(get: Get, file: Path, content: str) -> None:
    file.write_text(content)
    assert get() == Result(b"", b"", 0)
    file.write_text(TOKEN)
    assert get(HF_TOKEN=content).stdout == answer(TOKEN)
    assert get(HF_TOKEN=content, HUGGING_FACE_HUB_TOKEN=NEW).stdout == answer(NEW)


def test_the_expiry_of_another_login_does_not_count(get: Get, file: Path) -> None:
    logins(file, token="hf_another", ends=hours(-1))
    file.write_text(TOKEN)
    assert (get().stdout, get().stderr) == (answer(TOKEN), b"")


@pytest.mark.parametrize("ends", [None, "", "soon", "-1", "1e3", "9" * 19])
def test_an_expiry_that_cannot_be_read_is_none(get: Get, file: Path, ends: str | None) -> None:
    logins(file, ends=ends)
    assert (get().stdout, get().stderr) == (answer(TOKEN), b"")


@pytest.mark.parametrize("content", [b"", b"\xff\0[\n[[\n==\n[", b"[x]\r\nhf_token\r\n"])
def test_logins_that_cannot_be_read_are_none(get: Get, file: Path, content: bytes) -> None:
    file.write_text(TOKEN)
    (file.parent / "stored_tokens").write_bytes(content)
    assert (get().stdout, get().stderr) == (answer(TOKEN), b"")


def test_what_huggingface_hub_itself_writes_is_read(get: Get, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    auth = pytest.importorskip("huggingface_hub.utils._auth", reason="NOT TESTED: huggingface_hub is not installed")
    monkeypatch.setattr(auth.constants, "HF_STORED_TOKENS_PATH", str(file.parent / "stored_tokens"))
    ends = hours(2)
    auth._save_token("hf_plain", "plain")
    auth._save_token(TOKEN, "oauth-alice", refresh_token="hf_refresh", expires_at=ends)
    file.write_text(TOKEN)
    assert get().stdout == answer(TOKEN, f"password_expiry_utc={ends}")
    file.write_text("hf_plain")
    assert get().stdout == answer("hf_plain")


# --- --refresh -------------------------------------------------------------------------------------------------------


@pytest.fixture
def hf(tmp_path: Path, environment: Environment) -> Callable[[str], Path]:
    """Put an `hf` that does as the shell script says first on PATH; return where it notes how it was asked."""
    notes = tmp_path / "notes"
    folder = tmp_path / "bin"
    folder.mkdir()

    def stub(script: str) -> Path:
        (folder / "hf").write_text(f'#!/bin/sh\n{{ echo "asked: $*"; env; }} >>{notes}\n{script}\n')
        (folder / "hf").chmod(0o755)
        return notes

    environment["PATH"] = f"{folder}:{environment['PATH']}"
    return stub


def test_refresh_asks_hf_once_for_the_token_that_takes_its_place(
    get: Get, file: Path, hf: Callable[[str], Path]
) -> None:
    logins(file, ends=hours(-1))
    notes = hf(f"echo a warning >&2; echo {NEW}")
    more = {"HF_ENDPOINT": "https://example.org", "HF_OIDC_RESOURCE": "o/m", "HF_OIDC_ID_TOKEN": "x", "HF_DEBUG": "1"}
    result = get("--refresh", "--sources", "file", HF_TOKEN="hf_a", HUGGING_FACE_HUB_TOKEN="hf_b", OWN="yes", **more)
    assert (result.stdout, result.stderr) == (answer(NEW), b"")
    noted = notes.read_text().splitlines()
    assert [line for line in noted if line.startswith("asked:")] == ["asked: auth token"]
    assert "OWN=yes" in noted
    assert [line for line in noted if line.startswith(("HF_", "HUGGING_FACE_HUB_TOKEN="))] == ["HF_DEBUG=1"]


def test_hf_is_not_asked_unless_it_has_to_be(get: Get, file: Path, hf: Callable[[str], Path]) -> None:
    notes = hf(f"echo {NEW}")
    assert get("--refresh").stdout == b""
    logins(file, ends=hours(-1))
    assert get().stdout == b""
    logins(file, ends=hours(1))
    assert get("--refresh").stdout.startswith(answer(TOKEN))
    file.write_text("hf_plain")
    assert get("--refresh").stdout == answer("hf_plain")
    assert not notes.exists()


@pytest.mark.parametrize(
    "script",
    [f"echo {NEW}; exit 1", ":", "echo; echo", f"echo {NEW}; echo more", "printf 'hf_\\033[31m'", "kill -9 $$"],
)
def test_an_hf_that_gives_no_token_is_as_none(get: Get, file: Path, hf: Callable[[str], Path], script: str) -> None:
    logins(file, ends=hours(-1))
    hf(script)
    result = get("--refresh")
    assert (result.stdout, result.stderr.count(b"\n")) == (b"", 1)
    assert b"has ended: run `hf auth token`" in result.stderr


def test_without_hf_the_remedy_is_told(get: Get, file: Path, tmp_path: Path) -> None:
    logins(file, ends=hours(-1))
    result = get("--refresh", PATH=str(tmp_path))
    assert (result.stdout, result.stderr.count(b"\n")) == (b"", 1)
    assert b"`hf auth login`" in result.stderr


def test_an_hf_that_hangs_is_given_up(
    file: Path, hf: Callable[[str], Path], environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_file, "_RENEWAL_LIMIT", 0.2)
    logins(file, ends=hours(-1))
    hf("exec sleep 600")
    result = run_call(("--refresh", "get"), REQUEST, environment)
    assert (result.stdout, result.stderr.count(b"\n"), result.code) == (b"", 1, 0)


def test_the_limit_of_a_renewal_is_what_is_promised() -> None:
    assert token_file._RENEWAL_LIMIT == 10


def test_the_trace_has_the_place_and_no_token(get: Get, file: Path) -> None:
    file.write_text(TOKEN)
    result = get(GIT_CREDENTIAL_HF_TRACE="1")
    assert result.stdout == answer(TOKEN)
    assert f"token file {file}: a token".encode() in result.stderr


def test_what_the_file_gives(tmp_path: Path) -> None:
    options = Options({b"HF_TOKEN_PATH": os.fsencode(tmp_path / "tok")})
    assert list(token_file.candidates(options)) == []
    (tmp_path / "tok").write_text(TOKEN)
    (one,) = token_file.candidates(options)
    assert (one.source, one.place, one.verdict) == ("file", str(tmp_path / "tok"), "")
    assert one.token is not None
    assert (one.token.text, one.token.expires, one.token.oauth) == (TOKEN.encode(), None, False)
    (tmp_path / "tok").write_text("two\nlines")
    (one,) = token_file.candidates(options)
    assert (one.place, one.token, one.verdict) == (str(tmp_path / "tok"), None, MALFORMED)
