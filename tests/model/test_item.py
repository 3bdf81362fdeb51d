"""An item of ours: which one is, what finds it, and what its secret holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_credential_hf.model import item
from git_credential_hf.model.item import Item
from git_credential_hf.model.token import Token

TEXT = b"hf_NobodyReadsThisByMistake"


def known(one: Token | None) -> dict[str, object] | None:
    """What `one` says of itself, without what is unset."""
    if one is None:
        return None
    names = ("text", "user", "expires", "refresh_token", "authtype", "item", "scope")
    return {name: getattr(one, name) for name in names if getattr(one, name) not in (None, b"")}


@pytest.mark.parametrize(
    ("one", "secret"),
    [
        (Token(TEXT), TEXT),
        (Token(TEXT, user=b"alice"), TEXT),
        (Token(TEXT, expires=7), TEXT + b"\npassword_expiry_utc=7"),
        (Token(TEXT, refresh_token=b"r=1"), TEXT + b"\noauth_refresh_token=r=1"),
        (
            Token(TEXT, expires=7, refresh_token=b"r", authtype=b"Bearer"),
            TEXT + b"\npassword_expiry_utc=7\noauth_refresh_token=r\nauthtype=Bearer",
        ),
        (Token(b""), b"\n"),
        (Token(b"", expires=7), b"\npassword_expiry_utc=7"),
        (Token(TEXT, scope=b"org", user=b"alice"), TEXT + b"\nusername=alice"),
        (Token(TEXT, scope=b"org", user=b""), TEXT + b"\nusername="),
        (Token(TEXT, scope=b"org", user=b"hf_user"), TEXT),
        (Token(TEXT, scope=b"org"), TEXT),
    ],
)
def test_the_secret_of_an_item(one: Token, secret: bytes) -> None:
    assert item.to_secret(one) == secret


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
    found = known(item.from_secret(secret, b"alice", path=b"/item"))
    assert found == (expected | {"item": b"/item"} if expected else None)


@pytest.mark.parametrize("blanks", [b" %b", b"%b\t", b"%b \r", b" %b \npassword_expiry_utc=12"])
def test_blanks_are_dropped_around_a_token_and_in_another_tools_item(blanks: bytes) -> None:
    for text, path in ((TEXT, b""), (TEXT, b"/item"), (b"password", b"")):
        one = item.from_secret(blanks % text, b"alice", path=path)
        assert one is not None and one.text == text
    one = item.from_secret(b" password ", b"alice", path=b"/item")
    assert one is not None and one.text == b" password "  # as git stored it


@pytest.mark.parametrize("user", [b"a\nb", b"a\rb", b"\0", b"x" * 65_536])
def test_no_token_of_a_user_whom_git_could_not_be_told(user: bytes) -> None:
    assert item.from_secret(TEXT, user) is None
    if b"\n" not in user:
        assert item.from_secret(TEXT + b"\nusername=" + user, b"alice", scope=b"org") is None


def test_a_scoped_secret_names_its_user() -> None:
    one = item.from_secret(TEXT + b"\nusername=bob", b"hf_user", path=b"/item", scope=b"org")
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
        text, user=user, expires=expires, refresh_token=refresh_token, authtype=authtype, scope=scope, item=b"/i"
    )
    secret = item.to_secret(one)
    assert secret  # an empty one is how KWallet says that it is locked
    back = item.from_secret(secret, b"hf_user" if scope else user, path=b"/i", scope=scope)
    assert known(back) == known(one)


@given(st.binary(max_size=200))
def test_any_secret_gives_lines_that_git_can_read_or_nothing(secret: bytes) -> None:
    one = item.from_secret(secret, b"alice")
    for value in () if one is None else (one.text, one.user, one.refresh_token, one.authtype):
        assert value is None or not any(byte < 32 or byte == 127 for byte in value)


HOST_WIDE = {
    b"git-credential-hf": b"huggingface.co",
    b"git-credential-hf-origin": b"seed",
    b"xdg:schema": b"org.git.Password",
    b"protocol": b"https",
    b"server": b"huggingface.co",
    b"user": b"hf_user",
}
SCOPED = HOST_WIDE | {b"git-credential-hf": b"huggingface.co/my-org/m", b"object": b"my-org/m"}
PORT = HOST_WIDE | {
    b"git-credential-hf": b"git.example.org:8443",
    b"server": b"git.example.org",
    b"port": b"8443",
    b"user": b"alice",
}
BEARER = {
    b"git-credential-hf": b"huggingface.co",
    b"git-credential-hf-origin": b"store",
    b"xdg:schema": b"git-credential-hf.Bearer",
}


def parts(one: Item | None) -> tuple[object, ...] | None:
    return None if one is None else (one.server, one.scope, one.user, one.bearer, one.origin)


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        (HOST_WIDE, (b"huggingface.co", b"", b"hf_user", False, b"seed")),
        (SCOPED, (b"huggingface.co", b"my-org/m", b"hf_user", False, b"seed")),
        (PORT, (b"git.example.org:8443", b"", b"alice", False, b"seed")),
        (BEARER, (b"huggingface.co", b"", None, True, b"store")),
        (BEARER | {b"user": b"alice"}, (b"huggingface.co", b"", b"alice", True, b"store")),
    ],
)
def test_what_this_program_writes_is_ours_and_says_what_it_is_for(
    attributes: dict[bytes, bytes], expected: tuple[object, ...]
) -> None:
    found = item.ours(attributes)
    assert parts(found) == expected
    assert found is not None
    assert found.attributes() == attributes


@pytest.mark.parametrize("attributes", [HOST_WIDE, SCOPED, PORT, BEARER])
@pytest.mark.parametrize(
    "more",
    [
        {b"xdg:content-type": b"text/plain"},  # oo7-daemon
        {b"xdg:collection": b"login"},  # secretsd
        {b"Notes": b"", b"Path": b"", b"Title": b"t", b"URL": b"", b"UserName": b"", b"Uuid": b"u"},  # KeePassXC
        {b"mine": b"a person's"},
    ],
)
def test_an_attribute_more_makes_no_other_item_of_it(attributes: dict[bytes, bytes], more: dict[bytes, bytes]) -> None:
    assert parts(item.ours(attributes | more)) == parts(item.ours(attributes))


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {b"protocol": b"https", b"server": b"huggingface.co", b"user": b"hf_user", b"xdg:schema": b"org.git.Password"},
        {name: value for name, value in HOST_WIDE.items() if name != b"user"},
        {name: value for name, value in HOST_WIDE.items() if name != b"server"},
        {name: value for name, value in SCOPED.items() if name != b"object"},
        HOST_WIDE | {b"port": b"8443"},
        HOST_WIDE | {b"object": b"my-org"},
        HOST_WIDE | {b"server": b"hf.co"},
        HOST_WIDE | {b"protocol": b"http"},
        HOST_WIDE | {b"xdg:schema": b"org.freedesktop.Secret.Generic"},
        SCOPED | {b"object": b"my-org"},
        PORT | {b"port": b"443"},
        {name: value for name, value in BEARER.items() if name != b"xdg:schema"},
    ],
)
def test_what_lacks_a_part_of_the_identity_is_not_ours(attributes: dict[bytes, bytes]) -> None:
    assert item.ours(attributes) is None


def test_the_port_of_https_is_no_port() -> None:
    assert parts(item.ours(HOST_WIDE | {b"port": b"443"})) == parts(item.ours(HOST_WIDE))


def test_items_of_one_place_and_user_are_at_the_same_place_whatever_they_hold() -> None:
    one, bearer = item.ours(HOST_WIDE), item.ours(BEARER | {b"user": b"hf_user"})
    other = item.ours(HOST_WIDE | {b"user": b"alice"})
    assert one is not None
    assert bearer is not None
    assert other is not None
    assert one.is_at(bearer)
    assert not one.is_at(other)
    assert one.place() == b"huggingface.co"


def test_a_label_has_no_slash_in_it_which_kwallet_would_take_for_a_folder() -> None:
    for attributes in (HOST_WIDE, SCOPED, PORT, BEARER):
        found = item.ours(attributes)
        assert found is not None
        assert "/" not in found.label()
        assert found.server.decode() in found.label()
