"""Submissions with their values and history. Row-level security limits every query to the caller's schools."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.reporting.domain.submissions import FROZEN, State
from services.reporting.storage.tables import Submission, SubmissionStep, SubmissionValue


@dataclass(frozen=True, slots=True)
class Filters:
    campaign: UUID | None = None
    state: State | None = None
    school: str | None = None
    late: bool | None = None


async def submission_of(session: AsyncSession, submission_id: UUID, *, lock: bool = False) -> Submission | None:
    query = select(Submission).filter_by(id=submission_id)
    return await session.scalar(query.with_for_update() if lock else query)


async def submission_page(
    session: AsyncSession, filters: Filters, after: UUID | None, limit: int
) -> Sequence[Submission]:
    query = select(Submission).order_by(Submission.id).limit(limit)
    for column, value in (
        (Submission.campaign_id, filters.campaign),
        (Submission.state, filters.state),
        (Submission.school_sourced_id, filters.school),
        (Submission.late, filters.late),
    ):
        if value is not None:
            query = query.where(column == value)
    if after is not None:
        query = query.where(Submission.id > after)
    return (await session.scalars(query)).all()


async def values_of(session: AsyncSession, submission_id: UUID) -> dict[str, SubmissionValue]:
    rows = await session.scalars(select(SubmissionValue).filter_by(submission_id=submission_id))
    return {row.field: row for row in rows}


async def steps_of(session: AsyncSession, submission_id: UUID, limit: int) -> Sequence[SubmissionStep]:
    """The newest steps, oldest of them first."""
    query = select(SubmissionStep).filter_by(submission_id=submission_id).order_by(SubmissionStep.id.desc())
    return list(reversed((await session.scalars(query.limit(limit))).all()))


async def changed_since_submitted(session: AsyncSession, rows: Collection[Submission]) -> Mapping[UUID, bool]:
    """For each submission: do the sources say something else now than what the head certified?"""
    frozen = [row.id for row in rows if State(row.state) in FROZEN]
    differs: ColumnElement[bool] = SubmissionValue.latest.is_distinct_from(SubmissionValue.prefilled)
    query = select(Submission.id).where(
        Submission.id.in_(frozen), exists().where(and_(SubmissionValue.submission_id == Submission.id, differs))
    )
    changed = set(await session.scalars(query))
    return {row.id: row.id in changed for row in rows}
