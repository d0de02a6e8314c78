"""The worker process of a service, whole: relay, consumer, jobs and health in one event loop."""

import asyncio
import datetime as dt
import shutil
import sysconfig

import httpx
import pytest

from deploy.local.ports import free_ports
from shared.db.scope import EVERYTHING
from shared.errors import AppError
from shared.messaging.bus import connect_bus
from shared.messaging.consumer import Consumer
from shared.messaging.topology import ConsumerSpec, declare_topology
from shared.service import Service, build_runtime
from shared.settings import ServiceSettings
from shared.worker import Job, sync_always_check, work
from tests.integration.kit.conftest import Base, Thing, ThingCounted

SPEC = ConsumerSpec(durable="sync-own-things", stream="SYNC", filter_subjects=("sync.thing.>",))


async def _keep(uow, data: ThingCounted) -> None:
    uow.session.add(Thing(name=data.name, school_sourced_id="A", count=data.count))


async def test_a_worker_relays_consumes_repeats_jobs_and_says_how_it_is(place, clean_streams, nats_url_for, servers):
    service = Service("sync", ServiceSettings, Base.metadata, (Consumer(SPEC, {ThingCounted: _keep}),))
    (port,) = free_ports(1)
    settings = ServiceSettings(
        database_url=place.app_url,
        nats_url=nats_url_for("sync"),
        nats_monitor_url=servers.nats_monitor_url,
        worker_port=port,
    )
    bus = await connect_bus(settings.nats_url.get_secret_value(), "topology")
    await declare_topology(bus.jetstream, "sync", [SPEC], max_bytes=64 * 1024**2)
    await bus.close()
    rounds: list[str] = []

    async def job(runtime) -> None:
        rounds.append(runtime.service)
        if len(rounds) == 1:
            raise RuntimeError("the first round fails and the next one comes all the same")

    stop = asyncio.Event()
    runtime = build_runtime("sync", settings, role="worker")
    worker = asyncio.create_task(work(service, runtime, [Job("count", dt.timedelta(milliseconds=20), job)], stop))
    try:
        async with place.units.begin(EVERYTHING) as uow:
            await uow.emit(ThingCounted(name="x", count=4), aggregate="thing:x")
        async with asyncio.timeout(30):
            while await _count(place) != 4 or len(rounds) < 2:
                await asyncio.sleep(0.05)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            ready = (await client.get("/readyz")).json()
            metrics = (await client.get("/metrics")).text
    finally:
        stop.set()
        await worker
    assert ready == {"ready": True, "checks": {"database": "ok", "nats": "ok", "nats_sync_always": "ok"}}
    assert 'events_consumed_total{consumer="sync-own-things",outcome="applied"} 1.0' in metrics
    assert 'outbox_published_total{service="sync"}' in metrics


async def _count(place) -> int | None:
    async with place.units.begin(EVERYTHING) as uow:
        thing = await uow.session.get(Thing, "x")
        return thing.count if thing else None


async def test_a_server_that_may_lose_acknowledged_events_is_not_ready(tmp_path):
    port, monitor = free_ports(2)
    program = shutil.which("nats-server", path=sysconfig.get_path("scripts"))
    assert program is not None
    server = await asyncio.create_subprocess_exec(
        *(program, "-a", "127.0.0.1", "-p", str(port), "-m", str(monitor), "-js", "-sd", str(tmp_path)),
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        bus = await connect_bus(f"nats://127.0.0.1:{port}", "test")
        with pytest.raises(AppError, match=r"nats\.sync_not_always"):
            await sync_always_check(f"http://127.0.0.1:{monitor}")()
        await bus.close()
    finally:
        server.terminate()
        await server.wait()
