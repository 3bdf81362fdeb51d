"""The environment: HF_TOKEN, then HUGGING_FACE_HUB_TOKEN, as huggingface_hub reads them."""

from git_credential_hf.sources import VARIABLES
from git_credential_hf.token import Token, clean

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from collections.abc import Iterator

    from git_credential_hf.options import Options


def tokens(options: "Options") -> "Iterator[Token]":
    """Return the tokens that the environment holds."""
    for name in VARIABLES:
        text = clean(options.environ.get(name, b""))
        options.trace("%s: %s", name.decode(), "a token" if text else "none")
        if text:
            yield Token(text, name.decode())
