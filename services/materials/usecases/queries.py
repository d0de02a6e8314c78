"""Reading the library."""

from collections.abc import Sequence
from uuid import UUID

from services.materials.storage import materials
from services.materials.storage.files import HeldFile
from services.materials.storage.materials import Filters, MaterialRecord
from services.materials.storage.tables import MaterialVersion
from services.materials.usecases.grants import READ, material_unknown, reader_of
from services.materials.usecases.held_files import file_at
from shared.auth import Principal
from shared.db.unit_of_work import UnitOfWork

SCOPE = READ


async def read_material(
    uow: UnitOfWork, principal: Principal, material_id: UUID, *, number: int | None = None
) -> MaterialRecord:
    """One material with its review history. Raises `material.unknown` for what the caller may not see."""
    principal.require_scope(SCOPE)
    record = await materials.find(uow.session, material_id, await reader_of(uow, principal), number=number)
    if record is None:
        raise material_unknown()
    return record


async def read_file(
    uow: UnitOfWork, principal: Principal, material_id: UUID, *, position: int | None, number: int | None
) -> HeldFile:
    """A file of a version the caller may see; the first when `position` is None. Raises `file.unknown`."""
    record = await read_material(uow, principal, material_id, number=number)
    return file_at(record.files, position)


async def list_versions(uow: UnitOfWork, principal: Principal, material_id: UUID) -> Sequence[MaterialVersion]:
    """The versions the caller may see, newest first. Raises `material.unknown` when there is none."""
    principal.require_scope(SCOPE)
    rows = await materials.versions_of(uow.session, material_id, await reader_of(uow, principal))
    if not rows:
        raise material_unknown()
    return rows


async def list_materials(
    uow: UnitOfWork, principal: Principal, filters: Filters, *, before: UUID | None, limit: int
) -> tuple[list[MaterialRecord], UUID | None]:
    """At most `limit` materials, newest first, and the key of the following page (None on the last)."""
    principal.require_scope(SCOPE)
    found = await materials.page(uow.session, await reader_of(uow, principal), filters, before=before, limit=limit + 1)
    shown = found[:limit]
    return shown, shown[-1].material.id if len(found) > limit else None
