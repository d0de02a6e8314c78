"""`/sync/v1/{classes,users,…}`: the roster record by record, now or exactly as it was known at an instant."""

import datetime as dt
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import AwareDatetime

from services.sync.api.deps import Reader
from services.sync.api.record_shapes import SHAPES, shaped
from services.sync.domain.gradebook_records import BY_FILE, GRADEBOOK_TYPES
from services.sync.domain.records import DEMOGRAPHICS, RecordType
from services.sync.usecases.read_records import list_records, read_record
from shared.http.etag import set_etag
from shared.http.idempotency import IdempotentRoute
from shared.http.paging import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, encode_cursor
from shared.http.unit_of_work import Uow

router = APIRouter(prefix="/sync/v1", route_class=IdempotentRoute, tags=["records"])

SourcedId = Annotated[str, Path(max_length=255)]
School = Annotated[str | None, Query(max_length=255, description="Only this school's copies.")]
AsOf = Annotated[
    AwareDatetime | None,
    Query(alias="asOf", description="An instant: the rows exactly as they were known then. Now without it."),
]
Status = Annotated[Literal["active", "tobedeleted"] | None, Query(description="Active and ended records without it.")]
COLLECTIONS = (
    *("academicSessions", "courses", "classes", "users", "enrollments"),
    # Birth dates have a scope of their own in the OneRoster service and are read there only.
    *(record.file for record in GRADEBOOK_TYPES if record is not DEMOGRAPHICS),
)


def _add_list(record: RecordType) -> None:
    shape = SHAPES[record.file]

    async def get_records(
        _principal: Reader,
        uow: Uow,
        school: School = None,
        status: Status = None,
        as_of: AsOf = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Any:
        key = decode_cursor(cursor, 2)
        after = None if key is None else [str(part) for part in key]
        filters = {name: value for name, value in (("school_sourced_id", school), ("status", status)) if value}
        rows = await list_records(uow, record, filters, as_of=utc(as_of), after=after, limit=limit + 1)
        last = rows[limit - 1] if len(rows) > limit else None
        more = None if last is None else encode_cursor(last["sourced_id"], last["school_sourced_id"])
        return {"items": [shaped(record, row) for row in rows[:limit]], "next": more}

    router.add_api_route(
        f"/{record.file}",
        get_records,
        response_model=Page[shape],  # type: ignore[valid-type]  # the shape is made from the record's columns
        name=f"list_{record.file}",
        summary=f"List {record.file}, now or as known at an instant",
        description="In the order of sourcedId and school. A record that several schools own appears once for each.",
    )


def _add_one(record: RecordType) -> None:
    async def get_record(
        sourced_id: SourcedId,
        _principal: Reader,
        uow: Uow,
        response: Response,
        school: School = None,
        as_of: AsOf = None,
    ) -> Any:
        row = await read_record(uow, record, sourced_id, school=school, as_of=utc(as_of))
        set_etag(response, row["version"])
        if row["sourced_id"] != sourced_id:
            response.headers["Content-Location"] = f"/sync/v1/{record.file}/{row['sourced_id']}"
        return shaped(record, row)

    router.add_api_route(
        f"/{record.file}/{{sourced_id}}",
        get_record,
        response_model=SHAPES[record.file],
        name=f"get_{record.file}",
        summary=f"One of {record.file}, now or as known at an instant",
        description="Of a record that several schools own, `school` says whose copy; the first one without it.",
    )


def utc(instant: dt.datetime | None) -> dt.datetime | None:
    return None if instant is None else instant.astimezone(dt.UTC)


for _name in COLLECTIONS:
    _add_list(BY_FILE[_name])
    _add_one(BY_FILE[_name])
