"""Holding an import of too large a change, and letting the school release it."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import update

from services.sync.domain.brake import HoldReason
from services.sync.domain.import_state import State, Step, after
from services.sync.storage.imports import find_import, lock_import, viewer
from services.sync.storage.tables import Import, ImportSchool
from shared.auth import Principal
from shared.db.unit_of_work import UnitOfWork
from shared.errors import AppError, FieldError, Text, conflict, invalid, not_found

RELEASING_ROLES = ("head", "data_officer")
LONGEST_REASON = 1000


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
    `import.held`, `import.wrongState`, `role.missing`, `reason.missing`.
    """
    seen = await find_import(uow.session, import_id, viewer_of(principal))
    if seen is None:
        raise unknown_import()
    row = await lock_import(uow.session, import_id)
    assert row is not None
    state = State(row.state)
    if state is State.HELD and principal.kind == "user":
        await _release(uow, principal, row, reason)
    else:
        if not seen["is_whole"] and state is State.READY:
            principal.require_role(*RELEASING_ROLES)
        row.state = after(state, Step.COMMIT).value
    row.version += 1
    return row


async def _release(uow: UnitOfWork, principal: Principal, row: Import, reason: str | None) -> None:
    principal.require_role(*RELEASING_ROLES)
    given = (reason or "").strip()
    if not given or len(given) > LONGEST_REASON:
        raise _reason_missing()
    released = await uow.session.execute(
        update(ImportSchool)
        .where(ImportSchool.import_id == row.id, ImportSchool.held, ImportSchool.released_at.is_(None))
        .values(released_by=principal.subject, released_at=await uow.now(), release_reason=given)
        .returning(ImportSchool.school_sourced_id)
    )
    freed = set(released.scalars())
    if not freed:
        raise conflict(
            "import.heldElsewhere",
            vi="Phần của trường bạn không bị giữ; gói chờ trường khác mở.",
            en="Your school's part is not held; the import waits for another school.",
        )
    # Row-level security hides other schools here: what still waits is known from the reasons, which name all of them.
    waiting = [each for each in row.hold_reasons if each["school"] not in freed and not each.get("released")]
    row.hold_reasons = [each | {"released": True} if each["school"] in freed else each for each in row.hold_reasons]
    if not waiting:
        row.state = after(State(row.state), Step.RELEASE).value


def viewer_of(principal: Principal) -> dict[str, Any]:
    return viewer(principal.client_id, principal.subject, person=principal.kind == "user")


def unknown_import() -> AppError:
    return not_found("import.unknown", vi="Không có gói này.", en="There is no such import.")


def _reason_missing() -> AppError:
    text = Text(
        f"Nêu lý do mở (1 đến {LONGEST_REASON} ký tự).",
        f"Give the reason for the release (1 to {LONGEST_REASON} characters).",
    )
    return invalid("reason.missing", vi=text.vi, en=text.en, errors=[FieldError("/reason", "reason.missing", text)])
