"""`/sync/v1/registry/merges`: provisional people get their issued code."""

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from services.sync.api.deps import Lang
from services.sync.api.registry import Keeper
from services.sync.api.schemas import Closed, Shape, SourcedId
from services.sync.usecases import merge_people
from services.sync.usecases.merge_people import MOST_AT_ONCE, REFUSALS, Merged
from services.sync.usecases.registry import LONGEST_REASON
from shared.errors import Language
from shared.http.idempotency import IdempotentRoute
from shared.http.paging import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, encode_cursor
from shared.http.unit_of_work import Uow

router = APIRouter(prefix="/sync/v1", route_class=IdempotentRoute, tags=["registry"])


class Pair(Closed):
    provisional: SourcedId
    issued: SourcedId


class MergesIn(Closed):
    items: Annotated[list[Pair], Field(min_length=1, max_length=MOST_AT_ONCE)]
    reason: str = Field(min_length=1, max_length=LONGEST_REASON)


class MergedOut(Shape):
    """`noted`: nobody has the code yet, a package that brings it is led on; `known`: it was so before."""

    provisional: str
    issued: str
    state: Literal["merged", "noted", "known", "refused"]
    schools: list[str]
    code: str | None
    message: str | None

    @classmethod
    def of(cls, merged: Merged, language: Language) -> "MergedOut":
        return cls(
            provisional=merged.provisional,
            issued=merged.issued,
            state=merged.state,
            schools=list(merged.schools),
            code=merged.code,
            message=None if merged.code is None else REFUSALS[merged.code].of(language),
        )


class MergesOut(Shape):
    items: list[MergedOut]


class TakenBackIn(Closed):
    reason: str = Field(min_length=1, max_length=LONGEST_REASON)


class MergeShown(Shape):
    provisional: str
    issued: str
    import_id: UUID | None = Field(
        description="The import that wrote it: its diff shows what followed. None: nobody had the code."
    )
    reason: str
    merged_by: str
    merged_at: dt.datetime


@router.post("/registry/merges", summary="Merge provisional people into issued codes")
async def post_merges(body: MergesIn, principal: Keeper, uow: Uow, language: Lang) -> MergesOut:
    """Roles, enrollments, marks, birth dates follow; the old code answers with the new record. The department only."""
    pairs = [(each.provisional, each.issued) for each in body.items]
    done = await merge_people.merge_people(uow, principal, pairs, body.reason)
    return MergesOut(items=[MergedOut.of(each, language) for each in done])


@router.get("/registry/merges", summary="Which issued code a provisional one became")
async def get_merges(
    principal: Keeper, uow: Uow, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[MergeShown]:
    key = decode_cursor(cursor, 1)
    rows = await merge_people.list_merges(uow, principal, "" if key is None else str(key[0]), limit + 1)
    more = encode_cursor(rows[limit - 1]["sourced_id"]) if len(rows) > limit else None
    names = ("issued", "import_id", "reason", "merged_by", "merged_at")
    items = [MergeShown(provisional=row["sourced_id"], **{name: row[name] for name in names}) for row in rows[:limit]]
    return Page[MergeShown](items=items, next=more)


# The code may hold a slash.
@router.post("/registry/merges/{provisional:path}/revert", status_code=204, summary="Take back a merge only noted")
async def post_revert_merge(provisional: str, body: TakenBackIn, principal: Keeper, uow: Uow) -> None:
    """For one nobody had the code of; one that was written at schools is undone by its import (`409`)."""
    await merge_people.take_back(uow, principal, provisional, body.reason)
