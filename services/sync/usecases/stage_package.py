"""Staging a package: its rows are read as a stream, in chunks, while the chunk before is loaded by COPY."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID
from zipfile import ZipFile

from services.sync.domain.archive import ArchiveLimits
from services.sync.domain.blocks import Block
from services.sync.domain.files import files_of
from services.sync.domain.ndjson import MANIFEST, NAME, LineReader, kind_of
from services.sync.domain.objects import SPECS, ObjectReader
from services.sync.domain.package import FilePlan, PackagePlan
from services.sync.domain.problems import Problem, shortened
from services.sync.domain.rows import RowReader
from services.sync.domain.staged import Registry, Staged, Tally
from services.sync.storage import staging
from services.sync.storage.imports import lock_import
from services.sync.storage.objects_file import is_objects, lines_of
from services.sync.storage.uploads import Uploads, inspect, opened, rows_of
from shared.db.scope import EVERYTHING
from shared.db.unit_of_work import UnitsOfWork

CHUNK_ROWS = 5000
_LEFT_AT_THE_DOOR = files_of("1.2").keys() - SPECS.keys()


@dataclass(slots=True)
class Reading:
    """What is known while the rows of one package are read."""

    import_id: UUID
    lenient: bool
    registry: Registry
    schools: list[str]
    readers: list[RowReader] = field(default_factory=list)
    retried: dict[str, int] | None = None  # rows by file of an import that tries waiting rows again

    @property
    def tallies(self) -> dict[str, Tally]:
        """Counts by file name."""
        if self.retried is not None:
            return {name: Tally(read=count) for name, count in self.retried.items()}
        return {reader.plan.spec.name: reader.tally for reader in self.readers}

    @property
    def nameless(self) -> list[str]:
        """Files with rows that may be those of any record."""
        return [name for name, tally in self.tallies.items() if tally.nameless]

    @property
    def named(self) -> list[str]:
        """Schools that orgs.csv names."""
        return sorted(set().union(*(reader.schools for reader in self.readers)))

    @property
    def is_large(self) -> bool:
        return sum(tally.read for tally in self.tallies.values()) >= staging.LARGE_FROM_ROWS


async def stage_package(units: UnitsOfWork, uploads: Uploads, reading: Reading) -> None:
    """Every row of the package, and what is wrong with it by itself."""
    path = uploads.path_of(reading.import_id)
    inspection = await asyncio.to_thread(inspect, path, lenient=reading.lenient, limits=uploads.limits)
    assert inspection.plan is not None, "the door let it in"
    async with units.begin(EVERYTHING) as uow:
        await staging.copy_problems(await uow.driver(), reading.import_id, inspection.problems)
    if is_objects(path):
        await _stage_lines(units, reading, inspection.plan, path, uploads.limits)
        return
    with opened(path) as package:
        for plan in inspection.plan.files:
            await _stage_file(units, reading, package, plan)


@dataclass(frozen=True, slots=True)
class Chunk:
    """What some rows became. `is_last`: there are no more."""

    count: int
    blocks: list[Block]
    staged: list[Staged]
    problems: list[Problem]
    is_last: bool


async def _stage_file(units: UnitsOfWork, reading: Reading, package: ZipFile, plan: FilePlan) -> None:
    reader = RowReader(plan, reading.registry, reading.lenient)
    reading.readers.append(reader)
    rows = rows_of(package, plan)
    await _stage_chunks(units, reading, lambda: _next_of_file(rows, reader))


async def _stage_lines(
    units: UnitsOfWork, reading: Reading, plan: PackagePlan, path: Path, limits: ArchiveLimits
) -> None:
    readers = {each.spec.name: RowReader(each, reading.registry, reading.lenient) for each in plan.files}
    reading.readers += readers.values()
    parser = _Lines(readers, lenient=reading.lenient)
    with closing(lines_of(path, limits.unpacked_bytes)) as lines:
        await _stage_chunks(units, reading, lambda: parser.next_of(lines))


async def _stage_chunks(units: UnitsOfWork, reading: Reading, next_chunk: Callable[[], Chunk]) -> None:
    """Parse in a thread while the chunk before is loaded, each with its progress."""
    parsing = asyncio.create_task(asyncio.to_thread(next_chunk))
    try:
        while True:
            chunk = await parsing
            if not chunk.is_last:
                parsing = asyncio.create_task(asyncio.to_thread(next_chunk))
            await _load(units, reading.import_id, chunk)
            if chunk.is_last:
                return
    finally:
        # The thread reads from the file, which the caller closes.
        await asyncio.wait([parsing])


async def _load(units: UnitsOfWork, import_id: UUID, chunk: Chunk) -> None:
    async with units.begin(EVERYTHING) as uow:
        driver = await uow.driver()
        for block in chunk.blocks:
            await staging.copy_block(driver, import_id, block)
        await staging.copy_staged(driver, import_id, chunk.staged)
        await staging.copy_problems(driver, import_id, chunk.problems)
        row = await lock_import(uow.session, import_id)
        assert row is not None
        row.rows_done += chunk.count


def _next_of_file(rows: Iterator[tuple[int, list[str] | None]], reader: RowReader) -> Chunk:
    taken = list(islice(rows, CHUNK_ROWS))
    block, staged, problems = reader.read_many(taken)
    is_last = len(taken) < CHUNK_ROWS
    blocks = [] if block is None else [block]
    return Chunk(len(taken), blocks, staged, problems + (reader.finish() if is_last else []), is_last)


@dataclass(slots=True)
class _Lines:
    """Lines of all types, each judged by the reader of its type."""

    readers: dict[str, RowReader]
    lenient: bool
    _lines: dict[str, LineReader] = field(init=False)

    def __post_init__(self) -> None:
        self._lines = {
            name: LineReader(ObjectReader(SPECS[name], reader.plan.mode), lenient=self.lenient)
            for name, reader in self.readers.items()
        }

    def next_of(self, lines: Iterator[tuple[int, bytes | None]]) -> Chunk:
        taken = list(islice(lines, CHUNK_ROWS))
        is_last = len(taken) < CHUNK_ROWS
        chunk = Chunk(len(taken), [], [], [], is_last)
        rows: dict[str, list[tuple[int, Any]]] = {}
        for number, line in taken:
            kind = "" if line is None else kind_of(line)
            if line is not None and kind in self.readers:
                row, found = self._lines[kind].row_of(line, number)
                if found:
                    staged, problems = self.readers[kind].refuse(number, row, found)
                    chunk.staged.extend(staged)
                    chunk.problems.extend(problems)
                else:
                    rows.setdefault(kind, []).append((number, row))
            elif kind not in _LEFT_AT_THE_DOOR and (kind != MANIFEST or number > 1):
                chunk.problems.append(_unfit(number, line, kind))
                for reader in self.readers.values():
                    reader.tally.nameless += 1
        for kind, mine in rows.items():
            block, staged, problems = self.readers[kind].read_many(mine)
            chunk.blocks.extend([] if block is None else [block])
            chunk.staged.extend(staged)
            chunk.problems.extend(problems)
        if is_last:
            chunk.problems.extend(each for reader in self.readers.values() for each in reader.finish())
        return chunk


def _unfit(number: int, line: bytes | None, kind: str) -> Problem:
    if line is None:
        return Problem("ndjson.lineTooLong", NAME, number)
    if not kind:
        return Problem("ndjson.unreadable", NAME, number)
    return Problem("ndjson.typeUnknown", NAME, number, "type", shortened(kind))
