"""Other programs that are run for a person: without tokens, and git-lfs to set it up."""

import shutil
import subprocess

from git_credential_hf.cli.output import Failed, as_root, shown
from git_credential_hf.sources.environment import without_tokens

# Commands that install a program, by the name of the package manager that is looked for on PATH.
_MANAGERS = {
    "apt-get": "apt-get install {}",
    "dnf": "dnf install {}",
    "pacman": "pacman -S {}",
    "zypper": "zypper install {}",
    "apk": "apk add {}",
    "brew": "brew install {}",
    "nix": "nix profile install nixpkgs#{}",
}
_OF_EVERYBODY = ("brew", "nix")  # the others are root's


class NotInstalled(Failed):
    """git-lfs is not installed; the text says how to get it."""


def how_to_install(program: str) -> str:
    """Return the command that installs `program` here, or one that looks for it where no package manager is known."""
    manager = next(filter(shutil.which, _MANAGERS), None)
    if manager is None:
        return f"command -v {program}"
    command = _MANAGERS[manager].format(program)
    return command if manager in _OF_EVERYBODY else as_root(command)


def install_git_lfs(environ: dict[bytes, bytes]) -> str:
    """Let git-lfs add its filters to the user's git configuration, again and again. Raises NotInstalled or Failed.

    Returns the line for a person. Source: git-lfs-install(1), --skip-repo.
    """
    if shutil.which("git-lfs") is None:
        raise NotInstalled(f"git-lfs is not installed. Try: {how_to_install('git-lfs')} && git lfs install --skip-repo")
    try:
        done = subprocess.run(
            ["git", "lfs", "install", "--skip-repo"],
            env=without_tokens(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError as error:
        raise Failed(
            f"git cannot be run: {error.strerror}. Try: {how_to_install('git')} && git lfs install --skip-repo"
        ) from None
    if done.returncode != 0:
        first = next(iter((done.stderr or done.stdout).splitlines()), b"it gave no reason")
        raise Failed(f"`git lfs install --skip-repo` failed: {shown(first)}")
    return "git-lfs: its filters are in the git configuration"
