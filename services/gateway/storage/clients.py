"""Named queries over clients, their secrets and grants."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.gateway.storage.tables import Client, ClientOrg, ClientSecret
from shared.ids import new_id


@dataclass(frozen=True, slots=True)
class KnownClient:
    """A client as the token endpoint needs it. `digests` are those of the secrets valid now."""

    id: str
    name: str
    scopes: frozenset[str]
    may_exchange: bool
    disabled: bool
    orgs: frozenset[str]
    digests: tuple[bytes, ...] = ()


async def find_client(session: AsyncSession, client_id: str) -> KnownClient | None:
    clients = await _clients(session, Client.id == client_id)
    return clients[0] if clients else None


async def all_clients(session: AsyncSession, limit: int) -> Sequence[KnownClient]:
    return await _clients(session, Client.id.is_not(None), limit)


async def _clients(session: AsyncSession, condition: object, limit: int = 1) -> Sequence[KnownClient]:
    orgs = (
        select(func.array_agg(ClientOrg.org_sourced_id))
        .where(ClientOrg.client_id == Client.id)
        .correlate(Client)
        .scalar_subquery()
    )
    valid = ClientSecret.expires_at.is_(None) | (ClientSecret.expires_at > func.clock_timestamp())
    digests = (
        select(func.array_agg(ClientSecret.digest))
        .where(ClientSecret.client_id == Client.id, valid)
        .correlate(Client)
        .scalar_subquery()
    )
    columns = (Client.id, Client.name, Client.scopes, Client.may_exchange, Client.disabled_at)
    statement = (
        select(*columns, orgs.label("orgs"), digests.label("digests"))
        .where(condition)  # type: ignore[arg-type]  # a column expression is a condition to SQLAlchemy
        .order_by(Client.id)
        .limit(limit)
    )
    return [
        KnownClient(
            id=row.id,
            name=row.name,
            scopes=frozenset(row.scopes),
            may_exchange=row.may_exchange,
            disabled=row.disabled_at is not None,
            orgs=frozenset(row.orgs or ()),
            digests=tuple(row.digests or ()),
        )
        for row in await session.execute(statement)
    ]


async def insert_client(
    session: AsyncSession, *, client_id: str, name: str, scopes: Iterable[str], may_exchange: bool
) -> bool:
    """False when there is a client of this id already; nothing is changed then."""
    statement = (
        insert(Client)
        .values(id=client_id, name=name, scopes=sorted(scopes), may_exchange=may_exchange)
        .on_conflict_do_nothing()
        .returning(Client.id)
    )
    return (await session.execute(statement)).one_or_none() is not None


async def set_disabled(session: AsyncSession, client_id: str, *, disabled: bool) -> None:
    at = func.clock_timestamp() if disabled else None
    await session.execute(update(Client).where(Client.id == client_id).values(disabled_at=at))


async def add_secret(session: AsyncSession, client_id: str, digest: bytes) -> None:
    await session.execute(insert(ClientSecret).values(id=new_id(), client_id=client_id, digest=digest))


async def retire_secrets(session: AsyncSession, client_id: str, overlap: dt.timedelta) -> None:
    """The newest secret stays valid for `overlap` more; any older one ends now, so that two are the most there are."""
    mine = ClientSecret.client_id == client_id
    await session.execute(delete(ClientSecret).where(mine, ClientSecret.expires_at.is_not(None)))
    ends = func.clock_timestamp() + overlap
    await session.execute(update(ClientSecret).where(mine).values(expires_at=ends))


async def add_grants(session: AsyncSession, client_id: str, orgs: Iterable[str]) -> None:
    rows = [{"client_id": client_id, "org_sourced_id": org} for org in sorted(set(orgs))]
    if rows:
        await session.execute(insert(ClientOrg).values(rows).on_conflict_do_nothing())


async def remove_grants(session: AsyncSession, client_id: str, orgs: Iterable[str]) -> None:
    mine = ClientOrg.client_id == client_id
    await session.execute(delete(ClientOrg).where(mine, ClientOrg.org_sourced_id.in_(sorted(set(orgs)))))
