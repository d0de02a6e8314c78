"""Writing one school's part of an import: set-based, parents first, in the caller's transaction."""

# ruff: noqa: S608  # statements are assembled from the constants of domain.records; values are always bound

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from services.sync.domain.gradebook_records import EVERY_TYPE
from services.sync.domain.records import RecordType
from services.sync.storage.history import archive
from services.sync.storage.tables import THIS_TRANSACTION

_TYPED = (bindparam("i", type_=Uuid()), bindparam("now", type_=DateTime(timezone=True)))
WRITTEN, ENDED = "'added', 'changed'", "'removed'"

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('roster ' || :school, 7))")
_STATE = text("SELECT version, last_received_at, committed_at FROM school_roster WHERE school_sourced_id = :school")


@dataclass(frozen=True, slots=True)
class RosterState:
    """`version` 0: nothing was ever committed for the school."""

    version: int = 0
    last_received_at: dt.datetime | None = None
    committed_at: dt.datetime | None = None

    def next_commit(self, now: dt.datetime) -> dt.datetime:
        """The instant of the next commit: later than the last one even when the clock was set back."""
        return now if self.committed_at is None else max(now, self.committed_at + dt.timedelta(microseconds=1))


async def lock_roster(session: AsyncSession, school: str) -> RosterState:
    """Make imports of the school queue up until the transaction ends; answers the state the queue left behind."""
    await session.execute(_LOCK, {"school": school})
    row = (await session.execute(_STATE, {"school": school})).one_or_none()
    return RosterState() if row is None else RosterState(*row)


async def write_changes(
    session: AsyncSession, import_id: UUID, school: str, counts: Mapping[str, Mapping[str, int]], now: dt.datetime
) -> bool:
    """Apply the difference of `school`; answers whether there was one. `now` becomes the dateLastModified.

    `counts` by type, as `storage.difference.store_counts` kept them: a nightly package changes few types in few
    schools, and what has no change costs no statement.
    """
    parameters = {"i": import_id, "school": school, "now": now}
    written = [each for each in EVERY_TYPE if _count(counts, each, "added", "changed")]
    ended = [each for each in reversed(EVERY_TYPE) if _count(counts, each, "removed")]
    for record in written:
        await session.execute(text(_upsert(record)).bindparams(*_TYPED), parameters)
    for record in ended:
        await session.execute(text(_end(record)).bindparams(*_TYPED), parameters)
    return bool(written or ended)


def _count(counts: Mapping[str, Mapping[str, int]], record: RecordType, *actions: str) -> int:
    return sum(counts.get(record.file, {}).get(action, 0) for action in actions)


def _changes(record: RecordType, actions: str) -> str:
    return (
        f"FROM import_change x WHERE x.import_id = :i AND x.type = '{record.file}' "
        f"AND x.school_sourced_id = :school AND x.action IN ({actions})"
    )


def _upsert(record: RecordType) -> str:
    columns = ", ".join(record.columns)
    values = ", ".join(f"s.{name}" for name in record.columns)
    updates = ", ".join(f"{name} = EXCLUDED.{name}" for name in record.columns)
    known = (
        f"FROM {record.table} c JOIN (SELECT x.sourced_id {_changes(record, WRITTEN)}) x "
        "ON x.sourced_id = c.sourced_id WHERE c.school_sourced_id = :school"
    )
    return (
        f"WITH {archive(record, known)} "
        f"INSERT INTO {record.table} AS c (sourced_id, school_sourced_id, status, date_last_modified, version, "
        f"last_import_id, written_by, {columns}) "
        f"SELECT s.sourced_id, s.school_sourced_id, 'active', :now, 1, :i, {THIS_TRANSACTION}, {values} "
        f"FROM {record.staging} s JOIN (SELECT x.sourced_id {_changes(record, WRITTEN)}) x "
        "ON x.sourced_id = s.sourced_id "
        "WHERE s.import_id = :i AND s.school_sourced_id = :school AND s.outcome = 'accepted' AND NOT s.ended "
        "ON CONFLICT (sourced_id, school_sourced_id) DO UPDATE SET status = 'active', "
        "date_last_modified = :now, version = c.version + 1, last_import_id = :i, "
        f"written_by = EXCLUDED.written_by, {updates}"
    )


def _end(record: RecordType) -> str:
    ending = (
        "WHERE c.school_sourced_id = :school AND c.status = 'active' "
        f"AND c.sourced_id IN (SELECT x.sourced_id {_changes(record, ENDED)})"
    )
    return (
        f"WITH {archive(record, f'FROM {record.table} c {ending}')} "
        f"UPDATE {record.table} c SET status = 'tobedeleted', date_last_modified = :now, version = c.version + 1, "
        f"last_import_id = :i, written_by = {THIS_TRANSACTION} {ending}"
    )


# Counts as `shared.contracts.sync_v1.RosterCommitted` defines them: what OneRoster's lists return, unfiltered.
_COUNTS = text("""
SELECT
  (SELECT count(DISTINCT p.sourced_id) FROM person p JOIN role r ON r.user_sourced_id = p.sourced_id
     AND r.school_sourced_id = p.school_sourced_id AND r.status = 'active' AND r.role = 'student'
   WHERE p.school_sourced_id = :school AND p.status = 'active') AS learners,
  (SELECT count(DISTINCT p.sourced_id) FROM person p JOIN role r ON r.user_sourced_id = p.sourced_id
     AND r.school_sourced_id = p.school_sourced_id AND r.status = 'active' AND r.role <> 'student'
   WHERE p.school_sourced_id = :school AND p.status = 'active') AS staff,
  (SELECT count(DISTINCT p.sourced_id) FROM person p JOIN role r ON r.user_sourced_id = p.sourced_id
     AND r.school_sourced_id = p.school_sourced_id AND r.status = 'active' AND r.role = 'teacher'
   WHERE p.school_sourced_id = :school AND p.status = 'active') AS teachers,
  (SELECT count(*) FROM class WHERE school_sourced_id = :school AND status = 'active') AS classes,
  (SELECT count(*) FROM enrollment e JOIN class k ON k.sourced_id = e.class_sourced_id
     AND k.school_sourced_id = e.school_sourced_id AND k.status = 'active'
   WHERE e.school_sourced_id = :school AND e.status = 'active') AS enrollments
""")
_BY_GRADE = text("""
SELECT CASE WHEN cardinality(k.grades) = 1 AND k.grades[1] ~ '^0?(6|7|8|9|10|11|12)$'
            THEN ltrim(k.grades[1], '0') ELSE '0' END AS grade,
       count(DISTINCT e.user_sourced_id) AS learners, count(*) AS enrollments
FROM enrollment e JOIN class k ON k.sourced_id = e.class_sourced_id
  AND k.school_sourced_id = e.school_sourced_id AND k.status = 'active'
WHERE e.school_sourced_id = :school AND e.status = 'active' AND e.role = 'student'
GROUP BY 1 ORDER BY length(
  CASE WHEN cardinality(k.grades) = 1 AND k.grades[1] ~ '^0?(6|7|8|9|10|11|12)$'
       THEN ltrim(k.grades[1], '0') ELSE '0' END), 1
""")
_HASH = text(
    "SELECT encode(sha256(convert_to(string_agg(h, '' ORDER BY n), 'UTF8')), 'hex') FROM ("
    + " UNION ALL ".join(
        f"SELECT {number} AS n, encode(sha256(convert_to(COALESCE(string_agg(ROW(sourced_id, "
        f"{', '.join(record.columns)})::text, E'\\n' ORDER BY sourced_id), ''), 'UTF8')), 'hex') AS h "
        f"FROM {record.table} WHERE school_sourced_id = :school AND status = 'active'"
        for number, record in enumerate(EVERY_TYPE)
    )
    + ") parts"
)


_SEAL = text(
    "SELECT content_hash, counts FROM school_roster WHERE school_sourced_id = :school AND unsealed_since IS NULL"
)
_UNSEALED = text(
    "SELECT version, last_import_id, committed_at FROM school_roster "
    "WHERE school_sourced_id = :school AND unsealed_since IS NOT NULL"
)
_SET_SEAL = text(
    "UPDATE school_roster SET content_hash = :hash, counts = :counts, unsealed_since = NULL "
    "WHERE school_sourced_id = :school"
).bindparams(bindparam("counts", type_=JSONB))


async def roster_counts(session: AsyncSession, school: str) -> dict[str, Any]:
    """The numbers of the school's active roster now, with `by_grade` as a list."""
    counts = dict((await session.execute(_COUNTS, {"school": school})).mappings().one())
    rows = (await session.execute(_BY_GRADE, {"school": school})).mappings()
    return counts | {"by_grade": [dict(row) for row in rows]}


async def last_seal(session: AsyncSession, school: str) -> tuple[str, dict[str, Any]] | None:
    """Hash and counts of the school's last commit, true while nothing is written; None when there is none."""
    row = (await session.execute(_SEAL, {"school": school})).one_or_none()
    return None if row is None else (row.content_hash, row.counts)


async def unsealed_state(session: AsyncSession, school: str) -> Any:
    """`last_import_id` and `committed_at` of a roster whose hash and counts are to be made, or None."""
    return (await session.execute(_UNSEALED, {"school": school})).one_or_none()


async def seal(session: AsyncSession, school: str, content: str, counts: dict[str, Any]) -> None:
    await session.execute(_SET_SEAL, {"school": school, "hash": content, "counts": counts})


async def content_hash(session: AsyncSession, school: str) -> str:
    """SHA-256 over the school's active records in key order: equal rosters have equal hashes."""
    return str((await session.execute(_HASH, {"school": school})).scalar_one())


_STORE = text(
    "INSERT INTO school_roster AS r (school_sourced_id, version, last_import_id, last_received_at, committed_at, "
    "content_hash, counts) VALUES (:school, 1, :i, :received_at, :now, :hash, :counts) "
    "ON CONFLICT (school_sourced_id) DO UPDATE SET version = r.version + 1, last_import_id = :i, "
    "last_received_at = GREATEST(r.last_received_at, :received_at), committed_at = :now, content_hash = :hash, "
    "counts = :counts, unsealed_since = NULL"
).bindparams(bindparam("counts", type_=JSONB))
_DONE = text("UPDATE import_school SET committed_at = :now WHERE import_id = :i AND school_sourced_id = :school")


async def finish_school(
    session: AsyncSession,
    import_id: UUID,
    school: str,
    *,
    now: dt.datetime,
    received_at: dt.datetime,
    content: str,
    counts: dict[str, Any],
) -> None:
    parameters = {"i": import_id, "school": school, "now": now}
    await session.execute(_STORE, parameters | {"received_at": received_at, "hash": content, "counts": counts})
    await session.execute(_DONE, parameters)
