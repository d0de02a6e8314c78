"""OneRoster collections in SQL: what each list holds, which fields may be filtered and sorted, one page at a time.

A record that several schools own (a session, a course, a person) appears once: its newest active copy in scope.
"""

# ruff: noqa: S608  # statements are assembled from constants of this module; values are always bound

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.sync.domain.records import ACADEMIC_SESSION, CLASS, COURSE, ENROLLMENT, USER, RecordType, camel
from services.sync.domain.roster_filter import Clause, Filter, FilterError
from services.sync.storage.tables import column_type

_SQL_TYPES = {"DATE": "date", "BOOLEAN": "boolean", "TEXT": "text", "ARRAY": "list"}
_REFERENCES = {
    "parent_sourced_id": "parent.sourcedId",
    "course_sourced_id": "course.sourcedId",
    "class_sourced_id": "class.sourcedId",
    "user_sourced_id": "user.sourcedId",
    "org_sourced_id": "org.sourcedId",
    "school_year_sourced_id": "schoolYear.sourcedId",
    "primary_org_sourced_id": "primaryOrg.sourcedId",
    "term_sourced_ids": "terms.sourcedId",
}
_EVERY = {
    "sourcedId": ("r.sourced_id", "text"),
    "status": ("r.status", "text"),
    "dateLastModified": ("r.date_last_modified", "instant"),
}
_ENDED_SHOWN = frozenset({"status", "dateLastModified"})


@dataclass(frozen=True, slots=True)
class Collection:
    """`source` is a subquery of one row per record in scope, `r` in conditions. `fields`: name -> (SQL, type)."""

    name: str
    source: str
    fields: Mapping[str, tuple[str, str]]
    condition: str = "true"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows of a collection: filter, sort field and direction, `limit` rows from `offset` on."""

    where: Filter | None = None
    sort: str | None = None
    descending: bool = False
    limit: int = 100
    offset: int = 0
    sourced_id: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


def _source(record: RecordType) -> str:
    return (
        f"SELECT DISTINCT ON (sourced_id) * FROM {record.table} "
        "ORDER BY sourced_id, (status = 'active') DESC, date_last_modified DESC, school_sourced_id"
    )


def _fields(record: RecordType, **more: tuple[str, str]) -> dict[str, tuple[str, str]]:
    found = {
        _REFERENCES.get(name, camel(name)): (
            f"r.{name}",
            _SQL_TYPES[type(column_type(name)).__visit_name__.upper()],
        )
        for name in record.columns
    }
    return _EVERY | found | more


def _has_role(role: str) -> str:
    return f"EXISTS (SELECT 1 FROM role x WHERE x.user_sourced_id = r.sourced_id AND x.status = 'active' AND {role})"


_ROLES = (
    "ARRAY(SELECT x.role FROM role x WHERE x.user_sourced_id = r.sourced_id AND x.status = 'active')",
    "list",
)
_ROLE_ORGS = (
    "ARRAY(SELECT x.school_sourced_id FROM role x WHERE x.user_sourced_id = r.sourced_id AND x.status = 'active')",
    "list",
)
_USER_FIELDS = _fields(USER, **{"role": _ROLES, "roles.role": _ROLES, "roles.org.sourcedId": _ROLE_ORGS})
_SCHOOL = {"school.sourcedId": ("r.school_sourced_id", "text")}

# An office that no longer exists today is `tobedeleted`; a school is shown to whom it was granted.
_ORG_SOURCE = (
    "SELECT o.sourced_id, o.kind, o.name, COALESCE(o.identifier, o.sourced_id) AS identifier, o.date_last_modified, "
    "CASE o.kind WHEN 'district_office' THEN 'district' WHEN 'commune' THEN 'local' WHEN 'cluster' THEN 'ext:cluster' "
    "ELSE o.kind END AS type, "
    "CASE WHEN (o.valid_from IS NULL OR o.valid_from <= :today) AND (o.valid_to IS NULL OR :today <= o.valid_to) "
    "THEN 'active' ELSE 'tobedeleted' END AS status, "
    "(SELECT e.parent_sourced_id FROM org_parent e JOIN org p ON p.sourced_id = e.parent_sourced_id "
    "WHERE e.sourced_id = o.sourced_id AND p.kind <> 'cluster' AND (e.valid_from IS NULL OR e.valid_from <= :today) "
    "AND (e.valid_to IS NULL OR :today <= e.valid_to) LIMIT 1) AS parent_sourced_id FROM org o "
    "WHERE o.kind <> 'school' OR current_setting('app.everything', true) = 'on' "
    "OR o.sourced_id = ANY (CAST(NULLIF(current_setting('app.schools', true), '') AS text[]))"
)
_ORG_FIELDS = _EVERY | {
    "name": ("r.name", "text"),
    "type": ("r.type", "text"),
    "identifier": ("r.identifier", "text"),
    "parent.sourcedId": ("r.parent_sourced_id", "text"),
}

COLLECTIONS: Mapping[str, Collection] = {
    each.name: each
    for each in (
        Collection("orgs", _ORG_SOURCE, _ORG_FIELDS),
        Collection("schools", _ORG_SOURCE, _ORG_FIELDS, "r.kind = 'school'"),
        Collection("academicSessions", _source(ACADEMIC_SESSION), _fields(ACADEMIC_SESSION)),
        Collection("courses", _source(COURSE), _fields(COURSE)),
        Collection("classes", _source(CLASS), _fields(CLASS, **_SCHOOL)),
        Collection("users", _source(USER), _USER_FIELDS),
        Collection("students", _source(USER), _USER_FIELDS, _has_role("x.role = 'student'")),
        Collection("teachers", _source(USER), _USER_FIELDS, _has_role("x.role = 'teacher'")),
        Collection("enrollments", _source(ENROLLMENT), _fields(ENROLLMENT, **_SCHOOL)),
    )
}


_OWNED = {"classes": CLASS, "courses": COURSE, "enrollments": ENROLLMENT, "students": USER, "teachers": USER}


def _within_school(name: str) -> Collection:
    """The collection limited to one school (`:school`): its own copies, and people by their role there."""
    whole = COLLECTIONS[name]
    source = f"SELECT * FROM {_OWNED[name].table} WHERE school_sourced_id = :school"
    roles = {"students": "student", "teachers": "teacher"}
    if name not in roles:
        return Collection(name, source, whole.fields)
    return Collection(
        name, source, whole.fields, _has_role(f"x.school_sourced_id = :school AND x.role = '{roles[name]}'")
    )


SCHOOL_COLLECTIONS: Mapping[str, Collection] = {name: _within_school(name) for name in _OWNED}


async def read_rows(
    session: AsyncSession, collection: Collection, selection: Selection, today: dt.date
) -> tuple[int, Sequence[RowMapping]]:
    """Total of the selection and the rows of its page. Raises FilterError."""
    conditions, given = [collection.condition], dict(selection.extra)
    if selection.sourced_id is not None:
        conditions.append("r.sourced_id = :sourced_id")
        given["sourced_id"] = selection.sourced_id
    elif selection.where is None or not (selection.where.fields & _ENDED_SHOWN):
        conditions.append("r.status = 'active'")
    if selection.where is not None:
        condition, values = _condition(collection, selection.where)
        conditions.append(condition)
        given |= values
    if ":today" in collection.source:
        given["today"] = today
    body = f"FROM ({collection.source}) r WHERE {' AND '.join(conditions)}"
    total = (await session.execute(text(f"SELECT count(*) {body}"), given)).scalar_one()
    page = text(f"SELECT r.* {body} ORDER BY {_order(collection, selection)} LIMIT :limit OFFSET :offset")
    rows = await session.execute(page, given | {"limit": selection.limit, "offset": selection.offset})
    return int(total), rows.mappings().all()


def _order(collection: Collection, selection: Selection) -> str:
    direction = "DESC" if selection.descending else "ASC"
    if selection.sort is None:
        return f"r.sourced_id {direction}"
    if selection.sort not in collection.fields:
        raise FilterError(f"no such field: {selection.sort}")
    return f"{collection.fields[selection.sort][0]} {direction}, r.sourced_id"


def _condition(collection: Collection, where: Filter) -> tuple[str, dict[str, Any]]:
    parts, given = [], {}
    for index, clause in enumerate(where.clauses):
        if clause.field not in collection.fields:
            raise FilterError(f"no such field: {clause.field}")
        expression, kind = collection.fields[clause.field]
        name = f"value{index}"
        parts.append(_comparison(expression, kind, clause, name))
        given[name] = _typed(clause, kind)
    return "(" + f" {where.join} ".join(parts) + ")", given


def _comparison(expression: str, kind: str, clause: Clause, name: str) -> str:
    operator = "<>" if clause.operator == "!=" else clause.operator
    if kind == "list":
        if operator == "~":
            return f"EXISTS (SELECT 1 FROM unnest({expression}) item WHERE strpos(lower(item), lower(:{name})) > 0)"
        return f"{'NOT ' if operator == '<>' else ''}(CAST(:{name} AS text) = ANY(COALESCE({expression}, '{{}}')))"
    if operator == "~":
        return f"strpos(lower(CAST({expression} AS text)), lower(:{name})) > 0"
    if operator == "<>":
        return f"{expression} IS DISTINCT FROM :{name}"
    return f"{expression} {operator} :{name}"


def _typed(clause: Clause, kind: str) -> Any:
    """The clause's value as the column's type; a bare date stands for its first instant in UTC."""
    if clause.operator == "~":
        return clause.value
    try:
        if kind == "date":
            return dt.date.fromisoformat(clause.value)
        if kind == "instant":
            instant = dt.datetime.fromisoformat(clause.value)
            return instant if instant.tzinfo else instant.replace(tzinfo=dt.UTC)
        if kind == "boolean":
            return {"true": True, "false": False}[clause.value.lower()]
    except (ValueError, KeyError) as failure:
        raise FilterError(f"not a value of {clause.field}: {clause.value[:50]}") from failure
    return clause.value


async def roles_of(session: AsyncSession, user_ids: Sequence[str]) -> dict[str, list[RowMapping]]:
    """Active roles in scope per user, primary ones first; ended roles of a user who has no active one."""
    rows = await session.execute(
        text(
            "SELECT user_sourced_id, role_type, role, school_sourced_id, begin_date, end_date, status FROM role "
            "WHERE user_sourced_id = ANY(:ids) ORDER BY user_sourced_id, role_type, school_sourced_id, role"
        ),
        {"ids": list(user_ids)},
    )
    found: dict[str, list[RowMapping]] = {}
    for row in rows.mappings():
        found.setdefault(row["user_sourced_id"], []).append(row)
    return {user: [role for role in roles if role["status"] == "active"] or roles for user, roles in found.items()}
