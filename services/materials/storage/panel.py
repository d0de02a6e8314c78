"""Named queries over the panel: its members, the proposals, the appraisals."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, any_, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from services.materials.domain.appraisal import Candidate, ProposalState
from services.materials.storage.panel_tables import Appraisal, PanelMember, Proposal


@dataclass(frozen=True, slots=True)
class ProposalFilters:
    """None leaves a filter out."""

    state: str | None = None
    subject: str | None = None
    level: str | None = None
    school: str | None = None
    overdue: bool = False


def _serves(today: dt.date) -> ColumnElement[bool]:
    return and_(
        PanelMember.appointed_at.is_not(None),
        PanelMember.ended_at.is_(None),
        PanelMember.valid_from <= today,
        or_(PanelMember.valid_to.is_(None), PanelMember.valid_to >= today),
    )


async def members(
    session: AsyncSession, *, subject: str | None, waiting: bool | None, today: dt.date, limit: int
) -> Sequence[PanelMember]:
    """Members and nominations, newest first; `waiting` True: nominations only, False: those who serve today only."""
    statement = select(PanelMember).order_by(PanelMember.id.desc()).limit(limit)
    if subject is not None:
        statement = statement.where(PanelMember.subjects.contains([subject]))
    if waiting is True:
        statement = statement.where(PanelMember.appointed_at.is_(None), PanelMember.ended_at.is_(None))
    elif waiting is False:
        statement = statement.where(_serves(today))
    return (await session.execute(statement)).scalars().all()


def led_by(person: str, schools: Collection[str], today: dt.date) -> ColumnElement[bool]:
    """Proposals whose panel this person leads today; never their own, nor those of their schools."""
    seat = select(PanelMember.id).where(
        PanelMember.person == person,
        PanelMember.lead,
        Proposal.subject == any_(PanelMember.subjects),
        Proposal.level == any_(PanelMember.levels),
        PanelMember.school_sourced_id != Proposal.school_sourced_id,
        _serves(today),
    )
    own = or_(Proposal.school_sourced_id.in_(sorted(schools)), Proposal.authors.contains([person]))
    return and_(seat.exists(), ~own)


async def lock_loads(session: AsyncSession) -> None:
    """Until the transaction ends nobody else chooses reviewers: two proposals at once would see the same loads."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtext("materials.panel.loads"))))


async def candidates(
    session: AsyncSession, subject: str, level: str, today: dt.date, *, school: str
) -> list[Candidate]:
    """Who serves for this subject and level today, with what waits for them; a person once.

    Nobody who stands on the panel for `school` as well, for whatever subject: they belong to it.
    """
    other = aliased(PanelMember)
    belongs = select(other.id).where(
        other.person == PanelMember.person, other.school_sourced_id == school, other.ended_at.is_(None)
    )
    load = (
        select(
            Appraisal.reviewer,
            func.count().filter(Appraisal.state == "assigned").label("open"),
            func.max(Appraisal.assigned_at).label("last"),
        )
        .group_by(Appraisal.reviewer)
        .subquery()
    )
    statement = (
        select(
            PanelMember.person,
            func.min(PanelMember.school_sourced_id),
            func.coalesce(func.max(load.c.open), 0),
            func.max(load.c.last),
        )
        .outerjoin(load, load.c.reviewer == PanelMember.person)
        .where(PanelMember.subjects.contains([subject]), PanelMember.levels.contains([level]), _serves(today))
        .where(~belongs.exists())
        .group_by(PanelMember.person)
    )
    return [Candidate(*row) for row in await session.execute(statement)]


async def leads(
    session: AsyncSession, proposal_id: UUID, person: str, schools: Collection[str], today: dt.date
) -> bool:
    """Does this person lead the panel this proposal is before?"""
    statement = select(Proposal.id).where(Proposal.id == proposal_id, led_by(person, schools, today))
    return (await session.execute(statement)).scalar_one_or_none() is not None


async def proposal(session: AsyncSession, proposal_id: UUID, *, lock: bool = False) -> Proposal | None:
    return await session.get(Proposal, proposal_id, with_for_update=lock or None, populate_existing=lock)


async def proposals(
    session: AsyncSession, filters: ProposalFilters, visible: ColumnElement[bool], *, before: UUID | None, limit: int
) -> Sequence[Proposal]:
    """Newest first; ids are ordered by time, so they are the keyset."""
    statement = select(Proposal).where(visible).order_by(Proposal.id.desc()).limit(limit)
    wanted: list[tuple[Any, str | None]] = [
        (Proposal.state, filters.state),
        (Proposal.subject, filters.subject),
        (Proposal.level, filters.level),
        (Proposal.school_sourced_id, filters.school),
    ]
    statement = statement.where(*(column == value for column, value in wanted if value is not None))
    if filters.overdue:
        late = select(Appraisal.proposal_id).where(Appraisal.state == "assigned", Appraisal.due_at < func.now())
        statement = statement.where(Proposal.id.in_(late))
    if before is not None:
        statement = statement.where(Proposal.id < before)
    return (await session.execute(statement)).scalars().all()


async def appraisals(session: AsyncSession, proposal_ids: Collection[UUID]) -> dict[UUID, list[Appraisal]]:
    """All that was asked for these proposals, in the order of asking."""
    statement = select(Appraisal).where(Appraisal.proposal_id.in_(proposal_ids)).order_by(Appraisal.id)
    found: dict[UUID, list[Appraisal]] = {}
    for row in (await session.execute(statement)).scalars():
        found.setdefault(row.proposal_id, []).append(row)
    return found


async def appraisal(session: AsyncSession, appraisal_id: UUID, reviewer: str) -> Appraisal | None:
    """What this very reviewer was asked."""
    statement = select(Appraisal).where(Appraisal.id == appraisal_id, Appraisal.reviewer == reviewer)
    return (await session.execute(statement)).scalar_one_or_none()


async def queue(
    session: AsyncSession, reviewer: str, *, after: tuple[dt.datetime, UUID] | None, limit: int
) -> Sequence[tuple[Appraisal, Proposal]]:
    """What waits for a reviewer, earliest due first."""
    statement = (
        select(Appraisal, Proposal)
        .join(Proposal, Proposal.id == Appraisal.proposal_id)
        .where(Appraisal.reviewer == reviewer, Appraisal.state == "assigned")
        .order_by(Appraisal.due_at, Appraisal.id)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(tuple_(Appraisal.due_at, Appraisal.id) > after)
    return [(asked, about) for asked, about in await session.execute(statement)]


async def overdue(session: AsyncSession, now: dt.datetime, *, after: UUID | None, limit: int) -> Sequence[UUID]:
    """Proposals with an appraisal whose time is over, longest proposed first."""
    statement = select(Appraisal.proposal_id).where(Appraisal.state == "assigned", Appraisal.due_at < now)
    if after is not None:
        statement = statement.where(Appraisal.proposal_id > after)
    ordered = statement.distinct().order_by(Appraisal.proposal_id).limit(limit)
    return (await session.execute(ordered)).scalars().all()


async def lacking(session: AsyncSession, *, after: UUID | None, limit: int) -> Sequence[UUID]:
    """Proposals for which fewer people were asked than are required, longest proposed first."""
    asked = (
        select(func.count())
        .select_from(Appraisal)
        .where(Appraisal.proposal_id == Proposal.id, Appraisal.state.in_(["assigned", "done"]))
        .scalar_subquery()
    )
    statement = select(Proposal.id).where(Proposal.state == ProposalState.PROPOSED.value, Proposal.required > asked)
    if after is not None:
        statement = statement.where(Proposal.id > after)
    return (await session.execute(statement.order_by(Proposal.id).limit(limit))).scalars().all()


async def standing(session: AsyncSession, material_id: UUID) -> Sequence[Proposal]:
    """Proposals of a material that are open or on the shelf."""
    states = [ProposalState.PROPOSED.value, ProposalState.APPRAISED.value, ProposalState.SHARED.value]
    statement = select(Proposal).where(Proposal.material_id == material_id, Proposal.state.in_(states))
    return (await session.execute(statement)).scalars().all()


async def shared_before(session: AsyncSession, material_id: UUID) -> Sequence[Proposal]:
    """Proposals of this material that stand on the shelf: at most one."""
    statement = select(Proposal).where(
        Proposal.material_id == material_id, Proposal.state == ProposalState.SHARED.value
    )
    return (await session.execute(statement)).scalars().all()


async def of_version(session: AsyncSession, version_id: UUID) -> Sequence[Proposal]:
    """Proposals of a version that are open or on the shelf, locked."""
    open_states = [ProposalState.PROPOSED.value, ProposalState.APPRAISED.value, ProposalState.SHARED.value]
    statement = select(Proposal).where(Proposal.version_id == version_id, Proposal.state.in_(open_states))
    return (await session.execute(statement.with_for_update())).scalars().all()
