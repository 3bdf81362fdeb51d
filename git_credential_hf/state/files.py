"""Replacing and removing small private files."""

import posix


def replace(file: bytes, content: bytes, mode: int = 0o600) -> None:
    """Put `content` in `file`, with `mode`: at every instant it is the old file or the new one. Raises OSError.

    The caller holds the lock of its folder. A run that is killed may leave the new file under its other name, which
    the next run removes.
    """
    import os

    folder = os.path.dirname(file)
    new = unfinished(file)
    remove(new)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            os.fchmod(descriptor, mode)  # whatever the umask took away
            remaining = memoryview(content)
            while remaining:
                remaining = remaining[os.write(descriptor, remaining) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.rename(new, file)
    except BaseException:
        remove(new)
        raise
    folder_descriptor = os.open(folder or b".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder_descriptor)
    finally:
        os.close(folder_descriptor)


def unfinished(file: bytes) -> bytes:
    """Return the name that the new file has before it takes the place of `file`."""
    folder, slash, name = file.rpartition(b"/")
    return folder + slash + b"." + name + b".git-credential-hf"


def remove(file: bytes) -> None:
    """Remove `file` if it is there. Raises OSError for any other reason that keeps it there."""
    try:
        posix.unlink(file)
    except FileNotFoundError:
        pass


def make_folders(folder: bytes) -> None:
    """Make `folder`, and what is missing above it, with mode 0700. Raises OSError."""
    import os

    if folder and not os.path.isdir(folder):
        make_folders(os.path.dirname(folder))
        try:
            os.mkdir(folder, 0o700)
            os.chmod(folder, 0o700)  # whatever the umask took away
        except FileExistsError:
            if not os.path.isdir(folder):
                raise
