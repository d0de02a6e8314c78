import asyncpg

from deploy.local.ephemeral import run_apart
from shared.db import migrations
from tests.support.stack import Database

PACKAGE = "services.materials"
LEFT = """
SELECT (SELECT count(*) FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
        AND c.relname <> 'alembic_version')
     + (SELECT count(*) FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.proowner <> 10)
"""


async def left_in(database: Database) -> int:
    connection = await asyncpg.connect(database.owner_url.replace("+asyncpg", ""))
    try:
        number: int = await connection.fetchval(LEFT)
    finally:
        await connection.close()
    return number


def test_the_schema_goes_up_checks_goes_down_to_nothing_and_up_again(databases):
    database = databases.empty("materials")
    try:
        migrations.upgrade(PACKAGE, database.owner_url)
        migrations.check(PACKAGE, database.owner_url)
        assert run_apart(left_in(database)) > 0
        migrations.downgrade(PACKAGE, database.owner_url)
        assert run_apart(left_in(database)) == 0
        migrations.upgrade(PACKAGE, database.owner_url)
        migrations.check(PACKAGE, database.owner_url)
    finally:
        databases.drop(database)
