"""A Hub on loopback, for tests and demonstrations.

Unmodified git, git-lfs, curl and hf reach it as https://huggingface.co through its CONNECT proxy, over TLS
from its own certificate authority. Nothing that goes through the proxy leaves 127.0.0.1.
"""

from .access import Request, Secret, Token, fingerprint
from .hub import Hub
from .repository import Repository

__all__ = ["Hub", "Repository", "Request", "Secret", "Token", "fingerprint"]
