"""Hugging Face's token file, where huggingface_hub reads it and `hf auth login` writes it."""

from git_credential_hf.reading import read
from git_credential_hf.sources import VARIABLES
from git_credential_hf.token import Token, clean, seconds

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from collections.abc import Iterator

    from git_credential_hf.options import Options


_RENEWAL_LIMIT = 10  # seconds


def tokens(options: "Options") -> "Iterator[Token]":
    """Return the token of the file, if it holds one."""
    file = path(options.environ)
    shown = file.decode("utf-8", "backslashreplace")
    text = clean(read(file))
    options.trace("token file %s: %s", shown, "a token" if text else "none")
    if text:
        ends = _oauth_end(text, read(file[: file.rfind(b"/") + 1] + b"stored_tokens"))
        yield Token(text, shown, expires=ends, oauth=ends is not None)


def path(environ: dict[bytes, bytes]) -> bytes:
    """Return the path of the token file: HF_TOKEN_PATH, else `token` in HF_HOME, XDG_CACHE_HOME or ~/.cache.

    Source: huggingface_hub/constants.py, which expands `~` and `$NAME` in whatever it is given. An empty
    variable counts as unset here: there it would name a file in the current directory.
    """
    file = environ.get(b"HF_TOKEN_PATH")
    if not file:
        home = environ.get(b"HF_HOME")
        if not home:
            home = (environ.get(b"XDG_CACHE_HOME") or b"~/.cache") + b"/huggingface"
        file = home.rstrip(b"/") + b"/token"
    return _expanded(file, environ)


def renewed(options: "Options") -> Token | None:
    """Return the token that `hf auth token` gives in the place of a login that has ended, or None within 10 s.

    It asks the Hub, and puts the new token into the token file itself.
    """
    import subprocess

    # With a token in its environment `hf` would print that one.
    environ = {name: value for name, value in options.environ.items() if name not in VARIABLES}
    try:
        done = subprocess.run(
            ["hf", "auth", "token"],
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_RENEWAL_LIMIT,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        options.trace("hf auth token: %s", type(error).__name__)
        return None
    text = clean(done.stdout)
    return Token(text, "hf auth token") if text else None


def _oauth_end(token: bytes, stored_tokens: bytes) -> int | None:
    """Return when the OAuth login that `token` came from ends, in seconds since the epoch; None if it is none.

    stored_tokens: what huggingface_hub keeps beside the token file, an INI with a section for each login.
    """
    for section in stored_tokens.split(b"\n["):
        values = {}
        for line in section.split(b"\n"):
            key, _, value = line.partition(b"=")
            values[key.strip()] = value.strip()
        if values.get(b"hf_token") == token and b"refresh_token" in values:
            return seconds(values.get(b"expires_at"))
    return None


def _expanded(file: bytes, environ: dict[bytes, bytes]) -> bytes:
    if file.startswith(b"~/") and environ.get(b"HOME"):
        file = environ[b"HOME"].rstrip(b"/") + file[1:]
    if file.startswith(b"~") or b"$" in file:
        import os.path

        return os.path.expandvars(os.path.expanduser(file))
    return file
