"""The org tree: the department writes it, everyone reads it, every change is told to the other services."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from sqlalchemy import RowMapping

from services.sync.domain.org_tree import OrgKind, ParentEdge, Validity, check_org
from services.sync.storage import orgs
from services.sync.storage.tables import Org
from services.sync.usecases.scope import today
from shared.auth import Principal
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
) -> tuple[Org, bool]:
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
    now, is_new = await uow.now(), org is None
    if org is None:
        org = Org(sourced_id=values.sourced_id, kind=values.kind.value, version=0)
        uow.session.add(org)
    _check_version(org.version, expected_version)
    if org.kind != values.kind:
        raise conflict(
            "org.kindFixed",
            vi="Loại đơn vị không đổi được; hãy kết thúc đơn vị cũ và lập đơn vị mới.",
            en="The kind of a unit cannot change; end it and create another.",
        )
    org.name, org.identifier, org.level = values.name, values.identifier, values.level
    org.valid_from, org.valid_to = values.validity.valid_from, values.validity.valid_to
    org.version += 1
    org.date_last_modified = now
    await uow.session.flush()
    await orgs.replace_parents(uow.session, org.sourced_id, values.parents)
    await uow.emit(_changed(values), aggregate=f"org:{org.sourced_id}")
    return org, is_new


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


async def get_org(uow: UnitOfWork, sourced_id: str) -> OrgView:
    """Raises `org.unknown` (404), also for a school the caller was not granted."""
    row = await orgs.shown_org(uow.session, sourced_id)
    if row is None:
        raise _unknown()
    return OrgView(row, (await orgs.parents_of(uow.session, [sourced_id])).get(sourced_id, []))


async def list_orgs(
    uow: UnitOfWork, *, day: dt.date | None, kind: str | None, after: str | None, limit: int
) -> list[OrgView]:
    """Units valid on `day` (all units ever, without it), in key order."""
    rows = await orgs.shown_orgs(uow.session, day=day, kind=kind, after=after, limit=limit)
    return await _with_parents(uow, rows)


async def list_ancestors(uow: UnitOfWork, sourced_id: str, day: dt.date | None) -> list[OrgView]:
    """Units above on `day` (today without it), nearest first. Raises `org.unknown`."""
    await get_org(uow, sourced_id)
    return await _with_parents(uow, await orgs.ancestors_on(uow.session, sourced_id, day or await today(uow)))


async def list_children(
    uow: UnitOfWork, sourced_id: str, day: dt.date | None, *, after: str | None, limit: int
) -> list[OrgView]:
    """Units directly below on `day` (today without it). Raises `org.unknown`."""
    await get_org(uow, sourced_id)
    rows = await orgs.children_on(uow.session, sourced_id, day or await today(uow), after=after, limit=limit)
    return await _with_parents(uow, rows)


async def _with_parents(uow: UnitOfWork, rows: Sequence[RowMapping]) -> list[OrgView]:
    parents = await orgs.parents_of(uow.session, [row["sourced_id"] for row in rows])
    return [OrgView(row, parents.get(row["sourced_id"], [])) for row in rows]


def _unknown() -> AppError:
    return not_found("org.unknown", vi="Không có đơn vị này.", en="There is no such org.")
