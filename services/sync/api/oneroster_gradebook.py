"""The OneRoster 1.2 gradebook and resources providers: every reading operation, from one table."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import Response

from services.sync.api.oneroster import Fields, Listing, ListQuery, fields_wanted, public_url_of
from services.sync.api.oneroster_answers import StreamedList
from services.sync.api.oneroster_schemas import responses_of
from services.sync.domain.oneroster import COLLECTION_OF, NOUN_OF
from services.sync.domain.oneroster_gradebook import GRADEBOOK, LISTS, Listed
from services.sync.domain.oneroster_paths import Operation
from services.sync.storage.listing import Selection
from services.sync.usecases.read_gradebook import open_gradebook, read_gradebook_record
from services.sync.usecases.read_roster import RosterPage, Shown
from shared.auth import Principal
from shared.db.scope import NOTHING
from shared.http.oneroster import links_of
from shared.http.unit_of_work import CurrentPrincipal, Uow

router = APIRouter()
Endpoint = Callable[..., Awaitable[Response]]


def _may_read(listed: Listed) -> Any:
    async def may_read(principal: CurrentPrincipal) -> None:
        principal.require_scope(*listed.version.scopes(*listed.scopes))

    return Depends(may_read)


def _list(listed: Listed) -> Endpoint:
    async def list_records(query: Listing, principal: CurrentPrincipal, request: Request) -> Response:
        return _listed(listed, query, principal, request)

    return list_records


def _one(listed: Listed) -> Endpoint:
    async def get_record(
        sourced_id: Annotated[str, Path(alias="sourcedId", max_length=255)],
        uow: Uow,
        request: Request,
        fields: Fields = None,
    ) -> Response:
        wanted, _ = fields_wanted(listed.version, listed.collection, fields)
        shown = Shown(listed.version, public_url_of(request), wanted)
        document = await read_gradebook_record(uow, listed.collection, sourced_id, shown)
        return Response(f'{{"{NOUN_OF[listed.collection]}":{document}}}', media_type="application/json")

    return get_record


def _listed(listed: Listed, query: ListQuery, principal: Principal, request: Request) -> Response:
    parents = {collection: request.path_params[name] for collection, name in listed.parents}
    wanted, _ = fields_wanted(listed.version, listed.collection, query.fields)
    selection = Selection(query.where, query.sort, query.descending, query.limit, query.offset)
    shown = Shown(listed.version, public_url_of(request), wanted)
    state = request.app.state

    @asynccontextmanager
    async def opened() -> AsyncIterator[RosterPage]:
        # Not the request's unit of work: that one ends before the answer starts, this one carries it.
        async with state.units.begin(NOTHING) as uow:
            await uow.enter(await state.scope_of(uow, principal))
            yield await open_gradebook(uow, listed, parents, selection, shown)

    links = links_of(request, shown.public_url, query.limit, query.offset)
    return StreamedList(opened, COLLECTION_OF[NOUN_OF[listed.collection]], links, [])


def _add(listed: Listed, path: str, endpoint: Endpoint, *, is_single: bool) -> None:
    service = "gradebook" if listed.version is GRADEBOOK else "resources"
    name = f"{listed.single_name if is_single else listed.name}_{service}"
    parameters = [
        {"name": each, "in": "path", "required": True, "schema": {"type": "string", "maxLength": 255}}
        for _, each in listed.parents
    ]
    router.add_api_route(
        listed.version.base + path,
        endpoint,
        methods=["GET"],
        name=name,
        operation_id=name,
        summary=f"One of {listed.collection}" if is_single else f"A page of {listed.collection}",
        description="Active records; ended ones too where the filter names `status` or `dateLastModified`.",
        tags=[f"OneRoster 1.2 {service}"],
        dependencies=[_may_read(listed)],
        responses=responses_of(listed.version, Operation(name, listed.collection, listed.scopes, is_single)),
        response_class=Response,
        openapi_extra={"parameters": parameters} if parameters else None,
    )


for _each in LISTS:
    _add(_each, _each.path, _list(_each), is_single=False)
    if not _each.parents:
        _add(_each, _each.single_path, _one(_each), is_single=True)
