"""A token: its text, where it was found, for whom and how long it holds."""

from git_credential_hf.protocol import has_control
from git_credential_hf.scope import HF_USER

_MAX_TEXT = 65_000  # with its key and line end it must fit into one line of git's


class Token:
    """A credential of one source.

    text: what git sends as the password, or as the credential of `authtype`.
    source: for people, where it was found ("HF_TOKEN", "the keyring", a path).
    user: the username that it was stored for, None where the source has none.
    expires: seconds since the epoch, None where no end is known.
    authtype: None for a password, else the scheme of the Authorization header ("Bearer").
    item: the object path of an item in the Secret Service that is ours to delete, else empty.
    scope: the part of the host that it is for, empty for the whole host.
    oauth: whether `hf auth token` could renew it.
    """

    __slots__ = ("authtype", "expires", "item", "oauth", "refresh_token", "scope", "source", "text", "user")

    def __init__(
        self,
        text: bytes,
        source: str,
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
        self.source = source
        self.user = user
        self.expires = expires
        self.refresh_token = refresh_token
        self.authtype = authtype
        self.item = item
        self.scope = scope
        self.oauth = oauth

    def __repr__(self) -> str:
        return f"<Token {fingerprint(self.text)} from {self.source}>"

    def to_secret(self) -> bytes:
        """Return the secret of a keyring item: the password, then a line for each thing known about it.

        It is the format of git-credential-libsecret 2.43 and later, so that each reads the other's; the lines
        `authtype` and `username` are this program's own, and that helper passes over them. A scoped item says
        whose it is in its secret because one search then serves every user. An empty password is a line end,
        since an empty secret is how KWallet says that it is locked.
        """
        lines = [self.text]
        if self.expires is not None:
            lines.append(b"password_expiry_utc=%d" % self.expires)
        if self.refresh_token is not None:
            lines.append(b"oauth_refresh_token=" + self.refresh_token)
        if self.authtype is not None:
            lines.append(b"authtype=" + self.authtype)
        if self.scope and self.user not in (None, HF_USER):
            lines.append(b"username=%b" % self.user)
        return b"\n".join(lines) or b"\n"


def from_secret(
    secret: bytes, source: str, user: bytes | None, *, item: bytes = b"", scope: bytes = b""
) -> Token | None:
    """Return the token in the secret of a keyring item, or None where there is none that git could be given.

    user: whose the item is by its attributes, for a scoped item of ours unless the secret names another.
    item: its object path, where it is ours.
    """
    if not secret:
        return None
    text, _, rest = secret.partition(b"\n")
    known = dict(line.partition(b"=")[::2] for line in rest.split(b"\n"))
    refresh_token = known.get(b"oauth_refresh_token")
    authtype = known.get(b"authtype")
    if scope:
        user = known.get(b"username", user)
    values = (text, user, refresh_token, authtype)
    if any(len(value) > _MAX_TEXT or has_control(value) for value in values if value):
        return None
    return Token(
        text,
        source,
        user=user,
        expires=seconds(known.get(b"password_expiry_utc")),
        refresh_token=refresh_token,
        authtype=authtype,
        item=item,
        scope=scope,
    )


def clean(raw: bytes) -> bytes | None:
    """Return the token in `raw` without the white space around it, or None where that is no token."""
    text = raw.strip()
    if not text or has_control(text) or len(text) > _MAX_TEXT:
        return None
    return text


def seconds(text: bytes | None) -> int | None:
    """Return the seconds since the epoch that `text` writes in digits, or None."""
    return int(text) if text is not None and text.isdigit() and len(text) <= 18 else None


def fingerprint(text: bytes) -> str:
    """Return the eight hexadecimal digits that stand for a token wherever people read."""
    import hashlib

    return hashlib.sha256(text).hexdigest()[:8]
