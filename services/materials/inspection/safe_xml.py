"""XML of strangers: no entities, no network, no DOCTYPE."""

import re

from lxml import etree

from services.materials.inspection.refusals import refusal

Element = etree._Element  # noqa: SLF001  # lxml has no public name for it


# Encodings in which the ASCII letters are their own bytes, so that what is forbidden can be looked for in the bytes.
_ASCII_LIKE = re.compile(rb"utf-?8|us-ascii|ascii|iso-8859-\d{1,2}|windows-125\d", re.IGNORECASE)
_DECLARED = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([^\"']*)")
_UTF_16 = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"<\x00": "utf-16-le", b"\x00<": "utf-16-be"}
_UTF_32 = (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff", b"<\x00\x00\x00", b"\x00\x00\x00<")


def parse(data: bytes, name: str) -> Element:
    """The root element.

    Raises `file.xml_doctype`, `file.xml_encoding` or `file.xml_invalid` with the file's `name`.
    """
    # An entity can only be declared in a DOCTYPE, and nothing a package needs has one.
    data, encoding = _readable(data, name)
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise refusal("file.xml_doctype", place=name)
    parser = etree.XMLParser(
        encoding=encoding, resolve_entities=False, no_network=True, huge_tree=False, remove_comments=True
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as failure:
        raise refusal("file.xml_invalid", place=name) from failure
    if root.getroottree().docinfo.internalDTD is not None:
        raise refusal("file.xml_doctype", place=name)
    return root


def _readable(data: bytes, name: str) -> tuple[bytes, str | None]:
    """The bytes in an encoding that can be searched, and its name where the document's own declaration is wrong now."""
    if data.startswith(_UTF_32):
        raise refusal("file.xml_encoding", place=name, encoding="UTF-32")
    wide = _UTF_16.get(data[:2])
    if wide is not None:
        try:
            return data.decode(wide).encode(), "utf-8"
        except UnicodeError as failure:
            raise refusal("file.xml_invalid", place=name) from failure
    declared = _DECLARED.match(data.removeprefix(b"\xef\xbb\xbf"))
    if declared and not _ASCII_LIKE.fullmatch(declared.group(1)):
        raise refusal("file.xml_encoding", place=name, encoding=declared.group(1).decode("ascii", "replace")[:40])
    return data, None


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
