"""A provisional learner becomes an issued one: everything follows, the old code leads on, and it can be undone."""

import asyncio

import pytest

from tests.integration.sync.gradebook_packages import gradebook_files
from tests.integration.sync.packages import changed, make_package, school_files
from tests.integration.sync.test_registry import load, renamed

OLD, NEW = "provisional:lms-7", "79-hs-0007"
PATH = "/sync/v1/registry/merges"


@pytest.fixture
async def school(sync):
    """School A, whose learner A-hs0 came under a provisional code; every code but that one is issued."""
    await sync.put_schools("A")
    issued = school_files("A")
    files = renamed({**issued, **gradebook_files("A", results=5)}, "A-hs0", OLD)
    people = [row["sourcedId"] for row in issued["users"]]
    await load(sync, "learners", "sourcedId\n" + "\n".join([*people, NEW, "khac"]) + "\n")
    await load(sync, "staff", "sourcedId\n" + "\n".join(people) + "\n")
    done = await sync.imported(make_package(files), sync.as_vendor("A"), mode="auto")
    assert done["state"] == "committed", done
    assert await sync.sql(f"SELECT count(*) FROM person WHERE sourced_id = '{OLD}'") == [1]
    return files


async def merge(sync, *pairs, reason="Đã cấp mã", headers=None):
    body = {"items": [{"provisional": old, "issued": new} for old, new in pairs], "reason": reason}
    answer = await sync.client.post(PATH, json=body, headers=headers or sync.as_department)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def rows_of(sync, person):
    """How many active rows name the person, by table."""
    columns = {
        "person": "sourced_id",
        "demographics": "sourced_id",
        "role": "user_sourced_id",
        "enrollment": "user_sourced_id",
        "result": "student_sourced_id",
        "user_resource": "user_sourced_id",
    }
    return {
        table: (await sync.sql(f"SELECT count(*) FROM {table} WHERE {column} = '{person}' AND status = 'active'"))[0]
        for table, column in columns.items()
    }


async def test_everything_of_the_provisional_learner_follows_and_nothing_is_left(sync, school):
    before = await rows_of(sync, OLD)
    assert all(before[table] for table in ("person", "role", "enrollment"))
    (done,) = await merge(sync, (OLD, NEW))
    assert (done["state"], done["schools"], done["code"]) == ("merged", ["A"], None)
    assert await rows_of(sync, NEW) == before
    assert set((await rows_of(sync, OLD)).values()) == {0}
    kept = await sync.sql(f"SELECT sourced_id FROM enrollment WHERE user_sourced_id = '{NEW}' ORDER BY 1")
    assert kept == await sync.sql(
        f"SELECT DISTINCT sourced_id FROM enrollment_history WHERE user_sourced_id = '{OLD}' ORDER BY 1"
    )
    for staged in ("staged_person", "staged_enrollment", "staged_role", "staged_result"):
        assert await sync.sql(f"SELECT count(*) FROM {staged} WHERE outcome = 'accepted'") == [0]


async def test_the_old_code_answers_with_the_new_record_and_as_of_before_with_the_old(sync, school):
    vendor = sync.as_vendor("A")
    was = await sync.read(f"/sync/v1/users/{OLD}", vendor)
    await merge(sync, (OLD, NEW))
    answer = await sync.client.get(f"/sync/v1/users/{OLD}", headers=vendor)
    assert (answer.json()["sourcedId"], answer.headers["content-location"]) == (NEW, f"/sync/v1/users/{NEW}")
    shown = await sync.read(f"/ims/oneroster/rostering/v1p2/users/{OLD}", vendor)
    assert shown["user"]["sourcedId"] == NEW
    then = await sync.read(f"/sync/v1/users/{OLD}", vendor, asOf=was["recordedFrom"])
    assert (then["sourcedId"], then["status"]) == (OLD, "active")


async def test_a_package_that_still_sends_the_provisional_code_changes_nothing(sync, school):
    await merge(sync, (OLD, NEW))
    done = await sync.imported(make_package(school), sync.as_vendor("A"), mode="auto")
    assert done["state"] == "committed"
    assert {each["file"]: each["added"] + each["changed"] + each["removed"] for each in done["files"]} == {
        each["file"]: 0 for each in done["files"]
    }
    assert await sync.problems(done["id"], sync.as_vendor("A"), severity="error") == []


async def test_the_merge_is_in_the_feed_and_can_be_undone(sync, school):
    before = await rows_of(sync, OLD)
    await merge(sync, (OLD, NEW))
    await sync.settled()
    feed = await sync.read("/sync/v1/changes", sync.as_vendor("A"), types="users,enrollments", limit="1000")
    assert {(each["sourcedId"], each["action"]) for each in feed["items"] if each["type"] == "users"} >= {
        (OLD, "removed"),
        (NEW, "added"),
    }
    (shown,) = await shown_merges(sync)
    assert (shown["provisional"], shown["issued"], shown["reason"]) == (OLD, NEW, "Đã cấp mã")
    answer = await undo(sync, shown["importId"])
    assert answer.status_code == 202, answer.text
    await sync.work()
    assert await rows_of(sync, OLD) == before
    assert set((await rows_of(sync, NEW)).values()) == {0}
    assert await shown_merges(sync) == []


async def undo(sync, import_id, headers=None):
    return await sync.client.post(
        f"/sync/v1/imports/{import_id}/revert", json={"reason": "nhầm người"}, headers=headers or sync.as_department
    )


async def shown_merges(sync):
    return (await sync.read(PATH, sync.as_department))["items"]


async def rows_by_school(sync, person):
    return await sync.sql(
        f"SELECT school_sourced_id FROM person WHERE sourced_id = '{person}' AND status = 'active' ORDER BY 1"
    )


@pytest.fixture
async def two_schools(sync, school):
    """The learner of school A came to school B too, under the same provisional code."""
    await sync.put_schools("A", "B")
    files = school_files("B")
    people = [row["sourcedId"] for row in files["users"]]
    for kind in ("learners", "staff"):
        await load(sync, kind, "sourcedId\n" + "\n".join(people) + "\n")
    files = renamed(files, "B-hs0", OLD)
    await commit(sync, files, "B")
    assert await rows_by_school(sync, OLD) == ["A", "B"]
    return {"A": school, "B": files}


async def commit(sync, files, school):
    done = await sync.imported(make_package(files), sync.as_vendor(school), mode="auto")
    assert done["state"] == "committed", done


async def test_a_school_of_a_merge_cannot_undo_it_and_the_old_code_leads_on_at_both(sync, two_schools):
    (done,) = await merge(sync, (OLD, NEW))
    assert done["schools"] == ["A", "B"]
    (shown,) = await shown_merges(sync)
    answer = await undo(sync, shown["importId"], sync.as_person("A", "head"))
    assert (answer.status_code, answer.json()["code"]) == (403, "role.missing"), answer.text
    assert answer.json()["roles"] == ["department_officer"]
    officer = await undo(sync, shown["importId"], sync.as_person("A", "head", "department_officer"))
    assert (officer.status_code, officer.json()["code"]) == (403, "registry.notDepartment")
    await sync.work()
    for name, files in two_schools.items():
        await commit(sync, files, name)
        assert (await sync.read(f"/sync/v1/users/{OLD}", sync.as_vendor(name)))["sourcedId"] == NEW
    assert await rows_by_school(sync, NEW) == ["A", "B"]
    assert await rows_by_school(sync, OLD) == []
    assert len(await shown_merges(sync)) == 1


async def test_the_department_undoes_a_merge_at_every_school_and_packages_bring_the_old_code_again(sync, two_schools):
    before = await rows_of(sync, OLD)
    await merge(sync, (OLD, NEW))
    (shown,) = await shown_merges(sync)
    assert (await undo(sync, shown["importId"])).status_code == 202
    await sync.work()
    assert await rows_of(sync, OLD) == before
    for name, files in two_schools.items():
        done = await sync.imported(make_package(files), sync.as_vendor(name), mode="auto")
        assert done["state"] == "committed"
        assert not any(each["added"] + each["changed"] + each["removed"] for each in done["files"])
        assert (await sync.read(f"/sync/v1/users/{OLD}", sync.as_vendor(name)))["sourcedId"] == OLD
    assert await rows_by_school(sync, NEW) == []
    # Who took it back and why is kept, and the two may become one again.
    assert await sync.sql("SELECT undo_reason FROM person_alias_undone") == ["nhầm người"]
    (again,) = await merge(sync, (OLD, NEW))
    assert (again["state"], again["schools"]) == ("merged", ["A", "B"])


async def test_rows_and_code_go_back_in_one_step_however_large_the_change_is_for_a_school(sync):
    """Not left to a worker and never held: in between the old code would lead to a person who is no longer there."""
    await sync.put_schools("A")
    await load(sync, "learners", f"sourcedId\n{NEW}\n")
    await commit(sync, renamed(school_files("A", learners=1), "A-hs0", OLD), "A")
    await merge(sync, (OLD, NEW))
    (shown,) = await shown_merges(sync)
    answer = (await undo(sync, shown["importId"])).json()
    assert (answer["state"], answer["holdReasons"], answer["revertOf"]) == ("committed", [], shown["importId"])
    assert (await rows_by_school(sync, OLD), await rows_by_school(sync, NEW)) == (["A"], [])
    assert await shown_merges(sync) == []
    decided = await sync.read(f"/sync/v1/imports/{answer['id']}/decisions", sync.as_department)
    assert [(each["action"], each["reason"]) for each in decided["items"]] == [("revert", "nhầm người")]
    for staged in ("staged_person", "staged_enrollment", "staged_role"):
        assert await sync.sql(f"SELECT count(*) FROM {staged}") == [0]


async def test_a_merge_one_school_of_which_went_on_is_not_undone_and_the_old_code_leads_on(sync, two_schools):
    await merge(sync, (OLD, NEW))
    files = two_schools["B"]
    await commit(sync, {**files, "classes": changed(files["classes"], "B-lop1", title="6 mới")}, "B")
    (shown,) = await shown_merges(sync)
    answer = await undo(sync, shown["importId"])
    assert (answer.status_code, answer.json()["code"], answer.json()["schools"]) == (409, "import.notNewest", ["B"])
    assert len(await shown_merges(sync)) == 1
    assert await rows_by_school(sync, NEW) == ["A", "B"]


async def test_of_two_who_undo_a_merge_at_once_one_is_told_that_it_is_done(sync, two_schools):
    before = await rows_of(sync, OLD)
    await merge(sync, (OLD, NEW))
    (shown,) = await shown_merges(sync)
    answers = await asyncio.gather(*(undo(sync, shown["importId"]) for _ in range(3)))
    assert sorted(each.status_code for each in answers) == [202, 409, 409]
    assert await rows_of(sync, OLD) == before
    assert await sync.sql("SELECT count(*) FROM person_alias_undone") == [1]


async def test_undoing_the_undoing_merges_again_and_the_old_code_leads_on(sync, two_schools):
    await merge(sync, (OLD, NEW))
    (first,) = await shown_merges(sync)
    undoing = (await undo(sync, first["importId"])).json()
    head = await undo(sync, undoing["id"], sync.as_person("A", "head"))
    assert (head.status_code, head.json()["code"]) == (403, "role.missing")
    answer = (await undo(sync, undoing["id"])).json()
    assert await rows_by_school(sync, NEW) == ["A", "B"]
    (shown,) = await shown_merges(sync)
    assert (shown["importId"], shown["issued"], shown["reason"]) == (answer["id"], NEW, "Đã cấp mã")
    assert (await undo(sync, first["importId"])).json()["code"] == "import.notNewest"
    assert (await undo(sync, answer["id"])).status_code == 202
    assert (await rows_by_school(sync, OLD), await shown_merges(sync)) == (["A", "B"], [])


async def test_each_pair_is_judged_by_itself(sync, school):
    pairs = ("A-hs1", NEW), (OLD, "chua-cap"), ("provisional:chua-ai-co", NEW), (OLD, NEW), (OLD, NEW)
    items = await merge(sync, *pairs)
    assert [(each["state"], each["code"]) for each in items] == [
        ("refused", "registry.notProvisional"),
        ("refused", "registry.notIssued"),
        ("noted", None),
        ("merged", None),
        ("known", None),
    ]
    (again,) = await merge(sync, (OLD, "khac"))
    assert (again["state"], again["code"]) == ("refused", "registry.mergedElsewhere")
    assert again["message"]


async def test_an_issued_person_of_the_school_keeps_its_own_and_takes_the_rest(sync, school):
    """The learner stood twice in the school: once under each code."""
    own = await rows_of(sync, "A-hs1")
    gone = await rows_of(sync, OLD)
    await merge(sync, (OLD, "A-hs1"))
    after = await rows_of(sync, "A-hs1")
    assert (after["person"], after["role"]) == (own["person"], own["role"])
    assert after["enrollment"] == own["enrollment"] + gone["enrollment"]


async def test_only_the_department_merges(sync, school):
    vendor = sync.as_vendor("A", scope="sync.orgs")
    body = {"items": [{"provisional": OLD, "issued": NEW}], "reason": "x"}
    assert (await sync.client.post(PATH, json=body, headers=vendor)).status_code == 403


async def take_back(sync, provisional, reason="Nhập nhầm", headers=None):
    return await sync.client.post(
        f"{PATH}/{provisional}/revert", json={"reason": reason}, headers=headers or sync.as_department
    )


@pytest.mark.parametrize("old", [OLD, "provisional:lms/7"])
async def test_a_merge_nobody_has_the_code_of_yet_is_taken_back_and_the_code_comes_as_it_is(sync, old):
    await sync.put_schools("A")
    await load(sync, "learners", f"sourcedId\n{NEW}\n")
    (done,) = await merge(sync, (old, NEW))
    assert done["state"] == "noted"
    answer = await take_back(sync, old)
    assert (answer.status_code, answer.content) == (204, b""), answer.text
    assert await shown_merges(sync) == []
    assert await sync.sql("SELECT undo_reason FROM person_alias_undone") == ["Nhập nhầm"]
    await commit(sync, renamed(school_files("A"), "A-hs0", old), "A")
    assert (await rows_by_school(sync, old), await rows_by_school(sync, NEW)) == (["A"], [])
    again = await take_back(sync, old)
    assert (again.status_code, again.json()["code"]) == (404, "registry.mergeUnknown")


async def test_a_merge_that_was_written_is_not_taken_back_but_names_the_import_to_undo(sync, school):
    await merge(sync, (OLD, NEW))
    (shown,) = await shown_merges(sync)
    answer = await take_back(sync, OLD)
    assert (answer.status_code, answer.json()["code"]) == (409, "registry.mergeWritten")
    assert answer.json()["importId"] == shown["importId"]
    said = {
        language: (await take_back(sync, OLD, headers={**sync.as_department, "Accept-Language": language})).json()
        for language in ("vi", "en")
    }
    assert said["vi"]["title"] != said["en"]["title"] or said["vi"]["detail"] != said["en"]["detail"]
    assert (await rows_by_school(sync, NEW), len(await shown_merges(sync))) == (["A"], 1)


async def test_only_the_department_takes_a_merge_back_and_says_why(sync):
    await sync.put_schools("A")
    await load(sync, "learners", f"sourcedId\n{NEW}\n")
    await merge(sync, (OLD, NEW))
    vendor = await take_back(sync, OLD, headers=sync.as_vendor("A", scope="sync.orgs"))
    assert (vendor.status_code, vendor.json()["code"]) == (403, "registry.notDepartment")
    silent = await take_back(sync, OLD, reason="  ")
    assert (silent.status_code, silent.json()["code"]) == (422, "reason.missing")
    assert len(await shown_merges(sync)) == 1


async def test_a_learner_becomes_no_staff_code_and_staff_no_learners(sync):
    """The kind is judged as a package's is: with any learner's role a person is a learner."""
    await sync.put_schools("A")
    files = renamed(renamed(school_files("A"), "A-hs0", OLD), "A-gv", "provisional:lms-8")
    await commit(sync, files, "A")
    await load(sync, "learners", f"sourcedId\n{NEW}\nca-hai\n")
    await load(sync, "staff", "sourcedId\n79-gv-0001\nca-hai\n")
    items = await merge(sync, (OLD, "79-gv-0001"), ("provisional:lms-8", NEW), ("provisional:lms-8", "chua-cap"))
    assert [(each["state"], each["code"]) for each in items] == [
        ("refused", "registry.otherKind"),
        ("refused", "registry.otherKind"),
        ("refused", "registry.notIssued"),
    ]
    assert items[0]["message"]
    assert await rows_by_school(sync, OLD) == ["A"]
    items = await merge(sync, (OLD, "ca-hai"), ("provisional:lms-8", "79-gv-0001"), ("provisional:lms-9", "79-gv-0001"))
    assert [each["state"] for each in items] == ["merged", "merged", "noted"]


async def test_a_learner_who_also_teaches_is_a_learner(sync):
    await sync.put_schools("A")
    files = renamed(school_files("A"), "A-hs0", OLD)
    teaches = {**next(row for row in files["roles"] if row["userSourcedId"] == OLD), "sourcedId": "r2", "role": "aide"}
    await commit(sync, {**files, "roles": [*files["roles"], {**teaches, "roleType": "secondary"}]}, "A")
    await load(sync, "learners", f"sourcedId\n{NEW}\n")
    await load(sync, "staff", "sourcedId\n79-gv-0001\n")
    items = await merge(sync, (OLD, "79-gv-0001"), (OLD, NEW))
    assert [each["code"] for each in items] == ["registry.otherKind", None]


async def test_a_merge_and_the_merging_again_of_an_undone_one_do_not_pass_each_other(sync, two_schools):
    await merge(sync, (OLD, NEW))
    (shown,) = await shown_merges(sync)
    undoing = (await undo(sync, shown["importId"])).json()
    again, (merged,) = await asyncio.gather(undo(sync, undoing["id"]), merge(sync, (OLD, NEW)))
    assert (again.status_code, merged["state"]) in {(202, "known"), (409, "merged")}
    assert (await rows_by_school(sync, NEW), await rows_by_school(sync, OLD)) == (["A", "B"], [])


async def waiting(sync, files, school):
    """A package that was validated and waits for somebody to commit it."""
    ready = await sync.imported(make_package(files), sync.as_vendor(school), mode="review")
    assert ready["state"] == "ready", ready
    return f"/sync/v1/imports/{ready['id']}"


async def test_a_package_that_waited_while_its_person_was_merged_is_led_on_too(sync):
    """Nobody had the code when it was merged, so no school's roster changed under the package."""
    await sync.put_schools("A")
    await load(sync, "learners", f"sourcedId\n{NEW}\n" + "\n".join(f"A-hs{n}" for n in range(1, 10)))
    other = "provisional:lms-0"
    files = renamed(school_files("A"), "A-hs0", OLD)
    double = [{**row, "sourcedId": other, "username": "lms-0"} for row in files["users"] if row["sourcedId"] == OLD]
    roles = [
        {**row, "sourcedId": "r-0", "userSourcedId": other} for row in files["roles"] if row["userSourcedId"] == OLD
    ]
    files = {**files, "users": [*files["users"], *double], "roles": [*files["roles"], *roles]}
    path = await waiting(sync, files, "A")
    items = await merge(sync, (OLD, NEW), (other, NEW))
    assert [each["state"] for each in items] == ["noted", "noted"]
    await sync.client.post(f"{path}/commit", headers=sync.as_vendor("A"))
    await sync.work()
    assert (await sync.read(path, sync.as_vendor("A")))["state"] == "committed"
    assert (await rows_of(sync, NEW))["enrollment"] == 1
    assert [await rows_by_school(sync, each) for each in (NEW, OLD, other)] == [["A"], [], []]
    diff = await sync.read(f"{path}/diff", sync.as_vendor("A"), type="users", limit="500")
    assert NEW in {each["sourcedId"] for each in diff["items"]}


async def test_a_package_from_before_a_merge_is_held_and_released_brings_the_issued_code(sync, school):
    path = await waiting(sync, {**school, "users": changed(school["users"], OLD, familyName="Trần")}, "A")
    await merge(sync, (OLD, NEW))
    await sync.client.post(f"{path}/commit", headers=sync.as_vendor("A"))
    await sync.work()
    held = await sync.read(path, sync.as_vendor("A"))
    assert [each["code"] for each in held["holdReasons"]] == ["olderThanCommitted"]
    head = sync.as_person("A", "head")
    answer = await sync.client.post(f"{path}/release", json={"reason": "đúng"}, headers=head)
    assert answer.status_code in (200, 202), answer.text
    await sync.work()
    assert (await rows_by_school(sync, NEW), await rows_by_school(sync, OLD)) == (["A"], [])
    assert await sync.sql(f"SELECT family_name FROM person WHERE sourced_id = '{NEW}'") == ["Trần"]
