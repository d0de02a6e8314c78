"""The worker's round over the pulls: which are due, one run of each at a time, by one worker.

A run reads onto disk first and hands in one whole package at its end, in the transaction that closes the run: whatever
interrupts it, nothing or everything was handed in.
"""

import asyncio
import datetime as dt
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from services.sync.domain.pull import (
    MOST_INTERRUPTIONS,
    OVERLAP,
    Place,
    PullError,
    RunKind,
    RunState,
    Schedule,
    watermark_of,
)
from services.sync.storage import pulls
from services.sync.storage.claims import Claims
from services.sync.storage.connector_tables import Pull, PullRun
from services.sync.storage.uploads import Inspection, Received, Uploads, inspect
from services.sync.usecases.crawl_provider import Crawl, Pause, Provider, Target
from services.sync.usecases.pull_package import PackageMaker, pieces_of
from services.sync.usecases.receive_import import ImportOptions, receive_import
from shared.auth import Principal
from shared.clock import Clock
from shared.db.scope import EVERYTHING
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.failpoints import failpoint
from shared.logs import failure_fields, logger
from shared.outside import outside
from shared.secret_box import SecretBox, SecretUnreadableError

log = logger(__name__)
_ORPHAN_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Started:
    """A run that is under way, and the settings it was started with."""

    pull_id: str
    position: int
    kind: RunKind
    started: dt.datetime
    base: dt.datetime | None
    version: int
    client_id: str
    sealed: str = field(repr=False)
    options: ImportOptions
    target: Target


@dataclass(slots=True)
class PullWork:
    """Keeps runs going between rounds. `folder` takes what is read until it is handed in."""

    uploads: Uploads
    box: SecretBox
    folder: Path
    clock: Clock
    allow_private: bool
    parallel: int = 2
    pause: Pause = asyncio.sleep
    claims: Claims = field(default_factory=Claims)
    _running: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    async def run_once(self, engine: AsyncEngine, units: UnitsOfWork) -> None:
        """Start what is due; returns at once."""
        self._running = {key: task for key, task in self._running.items() if not task.done()}
        async with units.begin(EVERYTHING) as uow:
            due = await pulls.due_pulls(uow.session, self.clock.now())
        for pull_id in due:
            if len(self._running) < self.parallel and pull_id not in self._running:
                self._running[pull_id] = asyncio.create_task(self._go_on(engine, units, pull_id))

    async def drain(self, engine: AsyncEngine, units: UnitsOfWork) -> None:
        """Rounds until nothing is due: for tests and operators."""
        while True:
            await self.run_once(engine, units)
            if not self._running:
                return await self.claims.close()
            await asyncio.gather(*self._running.values())

    async def _go_on(self, engine: AsyncEngine, units: UnitsOfWork, pull_id: str) -> None:
        name = f"pull {pull_id}"
        if not await self.claims.take(engine, name):
            return
        try:
            async with units.begin(EVERYTHING) as uow:
                run = await self._begin(uow, pull_id)
            if run is not None:
                await self._run(units, run)
        except Exception as failure:  # noqa: BLE001  # the run stays open; the next round finds it interrupted
            log.error("pull_interrupted", pull=pull_id, **failure_fields(failure))  # noqa: TRY400  # the message may quote rows
        finally:
            await self.claims.give_back(name)

    async def _begin(self, uow: UnitOfWork, pull_id: str) -> Started | None:
        """The run that waits, one instead of an interrupted one, or the one that is due."""
        pull = await pulls.find_pull(uow.session, pull_id, lock=True)
        if pull is None or not pull.enabled:
            return None
        now = self.clock.now()
        schedule = Schedule(pull.run_at, pull.full_on)
        run = await pulls.open_run(uow.session, pull_id)
        if run is not None and run.state == RunState.RUNNING:
            run = await self._instead_of(uow, run, now)
        elif run is None and pull.next_run_at <= now:
            full = await pulls.last_full(uow.session, pull)
            kind = schedule.kind_at(now, None if full is None else full["started_at"])
            run = PullRun(pull_id=pull_id, kind=kind.value, state=RunState.WAITING.value, queued_at=now)
            uow.session.add(run)
        if pull.next_run_at <= now:
            pull.next_run_at = schedule.next_after(now)
        if run is None:
            return None
        base = await pulls.delta_base(uow.session, pull)
        kind = RunKind(run.kind) if base is not None else RunKind.FULL
        run.kind, run.state, run.started_at = kind.value, RunState.RUNNING.value, now
        run.since = base - OVERLAP if base is not None and kind is RunKind.DELTA else None
        await uow.session.flush()
        return _started(pull, run, base, now)

    async def _instead_of(self, uow: UnitOfWork, dead: PullRun, now: dt.datetime) -> PullRun | None:
        """We hold the claim, so whoever ran it is gone. After several such ends it is given up."""
        await asyncio.to_thread(shutil.rmtree, self._place(dead.position), ignore_errors=True)
        dead.state, dead.ended_at = RunState.INTERRUPTED.value, now
        if dead.interruptions >= MOST_INTERRUPTIONS:
            dead.state, dead.failure = RunState.FAILED.value, {"code": "pull.gaveUp"}
            return None
        await uow.session.flush()
        run = PullRun(
            pull_id=dead.pull_id,
            kind=dead.kind,
            state=RunState.WAITING.value,
            requested_by=dead.requested_by,
            queued_at=now,
            interruptions=dead.interruptions + 1,
        )
        uow.session.add(run)
        return run

    def _place(self, position: int) -> Path:
        return self.folder / str(position)

    async def _run(self, units: UnitsOfWork, run: Started) -> None:
        place = self._place(run.position)
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            crawl = await self._crawl(run, place)
            failpoint("sync.pull.crawled")
            maker = PackageMaker(units, crawl, run.target.schools, run.started, run.kind is RunKind.FULL)
            path = await maker.make()
            counts = {"read": crawl.counts, "rows": maker.rows}
            await self._hand_in(units, run, path, _watermark(run, crawl), counts)
        except PullError as failure:
            document = {"code": failure.code, **failure.place.document()}
            await _close(units, run, RunState.FAILED, self.clock.now(), failure=document)
            log.warning("pull_failed", pull=run.pull_id, run=run.position, code=failure.code)
        finally:
            await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)

    async def _crawl(self, run: Started, place: Path) -> Crawl:
        try:
            secret = self.box.open(f"pull:{run.pull_id}", run.sealed)
        except SecretUnreadableError as failure:
            raise PullError("connector.secretUnreadable") from failure
        async with outside(allow_private=self.allow_private) as opened:
            target = replace(run.target, secret=secret)
            provider = Provider(target, opened, self.clock, self.uploads.limits.unpacked_bytes, self.pause)
            return await provider.crawl(place)

    async def _hand_in(
        self, units: UnitsOfWork, run: Started, path: Path | None, watermark: dt.datetime, counts: Mapping[str, object]
    ) -> None:
        if path is None:
            await _close(units, run, RunState.UNCHANGED, self.clock.now(), watermark=watermark, counts=counts)
            return
        received = await self.uploads.receive(pieces_of(path))
        try:
            inspection = await asyncio.to_thread(
                inspect, received.path, lenient=run.options.lenient, limits=self.uploads.limits
            )
            if inspection.plan is None:
                faults = ", ".join(f"{each.file} {each.code}" for each in inspection.errors[:5])
                raise PullError("pull.packageRefused", Place(got=faults))
            async with units.begin(EVERYTHING) as uow:
                await self._receive(uow, run, received, inspection, watermark, counts)
                failpoint("sync.pull.received")
        finally:
            received.path.unlink(missing_ok=True)

    async def _receive(
        self,
        uow: UnitOfWork,
        run: Started,
        received: Received,
        inspection: Inspection,
        watermark: dt.datetime,
        counts: Mapping[str, object],
    ) -> None:
        """The receipt and the end of the run, together. Settings that changed meanwhile make the package void."""
        pull = await pulls.find_pull(uow.session, run.pull_id, lock=True)
        row = await uow.session.get(PullRun, run.position, with_for_update=True)
        if row is None or row.state != RunState.RUNNING:
            return
        row.ended_at = self.clock.now()
        if pull is None or pull.version != run.version:
            row.state = RunState.INTERRUPTED.value
            return
        vendor = Principal(
            kind="client", subject=run.client_id, client_id=run.client_id, orgs=frozenset(run.target.schools)
        )
        made = await receive_import(uow, vendor, self.uploads, received, inspection, run.options)
        row.state, row.import_id, row.watermark, row.counts = RunState.IMPORTED.value, made.id, watermark, dict(counts)
        log.info("pull_imported", pull=run.pull_id, run=run.position, importId=str(made.id))


def _started(pull: Pull, run: PullRun, base: dt.datetime | None, now: dt.datetime) -> Started:
    target = Target(
        base_url=pull.base_url,
        token_url=pull.token_url,
        client_id=pull.oauth_client_id,
        secret="",
        version=pull.oneroster_version,
        schools=tuple(pull.schools),
        page_size=pull.page_size,
        since=run.since,
    )
    options = ImportOptions(lenient=pull.lenient, auto_commit=pull.auto_commit)
    return Started(
        pull.id, run.position, RunKind(run.kind), now, base, pull.version, pull.client_id, pull.secret, options, target
    )


def _watermark(run: Started, crawl: Crawl) -> dt.datetime:
    """Never behind the base: a delta without records proves nothing newer."""
    if run.kind is RunKind.DELTA and run.base is not None:
        return run.base if crawl.newest is None else max(run.base, watermark_of(crawl.newest, run.started))
    return watermark_of(crawl.newest, run.started)


async def _close(
    units: UnitsOfWork,
    run: Started,
    state: RunState,
    now: dt.datetime,
    *,
    failure: dict[str, object] | None = None,
    watermark: dt.datetime | None = None,
    counts: Mapping[str, object] | None = None,
) -> None:
    async with units.begin(EVERYTHING) as uow:
        row = await uow.session.get(PullRun, run.position, with_for_update=True)
        if row is not None and row.state == RunState.RUNNING:
            row.state, row.ended_at, row.failure = state.value, now, failure
            row.watermark, row.counts = watermark, dict(counts or {})


def sweep_pulls(folder: Path, now: dt.datetime) -> None:
    """Delete what a dead worker read of pulls that no longer exist. Blocking."""
    for place in _folders(folder):
        if now.timestamp() - place.stat().st_mtime > _ORPHAN_SECONDS:
            shutil.rmtree(place, ignore_errors=True)


def _folders(folder: Path) -> Sequence[Path]:
    return [place for place in folder.glob("*") if place.is_dir()]
