"""Named queries over the persons the portal speaks for."""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.gateway.storage.tables import Person


async def posts_of(session: AsyncSession, subject: str, limit: int = 1000) -> list[tuple[str, str]]:
    """The person's posts: pairs of (unit, role)."""
    statement = select(Person.org_sourced_id, Person.role).where(Person.subject == subject).limit(limit)
    return [(row.org_sourced_id, row.role) for row in await session.execute(statement)]


async def all_posts(session: AsyncSession, limit: int) -> Sequence[tuple[str, str, str]]:
    """Triples of (subject, unit, role), in order."""
    columns = (Person.subject, Person.org_sourced_id, Person.role)
    statement = select(*columns).order_by(*columns).limit(limit)
    return [(row.subject, row.org_sourced_id, row.role) for row in await session.execute(statement)]


async def add_post(session: AsyncSession, subject: str, org: str, role: str) -> bool:
    """False when the person holds this post already."""
    statement = (
        insert(Person)
        .values(subject=subject, org_sourced_id=org, role=role)
        .on_conflict_do_nothing()
        .returning(Person.subject)
    )
    return (await session.execute(statement)).one_or_none() is not None


async def remove_post(session: AsyncSession, subject: str, org: str, role: str) -> bool:
    """False when the person did not hold this post."""
    statement = (
        delete(Person)
        .where(Person.subject == subject, Person.org_sourced_id == org, Person.role == role)
        .returning(Person.subject)
    )
    return (await session.execute(statement)).one_or_none() is not None
