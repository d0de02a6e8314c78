"""What the operator may look at."""

from collections.abc import Sequence

from services.gateway.storage import clients, persons
from services.gateway.storage.clients import KnownClient
from shared.db.unit_of_work import UnitOfWork

MAX_ROWS = 10_000


async def list_clients(uow: UnitOfWork) -> Sequence[KnownClient]:
    """All clients by id, at most 10,000."""
    return await clients.all_clients(uow.session, MAX_ROWS)


async def list_persons(uow: UnitOfWork) -> Sequence[tuple[str, str, str]]:
    """All posts as (subject, unit, role), at most 10,000."""
    return await persons.all_posts(uow.session, MAX_ROWS)
