"""The bundle: the bytecode of all that git may wait for, in few files, the first of which the launcher starts.

They are in __pycache__, and made as the interpreter makes bytecode there: by the way, by what a person runs, where they
can be written. So is a launcher that names interpreter and bundle, in the place of the installed one, which has a shell
look for them. Without all this git waits a little longer.
"""

import ast
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
    "bundled-answer": (".sources", ".secret_service", ".secret_service.item", ".sources.keyring"),
    "bundled-lookup": (".secret_service.wire", ".secret_service.lookup"),
    "bundled-token": (".token", ".reading", ".secret_service.incoming"),
    _FIRST: ("", ".scope", ".options", ".protocol", ".helper", ".__main__"),
}
# The lines of `start` that are filled in, and what holds the place of code until it is compiled.
_NO_STATE = '_STATE: "tuple[int, int] | None" = None'
_NO_MODULES = '_FIRST: "Iterable[tuple[str, tuple[int, int], CodeType]]" = ()'
_PLACE = ("modules",)
_WAIT = 0.2  # seconds, for another run that makes it too

_INSTALLED = b"#!/bin/sh\n# Starts Python for git"
_LONGEST_LINE = 127  # bytes: what an older kernel reads of the first line of a script (execve(2))
_MADE = b" -ISXutf8\n# git-credential-hf has put this in the place of the launcher that was installed"
_LAUNCHER = """\
#!{python} -ISXutf8
# git-credential-hf has put this in the place of the launcher that was installed: git waits for no shell first.
import posix
import sys
from marshal import loads

__file__ = {start!a} + sys.implementation.cache_tag + ".pyc"
try:
    code = loads(posix.read(posix.open(__file__, posix.O_RDONLY), {size})[16:])
except Exception:
    posix.execv(sys.executable, [sys.executable, "-ISXutf8", {source!a}, *sys.argv])
sys.argv.insert(0, __file__)
exec(code)
"""


def make() -> None:
    """Make the bundle where it is not there, or not of the sources that are, and the launcher that starts it.

    Do nothing where they cannot be made.
    """
    own = start.path(f"{_PACKAGE}.start") + ".py"
    folder = os.path.join(os.path.dirname(own), "__pycache__")
    states = [start.state(start.path(_PACKAGE + name) + ".py") for names in FILES.values() for name in names]
    made_of = hashlib.sha256(repr([start.state(own), *states]).encode()).digest()[:8]
    header = MAGIC_NUMBER + bytes(4) + made_of
    try:
        if sys.dont_write_bytecode:
            return
        if _beginning(_file(folder, _FIRST), len(header)) != header:
            os.makedirs(folder, exist_ok=True)
            mode = stat.S_IMODE(os.stat(own).st_mode)  # for whoever can read the source
            with files.Locked(os.fsencode(folder), _WAIT):
                parts = {name: tuple(_module(_PACKAGE + one) for one in modules) for name, modules in FILES.items()}
                for name, content in parts.items():
                    whole = header + dumps(_start(own, content)) if name == _FIRST else MAGIC_NUMBER + dumps(content)
                    files.replace(os.fsencode(_file(folder, name)), whole, mode)
        _make_launcher(own, _file(folder, _FIRST))
    except OSError:
        pass


def _make_launcher(source: str, start_file: str) -> None:
    """Replace the launcher that an installer put into a virtual environment. Raises OSError.

    Elsewhere it is a system's package, and the system's to change; and another user's is theirs.
    """
    source, start_file = os.path.realpath(source), os.path.realpath(start_file)
    packages = os.path.dirname(os.path.dirname(source))
    environment = os.path.dirname(os.path.dirname(os.path.dirname(packages)))
    folder = os.path.join(environment, "bin")
    file = os.path.join(folder, "git-credential-hf")
    python = os.path.join(folder, os.path.basename(os.path.dirname(packages)))  # lib/python3.N/site-packages
    there = _beginning(file, start.LARGEST)
    if not there.startswith(_INSTALLED) and _MADE not in there:
        return
    status = os.lstat(file)
    untagged = start_file.removesuffix(f"{sys.implementation.cache_tag}.pyc")
    text = _LAUNCHER.format(python=python, start=untagged, source=source, size=start.LARGEST)
    line = text.partition("\n")[0]
    settings = _beginning(os.path.join(environment, "pyvenv.cfg"), start.LARGEST)
    if (
        there != text.encode("ascii", "replace")
        and stat.S_ISREG(status.st_mode)
        and (status.st_uid, status.st_gid) == (os.geteuid(), os.getegid())  # as the new file will be
        and settings
        and b"relocatable = true" not in settings.splitlines()  # uv's, which may be moved
        and os.path.basename(python) == f"python{sys.version_info[0]}.{sys.version_info[1]}"
        and os.access(python, os.X_OK)
        and line.isascii()
        and len(line.split()) == 2  # a path with a blank in it would be cut there
        and "coding" not in line  # which would say how the script is encoded (PEP 263)
        and len(line) <= _LONGEST_LINE
    ):
        with files.Locked(os.fsencode(folder), _WAIT):
            files.replace(os.fsencode(file), text.encode("ascii"), stat.S_IMODE(status.st_mode))


def _file(folder: str, name: str) -> str:
    return os.path.join(folder, f"{name}.{sys.implementation.cache_tag}.pyc")


def _beginning(file: str, length: int) -> bytes:
    try:
        with open(file, "rb") as opened:
            return opened.read(length)
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
