"""Following the education database: what changed since a place in the feed, in an order that never skips anything."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import RowMapping

from services.sync.storage import changes
from services.sync.storage.changes import START, TYPES, Place
from shared.db.unit_of_work import UnitOfWork
from shared.errors import FieldError, Text, conflict, invalid


@dataclass(frozen=True, slots=True)
class Changes:
    """`place` is where to go on; `more`: the page was full."""

    rows: Sequence[RowMapping]
    place: Place
    more: bool


async def read_changes(uow: UnitOfWork, types: Sequence[str], after: Place | None, limit: int) -> Changes:
    """A page of versions in the caller's scope, of the `types` (all without any).

    Raises `changes.typeUnknown`, `changes.cursorAhead`.
    """
    known = await changes.horizon(uow.session)
    if after is not None and after.written_by > known.newest:
        raise conflict(
            "changes.cursorAhead",
            vi="Con trỏ này không thuộc cơ sở dữ liệu hiện tại (vừa khôi phục?). Hãy đọc lại từ đầu.",
            en="The cursor is not of this database (was it restored?). Read again from the beginning.",
        )
    rows = await changes.read_changes(uow.session, _checked(types), after or START, limit, known.settled)
    if len(rows) == limit:
        return Changes(rows, changes.place_of(rows[-1]), more=True)
    return Changes(rows, Place(known.settled), more=False)


async def latest_place(uow: UnitOfWork) -> Place:
    """Behind everything that is settled now."""
    return Place((await changes.horizon(uow.session)).settled)


def _checked(types: Sequence[str]) -> list[str]:
    unknown = [name for name in types if name not in TYPES]
    if unknown:
        listed = ", ".join(TYPES)
        said = Text(f"types chỉ nhận: {listed}.", f"types takes: {listed}.")
        errors = [FieldError("/types", "changes.typeUnknown", said)]
        raise invalid("changes.typeUnknown", vi=said.vi, en=said.en, errors=errors)
    return [name for name in TYPES if not types or name in types]
