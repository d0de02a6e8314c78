"""What was known when: versions of records that were overwritten, and reading the roster as it was at an instant.

A record's own table holds its newest version, known since its `date_last_modified`; every older version moves into
`<table>_history` by the very statement that overwrites it. So a first import writes no history, nothing of it is ever
updated, and a version is in exactly one of the two tables for any snapshot.
"""

# ruff: noqa: S608  # statements are assembled from the constants of domain.records; values are always bound

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.sync.domain.records import RecordType


def archive(record: RecordType, rows: str) -> str:
    """A `WITH` term that keeps the present version of the `rows` (FROM and WHERE, the record is `c`) before a write.

    All parts of a statement see the same snapshot: the term reads what the statement overwrites. Needs `:now`, which
    must be the instant the statement gives to the new version.
    """
    columns = ", ".join(record.columns)
    values = ", ".join(f"c.{name}" for name in record.columns)
    return (
        f"archived AS (INSERT INTO {record.history} (sourced_id, school_sourced_id, version, status, recorded_from, "
        f"recorded_to, last_import_id, written_by, {columns}) "
        "SELECT c.sourced_id, c.school_sourced_id, c.version, c.status, c.date_last_modified, :now, c.last_import_id, "
        f"c.written_by, {values} {rows})"
    )


def versions(record: RecordType, *, present: str, past: str) -> str:
    """Every version of the records as one shape, of the record's table where `present` holds, of history where `past`.

    `recorded_to` is NULL for the newest version.
    """
    columns = ", ".join(record.columns)
    shared = "sourced_id, school_sourced_id, version, status, last_import_id, written_by"
    return (
        f"SELECT {shared}, date_last_modified AS recorded_from, CAST(NULL AS timestamptz) AS recorded_to, {columns} "
        f"FROM {record.table} WHERE {present} "
        f"UNION ALL SELECT {shared}, recorded_from, recorded_to, {columns} FROM {record.history} WHERE {past}"
    )


async def read_records(
    session: AsyncSession,
    record: RecordType,
    filters: Mapping[str, str],
    *,
    as_of: dt.datetime | None,
    after: Sequence[str] | None,
    limit: int,
) -> Sequence[RowMapping]:
    """A page in the order of (sourcedId, school), as known at `as_of` (now without it).

    `filters` by column: sourced_id, school_sourced_id, status.
    """
    given: dict[str, Any] = {**filters, "limit": limit}
    conditions = [f"{name} = :{name}" for name in filters]
    if after is not None:
        conditions.append("(sourced_id, school_sourced_id) > (:k, :s)")
        given |= dict(zip("ks", after, strict=True))
    if as_of is not None:
        given["as_of"] = as_of
    common = " AND ".join(conditions or ["true"])
    present, past = (
        ("true", "false")
        if as_of is None
        else ("date_last_modified <= :as_of", "recorded_from <= :as_of AND :as_of < recorded_to")
    )
    body = versions(record, present=f"{common} AND {present}", past=f"{common} AND {past}")
    statement = text(f"{body} ORDER BY sourced_id, school_sourced_id LIMIT :limit")
    return (await session.execute(statement, given)).mappings().all()
