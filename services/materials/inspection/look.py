"""Look at a file: which kind it is, then the reader of that kind."""

from typing import BinaryIO

from services.materials.domain.file_types import HEAD_BYTES, FileType, recognise
from services.materials.inspection import markup, office, packages, pdf, pictures
from services.materials.inspection.archive import Archive
from services.materials.inspection.refusals import refusal
from services.materials.inspection.report import Inspection, Limits
from shared.errors import AppError

_PICTURES = frozenset({"png", "jpeg", "gif", "webp"})
_OFFICE = frozenset({"docx", "pptx", "xlsx", "odt", "odp", "ods"})


def look(file: BinaryIO, limits: Limits) -> Inspection:
    """What the file is. Raises an `AppError` with the exact reason when it is not taken in."""
    head = file.read(HEAD_BYTES)
    archives: list[Archive] = []

    def names() -> frozenset[str]:
        archives.append(Archive(file, limits))
        return archives[0].names

    kind = _kind_of(head, names)
    if kind.code in _PICTURES:
        return pictures.read_picture(file, kind.code, limits)
    if kind.code == "pdf":
        return pdf.read_pdf(limits)
    if kind.code in {"html", "svg", "text"}:
        return markup.read_text(file, kind.code)
    if not archives:
        return Inspection(kind.code)  # sound and moving pictures are told by their head and read by players only
    if kind.code in _OFFICE:
        return office.read_office(archives[0], kind.code)
    return packages.read_package(archives[0])


def _kind_of(head: bytes, names: "packages.Names") -> FileType:
    try:
        return recognise(head, names)
    except AppError as error:
        if error.code == "file.type_unsupported":
            raise refusal("file.type_unsupported") from error
        raise
