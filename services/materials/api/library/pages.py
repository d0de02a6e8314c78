"""`/library`: landing pages, files, feeds and sitemaps of what is public on the shared shelf. Nobody needs a token."""

import json
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from services.materials.api import html
from services.materials.api.deps import Position, PublicUow, Store, TheRepository
from services.materials.api.download import Served
from services.materials.api.library import feeds, json_ld, page, signposting
from services.materials.api.library import sitemap as sitemaps
from services.materials.api.library.negotiation import conditional, preferred
from services.materials.api.routes import FILE_RESPONSES, answer_served
from services.materials.domain.catalogue import Grade
from services.materials.domain.file_names import download_name
from services.materials.domain.file_types import BY_MEDIA_TYPE
from services.materials.domain.repository import Repository
from services.materials.storage.shelf import ShelfFilters
from services.materials.storage.shelf_tables import ShelfItem
from services.materials.usecases import read_public
from shared.db.unit_of_work import UnitOfWork
from shared.errors import AppError, Language
from shared.http.language import language_of
from shared.http.problems import Shaper, problem_headers

PREFIX = "/library"
router = APIRouter(tags=["library"])
_OFFERED = ("text/html", json_ld.MEDIA_TYPE, signposting.LINKSET)
_READABLE: dict[int | str, dict[str, Any]] = {
    304: {"description": "The caller has it already."},
    404: {"description": "There is no such public material."},
    410: {"description": "It was public once."},
}
# Not a UUID in the signature: an address that cannot be one is simply not there.
Id = Annotated[str, Path(alias="material_id", description="Id of the material.")]
Lang = Annotated[str | None, Query(alias="lang", max_length=5, description="`vi` or `en`; goes before the header.")]


def library_shaper(repository: Repository) -> Shaper:
    """Errors as pages. A parameter that no address has leads to a page that is not there."""

    def shape(error: AppError, status: int, language: Language) -> Response:
        headers = problem_headers(error, status, language) | page.HEADERS
        return Response(page.error_page(error, repository, language), status, headers, html.MEDIA_TYPE)

    return shape


@router.get("/robots.txt", summary="What search engines may read", response_class=Response)
async def robots(repository: TheRepository) -> Response:
    return Response(sitemaps.robots(repository), media_type="text/plain; charset=utf-8")


@router.get(f"{PREFIX}/sitemap.xml", summary="Index of the sitemaps", response_class=Response)
async def sitemap_index(request: Request, uow: PublicUow, repository: TheRepository) -> Response:
    body = sitemaps.sitemap_index(await read_public.sitemap_starts(uow), repository)
    return conditional(request, body, sitemaps.MEDIA_TYPE, {})


@router.get(f"{PREFIX}/sitemap-pages.xml", summary="A sitemap", response_class=Response)
async def sitemap_pages(
    request: Request, uow: PublicUow, repository: TheRepository, after: UUID | None = None
) -> Response:
    """The landing pages behind the id `after`, in the order of ids."""
    body = sitemaps.sitemap(await read_public.sitemap(uow, after), repository)
    return conditional(request, body, sitemaps.MEDIA_TYPE, {})


Subject = Annotated[str | None, Query(max_length=64, description="Code of a subject.")]
School = Annotated[str | None, Query(max_length=255, description="sourcedId of the school it comes from.")]


async def _feed(
    uow: UnitOfWork, repository: Repository, subject: str | None, grade: str | None, school: str | None
) -> feeds.Feed:
    chosen = {name: each for name, each in (("subject", subject), ("grade", grade), ("school", school)) if each}
    items, changed = await read_public.newest(uow, ShelfFilters(**chosen))  # type: ignore[arg-type]  # texts all
    return feeds.Feed(repository, f"?{urlencode(chosen)}" if chosen else "", items, changed)


@router.get(f"{PREFIX}/feed.atom", summary="New public materials, as Atom", response_class=Response)
async def atom(
    request: Request,
    uow: PublicUow,
    repository: TheRepository,
    subject: Subject = None,
    grade: Grade | None = None,
    school: School = None,
) -> Response:
    """The fifty newest. Ask again with `If-None-Match`."""
    feed = await _feed(uow, repository, subject, grade, school)
    return conditional(request, feeds.atom(feed), feeds.ATOM_TYPE, {}, feed.changed)


@router.get(f"{PREFIX}/feed.rss", summary="New public materials, as RSS 2.0", response_class=Response)
async def rss(
    request: Request,
    uow: PublicUow,
    repository: TheRepository,
    subject: Subject = None,
    grade: Grade | None = None,
    school: School = None,
) -> Response:
    """The fifty newest. Ask again with `If-None-Match`."""
    feed = await _feed(uow, repository, subject, grade, school)
    return conditional(request, feeds.rss(feed), feeds.RSS_TYPE, {}, feed.changed)


@router.head(f"{PREFIX}/{{material_id}}", response_class=Response, include_in_schema=False)
@router.get(
    f"{PREFIX}/{{material_id}}", summary="Landing page of a material", response_class=Response, responses=_READABLE
)
async def landing(
    material_id: Id, request: Request, uow: PublicUow, repository: TheRepository, lang: Lang = None
) -> Response:
    """A page for people with typed links for machines; JSON-LD or the linkset where `Accept` prefers it."""
    item = await _item(uow, material_id)
    chosen = preferred(request.headers.get("accept"), _OFFERED)
    if chosen == json_ld.MEDIA_TYPE:
        return _described(request, item, repository)
    if chosen == signposting.LINKSET:
        return _linkset(request, item, repository)
    language = language_of(lang or request.headers.get("accept-language"))
    links = signposting.links_of(item, repository)
    headers = page.HEADERS | {
        "Link": signposting.header_of(links),
        "Vary": "Accept, Accept-Language",
        "Content-Language": language,
    }
    return conditional(
        request, page.landing_page(item, repository, links, language), html.MEDIA_TYPE, headers, item.changed_at
    )


@router.get(f"{PREFIX}/{{material_id}}/metadata.jsonld", summary="A material as JSON-LD", response_class=Response)
async def described(material_id: Id, request: Request, uow: PublicUow, repository: TheRepository) -> Response:
    """schema.org `LearningResource`."""
    return _described(request, await _item(uow, material_id), repository)


@router.get(f"{PREFIX}/{{material_id}}/linkset.json", summary="Links of a material", response_class=Response)
async def linkset(material_id: Id, request: Request, uow: PublicUow, repository: TheRepository) -> Response:
    """RFC 9264."""
    return _linkset(request, await _item(uow, material_id), repository)


@router.head(f"{PREFIX}/{{material_id}}/files/{{position}}", response_class=Response, include_in_schema=False)
@router.get(
    f"{PREFIX}/{{material_id}}/files/{{position}}",
    summary="Download a file of a public material",
    response_class=Response,
    responses=FILE_RESPONSES,
)
async def download(
    material_id: Id, position: Position, request: Request, uow: PublicUow, store: Store, repository: TheRepository
) -> Response:
    """As the files of a material."""
    of = _id_of(material_id)
    file = (await read_public.read_public_file(uow, of, position)).file
    name = download_name(file["name"], BY_MEDIA_TYPE[file["mediaType"]])
    response = await answer_served(request, store, Served(file["sha256"], file["size"], file["mediaType"], name))
    response.headers["Link"] = f'<{repository.landing(of)}>; rel="collection"; type="text/html"'
    return response


def _id_of(text: str) -> UUID:
    try:
        found = UUID(text)
    except ValueError as failure:
        raise read_public.unknown() from failure
    if str(found) != text.lower():
        raise read_public.unknown()
    return found


async def _item(uow: UnitOfWork, material_id: str) -> ShelfItem:
    return await read_public.read_public(uow, _id_of(material_id))


def _described(request: Request, item: ShelfItem, repository: Repository) -> Response:
    body = json.dumps(json_ld.json_ld(item, repository), ensure_ascii=False).encode()
    return conditional(request, body, json_ld.MEDIA_TYPE, {"Vary": "Accept"}, item.changed_at)


def _linkset(request: Request, item: ShelfItem, repository: Repository) -> Response:
    body = json.dumps(signposting.linkset_of(item, repository), ensure_ascii=False).encode()
    return conditional(request, body, signposting.LINKSET, {"Vary": "Accept"}, item.changed_at)
