"""What a token looks like: which texts are never one, what may be one in a text, and how people see one.

Source: https://huggingface.co/docs/hub/security-tokens; huggingface_hub's _login.py and _oidc.py for `hf_oauth_` and
`hf_jwt_`. Only the functions that mask import `re`: `get` uses this module too, and must start fast.
"""

MASK = "****"

# Shapes of what a source holds.
TOKEN = "a token of the Hub"  # noqa: S105 - it is none
WORD = "a word that looks like no token of the Hub"
NOTHING = "nothing"
PLACEHOLDER = "a placeholder"
QUOTED = "a text in quotes"
MORE = "more than the token"
FOREIGN = "a token of somebody else's"
NO_TEXT = "a character that no token has"

# Kinds of MORE.
TWO = "two tokens without a space between them"
_URL = "a URL with a token in it"
_AROUND = "a token with other characters around it"

_HUBS = (b"hf_", b"api_org_")
_SIGNED = (b"hf_oauth_", b"hf_jwt_")  # a JWT follows, so any character of base64url and dots
_FOREIGN = (b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_", b"github_pat_", b"glpat-", b"sk-")
_QUOTES = (b'"', b"'", b"`")
# What stands between a token and what else is in a text, beside white space. Source: RFC 6750, 2.1, has what it may be.
_BETWEEN = b"!\"#$%&'()*,:;<=>?@[\\]^`{|}"
_BEGINNINGS = ("hf_", "api_", "gh", "github_pat_", "glpat-", "sk-")

# What only a template has in it; `***` is a token that somebody has masked.
_MARKS = (b"...", "…".encode(), b"<", b">", b"${", b"$(", b"{{", b"***")
_NO_VALUES = (b"none", b"null", b"undefined")
_WORDS = (b"your", b"token", b"paste", b"here", b"example", b"changeme", b"placeholder")
_REFERENCES = (b"op://", b"bws://", b"vault://", b"vault:secret/", b"sm://", b"berglas://")  # to a secret

_SHORTEST_OF_TWO = 16  # characters: the Hub's own have 37 and more
_OF_A_USER = 37  # characters: how long a user's token is
_SHORTEST_SHOWN = 16  # characters: of a shorter one nothing is shown
_LONGEST_USER = 31  # characters: a longer word in the place of a user is taken for a token

# What may be a token, anywhere in a text: of the Hub, and of those whose tokens are mistaken for the Hub's. A word that
# only begins like one is a name, as in the paths `hf_datasets` and `hf_models_2`: it has neither a digit nor a capital,
# or it is short.
_MAY_BE_ONE = r"""
    (?: hf_(?:oauth|jwt) | api_org ) _ [\w.-]*\w
  | (?:hf|api)_ (?: (?=[a-z]*[A-Z0-9]) [A-Za-z0-9]{8,} | [A-Za-z0-9]{20,} ) \w*
  | (?<![A-Za-z0-9]) (?: (?:ghp|gho|ghu|ghs|ghr|github_pat)_\w{8,} | glpat-[\w-]{8,} | sk-[\w-]{16,} )
"""

# What a URL, a command or a setting gives as a password, whatever it looks like; and a user too long to be one.
_IN_URL = rf"(://)(?:[^/\s@]*:[^/\s@]*|[^/\s@]{{{_LONGEST_USER + 1},}})@"
_AFTER_NAME = r"(?i)((?:password|credential|token|secret)[= ]\s*)[^\s;'\"]+"

# A password that a command prints or sets: not a path, a pattern, or what the shell fills in. What an option or another
# name is given may be where a secret is: it is one itself if letters and digits are mixed in it, and it has no `/`.
_IN_CLEAR = r"""
    (?<!-) (?:password|credential) = (?: ["'] | [#:!@+=^_-] )? [^\W_]
  | (?:password|credential|token|secret) = ["']? (?![^\s;'"]*/) [\w.+~-]*? (?=\d*[a-z]) (?=[a-z]*\d) [a-z0-9]{6}
"""


def shape(raw: bytes) -> str:
    """Return which of the shapes above `raw`, the content of a source for the Hub, has."""
    text = raw.strip()
    if not text:
        return NOTHING
    if b"\n" in text or b"\r" in text:
        return MORE
    if _is_template(text) and not any(_tokens(part) for part in _parts(text) if not _is_template(part)):
        return PLACEHOLDER
    if not text.isascii() or not text.decode().isprintable():
        return NO_TEXT
    if len(text) > 1 and text[:1] in _QUOTES and text[:1] == text[-1:]:
        return _missing(text) or (MORE if _has_token_among_others(text.strip(b" \"'`")) else QUOTED)
    if _has_token_among_others(text):
        return MORE
    if value := _value(text):
        return PLACEHOLDER if _missing(value) else MORE
    if of_json := _json(text):
        return of_json
    if _missing(text) == PLACEHOLDER:
        return PLACEHOLDER
    if len(text.split()) > 1 or _is_two(text) or _has_others(text):
        return MORE
    if text.startswith(_FOREIGN):
        return FOREIGN
    return TOKEN if text.startswith(_HUBS) else WORD


def more(raw: bytes) -> str:
    """Return the name, for people, of a text that has the shape MORE."""
    text = raw.strip()
    if b"\n" in text or b"\r" in text:
        return "more than one line"
    if _json(text):
        return "JSON"
    if b"bearer" in text.lower().split():
        return "an Authorization header"
    if _value(text):
        return "a name with its value"
    if len(text.split()) > 1:
        return "more than one word"
    if b"://" in text:
        return _URL
    if _is_two(text) or len(_found(text)) > 1:
        return TWO
    return "a name with its value" if _value(text, b":") else _AROUND


def part(raw: bytes) -> str:
    """Return which part of a text that has the shape MORE is to be kept, for people; empty if it has no token."""
    what = more(raw)
    if what == TWO:
        return "one of them"
    words = [word for word in _words(raw) if word.startswith(b"hf_") and not _is_template(word)]
    tokens = [one for one in _found(raw) if one.startswith(_HUBS)]
    if len(tokens) > 1 or (len(words) == 1 and what not in (_URL, _AROUND)):
        return "the word that begins with hf_" + ", and only one of them" * (len(tokens) > 1)
    return "the token alone" if words or tokens else ""


def masked(token: str) -> str:
    """Return what people see of a token: its first three and last four characters, nothing of a short one."""
    return f"{token[:3]}{MASK}{token[-4:]}" if len(token) >= _SHORTEST_SHOWN else MASK


def hide(text: str) -> str:
    """Return `text` with everything in it that may be a token masked."""
    if not any(beginning in text for beginning in _BEGINNINGS):
        return text
    import re

    return re.sub(_MAY_BE_ONE, lambda found: masked(found[0]), text, flags=re.VERBOSE | re.ASCII)


def may_be_token(text: str) -> bool:
    """Return whether the whole of `text`, where a name was expected, may be a token."""
    import re

    return re.fullmatch(_MAY_BE_ONE, text, re.VERBOSE | re.ASCII) is not None


def may_be_token_for_user(text: str) -> bool:
    """Return whether `text`, where a URL or a setting names a user, may be a token."""
    return may_be_token(text) or len(text) > _LONGEST_USER


def hide_passwords(text: str) -> str:
    """Return `text`, a URL, a command or a setting, without what may be a token or is given as a password."""
    import re

    return re.sub(_AFTER_NAME, rf"\1{MASK}", re.sub(_IN_URL, rf"\1{MASK}@", hide(text)))


def has_secret(text: str) -> bool:
    """Return whether a token or a password stands in clear in `text`, a command: not one that the shell fills in."""
    import re

    logins = [found[0] for found in re.finditer(_IN_URL, text)]
    in_url = any(not set("$`[{\\").intersection(login) for login in logins)
    return hide(text) != text or in_url or re.search(_IN_CLEAR, text, re.VERBOSE | re.IGNORECASE) is not None


def _is_template(text: bytes) -> bool:
    """Return whether `text` is a placeholder for a token."""
    lower = text.lower()
    after = [lower.removeprefix(one) for one in _SIGNED + _HUBS if lower.startswith(one)]
    return (
        any(mark in text for mark in _MARKS)
        or lower in _NO_VALUES
        or any(not one.strip(b"x") for one in after)
        or (text[:1] == b"$" and _is_name(text[1:]))
    )


def _missing(text: bytes) -> str:
    """Return NOTHING or PLACEHOLDER where `text`, which may be in quotes, is that; else empty."""
    bare = text.strip(b" \"'`") if text[:1] in _QUOTES and text[:1] == text[-1:] else text.strip()
    if not bare:
        return NOTHING
    is_reference = bare.startswith(_REFERENCES) or (bare.startswith(b"ref+") and b"://" in bare)
    has_template = any(word.startswith(_HUBS) and _is_template(word) for word in _words(bare))
    is_one = is_reference or has_template or _is_template(bare) or _has_words_of_a_template(bare)
    return PLACEHOLDER if is_one and not _has_token_among_others(bare) else ""


def _has_words_of_a_template(text: bytes) -> bool:
    """Return whether `text` has `change_me` in it, or a run of letters and digits made of _WORDS, as `yourtoken`."""
    runs = bytes(one if bytes((one,)).isalnum() else 32 for one in text.lower()).split()
    return any(_is_made_of_words(run) for run in runs) or b" change me " in b" %b " % b" ".join(runs)


def _is_made_of_words(run: bytes) -> bool:
    while run:
        rest = next((run.removeprefix(word) for word in _WORDS if run.startswith(word)), run)
        if rest == run:
            return False
        run = rest
    return True


def _parts(text: bytes) -> list[bytes]:
    """Return what of `text` is between blanks, quotes, commas and semicolons."""
    return text.translate(bytes.maketrans(b"\"'`,;", b" " * 5)).split()


def _words(text: bytes) -> list[bytes]:
    return text.translate(bytes.maketrans(_BETWEEN, b" " * len(_BETWEEN))).split()


def _found(text: bytes) -> list[bytes]:
    """Return what may be a token in `text`, of whatever length the word is that it is in."""
    whole = text.decode("ascii", "replace")
    if not any(beginning in whole for beginning in _BEGINNINGS):
        return []
    import re

    return [found[0].encode() for found in re.finditer(_MAY_BE_ONE, whole, re.VERBOSE | re.ASCII)]


def _has_token_among_others(text: bytes) -> bool:
    return any(one != text for one in _tokens(text))


def _tokens(text: bytes) -> list[bytes]:
    """Return what is no template of the words in `text` that begin like a token, and of what may be one within a word.

    What a token begins with is looked into only where it does so twice, as `hf_hf_…`, but for a JWT's signature.
    """
    tokens = [word for word in _words(text) if word.startswith(_HUBS + _FOREIGN)]
    if not text.startswith(_HUBS + _FOREIGN) or (_HUBS[0] in text[1:] and not text.startswith(_SIGNED)):
        tokens += _found(text)
    return [one for one in tokens if not _is_template(one) and not _has_words_of_a_template(one)]


def _has_others(text: bytes) -> bool:
    """Return whether `text`, one word, is a token of the Hub with characters that it never has, or never at its end."""
    return text.startswith(_HUBS) and (
        text.translate(None, _BETWEEN) != text or text.endswith((b".", b"~", b"+", b"/"))
    )


def _is_two(text: bytes) -> bool:
    """Return whether `text`, one word, is two tokens of the Hub without a space between them, as after a double paste.

    The signature in a JWT may have a `hf_` in it by chance, but hardly a longer prefix: once in 10^10 tokens; nor as
    many letters and digits after it, to the end, as a user's token has: once in 10^6. What is short may have a name in
    it, as `hf_of_hf_user`.
    """
    is_signed = text.startswith(_SIGNED)
    end = text[-_OF_A_USER:]
    if is_signed and end.startswith(_HUBS[0]) and end[len(_HUBS[0]) :].isalnum():
        return True
    following = (*_SIGNED, _HUBS[1]) if is_signed else _HUBS
    begins = [text.find(prefix, _SHORTEST_OF_TWO) for prefix in following]
    return text.startswith(_HUBS) and any(0 < begin <= len(text) - _SHORTEST_OF_TWO for begin in begins)


def _value(text: bytes, *separators: bytes) -> bytes:
    """Return the value that `text` gives to a name, as `export NAME=VALUE` and `name: VALUE` do; empty where none."""
    for separator in separators or (b"=", b": "):
        name, _, value = text.removeprefix(b"export ").removeprefix(b"$env:").partition(separator)
        value = value.strip(b"= ")
        if value and _is_name(name.strip(b" \"'")):
            return value
    return b""


def _json(text: bytes) -> str:
    """Return the shape of `text` if it is JSON, an object or a list; else empty."""
    if text[:1] not in (b"{", b"["):
        return ""
    import json

    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    values = list(found.values()) if isinstance(found, dict) else []
    texts = [(one or "").encode(errors="replace") for one in values if one is None or isinstance(one, str)]
    words = [word for text in texts for word in text.split() or [b""]]
    is_template = texts and len(texts) == len(values) and all(map(_missing, words))
    return PLACEHOLDER if is_template else MORE


def _is_name(text: bytes) -> bool:
    return text.replace(b"_", b"").isalnum() and not text[:1].isdigit()
