"""Materials that were withdrawn: kept, and not counted"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("approved_material", sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.execute("DELETE FROM approved_material WHERE withdrawn_at IS NOT NULL")
    op.drop_column("approved_material", "withdrawn_at")
