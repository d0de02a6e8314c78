"""The six kinds of roster records a school owns, as data: table, columns compared and written, names in the API."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RecordType:
    """`file` is the OneRoster collection; `columns` are what a change is made of (all but the key and the status).

    `per_package`: the CSV row names no school of its own, so the record is copied to each school it concerns.
    """

    file: str
    table: str
    columns: tuple[str, ...]
    per_package: bool = False

    @property
    def staging(self) -> str:
        return f"staged_{self.table}"

    @property
    def history(self) -> str:
        return f"{self.table}_history"


ACADEMIC_SESSION = RecordType(
    "academicSessions",
    "academic_session",
    ("title", "type", "start_date", "end_date", "parent_sourced_id", "school_year"),
    per_package=True,
)
COURSE = RecordType(
    "courses",
    "course",
    ("title", "course_code", "school_year_sourced_id", "grades", "subjects", "subject_codes", "org_sourced_id"),
    per_package=True,
)
CLASS = RecordType(
    "classes",
    "class",
    (
        "title",
        "class_code",
        "class_type",
        "location",
        "grades",
        "subjects",
        "subject_codes",
        "periods",
        "course_sourced_id",
        "term_sourced_ids",
    ),
)
USER = RecordType(
    "users",
    "person",
    (
        "enabled_user",
        "username",
        "user_ids",
        "given_name",
        "family_name",
        "middle_name",
        "identifier",
        "email",
        "grades",
        "user_master_identifier",
        "preferred_given_name",
        "preferred_middle_name",
        "preferred_family_name",
        "primary_org_sourced_id",
    ),
    per_package=True,
)
ROLE = RecordType("roles", "role", ("user_sourced_id", "role_type", "role", "begin_date", "end_date"))
ENROLLMENT = RecordType(
    "enrollments",
    "enrollment",
    ("class_sourced_id", "user_sourced_id", "role", "is_primary", "begin_date", "end_date"),
)

# Parents before children: the order of writing. Ending goes the other way round.
RECORD_TYPES = (ACADEMIC_SESSION, COURSE, CLASS, USER, ROLE, ENROLLMENT)
# The sourcedId is that of the user. Birth date and sex only: the minimal-data rule forbids the rest.
DEMOGRAPHICS = RecordType("demographics", "demographics", ("birth_date", "sex"), per_package=True)
BY_FILE: Mapping[str, RecordType] = {record.file: record for record in (*RECORD_TYPES, DEMOGRAPHICS)}


def camel(name: str) -> str:
    """A column's name as the API writes it: `is_primary` is `primary`, the rest is plain camelCase."""
    if name == "is_primary":
        return "primary"
    head, *tail = name.split("_")
    return head + "".join(word.title() for word in tail)
