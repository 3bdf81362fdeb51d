"""The environment: HF_TOKEN, then HUGGING_FACE_HUB_TOKEN, as huggingface_hub reads them."""

from git_credential_hf.model.outcome import MALFORMED, Candidate
from git_credential_hf.model.token import Token, of_hub

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from collections.abc import Iterator

    from git_credential_hf.options import Options

NAME = "env"
VARIABLES = (b"HF_TOKEN", b"HUGGING_FACE_HUB_TOKEN")

# Of bin/git-credential-hf, for exec: the number of this process, and after a colon the caller's environment in base64.
CALLERS = b"GIT_CREDENTIAL_HF_ENVIRON"

_KEPT_BACK = (*VARIABLES, b"HF_OIDC_ID_TOKEN", CALLERS, b"GIT_CONFIG")


def without_tokens(environ: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """Return `environ` for a program that has no need of a token, nor of what brings one.

    Without GIT_CONFIG, too, which `git config` heeds, and nothing else of git. Source: git-config(1), ENVIRONMENT.
    """
    return {name: value for name, value in environ.items() if name not in _KEPT_BACK}


def without_identity(environ: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """Return `environ` without the variables that give hf a token, or have it ask for one through OIDC."""
    return {
        name: value for name, value in environ.items() if name not in VARIABLES and not name.startswith(b"HF_OIDC_")
    }


def candidates(options: "Options") -> "Iterator[Candidate]":
    """Return what the variables hold that are set. The reason for what is malformed is its shape (see token_text)."""
    for name in VARIABLES:
        raw = options.environ.get(name, b"")
        text = of_hub(raw)
        options.note("%s: %s", name.decode(), "a token" if text else "none")
        if text:
            yield Candidate(NAME, name.decode(), Token(text))
        elif raw:
            from git_credential_hf.model.token_text import shape

            yield Candidate(NAME, name.decode(), None, MALFORMED, shape(raw))
