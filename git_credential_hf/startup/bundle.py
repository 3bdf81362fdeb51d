"""The bundle: the bytecode of what git may wait for, in one file of __pycache__, from which `start` runs the package.

Each command that a person runs makes it, where it is missing or stale and the folder can be written. Without it git
waits a little longer. The file begins with the interpreter's magic number and a hash of the rest: the marshalled code
of `loader` with an index of the parts, and then the parts.
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

# The modules of each part, in the order of their imports, by the module whose import loads the part. The part "" is
# what every request needs.
PARTS = {
    "": (
        "", ".model", ".model.text", ".model.repository", ".options", ".model.request", ".model.outcome",
        ".model.token", ".state", ".state.safe_read", ".state.folders", ".secret_service",
        ".secret_service.dbus", ".secret_service.dbus.address", ".sources", ".sources.environment", ".sources.keyring",
        ".operations", ".operations.get", ".__main__",
    ),
    ".sources.token_file": (".sources.token_file",),
    ".secret_service.dbus.opening": (".secret_service.dbus.encode", ".secret_service.dbus.opening"),
    ".secret_service.own_items": (
        ".model.item", ".secret_service.dbus.decode", ".secret_service.dbus.connection",
        ".secret_service.messages", ".secret_service.quirks", ".secret_service.quirks.gnome_keyring",
        ".secret_service.quirks.keepassxc", ".secret_service.reader", ".secret_service.own_items",
    ),
}  # fmt: skip

_OWN = ("startup/bundle.py", "startup/loader.py", "startup/start.py")
_PACKAGE = "git_credential_hf"
_LARGEST = 1 << 18  # bytes: what `start` reads
_HEADER = 12  # bytes
_WAIT = 0.2  # seconds, for another run that makes it too


def make() -> None:
    """Make the bundle if it is missing or of other sources. Do nothing if it cannot be made."""
    package = os.path.dirname(os.path.dirname(loader.__file__))
    file = os.fsencode(f"{package}/__pycache__/bundle.{sys.implementation.cache_tag}.pyc")
    try:
        if sys.dont_write_bytecode or _is_current(file, package):
            return
        folder = os.path.dirname(file)
        os.makedirs(folder, exist_ok=True)
        mode = stat.S_IMODE(os.stat(loader.__file__).st_mode)  # readable, as the sources are
        with locks.FolderLock(folder, _WAIT):
            content = _content(package)
            files.replace(file, _header(content) + content, mode)
    except (OSError, SyntaxError, ValueError):  # the last two: an upgrade is half through a source
        pass


def _is_current(file: bytes, package: str) -> bool:
    whole = safe_read.read(file, _LARGEST)
    if whole[:_HEADER] != _header(whole[_HEADER:]):
        return False
    try:
        _, parts = loads(whole[_HEADER:])  # noqa: S302 - it is sealed
        wanted = {part and _PACKAGE + part: _sources(package, part) for part in PARTS}
        return {part: list(states) for part, (states, _, _) in parts.items()} == wanted and all(
            loader.is_current(package, states) for states, _, _ in parts.values()
        )
    except (AttributeError, EOFError, TypeError, ValueError):  # by a version that lays it out in another way
        return False


def _header(content: bytes) -> bytes:
    return MAGIC_NUMBER + source_hash(0, content)


def _content(package: str) -> bytes:
    states = {  # before they are read
        part: {source: loader.state(f"{package}/{source}") for source in _sources(package, part)} for part in PARTS
    }
    code = _compiled(package, "startup/loader.py")
    lists = {part: dumps([_module(package, name) for name in names]) for part, names in PARTS.items()}
    index: dict[str, loader.Part] = {}
    from_end = sum(map(len, lists.values()))
    for part, modules in lists.items():
        index[part and _PACKAGE + part] = states[part], from_end, len(modules)
        from_end -= len(modules)
    return dumps((code, index)) + b"".join(lists.values())


def _sources(package: str, part: str) -> list[str]:
    """Return the sources of a part; the first is of this folder, too."""
    return [_source(package, name) for name in PARTS[part]] + ([] if part else list(_OWN))


def _module(package: str, name: str) -> "loader.Module":
    source = _source(package, name)
    return _PACKAGE + name, source, source.endswith("__init__.py"), _compiled(package, source)


def _source(package: str, name: str) -> str:
    path = name.replace(".", "/").removeprefix("/")
    return os.path.join(path, "__init__.py") if os.path.isdir(os.path.join(package, path)) else f"{path}.py"


def _compiled(package: str, source: str) -> CodeType:
    """Return the code of a source without what only people's tools read: docstrings, annotations, lines.

    It is the same wherever the package is: Nix may change the paths in a file, of which the hash would then be wrong.
    """
    with open(f"{package}/{source}", "rb") as opened:
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
