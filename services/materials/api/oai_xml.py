"""OAI-PMH answers as XML: the envelope, headers, Dublin Core and IEEE LOM."""

import datetime as dt
from urllib.parse import quote

from lxml import etree

from services.materials.domain.catalogue import TYPE_NAMES, MaterialType, subjects
from services.materials.domain.oai import identifier_of
from services.materials.storage.shelf_tables import ShelfItem

OAI = "http://www.openarchives.org/OAI/2.0/"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_OAI_DC = "http://www.openarchives.org/OAI/2.0/oai_dc/"
_DC = "http://purl.org/dc/elements/1.1/"
_LOM = "http://ltsc.ieee.org/xsd/LOM"
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"

FORMATS = (
    ("oai_dc", "http://www.openarchives.org/OAI/2.0/oai_dc.xsd", _OAI_DC),
    ("lom", "http://ltsc.ieee.org/xsd/lomv1.0/lom.xsd", _LOM),
)

Element = etree._Element  # noqa: SLF001  # lxml has no public name for it


def stamp(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def envelope(base_url: str, now: dt.datetime, arguments: dict[str, str]) -> Element:
    """The root with `responseDate` and `request`; `arguments` are left out after badVerb and badArgument."""
    root = etree.Element(f"{{{OAI}}}OAI-PMH", nsmap={None: OAI, "xsi": _XSI})  # type: ignore[dict-item]  # lxml's way to say the default
    root.set(f"{{{_XSI}}}schemaLocation", f"{OAI} http://www.openarchives.org/OAI/2.0/OAI-PMH.xsd")
    add(root, "responseDate", stamp(now))
    add(root, "request", base_url, **arguments)
    return root


def add(parent: Element, name: str, text: str | None = None, **attributes: str) -> Element:
    """A child in the protocol's namespace."""
    child = etree.SubElement(parent, f"{{{OAI}}}{name}")
    child.text = text
    for key, value in attributes.items():
        child.set(key, value)
    return child


def written(root: Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def add_header(parent: Element, item: ShelfItem, domain: str) -> bool:
    """The header of a record; False for a tombstone, which has no metadata."""
    gone = item.withdrawn_at is not None or not item.public
    header = add(parent, "header")
    if gone:
        header.set("status", "deleted")
    add(header, "identifier", identifier_of(domain, item.material_id))
    add(header, "datestamp", stamp(item.changed_at))
    for code in (item.subject, *item.other_subjects):
        add(header, "setSpec", f"subject:{code}")
    for grade in item.grades:
        add(header, "setSpec", f"grade:{grade}")
    add(header, "setSpec", f"school:{quote(item.school_sourced_id, safe='-_.')}")
    return not gone


def add_record(parent: Element, item: ShelfItem, prefix: str, domain: str, public_url: str) -> None:
    record = add(parent, "record")
    if add_header(record, item, domain):
        metadata = add(record, "metadata")
        (_dublin_core if prefix == "oai_dc" else _lom)(metadata, item, public_url)


def _address(item: ShelfItem, public_url: str) -> str:
    return f"{public_url}/materials/v1/shelf/{item.material_id}"


def _dublin_core(parent: Element, item: ShelfItem, public_url: str) -> None:
    root = etree.SubElement(parent, f"{{{_OAI_DC}}}dc", nsmap={"oai_dc": _OAI_DC, "dc": _DC})
    root.set(f"{{{_XSI}}}schemaLocation", f"{_OAI_DC} http://www.openarchives.org/OAI/2.0/oai_dc.xsd")
    kind = TYPE_NAMES[MaterialType(item.type)]
    known = subjects()
    values: list[tuple[str, str | None]] = [
        ("title", item.title),
        *(("creator", author["name"]) for author in item.authors),
        *(("subject", known[code].name.vi) for code in (item.subject, *item.other_subjects) if code in known),
        ("description", item.description or None),
        ("date", stamp(item.shared_at)),
        ("type", kind.vi),
        *(("format", file["mediaType"]) for file in item.files),
        ("identifier", _address(item, public_url)),
        *(("source", source) for source in item.sources),
        ("language", item.language),
        ("rights", item.licence or None),
        ("rights", item.rights_statement or None),
    ]
    for name, value in values:
        if value is not None:
            etree.SubElement(root, f"{{{_DC}}}{name}").text = value


def _lom(parent: Element, item: ShelfItem, public_url: str) -> None:
    root = etree.SubElement(parent, f"{{{_LOM}}}lom", nsmap={None: _LOM})  # type: ignore[dict-item]  # as above

    def child(above: Element, name: str, text: str | None = None) -> Element:
        element = etree.SubElement(above, f"{{{_LOM}}}{name}")
        element.text = text
        return element

    def said(above: Element, name: str, text: str, language: str) -> None:
        child(child(above, name), "string", text).set(_XML_LANG, language)

    general = child(root, "general")
    identifier = child(general, "identifier")
    child(identifier, "catalog", "URI")
    child(identifier, "entry", _address(item, public_url))
    said(general, "title", item.title, item.language)
    child(general, "language", item.language)
    if item.description:
        said(general, "description", item.description, item.language)
    life = child(root, "lifeCycle")
    said(life, "version", str(item.number), "x-none")
    for author in item.authors:
        contribute = child(life, "contribute")
        role = child(contribute, "role")
        child(role, "source", "LOMv1.0")
        child(role, "value", "author")
        child(contribute, "entity", f"BEGIN:VCARD\nVERSION:3.0\nFN:{author['name']}\nEND:VCARD")
    technical = child(root, "technical")
    for media_type in dict.fromkeys(file["mediaType"] for file in item.files):
        child(technical, "format", media_type)
    child(technical, "location", _address(item, public_url))
    educational = child(root, "educational")
    for grade in item.grades:
        said(educational, "typicalAgeRange", f"Khối {grade}", "vi")
    rights = child(root, "rights")
    restricted = child(rights, "copyrightAndOtherRestrictions")
    child(restricted, "source", "LOMv1.0")
    child(restricted, "value", "yes")
    said(rights, "description", item.licence, "x-none")
