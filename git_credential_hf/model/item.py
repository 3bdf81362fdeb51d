"""An item of ours in a keyring: its attributes, what finds it, and the format of its secret.

The schema and the attributes are git-credential-libsecret's, so that it reads what is for a whole host. Two more tell
our items from those of other programs: MARK says what an item is for, ORIGIN who wrote it.
"""

from git_credential_hf.model.repository import HF_USER
from git_credential_hf.model.token import Token, is_sendable, seconds

# Its value is the server, or the server and the scope: `git.example.com:8443`, `huggingface.co/my-org`. A search finds
# every item that has the wanted attributes and more; for a host alone it would find other ports and scopes as well.
MARK = b"git-credential-hf"
ORIGIN = b"git-credential-hf-origin"

SEEDED = b"seed"  # a person named the source
DECLARED = b"tokens.toml"  # removed again once tokens.toml does not have it
STORED = b"store"  # git stored it

SCHEMA = b"org.git.Password"
BEARER_SCHEMA = b"git-credential-hf.Bearer"


class Item:
    """What an item of ours is for, by its attributes.

    For the same scope and user there may be two: one that git stored, and one that a person seeded or declared.

    server: HOST or HOST:PORT. scope: empty for the whole host. user: None only for a Bearer item of any user.
    bearer: whether it holds a credential for the Authorization header.
    origin: SEEDED, DECLARED or STORED; anything else if somebody changed it.
    """

    __slots__ = ("bearer", "origin", "scope", "server", "user")

    def __init__(self, server: bytes, scope: bytes, user: bytes | None, *, bearer: bool, origin: bytes) -> None:
        self.server = server
        self.scope = scope
        self.user = user
        self.bearer = bearer
        self.origin = origin

    def attributes(self) -> dict[bytes, bytes]:
        """Return the attributes that this program gives the item."""
        attributes = of_place(self.server, self.scope, self.user) | {ORIGIN: self.origin}
        if self.bearer:
            return attributes | {b"xdg:schema": BEARER_SCHEMA}
        # git-credential-libsecret finds an item by these, and would answer a Bearer one as a password.
        attributes |= of_server(self.server) | {b"xdg:schema": SCHEMA}
        return attributes | {b"object": self.scope} if self.scope else attributes

    def place(self) -> bytes:
        """Return what the item is for, as MARK has it."""
        return place(self.server, self.scope)

    @property
    def is_stored(self) -> bool:
        """Return whether git stored it, so that no person seeded it."""
        return self.origin == STORED

    def is_at(self, other: "Item") -> bool:
        """Return whether both are for the same place and user, whatever kind of credential they hold."""
        return (self.server, self.scope, self.user) == (other.server, other.scope, other.user)

    def label(self) -> str:
        """Return the label of the item in a keyring's window. KWallet reads a slash in it as a folder."""
        where = self.server + (b": " + self.scope if self.scope else b"")
        by = "stored by git" if self.is_stored else "git"
        return f"{where.decode()} ({(self.user or b'any user').decode()}), {by}".replace("/", " ")


def ours(attributes: dict[bytes, bytes]) -> Item | None:
    """Return the item of ours that has these attributes, None for an item of another program.

    It is ours if it has every attribute that this program would give it. It may have more, since some keyrings and some
    people add their own. One more `port` or `object` makes it another program's: git-credential-libsecret uses these.
    """
    if MARK not in attributes:
        return None
    server, _, scope = attributes[MARK].partition(b"/")
    for bearer in (False, True):
        item = Item(server, scope, attributes.get(b"user"), bearer=bearer, origin=attributes.get(ORIGIN, b""))
        wanted = item.attributes()
        has_all = wanted.items() <= {ORIGIN: b"", **attributes}.items()
        is_here = port(attributes) == port(wanted) and attributes.get(b"object") == wanted.get(b"object")
        if has_all and is_here and (bearer or item.user is not None):
            return item
    return None


def port(attributes: dict[bytes, bytes]) -> bytes | None:
    """Return the port that an item is for; None for that of https, which an item may name or not."""
    named = attributes.get(b"port")
    return None if named == b"443" else named


def place(server: bytes, scope: bytes) -> bytes:
    """Return the value of MARK for `scope`, or for the whole of `server` where that is empty."""
    return server + b"/" + scope if scope else server


def of_server(server: bytes) -> dict[bytes, bytes]:
    """Return the attributes by which git-credential-libsecret knows `server`, which is HOST or HOST:PORT."""
    host, colon, port = server.rpartition(b":")
    if colon and port.isdigit():
        return {b"protocol": b"https", b"server": host, b"port": port}
    return {b"protocol": b"https", b"server": server}


def of_place(server: bytes, scope: bytes = b"", user: bytes | None = None) -> dict[bytes, bytes]:
    """Return the attributes that find our items for the whole of `server`, or for `scope`: those of `user`, or all."""
    found = {MARK: place(server, scope)}
    return found if user is None else found | {b"user": user}


def to_secret(token: Token) -> bytes:
    """Return the secret of an item that holds `token`: the password, then a line for each thing known about it.

    It is the format of git-credential-libsecret 2.43 and later, so that each reads the other's; the lines `authtype`
    and `username` are this program's own, and that helper skips them. A scoped item says whose it is in its secret
    because one search then serves every user. An empty password is a line end, since an empty secret is how KWallet
    says that it is locked.
    """
    lines = [token.text]
    if token.expires is not None:
        lines.append(b"password_expiry_utc=%d" % token.expires)
    if token.refresh_token is not None:
        lines.append(b"oauth_refresh_token=" + token.refresh_token)
    if token.authtype is not None:
        lines.append(b"authtype=" + token.authtype)
    if token.scope and token.user not in (None, HF_USER):
        lines.append(b"username=%b" % token.user)
    return b"\n".join(lines) or b"\n"


def searches(server: bytes) -> list[dict[bytes, bytes]]:
    """Return the attributes that find every item of ours for `server` and its scopes. Other items match too.

    A Bearer item has no attribute of its host alone, so that those of other hosts are found too.
    """
    return [of_server(server), {b"xdg:schema": BEARER_SCHEMA}]


def text_of(secret: bytes) -> bytes:
    """Return the password in the secret of an item.

    Blanks around a token of the Hub are no part of it: somebody has edited the item.
    """
    text = secret.partition(b"\n")[0]
    bare = text.strip()
    return bare if bare.startswith(b"hf_") else text


def from_secret(secret: bytes, user: bytes | None, *, path: bytes = b"", scope: bytes = b"") -> Token | None:
    """Return the token in the secret of a keyring item, or None where there is none that git could be given.

    user: the item's user by its attributes. The secret of a scoped item of ours may name another one.
    path: its object path, where the item is ours. Blanks around the password of another tool's are no part of it.
    """
    if not secret:
        return None
    text = text_of(secret)
    rest = secret.partition(b"\n")[2]
    if not path:
        text = text.strip()
    known = dict(line.partition(b"=")[::2] for line in rest.split(b"\n"))
    refresh_token = known.get(b"oauth_refresh_token")
    authtype = known.get(b"authtype")
    if scope:
        user = known.get(b"username", user)
    if not all(is_sendable(value) for value in (text, user, refresh_token, authtype) if value):
        return None
    return Token(
        text,
        user=user,
        expires=seconds(known.get(b"password_expiry_utc")),
        refresh_token=refresh_token,
        authtype=authtype,
        item=path,
        scope=scope,
    )
