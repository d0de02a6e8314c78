"""The schema: org tree, roster records (owned by a school each), imports with their staging.

Roster tables are made from `domain.records`, so a column exists once in the code. Their key is the record's sourcedId
and the school; row-level security compares the school (`shared.db.scope.school_policy`).
"""

import datetime as dt
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    Numeric,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeEngine

from services.sync.domain.gradebook_records import EVERY_TYPE, FILLED, GRADEBOOK_TYPES, OPEN, REFERENCES
from services.sync.domain.records import COURSE, USER, RecordType
from shared.db.tables import declarative_base

if TYPE_CHECKING:

    class Base(DeclarativeBase): ...

else:
    Base = declarative_base()


class Org(Base):
    """One unit of the org tree. Codes are issued elsewhere; a unit ends by `valid_to` and is never deleted."""

    __tablename__ = "org"
    sourced_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    identifier: Mapped[str | None]
    level: Mapped[str | None]
    valid_from: Mapped[dt.date | None] = mapped_column(Date)
    valid_to: Mapped[dt.date | None] = mapped_column(Date)
    version: Mapped[int]
    date_last_modified: Mapped[dt.datetime]


class OrgParent(Base):
    """An edge of the tree with its validity, both ends inclusive."""

    __tablename__ = "org_parent"
    position: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    sourced_id: Mapped[str] = mapped_column(ForeignKey("org.sourced_id"), index=True)
    parent_sourced_id: Mapped[str] = mapped_column(ForeignKey("org.sourced_id"), index=True)
    valid_from: Mapped[dt.date | None] = mapped_column(Date)
    valid_to: Mapped[dt.date | None] = mapped_column(Date)


class Import(Base):
    """One upload and what became of it. `orgs` are the caller's grants at receipt: they bound what it may touch."""

    __tablename__ = "import"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    receipt_number: Mapped[int] = mapped_column(Identity(always=True), unique=True)
    received_at: Mapped[dt.datetime]
    client_id: Mapped[str]
    subject: Mapped[str]
    orgs: Mapped[list[str]] = mapped_column(ARRAY(Text))
    state: Mapped[str]
    lenient: Mapped[bool]
    auto_commit: Mapped[bool]
    dry_run: Mapped[bool] = mapped_column(server_default=text("false"))  # never committed
    oneroster_version: Mapped[str]
    modes: Mapped[dict[str, Any]]
    sha256: Mapped[str]
    size_bytes: Mapped[int]
    rows_done: Mapped[int] = mapped_column(server_default=text("0"))
    rows_total: Mapped[int | None]
    counts: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    hold_reasons: Mapped[list[Any]] = mapped_column(server_default=text("'[]'::jsonb"))
    attempts: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    validated_at: Mapped[dt.datetime | None]
    committed_at: Mapped[dt.datetime | None]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    retry_of: Mapped[UUID | None]
    revert_of: Mapped[UUID | None]
    record: Mapped[str | None]  # `<collection>/<sourcedId>` of the one record a PUT or DELETE wrote
    __table_args__ = (
        Index("ix_import_client_id", "client_id", "receipt_number"),
        Index(
            "ix_import_unfinished",
            "receipt_number",
            postgresql_where=text("state IN ('received', 'validating', 'committing')"),
        ),
    )


class ImportSchool(Base):
    """What an import does to one school.

    `base_version` is the roster version the difference was computed against; `complete`: the package speaks for the
    whole school, so in bulk mode what it leaves out ends; `held`: someone of the school must release it first.
    """

    __tablename__ = "import_school"
    import_id: Mapped[UUID] = mapped_column(ForeignKey("import.id"), primary_key=True)
    school_sourced_id: Mapped[str] = mapped_column(ForeignKey("org.sourced_id"), primary_key=True)
    base_version: Mapped[int]
    complete: Mapped[bool]
    counts: Mapped[dict[str, Any]]
    held: Mapped[bool] = mapped_column(server_default=text("false"))
    released_by: Mapped[str | None]
    released_at: Mapped[dt.datetime | None]
    release_reason: Mapped[str | None]
    committed_at: Mapped[dt.datetime | None]
    discarded_at: Mapped[dt.datetime | None]
    __table_args__ = (Index("ix_import_school_school_sourced_id", "school_sourced_id", "import_id"),)


class ImportDecision(Base):
    """Who released or discarded the held part of a school, when and why; kept also when it is held again."""

    __tablename__ = "import_decision"
    position: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    import_id: Mapped[UUID] = mapped_column(ForeignKey("import.id"))
    school_sourced_id: Mapped[str]
    action: Mapped[str]
    reason: Mapped[str]
    decided_by: Mapped[str]
    decided_at: Mapped[dt.datetime]
    __table_args__ = (Index("ix_import_decision_import_id", "import_id", "school_sourced_id"),)


class RegistryCode(Base):
    """A code the department issued to a learner or a member of staff; nothing about the person."""

    __tablename__ = "registry_code"
    kind: Mapped[str] = mapped_column(primary_key=True)
    sourced_id: Mapped[str] = mapped_column(primary_key=True)
    loaded_at: Mapped[dt.datetime]


class RegistryModeRow(Base):
    """How strictly a kind of code binds, where the department decided it."""

    __tablename__ = "registry_mode"
    kind: Mapped[str] = mapped_column(primary_key=True)
    mode: Mapped[str]
    reason: Mapped[str]
    decided_by: Mapped[str]
    decided_at: Mapped[dt.datetime]


class ImportProblem(Base):
    """One finding. Loaded by COPY, hence without row-level security: queries filter by owner or school.

    `record_…` is the refused row's record, `target_…` the record it was refused for want of; `cause` is the position of
    the finding that everything of one root cause is counted under.
    """

    __tablename__ = "import_problem"
    position: Mapped[int] = mapped_column(Identity(), primary_key=True)
    import_id: Mapped[UUID]
    severity: Mapped[str]
    code: Mapped[str]
    file: Mapped[str]
    line: Mapped[int | None]
    field: Mapped[str | None]
    value: Mapped[str | None]
    expected: Mapped[str | None]
    school_sourced_id: Mapped[str | None]
    count: Mapped[int]
    record_sourced_id: Mapped[str | None]
    target_file: Mapped[str | None]
    target_sourced_id: Mapped[str | None]
    cause: Mapped[int | None]
    __table_args__ = (Index("ix_import_problem_import_id", "import_id", "position"),)


class ImportChange(Base):
    """The difference an import makes, one row per record; `fields` holds before and after of changed fields."""

    __tablename__ = "import_change"
    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    type: Mapped[str] = mapped_column(primary_key=True)
    school_sourced_id: Mapped[str] = mapped_column(primary_key=True)
    sourced_id: Mapped[str] = mapped_column(primary_key=True)
    action: Mapped[str]
    fields: Mapped[dict[str, Any] | None]


class SchoolRoster(Base):
    """The state of a school's roster: its row lock makes imports of one school run one after the other."""

    __tablename__ = "school_roster"
    school_sourced_id: Mapped[str] = mapped_column(ForeignKey("org.sourced_id"), primary_key=True)
    version: Mapped[int]
    last_import_id: Mapped[UUID]
    last_received_at: Mapped[dt.datetime]
    committed_at: Mapped[dt.datetime]
    content_hash: Mapped[str]
    counts: Mapped[dict[str, Any]]
    unsealed_since: Mapped[dt.datetime | None]  # records were written one by one; hash and counts are older


_LISTS = {"grades", "subjects", "subject_codes", "periods", "term_sourced_ids", "user_ids"}
_LISTS |= {"roles", "item_values_lhs", "item_values_rhs"}
_DATES = {"start_date", "end_date", "begin_date", "birth_date", "score_date"}
_BOOLEANS = {"enabled_user", "is_primary", "in_progress", "incomplete", "late", "missing"}
_NUMBERS = {"weight", "score", "score_percentile", "result_value_min", "result_value_max"}
_INSTANTS = {"assign_date", "due_date"}
# Never empty in a record that was accepted; in staging a refused row is empty but for its id.
_FILLED = {
    "academic_session": {"title", "type", "start_date", "end_date", "school_year"},
    "course": {"title"},
    "class": {"title", "class_type", "course_sourced_id", "term_sourced_ids"},
    "person": {"enabled_user", "username", "given_name", "family_name"},
    "role": {"user_sourced_id", "role_type", "role"},
    "enrollment": {"class_sourced_id", "user_sourced_id", "role"},
    **{record.table: FILLED.get(record.table, set()) for record in GRADEBOOK_TYPES},
}
for _child, _, _column in REFERENCES:
    if (_child.table, _column) not in OPEN:
        _FILLED[_child.table].add(_column)

# The running transaction's id as a number that never wraps round: `written_by` orders the change feed.
THIS_TRANSACTION = "((pg_current_xact_id())::text)::bigint"


def column_type(name: str) -> TypeEngine[Any]:
    if name in _LISTS:
        return ARRAY(Text)
    if name in _DATES:
        return Date()
    if name in _NUMBERS:
        return Numeric()
    if name in _INSTANTS:
        return DateTime(timezone=True)
    return Boolean() if name in _BOOLEANS else Text()


def _record_table(record: RecordType, *constraints: Any) -> Table:
    filled = _FILLED[record.table]
    return Table(
        record.table,
        Base.metadata,
        Column("sourced_id", Text, primary_key=True),
        Column("school_sourced_id", Text, primary_key=True),
        Column("status", Text, nullable=False),
        Column("date_last_modified", DateTime(timezone=True), nullable=False),
        Column("version", BigInteger, nullable=False),
        Column("last_import_id", Uuid(), nullable=False),
        Column("written_by", BigInteger, nullable=False, server_default=text(THIS_TRANSACTION)),
        *(Column(name, column_type(name), nullable=name not in filled) for name in record.columns),
        Index(f"ix_{record.table}_written_by", "written_by", "school_sourced_id", "sourced_id"),
        *constraints,
    )


def _history_table(record: RecordType) -> Table:
    """What a record was, one row per version that was overwritten; the newest version is in the record's own table.

    Known from `recorded_from` (the record's date_last_modified then) until just before `recorded_to`. Rows are only
    ever added. `written_by` is the transaction that wrote this version, not the one that replaced it.
    """
    filled = _FILLED[record.table]
    return Table(
        record.history,
        Base.metadata,
        Column("sourced_id", Text, primary_key=True),
        Column("school_sourced_id", Text, primary_key=True),
        Column("version", BigInteger, primary_key=True),
        Column("status", Text, nullable=False),
        Column("recorded_from", DateTime(timezone=True), nullable=False),
        Column("recorded_to", DateTime(timezone=True), nullable=False),
        Column("last_import_id", Uuid(), nullable=False),
        Column("written_by", BigInteger, nullable=False),
        *(Column(name, column_type(name), nullable=name not in filled) for name in record.columns),
        Index(f"ix_{record.history}_school_sourced_id", "school_sourced_id", "sourced_id"),
        Index(f"ix_{record.history}_written_by", "written_by", "school_sourced_id", "sourced_id"),
    )


def _staging_table(record: RecordType) -> Table:
    return Table(
        record.staging,
        Base.metadata,
        Column("import_id", Uuid(), nullable=False),
        Column("line", Integer, nullable=False),
        Column("sourced_id", Text, nullable=False),
        Column("school_sourced_id", Text, nullable=False),
        Column("outcome", Text, nullable=False),
        Column("ended", Boolean, nullable=False),
        *(Column(name, column_type(name)) for name in record.columns),
        Index(f"ix_{record.staging}_import_id", "import_id", "sourced_id"),
    )


# Millions of rows: what a foreign key would check row by row, a trigger checks once per statement (migration 0011).
_CHECKED_AT_ONCE = {"enrollment", "result"}


def _within_school(column: str, target: RecordType) -> ForeignKeyConstraint:
    """A reference that cannot leave the school."""
    return ForeignKeyConstraint(
        [column, "school_sourced_id"], [f"{target.table}.sourced_id", f"{target.table}.school_sourced_id"]
    )


_CONSTRAINTS: dict[str, tuple[Any, ...]] = {
    "academic_session": (Index("ix_academic_session_school_sourced_id", "school_sourced_id"),),
    "course": (Index("ix_course_school_sourced_id", "school_sourced_id"),),
    "class": (
        _within_school("course_sourced_id", COURSE),
        Index("ix_class_school_sourced_id", "school_sourced_id"),
        Index("ix_class_course_sourced_id", "course_sourced_id"),
    ),
    "person": (Index("ix_person_school_sourced_id", "school_sourced_id"),),
    "role": (
        _within_school("user_sourced_id", USER),
        Index("ix_role_user_sourced_id", "user_sourced_id", "school_sourced_id"),
        Index("ix_role_school_sourced_id", "school_sourced_id", "role"),
    ),
    "enrollment": (
        Index("ix_enrollment_school_sourced_id", "school_sourced_id", "class_sourced_id"),
        Index("ix_enrollment_user_sourced_id", "user_sourced_id", "school_sourced_id"),
    ),
}


def _gradebook_constraints(record: RecordType) -> tuple[Any, ...]:
    references = [(parent, column) for child, parent, column in REFERENCES if child is record]
    return (
        Index(f"ix_{record.table}_school_sourced_id", "school_sourced_id"),
        *(_within_school(column, parent) for parent, column in references if record.table not in _CHECKED_AT_ONCE),
        *(
            Index(f"ix_{record.table}_{column}", column, "school_sourced_id")
            for _, column in references
            if column != "sourced_id"
        ),
    )


_CONSTRAINTS |= {record.table: _gradebook_constraints(record) for record in GRADEBOOK_TYPES}

RECORD_TABLES = {record.table: _record_table(record, *_CONSTRAINTS[record.table]) for record in EVERY_TYPE}
HISTORY_TABLES = {record.history: _history_table(record) for record in EVERY_TYPE}
STAGING_TABLES = {record.table: _staging_table(record) for record in EVERY_TYPE}

# Rows of these tables belong to a school; the migration puts a policy on each.
SCHOOL_TABLES = (*RECORD_TABLES, *HISTORY_TABLES, "import_school", "import_change", "import_decision", "school_roster")
