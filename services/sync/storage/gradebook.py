"""Gradebook and resources collections in SQL; statements and documents are made by `listing` and `documents`."""

# ruff: noqa: S608  # statements are assembled from constants of this module; values are always bound

from collections.abc import Mapping

from services.sync.storage.roster import Rows


def _linked(table: str, column: str) -> str:
    """The score scale an active link names."""
    return (
        f"(SELECT k.score_scale_sourced_id FROM {table} k WHERE k.{column} = x.sourced_id "
        "AND k.school_sourced_id = x.school_sourced_id AND k.status = 'active' ORDER BY k.sourced_id LIMIT 1) "
        "AS score_scale_sourced_id"
    )


def _objectives(table: str, column: str, name: str, entry: str) -> str:
    """The learning objectives of a record, one entry per source."""
    return (
        f"(SELECT json_agg(JSON_OBJECT('source' VALUE o.source, '{name}' VALUE o.entries) ORDER BY o.source) "
        f"FROM (SELECT k.source, json_agg({entry} ORDER BY k.sourced_id) AS entries FROM {table} k "
        f"WHERE k.{column} = x.sourced_id AND k.school_sourced_id = x.school_sourced_id AND k.status = 'active' "
        "GROUP BY k.source) o) AS learning_objective_set"
    )


def _shared(table: str) -> str:
    """One copy of a record several schools have."""
    return (
        f"SELECT DISTINCT ON (sourced_id) * FROM {table} "
        "ORDER BY sourced_id, (status = 'active') DESC, date_last_modified DESC, school_sourced_id"
    )


_OBJECTIVE_RESULT = (
    "JSON_OBJECT('learningObjectiveId' VALUE k.learning_objective_id, 'score' VALUE k.score, "
    "'textScore' VALUE k.text_score ABSENT ON NULL)"
)
_SOURCES: Mapping[str, str] = {
    "categories": _shared("category"),
    "resources": _shared("resource"),
    "lineItems": (
        f"SELECT x.*, {_linked('line_item_score_scale', 'line_item_sourced_id')}, "
        + _objectives("line_item_objective", "line_item_sourced_id", "learningObjectiveIds", "k.learning_objective_id")
        + " FROM line_item x"
    ),
    "results": (
        f"SELECT x.*, l.class_sourced_id, {_linked('result_score_scale', 'result_sourced_id')}, "
        + _objectives("result_objective", "result_sourced_id", "learningObjectiveResults", _OBJECTIVE_RESULT)
        + " FROM result x JOIN line_item l ON l.sourced_id = x.line_item_sourced_id "
        "AND l.school_sourced_id = x.school_sourced_id"
    ),
    "scoreScales": (
        "SELECT x.*, (SELECT json_agg(JSON_OBJECT('itemValueLHS' VALUE v.l, 'itemValueRHS' VALUE v.r) ORDER BY v.n) "
        "FROM unnest(x.item_values_lhs, x.item_values_rhs) WITH ORDINALITY v(l, r, n)) AS score_scale_value "
        "FROM score_scale x"
    ),
    "assessmentLineItems": (
        "SELECT x.*, "
        + _objectives(
            "assessment_item_objective",
            "assessment_line_item_sourced_id",
            "learningObjectiveIds",
            "k.learning_objective_id",
        )
        + f" FROM ({_shared('assessment_item')}) x"
    ),
    "assessmentResults": (
        "SELECT x.*, "
        + _objectives(
            "assessment_result_objective",
            "assessment_result_sourced_id",
            "learningObjectiveResults",
            _OBJECTIVE_RESULT,
        )
        + " FROM assessment_result x"
    ),
}


def _resource_of(table: str, column: str) -> str:
    return (
        f"r.sourced_id IN (SELECT k.resource_sourced_id FROM {table} k WHERE k.{column} = {{id}} "
        "AND k.status = 'active')"
    )


# (collection in the path, collection) -> condition over the row `r`; `{id}` is the id in the path.
_WITHIN: Mapping[tuple[str, str], str] = {
    ("classes", "categories"): (
        "r.sourced_id IN (SELECT l.category_sourced_id FROM line_item l WHERE l.class_sourced_id = {id} "
        "AND l.status = 'active')"
    ),
    ("classes", "lineItems"): "r.class_sourced_id = {id}",
    ("classes", "results"): "r.class_sourced_id = {id}",
    ("lineItems", "results"): "r.line_item_sourced_id = {id}",
    ("students", "results"): "r.student_sourced_id = {id}",
    ("classes", "scoreScales"): "r.class_sourced_id = {id}",
    ("schools", "scoreScales"): "r.school_sourced_id = {id}",
    ("classes", "resources"): _resource_of("class_resource", "class_sourced_id"),
    ("courses", "resources"): _resource_of("course_resource", "course_sourced_id"),
    ("users", "resources"): _resource_of("user_resource", "user_sourced_id"),
}
# What a parent in the path must be, to exist for the caller. Row-level security holds the rest.
_PARENTS: Mapping[str, str] = {
    "classes": "SELECT sourced_id FROM class",
    "courses": "SELECT sourced_id FROM course",
    "users": "SELECT sourced_id FROM person",
    "students": "SELECT user_sourced_id AS sourced_id FROM role WHERE role = 'student'",
    "lineItems": "SELECT sourced_id, class_sourced_id FROM line_item",
    "schools": (
        "SELECT sourced_id FROM org WHERE kind = 'school' AND (current_setting('app.everything', true) = 'on' "
        "OR sourced_id = ANY (CAST(NULLIF(current_setting('app.schools', true), '') AS text[])))"
    ),
}


def rows_of(collection: str, parents: tuple[str, ...] = ()) -> Rows:
    """The rows of a collection below the parents of the path; `{parents}` themselves are the names of the values."""
    conditions = (_WITHIN[parent, collection].replace("{id}", f"{{{parent}}}") for parent in parents)
    return Rows(_SOURCES[collection], tuple(conditions))


def parent_of(collection: str) -> Rows:
    """The rows a parent in the path must be among."""
    return Rows(f"SELECT p.*, 'active' AS status FROM ({_PARENTS[collection]}) p", ())
