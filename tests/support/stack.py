"""Real PostgreSQL and nats-server for the tests: one throw-away pair per run, shared by all xdist workers.

Fixtures
    servers            addresses of the pair (`deploy.local.ephemeral.Addresses`)
    pg_admin_url       PostgreSQL's superuser, for asyncpg
    databases          makes databases: `databases.clone("sync")`, `databases.drop(database)`
    database           the same for one test: `database("sync")`, dropped when the test ends
    module_database    the same for one module
    nats_url_for       `nats_url_for("sync")`: this worker's account, with production's permissions
    nats_admin_url     this worker's account without limits
    clean_streams      no stream exists in this worker's account, before and after the test
    own_nats           a nats-server of this test alone, which it may stop and start

A clone is a copy of a template that the service's own migrations built once per worker, about 60 ms each.
"""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import asyncpg
import nats
import pytest

from deploy.local.ephemeral import Addresses, ThrowAwayNats, run_apart, throw_away_nats, throw_away_servers
from deploy.local.postgres import create_database

_KEY = pytest.StashKey[contextlib.ExitStack]()
_ADDRESSES = pytest.StashKey[Addresses]()
_INPUT = "lien_thong_servers"


def pytest_configure_node(node: Any) -> None:
    """In xdist's controller: start the pair before the first worker and tell each worker where it is."""
    node.workerinput[_INPUT] = _start(node.config).as_dict()


def pytest_unconfigure(config: pytest.Config) -> None:
    if _KEY in config.stash:
        config.stash[_KEY].close()


def _start(config: pytest.Config) -> Addresses:
    """Start the pair at the first call in this process."""
    if _ADDRESSES not in config.stash:
        opened = contextlib.ExitStack()
        config.stash[_ADDRESSES] = opened.enter_context(throw_away_servers()).addresses
        config.stash[_KEY] = opened
    return config.stash[_ADDRESSES]


@pytest.fixture(scope="session")
def servers(pytestconfig: pytest.Config) -> Addresses:
    handed_over = getattr(pytestconfig, "workerinput", {}).get(_INPUT)
    return Addresses.from_dict(handed_over) if handed_over else _start(pytestconfig)


@pytest.fixture(scope="session")
def pg_admin_url(servers: Addresses) -> str:
    return servers.admin_url


@dataclasses.dataclass(frozen=True, slots=True)
class Database:
    """One service's database with its two roles, addresses as the services take them (`postgresql+asyncpg://…`)."""

    service: str
    name: str
    owner_url: str
    app_url: str


class Databases:
    """Databases of one test worker; methods may be called inside and outside an event loop."""

    def __init__(self, servers: Addresses, worker: int) -> None:
        self._servers = servers
        self._worker = worker
        self._templates: dict[str, Database] = {}
        self._made = 0

    def empty(self, service: str) -> Database:
        """A database without any table, for tests of migrations."""
        return self._create(service, "template0")

    def clone(self, service: str) -> Database:
        """A database as the service's migrations leave it."""
        if service not in self._templates:
            template = self._create(service, "template0")
            run_apart(_migrated(template))
            self._templates[service] = template
        return self._create(service, self._templates[service].name)

    def drop(self, database: Database) -> None:
        run_apart(_execute(self._servers.admin_url, f'DROP DATABASE IF EXISTS "{database.name}" WITH (FORCE)'))

    def _create(self, service: str, template: str) -> Database:
        self._made += 1
        name = f"{service}_w{self._worker}_{self._made}"
        run_apart(_create(self._servers.admin_url, name, service, template))
        return Database(
            service,
            name,
            self._servers.database_url(f"{service}_owner", name),
            self._servers.database_url(f"{service}_app", name),
        )


async def _migrated(database: Database) -> None:
    # Imported late: tests that need no database must not need the services either.
    import asyncio  # noqa: PLC0415

    from shared.db import migrations  # noqa: PLC0415

    # Alembic's environment runs an event loop of its own.
    await asyncio.to_thread(migrations.upgrade, f"services.{database.service}", database.owner_url)


async def _create(admin_url: str, name: str, service: str, template: str) -> None:
    connection = await asyncpg.connect(admin_url)
    try:
        await create_database(connection, name, service, template=template)
    finally:
        await connection.close()


async def _execute(admin_url: str, statement: str) -> None:
    connection = await asyncpg.connect(admin_url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def worker_number(pytestconfig: pytest.Config) -> int:
    """0 without xdist, and for its worker gw0."""
    name = getattr(pytestconfig, "workerinput", {}).get("workerid", "gw0")
    return int(name.removeprefix("gw"))


@pytest.fixture(scope="session")
def databases(servers: Addresses, worker_number: int) -> Databases:
    return Databases(servers, worker_number)


@contextlib.contextmanager
def _dropped_at_the_end(databases: Databases) -> Iterator[Callable[[str], Database]]:
    made: list[Database] = []

    def clone(service: str) -> Database:
        made.append(databases.clone(service))
        return made[-1]

    yield clone
    for database in made:
        databases.drop(database)


@pytest.fixture
def database(databases: Databases) -> Iterator[Callable[[str], Database]]:
    with _dropped_at_the_end(databases) as clone:
        yield clone


@pytest.fixture(scope="module")
def module_database(databases: Databases) -> Iterator[Callable[[str], Database]]:
    with _dropped_at_the_end(databases) as clone:
        yield clone


@pytest.fixture(scope="session")
def nats_url_for(servers: Addresses, worker_number: int) -> Callable[[str], str]:
    return lambda service: servers.nats_url(service, worker_number)


@pytest.fixture(scope="session")
def nats_admin_url(servers: Addresses, worker_number: int) -> str:
    return servers.nats_url("admin", worker_number)


@pytest.fixture
def clean_streams(nats_admin_url: str) -> Iterator[None]:
    run_apart(delete_streams(nats_admin_url))
    yield
    run_apart(delete_streams(nats_admin_url))


async def delete_streams(url: str) -> None:
    """Delete every stream, with its consumers, of the account of `url`."""
    client = await nats.connect(url)
    try:
        jetstream = client.jetstream()
        for stream in await jetstream.streams_info():
            assert stream.config.name is not None
            await jetstream.delete_stream(stream.config.name)
    finally:
        await client.close()


@pytest.fixture
def own_nats() -> Iterator[ThrowAwayNats]:
    with throw_away_nats() as server:
        yield server
