"""Which schools a package concerns, and a copy of each shared record (session, course, user) for each of them.

Every roster row is owned by one school; a CSV row that names none is copied to the schools it concerns, a row that ends
a record to the schools that have it.
"""

# ruff: noqa: S608  # statements are assembled from the constants of domain.records; values are always bound

from services.sync.domain.gradebook_records import EVERY_TYPE, LOCATED_TYPES
from services.sync.domain.records import (
    ACADEMIC_SESSION,
    CLASS,
    COURSE,
    ENROLLMENT,
    ROLE,
    USER,
    RecordType,
)
from services.sync.storage.resolve import Staging

_VISIBLE = "ANY(CAST(:schools AS text[]))"


async def expand(staging: Staging, named: list[str]) -> None:
    """Copy the roster's rows to their schools. `named` are the schools orgs.csv names."""
    await _ended(staging)
    await _sessions(staging, named)
    await _courses(staging, named)
    await _users(staging)


def copy_to_schools(record: RecordType, pairs: str, where: str = "true") -> str:
    """Copy the accepted school-less rows to the schools of the subquery `pairs` of (sourced_id, school).

    A join and not a lookup per row: the cost must grow with the rows, not with their square.
    """
    columns = ", ".join(record.columns)
    values = ", ".join(f"s.{name}" for name in record.columns)
    return (
        f"INSERT INTO {record.staging} "
        f"(import_id, line, sourced_id, school_sourced_id, outcome, ended, {columns}) "
        f"SELECT s.import_id, s.line, s.sourced_id, d.school, 'accepted', s.ended, {values} "
        f"FROM {record.staging} s "
        f"JOIN (SELECT DISTINCT sourced_id, school FROM ({pairs}) p WHERE school IS NOT NULL) d "
        "ON d.sourced_id = s.sourced_id "
        f"WHERE s.import_id = :i AND s.outcome = 'accepted' AND s.school_sourced_id = '' AND {where}"
    )


def holding(record: RecordType) -> str:
    """Which schools have which record now."""
    return (
        f"SELECT c.sourced_id, c.school_sourced_id AS school FROM {record.table} c "
        f"WHERE c.status = 'active' AND c.school_sourced_id = {_VISIBLE}"
    )


async def _ended(staging: Staging) -> None:
    for record in EVERY_TYPE:
        await staging.run(copy_to_schools(record, holding(record), "s.ended"))


def package_schools() -> str:
    """Schools of rows that name one, after resolution, and the schools orgs.csv names."""
    rows = " UNION ".join(
        f"SELECT school_sourced_id FROM {record.staging} "
        "WHERE import_id = :i AND outcome = 'accepted' AND NOT ended AND school_sourced_id <> ''"
        for record in (CLASS, ROLE, ENROLLMENT, *LOCATED_TYPES)
    )
    return f"SELECT school_sourced_id AS school FROM ({rows}) r UNION SELECT unnest(CAST(:named AS text[]))"


def pointed_at(record: RecordType, reference: str, school: str) -> str:
    """Which record of another kind each accepted row of `record` points to, and from which school."""
    return (
        f"SELECT r.{reference} AS sourced_id, r.{school} AS school FROM {record.staging} r "
        "WHERE r.import_id = :i AND r.outcome = 'accepted' AND NOT r.ended"
    )


async def _sessions(staging: Staging, named: list[str]) -> None:
    pairs = (
        f"SELECT t.sourced_id, q.school FROM {ACADEMIC_SESSION.staging} t CROSS JOIN ({package_schools()}) q "
        "WHERE t.import_id = :i"
    )
    # A bulk package speaks for its own schools only; a delta reaches whoever has the session.
    if staging.mode(ACADEMIC_SESSION) != "bulk":
        pairs += f" UNION ALL {holding(ACADEMIC_SESSION)}"
    await staging.run(copy_to_schools(ACADEMIC_SESSION, pairs, "NOT s.ended"), named=named)
    await refuse_undetermined(staging, ACADEMIC_SESSION)


async def _courses(staging: Staging, named: list[str]) -> None:
    own = f"{pointed_at(COURSE, 'sourced_id', 'org_sourced_id')} AND r.org_sourced_id = {_VISIBLE}"
    using = pointed_at(CLASS, "course_sourced_id", "school_sourced_id")
    held = holding(COURSE)
    if staging.mode(COURSE) == "bulk":
        held += f" AND c.school_sourced_id IN ({package_schools()})"
    await staging.run(copy_to_schools(COURSE, f"{own} UNION ALL {using} UNION ALL {held}", "NOT s.ended"), named=named)
    await leave_out(staging, COURSE, "dropped.courseUnused", "dropped")


async def _users(staging: Staging) -> None:
    pairs = pointed_at(ROLE, "user_sourced_id", "school_sourced_id")
    if staging.mode(ROLE) != "bulk":
        pairs += f" UNION ALL {holding(USER)}"
    await staging.run(copy_to_schools(USER, pairs, "NOT s.ended"))
    # A delta may give a person known at one school a role at another without sending the person again.
    columns = ", ".join(USER.columns)
    values = ", ".join(f"c.{name}" for name in USER.columns)
    await staging.run(
        f"INSERT INTO {USER.staging} (import_id, line, sourced_id, school_sourced_id, outcome, ended, {columns}) "
        f"SELECT DISTINCT ON (c.sourced_id, r.school_sourced_id) :i, r.line, c.sourced_id, r.school_sourced_id, "
        f"'accepted', false, {values} FROM {ROLE.staging} r JOIN {USER.table} c ON c.sourced_id = r.user_sourced_id "
        f"AND c.status = 'active' AND c.school_sourced_id = {_VISIBLE} "
        "WHERE r.import_id = :i AND r.outcome = 'accepted' AND NOT r.ended "
        f"AND NOT EXISTS (SELECT 1 FROM {USER.table} h WHERE h.sourced_id = c.sourced_id "
        "AND h.school_sourced_id = r.school_sourced_id AND h.status = 'active') "
        f"AND NOT EXISTS (SELECT 1 FROM {USER.staging} t WHERE t.import_id = :i AND t.sourced_id = c.sourced_id "
        "AND t.school_sourced_id = r.school_sourced_id AND t.outcome = 'accepted') "
        "ORDER BY c.sourced_id, r.school_sourced_id, c.date_last_modified DESC"
    )


async def refuse_undetermined(staging: Staging, record: RecordType) -> None:
    await leave_out(staging, record, "school.undetermined", "error")


async def leave_out(staging: Staging, record: RecordType, code: str, severity: str) -> None:
    """Report and leave out the rows that no school turned out to need."""
    outcome = "refused" if severity == "error" else "dropped"
    await staging.run(
        f"WITH found AS (UPDATE {record.staging} s SET outcome = '{outcome}' "
        "WHERE s.import_id = :i AND s.outcome = 'accepted' AND NOT s.ended AND s.school_sourced_id = '' "
        f"AND NOT EXISTS (SELECT 1 FROM {record.staging} t WHERE t.import_id = :i AND t.sourced_id = s.sourced_id "
        "AND t.outcome = 'accepted' AND t.school_sourced_id <> '') RETURNING s.line, s.sourced_id) "
        "INSERT INTO import_problem (import_id, severity, code, file, line, count, record_sourced_id) "
        f"SELECT :i, '{severity}', '{code}', '{record.file}.csv', line, 1, sourced_id FROM found"
    )


async def write_schools(staging: Staging, named: list[str]) -> None:
    """Write `import_school`.

    A school is complete when orgs.csv names it, or when there is no orgs.csv and the package has classes of it.
    """
    complete = (
        "s.school = ANY(CAST(:named AS text[]))"
        if staging.modes.get("orgs", "absent") != "absent"
        else f"EXISTS (SELECT 1 FROM {CLASS.staging} k WHERE k.import_id = :i AND k.school_sourced_id = s.school)"
    )
    touched = " UNION ".join(
        f"SELECT school_sourced_id AS school FROM {record.staging} "
        "WHERE import_id = :i AND outcome = 'accepted' AND school_sourced_id <> ''"
        for record in EVERY_TYPE
    )
    await staging.run(
        "INSERT INTO import_school (import_id, school_sourced_id, base_version, complete, counts) "
        f"SELECT :i, s.school, COALESCE(r.version, 0), {complete}, '{{}}'::jsonb "
        f"FROM ({touched} UNION SELECT unnest(CAST(:named AS text[]))) s "
        "LEFT JOIN school_roster r ON r.school_sourced_id = s.school",
        named=named,
    )
