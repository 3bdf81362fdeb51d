"""What tests of several keyrings share."""

import shutil
import time

import pytest

from tests.conftest import Run
from tests.providers import AnyProvider, PassSecretService, wait_until
from tests.providers.display import Display

LEFT = "skipped"  # what `say` returns where the keyring was not there to be asked


def needed(*parts: type[AnyProvider | Display]) -> None:
    """Skip the test where a program of one of the parts is not installed."""
    missing = [program for part in parts for program in part.programs if shutil.which(program) is None]
    if PassSecretService in parts and not PassSecretService.has_libraries():
        missing.append("what pass_secret_service imports")
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


def wait_for_the_next_second() -> None:
    """Return once the clock has moved on, in whose seconds a keyring tells when an item was written."""
    before = int(time.time())
    wait_until(lambda: int(time.time()) > before, "the next second comes")
