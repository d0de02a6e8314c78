"""The assessment profile of the OneRoster 1.2 gradebook service as data: its objects, and where they are listed.

No file of the CSV binding carries an assessment line item or an assessment result: they come by PUT or as lines of
JSON. A result's `comment` is never kept, hence never sent.
"""

from services.sync.domain.oneroster import V1_2, Field, Shape

_BASE = V1_2.objects["demographics"][:3]
ASSESSMENT_SCOPES = ("assessment.readonly",)
ASSESSMENT_COLLECTIONS = ("assessmentLineItems", "assessmentResults")


def _reference(name: str, column: str, target: str, base: str, *, required: bool = False) -> Field:
    return Field(name, column, Shape.REFERENCE, target, required=required, base=base)


def assessment_objects(gradebook_base: str) -> dict[str, tuple[Field, ...]]:
    """The fields of both objects by noun; `gradebook_base` is the path of the service that holds them."""
    learning_objectives = Field("learningObjectiveSet", "learning_objective_set", Shape.JSON)
    score_scale = _reference("scoreScale", "score_scale_sourced_id", "scoreScale", gradebook_base)
    line_item = (
        *_BASE,
        Field("title", "title", required=True),
        Field("description", "description"),
        _reference("class", "class_sourced_id", "class", V1_2.base),
        _reference("parentAssessmentLineItem", "parent_sourced_id", "assessmentLineItem", gradebook_base),
        score_scale,
        Field("resultValueMin", "result_value_min", Shape.NUMBER),
        Field("resultValueMax", "result_value_max", Shape.NUMBER),
        learning_objectives,
    )
    result = (
        *_BASE,
        _reference(
            "assessmentLineItem", "assessment_line_item_sourced_id", "assessmentLineItem", gradebook_base, required=True
        ),
        _reference("student", "student_sourced_id", "user", V1_2.base, required=True),
        Field("score", "score", Shape.NUMBER),
        Field("textScore", "text_score"),
        Field("scoreDate", "score_date", Shape.DATE, required=True),
        score_scale,
        Field("scorePercentile", "score_percentile", Shape.NUMBER),
        Field("scoreStatus", "score_status", required=True),
        learning_objectives,
        Field("inProgress", "in_progress", Shape.BOOLEAN),
        Field("incomplete", "incomplete", Shape.BOOLEAN),
        Field("late", "late", Shape.BOOLEAN),
        Field("missing", "missing", Shape.BOOLEAN),
    )
    return {"assessmentLineItem": line_item, "assessmentResult": result}
