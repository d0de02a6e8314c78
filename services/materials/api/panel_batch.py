"""Many decisions of the panel in one request."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import Field

from services.materials.api.routes import PREFIX
from services.materials.api.schemas import CLOSED, Shape, Words
from services.materials.domain.appraisal import ProposalAction
from services.materials.domain.review import REASON_MAX
from services.materials.usecases.decide_many import MAX_BATCH, Item, Outcome, decide_many
from services.materials.usecases.review_material import VersionCheck
from shared.errors import Language
from shared.http.etag import changed_since, etag_of
from shared.http.idempotency import IdempotentRoute
from shared.http.language import language_of
from shared.http.problems import problem_document, status_of
from shared.http.unit_of_work import CurrentPrincipal, Uow

router = APIRouter(prefix=PREFIX, route_class=IdempotentRoute, tags=["panel"])


class DecisionItemIn(Shape):
    model_config = CLOSED

    proposal_id: UUID
    etag: str | None = Field(default=None, max_length=64, description="As If-Match: refused when it has changed since.")


class DecisionBatchIn(Shape):
    model_config = CLOSED

    action: Literal["share", "return", "decline"]
    reason: Annotated[Words, Field(max_length=REASON_MAX)] | None = None
    items: list[DecisionItemIn] = Field(min_length=1, max_length=MAX_BATCH)


class DecisionItemOut(Shape):
    """What became of one item: `done` with the state it is in now, or `refused` with the problem."""

    proposal_id: UUID
    outcome: Literal["done", "refused"]
    state: str | None = None
    problem: dict[str, Any] | None = Field(default=None, description="As an RFC 9457 problem document.")


class DecisionBatchOut(Shape):
    done: int
    refused: int
    items: list[DecisionItemOut]


@router.post("/proposal-batches", summary="Decide on many proposals at once")
async def decide_on_many(
    body: DecisionBatchIn, principal: CurrentPrincipal, uow: Uow, request: Request
) -> DecisionBatchOut:
    """By a lead: each item succeeds or is refused by itself, and the answer says which and why."""
    items = [Item(each.proposal_id, _check_of(each)) for each in body.items]
    outcomes = await decide_many(uow, principal, ProposalAction(body.action), body.reason, items)
    language = language_of(request.headers.get("accept-language"))
    shown = [_outcome(each, language) for each in outcomes]
    done = sum(each.outcome == "done" for each in shown)
    return DecisionBatchOut(done=done, refused=len(shown) - done, items=shown)


def _check_of(item: DecisionItemIn) -> VersionCheck:
    def check(version: int) -> None:
        if item.etag is not None and item.etag != etag_of(version):
            raise changed_since(version)

    return check


def _outcome(outcome: Outcome, language: Language) -> DecisionItemOut:
    if outcome.error is not None:
        document = problem_document(outcome.error, status_of(outcome.error), language)
        return DecisionItemOut(proposal_id=outcome.proposal_id, outcome="refused", problem=document)
    assert outcome.board is not None
    return DecisionItemOut(proposal_id=outcome.proposal_id, outcome="done", state=outcome.board.proposal.state)
