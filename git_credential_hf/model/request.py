"""git's credential lines: bytes to Request, Token to bytes.

Source: git-credential(1), "INPUT/OUTPUT FORMAT".
"""

from git_credential_hf.model.repository import HF_USER
from git_credential_hf.model.text import has_control

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from git_credential_hf.model.token import Token

MAX_INPUT = 1 << 20
MAX_LINE = 65_535  # git's own limit, the line end included

_REPEATABLE = (b"capability[]", b"wwwauth[]", b"state[]")


class Malformed(Exception):
    """The request breaks the format. The text says how, without quoting it."""


class Request:
    """What git asks for: each value as it was sent, None where it was not."""

    __slots__ = ("values", "with_authtype")

    def __init__(self, values: dict[bytes, bytes], with_authtype: bool) -> None:
        self.values = values
        self.with_authtype = with_authtype

    @property
    def protocol(self) -> bytes:
        return self.values[b"protocol"]

    @property
    def host(self) -> bytes:
        return self.values[b"host"]

    @property
    def path(self) -> bytes:
        """The path without a leading slash, empty where git sent none."""
        return self.values.get(b"path", b"")

    @property
    def username(self) -> bytes | None:
        return self.values.get(b"username")

    @property
    def password(self) -> bytes | None:
        return self.values.get(b"password")


def is_complete(data: bytes) -> bool:
    """Return whether an empty line ends the request in `data`, so that nothing more need be read."""
    return data.startswith(b"\n") or b"\n\n" in data


def parse(data: bytes) -> Request:
    """Return the request in `data`, which the first empty line or the end of `data` ends.

    Raises Malformed for what two programs could read differently: a key given twice, a control character, a line
    or an input beyond the limits, no protocol or no host.
    """
    if len(data) > MAX_INPUT:
        raise Malformed("it is larger than 1 MiB")
    if data.startswith(b"\n"):
        data = b""
    end = data.find(b"\n\n")
    if end >= 0:
        data = data[: end + 1]
    if has_control(data.replace(b"\n", b" ")):
        raise Malformed("it has a control character in it")
    values: dict[bytes, bytes] = {}
    with_authtype = False
    for line in data.removesuffix(b"\n").split(b"\n") if data else ():
        key, equals, value = line.partition(b"=")
        if len(line) >= MAX_LINE:
            raise Malformed("a line is longer than 65,535 bytes")
        if not equals or not key:
            raise Malformed("a line is not of the form key=value")
        if key in _REPEATABLE:
            with_authtype = with_authtype or (key, value) == (b"capability[]", b"authtype")
        elif key in values:
            raise Malformed("a key is given twice")
        else:
            values[key] = value
    if not values.get(b"protocol") or not values.get(b"host"):
        raise Malformed("it names no protocol or no host")
    return Request(values, with_authtype)


def answer(request: Request, token: "Token") -> bytes:
    """Return the lines that give `token` to git in answer to `request`."""
    lines = []
    username = token.user if request.username is None else request.username
    if token.authtype is None:
        lines += [b"username=" + (HF_USER if username is None else username), b"password=" + token.text]
    else:
        # git ignores authtype and credential unless the capability comes before them.
        lines += [b"capability[]=authtype", b"authtype=" + token.authtype, b"credential=" + token.text]
        if username is not None:
            lines.append(b"username=" + username)
    if token.expires is not None:
        lines.append(b"password_expiry_utc=%d" % token.expires)
    if token.refresh_token is not None:
        lines.append(b"oauth_refresh_token=" + token.refresh_token)
    return b"\n".join(lines) + b"\n"
