"""Where a token can come from: one module a source, each with `candidates(...)`, the preferred first."""

from git_credential_hf.model.repository import HUB

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from collections.abc import Iterator

    from git_credential_hf.model.outcome import Candidate
    from git_credential_hf.model.request import Request
    from git_credential_hf.options import Options


# The sources that are asked only where a variable says so. Their tokens are never stored on this machine.
SWITCHES = {"oidc": b"HF_OIDC_RESOURCE", "forwarded": b"GIT_CREDENTIAL_HF_SOCKET"}


def is_switched_on(name: str, server: bytes, sources: tuple[str, ...], environ: dict[bytes, bytes]) -> bool:
    """Return whether the source `name`, one of SWITCHES, is to be asked for a token for `server`."""
    return server == HUB and name in sources and bool(environ.get(SWITCHES[name]))


def candidates(server: bytes, request: "Request", options: "Options") -> "Iterator[Candidate]":
    """Return every candidate that may answer `request` for `server` (see repository.server), the preferred first.

    A source is asked only when the candidates before its own have been taken. Only the keyring has any for another
    server than the Hub.
    """
    if is_switched_on("oidc", server, options.sources, options.environ):
        from git_credential_hf.sources import oidc

        yield from oidc.candidates(request, options)
    if server == HUB and "env" in options.sources:
        from git_credential_hf.sources import environment

        yield from environment.candidates(options)
    if is_switched_on("forwarded", server, options.sources, options.environ):
        from git_credential_hf.sources import forwarded

        yield from forwarded.candidates(request, options)
    if "keyring" in options.sources:
        from git_credential_hf.sources import keyring

        yield from keyring.candidates(server, request, options)
    if server == HUB and "file" in options.sources:
        from git_credential_hf.sources import token_file

        yield from token_file.candidates(options)
