"""Which submissions rest on which versions"""

import sqlalchemy as sa
from alembic import op

from shared.db import migrations, scope

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "version_use",
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("material_id", sa.Uuid(), nullable=False),
        sa.Column("school_sourced_id", sa.Text(), nullable=False),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("submission_id", "version_id", name=op.f("pk_version_use")),
    )
    op.create_index("ix_version_use_material_id", "version_use", ["material_id"], unique=False)
    op.create_index("ix_version_use_version_id", "version_use", ["version_id"], unique=False)
    for statement in migrations.grant_to_app(["version_use"], "materials_app"):
        op.execute(statement)
    for statement in scope.school_policy("version_use"):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("version_use")
