"""Errors over HTTP: RFC 9457 problem documents, in the caller's language, from one map of kinds to statuses.

Paths that follow another standard (OneRoster, OAuth, OAI-PMH, tus) answer in that standard's own shape: a service gives
`create_app` a shaper for their prefix.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from opentelemetry import trace
from pydantic_core import ErrorDetails
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from shared.db.failures import is_transient
from shared.errors import AppError, FieldError, Kind, Language, Text, invalid
from shared.http.language import language_of
from shared.logs import correlation_id, failure_fields, logger

log = logger(__name__)

MEDIA_TYPE = "application/problem+json"

STATUS: Mapping[Kind, int] = {
    Kind.INVALID: 422,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.STALE: 412,
    Kind.FORBIDDEN: 403,
    Kind.UNAUTHENTICATED: 401,
    Kind.LIMITED: 429,
    Kind.UNAVAILABLE: 503,
}

# Codes for which HTTP has a more exact status than the one of their kind.
STATUS_OF_CODE: Mapping[str, int] = {
    "request.malformed": 400,
    "paging.cursor_invalid": 400,
    "idempotency.key_invalid": 400,
    "method.not_allowed": 405,
    "shelf.withdrawn": 410,
    "body.too_large": 413,
    "media_type.unsupported": 415,
    "precondition.required": 428,
    "headers.too_large": 431,
    "internal.error": 500,
    "upstream.unreachable": 502,
    "upstream.too_slow": 504,
}

Shaper = Callable[[AppError, int, Language], Response]


def status_of(error: AppError) -> int:
    return STATUS_OF_CODE.get(error.code, STATUS[error.kind])


def problem_document(error: AppError, status: int, language: Language) -> dict[str, Any]:
    """The document of RFC 9457. `messages` holds both languages, for callers that show the text to someone else."""
    document: dict[str, Any] = {
        "type": f"urn:lien-thong:problem:{error.code}",
        "title": error.text.of(language),
        "status": status,
        "code": error.code,
        "messages": {"vi": error.text.vi, "en": error.text.en},
    }
    if error.hint is not None:
        document["hint"] = error.hint.of(language)
    if error.errors:
        document["errors"] = [
            {"pointer": fault.pointer, "code": fault.code, "detail": fault.text.of(language)} for fault in error.errors
        ]
    if (correlation := correlation_id.get()) is not None:
        document["correlationId"] = correlation
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        document["traceId"] = f"{span.trace_id:032x}"
    return document | {key: value for key, value in error.details.items() if key not in document}


def problem_headers(error: AppError, status: int, language: Language) -> dict[str, str]:
    headers = {"Content-Language": language, "Cache-Control": "no-store"}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
    if status == HTTPStatus.FORBIDDEN and error.code == "scope.missing":
        wanted = " ".join(error.details.get("scopes", ()))
        headers["WWW-Authenticate"] = f'Bearer error="insufficient_scope", scope="{wanted}"'
    if error.retry_after is not None:
        headers["Retry-After"] = str(max(1, round(error.retry_after)))
    return headers


def problem(error: AppError, status: int, language: Language) -> Response:
    return JSONResponse(
        problem_document(error, status, language),
        status_code=status,
        headers=problem_headers(error, status, language),
        media_type=MEDIA_TYPE,
    )


class Problems:
    """Answers every error of one application in one place. `shapers` maps a path prefix to another standard's shape."""

    def __init__(self, shapers: Mapping[str, Shaper]) -> None:
        self._shapers = dict(shapers)

    def answer(self, request: Request, failure: Exception) -> Response:
        error = app_error_of(failure)
        status = status_of(error)
        language = language_of(request.headers.get("accept-language"))
        shaper = next(
            (shape for prefix, shape in self._shapers.items() if request.url.path.startswith(prefix)), problem
        )
        response = shaper(error, status, language)
        if isinstance(failure, HTTPException):  # e.g. `Allow` of a 405
            for name, value in (failure.headers or {}).items():
                response.headers.setdefault(name, value)
        return response

    def install(self, app: FastAPI) -> None:
        async def handle(request: Request, failure: Exception) -> Response:
            return self.answer(request, failure)

        for kind in (AppError, RequestValidationError, HTTPException, DBAPIError, PoolTimeoutError, ConnectionError):
            app.add_exception_handler(kind, handle)


def app_error_of(failure: Exception) -> AppError:
    """The one translation of whatever a request can fail with. What nobody foresaw is logged and says nothing."""
    if isinstance(failure, AppError):
        return failure
    if isinstance(failure, RequestValidationError):
        return validation_error(failure.errors())
    if isinstance(failure, HTTPException):
        return _from_http_exception(failure)
    if is_transient(failure):
        log.error("database_unavailable", error=type(failure).__name__)
        return _DATABASE_AWAY
    log.error("request_crashed", **failure_fields(failure))
    return _CRASH


_DATABASE_AWAY = AppError(
    "database.unavailable",
    Kind.UNAVAILABLE,
    Text(
        "Cơ sở dữ liệu tạm thời không trả lời. Hãy gửi lại.", "The database does not answer right now. Send it again."
    ),
    retry_after=2,
)
_CRASH = AppError(
    "internal.error",
    Kind.UNAVAILABLE,
    Text(
        "Hệ thống gặp lỗi. Hãy gửi lại; nếu vẫn lỗi, báo cho đơn vị vận hành kèm correlationId.",
        "Something broke on our side. Send it again; if it stays, tell the operator the correlationId.",
    ),
)

_BY_STATUS: Mapping[int, tuple[str, Kind, Text]] = {
    400: ("request.malformed", Kind.INVALID, Text("Yêu cầu không đọc được.", "The request cannot be read.")),
    404: ("path.unknown", Kind.NOT_FOUND, Text("Không có địa chỉ này.", "There is nothing at this path.")),
    405: (
        "method.not_allowed",
        Kind.INVALID,
        Text("Địa chỉ này không nhận phương thức đó.", "This path does not take that method."),
    ),
    413: ("body.too_large", Kind.INVALID, Text("Nội dung gửi lên quá lớn.", "The body is too large.")),
    415: (
        "media_type.unsupported",
        Kind.INVALID,
        Text("Không nhận loại nội dung này.", "This media type is not accepted."),
    ),
}


def _from_http_exception(error: HTTPException) -> AppError:
    code, kind, words = _BY_STATUS.get(error.status_code, _BY_STATUS[400])
    return AppError(code, kind, words)


_VALIDATION: Mapping[str, tuple[str, Text]] = {
    "missing": ("field.missing", Text("Thiếu trường bắt buộc.", "A required field is missing.")),
    "extra_forbidden": ("field.unknown", Text("Trường này không có trong định nghĩa.", "This field is not known.")),
    "json_invalid": ("body.not_json", Text("Nội dung không phải JSON hợp lệ.", "The body is not valid JSON.")),
    "string_too_long": ("field.too_long", Text("Quá dài.", "Too long.")),
    "string_too_short": ("field.too_short", Text("Quá ngắn.", "Too short.")),
    "enum": ("field.not_in_list", Text("Không thuộc danh sách giá trị cho phép.", "Not one of the allowed values.")),
    "literal_error": (
        "field.not_in_list",
        Text("Không thuộc danh sách giá trị cho phép.", "Not one of the allowed values."),
    ),
}


def validation_error(faults: Any) -> AppError:
    """All of pydantic's faults at once, each with its JSON Pointer; values are never echoed."""
    return invalid(
        "request.invalid",
        vi="Yêu cầu có trường không hợp lệ. Xem danh sách errors.",
        en="The request has invalid fields. See errors.",
        errors=[_field_error(fault) for fault in faults],
    )


def _field_error(fault: ErrorDetails) -> FieldError:
    place, *path = fault["loc"]
    pointer = "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)
    code, words = _VALIDATION.get(
        fault["type"],
        (
            "field.invalid",
            Text("Giá trị không đúng kiểu hoặc không đúng quy tắc.", "The value has a wrong type or form."),
        ),
    )
    if allowed := (fault.get("ctx") or {}).get("expected"):
        words = Text(f"{words.vi} Cho phép: {allowed}.", f"{words.en} Allowed: {allowed}.")
    return FieldError(pointer if place == "body" else f"{place}:{'.'.join(map(str, path))}", code, words)
