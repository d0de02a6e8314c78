"""The org tree: the department writes it, everyone reads it, every change is told to the other services."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from sqlalchemy import RowMapping

from services.sync.domain.org_tree import OrgKind, ParentEdge, Validity, check_org
from services.sync.storage import orgs
from services.sync.storage.tables import Org
from services.sync.usecases.read_records import require_past
from services.sync.usecases.scope import today
from shared.auth import Principal
from shared.clock import VIETNAM
from shared.contracts.sync_v1 import OrgChanged, OrgParent
from shared.db.unit_of_work import UnitOfWork
from shared.errors import AppError, conflict, forbidden, not_found, stale

Level = Literal["lower_secondary", "upper_secondary"]


@dataclass(frozen=True, slots=True)
class OrgValues:
    """One unit as the department describes it; `parents` replace what was there."""

    sourced_id: str
    kind: OrgKind
    name: str
    identifier: str | None
    level: Level | None
    validity: Validity
    parents: tuple[ParentEdge, ...]


@dataclass(frozen=True, slots=True)
class OrgView:
    row: RowMapping
    parents: Sequence[RowMapping]


async def put_org(
    uow: UnitOfWork, principal: Principal, values: OrgValues, expected_version: int | None
) -> tuple[RowMapping, bool]:
    """Create or replace a unit; the flag says whether it is new.

    Only a department writes (a grant on a `department` unit, or, for the very first unit, on the one being created).
    Raises `org.notDepartment`, `org.invalid`, `org.kindFixed`, `precondition.failed`.
    """
    await _require_department(uow, principal, values)
    kinds = {edge.sourced_id: await _kind(uow, edge.sourced_id) for edge in values.parents}
    known = {key: kind for key, kind in kinds.items() if kind is not None}
    check_org(values.kind, values.level, values.validity, values.parents, known)
    await orgs.begin_write(uow.session, values.sourced_id)
    org = await orgs.find_org(uow.session, values.sourced_id, lock=True)
    _check_version(0 if org is None else org.version, expected_version)
    if org is not None and org.kind != values.kind:
        raise conflict(
            "org.kindFixed",
            vi="Loại đơn vị không đổi được; hãy kết thúc đơn vị cũ và lập đơn vị mới.",
            en="The kind of a unit cannot change; end it and create another.",
        )
    row = await orgs.write_org(uow.session, _columns(values) | {"now": await _next(uow, org)}, values.parents)
    await uow.emit(_changed(values), aggregate=f"org:{values.sourced_id}")
    return row, org is None


async def _next(uow: UnitOfWork, org: Org | None) -> dt.datetime:
    """The instant of the write: later than the last one even when the clock was set back."""
    now = await uow.now()
    return now if org is None else max(now, org.date_last_modified + dt.timedelta(microseconds=1))


def _columns(values: OrgValues) -> dict[str, Any]:
    return {
        "sourced_id": values.sourced_id,
        "kind": values.kind.value,
        "name": values.name,
        "identifier": values.identifier,
        "level": values.level,
        "valid_from": values.validity.valid_from,
        "valid_to": values.validity.valid_to,
    }


async def _require_department(uow: UnitOfWork, principal: Principal, values: OrgValues) -> None:
    if principal.kind == "user":
        principal.require_role("department_officer")
    if await orgs.covers_everything(uow.session, principal.orgs):
        return
    if values.kind is OrgKind.DEPARTMENT and values.sourced_id in principal.orgs:
        return
    raise forbidden(
        "org.notDepartment",
        vi="Chỉ Sở được ghi danh bạ đơn vị.",
        en="Only the department writes the org registry.",
    )


async def _kind(uow: UnitOfWork, sourced_id: str) -> OrgKind | None:
    found = await orgs.find_org(uow.session, sourced_id)
    return None if found is None else OrgKind(found.kind)


def _check_version(version: int, expected: int | None) -> None:
    if expected is not None and expected != version:
        raise stale(
            "precondition.failed",
            vi="Đơn vị đã thay đổi sau lần đọc của bạn. Hãy đọc lại rồi gửi lại.",
            en="The org has changed since you read it. Read it again, then send again.",
        )


def _changed(values: OrgValues) -> OrgChanged:
    return OrgChanged(
        sourced_id=values.sourced_id,
        kind=cast("Any", values.kind.value),
        name=values.name,
        level=values.level,
        valid_from=values.validity.valid_from,
        valid_to=values.validity.valid_to,
        parents=tuple(
            OrgParent(sourced_id=edge.sourced_id, valid_from=edge.validity.valid_from, valid_to=edge.validity.valid_to)
            for edge in values.parents
        ),
    )


async def get_org(uow: UnitOfWork, sourced_id: str, as_of: dt.datetime | None = None) -> OrgView:
    """One unit, as known at `as_of`, now without it.

    Raises `org.unknown` (404), also for a school the caller was not granted, and `asOf.future`.
    """
    await require_past(uow, as_of)
    row = await orgs.shown_org(uow.session, sourced_id, as_of)
    if row is None:
        raise _unknown()
    return OrgView(row, (await orgs.parents_of(uow.session, [sourced_id], as_of)).get(sourced_id, []))


async def list_orgs(
    uow: UnitOfWork,
    *,
    day: dt.date | None,
    kind: str | None,
    after: str | None,
    limit: int,
    as_of: dt.datetime | None = None,
) -> list[OrgView]:
    """Units valid on `day` (all units ever, without it), in key order, as known at `as_of`. Raises `asOf.future`."""
    await require_past(uow, as_of)
    rows = await orgs.shown_orgs(uow.session, day=day, kind=kind, after=after, limit=limit, as_of=as_of)
    return await _with_parents(uow, rows, as_of)


async def list_ancestors(
    uow: UnitOfWork, sourced_id: str, day: dt.date | None, as_of: dt.datetime | None = None
) -> list[OrgView]:
    """Units above on `day`, nearest first. Raises `org.unknown`, `asOf.future`."""
    await get_org(uow, sourced_id, as_of)
    rows = await orgs.ancestors_on(uow.session, sourced_id, day or await _day_of(uow, as_of), as_of)
    return await _with_parents(uow, rows, as_of)


async def list_children(
    uow: UnitOfWork,
    sourced_id: str,
    day: dt.date | None,
    *,
    after: str | None,
    limit: int,
    as_of: dt.datetime | None = None,
) -> list[OrgView]:
    """Units directly below on `day`. Raises `org.unknown`, `asOf.future`."""
    await get_org(uow, sourced_id, as_of)
    on = day or await _day_of(uow, as_of)
    rows = await orgs.children_on(uow.session, sourced_id, on, after=after, limit=limit, as_of=as_of)
    return await _with_parents(uow, rows, as_of)


async def _day_of(uow: UnitOfWork, as_of: dt.datetime | None) -> dt.date:
    """The day a question without one asks about: that of the instant in Vietnam, today without an instant."""
    return await today(uow) if as_of is None else as_of.astimezone(VIETNAM).date()


async def _with_parents(uow: UnitOfWork, rows: Sequence[RowMapping], as_of: dt.datetime | None) -> list[OrgView]:
    parents = await orgs.parents_of(uow.session, [row["sourced_id"] for row in rows], as_of)
    return [OrgView(row, parents.get(row["sourced_id"], [])) for row in rows]


def _unknown() -> AppError:
    return not_found("org.unknown", vi="Không có đơn vị này.", en="There is no such org.")
