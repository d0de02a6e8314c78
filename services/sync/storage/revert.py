"""The inverse of a commit as staged rows: what each record it wrote was before, from history."""

# ruff: noqa: S608  # statements are assembled from the constants of domain.records; values are always bound

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.sync.domain.gradebook_records import EVERY_TYPE
from services.sync.domain.records import RecordType

_OVERTAKEN = text(
    "SELECT s.school_sourced_id FROM import_school s JOIN school_roster r "
    "ON r.school_sourced_id = s.school_sourced_id "
    "WHERE s.import_id = :i AND s.committed_at IS NOT NULL AND r.last_import_id <> :i ORDER BY 1"
).bindparams(bindparam("i", type_=Uuid()))
_SCHOOLS = text(
    "INSERT INTO import_school (import_id, school_sourced_id, base_version, complete, counts) "
    "SELECT :new, s.school_sourced_id, r.version, false, '{}' FROM import_school s "
    "JOIN school_roster r ON r.school_sourced_id = s.school_sourced_id "
    "WHERE s.import_id = :i AND s.committed_at IS NOT NULL RETURNING school_sourced_id"
).bindparams(bindparam("i", type_=Uuid()), bindparam("new", type_=Uuid()))

_WRITTEN = text(
    "SELECT school_sourced_id FROM import_school WHERE import_id = :i AND committed_at IS NOT NULL ORDER BY 1"
).bindparams(bindparam("i", type_=Uuid()))


async def overtaken(session: AsyncSession, import_id: UUID) -> Sequence[str]:
    """The schools in scope whose roster was committed again after this import."""
    return (await session.execute(_OVERTAKEN, {"i": import_id})).scalars().all()


async def written_schools(session: AsyncSession, import_id: UUID) -> list[str]:
    """The schools in scope that `import_id` wrote, in key order."""
    return list((await session.execute(_WRITTEN, {"i": import_id})).scalars())


async def take_schools(session: AsyncSession, import_id: UUID, new_id: UUID) -> list[str]:
    """Give the new import the schools in scope that `import_id` wrote."""
    found = await session.execute(_SCHOOLS, {"i": import_id, "new": new_id})
    return sorted(found.scalars())


async def stage_inverse(session: AsyncSession, import_id: UUID, new_id: UUID, schools: Sequence[str]) -> dict[str, int]:
    """Stage what undoes `import_id`, which must be the newest commit of `schools`; answers the rows by type."""
    given = {"i": import_id, "new": new_id, "schools": list(schools)}
    ids = (bindparam("i", type_=Uuid()), bindparam("new", type_=Uuid()))
    rows = {}
    for record in EVERY_TYPE:
        staged = (await session.execute(text(_inverse(record)).bindparams(*ids), given)).scalars().all()
        if staged:
            rows[record.file] = len(staged)
    return rows


def _inverse(record: RecordType) -> str:
    """A record that was not there before, or had ended, ends; every other one is as its version before."""
    columns = ", ".join(record.columns)
    before = ", ".join(f"h.{name}" for name in record.columns)
    return (
        f"INSERT INTO {record.staging} (import_id, line, sourced_id, school_sourced_id, outcome, ended, {columns}) "
        "SELECT :new, row_number() OVER (ORDER BY c.sourced_id, c.school_sourced_id), c.sourced_id, "
        f"c.school_sourced_id, 'accepted', h.status IS DISTINCT FROM 'active', {before} FROM {record.table} c "
        f"LEFT JOIN {record.history} h ON h.sourced_id = c.sourced_id AND h.school_sourced_id = c.school_sourced_id "
        "AND h.version = c.version - 1 "
        "WHERE c.last_import_id = :i AND c.school_sourced_id = ANY(CAST(:schools AS text[])) RETURNING line"
    )
