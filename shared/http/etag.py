"""Strong ETags from a row's version, and `If-Match` against lost updates (RFC 9110)."""

from fastapi import Request, Response

from shared.errors import AppError, invalid, stale


def etag_of(version: int) -> str:
    return f'"{version}"'


def set_etag(response: Response, version: int) -> None:
    response.headers["ETag"] = etag_of(version)


def check_if_match(request: Request, version: int, *, required: bool = False) -> None:
    """Raise `precondition.failed` (412) for a decision on another version; 428 when one is required and missing."""
    given = request.headers.get("if-match")
    if given is None:
        if required:
            raise invalid(
                "precondition.required",
                vi="Hãy gửi If-Match với ETag vừa đọc.",
                en="Send If-Match with the ETag you read.",
            )
        return
    if given.strip() != "*" and etag_of(version) not in [tag.strip() for tag in given.split(",")]:
        raise changed_since(version)


def changed_since(version: int) -> AppError:
    """The refusal of a decision on an older version than the present one (412)."""
    return stale(
        "precondition.failed",
        vi="Bản ghi đã thay đổi sau lần đọc của bạn. Hãy đọc lại rồi gửi lại.",
        en="The record has changed since you read it. Read it again, then send again.",
        currentETag=etag_of(version),
    )
