"""Staging: rows of a package before they count."""

import sqlalchemy as sa
from alembic import op

from shared.db import migrations

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# In the order of creation.
TABLES = [
    "staged_academic_session",
    "staged_class",
    "staged_course",
    "staged_enrollment",
    "staged_person",
    "staged_role",
]


def upgrade() -> None:
    op.create_table(
        "staged_academic_session",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("sourced_id", sa.Text(), nullable=False),
        sa.Column("school_sourced_id", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("start_date", sa.Date(), nullable=True),
        sa.Column("end_date", sa.Date(), nullable=True),
        sa.Column("parent_sourced_id", sa.Text(), nullable=True),
        sa.Column("school_year", sa.Text(), nullable=True),
    )
    op.create_index(
        "ix_staged_academic_session_import_id", "staged_academic_session", ["import_id", "sourced_id"], unique=False
    )
    op.create_table(
        "staged_class",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("sourced_id", sa.Text(), nullable=False),
        sa.Column("school_sourced_id", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("class_code", sa.Text(), nullable=True),
        sa.Column("class_type", sa.Text(), nullable=True),
        sa.Column("location", sa.Text(), nullable=True),
        sa.Column("grades", sa.ARRAY(sa.Text()), nullable=True),
        sa.Column("subjects", sa.ARRAY(sa.Text()), nullable=True),
        sa.Column("subject_codes", sa.ARRAY(sa.Text()), nullable=True),
        sa.Column("periods", sa.ARRAY(sa.Text()), nullable=True),
        sa.Column("course_sourced_id", sa.Text(), nullable=True),
        sa.Column("term_sourced_ids", sa.ARRAY(sa.Text()), nullable=True),
    )
    op.create_index("ix_staged_class_import_id", "staged_class", ["import_id", "sourced_id"], unique=False)
    op.create_table(
        "staged_course",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("sourced_id", sa.Text(), nullable=False),
        sa.Column("school_sourced_id", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("course_code", sa.Text(), nullable=True),
        sa.Column("school_year_sourced_id", sa.Text(), nullable=True),
        sa.Column("grades", sa.ARRAY(sa.Text()), nullable=True),
        sa.Column("subjects", sa.ARRAY(sa.Text()), nullable=True),
        sa.Column("subject_codes", sa.ARRAY(sa.Text()), nullable=True),
        sa.Column("org_sourced_id", sa.Text(), nullable=True),
    )
    op.create_index("ix_staged_course_import_id", "staged_course", ["import_id", "sourced_id"], unique=False)
    op.create_table(
        "staged_enrollment",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("sourced_id", sa.Text(), nullable=False),
        sa.Column("school_sourced_id", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.Column("class_sourced_id", sa.Text(), nullable=True),
        sa.Column("user_sourced_id", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("is_primary", sa.Boolean(), nullable=True),
        sa.Column("begin_date", sa.Date(), nullable=True),
        sa.Column("end_date", sa.Date(), nullable=True),
    )
    op.create_index("ix_staged_enrollment_import_id", "staged_enrollment", ["import_id", "sourced_id"], unique=False)
    op.create_table(
        "staged_person",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("sourced_id", sa.Text(), nullable=False),
        sa.Column("school_sourced_id", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.Column("enabled_user", sa.Boolean(), nullable=True),
        sa.Column("username", sa.Text(), nullable=True),
        sa.Column("user_ids", sa.ARRAY(sa.Text()), nullable=True),
        sa.Column("given_name", sa.Text(), nullable=True),
        sa.Column("family_name", sa.Text(), nullable=True),
        sa.Column("middle_name", sa.Text(), nullable=True),
        sa.Column("identifier", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("grades", sa.ARRAY(sa.Text()), nullable=True),
        sa.Column("user_master_identifier", sa.Text(), nullable=True),
        sa.Column("preferred_given_name", sa.Text(), nullable=True),
        sa.Column("preferred_middle_name", sa.Text(), nullable=True),
        sa.Column("preferred_family_name", sa.Text(), nullable=True),
        sa.Column("primary_org_sourced_id", sa.Text(), nullable=True),
    )
    op.create_index("ix_staged_person_import_id", "staged_person", ["import_id", "sourced_id"], unique=False)
    op.create_table(
        "staged_role",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("sourced_id", sa.Text(), nullable=False),
        sa.Column("school_sourced_id", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.Column("user_sourced_id", sa.Text(), nullable=True),
        sa.Column("role_type", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("begin_date", sa.Date(), nullable=True),
        sa.Column("end_date", sa.Date(), nullable=True),
    )
    op.create_index("ix_staged_role_import_id", "staged_role", ["import_id", "sourced_id"], unique=False)
    for statement in migrations.grant_to_app(TABLES, "sync_app"):
        op.execute(statement)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
