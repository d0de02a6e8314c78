"""The review of one material, the caller's queue, decisions on many at once, remarks."""

import datetime as dt
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.materials.api.deps import IfMatch, MaterialId, Number
from services.materials.api.review_schemas import (
    BatchIn,
    BatchItemIn,
    BatchItemOut,
    BatchOut,
    CommentIn,
    CommentOut,
    DecidedOut,
    ReturnIn,
    WarningOut,
    WithdrawIn,
)
from services.materials.api.routes import PREFIX
from services.materials.api.schemas import MaterialOut, MaterialSummaryOut
from services.materials.domain.review import Action
from services.materials.usecases import comments, review_queue, warn
from services.materials.usecases.review_material import Decision, VersionCheck
from services.materials.usecases.review_queue import Item, Outcome, QueueKey
from shared.auth import Principal
from shared.db.unit_of_work import UnitOfWork
from shared.errors import Language
from shared.http.etag import changed_since, etag_of, set_etag
from shared.http.idempotency import IdempotentRoute
from shared.http.language import language_of
from shared.http.paging import Cursor, Limit, Page, bad_cursor, decode_cursor, encode_cursor
from shared.http.problems import problem_document, status_of
from shared.http.unit_of_work import CurrentPrincipal, Uow

router = APIRouter(prefix=PREFIX, route_class=IdempotentRoute, tags=["review"])

WantsNext = Annotated[
    bool, Query(alias="next", description="Answer the following item of the caller's review queue as well.")
]


async def _decide(
    uow: UnitOfWork,
    who: Principal,
    material_id: UUID,
    decision: Decision,
    check: VersionCheck,
    response: Response,
    *,
    wants_next: bool = False,
) -> DecidedOut:
    record, key = await review_queue.decide_one(uow, who, Item(material_id, decision, check))
    following = await review_queue.next_after(uow, who, key) if wants_next else None
    set_etag(response, record.material.version)
    shown = MaterialOut.from_row(record)
    return DecidedOut(**dict(shown), next=None if following is None else MaterialSummaryOut.from_row(following))


@router.post("/materials/{material_id}/submit", summary="Hand in for review")
async def submit(
    material_id: MaterialId, principal: CurrentPrincipal, uow: Uow, check: IfMatch, response: Response
) -> DecidedOut:
    """The author hands it to the subject group, for the first time or after a return. From now on it is immutable."""
    return await _decide(uow, principal, material_id, Decision(Action.SUBMIT), check, response)


@router.post("/materials/{material_id}/confirm", summary="Confirm a step of the school's own")
async def confirm(
    material_id: MaterialId,
    principal: CurrentPrincipal,
    uow: Uow,
    check: IfMatch,
    response: Response,
    wants_next: WantsNext = False,  # noqa: FBT002  # a query parameter
) -> DecidedOut:
    """The step the school inserted before the group's or the head's; by whom it names."""
    decision = Decision(Action.CONFIRM)
    return await _decide(uow, principal, material_id, decision, check, response, wants_next=wants_next)


@router.post("/materials/{material_id}/pass", summary="Pass, by the subject group")
async def pass_(
    material_id: MaterialId,
    principal: CurrentPrincipal,
    uow: Uow,
    check: IfMatch,
    response: Response,
    wants_next: WantsNext = False,  # noqa: FBT002  # a query parameter
) -> DecidedOut:
    """The first step: passed by the lead of the subject's group."""
    decision = Decision(Action.PASS)
    return await _decide(uow, principal, material_id, decision, check, response, wants_next=wants_next)


@router.post("/materials/{material_id}/approve", summary="Approve, by the head")
async def approve(
    material_id: MaterialId,
    principal: CurrentPrincipal,
    uow: Uow,
    check: IfMatch,
    response: Response,
    wants_next: WantsNext = False,  # noqa: FBT002  # a query parameter
) -> DecidedOut:
    """The second step, by the head or for the head. It publishes at once unless the school said otherwise."""
    decision = Decision(Action.APPROVE)
    return await _decide(uow, principal, material_id, decision, check, response, wants_next=wants_next)


@router.post("/materials/{material_id}/publish", summary="Put an approved version into use")
async def publish(
    material_id: MaterialId,
    principal: CurrentPrincipal,
    uow: Uow,
    check: IfMatch,
    response: Response,
    version: Number = None,
) -> DecidedOut:
    """From now on the school uses this version; `version` names an earlier one to go back to it."""
    return await _decide(uow, principal, material_id, Decision(Action.PUBLISH, number=version), check, response)


@router.post("/materials/{material_id}/return", summary="Send back with a reason")
async def return_(
    material_id: MaterialId,
    body: ReturnIn,
    principal: CurrentPrincipal,
    uow: Uow,
    check: IfMatch,
    response: Response,
    wants_next: WantsNext = False,  # noqa: FBT002  # a query parameter
) -> DecidedOut:
    """Back to the author with a reason: by the subject group when submitted, by the head when passed."""
    decision = Decision(Action.RETURN, reason=body.reason)
    return await _decide(uow, principal, material_id, decision, check, response, wants_next=wants_next)


@router.post("/materials/{material_id}/withdraw", summary="Take a version out")
async def withdraw(
    material_id: MaterialId,
    body: WithdrawIn,
    principal: CurrentPrincipal,
    uow: Uow,
    check: IfMatch,
    response: Response,
    version: Number = None,
) -> DecidedOut:
    """By its author before it is approved, by the head afterwards and then with a reason. A tombstone stays."""
    decision = Decision(Action.WITHDRAW, reason=body.reason, number=version)
    return await _decide(uow, principal, material_id, decision, check, response)


@router.get("/review-queue", summary="What waits for the caller's decision")
async def read_queue(
    principal: CurrentPrincipal, uow: Uow, limit: Limit = 50, cursor: Cursor = None
) -> Page[MaterialSummaryOut]:
    """Versions whose next decision is the caller's, longest waiting first."""
    found, following = await review_queue.read_queue(uow, principal, after=_key_of(cursor), limit=limit)
    after = None if following is None else encode_cursor(following[0].isoformat(), str(following[1]))
    return Page(items=[MaterialSummaryOut.from_row(record) for record in found], next=after)


@router.post("/review-batches", summary="Decide on many materials at once")
async def decide_many(body: BatchIn, principal: CurrentPrincipal, uow: Uow, request: Request) -> BatchOut:
    """One decision for many: each item succeeds or is refused by itself, and the answer says which and why."""
    decision = Decision(Action(body.action), reason=body.reason)
    items = [Item(each.material_id, decision, _check_of(each)) for each in body.items]
    language = language_of(request.headers.get("accept-language"))
    outcomes = await review_queue.decide_many(uow, principal, items)
    shown = [_outcome(each, language) for each in outcomes]
    done = sum(each.outcome == "done" for each in shown)
    return BatchOut(done=done, refused=len(shown) - done, items=shown)


@router.get("/materials/{material_id}/warnings", summary="What to know before deciding")
async def list_warnings(
    material_id: MaterialId, principal: CurrentPrincipal, uow: Uow, version: Number = None
) -> Page[WarningOut]:
    """Missing rights, what looks like personal data, the same file or text elsewhere, files not scanned."""
    found = await warn.read_warnings(uow, principal, material_id, number=version)
    return Page(items=[WarningOut.from_warned(each) for each in found], next=None)


@router.get("/materials/{material_id}/comments", summary="Remarks on a version")
async def list_comments(
    material_id: MaterialId,
    principal: CurrentPrincipal,
    uow: Uow,
    version: Number = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[CommentOut]:
    """Oldest first; of the version the caller is shown, or of `version`."""
    after = decode_cursor(cursor, 1)
    key = None if after is None else _uuid(after[0])
    rows, following = await comments.list_comments(uow, principal, material_id, number=version, after=key, limit=limit)
    shown = [CommentOut.from_row(row) for row in rows]
    return Page(items=shown, next=None if following is None else encode_cursor(str(following)))


@router.post("/materials/{material_id}/comments", status_code=201, summary="Remark on a version")
async def add_comment(
    material_id: MaterialId, body: CommentIn, principal: CurrentPrincipal, uow: Uow, version: Number = None
) -> CommentOut:
    """On the version as a whole, or on one of its files and a place in it. Remarks stay as they are."""
    row = await comments.add_comment(
        uow, principal, material_id, words=body.text, number=version, position=body.position, place=body.place
    )
    return CommentOut.from_row(row)


def _check_of(item: BatchItemIn) -> VersionCheck:
    def check(version: int) -> None:
        if item.etag is not None and item.etag != etag_of(version):
            raise changed_since(version)

    return check


def _outcome(outcome: Outcome, language: Language) -> BatchItemOut:
    if outcome.error is not None:
        document = problem_document(outcome.error, status_of(outcome.error), language)
        return BatchItemOut(material_id=outcome.material_id, outcome="refused", problem=document)
    assert outcome.record is not None
    return BatchItemOut(material_id=outcome.material_id, outcome="done", state=outcome.record.version.state)


def _key_of(cursor: str | None) -> QueueKey | None:
    key = decode_cursor(cursor, 2)
    if key is None:
        return None
    try:
        return dt.datetime.fromisoformat(key[0]), _uuid(key[1])
    except (ValueError, TypeError) as failure:
        raise bad_cursor() from failure


def _uuid(value: object) -> UUID:
    try:
        return UUID(str(value))
    except ValueError as failure:
        raise bad_cursor() from failure
