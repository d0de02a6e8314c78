"""Pulls in SQL: their settings, their runs, and what the database already knows of a provider's records."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.sync.domain.pull import RunState
from services.sync.storage.connector_tables import Pull, PullRun

_RUN_COLUMNS = (
    "r.position, r.pull_id, r.kind, r.state, r.interruptions, r.requested_by, r.queued_at, r.started_at, r.ended_at, "
    "r.since, r.watermark, r.counts, r.failure, r.import_id, i.state AS import_state"
)
_RUNS = f"SELECT {_RUN_COLUMNS} FROM pull_run r LEFT JOIN import i ON i.id = r.import_id WHERE r.pull_id = :pull "  # noqa: S608  # constants of this module
_PAGE = text(f"{_RUNS} AND r.position < :before ORDER BY r.position DESC LIMIT :limit")
_LAST = text(f"{_RUNS} AND r.state NOT IN ('waiting', 'running') ORDER BY r.position DESC LIMIT 1")
# What a delta builds on must have reached the database: an import that was held, refused or discarded has not.
_GOOD = (
    f"{_RUNS} AND r.queued_at >= :since "
    "AND (r.state = 'unchanged' OR (r.state = 'imported' AND i.state = 'committed')) "
)
_BASE = text(f"{_GOOD} ORDER BY r.watermark DESC LIMIT 1")
_HAS_FULL = text(f"{_GOOD} AND r.kind = 'full' ORDER BY r.position DESC LIMIT 1")
_LAST_FULL = text(
    f"{_RUNS} AND r.queued_at >= :since AND r.kind = 'full' AND r.state IN ('imported', 'unchanged') "
    "ORDER BY r.position DESC LIMIT 1"
)
_DUE = text(
    "SELECT p.id FROM pull p WHERE p.enabled AND (p.next_run_at <= :now OR EXISTS "
    "(SELECT 1 FROM pull_run r WHERE r.pull_id = p.id AND r.state IN ('waiting', 'running'))) ORDER BY p.next_run_at"
)
_ROLES = text(
    "SELECT sourced_id, user_sourced_id, school_sourced_id, role FROM role WHERE status = 'active' "
    "AND user_sourced_id = ANY(CAST(:users AS text[])) AND school_sourced_id = ANY(CAST(:schools AS text[]))"
)
_KNOWN = {
    name: text(
        f"SELECT DISTINCT sourced_id FROM {table} WHERE sourced_id = ANY(CAST(:ids AS text[])) "  # noqa: S608  # as above
        "AND school_sourced_id = ANY(CAST(:schools AS text[])) AND status = 'active'"
    )
    for name, table in (("users", "person"), ("courses", "course"))
}


async def find_pull(session: AsyncSession, pull_id: str, *, lock: bool = False) -> Pull | None:
    return await session.get(Pull, pull_id, with_for_update=lock or None)


async def list_pulls(session: AsyncSession, after: str, limit: int) -> Sequence[Pull]:
    return (await session.execute(select(Pull).where(Pull.id > after).order_by(Pull.id).limit(limit))).scalars().all()


async def delete_pull(session: AsyncSession, pull: Pull) -> None:
    """The runs go along; the imports they made stay."""
    await session.execute(delete(PullRun).where(PullRun.pull_id == pull.id))
    await session.delete(pull)


async def list_runs(session: AsyncSession, pull_id: str, *, before: int | None, limit: int) -> Sequence[RowMapping]:
    """Newest first, with the state of the import each made."""
    given = {"pull": pull_id, "before": before or 2**62, "limit": limit}
    return (await session.execute(_PAGE, given)).mappings().all()


async def last_run(session: AsyncSession, pull_id: str) -> RowMapping | None:
    """The newest that has ended."""
    return (await session.execute(_LAST, {"pull": pull_id})).mappings().one_or_none()


async def delta_base(session: AsyncSession, pull: Pull) -> dt.datetime | None:
    """The watermark of the last good run; None where no full one is committed under the present settings."""
    given = {"pull": pull.id, "since": pull.counts_since}
    if (await session.execute(_HAS_FULL, given)).first() is None:
        return None
    row = (await session.execute(_BASE, given)).mappings().one()
    found: dt.datetime | None = row["watermark"]
    return found


async def last_full(session: AsyncSession, pull: Pull) -> RowMapping | None:
    """The newest full run that was handed in under the present settings."""
    given = {"pull": pull.id, "since": pull.counts_since}
    return (await session.execute(_LAST_FULL, given)).mappings().one_or_none()


async def open_run(session: AsyncSession, pull_id: str) -> PullRun | None:
    """The run that waits or runs; there is at most one."""
    unfinished = PullRun.state.in_([RunState.WAITING, RunState.RUNNING])
    found = await session.execute(select(PullRun).where(PullRun.pull_id == pull_id, unfinished).with_for_update())
    return found.scalar_one_or_none()


async def due_pulls(session: AsyncSession, now: dt.datetime) -> list[str]:
    return list((await session.execute(_DUE, {"now": now})).scalars())


async def known_roles(
    session: AsyncSession, users: Sequence[str], schools: Sequence[str]
) -> dict[tuple[str, str, str], str]:
    """SourcedId by (user, school, role) of the active roles of these users."""
    rows = await session.execute(_ROLES, {"users": list(users), "schools": list(schools)})
    return {(row.user_sourced_id, row.school_sourced_id, row.role): row.sourced_id for row in rows}


async def known_ids(session: AsyncSession, file: str, ids: Sequence[str], schools: Sequence[str]) -> set[str]:
    """Which of these users or courses are active at the schools."""
    given: dict[str, Any] = {"ids": list(ids), "schools": list(schools)}
    return set((await session.execute(_KNOWN[file], given)).scalars())
