"""Coverage of the curriculum for a school, a commune, a cluster or the city, on any day."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from services.materials.domain.coverage import LEVEL_GRADES, Cell, matrix
from services.materials.storage import coverage, orgs
from services.materials.storage.coverage import CoverageNeed, Requirement, Totals
from services.materials.usecases.grants import READ, school_unknown, scope_of
from services.materials.usecases.panel import require_department
from shared.auth import Principal
from shared.contracts.materials_v1 import CoverageUpdated
from shared.db.unit_of_work import UnitOfWork
from shared.errors import AppError, invalid, not_found


@dataclass(frozen=True, slots=True)
class Coverage:
    """The matrix of a unit on a day, over the `schools` that stood below it then."""

    org: str
    on: dt.date
    schools: int
    cells: Sequence[Cell]
    totals: Totals

    @property
    def gaps(self) -> list[Cell]:
        return [cell for cell in self.cells if cell.missing]


async def read_coverage(uow: UnitOfWork, who: Principal, org: str, on: dt.date | None) -> Coverage:
    """As of the end of `on` (today without it). The grades are those of the schools' levels."""
    day = on or await orgs.today(uow.session)
    schools = await _schools(uow, who, org, day)
    levels = await orgs.levels_of(uow.session, schools)
    counted = await coverage.cells(uow.session, schools, day)
    cells = matrix(counted, await coverage.needs(uow.session), sorted(levels) or sorted(LEVEL_GRADES), day)
    return Coverage(org, day, len(schools), cells, await coverage.totals(uow.session, schools, day))


async def read_history(
    uow: UnitOfWork, who: Principal, org: str, first: dt.date, last: dt.date
) -> Sequence[tuple[dt.date, int]]:
    """Materials with both steps at the end of each month between two days, over the schools below `org` on the last."""
    who.require_scope(READ)
    if last < first or (last - first).days > 3700:
        raise invalid(
            "coverage.period_invalid",
            vi="Khoảng thời gian không hợp lệ: nhiều nhất mười năm.",
            en="The period is not valid: ten years at most.",
        )
    return await coverage.history(uow.session, await _schools(uow, who, org, last), first, last)


async def read_requirements(
    uow: UnitOfWork, who: Principal, org: str, on: dt.date | None, subject: str, grade: str
) -> Sequence[Requirement]:
    """Each requirement of a subject in a grade with the materials that name it; the curriculum is today's."""
    day = on or await orgs.today(uow.session)
    return await coverage.requirements(uow.session, await _schools(uow, who, org, day), day, subject, grade)


async def set_needs(uow: UnitOfWork, who: Principal, wanted: Sequence[tuple[str, str, int]]) -> None:
    """The department says how many materials it wants for each subject and grade."""
    await require_department(uow, who)
    now = await uow.now()
    rows = [
        CoverageNeed(subject=subject, grade=grade, needed=needed, set_by=who.subject, set_at=now)
        for subject, grade, needed in wanted
    ]
    await coverage.set_needs(uow.session, rows)


async def tell_coverage(uow: UnitOfWork, school: str) -> None:
    """Tell a school's count of materials with both steps, in the transaction that changed it (criterion 1.4)."""
    await uow.session.flush()
    today = await orgs.today(uow.session)
    totals = await coverage.totals(uow.session, [school], today)
    event = CoverageUpdated(
        school_sourced_id=school,
        on=today,
        approved=totals.approved,
        presentations=totals.presentations,
        at=await uow.now(),
    )
    await uow.emit(event, aggregate=f"coverage:{school}")


async def _schools(uow: UnitOfWork, who: Principal, org: str, on: dt.date) -> frozenset[str]:
    """The schools of a unit on that day, as far as the caller was granted them; a school is its own."""
    who.require_scope(READ)
    kinds = await orgs.kinds_of(uow.session, [org])
    if org not in kinds:
        raise _unit_unknown()
    if kinds[org] == "department":
        below = await orgs.schools_on(uow.session, on)
    else:
        below = frozenset({org}) if kinds[org] == "school" else await orgs.schools_below(uow.session, [org], on)
    scope = await scope_of(uow, who)
    granted = below if scope.everything else below & scope.schools
    if not granted:
        raise school_unknown() if kinds[org] == "school" else _unit_unknown()
    return granted


def _unit_unknown() -> AppError:
    return not_found(
        "org.unknown",
        vi="Không có đơn vị này, hoặc không có trường nào của đơn vị mà bạn được xem.",
        en="There is no such unit, or no school of it that was granted to you.",
    )
