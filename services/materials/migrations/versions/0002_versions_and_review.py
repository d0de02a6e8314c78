"""Versions with more than one file, what a school decides about its review, comments, what a content was found to be"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.db import scope

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ROLE = "materials_app"
SCHOOL_TABLES = ["review_policy", "review_duty", "version_comment"]
STATES = "'draft', 'submitted', 'passed', 'approved', 'published', 'returned', 'withdrawn'"
OLD_STATES = "'draft', 'submitted', 'passed', 'approved', 'returned'"
BOTH_STEPS = "state NOT IN ('approved', 'published') OR (passed_at IS NOT NULL AND approved_at IS NOT NULL)"
OLD_BOTH_STEPS = "state <> 'approved' OR (passed_at IS NOT NULL AND approved_at IS NOT NULL)"

# Only the review moves on once a version has been handed in; what was reviewed stays as it was.
IMMUTABLE = """
CREATE OR REPLACE FUNCTION refuse_change_of_submitted() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    review text[] := ARRAY[{review}];
BEGIN
    IF OLD.state <> 'draft' AND to_jsonb(NEW) - review <> to_jsonb(OLD) - review THEN
        RAISE EXCEPTION 'version % was submitted and is immutable', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$
"""
REVIEW = "'state', 'submitted_at', 'passed_at', 'approved_at'"
MORE_REVIEW = f"{REVIEW}, 'published_at', 'withdrawn_at', 'waiting_since', 'steps', 'steps_done'"
FILES_STAY = """
CREATE FUNCTION refuse_loss_of_submitted_file() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM material_version WHERE id = OLD.version_id AND state = 'draft') THEN
        RAISE EXCEPTION 'the files of version % stay', OLD.version_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN COALESCE(NEW, OLD);
END $$
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    _more_of_materials()
    _more_of_versions()
    _files()
    _policy()
    _comments()
    _rights()


def downgrade() -> None:
    for table in ("version_comment", "review_duty", "review_policy", "file_check"):
        op.drop_table(table)
    op.execute("DROP TRIGGER files_stay ON version_file")
    op.execute("DROP FUNCTION refuse_loss_of_submitted_file()")
    op.execute(f"REVOKE UPDATE, DELETE ON version_file FROM {ROLE}")
    op.drop_index("ix_material_version_waiting", table_name="material_version")
    op.execute("SELECT set_config('app.everything', 'on', true)")
    for trigger in ("DISABLE", "ENABLE"):
        op.execute(f"ALTER TABLE material_version {trigger} TRIGGER immutable")
        if trigger == "DISABLE":
            op.execute("UPDATE material_version SET state = 'approved' WHERE state = 'published'")
            op.execute("UPDATE material_version SET state = 'returned' WHERE state = 'withdrawn'")
    op.execute(IMMUTABLE.format(review=REVIEW))
    _state_constraints(OLD_STATES, OLD_BOTH_STEPS)
    for column in _version_columns():
        op.drop_column("material_version", column.name)
    for name in ("withdrawn_at", "latest_author", "published_number"):
        op.drop_column("material", name)
    op.drop_column("review_step", "duty_id")
    op.drop_column("review_step", "step")


_EMPTY_LIST = sa.text("'{}'::text[]")
_EMPTY_JSON = sa.text("'[]'::jsonb")


def _version_columns() -> "list[sa.Column[Any]]":
    return [
        sa.Column("other_subjects", postgresql.ARRAY(sa.Text()), server_default=_EMPTY_LIST, nullable=False),
        sa.Column("requirements", postgresql.ARRAY(sa.Text()), server_default=_EMPTY_LIST, nullable=False),
        sa.Column("authors", postgresql.JSONB(), server_default=_EMPTY_JSON, nullable=False),
        sa.Column("rights_statement", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("duration_seconds", sa.BigInteger(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("steps", postgresql.JSONB(), server_default=_EMPTY_JSON, nullable=False),
        sa.Column("steps_done", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    ]


def _more_of_materials() -> None:
    op.add_column("material", sa.Column("published_number", sa.BigInteger(), nullable=True))
    op.add_column("material", sa.Column("latest_author", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.add_column("material", sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True))
    # The service's role is under the policies; whoever migrates is too, and asks for all schools by name.
    op.execute("SELECT set_config('app.everything', 'on', true)")
    op.execute("UPDATE material SET published_number = approved_number")
    op.execute(
        "UPDATE material m SET latest_author = v.author FROM material_version v "
        "WHERE v.material_id = m.id AND v.number = m.latest_number"
    )


def _more_of_versions() -> None:
    for column in _version_columns():
        op.add_column("material_version", column)
    _state_constraints(STATES, BOTH_STEPS)
    op.execute(IMMUTABLE.format(review=MORE_REVIEW))
    # What was approved was in use from that moment on.
    op.execute("UPDATE material_version SET state = 'published', published_at = approved_at WHERE state = 'approved'")
    op.execute(
        "UPDATE material_version SET waiting_since = COALESCE(passed_at, submitted_at) "
        "WHERE state IN ('submitted', 'passed')"
    )
    op.add_column("review_step", sa.Column("step", sa.Text(), nullable=True))
    op.add_column("review_step", sa.Column("duty_id", sa.Uuid(), nullable=True))
    op.execute(
        "-- squawk-ignore require-concurrent-index-creation\n"
        "CREATE INDEX ix_material_version_waiting ON material_version (school_sourced_id, waiting_since, id) "
        "WHERE waiting_since IS NOT NULL"
    )


def _state_constraints(states: str, both_steps: str) -> None:
    for name, rule in (("state_known", f"state IN ({states})"), ("both_steps_done", both_steps)):
        constraint = f"ck_material_version_{name}"
        op.execute(f"-- squawk-ignore ban-drop-constraint\nALTER TABLE material_version DROP CONSTRAINT {constraint}")
        op.execute(f"ALTER TABLE material_version ADD CONSTRAINT {constraint} CHECK ({rule}) NOT VALID")
        # One library's versions are looked over in well under a second.
        op.execute(
            "-- squawk-ignore constraint-missing-not-valid\n"
            f"ALTER TABLE material_version VALIDATE CONSTRAINT {constraint}"
        )


def _files() -> None:
    op.execute(FILES_STAY)
    op.execute(
        "CREATE TRIGGER files_stay BEFORE UPDATE OR DELETE ON version_file "
        "FOR EACH ROW EXECUTE FUNCTION refuse_loss_of_submitted_file()"
    )
    op.create_table(
        "file_check",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("scan", sa.Text(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("refusal", postgresql.JSONB(), nullable=True),
        sa.Column("details", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("text", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("thumbnail_sha256", sa.Text(), nullable=True),
        sa.Column("attempts", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'accepted', 'refused')", name=op.f("ck_file_check_state_known")),
        sa.CheckConstraint("scan IN ('not_scanned', 'clean', 'infected')", name=op.f("ck_file_check_scan_known")),
        sa.ForeignKeyConstraint(["sha256"], ["stored_file.sha256"], name=op.f("fk_file_check_sha256_stored_file")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_file_check")),
    )
    op.create_index(
        "ix_file_check_waiting", "file_check", ["sha256"], postgresql_where=sa.text("state = 'waiting'"), unique=False
    )


def _policy() -> None:
    op.create_table(
        "review_policy",
        sa.Column("school_sourced_id", sa.Text(), nullable=False),
        sa.Column("publish_on_approval", sa.Boolean(), nullable=False),
        sa.Column("steps", postgresql.JSONB(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("school_sourced_id", name=op.f("pk_review_policy")),
    )
    op.create_table(
        "review_duty",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_sourced_id", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("subjects", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("grades", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("appointed_by", sa.Text(), nullable=False),
        sa.Column("appointed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_from <= valid_to", name=op.f("ck_review_duty_ends_after_it_begins")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_duty")),
    )
    op.create_index("ix_review_duty_school_person", "review_duty", ["school_sourced_id", "person"], unique=False)


def _comments() -> None:
    op.create_table(
        "version_comment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("school_sourced_id", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=True),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id", "school_sourced_id"],
            ["material_version.id", "material_version.school_sourced_id"],
            name=op.f("fk_version_comment_version_id_school_sourced_id_material_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_version_comment")),
    )
    op.create_index("ix_version_comment_version_id_id", "version_comment", ["version_id", "id"], unique=False)


def _rights() -> None:
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON file_check, review_policy, review_duty TO {ROLE}")
    op.execute(f"GRANT SELECT, INSERT ON version_comment TO {ROLE}")
    op.execute(f"GRANT UPDATE, DELETE ON version_file TO {ROLE}")
    for table in SCHOOL_TABLES:
        for statement in scope.school_policy(table):
            op.execute(statement)
