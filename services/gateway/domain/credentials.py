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


def opens(readings: Iterable[str], digests: Iterable[bytes]) -> bool:
    """Whether a presented secret, in one of its readings, is one of those kept. Comparing takes constant time."""
    kept = [*digests]
    found = False
    for reading in readings:
        presented = digest_of(reading)
        for digest in kept or [_NOBODY]:
            found |= hmac.compare_digest(presented, digest) and bool(kept)
    return found
