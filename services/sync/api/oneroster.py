"""The OneRoster rostering provider, 1.2 and 1.1 (read-only): every operation of the standard, from one table."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response

from services.sync.api.oneroster_answers import SHAPERS, StreamedList, warning
from services.sync.api.oneroster_discovery import discovery_router
from services.sync.api.oneroster_schemas import responses_of
from services.sync.domain.oneroster import COLLECTION_OF, NOUN_OF, VERSIONS, Version
from services.sync.domain.oneroster_paths import OPERATIONS, Operation
from services.sync.storage.listing import Selection
from services.sync.storage.roster import terms_of
from services.sync.usecases.read_roster import RosterPage, Shown, invalid_filter, open_roster, read_one
from shared.auth import Principal
from shared.db.scope import NOTHING
from shared.errors import AppError, Kind, Text
from shared.http.oneroster import links_of, oneroster_error
from shared.http.unit_of_work import CurrentPrincipal, Uow
from shared.oneroster.filters import Filter, FilterError, parse_filter

__all__ = ["SHAPERS", "oneroster_error", "router"]

router = APIRouter()
SourcedId = Annotated[str, Path(max_length=255)]
Fields = Annotated[list[str] | None, Query(description="Fields to return: repeated, or a comma list.")]
Endpoint = Callable[..., Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class ListQuery:
    """The query of a list as it was written."""

    limit: int
    offset: int
    sort: str | None
    descending: bool
    where: Filter | None
    fields: list[str] | None


def _list_query(
    limit: Annotated[int, Query(ge=1, le=2**31 - 1, description="Records per page; never cut down.")] = 100,
    offset: Annotated[int, Query(ge=0, le=2**62)] = 0,
    sort: Annotated[str | None, Query(description="A field; ascending without `orderBy`.")] = None,
    order_by: Annotated[Literal["asc", "desc"], Query(alias="orderBy")] = "asc",
    filter: Annotated[str | None, Query(description="`field op 'value'`, two joined by AND or OR.")] = None,  # noqa: A002  # the standard's name
    fields: Fields = None,
) -> ListQuery:
    try:
        where = None if filter is None else parse_filter(filter)
    except FilterError as failure:
        raise invalid_filter(failure) from failure
    return ListQuery(limit, offset, sort, order_by == "desc", where, fields)


Listing = Annotated[ListQuery, Depends(_list_query)]


def _may_read(version: Version, operation: Operation) -> Any:
    scopes = version.scopes(*operation.scopes)

    async def may_read(principal: CurrentPrincipal) -> None:
        principal.require_scope(*scopes)

    return Depends(may_read)


def _list(version: Version, operation: Operation) -> Endpoint:
    async def list_records(query: Listing, principal: CurrentPrincipal, request: Request) -> Response:
        return _listed(version, operation, query, principal, request, {})

    return list_records


def _list_within(version: Version, operation: Operation) -> Endpoint:
    (parent,), (name,) = operation.parents, operation.parameters

    async def list_within(
        parent_id: Annotated[str, Path(alias=name, max_length=255)],
        query: Listing,
        principal: CurrentPrincipal,
        request: Request,
    ) -> Response:
        return _listed(version, operation, query, principal, request, {parent: parent_id})

    return list_within


def _list_within_class(version: Version, operation: Operation) -> Endpoint:
    school, class_ = operation.parameters

    async def list_within_class(
        school_id: Annotated[str, Path(alias=school, max_length=255)],
        class_id: Annotated[str, Path(alias=class_, max_length=255)],
        query: Listing,
        principal: CurrentPrincipal,
        request: Request,
    ) -> Response:
        parents = {"schools": school_id, "classes": class_id}
        return _listed(version, operation, query, principal, request, parents)

    return list_within_class


def _one(version: Version, operation: Operation) -> Endpoint:
    async def get_record(
        sourced_id: Annotated[str, Path(alias="sourcedId", max_length=255)],
        uow: Uow,
        request: Request,
        fields: Fields = None,
    ) -> Response:
        wanted, _ = fields_wanted(version, operation.collection, fields)
        shown = Shown(version, public_url_of(request), wanted)
        document = await read_one(uow, operation.collection, sourced_id, shown)
        return Response(f'{{"{NOUN_OF[operation.collection]}":{document}}}', media_type="application/json")

    return get_record


def _listed(  # what the path, the query and the caller say
    version: Version,
    operation: Operation,
    query: ListQuery,
    principal: Principal,
    request: Request,
    parents: Mapping[str, str],
) -> Response:
    wanted, unknown_fields = fields_wanted(version, operation.collection, query.fields)
    sort, unknown_sort = _sorted(version, operation.collection, query.sort)
    selection = Selection(query.where, sort, query.descending, query.limit, query.offset)
    shown = Shown(version, public_url_of(request), wanted)
    state = request.app.state

    @asynccontextmanager
    async def opened() -> AsyncIterator[RosterPage]:
        # Not the request's unit of work: that one ends before the answer starts, this one carries it.
        async with state.units.begin(NOTHING) as uow:
            await uow.enter(await state.scope_of(uow, principal))
            yield await open_roster(uow, operation, parents, selection, shown, state.listings)

    return StreamedList(
        opened,
        COLLECTION_OF[NOUN_OF[operation.collection]],
        links_of(request, shown.public_url, query.limit, query.offset),
        [*unknown_fields, *unknown_sort],
    )


def public_url_of(request: Request) -> str:
    found: str = request.app.state.runtime.settings.public_url
    return found.rstrip("/")


def _sorted(version: Version, collection: str, sort: str | None) -> tuple[str | None, list[dict[str, str]]]:
    """In 1.1 a bad sort field is a warning and the order is the usual one; in 1.2 reading the list refuses it."""
    if sort is None or not version.lenient or sort in terms_of(version, collection):
        return sort, []
    return None, [warning("invalid_sort_field", f"no such field: {sort[:100]}")]


def fields_wanted(
    version: Version, collection: str, fields: list[str] | None
) -> tuple[frozenset[str] | None, list[dict[str, str]]]:
    """The fields asked for, None for all. An unknown one is refused (1.2), or warned of and all are sent (1.1)."""
    wanted = frozenset(name.strip() for part in fields or () for name in part.split(",") if name.strip())
    if not wanted:
        return None, []
    unknown = wanted - version.selectable(NOUN_OF[collection])
    if not unknown:
        return wanted, []
    named = ", ".join(sorted(unknown))[:100]
    if version.lenient:
        return None, [warning("invalid_selection_field", f"no such fields: {named}")]
    raise AppError(
        "fields.unknown",
        Kind.INVALID,
        Text(f"Tham số fields có trường không tồn tại: {named}.", f"Unknown fields asked for: {named}."),
    )


_MAKERS: Mapping[int, Callable[[Version, Operation], Endpoint]] = {
    0: _list,
    1: _list_within,
    2: _list_within_class,
}


def _add(version: Version, operation: Operation) -> None:
    make = _one if operation.is_single else _MAKERS[len(operation.parents)]
    suffix = version.name.replace(".", "_")
    router.add_api_route(
        version.base + operation.path,
        make(version, operation),
        methods=["GET"],
        name=f"{operation.name}_{suffix}",
        operation_id=f"{operation.name}_{suffix}",
        summary=operation.summary,
        description=operation.description,
        tags=[f"OneRoster {version.name} rostering"],
        dependencies=[_may_read(version, operation)],
        responses=responses_of(version, operation),
        response_class=Response,
    )


for _version in VERSIONS:
    for _operation in OPERATIONS:
        _add(_version, _operation)
router.include_router(discovery_router)
