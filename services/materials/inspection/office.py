"""Office Open XML and OpenDocument files: text and length."""

import re

from lxml import etree

from services.materials.inspection.archive import Archive
from services.materials.inspection.refusals import refusal
from services.materials.inspection.report import TEXT_LIMIT, Inspection
from services.materials.inspection.safe_xml import Element, local, parse, words_of

_PART_LIMIT = 64 * 1024 * 1024
_SLIDE = re.compile(r"ppt/slides/slide(\d+)\.xml")
_DIGITS = re.compile(r"\d+")
# Elements that end a paragraph or a line, in WordprocessingML and DrawingML.
_PARAGRAPHS = frozenset({"p", "br"})


def read_office(archive: Archive, kind: str) -> Inspection:
    """Title, text, and the pages or slides the file says it has. Raises `file.damaged` for a part that is missing."""
    found = Inspection(kind)
    if kind in {"odt", "odp", "ods"}:
        found.text = _open_document_text(parse(archive.read("content.xml", _PART_LIMIT), "content.xml"))
        return found
    found.title = _core_title(archive)
    if kind == "docx":
        found.pages = _pages_said(archive)
        found.text = _text_of(parse(archive.read("word/document.xml", _PART_LIMIT), "word/document.xml"))
    elif kind == "pptx":
        slides = sorted((name for name in archive.names if _SLIDE.fullmatch(name)), key=_number)
        found.pages = len(slides)
        found.text = _slides_text(archive, slides)
    elif archive.has("xl/sharedStrings.xml"):
        found.text = _text_of(parse(archive.read("xl/sharedStrings.xml", _PART_LIMIT), "xl/sharedStrings.xml"))
    if kind == "pptx" and not found.pages:
        raise refusal("file.damaged", place="ppt/slides")
    return found


def _slides_text(archive: Archive, slides: list[str]) -> str:
    parts: list[str] = []
    length = 0
    for name in slides:
        parts.append(_text_of(parse(archive.read(name, _PART_LIMIT), name)))
        length += len(parts[-1])
        if length > TEXT_LIMIT:
            break
    return "\n".join(parts)


def _number(name: str) -> int:
    return int(_DIGITS.findall(name)[-1])


def _text_of(root: Element) -> str:
    pieces: list[str] = []
    length = 0
    for event, element in etree.iterwalk(root, events=("end",)):
        del event
        name = local(element)
        if name == "t" and element.text:
            pieces.append(element.text)
            length += len(element.text)
        elif name in _PARAGRAPHS or name == "si":
            pieces.append("\n")
        elif name == "tab":
            pieces.append(" ")
        if length > TEXT_LIMIT:
            break
    return "".join(pieces).strip()


def _open_document_text(root: Element) -> str:
    lines = [
        words_of(element) for element in root.iter() if local(element) in {"p", "h"} and "text:1.0" in str(element.tag)
    ]
    return "\n".join(line for line in lines if line)[:TEXT_LIMIT]


def _core_title(archive: Archive) -> str | None:
    if not archive.has("docProps/core.xml"):
        return None
    root = parse(archive.read("docProps/core.xml", _PART_LIMIT), "docProps/core.xml")
    return next((element.text for element in root.iter() if local(element) == "title" and element.text), None)


def _pages_said(archive: Archive) -> int | None:
    """Word writes the number of pages at saving; nothing but a layout engine could count them."""
    if not archive.has("docProps/app.xml"):
        return None
    root = parse(archive.read("docProps/app.xml", _PART_LIMIT), "docProps/app.xml")
    said = next((element.text for element in root.iter() if local(element) == "Pages"), None)
    return int(said) if said and said.isdigit() and len(said) < 7 else None
