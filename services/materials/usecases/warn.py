"""Warnings before the human step, for a version's author and those who review it."""

from uuid import UUID

from services.materials.domain.fingerprint import likeness
from services.materials.domain.material import Reader
from services.materials.domain.warnings import ALIKE, Warned, personal_data
from services.materials.storage import files
from services.materials.storage import likeness as alike
from services.materials.storage.materials import MaterialRecord
from services.materials.usecases.grants import reader_of
from services.materials.usecases.queries import read_material
from shared.auth import Principal
from shared.db.unit_of_work import UnitOfWork


async def read_warnings(uow: UnitOfWork, who: Principal, material_id: UUID, *, number: int | None) -> list[Warned]:
    """Everything there is to say about the version the caller is shown, or about version `number`."""
    record = await read_material(uow, who, material_id, number=number)
    reader = await reader_of(uow, who)
    return [*_rights(record), *await _texts(uow, record), *await _duplicates(uow, record, reader)]


def _rights(record: MaterialRecord) -> list[Warned]:
    version = record.version
    found = [] if version.licence else [Warned("licence.missing")]
    return found if version.sources else [*found, Warned("sources.missing")]


async def _texts(uow: UnitOfWork, record: MaterialRecord) -> list[Warned]:
    texts = await files.texts_of(uow.session, [held.content.sha256 for held in record.files])
    found: list[Warned] = []
    for held in record.files:
        position = held.file.position
        if held.check is not None and held.check.scan == "not_scanned":
            found.append(Warned("scan.not_done", position=position))
        found += personal_data(texts.get(held.content.sha256, ""), position)
    return found


async def _duplicates(uow: UnitOfWork, record: MaterialRecord, reader: Reader) -> list[Warned]:
    """The same file first, then texts that are alike; each other material once per file."""
    found: list[Warned] = []
    sketches = await alike.sketches_of(uow.session, [held.content.sha256 for held in record.files])
    for held in record.files:
        sha256, position = held.content.sha256, held.file.position
        near = {sha256: 1.0}
        sketch = sketches.get(sha256, [])
        if sketch:
            for each in await alike.candidates(uow.session, sketch, sha256):
                if (share := likeness(sketch, each.sketch)) >= ALIKE:
                    near[each.sha256] = share
        seen: set[UUID] = set()
        for other, material_id, place in await alike.holders(uow.session, near, record.material.id, reader.schools):
            if material_id not in seen:
                seen.add(material_id)
                code = "duplicate.file" if other == sha256 else "duplicate.text"
                share = round(near[other], 2)
                found.append(Warned(code, position=position, other=str(material_id), place=place, likeness=share))
    return found
