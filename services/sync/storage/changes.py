"""The change feed: every version of every record, in the order of the transactions that wrote them.

A transaction that commits late has an id below others that are long committed. A reader who had gone past it would
never see it, so nothing is shown before every transaction with a lower id has ended.
"""

# ruff: noqa: S608  # statements are assembled from the constants of domain.records; values are always bound

import re
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.sync.domain.gradebook_records import EVERY_TYPE
from services.sync.domain.records import DEMOGRAPHICS, RecordType, camel

# Birth dates have a scope of their own in the OneRoster service: the feed, open to every reader, has none of them.
_FED = tuple(record for record in EVERY_TYPE if record is not DEMOGRAPHICS)
TYPES = {record.file: record for record in _FED}
_NUMBER = {record.file: number for number, record in enumerate(_FED, start=1)}
_HORIZON = text(
    "SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint) AS settled, "
    "CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint) AS newest"
)
_ORDER = "written_by, type_number, school_sourced_id, sourced_id, version"


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the feed: just behind the version with this key. Types are counted from 1 in the order of writing."""

    written_by: int
    type_number: int = 0
    school: str = ""
    sourced_id: str = ""
    version: int = 0


START = Place(-1)


@dataclass(frozen=True, slots=True)
class Horizon:
    """Every transaction below `settled` has ended; none from `newest` on has begun."""

    settled: int
    newest: int


async def horizon(session: AsyncSession) -> Horizon:
    row = (await session.execute(_HORIZON)).one()
    return Horizon(row.settled, row.newest)


async def read_changes(
    session: AsyncSession, types: Sequence[str], after: Place, limit: int, settled: int
) -> Sequence[RowMapping]:
    """The versions of `types` behind `after` whose transactions are below `settled`, oldest first."""
    branches = " UNION ALL ".join(
        f"({_branch(table, recorded, TYPES[name], after)})"
        for name in types
        for table, recorded in ((TYPES[name].table, "date_last_modified"), (TYPES[name].history, "recorded_from"))
    )
    place = dict(zip(("x", "n", "s", "k", "v"), astuple(after), strict=True))
    used = {name: value for name, value in place.items() if re.search(rf":{name}\b", branches)}
    statement = text(f"{branches} ORDER BY {_ORDER} LIMIT :limit")
    rows = await session.execute(statement, {**used, "limit": limit, "settled": settled})
    return rows.mappings().all()


def _branch(table: str, recorded: str, record: RecordType, after: Place) -> str:
    number = _NUMBER[record.file]
    if number == after.type_number:
        behind = "(written_by, school_sourced_id, sourced_id, version) > (:x, :s, :k, :v)"
    else:
        behind = "written_by > :x " if number < after.type_number else "written_by >= :x "
    fields = ", ".join(f"'{camel(name)}', {name}" for name in record.columns)
    return (
        f"SELECT written_by, {number} AS type_number, school_sourced_id, sourced_id, version, '{record.file}' AS type, "
        f"status, {recorded} AS recorded_at, last_import_id, jsonb_build_object({fields}) AS record FROM {table} "
        f"WHERE {behind} AND written_by < :settled "
        "ORDER BY written_by, school_sourced_id, sourced_id, version LIMIT :limit"
    )


def place_of(row: RowMapping) -> Place:
    names: tuple[Any, ...] = ("written_by", "type_number", "school_sourced_id", "sourced_id", "version")
    return Place(*(row[name] for name in names))
