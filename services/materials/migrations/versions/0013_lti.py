"""LMS that launch the library (LTI 1.3): registrations, the tool's keys, nonces used, sessions"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from shared.db import migrations

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TABLES = ["lti_platform", "lti_key", "lti_used", "lti_session"]


def upgrade() -> None:
    op.create_table(
        "lti_platform",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("authorization_endpoint", sa.Text(), nullable=False),
        sa.Column("token_endpoint", sa.Text(), nullable=True),
        sa.Column("jwks_uri", sa.Text(), nullable=False),
        sa.Column("deployments", ARRAY(sa.Text()), nullable=False),
        sa.Column("org_sourced_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'accepted', 'disabled')", name=op.f("ck_lti_platform_state_known")),
        sa.CheckConstraint(
            "state <> 'accepted' OR org_sourced_id IS NOT NULL", name=op.f("ck_lti_platform_accepted_for_an_org")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lti_platform")),
        sa.UniqueConstraint("issuer", "client_id", name=op.f("uq_lti_platform_issuer_client_id")),
    )
    op.create_table(
        "lti_key",
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("public", JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kid", name=op.f("pk_lti_key")),
    )
    op.create_table(
        "lti_used",
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["platform_id"], ["lti_platform.id"], name=op.f("fk_lti_used_platform_id_lti_platform")
        ),
        sa.PrimaryKeyConstraint("platform_id", "nonce", name=op.f("pk_lti_used")),
    )
    op.create_index("ix_lti_used_expires_at", "lti_used", ["expires_at"])
    op.create_table(
        "lti_session",
        sa.Column("token_sha256", sa.Text(), nullable=False),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("deployment", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("material_id", sa.Uuid(), nullable=True),
        sa.Column("deep_linking", JSONB(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(material_id IS NULL) <> (deep_linking IS NULL)", name=op.f("ck_lti_session_views_or_chooses")
        ),
        sa.ForeignKeyConstraint(
            ["platform_id"], ["lti_platform.id"], name=op.f("fk_lti_session_platform_id_lti_platform")
        ),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_lti_session")),
    )
    op.create_index("ix_lti_session_expires_at", "lti_session", ["expires_at"])
    for statement in migrations.grant_to_app(TABLES, "materials_app"):
        op.execute(statement)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
