"""What tests of several keyrings share."""

import shutil

import pytest

from tests.providers import Provider
from tests.providers.display import Display


def needed(*parts: type[Provider | Display]) -> None:
    """Skip the test where a program of one of the parts is not installed."""
    missing = [program for part in parts for program in part.programs if shutil.which(program) is None]
    if missing:
        pytest.skip(f"NOT TESTED: {', '.join(missing)} not installed")
