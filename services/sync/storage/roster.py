"""OneRoster collections in SQL: which rows each list holds, and which fields may be filtered and sorted.

A record that several schools own (a session, a course, a person) appears once: its newest active copy in scope.
Parts of statements that hold a value name it: `{today}`, `{school}`, `{class_}`, `{parent}` (see `storage.listing`).
"""

# ruff: noqa: S608  # statements are assembled from constants of this module; values are always bound

from collections.abc import Mapping
from dataclasses import dataclass

from services.sync.domain.oneroster import NOUN_OF, Field, Shape, Version
from services.sync.domain.records import (
    ACADEMIC_SESSION,
    CLASS,
    COURSE,
    DEMOGRAPHICS,
    ENROLLMENT,
    USER,
)

# An office that no longer exists today is `tobedeleted`; a school is shown to whom it was granted.
_ORGS = (
    "SELECT o.sourced_id, o.kind, o.name, COALESCE(o.identifier, o.sourced_id) AS identifier, o.date_last_modified, "
    "CASE o.kind WHEN 'district_office' THEN 'district' WHEN 'commune' THEN 'local' WHEN 'cluster' THEN 'ext:cluster' "
    "ELSE o.kind END AS type, "
    "CASE WHEN (o.valid_from IS NULL OR o.valid_from <= {today}) AND (o.valid_to IS NULL OR {today} <= o.valid_to) "
    "THEN 'active' ELSE 'tobedeleted' END AS status, "
    "(SELECT e.parent_sourced_id FROM org_parent e JOIN org p ON p.sourced_id = e.parent_sourced_id "
    "WHERE e.sourced_id = o.sourced_id AND p.kind <> 'cluster' AND (e.valid_from IS NULL OR e.valid_from <= {today}) "
    "AND (e.valid_to IS NULL OR {today} <= e.valid_to) LIMIT 1) AS parent_sourced_id FROM org o "
    "WHERE o.kind <> 'school' OR current_setting('app.everything', true) = 'on' "
    "OR o.sourced_id = ANY (CAST(NULLIF(current_setting('app.schools', true), '') AS text[]))"
)
_TABLES = {
    "academicSession": ACADEMIC_SESSION.table,
    "course": COURSE.table,
    "class": CLASS.table,
    "user": USER.table,
    "enrollment": ENROLLMENT.table,
    "demographics": DEMOGRAPHICS.table,
}

_ACTIVE_ROLE = "SELECT 1 FROM role x WHERE x.user_sourced_id = r.sourced_id AND x.status = 'active'"
_CONDITIONS: Mapping[str, str] = {
    "schools": "r.kind = 'school'",
    # A Vietnamese school year has semesters where others have terms: both are what a class refers to as its terms.
    "terms": "r.type IN ('term', 'semester')",
    "gradingPeriods": "r.type = 'gradingPeriod'",
    "students": f"EXISTS ({_ACTIVE_ROLE} AND x.role = 'student')",
    "teachers": f"EXISTS ({_ACTIVE_ROLE} AND x.role = 'teacher')",
}
_CONDITIONS_IN_SCHOOL: Mapping[str, str] = {
    "students": f"EXISTS ({_ACTIVE_ROLE} AND x.role = 'student' AND x.school_sourced_id = {{school}})",
    "teachers": f"EXISTS ({_ACTIVE_ROLE} AND x.role = 'teacher' AND x.school_sourced_id = {{school}})",
}


def _takes_class(role: str) -> str:
    return (
        "EXISTS (SELECT 1 FROM enrollment e WHERE e.class_sourced_id = r.sourced_id "
        "AND e.school_sourced_id = r.school_sourced_id AND e.user_sourced_id = {parent} "
        f"AND e.status = 'active'{role})"
    )


def _is_in_class(role: str) -> str:
    return (
        "EXISTS (SELECT 1 FROM enrollment e WHERE e.user_sourced_id = r.sourced_id "
        f"AND e.class_sourced_id = {{class_}} AND e.status = 'active' AND e.role = '{role}')"
    )


# (the collection before it in the path, collection) -> condition
_WITHIN: Mapping[tuple[str, str], str] = {
    ("terms", "gradingPeriods"): "r.parent_sourced_id = {parent}",
    ("terms", "classes"): "{parent} = ANY (r.term_sourced_ids)",
    ("courses", "classes"): "r.course_sourced_id = {parent}",
    ("users", "classes"): _takes_class(""),
    ("students", "classes"): _takes_class(" AND e.role = 'student'"),
    ("teachers", "classes"): _takes_class(" AND e.role = 'teacher'"),
    ("classes", "students"): _is_in_class("student"),
    ("classes", "teachers"): _is_in_class("teacher"),
    ("classes", "enrollments"): "r.class_sourced_id = {class_}",
}


@dataclass(frozen=True, slots=True)
class Rows:
    """`source` is a subquery of one row per record in scope, called `r` in `conditions`."""

    source: str
    conditions: tuple[str, ...]


def rows_of(collection: str, parents: tuple[str, ...] = ()) -> Rows:
    """The rows of a collection, or of that part of it that the parents in the path leave."""
    noun, is_in_school = NOUN_OF[collection], parents[:1] == ("schools",)
    conditions = []
    # Who is in a class is said by the enrollment, whatever roles the person has elsewhere.
    if parents[-1:] != ("classes",):
        kinds = {**_CONDITIONS, **_CONDITIONS_IN_SCHOOL} if is_in_school else _CONDITIONS
        conditions += [kinds[collection]] if collection in kinds else []
    if parents and (parents[-1], collection) in _WITHIN:
        conditions.append(_WITHIN[parents[-1], collection])
    own = f"SELECT * FROM {_TABLES[noun]} WHERE school_sourced_id = {{school}}" if is_in_school else _source(noun)
    return Rows(own, tuple(conditions))


def _source(noun: str) -> str:
    if noun == "org":
        return _ORGS
    return (
        f"SELECT DISTINCT ON (sourced_id) * FROM {_TABLES[noun]} "
        "ORDER BY sourced_id, (status = 'active') DESC, date_last_modified DESC, school_sourced_id"
    )


@dataclass(frozen=True, slots=True)
class Term:
    """What a filter or `sort` may name: its SQL and its type (`text`, `date`, `instant`, `boolean`, `list`)."""

    sql: str
    type: str


_TYPES = {
    Shape.TEXT: "text",
    Shape.DATE: "date",
    Shape.INSTANT: "instant",
    Shape.BOOLEAN: "boolean",
    Shape.TEXTS: "list",
    Shape.NUMBER: "number",
}


def _of_roles(column: str) -> Term:
    return Term(
        f"ARRAY(SELECT x.{column} FROM role x WHERE x.user_sourced_id = r.sourced_id AND x.status = 'active')", "list"
    )


_ROLE = _of_roles("role")
_ROLE_ORG = _of_roles("school_sourced_id")
_USER_ID = "ARRAY(SELECT substr(i, strpos(i, ':') + 1) FROM unnest(r.user_ids) i)"
_USER_TERMS: Mapping[str, Term] = {
    "role": _ROLE,
    "roles.role": _ROLE,
    "roles.org.sourcedId": _ROLE_ORG,
    "orgs.sourcedId": _ROLE_ORG,
    "userIds.identifier": Term(_USER_ID, "list"),
}


def terms_of(version: Version, collection: str) -> Mapping[str, Term]:
    """Every field a filter or `sort` of the collection may name."""
    noun = NOUN_OF[collection]
    found = dict(_USER_TERMS) if noun == "user" else {}
    for field in version.objects[noun]:
        if field.shape in _TYPES:
            found[field.name] = Term(column_of(field), _TYPES[field.shape])
        elif field.shape is Shape.REFERENCE:
            found[f"{field.name}.sourcedId"] = Term(column_of(field), "text")
        elif field.shape is Shape.REFERENCES:
            found[f"{field.name}.sourcedId"] = Term(column_of(field), "list")
    return found


def column_of(field: Field) -> str:
    """The field's value in SQL."""
    value = f"COALESCE(r.{field.column}, r.{field.otherwise})" if field.otherwise else f"r.{field.column}"
    if field.renamed:
        cases = " ".join(f"WHEN '{old}' THEN '{new}'" for old, new in field.renamed)
        return f"(CASE {value} {cases} ELSE {value} END)"
    return value
