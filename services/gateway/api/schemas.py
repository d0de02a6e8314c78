"""Shapes of the gateway's own answers. OAuth writes its members in snake_case."""

from typing import Any

from pydantic import BaseModel, Field


class TokenOut(BaseModel):
    access_token: str = Field(description="JWT (RFC 9068); send it as `Authorization: Bearer …`.")
    token_type: str = "Bearer"  # noqa: S105  # the scheme's name
    expires_in: int = Field(description="Life in seconds.")
    scope: str = Field(description="What it allows, space separated.")
    issued_token_type: str | None = Field(default=None, description="Token exchange only (RFC 8693).")


class AuthorizationServerOut(BaseModel):
    """RFC 8414."""

    issuer: str
    token_endpoint: str
    jwks_uri: str
    scopes_supported: list[str]
    # Required by the RFC though there is no authorization endpoint; `none` is the registered type that grants nothing.
    response_types_supported: list[str] = ["none"]
    grant_types_supported: list[str]
    token_endpoint_auth_methods_supported: list[str] = ["client_secret_basic", "client_secret_post"]
    service_documentation: str
    ui_locales_supported: list[str] = ["vi", "en"]


class JwksOut(BaseModel):
    """RFC 7517: the public keys, the signing one first."""

    keys: list[dict[str, Any]]
