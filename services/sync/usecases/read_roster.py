"""Reading back what was committed, as the OneRoster provider shows it."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.sync.domain.oneroster import NOUN_OF, Version
from services.sync.domain.oneroster_paths import Operation
from services.sync.domain.registry import PROVISIONAL
from services.sync.storage import listing
from services.sync.storage.documents import document_of
from services.sync.storage.listing import ListingIndex, Selection, Statement, Write
from services.sync.storage.merges import issued_code
from services.sync.storage.roster import rows_of, terms_of
from services.sync.usecases.scope import today
from shared.db.unit_of_work import UnitOfWork
from shared.errors import AppError, Kind, Text, not_found
from shared.oneroster.filters import FilterError, SortError

_NAMES = {"schools": "school", "classes": "class_"}


@dataclass(frozen=True, slots=True)
class Shown:
    """How records are written: the version of the standard, the public address, the fields wanted (None: all)."""

    version: Version
    public_url: str
    wanted: frozenset[str] | None = None

    def document(self, collection: str) -> str:
        return document_of(self.version, NOUN_OF[collection], self.public_url, self.wanted)


@dataclass(frozen=True, slots=True)
class RosterPage:
    """`total` records in the list; `copy_to` writes those of the page, each after a comma."""

    total: int
    _driver: Any
    _statement: Statement
    _document: str
    _limit: int
    _offset: int

    async def copy_to(self, write: Write) -> None:
        await listing.copy_page(
            self._driver, self._statement, self._document, limit=self._limit, offset=self._offset, write=write
        )


async def open_roster(  # what the path, the query and the settings say
    uow: UnitOfWork,
    operation: Operation,
    parents: Mapping[str, str],
    selection: Selection,
    shown: Shown,
    index: ListingIndex,
) -> RosterPage:
    """A page of a list. `parents` are the ids in the path, by collection.

    Raises `filter.invalid` or `sort.invalid` for a field the collection does not have, `roster.unknown` for a parent
    that does not exist for the caller.
    """
    driver, day = await uow.driver(), await today(uow)
    await _require_parents(driver, operation, parents, shown.version, day)
    settled = await listing.settled_before(driver) if selection.asks_since else None
    given = {"today": day, "parent": next(iter(parents.values()), "")}
    given |= {_NAMES[name]: value for name, value in parents.items() if name in _NAMES}
    try:
        statement = listing.statement_of(
            rows_of(operation.collection, operation.parents),
            terms_of(shown.version, operation.collection),
            selection,
            given,
            settled=settled,
        )
    except FilterError as failure:
        raise invalid_filter(failure) from failure
    # Units of the tree change without a roster changing, and what changed since an instant is asked once.
    kept = None if NOUN_OF[operation.collection] == "org" or selection.asks_since else index
    total, start, offset = await _place(driver, kept, statement, selection)
    document = shown.document(operation.collection)
    return RosterPage(total, driver, start, document, selection.limit, offset)


async def _place(
    driver: Any, index: ListingIndex | None, statement: Statement, selection: Selection
) -> tuple[int, Statement, int]:
    """The total, and where the page begins: behind which key, and how many rows further."""
    if index is None:
        return await listing.total_of(driver, statement), statement, selection.offset
    needs_marks = statement.by_key and selection.offset >= listing.STEP
    scope, token = await listing.change_token(driver)
    if scope == "*" and statement.by_key:
        await listing.read_in_key_order(driver)
    key = (scope, statement.body, tuple(statement.values), statement.order)
    known = index.find(key, token)
    if known is None or (needs_marks and known.marks is None):
        if needs_marks:
            total, marks = await listing.marks_of(driver, statement)
            known = index.keep(key, token, total, marks)
        else:
            known = index.keep(key, token, await listing.total_of(driver, statement), None)
    if not needs_marks or known.marks is None:
        return known.total, statement, selection.offset
    mark, offset = listing.start_of(known.marks, selection.offset)
    return known.total, statement if mark is None else statement.after(mark), offset


async def read_one(uow: UnitOfWork, collection: str, sourced_id: str, shown: Shown) -> str:
    """One record as JSON, ended ones too; of a merged person the one it became.

    Raises `roster.unknown`, also for a record outside the grants.
    """
    if NOUN_OF[collection] == "user" and sourced_id.startswith(PROVISIONAL):
        sourced_id = await issued_code(uow.session, sourced_id) or sourced_id
    driver, day = await uow.driver(), await today(uow)
    statement = listing.statement_of(
        rows_of(collection), terms_of(shown.version, collection), Selection(), {"today": day}, only=sourced_id
    )
    document = await listing.one_document(driver, statement, shown.document(collection))
    if document is None:
        raise unknown_record()
    return document


async def _require_parents(
    driver: Any, operation: Operation, parents: Mapping[str, str], version: Version, day: dt.date
) -> None:
    """Raises `roster.unknown`."""
    for place, (collection, sourced_id) in enumerate(parents.items()):
        given = {"today": day, **{_NAMES[name]: value for name, value in parents.items() if name in _NAMES}}
        rows = rows_of(collection, operation.parents[:place])
        statement = listing.statement_of(rows, terms_of(version, collection), Selection(), given, only=sourced_id)
        if not await listing.has_rows(driver, statement):
            raise unknown_record()


def unknown_record() -> AppError:
    return not_found("roster.unknown", vi="Không có bản ghi này.", en="There is no such record.")


def invalid_filter(failure: FilterError) -> AppError:
    if isinstance(failure, SortError):
        text = Text(f"Tham số sort không hợp lệ: {failure}.", f"The sort field is not valid: {failure}.")
        return AppError("sort.invalid", Kind.INVALID, text)
    text = Text(f"Tham số filter không hợp lệ: {failure}.", f"The filter is not valid: {failure}.")
    return AppError("filter.invalid", Kind.INVALID, text)
