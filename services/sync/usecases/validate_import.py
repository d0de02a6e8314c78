"""Validating a received package: rows are read as a stream and staged, then resolved and compared inside PostgreSQL.

Runs in the worker. Every step may be repeated: a worker that died half-way leaves an import that starts again.
"""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from services.sync.domain.brake import Difference, hold_reasons
from services.sync.domain.gradebook_records import EVERY_TYPE, LINE_ITEM
from services.sync.domain.import_state import State, Step, after
from services.sync.domain.objects import SPECS
from services.sync.domain.problems import Problem
from services.sync.domain.records import CLASS, ENROLLMENT
from services.sync.storage import (
    causes,
    difference,
    expand,
    expand_gradebook,
    merges,
    registry,
    resolve,
    resolve_gradebook,
    staging,
    waiting,
)
from services.sync.storage.imports import lock_import
from services.sync.storage.tables import Import
from services.sync.storage.uploads import Uploads
from services.sync.usecases.hold_import import hold_schools
from services.sync.usecases.scope import registry_for
from services.sync.usecases.stage_package import Reading, stage_package
from shared.db.scope import EVERYTHING
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.failpoints import failpoint

_ORDER = list(SPECS)


async def validate_import(units: UnitsOfWork, uploads: Uploads, import_id: UUID) -> None:
    """Bring an import from `received` to `ready`, `held`, `rejected`, or straight on to `committing`."""
    async with units.begin(EVERYTHING) as uow:
        reading = await _begin(uow, import_id)
    if reading.retried is None:
        await stage_package(units, uploads, reading)
    failpoint("sync.import.staged")
    await _analyze(units, reading, [record.staging for record in EVERY_TYPE])
    async with units.begin(EVERYTHING) as uow:
        await _judge(uow, reading)
    await _analyze(units, reading, ["import_change"])
    failpoint("sync.import.validated")
    await asyncio.to_thread(uploads.delete, import_id)


async def _begin(uow: UnitOfWork, import_id: UUID) -> Reading:
    row = await lock_import(uow.session, import_id)
    assert row is not None
    row.state = after(State(row.state), Step.VALIDATE).value
    row.rows_done = 0
    row.version += 1
    await staging.wipe_findings(uow.session, import_id)
    registry, schools = await registry_for(uow, row.orgs)
    reading = Reading(import_id, row.lenient, registry, schools)
    if row.retry_of is None:
        await staging.wipe_staging(uow.session, import_id)
    else:
        # Its rows were staged with the receipt; there is no file to read them from again.
        reading.retried = await waiting.staged_rows(uow.session, import_id)
        row.rows_done = sum(reading.retried.values())
    return reading


async def _analyze(units: UnitsOfWork, reading: Reading, tables: Sequence[str]) -> None:
    if reading.is_large:
        async with units.begin(EVERYTHING) as uow:
            await staging.analyze(uow.session, tables, roughly=True)


async def _judge(uow: UnitOfWork, reading: Reading) -> None:
    """Resolve, compare, brake: afterwards the import is ready, held, rejected, or committing by itself."""
    row = await lock_import(uow.session, reading.import_id)
    assert row is not None
    # Who cannot tell which records are absent ends none of them (`dropped.absence` says so).
    row.modes = row.modes | {name: "delta" for name in reading.nameless if row.modes[name] == "bulk"}
    area = resolve.Staging(uow.session, row.id, row.modes, row.lenient, reading.schools)
    if reading.is_large:
        await resolve.expect_many(area)
    await merges.rename_staged(area)
    await registry.hold_unknown_people(area)
    await resolve.resolve(area)
    await resolve_gradebook.resolve(area)
    await expand.expand(area, reading.named)
    await expand_gradebook.expand(area, reading.named)
    await expand.write_schools(area, reading.named)
    await causes.fold_causes(uow.session, row.id)
    schools = list(await difference.untouched_schools(area))
    differences = await difference.compare(area, schools)
    await difference.store_counts(area, differences)
    row.counts = await _file_counts(area, reading)
    row.rows_total = row.rows_done
    row.validated_at = await uow.now()
    row.version += 1
    await _decide(uow, row, differences, reaches_a_school=bool(schools))
    if row.dry_run:
        # What leads a change to its class stays until the dry run expires; people and marks go at once.
        kept = () if row.state == State.REJECTED else (CLASS, ENROLLMENT, LINE_ITEM)
        await staging.wipe_staging(uow.session, row.id, kept=kept)


async def _file_counts(area: resolve.Staging, reading: Reading) -> dict[str, Any]:
    lines = await difference.row_counts(area)
    changes = await difference.counted_changes(area)
    tallies = reading.tallies
    counts: dict[str, Any] = {}
    for name in (each for each in _ORDER if each in tallies or each in changes):
        read = tallies[name].read if name in tallies else 0
        refused, dropped = lines.get(name, (0, 0)) if name in tallies else (0, 0)
        counts[name] = {
            "read": read,
            "accepted": read - refused - dropped,
            "refused": refused,
            "dropped": dropped,
            "repaired": tallies[name].repaired if name in tallies else 0,
            **{action: changes.get(name, {}).get(action, 0) for action in ("added", "changed", "removed")},
        }
    return counts


async def _decide(uow: UnitOfWork, row: Import, differences: list[Difference], *, reaches_a_school: bool) -> None:
    state = State(row.state)
    # Accepted rows that reach no school (a session alone belongs to none) make nothing that could be committed.
    acceptable = reaches_a_school and any(each["accepted"] for name, each in row.counts.items() if name != "orgs")
    if not acceptable and any(each["refused"] for each in row.counts.values()):
        row.state = after(state, Step.REJECT).value
        await waiting.keep_waiting(uow.session, row.id)
        return
    reasons = hold_reasons(differences)
    if reasons:
        row.state = after(state, Step.HOLD).value
        await hold_schools(uow, row, reasons)
        return
    ready = after(state, Step.PASS)
    row.state = (after(ready, Step.COMMIT) if row.auto_commit else ready).value


async def give_up(uow: UnitOfWork, import_id: UUID) -> None:
    """Reject a package whose validation fails on our side every time; nothing of it was written."""
    row = await lock_import(uow.session, import_id)
    if row is None or row.state != State.VALIDATING:
        return
    row.state = after(State.VALIDATING, Step.REJECT).value
    row.validated_at = await uow.now()
    row.version += 1
    await staging.wipe_staging(uow.session, import_id)
    await staging.copy_problems(await uow.driver(), import_id, [Problem("import.failed", "")])
    await causes.fold_causes(uow.session, import_id)
