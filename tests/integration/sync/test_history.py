"""Two clocks: what was known when. Replaying history equals the state at every commit, whatever was imported."""

import copy
import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.sync.domain.records import RECORD_TYPES
from services.sync.storage.commit import RosterState
from services.sync.storage.history import read_records
from shared.db.scope import EVERYTHING
from tests.integration.sync.packages import changed, make_package, school_files, without

COLLECTIONS = ("academicSessions", "courses", "classes", "users", "enrollments")


async def commit(sync, files, mode="bulk", school="A"):
    """Import and commit, releasing what the brake holds; answers the instant of the school's commit."""
    vendor = sync.as_vendor(school)
    done = await sync.imported(make_package(files, mode), vendor, mode="auto")
    path = f"/sync/v1/imports/{done['id']}"
    if done["state"] == "held":
        body = {"reason": "đúng như vậy"}
        answer = await sync.client.post(f"{path}/commit", json=body, headers=sync.as_person(school, "head"))
        assert answer.status_code == 202, answer.text
        await sync.work()
        done = await sync.read(path, vendor)
    assert done["state"] == "committed"
    return dt.datetime.fromisoformat(done["schools"][0]["committedAt"])


async def known_at(sync, instant):
    """The roster by type as history tells it, versions included; None is the present."""
    state = {}
    async with sync.runtime.units.begin(EVERYTHING) as uow:
        for record in RECORD_TYPES:
            rows = await read_records(uow.session, record, {}, as_of=instant, after=None, limit=10_000)
            state[record.file] = [
                (row["sourced_id"], row["status"], row["version"], *(row[name] for name in record.columns))
                for row in rows
            ]
    return state


async def present(sync):
    return await known_at(sync, None)


async def test_a_read_as_of_an_instant_returns_the_rows_exactly_as_known_then(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    files = school_files("A", learners=30)
    first = await commit(sync, files)
    renamed = {**files, "users": changed(files["users"], "A-hs0", familyName="Trần")}
    second = await commit(sync, renamed)
    left = {**renamed, "users": without(renamed["users"], "A-hs1"), "roles": without(renamed["roles"], "A-hs1-r")}
    left["enrollments"] = without(renamed["enrollments"], "A-hs1-e")
    third = await commit(sync, left)

    async def read(instant, person):
        body = await sync.read(f"/sync/v1/users/{person}", vendor, asOf=instant.isoformat())
        return body["familyName"], body["status"], body["version"]

    assert await read(first, "A-hs0") == ("Nguyễn", "active", 1)
    assert await read(second, "A-hs0") == ("Trần", "active", 2)
    assert await read(second - dt.timedelta(microseconds=1), "A-hs0") == ("Nguyễn", "active", 1)
    assert await read(second, "A-hs1") == ("Nguyễn", "active", 1)
    assert await read(third, "A-hs1") == ("Nguyễn", "tobedeleted", 2)
    before = await sync.client.get(
        "/sync/v1/users/A-hs0", headers=vendor, params={"asOf": (first - dt.timedelta(microseconds=1)).isoformat()}
    )
    assert before.status_code == 404


async def test_lists_as_of_an_instant_are_whole_and_paged(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    files = school_files("A", learners=30)
    first = await commit(sync, files)
    await commit(sync, {**files, "classes": changed(files["classes"], "A-lop1", title="Lớp 6 chuyên")})
    for collection in COLLECTIONS:
        found, query = [], {"asOf": first.isoformat(), "limit": "7", "school": "A", "status": "active"}
        while True:
            page = await sync.read(f"/sync/v1/{collection}", vendor, **query)
            found += page["items"]
            if page["next"] is None:
                break
            query["cursor"] = page["next"]
        expected = [row["sourcedId"] for row in files[collection]]
        assert [each["sourcedId"] for each in found] == sorted(expected)
        assert {each["version"] for each in found} == {1}
    old = await sync.read("/sync/v1/classes", vendor, asOf=first.isoformat())
    new = await sync.read("/sync/v1/classes", vendor)
    assert {each["title"] for each in old["items"]} == {"Lớp 6A1", "Lớp 6A2"}
    assert {each["title"] for each in new["items"]} == {"Lớp 6 chuyên", "Lớp 6A2"}
    (past,) = [each for each in old["items"] if each["recordedTo"] is not None]
    (renewed,) = [each for each in new["items"] if each["version"] == 2]
    assert past["recordedTo"] == renewed["recordedFrom"]


async def test_a_school_outside_the_grants_has_no_past_either(sync):
    await sync.put_schools("A", "B")
    files = school_files("B", learners=30)
    first = await commit(sync, files, school="B")
    await commit(sync, {**files, "users": changed(files["users"], "B-hs0", familyName="Trần")}, school="B")
    stranger = sync.as_vendor("A")
    for query in ({}, {"asOf": first.isoformat()}, {"school": "B"}):
        for collection in COLLECTIONS:
            assert (await sync.read(f"/sync/v1/{collection}", stranger, **query))["items"] == []
        answer = await sync.client.get("/sync/v1/users/B-hs0", headers=stranger, params=query)
        assert answer.status_code == 404


@pytest.mark.parametrize("value", ["2026-09-01", "2026-09-01T00:00:00", "hôm qua"])
async def test_an_instant_without_a_zone_is_refused(sync, value):
    await sync.put_schools("A")
    answer = await sync.client.get("/sync/v1/users", headers=sync.as_vendor("A"), params={"asOf": value})
    assert answer.status_code == 422


async def test_nobody_reads_the_future(sync):
    await sync.put_schools("A")
    query = {"asOf": "2999-01-01T00:00:00Z"}
    answer = await sync.client.get("/sync/v1/users", headers=sync.as_vendor("A"), params=query)
    assert answer.status_code == 422
    assert answer.json()["code"] == "asOf.future"


async def test_a_first_import_and_an_unchanged_one_write_no_history(sync):
    await sync.put_schools("A")
    for _ in range(2):
        await commit(sync, school_files("A"))
    for record in RECORD_TYPES:
        assert await sync.sql(f"SELECT count(*) FROM {record.history}") == [0]


def test_a_clock_that_was_set_back_does_not_disorder_history():
    last = dt.datetime(2026, 9, 5, 7, 30, tzinfo=dt.UTC)
    state = RosterState(version=1, last_received_at=last, committed_at=last)
    assert state.next_commit(last - dt.timedelta(hours=1)) == last + dt.timedelta(microseconds=1)
    assert state.next_commit(last + dt.timedelta(hours=1)) == last + dt.timedelta(hours=1)


# One step of a school's life: which learner, and what happens to them (or to the class or the course).
STEPS = st.tuples(
    st.sampled_from(["rename", "leave", "return", "move", "retitle", "nothing"]), st.integers(min_value=0, max_value=3)
)


def applied(files, step):
    """The school's files after a step; who left comes back as they were at first."""
    action, number = step
    person = f"A-hs{number}"
    first = school_files("A", learners=4)
    made = copy.deepcopy(files)
    if action == "rename":
        made["users"] = changed(made["users"], person, familyName=f"Họ {len(made['users'])}-{number}")
    elif action == "leave":
        for name, key in (("users", person), ("roles", f"{person}-r"), ("enrollments", f"{person}-e")):
            made[name] = without(made[name], key)
    elif action == "return":
        for name, key in (("users", person), ("roles", f"{person}-r"), ("enrollments", f"{person}-e")):
            there = {row["sourcedId"] for row in made[name]}
            made[name] += [row for row in first[name] if row["sourcedId"] == key and key not in there]
    elif action == "move":
        made["enrollments"] = changed(made["enrollments"], f"{person}-e", classSourcedId="A-lop2")
    elif action == "retitle":
        made["classes"] = changed(made["classes"], f"A-lop{1 + number % 2}", title=f"Lớp mới {number}")
        made["courses"] = changed(made["courses"], "A-toan", title=f"Toán {number}")
    return made


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, min_size=1, max_size=5))
async def test_replaying_history_equals_the_state_at_every_commit(sync, steps):
    await sync.put_schools("A")
    files, remembered = school_files("A", learners=4), []
    for step in [None, *steps]:
        files = files if step is None else applied(files, step)
        instant = await commit(sync, files)
        remembered.append((instant, await present(sync)))
    for instant, state in remembered:
        assert await known_at(sync, instant) == state
