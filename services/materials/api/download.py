"""Answers a download: ranges, conditions, and headers under which a browser saves the file and runs nothing of it."""

from http import HTTPStatus
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import Response, StreamingResponse

from services.materials.api.ranges import ByteRange, UnsatisfiableRangeError, wanted_range
from services.materials.domain.file_names import ascii_name, download_name
from services.materials.domain.file_types import BY_MEDIA_TYPE
from services.materials.storage.content import ContentStore
from services.materials.storage.files import HeldFile
from shared.errors import invalid, unavailable
from shared.http.language import language_of
from shared.http.problems import problem
from shared.logs import logger

log = logger(__name__)


async def file_response(request: Request, store: ContentStore, held: HeldFile) -> Response:
    """The file, a part of it (206), 304 or 416. The body is read after the unit of work has ended."""
    sha256, size = held.content.sha256, held.content.size
    headers = _headers(held)
    if _matches(request.headers.get("if-none-match"), headers["ETag"]):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    try:
        part = wanted_range(_range_header(request, headers["ETag"]), size)
    except UnsatisfiableRangeError:
        return _not_satisfiable(request, size)
    await _require_stored(store, sha256, size)
    whole = ByteRange(0, size)
    chosen = part or whole
    headers["Content-Length"] = str(chosen.length)
    if part is not None:
        headers["Content-Range"] = part.content_range(size)
    return StreamingResponse(
        store.read(sha256, chosen.start, chosen.length),
        status_code=HTTPStatus.OK if part is None else HTTPStatus.PARTIAL_CONTENT,
        headers=headers,
        media_type=held.content.media_type,
    )


def content_disposition(name: str) -> str:
    """`attachment` with the name in UTF-8 (RFC 8187) and a plain ASCII one for old clients (RFC 6266)."""
    return f"attachment; filename=\"{ascii_name(name)}\"; filename*=UTF-8''{quote(name, safe='')}"


def _headers(held: HeldFile) -> dict[str, str]:
    name = download_name(held.file.name, BY_MEDIA_TYPE[held.content.media_type])
    return {
        "ETag": f'"{held.content.sha256}"',
        "Accept-Ranges": "bytes",
        # Only for whom it was fetched, and asked for again each time: a grant may have ended.
        "Cache-Control": "private, no-cache",
        "Content-Disposition": content_disposition(name),
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
    }


def _range_header(request: Request, etag: str) -> str | None:
    """`Range`, unless `If-Range` names other content. A date never matches: there is none to compare it with."""
    condition = request.headers.get("if-range")
    return request.headers.get("range") if condition is None or condition.strip() == etag else None


def _matches(if_none_match: str | None, etag: str) -> bool:
    tags = [tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")]
    return etag in tags or tags == ["*"]


async def _require_stored(store: ContentStore, sha256: str, size: int) -> None:
    if (found := await store.size(sha256)) != size:
        log.error("stored_file_missing", sha256=sha256, expected=size, found=found)
        raise unavailable(
            "file.missing",
            vi="Tệp này tạm thời không đọc được. Hãy báo cho đơn vị vận hành.",
            en="This file cannot be read right now. Tell the operator.",
        )


def _not_satisfiable(request: Request, size: int) -> Response:
    error = invalid(
        "range.not_satisfiable",
        vi=f"Khoảng byte nằm ngoài tệp ({size} byte).",
        en=f"The byte range lies outside the file ({size} bytes).",
    )
    language = language_of(request.headers.get("accept-language"))
    response = problem(error, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, language)
    response.headers["Content-Range"] = f"bytes */{size}"
    return response
