"""The bundle: the bytecode of what git may wait for, in one file of __pycache__, from which `start` runs the package.

It is made as the interpreter makes bytecode there: by the way, by what a person runs, where that can be written.
Without it git waits a little longer. The file is laid out as a pyc file with a hash (PEP 552), save that the hash is of
what follows: the marshalled code of `loader`, the states of the sources, and the parts that it loads.
"""

import ast
import os
import stat
import sys
from _frozen_importlib_external import MAGIC_NUMBER
from _imp import source_hash
from importlib.util import decode_source
from marshal import dumps, loads
from types import CodeType

from git_credential_hf.startup import loader
from git_credential_hf.state import files, locks, safe_read

# By the module that each part is loaded with, its modules, each after what it imports. The first part is what every
# request needs.
PARTS = {
    "": (
        "", ".model", ".model.text", ".model.repository", ".options", ".model.request", ".model.outcome",
        ".model.token", ".model.item", ".state", ".state.safe_read", ".state.folders", ".secret_service",
        ".secret_service.dbus", ".secret_service.dbus.address", ".sources", ".sources.environment", ".sources.keyring",
        ".sources.token_file", ".operations", ".operations.get", ".__main__",
    ),
    ".secret_service.reader": (
        ".secret_service.dbus.encode", ".secret_service.dbus.decode", ".secret_service.dbus.opening",
        ".secret_service.dbus.connection",
        ".secret_service.messages", ".secret_service.quirks", ".secret_service.quirks.gnome_keyring",
        ".secret_service.quirks.keepassxc", ".secret_service.reader",
    ),
}  # fmt: skip

_PACKAGE = "git_credential_hf"
_LARGEST = 1 << 18  # bytes: what `start` reads
_WAIT = 0.2  # seconds, for another run that makes it too


def make() -> None:
    """Make the bundle where it is not there, or not of the sources that are. Where it cannot be made, do nothing."""
    package = os.path.dirname(os.path.dirname(loader.__file__))
    file = os.fsencode(f"{package}/__pycache__/bundle.{sys.implementation.cache_tag}.pyc")
    try:
        if sys.dont_write_bytecode or _is_current(file, package):
            return
        folder = os.path.dirname(file)
        os.makedirs(folder, exist_ok=True)
        mode = stat.S_IMODE(os.stat(loader.__file__).st_mode)  # for whoever can read the source
        with locks.FolderLock(folder, _WAIT):
            content = _content(package)
            files.replace(file, _header(content) + content, mode)
    except OSError:
        pass


def _is_current(file: bytes, package: str) -> bool:
    whole = safe_read.read(file, _LARGEST)
    if whole[:16] != _header(whole[16:]):
        return False
    _, states, _ = loads(whole[16:])  # noqa: S302 - it is sealed
    return states.keys() == _sources(package) and loader.is_current(package, states)


def _header(content: bytes) -> bytes:
    return MAGIC_NUMBER + b"\1\0\0\0" + source_hash(0, content)


def _content(package: str) -> bytes:
    states = {source: loader.state(f"{package}/{source}") for source in _sources(package)}  # before they are read
    parts = {part and _PACKAGE + part: dumps([_module(package, one) for one in names]) for part, names in PARTS.items()}
    return dumps((_compiled(f"{package}/startup/loader.py"), states, parts))


def _sources(package: str) -> set[str]:
    modules = {_source(package, name) for names in PARTS.values() for name in names}
    return modules | {"startup/bundle.py", "startup/loader.py", "startup/start.py"}


def _module(package: str, name: str) -> "loader.Module":
    source = _source(package, name)
    return _PACKAGE + name, source, source.endswith("__init__.py"), _compiled(f"{package}/{source}")


def _source(package: str, name: str) -> str:
    path = name.replace(".", "/").removeprefix("/")
    return os.path.join(path, "__init__.py") if os.path.isdir(os.path.join(package, path)) else f"{path}.py"


def _compiled(source: str) -> CodeType:
    """Return the code of a source without what only people's tools read: docstrings, annotations, lines."""
    with open(source, "rb") as opened:
        tree = ast.parse(decode_source(opened.read()))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        elif isinstance(node, ast.arg):
            node.annotation = None
    return _without_lines(compile(tree, source, "exec", dont_inherit=True, optimize=2))


def _without_lines(code: CodeType) -> CodeType:
    constants = (_without_lines(one) if isinstance(one, CodeType) else one for one in code.co_consts)
    return code.replace(co_linetable=b"", co_consts=tuple(constants))
