"""One transaction = one unit of work: rows and the events they cause, committed together or not at all.

A use case gets an open unit of work and never commits. There are two commit sites in the whole system, the HTTP
dependency (`shared.http.unit_of_work`) and the consumer runner (`shared.messaging.consumer`); timed jobs and imports of
a worker use `UnitsOfWork.begin`, which is the same site.
"""

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from shared.contracts.event import EventData
from shared.db.scope import Scope, scoped, set_scope_statement
from shared.messaging.outbox import append_event


class UnitOfWork:
    """`session` is the open transaction; `emit` queues an event that leaves when, and only when, it commits."""

    def __init__(self, session: AsyncSession, source: str) -> None:
        self.session = session
        self._source = source

    async def emit(self, data: EventData, *, aggregate: str) -> None:
        """Write an event into the outbox with the aggregate's next version. `aggregate` is `<noun>:<id>`."""
        await append_event(self.session, data, aggregate=aggregate, source=self._source)

    async def now(self) -> dt.datetime:
        """The database's wall clock: the receipt time that counts (PRODUCT rule 1)."""
        instant: dt.datetime = (await self.session.execute(text("SELECT clock_timestamp()"))).scalar_one()
        return instant

    async def enter(self, scope: Scope) -> None:
        """From here on the transaction sees only the schools of `scope`."""
        await self.session.execute(set_scope_statement(scope))

    async def driver(self) -> Any:
        """The asyncpg connection of this transaction, for COPY."""
        raw = await (await self.session.connection()).get_raw_connection()
        return raw.driver_connection


class UnitsOfWork:
    """Opens units of work on one engine. `source` is the CloudEvents source, `/<service>`."""

    def __init__(self, engine: AsyncEngine, *, source: str) -> None:
        self.engine = engine
        self._sessions = async_sessionmaker(engine, expire_on_commit=False, autoflush=True)
        self._source = source

    @asynccontextmanager
    async def begin(self, scope: Scope) -> AsyncIterator[UnitOfWork]:
        """Commit at the end of the block, roll back when it raises."""
        # The context variable is set only while the transaction begins: setting it for the whole block would leak
        # into whatever task resumes a half-finished generator.
        session = self._sessions()
        try:
            with scoped(scope):
                await session.connection()
            yield UnitOfWork(session, self._source)
            await session.commit()
        except BaseException:
            await session.rollback()
            raise
        finally:
            await session.close()
