"""Named queries over the LTI tool's tables."""

import datetime as dt
import itertools
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.materials.storage.lti_tables import LtiKey, LtiPlatform, LtiSession, LtiUsed


async def platform(session: AsyncSession, platform_id: UUID, *, lock: bool = False) -> LtiPlatform | None:
    return await session.get(LtiPlatform, platform_id, with_for_update=lock or None, populate_existing=lock)


async def registrations(session: AsyncSession, issuer: str, client_id: str | None) -> Sequence[LtiPlatform]:
    """Those of this issuer; one at most when the client id is known as well."""
    statement = select(LtiPlatform).where(LtiPlatform.issuer == issuer)
    if client_id is not None:
        statement = statement.where(LtiPlatform.client_id == client_id)
    return (await session.execute(statement.limit(2))).scalars().all()


async def page(session: AsyncSession, state: str | None, *, before: UUID | None, limit: int) -> Sequence[LtiPlatform]:
    """Newest first."""
    statement = select(LtiPlatform).order_by(LtiPlatform.id.desc()).limit(limit)
    if state is not None:
        statement = statement.where(LtiPlatform.state == state)
    if before is not None:
        statement = statement.where(LtiPlatform.id < before)
    return (await session.execute(statement)).scalars().all()


async def waiting(session: AsyncSession) -> int:
    """How many registrations nobody has decided on."""
    statement = select(func.count()).select_from(LtiPlatform).where(LtiPlatform.state == "waiting")
    return (await session.execute(statement)).scalar_one()


async def use_nonce(session: AsyncSession, platform_id: UUID, nonce: str, expires_at: dt.datetime) -> bool:
    """True the first time; False for a launch that comes again, also when both come at the same moment."""
    values = {"platform_id": platform_id, "nonce": nonce, "expires_at": expires_at}
    statement = insert(LtiUsed).values(values).on_conflict_do_nothing().returning(LtiUsed.nonce)
    return (await session.execute(statement)).scalar_one_or_none() is not None


async def opened(session: AsyncSession, token_sha256: str) -> tuple[LtiSession, LtiPlatform] | None:
    """A session that has not ended, with its platform while that is accepted."""
    statement = (
        select(LtiSession, LtiPlatform)
        .join(LtiPlatform, LtiPlatform.id == LtiSession.platform_id)
        .where(
            LtiSession.token_sha256 == token_sha256,
            LtiSession.expires_at > func.clock_timestamp(),
            LtiPlatform.state == "accepted",
        )
    )
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else (row[0], row[1])


async def sweep(session: AsyncSession, now: dt.datetime) -> None:
    """Remove nonces and sessions that are over."""
    await session.execute(delete(LtiUsed).where(LtiUsed.expires_at < now))
    await session.execute(delete(LtiSession).where(LtiSession.expires_at < now))


async def lock_keys(session: AsyncSession) -> None:
    """Until the transaction ends nobody else makes a key."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtext("materials.lti.keys"))))


async def newest_key(session: AsyncSession) -> LtiKey | None:
    statement = select(LtiKey).order_by(LtiKey.created_at.desc(), LtiKey.kid).limit(1)
    return (await session.execute(statement)).scalar_one_or_none()


async def public_keys(session: AsyncSession, since: dt.datetime) -> list[Mapping[str, Any]]:
    """JWKs of the key that signs, and of those replaced after `since`, newest first."""
    rows = (await session.execute(select(LtiKey).order_by(LtiKey.created_at.desc(), LtiKey.kid))).scalars().all()
    shown: list[Mapping[str, Any]] = [row.public for row in rows[:1]]
    # A key was replaced when the next newer one was made.
    shown += [row.public for newer, row in itertools.pairwise(rows) if newer.created_at >= since]
    return shown
