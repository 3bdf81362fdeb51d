"""A launcher that names what it starts, in the place of the installed one, and the interpreter that it starts.

The installed one is a shell script, which looks for the interpreter and the bundle. This one is made by the way, as the
bundle is, by what a person runs, in a virtual environment. Its interpreter is the environment's own by another name,
beside which a file says where modules are (Python's documentation, "_pth files"): first in a folder of its own, where
this package's `encodings` is, then where they are for any other start. Without all this git waits a little longer.
"""

import ast
import hashlib
import os
import stat
import subprocess
import sys
from typing import Any

from git_credential_hf import bundle, commands, files, reading, start

_INSTALLED = b"#!/bin/sh\n# Starts Python for git"
_MADE = (
    "# git-credential-hf has put this in the place of the launcher that was installed: git waits for no shell first."
)
# Its second line is for a shell that was started with the installed one when that was replaced, and not the launcher
# itself: one that cannot be run would be tried for ever.
_LAUNCHER = """\
{first_line}
"exec" "{python}" "-ISXutf8" "{source}" "$0" "$@"
{made}
# {made_of}
import posix
import sys
from marshal import loads

vars(sys).update({settings!a})
try:
    if sys.version != {version!a}:
        raise ImportError
    posix.stat({landmark!a})
    descriptor = posix.open({start!a}, posix.O_RDONLY)
    code = loads(posix.read(descriptor, {size})[16:])
    posix.close(descriptor)
except Exception:
    posix.execv("{python}", ["{python}", "-ISXutf8", "{source}", *sys.argv])
__file__ = {start!a}
sys.argv.insert(0, __file__)
exec(code)
"""
_LONGEST_LINE = 127  # bytes: what an older kernel reads of the first line of a script (execve(2))

# What an interpreter takes from where it lies, and from -B; the launcher's is given what the environment's own has.
_SETTINGS = (
    "executable", "_base_executable", "prefix", "exec_prefix", "base_prefix", "base_exec_prefix", "_stdlib_dir", "path",
    "dont_write_bytecode",
)  # fmt: skip
_TELL = "import sys; print(ascii({name: getattr(sys, name) for name in sys.argv[1:]}))"

_LONGEST_START = 10  # seconds


def make(start_file: str, environ: dict[bytes, bytes]) -> None:
    """Replace the launcher that an installer put into a virtual environment by one of the bundle `start_file`.

    Do nothing where there is no bundle, or no environment of this user's: elsewhere it is a system's package, and the
    system's to change.
    """
    try:
        if start_file:
            _make(os.path.realpath(start_file), environ)
    except OSError:
        pass


def _make(start_file: str, environ: dict[bytes, bytes]) -> None:
    source, *others = (
        os.path.realpath(f"{start.path(f'git_credential_hf.{name}')}.py") for name in ("start", "encodings", "launcher")
    )
    packages = os.path.dirname(os.path.dirname(source))
    version = os.path.basename(os.path.dirname(packages))  # lib/python3.N/site-packages
    environment = os.path.dirname(os.path.dirname(os.path.dirname(packages)))
    launcher = os.path.join(environment, "bin", "git-credential-hf")
    python = os.path.join(environment, "bin", version)
    interpreter = os.path.join(environment, "lib", "git-credential-hf", "python")
    first_line = f"#!{interpreter} -BISXutf8"  # it would write the bytecode of `encodings`, whoever started it
    there = reading.read(os.fsencode(launcher))
    states = [start.state(file) for file in (source, *others)]
    # Without a path of the environment's, which Nix could not rewrite in it.
    made_of = hashlib.sha256(repr([sys.version, os.path.realpath(python), states]).encode()).hexdigest()
    if (
        not (there.startswith(_INSTALLED) or _MADE.encode() in there)
        or (there.startswith(os.fsencode(f"{first_line}\n")) and made_of.encode() in there and _is_whole(interpreter))
        or not _may_be_replaced(launcher)
        or not _is_for_good(environment)
        or version != f"python{sys.version_info[0]}.{sys.version_info[1]}"
        or not os.access(python, os.X_OK)
        or not first_line.isascii()
        or len(first_line.split()) != 2  # a path with a blank in it would be cut there
        or first_line.count("#") != 1  # and here in the file beside the interpreter
        or not set(environment).isdisjoint('"\\$`')  # which are not themselves between a shell's quotes
        or "coding" in first_line  # which would say how the script is encoded (PEP 263)
        or len(first_line) > _LONGEST_LINE
    ):
        return
    with files.Locked(os.fsencode(os.path.dirname(launcher)), bundle.WAIT):
        if reading.read(os.fsencode(launcher)) != there:  # by another run, before this one had the lock
            return
        settings = _make_interpreter(interpreter, python, environ)
        if not settings:
            return
        text = _LAUNCHER.format(
            first_line=first_line,
            made=_MADE,
            made_of=made_of,
            settings=settings,
            version=sys.version,
            landmark=f"{settings['_stdlib_dir']}/os.py",
            start=start_file,
            size=start.LARGEST,
            python=python,
            source=source,
        )
        files.replace(os.fsencode(launcher), text.encode("ascii"), stat.S_IMODE(os.stat(launcher).st_mode))


def _is_whole(interpreter: str) -> bool:
    """Whether all that belongs to the interpreter is there."""
    folder = os.path.dirname(interpreter)
    beside = (f"{interpreter}._pth", f"{folder}/encodings.py", bundle.file(f"{folder}/__pycache__", "encodings"))
    return os.access(interpreter, os.X_OK) and all(map(os.path.isfile, beside))


def _may_be_replaced(launcher: str) -> bool:
    status = os.lstat(launcher)
    ours = (status.st_uid, status.st_gid) == (os.geteuid(), os.getegid())  # as the new file will be
    return stat.S_ISREG(status.st_mode) and ours


def _is_for_good(environment: str) -> bool:
    """Whether it is a virtual environment, and none that may be moved, as some of uv's."""
    settings = reading.read(os.fsencode(os.path.join(environment, "pyvenv.cfg")))
    return bool(settings) and b"relocatable = true" not in settings.splitlines()


def _make_interpreter(interpreter: str, python: str, environ: dict[bytes, bytes]) -> dict[str, Any]:
    """Make `interpreter` of `python`; return the settings of that, or nothing where it is no good. Raises OSError."""
    folder, name = os.path.dirname(interpreter), "git_credential_hf.encodings"
    cache = os.path.join(folder, "__pycache__")
    mode = stat.S_IMODE(os.stat(os.path.dirname(python)).st_mode)  # for whoever can run what the environment has
    for place in (folder, cache):
        if not os.path.isdir(place):
            os.mkdir(place)
        os.chmod(place, mode)
    settings = _settings(python, environ)
    places = [folder, *settings.get("path", [])]
    _link(interpreter, python)
    _link(os.path.join(folder, "encodings.py"), os.path.realpath(f"{start.path(name)}.py"))
    files.replace(os.fsencode(bundle.file(cache, "encodings")), bundle.bytecode(name), mode & 0o666)
    files.replace(os.fsencode(f"{interpreter}._pth"), os.fsencode("\n".join([*places, ""])), mode & 0o666)
    return settings if _settings(interpreter, environ).get("path") == places else {}


def _link(file: str, target: str) -> None:
    """Make `file` a link to `target`: at every instant it is there, or was not before. Raises OSError."""
    new = os.fsdecode(files.unfinished(os.fsencode(file)))
    files.remove(os.fsencode(new))
    os.symlink(target, new)
    os.rename(new, file)


def _settings(python: str, environ: dict[bytes, bytes]) -> dict[str, Any]:
    """Return what `python` takes from where it lies, or nothing where it cannot be asked."""
    try:
        done = subprocess.run(
            [python, "-ISXutf8", "-c", _TELL, *_SETTINGS],
            env=commands.child_environment(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_LONGEST_START,
            check=True,
        )
        return dict(ast.literal_eval(done.stdout.decode()))
    except (OSError, ValueError, SyntaxError, subprocess.SubprocessError):
        return {}
