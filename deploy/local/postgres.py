"""One PostgreSQL 18 server of ours: create, start, prepare roles and databases, and end one that was left over."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from deploy.local.accounts import Account, hand_over
from deploy.local.errors import StackError
from deploy.local.ports import HOST
from deploy.local.processes import Child, Program, tail
from deploy.local.programs import Programs

SUPERUSER = "postgres"
_START_SECONDS = 60.0

# Enough for four services with API and worker each (a pool of 10 per process).
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "120",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    # Failed statements may carry a learner's row: the log keeps the error, not the values.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length_on_error": "0",
}
# For throw-away servers only: a power cut may lose the whole cluster.
UNSAFE_FOR_TESTS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "300"}


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """`folder` belongs to `account`; the cluster lies in `folder/data`."""

    programs: Programs
    folder: Path
    port: int
    password: str
    account: Account | None
    log: Path
    unsafe: bool = False

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def admin_url(self) -> str:
        """Of the superuser, in the form asyncpg takes."""
        return f"postgresql://{SUPERUSER}:{self.password}@{HOST}:{self.port}/postgres"

    def program(self) -> Program:
        settings = SETTINGS | {"port": str(self.port)} | (UNSAFE_FOR_TESTS if self.unsafe else {})
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return Program(
            name="postgres",
            argv=[str(self.programs.postgres), "-D", str(self.data), *options],
            environment=_environment(),
            log=self.log,
            cwd=self.folder,
            account=self.account,
            # SIGINT is the fast shutdown: clients are cut off, nothing is lost, the children are gone with it.
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGINT,
            grace=30.0,
        )

    def create(self) -> bool:
        """Make the cluster if there is none yet; True when it is new. Raises `StackError`."""
        if (self.data / "PG_VERSION").exists():
            return False
        # Renamed when complete: a killed initdb must not look like a cluster.
        unfinished = self.folder / "data.part"
        shutil.rmtree(unfinished, ignore_errors=True)
        secret = self.folder / "password"
        with os.fdopen(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(self.password)
        hand_over(secret, self.account)
        try:
            made = subprocess.run(  # noqa: S603  # our own program with our own arguments
                [
                    *(str(self.programs.initdb), "-D", str(unfinished), "-U", SUPERUSER, f"--pwfile={secret}"),
                    *("--auth-host=scram-sha-256", "--auth-local=scram-sha-256", "--encoding=UTF8"),
                    *("--locale-provider=builtin", "--locale=C.UTF-8", "--no-instructions"),
                    *(["--no-sync"] if self.unsafe else []),
                ],
                env=_environment(),
                cwd=self.folder,
                user=self.account.uid if self.account else None,
                group=self.account.gid if self.account else None,
                extra_groups=[] if self.account else None,
                capture_output=True,
                text=True,
                check=False,
            )
        finally:
            secret.unlink()
        if made.returncode != 0:
            raise StackError(f"PostgreSQL could not create its data folder:\n{made.stderr.strip()}")
        unfinished.rename(self.data)
        return True

    def end_leftover(self) -> None:
        """Stop a server that still runs on our data folder, and drop a pid file whose server is gone."""
        pid_file = self.data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().split(maxsplit=1)[0])
        except (FileNotFoundError, ValueError, IndexError):
            return
        if self._is_ours(pid):
            for number, seconds in ((signal.SIGINT, 15.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
                if self._gone(pid, seconds):
                    break
        # The number may belong to another program by now, and PostgreSQL would refuse to start because of it.
        pid_file.unlink(missing_ok=True)

    def _is_ours(self, pid: int) -> bool:
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return os.fsencode(self.data) in command

    def _gone(self, pid: int, seconds: float) -> bool:
        # A process that ended but was not waited for has an empty command line: gone as well.
        deadline = time.monotonic() + seconds
        while self._is_ours(pid):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    async def wait_until_ready(self, child: Child) -> None:
        """Return when it takes connections with our password. Raises `StackError` when it ends or takes too long."""
        deadline = time.monotonic() + _START_SECONDS
        while child.running():
            with contextlib.suppress(OSError, asyncpg.PostgresError):
                connection = await asyncpg.connect(self.admin_url, timeout=5)
                await connection.close()
                return
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(0.05)
        raise StackError(f"PostgreSQL did not start:\n{tail(self.log)}")


def _environment() -> dict[str, str]:
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


async def ensure_roles(admin_url: str, passwords: Mapping[str, str]) -> None:
    """Create the login roles and give them their passwords. None is superuser, none bypasses row-level security."""
    connection = await asyncpg.connect(admin_url)
    try:
        existing = {row["rolname"] for row in await connection.fetch("SELECT rolname FROM pg_roles")}
        for role, password in passwords.items():
            verb = "ALTER" if role in existing else "CREATE"
            await connection.execute(
                f"{verb} ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD '{password}'"
            )
    finally:
        await connection.close()


async def ensure_database(admin_url: str, service: str) -> None:
    """A database owned by `<service>_owner`, open to `<service>_app` and to nobody else."""
    connection = await asyncpg.connect(admin_url)
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", service):
            await create_database(connection, service, service)
    finally:
        await connection.close()


async def create_database(
    connection: asyncpg.Connection, name: str, service: str, *, template: str = "template0"
) -> None:
    """Create database `name` for `service`, as a clone of `template`; grants on a database are not cloned."""
    await connection.execute(f'CREATE DATABASE "{name}" OWNER {service}_owner TEMPLATE "{template}"')
    await connection.execute(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC')
    await connection.execute(f'GRANT CONNECT ON DATABASE "{name}" TO {service}_app')
