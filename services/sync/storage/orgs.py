"""The org tree in SQL: reading it on a day, writing one unit, and which schools a grant covers."""

# ruff: noqa: S608  # statements are assembled from constants of this module; values are always bound

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import RowMapping, delete, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.sync.domain.org_tree import ParentEdge
from services.sync.storage.tables import Org, OrgParent

_ON = "({0}.valid_from IS NULL OR {0}.valid_from <= :day) AND ({0}.valid_to IS NULL OR :day <= {0}.valid_to)"
_VALID_ORG, _VALID_EDGE = _ON.format("o"), _ON.format("e")
_COLUMNS = (
    "o.sourced_id, o.kind, o.name, o.identifier, o.level, o.valid_from, o.valid_to, o.version, o.date_last_modified"
)

# A school is shown to whom it was granted; offices, communes and clusters are public knowledge.
_SHOWN = (
    "(o.kind <> 'school' OR current_setting('app.everything', true) = 'on' "
    "OR o.sourced_id = ANY (CAST(NULLIF(current_setting('app.schools', true), '') AS text[])))"
)
_UNDER = text(
    "WITH RECURSIVE below AS (SELECT unnest(CAST(:orgs AS text[])) AS sourced_id UNION "
    "SELECT e.sourced_id FROM org_parent e JOIN below b ON e.parent_sourced_id = b.sourced_id "
    f"WHERE {_VALID_EDGE}) "
    "SELECT o.sourced_id FROM org o JOIN below b ON b.sourced_id = o.sourced_id "
    f"WHERE o.kind = 'school' AND {_VALID_ORG}"
)
_ANY_DEPARTMENT = text(
    "SELECT EXISTS (SELECT 1 FROM org WHERE kind = 'department' AND sourced_id = ANY(CAST(:orgs AS text[])))"
)


async def covers_everything(session: AsyncSession, orgs: Iterable[str]) -> bool:
    """Whether one of the granted units is a department: it covers every school, also those that ended."""
    return bool((await session.execute(_ANY_DEPARTMENT, {"orgs": sorted(orgs)})).scalar_one())


async def schools_under(session: AsyncSession, orgs: Iterable[str], day: dt.date) -> list[str]:
    """The schools valid on `day` that the granted units cover."""
    return list((await session.execute(_UNDER, {"orgs": sorted(orgs), "day": day})).scalars())


async def registry_types(session: AsyncSession) -> dict[str, str]:
    """Kind by sourcedId of every unit that is not a school."""
    rows = await session.execute(text("SELECT sourced_id, kind FROM org WHERE kind <> 'school'"))
    return {row.sourced_id: row.kind for row in rows}


# The transaction id must exist before `dateLastModified` is taken: lists by date hold back what is younger than the
# oldest writer. The lock lets two first writers of one unit come one after the other.
_BEGIN = text("SELECT pg_advisory_xact_lock(hashtextextended('org ' || :id, 7)), pg_current_xact_id()")


async def begin_write(session: AsyncSession, sourced_id: str) -> None:
    """To be called before the time of a change of this unit is taken."""
    await session.execute(_BEGIN, {"id": sourced_id})


async def find_org(session: AsyncSession, sourced_id: str, *, lock: bool = False) -> Org | None:
    statement = select(Org).where(Org.sourced_id == sourced_id)
    return (await session.execute(statement.with_for_update() if lock else statement)).scalar_one_or_none()


async def shown_org(session: AsyncSession, sourced_id: str) -> RowMapping | None:
    statement = text(f"SELECT {_COLUMNS} FROM org o WHERE o.sourced_id = :id AND {_SHOWN}")
    return (await session.execute(statement, {"id": sourced_id})).mappings().one_or_none()


async def shown_orgs(
    session: AsyncSession, *, day: dt.date | None, kind: str | None, after: str | None, limit: int
) -> Sequence[RowMapping]:
    """A page of units in key order; with `day` only those valid on it."""
    conditions = [_SHOWN]
    if day is not None:
        conditions.append(_VALID_ORG)
    if kind is not None:
        conditions.append("o.kind = :kind")
    if after is not None:
        conditions.append("o.sourced_id > :after")
    statement = f"SELECT {_COLUMNS} FROM org o WHERE {' AND '.join(conditions)} ORDER BY o.sourced_id LIMIT :limit"
    given = {"day": day, "kind": kind, "after": after, "limit": limit}
    used = {name: value for name, value in given.items() if f":{name}" in statement}
    return (await session.execute(text(statement), used)).mappings().all()


async def parents_of(session: AsyncSession, sourced_ids: Sequence[str]) -> dict[str, list[RowMapping]]:
    """Every parent edge of the units, past and future ones too, oldest first."""
    rows = await session.execute(
        text(
            "SELECT sourced_id, parent_sourced_id, valid_from, valid_to FROM org_parent "
            "WHERE sourced_id = ANY(:ids) ORDER BY valid_from NULLS FIRST, position"
        ),
        {"ids": list(sourced_ids)},
    )
    found: dict[str, list[RowMapping]] = {}
    for row in rows.mappings():
        found.setdefault(row["sourced_id"], []).append(row)
    return found


async def ancestors_on(session: AsyncSession, sourced_id: str, day: dt.date) -> Sequence[RowMapping]:
    """Units above on that day, nearest first; `distance` 1 is the parent."""
    statement = text(
        "WITH RECURSIVE above AS (SELECT CAST(:id AS text) AS sourced_id, 0 AS distance UNION "
        "SELECT e.parent_sourced_id, a.distance + 1 FROM org_parent e JOIN above a ON e.sourced_id = a.sourced_id "
        f"WHERE {_VALID_EDGE}) "
        f"SELECT {_COLUMNS}, min(a.distance) AS distance FROM org o JOIN above a ON a.sourced_id = o.sourced_id "
        "WHERE a.distance > 0 GROUP BY o.sourced_id ORDER BY min(a.distance), o.kind, o.sourced_id"
    )
    return (await session.execute(statement, {"id": sourced_id, "day": day})).mappings().all()


async def children_on(
    session: AsyncSession, sourced_id: str, day: dt.date, *, after: str | None, limit: int
) -> Sequence[RowMapping]:
    """A page of the units directly below on that day, in key order."""
    beyond = "AND o.sourced_id > :after" if after is not None else ""
    statement = text(
        f"SELECT DISTINCT {_COLUMNS} FROM org o JOIN org_parent e ON e.sourced_id = o.sourced_id "
        f"WHERE e.parent_sourced_id = :id AND {_VALID_EDGE} AND {_VALID_ORG} AND {_SHOWN} {beyond} "
        "ORDER BY o.sourced_id LIMIT :limit"
    )
    given: dict[str, Any] = {"id": sourced_id, "day": day, "limit": limit}
    if after is not None:
        given["after"] = after
    return (await session.execute(statement, given)).mappings().all()


async def replace_parents(session: AsyncSession, sourced_id: str, parents: Sequence[ParentEdge]) -> None:
    await session.execute(delete(OrgParent).where(OrgParent.sourced_id == sourced_id))
    if parents:
        rows = [
            {
                "sourced_id": sourced_id,
                "parent_sourced_id": edge.sourced_id,
                "valid_from": edge.validity.valid_from,
                "valid_to": edge.validity.valid_to,
            }
            for edge in parents
        ]
        await session.execute(insert(OrgParent), rows)
