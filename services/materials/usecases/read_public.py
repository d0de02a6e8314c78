"""The shelf as everybody may see it: single items, their files, what is new, all addresses."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from services.materials.storage import public_shelf, shelf
from services.materials.storage.shelf import ShelfFilters
from services.materials.storage.shelf_tables import ShelfItem
from services.materials.usecases.harvest import is_deleted
from services.materials.usecases.held_files import ShelfFile, shelf_file_at
from shared.db.unit_of_work import UnitOfWork
from shared.errors import AppError, not_found

NEWEST = 50
# Far below the 50,000 a sitemap may hold: one is written in a few milliseconds.
SITEMAP_SIZE = 10_000


async def read_public(uow: UnitOfWork, material_id: UUID) -> ShelfItem:
    """Raises `shelf.unknown` (404), and `shelf.withdrawn` (410) for what was public once."""
    found = await public_shelf.known(uow.session, material_id)
    if found is None:
        raise unknown()
    if is_deleted(found):
        raise not_found(
            "shelf.withdrawn",
            vi="Học liệu này đã được rút khỏi kho dùng chung hoặc không còn công khai.",
            en="This material was withdrawn from the shared shelf or is public no more.",
        )
    return found


def unknown() -> AppError:
    return not_found("shelf.unknown", vi="Không có học liệu công khai này.", en="There is no such material in public.")


async def read_public_file(uow: UnitOfWork, material_id: UUID, position: int) -> ShelfFile:
    """A file of a public version. Raises what `read_public` does, `file.unknown` and `file.infected`."""
    return await shelf_file_at(uow, await read_public(uow, material_id), position)


async def newest(uow: UnitOfWork, filters: ShelfFilters) -> tuple[Sequence[ShelfItem], dt.datetime | None]:
    """The items everybody may see that changed last, newest first; and when anything changed or went last."""
    settled = await shelf.settled_before(uow.session)
    changed = await public_shelf.newest_change(uow.session)
    found = await shelf.page(uow.session, replace(filters, public_only=True), before=None, limit=NEWEST)
    return found, None if changed is None else min(changed, settled)


async def sitemap_starts(uow: UnitOfWork) -> list[UUID | None]:
    """Behind which id each sitemap begins."""
    return [None, *await public_shelf.bounds(uow.session, SITEMAP_SIZE)]


async def sitemap(uow: UnitOfWork, after: UUID | None) -> Sequence[tuple[UUID, dt.datetime]]:
    return await public_shelf.addresses(uow.session, after, SITEMAP_SIZE)
