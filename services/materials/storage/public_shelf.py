"""Named queries over what of the city's shelf is public, or was: for harvesters, search engines and everybody."""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Select, false, func, or_, select, text, true, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from services.materials.domain.oai import Place, Selection, SetSpec
from services.materials.storage.shelf_tables import ShelfItem

_EVER_PUBLIC = ShelfItem.public_since.is_not(None)
_KEY = tuple_(ShelfItem.changed_at, ShelfItem.material_id)
_BOUNDS = text(
    "SELECT material_id FROM (SELECT material_id, row_number() OVER (ORDER BY material_id) AS n FROM shelf_item "
    "WHERE public AND withdrawn_at IS NULL) AS k WHERE n % :size = 0 ORDER BY material_id"
)


async def listed(
    session: AsyncSession, selection: Selection, after: Place | None, settled: dt.datetime, limit: int
) -> Sequence[ShelfItem]:
    """Items and tombstones in the order of their changes, those before `settled`, without their history."""
    statement = _selected(selection).where(ShelfItem.changed_at < settled)
    if after is not None:
        statement = statement.where((after.changed_at, after.material_id) < _KEY)
    statement = statement.order_by(ShelfItem.changed_at, ShelfItem.material_id).limit(limit)
    return (await session.execute(statement)).scalars().all()


async def last(session: AsyncSession, selection: Selection, place: Place) -> Sequence[ShelfItem]:
    """The one item at this place or nearest before it."""
    statement = _selected(selection).where((place.changed_at, place.material_id) >= _KEY)
    statement = statement.order_by(ShelfItem.changed_at.desc(), ShelfItem.material_id.desc()).limit(1)
    return (await session.execute(statement)).scalars().all()


def _selected(selection: Selection) -> Select[ShelfItem]:
    conditions = [_EVER_PUBLIC, _in_set(selection.set)]
    if selection.since is not None:
        conditions.append(ShelfItem.changed_at >= selection.since)
    if selection.before is not None:
        conditions.append(ShelfItem.changed_at < selection.before)
    return select(ShelfItem).options(defer(ShelfItem.history, raiseload=True)).where(*conditions)


def _in_set(spec: SetSpec | None) -> ColumnElement[bool]:
    if spec is None:
        return true()
    if spec.value is None:
        # Every item has a main subject, grades and a school: the upper nodes hold all.
        return true() if spec.kind in {"subject", "grade", "school"} else false()
    if spec.kind == "subject":
        return or_(ShelfItem.subject == spec.value, ShelfItem.other_subjects.contains([spec.value]))
    if spec.kind == "grade":
        return ShelfItem.grades.contains([spec.value])
    return ShelfItem.school_sourced_id == spec.value if spec.kind == "school" else false()


async def known(session: AsyncSession, material_id: UUID) -> ShelfItem | None:
    """An item that is or was public; the second has `public` false or `withdrawn_at`."""
    statement = select(ShelfItem).where(ShelfItem.material_id == material_id, _EVER_PUBLIC)
    return (await session.execute(statement)).scalar_one_or_none()


async def earliest(session: AsyncSession) -> dt.datetime | None:
    statement = select(func.min(ShelfItem.changed_at)).where(_EVER_PUBLIC)
    return (await session.execute(statement)).scalar_one()


async def newest_change(session: AsyncSession) -> dt.datetime | None:
    """Of an item or a tombstone."""
    statement = select(func.max(ShelfItem.changed_at)).where(_EVER_PUBLIC)
    return (await session.execute(statement)).scalar_one()


async def schools(session: AsyncSession) -> Sequence[str]:
    """Schools that items come from, in the order of their codes."""
    school = ShelfItem.school_sourced_id
    statement = select(school).where(_EVER_PUBLIC).group_by(school).order_by(school)
    return (await session.execute(statement)).scalars().all()


async def bounds(session: AsyncSession, size: int) -> Sequence[UUID]:
    """The last id of each `size` public items in the order of ids, which no change moves."""
    return (await session.execute(_BOUNDS, {"size": size})).scalars().all()


async def addresses(session: AsyncSession, after: UUID | None, limit: int) -> Sequence[tuple[UUID, dt.datetime]]:
    """Ids of public items behind `after`, each with its last change."""
    statement = select(ShelfItem.material_id, ShelfItem.changed_at).where(
        ShelfItem.public, ShelfItem.withdrawn_at.is_(None)
    )
    if after is not None:
        statement = statement.where(ShelfItem.material_id > after)
    rows = await session.execute(statement.order_by(ShelfItem.material_id).limit(limit))
    return [(row.material_id, row.changed_at) for row in rows]
