"""Fuzz target: whatever bytes come, `get` answers a request that may have a token, with the right one, and no other."""

import tempfile
from unittest import mock

from git_credential_hf import options
from git_credential_hf.model.item import STORED, Item
from git_credential_hf.model.request import Malformed
from git_credential_hf.operations.get import get
from git_credential_hf.secret_service import reader
from git_credential_hf.secret_service.dbus import opening
from git_credential_hf.sources import environment, keyring, token_file  # noqa: F401 - what is imported here guides
from tests.fuzz import memory
from tests.recogniser import fields, is_for, is_for_the_hub, lies_in

MARK = b"hf_MaRkEd"
HOST, PORT = "git.example.org", 8443
OTHER = f"{HOST}:{PORT}".encode()
ORGANISATION = b"my-org"

SEEDS = [
    b"protocol=https\nhost=huggingface.co\n",
    b"protocol=https\nhost=HF.co:443\nusername=alice\n\n",
    b"protocol=https\nhost=huggingface.co\npath=my-org/model.git\nusername=bob\n",
    b"protocol=https\nhost=huggingface.co\npath=my-org/../other\n",
    b"protocol=https\nhost=huggingface.co\npath=my-org%2f..\nusername=\n",
    b"capability[]=authtype\ncapability[]=state\nprotocol=https\nhost=git.example.org:8443\nwwwauth[]=Basic realm=x\n",
    b"protocol=https\nhost=cdn-lfs.hf.co\npath=my-org/model\n",
    b"protocol=https\nhost=example.org\rhost=huggingface.co\n",
    b"protocol=https\nhost=huggingface.co\0.example.org\n",
    b"protocol=https\nhost=huggingface.co\nx=\xc2\x85\n\nhost=example.org\n",
    "protocol=https\nhost=hugging\N{SOFT HYPHEN}face.co\npath=my-org/größe\n".encode(),
]
WORDS = [
    b"protocol=", b"https", b"http", b"host=", b"huggingface.co", b"hf.co", b"HF.CO", b":443", b":8443", OTHER,
    b"path=", b"username=",
    b"alice", b"hf_user", b"capability[]=", b"authtype", b"wwwauth[]=", b"state[]=", b"my-org", b".git",
    b"/../", b"%2f", b"\r", b"\0", b"\n\n", b"\xc2\x85", b"cdn-lfs.hf.co", b"ephemeral=1", b"password=", b"@", b"=",
]  # fmt: skip


def _ours(server: bytes, user: bytes | None, scope: bytes, *, bearer: bool = False) -> memory.Attributes:
    return Item(server, scope, user, bearer=bearer, origin=STORED).attributes()


memory.Keyring.items = {
    b"/1": (_ours(b"huggingface.co", b"hf_user", b""), MARK + b"-hub"),
    b"/2": (_ours(b"huggingface.co", b"alice", b""), MARK + b"-alice"),
    b"/3": (_ours(b"huggingface.co", b"hf_user", ORGANISATION), MARK + b"-scope"),
    b"/4": (_ours(OTHER, b"hf_user", b""), MARK + b"-other"),
    b"/5": (_ours(b"cdn-lfs.hf.co", b"hf_user", b""), MARK + b"-never"),
    b"/6": ({b"service": b"git:https://example.org", b"account": b"alice"}, MARK + b"-never"),
    b"/7": (_ours(b"git.example.org", b"hf_user", b""), MARK + b"-never"),
}

_FOLDER = tempfile.TemporaryDirectory(prefix="fuzz.")
with open(f"{_FOLDER.name}/token", "wb") as file:  # noqa: PTH123 - of three lines, one
    file.write(MARK + b"-file")
# Something has to be at the address of the bus; it is not asked.
_ENVIRON = {
    b"HOME": _FOLDER.name.encode(),
    b"HF_HOME": _FOLDER.name.encode(),
    b"DBUS_SESSION_BUS_ADDRESS": b"unix:path=/",
}


def expected(data: bytes) -> bytes | None:
    """Return the password that the keyring has for the request in `data`, None where it may have none."""
    if is_for(data, HOST, PORT):
        return MARK + b"-other"
    if not is_for_the_hub(data):
        return None
    if lies_in(data, ORGANISATION):
        return MARK + b"-scope"
    return MARK + (b"-alice" if (fields(data) or {}).get(b"username") == b"alice" else b"-hub")


def answered(data: bytes, *sources: str, token: bytes = b"") -> bytes:
    chosen = options.Options(_ENVIRON | ({b"HF_TOKEN": token} if token else {}))
    chosen.hosts = (OTHER,)
    chosen.sources = sources
    try:
        answer, complaint = get(chosen, data)
    except Malformed as reason:
        assert fields(data) is None, "what is well-formed was refused"
        assert str(reason).isascii() and len(str(reason)) < 80
        return b""
    assert fields(data) is not None, "what is malformed was not refused"
    assert complaint == ""
    return answer


def one_input(data: bytes) -> None:
    """Hold what `get` answers to `data` against what it must."""
    username = (fields(data) or {}).get(b"username", b"hf_user")

    def is_right(answer: bytes, password: bytes | None) -> bool:
        return answer == (b"" if password is None else b"username=%b\npassword=%b\n" % (username, password))

    with mock.patch.object(reader, "Reader", memory.Keyring), mock.patch.object(opening, "opened"):
        assert is_right(answered(data, "keyring"), expected(data))
    for sources, token, mark in ((("env",), MARK + b"-env", b"-env"), (("env", "file"), b"", b"-file")):
        assert is_right(answered(data, *sources, token=token), MARK + mark if is_for_the_hub(data) else None)
