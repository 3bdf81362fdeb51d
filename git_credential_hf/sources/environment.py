"""The environment: HF_TOKEN, then HUGGING_FACE_HUB_TOKEN, as huggingface_hub reads them."""

from git_credential_hf.model.outcome import MALFORMED, Candidate
from git_credential_hf.model.token import Token, clean

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from collections.abc import Iterator

    from git_credential_hf.options import Options

NAME = "env"
VARIABLES = (b"HF_TOKEN", b"HUGGING_FACE_HUB_TOKEN")


def candidates(options: "Options") -> "Iterator[Candidate]":
    """Return what the variables hold that are set."""
    for name in VARIABLES:
        raw = options.environ.get(name, b"")
        text = clean(raw)
        options.note("%s: %s", name.decode(), "a token" if text else "none")
        if text:
            yield Candidate(NAME, name.decode(), Token(text))
        elif raw:
            yield Candidate(NAME, name.decode(), None, MALFORMED)
