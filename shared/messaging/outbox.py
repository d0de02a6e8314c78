"""The outbox: an event is a row of the transaction that causes it, so neither exists without the other."""

from typing import TYPE_CHECKING

from opentelemetry import propagate
from sqlalchemy import text

from shared.contracts.event import EventData
from shared.ids import new_id
from shared.logs import correlation_id
from shared.messaging.envelope import seal

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

CHANNEL = "outbox"  # the name in the NOTIFY of _APPEND

# The row lock on aggregate_version makes writers of one aggregate queue up until commit: positions and versions of an
# aggregate therefore grow together, and the relay's order is the order of the versions.
_NEXT_VERSION = text(
    "INSERT INTO aggregate_version AS a (aggregate, version) VALUES (:aggregate, 1) "
    "ON CONFLICT (aggregate) DO UPDATE SET version = a.version + 1 RETURNING version, clock_timestamp()"
)
_APPEND = text(
    "WITH written AS (INSERT INTO outbox (event_id, subject, aggregate, version, envelope) "
    "VALUES (:event_id, :subject, :aggregate, :version, :envelope) RETURNING 1) "
    "SELECT pg_notify('outbox', '') FROM written"
)


async def append_event(session: "AsyncSession", data: EventData, *, aggregate: str, source: str) -> None:
    """Queue `data` as the next version of `aggregate`. It is published after the transaction commits."""
    version, time = (await session.execute(_NEXT_VERSION, {"aggregate": aggregate})).one()
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    envelope = seal(
        data,
        event_id=new_id(),
        aggregate=aggregate,
        version=version,
        source=source,
        time=time,
        correlation_id=correlation_id.get(),
        traceparent=carrier.get("traceparent"),
    )
    await session.execute(
        _APPEND,
        {
            "event_id": envelope.id,
            "subject": data.TYPE,
            "aggregate": aggregate,
            "version": version,
            "envelope": envelope.encode(),
        },
    )
