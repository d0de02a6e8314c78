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
from pathlib import Path

import asyncpg

from deploy.local.ephemeral import Addresses, throw_away_servers
from deploy.local.plan import REPOSITORY
from services.sync.domain.records import RECORD_TYPES
from tests.load.diff import figures_of_diff, measure_diff
from tests.load.figures import Figure, against, alone, show, write
from tests.load.imports import Client, Measured, Packages, make_packages, schools_for
from tests.load.stack import Running, running
from tests.support.tokens import serving_keys


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


async def first_of_lines(service: Running, folder: Path, packages: Packages, rows: int, measured: Measured) -> None:
    client = Client(service, schools_for(rows))
    await client.put_orgs()
    measured.add("first of lines", (await client.imported(packages["lines"]))[0])
    measured.add("memory of lines", service.peak_megabytes())
    measured.add("copy of lines", await copy_seconds(service.admin_dsn, folder))
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
        place = folder / f"l{rows}-{number}"
        place.mkdir()
        with running("sync", servers, jwks_url, place) as service:
            asyncio.run(first_of_lines(service, place, packages, rows, measured))
    return measured.values


def figures_of(rows: int, found: dict[str, list[float]], growth: dict[int, dict[str, list[float]]]) -> list[Figure]:
    size = f"{rows:,}"
    figures = [
        against(f"{size} enrollments, ZIP, to committed, against COPY", "s", found["first"], found["copy"], 3.0),
        against(
            f"{size} enrollments, NDJSON, to committed, against COPY",
            "s",
            found["first of lines"],
            found["copy of lines"],
            3.0,
        ),
        alone("memory of the service, peak of the larger process", "MiB", found["memory"], 300),
        alone("the same for NDJSON", "MiB", found["memory of lines"], 300),
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
        difference = measure_diff(servers, jwks_url, folder, options.rounds)
    figures = figures_of(options.rows, found, growth) + figures_of_diff(difference)
    print(show(figures))
    write(REPOSITORY / ".run" / "bench" / "sync.json", figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
