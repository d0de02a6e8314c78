"""One service on throw-away servers, as the processes production runs: for benchmarks."""

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from deploy.local.environment import Surroundings
from deploy.local.ephemeral import Addresses, run_apart
from deploy.local.plan import REPOSITORY
from deploy.local.ports import HOST, Ports, free_block
from deploy.local.postgres import create_database
from deploy.local.processes import Program, start
from deploy.local.state import Secrets, State
from shared.db import migrations
from tests.support.processes import ServiceProcess
from tests.support.tokens import ISSUER


@dataclass(slots=True)
class Running:
    """API and worker of one service on a database of their own. `admin_dsn` is the superuser in that database."""

    api: ServiceProcess
    worker: ServiceProcess
    admin_dsn: str

    def peak_megabytes(self) -> float:
        """The larger of the two processes' resident sets at their highest so far (VmHWM)."""
        return max(_peak(process.child.popen.pid) for process in (self.api, self.worker))


def _peak(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


@contextlib.contextmanager
def running(service: str, servers: Addresses, jwks_url: str, folder: Path, **settings: str) -> Iterator[Running]:
    """A migrated database of its own with API and worker on it; both end and the database goes with the block."""
    name = f"{service}_{folder.name.replace('-', '_').lower()}"
    run_apart(_create(servers.admin_url, name, service))
    owner, app = (servers.database_url(f"{service}_{part}", name) for part in ("owner", "app"))
    migrations.upgrade(f"services.{service}", owner)
    state = State(folder / "run")
    state.create()
    with contextlib.ExitStack() as opened:
        opened.callback(lambda: run_apart(_execute(servers.admin_url, f'DROP DATABASE "{name}" WITH (FORCE)')))
        ports = Ports(free_block())
        environment = Surroundings(ports, Secrets.generate(), state, os.environ).of_service(service) | {
            "DATABASE_URL": app,
            "MIGRATION_DATABASE_URL": owner,
            "NATS_URL": servers.nats_url(service, 0),
            "NATS_MONITOR_URL": servers.nats_monitor_url,
            "TOKEN_ISSUER": ISSUER,
            "JWKS_URL": jwks_url,
            "DATA_DIR": str(folder / "data"),
            **settings,
        }
        started = []
        for module, port in (("main", ports.service(service)), ("worker", ports.worker(service))):
            argv = [sys.executable, "-m", f"services.{service}.{module}"]
            log = state.logs / f"{service}-{module}.log"
            program = Program(name=f"{service}-{module}", argv=argv, environment=environment, log=log, cwd=REPOSITORY)
            started.append(ServiceProcess(f"http://{HOST}:{port}", start(program)))
            opened.callback(started[-1].stop)
        started[0].until_ready()
        yield Running(started[0], started[1], _in_database(servers.admin_url, name))


def _in_database(admin_url: str, name: str) -> str:
    return f"{admin_url.rpartition('/')[0]}/{name}"


async def _create(admin_url: str, name: str, service: str) -> None:
    connection = await asyncpg.connect(admin_url)
    try:
        await create_database(connection, name, service, template="template0")
    finally:
        await connection.close()


async def _execute(admin_url: str, statement: str) -> None:
    connection = await asyncpg.connect(admin_url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
