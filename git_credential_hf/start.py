"""The lean start: what the launcher runs with `-I -S`, so that git does not wait for what only people's commands need.

The interpreter's own way to a module lists folders, and asks the system a dozen times a module. This goes straight to
the bytecode of this package (PEP 3147, PEP 552) and lets the interpreter have its way wherever that is not at hand,
or not of the source beside it.
"""

import gc
import posix
import sys
from marshal import loads

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType

_PACKAGE = "git_credential_hf"
_PACKAGES = (_PACKAGE, f"{_PACKAGE}.sources", f"{_PACKAGE}.secret_service", f"{_PACKAGE}.commands")
_LARGEST = 1 << 15  # a larger buffer costs more than the module that does not fit is worth

# Run from its bytecode, this file is in __pycache__.
_folder = __file__.rpartition("/")[0].removesuffix("/__pycache__")
_suffix = f".{sys.implementation.cache_tag}.pyc"


class Bytecode:
    """Finds and loads the modules of this package from the bytecode that the installer or an earlier run left."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> "ModuleSpec | None":
        if not name.startswith(_PACKAGE):
            return None
        file = _folder + name.removeprefix(_PACKAGE).replace(".", "/")
        is_package = name in _PACKAGES
        code = _read(f"{file}/__init__" if is_package else file)
        if code is None:
            return None
        # typeshed knows loaders by their class alone, which importlib.abc would have to be imported for.
        spec = type(sys.__spec__)(name, Bytecode, is_package=is_package)  # type: ignore[arg-type]
        if spec.submodule_search_locations is not None:
            spec.submodule_search_locations.append(file)
        spec.loader_state = code
        return spec

    @staticmethod
    def create_module(spec: "ModuleSpec") -> None:
        return None

    @staticmethod
    def exec_module(module: "ModuleType") -> None:
        spec = module.__spec__
        if spec is not None:
            exec(loads(spec.loader_state), module.__dict__)  # noqa: S102, S302 - it is what the interpreter would run


def _read(file: str) -> memoryview | None:
    """Return the bytecode of the source `file`.py, without its header; None where there is none, or it is stale."""
    folder, _, name = file.rpartition("/")
    try:
        source = posix.stat(f"{file}.py")
        descriptor = posix.open(f"{folder}/__pycache__/{name}{_suffix}", posix.O_RDONLY | posix.O_CLOEXEC)
    except OSError:
        return None
    code = posix.read(descriptor, _LARGEST)
    posix.close(descriptor)
    when = (int(source.st_mtime) & 0xFFFFFFFF).to_bytes(4, "little") + (source.st_size & 0xFFFFFFFF).to_bytes(
        4, "little"
    )
    if len(code) == _LARGEST or code[4:16] != bytes(4) + when:
        return None
    return memoryview(code)[16:]


def _start() -> int:
    gc.disable()  # the answer is given before there is any garbage
    del sys.argv[0]  # the launcher has put its own name after this file's
    sys.path.insert(0, _folder.removesuffix(f"/{_PACKAGE}"))
    if __file__.endswith(_suffix):
        sys.meta_path.insert(0, Bytecode)
    else:
        __import__(f"{_PACKAGE}.start")  # which leaves the bytecode of this file to the next run
    from git_credential_hf.__main__ import main

    return main(
        [argument.encode(sys.getfilesystemencoding(), "surrogateescape") for argument in sys.argv[1:]], posix.environ
    )


if __name__ == "__main__":
    posix._exit(_start())
