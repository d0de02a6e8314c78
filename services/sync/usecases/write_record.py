"""One record written by itself: judged by the rules of a package, an import of its own, all in one transaction.

The roster's hash and counts are made a moment later (`usecases.seal_rosters`): they cost a look at the whole school.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from services.sync.domain.beside import BESIDE, BESIDE_OF
from services.sync.domain.gradebook_records import EVERY_TYPE
from services.sync.domain.import_state import State
from services.sync.domain.records import USER, RecordType
from services.sync.domain.staged import ACCEPTED, Staged
from services.sync.storage import difference, history, merges, registry, resolve, resolve_gradebook, single, staging
from services.sync.storage.commit import RosterState, lock_roster, write_changes
from services.sync.storage.tables import Import, ImportSchool
from services.sync.usecases.judge_record import Judged, judge, refuse
from services.sync.usecases.read_records import read_record
from services.sync.usecases.scope import registry_for
from shared.auth import Principal
from shared.db.scope import EVERYTHING
from shared.db.unit_of_work import UnitOfWork
from shared.errors import AppError, FieldError, Text, invalid, not_found, stale
from shared.ids import new_id

_NONE = dict.fromkeys(("added", "changed", "removed"), 0)
_MODES = {record.file: "absent" for record in EVERY_TYPE}


@dataclass(frozen=True, slots=True)
class Expected:
    """What the caller takes for granted: versions it read (If-Match), or that there is no record (If-None-Match: *)."""

    versions: frozenset[int] | None = None
    exists: bool | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """The record as it is now. `dropped` names the fields that were left at the door."""

    row: RowMapping
    is_new: bool
    dropped: tuple[str, ...] = ()


async def put_record(
    uow: UnitOfWork,
    principal: Principal,
    record: RecordType,
    sourced_id: str,
    given: Mapping[str, Any],
    *,
    school: str | None,
    expected: Expected,
    lenient: bool = False,
) -> Written:
    """Create or replace one record of one school; a record that says the same writes nothing.

    Raises `record.invalid` with every fault, `school.missing` when nothing tells whose record it is, `org.unknown`,
    `precondition.failed`.
    """
    registry_, schools = await registry_for(uow, principal.orgs)
    judged = judge(registry_, record, sourced_id, given, lenient=lenient)
    place = await _school_of(uow, record, sourced_id, judged.school, school, judged, schools)
    current = await _current(uow, record, sourced_id, place)
    _check(expected, current)
    if judged.ended:
        await _end(uow, principal, record, current)
        return Written(await read_record(uow, record, sourced_id, school=place, as_of=None), is_new=False)
    await uow.enter(EVERYTHING)
    rows = [replace(judged.staged, school=place), *await _beside(uow, sourced_id, place, judged)]
    if current is not None and _says_the_same(record, rows, current):
        return Written(current, is_new=False, dropped=judged.dropped)
    writing = await _begin(uow, principal, record, sourced_id, place, given)
    await _commit(uow, writing, rows)
    is_new = current is None or current["status"] != "active"
    row = await read_record(uow, record, sourced_id, school=place, as_of=None)
    return Written(row, is_new=is_new, dropped=judged.dropped)


async def delete_record(
    uow: UnitOfWork,
    principal: Principal,
    record: RecordType,
    sourced_id: str,
    *,
    school: str | None,
    expected: Expected,
) -> None:
    """End one record and what hangs on it; ending it again changes nothing.

    Raises `roster.unknown`, `school.missing`, `precondition.failed`.
    """
    _, schools = await registry_for(uow, principal.orgs)
    place = await _school_of(uow, record, sourced_id, None, school, None, schools)
    current = await _current(uow, record, sourced_id, place)
    _check(expected, current)
    await _end(uow, principal, record, current)


async def _end(uow: UnitOfWork, principal: Principal, record: RecordType, current: RowMapping | None) -> None:
    if current is None:
        raise not_found("roster.unknown", vi="Không có bản ghi này.", en="There is no such record.")
    if current["status"] != "active":
        return
    sourced_id, place = current["sourced_id"], current["school_sourced_id"]
    await uow.enter(EVERYTHING)
    writing = await _begin(uow, principal, record, sourced_id, place, {})
    await _commit(uow, writing, [Staged(record, 1, sourced_id, ACCEPTED, ended=True, school=place)])


async def _current(uow: UnitOfWork, record: RecordType, sourced_id: str, school: str) -> RowMapping | None:
    filters = {"sourced_id": sourced_id, "school_sourced_id": school}
    rows = await history.read_records(uow.session, record, filters, as_of=None, after=None, limit=1)
    return rows[0] if rows else None


async def _school_of(
    uow: UnitOfWork,
    record: RecordType,
    sourced_id: str,
    named: str | None,
    asked: str | None,
    judged: Judged | None,
    schools: Sequence[str],
) -> str:
    """Whose record it is: what it says, what the query says, who has it, where its parent is, the only school."""
    if asked is not None and asked not in schools:
        raise _unknown_school(asked)
    if named and asked is not None and named != asked:
        raise _unclear(
            "record.otherSchool",
            f"Bản ghi thuộc {named}, tham số school là {asked}.",
            f"The record belongs to {named}, the parameter school says {asked}.",
        )
    if named or asked:
        return str(named or asked)
    found = await single.schools_having(uow.session, record, sourced_id)
    if not found and judged is not None:
        found = await single.schools_of_parent(uow.session, record, judged.values)
    if not found and len(schools) == 1:
        found = list(schools)
    if len(found) == 1:
        return found[0]
    if not found and judged is None:
        raise not_found("roster.unknown", vi="Không có bản ghi này.", en="There is no such record.")
    raise _unclear(
        "school.missing",
        "Hãy nói bản ghi của trường nào bằng tham số school.",
        "Say with the parameter school which school's record it is.",
    )


def _unclear(code: str, vi: str, en: str) -> AppError:
    return invalid(code, vi=vi, en=en, errors=[FieldError("/school", code, Text(vi, en))])


def _unknown_school(school: str) -> AppError:
    return invalid("org.unknown", vi=f"Không có trường {school}.", en=f"There is no school {school}.")


def _check(expected: Expected, current: RowMapping | None) -> None:
    version = None if current is None else current["version"]
    if expected.exists is False and current is not None and current["status"] == "active":
        raise stale("precondition.failed", vi="Bản ghi này đã có.", en="The record exists already.")
    if expected.exists and current is None:
        raise stale("precondition.failed", vi="Chưa có bản ghi này.", en="The record does not exist yet.")
    if expected.versions is not None and version not in expected.versions:
        raise stale(
            "precondition.failed",
            vi="Bản ghi đã thay đổi sau lần đọc của bạn. Hãy đọc lại rồi gửi lại.",
            en="The record has changed since you read it. Read it again, then send again.",
            currentETag=None if version is None else f'"{version}"',
        )


def _says_the_same(record: RecordType, rows: Sequence[Staged], current: RowMapping) -> bool:
    """For a single row; roles that came along are compared by the database."""
    if len(rows) > 1 or current["status"] != "active":
        return False
    return rows[0].values == tuple(current[name] for name in record.columns)


async def _beside(uow: UnitOfWork, owner: str, school: str, judged: Judged) -> list[Staged]:
    """The rows of other types become those given: known ones keep their id, those left out end."""
    rows: list[Staged] = []
    for record, given in judged.beside.items():
        beside = BESIDE_OF[record]
        known = await single.rows_beside(uow.session, beside, owner, school)
        places = [record.columns.index(name) for name in beside.key]
        kept = set()
        for each in given:
            key = tuple(each.values[place] if each.values else None for place in places)
            sourced_id = known.get(key) or beside.new_id(owner, school, key)
            kept.add(sourced_id)
            rows.append(replace(each, sourced_id=sourced_id, school=school))
        gone = (sourced_id for sourced_id in known.values() if sourced_id not in kept)
        rows += [Staged(record, 1, sourced_id, ACCEPTED, ended=True, school=school) for sourced_id in gone]
    return rows


@dataclass(frozen=True, slots=True)
class _Writing:
    import_: Import
    school: str
    record: RecordType

    @property
    def id(self) -> UUID:
        return self.import_.id


async def _begin(
    uow: UnitOfWork, principal: Principal, record: RecordType, sourced_id: str, school: str, given: Mapping[str, Any]
) -> _Writing:
    body = json.dumps(given, ensure_ascii=False, sort_keys=True).encode()
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
        modes=_MODES | {each.file: "delta" for each in (record, *(b.record for b in BESIDE if b.owner is record))},
        sha256=hashlib.sha256(body).hexdigest(),
        size_bytes=len(body),
        rows_done=1,
        rows_total=1,
        record=f"{record.file}/{sourced_id}",
    )
    return _Writing(row, school, record)


async def _commit(uow: UnitOfWork, writing: _Writing, rows: Sequence[Staged]) -> None:
    """As a package of these rows would be: staged, resolved, compared, written with its history."""
    types = tuple(record for record in EVERY_TYPE if any(row.record is record for row in rows))
    area = resolve.Staging(
        uow.session,
        writing.id,
        writing.import_.modes,
        lenient=False,
        schools=[writing.school],
        types=types,
        is_single=True,
    )
    state = await lock_roster(uow.session, writing.school)
    await staging.copy_staged(await uow.driver(), writing.id, rows)
    if not rows[0].ended:
        await _resolve(area)
        refuse(await single.problems_of(uow.session, writing.id))
    await difference.find_changes(area, [writing.school])
    await _store(uow, area, writing, state)
    await single.wipe(uow.session, writing.id, types)


async def _resolve(area: resolve.Staging) -> None:
    await merges.rename_staged(area)
    if USER in area.types:
        await registry.hold_unknown_people(area)
    await resolve.resolve(area)
    await resolve_gradebook.resolve(area)


async def _store(uow: UnitOfWork, area: resolve.Staging, writing: _Writing, state: RosterState) -> None:
    changes = await difference.changes_by_type(area)
    if not changes:
        return
    now = state.next_commit(await uow.now())
    await write_changes(uow.session, writing.id, writing.school, changes, now)
    row = writing.import_
    row.validated_at = row.committed_at = now
    row.counts = _counts(writing.record, changes)
    uow.session.add(row)
    await uow.session.flush()
    uow.session.add(_part(writing, state, changes, now))
    await uow.session.flush()
    await single.unseal(uow.session, writing.id, writing.school, received_at=row.received_at, now=now)


def _part(
    writing: _Writing, state: RosterState, changes: Mapping[str, Mapping[str, int]], now: dt.datetime
) -> ImportSchool:
    return ImportSchool(
        import_id=writing.id,
        school_sourced_id=writing.school,
        base_version=state.version,
        complete=False,
        counts={name: _NONE | dict(actions) for name, actions in changes.items()},
        committed_at=now,
    )


def _counts(record: RecordType, changes: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    names = sorted({record.file, *changes})
    return {
        name: {"read": int(name == record.file), "accepted": int(name == record.file)}
        | dict.fromkeys(("refused", "dropped", "repaired"), 0)
        | _NONE
        | dict(changes.get(name, {}))
        for name in names
    }


async def places_of(uow: UnitOfWork, principal: Principal, record: RecordType, sourced_id: str) -> list[str]:
    """Where a record that names no school stands; the caller's schools for a new one."""
    found = await single.schools_having(uow.session, record, sourced_id)
    if found:
        return found
    _, schools = await registry_for(uow, principal.orgs)
    return schools
