"""A token: its text, whose it is, what it is for and how long it is valid."""

from git_credential_hf.model.text import has_control

_MAX_TEXT = 65_000  # with its key and line end it must fit into one line of git's


class Token:
    """A credential, wherever it was found.

    text: what git sends as the password, or as the credential of `authtype`.
    user: the username that it was stored for, None where its place has none.
    expires: seconds since the epoch, None where no end is known.
    authtype: None for a password, else the scheme of the Authorization header ("Bearer").
    item: the object path of an item of ours in the Secret Service, else empty.
    scope: the part of the host that it is for, empty for the whole host.
    oauth: whether `hf auth token` could renew it.
    """

    __slots__ = ("authtype", "expires", "item", "oauth", "refresh_token", "scope", "text", "user")

    def __init__(
        self,
        text: bytes,
        *,
        user: bytes | None = None,
        expires: int | None = None,
        refresh_token: bytes | None = None,
        authtype: bytes | None = None,
        item: bytes = b"",
        scope: bytes = b"",
        oauth: bool = False,
    ) -> None:
        self.text = text
        self.user = user
        self.expires = expires
        self.refresh_token = refresh_token
        self.authtype = authtype
        self.item = item
        self.scope = scope
        self.oauth = oauth

    def __repr__(self) -> str:
        return f"<Token {fingerprint(self.text)}>"


def clean(raw: bytes) -> bytes | None:
    """Return the token in `raw` without the white space around it, or None where that is no token."""
    text = raw.strip()
    return text if text and is_sendable(text) else None


def of_hub(raw: bytes) -> bytes | None:
    """Return the token in `raw`, the content of a source for the Hub, or None where there is none.

    A word that does not look like a token of the Hub may be one. See token_text.shape for what is never a token.
    """
    text = clean(raw)
    if text is None or (text.startswith(b"hf_") and text[3:].isalnum() and not text[3:].isalpha()):
        return text  # as it is nearly always, and what follows is not free
    from git_credential_hf.model import token_text

    return text if token_text.shape(text) in (token_text.TOKEN, token_text.WORD) else None


def is_sendable(value: bytes) -> bool:
    """Return whether git can be sent `value`: it fits into a line, and no reader would end the line within it."""
    return len(value) <= _MAX_TEXT and not has_control(value)


def seconds(text: bytes | None) -> int | None:
    """Return the seconds since the epoch that `text` writes in digits, or None."""
    return int(text) if text is not None and text.isdigit() and len(text) <= 18 else None


def fingerprint(text: bytes) -> str:
    """Return the first eight hexadecimal digits of the SHA-256 of a token, for traces and JSON."""
    import hashlib

    return hashlib.sha256(text).hexdigest()[:8]


def preferred(tokens: "list[Token | None]", users: list[bytes], anybody: bool) -> "list[Token]":
    """Return those of `tokens` that are for one of `users`, or all with `anybody`, in the order of `users`."""
    found = [token for token in tokens if token and (anybody or token.user in users)]
    return sorted(found, key=lambda token: rank(token, users))


def rank(token: Token, users: list[bytes]) -> int:
    """Return the place of the token's user among `users`, after all of them for anybody else."""
    return users.index(token.user) if token.user in users else len(users)
