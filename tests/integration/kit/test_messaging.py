"""Outbox, relay, inbox, version guard and dead letters on a real PostgreSQL and a real nats-server."""

import asyncio
import json
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import select, text

from shared.db.scope import EVERYTHING
from shared.errors import AppError, unavailable
from shared.messaging import dead_letters
from shared.messaging.bus import Bus, connect_bus
from shared.messaging.consumer import MAX_ATTEMPTS, Consumer, ConsumerRunner, Outcome, apply_payload
from shared.messaging.envelope import decode
from shared.messaging.relay import BATCH, Relay
from shared.messaging.topology import ConsumerSpec, declare_topology
from shared.service import plain_dsn
from tests.integration.kit.conftest import Place, Thing, ThingCounted

SPEC = ConsumerSpec(durable="reporting-things", stream="SYNC", filter_subjects=("sync.thing.>",))
STREAM_BYTES = 64 * 1024**2


async def _keep(uow, data: ThingCounted) -> None:
    row = await uow.session.get(Thing, data.name)
    if row is None:
        uow.session.add(Thing(name=data.name, school_sourced_id="A", count=data.count))
    else:
        row.count = row.count * 10 + data.count  # not idempotent and not commutative: every mistake shows


CONSUMER = Consumer(spec=SPEC, handlers={ThingCounted: _keep})


@pytest.fixture
async def publisher(make_place) -> Place:
    return await make_place()


@pytest.fixture
async def reader(make_place) -> Place:
    return await make_place(service="reporting")


@pytest.fixture
async def sync_bus(clean_streams, nats_url_for) -> AsyncIterator[Bus]:
    bus = await connect_bus(nats_url_for("sync"), "sync-test")
    await declare_topology(bus.jetstream, "sync", [], max_bytes=STREAM_BYTES)
    yield bus
    await bus.close()


@pytest.fixture
async def reporting_bus(sync_bus, nats_url_for) -> AsyncIterator[Bus]:
    bus = await connect_bus(nats_url_for("reporting"), "reporting-test")
    await declare_topology(bus.jetstream, "reporting", [SPEC], max_bytes=STREAM_BYTES)
    yield bus
    await bus.close()


async def emit(place: Place, *counts: int, name: str = "x") -> None:
    async with place.units.begin(EVERYTHING) as uow:
        for count in counts:
            await uow.emit(ThingCounted(name=name, count=count), aggregate=f"thing:{name}")


async def relay_all(place: Place, bus: Bus) -> int:
    connection = await asyncpg.connect(plain_dsn(place.app_url))
    try:
        return await Relay(plain_dsn(place.app_url), bus, service="sync").publish_pending(connection)
    finally:
        await connection.close()


async def payloads(place: Place) -> list[bytes]:
    async with place.units.begin(EVERYTHING) as uow:
        return list((await uow.session.execute(text("SELECT envelope FROM outbox ORDER BY position"))).scalars())


async def counts(place: Place) -> dict[str, int]:
    async with place.units.begin(EVERYTHING) as uow:
        return {thing.name: thing.count for thing in (await uow.session.execute(select(Thing))).scalars()}


async def drain(place: Place, bus: Bus, consumer: Consumer = CONSUMER, *, until: int) -> list[Outcome]:
    """Process deliveries until `until` of them have ended (applied, skipped, buried)."""
    runner = ConsumerRunner(consumer, place.units, bus)
    subscription = await bus.jetstream.pull_subscribe_bind(consumer.spec.durable, consumer.spec.stream)
    ended: list[Outcome] = []
    while len(ended) < until:
        for message in await subscription.fetch(10, timeout=20):
            outcome = await runner.process(message)
            if outcome is not Outcome.RETRIED:
                ended.append(outcome)
    await subscription.unsubscribe()
    return ended


async def test_an_event_is_a_cloudevent_with_the_aggregates_next_version(publisher):
    await emit(publisher, 1, 2)
    first, second = [json.loads(payload) for payload in await payloads(publisher)]
    assert [first["aggregateversion"], second["aggregateversion"]] == [1, 2]
    assert {key: first[key] for key in ("specversion", "source", "type", "subject", "datacontenttype")} == {
        "specversion": "1.0",
        "source": "/sync",
        "type": "sync.thing.counted.v1",
        "subject": "thing:x",
        "datacontenttype": "application/json",
    }
    assert first["data"] == {"name": "x", "count": 1}
    assert UUID(first["id"]).version == 7


async def test_an_event_of_a_rolled_back_transaction_never_exists(publisher):
    async def break_off() -> None:
        async with publisher.units.begin(EVERYTHING) as uow:
            await uow.emit(ThingCounted(name="x", count=1), aggregate="thing:x")
            raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        await break_off()
    assert await payloads(publisher) == []
    await emit(publisher, 7)
    assert json.loads((await payloads(publisher))[0])["aggregateversion"] == 1


async def test_concurrent_writers_of_one_aggregate_get_versions_without_gap_or_repetition(publisher):
    await asyncio.gather(*(emit(publisher, count) for count in range(10)))
    versions = [json.loads(payload)["aggregateversion"] for payload in await payloads(publisher)]
    assert versions == list(range(1, 11))


async def test_committed_events_arrive_in_order(publisher, reader, sync_bus, reporting_bus):
    await emit(publisher, 1, 2, 3)
    assert await relay_all(publisher, sync_bus) == 3
    assert await relay_all(publisher, sync_bus) == 0
    assert await drain(reader, reporting_bus, until=3) == [Outcome.APPLIED] * 3
    assert await counts(reader) == {"x": 123}


async def test_more_than_one_batch_is_relayed(publisher, sync_bus):
    await emit(publisher, *range(BATCH + 5))
    assert [await relay_all(publisher, sync_bus) for _ in range(3)] == [BATCH, 5, 0]
    assert (await sync_bus.jetstream.stream_info("SYNC")).state.messages == BATCH + 5


async def test_a_batch_shares_one_sync_and_is_refused_whole_when_the_server_knows_its_ids(publisher, sync_bus):
    await emit(publisher, 1, 2, 3)
    connection = await asyncpg.connect(plain_dsn(publisher.app_url))
    try:
        rows = await connection.fetch("SELECT position, event_id, subject, envelope FROM outbox ORDER BY position")
    finally:
        await connection.close()
    relay = Relay(plain_dsn(publisher.app_url), sync_bus, service="sync")
    assert [await relay._publish_atomically(rows), await relay._publish_atomically(rows)] == [True, False]
    assert (await sync_bus.jetstream.stream_info("SYNC")).state.messages == 3


async def test_events_published_but_not_marked_are_not_doubled(publisher, sync_bus):
    """The relay died between the acknowledgement and its mark: the server knows the ids."""
    await emit(publisher, 1, 2)
    await relay_all(publisher, sync_bus)
    async with publisher.units.begin(EVERYTHING) as uow:
        await uow.session.execute(text("UPDATE outbox SET published_at = NULL"))
    await emit(publisher, 3)
    assert await relay_all(publisher, sync_bus) == 3
    assert (await sync_bus.jetstream.stream_info("SYNC")).state.messages == 3


async def test_every_event_twice_out_of_order_and_with_a_gap_gives_the_same_state(publisher, reader):
    await emit(publisher, 1, 2, 3)
    one, two, three = await payloads(publisher)

    async def apply(payload: bytes) -> Outcome | str:
        try:
            return await apply_payload(CONSUMER, reader.units, payload)
        except AppError as refusal:
            return refusal.code

    assert [await apply(each) for each in (three, two)] == ["event.gap", "event.gap"]
    assert await counts(reader) == {}
    assert [await apply(each) for each in (one, one, three, two, two, three, one)] == [
        Outcome.APPLIED,
        Outcome.DUPLICATE,
        "event.gap",
        Outcome.APPLIED,
        Outcome.DUPLICATE,
        Outcome.APPLIED,
        Outcome.DUPLICATE,
    ]
    assert await counts(reader) == {"x": 123}


async def test_a_lower_version_under_a_new_id_is_skipped(publisher, reader):
    await emit(publisher, 1)
    (payload,) = await payloads(publisher)
    await apply_payload(CONSUMER, reader.units, payload)
    again = decode(payload).model_copy(update={"id": UUID(int=5)}).encode()
    assert await apply_payload(CONSUMER, reader.units, again) is Outcome.SKIPPED
    assert await counts(reader) == {"x": 1}


async def test_events_delivered_out_of_order_are_applied_in_order(publisher, reader, sync_bus, reporting_bus):
    await emit(publisher, 1, 2, 3)
    for payload in reversed(await payloads(publisher)):
        await sync_bus.publish("sync.thing.counted.v1", payload, {})
    assert await drain(reader, reporting_bus, until=3) == [Outcome.APPLIED] * 3
    assert await counts(reader) == {"x": 123}


async def test_an_event_of_the_noun_without_a_handler_only_advances_the_version(publisher, reader):
    await emit(publisher, 1, 2, 3)
    one, two, three = await payloads(publisher)
    renamed = decode(two).model_copy(update={"type": "sync.thing.renamed.v1"}).encode()
    outcomes = [await apply_payload(CONSUMER, reader.units, each) for each in (one, renamed, three)]
    assert outcomes == [Outcome.APPLIED, Outcome.SKIPPED, Outcome.APPLIED]
    assert await counts(reader) == {"x": 13}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"type": "sync.thing.counted.v9"}, "event.version_unknown"),
        ({"data": {"name": "x", "count": "many"}}, "event.data_invalid"),
        (None, "event.malformed"),
    ],
)
async def test_an_event_that_can_never_be_applied_is_buried_at_once(
    publisher, reader, sync_bus, reporting_bus, change, reason
):
    await emit(publisher, 1)
    (payload,) = await payloads(publisher)
    broken = b"{}" if change is None else decode(payload).model_copy(update=change).encode()
    await sync_bus.publish("sync.thing.counted.v1", broken, {})
    assert await drain(reader, reporting_bus, until=1) == [Outcome.BURIED]
    async with reader.units.begin(EVERYTHING) as uow:
        (letter,) = await dead_letters.waiting(uow.session)
    assert [letter["reason"], letter["attempts"], bytes(letter["payload"])] == [reason, 1, broken]
    assert (await reporting_bus.jetstream.consumer_info("SYNC", SPEC.durable)).num_ack_pending == 0


async def test_a_handler_that_keeps_failing_is_buried_before_the_last_attempt_ends(
    publisher, reader, sync_bus, reporting_bus, monkeypatch
):
    monkeypatch.setattr("shared.messaging.consumer.BACK_OFF_SECONDS", (0.01,))
    attempts = 0

    async def refuse(_uow, _data) -> None:
        nonlocal attempts
        attempts += 1
        raise unavailable("thing.away", vi="Chưa được.", en="Not yet.")

    await emit(publisher, 1)
    await relay_all(publisher, sync_bus)
    failing = Consumer(spec=SPEC, handlers={ThingCounted: refuse})
    assert await drain(reader, reporting_bus, failing, until=1) == [Outcome.BURIED]
    assert attempts == MAX_ATTEMPTS
    async with reader.units.begin(EVERYTHING) as uow:
        (letter,) = await dead_letters.waiting(uow.session)
    assert await apply_payload(CONSUMER, reader.units, bytes(letter["payload"])) is Outcome.APPLIED
    assert await counts(reader) == {"x": 1}


async def test_a_fault_of_the_handler_is_tried_again(publisher, reader, sync_bus, reporting_bus):
    calls = 0

    async def stumble(uow, data) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise KeyError(data.name)
        await _keep(uow, data)

    await emit(publisher, 5)
    await relay_all(publisher, sync_bus)
    stumbling = Consumer(spec=SPEC, handlers={ThingCounted: stumble})
    assert await drain(reader, reporting_bus, stumbling, until=1) == [Outcome.APPLIED]
    assert [calls, await counts(reader)] == [2, {"x": 5}]


async def test_a_denied_publish_is_reported_as_denied_and_not_as_a_time_out(sync_bus):
    with pytest.raises(AppError) as refusal:
        await sync_bus.publish("reporting.thing.counted.v1", b"", {})
    assert refusal.value.code == "bus.denied"
    assert "reporting.thing.counted.v1" in refusal.value.details["refusal"]


async def test_the_topology_may_be_declared_again_and_refuses_drift(sync_bus, reporting_bus):
    await declare_topology(sync_bus.jetstream, "sync", [], max_bytes=STREAM_BYTES)
    await declare_topology(reporting_bus.jetstream, "reporting", [SPEC], max_bytes=STREAM_BYTES)
    with pytest.raises(AppError, match=r"topology\.drift") as stream:
        await declare_topology(sync_bus.jetstream, "sync", [], max_bytes=2 * STREAM_BYTES)
    assert "max_bytes" in stream.value.details["differences"]
    other = ConsumerSpec(SPEC.durable, SPEC.stream, ("sync.org.>",))
    with pytest.raises(AppError, match=r"topology\.drift") as consumer:
        await declare_topology(reporting_bus.jetstream, "reporting", [other], max_bytes=STREAM_BYTES)
    assert "filter_subjects" in consumer.value.details["differences"]
    # The trap itself: binding to the durable with another configuration would have been silently ignored.
    bound = await reporting_bus.jetstream.pull_subscribe("sync.org.>", durable=SPEC.durable, stream="SYNC")
    assert (await bound.consumer_info()).config.filter_subjects == ["sync.thing.>"]


async def test_a_missing_foreign_stream_is_waited_for_and_then_named(clean_streams, nats_url_for):
    bus = await connect_bus(nats_url_for("reporting"), "reporting-test")
    try:
        with pytest.raises(AppError, match=r"topology\.stream_missing"):
            await declare_topology(bus.jetstream, "reporting", [SPEC], max_bytes=STREAM_BYTES, wait_seconds=0.1)
    finally:
        await bus.close()


async def test_events_committed_while_the_server_is_down_arrive_when_it_is_back(publisher, own_nats):
    bus = await connect_bus(own_nats.url("sync"), "sync-test")
    await declare_topology(bus.jetstream, "sync", [], max_bytes=STREAM_BYTES)
    relay = asyncio.create_task(Relay(plain_dsn(publisher.app_url), bus, service="sync").run())
    try:
        await asyncio.to_thread(own_nats.kill)
        await emit(publisher, 1, 2)  # the commit does not ask for the bus
        await asyncio.to_thread(own_nats.start)
        async with asyncio.timeout(60):
            while (await _unpublished(publisher)) > 0:
                await asyncio.sleep(0.1)
            assert (await bus.jetstream.stream_info("SYNC")).state.messages == 2
    finally:
        relay.cancel()
        await asyncio.gather(relay, return_exceptions=True)
        await bus.close()


async def _unpublished(place: Place) -> int:
    async with place.units.begin(EVERYTHING) as uow:
        return (await uow.session.execute(text("SELECT count(*) FROM outbox WHERE published_at IS NULL"))).scalar_one()


async def test_only_one_relay_is_active_and_the_next_takes_over(publisher, sync_bus):
    relays = [
        asyncio.create_task(Relay(plain_dsn(publisher.app_url), sync_bus, service="sync").run()) for _ in range(2)
    ]
    try:
        async with asyncio.timeout(30):
            for count in range(3):
                await emit(publisher, count)
            while await _unpublished(publisher):
                await asyncio.sleep(0.05)
            active = await _lock_holder(publisher)
            async with publisher.units.begin(EVERYTHING) as uow:
                await uow.session.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": active})
            await emit(publisher, 9)
            while await _unpublished(publisher):
                await asyncio.sleep(0.05)
        assert (await sync_bus.jetstream.stream_info("SYNC")).state.messages == 4
    finally:
        for relay in relays:
            relay.cancel()
        await asyncio.gather(*relays, return_exceptions=True)


async def _lock_holder(place: Place) -> int | None:
    query = text("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objid = 7305810")
    async with place.units.begin(EVERYTHING) as uow:
        return (await uow.session.execute(query)).scalars().first()
