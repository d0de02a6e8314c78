"""HTML, SVG and plain text: their words. Nothing of them is ever run or sent from the API's origin."""

from typing import BinaryIO

from services.materials.inspection.refusals import refusal
from services.materials.inspection.report import TEXT_LIMIT, Inspection
from services.materials.inspection.safe_xml import child_text, local, parse, words_of

_LIMIT = 16 * 1024 * 1024
_SILENT = frozenset({"script", "style", "noscript", "template", "svg"})


def read_text(file: BinaryIO, kind: str) -> Inspection:
    """Raises `file.damaged` for bytes that are no UTF-8, `archive.too_large` beyond 16 MiB."""
    file.seek(0)
    data = file.read(_LIMIT + 1)
    if len(data) > _LIMIT:
        raise refusal("archive.too_large", maxBytes=_LIMIT)
    if kind == "svg":
        root = parse(data, "svg")
        words = words_of(root)
        return Inspection("svg", title=child_text(root, "title"), text=words[:TEXT_LIMIT])
    try:
        words = data.decode("utf-8-sig")
    except UnicodeDecodeError as failure:
        raise refusal("file.damaged") from failure
    return _html(words) if kind == "html" else Inspection("text", text=words[:TEXT_LIMIT])


def _html(words: str) -> Inspection:
    from lxml import etree, html  # noqa: PLC0415  # only for this kind

    parser = html.HTMLParser(no_network=True, huge_tree=False, encoding="utf-8")
    try:
        root = html.document_fromstring(words.encode(), parser=parser)
    except etree.ParserError:  # nothing but comments and the like: a page without a word
        return Inspection("html")
    titles = [words_of(element) for element in root.iter() if local(element) == "title"]
    pieces: list[str] = []
    for element in root.iter():
        if local(element) not in _SILENT and element.text and element.text.strip():
            pieces.append(element.text.strip())
        if element.tail and element.tail.strip():
            pieces.append(element.tail.strip())
    found = Inspection("html", title=titles[0] if titles else None)
    found.text = "\n".join(pieces)[:TEXT_LIMIT]
    return found
