"""What is a request, whose request it is, and that everything else gets nothing."""

import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.conftest import Environment, Result, Run, run_call
from tests.keyring_items import Items

TOKEN = "hf_OnlyTheHubMaySeeThisOne"
OURS = b"protocol=https\nhost=huggingface.co\n"
GIVEN = Result(b"username=hf_user\npassword=" + TOKEN.encode() + b"\n", b"", 0)
SILENCE = Result(b"", b"", 0)

MAX_LINE = 65_535  # with its line end
MAX_INPUT = 1 << 20


def request(host: str, **more: str) -> bytes:
    lines = {"protocol": "https", "host": host} | more
    return "".join(f"{key}={value}\n" for key, value in lines.items()).encode()


def filled(size: int) -> bytes:
    """A request for the Hub of exactly `size` bytes, in lines that are short enough."""
    line = b"wwwauth[]=" + b"x" * 1013 + b"\n"
    missing = size - len(OURS)
    rest = missing % len(line) + len(line)
    return OURS + line * (missing // len(line) - 1) + b"wwwauth[]=" + b"y" * (rest - 11) + b"\n"


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


MALFORMED = {
    "nothing": b"",
    "an empty line": b"\n",
    "an empty line before all": b"\n" + OURS,
    "no protocol": b"host=huggingface.co\n",
    "no host": b"protocol=https\n",
    "an empty protocol": b"protocol=\nhost=huggingface.co\n",
    "an empty host": b"protocol=https\nhost=\n",
    "the host after the end": b"protocol=https\n\nhost=huggingface.co\n",
    "the protocol after the end": b"host=huggingface.co\n\nprotocol=https\n",
    "a line without =": OURS + b"nonsense\n",
    "a last line without =": OURS + b"nonsense",
    "a space for a line": OURS + b" \n",
    "an empty key": OURS + b"=value\n",
    "an empty key and value": OURS + b"=\n",
    "two hosts": OURS + b"host=example.org\n",
    "two hosts, the Hub last": b"protocol=https\nhost=example.org\nhost=huggingface.co\n",
    "the same host twice": OURS + b"host=huggingface.co\n",
    "two protocols": OURS + b"protocol=https\n",
    "two paths": OURS + b"path=a\npath=b\n",
    "two usernames": OURS + b"username=alice\nusername=bob\n",
    "two empty usernames": OURS + b"username=\nusername=\n",
    "two passwords": OURS + b"password=a\npassword=b\n",
    "an unknown key twice": OURS + b"colour=blue\ncolour=red\n",
    "a CR at a line's end": b"protocol=https\r\nhost=huggingface.co\r\n",
    "a CR at one line's end": b"protocol=https\nhost=huggingface.co\r\n",
    "a CR for a line end": b"protocol=https\rhost=huggingface.co\r",
    "a CR that hides a host": b"protocol=https\nhost=example.org\rhost=huggingface.co\n",
    "a CR in an unknown key's value": OURS + b"colour=bl\rue\n",
    "a CR alone at the end": OURS + b"\r",
    "a NUL in the host": b"protocol=https\nhost=huggingface.co\0.example.org\n",
    "a NUL at the end": OURS + b"\0",
    "a NUL for the end": OURS + b"\0\n",
    "a line one byte too long": OURS + b"wwwauth[]=" + b"x" * (MAX_LINE - 10) + b"\n",
    "a last line one byte too long": OURS + b"wwwauth[]=" + b"x" * (MAX_LINE - 10),
    "a long line without =": OURS + b"x" * 70_000,
    "a long host": b"protocol=https\nhost=" + b"huggingface.co" * 5000 + b"\n",
    "one byte over 1 MiB": filled(MAX_INPUT + 1),
    "much more than 1 MiB": OURS + b"wwwauth[]=x\n" * 500_000,
    "1 MiB of empty bytes": bytes(MAX_INPUT),
    "UTF-16": OURS.decode().encode("utf-16-le"),
    "UTF-8 with a byte order mark that hides the protocol": b"\xef\xbb\xbf" + OURS,
}


def is_refused(result: Result, *offending: bytes) -> bool:
    """Exit 1, nothing for git, one line for a person that quotes nothing of what came."""
    line = result.stderr
    return (
        (result.code, result.stdout) == (1, b"")
        and line.count(b"\n") == 1
        and line.startswith(b"git-credential-hf: ")
        and line.endswith(b"\n")
        and line[:-1].isascii()
        and line[:-1].decode().isprintable()
        and len(line) < 120
        and not any(part in line for part in (TOKEN.encode(), b"example.org", b"nonsense", b"colour", *offending))
    )


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_request_is_refused(run: Run, name: str) -> None:
    assert is_refused(run("get", input=MALFORMED[name], HF_TOKEN=TOKEN))


@pytest.mark.parametrize("action", ["store", "erase"])
@pytest.mark.parametrize("name", ["nothing", "two hosts", "a CR at a line's end", "a line without =", "two passwords"])
def test_store_and_erase_refuse_it_too(run: Run, keyring: Items, action: str, name: str) -> None:
    keyring.add(b"kept", protocol="https", server="huggingface.co", user="alice")
    assert is_refused(run(action, input=MALFORMED[name]))
    assert keyring.secrets() == [b"kept"]


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


FOREIGN = [
    # a longer or a shorter name
    "huggingface.com", "huggingface.c", "huggingface", "co", "uggingface.co", "hhuggingface.co", "huggingface.co.uk",
    "huggingface.co.example.org", "huggingface.co-example.org", "example-huggingface.co", "xhf.co", "hf.com", "hf.co.",
    "huggingface.co.", ".huggingface.co", "huggingface..co", "hugging.face.co", "hugging-face.co", "huggingfaceco",
    # parts of the Hub that are somebody else's, or storage
    "www.huggingface.co", "api.huggingface.co", "api-inference.huggingface.co", "discuss.huggingface.co",
    "www.hf.co", "cdn.hf.co", "cdn-lfs.hf.co", "cdn-lfs-us-1.hf.co", "cdn-lfs-eu-1.hf.co", "cdn-lfs.huggingface.co",
    "cas-bridge.xethub.hf.co", "cas-server.xethub.hf.co", "transfer.xethub.hf.co", "xethub.hf.co", "xethub.com",
    "hf.space", "alice-demo.hf.space", "hub-ci.huggingface.co",
    "s3.amazonaws.com", "huggingface.s3.amazonaws.com", "hf-hub-lfs-us-east-1.s3.us-east-1.amazonaws.com",
    "huggingface.co.s3.amazonaws.com", "github.com", "localhost", "127.0.0.1", "[::1]",
    # another port, userinfo, a path
    "huggingface.co:80", "huggingface.co:444", "huggingface.co:4430", "huggingface.co:0443", "huggingface.co:",
    "huggingface.co:443:443", "huggingface.co: 443", "hf.co:22", "huggingface.co:+443",
    "huggingface.co:\N{FULLWIDTH DIGIT EIGHT}",
    "alice@huggingface.co", "huggingface.co@example.org", "huggingface.co:443@example.org", "example.org:@hf.co",
    "huggingface.co/", "huggingface.co/example.org", "example.org/huggingface.co", "example.org#huggingface.co",
    "huggingface.co#", "huggingface.co?", "example.org?huggingface.co", "huggingface.co\\", "https://huggingface.co",
    "//huggingface.co",
    # spellings
    " huggingface.co", "huggingface.co ", "hugging face.co", "huggingface%2eco", "huggingface.co%00", "%68f.co",
    "huggingface,co", "huggingface.co,hf.co", "'huggingface.co'", '"hf.co"', "[huggingface.co]", "huggingface.co*",
    "*", "*.co", "*.huggingface.co", "huggingface?co", "~hf.co", "-hf.co", "--host=hf.co",
    # look-alikes
    "huggingface\N{IDEOGRAPHIC FULL STOP}co", "huggingface\N{FULLWIDTH FULL STOP}co", "huggingface\N{ONE DOT LEADER}co",
    "hugg\N{CYRILLIC SMALL LETTER BYELORUSSIAN-UKRAINIAN I}ngface.co", "huggingfac\N{CYRILLIC SMALL LETTER IE}.co",
    "huggingface.c\N{GREEK SMALL LETTER OMICRON}", "\N{FULLWIDTH LATIN SMALL LETTER H}f.co",
    "huggingface.co\N{ZERO WIDTH SPACE}", "hugging\N{SOFT HYPHEN}face.co", "\N{ZERO WIDTH NO-BREAK SPACE}hf.co",
    "hugg\N{LATIN SMALL LETTER DOTLESS I}ngface.co", "HUGG\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}NGFACE.CO",
    "\N{LATIN SMALL LETTER H WITH LINE BELOW}f.co", "xn--huggingface-.co", "huggingface.co\N{COMBINING ACUTE ACCENT}",
]  # fmt: skip


@pytest.mark.parametrize("host", FOREIGN)
def test_another_host_gets_silence(run: Run, environment: Environment, host: str) -> None:
    write_token_file(environment)
    assert run("get", input=request(host), HF_TOKEN=TOKEN) == SILENCE


@pytest.mark.parametrize(
    "protocol", ["http", "HTTPS", "https:", "ssh", "git", "ftp", "file", "cert", "https,http", " https", "*"]
)
def test_another_protocol_gets_silence(run: Run, environment: Environment, protocol: str) -> None:
    write_token_file(environment)
    assert run("get", input=request("huggingface.co", protocol=protocol), HF_TOKEN=TOKEN) == SILENCE


def test_a_host_with_no_meaning_as_text_gets_silence(run: Run) -> None:
    assert run("get", input=b"protocol=https\nhost=hugging\xffface.co\n", HF_TOKEN=TOKEN) == SILENCE


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


def is_for_the_hub(data: bytes) -> bool:
    """Whether `data` is, to the letter, a request for the Hub: told in other ways than the program tells it."""
    lines: list[bytes] = []
    for line in data.split(b"\n"):
        if not line:
            break
        lines.append(line)
    pairs = [re.fullmatch(rb"([^=]+)=(.*)", line, re.DOTALL) for line in lines]
    if len(data) > MAX_INPUT or any(len(line) + 1 > MAX_LINE for line in lines) or None in pairs:
        return False
    if any(unicodedata.category(one) == "Cc" for line in lines for one in line.decode("utf-8", "surrogateescape")):
        return False
    fields = [(pair[1], pair[2]) for pair in pairs if pair]
    once = [key for key, _ in fields if key not in (b"capability[]", b"wwwauth[]", b"state[]")]
    host = dict(fields).get(b"host", b"")
    return (
        len(once) == len(set(once))
        and (b"protocol", b"https") in fields
        and re.fullmatch(rb"(?i:huggingface\.co|hf\.co)(:443)?", host) is not None
    )


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


@settings(
    max_examples=600, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
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
