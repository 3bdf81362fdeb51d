"""The lean start: what the launcher runs with `-I -S`, so that git does not wait for what only people's commands need.

The interpreter's own way to a module lists folders, and asks the system a dozen times a module. This goes straight to
the bytecode of this package (PEP 3147, PEP 552): to that of many modules in one file, where `bundle` has made it, else
to that of each. It lets the interpreter have its way wherever there is none, or none of the source beside it.
"""

import gc
import posix
import sys
from marshal import loads

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.machinery import ModuleSpec
    from types import CodeType, ModuleType

_PACKAGE = "git_credential_hf"
_PACKAGES = (_PACKAGE, f"{_PACKAGE}.sources", f"{_PACKAGE}.secret_service", f"{_PACKAGE}.commands")
_UNCHECKED = b"\1\0\0\0"
LARGEST = 1 << 16  # a larger buffer costs more than what does not fit is worth

# What a bundle holds of every request's modules: name, state of the source, code; each after what it imports.
_FIRST: "Iterable[tuple[str, tuple[int, int], CodeType]]" = ()
# The state of the source that the code of this file in a bundle is of.
_STATE: "tuple[int, int] | None" = None
# The modules with which a further part of a bundle is loaded, and its file.
PARTS = {
    f"{_PACKAGE}.sources": "bundled-answer",
    f"{_PACKAGE}.secret_service.lookup": "bundled-lookup",
    f"{_PACKAGE}.secret_service.incoming": "bundled-token",
    f"{_PACKAGE}.token": "bundled-token",
    f"{_PACKAGE}.reading": "bundled-token",
}

if __name__ == "__main__":  # and from its bytecode, this file is in __pycache__
    _folder = __file__.rpartition("/")[0].removesuffix("/__pycache__")
else:
    _folder = sys.modules[_PACKAGE].__path__[0]
_suffix = f".{sys.implementation.cache_tag}.pyc"


class Bytecode:
    """Finds and loads the modules of this package from the bytecode that the installer or an earlier run left."""

    @staticmethod
    def find_spec(name: str, search: object = None, target: object = None) -> "ModuleSpec | None":
        if not name.startswith(_PACKAGE):
            return None
        if name in PARTS and _STATE is not None:
            try:
                part = loads(_read(f"{_folder}/__pycache__/{PARTS[name]}{_suffix}"))  # noqa: S302 - it is as the others
            except (EOFError, TypeError, ValueError):  # it is not there, or damaged
                part = ()
            _load(part)
        # typeshed knows loaders by their class alone, which importlib.abc would have to be imported for.
        spec = type(sys.__spec__)(name, Bytecode, is_package=name in _PACKAGES)  # type: ignore[arg-type]
        if spec.submodule_search_locations is not None:
            spec.submodule_search_locations.append(path(name).removesuffix("/__init__"))
        if name not in sys.modules:
            source = path(name)
            folder, _, file = source.rpartition("/")
            code = _read(f"{folder}/__pycache__/{file}{_suffix}")
            if not _is_of(code, state(f"{source}.py")):
                return None
            spec.loader_state = code[12:]
        return spec

    @staticmethod
    def create_module(spec: "ModuleSpec") -> "ModuleType | None":
        return sys.modules.get(spec.name)

    @staticmethod
    def exec_module(module: "ModuleType") -> None:
        spec = module.__spec__
        if spec is not None and spec.loader_state is not None:
            exec(loads(spec.loader_state), module.__dict__)  # noqa: S102, S302 - it is what the interpreter would run


def path(name: str) -> str:
    """Return the path of the source of the module `name`, without its suffix."""
    source = _folder + name.removeprefix(_PACKAGE).replace(".", "/")
    return f"{source}/__init__" if name in _PACKAGES else source


def state(file: str) -> tuple[int, int]:
    """Return the time and the size of a source, as its bytecode notes them; zeros where it is not there."""
    try:
        status = posix.stat(file)
    except OSError:
        return 0, 0
    return int(status[8]) & 0xFFFFFFFF, status[6] & 0xFFFFFFFF


def _is_of(code: bytes, made_of: tuple[int, int]) -> bool:
    """Whether bytecode, as _read returns it, is of a source in that state, or made to be taken unchecked (PEP 552)."""
    noted = bytes(4) + b"".join(number.to_bytes(4, "little") for number in made_of)
    return code[:12] == noted or code[:4] == _UNCHECKED


def _read(file: str) -> bytes:
    """Return what follows the interpreter's mark in the bytecode `file`, or nothing."""
    try:
        descriptor = posix.open(file, posix.O_RDONLY | posix.O_CLOEXEC)
        posix.read(descriptor, 4)
        content = posix.read(descriptor, LARGEST)
        posix.close(descriptor)
    except OSError:
        return b""
    return content if len(content) < LARGEST else b""


def _load(modules: "Iterable[tuple[str, tuple[int, int], CodeType]]") -> None:
    """Load `modules` past the import system, which costs as much again as they do; stop at one that is stale."""
    for name, made_of, code in modules:
        if name in sys.modules:
            continue
        if made_of != state(f"{path(name)}.py"):
            return
        parent, _, own_name = name.rpartition(".")
        if parent and parent not in sys.modules:  # it is in a part that was stale
            return
        module = sys.modules[name] = type(sys)(name)
        if name in _PACKAGES:
            module.__path__ = [path(name).removesuffix("/__init__")]
        if parent:
            setattr(sys.modules[parent], own_name, module)
        exec(code, module.__dict__)  # noqa: S102 - it is what the interpreter would run


def _start() -> int:
    gc.disable()  # the answer is given before there is any garbage
    del sys.argv[0]  # the launcher has put its own name after this file's
    sys.path.insert(0, _folder.removesuffix(f"/{_PACKAGE}"))
    if __file__.endswith(_suffix):
        sys.meta_path.insert(0, Bytecode)
        _load(_FIRST)
    else:
        __import__(f"{_PACKAGE}.start")  # which leaves the bytecode of this file to the next run
    from git_credential_hf.__main__ import main

    return main(
        [argument.encode(sys.getfilesystemencoding(), "surrogateescape") for argument in sys.argv[1:]], posix.environ
    )


def _is_stale() -> bool:
    """Whether this is bytecode of another version than the source that it lies beside."""
    now = state(f"{_folder}/start.py")
    return now != _STATE if _STATE is not None else __file__.endswith(_suffix) and not _is_of(_read(__file__), now)


if __name__ == "__main__":
    if _is_stale():
        posix.execv(sys.executable, [sys.executable, "-ISXutf8", f"{_folder}/start.py", *sys.argv[1:]])
    posix._exit(_start())
