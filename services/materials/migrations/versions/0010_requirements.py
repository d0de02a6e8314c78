"""Curriculum requirements: frameworks and their items"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "requirement_framework",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column("package", postgresql.JSONB(), nullable=False),
        sa.Column("imported_by", sa.Text(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_requirement_framework")),
    )
    op.create_table(
        "requirement",
        sa.Column("framework_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("guid", sa.Uuid(), nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("grades", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("text_vi", sa.Text(), nullable=False),
        sa.Column("text_en", sa.Text(), nullable=True),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("path", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("case_item", postgresql.JSONB(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_from <= valid_to", name=op.f("ck_requirement_ends_after_it_begins")
        ),
        sa.ForeignKeyConstraint(
            ["framework_id"],
            ["requirement_framework.id"],
            name=op.f("fk_requirement_framework_id_requirement_framework"),
        ),
        sa.PrimaryKeyConstraint("framework_id", "code", name=op.f("pk_requirement")),
    )
    op.create_index("ix_requirement_code", "requirement", ["code"], unique=False)
    op.create_index("ix_requirement_path", "requirement", ["path"], unique=False, postgresql_using="gin")
    op.execute("GRANT SELECT, INSERT, UPDATE ON requirement_framework, requirement TO materials_app")


def downgrade() -> None:
    op.drop_table("requirement")
    op.drop_table("requirement_framework")
