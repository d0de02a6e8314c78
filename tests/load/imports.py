"""What the benchmarks of imports share: packages of schools of 2,000 learners, and a client that hands them in."""

# ruff: noqa: T201  # a table on the terminal is what it is for

import asyncio
import csv
import io
import json
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from deploy.demo.large import write_large
from deploy.demo.package import Row, SchoolPlan
from tests.load.stack import Running
from tests.support.tokens import TestSigner

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
    made["lines"] = folder / f"clean-{rows}.ndjson"
    write_lines(made["clean"], made["lines"])
    print(f"packages of {counts['enrollments']} enrollments, {counts['users']} users", flush=True)
    return made


def write_lines(package: Path, target: Path) -> None:
    """The rows of a package as lines of JSON, in the order of its files."""
    with zipfile.ZipFile(package) as opened, target.open("w", encoding="utf-8") as lines:
        lines.write('{"type":"manifest","record":{"mode":"bulk"}}\n')
        for entry in opened.namelist():
            name = entry.removesuffix(".csv")
            if name != "manifest":
                with opened.open(entry) as raw:
                    for row in csv.DictReader(io.TextIOWrapper(raw, "utf-8", newline="")):
                        record = {key: value for key, value in row.items() if value}
                        lines.write(json.dumps({"type": name, "record": record}, ensure_ascii=False) + "\n")


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
            f"/sync/v1/imports?mode={mode}", content=content, headers={"Content-Type": "application/octet-stream"}
        )
        answer.raise_for_status()
        path = answer.headers["location"]
        while (found := (await self.http.get(path)).json())["state"] in {"received", "validating", "committing"}:
            await asyncio.sleep(0.05)
        seconds = time.perf_counter() - started
        assert found["state"] == ("committed" if mode == "auto" else "ready"), found
        return seconds, path
