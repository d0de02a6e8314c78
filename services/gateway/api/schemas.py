"""Shapes of the gateway's own answers. OAuth writes its members in snake_case."""

from typing import Annotated, Any

from pydantic import BaseModel, Field


def _about(en: str, vi: str) -> Any:
    """The description of a field in both languages; the API page shows the reader's."""
    return Field(description=en, json_schema_extra={"x-description-vi": vi})


class TokenOut(BaseModel):
    access_token: Annotated[
        str,
        _about(
            "JWT (RFC 9068); send it as `Authorization: Bearer …`.",
            "JWT (RFC 9068); gửi trong `Authorization: Bearer …`.",
        ),
    ]
    token_type: str = "Bearer"  # noqa: S105  # the scheme's name
    expires_in: Annotated[int, _about("Life in seconds.", "Thời hạn, tính bằng giây.")]
    scope: Annotated[str, _about("What it allows, space separated.", "Các phạm vi, cách nhau bởi dấu cách.")]
    issued_token_type: Annotated[
        str | None, _about("Token exchange only (RFC 8693).", "Chỉ có khi token exchange (RFC 8693).")
    ] = None


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
