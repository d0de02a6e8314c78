"""Which files the library takes, recognised by their content and never by their name.

What a browser would run (HTML, SVG, packages with scripts) is taken in but is not `inert`: it is never sent from the
API's own origin. A file that is not recognised is refused. `inspection` looks further than this list can.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shared.errors import AppError, invalid

HEAD_BYTES = 1024


@dataclass(frozen=True, slots=True)
class FileType:
    """`extensions` are the names' endings that fit, the usual one first, lower case with the dot."""

    code: str
    media_type: str
    extensions: tuple[str, ...]
    inert: bool = True


PDF = FileType("pdf", "application/pdf", (".pdf",))
PNG = FileType("png", "image/png", (".png",))
JPEG = FileType("jpeg", "image/jpeg", (".jpg", ".jpeg"))
GIF = FileType("gif", "image/gif", (".gif",))
WEBP = FileType("webp", "image/webp", (".webp",))
MP4 = FileType("mp4", "video/mp4", (".mp4", ".m4v"))
WEBM = FileType("webm", "video/webm", (".webm",))
MP3 = FileType("mp3", "audio/mpeg", (".mp3",))
M4A = FileType("m4a", "audio/mp4", (".m4a",))
OGG = FileType("ogg", "audio/ogg", (".ogg", ".oga", ".opus"))
WAV = FileType("wav", "audio/wav", (".wav",))
TEXT = FileType("text", "text/plain", (".txt", ".csv", ".md"))
_OFFICE = "application/vnd.openxmlformats-officedocument."
DOCX = FileType("docx", _OFFICE + "wordprocessingml.document", (".docx",))
PPTX = FileType("pptx", _OFFICE + "presentationml.presentation", (".pptx",))
XLSX = FileType("xlsx", _OFFICE + "spreadsheetml.sheet", (".xlsx",))
ODT = FileType("odt", "application/vnd.oasis.opendocument.text", (".odt",))
ODP = FileType("odp", "application/vnd.oasis.opendocument.presentation", (".odp",))
ODS = FileType("ods", "application/vnd.oasis.opendocument.spreadsheet", (".ods",))
HTML = FileType("html", "text/html", (".html", ".htm"), inert=False)
SVG = FileType("svg", "image/svg+xml", (".svg",), inert=False)
# SCORM, cmi5, Common Cartridge, H5P: which of them it is, the inspection tells.
PACKAGE = FileType("package", "application/zip", (".zip", ".h5p", ".imscc"), inert=False)

ACCEPTED = (
    *(PDF, PNG, JPEG, GIF, WEBP, MP4, WEBM, MP3, M4A, OGG, WAV, TEXT),
    *(DOCX, PPTX, XLSX, ODT, ODP, ODS, HTML, SVG, PACKAGE),
)
BY_MEDIA_TYPE = {kind.media_type: kind for kind in ACCEPTED}
_PACKAGES = ("scorm_1_2", "scorm_2004", "cmi5", "common_cartridge", "h5p")
BY_CODE = {kind.code: kind for kind in ACCEPTED} | dict.fromkeys(_PACKAGES, PACKAGE)

_PDF_HEAD = re.compile(rb"%PDF-[12]\.\d")
_ZIP_HEADS = (b"PK\x03\x04", b"PK\x05\x06")
_MP4_BRANDS = frozenset({b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V ", b"MSNV"})
_HEADS = (
    (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", PNG),
    (b"\xff\xd8\xff", JPEG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"\x1a\x45\xdf\xa3", WEBM),
    (b"ID3", MP3),
    (b"\xff\xfb", MP3),
    (b"\xff\xf3", MP3),
    (b"OggS", OGG),
)
# The part that makes an Office Open XML package what it is (ECMA-376 part 2; the names every producer uses).
_MAIN_PARTS = {"word/document.xml": DOCX, "ppt/presentation.xml": PPTX, "xl/workbook.xml": XLSX}
# At the root of a learning package; one in a subfolder is told apart by the inspection, with its own reason.
_MANIFESTS = frozenset({"imsmanifest.xml", "cmi5.xml", "h5p.json"})
_MARKUP = re.compile(
    rb"\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*)*<(!doctype html|html|head|body|svg)\b", re.IGNORECASE | re.DOTALL
)
_CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\r\f")


def recognise(head: bytes, names_in_zip: Callable[[], frozenset[str]]) -> FileType:
    """The type of a file that begins with `head` (`HEAD_BYTES` of it). Raises `file.type_unsupported` or `file.macros`.

    `names_in_zip` is asked only when the file begins like a ZIP archive.
    """
    if _PDF_HEAD.match(head):
        return PDF
    if head.startswith(_ZIP_HEADS):
        return _type_of_archive(names_in_zip(), head)
    found = next((kind for start, kind in _HEADS if head.startswith(start)), None) or _boxed(head) or _written(head)
    if found is None:
        raise unsupported()
    return found


def _boxed(head: bytes) -> FileType | None:
    """ISO media files and RIFF files name themselves a few bytes in."""
    if head[4:8] == b"ftyp":
        return MP4 if head[8:12] in _MP4_BRANDS else M4A if head[8:12] == b"M4A " else None
    if head[:4] == b"RIFF":
        riff: Mapping[bytes, FileType] = {b"WEBP": WEBP, b"WAVE": WAV}
        return riff.get(head[8:12])
    return None


def _written(head: bytes) -> FileType | None:
    """HTML, SVG, or plain text in UTF-8."""
    text = head.removeprefix(b"\xef\xbb\xbf")
    if not text.strip() or not _CONTROLS.isdisjoint(text):
        return None
    try:
        text[: len(text) - 3].decode("utf-8") if len(head) == HEAD_BYTES else text.decode("utf-8")
    except UnicodeDecodeError as failure:
        if len(head) < HEAD_BYTES or failure.start < len(text) - 6:
            return None
    markup = _MARKUP.match(text)
    if markup is None:
        return None if text.lstrip().startswith(b"<?xml") else TEXT
    return SVG if markup.group(1).lower() == b"svg" else HTML


def _type_of_archive(names: frozenset[str], head: bytes) -> FileType:
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise invalid(
            "file.macros",
            vi="Tệp Office có macro không được nhận. Hãy lưu lại ở định dạng không có macro.",
            en="Office files with macros are not accepted. Save it in a format without macros.",
        )
    if "[Content_Types].xml" in names:
        found = [kind for part, kind in _MAIN_PARTS.items() if part in names]
        if len(found) == 1:
            return found[0]
    if "content.xml" in names and "mimetype" in names:
        found = [kind for kind in (ODT, ODP, ODS) if kind.media_type.encode() in head]
        if found:
            return found[0]
    if any(name.rpartition("/")[2] in _MANIFESTS for name in names):
        return PACKAGE
    raise unsupported()


def unsupported() -> AppError:
    accepted = ", ".join(kind.code.upper() for kind in ACCEPTED)
    return invalid(
        "file.type_unsupported",
        vi=f"Nội dung tệp không thuộc loại được nhận (xét theo nội dung, không theo tên tệp): {accepted}.",
        en=f"The file's content is of no accepted type (judged by content, not by name): {accepted}.",
        accepted=[kind.media_type for kind in ACCEPTED],
    )
