"""An LMS as LTI 1.3 knows it, on a real port: its own keys, its configuration, registration, and people who click.

    async with lms() as platform:
        registration = await client.get("/lti/register", params=platform.invitation)
        form = platform.answer(location, platform.resource_link(...))      the browser's way through the login

What it signs and says can be spoiled claim by claim: it is also the hostile LMS of the tests.
"""

import contextlib
import dataclasses
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.support.outside import served

CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
DEEP_LINKING = "https://purl.imsglobal.org/spec/lti-dl/claim/"
TOOL = "https://purl.imsglobal.org/spec/lti-tool-configuration"
PLATFORM = "https://purl.imsglobal.org/spec/lti-platform-configuration"
MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership#"


def new_key() -> RSAKey:
    return RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True)


@dataclasses.dataclass
class Platform:
    """`published` is what its JWKS shows; `asked` counts how often somebody looked."""

    address: str = ""
    token: str = dataclasses.field(default_factory=lambda: secrets.token_urlsafe(8))
    key: RSAKey = dataclasses.field(default_factory=new_key)
    published: list[RSAKey] = dataclasses.field(default_factory=list)
    tool: dict[str, Any] = dataclasses.field(default_factory=dict)
    client_id: str = "kho-hoc-lieu"
    deployment: str = "1"
    asked: int = 0
    issuer: str | None = None

    def __post_init__(self) -> None:
        self.published.append(self.key)

    @property
    def iss(self) -> str:
        return self.issuer or self.address

    @property
    def invitation(self) -> dict[str, str]:
        return {"openid_configuration": f"{self.address}/openid-configuration", "registration_token": self.token}

    def login(self, target: str) -> dict[str, str]:
        """What the browser brings to `/lti/login` after a click in the LMS."""
        return {
            "iss": self.iss,
            "login_hint": "nguoi-dung-7",
            "target_link_uri": target,
            "client_id": self.client_id,
            "lti_message_hint": "42",
        }

    def resource_link(self, material: str | None, role: str = "Learner", **more: Any) -> dict[str, Any]:
        custom = {} if material is None else {f"{CLAIM}custom": {"material_id": material}}
        link = {f"{CLAIM}resource_link": {"id": "7"}, f"{CLAIM}roles": [MEMBERSHIP + role]}
        return {f"{CLAIM}message_type": "LtiResourceLinkRequest"} | link | custom | more

    def deep_linking(self, role: str = "Instructor", **settings: Any) -> dict[str, Any]:
        return {
            f"{CLAIM}message_type": "LtiDeepLinkingRequest",
            f"{CLAIM}roles": [MEMBERSHIP + role],
            f"{DEEP_LINKING}deep_linking_settings": {
                "deep_link_return_url": f"{self.address}/return",
                "accept_types": ["link", "ltiResourceLink"],
                "accept_presentation_document_targets": ["iframe"],
                "accept_multiple": True,
                "data": "csrf-of-the-lms",
            }
            | settings,
        }

    def answer(self, location: str, message: Mapping[str, Any], **spoiled: Any) -> dict[str, str]:
        """What the browser posts back to the tool: the login it was sent to, answered for a person who is logged in."""
        asked = dict(parse_qsl(urlsplit(location).query))
        assert location.startswith(f"{self.address}/auth?"), location
        assert (asked["response_type"], asked["response_mode"], asked["prompt"]) == ("id_token", "form_post", "none")
        assert (asked["scope"], asked["login_hint"], asked["lti_message_hint"]) == ("openid", "nguoi-dung-7", "42")
        assert asked["client_id"] == self.client_id
        if self.tool:
            assert asked["redirect_uri"] in self.tool["redirect_uris"]
        now = int(time.time())
        claims = {
            "iss": self.iss,
            "aud": self.client_id,
            "sub": "nguoi-dung-7",
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            f"{CLAIM}version": "1.3.0",
            f"{CLAIM}deployment_id": self.deployment,
            f"{CLAIM}target_link_uri": asked["redirect_uri"],
            f"{CLAIM}launch_presentation": {"locale": "vi"},
        }
        return {"id_token": self.sign({**claims, **message, **spoiled}), "state": asked["state"]}

    def sign(self, claims: Mapping[str, Any]) -> str:
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, kept, self.key)

    def read_response(self, message: str, keys: Mapping[str, Any]) -> dict[str, Any]:
        """The tool's message, checked as a platform checks it."""
        claims = jwt.decode(message, KeySet.import_key_set(dict(keys)), algorithms=["RS256"]).claims  # type: ignore[arg-type]
        assert claims["iss"] == self.client_id
        assert self.iss in claims["aud"]
        assert claims["exp"] > time.time()
        assert claims[f"{CLAIM}message_type"] == "LtiDeepLinkingResponse"
        assert claims[f"{CLAIM}version"] == "1.3.0"
        assert claims[f"{CLAIM}deployment_id"] == self.deployment
        return claims

    def application(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/openid-configuration", self._configuration),
                Route("/jwks", self._jwks),
                Route("/register", self._register, methods=["POST"]),
            ]
        )

    async def _configuration(self, _: Request) -> JSONResponse:
        return JSONResponse(
            {
                "issuer": self.iss,
                "authorization_endpoint": f"{self.address}/auth",
                "registration_endpoint": f"{self.address}/register",
                "jwks_uri": f"{self.address}/jwks",
                "token_endpoint": f"{self.address}/token",
                PLATFORM: {"product_family_code": "thu-nghiem", "version": "1"},
            }
        )

    async def _jwks(self, _: Request) -> JSONResponse:
        self.asked += 1
        return JSONResponse({"keys": [key.as_dict(private=False) for key in self.published]})

    async def _register(self, request: Request) -> JSONResponse:
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return JSONResponse({"error": "invalid_token"}, 401)
        self.tool = await request.json()
        answer = self.tool | {"client_id": self.client_id}
        answer[TOOL] = answer[TOOL] | {"deployment_id": self.deployment}
        return JSONResponse(answer)


@contextlib.asynccontextmanager
async def lms(**changes: Any) -> AsyncIterator[Platform]:
    platform = Platform(**changes)
    async with served(platform.application()) as address:
        platform.address = address
        yield platform
