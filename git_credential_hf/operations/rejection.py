"""What a person is told of a token that a server has rejected: which it is, where it is from, and what to do."""

import posix

from git_credential_hf.model import item
from git_credential_hf.model.outcome import Candidate
from git_credential_hf.model.repository import HUB
from git_credential_hf.model.request import Request
from git_credential_hf.model.text import is_plain_word
from git_credential_hf.model.token_text import masked
from git_credential_hf.operations import keyring_items
from git_credential_hf.options import Options
from git_credential_hf.sources import token_file
from git_credential_hf.state import configuration, files


def who(server: bytes) -> str:
    """Return who rejects a token of `server`, for people."""
    return "the Hub" if server == HUB else server.decode("ascii", "backslashreplace")


def line(one: Candidate, server: bytes, request: Request, options: Options) -> str:
    """Return the line about the rejected candidate `one` of a request to `server`."""
    token = masked(one.token.text.decode("utf-8", "replace")) if one.token else ""
    return (
        f"{who(server)} rejected the token {token} from {one.place}: it has expired, was revoked or is for something "
        f"else. {_remedy(one, server, request, options)}"
    )


def _remedy(one: Candidate, server: bytes, request: Request, options: Options) -> str:
    """Return what brings a new token to where the rejected one is: a sentence, with a command where it takes one."""
    if one.source == "env":
        return f"Try: unset {one.place}"
    if one.source in ("oidc", "forwarded"):
        return "Try: git-credential-hf status"
    if _is_declared(one, server, options):
        file = configuration.tokens_toml(options.environ).decode("utf-8", "backslashreplace")
        return f"Put a new token where {file} takes it from. Try: git-credential-hf seed"
    if one.source == token_file.NAME and _is_link(token_file.path(options.environ)):
        return "Put a new token into the file that it is a link to. Try: git-credential-hf status"
    if one.source == token_file.NAME and files.is_mounted(token_file.path(options.environ)):
        return "It is mounted: put a new token where it is mounted from. Try: git-credential-hf status"
    words = [b"Try: git-credential-hf login"]
    for option, value, default in (
        (b"--scope", one.token.scope if one.token else b"", b""),
        (b"--user", request.username if one.token and one.token.user == request.username else None, b"hf_user"),
        (b"--host", server, HUB),
    ):
        if value not in (None, default) and is_plain_word(value or b""):
            words += [option, value or b""]
    return b" ".join(words).decode()


def _is_link(file: bytes) -> bool:
    try:
        posix.readlink(file)
    except OSError:
        return False
    return True


def _is_declared(one: Candidate, server: bytes, options: Options) -> bool:
    """Return whether the token is from tokens.toml, of which the source may have a new one."""
    if one.token is None or not posix.access(configuration.tokens_toml(options.environ), posix.F_OK):
        return False
    if one.source == token_file.NAME:
        return token_file.is_declared(one.token.text, options.environ)
    return bool(one.token.item and keyring_items.of_origin(item.DECLARED, server, [one.token], options))
