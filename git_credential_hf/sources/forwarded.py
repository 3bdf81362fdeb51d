"""The forwarded socket: `git-credential-hf serve` on another machine, or outside of this container, answers.

It is asked only where GIT_CREDENTIAL_HF_SOCKET names it, and for the Hub alone. What is sent there, and comes back, is
what git and a helper say to each other.
"""

import _socket

from git_credential_hf.model.outcome import NOT_REACHED, Candidate
from git_credential_hf.model.repository import HUB
from git_credential_hf.model.text import has_control
from git_credential_hf.model.token import Token, of_hub, seconds
from git_credential_hf.secret_service import Unavailable
from git_credential_hf.secret_service.dbus.opening import connect, is_trusted, owner_of, remaining, too_late
from git_credential_hf.sources import SWITCHES

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from collections.abc import Iterator

    from git_credential_hf.model.request import Request
    from git_credential_hf.options import Options

NAME = "forwarded"
PLACE = "the forwarded socket"  # for people
VARIABLE = SWITCHES[NAME]

_LARGEST = 1 << 17  # bytes of an answer


def candidates(request: "Request", options: "Options") -> "Iterator[Candidate]":
    """Return what the other end gives within the time that is left, or why it gives nothing."""
    reason = ""
    try:
        token = _token(_ask(options.environ[VARIABLE], request, options))
        if token is None:
            reason = "the other end gives no token" + ("" if request.path else " to a request that names no repository")
    except (AttributeError, OSError, Unavailable) as error:  # the first: this system does not say who listens
        token, reason = None, getattr(error, "strerror", None) or str(error)
    options.note("forwarded: %s", reason or "a token")
    yield Candidate(NAME, PLACE, token, NOT_REACHED if reason else "", reason)


def _ask(path: bytes, request: "Request", options: "Options") -> bytes:
    """Return what the other end answers. Raises OSError and Unavailable."""
    if not path.startswith(b"/"):
        raise Unavailable("GIT_CREDENTIAL_HF_SOCKET is not an absolute path")
    lines = [b"capability[]=authtype"] if request.with_authtype else []
    lines += [b"protocol=https", b"host=" + HUB]
    lines += [b"%b=%b" % (key, request.values[key]) for key in (b"path", b"username") if key in request.values]
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        connect(connection, path, options)
        owner = owner_of(connection)
        if not is_trusted(owner):
            from git_credential_hf.state.ownership import is_put_by

            # So a container's root may ask the socket of the user that it was mounted from, and nobody can lie in wait.
            if not is_put_by(owner, path):
                raise Unavailable(f"the socket belongs to another user, with the uid {owner}")
        connection.sendall(b"\n".join(lines) + b"\n\n")
        answer = b""
        while len(answer) <= _LARGEST:
            connection.settimeout(remaining(options))
            if not (chunk := connection.recv(4096)):
                return answer
            answer += chunk
    except TimeoutError:
        raise too_late(options) from None
    finally:
        connection.close()
    raise Unavailable("its answer is too long")


def _token(answer: bytes) -> Token | None:
    """Return the token in a helper's answer, None where there is none that may be sent to the Hub."""
    # One that broke off may have half a token in it.
    if not answer.endswith(b"\n") or has_control(answer.replace(b"\n", b"")):
        return None
    values = dict(line.partition(b"=")[::2] for line in answer.split(b"\n"))
    authtype = values.get(b"authtype")
    text = of_hub(values.get(b"credential" if authtype else b"password", b""))
    if text is None:
        return None
    return Token(
        text, user=values.get(b"username"), expires=seconds(values.get(b"password_expiry_utc")), authtype=authtype
    )
