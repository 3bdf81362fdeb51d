"""What a token looks like: what is masked wherever people read, and what stands where a token is to be put."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_credential_hf.model import token, token_text

TOKEN = "hf_AbCdEfGhIjKlMnOpQrStUvWxYz01234567"
ORG = "api_org_AbCdEfGhIjKl"
JWT = "hf_oauth_eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"


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
        # whatever stands before or after it
        (f"x{TOKEN}", "xhf_****4567"),
        (f"\\n{TOKEN}", "\\nhf_****4567"),
        (f"{TOKEN}{TOKEN}", "hf_****4567"),
        (f"see {TOKEN}.", "see hf_****4567."),
        # names
        ("hf_user", "hf_user"),
        ("/srv/hf_datasets/hf_downloads", "/srv/hf_datasets/hf_downloads"),
        (
            "/srv/hf_models_of_2026/a_login_with_hf_after_the_seed_0",
            "/srv/hf_models_of_2026/a_login_with_hf_after_the_seed_0",
        ),
        ("hf_token.txt", "hf_token.txt"),
        ("task-management-of-things", "task-management-of-things"),
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
    st.text(" /=:'\"\n,;()_xA1", max_size=3),
    st.text(" /=:'\"\n,;()_.-xA1", max_size=3),
)
def test_no_token_of_the_hub_is_left_in_a_text(prefix: str, word: str, before: str, after: str) -> None:
    token = prefix + word
    assert token not in token_text.hide(before + token + after)
    assert token_text.may_be_token(token)


SHAPES = {
    token_text.TOKEN: [
        TOKEN, f"  {TOKEN}\n", "hf_a", "hf_0", "hf_TokenHereAndThere", "hf_4token7", "hf_org/one",
        JWT, "hf_jwt_aa.bb.cc_dd-ee", "hf_oauth_aa.bb.cchf_dd", ORG,
        "hf_jwt_aa.bb.cc-", "hf_jwt_aa.bb.cc_", "hf_oauth_xxy",
    ],
    token_text.WORD: ["hunter2", "a", "0123456789abcdef", "xxxxxxxxxx", "nobodysexample", "dGVzdA==", "$5", "!\"#$%&'",
        "[abc]", "{a}", "xchange_menu", "a:b", "vault", "vault:x", "ref+x", "'$a",
        "api_AbCdEfGhIjKl0123",
        "https://huggingface.co", "https://alice:hunter2@huggingface.co",
    ],
    token_text.NOTHING: ["", " \r\n\t", '""', "''"],
    token_text.PLACEHOLDER: [
        "hf_1234567890abcdef...", "...", "…", "<token>", f"<{TOKEN}>", "hf_abc>", "your token here", "YOUR_TOKEN_HERE",
        "paste-here", "changeme", "example", "placeholder", "hf_token", "hf_yourtokenhere", "hf_EXAMPLE_0123456789",
        "hf_xxxxxxxxxxxx", "hf_X", "hf_", "api_org_xxxx", "None", "none", "null", "NULL", "undefined",
        "$HF_TOKEN", "$HF", "${HF_TOKEN}", "${HF}", "${HF:-}", "$(pass hf)", "${{ secrets.HF }}", "{{ hf }}",
        "HF_TOKEN", "HF_TOKEN=", 'HF_TOKEN=""', "HF_TOKEN=None", "HF_TOKEN=${HF_TOKEN}", '"your token"', "hf_****4567",
        "HF_TOKEN=hf_your_token_here", '{"token": "<token>"}', "hf_your_hf_token",
        "hf_oauth_xxx", "hf_jwt_XXXXXXXX", "hf_oauth_", "CHANGE_ME", "change-me", "hf_change_me", "Change me!",
        "your-hf-token", "[your-token]", "{HF_TOKEN}", '{"token": "hf_your_token"}', "HF=hf_xxx", "HF=None", 'HF=""',
        '{"token": null}', '{"token": ""}', '{"token": "your token"}',
        "HF_TOKEN=hf_xxx # from <https://huggingface.co>", '{"token":"<token>","url":"<host>"}', f"X=<{TOKEN}>",
        "hf_xxx,", "(hf_xxx)", "#hf_xxx", ",hf_xxx#",
        "op://Private/Hugging Face/credential", "op://vault/item/field", "bws://0f1e/field", "vault:secret/data/x#key",
        "vault://secret/x", "ref+sops://secrets.yaml#/hf", "HF=op://vault/item/field",
    ],
    token_text.QUOTED: [f'"{TOKEN}"', f"'{TOKEN}'", f"`{TOKEN}`", '"hunter2"', '"ghp_abcdefghijklmnopqrst"'],
    token_text.MORE: [
        f"HF_TOKEN={TOKEN}", f'HF_TOKEN="{TOKEN}"', f"export HF_TOKEN={TOKEN}", f"HF_TOKEN = {TOKEN}", "HF_TOKEN=hf_a",
        f'{{"token": "{TOKEN}"}}', f"['{TOKEN}']", f"token: {TOKEN}", f'hf_token: "{TOKEN}"', f"- {TOKEN}",
        f"Bearer {TOKEN}", f"Authorization: Bearer {TOKEN}", f"{TOKEN}\n{TOKEN}", f"{TOKEN}\r{TOKEN}",
        f"{TOKEN} {TOKEN}", f"{TOKEN},{TOKEN}", f"{TOKEN};", f'"{TOKEN}', f"# mine\n{TOKEN}",
        f"machine huggingface.co password {TOKEN}",
        f"{TOKEN}{TOKEN}", f"{TOKEN}{JWT}", f"{JWT}{JWT}",
        f"{TOKEN}{ORG}", f"{ORG}{ORG}", f"{ORG}{TOKEN}", f"{JWT}{ORG}", f"{JWT}{TOKEN}", f"hf_jwt_aa.bb.cc{TOKEN}",
        f"hf_{TOKEN}", f"hf_a{TOKEN}", f"hf_user/{TOKEN}", f"hf_user-{TOKEN}", f"{TOKEN}-hf_user",
        # with a mark of a template that is not the token's
        f"HF_TOKEN={TOKEN} # from <https://huggingface.co>", f"{TOKEN} # get it from ...", f"... {TOKEN}",
        f"export HF_TOKEN={TOKEN}; export X=${{Y}}", f'{{"token":"{TOKEN}","url":"<host>"}}',
        f"login hf_user password {TOKEN} # ***", f"HF_TOKEN={TOKEN} # not hf_xxx...",
        f'"HF_TOKEN": "{TOKEN}"', f'"HF_TOKEN={TOKEN}"', f"'Authorization: Bearer {TOKEN}'",
        "HF_TOKEN=hunter2", "password: hunter2", "hf_ab cd", "two words", "GITHUB=ghp_abcdefghijklmnopqrst",
        f"export {TOKEN}", f"https://alice:{TOKEN}@huggingface.co",
        '{"error":"unauthorized"}', '{"error": "invalid token"}', "{}", "{ }", "[]", '["hf_x"]', '{"a":1}', "[1,2]",
        '{\n  "a": 1\n}', '{"token": {"type": "your-token"}}',
        f"https://{TOKEN}@huggingface.co", f"#{TOKEN}", f"*{TOKEN}*", f"{TOKEN}#laptop", f"{TOKEN}|", f"|{TOKEN}",
        f"{TOKEN}%", f"{TOKEN}.", f"-{TOKEN}", f"/{TOKEN}", f"x{TOKEN}", f"token{TOKEN}", f"@{JWT}", f"{JWT}!",
        f"?{ORG}", f"hf_user:{TOKEN}", f"$env:HF_TOKEN={TOKEN}", "$env:HF_TOKEN=hunter2", "|hf_a",
        "https://ghp_abcdefghijklmnopqrst@github.com", "x.sk-abcdefghijklmnopqrst",
    ],
    token_text.FOREIGN: [
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789", "gho_a", "github_pat_11ABCDEFG0abcdefghijkl",
        "glpat-abcdefghijklmnopqrst", "sk-abcdefghijklmnopqrst", "sk-ant-api03-x",
    ],
    token_text.NO_TEXT: [f"{TOKEN}ß", f"HF_TOKEN={TOKEN} …", f"{TOKEN}\x1b[2K", "größe", "hf_\0"],
}  # fmt: skip


@pytest.mark.parametrize(("shape", "text"), [(shape, text) for shape, texts in SHAPES.items() for text in texts])
def test_the_shape_of_what_a_source_holds(shape: str, text: str) -> None:
    assert token_text.shape(text.encode()) == shape
    assert token.of_hub(text.encode()) == (
        text.strip().encode() if shape in (token_text.TOKEN, token_text.WORD) else None
    )


@given(st.binary(max_size=60))
def test_any_bytes_have_a_shape(raw: bytes) -> None:
    shape = token_text.shape(raw)
    assert shape in SHAPES
    assert (token.of_hub(raw) is not None) == (shape in (token_text.TOKEN, token_text.WORD))


@given(st.from_regex(r"hf_[A-Za-z0-9]{34}", fullmatch=True).filter(lambda text: text.lower().strip("x") != "hf_"))
def test_every_user_token_is_one(text: str) -> None:
    assert token_text.shape(text.encode()) == token_text.TOKEN


@given(
    st.sampled_from(["hf_oauth_", "hf_jwt_"]),
    st.dictionaries(st.text(max_size=9), st.text(max_size=40), max_size=4),
    st.binary(min_size=64, max_size=64),
)
def test_every_signed_token_is_one(prefix: str, claims: dict[str, str], signature: bytes) -> None:
    parts = (json.dumps(claims, ensure_ascii=False).encode(), signature)
    encoded = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (b'{"alg":"EdDSA"}', *parts))
    assert token.of_hub((prefix + encoded).encode()) is not None
    assert token_text.shape((prefix + encoded).encode() * 2) == token_text.MORE


AROUND = [
    f"{TOKEN},", f"{TOKEN};", f"({TOKEN})", f'"{TOKEN}', f'{TOKEN}"', f"#{TOKEN}", f"*{TOKEN}*", f"{TOKEN}#laptop",
    f"[{TOKEN}]", f"{{{TOKEN}}}", f"--token={TOKEN}", f"/{TOKEN}", f"{TOKEN}.",
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (f"HF_TOKEN={TOKEN}", "a name with its value"),
        (f"token: {TOKEN}", "a name with its value"),
        (f'{{"token": "{TOKEN}"}}', "JSON"),
        (f"Authorization: Bearer {TOKEN}", "an Authorization header"),
        (f"{TOKEN}\n{TOKEN}", "more than one line"),
        (f"{TOKEN} {TOKEN}", "more than one word"),
        (f"{TOKEN}{TOKEN}", "two tokens without a space between them"),
        (f"{TOKEN},{JWT}", "two tokens without a space between them"),
        (f"{JWT}{TOKEN}", "two tokens without a space between them"),
        (f"hf_{TOKEN}", "a token with other characters around it"),
        (f'"HF_TOKEN={TOKEN}"', "a name with its value"),
        (f"hf_user:{TOKEN}", "a name with its value"),
        (f"token:{TOKEN}", "a name with its value"),
        (f"HF_TOKEN:{TOKEN}", "a name with its value"),
        (f"$env:HF_TOKEN={TOKEN}", "a name with its value"),
        (f"https://alice:{TOKEN}@huggingface.co", "a URL with a token in it"),
        (f"https://{TOKEN}@huggingface.co", "a URL with a token in it"),
        ('{"error":"unauthorized"}', "JSON"),
        ("[]", "JSON"),
        *((text, "a token with other characters around it") for text in AROUND),
    ],
)
def test_what_is_more_than_a_token(text: str, what: str) -> None:
    assert token_text.shape(text.encode()) == token_text.MORE
    assert token_text.more(text.encode()) == what


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (f"HF_TOKEN={TOKEN}", "the word that begins with hf_"),
        (f"token: {TOKEN}", "the word that begins with hf_"),
        (f"{TOKEN} {TOKEN}", "the word that begins with hf_, and only one of them"),
        (f"{TOKEN}{TOKEN}", "one of them"),
        (f"hf_{TOKEN}", "the token alone"),
        (f"HF_TOKEN={TOKEN} # from <https://huggingface.co>", "the word that begins with hf_"),
        (f'"HF_TOKEN": "{TOKEN}"', "the word that begins with hf_"),
        (f"hf_user:{TOKEN}", "the token alone"),
        (f"TOKEN={ORG}", "the token alone"),
        (f"https://alice:{TOKEN}@huggingface.co", "the token alone"),
        *((text, "the token alone") for text in AROUND),
        ("two words", ""),
        ('{"error":"unauthorized"}', ""),
        ("GITHUB=ghp_abcdefghijklmnopqrst", ""),
    ],
)
def test_which_part_of_it_is_to_be_kept(text: str, part: str) -> None:
    assert token_text.shape(text.encode()) == token_text.MORE
    assert token_text.part(text.encode()) == part


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


@pytest.mark.parametrize("character", "!\"#$%&'()*,:;?@[\\]^`{|}")
def test_a_character_that_no_token_has_makes_it_more(character: str) -> None:
    """Without `=`, `<` and `>`: what is after the first is a value, and only a template has the others."""
    for token_of_hub in (TOKEN, JWT, ORG, "hf_a"):
        for text in (character + token_of_hub, token_of_hub + character, f"{token_of_hub}{character}x"):
            if text.startswith("$"):
                continue  # the name of a variable
            assert token_text.shape(text.encode()) == token_text.MORE, text


@pytest.mark.parametrize("part", ["[", '{"a":', "a=", "your", '"', "'\"", "hf_", "hf_a,", "op://", "change-me"])
def test_whatever_is_repeated_has_a_shape(part: str) -> None:
    assert token_text.shape(part.encode() * (60_000 // len(part))) in SHAPES


SECRETS = {
    False: [
        "!f() { echo username=x; echo \"password=$(gcloud secrets versions access latest --secret=hf-token)\"; }; f",
        "!sed \"s/^/password=/;1iusername=x\" ~/.cache/huggingface/token; echo; :",
        "!vault read --token=/run/secrets/vault hf", "!get --password=stdin", "!get --secret=projects/x/secrets/y",
        "!get --secret=hf-token-2", "!f() { while read -r l; do case \"$l\" in password=*) echo x;; esac; done; }; f",
        "!f() { token=~/t; echo password=$(cat $token); }; f", "!f() { token=./t; }; f", "!grep -o 'password=.*' ~/t",
        "!sed -n 's/password=\\(.*\\)/x/p' ~/t", "!grep 'password=[a-z]*' ~/t", "!get --token-file=~/t",
        "!python3 -c 'print(\"password=\"+open(\"t\").read())'", "!jq -r '\"password=\"+.token' t",
        "!perl -pe 's/^/password=/' t", "!sed 's|https://\\(.*\\):\\(.*\\)@|x|' t",
        "!awk '{print \"password=\" $0}' t", "!jq -r '\"password=\\(.token)\"' t",
        "!sed 's#^#password=#' ~/t", "!sed 's|^|password=|;s@x@y@' ~/t", "!printf 'username=x\\npassword='; cat ~/t",
        "!f() { test \"$key\" = password && echo password=\"$value\"; }; f", "!curl https://me:$PW@vault.example.org",
        "!curl \"https://me:$(pass vault)@vault.example.org\"",
    ],
    True: [
        "!echo password=hunter2", "!echo 'password=correct'", "!printf 'username=x\\npassword=hunter2\\n'",
        "!printf \"password=p\\n\"", "!echo credential=hunter2", "!DB_PASSWORD=hunter2 get", "!echo password=#x",
        "!get --password=hunter2", "!get --token=hvs.CAESIJ4k2v9", "!get --secret='Zq3x81Lm'",
        "!VAULT_TOKEN=s3cr3t99 get",
        f"!get --secret={TOKEN}", f"!get {TOKEN}", "!curl https://me:hunter2@vault.example.org",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("has", "command"), [(has, one) for has, commands in SECRETS.items() for one in commands])
def test_a_command_with_a_secret_in_clear(has: bool, command: str) -> None:
    assert token_text.has_secret(command) == has
