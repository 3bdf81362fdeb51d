"""The commands that people run: one module each."""

import os
import re
import shutil
import subprocess


class Failed(Exception):
    """The command failed and nothing was lost; the text is the line for a person: what happened and what to do."""


def shown(name: str | bytes) -> str:
    """Return a file's name, or whatever was given as one, for a line that people read.

    A name may hold anything: what would end the line, steer the terminal or is no UTF-8 is shown by its number, and of
    a token that was given in place of a name nothing but how it begins.
    """
    text = re.sub("(hf_)[A-Za-z0-9]{20,}", r"\1...", os.fsencode(name).decode("utf-8", "backslashreplace"))
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def child_environment(environ: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """Return `environ` without Hugging Face's tokens, for a program that has no need of them."""
    from git_credential_hf.sources import VARIABLES

    return {name: value for name, value in environ.items() if name not in VARIABLES}


def install_git_lfs(environ: dict[bytes, bytes]) -> str:
    """Let git-lfs add its filters to the user's git configuration, as often as one likes. Raises Failed.

    Returns the line for a person. Source: git-lfs-install(1), --skip-repo.
    """
    if shutil.which("git-lfs") is None:
        raise Failed("git-lfs is not installed: install it, then run `git lfs install --skip-repo`")
    try:
        done = subprocess.run(
            ["git", "lfs", "install", "--skip-repo"],
            env=child_environment(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError as error:
        raise Failed(f"git cannot be run: {error.strerror}; then run `git lfs install --skip-repo`") from None
    if done.returncode != 0:
        first = next(iter((done.stderr or done.stdout).splitlines()), b"it gave no reason")
        raise Failed(f"`git lfs install --skip-repo` failed: {shown(first)}")
    return "git-lfs: its filters are in the git configuration"
