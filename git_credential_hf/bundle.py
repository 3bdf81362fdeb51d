"""The bundle: the bytecode of all that git may wait for, in few files, the first of which the launcher starts.

They are in __pycache__, and made as the interpreter makes bytecode there: by the way, by what a person runs, where they
can be written. Without them git waits a little longer.
"""

import hashlib
import os
import stat
import sys
from importlib.util import MAGIC_NUMBER
from marshal import dumps
from types import CodeType

from git_credential_hf import files, start

_PACKAGE = "git_credential_hf"

# What each file holds, each module after what it imports. The first is what every request needs; the others are loaded
# with the modules that start.PARTS names.
_FIRST = "bundled"
FILES = {
    "bundled-answer": (".sources", ".token", ".reading", ".secret_service", ".secret_service.item", ".sources.keyring"),
    "bundled-lookup": (".secret_service.wire", ".secret_service.lookup"),
    _FIRST: ("", ".scope", ".options", ".protocol", ".helper", ".__main__"),
}
# The lines of `start` that are filled in, and what holds the place of code until it is compiled.
_NO_STATE = '_STATE: "tuple[int, int] | None" = None'
_NO_MODULES = '_FIRST: "Iterable[tuple[str, tuple[int, int], CodeType]]" = ()'
_PLACE = ("modules",)
_WAIT = 0.2  # seconds, for another run that makes it too


def make() -> None:
    """Make the bundle where it is not there, or not of the sources that are; do nothing where it cannot be made."""
    own = start.path(f"{_PACKAGE}.start") + ".py"
    folder = os.path.join(os.path.dirname(own), "__pycache__")
    states = [start.state(start.path(_PACKAGE + name) + ".py") for names in FILES.values() for name in names]
    made_of = hashlib.sha256(repr([start.state(own), *states]).encode()).digest()[:8]
    header = MAGIC_NUMBER + bytes(4) + made_of
    try:
        if sys.dont_write_bytecode or _header(_file(folder, _FIRST)) == header:
            return
        os.makedirs(folder, exist_ok=True)
        mode = stat.S_IMODE(os.stat(own).st_mode)  # for whoever can read the source
        with files.Locked(os.fsencode(folder), _WAIT):
            for name, modules in FILES.items():
                content = tuple(_module(_PACKAGE + module) for module in modules)
                whole = header + dumps(_start(own, content)) if name == _FIRST else MAGIC_NUMBER + dumps(content)
                files.replace(os.fsencode(_file(folder, name)), whole, mode)
    except OSError:
        pass


def _file(folder: str, name: str) -> str:
    return os.path.join(folder, f"{name}.{sys.implementation.cache_tag}.pyc")


def _header(file: str) -> bytes:
    try:
        with open(file, "rb") as opened:
            return opened.read(16)
    except OSError:  # it is not there, or another user's and not for us to read
        return b""


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
    return compile(text, source, "exec", dont_inherit=True, optimize=2)
