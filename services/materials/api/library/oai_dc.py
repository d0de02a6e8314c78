"""A record as `oai_dc`: unqualified Dublin Core, which every OAI-PMH repository has."""

from lxml import etree

from services.materials.api.library.described import licence_url, shared_on, subject_codes, subject_name, type_name
from services.materials.api.library.xml_parts import XML_LANG, XSI, xml_text
from services.materials.domain.repository import Repository
from services.materials.inspection.safe_xml import Element
from services.materials.storage.shelf_tables import ShelfItem

OAI_DC = "http://www.openarchives.org/OAI/2.0/oai_dc/"
OAI_DC_SCHEMA = "http://www.openarchives.org/OAI/2.0/oai_dc.xsd"
_DC = "http://purl.org/dc/elements/1.1/"


def write_oai_dc(parent: Element, item: ShelfItem, repository: Repository) -> None:
    root = etree.SubElement(parent, f"{{{OAI_DC}}}dc", nsmap={"oai_dc": OAI_DC, "dc": _DC})
    root.set(f"{{{XSI}}}schemaLocation", f"{OAI_DC} {OAI_DC_SCHEMA}")

    def add(name: str, text: str | None, language: str | None = None) -> None:
        if text:
            element = etree.SubElement(root, f"{{{_DC}}}{name}")
            element.text = xml_text(text)
            if language is not None:
                element.set(XML_LANG, language)

    add("title", item.title, item.language)
    for author in item.authors:
        add("creator", str(author["name"]))
    for code in subject_codes(item):
        add("subject", subject_name(code).vi, "vi")
    for grade in item.grades:
        add("subject", f"Lớp {grade}", "vi")
    for requirement in item.requirements:
        add("subject", requirement)
    add("description", item.description, item.language)
    add("publisher", repository.name, "vi")
    add("contributor", item.school_sourced_id)
    add("date", shared_on(item).isoformat())
    add("type", type_name(item).vi, "vi")
    add("type", type_name(item).en, "en")
    for media_type in dict.fromkeys(str(file["mediaType"]) for file in item.files):
        add("format", media_type)
    add("identifier", repository.landing(item.material_id))
    for source in item.sources:
        add("source", source)
    add("language", item.language)
    add("rights", licence_url(item))
    add("rights", item.rights_statement, item.language)
