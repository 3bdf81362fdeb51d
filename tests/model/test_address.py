"""What people type or paste for a repository: which scope it means, and which URL git is given for it."""

import pytest

from git_credential_hf.model import address
from git_credential_hf.model.repository import HUB

HOST = "https://huggingface.co"


@pytest.mark.parametrize(
    ("text", "scope", "url"),
    [
        # clone URLs stay as they are
        (f"{HOST}/Org/Name", "org/name", f"{HOST}/Org/Name"),
        (f"{HOST}/org/name.git", "org/name", f"{HOST}/org/name.git"),
        (f"{HOST}/org/name/", "org/name", f"{HOST}/org/name/"),
        ("https://alice@hf.co/org/name", "org/name", "https://alice@hf.co/org/name"),
        ("ssh://git@hf.co/datasets/org/name", "datasets/org/name", "ssh://git@hf.co/datasets/org/name"),
        ("ssh://git@hf.co:22/org/name.git", "org/name", "ssh://git@hf.co:22/org/name.git"),
        ("git@hf.co:org/name", "org/name", "git@hf.co:org/name"),
        ("git@hf.co:/org/name.git", "org/name", "git@hf.co:/org/name.git"),
        # pages
        (f"{HOST}/org/name/tree/main", "org/name", f"{HOST}/org/name"),
        (f"{HOST}/org/name/blob/main/a%20file%25.py#L3", "org/name", f"{HOST}/org/name"),
        (f"{HOST}/datasets/Org/name/resolve/main/x?download=true", "datasets/org/name", f"{HOST}/datasets/Org/name"),
        (f"{HOST}/org/name?library=transformers", "org/name", f"{HOST}/org/name"),
        (f"{HOST}/org/name#readme", "org/name", f"{HOST}/org/name"),
        (f"{HOST}/org?sort=new", "org", f"{HOST}/org"),
        ("https://hf.co/spaces/org/name/tree/main", "spaces/org/name", "https://hf.co/spaces/org/name"),
        (f"  {HOST}/org/name/tree/main\n", "org/name", f"{HOST}/org/name"),
        ("huggingface.co/org/name/tree/main", "org/name", f"{HOST}/org/name"),
        ("https://huggingface.co:443/org/name/", "org/name", "https://huggingface.co:443/org/name/"),
        # hf://
        ("hf://org/name", "org/name", f"{HOST}/org/name"),
        ("hf://datasets/org/name", "datasets/org/name", f"{HOST}/datasets/org/name"),
        ("hf://models/org/name/file.bin", "org/name", f"{HOST}/org/name"),
        ("hf://datasets/org/name@refs/pr/1/data.csv", "datasets/org/name", f"{HOST}/datasets/org/name"),
        ("hf://buckets/org/name/folder", "buckets/org/name", f"{HOST}/buckets/org/name"),
        # names
        ("org/name", "org/name", f"{HOST}/org/name"),
        ("/org/Name/", "org/name", f"{HOST}/org/Name"),
        ("org/name.git", "org/name", f"{HOST}/org/name"),
        ("kernels/org/name", "kernels/org/name", f"{HOST}/kernels/org/name"),
        ("datasets/org", "datasets/org", f"{HOST}/datasets/org"),
        # names with a revision
        ("org/name@main", "org/name", f"{HOST}/org/name"),
        ("org/name.git@v1.0", "org/name", f"{HOST}/org/name"),
        ("datasets/org/name@refs/pr/1", "datasets/org/name", f"{HOST}/datasets/org/name"),
        # the Hub's API
        (f"{HOST}/api/models/Org/name", "org/name", f"{HOST}/Org/name"),
        (f"{HOST}/api/models/org/name/tree/main?recursive=1", "org/name", f"{HOST}/org/name"),
        (f"{HOST}/api/datasets/org/name/revision/main", "datasets/org/name", f"{HOST}/datasets/org/name"),
        ("hf.co/api/spaces/org/name", "spaces/org/name", "https://hf.co/spaces/org/name"),
        (f"{HOST}/api/resolve-cache/models/org/name/abc/config.json", "org/name", f"{HOST}/org/name"),
        (f"{HOST}/org/name@main", "org/name", f"{HOST}/org/name@main"),
    ],
)
def test_the_forms(text: str, scope: str, url: str) -> None:
    assert address.scope(HUB, text.encode()) == scope.encode()
    assert address.clone_url(text.encode()) == url.encode()


def test_a_name_without_what_a_page_has_after_it() -> None:
    for text in ("org/name?library=transformers", "org/name#readme", "org/name.git?x"):
        assert address.clone_url(text.encode()).removesuffix(b".git") == f"{HOST}/org/name".encode()


def test_a_slash_that_is_missing_makes_no_host() -> None:
    for text in (b"https:/huggingface.co/org/name", b"HTTP:/hf.co/org/name"):
        with pytest.raises(address.NotUnderstood):
            address.clone_url(text)


def test_one_word_is_an_organisation_for_a_scope_alone() -> None:
    assert address.scope(HUB, b"My-Org") == b"my-org"
    with pytest.raises(address.NotUnderstood):
        address.clone_url(b"my-org")


@pytest.mark.parametrize(
    "text",
    ["", " ", "/", "a//b", "a/..", ".", "a/../b", "my%2Dorg", "a\nb", "a/b\0", "1/2/3", "org/name/tree/main", HOST,
     f"{HOST}/", f"{HOST}/org//name", f"{HOST}/org/../name", f"{HOST}/org/name/../../x", "https://github.com/org/name",
     "github.com:org/name", "https://huggingface.co.example.org/org/name", "https://huggingface.co:8443/org/name",
     "https://cdn-lfs.hf.co/org/name", "huggingface.co", "https://", "://x", "https:///org/name", "\udcff",
     "my-org@main", "alice@huggingface.co/org/name", "datasets/org@main", "org/name/file@main",
     "api/models/org/name/x"],
)  # fmt: skip
def test_what_is_no_scope(text: str) -> None:
    with pytest.raises(address.NotUnderstood) as refused:
        address.scope(HUB, text.encode("utf-8", "surrogateescape"))
    assert text.strip(" /") in ("", ".") or text not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    ["*", "my-org/*", "my org", "my-org/my model", "org/name?x", f"{HOST}/my%20org", "git@hf.co:my-org/*",
     "hf://my-org/*"],
)  # fmt: skip
def test_no_scope_is_a_pattern(text: str) -> None:
    with pytest.raises(address.NotUnderstood, match="a scope is an organisation, a repository or the address of one"):
        address.scope(HUB, text.encode())


@pytest.mark.parametrize(
    "text",
    [f"{HOST}/settings/tokens", f"{HOST}/Collections/org/name-1",
     f"{HOST}/docs/hub/security-tokens", f"{HOST}/organizations/org/settings", f"{HOST}/models?author=org",
     "hf.co/blog/gated", f"{HOST}/join", f"{HOST}/login?next=%2Forg", f"{HOST}/pricing"],
)  # fmt: skip
def test_a_page_of_the_hub_is_no_repository(text: str) -> None:
    for meaning in (lambda given: address.scope(HUB, given), address.clone_url):
        with pytest.raises(address.NotUnderstood, match="is a page of the Hub, not an organisation"):
            meaning(text.encode())


@pytest.mark.parametrize(
    "path", ["models", "models/gpt2", "whoami-v2", "collections/org/name", "", "resolve-cache/models/org"]
)
def test_an_address_of_the_hubs_api_that_is_of_no_repository(path: str) -> None:
    for meaning in (lambda given: address.scope(HUB, given), address.clone_url):
        with pytest.raises(address.NotUnderstood, match="this address of the Hub's API names no repository"):
            meaning(f"{HOST}/api/{path}".encode())


@pytest.mark.parametrize("text", ["apis", "new", "docs", "org/settings", "datasets/docs", "my-settings", "o/m.-_9"])
def test_a_name_that_only_looks_like_a_page_is_a_name(text: str) -> None:
    assert address.scope(HUB, text.encode()) == text.encode()


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("Group/sub/project", "Group/sub/project"),
        ("api/models/a/b", "api/models/a/b"),
        ("a b/c@d", "a b/c@d"),
        ("*", "*"),
        ("https://git.example.org:8443/Group/project.git", "Group/project"),
        ("https://git.example.org:8443/group/project/?tab=x#y", "group/project"),
        ("1/2/3/4/5/6/7/8", "1/2/3/4/5/6/7/8"),
    ],
)
def test_scopes_of_another_host(text: str, scope: str) -> None:
    assert address.scope(b"git.example.org:8443", text.encode()) == scope.encode()


@pytest.mark.parametrize("text", ["1/2/3/4/5/6/7/8/9", "https://git.example.org/a/b", f"{HOST}/org/name", "a/../b"])
def test_what_is_no_scope_of_another_host(text: str) -> None:
    with pytest.raises(address.NotUnderstood):
        address.scope(b"git.example.org:8443", text.encode())


@pytest.mark.parametrize(
    "text", ["https://github.com/o/m/tree/main?x#y", "git@github.com:o/m", HOST, f"{HOST}/o/../m", "file:///srv/x"]
)
def test_what_git_is_given_as_it_is(text: str) -> None:
    assert address.clone_url(text.encode()) == text.encode()
