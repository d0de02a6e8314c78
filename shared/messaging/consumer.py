"""The consumer runner: bind, fetch, parse, unit of work, inbox, version guard, handler, commit, double ack.

Delivery is at least once and not in order. The inbox makes a second delivery harmless, the version guard makes the
order right: of an aggregate's events only the next version is applied, a lower one is skipped, a higher one is handed
back and nothing is recorded.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from nats.aio.msg import Msg
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js.errors import FetchTimeoutError
from opentelemetry import context, propagate
from prometheus_client import Counter
from pydantic import ValidationError
from sqlalchemy import text

from shared.contracts.event import EventData
from shared.db.failures import is_transient
from shared.db.scope import EVERYTHING
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.errors import AppError, Kind, invalid, stale
from shared.failpoints import failpoint
from shared.logs import correlation_id, failure_fields, logger
from shared.messaging.bus import Bus, NatsError
from shared.messaging.dead_letters import DeadLetter, bury
from shared.messaging.envelope import Envelope, decode
from shared.messaging.topology import ConsumerSpec

log = logger(__name__)

Handler = Callable[[UnitOfWork, Any], Awaitable[None]]

BACK_OFF_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
MAX_ATTEMPTS = 12
FETCH = 64
RETRIED = frozenset({Kind.UNAVAILABLE, Kind.LIMITED, Kind.STALE})

CONSUMED = Counter("events_consumed_total", "Events by outcome", ["consumer", "outcome"])


class Outcome(StrEnum):
    APPLIED = "applied"
    DUPLICATE = "duplicate"
    SKIPPED = "skipped"
    RETRIED = "retried"
    BURIED = "buried"


@dataclass(frozen=True, slots=True)
class Consumer:
    """What a service does with another's events. `handlers` maps an event's data class to a function of a unit of work.

    Events of the subscribed nouns without a handler only advance the version. A *version* of a handled event that is
    unknown here is a dead letter, unless it is listed in `ignored`.
    """

    spec: ConsumerSpec
    handlers: Mapping[type[EventData], Handler]
    ignored: frozenset[str] = field(default_factory=frozenset)

    @property
    def by_type(self) -> dict[str, tuple[type[EventData], Handler]]:
        return {data.TYPE: (data, handler) for data, handler in self.handlers.items()}


_SEEN = text("INSERT INTO inbox (event_id) VALUES (:id) ON CONFLICT DO NOTHING RETURNING event_id")
_APPLIED = text("SELECT version FROM applied_version WHERE source = :source AND aggregate = :aggregate FOR UPDATE")
_ADVANCE = text(
    "INSERT INTO applied_version (source, aggregate, version) VALUES (:source, :aggregate, :version) "
    "ON CONFLICT (source, aggregate) DO UPDATE SET version = excluded.version"
)


async def apply_event(consumer: Consumer, uow: UnitOfWork, envelope: Envelope) -> Outcome:
    """Apply one event in an open unit of work. Raises `event.gap` (stale) when an earlier version is missing."""
    session = uow.session
    if (await session.execute(_SEEN, {"id": envelope.id})).one_or_none() is None:
        return Outcome.DUPLICATE
    key = {"source": envelope.source, "aggregate": envelope.subject}
    applied: int = (await session.execute(_APPLIED, key)).scalar_one_or_none() or 0
    if envelope.aggregateversion <= applied:
        return Outcome.SKIPPED
    if envelope.aggregateversion > applied + 1:
        raise stale(
            "event.gap",
            vi="Còn thiếu phiên bản trước của đối tượng này.",
            en="An earlier version of this aggregate has not been applied yet.",
            applied=applied,
            received=envelope.aggregateversion,
        )
    outcome = await _handle(consumer, uow, envelope)
    await session.execute(_ADVANCE, key | {"version": envelope.aggregateversion})
    return outcome


async def _handle(consumer: Consumer, uow: UnitOfWork, envelope: Envelope) -> Outcome:
    known = consumer.by_type
    if envelope.type in known:
        data_class, handler = known[envelope.type]
        try:
            data = data_class.model_validate(envelope.data)
        except ValidationError as failure:
            raise invalid(
                "event.data_invalid",
                vi="Dữ liệu của sự kiện không đúng hợp đồng.",
                en="The event's data does not meet its contract.",
                faults=failure.error_count(),
            ) from failure
        await handler(uow, data)
        return Outcome.APPLIED
    name = envelope.type.rsplit(".v", 1)[0]
    if envelope.type not in consumer.ignored and any(other.rsplit(".v", 1)[0] == name for other in known):
        raise invalid(
            "event.version_unknown",
            vi="Phiên bản sự kiện này chưa được hỗ trợ.",
            en="This version of the event is not known here.",
            type=envelope.type,
        )
    return Outcome.SKIPPED


async def apply_payload(consumer: Consumer, units: UnitsOfWork, payload: bytes) -> Outcome:
    """Apply an event from its bytes in a unit of work of its own; also the way a dead letter is replayed."""
    envelope = decode(payload)
    correlation = correlation_id.set(envelope.correlationid)
    carrier = {"traceparent": envelope.traceparent} if envelope.traceparent else {}
    trace = context.attach(propagate.extract(carrier))
    try:
        async with units.begin(EVERYTHING) as uow:
            return await apply_event(consumer, uow, envelope)
    finally:
        context.detach(trace)
        correlation_id.reset(correlation)


class ConsumerRunner:
    def __init__(self, consumer: Consumer, units: UnitsOfWork, bus: Bus) -> None:
        self.consumer = consumer
        self._units = units
        self._bus = bus

    async def run(self) -> None:
        """Consume until cancelled. The durable must have been declared (`shared.messaging.topology`)."""
        while True:
            try:
                await self._run_bound()
            except (NatsError, TimeoutError, OSError) as failure:
                log.warning("consumer_interrupted", consumer=self.consumer.spec.durable, reason=type(failure).__name__)
                await asyncio.sleep(1.0)

    async def _run_bound(self) -> None:
        spec = self.consumer.spec
        subscription = await self._bus.jetstream.pull_subscribe_bind(spec.durable, spec.stream)
        try:
            while True:
                try:
                    messages = await subscription.fetch(FETCH, timeout=5)
                except (NatsTimeoutError, FetchTimeoutError):
                    continue
                for message in messages:
                    await self.process(message)
        finally:
            if self._bus.connected:
                await subscription.unsubscribe()

    async def process(self, message: Msg) -> Outcome:
        """One delivery, from bytes to acknowledgement."""
        attempt = message.metadata.num_delivered or 1
        try:
            outcome = await apply_payload(self.consumer, self._units, message.data)
        except AppError as failure:
            outcome = await self._refuse(message, attempt, failure.code, retry=failure.kind in RETRIED)
        except Exception as failure:  # noqa: BLE001  # whatever it is: tried again, then buried where it can be seen
            away = is_transient(failure)
            fields = failure_fields(failure)
            log.error("event_handler_failed", consumer=self.consumer.spec.durable, **fields)  # noqa: TRY400  # no message
            outcome = await self._refuse(message, attempt, type(failure).__name__, retry=True, endless=away)
        else:
            failpoint("consumer.committed")
            await message.ack_sync(timeout=5)
        CONSUMED.labels(self.consumer.spec.durable, outcome.value).inc()
        return outcome

    async def _refuse(self, message: Msg, attempt: int, reason: str, *, retry: bool, endless: bool = False) -> Outcome:
        """Hand the message back with a delay, or bury it. A database that is away is waited for without end."""
        spec = self.consumer.spec
        if retry and (endless or attempt < MAX_ATTEMPTS):
            delay = BACK_OFF_SECONDS[min(attempt, len(BACK_OFF_SECONDS)) - 1]
            log.info("event_retried", consumer=spec.durable, attempt=attempt, reason=reason, delay=delay)
            await message.nak(delay=delay)
            return Outcome.RETRIED
        letter = DeadLetter(
            consumer=spec.durable,
            stream=spec.stream,
            stream_sequence=message.metadata.sequence.stream,
            subject=message.subject,
            payload=message.data,
            reason=reason,
            attempts=attempt,
        )
        async with self._units.begin(EVERYTHING) as uow:
            await bury(uow.session, letter)
        log.error("event_buried", consumer=spec.durable, reason=reason, subject=message.subject, attempts=attempt)
        await message.term()
        return Outcome.BURIED
