"""Gradebook, resources and demographics: records with their history and staging."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from shared.db import migrations, scope

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

THIS_TRANSACTION = "((pg_current_xact_id())::text)::bigint"
# Columns by table, in the order of creation: type and whether it may be empty.
RECORDS: dict[str, list[tuple[str, Any, bool]]] = {
    "demographics": [
        ("birth_date", sa.Date(), True),
        ("sex", sa.Text(), True),
    ],
    "category": [
        ("title", sa.Text(), False),
        ("weight", sa.Numeric(), True),
    ],
    "score_scale": [
        ("title", sa.Text(), False),
        ("type", sa.Text(), False),
        ("class_sourced_id", sa.Text(), False),
        ("course_sourced_id", sa.Text(), True),
        ("item_values_lhs", sa.ARRAY(sa.Text()), False),
        ("item_values_rhs", sa.ARRAY(sa.Text()), False),
    ],
    "line_item": [
        ("title", sa.Text(), False),
        ("description", sa.Text(), True),
        ("assign_date", sa.DateTime(timezone=True), False),
        ("due_date", sa.DateTime(timezone=True), False),
        ("class_sourced_id", sa.Text(), False),
        ("category_sourced_id", sa.Text(), False),
        ("grading_period_sourced_id", sa.Text(), True),
        ("academic_session_sourced_id", sa.Text(), True),
        ("result_value_min", sa.Numeric(), True),
        ("result_value_max", sa.Numeric(), True),
    ],
    "result": [
        ("line_item_sourced_id", sa.Text(), False),
        ("student_sourced_id", sa.Text(), False),
        ("score_status", sa.Text(), False),
        ("score", sa.Numeric(), True),
        ("text_score", sa.Text(), True),
        ("score_date", sa.Date(), False),
        ("in_progress", sa.Boolean(), True),
        ("incomplete", sa.Boolean(), True),
        ("late", sa.Boolean(), True),
        ("missing", sa.Boolean(), True),
    ],
    "resource": [
        ("vendor_resource_id", sa.Text(), False),
        ("title", sa.Text(), True),
        ("roles", sa.ARRAY(sa.Text()), True),
        ("importance", sa.Text(), True),
        ("vendor_id", sa.Text(), True),
        ("application_id", sa.Text(), True),
    ],
    "class_resource": [
        ("title", sa.Text(), True),
        ("class_sourced_id", sa.Text(), False),
        ("resource_sourced_id", sa.Text(), False),
    ],
    "course_resource": [
        ("title", sa.Text(), True),
        ("course_sourced_id", sa.Text(), False),
        ("resource_sourced_id", sa.Text(), False),
    ],
    "user_resource": [
        ("user_sourced_id", sa.Text(), False),
        ("class_sourced_id", sa.Text(), True),
        ("resource_sourced_id", sa.Text(), False),
    ],
    "line_item_score_scale": [
        ("title", sa.Text(), True),
        ("line_item_sourced_id", sa.Text(), False),
        ("score_scale_sourced_id", sa.Text(), False),
    ],
    "result_score_scale": [
        ("title", sa.Text(), True),
        ("result_sourced_id", sa.Text(), False),
        ("score_scale_sourced_id", sa.Text(), False),
    ],
    "line_item_objective": [
        ("line_item_sourced_id", sa.Text(), False),
        ("source", sa.Text(), False),
        ("learning_objective_id", sa.Text(), False),
    ],
    "result_objective": [
        ("result_sourced_id", sa.Text(), False),
        ("source", sa.Text(), False),
        ("learning_objective_id", sa.Text(), False),
        ("score", sa.Numeric(), True),
        ("text_score", sa.Text(), True),
    ],
}
# (table, column, table it points to within the school)
REFERENCES = [
    ("demographics", "sourced_id", "person"),
    ("score_scale", "class_sourced_id", "class"),
    ("line_item", "class_sourced_id", "class"),
    ("result", "line_item_sourced_id", "line_item"),
    ("result", "student_sourced_id", "person"),
    ("class_resource", "class_sourced_id", "class"),
    ("class_resource", "resource_sourced_id", "resource"),
    ("course_resource", "course_sourced_id", "course"),
    ("course_resource", "resource_sourced_id", "resource"),
    ("user_resource", "user_sourced_id", "person"),
    ("user_resource", "resource_sourced_id", "resource"),
    ("line_item_score_scale", "line_item_sourced_id", "line_item"),
    ("line_item_score_scale", "score_scale_sourced_id", "score_scale"),
    ("result_score_scale", "result_sourced_id", "result"),
    ("result_score_scale", "score_scale_sourced_id", "score_scale"),
    ("line_item_objective", "line_item_sourced_id", "line_item"),
    ("result_objective", "result_sourced_id", "result"),
    ("line_item", "category_sourced_id", "category"),
]
STAGED = [f"staged_{table}" for table in RECORDS]
HISTORIES = [f"{table}_history" for table in RECORDS]


def upgrade() -> None:
    for table, columns in RECORDS.items():
        _create_record(table, [sa.Column(name, kind, nullable=empty) for name, kind, empty in columns])
        _create_history(f"{table}_history", [sa.Column(name, kind, nullable=empty) for name, kind, empty in columns])
        _create_staging(f"staged_{table}", [sa.Column(name, kind) for name, kind, _ in columns])
    for table in (*RECORDS, *HISTORIES):
        for statement in scope.school_policy(table):
            op.execute(statement)
    for statement in migrations.grant_to_app([*RECORDS, *HISTORIES, *STAGED], "sync_app"):
        op.execute(statement)


def _create_record(table: str, columns: list[sa.Column[object]]) -> None:
    references = [(column, target) for name, column, target in REFERENCES if name == table]
    op.create_table(
        table,
        sa.Column("sourced_id", sa.Text(), nullable=False),
        sa.Column("school_sourced_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("date_last_modified", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("last_import_id", sa.Uuid(), nullable=False),
        sa.Column("written_by", sa.BigInteger(), nullable=False, server_default=sa.text(THIS_TRANSACTION)),
        *columns,
        sa.PrimaryKeyConstraint("sourced_id", "school_sourced_id", name=op.f(f"pk_{table}")),
        *(
            sa.ForeignKeyConstraint(
                [column, "school_sourced_id"], [f"{target}.sourced_id", f"{target}.school_sourced_id"]
            )
            for column, target in references
        ),
    )
    op.create_index(f"ix_{table}_school_sourced_id", table, ["school_sourced_id"])
    op.create_index(f"ix_{table}_written_by", table, ["written_by", "school_sourced_id", "sourced_id"])
    for column, _ in references:
        if column != "sourced_id":
            op.create_index(f"ix_{table}_{column}", table, [column, "school_sourced_id"])


def _create_history(table: str, columns: list[sa.Column[object]]) -> None:
    op.create_table(
        table,
        sa.Column("sourced_id", sa.Text(), nullable=False),
        sa.Column("school_sourced_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("recorded_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_to", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_import_id", sa.Uuid(), nullable=False),
        sa.Column("written_by", sa.BigInteger(), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("sourced_id", "school_sourced_id", "version", name=op.f(f"pk_{table}")),
    )
    op.create_index(f"ix_{table}_school_sourced_id", table, ["school_sourced_id", "sourced_id"])
    op.create_index(f"ix_{table}_written_by", table, ["written_by", "school_sourced_id", "sourced_id"])


def _create_staging(table: str, columns: list[sa.Column[object]]) -> None:
    op.create_table(
        table,
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("sourced_id", sa.Text(), nullable=False),
        sa.Column("school_sourced_id", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("ended", sa.Boolean(), nullable=False),
        *columns,
    )
    op.create_index(f"ix_{table}_import_id", table, ["import_id", "sourced_id"])


def downgrade() -> None:
    for table in reversed([*STAGED, *HISTORIES, *RECORDS]):
        op.drop_table(table)
