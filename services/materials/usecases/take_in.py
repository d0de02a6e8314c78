"""A file is looked at and kept before any row speaks of it."""

from dataclasses import dataclass
from pathlib import Path

from services.materials.domain.file_types import BY_CODE, FileType
from services.materials.inspection.inspector import Inspector
from services.materials.inspection.report import Inspection
from services.materials.storage import files, likeness
from services.materials.storage.content import ContentStore, Incoming
from services.materials.storage.tables import FileCheck, MaterialVersion, StoredFile
from services.materials.usecases.held_files import INFECTED
from shared.db.unit_of_work import UnitOfWork
from shared.errors import AppError, Kind, invalid


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A file that already lies in the content store; `sha256` is hexadecimal, `size` in bytes.

    `thumbnail` is the SHA-256 of its picture, which lies there too.
    """

    name: str
    sha256: str
    size: int
    found: Inspection
    thumbnail: str | None

    @property
    def kind(self) -> FileType:
        return BY_CODE[self.found.kind]


async def take_in(incoming: Incoming, name: str, store: ContentStore, inspector: Inspector) -> ReceivedFile:
    """Keep what has been received, once it has been looked at. Raises the refusal with its exact reason."""
    if incoming.size == 0:
        raise invalid("file.empty", vi="Tệp rỗng.", en="The file is empty.")
    found, thumbnail = await look_at(await incoming.settled(), store, inspector)
    kept = await incoming.keep()
    return ReceivedFile(name, kept.sha256, kept.size, found, thumbnail)


async def look_at(path: Path, store: ContentStore, inspector: Inspector) -> tuple[Inspection, str | None]:
    """What the file at `path` is, and the SHA-256 of the picture of it that is now in the store."""
    found = await inspector.inspect(path)
    if found.thumbnail is None:
        return found, None
    async with store.incoming() as picture:
        await picture.write(found.thumbnail)
        return found, (await picture.keep()).sha256


async def put_file(uow: UnitOfWork, version: MaterialVersion, file: ReceivedFile) -> None:
    """Behind the other files of a draft. Raises `file.infected` for a content the virus scanner has refused."""
    now = await uow.now()
    content = StoredFile(sha256=file.sha256, size=file.size, media_type=file.kind.media_type, created_at=now)
    await files.remember_content(uow.session, content)
    check = FileCheck(
        sha256=file.sha256,
        state="accepted",
        scan="not_scanned",
        kind=file.found.kind,
        details=file.found.details(),
        text=file.found.text,
        thumbnail_sha256=file.thumbnail,
        attempts=0,
        checked_at=now,
    )
    known = await files.remember_check(uow.session, check)
    if known.state == "refused":
        raise AppError("file.infected", Kind.INVALID, INFECTED, details={"signature": known.signature})
    await likeness.remember_sketch(uow.session, file.sha256, file.found.sketch)
    await files.add_file(uow.session, version.id, version.school_sourced_id, file.name, file.sha256)
