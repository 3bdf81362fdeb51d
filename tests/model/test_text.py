"""What bytes may be in a value."""

from hypothesis import given
from hypothesis import strategies as st

from git_credential_hf.model import text


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_has_control(given_text: str) -> None:
    assert text.has_control(given_text.encode()) == any(ord(one) < 32 or 127 <= ord(one) < 160 for one in given_text)


@given(st.binary(max_size=8))
def test_is_text(value: bytes) -> None:
    assert text.is_text(value) == (value.decode("utf-8", "replace").encode() == value)
