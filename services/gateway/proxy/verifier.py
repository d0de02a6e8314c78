"""Verifying a token once and remembering it: a vendor sends the same one thousands of times."""

import base64
import hashlib
import json
from collections import OrderedDict
from dataclasses import dataclass

from shared.auth import Principal
from shared.auth.tokens import KeySource, TokenVerifier
from shared.clock import Clock

_MAX_TOKENS = 4096


@dataclass(frozen=True, slots=True)
class _Known:
    principal: Principal
    expires_at: int


class RememberingVerifier(TokenVerifier):
    """As `TokenVerifier`; a signature is computed once per token. Tokens are remembered as digests, until they end."""

    def __init__(self, keys: KeySource, *, issuer: str, audience: str, clock: Clock) -> None:
        super().__init__(keys, issuer=issuer, audience=audience, clock=clock)
        self._time = clock
        self._known: OrderedDict[bytes, _Known] = OrderedDict()

    async def verify(self, token: str) -> Principal:
        digest = hashlib.sha256(token.encode()).digest()
        known = self._known.get(digest)
        if known is not None and self._time.now().timestamp() < known.expires_at:
            return known.principal
        # New, or past its `exp`: the full check has the last word, also about its few seconds of leeway.
        principal = await super().verify(token)
        self._known[digest] = _Known(principal, _expiry_of(token))
        if len(self._known) > _MAX_TOKENS:
            self._known.popitem(last=False)
        return principal


def _expiry_of(verified: str) -> int:
    payload = verified.split(".")[1]
    expiry: int = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["exp"]
    return expiry
