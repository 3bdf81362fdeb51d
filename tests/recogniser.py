"""Which requests may have a token, told in other ways than the program tells it, for tests to hold it against."""

import re
import unicodedata

from tests.attacks import MAX_INPUT, MAX_LINE

_REPEATABLE = (b"capability[]", b"wwwauth[]", b"state[]")
_HUB = re.compile(rb"(?i:huggingface\.co|hf\.co)(:443)?")


def fields(data: bytes) -> dict[bytes, bytes] | None:
    """Return the keys of the request in `data` that may stand there once; None where it is to be refused."""
    lines: list[bytes] = []
    for line in data.split(b"\n"):
        if not line:
            break
        lines.append(line)
    pairs = [re.fullmatch(rb"([^=]+)=(.*)", line, re.DOTALL) for line in lines]
    if len(data) > MAX_INPUT or any(len(line) + 1 > MAX_LINE for line in lines) or None in pairs:
        return None
    if any(unicodedata.category(one) == "Cc" for line in lines for one in line.decode("utf-8", "surrogateescape")):
        return None
    found = [(pair[1], pair[2]) for pair in pairs if pair]
    once = [key for key, _ in found if key not in _REPEATABLE]
    values = dict(found)
    if len(once) != len(set(once)) or not values.get(b"protocol") or not values.get(b"host"):
        return None
    return values


def is_for_the_hub(data: bytes) -> bool:
    """Whether `data` is, to the letter, a request for the Hub."""
    values = fields(data)
    return values is not None and values[b"protocol"] == b"https" and _HUB.fullmatch(values[b"host"]) is not None


def is_for(data: bytes, host: str, port: int) -> bool:
    """Whether `data` is, to the letter, a request for `host` (in lower case) at `port`."""
    values = fields(data)
    asked = re.compile(re.escape(f"{host}:{port}").encode(), re.IGNORECASE)
    return values is not None and values[b"protocol"] == b"https" and asked.fullmatch(values[b"host"]) is not None


def lies_in(data: bytes, organisation: bytes) -> bool:
    """Whether the request in `data` names a path that can only be one of `organisation`'s, of any case."""
    path = (fields(data) or {}).get(b"path", b"")
    try:
        text = path.decode()
    except UnicodeDecodeError:
        return False
    # A segment that ends in .git is the last of a name.
    name = rf"(?ai:{re.escape(organisation.decode())})(?ai:\.git(/.*)?|/(?!\.{{0,2}}\.git(/|\Z)).+)?"
    inside = re.fullmatch(name, text.strip("/"), re.DOTALL)
    return inside is not None and "%" not in text and not set(text.strip("/").split("/")) & {"", ".", ".."}
