"""Who works on what: advisory locks of one connection, gone with it when the process dies.

One connection holds the claims of a whole worker, so that slow work does not use up the pool.
"""

import asyncio

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

_CLAIM = text("SELECT pg_try_advisory_lock(hashtextextended(:name, 12))")
_RELEASE = text("SELECT pg_advisory_unlock(hashtextextended(:name, 12))")


class Claims:
    """Within one process the caller sees to it that it claims a name once: PostgreSQL would grant it again."""

    def __init__(self) -> None:
        self._connection: AsyncConnection | None = None
        self._turn = asyncio.Lock()

    async def take(self, engine: AsyncEngine, name: str) -> bool:
        async with self._turn:
            if self._connection is None:
                opened = await engine.connect()
                self._connection = await opened.execution_options(isolation_level="AUTOCOMMIT")
            try:
                return bool((await self._connection.execute(_CLAIM, {"name": name})).scalar_one())
            except (DBAPIError, OSError):
                await self._drop()
                raise

    async def give_back(self, name: str) -> None:
        async with self._turn:
            if self._connection is None:
                return
            try:
                await self._connection.execute(_RELEASE, {"name": name})
            except (DBAPIError, OSError):
                await self._drop()

    async def close(self) -> None:
        async with self._turn:
            await self._drop()

    async def _drop(self) -> None:
        """The server gives back every claim with the connection; writes are guarded by what they find."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.invalidate()
            await connection.close()
