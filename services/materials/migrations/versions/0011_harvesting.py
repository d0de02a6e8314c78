"""Since when a shared material is public, so that whoever harvested it learns that it is no more"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("shelf_item", sa.Column("public_since", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE shelf_item SET public_since = shared_at WHERE public")


def downgrade() -> None:
    op.drop_column("shelf_item", "public_since")
