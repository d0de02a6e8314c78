"""The worker's round: which imports go on now, a few side by side, each by one worker at a time."""

import asyncio
import datetime as dt
import time
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.sync.domain.import_state import State
from services.sync.storage.imports import lock_import, next_work, validated_among
from services.sync.storage.uploads import Uploads
from services.sync.usecases.hold_import import expire_undecided
from services.sync.usecases.validate_import import give_up, validate_import
from services.sync.usecases.write_import import write_import
from shared.db.scope import EVERYTHING
from shared.db.unit_of_work import UnitsOfWork
from shared.logs import logger

log = logger(__name__)

ATTEMPTS = 5
_LONGEST_PAUSE_SECONDS = 60.0
_CLAIM = text("SELECT pg_try_advisory_lock(hashtextextended('import ' || :id, 11))")
_RELEASE = text("SELECT pg_advisory_unlock(hashtextextended('import ' || :id, 11))")


@dataclass(slots=True)
class ImportWork:
    """Keeps running imports between rounds, so that a long one does not hold up the others."""

    uploads: Uploads
    parallel: int
    _running: dict[UUID, asyncio.Task[None]] = field(default_factory=dict)
    _not_before: dict[UUID, float] = field(default_factory=dict)

    async def run_once(self, engine: AsyncEngine, units: UnitsOfWork) -> None:
        """Start what may start; returns at once."""
        self._running = {key: task for key, task in self._running.items() if not task.done()}
        room = self.parallel - len(self._running)
        if room <= 0:
            return
        async with units.begin(EVERYTHING) as uow:
            waiting = await next_work(uow.session, limit=100)
        now = time.monotonic()
        for import_id in waiting:
            if room > 0 and import_id not in self._running and self._not_before.get(import_id, 0.0) <= now:
                self._running[import_id] = asyncio.create_task(self._go_on(engine, units, import_id))
                room -= 1

    async def drain(self, engine: AsyncEngine, units: UnitsOfWork) -> None:
        """Rounds until nothing is left to do: for tests and operators."""
        while True:
            await self.run_once(engine, units)
            if not self._running:
                return
            await asyncio.gather(*self._running.values())

    async def _go_on(self, engine: AsyncEngine, units: UnitsOfWork, import_id: UUID) -> None:
        """One import as far as it goes by itself. The lock ends with the connection, also when the process dies."""
        async with engine.connect() as connection:
            claim = await connection.execution_options(isolation_level="AUTOCOMMIT")
            if not (await claim.execute(_CLAIM, {"id": str(import_id)})).scalar_one():
                return
            try:
                await self._step(units, import_id)
                self._not_before.pop(import_id, None)
            except (OperationalError, InterfaceError, ConnectionError):
                log.warning("import_interrupted", importId=str(import_id))
                self._not_before[import_id] = time.monotonic() + 1.0
            except Exception:
                log.exception("import_failed", importId=str(import_id))
                await self._count_failure(units, import_id)
            finally:
                await claim.execute(_RELEASE, {"id": str(import_id)})

    async def _step(self, units: UnitsOfWork, import_id: UUID) -> None:
        if await _state(units, import_id) in {State.RECEIVED, State.VALIDATING}:
            await validate_import(units, self.uploads, import_id)
        if await _state(units, import_id) is State.COMMITTING:
            await write_import(units, import_id)

    async def _count_failure(self, units: UnitsOfWork, import_id: UUID) -> None:
        """Pause longer each time; a validation that never succeeds is given up, a commit is tried for ever."""
        async with units.begin(EVERYTHING) as uow:
            row = await lock_import(uow.session, import_id)
            assert row is not None
            row.attempts += 1
            attempts = row.attempts
            if attempts >= ATTEMPTS and row.state == State.VALIDATING:
                await give_up(uow, import_id)
        self._not_before[import_id] = time.monotonic() + min(2.0**attempts, _LONGEST_PAUSE_SECONDS)


async def _state(units: UnitsOfWork, import_id: UUID) -> State:
    async with units.begin(EVERYTHING) as uow:
        row = await lock_import(uow.session, import_id)
        assert row is not None
        return State(row.state)


async def sweep_uploads(units: UnitsOfWork, uploads: Uploads) -> None:
    """Delete files that a crash left behind."""
    present = await asyncio.to_thread(uploads.waiting)
    async with units.begin(EVERYTHING) as uow:
        known, now = await validated_among(uow.session, present), await uow.now()
    done = {import_id for import_id, is_done in known.items() if is_done}
    deleted = await asyncio.to_thread(uploads.sweep, known.keys() - done, done, now)
    if deleted:
        log.info("uploads_left_behind_deleted", count=deleted)


async def end_undecided(units: UnitsOfWork, kept: dt.timedelta) -> None:
    """Discard what nobody committed, released or discarded for as long as `kept`."""
    async with units.begin(EVERYTHING) as uow:
        ended = await expire_undecided(uow, await uow.now() - kept)
    if ended:
        log.info("undecided_imports_discarded", count=ended)
