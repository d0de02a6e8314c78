"""A vendor or person of school A finds nothing of school B; the database holds even when a use case forgets."""

import pytest
from sqlalchemy import text

from services.sync.domain.gradebook_records import EVERY_TYPE
from services.sync.storage.history import archive
from services.sync.storage.tables import SCHOOL_TABLES
from shared.db.scope import EVERYTHING, NOTHING, Scope
from tests.integration.sync.gradebook_packages import assessment_lines, gradebook_files
from tests.integration.sync.packages import make_package, school_files

PROVIDER = "/ims/oneroster/rostering/v1p2"


@pytest.fixture
async def b(sync):
    """School B with a committed import of its own vendor."""
    await sync.put_schools("A", "B")
    for school in ("A", "B"):
        package = make_package(school_files(school) | gradebook_files(school))
        vendor = sync.as_vendor(school, sub=f"vendor-{school.lower()}")
        done = await sync.imported(package, vendor, mode="auto")
        await sync.imported(assessment_lines(school), vendor, mode="auto")
    return done


async def keep_a_version_of_everything(sync):
    async with sync.runtime.units.begin(EVERYTHING) as uow:
        for record in EVERY_TYPE:
            statement = f"WITH {archive(record, f'FROM {record.table} c')} SELECT 1"
            await uow.session.execute(text(statement), {"now": await uow.now()})
        await uow.session.execute(
            text(
                "INSERT INTO import_decision (import_id, school_sourced_id, action, reason, decided_by, decided_at) "
                "SELECT import_id, school_sourced_id, 'release', 'x', 'x', now() FROM import_school"
            )
        )


def paths(imported):
    place = f"/sync/v1/imports/{imported['id']}"
    yield from (place, f"{place}/problems", f"{place}/problems/summary", f"{place}/diff")
    yield from ("/sync/v1/orgs/B", "/sync/v1/orgs/B/ancestors", "/sync/v1/orgs/B/children")
    yield from (
        f"{PROVIDER}/{path}"
        for path in (
            "orgs/B",
            "schools/B",
            "classes/B-lop1",
            "users/B-hs0",
            "students/B-hs0",
            "teachers/B-gv",
            "enrollments/B-hs0-e",
            "courses/B-toan",
            "schools/B/students",
            "schools/B/classes",
            "schools/B/enrollments",
        )
    )


async def test_school_as_token_finds_nothing_of_school_b(sync, b):
    for caller in (sync.as_vendor("A", sub="vendor-a"), sync.as_person("A", "head"), sync.as_vendor(sub="nobody")):
        for path in paths(b):
            answer = await sync.client.get(path, headers=caller)
            assert answer.status_code == 404, path
        answer = await sync.client.post(f"/sync/v1/imports/{b['id']}/commit", headers=caller)
        assert answer.status_code == 404


async def test_school_bs_own_token_finds_all_of_it(sync, b):
    for caller in (sync.as_vendor("B", sub="vendor-b"), sync.as_person("B", "head"), sync.as_department):
        for path in paths(b):
            answer = await sync.client.get(path, headers=caller)
            assert answer.status_code == 200, path


async def test_lists_hold_only_what_was_granted(sync, b):
    vendor = sync.as_vendor("A", sub="vendor-a")
    for collection in ("users", "classes", "enrollments", "courses", "schools"):
        found = {each["sourcedId"] for each in await sync.roster(collection, vendor)}
        assert found
        assert not any(sourced_id.startswith("B") for sourced_id in found), collection
    listed = (await sync.read("/sync/v1/imports", vendor))["items"]
    assert b["id"] not in {each["id"] for each in listed}
    assert {each["sourcedId"] for each in (await sync.read("/sync/v1/orgs", vendor, kind="school"))["items"]} == {"A"}


async def test_another_vendor_of_the_same_school_does_not_see_the_import(sync, b):
    answer = await sync.client.get(f"/sync/v1/imports/{b['id']}", headers=sync.as_vendor("B", sub="rival"))
    assert answer.status_code == 404


async def test_a_vendor_cannot_write_into_a_school_it_was_not_granted(sync, b):
    vendor = sync.as_vendor("A", sub="vendor-a")
    done = await sync.imported(make_package(school_files("B", learners=30)), vendor, mode="auto")
    assert done["state"] == "rejected"
    assert done["schools"] == []


@pytest.mark.parametrize("table", SCHOOL_TABLES)
async def test_row_level_security_holds_when_a_query_forgets_its_filter(sync, b, table):
    await keep_a_version_of_everything(sync)
    count = f'SELECT count(*) FROM "{table}"'
    foreign = f"SELECT count(*) FROM \"{table}\" WHERE school_sourced_id <> 'A'"
    assert await sync.sql(count, Scope.of(["A"])) != [0]
    assert await sync.sql(foreign, Scope.of(["A"])) == [0]
    assert await sync.sql(count, NOTHING) == [0]


async def test_row_level_security_refuses_writing_into_another_school(sync, b):
    with pytest.raises(Exception, match="row-level security"):
        async with sync.runtime.units.begin(Scope.of(["A"])) as uow:
            await uow.session.execute(
                text(
                    "INSERT INTO course (sourced_id, school_sourced_id, status, date_last_modified, version, "
                    "last_import_id, title) SELECT 'x', 'B', 'active', now(), 1, gen_random_uuid(), 'x'"
                )
            )
