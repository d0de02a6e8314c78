"""The pages and the merged OpenAPI document."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from services.gateway.api.deps import HeldParts, PageLanguage
from services.gateway.api.pages.landing import landing_page
from services.gateway.api.pages.reference import STYLE_URL, reference_page

router = APIRouter(include_in_schema=False)

_STYLE = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")
_PAGE_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept-Language",
    "Cache-Control": "no-cache",
}


@router.get("/")
async def landing(language: PageLanguage) -> HTMLResponse:
    return HTMLResponse(landing_page(language), headers=_headers(language))


@router.get("/docs")
async def reference(held: HeldParts, language: PageLanguage) -> HTMLResponse:
    document = await held.documents.merged()
    return HTMLResponse(reference_page(document, language, held.public_url), headers=_headers(language))


@router.get(STYLE_URL)
async def style() -> Response:
    headers = {"Cache-Control": "public, max-age=300", "X-Content-Type-Options": "nosniff"}
    return Response(_STYLE, media_type="text/css", headers=headers)


@router.get("/openapi.json")
async def openapi(held: HeldParts) -> dict[str, Any]:
    return await held.documents.merged()


def _headers(language: str) -> dict[str, str]:
    return {**_PAGE_HEADERS, "Content-Language": language}
