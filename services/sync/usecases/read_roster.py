"""Reading back what was committed, as the OneRoster provider shows it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import RowMapping

from services.sync.domain.roster_filter import FilterError
from services.sync.storage.roster import COLLECTIONS, SCHOOL_COLLECTIONS, Selection, read_rows, roles_of
from services.sync.usecases.scope import today
from shared.db.unit_of_work import UnitOfWork
from shared.errors import AppError, Kind, Text, not_found

_PEOPLE = frozenset({"users", "students", "teachers"})


@dataclass(frozen=True, slots=True)
class RosterPage:
    """`roles` by user, for collections of people."""

    total: int
    rows: Sequence[RowMapping]
    roles: dict[str, list[RowMapping]]


async def read_roster(
    uow: UnitOfWork, collection: str, selection: Selection, *, school: str | None = None
) -> RosterPage:
    """One page of a collection, of one school where one is given.

    Raises `filter.invalid` for a filter or sort field the collection does not have, `roster.unknown` for a school
    outside the grants.
    """
    source = COLLECTIONS[collection]
    if school is not None:
        await read_one(uow, "schools", school)
        source, selection = SCHOOL_COLLECTIONS[collection], replace(selection, extra={"school": school})
    try:
        total, rows = await read_rows(uow.session, source, selection, await today(uow))
    except FilterError as failure:
        raise invalid_filter(failure) from failure
    people = [row["sourced_id"] for row in rows] if collection in _PEOPLE else []
    return RosterPage(total, rows, await roles_of(uow.session, people) if people else {})


async def read_one(uow: UnitOfWork, collection: str, sourced_id: str) -> RosterPage:
    """One record, ended ones too. Raises `roster.unknown`, also for a record of a school outside the grants."""
    page = await read_roster(uow, collection, Selection(sourced_id=sourced_id, limit=1))
    if not page.rows:
        raise not_found("roster.unknown", vi="Không có bản ghi này.", en="There is no such record.")
    return page


def invalid_filter(failure: FilterError) -> AppError:
    return AppError(
        "filter.invalid",
        Kind.INVALID,
        Text(f"Tham số filter hoặc sort không hợp lệ: {failure}.", f"The filter or sort is not valid: {failure}."),
    )
