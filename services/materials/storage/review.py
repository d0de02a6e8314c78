"""Named queries over what a school decided about its review, and over the remarks on a version."""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Literal, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Text, and_, any_, func, literal, or_, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from services.materials.domain.policy import Duty, ExtraStep, Policy, Task
from services.materials.domain.review import By, State
from services.materials.storage.tables import MaterialVersion, ReviewDuty, ReviewPolicy, VersionComment
from shared.errors import Text as Words


async def policy_row(session: AsyncSession, school: str) -> ReviewPolicy | None:
    return await session.get(ReviewPolicy, school)


async def policy_of(session: AsyncSession, school: str) -> Policy:
    row = await policy_row(session, school)
    if row is None:
        return Policy()
    return Policy(row.publish_on_approval, tuple(step_of(each) for each in row.steps))


def step_of(stored: dict[str, Any]) -> ExtraStep:
    before = cast("Literal['pass', 'approve']", stored["before"])
    return ExtraStep(stored["code"], Words(stored["vi"], stored["en"]), before, stored["role"])


def stored_step(step: ExtraStep) -> dict[str, Any]:
    return {"code": step.code, "vi": step.name.vi, "en": step.name.en, "before": step.before, "role": step.role}


async def duties_of(session: AsyncSession, school: str, person: str, today: dt.date) -> tuple[Duty, ...]:
    """What is in this person's hands at the school today."""
    statement = select(ReviewDuty).where(
        ReviewDuty.school_sourced_id == school, ReviewDuty.person == person, _holds(today)
    )
    rows = (await session.execute(statement)).scalars()
    return tuple(Duty(str(row.id), row.task, frozenset(row.subjects), frozenset(row.grades)) for row in rows)


async def schools_with_a_task(
    session: AsyncSession, schools: Collection[str], person: str, roles: Collection[str], today: dt.date
) -> frozenset[str]:
    """At which of these schools somebody has something to decide today, by a duty or by a step for their role."""
    duties = select(ReviewDuty.school_sourced_id).where(
        ReviewDuty.school_sourced_id.in_(schools), ReviewDuty.person == person, _holds(today)
    )
    theirs = or_(*(ReviewPolicy.steps.contains([{"role": role}]) for role in sorted(roles)), literal(False))
    steps = select(ReviewPolicy.school_sourced_id).where(ReviewPolicy.school_sourced_id.in_(schools), theirs)
    return frozenset((await session.execute(duties.union(steps))).scalars())


async def duty_rows(session: AsyncSession, school: str, *, today: dt.date | None, limit: int) -> Sequence[ReviewDuty]:
    """Duties of a school, newest first; only those that hold on `today` when it is given."""
    statement = select(ReviewDuty).where(ReviewDuty.school_sourced_id == school)
    if today is not None:
        statement = statement.where(_holds(today))
    return (await session.execute(statement.order_by(ReviewDuty.id.desc()).limit(limit))).scalars().all()


def _holds(today: dt.date) -> ColumnElement[bool]:
    return and_(
        ReviewDuty.ended_at.is_(None),
        ReviewDuty.valid_from <= today,
        or_(ReviewDuty.valid_to.is_(None), ReviewDuty.valid_to >= today),
    )


async def comments_of(
    session: AsyncSession, version_id: UUID, *, after: UUID | None, limit: int
) -> Sequence[VersionComment]:
    """Remarks on a version, oldest first."""
    statement = select(VersionComment).where(VersionComment.version_id == version_id)
    if after is not None:
        statement = statement.where(VersionComment.id > after)
    return (await session.execute(statement.order_by(VersionComment.id).limit(limit))).scalars().all()


def turn_at(school: str, roles: Iterable[str], duties: Sequence[Duty], subject: str) -> ColumnElement[bool]:
    """SQL twin of `domain.review.may_act`: versions of `school` whose next decision is this person's."""
    held = frozenset(roles)
    leads = [duty for duty in duties if duty.task == Task.PASS]
    passes = _covered(leads) if leads else literal(By.GROUP_LEAD.value in held)
    delegated = _covered([duty for duty in duties if duty.task == Task.APPROVE])
    approves = or_(literal(By.HEAD.value in held), delegated)
    following = MaterialVersion.steps[sql_cast(MaterialVersion.steps_done, Integer)]
    step_is_open = or_(
        and_(MaterialVersion.state == State.SUBMITTED.value, following["before"].astext == Task.PASS.value),
        and_(MaterialVersion.state == State.PASSED.value, following["before"].astext == Task.APPROVE.value),
    )
    open_step = func.coalesce(step_is_open, literal(False))
    confirms = or_(
        following["role"].astext == any_(sql_cast(sorted(held), ARRAY(Text))),
        *(and_(following["code"].astext == duty.task, _covered([duty])) for duty in duties),
    )
    return and_(
        MaterialVersion.school_sourced_id == school,
        MaterialVersion.author != subject,
        ~MaterialVersion.authors.contains([{"subject": subject}]),
        or_(
            and_(open_step, confirms),
            and_(~open_step, MaterialVersion.state == State.SUBMITTED.value, passes),
            and_(~open_step, MaterialVersion.state == State.PASSED.value, approves),
        ),
    )


def _covered(duties: Sequence[Duty]) -> ColumnElement[bool]:
    """Versions whose subject and grades some of these duties cover."""
    covered: list[ColumnElement[bool]] = [literal(False)]
    for duty in duties:
        parts: list[ColumnElement[bool]] = [literal(True)]
        if duty.subjects:
            parts.append(MaterialVersion.subject.in_(sorted(duty.subjects)))
        if duty.grades:
            parts.append(MaterialVersion.grades.contained_by(sorted(duty.grades)))
        covered.append(and_(*parts))
    return or_(*covered)


def any_of(conditions: Sequence[ColumnElement[bool]]) -> ColumnElement[bool]:
    return or_(*conditions)
