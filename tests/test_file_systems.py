"""File systems without locks, modes or the fsync of a folder, full ones, read-only ones, mounts in odd places.

Mounts are real, in a mount namespace of the test's own: a full tmpfs, bind mounts, a read-only root, an overlay, and
SSHFS. What the kernel here has no file system for is a library that is preloaded (faults.c): flock that is not there
(Lustre, NFS without lockd) or reaches this machine alone, no modes (FAT, SMB, Windows' drives in WSL), no fsync of a
folder, no O_NOFOLLOW, a quota.
"""

import errno
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.asking import explains
from tests.cli.conftest import ROTATED, TOKEN, snapshot, write
from tests.conftest import AS_ROOT, EXECUTABLE, Environment, Result, run_process
from tests.keyring_items import Items

REQUEST = b"protocol=https\nhost=huggingface.co\n"
REJECTED = REQUEST + b"username=hf_user\npassword=%b\n" % TOKEN.encode()
ANSWER = b"username=hf_user\npassword=%b\n" % TOKEN.encode()
REASONS = {number: os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT, errno.EROFS)}


def needed(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"NOT TESTED: {program} is not installed")


@pytest.fixture
def cache(environment: Environment) -> Path:
    """The token file; its folder is there."""
    file = Path(environment["HOME"], ".cache/huggingface/token")
    file.parent.mkdir(parents=True, mode=0o700)
    return file


@pytest.fixture
def sources(tmp_path: Path) -> dict[str, str]:
    """A file outside of the home for each token."""
    files = {}
    for token in (TOKEN, ROTATED):
        write(tmp_path / f"source.{token}", token)
        files[token] = str(tmp_path / f"source.{token}")
    return files


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def seed(environment: Environment, source: str, *more: str) -> Result:
    return run_process(("seed", "--no-keyring", "--from", source, *more), b"", environment)


def is_all_right(result: Result) -> bool:
    assert (result.stderr, result.code) == (b"", 0)
    return True


def failed(result: Result) -> str:
    """Return the one line of a run that failed."""
    assert (result.stdout, result.code) == (b"", 1)
    assert result.stderr.count(b"\n") == 1
    assert TOKEN.encode() not in result.stderr
    assert ROTATED.encode() not in result.stderr
    return result.stderr.decode()


def in_namespace(script: str, environment: Environment) -> Result:
    """Run a shell script where it may mount what nobody else sees. `$1` is git-credential-hf."""
    needed("unshare")
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-euc", script, "sh", EXECUTABLE],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return Result(done.stdout, done.stderr, done.returncode)


# --- without modes ---------------------------------------------------------------------------------------------------

DRIVES = {
    "FAT": "vfat /dev/sda1 rw,fmask=0022,dmask=0022",
    "exFAT": "exfat /dev/sda1 rw,fmask=0022,dmask=0022",
    "NTFS by FUSE": "fuseblk /dev/sda1 rw,user_id=0,group_id=0,allow_other",
    "SMB": "cifs //server/share rw,file_mode=0755,dir_mode=0755",
    "Windows' drives in WSL 1": r"drvfs C: rw,noatime,uid=1000,gid=1000",
    "Windows' drives in WSL": r"9p C:\134 rw,aname=drvfs;path=C:\;uid=1000;gid=1000",
}


@AS_ROOT
@pytest.mark.parametrize("drive", DRIVES)
def test_what_cannot_be_closed_has_a_remedy_that_works(
    environment: Environment, tmp_path: Path, faults: str, drive: str
) -> None:
    """As people have HF_HOME on a drive for its room. What /proc says of it is made up, as is that it has no modes."""
    folder = tmp_path / "drive"
    folder.mkdir()
    environment |= {"HF_HOME": str(folder), "PATH": f"{Path(EXECUTABLE).parent}:{environment['PATH']}"}
    environment |= {"FAULTS": f"modes={errno.EPERM}", "FAULTS_UNDER": str(folder)}
    (tmp_path / "kind").write_text(DRIVES[drive].replace("\\", "\\\\"))
    write(tmp_path / "token", TOKEN)
    write(tmp_path / "request", REQUEST)
    prepare = (
        f'mount -t tmpfs drive {folder}; sed "s#- tmpfs drive .*#- $(cat {tmp_path}/kind)#" /proc/self/mountinfo '
        f">{tmp_path}/mounts; program=$1; export LD_PRELOAD={faults}\n"
        'as_there() { sh -c \'mount --bind "$0" /proc/$$/mountinfo && exec "$@"\' ' + f'{tmp_path}/mounts "$@"; }}\n'
        f'as_there "$program" seed --no-keyring --from {tmp_path}/token >&2\n'
    )
    told = in_namespace(f'{prepare} as_there "$program" status --json || true', environment)
    (finding,) = [one for one in json.loads(told.stdout)["findings"] if one["code"] == "token-file-mode"]
    assert "and its file system has no modes: " in finding["message"]
    other = Path(environment["HOME"], ".local/state/git-credential-hf/huggingface/token")
    assert finding["remedy"].startswith(f"export HF_TOKEN_PATH={other}; git-credential-hf seed --from {folder}/token ")
    again = f'{{ {finding["remedy"]}; }} >&2; ls -A {folder}; "$program" get <{tmp_path}/request'
    done = in_namespace(f"{prepare} {again}", environment)
    assert done.stdout == ANSWER
    assert (other.read_text(), other.stat().st_mode & 0o777) == (TOKEN, 0o600)
    environment["HF_TOKEN_PATH"] = f"{folder}/token"  # which may be for others too
    named = in_namespace(f'{prepare} as_there "$program" status --json || true', environment)
    (finding,) = [one for one in json.loads(named.stdout)["findings"] if one["code"] == "token-file-mode"]
    assert finding["remedy"].endswith(" --no-keyring")
    warned = in_namespace(f'{prepare} as_there "$program" seed --no-keyring --from {folder}/token', environment)
    assert warned.stderr.endswith(b"can be read by others: use a file that only you can read\n")


# --- what a file system lacks -----------------------------------------------------------------------------------------

LACKS = {
    "no flock (Lustre)": f"flock={errno.ENOSYS}",
    "no flock (FUSE)": f"flock={errno.ENOTSUP}",
    "no flock (NFS without lockd)": f"flock={errno.ENOLCK}",
    "no flock (a policy forbids it)": f"flock={errno.EACCES}",
    "flock of this machine alone": "flock=0",
    "no modes (FAT)": f"modes={errno.EPERM}",
    "no modes (SMB)": f"modes={errno.ENOTSUP}",
    "no fsync of a folder": f"folder_fsync={errno.EINVAL}",
    "no fsync of a folder (FUSE)": f"folder_fsync={errno.ENOTSUP}",
    "no O_NOFOLLOW": f"nofollow={errno.EINVAL}",
    "nothing of that": f"flock={errno.ENOSYS} modes={errno.EPERM} folder_fsync={errno.EINVAL} nofollow={errno.EINVAL}",
}


@pytest.fixture(params=list(LACKS.values()), ids=list(LACKS))
def lacking(request: pytest.FixtureRequest, environment: Environment, faults: str) -> Environment:
    """The environment with a home on a file system that lacks something."""
    assert isinstance(request.param, str)
    return environment | {"LD_PRELOAD": faults, "FAULTS": request.param, "FAULTS_UNDER": environment["HOME"]}


def everything_works(environment: Environment, sources: dict[str, str]) -> None:
    """Assert that a token is seeded, rotated, given, rejected and forgotten, and git configured, without a word."""
    home = Path(environment["HOME"])
    file = home / ".cache/huggingface/token"
    for token, said in ((ROTATED, "written"), (TOKEN, "written over another token"), (TOKEN, "unchanged")):
        before = snapshot(home)
        result = seed(environment, sources[token])
        assert is_all_right(result)
        assert result.stdout.decode().startswith(f"token file: {said}")
        assert file.read_text() == token
        assert said != "unchanged" or snapshot(home) == before
    assert run_process(("get",), REQUEST, environment).stdout == ANSWER
    erased = run_process(("erase",), REJECTED, environment)
    assert explains(erased, "hf_****mNoP", str(file), "git-credential-hf login")
    assert run_process(("get",), REQUEST, environment).stdout == b"quit=1\n"
    declaration = home / ".config/git-credential-hf/tokens.toml"
    declaration.parent.mkdir(parents=True)
    write(declaration, f'[tokens.a]\nfile = "{sources[TOKEN]}"\ncache = true\n')
    assert is_all_right(run_process(("seed", "--no-keyring"), b"", environment))
    assert run_process(("get",), REQUEST, environment).stdout == ANSWER
    for command in (("configure",), ("configure",), ("unconfigure",)):
        assert is_all_right(run_process(command, b"", environment))
    assert names(file.parent) == ["token"]
    write(declaration, "")
    assert is_all_right(run_process(("seed", "--no-keyring"), b"", environment))
    assert names(file.parent) == []


def test_what_a_file_system_lacks_is_done_without(lacking: Environment, sources: dict[str, str]) -> None:
    everything_works(lacking, sources)


def test_where_locks_do_not_reach_a_run_neither_fails_nor_spoils_another(
    environment: Environment, faults: str, sources: dict[str, str], cache: Path, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    without = environment | {"LD_PRELOAD": faults, "FAULTS": "flock=0", "FAULTS_UNDER": environment["HOME"]}
    command = [EXECUTABLE, "seed", "--no-keyring", "--from"]
    first = subprocess.Popen([*command, sources[TOKEN]], env=without | {"FAULTS_GATE": str(gate)})
    with gate.open("wb"):  # opened as soon as the first run is about to rename its new file
        half_way = names(cache.parent)
        assert len(half_way) == 1
        assert is_all_right(seed(without, sources[ROTATED]))
        assert names(cache.parent) == sorted([*half_way, "token"])
        assert cache.read_text() == ROTATED
    assert first.wait(60) == 0
    assert names(cache.parent) == ["token"]
    assert cache.read_text() == TOKEN


@pytest.mark.parametrize("locks", [0, errno.ENOSYS])
def test_many_at_once_without_locks(
    environment: Environment, faults: str, sources: dict[str, str], cache: Path, locks: int
) -> None:
    without = environment | {"LD_PRELOAD": faults, "FAULTS": f"flock={locks}", "FAULTS_UNDER": environment["HOME"]}
    command = [EXECUTABLE, "seed", "--force", "--no-keyring", "--from"]
    running = [
        subprocess.Popen([*command, sources[token]], env=without, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for token in (TOKEN, ROTATED) * 10
    ]
    assert [(one.communicate()[1], one.returncode) for one in running] == [(b"", 0)] * 20
    assert names(cache.parent) == ["token"]
    assert cache.read_text() in (TOKEN, ROTATED)


def test_where_the_home_has_no_locks_the_keyring_has_one_in_the_next_place(
    environment: Environment, faults: str, sources: dict[str, str], keyring: Items
) -> None:
    without = environment | {
        "LD_PRELOAD": faults,
        "FAULTS": f"flock={errno.ENOSYS}",
        "FAULTS_UNDER": environment["HOME"],
    }
    running = [
        subprocess.Popen(
            [EXECUTABLE, "seed", "--from", sources[TOKEN]], env=without, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(10)
    ]
    assert [(one.communicate()[1], one.returncode) for one in running] == [(b"", 0)] * 10
    assert keyring.secrets() == [TOKEN.encode()]


def test_what_a_run_of_another_machine_left_goes_when_it_is_old(
    environment: Environment, sources: dict[str, str], cache: Path
) -> None:
    """The other machine is a namespace of processes: the number of a process there is another one here."""
    needed("strace")
    needed("unshare")
    elsewhere = ["unshare", "--map-root-user", "--pid", "--fork", "--mount-proc"]
    killed = ["strace", "-f", "-o", "/dev/null", "-e", "inject=rename:signal=KILL"]
    command = [EXECUTABLE, "seed", "--no-keyring", "--from", sources[TOKEN]]
    subprocess.run([*elsewhere, *killed, *command], env=environment, capture_output=True, check=False)
    (left,) = cache.parent.iterdir()
    assert left.read_text() == TOKEN
    assert is_all_right(seed(environment, sources[ROTATED]))
    assert names(cache.parent) == sorted([left.name, "token"])
    os.utime(left, (0, left.stat().st_mtime - 3600))
    assert is_all_right(seed(environment, sources[ROTATED]))
    assert names(cache.parent) == ["token"]


@AS_ROOT
def test_over_the_network(environment: Environment, sources: dict[str, str]) -> None:
    """SSHFS, with the server's end of SFTP on the same machine."""
    needed("sshfs")
    server = "/usr/lib/openssh/sftp-server"
    if not Path(server).exists():
        pytest.skip(f"NOT TESTED: {server} is not installed")
    home = Path(environment["HOME"])
    (home.parent / "remote").mkdir(mode=0o700)
    client = ["sshfs", "-f", "-o", "passive", f":{home.parent}/remote", str(home)]
    here, there = (end.detach() for end in socket.socketpair())
    with (
        subprocess.Popen([server], stdin=there, stdout=there) as serving,
        subprocess.Popen(client, stdin=here, stdout=here) as mounted,
    ):
        os.close(here)
        os.close(there)
        try:
            while not home.is_mount():
                assert mounted.poll() is None
            everything_works(environment, sources)
        finally:
            subprocess.run(["umount", home], check=True)
            mounted.wait(10)
            serving.wait(10)


# --- what is full, or read-only ---------------------------------------------------------------------------------------

FILL = 'dd if=/dev/zero of="$HOME/filler" bs=4096 2>/dev/null || true'
LIST = r'find "$HOME" -type f -printf "%P %s\n" | sort'


@pytest.mark.parametrize("old", ["", ROTATED])
@pytest.mark.parametrize("more", ["", "--force"])
def test_a_full_disk_leaves_what_was_there(
    environment: Environment, sources: dict[str, str], old: str, more: str
) -> None:
    environment["OLD"] = old
    result = in_namespace(
        f"""mount -t tmpfs -o size=64k,mode=700 none "$HOME"
            umask 077
            mkdir -p "$HOME/.cache/huggingface"
            [ -z "$OLD" ] || printf %s "$OLD" >"$HOME/.cache/huggingface/token"
            {FILL}
            {LIST} >"$TMPDIR/before"
            code=0
            "$1" seed --no-keyring --from {sources[TOKEN]} {more} || code=$?
            {LIST} >"$TMPDIR/after"
            exit $code""",
        environment,
    )
    assert failed(result) == (
        f"git-credential-hf: the token file {environment['HOME']}/.cache/huggingface/token cannot be written: "
        "No space left on device; fix that\n"
    )
    before = Path(environment["TMPDIR"], "before").read_text()
    assert "filler" in before
    assert Path(environment["TMPDIR"], "after").read_text() == before


def test_with_a_full_home_what_is_rejected_is_remembered_elsewhere(environment: Environment) -> None:
    environment["HF_TOKEN"] = TOKEN
    write(Path(environment["TMPDIR"], "request"), REJECTED)
    result = in_namespace(
        f"""mount -t tmpfs -o size=64k,mode=700 none "$HOME"
            mkdir -p "$HOME/.local/state"
            {FILL}
            "$1" erase <"$TMPDIR/request"
            "$1" get <"$TMPDIR/request" 2>/dev/null
            {LIST}""",
        environment,
    )
    assert result.stdout.startswith(b"quit=1\nfiller ")
    assert result.stdout.count(b"\n") == 2
    assert explains(Result(b"", result.stderr, result.code), "hf_****mNoP", "HF_TOKEN", "unset HF_TOKEN")
    assert names(Path(environment["XDG_RUNTIME_DIR"], "git-credential-hf")) == ["rejected"]


@pytest.mark.parametrize("number", [errno.EDQUOT, errno.ENOSPC])
def test_a_quota_leaves_the_old_token_and_touches_no_keyring(
    environment: Environment, faults: str, sources: dict[str, str], cache: Path, keyring: Items, number: int
) -> None:
    write(cache, ROTATED)
    before = snapshot(cache)
    full = environment | {"LD_PRELOAD": faults, "FAULTS": f"write={number}", "FAULTS_UNDER": environment["HOME"]}
    line = failed(run_process(("seed", "--from", sources[TOKEN]), b"", full))
    assert f"{cache} cannot be written: {REASONS[number]}; " in line
    assert snapshot(cache) == before
    assert names(cache.parent) == ["token"]
    assert keyring.all() == []


@pytest.fixture
def read_only(environment: Environment, sources: dict[str, str]) -> Callable[[str], Result]:
    """Run a script with a root that is read-only, as in a container: only /dev/shm can be written."""
    write(Path(environment["TMPDIR"], "rejected"), REJECTED)
    del environment["XDG_RUNTIME_DIR"]

    def with_script(script: str) -> Result:
        return in_namespace(
            f"""mount --rbind / /
                mount -t tmpfs none /dev/shm
                for place in / $(awk '{{ print $2 }}' /proc/self/mounts | grep -E '^(/tmp|/var|/home|/root)(/|$)'); do
                    mount -o remount,bind,ro "$place"
                done
                {script}""",
            environment,
        )

    return with_script


def test_a_read_only_root_is_named(
    environment: Environment, sources: dict[str, str], read_only: Callable[[str], Result]
) -> None:
    for more in ("", "--dry-run", "--force"):
        line = failed(read_only(f'exec "$1" seed --no-keyring --from {sources[TOKEN]} {more}'))
        assert "/.cache/huggingface/token cannot be written: Read-only file system; " in line


@pytest.mark.parametrize("place", ["/dev/shm", "/var/tmp"])
def test_with_a_read_only_root_what_is_rejected_is_remembered(
    environment: Environment, read_only: Callable[[str], Result], place: str
) -> None:
    environment["HF_TOKEN"] = TOKEN
    result = read_only(
        f"""mount -o remount,ro /dev/shm
            mount -t tmpfs none {place}
            "$1" erase <"$TMPDIR/rejected"
            "$1" get <"$TMPDIR/rejected" 2>/dev/null
            find {place} -mindepth 1 -printf '%P %m\\n'"""
    )
    folder = b"git-credential-hf-0"
    assert result.stdout == b"quit=1\n%b 700\n%b/rejected 600\n" % (folder, folder)
    assert explains(Result(b"", result.stderr, result.code), "hf_****mNoP", "HF_TOKEN", "unset HF_TOKEN")


def test_where_nothing_can_be_written_what_is_rejected_is_given_again_and_that_is_said(
    environment: Environment, read_only: Callable[[str], Result]
) -> None:
    environment["HF_TOKEN"] = TOKEN
    result = read_only(
        """mount -o remount,ro /dev/shm
           "$1" erase <"$TMPDIR/rejected"
           "$1" get <"$TMPDIR/rejected" """
    )
    assert (result.stdout, result.code) == (ANSWER, 0)
    assert result.stderr.count(b"\n") == 1
    assert b"XDG_STATE_HOME" in result.stderr


def test_what_is_declared_can_be_seeded_with_a_read_only_root_and_a_cache_that_can_be_written(
    environment: Environment, sources: dict[str, str], read_only: Callable[[str], Result], cache: Path
) -> None:
    """As Kubernetes runs it: readOnlyRootFilesystem, and a volume for ~/.cache."""
    declaration = Path(environment["HOME"], ".config/git-credential-hf/tokens.toml")
    declaration.parent.mkdir(parents=True)
    write(declaration, f'[tokens.a]\nfile = "{sources[TOKEN]}"\ncache = true\n')
    result = read_only(
        """mount -t tmpfs -o mode=700 none "$HOME/.cache"
           "$1" seed --no-keyring
           "$1" get <"$TMPDIR/rejected" """
    )
    assert result.stdout == f"token file: written, {cache}\n".encode() + ANSWER
    assert (result.stderr, result.code) == (b"", 0)


def test_a_list_of_rejected_tokens_that_cannot_be_written_is_named(
    environment: Environment, sources: dict[str, str], read_only: Callable[[str], Result], cache: Path
) -> None:
    write(cache, TOKEN)
    run_process(("erase",), REJECTED, environment)
    result = read_only(f'exec "$1" seed --no-keyring --from {sources[TOKEN]}')
    list_file = f"{environment['HOME']}/.local/state/git-credential-hf/rejected"
    assert (result.stdout.decode(), result.code) == (f"token file: unchanged, {cache}\n", 3)
    assert result.stderr.count(b"\n") == 1
    assert f": {list_file} cannot be written. Try: rm {list_file}\n" in result.stderr.decode()


@pytest.mark.parametrize("mode", [0o640, 0o644])
def test_a_source_that_others_read_on_what_is_read_only_is_told_without_chmod(
    environment: Environment, cache: Path, tmp_path: Path, mode: int
) -> None:
    """As Kubernetes mounts a secret: chmod cannot close it."""
    source = tmp_path / "secret"
    write(source, TOKEN, mode)
    mount = f'mount --bind "{source}" "{source}"; mount -o remount,bind,ro "{source}"; exec "$1"'
    line = f"git-credential-hf: {source} can be read by others: use a file that only you can read\n"
    refused = in_namespace(f"{mount} seed --no-keyring --strict --from {source}", environment)
    assert failed(refused) == line
    told = in_namespace(f"{mount} seed --no-keyring --from {source}", environment)
    assert (told.stderr.decode(), told.code) == (line, 0)
    assert cache.read_text() == TOKEN


# --- links and mounts -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("link", [".cache", ".cache/huggingface"])
@pytest.mark.parametrize("more", [(), ("--dry-run",), ("--force",)])
def test_a_folder_that_is_a_link_to_nothing_is_named(
    environment: Environment, sources: dict[str, str], tmp_path: Path, link: str, more: tuple[str, ...]
) -> None:
    place = Path(environment["HOME"], link)
    place.parent.mkdir(exist_ok=True)
    place.symlink_to(tmp_path / "scratch")
    before = snapshot(tmp_path)
    line = failed(seed(environment, sources[TOKEN], *more))
    assert f"cannot be written: {place} is a symbolic link that leads to no folder; " in line
    assert snapshot(tmp_path) == before
    assert run_process(("get",), REQUEST, environment) == Result(b"", b"", 0)


def test_a_state_folder_that_is_a_link_to_nothing_makes_the_next_place_do(environment: Environment) -> None:
    Path(environment["HOME"], ".local").symlink_to("nowhere")
    environment["HF_TOKEN"] = TOKEN
    assert explains(run_process(("erase",), REJECTED, environment), "hf_****mNoP", "HF_TOKEN", "unset HF_TOKEN")
    assert run_process(("get",), REQUEST, environment).stdout == b"quit=1\n"
    assert names(Path(environment["XDG_RUNTIME_DIR"], "git-credential-hf")) == ["rejected"]


def test_a_token_file_that_is_mounted_is_left_and_its_folder_named(
    environment: Environment, sources: dict[str, str], cache: Path, tmp_path: Path
) -> None:
    """As `docker run -v …/token:…/token` mounts it: it cannot be replaced, and to write over it would show a half."""
    for file in (tmp_path / "outside", cache):
        write(file, ROTATED)
    mount = f'mount --bind {tmp_path}/outside "$HOME/.cache/huggingface/token"; exec "$1"'
    before = snapshot(cache.parent)
    line = failed(in_namespace(f"{mount} seed --no-keyring --from {sources[TOKEN]}", environment))
    reason = "it is mounted by itself, so it cannot be replaced at once; mount its folder instead"
    assert f"{cache} cannot be written: {reason}; " in line
    assert snapshot(cache.parent).keys() == before.keys()
    assert (cache.read_text(), (tmp_path / "outside").read_text()) == (ROTATED, ROTATED)
    # What it holds already needs no write.
    same = in_namespace(f"{mount} seed --no-keyring --from {sources[ROTATED]}", environment)
    assert (same.stdout.decode(), same.stderr) == (f"token file: unchanged, {cache}\n", b"")
    write(tmp_path / "request", REQUEST)
    given = in_namespace(f"{mount} get <{tmp_path}/request", environment)
    assert given.stdout.endswith(f"password={ROTATED}\n".encode())


MOUNTS = {
    "file": ('mount --bind {0}/outside "$HOME/.cache/huggingface/token"', "it is mounted by itself"),
    "read-only file": (
        'mount --bind {0}/outside "$HOME/.cache/huggingface/token"; '
        'mount -o remount,bind,ro "$HOME/.cache/huggingface/token"',
        "it is mounted by itself",
    ),
    "read-only folder": (
        'mount --bind "$HOME/.cache/huggingface" "$HOME/.cache/huggingface"; '
        'mount -o remount,bind,ro "$HOME/.cache/huggingface"',
        os.strerror(errno.EROFS),
    ),
}


@pytest.mark.parametrize("mounted", MOUNTS)
def test_a_rejected_token_whose_file_is_mounted_is_replaced_elsewhere(
    environment: Environment, cache: Path, tmp_path: Path, mounted: str
) -> None:
    for file in (tmp_path / "outside", cache):
        write(file, TOKEN)
    mount, why = MOUNTS[mounted]
    write(tmp_path / "rejected", REJECTED)
    environment["PATH"] = f"{Path(EXECUTABLE).parent}:{environment['PATH']}"
    asked = (
        f'{mount.format(tmp_path)}; "$1" erase <{tmp_path}/rejected 2>{tmp_path}/told; '
        f'"$1" get <{tmp_path}/request 2>>{tmp_path}/told >&2; "$1" status --json >{tmp_path}/status || true'
    )
    write(tmp_path / "request", REQUEST)
    assert is_all_right(in_namespace(asked, environment))
    told = (tmp_path / "told").read_text()
    assert told.count("It is mounted: put a new token where it is mounted from. Try: git-credential-hf status\n") == 2
    (finding,) = [
        one for one in json.loads((tmp_path / "status").read_text())["findings"] if one["code"] == "token-rejected"
    ]
    assert f"; the token file cannot be written: {why}" in finding["message"]
    assert finding["remedy"].startswith("export HF_TOKEN_PATH=")
    write(tmp_path / "new", ROTATED)
    remedy = finding["remedy"].replace("-hf login", f"-hf login --offline --with-token <{tmp_path}/new")
    done = in_namespace(f'{asked}\n{remedy}\n"$1" get <{tmp_path}/request', environment)
    assert done.stdout.endswith(f"password={ROTATED}\n".encode())


def test_on_an_overlay_as_in_a_container(environment: Environment, sources: dict[str, str], tmp_path: Path) -> None:
    lower = tmp_path / "lower/.cache/huggingface"
    lower.mkdir(parents=True, mode=0o700)
    write(lower / "token", ROTATED, 0o644)
    write(tmp_path / "request", REQUEST)
    result = in_namespace(
        f"""mount -t tmpfs -o mode=700 none "$XDG_RUNTIME_DIR"
            mkdir "$XDG_RUNTIME_DIR/upper" "$XDG_RUNTIME_DIR/work"
            layers="lowerdir={tmp_path}/lower,upperdir=$XDG_RUNTIME_DIR/upper,workdir=$XDG_RUNTIME_DIR/work"
            mount -t overlay -o "$layers" none "$HOME"
            "$1" seed --no-keyring --from {sources[TOKEN]}
            "$1" seed --no-keyring --from {sources[TOKEN]}
            "$1" get <{tmp_path}/request
            find "$HOME/.cache" -type f -printf '%f %m\\n'""",
        environment,
    )
    assert (result.stderr, result.code) == (b"", 0)
    written, unchanged, *answer, left = result.stdout.decode().splitlines()
    assert written.startswith("token file: written over another token (hf_****NoPq)")
    assert unchanged.startswith("token file: unchanged")
    assert "\n".join([*answer, ""]).encode() == ANSWER
    assert left == "token 600"
