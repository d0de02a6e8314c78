"""Sealing: hash, counts and event of rosters that were written record by record, once for many records."""

import datetime as dt

from services.sync.storage.commit import (
    content_hash,
    lock_roster,
    roster_counts,
    seal,
    unsealed_state,
)
from services.sync.storage.single import unsealed_rosters
from services.sync.usecases.write_import import roster_committed
from shared.db.scope import EVERYTHING
from shared.db.unit_of_work import UnitsOfWork

_AT_ONCE = 100
# A roster that is written all the time is sealed all the same: its writers wait once.
_LONGEST_UNSEALED = dt.timedelta(seconds=30)


async def seal_rosters(units: UnitsOfWork, patience: dt.timedelta) -> int:
    """Seal the rosters that have been waiting for `patience`; answers how many. Each in a transaction of its own.

    Hash and counts are made without the roster's lock, and kept when no record was written meanwhile.
    """
    async with units.begin(EVERYTHING) as uow:
        now = await uow.now()
        schools = await unsealed_rosters(uow.session, now - patience, _AT_ONCE)
        overdue = set(await unsealed_rosters(uow.session, now - patience - _LONGEST_UNSEALED, _AT_ONCE))
    sealed = [await _seal(units, school, at_once=school in overdue) for school in schools]
    return sum(sealed)


async def _seal(units: UnitsOfWork, school: str, *, at_once: bool) -> bool:
    async with units.begin(EVERYTHING) as uow:
        if at_once:
            await lock_roster(uow.session, school)
        before = await unsealed_state(uow.session, school)
        content, counts = await content_hash(uow.session, school), await roster_counts(uow.session, school)
        await lock_roster(uow.session, school)
        state = await unsealed_state(uow.session, school)
        if state is None or state != before:  # an import sealed it, or it was written again
            return False
        await seal(uow.session, school, content, counts)
        event = roster_committed(school, state.last_import_id, state.committed_at, content, counts)
        await uow.emit(event, aggregate=f"roster:{school}")
    return True
