"""The OneRoster 1.2 rostering provider (read-only): lists and single records, as the standard's REST binding says."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import JSONResponse, Response

from services.sync.api.oneroster_shapes import BASE, SHAPES, WRAPPERS
from services.sync.domain.roster_filter import Filter, FilterError, parse_filter
from services.sync.storage.roster import Selection
from services.sync.usecases.read_roster import RosterPage, invalid_filter, read_one, read_roster
from shared.errors import AppError, Kind, Language, Text
from shared.http.problems import problem_headers
from shared.http.unit_of_work import CurrentPrincipal, Uow

_SCOPE = "https://purl.imsglobal.org/spec/or/v1p2/scope/"
SCOPES = (f"{_SCOPE}roster-core.readonly", f"{_SCOPE}roster.readonly")
PRODUCT = "Liên Thông"

router = APIRouter(prefix=BASE, tags=["OneRoster 1.2 rostering"])
Kinds = Literal[
    "orgs", "schools", "classes", "users", "students", "teachers", "enrollments", "academicSessions", "courses"
]


async def _may_read(principal: CurrentPrincipal) -> None:
    principal.require_scope(*SCOPES)


SchoolKinds = Literal["students", "teachers", "classes", "courses", "enrollments"]
SourcedId = Annotated[str, Path(max_length=255)]
Fields = Annotated[list[str] | None, Query(description="Fields to return: repeated, or a comma list.")]


@dataclass(frozen=True, slots=True)
class ListQuery:
    selection: Selection
    fields: list[str] | None


def _list_query(
    limit: Annotated[int, Query(ge=1, le=2**31)] = 100,
    offset: Annotated[int, Query(ge=0, le=2**62)] = 0,
    sort: str | None = None,
    order_by: Annotated[Literal["asc", "desc"], Query(alias="orderBy")] = "asc",
    filter: str | None = None,  # noqa: A002  # the standard's name
    fields: Fields = None,
) -> ListQuery:
    return ListQuery(Selection(_parsed(filter), sort, order_by == "desc", limit, offset), fields)


Listing = Annotated[ListQuery, Depends(_list_query)]


@router.get("/{collection}", dependencies=[Depends(_may_read)], summary="A page of a OneRoster collection")
async def list_records(collection: Kinds, query: Listing, uow: Uow, request: Request) -> Response:
    """A page of a collection: active records, and ended ones where the filter names status or dateLastModified."""
    wanted = _wanted(collection, query.fields)
    page = await read_roster(uow, collection, query.selection)
    return _listed(collection, page, request, query.selection, wanted)


@router.get(
    "/schools/{school_id}/{collection}", dependencies=[Depends(_may_read)], summary="A collection of one school"
)
async def list_records_of_school(
    school_id: SourcedId, collection: SchoolKinds, query: Listing, uow: Uow, request: Request
) -> Response:
    """The same for one school."""
    wanted = _wanted(collection, query.fields)
    page = await read_roster(uow, collection, query.selection, school=school_id)
    return _listed(collection, page, request, query.selection, wanted)


@router.get("/{collection}/{sourced_id}", dependencies=[Depends(_may_read)], summary="One OneRoster record")
async def get_record(
    collection: Kinds,
    sourced_id: SourcedId,
    uow: Uow,
    request: Request,
    fields: Fields = None,
) -> Response:
    """One record, also when it has ended."""
    wanted = _wanted(collection, fields)
    page = await read_one(uow, collection, sourced_id)
    return JSONResponse({SHAPES[collection][0]: _shaped(collection, page, request, wanted)[0]})


def _listed(
    collection: str, page: RosterPage, request: Request, selection: Selection, wanted: frozenset[str] | None
) -> Response:
    body = {WRAPPERS.get(collection, collection): _shaped(collection, page, request, wanted)}
    links = _links(request, selection.limit, selection.offset, page.total)
    return JSONResponse(body, headers={"X-Total-Count": str(page.total), "Link": links})


def _parsed(given: str | None) -> Filter | None:
    if given is None:
        return None
    try:
        return parse_filter(given)
    except FilterError as failure:
        raise invalid_filter(failure) from failure


def _wanted(collection: str, fields: list[str] | None) -> frozenset[str] | None:
    if not fields:
        return None
    wanted = frozenset(name.strip() for part in fields for name in part.split(",") if name.strip())
    if unknown := wanted - SHAPES[collection][2]:
        named = ", ".join(sorted(unknown))[:100]
        raise AppError(
            "fields.unknown",
            Kind.INVALID,
            Text(f"Tham số fields có trường không tồn tại: {named}.", f"Unknown fields asked for: {named}."),
        )
    return wanted


def _shaped(collection: str, page: RosterPage, request: Request, wanted: frozenset[str] | None) -> list[dict[str, Any]]:
    public_url: str = request.app.state.runtime.settings.public_url
    shape = SHAPES[collection][1]
    records = [shape(row, page.roles.get(row["sourced_id"], ()), public_url) for row in page.rows]
    if wanted is None:
        return records
    return [{name: value for name, value in record.items() if name in wanted} for record in records]


def _links(request: Request, limit: int, offset: int, total: int) -> str:
    """`next`, `prev`, `first`, `last`: absolute URLs, one `rel` each."""
    last = (max(total, 1) - 1) // limit * limit
    places = {"first": 0, "last": last}
    if offset + limit < total:
        places["next"] = offset + limit
    if offset > 0:
        places["prev"] = max(0, offset - limit)
    url = request.app.state.runtime.settings.public_url + request.url.path
    kept = [(name, value) for name, value in request.query_params.multi_items() if name not in {"limit", "offset"}]
    return ", ".join(
        f'<{url}?{urlencode([*kept, ("limit", limit), ("offset", place)])}>; rel="{rel}"'
        for rel, place in places.items()
    )


_MINOR_OF_CODE = {"filter.invalid": "invalid_filter_field", "fields.unknown": "invalid_selection_field"}
_MINOR_OF_STATUS = {
    401: "unauthorisedrequest",
    403: "forbidden",
    404: "unknownobject",
    429: "server_busy",
    503: "server_busy",
}


def oneroster_error(error: AppError, status: int, language: Language) -> Response:
    """The standard's status object, unwrapped; it has no 412 or 422 for reads, so a bad request is 400."""
    code = 400 if error.kind is Kind.INVALID and status == 422 else status
    minor = _MINOR_OF_CODE.get(error.code) or _MINOR_OF_STATUS.get(
        code, "invaliddata" if code < 500 else "internal_server_error"
    )
    body = {
        "imsx_codeMajor": "failure",
        "imsx_severity": "error",
        "imsx_description": f"{PRODUCT}: {error.text.of(language)}",
        "imsx_CodeMinor": {
            "imsx_codeMinorField": [{"imsx_codeMinorFieldName": "TargetEndSystem", "imsx_codeMinorFieldValue": minor}]
        },
    }
    return JSONResponse(body, status_code=code, headers=problem_headers(error, code, language))
