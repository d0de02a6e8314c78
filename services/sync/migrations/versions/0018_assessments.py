"""The assessment profile of the gradebook: records with their history and staging."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from shared.db import migrations, scope

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

THIS_TRANSACTION = "((pg_current_xact_id())::text)::bigint"
# Columns by table, in the order of creation: type and whether it may be empty.
RECORDS: dict[str, list[tuple[str, Any, bool]]] = {
    "assessment_item": [
        ("title", sa.Text(), False),
        ("description", sa.Text(), True),
        ("class_sourced_id", sa.Text(), True),
        ("parent_sourced_id", sa.Text(), True),
        ("score_scale_sourced_id", sa.Text(), True),
        ("result_value_min", sa.Numeric(), True),
        ("result_value_max", sa.Numeric(), True),
    ],
    "assessment_result": [
        ("assessment_line_item_sourced_id", sa.Text(), False),
        ("student_sourced_id", sa.Text(), False),
        ("score_status", sa.Text(), False),
        ("score", sa.Numeric(), True),
        ("text_score", sa.Text(), True),
        ("score_date", sa.Date(), False),
        ("score_percentile", sa.Numeric(), True),
        ("score_scale_sourced_id", sa.Text(), True),
        ("in_progress", sa.Boolean(), True),
        ("incomplete", sa.Boolean(), True),
        ("late", sa.Boolean(), True),
        ("missing", sa.Boolean(), True),
    ],
    "assessment_item_objective": [
        ("assessment_line_item_sourced_id", sa.Text(), False),
        ("source", sa.Text(), False),
        ("learning_objective_id", sa.Text(), False),
    ],
    "assessment_result_objective": [
        ("assessment_result_sourced_id", sa.Text(), False),
        ("source", sa.Text(), False),
        ("learning_objective_id", sa.Text(), False),
        ("score", sa.Numeric(), True),
        ("text_score", sa.Text(), True),
    ],
}
# (table, column, table it points to within the school)
REFERENCES = [
    ("assessment_item", "class_sourced_id", "class"),
    ("assessment_item", "parent_sourced_id", "assessment_item"),
    ("assessment_result", "student_sourced_id", "person"),
    ("assessment_result", "assessment_line_item_sourced_id", "assessment_item"),
    ("assessment_item_objective", "assessment_line_item_sourced_id", "assessment_item"),
    ("assessment_result_objective", "assessment_result_sourced_id", "assessment_result"),
    ("assessment_item", "score_scale_sourced_id", "score_scale"),
    ("assessment_result", "score_scale_sourced_id", "score_scale"),
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
