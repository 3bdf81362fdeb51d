"""Loads the modules that a bundle holds (see bundle), in parts and past the import system, which costs as much again.

`start` runs this file's code out of the bundle, before anything of the package can be imported.
"""

import gc
import posix
import sys
from marshal import loads

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import CodeType, ModuleType

    # Name, source from the package's folder on, whether it is a package, code.
    Module = tuple[str, str, bool, CodeType]
    # The states of its sources, where it is (from the end), and its length.
    Part = tuple[dict[str, tuple[int, int]], int, int]


def install(package: str, parts: dict[str, "Part"], content: bytes) -> None:
    """Load the part named "", and have the others loaded as their first module is imported.

    A part of which a source has changed is not loaded: the interpreter then imports the sources.

    package: the folder of the package. parts: by the name of the module whose import loads each. content: ends in the
    marshalled list of the modules of each part, in the order of their imports.
    """
    loader = Loader(package, parts, content)
    if loader.load(""):
        sys.meta_path.insert(0, loader)


class Loader:
    """Finds a module for the import system by loading the whole part that begins with it."""

    def __init__(self, package: str, parts: dict[str, "Part"], content: bytes) -> None:
        self._package = package
        self._parts = parts
        self._content = content

    def find_spec(self, name: str, search: object = None, target: object = None) -> "ModuleSpec | None":
        if name not in self._parts or not self.load(name):
            return None
        # typeshed knows loaders by their class alone, which importlib.abc would have to be imported for.
        return type(sys.__spec__)(name, self)  # type: ignore[arg-type]

    @staticmethod
    def create_module(spec: "ModuleSpec") -> "ModuleType | None":
        return sys.modules[spec.name]

    @staticmethod
    def exec_module(module: "ModuleType") -> None:
        pass

    def load(self, part: str) -> bool:
        """Load the modules of a part that are not there yet; return False where a source has changed."""
        states, from_end, length = self._parts.pop(part)
        if not is_current(self._package, states):
            return False
        gc.disable()  # nothing of what comes is garbage
        try:
            start = len(self._content) - from_end
            modules: list[Module] = loads(self._content[start : start + length])  # noqa: S302 - `start` has checked it
            for name, source, is_package, code in modules:
                if name in sys.modules:
                    continue
                module = type(sys)(name)
                module.__file__ = f"{self._package}/{source}"
                if is_package:
                    module.__path__ = [module.__file__.rpartition("/")[0]]
                exec(code, module.__dict__)  # noqa: S102 - it is what the interpreter would run
                sys.modules[name] = module  # after it ran: the interpreter imports the source of one that fails
                parent, _, own_name = name.rpartition(".")
                if parent:
                    setattr(sys.modules[parent], own_name, module)
            gc.freeze()  # so that it is not looked through from now on either
        finally:
            gc.enable()
        return True


def is_current(package: str, states: dict[str, tuple[int, int]]) -> bool:
    """Return whether no source in the folder `package` has changed."""
    return all(made_of == state(f"{package}/{source}") for source, made_of in states.items())


def state(file: str) -> tuple[int, int]:
    """Return the time of a file's last change, in seconds since the epoch, and its size; zeros where it is gone."""
    try:
        status = posix.stat(file)
    except OSError:
        return 0, 0
    return int(status[8]), status[6]
