"""What tests of several keyrings share."""

import shutil

import pytest

from tests.conftest import Run
from tests.providers import Provider
from tests.providers.display import Display


def needed(*parts: type[Provider | Display]) -> None:
    """Skip the test where a program of one of the parts is not installed."""
    missing = [program for part in parts for program in part.programs if shutil.which(program) is None]
    if missing:
        pytest.skip(f"NOT TESTED: {', '.join(missing)} not installed")


def say(run: Run, token: str, *arguments: str) -> str:
    """Return the word with which seed says what became of the item."""
    done = run("seed", "--from", "-", "--no-cache", *arguments, input=token.encode())
    assert (done.stderr, done.code) == (b"", 0)
    return done.stdout.decode().removeprefix("keyring: ").partition(",")[0].partition(" (")[0]


def prompted(calls: list[str]) -> list[str]:
    """Return those of the calls that a person could notice."""
    return [call for call in calls if call.split()[-1] in ("Unlock", "Prompt", "Dismiss")]
