"""Registry of issued codes, decisions on held imports, causes."""

import sqlalchemy as sa
from alembic import op

from shared.db import migrations, scope

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# In the order of creation.
TABLES = ["import_decision", "registry_code", "registry_mode"]


def upgrade() -> None:
    for name in ("record_sourced_id", "target_file", "target_sourced_id"):
        op.add_column("import_problem", sa.Column(name, sa.Text(), nullable=True))
    op.add_column("import_problem", sa.Column("cause", sa.BigInteger(), nullable=True))
    op.add_column("import", sa.Column("retry_of", sa.Uuid(), nullable=True))
    op.add_column("import_school", sa.Column("discarded_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "import_decision",
        sa.Column("position", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("school_sourced_id", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["import.id"], name=op.f("fk_import_decision_import_id_import")),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_import_decision")),
    )
    op.create_index("ix_import_decision_import_id", "import_decision", ["import_id", "school_sourced_id"], unique=False)
    op.create_table(
        "registry_code",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sourced_id", sa.Text(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "sourced_id", name=op.f("pk_registry_code")),
    )
    op.create_table(
        "registry_mode",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_registry_mode")),
    )
    for statement in scope.school_policy("import_decision"):
        op.execute(statement)
    for statement in migrations.grant_to_app(TABLES, "sync_app"):
        op.execute(statement)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    op.drop_column("import_school", "discarded_at")
    op.drop_column("import", "retry_of")
    for name in ("cause", "target_sourced_id", "target_file", "record_sourced_id"):
        op.drop_column("import_problem", name)
