"""One reviewer of the city: what waits for them, the version they were asked about and nothing else, what they say."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from services.materials.domain.appraisal import (
    OPEN,
    ProposalAction,
    ProposalState,
    Recommendation,
    move,
    rubrics,
)
from services.materials.storage import materials, panel
from services.materials.storage.files import HeldFile
from services.materials.storage.materials import MaterialRecord
from services.materials.storage.panel_tables import Appraisal, Proposal
from services.materials.usecases.held_files import file_at
from services.materials.usecases.panel import SCOPE
from services.materials.usecases.proposal_board import tell
from shared.auth import Principal
from shared.db.scope import Scope
from shared.db.unit_of_work import UnitOfWork
from shared.errors import AppError, conflict, not_found

QueueKey = tuple[dt.datetime, UUID]


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody was asked, about which proposal, and the version itself."""

    appraisal: Appraisal
    proposal: Proposal
    record: MaterialRecord


@dataclass(frozen=True, slots=True)
class Said:
    """An appraisal: a score for every criterion of the rubric, remarks on some, a recommendation and why."""

    scores: Mapping[str, Decimal]
    remarks: Mapping[str, str]
    recommendation: Recommendation
    comment: str


async def read_queue(
    uow: UnitOfWork, who: Principal, *, after: QueueKey | None, limit: int
) -> tuple[list[tuple[Appraisal, Proposal]], QueueKey | None]:
    """What the caller was asked to appraise, earliest due first, and the key of the following page."""
    who.require_scope(SCOPE)
    found = list(await panel.queue(uow.session, who.subject, after=after, limit=limit + 1))
    shown = found[:limit]
    last = shown[-1][0] if len(found) > limit else None
    return shown, None if last is None else (last.due_at, last.id)


async def read_asked(uow: UnitOfWork, who: Principal, appraisal_id: UUID, *, lock: bool = False) -> Asked:
    """The version the caller was asked about, while it is before the panel. Raises `appraisal.unknown`.

    The assignment is found first; only then is the transaction's scope moved to the one school the version belongs to,
    and nothing but this version is read there.
    """
    who.require_scope(SCOPE)
    appraisal = await panel.appraisal(uow.session, appraisal_id, who.subject)
    if appraisal is None or appraisal.state not in {"assigned", "done"}:
        raise _unknown()
    proposal = await panel.proposal(uow.session, appraisal.proposal_id, lock=lock)
    # Who has come to the author's school since they were asked is no longer independent of it.
    if proposal is None or ProposalState(proposal.state) not in OPEN or proposal.school_sourced_id in who.orgs:
        raise _unknown()
    await uow.enter(Scope.of({proposal.school_sourced_id}))
    record = await materials.of_version(uow.session, proposal.version_id)
    if record is None:
        raise _unknown()
    return Asked(appraisal, proposal, record)


async def read_asked_file(uow: UnitOfWork, who: Principal, appraisal_id: UUID, position: int) -> HeldFile:
    asked = await read_asked(uow, who, appraisal_id)
    return file_at(asked.record.files, position)


async def submit(uow: UnitOfWork, who: Principal, appraisal_id: UUID, said: Said) -> Asked:
    """The caller's appraisal, once and for all; with the last one asked for, the proposal waits for its lead."""
    asked = await read_asked(uow, who, appraisal_id, lock=True)
    row, proposal = asked.appraisal, asked.proposal
    if row.state != "assigned":
        raise conflict(
            "appraisal.done", vi="Bạn đã gửi thẩm định này.", en="You have submitted this appraisal already."
        )
    rubrics()[proposal.rubric].check(said.scores, said.remarks)
    row.state, row.done_at = "done", await uow.now()
    row.scores = {code: str(score) for code, score in said.scores.items()}
    row.remarks = dict(said.remarks)
    row.recommendation, row.comment = said.recommendation.value, said.comment
    await uow.session.flush()
    everyone = (await panel.appraisals(uow.session, [proposal.id]))[proposal.id]
    done = sum(each.state == "done" for each in everyone)
    if done >= proposal.required and proposal.state == ProposalState.PROPOSED.value:
        after = move(ProposalState.PROPOSED, ProposalAction.APPRAISE, done=done, required=proposal.required)
        proposal.state, proposal.version = after.value, proposal.version + 1
        await uow.session.flush()
        await tell(uow, proposal, [])
    return asked


def _unknown() -> AppError:
    return not_found(
        "appraisal.unknown",
        vi="Không có phiếu thẩm định này, hoặc nó không còn chờ bạn.",
        en="There is no such appraisal, or it waits for you no longer.",
    )
