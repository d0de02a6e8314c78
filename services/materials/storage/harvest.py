"""Named queries over what harvesters may have of the shelf: public items, and tombstones of those that were."""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from services.materials.domain.oai import Selection
from services.materials.storage.shelf_tables import ShelfItem

_SETTLED = text("SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)")
_SECOND = dt.timedelta(seconds=1)


def _known() -> ColumnElement[bool]:
    return or_(ShelfItem.public, ShelfItem.was_public)


async def records(session: AsyncSession, selection: Selection, limit: int) -> Sequence[ShelfItem]:
    """The next records in the order of their changes; nothing is passed by that commits late."""
    settled = (await session.execute(_SETTLED)).scalar_one()
    conditions = [_known(), ShelfItem.written_by < settled, *_selected(selection)]
    if selection.after is not None:
        conditions.append(tuple_(ShelfItem.changed_at, ShelfItem.material_id) > selection.after)
    statement = select(ShelfItem).where(*conditions).order_by(ShelfItem.changed_at, ShelfItem.material_id)
    return (await session.execute(statement.limit(limit))).scalars().all()


async def record(session: AsyncSession, material_id: UUID) -> ShelfItem | None:
    statement = select(ShelfItem).where(ShelfItem.material_id == material_id, _known())
    return (await session.execute(statement)).scalar_one_or_none()


async def earliest(session: AsyncSession) -> dt.datetime | None:
    statement = select(func.min(ShelfItem.changed_at)).where(_known())
    return (await session.execute(statement)).scalar_one()


async def schools(session: AsyncSession) -> Sequence[str]:
    """Schools of which something is public."""
    statement = select(ShelfItem.school_sourced_id).where(_known()).distinct().order_by(ShelfItem.school_sourced_id)
    return (await session.execute(statement)).scalars().all()


def _selected(selection: Selection) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if selection.first is not None:
        found.append(ShelfItem.changed_at >= selection.first)
    if selection.last is not None:
        found.append(ShelfItem.changed_at < selection.last + _SECOND)
    kind, _, value = (selection.set or "").partition(":")
    if kind == "subject" and value:
        found.append(or_(ShelfItem.subject == value, ShelfItem.other_subjects.contains([value])))
    elif kind == "grade" and value:
        found.append(ShelfItem.grades.contains([value]))
    elif kind == "school" and value:
        found.append(ShelfItem.school_sourced_id == value)
    return found
