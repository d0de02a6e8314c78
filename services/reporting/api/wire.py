"""What every document of this API shares: camelCase outside, snake_case inside, unknown input refused."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from services.reporting.usecases.work_on_submission import CheckVersion
from shared.errors import AppError, Text, invalid
from shared.http.etag import check_if_match
from shared.http.paging import decode_cursor

READ, WRITE, MANAGE = "reporting.read", "reporting.write", "reporting.manage"

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
SourcedId = Annotated[str, StringConstraints(min_length=1, max_length=255)]


class In(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class Out(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)


class TextOut(Out):
    """One sentence in both languages."""

    vi: str
    en: str

    @classmethod
    def of(cls, words: Text) -> "TextOut":
        return cls(vi=words.vi, en=words.en)


class ReasonIn(In):
    reason: Reason = Field(description="Why; kept in the history.")


def id_cursor(cursor: str | None) -> UUID | None:
    """The id a page's cursor holds. Raises `paging.cursor_invalid`."""
    key = decode_cursor(cursor, 1)
    try:
        return None if key is None else UUID(str(key[0]))
    except ValueError as failure:
        raise bad_cursor() from failure


def bad_cursor() -> AppError:
    return invalid(
        "paging.cursor_invalid",
        vi="Con trỏ trang không hợp lệ. Hãy dùng nguyên giá trị next của trang trước.",
        en="The cursor is not valid. Use the value of `next` exactly as the page before gave it.",
    )


def version_check(request: Request, *, required: bool) -> CheckVersion:
    """If-Match against the version of the locked row, inside the use case's transaction."""

    def check(version: int) -> None:
        check_if_match(request, version, required=required)

    return check


# Shown in the API document; the answers themselves come from `shared.http.problems`.
def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    texts = {
        401: "No valid access token.",
        403: "The token lacks a scope, or the person the role.",
        404: "Not there, or not for this caller.",
        409: "The present state forbids it.",
        412: "Changed since you read it.",
        422: "Some fields are not valid: see `errors`.",
        428: "If-Match is required.",
    }
    return {
        status: {"description": texts[status], "content": {"application/problem+json": {}}}
        for status in sorted({401, 403, *statuses})
    }
