"""How many materials the department wants for each subject and grade"""

import sqlalchemy as sa
from alembic import op

from shared.db import migrations

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "coverage_need",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("needed", sa.BigInteger(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject", "grade", name=op.f("pk_coverage_need")),
    )
    for statement in migrations.grant_to_app(["coverage_need"], "materials_app"):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("coverage_need")
