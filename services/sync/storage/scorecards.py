"""What a vendor delivered, counted over its imports."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

_TOTALS = text("""
SELECT count(*) AS imports, max(i.received_at) AS last_push,
  count(*) FILTER (WHERE i.state = 'held') AS held,
  sum(n.read)::bigint AS read, sum(n.accepted)::bigint AS accepted, sum(n.refused)::bigint AS refused,
  percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM i.committed_at - i.received_at)) AS median_seconds,
  max(extract(epoch FROM i.committed_at - i.received_at))::float AS longest_seconds
FROM import i CROSS JOIN LATERAL (
  SELECT COALESCE(sum((f.value->>'read')::int), 0) AS read, COALESCE(sum((f.value->>'accepted')::int), 0) AS accepted,
    COALESCE(sum((f.value->>'refused')::int), 0) AS refused FROM jsonb_each(i.counts) f) n
WHERE i.client_id = :client AND i.received_at >= :since
""")
_CAUSES = text("""
SELECT h.code, sum(p.count)::bigint AS rows FROM import i
JOIN import_problem p ON p.import_id = i.id AND p.cause IS NOT NULL
JOIN import_problem h ON h.position = p.cause
WHERE i.client_id = :client AND i.received_at >= :since GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 100
""")
# Schools granted to the vendor that never got anything stand there too: silence is what one looks for.
_SCHOOLS = text("""
SELECT s.school, max(i.received_at) AS last_push, max(p.committed_at) AS last_commit, count(i.id) AS imports,
  count(*) FILTER (WHERE i.state = 'held' AND p.held) AS held
FROM (SELECT unnest(CAST(:granted AS text[])) AS school UNION
  SELECT x.school_sourced_id FROM import_school x JOIN import o ON o.id = x.import_id WHERE o.client_id = :client) s
LEFT JOIN (import_school p JOIN import i ON i.id = p.import_id AND i.client_id = :client)
  ON p.school_sourced_id = s.school
WHERE s.school > COALESCE(CAST(:after AS text), '') GROUP BY 1 ORDER BY 1 LIMIT :limit
""")


async def totals(session: AsyncSession, client: str, since: dt.datetime) -> RowMapping:
    """Rows by outcome and seconds from receipt to commit of the imports received since then."""
    return (await session.execute(_TOTALS, {"client": client, "since": since})).mappings().one()


async def refused_by_cause(session: AsyncSession, client: str, since: dt.datetime) -> Sequence[RowMapping]:
    """Refused rows by the code of their root cause, most first."""
    return (await session.execute(_CAUSES, {"client": client, "since": since})).mappings().all()


async def schools(
    session: AsyncSession, client: str, granted: Sequence[str], *, after: str | None, limit: int
) -> Sequence[RowMapping]:
    """Per school in scope when it last got something, in key order."""
    given = {"client": client, "granted": list(granted), "after": after, "limit": limit}
    return (await session.execute(_SCHOOLS, given)).mappings().all()
