"""The library: put in, list, read, download."""

import datetime as dt
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from services.materials.api.deps import ListFilters, MaterialId, Number, Position, Received, Store
from services.materials.api.download import Served, serve
from services.materials.api.links import Links
from services.materials.api.player import launch_of
from services.materials.api.schemas import LinkOut, MaterialIn, MaterialOut, MaterialSummaryOut, UsesOut, VersionOut
from services.materials.domain.file_types import BY_MEDIA_TYPE, WEBP
from services.materials.storage.content import ContentStore
from services.materials.storage.files import HeldFile
from services.materials.storage.materials import MaterialRecord
from services.materials.storage.tables import FileCheck
from services.materials.usecases import evidence, queries
from services.materials.usecases.create_material import create_material
from shared.errors import not_found
from shared.http.etag import set_etag
from shared.http.idempotency import IdempotentRoute
from shared.http.paging import Cursor, Limit, Page, decode_id, encode_cursor
from shared.http.unit_of_work import CurrentPrincipal, Uow

PREFIX = "/materials/v1"
MATERIALS = f"{PREFIX}/materials"
router = APIRouter(prefix=PREFIX, route_class=IdempotentRoute, tags=["materials"])

FILE_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {}}, "description": "The file."},
    206: {"description": "The range asked for."},
    304: {"description": "The caller has this content already."},
    307: {"description": "The store answers it itself, at a signed address that holds for minutes."},
    303: {"description": "What a browser could run lies at the address for content; the link holds for minutes."},
    416: {"description": "The range lies outside the file."},
}


PICTURE_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/webp": {}}, "description": "The picture."},
    304: FILE_RESPONSES[304],
}


def _upload_body() -> dict[str, Any]:
    """FastAPI cannot see a body that is streamed away; its enumerations are named by other routes' schemas."""
    metadata = MaterialIn.model_json_schema(ref_template="#/components/schemas/{model}")
    metadata.pop("$defs", None)
    parts = {
        "type": "object",
        "required": ["metadata", "file"],
        "properties": {"metadata": metadata, "file": {"type": "string", "format": "binary"}},
    }
    content = {
        "multipart/form-data": {"schema": parts, "encoding": {"metadata": {"contentType": "application/json"}}},
        "application/json": {"schema": metadata},
    }
    return {"requestBody": {"required": True, "content": content}}


def shown(response: Response, record: MaterialRecord) -> MaterialOut:
    set_etag(response, record.material.version)
    return MaterialOut.from_row(record)


@router.post("/materials", status_code=201, summary="Put in a new material", openapi_extra=_upload_body())
async def create(received: Received, principal: CurrentPrincipal, uow: Uow, response: Response) -> MaterialOut:
    """Put a new material into the school's library, as a draft: `metadata` (JSON) first, then one `file`.

    As plain JSON it has no file yet; files follow one by one. What a file is, is told by its content, not by its name.
    """
    record = await create_material(uow, principal, received.draft, received.file)
    response.headers["Location"] = f"{PREFIX}/materials/{record.material.id}"
    return shown(response, record)


@router.get("/materials", summary="List materials, newest first")
async def list_materials(
    principal: CurrentPrincipal, uow: Uow, chosen: ListFilters, limit: Limit = 50, cursor: Cursor = None
) -> Page[MaterialSummaryOut]:
    """Newest first: the version in use; to its author, its school's reviewers and the department the newest one."""
    records, following = await queries.list_materials(uow, principal, chosen, before=decode_id(cursor), limit=limit)
    items = [MaterialSummaryOut.from_row(record) for record in records]
    return Page(items=items, next=None if following is None else encode_cursor(str(following)))


@router.get("/materials/{material_id}", summary="One material, with its review")
async def read(
    material_id: MaterialId, principal: CurrentPrincipal, uow: Uow, response: Response, version: Number = None
) -> MaterialOut:
    """One material with its review history; the ETag is for If-Match of an action."""
    return shown(response, await queries.read_material(uow, principal, material_id, number=version))


@router.get("/materials/{material_id}/versions", summary="The versions of a material")
async def list_versions(material_id: MaterialId, principal: CurrentPrincipal, uow: Uow) -> Page[VersionOut]:
    """Every version the caller may see, newest first."""
    rows = await queries.list_versions(uow, principal, material_id)
    return Page(items=[VersionOut.from_row(row) for row in rows], next=None)


@router.get("/materials/{material_id}/uses", summary="Where a material is used")
async def read_uses(material_id: MaterialId, principal: CurrentPrincipal, uow: Uow) -> UsesOut:
    """The version its school uses, the version the city shares, and the reports that rest on one of its versions."""
    return UsesOut.from_uses(await evidence.read_uses(uow, principal, material_id))


@router.get(
    "/materials/{material_id}/file",
    summary="Download the first file",
    response_class=Response,
    responses=FILE_RESPONSES,
)
async def download(
    material_id: MaterialId,
    request: Request,
    principal: CurrentPrincipal,
    uow: Uow,
    store: Store,
    version: Number = None,
) -> Response:
    """The file's bytes. `Range`, `If-Range` and `If-None-Match` work; the ETag is the SHA-256 of the content."""
    held = await queries.read_file(uow, principal, material_id, position=None, number=version)
    return await answer_file(request, store, held)


@router.get(
    "/materials/{material_id}/files/{position}",
    summary="Download a file",
    response_class=Response,
    responses=FILE_RESPONSES,
)
async def download_one(
    material_id: MaterialId,
    position: Position,
    request: Request,
    principal: CurrentPrincipal,
    uow: Uow,
    store: Store,
    version: Number = None,
) -> Response:
    """The bytes of the file at `position`, as `/file` answers those of the first."""
    held = await queries.read_file(uow, principal, material_id, position=position, number=version)
    return await answer_file(request, store, held)


@router.get(
    "/materials/{material_id}/files/{position}/thumbnail",
    summary="A small picture of a file",
    response_class=Response,
    responses=PICTURE_RESPONSES,
)
async def thumbnail(
    material_id: MaterialId,
    position: Position,
    request: Request,
    principal: CurrentPrincipal,
    uow: Uow,
    store: Store,
    version: Number = None,
) -> Response:
    """Of its first page, or of the picture itself: WebP of at most 320 pixels a side. 404 when the file has none."""
    held = await queries.read_file(uow, principal, material_id, position=position, number=version)
    return await answer_picture(request, store, held.check)


@router.post("/materials/{material_id}/files/{position}/link", summary="A link to a file that holds for minutes")
async def link(
    material_id: MaterialId,
    position: Position,
    request: Request,
    principal: CurrentPrincipal,
    uow: Uow,
    version: Number = None,
    disposition: Annotated[Literal["attachment", "inline"], Query(description="To be saved, or shown.")] = "attachment",
) -> LinkOut:
    """For a browser or a player without a token. It leads to the address for content, never to this one.

    A SCORM package that is to be shown is answered with its player.
    """
    held = await queries.read_file(uow, principal, material_id, position=position, number=version)
    links: Links = request.app.state.links
    served = Served.of(held)
    if disposition == "inline" and (launch := launch_of(held.check)) is not None:
        url, expires = links.player(served.sha256, launch)
        return LinkOut(url=url, expires_at=dt.datetime.fromtimestamp(expires, dt.UTC))
    url, expires = links.link(served.sha256, served.name, served.media_type, disposition)
    return LinkOut(url=url, expires_at=dt.datetime.fromtimestamp(expires, dt.UTC))


async def answer_file(request: Request, store: ContentStore, held: HeldFile) -> Response:
    return await answer_served(request, store, Served.of(held))


async def answer_picture(request: Request, store: ContentStore, check: FileCheck | None) -> Response:
    """The small picture that was made when the content arrived. Raises `thumbnail.none` (not found)."""
    sha256 = check.thumbnail_sha256 if check is not None else None
    size = await store.size(sha256) if sha256 is not None else None
    if sha256 is None or size is None:
        raise not_found("thumbnail.none", vi="Tệp này không có hình thu nhỏ.", en="This file has no small picture.")
    return await serve(request, store, Served(sha256, size, WEBP.media_type, "thumbnail.webp", "inline"))


async def answer_served(request: Request, store: ContentStore, served: Served) -> Response:
    """What a browser could run is answered with a link to the other origin, the rest with its bytes."""
    if BY_MEDIA_TYPE[served.media_type].inert:
        return await serve(request, store, served)
    links: Links = request.app.state.links
    url, _ = links.link(served.sha256, served.name, served.media_type, served.disposition)
    return RedirectResponse(url, status_code=303, headers={"Cache-Control": "no-store"})
