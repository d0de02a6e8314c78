"""The public keys of the LMS: fetched where each publishes them, kept a while, asked for again when one is new."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from shared.errors import AppError, Kind, Text, unavailable
from shared.outside import Outside, OutsideError

_MOST_BYTES = 256 * 1024
_SECONDS = 10.0
_KEEP = 3600.0
# Somebody who sends unknown key ids must not make us ask an LMS at each of them.
_ASK_AGAIN = 30.0
_MOST_KEPT = 1000
# What the security framework lets a platform sign with; no symmetric algorithm and no `none` is ever among them.
ALGORITHMS = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512"]


@dataclass(frozen=True, slots=True)
class _Kept:
    keys: KeySet
    at: float


class PlatformKeys:
    def __init__(self, outside: Outside, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._outside = outside
        self._clock = clock
        self._kept: dict[str, _Kept] = {}

    async def claims_of(self, token: str, jwks_uri: str) -> dict[str, Any]:
        """The claims of a token that a key at `jwks_uri` has signed.

        Raises `lti.signature_invalid` (forbidden), `lti.platform_unreachable` (unavailable).
        """
        kept = self._kept.get(jwks_uri)
        if kept is None or self._clock() - kept.at > _KEEP:
            kept = await self._fetch(jwks_uri)
        try:
            return _decoded(token, kept.keys)
        except (JoseError, ValueError):
            if self._clock() - kept.at < _ASK_AGAIN:
                raise _refused() from None
        try:
            return _decoded(token, (await self._fetch(jwks_uri)).keys)
        except (JoseError, ValueError) as failure:
            raise _refused() from failure

    async def _fetch(self, jwks_uri: str) -> _Kept:
        try:
            answer = await self._outside.ask(
                "GET", jwks_uri, headers={"Accept": "application/json"}, most_bytes=_MOST_BYTES, seconds=_SECONDS
            )
        except OutsideError as failure:
            raise _unreachable(str(failure.failure)) from failure
        if answer.status != 200:
            raise _unreachable(str(answer.status))
        try:
            keys = KeySet.import_key_set(json.loads(answer.body))
        except (JoseError, ValueError, TypeError, KeyError) as failure:
            raise _unreachable("keys") from failure
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        kept = self._kept[jwks_uri] = _Kept(keys, self._clock())
        return kept


def _decoded(token: str, keys: KeySet) -> dict[str, Any]:
    return dict(jwt.decode(token, keys, algorithms=ALGORITHMS).claims)


def _refused() -> AppError:
    return AppError(
        "lti.signature_invalid",
        Kind.FORBIDDEN,
        Text(
            "Chữ ký của LMS không hợp lệ. Báo quản trị LMS.",
            "The signature of the LMS is not valid. Tell its administrator.",
        ),
    )


def _unreachable(reason: str) -> AppError:
    return unavailable(
        "lti.platform_unreachable",
        vi="Không đọc được khóa công khai của LMS lúc này. Hãy thử lại sau ít phút.",
        en="The public keys of the LMS cannot be read right now. Try again in some minutes.",
        reason=reason,
        retry_after=60,
    )
