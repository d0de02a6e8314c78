"""Dead letters: events that could not be applied, kept with their reason until an operator replays them."""

import contextlib
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.errors import AppError
from shared.messaging.envelope import decode


@dataclass(frozen=True, slots=True)
class DeadLetter:
    consumer: str
    stream: str
    stream_sequence: int
    subject: str
    payload: bytes
    reason: str
    attempts: int


_BURY = text(
    "INSERT INTO dead_letter (consumer, stream, stream_sequence, subject, event_id, payload, reason, attempts) "
    "VALUES (:consumer, :stream, :stream_sequence, :subject, :event_id, :payload, :reason, :attempts)"
)
_WAITING = text(
    "SELECT position, consumer, subject, event_id, reason, attempts, created_at, payload FROM dead_letter "
    "WHERE replayed_at IS NULL ORDER BY position LIMIT :limit"
)
_REPLAYED = text("UPDATE dead_letter SET replayed_at = clock_timestamp() WHERE position = :position")


async def bury(session: AsyncSession, letter: DeadLetter) -> None:
    event_id = None
    with contextlib.suppress(AppError):  # a payload that is no envelope has no id
        event_id = decode(letter.payload).id
    values = {name: getattr(letter, name) for name in DeadLetter.__slots__}
    await session.execute(_BURY, values | {"event_id": event_id})


async def waiting(session: AsyncSession, limit: int = 1000) -> list[dict[str, Any]]:
    """Dead letters not yet replayed, oldest first."""
    rows = await session.execute(_WAITING, {"limit": limit})
    return [dict(row) for row in rows.mappings()]


async def mark_replayed(session: AsyncSession, position: int) -> None:
    await session.execute(_REPLAYED, {"position": position})
