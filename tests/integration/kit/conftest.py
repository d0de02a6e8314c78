"""A service that exists only here: one table of things that belong to schools, and the mechanism's own tables."""

import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, ClassVar

import pytest
from sqlalchemy import Identity, UniqueConstraint, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import Mapped, mapped_column

from shared.contracts.event import EventData
from shared.db.engine import make_engine
from shared.db.migrations import grant_to_app
from shared.db.scope import school_policy
from shared.db.tables import declarative_base
from shared.db.unit_of_work import UnitsOfWork

Base = declarative_base()


class Thing(Base):  # type: ignore[valid-type, misc]
    __tablename__ = "thing"
    name: Mapped[str] = mapped_column(primary_key=True)
    school_sourced_id: Mapped[str]
    count: Mapped[int] = mapped_column(default=0)


class Late(Base):  # type: ignore[valid-type, misc]
    """Its uniqueness is checked at commit."""

    __tablename__ = "late"
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    value: Mapped[int]
    __table_args__ = (UniqueConstraint("value", deferrable=True, initially="DEFERRED"),)


class ThingCounted(EventData):
    TYPE: ClassVar[str] = "sync.thing.counted.v1"
    name: str
    count: int


@dataclasses.dataclass(frozen=True)
class Place:
    """`engine` logs in as the service does; `owner_url` is the schema's owner."""

    engine: AsyncEngine
    units: UnitsOfWork
    app_url: str
    owner_url: str


@pytest.fixture
async def make_place(databases) -> AsyncIterator[Callable[..., Awaitable[Place]]]:
    made: list[tuple[Any, AsyncEngine]] = []

    async def make(pool_size: int = 5, service: str = "sync") -> Place:
        database = databases.empty(service)
        owner = create_async_engine(database.owner_url)
        async with owner.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
            grants = grant_to_app([table.name for table in Base.metadata.sorted_tables], f"{service}_app")
            for statement in [*school_policy("thing"), *grants]:
                await connection.execute(text(statement))
        await owner.dispose()
        engine = make_engine(database.app_url, application="kit-test", pool_size=pool_size)
        made.append((database, engine))
        return Place(engine, UnitsOfWork(engine, source=f"/{service}"), database.app_url, database.owner_url)

    yield make
    for database, engine in made:
        await engine.dispose()
        databases.drop(database)


@pytest.fixture
async def place(make_place) -> Place:
    return await make_place()
