"""OAI-PMH 2.0 at `/oai`: what is public on the shared shelf, and what was, for harvesters."""

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response

from services.materials.api.deps import PublicUow, TheRepository
from services.materials.api.library.oai_answers import Answer, error_answer
from services.materials.domain.oai import (
    OaiError,
    bad_argument,
    bad_token,
    check_prefix,
    read_identifier,
    read_request,
    read_selection,
    read_token,
    write_token,
)
from services.materials.domain.repository import Repository
from services.materials.usecases import harvest
from shared.db.unit_of_work import UnitOfWork
from shared.http.language import language_of

PATH = "/oai"
MAX_REQUEST_BYTES = 16 * 1024
_FAILED = {"description": "The database does not answer; `Retry-After` says when to come back."}
_XML = {"description": "The answer, or an `error` of the protocol.", "content": {"text/xml": {}}}
router = APIRouter(tags=["OAI-PMH 2.0"])


@router.get(PATH, summary="OAI-PMH 2.0", response_class=Response, responses={200: _XML, 503: _FAILED})
async def oai_get(request: Request, uow: PublicUow, repository: TheRepository) -> Response:
    """All verbs, formats `oai_dc` and `lom`, sets by subject, grade and school, persistent tombstones. No token."""
    return await _answer(request, uow, repository, request.scope["query_string"])


@router.post(PATH, summary="OAI-PMH 2.0, as a form", response_class=Response, responses={200: _XML, 503: _FAILED})
async def oai_post(request: Request, uow: PublicUow, repository: TheRepository) -> Response:
    """As `GET`; the arguments are the body, `application/x-www-form-urlencoded`."""
    return await _answer(request, uow, repository, await request.body())


async def _answer(request: Request, uow: UnitOfWork, repository: Repository, written: bytes) -> Response:
    arguments: Mapping[str, str] = {}
    try:
        verb, given = read_request(_pairs(written))
        arguments = {"verb": verb, **given}
        return await _VERBS[verb](uow, repository, given)
    except OaiError as error:
        language = language_of(request.headers.get("accept-language"))
        return error_answer(repository, await uow.now(), arguments, error, language)


def _pairs(written: bytes) -> list[tuple[str, str]]:
    try:
        text = written.decode("ascii")
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=20)
    except ValueError as failure:
        raise bad_argument("Tham số không đọc được.", "The arguments cannot be read.") from failure


async def _identify(uow: UnitOfWork, repository: Repository, given: Mapping[str, str]) -> Response:
    earliest, settled = await harvest.first_change(uow)
    answer = Answer(repository, settled, {"verb": "Identify", **given})
    answer.identify(earliest)
    return answer.response()


async def _formats(uow: UnitOfWork, repository: Repository, given: Mapping[str, str]) -> Response:
    now = await uow.now()
    if "identifier" in given:
        _, now = await harvest.record(uow, read_identifier(repository.domain, given["identifier"]))
    answer = Answer(repository, now, {"verb": "ListMetadataFormats", **given})
    answer.formats()
    return answer.response()


async def _sets(uow: UnitOfWork, repository: Repository, given: Mapping[str, str]) -> Response:
    if given:
        raise bad_token()  # the list has one page, so no token was ever given out
    answer = Answer(repository, await uow.now(), {"verb": "ListSets"})
    answer.sets(await harvest.sets(uow))
    return answer.response()


async def _record(uow: UnitOfWork, repository: Repository, given: Mapping[str, str]) -> Response:
    item, settled = await harvest.record(uow, read_identifier(repository.domain, given["identifier"]))
    check_prefix(given["metadataPrefix"])
    answer = Answer(repository, settled, {"verb": "GetRecord", **given})
    answer.record(answer.verb("GetRecord"), item, given["metadataPrefix"])
    return answer.response()


def _list_of(verb: str, *, whole: bool) -> "Verb":
    async def list_page(uow: UnitOfWork, repository: Repository, given: Mapping[str, str]) -> Response:
        if "resumptionToken" in given:
            selection, place = read_token(verb, given["resumptionToken"])
        else:
            selection, place = read_selection(given), None
        page = await harvest.harvest(uow, selection, place)
        answer = Answer(repository, page.settled, {"verb": verb, **given})
        parent = answer.verb(verb)
        for item in page.items:
            if whole:
                answer.record(parent, item, selection.prefix)
            else:
                answer.header(parent, item)
        if place is not None or page.following is not None:
            token = "" if page.following is None else write_token(verb, selection, page.following)
            answer.token(parent, token, 0 if place is None else place.cursor)
        return answer.response()

    return list_page


Verb = Callable[[UnitOfWork, Repository, Mapping[str, str]], Awaitable[Response]]
_VERBS: Mapping[str, Verb] = {
    "Identify": _identify,
    "ListMetadataFormats": _formats,
    "ListSets": _sets,
    "ListIdentifiers": _list_of("ListIdentifiers", whole=False),
    "ListRecords": _list_of("ListRecords", whole=True),
    "GetRecord": _record,
}
