"""Which files the library takes, recognised by their content and never by their name.

The list is short on purpose. HTML, SVG and anything else a browser would run is not on it; packages (SCORM, H5P) need
their own readers. A file that is not recognised is refused.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from shared.errors import AppError, invalid

HEAD_BYTES = 64


@dataclass(frozen=True, slots=True)
class FileType:
    """`extensions` are the names' endings that fit, the usual one first, lower case with the dot."""

    code: str
    media_type: str
    extensions: tuple[str, ...]


PDF = FileType("pdf", "application/pdf", (".pdf",))
PNG = FileType("png", "image/png", (".png",))
JPEG = FileType("jpeg", "image/jpeg", (".jpg", ".jpeg"))
MP4 = FileType("mp4", "video/mp4", (".mp4", ".m4v"))
_OFFICE = "application/vnd.openxmlformats-officedocument."
DOCX = FileType("docx", _OFFICE + "wordprocessingml.document", (".docx",))
PPTX = FileType("pptx", _OFFICE + "presentationml.presentation", (".pptx",))
XLSX = FileType("xlsx", _OFFICE + "spreadsheetml.sheet", (".xlsx",))

ACCEPTED = (PDF, PNG, JPEG, MP4, DOCX, PPTX, XLSX)
BY_MEDIA_TYPE = {kind.media_type: kind for kind in ACCEPTED}

_PDF_HEAD = re.compile(rb"%PDF-[12]\.\d")
_PNG_HEAD = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
_ZIP_HEAD = b"PK\x03\x04"
_MP4_BRANDS = frozenset({b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V ", b"MSNV"})
# The part that makes an Office Open XML package what it is (ECMA-376 part 2; the names every producer uses).
_MAIN_PARTS = {"word/document.xml": DOCX, "ppt/presentation.xml": PPTX, "xl/workbook.xml": XLSX}


def recognise(head: bytes, names_in_zip: Callable[[], frozenset[str]]) -> FileType:
    """The type of a file that begins with `head` (`HEAD_BYTES` of it). Raises `file.type_unsupported` or `file.macros`.

    `names_in_zip` is asked only when the file begins like a ZIP archive.
    """
    if _PDF_HEAD.match(head):
        return PDF
    if head.startswith(_PNG_HEAD):
        return PNG
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head[4:8] == b"ftyp" and head[8:12] in _MP4_BRANDS:
        return MP4
    if head.startswith(_ZIP_HEAD):
        return _office_type(names_in_zip())
    raise unsupported()


def _office_type(names: frozenset[str]) -> FileType:
    found = [kind for part, kind in _MAIN_PARTS.items() if part in names]
    if "[Content_Types].xml" not in names or len(found) != 1:
        raise unsupported()
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise invalid(
            "file.macros",
            vi="Tệp Office có macro không được nhận. Hãy lưu lại ở định dạng không có macro.",
            en="Office files with macros are not accepted. Save it in a format without macros.",
        )
    return found[0]


def unsupported() -> AppError:
    accepted = ", ".join(kind.code.upper() for kind in ACCEPTED)
    return invalid(
        "file.type_unsupported",
        vi=f"Nội dung tệp không thuộc loại được nhận (xét theo nội dung, không theo tên tệp): {accepted}.",
        en=f"The file's content is of no accepted type (judged by content, not by name): {accepted}.",
        accepted=[kind.media_type for kind in ACCEPTED],
    )
