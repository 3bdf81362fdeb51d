"""Hosts, paths and usernames: which are ours, and how specific they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_credential_hf.model import address
from git_credential_hf.model import repository as scope


@pytest.mark.parametrize(
    ("host", "canonical"),
    [
        (b"huggingface.co", b"huggingface.co"),
        (b"HuggingFace.CO:443", b"huggingface.co"),
        (b"git.example.org:8443", b"git.example.org:8443"),
        (b"git.example.org:4443", b"git.example.org:4443"),
        (b"git.example.org:443:443", b"git.example.org:443:443"),
        (b"git.example.org:8443:443", b"git.example.org:8443:443"),
        (b"[::1]:443", b"[::1]"),
        (b"[::1]:8443", b"[::1]:8443"),
        (b"\xc4\xb0", b"\xc4\xb0"),
        (b"", b""),
    ],
)
def test_canonical_host(host: bytes, canonical: bytes) -> None:
    assert scope.canonical_host(host) == canonical


@pytest.mark.parametrize(
    ("protocol", "host", "server"),
    [
        (b"https", b"huggingface.co", b"huggingface.co"),
        (b"https", b"hf.co", b"huggingface.co"),
        (b"https", b"HF.co:443", b"huggingface.co"),
        (b"https", b"Git.example.org:443", b"git.example.org"),
        (b"https", b"git.example.org:8443", b"git.example.org:8443"),
        (b"https", b"git.example.org:80", None),
        (b"https", b"cdn-lfs.hf.co", None),
        (b"http", b"huggingface.co", None),
        (b"HTTPS", b"huggingface.co", None),
        (b"http", b"git.example.org", None),
        (b"https", b"", None),
    ],
)
def test_server(protocol: bytes, host: bytes, server: bytes | None) -> None:
    assert scope.server(protocol, host, (b"git.example.org", b"git.example.org:8443")) == server


@pytest.mark.parametrize(
    ("path", "scopes"),
    [
        (b"org", [b"org"]),
        (b"org/repo", [b"org/repo", b"org"]),
        (b"datasets", [b"datasets"]),
        (b"datasets/org", [b"datasets/org", b"datasets"]),
        (b"datasets/org/repo", [b"datasets/org/repo", b"datasets/org", b"datasets"]),
        (b"spaces/org/repo", [b"spaces/org/repo", b"spaces/org", b"spaces"]),
        (b"kernels/org/repo", [b"kernels/org/repo", b"kernels/org", b"kernels"]),
        (b"buckets/org/repo", [b"buckets/org/repo", b"buckets/org", b"buckets"]),
        # slashes at either end, `.git`, git-lfs's endpoint and whatever else follows
        (b"/org/repo", [b"org/repo", b"org"]),
        (b"org/repo/", [b"org/repo", b"org"]),
        (b"//org/repo//", [b"org/repo", b"org"]),
        (b"org/", [b"org"]),
        (b"org/repo.git", [b"org/repo", b"org"]),
        (b"org/repo.git/", [b"org/repo", b"org"]),
        (b"org/repo.git/info/lfs", [b"org/repo", b"org"]),
        (b"org/repo.git/info/lfs/objects/batch", [b"org/repo", b"org"]),
        (b"org/repo/info/lfs", [b"org/repo", b"org"]),
        (b"org/repo/tree/main/folder", [b"org/repo", b"org"]),
        (b"org/repo/blob/main/a.py#L10", [b"org/repo", b"org"]),
        (b"datasets/org/repo.git/info/lfs", [b"datasets/org/repo", b"datasets/org", b"datasets"]),
        (b"gpt2.git/info/lfs", [b"gpt2"]),
        (b"gpt2.git", [b"gpt2"]),
        (b"datasets/squad.git/info/lfs", [b"datasets/squad", b"datasets"]),
        (b"org/repo.git.git", [b"org/repo.git", b"org"]),
        (b"a/b/c/d/e/f/g/h/i/j", [b"a/b", b"a"]),
        # case does not count
        (b"Org/Repo", [b"org/repo", b"org"]),
        (b"DataSets/Org/Repo.GIT", [b"datasets/org/repo", b"datasets/org", b"datasets"]),
        ("org/größe".encode(), ["org/größe".encode(), b"org"]),
        (b"org/...", [b"org/...", b"org"]),
        # what a server could read as another path lies nowhere
        (b"", []),
        (b"/", []),
        (b"org//repo", []),
        (b"org/repo//tree", []),
        (b"org/./repo", []),
        (b"org/../other", []),
        (b"org/repo/../../other/repo", []),
        (b"..", []),
        (b".", []),
        (b".git", []),
        (b"org/.git", []),
        (b"org/..git", []),
        (b"org/...git", []),
        (b"org%2frepo", []),
        (b"org/%2e%2e/other", []),
        (b"org/repo%", []),
        (b"org/\xff", []),
    ],
)
def test_scopes_of_the_hub(path: bytes, scopes: list[bytes]) -> None:
    assert scope.scopes(scope.HUB, path) == scopes
    assert scope.scope(scope.HUB, path) == (scopes[0] if scopes else b"")


@pytest.mark.parametrize(
    ("path", "scopes"),
    [
        (b"group/Sub/project", [b"group/Sub/project", b"group/Sub", b"group"]),
        (b"/group/project/", [b"group/project", b"group"]),
        (b"group/project.git", [b"group/project", b"group"]),
        (b"group/project.git/info/lfs", [b"group/project", b"group"]),
        (b"group/project.git/info/lfs/objects/batch", [b"group/project", b"group"]),
        (b"group.git/project", [b"group.git/project", b"group.git"]),
        (b"group/project.GIT", [b"group/project.GIT", b"group"]),
        (b"a/b/c/d/e/f/g/h", [b"a/b/c/d/e/f/g/h"[: 2 * count - 1] for count in range(8, 0, -1)]),
        (b"group/.git", []),
        (b"group//project", []),
        (b"group/%2e%2e", []),
        (b"", []),
    ],
)
def test_scopes_of_another_host(path: bytes, scopes: list[bytes]) -> None:
    assert scope.scopes(b"git.example.org", path) == scopes
    assert scope.scope(b"git.example.org", path) == (scopes[0] if scopes else b"")


def test_a_path_of_another_host_that_is_too_deep_means_no_scope() -> None:
    path = b"a/b/c/d/e/f/g/h/i"
    assert scope.scopes(b"git.example.org", path)[0] == b"a/b/c/d/e/f/g/h"
    assert scope.scope(b"git.example.org", path) == b""


SEGMENTS = st.sampled_from([b"org", b"repo", b".git", b"", b".", b"..", b"%", b"a.git", b"\xff", b"datasets", b"A"])


@given(st.lists(SEGMENTS, max_size=5), st.sampled_from([scope.HUB, b"git.example.org"]))
def test_every_scope_is_a_beginning_of_the_path_by_whole_segments(segments: list[bytes], server: bytes) -> None:
    path = b"/".join(segments)
    found = scope.scopes(server, path)
    assert found == sorted(set(found), key=len, reverse=True)
    whole = path.lower() if server == scope.HUB else path
    for one in found:
        beginning = whole.strip(b"/").removeprefix(one)
        assert beginning == b"" or beginning.startswith((b"/", b".git"))
        assert not {b"", b".", b".."} & set(one.split(b"/"))
        assert b"%" not in one


WORD = st.text("abcXYZ019-_.", min_size=1, max_size=12).filter(
    lambda word: word.strip(".") and not word.endswith(".git") and word.lower() not in map(bytes.decode, scope.TYPES)
)
TYPE = st.sampled_from(["", *(one.decode() + "/" for one in scope.TYPES)])
# git-lfs 3.3.0 to 3.8.1 send the remote's path, or that of their endpoint; a browser has pages below it.
AFTER = st.sampled_from(
    ["", "/", "//", ".git", ".git/", ".git/info/lfs", "/info/lfs", ".git/info/lfs/objects/batch", "/info/refs"]
)
PAGE = st.sampled_from(
    ["", "/", "/tree/main", "/tree/main/a b/c", "/blob/main/100%25.txt", "/resolve/main/x.bin?download=true",
     "/commits/refs%2Fpr%2F1", "/discussions/3#64f", "?library=x&y=https://z//", "#a/../b", "/raw/main/..."]
)  # fmt: skip


@given(TYPE, WORD, WORD, AFTER, st.sampled_from(["", "/", "//"]), st.booleans())
def test_any_path_of_a_repository_means_it(
    kind: str, org: str, repo: str, after: str, before: str, is_upper: bool
) -> None:
    path = f"{before}{kind}{org}/{repo}{after}"
    means = f"{kind}{org}/{repo}".lower().encode()
    assert scope.scope(scope.HUB, (path.upper() if is_upper else path).encode()) == means
    assert scope.scopes(scope.HUB, path.encode())[:2] == [means, f"{kind}{org}".lower().encode()]


@given(TYPE, WORD, WORD, PAGE, st.sampled_from(["huggingface.co", "HF.co"]), st.booleans())
def test_any_address_of_a_page_means_its_repository(
    kind: str, org: str, repo: str, page: str, host: str, has_scheme: bool
) -> None:
    url = f"{'https://' if has_scheme else ''}{host}/{kind}{org}/{repo}{page}".encode()
    assert address.scope(scope.HUB, url) == f"{kind}{org}/{repo}".lower().encode()
    clone = address.clone_url(url).removesuffix(b"/")
    assert clone == f"https://{host}/{kind}{org}/{repo}".encode()


@given(TYPE, WORD, WORD, TYPE, WORD, WORD, AFTER)
def test_no_path_of_a_repository_means_another(
    kind: str, org: str, repo: str, kind2: str, org2: str, repo2: str, after: str
) -> None:
    one, other = f"{kind}{org}/{repo}", f"{kind2}{org2}/{repo2}"
    is_same = one.lower() == other.lower()
    assert (one.lower().encode() in scope.scopes(scope.HUB, f"{other}{after}".encode())) == is_same


@pytest.mark.parametrize("path", [b"o/mm", b"x/o/m", b"o/m-2", b"oo/m", b"datasets/o/m", b"o", b"o/.m", b"m/o"])
def test_what_only_looks_like_it_is_not_it(path: bytes) -> None:
    assert b"o/m" not in scope.scopes(scope.HUB, path)


@pytest.mark.parametrize(
    ("username", "usernames"),
    [
        (None, [b"hf_user"]),
        (b"hf_user", [b"hf_user"]),
        (b"alice", [b"alice", b"hf_user"]),
        (b"HF_USER", [b"HF_USER", b"hf_user"]),
        (b"", [b"", b"hf_user"]),
        (b"\xff", [b"hf_user"]),
    ],
)
def test_usernames(username: bytes | None, usernames: list[bytes]) -> None:
    assert scope.usernames(username) == usernames
