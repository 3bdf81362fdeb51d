"""What people type or paste for a repository: a URL, the address of a page, `hf://`, SSH, or `org/name`."""

from git_credential_hf.model import repository
from git_credential_hf.model.repository import HUB, HUB_HOSTS, TYPES, canonical_host
from git_credential_hf.model.text import has_control

# What people would paste of the Hub's other pages: nobody there has such a name.
_PAGES = (
    b"blog", b"chat", b"collections", b"docs", b"enterprise", b"join", b"learn", b"login", b"models", b"new",
    b"notifications", b"oauth", b"organizations", b"papers", b"posts", b"pricing", b"search", b"settings", b"tasks",
)  # fmt: skip
_IN_NO_NAME = b"*?@ \t"  # a scope is no pattern, and has no revision


class NotUnderstood(Exception):
    """It is none of these; the text says what it must be, without quoting it."""


class NoHost(Exception):
    """git asks nobody for what is at no host, such as file:///folder. The text is what stands before the host."""


class HasPassword(Exception):
    """git asks nobody for a URL of the Hub with a password in it. name: of its repository, see repository.name."""

    def __init__(self, name: bytes) -> None:
        super().__init__("the URL has a password in it")
        self.name = name


class Address:
    """Where somebody points.

    scheme: in lower case; empty for scp's form, `git@hf.co:org/name`.
    login: what stands before the host, with its `@`.
    host: HOST or HOST:PORT as it was written, None for a name alone.
    path: decoded, without query and fragment.
    """

    __slots__ = ("host", "login", "path", "scheme")

    def __init__(self, scheme: bytes, login: bytes, host: bytes | None, path: bytes) -> None:
        self.scheme = scheme
        self.login = login
        self.host = host
        self.path = path

    def server(self) -> bytes:
        """Return whose address it is, as repository.server has it: the Hub's for a name alone."""
        host = canonical_host(HUB if self.host is None else self.host)
        if self.scheme in (b"", b"ssh") and not host.endswith(b"]"):
            host = host.removesuffix(b":22")
        return HUB if host in HUB_HOSTS else host

    def has_name_alone(self) -> bool:
        """Return whether nothing but `.git` and slashes follows the name of a repository of the Hub."""
        whole = self.path.strip(b"/")
        return bool(whole) and repository.name(self.path) in (whole, whole.removesuffix(b".git"))


def parse(text: bytes) -> Address:
    """Return where `text` points. Raises NotUnderstood.

    Source: git-clone(1), GIT URLS; huggingface_hub's "HF URIs", `hf://[TYPE/]ORG/NAME[@REVISION][/PATH]`.
    """
    text = text.strip()
    if has_control(text):
        raise NotUnderstood("there is a control character in it")
    scheme, rest = _scheme(text)
    if scheme == b"hf":
        return Address(b"https", b"", HUB, rest.partition(b"@")[0].strip(b"/").removeprefix(b"models/"))
    if not scheme:
        before, colon, path = text.partition(b":")
        if colon and b"/" not in before and before.lower() not in (b"https", b"http"):  # with a slash that is missing
            login, at, host = before.rpartition(b"@")
            return Address(b"", login + at, host, path)
        scheme, rest = b"https", text
        first, _, path = text.partition(b"/")
        if canonical_host(first) not in HUB_HOSTS:
            return Address(scheme, b"", None, text)
        if not path:
            raise NotUnderstood("an address begins with https://")
    authority = min((rest.partition(mark)[0] for mark in (b"/", b"?", b"#")), key=len)
    login, at, host = authority.partition(b"@") if b"@" in authority else (b"", b"", authority)  # as git does
    path = rest[len(authority) :].partition(b"?")[0].partition(b"#")[0]
    return Address(scheme, login + at, host, _unquoted(path))


def scope(server: bytes, text: bytes) -> bytes:
    """Return the scope of `server` (see repository.server) that `text` means. Raises NotUnderstood."""
    try:
        address = parse(text)
    except NotUnderstood:
        address = Address(b"", b"", None, b"")
    if address.host is not None and address.server() != server:
        raise NotUnderstood("it is the address of another host than the token is for")
    if server != HUB:
        found = repository.scope(server, address.path)
    else:
        meant = _of_repository(address)
        found = repository.name(meant.path).lower() if meant.host is not None or meant.has_name_alone() else b""
        if any(one in _IN_NO_NAME for one in found):
            found = b""
    if not found:
        raise NotUnderstood(
            "a scope is an organisation, a repository or the address of one: my-org, my-org/name, datasets/my-org"
        )
    return found


def clone_url(text: bytes) -> bytes:
    """Return the URL that git is given for what `text` points at: for a page of the Hub that of its repository.

    A URL that git takes stays as it is, and so does one of another host. Raises NotUnderstood.
    """
    text = text.strip()
    address = parse(text)
    if address.server() != HUB:
        return text
    meant = _of_repository(address)
    if meant.host is None and not (meant.has_name_alone() and b"/" in meant.path.strip(b"/")):
        raise NotUnderstood("a repository is given by its URL, or as org/name or datasets/org/name")
    name = repository.name(meant.path)
    if meant.host is None:
        name = name.partition(b"?")[0].partition(b"#")[0]
    is_gits = not address.scheme or _scheme(text)[0] not in (b"", b"hf")
    is_page = not address.has_name_alone() or b"?" in text or b"#" in text
    if is_gits and not (name and is_page):
        return text
    between = b"/" if address.scheme else b":"
    prefix = address.scheme + b"://" if address.scheme else b""
    return prefix + address.login + (HUB if address.host is None else address.host) + between + name


def request(text: bytes) -> bytes:
    """Return the lines in which git would ask a helper for the URL `text` that it uses.

    Raises NotUnderstood, NoHost and HasPassword.

    A request of git's own has no `path` where the address names no repository. git asks nobody over SSH, but git-lfs
    does, for the same place over https.
    """
    address = parse(text)
    scheme = text.partition(b"://")[0] if address.scheme else b"ssh"  # as it was written: git knows no HTTPS and no SSH
    if address.host is None:
        raise NoHost("file://")
    if not address.host and address.scheme != b"https":
        raise NoHost(scheme.decode("ascii") + "://")
    lines = [b"capability[]=authtype"]
    if address.server() == HUB and scheme in (b"https", b"ssh"):
        lines += [b"protocol=https", b"host=" + HUB]
    else:
        lines += [b"protocol=" + scheme, b"host=" + (address.host or b"")]
    if b":" in address.login and address.scheme == b"https" and address.server() == HUB:
        raise HasPassword(repository.name(address.path))
    user = _unquoted(address.login.removesuffix(b"@").partition(b":")[0])
    if user and address.scheme == b"https":
        lines.append(b"username=" + user)
    if path := address.path.strip(b"/"):
        lines.append(b"path=" + path)
    if any(has_control(line) for line in lines):
        raise NotUnderstood("there is a control character in it")
    return b"\n".join(lines) + b"\n"


def _of_repository(address: Address) -> Address:
    """Return the address of the Hub's repository or organisation that people mean by one of the Hub.

    Raises NotUnderstood for the address of a page that is of none.
    """
    path = address.path.strip(b"/")
    if address.host is not None:
        page, _, rest = path.partition(b"/")
        if page.lower() == b"api":
            path = _of_api(rest)
        elif page.lower() in _PAGES:
            raise NotUnderstood(page.decode("ascii") + " is a page of the Hub, not an organisation or a repository")
    without_revision = path.partition(b"@")[0]
    if repository.whole(without_revision):
        path = without_revision
    return Address(address.scheme, address.login, address.host, path)


def _of_api(path: bytes) -> bytes:
    """Return the path of the repository that `path`, below the Hub's /api/, is about. Raises NotUnderstood."""
    path = path.removeprefix(b"resolve-cache/")
    kind, _, name = path.partition(b"/")
    found = name if kind.lower() == b"models" else path if kind.lower() in TYPES else b""
    if not repository.whole(found.partition(b"@")[0]):
        raise NotUnderstood("this address of the Hub's API names no repository")
    return found


def _unquoted(text: bytes) -> bytes:
    """Return `text` with each %XX as the byte that it stands for."""
    first, *rest = text.split(b"%")
    for part in rest:
        try:
            # fromhex() would take blanks for nothing.
            first += (bytes.fromhex(part[:2].decode()) + part[2:]) if part[:2].isalnum() and part[1:2] else b"%" + part
        except ValueError:
            first += b"%" + part
    return first


def _scheme(text: bytes) -> tuple[bytes, bytes]:
    """Return what stands before `://` and after it; the scheme is empty where there is none."""
    scheme, _, rest = text.partition(b"://")
    is_one = len(scheme) < len(text) and scheme.translate(None, b"+.-").isalnum()
    return (scheme.lower(), rest) if is_one else (b"", text)
