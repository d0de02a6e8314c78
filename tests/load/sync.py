"""`make bench-sync`: what an import costs, against a plain COPY of the same rows, measured in the same run.

    python -m tests.load.sync [--rows 1000000] [--rounds 3] [--growth 10000,100000]

API and worker are the processes of production on throw-away servers; the clock runs from the request to the state
`committed`. The limit is COPY of the very rows the import left behind, from a file, into tables with the same keys and
indexes and without foreign keys or policies.
"""

# ruff: noqa: T201  # a table on the terminal is what it is for

import argparse
import asyncio
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from deploy.demo.large import write_large
from deploy.demo.package import Row, SchoolPlan
from deploy.local.ephemeral import Addresses, throw_away_servers
from deploy.local.plan import REPOSITORY
from services.sync.domain.records import RECORD_TYPES
from tests.load.figures import Figure, against, alone, show, write
from tests.load.stack import Running, running
from tests.support.tokens import TestSigner, serving_keys

LEARNERS, CLASSES_OF_A_LEARNER = 2000, 20
ENROLLMENTS_OF_A_SCHOOL = LEARNERS * CLASSES_OF_A_LEARNER
SCOPE = "sync.read sync.import sync.orgs"
Packages = dict[str, Path]


@dataclass
class Measured:
    """Seconds by what was measured, one entry per round; memory in MiB."""

    values: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, value: float) -> None:
        self.values.setdefault(name, []).append(value)
        print(f"  {name}: {value:.3f}", flush=True)


def schools_for(rows: int) -> list[SchoolPlan]:
    """As many schools of 2,000 learners as hold `rows` enrollments; a smaller one when not even one is full."""
    learners = min(LEARNERS, max(20, rows // CLASSES_OF_A_LEARNER))
    count = max(1, rows // (learners * CLASSES_OF_A_LEARNER))
    return [
        SchoolPlan(f"truong-{number:03}", learners=learners, subject_classes=CLASSES_OF_A_LEARNER - 1)
        for number in range(count)
    ]


def _tenth_changed(name: str, number: int, row: Row) -> None:
    if name == "enrollments" and number % 10 == 0:
        row["endDate"] = "2027-05-30"


def _tenth_bad(name: str, number: int, row: Row) -> None:
    if name == "enrollments" and number % 10 == 0:
        row["beginDate"] = "31/02/2027"


def make_packages(folder: Path, rows: int) -> Packages:
    made: Packages = {}
    for name, alter in (("clean", None), ("changed", _tenth_changed), ("bad", _tenth_bad)):
        made[name] = folder / f"{name}-{rows}.zip"
        counts = write_large(made[name], schools_for(rows), alter=alter)
    print(f"packages of {counts['enrollments']} enrollments, {counts['users']} users", flush=True)
    return made


class Client:
    def __init__(self, service: Running, schools: list[SchoolPlan]) -> None:
        self.schools = schools
        headers = TestSigner().bearer(sub="bench", scope=SCOPE, orgs=["SO"], seconds=7200)
        self.http = httpx.AsyncClient(base_url=service.api.url, headers=headers, timeout=600)

    async def put_orgs(self) -> None:
        await self._put("SO", {"kind": "department", "name": "Sở"})
        for school in self.schools:
            parents = [{"sourcedId": "SO"}]
            body = {"kind": "school", "name": school.sourced_id, "level": school.level, "parents": parents}
            await self._put(school.sourced_id, body)

    async def _put(self, org: str, body: dict[str, Any]) -> None:
        (await self.http.put(f"/sync/v1/orgs/{org}", json=body)).raise_for_status()

    async def imported(self, package: Path, *, mode: str = "auto") -> tuple[float, str]:
        """Seconds from the request until the import rests, and its path."""
        content = await asyncio.to_thread(package.read_bytes)
        started = time.perf_counter()
        answer = await self.http.post(
            f"/sync/v1/imports?mode={mode}", content=content, headers={"Content-Type": "application/zip"}
        )
        answer.raise_for_status()
        path = answer.headers["location"]
        while (found := (await self.http.get(path)).json())["state"] in {"received", "validating", "committing"}:
            await asyncio.sleep(0.05)
        seconds = time.perf_counter() - started
        assert found["state"] == ("committed" if mode == "auto" else "ready"), found
        return seconds, path


async def copy_seconds(dsn: str, folder: Path) -> float:
    """COPY of what the tables hold into tables with the same keys and indexes."""
    connection = await asyncpg.connect(dsn)
    try:
        total = 0.0
        for record in RECORD_TYPES:
            file, target = folder / "rows.copy", f"copied_{record.table}"
            await connection.copy_from_table(record.table, output=file)
            await connection.execute(f"DROP TABLE IF EXISTS {target}")
            await connection.execute(f"CREATE TABLE {target} (LIKE {record.table} INCLUDING INDEXES)")
            started = time.perf_counter()
            await connection.copy_to_table(target, source=file)
            total += time.perf_counter() - started
            await connection.execute(f"DROP TABLE {target}")
            file.unlink()
        return total
    finally:
        await connection.close()


async def one_round(service: Running, folder: Path, packages: Packages, rows: int, measured: Measured) -> None:
    client = Client(service, schools_for(rows))
    await client.put_orgs()
    measured.add("first", (await client.imported(packages["clean"]))[0])
    measured.add("memory", service.peak_megabytes())
    measured.add("copy", await copy_seconds(service.admin_dsn, folder))
    measured.add("unchanged", (await client.imported(packages["clean"]))[0])
    measured.add("changed", (await client.imported(packages["changed"]))[0])
    measured.add("clean validation", (await client.imported(packages["clean"], mode="review"))[0])
    measured.add("bad validation", (await client.imported(packages["bad"], mode="review"))[0])
    await client.http.aclose()


def measure(
    servers: Addresses, jwks_url: str, folder: Path, packages: Packages, rows: int, rounds: int
) -> dict[str, list[float]]:
    measured = Measured()
    for number in range(rounds):
        place = folder / f"r{rows}-{number}"
        place.mkdir()
        print(f"{rows} rows, round {number + 1} of {rounds}", flush=True)
        with running("sync", servers, jwks_url, place) as service:
            asyncio.run(one_round(service, place, packages, rows, measured))
    return measured.values


def figures_of(rows: int, found: dict[str, list[float]], growth: dict[int, dict[str, list[float]]]) -> list[Figure]:
    size = f"{rows:,}"
    figures = [
        against(f"{size} enrollments, ZIP, to committed, against COPY", "s", found["first"], found["copy"], 3.0),
        alone("memory of the service, peak of the larger process", "MiB", found["memory"], 300),
        against("the same again, nothing changed, against the first", "s", found["unchanged"], found["first"], 0.35),
        against("one row in ten changed, against the first", "s", found["changed"], found["first"], 0.5),
        against(
            "validation, 10 % bad rows, against clean", "s", found["bad validation"], found["clean validation"], 1.3
        ),
    ]
    return figures + [
        alone(f"cost per 1,000 enrollments at {count:,}", "s", [s / count * 1000 for s in values["first"]])
        for count, values in {**growth, rows: found}.items()
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--growth", default="10000,100000")
    options = parser.parse_args()
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="bench-sync-")))
        servers = opened.enter_context(throw_away_servers()).addresses
        jwks_url = opened.enter_context(serving_keys())
        growth = {}
        for rows in [int(count) for count in options.growth.split(",") if count]:
            growth[rows] = measure(servers, jwks_url, folder, make_packages(folder, rows), rows, options.rounds)
        packages = make_packages(folder, options.rows)
        found = measure(servers, jwks_url, folder, packages, options.rows, options.rounds)
    figures = figures_of(options.rows, found, growth)
    print(show(figures))
    write(REPOSITORY / ".run" / "bench" / "sync.json", figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
