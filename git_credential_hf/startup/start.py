"""The lean start, run with `-I -S`: git does not wait for what only people's commands need.

Most of it is in a bundle of bytecode (see bundle), if there is one that is whole and for this interpreter; else the
interpreter looks for the package's modules one by one. This file is short because it is compiled anew each time.
"""

import sys
from posix import _exit

package = sys.argv.pop(0).removesuffix("/startup/start.py")  # the launcher's own path follows
try:
    from _frozen_importlib_external import MAGIC_NUMBER
    from _imp import source_hash
    from marshal import loads
    from posix import O_NONBLOCK, close, open, read

    try:
        file = open(package + "/__pycache__/bundle." + sys.implementation.cache_tag + ".pyc", O_NONBLOCK)
        content = memoryview(read(file, 1 << 18))  # a slice of it copies nothing
        close(file)  # where git closed a standard stream, this file has its number
        if content[:12] == MAGIC_NUMBER + source_hash(0, content[12:]):
            loader, parts = loads(content[12:])  # noqa: S302 - only this program seals it so
            exec(loader)  # noqa: S102 - it is what the interpreter would run
            globals()["install"](package, parts, content)
    except Exception:  # noqa: S110 - whatever is wrong with the bundle, the source is there
        pass
    sys.path.append(package.rpartition("/")[0])  # last: no package beside ours is to hide the standard library's
    code = __import__("git_credential_hf.__main__").__main__.main()  # `startup` imports nothing of what runs it
except KeyboardInterrupt:
    code = 130
_exit(code)
