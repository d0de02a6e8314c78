"""Records written one by one: which record an import wrote, and rosters whose hash and counts are still to be made."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("import", sa.Column("record", sa.Text(), nullable=True))
    op.add_column("school_roster", sa.Column("unsealed_since", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("school_roster", "unsealed_since")
    op.drop_column("import", "record")
