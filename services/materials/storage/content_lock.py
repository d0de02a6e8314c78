"""A short lock on one content that every process of the service shares: an advisory lock of PostgreSQL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.materials.storage.s3_bucket import Lock

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 1950))")


def content_lock(engine: AsyncEngine) -> Lock:
    """It ends with its connection: a killed process holds nothing up."""

    @asynccontextmanager
    async def held(sha256: str) -> AsyncIterator[None]:
        async with engine.begin() as connection:
            await connection.execute(_LOCK, {"name": f"content:{sha256}"})
            yield

    return held
