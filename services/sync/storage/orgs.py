"""The org tree in SQL: reading it on a day, writing one unit, and which schools a grant covers."""

# ruff: noqa: S608  # statements are assembled from constants of this module; values are always bound

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ARRAY, Date, DateTime, RowMapping, Text, bindparam, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.sync.domain.org_tree import ParentEdge
from services.sync.storage.tables import Org

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


def _known(as_of: dt.datetime | None) -> tuple[str, str]:
    """The tables `org` and `org_parent`, or subqueries of what they said at `as_of` (bound as `:as_of`)."""
    if as_of is None:
        return "org", "org_parent"
    unit = "sourced_id, kind, name, identifier, level, valid_from, valid_to, version"
    edge = "position, sourced_id, parent_sourced_id, valid_from, valid_to"
    then = "recorded_from <= :as_of AND :as_of < recorded_to"
    # The edges of a unit are written with it, so the unit's clock is theirs.
    org = (
        f"(SELECT {unit}, date_last_modified FROM org WHERE date_last_modified <= :as_of "
        f"UNION ALL SELECT {unit}, recorded_from FROM org_history WHERE {then})"
    )
    parent = (
        f"(SELECT {edge} FROM org_parent p WHERE EXISTS (SELECT FROM org u WHERE u.sourced_id = p.sourced_id "
        f"AND u.date_last_modified <= :as_of) UNION ALL SELECT {edge} FROM org_parent_history WHERE {then})"
    )
    return org, parent


async def _rows(session: AsyncSession, statement: str, **given: Any) -> Sequence[RowMapping]:
    used = {name: value for name, value in given.items() if f":{name}" in statement}
    typed = [bindparam(name, type_=DateTime(timezone=True)) for name in used if name == "as_of"]
    return (await session.execute(text(statement).bindparams(*typed), used)).mappings().all()


async def shown_org(session: AsyncSession, sourced_id: str, as_of: dt.datetime | None = None) -> RowMapping | None:
    org, _ = _known(as_of)
    statement = f"SELECT {_COLUMNS} FROM {org} o WHERE o.sourced_id = :id AND {_SHOWN}"
    return next(iter(await _rows(session, statement, id=sourced_id, as_of=as_of)), None)


async def shown_orgs(
    session: AsyncSession,
    *,
    day: dt.date | None,
    kind: str | None,
    after: str | None,
    limit: int,
    as_of: dt.datetime | None = None,
) -> Sequence[RowMapping]:
    """A page of units in key order; with `day` only those valid on it, as known at `as_of` (now without it)."""
    org, _ = _known(as_of)
    conditions = [_SHOWN]
    if day is not None:
        conditions.append(_VALID_ORG)
    if kind is not None:
        conditions.append("o.kind = :kind")
    if after is not None:
        conditions.append("o.sourced_id > :after")
    statement = f"SELECT {_COLUMNS} FROM {org} o WHERE {' AND '.join(conditions)} ORDER BY o.sourced_id LIMIT :limit"
    return await _rows(session, statement, day=day, kind=kind, after=after, limit=limit, as_of=as_of)


async def parents_of(
    session: AsyncSession, sourced_ids: Sequence[str], as_of: dt.datetime | None = None
) -> dict[str, list[RowMapping]]:
    """Every parent edge of the units, past and future ones too, oldest first, as known at `as_of`."""
    _, edge = _known(as_of)
    statement = (
        f"SELECT e.sourced_id, e.parent_sourced_id, e.valid_from, e.valid_to FROM {edge} e "
        "WHERE e.sourced_id = ANY(:ids) ORDER BY e.valid_from NULLS FIRST, e.position"
    )
    found: dict[str, list[RowMapping]] = {}
    for row in await _rows(session, statement, ids=list(sourced_ids), as_of=as_of):
        found.setdefault(row["sourced_id"], []).append(row)
    return found


async def ancestors_on(
    session: AsyncSession, sourced_id: str, day: dt.date, as_of: dt.datetime | None = None
) -> Sequence[RowMapping]:
    """Units above on that day, as known at `as_of`, nearest first; `distance` 1 is the parent."""
    org, edge = _known(as_of)
    statement = (
        "WITH RECURSIVE above AS (SELECT CAST(:id AS text) AS sourced_id, 0 AS distance UNION "
        f"SELECT e.parent_sourced_id, a.distance + 1 FROM {edge} e JOIN above a ON e.sourced_id = a.sourced_id "
        f"WHERE {_VALID_EDGE}), "
        "nearest AS (SELECT sourced_id, min(distance) AS distance FROM above WHERE distance > 0 GROUP BY 1) "
        f"SELECT {_COLUMNS}, a.distance FROM {org} o JOIN nearest a ON a.sourced_id = o.sourced_id "
        "ORDER BY a.distance, o.kind, o.sourced_id"
    )
    return await _rows(session, statement, id=sourced_id, day=day, as_of=as_of)


async def children_on(
    session: AsyncSession,
    sourced_id: str,
    day: dt.date,
    *,
    after: str | None,
    limit: int,
    as_of: dt.datetime | None = None,
) -> Sequence[RowMapping]:
    """A page of the units directly below on that day, as known at `as_of`, in key order."""
    org, edge = _known(as_of)
    beyond = "AND o.sourced_id > :after" if after is not None else ""
    statement = (
        f"SELECT DISTINCT {_COLUMNS} FROM {org} o JOIN {edge} e ON e.sourced_id = o.sourced_id "
        f"WHERE e.parent_sourced_id = :id AND {_VALID_EDGE} AND {_VALID_ORG} AND {_SHOWN} {beyond} "
        "ORDER BY o.sourced_id LIMIT :limit"
    )
    return await _rows(session, statement, id=sourced_id, day=day, after=after, limit=limit, as_of=as_of)


# All parts of a statement see the same snapshot: the histories are read from what the same statement replaces.
_WRITE = text("""
WITH unit_kept AS (
  INSERT INTO org_history (sourced_id, version, kind, name, identifier, level, valid_from, valid_to, recorded_from,
    recorded_to)
  SELECT sourced_id, version, kind, name, identifier, level, valid_from, valid_to, date_last_modified, :now
  FROM org WHERE sourced_id = :sourced_id
), edges_kept AS (
  INSERT INTO org_parent_history (position, sourced_id, parent_sourced_id, valid_from, valid_to, recorded_from,
    recorded_to)
  SELECT e.position, e.sourced_id, e.parent_sourced_id, e.valid_from, e.valid_to, o.date_last_modified, :now
  FROM org_parent e JOIN org o ON o.sourced_id = e.sourced_id WHERE e.sourced_id = :sourced_id
), edges_gone AS (
  DELETE FROM org_parent WHERE sourced_id = :sourced_id
), edges_new AS (
  INSERT INTO org_parent (sourced_id, parent_sourced_id, valid_from, valid_to)
  SELECT :sourced_id, e.parent, e.valid_from, e.valid_to
  FROM unnest(:parents, :froms, :tos) WITH ORDINALITY AS e(parent, valid_from, valid_to, n) ORDER BY e.n
)
INSERT INTO org AS o (sourced_id, kind, name, identifier, level, valid_from, valid_to, version, date_last_modified)
VALUES (:sourced_id, :kind, :name, :identifier, :level, :valid_from, :valid_to, 1, :now)
ON CONFLICT (sourced_id) DO UPDATE SET name = EXCLUDED.name, identifier = EXCLUDED.identifier,
  level = EXCLUDED.level, valid_from = EXCLUDED.valid_from, valid_to = EXCLUDED.valid_to, version = o.version + 1,
  date_last_modified = EXCLUDED.date_last_modified
RETURNING o.sourced_id, o.kind, o.name, o.identifier, o.level, o.valid_from, o.valid_to, o.version,
  o.date_last_modified
""").bindparams(
    bindparam("now", type_=DateTime(timezone=True)),
    bindparam("sourced_id", type_=Text()),
    bindparam("parents", type_=ARRAY(Text)),
    bindparam("froms", type_=ARRAY(Date)),
    bindparam("tos", type_=ARRAY(Date)),
    bindparam("valid_from", type_=Date()),
    bindparam("valid_to", type_=Date()),
)


async def write_org(session: AsyncSession, values: Mapping[str, Any], parents: Sequence[ParentEdge]) -> RowMapping:
    """Create or replace a unit with all its edges, and keep what it was; `values` by column, with `now`."""
    edges = {
        "parents": [edge.sourced_id for edge in parents],
        "froms": [edge.validity.valid_from for edge in parents],
        "tos": [edge.validity.valid_to for edge in parents],
    }
    return (await session.execute(_WRITE, {**values, **edges})).mappings().one()
