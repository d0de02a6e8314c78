"""Folding findings into root causes inside PostgreSQL, and reading the causes by page.

A row refused for want of a record belongs to the cause of that record: the first finding of the record's own row when
the package has it and it was refused (and so on upwards), otherwise the missing record itself.
"""

# ruff: noqa: S608  # statements are assembled from constants of this module; values are always bound

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, RowMapping, Text, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.sync.domain.causes import CODES_BY_VALUE
from services.sync.domain.records import ROLE
from services.sync.storage.imports import problem_conditions

# A user is refused for lack of a role because its role's row was refused: that row is what to cure.
_LOST_ROLES = text(
    f"UPDATE import_problem p SET target_file = '{ROLE.file}.csv', target_sourced_id = r.sourced_id "
    "FROM (SELECT DISTINCT ON (user_sourced_id) user_sourced_id, sourced_id "
    f"FROM {ROLE.staging} WHERE import_id = :i AND outcome = 'refused' AND user_sourced_id IS NOT NULL "
    "AND sourced_id <> '' ORDER BY user_sourced_id, line) r "
    "WHERE p.import_id = :i AND p.code = 'user.noRole' AND p.record_sourced_id = r.user_sourced_id"
).bindparams(bindparam("i", type_=Uuid()))

# `own`: what is wrong with a refused record itself. `rooted` walks from the roots down, so every finding is met once.
# A second row of the same sourcedId is refused, its record is not: nothing depends on it.
_FOLD = text("""
WITH RECURSIVE e AS MATERIALIZED (
  SELECT position, file, record_sourced_id AS record, code, field, value, target_file, target_sourced_id AS target
  FROM import_problem WHERE import_id = :i AND severity = 'error'
), own AS MATERIALIZED (
  SELECT file, record, min(position) AS position FROM e
  WHERE record <> '' AND code <> 'sourcedId.duplicate' GROUP BY 1, 2
), rooted AS (
  SELECT e.position, e.position AS root FROM e
  LEFT JOIN own o ON o.file = e.target_file AND o.record = e.target WHERE o.position IS NULL
  UNION ALL
  SELECT e.position, r.root FROM rooted r JOIN own o ON o.position = r.position
  JOIN e ON e.target_file = o.file AND e.target = o.record
), caused AS (
  SELECT r.position, min(b.position) OVER (PARTITION BY b.target_file, b.target,
    CASE WHEN b.target IS NULL THEN b.code END, CASE WHEN b.target IS NULL THEN b.file END,
    CASE WHEN b.target IS NULL THEN b.field END,
    CASE WHEN b.code = ANY(:by_value) AND b.target IS NULL THEN b.value END) AS cause
  FROM rooted r JOIN e b ON b.position = r.root
)
UPDATE import_problem p SET cause = COALESCE(c.cause, e.position)
FROM e LEFT JOIN caused c ON c.position = e.position WHERE p.position = e.position
""").bindparams(bindparam("i", type_=Uuid()), bindparam("by_value", type_=ARRAY(Text)))


async def fold_causes(session: AsyncSession, import_id: UUID) -> None:
    """Give every error of the import its cause. Needs the staged rows; may be repeated."""
    await session.execute(_LOST_ROLES, {"i": import_id})
    await session.execute(_FOLD, {"i": import_id, "by_value": sorted(CODES_BY_VALUE)})


async def list_causes(
    session: AsyncSession, import_id: UUID, *, whole: bool, after: Sequence[int] | None, limit: int
) -> Sequence[RowMapping]:
    """A page of causes, those that cost most rows first; `after` is (rows, cause) of the last one seen."""
    conditions, given = problem_conditions(import_id, {}, whole=whole)
    page: Mapping[str, Any] = {}
    if after is not None:
        page = {"rows": after[0], "after": after[1]}
    statement = text(
        "WITH by_file AS (SELECT p.cause, p.file, sum(p.count) AS rows FROM import_problem p "
        f"WHERE {' AND '.join(conditions)} AND p.cause IS NOT NULL GROUP BY 1, 2), "
        "found AS (SELECT cause, sum(rows)::bigint AS rows, jsonb_object_agg(file, rows) AS files FROM by_file "
        "GROUP BY 1) "
        "SELECT f.cause, f.rows, f.files, h.code, h.file, h.line, h.field, h.value, h.expected, h.record_sourced_id, "
        "h.target_file, h.target_sourced_id FROM found f JOIN import_problem h ON h.position = f.cause "
        f"{'WHERE (-f.rows, f.cause) > (-CAST(:rows AS bigint), CAST(:after AS bigint)) ' if after is not None else ''}"
        "ORDER BY f.rows DESC, f.cause LIMIT :limit"
    )
    return (await session.execute(statement, {**given, **page, "limit": limit})).mappings().all()
