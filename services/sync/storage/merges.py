"""Merging a provisional person into an issued code: the rows that follow, and the code that stands for the old one."""

# ruff: noqa: S608  # statements are assembled from the constants of domain.records; values are always bound

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import RowMapping, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.sync.domain.gradebook_records import CASCADES, EVERY_TYPE
from services.sync.domain.records import DEMOGRAPHICS, ROLE, USER, RecordType
from services.sync.storage.resolve import Staging

_FOLLOWING = tuple(
    (child, column) for child, parent, column in CASCADES if parent is USER and child is not DEMOGRAPHICS
)
TYPES = tuple(record for record in EVERY_TYPE if record in {USER, DEMOGRAPHICS, *(child for child, _ in _FOLLOWING)})
_NAMED = ((USER, "sourced_id"), (DEMOGRAPHICS, "sourced_id"), *_FOLLOWING)


async def issued_code(session: AsyncSession, sourced_id: str) -> str | None:
    """What a provisional code became, or None."""
    statement = text("SELECT issued FROM person_alias WHERE sourced_id = :id")
    found: str | None = (await session.execute(statement, {"id": sourced_id})).scalar_one_or_none()
    return found


async def issued_kinds(session: AsyncSession, sourced_id: str) -> set[str]:
    """The kinds of people the code was issued to; none when it was not issued."""
    statement = text("SELECT kind FROM registry_code WHERE sourced_id = :id")
    return set((await session.execute(statement, {"id": sourced_id})).scalars())


async def kind_of_person(session: AsyncSession, sourced_id: str) -> str | None:
    """As `storage.registry` judges a package: with any learner's role a learner. None for a person without a role."""
    statement = text(
        "SELECT CASE bool_or(role = 'student') WHEN true THEN 'learners' WHEN false THEN 'staff' END "
        f"FROM {ROLE.table} WHERE user_sourced_id = :id AND status = 'active'"
    )
    found: str | None = (await session.execute(statement, {"id": sourced_id})).scalar_one()
    return found


async def lock_merges(session: AsyncSession) -> None:
    """One merge at a time: two of the same person must not pass each other."""
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('merges', 13))"))


async def schools_of_person(session: AsyncSession, sourced_id: str) -> list[str]:
    statement = text(
        "SELECT school_sourced_id FROM person WHERE sourced_id = :id AND status = 'active' ORDER BY school_sourced_id"
    )
    return list((await session.execute(statement, {"id": sourced_id})).scalars())


async def stage_merge(session: AsyncSession, import_id: UUID, old: str, issued: str) -> None:
    """Stage the person under the issued code, the old one as ended, and what hangs on it with the new reference.

    What the issued code has of its own stays as it is: its person, its birth date, its roles.
    """
    given = {"i": import_id, "old": old, "new": issued}
    statements = [_renamed(record) for record in (USER, DEMOGRAPHICS)]
    statements += [_followed(record, column) for record, column in _FOLLOWING]
    statements.append(
        f"INSERT INTO {USER.staging} (import_id, line, sourced_id, school_sourced_id, outcome, ended) "
        f"SELECT :i, 1, c.sourced_id, c.school_sourced_id, 'accepted', true FROM {USER.table} c "
        "WHERE c.sourced_id = :old AND c.status = 'active'"
    )
    for statement in statements:
        used = {name: value for name, value in given.items() if f":{name}" in statement}
        await session.execute(text(statement).bindparams(bindparam("i", type_=Uuid())), used)


def _renamed(record: RecordType) -> str:
    columns = ", ".join(record.columns)
    values = ", ".join(f"c.{name}" for name in record.columns)
    return (
        f"INSERT INTO {record.staging} (import_id, line, sourced_id, school_sourced_id, outcome, ended, {columns}) "
        f"SELECT :i, 1, CAST(:new AS text), c.school_sourced_id, 'accepted', false, {values} FROM {record.table} c "
        f"WHERE c.sourced_id = :old AND c.status = 'active' AND NOT EXISTS (SELECT 1 FROM {record.table} n "
        "WHERE n.sourced_id = :new AND n.school_sourced_id = c.school_sourced_id AND n.status = 'active')"
    )


def _followed(record: RecordType, column: str) -> str:
    columns = ", ".join(record.columns)
    values = ", ".join("CAST(:new AS text)" if name == column else f"c.{name}" for name in record.columns)
    doubled = (
        f" AND NOT EXISTS (SELECT 1 FROM {ROLE.table} n WHERE n.user_sourced_id = :new AND n.role = c.role "
        "AND n.school_sourced_id = c.school_sourced_id AND n.status = 'active')"
    )
    return (
        f"INSERT INTO {record.staging} (import_id, line, sourced_id, school_sourced_id, outcome, ended, {columns}) "
        f"SELECT :i, 1, c.sourced_id, c.school_sourced_id, 'accepted', false, {values} FROM {record.table} c "
        f"WHERE c.{column} = :old AND c.status = 'active'{doubled if record is ROLE else ''}"
    )


async def keep_alias(
    session: AsyncSession, old: str, issued: str, import_id: UUID | None, *, reason: str, who: str, now: dt.datetime
) -> None:
    statement = text(
        "INSERT INTO person_alias (sourced_id, issued, import_id, reason, merged_by, merged_at) "
        "VALUES (:old, :new, :i, :reason, :who, :now)"
    ).bindparams(bindparam("i", type_=Uuid()))
    given = {"old": old, "new": issued, "i": import_id, "reason": reason, "who": who, "now": now}
    await session.execute(statement, given)


_UNDO = text("""
WITH gone AS (DELETE FROM person_alias WHERE sourced_id = :old RETURNING *)
INSERT INTO person_alias_undone (sourced_id, issued, import_id, reason, merged_by, merged_at, undo_import_id,
  undo_reason, undone_by, undone_at)
SELECT sourced_id, issued, import_id, reason, merged_by, merged_at, :i, :reason, :who, :now FROM gone
""").bindparams(bindparam("i", type_=Uuid()))
# Nobody can have merged the code again meanwhile: that would be a newer commit of its schools, which stops an undoing.
_REDO = text(
    "INSERT INTO person_alias (sourced_id, issued, import_id, reason, merged_by, merged_at) "
    "SELECT sourced_id, issued, :i, reason, merged_by, merged_at FROM person_alias_undone "
    "WHERE undo_import_id = :undone"
).bindparams(bindparam("i", type_=Uuid()), bindparam("undone", type_=Uuid()))
_WRITTEN_BY = text(
    "SELECT sourced_id, true AS stands FROM person_alias WHERE import_id = :i "
    "UNION ALL SELECT sourced_id, false FROM person_alias_undone WHERE undo_import_id = :i"
).bindparams(bindparam("i", type_=Uuid()))


async def merge_of(session: AsyncSession, import_id: UUID) -> RowMapping | None:
    """The merge an import wrote (`stands`), or the one it took back, with the provisional code `sourced_id`."""
    return (await session.execute(_WRITTEN_BY, {"i": import_id})).mappings().one_or_none()


async def forget_alias(
    session: AsyncSession, old: str, import_id: UUID | None, *, reason: str, who: str, now: dt.datetime
) -> None:
    """The merge is taken back, by `import_id` if it was written anywhere."""
    given = {"old": old, "i": import_id, "reason": reason, "who": who, "now": now}
    await session.execute(_UNDO, given)


async def restore_alias(session: AsyncSession, undone: UUID, import_id: UUID) -> None:
    """The merge that `undone` took back stands again, written by `import_id`."""
    await session.execute(_REDO, {"undone": undone, "i": import_id})


async def find_alias(session: AsyncSession, sourced_id: str) -> RowMapping | None:
    statement = text("SELECT * FROM person_alias WHERE sourced_id = :id")
    return (await session.execute(statement, {"id": sourced_id})).mappings().one_or_none()


async def list_aliases(session: AsyncSession, after: str, limit: int) -> Sequence[RowMapping]:
    """In the order of the provisional code."""
    statement = text("SELECT * FROM person_alias WHERE sourced_id > :after ORDER BY sourced_id LIMIT :limit")
    return (await session.execute(statement, {"after": after, "limit": limit})).mappings().all()


async def rename_staged(staging: Staging) -> None:
    """A package that still sends a provisional code speaks of the person it became."""
    if not (await staging.session.execute(text("SELECT EXISTS (SELECT 1 FROM person_alias)"))).scalar_one():
        return
    for record, column in _NAMED:
        await staging.run(
            f"UPDATE {record.staging} s SET {column} = a.issued FROM person_alias a "
            f"WHERE s.import_id = :i AND s.{column} = a.sourced_id"
        )


# A merge is dated before it is committed: one that took long may be older than a package that has not seen it.
_MERGED_SINCE = text(
    "SELECT EXISTS (SELECT 1 FROM person_alias WHERE merged_at > CAST(:since AS timestamptz) - interval '10 minutes')"
)


async def rename_waiting(staging: Staging, since: dt.datetime) -> int:
    """The same for a resolved package at its schools, when something was merged `since`; answers how many rows.

    Of two staged people who became one, one stays, as an upsert takes a key once.
    """
    if not (await staging.session.execute(_MERGED_SINCE, {"since": since})).scalar_one():
        return 0
    here = "s.import_id = :i AND s.school_sourced_id = ANY(CAST(:schools AS text[]))"
    renamed = 0
    for record, column in _NAMED:
        renamed += await staging.run(
            f"UPDATE {record.staging} s SET {column} = a.issued FROM person_alias a "
            f"WHERE {here} AND s.{column} = a.sourced_id"
        )
    for record in (USER, DEMOGRAPHICS) if renamed else ():
        await staging.run(
            f"DELETE FROM {record.staging} s USING {record.staging} n, person_alias a "
            f"WHERE {here} AND s.sourced_id = a.issued AND n.import_id = :i AND n.sourced_id = s.sourced_id "
            "AND n.school_sourced_id = s.school_sourced_id AND n.outcome = s.outcome AND n.ended = s.ended "
            "AND n.ctid > s.ctid"
        )
    return renamed
