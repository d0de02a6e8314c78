"""A school proposes a version to the city, reviewers are asked, a lead decides, and the shelf holds what is shared."""

import datetime as dt
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, false, or_, true

from services.materials.domain.appraisal import (
    CURRENT_RUBRIC,
    MAX_REVIEWERS,
    OPEN,
    REQUIRED,
    ProposalAction,
    ProposalState,
    level_of,
    move,
)
from services.materials.domain.licences import is_public
from services.materials.domain.policy import Task
from services.materials.domain.review import BOTH_STEPS, By, State
from services.materials.storage import materials, orgs, panel, shelf
from services.materials.storage.materials import MaterialRecord
from services.materials.storage.panel import ProposalFilters
from services.materials.storage.panel_tables import Proposal
from services.materials.usecases.ask_reviewers import ask
from services.materials.usecases.grants import material_unknown, reader_of, require_member
from services.materials.usecases.panel import SCOPE, is_department
from services.materials.usecases.panel_access import asked_enough, read_board, require_lead
from services.materials.usecases.proposal_board import (
    Board,
    board_of,
    release,
    scores_of,
    take_down,
    tell,
    tell_shelf,
)
from services.materials.usecases.review_material import VersionCheck, person_at, work_of
from shared.auth import Principal
from shared.db.scope import Scope
from shared.db.unit_of_work import UnitOfWork
from shared.errors import FieldError, Text, conflict, invalid
from shared.failpoints import failpoint
from shared.ids import new_id
from shared.logs import logger

log = logger(__name__)

_ROUND = 200


async def propose(uow: UnitOfWork, who: Principal, material_id: UUID, number: int | None) -> Board:
    """The head, or who decides for the head, proposes a version that has both steps; reviewers are asked at once.

    Without a `number` it is the newest with both steps, whatever the school has begun since.
    """
    who.require_scope(SCOPE)
    record = await _wanted(uow, who, material_id, number)
    await _require_head(uow, who, record)
    version = record.version
    if State(version.state) not in BOTH_STEPS or not record.files:
        raise conflict(
            "proposal.not_approved",
            vi="Chỉ đề xuất được phiên bản đã được tổ chuyên môn thông qua và hiệu trưởng phê duyệt.",
            en="Only a version that was passed by the group and approved by the head can be proposed.",
            state=version.state,
        )
    await _refuse_second(uow, version.id, material_id)
    row = Proposal(
        id=new_id(),
        material_id=material_id,
        version_id=version.id,
        school_sourced_id=version.school_sourced_id,
        number=version.number,
        title=version.title,
        subject=version.subject,
        level=level_of(version.grades),
        authors=sorted(work_of(version).authors),
        state=ProposalState.PROPOSED.value,
        rubric=CURRENT_RUBRIC,
        required=REQUIRED,
        proposed_by=who.subject,
        proposed_at=await uow.now(),
        version=1,
    )
    uow.session.add(row)
    await uow.session.flush()
    asked = await ask(uow, row)
    await tell(uow, row, asked)
    return await board_of(uow, row)


async def decide(
    uow: UnitOfWork, who: Principal, proposal_id: UUID, action: ProposalAction, reason: str | None, check: VersionCheck
) -> Board:
    """A lead shares, returns, declines, or asks one more reviewer; the school takes back, the department takes down."""
    who.require_scope(SCOPE)
    board = await read_board(uow, who, proposal_id, lock=True)
    row = board.proposal
    check(row.version)
    if action is ProposalAction.WITHDRAW:
        await _require_withdrawer(uow, who, row)
    else:
        await require_lead(uow, who, board)
    if action is ProposalAction.ASK_AGAIN and row.required >= MAX_REVIEWERS:
        raise asked_enough(MAX_REVIEWERS)
    after = move(ProposalState(row.state), action, done=len(board.done), required=row.required)
    _require_reason(action, reason, was=ProposalState(row.state))
    now = await uow.now()
    if action is ProposalAction.SHARE:
        await _replace_earlier(uow, row)
    was, row.state, row.version = row.state, after.value, row.version + 1
    row.decided_by, row.decided_at, row.reason = who.subject, now, reason.strip() if reason else None
    if action is ProposalAction.SHARE:
        await _share(uow, board, now)
    elif action is ProposalAction.ASK_AGAIN:
        row.required += 1
        await tell(uow, row, await ask(uow, row))
        return await board_of(uow, row)
    elif was == ProposalState.SHARED.value:
        await take_down(uow, row, now)
    release(board)
    await uow.session.flush()
    await tell(uow, row, [])
    return await board_of(uow, row)


async def list_boards(
    uow: UnitOfWork, who: Principal, filters: ProposalFilters, *, before: UUID | None, limit: int
) -> tuple[list[Board], UUID | None]:
    """Newest first: all of them for the department, for others those they lead and those of the own school."""
    who.require_scope(SCOPE)
    found = await panel.proposals(uow.session, filters, await _visible(uow, who), before=before, limit=limit + 1)
    shown = found[:limit]
    said = await panel.appraisals(uow.session, [row.id for row in shown])
    boards = [Board(row, said.get(row.id, [])) for row in shown]
    return boards, shown[-1].id if len(found) > limit else None


async def _visible(uow: UnitOfWork, who: Principal) -> ColumnElement[bool]:
    if who.kind != "user":
        return false()
    if await is_department(uow, who):
        return true()
    led = panel.led_by(who.subject, who.orgs, await orgs.today(uow.session))
    return or_(Proposal.school_sourced_id.in_(sorted(who.orgs)), led)


async def _wanted(uow: UnitOfWork, who: Principal, material_id: UUID, number: int | None) -> MaterialRecord:
    reader = await reader_of(uow, who)
    record = await materials.find(uow.session, material_id, reader, number=number, lock=True)
    approved = record.material.approved_number if record and number is None else None
    if record is not None and approved is not None and approved != record.version.number:
        record = await materials.find(uow.session, material_id, reader, number=approved)
    if record is None:
        raise material_unknown()
    return record


async def _replace_earlier(uow: UnitOfWork, row: Proposal) -> None:
    """What stands on the shelf of this material makes room first: one of its proposals is shared at any moment."""
    for earlier in await panel.shared_before(uow.session, row.material_id):
        earlier.state, earlier.version = ProposalState.REPLACED.value, earlier.version + 1
        await uow.session.flush()
        await tell(uow, earlier, [])


async def _share(uow: UnitOfWork, board: Board, now: dt.datetime) -> None:
    """Put the version on the shelf with the whole way it has come."""
    row = board.proposal
    await uow.enter(Scope.of({row.school_sourced_id}))
    record = await materials.of_version(uow.session, row.version_id)
    if record is None or record.version.withdrawn_at is not None:
        raise conflict("proposal.version_gone", vi="Phiên bản đã bị rút.", en="The version was withdrawn.")
    public = is_public(record.version.licence)
    await shelf.put(uow.session, record, _history(record, board, now), public=public, at=now)
    await tell_shelf(uow, row, shared=True, now=now)
    failpoint("materials.proposal.shared")


def _history(record: MaterialRecord, board: Board, now: dt.datetime) -> list[dict[str, Any]]:
    """The way of the version, without persons and remarks: the shelf is read by the whole city, and by the world."""
    school = [
        {
            "place": "school",
            "action": step.action,
            "fromState": step.from_state,
            "toState": step.to_state,
            "at": step.at.isoformat(),
        }
        for step in record.steps
    ]
    said = [
        {
            "place": "city",
            "action": "appraise",
            "recommendation": each.recommendation,
            "score": str(sum(scores_of(each).values(), Decimal(0))),
            "rubric": board.proposal.rubric,
            "at": each.done_at.isoformat() if each.done_at else None,
        }
        for each in board.done
    ]
    return [
        *school,
        {"place": "city", "action": "propose", "at": board.proposal.proposed_at.isoformat()},
        *said,
        {"place": "city", "action": "share", "at": now.isoformat()},
    ]


async def _require_head(uow: UnitOfWork, who: Principal, record: MaterialRecord) -> None:
    school = record.material.school_sourced_id
    require_member(who, school)
    person = await person_at(uow, who, school)
    if By.HEAD.value not in person.roles and not person.holds(
        Task.APPROVE, record.version.subject, record.version.grades
    ):
        who.require_role(By.HEAD.value)


async def _refuse_second(uow: UnitOfWork, version_id: UUID, material_id: UUID) -> None:
    standing = await panel.standing(uow.session, material_id)
    if any(ProposalState(each.state) in OPEN or each.version_id == version_id for each in standing):
        raise conflict(
            "proposal.exists",
            vi="Học liệu này đang được thẩm định, hoặc phiên bản này đã ở kho dùng chung.",
            en="This material is being appraised, or this very version is on the shared shelf.",
        )


async def _require_withdrawer(uow: UnitOfWork, who: Principal, row: Proposal) -> None:
    if row.state == ProposalState.SHARED.value and await is_department(uow, who):
        return
    require_member(who, row.school_sourced_id)
    who.require_role(By.HEAD.value)


def _require_reason(action: ProposalAction, reason: str | None, *, was: ProposalState) -> None:
    needed = action in {ProposalAction.RETURN, ProposalAction.DECLINE} or (
        action is ProposalAction.WITHDRAW and was is ProposalState.SHARED
    )
    if needed and not (reason and reason.strip()):
        fault = FieldError("/reason", "field.missing", Text("Phải nêu lý do.", "A reason is needed."))
        raise invalid(
            "review.reason_missing", vi="Quyết định này phải nêu lý do.", en="This needs a reason.", errors=[fault]
        )
