"""The org tree, valid in time: the reform of 2025 ended the districts and began the communes."""

import asyncio
import json

import pytest
from sqlalchemy import text

from shared.db.scope import EVERYTHING
from tests.integration.sync.stage import DEPARTMENT, ROSTER_SCOPE


@pytest.fixture
async def city(sync):
    """A school that sat under a district office until 2025-06-30 and sits under a commune since, in a cluster too."""
    await sync.put_org(DEPARTMENT, kind="department", name="Sở GDĐT")
    top = [{"sourcedId": DEPARTMENT}]
    await sync.put_org("PGD-Q1", kind="district_office", name="Phòng Quận 1", validTo="2025-06-30", parents=top)
    await sync.put_org("P-SAIGON", kind="commune", name="Phường Sài Gòn", validFrom="2025-07-01", parents=top)
    await sync.put_org("CUM-1", kind="cluster", name="Cụm 1", validFrom="2025-07-01", parents=top)
    answer = await sync.put_org(
        "THCS-A",
        kind="school",
        name="THCS A",
        level="lower_secondary",
        parents=[
            {"sourcedId": "PGD-Q1", "validTo": "2025-06-30"},
            {"sourcedId": "P-SAIGON", "validFrom": "2025-07-01"},
            {"sourcedId": "CUM-1", "validFrom": "2025-07-01"},
        ],
    )
    assert answer.status_code == 201
    return sync


async def ids(sync, path, **query):
    return [each["sourcedId"] for each in (await sync.read(path, sync.as_department, **query))["items"]]


@pytest.mark.parametrize(
    ("day", "above"),
    [
        ("2024-12-01", ["PGD-Q1", DEPARTMENT]),
        ("2025-06-30", ["PGD-Q1", DEPARTMENT]),
        ("2025-07-01", ["CUM-1", "P-SAIGON", DEPARTMENT]),
        ("2025-12-01", ["CUM-1", "P-SAIGON", DEPARTMENT]),
    ],
)
async def test_a_schools_ancestors_are_those_of_the_day(city, day, above):
    assert await ids(city, "/sync/v1/orgs/THCS-A/ancestors", on=day) == above


async def test_children_and_lists_are_those_of_the_day(city):
    assert await ids(city, "/sync/v1/orgs/PGD-Q1/children", on="2024-12-01") == ["THCS-A"]
    assert await ids(city, "/sync/v1/orgs/PGD-Q1/children", on="2025-12-01") == []
    assert await ids(city, "/sync/v1/orgs/P-SAIGON/children", on="2025-12-01") == ["THCS-A"]
    assert "PGD-Q1" in await ids(city, "/sync/v1/orgs", on="2024-12-01")
    assert "PGD-Q1" not in await ids(city, "/sync/v1/orgs", on="2025-12-01")
    assert "PGD-Q1" in await ids(city, "/sync/v1/orgs")
    assert await ids(city, "/sync/v1/orgs", kind="school") == ["THCS-A"]


async def test_a_grant_on_a_commune_covers_its_schools_and_one_on_an_ended_district_covers_none(city):
    scope = f"sync.read {ROSTER_SCOPE}"
    commune = city.signer.bearer(sub="x", scope=scope, orgs=["P-SAIGON"])
    district = city.signer.bearer(sub="x", scope=scope, orgs=["PGD-Q1"])
    assert [each["sourcedId"] for each in await city.roster("schools", commune)] == ["THCS-A"]
    assert await city.roster("schools", district) == []


async def test_each_change_of_the_tree_is_told_with_all_parents(city):
    async with city.runtime.units.begin(EVERYTHING) as uow:
        rows = await uow.session.execute(
            text("SELECT envelope FROM outbox WHERE subject = 'sync.org.changed.v1' ORDER BY position")
        )
        events = [json.loads(row[0]) for row in rows]
    last = events[-1]
    assert last["data"] == {
        "sourcedId": "THCS-A",
        "kind": "school",
        "name": "THCS A",
        "level": "lower_secondary",
        "validFrom": None,
        "validTo": None,
        "parents": [
            {"sourcedId": "PGD-Q1", "validFrom": None, "validTo": "2025-06-30"},
            {"sourcedId": "P-SAIGON", "validFrom": "2025-07-01", "validTo": None},
            {"sourcedId": "CUM-1", "validFrom": "2025-07-01", "validTo": None},
        ],
    }


async def test_one_roster_shows_the_parent_of_today_and_ended_offices_as_ended(city):
    (school,) = await city.roster("schools", city.as_department)
    assert school["parent"]["sourcedId"] == "P-SAIGON"
    types = {each["sourcedId"]: each["type"] for each in await city.roster("orgs", city.as_department)}
    assert types == {DEPARTMENT: "department", "P-SAIGON": "local", "CUM-1": "ext:cluster", "THCS-A": "school"}
    ended = await city.roster("orgs", city.as_department, filter="status='tobedeleted'")
    assert [(each["sourcedId"], each["type"]) for each in ended] == [("PGD-Q1", "district")]


async def test_only_the_department_writes_the_tree(city):
    body = {"kind": "school", "name": "X", "level": "lower_secondary", "parents": [{"sourcedId": DEPARTMENT}]}
    for caller, code in (
        (city.as_vendor("THCS-A"), "scope.missing"),
        (city.as_vendor("THCS-A", scope="sync.orgs"), "org.notDepartment"),
        (city.signer.bearer(sub="u", client_id="p", scope="sync.orgs", orgs=[DEPARTMENT]), "role.missing"),
    ):
        answer = await city.client.put("/sync/v1/orgs/NEW", json=body, headers=caller)
        assert (answer.status_code, answer.json()["code"]) == (403, code)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"level": None}, "org.level"),
        ({"parents": [{"sourcedId": "NOWHERE"}]}, "org.unknown"),
        ({"parents": [{"sourcedId": "THCS-A"}]}, "org.parentKind"),
        ({"parents": [{"sourcedId": "PGD-Q1"}, {"sourcedId": "P-SAIGON"}]}, "org.parentsOverlap"),
        ({"validFrom": "2026-01-01", "validTo": "2025-01-01"}, "dates.reversed"),
    ],
)
async def test_a_unit_that_does_not_fit_the_tree_is_refused_with_its_faults(city, change, code):
    body = {"kind": "school", "name": "X", "level": "lower_secondary", "parents": []} | change
    answer = await city.put_org("NEW", **body)
    assert answer.status_code == 422
    assert code in {each["code"] for each in answer.json()["errors"]}


async def test_a_change_decided_on_an_old_version_is_refused(city):
    read = await city.client.get("/sync/v1/orgs/CUM-1", headers=city.as_department)
    body = {"kind": "cluster", "name": "Cụm Một", "parents": [{"sourcedId": DEPARTMENT}]}
    headers = city.as_department | {"If-Match": read.headers["etag"]}
    assert (await city.client.put("/sync/v1/orgs/CUM-1", json=body, headers=headers)).status_code == 200
    assert (await city.client.put("/sync/v1/orgs/CUM-1", json=body, headers=headers)).status_code == 412
    kind = await city.put_org("CUM-1", kind="commune", name="x", parents=[{"sourcedId": DEPARTMENT}])
    assert (kind.status_code, kind.json()["code"]) == (409, "org.kindFixed")


async def test_two_first_writers_of_one_unit_come_one_after_the_other(sync):
    await sync.put_org(DEPARTMENT, kind="department", name="Sở")
    answers = await asyncio.gather(*(sync.put_org("X", kind="commune", name=f"Xã {n}") for n in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
