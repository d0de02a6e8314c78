"""The city's shared shelf."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.materials.api.deps import MaterialId, Position, Store
from services.materials.api.download import Served
from services.materials.api.panel_schemas import ShelfItemOut
from services.materials.api.routes import FILE_RESPONSES, PICTURE_RESPONSES, PREFIX, answer_picture, answer_served
from services.materials.domain.catalogue import Grade, MaterialType
from services.materials.domain.file_names import download_name
from services.materials.domain.file_types import BY_MEDIA_TYPE
from services.materials.storage.shelf import ShelfFilters
from services.materials.usecases import read_shelf
from shared.http.idempotency import IdempotentRoute
from shared.http.paging import Cursor, Limit, Page, decode_moment, encode_moment
from shared.http.unit_of_work import CurrentPrincipal, Uow

router = APIRouter(prefix=f"{PREFIX}/shelf", route_class=IdempotentRoute, tags=["shelf"])


@router.get("", summary="What the city shares")
async def list_shelf(
    principal: CurrentPrincipal,
    uow: Uow,
    subject: Annotated[str | None, Query(max_length=64)] = None,
    grade: Grade | None = None,
    type: MaterialType | None = None,  # noqa: A002  # the name in the API
    school: Annotated[str | None, Query(max_length=255, description="The school it comes from.")] = None,
    requirement: Annotated[str | None, Query(max_length=100)] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ShelfItemOut]:
    """Newest first, for everyone who may read the library, of whatever school."""
    filters = ShelfFilters(subject=subject, grade=grade, type=type, school=school, requirement=requirement)
    rows, following = await read_shelf.list_shelf(uow, principal, filters, before=decode_moment(cursor), limit=limit)
    return Page(items=[ShelfItemOut.from_row(row) for row in rows], next=encode_moment(following))


@router.get("/{material_id}", summary="One shared material")
async def read_item(material_id: MaterialId, principal: CurrentPrincipal, uow: Uow) -> ShelfItemOut:
    """With the review it went through. A withdrawn one answers 410."""
    return ShelfItemOut.from_row(await read_shelf.read_item(uow, principal, material_id))


@router.get(
    "/{material_id}/files/{position}",
    summary="Download a file of a shared material",
    response_class=Response,
    responses=FILE_RESPONSES,
)
async def download_shared(
    material_id: MaterialId, position: Position, request: Request, principal: CurrentPrincipal, uow: Uow, store: Store
) -> Response:
    """As the files of a material."""
    file = (await read_shelf.read_shelf_file(uow, principal, material_id, position)).file
    name = download_name(file["name"], BY_MEDIA_TYPE[file["mediaType"]])
    return await answer_served(request, store, Served(file["sha256"], file["size"], file["mediaType"], name))


@router.get(
    "/{material_id}/files/{position}/thumbnail",
    summary="A small picture of a file of a shared material",
    response_class=Response,
    responses=PICTURE_RESPONSES,
)
async def thumbnail_shared(
    material_id: MaterialId, position: Position, request: Request, principal: CurrentPrincipal, uow: Uow, store: Store
) -> Response:
    """As that of a file of a material."""
    found = await read_shelf.read_shelf_file(uow, principal, material_id, position)
    return await answer_picture(request, store, found.check)
