"""Secrets of clients: random, shown once, kept as a digest only."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable

SECRET_BYTES = 32
MIN_SECRET_LENGTH = 32
_NOBODY = hashlib.sha256(b"").digest()


def new_secret() -> str:
    """32 random bytes as URL-safe text of 43 characters."""
    return secrets.token_urlsafe(SECRET_BYTES)


def digest_of(secret: str) -> bytes:
    """SHA-256. Enough because a secret is random: a slow hash only helps words a human chose."""
    return hashlib.sha256(secret.encode()).digest()


def opens(secret: str, digests: Iterable[bytes]) -> bool:
    """Whether `secret` is one of those kept, in a time that tells nothing about which or how many."""
    presented = digest_of(secret)
    found = False
    for kept in [*digests, _NOBODY]:
        found |= hmac.compare_digest(presented, kept) and kept is not _NOBODY
    return found
