"""Refused rows that may become right by themselves: kept for a while after their import is final, for a retry.

They are rows the readers accepted and only a reference or the registry refused; the raw file and its forbidden columns
are long gone.
"""

# ruff: noqa: S608  # statements are assembled from the constants of domain.records; values are always bound

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, DateTime, Text, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.sync.domain.causes import CODES_THAT_WAIT
from services.sync.domain.gradebook_records import EVERY_TYPE
from services.sync.domain.records import RecordType
from services.sync.storage.tables import Import

_TYPES: dict[str, Any] = {
    "i": Uuid(),
    "new": Uuid(),
    "codes": ARRAY(Text),
    "schools": ARRAY(Text),
    "cause": BigInteger(),
    "since": DateTime(timezone=True),
}


async def _run(session: AsyncSession, statement: str, **given: Any) -> int:
    used = {name: value for name, value in given.items() if f":{name}" in statement}
    typed = [bindparam(name, type_=_TYPES.get(name)) for name in used]
    result: Any = await session.execute(text(statement).bindparams(*typed), used)
    return int(result.rowcount)


def _lines(record: RecordType, more: str = "") -> str:
    """The lines of rows that wait."""
    return (
        "SELECT p.line FROM import_problem p WHERE p.import_id = :i AND p.line IS NOT NULL "
        f"AND p.file = '{record.file}.csv' AND p.code = ANY(:codes){more}"
    )


async def keep_waiting(session: AsyncSession, import_id: UUID) -> None:
    """Forget the staged rows of a final import but for those that wait."""
    for record in EVERY_TYPE:
        await _run(
            session,
            f"DELETE FROM {record.staging} s WHERE s.import_id = :i "
            f"AND NOT (s.outcome = 'refused' AND s.line IN ({_lines(record)}))",
            i=import_id,
            codes=sorted(CODES_THAT_WAIT),
        )


async def take_waiting(
    session: AsyncSession, first: Import, new: UUID, *, schools: Sequence[str], cause: int | None
) -> int:
    """Hand the rows that wait (for one cause) over to the import `new`, and answer how many there are.

    Rows of schools that are no longer granted stay, and so do rows a newer import has spoken about since: it wrote or
    ended their record, or it was a whole bulk file of that school.
    """
    taken = 0
    for record in EVERY_TYPE:
        taken += await _run(
            session,
            f"UPDATE {record.staging} s SET import_id = :new, outcome = 'accepted' "
            "WHERE s.import_id = :i AND s.outcome = 'refused' "
            "AND (s.school_sourced_id = '' OR s.school_sourced_id = ANY(:schools)) "
            f"AND s.line IN ({_lines(record, '' if cause is None else ' AND p.cause = :cause')}) "
            f"AND NOT EXISTS (SELECT 1 FROM {record.table} c WHERE c.sourced_id = s.sourced_id "
            "AND s.school_sourced_id IN ('', c.school_sourced_id) AND c.date_last_modified > :since) "
            "AND NOT EXISTS (SELECT 1 FROM import_school t JOIN import n ON n.id = t.import_id "
            "WHERE t.school_sourced_id = s.school_sourced_id AND t.complete AND t.committed_at > :since "
            f"AND n.receipt_number > :receipt AND n.modes->>'{record.file}' = 'bulk')",
            i=first.id,
            new=new,
            codes=sorted(CODES_THAT_WAIT),
            schools=list(schools),
            cause=cause,
            since=first.validated_at,
            receipt=first.receipt_number,
        )
    return taken


async def staged_rows(session: AsyncSession, import_id: UUID) -> dict[str, int]:
    """How many rows of each file an import holds."""
    parts = " UNION ALL ".join(
        f"SELECT '{record.file}' AS file, count(*) AS rows FROM {record.staging} WHERE import_id = :i"
        for record in EVERY_TYPE
    )
    rows = await session.execute(text(f"SELECT file, rows FROM ({parts}) n WHERE rows > 0"), {"i": import_id})
    return {file: count for file, count in rows}  # noqa: C416  # rows are no pairs to the type checker


async def forget_waiting(session: AsyncSession, before: dt.datetime) -> int:
    """Delete the rows that have waited since `before`; answers how many."""
    return sum(
        [
            await _run(
                session,
                f"DELETE FROM {record.staging} s USING import i WHERE i.id = s.import_id "
                "AND i.state IN ('committed', 'rejected', 'discarded') AND i.validated_at < :since",
                since=before,
            )
            for record in EVERY_TYPE
        ]
    )
