"""References of the large tables are checked once per statement, over all of its rows, and no longer row by row.

A foreign key costs a look-up and a lock for every row: two thirds of what writing a million enrollments took. The
trigger refuses the same rows. Nothing deletes a record (it ends by its status), so the other half of a foreign key is
a right the service does not have.
"""

# ruff: noqa: S608  # statements are assembled from the constants of this module

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# Child, and its references as (column, parent).
CHECKED = {
    "enrollment": (("class_sourced_id", "class"), ("user_sourced_id", "person")),
    "result": (("line_item_sourced_id", "line_item"), ("student_sourced_id", "person")),
}
PARENTS = '"class", "person", "line_item"'
# Their rows are written by whoever writes the import, and never without it.
OF_IMPORTS = ("import_change", "import_problem")


def function(child: str) -> str:
    checks = "".join(
        f"""
  SELECT min(w.{column}) INTO missing FROM written w WHERE w.{column} IS NOT NULL AND NOT EXISTS (
    SELECT FROM {parent} p WHERE p.sourced_id = w.{column} AND p.school_sourced_id = w.school_sourced_id);
  IF missing IS NOT NULL THEN
    RAISE foreign_key_violation USING MESSAGE = '{child}.{column} points to no {parent} of the school';
  END IF;"""
        for column, parent in CHECKED[child]
    )
    # Always by the parents' keys: a plan made for one row would otherwise be kept for a million, or the other way.
    return f"""
CREATE FUNCTION {child}_references_hold() RETURNS trigger LANGUAGE plpgsql
SET enable_nestloop = on SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE missing text;
BEGIN{checks}
  RETURN NULL;
END $$"""


def drop(table: str, constraint: str) -> None:
    """The triggers, or the import's own transaction, keep the same promise from here on."""
    op.execute(f"-- squawk-ignore ban-drop-constraint\nALTER TABLE {table} DROP CONSTRAINT {constraint}")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for child, references in CHECKED.items():
        op.execute(function(child))
        for event in ("INSERT", "UPDATE"):
            op.execute(
                f"CREATE TRIGGER {child}_references_hold_on_{event.lower()} AFTER {event} ON {child} "
                f"REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION {child}_references_hold()"
            )
        for column, parent in references:
            drop(child, f"fk_{child}_{column}_school_sourced_id_{parent}")
    for table in OF_IMPORTS:
        drop(table, f"fk_{table}_import_id_import")
    op.execute(f"REVOKE DELETE ON {PARENTS} FROM sync_app")


def downgrade() -> None:
    op.execute(sa.text(f"GRANT DELETE ON {PARENTS} TO sync_app"))
    for table in OF_IMPORTS:
        op.create_foreign_key(f"fk_{table}_import_id_import", table, "import", ["import_id"], ["id"])
    for child, references in CHECKED.items():
        for event in ("insert", "update"):
            op.execute(f"DROP TRIGGER {child}_references_hold_on_{event} ON {child}")
        op.execute(f"DROP FUNCTION {child}_references_hold()")
        for column, parent in references:
            op.create_foreign_key(
                f"fk_{child}_{column}_school_sourced_id_{parent}",
                child,
                parent,
                [column, "school_sourced_id"],
                ["sourced_id", "school_sourced_id"],
            )
