"""The difference of an import per class: what a vendor and a school look at before it counts."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import RowMapping

from services.sync.storage import class_diff
from services.sync.usecases.queries import get_import
from shared.auth import Principal
from shared.db.unit_of_work import UnitOfWork


async def list_changes_of_class(
    uow: UnitOfWork,
    principal: Principal,
    import_id: UUID,
    class_sourced_id: str,
    filters: Mapping[str, str],
    *,
    after: Sequence[str] | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Raises `import.unknown`. A class that does not exist for the caller has no changes."""
    await get_import(uow, principal, import_id)
    return await class_diff.list_changes_of_class(
        uow.session, import_id, class_sourced_id, filters, after=after, limit=limit
    )


async def count_by_class(
    uow: UnitOfWork,
    principal: Principal,
    import_id: UUID,
    *,
    school: str | None,
    class_sourced_id: str | None,
    after: tuple[str, str] | None,
    limit: int,
) -> list[RowMapping]:
    """Classes in the order of (school, class). Raises `import.unknown`.

    School by school, so that a page of a city's import costs the few schools it shows and not the city.
    """
    await get_import(uow, principal, import_id)
    first = None if after is None else after[0]
    found: list[RowMapping] = []
    for each in await class_diff.schools_with_changes(uow.session, import_id, school=school, first=first):
        beyond = after[1] if after is not None and each == after[0] else None
        found += await class_diff.count_by_class(
            uow.session, import_id, each, class_sourced_id=class_sourced_id, after=beyond, limit=limit - len(found)
        )
        if len(found) == limit:
            break
    return found
