"""`reporting.evidence.changed.v1`"""

from services.materials.usecases.evidence import follow_evidence
from shared.contracts.reporting_v1 import EvidenceChanged
from shared.db.unit_of_work import UnitOfWork


async def on_evidence_changed(uow: UnitOfWork, data: EvidenceChanged) -> None:
    await follow_evidence(uow, data)
