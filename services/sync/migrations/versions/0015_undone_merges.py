"""Merges that were taken back: who did it, when and why. What stands stays in person_alias."""

import sqlalchemy as sa
from alembic import op

from shared.db import migrations

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "person_alias_undone",
        sa.Column("position", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("sourced_id", sa.Text(), nullable=False),
        sa.Column("issued", sa.Text(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("merged_by", sa.Text(), nullable=False),
        sa.Column("merged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undo_import_id", sa.Uuid(), nullable=True),
        sa.Column("undo_reason", sa.Text(), nullable=False),
        sa.Column("undone_by", sa.Text(), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_person_alias_undone")),
        sa.UniqueConstraint("undo_import_id", name=op.f("uq_person_alias_undone_undo_import_id")),
    )
    for statement in migrations.grant_to_app(["person_alias_undone"], "sync_app"):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("person_alias_undone")
