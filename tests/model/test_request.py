"""What is a request, whose request it is, and that everything else gets nothing."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.attacks import MAX_INPUT, MAX_LINE, OURS, filled, request
from tests.conftest import Environment, Result, Run, is_refused, run_call
from tests.keyring_items import Items
from tests.recogniser import is_for_the_hub

TOKEN = "hf_OnlyTheHubMaySeeThisOne"
GIVEN = Result(b"username=hf_user\npassword=" + TOKEN.encode() + b"\n", b"", 0)
SILENCE = Result(b"", b"", 0)


WELL_FORMED = {
    "plain": OURS,
    "the last line end is missing": OURS[:-1],
    "an empty line ends it": OURS + b"\n",
    "what follows the empty line is not read": OURS + b"\nhost=example.org\nhost=\0\r\nnonsense\n",
    "the host stands first": b"host=huggingface.co\nprotocol=https\n",
    "unknown keys": OURS + b"colour=blue\nx=\n[]=1\nhost[]=example.org\nHost=example.org\n",
    "capability[] repeats": OURS + b"capability[]=authtype\ncapability[]=state\ncapability[]=state\n",
    "wwwauth[] repeats": OURS + b'wwwauth[]=Basic realm="a"\nwwwauth[]=Bearer\nwwwauth[]=\n',
    "state[] repeats": OURS + b"state[]=a:b\nstate[]=\nstate[]=c=d\n",
    "a value with = in it": OURS + b"wwwauth[]=host=example.org\n",
    "a folded header that ends like a host": OURS + b"wwwauth[]=" + b"x" * 1024 + b"host=example.org\n",
    "values in UTF-8": OURS + "path=größe/ключ\nx=\N{LINE SEPARATOR}\N{NO-BREAK SPACE}\n".encode(),
    "values that are no UTF-8": OURS + b"path=\xff\x80\x9f\n",
    "bytes of two lines that would be a control character in one": OURS + b"x=\xc2\n\x85=y\n",
    "the longest line": OURS + b"wwwauth[]=" + b"x" * (MAX_LINE - 11) + b"\n",
    "the longest line, its end missing": OURS + b"wwwauth[]=" + b"x" * (MAX_LINE - 11),
    "the largest request": filled(MAX_INPUT),
}


@pytest.mark.parametrize("name", WELL_FORMED)
def test_a_well_formed_request_for_the_hub_is_answered(run: Run, name: str) -> None:
    assert run("get", input=WELL_FORMED[name], HF_TOKEN=TOKEN) == GIVEN


CONTROL_CHARACTERS = [chr(code) for code in (*range(32), *range(0x7F, 0xA0)) if chr(code) != "\n"]


@pytest.mark.parametrize(
    "place",
    [
        "protocol=https{}\nhost=huggingface.co\n",
        "protocol=https\nhost=hugging{}face.co\n",
        "protocol=https\nhost=huggingface.co\npath=a{}b\n",
        "protocol=https\nhost=huggingface.co\nusername={}\n",
        "protocol=https\nhost=huggingface.co\nwwwauth[]=a{}\n",
        "protocol=https\nhost=huggingface.co\nunkn{}own=a\n",
        "{}protocol=https\nhost=huggingface.co\n",
        "protocol=https\nhost=huggingface.co\n{}",
    ],
)
def test_no_control_character_is_accepted_anywhere(environment: Environment, place: str) -> None:
    environment["HF_TOKEN"] = TOKEN
    for character in CONTROL_CHARACTERS:
        result = run_call(("get",), place.format(character).encode(), environment)
        assert is_refused(result, character.encode()), f"U+{ord(character):04X}"


@pytest.mark.parametrize(
    "host",
    [
        "huggingface.co", "HUGGINGFACE.CO", "HuggingFace.Co", "huggingface.co:443", "HUGGINGFACE.CO:443",
        "hf.co", "HF.CO", "hf.co:443",
    ],
)  # fmt: skip
def test_the_hub_is_ours(run: Run, host: str) -> None:
    assert run("get", input=request(host), HF_TOKEN=TOKEN) == GIVEN


def test_whoever_is_asked_for_gets_the_token_under_that_name(run: Run) -> None:
    got = run("get", input=request("hf.co", username="alice", path="org/repo"), HF_TOKEN=TOKEN)
    assert got.stdout == f"username=alice\npassword={TOKEN}\n".encode()


@pytest.mark.parametrize("action", ["store", "erase"])
def test_nothing_is_kept_or_forgotten_for_another_host(
    run: Run, keyring: Items, environment: Environment, action: str
) -> None:
    file = write_token_file(environment)
    keyring.add(TOKEN.encode(), protocol="https", server="cdn-lfs.hf.co", user="hf_user")
    for host in ("cdn-lfs.hf.co", "huggingface.co.example.org", "huggingface.co:444"):
        assert run(action, input=request(host, username="hf_user", password=TOKEN)) == SILENCE
    assert run(action, input=request("huggingface.co", protocol="http", username="a", password=TOKEN)) == SILENCE
    assert keyring.secrets() == [TOKEN.encode()]
    assert file.read_text() == TOKEN
    assert run("get", input=OURS, HF_TOKEN=TOKEN) == GIVEN


def write_token_file(environment: Environment) -> Path:
    file = Path(environment["HOME"], ".cache/huggingface/token")
    file.parent.mkdir(parents=True)
    file.write_text(TOKEN)
    return file


# --- --host ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "host"),
    [
        (("--host", "git.example.org"), "git.example.org"),
        (("--host=git.example.org",), "git.example.org"),
        (("--host", "GIT.Example.ORG"), "git.example.org"),
        (("--host", "git.example.org"), "Git.Example.Org"),
        (("--host", "git.example.org:443"), "git.example.org"),
        (("--host", "git.example.org"), "git.example.org:443"),
        (("--host", "git.example.org:8443"), "git.example.org:8443"),
        (("--host=git.example.org:8443",), "GIT.example.org:8443"),
        (("--host", "other.example.org", "--host=git.example.org"), "git.example.org"),
        (("--host", "git.example.org", "--host", "other.example.org"), "git.example.org"),
        (("--timeout=2", "--host", "git.example.org", "--no-prompt"), "git.example.org"),
        (("--host", "[::1]:8443"), "[::1]:8443"),
        (("--host", "[::1]"), "[::1]"),
    ],
)
def test_another_host_is_answered_from_what_was_stored_for_it(
    run: Run, keyring: Items, environment: Environment, arguments: tuple[str, ...], host: str
) -> None:
    write_token_file(environment)
    asked = request(host)
    assert run(*arguments, "store", input=asked + b"username=alice\npassword=its own\n") == SILENCE
    assert keyring.secrets() == [b"its own"]
    got = run(*arguments, "get", input=asked, HF_TOKEN=TOKEN)
    assert got == Result(b"username=alice\npassword=its own\n", b"", 0)
    assert run("get", input=asked, HF_TOKEN=TOKEN) == SILENCE


@pytest.mark.parametrize("host", ["git.example.org:8443", "git.example.org:80", "x.git.example.org", "example.org"])
def test_a_host_given_answers_to_the_letter(run: Run, keyring: Items, host: str) -> None:
    keyring.add(b"its own", protocol="https", server="git.example.org", user="alice")
    keyring.add(b"its own", protocol="https", server="git.example.org", port="8443", user="alice")
    assert run("--host", "git.example.org", "get", input=request(host)) == SILENCE


@pytest.mark.parametrize("more", [{}, {"username": "hf_user"}, {"path": "org/repo"}])
def test_a_host_given_never_gets_the_hubs_token(
    run: Run, keyring: Items, environment: Environment, more: dict[str, str]
) -> None:
    write_token_file(environment)
    assert run("seed", "--from", "-", "--no-cache", input=TOKEN.encode()).code == 0
    assert len(keyring.all()) == 1
    asked = request("git.example.org", **more)
    assert run("--host", "git.example.org", "get", input=asked, HF_TOKEN=TOKEN) == SILENCE
    assert run("--host", "git.example.org", "--no-prompt", "get", input=asked, HF_TOKEN=TOKEN).stdout == b"quit=1\n"


def test_the_hub_is_answered_beside_a_host_given(run: Run) -> None:
    assert run("--host", "git.example.org", "get", input=OURS, HF_TOKEN=TOKEN) == GIVEN


@pytest.mark.parametrize("host", ["huggingface.co", "hf.co", "HF.co:443"])
def test_the_hub_given_as_a_host_is_the_hub(run: Run, host: str) -> None:
    assert run("--host", host, "get", input=OURS, HF_TOKEN=TOKEN) == GIVEN


# --- no bytes get the token but a request for the Hub --------------------------------------------------------


LINES = st.sampled_from(
    [
        b"protocol=https", b"host=huggingface.co", b"host=HF.co:443", b"protocol=http", b"host=example.org", b"host=",
        b"host=hf.co.example.org", b"username=alice", b"username=", b"path=org/repo.git", b"password=x", b"wwwauth[]=",
        b"wwwauth[]=Basic realm=x", b"capability[]=authtype", b"state[]=a", b"colour=blue", b"=", b"=host", b"host",
        b"", b"protocol", b" host=hf.co", b"host =hf.co", b"host==hf.co", b"HOST=hf.co", b"host=hf.co\r",
        b"host=hf.co\0", b"\0", b"\r", b"\xc2", b"\x85=a", b"\xc2\x85=a", b"url=https://huggingface.co", b"quit=1",
        b"\xff=\xfe",
    ]
)  # fmt: skip
SEPARATORS = st.sampled_from([b"\n"] * 12 + [b"\r\n", b"\r", b"\0", b"", b"\n\n", b" ", b"\xe2\x80\xa8", b"\x0b"])


@st.composite
def nearly_requests(draw: st.DrawFn) -> bytes:
    """Lines that a request could have, in any order, and then some bytes put in, taken out or changed."""
    lines = [b"protocol=https", b"host=huggingface.co", *draw(st.lists(LINES, max_size=5))]
    if draw(st.booleans()):
        lines = draw(st.permutations(lines))
    if draw(st.booleans()):
        lines = lines[draw(st.integers(0, 2)) :]
    data = b"".join(line + draw(SEPARATORS) for line in lines)
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(data)))
        data = data[:at] + draw(st.binary(max_size=2)) + data[at + draw(st.integers(0, 2)) :]
    return data


@settings(max_examples=600, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=nearly_requests() | st.binary(max_size=200))
@example(data=OURS)
@example(data=OURS + b"x=\xc2\n\x85=y\n")
@example(data=OURS + b"\nhost=example.org\n")
def test_only_a_request_for_the_hub_gets_the_token(environment: Environment, data: bytes) -> None:
    got = run_call(("get",), data, environment | {"HF_TOKEN": TOKEN})
    assert (f"\npassword={TOKEN}\n".encode() in got.stdout) == is_for_the_hub(data)
    assert TOKEN.encode() not in got.stderr
    if not is_for_the_hub(data):
        assert got.stdout == b""
        assert got == SILENCE or is_refused(got)
