"""The 21 data files of a OneRoster package: which are kept, in which order they are read, and their columns.

Sources: OneRoster 1.2 CSV binding 1.2.1; OneRoster 1.1 CSV tables.
"""

from collections.abc import Mapping
from typing import Literal

from services.sync.domain.columns import (
    CLASS_TYPES,
    ENROLLMENT_ROLES,
    ENROLLMENT_ROLES_OF_1_1,
    ORG_TYPES,
    ROLE_TYPES,
    SESSION_TYPES,
    USER_ROLES,
    USER_ROLES_OF_1_1,
    Cell,
    Column,
    FileSpec,
    optional,
    required,
)
from services.sync.domain.gradebook_files import FILES_1_1, FILES_1_2

OneRosterVersion = Literal["1.1", "1.2"]
Mode = Literal["absent", "bulk", "delta"]


_SESSIONS = FileSpec(
    "academicSessions",
    (
        required("title", "title"),
        required("type", "type", Cell.WORD, words=SESSION_TYPES),
        required("startDate", "start_date", Cell.DATE),
        required("endDate", "end_date", Cell.DATE),
        optional("parentSourcedId", "parent_sourced_id", Cell.ID),
        required("schoolYear", "school_year", Cell.YEAR),
    ),
)
_ORGS = FileSpec(
    "orgs",
    (
        required("name", "name"),
        required("type", "type", Cell.WORD, words=ORG_TYPES),
        optional("identifier", "identifier"),
        optional("parentSourcedId", "parent_sourced_id", Cell.ID, org="any"),
    ),
)
_COURSES = FileSpec(
    "courses",
    (
        optional("schoolYearSourcedId", "school_year_sourced_id", Cell.ID),
        required("title", "title"),
        optional("courseCode", "course_code"),
        optional("grades", "grades", Cell.TEXTS),
        required("orgSourcedId", "org_sourced_id", Cell.ID, org="any"),
        optional("subjects", "subjects", Cell.TEXTS),
        optional("subjectCodes", "subject_codes", Cell.TEXTS),
    ),
)
_CLASSES = FileSpec(
    "classes",
    (
        required("title", "title"),
        optional("grades", "grades", Cell.TEXTS),
        required("courseSourcedId", "course_sourced_id", Cell.ID),
        optional("classCode", "class_code"),
        required("classType", "class_type", Cell.WORD, words=CLASS_TYPES),
        optional("location", "location"),
        required("schoolSourcedId", "school_sourced_id", Cell.ID, org="school"),
        required("termSourcedIds", "term_sourced_ids", Cell.IDS),
        optional("subjects", "subjects", Cell.TEXTS),
        optional("subjectCodes", "subject_codes", Cell.TEXTS),
        optional("periods", "periods", Cell.TEXTS),
    ),
)
_PERSON = (
    required("username", "username", personal=True),
    optional("userIds", "user_ids", Cell.USER_IDS, personal=True),
    required("givenName", "given_name", personal=True),
    required("familyName", "family_name", personal=True),
    optional("middleName", "middle_name", personal=True),
    optional("identifier", "identifier", personal=True),
    optional("email", "email", personal=True),
    Column("sms", personal=True),
    Column("phone", personal=True),
    Column("agentSourcedIds", personal=True),
    optional("grades", "grades", Cell.TEXTS),
    Column("password", personal=True),
)
_NEVER_KEPT = frozenset({"sms", "phone", "agentSourcedIds", "password"})
_USERS = FileSpec(
    "users",
    (
        required("enabledUser", "enabled_user", Cell.BOOLEAN),
        *_PERSON,
        optional("userMasterIdentifier", "user_master_identifier", personal=True),
        optional("preferredGivenName", "preferred_given_name", personal=True),
        optional("preferredMiddleName", "preferred_middle_name", personal=True),
        optional("preferredFamilyName", "preferred_family_name", personal=True),
        optional("primaryOrgSourcedId", "primary_org_sourced_id", Cell.ID, org="any"),
        Column("pronouns", personal=True),
    ),
    dropped=_NEVER_KEPT | {"pronouns", "resourceSourcedIds"},
    floating=frozenset({"resourceSourcedIds"}),
)
_USERS_1_1 = FileSpec(
    "users",
    (
        required("enabledUser", "enabled_user", Cell.BOOLEAN),
        required("orgSourcedIds", "org_sourced_ids", Cell.IDS, org="school"),
        required("role", "role", Cell.WORD, words=USER_ROLES_OF_1_1, open_words=False),
        *_PERSON,
    ),
    dropped=_NEVER_KEPT,
)
_ROLES = FileSpec(
    "roles",
    (
        required("userSourcedId", "user_sourced_id", Cell.ID),
        required("roleType", "role_type", Cell.WORD, words=ROLE_TYPES, open_words=False),
        required("role", "role", Cell.WORD, words=USER_ROLES),
        optional("beginDate", "begin_date", Cell.DATE),
        optional("endDate", "end_date", Cell.DATE),
        required("orgSourcedId", "school_sourced_id", Cell.ID, org="school"),
        Column("userProfileSourcedId"),
    ),
    dropped=frozenset({"userProfileSourcedId"}),
)


def _enrollments(roles: tuple[str, ...]) -> FileSpec:
    return FileSpec(
        "enrollments",
        (
            required("classSourcedId", "class_sourced_id", Cell.ID),
            required("schoolSourcedId", "school_sourced_id", Cell.ID, org="school"),
            required("userSourcedId", "user_sourced_id", Cell.ID),
            required("role", "role", Cell.WORD, words=roles),
            optional("primary", "is_primary", Cell.BOOLEAN),
            optional("beginDate", "begin_date", Cell.DATE),
            optional("endDate", "end_date", Cell.DATE),
        ),
    )


# Read in this order: what others refer to comes first.
KEPT_FILES: Mapping[OneRosterVersion, tuple[FileSpec, ...]] = {
    "1.1": (_ORGS, _SESSIONS, _COURSES, _CLASSES, _USERS_1_1, _enrollments(ENROLLMENT_ROLES_OF_1_1), *FILES_1_1),
    "1.2": (_ORGS, _SESSIONS, _COURSES, _CLASSES, _USERS, _ROLES, _enrollments(ENROLLMENT_ROLES), *FILES_1_2),
}

# Accounts and passwords of other systems: the file is left at the door as a whole and the drop is reported.
_NOT_KEPT: Mapping[OneRosterVersion, tuple[str, ...]] = {"1.1": (), "1.2": ("userProfiles",)}


def files_of(version: OneRosterVersion) -> dict[str, FileSpec]:
    """Every data file of a version by name without `.csv`: 13 in 1.1, 21 in 1.2."""
    not_kept = {name: FileSpec(name) for name in _NOT_KEPT[version]}
    return {spec.name: spec for spec in KEPT_FILES[version]} | not_kept


def kept_names(version: OneRosterVersion) -> frozenset[str]:
    return frozenset(spec.name for spec in KEPT_FILES[version])
