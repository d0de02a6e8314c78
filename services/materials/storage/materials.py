"""Named queries over materials. Each names the schools the reader was granted; row-level security does so again."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, case, func, or_, select, true, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from services.materials.domain.material import Reader
from services.materials.storage.files import HeldFile, files_of
from services.materials.storage.tables import Material, MaterialVersion, ReviewStep


@dataclass(frozen=True, slots=True)
class MaterialRecord:
    """A material with one of its versions and that version's files in order; `steps` is its review, oldest first."""

    material: Material
    version: MaterialVersion
    files: Sequence[HeldFile] = ()
    steps: Sequence[ReviewStep] = ()


@dataclass(frozen=True, slots=True)
class Filters:
    """None leaves a filter out; values that nothing has give an empty list."""

    school: str | None = None
    state: str | None = None
    subject: str | None = None
    grade: str | None = None
    type: str | None = None
    requirement: str | None = None
    author: str | None = None


def _sees_newest(reader: Reader) -> ColumnElement[bool]:
    """Is the newest version there for `reader`, in whatever state it is?"""
    if reader.schools is None:
        return true()
    return or_(Material.latest_author == reader.subject, Material.school_sourced_id.in_(reader.reviews_at))


def _granted(reader: Reader) -> ColumnElement[bool]:
    return true() if reader.schools is None else Material.school_sourced_id.in_(reader.schools)


def _shown(reader: Reader) -> ColumnElement[bool]:
    """The version `reader` is shown: the newest to those it is there for, the one in use to everyone else."""
    return and_(
        MaterialVersion.material_id == Material.id,
        MaterialVersion.number == case((_sees_newest(reader), Material.latest_number), else_=Material.published_number),
    )


async def find(
    session: AsyncSession, material_id: UUID, reader: Reader, *, number: int | None = None, lock: bool = False
) -> MaterialRecord | None:
    """One material as `reader` may see it; `lock` queues up those who want to change it.

    `number` asks for that version: it is there for whom the newest is, for its own author, and when it is in use.
    """
    if lock:
        # First and alone: the join must read what the holder of the lock before us has written.
        await session.execute(select(Material.id).where(Material.id == material_id).with_for_update())
    shown = _shown(reader) if number is None else _numbered(reader, number)
    statement = (
        select(Material, MaterialVersion)
        .join(MaterialVersion, shown)
        .where(Material.id == material_id, _granted(reader))
    )
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        return None
    material, version = row
    files = await files_of(session, [version.id])
    return MaterialRecord(material, version, files.get(version.id, ()), await steps_of(session, version.id))


def _numbered(reader: Reader, number: int) -> ColumnElement[bool]:
    return and_(
        MaterialVersion.material_id == Material.id,
        MaterialVersion.number == number,
        or_(
            _sees_newest(reader),
            MaterialVersion.author == reader.subject,
            Material.published_number == MaterialVersion.number,
        ),
    )


async def in_use(session: AsyncSession, ids: Collection[UUID], reader: Reader) -> list[MaterialRecord]:
    """The versions in use of these materials, as far as `reader` was granted them."""
    statement = (
        select(Material, MaterialVersion)
        .join(
            MaterialVersion,
            and_(MaterialVersion.material_id == Material.id, MaterialVersion.number == Material.published_number),
        )
        .where(Material.id.in_(ids), _granted(reader))
    )
    return await with_files(session, (await session.execute(statement)).all())


async def of_version(session: AsyncSession, version_id: UUID) -> MaterialRecord | None:
    """A version by its id, for a caller whose right to this very version was found before."""
    statement = (
        select(Material, MaterialVersion)
        .join(MaterialVersion, MaterialVersion.material_id == Material.id)
        .where(MaterialVersion.id == version_id)
    )
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        return None
    files = await files_of(session, [version_id])
    return MaterialRecord(row[0], row[1], files.get(version_id, ()), await steps_of(session, version_id))


async def versions_of(session: AsyncSession, material_id: UUID, reader: Reader) -> Sequence[MaterialVersion]:
    """The versions `reader` may see, newest first."""
    visible = or_(
        _sees_newest(reader),
        MaterialVersion.author == reader.subject,
        Material.published_number == MaterialVersion.number,
    )
    statement = (
        select(MaterialVersion)
        .join(Material, Material.id == MaterialVersion.material_id)
        .where(Material.id == material_id, _granted(reader), visible)
        .order_by(MaterialVersion.number.desc())
    )
    return (await session.execute(statement)).scalars().all()


async def steps_of(session: AsyncSession, version_id: UUID) -> Sequence[ReviewStep]:
    statement = select(ReviewStep).where(ReviewStep.version_id == version_id).order_by(ReviewStep.id)
    return (await session.execute(statement)).scalars().all()


async def page(
    session: AsyncSession, reader: Reader, filters: Filters, *, before: UUID | None, limit: int
) -> list[MaterialRecord]:
    """Newest first; ids are ordered by time, so they are the keyset."""
    statement = (
        select(Material, MaterialVersion)
        .join(MaterialVersion, _shown(reader))
        .where(_granted(reader), *_conditions(filters))
        .order_by(Material.id.desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(Material.id < before)
    return await with_files(session, (await session.execute(statement)).all())


async def queue_page(
    session: AsyncSession,
    reader: Reader,
    turn: ColumnElement[bool],
    *,
    after: tuple[Any, UUID] | None,
    limit: int,
) -> list[MaterialRecord]:
    """What waits for a decision that `turn` describes, longest waiting first."""
    statement = (
        select(Material, MaterialVersion)
        .join(
            MaterialVersion,
            and_(MaterialVersion.material_id == Material.id, MaterialVersion.number == Material.latest_number),
        )
        .where(MaterialVersion.waiting_since.is_not(None), _granted(reader), turn)
        .order_by(MaterialVersion.waiting_since, MaterialVersion.id)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(tuple_(MaterialVersion.waiting_since, MaterialVersion.id) > after)
    return await with_files(session, (await session.execute(statement)).all())


async def with_files(session: AsyncSession, rows: Sequence[Row[Material, MaterialVersion]]) -> list[MaterialRecord]:
    """Records of these rows, with the files of all of them read at once."""
    files = await files_of(session, [version.id for _, version in rows])
    return [MaterialRecord(material, version, files.get(version.id, ())) for material, version in rows]


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    wanted: list[tuple[Any, str | None]] = [
        (Material.school_sourced_id, filters.school),
        (MaterialVersion.state, filters.state),
        (MaterialVersion.type, filters.type),
        (MaterialVersion.author, filters.author),
    ]
    found: list[ColumnElement[bool]] = [column == value for column, value in wanted if value is not None]
    if filters.subject is not None:
        found.append(
            or_(
                MaterialVersion.subject == filters.subject,
                MaterialVersion.other_subjects.contains([filters.subject]),
            )
        )
    if filters.grade is not None:
        found.append(MaterialVersion.grades.contains([filters.grade]))
    if filters.requirement is not None:
        found.append(MaterialVersion.requirements.contains([filters.requirement]))
    return found


async def standing(session: AsyncSession, material_id: UUID) -> Sequence[MaterialVersion]:
    """All versions of a material, newest first, whoever asks: to say anew which is the newest and which is in use."""
    statement = (
        select(MaterialVersion)
        .where(MaterialVersion.material_id == material_id)
        .order_by(MaterialVersion.number.desc())
    )
    return (await session.execute(statement)).scalars().all()


async def newest_number(session: AsyncSession, material_id: UUID) -> int:
    statement = select(func.max(MaterialVersion.number)).where(MaterialVersion.material_id == material_id)
    number: int = (await session.execute(statement)).scalar_one()
    return number
