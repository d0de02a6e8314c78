"""How far approved materials cover the curriculum."""

import csv
import datetime as dt
import io
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from services.materials.api.routes import PREFIX
from services.materials.api.schemas import CLOSED, Shape
from services.materials.domain.catalogue import Grade, check_subjects
from services.materials.domain.coverage import Cell, Standing
from services.materials.usecases import coverage
from services.materials.usecases.coverage import Coverage
from shared.http.unit_of_work import CurrentPrincipal, Uow

router = APIRouter(prefix=f"{PREFIX}/coverage", tags=["coverage"])

Org = Annotated[str, Query(max_length=255, description="sourcedId of a school, commune, cluster or the department.")]
_COLUMNS = ("subject", "grade", "approved", "needed", "share", "missing", "due", "standing")


class CellOut(Shape):
    """One subject in one grade."""

    subject: str
    grade: str
    approved: int = Field(description="Materials with both steps; one of several grades counts in each.")
    needed: int | None = Field(description="What the department wants; null: it has not said.")
    share: float | None = Field(description="Approved of needed, at most 1; null without a need.")
    missing: int
    due: dt.date | None = Field(description="The roadmap's last day for this grade.")
    standing: Standing

    @classmethod
    def from_cell(cls, cell: Cell) -> "CellOut":
        share = None if cell.share is None else round(float(cell.share), 4)
        return cls(
            subject=cell.subject,
            grade=cell.grade,
            approved=cell.approved,
            needed=cell.needed,
            share=share,
            missing=cell.missing,
            due=cell.due,
            standing=cell.standing,
        )


class CoverageOut(Shape):
    """`approved` is what criterion 1.4 counts; whether slides count there is for the rubric to say."""

    org: str
    on: dt.date
    schools: int
    approved: int
    presentations: int
    cells: list[CellOut]
    gaps: list[CellOut]

    @classmethod
    def from_coverage(cls, found: Coverage) -> "CoverageOut":
        return cls(
            org=found.org,
            on=found.on,
            schools=found.schools,
            approved=found.totals.approved,
            presentations=found.totals.presentations,
            cells=[CellOut.from_cell(cell) for cell in found.cells],
            gaps=[CellOut.from_cell(cell) for cell in found.gaps],
        )


class RequirementCoverageOut(Shape):
    code: str
    text: str
    approved: int


class RequirementsOut(Shape):
    """`share` of the requirements that are covered; null where none were imported."""

    items: list[RequirementCoverageOut]
    covered: int
    share: float | None
    gaps: list[str]


class MonthOut(Shape):
    on: dt.date
    approved: int


class HistoryOut(Shape):
    items: list[MonthOut]


class NeedIn(Shape):
    model_config = CLOSED

    subject: str = Field(max_length=64)
    grade: Grade
    needed: int = Field(ge=0, le=10_000)


class NeedsIn(Shape):
    model_config = CLOSED

    items: list[NeedIn] = Field(max_length=500)


@router.get(
    "",
    summary="The matrix of grades and subjects",
    response_model=CoverageOut,
    responses={200: {"content": {"text/csv": {}}}},
)
async def read_coverage(
    request: Request,
    principal: CurrentPrincipal,
    uow: Uow,
    org: Org,
    on: Annotated[dt.date | None, Query(description="As of the end of this day in Vietnam; today without it.")] = None,
    subject: Annotated[str | None, Query(max_length=64)] = None,
    grade: Grade | None = None,
) -> CoverageOut | Response:
    """Approved items against what is needed and the roadmap's days; `gaps` are the cells that lack some.

    For a unit above schools, over those that stood below it on that day. `Accept: text/csv` answers a table.
    """
    shown = CoverageOut.from_coverage(await coverage.read_coverage(uow, principal, org, on))
    for cells in (shown.cells, shown.gaps):
        cells[:] = [cell for cell in cells if subject in {None, cell.subject} and grade in {None, cell.grade}]
    if "text/csv" in request.headers.get("accept", ""):
        return Response(_table(shown.cells), media_type="text/csv; charset=utf-8")
    return shown


@router.get("/history", summary="Approved items over time")
async def read_history(
    principal: CurrentPrincipal,
    uow: Uow,
    org: Org,
    first: Annotated[dt.date, Query(alias="from")],
    last: Annotated[dt.date, Query(alias="to")],
) -> HistoryOut:
    """At the end of each month from `from` to `to`, computed from the times of approval and withdrawal."""
    months = await coverage.read_history(uow, principal, org, first, last)
    return HistoryOut(items=[MonthOut(on=day, approved=approved) for day, approved in months])


@router.get("/requirements", summary="The requirements of one subject in one grade")
async def read_requirements(
    principal: CurrentPrincipal,
    uow: Uow,
    org: Org,
    subject: Annotated[str, Query(max_length=64)],
    grade: Grade,
    on: Annotated[dt.date | None, Query(description="As of the end of this day in Vietnam; today without it.")] = None,
) -> RequirementsOut:
    """Which requirements (yêu cầu cần đạt) have a material with both steps, and which have none."""
    found = await coverage.read_requirements(uow, principal, org, on, subject, grade)
    items = [RequirementCoverageOut(code=each.code, text=each.text, approved=each.approved) for each in found]
    covered = sum(each.approved > 0 for each in found)
    share = round(covered / len(found), 4) if found else None
    return RequirementsOut(
        items=items, covered=covered, share=share, gaps=[each.code for each in found if not each.approved]
    )


@router.put("/needs", status_code=204, summary="Say how many are needed")
async def set_needs(body: NeedsIn, principal: CurrentPrincipal, uow: Uow) -> None:
    """By the department, for each subject and grade; in place of all that was said before."""
    for place, need in enumerate(body.items):
        check_subjects(need.subject, [], [need.grade], under=f"/items/{place}")
    await coverage.set_needs(uow, principal, [(need.subject, need.grade, need.needed) for need in body.items])


def _table(cells: list[CellOut]) -> str:
    held = io.StringIO()
    writer = csv.DictWriter(held, _COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(cell.model_dump(include=set(_COLUMNS), mode="json") for cell in cells)
    return held.getvalue()
