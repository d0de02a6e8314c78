"""A record as `lom`: IEEE 1484.12.3, the XML binding of Learning Object Metadata.

A value of the standard's own lists is written under `LOMv1.0`, one of ours under our own name.
"""

from collections.abc import Mapping

from lxml import etree

from services.materials.api.library.described import (
    duration,
    licence_url,
    subject_codes,
    subject_name,
    type_name,
    utc,
)
from services.materials.api.library.xml_parts import XSI, namespaces, xml_text
from services.materials.domain.oai import identifier_of
from services.materials.domain.repository import Repository
from services.materials.inspection.safe_xml import Element
from services.materials.storage.shelf_tables import ShelfItem

LOM = "http://ltsc.ieee.org/xsd/LOM"
LOM_SCHEMA = "http://ltsc.ieee.org/xsd/lomv1.0/lom.xsd"
_STANDARD, _OURS = "LOMv1.0", "lien-thong"
# Element 5.2; a type the standard has no word for keeps our own.
_RESOURCE_TYPES: Mapping[str, str] = {
    "e_textbook": "narrative text",
    "reference": "narrative text",
    "test": "exam",
    "presentation": "slide",
    "data_table": "table",
    "image": "figure",
    "e_lecture": "lecture",
    "simulation": "simulation",
}


class _Node:
    """An element that adds its children by name."""

    def __init__(self, element: Element) -> None:
        self._element = element

    def add(self, name: str, text: str | None = None, **attributes: str) -> "_Node":
        child = etree.SubElement(self._element, f"{{{LOM}}}{name}", attributes)
        child.text = None if text is None else xml_text(text)
        return _Node(child)

    def string(self, name: str, text: str, language: str) -> None:
        """A LangString: left out when it is empty."""
        if text:
            self.add(name).add("string", text, language=language)

    def term(self, name: str, value: str, source: str = _STANDARD) -> None:
        child = self.add(name)
        child.add("source", source)
        child.add("value", value)

    def identifier(self, catalogue: str, entry: str) -> None:
        child = self.add("identifier")
        child.add("catalog", catalogue)
        child.add("entry", entry)


def write_lom(parent: Element, item: ShelfItem, repository: Repository) -> None:
    root = etree.SubElement(parent, f"{{{LOM}}}lom", nsmap=namespaces(LOM))
    root.set(f"{{{XSI}}}schemaLocation", f"{LOM} {LOM_SCHEMA}")
    lom = _Node(root)
    _general(lom.add("general"), item, repository)
    _life_cycle(lom.add("lifeCycle"), item, repository)
    about = lom.add("metaMetadata")
    about.identifier("oai", identifier_of(repository.domain, item.material_id))
    about.add("metadataSchema", _STANDARD)
    about.add("language", "vi")
    _technical(lom.add("technical"), item, repository)
    _educational(lom.add("educational"), item)
    _rights(lom.add("rights"), item)
    for source in item.sources:
        relation = lom.add("relation")
        relation.term("kind", "isbasedon")
        relation.add("resource").string("description", source, item.language)
    _classifications(lom, item)


def _general(general: _Node, item: ShelfItem, repository: Repository) -> None:
    general.identifier("URI", repository.landing(item.material_id))
    general.identifier("UUID", str(item.material_id))
    general.string("title", item.title, item.language)
    general.add("language", item.language)
    general.string("description", item.description, item.language)


def _life_cycle(cycle: _Node, item: ShelfItem, repository: Repository) -> None:
    cycle.string("version", str(item.number), "x-none")
    cycle.term("status", "final")
    for author in item.authors:
        contribution = cycle.add("contribute")
        contribution.term("role", "author")
        contribution.add("entity", _vcard(str(author["name"])))
    contribution = cycle.add("contribute")
    contribution.term("role", "publisher")
    contribution.add("entity", _vcard(repository.name, organisation=True))
    contribution.add("date").add("dateTime", utc(item.shared_at))


def _vcard(name: str, *, organisation: bool = False) -> str:
    """RFC 2426, on lines of their own."""
    written = name.replace("\\", "\\\\").replace("\n", " ").replace(",", "\\,").replace(";", "\\;")
    kind = [f"ORG:{written}"] if organisation else []
    lines = ["BEGIN:VCARD", "VERSION:3.0", f"FN:{written}", f"N:{written}", *kind, "END:VCARD"]
    return "\n".join(lines)


def _technical(technical: _Node, item: ShelfItem, repository: Repository) -> None:
    for media_type in dict.fromkeys(str(file["mediaType"]) for file in item.files):
        technical.add("format", media_type)
    technical.add("size", str(sum(int(file["size"]) for file in item.files)))
    for file in item.files:
        technical.add("location", repository.file(item.material_id, file["position"]))


def _educational(educational: _Node, item: ShelfItem) -> None:
    known = _RESOURCE_TYPES.get(item.type)
    if known is not None:
        educational.term("learningResourceType", known)
    educational.term("learningResourceType", type_name(item).en, _OURS)
    educational.term("intendedEndUserRole", "teacher")
    educational.term("intendedEndUserRole", "learner")
    educational.term("context", "school")
    # A pupil of grade n turns n + 5 in the year in which the school year begins.
    for grade in item.grades:
        educational.string("typicalAgeRange", f"{int(grade) + 5}-{int(grade) + 6}", "x-none")
    length = duration(item)
    if length is not None:
        educational.add("typicalLearningTime").add("duration", length)
    educational.add("language", item.language)


def _rights(rights: _Node, item: ShelfItem) -> None:
    rights.term("cost", "no")
    rights.term("copyrightAndOtherRestrictions", "no" if item.licence == "CC0-1.0" else "yes")
    # LOM has one description and no place for a licence: its address comes first.
    words = ". ".join(part for part in (licence_url(item), item.rights_statement) if part)
    rights.string("description", words, item.language)


def _classifications(lom: _Node, item: ShelfItem) -> None:
    _classified(lom, "discipline", "subject", [(code, subject_name(code).vi) for code in subject_codes(item)])
    _classified(lom, "educational level", "grade", [(grade, f"Lớp {grade}") for grade in item.grades])
    _classified(lom, "educational objective", "requirement", [(code, code) for code in item.requirements])


def _classified(lom: _Node, purpose: str, scheme: str, terms: list[tuple[str, str]]) -> None:
    if not terms:
        return
    classification = lom.add("classification")
    classification.term("purpose", purpose)
    for code, name in terms:
        path = classification.add("taxonPath")
        path.string("source", f"{_OURS}:{scheme}", "x-none")
        taxon = path.add("taxon")
        taxon.add("id", code)
        taxon.string("entry", name, "vi")
