"""The city's panel: nominations, appointments, proposals, appraisals, decisions."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.materials.api.deps import IfMatch, MaterialId, Number, Position, Store
from services.materials.api.panel_schemas import (
    AppointmentIn,
    AppraisalIn,
    AskedOut,
    BoardOut,
    DecisionIn,
    Level,
    MemberIn,
    MemberOut,
    NominationIn,
    ProposalOut,
    QueueItemOut,
    ReviewerIn,
    RubricOut,
    SubmittedOut,
)
from services.materials.api.routes import FILE_RESPONSES, PREFIX, answer_file
from services.materials.api.schemas import MaterialSummaryOut
from services.materials.domain.appraisal import ProposalAction, ProposalState, rubrics
from services.materials.storage.panel import ProposalFilters
from services.materials.usecases import appraise, ask_reviewers, panel, panel_access, proposals
from services.materials.usecases.proposal_board import Board, seen_by
from services.materials.usecases.review_material import VersionCheck
from shared.auth import Principal
from shared.db.unit_of_work import UnitOfWork
from shared.http.etag import set_etag
from shared.http.idempotency import IdempotentRoute
from shared.http.paging import (
    Cursor,
    Limit,
    Page,
    bad_cursor,
    decode_cursor,
    decode_moment,
    encode_cursor,
    encode_moment,
)
from shared.http.unit_of_work import CurrentPrincipal, Uow

router = APIRouter(prefix=PREFIX, route_class=IdempotentRoute, tags=["panel"])


@router.post("/panel/nominations", status_code=201, summary="Nominate a reviewer")
async def nominate(body: NominationIn, principal: CurrentPrincipal, uow: Uow) -> MemberOut:
    """By the head of their school, for subjects and levels. The department appoints."""
    return MemberOut.from_row(await panel.nominate(uow, principal, body.to_nomination()))


@router.post("/panel/members", status_code=201, summary="Appoint a reviewer directly")
async def appoint_directly(body: MemberIn, principal: CurrentPrincipal, uow: Uow) -> MemberOut:
    """By the department, without a nomination."""
    row = await panel.appoint_directly(uow, principal, body.to_nomination(), body.to_appointment())
    return MemberOut.from_row(row)


@router.post("/panel/members/{member_id}/appoint", summary="Appoint a nominated reviewer")
async def appoint(member_id: UUID, body: AppointmentIn, principal: CurrentPrincipal, uow: Uow) -> MemberOut:
    """By the department, from a day on; proposals that lack reviewers are given to them within a minute."""
    return MemberOut.from_row(await panel.appoint(uow, principal, member_id, body.to_appointment()))


@router.post("/panel/members/{member_id}/end", summary="End a membership")
async def end_member(member_id: UUID, principal: CurrentPrincipal, uow: Uow) -> MemberOut:
    """They are asked no more."""
    return MemberOut.from_row(await panel.end(uow, principal, member_id))


@router.get("/panel/members", summary="Reviewers and nominations")
async def list_members(
    principal: CurrentPrincipal,
    uow: Uow,
    subject: Annotated[str | None, Query(max_length=64)] = None,
    waiting: Annotated[
        bool | None, Query(description="true: nominations only; false: those who serve today only.")
    ] = None,
    limit: Limit = 200,
) -> Page[MemberOut]:
    """For the department, newest first."""
    rows = await panel.list_members(uow, principal, subject=subject, waiting=waiting, limit=limit)
    return Page(items=[MemberOut.from_row(row) for row in rows], next=None)


@router.get("/panel/rubrics", summary="What an appraisal scores")
async def list_rubrics(principal: CurrentPrincipal) -> Page[RubricOut]:
    """The rubrics, with the maximum of each criterion."""
    principal.require_scope(panel.SCOPE)
    return Page(items=[RubricOut.from_rubric(rubric) for rubric in rubrics().values()], next=None)


@router.post("/materials/{material_id}/propose", status_code=201, summary="Propose a version to the city")
async def propose(
    material_id: MaterialId, principal: CurrentPrincipal, uow: Uow, response: Response, version: Number = None
) -> BoardOut:
    """By the head: a version with both steps. Two reviewers of other schools are asked at once."""
    board = await proposals.propose(uow, principal, material_id, version)
    response.headers["Location"] = f"{PREFIX}/proposals/{board.proposal.id}"
    return _shown(response, principal, board)


@router.get("/proposals", summary="What is before the panel")
async def list_proposals(
    principal: CurrentPrincipal,
    uow: Uow,
    state: ProposalState | None = None,
    subject: Annotated[str | None, Query(max_length=64)] = None,
    level: Level | None = None,
    school: Annotated[str | None, Query(max_length=255)] = None,
    overdue: Annotated[bool, Query(description="Only those with an appraisal whose time is over.")] = False,  # noqa: FBT002
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ProposalOut]:
    """Newest first: all for the department, their own school's for others."""
    key = decode_cursor(cursor, 1)
    filters = ProposalFilters(state=state, subject=subject, level=level, school=school, overdue=overdue)
    before = None if key is None else _uuid(key[0])
    boards, following = await proposals.list_boards(uow, principal, filters, before=before, limit=limit)
    items = [ProposalOut(**ProposalOut.values(board.proposal, board.lacking)) for board in boards]
    return Page(items=items, next=None if following is None else encode_cursor(str(following)))


@router.get("/proposals/{proposal_id}", summary="One proposal, with its appraisals")
async def read_proposal(proposal_id: UUID, principal: CurrentPrincipal, uow: Uow, response: Response) -> BoardOut:
    """The appraisals are there for those who decide, and for the school, without who made them, once it is decided."""
    principal.require_scope(panel.SCOPE)
    return _shown(response, principal, await panel_access.read_board(uow, principal, proposal_id))


@router.get("/proposals/{proposal_id}/version", summary="The version to decide on")
async def read_proposed(proposal_id: UUID, principal: CurrentPrincipal, uow: Uow) -> MaterialSummaryOut:
    """For its lead and the department, until it is decided: only this version of its school."""
    return MaterialSummaryOut.from_row(await panel_access.read_proposed(uow, principal, proposal_id))


@router.get(
    "/proposals/{proposal_id}/files/{position}",
    summary="Download a file of the version to decide on",
    response_class=Response,
    responses=FILE_RESPONSES,
)
async def download_proposed(
    proposal_id: UUID, position: Position, request: Request, principal: CurrentPrincipal, uow: Uow, store: Store
) -> Response:
    """As the files of a material."""
    held = await panel_access.read_proposed_file(uow, principal, proposal_id, position)
    return await answer_file(request, store, held)


@router.post("/proposals/{proposal_id}/reviewers", summary="Ask a reviewer of one's own choosing")
async def ask_by_hand(
    proposal_id: UUID, body: ReviewerIn, principal: CurrentPrincipal, uow: Uow, check: IfMatch, response: Response
) -> BoardOut:
    """By the lead, while one is lacking; by the same rules as the service chooses."""
    return _shown(response, principal, await ask_reviewers.ask_by_hand(uow, principal, proposal_id, body.person, check))


async def _decide(
    uow: UnitOfWork,
    who: Principal,
    proposal_id: UUID,
    action: ProposalAction,
    body: DecisionIn | None,
    check: VersionCheck,
    response: Response,
) -> BoardOut:
    reason = body.reason if body else None
    return _shown(response, who, await proposals.decide(uow, who, proposal_id, action, reason, check))


@router.post("/proposals/{proposal_id}/share", summary="Put it on the shared shelf")
async def share(
    proposal_id: UUID, principal: CurrentPrincipal, uow: Uow, check: IfMatch, response: Response
) -> BoardOut:
    """By the lead, after two independent appraisals. An earlier version of the material gives way."""
    return await _decide(uow, principal, proposal_id, ProposalAction.SHARE, None, check, response)


@router.post("/proposals/{proposal_id}/return", summary="Send it back to the school")
async def return_(
    proposal_id: UUID, body: DecisionIn, principal: CurrentPrincipal, uow: Uow, check: IfMatch, response: Response
) -> BoardOut:
    """By the lead, with a reason: a better version may be proposed."""
    return await _decide(uow, principal, proposal_id, ProposalAction.RETURN, body, check, response)


@router.post("/proposals/{proposal_id}/decline", summary="Decline it")
async def decline(
    proposal_id: UUID, body: DecisionIn, principal: CurrentPrincipal, uow: Uow, check: IfMatch, response: Response
) -> BoardOut:
    """By the lead, with a reason."""
    return await _decide(uow, principal, proposal_id, ProposalAction.DECLINE, body, check, response)


@router.post("/proposals/{proposal_id}/ask-again", summary="Ask one more reviewer")
async def ask_again(
    proposal_id: UUID, principal: CurrentPrincipal, uow: Uow, check: IfMatch, response: Response
) -> BoardOut:
    """By the lead, when the appraisals disagree."""
    return await _decide(uow, principal, proposal_id, ProposalAction.ASK_AGAIN, None, check, response)


@router.post("/proposals/{proposal_id}/withdraw", summary="Take it back, or down from the shelf")
async def withdraw(
    proposal_id: UUID, body: DecisionIn, principal: CurrentPrincipal, uow: Uow, check: IfMatch, response: Response
) -> BoardOut:
    """By the head of the school; by the department once it is shared. From the shelf only with a reason."""
    return await _decide(uow, principal, proposal_id, ProposalAction.WITHDRAW, body, check, response)


@router.get("/appraisal-queue", summary="What the caller was asked to appraise")
async def read_queue(
    principal: CurrentPrincipal, uow: Uow, limit: Limit = 50, cursor: Cursor = None
) -> Page[QueueItemOut]:
    """Earliest due first."""
    rows, following = await appraise.read_queue(uow, principal, after=decode_moment(cursor), limit=limit)
    items = [QueueItemOut.from_rows(asked, about) for asked, about in rows]
    return Page(items=items, next=encode_moment(following))


@router.get("/appraisals/{appraisal_id}", summary="The version to be appraised")
async def read_asked(appraisal_id: UUID, principal: CurrentPrincipal, uow: Uow) -> AskedOut:
    """Only this version of its school, only for who was asked, only while it is before the panel."""
    return AskedOut.from_asked(await appraise.read_asked(uow, principal, appraisal_id))


@router.get(
    "/appraisals/{appraisal_id}/files/{position}",
    summary="Download a file of the version to be appraised",
    response_class=Response,
    responses=FILE_RESPONSES,
)
async def download_asked(
    appraisal_id: UUID, position: Position, request: Request, principal: CurrentPrincipal, uow: Uow, store: Store
) -> Response:
    """As the files of a material."""
    return await answer_file(request, store, await appraise.read_asked_file(uow, principal, appraisal_id, position))


@router.post("/appraisals/{appraisal_id}/submit", summary="Submit an appraisal")
async def submit_appraisal(
    appraisal_id: UUID, body: AppraisalIn, principal: CurrentPrincipal, uow: Uow
) -> SubmittedOut:
    """Once and for all. With the last one asked for, the proposal waits for its lead."""
    asked = await appraise.submit(uow, principal, appraisal_id, body.to_said())
    shown = AskedOut.from_asked(asked)
    waiting, _ = await appraise.read_queue(uow, principal, after=None, limit=1)
    following = QueueItemOut.from_rows(*waiting[0]) if waiting else None
    return SubmittedOut(**dict(shown), next=following)


def _shown(response: Response, who: Principal, board: Board) -> BoardOut:
    set_etag(response, board.proposal.version)
    return BoardOut.from_seen(seen_by(board, who))


def _uuid(value: object) -> UUID:
    try:
        return UUID(str(value))
    except ValueError as failure:
        raise bad_cursor() from failure
