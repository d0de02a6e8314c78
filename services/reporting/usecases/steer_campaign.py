"""What officers do to a running campaign: set an earlier deadline, extend, close, reopen. All kept, with the reason."""

import datetime as dt
from dataclasses import replace
from uuid import UUID

from services.reporting.domain.deadlines import (
    Extension,
    Layer,
    check_extension,
    check_layer,
    no_later_than,
)
from services.reporting.domain.windows import DECIDED, ClosedReason, Window, check_window
from services.reporting.storage import campaigns
from services.reporting.storage.tables import Campaign, CampaignDeadline, CampaignExtension
from services.reporting.usecases.access import acting_over, department_of, visible_chain
from services.reporting.usecases.find import campaign_or_404, cutoffs_of, layers_of, unit_of, window_of
from services.reporting.usecases.open_campaign import Terms, change_row, layer_row
from shared.auth import Principal
from shared.db.unit_of_work import UnitOfWork
from shared.errors import conflict, invalid
from shared.ids import new_id


async def set_deadline(
    uow: UnitOfWork, principal: Principal, campaign_id: UUID, *, org: str, terms: Terms, reason: str
) -> CampaignDeadline:
    """Set a layer for `org` and everything below it; a lower level may only set an earlier one.

    The department may move its own. Raises `campaign.unknown`, `org.unknown`, `officer.no_unit`,
    `deadline.not_earlier`, `window.inconsistent`.
    """
    campaign = await campaign_or_404(uow, campaign_id, lock=True)
    chain = await visible_chain(uow, principal, org)
    acting = await acting_over(uow, principal, chain)
    unit = unit_of(chain, org)
    existing = await layers_of(uow, campaign, chain)
    check_layer(Layer(unit, acting, terms.cutoff), existing)
    if unit.sourced_id == campaign.org_sourced_id:
        check_window(replace(window_of(campaign), closed=None), terms.cutoff)
    row = layer_row(campaign.id, unit, acting, terms, reason=reason, by=principal.subject, at=await uow.now())
    uow.session.add(row)
    campaign.version += 1
    return row


async def extend(
    uow: UnitOfWork, principal: Principal, campaign_id: UUID, *, org: str, until: dt.datetime, reason: str
) -> CampaignExtension:
    """Give `org` and everything below it until `until` (inclusive). Only someone above it may.

    Raises `campaign.unknown`, `org.unknown`, `officer.no_unit`, `extension.not_above`, `extension.not_later`,
    `extension.beyond_higher_deadline`.
    """
    campaign = await campaign_or_404(uow, campaign_id, lock=True)
    chain = await visible_chain(uow, principal, org)
    acting = await acting_over(uow, principal, chain)
    extension = Extension(unit_of(chain, org), acting, no_later_than(until))
    check_extension(extension, await layers_of(uow, campaign, chain))
    row = CampaignExtension(
        id=new_id(),
        campaign_id=campaign.id,
        org_sourced_id=extension.unit.sourced_id,
        org_kind=extension.unit.kind.value,
        granted_by_org=acting.sourced_id,
        granted_by_kind=acting.kind.value,
        until=until,
        reason=reason,
        granted_by=principal.subject,
        granted_at=await uow.now(),
    )
    uow.session.add(row)
    return row


async def close_campaign(
    uow: UnitOfWork, principal: Principal, campaign_id: UUID, *, why: ClosedReason, note: str | None
) -> Campaign:
    """Close the window for everyone, for a reason of the closed list that is an officer's to give."""
    await department_of(uow, principal)
    campaign = await campaign_or_404(uow, campaign_id, lock=True)
    if why not in DECIDED:
        raise invalid(
            "close.reason_not_decidable",
            vi="Lý do này do thời gian quyết định, không phải do chuyên viên.",
            en="This reason follows from the clock; an officer cannot give it.",
            allowed=sorted(DECIDED),
        )
    if campaign.closed_reason is not None:
        raise conflict(
            "campaign.already_closed",
            vi="Đợt báo cáo đã đóng.",
            en="The campaign is closed already.",
            reason=campaign.closed_reason,
        )
    campaign.closed_reason = why.value
    _changed(uow, campaign, principal, await uow.now(), "closed", reason=note, code=why.value)
    return campaign


async def reopen_campaign(
    uow: UnitOfWork, principal: Principal, campaign_id: UUID, *, reason: str, closes_at: dt.datetime | None
) -> Campaign:
    """Open the window again, or at last, until `closes_at` (None: no end). Late stays late.

    Raises `campaign.already_open` (conflict), `window.inconsistent`, and for a cancelled campaign that has been
    replaced `campaign.exists`.
    """
    await department_of(uow, principal)
    campaign = await campaign_or_404(uow, campaign_id, lock=True)
    now = await uow.now()
    closed = window_of(campaign).closed_because(now)
    if closed is None:
        raise conflict("campaign.already_open", vi="Đợt báo cáo đang mở.", en="The campaign is open.", reason=None)
    await _refuse_replaced(uow, campaign)
    campaign.closed_reason = None
    campaign.closes_at = closes_at
    if closed is ClosedReason.NOT_YET_OPEN:
        campaign.opens_at = now
    if closes_at is not None and closes_at <= now:
        raise _ends_in_the_past()
    check_window(Window(closes_at=closes_at), (await cutoffs_of(uow, [campaign.id]))[campaign.id])
    _changed(uow, campaign, principal, now, "reopened", reason=reason, code=closed.value)
    return campaign


async def _refuse_replaced(uow: UnitOfWork, campaign: Campaign) -> None:
    twin = await campaigns.living_twin(
        uow.session,
        org=campaign.org_sourced_id,
        template=campaign.template_code,
        school_year=campaign.school_year,
        semester=campaign.semester,
    )
    if twin is not None and twin.id != campaign.id:
        raise conflict(
            "campaign.exists",
            vi="Đợt báo cáo này đã được thay bằng một đợt khác.",
            en="This campaign has been replaced by another one.",
            campaignId=str(twin.id),
        )


def _ends_in_the_past() -> Exception:
    return invalid(
        "window.ends_in_the_past",
        vi="Thời điểm đóng mới phải ở tương lai.",
        en="The new closing time must be in the future.",
    )


def _changed(
    uow: UnitOfWork,
    campaign: Campaign,
    principal: Principal,
    now: dt.datetime,
    action: str,
    *,
    reason: str | None,
    code: str,
) -> None:
    campaign.version += 1
    uow.session.add(change_row(campaign.id, action, reason=reason, code=code, by=principal.subject, at=now))
