"""Named queries over the projection of the org tree."""

import datetime as dt
from collections.abc import Collection, Sequence

from sqlalchemy import delete, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.materials.storage.tables import Org, OrgParent

_TODAY = text("SELECT (clock_timestamp() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date")
_SCHOOLS_BELOW = text(
    """
    WITH RECURSIVE reach (sourced_id) AS (
        SELECT unnest(CAST(:units AS text[]))
        UNION
        SELECT p.sourced_id FROM reach r JOIN org_parent p ON p.parent_sourced_id = r.sourced_id
        WHERE (p.valid_from IS NULL OR p.valid_from <= :today) AND (p.valid_to IS NULL OR p.valid_to >= :today)
    )
    SELECT o.sourced_id FROM reach JOIN org o USING (sourced_id) WHERE o.kind = 'school'
    """
)


async def today(session: AsyncSession) -> dt.date:
    """The present day in Vietnam by the database's clock."""
    day: dt.date = (await session.execute(_TODAY)).scalar_one()
    return day


async def kinds_of(session: AsyncSession, sourced_ids: Collection[str]) -> dict[str, str]:
    """The kind of each of these units; unknown ones are left out."""
    rows = await session.execute(select(Org.sourced_id, Org.kind).where(Org.sourced_id.in_(sourced_ids)))
    return {row.sourced_id: row.kind for row in rows}


async def schools_below(session: AsyncSession, units: Collection[str], on: dt.date) -> frozenset[str]:
    """Schools that stand under one of these units on that day, directly or not."""
    rows = await session.execute(_SCHOOLS_BELOW, {"units": sorted(units), "today": on})
    return frozenset(rows.scalars())


async def schools_on(session: AsyncSession, on: dt.date) -> frozenset[str]:
    """Every school there was on that day."""
    statement = select(Org.sourced_id).where(
        Org.kind == "school",
        or_(Org.valid_from.is_(None), Org.valid_from <= on),
        or_(Org.valid_to.is_(None), Org.valid_to >= on),
    )
    return frozenset((await session.execute(statement)).scalars())


async def levels_of(session: AsyncSession, schools: Collection[str]) -> frozenset[str]:
    """The levels of these schools."""
    rows = await session.execute(select(Org.level).where(Org.sourced_id.in_(schools)).distinct())
    return frozenset(level for level in rows.scalars() if level)


async def school(session: AsyncSession, sourced_id: str) -> Org | None:
    statement = select(Org).where(Org.sourced_id == sourced_id, Org.kind == "school")
    return (await session.execute(statement)).scalar_one_or_none()


async def replace(session: AsyncSession, org: Org, parents: Sequence[OrgParent]) -> None:
    """Write a unit as it now is, with all its parents."""
    await session.merge(org)
    await session.flush()
    await session.execute(delete(OrgParent).where(OrgParent.sourced_id == org.sourced_id))
    session.add_all(parents)
