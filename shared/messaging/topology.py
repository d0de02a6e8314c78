"""Streams and consumers, declared in a step of their own that is safe to repeat and refuses drift.

Binding to a durable that exists ignores whatever configuration the binder asks for, so a difference between what the
code says and what the server holds must stop the roll-out instead of being discovered later.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.client import JetStreamContext
from nats.js.errors import NotFoundError

from shared.errors import AppError, Kind, Text

CANARY_STREAM = "CANARY"
DUPLICATE_WINDOW_SECONDS = 600.0
ACK_WAIT_SECONDS = 30.0
MAX_ACK_PENDING = 512


@dataclass(frozen=True, slots=True)
class ConsumerSpec:
    """A durable pull consumer.

    `filter_subjects` name whole nouns (`sync.roster.>`): the version guard needs all events of an aggregate, also
    those it has no handler for.
    """

    durable: str
    stream: str
    filter_subjects: tuple[str, ...]


def stream_config(service: str, *, max_bytes: int) -> StreamConfig:
    return StreamConfig(
        name=service.upper(),
        subjects=[f"{service}.>"],
        storage=StorageType.FILE,
        retention=RetentionPolicy.LIMITS,
        # A full stream refuses new events (the outbox keeps them) instead of dropping old ones silently.
        discard=DiscardPolicy.NEW,
        max_bytes=max_bytes,
        duplicate_window=DUPLICATE_WINDOW_SECONDS,
        allow_atomic=True,
        num_replicas=1,
    )


def canary_config() -> StreamConfig:
    """One message per service, overwritten at each readiness check: a full disk shows here and not in `/healthz`."""
    return StreamConfig(
        name=CANARY_STREAM,
        subjects=["canary.>"],
        storage=StorageType.FILE,
        retention=RetentionPolicy.LIMITS,
        discard=DiscardPolicy.OLD,
        max_msgs_per_subject=1,
        max_bytes=1024 * 1024,
        num_replicas=1,
    )


def consumer_config(spec: ConsumerSpec) -> ConsumerConfig:
    return ConsumerConfig(
        durable_name=spec.durable,
        deliver_policy=DeliverPolicy.ALL,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=ACK_WAIT_SECONDS,
        # The runner writes its own dead letter before its last attempt; the server's limit would only make it vanish.
        max_deliver=-1,
        max_ack_pending=MAX_ACK_PENDING,
        filter_subjects=list(spec.filter_subjects),
    )


async def declare_topology(
    jetstream: JetStreamContext,
    service: str,
    consumers: Sequence[ConsumerSpec],
    *,
    max_bytes: int,
    wait_seconds: float = 60.0,
) -> None:
    """Create what is missing, accept what is equal, raise `topology.drift` (conflict) for anything else.

    Waits for foreign streams to be declared by their owners.
    """
    await _declare_stream(jetstream, canary_config())
    await _declare_stream(jetstream, stream_config(service, max_bytes=max_bytes))
    for spec in consumers:
        await _wait_for_stream(jetstream, spec.stream, wait_seconds)
        await _declare_consumer(jetstream, spec)


async def _declare_stream(jetstream: JetStreamContext, wanted: StreamConfig) -> None:
    assert wanted.name is not None
    try:
        present = (await jetstream.stream_info(wanted.name)).config
    except NotFoundError:
        await jetstream.add_stream(wanted)
        return
    fields = ("subjects", "storage", "retention", "discard", "max_bytes", "max_msgs_per_subject")
    _refuse_drift(f"stream {wanted.name}", fields, wanted, present)


async def _declare_consumer(jetstream: JetStreamContext, spec: ConsumerSpec) -> None:
    wanted = consumer_config(spec)
    try:
        present = (await jetstream.consumer_info(spec.stream, spec.durable)).config
    except NotFoundError:
        await jetstream.add_consumer(spec.stream, wanted)
        return
    if present.filter_subject and not present.filter_subjects:
        present.filter_subjects = [present.filter_subject]
    fields = ("ack_policy", "deliver_policy", "ack_wait", "max_deliver", "max_ack_pending", "filter_subjects")
    _refuse_drift(f"consumer {spec.stream}/{spec.durable}", fields, wanted, present)


async def _wait_for_stream(jetstream: JetStreamContext, stream: str, seconds: float) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        try:
            await jetstream.stream_info(stream)
        except NotFoundError:
            if asyncio.get_running_loop().time() >= deadline:
                raise AppError(
                    "topology.stream_missing",
                    Kind.UNAVAILABLE,
                    Text(f"Chưa có luồng {stream}.", f"Stream {stream} has not been declared by its service."),
                ) from None
            await asyncio.sleep(0.2)
        else:
            return


def _refuse_drift(what: str, fields: Sequence[str], wanted: Any, present: Any) -> None:
    differences = {
        field: {"wanted": str(getattr(wanted, field)), "present": str(getattr(present, field))}
        for field in fields
        if getattr(wanted, field) != getattr(present, field)
    }
    if differences:
        raise AppError(
            "topology.drift",
            Kind.CONFLICT,
            Text(
                f"Cấu hình của {what} trên máy chủ khác với mã nguồn: {differences}. Hãy đổi có chủ ý.",
                f"{what} is configured differently on the server: {differences}. Change it deliberately.",
            ),
            details={"what": what, "differences": differences},
        )
