"""Merged people: which issued code a provisional one became."""

import sqlalchemy as sa
from alembic import op

from shared.db import migrations

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "person_alias",
        sa.Column("sourced_id", sa.Text(), nullable=False),
        sa.Column("issued", sa.Text(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("merged_by", sa.Text(), nullable=False),
        sa.Column("merged_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sourced_id", name=op.f("pk_person_alias")),
    )
    for statement in migrations.grant_to_app(["person_alias"], "sync_app"):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("person_alias")
