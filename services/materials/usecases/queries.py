"""Reading the library."""

from uuid import UUID

from services.materials.storage import materials
from services.materials.storage.materials import Filters, MaterialRecord
from services.materials.usecases.grants import material_unknown, reader_of
from shared.auth import Principal
from shared.db.unit_of_work import UnitOfWork

SCOPE = "materials.read"


async def read_material(uow: UnitOfWork, principal: Principal, material_id: UUID) -> MaterialRecord:
    """One material with its review history. Raises `material.unknown` for what the caller may not see."""
    principal.require_scope(SCOPE)
    record = await materials.find(uow.session, material_id, await reader_of(uow, principal))
    if record is None:
        raise material_unknown()
    return record


async def list_materials(
    uow: UnitOfWork, principal: Principal, filters: Filters, *, before: UUID | None, limit: int
) -> tuple[list[MaterialRecord], UUID | None]:
    """At most `limit` materials, newest first, and the key of the following page (None on the last)."""
    principal.require_scope(SCOPE)
    found = await materials.page(uow.session, await reader_of(uow, principal), filters, before=before, limit=limit + 1)
    shown = found[:limit]
    return shown, shown[-1].material.id if len(found) > limit else None
