"""Named queries over the city's shared shelf."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.materials.storage.materials import MaterialRecord
from services.materials.storage.search.documents import touch
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
    before = {"was_public": or_(ShelfItem.was_public, ShelfItem.public)}
    await session.execute(statement.on_conflict_do_update(index_elements=["material_id"], set_=values | before))
    await touch(session, record.material.id)


async def withdraw(session: AsyncSession, material_id: UUID, *, at: dt.datetime) -> bool:
    """Leave a tombstone in place of an item; False when there is none to withdraw."""
    statement = (
        update(ShelfItem)
        .where(ShelfItem.material_id == material_id, ShelfItem.withdrawn_at.is_(None))
        .values(withdrawn_at=at, changed_at=at, written_by=_WRITTEN_BY)
        .returning(ShelfItem.material_id)
    )
    if (await session.execute(statement)).scalar_one_or_none() is None:
        return False
    await touch(session, material_id)
    return True


@dataclass(frozen=True, slots=True)
class ShelfFilters:
    """None leaves a filter out."""

    subject: str | None = None
    grade: str | None = None
    type: str | None = None
    school: str | None = None
    requirement: str | None = None


async def page(
    session: AsyncSession, filters: ShelfFilters, *, before: tuple[dt.datetime, UUID] | None, limit: int
) -> Sequence[ShelfItem]:
    """What is shared, the newest change first."""
    statement = select(ShelfItem).where(ShelfItem.withdrawn_at.is_(None), *_conditions(filters))
    if before is not None:
        statement = statement.where(tuple_(ShelfItem.changed_at, ShelfItem.material_id) < before)
    statement = statement.order_by(ShelfItem.changed_at.desc(), ShelfItem.material_id.desc()).limit(limit)
    return (await session.execute(statement)).scalars().all()


def _conditions(filters: ShelfFilters) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.subject is not None:
        others = ShelfItem.other_subjects.contains([filters.subject])
        found.append(or_(ShelfItem.subject == filters.subject, others))
    if filters.grade is not None:
        found.append(ShelfItem.grades.contains([filters.grade]))
    if filters.requirement is not None:
        found.append(ShelfItem.requirements.contains([filters.requirement]))
    if filters.type is not None:
        found.append(ShelfItem.type == filters.type)
    if filters.school is not None:
        found.append(ShelfItem.school_sourced_id == filters.school)
    return found


async def items(session: AsyncSession, ids: Collection[UUID]) -> Sequence[ShelfItem]:
    """Those of these materials that are shared now."""
    statement = select(ShelfItem).where(ShelfItem.material_id.in_(ids), ShelfItem.withdrawn_at.is_(None))
    return (await session.execute(statement)).scalars().all()


async def item(session: AsyncSession, material_id: UUID) -> ShelfItem | None:
    """An item or its tombstone."""
    statement = select(ShelfItem).where(ShelfItem.material_id == material_id)
    return (await session.execute(statement)).scalar_one_or_none()
