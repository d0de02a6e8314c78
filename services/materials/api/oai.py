"""OAI-PMH 2.0 at `/oai`: the public part of the city's shelf, for whoever harvests, without a token."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from fastapi import APIRouter, Request, Response

from services.materials.api import oai_xml
from services.materials.api.oai_xml import Element, add
from services.materials.domain.oai import (
    OaiError,
    Selection,
    arguments_of,
    require_prefix,
    selection_of,
    set_names,
    token_of,
)
from services.materials.usecases import harvest
from shared.db.scope import NOTHING
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork

PREFIX = "/oai"
router = APIRouter(prefix=PREFIX, tags=["oai"])
_XML = "text/xml; charset=utf-8"
_NO_ECHO = frozenset({"badVerb", "badArgument"})
_RESPONSES: dict[int | str, dict[str, Any]] = {200: {"content": {"text/xml": {}}, "description": "OAI-PMH 2.0."}}


@router.get("", summary="Harvest the shared library (OAI-PMH 2.0)", response_class=Response, responses=_RESPONSES)
async def by_get(request: Request) -> Response:
    """All six verbs; formats `oai_dc` and `lom`; sets by subject, grade and school; tombstones stay."""
    return await _answer(request, parse_qsl(request.url.query, keep_blank_values=True))


@router.post("", response_class=Response, include_in_schema=False)
async def by_post(request: Request) -> Response:
    body = (await request.body()).decode("utf-8", "replace")
    return await _answer(request, parse_qsl(body, keep_blank_values=True))


async def _answer(request: Request, pairs: list[tuple[str, str]]) -> Response:
    units: UnitsOfWork = request.app.state.units
    public_url: str = request.app.state.public_url
    base_url = f"{public_url}{PREFIX}"
    async with units.begin(NOTHING) as uow:
        now = await uow.now()
        try:
            given = arguments_of(pairs)
            root = oai_xml.envelope(base_url, now, given)
            await _VERBS[given["verb"]](_Call(uow, root, given, public_url, request.app.state.oai_email))
        except OaiError as error:
            root = oai_xml.envelope(base_url, now, {} if error.code in _NO_ECHO else dict(pairs))
            add(root, "error", error.message, code=error.code)
    return Response(oai_xml.written(root), media_type=_XML)


class _Call:
    """One request: where it writes, what was asked."""

    def __init__(self, uow: UnitOfWork, root: Element, given: dict[str, str], public_url: str, email: str) -> None:
        self.uow = uow
        self.root = root
        self.given = given
        self.public_url = public_url
        self.email = email
        self.domain = urlsplit(public_url).hostname or "localhost"

    def verb(self) -> Element:
        return add(self.root, self.given["verb"])


async def _identify(call: _Call) -> None:
    element = call.verb()
    add(element, "repositoryName", "Kho học liệu số dùng chung")
    add(element, "baseURL", f"{call.public_url}{PREFIX}")
    add(element, "protocolVersion", "2.0")
    add(element, "adminEmail", call.email)
    add(element, "earliestDatestamp", oai_xml.stamp(await harvest.earliest(call.uow)))
    add(element, "deletedRecord", "persistent")
    add(element, "granularity", "YYYY-MM-DDThh:mm:ssZ")


async def _list_formats(call: _Call) -> None:
    if "identifier" in call.given:
        await harvest.get_record(call.uow, call.given["identifier"], call.domain)
    element = call.verb()
    for prefix, schema, namespace in oai_xml.FORMATS:
        format_ = add(element, "metadataFormat")
        add(format_, "metadataPrefix", prefix)
        add(format_, "schema", schema)
        add(format_, "metadataNamespace", namespace)


async def _list_sets(call: _Call) -> None:
    if "resumptionToken" in call.given:
        raise OaiError("badResumptionToken", "The list of sets is answered whole.")
    schools = [(f"school:{school}", school) for school in await harvest.schools(call.uow)]
    element = call.verb()
    for spec, name in [*set_names(), *schools]:
        one = add(element, "set")
        add(one, "setSpec", spec)
        add(one, "setName", name)


async def _list_records(call: _Call) -> None:
    selection = selection_of(call.given)
    found = await harvest.list_records(call.uow, selection)
    element = call.verb()
    for item in found.items:
        if call.given["verb"] == "ListRecords":
            oai_xml.add_record(element, item, selection.prefix, call.domain, call.public_url)
        else:
            oai_xml.add_header(element, item, call.domain)
    _go_on(element, call.given["verb"], selection, found)


def _go_on(element: Element, verb: str, selection: Selection, found: harvest.Harvested) -> None:
    """A token while there is more; an empty one ends a list that had some."""
    if found.following is not None:
        add(element, "resumptionToken", token_of(found.following, verb), cursor=str(selection.sent))
    elif found.resumed:
        add(element, "resumptionToken", cursor=str(selection.sent))


async def _get_record(call: _Call) -> None:
    require_prefix(call.given["metadataPrefix"])
    item = await harvest.get_record(call.uow, call.given["identifier"], call.domain)
    oai_xml.add_record(call.verb(), item, call.given["metadataPrefix"], call.domain, call.public_url)


_VERBS: dict[str, Callable[[_Call], Awaitable[None]]] = {
    "Identify": _identify,
    "ListMetadataFormats": _list_formats,
    "ListSets": _list_sets,
    "ListIdentifiers": _list_records,
    "ListRecords": _list_records,
    "GetRecord": _get_record,
}
