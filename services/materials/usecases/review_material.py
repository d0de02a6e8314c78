"""From draft to published: submit, confirm, pass, approve, publish, return, withdraw (Circular 09/2021 art. 7)."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from services.materials.domain.policy import Person
from services.materials.domain.review import BOTH_STEPS, Action, State, Work, decide, duty_used, waiting_step
from services.materials.storage import materials, orgs, review, uses
from services.materials.storage.materials import MaterialRecord
from services.materials.storage.search.documents import touch
from services.materials.storage.tables import Material, MaterialVersion, ReviewStep
from services.materials.usecases.coverage import tell_coverage
from services.materials.usecases.grants import material_unknown, reader_of, require_member
from services.materials.usecases.held_files import refuse_infected
from services.materials.usecases.proposal_board import withdraw_with_version
from shared.auth import Principal
from shared.contracts.materials_v1 import MaterialApproved, MaterialWithdrawn, ReviewMoved
from shared.db.unit_of_work import UnitOfWork
from shared.errors import conflict, invalid
from shared.failpoints import failpoint
from shared.ids import new_id

VersionCheck = Callable[[int], None]  # raises when the caller decided on an older version of the row

_SCOPES = {
    Action.SUBMIT: ("materials.write",),
    Action.WITHDRAW: ("materials.write", "materials.review"),
}
_REVIEW = ("materials.review",)


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody wants done: `reason` for a return or a withdrawal, `number` for another version than the shown."""

    action: Action
    reason: str | None = None
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """The record after a decision, and since when the version had waited for it (None: for nobody's)."""

    record: MaterialRecord
    waited_since: dt.datetime | None


async def act(uow: UnitOfWork, who: Principal, material_id: UUID, decision: Decision, check: VersionCheck) -> Decided:
    """One step of the review, with everything that follows from it, in the running transaction."""
    who.require_scope(*_SCOPES.get(decision.action, _REVIEW))
    reader = await reader_of(uow, who)
    record = await materials.find(uow.session, material_id, reader, number=decision.number, lock=True)
    if record is None:
        raise material_unknown()
    school = record.material.school_sourced_id
    require_member(who, school)
    check(record.material.version)
    person = await person_at(uow, who, school)
    work, waited = work_of(record.version), record.version.waiting_since
    after = decide(work, decision.action, person, reason=decision.reason)
    if after not in {State.RETURNED, State.WITHDRAWN}:
        refuse_infected(record.files)
    if decision.action is Action.SUBMIT:
        await _ready_to_submit(uow, record)
    if after is State.WITHDRAWN:
        await _refuse_evidence(uow, record.version.id)
    steps = [await _write(uow, record, decision, work, after, person)]
    if after is State.APPROVED:
        await uow.emit(_approved(record), aggregate=f"material:{material_id}")
        if (await review.policy_of(uow.session, school)).publish_on_approval:
            steps.append(await _write(uow, record, Decision(Action.PUBLISH), work, State.PUBLISHED, person))
    if after in {State.APPROVED, State.WITHDRAWN} and record.version.approved_at is not None:
        await tell_coverage(uow, school)
    failpoint("materials.review.moved")
    shown = MaterialRecord(record.material, record.version, record.files, [*record.steps, *steps])
    return Decided(shown, waited)


async def person_at(uow: UnitOfWork, who: Principal, school: str) -> Person:
    """The caller as this school knows them."""
    duties = await review.duties_of(uow.session, school, who.subject, await orgs.today(uow.session))
    return Person(who.subject, who.roles, duties)


def work_of(version: MaterialVersion) -> Work:
    named = (entry.get("subject") for entry in version.authors)
    return Work(
        state=State(version.state),
        authors=frozenset({version.author, *(subject for subject in named if subject)}),
        subject=version.subject,
        grades=frozenset(version.grades),
        steps=tuple(review.step_of(each) for each in version.steps),
        done=version.steps_done,
    )


async def _refuse_evidence(uow: UnitOfWork, version_id: UUID) -> None:
    """Raise `version.is_evidence` while a submitted report counts on this version."""
    reports = await uses.counting(uow.session, version_id)
    if reports:
        raise conflict(
            "version.is_evidence",
            vi="Phiên bản này là minh chứng của một báo cáo đã nộp nên chưa rút được.",
            en="This version is evidence of a submitted report and cannot be withdrawn while it counts.",
            submissions=[str(each) for each in reports],
        )


async def _ready_to_submit(uow: UnitOfWork, record: MaterialRecord) -> None:
    """A version is handed in with at least one file."""
    if not record.files:
        raise invalid(
            "version.no_file",
            vi="Học liệu chưa có tệp nào để thẩm định.",
            en="The material has no file to be reviewed yet.",
        )
    policy = await review.policy_of(uow.session, record.material.school_sourced_id)
    record.version.steps = [review.stored_step(step) for step in policy.steps]


async def _write(
    uow: UnitOfWork, record: MaterialRecord, decision: Decision, work: Work, after: State, person: Person
) -> ReviewStep:
    now = await uow.now()
    version, material, action = record.version, record.material, decision.action
    open_step, duty = waiting_step(work), duty_used(work, action, person)
    step = ReviewStep(
        id=new_id(),
        version_id=version.id,
        school_sourced_id=material.school_sourced_id,
        action=action.value,
        from_state=version.state,
        to_state=after.value,
        actor=person.subject,
        reason=decision.reason.strip() if decision.reason else None,
        step=open_step.code if action is Action.CONFIRM and open_step else None,
        duty_id=UUID(duty.id) if duty else None,
        at=now,
    )
    version.state = after.value
    _mark(version, action, after, now)
    if after is State.APPROVED:
        material.approved_number = version.number
    elif after is State.PUBLISHED:
        material.published_number = version.number
    elif after is State.WITHDRAWN:
        await _stand_anew(uow, material, version, now)
        await withdraw_with_version(uow, version.id)
    material.version += 1
    uow.session.add(step)
    await uow.session.flush()
    if after in {State.PUBLISHED, State.WITHDRAWN}:
        await touch(uow.session, material.id)
    await uow.emit(_moved(record, step), aggregate=f"review:{material.id}")
    return step


def _mark(version: MaterialVersion, action: Action, after: State, now: dt.datetime) -> None:
    """The times that belong to the state a version has come to."""
    version.waiting_since = now if after in {State.SUBMITTED, State.PASSED} else None
    if action is Action.SUBMIT:
        version.submitted_at, version.passed_at, version.steps_done = now, None, 0
    elif action is Action.CONFIRM:
        version.steps_done += 1
    elif after is State.PASSED:
        version.passed_at = now
    elif after is State.APPROVED:
        version.approved_at = now
    elif after is State.PUBLISHED:
        version.published_at = now
    elif after is State.WITHDRAWN:
        version.withdrawn_at = now
    else:
        version.passed_at = None


async def _stand_anew(uow: UnitOfWork, material: Material, gone: MaterialVersion, now: dt.datetime) -> None:
    """After a withdrawal: which version is the newest, which has both steps, and is any of them in use."""
    await uow.session.flush()
    left = [each for each in await materials.standing(uow.session, material.id) if each.withdrawn_at is None]
    both = [each.number for each in left if State(each.state) in BOTH_STEPS]
    counted = material.approved_number is not None
    material.approved_number = both[0] if both else None
    if material.published_number == gone.number:
        material.published_number = None
    if left:
        material.latest_number, material.latest_author = left[0].number, left[0].author
    else:
        material.withdrawn_at = now
    if counted and not both:
        event = MaterialWithdrawn(
            material_id=material.id,
            version_id=gone.id,
            school_sourced_id=material.school_sourced_id,
            withdrawn_at=now,
        )
        await uow.emit(event, aggregate=f"material:{material.id}")


def _approved(record: MaterialRecord) -> MaterialApproved:
    version = record.version
    assert version.passed_at is not None
    assert version.approved_at is not None
    return MaterialApproved(
        material_id=record.material.id,
        version_id=version.id,
        school_sourced_id=record.material.school_sourced_id,
        subject=version.subject,
        grades=tuple(version.grades),
        passed_at=version.passed_at,
        approved_at=version.approved_at,
        file_sha256=record.files[0].content.sha256,
    )


def _moved(record: MaterialRecord, step: ReviewStep) -> ReviewMoved:
    version = record.version
    return ReviewMoved(
        material_id=record.material.id,
        version_id=version.id,
        version_number=version.number,
        school_sourced_id=record.material.school_sourced_id,
        subject=version.subject,
        grades=tuple(version.grades),
        author=version.author,
        actor=step.actor,
        action=step.action,
        from_state=step.from_state,
        to_state=step.to_state,
        at=step.at,
    )
