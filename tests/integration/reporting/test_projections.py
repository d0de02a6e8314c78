"""The projections: each event twice, out of order and with a gap ends where the straight line ends."""

import asyncio
import contextlib
import datetime as dt
import itertools
from collections.abc import AsyncIterator

import nats
import pytest
from sqlalchemy import text

from deploy.local.ports import free_ports
from services.reporting.bootstrap import SERVICE, build
from shared.contracts.materials_v1 import MaterialWithdrawn
from shared.contracts.sync_v1 import OrgChanged, OrgParent
from shared.db.scope import EVERYTHING
from shared.errors import AppError
from shared.ids import new_id
from shared.messaging.consumer import Outcome
from shared.messaging.topology import declare_topology
from shared.worker import work
from tests.integration.reporting.stage import approved, now, roster, value

PATIENCE = 60.0


async def projection(city) -> dict[str, list[tuple[object, ...]]]:
    """Everything the events left, without surrogate keys and receipt times."""
    queries = {
        "org": "SELECT sourced_id, kind, name, level, valid_from, valid_to FROM org",
        "edge": "SELECT child_sourced_id, parent_sourced_id, valid_from, valid_to FROM org_parent",
        "roster": "SELECT school_sourced_id, learners, teachers, classes, import_id, committed_at FROM roster_numbers",
        "material": "SELECT material_id, school_sourced_id, version_id, approved_at FROM approved_material",
        "applied": "SELECT source, aggregate, version FROM applied_version",
        "value": "SELECT school_sourced_id, field, prefilled, prefilled_as_of, latest FROM submission_value",
    }
    async with city.units.begin(EVERYTHING) as uow:
        return {
            name: sorted((tuple(row) for row in await uow.session.execute(text(query))), key=repr)
            for name, query in queries.items()
        }


def history(city):
    """Three versions each of a school, its roster, and two materials, ready to deliver in any order."""
    school = [
        OrgChanged(
            sourced_id="thcs-a",
            kind="school",
            name=f"Trường {number}",
            level="lower_secondary",
            parents=(OrgParent(sourced_id="xa-a" if number < 3 else "xa-b"),),
        )
        for number in (1, 2, 3)
    ]
    material, other = new_id(), new_id()
    facts = [
        *((data, "org:thcs-a") for data in school),
        *((roster("thcs-a", learners=learners), "roster:thcs-a") for learners in (500, 510, 520)),
        *((approved("thcs-a", material), f"material:{material}") for _ in range(3)),
        (approved("thcs-a", other), f"material:{other}"),
    ]
    return [city.seal(data, aggregate) for data, aggregate in facts]


async def deliver_until_applied(city, envelopes) -> list[Outcome]:
    """As nats-server does: what is handed back comes again, after the others."""
    outcomes = []
    waiting = list(envelopes)
    while waiting:
        envelope = waiting.pop(0)
        try:
            outcomes.append(await city.deliver(envelope))
        except AppError as failure:
            if failure.code != "event.gap":
                raise
            waiting.append(envelope)
    return outcomes


async def test_every_event_twice_gives_the_same_projection(city):
    await city.campaign_city()
    events = history(city)
    assert set(await deliver_until_applied(city, events)) == {Outcome.APPLIED}
    once = await projection(city)
    assert set(await deliver_until_applied(city, events)) == {Outcome.DUPLICATE}
    assert await projection(city) == once
    numbers = {row[1]: row[2] for row in once["value"] if row[0] == "thcs-a" and row[2] is not None}
    assert numbers == {"learners": 520, "teachers": 40, "classes": 12, "approvedMaterials": 2}


@pytest.mark.parametrize("order", ["backwards", "interleaved"])
async def test_events_out_of_order_give_the_same_projection(city, order):
    await city.campaign_city()
    events = history(city)
    await deliver_until_applied(city, events)
    straight = await projection(city)
    await forget(city)
    shuffled = {
        "backwards": events[::-1],
        "interleaved": list(itertools.chain.from_iterable(zip(events[::-1], events, strict=True))),
    }[order]
    await deliver_until_applied(city, shuffled)
    assert await projection(city) == straight


async def forget(city) -> None:
    """As if none of the events of `history` had come; the campaign stays."""
    async with city.units.begin(EVERYTHING) as uow:
        for statement in (
            "DELETE FROM submission_value WHERE school_sourced_id = 'thcs-a'",
            "DELETE FROM submission WHERE school_sourced_id = 'thcs-a'",
            "DELETE FROM org_parent WHERE child_sourced_id = 'thcs-a'",
            "DELETE FROM org WHERE sourced_id = 'thcs-a'",
            "DELETE FROM roster_numbers",
            "DELETE FROM approved_material",
            "DELETE FROM inbox",
            "DELETE FROM applied_version WHERE aggregate NOT LIKE 'org:%' OR aggregate = 'org:thcs-a'",
        ):
            await uow.session.execute(text(statement))


async def test_after_a_gap_nothing_is_applied_until_the_missing_event_comes(city):
    await city.found()
    versions = [city.seal(roster("thcs-a", learners=learners), "roster:thcs-a") for learners in (500, 510, 520)]
    await city.deliver(versions[0])
    with pytest.raises(AppError) as gap:
        await city.deliver(versions[2])
    assert gap.value.code == "event.gap"
    assert [row[1] for row in (await projection(city))["roster"]] == [500]
    await city.deliver(versions[1])
    await city.deliver(versions[2])
    assert [row[1] for row in (await projection(city))["roster"]] == [520]


async def test_numbers_of_a_school_not_announced_yet_are_kept_and_used_when_it_appears(city):
    await city.campaign_city()
    await city.roster("thcs-neu", learners=321)
    await city.material("thcs-neu")
    await city.school("thcs-neu", "xa-a")
    report = await city.submission("thcs-neu")
    assert value(report, "learners")["prefilled"]["value"] == 321
    assert value(report, "approvedMaterials")["prefilled"]["value"] == 1


async def test_a_material_approved_again_is_one_material(city):
    await city.campaign_city()
    await city.school("thcs-a", "xa-a")
    material = await city.material("thcs-a")
    await city.material("thcs-a", material)
    assert value(await city.submission("thcs-a"), "approvedMaterials")["value"] == 1


async def test_a_withdrawn_material_counts_no_more_until_it_is_approved_again(city):
    await city.campaign_city()
    await city.school("thcs-a", "xa-a")
    material = await city.material("thcs-a")
    withdrawn = MaterialWithdrawn(
        material_id=material, version_id=material, school_sourced_id="thcs-a", withdrawn_at=now()
    )
    await city.tell(withdrawn, f"material:{material}")
    assert value(await city.submission("thcs-a"), "approvedMaterials")["prefilled"]["value"] == 0
    await city.material("thcs-a", material)
    assert value(await city.submission("thcs-a"), "approvedMaterials")["value"] == 1


async def test_a_campaign_that_has_ended_keeps_the_numbers_it_had(city):
    await city.found()
    await city.roster("thcs-a", learners=500)
    past = now() - dt.timedelta(days=1)
    await city.campaign(deadline={"at": past.isoformat()}, closesAt=past.isoformat())
    await city.roster("thcs-a", learners=520)
    assert value(await city.submission("thcs-a"), "learners")["value"] == 500


@contextlib.asynccontextmanager
async def running_worker(settings) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(work(SERVICE, build(settings, role="worker"), [], stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def test_through_nats_server_twice_out_of_order_and_with_a_gap(city, settings, clean_streams, nats_admin_url):
    await city.campaign_city()
    events = history(city)
    await deliver_until_applied(city, events)
    straight = await projection(city)
    await forget(city)
    client = await nats.connect(nats_admin_url)
    try:
        jetstream = client.jetstream()
        for owner in ("sync", "materials"):
            await declare_topology(jetstream, owner, [], max_bytes=2**20)
        specs = [consumer.spec for consumer in SERVICE.consumers]
        await declare_topology(jetstream, "reporting", specs, max_bytes=2**20)
        # Without Nats-Msg-Id the server's own duplicate window does not hide the second delivery.
        for envelope in [*events[:0:-1], *events[1:]]:
            await jetstream.publish(envelope.type, envelope.encode())
        async with running_worker(settings.model_copy(update={"worker_port": free_ports(1)[0]})):
            await jetstream.publish(events[0].type, events[0].encode())
            async with asyncio.timeout(PATIENCE):
                while await projection(city) != straight:
                    await asyncio.sleep(0.05)
    finally:
        await client.close()
    assert await projection(city) == straight
