"""`/sync/v1/vendors/{clientId}/scorecard`: what a vendor delivered, and how late."""

import datetime as dt
from typing import Annotated, Self

from fastapi import APIRouter, Path, Query
from pydantic import Field
from sqlalchemy import RowMapping

from services.sync.api.deps import Lang, Reader
from services.sync.api.schemas import Shape
from services.sync.domain.catalogue import CATALOGUE
from services.sync.usecases.scorecard import Scorecard, get_scorecard
from shared.errors import Language
from shared.http.idempotency import IdempotentRoute
from shared.http.paging import DEFAULT_LIMIT, Cursor, Limit, decode_cursor, encode_cursor
from shared.http.unit_of_work import Uow

router = APIRouter(prefix="/sync/v1", route_class=IdempotentRoute, tags=["vendors"])
ClientId = Annotated[str, Path(max_length=255)]


class RowTotals(Shape):
    read: int
    accepted: int
    refused: int


class RefusedCause(Shape):
    code: str
    rows: int
    who: str = Field(description="Who must act: vendor, school, department, nobody.")
    hint: str

    @classmethod
    def of(cls, row: RowMapping, language: Language) -> Self:
        entry = CATALOGUE[row["code"]]
        return cls(code=entry.code, rows=row["rows"], who=entry.who.value, hint=entry.hint.of(language))


class Lag(Shape):
    """Seconds from receipt to commit; null while nothing was committed."""

    median_seconds: float | None
    longest_seconds: float | None


class SchoolCard(Shape):
    sourced_id: str
    imports: int
    held: int
    last_push: dt.datetime | None
    last_commit: dt.datetime | None
    seconds_since_commit: float | None

    @classmethod
    def of(cls, row: RowMapping, now: dt.datetime) -> Self:
        last = row["last_commit"]
        return cls(
            sourced_id=row["school"],
            **{name: row[name] for name in ("imports", "held", "last_push", "last_commit")},
            seconds_since_commit=None if last is None else (now - last).total_seconds(),
        )


class ScorecardOut(Shape):
    """Totals of the last `days`; `schools` is one page, over all time."""

    client_id: str
    days: int
    last_push: dt.datetime | None
    imports: int
    held: int
    rows: RowTotals
    refused_by_cause: list[RefusedCause]
    lag: Lag
    schools: list[SchoolCard]
    next: str | None = Field(description="Cursor of the following page of schools; null on the last one.")

    @classmethod
    def of(cls, card: Scorecard, language: Language, *, client_id: str, days: int, limit: int) -> Self:
        totals, shown = card.totals, card.schools[:limit]
        return cls(
            client_id=client_id,
            days=days,
            **{name: totals[name] for name in ("last_push", "imports", "held")},
            rows=RowTotals(**{name: totals[name] or 0 for name in ("read", "accepted", "refused")}),
            refused_by_cause=[RefusedCause.of(row, language) for row in card.causes],
            lag=Lag(median_seconds=totals["median_seconds"], longest_seconds=totals["longest_seconds"]),
            schools=[SchoolCard.of(row, card.now) for row in shown],
            next=encode_cursor(shown[-1]["school"]) if len(card.schools) > limit else None,
        )


@router.get("/vendors/{client_id}/scorecard", summary="What a vendor delivered, and how late")
async def get_vendor_scorecard(
    client_id: ClientId,
    principal: Reader,
    uow: Uow,
    language: Lang,
    days: Annotated[int, Query(ge=1, le=366, description="How far back the totals reach.")] = 90,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> ScorecardOut:
    """For the vendor itself and the department. Granted schools that never got anything are listed too."""
    key = decode_cursor(cursor, 1)
    after = None if key is None else str(key[0])
    card = await get_scorecard(uow, principal, client_id, days=days, after=after, limit=limit + 1)
    return ScorecardOut.of(card, language, client_id=client_id, days=days, limit=limit)
