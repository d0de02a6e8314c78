"""Errors of the token endpoint in the shape of RFC 6749 section 5.2."""

from collections.abc import Mapping
from typing import Any

from fastapi.responses import JSONResponse, Response

from services.gateway.domain.oauth_errors import PREFIX
from shared.errors import AppError, Kind, Language
from shared.logs import correlation_id

NO_STORE: Mapping[str, str] = {"Cache-Control": "no-store", "Pragma": "no-cache"}
# No RFC names an error for these; the status says what to do, and Retry-After when.
_LATER = "temporarily_unavailable"


def oauth_error(error: AppError, status: int, language: Language) -> Response:
    """`error_description` must be ASCII (RFC 6749), so it is always English; `messages` holds both languages."""
    name, status = _name_and_status(error, status)
    document: dict[str, Any] = {
        "error": name,
        "error_description": error.text.en,
        "code": error.code,
        "messages": {"vi": error.text.vi, "en": error.text.en},
    }
    if (correlation := correlation_id.get()) is not None:
        document["correlationId"] = correlation
    headers = dict(NO_STORE) | {"Content-Language": language}
    if status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="oauth2", charset="UTF-8"'
    if error.retry_after is not None:
        headers["Retry-After"] = str(max(1, round(error.retry_after)))
    return JSONResponse(document, status, headers)


def _name_and_status(error: AppError, status: int) -> tuple[str, int]:
    if error.kind in {Kind.LIMITED, Kind.UNAVAILABLE}:
        return _LATER, status
    if error.code.startswith(PREFIX):
        return error.code.removeprefix(PREFIX), 401 if error.kind is Kind.UNAUTHENTICATED else 400
    return "invalid_request", status if status in {405, 413, 431} else 400
