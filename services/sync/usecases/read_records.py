"""Reading the roster in our own words: every school's copy, ended records too, now or as known at an instant."""

import datetime as dt
from collections.abc import Mapping, Sequence

from sqlalchemy import RowMapping

from services.sync.domain.records import USER, RecordType
from services.sync.domain.registry import PROVISIONAL
from services.sync.storage import history
from services.sync.storage.merges import issued_code
from shared.db.unit_of_work import UnitOfWork
from shared.errors import AppError, FieldError, Text, invalid, not_found


async def list_records(
    uow: UnitOfWork,
    record: RecordType,
    filters: Mapping[str, str],
    *,
    as_of: dt.datetime | None,
    after: Sequence[str] | None,
    limit: int,
) -> Sequence[RowMapping]:
    """A page in the order of (sourcedId, school). Raises `asOf.future`: nobody knows yet what will be known."""
    await require_past(uow, as_of)
    return await history.read_records(uow.session, record, filters, as_of=as_of, after=after, limit=limit)


async def read_record(
    uow: UnitOfWork, record: RecordType, sourced_id: str, *, school: str | None, as_of: dt.datetime | None
) -> RowMapping:
    """One record, of `school` where several have a copy; of a merged person the one it became.

    Raises `roster.unknown`, also outside the grants.
    """
    if record is USER and as_of is None and sourced_id.startswith(PROVISIONAL):
        sourced_id = await issued_code(uow.session, sourced_id) or sourced_id
    filters = {"sourced_id": sourced_id} | ({} if school is None else {"school_sourced_id": school})
    rows = await list_records(uow, record, filters, as_of=as_of, after=None, limit=1)
    if not rows:
        raise not_found("roster.unknown", vi="Không có bản ghi này.", en="There is no such record.")
    return rows[0]


async def require_past(uow: UnitOfWork, as_of: dt.datetime | None) -> None:
    """Raises `asOf.future`."""
    if as_of is not None and as_of > await uow.now():
        raise _future()


def _future() -> AppError:
    said = Text("asOf phải là thời điểm đã qua.", "asOf must be an instant that has passed.")
    return invalid("asOf.future", vi=said.vi, en=said.en, errors=[FieldError("/asOf", "asOf.future", said)])
