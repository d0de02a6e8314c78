"""Campaigns: open, steer, follow."""

from uuid import UUID

from fastapi import APIRouter, Response

from services.reporting.api.campaign_documents import (
    CampaignIn,
    CampaignOut,
    CloseIn,
    ExtensionIn,
    ExtensionOut,
    LayerIn,
    LayerOut,
    ProgressOut,
    ReopenIn,
)
from services.reporting.api.wire import MANAGE, READ, id_cursor, problems
from services.reporting.domain.windows import ClosedReason
from services.reporting.usecases import queries, steer_campaign
from services.reporting.usecases.open_campaign import open_campaign
from shared.http.etag import set_etag
from shared.http.idempotency import IdempotentRoute
from shared.http.paging import DEFAULT_LIMIT, Cursor, Limit, Page, encode_cursor
from shared.http.unit_of_work import CurrentPrincipal, Uow

router = APIRouter(prefix="/reporting/v1", route_class=IdempotentRoute, tags=["campaigns"])


@router.post("/campaigns", status_code=201, summary="Open a campaign", responses=problems(409, 422))
async def create(body: CampaignIn, principal: CurrentPrincipal, uow: Uow, response: Response) -> CampaignOut:
    """Every school of the audience that is valid today gets a submission, prefilled. A department officer's action."""
    principal.require_scope(MANAGE)
    campaign = await open_campaign(uow, principal, body.new())
    response.headers["Location"] = f"/reporting/v1/campaigns/{campaign.id}"
    set_etag(response, campaign.version)
    return CampaignOut.of(await queries.show_campaign(uow, campaign.id))


@router.get("/campaigns", summary="List campaigns, newest first", responses=problems())
async def campaigns(
    principal: CurrentPrincipal, uow: Uow, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[CampaignOut]:
    principal.require_scope(READ)
    views = await queries.list_campaigns(uow, id_cursor(cursor), limit + 1)
    following = encode_cursor(views[limit - 1].row.id) if len(views) > limit else None
    return Page(items=[CampaignOut.of(view) for view in views[:limit]], next=following)


@router.get("/campaigns/{campaign_id}", summary="One campaign", responses=problems(404))
async def campaign(campaign_id: UUID, principal: CurrentPrincipal, uow: Uow, response: Response) -> CampaignOut:
    principal.require_scope(READ)
    view = await queries.show_campaign(uow, campaign_id)
    set_etag(response, view.row.version)
    return CampaignOut.of(view)


@router.get("/campaigns/{campaign_id}/progress", summary="How far the schools are", responses=problems(404))
async def progress(campaign_id: UUID, principal: CurrentPrincipal, uow: Uow) -> ProgressOut:
    principal.require_scope(READ)
    return ProgressOut.of(await queries.show_progress(uow, campaign_id))


@router.post(
    "/campaigns/{campaign_id}/deadlines",
    status_code=201,
    summary="Set the deadline of one unit",
    responses=problems(404, 422),
)
async def set_deadline(campaign_id: UUID, body: LayerIn, principal: CurrentPrincipal, uow: Uow) -> LayerOut:
    """A lower level may only set an earlier one; each school sees the strictest."""
    principal.require_scope(MANAGE)
    row = await steer_campaign.set_deadline(
        uow, principal, campaign_id, org=body.org, terms=body.deadline.terms(), reason=body.reason
    )
    return LayerOut.from_row(row)


@router.get("/campaigns/{campaign_id}/deadlines", summary="Every deadline ever set", responses=problems(404))
async def deadlines(
    campaign_id: UUID, principal: CurrentPrincipal, uow: Uow, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[LayerOut]:
    principal.require_scope(READ)
    rows = await queries.list_deadlines(uow, principal, campaign_id, id_cursor(cursor), limit + 1)
    following = encode_cursor(rows[limit - 1].id) if len(rows) > limit else None
    return Page(items=[LayerOut.from_row(row) for row in rows[:limit]], next=following)


@router.post(
    "/campaigns/{campaign_id}/extensions",
    status_code=201,
    summary="Give one unit more time",
    responses=problems(404, 422),
)
async def extend(campaign_id: UUID, body: ExtensionIn, principal: CurrentPrincipal, uow: Uow) -> ExtensionOut:
    """Only someone above the unit may, and nobody past the deadline of a level above their own."""
    principal.require_scope(MANAGE)
    row = await steer_campaign.extend(uow, principal, campaign_id, org=body.org, until=body.until, reason=body.reason)
    return ExtensionOut.from_row(row)


@router.get("/campaigns/{campaign_id}/extensions", summary="Every extension ever granted", responses=problems(404))
async def extensions(
    campaign_id: UUID, principal: CurrentPrincipal, uow: Uow, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[ExtensionOut]:
    principal.require_scope(READ)
    rows = await queries.list_extensions(uow, principal, campaign_id, id_cursor(cursor), limit + 1)
    following = encode_cursor(rows[limit - 1].id) if len(rows) > limit else None
    return Page(items=[ExtensionOut.from_row(row) for row in rows[:limit]], next=following)


@router.post("/campaigns/{campaign_id}/close", summary="Close the window for everyone", responses=problems(404, 409))
async def close(
    campaign_id: UUID, body: CloseIn, principal: CurrentPrincipal, uow: Uow, response: Response
) -> CampaignOut:
    principal.require_scope(MANAGE)
    why = ClosedReason(body.reason)
    row = await steer_campaign.close_campaign(uow, principal, campaign_id, why=why, note=body.note)
    set_etag(response, row.version)
    return CampaignOut.of(await queries.show_campaign(uow, campaign_id))


@router.post("/campaigns/{campaign_id}/reopen", summary="Open the window again", responses=problems(404, 409, 422))
async def reopen(
    campaign_id: UUID, body: ReopenIn, principal: CurrentPrincipal, uow: Uow, response: Response
) -> CampaignOut:
    """What comes after the deadline stays late."""
    principal.require_scope(MANAGE)
    row = await steer_campaign.reopen_campaign(
        uow, principal, campaign_id, reason=body.reason, closes_at=body.closes_at
    )
    set_etag(response, row.version)
    return CampaignOut.of(await queries.show_campaign(uow, campaign_id))
