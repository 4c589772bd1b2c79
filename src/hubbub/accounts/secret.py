"""Secrets that let somebody in: 256 random bits, of which only the SHA-256 is kept (they can't be guessed, so no salt)."""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

BEARER_PREFIX: Final = "hub_"  # so that scanners find tokens that leak
_LONGEST: Final = 128


def new_secret(prefix: str = "") -> str:
    """A new secret, safe in a URL, a cookie and a header."""
    return prefix + secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is kept of `secret`: its SHA-256 in hex. Anything may be given; what is too long has the hash of nothing."""
    raw = secret.encode("utf-8", "surrogatepass") if len(secret) <= _LONGEST else b""
    return hashlib.sha256(raw).hexdigest()
