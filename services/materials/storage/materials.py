"""Named queries over materials. Each names the schools the reader was granted; row-level security does so again."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.materials.domain.material import Reader
from services.materials.domain.review import State
from services.materials.storage.tables import Material, MaterialVersion, ReviewStep, StoredFile, VersionFile


@dataclass(frozen=True, slots=True)
class MaterialRecord:
    """A material with its newest version and that version's file; `steps` is its review, oldest first."""

    material: Material
    version: MaterialVersion
    file: VersionFile
    content: StoredFile
    steps: Sequence[ReviewStep] = ()


@dataclass(frozen=True, slots=True)
class Filters:
    """None leaves a filter out; values that nothing has give an empty list."""

    school: str | None = None
    state: str | None = None
    subject: str | None = None
    grade: str | None = None
    type: str | None = None


def _newest() -> Select[Material, MaterialVersion, VersionFile, StoredFile]:
    return (
        select(Material, MaterialVersion, VersionFile, StoredFile)
        .join(
            MaterialVersion,
            (MaterialVersion.material_id == Material.id) & (MaterialVersion.number == Material.latest_number),
        )
        .join(VersionFile, (VersionFile.version_id == MaterialVersion.id) & (VersionFile.position == 1))
        .join(StoredFile, StoredFile.sha256 == VersionFile.sha256)
    )


def _readable_by(reader: Reader) -> ColumnElement[bool]:
    """A version is there for everyone at the school only when both steps are done."""
    if reader.schools is None:
        return true()
    return and_(
        Material.school_sourced_id.in_(reader.schools),
        or_(
            MaterialVersion.state == State.APPROVED.value,
            MaterialVersion.author == reader.subject,
            Material.school_sourced_id.in_(reader.reviews_at),
        ),
    )


async def find(
    session: AsyncSession, material_id: UUID, reader: Reader, *, lock: bool = False
) -> MaterialRecord | None:
    """One material as `reader` may see it; `lock` queues up those who want to change it."""
    if lock:
        # First and alone: the join must read what the holder of the lock before us has written.
        await session.execute(select(Material.id).where(Material.id == material_id).with_for_update())
    statement = _newest().where(Material.id == material_id, _readable_by(reader))
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        return None
    material, version, file, content = row
    return MaterialRecord(material, version, file, content, await steps_of(session, version.id))


async def steps_of(session: AsyncSession, version_id: UUID) -> Sequence[ReviewStep]:
    statement = select(ReviewStep).where(ReviewStep.version_id == version_id).order_by(ReviewStep.id)
    return (await session.execute(statement)).scalars().all()


async def page(
    session: AsyncSession, reader: Reader, filters: Filters, *, before: UUID | None, limit: int
) -> list[MaterialRecord]:
    """Newest first; ids are ordered by time, so they are the keyset."""
    statement = _newest().where(_readable_by(reader), *_conditions(filters)).order_by(Material.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(Material.id < before)
    rows = await session.execute(statement)
    return [MaterialRecord(material, version, file, content) for material, version, file, content in rows]


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    wanted: list[tuple[Any, str | None]] = [
        (Material.school_sourced_id, filters.school),
        (MaterialVersion.state, filters.state),
        (MaterialVersion.subject, filters.subject),
        (MaterialVersion.type, filters.type),
    ]
    found: list[ColumnElement[bool]] = [column == value for column, value in wanted if value is not None]
    if filters.grade is not None:
        found.append(MaterialVersion.grades.contains([filters.grade]))
    return found


async def remember_content(session: AsyncSession, content: StoredFile) -> StoredFile:
    """The row of a file in the content store, made by whoever comes first."""
    values = {
        "sha256": content.sha256,
        "size": content.size,
        "media_type": content.media_type,
        "created_at": content.created_at,
    }
    await session.execute(insert(StoredFile).values(values).on_conflict_do_nothing())
    return (await session.execute(select(StoredFile).where(StoredFile.sha256 == content.sha256))).scalar_one()


async def used_among(session: AsyncSession, sha256s: Collection[str]) -> frozenset[str]:
    """Which of these files some version uses."""
    rows = await session.execute(select(StoredFile.sha256).where(StoredFile.sha256.in_(sha256s)))
    return frozenset(rows.scalars())
