"""Throw-away PostgreSQL and nats-server on free ports, for tests and benchmarks. Never the running stack.

They die with the process that started them, whatever happens to it, and keep nothing.
"""

import asyncio
import concurrent.futures
import contextlib
import secrets
import shutil
import tempfile
from collections.abc import Coroutine, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from deploy.local.accounts import Account, can_reach, hand_over, unprivileged_account
from deploy.local.errors import StackError
from deploy.local.nats import NatsServer, account_of
from deploy.local.ports import HOST, SERVICES, free_ports
from deploy.local.postgres import PostgresServer, ensure_roles
from deploy.local.processes import Child, start
from deploy.local.programs import Programs, find_programs

NATS_ACCOUNTS = 16
_ATTEMPTS = 3
_ROLES = tuple(f"{service}_{part}" for service in SERVICES for part in ("owner", "app"))

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Addresses:
    """How to reach the servers; plain values, so that they travel between processes (`as_dict`, `from_dict`).

    nats-server has an account per test worker, `w0` to `w15`, so that streams of the same name do not collide. Its
    users are `<service>-w<n>` with the permissions of production and `admin-w<n>` without any limit.
    """

    admin_url: str
    postgres_port: int
    nats_port: int
    nats_monitor_port: int
    password: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Addresses":
        return cls(**values)

    def database_url(self, role: str, database: str) -> str:
        return f"postgresql+asyncpg://{role}:{self.password}@{HOST}:{self.postgres_port}/{database}"

    def nats_url(self, user: str, worker: int) -> str:
        """`user` is a service or `admin`."""
        return f"nats://{user}-w{worker}:{self.password}@{HOST}:{self.nats_port}"

    @property
    def nats_monitor_url(self) -> str:
        return f"http://{HOST}:{self.nats_monitor_port}"


@dataclass(slots=True)
class ThrowAwayNats:
    """A running nats-server. `stop`, `kill` and `start` play an outage; the streams survive it."""

    server: NatsServer
    password: str
    child: Child

    def url(self, user: str, worker: int = 0) -> str:
        """`user` is a service or `admin`."""
        return f"nats://{user}-w{worker}:{self.password}@{HOST}:{self.server.port}"

    @property
    def monitor_url(self) -> str:
        return self.server.monitor_url

    def stop(self) -> None:
        self.child.stop_now()

    def kill(self) -> None:
        self.child.kill()
        self.child.popen.wait()

    def start(self) -> None:
        """Start it again on the same port with the same streams."""
        self.child = start(self.server.program())
        run_apart(self.server.wait_until_ready(self.child))


@dataclass(slots=True)
class ThrowAway:
    """A running pair of servers."""

    addresses: Addresses
    nats: ThrowAwayNats
    postgres: Child

    def stop_postgres(self) -> None:
        self.postgres.stop_now()


@contextlib.contextmanager
def throw_away_servers(*, durable: bool = False) -> Iterator[ThrowAway]:
    """Both servers with the roles of every service, ready to use. Call it from the main thread.

    `durable`: PostgreSQL keeps what it confirmed when it is killed, as in production; slower.
    """
    password = "t" + secrets.token_hex(12)
    with _folder() as (folder, account), contextlib.ExitStack() as running:
        programs = find_programs(account, folder)
        postgres, child = _start_postgres(programs, folder, account, password, unsafe=not durable)
        failed = running.enter_context(contextlib.ExitStack())
        failed.callback(child.stop_now)
        nats = _start_nats(programs, folder, account, password)
        running.callback(nats.stop)
        run_apart(ensure_roles(postgres.admin_url, dict.fromkeys(_ROLES, password)))
        ports = (postgres.port, nats.server.port, nats.server.monitor_port)
        pair = ThrowAway(Addresses(postgres.admin_url, *ports, password), nats, child)
        # Who plays an outage of PostgreSQL puts the server that runs now in its place.
        failed.pop_all()
        running.callback(pair.stop_postgres)
        yield pair


@contextlib.contextmanager
def throw_away_nats() -> Iterator[ThrowAwayNats]:
    """A nats-server alone, for tests that stop or break it."""
    with _folder() as (folder, account):
        nats = _start_nats(find_programs(account, folder), folder, account, "t" + secrets.token_hex(12))
        try:
            yield nats
        finally:
            nats.child.stop_now()


def run_apart(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in a thread of its own: works inside and outside a running event loop."""
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


@contextlib.contextmanager
def _folder() -> Iterator[tuple[Path, Account | None]]:
    account = unprivileged_account()
    folder = Path(tempfile.mkdtemp(prefix="lien-thong-"))
    try:
        folder.chmod(0o755)
        if not can_reach(folder, account):
            raise StackError(f"The account {account and account.name} cannot reach {folder}: set TMPDIR elsewhere.")
        yield folder, account
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start_postgres(
    programs: Programs, folder: Path, account: Account | None, password: str, *, unsafe: bool
) -> tuple[PostgresServer, Child]:
    place = _own(folder / "postgres", account)
    for attempt in range(_ATTEMPTS):
        (port,) = free_ports(1)
        server = PostgresServer(programs, place, port, password, account, folder / "postgres.log", unsafe=unsafe)
        server.create()
        child = start(server.program())
        try:
            run_apart(server.wait_until_ready(child))
        except StackError:
            # Somebody may have taken the port between our look and the server's.
            child.stop_now()
            if attempt == _ATTEMPTS - 1:
                raise
        else:
            return server, child
    raise AssertionError("unreachable")


def _start_nats(programs: Programs, folder: Path, account: Account | None, password: str) -> ThrowAwayNats:
    place = _own(folder / "nats", account)
    accounts = {
        f"w{worker}": account_of(dict.fromkeys(SERVICES, password), suffix=f"-w{worker}", admin_password=password)
        for worker in range(NATS_ACCOUNTS)
    }
    for attempt in range(_ATTEMPTS):
        port, monitor = free_ports(2)
        server = NatsServer(
            programs,
            place,
            port,
            monitor,
            accounts,
            account,
            folder / "nats.log",
            # Sixteen accounts reserve room for their streams and fill none of it.
            file_store=1024**4,
        )
        child = start(server.program())
        try:
            run_apart(server.wait_until_ready(child))
        except StackError:
            child.stop_now()
            if attempt == _ATTEMPTS - 1:
                raise
        else:
            return ThrowAwayNats(server, password, child)
    raise AssertionError("unreachable")


def _own(place: Path, account: Account | None) -> Path:
    place.mkdir(mode=0o700)
    hand_over(place, account)
    return place
