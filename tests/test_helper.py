"""get, store and erase, as git asks for them."""

from tests.conftest import Run
from tests.keyring_items import Items


def request(**values: str) -> bytes:
    lines = {"protocol": "https", "host": "huggingface.co"} | values
    return "".join(f"{key}={value}\n" for key, value in lines.items()).encode()


def test_a_stored_password_comes_back(run: Run, keyring: Items) -> None:
    assert run("store", input=request(username="alice", password="typed")).code == 0
    assert keyring.secrets() == [b"typed"]
    got = run("get", input=request())
    assert (got.stdout, got.stderr, got.code) == (b"username=alice\npassword=typed\n", b"", 0)
