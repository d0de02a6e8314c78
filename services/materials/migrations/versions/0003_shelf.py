"""The city's shared shelf: what a panel has appraised, as it was when it was shared"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ROLE = "materials_app"


def upgrade() -> None:
    op.create_table(
        "shelf_item",
        sa.Column("material_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("school_sourced_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("other_subjects", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("grades", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("requirements", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("authors", postgresql.JSONB(), nullable=False),
        sa.Column("licence", sa.Text(), nullable=False),
        sa.Column("sources", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("rights_statement", sa.Text(), nullable=False),
        sa.Column("duration_seconds", sa.BigInteger(), nullable=True),
        sa.Column("files", postgresql.JSONB(), nullable=False),
        sa.Column("history", postgresql.JSONB(), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("was_public", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("shared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "written_by", sa.BigInteger(), server_default=sa.text("pg_current_xact_id()::text::bigint"), nullable=False
        ),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("material_id", name=op.f("pk_shelf_item")),
    )
    op.create_index("ix_shelf_item_changed_at_material_id", "shelf_item", ["changed_at", "material_id"], unique=False)
    op.execute("CREATE INDEX ix_shelf_item_files ON shelf_item USING gin (files jsonb_path_ops)")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON shelf_item TO {ROLE}")


def downgrade() -> None:
    op.drop_table("shelf_item")
