"""The lean start, from inside: what it takes for a module's bytecode, and what it leaves to the interpreter."""

import os
import py_compile
import sys
from pathlib import Path

import pytest

import git_credential_hf
from git_credential_hf.startup import start

NAME = "git_credential_hf.probe"


@pytest.fixture
def probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The source of a module of the package, with its bytecode beside it."""
    monkeypatch.setattr(start, "_folder", str(tmp_path))
    source = tmp_path / "probe.py"
    source.write_text("found = __name__\n")
    py_compile.compile(str(source), doraise=True)
    return source


def found(name: str = NAME) -> object:
    """Load `name` as the lean start does; return what the module says, None where it is left to the interpreter."""
    spec = start.Bytecode.find_spec(name)
    if spec is None:
        return None
    module = type(sys)(name)
    module.__spec__ = spec
    assert start.Bytecode.create_module(spec) is None
    start.Bytecode.exec_module(module)
    return module.found


def test_bytecode_of_the_source_beside_it_is_loaded(probe: Path) -> None:
    assert found() == NAME


def test_a_package_is_loaded_with_its_place(probe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "git_credential_hf.sources", raising=False)
    package = probe.parent / "sources"
    package.mkdir()
    (package / "__init__.py").write_text("found = __name__\n")
    py_compile.compile(str(package / "__init__.py"), doraise=True)
    assert found("git_credential_hf.sources") == "git_credential_hf.sources"
    spec = start.Bytecode.find_spec("git_credential_hf.sources")
    assert spec is not None
    assert spec.submodule_search_locations == [str(package)]


def test_every_package_is_known() -> None:
    folder = Path(git_credential_hf.__file__).parent
    packages = [file.parent.relative_to(folder.parent) for file in folder.rglob("__init__.py")]
    assert sorted(".".join(package.parts) for package in packages) == sorted(start._PACKAGES)


def test_another_packages_module_is_left(probe: Path) -> None:
    assert found("probe") is None


def test_bytecode_that_is_to_be_taken_unchecked_is_loaded(probe: Path) -> None:
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(probe), doraise=True, invalidation_mode=mode)
    os.utime(probe, (1, 1))
    assert found() == NAME


@pytest.mark.parametrize("what", ["newer", "other size", "no source", "no bytecode", "checked by hash", "large"])
def test_bytecode_that_may_not_be_the_sources_is_left(probe: Path, what: str) -> None:
    (bytecode,) = (probe.parent / "__pycache__").iterdir()
    if what == "newer":
        os.utime(probe, (1, 1))
    elif what == "other size":
        when = probe.stat().st_mtime
        probe.write_text("found = None, None\n")
        os.utime(probe, (when, when))
    elif what == "no source":
        probe.unlink()
    elif what == "no bytecode":
        bytecode.unlink()
    elif what == "checked by hash":
        mode = py_compile.PycInvalidationMode.CHECKED_HASH
        py_compile.compile(str(probe), doraise=True, invalidation_mode=mode)
    else:
        bytecode.write_bytes(bytecode.read_bytes().ljust(4 + (1 << 16), b"\0"))
    assert found() is None


def test_it_runs_what_follows_the_launchers_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["start.py", "/bin/git-credential-hf", "--no-such-option"])
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert start._start() == 2
    assert sys.argv[0] == "/bin/git-credential-hf"
