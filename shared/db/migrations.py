"""Alembic for every service: `migrations/env.py` is three lines, the rest is here.

Migrations run as the schema's owner, under an advisory lock (two starting instances do not race) and with a lock
time-out of 2 s, so that a migration never queues behind a long reader and blocks everyone after it.
"""

import asyncio
import importlib
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from sqlalchemy import Connection, MetaData, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

_LOCK_KEY = 7305809


def config_for(service_package: str, url: str) -> Config:
    """Alembic's configuration for a service package such as `services.sync`; `url` is the owner's."""
    folder = Path(str(importlib.import_module(service_package).__file__)).parent / "migrations"
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.attributes["url"] = url
    return config


def upgrade(service_package: str, url: str, revision: str = "head") -> None:
    command.upgrade(config_for(service_package, url), revision)


def downgrade(service_package: str, url: str, revision: str = "base") -> None:
    command.downgrade(config_for(service_package, url), revision)


def check(service_package: str, url: str) -> None:
    """Raise unless the migrated schema is what the tables in code say."""
    command.check(config_for(service_package, url))


def run(metadata: MetaData) -> None:
    """What a service's `migrations/env.py` calls."""
    if context.is_offline_mode():
        context.configure(dialect_name="postgresql", target_metadata=metadata, literal_binds=True)
        with context.begin_transaction():
            context.run_migrations()
        return
    asyncio.run(_run_online(metadata, context.config.attributes["url"]))


async def _run_online(metadata: MetaData, url: str) -> None:
    engine = create_async_engine(url, poolclass=pool.NullPool)
    try:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK_KEY})
            await connection.execute(text("SET lock_timeout = '2s'"))
            await connection.commit()
            await connection.run_sync(_migrate, metadata)
    finally:
        await engine.dispose()


def _migrate(connection: Connection, metadata: MetaData) -> None:
    context.configure(connection=connection, target_metadata=metadata, compare_type=True, compare_server_default=True)
    with context.begin_transaction():
        context.run_migrations()


def grant_to_app(table_names: list[str], role: str) -> list[str]:
    """DDL that lets the service's login role work with its tables: rows, never the schema, never TRUNCATE."""
    tables = ", ".join(f'"{name}"' for name in table_names)
    return [f"GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO {role}"]
