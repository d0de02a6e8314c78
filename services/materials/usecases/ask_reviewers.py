"""Reviewers are asked: when a version is proposed, by a lead, and again when one is late or was lacking."""

import datetime as dt
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from services.materials.domain.appraisal import Candidate, ProposalState, choose, rubrics
from services.materials.storage import orgs, panel
from services.materials.storage.panel_tables import Appraisal, Proposal
from services.materials.usecases.panel import SCOPE
from services.materials.usecases.panel_access import asked_enough, read_board, require_lead
from services.materials.usecases.proposal_board import Board, board_of, tell
from services.materials.usecases.review_material import VersionCheck
from shared.auth import Principal
from shared.db.scope import EVERYTHING
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.errors import FieldError, Text, invalid
from shared.ids import new_id
from shared.logs import logger

log = logger(__name__)

_ROUND = 200
Listing = Callable[[UnitOfWork, UUID | None], Awaitable[Sequence[UUID]]]


async def ask(uow: UnitOfWork, row: Proposal) -> list[str]:
    """Ask as many reviewers as the proposal lacks, and say whom; it waits visibly when there are too few."""
    board = await board_of(uow, row)
    if board.lacking == 0:
        return []
    chosen = await _suitable(uow, board, count=board.lacking)
    for each in chosen:
        await _give(uow, row, each)
    return [each.person for each in chosen]


async def ask_by_hand(uow: UnitOfWork, who: Principal, proposal_id: UUID, person: str, check: VersionCheck) -> Board:
    """A lead asks somebody of their own choosing, while one is lacking; the rules are those of the service's choice."""
    who.require_scope(SCOPE)
    board = await read_board(uow, who, proposal_id, lock=True)
    row = board.proposal
    check(row.version)
    await require_lead(uow, who, board)
    if board.lacking == 0:
        raise asked_enough(row.required)
    suitable = {each.person: each for each in await _suitable(uow, board, count=None)}
    if person not in suitable:
        fault = FieldError("/person", "field.invalid", Text("Người này không phù hợp.", "They are not suitable."))
        raise invalid(
            "reviewer.unsuitable",
            vi="Cần người trong hội đồng của môn và cấp này, khác trường với tác giả và chưa được giao học liệu này.",
            en="It takes somebody of this panel, of another school than the author's, who was not asked before.",
            errors=[fault],
        )
    await _give(uow, row, suitable[person])
    row.version += 1
    await uow.session.flush()
    await tell(uow, row, [person])
    return await board_of(uow, row)


async def keep_panel(units: UnitsOfWork) -> int:
    """Replace reviewers whose time is over, and ask for proposals that lack some; how many proposals were touched.

    Safe to repeat: each proposal is looked at under its lock, in a transaction of its own. All of them are looked at,
    so that those nobody can be found for keep none from their reviewers.
    """
    touched = 0
    for listing in (_late, _lacking):
        after: UUID | None = None
        while True:
            async with units.begin(EVERYTHING) as uow:
                found = await listing(uow, after)
            for proposal_id in found:
                async with units.begin(EVERYTHING) as uow:
                    touched += await _keep(uow, proposal_id)
            if len(found) < _ROUND:
                break
            after = found[-1]
    if touched:
        log.info("panel_kept", proposals=touched)
    return touched


async def _late(uow: UnitOfWork, after: UUID | None) -> Sequence[UUID]:
    return await panel.overdue(uow.session, await uow.now(), after=after, limit=_ROUND)


async def _lacking(uow: UnitOfWork, after: UUID | None) -> Sequence[UUID]:
    return await panel.lacking(uow.session, after=after, limit=_ROUND)


async def _keep(uow: UnitOfWork, proposal_id: UUID) -> bool:
    row = await panel.proposal(uow.session, proposal_id, lock=True)
    assert row is not None
    if row.state != ProposalState.PROPOSED.value:
        return False
    now = await uow.now()
    late = [each for each in (await board_of(uow, row)).appraisals if each.state == "assigned" and each.due_at < now]
    for each in late:
        each.state = "overdue"
    await uow.session.flush()
    asked = await ask(uow, row)
    if not late and not asked:
        # Nothing has happened: waiting is no event.
        return False
    row.version += 1
    await uow.session.flush()
    await tell(uow, row, asked)
    return True


async def _suitable(uow: UnitOfWork, board: Board, *, count: int | None) -> list[Candidate]:
    row, today = board.proposal, await orgs.today(uow.session)
    school = row.school_sourced_id
    await panel.lock_loads(uow.session)
    found = await panel.candidates(uow.session, row.subject, row.level, today, school=school)
    asked = {each.reviewer for each in board.appraisals}
    return choose(found, school=school, authors=row.authors, asked=asked, count=len(found) if count is None else count)


async def _give(uow: UnitOfWork, row: Proposal, reviewer: Candidate) -> None:
    now = await uow.now()
    uow.session.add(
        Appraisal(
            id=new_id(),
            proposal_id=row.id,
            reviewer=reviewer.person,
            reviewer_school=reviewer.school,
            state="assigned",
            assigned_at=now,
            due_at=now + dt.timedelta(days=rubrics()[row.rubric].days),
        )
    )
    await uow.session.flush()
