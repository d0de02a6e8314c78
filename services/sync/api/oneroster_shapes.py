"""Records as OneRoster 1.2 writes them: closed objects, empty fields left out, booleans as strings, times in UTC."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping

from shared.clock import rfc3339

BASE = "/ims/oneroster/rostering/v1p2"
_PATHS = {
    "org": "orgs",
    "user": "users",
    "class": "classes",
    "course": "courses",
    "academicSession": "academicSessions",
}


def _reference(public_url: str, kind: str, sourced_id: str) -> dict[str, str]:
    return {"href": f"{public_url}{BASE}/{_PATHS[kind]}/{sourced_id}", "sourcedId": sourced_id, "type": kind}


def _optional_reference(public_url: str, kind: str, sourced_id: str | None) -> dict[str, str] | None:
    return None if sourced_id is None else _reference(public_url, kind, sourced_id)


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without empty fields; dates and booleans as the standard writes them."""
    filled: dict[str, Any] = {}
    for name, value in values.items():
        if value is None or value == []:
            continue
        if isinstance(value, bool):
            filled[name] = "true" if value else "false"
        elif isinstance(value, dt.date):
            filled[name] = value.isoformat()
        else:
            filled[name] = value
    return filled


def _record(row: RowMapping, values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "sourcedId": row["sourced_id"],
        "status": row["status"],
        "dateLastModified": rfc3339(row["date_last_modified"]),
    } | _filled(values)


def org(row: RowMapping, _roles: Sequence[RowMapping], url: str) -> dict[str, Any]:
    values = {
        "name": row["name"],
        "type": row["type"],
        "identifier": row["identifier"],
        "parent": _optional_reference(url, "org", row["parent_sourced_id"]),
    }
    return _record(row, values)


def session(row: RowMapping, _roles: Sequence[RowMapping], url: str) -> dict[str, Any]:
    values = {
        "title": row["title"],
        "startDate": row["start_date"],
        "endDate": row["end_date"],
        "type": row["type"],
        "schoolYear": row["school_year"],
        "parent": _optional_reference(url, "academicSession", row["parent_sourced_id"]),
    }
    return _record(row, values)


def course(row: RowMapping, _roles: Sequence[RowMapping], url: str) -> dict[str, Any]:
    values = {
        "title": row["title"],
        # Required by the standard, optional in the CSV binding: the record's own id is the only honest stand-in.
        "courseCode": row["course_code"] or row["sourced_id"],
        "schoolYear": _optional_reference(url, "academicSession", row["school_year_sourced_id"]),
        "grades": row["grades"],
        "subjects": row["subjects"],
        "subjectCodes": row["subject_codes"],
        "org": _reference(url, "org", row["org_sourced_id"] or row["school_sourced_id"]),
    }
    return _record(row, values)


def class_(row: RowMapping, _roles: Sequence[RowMapping], url: str) -> dict[str, Any]:
    values = {
        "title": row["title"],
        "classCode": row["class_code"],
        "classType": row["class_type"],
        "location": row["location"],
        "grades": row["grades"],
        "subjects": row["subjects"],
        "subjectCodes": row["subject_codes"],
        "periods": row["periods"],
        "course": _reference(url, "course", row["course_sourced_id"]),
        "school": _reference(url, "org", row["school_sourced_id"]),
        "terms": [_reference(url, "academicSession", term) for term in row["term_sourced_ids"]],
    }
    return _record(row, values)


def user(row: RowMapping, roles: Sequence[RowMapping], url: str) -> dict[str, Any]:
    values = {
        "userMasterIdentifier": row["user_master_identifier"],
        "username": row["username"],
        "userIds": [
            {"type": kind, "identifier": value}
            for kind, _, value in (entry.partition(":") for entry in row["user_ids"] or ())
        ],
        "enabledUser": row["enabled_user"],
        "givenName": row["given_name"],
        "familyName": row["family_name"],
        "middleName": row["middle_name"],
        "preferredFirstName": row["preferred_given_name"],
        "preferredMiddleName": row["preferred_middle_name"],
        "preferredLastName": row["preferred_family_name"],
        "roles": [_role(role, url) for role in roles],
        "primaryOrg": _optional_reference(url, "org", row["primary_org_sourced_id"]),
        "identifier": row["identifier"],
        "email": row["email"],
        "grades": row["grades"],
    }
    return _record(row, values)


def _role(row: RowMapping, url: str) -> dict[str, Any]:
    return _filled(
        {
            "roleType": row["role_type"],
            "role": row["role"],
            "org": _reference(url, "org", row["school_sourced_id"]),
            "beginDate": row["begin_date"],
            "endDate": row["end_date"],
        }
    )


def enrollment(row: RowMapping, _roles: Sequence[RowMapping], url: str) -> dict[str, Any]:
    values = {
        "user": _reference(url, "user", row["user_sourced_id"]),
        "class": _reference(url, "class", row["class_sourced_id"]),
        "school": _reference(url, "org", row["school_sourced_id"]),
        "role": row["role"],
        "primary": row["is_primary"],
        "beginDate": row["begin_date"],
        "endDate": row["end_date"],
    }
    return _record(row, values)


Shape = Callable[[RowMapping, Sequence[RowMapping], str], dict[str, Any]]

# collection -> (wrapper of one record, shape, every field a record may have)
_ORG = ("name", "type", "identifier", "parent")
_USER = (
    "userMasterIdentifier",
    "username",
    "userIds",
    "enabledUser",
    "givenName",
    "familyName",
    "middleName",
    "preferredFirstName",
    "preferredMiddleName",
    "preferredLastName",
    "roles",
    "primaryOrg",
    "identifier",
    "email",
    "grades",
)
_CLASS = (
    "title",
    "classCode",
    "classType",
    "location",
    "grades",
    "subjects",
    "subjectCodes",
    "periods",
    "course",
    "school",
    "terms",
)
_ALWAYS = ("sourcedId", "status", "dateLastModified")
SHAPES: Mapping[str, tuple[str, Shape, frozenset[str]]] = {
    "orgs": ("org", org, frozenset((*_ALWAYS, *_ORG))),
    "schools": ("org", org, frozenset((*_ALWAYS, *_ORG))),
    "academicSessions": (
        "academicSession",
        session,
        frozenset((*_ALWAYS, "title", "startDate", "endDate", "type", "schoolYear", "parent")),
    ),
    "courses": (
        "course",
        course,
        frozenset((*_ALWAYS, *["title", "courseCode", "schoolYear", "grades", "subjects", "subjectCodes", "org"])),
    ),
    "classes": ("class", class_, frozenset((*_ALWAYS, *_CLASS))),
    "users": ("user", user, frozenset((*_ALWAYS, *_USER))),
    "students": ("user", user, frozenset((*_ALWAYS, *_USER))),
    "teachers": ("user", user, frozenset((*_ALWAYS, *_USER))),
    "enrollments": (
        "enrollment",
        enrollment,
        frozenset((*_ALWAYS, *["user", "class", "school", "role", "primary", "beginDate", "endDate"])),
    ),
}
WRAPPERS: Mapping[str, str] = {"schools": "orgs", "students": "users", "teachers": "users"}
