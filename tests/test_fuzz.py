"""The fuzzer's targets: once over the inputs that it begins with, and that each tells a fault when there is one."""

from collections.abc import Callable
from unittest import mock

import pytest

from git_credential_hf.model import repository, request
from git_credential_hf.secret_service import messages
from git_credential_hf.secret_service.dbus import decode
from git_credential_hf.sources import keyring
from tests.fuzz import replies, requests

Target = Callable[[bytes], None]

FAULTS: list[tuple[Target, list[bytes], object, str, object]] = [
    (requests.one_input, requests.SEEDS, request, "has_control", lambda text: False),
    (requests.one_input, requests.SEEDS, repository, "HUB_HOSTS", (b"huggingface.co", b"hf.co", b"cdn-lfs.hf.co")),
    (requests.one_input, requests.SEEDS, keyring, "scopes", lambda server, path: [path[:6]]),
    (replies.one_input, replies.SEEDS, decode.Decoder, "paths", lambda body: []),
    (replies.one_input, replies.SEEDS, messages, "read_secrets", lambda message: {replies.ITEM.encode(): b"made up"}),
]


@pytest.mark.parametrize(
    ("target", "data"),
    [(target.one_input, seed) for target in (requests, replies) for seed in target.SEEDS],
)
def test_a_seed_is_no_finding(target: Target, data: bytes) -> None:
    target(data)


@pytest.mark.parametrize(("target", "seeds", "where", "name", "fault"), FAULTS, ids=[fault[3] for fault in FAULTS])
def test_a_fault_is_found(target: Target, seeds: list[bytes], where: object, name: str, fault: object) -> None:
    with mock.patch.object(where, name, fault), pytest.raises(AssertionError):
        for seed in seeds:
            target(seed)
