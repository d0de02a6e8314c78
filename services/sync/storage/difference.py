"""The difference between staging and the database, as rows of `import_change`; nothing is compared in Python.

Columns are compared themselves and not through a stored hash: nothing can get out of step with a repaired row.
"""

# ruff: noqa: S608  # statements are assembled from the constants of domain.records; values are always bound

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from services.sync.domain.brake import Difference
from services.sync.domain.gradebook_records import CASCADES, CATEGORY, EVERY_TYPE, RESOURCE
from services.sync.domain.records import (
    RECORD_TYPES,
    ROLE,
    RecordType,
    camel,
)
from services.sync.storage.resolve import Staging

_ONLY = "ANY(CAST(:only AS text[]))"


async def compare(staging: Staging, only: Sequence[str]) -> list[Difference]:
    """Rewrite the changes of the schools `only` and count them. Their `base_version` must be up to date."""
    await find_changes(staging, only)
    return await _count(staging, only)


async def find_changes(staging: Staging, only: Sequence[str]) -> None:
    """Rewrite the changes of the schools `only`."""
    parameters = {"only": list(only)}
    await staging.run(f"DELETE FROM import_change WHERE import_id = :i AND school_sourced_id = {_ONLY}", **parameters)
    for record in _concerned(staging):
        await staging.run(_written(record), **parameters)
        await staging.run(_ended(record), **parameters)
        if staging.mode(record) == "bulk":
            await staging.run(_left_out(record), **parameters)
    reached = set(staging.types)
    for child, parent, column in CASCADES:
        if parent in reached:
            reached.add(child)
            await staging.run(_cascade(child, parent, column), **parameters)


def _concerned(staging: Staging) -> Iterator[RecordType]:
    """Types the package may write: those of its files, and those whose rows come along with others."""
    for record in staging.types:
        if record in (*RECORD_TYPES, CATEGORY, RESOURCE) or staging.mode(record) != "absent":
            yield record


def _written(record: RecordType) -> str:
    """Records that are new (or come back) and records whose fields differ."""
    rows = ", ".join(
        f"('{camel(name)}', c.{name} IS DISTINCT FROM s.{name}, "
        f"jsonb_build_object('before', to_jsonb(c.{name}), 'after', to_jsonb(s.{name})))"
        for name in record.columns
    )
    fields = f"(SELECT jsonb_object_agg(f.name, f.pair) FROM (VALUES {rows}) AS f(name, differs, pair) WHERE f.differs)"
    mine = ", ".join(f"s.{name}" for name in record.columns)
    theirs = ", ".join(f"c.{name}" for name in record.columns)
    return (
        "INSERT INTO import_change (import_id, type, school_sourced_id, sourced_id, action, fields) "
        f"SELECT :i, '{record.file}', s.school_sourced_id, s.sourced_id, "
        "CASE WHEN c.status = 'active' THEN 'changed' ELSE 'added' END, "
        f"CASE WHEN c.status = 'active' THEN {fields} END "
        f"FROM {record.staging} s LEFT JOIN {record.table} c "
        "ON c.sourced_id = s.sourced_id AND c.school_sourced_id = s.school_sourced_id "
        f"WHERE s.import_id = :i AND s.outcome = 'accepted' AND NOT s.ended AND s.school_sourced_id = {_ONLY} "
        f"AND (c.status IS DISTINCT FROM 'active' OR ROW({mine}) IS DISTINCT FROM ROW({theirs}))"
    )


def _removal(record: RecordType, source: str) -> str:
    return (
        "INSERT INTO import_change (import_id, type, school_sourced_id, sourced_id, action) "
        f"SELECT DISTINCT :i, '{record.file}', c.school_sourced_id, c.sourced_id, 'removed' FROM {record.table} c "
        f"{source} AND c.status = 'active' AND c.school_sourced_id = {_ONLY} ON CONFLICT DO NOTHING"
    )


def _ended(record: RecordType) -> str:
    """Records a row of the package ends by name."""
    return _removal(
        record,
        f"JOIN {record.staging} s ON s.sourced_id = c.sourced_id AND s.school_sourced_id = c.school_sourced_id "
        "WHERE s.import_id = :i AND s.outcome = 'accepted' AND s.ended",
    )


def _left_out(record: RecordType) -> str:
    """Records a bulk package leaves out. A refused row still names its record: refused is not absent."""
    staged = f"SELECT 1 FROM {record.staging} s WHERE s.import_id = :i AND s.sourced_id = c.sourced_id"
    return _removal(
        record,
        "JOIN import_school i ON i.import_id = :i AND i.school_sourced_id = c.school_sourced_id AND i.complete "
        f"WHERE NOT EXISTS ({staged} AND s.school_sourced_id = c.school_sourced_id AND s.outcome = 'accepted') "
        f"AND NOT EXISTS ({staged} AND s.outcome = 'refused')",
    )


def _cascade(record: RecordType, parent: RecordType, column: str) -> str:
    """What hangs on a record that ends, ends with it."""
    return _removal(
        record,
        f"JOIN import_change p ON p.import_id = :i AND p.type = '{parent.file}' AND p.action = 'removed' "
        f"AND p.school_sourced_id = c.school_sourced_id AND p.sourced_id = c.{column} WHERE true",
    )


_REPLACED_ROLES = (
    f"SELECT '{ROLE.file}', c.school_sourced_id, 0, 0, 0, 0, count(*) FROM import_change x "
    f"JOIN {ROLE.table} c ON c.sourced_id = x.sourced_id AND c.school_sourced_id = x.school_sourced_id "
    f"WHERE x.import_id = :i AND x.type = '{ROLE.file}' AND x.action = 'removed' AND x.school_sourced_id = {_ONLY} "
    f"AND EXISTS (SELECT 1 FROM {ROLE.staging} s WHERE s.import_id = :i AND s.outcome = 'accepted' AND NOT s.ended "
    "AND s.user_sourced_id = c.user_sourced_id AND s.school_sourced_id = c.school_sourced_id AND s.role = c.role) "
    "GROUP BY 2"
)


async def _count(staging: Staging, only: Sequence[str]) -> list[Difference]:
    active = " UNION ALL ".join(
        f"SELECT '{record.file}' AS type, school_sourced_id AS school, count(*) AS before, 0 AS added, 0 AS changed, "
        f"0 AS removed, 0 AS replaced FROM {record.table} "
        f"WHERE status = 'active' AND school_sourced_id = {_ONLY} GROUP BY 2"
        for record in EVERY_TYPE
    )
    changes = (
        "SELECT type, school_sourced_id, 0, count(*) FILTER (WHERE action = 'added'), "
        "count(*) FILTER (WHERE action = 'changed'), count(*) FILTER (WHERE action = 'removed'), 0 "
        f"FROM import_change WHERE import_id = :i AND school_sourced_id = {_ONLY} GROUP BY 1, 2"
    )
    statement = text(
        "SELECT school, type, sum(before)::int, sum(added)::int, sum(changed)::int, sum(removed)::int, "
        "sum(replaced)::int "
        f"FROM ({active} UNION ALL {changes} UNION ALL {_REPLACED_ROLES}) AS n GROUP BY 1, 2 ORDER BY 1, 2"
    )
    rows = await staging.session.execute(statement, {"i": staging.import_id, "only": list(only)})
    return [Difference(*row) for row in rows]


async def store_counts(staging: Staging, differences: Sequence[Difference]) -> None:
    """Keep the counts per school: what the diff will do, by type."""
    by_school: dict[str, dict[str, Any]] = {}
    for each in differences:
        by_school.setdefault(each.school, {})[each.type] = {
            "before": each.before,
            "added": each.added,
            "changed": each.changed,
            "removed": each.removed,
        }
    for school, counts in by_school.items():
        await staging.session.execute(_STORE_COUNTS, {"i": staging.import_id, "school": school, "counts": counts})


_STORE_COUNTS = text(
    "UPDATE import_school SET counts = :counts WHERE import_id = :i AND school_sourced_id = :school"
).bindparams(bindparam("counts", type_=JSONB))


async def row_counts(staging: Staging) -> Mapping[str, tuple[int, int]]:
    """Refused and dropped lines by file name, from the problems: one line counts once, however many faults it has."""
    statement = text(
        "SELECT file, count(DISTINCT line) FILTER (WHERE severity = 'error'), "
        "count(DISTINCT line) FILTER (WHERE severity = 'dropped' AND line IS NOT NULL) "
        "FROM import_problem WHERE import_id = :i GROUP BY file"
    )
    rows = await staging.session.execute(statement, {"i": staging.import_id})
    return {file.removesuffix(".csv"): (refused, dropped) for file, refused, dropped in rows}


async def changes_by_type(staging: Staging) -> Mapping[str, Mapping[str, int]]:
    statement = text(
        "SELECT type, action, count(*) FROM import_change x WHERE import_id = :i AND NOT EXISTS (SELECT 1 "
        "FROM import_school s WHERE s.import_id = x.import_id AND s.school_sourced_id = x.school_sourced_id "
        "AND s.discarded_at IS NOT NULL) GROUP BY 1, 2"
    )
    found: dict[str, dict[str, int]] = {}
    for type_, action, count in await staging.session.execute(statement, {"i": staging.import_id}):
        found.setdefault(type_, {})[action] = count
    return found


async def counted_changes(staging: Staging) -> Mapping[str, Mapping[str, int]]:
    """As `changes_by_type`, from the counts `store_counts` kept: a million changes are not gone through again."""
    statement = text(
        "SELECT c.key, sum((c.value->>'added')::int)::int, sum((c.value->>'changed')::int)::int, "
        "sum((c.value->>'removed')::int)::int FROM import_school s, jsonb_each(s.counts) c "
        "WHERE s.import_id = :i AND s.discarded_at IS NULL GROUP BY 1"
    )
    rows = await staging.session.execute(statement, {"i": staging.import_id})
    found = {type_: dict(zip(("added", "changed", "removed"), counts, strict=True)) for type_, *counts in rows}
    return {type_: actions for type_, actions in found.items() if any(actions.values())}


async def untouched_schools(staging: Staging) -> dict[str, int]:
    """Schools neither committed nor discarded, with the roster version the difference was made against."""
    statement = text(
        "SELECT school_sourced_id, base_version FROM import_school "
        "WHERE import_id = :i AND committed_at IS NULL AND discarded_at IS NULL ORDER BY school_sourced_id"
    )
    return {row[0]: row[1] for row in await staging.session.execute(statement, {"i": staging.import_id})}
