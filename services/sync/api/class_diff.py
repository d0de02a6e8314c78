"""`/sync/v1/imports/{id}/diff/classes`: what an import does to each class, counted."""

import csv
import io
from collections.abc import Iterable
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from sqlalchemy import RowMapping

from services.sync.api.deps import Reader
from services.sync.api.diff_table import cell
from services.sync.api.schemas import Shape
from services.sync.storage.class_diff import CLASS_TYPES, LEARNERS
from services.sync.usecases.class_diff import count_by_class
from shared.http.paging import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, encode_cursor
from shared.http.unit_of_work import Uow

router = APIRouter(prefix="/sync/v1", tags=["imports"])
HEADER = ("school", "class", "title", "type", "added", "changed", "removed")
_ORDER = (LEARNERS, *(record.file for record in CLASS_TYPES))
Filter = Annotated[str | None, Query(max_length=255)]


class ActionCounts(Shape):
    added: int
    changed: int
    removed: int


class ClassDiffOut(Shape):
    school: str
    class_: str = Field(alias="class", description="The class's sourcedId.")
    title: str | None
    learners: ActionCounts = Field(
        description="Learners who come to the class, whose own record changes, and who leave it; a move counts in both."
    )
    counts: dict[str, ActionCounts] = Field(description="Changed records that concern the class, by type.")

    @classmethod
    def of(cls, row: RowMapping) -> Self:
        counts = {name: ActionCounts(**row["counts"][name]) for name in _ORDER if name in row["counts"]}
        learners = counts.pop(LEARNERS, ActionCounts(added=0, changed=0, removed=0))
        return cls(school=row["school"], class_=row["class"], title=row["title"], learners=learners, counts=counts)


@router.get(
    "/imports/{import_id}/diff/classes",
    summary="What a commit changes, counted per class",
    response_model=Page[ClassDiffOut],
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def get_class_diff(  # the parameters are the query's
    request: Request,
    import_id: UUID,
    principal: Reader,
    uow: Uow,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    school: Filter = None,
    class_: Annotated[str | None, Query(alias="class", max_length=255)] = None,
) -> Any:
    """Per class that changes: its title and how many records of each type are added, changed and removed.

    The changes themselves are at `/diff?class=…`. With `Accept: text/csv` the same page as a table, one line per class
    and type; `Link` then leads to the next page.
    """
    key = decode_cursor(cursor, 2)
    after = None if key is None else (str(key[0]), str(key[1]))
    rows = await count_by_class(
        uow, principal, import_id, school=school, class_sourced_id=class_, after=after, limit=limit + 1
    )
    more = encode_cursor(rows[limit - 1]["school"], rows[limit - 1]["class"]) if len(rows) > limit else None
    if "text/csv" in request.headers.get("accept", ""):
        following = request.url.include_query_params(cursor=more)
        links = {"Link": f'<{following.path}?{following.query}>; rel="next"'} if more else {}
        return Response(class_table(rows[:limit]), media_type="text/csv", headers=links)
    return Page[ClassDiffOut](items=[ClassDiffOut.of(row) for row in rows[:limit]], next=more)


def class_table(rows: Iterable[RowMapping]) -> str:
    """CSV in UTF-8 with a byte-order mark, which spreadsheets need to read Vietnamese."""
    buffer = io.StringIO()
    buffer.write("\ufeff")
    writer = csv.writer(buffer)
    writer.writerow(HEADER)
    for row in rows:
        place = [cell(row[name]) for name in ("school", "class", "title")]
        for name in (each for each in _ORDER if each in row["counts"]):
            counts = row["counts"][name]
            writer.writerow([*place, name, *(counts[action] for action in ("added", "changed", "removed"))])
    return buffer.getvalue()
