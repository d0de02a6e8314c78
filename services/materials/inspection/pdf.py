"""PDF by PDFium: pages, text, a picture of the first page."""

from typing import Any

from services.materials.inspection.pictures import thumbnail_of
from services.materials.inspection.refusals import refusal
from services.materials.inspection.report import TEXT_LIMIT, Inspection, Limits

# The child was started with the file as its standard input: PDFium reads it piece by piece and never whole.
_SELF = "/proc/self/fd/0"
_PASSWORD_WANTED = 4
_WIDTH = 320


def read_pdf(limits: Limits) -> Inspection:
    """Raises `file.encrypted`, `file.damaged` or `file.too_many_pages`."""
    import pypdfium2  # noqa: PLC0415  # 60 ms that other kinds do not need

    try:
        document = pypdfium2.PdfDocument(_SELF)
    except pypdfium2.PdfiumError as failure:
        wanted = getattr(failure, "err_code", None) == _PASSWORD_WANTED or "password" in str(failure).lower()
        raise refusal("file.encrypted" if wanted else "file.damaged") from failure
    found = Inspection("pdf", pages=len(document))
    if not found.pages:
        raise refusal("file.damaged")
    if found.pages > limits.max_pages:
        raise refusal("file.too_many_pages", pages=found.pages, maxPages=limits.max_pages)
    found.title = document.get_metadata_dict().get("Title") or None
    found.text = _text_of(document, found)
    found.thumbnail = _picture_of(document, found)
    return found


def _text_of(document: Any, found: Inspection) -> str:
    pieces: list[str] = []
    length = 0
    for number in range(len(document)):
        try:
            page = document[number]
            words = page.get_textpage().get_text_bounded()
        except Exception:  # noqa: BLE001  # PDFium reports a broken page in many ways; the others are read on
            _note_page(found, number)
            continue
        pieces.append(words)
        length += len(words)
        if length > TEXT_LIMIT:
            break
    return "\n".join(pieces)


def _picture_of(document: Any, found: Inspection) -> bytes | None:
    try:
        page = document[0]
        scale = min(_WIDTH / max(page.get_width(), 1), _WIDTH / max(page.get_height(), 1))
        return thumbnail_of(page.render(scale=scale).to_pil())
    except Exception:  # noqa: BLE001  # a page that cannot be drawn is no reason to refuse the text
        _note_page(found, 0)
        return None


def _note_page(found: Inspection, number: int) -> None:
    found.note("pdf.page_broken", "Trang này không đọc được.", "This page cannot be read.", str(number + 1))
