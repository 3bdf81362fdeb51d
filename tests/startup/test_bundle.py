"""The bundle, from inside: what it is made of, and when it is made anew. tests/test_launcher.py runs it."""

import ast
import io
import os
import shutil
import sys
from pathlib import Path

import pytest

import git_credential_hf
from git_credential_hf.startup import bundle, start
from git_credential_hf.state import files

PACKAGE = "git_credential_hf"
PARTS = ["bundled", "bundled-answer", "bundled-lookup", "bundled-token"]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package, whose bundle is made."""
    copy = tmp_path / PACKAGE
    shutil.copytree(Path(git_credential_hf.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(start, "_folder", str(copy))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    return copy


def made(package: Path) -> dict[str, tuple[int, bytes]]:
    """What tells each file from another one of that name, and what is in it, by the part that it is."""
    files = (package / "__pycache__").glob("*")
    return {file.name.partition(".")[0]: (file.stat().st_ino, file.read_bytes()) for file in files}


def test_it_is_made_once(package: Path) -> None:
    bundle.make()
    first = made(package)
    assert sorted(first) == PARTS
    bundle.make()
    assert made(package) == first


@pytest.mark.parametrize("changed", ["__init__.py", "start.py", "protocol.py", "secret_service/wire.py"])
def test_it_is_made_anew_of_another_source(package: Path, changed: str) -> None:
    bundle.make()
    before = made(package)
    os.utime(package / changed, (1, 1))
    bundle.make()
    assert all(made(package)[part][0] != before[part][0] for part in PARTS)


@pytest.mark.parametrize("why", ["no bytecode is wanted", "no folder", "another run is at it", "a source is missing"])
def test_where_it_cannot_be_made_nothing_is(package: Path, monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    if why == "no bytecode is wanted":
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
    elif why == "no folder":
        (package / "__pycache__").write_text("")
    elif why == "another run is at it":
        monkeypatch.setattr(bundle, "WAIT", 0.01)
        (package / "__pycache__").mkdir()
        with files.Locked(os.fsencode(package / "__pycache__"), 1):
            bundle.make()
        assert made(package) == {}
        return
    else:
        (package / "token.py").unlink()
    bundle.make()
    assert made(package) == {}


def test_each_module_stands_after_what_it_imports() -> None:
    package = Path(git_credential_hf.__file__).parent
    names = [PACKAGE + name for part in ("bundled", *start.PARTS.values()) for name in bundle.FILES[part]]
    for place, name in enumerate(names):
        for node in ast.parse(Path(f"{start.path(name)}.py").read_text()).body:
            if isinstance(node, ast.ImportFrom) and node.module is not None and node.module.startswith(package.name):
                imported = {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
                assert node.module in names[:place]
                assert {one for one in imported if Path(f"{start.path(one)}.py").exists()} <= set(names[:place])


def test_a_part_begins_with_the_module_that_it_is_loaded_with() -> None:
    for name, part in start.PARTS.items():
        assert name in [PACKAGE + one for one in bundle.FILES[part]]


def test_what_is_stale_and_what_follows_it_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "_folder", str(tmp_path))
    modules = []
    for name in ("first", "there", "stale", "last"):
        source = tmp_path / f"probe_{name}.py"
        source.write_text("found = __name__\n")
        modules.append(
            (f"{PACKAGE}.{source.stem}", start.state(str(source)), compile("found = __name__", "<probe>", "exec"))
        )
    os.utime(tmp_path / "probe_stale.py", (1, 1))
    there = type(sys)("there")
    monkeypatch.setitem(sys.modules, f"{PACKAGE}.probe_there", there)
    try:
        start._load(modules)
        assert sys.modules[f"{PACKAGE}.probe_first"].found == f"{PACKAGE}.probe_first"
        assert git_credential_hf.probe_first is sys.modules[f"{PACKAGE}.probe_first"]  # type: ignore[attr-defined]
        assert sys.modules[f"{PACKAGE}.probe_there"] is there
        assert not {f"{PACKAGE}.probe_stale", f"{PACKAGE}.probe_last"} & sys.modules.keys()
    finally:
        del sys.modules[f"{PACKAGE}.probe_first"], git_credential_hf.probe_first  # type: ignore[attr-defined]


def test_a_source_that_an_upgrade_replaces_meanwhile_is_not_noted_as_the_one_that_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "probe.py"
    source.write_text(f"{bundle._NO_STATE}\n{bundle._NO_MODULES}\n")
    before = start.state(str(source))

    def opened_then_replaced(file: str, encoding: str) -> io.StringIO:
        text = io.StringIO(Path(file).read_text(encoding))
        source.write_text("new = True\n")
        return text

    monkeypatch.setattr(start, "_folder", str(tmp_path))
    monkeypatch.setattr(bundle, "open", opened_then_replaced, raising=False)
    _, noted, code = bundle._module("git_credential_hf.probe")
    assert (noted, "_STATE" in code.co_names) == (before, True)
    source.write_text(f"{bundle._NO_STATE}\n{bundle._NO_MODULES}\n")
    before = start.state(str(source))
    assert before in bundle._start(str(source), ()).co_consts
