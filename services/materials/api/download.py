"""Answers a download: ranges, conditions, and headers under which a browser saves the file and runs nothing of it."""

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import RedirectResponse, Response, StreamingResponse

from services.materials.api.ranges import ByteRange, UnsatisfiableRangeError, wanted_range
from services.materials.domain.file_names import ascii_name, download_name
from services.materials.domain.file_types import BY_MEDIA_TYPE
from services.materials.domain.signed_links import Disposition
from services.materials.storage.content import ContentStore, Wanted
from services.materials.storage.files import HeldFile
from shared.errors import invalid, unavailable
from shared.http.language import language_of
from shared.http.problems import problem
from shared.logs import logger

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Served:
    """A content on its way out: `size` in bytes, `name` as it is to be saved."""

    sha256: str
    size: int
    media_type: str
    name: str
    disposition: Disposition = "attachment"

    @classmethod
    def of(cls, held: HeldFile) -> "Served":
        content = held.content
        name = download_name(held.file.name, BY_MEDIA_TYPE[content.media_type])
        return cls(content.sha256, content.size, content.media_type, name)


async def serve(request: Request, store: ContentStore, served: Served) -> Response:
    """The file, a part of it (206), 304 or 416; or on to the store itself, where it answers by signed addresses (307).

    The body is read after the unit of work has ended.
    """
    headers = _headers(served)
    if _matches(request.headers.get("if-none-match"), headers["ETag"]):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    if request.method == "GET" and served.disposition == "attachment":
        # To be saved, and not to be shown: no origin of ours has to stand around it.
        wanted = Wanted(served.media_type, headers["Content-Disposition"])
        if (address := store.address(served.sha256, wanted)) is not None:
            return RedirectResponse(address, HTTPStatus.TEMPORARY_REDIRECT, {"Cache-Control": "no-store"})
    try:
        part = wanted_range(_range_header(request, headers["ETag"]), served.size)
    except UnsatisfiableRangeError:
        return _not_satisfiable(request, served.size)
    await _require_stored(store, served.sha256, served.size)
    chosen = part or ByteRange(0, served.size)
    headers["Content-Length"] = str(chosen.length)
    if part is not None:
        headers["Content-Range"] = part.content_range(served.size)
    status = HTTPStatus.OK if part is None else HTTPStatus.PARTIAL_CONTENT
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=served.media_type)
    body = store.read(served.sha256, chosen.start, chosen.length)
    return StreamingResponse(body, status_code=status, headers=headers, media_type=served.media_type)


def content_disposition(name: str, disposition: Disposition = "attachment") -> str:
    """The name in UTF-8 (RFC 8187) and a plain ASCII one for old clients (RFC 6266)."""
    return f"{disposition}; filename=\"{ascii_name(name)}\"; filename*=UTF-8''{quote(name, safe='')}"


# What a page of a stranger may do: nothing when it is saved; when it is shown, run in an origin of its own that has no
# cookies, no storage and no way to our API. PDF viewers do not work in a sandbox, and a PDF runs nothing of ours.
_SAVED = "sandbox; default-src 'none'"
_SHOWN_SANDBOXED = "sandbox allow-scripts allow-popups"
_SHOWN = "default-src 'none'; img-src 'self'; media-src 'self'; object-src 'self'; style-src 'unsafe-inline'"


def _policy(served: Served) -> str:
    if served.disposition == "attachment":
        return _SAVED
    kind = BY_MEDIA_TYPE.get(served.media_type)
    return _SHOWN if kind is not None and kind.inert else _SHOWN_SANDBOXED


def _headers(served: Served) -> dict[str, str]:
    return {
        "ETag": f'"{served.sha256}"',
        "Accept-Ranges": "bytes",
        # Only for whom it was fetched, and asked for again each time: a grant may have ended.
        "Cache-Control": "private, no-cache",
        "Content-Disposition": content_disposition(served.name, served.disposition),
        "Content-Security-Policy": _policy(served),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
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
