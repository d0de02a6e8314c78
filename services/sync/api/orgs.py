"""`/sync/v1/orgs`: the org tree, valid in time."""

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from services.sync.api.deps import Reader
from services.sync.api.records import AsOf, utc
from services.sync.api.schemas import OrgIn, OrgOut
from services.sync.domain.org_tree import OrgKind
from services.sync.usecases import orgs
from shared.errors import invalid
from shared.http.etag import set_etag
from shared.http.idempotency import IdempotentRoute
from shared.http.paging import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, encode_cursor
from shared.http.unit_of_work import CurrentPrincipal, Uow

router = APIRouter(prefix="/sync/v1", route_class=IdempotentRoute, tags=["orgs"])
OrgId = Annotated[str, Path(max_length=255, pattern=r"^[0-9A-Za-z.\-_@:]+$")]
On = Annotated[dt.date | None, Query(description="A day; when left out that of `asOf`, or today.")]


@router.put("/orgs/{sourced_id}", responses={201: {"description": "Created"}}, summary="Add or replace a unit")
async def put_org(
    sourced_id: OrgId, body: OrgIn, principal: CurrentPrincipal, uow: Uow, request: Request, response: Response
) -> OrgOut:
    """Create (201) or replace (200) a unit. The department only."""
    principal.require_scope("sync.orgs")
    row, is_new = await orgs.put_org(uow, principal, body.values(sourced_id), _expected(request))
    response.status_code = 201 if is_new else 200
    set_etag(response, row["version"])
    fields: dict[str, Any] = {name: row[name] for name in OrgOut.model_fields if name != "parents"}
    return OrgOut(**fields, parents=body.parents)


def _expected(request: Request) -> int | None:
    given = request.headers.get("if-match")
    if given is None or given.strip() == "*":
        return None
    tag = given.strip().strip('"')
    if not tag.isdigit():
        raise invalid(
            "precondition.malformed",
            vi="If-Match phải là ETag vừa đọc.",
            en="If-Match must be the ETag you read.",
        )
    return int(tag)


@router.get("/orgs", summary="List units, all or those valid on a day")
async def get_orgs(
    _principal: Reader,
    uow: Uow,
    on: Annotated[dt.date | None, Query(description="Only units valid on this day; all units without it.")] = None,
    as_of: AsOf = None,
    kind: OrgKind | None = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[OrgOut]:
    key = decode_cursor(cursor, 1)
    after = None if key is None else str(key[0])
    views = await orgs.list_orgs(uow, day=on, kind=kind, after=after, limit=limit + 1, as_of=utc(as_of))
    return _page(views, limit)


@router.get("/orgs/{sourced_id}", summary="One unit, with its validity")
async def get_org(sourced_id: OrgId, _principal: Reader, uow: Uow, response: Response, as_of: AsOf = None) -> OrgOut:
    view = await orgs.get_org(uow, sourced_id, utc(as_of))
    set_etag(response, view.row["version"])
    return OrgOut.of(view)


@router.get("/orgs/{sourced_id}/ancestors", summary="The units above on a day")
async def get_ancestors(
    sourced_id: OrgId, _principal: Reader, uow: Uow, on: On = None, as_of: AsOf = None
) -> Page[OrgOut]:
    """The units above on that day, nearest first, as known at `asOf`."""
    views = await orgs.list_ancestors(uow, sourced_id, on, utc(as_of))
    return Page[OrgOut](items=[OrgOut.of(view) for view in views])


@router.get("/orgs/{sourced_id}/children", summary="The units directly below on a day")
async def get_children(
    sourced_id: OrgId,
    _principal: Reader,
    uow: Uow,
    on: On = None,
    as_of: AsOf = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[OrgOut]:
    """The units directly below on that day, as known at `asOf`."""
    key = decode_cursor(cursor, 1)
    after = None if key is None else str(key[0])
    views = await orgs.list_children(uow, sourced_id, on, after=after, limit=limit + 1, as_of=utc(as_of))
    return _page(views, limit)


def _page(views: list[orgs.OrgView], limit: int) -> Page[OrgOut]:
    more = encode_cursor(views[limit - 1].row["sourced_id"]) if len(views) > limit else None
    return Page[OrgOut](items=[OrgOut.of(view) for view in views[:limit]], next=more)
