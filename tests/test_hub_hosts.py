"""The Hub's names are in one place, model/repository: what configures git, and what is said of it, has the same."""

import subprocess
from pathlib import Path

import pytest

from git_credential_hf.model.repository import HUB_HOSTS
from tests.conftest import Environment, Run
from tests.nix.test_modules import MODULES, credential

NAMES = [host.decode() for host in HUB_HOSTS]
ALL = " and ".join(NAMES)
GITCONFIG = Path(__file__).parents[1] / "examples/gitconfig"


def addresses(file: Path) -> list[str]:
    """Return which addresses a git configuration names a helper for, in the order of the file."""
    listed = ["git", "config", "--file", str(file), "--name-only", "--get-regexp", r"^credential\..*\.usehttppath$"]
    done = subprocess.run(listed, capture_output=True, text=True, check=True)
    return [key.removeprefix("credential.").removesuffix(".usehttppath") for key in done.stdout.splitlines()]


def test_the_example_has_them() -> None:
    assert addresses(GITCONFIG) == [f"https://{name}" for name in NAMES]


def test_configure_sets_and_says_them(run: Run, environment: Environment) -> None:
    said = run("configure").stdout.decode()
    assert said.endswith(f"for {' and '.join(f'https://{name}' for name in NAMES)}\n")
    assert addresses(Path(environment["HOME"], ".gitconfig")) == [f"https://{name}" for name in NAMES]
    assert f"and no other, for {ALL}." in " ".join(run("configure", "--help").stdout.decode().split())


def test_status_says_them(run: Run) -> None:
    said = " ".join(run("status", "https://example.org/a/b").stdout.decode().split())
    assert f"it answers for {ALL}, and for what --host names" in said


@pytest.mark.parametrize("module", MODULES)
def test_the_nix_modules_set_them(module: str) -> None:
    assert sorted(credential(module, {})) == sorted(f"https://{name}" for name in NAMES)
