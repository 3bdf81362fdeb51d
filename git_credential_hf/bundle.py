"""The bundle: the bytecode of all that git may wait for, in few files, the first of which the launcher starts.

They are in __pycache__, and made as the interpreter makes bytecode there: by the way, by what a person runs, where they
can be written. Without them git waits a little longer.
"""

import ast
import hashlib
import os
import stat
import sys
from importlib.util import MAGIC_NUMBER
from marshal import dumps
from types import CodeType

from git_credential_hf import files, reading, start

_PACKAGE = "git_credential_hf"

# What each file holds, each module after what it imports. The first is what every request needs; the others are loaded
# with the modules that start.PARTS names.
_FIRST = "bundled"
FILES = {
    "bundled-answer": (".sources", ".secret_service", ".secret_service.item", ".sources.keyring"),
    "bundled-lookup": (".secret_service.wire", ".secret_service.lookup"),
    "bundled-token": (".token", ".reading", ".secret_service.incoming"),
    _FIRST: ("", ".scope", ".options", ".protocol", ".helper", ".__main__"),
}
# The lines of `start` that are filled in, and what holds the place of code until it is compiled.
_NO_STATE = '_STATE: "tuple[int, int] | None" = None'
_NO_MODULES = '_FIRST: "Iterable[tuple[str, tuple[int, int], CodeType]]" = ()'
_PLACE = ("modules",)
WAIT = 0.2  # seconds, for another run that makes it too


def make() -> str:
    """Make the bundle where it is not there, or not of the sources that are.

    Returns its first file, or nothing where it cannot be made.
    """
    own = start.path(f"{_PACKAGE}.start") + ".py"
    folder = os.path.join(os.path.dirname(own), "__pycache__")
    states = [start.state(start.path(_PACKAGE + name) + ".py") for names in FILES.values() for name in names]
    made_of = hashlib.sha256(repr([start.state(own), *states]).encode()).digest()[:8]
    header = MAGIC_NUMBER + bytes(4) + made_of
    try:
        if sys.dont_write_bytecode:
            return ""
        if not reading.read(os.fsencode(file(folder, _FIRST))).startswith(header):
            os.makedirs(folder, exist_ok=True)
            mode = stat.S_IMODE(os.stat(own).st_mode)  # for whoever can read the source
            with files.Locked(os.fsencode(folder), WAIT):
                parts = {name: tuple(_module(_PACKAGE + one) for one in modules) for name, modules in FILES.items()}
                for name, content in parts.items():
                    whole = header + dumps(_start(own, content)) if name == _FIRST else MAGIC_NUMBER + dumps(content)
                    files.replace(os.fsencode(file(folder, name)), whole, mode)
        return file(folder, _FIRST)
    except OSError:
        return ""


def bytecode(name: str) -> bytes:
    """Return what the interpreter takes from __pycache__ for the bytecode of a module (PEP 552). Raises OSError."""
    _, state, code = _module(name)
    return MAGIC_NUMBER + bytes(4) + b"".join(number.to_bytes(4, "little") for number in state) + dumps(code)


def file(folder: str, name: str) -> str:
    """Return the path of the bytecode `name` in the folder __pycache__ `folder` (PEP 3147)."""
    return os.path.join(folder, f"{name}.{sys.implementation.cache_tag}.pyc")


def _module(name: str) -> tuple[str, tuple[int, int], CodeType]:
    source = start.path(name) + ".py"
    state = start.state(source)  # before it is read: an upgrade may replace it at any time
    with open(source, encoding="utf-8") as opened:
        return name, state, _compiled(opened.read(), source)


def _start(source: str, modules: tuple[tuple[str, tuple[int, int], CodeType], ...]) -> CodeType:
    """Return the code of `start` that has `modules` and its own state filled in."""
    state = start.state(source)
    with open(source, encoding="utf-8") as opened:
        text = opened.read()
    text = text.replace(_NO_STATE, f"_STATE = {state}", 1).replace(_NO_MODULES, f"_FIRST = {_PLACE}", 1)
    code = _compiled(text, source)
    return code.replace(co_consts=tuple(modules if constant == _PLACE else constant for constant in code.co_consts))


def _compiled(text: str, source: str) -> CodeType:
    """Return the code of a source without what only people's tools read: docstrings, annotations, lines."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        elif isinstance(node, ast.arg):
            node.annotation = None
    return _without_lines(compile(tree, source, "exec", dont_inherit=True, optimize=2))


def _without_lines(code: CodeType) -> CodeType:
    constants = (_without_lines(one) if isinstance(one, CodeType) else one for one in code.co_consts)
    return code.replace(co_linetable=b"", co_consts=tuple(constants))
