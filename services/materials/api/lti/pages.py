"""The pages of a session: the picker for who chooses, the viewer for a link. The token in the address is enough."""

import secrets
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Path, Query, Request, Response
from fastapi.responses import HTMLResponse

from services.materials.api.deps import PublicUow
from services.materials.api.links import Links
from services.materials.api.lti.login import PREFIX, Tool
from services.materials.api.lti.parts import page_headers
from services.materials.api.lti.picker_page import Asked, Shelf, handed_over_page, picker_page
from services.materials.api.lti.viewer_page import viewer_page
from services.materials.api.search import following, place_of
from services.materials.domain.search_words import Wish
from services.materials.storage.search.port import Search, Visible
from services.materials.usecases import lti_library
from services.materials.usecases.keep_index import IndexKeeper
from services.materials.usecases.lti_library import MOST_CHOSEN, Visitor
from shared.db.unit_of_work import UnitOfWork
from shared.http.paging import Cursor

router = APIRouter(prefix=f"{PREFIX}/sessions", tags=["lti"])
_PER_PAGE = 10
Token = Annotated[str, Path(min_length=20, max_length=100, description="Token of the session.")]
Chosen = Annotated[list[UUID], Query(max_length=MOST_CHOSEN)]


@router.get("/{token}", summary="The page of a session", response_class=HTMLResponse)
async def show(
    token: Token,
    request: Request,
    uow: PublicUow,
    tool: Tool,
    q: Annotated[str, Query(max_length=500)] = "",
    subject: Annotated[str, Query(max_length=64)] = "",
    grade: Annotated[str, Query(max_length=2)] = "",
    type: Annotated[str, Query(max_length=64)] = "",  # noqa: A002  # the field's name
    material: Chosen = [],  # noqa: B006  # a query parameter is read and never changed
    preview: UUID | None = None,
    file: Annotated[int | None, Query(ge=1, le=32767)] = None,
    cursor: Cursor = None,
) -> Response:
    """The material of a link; or the picker, and with `preview` one material of it."""
    visitor = await lti_library.enter(uow, token)
    of = visitor.session.material_id or preview
    if of is not None:
        return await _viewer(request, uow, tool.name, visitor, of, file)
    asked = Asked(q, subject or None, grade or None, type or None, tuple(str(each) for each in material))
    return await _picker(request, uow, tool.name, visitor, asked, material, cursor)


@router.post("/{token}", summary="Choose materials", response_class=HTMLResponse)
async def choose(
    token: Token,
    request: Request,
    uow: PublicUow,
    tool: Tool,
    material: Annotated[list[UUID], Form(max_length=MOST_CHOSEN)] = [],  # noqa: B006  # as above
) -> Response:
    """Back to the LMS with links to the chosen materials, signed."""
    visitor = await lti_library.enter_to_choose(uow, token)
    if not material:
        return await _picker(request, uow, tool.name, visitor, Asked(), [], None, empty=True)
    address, message = await lti_library.choose(uow, tool, visitor, material)
    nonce = secrets.token_urlsafe(16)
    body = handed_over_page(address, message, nonce, name=tool.name, language=visitor.language)
    return HTMLResponse(body, headers=page_headers(script=nonce))


async def _viewer(
    request: Request, uow: UnitOfWork, name: str, visitor: Visitor, of: UUID, file: int | None
) -> Response:
    found = await lti_library.read(uow, visitor, of)
    links: Links = request.app.state.links
    chooses = visitor.deep_linking is not None
    body = viewer_page(found, file, links, name=name, language=visitor.language, chooses=chooses)
    return HTMLResponse(body, headers=page_headers(content=links.base))


async def _picker(
    request: Request,
    uow: UnitOfWork,
    name: str,
    visitor: Visitor,
    asked: Asked,
    chosen: list[UUID],
    cursor: str | None,
    *,
    empty: bool = False,
) -> Response:
    keeper: IndexKeeper = request.app.state.index_keeper
    keeper.require_built()
    seen, after = place_of(cursor)
    filters = {"subject": asked.subject, "grade": asked.grade, "type": asked.type}
    wanted = Search(
        wish=Wish(),
        visible=Visible(frozenset()),
        filters={key: [value] for key, value in filters.items() if value},
        limit=_PER_PAGE,
        seen=seen,
        after=after,
    )
    results = await lti_library.search(uow, visitor, keeper.index, asked.q, wanted)
    shelf = Shelf(
        hits=await lti_library.shown(uow, results),
        chosen=await lti_library.read_several(uow, visitor, chosen) if chosen else [],
        total=results.found.total,
        meant=results.meant,
        following=following(seen, results.found),
    )
    links: Links = request.app.state.links
    deep_linking = visitor.deep_linking
    body = picker_page(
        asked,
        shelf,
        links,
        name=name,
        language=visitor.language,
        multiple=deep_linking is not None and deep_linking.multiple,
        empty=empty,
    )
    return HTMLResponse(body, headers=page_headers(content=links.base))
