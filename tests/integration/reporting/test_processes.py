"""The two processes as they run in the stack, fed through nats-server."""

import asyncio

import nats

from services.reporting.bootstrap import SERVICE
from shared.messaging.topology import declare_topology
from tests.integration.reporting.stage import roster, value
from tests.support.stack import Database

PATIENCE = 60.0


async def test_an_event_on_the_bus_reaches_an_open_report_through_the_worker_process(
    city, settings, start_service, clean_streams, nats_admin_url
):
    await city.ready_to_submit()
    url = settings.database_url.get_secret_value()
    told = city.seal(roster("thcs-a", learners=601), "roster:thcs-a")
    client = await nats.connect(nats_admin_url)
    try:
        for owner in ("sync", "materials"):
            await declare_topology(client.jetstream(), owner, [], max_bytes=2**20)
        specs = [consumer.spec for consumer in SERVICE.consumers]
        await declare_topology(client.jetstream(), "reporting", specs, max_bytes=2**20)
        start_service("reporting", Database("reporting", "", url, url), module="worker")
        await client.jetstream().publish(told.type, told.encode())
        async with asyncio.timeout(PATIENCE):
            while value(report := await city.submission("thcs-a"), "learners")["value"] != 601:
                await asyncio.sleep(0.05)
    finally:
        await client.close()
    assert value(report, "learners")["prefilled"]["source"]["importId"] == told.data["importId"]
