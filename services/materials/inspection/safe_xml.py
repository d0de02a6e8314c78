"""XML of strangers: no entities, no network, no DOCTYPE."""

from lxml import etree

from services.materials.inspection.refusals import refusal

Element = etree._Element  # noqa: SLF001  # lxml has no public name for it


def parse(data: bytes, name: str) -> Element:
    """The root element. Raises `file.xml_doctype` or `file.xml_invalid` with the file's `name`."""
    # An entity can only be declared in a DOCTYPE, and nothing a package needs has one.
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data or "<!DOCTYPE".encode("utf-16-le") in data:
        raise refusal("file.xml_doctype", place=name)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, remove_comments=True)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as failure:
        raise refusal("file.xml_invalid", place=name) from failure
    return root


def local(element: Element) -> str:
    """The name without its namespace: manifests in the wild mix versions of namespaces."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def children(element: Element, name: str) -> list[Element]:
    return [child for child in element if local(child) == name]


def child_text(element: Element, name: str) -> str | None:
    """The text of the first child of that name, None when it has none."""
    return next((words for words in map(words_of, children(element, name)) if words), None)


def words_of(element: Element) -> str:
    """All text in the element, its white space made single."""
    return " ".join("".join(str(piece) for piece in element.itertext()).split())


def attribute(element: Element, name: str) -> str | None:
    """An attribute by its local name, in any case: SCORM 1.2 writes scormtype, 2004 scormType."""
    for key, value in element.attrib.items():
        if str(key).rpartition("}")[2].lower() == name:
            return str(value)
    return None
