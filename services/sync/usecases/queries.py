"""Reading imports: what the caller may see of them, and nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import RowMapping

from services.sync.storage import imports
from services.sync.usecases.hold_import import unknown_import, viewer_of
from shared.auth import Principal
from shared.db.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class ImportView:
    """An import with the schools in the caller's scope; `is_whole`: the caller may see totals over all schools."""

    row: RowMapping
    schools: Sequence[RowMapping]

    @property
    def is_whole(self) -> bool:
        return bool(self.row["is_whole"])


async def get_import(uow: UnitOfWork, principal: Principal, import_id: UUID) -> ImportView:
    """Raises `import.unknown`."""
    row = await imports.find_import(uow.session, import_id, viewer_of(principal))
    if row is None:
        raise unknown_import()
    schools = await imports.schools_of(uow.session, [import_id])
    return ImportView(row, schools.get(import_id, []))


async def list_imports(
    uow: UnitOfWork, principal: Principal, *, state: str | None, before: int | None, limit: int
) -> list[ImportView]:
    """Newest first."""
    who = viewer_of(principal)
    rows = await imports.list_imports(uow.session, who, state=state, before=before, limit=limit)
    schools = await imports.schools_of(uow.session, [row["id"] for row in rows])
    return [ImportView(row, schools.get(row["id"], [])) for row in rows]


async def list_problems(
    uow: UnitOfWork,
    principal: Principal,
    import_id: UUID,
    filters: Mapping[str, str],
    *,
    after: int | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Raises `import.unknown`."""
    view = await get_import(uow, principal, import_id)
    return await imports.list_problems(uow.session, import_id, filters, whole=view.is_whole, after=after, limit=limit)


async def problem_summary(
    uow: UnitOfWork, principal: Principal, import_id: UUID, filters: Mapping[str, str]
) -> Sequence[RowMapping]:
    """Raises `import.unknown`."""
    view = await get_import(uow, principal, import_id)
    return await imports.problem_summary(uow.session, import_id, filters, whole=view.is_whole)


async def list_changes(
    uow: UnitOfWork,
    principal: Principal,
    import_id: UUID,
    filters: Mapping[str, str],
    *,
    after: Sequence[str] | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Raises `import.unknown`."""
    await get_import(uow, principal, import_id)
    return await imports.list_changes(uow.session, import_id, filters, after=after, limit=limit)
