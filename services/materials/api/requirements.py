"""Curriculum requirements: import, tree walk, search, and the way back to CASE and CSV."""

import asyncio
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from services.materials.api.schemas import Shape
from services.materials.domain.case import read_case
from services.materials.domain.catalogue import Grade
from services.materials.domain.requirement_csv import read_csv, write_csv
from services.materials.domain.requirement_tree import Changes
from services.materials.domain.search_words import fold
from services.materials.storage.requirement_tables import RequirementItem
from services.materials.storage.requirements import RequirementFilters
from services.materials.usecases import requirements
from services.materials.usecases.requirements import Imported
from shared.errors import invalid
from shared.http.idempotency import IdempotentRoute
from shared.http.paging import Cursor, Limit, Page, bad_cursor, decode_cursor, encode_cursor
from shared.http.unit_of_work import CurrentPrincipal, Uow

# Bytes a body may have below this path.
LIMITS = {"/materials/v1/requirements/imports": 16 * 1024 * 1024}

router = APIRouter(prefix="/materials/v1/requirements", route_class=IdempotentRoute, tags=["requirements"])

FrameworkId = Annotated[UUID, Path(description="identifier of the CFDocument.")]
Code = Annotated[str | None, Query(max_length=100)]


class RequirementOut(Shape):
    framework: UUID
    code: str = Field(description="humanCodingScheme of the CFItem.")
    guid: UUID
    uri: str
    parent: str | None
    subject: str | None
    grades: list[str]
    text_vi: str
    text_en: str | None
    path: list[str] = Field(description="Codes from the root of the tree down to this one.")
    valid_from: str
    valid_to: str | None = Field(description="The day it ended; materials that name it keep it.")

    @classmethod
    def from_row(cls, row: RequirementItem) -> "RequirementOut":
        return cls(
            framework=row.framework_id,
            code=row.code,
            guid=row.guid,
            uri=row.uri,
            parent=row.parent,
            subject=row.subject,
            grades=row.grades,
            text_vi=row.text_vi,
            text_en=row.text_en,
            path=row.path,
            valid_from=row.valid_from.isoformat(),
            valid_to=None if row.valid_to is None else row.valid_to.isoformat(),
        )


class ImportOut(Shape):
    framework: UUID
    written: bool = Field(description="false after a dry run.")
    added: list[str]
    changed: list[str]
    ended: list[str]

    @classmethod
    def from_result(cls, result: Imported) -> "ImportOut":
        changes: Changes = result.changes
        return cls(
            framework=result.framework,
            written=result.written,
            added=list(changes.added),
            changed=list(changes.changed),
            ended=list(changes.ended),
        )


@router.post(
    "/imports",
    summary="Import a framework of requirements",
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {}, "text/csv": {}}}},
)
async def import_framework(
    request: Request,
    principal: CurrentPrincipal,
    uow: Uow,
    title: Annotated[str | None, Query(min_length=1, max_length=200, description="Of a CSV; names it.")] = None,
    check: Annotated[bool, Query(description="Only tell what would change.")] = False,  # noqa: FBT002
    verified: Annotated[bool, Query(description="It was compared with the official text.")] = False,  # noqa: FBT002
) -> ImportOut:
    """By the department: a CASE 1.0 or 1.1 package, or CSV, up to 16 MiB. Written whole or not at all."""
    await requirements.admit_importer(uow, principal)
    raw = await request.body()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        framework = await asyncio.to_thread(read_case, raw)
    elif kind == "text/csv" and title is not None:
        framework = await asyncio.to_thread(read_csv, raw, title=title)
    elif kind == "text/csv":
        raise invalid(
            "requirements.title_missing", vi="Tệp CSV cần tham số title.", en="A CSV needs the parameter `title`."
        )
    else:
        raise invalid(
            "media_type.unsupported",
            vi="Chỉ nhận application/json (CASE) hoặc text/csv.",
            en="Send application/json (CASE) or text/csv.",
        )
    return ImportOut.from_result(
        await requirements.import_framework(uow, principal, framework, check=check, verified=verified)
    )


@router.get("", summary="Requirements of the curriculum")
async def list_requirements(
    principal: CurrentPrincipal,
    uow: Uow,
    subject: Annotated[str | None, Query(max_length=64)] = None,
    grade: Grade | None = None,
    parent: Code = None,
    below: Annotated[str | None, Query(max_length=100, description="This code and everything under it.")] = None,
    q: Annotated[str | None, Query(max_length=200, description="Words, with or without tone marks.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[RequirementOut]:
    """Those in force, in the order of their trees."""
    filters = RequirementFilters(subject, grade, parent, below, tuple(fold(q or "").split()))
    rows, following = await requirements.list_requirements(uow, principal, filters, after=_after(cursor), limit=limit)
    items = [RequirementOut.from_row(row) for row in rows]
    return Page(items=items, next=None if following is None else encode_cursor(*following))


@router.get("/frameworks/{framework_id}/case", summary="A framework as a CASE package")
async def export_case(framework_id: FrameworkId, principal: CurrentPrincipal, uow: Uow) -> dict[str, object]:
    """The CFPackage that was imported last, member by member."""
    return await requirements.export_case(uow, principal, framework_id)


@router.get("/frameworks/{framework_id}/csv", summary="A framework as CSV", response_class=Response)
async def export_csv(framework_id: FrameworkId, principal: CurrentPrincipal, uow: Uow) -> Response:
    """UTF-8 with BOM; importing it again changes nothing in a framework that came as CSV."""
    items = await requirements.export_items(uow, principal, framework_id)
    return Response(write_csv(items), media_type="text/csv")


@router.get("/{code}", summary="One requirement")
async def read_requirement(
    code: Annotated[str, Path(max_length=100)], principal: CurrentPrincipal, uow: Uow, framework: UUID | None = None
) -> RequirementOut:
    """Also one that has ended. Where several frameworks have the code: the one in force, unless `framework` says."""
    return RequirementOut.from_row(await requirements.read_requirement(uow, principal, code, framework))


def _after(cursor: str | None) -> tuple[UUID, int] | None:
    key = decode_cursor(cursor, 2)
    if key is None:
        return None
    try:
        return UUID(str(key[0])), int(key[1])
    except (TypeError, ValueError) as failure:
        raise bad_cursor() from failure
