"""Imports while servers and processes are killed at random moments, and what must be true once everything rests.

    with killable_servers() as (servers, jwks_url), town(servers, jwks_url, folder, packages(3, 3)) as place:
        await place.live(seed=1, kills=5)    upload every package while five victims are killed and started again
        await place.check(undisturbed)       against the `Rest` of a town that nobody disturbed

The kills follow from the seed; what they hit depends on the machine, so that each run looks at other moments.
"""

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import nats
from nats.errors import TimeoutError as NothingMoreError

from deploy.demo.nightly import nights, plan
from deploy.local.ephemeral import ThrowAway, run_apart, throw_away_servers
from deploy.local.processes import Child, start
from services.sync.domain.gradebook_records import EVERY_TYPE
from services.sync.domain.records import RECORD_TYPES
from shared.messaging.envelope import decode
from shared.messaging.topology import declare_topology
from tests.load.stack import Running, running
from tests.support.stack import delete_streams
from tests.support.tokens import TestSigner, serving_keys

VICTIMS = ("worker", "api", "postgres", "nats")
REST_SECONDS = 180.0
SCOPE = "sync.read sync.import sync.orgs"
ZIP = {"Content-Type": "application/zip"}


@dataclass(frozen=True, slots=True)
class Rest:
    """What a finished town holds: hash and version per school, rows per record table and its history."""

    rosters: dict[str, tuple[str, int]]
    rows: dict[str, int]


@dataclass
class Town:
    """`packages[school]` are sent in order, each by the school's own vendor under a key of its own."""

    servers: ThrowAway
    service: Running
    folder: Path
    packages: dict[str, list[bytes]]
    postgres: Child
    receipts: dict[tuple[str, int], str] = field(default_factory=dict)
    killed: Counter[str] = field(default_factory=Counter)
    repeated: int = 0

    def headers(self, sub: str, *orgs: str) -> dict[str, str]:
        return TestSigner().bearer(sub=sub, scope=SCOPE, orgs=list(orgs))

    async def live(self, *, seed: int = 0, kills: int = 0, quiet: bool = True) -> None:
        """Send everything and come to rest. Raises `TimeoutError` when the town does not recover."""
        chance = random.Random(seed)  # repeatable, not secret
        async with httpx.AsyncClient(base_url=self.service.api.url, timeout=30) as http:
            await self._settle(http)
            async with asyncio.timeout(REST_SECONDS + 10.0 * kills), asyncio.TaskGroup() as tasks:
                for school in self.packages:
                    tasks.create_task(self._send(http, school))
                for _ in range(kills):
                    await asyncio.sleep(chance.uniform(0.05, 1.2))
                    victim = chance.choice(VICTIMS)
                    if not quiet:
                        print(f"  {len(self.receipts):>3} receipts · kill {victim}", flush=True)  # noqa: T201  # the soak's tale
                    self.kill(victim)
                    self.killed[victim] += 1
                    await asyncio.sleep(chance.uniform(0.0, 0.6))
                    await self.start(victim)
            async with asyncio.timeout(REST_SECONDS):
                await self._until_at_rest()

    def kill(self, victim: str) -> None:
        match victim:
            case "postgres":
                self.postgres.kill()
                self.postgres.popen.wait()
            case "nats":
                self.servers.nats.kill()
            case _:
                self._process(victim).kill()

    async def start(self, victim: str) -> None:
        match victim:
            case "postgres":
                await self._start_postgres()
            case "nats":
                self.servers.nats.start()
            case _:
                process = self._process(victim)
                process.child = start(process.child.program)

    def _process(self, victim: str) -> Any:
        return self.service.worker if victim == "worker" else self.service.api

    async def _start_postgres(self) -> None:
        """Its children see the death of the first process in their own time, and until then it cannot start."""
        deadline = time.monotonic() + REST_SECONDS
        self.postgres = start(self.postgres.program)
        while True:
            try:
                connection = await asyncpg.connect(self.servers.addresses.admin_url, timeout=5)
            except (OSError, asyncpg.PostgresError, TimeoutError):
                assert time.monotonic() < deadline, "PostgreSQL did not come back"
                if not self.postgres.running():
                    self.postgres = start(self.postgres.program)
                await asyncio.sleep(0.1)
            else:
                await connection.close()
                return

    async def _settle(self, http: httpx.AsyncClient) -> None:
        department = self.headers("so", "SO")
        units: dict[str, dict[str, Any]] = {"SO": {"kind": "department", "name": "Sở"}}
        for school in self.packages:
            parents = [{"sourcedId": "SO"}]
            units[school] = {"kind": "school", "name": school, "level": "lower_secondary", "parents": parents}
        for name, body in units.items():
            (await http.put(f"/sync/v1/orgs/{name}", json=body, headers=department)).raise_for_status()

    async def _send(self, http: httpx.AsyncClient, school: str) -> None:
        for number, content in enumerate(self.packages[school]):
            key = {"Idempotency-Key": f"{school}-{number}"}
            while True:
                try:
                    answer = await http.post(
                        "/sync/v1/imports",
                        params={"mode": "auto"},
                        content=content,
                        headers=self.headers(f"vendor-{school}", school) | ZIP | key,
                    )
                except httpx.TransportError:
                    self.repeated += 1
                else:
                    if answer.status_code == 202:
                        self.receipts[school, number] = answer.json()["id"]
                        break
                    # An honest "not now": the outage, or the same key that the broken connection still works on.
                    assert answer.status_code in {409, 500, 502, 503, 504}, answer.text
                    self.repeated += 1
                await asyncio.sleep(0.1)

    async def sql(self, statement: str) -> list[Any]:
        connection = await asyncpg.connect(self.service.admin_dsn, timeout=10)
        try:
            return [tuple(row) for row in await connection.fetch(statement)]
        finally:
            await connection.close()

    async def _until_at_rest(self) -> None:
        """No import is under way and no event waits."""
        busy = (
            "SELECT (SELECT count(*) FROM import WHERE state IN ('received', 'validating', 'committing')),"
            " (SELECT count(*) FROM outbox WHERE published_at IS NULL)"
        )
        while await self.sql(busy) != [(0, 0)]:
            await asyncio.sleep(0.2)

    async def rest(self) -> Rest:
        rosters = await self.sql("SELECT school_sourced_id, content_hash, version FROM school_roster")
        tables = [table for each in EVERY_TYPE for table in (each.table, each.history)]
        return Rest(
            {school: (content, version) for school, content, version in rosters},
            {table: (await self.sql(f'SELECT count(*) FROM "{table}"'))[0][0] for table in tables},  # our names
        )

    async def check(self, undisturbed: Rest) -> None:
        """Nothing promised was lost, nothing was done twice, nothing is half done."""
        states = dict(await self.sql("SELECT id::text, state FROM import"))
        assert {key: states.get(each) for key, each in self.receipts.items()} == dict.fromkeys(
            ((school, number) for school, sent in self.packages.items() for number in range(len(sent))), "committed"
        )
        assert len(states) == len(self.receipts), "an import nobody has a receipt of"
        assert await self.rest() == undisturbed
        await self._check_events()
        await self._check_feed()
        for each in EVERY_TYPE:
            left = f"SELECT count(*) FROM \"{each.staging}\" WHERE outcome <> 'refused'"  # our names
            assert await self.sql(left) == [(0,)], f"{each.staging} holds more than what waits for its cause"
        kept = {path.stem for path in (self.folder / "data" / "uploads").glob("*.package")}
        assert not kept & set(states), "the file of an import that is done"

    async def _check_events(self) -> None:
        """The stream holds each roster version; a reader that drops known event ids sees it exactly once."""
        client = await nats.connect(self.servers.addresses.nats_url("admin", 0))
        seen: dict[str, tuple[str, int]] = {}
        try:
            jetstream = client.jetstream()
            subscription = await jetstream.subscribe("sync.roster.committed.v1", ordered_consumer=True)
            with contextlib.suppress(NothingMoreError):
                while True:
                    message = await subscription.next_msg(timeout=2)
                    envelope = decode(message.data)
                    seen[str(envelope.id)] = (envelope.subject, envelope.aggregateversion)
        finally:
            await client.close()
        expected = sorted(
            (f"roster:{school}", number + 1) for school, sent in self.packages.items() for number in range(len(sent))
        )
        assert sorted(seen.values()) == expected

    async def _check_feed(self) -> None:
        """Who reads the feed from the beginning holds every roster record at its newest version.

        A transaction that still runs anywhere in the cluster holds the feed back for a while.
        """
        held: dict[tuple[str, str, str], int] = {}
        for each in RECORD_TYPES:
            rows = await self.sql(f'SELECT school_sourced_id, sourced_id, version FROM "{each.table}"')  # our names
            held |= {(each.file, school, sourced_id): version for school, sourced_id, version in rows}
        deadline = time.monotonic() + REST_SECONDS
        while True:
            newest = await self._feed()
            different = [key for key in newest.keys() | held.keys() if newest.get(key) != held.get(key)]
            if not different:
                return
            assert time.monotonic() < deadline, f"the feed differs in {len(different)}: {sorted(different)[:5]}"
            await asyncio.sleep(0.5)

    async def _feed(self) -> dict[tuple[str, str, str], int]:
        """The newest version of each roster record by (type, school, sourcedId)."""
        newest: dict[tuple[str, str, str], int] = {}
        query = {"limit": "1000", "types": ",".join(each.file for each in RECORD_TYPES)}
        async with httpx.AsyncClient(base_url=self.service.api.url, timeout=60) as http:
            while True:
                answer = await http.get("/sync/v1/changes", params=query, headers=self.headers("so", "SO"))
                answer.raise_for_status()
                page = answer.json()
                for each in page["items"]:
                    key = each["type"], each["school"], each["sourcedId"]
                    newest[key] = max(newest.get(key, 0), each["version"])
                query["cursor"] = page["cursor"]
                if not page["more"]:
                    return newest


def packages(schools: int, days: int, learners: int = 60) -> dict[str, list[bytes]]:
    made: dict[str, list[bytes]] = {}
    plans = [plan(f"s{number}", learners=learners, subject_classes=1) for number in range(schools)]
    for night in nights(plans, days=days):
        made.setdefault(night.school.sourced_id, []).append(night.package.zipped())
    return made


@contextlib.contextmanager
def killable_servers() -> Iterator[tuple[ThrowAway, str]]:
    """A durable PostgreSQL and a nats-server that one town after the other may kill, and where the keys are."""
    with throw_away_servers(durable=True) as servers, serving_keys() as jwks_url:
        yield servers, jwks_url


async def _fresh_streams(url: str) -> None:
    """As `shared.ops topology` declares them, and empty."""
    await delete_streams(url)
    client = await nats.connect(url)
    try:
        await declare_topology(client.jetstream(), "sync", [], max_bytes=64 * 1024 * 1024)
    finally:
        await client.close()


@contextlib.contextmanager
def town(servers: ThrowAway, jwks_url: str, folder: Path, sent: dict[str, list[bytes]]) -> Iterator[Town]:
    """API and worker on a fresh database and without streams of an earlier town."""
    folder.mkdir(parents=True)
    run_apart(_fresh_streams(servers.addresses.nats_url("admin", 0)))
    with running("sync", servers.addresses, jwks_url, folder) as service:
        place = Town(servers, service, folder, sent, servers.postgres)
        try:
            yield place
        finally:
            # The next town and the end of the servers find the one that runs now.
            servers.postgres = place.postgres
