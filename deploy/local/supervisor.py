"""Start everything in order, watch it, and take it down in reverse order."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Coroutine, Sequence
from typing import Any

from deploy.local import console
from deploy.local.errors import StackError
from deploy.local.nats import NatsServer
from deploy.local.plan import Occasion, Plan
from deploy.local.postgres import PostgresServer, ensure_database, ensure_roles
from deploy.local.processes import Child, Program, start, tail
from deploy.local.state import Secrets, State
from deploy.local.web import get

READY_SECONDS = 90.0
_WATCH_SECONDS = 0.2


class Supervisor:
    def __init__(self, state: State, secrets: Secrets, postgres: PostgresServer, nats: NatsServer, plan: Plan) -> None:
        self._state = state
        self._secrets = secrets
        self._postgres = postgres
        self._nats = nats
        self._plan = plan
        self._children: list[Child] = []  # in the order of starting
        self._stopping = False

    async def run(self) -> int:
        """Start, stay until a signal or a failure, stop. The result is the exit code."""
        this = asyncio.current_task()
        assert this is not None
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._on_signal, number, this)
        try:
            await self._while_all_run(self._live())
        except asyncio.CancelledError:
            return 0
        except StackError as error:
            console.failure(str(error))
            return 1
        finally:
            self._stopping = True
            await self._stop()
        return 0

    def _on_signal(self, number: signal.Signals, running: "asyncio.Task[Any]") -> None:
        if not self._stopping:
            self._stopping = True
            running.cancel()
        elif number == signal.SIGINT:
            # Only a second Ctrl-C is impatience: make passes SIGTERM on, so one request may arrive twice.
            console.line("Killing.")
            for child in self._children:
                child.kill()

    async def _live(self) -> None:
        began = time.monotonic()
        new_databases = await self._start_servers()
        await self._prepare(force=new_databases)
        await self._start_programs()
        console.line(f"Everything is ready after {time.monotonic() - began:.1f} s.")
        for occasion in self._plan.occasions:
            await self._play(occasion)
        console.summary(self._state.read_json("demo.json"), self._state.demo)
        console.line("Running. Ctrl-C stops; data stays for the next start.")
        await asyncio.Event().wait()

    async def _start_servers(self) -> bool:
        self._postgres.end_leftover()
        new = self._postgres.create()
        postgres, nats = self._start(self._postgres.program()), self._start(self._nats.program())
        await asyncio.gather(self._postgres.wait_until_ready(postgres), self._nats.wait_until_ready(nats))
        await ensure_roles(self._postgres.admin_url, self._secrets.database)
        for service in self._plan.databases:
            await ensure_database(self._postgres.admin_url, service)
        console.done(f"PostgreSQL on port {self._postgres.port}, nats-server on port {self._nats.port}")
        return new

    async def _prepare(self, *, force: bool) -> None:
        known = self._state.read_json("prepared.json").get("fingerprint")
        if known == self._plan.fingerprint and not force:
            console.done("Databases and streams are up to date")
            return
        for stage in self._plan.preparation:
            await asyncio.gather(*(self._complete(program) for program in stage))
            console.done(", ".join(program.name for program in stage))
        self._state.write_json("prepared.json", {"fingerprint": self._plan.fingerprint})

    async def _complete(self, program: Program) -> None:
        """Run a program to its end. Raises `StackError` with the end of its log when that is not 0."""
        child = start(program)
        try:
            code = await child.ended()
        finally:
            child.kill()
        if code != 0:
            raise StackError(f"{program.name} failed with exit code {code}:\n{tail(program.log)}".rstrip(":\n"))

    async def _start_programs(self) -> None:
        children = [self._start(program) for program in self._plan.programs]
        await asyncio.gather(*(self._until_ready(child) for child in children))

    async def _until_ready(self, child: Child) -> None:
        url = child.program.ready_url
        deadline = time.monotonic() + READY_SECONDS
        while url is not None:
            answer = await get(url)
            # A dead child whose port answers: that is somebody else, and the watch reports the death.
            if answer.status == 200 and child.running():
                break
            if time.monotonic() > deadline:
                raise StackError(
                    f"{child.name} was not ready after {READY_SECONDS:.0f} s. {url} says:\n{answer.body}\n"
                    f"Its log ends with:\n{tail(child.program.log)}"
                )
            await asyncio.sleep(0.1)
        console.done(child.name)

    async def _play(self, occasion: Occasion) -> None:
        marker = self._state.root / occasion.marker
        if marker.exists():
            return
        try:
            await self._complete(occasion.program)
        except StackError as error:
            raise StackError(
                f"{error}\nWhat it printed is above. `make run` tries again; `make run-clean` starts from nothing."
            ) from error
        marker.touch()

    def _start(self, program: Program) -> Child:
        child = start(program)
        self._children.append(child)
        return child

    async def _while_all_run(self, work: Coroutine[Any, Any, None]) -> None:
        """Do `work`; raise `StackError` as soon as one of the started children ends by itself."""
        tasks = [asyncio.create_task(work), asyncio.create_task(self._watch())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            for child in self._children:
                if not child.running():
                    raise StackError(
                        f"{child.name} ended by itself with exit code {child.popen.returncode}. "
                        f"Its log ({child.program.log}) ends with:\n{tail(child.program.log)}"
                    )
            await asyncio.sleep(_WATCH_SECONDS)

    async def _stop(self) -> None:
        if self._children:
            console.line("Stopping …")
        for tier in reversed(self._tiers()):
            await asyncio.gather(*(child.stop() for child in tier))

    def _tiers(self) -> list[Sequence[Child]]:
        """Database, message server, everything else: within a tier the order does not matter."""
        servers = [child for child in self._children if child.name == "postgres"]
        streams = [child for child in self._children if child.name == "nats"]
        others = [child for child in self._children if child not in servers and child not in streams]
        return [servers, streams, others]


def supervise(supervisor: Supervisor) -> int:
    """Run the supervisor in this thread, which must be the main one (`processes.start` says why)."""
    with contextlib.suppress(KeyboardInterrupt):
        return asyncio.run(supervisor.run())
    return 130
