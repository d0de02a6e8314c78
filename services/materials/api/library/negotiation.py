"""Which of several representations a caller wants (`Accept`, RFC 9110), and whether they have it already."""

import datetime as dt
import email.utils
import hashlib
from collections.abc import Sequence

from fastapi import Request, Response


def preferred(accept: str | None, offered: Sequence[str]) -> str:
    """The offered type with the highest quality; the first of them when none is named."""
    if not accept:
        return offered[0]
    wanted = [_range(part) for part in accept.split(",")]

    def quality(media_type: str) -> float:
        family = f"{media_type.partition('/')[0]}/*"
        exact = [found for name, found in wanted if name == media_type]
        broad = [found for name, found in wanted if name == family] or [f for name, f in wanted if name == "*/*"]
        return (exact or broad or [0.0])[0]

    best = max(offered, key=quality)
    return best if quality(best) > 0 else offered[0]


def _range(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return name, float(parameter[2:])
            except ValueError:
                return name, 0.0
    return name, 1.0


def conditional(
    request: Request, body: bytes, media_type: str, headers: dict[str, str], changed: dt.datetime | None = None
) -> Response:
    """The body with its ETag, or 304 for who has it. `If-None-Match` goes before `If-Modified-Since`.

    `changed` is the last change of what the body shows; it is left out where there is none.
    """
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    told = {"ETag": etag, "Cache-Control": "no-cache", **headers}
    if changed is not None:
        told["Last-Modified"] = email.utils.format_datetime(changed.astimezone(dt.UTC), usegmt=True)
    if _has_it(request, etag, changed):
        return Response(status_code=304, headers=told)
    if request.method == "HEAD":
        return Response(headers=told | {"Content-Length": str(len(body))}, media_type=media_type)
    return Response(body, headers=told, media_type=media_type)


def _has_it(request: Request, etag: str, changed: dt.datetime | None) -> bool:
    tags = request.headers.get("if-none-match")
    if tags is not None:
        known = [tag.strip().removeprefix("W/") for tag in tags.split(",")]
        return etag in known or known == ["*"]
    since = request.headers.get("if-modified-since")
    if since is None or changed is None:
        return False
    try:
        return changed.replace(microsecond=0) <= email.utils.parsedate_to_datetime(since)
    except (ValueError, TypeError):
        return False
