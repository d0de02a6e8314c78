"""What writing one record asks and leaves: whose it is, what refused it, and a roster that is still to be sealed."""

# ruff: noqa: S608  # statements are assembled from the constants of domain.records; values are always bound

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.sync.domain.beside import Beside
from services.sync.domain.gradebook_records import LOCATED_TYPES, REFERENCES
from services.sync.domain.problems import Problem
from services.sync.domain.records import RecordType


async def schools_having(session: AsyncSession, record: RecordType, sourced_id: str) -> list[str]:
    """Schools in scope with the record, active ones where there are any."""
    statement = text(
        f"SELECT school_sourced_id, status FROM {record.table} WHERE sourced_id = :id "
        "ORDER BY (status = 'active') DESC, school_sourced_id LIMIT 1000"
    )
    rows = (await session.execute(statement, {"id": sourced_id})).all()
    active = [row[0] for row in rows if row[1] == "active"]
    return active or [row[0] for row in rows]


async def schools_of_parent(session: AsyncSession, record: RecordType, values: Mapping[str, Any]) -> list[str]:
    """The school of the record that gives it one: a line item's class, a result's line item.

    Of several, those of the next reference too: a student may be at two schools, and take the assessment of one.
    """
    found: list[str] = []
    for child, parent, column in REFERENCES if record in LOCATED_TYPES else ():
        if child is record and values.get(column) and len(found) != 1:
            having = await schools_having(session, parent, values[column])
            found = [school for school in found if school in having] or having
    return found


async def line_items_of(session: AsyncSession, class_: str, academic_session: str, wanted: Sequence[str]) -> set[str]:
    """Which of the line items in scope are of the class and the academic session."""
    statement = text(
        "SELECT sourced_id FROM line_item WHERE sourced_id = ANY(:wanted) AND class_sourced_id = :class "
        "AND :session IN (academic_session_sourced_id, grading_period_sourced_id) AND status = 'active'"
    )
    given = {"wanted": list(wanted), "class": class_, "session": academic_session}
    return set((await session.execute(statement, given)).scalars())


async def rows_beside(session: AsyncSession, beside: Beside, owner: str, school: str) -> dict[tuple[Any, ...], str]:
    """Ids of the owner's active rows of another type, by their key."""
    statement = text(
        f"SELECT {', '.join(beside.key)}, sourced_id FROM {beside.record.table} "
        f"WHERE {beside.column} = :owner AND school_sourced_id = :school AND status = 'active' ORDER BY sourced_id DESC"
    )
    rows = await session.execute(statement, {"owner": owner, "school": school})
    return {tuple(row[:-1]): row[-1] for row in rows}


async def problems_of(session: AsyncSession, import_id: UUID) -> list[Problem]:
    statement = text(
        "SELECT code, file, field, value, expected FROM import_problem WHERE import_id = :i ORDER BY position"
    )
    rows = (await session.execute(statement, {"i": import_id})).mappings()
    return [Problem(**row) for row in rows]


async def wipe(session: AsyncSession, import_id: UUID, types: Iterable[RecordType]) -> None:
    for record in types:
        await session.execute(text(f"DELETE FROM {record.staging} WHERE import_id = :i"), {"i": import_id})


_UNSEAL = text(
    "INSERT INTO school_roster AS r (school_sourced_id, version, last_import_id, last_received_at, committed_at, "
    "content_hash, counts, unsealed_since) VALUES (:school, 1, :i, :received_at, :now, '', '{}'::jsonb, :now) "
    "ON CONFLICT (school_sourced_id) DO UPDATE SET version = r.version + 1, last_import_id = :i, "
    "last_received_at = GREATEST(r.last_received_at, :received_at), committed_at = :now, "
    "unsealed_since = COALESCE(r.unsealed_since, :now)"
)


async def unseal(
    session: AsyncSession, import_id: UUID, school: str, *, received_at: dt.datetime, now: dt.datetime
) -> None:
    """A new roster version whose hash and counts are still those of an older one."""
    await session.execute(_UNSEAL, {"i": import_id, "school": school, "received_at": received_at, "now": now})


_UNSEALED = text(
    "SELECT school_sourced_id FROM school_roster WHERE unsealed_since < :before ORDER BY unsealed_since LIMIT :limit"
)


async def unsealed_rosters(session: AsyncSession, before: dt.datetime, limit: int) -> Sequence[str]:
    """Schools written record by record before that instant, the longest waiting first."""
    return (await session.execute(_UNSEALED, {"before": before, "limit": limit})).scalars().all()
