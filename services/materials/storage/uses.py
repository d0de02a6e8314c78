"""Where versions are used: which submissions rest on them."""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Index, delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from services.materials.storage.tables import Base


class VersionUse(Base):
    """A version that a submission names as evidence; `counts` while it must not go. As reporting last told it."""

    __tablename__ = "version_use"
    submission_id: Mapped[UUID] = mapped_column(primary_key=True)
    version_id: Mapped[UUID] = mapped_column(primary_key=True)
    material_id: Mapped[UUID]
    school_sourced_id: Mapped[str]
    counts: Mapped[bool]
    since: Mapped[dt.datetime]
    __table_args__ = (
        Index("ix_version_use_version_id", "version_id"),
        Index("ix_version_use_material_id", "material_id"),
    )


async def replace(session: AsyncSession, submission_id: UUID, uses: Sequence[VersionUse]) -> None:
    """All that this submission rests on now."""
    await session.execute(delete(VersionUse).where(VersionUse.submission_id == submission_id))
    session.add_all(uses)
    await session.flush()


async def counting(session: AsyncSession, version_id: UUID) -> Sequence[UUID]:
    """Submissions for which this version counts."""
    statement = select(VersionUse.submission_id).where(VersionUse.version_id == version_id, VersionUse.counts)
    return (await session.execute(statement.order_by(VersionUse.submission_id).limit(20))).scalars().all()


async def of_material(session: AsyncSession, material_id: UUID, *, limit: int) -> Sequence[VersionUse]:
    """Every use of any of its versions, newest first."""
    statement = select(VersionUse).where(VersionUse.material_id == material_id)
    return (await session.execute(statement.order_by(VersionUse.since.desc()).limit(limit))).scalars().all()
