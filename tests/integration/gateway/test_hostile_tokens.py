"""The same bad tokens at the gateway's proxy and in a service built with the kit: both refuse each of them alone."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import APIRouter
from joserfc.jwk import ECKey

from services.gateway.bootstrap import build
from services.gateway.settings import GatewaySettings
from shared.db.scope import NOTHING, Scope
from shared.http.app import AppParts, create_app
from shared.http.unit_of_work import CurrentPrincipal
from tests.integration.gateway.serving import served
from tests.integration.gateway.upstream import Upstream
from tests.support.tokens import TestSigner, process_key


def _part(document: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


def _claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def _alg_none(signer: TestSigner) -> str:
    header = {"alg": "none", "typ": "at+jwt", "kid": signer.key.kid}
    return f"{_part(header)}.{_part(_claims(signer.token()))}."


def _hs256_with_the_public_key(signer: TestSigner, secret: bytes) -> str:
    header = {"alg": "HS256", "typ": "at+jwt", "kid": signer.key.kid}
    signed = f"{_part(header)}.{_part(_claims(signer.token()))}"
    signature = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def _public_pem() -> bytes:
    public: Any = process_key().public_key
    pem: bytes = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem


def _flipped(token: str, position: int) -> str:
    head, payload, signature = token.split(".")
    raw = bytearray(base64.urlsafe_b64decode(signature + "=="))
    raw[position] ^= 1
    return f"{head}.{payload}.{base64.urlsafe_b64encode(bytes(raw)).rstrip(b'=').decode()}"


def _other_payload(signer: TestSigner) -> str:
    head, _, signature = signer.token(scope="sync.read").split(".")
    return f"{head}.{_part(_claims(signer.token(scope='sync.read sync.import')))}.{signature}"


BAD: dict[str, Callable[[TestSigner], str]] = {
    "another audience": lambda signer: signer.token(claims={"aud": "urn:other"}),
    "no audience": lambda signer: signer.token(claims={"aud": None}),
    "another issuer": lambda signer: signer.token(claims={"iss": "http://evil.test"}),
    "expired": lambda signer: signer.token(seconds=-60),
    "no expiry": lambda signer: signer.token(claims={"exp": None}),
    "no subject": lambda signer: signer.token(claims={"sub": None}),
    "alg none": _alg_none,
    "HS256 with the public key (PEM)": lambda signer: _hs256_with_the_public_key(signer, _public_pem()),
    "HS256 with the public key (JWK)": lambda signer: _hs256_with_the_public_key(
        signer, json.dumps(signer.jwks()["keys"][0]).encode()
    ),
    "unknown kid": lambda signer: signer.token(header={"kid": "nobody"}),
    "no kid": lambda signer: signer.token(header={"kid": None}),
    "a key of one's own": lambda signer: TestSigner(ECKey.generate_key("P-256")).token(header={"kid": signer.key.kid}),
    "wrong typ": lambda signer: signer.token(header={"typ": "JWT"}),
    "no typ": lambda signer: signer.token(header={"typ": None}),
    "first bit of the signature": lambda signer: _flipped(signer.token(), 0),
    "last bit of the signature": lambda signer: _flipped(signer.token(), 63),
    "other claims under a true signature": _other_payload,
    "no signature": lambda signer: signer.token().rpartition(".")[0] + ".",
    "two parts": lambda signer: signer.token().rpartition(".")[0],
    "not a token": lambda _: "abc",
    "an id token in another alphabet": lambda _: "ключ.ключ.ключ".encode().hex(),
}


@pytest.fixture(scope="module")
def service(gateway: str, settings_for: Callable[..., GatewaySettings]) -> Iterator[str]:
    """A service as any other: built with the kit, its keys fetched from the gateway."""
    router = APIRouter(prefix="/sync/v1")

    @router.get("/who")
    async def who(principal: CurrentPrincipal) -> dict[str, str]:
        return {"subject": principal.subject}

    async def scope_of(*_: object) -> Scope:
        return NOTHING

    runtime = build(settings_for(jwks_url=f"{gateway}/oauth2/jwks"), role="api")
    with served(create_app(runtime, AppParts(title="S", description="", routers=[router], scope_of=scope_of))) as url:
        yield url


@pytest.mark.parametrize("case", BAD)
def test_a_bad_token_is_401_at_the_proxy(gateway: str, upstream: Upstream, signer: TestSigner, case: str):
    upstream.seen.clear()
    answer = httpx.get(f"{gateway}/sync/v1/echo", headers={"Authorization": f"Bearer {BAD[case](signer)}"})
    assert (answer.status_code, answer.json()["code"]) == (401, "token.invalid")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert not upstream.seen


@pytest.mark.parametrize("case", BAD)
def test_a_bad_token_is_401_in_a_service(service: str, signer: TestSigner, case: str):
    answer = httpx.get(f"{service}/sync/v1/who", headers={"Authorization": f"Bearer {BAD[case](signer)}"})
    assert (answer.status_code, answer.json()["code"]) == (401, "token.invalid")


@pytest.mark.parametrize("authorization", ["", "Bearer", "Basic dmVuZG9yOnNlY3JldA=="])
def test_no_bearer_token_is_401(gateway: str, service: str, authorization: str):
    for address in (f"{gateway}/sync/v1/echo", f"{service}/sync/v1/who"):
        answer = httpx.get(address, headers={"Authorization": authorization})
        assert (answer.status_code, answer.json()["code"]) == (401, "token.missing")


def test_a_good_token_passes_both(gateway: str, service: str, signer: TestSigner):
    assert httpx.get(f"{gateway}/sync/v1/echo", headers=signer.bearer()).status_code == 200
    assert httpx.get(f"{service}/sync/v1/who", headers=signer.bearer(sub="v")).json() == {"subject": "v"}


def test_a_remembered_token_ends_when_it_ends(gateway: str, signer: TestSigner):
    """Within the leeway of half a minute it is checked anew each time, after that refused."""
    ending = signer.bearer(seconds=-10)
    for _ in range(2):
        assert httpx.get(f"{gateway}/sync/v1/echo", headers=ending).status_code == 200
    assert httpx.get(f"{gateway}/sync/v1/echo", headers=signer.bearer(seconds=-31)).status_code == 401
