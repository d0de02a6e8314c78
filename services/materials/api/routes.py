"""The library: create, review, list, read, download."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.materials.api.deps import IfMatch, ListFilters, MaterialId, Received, Store
from services.materials.api.download import file_response
from services.materials.api.schemas import MaterialIn, MaterialOut, MaterialSummaryOut, ReturnIn
from services.materials.storage.materials import MaterialRecord
from services.materials.usecases import queries, review_material
from services.materials.usecases.create_material import create_material
from shared.errors import invalid
from shared.http.etag import set_etag
from shared.http.idempotency import IdempotentRoute
from shared.http.paging import Cursor, Limit, Page, decode_cursor, encode_cursor
from shared.http.unit_of_work import CurrentPrincipal, Uow

PREFIX = "/materials/v1"
router = APIRouter(prefix=PREFIX, route_class=IdempotentRoute, tags=["materials"])


def _upload_body() -> dict[str, Any]:
    """FastAPI cannot see a body that is streamed away; its enumerations are named by other routes' schemas."""
    metadata = MaterialIn.model_json_schema(ref_template="#/components/schemas/{model}")
    metadata.pop("$defs", None)
    parts = {
        "type": "object",
        "required": ["metadata", "file"],
        "properties": {"metadata": metadata, "file": {"type": "string", "format": "binary"}},
    }
    content = {"schema": parts, "encoding": {"metadata": {"contentType": "application/json"}}}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": content}}}


def _shown(response: Response, record: MaterialRecord) -> MaterialOut:
    set_etag(response, record.material.version)
    return MaterialOut.from_row(record)


@router.post("/materials", status_code=201, summary="Put in a new material", openapi_extra=_upload_body())
async def create(received: Received, principal: CurrentPrincipal, uow: Uow, response: Response) -> MaterialOut:
    """Put a new material into the school's library, as a draft: `metadata` (JSON) first, then one `file`.

    Accepted by content, not by name: PDF, PNG, JPEG, MP4, DOCX, PPTX, XLSX without macros.
    """
    record = await create_material(uow, principal, received.draft, received.file)
    response.headers["Location"] = f"{PREFIX}/materials/{record.material.id}"
    return _shown(response, record)


@router.get("/materials", summary="List materials, newest first")
async def list_materials(
    principal: CurrentPrincipal, uow: Uow, chosen: ListFilters, limit: Limit = 50, cursor: Cursor = None
) -> Page[MaterialSummaryOut]:
    """Newest first. What is not approved is listed for its author, its school's reviewers and the department only."""
    records, following = await queries.list_materials(uow, principal, chosen, before=_key_of(cursor), limit=limit)
    items = [MaterialSummaryOut.from_row(record) for record in records]
    return Page(items=items, next=None if following is None else encode_cursor(str(following)))


@router.get("/materials/{material_id}", summary="One material, with its review")
async def read(material_id: MaterialId, principal: CurrentPrincipal, uow: Uow, response: Response) -> MaterialOut:
    """One material with its review history; the ETag is for If-Match of an action."""
    return _shown(response, await queries.read_material(uow, principal, material_id))


@router.get(
    "/materials/{material_id}/file",
    summary="Download the file",
    response_class=Response,
    responses={
        200: {"content": {"application/octet-stream": {}}, "description": "The file."},
        206: {"description": "The range asked for."},
        304: {"description": "The caller has this content already."},
        416: {"description": "The range lies outside the file."},
    },
)
async def download(
    material_id: MaterialId, request: Request, principal: CurrentPrincipal, uow: Uow, store: Store
) -> Response:
    """The file's bytes. `Range`, `If-Range` and `If-None-Match` work; the ETag is the SHA-256 of the content."""
    return await file_response(request, store, await queries.read_material(uow, principal, material_id))


@router.post("/materials/{material_id}/submit", summary="Hand in for review")
async def submit(
    material_id: MaterialId, principal: CurrentPrincipal, uow: Uow, check: IfMatch, response: Response
) -> MaterialOut:
    """The author hands it to the subject group, for the first time or after a return."""
    return _shown(response, await review_material.submit_material(uow, principal, material_id, check))


@router.post("/materials/{material_id}/pass", summary="Pass, by the subject group")
async def pass_(
    material_id: MaterialId, principal: CurrentPrincipal, uow: Uow, check: IfMatch, response: Response
) -> MaterialOut:
    """The first step: passed by the subject group (`group_lead`)."""
    return _shown(response, await review_material.pass_material(uow, principal, material_id, check))


@router.post("/materials/{material_id}/approve", summary="Approve, by the head")
async def approve(
    material_id: MaterialId, principal: CurrentPrincipal, uow: Uow, check: IfMatch, response: Response
) -> MaterialOut:
    """The second step: approved by the `head`. The material is in use from now on."""
    return _shown(response, await review_material.approve_material(uow, principal, material_id, check))


@router.post("/materials/{material_id}/return", summary="Send back with a reason")
async def return_(
    material_id: MaterialId,
    body: ReturnIn,
    principal: CurrentPrincipal,
    uow: Uow,
    check: IfMatch,
    response: Response,
) -> MaterialOut:
    """Back to the author with a reason: by the subject group when submitted, by the head when passed."""
    record = await review_material.return_material(uow, principal, material_id, body.reason, check)
    return _shown(response, record)


def _key_of(cursor: str | None) -> UUID | None:
    key = decode_cursor(cursor, 1)
    if key is None:
        return None
    try:
        return UUID(key[0])
    except (ValueError, TypeError, AttributeError) as failure:
        raise invalid(
            "paging.cursor_invalid",
            vi="Con trỏ trang không hợp lệ. Hãy dùng nguyên giá trị next của trang trước.",
            en="The cursor is not valid. Use the value of `next` exactly as the page before gave it.",
        ) from failure
