"""A school prescribes its own review: extra steps, who leads which subject, who decides for the head."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.materials.domain.catalogue import subjects
from services.materials.domain.policy import Policy, Task, ordered
from services.materials.domain.review import By
from services.materials.storage import orgs, review
from services.materials.storage.tables import ReviewDuty, ReviewPolicy
from services.materials.usecases.grants import require_member, school_unknown, scope_of
from services.materials.usecases.review_material import VersionCheck
from shared.auth import Principal
from shared.db.unit_of_work import UnitOfWork
from shared.errors import FieldError, Text, conflict, invalid, not_found
from shared.ids import new_id


@dataclass(frozen=True, slots=True)
class Appointment:
    """A duty to be given; `task` is pass, approve, or the code of one of the school's own steps."""

    person: str
    task: str
    subjects: tuple[str, ...]
    grades: tuple[str, ...]
    valid_from: dt.date
    valid_to: dt.date | None


async def read_policy(uow: UnitOfWork, who: Principal, school: str) -> tuple[Policy, int]:
    """The school's procedure and its version (0: the defaults, nothing was ever changed)."""
    who.require_scope("materials.read")
    await _require_school(uow, who, school)
    row = await review.policy_row(uow.session, school)
    return await review.policy_of(uow.session, school), row.version if row else 0


async def set_policy(uow: UnitOfWork, who: Principal, school: str, policy: Policy, check: VersionCheck) -> Policy:
    """The head writes the procedure anew. Versions under review keep the steps they were submitted with."""
    await _require_head(uow, who, school)
    row = await review.policy_row(uow.session, school)
    check(row.version if row else 0)
    steps = ordered(policy.steps)
    values = {
        "publish_on_approval": policy.publish_on_approval,
        "steps": [review.stored_step(step) for step in steps],
        "version": (row.version if row else 0) + 1,
        "changed_by": who.subject,
        "changed_at": await uow.now(),
    }
    await uow.session.merge(ReviewPolicy(school_sourced_id=school, **values))
    await uow.session.flush()
    return Policy(policy.publish_on_approval, steps)


async def list_duties(
    uow: UnitOfWork, who: Principal, school: str, *, current: bool, limit: int
) -> Sequence[ReviewDuty]:
    """Who has which duty, newest first; `current` leaves out what has ended or not begun."""
    who.require_scope("materials.read")
    await _require_school(uow, who, school)
    today = await orgs.today(uow.session) if current else None
    return await review.duty_rows(uow.session, school, today=today, limit=limit)


async def appoint(uow: UnitOfWork, who: Principal, school: str, given: Appointment) -> ReviewDuty:
    """The head gives a duty. Delegating the head's own step is for a period with an end (KT., ký thay)."""
    await _require_head(uow, who, school)
    policy = await review.policy_of(uow.session, school)
    faults = _faults_of(given, {*(task.value for task in Task), *(step.code for step in policy.steps)})
    if faults:
        raise invalid("duty.invalid", vi="Phân công chưa hợp lệ.", en="The duty is not valid.", errors=faults)
    row = ReviewDuty(
        id=new_id(),
        school_sourced_id=school,
        person=given.person,
        task=given.task,
        subjects=list(given.subjects),
        grades=list(given.grades),
        valid_from=given.valid_from,
        valid_to=given.valid_to,
        appointed_by=who.subject,
        appointed_at=await uow.now(),
    )
    uow.session.add(row)
    await uow.session.flush()
    return row


async def end_duty(uow: UnitOfWork, who: Principal, school: str, duty_id: UUID) -> ReviewDuty:
    """From now on the duty holds no more; what was decided by it stays."""
    await _require_head(uow, who, school)
    row = await uow.session.get(ReviewDuty, duty_id, with_for_update=True)
    if row is None or row.school_sourced_id != school:
        raise not_found("duty.unknown", vi="Không có phân công này.", en="There is no such duty.")
    if row.ended_at is not None:
        raise conflict("duty.ended", vi="Phân công này đã kết thúc.", en="This duty has ended already.")
    row.ended_by, row.ended_at = who.subject, await uow.now()
    await uow.session.flush()
    return row


def _faults_of(given: Appointment, tasks: set[str]) -> list[FieldError]:
    faults = []
    if given.task not in tasks:
        faults.append(_fault("/task", "Không có bước này ở trường.", "The school has no such step."))
    faults += [
        _fault(f"/subjects/{place}", "Không có mã môn học này.", "There is no subject with this code.")
        for place, subject in enumerate(given.subjects)
        if subject not in subjects()
    ]
    if given.valid_to is not None and given.valid_to < given.valid_from:
        faults.append(_fault("/validTo", "Ngày kết thúc trước ngày bắt đầu.", "It ends before it begins."))
    if given.task == Task.APPROVE and given.valid_to is None:
        faults.append(
            _fault("/validTo", "Ủy quyền ký thay phải có ngày kết thúc.", "A delegation of the head needs an end.")
        )
    return faults


def _fault(pointer: str, vi: str, en: str) -> FieldError:
    return FieldError(pointer, "field.invalid", Text(vi, en))


async def _require_school(uow: UnitOfWork, who: Principal, school: str) -> None:
    if await orgs.school(uow.session, school) is None or not (await scope_of(uow, who)).covers(school):
        raise school_unknown()


async def _require_head(uow: UnitOfWork, who: Principal, school: str) -> None:
    who.require_scope("materials.review")
    await _require_school(uow, who, school)
    require_member(who, school)
    who.require_role(By.HEAD.value)
