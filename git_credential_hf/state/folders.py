"""The folders in which this program keeps files of its own, which nobody else can have put there."""

import posix


def own_folders(environ: dict[bytes, bytes]) -> list[bytes]:
    """Return where this program may keep what is its own, the preferred place first: none need be there."""
    home = environ.get(b"HOME", b"")
    if not _may_be_ours(home):  # sudo keeps it: what is put there would be root's, and in the way
        home = b""
    state = environ.get(b"XDG_STATE_HOME") or (home and home + b"/.local/state")
    temporary = environ.get(b"TMPDIR", b"")
    # A relative place would be another one in each folder that this is run in.
    places = [place for place in (state, environ.get(b"XDG_RUNTIME_DIR")) if place and place.startswith(b"/")]
    return [
        *(place + b"/git-credential-hf" for place in places),
        (temporary if temporary.startswith(b"/") else b"/tmp") + b"/git-credential-hf-%d" % posix.geteuid(),
    ]


def _may_be_ours(folder: bytes) -> bool:
    try:
        return posix.stat(folder).st_uid == posix.geteuid()
    except OSError:
        return True


def is_own(folder: bytes) -> bool:
    """Whether `folder` is a directory that is the user's alone."""
    try:
        status = posix.lstat(folder)
    except OSError:
        return False
    return status.st_uid == posix.geteuid() and status.st_mode & 0o170077 == 0o040000


def own_files(name: bytes, environ: dict[bytes, bytes]) -> list[bytes]:
    """Return the files called `name` that this program keeps, which nobody else can have put there."""
    return [
        folder + b"/" + name
        for folder in own_folders(environ)
        if is_own(folder) and posix.access(folder + b"/" + name, posix.F_OK)
    ]
