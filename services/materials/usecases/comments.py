"""Remarks on a version, between its author and those who review it."""

from collections.abc import Sequence
from uuid import UUID

from services.materials.storage import review
from services.materials.storage.tables import VersionComment
from services.materials.usecases.grants import require_member
from services.materials.usecases.held_files import file_unknown
from services.materials.usecases.queries import read_material
from shared.auth import Principal
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id


async def add_comment(
    uow: UnitOfWork,
    who: Principal,
    material_id: UUID,
    *,
    words: str,
    number: int | None,
    position: int | None,
    place: str | None,
) -> VersionComment:
    """A remark by a person of the school on the version they are shown, or on version `number`."""
    record = await read_material(uow, who, material_id, number=number)
    require_member(who, record.material.school_sourced_id)
    if position is not None and position not in {held.file.position for held in record.files}:
        raise file_unknown()
    row = VersionComment(
        id=new_id(),
        version_id=record.version.id,
        school_sourced_id=record.material.school_sourced_id,
        author=who.subject,
        text=words,
        position=position,
        place=place,
        at=await uow.now(),
    )
    uow.session.add(row)
    await uow.session.flush()
    return row


async def list_comments(
    uow: UnitOfWork, who: Principal, material_id: UUID, *, number: int | None, after: UUID | None, limit: int
) -> tuple[Sequence[VersionComment], UUID | None]:
    """Remarks on one version, oldest first, for people of its school and the department."""
    record = await read_material(uow, who, material_id, number=number)
    rows = await review.comments_of(uow.session, record.version.id, after=after, limit=limit + 1)
    shown = rows[:limit]
    return shown, shown[-1].id if len(rows) > limit else None
