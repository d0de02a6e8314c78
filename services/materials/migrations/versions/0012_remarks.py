"""Remarks of an appraisal by criterion; at most one shared proposal of a material"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("appraisal", sa.Column("remarks", JSONB(), nullable=True), if_not_exists=True)
    with op.get_context().autocommit_block():
        op.create_index(
            "uq_proposal_shared_material",
            "proposal",
            ["material_id"],
            unique=True,
            postgresql_where=sa.text("state = 'shared'"),
            postgresql_concurrently=True,
            if_not_exists=True,
        )


def downgrade() -> None:
    op.drop_index("uq_proposal_shared_material", table_name="proposal")
    op.drop_column("appraisal", "remarks")
