"""Who may see and do what: grants become schools, officers' roles become authority over the units below them."""

from collections.abc import Iterable

from services.reporting.domain.orgs import OFFICERS, OrgKind, Unit
from services.reporting.storage import orgs
from shared.auth import Principal
from shared.db.scope import EVERYTHING, NOTHING, Scope
from shared.db.unit_of_work import UnitOfWork
from shared.errors import AppError, forbidden, not_found

DEPARTMENT_OFFICER = "department_officer"


async def scope_of(uow: UnitOfWork, principal: Principal) -> Scope:
    """The schools a caller may see: all for a department, today's schools for a unit in between, itself for a school.

    A granted org that has not been announced yet counts as a school: it can only ever show its own rows.
    """
    if not principal.orgs:
        return NOTHING
    known = await orgs.kinds(uow.session, principal.orgs)
    if OrgKind.DEPARTMENT in known.values():
        return EVERYTHING
    day = await orgs.today(uow.session)
    between = [org for org, kind in known.items() if kind is not OrgKind.SCHOOL]
    below = await orgs.schools_below(uow.session, between, day) if between else ()
    return Scope.of([*(org for org in principal.orgs if org not in between), *below])


async def officer_units(uow: UnitOfWork, principal: Principal) -> list[Unit]:
    """The units the person is an officer of. Raises `role.missing` for someone without an officer's role."""
    principal.require_role(*OFFICERS)
    wanted = {OFFICERS[role] for role in principal.roles if role in OFFICERS}
    known = await orgs.kinds(uow.session, principal.orgs)
    return sorted((Unit(org, kind) for org, kind in known.items() if kind in wanted), key=lambda unit: unit.sourced_id)


async def department_of(uow: UnitOfWork, principal: Principal) -> Unit:
    """The department the person acts for. Raises `role.missing` or `officer.no_unit` (forbidden)."""
    principal.require_role(DEPARTMENT_OFFICER)
    for unit in await officer_units(uow, principal):
        if unit.kind is OrgKind.DEPARTMENT:
            return unit
    raise _no_unit()


async def acting_over(uow: UnitOfWork, principal: Principal, chain: Iterable[Unit]) -> Unit:
    """The highest unit of the person's that stands in this chain. Raises `officer.no_unit` (forbidden).

    There is one department, above everything, also above a unit whose place in the tree is not known yet.
    """
    members = set(chain)
    acting = [
        unit
        for unit in await officer_units(uow, principal)
        if unit in members or (unit.kind is OrgKind.DEPARTMENT and members)
    ]
    if not acting:
        raise _no_unit()
    return min(acting, key=lambda unit: list(OrgKind).index(unit.kind))


async def visible_chain(uow: UnitOfWork, principal: Principal, sourced_id: str) -> list[Unit]:
    """The unit and everything above it today, for a caller granted one of them. Raises `org.unknown` (not found)."""
    day = await orgs.today(uow.session)
    chain = [entry.unit for entry in await orgs.chain(uow.session, sourced_id, day)]
    known = await orgs.kinds(uow.session, principal.orgs)
    granted = any(unit.sourced_id in principal.orgs for unit in chain)
    if not chain or not (granted or OrgKind.DEPARTMENT in known.values()):
        raise not_found(
            "org.unknown",
            vi="Không có đơn vị này.",
            en="There is no such org unit.",
        )
    return chain


def require_at_school(principal: Principal, school: str, *roles: str) -> None:
    """Raise unless the person holds one of these roles at this very school.

    A grant on a unit above shows the school but makes nobody its head.
    """
    principal.require_role(*roles)
    if school not in principal.orgs:
        raise forbidden(
            "role.not_at_school",
            vi="Vai trò này chỉ có hiệu lực tại chính trường đó.",
            en="The role counts only at the school itself.",
        )


def _no_unit() -> AppError:
    return forbidden(
        "officer.no_unit",
        vi="Bạn không phải chuyên viên của một đơn vị cấp trên phù hợp.",
        en="You are not an officer of a unit above this.",
    )
