"""One version from submitted to approved, as people do it, against five commits of one row each.

Five requests over one connection: the author submits, the group's lead reads the version and passes it, the head reads
it and approves it. The limit are five single-row inserts by asyncpg, each in a transaction of its own, in the same
PostgreSQL; both are told per version, the median of `VERSIONS`.
"""

# ruff: noqa: T201  # a table on the terminal is what it is for

import asyncio
import statistics
import time

import asyncpg
import httpx

from services.materials.bootstrap import build
from services.materials.settings import MaterialsSettings
from tests.integration.materials.shelf import HEAD, LEAD, PATH, TEACHER, parts, settle_city
from tests.load.figures import Figure, against
from tests.load.stack import Running

VERSIONS = 60
TARGET = 5.0
_ROW = "INSERT INTO five_commits (said) VALUES ($1)"


async def _settled(dsn: str) -> None:
    address = dsn.replace("postgresql://", "postgresql+asyncpg://", 1)
    runtime = build(MaterialsSettings(database_url=address, nats_url="nats://unused.invalid"), role="bench")
    await settle_city(runtime.units)
    await runtime.close()


async def _made(http: httpx.AsyncClient, count: int) -> list[str]:
    """Drafts with a file, the same content for all: it is looked at once."""
    found = []
    for _ in range(count):
        answer = await http.post(PATH, headers=TEACHER, **parts())
        assert answer.status_code == 201, answer.text
        found.append(f"{PATH}/{answer.json()['id']}")
    return found


async def _approved(http: httpx.AsyncClient, url: str) -> float:
    started = time.perf_counter()
    for method, path, who in (
        ("POST", f"{url}/submit", TEACHER),
        ("GET", url, LEAD),
        ("POST", f"{url}/pass", LEAD),
        ("GET", url, HEAD),
        ("POST", f"{url}/approve", HEAD),
    ):
        answer = await http.request(method, path, headers=who)
        assert answer.status_code == 200, answer.text
    return time.perf_counter() - started


async def _committed(connection: asyncpg.Connection) -> float:
    statement = await connection.prepare(_ROW)
    started = time.perf_counter()
    for _ in range(5):
        await statement.fetch("x" * 200)
    return time.perf_counter() - started


async def _measure(service: Running, rounds: int) -> Figure:
    await _settled(service.admin_dsn)
    connection = await asyncpg.connect(service.admin_dsn)
    await connection.execute("CREATE TABLE five_commits (id bigserial PRIMARY KEY, said text NOT NULL)")
    reviews, commits = [], []
    async with httpx.AsyncClient(base_url=service.api.url, timeout=60) as http:
        for _ in range(rounds):
            waiting = await _made(http, VERSIONS)
            commits.append(1000 * statistics.median([await _committed(connection) for _ in range(VERSIONS)]))
            reviews.append(1000 * statistics.median([await _approved(http, url) for url in waiting]))
            print(f"five requests {reviews[-1]:.1f} ms, five commits {commits[-1]:.2f} ms", flush=True)
    await connection.close()
    return against("one version submitted to approved (5 requests), against 5 commits", "ms", reviews, commits, TARGET)


def figures(service: Running, rounds: int) -> list[Figure]:
    return [asyncio.run(_measure(service, rounds))]
