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


async def seal_rosters(units: UnitsOfWork, patience: dt.timedelta) -> int:
    """Seal the rosters that have been waiting for `patience`; answers how many. Each in a transaction of its own."""
    async with units.begin(EVERYTHING) as uow:
        schools = await unsealed_rosters(uow.session, await uow.now() - patience, _AT_ONCE)
    for school in schools:
        async with units.begin(EVERYTHING) as uow:
            await lock_roster(uow.session, school)
            state = await unsealed_state(uow.session, school)
            if state is None:  # an import came in between, and sealed it
                continue
            content, counts = await content_hash(uow.session, school), await roster_counts(uow.session, school)
            await seal(uow.session, school, content, counts)
            event = roster_committed(school, state.last_import_id, state.committed_at, content, counts)
            await uow.emit(event, aggregate=f"roster:{school}")
    return len(schools)
