"""The worker process of the sync service: `python -m services.sync.worker`. Relays events, works through imports."""

import asyncio
import datetime as dt
import gc

from services.sync.bootstrap import SERVICE, build, feeds_of, pulls_of, uploads_of
from services.sync.settings import SyncSettings
from services.sync.usecases.retry_import import forget_waiting
from services.sync.usecases.seal_rosters import seal_rosters
from services.sync.usecases.work_pulls import sweep_pulls
from services.sync.usecases.work_through import ImportWork, end_undecided, sweep_uploads
from shared.clock import SystemClock
from shared.failpoints import arm
from shared.logs import configure_logs
from shared.service import Runtime
from shared.telemetry import configure_telemetry
from shared.worker import Job, run_worker

POLL = dt.timedelta(milliseconds=300)
SWEEP = dt.timedelta(hours=1)
SEAL = dt.timedelta(seconds=2)
CONNECTORS = dt.timedelta(seconds=2)
# Reading a package makes hundreds of small objects per row and no cycles among them: at the interpreter's own pace the
# search for cycles takes as long as the reading. At this one it costs little, and holds a few megabytes at most.
_OBJECTS_UNTIL_SEARCH = 100_000


def jobs(settings: SyncSettings) -> list[Job]:
    uploads = uploads_of(settings)
    work = ImportWork(uploads, settings.parallel_imports)

    async def imports(runtime: Runtime) -> None:
        await work.run_once(runtime.engine, runtime.units)

    async def sweep(runtime: Runtime) -> None:
        await sweep_uploads(runtime.units, uploads)
        await asyncio.to_thread(sweep_pulls, pull_work.folder, clock.now())
        await end_undecided(runtime.units, dt.timedelta(days=settings.undecided_days))
        await forget_waiting(runtime.units, dt.timedelta(days=settings.retry_days))

    clock = SystemClock()
    pull_work = pulls_of(settings, clock)

    async def pulls(runtime: Runtime) -> None:
        await pull_work.run_once(runtime.engine, runtime.units)

    feed_work = feeds_of(settings, clock)

    async def feeds(runtime: Runtime) -> None:
        await feed_work.run_once(runtime.engine, runtime.units)

    async def seal(runtime: Runtime) -> None:
        await seal_rosters(runtime.units, SEAL)

    # A job's first round is at the start: what the last worker left behind when it died goes at once.
    return [
        Job("sweep", SWEEP, sweep),
        Job("imports", POLL, imports),
        Job("seal", SEAL, seal),
        Job("pulls", CONNECTORS, pulls),
        Job("feeds", CONNECTORS, feeds),
    ]


def main() -> None:
    settings = SyncSettings()
    configure_logs(SERVICE.name, settings.log_level)
    configure_telemetry(SERVICE.name, settings.otel_exporter_otlp_endpoint)
    arm(settings.failpoint)
    gc.freeze()
    gc.set_threshold(_OBJECTS_UNTIL_SEARCH, 20, 20)
    run_worker(SERVICE, build(settings, role="worker"), jobs=jobs(settings))


if __name__ == "__main__":
    main()
