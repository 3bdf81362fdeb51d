"""What a token looks like: what is masked wherever people read, and what stands where a token is to be put."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_credential_hf.model import token_text

TOKEN = "hf_AbCdEfGhIjKlMnOpQrStUvWxYz01234567"


@pytest.mark.parametrize(
    ("token", "shown"),
    [
        (TOKEN, "hf_****4567"),
        ("hf_oauth_eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "hf_****dXJl"),
        ("api_org_AbCdEfGhIjKl", "api****IjKl"),
        ("0123456789abcdef", "012****cdef"),
        ("0123456789abcde", "****"),  # of 15 characters nothing is shown
        ("", "****"),
    ],
)
def test_people_see_three_and_four_characters_of_a_token(token: str, shown: str) -> None:
    assert token_text.masked(token) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (TOKEN, "hf_****4567"),
        (f"/home/alice/{TOKEN}", "/home/alice/hf_****4567"),
        (f"HF_TOKEN={TOKEN}", "HF_TOKEN=hf_****4567"),
        (f'"{TOKEN}", "{TOKEN}"', '"hf_****4567", "hf_****4567"'),
        ("hf_jwt_aa.bb.cc_dd-ee", "hf_****d-ee"),
        ("hf_oauth_aaaa", "****"),
        ("api_org_abcdefghijklmnop", "api****mnop"),
        ("ghp_abcdefghijklmnopqrstuvwxyz0123456789", "ghp****6789"),
        ("github_pat_11ABCDEFG0abcdefghijkl", "git****ijkl"),
        ("glpat-abcdefghijklmnopqrst", "glp****qrst"),
        ("sk-abcdefghijklmnopqrst", "sk-****qrst"),
        ("hf_abcdefgh1", "****"),
        # names
        ("hf_user", "hf_user"),
        ("/srv/hf_datasets/hf_downloads", "/srv/hf_datasets/hf_downloads"),
        (
            "/srv/hf_models_of_2026/a_login_with_hf_after_the_seed_0",
            "/srv/hf_models_of_2026/a_login_with_hf_after_the_seed_0",
        ),
        ("hf_token.txt", "hf_token.txt"),
        ("xhf_AbCdEfGhIjKlMnOpQrStUvWxYz01234567", "xhf_AbCdEfGhIjKlMnOpQrStUvWxYz01234567"),
        ("my-org/my-model", "my-org/my-model"),
    ],
)
def test_what_may_be_a_token_is_masked_wherever_it_stands(text: str, shown: str) -> None:
    assert token_text.hide(text) == shown
    assert token_text.may_be_token(text) == (shown == token_text.masked(text))


WORDS = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=30, max_size=40)


@given(
    st.sampled_from(["hf_", "hf_oauth_", "hf_jwt_", "api_org_"]),
    WORDS,
    st.text(" /=:'\"\n,;()", max_size=3),
    st.text(" /=:'\"\n,;()", max_size=3),
)
def test_no_token_of_the_hub_is_left_in_a_text(prefix: str, word: str, before: str, after: str) -> None:
    token = prefix + word
    assert token not in token_text.hide(before + token + after)
    assert token_text.may_be_token(token)


@pytest.mark.parametrize(
    "text",
    [
        "hf_1234567890abcdef...", "…", "<token>", "your token here", "YOUR_TOKEN_HERE", "paste-here", "changeme",
        "hf_xxxxxxxxxxxx", "hf_", "example", "two words",
    ],
)  # fmt: skip
def test_a_placeholder_is_no_token(text: str) -> None:
    assert token_text.is_placeholder(text)


@pytest.mark.parametrize("text", [TOKEN, "hf_token1", "hunter2", "hf_TokenHereAndThere", "nobodysexample"])
def test_a_token_is_no_placeholder(text: str) -> None:
    assert not token_text.is_placeholder(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"https://alice:{TOKEN}@huggingface.co/o/m", "https://****@huggingface.co/o/m"),
        ("https://alice:hunter2@huggingface.co", "https://****@huggingface.co"),
        (f"https://{TOKEN}@huggingface.co", "https://hf_****4567@huggingface.co"),
        ("https://alice@huggingface.co", "https://alice@huggingface.co"),
        ("!f() { echo password=hunter2; }; f", "!f() { echo password=****; }; f"),
        ("--token hunter2", "--token ****"),
        ("store --file=/home/alice/.git-credentials", "store --file=/home/alice/.git-credentials"),
    ],
)
def test_what_is_given_as_a_password_is_hidden_whatever_it_looks_like(text: str, shown: str) -> None:
    assert token_text.hide_passwords(text) == shown


@pytest.mark.parametrize(("user", "may_be"), [("alice", False), ("hf_user", False), (TOKEN, True), ("a" * 32, True)])
def test_a_long_word_in_the_place_of_a_user_may_be_a_token(user: str, may_be: bool) -> None:
    assert token_text.may_be_token_for_user(user) == may_be
