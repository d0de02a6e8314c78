"""Committing an import: one transaction per school, each with its event; a crash between schools goes on afterwards."""

import asyncio
import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from services.sync.domain.brake import HoldReason, hold_reasons
from services.sync.domain.import_state import State, Step, after
from services.sync.storage import difference, merges
from services.sync.storage.commit import (
    RosterState,
    content_hash,
    finish_school,
    last_seal,
    lock_roster,
    roster_counts,
    write_changes,
)
from services.sync.storage.imports import lock_import
from services.sync.storage.resolve import Staging
from services.sync.storage.staging import LARGE_FROM_ROWS, analyze
from services.sync.storage.tables import RECORD_TABLES, Import, ImportSchool
from services.sync.storage.waiting import keep_waiting
from services.sync.usecases.hold_import import hold_schools
from shared.contracts.sync_v1 import GradeCount, RosterCommitted
from shared.db.scope import EVERYTHING
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.failpoints import failpoint

SIDE_BY_SIDE = 2


class _MustHoldError(Exception):
    """A school looked again and must be held: nothing of this transaction may stay."""


async def write_import(units: UnitsOfWork, import_id: UUID) -> None:
    """Write every school that is still to be written, then finish; or hold it when a school must look again.

    Schools are written side by side, each in its own transaction.
    """
    async with units.begin(EVERYTHING) as uow:
        row = await lock_import(uow.session, import_id)
        assert row is not None
        schools = iter(await difference.untouched_schools(_staging(uow, row, [])))
    lanes = [asyncio.create_task(_write_schools(units, import_id, schools)) for _ in range(SIDE_BY_SIDE)]
    for result in await asyncio.gather(*lanes, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result
    async with units.begin(EVERYTHING) as uow:
        changed = await _finish(uow, import_id)
    if changed >= LARGE_FROM_ROWS:
        async with units.begin(EVERYTHING) as uow:
            await analyze(uow.session, RECORD_TABLES)


async def _write_schools(units: UnitsOfWork, import_id: UUID, schools: Iterator[str]) -> None:
    """One lane: takes the next school until none is left."""
    for school in schools:
        try:
            async with units.begin(EVERYTHING) as uow:
                await _write_school(uow, import_id, school)
                failpoint("sync.import.school_written")
        except _MustHoldError:
            # Holding changes the import itself, which the other lanes' locks keep as it is until they are done.
            async with units.begin(EVERYTHING) as uow:
                await _write_school(uow, import_id, school, may_hold=True)
        failpoint("sync.import.school_committed")


def _staging(uow: UnitOfWork, row: Import, schools: list[str]) -> Staging:
    return Staging(uow.session, row.id, row.modes, row.lenient, schools)


async def _write_school(uow: UnitOfWork, import_id: UUID, school: str, *, may_hold: bool = False) -> None:
    row = await lock_import(uow.session, import_id, shared=not may_hold)
    assert row is not None
    if row.state != State.COMMITTING:
        return
    part = await uow.session.get(ImportSchool, (import_id, school))
    assert part is not None
    if part.committed_at is not None:
        return
    state = await lock_roster(uow.session, school)
    reasons = await _look_again(uow, row, part, state)
    if reasons and not may_hold:
        raise _MustHoldError
    if reasons:
        row.state = after(State(row.state), Step.HOLD).value
        row.version += 1
        await hold_schools(uow, row, reasons)
        return
    await _write(uow, row, part, state.next_commit(await uow.now()))


async def _look_again(uow: UnitOfWork, row: Import, part: ImportSchool, state: RosterState) -> list[HoldReason]:
    """When the roster changed since the difference was made, or people of it were merged, make it anew.

    Too large or out of order: hold.
    """
    area = _staging(uow, row, [part.school_sourced_id])
    led_on = await merges.rename_waiting(area, row.received_at)
    if state.version == part.base_version and not led_on:
        return []
    part.base_version = state.version
    await uow.session.flush()
    differences = await difference.compare(area, [part.school_sourced_id])
    await difference.store_counts(area, differences)
    await uow.session.refresh(part, ["counts"])
    reasons = hold_reasons(differences)
    # An undoing is made for one state of the roster: what came in between must not be taken back with it unseen.
    overtaken = state.last_received_at is not None and state.last_received_at > row.received_at
    if overtaken or row.revert_of is not None:
        reasons.append(HoldReason("olderThanCommitted", part.school_sourced_id))
    # A release was given for the difference of that moment; a new difference that is too large asks again.
    return reasons


async def _write(uow: UnitOfWork, row: Import, part: ImportSchool, now: dt.datetime) -> None:
    school = part.school_sourced_id
    touched = await write_changes(uow.session, row.id, school, part.counts, now)
    sealed = None if touched else await last_seal(uow.session, school)
    if sealed is None:
        sealed = (await content_hash(uow.session, school), await roster_counts(uow.session, school))
    content, counts = sealed
    await finish_school(
        uow.session, row.id, school, now=now, received_at=row.received_at, content=content, counts=counts
    )
    await uow.emit(roster_committed(school, row.id, now, content, counts), aggregate=f"roster:{school}")


def roster_committed(
    school: str, import_id: UUID, committed_at: dt.datetime, content: str, counts: Mapping[str, Any]
) -> RosterCommitted:
    """The event of a roster with its `content` hash and `counts`, as `storage.commit.roster_counts` made them."""
    return RosterCommitted(
        school_sourced_id=school,
        import_id=import_id,
        committed_at=committed_at,
        content_hash=content,
        learners=counts["learners"],
        staff=counts["staff"],
        teachers=counts["teachers"],
        classes=counts["classes"],
        enrollments=counts["enrollments"],
        by_grade=tuple(GradeCount(**grade) for grade in counts["by_grade"]),
    )


async def _finish(uow: UnitOfWork, import_id: UUID) -> int:
    """Close the import; answers how many records it changed."""
    row = await lock_import(uow.session, import_id)
    assert row is not None
    if row.state != State.COMMITTING or await difference.untouched_schools(_staging(uow, row, [])):
        return 0
    changes = await difference.counted_changes(_staging(uow, row, []))
    row.counts = {
        name: count | {action: changes.get(name, {}).get(action, 0) for action in ("added", "changed", "removed")}
        for name, count in row.counts.items()
    }
    row.state = after(State(row.state), Step.FINISH).value
    row.committed_at = await uow.now()
    row.version += 1
    await keep_waiting(uow.session, import_id)
    return sum(sum(actions.values()) for actions in changes.values())
