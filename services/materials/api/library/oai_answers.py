"""The XML of OAI-PMH: envelope, records, lists, errors. A page is built whole: it has at most a hundred records."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence

from fastapi.responses import PlainTextResponse, Response
from lxml import etree

from services.materials.api.library.lom import LOM, LOM_SCHEMA, write_lom
from services.materials.api.library.oai_dc import OAI_DC, OAI_DC_SCHEMA, write_oai_dc
from services.materials.api.library.xml_parts import XSI, namespaces, written, xml_text
from services.materials.domain.oai import PREFIXES, OaiError, SetSpec, identifier_of, utc
from services.materials.domain.repository import Repository
from services.materials.inspection.safe_xml import Element
from services.materials.storage.shelf_tables import ShelfItem
from services.materials.usecases.harvest import is_deleted, sets_of
from shared.errors import AppError, Language
from shared.http.problems import Shaper, problem_headers

OAI = "http://www.openarchives.org/OAI/2.0/"
_SCHEMA = "http://www.openarchives.org/OAI/2.0/OAI-PMH.xsd"
_IDENTIFIER = "http://www.openarchives.org/OAI/2.0/oai-identifier"
MEDIA_TYPE = "text/xml; charset=utf-8"
# The protocol has a root element without an answer in it only for these.
_ECHOES_NOTHING = frozenset({"badVerb", "badArgument"})

Writer = Callable[[Element, ShelfItem, Repository], None]
_FORMATS: Mapping[str, tuple[str, str, Writer]] = {
    "oai_dc": (OAI_DC_SCHEMA, OAI_DC, write_oai_dc),
    "lom": (LOM_SCHEMA, LOM, write_lom),
}


class Answer:
    """One document. `arguments` are what the `request` element echoes, the verb among them."""

    def __init__(self, repository: Repository, settled: dt.datetime, arguments: Mapping[str, str]) -> None:
        self._repository = repository
        self._root = etree.Element(_named("OAI-PMH"), nsmap=namespaces(OAI, xsi=XSI))
        self._root.set(f"{{{XSI}}}schemaLocation", f"{OAI} {_SCHEMA}")
        # Harvesters come back with this date, so it never lies behind a change they have not been shown.
        _child(self._root, "responseDate", utc(settled))
        request = _child(self._root, "request", repository.oai)
        for name, value in arguments.items():
            request.set(name, xml_text(value))

    def response(self) -> Response:
        body = written(self._root)
        return Response(body, media_type=MEDIA_TYPE, headers={"Cache-Control": "no-cache"})

    def verb(self, name: str) -> Element:
        return _child(self._root, name)

    def identify(self, earliest: dt.datetime) -> None:
        repository, element = self._repository, self.verb("Identify")
        for name, text in (
            ("repositoryName", repository.name),
            ("baseURL", repository.oai),
            ("protocolVersion", "2.0"),
            ("adminEmail", repository.email),
            ("earliestDatestamp", utc(earliest)),
            ("deletedRecord", "persistent"),
            ("granularity", "YYYY-MM-DDThh:mm:ssZ"),
        ):
            _child(element, name, text)
        described = etree.SubElement(
            _child(element, "description"), f"{{{_IDENTIFIER}}}oai-identifier", nsmap=namespaces(_IDENTIFIER)
        )
        described.set(f"{{{XSI}}}schemaLocation", f"{_IDENTIFIER} {_IDENTIFIER}.xsd")
        for name, text in (
            ("scheme", "oai"),
            ("repositoryIdentifier", repository.domain),
            ("delimiter", ":"),
            ("sampleIdentifier", f"oai:{repository.domain}:0192f0c1-7d3a-7c55-8d1e-2f4b6a8c0e12"),
        ):
            etree.SubElement(described, f"{{{_IDENTIFIER}}}{name}").text = text

    def formats(self) -> None:
        element = self.verb("ListMetadataFormats")
        for prefix in PREFIXES:
            schema, namespace, _ = _FORMATS[prefix]
            each = _child(element, "metadataFormat")
            _child(each, "metadataPrefix", prefix)
            _child(each, "schema", schema)
            _child(each, "metadataNamespace", namespace)

    def sets(self, sets: Sequence[tuple[SetSpec, str]]) -> None:
        element = self.verb("ListSets")
        for spec, name in sets:
            each = _child(element, "set")
            _child(each, "setSpec", str(spec))
            _child(each, "setName", name)

    def record(self, parent: Element, item: ShelfItem, prefix: str) -> None:
        """A tombstone is a header alone."""
        record = _child(parent, "record")
        self.header(record, item)
        if not is_deleted(item):
            _, _, write = _FORMATS[prefix]
            write(_child(record, "metadata"), item, self._repository)

    def header(self, parent: Element, item: ShelfItem) -> None:
        header = _child(parent, "header")
        if is_deleted(item):
            header.set("status", "deleted")
        _child(header, "identifier", identifier_of(self._repository.domain, item.material_id))
        _child(header, "datestamp", utc(item.changed_at))
        for spec in sets_of(item):
            _child(header, "setSpec", str(spec))

    def token(self, parent: Element, token: str, cursor: int) -> None:
        """An empty one ends a list of several pages."""
        _child(parent, "resumptionToken", token or None).set("cursor", str(cursor))

    def error(self, code: str, message: str) -> None:
        _child(self._root, "error", message).set("code", code)


def _named(name: str) -> str:
    return f"{{{OAI}}}{name}"


def _child(parent: Element, name: str, text: str | None = None) -> Element:
    child = etree.SubElement(parent, _named(name))
    child.text = None if text is None else xml_text(text)
    return child


def error_answer(
    repository: Repository, now: dt.datetime, arguments: Mapping[str, str], error: OaiError, language: Language
) -> Response:
    answer = Answer(repository, now, {} if error.code in _ECHOES_NOTHING else arguments)
    answer.error(error.code, error.text.of(language))
    return answer.response()


def oai_shaper(repository: Repository, now: Callable[[], dt.datetime]) -> Shaper:
    """What fails before or beside the protocol keeps its status; a client's mistake is told as the protocol's own."""

    def shape(error: AppError, status: int, language: Language) -> Response:
        if status >= 500 or status == 429:
            # The protocol leaves these to HTTP: harvesters wait for `Retry-After`.
            return PlainTextResponse(error.text.of(language), status, problem_headers(error, status, language))
        answer = Answer(repository, now(), {})
        answer.error("badArgument", error.text.of(language))
        response = answer.response()
        response.status_code = status
        response.headers.update(problem_headers(error, status, language))
        return response

    return shape
