"""What only the Hub can tell of a token and of a repository, through huggingface_hub."""

import os
from typing import Any, NamedTuple

from git_credential_hf.model import repository

ENDPOINT = "https://huggingface.co"

_SECONDS = 10.0  # for each request: huggingface_hub itself would wait for ever


class Answer(NamedTuple):
    """state: "asked", "not installed", "refused" (the token is none) or "no answer"; `why` tells of the last.

    access: "yes", "gated" or "not found", None where the URL names no repository.
    """

    state: str
    why: str = ""
    name: str | None = None
    role: str | None = None
    expires: str | None = None
    orgs: tuple[str, ...] = ()
    access: str | None = None


def named(path: bytes) -> tuple[str, str] | None:
    """Return the kind (model, dataset or space) and the name of the repository at `path`, or None."""
    kind = "model"
    segments = repository.name(path).split(b"/")
    if segments[0].lower() in repository.TYPES:
        kind = segments.pop(0).lower().decode().removesuffix("s")
    name = os.fsdecode(b"/".join(segments))
    return (kind, name) if len(segments) == 2 and name.isascii() and kind in ("model", "dataset", "space") else None


def ask(token: bytes, path: bytes) -> Answer:
    """Ask the Hub whose `token` is and whether it may read the repository at `path`.

    Nobody else is ever asked, whatever HF_ENDPOINT says.
    """
    for name in ("HF_DEBUG", "HF_ENDPOINT"):  # it would print requests, and be asked what is nobody's business
        os.environ.pop(name, None)
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"  # without it one more request is made, and a file is written
    try:
        import huggingface_hub
        from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError
    except ImportError:
        return Answer("not installed")
    try:
        huggingface_hub.get_session().timeout = _SECONDS
        hub = huggingface_hub.HfApi(endpoint=ENDPOINT, token=os.fsdecode(token))
        whose = _whose(hub.whoami())
        if (asked := named(path)) is None:
            return whose
        kind, name = asked
        try:
            hub.auth_check(name, repo_type=kind)
            return whose._replace(access="yes")
        except GatedRepoError:
            return whose._replace(access="gated")
        except RepositoryNotFoundError:
            return whose._replace(access="not found")
    except HfHubHTTPError as error:
        if error.response.status_code == 401:
            return Answer("refused")
        return Answer("no answer", f"it answers with status {error.response.status_code}")
    except Exception as error:  # of the library or of what it stands on; its text may have anything in it
        return Answer("no answer", type(error).__name__)
    finally:
        huggingface_hub.close_session()


def _whose(told: dict[str, Any]) -> Answer:
    auth = told.get("auth") or {}
    access = auth.get("accessToken") or {}
    orgs = tuple(str(org.get("name")) for org in told.get("orgs") or ())
    return Answer(
        "asked",
        name=_text(told.get("name")),
        role=_text(access.get("role") or auth.get("type")),
        expires=_text(auth.get("expiresAt") or access.get("expiresAt")),
        orgs=orgs,
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)
