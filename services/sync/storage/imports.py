"""Imports in SQL: finding work, reading what the caller may see, problems and changes by page."""

# ruff: noqa: S608  # statements are assembled from constants of this module; values are always bound

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.sync.domain.import_state import State
from services.sync.storage.tables import Import

# The uploader sees its own imports; a person sees those that touch a school of theirs, the department sees all.
# `import_school` is under row-level security, so the sub-select holds only schools in scope.
_OWN = "(i.client_id = :client AND i.subject = :subject)"
_ALL = "current_setting('app.everything', true) = 'on'"
_VISIBLE = f"({_OWN} OR {_ALL} OR (:person AND EXISTS (SELECT 1 FROM import_school s WHERE s.import_id = i.id)))"
_COLUMNS = f"i.*, ({_OWN} OR {_ALL}) AS is_whole"


def viewer(client_id: str, subject: str, *, person: bool) -> dict[str, Any]:
    """Parameters that say who looks."""
    return {"client": client_id, "subject": subject, "person": person}


async def find_import(session: AsyncSession, import_id: UUID, who: Mapping[str, Any]) -> RowMapping | None:
    """The import if `who` may see it; `is_whole` tells whether all of it or only the part of their schools."""
    statement = text(f"SELECT {_COLUMNS} FROM import i WHERE i.id = :id AND {_VISIBLE}")
    return (await session.execute(statement, {"id": import_id, **who})).mappings().one_or_none()


async def list_imports(
    session: AsyncSession, who: Mapping[str, Any], *, state: str | None, before: int | None, limit: int
) -> Sequence[RowMapping]:
    """Newest first. Writes of one record are read by their id only: there may be thousands a day."""
    conditions, given = [_VISIBLE, "i.record IS NULL"], {**who, "limit": limit}
    if state is not None:
        conditions.append("i.state = :state")
        given["state"] = state
    if before is not None:
        conditions.append("i.receipt_number < :before")
        given["before"] = before
    statement = text(
        f"SELECT {_COLUMNS} FROM import i WHERE {' AND '.join(conditions)} ORDER BY i.receipt_number DESC LIMIT :limit"
    )
    return (await session.execute(statement, given)).mappings().all()


async def undecided_since(session: AsyncSession, before: dt.datetime) -> Sequence[Import]:
    """Imports that have been ready or held since `before`, locked."""
    waiting = Import.state.in_([State.READY, State.HELD]), Import.validated_at < before
    statement = select(Import).where(*waiting).order_by(Import.receipt_number).limit(1000).with_for_update()
    return (await session.execute(statement)).scalars().all()


async def lock_import(session: AsyncSession, import_id: UUID, *, shared: bool = False) -> Import | None:
    """`shared`: others may hold it shared too, and nobody changes it meanwhile."""
    return await session.get(Import, import_id, with_for_update={"read": True} if shared else True)


async def schools_of(session: AsyncSession, import_ids: Sequence[UUID]) -> dict[UUID, list[RowMapping]]:
    """Per import the schools in scope, in key order."""
    statement = text("SELECT * FROM import_school WHERE import_id = ANY(:ids) ORDER BY import_id, school_sourced_id")
    found: dict[UUID, list[RowMapping]] = {}
    for row in (await session.execute(statement, {"ids": list(import_ids)})).mappings():
        found.setdefault(row["import_id"], []).append(row)
    return found


async def parts_left(session: AsyncSession, import_id: UUID) -> int:
    """How many schools of a waiting import would be written: those nobody discarded. Needs every school in scope."""
    statement = text("SELECT count(*) FROM import_school WHERE import_id = :id AND discarded_at IS NULL")
    return int((await session.execute(statement, {"id": import_id})).scalar_one())


async def decisions_of(session: AsyncSession, import_id: UUID) -> Sequence[RowMapping]:
    """What was decided about the schools in scope, oldest first; the latest thousand are more than ever happen."""
    statement = text("SELECT * FROM import_decision WHERE import_id = :id ORDER BY position LIMIT 1000")
    return (await session.execute(statement, {"id": import_id})).mappings().all()


async def list_problems(
    session: AsyncSession, import_id: UUID, filters: Mapping[str, str], *, whole: bool, after: int | None, limit: int
) -> Sequence[RowMapping]:
    """A page in the order found. `filters` by column: file, code, severity."""
    conditions, given = problem_conditions(import_id, filters, whole=whole)
    given["limit"] = limit
    if after is not None:
        conditions.append("p.position > :after")
        given["after"] = after
    statement = text(
        f"SELECT p.* FROM import_problem p WHERE {' AND '.join(conditions)} ORDER BY p.position LIMIT :limit"
    )
    return (await session.execute(statement, given)).mappings().all()


async def problem_summary(
    session: AsyncSession, import_id: UUID, filters: Mapping[str, str], *, whole: bool
) -> Sequence[RowMapping]:
    """Counts by code, file and field, commonest first, with one line as a sample."""
    conditions, given = problem_conditions(import_id, filters, whole=whole)
    statement = text(
        "SELECT p.severity, p.code, p.file, p.field, sum(p.count)::int AS count, min(p.line) AS line, "
        f"min(p.value) AS value, min(p.expected) AS expected FROM import_problem p WHERE {' AND '.join(conditions)} "
        "GROUP BY 1, 2, 3, 4 ORDER BY count DESC, p.code, p.file, p.field LIMIT 500"
    )
    return (await session.execute(statement, given)).mappings().all()


def problem_conditions(import_id: UUID, filters: Mapping[str, str], *, whole: bool) -> tuple[list[str], dict[str, Any]]:
    conditions, given = ["p.import_id = :id"], {"id": import_id, **filters}
    conditions += [f"p.{name} = :{name}" for name in filters]
    if not whole:
        conditions.append(
            "EXISTS (SELECT 1 FROM import_school s WHERE s.import_id = p.import_id "
            "AND s.school_sourced_id = p.school_sourced_id)"
        )
    return conditions, dict(given)


async def list_changes(
    session: AsyncSession,
    import_id: UUID,
    filters: Mapping[str, str],
    *,
    after: Sequence[str] | None,
    limit: int,
) -> Sequence[RowMapping]:
    """A page of the difference in key order. `filters` by column: type, action, school_sourced_id."""
    conditions, given = ["c.import_id = :id"], {"id": import_id, **filters, "limit": limit}
    conditions += [f"c.{name} = :{name}" for name in filters]
    if after is not None:
        conditions.append("(c.type, c.school_sourced_id, c.sourced_id) > (:t, :s, :k)")
        given |= dict(zip("tsk", after, strict=True))
    statement = text(
        f"SELECT c.* FROM import_change c WHERE {' AND '.join(conditions)} "
        "ORDER BY c.type, c.school_sourced_id, c.sourced_id LIMIT :limit"
    )
    return (await session.execute(statement, given)).mappings().all()


async def next_work(session: AsyncSession, limit: int) -> Sequence[UUID]:
    """Imports a worker should go on with, oldest first; those of one client in the order they were received."""
    statement = text(
        "SELECT i.id FROM import i WHERE i.state IN ('received', 'validating', 'committing') "
        "AND NOT EXISTS (SELECT 1 FROM import e WHERE e.state IN ('received', 'validating', 'committing') "
        "AND e.client_id = i.client_id AND e.receipt_number < i.receipt_number) "
        "ORDER BY i.receipt_number LIMIT :limit"
    )
    return list((await session.execute(statement, {"limit": limit})).scalars())


async def validated_among(session: AsyncSession, import_ids: Sequence[UUID]) -> dict[UUID, bool]:
    """Of these imports those that exist, and whether they are validated: then nobody needs their file."""
    statement = text("SELECT id, validated_at IS NOT NULL AS done FROM import WHERE id = ANY(:ids)")
    return {row.id: row.done for row in await session.execute(statement, {"ids": list(import_ids)})}
