"""What a token looks like: which texts are never one, and how people see one."""

import re

MASK = "****"

_SHORTEST_SHOWN = 16  # characters: of a shorter one nothing is shown

# What may be a token, anywhere in a text: of the Hub, and of those whose tokens are mistaken for the Hub's. A word that
# only begins like one is a name, as in the paths `hf_datasets` and `hf_models_2`: it has neither a digit nor a capital,
# or it is short.
_TOKEN = re.compile(
    r"""
    (?<![A-Za-z0-9])
    (?: hf_(?:oauth|jwt)_[\w.-]{4,} | api_org_\w{4,}
      | (?:hf|api)_ (?: (?=[a-z]*[A-Z0-9]) [A-Za-z0-9]{8,} | [A-Za-z0-9]{20,} )
      | (?:ghp|gho|ghu|ghs|github_pat)_\w{8,} | glpat-[\w-]{8,} | sk-[\w-]{16,} )
    """,
    re.VERBOSE | re.ASCII,
)

_PLACEHOLDER = re.compile(
    r"""
    \.\.\. | … | [<> ]                                                                # no token has these in it
    | (?<![a-z0-9]) (?:your|token|paste|here|example|changeme|placeholder)+ (?![a-z0-9])  # a template's words
    | \A hf_x* \Z
    """,
    re.IGNORECASE | re.VERBOSE,
)


# What a URL, a command or a setting gives as a password, whatever it looks like.
_URL_PASSWORD = re.compile(r"(://)[^/\s@]*:[^/\s@]*@")
_NAMED_PASSWORD = re.compile(r"(?i)((?:password|credential|token|secret)[= ]\s*)[^\s;'\"]+")

_LONGEST_USER = 31  # characters: a longer word in the place of a user is taken for a token


def masked(token: str) -> str:
    """Return what people see of a token: its first three and last four characters, nothing of a short one."""
    return f"{token[:3]}{MASK}{token[-4:]}" if len(token) >= _SHORTEST_SHOWN else MASK


def hide(text: str) -> str:
    """Return `text` with everything in it that may be a token masked."""
    return _TOKEN.sub(lambda found: masked(found[0]), text)


def may_be_token(text: str) -> bool:
    """Return whether the whole of `text`, where a name was expected, may be a token."""
    return _TOKEN.fullmatch(text) is not None


def may_be_token_for_user(text: str) -> bool:
    """Return whether `text`, where a URL or a setting names a user, may be a token."""
    return may_be_token(text) or len(text) > _LONGEST_USER


def hide_passwords(text: str) -> str:
    """Return `text`, a URL, a command or a setting, without what may be a token or is given as a password."""
    return _NAMED_PASSWORD.sub(rf"\1{MASK}", _URL_PASSWORD.sub(rf"\1{MASK}@", hide(text)))


def is_placeholder(text: str) -> bool:
    """Return whether `text` stands where a token is to be put."""
    return _PLACEHOLDER.search(text) is not None
