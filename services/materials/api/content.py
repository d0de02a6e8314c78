"""The other origin: files by signed links, for what must never run with the rights of the API's own address.

The gateway answers this path only under the host of `CONTENT_URL`. There are no cookies and no tokens here: a link is
all it takes, and all it gives is one content for some minutes.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from services.materials.api.deps import Store
from services.materials.api.download import Served, serve
from services.materials.api.links import Links
from services.materials.api.routes import FILE_RESPONSES
from services.materials.domain.signed_links import PREFIX, FileLink

router = APIRouter(prefix=PREFIX, tags=["content"])


@router.head("/{sha256}/{name:path}", response_class=Response, include_in_schema=False)
@router.get(
    "/{sha256}/{name:path}", summary="A file by a signed link", response_class=Response, responses=FILE_RESPONSES
)
async def read(
    sha256: Annotated[str, Path(pattern="^[0-9a-f]{64}$")],
    name: str,
    request: Request,
    store: Store,
    type: Annotated[str, Query(max_length=200)],  # noqa: A002  # the name in the link
    disposition: Literal["attachment", "inline"],
    expires: int,
    signature: Annotated[str, Query(max_length=64)],
) -> Response:
    """No token is needed: the link carries what it allows, signed, for some minutes."""
    links: Links = request.app.state.links
    links.check(FileLink(sha256, name, type, disposition, expires), signature)
    size = await store.size(sha256)
    return await serve(request, store, Served(sha256, size or 0, type, name, disposition))
