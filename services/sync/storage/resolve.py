"""Resolving references inside PostgreSQL: each rule is one statement over all staged rows, and reports what it refuses.

A reference holds when the package brings the record, or when the database has it and the package does not end it.
Every statement writes its problems itself (`mark`), so round trips do not grow with the rows.
"""

# ruff: noqa: S608  # statements are assembled from the constants of domain.records; values are always bound

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.sync.domain.files import Mode
from services.sync.domain.gradebook_records import EVERY_TYPE
from services.sync.domain.records import (
    ACADEMIC_SESSION,
    CLASS,
    COURSE,
    ENROLLMENT,
    ROLE,
    USER,
    RecordType,
)

_LIST = ARRAY(Text)
_TYPES: Mapping[str, Any] = {"i": Uuid(), "schools": _LIST, "named": _LIST, "only": _LIST}
REFUSE = "outcome = 'refused'"
_DEEPEST_SESSION_TREE = 20
_GONE_THROUGH, _LOOKED_UP = "known AS MATERIALIZED", "known AS NOT MATERIALIZED"


@dataclass(frozen=True, slots=True)
class Staging:
    """An import while it is resolved. `schools` are the schools the caller may touch, `types` what may be staged.

    `is_single`: one record, which is looked up; what a school has is not gone through for it.
    """

    session: AsyncSession
    import_id: UUID
    modes: Mapping[str, Mode]
    lenient: bool
    schools: list[str]
    types: tuple[RecordType, ...] = EVERY_TYPE
    is_single: bool = False

    def mode(self, record: RecordType) -> Mode:
        """In OneRoster 1.1 roles travel inside users.csv and share its mode."""
        return self.modes.get(record.file, self.modes["users"] if record is ROLE else "absent")

    async def run(self, statement: str, **parameters: Any) -> int:
        """Execute one statement; answers how many rows it touched (or, for a marking statement, reported)."""
        if self.is_single:
            statement = statement.replace(_GONE_THROUGH, _LOOKED_UP)
        given = {"i": self.import_id, "schools": self.schools} | parameters
        used = {name: value for name, value in given.items() if f":{name}" in statement}
        # Typed, because a parameter in a select list has no type of its own.
        typed = [bindparam(name, type_=_TYPES.get(name)) for name in used]
        result: Any = await self.session.execute(text(statement).bindparams(*typed), used)
        return int(result.rowcount)

    def known(self, record: RecordType) -> str:
        """Subquery of (sourced_id, school_sourced_id) references may point to; the school is '' where it is open."""
        mode = self.mode(record)
        same = f"SELECT 1 FROM {record.staging} t WHERE t.import_id = :i AND t.sourced_id = c.sourced_id"
        stays = f"EXISTS ({same} AND t.outcome <> 'accepted')" if mode == "bulk" else f"NOT EXISTS ({same} AND t.ended)"
        return (
            f"SELECT t.sourced_id, t.school_sourced_id FROM {record.staging} t "
            "WHERE t.import_id = :i AND t.outcome = 'accepted' AND NOT t.ended UNION ALL "
            f"SELECT c.sourced_id, c.school_sourced_id FROM {record.table} c "
            f"WHERE c.status = 'active' AND c.school_sourced_id = ANY(CAST(:schools AS text[])) AND {stays}"
        )


def mark(
    record: RecordType,
    *,
    code: str,
    field: str,
    where: str,
    known: str = "SELECT ''::text AS sourced_id, ''::text AS school_sourced_id",
    value: str = "NULL",
    expected: str = "NULL",
    change: str = REFUSE,
    severity: str = "error",
    target: RecordType | None = None,
) -> str:
    """A statement that changes the accepted rows `where` holds and writes one problem for each.

    `s` is the staged row, `known` a subquery of what exists; `value` and `code` are SQL over the row as it was (`old`).
    `target`: the row is refused for want of a record of that type, and `value` is its id (`storage.causes` folds it).
    """
    wanted = "NULL, NULL" if target is None else f"'{target.file}.csv', value"
    return (
        f"WITH {_GONE_THROUGH} ({known}), found AS ("
        f"UPDATE {record.staging} s SET {change} "
        f"WHERE s.import_id = :i AND s.outcome = 'accepted' AND ({where}) "
        f"RETURNING s.line, s.sourced_id, NULLIF(s.school_sourced_id, '') AS school, {code} AS code, {value} AS value, "
        f"{expected} AS expected) "
        "INSERT INTO import_problem (import_id, severity, code, file, line, field, value, expected, school_sourced_id, "
        "count, record_sourced_id, target_file, target_sourced_id) "
        f"SELECT :i, '{severity}', code, '{record.file}.csv', line, '{field}', left(value, 40), expected, school, 1, "
        f"sourced_id, {wanted} FROM found"
    )


def dangling(reference: str, school: str | None = None) -> str:
    """The reference is filled and points to nothing known (at the school, where one is given)."""
    at_school = "" if school is None else f" AND k.school_sourced_id IN ('', {school})"
    exists = f"EXISTS (SELECT 1 FROM known k WHERE k.sourced_id = {reference}{at_school})"
    return f"NOT s.ended AND {reference} IS NOT NULL AND NOT {exists}"


def ended_or_unknown(target: RecordType, reference: str) -> str:
    """The code for a reference that does not hold: was the record ended, or was it never there?"""
    return (
        f"CASE WHEN EXISTS (SELECT 1 FROM {target.staging} e WHERE e.import_id = :i AND e.sourced_id = {reference} "
        f"AND e.ended) OR EXISTS (SELECT 1 FROM {target.table} c WHERE c.sourced_id = {reference} "
        "AND c.status <> 'active' AND c.school_sourced_id = ANY(CAST(:schools AS text[]))) "
        "THEN 'reference.ended' ELSE 'reference.unknown' END"
    )


async def expect_many(staging: Staging) -> None:
    """Plan the statements of this transaction for many rows: each goes over all of them once, never a loop per row.

    A small package is looked up row by row, and rightly so: it must not read the tables of a whole city.
    """
    await staging.run("SET LOCAL enable_nestloop = off")
    await staging.run("SET LOCAL work_mem = '64MB'")


async def resolve(staging: Staging) -> None:
    """Refuse or repair every staged row whose references do not hold; parents before children."""
    for record in staging.types:
        await _refuse_duplicates(staging, record)
    for record in (CLASS, ENROLLMENT):
        if record in staging.types:
            await refuse_taken(staging, record)
    rules = {ACADEMIC_SESSION: _sessions, COURSE: _courses, CLASS: _classes, USER: _people, ENROLLMENT: _enrollments}
    for record, rule in rules.items():
        if record in staging.types:
            await rule(staging)


async def _refuse_duplicates(staging: Staging, record: RecordType) -> None:
    """The first line of an id counts."""
    repeated = (
        f"SELECT d.sourced_id, min(d.line) AS first FROM {record.staging} d "
        "WHERE d.import_id = :i AND d.sourced_id <> '' GROUP BY d.sourced_id HAVING count(*) > 1"
    )
    first = "SELECT k.first FROM known k WHERE k.sourced_id = s.sourced_id"
    await staging.run(
        mark(
            record,
            code="'sourcedId.duplicate'",
            field="sourcedId",
            where=f"EXISTS ({first} AND k.first < s.line)",
            known=repeated,
            value="s.sourced_id",
            expected=f"({first})::text",
        )
    )


async def refuse_taken(staging: Staging, record: RecordType) -> None:
    """Classes and enrollments are unique across schools; moving one inside a bulk package is no conflict."""
    in_package = (
        f"SELECT 1 FROM {record.staging} p WHERE p.import_id = :i AND p.school_sourced_id = c.school_sourced_id"
    )
    moved = f"AND NOT EXISTS ({in_package})" if staging.mode(record) == "bulk" else ""
    await staging.run(
        mark(
            record,
            code="'sourcedId.taken'",
            field="sourcedId",
            where=(
                f"NOT s.ended AND EXISTS (SELECT 1 FROM {record.table} c WHERE c.sourced_id = s.sourced_id "
                f"AND c.status = 'active' AND c.school_sourced_id <> s.school_sourced_id {moved})"
            ),
            value="s.sourced_id",
        )
    )


async def optional_reference(staging: Staging, record: RecordType, column: str, field: str, target: RecordType) -> int:
    """An optional reference: dropped and reported in lenient mode, a refusal in strict mode."""
    reference = f"s.{column}"
    was = f"old.{column}"
    lenient = staging.lenient
    return await staging.run(
        mark(
            record,
            code="'repair.referenceDropped'" if lenient else ended_or_unknown(target, was),
            field=field,
            where=dangling(reference),
            known=staging.known(target),
            value=was,
            change=f"{column} = NULL" if lenient else REFUSE,
            severity="repair" if lenient else "error",
            target=target,
        )
    )


async def _sessions(staging: Staging) -> None:
    # A refused parent takes its children along, level by level; a dropped reference takes nobody.
    for _ in range(_DEEPEST_SESSION_TREE):
        marked = await optional_reference(
            staging, ACADEMIC_SESSION, "parent_sourced_id", "parentSourcedId", ACADEMIC_SESSION
        )
        if marked == 0 or staging.lenient:
            return


async def _courses(staging: Staging) -> None:
    await optional_reference(staging, COURSE, "school_year_sourced_id", "schoolYearSourcedId", ACADEMIC_SESSION)


async def _classes(staging: Staging) -> None:
    await _class_course(staging)
    await _class_terms(staging)


async def _class_course(staging: Staging) -> None:
    """Lenient makes a placeholder of a course nobody sent; a course that was ended on purpose stays ended."""
    code = ended_or_unknown(COURSE, "old.course_sourced_id")
    absent = dangling("s.course_sourced_id", "s.school_sourced_id")
    ended = f"({ended_or_unknown(COURSE, 's.course_sourced_id')}) = 'reference.ended'"
    refusal = mark(
        CLASS,
        code=code,
        field="courseSourcedId",
        where=f"{absent} AND {ended}" if staging.lenient else absent,
        known=staging.known(COURSE),
        value="old.course_sourced_id",
        target=COURSE,
    )
    await staging.run(refusal)
    if not staging.lenient:
        return
    await staging.run(
        mark(
            CLASS,
            code="'repair.placeholderCourse'",
            field="courseSourcedId",
            where=absent,
            known=staging.known(COURSE),
            value="s.course_sourced_id",
            change="line = s.line",
            severity="repair",
        )
    )
    await staging.run(
        f"WITH known AS MATERIALIZED ({staging.known(COURSE)}) "
        f"INSERT INTO {COURSE.staging} (import_id, line, sourced_id, school_sourced_id, outcome, ended, title) "
        "SELECT DISTINCT ON (s.course_sourced_id) :i, s.line, s.course_sourced_id, '', 'accepted', false, s.title "
        f"FROM {CLASS.staging} s WHERE s.import_id = :i AND s.outcome = 'accepted' AND {absent} "
        "ORDER BY s.course_sourced_id, s.line"
    )


async def _class_terms(staging: Staging) -> None:
    # Every school has its copy of a session; here only the ids count, and they are looked through per class.
    known = f"SELECT DISTINCT sourced_id, ''::text AS school_sourced_id FROM ({staging.known(ACADEMIC_SESSION)}) a"
    terms = "unnest({row}.term_sourced_ids) AS term(id)"
    unknown = f"SELECT term.id FROM {terms} WHERE NOT EXISTS (SELECT 1 FROM known k WHERE k.sourced_id = term.id)"
    first = f"({unknown.format(row='old')} LIMIT 1)"
    where = f"NOT s.ended AND EXISTS ({unknown.format(row='s')})"
    code = f"(SELECT {ended_or_unknown(ACADEMIC_SESSION, 'u.id')} FROM ({unknown.format(row='old')} LIMIT 1) u)"
    if staging.lenient:
        some = f"EXISTS (SELECT 1 FROM {terms.format(row='s')} JOIN known k ON k.sourced_id = term.id)"
        kept = (
            f"ARRAY(SELECT term.id FROM {terms.format(row='s')} "
            "WHERE EXISTS (SELECT 1 FROM known k WHERE k.sourced_id = term.id))"
        )
        await staging.run(
            mark(
                CLASS,
                code="'repair.referenceDropped'",
                field="termSourcedIds",
                where=f"{where} AND {some}",
                known=known,
                value=first,
                change=f"term_sourced_ids = {kept}",
                severity="repair",
            )
        )
    terms_gone = mark(
        CLASS, code=code, field="termSourcedIds", where=where, known=known, value=first, target=ACADEMIC_SESSION
    )
    await staging.run(terms_gone)


async def _people(staging: Staging) -> None:
    await staging.run(
        mark(
            ROLE,
            code=ended_or_unknown(USER, "old.user_sourced_id"),
            field="userSourcedId",
            where=dangling("s.user_sourced_id"),
            known=staging.known(USER),
            value="old.user_sourced_id",
            target=USER,
        )
    )
    roles = (
        f"SELECT r.user_sourced_id AS sourced_id, r.school_sourced_id FROM {ROLE.staging} r "
        "WHERE r.import_id = :i AND r.outcome = 'accepted' AND NOT r.ended UNION ALL "
        f"SELECT r.user_sourced_id, r.school_sourced_id FROM {ROLE.table} r JOIN ({staging.known(ROLE)}) k "
        "ON k.sourced_id = r.sourced_id AND k.school_sourced_id = r.school_sourced_id WHERE r.status = 'active'"
    )
    family = (
        f"EXISTS (SELECT 1 FROM {ROLE.staging} r WHERE r.import_id = :i AND r.outcome = 'dropped' "
        "AND r.user_sourced_id = s.sourced_id)"
    )
    without_role = dangling("s.sourced_id")
    await staging.run(
        mark(
            USER,
            code="'dropped.family'",
            field="role",
            where=f"{without_role} AND {family}",
            known=roles,
            value="'guardian, parent, relative'",
            change="outcome = 'dropped'",
            severity="dropped",
        )
    )
    await staging.run(mark(USER, code="'user.noRole'", field="sourcedId", where=without_role, known=roles))


async def _enrollments(staging: Staging) -> None:
    classes = staging.known(CLASS)
    elsewhere = "EXISTS (SELECT 1 FROM known k WHERE k.sourced_id = s.class_sourced_id)"
    absent = dangling("s.class_sourced_id", "s.school_sourced_id")
    await staging.run(
        mark(
            ENROLLMENT,
            code="'enrollment.otherSchool'",
            field="schoolSourcedId",
            where=f"{absent} AND {elsewhere}",
            known=classes,
            value="s.school_sourced_id",
        )
    )
    await staging.run(
        mark(
            ENROLLMENT,
            code=ended_or_unknown(CLASS, "old.class_sourced_id"),
            field="classSourcedId",
            where=absent,
            known=classes,
            value="old.class_sourced_id",
            target=CLASS,
        )
    )
    await staging.run(
        mark(
            ENROLLMENT,
            code=ended_or_unknown(USER, "old.user_sourced_id"),
            field="userSourcedId",
            where=dangling("s.user_sourced_id", "s.school_sourced_id"),
            known=people_of_schools(staging),
            value="old.user_sourced_id",
            target=USER,
        )
    )


def people_of_schools(staging: Staging) -> str:
    """Subquery of (sourced_id, school_sourced_id): who belongs to which school once the package is in."""
    return (
        f"SELECT r.user_sourced_id AS sourced_id, r.school_sourced_id FROM {ROLE.staging} r "
        "WHERE r.import_id = :i AND r.outcome = 'accepted' AND NOT r.ended UNION ALL "
        f"SELECT c.sourced_id, c.school_sourced_id FROM ({staging.known(USER)}) c WHERE c.school_sourced_id <> ''"
    )
