"""What there is to find, from the tables; and in which order it changed.

Whoever publishes, withdraws or shares a material `touch`es it in the same transaction. Readers go along the order of
transactions and stop before those still open, so that one that commits late is never passed by.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import BigInteger, Index, text
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from services.materials.storage.search.port import Document
from services.materials.storage.tables import Base

_WRITTEN_BY = sql("pg_current_xact_id()::text::bigint")
_TEXT_LIMIT = 200_000


class SearchChange(Base):
    """A material that changed for those who search, and in which transaction it last did."""

    __tablename__ = "search_change"
    material_id: Mapped[UUID] = mapped_column(primary_key=True)
    written_by: Mapped[int] = mapped_column(BigInteger, server_default=_WRITTEN_BY)
    __table_args__ = (Index("ix_search_change_written_by_material_id", "written_by", "material_id"),)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the order of changes: behind this material in this transaction."""

    written_by: int
    material_id: UUID


START = Place(-1, UUID(int=0))


async def touch(session: AsyncSession, material_id: UUID) -> None:
    """Tell the indexes of this material, once this transaction has committed."""
    statement = insert(SearchChange).values(material_id=material_id, written_by=_WRITTEN_BY)
    await session.execute(
        statement.on_conflict_do_update(index_elements=["material_id"], set_={"written_by": _WRITTEN_BY})
    )


_CHANGES = text(
    """
    SELECT written_by, material_id FROM search_change
    WHERE (written_by, material_id) > (:written_by, :material_id)
      AND written_by < CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)
    ORDER BY written_by, material_id LIMIT :limit
    """
)


async def changes(session: AsyncSession, after: Place, limit: int) -> Sequence[Place]:
    """The next changes behind `after`, all of them of transactions that have ended."""
    parameters = {"written_by": after.written_by, "material_id": after.material_id, "limit": limit}
    return [Place(row.written_by, row.material_id) for row in await session.execute(_CHANGES, parameters)]


async def count(session: AsyncSession) -> int:
    """Materials there are to look at: for the progress of a build."""
    number: int = (await session.execute(text("SELECT count(*) FROM search_change"))).scalar_one()
    return number


_SCHOOL = text(
    """
    SELECT m.id AS material_id, 'school' AS place, m.school_sourced_id AS school, v.title, v.description,
           v.subject, v.other_subjects, v.grades, v.type, v.licence, v.requirements,
           extract(epoch FROM coalesce(v.published_at, v.created_at))::bigint AS changed,
           coalesce((SELECT left(string_agg(c.text, ' ' ORDER BY f.position), :limit) FROM version_file AS f
                     JOIN file_check AS c USING (sha256) WHERE f.version_id = v.id), '') AS text
    FROM material AS m JOIN material_version AS v ON v.material_id = m.id AND v.number = m.published_number
    WHERE m.id = ANY(:ids)
    """
)
_SHARED = text(
    """
    SELECT s.material_id, 'shared' AS place, s.school_sourced_id AS school, s.title, s.description, s.subject,
           s.other_subjects, s.grades, s.type, s.licence, s.requirements,
           extract(epoch FROM s.changed_at)::bigint AS changed,
           coalesce((SELECT left(string_agg(c.text, ' '), :limit) FROM file_check AS c
                     WHERE c.sha256 IN (SELECT f ->> 'sha256' FROM jsonb_array_elements(s.files) AS f)), '') AS text
    FROM shelf_item AS s WHERE s.material_id = ANY(:ids) AND s.withdrawn_at IS NULL
    """
)


async def documents(session: AsyncSession, ids: Collection[UUID]) -> list[Document]:
    """All there is to find of these materials now: at their school, on the shelf, both or nothing."""
    parameters = {"ids": list(ids), "limit": _TEXT_LIMIT}
    return [
        Document(
            material_id=str(row.material_id),
            place=row.place,
            school=row.school,
            title=row.title,
            description=row.description,
            text=row.text,
            subjects=(row.subject, *row.other_subjects),
            grades=tuple(row.grades),
            type=row.type,
            licence=row.licence,
            requirements=tuple(row.requirements),
            changed=row.changed,
        )
        for statement in (_SCHOOL, _SHARED)
        for row in await session.execute(statement, parameters)
    ]
