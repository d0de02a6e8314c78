"""Which other contents are like one, and which materials that the reader may see hold them."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from services.materials.storage.shelf_tables import ShelfItem
from services.materials.storage.tables import Base, MaterialVersion, VersionFile

_CANDIDATES = 200


class FileSketch(Base):
    """The sketch of a content's text (`domain.fingerprint`); only of texts long enough to be compared."""

    __tablename__ = "file_sketch"
    sha256: Mapped[str] = mapped_column(ForeignKey("stored_file.sha256"), primary_key=True)
    sketch: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    __table_args__ = (Index("ix_file_sketch_sketch", "sketch", postgresql_using="gin"),)


async def remember_sketch(session: AsyncSession, sha256: str, sketch: Sequence[int]) -> None:
    if sketch:
        statement = insert(FileSketch).values(sha256=sha256, sketch=list(sketch))
        await session.execute(statement.on_conflict_do_nothing())


async def sketches_of(session: AsyncSession, sha256s: Collection[str]) -> dict[str, list[int]]:
    rows = await session.execute(select(FileSketch).where(FileSketch.sha256.in_(sha256s)))
    return {row.sha256: row.sketch for row in rows.scalars()}


async def candidates(session: AsyncSession, sketch: Sequence[int], but: str) -> Sequence[FileSketch]:
    """Contents that share at least one number of the sketch."""
    statement = select(FileSketch).where(FileSketch.sketch.overlap(list(sketch)), FileSketch.sha256 != but)
    return (await session.execute(statement.limit(_CANDIDATES))).scalars().all()


async def holders(
    session: AsyncSession, sha256s: Collection[str], but: UUID, schools: Collection[str] | None
) -> list[tuple[str, UUID, str]]:
    """(sha256, material, place) of other materials with these contents: of the reader's schools, and of the shelf."""
    statement = (
        select(VersionFile.sha256, MaterialVersion.material_id)
        .join(MaterialVersion, MaterialVersion.id == VersionFile.version_id)
        .where(
            VersionFile.sha256.in_(sha256s),
            MaterialVersion.material_id != but,
            MaterialVersion.withdrawn_at.is_(None),
        )
        .distinct()
    )
    if schools is not None:
        statement = statement.where(MaterialVersion.school_sourced_id.in_(schools))
    found = [(sha256, material_id, "school") for sha256, material_id in await session.execute(statement)]
    for sha256 in sha256s:
        shared = select(ShelfItem.material_id).where(
            ShelfItem.files.contains([{"sha256": sha256}]),
            ShelfItem.material_id != but,
            ShelfItem.withdrawn_at.is_(None),
        )
        found += [(sha256, material_id, "shared") for material_id in (await session.execute(shared)).scalars()]
    return found
