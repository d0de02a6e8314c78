import uuid

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from services.materials.storage.tables import SCHOOL_TABLES
from services.materials.usecases.project_org import project_org
from shared.contracts.sync_v1 import OrgChanged
from shared.db.scope import EVERYTHING, NOTHING, Scope
from tests.integration.materials.shelf import (
    COMMUNE,
    DEPARTMENT,
    HEAD,
    LEAD,
    OFFICER,
    PATH,
    SCHOOL_A,
    SCHOOL_B,
    TEACHER,
    parts,
    person,
    vendor,
)
from tests.integration.materials.test_evidence import told

ROUTES = [
    ("GET", ""),
    ("GET", "/file"),
    ("POST", "/submit"),
    ("POST", "/pass"),
    ("POST", "/approve"),
    ("POST", "/return"),
]
STRANGERS = {
    "teacher": person("co-lan", "teacher", org=SCHOOL_B),
    "head with the author's subject": person("co-lan", "head", "group_lead", org=SCHOOL_B),
    "vendor": vendor(SCHOOL_B),
    "nobody": vendor(),
}


@pytest.mark.parametrize("state", ["draft", "published"])
@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_another_schools_material_does_not_exist_on_any_route(library, method, path, state):
    material = await library.bring_to(state)
    for name, headers in STRANGERS.items():
        for wanted in (material["id"], uuid.uuid4()):
            body = {"json": {"reason": "x"}} if path == "/return" else {}
            answer = await library.client.request(method, f"{PATH}/{wanted}{path}", headers=headers, **body)
            assert (answer.status_code, answer.json()["code"]) == (404, "material.unknown"), name
    assert (await library.client.get(f"{PATH}/{material['id']}", headers=TEACHER)).json() == material


async def test_another_schools_materials_are_in_no_list_and_no_filter(library):
    await library.bring_to("published")
    for headers in STRANGERS.values():
        for query in ({}, {"school": SCHOOL_A}):
            assert (await library.client.get(PATH, headers=headers, params=query)).json()["items"] == []


async def test_nobody_creates_a_material_in_another_school(library):
    for headers in STRANGERS.values():
        answer = await library.client.post(PATH, headers=headers, **parts())
        assert answer.status_code == 404
    assert library.stored() == []


async def test_row_level_security_holds_when_a_query_forgets_the_school(library):
    material = await library.bring_to("published")
    await library.prescribe()
    await library.appoint("thay-minh", "pass")
    await told(library, material, counts=True)
    await library.client.post(f"{PATH}/{material['id']}/comments", headers=HEAD, json={"text": "Hay"})
    for scope, visible in ((Scope.of([SCHOOL_A]), True), (Scope.of([SCHOOL_B]), False), (NOTHING, False)):
        async with library.runtime.units.begin(scope) as uow:
            for table in SCHOOL_TABLES:
                count = (await uow.session.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one()
                assert (count > 0) is visible, (scope, table)


async def test_the_use_case_holds_when_the_database_does_not(library, settings):
    material = await library.bring_to("published")
    owner = create_async_engine(settings.migration_database_url.get_secret_value())
    async with owner.begin() as connection:
        for table in SCHOOL_TABLES:
            await connection.execute(text(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY"))
            await connection.execute(text(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"))
    await owner.dispose()
    for headers in STRANGERS.values():
        assert (await library.client.get(PATH, headers=headers)).json()["items"] == []
        for method, path in ROUTES:
            body = {"json": {"reason": "x"}} if path == "/return" else {}
            answer = await library.client.request(method, f"{PATH}/{material['id']}{path}", headers=headers, **body)
            assert answer.status_code == 404


async def test_row_level_security_refuses_writing_into_another_school(library):
    await library.bring_to("draft")
    with pytest.raises(DBAPIError, match="row-level security"):
        async with library.runtime.units.begin(Scope.of([SCHOOL_A])) as uow:
            await uow.session.execute(text("UPDATE material SET school_sourced_id = 'truong-b'"))


async def test_a_row_cannot_hang_on_another_schools_material(library):
    await library.bring_to("draft")
    with pytest.raises(DBAPIError, match="foreign key"):
        async with library.runtime.units.begin(EVERYTHING) as uow:
            await uow.session.execute(text("UPDATE material_version SET school_sourced_id = 'truong-b'"))


async def test_what_is_not_approved_is_there_for_its_author_and_reviewers_and_the_department_only(library):
    material = await library.bring_to("submitted")
    colleague, officer = person("thay-nam", "teacher"), person("x", "data_officer")
    commune = person("y", "commune_officer", org=COMMUNE)
    for headers, visible in (
        (TEACHER, True),
        (LEAD, True),
        (HEAD, True),
        (OFFICER, True),
        (colleague, False),
        (officer, False),
        (commune, False),
        (vendor(SCHOOL_A), False),
    ):
        one = await library.client.get(f"{PATH}/{material['id']}", headers=headers)
        file = await library.client.get(f"{PATH}/{material['id']}/file", headers=headers)
        items = (await library.client.get(PATH, headers=headers)).json()["items"]
        assert [one.status_code == 200, file.status_code == 200, len(items) == 1] == [visible] * 3


async def test_an_approved_material_is_there_for_the_school_its_vendors_and_those_above(library):
    material = await library.bring_to("published")
    for headers in (
        person("thay-nam", "teacher"),
        vendor(SCHOOL_A),
        vendor(DEPARTMENT),
        person("y", "commune_officer", org=COMMUNE),
        OFFICER,
    ):
        assert (await library.client.get(f"{PATH}/{material['id']}/file", headers=headers)).status_code == 200


async def test_a_school_that_moved_away_is_no_longer_covered_by_the_commune(library):
    await library.bring_to("published")
    officer = person("y", "commune_officer", org=COMMUNE)
    assert len((await library.client.get(PATH, headers=officer)).json()["items"]) == 1
    moved = OrgChanged.model_validate(
        {
            "sourcedId": SCHOOL_A,
            "kind": "school",
            "name": "THCS A",
            "level": "lower_secondary",
            "parents": [{"sourcedId": COMMUNE, "validFrom": "2000-01-01", "validTo": "2000-12-31"}],
        }
    )
    async with library.runtime.units.begin(EVERYTHING) as uow:
        await project_org(uow, moved)
    assert (await library.client.get(PATH, headers=officer)).json()["items"] == []


async def test_a_school_that_has_ended_takes_no_new_material_and_is_still_read(library):
    material = await library.bring_to("published")
    ended = OrgChanged.model_validate(
        {"sourcedId": SCHOOL_A, "kind": "school", "name": "THCS A", "validTo": "2020-06-30"}
    )
    async with library.runtime.units.begin(EVERYTHING) as uow:
        await project_org(uow, ended)
    answer = await library.client.post(PATH, headers=TEACHER, **parts())
    assert (answer.status_code, answer.json()["code"]) == (409, "school.ended")
    assert (await library.client.get(f"{PATH}/{material['id']}", headers=TEACHER)).status_code == 200


async def test_reading_needs_the_read_scope(library):
    material = await library.bring_to("published")
    headers = vendor(SCHOOL_A, scope="materials.write")
    for path in (PATH, f"{PATH}/{material['id']}", f"{PATH}/{material['id']}/file"):
        assert (await library.client.get(path, headers=headers)).json()["code"] == "scope.missing"
