"""Undoing an import: the newest commit of its schools is taken back by a new import that writes the inverse."""

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from services.sync.domain.brake import hold_reasons
from services.sync.domain.gradebook_records import EVERY_TYPE
from services.sync.domain.import_state import State, Step, after
from services.sync.storage import difference, merges
from services.sync.storage.commit import lock_roster
from services.sync.storage.imports import lock_import
from services.sync.storage.resolve import Staging
from services.sync.storage.revert import overtaken, stage_inverse, take_schools, written_schools
from services.sync.storage.tables import Import, ImportDecision
from services.sync.usecases.hold_import import RELEASING_ROLES, hold_schools, require_reason, unknown_import
from services.sync.usecases.merge_people import write_at_once
from services.sync.usecases.queries import get_import
from services.sync.usecases.registry import require_department
from shared.auth import Principal
from shared.db.unit_of_work import UnitOfWork
from shared.errors import conflict
from shared.ids import new_id


async def revert_import(uow: UnitOfWork, principal: Principal, import_id: UUID, reason: str) -> Import:
    """Undo what `import_id` committed, for every school of it in the caller's scope; answers the new import.

    A head or data officer of the school, or who sent the import. The new one has a receipt and a difference of its
    own and commits by itself; too large a change is held like any other unless the school itself undoes it. A merge of
    people is the department's to undo (`_undo_merge`). Raises `import.unknown`, `import.wrongState`,
    `import.notNewest`, `role.missing`, `registry.notDepartment`, `reason.missing`.
    """
    seen = await get_import(uow, principal, import_id)
    if await merges.merge_of(uow.session, import_id) is not None:
        return await _undo_merge(uow, principal, import_id, require_reason(reason))
    if principal.kind == "user":
        principal.require_role(*RELEASING_ROLES)
    elif not seen.is_whole:
        raise unknown_import()
    given = require_reason(reason)
    first = await lock_import(uow.session, import_id)
    assert first is not None
    _check_state(first)
    _check_newest(await overtaken(uow.session, import_id))
    now = await uow.now()
    row = _inverse_of(first, principal, now)
    uow.session.add(row)
    await uow.session.flush()
    schools = await take_schools(uow.session, first.id, row.id)
    if not schools:
        raise unknown_import()
    for school in schools:
        uow.session.add(_decision(row, school, principal, given, now))
    await _compare(uow, row, first, schools, is_school=principal.kind == "user")
    await uow.session.flush()
    await uow.session.refresh(row)
    return row


async def _undo_merge(uow: UnitOfWork, principal: Principal, import_id: UUID, reason: str) -> Import:
    """Take a merge back, or the taking back of one: by the department, at every school of it, in this transaction.

    That two codes are one person is said once, for all schools: the old code must lead to the same person in every
    package and every read. So one school cannot end it for the others, and no part of it can wait for a worker or be
    held: rows and code go back together or not at all. Raises `registry.notDepartment`, `role.missing`,
    `import.wrongState`, `import.notNewest`.
    """
    await require_department(uow, principal)
    await merges.lock_merges(uow.session)
    first = await lock_import(uow.session, import_id)
    assert first is not None
    _check_state(first)
    schools = await written_schools(uow.session, import_id)
    states = {school: await lock_roster(uow.session, school) for school in schools}
    _check_newest(await overtaken(uow.session, import_id))
    # Only now: one who undid it while we waited wrote to its schools, and was found there.
    merge = await merges.merge_of(uow.session, import_id)
    assert merge is not None
    now = await uow.now()
    row = _inverse_of(first, principal, now)
    staged = await stage_inverse(uow.session, import_id, row.id, schools)
    row.counts = _counts(staged, await write_at_once(uow, row, states, EVERY_TYPE))
    row.rows_done = row.rows_total = sum(staged.values())
    for school in schools:
        uow.session.add(_decision(row, school, principal, reason, now))
    if merge["stands"]:
        await merges.forget_alias(
            uow.session, merge["sourced_id"], row.id, reason=reason, who=principal.subject, now=now
        )
    else:
        await merges.restore_alias(uow.session, import_id, row.id)
    await uow.session.flush()
    await uow.session.refresh(row)
    return row


def _check_state(first: Import) -> None:
    if first.state == State.COMMITTED:
        return
    raise conflict(
        "import.wrongState",
        vi=f"Gói đang ở trạng thái {first.state}; chỉ gói đã ghi xong mới hoàn tác được.",
        en=f"The import is {first.state}; only a committed one can be undone.",
        state=first.state,
    )


def _check_newest(schools: Sequence[str]) -> None:
    if not schools:
        return
    raise conflict(
        "import.notNewest",
        vi="Sau gói này trường đã có lần ghi mới hơn; chỉ hoàn tác được lần ghi mới nhất. Hãy hoàn tác lần mới nhất "
        "trước, hoặc gửi gói mới với dữ liệu đúng.",
        en="A newer import was committed for the school; only the newest can be undone. Undo that one first, or send a "
        "new package with the right data.",
        schools=list(schools[:50]),
    )


def _inverse_of(first: Import, principal: Principal, now: dt.datetime) -> Import:
    """Nothing was uploaded, hence size 0; the hash is that of the package that is undone."""
    return Import(
        id=new_id(),
        received_at=now,
        client_id=principal.client_id,
        subject=principal.subject,
        orgs=sorted(principal.orgs),
        state=State.VALIDATING.value,
        lenient=False,
        auto_commit=True,
        oneroster_version="1.2",
        modes={record.file: "delta" for record in EVERY_TYPE},
        sha256=first.sha256,
        size_bytes=0,
        validated_at=now,
        revert_of=first.id,
    )


def _decision(row: Import, school: str, principal: Principal, reason: str, now: dt.datetime) -> ImportDecision:
    return ImportDecision(
        import_id=row.id,
        school_sourced_id=school,
        action="revert",
        reason=reason,
        decided_by=principal.subject,
        decided_at=now,
    )


async def _compare(uow: UnitOfWork, row: Import, first: Import, schools: list[str], *, is_school: bool) -> None:
    staged = await stage_inverse(uow.session, first.id, row.id, schools)
    area = Staging(uow.session, row.id, row.modes, lenient=False, schools=schools)
    differences = await difference.compare(area, schools)
    await difference.store_counts(area, differences)
    row.counts = _counts(staged, await difference.changes_by_type(area))
    row.rows_done = row.rows_total = sum(staged.values())
    state = State(row.state)
    reasons = [] if is_school else hold_reasons(differences)
    if reasons:
        row.state = after(state, Step.HOLD).value
        await hold_schools(uow, row, reasons)
    else:
        row.state = after(after(state, Step.PASS), Step.COMMIT).value


def _counts(staged: dict[str, int], changes: Any) -> dict[str, Any]:
    return {
        name: {"read": rows, "accepted": rows, "refused": 0, "dropped": 0, "repaired": 0}
        | {action: changes.get(name, {}).get(action, 0) for action in ("added", "changed", "removed")}
        for name, rows in staged.items()
    }
