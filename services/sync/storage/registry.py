"""The registry of issued codes in SQL: loading codes, how strictly they bind, holding people it does not know."""

import datetime as dt
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.sync.domain.records import ROLE, USER
from services.sync.domain.registry import PROVISIONAL
from services.sync.storage.resolve import Staging

_CHUNK = 10_000
_ADD = text(
    "INSERT INTO registry_code (kind, sourced_id, loaded_at) SELECT :kind, c.code, CAST(:now AS timestamptz) "
    "FROM unnest(CAST(:codes AS text[])) c(code) ON CONFLICT DO NOTHING"
)
# Without a decision the registry binds as soon as it knows anything.
_KINDS = text("""
SELECT k.kind, COALESCE(m.mode, CASE WHEN n.codes > 0 THEN 'authoritative' ELSE 'open' END) AS mode, n.codes,
  m.reason, m.decided_by, m.decided_at
FROM (VALUES ('learners'), ('staff')) k(kind)
CROSS JOIN LATERAL (SELECT count(*) AS codes FROM registry_code c WHERE c.kind = k.kind) n
LEFT JOIN registry_mode m ON m.kind = k.kind ORDER BY 1
""")
_MODES = text("""
SELECT k.kind, COALESCE(m.mode, CASE WHEN EXISTS (SELECT 1 FROM registry_code c WHERE c.kind = k.kind)
  THEN 'authoritative' ELSE 'open' END) AS mode
FROM (VALUES ('learners'), ('staff')) k(kind) LEFT JOIN registry_mode m ON m.kind = k.kind
""")
_DECIDE = text(
    "INSERT INTO registry_mode AS m (kind, mode, reason, decided_by, decided_at) "
    "VALUES (:kind, :mode, :reason, :who, :now) ON CONFLICT (kind) DO UPDATE SET mode = EXCLUDED.mode, "
    "reason = EXCLUDED.reason, decided_by = EXCLUDED.decided_by, decided_at = EXCLUDED.decided_at"
)
# A person with any learner's role is a learner. Roles of the package count, and those the schools already have.
_HOLD = f"""
WITH roles AS MATERIALIZED (
  SELECT r.user_sourced_id AS person, bool_or(r.role = 'student') AS learner FROM (
    SELECT user_sourced_id, role FROM {ROLE.staging} WHERE import_id = :i AND outcome = 'accepted' AND NOT ended
    UNION ALL SELECT user_sourced_id, role FROM {ROLE.table}
    WHERE status = 'active' AND school_sourced_id = ANY(CAST(:schools AS text[]))) r GROUP BY 1
), unknown AS MATERIALIZED (
  SELECT x.person, x.learner FROM roles x LEFT JOIN registry_code k
    ON k.sourced_id = x.person AND k.kind = CASE WHEN x.learner THEN 'learners' ELSE 'staff' END
  WHERE k.sourced_id IS NULL AND NOT (x.learner AND x.person LIKE '{PROVISIONAL}_%')
), found AS (
  UPDATE {USER.staging} s SET outcome = 'refused' FROM unknown u
  WHERE s.import_id = :i AND s.outcome = 'accepted' AND NOT s.ended AND u.person = s.sourced_id
    AND CASE WHEN u.learner THEN CAST(:learners AS boolean) ELSE CAST(:staff AS boolean) END
  RETURNING s.line, s.sourced_id
)
INSERT INTO import_problem (import_id, severity, code, file, line, field, count, record_sourced_id)
SELECT :i, 'error', 'registry.unknown', '{USER.file}.csv', line, 'sourcedId', 1, sourced_id FROM found
"""  # noqa: S608  # names of tables from domain.records


async def load_codes(session: AsyncSession, kind: str, codes: Iterable[str], now: dt.datetime) -> int:
    """Add issued codes, and answer how many were new."""
    left, added = iter(codes), 0
    while chunk := list(islice(left, _CHUNK)):
        result: Any = await session.execute(_ADD, {"kind": kind, "codes": chunk, "now": now})
        added += result.rowcount
    return added


async def registry_kinds(session: AsyncSession) -> Mapping[str, RowMapping]:
    """Per kind how strictly it binds, how many codes it knows, and who decided that and why."""
    return {row["kind"]: row for row in (await session.execute(_KINDS)).mappings()}


async def decide_mode(session: AsyncSession, kind: str, mode: str, *, reason: str, who: str, now: dt.datetime) -> None:
    await session.execute(_DECIDE, {"kind": kind, "mode": mode, "reason": reason, "who": who, "now": now})


async def hold_unknown_people(staging: Staging) -> None:
    """Refuse the people whose code an authoritative registry does not know; a learner may carry a provisional one."""
    modes = {row.kind: row.mode == "authoritative" for row in await staging.session.execute(_MODES)}
    if any(modes.values()):
        await staging.run(_HOLD, learners=modes["learners"], staff=modes["staff"])
