"""Migrations of every service on real PostgreSQL, and what squawk says about their SQL."""

import asyncio
import io
import re
import subprocess
import sysconfig
from pathlib import Path

import asyncpg
import pytest
from alembic import command
from alembic.script import ScriptDirectory

from shared.db import migrations
from tests.architecture.sources import SERVICES

SQUAWK = Path(sysconfig.get_path("scripts")) / "squawk"
# Rules that do not hold here, each with the reason.
NOT_FOR_US = {
    "require-timeout-settings": "shared.db.migrations sets lock_timeout before it runs a migration",
    "prefer-bigint-over-smallint": "small by nature: an HTTP status, a grade; identities are bigint or uuid",
    "prefer-bigint-over-int": "for counters within one file or one school; identities are bigint or uuid",
}
# Alembic makes it, not we.
_VERSION_TABLE = re.compile(r"CREATE TABLE alembic_version \(.*?\);", re.DOTALL)

_OBJECTS = """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'public' AND c.relname NOT LIKE 'alembic_version%'
    UNION ALL SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'public'
    UNION ALL SELECT t.typname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
     WHERE n.nspname = 'public' AND t.typtype IN ('e', 'd')
"""


def _script(service) -> ScriptDirectory:
    return ScriptDirectory.from_config(migrations.config_for(f"services.{service}", ""))


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_one_head(service):
    assert len(_script(service).get_heads()) == 1


@pytest.mark.parametrize("service", SERVICES)
async def test_migrations_go_up_match_the_tables_go_down_and_up_again(service, databases):
    database = databases.empty(service)
    package = f"services.{service}"
    try:
        for revision in reversed(list(_script(service).walk_revisions())):
            await asyncio.to_thread(migrations.upgrade, package, database.owner_url, revision.revision)
        await asyncio.to_thread(migrations.check, package, database.owner_url)
        await asyncio.to_thread(migrations.downgrade, package, database.owner_url)
        connection = await asyncpg.connect(database.owner_url.replace("+asyncpg", ""))
        left = [row[0] for row in await connection.fetch(_OBJECTS)]
        await connection.close()
        assert left == []
        await asyncio.to_thread(migrations.upgrade, package, database.owner_url)
        await asyncio.to_thread(migrations.check, package, database.owner_url)
    finally:
        databases.drop(database)


def _sql_of(service, revision) -> str:
    config = migrations.config_for(f"services.{service}", "")
    config.output_buffer = io.StringIO()
    command.upgrade(config, f"{revision.down_revision or 'base'}:{revision.revision}", sql=True)
    return _VERSION_TABLE.sub("", config.output_buffer.getvalue())


def _squawk(sql, folder):
    path = folder / "migration.sql"
    path.write_text(sql)
    done = subprocess.run(
        [SQUAWK, "--pg-version", "18", "--reporter", "gcc", f"--exclude={','.join(NOT_FOR_US)}", path],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("service", SERVICES)
def test_no_migration_locks_out_the_code_that_runs(service, tmp_path):
    for revision in _script(service).walk_revisions():
        code, said = _squawk(_sql_of(service, revision), tmp_path)
        assert code == 0, said


def test_a_migration_that_locks_is_found(tmp_path):
    code, said = _squawk('BEGIN; ALTER TABLE "person" ADD COLUMN "a" text NOT NULL; COMMIT;', tmp_path)
    assert code != 0
    assert "adding-required-field" in said
