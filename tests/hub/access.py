"""Who somebody is to the Hub, and why they may not have something."""

import base64
import binascii
import hashlib
from dataclasses import dataclass, field
from http import HTTPStatus


def fingerprint(text: str) -> str:
    """The first 8 hexadecimal digits of a token's sha256: names a token without showing it."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:8]


class Secret(str):
    """A text whose repr is its fingerprint, so that an assertion that fails does not show it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<sha256 {fingerprint(self)}>"


@dataclass(frozen=True)
class Credential:
    """What an Authorization header says: `scheme` Basic or Bearer, or another's name with no token."""

    scheme: str
    username: str | None = None
    token: Secret | None = None

    @classmethod
    def parse(cls, header: str | None) -> "Credential | None":
        """None if there is no such header; a header that cannot be read has no token."""
        if header is None:
            return None
        scheme, _, rest = header.strip().partition(" ")
        match scheme.lower():
            case "bearer":
                return cls("Bearer", None, Secret(rest.strip()))
            case "basic":
                try:
                    pair = base64.b64decode(rest.strip(), validate=True).decode("utf-8", "surrogateescape")
                except binascii.Error:
                    return cls("Basic")
                username, _, password = pair.partition(":")
                return cls("Basic", username, Secret(password))
        return cls(scheme)


@dataclass(frozen=True)
class Request:
    """What the Hub was asked, and its status in answer.

    `path` has the query; `scheme` is that of the Authorization header (Basic, Bearer) or None; `username` is
    Basic's. Compare by `fingerprint`: when `==` between two texts fails, pytest shows the texts.
    """

    host: str
    method: str
    path: str
    scheme: str | None
    username: str | None
    fingerprint: str | None
    status: int
    token: Secret | None = field(repr=False, compare=False)


@dataclass(frozen=True)
class Token:
    """What a token can do. `gated` are the repositories whose conditions its user accepted.

    `repos` None: it sees every private repository of `user` and `orgs`; else those of `repos` alone. `role`
    is read, write, fineGrained or oauth; only write may push. `expires` is when it ends, as the Hub writes it.
    """

    text: Secret
    user: str = "alice"
    role: str = "read"
    orgs: tuple[str, ...] = ()
    gated: frozenset[str] = frozenset()
    repos: frozenset[str] | None = None
    expires: str | None = None

    def covers(self, path: str) -> bool:
        """Whether the repository is its user's or of an organization of theirs, and it may know it."""
        if self.repos is not None:
            return path in self.repos
        return path.split("/")[-2] in {self.user, *self.orgs}


@dataclass(frozen=True)
class Refusal:
    """Why somebody may not have something; `code` is the X-Error-Code that huggingface_hub looks at."""

    status: HTTPStatus
    message: str
    code: str | None = None


UNAUTHORIZED = Refusal(HTTPStatus.UNAUTHORIZED, "Invalid username or password.")
# huggingface_hub tells a bad token from a missing repository by this very text.
BAD_TOKEN = Refusal(HTTPStatus.UNAUTHORIZED, "Invalid credentials in Authorization header")
