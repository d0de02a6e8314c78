"""Campaigns, their deadline layers, extensions and changes."""

import datetime as dt
from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import Select, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from services.reporting.storage.tables import (
    Campaign,
    CampaignChange,
    CampaignDeadline,
    CampaignExtension,
    Submission,
)

MAX_ROWS = 10_000


async def campaign_of(session: AsyncSession, campaign_id: UUID, *, lock: bool = False) -> Campaign | None:
    query = select(Campaign).filter_by(id=campaign_id)
    return await session.scalar(query.with_for_update() if lock else query)


async def living_twin(
    session: AsyncSession, *, org: str, template: str, school_year: str, semester: int | None
) -> Campaign | None:
    """A campaign of the same template and period that has not been cancelled."""
    query = select(Campaign).filter_by(
        org_sourced_id=org, template_code=template, school_year=school_year, semester=semester
    )
    return await session.scalar(query.where(Campaign.closed_reason.is_distinct_from("cancelled")).limit(1))


async def campaign_page(session: AsyncSession, after: UUID | None, limit: int) -> Sequence[Campaign]:
    """Newest first: ids grow with time."""
    query = select(Campaign).order_by(Campaign.id.desc()).limit(limit)
    return (await session.scalars(query if after is None else query.where(Campaign.id < after))).all()


async def living_campaigns(session: AsyncSession, now: dt.datetime) -> Sequence[Campaign]:
    """Campaigns whose window has not ended, also those that have not opened yet."""
    not_ended = or_(Campaign.closes_at.is_(None), Campaign.closes_at >= now)
    query = select(Campaign).where(Campaign.closed_reason.is_(None), not_ended)
    return (await session.scalars(query.order_by(Campaign.id).limit(MAX_ROWS))).all()


async def changes_of(session: AsyncSession, campaign_id: UUID, limit: int) -> Sequence[CampaignChange]:
    query = select(CampaignChange).filter_by(campaign_id=campaign_id).order_by(CampaignChange.id).limit(limit)
    return (await session.scalars(query)).all()


async def deadlines_in_force(
    session: AsyncSession, campaign_id: UUID, units: Collection[str]
) -> Sequence[CampaignDeadline]:
    """Of each unit and setter the newest layer, for these units."""
    query = (
        select(CampaignDeadline)
        .where(CampaignDeadline.campaign_id == campaign_id, CampaignDeadline.org_sourced_id.in_(units))
        .ext(distinct_on(CampaignDeadline.org_sourced_id, CampaignDeadline.set_by_org))
        .order_by(CampaignDeadline.org_sourced_id, CampaignDeadline.set_by_org, CampaignDeadline.id.desc())
    )
    return (await session.scalars(query)).all()


async def own_deadlines(session: AsyncSession, ids: Collection[UUID]) -> Sequence[CampaignDeadline]:
    """The layers in force that bind everyone: those of the unit that opened each campaign."""
    query = (
        select(CampaignDeadline)
        .join(Campaign, Campaign.id == CampaignDeadline.campaign_id)
        .where(Campaign.id.in_(ids), CampaignDeadline.org_sourced_id == Campaign.org_sourced_id)
        .ext(distinct_on(CampaignDeadline.campaign_id, CampaignDeadline.set_by_org))
        .order_by(CampaignDeadline.campaign_id, CampaignDeadline.set_by_org, CampaignDeadline.id.desc())
    )
    return (await session.scalars(query)).all()


async def extensions_in_force(
    session: AsyncSession, campaign_id: UUID, units: Collection[str]
) -> Sequence[CampaignExtension]:
    """Of each unit and granter the newest extension, for these units."""
    query = (
        select(CampaignExtension)
        .where(CampaignExtension.campaign_id == campaign_id, CampaignExtension.org_sourced_id.in_(units))
        .ext(distinct_on(CampaignExtension.org_sourced_id, CampaignExtension.granted_by_org))
        .order_by(CampaignExtension.org_sourced_id, CampaignExtension.granted_by_org, CampaignExtension.id.desc())
    )
    return (await session.scalars(query)).all()


async def deadline_page(
    session: AsyncSession, campaign_id: UUID, units: Collection[str] | None, after: UUID | None, limit: int
) -> Sequence[CampaignDeadline]:
    """Every layer ever set, oldest first; `units` None means of all units."""
    query: Select[CampaignDeadline] = select(CampaignDeadline).filter_by(campaign_id=campaign_id)
    if units is not None:
        query = query.where(CampaignDeadline.org_sourced_id.in_(units))
    if after is not None:
        query = query.where(CampaignDeadline.id > after)
    return (await session.scalars(query.order_by(CampaignDeadline.id).limit(limit))).all()


async def extension_page(
    session: AsyncSession, campaign_id: UUID, units: Collection[str] | None, after: UUID | None, limit: int
) -> Sequence[CampaignExtension]:
    """Every extension ever granted, oldest first; `units` None means of all units."""
    query: Select[CampaignExtension] = select(CampaignExtension).filter_by(campaign_id=campaign_id)
    if units is not None:
        query = query.where(CampaignExtension.org_sourced_id.in_(units))
    if after is not None:
        query = query.where(CampaignExtension.id > after)
    return (await session.scalars(query.order_by(CampaignExtension.id).limit(limit))).all()


async def counts(session: AsyncSession, campaign_id: UUID) -> dict[tuple[str, bool | None], int]:
    """Submissions by state and lateness, of the schools the caller may see."""
    query = (
        select(Submission.state, Submission.late, func.count())
        .filter_by(campaign_id=campaign_id)
        .group_by(Submission.state, Submission.late)
    )
    return {(state, late): count for state, late, count in await session.execute(query)}
