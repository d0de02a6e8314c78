"""Who appraises for the city: heads nominate by subject and level, the department appoints for a time."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.materials.domain.catalogue import subjects
from services.materials.domain.review import By
from services.materials.storage import orgs, panel
from services.materials.storage.panel_tables import PanelMember
from services.materials.usecases.grants import require_member, school_unknown, scope_of
from shared.auth import Principal
from shared.db.unit_of_work import UnitOfWork
from shared.errors import FieldError, Text, conflict, forbidden, invalid, not_found
from shared.ids import new_id

SCOPE = "materials.appraise"
LEVELS = frozenset({"lower_secondary", "upper_secondary"})


@dataclass(frozen=True, slots=True)
class Nomination:
    """A person of a school, for subjects and levels."""

    person: str
    school: str
    subjects: tuple[str, ...]
    levels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Appointment:
    """From when to when, and whether they lead: a lead decides once the appraisals are in."""

    valid_from: dt.date
    valid_to: dt.date | None
    lead: bool


async def is_department(uow: UnitOfWork, who: Principal) -> bool:
    """An officer whose grant is on the department itself: a role in a token is tied to no unit."""
    return who.kind == "user" and who.has_role("department_officer") and (await scope_of(uow, who)).everything


async def require_department(uow: UnitOfWork, who: Principal) -> None:
    """Raise unless the caller speaks for the department."""
    who.require_scope(SCOPE)
    if not await is_department(uow, who):
        raise forbidden(
            "panel.department_only",
            vi="Việc này chỉ cán bộ của Sở mới được làm.",
            en="Only an officer of the department may do this.",
        )


async def nominate(uow: UnitOfWork, who: Principal, given: Nomination) -> PanelMember:
    """The head of the school names somebody; nothing follows before the department appoints."""
    who.require_scope(SCOPE)
    if await orgs.school(uow.session, given.school) is None or not (await scope_of(uow, who)).covers(given.school):
        raise school_unknown()
    require_member(who, given.school)
    who.require_role(By.HEAD.value)
    row = _row(given)
    row.nominated_by, row.nominated_at = who.subject, await uow.now()
    return await _add(uow, row)


async def appoint_directly(uow: UnitOfWork, who: Principal, given: Nomination, terms: Appointment) -> PanelMember:
    """The department appoints somebody no school has named."""
    await require_department(uow, who)
    if await orgs.school(uow.session, given.school) is None:
        raise school_unknown()
    row = _row(given)
    await _appoint(uow, who, row, terms)
    return await _add(uow, row)


async def appoint(uow: UnitOfWork, who: Principal, member_id: UUID, terms: Appointment) -> PanelMember:
    """The department takes a nomination up."""
    await require_department(uow, who)
    row = await _member(uow, member_id)
    if row.appointed_at is not None:
        raise conflict("member.appointed", vi="Người này đã được chỉ định.", en="They are appointed already.")
    await _appoint(uow, who, row, terms)
    await uow.session.flush()
    return row


async def end(uow: UnitOfWork, who: Principal, member_id: UUID) -> PanelMember:
    """From now on they are asked no more; what they were asked stays theirs until it is due."""
    await require_department(uow, who)
    row = await _member(uow, member_id)
    row.ended_by, row.ended_at = who.subject, await uow.now()
    await uow.session.flush()
    return row


async def list_members(
    uow: UnitOfWork, who: Principal, *, subject: str | None, waiting: bool | None, limit: int
) -> Sequence[PanelMember]:
    await require_department(uow, who)
    today = await orgs.today(uow.session)
    return await panel.members(uow.session, subject=subject, waiting=waiting, today=today, limit=limit)


def _row(given: Nomination) -> PanelMember:
    faults = [
        FieldError(f"/subjects/{place}", "subject.unknown", Text("Không có mã môn học này.", "No such subject."))
        for place, subject in enumerate(given.subjects)
        if subject not in subjects()
    ]
    if faults:
        raise invalid("member.invalid", vi="Đề cử chưa hợp lệ.", en="The nomination is not valid.", errors=faults)
    return PanelMember(
        id=new_id(),
        person=given.person,
        school_sourced_id=given.school,
        subjects=list(given.subjects),
        levels=list(given.levels),
        lead=False,
    )


async def _appoint(uow: UnitOfWork, who: Principal, row: PanelMember, terms: Appointment) -> None:
    if terms.valid_to is not None and terms.valid_to < terms.valid_from:
        fault = FieldError(
            "/validTo", "field.invalid", Text("Kết thúc trước khi bắt đầu.", "It ends before it begins.")
        )
        raise invalid("member.invalid", vi="Thời hạn chưa hợp lệ.", en="The term is not valid.", errors=[fault])
    row.appointed_by, row.appointed_at = who.subject, await uow.now()
    row.valid_from, row.valid_to, row.lead = terms.valid_from, terms.valid_to, terms.lead


async def _add(uow: UnitOfWork, row: PanelMember) -> PanelMember:
    uow.session.add(row)
    await uow.session.flush()
    return row


async def _member(uow: UnitOfWork, member_id: UUID) -> PanelMember:
    row = await uow.session.get(PanelMember, member_id, with_for_update=True)
    if row is None or row.ended_at is not None:
        raise not_found("member.unknown", vi="Không có thành viên này.", en="There is no such member.")
    return row
