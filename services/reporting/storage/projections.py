"""The newest numbers of the event streams."""

import datetime as dt

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.reporting.storage.tables import ApprovedMaterial, RosterNumbers
from shared.contracts.materials_v1 import MaterialApproved, MaterialWithdrawn
from shared.contracts.sync_v1 import RosterCommitted


async def replace_roster(session: AsyncSession, data: RosterCommitted) -> None:
    values = {
        "learners": data.learners,
        "staff": data.staff,
        "teachers": data.teachers,
        "classes": data.classes,
        "enrollments": data.enrollments,
        "by_grade": [entry.model_dump(by_alias=True) for entry in data.by_grade],
        "import_id": data.import_id,
        "content_hash": data.content_hash,
        "committed_at": _aware(data.committed_at),
    }
    statement = insert(RosterNumbers).values(school_sourced_id=data.school_sourced_id, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=["school_sourced_id"], set_=values))


async def replace_material(session: AsyncSession, data: MaterialApproved) -> None:
    values = {
        "school_sourced_id": data.school_sourced_id,
        "version_id": data.version_id,
        "subject": data.subject,
        "grades": list(data.grades),
        "approved_at": _aware(data.approved_at),
        "withdrawn_at": None,
    }
    statement = insert(ApprovedMaterial).values(material_id=data.material_id, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=["material_id"], set_=values))


async def withdraw_material(session: AsyncSession, data: MaterialWithdrawn) -> None:
    statement = update(ApprovedMaterial).where(ApprovedMaterial.material_id == data.material_id)
    await session.execute(statement.values(withdrawn_at=_aware(data.withdrawn_at)))


def _aware(instant: dt.datetime) -> dt.datetime:
    """Contracts are in UTC; a producer that left the zone out means that too."""
    return instant if instant.tzinfo else instant.replace(tzinfo=dt.UTC)
