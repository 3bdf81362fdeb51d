"""A token: what it is kept as, what is none, and that nobody reads it by mistake."""

import hashlib
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_credential_hf.model import request as protocol
from git_credential_hf.model import token
from git_credential_hf.model.token import Token

TEXT = b"hf_NobodyReadsThisByMistake"


def known(one: Token | None) -> dict[str, object] | None:
    """What `one` says of itself, without what is unset."""
    if one is None:
        return None
    names = ("text", "user", "expires", "refresh_token", "authtype", "item", "scope")
    return {name: getattr(one, name) for name in names if getattr(one, name) not in (None, b"")}


def test_a_token_shows_its_fingerprint_alone() -> None:
    one = Token(TEXT, "HF_TOKEN", refresh_token=b"refresh me")
    shown = f"{one} {one!r} {[one]}"
    assert hashlib.sha256(TEXT).hexdigest()[:8] in shown
    assert "HF_TOKEN" in shown
    assert TEXT.decode() not in shown
    assert "refresh me" not in shown
    try:
        raise ValueError(one)
    except ValueError as error:
        assert TEXT.decode() not in "".join(traceback.format_exception(error))


@pytest.mark.parametrize(
    ("one", "secret"),
    [
        (Token(TEXT, ""), TEXT),
        (Token(TEXT, "", user=b"alice"), TEXT),
        (Token(TEXT, "", expires=7), TEXT + b"\npassword_expiry_utc=7"),
        (Token(TEXT, "", refresh_token=b"r=1"), TEXT + b"\noauth_refresh_token=r=1"),
        (
            Token(TEXT, "", expires=7, refresh_token=b"r", authtype=b"Bearer"),
            TEXT + b"\npassword_expiry_utc=7\noauth_refresh_token=r\nauthtype=Bearer",
        ),
        (Token(b"", ""), b"\n"),
        (Token(b"", "", expires=7), b"\npassword_expiry_utc=7"),
        (Token(TEXT, "", scope=b"org", user=b"alice"), TEXT + b"\nusername=alice"),
        (Token(TEXT, "", scope=b"org", user=b""), TEXT + b"\nusername="),
        (Token(TEXT, "", scope=b"org", user=b"hf_user"), TEXT),
        (Token(TEXT, "", scope=b"org"), TEXT),
    ],
)
def test_the_secret_of_an_item(one: Token, secret: bytes) -> None:
    assert one.to_secret() == secret


@pytest.mark.parametrize(
    ("secret", "expected"),
    [
        (TEXT, {"text": TEXT, "user": b"alice"}),
        (TEXT + b"\n", {"text": TEXT, "user": b"alice"}),
        (b"\n", {"user": b"alice"}),
        (b"two words", {"text": b"two words", "user": b"alice"}),
        (TEXT + b"\npassword_expiry_utc=12", {"text": TEXT, "user": b"alice", "expires": 12}),
        (TEXT + b"\npassword_expiry_utc=soon\nnonsense\n\n=\n", {"text": TEXT, "user": b"alice"}),
        (TEXT + b"\npassword_expiry_utc=" + b"9" * 19, {"text": TEXT, "user": b"alice"}),
        (TEXT + b"\npassword_expiry_utc=-1", {"text": TEXT, "user": b"alice"}),
        (TEXT + b"\noauth_refresh_token=a=b", {"text": TEXT, "user": b"alice", "refresh_token": b"a=b"}),
        (TEXT + b"\nauthtype=Bearer", {"text": TEXT, "user": b"alice", "authtype": b"Bearer"}),
        (TEXT + b"\nusername=mallory", {"text": TEXT, "user": b"alice"}),  # the item stands for a user by itself
        (b"x" * 65_000, {"text": b"x" * 65_000, "user": b"alice"}),
        # what git could not be given
        (b"", None),
        (b"x" * 65_001, None),
        (b"a\rb", None),
        (b"a\r\n", None),
        (b"a\0", None),
        (b"a\x7f", None),
        ("a\N{NEXT LINE}b".encode(), None),
        (TEXT + b"\noauth_refresh_token=a\rb", None),
        (TEXT + b"\nauthtype=Bearer\r", None),
        (TEXT + b"\noauth_refresh_token=" + b"x" * 65_536, None),
        (TEXT + b"\nauthtype=" + b"x" * 65_536, None),
    ],
)
def test_the_token_in_a_secret(secret: bytes, expected: dict[str, object] | None) -> None:
    assert known(token.from_secret(secret, "the keyring", b"alice")) == expected


@pytest.mark.parametrize("user", [b"a\nb", b"a\rb", b"\0", b"x" * 65_536])
def test_no_token_of_a_user_whom_git_could_not_be_told(user: bytes) -> None:
    assert token.from_secret(TEXT, "the keyring", user) is None
    if b"\n" not in user:
        assert token.from_secret(TEXT + b"\nusername=" + user, "the keyring", b"alice", scope=b"org") is None


def test_a_scoped_secret_names_its_user() -> None:
    one = token.from_secret(TEXT + b"\nusername=bob", "the keyring", b"hf_user", item=b"/item", scope=b"org")
    assert known(one) == {"text": TEXT, "user": b"bob", "item": b"/item", "scope": b"org"}


PRINTABLE = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=50).map(str.encode)


@given(
    text=PRINTABLE,
    expires=st.none() | st.integers(0, 10**17),
    refresh_token=st.none() | PRINTABLE,
    authtype=st.none() | PRINTABLE,
    user=PRINTABLE,
    scope=st.sampled_from([b"", b"org"]),
)
def test_what_is_kept_comes_back(
    text: bytes, expires: int | None, refresh_token: bytes | None, authtype: bytes | None, user: bytes, scope: bytes
) -> None:
    one = Token(
        text, "", user=user, expires=expires, refresh_token=refresh_token, authtype=authtype, scope=scope, item=b"/i"
    )
    secret = one.to_secret()
    assert secret  # an empty one is how KWallet says that it is locked
    back = token.from_secret(secret, "", b"hf_user" if scope else user, item=b"/i", scope=scope)
    assert known(back) == known(one)


@given(st.binary(max_size=200))
def test_any_secret_gives_lines_that_git_can_read_or_nothing(secret: bytes) -> None:
    one = token.from_secret(secret, "", b"alice")
    for value in () if one is None else (one.text, one.user, one.refresh_token, one.authtype):
        assert value is None or not any(byte < 32 or byte == 127 for byte in value)


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


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_has_control(text: str) -> None:
    assert protocol.has_control(text.encode()) == any(ord(one) < 32 or 127 <= ord(one) < 160 for one in text)


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
