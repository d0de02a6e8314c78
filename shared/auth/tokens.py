"""Access tokens: JWT of type `at+jwt` (RFC 9068), signed with ES256 and nothing else.

Every service verifies locally against the gateway's published keys; no call leaves the process for a known key.
"""

import time
from collections.abc import Mapping
from typing import Any

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry

from shared.auth.principal import Principal
from shared.clock import Clock
from shared.errors import AppError, unauthenticated, unavailable

ALGORITHM = "ES256"
TOKEN_TYPE = "at+jwt"  # noqa: S105  # a media type, not a password
LEEWAY_SECONDS = 30
_SECONDS_BETWEEN_KEY_FETCHES = 10.0


class KeySource:
    """The gateway's keys by `kid`, fetched once and kept; an unknown `kid` fetches anew, at most every 10 s."""

    def __init__(self, url: str, client: httpx.AsyncClient) -> None:
        self._url = url
        self._client = client
        self._keys: KeySet | None = None
        self._kids: frozenset[str] = frozenset()
        self._fetched_at = float("-inf")

    async def keys_for(self, kid: str) -> KeySet | None:
        if kid not in self._kids and time.monotonic() - self._fetched_at >= _SECONDS_BETWEEN_KEY_FETCHES:
            await self._fetch()
        return self._keys if kid in self._kids else None

    async def ready(self) -> None:
        """Raise `keys.unavailable` unless the keys are known or can be fetched."""
        if self._keys is None:
            await self._fetch()

    async def _fetch(self) -> None:
        try:
            answer = await self._client.get(self._url, timeout=5.0)
            answer.raise_for_status()
            self._use(answer.json())
        except (httpx.HTTPError, ValueError) as failure:
            if self._keys is None:
                raise unavailable(
                    "keys.unavailable",
                    vi="Chưa lấy được khóa ký của cổng vào. Hãy thử lại sau ít giây.",
                    en="The gateway's signing keys could not be fetched. Try again in a few seconds.",
                    retry_after=5,
                ) from failure
        self._fetched_at = time.monotonic()

    def _use(self, document: Mapping[str, Any]) -> None:
        self._keys = KeySet.import_key_set({"keys": list(document["keys"])})
        self._kids = frozenset(key["kid"] for key in document["keys"])


class FixedKeys(KeySource):
    """Keys that are already here: the gateway's own, and those of tests."""

    def __init__(self, document: Mapping[str, Any]) -> None:  # no URL and no client to ask
        self._kids = frozenset()
        self._use(document)
        self._fetched_at = float("inf")


class TokenVerifier:
    """Turns a bearer token into a principal or raises `token.invalid` (unauthenticated)."""

    def __init__(self, keys: KeySource, *, issuer: str, audience: str, clock: Clock) -> None:
        self.keys = keys
        self._clock = clock
        self._issuer = issuer
        self._audience = audience

    async def verify(self, token: str) -> Principal:
        try:
            header = _unverified_header(token)
            # `alg` is pinned before any key is chosen: neither `none` nor HS256 with the public key gets further.
            if header.get("alg") != ALGORITHM or str(header.get("typ", "")).lower() != TOKEN_TYPE:
                raise _refused("alg or typ")
            keys = await self.keys_for(header)
            decoded = jwt.decode(token, keys, algorithms=[ALGORITHM])
            # jwt.decode does not look at exp or aud; the registry does.
            self._registry().validate(decoded.claims)
            return principal_of(decoded.claims)
        except (JoseError, ValueError, KeyError, TypeError) as failure:
            raise _refused(type(failure).__name__) from failure

    async def keys_for(self, header: Mapping[str, Any]) -> KeySet:
        keys = await self.keys.keys_for(str(header.get("kid", "")))
        if keys is None:
            raise _refused("unknown kid")
        return keys

    def _registry(self) -> JWTClaimsRegistry:
        return JWTClaimsRegistry(
            now=lambda: int(self._clock.now().timestamp()),
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._audience},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            client_id={"essential": True},
            jti={"essential": True},
        )


def principal_of(claims: Mapping[str, Any]) -> Principal:
    subject, client_id = str(claims["sub"]), str(claims["client_id"])
    return Principal(
        kind="client" if subject == client_id else "user",
        subject=subject,
        client_id=client_id,
        scopes=frozenset(str(claims.get("scope", "")).split()),
        orgs=frozenset(str(org) for org in claims.get("orgs", ())),
        roles=frozenset(str(role) for role in claims.get("roles", ())),
    )


def _unverified_header(token: str) -> Mapping[str, Any]:
    from joserfc.jws import extract_compact  # noqa: PLC0415  # kept beside its only use

    header: Mapping[str, Any] = extract_compact(token.encode("ascii")).protected
    return header


def _refused(reason: str) -> AppError:
    return unauthenticated(
        "token.invalid",
        vi="Mã truy cập không hợp lệ hoặc đã hết hạn. Hãy xin mã mới tại /oauth2/token.",
        en="The access token is not valid or has expired. Get a new one at /oauth2/token.",
        reason=reason,
    )
