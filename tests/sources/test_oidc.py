"""get from OIDC: the identity of a CI job, exchanged at the Hub for a token, by real requests."""

import os
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from git_credential_hf import hub as requests_to_hub
from tests.asking import request, seed, write_token_file
from tests.conftest import EXECUTABLE, Environment, Result, Run, run_call
from tests.hub import Hub, fingerprint
from tests.keyring_items import Items

MODEL, DATASET = "my-org/my-model", "datasets/my-org/data"
REPOSITORY = {"repository": "acme/training"}
IN_FILE = "hf_iNtHeFiLe0123456789aBcDeFgHiJkLmNo"

Get = Callable[..., Result]


@pytest.fixture(autouse=True)
def job(environment: Environment, hub: Hub) -> None:
    """A job of acme/training, which the Hub trusts with a model, a dataset and alice's gated repositories."""
    environment |= hub.environ()
    hub.oidc.trust(MODEL, **REPOSITORY)
    hub.oidc.trust(DATASET, **REPOSITORY)
    hub.oidc.trust("alice", **REPOSITORY)
    environment["HF_OIDC_RESOURCE"] = MODEL
    environment["HF_OIDC_ID_TOKEN"] = hub.oidc.id_token(**REPOSITORY)


@pytest.fixture
def get(run: Run, environment: Environment, hub: Hub) -> Get:
    """Ask for a path; fail if a secret is on stderr."""

    def ask(path: str = "", *options: str, **more: str) -> Result:
        told = run(*options, "get", input=request(**({"path": path} if path else {})), **more)
        for secret in (*hub.oidc.given, environment["HF_OIDC_ID_TOKEN"], hub.oidc.github_token, IN_FILE):
            assert not secret or secret.encode() not in told.stderr
        assert told.code == 0
        return told

    return ask


def given(told: Result, hub: Hub, lifetime: int = 3600) -> bool:
    """Return whether that is the last token that was given, with its end."""
    user, password, expiry = told.stdout.decode().splitlines()
    seconds = int(expiry.removeprefix("password_expiry_utc=")) - time.time()
    return (user, password) == ("username=hf_user", f"password={hub.oidc.given[-1]}") and (
        lifetime - 60 < seconds <= lifetime
    )


def kept(environment: Environment) -> list[Path]:
    """Return the files in which something is kept."""
    return sorted(Path(environment["XDG_RUNTIME_DIR"], "git-credential-hf/oidc").glob("*"))


def failed(told: Result, *words: str) -> bool:
    """Return whether git is told to quit, with one line that has all of `words`."""
    line = told.stderr.decode()
    return (
        told.stdout == b"quit=1\n"
        and line.count("\n") == 1
        and line.startswith("git-credential-hf: no token through OIDC for ")
        and line.endswith(". Try: git-credential-hf status\n")
        and all(word in line for word in words)
    )


# --- what is exchanged -----------------------------------------------------------------------------------------------


def test_a_token_is_exchanged_once_and_comes_first(get: Get, environment: Environment, hub: Hub) -> None:
    write_token_file(environment, IN_FILE)
    environment["HF_TOKEN"] = "hf_env1"
    for _ in range(3):
        assert given(get(MODEL), hub)
    assert hub.oidc.exchanges == [MODEL]
    assert [(one.host, one.path) for one in hub.log] == [("huggingface.co", "/oauth/token")]
    (file,) = kept(environment)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("own", "path", "exchanges"),
    [
        (MODEL, "", [MODEL]),
        (MODEL, MODEL, [MODEL]),
        (MODEL, "My-Org/my-model.git/info/lfs", [MODEL]),
        (MODEL, DATASET, [DATASET]),
        (MODEL, "Datasets/my-org/data.git", [DATASET]),
        (MODEL, "other/model", ["other/model", MODEL]),
        (MODEL, "a//b", [MODEL]),
        (MODEL, "a/../b", [MODEL]),
        (MODEL, "my-org", [MODEL]),
        ("alice", "", ["alice"]),
        ("alice", MODEL, ["alice"]),
    ],
)
def test_the_resource(get: Get, environment: Environment, hub: Hub, own: str, path: str, exchanges: list[str]) -> None:
    environment["HF_OIDC_RESOURCE"] = own
    assert given(get(path), hub)
    assert given(get(path), hub)
    assert hub.oidc.exchanges == exchanges


def test_several_repositories_share_what_the_resource_itself_gives(get: Get, hub: Hub) -> None:
    for path in ("other/one", "other/two", MODEL, "other/one"):
        assert given(get(path), hub)
    assert hub.oidc.exchanges == ["other/one", MODEL, "other/two"]


def test_it_is_the_first_identity_that_counts(get: Get, environment: Environment, hub: Hub, tmp_path: Path) -> None:
    good, bad = environment.pop("HF_OIDC_ID_TOKEN"), "aaaa.bbbb.cccc"
    environment["HF_OIDC_ID_TOKEN"] = ""
    (tmp_path / "id").write_text(f"{good}\n")
    file = {"HF_OIDC_ID_TOKEN_FILE": str(tmp_path / "id")}
    github = hub.oidc.github_environ(**REPOSITORY)
    circle, bitbucket = {"CIRCLE_OIDC_TOKEN_V2": bad}, {"BITBUCKET_STEP_OIDC_TOKEN": bad}
    assert given(get(**{"HF_OIDC_ID_TOKEN": good}, **circle), hub)
    assert hub.oidc.identities == 0
    assert given(get(**file, **circle, **bitbucket), hub)
    assert given(get(**github, **circle, **bitbucket), hub)
    assert given(get(**github), hub)
    assert hub.oidc.identities == 1
    assert given(get(CIRCLE_OIDC_TOKEN_V2=good, **bitbucket), hub)
    assert given(get(BITBUCKET_STEP_OIDC_TOKEN=good), hub)


def test_one_job_never_gets_the_token_of_another(get: Get, environment: Environment, hub: Hub) -> None:
    assert given(get(MODEL), hub)
    other = hub.oidc.id_token(repository="mallory/x")
    assert failed(get(MODEL, HF_OIDC_ID_TOKEN=other), "invalid_grant")
    assert given(get(MODEL), hub)


def test_it_is_left_out_where_it_is_not_asked_for(get: Get, environment: Environment, hub: Hub) -> None:
    write_token_file(environment, IN_FILE)
    answer = f"username=hf_user\npassword={IN_FILE}\n".encode()
    assert get("", "--sources", "env,forwarded,keyring,file").stdout == answer
    assert get(HF_OIDC_RESOURCE="").stdout == answer
    environment.pop("HF_OIDC_RESOURCE")
    assert get().stdout == answer
    assert hub.log == []


def test_a_resource_of_white_space_is_a_failure(get: Get, environment: Environment, hub: Hub) -> None:
    write_token_file(environment, IN_FILE)
    told = get(HF_OIDC_RESOURCE=" ")
    assert told.stdout == b"quit=1\n"
    assert told.stderr.startswith(
        b"git-credential-hf: no token through OIDC: HF_OIDC_RESOURCE names no repository and no user. Try: "
    )
    assert hub.log == []


def test_without_a_run_time_folder_a_token_is_in_memory_and_not_in_the_home(
    get: Get, environment: Environment, hub: Hub
) -> None:
    file_before = set(Path("/dev/shm").glob(f"git-credential-hf-{os.geteuid()}/oidc/*"))
    environment.pop("XDG_RUNTIME_DIR")
    assert given(get(), hub)
    new = set(Path("/dev/shm").glob(f"git-credential-hf-{os.geteuid()}/oidc/*")) - file_before
    token = hub.oidc.given[-1]
    assert [one for one in new if token in one.read_text()]
    assert not [one for one in Path(environment["HOME"]).rglob("*") if one.is_file() and token in one.read_text()]
    for one in new:
        one.unlink()


def test_another_host_is_nothing_to_it(run: Run, hub: Hub) -> None:
    for host in ("cdn-lfs.hf.co", "git.example.org"):
        assert run("--host", "git.example.org", "get", input=request(host=host)) == Result(b"", b"", 0)
    assert hub.log == []


def test_token_and_exec_have_it_too(run: Run, environment: Environment, hub: Hub) -> None:
    for _ in range(2):
        told = run("token", MODEL)
        assert told == Result(f"{hub.oidc.given[0]}\n".encode(), b"", 0)
    child = 'test "$HF_TOKEN" != "" && env | grep -c ^HF_OIDC_'
    done = subprocess.run(
        [EXECUTABLE, "exec", "--for", MODEL, "--", "sh", "-c", child], env=environment, capture_output=True, check=False
    )
    assert done.stdout == b"0\n"
    assert hub.oidc.exchanges == [MODEL]


# --- how long --------------------------------------------------------------------------------------------------------


def test_a_token_is_given_until_five_minutes_before_its_end(get: Get, environment: Environment, hub: Hub) -> None:
    hub.oidc.lifetime = 302
    assert given(get(), hub, 302)
    (file,) = kept(environment)
    until = int(file.read_text().split("\n")[0]) - 300
    assert 0 <= until - time.time() <= 2
    while time.time() < until:
        time.sleep(0.05)
    assert given(get(), hub, 302)
    assert len(hub.oidc.exchanges) == 2


def test_what_is_void_is_removed(get: Get, environment: Environment, hub: Hub) -> None:
    assert given(get(DATASET), hub)
    (file,) = kept(environment)
    lines = file.read_text().split("\n")
    file.write_text("\n".join([str(int(time.time()) - 1), *lines[1:]]))
    assert given(get(MODEL), hub)
    assert len(kept(environment)) == 1
    assert not file.exists()


@pytest.mark.parametrize("lines", ["{}\n\n\n0\nno answer\n", "{}\n\n\n2\n\n"], ids=["a failure", "rejections"])
def test_what_was_kept_before_the_clock_was_set_back_is_void(
    run: Run, get: Get, environment: Environment, hub: Hub, lines: str
) -> None:
    if "no answer" in lines:
        hub.oidc.answers = [(500, None)]
        assert failed(get())
    else:
        for _ in range(2):
            assert given(get(), hub)
            run("erase", input=request(username="hf_user", password=hub.oidc.given[-1]))
        assert failed(get(), "the Hub rejected")
    (file,) = kept(environment)
    file.write_text(lines.format(int(time.time()) + 20 * 3600))
    assert given(get(), hub)


@pytest.mark.parametrize("content", ["", "x", "\n" * 5, "9" * 30 + "\nhf_x1\n1\n0\n\n", "\0\n\n\n\n\n", "a" * 70_000])
def test_what_is_kept_may_be_damaged(get: Get, environment: Environment, hub: Hub, content: str) -> None:
    assert given(get(), hub)
    (file,) = kept(environment)
    file.write_text(content)
    assert given(get(), hub)
    assert len(hub.oidc.exchanges) == 2


def at_once(paths: list[str], environment: Environment) -> list[tuple[bytes, bytes]]:
    """Return what each of as many gets has on stdout and stderr."""

    def ask(path: str) -> tuple[bytes, bytes]:
        asked = request(**({"path": path} if path else {}))
        done = subprocess.run([EXECUTABLE, "get"], input=asked, env=environment, capture_output=True, check=False)
        return done.stdout, done.stderr

    with ThreadPoolExecutor(len(paths)) as pool:
        return list(pool.map(ask, paths))


def test_many_at_once_make_one_exchange(environment: Environment, hub: Hub) -> None:
    hub.oidc.delay = 0.5
    answers = at_once([""] * 20, environment)
    assert len(set(answers)) == 1
    assert hub.oidc.given[-1].encode() in answers[0][0]
    assert hub.oidc.exchanges == [MODEL]


def test_nobody_waits_for_the_exchange_of_another_repository(environment: Environment, hub: Hub) -> None:
    """As the submodules of a clone, each of which the Hub answers slowly."""
    hub.oidc.delay = 2
    paths = [f"other/{number}" for number in range(12)]
    answers = at_once(paths, environment)
    assert {answer.rpartition(b"password_expiry_utc")[0] for answer, _ in answers} == {
        f"username=hf_user\npassword={hub.oidc.given[-1]}\n".encode()
    }
    assert sorted(hub.oidc.exchanges) == sorted([*paths, MODEL])


@pytest.mark.parametrize("place", ["none", "a file", "somebody else's", "a link", "open to all"])
def test_where_it_cannot_be_kept_it_is_exchanged_again(
    get: Get, environment: Environment, hub: Hub, tmp_path: Path, place: str
) -> None:
    """What others could read, or have put there, is not where a token is kept."""
    folders = [
        Path(environment["XDG_RUNTIME_DIR"], "git-credential-hf"),
        Path(environment["HOME"], ".local/state/git-credential-hf"),
        tmp_path / f"git-credential-hf-{os.geteuid()}",
    ]
    beside = tmp_path / "beside"
    beside.mkdir()
    for number, folder in enumerate(folders):
        folder.parent.mkdir(parents=True, exist_ok=True)
        if place == "none":
            continue
        if place == "a link":
            (beside / str(number)).mkdir(mode=0o700)
            folder.symlink_to(beside / str(number))
        elif place == "a file":
            folder.touch()
        else:
            folder.mkdir(mode=0o777)
            folder.chmod(0o777 if place == "open to all" else 0o700)
            if place == "somebody else's":
                os.chown(folder, 12345, 12345)
    assert given(get(), hub)
    assert given(get(), hub)
    token = hub.oidc.given[-1].encode()
    holders = [file for file in tmp_path.rglob("*") if file.is_file() and token in file.read_bytes()]
    if place == "none":
        assert [file.parent.parent for file in holders] == [folders[0]]
    else:
        assert holders == []


def test_the_lock_is_the_users_own_whatever_the_umask(environment: Environment, hub: Hub) -> None:
    command = ["sh", "-c", 'umask 0777 && exec "$0" get', EXECUTABLE]
    done = subprocess.run(command, input=request(), env=environment, capture_output=True, check=True)
    assert hub.oidc.given[-1].encode() in done.stdout
    lock = Path(environment["XDG_RUNTIME_DIR"], "git-credential-hf/oidc.lock")
    assert lock.stat().st_mode & 0o777 == 0o600


# --- rejected --------------------------------------------------------------------------------------------------------


def test_erase_drops_a_token_and_the_second_time_that_is_all(
    run: Run, get: Get, environment: Environment, hub: Hub
) -> None:
    write_token_file(environment, IN_FILE)
    for count in (1, 2):
        assert given(get(MODEL), hub)
        told = run("erase", input=request(path=MODEL, username="hf_user", password=hub.oidc.given[-1]))
        assert (told.stdout, told.code, told.stderr.count(b"\n")) == (b"", 0, 1)
        assert b"from OIDC" in told.stderr
        assert hub.oidc.given[-1].encode() not in told.stderr
        assert not any(hub.oidc.given[-1] in file.read_text() for file in kept(environment))
        assert len(hub.oidc.exchanges) == count
    assert failed(get(MODEL), "the Hub rejected the last 2 tokens")
    assert len(hub.oidc.exchanges) == 2


def test_a_repository_that_rejects_tokens_costs_the_others_none(
    run: Run, get: Get, environment: Environment, hub: Hub
) -> None:
    """The large files of a repository may be where its owner likes, and what says 401 there is told to git as well."""
    environment["HF_OIDC_RESOURCE"] = "alice"
    for _ in range(2):
        assert given(get("hostile/model"), hub)
        run("erase", input=request(path="hostile/model", username="hf_user", password=hub.oidc.given[-1]))
    assert failed(get("hostile/model"), "the Hub rejected the last 2 tokens")
    assert given(get(MODEL), hub)
    assert given(get("hostile/other"), hub)


@pytest.mark.parametrize("path", ["evil%2fa/b.git/info/lfs", "evil//c.git", "evil"])
def test_a_path_that_names_no_repository_costs_the_others_none(run: Run, get: Get, hub: Hub, path: str) -> None:
    for _ in range(2):
        assert given(get(path), hub)
        run("erase", input=request(path=path, username="hf_user", password=hub.oidc.given[-1]))
    assert failed(get(path), "the Hub rejected the last 2 tokens")
    assert given(get(), hub)
    assert given(get("evil/other"), hub)
    assert given(get(MODEL), hub)


def test_a_rejection_counts_however_much_is_kept(run: Run, get: Get, environment: Environment, hub: Hub) -> None:
    for _ in range(2):
        assert given(get("other/x"), hub)
        run("erase", input=request(path="other/x", username="hf_user", password=hub.oidc.given[-1]))
    assert given(get("more/0"), hub)
    (one, *_) = [file for file in kept(environment) if "hf_" in file.read_text()]
    for number in range(400):
        one.with_name(f"{number:064x}").write_text(one.read_text())
    assert given(get("more/1"), hub)
    assert len(kept(environment)) < 300
    assert failed(get("other/x"), "the Hub rejected the last 2 tokens")
    assert hub.oidc.exchanges.count("other/x") == 2


def test_what_somebody_else_gave_is_no_rejection_of_ours(run: Run, get: Get, hub: Hub) -> None:
    for _ in range(3):
        run("erase", input=request(path=MODEL, username="alice", password="of-the-address"))
    assert given(get(MODEL), hub)


def test_what_a_url_has_in_it_is_no_rejection_of_ours(environment: Environment, hub: Hub) -> None:
    """Neither before the first exchange nor after it."""
    hub.create(MODEL, private=True, files={"config.json": "{}\n"})
    subprocess.run([EXECUTABLE, "configure"], env=environment, capture_output=True, check=True)
    for _ in range(2):
        for number in range(2):
            hostile = ["git", "ls-remote", f"https://x:hf_jwt_evil{number}@huggingface.co/{MODEL}"]
            assert subprocess.run(hostile, env=environment, capture_output=True, check=False).returncode != 0
        ours = ["git", "ls-remote", f"https://huggingface.co/{MODEL}"]
        assert subprocess.run(ours, env=environment, capture_output=True, check=False).returncode == 0
    assert hub.oidc.exchanges == [MODEL]


@pytest.mark.parametrize("lifetime", [60, 900])
def test_a_token_that_has_expired_is_no_rejection(run: Run, get: Get, hub: Hub, lifetime: int) -> None:
    """A long transfer ends with the token; git tells of it then."""
    hub.oidc.lifetime = lifetime
    for _ in range(3):
        assert given(get(MODEL), hub, lifetime)
        run(
            "erase",
            input=request(
                path=MODEL, username="hf_user", password=hub.oidc.given[-1], password_expiry_utc=str(int(time.time()))
            ),
        )
    assert given(get(MODEL), hub, lifetime)
    assert len(hub.oidc.exchanges) == 4


def test_a_rejection_is_told_by_two_at_once_and_counts_once(run: Run, get: Get, hub: Hub) -> None:
    assert given(get(MODEL), hub)
    for _ in range(2):
        run("erase", input=request(path=MODEL, username="hf_user", password=hub.oidc.given[-1]))
    assert given(get(MODEL), hub)
    assert len(hub.oidc.exchanges) == 2


def test_a_rejection_that_many_are_told_of_at_once_counts_once(get: Get, environment: Environment, hub: Hub) -> None:
    """Each of them reads what is kept before the first has removed it."""
    assert given(get(MODEL), hub)
    slowly = ["strace", "-f", "-o", "/dev/null", "-e", "inject=unlink:delay_enter=300000", EXECUTABLE, "erase"]
    told = request(path=MODEL, username="hf_user", password=hub.oidc.given[-1])
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: subprocess.run(slowly, input=told, env=environment, check=True), range(4)))
    assert given(get(MODEL), hub)
    assert len(hub.oidc.exchanges) == 2


def test_a_late_word_of_a_rejection_spares_the_token_that_came_meanwhile(
    get: Get, environment: Environment, hub: Hub
) -> None:
    assert given(get(MODEL), hub)
    told = request(path=MODEL, username="hf_user", password=hub.oidc.given[-1])
    slowly = ["strace", "-f", "-o", "/dev/null", "-e", "inject=unlink:delay_enter=200000:when=1", EXECUTABLE, "erase"]
    with subprocess.Popen(slowly, env=environment, stdin=subprocess.PIPE) as late:
        assert late.stdin is not None
        late.stdin.write(told)
        late.stdin.close()
        time.sleep(0.4)
        subprocess.run([EXECUTABLE, "erase"], input=told, env=environment, check=True)
        assert given(get(MODEL), hub)
    assert given(get(MODEL), hub)
    assert len(hub.oidc.exchanges) == 2


def test_what_a_killed_run_left_and_what_is_nobodys_keeps_nobody_from_a_token(
    get: Get, environment: Environment, hub: Hub
) -> None:
    killed = ["strace", "-f", "-o", "/dev/null", "-e", "inject=rename:signal=KILL:when=1", EXECUTABLE, "get"]
    subprocess.run(killed, input=request(path=DATASET), env=environment, capture_output=True, check=False)
    (unfinished,) = kept(environment)
    assert hub.oidc.given[-1] in unfinished.read_text()
    os.utime(unfinished, (0, 0))
    strange = unfinished.with_name("z" * 64)
    strange.write_text("x")
    for _ in range(2):
        assert given(get(MODEL), hub)
    assert hub.oidc.exchanges == [DATASET, MODEL]
    assert not unfinished.exists()
    assert strange.exists()


def test_where_much_is_kept_what_many_get_at_once_is_kept_too(environment: Environment, hub: Hub) -> None:
    at_once([f"other/{number}" for number in range(8)], environment)
    (one, *_) = [file for file in kept(environment) if "hf_" in file.read_text()]
    for number in range(80):
        one.with_name(f"{number:064x}").write_text(one.read_text())
    paths = [f"more/{number}" for number in range(12)]
    at_once(paths, environment)
    at_once(paths, environment)
    assert sorted(one for one in hub.oidc.exchanges if one.startswith("more/")) == sorted(paths)


def test_a_rejection_counts_where_the_run_time_folder_is_full(environment: Environment, hub: Hub) -> None:
    script = """
        mount -t tmpfs -o size=64k tmpfs "$XDG_RUNTIME_DIR" && chmod 700 "$XDG_RUNTIME_DIR"
        head -c 65536 /dev/zero >"$XDG_RUNTIME_DIR/full" 2>/dev/null || true
        for _ in 1 2; do
            token=$("$1" get <request | sed -n s/^password=//p)
            sed "s/^password=.*/password=$token/" <rejected | "$1" erase
        done
        "$1" get <request
    """
    folder = Path(environment["HOME"])
    (folder / "request").write_bytes(request(path=MODEL))
    (folder / "rejected").write_bytes(request(path=MODEL, username="hf_user", password="x"))
    command = ["unshare", "--map-root-user", "--mount", "sh", "-euc", script, "sh", EXECUTABLE]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, check=True)
    assert done.stdout == b"quit=1\n"
    assert b"the Hub rejected the last 2 tokens" in done.stderr
    assert hub.oidc.exchanges == [MODEL] * 2


def test_a_token_that_cannot_be_kept_is_not_exchanged_for_ever(
    run: Run, get: Get, environment: Environment, hub: Hub
) -> None:
    hub.oidc.lifetime = 60  # shorter than what is kept is valid for
    for _ in range(2):
        assert given(get(MODEL), hub, 60)
        run("erase", input=request(path=MODEL, username="hf_user", password=hub.oidc.given[-1]))
    assert failed(get(MODEL), "the Hub rejected the last 2 tokens")
    assert len(hub.oidc.exchanges) == 2


def test_erase_and_store_make_no_exchange_and_nothing_is_stored(
    run: Run, keyring: Items, environment: Environment, hub: Hub
) -> None:
    seed(run, IN_FILE, "--scope", "other")
    run("erase", input=request(path=MODEL, username="hf_user", password=IN_FILE))
    assert run("store", input=request(path=MODEL, username="hf_user", password="hf_jwt_a.b.c")) == Result(b"", b"", 0)
    assert hub.log == []
    assert keyring.secrets() == [IN_FILE.encode()]


def test_git_lfs_stops_where_the_token_is_rejected(environment: Environment, hub: Hub, tmp_path: Path) -> None:
    clone = cloned(environment, hub, tmp_path)
    hub.traps.add(f"/{MODEL}.git/info/lfs/objects/batch")
    done = subprocess.run(["git", "lfs", "pull"], cwd=clone, env=environment, capture_output=True, check=False)
    assert done.returncode != 0
    tokens = [one.fingerprint for one in hub.log if one.status == 401 and one.fingerprint]
    assert 1 <= len(tokens) <= 2


# --- failures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((400, {"error": "invalid_request"}), ("invalid_request", "Root=1-6a-07;b1")),
        ((429, {"error": "slow down"}), ("status 429", "Root=1-6a-07;b1")),
        ((500, None), ("status 500",)),
        ((503, "x" * 100_000), ("too long",)),
        ((200, {}), ("no token",)),
        ((200, []), ("no token",)),
        ((200, {"access_token": "hf_jwt_a.b.c", "expires_in": "3600"}), ("how long",)),
        ((200, {"access_token": "hf_jwt_a.b.c", "expires_in": True}), ("how long",)),
        ((200, {"access_token": "hf_jwt_a.b.c", "expires_in": -1}), ("how long",)),
        ((200, {"access_token": "hf_jwt_a.b.c", "expires_in": 1e9}), ("how long",)),
        ((200, {"access_token": 7, "expires_in": 3600}), ("no token",)),
        ((200, {"access_token": "hf_a\nhost=evil.example", "expires_in": 3600}), ("no token",)),
        ((200, {"access_token": "hf_" + "a" * 20_000, "expires_in": 3600}), ("no token",)),
        ((200, {"access_token": "ghp_0123456789abcdefghijklmnopqrstuvwxyz", "expires_in": 3600}), ("no token",)),
        ((200, {"access_token": "x" * (10 << 20)}), ("too long",)),
        ((400, {"error": "evil\nhost=x"}), ("status 400",)),
    ],
)
def test_a_failure_is_one_line_and_no_other_identity_answers(
    get: Get, environment: Environment, hub: Hub, answer: tuple[int, object], words: tuple[str, ...]
) -> None:
    write_token_file(environment, IN_FILE)
    hub.oidc.answers = [answer]
    told = get(MODEL)
    assert failed(told, MODEL, *words), told
    assert get(MODEL) == told  # and is not tried again for a while
    assert hub.oidc.exchanges == [MODEL]


def test_a_job_that_is_not_trusted(get: Get, environment: Environment, hub: Hub) -> None:
    environment["HF_OIDC_ID_TOKEN"] = hub.oidc.id_token(repository="mallory/x")
    told = get(MODEL)
    assert failed(told, f"for {MODEL}: the Hub answers invalid_grant (request Root=1-6a-07;b1)", "no trusted publisher")
    assert failed(get("other/model"), "for other/model: the Hub answers invalid_grant")
    assert hub.oidc.exchanges == [MODEL, "other/model"]


def test_an_id_token_for_another_audience(get: Get, environment: Environment, hub: Hub) -> None:
    environment["HF_OIDC_ID_TOKEN"] = hub.oidc.id_token("https://example.org", **REPOSITORY)
    assert failed(get(MODEL), "invalid_grant")


def test_a_slow_hub_is_not_waited_for(get: Get, environment: Environment, hub: Hub) -> None:
    hub.oidc.delay = 30
    begin = time.monotonic()
    assert failed(get(MODEL), "gave no answer in time")
    assert 9 < time.monotonic() - begin < 15
    assert failed(get(MODEL), "gave no answer in time")
    assert time.monotonic() - begin < 15


def test_what_had_no_time_left_fails_for_itself_alone(get: Get, hub: Hub) -> None:
    """The Hub says that it does not trust the job with another repository when there is hardly time to ask again."""
    hub.oidc.delay = 7
    assert failed(get("other/model"), "gave no answer in time")
    hub.oidc.delay = 0
    assert given(get("other/model"), hub)


def test_what_nobody_reckoned_with_is_a_failure_too(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where no thread can be started, which root is always allowed: a mock fails in another way."""
    write_token_file(environment, IN_FILE)
    monkeypatch.setattr(requests_to_hub, "exchange", lambda *_: int("x"))
    assert failed(run_call(("get",), request(path=MODEL), environment), "unexpected ValueError")


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({}, ("there is no ID token",)),
        ({"GITHUB_ACTIONS": "true"}, ("permissions: id-token: write",)),
        ({"HF_OIDC_ID_TOKEN_FILE": "/nonexistent"}, ("HF_OIDC_ID_TOKEN_FILE holds no ID token",)),
        ({"HF_OIDC_ID_TOKEN_FILE": "/dev/zero"}, ("HF_OIDC_ID_TOKEN_FILE holds no ID token",)),
        ({"HF_OIDC_ID_TOKEN": "a b"}, ("HF_OIDC_ID_TOKEN holds no ID token",)),
        ({"HF_OIDC_ID_TOKEN": "a\nb"}, ("HF_OIDC_ID_TOKEN holds no ID token",)),
        (
            {"ACTIONS_ID_TOKEN_REQUEST_URL": "http://x/?a=1", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "x"},
            ("not an https URL",),
        ),
        (
            {"ACTIONS_ID_TOKEN_REQUEST_URL": "https://evil.example/?a=1", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "x"},
            ("GitHub Actions cannot be reached",),
        ),
        (
            {
                "ACTIONS_ID_TOKEN_REQUEST_URL": "https://pipelines.actions.githubusercontent.com/?a=1",
                "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "wrong",
            },
            ("GitHub Actions answers with status 401",),
        ),
    ],
)
def test_no_identity(
    get: Get, environment: Environment, hub: Hub, variables: dict[str, str], words: tuple[str, ...]
) -> None:
    write_token_file(environment, IN_FILE)
    environment["HF_OIDC_ID_TOKEN"] = ""
    assert failed(get(**variables), *words)
    assert hub.oidc.exchanges == []


def test_the_hub_that_cannot_be_reached(get: Get, environment: Environment) -> None:
    told = get(https_proxy="http://127.0.0.1:1", HTTPS_PROXY="http://127.0.0.1:1")
    assert failed(told, "the Hub cannot be reached: Connection refused")


def test_no_other_host_is_asked(get: Get, environment: Environment, hub: Hub) -> None:
    assert given(get(HF_ENDPOINT="https://hub.example.org"), hub)
    assert {one.host for one in hub.log} == {"huggingface.co"}


# --- the real programs -----------------------------------------------------------------------------------------------


def cloned(environment: Environment, hub: Hub, folder: Path, objects: int = 1) -> Path:
    """Clone the gated model without its large files."""
    weights = {f"part-{number}.safetensors": b"weights %d" % number for number in range(objects)}
    hub.create(MODEL, private=True, gated=True, files={"config.json": "{}\n"}, lfs=weights)
    for command in (
        [EXECUTABLE, "configure", "--git-lfs"],
        ["git", "clone", "--quiet", f"https://huggingface.co/{MODEL}", str(folder / "clone")],
    ):
        subprocess.run(command, env=environment | {"GIT_LFS_SKIP_SMUDGE": "1"}, capture_output=True, check=True)
    return folder / "clone"


@pytest.mark.parametrize("provider", ["a variable", "github"])
def test_two_hundred_objects_take_one_exchange(
    environment: Environment, hub: Hub, tmp_path: Path, provider: str
) -> None:
    if provider == "github":
        environment["HF_OIDC_ID_TOKEN"] = ""
        environment |= hub.oidc.github_environ(**REPOSITORY)
    clone = cloned(environment, hub, tmp_path, 200)
    done = subprocess.run(["git", "lfs", "pull"], cwd=clone, env=environment, capture_output=True, check=True)
    assert (clone / "part-199.safetensors").read_bytes() == b"weights 199"
    assert hub.oidc.exchanges == [MODEL]
    assert hub.oidc.identities == (provider == "github")
    (token,) = hub.oidc.given
    assert {one.fingerprint for one in hub.log if one.fingerprint and one.host == "huggingface.co"} == {
        fingerprint(token)
    }
    assert token.encode() not in done.stdout + done.stderr


def test_git_lfs_does_not_repeat_an_exchange_that_fails(environment: Environment, hub: Hub, tmp_path: Path) -> None:
    clone = cloned(environment, hub, tmp_path)
    environment["HF_OIDC_ID_TOKEN"] = hub.oidc.id_token(repository="mallory/x")
    hub.oidc.exchanges.clear()
    done = subprocess.run(["git", "lfs", "pull"], cwd=clone, env=environment, capture_output=True, check=False)
    assert done.returncode != 0
    assert len(hub.oidc.exchanges) <= 2


def test_a_push_is_by_the_exchanged_token(environment: Environment, hub: Hub, tmp_path: Path) -> None:
    clone = cloned(environment, hub, tmp_path)
    (clone / "new.txt").write_text("new\n")
    who = ["-c", "user.name=ci", "-c", "user.email=ci@example.org"]
    for command in (["add", "."], [*who, "commit", "--quiet", "-m", "new"], ["push", "--quiet"]):
        subprocess.run(["git", *command], cwd=clone, env=environment, capture_output=True, check=True)
    assert hub.oidc.exchanges == [MODEL]


def test_no_secret_is_in_a_trace_or_an_argument(environment: Environment, hub: Hub, tmp_path: Path) -> None:
    environment["HF_OIDC_ID_TOKEN"] = ""
    environment |= hub.oidc.github_environ(**REPOSITORY) | {"GIT_CREDENTIAL_HF_TRACE": "1"}
    log = tmp_path / "started"
    command = ["strace", "-f", "-qq", "-s", "9999", "-e", "trace=execve", "-o", str(log), EXECUTABLE, "get"]
    done = subprocess.run(command, input=request(path=MODEL), env=environment, capture_output=True, check=True)
    assert b"oidc: a token for my-org/my-model" in done.stderr
    secrets = (hub.oidc.given[-1], hub.oidc.github_token, environment["ACTIONS_ID_TOKEN_REQUEST_URL"], "idtoken")
    for secret in map(str.encode, map(str, secrets)):
        assert secret not in done.stderr
        assert secret not in log.read_bytes()
