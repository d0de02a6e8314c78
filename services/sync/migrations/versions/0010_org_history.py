"""What was known of the org tree when."""

import sqlalchemy as sa
from alembic import op

from shared.db import migrations

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# In the order of creation.
TABLES = ["org_history", "org_parent_history"]


def upgrade() -> None:
    op.create_table(
        "org_history",
        sa.Column("sourced_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("identifier", sa.Text(), nullable=True),
        sa.Column("level", sa.Text(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("recorded_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_to", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sourced_id", "version", name=op.f("pk_org_history")),
    )
    op.create_table(
        "org_parent_history",
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sourced_id", sa.Text(), nullable=False),
        sa.Column("parent_sourced_id", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("recorded_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_to", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_org_parent_history")),
    )
    op.create_index(op.f("ix_org_parent_history_sourced_id"), "org_parent_history", ["sourced_id"])
    op.create_index(op.f("ix_org_parent_history_parent_sourced_id"), "org_parent_history", ["parent_sourced_id"])
    for statement in migrations.grant_to_app(TABLES, "sync_app"):
        op.execute(statement)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
