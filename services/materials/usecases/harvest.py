"""What anybody may harvest of the city's shelf, without a token: only what its rights make public."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.materials.domain.oai import PAGE, OaiError, Selection, material_of
from services.materials.storage import harvest
from services.materials.storage.shelf_tables import ShelfItem
from shared.db.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Harvested:
    """A page of records; `following` is None on the last one, `resumed` whether the page came by a token."""

    items: Sequence[ShelfItem]
    following: Selection | None
    resumed: bool


async def list_records(uow: UnitOfWork, selection: Selection) -> Harvested:
    """At most a page. Raises noRecordsMatch when there is nothing to begin with."""
    found = await harvest.records(uow.session, selection, PAGE + 1)
    items = found[:PAGE]
    if not items and selection.after is None:
        raise OaiError("noRecordsMatch", "Nothing matches.")
    following = None
    if len(found) > PAGE:
        after = (items[-1].changed_at, items[-1].material_id)
        following = replace(selection, after=after, sent=selection.sent + len(items))
    return Harvested(items, following, selection.after is not None)


async def get_record(uow: UnitOfWork, identifier: str, domain: str) -> ShelfItem:
    """Raises idDoesNotExist."""
    found = await harvest.record(uow.session, material_of(identifier, domain))
    if found is None:
        raise OaiError("idDoesNotExist", "There is no such item.")
    return found


async def earliest(uow: UnitOfWork) -> dt.datetime:
    """The oldest change there is; now when there is none."""
    return await harvest.earliest(uow.session) or await uow.now()


async def schools(uow: UnitOfWork) -> Sequence[str]:
    return await harvest.schools(uow.session)
