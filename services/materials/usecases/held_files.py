"""A file somebody asks for: which one it is, and never one the scanner has refused since it was taken in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.materials.storage import files
from services.materials.storage.files import HeldFile
from services.materials.storage.shelf_tables import ShelfItem
from services.materials.storage.tables import FileCheck
from shared.db.unit_of_work import UnitOfWork
from shared.errors import AppError, Kind, Text, not_found

INFECTED = Text("Phần mềm quét virus đã từ chối nội dung này.", "The virus scanner has refused this content.")


@dataclass(frozen=True, slots=True)
class ShelfFile:
    """A file of a shared version (position, name, mediaType, size, sha256) and what its content was found to be."""

    file: dict[str, Any]
    check: FileCheck | None


def file_at(held: Sequence[HeldFile], position: int | None) -> HeldFile:
    """The file at `position`, the first for None. Raises `file.unknown` or `file.infected`."""
    for each in held:
        if position in {None, each.file.position}:
            refuse_infected([each])
            return each
    raise file_unknown()


async def shelf_file_at(uow: UnitOfWork, item: ShelfItem, position: int) -> ShelfFile:
    """The file at `position` of a shared version. Raises `file.unknown` or `file.infected`."""
    for file in item.files:
        if file["position"] == position:
            check = await files.check_of(uow.session, file["sha256"])
            _refuse(position, check)
            return ShelfFile(file, check)
    raise file_unknown()


def refuse_infected(held: Sequence[HeldFile]) -> None:
    """Raise `file.infected` when the scanner has refused one of these files."""
    for each in held:
        _refuse(each.file.position, each.check)


def _refuse(position: int, check: FileCheck | None) -> None:
    if check is not None and check.scan == "infected":
        details = {"position": position, "signature": check.signature}
        raise AppError("file.infected", Kind.INVALID, INFECTED, details=details)


def file_unknown() -> AppError:
    return not_found("file.unknown", vi="Phiên bản này không có tệp đó.", en="This version has no such file.")
