"""First schema"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.db import mechanism, migrations, scope

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ROLE = "materials_app"
TABLES = [
    "org",
    "org_parent",
    "material",
    "stored_file",
    "material_version",
    "version_file",
    "review_step",
]
SCHOOL_TABLES = ["material", "material_version", "version_file", "review_step"]

# What the service may do with a row besides reading and adding it. Nothing of the library is ever deleted.
CHANGED = ["material", "material_version"]
ONLY_ADDED = ["stored_file", "version_file", "review_step"]

# Only the review moves on once a version has been handed in; what was reviewed stays as it was.
IMMUTABLE = """
CREATE FUNCTION refuse_change_of_submitted() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    review text[] := ARRAY['state', 'submitted_at', 'passed_at', 'approved_at'];
BEGIN
    IF OLD.state <> 'draft' AND to_jsonb(NEW) - review <> to_jsonb(OLD) - review THEN
        RAISE EXCEPTION 'version % was submitted and is immutable', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$
"""
NO_LATE_FILE = """
CREATE FUNCTION refuse_file_for_submitted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM material_version WHERE id = NEW.version_id AND state = 'draft') THEN
        RAISE EXCEPTION 'version % takes no more files', NEW.version_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    mechanism.create_first(ROLE)
    _orgs()
    _materials()
    _files()
    _review()
    _rules()


def downgrade() -> None:
    for name in reversed(TABLES):
        op.drop_table(name)
    mechanism.drop_first()
    op.execute("DROP FUNCTION refuse_file_for_submitted()")
    op.execute("DROP FUNCTION refuse_change_of_submitted()")


def _rules() -> None:
    op.execute(IMMUTABLE)
    op.execute(
        "CREATE TRIGGER immutable BEFORE UPDATE ON material_version FOR EACH ROW EXECUTE FUNCTION refuse_change_of_submitted()"
    )
    op.execute(NO_LATE_FILE)
    op.execute(
        "CREATE TRIGGER no_late_file BEFORE INSERT ON version_file FOR EACH ROW EXECUTE FUNCTION refuse_file_for_submitted()"
    )
    projection = [name for name in TABLES if name not in {*CHANGED, *ONLY_ADDED}]
    for statement in migrations.grant_to_app(projection, ROLE):
        op.execute(statement)
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON {', '.join(CHANGED)} TO {ROLE}")
    op.execute(f"GRANT SELECT, INSERT ON {', '.join(ONLY_ADDED)} TO {ROLE}")
    for table in SCHOOL_TABLES:
        for statement in scope.school_policy(table):
            op.execute(statement)


def _orgs() -> None:
    op.create_table(
        "org",
        sa.Column("sourced_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("sourced_id", name=op.f("pk_org")),
    )
    op.create_table(
        "org_parent",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sourced_id", sa.Text(), nullable=False),
        sa.Column("parent_sourced_id", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["sourced_id"], ["org.sourced_id"], name=op.f("fk_org_parent_sourced_id_org")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_org_parent")),
    )
    op.create_index("ix_org_parent_parent_sourced_id", "org_parent", ["parent_sourced_id"], unique=False)
    op.create_index("ix_org_parent_sourced_id", "org_parent", ["sourced_id"], unique=False)


def _materials() -> None:
    op.create_table(
        "material",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_sourced_id", sa.Text(), nullable=False),
        sa.Column("latest_number", sa.BigInteger(), nullable=False),
        sa.Column("approved_number", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("approved_number <= latest_number", name=op.f("ck_material_approved_exists")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_material")),
        sa.UniqueConstraint("id", "school_sourced_id", name=op.f("uq_material_id_school_sourced_id")),
    )
    op.create_index("ix_material_school_sourced_id_id", "material", ["school_sourced_id", "id"], unique=False)
    op.create_table(
        "material_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("material_id", sa.Uuid(), nullable=False),
        sa.Column("school_sourced_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("grades", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("licence", sa.Text(), nullable=False),
        sa.Column("sources", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("passed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state <> 'approved' OR (passed_at IS NOT NULL AND approved_at IS NOT NULL)",
            name=op.f("ck_material_version_both_steps_done"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'submitted', 'passed', 'approved', 'returned')",
            name=op.f("ck_material_version_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["material_id", "school_sourced_id"],
            ["material.id", "material.school_sourced_id"],
            name=op.f("fk_material_version_material_id_school_sourced_id_material"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_material_version")),
        sa.UniqueConstraint("id", "school_sourced_id", name=op.f("uq_material_version_id_school_sourced_id")),
        sa.UniqueConstraint("material_id", "number", name=op.f("uq_material_version_material_id_number")),
    )


def _files() -> None:
    op.create_table(
        "stored_file",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_stored_file")),
    )
    op.create_table(
        "version_file",
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("school_sourced_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["sha256"], ["stored_file.sha256"], name=op.f("fk_version_file_sha256_stored_file")),
        sa.ForeignKeyConstraint(
            ["version_id", "school_sourced_id"],
            ["material_version.id", "material_version.school_sourced_id"],
            name=op.f("fk_version_file_version_id_school_sourced_id_material_version"),
        ),
        sa.PrimaryKeyConstraint("version_id", "position", name=op.f("pk_version_file")),
    )
    op.create_index("ix_version_file_sha256", "version_file", ["sha256"], unique=False)


def _review() -> None:
    op.create_table(
        "review_step",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("school_sourced_id", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("from_state", sa.Text(), nullable=False),
        sa.Column("to_state", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "action <> 'return' OR coalesce(btrim(reason), '') <> ''", name=op.f("ck_review_step_return_has_reason")
        ),
        sa.ForeignKeyConstraint(
            ["version_id", "school_sourced_id"],
            ["material_version.id", "material_version.school_sourced_id"],
            name=op.f("fk_review_step_version_id_school_sourced_id_material_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_step")),
    )
    op.create_index("ix_review_step_version_id_id", "review_step", ["version_id", "id"], unique=False)
