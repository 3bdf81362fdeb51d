"""Other programs that are run for a person: without tokens, and git-lfs to set it up."""

import shutil
import subprocess

from git_credential_hf.cli.output import Failed, shown
from git_credential_hf.sources.environment import without_tokens

environment = without_tokens


def install_git_lfs(environ: dict[bytes, bytes]) -> str:
    """Let git-lfs add its filters to the user's git configuration, as often as one likes. Raises Failed.

    Returns the line for a person. Source: git-lfs-install(1), --skip-repo.
    """
    if shutil.which("git-lfs") is None:
        raise Failed("git-lfs is not installed: install it, then run `git lfs install --skip-repo`")
    try:
        done = subprocess.run(
            ["git", "lfs", "install", "--skip-repo"],
            env=environment(environ),
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
