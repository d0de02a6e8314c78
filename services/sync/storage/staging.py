"""Staging: the accepted rows of a package with their types, loaded by COPY, and the problems found on the way."""

# ruff: noqa: S608  # statements are assembled from the constants of domain.records; values are always bound

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.sync.domain.blocks import Block
from services.sync.domain.catalogue import CATALOGUE
from services.sync.domain.gradebook_records import EVERY_TYPE
from services.sync.domain.problems import Problem
from services.sync.domain.records import RecordType
from services.sync.domain.staged import Staged

_KEY_COLUMNS = ("import_id", "line", "sourced_id", "school_sourced_id", "outcome", "ended")
_PROBLEM_COLUMNS = (
    "import_id",
    "severity",
    "code",
    "file",
    "line",
    "field",
    "value",
    "expected",
    "school_sourced_id",
    "count",
    "record_sourced_id",
)

# An import from here on is planned for many rows, a smaller one is looked up row by row.
LARGE_FROM_ROWS = 5000


async def wipe_staging(session: AsyncSession, import_id: UUID, *, kept: Collection[RecordType] = ()) -> None:
    """Forget the staged rows but those of the types `kept`: the import is final, or starts again."""
    for record in (each for each in EVERY_TYPE if each not in kept):
        await session.execute(text(f"DELETE FROM {record.staging} WHERE import_id = :i"), {"i": import_id})


# A tenth of PostgreSQL's own default: fewer sampled rows tell as well how many there are, and how many of a kind.
_STATISTICS_OF_STAGING = 10


async def analyze(session: AsyncSession, tables: Iterable[str], *, roughly: bool = False) -> None:
    """Tell the planner what a large import just wrote, instead of waiting for autovacuum.

    In a transaction of its own: who analyzes a table makes others who want to wait until the commit.
    """
    if roughly:
        await session.execute(text(f"SET LOCAL default_statistics_target = {_STATISTICS_OF_STAGING}"))
    for table in tables:
        await session.execute(text(f'ANALYZE "{table}"'))


async def wipe_findings(session: AsyncSession, import_id: UUID) -> None:
    """Forget what an earlier, interrupted validation found."""
    for table in ("import_problem", "import_change", "import_school"):
        await session.execute(text(f"DELETE FROM {table} WHERE import_id = :i"), {"i": import_id})


async def copy_staged(driver: Any, import_id: UUID, staged: Iterable[Staged]) -> None:
    """`driver` is the asyncpg connection of the open transaction (`UnitOfWork.driver`)."""
    rows: dict[str, list[tuple[Any, ...]]] = {}
    for row in staged:
        values = row.values or (None,) * len(row.record.columns)
        key = (import_id, row.line, row.sourced_id, row.school, row.outcome, row.ended)
        rows.setdefault(row.record.table, []).append(key + values)
    for record in EVERY_TYPE:
        if record.table in rows:
            await _copy(driver, record, rows[record.table])


async def copy_block(driver: Any, import_id: UUID, block: Block) -> None:
    """Plain rows, already as COPY text: the import is put before each line."""
    if block.lines:
        head = f"{import_id}\t"
        content = (head + f"\n{head}".join(block.lines) + "\n").encode()
        await driver.copy_to_table(
            block.record.staging, source=_at_once(content), columns=["import_id", *block.columns]
        )


async def _at_once(content: bytes) -> AsyncIterator[bytes]:
    """The driver would read a file by a thread's hop for every piece."""
    yield content


async def _copy(driver: Any, record: RecordType, rows: Sequence[tuple[Any, ...]]) -> None:
    columns = [*_KEY_COLUMNS, *record.columns]
    await driver.copy_records_to_table(record.staging, records=rows, columns=columns)


async def copy_problems(driver: Any, import_id: UUID, problems: Sequence[Problem]) -> None:
    if not problems:
        return
    rows = [
        (
            import_id,
            CATALOGUE[each.code].severity.value,
            each.code,
            each.file,
            each.line,
            each.field,
            each.value,
            each.expected,
            each.school,
            each.count,
            each.record,
        )
        for each in problems
    ]
    await driver.copy_records_to_table("import_problem", records=rows, columns=list(_PROBLEM_COLUMNS))
