"""Curriculum requirements: the department imports a framework, everybody reads it, materials name its codes."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.materials.domain.case import write_case
from services.materials.domain.requirement_tree import (
    Changes,
    Framework,
    Requirement,
    changes_between,
    faults_of_codes,
    paths_of,
)
from services.materials.domain.search_words import fold
from services.materials.storage import orgs, requirements
from services.materials.storage.requirement_tables import RequirementItem
from services.materials.storage.requirements import RequirementFilters
from services.materials.usecases.grants import READ, scope_of
from shared.auth import Principal
from shared.db.unit_of_work import UnitOfWork
from shared.errors import AppError, forbidden, invalid, not_found

SCOPE = "materials.catalogue"


@dataclass(frozen=True, slots=True)
class Imported:
    """`written` is False after a dry run."""

    framework: UUID
    changes: Changes
    written: bool


async def import_framework(
    uow: UnitOfWork, who: Principal, given: Framework, *, check: bool, verified: bool
) -> Imported:
    """Bring a framework to what was given, whole or not at all; `check` only tells what would change.

    Items that are not in it end today. Raises `requirements.invalid` with every fault of the tree.
    """
    paths = paths_of(given.items)
    await requirements.lock_framework(uow.session, given.id)
    held = {row.code: _requirement(row) for row in await requirements.in_force(uow.session, given.id)}
    changes = changes_between(held, given.items)
    if check:
        return Imported(given.id, changes, written=False)
    today = await orgs.today(uow.session)
    await requirements.write_framework(
        uow.session,
        {
            "id": given.id,
            "title": given.title,
            "verified": verified,
            "package": dict(given.package),
            "imported_by": who.subject,
            "imported_at": await uow.now(),
        },
    )
    touched = frozenset(changes.added + changes.changed)
    moved = {item.code for item in given.items if item.code not in touched and _is_moved(item, paths, held)}
    rows = [
        _row(given.id, item, paths[item.code]) | {"valid_from": today, "valid_to": None}
        for item in given.items
        if item.code in touched or item.code in moved
    ]
    await requirements.write_items(uow.session, rows)
    await requirements.end_items(uow.session, given.id, changes.ended, today)
    return Imported(given.id, changes, written=True)


async def admit_importer(uow: UnitOfWork, who: Principal) -> None:
    """Raise unless the caller is an officer of the department with the scope."""
    who.require_scope(SCOPE)
    if not (who.kind == "user" and who.has_role("department_officer") and (await scope_of(uow, who)).everything):
        raise forbidden(
            "requirements.department_only",
            vi="Chỉ cán bộ của Sở mới được nhập khung yêu cầu cần đạt.",
            en="Only an officer of the department may import requirements.",
        )


async def list_requirements(
    uow: UnitOfWork, who: Principal, filters: RequirementFilters, *, after: tuple[UUID, int] | None, limit: int
) -> tuple[Sequence[RequirementItem], tuple[str, int] | None]:
    """A page of items in force, and the key of the following page."""
    who.require_scope(READ)
    rows = await requirements.page(uow.session, filters, after=after, limit=limit)
    shown = rows[:limit]
    return shown, (str(shown[-1].framework_id), shown[-1].position) if len(rows) > limit else None


async def read_requirement(uow: UnitOfWork, who: Principal, code: str, framework: UUID | None) -> RequirementItem:
    """One item, also an ended one. Raises `requirement.unknown`."""
    who.require_scope(READ)
    found = await requirements.of_codes(uow.session, [code])
    for row in found:
        if framework in (None, row.framework_id):
            return row
    raise not_found("requirement.unknown", vi="Không có yêu cầu cần đạt này.", en="There is no such requirement.")


async def export_case(uow: UnitOfWork, who: Principal, framework_id: UUID) -> dict[str, Any]:
    """The CFPackage as it was read last. Raises `framework.unknown`."""
    who.require_scope(READ)
    framework = await requirements.framework(uow.session, framework_id)
    if framework is None:
        raise _framework_unknown()
    rows = await requirements.in_force(uow.session, framework_id)
    return write_case(framework.package, [row.case_item for row in rows])


async def export_items(uow: UnitOfWork, who: Principal, framework_id: UUID) -> list[Requirement]:
    """Items in force, in order, for CSV. Raises `framework.unknown`."""
    who.require_scope(READ)
    if await requirements.framework(uow.session, framework_id) is None:
        raise _framework_unknown()
    return [_requirement(row) for row in await requirements.in_force(uow.session, framework_id)]


async def check_requirements(
    uow: UnitOfWork, codes: Sequence[str], *, subjects: Collection[str], grades: Collection[str], under: str
) -> None:
    """Raise `material.requirements_mismatch` with every code that is unknown, has ended, or is of another subject.

    `under` is the JSON Pointer of the object that holds `requirements`. As long as no framework was imported there is
    nothing to check against, and every code is taken as it stands.
    """
    if not codes or not await requirements.any_framework(uow.session):
        return
    known: dict[str, list[tuple[str | None, Sequence[str]]]] = defaultdict(list)
    for row in await requirements.of_codes(uow.session, codes):
        if row.valid_to is None:
            known[row.code].append((row.subject, row.grades))
    faults = faults_of_codes(codes, known, subjects=frozenset(subjects), grades=frozenset(grades), under=under)
    if faults:
        raise invalid(
            "material.requirements_mismatch",
            vi="Có yêu cầu cần đạt không tồn tại, hoặc thuộc môn học, khối lớp khác.",
            en="A requirement does not exist, or belongs to another subject or grade.",
            errors=faults,
        )


def _framework_unknown() -> AppError:
    return not_found("framework.unknown", vi="Không có khung này.", en="There is no such framework.")


def _is_moved(item: Requirement, paths: dict[str, tuple[str, ...]], held: dict[str, Requirement]) -> bool:
    """Is the path another because something above the item moved."""
    above = held[item.code].parent
    path = [item.code]
    while above is not None and above in held:
        path.append(above)
        above = held[above].parent
    return tuple(reversed(path)) != paths[item.code]


def _row(framework: UUID, item: Requirement, path: Sequence[str]) -> dict[str, Any]:
    return {
        "framework_id": framework,
        "code": item.code,
        "guid": item.guid,
        "uri": item.uri,
        "parent": item.parent,
        "subject": item.subject,
        "grades": list(item.grades),
        "text_vi": item.text_vi,
        "text_en": item.text_en,
        "folded": fold(f"{item.code} {item.text_vi} {item.text_en or ''}"),
        "position": item.position,
        "path": list(path),
        "case_item": dict(item.case),
    }


def _requirement(row: RequirementItem) -> Requirement:
    return Requirement(
        code=row.code,
        guid=row.guid,
        uri=row.uri,
        parent=row.parent,
        subject=row.subject,
        grades=tuple(row.grades),
        text_vi=row.text_vi,
        text_en=row.text_en,
        position=row.position,
        place="",
        case=row.case_item,
    )
