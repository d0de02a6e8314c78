"""Refuses what no honest client sends, before anything else sees it: raw ASGI, outermost.

- a repeated `Host`, or `Content-Length` together with `Transfer-Encoding` (request smuggling);
- more than 64 header lines or 32 KiB of them;
- a body larger than the path's limit: by its declared length before a byte is read, and by counting otherwise.
"""

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import AppError, Kind, Text, invalid
from shared.http.problems import Problems

MAX_HEADERS = 64
MAX_HEADER_BYTES = 32 * 1024


class Guard:
    """`body_limits` maps path prefixes to bytes; the longest matching prefix wins, `default_limit` otherwise."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        default_limit: int,
        body_limits: Mapping[str, int] | None = None,
        problems: Problems | None = None,
    ) -> None:
        self.app = app
        self._problems = problems or Problems({})
        self._default = default_limit
        self._limits = sorted((body_limits or {}).items(), key=lambda item: len(item[0]), reverse=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self._limit_of(scope["path"])
        fault = _fault_of(scope["headers"], limit)
        if fault is not None:
            response = self._problems.answer(Request(scope), fault)
            response.headers["Connection"] = "close"
            await response(scope, receive, send)
            return
        await self.app(scope, _counting(receive, limit), send)

    def _limit_of(self, path: str) -> int:
        return next((limit for prefix, limit in self._limits if path.startswith(prefix)), self._default)


def _counting(receive: Receive, limit: int) -> Receive:
    received = 0

    async def counted() -> Message:
        nonlocal received
        message = await receive()
        if message["type"] == "http.request":
            received += len(message.get("body", b""))
            if received > limit:
                raise HTTPException(413)
        return message

    return counted


def _fault_of(headers: list[tuple[bytes, bytes]], limit: int) -> AppError | None:
    names = [name.lower() for name, _ in headers]
    if len(headers) > MAX_HEADERS or sum(len(name) + len(value) for name, value in headers) > MAX_HEADER_BYTES:
        return AppError(
            "headers.too_large",
            Kind.INVALID,
            Text(
                f"Quá nhiều tiêu đề: tối đa {MAX_HEADERS} dòng và {MAX_HEADER_BYTES // 1024} KiB.",
                f"Too many headers: at most {MAX_HEADERS} lines and {MAX_HEADER_BYTES // 1024} KiB.",
            ),
        )
    lengths = [value for name, value in headers if name.lower() == b"content-length"]
    if names.count(b"host") != 1 or len(lengths) > 1 or (lengths and b"transfer-encoding" in names):
        return _malformed()
    if lengths:
        if not lengths[0].isdigit():
            return _malformed()
        if int(lengths[0]) > limit:
            return too_large(limit)
    return None


def _malformed() -> AppError:
    return invalid(
        "request.malformed",
        vi="Tiêu đề Host, Content-Length hoặc Transfer-Encoding mâu thuẫn nhau.",
        en="The headers Host, Content-Length or Transfer-Encoding contradict each other.",
    )


def too_large(limit: int) -> AppError:
    """The refusal of a body above `limit` bytes (413)."""
    return invalid(
        "body.too_large",
        vi=f"Nội dung gửi lên vượt quá {limit} byte.",
        en=f"The body is larger than {limit} bytes.",
        maxBytes=limit,
    )
