"""Sketches of texts, to find what is alike"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "file_sketch",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("sketch", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.ForeignKeyConstraint(["sha256"], ["stored_file.sha256"], name=op.f("fk_file_sketch_sha256_stored_file")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_file_sketch")),
    )
    op.create_index("ix_file_sketch_sketch", "file_sketch", ["sketch"], unique=False, postgresql_using="gin")
    op.execute("GRANT SELECT, INSERT ON file_sketch TO materials_app")


def downgrade() -> None:
    op.drop_table("file_sketch")
