"""The folders for files of this program, which no other user can have put there."""

import posix

REJECTED = b"rejected"  # the name of the list of rejected tokens (see rejected)

_TEMPORARY = (b"/dev/shm", b"/var/tmp")


def state_home(environ: dict[bytes, bytes]) -> bytes:
    """Return the folder for what lasts, empty where there is none. Source: XDG Base Directory Specification."""
    home = environ.get(b"HOME")
    return environ.get(b"XDG_STATE_HOME") or (home + b"/.local/state" if home else b"")


def own_folders(environ: dict[bytes, bytes]) -> list[bytes]:
    """Return where this program may keep what is its own, the preferred place first: none need be there.

    Some are there only where nothing else can be written: with a read-only root and no run-time folder.
    """
    temporary = environ.get(b"TMPDIR", b"")
    # A relative place would be another one in each folder that this is run in.
    wanted = (state_home(environ), environ.get(b"XDG_RUNTIME_DIR", b""))
    places = [place for place in wanted if place.startswith(b"/")]
    return [
        *(place + b"/git-credential-hf" for place in places),
        *(
            place + b"/git-credential-hf-%d" % posix.geteuid()
            for place in (temporary if temporary.startswith(b"/") else b"/tmp", *_TEMPORARY)
        ),
    ]


def is_own(folder: bytes, others: int = 0o077) -> bool:
    """Return whether `folder` is a directory of the user's own, with none of the mode's bits `others`."""
    try:
        status = posix.lstat(folder)
    except OSError:
        return False
    return status.st_uid == posix.geteuid() and status.st_mode & (0o170000 | others) == 0o040000


def own_files(name: bytes, environ: dict[bytes, bytes]) -> list[bytes]:
    """Return the files called `name` in these folders, which no other user can have put there."""
    return [
        folder + b"/" + name
        for folder in own_folders(environ)
        if posix.access(folder + b"/" + name, posix.F_OK) and is_own(folder, others=0o022)
    ]
