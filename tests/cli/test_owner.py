"""Homes as nobody would want them: what is kept below them is found again, or a line says why it could not be."""

import json
import os
import pwd
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from git_credential_hf.cli.output import shown
from git_credential_hf.state import files
from tests.asking import explains
from tests.cli.conftest import ROTATED, TOKEN, UNSET, AsUser, Seed, snapshot, write
from tests.conftest import AS_ROOT, EXECUTABLE, Environment, Result, Run, user_namespaces_needed
from tests.installed import program_for_all

REQUEST = b"protocol=https\nhost=huggingface.co\n"
REJECTED = REQUEST + b"username=hf_user\npassword=%b\n" % TOKEN.encode()
ANSWER = b"username=hf_user\npassword=%b\n" % TOKEN.encode()


def has_program_for_all(container: Path) -> None:
    """Put a program on the container's PATH that every user can start."""
    program = container.parent / "bin/git-credential-hf"
    program.unlink()
    program.symlink_to(program_for_all(container.parent))


def is_told(result: Result, source: str = "HF_TOKEN", remedy: str = "unset HF_TOKEN") -> bool:
    """Return whether erase has found that TOKEN is from `source`, and has said so."""
    return explains(result, "hf_****mNoP", source, remedy)


HUB = "https://huggingface.co/"
SEED = "git-credential-hf login"  # what brings another token


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
    # huggingface_hub takes what begins with a dollar for a variable, and so does seed
    token_file = str(home / ".cache/huggingface/token").replace("$HOME", str(home))
    assert Path(token_file).read_text() == TOKEN
    assert run("get", input=REQUEST).stdout == ANSWER
    assert is_told(run("erase", input=REJECTED), shown(token_file), SEED)
    assert [path.name for path in (home / ".local/state/git-credential-hf").iterdir()] == ["rejected"]
    refused = run("get", input=REQUEST)
    assert refused.stdout == b"quit=1\n"
    assert is_told(Result(b"", refused.stderr, refused.code), shown(token_file), SEED)


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
    assert is_told(run("erase", input=REJECTED))
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
    machine_folder: Path, environment: Environment, as_user: AsUser, mode: int
) -> None:
    home = machine_folder / "home"
    run_time = machine_folder / "run"
    for folder in (home, run_time):
        folder.mkdir(mode=0o700)
        shutil.chown(folder, 1000, 1000)
    write(machine_folder / "source", TOKEN)
    os.chown(machine_folder / "source", 1000, 1000)
    home.chmod(mode)
    more = {"HOME": str(home), "XDG_RUNTIME_DIR": str(run_time), "TMPDIR": str(run_time)}
    before = snapshot(home)
    seeded = as_user(1000, "seed", "--no-keyring", "--from", f"{machine_folder}/source", **more)
    if mode & 0o300 == 0o300:  # one need not be able to list it
        assert (seeded.stderr, seeded.code) == (b"", 0)
        assert (home / ".cache/huggingface/token").read_text() == TOKEN
        return
    assert (seeded.stdout, seeded.code) == (b"", 1)
    assert b"cannot be written: Permission denied" in seeded.stderr
    more["HF_TOKEN"] = TOKEN
    erased = as_user(1000, "erase", input=REJECTED, **more)
    assert is_told(erased)
    assert as_user(1000, "get", input=REQUEST, **more).stdout == b"quit=1\n"
    assert [path.name for path in (run_time / "git-credential-hf").iterdir()] == ["rejected"]
    assert snapshot(home) == before


# --- whose home ------------------------------------------------------------------------------------------------------

SOMEBODY = 65534  # nobody, whom every machine knows
UNKNOWN = 54_321  # who is in no password file
RANDOM = 1_000_660_000  # as OpenShift gives


@pytest.fixture(autouse=True)
def _unknown_users_are_unknown() -> None:
    assert pwd.getpwuid(SOMEBODY).pw_name == "nobody"
    for user in (UNKNOWN, RANDOM):
        with pytest.raises(KeyError):
            pwd.getpwuid(user)


@pytest.fixture
def container(machine_folder: Path, environment: Environment) -> Iterator[Path]:
    """A home that everybody can reach, with a run-time folder, a token that everybody can read, and nothing else."""
    home = machine_folder / "home"
    for folder in (home, machine_folder / "tmp"):
        folder.mkdir()
    (machine_folder / "tmp").chmod(0o1777)
    write(machine_folder / "source", TOKEN, 0o644)
    environment |= {"HOME": str(home), "TMPDIR": f"{machine_folder}/tmp", "SOURCE": TOKEN}
    environment |= {"PATH": f"{machine_folder}/bin:{environment['PATH']}"}
    del environment["XDG_RUNTIME_DIR"]
    program = machine_folder / "bin/git-credential-hf"
    program.parent.mkdir()
    write(program, "#!/bin/sh\n", 0o755)
    (program.parent / "sudo").symlink_to("/bin/true")
    yield home


def failed(result: Result) -> str:
    assert (result.stdout, result.code) == (b"", 1)
    assert result.stderr.count(b"\n") == 1
    return result.stderr.decode()


def is_all_right(result: Result) -> bool:
    assert (result.stderr, result.code) == (b"", 0)
    return True


def owners(folder: Path) -> set[int]:
    return {path.lstat().st_uid for path in folder.rglob("*")}


@AS_ROOT
@pytest.mark.parametrize(
    ("uid", "gid", "owner", "mode"),
    [
        (0, 0, UNKNOWN, 0o755),  # a job of GitHub Actions in a container: HOME is the runner's
        (RANDOM, 0, UNKNOWN, 0o775),  # OpenShift
        (RANDOM, 0, SOMEBODY, 0o775),  # OpenShift, where the image has a name for the owner
        (RANDOM, 0, 0, 0o775),
        (UNKNOWN, UNKNOWN, UNKNOWN, 0o700),  # docker run --user
    ],
)
def test_a_home_as_containers_have_it_is_ones_own(
    as_user: AsUser, container: Path, uid: int, gid: int, owner: int, mode: int
) -> None:
    os.chown(container, owner, 0)
    container.chmod(mode)
    assert is_all_right(as_user(uid, "seed", "--no-keyring", "--from", "env:SOURCE", gid=gid))
    token_file = container / ".cache/huggingface/token"
    assert (token_file.read_text(), token_file.stat().st_mode & 0o777) == (TOKEN, 0o600)
    assert as_user(uid, "get", input=REQUEST, gid=gid).stdout == ANSWER
    assert is_told(as_user(uid, "erase", input=REJECTED, gid=gid), str(token_file), SEED)
    assert as_user(uid, "get", input=REQUEST, gid=gid).stdout == b"quit=1\n"
    assert is_all_right(as_user(uid, "configure", gid=gid))
    assert "git-credential-hf" in (container / ".gitconfig").read_text()
    assert is_all_right(as_user(uid, "unconfigure", gid=gid))
    assert as_user(uid, "forget", "--yes", gid=gid).code == 0
    assert owners(container) == {uid}


@AS_ROOT
def test_what_is_in_a_home_that_is_ones_own_is_ones_own(as_user: AsUser, container: Path) -> None:
    """tokens.toml, the source and ~/.gitconfig are the runner's, as is a folder of its own for Hugging Face."""
    declaration = container / ".config/git-credential-hf/tokens.toml"
    declaration.parent.mkdir(parents=True)
    write(declaration, '[tokens.a]\nfile = "~/source"\ncache = true\n')
    write(container / "source", TOKEN)
    write(container / ".gitconfig", "[user]\n\tname = Alice\n", 0o640)
    elsewhere = container.parent / "hf"
    elsewhere.mkdir()
    for path in (container, *container.rglob("*"), elsewhere):
        os.chown(path, UNKNOWN, UNKNOWN)
    assert is_all_right(as_user(0, "seed", "--no-keyring", HF_HOME=str(elsewhere)))
    assert (elsewhere / "token").read_text() == TOKEN
    assert is_all_right(as_user(0, "configure"))
    status = (container / ".gitconfig").stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o777) == (UNKNOWN, UNKNOWN, 0o640)


@AS_ROOT
@pytest.mark.parametrize("command", [("seed", "--from", "env:SOURCE"), ("forget", "--yes"), ("configure",)])
def test_the_home_of_somebody_known_is_refused(as_user: AsUser, container: Path, command: tuple[str, ...]) -> None:
    os.chown(container, SOMEBODY, SOMEBODY)
    container.chmod(0o775)
    name = command[0]
    assert f"run `runuser -u nobody -- git-credential-hf {name}` with" in failed(as_user(0, *command))
    assert [*container.iterdir()] == []


@AS_ROOT
def test_root_is_told_what_the_owner_of_the_home_is_to_run(
    as_user: AsUser, environment: Environment, container: Path
) -> None:
    """As `sudo -E` leaves it."""
    url = f"https://alice:{ROTATED}@huggingface.co/"
    write(container / ".gitconfig", f'[credential]\n\thelper = nowhere\n[url "{url}"]\n\tinsteadOf = {HUB}\n')
    for path in (container, container / ".gitconfig"):
        os.chown(path, SOMEBODY, SOMEBODY)
    has_program_for_all(container)
    commands = {
        "token-in-git-config": "sh -c 'git config",
        "other-helper-gone": "git config",
        "lfs-not-initialised": "git lfs",
        "helper-not-configured": "git-credential-hf configure",
        "no-token": "git-credential-hf login",
    }
    for code, command in commands.items():
        more = " --offline --with-token --no-keyring" if code == "no-token" else ""
        known = json.loads(as_user(0, "status", "--json").stdout)
        remedy = next(one["remedy"] for one in known["findings"] if one["code"] == code) + more
        assert remedy.startswith(f"runuser -u nobody -- {command}")
        # runuser takes the home from the password file, which has another one for nobody.
        remedy = remedy.replace(" -- ", f" -- env HOME={container} ", 1)
        subprocess.run(["sh", "-c", remedy], env=environment, input=TOKEN.encode(), capture_output=True, check=True)
    assert as_user(0, "get", input=REQUEST).stdout == ANSWER
    assert json.loads(as_user(0, "status", "--json").stdout)["token_given"]
    assert owners(container) == {SOMEBODY}


@AS_ROOT
def test_whoever_is_not_root_is_told_to_name_a_home(as_user: AsUser, container: Path) -> None:
    os.chown(container, SOMEBODY, SOMEBODY)
    container.chmod(0o777)
    line = failed(as_user(UNKNOWN, "seed", "--from", "env:SOURCE"))
    assert f"{container} belongs to the user nobody, and you are another one: run `HOME=FOLDER git-cr" in line
    assert [*container.iterdir()] == []


@AS_ROOT
@pytest.mark.parametrize("home", [UNSET, ""])
def test_without_a_home_nothing_is_written_where_one_happens_to_be(
    as_user: AsUser, container: Path, monkeypatch: pytest.MonkeyPatch, home: str
) -> None:
    container.chmod(0o777)
    monkeypatch.chdir(container)
    for command in (("seed", "--from", "env:SOURCE"), ("seed", "--no-keyring"), ("forget", "--yes")):
        line = failed(as_user(UNKNOWN, *command, HOME=home))
        assert f"HOME is not set, and the user {UNKNOWN} is not known here. Run `export HOME=FOLDER`" in line
    assert [*container.iterdir()] == []
    # Nor is anything taken from there: git runs us in a repository, which may have a folder of that name.
    (container / "~/.cache/huggingface").mkdir(parents=True)
    write(container / "~/.cache/huggingface/token", ROTATED, 0o644)
    assert as_user(UNKNOWN, "get", input=REQUEST, HOME=home) == Result(b"", b"", 0)


@AS_ROOT
@pytest.mark.parametrize("home", ["", "not writable", "with a read-only file", "on a read-only file"])
def test_where_git_has_no_configuration_that_can_be_written_it_gets_one_elsewhere(
    as_user: AsUser, environment: Environment, container: Path, home: str
) -> None:
    """As `docker run --user` has it, with / as the home."""
    has_program_for_all(container)
    if home == "with a read-only file":
        os.chown(container, UNKNOWN, UNKNOWN)
    if home.endswith("file"):
        write(container / ".gitconfig", "[user]\n\tname = Alice\n", 0o444)
        os.chown(container / ".gitconfig", UNKNOWN, UNKNOWN)
    environment |= {"HF_TOKEN": TOKEN, "HOME": str(container) if home else ""}
    known = json.loads(as_user(UNKNOWN, "status", "--json").stdout)
    (finding,) = [one for one in known["findings"] if one["code"] == "helper-not-configured"]
    remedy = f"{finding['remedy']} >&2 && git config user.name; git-credential-hf status --json"
    done = subprocess.run(
        ["sh", "-c", remedy], env=environment, user=UNKNOWN, group=UNKNOWN, cwd="/", capture_output=True, check=False
    )
    name, _, after = done.stdout.decode().partition("{")
    assert (name, json.loads("{" + after)["token_given"]) == ("Alice\n" if home.endswith("file") else "", True)


def configures(as_user: AsUser) -> str:
    """Return the remedy for a git that does not ask the helper."""
    known = json.loads(as_user(UNKNOWN, "status", "--json").stdout)
    return str(next(one["remedy"] for one in known["findings"] if one["code"] == "helper-not-configured"))


@AS_ROOT
@pytest.mark.parametrize("more", [{}, {"GIT_CONFIG_GLOBAL": "/dev/null"}])
def test_what_git_reads_of_a_home_that_cannot_be_written_is_included(
    as_user: AsUser, environment: Environment, container: Path, more: Environment
) -> None:
    has_program_for_all(container)
    (container / ".config/git").mkdir(parents=True)
    write(container / ".config/git/config", "[user]\n\tname = Alice\n", 0o644)
    write(container / ".gitconfig", "[user]\n\temail = alice@example.org\n", 0o644)
    environment |= {"HF_TOKEN": TOKEN, "HOME": str(container), **more}
    asked = f"{configures(as_user)} >&2 && git config user.name && git config user.email"
    done = subprocess.run(
        ["sh", "-c", asked], env=environment, user=UNKNOWN, group=UNKNOWN, cwd="/", capture_output=True, check=False
    )
    assert (done.stdout, done.returncode) == (b"Alice\nalice@example.org\n", 0)


@AS_ROOT
def test_a_folder_that_another_user_has_made_in_the_meantime_gives_git_no_configuration(
    as_user: AsUser, environment: Environment, container: Path
) -> None:
    environment |= {"HF_TOKEN": TOKEN, "HOME": str(container)}
    remedy = configures(as_user)
    folder = Path(remedy.partition("mkdir -m 700 ")[2].partition(" ")[0])
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    done = subprocess.run(
        ["sh", "-c", remedy], env=environment, user=UNKNOWN, group=UNKNOWN, cwd="/", capture_output=True, check=False
    )
    assert done.returncode == 1
    assert [*folder.iterdir()] == []


@AS_ROOT
def test_an_editor_makes_no_file_of_root_in_the_home_of_another_user(as_user: AsUser, container: Path) -> None:
    declaration = container / ".config/git-credential-hf/tokens.toml"
    declaration.parent.mkdir(parents=True)
    write(declaration, f'[tokens.a]\nfile = "{container}/secret"\n')
    os.chown(container, SOMEBODY, SOMEBODY)
    known = json.loads(as_user(0, "status", "--json").stdout)
    (remedy,) = [one["remedy"] for one in known["findings"] if one["code"] == "source-unreadable"]
    assert remedy.startswith("runuser -u nobody -- sh -c '(umask 077; ${EDITOR:-vi} ")


@AS_ROOT
def test_root_is_not_told_to_move_away_what_the_owner_of_the_home_has_declared(
    as_user: AsUser, container: Path
) -> None:
    declaration = container / ".config/git-credential-hf/tokens.toml"
    declaration.parent.mkdir(parents=True)
    write(declaration, '[tokens.a]\nenv = "MINE"\n')
    for path in (container, *container.rglob("*")):
        os.chown(path, SOMEBODY, SOMEBODY)
    known = json.loads(as_user(0, "status", "--json").stdout)
    (remedy,) = [one["remedy"] for one in known["findings"] if one["code"] == "declaration-broken"]
    assert remedy == "runuser -u nobody -- git-credential-hf status https://huggingface.co"


@AS_ROOT
@pytest.mark.parametrize("of", ["the secret", "the declaration"])
def test_what_is_declared_and_cannot_be_read_has_a_remedy_that_the_user_can_run(
    as_user: AsUser, container: Path, of: str
) -> None:
    declaration = container / ".config/git-credential-hf/tokens.toml"
    declaration.parent.mkdir(parents=True)
    write(container.parent / "secret", TOKEN)
    write(declaration, f'[tokens.a]\nfile = "{container.parent}/secret"\n', 0o000 if "decl" in of else 0o600)
    for path in (container, *container.rglob("*")):
        os.chown(path, UNKNOWN, UNKNOWN)
    known = json.loads(as_user(UNKNOWN, "status", "--json").stdout)
    remedies = {one["code"]: one["remedy"] for one in known["findings"]}
    if of == "the secret":
        assert remedies["source-unreadable"] == f"(umask 077; ${{EDITOR:-vi}} {declaration})"
    else:
        assert remedies["declaration-broken"] == f"chmod u+rw {declaration}"


# --- folders elsewhere -----------------------------------------------------------------------------------------------


@AS_ROOT
@pytest.mark.parametrize(
    ("uid", "owner", "group", "mode"),
    [
        (0, SOMEBODY, 0, 0o2775),
        (UNKNOWN, SOMEBODY, UNKNOWN, 0o2775),
        (UNKNOWN, RANDOM, UNKNOWN, 0o2775),
        (0, 1, 1, 0o755),
    ],
)
@pytest.mark.parametrize("variable", ["HF_HOME", "HF_TOKEN_PATH", "XDG_CACHE_HOME"])
def test_a_folder_that_somebody_shares_is_no_place_for_a_token(
    as_user: AsUser, container: Path, uid: int, owner: int, group: int, mode: int, variable: str
) -> None:
    os.chown(container, uid, uid)
    shared = container.parent / "shared"
    shared.mkdir()
    os.chown(shared, owner, group)
    shared.chmod(mode)
    place = {variable: f"{shared}/token" if variable == "HF_TOKEN_PATH" else str(shared)}
    seed = ("seed", "--no-keyring", "--from", "env:SOURCE")
    for more in ((), ("--force",), ("--dry-run",)):
        line = failed(as_user(uid, *seed, *more, **place))
        assert line.startswith(f"git-credential-hf: {shared} belongs to the user ")
        assert "set HF_TOKEN_PATH to a file in a folder of your own" in line
        assert "runuser" not in line
    assert [*shared.iterdir()] == []
    assert is_all_right(as_user(uid, *seed, **(place | {"HF_TOKEN_PATH": f"{container}/token"})))
    assert (container / "token").read_text() == TOKEN


@AS_ROOT
def test_the_token_of_somebody_else_in_a_folder_of_roots_is_left(as_user: AsUser, container: Path) -> None:
    os.chown(container, UNKNOWN, UNKNOWN)
    shared = container.parent / "shared"
    shared.mkdir()
    os.chown(shared, 0, UNKNOWN)
    shared.chmod(0o2775)
    write(shared / "token", ROTATED)
    os.chown(shared / "token", SOMEBODY, -1)
    line = failed(as_user(UNKNOWN, "seed", "--no-keyring", "--from", "env:SOURCE", HF_HOME=str(shared)))
    assert f"{shared}/token belongs to the user nobody" in line
    assert "set HF_TOKEN_PATH" in line
    assert (shared / "token").read_text() == ROTATED


@pytest.fixture(autouse=True)
def nothing_is_left_in_the_last_places() -> Iterator[None]:
    """A home that cannot be used leads to folders that all tests of this user share."""
    yield
    for place in ("/dev/shm", "/var/tmp"):
        shutil.rmtree(f"{place}/git-credential-hf-{os.geteuid()}", ignore_errors=True)


@AS_ROOT
@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("variable", ["XDG_STATE_HOME", "XDG_RUNTIME_DIR"])
def test_root_leaves_nothing_in_the_home_that_a_variable_of_a_users_names(
    seed: Seed, run: Run, environment: Environment, tmp_path: Path, variable: str, there: bool
) -> None:
    """As `sudo --preserve-env` leaves it, with root's own HOME."""
    theirs = tmp_path / "theirs"
    (theirs / "below" if there else theirs).mkdir(parents=True)
    for folder in (theirs, *theirs.iterdir()):
        os.chown(folder, SOMEBODY, SOMEBODY)
    before = snapshot(theirs)
    environment |= {"HF_TOKEN": TOKEN, variable: f"{theirs}/below"}
    if variable == "XDG_RUNTIME_DIR":  # the next place after the state folder
        (tmp_path / "home/.local").touch()
    assert is_all_right(seed("--no-keyring"))
    assert is_told(run("erase", input=REJECTED))
    assert run("get", input=REQUEST).stdout == b"quit=1\n"
    assert is_all_right(seed("--no-keyring"))
    assert run("get", input=REQUEST).stdout == ANSWER
    assert snapshot(theirs) == before


@AS_ROOT
def test_root_reads_no_declaration_of_a_users(run: Run, environment: Environment, tmp_path: Path) -> None:
    declaration = tmp_path / "theirs/git-credential-hf/tokens.toml"
    declaration.parent.mkdir(parents=True)
    write(declaration, f"[tokens.a]\ncommand = ['touch', '{tmp_path}/ran']\n")
    os.chown(declaration, SOMEBODY, SOMEBODY)
    assert f"{declaration} belongs to another user" in failed(run("seed", XDG_CONFIG_HOME=f"{tmp_path}/theirs"))
    assert not (tmp_path / "ran").exists()


# --- what a user namespace hides -------------------------------------------------------------------------------------

MALLORY = 1  # daemon, whom every machine knows

Confined = Callable[..., Result]


@pytest.fixture
def confined(container: Path, environment: Environment) -> Confined:
    """Run git-credential-hf as the user UNKNOWN in a user namespace, where every user that it does not map is 65534.

    So does a unit with PrivateUsers=yes, which maps its user alone. `container` is that user's home.
    """
    user_namespaces_needed(UNKNOWN)
    shutil.rmtree(container.parent / "bin")
    program = program_for_all(container.parent)
    os.chown(container, UNKNOWN, UNKNOWN)
    container.chmod(0o755)

    def run(*arguments: str, uid: int = UNKNOWN, groups: str = "", mapped: str = "--map-current-user") -> Result:
        user = ["setpriv", f"--reuid={uid}", f"--regid={uid}", f"--groups={groups}" if groups else "--clear-groups"]
        namespace = ["unshare", "--user", *mapped.split(), "--"]
        command = [*user, *namespace, program, *arguments]
        done = subprocess.run(command, env=environment, cwd="/", capture_output=True, timeout=60, check=False)
        assert TOKEN.encode() not in done.stdout + done.stderr
        return Result(done.stdout, done.stderr, done.returncode)

    return run


@pytest.fixture
def declaration(container: Path) -> Path:
    """Where tokens.toml is, in a folder of UNKNOWN's."""
    file = container / ".config/git-credential-hf/tokens.toml"
    file.parent.mkdir(parents=True)
    for folder in (file.parent, file.parent.parent):
        os.chown(folder, UNKNOWN, UNKNOWN)
        folder.chmod(0o755)
    return file


@AS_ROOT
@pytest.mark.parametrize("group", [UNKNOWN, 23_456])
@pytest.mark.parametrize("mapped", ["--map-current-user", ""])
def test_what_is_roots_is_read_where_root_is_hidden(
    confined: Confined, container: Path, declaration: Path, group: int, mapped: str
) -> None:
    """tokens.toml in the Nix store, the secret as agenix and sops-nix decrypt it for a group."""
    store, secrets = container.parent / "store", container.parent / "secrets"
    store.mkdir()
    os.chown(store, 0, 30_000)
    store.chmod(0o1775)
    secrets.mkdir()
    secrets.chmod(0o751)
    write(secrets / "huggingface", TOKEN, 0o440)
    os.chown(secrets / "huggingface", 0, group)
    write(store / "tokens.toml", f'[tokens.a]\nfile = "{secrets}/huggingface"\ncache = true\n', 0o444)
    (store / "files").symlink_to("tokens.toml")
    declaration.symlink_to(store / "files")
    seeded = confined("seed", "--optional", "--no-keyring", "--strict", groups=str(group), mapped=mapped)
    token_file = container / ".cache/huggingface/token"
    assert seeded == Result(f"token file: written, {token_file}\n".encode(), b"", 0)
    assert (token_file.read_text(), token_file.stat().st_uid) == (TOKEN, UNKNOWN)


@AS_ROOT
def test_what_is_roots_is_read_behind_ones_own_folder_that_a_group_writes(
    confined: Confined, container: Path, declaration: Path
) -> None:
    """As a umask of 002 makes them."""
    write(container.parent / "tokens.toml", "[tokens.a]\nenv = 'HF_TOKEN'\ncache = true\n", 0o444)
    declaration.symlink_to(container.parent / "tokens.toml")
    os.chown(declaration, UNKNOWN, UNKNOWN, follow_symlinks=False)
    for folder in (declaration.parent, declaration.parent.parent):
        folder.chmod(0o775)
    seeded = confined("seed", "--optional", "--no-keyring")
    assert (seeded.stderr, seeded.code) == (b"", 0)


@AS_ROOT
@pytest.mark.parametrize(
    ("trick", "mapped"),
    [
        ("a file that a group writes", "--map-current-user"),
        ("a file that all write", "--map-current-user"),
        ("a folder that all write", "--map-current-user"),
        ("a folder that all write", ""),
        ("a folder that a group writes", "--map-current-user"),
        ("a folder above that all write", "--map-current-user"),
        ("a file in a folder as /tmp", "--map-current-user"),
        ("a folder in a folder as /tmp", "--map-current-user"),
        ("a link in a folder that all write", "--map-current-user"),
        ("a link in a folder that all write", ""),
    ],
)
def test_what_anybody_may_have_put_there_runs_nothing_where_its_owner_is_hidden(
    confined: Confined, container: Path, declaration: Path, trick: str, mapped: str
) -> None:
    """Mallory would have the user run a command of hers. She is shown as root is: what tells them apart is that she
    could write the file, or have put it where it is.
    """
    hers, shared = container.parent / "hers", container.parent / "shared"
    for folder in (hers, shared):
        folder.mkdir()
    program = f"[tokens.a]\ncommand = ['touch', '{container}/ran']\n"
    os.chown(hers, MALLORY, MALLORY)
    file, mode, folder_mode = shared / "tokens.toml", 0o644, 0o755
    match trick:
        case "a file that a group writes":
            mode = 0o664
        case "a file that all write":
            mode = 0o646
        case "a folder that all write":
            folder_mode = 0o777
        case "a folder that a group writes":
            folder_mode = 0o775
        case "a folder above that all write" | "a folder in a folder as /tmp":
            file = shared / "below/tokens.toml"
            file.parent.mkdir(mode=0o755)
            os.chown(file.parent, MALLORY, MALLORY)
            folder_mode = 0o777 if "above" in trick else 0o1777
        case "a file in a folder as /tmp":
            folder_mode = 0o1777
        case "a link in a folder that all write":
            (shared / "link").symlink_to(hers / "tokens.toml")
            os.chown(shared / "link", MALLORY, MALLORY, follow_symlinks=False)
            file, folder_mode = hers / "tokens.toml", 0o777
    write(file, program, mode)
    os.chown(file, MALLORY, MALLORY)
    shared.chmod(folder_mode)
    declaration.symlink_to(shared / "link" if "link" in trick else file)
    refused = failed(confined("seed", "--no-keyring", mapped=mapped))
    assert f"{declaration} belongs to another user, who could change it" in refused or "written by anybody" in refused
    assert not (container / "ran").exists()


@AS_ROOT
def test_a_secret_that_anybody_may_have_put_there_is_not_stored_where_its_owner_is_hidden(
    confined: Confined, container: Path
) -> None:
    place = container.parent / "tmp/token"
    write(place, TOKEN, 0o644)
    os.chown(place, MALLORY, MALLORY)
    refused = failed(confined("seed", "--no-keyring", "--from", str(place)))
    assert f"{place} belongs to another user, who could change it" in refused
    assert not (container / ".cache").exists()


@AS_ROOT
def test_where_root_is_known_nobody_who_is_hidden_is_root(
    confined: Confined, container: Path, declaration: Path
) -> None:
    write(declaration, f"[tokens.a]\ncommand = ['touch', '{container}/ran']\n", 0o644)
    for path in (container, *container.rglob("*")):
        os.chown(path, 0, 0)
    os.chown(declaration, MALLORY, MALLORY)
    refused = failed(confined("seed", "--no-keyring", uid=0, mapped="--map-root-user"))
    assert f"{declaration} belongs to another user, who could change it" in refused
    assert not (container / "ran").exists()


@AS_ROOT
@pytest.mark.parametrize("uid", [0, UNKNOWN])
@pytest.mark.parametrize("owner", [MALLORY, RANDOM])
def test_a_home_whose_owner_is_hidden_is_ones_own(confined: Confined, container: Path, uid: int, owner: int) -> None:
    """A rootless container with a home from outside."""
    os.chown(container, owner, owner)
    container.chmod(0o777)
    as_root = {"uid": uid, "mapped": "--map-root-user"}
    assert is_all_right(confined("seed", "--no-keyring", "--from", "env:SOURCE", **as_root))
    token_file = container / ".cache/huggingface/token"
    assert (token_file.read_text(), token_file.stat().st_mode & 0o777) == (TOKEN, 0o600)
    assert is_all_right(confined("configure", **as_root))
    assert "git-credential-hf" in (container / ".gitconfig").read_text()
    assert is_all_right(confined("unconfigure", **as_root))
    assert owners(container) == {uid}


@AS_ROOT
@pytest.mark.parametrize("mode", [0o755, 0o777])
def test_a_declaration_in_a_home_whose_owner_is_hidden_is_read_where_nobody_else_can_have_put_it(
    confined: Confined, container: Path, declaration: Path, mode: int
) -> None:
    write(declaration, '[tokens.a]\nenv = "SOURCE"\ncache = true\n')
    for path in (container, *container.rglob("*")):
        os.chown(path, UNKNOWN, UNKNOWN)
    declaration.chmod(0o644)
    container.chmod(mode)
    cache = container / ".cache"
    cache.mkdir()
    os.chown(cache, 0, 0)
    seeded = confined("seed", "--no-keyring", uid=0, mapped="--map-root-user")
    if mode == 0o777:
        assert f"{declaration} belongs to another user, who could change it" in failed(seeded)
        return
    assert is_all_right(seeded)
    assert (cache / "huggingface/token").read_text() == TOKEN


@AS_ROOT
def test_a_folder_that_somebody_hidden_shares_is_no_place_for_a_token(confined: Confined, container: Path) -> None:
    shared = container.parent / "shared"
    shared.mkdir()
    os.chown(shared, MALLORY, UNKNOWN)
    shared.chmod(0o2777)
    (container / ".cache").mkdir()
    (container / ".cache/huggingface").symlink_to(shared)
    line = failed(confined("seed", "--no-keyring", "--from", "env:SOURCE"))
    assert "set HF_TOKEN_PATH to a file in a folder of your own" in line
    assert [*shared.iterdir()] == []


# --- what root left ---------------------------------------------------------------------------------------------------


@AS_ROOT
@pytest.mark.parametrize("mode_of_folder", [0o700, 0o755, None])
@pytest.mark.parametrize("other", [False, True])
def test_a_token_file_that_may_not_be_read_is_named_with_its_owner(
    as_user: AsUser, container: Path, mode_of_folder: int | None, other: bool
) -> None:
    """As `sudo hf auth login` leaves it, or root in a container."""
    file = left_by_root(container, mode_of_folder, 0o600)
    owned = file if mode_of_folder != 0o700 else file.parent
    why = f"{file} cannot be read: Permission denied ({owned} belongs to the user root)"
    more = {"HF_TOKEN": ROTATED} if other else {}
    known = json.loads(as_user(1000, "status", "--json", **more).stdout)
    assert (known["token_file"]["state"], known["token_file"]["mode"]) == ("unreadable", None)
    assert [(one["state"], one["why"]) for one in known["sources"] if one["name"] == "file"] == [("unreadable", why)]
    code = "token-file-unusable" if other else "no-token"
    (finding,) = [one for one in known["findings"] if one["code"] == code]
    assert f"{why.replace(str(container), '~', 1)}" in finding["message"]
    listed = as_user(1000, "list").stdout.decode()
    assert listed.startswith("0 tokens stored; ") and listed.endswith(f"; token file: skipped, {why}\n")
    assert json.loads(as_user(1000, "list", "--json").stdout)["token_file_skipped"] == why.partition("read: ")[2]
    assert failed(as_user(1000, "forget", "--yes")) == (
        f"git-credential-hf: nothing was removed: the token file {why}. Try: git-credential-hf status\n"
    )
    pasted(finding["remedy"], 1000)
    assert file.stat().st_uid == 1000
    assert as_user(1000, "get", input=REQUEST).stdout == ANSWER


@AS_ROOT
def test_a_link_to_a_secret_of_roots_is_replaced_and_the_secret_left(as_user: AsUser, container: Path) -> None:
    file = left_by_root(container, None, 0o600)
    secrets = container.parent / "secrets"
    secrets.mkdir(0o700)
    file.rename(secrets / "token")
    file.symlink_to(secrets / "token")
    known = json.loads(as_user(1000, "status", "--json").stdout)
    (finding,) = [one for one in known["findings"] if one["code"] == "no-token"]
    assert f"cannot be read: Permission denied ({secrets} belongs to the user root): get one from" in finding["message"]
    assert finding["remedy"] == f"mv {file} {file}.old && git-credential-hf login"


@AS_ROOT
@pytest.mark.parametrize("other", [False, True])
def test_a_token_file_on_a_drive_of_roots_is_not_to_be_given_to_its_user(
    as_user: AsUser, container: Path, monkeypatch: pytest.MonkeyPatch, other: bool
) -> None:
    """FAT has no owners. What /proc says of it is made up, as no such drive can be had."""
    monkeypatch.setattr(files, "has_modes", lambda place: b"/.cache" not in place)
    left_by_root(container, 0o700, 0o600)
    more = {"HF_TOKEN": ROTATED} if other else {}
    known = json.loads(as_user(1000, "status", "--json", **more).stdout)
    code = "token-file-unusable" if other else "no-token"
    (finding,) = [one for one in known["findings"] if one["code"] == code]
    elsewhere = f"export HF_TOKEN_PATH={container}/.local/state/git-credential-hf/huggingface/token"
    assert finding["remedy"] == (elsewhere if other else f"{elsewhere}; git-credential-hf login")


@AS_ROOT
@pytest.mark.parametrize("where", ["HF_TOKEN_PATH", "HF_HOME"])
def test_a_secret_that_a_cluster_mounts_makes_way_though_its_folder_cannot_be_written(
    as_user: AsUser, container: Path, where: str
) -> None:
    """As Kubernetes has it: a link to ..data, and that is a link, too."""
    os.chown(container, 1000, 1000)
    secret = container.parent / "secret"
    (secret / "..2026").mkdir(parents=True)
    write(secret / "..2026/token", TOKEN, 0o444)
    (secret / "..data").symlink_to("..2026")
    (secret / "token").symlink_to("..data/token")
    more = {where: str(secret / "token" if where == "HF_TOKEN_PATH" else secret)}
    assert is_told(as_user(1000, "erase", input=REJECTED, **more), f"{secret}/token", "git-credential-hf status")
    known = json.loads(as_user(1000, "status", "--json", **more).stdout)
    (finding,) = [one for one in known["findings"] if one["code"] == "token-rejected"]
    other = f"{container}/.local/state/git-credential-hf/huggingface/token"
    first = "unset HF_TOKEN_PATH" if where == "HF_TOKEN_PATH" else f"export HF_TOKEN_PATH={other}"
    assert finding["remedy"] == f"{first} && git-credential-hf login"
    forgotten = as_user(1000, "forget", "--yes", **more).stdout.decode()
    left = "unset HF_TOKEN_PATH" if where == "HF_TOKEN_PATH" else f"rm {secret}/token"
    assert forgotten.endswith(f"it is a symbolic link, token hf_****mNoP, {secret}/token. Try: {left}\n")
    write(container / "new", ROTATED)
    os.chown(container / "new", 1000, 1000)
    line = failed(as_user(1000, "seed", "--no-keyring", "--from", f"{container}/new", **more))
    assert line.endswith(
        f"Try: export HF_TOKEN_PATH={other}; git-credential-hf seed --from {container}/new --no-keyring\n"
    )


@pytest.mark.parametrize("place", ["/dev/null", "/dev/stdin", "/", "{home}", "{home}/fifo"])
@pytest.mark.parametrize("other", [False, True])
def test_what_hf_token_path_names_is_never_moved_away(
    run: Run, environment: Environment, place: str, other: bool
) -> None:
    """/dev/null has people without a token file; a home or a cache is a mistake."""
    home = environment["HOME"]
    os.mkfifo(f"{home}/fifo")
    environment["HF_TOKEN_PATH"] = place.format(home=home)
    environment |= {"HF_TOKEN": TOKEN} if other else {}
    known = json.loads(run("status", "--json").stdout)
    remedies = {one["code"]: one["remedy"] for one in known["findings"]}
    assert not any("mv " in remedy for remedy in remedies.values())
    if other:
        assert remedies["token-file-unusable"] == "unset HF_TOKEN_PATH"
    else:
        assert remedies["no-token"] == "unset HF_TOKEN_PATH && git-credential-hf login"
    line = failed(run("seed", "--no-keyring", "--from", "-", input=TOKEN.encode()))
    assert line.endswith(": run `unset HF_TOKEN_PATH`, and this again\n")


@AS_ROOT
@pytest.mark.parametrize("program", ["sudo", "su"])
def test_a_setting_that_only_root_can_change_is_changed_by_the_program_that_is_there(
    as_user: AsUser, container: Path, program: str
) -> None:
    os.chown(container, 1000, 1000)
    of_root = container.parent / "gitconfig"
    url = f"https://alice:{ROTATED}@huggingface.co/"
    write(of_root, f'[credential]\n\thelper = nowhere\n[url "{url}"]\n\tinsteadOf = https://huggingface.co/\n', 0o644)
    write(container / ".gitconfig", f"[include]\n\tpath = {of_root}\n", 0o644)
    tools = container.parent / "bin"
    (tools / "sudo").unlink()
    write(tools / program, {"sudo": '#!/bin/sh\nexec "$@"\n', "su": '#!/bin/sh\nexec sh -c "$3"\n'}[program], 0o755)
    for name in ("git", "sh", "xargs"):
        (tools / name).symlink_to(shutil.which(name) or "/missing")
    begins = {"token-in-git-config": "sudo sh -c 'git config --file ", "other-helper-gone": "sudo git config --file "}
    for code, begin in begins.items():
        known = json.loads(as_user(1000, "status", "--json", PATH=str(tools)).stdout)
        remedy = next(one["remedy"] for one in known["findings"] if one["code"] == code)
        assert remedy.startswith(begin if program == "sudo" else "su -l -c 'git config --file ")
        subprocess.run(["sh", "-c", remedy], env={"PATH": str(tools)}, check=True)
    assert "nowhere" not in of_root.read_text()
    assert ROTATED not in of_root.read_text()


@AS_ROOT
def test_a_token_file_of_roots_that_others_can_read_is_made_ones_own(as_user: AsUser, container: Path) -> None:
    file = left_by_root(container, None, 0o644)
    known = json.loads(as_user(1000, "status", "--json").stdout)
    (finding,) = [one for one in known["findings"] if one["code"] == "token-file-mode"]
    pasted(finding["remedy"], 1000)
    assert (file.stat().st_uid, file.stat().st_mode & 0o777) == (1000, 0o600)


def test_a_token_file_that_is_a_folder_is_called_one(run: Run, environment: Environment) -> None:
    file = Path(environment["HOME"], ".cache/huggingface/token")
    file.mkdir(parents=True)
    environment["PATH"] = f"{Path(EXECUTABLE).parent}:{environment['PATH']}"
    assert run("configure").code == 0
    known = json.loads(run("status", "--json").stdout)
    assert [one["why"] for one in known["sources"] if one["name"] == "file"] == [f"{file} is a folder"]
    (finding,) = [one for one in known["findings"] if one["code"] == "no-token"]
    assert ", and ~/.cache/huggingface/token is a folder: get one from" in finding["message"]
    remedy = finding["remedy"].replace("-hf login", "-hf login --offline --with-token")
    subprocess.run(["sh", "-c", remedy], env=environment, input=TOKEN.encode(), capture_output=True, check=True)
    assert run("get", input=REQUEST).stdout == ANSWER


def left_by_root(home: Path, mode_of_folder: int | None, mode: int) -> Path:
    """Make a token file of root's in the home of the user 1000, in a folder of that user's if this has no mode."""
    file = home / ".cache/huggingface/token"
    file.parent.mkdir(parents=True)
    write(file, TOKEN, mode)
    for folder in (home, file.parent.parent, *([file.parent] if mode_of_folder is None else [])):
        os.chown(folder, 1000, 1000)
    file.parent.chmod(0o755 if mode_of_folder is None else mode_of_folder)
    return file


def pasted(remedy: str, uid: int) -> None:
    """Run a remedy as that user would, but for `sudo`, which is root here."""
    for command in remedy.split(" && "):
        user = 0 if command.startswith("sudo ") else uid
        subprocess.run(["sh", "-c", command.removeprefix("sudo ")], user=user, check=True, capture_output=True)
