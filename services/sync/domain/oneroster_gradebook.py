"""The OneRoster gradebook and resources services as data, beside `domain.oneroster`: objects, operations, scopes.

Sources: OneRoster 1.2 gradebook and resources REST/JSON bindings. A result's `comment` is never kept, hence never sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from services.sync.domain.oneroster import NOUN_OF, V1_2, Field, Shape, Version
from services.sync.domain.oneroster_assessment import ASSESSMENT_COLLECTIONS, ASSESSMENT_SCOPES, assessment_objects

GRADEBOOK_BASE = "/ims/oneroster/gradebook/v1p2"
RESOURCES_BASE = "/ims/oneroster/resources/v1p2"
_BASE = V1_2.objects["demographics"][:3]


def _reference(name: str, column: str, target: str, *, required: bool = False, base: str = V1_2.base) -> Field:
    return Field(name, column, Shape.REFERENCE, target, required=required, base=base)


_LEARNING_OBJECTIVES = Field("learningObjectiveSet", "learning_objective_set", Shape.JSON)
_SCORE_SCALE_REFERENCE = _reference("scoreScale", "score_scale_sourced_id", "scoreScale", base=GRADEBOOK_BASE)
_CATEGORY = (*_BASE, Field("title", "title", required=True), Field("weight", "weight", Shape.NUMBER))
_LINE_ITEM = (
    *_BASE,
    Field("title", "title", required=True),
    Field("description", "description"),
    Field("assignDate", "assign_date", Shape.INSTANT, required=True),
    Field("dueDate", "due_date", Shape.INSTANT, required=True),
    _reference("class", "class_sourced_id", "class", required=True),
    _reference("school", "school_sourced_id", "org", required=True),
    _reference("category", "category_sourced_id", "category", required=True, base=GRADEBOOK_BASE),
    _reference("gradingPeriod", "grading_period_sourced_id", "academicSession"),
    _reference("academicSession", "academic_session_sourced_id", "academicSession"),
    _SCORE_SCALE_REFERENCE,
    Field("resultValueMin", "result_value_min", Shape.NUMBER),
    Field("resultValueMax", "result_value_max", Shape.NUMBER),
    _LEARNING_OBJECTIVES,
)
_RESULT = (
    *_BASE,
    _reference("lineItem", "line_item_sourced_id", "lineItem", required=True, base=GRADEBOOK_BASE),
    _reference("student", "student_sourced_id", "user", required=True),
    _reference("class", "class_sourced_id", "class"),
    _SCORE_SCALE_REFERENCE,
    Field("scoreStatus", "score_status", required=True),
    Field("score", "score", Shape.NUMBER),
    Field("textScore", "text_score"),
    Field("scoreDate", "score_date", Shape.DATE, required=True),
    _LEARNING_OBJECTIVES,
    Field("inProgress", "in_progress", Shape.BOOLEAN),
    Field("incomplete", "incomplete", Shape.BOOLEAN),
    Field("late", "late", Shape.BOOLEAN),
    Field("missing", "missing", Shape.BOOLEAN),
)
_SCORE_SCALE = (
    *_BASE,
    Field("title", "title", required=True),
    Field("type", "type", required=True),
    _reference("course", "course_sourced_id", "course"),
    _reference("class", "class_sourced_id", "class", required=True),
    Field("scoreScaleValue", "score_scale_value", Shape.JSON, required=True),
)
_RESOURCE = (
    *_BASE,
    Field("title", "title"),
    Field("roles", "roles", Shape.TEXTS),
    Field("importance", "importance"),
    Field("vendorResourceId", "vendor_resource_id", required=True),
    Field("vendorId", "vendor_id"),
    Field("applicationId", "application_id"),
)

GRADEBOOK = Version(
    "1.2",
    GRADEBOOK_BASE,
    {
        "category": _CATEGORY,
        "lineItem": _LINE_ITEM,
        "result": _RESULT,
        "scoreScale": _SCORE_SCALE,
        **assessment_objects(GRADEBOOK_BASE),
    },
    V1_2.scope_prefixes,
)
RESOURCES = Version("1.2", RESOURCES_BASE, {"resource": _RESOURCE}, V1_2.scope_prefixes)


@dataclass(frozen=True, slots=True)
class Listed:
    """A list, below others: `parents` are (collection in the path, name of the path parameter).

    `name` and `single_name` are the standard's names of the operations; only a list without parents has the second.
    """

    version: Version
    collection: str
    scopes: tuple[str, ...]
    parents: tuple[tuple[str, str], ...] = ()

    @property
    def path(self) -> str:
        return "".join(f"/{parent}/{{{name}}}" for parent, name in self.parents) + f"/{self.collection}"

    @property
    def name(self) -> str:
        if not self.parents:
            return f"getAll{_title(self.collection)}"
        nearest_first = (name.removesuffix("SourcedId") for _, name in reversed(self.parents))
        return f"get{_title(self.collection)}" + "".join(f"For{_title(name)}" for name in nearest_first)

    @property
    def single_path(self) -> str:
        return f"/{self.collection}/{{sourcedId}}"

    @property
    def single_name(self) -> str:
        return f"get{_title(NOUN_OF[self.collection])}"


def _title(name: str) -> str:
    return name[0].upper() + name[1:]


_GRADEBOOK_CORE = ("gradebook.readonly", "gradebook-core.readonly")
_GRADEBOOK_FULL = ("gradebook.readonly",)
_RESOURCES_CORE = ("resource.readonly", "resource-core.readonly")
_RESOURCES_FULL = ("resource.readonly",)
_CLASS = ("classes", "classSourcedId")
_WITHIN: Mapping[str, tuple[tuple[tuple[str, str], ...], ...]] = {
    "categories": ((_CLASS,),),
    "lineItems": ((_CLASS,),),
    "results": (
        (_CLASS,),
        (_CLASS, ("lineItems", "lineItemSourcedId")),
        (_CLASS, ("students", "studentSourcedId")),
    ),
    "scoreScales": ((_CLASS,), (("schools", "schoolSourcedId"),)),
}
LISTS: tuple[Listed, ...] = (
    *(Listed(GRADEBOOK, collection, _GRADEBOOK_CORE) for collection in _WITHIN),
    *(
        Listed(GRADEBOOK, collection, _GRADEBOOK_FULL, parents)
        for collection, places in _WITHIN.items()
        for parents in places
    ),
    *(Listed(GRADEBOOK, collection, ASSESSMENT_SCOPES) for collection in ASSESSMENT_COLLECTIONS),
    Listed(RESOURCES, "resources", _RESOURCES_CORE),
    Listed(RESOURCES, "resources", _RESOURCES_FULL, (_CLASS,)),
    Listed(RESOURCES, "resources", _RESOURCES_FULL, (("courses", "courseSourcedId"),)),
    Listed(RESOURCES, "resources", _RESOURCES_FULL, (("users", "userSourcedId"),)),
)
