"""`/sync/v1/imports/{id}/causes` and `/retry`: a thousand refused rows by what has to be cured, and trying again."""

from typing import Self
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field
from sqlalchemy import RowMapping

from services.sync.api.deps import Importer, Lang, Reader
from services.sync.api.schemas import Closed, ImportOut, Shape
from services.sync.domain import catalogue, causes
from services.sync.domain.problems import Problem
from services.sync.usecases import queries, retry_import
from shared.errors import Language
from shared.http.etag import set_etag
from shared.http.idempotency import IdempotentRoute
from shared.http.paging import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, encode_cursor
from shared.http.unit_of_work import Uow

router = APIRouter(prefix="/sync/v1", route_class=IdempotentRoute, tags=["imports"])


class FileRows(Shape):
    file: str
    rows: int


class MissingRecord(Shape):
    file: str = Field(description="The file the record belongs into.")
    sourced_id: str


class Sample(Shape):
    file: str
    line: int
    sourced_id: str | None

    @classmethod
    def of(cls, row: RowMapping) -> Self:
        return cls(file=row["file"], line=row["line"], sourced_id=row["record_sourced_id"])


class CauseOut(Shape):
    """One root cause with everything that fails because of it."""

    id: int = Field(description="For `retry`.")
    code: str
    file: str
    field: str | None
    value: str | None
    missing: MissingRecord | None = Field(description="The record that is not there, where that is the cause.")
    message: str
    hint: str
    who: str = Field(description="Who must act: vendor, school, department, nobody.")
    rows: int = Field(description="Rows refused because of it.")
    files: list[FileRows]
    sample: Sample | None = Field(description="One row; only for who may see the whole import.")

    @classmethod
    def of(cls, row: RowMapping, language: Language, *, whole: bool) -> Self:
        problem = Problem(**{name: row[name] for name in ("code", "file", "line", "field", "value", "expected")})
        cause = causes.Cause(problem, row["target_file"], row["target_sourced_id"], row["rows"])
        return cls(
            id=row["cause"],
            code=problem.code,
            file=problem.file,
            field=problem.field,
            value=problem.value,
            missing=cause.missing and MissingRecord(file=cause.missing_file or "", sourced_id=cause.missing),
            message=causes.message(cause).of(language),
            hint=catalogue.hint(problem).of(language),
            who=catalogue.CATALOGUE[problem.code].who.value,
            rows=cause.rows,
            files=[FileRows(file=file, rows=rows) for file, rows in sorted(row["files"].items())],
            sample=Sample.of(row) if whole and row["line"] else None,
        )


class RetryIn(Closed):
    cause: int | None = Field(default=None, description="Only the rows of this cause; without it, all that wait.")


@router.get("/imports/{import_id}/causes", summary="What is wrong, by root cause")
async def get_causes(
    import_id: UUID, principal: Reader, uow: Uow, language: Lang, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[CauseOut]:
    """Refused rows folded into what has to be cured, dearest first.

    Rows that need a refused or missing record count under that record's cause.
    """
    key = decode_cursor(cursor, 2)
    after = None if key is None else [int(part) for part in key]
    view = await queries.get_import(uow, principal, import_id)
    rows = await retry_import.list_causes(uow, principal, import_id, after=after, limit=limit + 1)
    last = rows[limit - 1] if len(rows) > limit else None
    more = last and encode_cursor(last["rows"], last["cause"])
    return Page[CauseOut](items=[CauseOut.of(row, language, whole=view.is_whole) for row in rows[:limit]], next=more)


@router.post("/imports/{import_id}/retry", status_code=202, summary="Try again what waited for a missing record")
async def post_retry(
    import_id: UUID, principal: Importer, uow: Uow, language: Lang, response: Response, body: RetryIn | None = None
) -> ImportOut:
    """A new import, with a receipt of its own, of the rows that only a missing record or code held back."""
    row = await retry_import.retry_import(uow, principal, import_id, body.cause if body else None)
    response.headers["Location"] = f"/sync/v1/imports/{row.id}"
    set_etag(response, row.version)
    return ImportOut.of(await queries.get_import(uow, principal, row.id), language)
