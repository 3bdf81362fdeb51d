"""What bytes may be in a value."""

import shlex

from hypothesis import given
from hypothesis import strategies as st

from git_credential_hf.model import text


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_has_control(given_text: str) -> None:
    assert text.has_control(given_text.encode()) == any(ord(one) < 32 or 127 <= ord(one) < 160 for one in given_text)


@given(st.binary(max_size=8))
def test_is_text(value: bytes) -> None:
    assert text.is_text(value) == (value.decode("utf-8", "replace").encode() == value)


@given(st.text(st.sampled_from("aZ09._/:-~$ '\"\\*;&\n\u00e9\u00b2"), max_size=8))
def test_a_plain_word_needs_no_quotes_and_is_no_option(word: str) -> None:
    is_plain = text.is_plain_word(word.encode())
    assert is_plain == (shlex.quote(word) == word and word[:1].isalnum())
