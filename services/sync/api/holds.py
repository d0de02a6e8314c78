"""`/sync/v1/imports/{id}/release` and `/discard`: the school decides about what the brake holds."""

import datetime as dt
from typing import Literal, Self
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field
from sqlalchemy import RowMapping

from services.sync.api.deps import Importer, Lang, Reader
from services.sync.api.schemas import Closed, ImportOut, Shape
from services.sync.usecases import queries
from services.sync.usecases.hold_import import LONGEST_REASON, Decision, decide_import, list_decisions
from shared.auth import Principal
from shared.db.unit_of_work import UnitOfWork
from shared.errors import Language
from shared.http.etag import set_etag
from shared.http.idempotency import IdempotentRoute
from shared.http.unit_of_work import Uow

router = APIRouter(prefix="/sync/v1", route_class=IdempotentRoute, tags=["imports"])


class DecisionIn(Closed):
    reason: str | None = Field(default=None, max_length=LONGEST_REASON, description="Why; kept with the decision.")


class DecisionOut(Shape):
    school: str
    action: Literal["release", "discard", "revert"]
    reason: str
    decided_by: str
    decided_at: dt.datetime

    @classmethod
    def of(cls, row: RowMapping) -> Self:
        names = ("action", "reason", "decided_by", "decided_at")
        return cls(school=row["school_sourced_id"], **{name: row[name] for name in names})


class Decisions(Shape):
    items: list[DecisionOut]


@router.post("/imports/{import_id}/release", status_code=202, summary="Release what is held of the own school")
async def post_release(
    import_id: UUID, body: DecisionIn, principal: Importer, uow: Uow, language: Lang, response: Response
) -> ImportOut:
    """By the head or data officer of the school, with a reason. After the last held school the import is committed."""
    response.headers["Location"] = f"/sync/v1/imports/{import_id}"
    return await _decided(uow, principal, import_id, Decision.RELEASE, body, language, response)


@router.post("/imports/{import_id}/discard", summary="Discard what is held of the own school")
async def post_discard(
    import_id: UUID, body: DecisionIn, principal: Importer, uow: Uow, language: Lang, response: Response
) -> ImportOut:
    """By the head or data officer of the school, with a reason. Nothing of it is written; other schools go on."""
    return await _decided(uow, principal, import_id, Decision.DISCARD, body, language, response)


async def _decided(  # the two endpoints hand over what they were given
    uow: UnitOfWork,
    principal: Principal,
    import_id: UUID,
    decision: Decision,
    body: DecisionIn,
    language: Language,
    response: Response,
) -> ImportOut:
    row = await decide_import(uow, principal, import_id, decision, body.reason)
    await uow.session.flush()
    set_etag(response, row.version)
    return ImportOut.of(await queries.get_import(uow, principal, import_id), language)


@router.get("/imports/{import_id}/decisions", summary="Who released or discarded what, and why")
async def get_decisions(import_id: UUID, principal: Reader, uow: Uow) -> Decisions:
    """Oldest first; all of them are kept."""
    return Decisions(items=[DecisionOut.of(row) for row in await list_decisions(uow, principal, import_id)])
