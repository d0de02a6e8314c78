"""Resolving marks, resources and demographics after the roster: a row's school, then whether its references hold."""

# ruff: noqa: S608  # statements are assembled from the constants of the domain; values are always bound

from services.sync.domain.gradebook_records import (
    ASSESSMENT_LINE_ITEM,
    ASSESSMENT_LINE_ITEM_OBJECTIVE,
    ASSESSMENT_RESULT,
    ASSESSMENT_RESULT_OBJECTIVE,
    CATEGORY,
    CLASS_RESOURCE,
    COURSE_RESOURCE,
    LINE_ITEM,
    LINE_ITEM_OBJECTIVE,
    LINE_ITEM_SCORE_SCALE,
    RESOURCE,
    RESULT,
    RESULT_OBJECTIVE,
    RESULT_SCORE_SCALE,
    SCORE_SCALE,
    USER_RESOURCE,
)
from services.sync.domain.records import ACADEMIC_SESSION, CLASS, COURSE, DEMOGRAPHICS, ROLE, USER, RecordType, camel
from services.sync.storage.expand import refuse_undetermined
from services.sync.storage.resolve import (
    Staging,
    dangling,
    ended_or_unknown,
    mark,
    optional_reference,
    people_of_schools,
    refuse_taken,
)

# Parents before children: what a row hangs on gives it its school (1.1 has no school on line items).
_LOCATED: tuple[tuple[RecordType, str, RecordType], ...] = (
    (SCORE_SCALE, "class_sourced_id", CLASS),
    (LINE_ITEM, "class_sourced_id", CLASS),
    (RESULT, "line_item_sourced_id", LINE_ITEM),
    (CLASS_RESOURCE, "class_sourced_id", CLASS),
    (LINE_ITEM_SCORE_SCALE, "line_item_sourced_id", LINE_ITEM),
    (RESULT_SCORE_SCALE, "result_sourced_id", RESULT),
    (LINE_ITEM_OBJECTIVE, "line_item_sourced_id", LINE_ITEM),
    (RESULT_OBJECTIVE, "result_sourced_id", RESULT),
)
# References to records that belong to no school of their own, or to several.
_SHARED: tuple[tuple[RecordType, str, RecordType], ...] = (
    (LINE_ITEM, "category_sourced_id", CATEGORY),
    (CLASS_RESOURCE, "resource_sourced_id", RESOURCE),
    (COURSE_RESOURCE, "course_sourced_id", COURSE),
    (COURSE_RESOURCE, "resource_sourced_id", RESOURCE),
    (USER_RESOURCE, "resource_sourced_id", RESOURCE),
)
_DEEPEST_LINE_ITEM_TREE = 20
_SCALES = (LINE_ITEM_SCORE_SCALE, RESULT_SCORE_SCALE)


async def resolve(staging: Staging) -> None:
    """Refuse every staged row whose references do not hold. Runs after `storage.resolve.resolve`."""
    await _demographics(staging)
    for record, column, parent in _LOCATED:
        if staging.mode(record) != "absent":
            await _locate(staging, record, column, parent)
            await _refuse_others(staging, record)
            await refuse_taken(staging, record)
    if staging.mode(USER_RESOURCE) != "absent":
        await _refuse_unknown(staging, USER_RESOURCE, "user_sourced_id", USER)
        await _refuse_others(staging, USER_RESOURCE)
    if staging.mode(COURSE_RESOURCE) != "absent":
        await _refuse_others(staging, COURSE_RESOURCE)
    await _assessments(staging)


async def _assessments(staging: Staging) -> None:
    """A line item stands at the school of its class, or where it says; a result at that of its student."""
    if staging.mode(ASSESSMENT_LINE_ITEM) != "absent":
        await _locate(staging, ASSESSMENT_LINE_ITEM, "class_sourced_id", CLASS)
        await refuse_undetermined(staging, ASSESSMENT_LINE_ITEM)
        await _refuse_scale(staging, ASSESSMENT_LINE_ITEM)
        # A refused parent takes its children along, level by level.
        for _ in range(_DEEPEST_LINE_ITEM_TREE):
            if not await _refuse_unknown(
                staging, ASSESSMENT_LINE_ITEM, "parent_sourced_id", ASSESSMENT_LINE_ITEM, school="s.school_sourced_id"
            ):
                break
    if staging.mode(ASSESSMENT_RESULT) != "absent":
        await _assessment_results(staging)
    if staging.mode(ASSESSMENT_LINE_ITEM_OBJECTIVE) != "absent":
        owner = "assessment_line_item_sourced_id"
        await _refuse_unknown(staging, ASSESSMENT_LINE_ITEM_OBJECTIVE, owner, ASSESSMENT_LINE_ITEM)
    if staging.mode(ASSESSMENT_RESULT_OBJECTIVE) != "absent":
        await _locate(staging, ASSESSMENT_RESULT_OBJECTIVE, "assessment_result_sourced_id", ASSESSMENT_RESULT)


async def _assessment_results(staging: Staging) -> None:
    item = "assessment_line_item_sourced_id"
    await _refuse_unknown(staging, ASSESSMENT_RESULT, item, ASSESSMENT_LINE_ITEM)
    await staging.run(
        f"WITH known AS MATERIALIZED ({staging.known(ASSESSMENT_LINE_ITEM)}), people AS MATERIALIZED "
        f"({people_of_schools(staging)}) UPDATE {ASSESSMENT_RESULT.staging} s SET school_sourced_id = "
        "k.school_sourced_id FROM known k JOIN people p ON p.school_sourced_id = k.school_sourced_id "
        "WHERE s.import_id = :i AND s.outcome = 'accepted' AND NOT s.ended AND s.school_sourced_id = '' "
        f"AND k.sourced_id = s.{item} AND p.sourced_id = s.student_sourced_id"
    )
    await _refuse_strangers(staging, ASSESSMENT_RESULT)
    await _refuse_unknown(staging, ASSESSMENT_RESULT, item, ASSESSMENT_LINE_ITEM, school="s.school_sourced_id")
    await _refuse_scale(staging, ASSESSMENT_RESULT)
    await refuse_taken(staging, ASSESSMENT_RESULT)


async def _refuse_scale(staging: Staging, record: RecordType) -> None:
    await _refuse_unknown(staging, record, "score_scale_sourced_id", SCORE_SCALE, school="s.school_sourced_id")


async def _refuse_strangers(staging: Staging, record: RecordType) -> None:
    """The student of a result belongs to its school."""
    await staging.run(
        mark(
            record,
            code=ended_or_unknown(USER, "old.student_sourced_id"),
            field="studentSourcedId",
            where=dangling("s.student_sourced_id", "s.school_sourced_id"),
            known=people_of_schools(staging),
            value="old.student_sourced_id",
            target=USER,
        )
    )


async def _locate(staging: Staging, record: RecordType, column: str, parent: RecordType) -> None:
    await staging.run(
        f"WITH known AS MATERIALIZED ({staging.known(parent)}) UPDATE {record.staging} s "
        "SET school_sourced_id = k.school_sourced_id FROM known k WHERE s.import_id = :i AND s.outcome = 'accepted' "
        f"AND NOT s.ended AND s.school_sourced_id = '' AND k.sourced_id = s.{column} AND k.school_sourced_id <> ''"
    )
    await _refuse_unknown(staging, record, column, parent, school="s.school_sourced_id")


async def _refuse_others(staging: Staging, record: RecordType) -> None:
    """The references beside the one that gives the school."""
    for child, column, target in _SHARED:
        if child is record:
            await _refuse_unknown(staging, record, column, target)
    if record is LINE_ITEM:
        for column in ("grading_period_sourced_id", "academic_session_sourced_id"):
            await optional_reference(staging, LINE_ITEM, column, camel(column), ACADEMIC_SESSION)
    if record is RESULT:
        await _refuse_strangers(staging, RESULT)
    if record in _SCALES:
        await _refuse_scale(staging, record)


async def _refuse_unknown(
    staging: Staging, record: RecordType, column: str, target: RecordType, *, school: str | None = None
) -> int:
    return await staging.run(
        mark(
            record,
            code=ended_or_unknown(target, f"old.{column}"),
            field=camel(column),
            where=dangling(f"s.{column}", school),
            known=staging.known(target),
            value=f"old.{column}",
            target=target,
        )
    )


async def _demographics(staging: Staging) -> None:
    if staging.mode(DEMOGRAPHICS) == "absent":
        return
    dropped = (
        f"EXISTS (SELECT 1 FROM {USER.staging} u WHERE u.import_id = :i AND u.outcome = 'dropped' "
        f"AND u.sourced_id = s.sourced_id) OR EXISTS (SELECT 1 FROM {ROLE.staging} r WHERE r.import_id = :i "
        "AND r.outcome = 'dropped' AND r.user_sourced_id = s.sourced_id)"
    )
    await staging.run(
        mark(
            DEMOGRAPHICS,
            code="'dropped.family'",
            field="sourcedId",
            where=f"{dangling('s.sourced_id')} AND ({dropped})",
            known=staging.known(USER),
            value="'guardian, parent, relative'",
            change="outcome = 'dropped'",
            severity="dropped",
        )
    )
    await staging.run(
        mark(
            DEMOGRAPHICS,
            code=ended_or_unknown(USER, "old.sourced_id"),
            field="sourcedId",
            where=dangling("s.sourced_id"),
            known=staging.known(USER),
            value="old.sourced_id",
            target=USER,
        )
    )
