"""The files of a OneRoster package that hold demographics, marks and resources: their columns.

Sources: OneRoster 1.2 CSV binding 1.2.1; OneRoster 1.1 CSV tables.
"""

from services.sync.domain.columns import Cell, Column, FileSpec, optional, required

SEXES = ("male", "female", "unspecified", "other")
SCORE_STATUSES = ("exempt", "fully graded", "not submitted", "partially graded", "submitted")
IMPORTANCES = ("primary", "secondary")
OBJECTIVE_SOURCES = ("case", "unknown")

# Race, origin and place of birth: the minimal-data rule forbids keeping them, whatever they say.
_ORIGIN = (
    "americanIndianOrAlaskaNative",
    "asian",
    "blackOrAfricanAmerican",
    "nativeHawaiianOrOtherPacificIslander",
    "white",
    "demographicRaceTwoOrMoreRaces",
    "hispanicOrLatinoEthnicity",
    "countryOfBirthCode",
    "stateOfBirthAbbreviation",
    "cityOfBirth",
    "publicSchoolResidenceStatus",
)
_DEMOGRAPHICS = FileSpec(
    "demographics",
    (
        optional("birthDate", "birth_date", Cell.DATE, personal=True),
        optional("sex", "sex", Cell.WORD, words=SEXES, personal=True),
        *(Column(name, personal=True) for name in _ORIGIN),
    ),
    dropped=frozenset(_ORIGIN),
)
_CATEGORIES_1_1 = FileSpec("categories", (required("title", "title"),))
_CATEGORIES = FileSpec("categories", (required("title", "title"), optional("weight", "weight", Cell.NUMBER)))
_SCORE_SCALES = FileSpec(
    "scoreScales",
    (
        required("title", "title"),
        required("type", "type"),
        Column("orgSourcedId", Cell.ID, required=True),
        required("courseSourcedId", "course_sourced_id", Cell.ID),
        required("classSourcedId", "class_sourced_id", Cell.ID),
        required("scoreScaleValue", "score_scale_values", Cell.PAIRS),
    ),
)
_LINE_ITEM_HEAD = (
    required("title", "title"),
    optional("description", "description"),
    required("assignDate", "assign_date", Cell.INSTANT),
    required("dueDate", "due_date", Cell.INSTANT),
    required("classSourcedId", "class_sourced_id", Cell.ID),
    required("categorySourcedId", "category_sourced_id", Cell.ID),
)
_LINE_ITEMS = FileSpec(
    "lineItems",
    (
        *_LINE_ITEM_HEAD,
        required("academicSessionSourcedId", "academic_session_sourced_id", Cell.ID),
        optional("resultValueMin", "result_value_min", Cell.NUMBER),
        optional("resultValueMax", "result_value_max", Cell.NUMBER),
        required("schoolSourcedId", "school_sourced_id", Cell.ID, org="school"),
    ),
)
_LINE_ITEMS_1_1 = FileSpec(
    "lineItems",
    (
        *_LINE_ITEM_HEAD,
        required("gradingPeriodSourcedId", "grading_period_sourced_id", Cell.ID),
        required("resultValueMin", "result_value_min", Cell.NUMBER),
        required("resultValueMax", "result_value_max", Cell.NUMBER),
    ),
)
_RESULT_HEAD = (
    required("lineItemSourcedId", "line_item_sourced_id", Cell.ID),
    required("studentSourcedId", "student_sourced_id", Cell.ID),
    required("scoreStatus", "score_status", Cell.WORD, words=SCORE_STATUSES),
)
_RESULTS = FileSpec(
    "results",
    (
        *_RESULT_HEAD,
        optional("score", "score", Cell.NUMBER, personal=True),
        required("scoreDate", "score_date", Cell.DATE),
        Column("comment", personal=True),
        optional("textScore", "text_score", personal=True),
        # The class of a result is that of its line item; the cell is checked and not kept twice.
        Column("classSourcedId", Cell.ID),
        optional("inProgress", "in_progress", Cell.BOOLEAN),
        optional("incomplete", "incomplete", Cell.BOOLEAN),
        optional("late", "late", Cell.BOOLEAN),
        optional("missing", "missing", Cell.BOOLEAN),
    ),
    dropped=frozenset({"comment"}),
)
_RESULTS_1_1 = FileSpec(
    "results",
    (
        *_RESULT_HEAD,
        required("score", "score", Cell.NUMBER, personal=True),
        required("scoreDate", "score_date", Cell.DATE),
        Column("comment", personal=True),
    ),
    dropped=frozenset({"comment"}),
)
_RESOURCES = FileSpec(
    "resources",
    (
        required("vendorResourceId", "vendor_resource_id"),
        optional("title", "title"),
        optional("roles", "roles", Cell.TEXTS),
        optional("importance", "importance", Cell.WORD, words=IMPORTANCES, open_words=False),
        optional("vendorId", "vendor_id"),
        optional("applicationId", "application_id"),
    ),
)
_CLASS_RESOURCES = FileSpec(
    "classResources",
    (
        optional("title", "title"),
        required("classSourcedId", "class_sourced_id", Cell.ID),
        required("resourceSourcedId", "resource_sourced_id", Cell.ID),
    ),
)
_COURSE_RESOURCES = FileSpec(
    "courseResources",
    (
        optional("title", "title"),
        required("courseSourcedId", "course_sourced_id", Cell.ID),
        required("resourceSourcedId", "resource_sourced_id", Cell.ID),
    ),
)
_USER_RESOURCES = FileSpec(
    "userResources",
    (
        required("userSourcedId", "user_sourced_id", Cell.ID),
        optional("orgSourcedId", "school_sourced_id", Cell.ID, org="any"),
        optional("classSourcedId", "class_sourced_id", Cell.ID),
        required("resourceSourcedId", "resource_sourced_id", Cell.ID),
    ),
)
_LINE_ITEM_SCORE_SCALES = FileSpec(
    "lineItemScoreScales",
    (
        optional("title", "title"),
        required("lineItemSourcedId", "line_item_sourced_id", Cell.ID),
        required("scoreScaleSourcedId", "score_scale_sourced_id", Cell.ID),
    ),
)
_RESULT_SCORE_SCALES = FileSpec(
    "resultScoreScales",
    (
        optional("title", "title"),
        required("resultSourcedId", "result_sourced_id", Cell.ID),
        required("scoreScaleSourcedId", "score_scale_sourced_id", Cell.ID),
    ),
)
_LINE_ITEM_OBJECTIVES = FileSpec(
    "lineItemLearningObjectiveIds",
    (
        required("lineItemSourcedId", "line_item_sourced_id", Cell.ID),
        required("source", "source", Cell.WORD, words=OBJECTIVE_SOURCES),
        required("learningObjectiveId", "learning_objective_id"),
    ),
)
_RESULT_OBJECTIVES = FileSpec(
    "resultLearningObjectiveIds",
    (
        required("resultSourcedId", "result_sourced_id", Cell.ID),
        required("source", "source", Cell.WORD, words=OBJECTIVE_SOURCES),
        required("learningObjectiveId", "learning_objective_id"),
        optional("score", "score", Cell.NUMBER, personal=True),
        optional("textScore", "text_score", personal=True),
    ),
)
_OBJECTIVE = (
    required("source", "source", Cell.WORD, words=OBJECTIVE_SOURCES),
    required("learningObjectiveId", "learning_objective_id"),
)
# The objects of the assessment profile, for which the CSV binding has no file: columns as a file would have them.
ASSESSMENT_SPECS = (
    FileSpec(
        "assessmentLineItems",
        (
            required("title", "title"),
            optional("description", "description"),
            optional("classSourcedId", "class_sourced_id", Cell.ID),
            optional("parentAssessmentLineItemSourcedId", "parent_sourced_id", Cell.ID),
            optional("scoreScaleSourcedId", "score_scale_sourced_id", Cell.ID),
            optional("resultValueMin", "result_value_min", Cell.NUMBER),
            optional("resultValueMax", "result_value_max", Cell.NUMBER),
            optional("schoolSourcedId", "school_sourced_id", Cell.ID, org="school"),
        ),
    ),
    FileSpec(
        "assessmentResults",
        (
            required("assessmentLineItemSourcedId", "assessment_line_item_sourced_id", Cell.ID),
            required("studentSourcedId", "student_sourced_id", Cell.ID),
            required("scoreStatus", "score_status", Cell.WORD, words=SCORE_STATUSES),
            optional("score", "score", Cell.NUMBER, personal=True),
            optional("textScore", "text_score", personal=True),
            required("scoreDate", "score_date", Cell.DATE),
            optional("scorePercentile", "score_percentile", Cell.NUMBER, personal=True),
            optional("scoreScaleSourcedId", "score_scale_sourced_id", Cell.ID),
            optional("inProgress", "in_progress", Cell.BOOLEAN),
            optional("incomplete", "incomplete", Cell.BOOLEAN),
            optional("late", "late", Cell.BOOLEAN),
            optional("missing", "missing", Cell.BOOLEAN),
            Column("comment", personal=True),
            optional("schoolSourcedId", "school_sourced_id", Cell.ID, org="school"),
        ),
        dropped=frozenset({"comment"}),
    ),
    FileSpec(
        "assessmentLineItemLearningObjectiveIds",
        (required("assessmentLineItemSourcedId", "assessment_line_item_sourced_id", Cell.ID), *_OBJECTIVE),
    ),
    FileSpec(
        "assessmentResultLearningObjectiveIds",
        (
            required("assessmentResultSourcedId", "assessment_result_sourced_id", Cell.ID),
            *_OBJECTIVE,
            optional("score", "score", Cell.NUMBER, personal=True),
            optional("textScore", "text_score", personal=True),
        ),
    ),
)

FILES_1_1 = (
    _DEMOGRAPHICS,
    _CATEGORIES_1_1,
    _LINE_ITEMS_1_1,
    _RESULTS_1_1,
    _RESOURCES,
    _CLASS_RESOURCES,
    _COURSE_RESOURCES,
)
FILES_1_2 = (
    _DEMOGRAPHICS,
    _CATEGORIES,
    _SCORE_SCALES,
    _LINE_ITEMS,
    _RESULTS,
    _RESOURCES,
    _CLASS_RESOURCES,
    _COURSE_RESOURCES,
    _USER_RESOURCES,
    _LINE_ITEM_SCORE_SCALES,
    _RESULT_SCORE_SCALES,
    _LINE_ITEM_OBJECTIVES,
    _RESULT_OBJECTIVES,
)
