"""The lean start, which the launcher runs with `-I -S`: git does not wait for what only people's commands need.

Most of it is in a bundle of bytecode (see bundle), if there is one that is whole and for this interpreter; else the
interpreter looks for the package's modules one by one. This file is short because it is compiled anew each time.
"""

import posix
import sys
from _frozen_importlib_external import MAGIC_NUMBER
from _imp import source_hash
from marshal import loads

del sys.argv[0]  # the launcher has put its own path after that of this file
package = __file__.rpartition("/startup/")[0]
file = f"{package}/__pycache__/bundle.{sys.implementation.cache_tag}.pyc"
try:
    content = posix.read(posix.open(file, posix.O_RDONLY | posix.O_NONBLOCK | posix.O_CLOEXEC), 1 << 18)
except OSError:
    content = b""
if content[:4] == MAGIC_NUMBER and content[8:16] == source_hash(0, content[16:]):
    loader, *bundled = loads(content[16:])  # noqa: S302 - only this program seals it so
    exec(loader)  # noqa: S102 - it is what the interpreter would run
    globals()["install"](package, *bundled)
sys.path.insert(0, package.rpartition("/")[0])
from git_credential_hf.__main__ import main  # noqa: E402 - the lines above say where it is

posix._exit(main())
