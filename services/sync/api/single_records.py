"""`PUT` and `DELETE /sync/v1/{classes,users,…}/{sourcedId}`: one record at a time, by the rules of a package."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request, Response

from services.sync.api.deps import Importer
from services.sync.api.record_shapes import SHAPES, shaped
from services.sync.api.records import COLLECTIONS, SourcedId
from services.sync.domain.gradebook_records import BY_FILE
from services.sync.domain.records import RecordType
from services.sync.usecases.write_record import Expected, delete_record, put_record
from shared.errors import invalid
from shared.http.etag import set_etag
from shared.http.idempotency import IdempotentRoute
from shared.http.unit_of_work import Uow

router = APIRouter(prefix="/sync/v1", route_class=IdempotentRoute, tags=["records"])

Given = Annotated[
    dict[str, Any],
    Body(
        description="The record's fields, named as in the CSV header, as our own reads name them, or as in OneRoster's "
        'JSON, where a reference is `{"sourcedId": …}`. What a read answered may be sent back as it is.'
    ),
]
School = Annotated[
    str | None,
    Query(max_length=255, description="Whose record it is, where neither the record nor the caller's grants say so."),
]
_CREATED: dict[int | str, dict[str, Any]] = {201: {"description": "Created, or active again"}}


def _add_put(record: RecordType) -> None:
    async def put(
        sourced_id: SourcedId,
        given: Given,
        principal: Importer,
        uow: Uow,
        request: Request,
        response: Response,
        school: School = None,
    ) -> Any:
        written = await put_record(
            uow, principal, record, sourced_id, given, school=school, expected=expected_of(request)
        )
        response.status_code = 201 if written.is_new else 200
        set_etag(response, written.row["version"])
        if written.dropped:
            response.headers["Dropped-Fields"] = ", ".join(written.dropped)
        return shaped(record, written.row)

    router.add_api_route(
        f"/{record.file}/{{sourced_id}}",
        put,
        methods=["PUT"],
        response_model=SHAPES[record.file],
        responses=_CREATED,
        name=f"put_{record.file}",
        summary=f"Create or replace one of {record.file}",
        description="Checked, compared and written as a package of one row, at once. A record that says the same "
        "writes nothing. Fields the minimal-data rule forbids are left out and named in `Dropped-Fields`.",
    )


def _add_delete(record: RecordType) -> None:
    async def delete(
        sourced_id: SourcedId, principal: Importer, uow: Uow, request: Request, school: School = None
    ) -> None:
        await delete_record(uow, principal, record, sourced_id, school=school, expected=expected_of(request))

    router.add_api_route(
        f"/{record.file}/{{sourced_id}}",
        delete,
        methods=["DELETE"],
        status_code=204,
        name=f"delete_{record.file}",
        summary=f"End one of {record.file}",
        description="The record becomes `tobedeleted`, and what hangs on it with it; nothing is erased.",
    )


def expected_of(request: Request) -> Expected:
    """`If-Match` and `If-None-Match: *` as what the caller takes for granted. Raises `precondition.malformed`."""
    match, none_match = request.headers.get("if-match"), request.headers.get("if-none-match")
    if none_match is not None:
        if none_match.strip() != "*" or match is not None:
            raise _malformed()
        return Expected(exists=False)
    if match is None:
        return Expected()
    if match.strip() == "*":
        return Expected(exists=True)
    tags = [tag.strip().strip('"') for tag in match.split(",")]
    if not all(tag.isdecimal() for tag in tags):
        raise _malformed()
    return Expected(versions=frozenset(map(int, tags)))


def _malformed() -> Exception:
    return invalid(
        "precondition.malformed",
        vi="If-Match phải là ETag vừa đọc; If-None-Match chỉ nhận *.",
        en="If-Match must be the ETag you read; If-None-Match takes * only.",
    )


for _name in COLLECTIONS:
    _add_put(BY_FILE[_name])
    _add_delete(BY_FILE[_name])
