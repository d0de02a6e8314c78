"""Merging provisional people into issued codes: history and enrollments follow, and the old code leads on."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import RowMapping

from services.sync.domain.gradebook_records import EVERY_TYPE
from services.sync.domain.import_state import State
from services.sync.domain.records import RecordType
from services.sync.domain.registry import PROVISIONAL
from services.sync.storage import difference, merges, single
from services.sync.storage.commit import RosterState, lock_roster, write_changes
from services.sync.storage.resolve import Staging
from services.sync.storage.tables import Import, ImportSchool
from services.sync.usecases.registry import require_department, require_reason
from shared.auth import Principal
from shared.db.unit_of_work import UnitOfWork
from shared.errors import Text, conflict, not_found
from shared.ids import new_id

MOST_AT_ONCE = 1000
REFUSALS: Mapping[str, Text] = {
    "registry.notProvisional": Text(
        "Mã cũ phải có dạng provisional:<khóa của nhà cung cấp>.", "The old code must be provisional:<vendor key>."
    ),
    "registry.notIssued": Text("Mã mới chưa có trong danh bạ mã được cấp.", "The new code is not among those issued."),
    "registry.otherKind": Text(
        "Mã mới được cấp cho loại người khác: người học chỉ nhận mã người học, nhân sự chỉ nhận mã nhân sự.",
        "The new code was issued to the other kind of people: a learner takes a learner's code, staff a staff code.",
    ),
    "registry.mergedElsewhere": Text(
        "Mã tạm này đã được gộp vào một mã khác.", "The provisional code was merged into another code already."
    ),
}


@dataclass(frozen=True, slots=True)
class Merged:
    """`state`: `merged`; `noted`, when nobody has the code yet; `known`, when it was so before; or `refused`."""

    provisional: str
    issued: str
    state: str
    schools: Sequence[str] = ()
    code: str | None = None


async def merge_people(
    uow: UnitOfWork, principal: Principal, pairs: Sequence[tuple[str, str]], reason: str
) -> list[Merged]:
    """Each pair by itself: one that is refused does not hinder the others.

    Raises `registry.notDepartment`, `reason.missing`.
    """
    await require_department(uow, principal)
    given = require_reason(reason)
    await merges.lock_merges(uow.session)
    return [await _merge(uow, principal, old, issued, given) for old, issued in pairs]


async def _merge(uow: UnitOfWork, principal: Principal, old: str, issued: str, reason: str) -> Merged:
    if not old.startswith(PROVISIONAL) or old == PROVISIONAL:
        return Merged(old, issued, "refused", code="registry.notProvisional")
    kinds = await merges.issued_kinds(uow.session, issued)
    if not kinds:
        return Merged(old, issued, "refused", code="registry.notIssued")
    known = await merges.issued_code(uow.session, old)
    if known is not None:
        same = known == issued
        return Merged(old, issued, "known" if same else "refused", code=None if same else "registry.mergedElsewhere")
    # A person nobody has is of no kind yet; the package that brings one is judged by the code it is led on to.
    if await merges.kind_of_person(uow.session, old) not in {None, *kinds}:
        return Merged(old, issued, "refused", code="registry.otherKind")
    schools = await merges.schools_of_person(uow.session, old)
    row = await _write(uow, principal, old, issued, schools) if schools else None
    now = await uow.now()
    await merges.keep_alias(
        uow.session, old, issued, None if row is None else row.id, reason=reason, who=principal.subject, now=now
    )
    return Merged(old, issued, "noted" if row is None else "merged", schools)


async def _write(uow: UnitOfWork, principal: Principal, old: str, issued: str, schools: list[str]) -> Import:
    """An import of its own, compared and written with its history as any other."""
    row = Import(
        id=new_id(),
        received_at=await uow.now(),
        client_id=principal.client_id,
        subject=principal.subject,
        orgs=sorted(principal.orgs),
        state=State.COMMITTED.value,
        lenient=False,
        auto_commit=True,
        oneroster_version="1.2",
        modes={record.file: "delta" for record in EVERY_TYPE},
        sha256=hashlib.sha256(f"{old}={issued}".encode()).hexdigest(),
        size_bytes=0,
        rows_done=1,
        rows_total=1,
        record=f"users/{old}",
    )
    states = {school: await lock_roster(uow.session, school) for school in schools}
    await merges.stage_merge(uow.session, row.id, old, issued)
    await write_at_once(uow, row, states, merges.TYPES)
    return row


async def write_at_once(
    uow: UnitOfWork, row: Import, states: Mapping[str, RosterState], types: tuple[RecordType, ...]
) -> Mapping[str, Mapping[str, int]]:
    """Write what is staged for the import at the schools of `states`, which are locked; answers what changed.

    All of them in this transaction, so that the code never leads to a person who is not there.
    """
    schools = list(states)
    area = Staging(uow.session, row.id, row.modes, lenient=False, schools=schools, types=types)
    await difference.find_changes(area, schools)
    changes = await difference.changes_by_type(area)
    now = max(state.next_commit(row.received_at) for state in states.values())
    row.state = State.COMMITTED.value
    row.validated_at = row.committed_at = now
    uow.session.add(row)
    await uow.session.flush()
    for school, state in states.items():
        await write_changes(uow.session, row.id, school, changes, now)
        part = ImportSchool(
            import_id=row.id,
            school_sourced_id=school,
            base_version=state.version,
            complete=False,
            counts={},
            committed_at=now,
        )
        uow.session.add(part)
        await uow.session.flush()
        await single.unseal(uow.session, row.id, school, received_at=row.received_at, now=now)
    await single.wipe(uow.session, row.id, types)
    return changes


async def take_back(uow: UnitOfWork, principal: Principal, old: str, reason: str) -> None:
    """Forget a merge that was only noted: from now on the code comes as it is.

    What packages brought under the issued code meanwhile stays there until they are sent again. Raises
    `registry.notDepartment`, `reason.missing`, `registry.mergeUnknown`, and `registry.mergeWritten` for one that was
    written at schools: undoing its import takes rows and code back together.
    """
    await require_department(uow, principal)
    given = require_reason(reason)
    await merges.lock_merges(uow.session)
    alias = await merges.find_alias(uow.session, old)
    if alias is None:
        raise not_found(
            "registry.mergeUnknown", vi="Mã tạm này chưa được gộp.", en="The provisional code was not merged."
        )
    if alias["import_id"] is not None:
        raise conflict(
            "registry.mergeWritten",
            vi="Việc gộp này đã ghi vào dữ liệu của trường. Hãy hoàn tác lần ghi đó: "
            f"POST /sync/v1/imports/{alias['import_id']}/revert.",
            en="The merge was written at schools already. Undo that import instead: "
            f"POST /sync/v1/imports/{alias['import_id']}/revert.",
            importId=str(alias["import_id"]),
        )
    await merges.forget_alias(uow.session, old, None, reason=given, who=principal.subject, now=await uow.now())


async def list_merges(uow: UnitOfWork, principal: Principal, after: str, limit: int) -> Sequence[RowMapping]:
    """Raises `registry.notDepartment`."""
    await require_department(uow, principal)
    return await merges.list_aliases(uow.session, after, limit)
