"""Replacing and removing small private files.

Modes and the fsync of a folder are extra protection: a file system without them is used without.
"""

import posix

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_OLD = 600  # seconds: no run takes that long to write a file

# File systems on which a file has no mode of its own: FAT, and NTFS and clouds by FUSE.
_WITHOUT_MODES = (b"vfat", b"msdos", b"exfat", b"fuseblk", b"fuse.gcsfuse", b"fuse.rclone")


def replace(file: bytes, content: bytes, mode: int = 0o600) -> None:
    """Put `content` in `file`, with `mode`: at every instant it is the old file or the new one. Raises OSError.

    The caller holds the lock of its folder, where that can be had. A run that is killed may leave the new file under
    a name of its own, which the next run removes.
    """
    import os

    remove_unfinished(file)
    new = _unfinished(file) + _run(posix.getpid()) + posix.urandom(4).hex().encode()
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        try:
            if_possible(os.fchmod, descriptor, mode)  # whatever the umask took away
            remaining = memoryview(content)
            while remaining:
                remaining = remaining[os.write(descriptor, remaining) :]
            if_possible(os.fsync, descriptor)
        finally:
            os.close(descriptor)
        os.rename(new, file)
    except BaseException:
        remove(new)
        raise
    try:
        folder = os.open(os.path.dirname(file) or b".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except PermissionError:
        return  # whoever may write there need not be able to read it
    try:
        if_possible(os.fsync, folder)
    finally:
        os.close(folder)


def if_possible(operation: "Callable[..., object]", *arguments: object) -> None:
    """Call `operation` for extra protection, if the file system supports it. Raises OSError for any other reason."""
    import errno

    try:
        operation(*arguments)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EINVAL, errno.EBADF, errno.ENOSYS, errno.ENOTSUP):
            raise


def is_mounted(file: bytes) -> bool:
    """Return whether `file` is on a read-only file system, or mounted by itself, so that nothing can replace it."""
    try:
        return bool(posix.statvfs(file).f_flag & posix.ST_RDONLY) or _mount(file) != _mount(file.rpartition(b"/")[0])
    except OSError:
        return False


def _mount(place: bytes) -> bytes:
    """Return the number of the mount that `place` is on, empty where /proc does not tell. Source: proc(5)."""
    from git_credential_hf.state.safe_read import read

    descriptor = posix.open(place or b"/", posix.O_PATH | posix.O_CLOEXEC)
    try:
        return read(b"/proc/self/fdinfo/%d" % descriptor).partition(b"mnt_id:")[2].partition(b"\n")[0]
    finally:
        posix.close(descriptor)


def has_modes(place: bytes) -> bool:
    """Return whether what is at `place` has a mode of its own, as far as /proc tells. Source: proc(5), mountinfo.

    SMB that has none says `file_mode`; Windows' drives in WSL have modes with `metadata` alone.
    """
    from git_credential_hf.state.safe_read import read

    try:
        mount = _mount(place).strip()
    except OSError:  # no descriptor is left
        return True
    for line in read(b"/proc/self/mountinfo", 1 << 20).splitlines():
        if line.startswith(mount + b" "):
            kind, _, options = line.rpartition(b" - ")[2].partition(b" ")
            is_of_windows = (kind == b"drvfs" or b"aname=drvfs" in options) and b"metadata" not in options
            return kind not in _WITHOUT_MODES and b"file_mode=" not in options and not is_of_windows
    return True


def is_fixed(place: bytes) -> bool:
    """Return whether no user can change the owner or the mode of what is at `place`. Raises OSError."""
    return bool(posix.statvfs(place).f_flag & posix.ST_RDONLY) or not has_modes(place)


def may_change_mode(file: bytes, owner: int) -> bool:
    """Return whether this user may change the mode of `file`, which is `owner`'s. Raises OSError."""
    from git_credential_hf.state.ownership import may_act_as

    return may_act_as(owner) and not is_fixed(file)


def remove(file: bytes) -> None:
    """Remove `file` if it is there. Raises OSError for any other reason that keeps it there."""
    try:
        posix.unlink(file)
    except FileNotFoundError:
        pass


def remove_unfinished(file: bytes) -> None:
    """Remove what runs that were killed have left beside `file`, as far as that can be done.

    What a run on another machine may still be writing stays until it is old: locks need not reach from one to the
    other.
    """
    import os

    folder, unfinished = os.path.split(_unfinished(file))
    try:
        names = [name for name in os.listdir(folder or b".") if name.startswith(unfinished)]
    except OSError:
        return
    for name in names:
        one = os.path.join(folder, name)
        try:
            if _is_left(one, name.removeprefix(unfinished)):
                posix.unlink(one)
        except OSError:
            pass  # it has just gone, or is another user's


def _unfinished(file: bytes) -> bytes:
    """Return how the name begins that the new file has before it takes the place of `file`."""
    folder, slash, name = file.rpartition(b"/")
    return folder + slash + b"." + name + b".git-credential-hf"


def _run(process: int) -> bytes:
    """Return what tells the run of `process` from all others: the start of the machine, the name space
    that its number is from, and the number. Source: proc(5), pid_namespaces(7).
    """
    from git_credential_hf.state.safe_read import read

    start = read(b"/proc/sys/kernel/random/boot_id")[:8]
    try:
        space = posix.stat(b"/proc/self/ns/pid").st_ino
    except OSError:
        space = 0
    return b"-%b-%x-%d-" % (start, space, process)


def _is_left(file: bytes, suffix: bytes) -> bool:
    """Return whether the run that wrote `file` has ended. Raises OSError."""
    import time

    if not suffix:  # as the first version named it
        return True
    process = suffix.split(b"-")[3:4]
    if process and process[0].isdigit() and suffix.startswith(_run(int(process[0]))):
        try:
            posix.kill(int(process[0]), 0)
        except ProcessLookupError:
            return True
        except (OSError, OverflowError):
            pass  # it is another user's, or no number of a process
    return time.time() - posix.lstat(file).st_mtime > _OLD


def make_folders(folder: bytes) -> None:
    """Make `folder`, and what is missing above it, with mode 0700. Raises OSError, also where another user's would get
    something new in it.
    """
    import errno
    import os

    from git_credential_hf.state.ownership import other_owner

    if folder and not os.path.isdir(folder):
        above = os.path.dirname(folder)
        make_folders(above)
        if other_owner(above or b".") is not None:
            raise PermissionError(errno.EACCES, "it would be in a folder of another user's")
        try:
            os.mkdir(folder, 0o700)
            if_possible(os.chmod, folder, 0o700)  # whatever the umask took away
        except FileExistsError:
            if not os.path.isdir(folder):
                raise


def made(wanted: "Iterable[bytes]") -> "Iterator[bytes]":
    """Yield those of the folders `wanted` that are the user's alone, each made as it is come to, where it can be."""
    from git_credential_hf.state.folders import is_own

    for folder in wanted:
        try:
            make_folders(folder)
            _close(folder)
        except OSError:
            continue
        if is_own(folder):
            yield folder


def _close(folder: bytes) -> None:
    """Make a folder of the user's own private, where others may read it and none of them can have put anything there:
    so a backup or a mount leaves it. Raises OSError.
    """
    from git_credential_hf.state.ownership import OTHERS_WRITE

    descriptor = posix.open(folder, posix.O_RDONLY | posix.O_DIRECTORY | posix.O_NOFOLLOW | posix.O_CLOEXEC)
    try:
        status = posix.fstat(descriptor)
        if status.st_uid == posix.geteuid() and status.st_mode & 0o077 and not status.st_mode & OTHERS_WRITE:
            if_possible(posix.fchmod, descriptor, 0o700)
    finally:
        posix.close(descriptor)
