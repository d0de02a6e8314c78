"""What the brake holds is released or discarded by the school, with a reason, and every decision is kept."""

import datetime as dt

import pytest

from services.sync.usecases.work_through import end_undecided
from tests.integration.sync.packages import make_package, school_files, together


async def decide(sync, held, action, headers, **body):
    return await sync.client.post(f"/sync/v1/imports/{held['id']}/{action}", json=body, headers=headers)


@pytest.fixture
async def held(sync):
    """Schools A and B with thirty learners each, and a package that leaves five in each."""
    await sync.put_schools("A", "B")
    both = sync.as_vendor("A", "B")
    full = [school_files("A", learners=30), school_files("B", learners=30)]
    await sync.imported(make_package(together(*full)), both, mode="auto")
    few = [school_files("A", learners=5), school_files("B", learners=5)]
    return await sync.imported(make_package(together(*few)), both, mode="auto")


async def test_a_vendor_cannot_decide_and_reads_who_can(sync, held):
    both = sync.as_vendor("A", "B")
    assert {tuple(each["whoCanDecide"]) for each in held["holdReasons"]} == {("head", "data_officer")}
    for action in ("release", "discard"):
        answer = await decide(sync, held, action, both, reason="please")
        assert (answer.status_code, answer.json()["code"]) == (409, "import.held")
        assert answer.json()["whoCanRelease"] == ["head", "data_officer"]


async def test_a_decision_needs_the_role_and_a_reason_and_the_own_school(sync, held):
    for action in ("release", "discard"):
        teacher = await decide(sync, held, action, sync.as_person("A", "teacher"), reason="x")
        assert (teacher.status_code, teacher.json()["code"]) == (403, "role.missing")
        silent = await decide(sync, held, action, sync.as_person("A", "head"), reason=" ")
        assert (silent.status_code, silent.json()["code"]) == (422, "reason.missing")
        stranger = await decide(sync, held, action, sync.as_person("C", "head"), reason="x")
        assert (stranger.status_code, stranger.json()["code"]) == (404, "import.unknown")


async def test_what_one_school_discards_stays_as_it_was_and_what_another_releases_is_written(sync, held):
    both = sync.as_vendor("A", "B")
    first = await decide(sync, held, "discard", sync.as_person("A", "data_officer"), reason="Tệp bị cắt")
    assert (first.status_code, first.json()["state"]) == (200, "held")
    again = await decide(sync, held, "release", sync.as_person("A", "head"), reason="x")
    assert (again.status_code, again.json()["code"]) == (409, "import.heldElsewhere")
    second = await decide(sync, held, "release", sync.as_person("B", "head"), reason="Đúng")
    assert (second.status_code, second.json()["state"]) == (202, "committing")
    await sync.work()
    done = await sync.read(f"/sync/v1/imports/{held['id']}", both)
    assert done["state"] == "committed"
    parts = {each["sourcedId"]: each for each in done["schools"]}
    assert parts["A"]["discardedAt"] is not None
    assert parts["A"]["committedAt"] is None
    assert parts["B"]["committedAt"] is not None
    assert {each["file"]: each["removed"] for each in done["files"]}["users.csv"] == 25
    assert len(await sync.roster("students", sync.as_vendor("A"))) == 30
    assert len(await sync.roster("students", sync.as_vendor("B"))) == 5
    decisions = (await sync.read(f"/sync/v1/imports/{held['id']}/decisions", both))["items"]
    assert [(each["school"], each["action"], each["reason"], each["decidedBy"]) for each in decisions] == [
        ("A", "discard", "Tệp bị cắt", "person-A"),
        ("B", "release", "Đúng", "person-B"),
    ]
    own = await sync.read(f"/sync/v1/imports/{held['id']}/decisions", sync.as_person("B", "head"))
    assert [each["school"] for each in own["items"]] == ["B"]


async def test_an_import_that_every_school_discards_ends_and_writes_nothing(sync, held):
    both = sync.as_vendor("A", "B")
    await decide(sync, held, "discard", sync.as_person("A", "head"), reason="a")
    last = await decide(sync, held, "discard", sync.as_person("B", "head"), reason="b")
    assert last.json()["state"] == "discarded"
    await sync.work()
    done = await sync.read(f"/sync/v1/imports/{held['id']}", both)
    assert done["state"] == "discarded"
    assert {tuple(each["whoCanDecide"]) for each in done["holdReasons"]} == {()}
    assert len(await sync.roster("students", both)) == 60
    assert await sync.sql("SELECT count(*) FROM staged_person") == [0]
    late = await decide(sync, held, "release", sync.as_person("A", "head"), reason="a")
    assert (late.status_code, late.json()["code"]) == (409, "import.wrongState")


async def test_what_nobody_decides_in_time_is_discarded_with_its_staged_rows(sync, held):
    both = sync.as_vendor("A", "B")
    await end_undecided(sync.runtime.units, dt.timedelta(days=1))
    assert (await sync.read(f"/sync/v1/imports/{held['id']}", both))["state"] == "held"
    await end_undecided(sync.runtime.units, dt.timedelta(0))
    assert (await sync.read(f"/sync/v1/imports/{held['id']}", both))["state"] == "discarded"
    assert await sync.sql("SELECT count(*) FROM staged_person") == [0]
    late = await decide(sync, held, "release", sync.as_person("A", "head"), reason="x")
    assert (late.status_code, late.json()["code"]) == (409, "import.wrongState")
