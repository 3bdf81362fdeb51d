"""What is measured: a function for each table, which makes what its cases need and runs them."""

import contextlib
import os
import secrets
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks import keyrings, measure
from benchmarks.install import PYTHON, Programs
from benchmarks.keyrings import HF_USER, HOST
from benchmarks.measure import Case, Crowd, Row
from tests.keyring_items import Items
from tests.providers import Bus, GnomeKeyring, wait_until

LIBSECRET = "git-credential-libsecret"
MANAGER = "Git Credential Manager"
KEYRING_GET = "keyring get"
LOCAL = "a get from the keyring"
FORWARDED = "git-credential-hf (forwarded)"
TO_PERSON = "git-credential-hf (token)"
FLOOR = "python3 -I -S -c pass"
UNCHANGED = "seed, nothing new"
STATUS = "git-credential-hf status"
ON_TERMINAL = "git-credential-hf status, on a terminal"
DECLARED_UNCHANGED = "seed, {} unchanged"

_PEERS = Path(__file__).parent / "peers"
_WRITES = ("CreateCollection", "CreateItem", "Delete", "Set", "SetSecret", "SetSecrets")


def _token() -> str:
    return f"hf_{secrets.token_hex(17)}"


@dataclass
class Table:
    """One table as measured, and who is missing from it."""

    title: str
    about: str
    rows: list[Row]
    missing: dict[str, str]

    def row(self, name: str) -> Row | None:
        """Return the row of the case of this name, if it could be measured."""
        return next((row for row in self.rows if row.case.name == name), None)

    def ratio(self, row: Row, to: str) -> float | None:
        """Return how many times as long as the row named `to` it took, if that could be measured."""
        base = self.row(to)
        return None if base is None else row.ratio(base)


@dataclass
class Bench:
    """What every table is made with.

    folder: an empty one, with a path that is short enough for the sockets in it.
    exits: what ends the keyrings.
    token: what every helper is to answer.
    """

    programs: Programs
    folder: Path
    rounds: int
    warm_up: int
    exits: contextlib.ExitStack
    token: str = field(default_factory=_token, repr=False)

    def ours(self) -> dict[str, str]:
        """Return our helper's paths by the names of its rows."""
        return {f"git-credential-hf ({way})": program.path for way, program in self.programs.ours.items()}

    def one_of_ours(self) -> str:
        """Return the path of our helper, for what does not depend on how it was installed."""
        return next(iter(self.ours().values()))

    def peer(self, name: str) -> str:
        """Return the path of another program, empty where it is not here."""
        program = self.programs.peers.get(name)
        return program.path if program else ""

    def both(self) -> dict[str, str]:
        """Return our helper and libsecret's, if that is here."""
        found = {"git-credential-hf": self.one_of_ours(), LIBSECRET: self.peer(LIBSECRET)}
        return {name: path for name, path in found.items() if path}

    def password(self) -> bytes:
        """Return the line with the token that git is to be answered."""
        return b"password=" + self.token.encode()

    def keyring(self, name: str, *more: keyrings.Stored) -> GnomeKeyring:
        """Start a keyring that holds the Hub's token, as ours and as libsecret's helper store it, and `more`."""
        half = len(more) // 2
        items = [*more[:half], keyrings.ours(self.token), keyrings.libsecrets(self.token), *more[half:]]
        return self.exits.enter_context(contextlib.closing(keyrings.keyring(self.folder / name, items)))

    def table(self, title: str, about: str, cases: list[Case], buses: dict[str, Bus] | None = None) -> Table:
        """Measure `cases`, round by round; after that the memory of each, and its calls if `buses` has its bus.

        A case whose program is not here is left out.
        """
        here = [case for case in cases if case.command[0]]
        rows, missing = measure.interleaved(here, self.rounds, self.warm_up)
        for row in rows:
            row.memory = measure.memory(row.case)
            if buses and row.case.name in buses:
                row.calls = len(_calls(row.case, buses[row.case.name]))
        return Table(title, about, rows, missing)


def get(bench: Bench) -> Table:
    """Every helper that has a credential of the Hub to give."""
    here = bench.keyring("get")
    environ, password = here.bus.environ(), bench.password()

    def asks(name: str, *command: str, answer: bytes = password, request: bytes = _request()) -> Case:
        return Case(name, [*command], environ, request, answer, "keyring")

    cases = [asks(name, path, "get") for name, path in bench.ours().items()]
    cases += [
        asks(LIBSECRET, bench.peer(LIBSECRET), "get"),
        asks(
            "secret-tool lookup", bench.peer("secret-tool"), "lookup", "protocol", "https", "server", HOST,
            request=b"", answer=bench.token.encode(),
        ),
        asks("jeepney script", bench.peer("jeepney"), str(_PEERS / "with_jeepney.py")),
        asks("secretstorage script", bench.peer("secretstorage"), str(_PEERS / "with_secretstorage.py")),
    ]  # fmt: skip
    for name, make in ((KEYRING_GET, _keyring_get), (MANAGER, _manager), ("pass-git-helper", _pass)):
        try:
            cases.append(make(bench, environ))
        except subprocess.CalledProcessError as error:
            bench.programs.missing[name] = f"{' '.join(error.cmd[:2])} failed: {error.stderr.decode(errors='replace')}"
    cases += [*_readers_of_files(bench, environ), *_floors(environ)]
    python = Path(bench.one_of_ours()).parent / "python3"
    if python.exists():
        cases.append(Case(f"{FLOOR}, in a venv", [str(python), "-I", "-S", "-c", "pass"], environ))
    return bench.table(
        "get, from gnome-keyring",
        "All helpers that use a keyring use the same one. It holds the Hub's token once in each helper's own form.",
        [replace(case, base=LIBSECRET) for case in cases],
        {case.name: here.bus for case in cases if case.source == "keyring"},
    )


def fill(bench: Bench) -> Table:
    """What git itself waits for."""
    here = bench.keyring("fill")
    git = os.path.realpath(shutil.which("git") or "git")
    store = f"{bench.peer('git-credential-store')} --file={_git_credentials(bench)}"
    helpers = {**bench.ours(), LIBSECRET: bench.peer(LIBSECRET), "git-credential-store": store}
    cases = []
    for number, (name, helper) in enumerate(helpers.items()):
        configuration = bench.folder / f"gitconfig-{number}"
        configuration.write_text(f'[credential "https://{HOST}"]\n\thelper = {helper}\n')
        environ = here.bus.environ() | {"GIT_CONFIG_GLOBAL": str(configuration), "GIT_CONFIG_NOSYSTEM": "1"}
        command = [git if helper else "", "credential", "fill"]
        cases.append(Case(name, command, environ, _request(), bench.password(), base=LIBSECRET))
    return bench.table(
        "git credential fill",
        "The time of git and the helper together. git is configured with the helper's absolute path.",
        cases,
    )


def token_file(bench: Bench) -> Table:
    """A server, a container, a job: the token in Hugging Face's file."""
    home = bench.folder / "token file"
    (home / "run").mkdir(parents=True, mode=0o700)
    environ = {
        "PATH": os.environ["PATH"],
        "LC_ALL": "C.UTF-8",
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_RUNTIME_DIR": str(home / "run"),
    }
    readers = _readers_of_files(bench, environ)
    cases = [
        Case(name, [path, "get"], environ, _request(), bench.password(), "token file")
        for name, path in bench.ours().items()
    ]
    return bench.table(
        "get, from the token file, with no session bus",
        "A server, a container, a job.",
        [replace(case, base=FLOOR) for case in [*cases, *readers, *_floors(environ)]],
    )


def forwarded(bench: Bench) -> Table:
    """A socket that leads to `serve`, beside the keyring that this reads itself."""
    here = bench.keyring("forwarded")
    program, socket = bench.one_of_ours(), bench.folder / "serve.sock"
    serving = bench.exits.enter_context(
        subprocess.Popen(
            [program, "serve", "--socket", str(socket)],
            env=here.bus.environ(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
    )
    bench.exits.callback(serving.terminate)
    wait_until(socket.exists, "serve listens")
    elsewhere = here.bus.environ() | {"DBUS_SESSION_BUS_ADDRESS": "disabled:", "GIT_CREDENTIAL_HF_SOCKET": str(socket)}
    cases = [
        Case(FORWARDED, [program, "get"], elsewhere, _request(), bench.password(), "forwarded", base=LOCAL),
        Case(
            TO_PERSON, [program, "token", f"https://{HOST}"], here.bus.environ(),
            answer=bench.token.encode(), source="keyring", base=LOCAL,
        ),
        Case(LOCAL, [program, "get"], here.bus.environ(), _request(), bench.password(), "keyring", base=LOCAL),
    ]  # fmt: skip
    return bench.table(
        "get, from a forwarded socket; and git-credential-hf token",
        "As in a container or on another machine: the socket leads to `serve`, and `serve` asks the keyring. The time "
        "of a network is not in it. The command `token` asks the keyring.",
        cases,
    )


def foreign_host(bench: Bench) -> Table:
    """A host that nobody has a credential for."""
    here = bench.keyring("foreign")
    environ, request = here.bus.environ(), _request(host="cdn-lfs.hf.co")
    asked = {**bench.ours(), LIBSECRET: bench.peer(LIBSECRET)}
    cases = [Case(name, [path, "get"], environ, request) for name, path in asked.items()]
    return bench.table(
        "get, for a foreign host",
        "What a helper that is set for all hosts costs at each other host: it has nothing to answer.",
        [replace(case, base=FLOOR) for case in [*cases, *_floors(environ)]],
        dict.fromkeys(asked, here.bus),
    )


def sizes(bench: Bench, counts: list[int]) -> Table:
    """Keyrings of so many items."""
    cases, buses = [], {}
    for count in counts:
        here = bench.keyring(f"size-{count}", *keyrings.others(count - 2))
        for name, path in bench.both().items():
            case = Case(
                of_items(name, count), [path, "get"], here.bus.environ(), _request(), bench.password(), "keyring",
                base=of_items(LIBSECRET, count),
            )  # fmt: skip
            cases.append(case)
            buses[case.name] = here.bus
    return bench.table(
        "get, from keyrings of different sizes",
        "The smallest holds the Hub's token alone, once in the form of each of the two helpers. The larger ones are "
        "filled with credentials for other hosts.",
        cases,
        buses,
    )


def of_items(name: str, count: int) -> str:
    """Return the name of the row of `name` with so many items in the keyring."""
    return f"{name}, {count:,} item{'s'[: count != 1]}"


def scopes(bench: Bench, counts: list[int]) -> Table:
    """Keyrings with tokens for so many scopes."""
    cases, buses = [], {}
    for count in counts:
        tokens = {f"org-{number}": _token() for number in range(count)}
        here = bench.keyring(
            f"scopes-{count}",
            *(keyrings.ours(token, scope=scope) for scope, token in tokens.items()),
            *(keyrings.libsecrets(token, path=f"{scope}/model") for scope, token in tokens.items()),
        )
        scope, token = list(tokens.items())[count // 2]
        request, password = _request(path=f"{scope}/model"), f"password={token}".encode()
        for name, path in bench.both().items():
            case = Case(
                of_scopes(name, count), [path, "get"], here.bus.environ(), request, password, "keyring",
                base=of_scopes(LIBSECRET, count),
            )  # fmt: skip
            cases.append(case)
            buses[case.name] = here.bus
    return bench.table(
        "get, from keyrings with scoped tokens",
        "The keyring holds a token for each of the organisations that the row counts, and one for the whole host. The "
        "request has a repository's path. git-credential-libsecret knows no scopes: it has an item for that exact "
        "path.",
        cases,
        buses,
    )


def of_scopes(name: str, count: int) -> str:
    """Return the name of the row of `name` with tokens for so many scopes."""
    return f"{name}, {count:,} scope{'s'[: count != 1]}"


def crowds(bench: Bench, runs: int, at_once: int, turns: int) -> list[Crowd]:
    """Let `runs` gets be made, `at_once` of them at a time, by our helper and by libsecret's, turn by turn."""
    taken: dict[str, list[Crowd]] = {name: [] for name in bench.both()}
    for turn in range(turns):
        for number, (name, path) in enumerate(bench.both().items()):
            # One of its own: what one helper does to a keyring is not to weigh on the other.
            here = bench.keyring(f"crowd-{turn}-{number}")
            case = Case(name, [path, "get"], here.bus.environ(), _request(), bench.password(), "keyring")
            taken[name].append(measure.crowd(case, runs, at_once))
    return [measure.together(crowds) for crowds in taken.values()]


def seed(bench: Bench) -> tuple[Table, list[str]]:
    """`seed` in its three situations, and what it wrote where there was nothing new."""
    cases: list[Case] = []
    buses: dict[str, Bus] = {}

    def situation(name: str, prepare: Callable[[GnomeKeyring, Path], None]) -> Case:
        here = bench.keyring(f"seed-{len(cases)}")
        buses[name] = here.bus
        source = bench.folder / f"seed-{len(cases)}.token"
        _private(source, bench.token)
        command = [bench.one_of_ours(), "seed", "--from", str(source)]
        case = Case(name, command, here.bus.environ(), answer=None, prepare=lambda: prepare(here, source))
        cases.append(case)
        return case

    def empty(here: GnomeKeyring, source: Path) -> None:
        with contextlib.closing(Items(here.bus)) as items:
            items.clear()
        (here.bus.folder / "cache" / "huggingface" / "token").unlink(missing_ok=True)

    situation("seed, the first", empty)
    unchanged = situation(UNCHANGED, lambda here, source: None)
    situation("seed, another token", lambda here, source: _private(source, _token()))
    table = bench.table(
        "seed",
        "From a file into the keyring and the token file: with no token stored yet, with the same token stored, and "
        "with another.",
        [replace(case, base=FLOOR) for case in [*cases, _floor(buses[UNCHANGED].environ())]], buses,
    )  # fmt: skip
    bus = buses[UNCHANGED]
    before = _files(bus.folder)
    written = [call for call in _calls(unchanged, bus) if call.rpartition(" ")[2] in _WRITES]
    return table, written + sorted(_files(bus.folder) ^ before)


def declared(bench: Bench, count: int) -> Table:
    """`seed` of so many tokens that tokens.toml declares."""
    cases: list[Case] = []
    buses: dict[str, Bus] = {}

    def situation(name: str, prepare: Callable[[GnomeKeyring, Path], None]) -> None:
        here = bench.keyring(f"declared-{len(cases)}")
        buses[name] = here.bus
        environ = here.bus.environ()
        folder = Path(environ["XDG_CONFIG_HOME"]) / "git-credential-hf"
        tables = [f'[tokens.org-{number}]\nfile = "{number}"\nscope = "org-{number}"\n' for number in range(count)]
        _private(folder / "tokens.toml", "\n".join(tables))
        rotate(here, folder)
        cases.append(
            Case(name, [bench.one_of_ours(), "seed"], environ, answer=None, prepare=lambda: prepare(here, folder))
        )

    def rotate(here: GnomeKeyring, folder: Path) -> None:
        for number in range(count):
            _private(folder / str(number), _token())

    def empty(here: GnomeKeyring, folder: Path) -> None:
        with contextlib.closing(Items(here.bus)) as items:
            items.clear()

    situation(f"seed, the first of {count}", empty)
    situation(DECLARED_UNCHANGED.format(count), lambda here, folder: None)
    situation(f"seed, {count} other tokens", rotate)
    # gnome-keyring writes its whole file for each of them, twice for a new one: a few rounds take long enough.
    few = replace(bench, rounds=min(bench.rounds, 5), warm_up=1)
    return few.table(
        f"seed, {count} declared tokens",
        "From the files that tokens.toml lists into the keyring: with no tokens stored yet, with the same tokens "
        "stored, and with others.",
        cases, buses,
    )  # fmt: skip


def status(bench: Bench) -> Table:
    """What a person waits for who wants to see, piped and on a terminal."""
    here = bench.keyring("status")
    environ = here.bus.environ() | {"HF_HUB_OFFLINE": "1", "TERM": "xterm"}
    ours = bench.one_of_ours()
    _run([ours, "configure"], environ)
    _readers_of_files(bench, environ)  # for what they read
    _private(Path(environ["XDG_CACHE_HOME"]) / "huggingface" / "stored_tokens", f"[mine]\nhf_token = {bench.token}\n")
    told = [ours, "status", f"https://{HOST}/my-org/my-model"]
    terminal = [shutil.which("script") or "", "--quiet", "--return", "--command", " ".join(told), "/dev/null"]
    cases = [
        Case(STATUS, told, environ, answer=None),
        Case(ON_TERMINAL, terminal, environ, answer=None),
        Case("hf auth list", [bench.peer("hf"), "auth", "list"], environ, answer=None),
        # It tells of each login that it cannot be checked, and exits with 1.
        Case("gh auth status, without a network", [bench.peer("gh"), "auth", "status"], environ, answer=None, code=1),
        _floor(environ),
    ]
    return bench.table(
        "status",
        "Without --online. The time has every check of status in it: of git, git-lfs, the keyring and the files.",
        [replace(case, base=FLOOR) for case in cases],
    )


def people(bench: Bench) -> Table:
    """What a person runs and waits for, beside what hf has for the same."""
    here = bench.keyring("people")
    environ = here.bus.environ()
    _private(Path(environ["XDG_CACHE_HOME"]) / "huggingface" / "token", bench.token)
    offline = environ | {"HF_HUB_OFFLINE": "1"}
    cases = [Case(name, [path, "list"], environ, answer=None, source="keyring") for name, path in bench.ours().items()]
    cases += [Case("hf auth list", [bench.peer("hf"), "auth", "list"], offline, answer=None), _floor(environ)]
    return bench.table(
        "list", "The time that a person waits, with one token in the keyring and in the token file.",
        [replace(case, base=FLOOR) for case in cases], {case.name: here.bus for case in cases if case.source},
    )  # fmt: skip


def _request(host: str = HOST, path: str = "") -> bytes:
    lines = ["protocol=https", f"host={host}", *([f"path={path}"] if path else []), ""]
    return "".join(f"{line}\n" for line in lines).encode()


def _calls(case: Case, bus: Bus) -> list[str]:
    case.prepare()
    with bus.calls() as made:
        _run(case.command, case.environ, case.request)
    return made


def _files(folder: Path) -> set[str]:
    """Return what tells the files of a user from those of another time."""
    found = set()
    for name in ("home", "data", "config", "cache"):
        for file in (folder / name).rglob("*"):
            status = file.lstat()
            if file.is_file():
                found.add(f"{file.relative_to(folder)} {status.st_ino} {status.st_mtime_ns}")
    return found


def _floors(environ: dict[str, str]) -> list[Case]:
    return [_floor(environ), Case("/bin/true", ["/bin/true"], environ)]


def _floor(environ: dict[str, str]) -> Case:
    return Case(FLOOR, [PYTHON, "-I", "-S", "-c", "pass"], environ)


def _keyring_get(bench: Bench, environ: dict[str, str]) -> Case:
    program, answer = bench.peer("keyring"), bench.token.encode()
    if program:
        _run([program, "set", HOST, HF_USER], environ, answer)
    return Case(KEYRING_GET, [program, "get", HOST, HF_USER], environ, b"", answer, "keyring")


def _manager(bench: Bench, environ: dict[str, str]) -> Case:
    program = bench.peer("git-credential-manager")
    environ = environ | {
        "GCM_CREDENTIAL_STORE": "secretservice",
        "GCM_PROVIDER": "generic",  # it would ask the host which
        "GCM_INTERACTIVE": "never",
        "DISPLAY": ":0",  # without one it refuses the Secret Service
        "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1",  # so that it needs no libicu
    }
    if program:
        _run([program, "store"], environ, _request()[:-1] + f"username={HF_USER}\n".encode() + bench.password() + b"\n")
    return Case(MANAGER, [program, "get"], environ, _request(), bench.password(), "keyring")


def _readers_of_files(bench: Bench, environ: dict[str, str]) -> list[Case]:
    hosts = f"{HOST}:\n    oauth_token: {bench.token}\n    user: {HF_USER}\n    git_protocol: https\n"
    _private(Path(environ["XDG_CONFIG_HOME"]) / "gh" / "hosts.yml", hosts)
    _private(Path(environ["XDG_CACHE_HOME"]) / "huggingface" / "token", bench.token)
    store = [bench.peer("git-credential-store"), f"--file={_git_credentials(bench)}", "get"]
    gh = [bench.peer("gh"), "auth", "git-credential", "get"]
    # Offline, since it would look for a newer version of itself.
    offline = environ | {"HF_HUB_OFFLINE": "1"}
    return [
        Case("git-credential-store", store, environ, _request(), bench.password(), "file"),
        Case("gh auth git-credential", gh, environ, _request(), bench.password(), "file"),
        Case("hf auth token", [bench.peer("hf"), "auth", "token"], offline, b"", bench.token.encode(), "token file"),
    ]


def _pass(bench: Bench, environ: dict[str, str]) -> Case:
    program = bench.peer("pass-git-helper")
    environ = environ | {
        "GNUPGHOME": str(bench.folder / "gpg"),
        "PASSWORD_STORE_DIR": str(bench.folder / "pass"),
    }
    if program:
        (bench.folder / "gpg").mkdir(mode=0o700)
        bench.exits.callback(subprocess.run, ["gpgconf", "--kill", "all"], env=environ, check=False)
        _run(["gpg", "--batch", "--quiet", "--passphrase", "", "--quick-generate-key", HF_USER], environ)
        _run([bench.peer("pass"), "init", HF_USER], environ)
        _run([bench.peer("pass"), "insert", "--multiline", "hub"], environ, bench.token.encode())
        mapping = Path(environ["XDG_CONFIG_HOME"]) / "pass-git-helper" / "git-pass-mapping.ini"
        _private(mapping, f"[{HOST}]\ntarget=hub\n")
    return Case("pass-git-helper", [program, "get"], environ, _request(), bench.password(), "gpg file")


def _git_credentials(bench: Bench) -> Path:
    file = bench.folder / "git-credentials"
    _private(file, f"https://{HF_USER}:{bench.token}@{HOST}\n")
    return file


def _private(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text(text)


def _run(command: list[str], environ: dict[str, str], input: bytes = b"") -> None:
    subprocess.run(command, input=input, env=environ, capture_output=True, check=True)
