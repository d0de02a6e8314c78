"""Imports, what they find and what they change."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.db import migrations, scope

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# In the order of creation.
TABLES = ["import", "import_school", "import_problem", "import_change"]
SCHOOL_TABLES = ["import_school", "import_change"]


def upgrade() -> None:
    op.create_table(
        "import",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("receipt_number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("orgs", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("lenient", sa.Boolean(), nullable=False),
        sa.Column("auto_commit", sa.Boolean(), nullable=False),
        sa.Column("oneroster_version", sa.Text(), nullable=False),
        sa.Column("modes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("rows_done", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("rows_total", sa.BigInteger(), nullable=True),
        sa.Column(
            "counts", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column(
            "hold_reasons",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("validated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("committed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import")),
        sa.UniqueConstraint("receipt_number", name=op.f("uq_import_receipt_number")),
    )
    op.create_index("ix_import_client_id", "import", ["client_id", "receipt_number"], unique=False)
    op.create_index(
        "ix_import_unfinished",
        "import",
        ["receipt_number"],
        unique=False,
        postgresql_where=sa.text("state IN ('received', 'validating', 'committing')"),
    )
    op.create_table(
        "import_school",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("school_sourced_id", sa.Text(), nullable=False),
        sa.Column("base_version", sa.BigInteger(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("held", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("released_by", sa.Text(), nullable=True),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("release_reason", sa.Text(), nullable=True),
        sa.Column("committed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["import_id"], ["import.id"], name=op.f("fk_import_school_import_id_import")),
        sa.ForeignKeyConstraint(
            ["school_sourced_id"], ["org.sourced_id"], name=op.f("fk_import_school_school_sourced_id_org")
        ),
        sa.PrimaryKeyConstraint("import_id", "school_sourced_id", name=op.f("pk_import_school")),
    )
    op.create_index(
        "ix_import_school_school_sourced_id", "import_school", ["school_sourced_id", "import_id"], unique=False
    )
    op.create_table(
        "import_problem",
        sa.Column("position", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=True),
        sa.Column("field", sa.Text(), nullable=True),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("expected", sa.Text(), nullable=True),
        sa.Column("school_sourced_id", sa.Text(), nullable=True),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["import.id"], name=op.f("fk_import_problem_import_id_import")),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_import_problem")),
    )
    op.create_index("ix_import_problem_import_id", "import_problem", ["import_id", "position"], unique=False)
    op.create_table(
        "import_change",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("school_sourced_id", sa.Text(), nullable=False),
        sa.Column("sourced_id", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("fields", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(["import_id"], ["import.id"], name=op.f("fk_import_change_import_id_import")),
        sa.PrimaryKeyConstraint("import_id", "type", "school_sourced_id", "sourced_id", name=op.f("pk_import_change")),
    )
    for table in SCHOOL_TABLES:
        for statement in scope.school_policy(table):
            op.execute(statement)
    for statement in migrations.grant_to_app(TABLES, "sync_app"):
        op.execute(statement)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
