"""The city's shared shelf, for everyone who may read the library."""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from services.materials.storage import shelf
from services.materials.storage.shelf import ShelfFilters
from services.materials.storage.shelf_tables import ShelfItem
from services.materials.usecases.held_files import ShelfFile, shelf_file_at
from services.materials.usecases.queries import SCOPE
from shared.auth import Principal
from shared.db.unit_of_work import UnitOfWork
from shared.errors import not_found

ShelfKey = tuple[dt.datetime, UUID]


async def list_shelf(
    uow: UnitOfWork, who: Principal, filters: ShelfFilters, *, before: ShelfKey | None, limit: int
) -> tuple[Sequence[ShelfItem], ShelfKey | None]:
    """At most `limit` items, the newest first, and the key of the following page."""
    who.require_scope(SCOPE)
    found = await shelf.page(uow.session, filters, before=before, limit=limit + 1)
    shown = found[:limit]
    return shown, (shown[-1].changed_at, shown[-1].material_id) if len(found) > limit else None


async def read_item(uow: UnitOfWork, who: Principal, material_id: UUID) -> ShelfItem:
    """Raises `shelf.unknown`, and `shelf.withdrawn` (410) for a tombstone."""
    who.require_scope(SCOPE)
    found = await shelf.item(uow.session, material_id)
    if found is None:
        raise not_found("shelf.unknown", vi="Không có ở kho dùng chung.", en="It is not on the shared shelf.")
    if found.withdrawn_at is not None:
        raise not_found(
            "shelf.withdrawn",
            vi="Học liệu này đã được rút khỏi kho dùng chung.",
            en="This material was withdrawn from the shared shelf.",
            withdrawnAt=found.withdrawn_at.isoformat(),
        )
    return found


async def read_shelf_file(uow: UnitOfWork, who: Principal, material_id: UUID, position: int) -> ShelfFile:
    """A file of a shared version. Raises what `read_item` does, `file.unknown` and `file.infected`."""
    return await shelf_file_at(uow, await read_item(uow, who, material_id), position)
