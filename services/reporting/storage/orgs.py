"""The projected org tree: who is above whom on a day. Edges and units are valid in time, ends inclusive."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from services.reporting.domain.orgs import OrgKind, Unit
from services.reporting.storage.tables import Org, OrgParent
from shared.contracts.sync_v1 import OrgChanged

# Taken by everything that must not miss, or be missed by, the opening of a campaign: shared by whoever changes a
# projection, exclusive for the opening. Without it a school announced at that moment would have no submission.
_LOCK_KEY = 7305820
_HOLD_STILL = text("SELECT pg_advisory_xact_lock(:key)").bindparams(key=_LOCK_KEY)
_JOIN_IN = text("SELECT pg_advisory_xact_lock_shared(:key)").bindparams(key=_LOCK_KEY)

_TODAY = text("SELECT (clock_timestamp() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date")

_CHAINS = text(
    """
    WITH RECURSIVE chain (start, sourced_id) AS (
        SELECT start, start FROM unnest(CAST(:starts AS text[])) AS start
        UNION
        SELECT chain.start, edge.parent_sourced_id
        FROM chain
        JOIN org_parent AS edge ON edge.child_sourced_id = chain.sourced_id
         AND coalesce(edge.valid_from, '-infinity') <= :day AND coalesce(edge.valid_to, 'infinity') >= :day
    )
    SELECT chain.start, org.sourced_id, org.kind, org.name FROM chain JOIN org USING (sourced_id)
    """
)

_BELOW = text(
    """
    WITH RECURSIVE below (sourced_id) AS (
        SELECT start FROM unnest(CAST(:starts AS text[])) AS start
        UNION
        SELECT edge.child_sourced_id
        FROM below
        JOIN org_parent AS edge ON edge.parent_sourced_id = below.sourced_id
         AND coalesce(edge.valid_from, '-infinity') <= :day AND coalesce(edge.valid_to, 'infinity') >= :day
    )
    SELECT org.sourced_id FROM below JOIN org USING (sourced_id) WHERE org.kind = 'school'
    """
)


@dataclass(frozen=True, slots=True)
class Named:
    unit: Unit
    name: str


async def hold_projections_still(session: AsyncSession) -> None:
    """Until the end of the transaction no projection changes and no other campaign opens."""
    await session.execute(_HOLD_STILL)


async def join_projections(session: AsyncSession) -> None:
    """Wait for a campaign that is being opened; others who change projections are not waited for."""
    await session.execute(_JOIN_IN)


async def today(session: AsyncSession) -> dt.date:
    """The day it is in Vietnam, by the database's clock."""
    day: dt.date = (await session.execute(_TODAY)).scalar_one()
    return day


async def kinds(session: AsyncSession, sourced_ids: Collection[str]) -> dict[str, OrgKind]:
    """The kinds of those units that are known."""
    rows = await session.execute(select(Org.sourced_id, Org.kind).where(Org.sourced_id.in_(sourced_ids)))
    return {row.sourced_id: OrgKind(row.kind) for row in rows}


async def named(session: AsyncSession, sourced_ids: Collection[str]) -> dict[str, Named]:
    rows = await session.execute(select(Org.sourced_id, Org.kind, Org.name).where(Org.sourced_id.in_(sourced_ids)))
    return {row.sourced_id: Named(Unit(row.sourced_id, OrgKind(row.kind)), row.name) for row in rows}


async def chain(session: AsyncSession, sourced_id: str, day: dt.date) -> list[Named]:
    """The unit and everything above it on `day`, highest first; empty when the unit is not known."""
    rows = await session.execute(_CHAINS, {"starts": [sourced_id], "day": day})
    found = [Named(Unit(row.sourced_id, OrgKind(row.kind)), row.name) for row in rows]
    if not any(entry.unit.sourced_id == sourced_id for entry in found):
        return []
    order = list(OrgKind)
    return sorted(found, key=lambda entry: (order.index(entry.unit.kind), entry.unit.sourced_id))


async def schools_below(session: AsyncSession, sourced_ids: Collection[str], day: dt.date) -> Sequence[str]:
    """The schools at or below these units on `day`."""
    rows = await session.execute(_BELOW, {"starts": sorted(sourced_ids), "day": day})
    return rows.scalars().all()


async def replace_org(session: AsyncSession, data: OrgChanged) -> None:
    """The unit as the event says it now is, with all its parent edges."""
    values = {
        "kind": data.kind,
        "name": data.name,
        "level": data.level,
        "valid_from": data.valid_from,
        "valid_to": data.valid_to,
    }
    statement = upsert(Org).values(sourced_id=data.sourced_id, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=["sourced_id"], set_=values))
    await session.execute(delete(OrgParent).where(OrgParent.child_sourced_id == data.sourced_id))
    if data.parents:
        edges = [
            {
                "child_sourced_id": data.sourced_id,
                "parent_sourced_id": parent.sourced_id,
                "valid_from": parent.valid_from,
                "valid_to": parent.valid_to,
            }
            for parent in data.parents
        ]
        await session.execute(insert(OrgParent), edges)
