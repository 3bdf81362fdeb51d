"""The bundle: what it is made of, when it is made anew, and that one which is damaged or stale is done without."""

import ast
import marshal
import os
import random
import shutil
import socket
import subprocess
import sys
from _imp import source_hash
from collections.abc import Callable, Iterator
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

import git_credential_hf
from git_credential_hf import __version__
from git_credential_hf.startup import bundle, loader
from git_credential_hf.state import locks
from tests.conftest import Environment, Result
from tests.installed import GIVEN, REQUEST, an_environment, bundle_in, get, package_of, with_bundle
from tests.keyring_items import Items

# --- how it is made ------------------------------------------------------------------------------------------


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package, of which a bundle is made."""
    copy = tmp_path / "git_credential_hf"
    shutil.copytree(Path(git_credential_hf.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(loader, "__file__", str(copy / "startup/loader.py"))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    return copy


def made(package: Path) -> tuple[int, bytes]:
    """Return what tells the bundle from another file of its name, and what is in it."""
    return bundle_in(package).stat().st_ino, bundle_in(package).read_bytes()


def test_it_is_made_once(package: Path) -> None:
    bundle.make()
    first = made(package)
    bundle.make()
    assert made(package) == first
    assert [file.name for file in (package / "__pycache__").iterdir()] == [bundle_in(package).name]


def test_it_is_the_same_bytes_wherever_the_package_is(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle.make()
    other = package.parent / "other"
    package.rename(other)
    monkeypatch.setattr(loader, "__file__", str(other / "startup/loader.py"))
    before = made(other)
    bundle_in(other).unlink()
    bundle.make()
    assert made(other)[1] == before[1]


@pytest.mark.parametrize("changed", ["__init__.py", "startup/start.py", "startup/bundle.py", "model/token.py"])
def test_it_is_made_anew_of_another_source(package: Path, changed: str) -> None:
    bundle.make()
    before = made(package)
    (package / changed).write_text((package / changed).read_text() + "other = True\n")
    bundle.make()
    assert made(package)[0] != before[0]


States = dict[str, dict[str, tuple[int, int]]]


def held(whole: bytes) -> tuple[CodeType, States, dict[str, bytes]]:
    """Return what a bundle holds: the loader, and for each part the states of its sources, and its modules."""
    code, parts = marshal.loads(whole[12:])  # noqa: S302 - it has just been made
    states = {part: states for part, (states, _, _) in parts.items()}
    modules = {part: whole[len(whole) - end :][:length] for part, (_, end, length) in parts.items()}
    return code, states, modules


def bundle_of(code: CodeType, states: States, modules: dict[str, bytes]) -> bytes:
    """Return the bundle that holds these."""
    parts, end = {}, sum(map(len, modules.values()))
    for part, of_part in modules.items():
        parts[part] = states.get(part, {}), end, len(of_part)
        end -= len(of_part)
    return sealed((code, parts), b"".join(modules.values()))


def sealed(value: Any, more: bytes = b"") -> bytes:
    """Return a bundle that is whole, with `value` in the place of what one begins with, and `more` after it."""
    content = marshal.dumps(value) + more
    return MAGIC_NUMBER + source_hash(0, content) + content


# Each is whole, and none holds what it should.
OTHERS: list[Any] = [
    None,
    1,
    "text",
    b"bytes",
    (),
    (1, 2, 3),
    ({}, {}, {}),
    [1],
    ("pass", {}, {}),
    ("raise SystemError", 1, 2),
]


@pytest.mark.parametrize("content", [b"", b"damaged", *map(sealed, OTHERS)])
def test_it_is_made_anew_where_there_is_none(package: Path, content: bytes) -> None:
    bundle.make()
    right = made(package)[1]
    bundle_in(package).write_bytes(content)
    bundle.make()
    assert made(package)[1] == right


def test_it_is_for_whoever_can_read_the_source(package: Path) -> None:
    (package / "startup/loader.py").chmod(0o640)
    umask = os.umask(0o077)
    try:
        bundle.make()
    finally:
        os.umask(umask)
    assert bundle_in(package).stat().st_mode & 0o7777 == 0o640


def no_bytecode_is_wanted(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)


def no_folder(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (package / "__pycache__").write_text("")


def a_source_is_missing(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (package / "model/token.py").unlink()


def a_source_is_half_written(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (package / "model/token.py").write_text("def half(")


def a_source_is_no_text(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (package / "model/token.py").write_bytes(b"\xff\0")


@pytest.mark.parametrize(
    "why", [no_bytecode_is_wanted, no_folder, a_source_is_missing, a_source_is_half_written, a_source_is_no_text]
)
def test_where_it_cannot_be_made_nothing_is(
    package: Path, monkeypatch: pytest.MonkeyPatch, why: Callable[[Path, pytest.MonkeyPatch], None]
) -> None:
    why(package, monkeypatch)
    bundle.make()
    assert list(package.glob("__pycache__/*")) == []


def test_a_folder_in_its_place_stays(package: Path) -> None:
    (bundle_in(package) / "x").mkdir(parents=True)
    bundle.make()
    assert [file.name for file in package.glob("__pycache__/**/*")] == [bundle_in(package).name, "x"]


def test_one_run_at_a_time_makes_it(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "_WAIT", 0.01)
    (package / "__pycache__").mkdir()
    with locks.FolderLock(os.fsencode(package / "__pycache__"), 1):
        bundle.make()
    assert not bundle_in(package).exists()


def test_each_module_stands_after_what_it_imports(package: Path) -> None:
    names = [f"git_credential_hf{name}" for part in bundle.PARTS.values() for name in part]
    assert len(set(names)) == len(names)

    def source(name: str) -> Path:
        file = package.parent / name.replace(".", "/")
        return file / "__init__.py" if file.is_dir() else file.with_suffix(".py")

    for place, name in enumerate(names):
        for node in ast.parse(source(name).read_text()).body:
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("git_credential_hf"):
                imported = {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
                assert {one for one in imported if source(one).exists()} <= set(names[:place])


def test_a_part_is_loaded_with_one_of_its_modules() -> None:
    for part, names in bundle.PARTS.items():
        assert part in names


def test_a_source_that_an_upgrade_replaces_meanwhile_is_not_noted_as_the_one_that_was_read(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = bundle._compiled

    def replaced_afterwards(folder: str, source: str) -> object:
        code = compiled(folder, source)
        (package / source).write_text("new = True\n")
        return code

    monkeypatch.setattr(bundle, "_compiled", replaced_afterwards)
    bundle.make()
    _, states, _ = held(made(package)[1])
    assert not loader.is_current(str(package), {"model/token.py": states[""]["model/token.py"]})


# --- what answers git ----------------------------------------------------------------------------------------

OF_THE_SOURCE = Result(b"the source\n", b"", 0)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program with a bundle, and with sources that answer in another way without being known as others."""
    program = an_environment(tmp_path_factory.mktemp("installation"), editable=False)
    bundle = with_bundle(program).read_bytes()
    package = package_of(program)
    for folder in list(package.rglob("__pycache__")):
        shutil.rmtree(folder)
    entry = package / "__main__.py"
    status = entry.stat()
    text = "import posix\ndef main():\n    posix.write(1, b'the source\\n')\n    return 0\n"
    entry.write_text(text.ljust(status.st_size, "#"))
    os.utime(entry, ns=(status.st_atime_ns, status.st_mtime_ns))
    bundle_in(package).parent.mkdir()
    bundle_in(package).write_bytes(bundle)
    return program


@pytest.fixture
def whole(installation: Path, with_token: Environment) -> Iterator[bytes]:
    """What is in the bundle of the installation. It is whole before and after the test."""
    file = bundle_in(package_of(installation))
    content = file.read_bytes()
    assert get(installation, with_token) == GIVEN
    yield content
    if file.is_dir() and not file.is_symlink():
        file.rmdir()
    file.unlink(missing_ok=True)
    file.write_bytes(content)
    assert get(installation, with_token) == GIVEN


def test_one_that_is_cut_short_is_done_without(installation: Path, with_token: Environment, whole: bytes) -> None:
    for length in (*range(40), *range(40, len(whole), 1499), len(whole) - 1):
        bundle_in(package_of(installation)).write_bytes(whole[:length])
        assert get(installation, with_token) == OF_THE_SOURCE, length


def test_one_with_a_bit_that_is_another_is_done_without(
    installation: Path, with_token: Environment, whole: bytes
) -> None:
    anywhere = random.Random(0).sample(range(12 * 8, len(whole) * 8), 60)
    for bit in (*range(12 * 8), *anywhere):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        bundle_in(package_of(installation)).write_bytes(flipped)
        assert get(installation, with_token) == OF_THE_SOURCE, bit


def failing(whole: bytes) -> bytes:
    """Return a bundle that is whole, of which the second module cannot be run."""
    code, states, modules = held(whole)
    first, second, *_ = marshal.loads(modules[""])  # noqa: S302 - as above
    broken = (*second[:3], compile("half = True\nraise SystemError", "x", "exec"))
    return bundle_of(code, states, modules | {"": marshal.dumps([first, broken])})


def larger(whole: bytes) -> bytes:
    """Return a bundle that is whole, and too large."""
    code, states, modules = held(whole)
    return bundle_of(code, states, modules | {"more": bytes(1 << 18)})


CONTENTS: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda whole: b"",
    "zeros": lambda whole: bytes(1 << 20),
    "no header": lambda whole: whole[12:],
    "another header": lambda whole: sealed(OTHERS)[:12] + whole[12:],
    "nonsense": lambda whole: whole[:12] + random.Random(0).randbytes(len(whole)),
    "more": lambda whole: whole + b"\0",
    "of another interpreter": lambda whole: b"\0\0\r\n" + whole[4:],
    "without a part": lambda whole: bundle_of(*held(whole)[:2], {}),
    "with a part of another kind": lambda whole: bundle_of(*held(whole)[:2], {"": b"no code"}),
    "with a part elsewhere": lambda whole: sealed((held(whole)[0], {"": (held(whole)[1][""], -1, 9)})),
    "of another version": lambda whole: sealed(held(whole)),
    "with code that fails": failing,
    "too large": larger,
} | {f"{other!r}": lambda whole, other=other: sealed(other) for other in OTHERS}  # type: ignore[misc]


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_one_with_other_content_is_done_without(
    installation: Path, with_token: Environment, whole: bytes, content: Callable[[bytes], bytes]
) -> None:
    bundle_in(package_of(installation)).write_bytes(content(whole))
    assert get(installation, with_token) == OF_THE_SOURCE


def a_fifo_that_is_written_to(file: Path) -> None:
    os.mkfifo(file)
    os.open(file, os.O_RDWR | os.O_CLOEXEC)


def a_socket(file: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        os.chdir(file.parent)  # its path is too long for a socket's
        one.bind(file.name)


def a_link_to_a_fifo(file: Path) -> None:
    (file.parent / "fifo").unlink(missing_ok=True)
    os.mkfifo(file.parent / "fifo")
    file.symlink_to("fifo")


@pytest.mark.parametrize(
    "put",
    [
        os.mkfifo,
        a_fifo_that_is_written_to,
        a_link_to_a_fifo,
        a_socket,
        Path.mkdir,
        pytest.param(lambda file: file.symlink_to("not there"), id="a link to nothing"),
        pytest.param(lambda file: file.symlink_to(file), id="a link to itself"),
        pytest.param(lambda file: file.symlink_to("/dev/zero"), id="a link to a device"),
        pytest.param(lambda file: None, id="nothing"),
    ],
)
def test_what_is_no_file_is_done_without(
    installation: Path,
    with_token: Environment,
    whole: bytes,
    put: Callable[[Path], None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    file = bundle_in(package_of(installation))
    file.unlink()
    put(file)
    assert get(installation, with_token) == OF_THE_SOURCE


def test_one_that_cannot_be_read_is_done_without(installation: Path, with_token: Environment, whole: bytes) -> None:
    as_reader: list[str] = []
    if os.geteuid() == 0:  # who may read what nobody may
        as_reader = ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"]
    bundle_in(package_of(installation)).chmod(0)
    done = subprocess.run(
        [*as_reader, installation, "get"], input=REQUEST, env=with_token, capture_output=True, check=False, timeout=60
    )
    assert Result(done.stdout, done.stderr, done.returncode) == OF_THE_SOURCE


def test_where_a_source_has_changed_the_source_counts(
    installation: Path, with_token: Environment, whole: bytes
) -> None:
    _, states, _ = held(whole)
    for source in states[""]:
        file = package_of(installation) / source
        content, status = file.read_bytes(), file.stat()
        os.utime(file, (1, 1))
        assert get(installation, with_token) == OF_THE_SOURCE, source
        file.write_bytes(content + b"\n")
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
        assert get(installation, with_token) == OF_THE_SOURCE, source
        if source not in ("__main__.py", "startup/start.py"):  # which the launcher and it need
            file.unlink()
            assert get(installation, with_token) == OF_THE_SOURCE, source
        file.write_bytes(content)
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert len(states[""]) > 20


def test_where_a_source_of_a_further_part_has_changed_the_source_counts(
    keyring: Items, environment: Environment, tmp_path: Path
) -> None:
    program = an_environment(tmp_path, editable=False)
    _, states, _ = held(with_bundle(program).read_bytes())
    for sources in [states[part] for part in states if part]:
        for source in sources:
            file = package_of(program) / source
            content, status = file.read_bytes(), file.stat()
            assert get(program, environment) == Result(b"", b"", 0)
            file.write_bytes(b"import posix\nposix._exit(7)\n" + content)
            assert (source, get(program, environment)) == (source, Result(b"", b"", 7))
            file.write_bytes(content)
            os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize("lost", ["all", "the keyring's part", "what it is made of"])
@pytest.mark.parametrize("source", ["environment", "keyring", "token file"])
def test_without_it_every_source_answers(
    keyring: Items, environment: Environment, tmp_path: Path, source: str, lost: str
) -> None:
    program = an_environment(tmp_path, editable=False)
    bundle = with_bundle(program)
    code, states, modules = held(bundle.read_bytes())
    if lost == "all":
        bundle.unlink()
    elif lost == "the keyring's part":
        bundle.write_bytes(bundle_of(code, states, {"": modules[""]}))
    else:
        os.utime(package_of(program) / "secret_service/dbus/decode.py", (1, 1))
    if source == "environment":
        environment["HF_TOKEN"] = "hf_t0ken"
    elif source == "keyring":
        ours = {"git-credential-hf": "huggingface.co", "user": "hf_user"}
        keyring.add(b"hf_t0ken", xdg__schema="org.git.Password", **ours)
    else:
        file = Path(environment["HOME"], ".cache/huggingface/token")
        file.parent.mkdir(parents=True)
        file.write_text("hf_t0ken")
    assert get(program, environment) == GIVEN


@pytest.mark.parametrize("how", ["cut short", "a folder", "no folder can be made", "unreadable"])
def test_a_persons_command_does_its_work_where_it_is_damaged(with_token: Environment, tmp_path: Path, how: str) -> None:
    program = an_environment(tmp_path, editable=False)
    bundle = with_bundle(program)
    whole = bundle.read_bytes()
    shutil.rmtree(bundle.parent)
    if how == "no folder can be made":
        bundle.parent.write_text("")
    else:
        bundle.parent.mkdir()
    if how == "cut short":
        bundle.write_bytes(whole[:-1])
    elif how == "a folder":
        (bundle / "x").mkdir(parents=True)
    elif how == "unreadable":
        bundle.write_bytes(whole)
        bundle.chmod(0)
    for _ in range(2):
        done = subprocess.run([program, "--version"], env=with_token, capture_output=True, check=True)
        assert (done.stdout, done.stderr) == (f"git-credential-hf {__version__}\n".encode(), b"")
        assert get(program, with_token) == GIVEN
    if how in ("cut short", "unreadable"):
        assert bundle.read_bytes() == whole


def test_runs_that_make_it_at_once_and_git_beside_them(with_token: Environment, tmp_path: Path) -> None:
    program = an_environment(tmp_path, editable=False)
    whole = with_bundle(program)
    content = whole.read_bytes()
    for _ in range(3):
        whole.unlink()
        person, git = (program, "--version"), (program, "get")
        running = [
            subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=with_token
            )
            for command in [person, git] * 6
        ]
        for number, one in enumerate(running):
            version = Result(f"git-credential-hf {__version__}\n".encode(), b"", 0)
            stdout, stderr = one.communicate(REQUEST, timeout=60)
            assert Result(stdout, stderr, one.returncode) == (GIVEN if number % 2 else version)
        assert whole.read_bytes() == content
        assert [file.name for file in whole.parent.glob("*bundle*")] == [whole.name]
