"""A proposal as it stands, who is told of it, and how it ends when its version is withdrawn."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from services.materials.domain.appraisal import OPEN, ProposalState, rubrics
from services.materials.storage import panel, shelf
from services.materials.storage.panel_tables import Appraisal, Proposal
from shared.auth import Principal
from shared.contracts.materials_v1 import ProposalMoved, ShelfChanged
from shared.db.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Board:
    """A proposal with all that was asked about it, in the order of asking."""

    proposal: Proposal
    appraisals: Sequence[Appraisal]

    @property
    def done(self) -> list[Appraisal]:
        return [each for each in self.appraisals if each.state == "done"]

    @property
    def lacking(self) -> int:
        """How many more people must be asked; more than none when the panel has too few."""
        asked = sum(each.state in {"assigned", "done"} for each in self.appraisals)
        return max(0, self.proposal.required - asked) if self.proposal.state == ProposalState.PROPOSED else 0

    @property
    def disagreements(self) -> list[str]:
        said = [(scores_of(each), each.recommendation or "") for each in self.done]
        return rubrics()[self.proposal.rubric].disagreements(said)


@dataclass(frozen=True, slots=True)
class Seen:
    """A proposal for one caller: the appraisals they may see, and whether with who made them."""

    board: Board
    appraisals: Sequence[Appraisal]
    named: bool

    @property
    def disagreements(self) -> list[str]:
        return self.board.disagreements if self.appraisals else []


def seen_by(board: Board, who: Principal) -> Seen:
    """What `who`, whom the proposal concerns, may see of it.

    Nobody sees another's appraisal before handing in their own, whatever else they are. The school sees what was said
    once it is decided, and never by whom.
    """
    ours = board.proposal.school_sourced_id in who.orgs
    still_asked = any(each.reviewer == who.subject and each.state == "assigned" for each in board.appraisals)
    if still_asked or (ours and ProposalState(board.proposal.state) in OPEN):
        return Seen(board, (), named=False)
    return Seen(board, board.done if ours else board.appraisals, named=not ours)


def scores_of(appraisal: Appraisal) -> Mapping[str, Decimal]:
    return {code: Decimal(value) for code, value in (appraisal.scores or {}).items()}


async def withdraw_with_version(uow: UnitOfWork, version_id: UUID) -> None:
    """A version its school withdraws goes from the panel's table and from the shelf as well: its rights are gone."""
    now = await uow.now()
    for row in await panel.of_version(uow.session, version_id):
        was, row.state, row.version = row.state, ProposalState.WITHDRAWN.value, row.version + 1
        if was == ProposalState.SHARED.value:
            await take_down(uow, row, now)
        release(await board_of(uow, row))
        await uow.session.flush()
        await tell(uow, row, [])


async def take_down(uow: UnitOfWork, row: Proposal, now: dt.datetime) -> None:
    if await shelf.withdraw(uow.session, row.material_id, at=now):
        await tell_shelf(uow, row, shared=False, now=now)


def release(board: Board) -> None:
    """Nobody is waited for once it is decided."""
    for each in board.appraisals:
        if each.state == "assigned":
            each.state = "released"


async def board_of(uow: UnitOfWork, row: Proposal) -> Board:
    return Board(row, (await panel.appraisals(uow.session, [row.id])).get(row.id, []))


async def tell(uow: UnitOfWork, row: Proposal, reviewers: Sequence[str]) -> None:
    event = ProposalMoved(
        proposal_id=row.id,
        material_id=row.material_id,
        version_id=row.version_id,
        version_number=row.number,
        school_sourced_id=row.school_sourced_id,
        subject=row.subject,
        level=row.level,
        state=row.state,
        reviewers=tuple(reviewers),
        at=await uow.now(),
    )
    await uow.emit(event, aggregate=f"proposal:{row.id}")


async def tell_shelf(uow: UnitOfWork, row: Proposal, *, shared: bool, now: dt.datetime) -> None:
    event = ShelfChanged(
        material_id=row.material_id,
        version_id=row.version_id,
        version_number=row.number,
        school_sourced_id=row.school_sourced_id,
        shared=shared,
        at=now,
    )
    await uow.emit(event, aggregate=f"shelf:{row.material_id}")
