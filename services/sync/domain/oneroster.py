"""The OneRoster rostering objects as data: every field we send, where it comes from, how it is written, in 1.1 and 1.2.

Documents, filters, sort fields, `fields` and the OpenAPI documents are all made from these tables. Objects are closed:
what is not named here is never sent (minimal data: no phone, no agents, no password).
Sources: OneRoster 1.2 REST/JSON binding; OneRoster 1.1, section 4.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum


class Shape(StrEnum):
    """How a value is written. REFERENCE(S) are `{href, sourcedId, type}`; BOOLEAN is the string `true` or `false`."""

    TEXT = "text"
    DATE = "date"
    INSTANT = "instant"
    BOOLEAN = "boolean"
    TEXTS = "texts"
    REFERENCE = "reference"
    REFERENCES = "references"
    USER_IDS = "userIds"
    ROLES = "roles"
    ROLE_OF_1_1 = "roleOf11"
    ORGS_OF_1_1 = "orgsOf11"
    NUMBER = "number"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Field:
    """`column` of the record's table; `otherwise` stands in where it is empty; `target` is the noun referred to.

    `required` by the standard, hence always written. `renamed` are words 1.1 knows by another name.
    """

    name: str
    column: str = ""
    shape: Shape = Shape.TEXT
    target: str = ""
    required: bool = False
    otherwise: str = ""
    renamed: tuple[tuple[str, str], ...] = ()
    base: str = ""  # of the service the link leads to, where that is another one


def _text(name: str, column: str, *, required: bool = False) -> Field:
    return Field(name, column, required=required)


def _date(name: str, column: str, *, required: bool = False) -> Field:
    return Field(name, column, Shape.DATE, required=required)


def _reference(name: str, column: str, target: str, *, required: bool = False) -> Field:
    return Field(name, column, Shape.REFERENCE, target, required=required)


_BASE = (
    _text("sourcedId", "sourced_id", required=True),
    _text("status", "status", required=True),
    Field("dateLastModified", "date_last_modified", Shape.INSTANT, required=True),
)
_ORG = (
    *_BASE,
    _text("name", "name", required=True),
    Field("type", "type", required=True, renamed=(("ext:cluster", "local"),)),
    _text("identifier", "identifier", required=True),
    _reference("parent", "parent_sourced_id", "org"),
)
_SESSION = (
    *_BASE,
    _text("title", "title", required=True),
    _date("startDate", "start_date", required=True),
    _date("endDate", "end_date", required=True),
    _text("type", "type", required=True),
    _reference("parent", "parent_sourced_id", "academicSession"),
    _text("schoolYear", "school_year", required=True),
)
_GRADES = Field("grades", "grades", Shape.TEXTS)
_SUBJECTS = (Field("subjects", "subjects", Shape.TEXTS), Field("subjectCodes", "subject_codes", Shape.TEXTS))
_COURSE = (
    *_BASE,
    _text("title", "title", required=True),
    _reference("schoolYear", "school_year_sourced_id", "academicSession"),
    # Required by the standard, optional in the CSV binding: the record's own id is the only honest stand-in.
    Field("courseCode", "course_code", required=True, otherwise="sourced_id"),
    _GRADES,
    *_SUBJECTS,
    Field("org", "org_sourced_id", Shape.REFERENCE, "org", required=True, otherwise="school_sourced_id"),
)
_CLASS = (
    *_BASE,
    _text("title", "title", required=True),
    _text("classCode", "class_code"),
    _text("classType", "class_type"),
    _text("location", "location"),
    _GRADES,
    *_SUBJECTS,
    _reference("course", "course_sourced_id", "course", required=True),
    _reference("school", "school_sourced_id", "org", required=True),
    Field("terms", "term_sourced_ids", Shape.REFERENCES, "academicSession", required=True),
    Field("periods", "periods", Shape.TEXTS),
)
_NAMES = (
    Field("enabledUser", "enabled_user", Shape.BOOLEAN, required=True),
    _text("givenName", "given_name", required=True),
    _text("familyName", "family_name", required=True),
    _text("middleName", "middle_name"),
)
_ACCOUNT = (_text("username", "username"), Field("userIds", "user_ids", Shape.USER_IDS))
_CONTACT = (_text("identifier", "identifier"), _text("email", "email"), _GRADES)
_USER = (
    *_BASE,
    _text("userMasterIdentifier", "user_master_identifier"),
    *_ACCOUNT,
    *_NAMES,
    _text("preferredFirstName", "preferred_given_name"),
    _text("preferredMiddleName", "preferred_middle_name"),
    _text("preferredLastName", "preferred_family_name"),
    Field("roles", shape=Shape.ROLES, required=True),
    _reference("primaryOrg", "primary_org_sourced_id", "org"),
    *_CONTACT,
)
# 1.1 has one role and the orgs of a user instead of the list of roles, and neither pronouns nor preferred names.
_USER_OF_1_1 = (
    *_BASE,
    *_ACCOUNT,
    *_NAMES,
    Field("role", shape=Shape.ROLE_OF_1_1, required=True),
    Field("orgs", shape=Shape.ORGS_OF_1_1, target="org", required=True),
    *_CONTACT,
)
_ENROLLMENT = (
    *_BASE,
    _reference("user", "user_sourced_id", "user", required=True),
    _reference("class", "class_sourced_id", "class", required=True),
    _reference("school", "school_sourced_id", "org", required=True),
    Field("role", "role", required=True, renamed=(("ext:aide", "aide"),)),
    Field("primary", "is_primary", Shape.BOOLEAN),
    _date("beginDate", "begin_date"),
    _date("endDate", "end_date"),
)
_DEMOGRAPHICS = (*_BASE, _date("birthDate", "birth_date"), _text("sex", "sex"))

# A user's role in 1.1, by the role in 1.2; what is named in neither list is `aide`: staff without authority.
ROLES_OF_1_1: Mapping[str, str] = {
    "student": "student",
    "teacher": "teacher",
    "proctor": "proctor",
    "principal": "administrator",
    "siteAdministrator": "administrator",
    "districtAdministrator": "administrator",
    "systemAdministrator": "administrator",
}

# Fields of the standard that are never sent: personal data we do not keep, and what is read elsewhere. Asking for one
# is no mistake of the caller.
_NEVER_SENT: Mapping[str, frozenset[str]] = {
    "org": frozenset({"children"}),
    "academicSession": frozenset({"children"}),
    "course": frozenset({"resources"}),
    "class": frozenset({"resources"}),
    "user": frozenset({"pronouns", "userProfiles", "sms", "phone", "agents", "password", "resources"}),
    "demographics": frozenset(
        {
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
        }
    ),
    "result": frozenset({"comment"}),
    "assessmentResult": frozenset({"comment"}),
}

_SCOPE_1_2 = "https://purl.imsglobal.org/spec/or/v1p2/scope/"
_SCOPE_1_1 = "https://purl.imsglobal.org/spec/or/v1p1/scope/"


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the standard: its base path, its objects by noun, and the prefixes of scopes it takes.

    `lenient`: a bad `sort` or `fields` is answered with a warning (1.1) and not with an error (1.2).
    """

    name: str
    base: str
    objects: Mapping[str, tuple[Field, ...]]
    scope_prefixes: tuple[str, ...]
    lenient: bool = False

    def scopes(self, *names: str) -> tuple[str, ...]:
        return tuple(prefix + name for prefix in self.scope_prefixes for name in names)

    def selectable(self, noun: str) -> frozenset[str]:
        """Every field of the standard that `fields` may name, also those never sent."""
        sent = frozenset(field.name for field in self.objects[noun])
        return sent | _NEVER_SENT.get(noun, frozenset()) | {"metadata"}


_OBJECTS: Mapping[str, tuple[Field, ...]] = {
    "org": _ORG,
    "academicSession": _SESSION,
    "course": _COURSE,
    "class": _CLASS,
    "user": _USER,
    "enrollment": _ENROLLMENT,
    "demographics": _DEMOGRAPHICS,
}
V1_2 = Version(
    "1.2",
    "/ims/oneroster/rostering/v1p2",
    {noun: tuple(replace(field, renamed=()) for field in fields) for noun, fields in _OBJECTS.items()},
    (_SCOPE_1_2,),
)
V1_1 = Version(
    "1.1",
    "/ims/oneroster/v1p1",
    {**_OBJECTS, "user": _USER_OF_1_1},
    (_SCOPE_1_1, _SCOPE_1_2),
    lenient=True,
)
VERSIONS = (V1_2, V1_1)

# noun -> the collection that holds every record of that kind
COLLECTION_OF: Mapping[str, str] = {
    "org": "orgs",
    "academicSession": "academicSessions",
    "course": "courses",
    "class": "classes",
    "user": "users",
    "enrollment": "enrollments",
    "demographics": "demographics",
    "category": "categories",
    "lineItem": "lineItems",
    "result": "results",
    "scoreScale": "scoreScales",
    "assessmentLineItem": "assessmentLineItems",
    "assessmentResult": "assessmentResults",
    "resource": "resources",
}
# collection -> noun; a list is wrapped in the noun's collection, a single record in the noun
NOUN_OF: Mapping[str, str] = {
    **{collection: noun for noun, collection in COLLECTION_OF.items()},
    "schools": "org",
    "terms": "academicSession",
    "gradingPeriods": "academicSession",
    "students": "user",
    "teachers": "user",
}
