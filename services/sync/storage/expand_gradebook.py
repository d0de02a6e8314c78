"""Copies of categories, resources, demographics and links for the schools they concern; see `storage.expand`."""

# ruff: noqa: S608  # statements are assembled from the constants of the domain; values are always bound

from services.sync.domain.gradebook_records import (
    ASSESSMENT_LINE_ITEM,
    ASSESSMENT_LINE_ITEM_OBJECTIVE,
    CATEGORY,
    CLASS_RESOURCE,
    COURSE_RESOURCE,
    LINE_ITEM,
    RESOURCE,
    USER_RESOURCE,
)
from services.sync.domain.records import COURSE, DEMOGRAPHICS, USER, RecordType
from services.sync.storage.expand import (
    copy_to_schools,
    holding,
    leave_out,
    package_schools,
    pointed_at,
    refuse_undetermined,
)
from services.sync.storage.resolve import Staging

# What a row points to must stand at the row's school.
_BROUGHT_ALONG = (
    (CATEGORY, LINE_ITEM, "category_sourced_id"),
    (RESOURCE, CLASS_RESOURCE, "resource_sourced_id"),
    (RESOURCE, COURSE_RESOURCE, "resource_sourced_id"),
    (RESOURCE, USER_RESOURCE, "resource_sourced_id"),
)


async def expand(staging: Staging, named: list[str]) -> None:
    """After `storage.expand.expand`: where people and courses are is known by then."""
    for record, owner, column in (
        (DEMOGRAPHICS, USER, "sourced_id"),
        (COURSE_RESOURCE, COURSE, "course_sourced_id"),
        (USER_RESOURCE, USER, "user_sourced_id"),
        (ASSESSMENT_LINE_ITEM_OBJECTIVE, ASSESSMENT_LINE_ITEM, "assessment_line_item_sourced_id"),
    ):
        if staging.mode(record) != "absent":
            await _with_owner(staging, record, owner, column)
    await refuse_undetermined(staging, DEMOGRAPHICS)
    await leave_out(staging, COURSE_RESOURCE, "dropped.courseUnused", "dropped")
    await refuse_undetermined(staging, USER_RESOURCE)
    for record in (CATEGORY, RESOURCE):
        if staging.mode(record) != "absent":
            await _to_package_schools(staging, record, named)
    for target, child, column in _BROUGHT_ALONG:
        if staging.mode(child) != "absent":
            await _bring_along(staging, target, child, column)
    for record in (CATEGORY, RESOURCE):
        await refuse_undetermined(staging, record)


async def _with_owner(staging: Staging, record: RecordType, owner: RecordType, column: str) -> None:
    """To every school its owner is at."""
    pairs = (
        f"SELECT r.sourced_id, k.school_sourced_id AS school FROM {record.staging} r "
        f"JOIN ({staging.known(owner)}) k ON k.sourced_id = r.{column} "
        "WHERE r.import_id = :i AND k.school_sourced_id <> ''"
    )
    await staging.run(copy_to_schools(record, pairs, "NOT s.ended"))


async def _to_package_schools(staging: Staging, record: RecordType, named: list[str]) -> None:
    pairs = (
        f"SELECT t.sourced_id, q.school FROM {record.staging} t CROSS JOIN ({package_schools()}) q "
        "WHERE t.import_id = :i"
    )
    if staging.mode(record) != "bulk":
        pairs += f" UNION ALL {holding(record)}"
    await staging.run(copy_to_schools(record, pairs, "NOT s.ended"), named=named)


async def _bring_along(staging: Staging, target: RecordType, child: RecordType, column: str) -> None:
    """Copy `target` to the schools of the rows that point to it: from the package, else from a school that has it."""
    here = (
        f"SELECT 1 FROM {target.staging} t WHERE t.import_id = :i AND t.outcome = 'accepted' AND NOT t.ended "
        "AND t.sourced_id = p.sourced_id AND t.school_sourced_id = p.school"
    )
    wanted = f"SELECT DISTINCT p.* FROM ({pointed_at(child, column, 'school_sourced_id')}) p WHERE p.school <> ''"
    await staging.run(copy_to_schools(target, f"{wanted} AND NOT EXISTS ({here})", "NOT s.ended"))
    columns = ", ".join(target.columns)
    values = ", ".join(f"c.{name}" for name in target.columns)
    await staging.run(
        f"INSERT INTO {target.staging} (import_id, line, sourced_id, school_sourced_id, outcome, ended, {columns}) "
        f"SELECT DISTINCT ON (c.sourced_id, p.school) :i, 0, c.sourced_id, p.school, 'accepted', false, {values} "
        f"FROM ({wanted}) p JOIN {target.table} c ON c.sourced_id = p.sourced_id AND c.status = 'active' "
        "AND c.school_sourced_id = ANY(CAST(:schools AS text[])) "
        f"WHERE NOT EXISTS ({here}) AND NOT EXISTS (SELECT 1 FROM {target.table} h WHERE h.sourced_id = p.sourced_id "
        "AND h.school_sourced_id = p.school AND h.status = 'active') "
        "ORDER BY c.sourced_id, p.school, c.date_last_modified DESC"
    )
