"""Search over what the caller's schools use and what the city shares."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field

from services.materials.api.panel_schemas import ShelfItemOut
from services.materials.api.routes import PREFIX
from services.materials.api.schemas import MaterialSummaryOut, Shape
from services.materials.domain.catalogue import Grade, MaterialType
from services.materials.domain.search_words import Wish
from services.materials.storage.search.port import FACETS, Found, Search, Visible
from services.materials.storage.shelf_tables import ShelfItem
from services.materials.usecases import search_library
from services.materials.usecases.keep_index import IndexKeeper
from services.materials.usecases.search_library import Hit
from shared.http.paging import Cursor, bad_cursor, decode_cursor, encode_cursor
from shared.http.unit_of_work import CurrentPrincipal, Uow

router = APIRouter(prefix=f"{PREFIX}/search", tags=["search"])

Facet = Literal["subject", "grade", "type", "school", "licence"]
Values = Annotated[list[str], Query(max_length=20)]


class HitOut(Shape):
    """One thing found: a school's material in use, or a shared one; the other is null."""

    place: Literal["school", "shared"]
    material: MaterialSummaryOut | None = None
    shared: ShelfItemOut | None = None

    @classmethod
    def from_hit(cls, hit: Hit) -> "HitOut":
        if isinstance(hit, ShelfItem):
            return cls(place="shared", shared=ShelfItemOut.from_row(hit))
        return cls(place="school", material=MaterialSummaryOut.from_row(hit))


class FoundOut(Shape):
    """`facets` count over everything found, not over the page."""

    items: list[HitOut]
    total: int
    facets: dict[str, dict[str, int]]
    did_you_mean: str | None = Field(description="Another spelling, when nothing was found.")
    next: str | None


class SuggestionsOut(Shape):
    items: list[str]


@router.get("", summary="Search the library")
async def search(
    request: Request,
    principal: CurrentPrincipal,
    uow: Uow,
    q: Annotated[str, Query(max_length=500, description='Words, "phrases", an unfinished last word.')] = "",
    subject: Values = [],  # noqa: B006  # a query parameter is read and never changed
    grade: Annotated[list[Grade], Query(max_length=7)] = [],  # noqa: B006  # as above
    type: Annotated[list[MaterialType], Query(max_length=12)] = [],  # noqa: A002, B006  # the name in the API
    school: Values = [],  # noqa: B006  # as above
    licence: Values = [],  # noqa: B006  # as above
    requirement: Values = [],  # noqa: B006  # as above
    place: Annotated[
        Literal["school", "shared"] | None, Query(description="Only one of the two; both without.")
    ] = None,
    facets: Annotated[list[Facet], Query(max_length=5, description="Which counts are wanted.")] = [],  # noqa: B006
    sort: Literal["relevance", "newest"] = "relevance",
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Cursor = None,
) -> FoundOut:
    """With and without tone marks: what has the marks that were typed comes first. Without `q`, the newest.

    A filter given several times allows any of its values. A requirement's code finds everything below it too.
    """
    keeper = _keeper(request)
    seen, after = place_of(cursor)
    wanted = Search(
        wish=Wish(),
        visible=Visible(frozenset()),
        filters={
            "subject": subject,
            "grade": grade,
            "type": [each.value for each in type],
            "school": school,
            "licence": licence,
            "requirement": requirement,
        },
        sort=sort,
        limit=limit,
        seen=seen,
        after=after,
        facets=[name for name in FACETS if name in facets],
    )
    results = await search_library.search_library(uow, principal, keeper.index, q, wanted, place=place)
    found = results.found
    return FoundOut(
        items=[HitOut.from_hit(hit) for _, hit in results.hits],
        total=found.total,
        facets={name: dict(counts) for name, counts in found.facets.items()},
        did_you_mean=results.meant,
        next=following(seen, found),
    )


@router.get("/suggestions", summary="Titles while typing")
async def suggest(
    request: Request,
    principal: CurrentPrincipal,
    uow: Uow,
    q: Annotated[str, Query(min_length=1, max_length=200)],
    limit: Annotated[int, Query(ge=1, le=20)] = 8,
) -> SuggestionsOut:
    """Titles with all the words typed so far, the last one unfinished."""
    keeper = _keeper(request)
    return SuggestionsOut(items=await search_library.suggest_titles(uow, principal, keeper.index, q, limit))


def _keeper(request: Request) -> IndexKeeper:
    keeper: IndexKeeper = request.app.state.index_keeper
    keeper.require_built()
    return keeper


def following(seen: int, found: Found) -> str | None:
    """The cursor of the page behind `found`, before which `seen` hits were shown."""
    return encode_cursor(seen + len(found.keys), found.keys[-1]) if found.more else None


def place_of(cursor: str | None) -> tuple[int, str | None]:
    key = decode_cursor(cursor, 2)
    if key is None:
        return 0, None
    seen, after = key
    if not (isinstance(seen, int) and isinstance(after, str) and 0 <= seen <= 10_000):
        raise bad_cursor()
    return seen, after
