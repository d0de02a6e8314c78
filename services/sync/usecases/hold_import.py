"""Holding an import of too large a change, and letting the school release or discard it."""

import datetime as dt
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, update

from services.sync.domain.brake import HoldReason
from services.sync.domain.import_state import State, Step, after
from services.sync.storage.imports import decisions_of, find_import, lock_import, parts_left, undecided_since, viewer
from services.sync.storage.staging import wipe_staging
from services.sync.storage.tables import Import, ImportDecision, ImportSchool
from services.sync.usecases.scope import scope_of
from shared.auth import Principal
from shared.db.scope import EVERYTHING
from shared.db.unit_of_work import UnitOfWork
from shared.errors import AppError, FieldError, Text, conflict, invalid, not_found

RELEASING_ROLES = ("head", "data_officer")
LONGEST_REASON = 1000


class Decision(StrEnum):
    RELEASE = "release"
    DISCARD = "discard"


_DECIDED = {Decision.RELEASE: "released", Decision.DISCARD: "discarded"}


async def hold_schools(uow: UnitOfWork, row: Import, reasons: Iterable[HoldReason]) -> None:
    """Mark the schools the brake stopped; earlier reasons of other schools stay."""
    found = list(reasons)
    schools = {reason.school for reason in found}
    kept = [reason for reason in row.hold_reasons if reason["school"] not in schools]
    row.hold_reasons = [*kept, *(reason.as_json() for reason in found)]
    await uow.session.execute(
        update(ImportSchool)
        .where(ImportSchool.import_id == row.id, ImportSchool.school_sourced_id.in_(schools))
        .values(held=True, released_by=None, released_at=None, release_reason=None)
    )


async def commit_import(uow: UnitOfWork, principal: Principal, import_id: UUID, reason: str | None) -> Import:
    """Commit what is ready; for what is held, a head or data officer of the school releases it with a reason.

    A package of several schools goes on when every held school has been released. Raises `import.unknown`,
    `import.held`, `import.dryRun`, `import.wrongState`, `role.missing`, `reason.missing`.
    """
    seen = await find_import(uow.session, import_id, viewer_of(principal))
    if seen is None:
        raise unknown_import()
    row = await lock_import(uow.session, import_id)
    assert row is not None
    _require_counting(row)
    state = State(row.state)
    if state is State.HELD and principal.kind == "user":
        await _decide(uow, principal, row, Decision.RELEASE, reason)
    else:
        if not seen["is_whole"] and state is State.READY:
            principal.require_role(*RELEASING_ROLES)
        row.state = after(state, Step.COMMIT).value
    row.version += 1
    return row


async def decide_import(
    uow: UnitOfWork, principal: Principal, import_id: UUID, decision: Decision, reason: str | None
) -> Import:
    """Release or discard what is held of the caller's school; the rest of the package waits for its own schools.

    When every held school has decided, what is left to write is committed; nothing left: the import is `discarded`.
    Raises `import.unknown`, `import.held` (to a vendor: says who can), `import.wrongState`, `import.heldElsewhere`,
    `role.missing`, `reason.missing`.
    """
    if await find_import(uow.session, import_id, viewer_of(principal)) is None:
        raise unknown_import()
    row = await lock_import(uow.session, import_id)
    assert row is not None
    _require_counting(row)
    if principal.kind != "user" or row.state != State.HELD:
        # A vendor is told who can; a state that waits for nobody says so.
        after(State(row.state), Step.COMMIT if row.state == State.HELD else Step.RELEASE)
    await _decide(uow, principal, row, decision, reason)
    row.version += 1
    return row


async def expire_undecided(uow: UnitOfWork, before: dt.datetime) -> int:
    """Discard imports that have waited for a commit or a decision since `before`; answers how many."""
    found = await undecided_since(uow.session, before)
    for row in found:
        row.state = after(State(row.state), Step.EXPIRE).value
        row.version += 1
        await wipe_staging(uow.session, row.id)
    return len(found)


def _require_counting(row: Import) -> None:
    if row.dry_run:
        raise conflict(
            "import.dryRun",
            vi="Gói này chỉ chạy thử (dryRun=true) nên không bao giờ được ghi. Gửi lại gói không có dryRun.",
            en="This import is a dry run and is never committed. Send the package again without dryRun.",
        )


async def _decide(uow: UnitOfWork, principal: Principal, row: Import, decision: Decision, reason: str | None) -> None:
    principal.require_role(*RELEASING_ROLES)
    given = require_reason(reason)
    now = await uow.now()
    values = (
        {"released_by": principal.subject, "released_at": now, "release_reason": given}
        if decision is Decision.RELEASE
        else {"discarded_at": now}
    )
    decided = await uow.session.execute(
        update(ImportSchool)
        .where(
            ImportSchool.import_id == row.id,
            ImportSchool.held,
            ImportSchool.released_at.is_(None),
            ImportSchool.discarded_at.is_(None),
        )
        .values(values)
        .returning(ImportSchool.school_sourced_id)
    )
    schools = set(decided.scalars())
    if not schools:
        raise conflict(
            "import.heldElsewhere",
            vi="Phần của trường bạn không bị giữ; gói chờ trường khác quyết định.",
            en="Your school's part is not held; the import waits for another school.",
        )
    for school in sorted(schools):
        uow.session.add(
            ImportDecision(
                import_id=row.id,
                school_sourced_id=school,
                action=decision.value,
                reason=given,
                decided_by=principal.subject,
                decided_at=now,
            )
        )
    await uow.session.flush()
    await _go_on(uow, principal, row, schools, decision)


async def _go_on(uow: UnitOfWork, principal: Principal, row: Import, schools: set[str], decision: Decision) -> None:
    """Mark the reasons as decided; after the last of them the import goes on, or ends when nothing is left of it."""
    # Row-level security hides other schools here: what still waits is known from the reasons, which name all of them.
    row.hold_reasons = [
        each | {_DECIDED[decision]: True} if each["school"] in schools else each for each in row.hold_reasons
    ]
    if not all(each.get("released") or each.get("discarded") for each in row.hold_reasons):
        return
    await uow.enter(EVERYTHING)
    left = await parts_left(uow.session, row.id)
    step = Step.RELEASE if left else Step.DISCARD
    row.state = after(State(row.state), step).value
    if step is Step.DISCARD:
        await wipe_staging(uow.session, row.id)
    await uow.session.flush()
    await uow.enter(await scope_of(uow, principal))


async def list_decisions(uow: UnitOfWork, principal: Principal, import_id: UUID) -> Sequence[RowMapping]:
    """Every decision about the schools in scope, oldest first. Raises `import.unknown`."""
    if await find_import(uow.session, import_id, viewer_of(principal)) is None:
        raise unknown_import()
    return await decisions_of(uow.session, import_id)


def viewer_of(principal: Principal) -> dict[str, Any]:
    return viewer(principal.client_id, principal.subject, person=principal.kind == "user")


def unknown_import() -> AppError:
    return not_found("import.unknown", vi="Không có gói này.", en="There is no such import.")


def require_reason(reason: str | None) -> str:
    """The reason without blanks around it. Raises `reason.missing`."""
    given = (reason or "").strip()
    if not given or len(given) > LONGEST_REASON:
        raise _reason_missing()
    return given


def _reason_missing() -> AppError:
    text = Text(
        f"Nêu lý do (1 đến {LONGEST_REASON} ký tự).",
        f"Give the reason (1 to {LONGEST_REASON} characters).",
    )
    return invalid("reason.missing", vi=text.vi, en=text.en, errors=[FieldError("/reason", "reason.missing", text)])
