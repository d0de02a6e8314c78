"""The library's own key pairs as a tool: RSA, the private half sealed; the newest signs."""

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey
from sqlalchemy.ext.asyncio import AsyncSession

from services.materials.storage import lti
from services.materials.storage.lti_tables import LtiKey
from shared.secret_box import SecretBox, SecretUnreadableError

_ALGORITHM = "RS256"  # every platform must know it (security framework 1.0, 5.1)
_BITS = 2048


class ToolKeys:
    def __init__(self, box: SecretBox) -> None:
        self._box = box

    async def sign(self, session: AsyncSession, claims: Mapping[str, Any], now: dt.datetime) -> str:
        """A signed token; the first key is made here when there is none yet. Raises the box's error without a key."""
        row = await lti.newest_key(session) or await self.add(session, now, only_first=True)
        try:
            sealed = self._box.open(_purpose(row.kid), row.sealed)
        except SecretUnreadableError:  # sealed under a key of the operator's that is no more
            row = await self.add(session, now)
            sealed = self._box.open(_purpose(row.kid), row.sealed)
        key = RSAKey.import_key(json.loads(sealed))
        header = {"alg": _ALGORITHM, "typ": "JWT", "kid": row.kid}
        return jwt.encode(header, dict(claims), key, algorithms=[_ALGORITHM])

    async def add(self, session: AsyncSession, now: dt.datetime, *, only_first: bool = False) -> LtiKey:
        """A new key that signs from now on; with `only_first` whatever another process has just made."""
        self._box.require_key()
        await lti.lock_keys(session)
        if only_first and (made := await lti.newest_key(session)) is not None:
            return made
        key = RSAKey.generate_key(_BITS, {"use": "sig", "alg": _ALGORITHM}, auto_kid=True)
        assert key.kid is not None
        sealed = self._box.seal(_purpose(key.kid), json.dumps(key.as_dict(private=True)))
        row = LtiKey(kid=key.kid, sealed=sealed, public=dict(key.as_dict(private=False)), created_at=now)
        session.add(row)
        await session.flush()
        return row


def _purpose(kid: str) -> str:
    return f"lti:{kid}"
