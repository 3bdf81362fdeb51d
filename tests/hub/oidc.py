"""Trusted Publishers: CI jobs whose identity the Hub takes in exchange for a token, and the provider of identities.

An ID token here is a JWT whose signature is an HMAC of the Hub's own: what a client sends is the same as anywhere.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from .access import Secret

if TYPE_CHECKING:
    from .hub import Hub

AUDIENCE = "https://huggingface.co"
GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"


class Oidc:
    """Whom the Hub trusts, and what it has given.

    `lifetime`: seconds that a token is valid. `exchanges`: the resource of each request for an exchange. `answers`: a
    status and a JSON value that are answered in the place of an exchange, each once. `given`: the tokens so far.
    `delay`: seconds that an exchange takes, or until `ends` is set. `identities`: how often GitHub's address was asked
    for an ID token.
    """

    github_host = "pipelines.actions.githubusercontent.com"

    def __init__(self, hub: Hub) -> None:
        self.lifetime = 3600
        self.delay = 0.0
        self.ends = threading.Event()
        self.exchanges: list[str] = []
        self.answers: list[tuple[int, object]] = []
        self.given: list[Secret] = []
        self.identities = 0
        self.github_token = Secret(secrets.token_urlsafe(24))
        self.github_claims: dict[str, str] = {}
        self._hub = hub
        self._key = secrets.token_bytes(32)
        self._publishers: list[tuple[str, dict[str, str]]] = []

    def trust(self, resource: str, **claims: str) -> None:
        """Let jobs with these claims have a token that writes to a repository, or reads what a user may read."""
        self._publishers.append((resource, claims))

    def id_token(self, audience: str = AUDIENCE, **claims: str) -> Secret:
        """Return the ID token of a job."""
        told = {"aud": audience, "exp": int(time.time()) + 300, "jti": secrets.token_hex(8), **claims}
        text = ".".join(_encoded(json.dumps(one).encode()) for one in ({"alg": "HS256", "typ": "JWT"}, told))
        return Secret(f"{text}.{self._signature(text)}")

    def github_environ(self, **claims: str) -> dict[str, str]:
        """Return the variables of a job of GitHub Actions with `id-token: write`, and these claims."""
        self.github_claims = claims
        return {
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"https://{self.github_host}/abc/idtoken?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": self.github_token,
        }

    # What the Hub's server asks.

    def github(self, query: str, authorization: str | None) -> tuple[int, object]:
        """Answer as GitHub's address for ID tokens does."""
        self.identities += 1
        if authorization != f"Bearer {self.github_token}":
            return 401, {"message": "Bad credentials"}
        (audience,) = parse_qs(query)["audience"]
        return 200, {"count": 1, "value": self.id_token(audience, **self.github_claims)}

    def exchange(self, asked: Any) -> tuple[int, object]:
        """Answer a request for an exchange."""
        self.exchanges.append(asked.get("resource", ""))
        self.ends.wait(self.delay)
        if self.answers:
            return self.answers.pop(0)
        if (asked.get("grant_type"), asked.get("subject_token_type")) != (GRANT, ID_TOKEN) or not asked.get("resource"):
            return 400, {"error": "invalid_request"}
        claims = self._claims(asked.get("subject_token", ""))
        if claims is None or claims["aud"] != AUDIENCE or claims["exp"] < time.time():
            return 400, {"error": "invalid_grant", "error_description": "The subject token is not valid."}
        for resource, wanted in self._publishers:
            if resource.lower() == asked["resource"].lower() and wanted.items() <= claims.items():
                return 200, self._token(resource)
        return 400, {"error": "invalid_grant", "error_description": "No trusted publisher matches."}

    def _token(self, resource: str) -> dict[str, object]:
        if "/" in resource:
            text = Secret(f"hf_jwt_{secrets.token_hex(8)}.{secrets.token_hex(20)}.{secrets.token_urlsafe(32)}")
            self._hub.add_token(text, user="[OIDC]", role="write", repos=[resource], gated=[resource])
        else:
            text = Secret(f"hf_oauth_{secrets.token_hex(8)}.{secrets.token_hex(20)}.{secrets.token_urlsafe(32)}")
            gated = [one.path for one in self._hub.repositories.values() if one.gated]
            self._hub.add_token(text, user=resource, role="oauth", gated=gated)
        self.given.append(text)
        return {
            "access_token": text,
            "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "token_type": "bearer",
            "expires_in": self.lifetime,
        }

    def _claims(self, text: str) -> dict[str, Any] | None:
        signed, _, signature = text.rpartition(".")
        if not hmac.compare_digest(signature, self._signature(signed)):
            return None
        payload = signed.partition(".")[2]
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return claims

    def _signature(self, text: str) -> str:
        return _encoded(hmac.digest(self._key, text.encode(), "sha256"))


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
