"""The library as a OneRoster resources service: what a vendor's schools use, and what the city shares with all."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.materials.domain.resources import APPLICATION
from services.materials.storage import resources
from services.materials.storage.resources import Chosen, Provider
from services.materials.usecases.grants import reader_of
from shared.auth import Principal
from shared.db.unit_of_work import UnitOfWork
from shared.errors import AppError, Kind, Text, not_found
from shared.oneroster.filters import FilterError, SortError


async def list_resources(
    uow: UnitOfWork, who: Principal, vendor: str, chosen: Chosen
) -> tuple[int, Sequence[Mapping[str, Any]]]:
    """The whole number and one page. Raises `filter.invalid` and `sort.invalid`."""
    try:
        return await resources.page(uow.session, await _provider(uow, who, vendor), chosen)
    except SortError as failure:
        raise refused("sort.invalid", failure) from failure
    except FilterError as failure:
        raise refused("filter.invalid", failure) from failure


async def read_resource(uow: UnitOfWork, who: Principal, vendor: str, sourced_id: str) -> Mapping[str, Any]:
    """Raises `resource.unknown`."""
    known = "\x00" not in sourced_id  # which PostgreSQL takes in no text
    found = await resources.one(uow.session, await _provider(uow, who, vendor), sourced_id) if known else None
    if found is None:
        raise not_found("resource.unknown", vi="Không có học liệu này.", en="There is no such resource.")
    return found


async def _provider(uow: UnitOfWork, who: Principal, vendor: str) -> Provider:
    return Provider((await reader_of(uow, who)).schools, vendor, APPLICATION)


def refused(code: str, failure: FilterError) -> AppError:
    return AppError(
        code, Kind.INVALID, Text(f"Tham số không hợp lệ: {failure}.", f"A parameter is not valid: {failure}.")
    )
