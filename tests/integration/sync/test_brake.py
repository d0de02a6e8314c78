"""Mass removal waits until someone of the school says yes (PRODUCT rule 5)."""

import pytest

from tests.integration.sync.packages import changed, make_package, school_files, together


def half(files):
    """The package a broken export makes: half of the learners are missing."""
    kept = {f"A-hs{number}" for number in range(0, 30, 2)} | {"A-gv"}
    return {
        **files,
        "users": [row for row in files["users"] if row["sourcedId"] in kept],
        "roles": [row for row in files["roles"] if row["userSourcedId"] in kept],
        "enrollments": [row for row in files["enrollments"] if row["userSourcedId"] in kept],
    }


@pytest.fixture
async def held(sync):
    """School A with thirty learners, and a half-empty package that waits."""
    await sync.put_schools("A", "B")
    vendor = sync.as_vendor("A")
    files = school_files("A", learners=30)
    await sync.imported(make_package(files), vendor, mode="auto")
    return await sync.imported(make_package(half(files)), vendor, mode="auto")


async def release(sync, imported, headers, **body):
    return await sync.client.post(f"/sync/v1/imports/{imported['id']}/commit", json=body, headers=headers)


async def test_a_half_empty_bulk_package_is_held_and_unenrols_nobody(sync, held):
    vendor = sync.as_vendor("A")
    assert held["state"] == "held"
    assert {(each["code"], each["type"], each["count"], each["before"]) for each in held["holdReasons"]} == {
        ("removedTooMany", "users", 15, 31),
        ("removedTooMany", "roles", 15, 31),
        ("removedTooMany", "enrollments", 15, 31),
    }
    assert "10 %" in held["holdReasons"][0]["message"]
    assert len(await sync.roster("enrollments", vendor)) == 31


async def test_a_vendor_cannot_release_and_is_told_who_can(sync, held):
    answer = await release(sync, held, sync.as_vendor("A"), reason="please")
    assert (answer.status_code, answer.json()["code"]) == (409, "import.held")
    assert answer.json()["whoCanRelease"] == ["head", "data_officer"]


async def test_a_teacher_cannot_release(sync, held):
    answer = await release(sync, held, sync.as_person("A", "teacher"), reason="please")
    assert (answer.status_code, answer.json()["code"]) == (403, "role.missing")


async def test_a_release_needs_a_reason(sync, held):
    answer = await release(sync, held, sync.as_person("A", "head"))
    assert (answer.status_code, answer.json()["code"]) == (422, "reason.missing")
    assert (await release(sync, held, sync.as_person("A", "head"), reason="  ")).status_code == 422


async def test_for_the_head_of_another_school_the_held_import_does_not_exist(sync, held):
    answer = await release(sync, held, sync.as_person("B", "head"), reason="mine")
    assert (answer.status_code, answer.json()["code"]) == (404, "import.unknown")


@pytest.mark.parametrize("role", ["head", "data_officer"])
async def test_the_schools_head_or_data_officer_releases_with_a_reason_that_is_kept(sync, held, role):
    person = sync.as_person("A", role)
    answer = await release(sync, held, person, reason="Sáp nhập lớp")
    assert answer.status_code == 202
    await sync.work()
    done = await sync.read(f"/sync/v1/imports/{held['id']}", sync.as_vendor("A"))
    assert done["state"] == "committed"
    assert done["schools"][0]["releaseReason"] == "Sáp nhập lớp"
    assert await sync.sql("SELECT released_by FROM import_school WHERE held") == ["person-A"]
    assert len(await sync.roster("students", sync.as_vendor("A"))) == 15


async def test_a_package_of_two_schools_waits_for_each_held_school(sync):
    await sync.put_schools("A", "B")
    both = sync.as_vendor("A", "B")
    full = [school_files("A", learners=30), school_files("B", learners=30)]
    await sync.imported(make_package(together(*full)), both, mode="auto")
    few = [school_files("A", learners=5), school_files("B", learners=5)]
    held = await sync.imported(make_package(together(*few)), both, mode="auto")
    assert held["state"] == "held"
    first = await release(sync, held, sync.as_person("A", "head"), reason="a")
    assert first.json()["state"] == "held"
    # The head of A sees the own school's part only.
    assert {each["school"] for each in first.json()["holdReasons"]} == {"A"}
    assert [each["sourcedId"] for each in first.json()["schools"]] == ["A"]
    assert first.json()["files"] == []
    again = await release(sync, held, sync.as_person("A", "head"), reason="a")
    assert (again.status_code, again.json()["code"]) == (409, "import.heldElsewhere")
    second = await release(sync, held, sync.as_person("B", "data_officer"), reason="b")
    assert second.json()["state"] == "committing"
    await sync.work()
    assert (await sync.read(f"/sync/v1/imports/{held['id']}", both))["state"] == "committed"


async def test_exactly_ten_percent_removed_is_not_held(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    files = school_files("A")
    files["courses"] = [
        {"sourcedId": f"m{number}", "title": "Môn", "orgSourcedId": "A"} for number in range(9)
    ] + files["courses"]
    await sync.imported(make_package(files), vendor, mode="auto")
    files["courses"] = files["courses"][1:]
    assert (await sync.imported(make_package(files), vendor, mode="auto"))["state"] == "committed"
    files["courses"] = files["courses"][1:]
    assert (await sync.imported(make_package(files), vendor, mode="auto"))["state"] == "held"


async def test_more_than_three_quarters_changed_is_held(sync):
    await sync.put_schools("A")
    vendor = sync.as_vendor("A")
    files = school_files("A", learners=7)
    await sync.imported(make_package(files), vendor, mode="auto")
    for number in range(6):
        files["users"] = changed(files["users"], f"A-hs{number}", familyName="Trần")
    assert (await sync.imported(make_package(files), vendor, mode="auto"))["state"] == "committed"
    for number in range(7):
        files["users"] = changed(files["users"], f"A-hs{number}", familyName="Lê")
    held = await sync.imported(make_package(files), vendor, mode="auto")
    assert [(each["code"], each["type"], each["count"]) for each in held["holdReasons"]] == [
        ("changedTooMany", "users", 7)
    ]


async def test_a_ready_import_whose_base_changed_is_compared_again_before_it_counts(sync):
    await sync.put_schools("A")
    one, two = sync.as_vendor("A", sub="one"), sync.as_vendor("A", sub="two")
    files = school_files("A", learners=30)
    ready = await sync.imported(make_package(files), one)
    more = school_files("A", learners=31)
    await sync.imported(make_package(more), two, mode="auto")
    # Against the empty school everything was added; now one learner would end, and it is the older package.
    await release(sync, ready, one)
    await sync.work()
    again = await sync.read(f"/sync/v1/imports/{ready['id']}", one)
    assert again["state"] == "held"
    assert [each["code"] for each in again["holdReasons"]] == ["olderThanCommitted"]
    assert again["schools"][0]["counts"]["users"] == {"before": 32, "added": 0, "changed": 0, "removed": 1}
    await release(sync, ready, sync.as_person("A", "head"), reason="Đúng là bản này")
    await sync.work()
    assert (await sync.read(f"/sync/v1/imports/{ready['id']}", one))["state"] == "committed"
    assert len(await sync.roster("students", one)) == 30
