"""Which host and which repository a request is for: hosts, paths, scopes, and the usernames that may answer."""

from git_credential_hf.model.text import is_text

HF_USER = b"hf_user"  # huggingface_hub's name for anybody: the Hub looks at the token alone

HUB = b"huggingface.co"
HUB_HOSTS = (HUB, b"hf.co")  # hf.co only redirects, so its credentials are huggingface.co's

MAX_SEGMENTS = 8


def canonical_host(host: bytes) -> bytes:
    """Return `host` in lower case and without the port that https has anyway. Two ports stay, and match no host."""
    host = host.lower()
    name = host.removesuffix(b":443")
    return host if name.rpartition(b":")[2].isdigit() else name


def server(protocol: bytes, host: bytes, hosts: tuple[bytes, ...]) -> bytes | None:
    """Return whose credentials answer a request: HUB, one of `hosts` (canonical), or None for nobody's.

    Only the exact name counts: everything else under these domains is storage or somebody's own page.
    """
    if protocol != b"https":
        return None
    host = canonical_host(host)
    if host in HUB_HOSTS:
        return HUB
    return host if host in hosts else None


def scopes(path: bytes) -> list[bytes]:
    """Return the scopes that `path` lies in, longest first: `org/repo.git` lies in `org/repo` and `org`.

    A path that a server could read as another one (an empty, `.` or `..` segment, a `%`) lies in none.
    """
    segments = path.removesuffix(b".git").split(b"/")
    if b"%" in path or any(segment in (b"", b".", b"..") for segment in segments) or not is_text(path):
        return []
    return [b"/".join(segments[:count]) for count in range(min(len(segments), MAX_SEGMENTS), 0, -1)]


def exact_scope(path: bytes) -> bytes:
    """Return the scope that is `path` itself, or nothing where there is none."""
    whole = path.removesuffix(b".git")
    return whole if whole in scopes(path)[:1] else b""


def usernames(username: bytes | None) -> list[bytes]:
    """Return whose items may answer a request for `username`, the preferred one first."""
    if username is None or username == HF_USER or not is_text(username):
        return [HF_USER]
    return [username, HF_USER]
