"""Which host and which repository a request is for: hosts, paths, scopes, and the usernames that may answer."""

from git_credential_hf.model.text import is_text

HF_USER = b"hf_user"  # huggingface_hub's name for anybody: the Hub looks at the token alone

HUB = b"huggingface.co"
HUB_HOSTS = (HUB, b"hf.co")  # hf.co only redirects, so its credentials are huggingface.co's

TYPES = (b"datasets", b"spaces", b"kernels", b"buckets")  # what is none of these is a model, without a prefix

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


def scopes(server: bytes, path: bytes) -> list[bytes]:
    """Return the scopes that `path` lies in, the most specific first: `datasets/org/name`, `datasets/org`, `datasets`.

    server: whose path it is (see `server`). An empty list is for a path that is in no repository.
    """
    segments = _segments(server, path)
    return [b"/".join(segments[:count]) for count in range(min(len(segments), MAX_SEGMENTS), 0, -1)]


def scope(server: bytes, path: bytes) -> bytes:
    """Return the scope that `path` means: the repository that it lies in, or an organisation. Empty where none."""
    segments = _segments(server, path)
    return b"/".join(segments) if len(segments) <= MAX_SEGMENTS else b""


def name(path: bytes) -> bytes:
    """Return the Hub's repository or organisation at the beginning of the address `path`, as it is written there.

    What follows it may be anything, such as the name of a file. Empty where none.
    """
    segments = path.strip(b"/").split(b"/")
    first = segments[: _depth(segments)]
    return b"" if b"" in first or b"." in segments or b".." in segments else b"/".join(_hub_segments(b"/".join(first)))


def whole(path: bytes) -> bytes:
    """Return the repository of the Hub that `path` lies in, as `name` has it; empty where it lies in none."""
    found = name(path)
    segments = found.split(b"/")
    of_type = segments[0].lower() in TYPES
    if len(segments) != 2 + of_type:
        return b""
    return segments[0].lower() + found[len(segments[0]) :] if of_type else found


def _segments(server: bytes, path: bytes) -> list[bytes]:
    if server == HUB:
        return _hub_segments(path.lower())
    segments = _readable(path)
    for number, segment in enumerate(segments, 1):
        if segment.endswith(b".git") and segments[number : number + 2] in ([], [b"info", b"lfs"]):
            last = segment.removesuffix(b".git")
            return [*segments[: number - 1], last] if _readable(last) else []
    return segments


def _hub_segments(path: bytes) -> list[bytes]:
    """Return the parts of [TYPE/]ORG[/NAME] at the beginning of `path`.

    Whatever follows is of the repository: `.git`, git-lfs's /info/lfs, a page.
    """
    segments = _readable(path)
    segments = segments[: _depth(segments)] if segments else []
    for number, segment in enumerate(segments):
        if segment.lower().endswith(b".git"):
            last = segment[: -len(b".git")]
            return [*segments[:number], last] if _readable(last) else []
    return segments


def _depth(segments: list[bytes]) -> int:
    """Return how many of `segments` may be of [TYPE/]ORG/NAME."""
    return 3 if segments[0].lower() in TYPES else 2


def _readable(path: bytes) -> list[bytes]:
    """Return the segments of `path`, none where a server could read it as another path."""
    segments = path.strip(b"/").split(b"/")
    if b"%" in path or any(segment in (b"", b".", b"..") for segment in segments) or not is_text(path):
        return []
    return segments


def usernames(username: bytes | None) -> list[bytes]:
    """Return whose items may answer a request for `username`, the preferred one first."""
    if username is None or username == HF_USER or not is_text(username):
        return [HF_USER]
    return [username, HF_USER]
