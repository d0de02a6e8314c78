"""What a service is, for the programs that run every service the same way (`shared.ops`, `shared.worker`)."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import MetaData
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.clock import Clock, SystemClock
from shared.db.engine import make_engine
from shared.db.unit_of_work import UnitsOfWork
from shared.messaging.consumer import Consumer
from shared.settings import ServiceSettings


@dataclass(frozen=True, slots=True)
class Service:
    """Declared once in a service's `bootstrap.py` as `SERVICE`."""

    name: str
    settings: type[ServiceSettings]
    metadata: MetaData
    consumers: Sequence[Consumer] = ()

    @property
    def package(self) -> str:
        return f"services.{self.name}"


@dataclass(frozen=True, slots=True)
class Runtime:
    """What one process holds open: built once, handed down."""

    service: str
    settings: ServiceSettings
    clock: Clock
    engine: AsyncEngine
    units: UnitsOfWork

    async def close(self) -> None:
        await self.engine.dispose()


def build_runtime(service: str, settings: ServiceSettings, *, role: str, clock: Clock | None = None) -> Runtime:
    """`role` tells the processes of a service apart in `pg_stat_activity`: `api`, `worker`, `ops`."""
    engine = make_engine(
        settings.database_url.get_secret_value(),
        application=f"{service}-{role}",
        pool_size=settings.database_pool_size,
    )
    return Runtime(
        service=service,
        settings=settings,
        clock=clock or SystemClock(),
        engine=engine,
        units=UnitsOfWork(engine, source=f"/{service}"),
    )


def plain_dsn(url: str) -> str:
    """An SQLAlchemy URL as asyncpg itself wants it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
