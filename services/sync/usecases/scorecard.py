"""A vendor's scorecard: proof that it delivered, and where it did not."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import RowMapping

from services.sync.storage import orgs, scorecards
from services.sync.usecases.scope import today
from shared.auth import Principal
from shared.db.unit_of_work import UnitOfWork
from shared.errors import not_found


@dataclass(frozen=True, slots=True)
class Scorecard:
    now: dt.datetime
    totals: RowMapping
    causes: Sequence[RowMapping]
    schools: Sequence[RowMapping]


async def get_scorecard(
    uow: UnitOfWork, principal: Principal, client_id: str, *, days: int, after: str | None, limit: int
) -> Scorecard:
    """Of the last `days`. The vendor itself and the department see it; raises `vendor.unknown` for anyone else."""
    own = principal.kind != "user" and principal.client_id == client_id
    whole = await orgs.covers_everything(uow.session, principal.orgs)
    if not own and not whole:
        raise not_found("vendor.unknown", vi="Không có đơn vị kết nối này.", en="There is no such vendor.")
    now = await uow.now()
    since = now - dt.timedelta(days=days)
    granted = await orgs.schools_under(uow.session, principal.orgs, await today(uow)) if own else []
    return Scorecard(
        now,
        await scorecards.totals(uow.session, client_id, since),
        await scorecards.refused_by_cause(uow.session, client_id, since),
        await scorecards.schools(uow.session, client_id, granted, after=after, limit=limit),
    )
