"""What waits for one person's decision, in order, and many decisions at once."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.materials.domain.review import Action
from services.materials.storage import materials, review
from services.materials.storage.materials import MaterialRecord
from services.materials.usecases.grants import reader_of
from services.materials.usecases.review_material import Decision, VersionCheck, act, person_at
from shared.auth import Principal
from shared.db.unit_of_work import UnitOfWork
from shared.errors import AppError, invalid

MAX_BATCH = 200
QueueKey = tuple[dt.datetime, UUID]


@dataclass(frozen=True, slots=True)
class Item:
    """One decision of a batch; `check` is the caller's idea of the row's version."""

    material_id: UUID
    decision: Decision
    check: VersionCheck


def key_of(record: MaterialRecord) -> QueueKey | None:
    """Where a material stands in the queue, None when it waits for nobody."""
    since = record.version.waiting_since
    return None if since is None else (since, record.version.id)


async def read_queue(
    uow: UnitOfWork, who: Principal, *, after: QueueKey | None, limit: int
) -> tuple[list[MaterialRecord], QueueKey | None]:
    """Versions whose next decision is the caller's, longest waiting first, and the key of the following page.

    One school's people see that school's; somebody named for several schools sees them as one queue.
    """
    who.require_scope("materials.review")
    reader = await reader_of(uow, who)
    turns = []
    for school in sorted(who.orgs):
        person = await person_at(uow, who, school)
        turns.append(review.turn_at(school, person.roles, person.duties, person.subject))
    if not turns:
        return [], None
    turn = review.any_of(turns)
    found = await materials.queue_page(uow.session, reader, turn, after=after, limit=limit + 1)
    shown = found[:limit]
    return shown, key_of(shown[-1]) if len(found) > limit else None


async def decide_one(uow: UnitOfWork, who: Principal, item: Item) -> tuple[MaterialRecord, QueueKey | None]:
    """One decision, and where the version stood in the queue before it."""
    decided = await act(uow, who, item.material_id, item.decision, item.check)
    since = decided.waited_since
    return decided.record, None if since is None else (since, decided.record.version.id)


async def next_after(uow: UnitOfWork, who: Principal, key: QueueKey | None) -> MaterialRecord | None:
    """The item that follows the one just decided; from the front again when it was the last."""
    for start in (key, None):
        found, _ = await read_queue(uow, who, after=start, limit=1)
        if found:
            return found[0]
        if start is None:
            break
    return None


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one item: the record as it now is, or why nothing was changed."""

    material_id: UUID
    record: MaterialRecord | None
    error: AppError | None


_IN_BATCHES = frozenset({Action.CONFIRM, Action.PASS, Action.APPROVE, Action.PUBLISH, Action.RETURN})


async def decide_many(uow: UnitOfWork, who: Principal, items: Sequence[Item]) -> list[Outcome]:
    """Each item by itself: one that is refused changes nothing and the others go on. At most `MAX_BATCH`."""
    who.require_scope("materials.review")
    if len(items) > MAX_BATCH or {item.decision.action for item in items} - _IN_BATCHES:
        raise invalid(
            "batch.invalid",
            vi=f"Một lần quyết định được nhiều nhất {MAX_BATCH} học liệu.",
            en=f"A batch decides on at most {MAX_BATCH} materials.",
            maxItems=MAX_BATCH,
        )
    # Rows are locked in one order whatever the caller's, so that two batches never wait for each other in a circle.
    outcomes = {
        item.material_id: await _one(uow, who, item) for item in sorted(items, key=lambda each: each.material_id)
    }
    return [outcomes[item.material_id] for item in items]


async def _one(uow: UnitOfWork, who: Principal, item: Item) -> Outcome:
    try:
        async with uow.session.begin_nested():
            record, _ = await decide_one(uow, who, item)
    except AppError as error:
        return Outcome(item.material_id, None, error)
    return Outcome(item.material_id, record, None)
