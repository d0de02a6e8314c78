"""What further inputs of the import pipeline need: dry runs, and statistics of what was just staged."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLES = (
    *("academic_session", "class", "course", "enrollment", "person", "role"),
    *("demographics", "category", "score_scale", "line_item", "result", "resource"),
    *("class_resource", "course_resource", "user_resource"),
    *("line_item_score_scale", "result_score_scale", "line_item_objective", "result_objective"),
)
# Only its tables' owner and who holds MAINTAIN may ANALYZE; without statistics a package just loaded is joined row by
# row.
ANALYZED = ", ".join([f'"staged_{name}"' for name in TABLES] + [f'"{name}"' for name in TABLES] + ['"import_change"'])


def upgrade() -> None:
    op.add_column("import", sa.Column("dry_run", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.execute(f"GRANT MAINTAIN ON {ANALYZED} TO sync_app")


def downgrade() -> None:
    op.execute(f"REVOKE MAINTAIN ON {ANALYZED} FROM sync_app")
    op.drop_column("import", "dry_run")
