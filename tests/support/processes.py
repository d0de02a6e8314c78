"""A service as a process of its own, for tests that kill it, or that need API and worker at once.

    start_service("sync", database("sync"))                          the API, once it is ready
    start_service("sync", database, module="worker")                 the worker beside it
    start_service("sync", database, failpoint="http.committed")      kills itself at that step

It trusts the tokens of `TestSigner()` (`tests.support.tokens`) and speaks to this worker's NATS account, or to the
`nats_url` given. Other keywords are environment variables.
"""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.local.environment import Surroundings
from deploy.local.ephemeral import Addresses, run_apart
from deploy.local.plan import REPOSITORY
from deploy.local.ports import HOST, Ports, free_block
from deploy.local.processes import Child, Program, start, tail
from deploy.local.state import Secrets, State
from deploy.local.web import get
from tests.support.stack import Database
from tests.support.tokens import ISSUER, serving_keys

READY_SECONDS = 60.0
StartService = Callable[..., "ServiceProcess"]


@dataclass(slots=True)
class ServiceProcess:
    url: str
    child: Child

    @property
    def log(self) -> str:
        return tail(self.child.program.log, 200)

    def until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while (answer := run_apart(get(f"{self.url}/readyz"))).status != 200:
            assert self.child.running(), f"{self.child.name} ended:\n{self.log}"
            assert time.monotonic() < deadline, f"{self.child.name} is not ready: {answer.body}\n{self.log}"
            time.sleep(0.05)

    def until_dead(self) -> int:
        """The exit code: `-signal.SIGKILL` after a failpoint."""
        return self.child.popen.wait(READY_SECONDS)

    def kill(self) -> None:
        self.child.kill()
        self.child.popen.wait()

    def stop(self) -> None:
        self.child.stop_now()


@pytest.fixture
def start_service(
    servers: Addresses, nats_url_for: Callable[[str], str], jwks_url: str, tmp_path: Path
) -> Iterator[StartService]:
    with contextlib.ExitStack() as opened:

        def start_one(
            name: str,
            database: Database,
            *,
            module: str = "main",
            nats_url: str | None = None,
            failpoint: str = "",
            wait: bool = True,
            **settings: str,
        ) -> ServiceProcess:
            ports = Ports(free_block())
            state = State(tmp_path / "run")
            state.create()
            # The same names as in the embedded stack, with the addresses of the throw-away servers.
            environment = Surroundings(ports, Secrets.generate(), state, os.environ).of_service(name) | {
                "DATABASE_URL": database.app_url,
                "MIGRATION_DATABASE_URL": database.owner_url,
                "NATS_URL": nats_url or nats_url_for(name),
                "NATS_MONITOR_URL": servers.nats_monitor_url,
                "TOKEN_ISSUER": ISSUER,
                "JWKS_URL": jwks_url,
                "FAILPOINT": failpoint,
                **settings,
            }
            program = Program(
                name=f"{name}-{module}",
                argv=[sys.executable, "-m", f"services.{name}.{module}"],
                environment=environment,
                log=state.logs / f"{name}-{module}-{ports.gateway}.log",
                cwd=REPOSITORY,
            )
            port = ports.worker(name) if module == "worker" else ports.service(name)
            process = ServiceProcess(f"http://{HOST}:{port}", start(program))
            opened.callback(process.stop)
            if wait:
                process.until_ready()
            return process

        yield start_one


@pytest.fixture(scope="session")
def jwks_url() -> Iterator[str]:
    """Where the keys of this process's `TestSigner` are served."""
    with serving_keys() as url:
        yield url
