"""The city's panel: who reviews, what is proposed, what the reviewers say"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = ["panel_member", "proposal", "appraisal"]


def upgrade() -> None:
    _members()
    _proposals()
    _appraisals()
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON {', '.join(TABLES)} TO materials_app")


def downgrade() -> None:
    for name in reversed(TABLES):
        op.drop_table(name)


def _members() -> None:
    op.create_table(
        "panel_member",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("school_sourced_id", sa.Text(), nullable=False),
        sa.Column("subjects", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("levels", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("lead", sa.Boolean(), nullable=False),
        sa.Column("nominated_by", sa.Text(), nullable=True),
        sa.Column("nominated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("appointed_by", sa.Text(), nullable=True),
        sa.Column("appointed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_from <= valid_to", name=op.f("ck_panel_member_ends_after_it_begins")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_panel_member")),
    )
    op.create_index("ix_panel_member_person", "panel_member", ["person"], unique=False)
    op.create_index("ix_panel_member_subjects", "panel_member", ["subjects"], unique=False, postgresql_using="gin")


def _proposals() -> None:
    op.create_table(
        "proposal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("material_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("school_sourced_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("authors", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("rubric", sa.Text(), nullable=False),
        sa.Column("required", sa.SmallInteger(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "state IN ('proposed', 'appraised', 'shared', 'returned', 'declined', 'withdrawn', 'replaced')",
            name=op.f("ck_proposal_state_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposal")),
    )
    op.create_index("ix_proposal_material_id", "proposal", ["material_id", "id"], unique=False)
    op.create_index("ix_proposal_school_id", "proposal", ["school_sourced_id", "id"], unique=False)
    op.create_index("ix_proposal_state_subject_id", "proposal", ["state", "subject", "id"], unique=False)
    op.create_index(
        "uq_proposal_open_material",
        "proposal",
        ["material_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('proposed', 'appraised')"),
    )


def _appraisals() -> None:
    op.create_table(
        "appraisal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("reviewer", sa.Text(), nullable=False),
        sa.Column("reviewer_school", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("scores", postgresql.JSONB(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("recommendation", sa.Text(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('assigned', 'done', 'overdue', 'released')", name=op.f("ck_appraisal_state_known")
        ),
        sa.CheckConstraint("(state = 'done') = (done_at IS NOT NULL)", name=op.f("ck_appraisal_done_has_a_time")),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposal.id"], name=op.f("fk_appraisal_proposal_id_proposal")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appraisal")),
        sa.UniqueConstraint("proposal_id", "reviewer", name=op.f("uq_appraisal_proposal_id_reviewer")),
    )
    op.create_index(
        "ix_appraisal_due_at", "appraisal", ["due_at"], unique=False, postgresql_where=sa.text("state = 'assigned'")
    )
    op.create_index("ix_appraisal_reviewer_due_at_id", "appraisal", ["reviewer", "due_at", "id"], unique=False)
