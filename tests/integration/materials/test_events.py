"""Events out and in, over a real nats-server."""

import asyncio
import contextlib
import datetime as dt
import json
from collections.abc import AsyncIterator

import nats
import pytest

from deploy.local.ports import free_ports
from services.materials.bootstrap import SERVICE, build, build_spool, sweep_job
from services.materials.storage import orgs
from services.materials.storage.local_folder import LocalFolder
from shared.contracts.sync_v1 import OrgChanged
from shared.db.scope import EVERYTHING
from shared.ids import new_id
from shared.messaging.bus import connect_bus
from shared.messaging.consumer import Outcome, apply_payload
from shared.messaging.envelope import seal
from shared.messaging.topology import declare_topology
from shared.worker import work
from tests.integration.materials.shelf import HEAD, PATH
from tests.support.tokens import TestSigner

PATIENCE = 60.0
ORGS, EVIDENCE = SERVICE.consumers


@contextlib.asynccontextmanager
async def worker_of(settings, nats_url: str) -> AsyncIterator[None]:
    """The service's own worker, in this process."""
    settings = settings.model_copy(
        update={"nats_url": type(settings.nats_url)(nats_url), "worker_port": free_ports(1)[0]}
    )
    stop = asyncio.Event()
    jobs = [sweep_job(LocalFolder(settings.data_dir / "files"), build_spool(settings))]
    task = asyncio.create_task(work(SERVICE, build(settings, role="worker"), jobs, stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def declare(server) -> None:
    for service, consumers in (("sync", []), ("reporting", []), ("materials", [ORGS.spec, EVIDENCE.spec])):
        bus = await connect_bus(server.url(service), "test")
        await declare_topology(bus.jetstream, service, consumers, max_bytes=1024**2)
        await bus.close()


async def test_an_approval_while_nats_is_down_succeeds_and_its_event_arrives_afterwards(library, settings, own_nats):
    await declare(own_nats)
    material = await library.bring_to("passed")
    async with worker_of(settings, own_nats.url("materials")):
        own_nats.stop()
        answer = await library.act(material, "approve", HEAD)
        assert answer.status_code == 200
        assert (await library.client.get(f"{PATH}/{material['id']}", headers=HEAD)).json()["state"] == "published"
        own_nats.start()
        client = await nats.connect(own_nats.url("admin"))
        try:
            subscription = await client.jetstream().subscribe("materials.material.approved.v1")
            message = await subscription.next_msg(timeout=PATIENCE)
            envelope = json.loads(message.data)
        finally:
            await client.close()
    assert envelope["data"]["materialId"] == material["id"]


async def test_a_unit_told_by_sync_reaches_the_tree_through_the_worker(library, settings, own_nats):
    await declare(own_nats)
    unit = OrgChanged(sourced_id="truong-c", kind="school", name="THCS C", level="lower_secondary")
    async with worker_of(settings, own_nats.url("materials")):
        bus = await connect_bus(own_nats.url("sync"), "test")
        await bus.publish(OrgChanged.TYPE, envelope_of(unit, 1), {})
        await bus.close()
        headers = TestSigner().bearer(sub="v", scope="materials.read", orgs=["truong-c"])
        async with asyncio.timeout(PATIENCE):
            while await school(library, "truong-c") is None:
                await asyncio.sleep(0.05)
    assert (await library.client.get(PATH, headers=headers)).status_code == 200


def envelope_of(unit: OrgChanged, version: int) -> bytes:
    return seal(
        unit,
        event_id=new_id(),
        aggregate=f"org:{unit.sourced_id}",
        version=version,
        source="/sync",
        time=dt.datetime.now(dt.UTC),
        correlation_id=None,
        traceparent=None,
    ).encode()


async def school(library, sourced_id: str):
    async with library.runtime.units.begin(EVERYTHING) as uow:
        return await orgs.school(uow.session, sourced_id)


async def test_units_told_twice_out_of_order_and_with_a_gap_end_as_last_told(library):
    told = [
        OrgChanged(sourced_id="truong-c", kind="school", name="C", valid_to=dt.date(2030 + number, 1, 1))
        for number in range(4)
    ]
    first, second, third, fourth = (envelope_of(unit, number) for number, unit in enumerate(told, start=1))
    units = library.runtime.units
    assert await apply_payload(ORGS, units, first) is Outcome.APPLIED
    assert await apply_payload(ORGS, units, first) is Outcome.DUPLICATE
    with pytest.raises(Exception, match=r"event\.gap"):
        await apply_payload(ORGS, units, third)
    assert await apply_payload(ORGS, units, second) is Outcome.APPLIED
    assert await apply_payload(ORGS, units, third) is Outcome.APPLIED
    with_other_id = envelope_of(told[1], 2)
    assert await apply_payload(ORGS, units, with_other_id) is Outcome.SKIPPED
    assert await apply_payload(ORGS, units, fourth) is Outcome.APPLIED
    assert (await school(library, "truong-c")).valid_to == told[3].valid_to


async def test_a_unit_may_be_told_before_the_one_above_it(library):
    school_c = OrgChanged.model_validate(
        {"sourcedId": "truong-c", "kind": "school", "name": "C", "parents": [{"sourcedId": "cum-9"}]}
    )
    officer = TestSigner().bearer(sub="o", client_id="portal", scope="materials.read", orgs=["cum-9"])
    for unit in (school_c, OrgChanged(sourced_id="cum-9", kind="cluster", name="Cụm 9")):
        await apply_payload(ORGS, library.runtime.units, envelope_of(unit, 1))
    async with library.runtime.units.begin(EVERYTHING) as uow:
        today = await orgs.today(uow.session)
        assert await orgs.schools_below(uow.session, ["cum-9"], today) == {"truong-c"}
    assert (await library.client.get(PATH, headers=officer)).status_code == 200
