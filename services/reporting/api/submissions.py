"""Submissions: read, fill in, certify and submit, return, accept."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.reporting.api.submission_documents import SubmissionLineOut, SubmissionOut, ValuesIn
from services.reporting.api.wire import (
    MANAGE,
    READ,
    WRITE,
    ReasonIn,
    SourcedId,
    id_cursor,
    problems,
    version_check,
)
from services.reporting.domain.submissions import State
from services.reporting.storage.submissions import Filters
from services.reporting.usecases import queries
from services.reporting.usecases import work_on_submission as work
from shared.db.unit_of_work import UnitOfWork
from shared.http.etag import set_etag
from shared.http.idempotency import IdempotentRoute
from shared.http.paging import DEFAULT_LIMIT, Cursor, Limit, Page, encode_cursor
from shared.http.unit_of_work import CurrentPrincipal, Uow

router = APIRouter(prefix="/reporting/v1", route_class=IdempotentRoute, tags=["submissions"])


@router.get("/submissions", summary="List submissions", responses=problems())
async def submissions(
    principal: CurrentPrincipal,
    uow: Uow,
    campaign: Annotated[UUID | None, Query(description="Of this campaign.")] = None,
    state: State | None = None,
    school: Annotated[SourcedId | None, Query(description="sourcedId of the school.")] = None,
    late: Annotated[bool | None, Query(description="Submitted late, or not.")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[SubmissionLineOut]:
    principal.require_scope(READ)
    filters = Filters(campaign, state, school, late)
    lines = await queries.list_submissions(uow, filters, id_cursor(cursor), limit + 1)
    following = encode_cursor(lines[limit - 1].row.id) if len(lines) > limit else None
    return Page(items=[SubmissionLineOut.of(line) for line in lines[:limit]], next=following)


@router.get("/submissions/{submission_id}", summary="One submission", responses=problems(404))
async def submission(submission_id: UUID, principal: CurrentPrincipal, uow: Uow, response: Response) -> SubmissionOut:
    """Every number with its origin, the deadline as this school sees it, and the history."""
    principal.require_scope(READ)
    return await _answer(uow, submission_id, response)


@router.patch(
    "/submissions/{submission_id}", summary="Fill in or correct values", responses=problems(404, 409, 412, 422, 428)
)
async def edit(
    submission_id: UUID,
    body: ValuesIn,
    principal: CurrentPrincipal,
    uow: Uow,
    request: Request,
    response: Response,
) -> SubmissionOut:
    """By the school's head or data officer, with `If-Match`. Overriding a prefilled number needs a reason."""
    principal.require_scope(WRITE)
    check = version_check(request, required=True)
    await work.edit_submission(uow, principal, submission_id, body.entries(), check)
    return await _answer(uow, submission_id, response)


@router.post(
    "/submissions/{submission_id}/submit", summary="Certify and submit", responses=problems(404, 409, 412, 422, 428)
)
async def submit(
    submission_id: UUID, principal: CurrentPrincipal, uow: Uow, request: Request, response: Response
) -> SubmissionOut:
    """By the school's head, with `If-Match`: what is certified is what was read. Late is accepted and marked late."""
    principal.require_scope(WRITE)
    await work.submit_submission(uow, principal, submission_id, version_check(request, required=True))
    return await _answer(uow, submission_id, response)


@router.post(
    "/submissions/{submission_id}/return", summary="Send back with a reason", responses=problems(404, 409, 412, 422)
)
async def send_back(
    submission_id: UUID,
    body: ReasonIn,
    principal: CurrentPrincipal,
    uow: Uow,
    request: Request,
    response: Response,
) -> SubmissionOut:
    """By an officer of a unit above the school. The numbers follow the sources again."""
    principal.require_scope(MANAGE)
    check = version_check(request, required=False)
    await work.return_submission(uow, principal, submission_id, reason=body.reason, check_version=check)
    return await _answer(uow, submission_id, response)


@router.post("/submissions/{submission_id}/accept", summary="Accept a submission", responses=problems(404, 409, 412))
async def accept(
    submission_id: UUID, principal: CurrentPrincipal, uow: Uow, request: Request, response: Response
) -> SubmissionOut:
    """By a department officer; `reporting.submission.accepted.v1` tells the others."""
    principal.require_scope(MANAGE)
    await work.accept_submission(uow, principal, submission_id, version_check(request, required=False))
    return await _answer(uow, submission_id, response)


async def _answer(uow: UnitOfWork, submission_id: UUID, response: Response) -> SubmissionOut:
    # Whatever the use case changed has to be written before the read that answers.
    await uow.session.flush()
    view = await queries.show_submission(uow, submission_id)
    set_etag(response, view.row.version)
    return SubmissionOut.of_view(view)
