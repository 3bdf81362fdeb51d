"""Every attack on a credential helper that this project knows of, as one table: what is sent, and what may come of it.

The tests hold this helper against it, and scripts/attacks everybody else's. Each attack is a request as git could be
made to send it, by the address of a submodule or a header of a server, or as a broken program could.
"""

from dataclasses import dataclass

# What the sources hold that an attack is after; each is a part of the text of a token.
HUB = "OfTheHub"
SCOPE = "OfMyOrg"
ALICE = "OfAlice"
BEARER = "OfCarolTheBearer"
OTHER = "OfTheOtherHost"
ALL = (HUB, SCOPE, ALICE, BEARER, OTHER)

ORGANISATION = "my-org"
OTHER_HOST = "git.example.org:8443"

SILENT = "silence"
REFUSED = "refused"
ANSWERED = "an answer"

MAX_LINE = 65_535  # with its line end
MAX_INPUT = 1 << 20


@dataclass(frozen=True)
class Attack:
    """One attack.

    data: the request.
    outcome: REFUSED is exit code 1, nothing for git and one line for a person; SILENT is exit code 0 and nothing.
    may: the only one of the marks that an answer may have in it, empty for none.
    """

    kind: str
    name: str
    data: bytes
    outcome: str
    may: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}"


OURS = b"protocol=https\nhost=huggingface.co\n"


def request(host: str | bytes, **more: str) -> bytes:
    named = host.encode("utf-8", "surrogateescape") if isinstance(host, str) else host
    lines = b"".join(f"{key}={value}\n".encode() for key, value in more.items() if key != "protocol")
    return b"protocol=%b\nhost=%b\n%b" % (more.get("protocol", "https").encode(), named, lines)


def filled(size: int) -> bytes:
    """A request for the Hub of exactly `size` bytes, in lines that are short enough."""
    line = b"wwwauth[]=" + b"x" * 1013 + b"\n"
    missing = size - len(OURS)
    rest = missing % len(line) + len(line)
    return OURS + line * (missing // len(line) - 1) + b"wwwauth[]=" + b"y" * (rest - 11) + b"\n"


CONTROL = "a control character"
FIELDS = "a broken field"
MISSING = "no protocol or no host"
SIZE = "a line or a request that is too long"
HOST = "another host"
PART = "a port, a user or a path in the host"
SPELLING = "the host or protocol in another spelling, or a look-alike"
PROTOCOL = "another protocol"
FOLDED = "a header or a state that looks like a field"
PATH = "a path that is not in the scope"
IDENTITY = "the token of another username"

_CONTROL = {
    "a CR at a line's end": b"protocol=https\r\nhost=huggingface.co\r\n",
    "a CR at one line's end": b"protocol=https\nhost=huggingface.co\r\n",
    "a CR for a line end": b"protocol=https\rhost=huggingface.co\r",
    "a CR that hides a host": b"protocol=https\nhost=example.org\rhost=huggingface.co\n",
    "a CR that hides the true host": b"protocol=https\nhost=huggingface.co\rhost=example.org\n",
    "a CR in a username that hides a host": b"protocol=https\nhost=example.org\nusername=x\rhost=huggingface.co\n",
    "a CR in a path that hides a host": b"protocol=https\nhost=example.org\npath=x\rhost=huggingface.co\n",
    "a CR in a header that hides a host": b"protocol=https\nhost=example.org\nwwwauth[]=x\rhost=huggingface.co\n",
    "a CR in an unknown key's value": OURS + b"colour=bl\rue\n",
    "a CR alone at the end": OURS + b"\r",
    "an empty line that ends in CR, and another host": OURS + b"\r\nhost=example.org\n",
    "a NUL in the host": b"protocol=https\nhost=huggingface.co\0.example.org\n",
    "a NUL before the Hub": b"protocol=https\nhost=example.org\0huggingface.co\n",
    "a NUL after the Hub": b"protocol=https\nhost=huggingface.co\0\n",
    "a NUL in the protocol": b"protocol=https\0http\nhost=huggingface.co\n",
    "a NUL after a foreign host": b"protocol=https\nhost=example.org\0\n",
    "a NUL in a key": b"protocol=https\nho\0st=example.org\nhost=huggingface.co\n",
    "a NUL in a username": OURS + b"username=alice\0bob\n",
    "a NUL in a path": OURS + b"path=my-org\0/../other\n",
    "a NUL at the beginning": b"\0" + OURS,
    "a NUL at the end": OURS + b"\0",
    "a NUL for the end": OURS + b"\0\n",
    "NULs for line ends": b"protocol=https\0host=huggingface.co\0",
    "empty bytes": bytes(100),
    "1 MiB of empty bytes": bytes(MAX_INPUT),
    "a tab in the host": b"protocol=https\nhost=huggingface.co\t\n",
    "a tab before a key": b"protocol=https\n\thost=huggingface.co\n",
    "a vertical tab for a line end": b"protocol=https\x0bhost=huggingface.co\n",
    "a form feed for a line end": b"protocol=https\nhost=example.org\x0chost=huggingface.co\n",
    "a file separator for a line end": b"protocol=https\nhost=example.org\x1chost=huggingface.co\n",
    "a group separator for a line end": b"protocol=https\nhost=example.org\x1dhost=huggingface.co\n",
    "a record separator for a line end": b"protocol=https\nhost=example.org\x1ehost=huggingface.co\n",
    "NEL in UTF-8 for a line end": b"protocol=https\nhost=example.org\xc2\x85host=huggingface.co\n",
    "DEL in the host": b"protocol=https\nhost=hugg\x7fingface.co\n",
    "a backspace over a foreign host": b"protocol=https\nhost=x\x08huggingface.co\n",
    "an escape sequence in the host": b"protocol=https\nhost=\x1b[2Khuggingface.co\n",
    "an escape sequence in a username": OURS + b"username=\x1b]0;title\x07\n",
    "an 8-bit escape sequence in a path": OURS + "path=\N{CONTROL SEQUENCE INTRODUCER}2K\n".encode(),
    "a bell in a header": OURS + b"wwwauth[]=\x07\n",
    "an end of file in the host": b"protocol=https\nhost=huggingface.co\x1a.example.org\n",
    "an end of transmission": b"protocol=https\nhost=huggingface.co\n\x04",
    "UTF-16": OURS.decode().encode("utf-16-le"),
    "UTF-16, its other end first": OURS.decode().encode("utf-16"),
    "UTF-32": OURS.decode().encode("utf-32"),
}

_FIELDS = {
    "a line without =": OURS + b"nonsense\n",
    "a last line without =": OURS + b"nonsense",
    "a space for a line": OURS + b" \n",
    "a host without =": b"protocol=https\nhost huggingface.co\n",
    "a host with a colon": b"protocol=https\nhost: huggingface.co\nhost=huggingface.co\n",
    "an empty key": OURS + b"=value\n",
    "an empty key and value": OURS + b"=\n",
    "an empty key with a host": OURS + b"=host=example.org\n",
    "two hosts": OURS + b"host=example.org\n",
    "two hosts, the Hub last": b"protocol=https\nhost=example.org\nhost=huggingface.co\n",
    "two hosts around other lines": b"host=example.org\nprotocol=https\nusername=x\nhost=huggingface.co\n",
    "two hosts, the first empty": b"protocol=https\nhost=\nhost=huggingface.co\n",
    "two hosts, the last empty": OURS + b"host=\n",
    "three hosts": OURS + b"host=example.org\nhost=huggingface.co\n",
    "the same host twice": OURS + b"host=huggingface.co\n",
    "two names of the Hub": OURS + b"host=hf.co\n",
    "two protocols": OURS + b"protocol=https\n",
    "two protocols, http first": b"protocol=http\nprotocol=https\nhost=huggingface.co\n",
    "two protocols, http last": OURS + b"protocol=http\n",
    "two paths": OURS + b"path=a\npath=b\n",
    "two paths, one in the scope": OURS + b"path=other/model\npath=my-org/model\n",
    "two usernames": OURS + b"username=alice\nusername=bob\n",
    "two empty usernames": OURS + b"username=\nusername=\n",
    "two passwords": OURS + b"password=a\npassword=b\n",
    "two addresses": OURS + b"url=https://huggingface.co\nurl=https://example.org\n",
    "two ends of the conversation": OURS + b"quit=0\nquit=1\n",
    "two kinds of authentication": OURS + b"authtype=Bearer\nauthtype=Basic\n",
    "an unknown key twice": OURS + b"colour=blue\ncolour=red\n",
}

_MISSING = {
    "nothing": b"",
    "an empty line": b"\n",
    "empty lines": b"\n\n\n",
    "an empty line before all": b"\n" + OURS,
    "no protocol": b"host=huggingface.co\n",
    "no host": b"protocol=https\n",
    "an empty protocol": b"protocol=\nhost=huggingface.co\n",
    "an empty host": b"protocol=https\nhost=\n",
    "both empty": b"protocol=\nhost=\n",
    "a host in capital letters' key": b"protocol=https\nHOST=huggingface.co\n",
    "a protocol in capital letters' key": b"Protocol=https\nhost=huggingface.co\n",
    "a space in front of the key": b"protocol=https\n host=huggingface.co\n",
    "a space behind the key": b"protocol=https\nhost =huggingface.co\n",
    "a host that may repeat": b"protocol=https\nhost[]=huggingface.co\n",
    "an address in their place": b"url=https://huggingface.co\n",
    "a username alone": b"username=hf_user\n",
    "a path alone": b"protocol=https\npath=my-org/model\n",
    "a key in look-alike letters": "protocol=https\nh\N{CYRILLIC SMALL LETTER O}st=huggingface.co\n".encode(),
    "a byte order mark that hides the protocol": b"\xef\xbb\xbf" + OURS,
    "a comment sign that hides the host": b"protocol=https\n#host=huggingface.co\n",
    "the host after the end": b"protocol=https\n\nhost=huggingface.co\n",
    "the protocol after the end": b"host=huggingface.co\n\nprotocol=https\n",
    "an empty host, and another after the end": b"protocol=https\nhost=\n\nhost=huggingface.co\n",
}

_SIZE = {
    "a line one byte too long": OURS + b"wwwauth[]=" + b"x" * (MAX_LINE - 10) + b"\n",
    "a last line one byte too long": OURS + b"wwwauth[]=" + b"x" * (MAX_LINE - 10),
    "a long line that ends like a host": OURS + b"x=" + b"x" * 70_000 + b"host=example.org\n",
    "a long line without =": OURS + b"x" * 70_000,
    "a long key": OURS + b"x" * 70_000 + b"=\n",
    "a long username": OURS + b"username=" + b"x" * 70_000 + b"\n",
    "a long path": OURS + b"path=" + b"my-org/" * 10_000 + b"\n",
    "a long host": b"protocol=https\nhost=" + b"huggingface.co" * 5000 + b"\n",
    "a long host that begins like the Hub": b"protocol=https\nhost=huggingface.co" + b"." * 70_000 + b"\n",
    "one byte over 1 MiB": filled(MAX_INPUT + 1),
    "much more than 1 MiB": OURS + b"wwwauth[]=x\n" * 500_000,
    "a key twice, 1 MiB apart": filled(MAX_INPUT - 100) + b"host=example.org\n" + b"x=" + b"y" * 200 + b"\n",
}

# The first are parts of the Hub that are somebody else's, or storage.
_HOSTS = [
    "cdn.hf.co", "cdn-lfs.hf.co", "cdn-lfs-us-1.hf.co", "cdn-lfs-eu-1.hf.co", "cdn-lfs.huggingface.co", "www.hf.co",
    "cas-bridge.xethub.hf.co", "cas-server.xethub.hf.co", "transfer.xethub.hf.co", "xethub.hf.co", "xethub.com",
    "hf.space", "alice-demo.hf.space", "hub-ci.huggingface.co", "www.huggingface.co", "api.huggingface.co",
    "api-inference.huggingface.co", "discuss.huggingface.co", "s3.amazonaws.com", "huggingface.s3.amazonaws.com",
    "hf-hub-lfs-us-east-1.s3.us-east-1.amazonaws.com", "huggingface.co.s3.amazonaws.com", "github.com", "localhost",
    "127.0.0.1", "[::1]", "0", "example.org",
    # a longer or a shorter name
    "huggingface.com", "huggingface.c", "huggingface", "co", "uggingface.co", "hhuggingface.co", "huggingface.co.uk",
    "huggingface.co.example.org", "huggingface.co-example.org", "huggingface.co_example.org", "example-huggingface.co",
    "xhf.co", "hf.com", "hf.cof", "f.co", "huggingface.coo", "hf.co.huggingface.co", "huggingface.co.hf.co",
    "huggingface.cohf.co", "hf.co.example.org", "hf-co.example.org", "huggingface.co.co", "huggingface-co",
    "huggingface.co.invalid", "evil-hf.co", "evilhf.co", "evil.hf.co", "a.b.c.huggingface.co",
    "huggingface.co" + ".example.org" * 20,
]  # fmt: skip

_PARTS = [
    "huggingface.co:80", "huggingface.co:444", "huggingface.co:4430", "huggingface.co:0443", "huggingface.co:",
    "huggingface.co:443:443", "huggingface.co:443:80", "huggingface.co:80:443", "huggingface.co: 443",
    "huggingface.co:443 ", "hf.co:22", "huggingface.co:+443", "huggingface.co:-443", "huggingface.co:443.0",
    "huggingface.co:1bb", "huggingface.co:0x1bb", "huggingface.co:4_43", "huggingface.co:443x", "huggingface.co:x443",
    "huggingface.co:65979", "huggingface.co:4294967739", "huggingface.co::443", "huggingface.co:https",
    "huggingface.co:\N{FULLWIDTH DIGIT EIGHT}", "huggingface.co:\N{ARABIC-INDIC DIGIT FOUR}43",
    ":443", "example.org:443", "huggingface.co:8443", "example.org:443:huggingface.co",
    "alice@huggingface.co", "@huggingface.co", "huggingface.co@", "huggingface.co@example.org",
    "huggingface.co:443@example.org", "example.org:@hf.co", "alice:password@huggingface.co",
    "example.org@huggingface.co",
    "huggingface.co%40example.org", "huggingface.co/", "huggingface.co/example.org", "huggingface.co/@example.org",
    "example.org/huggingface.co", "example.org#huggingface.co", "huggingface.co#", "huggingface.co#@example.org",
    "huggingface.co?", "huggingface.co?@example.org", "example.org?huggingface.co", "huggingface.co\\",
    "huggingface.co\\@example.org", "example.org\\huggingface.co", "https://huggingface.co", "//huggingface.co",
    "huggingface.co;example.org", "huggingface.co&host=example.org", "huggingface.co host=example.org",
    "huggingface.co=", "=huggingface.co", "host=huggingface.co", "huggingface.co,example.org",
    "git.example.org", "git.example.org:443", "git.example.org:80", "git.example.org:08443", "git.example.org:84430",
    "git.example.org:8443:443", "git.example.org:8443.", "x.git.example.org:8443", "git.example.org:8443@example.org",
]  # fmt: skip

_SPELLINGS = [
    "huggingface.co.", "huggingface.co..", ".huggingface.co", "huggingface..co", "hf.co.", "hf.co.:443",
    "huggingface.co.:443", ".hf.co", "hugging.face.co", "hugging-face.co", "hugging_face.co", "huggingfaceco",
    " huggingface.co", "huggingface.co ", "hugging face.co", "huggingface .co", "  hf.co", "huggingface%2eco",
    "huggingface.co%00", "huggingface.co%2eexample.org", "huggingface.co%0ahost=example.org", "%68f.co",
    "%68%66%2e%63%6f", "huggingface%252eco", "hf%2Eco", "hf.co%", "huggingface,co", "huggingface.co,hf.co",
    "'huggingface.co'", '"hf.co"', "`huggingface.co`", "$(hf.co)", "${HF_ENDPOINT}", "<huggingface.co>",
    "[huggingface.co]", "(huggingface.co)", "{huggingface.co}", "huggingface.co*", "*", "*.co", "*.huggingface.co",
    "huggingface?co", "hugging*.co", "^huggingface.co$", "huggingface.co|hf.co", "hf[.]co", "~hf.co", "-hf.co",
    "--host=hf.co", "!hf.co", "huggingface.co\\0", "huggingface.co\\n", "\\x68f.co", "../huggingface.co",
    # look-alikes
    "huggingface\N{IDEOGRAPHIC FULL STOP}co", "huggingface\N{FULLWIDTH FULL STOP}co",
    "huggingface\N{HALFWIDTH IDEOGRAPHIC FULL STOP}co", "huggingface\N{ONE DOT LEADER}co",
    "huggingface\N{MIDDLE DOT}co", "hf\N{SMALL FULL STOP}co", "huggingface.co\N{FULLWIDTH COLON}443",
    "huggingface.co\N{FULLWIDTH SOLIDUS}.example.org", "huggingface.co\N{FULLWIDTH COMMERCIAL AT}example.org",
    "huggingface.co\N{DIVISION SLASH}example.org", "huggingface.co\N{FULLWIDTH NUMBER SIGN}.example.org",
    "hugg\N{CYRILLIC SMALL LETTER BYELORUSSIAN-UKRAINIAN I}ngface.co", "huggingfac\N{CYRILLIC SMALL LETTER IE}.co",
    "huggingface.c\N{GREEK SMALL LETTER OMICRON}", "huggingface.\N{CYRILLIC SMALL LETTER ES}o",
    "\N{FULLWIDTH LATIN SMALL LETTER H}f.co", "\N{FULLWIDTH LATIN SMALL LETTER H}\N{FULLWIDTH LATIN SMALL LETTER F}.co",
    "\N{MATHEMATICAL BOLD SMALL H}f.co", "h\N{LATIN SMALL LETTER LONG S}.co", "h\N{LATIN SMALL LIGATURE FF}.co",
    "huggingface.\N{CARE OF}", "huggingface.\N{SQUARE CO}", "huggin\N{LATIN SMALL LETTER SCRIPT G}face.co",
    "huggingface.co\N{ZERO WIDTH SPACE}", "hugging\N{ZERO WIDTH NON-JOINER}face.co", "hugging\N{SOFT HYPHEN}face.co",
    "\N{ZERO WIDTH NO-BREAK SPACE}hf.co", "hf.co\N{WORD JOINER}", "\N{RIGHT-TO-LEFT OVERRIDE}oc.ecafgniggug",
    "\N{LEFT-TO-RIGHT MARK}hf.co", "huggingface.co\N{NO-BREAK SPACE}", "huggingface.co\N{IDEOGRAPHIC SPACE}",
    "huggingface.co\N{LINE SEPARATOR}example.org", "huggingface.co\N{PARAGRAPH SEPARATOR}",
    "hugg\N{LATIN SMALL LETTER DOTLESS I}ngface.co", "HUGG\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}NGFACE.CO",
    "\N{LATIN SMALL LETTER H WITH LINE BELOW}f.co", "huggingface.co\N{COMBINING ACUTE ACCENT}",
    "huggingface.co\N{VARIATION SELECTOR-1}", "hf\N{COMBINING LONG SOLIDUS OVERLAY}.co",
    "xn--huggingface-.co", "xn--hf.co-", "xn--hggingface-i8a.co", "huggingface.xn--co-", "XN--HF-.CO",
    "huggingface.co\udcff", "hugging\udcffface.co", "\udcfehf.co", "hf.co\udcc2", "h\udce6f.co",
    "huggingface\udcc0\udcaeco",
]  # fmt: skip

_PROTOCOLS = [
    "http", "HTTPS", "Https", "https:", "https://", "httpss", "ttps", "shttp", "ssh", "git", "git+https", "ftp", "ftps",
    "file", "cert", "https,http", " https", "https ", "*", "hTTp", "wss", "imaps", "smtp", "https\N{ZERO WIDTH SPACE}",
    "http\N{LATIN SMALL LETTER LONG S}", "\udcffhttps",
]  # fmt: skip

# Headers and states come from the server: nothing in them is a field.
_FOLDED = {
    "a header folded at 1,024 bytes, its rest a host": b"wwwauth[]=" + b"x" * 1014 + b"host=huggingface.co\n",
    "a header folded at 1,023 bytes": b"wwwauth[]=" + b"x" * 1013 + b"host=huggingface.co\n",
    "a header of exactly 1,024 bytes before a host": b"wwwauth[]=" + b"x" * 1014 + b"\nx=host=huggingface.co\n",
    "a header folded at 65,520 bytes": b"wwwauth[]=" + b"x" * 65_490 + b"host=huggingface.co\n",
    "many headers that name the Hub": b"wwwauth[]=host=huggingface.co\n" * 500,
    "a header that names the Hub's realm": b'wwwauth[]=Basic realm="https://huggingface.co"\n',
    "a header with an escaped line end": b"wwwauth[]=Basic\\nhost=huggingface.co\n",
    "a header with a quoted line end": b"wwwauth[]=Basic%0ahost=huggingface.co\n",
    "a state that names the Hub": b"state[]=host=huggingface.co\n",
    "a state of another helper": b"state[]=gh:huggingface.co\n",
    "a state as of our own": b"state[]=hf:huggingface.co\n",
    "a capability that names the Hub": b"capability[]=host=huggingface.co\n",
    "every capability": b"capability[]=authtype\ncapability[]=state\ncapability[]=oauth\ncapability[]=\n",
    "a round that goes on": b"capability[]=state\nstate[]=hf:1\ncontinue=1\n",
    "a url= line with the Hub": b"url=https://huggingface.co/my-org/model\n",
    "a url= line with a user at the Hub": b"url=https://alice@huggingface.co\n",
    "the Hub for a path": b"path=huggingface.co\n",
    "the Hub's address for a path": b"path=https://huggingface.co/my-org/model\n",
    "a path that climbs to the Hub": b"path=../huggingface.co/my-org\n",
    "the Hub for a user": b"username=huggingface.co\n",
    "the Hub's name for anybody": b"username=hf_user\n",
    "a user at the Hub": b"username=alice@huggingface.co\n",
    "an unknown host key": b"server=huggingface.co\nhostname=huggingface.co\norigin=huggingface.co\n",
    "the Hub's host among those that repeat": b"host[]=huggingface.co\nprotocol[]=https\n",
    "the Hub after the end": b"\nprotocol=https\nhost=huggingface.co\n",
    "the Hub after two ends": b"\n\nhost=huggingface.co\n",
    "a Bearer that is asked for": b"capability[]=authtype\nauthtype=Bearer\n",
    "a credential that is shown": b"authtype=Bearer\ncredential=x\nephemeral=1\n",
    "an expiry of long ago": b"password_expiry_utc=0\noauth_refresh_token=x\n",
    "an end of the conversation": b"quit=1\n",
}

_PATHS = [
    "my-org/../other/model", "my-org/..", "my-org/.", "my-org/./../other", "other/../my-org/model", "./my-org/model",
    "../my-org/model", "/my-orgs/model", "//other/my-org", "my-org//model", "my-orgs/", "my-org.git.git/",
    "my-org%2f..%2fother",
    "my-org/%2e%2e/other", "my-org/%2E%2E/other", "my-org%2Fmodel", "%6dy-org/model", "my-org/model%",
    "my-org%00/model",
    "my-orgs/model", "my-org2", "my-or/model", "my-org-evil/model", "my-org.evil/model", "my_org/model",
    "My-Orgs/model",
    "MY-ORGS", "my-org /model", " my-org/model", "my-orgs.git/info/lfs", "my-org.git.git", "datasets/my-org/model",
    "spaces/my-org/model", "models/my-org/model", "other/my-org/model", "my-org\\model", "my-org\\..\\other",
    "my-org?model", "my-org#model", "my-org;model", "my-org@model", "huggingface.co/my-org/model", "my-org:model",
    "https://huggingface.co/my-org/model", "my-org\N{FULLWIDTH SOLIDUS}model", "my-org\N{DIVISION SLASH}model",
    "m\N{CYRILLIC SMALL LETTER U}-org/model", "my\N{HYPHEN}org/model", "my\N{NON-BREAKING HYPHEN}org/model",
    "my-org\N{ZERO WIDTH SPACE}/model", "my-org/\udcff/../model", "my-org/model\udcff", "*", "my-*/model", "my-org*",
    "my-org/model/../../other/model", "my-org/model/.git/..", "", "/", ".", "..", ".git", "my-org/.git", "my-org/..git",
]  # fmt: skip

_USERNAMES = [
    "alicE", "ALICE", "alice ", " alice", "al", "alice2", "ali*", "*", "alice\N{ZERO WIDTH SPACE}", "a/lice",
    "../alice",
    "\N{CYRILLIC SMALL LETTER A}lice", "alice%00", "alice:x", "alice@huggingface.co", "al\N{COMBINING ACUTE ACCENT}ice",
    "\udcffalice", "hf_user\udcff", "", "x' or '1'='1", "user=alice",
]  # fmt: skip

# Nothing of this announces to git's letter that it can take a Bearer.
_WITHOUT_AUTHTYPE = {
    "no capability": b"",
    "another capability": b"capability[]=state\n",
    "the capability in capital letters": b"capability[]=AUTHTYPE\n",
    "the capability with a space": b"capability[]=authtype \n",
    "a longer capability": b"capability[]=authtypes\n",
    "the capability without its brackets": b"capability=authtype\n",
    "the capability in a state": b"state[]=capability[]=authtype\n",
    "the capability in a header": b"wwwauth[]=capability[]=authtype\n",
    "the scheme alone": b"authtype=Bearer\n",
    "the capability after the end": b"\ncapability[]=authtype\n",
}


def _named(host: str) -> str:
    return host.encode("unicode_escape").decode() if len(host) < 100 else f"{host[:40]} and so on"


def _table() -> list[Attack]:
    attacks = [
        Attack(kind, name, data, REFUSED)
        for kind, cases in ((CONTROL, _CONTROL), (FIELDS, _FIELDS), (MISSING, _MISSING), (SIZE, _SIZE))
        for name, data in cases.items()
    ]
    attacks += [
        Attack(kind, _named(host), request(host), SILENT)
        for kind, hosts in ((HOST, _HOSTS), (PART, _PARTS), (SPELLING, _SPELLINGS))
        for host in hosts
    ]
    for protocol in _PROTOCOLS:
        data = b"protocol=%b\nhost=huggingface.co\n" % protocol.encode("utf-8", "surrogateescape")
        attacks.append(Attack(PROTOCOL, _named(protocol), data, SILENT))
    attacks += [Attack(FOLDED, name, request("example.org") + more, SILENT) for name, more in _FOLDED.items()]
    attacks += [
        Attack(PATH, _named(path), OURS + b"path=%b\n" % path.encode("utf-8", "surrogateescape"), ANSWERED, HUB)
        for path in _PATHS
    ]
    for username in _USERNAMES:
        data = OURS + b"username=%b\n" % username.encode("utf-8", "surrogateescape")
        attacks.append(Attack(IDENTITY, f"the user {_named(username)}", data, ANSWERED, HUB))
    for name, more in _WITHOUT_AUTHTYPE.items():
        data = OURS + b"username=carol\n" + more
        attacks.append(Attack(IDENTITY, f"a Bearer: {name}", data, ANSWERED, HUB))
    return attacks


ATTACKS = _table()


# --- what is told to a helper, and not asked -----------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    """What git tells a helper on an attacker's word, after which the token must still be what it answers.

    steps: the actions with their requests; {TOKEN} stands for the token itself.
    """

    kind: str
    name: str
    steps: tuple[tuple[str, bytes], ...]

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}"


TOKEN = b"{TOKEN}"
USERINFO = "the password in a URL"
HREF = "a git-lfs URL that the Hub answers with 401"
OVERTAKEN = "an old token, after a rotation"

# git says store for what an address has in it, after any 200, from a public repository too: in what is cloned, in
# .gitmodules, and in where a plain http server redirects to.
_USERINFO = {
    "of a clone": b"username=hf_user\npassword=GARBAGE\n",
    "of a clone, with its path": b"path=other/public.git\nusername=hf_user\npassword=GARBAGE\n",
    "of a submodule": b"path=other/sub\nusername=hf_user\npassword=GARBAGE\n",
    "of a submodule, for its own user": b"path=other/sub\nusername=mallory\npassword=GARBAGE\n",
    "of a redirect": b'wwwauth[]=Basic realm="x"\nusername=hf_user\npassword=GARBAGE\n',
    "without a username": b"username=\npassword=GARBAGE\n",
    "with an expiry in 2100": b"username=hf_user\npassword=GARBAGE\npassword_expiry_utc=4102444800\n",
    "for a Bearer": b"capability[]=authtype\nauthtype=Bearer\ncredential=GARBAGE\n",
}
_HREFS = ["mallory/repo", "mallory/repo.git/info/lfs", "mallory/repo/info/lfs/objects/batch"]

TOLD = [
    *(Told(USERINFO, name, (("store", OURS + fields),)) for name, fields in _USERINFO.items()),
    *(
        Told(HREF, path, (("erase", OURS + b"path=%b\nusername=hf_user\npassword=%b\n" % (path.encode(), TOKEN)),))
        for path in _HREFS
    ),
    Told(OVERTAKEN, "which git stores", (("store", OURS + b"username=hf_user\npassword=hf_OldOldOldOldOld\n"),)),
]
