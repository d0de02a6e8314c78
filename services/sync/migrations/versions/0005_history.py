"""History of roster records, and which transaction wrote a version: the source of the change feed."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from shared.db import migrations, scope

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

THIS_TRANSACTION = "((pg_current_xact_id())::text)::bigint"
# Columns of the record by table: type and whether it may be empty.
RECORDS: dict[str, list[tuple[str, Any, bool]]] = {
    "academic_session": [
        ("title", sa.Text(), False),
        ("type", sa.Text(), False),
        ("start_date", sa.Date(), False),
        ("end_date", sa.Date(), False),
        ("parent_sourced_id", sa.Text(), True),
        ("school_year", sa.Text(), False),
    ],
    "course": [
        ("title", sa.Text(), False),
        ("course_code", sa.Text(), True),
        ("school_year_sourced_id", sa.Text(), True),
        ("grades", sa.ARRAY(sa.Text()), True),
        ("subjects", sa.ARRAY(sa.Text()), True),
        ("subject_codes", sa.ARRAY(sa.Text()), True),
        ("org_sourced_id", sa.Text(), True),
    ],
    "class": [
        ("title", sa.Text(), False),
        ("class_code", sa.Text(), True),
        ("class_type", sa.Text(), False),
        ("location", sa.Text(), True),
        ("grades", sa.ARRAY(sa.Text()), True),
        ("subjects", sa.ARRAY(sa.Text()), True),
        ("subject_codes", sa.ARRAY(sa.Text()), True),
        ("periods", sa.ARRAY(sa.Text()), True),
        ("course_sourced_id", sa.Text(), False),
        ("term_sourced_ids", sa.ARRAY(sa.Text()), False),
    ],
    "person": [
        ("enabled_user", sa.Boolean(), False),
        ("username", sa.Text(), False),
        ("user_ids", sa.ARRAY(sa.Text()), True),
        ("given_name", sa.Text(), False),
        ("family_name", sa.Text(), False),
        ("middle_name", sa.Text(), True),
        ("identifier", sa.Text(), True),
        ("email", sa.Text(), True),
        ("grades", sa.ARRAY(sa.Text()), True),
        ("user_master_identifier", sa.Text(), True),
        ("preferred_given_name", sa.Text(), True),
        ("preferred_middle_name", sa.Text(), True),
        ("preferred_family_name", sa.Text(), True),
        ("primary_org_sourced_id", sa.Text(), True),
    ],
    "role": [
        ("user_sourced_id", sa.Text(), False),
        ("role_type", sa.Text(), False),
        ("role", sa.Text(), False),
        ("begin_date", sa.Date(), True),
        ("end_date", sa.Date(), True),
    ],
    "enrollment": [
        ("class_sourced_id", sa.Text(), False),
        ("user_sourced_id", sa.Text(), False),
        ("role", sa.Text(), False),
        ("is_primary", sa.Boolean(), True),
        ("begin_date", sa.Date(), True),
        ("end_date", sa.Date(), True),
    ],
}
TABLES = [f"{table}_history" for table in RECORDS]


def upgrade() -> None:
    for table in RECORDS:
        # The constant rewrites nothing: what is there was written by no transaction in particular, before all others.
        written_by = sa.Column("written_by", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
        op.add_column(table, written_by, if_not_exists=True)
    # Outside the transaction, hence the checks for what an interrupted run has already made.
    with op.get_context().autocommit_block():
        for table in RECORDS:
            op.create_index(
                f"ix_{table}_written_by",
                table,
                ["written_by", "school_sourced_id", "sourced_id"],
                postgresql_concurrently=True,
                if_not_exists=True,
            )
    for table, columns in RECORDS.items():
        op.alter_column(table, "written_by", server_default=sa.text(THIS_TRANSACTION))
        _create_history(f"{table}_history", [sa.Column(name, kind, nullable=empty) for name, kind, empty in columns])
    for table in TABLES:
        for statement in scope.school_policy(table):
            op.execute(statement)
    for statement in migrations.grant_to_app(TABLES, "sync_app"):
        op.execute(statement)


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


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    for table in RECORDS:
        op.drop_index(f"ix_{table}_written_by", table)
        op.drop_column(table, "written_by")
