"""Two clocks of the org tree: what was valid when, and what was known of it when."""

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from shared.db.scope import EVERYTHING
from tests.integration.sync.stage import DEPARTMENT

TOP = [{"sourcedId": DEPARTMENT}]
SCHOOL = {"kind": "school", "level": "lower_secondary"}
TICK = dt.timedelta(microseconds=1)


async def put(sync, sourced_id, **body):
    """Write a unit; answers the instant since which it is known."""
    answer = await sync.put_org(sourced_id, **body)
    assert answer.is_success, answer.text
    return dt.datetime.fromisoformat(answer.json()["dateLastModified"])


async def ids(sync, path, instant, **query):
    body = await sync.read(path, sync.as_department, asOf=instant.isoformat(), **query)
    return [each["sourcedId"] for each in body["items"]]


@pytest.fixture
async def moved(sync):
    """A school of a district; on a later day the department records that it went to a commune in July 2025."""
    await put(sync, DEPARTMENT, kind="department", name="Sở")
    await put(sync, "PGD-Q1", kind="district_office", name="Phòng Quận 1", parents=TOP)
    first = await put(sync, "A", name="THCS A", parents=[{"sourcedId": "PGD-Q1"}], **SCHOOL)
    await put(sync, "P-SG", kind="commune", name="Phường Sài Gòn", validFrom="2025-07-01", parents=TOP)
    edges = [{"sourcedId": "PGD-Q1", "validTo": "2025-06-30"}, {"sourcedId": "P-SG", "validFrom": "2025-07-01"}]
    second = await put(sync, "A", name="THCS A mới", parents=edges, **SCHOOL)
    return sync, first, second


async def test_a_unit_as_of_an_instant_is_what_was_known_of_it_then(moved):
    sync, first, second = moved

    async def one(instant):
        body = await sync.read("/sync/v1/orgs/A", sync.as_department, asOf=instant.isoformat())
        return body["name"], body["version"], [each["sourcedId"] for each in body["parents"]]

    assert await one(first) == ("THCS A", 1, ["PGD-Q1"])
    assert await one(second - TICK) == ("THCS A", 1, ["PGD-Q1"])
    assert await one(second) == ("THCS A mới", 2, ["PGD-Q1", "P-SG"])
    query = {"asOf": (first - TICK).isoformat()}
    before = await sync.client.get("/sync/v1/orgs/A", headers=sync.as_department, params=query)
    assert (before.status_code, before.json()["code"]) == (404, "org.unknown")


async def test_the_day_and_the_instant_are_two_questions(moved):
    sync, first, second = moved
    path = "/sync/v1/orgs/A/ancestors"
    assert await ids(sync, path, first, on="2025-12-01") == ["PGD-Q1", DEPARTMENT]
    assert await ids(sync, path, second, on="2025-12-01") == ["P-SG", DEPARTMENT]
    assert await ids(sync, path, second, on="2024-12-01") == ["PGD-Q1", DEPARTMENT]
    assert await ids(sync, "/sync/v1/orgs/PGD-Q1/children", first, on="2025-12-01") == ["A"]
    assert await ids(sync, "/sync/v1/orgs/PGD-Q1/children", second, on="2025-12-01") == []
    assert await ids(sync, "/sync/v1/orgs/P-SG/children", second, on="2025-12-01") == ["A"]
    assert await ids(sync, "/sync/v1/orgs", first) == ["A", "PGD-Q1", DEPARTMENT]
    assert await ids(sync, "/sync/v1/orgs", second, on="2025-12-01", kind="commune") == ["P-SG"]


async def test_an_instant_to_come_is_refused_and_a_school_not_granted_does_not_exist(moved):
    sync, first, _ = moved
    future = {"asOf": "2999-01-01T00:00:00Z"}
    for path in ("", "/A", "/A/ancestors", "/A/children"):
        answer = await sync.client.get(f"/sync/v1/orgs{path}", headers=sync.as_department, params=future)
        assert (answer.status_code, answer.json()["code"]) == (422, "asOf.future")
    stranger, then = sync.as_vendor("B"), {"asOf": first.isoformat()}
    assert (await sync.client.get("/sync/v1/orgs/A", headers=stranger, params=then)).status_code == 404
    assert "A" not in {each["sourcedId"] for each in (await sync.read("/sync/v1/orgs", stranger, **then))["items"]}


async def test_a_clock_set_back_does_not_overlap_versions(moved):
    sync, *_ = moved
    await sync.sql("UPDATE org SET date_last_modified = date_last_modified + interval '1 day' RETURNING 1")
    later = await put(sync, "A", name="Lần ba", parents=TOP, **SCHOOL)
    spans = "SELECT ARRAY[recorded_from, recorded_to] FROM org_history WHERE sourced_id = 'A' ORDER BY version"
    last = (await sync.sql(spans))[-1]
    assert last[0] < last[1] == later


async def whole_tree(sync, instant=None):
    query = {} if instant is None else {"asOf": instant.isoformat()}
    return (await sync.read("/sync/v1/orgs", sync.as_department, limit="500", **query))["items"]


_PARENTS = st.lists(st.sampled_from([DEPARTMENT, "X-1", "X-2"]), max_size=1)
_WRITES = st.lists(
    st.tuples(st.sampled_from(["S-1", "S-2", "S-3"]), st.sampled_from(["Một", "Hai", "Ba"]), _PARENTS),
    min_size=1,
    max_size=8,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(writes=_WRITES)
async def test_replaying_history_by_instants_equals_the_state_after_each_write(sync, writes):
    async with sync.runtime.units.begin(EVERYTHING) as uow:
        for table in ("org_parent", "org", "org_history", "org_parent_history"):
            await uow.session.execute(text(f"DELETE FROM {table} WHERE sourced_id LIKE 'S-%'"))
    await put(sync, DEPARTMENT, kind="department", name="Sở")
    for commune in ("X-1", "X-2"):
        await put(sync, commune, kind="commune", name=commune, parents=TOP)
    states = []
    for sourced_id, name, parents in writes:
        edges = [{"sourcedId": each} for each in parents]
        known = await put(sync, sourced_id, name=name, parents=edges, **SCHOOL)
        states.append((known, await whole_tree(sync)))
    for known, state in states:
        assert await whole_tree(sync, known) == state
