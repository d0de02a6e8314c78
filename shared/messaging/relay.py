"""The relay: takes committed events from the outbox to JetStream, in order, at least once.

One relay is active per service (a session-level advisory lock). It reads unpublished rows by id, publishes a batch that
shares one disk sync on the server, and marks the rows after the acknowledgement. Woken by NOTIFY, and by a poll each
second because a notification may be lost with its connection.
"""

import asyncio
import contextlib
from typing import Any
from uuid import UUID

import asyncpg
from prometheus_client import Counter, Gauge

from shared.errors import AppError
from shared.failpoints import failpoint
from shared.ids import new_id
from shared.logs import logger
from shared.messaging.bus import Bus, NatsError
from shared.messaging.envelope import MEDIA_TYPE
from shared.messaging.outbox import CHANNEL

log = logger(__name__)

BATCH = 1000
POLL_SECONDS = 1.0
RETRY_SECONDS = 1.0
_LOCK_KEY = 7305810

OUTBOX_AGE = Gauge("outbox_oldest_unpublished_seconds", "Age of the oldest event not yet published", ["service"])
OUTBOX_PUBLISHED = Counter("outbox_published_total", "Events acknowledged by JetStream", ["service"])

_UNPUBLISHED = (
    "SELECT position, event_id, subject, envelope FROM outbox WHERE published_at IS NULL ORDER BY position LIMIT $1"
)
_MARK = "UPDATE outbox SET published_at = clock_timestamp() WHERE position = ANY($1::bigint[])"
_AGE = (
    "SELECT coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 "
    "FROM outbox WHERE published_at IS NULL"
)


class Relay:
    """`dsn` is a libpq URL without SQLAlchemy's driver suffix: the relay keeps one plain asyncpg connection."""

    def __init__(self, dsn: str, bus: Bus, *, service: str) -> None:
        self._dsn = dsn
        self._bus = bus
        self._service = service
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Relay until cancelled; a lost database or bus is waited for."""
        while True:
            try:
                await self._run_connected()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, AppError) as failure:
                log.warning("relay_interrupted", reason=str(failure))
                await asyncio.sleep(RETRY_SECONDS)

    async def _run_connected(self) -> None:
        connection = await asyncpg.connect(self._dsn, server_settings={"application_name": f"{self._service}-relay"})
        try:
            # Waits here while another instance relays; the lock falls to this one when that connection ends.
            await connection.execute("SET lock_timeout = 0")
            await connection.execute("SELECT pg_advisory_lock($1)", _LOCK_KEY)
            await connection.add_listener(CHANNEL, lambda *_: self._wake.set())
            while True:
                self._wake.clear()
                published = await self.publish_pending(connection)
                if published < BATCH:
                    OUTBOX_AGE.labels(self._service).set(await connection.fetchval(_AGE))
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)
        finally:
            await connection.close(timeout=2)

    async def publish_pending(self, connection: Any) -> int:
        """Publish at most one batch; the number of events marked as published. Stops at the first error."""
        rows = await connection.fetch(_UNPUBLISHED, BATCH)
        if not rows:
            return 0
        try:
            done = await self._publish_batch(rows)
        except AppError:
            OUTBOX_AGE.labels(self._service).set(await connection.fetchval(_AGE))
            raise
        failpoint("relay.published")
        await connection.execute(_MARK, done)
        OUTBOX_PUBLISHED.labels(self._service).inc(len(done))
        return len(done)

    async def _publish_batch(self, rows: list[Any]) -> list[int]:
        if len(rows) > 1 and await self._publish_atomically(rows):
            return [row["position"] for row in rows]
        for row in rows:  # one event, or a batch that holds events the server has already seen
            await self._bus.publish(row["subject"], row["envelope"], _headers(row["event_id"]))
        return [row["position"] for row in rows]

    async def _publish_atomically(self, rows: list[Any]) -> bool:
        """All or nothing in one sync (nats-server 2.12+). False when the server refuses this batch as a whole."""
        batch_id = new_id().hex
        client = self._bus.client
        self._bus.last_refusal = None
        try:
            for sequence, row in enumerate(rows[:-1], start=1):
                headers = _headers(row["event_id"]) | {"Nats-Batch-Id": batch_id, "Nats-Batch-Sequence": str(sequence)}
                await client.publish(row["subject"], row["envelope"], headers=headers)
            last = rows[-1]
            headers = _headers(last["event_id"]) | {
                "Nats-Batch-Id": batch_id,
                "Nats-Batch-Sequence": str(len(rows)),
                "Nats-Batch-Commit": "1",
            }
            answer = await client.request(last["subject"], last["envelope"], timeout=10, headers=headers)
        except (NatsError, TimeoutError) as failure:
            raise self._bus.failure_of(failure) from failure
        return b'"error"' not in answer.data


def _headers(event_id: UUID) -> dict[str, str]:
    return {"Nats-Msg-Id": str(event_id), "Content-Type": MEDIA_TYPE}
