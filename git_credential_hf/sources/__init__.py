"""Where a token can come from: one module a source, each with `tokens(request, options)`, preferred tokens first."""

from git_credential_hf.scope import HUB

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from collections.abc import Iterator

    from git_credential_hf.options import Options
    from git_credential_hf.protocol import Request
    from git_credential_hf.token import Token

VARIABLES = (b"HF_TOKEN", b"HUGGING_FACE_HUB_TOKEN")


def tokens(server: bytes, request: "Request", options: "Options") -> "Iterator[Token]":
    """Return every token that may answer `request` for `server` (see scope.server), in the order of preference.

    A source is asked only when the tokens before its own have been taken. The environment and the token file
    belong to the Hub alone.
    """
    if server == HUB and "env" in options.sources and any(name in options.environ for name in VARIABLES):
        from git_credential_hf.sources import environment

        yield from environment.tokens(options)
    if "keyring" in options.sources:
        from git_credential_hf.sources import keyring

        yield from keyring.tokens(server, request, options)
    if server == HUB and "file" in options.sources:
        from git_credential_hf.sources import token_file

        yield from token_file.tokens(options)
