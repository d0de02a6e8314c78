"""Named queries over resumable uploads: whose they are and what they are to become. Their bytes lie in the spool."""

import datetime as dt
from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import Index, Text, delete, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from services.materials.storage.tables import Base


class Upload(Base):
    """One resumable upload; `length` in bytes is None while the client has not said it. Belongs to who began it."""

    __tablename__ = "upload"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[str]
    subject: Mapped[str]
    name: Mapped[str]
    length: Mapped[int | None]
    concat: Mapped[str]
    parts: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    __table_args__ = (Index("ix_upload_expires_at", "expires_at"),)


async def find(session: AsyncSession, upload_id: UUID, client_id: str, subject: str) -> Upload | None:
    """An upload of this very caller."""
    statement = select(Upload).where(Upload.id == upload_id, Upload.client_id == client_id, Upload.subject == subject)
    return (await session.execute(statement)).scalar_one_or_none()


async def find_all(session: AsyncSession, ids: Collection[UUID], client_id: str, subject: str) -> Sequence[Upload]:
    statement = select(Upload).where(Upload.id.in_(ids), Upload.client_id == client_id, Upload.subject == subject)
    return (await session.execute(statement)).scalars().all()


async def extend(session: AsyncSession, upload_id: UUID, until: dt.datetime) -> None:
    await session.execute(update(Upload).where(Upload.id == upload_id).values(expires_at=until))


async def set_length(session: AsyncSession, upload_id: UUID, length: int) -> None:
    """The length of an upload that began without one; one that has it keeps it."""
    await session.execute(update(Upload).where(Upload.id == upload_id, Upload.length.is_(None)).values(length=length))


async def remove(session: AsyncSession, ids: Collection[UUID]) -> None:
    await session.execute(delete(Upload).where(Upload.id.in_(ids)))


async def expired(session: AsyncSession, now: dt.datetime, *, limit: int) -> Sequence[UUID]:
    statement = select(Upload.id).where(Upload.expires_at < now).order_by(Upload.expires_at).limit(limit)
    return (await session.execute(statement)).scalars().all()


async def known_among(session: AsyncSession, ids: Collection[UUID]) -> frozenset[UUID]:
    return frozenset((await session.execute(select(Upload.id).where(Upload.id.in_(ids)))).scalars())
