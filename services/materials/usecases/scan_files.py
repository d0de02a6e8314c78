"""Contents that wait for the virus scanner, one after the other."""

from services.materials.inspection.scanner import Scan, Scanner
from services.materials.storage import files
from services.materials.storage.content import ContentStore
from shared.db.scope import EVERYTHING
from shared.db.unit_of_work import UnitsOfWork
from shared.logs import logger

log = logger(__name__)

_BATCH = 100
# A scanner that would not look at a content is asked again only so often.
_ATTEMPTS = 3


async def scan_files(units: UnitsOfWork, store: ContentStore, scanner: Scanner) -> int:
    """Scan what has not been scanned; how many contents were looked at. Raises when the scanner is away."""
    async with units.begin(EVERYTHING) as uow:
        waiting = await files.unscanned(uow.session, attempts=_ATTEMPTS, limit=_BATCH)
    for sha256, size in waiting:
        found = await scanner.scan(store.read(sha256, 0, size)) if await store.size(sha256) == size else _GONE
        async with units.begin(EVERYTHING) as uow:
            await files.remember_scan(uow.session, sha256, found.state, found.signature)
        if found.state == "infected":
            log.warning("file_infected", sha256=sha256, signature=found.signature)
    return len(waiting)


_GONE = Scan("not_scanned")
