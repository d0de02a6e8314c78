"""The 41 reading operations of the OneRoster rostering service and the scopes that open them (bindings 1.2, 1.1)."""

from dataclasses import dataclass

CORE = ("roster-core.readonly", "roster.readonly")
FULL = ("roster.readonly",)
DEMOGRAPHICS = ("roster-demographics.readonly",)

_SINGULAR = {
    "academicSessions": "academicSession",
    "terms": "term",
    "gradingPeriods": "gradingPeriod",
    "orgs": "org",
    "schools": "school",
    "courses": "course",
    "classes": "class",
    "users": "user",
    "students": "student",
    "teachers": "teacher",
    "enrollments": "enrollment",
    "demographics": "demographics",
}
_WITHIN = (
    ("terms", "gradingPeriods"),
    ("schools", "terms"),
    ("schools", "courses"),
    ("schools", "classes"),
    ("schools", "students"),
    ("schools", "teachers"),
    ("schools", "enrollments"),
    ("courses", "classes"),
    ("terms", "classes"),
    ("students", "classes"),
    ("teachers", "classes"),
    ("users", "classes"),
    ("classes", "students"),
    ("classes", "teachers"),
)
_WITHIN_CLASS_OF_SCHOOL = ("students", "teachers", "enrollments")


@dataclass(frozen=True, slots=True)
class Operation:
    """A list of `collection`, or one record of it; `parents` are the collections named in the path before it."""

    name: str
    collection: str
    scopes: tuple[str, ...]
    is_single: bool = False
    parents: tuple[str, ...] = ()

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the path parameters, in order."""
        if self.is_single:
            return ("sourcedId",)
        return tuple(f"{_SINGULAR[parent]}SourcedId" for parent in self.parents)

    @property
    def path(self) -> str:
        if self.is_single:
            return f"/{self.collection}/{{sourcedId}}"
        above = "".join(f"/{parent}/{{{name}}}" for parent, name in zip(self.parents, self.parameters, strict=True))
        return f"{above}/{self.collection}"

    @property
    def summary(self) -> str:
        if self.is_single:
            return f"One record of {self.collection}"
        above = " of a class of a school" if len(self.parents) > 1 else "".join(f" of one of {p}" for p in self.parents)
        return f"A page of {self.collection}{above}"

    @property
    def description(self) -> str:
        if self.is_single:
            return "One record, also when it has ended."
        return "Active records; ended ones too where the filter names `status` or `dateLastModified`."


def _title(name: str) -> str:
    return name[0].upper() + name[1:]


def _operations() -> tuple[Operation, ...]:
    found = []
    for collection, singular in _SINGULAR.items():
        scopes = DEMOGRAPHICS if collection == "demographics" else CORE
        found.append(Operation(f"getAll{_title(collection)}", collection, scopes))
        found.append(Operation(f"get{_title(singular)}", collection, scopes, is_single=True))
    for parent, collection in _WITHIN:
        name = f"get{_title(collection)}For{_title(_SINGULAR[parent])}"
        found.append(Operation(name, collection, FULL, parents=(parent,)))
    for collection in _WITHIN_CLASS_OF_SCHOOL:
        name = f"get{_title(collection)}ForClassInSchool"
        found.append(Operation(name, collection, FULL, parents=("schools", "classes")))
    return tuple(found)


OPERATIONS = _operations()
