"""What the tests of how the program starts have in common."""

import pytest

from tests.conftest import Environment


@pytest.fixture
def with_token(environment: Environment) -> Environment:
    return environment | {"HF_TOKEN": "hf_token"}
