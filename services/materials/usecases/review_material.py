"""From draft to approved: submit, pass, approve, or return with a reason (Circular 09/2021 art. 7)."""

from collections.abc import Callable
from uuid import UUID

from services.materials.domain.review import Action, Person, State, decide
from services.materials.storage import materials
from services.materials.storage.materials import MaterialRecord
from services.materials.storage.tables import ReviewStep
from services.materials.usecases.grants import material_unknown, reader_of, require_member
from shared.auth import Principal
from shared.contracts.materials_v1 import MaterialApproved
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id

VersionCheck = Callable[[int], None]  # raises when the caller decided on an older version of the row


async def submit_material(uow: UnitOfWork, who: Principal, material_id: UUID, check: VersionCheck) -> MaterialRecord:
    """The author hands the newest version to the subject group; from now on it is immutable."""
    who.require_scope("materials.write")
    return await _act(uow, who, material_id, Action.SUBMIT, check)


async def pass_material(uow: UnitOfWork, who: Principal, material_id: UUID, check: VersionCheck) -> MaterialRecord:
    """The subject group's step (`group_lead` of the school)."""
    who.require_scope("materials.review")
    return await _act(uow, who, material_id, Action.PASS, check)


async def approve_material(uow: UnitOfWork, who: Principal, material_id: UUID, check: VersionCheck) -> MaterialRecord:
    """The head's step. From its commit on the version is in use, and everyone who counts it is told."""
    who.require_scope("materials.review")
    record = await _act(uow, who, material_id, Action.APPROVE, check)
    await uow.emit(_approved(record), aggregate=f"material:{material_id}")
    return record


async def return_material(
    uow: UnitOfWork, who: Principal, material_id: UUID, reason: str, check: VersionCheck
) -> MaterialRecord:
    """Back to the author, by whoever's turn it is, with a reason."""
    who.require_scope("materials.review")
    return await _act(uow, who, material_id, Action.RETURN, check, reason)


async def _act(
    uow: UnitOfWork,
    who: Principal,
    material_id: UUID,
    action: Action,
    check: VersionCheck,
    reason: str | None = None,
) -> MaterialRecord:
    record = await materials.find(uow.session, material_id, await reader_of(uow, who), lock=True)
    if record is None:
        raise material_unknown()
    require_member(who, record.material.school_sourced_id)
    check(record.material.version)
    before = State(record.version.state)
    person = Person(who.subject, who.roles)
    after = decide(before, action, person, author=record.version.author, reason=reason)
    step = await _write(uow, record, action, after, who.subject, reason)
    return MaterialRecord(record.material, record.version, record.file, record.content, [*record.steps, step])


async def _write(
    uow: UnitOfWork, record: MaterialRecord, action: Action, after: State, actor: str, reason: str | None
) -> ReviewStep:
    now = await uow.now()
    version, material = record.version, record.material
    step = ReviewStep(
        id=new_id(),
        version_id=version.id,
        school_sourced_id=material.school_sourced_id,
        action=action.value,
        from_state=version.state,
        to_state=after.value,
        actor=actor,
        reason=reason.strip() if reason else None,
        at=now,
    )
    version.state = after.value
    if after is State.SUBMITTED:
        version.submitted_at, version.passed_at = now, None
    elif after is State.PASSED:
        version.passed_at = now
    elif after is State.APPROVED:
        version.approved_at = now
        material.approved_number = version.number
    else:
        version.passed_at = None
    material.version += 1
    uow.session.add(step)
    await uow.session.flush()
    return step


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
        file_sha256=record.content.sha256,
    )
