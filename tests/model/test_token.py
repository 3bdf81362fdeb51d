"""A token: what is none, when it expires, whose is preferred, and that nobody reads it by mistake."""

import hashlib
import traceback

import pytest

from git_credential_hf.model import token
from git_credential_hf.model.token import Token

TEXT = b"hf_NobodyReadsThisByMistake"


def test_a_token_shows_its_fingerprint_alone() -> None:
    one = Token(TEXT, refresh_token=b"refresh me")
    shown = f"{one} {one!r} {[one]}"
    assert hashlib.sha256(TEXT).hexdigest()[:8] in shown
    assert TEXT.decode() not in shown
    assert "refresh me" not in shown
    try:
        raise ValueError(one)
    except ValueError as error:
        assert TEXT.decode() not in "".join(traceback.format_exception(error))


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (TEXT, TEXT),
        (b" \t" + TEXT + b"\r\n\n", TEXT),
        (b"with a space", b"with a space"),
        ("größe".encode(), "größe".encode()),
        (b"x" * 65_000, b"x" * 65_000),
        (b"", None),
        (b" \r\n\t", None),
        (b"two\nlines", None),
        (b"carriage\rreturn", None),
        (b"n\0ul", None),
        (b"\x1b[1m" + TEXT, None),
        (b"del\x7f", None),
        ("c1\N{NEXT LINE}".encode(), None),
        (b"x" * 65_001, None),
    ],
)
def test_clean(raw: bytes, text: bytes | None) -> None:
    assert token.clean(raw) == text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (b"0", 0),
        (b"1700000000", 1_700_000_000),
        (b"007", 7),
        (b"9" * 18, 10**18 - 1),
        (b"9" * 19, None),
        (b"", None),
        (b"-1", None),
        (b"+1", None),
        (b"1.5", None),
        (b"1e9", None),
        (b" 1", None),
        (b"1_000", None),
        ("\N{FULLWIDTH DIGIT ONE}".encode(), None),
        (b"\xb2", None),
        (None, None),
    ],
)
def test_seconds(text: bytes | None, seconds: int | None) -> None:
    assert token.seconds(text) == seconds


@pytest.mark.parametrize(
    ("users", "anybody", "expected"),
    [
        ([b"hf_user"], False, [b"hf_user"]),
        ([b"bob", b"hf_user"], False, [b"bob", b"hf_user"]),
        ([b"hf_user"], True, [b"hf_user", b"alice", b"bob", None]),
        ([b"carol"], False, []),
    ],
)
def test_tokens_in_the_order_of_their_users(users: list[bytes], anybody: bool, expected: list[bytes | None]) -> None:
    tokens = [Token(TEXT, user=user) for user in (b"alice", b"bob", b"hf_user", None)]
    assert [one.user for one in token.preferred([None, *tokens], users, anybody)] == expected
