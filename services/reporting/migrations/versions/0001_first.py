"""The first schema: mechanism, projections, campaigns, submissions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.db import mechanism
from shared.db.migrations import grant_to_app
from shared.db.scope import school_policy

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ROLE = "reporting_app"

# In the order of their foreign keys.
TABLES = [
    "approved_material",
    "org",
    "recipient_rule",
    "roster_numbers",
    "template",
    "campaign",
    "org_parent",
    "campaign_change",
    "campaign_deadline",
    "campaign_extension",
    "submission",
    "submission_step",
    "submission_value",
]

# Rows of a school: hidden by the database from whoever was not granted it.
OF_A_SCHOOL = ["approved_material", "roster_numbers", "submission", "submission_value", "submission_step"]

# History: the service may add to it and read it, never rewrite it.
ONLY_ADDED_TO = ["template", "campaign_change", "campaign_deadline", "campaign_extension", "submission_step"]


def upgrade() -> None:
    mechanism.create_first(ROLE)
    _create_approved_material()
    _create_org()
    _create_recipient_rule()
    _create_roster_numbers()
    _create_template()
    _create_campaign()
    _create_org_parent()
    _create_campaign_change()
    _create_campaign_deadline()
    _create_campaign_extension()
    _create_submission()
    _create_submission_step()
    _create_submission_value()
    for statement in grant_to_app([table for table in TABLES if table not in ONLY_ADDED_TO], ROLE):
        op.execute(statement)
    op.execute(f"GRANT SELECT, INSERT ON {', '.join(ONLY_ADDED_TO)} TO {ROLE}")
    for table in OF_A_SCHOOL:
        for statement in school_policy(table):
            op.execute(statement)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    mechanism.drop_first()


def _create_approved_material() -> None:
    op.create_table(
        "approved_material",
        sa.Column("material_id", sa.Uuid(), nullable=False),
        sa.Column("school_sourced_id", sa.Text(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("grades", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("material_id", name=op.f("pk_approved_material")),
    )
    op.create_index(
        "ix_approved_material_school_sourced_id_approved_at",
        "approved_material",
        ["school_sourced_id", "approved_at"],
        unique=False,
    )


def _create_org() -> None:
    op.create_table(
        "org",
        sa.Column("sourced_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("sourced_id", name=op.f("pk_org")),
    )


def _create_recipient_rule() -> None:
    op.create_table(
        "recipient_rule",
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("recipient_kind", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("level", "valid_from", name=op.f("pk_recipient_rule")),
    )


def _create_roster_numbers() -> None:
    op.create_table(
        "roster_numbers",
        sa.Column("school_sourced_id", sa.Text(), nullable=False),
        sa.Column("learners", sa.BigInteger(), nullable=False),
        sa.Column("staff", sa.BigInteger(), nullable=False),
        sa.Column("teachers", sa.BigInteger(), nullable=False),
        sa.Column("classes", sa.BigInteger(), nullable=False),
        sa.Column("enrollments", sa.BigInteger(), nullable=False),
        sa.Column("by_grade", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("committed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("school_sourced_id", name=op.f("pk_roster_numbers")),
    )


def _create_template() -> None:
    op.create_table(
        "template",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("code", "version", name=op.f("pk_template")),
    )


def _create_campaign() -> None:
    op.create_table(
        "campaign",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("template_code", sa.Text(), nullable=False),
        sa.Column("template_version", sa.BigInteger(), nullable=False),
        sa.Column("school_year", sa.Text(), nullable=False),
        sa.Column("semester", sa.SmallInteger(), nullable=True),
        sa.Column("org_sourced_id", sa.Text(), nullable=False),
        sa.Column("notice_number", sa.Text(), nullable=False),
        sa.Column("notice_date", sa.Date(), nullable=False),
        sa.Column("notice_issuer", sa.Text(), nullable=False),
        sa.Column("audience_levels", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_reason", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["template_code", "template_version"],
            ["template.code", "template.version"],
            name=op.f("fk_campaign_template_code_template_version_template"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
    )
    op.create_index(
        "uq_campaign_living",
        "campaign",
        ["org_sourced_id", "template_code", "school_year", sa.literal_column("coalesce(semester, 0)")],
        unique=True,
        postgresql_where=sa.text("closed_reason IS DISTINCT FROM 'cancelled'"),
    )


def _create_org_parent() -> None:
    op.create_table(
        "org_parent",
        sa.Column("position", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("child_sourced_id", sa.Text(), nullable=False),
        sa.Column("parent_sourced_id", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["child_sourced_id"], ["org.sourced_id"], name=op.f("fk_org_parent_child_sourced_id_org")
        ),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_org_parent")),
    )
    op.create_index("ix_org_parent_child_sourced_id", "org_parent", ["child_sourced_id"], unique=False)
    op.create_index("ix_org_parent_parent_sourced_id", "org_parent", ["parent_sourced_id"], unique=False)


def _create_campaign_change() -> None:
    op.create_table(
        "campaign_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("reason_code", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_campaign_change_campaign_id_campaign")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_change")),
    )
    op.create_index("ix_campaign_change_campaign_id", "campaign_change", ["campaign_id"], unique=False)


def _create_campaign_deadline() -> None:
    op.create_table(
        "campaign_deadline",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("org_sourced_id", sa.Text(), nullable=False),
        sa.Column("org_kind", sa.Text(), nullable=False),
        sa.Column("set_by_org", sa.Text(), nullable=False),
        sa.Column("set_by_kind", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("instant", sa.DateTime(timezone=True), nullable=False),
        sa.Column("inclusive", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('notice', 'quarterly')", name=op.f("ck_campaign_deadline_kind")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_campaign_deadline_campaign_id_campaign")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_deadline")),
    )
    op.create_index(
        "ix_campaign_deadline_campaign_id_org_sourced_id",
        "campaign_deadline",
        ["campaign_id", "org_sourced_id"],
        unique=False,
    )


def _create_campaign_extension() -> None:
    op.create_table(
        "campaign_extension",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("org_sourced_id", sa.Text(), nullable=False),
        sa.Column("org_kind", sa.Text(), nullable=False),
        sa.Column("granted_by_org", sa.Text(), nullable=False),
        sa.Column("granted_by_kind", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("granted_by", sa.Text(), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_campaign_extension_campaign_id_campaign")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_extension")),
    )
    op.create_index(
        "ix_campaign_extension_campaign_id_org_sourced_id",
        "campaign_extension",
        ["campaign_id", "org_sourced_id"],
        unique=False,
    )


def _create_submission() -> None:
    op.create_table(
        "submission",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("school_sourced_id", sa.Text(), nullable=False),
        sa.Column("school_level", sa.Text(), nullable=False),
        sa.Column("recipient_kind", sa.Text(), nullable=True),
        sa.Column("recipient_sourced_id", sa.Text(), nullable=True),
        sa.Column("recipient_found", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("late", sa.Boolean(), nullable=True),
        sa.Column("deadline_instant", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deadline_inclusive", sa.Boolean(), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('open', 'submitted', 'returned', 'accepted')", name=op.f("ck_submission_state")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_submission_campaign_id_campaign")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submission")),
        sa.UniqueConstraint(
            "campaign_id", "school_sourced_id", name=op.f("uq_submission_campaign_id_school_sourced_id")
        ),
        sa.UniqueConstraint("id", "school_sourced_id", name=op.f("uq_submission_id_school_sourced_id")),
    )
    op.create_index("ix_submission_school_sourced_id", "submission", ["school_sourced_id"], unique=False)


def _create_submission_step() -> None:
    op.create_table(
        "submission_step",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("school_sourced_id", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("from_state", sa.Text(), nullable=False),
        sa.Column("to_state", sa.Text(), nullable=False),
        sa.Column("acted_by", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("acted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("late", sa.Boolean(), nullable=True),
        sa.Column("content", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(
            ["submission_id", "school_sourced_id"],
            ["submission.id", "submission.school_sourced_id"],
            name=op.f("fk_submission_step_submission_id_school_sourced_id_submission"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submission_step")),
    )
    op.create_index("ix_submission_step_submission_id", "submission_step", ["submission_id"], unique=False)


def _create_submission_value() -> None:
    op.create_table(
        "submission_value",
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("school_sourced_id", sa.Text(), nullable=False),
        sa.Column("source_key", sa.Text(), nullable=True),
        sa.Column("prefilled", sa.BigInteger(), nullable=True),
        sa.Column("prefilled_source", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("prefilled_as_of", sa.DateTime(timezone=True), nullable=True),
        sa.Column("latest", sa.BigInteger(), nullable=True),
        sa.Column("latest_source", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("latest_as_of", sa.DateTime(timezone=True), nullable=True),
        sa.Column("entered", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("entered_by", sa.Text(), nullable=True),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["submission_id", "school_sourced_id"],
            ["submission.id", "submission.school_sourced_id"],
            name=op.f("fk_submission_value_submission_id_school_sourced_id_submission"),
        ),
        sa.PrimaryKeyConstraint("submission_id", "field", name=op.f("pk_submission_value")),
    )
