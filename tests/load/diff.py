"""The difference of a school's import, as its vendor and its data officer read it: a part of `make bench-sync`.

    python -m tests.load.diff [--rounds 3]

One school of 2,000 learners with 20 classes each; one enrollment in ten changed, nothing committed. Read are the counts
per class and every change field by field, in the largest pages, as JSON and as a table.
"""

# ruff: noqa: T201  # a table on the terminal is what it is for

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import httpx

from deploy.local.ephemeral import Addresses, throw_away_servers
from tests.load.figures import Figure, alone, show
from tests.load.imports import CLASSES_OF_A_LEARNER, LEARNERS, Client, Measured, make_packages, schools_for
from tests.load.stack import running
from tests.support.tokens import serving_keys

ROWS = LEARNERS * CLASSES_OF_A_LEARNER
PAGE = 500
TARGET_SECONDS = 2.0


async def classes_seconds(http: httpx.AsyncClient, path: str, changes: int) -> float:
    """Seconds to read the counts of every class. Raises AssertionError when they are not those of the import."""
    started, changed, cursor = time.perf_counter(), 0, None
    while True:
        answer = await http.get(f"{path}/diff/classes", params={"limit": PAGE} | ({"cursor": cursor} if cursor else {}))
        answer.raise_for_status()
        changed += sum(each["counts"]["enrollments"]["changed"] for each in answer.json()["items"])
        if (cursor := answer.json()["next"]) is None:
            break
    seconds = time.perf_counter() - started
    assert changed == changes, changed
    return seconds


async def changes_seconds(http: httpx.AsyncClient, path: str, changes: int) -> float:
    """Seconds to read every change with its fields. Raises AssertionError as above."""
    started, fields, cursor = time.perf_counter(), 0, None
    while True:
        answer = await http.get(f"{path}/diff", params={"limit": PAGE} | ({"cursor": cursor} if cursor else {}))
        answer.raise_for_status()
        fields += sum(len(each["fields"]) for each in answer.json()["items"])
        if (cursor := answer.json()["next"]) is None:
            break
    seconds = time.perf_counter() - started
    assert fields == changes, fields
    return seconds


async def table_seconds(http: httpx.AsyncClient, path: str, changes: int) -> float:
    """Seconds to read the same as CSV, page by page as its `Link` leads. Raises AssertionError as above."""
    started, lines, following = time.perf_counter(), 0, f"{path}/diff?limit={PAGE}"
    while following:
        answer = await http.get(following, headers={"Accept": "text/csv"})
        answer.raise_for_status()
        lines += answer.text.count("\n") - 1
        following = answer.links.get("next", {}).get("url", "")
    seconds = time.perf_counter() - started
    assert lines == changes, lines
    return seconds


def measure_diff(servers: Addresses, jwks_url: str, folder: Path, rounds: int) -> Mapping[str, list[float]]:
    """Each round reads anew; the import is made once, and read once before the clock counts."""

    async def all_rounds(client: Client, packages: Mapping[str, Path]) -> None:
        await client.put_orgs()
        await client.imported(packages["clean"])
        seconds, path = await client.imported(packages["changed"], mode="review")
        measured.add("until it can be read", seconds)
        changes = sum(each["changed"] for each in (await client.http.get(path)).json()["files"])
        assert changes >= ROWS / 10, changes
        for number in range(rounds + 1):
            for name, read in (("classes", classes_seconds), ("changes", changes_seconds), ("table", table_seconds)):
                seconds = await read(client.http, path, changes)
                if number:
                    measured.add(name, seconds)
        await client.http.aclose()

    measured, place = Measured(), folder / "diff"
    place.mkdir()
    packages = make_packages(place, ROWS)
    with running("sync", servers, jwks_url, place) as service:
        asyncio.run(all_rounds(Client(service, schools_for(ROWS)), packages))
    return measured.values


def figures_of_diff(found: Mapping[str, Sequence[float]]) -> list[Figure]:
    school = f"difference of a school of {LEARNERS:,} learners"
    return [
        alone(f"{school}: per class", "s", found["classes"], TARGET_SECONDS),
        alone(f"{school}: every field", "s", found["changes"], TARGET_SECONDS),
        alone(f"{school}: as a table", "s", found["table"], TARGET_SECONDS),
        alone("from the request until that difference can be read", "s", found["until it can be read"]),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="bench-diff-")))
        servers = opened.enter_context(throw_away_servers()).addresses
        jwks_url = opened.enter_context(serving_keys())
        print(show(figures_of_diff(measure_diff(servers, jwks_url, folder, options.rounds))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
