"""The second process of a service: outbox relay, consumers, timed jobs, and a small health application.

All parts run in one event loop. A part that ends or fails brings the process down, visibly: compose starts it again,
the embedded stack stops and shows why, and what had not been committed comes again.
"""

import asyncio
import contextlib
import datetime as dt
import signal
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

import httpx
import uvicorn
from fastapi import FastAPI
from sqlalchemy import text

from shared.db.scope import EVERYTHING
from shared.db.unit_of_work import UnitOfWork
from shared.errors import AppError, Kind, Text
from shared.http.health import Check, database_check, health_router
from shared.http.server import server_config
from shared.logs import failure_fields, logger
from shared.messaging.bus import Bus, connect_bus
from shared.messaging.consumer import ConsumerRunner
from shared.messaging.relay import Relay
from shared.service import Runtime, Service, plain_dsn

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """Work done again and again, `every` so often, in processes of its own making. Must be safe to run twice."""

    name: str
    every: dt.timedelta
    run: Callable[[Runtime], Awaitable[None]]


async def purge(runtime: Runtime) -> None:
    """Drop what its promised time has passed for: outbox and inbox 90 days, idempotency records 30 days."""
    async with runtime.units.begin(EVERYTHING) as uow:
        await _purge(uow)


async def _purge(uow: UnitOfWork) -> None:
    for statement in (
        "DELETE FROM outbox WHERE published_at IS NOT NULL AND created_at < now() - interval '90 days'",
        "DELETE FROM inbox WHERE received_at < now() - interval '90 days'",
        "DELETE FROM idempotency_record WHERE created_at < now() - interval '30 days'",
    ):
        await uow.session.execute(text(statement))


PURGE = Job("purge", dt.timedelta(hours=6), purge)


def run_worker(service: Service, runtime: Runtime, jobs: Sequence[Job] = ()) -> None:
    """Run until SIGTERM or SIGINT."""
    with asyncio.Runner(loop_factory=_loop) as runner:
        runner.run(work(service, runtime, [*jobs, PURGE]))


def _loop() -> asyncio.AbstractEventLoop:
    import uvloop  # noqa: PLC0415  # only the worker process needs it

    return uvloop.new_event_loop()


async def work(service: Service, runtime: Runtime, jobs: Sequence[Job], stop: asyncio.Event | None = None) -> None:
    settings = runtime.settings
    stop = stop or _stop_on_signal()
    bus = await connect_bus(settings.nats_url.get_secret_value(), f"{service.name}-worker")
    checks: dict[str, Check] = {"database": database_check(runtime), "nats": canary_check(bus, service.name)}
    if settings.nats_monitor_url:
        checks["nats_sync_always"] = sync_always_check(settings.nats_monitor_url)
    health = _HealthServer(server_config(_health_app(checks), host=settings.host, port=settings.worker_port))
    parts = [
        health.serve(),
        Relay(plain_dsn(settings.database_url.get_secret_value()), bus, service=service.name).run(),
        *(ConsumerRunner(consumer, runtime.units, bus).run() for consumer in service.consumers),
        *(_repeat(job, runtime) for job in jobs),
    ]
    tasks = [asyncio.ensure_future(part) for part in parts]
    stopping = asyncio.ensure_future(stop.wait())
    log.info("worker_started", consumers=len(service.consumers), jobs=len(jobs))
    try:
        done, _ = await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
        for task in done - {stopping}:
            task.result()
            raise RuntimeError("a part of the worker ended")
    finally:
        health.should_exit = True
        for task in [*tasks[1:], stopping]:
            task.cancel()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*tasks, stopping, return_exceptions=True), 15)
        await bus.close()
        await runtime.close()


class _HealthServer(uvicorn.Server):
    """uvicorn installs signal handlers of its own; the worker's are the ones that count."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _health_app(checks: dict[str, Check]) -> FastAPI:
    app = FastAPI(openapi_url=None)
    app.include_router(health_router(checks))
    return app


def _stop_on_signal() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


async def _repeat(job: Job, runtime: Runtime) -> None:
    while True:
        try:
            await job.run(runtime)
        except Exception as failure:  # noqa: BLE001  # a job is repeated by nature: the next round tries again
            log.error("job_failed", job=job.name, **failure_fields(failure))  # noqa: TRY400  # the message may quote rows
        await asyncio.sleep(job.every.total_seconds())


def canary_check(bus: Bus, service: str) -> Check:
    """Store one message: the only way to notice a full disk, which nats-server's own `/healthz` calls healthy."""

    async def check() -> None:
        await bus.publish(f"canary.{service}", b"", {})

    return check


def sync_always_check(monitor_url: str) -> Check:
    """`sync_interval: always` is what makes an acknowledged event survive a power cut."""

    async def check() -> None:
        async with httpx.AsyncClient(timeout=2) as client:
            answer = (await client.get(f"{monitor_url}/jsz?config=1")).json()
        if not answer.get("config", {}).get("sync_always"):
            raise AppError(
                "nats.sync_not_always",
                Kind.UNAVAILABLE,
                Text(
                    "nats-server chưa đặt sync_interval: always.",
                    "nats-server runs without `sync_interval: always`.",
                ),
            )

    return check
