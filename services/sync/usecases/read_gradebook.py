"""Reading marks and resources back, as the OneRoster gradebook and resources services show them."""

from collections.abc import Mapping

from services.sync.domain.oneroster_gradebook import Listed
from services.sync.storage import listing
from services.sync.storage.gradebook import parent_of, rows_of
from services.sync.storage.listing import Selection
from services.sync.storage.roster import terms_of
from services.sync.usecases.read_roster import RosterPage, Shown, invalid_filter, unknown_record
from shared.db.unit_of_work import UnitOfWork
from shared.oneroster.filters import FilterError


async def open_gradebook(
    uow: UnitOfWork, listed: Listed, parents: Mapping[str, str], selection: Selection, shown: Shown
) -> RosterPage:
    """A page of a list. `parents` are the ids in the path, by collection.

    Raises `filter.invalid` or `sort.invalid` for a field the collection does not have, `roster.unknown` for a parent
    that does not exist for the caller.
    """
    driver = await uow.driver()
    for collection, sourced_id in parents.items():
        there = listing.statement_of(parent_of(collection), {}, Selection(), {}, only=sourced_id)
        if not await listing.has_rows(driver, there):
            raise unknown_record()
    settled = await listing.settled_before(driver) if selection.asks_since else None
    rows, terms = rows_of(listed.collection, tuple(parents)), terms_of(listed.version, listed.collection)
    try:
        statement = listing.statement_of(rows, terms, selection, parents, settled=settled)
    except FilterError as failure:
        raise invalid_filter(failure) from failure
    total = await listing.total_of(driver, statement)
    document = shown.document(listed.collection)
    return RosterPage(total, driver, statement, document, selection.limit, selection.offset)


async def read_gradebook_record(uow: UnitOfWork, collection: str, sourced_id: str, shown: Shown) -> str:
    """One record as JSON, ended ones too. Raises `roster.unknown`, also for a record outside the grants."""
    terms = terms_of(shown.version, collection)
    statement = listing.statement_of(rows_of(collection), terms, Selection(), {}, only=sourced_id)
    document = await listing.one_document(await uow.driver(), statement, shown.document(collection))
    if document is None:
        raise unknown_record()
    return document
