"""The asynchronous engine: asyncpg below, SQLAlchemy above, the scope written at the begin of each transaction."""

from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from shared.db.scope import SET_SCOPE, current_scope, scope_values

LOCK_TIMEOUT = "10s"


def make_engine(url: str, *, application: str, pool_size: int = 10) -> AsyncEngine:
    """An engine for one process. `url` names the driver: `postgresql+asyncpg://…`."""
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=10,
        pool_pre_ping=True,
        # Parameters are children's names: they have no place in an exception's text.
        hide_parameters=True,
        connect_args={
            "server_settings": {
                "application_name": application,
                "timezone": "UTC",
                "lock_timeout": LOCK_TIMEOUT,
                "idle_in_transaction_session_timeout": "60s",
            },
        },
    )

    @event.listens_for(engine.sync_engine, "begin")
    def _write_scope(connection: Connection) -> None:
        parameters: Any = scope_values(current_scope())
        connection.exec_driver_sql(SET_SCOPE.format("$1", "$2"), parameters)

    return engine
