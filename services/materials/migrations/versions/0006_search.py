"""In which order materials changed, for those who search"""

import sqlalchemy as sa
from alembic import op

from shared.db import migrations

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "search_change",
        sa.Column("material_id", sa.Uuid(), nullable=False),
        sa.Column(
            "written_by", sa.BigInteger(), server_default=sa.text("pg_current_xact_id()::text::bigint"), nullable=False
        ),
        sa.PrimaryKeyConstraint("material_id", name=op.f("pk_search_change")),
    )
    op.create_index(
        "ix_search_change_written_by_material_id", "search_change", ["written_by", "material_id"], unique=False
    )
    for statement in migrations.grant_to_app(["search_change"], "materials_app"):
        op.execute(statement)
    op.execute("SELECT set_config('app.everything', 'on', true)")
    op.execute("INSERT INTO search_change (material_id) SELECT id FROM material")


def downgrade() -> None:
    op.drop_table("search_change")
