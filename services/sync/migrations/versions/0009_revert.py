"""Which import a new one undoes."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("import", sa.Column("revert_of", sa.Uuid(), nullable=True))


def downgrade() -> None:
    op.drop_column("import", "revert_of")
