"""`POST /oauth2/token`, the signing keys, and where to find both."""

import time
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from services.gateway.api.deps import CallerAddress, HeldParts, anonymous_unit_of_work
from services.gateway.api.oauth_answers import NO_STORE
from services.gateway.api.oauth_request import (
    ACCESS_TOKEN_TYPE,
    CLIENT_CREDENTIALS,
    FORM,
    SUBJECT_TYPE,
    TOKEN_EXCHANGE,
    TokenRequest,
    read_token_request,
)
from services.gateway.api.schemas import AuthorizationServerOut, JwksOut, TokenOut
from services.gateway.domain.scopes import SCOPES
from services.gateway.usecases.issue_token import authenticate_client, exchange_token, issue_client_token
from shared.db.unit_of_work import UnitOfWork
from shared.errors import AppError, Kind

router = APIRouter(tags=["gateway"])

_KEYS_MAX_AGE = "public, max-age=300"
_FORM_FIELDS: Mapping[str, tuple[str, str]] = {
    "grant_type": (
        f"`{CLIENT_CREDENTIALS}`, or `{TOKEN_EXCHANGE}`.",
        f"`{CLIENT_CREDENTIALS}` hoặc `{TOKEN_EXCHANGE}`.",
    ),
    "scope": (
        "Space separated; all of the client's when left out.",
        "Cách nhau bởi dấu cách; bỏ trống là mọi phạm vi đã cấp.",
    ),
    "client_id": ("When not sent by Basic.", "Khi không gửi bằng Basic."),
    "client_secret": ("When not sent by Basic.", "Khi không gửi bằng Basic."),
    "subject_token": (
        "Exchange: the person, as the portal knows them.",
        "Token exchange: định danh người dùng theo cổng thông tin.",
    ),
    "subject_token_type": (f"Exchange: `{SUBJECT_TYPE}`.", f"Token exchange: `{SUBJECT_TYPE}`."),
    "org": (
        "Exchange: the unit (sourcedId) the person acts for; needed when they hold different roles at several.",
        "Token exchange: đơn vị (sourcedId) người dùng làm việc; bắt buộc khi vai trò khác nhau ở nhiều nơi.",
    ),
}
_FORM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["grant_type"],
    "properties": {
        name: {"type": "string", "description": en, "x-description-vi": vi} for name, (en, vi) in _FORM_FIELDS.items()
    },
}
_TOKEN_DOCUMENTATION: dict[str, Any] = {
    "security": [{"basic": []}],
    "x-summary-vi": "Lấy mã truy cập",
    "x-description-vi": (
        "Client credentials (RFC 6749) cho hệ thống; token exchange (RFC 8693) cho người dùng đã đăng nhập ở cổng. "
        "Xác thực bằng Basic hoặc bằng client_id, client_secret trong thân yêu cầu."
    ),
    "requestBody": {"required": True, "content": {FORM: {"schema": _FORM_SCHEMA}}},
}


async def counted_token_request(request: Request, held: HeldParts, address: CallerAddress) -> TokenRequest:
    """The request, once its sender may try at all. Nothing here touches the database."""
    held.attempts.begin(address, time.monotonic())
    asked = await read_token_request(request, held.issuer.audience)
    held.attempts.check(address, asked.client_id, time.monotonic())
    return asked


Asked = Annotated[TokenRequest, Depends(counted_token_request)]
AnonymousUow = Annotated[UnitOfWork, Depends(anonymous_unit_of_work, scope="function")]


@router.post(
    "/oauth2/token",
    response_model_exclude_none=True,
    summary="Get an access token",
    openapi_extra=_TOKEN_DOCUMENTATION,
    responses={
        400: {"description": "`invalid_request`, `invalid_scope`, `unsupported_grant_type`, `unauthorized_client`"},
        401: {"description": "`invalid_client`"},
        429: {
            "description": "Too many attempts; see `Retry-After`",
            "x-description-vi": "Xin mã quá nhiều lần; xem `Retry-After`",
        },
    },
)
async def issue_token(
    asked: Asked, held: HeldParts, address: CallerAddress, uow: AnonymousUow, response: Response
) -> TokenOut:
    """Client credentials (RFC 6749) for systems; token exchange (RFC 8693) for persons logged in at the portal.

    Authenticate by Basic, or by client_id and client_secret in the body.
    """
    try:
        client = await authenticate_client(uow, asked.client_id, asked.secrets)
    except AppError as failure:
        if failure.kind is Kind.UNAUTHENTICATED:
            held.attempts.failed(address, asked.client_id, time.monotonic())
        raise
    held.attempts.succeeded(address, asked.client_id)
    response.headers.update(NO_STORE)
    if asked.grant_type == TOKEN_EXCHANGE:
        token = await exchange_token(uow, client, held.issuer, subject=asked.subject, org=asked.org, asked=asked.scopes)
        issued_type = ACCESS_TOKEN_TYPE
    else:
        token = await issue_client_token(client, held.issuer, asked.scopes)
        issued_type = None
    return TokenOut(
        access_token=token.token, expires_in=token.seconds, scope=token.scope, issued_token_type=issued_type
    )


@router.get(
    "/oauth2/jwks",
    summary="Public signing keys",
    openapi_extra={
        "security": [],
        "x-summary-vi": "Khóa công khai để kiểm tra chữ ký",
        "x-description-vi": "Các khóa ký mã truy cập (RFC 7517); khi đổi khóa, khóa cũ vẫn còn trong danh sách.",
    },
)
async def jwks(held: HeldParts, response: Response) -> JwksOut:
    """The keys access tokens are signed with (RFC 7517); during a change of keys the one before is among them."""
    response.headers["Cache-Control"] = _KEYS_MAX_AGE
    return JwksOut(**held.issuer.keys.jwks())


@router.get(
    "/.well-known/oauth-authorization-server",
    summary="Discovery document",
    openapi_extra={
        "security": [],
        "x-summary-vi": "Tài liệu khám phá OAuth",
        "x-description-vi": "Nơi lấy mã truy cập và các phạm vi có thể có (RFC 8414).",
    },
)
async def authorization_server(held: HeldParts, response: Response) -> AuthorizationServerOut:
    """Where tokens come from and what they may carry (RFC 8414)."""
    response.headers["Cache-Control"] = _KEYS_MAX_AGE
    return AuthorizationServerOut(
        issuer=held.issuer.url,
        token_endpoint=f"{held.public_url}/oauth2/token",
        jwks_uri=f"{held.public_url}/oauth2/jwks",
        scopes_supported=list(SCOPES),
        grant_types_supported=[CLIENT_CREDENTIALS, TOKEN_EXCHANGE],
        service_documentation=f"{held.public_url}/docs",
    )
