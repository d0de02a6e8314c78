"""The roster: records owned by a school each."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.db import migrations, scope

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# In the order of creation.
TABLES = ["academic_session", "course", "class", "person", "role", "enrollment", "school_roster"]
SCHOOL_TABLES = ["academic_session", "course", "class", "person", "role", "enrollment", "school_roster"]


def upgrade() -> None:
    op.create_table(
        "academic_session",
        sa.Column("sourced_id", sa.Text(), nullable=False),
        sa.Column("school_sourced_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("date_last_modified", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("last_import_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("start_date", sa.Date(), nullable=False),
        sa.Column("end_date", sa.Date(), nullable=False),
        sa.Column("parent_sourced_id", sa.Text(), nullable=True),
        sa.Column("school_year", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sourced_id", "school_sourced_id", name=op.f("pk_academic_session")),
    )
    op.create_index("ix_academic_session_school_sourced_id", "academic_session", ["school_sourced_id"], unique=False)
    op.create_table(
        "course",
        sa.Column("sourced_id", sa.Text(), nullable=False),
        sa.Column("school_sourced_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("date_last_modified", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("last_import_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("course_code", sa.Text(), nullable=True),
        sa.Column("school_year_sourced_id", sa.Text(), nullable=True),
        sa.Column("grades", sa.ARRAY(sa.Text()), nullable=True),
        sa.Column("subjects", sa.ARRAY(sa.Text()), nullable=True),
        sa.Column("subject_codes", sa.ARRAY(sa.Text()), nullable=True),
        sa.Column("org_sourced_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("sourced_id", "school_sourced_id", name=op.f("pk_course")),
    )
    op.create_index("ix_course_school_sourced_id", "course", ["school_sourced_id"], unique=False)
    op.create_table(
        "class",
        sa.Column("sourced_id", sa.Text(), nullable=False),
        sa.Column("school_sourced_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("date_last_modified", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("last_import_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("class_code", sa.Text(), nullable=True),
        sa.Column("class_type", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=True),
        sa.Column("grades", sa.ARRAY(sa.Text()), nullable=True),
        sa.Column("subjects", sa.ARRAY(sa.Text()), nullable=True),
        sa.Column("subject_codes", sa.ARRAY(sa.Text()), nullable=True),
        sa.Column("periods", sa.ARRAY(sa.Text()), nullable=True),
        sa.Column("course_sourced_id", sa.Text(), nullable=False),
        sa.Column("term_sourced_ids", sa.ARRAY(sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["course_sourced_id", "school_sourced_id"],
            ["course.sourced_id", "course.school_sourced_id"],
            name=op.f("fk_class_course_sourced_id_school_sourced_id_course"),
        ),
        sa.PrimaryKeyConstraint("sourced_id", "school_sourced_id", name=op.f("pk_class")),
    )
    op.create_index("ix_class_course_sourced_id", "class", ["course_sourced_id"], unique=False)
    op.create_index("ix_class_school_sourced_id", "class", ["school_sourced_id"], unique=False)
    op.create_table(
        "person",
        sa.Column("sourced_id", sa.Text(), nullable=False),
        sa.Column("school_sourced_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("date_last_modified", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("last_import_id", sa.Uuid(), nullable=False),
        sa.Column("enabled_user", sa.Boolean(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("user_ids", sa.ARRAY(sa.Text()), nullable=True),
        sa.Column("given_name", sa.Text(), nullable=False),
        sa.Column("family_name", sa.Text(), nullable=False),
        sa.Column("middle_name", sa.Text(), nullable=True),
        sa.Column("identifier", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("grades", sa.ARRAY(sa.Text()), nullable=True),
        sa.Column("user_master_identifier", sa.Text(), nullable=True),
        sa.Column("preferred_given_name", sa.Text(), nullable=True),
        sa.Column("preferred_middle_name", sa.Text(), nullable=True),
        sa.Column("preferred_family_name", sa.Text(), nullable=True),
        sa.Column("primary_org_sourced_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("sourced_id", "school_sourced_id", name=op.f("pk_person")),
    )
    op.create_index("ix_person_school_sourced_id", "person", ["school_sourced_id"], unique=False)
    op.create_table(
        "role",
        sa.Column("sourced_id", sa.Text(), nullable=False),
        sa.Column("school_sourced_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("date_last_modified", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("last_import_id", sa.Uuid(), nullable=False),
        sa.Column("user_sourced_id", sa.Text(), nullable=False),
        sa.Column("role_type", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("begin_date", sa.Date(), nullable=True),
        sa.Column("end_date", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_sourced_id", "school_sourced_id"],
            ["person.sourced_id", "person.school_sourced_id"],
            name=op.f("fk_role_user_sourced_id_school_sourced_id_person"),
        ),
        sa.PrimaryKeyConstraint("sourced_id", "school_sourced_id", name=op.f("pk_role")),
    )
    op.create_index("ix_role_school_sourced_id", "role", ["school_sourced_id", "role"], unique=False)
    op.create_index("ix_role_user_sourced_id", "role", ["user_sourced_id", "school_sourced_id"], unique=False)
    op.create_table(
        "enrollment",
        sa.Column("sourced_id", sa.Text(), nullable=False),
        sa.Column("school_sourced_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("date_last_modified", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("last_import_id", sa.Uuid(), nullable=False),
        sa.Column("class_sourced_id", sa.Text(), nullable=False),
        sa.Column("user_sourced_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("is_primary", sa.Boolean(), nullable=True),
        sa.Column("begin_date", sa.Date(), nullable=True),
        sa.Column("end_date", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["class_sourced_id", "school_sourced_id"],
            ["class.sourced_id", "class.school_sourced_id"],
            name=op.f("fk_enrollment_class_sourced_id_school_sourced_id_class"),
        ),
        sa.ForeignKeyConstraint(
            ["user_sourced_id", "school_sourced_id"],
            ["person.sourced_id", "person.school_sourced_id"],
            name=op.f("fk_enrollment_user_sourced_id_school_sourced_id_person"),
        ),
        sa.PrimaryKeyConstraint("sourced_id", "school_sourced_id", name=op.f("pk_enrollment")),
    )
    op.create_index(
        "ix_enrollment_school_sourced_id", "enrollment", ["school_sourced_id", "class_sourced_id"], unique=False
    )
    op.create_index(
        "ix_enrollment_user_sourced_id", "enrollment", ["user_sourced_id", "school_sourced_id"], unique=False
    )
    op.create_table(
        "school_roster",
        sa.Column("school_sourced_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("last_import_id", sa.Uuid(), nullable=False),
        sa.Column("last_received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("committed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["school_sourced_id"], ["org.sourced_id"], name=op.f("fk_school_roster_school_sourced_id_org")
        ),
        sa.PrimaryKeyConstraint("school_sourced_id", name=op.f("pk_school_roster")),
    )
    for table in SCHOOL_TABLES:
        for statement in scope.school_policy(table):
            op.execute(statement)
    for statement in migrations.grant_to_app(TABLES, "sync_app"):
        op.execute(statement)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
