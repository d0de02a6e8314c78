"""Work on a draft: a new version, its metadata, its files."""

from typing import Annotated

from fastapi import APIRouter, Body, Response

from services.materials.api.deps import IfMatch, MaterialId, OneMoreFile, Position
from services.materials.api.review_schemas import NameIn
from services.materials.api.routes import PREFIX, shown
from services.materials.api.schemas import MaterialOut, MetadataIn, UploadIn
from services.materials.domain.catalogue import check_subjects
from services.materials.domain.file_names import checked_name
from services.materials.domain.material import Metadata
from services.materials.usecases import edit_material
from shared.http.idempotency import IdempotentRoute
from shared.http.unit_of_work import CurrentPrincipal, Uow

router = APIRouter(prefix=f"{PREFIX}/materials/{{material_id}}", route_class=IdempotentRoute, tags=["drafts"])


def _checked(given: MetadataIn) -> Metadata:
    check_subjects(given.subject, given.other_subjects, given.grades, under="")
    return given.to_metadata()


@router.post("/versions", status_code=201, summary="Start a new version")
async def start_version(
    material_id: MaterialId,
    principal: CurrentPrincipal,
    uow: Uow,
    check: IfMatch,
    response: Response,
    body: Annotated[MetadataIn | None, Body()] = None,
) -> MaterialOut:
    """A draft with the files, and unless a body is sent the metadata, of the newest version.

    The version in use stays in use until the new one has gone through the review.
    """
    metadata = None if body is None else _checked(body)
    record = await edit_material.start_version(uow, principal, material_id, metadata, check)
    response.headers["Location"] = f"{PREFIX}/materials/{material_id}?version={record.version.number}"
    return shown(response, record)


@router.put("/metadata", summary="Change what the draft says")
async def change_metadata(
    material_id: MaterialId,
    body: MetadataIn,
    principal: CurrentPrincipal,
    uow: Uow,
    check: IfMatch,
    response: Response,
) -> MaterialOut:
    """The whole metadata of the draft anew. A version that was submitted no longer changes."""
    record = await edit_material.change_metadata(uow, principal, material_id, _checked(body), check)
    return shown(response, record)


_FILE_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
            "application/json": {"schema": UploadIn.model_json_schema()},
        },
    }
}


@router.post("/files", status_code=201, summary="Add a file to the draft", openapi_extra=_FILE_BODY)
async def add_file(
    material_id: MaterialId,
    file: OneMoreFile,
    principal: CurrentPrincipal,
    uow: Uow,
    check: IfMatch,
    response: Response,
) -> MaterialOut:
    """One more file, behind the others: in one request, or a resumable upload that is complete."""
    return shown(response, await edit_material.add_file(uow, principal, material_id, file, check))


@router.put("/files/{position}/name", summary="Rename a file of the draft")
async def rename_file(
    material_id: MaterialId,
    position: Position,
    body: NameIn,
    principal: CurrentPrincipal,
    uow: Uow,
    check: IfMatch,
    response: Response,
) -> MaterialOut:
    """The name people see and save the file under; its content decides what it is."""
    name = checked_name(body.name)
    return shown(response, await edit_material.rename_file(uow, principal, material_id, position, name, check))


@router.delete("/files/{position}", summary="Take a file out of the draft")
async def remove_file(
    material_id: MaterialId,
    position: Position,
    principal: CurrentPrincipal,
    uow: Uow,
    check: IfMatch,
    response: Response,
) -> MaterialOut:
    """The other files keep their positions."""
    return shown(response, await edit_material.remove_file(uow, principal, material_id, position, check))
