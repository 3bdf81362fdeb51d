"""Hosts, paths and usernames: which are ours, and how specific they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
        (b"org/repo.git", [b"org/repo", b"org"]),
        (b"org/repo.git.git", [b"org/repo.git", b"org"]),
        (b"org.git/repo", [b"org.git/repo", b"org.git"]),
        (b"datasets/org/repo.git", [b"datasets/org/repo", b"datasets/org", b"datasets"]),
        (b"spaces/org/repo", [b"spaces/org/repo", b"spaces/org", b"spaces"]),
        (b"Org/Repo", [b"Org/Repo", b"Org"]),
        ("org/größe".encode(), ["org/größe".encode(), b"org"]),
        (b"a/b/c/d/e/f/g/h/i/j", [b"a/b/c/d/e/f/g/h"[: 2 * count - 1] for count in range(8, 0, -1)]),
        (b"org/...", [b"org/...", b"org"]),
        # what a server could read as another path lies nowhere
        (b"", []),
        (b"/", []),
        (b"/org/repo", []),
        (b"org/", []),
        (b"org//repo", []),
        (b"org/./repo", []),
        (b"org/../other", []),
        (b"..", []),
        (b".", []),
        (b".git", []),
        (b"org/.git", []),
        (b"org/..git", []),
        (b"org%2frepo", []),
        (b"org/%2e%2e/other", []),
        (b"org/repo%", []),
        (b"org/\xff", []),
    ],
)
def test_scopes(path: bytes, scopes: list[bytes]) -> None:
    assert scope.scopes(path) == scopes


@given(st.lists(st.sampled_from([b"org", b"repo", b".git", b"", b".", b"..", b"%", b"a.git", b"\xff"]), max_size=5))
def test_every_scope_is_a_beginning_of_the_path_by_whole_segments(segments: list[bytes]) -> None:
    path = b"/".join(segments)
    found = scope.scopes(path)
    assert found == sorted(set(found), key=len, reverse=True)
    for one in found:
        assert (path.removesuffix(b".git") + b"/").startswith(one + b"/")
        assert not {b"", b".", b".."} & set(one.split(b"/"))
        assert b"%" not in one


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
