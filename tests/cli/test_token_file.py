"""Hugging Face's token file, as seed leaves it: what huggingface_hub reads, and what happens in between."""

import os
import pwd
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from git_credential_hf.cli import token_file as token_cache
from git_credential_hf.state import files
from tests.cli.conftest import ROTATED, TOKEN, UNSET, AsUser, Seed, cache, snapshot, write
from tests.conftest import AS_ROOT, EXECUTABLE, Environment, Result, Run, run_call, run_process
from tests.keyring_items import Items
from tests.providers import GnomeKeyring

REQUEST = b"protocol=https\nhost=huggingface.co\n"


@pytest.fixture
def token_file(environment: Environment) -> Path:
    """The token file, in a folder that is there, holding another token."""
    file = cache(environment)
    file.parent.mkdir(parents=True, mode=0o700)
    write(file, ROTATED)
    return file


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


# --- where and what ------------------------------------------------------------------------------------------------

WHERE = [
    ({}, "home/.cache/huggingface/token"),
    ({"HF_TOKEN_PATH": "{tmp}/own/tok"}, "own/tok"),
    ({"HF_TOKEN_PATH": "~/own/tok"}, "home/own/tok"),
    ({"HF_TOKEN_PATH": "$WHERE/tok"}, "where/tok"),
    ({"HF_TOKEN_PATH": "tok"}, "tok"),
    ({"HF_TOKEN_PATH": "{tmp}/own/tok/"}, "own/tok"),
    ({"HF_TOKEN_PATH": "~/own/tok//./"}, "home/own/tok"),
    ({"HF_TOKEN_PATH": "$WHERE_TOO"}, "where/tok"),
    ({"HF_TOKEN_PATH": "$UNSET/tok"}, "$UNSET/tok"),
    ({"HF_TOKEN_PATH": "{tmp}/first/tok", "HF_HOME": "{tmp}/second"}, "first/tok"),
    ({"HF_HOME": "~/hf"}, "home/hf/token"),
    ({"HF_HOME": "~"}, "home/token"),
    ({"HF_HOME": "~/hf/"}, "home/hf/token"),
    ({"HF_HOME": "${{WHERE}}/hf"}, "where/hf/token"),
    ({"HF_HOME": "{tmp}/first", "XDG_CACHE_HOME": "{tmp}/second"}, "first/token"),
    ({"HF_HOME": "{tmp}/link/../hf"}, "elsewhere/hf/token"),
    ({"XDG_CACHE_HOME": "{tmp}/xdg"}, "xdg/huggingface/token"),
    ({"XDG_CACHE_HOME": "~/xdg"}, "home/xdg/huggingface/token"),
    ({"XDG_CACHE_HOME": "$WHERE/xdg"}, "where/xdg/huggingface/token"),
    ({"HOME": "{tmp}/a$WHERE"}, "{a}/where/.cache/huggingface/token"),
    ({"HF_HOME": "{tmp}/\udcff"}, "\udcff/token"),
]


@pytest.mark.parametrize(("variables", "expected"), WHERE, ids=[f"{more} {file!a}" for more, file in WHERE])
def test_hugging_face_reads_the_token_where_seed_puts_it(
    environment: Environment,
    source: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    expected: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere/folder").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere/folder")
    environment |= {"WHERE": f"{tmp_path}/where", "WHERE_TOO": f"{tmp_path}/where/tok/"}
    environment |= {name: value.format(tmp=tmp_path) for name, value in variables.items()}

    result = run_call(("seed", "--from", str(source)), b"", environment)
    assert (result.stderr, result.code) == (b"", 0)
    (written,) = [path for path in tmp_path.rglob("*") if path.is_file() and path != source]
    assert written == tmp_path / expected.format(a=f"{tmp_path}/a{tmp_path}")
    assert written.read_text() == TOKEN
    assert mode(written) == 0o600

    read = subprocess.run(
        [sys.executable, "-c", "import huggingface_hub as hub, sys; sys.stdout.write(hub.get_token())"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert read.stdout == TOKEN
    assert run_call(("get",), REQUEST, environment).stdout.endswith(b"password=%b\n" % TOKEN.encode())


def test_hf_itself_has_the_token(seed: Seed, environment: Environment) -> None:
    if shutil.which("hf") is None:
        pytest.skip("NOT TESTED: hf is not installed")
    assert seed().code == 0
    asked = subprocess.run(["hf", "auth", "token"], env=environment, capture_output=True, text=True, check=True)
    assert asked.stdout.split()[-1] == TOKEN


def test_without_home_it_is_the_users_own_by_the_password_file(environment: Environment, source: Path) -> None:
    del environment["HOME"]
    result = run_process(("seed", "--dry-run", "--no-keyring", "--from", str(source)), b"", environment)
    assert result.stdout.decode().endswith(f", {pwd.getpwuid(os.geteuid()).pw_dir}/.cache/huggingface/token\n")
    assert (result.stderr, result.code) == (b"", 0)


@pytest.mark.parametrize("umask", [0, 0o022, 0o077])
def test_the_file_and_its_new_folders_are_private_whatever_the_umask(
    seed: Seed, environment: Environment, umask: int
) -> None:
    before = os.umask(umask)
    try:
        assert seed().code == 0
    finally:
        os.umask(before)
    file = cache(environment)
    assert [mode(file), mode(file.parent), mode(file.parent.parent)] == [0o600, 0o700, 0o700]


@pytest.mark.parametrize("existing", [0o755, 0o750, 0o777])
def test_an_existing_folder_keeps_its_mode(seed: Seed, environment: Environment, existing: int) -> None:
    folder = cache(environment).parent
    folder.mkdir(parents=True)
    folder.chmod(existing)
    assert seed().code == 0
    assert mode(folder) == existing
    assert mode(cache(environment)) == 0o600


# --- again, and another token ----------------------------------------------------------------------------------------


def test_a_new_file_is_said(seed: Seed, environment: Environment) -> None:
    result = seed("--no-keyring")
    assert (result.stdout.decode(), result.stderr) == (f"token file: written, {cache(environment)}\n", b"")


def test_a_second_run_writes_nothing_and_says_so(seed: Seed, environment: Environment) -> None:
    seed("--no-keyring")
    before = snapshot(Path(environment["HOME"]))
    result = seed("--no-keyring")
    assert (result.stdout.decode(), result.stderr) == (f"token file: unchanged, {cache(environment)}\n", b"")
    assert snapshot(Path(environment["HOME"])) == before


@AS_ROOT
def test_a_second_run_writes_nothing_where_all_files_are_roots(
    machine_folder: Path, as_user: AsUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a drive that fstab mounts without `uid=`. What /proc says of it is made up, as no such drive can be had."""
    monkeypatch.setattr(files, "has_modes", lambda place: not place.startswith(os.fsencode(machine_folder / "drive")))
    write(machine_folder / "source", TOKEN)
    for place, owner in ((machine_folder / "home", 1000), (machine_folder / "drive", 0)):
        place.mkdir()
        os.chown(place, owner, owner)
    (machine_folder / "drive").chmod(0o777)
    os.chown(machine_folder / "source", 1000, 1000)
    write(machine_folder / "drive/token", TOKEN, 0o777)
    before = snapshot(machine_folder / "drive")
    more = {"HOME": f"{machine_folder}/home", "HF_HOME": f"{machine_folder}/drive"}
    result = as_user(1000, "seed", "--no-keyring", "--from", f"{machine_folder}/source", **more)
    assert result == Result(f"token file: unchanged, {machine_folder}/drive/token\n".encode(), b"", 0)
    assert snapshot(machine_folder / "drive") == before


def test_force_writes_what_is_there_already(seed: Seed, environment: Environment) -> None:
    seed("--no-keyring")
    before = cache(environment).stat().st_mtime_ns
    result = seed("--no-keyring", "--force")
    assert (result.stdout.decode(), result.code) == (f"token file: written, {cache(environment)}\n", 0)
    assert cache(environment).stat().st_mtime_ns > before
    assert cache(environment).read_text() == TOKEN


def test_a_token_that_others_can_read_becomes_private(seed: Seed, token_file: Path) -> None:
    write(token_file, TOKEN, 0o644)
    result = seed("--no-keyring")
    assert (result.stdout.decode(), result.code) == (f"token file: written, {token_file}\n", 0)
    assert (mode(token_file), token_file.read_text()) == (0o600, TOKEN)


def test_another_token_is_overwritten_and_that_is_said(seed: Seed, token_file: Path) -> None:
    # A second name for the old file would show a write in its place.
    other_name = token_file.with_name("kept")
    other_name.hardlink_to(token_file)
    result = seed("--no-keyring")
    line = f"token file: written over another token (hf_****NoPq), {token_file}\n"
    assert (result.stdout.decode(), result.stderr, result.code) == (line, b"", 0)
    assert token_file.read_text() == TOKEN
    assert other_name.read_text() == ROTATED
    assert sorted(path.name for path in token_file.parent.iterdir()) == ["kept", "token"]


def test_what_hugging_face_would_read_as_the_token_is_the_token(seed: Seed, token_file: Path) -> None:
    write(token_file, f"{TOKEN}\r\n")
    before = snapshot(token_file.parent)
    assert seed("--no-keyring").stdout.decode() == f"token file: unchanged, {token_file}\n"
    assert snapshot(token_file.parent) == before


@pytest.mark.parametrize("rubbish", [b"", b"\0\xff\n\n", b"x" * 70_000])
def test_what_is_no_token_is_overwritten(seed: Seed, token_file: Path, rubbish: bytes) -> None:
    write(token_file, rubbish)
    assert seed("--no-keyring").stdout.decode() == f"token file: written, {token_file}\n"
    assert token_file.read_text() == TOKEN


# --- what cannot be replaced ------------------------------------------------------------------------------------------


def is_refused(result: Result, *, naming: str, items: Items) -> None:
    assert (result.stdout, result.code) == (b"", 1)
    line = result.stderr.decode()
    assert line.count("\n") == 1
    assert naming in line
    assert items.all() == []


@pytest.mark.parametrize("target", ["another token", "nothing", "itself"])
def test_a_link_in_its_place_is_named_and_left(
    seed: Seed, environment: Environment, keyring: Items, tmp_path: Path, target: str
) -> None:
    file = cache(environment)
    file.parent.mkdir(parents=True)
    if target == "another token":
        write(tmp_path / "shared", ROTATED)
    file.symlink_to(file if target == "itself" else tmp_path / "shared")
    before = snapshot(tmp_path / "home")
    for more in ([], ["--force"], ["--dry-run"]):
        is_refused(seed(*more), naming=f"{file} is a symbolic link", items=keyring)
    assert snapshot(tmp_path / "home") == before
    assert (tmp_path / "shared").exists() == (target == "another token")


def test_a_link_to_the_token_itself_is_fine(seed: Seed, environment: Environment, source: Path) -> None:
    file = cache(environment)
    file.parent.mkdir(parents=True)
    file.symlink_to(source)
    before = snapshot(file.parent, source)
    result = seed("--no-keyring", "--force")
    assert (result.stdout.decode(), result.stderr) == (f"token file: unchanged, {file}\n", b"")
    assert result.code == 0
    assert snapshot(file.parent, source) == before


def test_a_link_above_it_is_no_hindrance(seed: Seed, environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "big disk").mkdir()
    Path(environment["HOME"], ".cache").symlink_to(tmp_path / "big disk")
    assert seed().code == 0
    assert (tmp_path / "big disk/huggingface/token").read_text() == TOKEN


@pytest.mark.parametrize("kind", ["directory", "FIFO"])
def test_what_is_no_file_in_its_place_is_named_and_left(
    seed: Seed, environment: Environment, keyring: Items, tmp_path: Path, kind: str
) -> None:
    file = cache(environment)
    file.parent.mkdir(parents=True)
    file.mkdir() if kind == "directory" else os.mkfifo(file)
    before = snapshot(tmp_path / "home")
    is_refused(seed(), naming=f"{file} is not a regular file", items=keyring)
    is_refused(seed("--dry-run"), naming=f"{file} is not a regular file", items=keyring)
    assert snapshot(tmp_path / "home") == before


@pytest.mark.parametrize("place", [".cache", ".cache/huggingface"])
def test_a_file_in_the_place_of_its_folder(
    seed: Seed, environment: Environment, keyring: Items, tmp_path: Path, place: str
) -> None:
    blocking = Path(environment["HOME"], place)
    blocking.parent.mkdir(exist_ok=True)
    write(blocking, "a file")
    before = snapshot(tmp_path / "home")
    is_refused(seed(), naming=f"{cache(environment)} cannot be written: ", items=keyring)
    assert snapshot(tmp_path / "home") == before


def test_a_name_with_a_line_end_is_told_in_one_line(seed: Seed, tmp_path: Path) -> None:
    told = seed("--no-keyring", HF_HOME=f"{tmp_path}/two\nlines\x1b").stdout.decode()
    assert told == f"token file: written, {tmp_path}/two\\nlines\\x1b/token\n"


def test_a_disk_that_fills_up_leaves_the_old_token(
    environment: Environment, source: Path, token_file: Path, keyring: Items
) -> None:
    before = snapshot(token_file)
    done = subprocess.run(
        ["prlimit", "--fsize=20", EXECUTABLE, "seed", "--from", str(source)],
        env=environment,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == b""
    assert done.stderr.decode() == (
        f"git-credential-hf: the token file {token_file} cannot be written: File too large; "
        "fix that, or run this with --no-cache\n"
    )
    assert snapshot(token_file) == before
    assert [path.name for path in token_file.parent.iterdir()] == ["token"]
    assert keyring.all() == []


@AS_ROOT
def test_a_folder_that_one_may_not_write_to(
    machine_folder: Path, environment: Environment, as_user: AsUser, keyring: Items
) -> None:
    write(machine_folder / "source", TOKEN)
    os.chown(machine_folder / "source", 1000, 1000)
    (machine_folder / "home/.cache").mkdir(parents=True)
    shutil.chown(machine_folder / "home", 1000)
    before = snapshot(machine_folder)
    result = as_user(1000, "seed", "--from", f"{machine_folder}/source", HOME=f"{machine_folder}/home")
    is_refused(result, naming="cannot be written: Permission denied", items=keyring)
    assert snapshot(machine_folder) == before


@AS_ROOT
def test_a_home_of_nobodys_that_cannot_be_written_has_a_remedy_that_works_as_printed(
    machine_folder: Path, as_user: AsUser
) -> None:
    uid = 4242  # which nobody has, as with `docker run --user`
    (machine_folder / "tmp").mkdir()
    (machine_folder / "tmp").chmod(0o1777)
    given = {"HOME": str(machine_folder), "TMPDIR": f"{machine_folder}/tmp", "XDG_RUNTIME_DIR": UNSET, "TK": TOKEN}
    result = as_user(uid, "seed", "--from", "env:TK", "--scope", "my-org", **given)
    assert b"stored nowhere" in result.stderr  # which the token file is not for
    result = as_user(uid, "seed", "--from", "env:TK", **given)
    assert (result.stdout, result.code) == (b"", 1)
    file = machine_folder / f"tmp/git-credential-hf-{uid}/huggingface/token"
    remedy = f"export HF_TOKEN_PATH={file}; git-credential-hf seed --from env:TK"
    assert result.stderr.decode() == (
        f"git-credential-hf: the token file {machine_folder}/.cache/huggingface/token cannot be written: "
        "Permission denied; fix that, or store the token in another file, which HF_TOKEN_PATH must name for git too. "
        f"Try: {remedy}\n"
    )
    _, arguments = remedy.split(" git-credential-hf ")
    given["HF_TOKEN_PATH"] = str(file)
    result = as_user(uid, *arguments.split(), **given)
    assert (result.stderr, result.code) == (b"", 0)
    assert file.read_text() == TOKEN
    assert as_user(uid, "get", input=REQUEST, **given).stdout.endswith(f"password={TOKEN}\n".encode())


@pytest.mark.parametrize("damage", ["a folder", "a link"])
def test_a_token_that_no_keyring_takes_has_no_remedy_that_loses_it(
    run: Run, own: GnomeKeyring, environment: Environment, source: Path, damage: str
) -> None:
    file = cache(environment)
    if damage == "a folder":
        write(Path(environment["HOME"], ".cache"), "a file")
    else:
        file.parent.mkdir(parents=True)
        file.symlink_to("nowhere")
    remedy = "fix that" if damage == "a folder" else "remove it"

    def says(remedy: str, *arguments: str, **more: str) -> None:
        result = run("seed", "--from", str(source), *arguments, **more)
        assert (result.stdout, result.code, result.stderr.count(b"\n")) == (b"", 1, 1)
        assert result.stderr.decode().endswith(f": {remedy}\n" if damage == "a link" else f"; {remedy}\n")

    says(f"{remedy}, or run this with --no-cache")
    says(remedy, "--no-keyring")
    says(remedy, DBUS_SESSION_BUS_ADDRESS="disabled:")
    own.restart(locked=True)
    says(remedy)
    says(remedy, "--unlock", "never")


@AS_ROOT
def test_a_folder_that_one_may_write_to_and_not_read(machine_folder: Path, as_user: AsUser) -> None:
    write(machine_folder / "source", TOKEN)
    (machine_folder / "home/hf").mkdir(parents=True)
    for path in machine_folder.rglob("*"):
        os.chown(path, 1000, 1000)
    (machine_folder / "home/hf").chmod(0o300)
    home = {"HOME": f"{machine_folder}/home", "HF_HOME": f"{machine_folder}/home/hf"}
    for said in ("written", "unchanged"):
        result = as_user(1000, "seed", "--no-keyring", "--from", f"{machine_folder}/source", **home)
        assert (result.stderr, result.code) == (b"", 0)
        assert result.stdout.decode().startswith(f"token file: {said}")
    assert (machine_folder / "home/hf/token").read_text() == TOKEN
    assert as_user(1000, "forget", "--yes", **home).code == 0


@AS_ROOT
@pytest.mark.parametrize("left_by_root", [False, True])
def test_the_home_of_another_user_is_refused(
    seed: Seed, environment: Environment, keyring: Items, tmp_path: Path, left_by_root: bool
) -> None:
    if left_by_root:
        cache(environment).parent.mkdir(parents=True)
    os.chown(environment["HOME"], 65534, -1)
    before = snapshot(tmp_path / "home")
    for more in ([], ["--force"], ["--dry-run"], ["--no-cache"], ["--no-keyring"]):
        is_refused(seed(*more), naming="run `runuser -u nobody -- git-credential-hf seed`", items=keyring)
    assert snapshot(tmp_path / "home") == before


# --- in between ------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(shutil.which("strace") is None, reason="NOT TESTED: strace is not installed")
def test_a_kill_at_any_system_call_leaves_the_old_token_or_the_new_one(
    environment: Environment, source: Path, token_file: Path, tmp_path: Path
) -> None:
    command = [EXECUTABLE, "seed", "--no-keyring", "--from", str(source)]
    log = tmp_path / "log"

    def strace(*more: str) -> int:
        write(token_file, ROTATED)
        done = subprocess.run(
            ["strace", "-qq", "-o", str(log), *more, *command], env=environment, capture_output=True, check=False
        )
        return done.returncode

    strace("-e", "signal=none")  # compiles what is not compiled yet, so that the runs after it are alike
    assert strace("-e", "signal=none") == 0
    calls = log.read_text().splitlines()
    names = [call.partition("(")[0] for call in calls]
    touching = [number for number, call in enumerate(calls) if str(token_file.parent) in call]
    assert touching
    seen = set()
    for number in range(touching[0], touching[-1] + 4):
        name = names[number]
        which = names[: number + 1].count(name)  # strace counts each system call by itself
        code = strace("-e", f"trace={name}", "-e", f"inject={name}:signal=KILL:when={which}")
        assert code == -9, f"{name} was not called {which} times"
        left = sorted(path.name for path in token_file.parent.iterdir())
        assert {mode(path) for path in token_file.parent.iterdir()} == {0o600}
        assert token_file.read_text() in (TOKEN, ROTATED)
        seen.add((token_file.read_text(), len(left)))
        assert run_call(tuple(command[1:]), b"", environment).code == 0
        assert [path.name for path in token_file.parent.iterdir()] == ["token"]
        assert token_file.read_text() == TOKEN
    # Before, while and after the new file is put in the place of the old one: the loop went through all of it.
    assert seen == {(ROTATED, 1), (ROTATED, 2), (TOKEN, 1)}


def test_many_at_once_leave_one_item_and_one_cache(environment: Environment, source: Path, keyring: Items) -> None:
    with ThreadPoolExecutor(20) as pool:
        results = list(pool.map(lambda _: run_process(("seed", "--from", str(source)), b"", environment), range(20)))
    assert [(result.stderr, result.code) for result in results] == [(b"", 0)] * 20
    assert keyring.secrets() == [TOKEN.encode()]
    assert cache(environment).read_text() == TOKEN
    assert [path.name for path in cache(environment).parent.iterdir()] == ["token"]
    said = [line for result in results for line in result.stdout.decode().splitlines()]
    assert sum(line.startswith("keyring: created") for line in said) == 1
    assert sum(line.startswith("token file: written") for line in said) == 1


def test_the_folder_of_a_home_that_is_not_there_is_the_nearest_above(tmp_path: Path) -> None:
    done = token_cache.TokenFile({b"HOME": bytes(tmp_path / "none/home")}).put(b"t", dry_run=True)
    assert done.line.startswith(f"token file: would be written, {tmp_path}/none/home/")
    assert not (tmp_path / "none").exists()
