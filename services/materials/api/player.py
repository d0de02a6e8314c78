"""The player of SCORM packages at the address for content: a package's own files, and a page that answers for an LMS.

A package runs as what it is, somebody's program: at an origin that has no cookies and no API, from which it can call no
other. What it reports is kept in the page and gone with it: results are recorded by an LMS that imports the package.
"""

import mimetypes
import pathlib
import secrets
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import HTMLResponse, StreamingResponse

from services.materials.api.html import document, style_source
from services.materials.api.links import Links
from services.materials.domain.signed_links import PLAYER, PREFIX
from services.materials.storage.packed_files import PackedFiles
from services.materials.storage.tables import FileCheck
from shared.errors import not_found
from shared.http.language import language_of
from shared.http.markup import Markup, element

router = APIRouter(prefix=f"{PREFIX}/packages", tags=["content"])
PLAYABLE = frozenset({"scorm_1_2", "scorm_2004"})
# A package may do with itself what it likes, and reach nobody else: neither to send nor to load.
_POLICY = "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; object-src 'none'; base-uri 'self'"
_COMMON: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, max-age=3600",
}
_STYLE = "html,body{margin:0;height:100%}iframe{border:0;width:100%;height:100%;display:block}"
_SCRIPT = pathlib.Path(__file__).with_suffix(".js").read_text("utf-8")


def launch_of(check: FileCheck | None) -> str | None:
    """The page a package starts at, when the player can play it."""
    if check is None or check.kind not in PLAYABLE:
        return None
    launch = check.details.get("launch")
    return launch if isinstance(launch, str) and launch else None


Sha256 = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]
Grant = Annotated[str, Path(max_length=4000)]


@router.head("/{sha256}/{grant}/{path:path}", response_class=Response, include_in_schema=False)
@router.get("/{sha256}/{grant}/{path:path}", summary="A file of a package by a signed link", response_class=Response)
async def read(sha256: Sha256, grant: Grant, path: str, request: Request) -> Response:
    """No token is needed: the path carries what it allows, signed, for some hours."""
    links: Links = request.app.state.links
    link = links.package(sha256, grant)
    if path == PLAYER:
        return _player(link.launch, request)
    packed: PackedFiles = request.app.state.packed_files
    file = await packed.find(sha256, path)
    if file is None:
        raise not_found("package.file_unknown", vi="Gói không có tệp này.", en="The package has no such file.")
    media_type = mimetypes.guess_type(path)[0] or "application/octet-stream"
    headers = {**_COMMON, "Content-Security-Policy": _POLICY, "Content-Length": str(file.size)}
    if request.method == "HEAD":
        return Response(headers=headers, media_type=media_type)
    return StreamingResponse(packed.read(sha256, file), headers=headers, media_type=media_type)


def _player(launch: str, request: Request) -> Response:
    nonce = secrets.token_urlsafe(16)
    language = language_of(request.headers.get("accept-language"))
    frame = element("iframe", src=quote(launch), title="SCORM", allowfullscreen="allowfullscreen")
    body = document("SCORM", language, [Markup(f'<script nonce="{nonce}">{_SCRIPT}</script>')], [frame], style=_STYLE)
    policy = f"default-src 'none'; frame-src 'self'; script-src 'nonce-{nonce}'; style-src {style_source(_STYLE)}"
    return HTMLResponse(body, headers={**_COMMON, "Content-Security-Policy": policy})
