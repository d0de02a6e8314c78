"""Named queries over curriculum requirements."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.materials.storage.requirement_tables import RequirementFramework, RequirementItem

_KEY = ("framework_id", "code")
# A statement has at most 65,535 parameters, and a row 15.
_ROWS = 2000


@dataclass(frozen=True, slots=True)
class RequirementFilters:
    """`below` asks for a code and everything under it; `words` are folded, and each must be there."""

    subject: str | None = None
    grade: str | None = None
    parent: str | None = None
    below: str | None = None
    words: tuple[str, ...] = ()


async def lock_framework(session: AsyncSession, framework: UUID) -> None:
    """Two imports of one framework wait for each other, the first one too, when there is no row to lock."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"requirements:{framework}", 0))))


async def any_framework(session: AsyncSession) -> bool:
    return (await session.execute(select(RequirementFramework.id).limit(1))).scalar_one_or_none() is not None


async def framework(session: AsyncSession, framework_id: UUID) -> RequirementFramework | None:
    return await session.get(RequirementFramework, framework_id)


async def in_force(session: AsyncSession, framework_id: UUID) -> Sequence[RequirementItem]:
    """Items of a framework that have not ended, in the order they were read."""
    statement = (
        select(RequirementItem)
        .where(RequirementItem.framework_id == framework_id, RequirementItem.valid_to.is_(None))
        .order_by(RequirementItem.position)
    )
    return (await session.execute(statement)).scalars().all()


async def write_framework(session: AsyncSession, values: Mapping[str, Any]) -> None:
    statement = insert(RequirementFramework).values(**values)
    changed = {name: statement.excluded[name] for name in values if name != "id"}
    await session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=changed))


async def write_items(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add items or write them as they now are; one that is in force keeps the day it began."""
    for start in range(0, len(rows), _ROWS):
        statement = insert(RequirementItem).values([dict(row) for row in rows[start : start + _ROWS]])
        changed: dict[str, Any] = {name: statement.excluded[name] for name in rows[0] if name not in _KEY}
        changed["valid_from"] = func.least(RequirementItem.valid_from, statement.excluded.valid_from)
        await session.execute(statement.on_conflict_do_update(index_elements=_KEY, set_=changed))


async def end_items(session: AsyncSession, framework_id: UUID, codes: Collection[str], today: dt.date) -> None:
    await session.execute(
        update(RequirementItem)
        .where(RequirementItem.framework_id == framework_id, RequirementItem.code.in_(codes))
        .values(valid_to=today)
    )


async def of_codes(session: AsyncSession, codes: Collection[str]) -> Sequence[RequirementItem]:
    """Every item with one of these codes, ended ones too; those in force first."""
    statement = (
        select(RequirementItem)
        .where(RequirementItem.code.in_(codes))
        .order_by(RequirementItem.valid_to.desc().nulls_first(), RequirementItem.framework_id)
    )
    return (await session.execute(statement)).scalars().all()


async def page(
    session: AsyncSession, filters: RequirementFilters, *, after: tuple[UUID, int] | None, limit: int
) -> Sequence[RequirementItem]:
    """Items in force in the order of their trees, one more than `limit` when there are more."""
    item = RequirementItem
    statement = select(item).where(item.valid_to.is_(None))
    if filters.subject is not None:
        statement = statement.where(item.subject == filters.subject)
    if filters.grade is not None:
        statement = statement.where(item.grades.contains([filters.grade]))
    if filters.parent is not None:
        statement = statement.where(item.parent == filters.parent)
    if filters.below is not None:
        statement = statement.where(item.path.contains([filters.below]))
    for word in filters.words:
        statement = statement.where(item.folded.contains(word, autoescape=True))
    if after is not None:
        statement = statement.where(tuple_(item.framework_id, item.position) > after)
    statement = statement.order_by(item.framework_id, item.position).limit(limit + 1)
    return (await session.execute(statement)).scalars().all()
