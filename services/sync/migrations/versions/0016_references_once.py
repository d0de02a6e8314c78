"""References of the large tables are looked up once for each record they point to, not once for each row.

Forty thousand enrollments of a school point to a thousand classes and two thousand people.
"""

# ruff: noqa: S608  # statements are assembled from the constants of this module

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# Child, and its references as (column, parent).
CHECKED = {
    "enrollment": (("class_sourced_id", "class"), ("user_sourced_id", "person")),
    "result": (("line_item_sourced_id", "line_item"), ("student_sourced_id", "person")),
}


def function(child: str, rows: str) -> str:
    """`rows`: subquery of the references to look up, from the rows `written`, with `{column}`."""
    checks = "".join(
        f"""
  SELECT min(w.{column}) INTO missing FROM {rows.format(column=column)} w WHERE w.{column} IS NOT NULL AND NOT EXISTS (
    SELECT FROM {parent} p WHERE p.sourced_id = w.{column} AND p.school_sourced_id = w.school_sourced_id);
  IF missing IS NOT NULL THEN
    RAISE foreign_key_violation USING MESSAGE = '{child}.{column} points to no {parent} of the school';
  END IF;"""
        for column, parent in CHECKED[child]
    )
    # Always by the parents' keys: a plan made for one row would otherwise be kept for a million, or the other way.
    return f"""
CREATE OR REPLACE FUNCTION {child}_references_hold() RETURNS trigger LANGUAGE plpgsql
SET enable_nestloop = on SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE missing text;
BEGIN{checks}
  RETURN NULL;
END $$"""


def upgrade() -> None:
    for child in CHECKED:
        op.execute(function(child, "(SELECT DISTINCT {column}, school_sourced_id FROM written)"))


def downgrade() -> None:
    for child in CHECKED:
        op.execute(function(child, "written"))
