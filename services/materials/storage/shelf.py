"""Named queries over the city's shared shelf."""

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.materials.storage.materials import MaterialRecord
from services.materials.storage.shelf_tables import ShelfItem

_WRITTEN_BY = text("pg_current_xact_id()::text::bigint")
_TAKEN_OVER = (
    "title",
    "description",
    "type",
    "subject",
    "other_subjects",
    "grades",
    "requirements",
    "language",
    "authors",
    "licence",
    "sources",
    "rights_statement",
    "duration_seconds",
)


async def put(
    session: AsyncSession, record: MaterialRecord, history: Sequence[dict[str, Any]], *, public: bool, at: dt.datetime
) -> None:
    """Place a version on the shelf, in place of the version of the same material that stood there."""
    version = record.version
    files = [
        {
            "position": held.file.position,
            "name": held.file.name,
            "mediaType": held.content.media_type,
            "size": held.content.size,
            "sha256": held.content.sha256,
        }
        for held in record.files
    ]
    values = {
        "version_id": version.id,
        "school_sourced_id": version.school_sourced_id,
        "number": version.number,
        **{name: getattr(version, name) for name in _TAKEN_OVER},
        "files": files,
        "history": list(history),
        "public": public,
        "shared_at": at,
        "changed_at": at,
        "written_by": _WRITTEN_BY,
        "withdrawn_at": None,
    }
    statement = insert(ShelfItem).values(material_id=record.material.id, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=["material_id"], set_=values))


async def withdraw(session: AsyncSession, material_id: UUID, *, at: dt.datetime) -> bool:
    """Leave a tombstone in place of an item; False when there is none to withdraw."""
    statement = (
        update(ShelfItem)
        .where(ShelfItem.material_id == material_id, ShelfItem.withdrawn_at.is_(None))
        .values(withdrawn_at=at, changed_at=at, written_by=_WRITTEN_BY)
        .returning(ShelfItem.material_id)
    )
    return (await session.execute(statement)).scalar_one_or_none() is not None


async def item(session: AsyncSession, material_id: UUID) -> ShelfItem | None:
    """An item or its tombstone."""
    statement = select(ShelfItem).where(ShelfItem.material_id == material_id)
    return (await session.execute(statement)).scalar_one_or_none()
