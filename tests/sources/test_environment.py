"""get from the environment: which variable, and what in it is a token."""

import pytest

from tests.asking import (
    NOTHING,
    answer,
    request,
)
from tests.conftest import Environment, Run


@pytest.mark.parametrize("empty", ["", " ", "\n"])
def test_a_variable_without_a_token_is_skipped(run: Run, environment: Environment, empty: str) -> None:
    environment |= {"HF_TOKEN": empty, "HUGGING_FACE_HUB_TOKEN": "hf_second"}
    assert run("get", input=request()) == answer("hf_user", "hf_second")


def test_a_variable_is_cleaned_as_huggingface_hub_cleans_it(run: Run, environment: Environment) -> None:
    environment["HF_TOKEN"] = " hf_abc123\r\n"
    assert run("get", input=request()) == answer("hf_user", "hf_abc123")


@pytest.mark.parametrize("dirty", ["hf_a\nquit=1", "hf_a\rb", "hf_a\x7fb"])
def test_a_variable_with_a_control_character_is_no_token(run: Run, environment: Environment, dirty: str) -> None:
    environment["HF_TOKEN"] = dirty
    assert run("get", input=request()) == NOTHING
