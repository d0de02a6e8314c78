"""What reporting says a submission rests on, and what follows: a version that counts as evidence stays."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.materials.storage import shelf, uses
from services.materials.storage.uses import VersionUse
from services.materials.usecases.queries import read_material
from shared.auth import Principal
from shared.contracts.reporting_v1 import EvidenceChanged
from shared.db.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Uses:
    """Where a material is used: at its school in version `in_use`, by the city in version `shared`, in reports."""

    school: str
    in_use: int | None
    shared: int | None
    reports: Sequence[VersionUse]


async def follow_evidence(uow: UnitOfWork, data: EvidenceChanged) -> None:
    """Keep what a submission rests on, as it was last told."""
    rows = [
        VersionUse(
            submission_id=data.submission_id,
            version_id=each.version_id,
            material_id=each.material_id,
            school_sourced_id=data.school_sourced_id,
            counts=data.counts,
            since=data.at,
        )
        for each in data.versions
    ]
    await uses.replace(uow.session, data.submission_id, rows)


async def read_uses(uow: UnitOfWork, who: Principal, material_id: UUID) -> Uses:
    """Where the material is used, for whoever may see it."""
    record = await read_material(uow, who, material_id)
    item = await shelf.item(uow.session, material_id)
    shared = item.number if item is not None and item.withdrawn_at is None else None
    reports = await uses.of_material(uow.session, material_id, limit=200)
    return Uses(record.material.school_sourced_id, record.material.published_number, shared, reports)
