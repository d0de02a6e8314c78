"""Whom a proposal concerns, who decides on it, and how its lead comes to read the one version it is about."""

from uuid import UUID

from services.materials.domain.appraisal import OPEN, ProposalState
from services.materials.storage import materials, orgs, panel
from services.materials.storage.files import HeldFile
from services.materials.storage.materials import MaterialRecord
from services.materials.storage.panel_tables import Proposal
from services.materials.usecases.held_files import file_at
from services.materials.usecases.panel import SCOPE, is_department
from services.materials.usecases.proposal_board import Board, board_of
from shared.auth import Principal
from shared.db.scope import Scope
from shared.db.unit_of_work import UnitOfWork
from shared.errors import AppError, conflict, forbidden, not_found


async def read_board(uow: UnitOfWork, who: Principal, proposal_id: UUID, *, lock: bool = False) -> Board:
    """A proposal for the people it concerns: the department, its lead, its school. Raises `proposal.unknown`."""
    row = await panel.proposal(uow.session, proposal_id, lock=lock)
    if row is None or who.kind != "user" or not (row.school_sourced_id in who.orgs or await _decides(uow, who, row)):
        raise proposal_unknown()
    return await board_of(uow, row)


async def require_lead(uow: UnitOfWork, who: Principal, board: Board) -> None:
    """Raise unless the caller decides on this proposal and has no other part in it."""
    if who.subject in board.proposal.authors:
        raise forbidden(
            "review.own_work", vi="Không ai quyết định về học liệu của mình.", en="Nobody decides on their own work."
        )
    if any(each.reviewer == who.subject and each.state in {"assigned", "done"} for each in board.appraisals):
        raise forbidden(
            "panel.decides_on_own",
            vi="Người thẩm định không quyết định về chính học liệu đó.",
            en="Whoever appraises it does not decide on it as well.",
        )
    if not await _decides(uow, who, board.proposal):
        raise forbidden(
            "panel.lead_only",
            vi="Việc này dành cho trưởng nhóm thẩm định hoặc cán bộ của Sở.",
            en="This is for the panel's lead or an officer of the department.",
        )


async def read_proposed(uow: UnitOfWork, who: Principal, proposal_id: UUID) -> MaterialRecord:
    """The very version a lead has to decide on, until it is decided. Raises `proposal.unknown`.

    The seat is found first; only then is the transaction's scope moved to the one school the version belongs to, and
    nothing but this version is read there.
    """
    who.require_scope(SCOPE)
    row = await panel.proposal(uow.session, proposal_id)
    if row is None or ProposalState(row.state) not in OPEN or not await _decides(uow, who, row):
        raise proposal_unknown()
    await uow.enter(Scope.of({row.school_sourced_id}))
    record = await materials.of_version(uow.session, row.version_id)
    if record is None:
        raise proposal_unknown()
    return record


async def read_proposed_file(uow: UnitOfWork, who: Principal, proposal_id: UUID, position: int) -> HeldFile:
    record = await read_proposed(uow, who, proposal_id)
    return file_at(record.files, position)


async def _decides(uow: UnitOfWork, who: Principal, row: Proposal) -> bool:
    if who.kind != "user":
        return False
    if await is_department(uow, who):
        return True
    return await panel.leads(uow.session, row.id, who.subject, who.orgs, await orgs.today(uow.session))


def asked_enough(most: int) -> AppError:
    return conflict(
        "proposal.asked_enough",
        vi=f"Học liệu này đã có đủ {most} người thẩm định.",
        en=f"This material has all its {most} reviewers.",
        max=most,
    )


def proposal_unknown() -> AppError:
    return not_found(
        "proposal.unknown",
        vi="Không có đề xuất này, hoặc bạn không được xem.",
        en="There is no such proposal, or you may not see it.",
    )
