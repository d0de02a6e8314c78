"""A school proposes a version to the city, reviewers are asked, a lead decides, and the shelf holds what is shared."""

import datetime as dt
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, true

from services.materials.domain.appraisal import (
    CURRENT_RUBRIC,
    DAYS_TO_APPRAISE,
    MAX_REVIEWERS,
    OPEN,
    REQUIRED,
    ProposalAction,
    ProposalState,
    choose,
    level_of,
    move,
)
from services.materials.domain.catalogue import is_public
from services.materials.domain.policy import Task
from services.materials.domain.review import BOTH_STEPS, By, State
from services.materials.storage import materials, orgs, panel, shelf
from services.materials.storage.materials import MaterialRecord
from services.materials.storage.panel import ProposalFilters
from services.materials.storage.panel_tables import Appraisal, Proposal
from services.materials.usecases.grants import material_unknown, reader_of, require_member
from services.materials.usecases.panel import SCOPE, is_department
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
from shared.db.scope import EVERYTHING, Scope
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.errors import AppError, FieldError, Text, conflict, forbidden, invalid, not_found
from shared.ids import new_id
from shared.logs import logger

log = logger(__name__)

_ROUND = 200


async def propose(uow: UnitOfWork, who: Principal, material_id: UUID, number: int | None) -> Board:
    """The head, or who decides for the head, proposes a version that has both steps; reviewers are asked at once."""
    who.require_scope(SCOPE)
    record = await materials.find(uow.session, material_id, await reader_of(uow, who), number=number, lock=True)
    if record is None:
        raise material_unknown()
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
    return await _ask(uow, row)


async def decide(
    uow: UnitOfWork, who: Principal, proposal_id: UUID, action: ProposalAction, reason: str | None, check: VersionCheck
) -> Board:
    """A lead shares, returns, declines, or asks one more reviewer; the school takes back, the department takes down."""
    who.require_scope(SCOPE)
    board = await read_board(uow, who, proposal_id, lock=True)
    row = board.proposal
    check(row.version)
    if action is ProposalAction.WITHDRAW:
        _require_withdrawer(who, row)
    else:
        await _require_lead(uow, who, row)
    after = move(ProposalState(row.state), action, done=len(board.done), required=row.required)
    _require_reason(action, reason, was=ProposalState(row.state))
    now = await uow.now()
    was, row.state, row.version = row.state, after.value, row.version + 1
    row.decided_by, row.decided_at, row.reason = who.subject, now, reason.strip() if reason else None
    if action is ProposalAction.SHARE:
        await _share(uow, board, now)
    elif action is ProposalAction.ASK_AGAIN:
        row.required = min(row.required + 1, MAX_REVIEWERS)
        return await _ask(uow, row)
    elif was == ProposalState.SHARED.value:
        await take_down(uow, row, now)
    release(board)
    await uow.session.flush()
    await tell(uow, row, [])
    return await board_of(uow, row)


async def read_board(uow: UnitOfWork, who: Principal, proposal_id: UUID, *, lock: bool = False) -> Board:
    """A proposal as the department, its panel's leads and its school may see it. Raises `proposal.unknown`."""
    row = await panel.proposal(uow.session, proposal_id, lock=lock)
    if row is None or not (is_department(who) or row.school_sourced_id in who.orgs or await _leads(uow, who, row)):
        raise proposal_unknown()
    return await board_of(uow, row)


async def list_boards(
    uow: UnitOfWork, who: Principal, filters: ProposalFilters, *, before: UUID | None, limit: int
) -> tuple[list[Board], UUID | None]:
    """Newest first: all of them for the department, those of the own school for others."""
    who.require_scope(SCOPE)
    visible: ColumnElement[bool] = true() if is_department(who) else Proposal.school_sourced_id.in_(who.orgs)
    found = await panel.proposals(uow.session, filters, visible, before=before, limit=limit + 1)
    shown = found[:limit]
    said = await panel.appraisals(uow.session, [row.id for row in shown])
    boards = [Board(row, said.get(row.id, [])) for row in shown]
    return boards, shown[-1].id if len(found) > limit else None


async def keep_panel(units: UnitsOfWork) -> int:
    """Replace reviewers whose time is over, and ask for proposals that lack some; how many proposals were touched.

    Safe to repeat: each proposal is looked at under its lock.
    """
    async with units.begin(EVERYTHING) as uow:
        late = await panel.overdue(uow.session, await uow.now(), limit=_ROUND)
        lacking = await panel.lacking(uow.session, limit=_ROUND)
    touched = 0
    for proposal_id in dict.fromkeys([*late, *lacking]):
        async with units.begin(EVERYTHING) as uow:
            touched += await _keep(uow, proposal_id)
    if touched:
        log.info("panel_kept", proposals=touched)
    return touched


async def _keep(uow: UnitOfWork, proposal_id: UUID) -> bool:
    row = await panel.proposal(uow.session, proposal_id, lock=True)
    assert row is not None
    if row.state != ProposalState.PROPOSED.value:
        return False
    now = await uow.now()
    board = await board_of(uow, row)
    late = [each for each in board.appraisals if each.state == "assigned" and each.due_at < now]
    for each in late:
        each.state = "overdue"
    await uow.session.flush()
    after = await _ask(uow, row)
    return bool(late) or len(after.appraisals) > len(board.appraisals)


async def _ask(uow: UnitOfWork, row: Proposal) -> Board:
    """Ask as many reviewers as the proposal lacks; it waits visibly when there are too few."""
    board = await board_of(uow, row)
    today = await orgs.today(uow.session)
    found = await panel.candidates(uow.session, row.subject, row.level, today)
    asked = {each.reviewer for each in board.appraisals}
    chosen = choose(found, school=row.school_sourced_id, authors=row.authors, asked=asked, count=board.lacking)
    now = await uow.now()
    for each in chosen:
        uow.session.add(
            Appraisal(
                id=new_id(),
                proposal_id=row.id,
                reviewer=each.person,
                reviewer_school=each.school,
                state="assigned",
                assigned_at=now,
                due_at=now + dt.timedelta(days=DAYS_TO_APPRAISE),
            )
        )
    await uow.session.flush()
    await tell(uow, row, [each.person for each in chosen])
    return await board_of(uow, row)


async def _share(uow: UnitOfWork, board: Board, now: dt.datetime) -> None:
    """Put the version on the shelf with the whole way it has come, in place of an earlier one of the material."""
    row = board.proposal
    for earlier in await panel.shared_before(uow.session, row.material_id):
        if earlier.id != row.id:
            earlier.state, earlier.version = ProposalState.REPLACED.value, earlier.version + 1
    await uow.enter(Scope.of({row.school_sourced_id}))
    record = await materials.of_version(uow.session, row.version_id)
    if record is None or record.version.withdrawn_at is not None:
        raise conflict("proposal.version_gone", vi="Phiên bản đã bị rút.", en="The version was withdrawn.")
    public = is_public(record.version.licence)
    await shelf.put(uow.session, record, _history(record, board, now), public=public, at=now)
    await tell_shelf(uow, row, shared=True, now=now)


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


async def _leads(uow: UnitOfWork, who: Principal, row: Proposal) -> bool:
    today = await orgs.today(uow.session)
    found = await panel.leads(uow.session, who.subject, row.subject, row.level, today)
    return found is not None and found.school_sourced_id != row.school_sourced_id


async def _require_lead(uow: UnitOfWork, who: Principal, row: Proposal) -> None:
    if who.subject in row.authors:
        raise forbidden(
            "review.own_work", vi="Không ai quyết định về học liệu của mình.", en="Nobody decides on their own work."
        )
    if not (is_department(who) or await _leads(uow, who, row)):
        raise forbidden(
            "panel.lead_only",
            vi="Việc này dành cho trưởng nhóm thẩm định hoặc cán bộ của Sở.",
            en="This is for the panel's lead or an officer of the department.",
        )


def _require_withdrawer(who: Principal, row: Proposal) -> None:
    if is_department(who) and row.state == ProposalState.SHARED.value:
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


def proposal_unknown() -> AppError:
    return not_found(
        "proposal.unknown",
        vi="Không có đề xuất này, hoặc bạn không được xem.",
        en="There is no such proposal, or you may not see it.",
    )
