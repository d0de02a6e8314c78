"""The difference of an import seen from its classes: which changes concern a class, and counted per class.

Which class a change concerns is read where the import itself left it: in staging before the commit, in the versions it
wrote (the record's own table and its history, by `last_import_id`) afterwards, in the record that is there for what
ends. So a later import does not alter what an earlier one did to a class. People and marks are led to their classes by
the enrollments and line items that are there now or come with the import.
"""

# ruff: noqa: S608  # statements are assembled from the constants of domain.records; values are always bound

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, RowMapping, Text, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.sync.domain.gradebook_records import (
    CLASS_RESOURCE,
    LINE_ITEM,
    LINE_ITEM_OBJECTIVE,
    LINE_ITEM_SCORE_SCALE,
    RESULT,
    RESULT_OBJECTIVE,
    RESULT_SCORE_SCALE,
    SCORE_SCALE,
    USER_RESOURCE,
)
from services.sync.domain.records import CLASS, DEMOGRAPHICS, ENROLLMENT, ROLE, USER, RecordType, camel

_OF_CLASS = "class_sourced_id"
_IN_CLASS = (LINE_ITEM, SCORE_SCALE, CLASS_RESOURCE, USER_RESOURCE)
_UNDER_LINE_ITEM = (RESULT, LINE_ITEM_SCORE_SCALE, LINE_ITEM_OBJECTIVE)
_UNDER_RESULT = (RESULT_SCORE_SCALE, RESULT_OBJECTIVE)
_OF_PERSON = ((USER, None), (DEMOGRAPHICS, None), (ROLE, "user_sourced_id"))
# What a class shows, in this order.
CLASS_TYPES = (CLASS, ENROLLMENT, USER, ROLE, DEMOGRAPHICS, *_IN_CLASS, *_UNDER_LINE_ITEM, *_UNDER_RESULT)
LEARNERS = "learners"

_HERE = "x.import_id = :i AND x.school_sourced_id = ANY(:schools)"
_STAGED = "import_id = :i AND outcome = 'accepted' AND NOT ended AND school_sourced_id = ANY(:schools)"
_TYPED = (bindparam("i", type_=Uuid()), bindparam("schools", type_=ARRAY(Text)))


def _found(record: RecordType, **columns: str) -> str:
    """Changes of a type with the record's `columns` under new names, as the import wrote them or found them."""
    taken = ", ".join(
        f"COALESCE(s.{column}, CASE WHEN c.last_import_id = :i THEN c.{column} END, h.{column}, c.{column}) AS {name}"
        for name, column in columns.items()
    )
    key = "{0}.sourced_id = x.sourced_id AND {0}.school_sourced_id = x.school_sourced_id"
    return (
        f"SELECT x.type, x.school_sourced_id AS school, x.sourced_id, x.action, x.fields, {taken} FROM import_change x "
        f"LEFT JOIN (SELECT * FROM {record.staging} WHERE {_STAGED}) s ON {key.format('s')} "
        f"LEFT JOIN {record.table} c ON {key.format('c')} "
        f"LEFT JOIN {record.history} h ON {key.format('h')} AND h.last_import_id = :i "
        f"WHERE {_HERE} AND x.type = '{record.file}'"
    )


def _before(column: str) -> str:
    """Where a changed record was before, when it moved."""
    return f"f.fields -> '{camel(column)}' ->> 'before'"


def _present(record: RecordType, columns: str) -> str:
    """Records of the schools that are there now, that the import ended, or that come with it."""
    return (
        f"SELECT sourced_id, school_sourced_id AS school, {columns} FROM {record.table} "
        "WHERE school_sourced_id = ANY(:schools) AND (status = 'active' OR last_import_id = :i) "
        f"UNION SELECT sourced_id, school_sourced_id, {columns} FROM {record.staging} WHERE {_STAGED}"
    )


# Each part: type, school, sourced_id, action, class, and for a learner who comes, goes or changes: person, step.
_PLAIN = "CAST(NULL AS text) AS person, CAST(NULL AS text) AS step"


def _class_itself() -> str:
    return (
        f"SELECT x.type, x.school_sourced_id AS school, x.sourced_id, x.action, x.sourced_id AS class, {_PLAIN} "
        f"FROM import_change x WHERE {_HERE} AND x.type = '{CLASS.file}'"
    )


def _enrollments() -> str:
    """A learner who moves leaves one class and comes to the other; the change of the enrollment shows in both."""
    found = _found(ENROLLMENT, place=_OF_CLASS, person="user_sourced_id", role="role")
    step = "CASE WHEN f.role = 'student' THEN {0} END"
    moved = f"{_before(_OF_CLASS)} IS NOT NULL"
    comes = step.format(f"CASE WHEN f.action <> 'changed' THEN f.action WHEN {moved} THEN 'added' END")
    goes = step.format("'removed'")
    head = "SELECT f.type, f.school, f.sourced_id, f.action"
    return (
        f"{head}, f.place AS class, f.person, {comes} AS step FROM ({found}) f "
        f"UNION ALL {head}, {_before(_OF_CLASS)}, f.person, {goes} FROM ({found}) f WHERE {moved}"
    )


def _in_class(record: RecordType) -> str:
    found = _found(record, place=_OF_CLASS)
    head = "SELECT f.type, f.school, f.sourced_id, f.action"
    return (
        f"{head}, f.place AS class, {_PLAIN} FROM ({found}) f WHERE f.place IS NOT NULL "
        f"UNION ALL {head}, {_before(_OF_CLASS)}, {_PLAIN} FROM ({found}) f WHERE {_before(_OF_CLASS)} IS NOT NULL"
    )


def _under(record: RecordType, column: str, parents: str) -> str:
    return (
        f"SELECT f.type, f.school, f.sourced_id, f.action, p.class, {_PLAIN} "
        f"FROM ({_found(record, place=column)}) f JOIN {parents} p ON p.sourced_id = f.place AND p.school = f.school"
    )


def _of_person(record: RecordType, column: str | None) -> str:
    found = _found(record, place=column or "sourced_id")
    person = "f.place" if column else "f.sourced_id"
    learner = f"f.type = '{USER.file}' AND f.action = 'changed' AND m.role = 'student'"
    return (
        f"SELECT f.type, f.school, f.sourced_id, f.action, m.class, f.sourced_id AS person, "
        f"CASE WHEN {learner} THEN 'changed' END AS step "
        f"FROM ({found}) f JOIN members m ON m.person = {person} AND m.school = f.school"
    )


def _parts() -> Mapping[str, str]:
    parts = {CLASS.file: _class_itself(), ENROLLMENT.file: _enrollments()}
    parts |= {record.file: _in_class(record) for record in _IN_CLASS}
    parts |= {record.file: _under(record, "line_item_sourced_id", "line_items") for record in _UNDER_LINE_ITEM}
    parts |= {record.file: _under(record, "result_sourced_id", "results") for record in _UNDER_RESULT}
    return parts | {record.file: _of_person(record, column) for record, column in _OF_PERSON}


_PARTS = _parts()


def _placed(type_: str | None = None) -> str:
    """`WITH` terms; the last, `placed`, holds every change of the schools once per class it concerns."""
    parts = _PARTS.values() if type_ is None else [_PARTS[type_]]
    return (
        "WITH members AS (SELECT DISTINCT school, class_sourced_id AS class, user_sourced_id AS person, role "
        f"FROM ({_present(ENROLLMENT, 'class_sourced_id, user_sourced_id, role')}) e), "
        "line_items AS (SELECT DISTINCT sourced_id, school, class_sourced_id AS class "
        f"FROM ({_present(LINE_ITEM, 'class_sourced_id')}) l), "
        "results AS (SELECT DISTINCT r.sourced_id, r.school, l.class "
        f"FROM ({_present(RESULT, 'line_item_sourced_id')}) r "
        "JOIN line_items l ON l.sourced_id = r.line_item_sourced_id AND l.school = r.school), "
        f"placed AS MATERIALIZED ({' UNION ALL '.join(parts)})"
    )


_SCHOOLS_OF_CLASS = text(
    "SELECT k.school FROM (SELECT school_sourced_id AS school FROM class WHERE sourced_id = :class "
    f"UNION SELECT school_sourced_id FROM {CLASS.staging} WHERE import_id = :i AND sourced_id = :class) k "
    "JOIN import_school s ON s.import_id = :i AND s.school_sourced_id = k.school"
).bindparams(bindparam("i", type_=Uuid()))


async def list_changes_of_class(
    session: AsyncSession,
    import_id: UUID,
    class_sourced_id: str,
    filters: Mapping[str, str],
    *,
    after: Sequence[str] | None,
    limit: int,
) -> Sequence[RowMapping]:
    """A page of the difference of one class in key order. `filters` by column: type, action, school_sourced_id."""
    if filters.get("type", CLASS.file) not in _PARTS:
        return []
    schools = (await session.execute(_SCHOOLS_OF_CLASS, {"i": import_id, "class": class_sourced_id})).scalars().all()
    given: dict[str, Any] = {"i": import_id, "class": class_sourced_id, "schools": schools, "limit": limit, **filters}
    conditions = ["c.import_id = :i", *(f"c.{name} = :{name}" for name in filters)]
    if after is not None:
        conditions.append("(c.type, c.school_sourced_id, c.sourced_id) > (:t, :s, :k)")
        given |= dict(zip("tsk", after, strict=True))
    statement = text(
        f"{_placed(filters.get('type'))} SELECT c.* FROM import_change c "
        "JOIN (SELECT DISTINCT type, school, sourced_id FROM placed WHERE class = :class) p "
        "ON p.type = c.type AND p.school = c.school_sourced_id "
        f"AND p.sourced_id = c.sourced_id WHERE {' AND '.join(conditions)} "
        "ORDER BY c.type, c.school_sourced_id, c.sourced_id LIMIT :limit"
    ).bindparams(*_TYPED)
    return (await session.execute(statement, given)).mappings().all()


async def schools_with_changes(
    session: AsyncSession, import_id: UUID, *, school: str | None, first: str | None
) -> Sequence[str]:
    """Schools in scope that the import changes, in key order, from `first` on."""
    conditions = [
        "s.import_id = :i",
        "EXISTS (SELECT FROM import_change x WHERE x.import_id = :i AND x.school_sourced_id = s.school_sourced_id)",
    ]
    given: dict[str, Any] = {"i": import_id}
    for name, operator, value in (("school", "=", school), ("first", ">=", first)):
        if value is not None:
            conditions.append(f"s.school_sourced_id {operator} :{name}")
            given[name] = value
    statement = text(
        f"SELECT s.school_sourced_id FROM import_school s WHERE {' AND '.join(conditions)} ORDER BY 1"
    ).bindparams(bindparam("i", type_=Uuid()))
    return (await session.execute(statement, given)).scalars().all()


_COUNTED = ", ".join(
    f"count(DISTINCT {{0}}) FILTER (WHERE {{1}} = '{action}') AS {action}" for action in ("added", "changed", "removed")
)


async def count_by_class(
    session: AsyncSession, import_id: UUID, school: str, *, class_sourced_id: str | None, after: str | None, limit: int
) -> Sequence[RowMapping]:
    """Per class that changes: school, class, title, counts (type -> added, changed, removed), in the order of class."""
    conditions = ["class IS NOT NULL"]
    given: dict[str, Any] = {"i": import_id, "schools": [school], "limit": limit}
    for name, operator, value in (("after", ">", after), ("class", "=", class_sourced_id)):
        if value is not None:
            conditions.append(f"class {operator} :{name}")
            given[name] = value
    statement = text(
        f"{_placed()}, wanted AS (SELECT DISTINCT school, class FROM placed WHERE {' AND '.join(conditions)} "
        "ORDER BY class LIMIT :limit), "
        "counted AS ("
        f"SELECT class, type, {_COUNTED.format('sourced_id', 'action')} FROM placed JOIN wanted USING (school, class) "
        f"GROUP BY 1, 2 UNION ALL SELECT class, '{LEARNERS}', {_COUNTED.format('person', 'step')} "
        "FROM placed JOIN wanted USING (school, class) WHERE step IS NOT NULL GROUP BY 1) "
        "SELECT w.school, w.class, COALESCE((SELECT s.title FROM "
        f"{CLASS.staging} s WHERE s.import_id = :i AND s.sourced_id = w.class AND s.school_sourced_id = w.school "
        "AND s.title IS NOT NULL LIMIT 1), (SELECT c.title FROM class c WHERE c.sourced_id = w.class "
        "AND c.school_sourced_id = w.school)) AS title, "
        "jsonb_object_agg(n.type, jsonb_build_object('added', n.added, 'changed', n.changed, 'removed', n.removed)) "
        "AS counts FROM wanted w JOIN counted n ON n.class = w.class GROUP BY 1, 2 ORDER BY 2"
    ).bindparams(*_TYPED)
    return (await session.execute(statement, given)).mappings().all()
