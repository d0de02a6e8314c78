"""`make bench-single`: one record by PUT against one prepared upsert of the same row by asyncpg, in the same run.

    python -m tests.load.single [--writes 400] [--clients 32]

A school of 2,000 learners lies in the database. Each write gives an enrollment another end date: a change, with its
version, its history and its import. The limit is `INSERT … ON CONFLICT DO UPDATE` of the row into a table with the same
keys and indexes, prepared, each in a transaction of its own, by as many connections as there are clients.
"""

# ruff: noqa: T201  # a table on the terminal is what it is for

import argparse
import asyncio
import datetime as dt
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import asyncpg
import httpx

from deploy.local.ephemeral import throw_away_servers
from deploy.local.plan import REPOSITORY
from tests.load.figures import Figure, against, show, write
from tests.load.imports import ENROLLMENTS_OF_A_SCHOOL, Client, make_packages, schools_for
from tests.load.stack import Running, running
from tests.support.tokens import TestSigner, serving_keys

_UPSERT = """
INSERT INTO upserted AS c SELECT * FROM enrollment WHERE sourced_id = $1
ON CONFLICT (sourced_id, school_sourced_id) DO UPDATE SET end_date = $2::date, version = c.version + 1
"""
Write = Callable[[str, int], Awaitable[None]]


async def timed(ids: Sequence[str], writers: Sequence[Write], number: int) -> list[float]:
    """Seconds of each write; every writer takes the next id until none is left."""
    left, seconds = iter(ids), list[float]()

    async def work(write_one: Write) -> None:
        for sourced_id in left:
            started = time.perf_counter()
            await write_one(sourced_id, number)
            seconds.append(time.perf_counter() - started)

    await asyncio.gather(*map(work, writers))
    return seconds


def p95(seconds: Sequence[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.95) - 1]


def _date(number: int) -> str:
    return f"2027-05-{1 + number % 28:02}"


async def by_put(url: str, ids: Sequence[str], clients: int, number: int) -> list[float]:
    headers = TestSigner().bearer(sub="bench", scope="sync.read sync.import", orgs=["SO"], seconds=7200)
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as http:
        bodies = {}
        for sourced_id in ids:
            bodies[sourced_id] = (await http.get(f"/sync/v1/enrollments/{sourced_id}")).json()

        async def put(sourced_id: str, number: int) -> None:
            body = bodies[sourced_id] | {"endDate": _date(number)}
            answer = await http.put(f"/sync/v1/enrollments/{sourced_id}", json=body)
            assert answer.status_code == 200, answer.text

        return await timed(ids, [put] * clients, number)


async def by_upsert(dsn: str, ids: Sequence[str], clients: int, number: int) -> list[float]:
    connections = [await asyncpg.connect(dsn) for _ in range(clients)]
    try:
        writers: list[Write] = []
        for connection in connections:
            statement = await connection.prepare(_UPSERT)

            async def upsert(sourced_id: str, number: int, statement: object = statement) -> None:
                await statement.fetch(sourced_id, dt.date.fromisoformat(_date(number)))  # type: ignore[attr-defined]

            writers.append(upsert)
        return await timed(ids, writers, number)
    finally:
        for connection in connections:
            await connection.close()


async def _ids(dsn: str, count: int) -> list[str]:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("CREATE TABLE upserted (LIKE enrollment INCLUDING INDEXES)")
        await connection.execute("INSERT INTO upserted SELECT * FROM enrollment")
        rows = await connection.fetch("SELECT sourced_id FROM enrollment ORDER BY md5(sourced_id) LIMIT $1", count)
        return [row[0] for row in rows]
    finally:
        await connection.close()


async def measure(service: Running, folder: Path, writes: int, most: int, rounds: int) -> list[Figure]:
    client = Client(service, schools_for(ENROLLMENTS_OF_A_SCHOOL))
    await client.put_orgs()
    await client.imported(make_packages(folder, ENROLLMENTS_OF_A_SCHOOL)["clean"])
    ids = await _ids(service.admin_dsn, writes)
    figures = []
    for clients, target in ((1, 4.0), (most, 6.0)):
        puts, upserts = [], []
        for number in range(rounds):
            upserts.append(1000 * p95(await by_upsert(service.admin_dsn, ids, clients, 2 * number)))
            puts.append(1000 * p95(await by_put(service.api.url, ids, clients, 2 * number + clients)))
            print(f"{clients} clients: PUT {puts[-1]:.2f} ms, upsert {upserts[-1]:.2f} ms", flush=True)
        name = f"one record by PUT, p95, {clients} client{'s' if clients > 1 else ''}, against one upsert"
        figures.append(against(name, "ms", puts, upserts, target))
    await client.http.aclose()
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--writes", type=int, default=400)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="bench-single-")))
        servers = opened.enter_context(throw_away_servers()).addresses
        jwks_url = opened.enter_context(serving_keys())
        with running("sync", servers, jwks_url, folder) as service:
            figures = asyncio.run(measure(service, folder, options.writes, options.clients, options.rounds))
    print(show(figures))
    write(REPOSITORY / ".run" / "bench" / "sync-single.json", figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
