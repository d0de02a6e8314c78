"""Each process builds an index of its own at its start, and follows what changes from then on."""

import asyncio
import datetime as dt
from dataclasses import dataclass

from services.materials.storage.search import documents
from services.materials.storage.search.documents import START, Place
from services.materials.storage.search.port import SearchIndex
from shared.db.scope import EVERYTHING
from shared.db.unit_of_work import UnitsOfWork
from shared.errors import AppError, Kind, Text
from shared.logs import failure_fields, logger

log = logger(__name__)

FOLLOW_EVERY = dt.timedelta(seconds=1)
_BATCH = 5_000


@dataclass(slots=True)
class IndexKeeper:
    """The one writer of an index. `place` is how far in the order of changes it has come."""

    units: UnitsOfWork
    index: SearchIndex
    place: Place = START
    built: bool = False
    done: int = 0
    total: int = 0

    async def run(self) -> None:
        """Build, then follow for ever; a database that is away is waited for."""
        while True:
            try:
                await self.catch_up()
            except asyncio.CancelledError:
                raise
            except Exception as failure:  # noqa: BLE001  # whatever it was, the next round begins where this one stood
                log.error("index_not_followed", **failure_fields(failure))  # noqa: TRY400  # the message may quote rows
            await asyncio.sleep(FOLLOW_EVERY.total_seconds())

    async def catch_up(self) -> int:
        """All changes that are settled by now; how many materials were looked at."""
        looked = 0
        if not self.built:
            async with self.units.begin(EVERYTHING) as uow:
                self.total = await documents.count(uow.session)
        while True:
            async with self.units.begin(EVERYTHING) as uow:
                found = await documents.changes(uow.session, self.place, _BATCH)
                ids = [each.material_id for each in found]
                new = await documents.documents(uow.session, ids) if ids else []
            if found:
                await asyncio.to_thread(self.index.apply, new, [str(each) for each in ids])
                self.place = found[-1]
                self.done += len(found)
                looked += len(found)
            if len(found) < _BATCH:
                break
        if not self.built:
            self.built = True
            log.info("index_built", materials=self.done, documents=self.index.size)
        return looked

    def require_built(self) -> None:
        """Raise `search.building` (unavailable) with the progress until the first build has ended."""
        if not self.built:
            raise AppError(
                "search.building",
                Kind.UNAVAILABLE,
                Text("Chỉ mục tìm kiếm đang được dựng. Hãy thử lại sau vài giây.", "The search index is being built."),
                details={"done": self.done, "total": self.total},
                retry_after=2,
            )
