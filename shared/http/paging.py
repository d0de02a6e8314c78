"""Keyset pages: a limit on every list, and an opaque cursor that holds the last key instead of an offset."""

import base64
import binascii
import datetime as dt
import json
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from shared.errors import AppError, invalid

DEFAULT_LIMIT = 50
MAX_LIMIT = 500

T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    """One page of a list. Follow `next` until it is null; the order never changes between pages."""

    items: list[T]
    next: str | None = Field(default=None, description="Cursor of the following page; null on the last one.")


Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Items per page.")]
Cursor = Annotated[str | None, Query(max_length=2000, description="`next` of the page before.")]


def encode_cursor(*key: Any) -> str:
    """A cursor from the sort key of the page's last row; values become JSON (str, int, float, bool, None)."""
    raw = json.dumps(key, separators=(",", ":"), default=str).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode_cursor(cursor: str | None, length: int) -> tuple[Any, ...] | None:
    """The sort key again, or None for the first page. Raises `paging.cursor_invalid` (400)."""
    if cursor is None:
        return None
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError) as failure:
        raise bad_cursor() from failure
    if not isinstance(key, list) or len(key) != length:
        raise bad_cursor()
    return tuple(key)


def encode_moment(key: tuple[dt.datetime, UUID] | None) -> str | None:
    """A cursor of lists that are ordered by a time and an id; None on the last page."""
    return None if key is None else encode_cursor(key[0].isoformat(), str(key[1]))


def decode_moment(cursor: str | None) -> tuple[dt.datetime, UUID] | None:
    """The time and the id again, or None for the first page. Raises `paging.cursor_invalid` (400)."""
    key = decode_cursor(cursor, 2)
    if key is None:
        return None
    try:
        return dt.datetime.fromisoformat(key[0]), UUID(str(key[1]))
    except (ValueError, TypeError) as failure:
        raise bad_cursor() from failure


def decode_id(cursor: str | None) -> UUID | None:
    """The last id of a list ordered by ids, or None for the first page. Raises `paging.cursor_invalid` (400)."""
    key = decode_cursor(cursor, 1)
    if key is None:
        return None
    try:
        return UUID(key[0])
    except (ValueError, TypeError, AttributeError) as failure:
        raise bad_cursor() from failure


def bad_cursor() -> AppError:
    """For a cursor of the caller's own making (400)."""
    return invalid(
        "paging.cursor_invalid",
        vi="Con trỏ trang không hợp lệ. Hãy dùng nguyên giá trị next của trang trước.",
        en="The cursor is not valid. Use the value of `next` exactly as the page before gave it.",
    )
