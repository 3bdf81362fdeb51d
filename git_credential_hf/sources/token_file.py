"""Hugging Face's token file, where huggingface_hub reads it and `hf auth login` writes it."""

from git_credential_hf.model.outcome import MALFORMED, Candidate
from git_credential_hf.model.token import Token, of_hub, seconds
from git_credential_hf.state.safe_read import read

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from collections.abc import Iterator

    from git_credential_hf.options import Options

NAME = "file"

# Files of ours (see token_digests): which tokens came from tokens.toml, and which from login.
DECLARED = b"token-cache"
TYPED = b"token-file"

_RENEWAL_LIMIT = 10  # seconds


def candidates(options: "Options") -> "Iterator[Candidate]":
    """Return what the file holds, if it is there. The reason for what is malformed is its shape (see token_text)."""
    file = path(options.environ)
    if file.startswith(b"~"):  # without a home it would be in whatever folder git is in
        options.note("token file %s: no home", file)
        return
    shown = file.decode("utf-8", "backslashreplace")
    if b"hf_" in file or b"api_" in file:  # a token that was given in the place of a path is not shown
        from git_credential_hf.model.token_text import hide

        shown = hide(shown)
    raw = read(file)
    text = of_hub(raw)
    options.note("token file %s: %s", shown, "a token" if text else "none")
    if text:
        expires, can_renew = login(text, options.environ)
        yield Candidate(NAME, shown, Token(text, expires=expires, oauth=can_renew))
    elif raw:
        from git_credential_hf.model.token_text import shape

        yield Candidate(NAME, shown, None, MALFORMED, shape(raw))


def path(environ: dict[bytes, bytes]) -> bytes:
    """Return the path of the token file: HF_TOKEN_PATH, else `token` in HF_HOME, XDG_CACHE_HOME or ~/.cache.

    Source: huggingface_hub/constants.py, which expands `~` and `$NAME` in whatever it is given, and makes it a Path. An
    empty variable counts as unset here: there it would name a file in the current directory.
    """
    file = environ.get(b"HF_TOKEN_PATH")
    if not file:
        home = environ.get(b"HF_HOME")
        if not home:
            home = (environ.get(b"XDG_CACHE_HOME") or b"~/.cache") + b"/huggingface"
        file = home.rstrip(b"/") + b"/token"
    file = _expanded(file, environ)
    while file.endswith((b"/", b"/.")):  # which pathlib drops
        file = file[:-1]
    return file or b"/"


def renewed(options: "Options") -> Candidate | None:
    """Return what `hf auth token` gives in the place of an OAuth login that has expired, or None within 10 s.

    It asks the Hub, and puts the new token into the token file itself.
    """
    import subprocess

    from git_credential_hf.sources.environment import without_identity

    # With a token in its environment `hf` would print that one, with OIDC ask for another; and it sends what it has to
    # wherever HF_ENDPOINT points.
    environ = without_identity(options.environ)
    environ.pop(b"HF_ENDPOINT", None)
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
        options.note("hf auth token: %s", type(error).__name__)
        return None
    text = of_hub(done.stdout)
    return Candidate(NAME, "hf auth token", Token(text)) if text else None


def login(token: bytes, environ: dict[bytes, bytes]) -> tuple[int | None, bool]:
    """Return when the login that `token` came from expires, in seconds since the epoch, and whether hf can renew it.

    It is None, False where there is no such login, or it has no end. Source: `stored_tokens`, which huggingface_hub
    keeps beside the token file, an INI with a section for each login.
    """
    for section in _logins(environ).split(b"\n["):
        values = {}
        for line in section.split(b"\n"):
            key, _, value = line.partition(b"=")
            values[key.strip()] = value.strip()
        if values.get(b"hf_token") == token and (expires := seconds(values.get(b"expires_at"))) is not None:
            return expires, bool(values.get(b"refresh_token"))
    return None, False


def is_login(token: bytes, environ: dict[bytes, bytes]) -> bool:
    """Return whether `token` is one that `hf auth login` has in its list."""
    return token in [line.partition(b"=")[2].strip() for line in _logins(environ).split(b"\n")]


def is_declared(token: bytes, environ: dict[bytes, bytes]) -> bool:
    """Return whether `token` has come into the file from tokens.toml."""
    return _is_recorded(DECLARED, token, environ)


def is_ours(token: bytes, environ: dict[bytes, bytes]) -> bool:
    """Return whether `token` has come into the file from tokens.toml, or from login."""
    return is_declared(token, environ) or _is_recorded(TYPED, token, environ)


def _is_recorded(name: bytes, token: bytes, environ: dict[bytes, bytes]) -> bool:
    from git_credential_hf.state import folders, token_digests

    records = [token_digests.read(file) for file in folders.own_files(name, environ)]
    return any(token_digests.digest(key, token) in times for key, times in records)


def _logins(environ: dict[bytes, bytes]) -> bytes:
    file = path(environ)
    return read(file[: file.rfind(b"/") + 1] + b"stored_tokens")


def _expanded(file: bytes, environ: dict[bytes, bytes]) -> bytes:
    if file.startswith(b"~/") and environ.get(b"HOME"):
        file = environ[b"HOME"].rstrip(b"/") + file[1:]
    if file.startswith(b"~") or b"$" in file:
        import os.path

        return os.path.expandvars(os.path.expanduser(file))
    return file
