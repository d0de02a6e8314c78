"""The OneRoster 1.2 resources provider of the library, read-only.

Which class, course or user a material belongs to is not known here: materials have subjects and grades, and rosters are
the other service's. Those lists are empty and not 404, because this provider cannot say that a class does not exist.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from services.materials.api.deps import TheRepository
from services.materials.domain.repository import Repository
from services.materials.domain.resources import BASE, CORE, FULL, SELECTABLE
from services.materials.storage.resources import Chosen
from services.materials.usecases.read_resources import list_resources, read_resource, refused
from shared.auth import Principal
from shared.errors import invalid
from shared.http.oneroster import links_of, oneroster_resources_error
from shared.http.unit_of_work import CurrentPrincipal, Uow
from shared.oneroster.filters import FilterError, parse_filter

router = APIRouter(prefix=BASE, tags=["OneRoster 1.2 resources of the library"])
SHAPERS = {BASE: oneroster_resources_error}
Fields = Annotated[list[str] | None, Query(description="Fields to return: repeated, or a comma list.")]
_MAX_LIMIT = 10_000


def _chosen(
    limit: Annotated[int, Query(ge=1, le=_MAX_LIMIT)] = 100,
    offset: Annotated[int, Query(ge=0, le=2**62)] = 0,
    sort: Annotated[str | None, Query(description="A field; ascending without `orderBy`.")] = None,
    order_by: Annotated[Literal["asc", "desc"], Query(alias="orderBy")] = "asc",
    filter: Annotated[str | None, Query(description="`field op 'value'`, two joined by AND or OR.")] = None,  # noqa: A002  # the standard's name
) -> Chosen:
    try:
        where = None if filter is None else parse_filter(filter)
    except FilterError as failure:
        raise refused("filter.invalid", failure) from failure
    return Chosen(where, sort, order_by == "desc", limit, offset)


Choice = Annotated[Chosen, Depends(_chosen)]


def _wanted(fields: Fields = None) -> frozenset[str]:
    wanted = frozenset(name.strip() for part in fields or () for name in part.split(",") if name.strip())
    if unknown := wanted - SELECTABLE:
        named = ", ".join(sorted(unknown))[:100]
        raise invalid("fields.unknown", vi=f"Không có trường: {named}.", en=f"Unknown fields: {named}.")
    return wanted or SELECTABLE


Wanted = Annotated[frozenset[str], Depends(_wanted)]


def _allowed(scopes: tuple[str, ...]) -> Any:
    async def allowed(principal: CurrentPrincipal) -> Principal:
        principal.require_scope(*scopes)
        return principal

    return Depends(allowed)


@router.get("/resources", summary="Resources of the library", operation_id="getAllResourcesOfTheLibrary")
async def get_all_resources(
    request: Request,
    uow: Uow,
    repository: TheRepository,
    chosen: Choice,
    wanted: Wanted,
    who: Annotated[Principal, _allowed(CORE)],
) -> Response:
    """What the caller's schools use and what the city shares; ended ones where the filter names status or time."""
    total, rows = await list_resources(uow, who, repository.domain, chosen)
    return _listed(request, repository, chosen, wanted, total, rows)


@router.get("/resources/{sourcedId}", summary="One resource of the library", operation_id="getResourceOfTheLibrary")
async def get_resource(
    sourced_id: Annotated[str, Path(alias="sourcedId", max_length=255)],
    uow: Uow,
    repository: TheRepository,
    wanted: Wanted,
    who: Annotated[Principal, _allowed(CORE)],
) -> Response:
    """Its `sourcedId` is the id of the material."""
    row = await read_resource(uow, who, repository.domain, sourced_id)
    return JSONResponse({"resource": _resource(row, repository, wanted)})


def _add_list_of_a(noun: str, collection: str) -> None:
    async def get_none(request: Request, repository: TheRepository, chosen: Choice, wanted: Wanted) -> Response:
        return _listed(request, repository, chosen, wanted, 0, [])

    name = f"{noun}SourcedId"
    parameter = {"name": name, "in": "path", "required": True, "schema": {"type": "string", "maxLength": 255}}
    router.add_api_route(
        f"/{collection}/{{{name}}}/resources",
        get_none,
        methods=["GET"],
        summary=f"Resources of a {noun}: none is known here",
        description="Always empty: the library knows subjects and grades of a material, and no roster.",
        operation_id=f"getResourcesFor{noun.title()}OfTheLibrary",
        dependencies=[_allowed(FULL)],
        openapi_extra={"parameters": [parameter]},
        response_class=Response,
    )


for _noun, _collection in (("class", "classes"), ("course", "courses"), ("user", "users")):
    _add_list_of_a(_noun, _collection)


def _listed(
    request: Request,
    repository: Repository,
    chosen: Chosen,
    wanted: frozenset[str],
    total: int,
    rows: Sequence[Mapping[str, Any]],
) -> Response:
    links = links_of(request, repository.base, chosen.limit, chosen.offset)
    return JSONResponse(
        {"resources": [_resource(row, repository, wanted) for row in rows]},
        headers={"X-Total-Count": str(total), "Link": links(total)},
    )


def _resource(row: Mapping[str, Any], repository: Repository, wanted: frozenset[str]) -> dict[str, Any]:
    document = {name: value for name, value in row.items() if name in wanted}
    if "dateLastModified" in document:
        stamp = document["dateLastModified"].isoformat(timespec="milliseconds")
        document["dateLastModified"] = stamp.replace("+00:00", "Z")
    if "metadata" in wanted:
        collection = {"school": "materials", "shared": "shelf"}[row["place"]]
        document["metadata"] = {
            "lienThong.place": row["place"],
            "lienThong.school": row["school"],
            "lienThong.version": str(row["number"]),
            "lienThong.href": f"{repository.base}/materials/v1/{collection}/{row['sourcedId']}",
        }
    return document
