"""Marks, learning resources and demographics as records a school owns, beside the roster of `domain.records`."""

from services.sync.domain.records import (
    BY_FILE as ROSTER_BY_FILE,
)
from services.sync.domain.records import (
    CLASS,
    COURSE,
    DEMOGRAPHICS,
    ENROLLMENT,
    RECORD_TYPES,
    ROLE,
    USER,
    RecordType,
)

CATEGORY = RecordType("categories", "category", ("title", "weight"), per_package=True)
SCORE_SCALE = RecordType(
    "scoreScales",
    "score_scale",
    ("title", "type", "class_sourced_id", "course_sourced_id", "item_values_lhs", "item_values_rhs"),
)
LINE_ITEM = RecordType(
    "lineItems",
    "line_item",
    (
        "title",
        "description",
        "assign_date",
        "due_date",
        "class_sourced_id",
        "category_sourced_id",
        "grading_period_sourced_id",
        "academic_session_sourced_id",
        "result_value_min",
        "result_value_max",
    ),
)
RESULT = RecordType(
    "results",
    "result",
    (
        "line_item_sourced_id",
        "student_sourced_id",
        "score_status",
        "score",
        "text_score",
        "score_date",
        "in_progress",
        "incomplete",
        "late",
        "missing",
    ),
)
RESOURCE = RecordType(
    "resources",
    "resource",
    ("vendor_resource_id", "title", "roles", "importance", "vendor_id", "application_id"),
    per_package=True,
)
CLASS_RESOURCE = RecordType("classResources", "class_resource", ("title", "class_sourced_id", "resource_sourced_id"))
COURSE_RESOURCE = RecordType(
    "courseResources", "course_resource", ("title", "course_sourced_id", "resource_sourced_id"), per_package=True
)
USER_RESOURCE = RecordType(
    "userResources", "user_resource", ("user_sourced_id", "class_sourced_id", "resource_sourced_id"), per_package=True
)
LINE_ITEM_SCORE_SCALE = RecordType(
    "lineItemScoreScales", "line_item_score_scale", ("title", "line_item_sourced_id", "score_scale_sourced_id")
)
RESULT_SCORE_SCALE = RecordType(
    "resultScoreScales", "result_score_scale", ("title", "result_sourced_id", "score_scale_sourced_id")
)
LINE_ITEM_OBJECTIVE = RecordType(
    "lineItemLearningObjectiveIds",
    "line_item_objective",
    ("line_item_sourced_id", "source", "learning_objective_id"),
)
RESULT_OBJECTIVE = RecordType(
    "resultLearningObjectiveIds",
    "result_objective",
    ("result_sourced_id", "source", "learning_objective_id", "score", "text_score"),
)

# Of the assessment profile: no file of the CSV binding carries them, they come one by one or as lines of JSON.
ASSESSMENT_LINE_ITEM = RecordType(
    "assessmentLineItems",
    "assessment_item",
    (
        "title",
        "description",
        "class_sourced_id",
        "parent_sourced_id",
        "score_scale_sourced_id",
        "result_value_min",
        "result_value_max",
    ),
)
ASSESSMENT_RESULT = RecordType(
    "assessmentResults",
    "assessment_result",
    (
        "assessment_line_item_sourced_id",
        "student_sourced_id",
        "score_status",
        "score",
        "text_score",
        "score_date",
        "score_percentile",
        "score_scale_sourced_id",
        "in_progress",
        "incomplete",
        "late",
        "missing",
    ),
)
ASSESSMENT_LINE_ITEM_OBJECTIVE = RecordType(
    "assessmentLineItemLearningObjectiveIds",
    "assessment_item_objective",
    ("assessment_line_item_sourced_id", "source", "learning_objective_id"),
)
ASSESSMENT_RESULT_OBJECTIVE = RecordType(
    "assessmentResultLearningObjectiveIds",
    "assessment_result_objective",
    ("assessment_result_sourced_id", "source", "learning_objective_id", "score", "text_score"),
)

# Parents before children, as in RECORD_TYPES.
GRADEBOOK_TYPES = (
    DEMOGRAPHICS,
    CATEGORY,
    SCORE_SCALE,
    LINE_ITEM,
    RESULT,
    RESOURCE,
    CLASS_RESOURCE,
    COURSE_RESOURCE,
    USER_RESOURCE,
    LINE_ITEM_SCORE_SCALE,
    RESULT_SCORE_SCALE,
    LINE_ITEM_OBJECTIVE,
    RESULT_OBJECTIVE,
    ASSESSMENT_LINE_ITEM,
    ASSESSMENT_RESULT,
    ASSESSMENT_LINE_ITEM_OBJECTIVE,
    ASSESSMENT_RESULT_OBJECTIVE,
)
EVERY_TYPE = (*RECORD_TYPES, *GRADEBOOK_TYPES)
BY_FILE = {**ROSTER_BY_FILE, **{record.file: record for record in GRADEBOOK_TYPES}}

# Records whose one school is that of what they point to.
LOCATED_TYPES = (
    SCORE_SCALE,
    LINE_ITEM,
    RESULT,
    CLASS_RESOURCE,
    LINE_ITEM_SCORE_SCALE,
    RESULT_SCORE_SCALE,
    LINE_ITEM_OBJECTIVE,
    RESULT_OBJECTIVE,
    ASSESSMENT_LINE_ITEM,
    ASSESSMENT_RESULT,
    ASSESSMENT_LINE_ITEM_OBJECTIVE,
    ASSESSMENT_RESULT_OBJECTIVE,
)

Reference = tuple[RecordType, RecordType, str]
# (child, parent, the child's column that names the parent within the school), and the child ends with the parent.
_HANGS_ON: tuple[Reference, ...] = (
    (DEMOGRAPHICS, USER, "sourced_id"),
    (SCORE_SCALE, CLASS, "class_sourced_id"),
    (LINE_ITEM, CLASS, "class_sourced_id"),
    (RESULT, LINE_ITEM, "line_item_sourced_id"),
    (RESULT, USER, "student_sourced_id"),
    (CLASS_RESOURCE, CLASS, "class_sourced_id"),
    (CLASS_RESOURCE, RESOURCE, "resource_sourced_id"),
    (COURSE_RESOURCE, COURSE, "course_sourced_id"),
    (COURSE_RESOURCE, RESOURCE, "resource_sourced_id"),
    (USER_RESOURCE, USER, "user_sourced_id"),
    (USER_RESOURCE, RESOURCE, "resource_sourced_id"),
    (LINE_ITEM_SCORE_SCALE, LINE_ITEM, "line_item_sourced_id"),
    (LINE_ITEM_SCORE_SCALE, SCORE_SCALE, "score_scale_sourced_id"),
    (RESULT_SCORE_SCALE, RESULT, "result_sourced_id"),
    (RESULT_SCORE_SCALE, SCORE_SCALE, "score_scale_sourced_id"),
    (LINE_ITEM_OBJECTIVE, LINE_ITEM, "line_item_sourced_id"),
    (RESULT_OBJECTIVE, RESULT, "result_sourced_id"),
    (ASSESSMENT_LINE_ITEM, CLASS, "class_sourced_id"),
    (ASSESSMENT_RESULT, USER, "student_sourced_id"),
    (ASSESSMENT_RESULT, ASSESSMENT_LINE_ITEM, "assessment_line_item_sourced_id"),
    (ASSESSMENT_LINE_ITEM_OBJECTIVE, ASSESSMENT_LINE_ITEM, "assessment_line_item_sourced_id"),
    (ASSESSMENT_RESULT_OBJECTIVE, ASSESSMENT_RESULT, "assessment_result_sourced_id"),
)
REFERENCES: tuple[Reference, ...] = (
    *_HANGS_ON,
    (LINE_ITEM, CATEGORY, "category_sourced_id"),
    (ASSESSMENT_LINE_ITEM, ASSESSMENT_LINE_ITEM, "parent_sourced_id"),
    (ASSESSMENT_LINE_ITEM, SCORE_SCALE, "score_scale_sourced_id"),
    (ASSESSMENT_RESULT, SCORE_SCALE, "score_scale_sourced_id"),
)
# References a record may do without.
OPEN: frozenset[tuple[str, str]] = frozenset(
    {
        ("assessment_item", "class_sourced_id"),
        ("assessment_item", "parent_sourced_id"),
        ("assessment_item", "score_scale_sourced_id"),
        ("assessment_result", "score_scale_sourced_id"),
    }
)
CASCADES: tuple[Reference, ...] = (
    (ROLE, USER, "user_sourced_id"),
    (ENROLLMENT, USER, "user_sourced_id"),
    (ENROLLMENT, CLASS, "class_sourced_id"),
    *_HANGS_ON,
)
# Columns that are never empty in a record that was accepted, beside the references.
FILLED: dict[str, set[str]] = {
    "category": {"title"},
    "score_scale": {"title", "type", "item_values_lhs", "item_values_rhs"},
    "line_item": {"title", "assign_date", "due_date"},
    "result": {"score_status", "score_date"},
    "resource": {"vendor_resource_id"},
    "line_item_objective": {"source", "learning_objective_id"},
    "result_objective": {"source", "learning_objective_id"},
    "assessment_item": {"title"},
    "assessment_result": {"score_status", "score_date"},
    "assessment_item_objective": {"source", "learning_objective_id"},
    "assessment_result_objective": {"source", "learning_objective_id"},
}
