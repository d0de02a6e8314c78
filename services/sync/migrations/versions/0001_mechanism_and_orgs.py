"""Mechanism tables and the org tree."""

import sqlalchemy as sa
from alembic import op

from shared.db import mechanism, migrations

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# In the order of creation.
TABLES = [
    "org",
    "org_parent",
]


def upgrade() -> None:
    mechanism.create_first("sync_app")
    op.create_table(
        "org",
        sa.Column("sourced_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("identifier", sa.Text(), nullable=True),
        sa.Column("level", sa.Text(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("date_last_modified", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sourced_id", name=op.f("pk_org")),
    )
    op.create_table(
        "org_parent",
        sa.Column("position", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("sourced_id", sa.Text(), nullable=False),
        sa.Column("parent_sourced_id", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["parent_sourced_id"], ["org.sourced_id"], name=op.f("fk_org_parent_parent_sourced_id_org")
        ),
        sa.ForeignKeyConstraint(["sourced_id"], ["org.sourced_id"], name=op.f("fk_org_parent_sourced_id_org")),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_org_parent")),
    )
    op.create_index("ix_org_parent_sourced_id", "org_parent", ["sourced_id"])
    op.create_index("ix_org_parent_parent_sourced_id", "org_parent", ["parent_sourced_id"])
    for statement in migrations.grant_to_app(TABLES, "sync_app"):
        op.execute(statement)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    mechanism.drop_first()
