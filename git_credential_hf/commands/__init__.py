"""The commands that people run: one module each."""

import shutil
import subprocess


class Failed(Exception):
    """The command failed and nothing was lost; the text is the line for a person: what happened and what to do."""


def child_environment(environ: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """Return `environ` without Hugging Face's tokens, for a program that has no need of them."""
    from git_credential_hf.sources.environment import VARIABLES

    return {name: value for name, value in environ.items() if name not in VARIABLES}


def install_git_lfs(environ: dict[bytes, bytes]) -> str:
    """Let git-lfs add its filters to the user's git configuration, as often as one likes. Raises Failed.

    Returns the line for a person. Source: git-lfs-install(1), --skip-repo.
    """
    if shutil.which("git-lfs") is None:
        raise Failed("git-lfs is not installed: install it, then run `git lfs install --skip-repo`")
    done = subprocess.run(
        ["git", "lfs", "install", "--skip-repo"],
        env=child_environment(environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        first = next(iter((done.stderr or done.stdout).splitlines()), "it gave no reason")
        raise Failed(f"`git lfs install --skip-repo` failed: {first}")
    return "git-lfs: its filters are in the git configuration"
