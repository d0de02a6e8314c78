"""Remove files that no version came to use: uploads cut off by a crash, or refused after they were stored."""

import datetime as dt

from services.materials.storage import files
from services.materials.storage.content import ContentStore
from shared.db.scope import EVERYTHING
from shared.db.unit_of_work import UnitsOfWork
from shared.logs import logger

log = logger(__name__)

# Far longer than any request lasts between storing its file and committing the row that uses it.
GRACE = dt.timedelta(hours=24)


async def sweep_files(units: UnitsOfWork, store: ContentStore, *, older_than: dt.datetime) -> int:
    """Remove orphans nobody handed in after `older_than`, and unfinished arrivals; how many files went.

    Safe to run at any time and more than once: a file handed in again meanwhile stays.
    """
    removed = await store.drop_unfinished(older_than)
    async for names in store.idle_since(older_than):
        async with units.begin(EVERYTHING) as uow:
            used = await files.used_among(uow.session, names)
        for name in names:
            if name not in used and await store.remove_if_idle(name, older_than):
                removed += 1
    if removed:
        log.info("files_swept", removed=removed)
    return removed
