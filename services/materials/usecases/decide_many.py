"""A lead decides on many proposals at once, with an outcome for each."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.materials.domain.appraisal import ProposalAction
from services.materials.usecases.grants import scope_of
from services.materials.usecases.panel import SCOPE
from services.materials.usecases.proposal_board import Board
from services.materials.usecases.proposals import decide
from services.materials.usecases.review_material import VersionCheck
from shared.auth import Principal
from shared.db.unit_of_work import UnitOfWork
from shared.errors import AppError, invalid

MAX_BATCH = 100


@dataclass(frozen=True, slots=True)
class Item:
    """One proposal of a batch; `check` is the caller's idea of its version."""

    proposal_id: UUID
    check: VersionCheck


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one item: the proposal as it now is, or why nothing was changed."""

    proposal_id: UUID
    board: Board | None
    error: AppError | None


async def decide_many(
    uow: UnitOfWork, who: Principal, action: ProposalAction, reason: str | None, items: Sequence[Item]
) -> list[Outcome]:
    """Each item by itself: one that is refused changes nothing and the others go on. At most `MAX_BATCH`."""
    who.require_scope(SCOPE)
    if len({item.proposal_id for item in items}) != len(items) or len(items) > MAX_BATCH:
        raise invalid(
            "batch.invalid",
            vi=f"Một lần quyết định được nhiều nhất {MAX_BATCH} đề xuất, mỗi đề xuất một lần.",
            en=f"A batch decides on at most {MAX_BATCH} proposals, each of them once.",
            maxItems=MAX_BATCH,
        )
    # Rows are locked in one order whatever the caller's, so that two batches never wait for each other in a circle.
    ordered = sorted(items, key=lambda item: item.proposal_id)
    outcomes = {item.proposal_id: await _one(uow, who, action, reason, item) for item in ordered}
    return [outcomes[item.proposal_id] for item in items]


async def _one(uow: UnitOfWork, who: Principal, action: ProposalAction, reason: str | None, item: Item) -> Outcome:
    try:
        async with uow.session.begin_nested():
            board = await decide(uow, who, item.proposal_id, action, reason, item.check)
            # Sharing has moved the transaction into the school of this version; the next one begins as the caller.
            await uow.enter(await scope_of(uow, who))
    except AppError as error:
        return Outcome(item.proposal_id, None, error)
    return Outcome(item.proposal_id, board, None)
