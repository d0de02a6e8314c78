"""`/sync/v1/catalogues`: the code lists, with version, labels in two languages and confidence."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field

from services.sync.api.deps import Reader
from services.sync.api.schemas import Shape
from services.sync.domain.code_lists import code_lists, tag_of
from shared.errors import not_found
from shared.http.idempotency import IdempotentRoute

router = APIRouter(prefix="/sync/v1", route_class=IdempotentRoute, tags=["catalogues"])
Name = Annotated[str, Path(max_length=100)]
_UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "Not modified since the ETag given"}}


class Words(Shape):
    vi: str
    en: str


class CatalogueHead(Shape):
    name: str
    version: int
    title: Words
    source: Words


class Catalogues(Shape):
    items: list[CatalogueHead]


class PlannedPeriods(Shape):
    grade: str
    kind: str = Field(description="compulsory, elective or optional.")
    periods: int | None = Field(description="Periods a year; null where no source says.")
    verified: bool


class CatalogueEntry(Shape):
    code: str
    vi: str
    en: str
    verified: bool = Field(description="False: not checked against the official text; map by label.")
    level: str | None = None
    active: bool | None = Field(default=None, description="Learner states: counts as a learner of the school.")
    planned: list[PlannedPeriods] | None = Field(default=None, description="Subjects: periods a year by grade.")


class Catalogue(CatalogueHead):
    entries: list[CatalogueEntry]


def _unchanged(request: Request, response: Response, content: Any) -> Response | None:
    tag = tag_of(content)
    response.headers["ETag"] = tag
    if request.headers.get("if-none-match", "").strip() == tag:
        return Response(status_code=304, headers={"ETag": tag})
    return None


@router.get("/catalogues", response_model=Catalogues, responses=_UNCHANGED, summary="All code lists")
async def get_catalogues(_principal: Reader, request: Request, response: Response) -> Any:
    """Name, version and source of each list."""
    lists = list(code_lists().values())
    return _unchanged(request, response, lists) or {"items": lists}


@router.get(
    "/catalogues/{name}",
    response_model=Catalogue,
    response_model_exclude_unset=True,
    responses=_UNCHANGED,
    summary="One code list with its entries",
)
async def get_catalogue(name: Name, _principal: Reader, request: Request, response: Response) -> Any:
    """Levels, grades, subjects with planned periods, states of learners and staff, withdrawal reasons."""
    found = code_lists().get(name)
    if found is None:
        raise not_found("catalogue.unknown", vi="Không có danh mục này.", en="There is no such catalogue.")
    return _unchanged(request, response, found) or found
